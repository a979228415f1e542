"""Inverses, determinants and factorizations, on matrices that are far from singular."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from minigrad.ops.linear_algebra.decomposition import adjoint, linalg_inv
from tests.op_cases import Bad, OpCase, arrays, f, sample

GAUGE = "the factors are determined up to a sign or phase; tests/test_linalg.py checks what does not depend on it"
TRIANGLE = "one triangle is read, the gradient is that of a symmetric matrix; tests/test_linalg.py checks symmetric directions"
SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])


def matrices(rows: Any = None, columns: Any = None, kind: str = "general", batch: bool = True) -> Any:
    """Matrices with singular values apart from each other and from 0; `kind`: general, symmetric, definite, lower or upper."""
    def make(seed: int, m: int, n: int, lead: tuple[int, ...]) -> Any:
        rng = np.random.default_rng(seed)
        x = rng.uniform(-0.4, 0.4, (*lead, m, n))
        x = x + np.eye(m, n) * (1.5 + np.arange(n))
        if kind == "symmetric":
            return x + np.swapaxes(x, -1, -2)
        if kind == "definite":
            return x @ np.swapaxes(x, -1, -2) + np.eye(m)
        return np.tril(x) if kind == "lower" else np.triu(x) if kind == "upper" else x
    sizes = st.integers(1, 4)
    m = sizes if rows is None else st.just(rows)
    n = None if columns is None else st.just(columns)
    lead = st.sampled_from([(), (2,), (2, 1)] if batch else [()])
    if n is not None:
        return st.builds(make, st.integers(0, 2**20), m, n, lead)
    return m.flatmap(lambda k: st.builds(make, st.integers(0, 2**20), st.just(k), st.just(k), lead))


def of_svd(U: Any, S: Any, Vh: Any) -> tuple[Any, ...]:
    k = S.shape[-1]
    return S, (U[..., :k] * S[..., None, :]) @ Vh[..., :k, :]


def of_qr(Q: Any, R: Any) -> tuple[Any, ...]:
    return Q @ R, adjoint(Q) @ Q


def of_eigh(values: Any, vectors: Any) -> tuple[Any, ...]:
    return values, (vectors * values[..., None, :]) @ adjoint(vectors)


def of_eig(values: Any, vectors: Any) -> tuple[Any, ...]:
    return values.sum(-1), (vectors * values[..., None, :]) @ linalg_inv(vectors)


def rectangular(**settings: Any) -> Any:
    return st.one_of([sample(matrices(m, n), **settings) for m, n in ((3, 3), (4, 2), (2, 4), (1, 3))])


def pair(right: tuple[int, ...], kind: str = "general", **settings: Any) -> Any:
    """A 3 x 3 matrix and a right hand side of shape `right`."""
    return sample(matrices(3, 3, kind, batch=False), arrays(right), **settings)


def lu_reference(A: Any, pivot: bool = True) -> Any:
    """Doolittle's elimination of one matrix after the other."""
    LU, pivots = A.copy(), np.zeros((*A.shape[:-2], min(A.shape[-2:])), dtype=np.int32)
    for place in np.ndindex(A.shape[:-2]):
        a = LU[place]
        for k in range(min(a.shape)):
            p = k + int(np.argmax(np.abs(a[k:, k]))) if pivot else k
            a[[k, p]] = a[[p, k]]
            pivots[(*place, k)] = p + 1
            for i in range(k + 1, a.shape[0]):
                a[i, k] /= a[k, k]
                a[i, k + 1:] -= a[i, k] * a[k, k + 1:]
    return LU, pivots


def cofactors_reference(A: Any) -> Any:
    out = np.empty_like(A)
    n = A.shape[-1]
    for i in range(n):
        for j in range(n):
            rest = np.delete(np.delete(A, i, axis=-2), j, axis=-1)
            out[..., i, j] = (-1) ** (i + j) * (np.linalg.det(rest) if n > 1 else 1)
    return out


def exponential_reference(x: Any) -> Any:
    total = term = np.broadcast_to(np.eye(x.shape[-1]), x.shape)
    for k in range(1, 60):
        term = term @ x / k
        total = total + term
    return total


def pinv_reference(A: Any, **_: Any) -> Any:
    t = np.swapaxes(A, -1, -2)
    return np.linalg.inv(t @ A) @ t if A.shape[-2] >= A.shape[-1] else t @ np.linalg.inv(A @ t)


def triangular_reference(A: Any, B: Any, upper: bool, left: bool = True, unitriangular: bool = False) -> Any:
    T = np.triu(A) if upper else np.tril(A)
    if unitriangular:
        T = T - T * np.eye(3) + np.eye(3)
    return np.linalg.inv(T) @ B if left else B @ np.linalg.inv(T)


def householder_reference(a: Any) -> Any:
    import scipy.linalg
    if a.ndim > 2:
        parts = [householder_reference(x) for x in a.reshape(-1, *a.shape[-2:])]
        return tuple(np.stack(p).reshape(*a.shape[:-2], *p[0].shape) for p in zip(*parts))
    (qr, tau), _ = scipy.linalg.qr(a, mode="raw")
    return qr, tau


def permutation_reference(LU: Any, pivots: Any) -> Any:
    P = np.broadcast_to(np.eye(LU.shape[-2]), (*LU.shape[:-2], LU.shape[-2], LU.shape[-2])).copy()
    for place in np.ndindex(LU.shape[:-2]):
        for k, p in enumerate(pivots[place]):
            swap = np.eye(LU.shape[-2])
            swap[[k, p - 1]] = swap[[p - 1, k]]
            P[place] = P[place] @ swap
    return P


BAD_SHAPES = [Bad((f(2, 3),), {}, RuntimeError, r"must be batches of square matrices, but they are 2 by 3 matrices"),
              Bad((f(3),), {}, RuntimeError, r"must have at least 2 dimensions"),
              Bad((np.eye(2, dtype=np.int64),), {}, RuntimeError, r"Expected a floating point or complex tensor as input"),
              Bad((np.eye(2, dtype=np.float16),), {}, RuntimeError, r"Low precision dtypes not supported")]

CASES = {
    "identity_like": OpCase(rectangular(), lambda x: np.broadcast_to(np.eye(*x.shape[-2:]), x.shape)),
    "linalg_inv": OpCase(sample(matrices()), lambda A: np.linalg.solve(A, np.broadcast_to(np.eye(A.shape[-1]), A.shape)),
                         analytic=True, complex=True, examples=[((np.zeros((0, 0)),), {}), ((np.zeros((2, 0, 0)),), {})],
                         bad=[*BAD_SHAPES, Bad((SINGULAR,), {}, RuntimeError, r"singular")], saves=("out",)),
    "factor_info": OpCase(sample(matrices(), kind=st.sampled_from(["inv", "cholesky"])),
                          lambda A, kind: np.zeros(A.shape[:-2], dtype=np.int32)
                          if kind == "inv" else np.where((np.linalg.eigvalsh(A) > 0).all(-1), 0, 1).astype(np.int32),
                          examples=[((np.stack([np.eye(2), np.zeros((2, 2))]),), {"kind": "cholesky"})]),
    "solve_matrices": OpCase(st.one_of(pair((3, 2)), pair((2, 3, 1)), pair((3, 0))), lambda A, B: np.linalg.inv(A) @ B,
                             analytic=True, complex=True,
                             bad=[Bad((np.eye(2), f(3, 2)), {}, RuntimeError, r"equation AX = B \(2x2 and 3x2\)"),
                                  Bad((SINGULAR, f(2, 2)), {}, RuntimeError, r"singular"),
                                  Bad((f(2, 3), f(2, 2)), {}, RuntimeError, r"square")], saves=("out",)),
    "linalg_solve_triangular": OpCase(
        st.one_of(pair((3, 2), upper=st.booleans(), unitriangular=st.booleans()),
                  pair((2, 3), upper=st.booleans(), left=st.just(False)), pair((2, 3, 2), upper=st.booleans())),
        triangular_reference, analytic=True, complex=True,
        bad=[Bad((np.zeros((2, 2)), f(2, 1)), {"upper": True}, RuntimeError, r"singular"),
             Bad((np.eye(2), f(3, 1)), {"upper": True}, RuntimeError, r"AX = B \(2x2 and 3x1\)")], saves=("out",)),
    "linalg_det": OpCase(sample(matrices()), lambda A: np.prod(np.linalg.eigvals(A), axis=-1).real, complex=True,
                         examples=[((SINGULAR,), {}), ((np.zeros((3, 3)),), {}), ((np.zeros((2, 0, 0)),), {})], bad=BAD_SHAPES),
    "cofactors": OpCase(sample(matrices()), cofactors_reference, complex=True, examples=[((SINGULAR,), {})]),
    "linalg_slogdet": OpCase(sample(matrices()), lambda A: (np.sign(np.linalg.det(A)), np.log(np.abs(np.linalg.det(A)))),
                             complex=True, bad=BAD_SHAPES, saves=("sign",)),
    "linalg_cholesky": OpCase(sample(matrices(kind="definite"), upper=st.booleans()),
                              lambda A, upper: np.swapaxes(np.linalg.cholesky(A), -1, -2) if upper else np.linalg.cholesky(A),
                              underivable=TRIANGLE, saves=("out",),
                              bad=[*BAD_SHAPES, Bad((-np.eye(2),), {}, RuntimeError, r"not positive-definite")]),
    "linalg_qr": OpCase(st.one_of(rectangular(), sample(matrices(2, 4), mode=st.just("complete"))),
                        lambda A, mode="reduced": tuple(np.linalg.qr(A, mode=mode)), complex=False, determined=of_qr,
                        bad=[Bad((f(2, 2),), {"mode": "raw"}, RuntimeError, r"unrecognized mode 'raw'"), *BAD_SHAPES[1:]],
                        saves=("Q", "R")),
    "geqrf": OpCase(rectangular(), householder_reference, constant=("input",)),
    "linalg_eigh": OpCase(sample(matrices(kind="symmetric"), UPLO=st.sampled_from(["L", "U"])),
                          lambda A, UPLO: tuple(np.linalg.eigh(A, UPLO)), determined=of_eigh, underivable=GAUGE,
                          saves=("eigenvalues", "eigenvectors"),
                          bad=[*BAD_SHAPES, Bad((np.eye(2),), {"UPLO": "X"}, RuntimeError, r"'L' or 'U', but got X")]),
    "linalg_eig": OpCase(sample(matrices()), lambda A: tuple(x.astype(np.complex128) for x in np.linalg.eig(A)),
                         determined=of_eig, underivable=GAUGE, saves=("eigenvalues", "eigenvectors"), bad=BAD_SHAPES),
    "linalg_svd": OpCase(rectangular(full_matrices=st.booleans()),
                         lambda A, full_matrices: tuple(np.linalg.svd(A, full_matrices)), determined=of_svd, underivable=GAUGE,
                         saves=("U", "S", "Vh"),
                         examples=[((np.zeros((2, 0, 3)),), {"full_matrices": True})], bad=BAD_SHAPES[1:]),
    "linalg_pinv": OpCase(rectangular(hermitian=st.just(False)), pinv_reference, complex=True,
                          examples=[((np.zeros((0, 3)),), {})], bad=BAD_SHAPES[1:], saves=("out",)),
    "linalg_matrix_rank": OpCase(rectangular(), lambda A: np.full(A.shape[:-2], min(A.shape[-2:])),
                                 examples=[((np.zeros((2, 0)),), {})], bad=BAD_SHAPES[1:]),
    "linalg_lu_factor": OpCase(rectangular(pivot=st.booleans()), lu_reference, analytic=True, complex=True,
                               examples=[((np.zeros((2, 0, 3)),), {})], bad=BAD_SHAPES[1:], saves=("LU",)),
    "permutation": OpCase(sample(matrices(4, 3, batch=False), st.sampled_from([[1, 2, 3], [3, 3, 4]]).map(np.int32)),
                          permutation_reference),
    "zero_pivot": OpCase(sample(matrices()), lambda LU: np.zeros(LU.shape[:-2], np.int32),
                         examples=[((np.zeros((2, 0)),), {})]),
    "matrix_exp": OpCase(sample(matrices()), exponential_reference, analytic=True, complex=True, rtol=1e-9, float32_rtol=1e-3,
                         examples=[((np.zeros((0, 0)),), {}), ((np.zeros((2, 2)),), {}), ((9 * np.eye(2),), {})],
                         bad=[Bad((f(2, 3),), {}, RuntimeError, r"square")]),
}
