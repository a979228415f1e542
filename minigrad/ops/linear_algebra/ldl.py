"""The factorization of symmetric (or Hermitian) matrices that need not be definite. As in PyTorch the factors have no derivative.

Source: Bunch and Kaufman, 1977, Some stable methods for calculating inertia and solving symmetric linear systems; in the
packed form of LAPACK's ``sytf2``: pivots are counted from 1, and two equal negative ones mark a block of two.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import _arrays
from minigrad.errors import DtypeError, ShapeError
from minigrad.ops.linear_algebra.decomposition import require_square_matrices
from minigrad.ops.linear_algebra.products import unbroadcast
from minigrad.ops.pointwise.arithmetic import conj
from minigrad.recording.op import op

__all__: list[str] = []

ALPHA = (1 + math.sqrt(17)) / 8  # bounds the growth of the elements


@op(outputs=("LD", "pivots"), constant=("A",), layout="columns", called="linalg.ldl_factor")
def linalg_ldl_factor(A: Any, *, hermitian: bool = False) -> Any:
    """``A = L @ D @ L.mT`` (with `hermitian`, ``L.mH``) up to a permutation; D has blocks of one or two.

    Reads the lower triangle.
    """
    require_square_matrices(A)
    n = A.shape[-1]
    LD = np.tril(_arrays.to_numpy(A))
    flat = LD.reshape(math.prod(A.shape[:-2]), n, n)
    pivots = np.zeros((flat.shape[0], n), dtype=np.int32)
    for a, p in zip(flat, pivots):
        factor(a, p, hermitian)
    device = _arrays.device_of(A)
    return _arrays.to_device(LD, device), _arrays.to_device(pivots.reshape(A.shape[:-1]), device)


def size(x: Any) -> Any:
    """LAPACK's measure of a complex number."""
    return np.abs(x.real) + np.abs(x.imag)


def factor(a: Any, pivots: Any, hermitian: bool) -> None:
    """Factorize the lower triangle `a` in place."""
    n, k = a.shape[0], 0
    flip = np.conjugate if hermitian else lambda x: x
    while k < n:
        place, width = choose_pivot(a, k)
        last = k + width - 1
        if place != last:
            swap_lower(a, last, place, flip)
            if width == 2:
                a[k + 1, k], a[place, k] = a[place, k], a[k + 1, k]
        block, below = a[k:k + width, k:k + width], a[k + width:, k:k + width]
        full = block + flip(np.tril(block, -1)).T
        if below.size and (width == 2 or full[0, 0] != 0):
            scaled = np.linalg.solve(full.T, below.T).T
            a[k + width:, k + width:] -= np.tril(below @ flip(scaled).T)
            below[...] = scaled
        pivots[k:k + width] = place + 1 if width == 1 else -(place + 1)
        k += width


def choose_pivot(a: Any, k: int) -> tuple[int, int]:
    """The row to bring to the front, and whether it makes a block of size one or two."""
    column = size(a[k + 1:, k])
    here = size(a[k, k])
    if not column.size or not max(here, column.max()) or here >= ALPHA * column.max():
        return k, 1
    i = k + 1 + int(column.argmax())
    largest = max(size(a[i, k:i]).max(), size(a[i + 1:, i]).max(initial=0))
    if here >= ALPHA * column.max() * (column.max() / largest):
        return k, 1
    return i, 1 if size(a[i, i]) >= ALPHA * largest else 2


def swap_lower(a: Any, i: int, j: int, flip: Any) -> None:
    """Exchange rows and columns i < j of a symmetric matrix of which the lower triangle from column i on is kept."""
    a[j + 1:, [i, j]] = a[j + 1:, [j, i]]
    a[i + 1:j, i], a[j, i + 1:j] = flip(a[j, i + 1:j]).copy(), flip(a[i + 1:j, i]).copy()
    a[i, i], a[j, j] = a[j, j], a[i, i]
    a[j, i] = flip(a[j, i])


@op(discrete=("pivots",), constant=("LD",), layout="columns", called="linalg.ldl_solve")
def linalg_ldl_solve(LD: Any, pivots: Any, B: Any, *, hermitian: bool = False) -> Any:
    """The `X` of ``A @ X = B`` where `LD` and `pivots` are A's factors."""
    require_square_matrices(LD, "LD")
    if pivots.dtype.kind != "i":
        raise DtypeError(f"Expected pivots to be integers. Got {pivots.dtype}")
    if pivots.shape != LD.shape[:-1]:
        raise ShapeError(f"Expected LD.shape[:-1] and pivots.shape to be the same, but got {list(LD.shape[:-1])} and "
                         f"{list(pivots.shape)}")
    if B.ndim < 2 or B.shape[-2] != LD.shape[-1]:
        raise ShapeError(f"Expected B to have at least 2 dimensions and {LD.shape[-1]} rows, but got shape {list(B.shape)}")
    n = LD.shape[-1]
    host, places = _arrays.to_numpy(LD), _arrays.to_numpy(pivots)
    A = np.empty(host.shape, dtype=host.dtype)
    for at in np.ndindex(*LD.shape[:-2]):
        A[at] = reconstruct(host[at], places[at], hermitian, n)
    return np.linalg.solve(_arrays.to_device(A, _arrays.device_of(LD)), B)
@linalg_ldl_solve.derivative("B")
def linalg_ldl_solve_wrt_B(g: Any, LD: Any, pivots: Any, B_shape: Any, hermitian: Any) -> Any:
    # The transpose of a symmetric matrix is itself, that of a Hermitian one its conjugate.
    return unbroadcast(linalg_ldl_solve(conj(LD) if hermitian else LD, pivots, g, hermitian=hermitian), B_shape)


def reconstruct(a: Any, pivots: Any, hermitian: bool, n: int) -> Any:
    """The matrix whose factors are packed in `a` and `pivots`."""
    flip = np.conjugate if hermitian else lambda x: x
    L, D, k = np.eye(n, dtype=a.dtype), np.zeros_like(a), 0
    while k < n:
        width = 1 if pivots[k] > 0 else 2
        last, place = k + width - 1, abs(int(pivots[k])) - 1
        L[:, [last, place]] = L[:, [place, last]]
        L[:, k:k + width] += L[:, k + width:] @ a[k + width:, k:k + width]
        D[k:k + width, k:k + width] = np.tril(a[k:k + width, k:k + width]) + flip(np.tril(a[k:k + width, k:k + width], -1)).T
        k += width
    return L @ D @ flip(L).T
