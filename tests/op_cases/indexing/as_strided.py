"""Cases of the operations in ``minigrad/ops/indexing/as_strided.py``."""

from __future__ import annotations

import numpy as np

from tests.op_cases import OpCase, arrays, sample

LIES = ((2, 3), (3, 1), 0, 6)  # the geometry of a contiguous (2, 3) tensor

CASES = {
    "strided": OpCase(
        sample(arrays((2, 3)), size=(2, 2), stride=(1, 2), offset=1, lies=LIES),
        lambda input, size, stride, offset, lies: np.array([[input.flat[offset + a * stride[0] + b * stride[1]] for b in range(2)]
                                                     for a in range(2)]), complex=True),
}
