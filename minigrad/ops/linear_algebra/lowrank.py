"""Decompositions that are only computed in part: the largest singular values, by random projection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minigrad.errors import InvalidValueError, ShapeError
from minigrad.ops import sampling
from minigrad.ops.linear_algebra.decomposition import (
    SVD,
    adjoint,
    linalg_cholesky,
    linalg_eigh,
    linalg_qr,
    linalg_solve_triangular,
    linalg_svd,
)
from minigrad.ops.linear_algebra.products import matmul
from minigrad.ops.pointwise import arithmetic
from minigrad.ops.reducing import reduction
from minigrad.ops.shaping import shape as shapes

if TYPE_CHECKING:
    from collections.abc import Callable

    from minigrad._types.annotations import Tensor

__all__ = ["lobpcg", "pca_lowrank", "svd_lowrank"]


def svd_lowrank(A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """The `q` largest singular values of ``(*, m, n)`` matrices with their vectors: ``A - M = U @ diag(S) @ V.mH`` nearly.

    Exact where the rank is at most `q`; else `niter` rounds of multiplication bring it nearer. Source: Halko, Martinsson and
    Tropp, 2011, Finding structure with randomness, algorithms 4.4 and 5.1.
    """
    A = A if M is None else A - M
    q = 6 if q is None else q
    if not 0 <= q <= min(A.shape[-2:]):
        raise InvalidValueError(f"svd_lowrank: q(={q}) must be non-negative integer and not greater than min(m, "
                                f"n)={min(A.shape[-2:])}")
    if not 0 <= (niter or 0):
        raise InvalidValueError(f"svd_lowrank: niter(={niter}) must be non-negative integer")
    probe = sampling.randn((A.shape[-1], q), dtype=A.dtype, device=A.device)
    Q, _ = linalg_qr(matmul(A, probe))
    for _ in range(niter or 0):
        Q, _ = linalg_qr(matmul(adjoint(A), Q))
        Q, _ = linalg_qr(matmul(A, Q))
    U, S, Vh = linalg_svd(matmul(adjoint(Q), A), full_matrices=False)
    return SVD(matmul(Q, U), S, adjoint(Vh))


def pca_lowrank(A: Tensor, q: int | None = None, center: bool = True, niter: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    """The principal components of the rows of ``(*, m, n)`` matrices: :func:`svd_lowrank` of the rows less their mean."""
    q = min(6, *A.shape[-2:]) if q is None else q
    mean = reduction.mean(A, dim=-2, keepdim=True) if center else None
    return svd_lowrank(A if mean is None else arithmetic.sub(A, mean), q, niter)


def lobpcg(A: Tensor, k: int | None = None, B: Tensor | None = None, X: Tensor | None = None, n: int | None = None,
           iK: Tensor | None = None, niter: int | None = None, tol: float | None = None, largest: bool | None = None,
           method: str | None = None, tracker: Callable[..., Any] | None = None, ortho_iparams: dict[str, int] | None = None,
           ortho_fparams: dict[str, float] | None = None, ortho_bparams: dict[str, bool] | None = None) -> tuple[Tensor, Tensor]:
    """The `k` largest (or smallest) eigenvalues of ``A @ x = value * B @ x``, A symmetric, B positive definite, and the `x`.

    They are computed exactly, by :func:`minigrad.linalg.eigh`; what steers PyTorch's iteration changes nothing.
    """
    k = (1 if X is None else X.shape[-1]) if k is None else k
    if A.shape[-1] < 3 * k:
        raise InvalidValueError(f"LPBPCG algorithm is not applicable when the number of A rows (={A.shape[-1]}) is smaller than "
                                f"3 x the number of requested eigenpairs (={k})")
    if B is not None and tuple(B.shape[-2:]) != tuple(A.shape[-2:]):
        raise ShapeError(f"lobpcg: B of shape {list(B.shape)} does not fit A of shape {list(A.shape)}")
    L = None if B is None else linalg_cholesky(B)
    inner = A if L is None else linalg_solve_triangular(
        L, adjoint(linalg_solve_triangular(L, A, upper=False)), upper=False)
    values, vectors = linalg_eigh(inner)
    if largest is not False:
        values, vectors = shapes.flip(values, dims=(-1,)), shapes.flip(vectors, dims=(-1,))
    values, vectors = values[..., :k], vectors[..., :k]
    return values, vectors if L is None else linalg_solve_triangular(adjoint(L), vectors, upper=True)
