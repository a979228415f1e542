"""Cases of the operations in ``minigrad/ops/linear_algebra/ldl.py``."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.op_cases import Bad, OpCase, f, sample
from tests.op_cases.linear_algebra.decomposition import BAD_SHAPES, matrices

INDEFINITE = [np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 3.0], [2.0, 3.0, 0.1]]),
              np.array([[1.0, 2.0, 0.5, 0.1], [2.0, -1.0, 0.2, 4.0], [0.5, 0.2, 0.01, 1.0], [0.1, 4.0, 1.0, 0.3]])]


def ldl_reference(A: Any, hermitian: bool = False) -> Any:
    from scipy.linalg.lapack import dsytrf
    parts = [dsytrf(a, lower=1) for a in A.reshape(-1, *A.shape[-2:])]
    return np.stack([np.tril(p[0]) for p in parts]).reshape(A.shape), np.stack([p[1] for p in parts]).reshape(A.shape[:-1])


def packed(A: Any) -> Any:
    from minigrad.linalg import ldl_factor
    return tuple(ldl_factor(A))


CASES = {
    "linalg_ldl_factor": OpCase(sample(matrices(kind="symmetric")), ldl_reference, constant=("A",),
                                examples=[((a,), {}) for a in INDEFINITE], bad=BAD_SHAPES[:1]),
    "linalg_ldl_solve": OpCase(st.sampled_from(INDEFINITE).map(lambda a: ((*packed(a), np.ones((a.shape[0], 2))), {})),
                               lambda LD, pivots, B: np.linalg.solve(next(a for a in INDEFINITE if a.shape == LD.shape), B),
                               constant=("LD",),
                               bad=[Bad((np.eye(2), np.array([1, 2]), f(3, 1)), {}, RuntimeError, r"2 rows, but got shape")]),
}
