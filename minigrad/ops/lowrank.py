"""Decompositions that are only computed in part: the largest singular values, by random projection."""

from __future__ import annotations

from typing import Any

from minigrad.errors import InvalidValueError
from minigrad.ops import pointwise, reduction, sampling
from minigrad.ops.decomposition import SVD, adjoint, linalg_qr, linalg_svd
from minigrad.ops.linalg import matmul

__all__ = ["pca_lowrank", "svd_lowrank"]


def svd_lowrank(A: Any, q: int | None = 6, niter: int | None = 2, M: Any = None) -> Any:
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


def pca_lowrank(A: Any, q: int | None = None, center: bool = True, niter: int = 2) -> Any:
    """The principal components of the rows of ``(*, m, n)`` matrices: :func:`svd_lowrank` of the rows less their mean."""
    q = min(6, *A.shape[-2:]) if q is None else q
    mean = reduction.mean(A, dim=-2, keepdim=True) if center else None
    return svd_lowrank(A if mean is None else pointwise.sub(A, mean), q, niter)
