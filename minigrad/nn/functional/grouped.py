"""Products of groups of rows or columns, each with a matrix of its own: mixtures of experts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minigrad.errors import DtypeError, RuntimeValueError, ShapeError
from minigrad.ops.linear_algebra.products import bmm, mm
from minigrad.ops.shaping.slicing import cat, stack

if TYPE_CHECKING:
    from minigrad._tensor import Tensor
    from minigrad._types.dtypes import dtype

__all__ = ["grouped_mm"]


def grouped_mm(mat_a: Tensor, mat_b: Tensor, *, offs: Tensor | None = None, bias: None = None,
               out_dtype: dtype | None = None) -> Tensor:
    """The products of the groups of `mat_a` with those of `mat_b`.

    Args:
        mat_a, mat_b: of three dimensions, where the first counts the groups, or of two, of which `offs` cuts the one that they
            have in its place: (T, K) with (G, K, N) gives (T, N), (G, M, K) with (K, T) gives (M, T), (M, T) with (T, N) gives
            (G, M, N), (G, M, K) with (G, K, N) gives (G, M, N).
        offs: where each group ends, integers (G,) in ascending order; rows or columns after the last are 0 in the result.
        bias: None; PyTorch has not implemented it either.
        out_dtype: the dtype of `mat_a`, or None.

    >>> import minigrad as mg
    >>> tokens, experts = mg.ones(3, 2), mg.stack([mg.eye(2), 10 * mg.eye(2)])
    >>> mg.nn.functional.grouped_mm(tokens, experts, offs=mg.tensor([1, 3]))
    tensor([[ 1.,  1.],
            [10., 10.],
            [10., 10.]])
    """
    for name, mat in (("mat_a", mat_a), ("mat_b", mat_b)):
        if mat.ndim not in (2, 3):
            raise ShapeError(f"grouped_mm: {name} has to be 2 or 3d, got shape {list(mat.shape)}")
    if (offs is None) == (mat_a.ndim == 2 or mat_b.ndim == 2):
        raise RuntimeValueError("grouped_mm: Have to provide offsets if there is a 2d matrix, or no offset if both matrices are "
                                "3d")
    if offs is not None and (offs.ndim != 1 or offs.array.dtype.kind not in "iu"):
        raise RuntimeValueError(f"grouped_mm: offs has to be 1D and of integers, got shape {list(offs.shape)} of {offs.dtype}")
    if bias is not None:
        raise RuntimeValueError("grouped_mm: Bias not supported yet; add it to the result")
    if out_dtype not in (None, mat_a.dtype):
        raise DtypeError(f"grouped_mm: output dtype must match `mat_a` dtype, {mat_a.dtype}, got {out_dtype}")
    if mat_a.shape[-1] != mat_b.shape[-2]:
        raise ShapeError(f"grouped_mm: contraction dimension of mat_a and mat_b must match, got {list(mat_a.shape)} and "
                         f"{list(mat_b.shape)}")
    groups = next((mat.shape[0] for mat in (mat_a, mat_b) if mat.ndim == 3), None)
    found = [n for n in (mat_b.shape[0] if mat_b.ndim == 3 else None, None if offs is None else len(offs)) if n is not None]
    if groups is not None and any([n != groups for n in found]):
        raise ShapeError(f"grouped_mm: matrix batch sizes have to match, got {[groups, *found]}")
    if offs is None:
        return bmm(mat_a, mat_b)
    ends: list[int] = offs.tolist()
    spans = [slice(start, end) for start, end in zip([0, *ends], ends)]
    if mat_a.ndim == mat_b.ndim == 2:
        return stack([mm(mat_a[:, span], mat_b[span]) for span in spans])
    if mat_a.ndim == 2:
        parts = [mm(mat_a[span], b) for span, b in zip(spans, mat_b)]
        return cat([*parts, mat_a.new_zeros(mat_a.shape[0] - ends[-1], mat_b.shape[-1])])
    parts = [mm(a, mat_b[:, span]) for a, span in zip(mat_a, spans)]
    return cat([*parts, mat_a.new_zeros(mat_a.shape[-2], mat_b.shape[-1] - ends[-1])], dim=1)
