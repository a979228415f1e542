"""Copies to fresh memory, to a device, and over what a tensor held."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from minigrad import _arrays
from minigrad._types import layouts
from tests.op_cases import Bad, OpCase, arrays, f, sample, shapes

CPU = _arrays.Device("cpu")

CASES = {
    "clone": OpCase(
        sample(arrays(), memory_format=st.sampled_from([layouts.preserve_format, layouts.contiguous_format])),
        lambda input, memory_format: np.array(input), complex=True,
        examples=[((f(2, 3, 4, 5),), {"memory_format": layouts.channels_last}),
                  ((f(2, 3, 4, 5, 1),), {"memory_format": layouts.channels_last_3d})],
        bad=[Bad((f(2, 3),), {"memory_format": layouts.channels_last}, RuntimeError, "required rank 4 tensor")]),
    "to_device": OpCase(sample(arrays(), device=CPU, source=CPU), lambda input, device, source: input, complex=True),
    "copy": OpCase(
        sample(shapes().flatmap(lambda s: st.tuples(arrays(s), arrays(s[len(s) // 2:])))),
        lambda input, src: np.broadcast_to(src, input.shape), complex=True,
        examples=[((f(2, 3), f(1, 3)), {}), ((f(2, 3), f(2, 1)), {}), ((f(2, 3), f()), {})],
        bad=[Bad((f(2, 3), f(2)), {}, RuntimeError, "copy: ")]),
    "fill_with": OpCase(sample(arrays(), arrays(())), np.full_like, complex=True),
}
