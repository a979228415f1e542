"""The operations that the engine itself relies on: promotion, un-broadcasting and conjugation."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from minigrad._types import dtypes
from tests.op_cases import Bad, OpCase, arrays, broadcastable, f, sample

CASES = {
    "mul": OpCase(
        sample(broadcastable(2)), np.multiply, analytic=True, complex=True,
        bad=[Bad((f(2, 3), f(4)), {}, RuntimeError,
                 r"mul: The size of tensor a \(3\) must match the size of tensor b \(4\) at non-singleton dimension 1")]),
    "add": OpCase(sample(broadcastable(2)), np.add, analytic=True, complex=True,
                  bad=[Bad((f(2), f(3)), {}, RuntimeError, r"add: The size of tensor a \(2\) must match")]),
    "exp": OpCase(sample(arrays()), np.exp, analytic=True, complex=True),
    "cast": OpCase(sample(arrays(), dtype=st.sampled_from([dtypes.float64, dtypes.complex128])),
                   lambda input, dtype: input.astype(dtype.numpy),
                   examples=[((f(2, 3),), {"dtype": dtypes.int32}), ((f(3),), {"dtype": dtypes.bool_})]),
    "conj": OpCase(sample(arrays()), np.conjugate, complex=True),
}
