"""Operations that select or arrange elements by their order: extremes along a dimension, sort, medians, distinct values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from minigrad import _arrays
from minigrad._types import dtypes
from minigrad._types.named_results import named_results
from minigrad._types.tensor_base import TensorBase
from minigrad.errors import DtypeError, RuntimeValueError, ShapeError
from minigrad.ops.indexing.indexing import select_rows
from minigrad.ops.indexing.scatter import gather_at
from minigrad.ops.pointwise import comparison
from minigrad.ops.pointwise.arithmetic import cast, require_real
from minigrad.ops.reducing import reduction
from minigrad.ops.reducing.reduction import (
    keep_dims,
    numpy_names,
    recurrence,
    refuse_empty,
    scan_pairwise,
    share_among_ties,
    shift,
)
from minigrad.ops.shaping.shape import reshape, wrap_dim
from minigrad.recording.call import constant
from minigrad.recording.device_guard import on_device_of_inputs
from minigrad.recording.inplace import serve_out
from minigrad.recording.op import op

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from minigrad._types.annotations import Number, Tensor
    from minigrad.ops.signatures import ValuesIndices

__all__ = ["argsort", "bucketize", "cummax", "cummin", "kthvalue", "max", "median", "min", "mode", "msort", "nanmedian",
           "searchsorted", "sort", "topk", "unique", "unique_consecutive"]


# ---------------------------------------------------------------------------------------------------- selecting along a dimension

@op(discrete=("index",))
def place(input: Any, index: Any, *, dim: Any, shape: Any) -> Any:
    """Zeros of `shape` with `input` at the places `index` along `dim`, each of which is named once.

    The adjoint of :func:`~minigrad.ops.indexing.scatter.gather_at` for such places, and faster than adding.
    """
    if not shape:
        return input.copy()
    out = np.zeros(shape, input.dtype, like=input)
    np.put_along_axis(out, index, input, axis=dim)
    return out
@place.derivative("input")
def place_wrt_input(g: Any, index: Any, dim: Any) -> Any: return gather_at(g, index, dim=dim)


def select_along(x: Any, index: Any, axis: int, keepdim: bool) -> tuple[Any, Any]:
    """One element of each slice along `axis`, and its index. `index` has size 1 in that dimension."""
    if x.ndim == 0:
        return x.copy(), np.zeros_like(x, dtype=np.int64)
    values = np.take_along_axis(x, index, axis=axis)
    return (values, index) if keepdim else (values.squeeze(axis), index.squeeze(axis))


def select_along_wrt_input(g: Any, indices: Any, input_shape: Any, dim: Any) -> Any:
    """The gradient of an operation that selects one element of each slice along `dim`."""
    return place(keep_dims(g[0], input_shape, dim), keep_dims(indices, input_shape, dim), dim=dim, shape=input_shape)


@op(outputs=("values", "indices"), layout="contiguous", grad_name="MaxBackward0", called="max")
def max_dim(input: Any, *, dim: int, keepdim: bool = False) -> Any:
    """Largest element along `dim`, and its index: the first of those that tie. NaN is the largest of all."""
    return extreme("max", np.argmax, input, dim, keepdim)
max_dim.derivative("input")(select_along_wrt_input)


@op(outputs=("values", "indices"), layout="contiguous", grad_name="MinBackward0", called="min")
def min_dim(input: Any, *, dim: int, keepdim: bool = False) -> Any:
    """Smallest element along `dim`, and its index: the first of those that tie. NaN is the smallest of all."""
    return extreme("min", np.argmin, input, dim, keepdim)
min_dim.derivative("input")(select_along_wrt_input)


def extreme(name: str, choose: Any, x: Any, dim: Any, keepdim: bool) -> tuple[Any, Any]:
    require_real(name, x)
    axis = wrap_dim(dim, x.ndim)
    refuse_empty(name, x.shape, dim)
    return select_along(x, choose(x, axis=axis, keepdims=True) if x.ndim else None, axis, keepdim)


@overload
def max(input: Tensor, *, out: Tensor | None = None) -> Tensor: ...
@overload
def max(input: Tensor, dim: int, keepdim: bool = False, *, out: Sequence[Tensor] | None = None) -> ValuesIndices: ...
@overload
def max(input: Tensor, dim: Tensor, *, out: Tensor | None = None) -> Tensor: ...
@overload
def max(input: Tensor, *, other: Tensor, out: Tensor | None = None) -> Tensor: ...
@numpy_names
def max(input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False, *, other: Tensor | None = None,
        out: Tensor | Sequence[Tensor] | None = None) -> Tensor | ValuesIndices:
    """The largest element; with `dim`, the named tuple (values, indices) along it; with a tensor, the elementwise maximum.

    Elements that tie for the largest of all share the gradient evenly; along a dimension, the one whose index is returned
    has it.

    >>> import minigrad
    >>> minigrad.tensor([[1., 5.], [7., 3.]]).max(dim=1).indices
    tensor([1, 0])
    """
    if other is not None or isinstance(dim, TensorBase):
        return comparison.maximum(input, dim if other is None else other, out=out)
    if dim is not None:
        found: ValuesIndices = max_dim(input, dim, keepdim, out=out)
        return found
    if 0 in input.shape:
        refuse_empty("max", input.shape, None)
    return reduction.amax(input, out=out)


@overload
def min(input: Tensor, *, out: Tensor | None = None) -> Tensor: ...
@overload
def min(input: Tensor, dim: int, keepdim: bool = False, *, out: Sequence[Tensor] | None = None) -> ValuesIndices: ...
@overload
def min(input: Tensor, dim: Tensor, *, out: Tensor | None = None) -> Tensor: ...
@overload
def min(input: Tensor, *, other: Tensor, out: Tensor | None = None) -> Tensor: ...
@numpy_names
def min(input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False, *, other: Tensor | None = None,
        out: Tensor | Sequence[Tensor] | None = None) -> Tensor | ValuesIndices:
    """The smallest element; with `dim`, the named tuple (values, indices) along it; with a tensor, the elementwise minimum.

    Ties are treated as in :func:`max`.
    """
    if other is not None or isinstance(dim, TensorBase):
        return comparison.minimum(input, dim if other is None else other, out=out)
    if dim is not None:
        found: ValuesIndices = min_dim(input, dim, keepdim, out=out)
        return found
    if 0 in input.shape:
        refuse_empty("min", input.shape, None)
    return reduction.amin(input, out=out)


# ---------------------------------------------------------------------------------------------------- sorting

def order(x: Any, axis: int, descending: bool = False) -> Any:
    """The indices that sort `x`. Stable, also when descending; NaN counts as the largest."""
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    return x.shape[axis] - 1 - np.flip(np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)


@op(outputs=("values", "indices"), layout="like_input")
def sort(input: Any, *, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """The elements in order along `dim`, and where each was: a named tuple (values, indices).

    The order of equal elements is always kept, whether `stable` asks for it or not. NaN counts as the largest.
    """
    require_real("sort", input)
    axis = wrap_dim(dim, input.ndim)
    if input.ndim == 0:
        return select_along(input, None, 0, False)
    index = order(input, axis, descending)
    return np.take_along_axis(input, index, axis=axis), index
@sort.derivative("input")
def sort_wrt_input(g: Any, indices: Any, input_shape: Any, dim: Any) -> Any:
    return place(g[0], indices, dim=dim, shape=input_shape)


@numpy_names
def argsort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False,
            out: Tensor | None = None) -> Tensor:
    """The indices that sort `input` along `dim`; see :func:`sort`."""
    found: ValuesIndices = sort(input, dim, descending, stable)
    return serve_out("argsort", found.indices, out)


def msort(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """`input` sorted along its first dimension."""
    found: ValuesIndices = sort(input, 0)
    return serve_out("msort", found.values, out)


@op(outputs=("values", "indices"), layout="contiguous")
def topk(input: Any, *, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The `k` largest elements along `dim` (the smallest if not `largest`), in order, and their indices."""
    require_real("topk", input)
    axis = wrap_dim(dim, input.ndim)
    if not 0 <= k <= (input.shape[axis] if input.ndim else 1):
        raise RuntimeValueError(f"selected index k out of range: k={k} for dimension {dim} of an input of shape "
                                f"{list(input.shape)}")
    if input.ndim == 0:
        values, index = select_along(input, None, 0, False)
        return (values, index) if k else (values.reshape(1)[:0], index.reshape(1)[:0])
    n = input.shape[axis]
    first = [slice(None)] * input.ndim
    first[axis] = slice(0, k)
    if 0 < 8 * k < n:
        part = np.argpartition(input, n - k if largest else k - 1, axis=axis)
        first[axis] = slice(n - k, None) if largest else slice(0, k)
        part = part[tuple(first)]
        values = np.take_along_axis(input, part, axis=axis)
        index = np.take_along_axis(part, order(values, axis, largest), axis=axis)
    else:
        index = order(input, axis, largest)[tuple(first)]
    return np.take_along_axis(input, index, axis=axis), index
topk.derivative("input")(sort_wrt_input)


@op(outputs=("values", "indices"), layout="contiguous")
def kthvalue(input: Any, *, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """The `k`-th smallest element along `dim`, counted from 1, and its index."""
    require_real("kthvalue", input)
    axis = wrap_dim(dim, input.ndim)
    refuse_empty("kthvalue", input.shape, dim)
    if not 1 <= k <= (input.shape[axis] if input.ndim else 1):
        raise RuntimeValueError(f"selected number k out of range for dimension {dim}: k={k}, input of shape {list(input.shape)}")
    return select_along(input, rank_index(input, axis, k - 1) if input.ndim else None, axis, keepdim)
kthvalue.derivative("input")(select_along_wrt_input)


# ---------------------------------------------------------------------------------------------------- medians, modes, quantiles

def rank_index(x: Any, axis: int, k: int) -> Any:
    """The index of the element that would be at place `k` if `x` were sorted along `axis`, which is kept with size 1."""
    return np.take(np.argpartition(x, k, axis=axis), [k], axis=axis)


def middle(x: Any, axis: int, skip_nan: bool) -> Any:
    """Index of the median along `axis`, the lower of two; of the first NaN where there is one, unless those are skipped."""
    nan = x != x
    if not nan.any():
        return rank_index(x, axis, (x.shape[axis] - 1) // 2)
    n = (~nan).sum(axis=axis, keepdims=True)
    if not skip_nan:  # the first NaN comes after all numbers
        n = n + np.where(nan.any(axis=axis, keepdims=True), n + 1, 0)
    return np.take_along_axis(order(x, axis), np.maximum((n - 1) // 2, 0), axis=axis)


@op(outputs=("values", "indices"), layout="contiguous", grad_name="MedianBackward0", called="median")
def median_dim(input: Any, *, dim: int, keepdim: bool = False, skip_nan: Any = False) -> Any:
    """The median along `dim`, the lower of two where the number is even, and its index."""
    require_real("median", input)
    axis = wrap_dim(dim, input.ndim)
    refuse_empty("median", input.shape, dim)
    return select_along(input, middle(input, axis, skip_nan) if input.ndim else None, axis, keepdim)
median_dim.derivative("input")(select_along_wrt_input)


@op(grad_name="MedianBackward0", called="median")
def median_all(input: Any, *, skip_nan: Any = False) -> Any:
    """The median of all elements, the lower of two where their number is even; NaN for none."""
    require_real("median", input)
    flat = input.reshape(-1)
    if not flat.size:
        return _arrays.full((), np.nan if input.dtype.kind == "f" else np.iinfo(input.dtype).min, input)
    return flat[middle(flat, 0, skip_nan)][0]
@median_all.derivative("input")
def median_all_wrt_input(g: Any, input: Any, out: Any) -> Any: return share_among_ties(g, input, out, None)


@overload
def median(input: Tensor, *, out: Tensor | None = None) -> Tensor: ...
@overload
def median(input: Tensor, dim: int, keepdim: bool = False, *, out: Sequence[Tensor] | None = None) -> ValuesIndices: ...
@numpy_names
def median(input: Tensor, dim: int | None = None, keepdim: bool = False, *,
           out: Tensor | Sequence[Tensor] | None = None) -> Tensor | ValuesIndices:
    """The median of all elements; with `dim`, the named tuple (values, indices) along it.

    Of an even number of elements the lower of the two in the middle. NaN if there is a NaN.
    """
    return median_all(input, out=out) if dim is None else median_dim(input, dim, keepdim, out=out)


@overload
def nanmedian(input: Tensor, *, out: Tensor | None = None) -> Tensor: ...
@overload
def nanmedian(input: Tensor, dim: int, keepdim: bool = False, *, out: Sequence[Tensor] | None = None) -> ValuesIndices: ...
@numpy_names
def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False, *,
              out: Tensor | Sequence[Tensor] | None = None) -> Tensor | ValuesIndices:
    """:func:`median` of the elements that are not NaN."""
    if dim is None:
        return median_all(input, True, out=out)
    found: ValuesIndices = named_results("nanmedian", ("values", "indices"))(*median_dim(input, dim, keepdim, True, out=out))
    return found


@op(outputs=("values", "indices"), layout="contiguous")
def mode(input: Any, *, dim: int = -1, keepdim: bool = False) -> Any:
    """The most frequent value along `dim`, the smallest of those that tie, and the index of its last occurrence.

    No NaN equals another. Where nothing occurs twice, the first NaN is the mode, if there is one.
    """
    require_real("mode", input)
    axis = wrap_dim(dim, input.ndim)
    refuse_empty("mode", input.shape, dim)
    if input.ndim == 0:
        return select_along(input, None, 0, keepdim)
    index = np.moveaxis(order(input, axis), axis, -1)
    x = np.take_along_axis(np.moveaxis(input, axis, -1), index, axis=-1)
    places = np.arange(x.shape[-1], like=x)
    starts = np.ones_like(x, dtype=bool)
    starts[..., 1:] = x[..., 1:] != x[..., :-1]
    length = places - scan_pairwise(np.maximum, np.where(starts, places, 0), -1)
    last = np.where(length.max(axis=-1) == 0, np.argmax(x != x, axis=-1), np.argmax(length, axis=-1))[..., None]
    return select_along(input, np.moveaxis(np.take_along_axis(index, last, axis=-1), -1, axis), axis, keepdim)
mode.derivative("input")(select_along_wrt_input)


# ---------------------------------------------------------------------------------------------------- running extremes

@op(outputs=("values", "indices"), layout="contiguous")
def cummax(input: Any, *, dim: int) -> Any:
    """Largest element up to and including each, along `dim`, and its index: the last of those that tie. NaN stays."""
    return running_extreme("cummax", np.maximum, input, dim)
@cummax.derivative("input")
def cummax_wrt_input(g: Any, indices: Any, dim: Any) -> Any:
    # The gradient of a run of equal indices belongs to the element at which the run starts.
    goes_on = indices == shift(indices, dim=dim, by=1, fill=-1)
    return recurrence(shift(goes_on, dim=dim, by=-1), g[0], dim=dim, reverse=True) * (goes_on == 0)


@op(outputs=("values", "indices"), layout="contiguous")
def cummin(input: Any, *, dim: int) -> Any:
    """Smallest element up to and including each, along `dim`, and its index: the last of those that tie. NaN stays."""
    return running_extreme("cummin", np.minimum, input, dim)
cummin.derivative("input")(cummax_wrt_input)


def running_extreme(name: str, function: Any, x: Any, dim: Any) -> tuple[Any, Any]:
    require_real(name, x)
    axis = wrap_dim(dim, x.ndim)
    if x.ndim == 0:
        return select_along(x, None, 0, False)
    values = scan_pairwise(function, x, axis)
    places = np.arange(x.shape[axis], like=x).reshape([-1 if d == axis else 1 for d in range(x.ndim)])
    reached = (x == values) | (x != x)
    return values, scan_pairwise(np.maximum, np.where(reached, places, 0), axis)


# ---------------------------------------------------------------------------------------------------- distinct values

@op(outputs=("output", "inverse_indices", "counts"), called="unique")
def _unique(input: Any, *, dim: Any, consecutive: Any) -> Any:
    """The distinct values (or slices along `dim`), in order or as they come; the place of each element in them; how often."""
    x = input.reshape(-1) if dim is None or input.ndim == 0 else np.moveaxis(input, wrap_dim(dim, input.ndim), 0)
    n = x.shape[0]
    rows = x.reshape(n, x.size // n if n else 0)
    by = np.arange(n, like=x) if consecutive or not rows.shape[1] else np.lexsort(rows.T[::-1])
    in_order = rows[by]
    new = _arrays.full(n, True, x, bool)
    new[1:] = (in_order[1:] != in_order[:-1]).any(axis=1)
    starts, group = np.flatnonzero(new), np.cumsum(new) - 1
    inverse = np.zeros_like(group)
    inverse[by] = group
    counts = np.bincount(group, minlength=starts.size)
    if dim is None or input.ndim == 0:
        return x[by[starts]], inverse.reshape(input.shape), counts
    return np.moveaxis(x[by[starts]], 0, wrap_dim(dim, input.ndim)), inverse, counts
@_unique.derivative("input")
def _unique_wrt_input(g: Any, inverse_indices: Any, counts: Any, input_shape: Any, dim: Any) -> Any:
    # Equal elements share the gradient of the one that stands for them all.
    axis = 0 if dim is None or not input_shape else wrap_dim(dim, len(input_shape))
    shares = reshape(cast(counts, dtype=dtypes.as_dtype(g[0].dtype)), shape=[-1 if d == axis else 1 for d in range(g[0].ndim)])
    return reshape(select_rows(g[0] / shares, reshape(inverse_indices, shape=(-1,)), dim=axis), shape=input_shape)


@overload
def unique(input: Tensor, sorted: bool = True, return_inverse: Literal[False] = False, return_counts: Literal[False] = False,
           dim: int | None = None) -> Tensor: ...
@overload
def unique(input: Tensor, sorted: bool = True, *, return_inverse: Literal[True], return_counts: Literal[False] = False,
           dim: int | None = None) -> tuple[Tensor, Tensor]: ...
@overload
def unique(input: Tensor, sorted: bool = True, *, return_inverse: Literal[False] = False, return_counts: Literal[True],
           dim: int | None = None) -> tuple[Tensor, Tensor]: ...
@overload
def unique(input: Tensor, sorted: bool = True, *, return_inverse: Literal[True], return_counts: Literal[True],
           dim: int | None = None) -> tuple[Tensor, Tensor, Tensor]: ...
def unique(input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False,
           dim: int | None = None) -> Tensor | tuple[Tensor, ...]:
    """The distinct elements of `input`, in ascending order; with `dim`, its distinct slices along that dimension.

    Args:
        sorted: accepted for PyTorch's sake; the result is always sorted.
        return_inverse: also return where in the result each element of the input is.
        return_counts: also return how often each element of the result occurs.

    >>> import minigrad
    >>> minigrad.unique(minigrad.tensor([3, 1, 3, 2]), return_counts=True)
    (tensor([1, 2, 3]), tensor([1, 1, 2]))
    """
    return requested_outputs(_unique(input, dim=dim, consecutive=False), return_inverse, return_counts)


@overload
def unique_consecutive(input: Tensor, return_inverse: Literal[False] = False, return_counts: Literal[False] = False,
                       dim: int | None = None) -> Tensor: ...
@overload
def unique_consecutive(input: Tensor, *, return_inverse: Literal[True], return_counts: Literal[False] = False,
                       dim: int | None = None) -> tuple[Tensor, Tensor]: ...
@overload
def unique_consecutive(input: Tensor, *, return_inverse: Literal[False] = False, return_counts: Literal[True],
                       dim: int | None = None) -> tuple[Tensor, Tensor]: ...
@overload
def unique_consecutive(input: Tensor, *, return_inverse: Literal[True], return_counts: Literal[True],
                       dim: int | None = None) -> tuple[Tensor, Tensor, Tensor]: ...
def unique_consecutive(input: Tensor, return_inverse: bool = False, return_counts: bool = False,
                       dim: int | None = None) -> Tensor | tuple[Tensor, ...]:
    """`input` with all but the first of every run of equal elements (or slices along `dim`) left out."""
    return requested_outputs(_unique(input, dim=dim, consecutive=True), return_inverse, return_counts)


def requested_outputs(found: Any, inverse: bool, counts: bool) -> Tensor | tuple[Tensor, ...]:
    chosen = (found[0], *found[1:2] * inverse, *found[2:3] * counts)
    return chosen if len(chosen) > 1 else chosen[0]


# ---------------------------------------------------------------------------------------------------- places in a sorted sequence

@op(differentiable=False, layout="contiguous", called="searchsorted")
def _searchsorted(sorted_sequence: Any, input: Any, sorter: Any = None, *, right: Any = False,
                  out_int32: Any = False) -> Any:
    require_real("searchsorted", sorted_sequence, input)
    if sorted_sequence.ndim == 0 or sorted_sequence.ndim > 1 and sorted_sequence.shape[:-1] != input.shape[:-1]:
        raise ShapeError(
            "boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and input value tensor "
            f"must match, but we got boundaries tensor {list(sorted_sequence.shape)} and input value tensor {list(input.shape)}")
    if sorter is not None:
        if sorter.shape != sorted_sequence.shape:
            raise ShapeError(f"boundary and sorter must have the same size, but got boundary tensor "
                             f"{list(sorted_sequence.shape)} and got sorter tensor {list(sorter.shape)}")
        if sorter.dtype != np.int64:
            raise DtypeError(f"sorter must be a tensor of long dtype but got dtype {dtypes.FROM_NUMPY[sorter.dtype]!r}")
        sorted_sequence = np.take_along_axis(sorted_sequence, sorter, axis=-1)
    side: Any = "right" if right else "left"
    if sorted_sequence.ndim == 1:
        found = np.searchsorted(sorted_sequence, input, side=side)
    else:
        rows = math.prod(input.shape[:-1])
        edges, values = (x.reshape(rows, x.shape[-1]) for x in (sorted_sequence, input))
        found = np.empty_like(values, dtype=np.int64)
        for k in range(rows):
            found[k] = np.searchsorted(edges[k], values[k], side=side)
        found = found.reshape(input.shape)
    return _arrays.as_array(found).astype(np.int32 if out_int32 else np.int64)


@on_device_of_inputs
def searchsorted(sorted_sequence: Tensor, input: Tensor | Number, *, out_int32: bool = False, right: bool = False,
                 side: str | None = None, sorter: Tensor | None = None, out: Tensor | None = None) -> Tensor:
    """Where each element of `input` would have to be inserted into `sorted_sequence` for that to stay sorted.

    Args:
        sorted_sequence: ascending along the last dimension; one-dimensional, or with the leading dimensions of `input`.
        input: a tensor or a number.
        right, side: insert behind (``right=True``, ``side="right"``) rather than before elements that are equal.
        sorter: the indices that sort `sorted_sequence`, if it is not sorted.
        out_int32: return int32 instead of int64.
    """
    if side is not None and side not in ("left", "right"):
        raise RuntimeValueError(f"searchsorted(): side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeValueError("searchsorted(): side and right can't be set to opposites, got side of left while right was True")
    if isinstance(input, (bool, int, float)):
        input = constant(_arrays.xp_of(sorted_sequence.array).asarray(input), sorted_sequence)
    return _searchsorted(sorted_sequence, input, sorter, right=right or side == "right", out_int32=out_int32, out=out)


def bucketize(input: Tensor | Number, boundaries: Tensor, *, out_int32: bool = False, right: bool = False,
              out: Tensor | None = None) -> Tensor:
    """The bucket of each element of `input` (a tensor or a number) between the ascending `boundaries`, counted from 0.

    An element equal to a boundary is in the bucket before it, or after it if `right`.
    """
    if boundaries.ndim != 1:
        raise ShapeError(f"bucketize(): boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right, out=out)
