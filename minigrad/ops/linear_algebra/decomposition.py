"""Inverses, determinants, factorizations and what is solved with them, for matrices and batches of matrices.

Every function takes ``(*, m, n)`` and works on the last two dimensions. The rules are written for the gradient in PyTorch's
convention; ``adjoint(x)`` is the conjugate transpose, which for real matrices is the transpose. The formulas are those of
Giles, Collected matrix derivative results for forward and reverse mode algorithmic differentiation, 2008; Walter and
Lehmann, 2012, arXiv:1001.1654 (QR); Townsend, Differentiating the singular value decomposition, 2016; or follow in a line.
"""

from __future__ import annotations

import math
from collections import namedtuple
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from minigrad import _arrays
from minigrad._types.dtypes import as_dtype
from minigrad._types.named_results import publish_results
from minigrad.errors import DtypeError, GraphError, LinAlgError, RuntimeValueError, ShapeError
from minigrad.ops import copying
from minigrad.ops.linear_algebra.products import matmul, transpose_last, unbroadcast
from minigrad.ops.pointwise import arithmetic, comparison, elementary
from minigrad.ops.reducing import reduction
from minigrad.ops.shaping import shape, slicing
from minigrad.recording.inplace import serve_out
from minigrad.recording.op import op

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from minigrad._types.annotations import Tensor
    from minigrad.ops.signatures import QR, SignLogabsdet

__all__ = ["cholesky", "cholesky_inverse", "cholesky_solve", "det", "geqrf", "inverse", "logdet", "lu", "lu_solve", "lu_unpack",
           "matrix_exp", "matrix_power", "orgqr", "ormqr", "pinverse", "qr", "slogdet", "svd", "triangular_solve"]


# ---------------------------------------------------------------------------------------------------- helpers

def adjoint(x: Any) -> Any:
    """The conjugate transpose of matrices, arrays or tensors."""
    return arithmetic.conj(transpose_last(x))


def require_matrices(x: Any, name: str = "A") -> None:
    """Raise unless `x` holds matrices of a dtype that can be factorized."""
    if x.ndim < 2:
        raise ShapeError(f"The input tensor {name} must have at least 2 dimensions, got shape {list(x.shape)}")
    if x.dtype.kind not in "fc":
        raise DtypeError(f"Expected a floating point or complex tensor as input. Got {as_dtype(x.dtype)!r}; convert it with "
                         f".float()")
    if x.dtype.itemsize == 2:
        raise DtypeError(f"Low precision dtypes not supported. Got {as_dtype(x.dtype)!r}; convert it with .float()")


def require_square_matrices(x: Any, name: str = "A") -> None:
    require_matrices(x, name)
    if x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"{name} must be batches of square matrices, but they are {x.shape[-2]} by {x.shape[-1]} matrices")


def compute(function: Any, *args: Any, reason: str) -> Any:
    """``function(*args)``. Where the library finds that impossible, raise an error that gives the reason."""
    try:
        with _arrays.library_of(args[0]).raise_failures():
            return function(*args)
    except np.linalg.LinAlgError:
        raise LinAlgError(reason) from None


def solve_batched(A: Any, B: Any, reason: str) -> Any:
    """The `X` of ``A @ X = B``, where `B` holds matrices. Leading dimensions are broadcast."""
    if A.shape[:-2] != B.shape[:-2]:
        lead = np.broadcast_shapes(A.shape[:-2], B.shape[:-2])
        A, B = np.broadcast_to(A, (*lead, *A.shape[-2:])), np.broadcast_to(B, (*lead, *B.shape[-2:]))
    return compute(np.linalg.solve, A, B, reason=reason)


@op(differentiable=False)
def identity_like(input: Any) -> Any:
    """Identity matrices in the shape of `input`; not differentiable."""
    eye = _arrays.xp_of(input).eye(input.shape[-2], input.shape[-1], dtype=input.dtype)
    return np.broadcast_to(eye, input.shape)


def off_diagonal(x: Any) -> Any:
    """Matrices with their diagonals set to 0."""
    return slicing.tril(x, diagonal=-1) + slicing.triu(x, diagonal=1)


def diagonal(x: Any) -> Any:
    """The diagonals of matrices, as vectors."""
    return slicing.diagonal(x, offset=0, dim1=-2, dim2=-1)


def real(x: Any) -> Any:
    """The real part; a real array is returned as it is."""
    return arithmetic.real(x) if x.dtype.kind == "c" else x


# ---------------------------------------------------------------------------------------------------- inverses, systems

SINGULAR = "The factorization could not be completed because the input matrix is singular"


@op(layout="columns", called="linalg.inv")
def linalg_inv(A: Any) -> Any:
    """The inverse of square matrices. Raises ``LinAlgError`` where there is none."""
    require_square_matrices(A)
    return compute(np.linalg.inv, A, reason="The inversion could not be completed because the input matrix is singular: its "
                                             "diagonal has a zero after elimination; pinv gives a pseudo-inverse")
@linalg_inv.derivative("A")
def linalg_inv_wrt_A(g: Any, out: Any) -> Any: return -(transpose_last(out) @ g @ transpose_last(out))


def info_of(A: Any, works: Any) -> Any:
    """int32 numbers, one for each matrix of a batch: 0 where `works` does not raise, else the 1-based row at which it fails."""
    flat = A.reshape(math.prod(A.shape[:-2]), *A.shape[-2:])
    info = np.zeros((flat.shape[0],), np.int32, like=flat)
    with _arrays.library_of(A).raise_failures():
        for k, matrix in enumerate(flat):
            if fails(works, matrix):
                sizes = range(1, matrix.shape[-1] + 1)
                info[k] = next((n for n in sizes if fails(works, matrix[:n, :n])), matrix.shape[-1])
    return info.reshape(A.shape[:-2])


def fails(works: Any, matrix: Any) -> bool:
    """Whether ``works(matrix)`` raises ``LinAlgError``."""
    try:
        works(matrix)
    except np.linalg.LinAlgError:
        return True
    return False


@op(differentiable=False)
def factor_info(A: Any, *, kind: Any) -> Any:
    """For each matrix 0, or the row at which its inverse (`kind` "inv") or Cholesky factor ("cholesky") does not exist."""
    require_square_matrices(A)
    return info_of(A, np.linalg.inv if kind == "inv" else np.linalg.cholesky)


@op(dtypes="same", layout="columns", grad_name="LinalgSolveExBackward0", called="linalg.solve")
def solve_matrices(A: Any, B: Any) -> Any:
    """The `X` of ``A @ X = B`` for matrices; leading dimensions are broadcast."""
    require_square_matrices(A)
    if A.shape[-1] != B.shape[-2]:
        raise ShapeError(f"Incompatible shapes of A and B for the equation AX = B ({A.shape[-2]}x{A.shape[-1]} and "
                         f"{B.shape[-2]}x{B.shape[-1]})")
    return solve_batched(A, B, "The solver failed because the input matrix is singular")
@solve_matrices.derivative("A")
def solve_matrices_wrt_A(g: Any, A: Any, out: Any) -> Any:
    return unbroadcast(-(solve_matrices(transpose_last(A), g) @ transpose_last(out)), A.shape)
@solve_matrices.derivative("B")
def solve_matrices_wrt_B(g: Any, A: Any, B_shape: Any) -> Any: return unbroadcast(solve_matrices(transpose_last(A), g), B_shape)


def linalg_solve(A: Tensor, B: Tensor, *, left: bool = True, out: Tensor | None = None) -> Tensor:
    """The `X` of ``A @ X = B``, or of ``X @ A = B`` where `left` is False.

    Shapes: A ``(*, n, n)``; B ``(*, n, k)``, or a vector ``(n,)`` or batch of vectors ``(*, n)`` that matches A's batch.
    Raises ``LinAlgError`` where A is singular.

    >>> import minigrad
    >>> linalg_solve(minigrad.tensor([[2., 0.], [0., 4.]]), minigrad.tensor([2., 2.]))
    tensor([1.0000, 0.5000])
    """
    require_square_matrices(A)
    if not B.ndim:
        raise ShapeError("linalg.solve: The input tensor B must have at least 1 dimension, got a number")
    vector = B.ndim == 1 or A.ndim - 1 == B.ndim and tuple(B.shape) == tuple(A.shape[:-1])
    if vector and not left:
        raise ShapeError("linalg.solve: Vector broadcasting of the left hand side is not supported for left=False. In this "
                         "case linalg.solve is equivalent to B / A.squeeze(-1)")
    if vector:
        return squeeze_last(solve_matrices(A, B[..., None]), out)
    if not left:
        if B.shape[-1] != A.shape[-1]:
            raise ShapeError("linalg.solve: Incompatible shapes of A and B for the equation XA = B "
                             f"({A.shape[-2]}x{A.shape[-1]} and {B.shape[-2]}x{B.shape[-1]})")
        return transpose_last(solve_matrices(transpose_last(A), transpose_last(B)))
    return solve_matrices(A, B, out=out)


def squeeze_last(x: Any, out: Any = None) -> Tensor:
    """`x` without its last dimension, which is 1."""
    return x[..., 0] if out is None else shape.squeeze(x, dim=-1, out=out)


@op(dtypes="same", layout="columns", called="linalg.solve_triangular")
def linalg_solve_triangular(A: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Any:
    """The `X` of ``A @ X = B`` (or ``X @ A = B``) for a triangular A, of which only that triangle is read.

    With `unitriangular` its diagonal counts as ones. Raises ``LinAlgError`` where there is a zero on the diagonal.
    """
    require_square_matrices(A)
    require_matrices(B, "B")
    if A.shape[-1] != B.shape[-2 if left else -1]:
        raise ShapeError(f"Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
                         f"({A.shape[-2]}x{A.shape[-1]} and {B.shape[-2]}x{B.shape[-1]})")
    triangle = np.triu(A, 1 if unitriangular else 0) if upper else np.tril(A, -1 if unitriangular else 0)
    if unitriangular:
        triangle = triangle + identity_like(triangle)
    if not left:
        return np.swapaxes(solve_batched(np.swapaxes(triangle, -1, -2), np.swapaxes(B, -1, -2), SINGULAR), -1, -2)
    return solve_batched(triangle, B, SINGULAR)
@linalg_solve_triangular.derivative("A")
def linalg_solve_triangular_wrt_A(g: Any, A: Any, out: Any, upper: Any, left: Any, unitriangular: Any) -> Any:
    h = linalg_solve_triangular(transpose_last(A), g, upper=not upper, left=left, unitriangular=unitriangular)
    full = unbroadcast(-(h @ transpose_last(out)) if left else -(transpose_last(out) @ h), A.shape)
    return slicing.triu(full, diagonal=int(unitriangular)) if upper else slicing.tril(full, diagonal=-int(unitriangular))
@linalg_solve_triangular.derivative("B")
def linalg_solve_triangular_wrt_B(g: Any, A: Any, B_shape: Any, upper: Any, left: Any, unitriangular: Any) -> Any:
    return unbroadcast(linalg_solve_triangular(transpose_last(A), g, upper=not upper, left=left, unitriangular=unitriangular),
                       B_shape)


# ---------------------------------------------------------------------------------------------------- determinants

def has_nan(A: Any) -> Any:
    """Whether a matrix holds NaN. Elimination takes that for a pivot that is 0."""
    return (A != A).any(axis=(-2, -1))


@op(grad_name="LinalgDetBackward0", called="linalg.det")
def linalg_det(A: Any) -> Any:
    """The determinant of square matrices."""
    require_square_matrices(A)
    return np.where(has_nan(A), A.dtype.type(np.nan), np.linalg.det(A))
@linalg_det.derivative("A")
def linalg_det_wrt_A(g: Any, A: Any) -> Any: return g[..., None, None] * cofactors(A)


@op
def cofactors(A: Any) -> Any:
    """The derivative of the determinant by each element, which singular matrices have too.

    For ``A = U diag(S) W`` with unitary U and W it is ``det(U) det(W) conj(U) diag(products of all S but one) conj(W)``.
    """
    U, S, W = np.linalg.svd(A)
    but_one = np.where(_arrays.xp_of(A).eye(S.shape[-1], dtype=bool), 1, S[..., None, :]).prod(axis=-1)
    phase = np.linalg.det(U) * np.linalg.det(W)
    return phase[..., None, None] * ((np.conjugate(U) * but_one[..., None, :]) @ np.conjugate(W))
@cofactors.derivative("A")
def cofactors_wrt_A(g: Any, A: Any) -> Any:
    U, S, W = linalg_svd(A, full_matrices=False)
    phase = linalg_det(U) * linalg_det(W)
    g = phase[..., None, None] * (adjoint(U) @ g @ adjoint(W))
    but_two = products_but_two(S)
    inner = reduction.sum(but_two * diagonal(g)[..., None, :], dim=-1)
    return arithmetic.conj(U) @ (slicing.diag_embed(inner) - transpose_last(g * but_two)) @ arithmetic.conj(W)


def products_but_two(S: Any) -> Any:
    """For each pair i != j the product of all elements of `S` but these two; 0 for i = j."""
    eye = identity_like(transpose_last(S[..., None]) * S[..., None])
    dropped = eye[..., :, None, :] + eye[..., None, :, :] > 0  # of the pair (i, j) the elements i and j
    products = reduction.prod(comparison.where(dropped, 1.0, S[..., None, None, :]), dim=-1)
    return off_diagonal(products)


@op(outputs=("sign", "logabsdet"), holomorphic=False, called="linalg.slogdet")
def linalg_slogdet(A: Any) -> Any:
    """The sign of the determinant, a number of absolute value 1 (or 0), and the logarithm of its absolute value."""
    require_square_matrices(A)
    sign, log = np.linalg.slogdet(A)
    return np.where(log != log, sign.dtype.type(0), sign), np.where(has_nan(A), log.dtype.type(np.nan), log)
@linalg_slogdet.derivative("A")
def linalg_slogdet_wrt_A(g: Any, A: Any, sign: Any) -> Any:
    g_sign, g_log = g
    if sign.dtype.kind == "c" and g_sign is not None:
        turn = arithmetic.conj(sign) * g_sign
        turn = (turn - arithmetic.conj(turn)) * 0.5
        g_log = turn if g_log is None else g_log + turn
    if g_log is None:
        return shape.expand(g_sign[..., None, None] * 0, size=A.shape)
    return g_log[..., None, None] * adjoint(linalg_inv(A))


def logdet(input: Tensor) -> Tensor:
    """The logarithm of the determinant: nan where that is negative, -inf where it is 0."""
    found: SignLogabsdet = linalg_slogdet(input)
    sign, log = found
    if input.dtype.kind == "c":
        return log + elementary.log(sign)
    return comparison.where(sign < 0, math.nan, log)


# ---------------------------------------------------------------------------------------------------- Cholesky

@op(holomorphic=False, layout="columns", grad_name="LinalgCholeskyExBackward0", called="linalg.cholesky")
def linalg_cholesky(A: Any, *, upper: bool = False) -> Any:
    """The lower triangular L with ``A = L @ L.mH``, or the upper triangular U with ``A = U.mH @ U``.

    Reads the lower (upper) triangle only. Raises ``LinAlgError`` where A is not positive definite.
    """
    require_square_matrices(A)
    lower = compute(np.linalg.cholesky, np.conjugate(np.swapaxes(A, -1, -2)) if upper else A,
                    reason="The factorization could not be completed because the input is not positive-definite")
    return np.conjugate(np.swapaxes(lower, -1, -2)) if upper else lower
@linalg_cholesky.derivative("A")
def linalg_cholesky_wrt_A(g: Any, out: Any, upper: Any) -> Any:
    lower, g = (adjoint(out), adjoint(g)) if upper else (out, g)
    inner = slicing.tril(adjoint(lower) @ g, diagonal=0)
    symmetric = (inner + adjoint(slicing.tril(inner, diagonal=-1))) * 0.5
    half = linalg_solve_triangular(adjoint(lower), symmetric, upper=True)
    return linalg_solve_triangular(lower, half, upper=False, left=False)


def cholesky(input: Tensor, upper: bool = False, *, out: Tensor | None = None) -> Tensor:
    """The Cholesky factor of `input`; see :func:`linalg_cholesky`."""
    return linalg_cholesky(input, upper=upper, out=out)


def cholesky_inverse(L: Tensor, upper: bool = False, *, out: Tensor | None = None) -> Tensor:
    """The inverse of the matrix whose Cholesky factor is `L`."""
    require_square_matrices(L)
    L = slicing.triu(L) if upper else slicing.tril(L)
    return linalg_inv(adjoint(L) @ L if upper else L @ adjoint(L), out=out)


def cholesky_solve(B: Tensor, L: Tensor, upper: bool = False, *, out: Tensor | None = None) -> Tensor:
    """The `X` of ``A @ X = B`` where `L` is the Cholesky factor of A."""
    require_square_matrices(L, "L")
    if B.ndim < 2:
        raise ShapeError(f"cholesky_solve: b should have at least 2 dimensions, but has {B.ndim} dimensions instead")
    first = adjoint(L) if upper else L
    return solve_matrices(adjoint(first), solve_matrices(first, B), out=out)


# ---------------------------------------------------------------------------------------------------- QR

@op(outputs=("Q", "R"), holomorphic=False, layout="columns", called="linalg.qr")
def linalg_qr(A: Any, *, mode: Literal["reduced", "complete", "r"] = "reduced") -> Any:
    """``A = Q @ R`` with orthonormal columns in Q and an upper triangular R.

    `mode`: ``"reduced"``; ``"complete"``, with a square Q; or ``"r"``, which leaves Q empty.
    """
    require_matrices(A)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeValueError(f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or "
                                "'complete'")
    if mode == "r":
        return np.zeros((0,), A.dtype, like=A), np.linalg.qr(A, mode="r")
    return tuple(np.linalg.qr(A, mode=mode))
@linalg_qr.derivative("A")
def linalg_qr_wrt_A(g: Any, out: Any, A_shape: Any, mode: Any) -> Any:
    (Q, R), (gQ, gR) = out, g
    m, n = A_shape[-2:]
    if mode == "r" or mode == "complete" and m > n:
        raise GraphError(f"The derivative of linalg.qr depends on Q, which is not computed when mode='{mode}'" if mode == "r" else
                         "The QR decomposition is not differentiable when mode='complete' and nrows > ncols. Please use "
                         "linalg.qr(A, mode='reduced')")
    if m >= n:
        return square_qr_gradient(Q, R, gQ, gR)
    R1, R2 = R[..., :m], R[..., m:]  # A = [A1 A2], A1 = Q R1, R2 = Q^H A2
    if gR is None:
        return slicing.cat([square_qr_gradient(Q, R1, gQ, None), R2 * 0], dim=-1)
    through = Q @ R2 @ adjoint(gR[..., m:])
    return slicing.cat([square_qr_gradient(Q, R1, through if gQ is None else gQ + through, gR[..., :m]), Q @ gR[..., m:]], dim=-1)


def square_qr_gradient(Q: Any, R: Any, gQ: Any, gR: Any) -> Any:
    """The gradient of a matrix that has at least as many rows as columns."""
    inner = -(adjoint(Q) @ gQ) if gR is None else gR @ adjoint(R) if gQ is None else gR @ adjoint(R) - adjoint(Q) @ gQ
    inner = slicing.triu(inner)
    symmetric = off_diagonal(inner + adjoint(inner)) + slicing.diag_embed(diagonal((inner + adjoint(inner)) * 0.5))
    full = Q @ symmetric if gQ is None else gQ + Q @ symmetric
    return linalg_solve_triangular(adjoint(R), full, upper=False, left=False)


def qr(input: Tensor, some: bool = True, *, out: Sequence[Tensor] | None = None) -> QR:
    """``input = Q @ R``; `some` asks for the reduced factors. See :func:`linalg_qr`."""
    found: QR = linalg_qr(input, mode="reduced" if some else "complete", out=out)
    return found


@op(outputs=("a", "tau"), constant=("input",), layout="columns")
def geqrf(input: Any) -> Any:
    """QR in the form of Householder reflections: R above, the vectors below the diagonal, and their factors `tau`.

    Not differentiable, as in PyTorch; see :func:`linalg_householder_product`. Source: LAPACK's ``geqrf``.
    """
    require_matrices(input, "input")
    a = input.copy()
    m, n = a.shape[-2:]
    tau = np.zeros((*a.shape[:-2], min(m, n)), a.dtype, like=a)
    for k in range(min(m, n)):
        alpha, below = a[..., k, k].copy(), a[..., k + 1:, k]
        norm = np.sqrt(np.abs(alpha)**2 + (np.abs(below)**2).sum(axis=-1))
        idle = (norm == np.abs(alpha.real)) & (np.abs(below).sum(axis=-1) == 0) & (alpha.imag == 0)
        beta = np.where(idle, alpha.real, np.where(alpha.real > 0, -norm, norm))
        tau[..., k] = np.where(idle, 0, (beta - alpha) / np.where(beta == 0, 1, beta))
        scale = np.where(idle, 1, alpha - beta)
        v = a[..., k:, k].copy()
        v[..., 0] = 1
        v[..., 1:] = below / scale[..., None]
        rest = a[..., k:, k + 1:]
        rest -= np.conjugate(tau[..., k])[..., None, None] * v[..., :, None] * (np.conjugate(v)[..., None, :] @ rest)
        a[..., k, k] = beta
        a[..., k + 1:, k] = v[..., 1:]
    return a, tau


def reflections(A: Any, tau: Any) -> list[Any]:
    """The vectors of the reflections that :func:`geqrf` packs, each with its factor, as ``(*, m, 1)`` and ``(*, 1, 1)``."""
    V = slicing.tril(A, diagonal=-1) + identity_like(A)
    return [(V[..., k][..., None], tau[..., k][..., None, None]) for k in range(tau.shape[-1])]


def linalg_householder_product(A: Tensor, tau: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The first n columns of the product of the reflections ``I - tau v v^H`` that :func:`geqrf` packs."""
    require_matrices(A)
    if A.shape[-2] < A.shape[-1]:
        raise ShapeError("linalg.householder_product: input.shape[-2] must be greater than or equal to input.shape[-1], got "
                         f"shape {list(A.shape)}")
    if tau.shape[-1] > A.shape[-1]:
        raise ShapeError("linalg.householder_product: input.shape[-1] must be greater than or equal to tau.shape[-1], got "
                         f"{A.shape[-1]} and {tau.shape[-1]}")
    if tuple(tau.shape[:-1]) != tuple(A.shape[:-2]):
        raise ShapeError(f"linalg.householder_product: Expected batch dimensions of tau to be equal to those of input, got "
                         f"{list(tau.shape)} and {list(A.shape)}")
    if tau.dtype != A.dtype:
        raise DtypeError(f"linalg.householder_product: tau dtype {tau.dtype} does not match input dtype {A.dtype}")
    Q = identity_like(A) if tau.shape[-1] else identity_like(A) + A * 0
    for v, factor in reversed(reflections(A, tau)):
        Q = Q - factor * (v @ (adjoint(v) @ Q))
    Q = shape.in_layout("columns", Q, A)
    return Q if out is None else arithmetic.mul(Q, 1, out=out)


def ormqr(input: Tensor, tau: Tensor, other: Tensor, left: bool = True, transpose: bool = False, *,
          out: Tensor | None = None) -> Tensor:
    """``Q @ other``, or ``other @ Q``, for the square Q that `input` and `tau` pack as reflections; `transpose`: its adjoint."""
    require_matrices(input, "input")
    if other.ndim < 2:
        raise ShapeError(f"ormqr: Input tensor 'other' must have at least 2 dimensions, got shape {list(other.shape)}")
    if other.shape[-2 if left else -1] != input.shape[-2]:
        raise ShapeError(f"ormqr: other.shape[{-2 if left else -1}] must be equal to input.shape[-2], got {list(other.shape)} "
                         f"and {list(input.shape)}")
    if tau.shape[-1] > input.shape[-1] or tuple(tau.shape[:-1]) != tuple(input.shape[:-2]):
        raise ShapeError(f"ormqr: tau of shape {list(tau.shape)} does not fit input of shape {list(input.shape)}")
    if tuple(other.shape[:-2]) != tuple(input.shape[:-2]):
        raise ShapeError(f"ormqr: Expected batch dimensions of other to be equal to those of input, got {list(other.shape)} "
                         f"and {list(input.shape)}")
    if not tau.dtype == input.dtype == other.dtype:
        raise DtypeError(f"ormqr: Expected input, tau and other to have the same dtype, got {input.dtype}, {tau.dtype}, "
                         f"{other.dtype}")
    steps = reflections(input, tau)
    result = other
    for v, factor in steps if left == transpose else reversed(steps):
        factor = arithmetic.conj(factor) if transpose else factor
        result = result - (factor * (v @ (adjoint(v) @ result)) if left else factor * ((result @ v) @ adjoint(v)))
    result = shape.in_layout("columns", copying.clone(other) if result is other else result, other)
    return result if out is None else arithmetic.mul(result, 1, out=out)


# ---------------------------------------------------------------------------------------------------- eigenvalues

@op(outputs=("eigenvalues", "eigenvectors"), holomorphic=False, layout="columns", called="linalg.eigh")
def linalg_eigh(A: Any, *, UPLO: str = "L") -> Any:
    """Eigenvalues, ascending, and orthonormal eigenvectors of Hermitian matrices, of which one triangle is read."""
    require_square_matrices(A)
    if UPLO.upper() not in ("L", "U"):
        raise RuntimeValueError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    return tuple(compute(np.linalg.eigh, A, UPLO.upper(), reason="The algorithm failed to converge"))
@linalg_eigh.derivative("A")
def linalg_eigh_wrt_A(g: Any, out: Any) -> Any:
    (values, V), (g_values, gV) = out, g
    if gV is None:
        return (V * g_values[..., None, :]) @ adjoint(V)
    inner = off_diagonal(adjoint(V) @ gV) / (gaps(values) + identity_like(V))
    if g_values is not None:
        inner = inner + slicing.diag_embed(g_values)
    return V @ inner @ adjoint(V)


def gaps(values: Any) -> Any:
    """``values[j] - values[i]`` for all i and j."""
    return values[..., None, :] - values[..., :, None]


@op(outputs=("eigenvalues", "eigenvectors"), holomorphic=False, layout="columns", called="linalg.eig")
def linalg_eig(A: Any) -> Any:
    """Eigenvalues and eigenvectors of length 1 of square matrices; complex, in no order."""
    require_square_matrices(A)
    if A.size and not np.isfinite(A).all():
        raise RuntimeValueError("input tensor should not contain infs or NaNs.")
    complex_type = np.result_type(A.dtype, np.complex64)
    values, vectors = np.linalg.eig(A)
    return values.astype(complex_type), vectors.astype(complex_type)
@linalg_eig.derivative("A")
def linalg_eig_wrt_A(g: Any, out: Any, A_dtype: Any) -> Any:
    (values, V), (g_values, gV) = out, g
    if gV is None:
        inner = slicing.diag_embed(g_values)
    else:
        along = adjoint(V) @ gV
        along = along - adjoint(V) @ (V * real(diagonal(along))[..., None, :])  # the length of eigenvectors is fixed
        inner = off_diagonal(along) / (arithmetic.conj(gaps(values)) + identity_like(V))
        inner = inner if g_values is None else inner + slicing.diag_embed(g_values)
    full = solve_matrices(adjoint(V), inner @ adjoint(V))
    return full if A_dtype.kind == "c" else arithmetic.real(full)


def linalg_eigvalsh(A: Tensor, UPLO: str = "L", *, out: Tensor | None = None) -> Tensor:
    """The eigenvalues of Hermitian matrices, ascending."""
    values = linalg_eigh(A, UPLO=UPLO).eigenvalues
    return values if out is None else arithmetic.mul(values, 1, out=out)


def linalg_eigvals(A: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The eigenvalues of square matrices; complex, in no order."""
    values = linalg_eig(A).eigenvalues
    return values if out is None else arithmetic.mul(values, 1, out=out)


# ---------------------------------------------------------------------------------------------------- singular values

@op(outputs=("U", "S", "Vh"), holomorphic=False, layout="columns", called="linalg.svd")
def linalg_svd(A: Any, *, full_matrices: bool = True, driver: str | None = None) -> Any:
    """``A = U @ diag(S) @ Vh`` with orthonormal columns in U, orthonormal rows in Vh, and S descending.

    The derivative needs distinct singular values where U or Vh have a gradient, and full rank where A is not square.
    """
    require_matrices(A)
    if not A.size:
        return empty_svd(A, full_matrices)
    return tuple(compute(np.linalg.svd, A, full_matrices, reason="The algorithm failed to converge because the input matrix "
                                                                  "contained non-finite values or is ill-conditioned"))
@linalg_svd.derivative("A")
def linalg_svd_wrt_A(g: Any, out: Any, A_shape: Any) -> Any:
    (U, S, Vh), (gU, gS, gVh) = out, g
    k = min(A_shape[-2:])
    U, Vh = U[..., :, :k], Vh[..., :k, :]
    gU = None if gU is None else gU[..., :, :k]
    gVh = None if gVh is None else gVh[..., :k, :]
    inner: Any = None if gS is None else slicing.diag_embed(gS)
    if gU is None and gVh is None:
        return (U * gS[..., None, :]) @ Vh
    E = gaps(S * S) + identity_like(real(adjoint(U) @ U))
    turns: Any = None
    if gU is not None:
        along = adjoint(U) @ gU
        part = (along - adjoint(along)) / E * S[..., None, :]
        inner, turns = part if inner is None else inner + part, along
    if gVh is not None:
        along = gVh @ adjoint(Vh)  # (V^H gV)^H
        part = S[..., :, None] * ((adjoint(along) - along) / E)
        inner, turns = part if inner is None else inner + part, adjoint(along) * -1 if turns is None else turns - adjoint(along)
    if turns.dtype.kind == "c":
        inner = inner + slicing.diag_embed((diagonal(turns) - arithmetic.conj(diagonal(turns))) * 0.25 / S)
    full = U @ inner @ Vh
    if gU is not None and A_shape[-2] > k:
        full = full + ((gU - U @ (adjoint(U) @ gU)) / S[..., None, :]) @ Vh
    if gVh is not None and A_shape[-1] > k:
        full = full + U @ ((gVh - (gVh @ adjoint(Vh)) @ Vh) / S[..., :, None])
    return full


def empty_svd(A: Any, full: bool) -> Any:
    """The factors of matrices without elements."""
    xp, (m, n) = _arrays.xp_of(A), A.shape[-2:]
    k, lead = min(m, n), A.shape[:-2]
    U, Vh = np.zeros((*lead, m, m if full else k), A.dtype, like=A), np.zeros((*lead, n if full else k, n), A.dtype, like=A)
    U[...], Vh[...] = xp.eye(*U.shape[-2:], dtype=A.dtype), xp.eye(*Vh.shape[-2:], dtype=A.dtype)
    return U, np.zeros((*lead, k), A.real.dtype, like=A), Vh


def linalg_svdvals(A: Tensor, *, driver: str | None = None, out: Tensor | None = None) -> Tensor:
    """The singular values of matrices, descending."""
    values = linalg_svd(A, full_matrices=False).S
    return values if out is None else arithmetic.mul(values, 1, out=out)


SVD = namedtuple("SVD", ["U", "S", "V"])
publish_results("svd", SVD)


def svd(input: Tensor, some: bool = True, compute_uv: bool = True, *, out: Sequence[Tensor] | None = None) -> SVD:
    """``input = U @ diag(S) @ V.mH``; without `compute_uv` U and V are zeros. See :func:`linalg_svd`."""
    U, S, Vh = linalg_svd(input, full_matrices=not some and compute_uv)
    if not compute_uv:
        m, n = input.shape[-2:]
        lead = tuple(input.shape[:-2])
        found = SVD(shape.constant_full(input, size=(*lead, m, m)), S, shape.constant_full(input, size=(*lead, n, n)))
    else:
        found = SVD(U, S, adjoint(Vh))
    return serve_out("svd", found, out)


def tolerance(largest: Any, sizes: Any, atol: Any, rtol: Any) -> Any:
    """Below what a singular value counts as 0: ``max(atol, rtol * largest)``; rtol is eps * max(m, n) unless atol is given."""
    if rtol is None:
        given = atol is not None and np.any(np.asarray(atol) > 0)
        rtol = 0.0 if given else np.finfo(largest.dtype).eps * max(sizes)
    return np.maximum(0.0 if atol is None else atol, np.multiply(rtol, largest)).astype(largest.dtype)


@op(holomorphic=False, called="linalg.pinv")
def linalg_pinv(A: Any, *, atol: Any = None, rtol: Any = None, hermitian: Any = False) -> Any:
    """The Moore-Penrose pseudo-inverse: singular values up to ``max(atol, rtol * largest)`` count as 0.

    The derivative is that at constant rank. Source: Golub and Pereyra, 1973, The differentiation of pseudo-inverses.
    """
    (require_square_matrices if hermitian else require_matrices)(A)
    if not A.size:
        return np.zeros((*A.shape[:-2], A.shape[-1], A.shape[-2]), A.dtype, like=A)
    if hermitian:
        values, V = np.linalg.eigh(A)
        U, W, size = V, np.conjugate(np.swapaxes(V, -1, -2)), np.abs(values)
    else:
        U, values, W = np.linalg.svd(A, full_matrices=False)
        size = values
    cut = tolerance(size.max(axis=-1), A.shape[-2:], atol, rtol)
    kept = size > cut[..., None]
    inverse = np.where(kept, 1 / np.where(kept, values, 1), 0).astype(values.dtype)
    return (np.conjugate(np.swapaxes(W, -1, -2)) * inverse[..., None, :]) @ np.conjugate(np.swapaxes(U, -1, -2))
@linalg_pinv.derivative("A")
def linalg_pinv_wrt_A(g: Any, A: Any, out: Any) -> Any:
    P, Ph, gh = out, adjoint(out), adjoint(g)
    outside = (gh - A @ (P @ gh)) @ P @ Ph  # what moves the column space
    across = Ph @ P @ (gh - (gh @ P) @ A)  # what moves the row space
    return outside + across - adjoint(P @ gh @ P)


@op(differentiable=False, called="linalg.matrix_rank")
def linalg_matrix_rank(A: Any, *, atol: Any = None, rtol: Any = None, hermitian: Any = False) -> Any:
    """How many singular values lie above ``max(atol, rtol * largest)``."""
    (require_square_matrices if hermitian else require_matrices)(A)
    if not A.size:
        return np.zeros(A.shape[:-2], np.int64, like=A)
    values = np.abs(np.linalg.eigvalsh(A)) if hermitian else np.linalg.svd(A, compute_uv=False)
    cut = tolerance(values.max(axis=-1), A.shape[-2:], atol, rtol)
    return (values > cut[..., None]).sum(axis=-1)


# ---------------------------------------------------------------------------------------------------- LU

@op(outputs=("LU", "pivots"), layout="columns", called="linalg.lu_factor")
def linalg_lu_factor(A: Any, *, pivot: bool = True) -> Any:
    """LU with partial pivoting in packed form: L, whose diagonal is 1, below the diagonal, U on it and above.

    `pivots`, int32 and counted from 1, says with which row each row was exchanged. Source: Golub and Van Loan, Matrix
    Computations, algorithm 3.4.1.
    """
    require_matrices(A)
    LU = A.copy()
    m, n = LU.shape[-2:]
    flat = LU.reshape(math.prod(LU.shape[:-2]), m, n)
    pivots = np.zeros((flat.shape[0], min(m, n)), np.int32, like=flat)
    pivots[...] = _arrays.xp_of(A).arange(1, min(m, n) + 1)
    batch = _arrays.xp_of(A).arange(flat.shape[0])
    for k in range(min(m, n)):
        if pivot:
            column = flat[:, k:, k]
            row = k + (np.abs(column.real) + np.abs(column.imag)).argmax(axis=1)  # LAPACK's measure
            flat[batch, row], flat[batch, k] = flat[batch, k].copy(), flat[batch, row].copy()
            pivots[:, k] = row + 1
        diagonal = flat[:, k, k]
        flat[:, k + 1:, k] /= np.where(diagonal == 0, 1, diagonal)[:, None]
        flat[:, k + 1:, k + 1:] -= flat[:, k + 1:, k, None] * flat[:, k, None, k + 1:]
    return flat.reshape(LU.shape), pivots.reshape(*LU.shape[:-2], min(m, n))
@linalg_lu_factor.derivative("A")
def linalg_lu_factor_wrt_A(g: Any, out: Any, A_shape: Any) -> Any:
    LU, pivots = out
    g, (m, n) = g[0], A_shape[-2:]
    k = min(m, n)
    L1, U1 = LU[..., :k, :k], LU[..., :k, :k]  # each triangular solver reads its own half
    gL, gU = slicing.tril(g[..., :k, :k], diagonal=-1), slicing.triu(g[..., :k, :k])
    unit = slicing.tril(L1, diagonal=-1) + identity_like(L1)
    upper = slicing.triu(U1)
    parts = []
    if m < n:  # A2 = L U2
        wide = linalg_solve_triangular(transpose_last(unit), g[..., :, k:], upper=True, unitriangular=True)
        gL = gL - wide @ transpose_last(LU[..., :, k:])
        parts = [wide]
    if m > n:  # A2 = L2 U
        tall = linalg_solve_triangular(transpose_last(upper), g[..., k:, :], upper=False, left=False)
        gU = gU - transpose_last(LU[..., k:, :]) @ tall
        parts = [tall]
    inner = slicing.tril(transpose_last(unit) @ gL, diagonal=-1) + slicing.triu(gU @ transpose_last(upper))
    inner = linalg_solve_triangular(transpose_last(unit), inner, upper=True, unitriangular=True)
    inner = linalg_solve_triangular(transpose_last(upper), inner, upper=False, left=False)
    full = slicing.cat([inner, *parts], dim=-1 if m < n else -2) if parts else inner
    return permutation(LU, pivots) @ full


@op(differentiable=False)
def permutation(LU: Any, pivots: Any) -> Any:
    """The permutation matrices P, with ``A = P @ L @ U``, that `pivots` describe; not differentiable."""
    m = LU.shape[-2]
    flat = pivots.reshape(math.prod(pivots.shape[:-1]), pivots.shape[-1]) - 1
    order = np.zeros((flat.shape[0], m), flat.dtype, like=flat)
    numbers = _arrays.xp_of(LU).arange(max(m, flat.shape[0]))
    order[...] = numbers[:m]
    batch = numbers[:flat.shape[0]]
    for k in range(flat.shape[1]):
        row = flat[:, k]
        order[batch, row], order[batch, k] = order[batch, k].copy(), order[batch, row].copy()
    P = np.zeros((flat.shape[0], m, m), LU.dtype, like=LU)
    P[batch[:, None], order, numbers[:m]] = 1
    return P.reshape(*LU.shape[:-2], m, m)


@op(differentiable=False)
def zero_pivot(LU: Any) -> Any:
    """For each packed factorization the place, counted from 1, of the first zero on U's diagonal, or 0."""
    zero = np.diagonal(LU, axis1=-2, axis2=-1) == 0
    first = np.where(zero, _arrays.xp_of(LU).arange(zero.shape[-1], 0, -1), 0)  # the first zero has the largest number
    return np.where(zero.any(axis=-1), zero.shape[-1] + 1 - (first.max(axis=-1) if zero.shape[-1] else 0), 0).astype(np.int32)


PackedLU = namedtuple("PackedLU", ["LU", "pivots"])
publish_results("lu", PackedLU)
PackedLUInfo = namedtuple("PackedLUInfo", ["LU", "pivots", "info"])
publish_results("lu_with_infos", PackedLUInfo)


@overload
def lu(A: Tensor, pivot: bool = True, get_infos: Literal[False] = False,
       out: Sequence[Tensor] | None = None) -> PackedLU: ...
@overload
def lu(A: Tensor, pivot: bool = True, *, get_infos: Literal[True], out: Sequence[Tensor] | None = None) -> PackedLUInfo: ...
def lu(A: Tensor, pivot: bool = True, get_infos: bool = False, out: Sequence[Tensor] | None = None) -> PackedLU | PackedLUInfo:
    """The packed LU factorization, its pivots and, with `get_infos`, the places of zero pivots."""
    LU, pivots = linalg_lu_factor(A, pivot=pivot)
    found = PackedLUInfo(LU, pivots, zero_pivot(LU)) if get_infos else PackedLU(LU, pivots)
    return serve_out("lu", found, out)


LUParts = namedtuple("LUParts", ["P", "L", "U"])
publish_results("lu_unpack", LUParts)
LinalgLU = namedtuple("LinalgLU", ["P", "L", "U"])
publish_results("linalg.lu", LinalgLU)


def lu_unpack(LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True, *,
              out: Sequence[Tensor] | None = None) -> LUParts:
    """The P, L and U that a packed factorization stands for; what is not asked for is left empty."""
    if LU_pivots.dtype != as_dtype("int32"):
        raise DtypeError(f"torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype, got "
                         f"{LU_pivots.dtype}")
    m, n = LU_data.shape[-2:]
    k = min(m, n)
    empty = shape.constant_full(LU_data, size=(0,))
    P = permutation(LU_data, LU_pivots) if unpack_pivots else empty
    if not unpack_data:
        return serve_out("lu_unpack", LUParts(P, empty, empty), out)
    below = slicing.tril(LU_data[..., :, :k], diagonal=-1)
    return serve_out("lu_unpack", LUParts(P, below + identity_like(below), slicing.triu(LU_data[..., :k, :])), out)


def linalg_lu(A: Tensor, *, pivot: bool = True, out: Sequence[Tensor] | None = None) -> LinalgLU:
    """``A = P @ L @ U`` with a permutation, a lower triangular L with ones on its diagonal and an upper triangular U."""
    LU, pivots = linalg_lu_factor(A, pivot=pivot)
    P, L, U = lu_unpack(LU, pivots)
    return serve_out("linalg.lu", LinalgLU(P if pivot else shape.constant_full(A, size=(0,)), L, U), out)


def linalg_lu_solve(LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False,
                    out: Tensor | None = None) -> Tensor:
    """The `X` of ``A @ X = B`` where `LU` and `pivots` are A's factors; `left`=False: of ``X @ A = B``; `adjoint`: with A.mH."""
    require_square_matrices(LU, "LU")
    if pivots.dtype != as_dtype("int32"):
        raise DtypeError(f"linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32, got {pivots.dtype}")
    if tuple(pivots.shape) != tuple(LU.shape[:-1]):
        raise ShapeError("linalg.lu_solve: Number of pivots per batch should be same as the dimension of the matrix, got "
                         f"pivots {list(pivots.shape)} for LU {list(LU.shape)}")
    require_matrices(B, "B")
    if B.shape[-2 if left else -1] != LU.shape[-1]:
        raise ShapeError(f"linalg.lu_solve: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
                         f"({LU.shape[-2]}x{LU.shape[-1]} and {B.shape[-2]}x{B.shape[-1]})")
    P = permutation(LU, pivots)
    if not left:  # X A = B is A^H X^H = B^H
        flipped = linalg_lu_solve(LU, pivots, arithmetic.conj(transpose_last(B)), adjoint=not adjoint)
        return serve_out("linalg.lu_solve", arithmetic.conj(transpose_last(flipped)), out)
    if adjoint:
        LUh = arithmetic.conj(transpose_last(LU))
        half = linalg_solve_triangular(LUh, B, upper=False)
        solved = matmul(P, linalg_solve_triangular(LUh, half, upper=True, unitriangular=True))
        return shape.in_layout("columns", solved, B) if out is None else arithmetic.mul(solved, 1, out=out)
    half = linalg_solve_triangular(LU, transpose_last(P) @ B, upper=False, unitriangular=True)
    return linalg_solve_triangular(LU, half, upper=True, out=out)


def lu_solve(b: Tensor, LU_data: Tensor, LU_pivots: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The `X` of ``A @ X = b`` where `LU_data` and `LU_pivots` are A's factors."""
    return linalg_lu_solve(LU_data, LU_pivots, b, out=out)


# ---------------------------------------------------------------------------------------------------- powers

@op(grad_name="LinalgMatrixExpBackward0")
def matrix_exp(input: Any) -> Any:
    """The exponential of square matrices: the sum of ``A**k / k!``.

    By scaling and squaring around a Padé approximant: Higham, 2005, The scaling and squaring method for the matrix exponential
    revisited. The derivative by the theorem of Najfeld and Havel, 1995: it is a corner of the exponential of a block matrix.
    """
    require_square_matrices(input, "input")
    if not input.size:
        return input.copy()
    norm = float(np.abs(input).sum(axis=-2).max())
    squarings = max(0, math.ceil(math.log2(norm / 5.371920351148152))) if math.isfinite(norm) and norm > 0 else 0
    A = input / 2.0**squarings
    b = [float(math.factorial(26 - k) // (math.factorial(13 - k) * math.factorial(k))) for k in range(14)]
    eye = identity_like(A)
    A2 = A @ A
    A4 = A2 @ A2
    A6 = A4 @ A2
    odd = A @ (A6 @ (b[13] * A6 + b[11] * A4 + b[9] * A2) + b[7] * A6 + b[5] * A4 + b[3] * A2 + b[1] * eye)
    even = A6 @ (b[12] * A6 + b[10] * A4 + b[8] * A2) + b[6] * A6 + b[4] * A4 + b[2] * A2 + b[0] * eye
    result = np.linalg.solve(even - odd, even + odd)
    for _ in range(squarings):
        result = result @ result
    return result.astype(input.dtype, copy=False)
@matrix_exp.derivative("input")
def matrix_exp_wrt_input(g: Any, input: Any) -> Any:
    n = g.shape[-1]
    flipped = transpose_last(input)
    upper = slicing.cat([flipped, g], dim=-1)
    lower = slicing.cat([flipped * 0, flipped], dim=-1)
    return matrix_exp(slicing.cat([upper, lower], dim=-2))[..., :n, n:]


def matrix_power(input: Tensor, n: int, *, out: Tensor | None = None) -> Tensor:
    """The `n`-th power of square matrices; a negative `n` takes powers of the inverse."""
    if input.ndim < 2 or input.shape[-1] != input.shape[-2]:
        require_square_matrices(input, "input") if input.dtype.kind in "fc" else refuse_nonsquare(input)
    given, result = input, None
    if n < 0:
        input, n = linalg_inv(input), -n
    while n:
        if n & 1:
            result = input if result is None else matmul(result, input)
        n >>= 1
        input = matmul(input, input) if n else input
    if result is None:
        result = identity_like(input) + input * 0
    elif result is given:
        result = copying.clone(given)
    return result if out is None else arithmetic.mul(result, 1, out=out)


def refuse_nonsquare(x: Any) -> None:
    raise ShapeError(f"matrix_power: input must be batches of square matrices, got shape {list(x.shape)}")


# ---------------------------------------------------------------------------------------------------- PyTorch's older names

TriangularSolve = namedtuple("TriangularSolve", ["solution", "cloned_coefficient"])
publish_results("triangular_solve", TriangularSolve)


def triangular_solve(b: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, unitriangular: bool = False, *,
                     out: Sequence[Tensor] | None = None) -> TriangularSolve:
    """The `X` of ``A @ X = b`` (`transpose`: of ``A.mT @ X = b``) for a triangular A, and a copy of A."""
    matrix, side = (transpose_last(A), not upper) if transpose else (A, upper)
    found = TriangularSolve(linalg_solve_triangular(matrix, b, upper=side, unitriangular=unitriangular), A * 1)
    return serve_out("triangular_solve", found, out)


inverse, det, slogdet, orgqr = linalg_inv, linalg_det, linalg_slogdet, linalg_householder_product


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """The pseudo-inverse; see :func:`linalg_pinv`."""
    return linalg_pinv(input, rtol=rcond)
