"""PyTorch's ``linalg``: decompositions, systems of equations, norms and products of matrices.

Everything takes batches: matrices lie in the last two dimensions. The operations and their derivatives are in
:mod:`minigrad.ops.linear_algebra.products` and :mod:`minigrad.ops.linear_algebra.decomposition`; what is composed of them is
here.
"""

from __future__ import annotations

import builtins
import math
from collections import namedtuple
from typing import TYPE_CHECKING, Any

from minigrad._types.dtypes import as_dtype
from minigrad._types.named_results import publish_results
from minigrad.errors import DtypeError, LinAlgError, RuntimeValueError, ShapeError
from minigrad.ops.linear_algebra import decomposition, products
from minigrad.ops.linear_algebra.decomposition import linalg_eigvals as eigvals
from minigrad.ops.linear_algebra.decomposition import linalg_eigvalsh as eigvalsh
from minigrad.ops.linear_algebra.decomposition import linalg_householder_product as householder_product
from minigrad.ops.linear_algebra.decomposition import linalg_lu as lu
from minigrad.ops.linear_algebra.decomposition import linalg_lu_solve as lu_solve
from minigrad.ops.linear_algebra.decomposition import linalg_solve as solve
from minigrad.ops.linear_algebra.decomposition import linalg_svdvals as svdvals
from minigrad.ops.linear_algebra.decomposition import matrix_power
from minigrad.ops.linear_algebra.products import multi_dot
from minigrad.ops.pointwise import arithmetic, comparison
from minigrad.ops.reducing import reduction
from minigrad.ops.shaping import shape, slicing
from minigrad.recording.argument_errors import refuse_grad
from minigrad.recording.boundary import publish as _publish
from minigrad.recording.device_guard import on_device_of_inputs
from minigrad.recording.inplace import serve_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from minigrad._types.annotations import IntOrInts, Tensor
    from minigrad._types.dtypes import dtype
    from minigrad.ops.signatures import linalg_cholesky as cholesky
    from minigrad.ops.signatures import linalg_det as det
    from minigrad.ops.signatures import linalg_eig as eig
    from minigrad.ops.signatures import linalg_eigh as eigh
    from minigrad.ops.signatures import linalg_inv as inv
    from minigrad.ops.signatures import linalg_ldl_factor as ldl_factor
    from minigrad.ops.signatures import linalg_ldl_solve as ldl_solve
    from minigrad.ops.signatures import linalg_lu_factor as lu_factor
    from minigrad.ops.signatures import linalg_qr as qr
    from minigrad.ops.signatures import linalg_slogdet as slogdet
    from minigrad.ops.signatures import linalg_solve_triangular as solve_triangular
    from minigrad.ops.signatures import linalg_svd as svd
    from minigrad.ops.signatures import matmul, matrix_exp, vector_norm
else:
    from minigrad.ops.linear_algebra.decomposition import linalg_cholesky as cholesky
    from minigrad.ops.linear_algebra.decomposition import linalg_det as det
    from minigrad.ops.linear_algebra.decomposition import linalg_eig as eig
    from minigrad.ops.linear_algebra.decomposition import linalg_eigh as eigh
    from minigrad.ops.linear_algebra.decomposition import linalg_inv as inv
    from minigrad.ops.linear_algebra.decomposition import linalg_lu_factor as lu_factor
    from minigrad.ops.linear_algebra.decomposition import linalg_qr as qr
    from minigrad.ops.linear_algebra.decomposition import linalg_slogdet as slogdet
    from minigrad.ops.linear_algebra.decomposition import linalg_solve_triangular as solve_triangular
    from minigrad.ops.linear_algebra.decomposition import linalg_svd as svd
    from minigrad.ops.linear_algebra.decomposition import matrix_exp
    from minigrad.ops.linear_algebra.ldl import linalg_ldl_factor as ldl_factor
    from minigrad.ops.linear_algebra.ldl import linalg_ldl_solve as ldl_solve
    from minigrad.ops.linear_algebra.products import matmul
    from minigrad.ops.reducing.reduction import vector_norm

__all__ = ["LinAlgError", "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh",
           "householder_product", "inv", "inv_ex", "ldl_factor", "ldl_factor_ex", "ldl_solve", "lstsq", "lu", "lu_factor",
           "lu_factor_ex", "lu_solve", "matmul", "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm",
           "pinv", "qr", "slogdet", "solve", "solve_ex", "solve_triangular", "svd", "svdvals", "tensorinv", "tensorsolve",
           "vander", "vecdot", "vector_norm"]


# ---------------------------------------------------------------------------------------------------- products

def cross(input: Tensor, other: Tensor, *, dim: int = -1, out: Tensor | None = None) -> Tensor:
    """Cross product of vectors of three components that lie along `dim`."""
    return products.vector_cross(input, other, dim=dim, out=out)


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1, out: Tensor | None = None) -> Tensor:
    """Sum of ``conj(x) * y`` along `dim`; other dimensions are broadcast."""
    return reduction.sum(arithmetic.conj(x) * y, dim=dim, out=out)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonals of matrices."""
    return slicing.diagonal(A, offset=offset, dim1=dim1, dim2=dim2)


def vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """The powers 0 to `N` - 1 (by default as many as there are elements) of each element of vectors, as rows."""
    if x.ndim < 1 and N is None:
        raise ShapeError("linalg.vander: Expected dim of input tensor to be at least 1, or N to be given")
    count = x.shape[-1] if N is None else N
    if count <= 1:
        raise RuntimeValueError(f"linalg.vander: N must be greater than 1. Got {count}")
    return products.powers(x if x.ndim else x[None], count)


# ---------------------------------------------------------------------------------------------------- norms

def matrix_norm(A: Tensor, ord: float | str = "fro", dim: Sequence[int] = (-2, -1), keepdim: bool = False, *,
                dtype: dtype | None = None, out: Tensor | None = None) -> Tensor:
    """A norm of the matrices in the two dimensions `dim`.

    `ord`: ``"fro"``, the root of the sum of squares; ``"nuc"``, the sum of singular values; 2 and -2, the largest and smallest
    of them; 1 and -1, the largest and smallest sum of a column's absolute values; inf and -inf, the same of rows.
    """
    if A.ndim < 2:
        raise ShapeError(f"linalg.matrix_norm: The input tensor A must have at least 2 dimensions, got shape {list(A.shape)}")
    if A.dtype.kind not in "fc":
        raise DtypeError(f"linalg.matrix_norm: Expected a floating point or complex tensor as input. Got {A.dtype}")
    if not isinstance(dim, (tuple, list)) or len(dim) != 2:
        raise ShapeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {dim}")
    row, column = (shape.wrap_dim(d, A.ndim) for d in dim)
    if row == column:
        raise ShapeError(f"linalg.matrix_norm: dims must be different. Got ({dim[0]}, {dim[1]})")
    A = A if dtype is None else arithmetic.cast(A, dtype=as_dtype(dtype))
    if ord in ("fro", "nuc", 2, -2):
        if ord == "fro":
            return vector_norm(A, 2, (row, column), keepdim, out=out)
        values = svdvals(shape.movedim(A, (row, column), (-2, -1)))
        result = (reduction.sum(values, dim=-1) if ord == "nuc" else
                  reduction.amin(values, dim=-1) if ord == -2 else
                  reduction.amax(values, dim=-1) if values.shape[-1] else reduction.sum(values, dim=-1))
        if keepdim:
            result = shape.reshape(result, shape=reduction.kept_shape(A.shape, (row, column)))
    elif ord in (1, -1, math.inf, -math.inf):
        summed, chosen = (row, column) if builtins.abs(ord) == 1 else (column, row)
        sums = reduction.sum(arithmetic.abs(A), dim=summed, keepdim=True)
        largest = reduction.amax if sums.shape[chosen] else reduction.sum  # of nothing it is 0
        result = (largest if ord > 0 else reduction.amin)(sums, dim=chosen, keepdim=True)
        result = result if keepdim else shape.squeeze(result, dim=(row, column))
    else:
        raise RuntimeValueError(f"linalg.matrix_norm: Order {ord} not supported; it can be 'fro', 'nuc', 1, -1, 2, -2, inf or "
                                "-inf")
    return serve_out("linalg.matrix_norm", result, out)


def norm(A: Tensor, ord: float | str | None = None, dim: IntOrInts | None = None, keepdim: bool = False, *,
         out: Tensor | None = None, dtype: dtype | None = None) -> Tensor:
    """A vector norm (:func:`vector_norm`) or matrix norm (:func:`matrix_norm`), by the number of dimensions in `dim`.

    Without `ord` the root of the sum of squares over `dim`; without `dim` a vector's or a matrix's norm of that order.
    """
    if dim is None and ord is not None and A.ndim not in (1, 2):
        raise ShapeError(f"linalg.norm: If ord is specified, then the input must be 1D or 2D. Got {A.ndim}D.")
    if dim is not None and not isinstance(dim, int) and len(dim) not in (1, 2) and ord is not None:
        raise ShapeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dim)}")
    if ord is not None and (dim is None and A.ndim == 2 or dim is not None and not isinstance(dim, int) and len(dim) == 2):
        return matrix_norm(A, ord, (0, 1) if dim is None else dim, keepdim, dtype=dtype, out=out)
    if isinstance(ord, str):
        raise RuntimeValueError(f"linalg.norm: Order '{ord}' is for matrices, but dim has "
                                f"{1 if isinstance(dim, int) or dim else A.ndim} dimension")
    return vector_norm(A, 2 if ord is None else ord, dim, keepdim, dtype=dtype, out=out)


@on_device_of_inputs
def cond(A: Tensor, p: float | str | None = None, *, out: Tensor | None = None) -> Tensor:
    """The condition number ``norm(A, p) * norm(inv(A), p)``; for 2 (the default) and -2 a ratio of singular values.

    It is inf for a singular matrix.
    """
    decomposition.require_matrices(A)
    if p in (None, 2, -2):
        values = svdvals(A)
        if not values.shape[-1]:
            return reduction.sum(values, dim=-1, out=out)
        ends = (values[..., 0], values[..., -1])
        result = ends[0] / ends[1] if p != -2 else ends[1] / ends[0]
        return serve_out("linalg.cond", result, out)
    if isinstance(p, str) and p not in ("fro", "nuc"):
        raise RuntimeValueError(f"linalg.cond: got an invalid norm type: {p}")
    if not isinstance(p, str) and builtins.abs(p) not in (1, 2, math.inf):
        raise RuntimeValueError(f"linalg.cond: got an invalid norm type: {p}")
    decomposition.require_square_matrices(A)
    if not A.shape[-1]:
        return matrix_norm(A, "fro", out=out)
    inverse, info = inv_ex(A)
    result = matrix_norm(A, p) * matrix_norm(inverse, p)
    singular = info.array != 0
    result = comparison.where(info != 0, math.inf, result) if singular.any() else result
    return serve_out("linalg.cond", result, out)


# ---------------------------------------------------------------------------------------------------- without errors

InvEx = namedtuple("InvEx", ["inverse", "info"])
publish_results("linalg.inv_ex", InvEx)
SolveEx = namedtuple("SolveEx", ["result", "info"])
publish_results("linalg.solve_ex", SolveEx)
CholeskyEx = namedtuple("CholeskyEx", ["L", "info"])
publish_results("linalg.cholesky_ex", CholeskyEx)
LUFactorEx = namedtuple("LUFactorEx", ["LU", "pivots", "info"])
publish_results("linalg.lu_factor_ex", LUFactorEx)


@on_device_of_inputs
def _replace_singular(A: Any, info: Any) -> Any:
    """`A` with identity matrices in the place of those that `info` calls singular."""
    bad = (info.array != 0)[..., None, None]
    return comparison.where(shape.reshape(info != 0, shape=bad.shape), decomposition.identity_like(A), A) if bad.any() else A


def inv_ex(A: Tensor, *, check_errors: bool = False, out: Sequence[Tensor] | None = None) -> InvEx:
    """The inverse, and for each matrix 0 or, instead of an error, the row at which it proved singular."""
    if check_errors:
        inv(A)
    info = decomposition.factor_info(A, kind="inv")
    return serve_out("linalg.inv_ex", InvEx(inv(_replace_singular(A, info)), info), out)


def solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False,
             out: Sequence[Tensor] | None = None) -> SolveEx:
    """The solution of :func:`solve`, and for each matrix 0 or, instead of an error, the row at which it proved singular."""
    if check_errors:
        solve(A, B, left=left)
    info = decomposition.factor_info(A, kind="inv")
    return serve_out("linalg.solve_ex", SolveEx(solve(_replace_singular(A, info), B, left=left), info), out)


def cholesky_ex(A: Tensor, *, upper: bool = False, check_errors: bool = False, out: Sequence[Tensor] | None = None) -> CholeskyEx:
    """The Cholesky factor, and for each matrix 0 or, instead of an error, the order of the minor that is not positive."""
    if check_errors:
        cholesky(A, upper=upper)
    info = decomposition.factor_info(decomposition.adjoint(A) if upper else A, kind="cholesky")
    return serve_out("linalg.cholesky_ex", CholeskyEx(cholesky(_replace_singular(A, info), upper=upper), info), out)


@on_device_of_inputs
def lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False, out: Sequence[Tensor] | None = None) -> LUFactorEx:
    """The packed LU factorization, and for each matrix 0 or the first zero on U's diagonal."""
    LU, pivots = lu_factor(A, pivot=pivot)
    info = decomposition.zero_pivot(LU)
    if check_errors and bool(info.any()):
        raise LinAlgError(f"linalg.lu_factor_ex: (Batch element): U[{info.array.max()},{info.array.max()}] is zero and using "
                          "it on lu_solve would result in a division by zero")
    return serve_out("linalg.lu_factor_ex", LUFactorEx(LU, pivots, info), out)


LDLFactorEx = namedtuple("LDLFactorEx", ["LD", "pivots", "info"])
publish_results("linalg.ldl_factor_ex", LDLFactorEx)


@on_device_of_inputs
def ldl_factor_ex(A: Tensor, *, hermitian: bool = False, check_errors: bool = False,
                  out: Sequence[Tensor] | None = None) -> LDLFactorEx:
    """:func:`ldl_factor`, and for each matrix 0 or the first zero on the diagonal of D."""
    LD, pivots = ldl_factor(A, hermitian=hermitian)
    info = decomposition.zero_pivot(LD) * (pivots > 0).all(-1).int()
    if check_errors and bool(info.any()):
        raise LinAlgError(f"linalg.ldl_factor_ex: D[{info.array.max()},{info.array.max()}] is zero")
    return serve_out("linalg.ldl_factor_ex", LDLFactorEx(LD, pivots, info), out)


# ---------------------------------------------------------------------------------------------------- pseudo-inverses

def _threshold(name: str, A: Any, value: Any) -> Any:
    """A tolerance, a number or a real tensor, as the decomposition takes it."""
    if value is None or isinstance(value, (int, float)):
        return value
    if value.dtype.kind == "c":
        raise DtypeError(f"{name} tensor of complex type is not supported. Got {value.dtype}")
    return value.array


def pinv(A: Tensor, rcond: float | Tensor | None = None, hermitian: bool = False, *, atol: float | Tensor | None = None,
         rtol: float | Tensor | None = None, out: Tensor | None = None) -> Tensor:
    """The Moore-Penrose pseudo-inverse of ``(*, m, n)``: ``(*, n, m)``.

    Singular values up to ``max(atol, rtol * largest)`` count as 0; `rtol` is eps * max(m, n) unless `atol` is given.
    `rcond` is an older name of `rtol`.
    """
    rtol = rcond if rtol is None else rtol
    refuse_grad("linalg.pinv", atol=atol, rtol=rtol)
    return decomposition.linalg_pinv(A, atol=_threshold("linalg.pinv: atol", A, atol),
                                     rtol=_threshold("linalg.pinv: rtol", A, rtol), hermitian=hermitian, out=out)


def matrix_rank(A: Tensor, tol: float | Tensor | None = None, hermitian: bool = False, *, atol: float | Tensor | None = None,
                rtol: float | Tensor | None = None, out: Tensor | None = None) -> Tensor:
    """The number of singular values above ``max(atol, rtol * largest)``; `tol` is an older name of `atol`."""
    if tol is not None:
        atol, rtol = tol, 0.0
    return decomposition.linalg_matrix_rank(A, atol=_threshold("linalg.matrix_rank: atol", A, atol),
                                             rtol=_threshold("linalg.matrix_rank: rtol", A, rtol), hermitian=hermitian, out=out)


Lstsq = namedtuple("Lstsq", ["solution", "residuals", "rank", "singular_values"])
publish_results("linalg.lstsq", Lstsq)


@on_device_of_inputs
def lstsq(A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None,
          out: Sequence[Tensor] | None = None) -> Lstsq:
    """The `X` for which ``A @ X`` is nearest to `B`, of least norm where several are.

    Shapes: A ``(*, m, n)``, B ``(*, m, k)`` or a vector ``(m,)`` / ``(*, m)``. Also returns the squared residuals of the columns
    (empty unless m > n and all ranks are n), the ranks and the singular values (both empty unless the driver computes them).
    """
    decomposition.require_matrices(A)
    if B.dtype != A.dtype:
        raise DtypeError(f"linalg.lstsq: Expected input and other to have the same dtype, but got {A.dtype} and {B.dtype}")
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeValueError(f"linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss), got {driver}")
    if B.ndim < 1:
        raise ShapeError("linalg.lstsq: input `other` must have at least 1 dimension")
    m, n = A.shape[-2:]
    vector = B.ndim == A.ndim - 1
    if B.shape[-1 if vector else -2] != m:
        raise ShapeError(f"linalg.lstsq: input.size(-2) should match other.size(-{1 if vector else 2}), got {list(A.shape)} "
                         f"and {list(B.shape)}")
    B = B[..., None] if vector else B
    X = shape.in_layout("columns", matmul(pinv(A, rtol=rcond), B), B)
    full_rank = matrix_rank(A, rtol=rcond)
    residuals = shape.reshape(decomposition.real(X), shape=(-1,))[:0]
    if m > n and driver != "gelsy" and bool((full_rank == n).all()):
        off = matmul(A, X) - B
        residuals = reduction.sum(arithmetic.square(arithmetic.abs(off)), dim=-2)
    driver = driver or "gelsy"
    rank = shape.constant_full(full_rank, size=(0,)) if driver == "gels" else full_rank
    values = svdvals(A) if driver in ("gelsd", "gelss") else shape.constant_full(arithmetic.abs(X), size=(0,))
    return serve_out("linalg.lstsq", Lstsq(X[..., 0] if vector else X, residuals, rank, values), out)


# ---------------------------------------------------------------------------------------------------- tensors as matrices

def tensorinv(A: Tensor, ind: int = 2, *, out: Tensor | None = None) -> Tensor:
    """The inverse of `A` as a map from its last dimensions to its first `ind` ones, for :func:`minigrad.tensordot`."""
    if ind <= 0:
        raise RuntimeValueError(f"Expected a strictly positive integer for 'ind', got {ind}")
    first, last = tuple(A.shape[:ind]), tuple(A.shape[ind:])
    if math.prod(first) != math.prod(last):
        raise ShapeError(f"Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got "
                         f"{math.prod(last)} != {math.prod(first)}")
    result = inv(shape.reshape(A, shape=(math.prod(first), math.prod(last))))
    return serve_out("linalg.tensorinv", shape.reshape(result, shape=last + first), out)


def tensorsolve(A: Tensor, B: Tensor, dims: Sequence[int] | None = None, *, out: Tensor | None = None) -> Tensor:
    """The `X` with ``tensordot(A, X, X.ndim) == B``; the dimensions `dims` of A are moved to its end first."""
    if dims is not None:
        A = shape.movedim(A, tuple(dims), tuple(range(A.ndim - len(dims), A.ndim)))
    result = tuple(A.shape[B.ndim:])
    if math.prod(result) != math.prod(B.shape):
        raise ShapeError("Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
                         f"prod(self.shape[:other.ndim]), but got {math.prod(result)} != {math.prod(B.shape)}")
    X = solve(shape.reshape(A, shape=(math.prod(B.shape), math.prod(result))), shape.reshape(B, shape=(math.prod(B.shape),)))
    return serve_out("linalg.tensorsolve", shape.reshape(X, shape=result), out)

_publish(globals())
