"""Cases of the operations in ``minigrad/ops/indexing/take.py``."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tests.op_cases import Bad, OpCase, arrays, f, integers, sample
from tests.op_cases.indexing.indexing import i

CASES = {
    "nonzero_indices": OpCase(
        sample(arrays().map(lambda x: np.where(x > 0, x, 0))), lambda input: np.array(
            [p for p in np.ndindex(input.shape) if input[p] != 0], dtype=np.int64).reshape(np.count_nonzero(input), input.ndim)),
    "unravel": OpCase(sample(integers(None, -12, 11), shape=(3, 4)),
                      lambda indices, shape: np.stack([indices % 12 // 4, indices % 4]),
                      bad=[Bad((i(12),), {"shape": (3, 4)}, RuntimeError, "out of bounds for a tensor of shape"),
                           Bad((f(2),), {"shape": (3, 4)}, RuntimeError, "to be integer dtype")]),
    "is_member": OpCase(
        sample(integers(), integers((3,)), invert=st.booleans()),
        lambda elements, test_elements, invert: np.vectorize(lambda x: (x in test_elements) != invert, otypes=[bool])(elements)),
}
