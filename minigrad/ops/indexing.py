"""Reading and writing elements by index, next to their adjoints: what is read from a place gives its gradient back to it.

``x[index]`` is done as PyTorch does it: first the part that a view can give (integers, slices, None, ...), then the lookup
by index arrays in what that left. Index arrays are brought to one form before an operation sees them: checked against the
size of their dimension, and counted from the front.
"""

from __future__ import annotations

import itertools
import math
from operator import index as integer
from typing import Any

import numpy as np

from minigrad import backend, dtypes
from minigrad.autograd import call, inplace
from minigrad.autograd.clock import ledger, memory_owner
from minigrad.autograd.graph import LEAF, TensorBase, grad_enabled
from minigrad.autograd.op import op
from minigrad.autograd.placement import on_its_card
from minigrad.errors import (
    ArgumentError,
    DeviceError,
    DimensionError,
    DtypeError,
    GraphError,
    InplaceError,
    InvalidIndexError,
    OutOfBoundsError,
    ShapeError,
)
from minigrad.ops.pointwise import cast
from minigrad.ops.shape import (
    OF_NO_DIMENSION,
    broadcast_shapes,
    changes_shape,
    constant_pad_nd,
    copied,
    expand,
    filled,
    listed,
    ravel,
    reshape,
    select,
    slices,
    sum_to_size,
    unsqueeze,
    within,
    wrapped_dim,
)

__all__ = ["argwhere", "as_strided", "as_strided_copy", "as_strided_scatter", "combinations", "gather", "index_add",
           "index_copy", "index_fill", "index_put", "index_reduce", "index_select", "isin", "masked_fill", "masked_scatter",
           "masked_select", "nonzero", "nonzero_static", "put", "repeat_interleave", "scatter", "scatter_add",
           "scatter_reduce", "take", "take_along_dim", "unravel_index"]

Index = tuple[Any, ...]


# ---------------------------------------------------------------------------------------------------- understanding an index

def raw(x: Any) -> Any:
    return x.array if isinstance(x, TensorBase) else x


def index_array(value: Any, like: Any) -> Any:
    """An index that is neither integer, slice, None nor ``...`` as an array beside `like`."""
    if isinstance(value, (list, tuple, range)):
        value = backend.xp_of(like).asarray([raw(v).tolist() if hasattr(raw(v), "tolist") else v for v in value])
        value = value if value.size else value.astype(np.intp)
    value = raw(value)
    if not backend.is_array(value) and not isinstance(value, np.generic):
        raise InvalidIndexError("only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid "
                                f"indices (got {type(value).__name__})")
    if value.dtype.kind not in "biu":
        raise InvalidIndexError(f"tensors used as indices must be long, int, byte or bool tensors, not {call.named(value.dtype)}")
    if value.dtype == np.uint8:
        value = value.astype(np.bool_)
    if isinstance(value, np.ndarray) and not isinstance(like, np.ndarray):
        value = backend.xp_of(like).asarray(value)
    return value


def in_bounds(index: Any, size: int, dim: int, negative: bool = True) -> Any:
    """`index`, an integer array, with negative values counted from the end.

    Raises ``IndexError`` where it reaches outside a dimension `dim` of `size` elements: not every array library does.
    """
    if index.dtype == np.int64 and index.size and index.view(np.uint64).max() < size:  # a negative number would be huge
        return index
    if index.size:
        low, high = int(index.min()), int(index.max())
        if low < (-size if negative else 0) or high >= size:
            raise OutOfBoundsError(f"index {low if high < size else high} is out of bounds for dimension {dim} with size {size}")
        if low < 0:
            return np.where(index < 0, index + size, index).astype(np.intp)
    return index.astype(np.intp)


def one_index(value: Any, like: Any) -> Any:
    """One part of an index as an integer, bool, slice, None, ``...`` or an array of at least one dimension."""
    if value is None or value is Ellipsis or isinstance(value, (slice, int)):
        return value
    array = index_array(value, like)
    return array if array.ndim else bool(array) if array.dtype.kind == "b" else int(array)


def parsed(index: Any, x: Any, checked: bool = True) -> tuple[Index, Index | None]:
    """`index` into the array `x` as two: what a view gives, and the arrays (or None) for each dimension of that view.

    Without `checked` it is left to the array library to find integers that are out of bounds.
    """
    items = [raw(i) for i in (index if isinstance(index, tuple) else (index,))]
    items = [one_index(i, x) for i in items]
    used = sum([(i.ndim if i.dtype.kind == "b" else 1) if backend.is_array(i) else
                not (i is None or i is Ellipsis or isinstance(i, bool)) for i in items])
    if used > x.ndim:
        raise DimensionError(f"too many indices for tensor of dimension {x.ndim}: shape {list(x.shape)}, {used} given"
                             + ("" if x.ndim else f". {OF_NO_DIMENSION}"))
    if not any(i is Ellipsis for i in items):
        items.append(Ellipsis)
    masks = sum([backend.is_array(i) or isinstance(i, bool) for i in items])
    basic: list[Any] = []
    arrays: list[Any] = []
    dim = 0
    for i in items:
        if i is Ellipsis:
            basic += [slice(None)] * (x.ndim - used)
            arrays += [None] * (x.ndim - used)
            dim += x.ndim - used
            used = x.ndim  # a second ellipsis stands for nothing
        elif i is None:
            basic.append(None)
            arrays.append(None)
        elif isinstance(i, bool):
            basic.append(None)
            arrays.append(np.zeros((int(i),), np.intp, like=x))
        elif isinstance(i, int):
            basic.append(within(i, dim, x.shape))
            dim += 1
        elif isinstance(i, slice):
            start, stop, step = [None if v is None else integer(v) for v in (i.start, i.stop, i.step)]
            if step is not None and step <= 0:
                raise ValueError("step must be greater than zero: use minigrad.flip(x, dims) to reverse a dimension")
            basic.append(slice(start, stop, step))
            arrays.append(None)
            dim += 1
        elif i.__class__ is not x.__class__:
            raise DeviceError("index: expected all tensors on the same device: indices should be either on cpu or on the same "
                              f"device as the indexed tensor ({backend.device_of(x)}), but one is on {backend.device_of(i)}; "
                              f"move it, for instance index.to('{backend.device_of(x)}')")
        elif i.dtype.kind == "b":
            if i.shape != x.shape[dim:dim + i.ndim]:
                raise DimensionError(f"The shape of the mask {list(i.shape)} at index {dim} does not match the shape of the "
                                     f"indexed tensor {list(x.shape)} at index {dim}")
            basic += [slice(None)] * i.ndim
            arrays += [i.copy()] if masks == 1 else i.nonzero()
            dim += i.ndim
        else:
            basic.append(slice(None))
            i = i.astype(np.intp)  # a copy: what the user writes to the index later must not show in the gradient
            arrays.append(in_bounds(i, x.shape[dim], dim) if checked else i)
            dim += 1
    while arrays and arrays[-1] is None:
        arrays.pop()
    return tuple(basic) + (...,), tuple(arrays) or None


def simple(index: Any) -> bool:
    """Whether one part of an index is an integer, a slice that goes forwards, None or ``...``, all as Python has them."""
    kind = index.__class__
    if kind is slice:
        return (index.start is None or index.start.__class__ is int) and (index.stop is None or index.stop.__class__ is int) and (
            index.step is None or index.step.__class__ is int and index.step > 0)
    return kind is int or index is None or index is Ellipsis


def everything(index: Index) -> bool:
    """Whether `index`, of slices, takes all there is."""
    return all([i is Ellipsis or i.__class__ is slice and i == slice(None) for i in index])


def placed(indices: Index) -> Index:
    """Index arrays, or None, for each dimension as NumPy takes them."""
    return tuple([slice(None) if i is None else i for i in indices])


@on_its_card
def as_operand(value: Any, like: Any) -> Any:
    """A number, array or tensor as an operand beside `like`, a tensor or an array, in its dtype."""
    x = raw(like)
    wanted = dtypes.FROM_NUMPY[x.dtype]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (bool, int, float, complex)):
        if wanted.kind != "c" and isinstance(value, complex):
            raise DtypeError(f"value cannot be converted to type {wanted!r} without overflow: {value!r} is complex")
        value = call.scalar_array(int(value) if wanted.kind in "iu" and not isinstance(value, complex) else value, wanted, x)
    elif not isinstance(value, TensorBase) and not backend.is_array(value):
        raise ArgumentError(f"can't assign a {type(value).__name__} to a tensor of {wanted!r}")
    if raw(value).dtype.kind == "c" and wanted.kind != "c":
        raise DtypeError(f"value cannot be converted to type {wanted!r} without overflow: it is complex; use its .real")
    if isinstance(like, TensorBase) and not isinstance(value, TensorBase):
        value = call.constant(value, like)
    if raw(value).__class__ is np.ndarray is not x.__class__ and not value.ndim:  # a number from main memory
        value = call.moved(value, backend.device_of(x))
    return value if raw(value).dtype is x.dtype else cast(value, dtype=wanted)


# ---------------------------------------------------------------------------------------------------- x[index], x[index] = value

@on_its_card
def getitem(input: Any, index: Any) -> Any:
    """``input[index]``: a view for integers, slices, None and ``...``; a copy where index tensors, lists or masks take part."""
    if index.__class__ is int:
        return select(input, dim=0, index=index)
    parts = index if index.__class__ is tuple else (index,)
    try:
        if all([simple(part) for part in parts]):
            return slices(input, index=parts if Ellipsis in parts else (*parts, ...))
        basic, arrays = parsed(parts, raw(input), checked=not isinstance(raw(input), np.ndarray))
        if arrays is not None:
            return lookup(input if everything(basic) else slices(input, index=basic), indices=arrays)
    except IndexError:
        parsed(parts, raw(input))  # raises an error that says more
        raise
    return slices(input, index=basic)


@op(grad_name="IndexBackward0", called="index")
def lookup(input: Any, *, indices: Any) -> Any:
    """The elements of `input` at `indices`: for each dimension an array of places, or None for all; or a mask."""
    if all([i is None for i in indices[:-1]]) and indices[-1].dtype.kind != "b":
        return input.take(indices[-1], axis=len(indices) - 1)
    return input[placed(indices)]
@lookup.derivative("input")
def lookup_wrt_input(g: Any, indices: Any, input_shape: Any) -> Any: return accumulate_at(g, indices=indices, size=input_shape)


@op(called="index_put")
def accumulate_at(input: Any, *, indices: Any, size: Any) -> Any:
    """Zeros of shape `size` with `input` added at `indices`: the adjoint of :func:`lookup`."""
    out = np.zeros(size, input.dtype, like=input)
    if indices[-1].dtype.kind == "b":  # no place appears twice
        out[placed(indices)] = input
    else:
        backend.library_of(out).index_add(out, placed(indices), input)
    return out
@accumulate_at.derivative("input")
def accumulate_at_wrt_input(g: Any, indices: Any) -> Any: return lookup(g, indices=indices)


@op(grad_name="IndexPutBackward0", called="index_put")
def overwrite(input: Any, value: Any, *, index: Any, indices: Any) -> Any:
    """A copy of `input` with `value` at ``[index][indices]``, as :func:`parsed` gives them."""
    out = input.copy(order="K")
    write_at(out, value, index, indices)
    return out
@overwrite.derivative("input")
def overwrite_wrt_input(g: Any, index: Any, indices: Any) -> Any:
    return overwrite(g, filled(g, size=()), index=index, indices=indices)
@overwrite.derivative("value")
def overwrite_wrt_value(g: Any, index: Any, indices: Any, value_shape: Any) -> Any:
    part = slices(g, index=index)
    return sum_to_size(part if indices is None else lookup(part, indices=indices), size=value_shape)
def write_at(input: Any, value: Any, index: Any, indices: Any) -> None:
    part, where = (input, index) if indices is None else (input[index], placed(indices))
    try:
        part[where] = value
    except ValueError:
        raise ShapeError(f"shape mismatch: value tensor of shape {list(value.shape)} cannot be broadcast to indexing result of "
                         f"shape {list(part[where].shape)}") from None
overwrite.info.writer = write_at


@on_its_card
def setitem(input: Any, index: Any, value: Any) -> None:
    """``input[index] = value``, in place; `value` is broadcast. Gradients flow to it, and to the rest of `input`.

    Raises ``RuntimeError`` for a leaf that requires grad; write to it under ``no_grad()``.
    """
    target, base = input.array, input._base
    basic, indices = parsed(index, target)
    recorded = grad_enabled.get() and (input.node is not None or getattr(value, "node", None) is not None
                                       or base is not None and base.node is not None)
    if not recorded and value.__class__ in (int, float, bool):  # the most frequent case
        inplace.refuse_repeated(target, "setitem")
        try:
            (target if indices is None else target[basic])[basic if indices is None else placed(indices)] = value
        except (OverflowError, ValueError):
            raise DtypeError(f"setitem: value cannot be converted to type {call.named(target.dtype)} without overflow: "
                             f"{value}") from None
        ledger.record(target, "setitem")
        return
    if grad_enabled.get() and (input.node is LEAF or base is not None and base.node is LEAF):
        raise InplaceError("setitem: a view of a leaf Variable that requires grad is being used in an in-place operation, "
                           "x[index] = value; write under `with minigrad.no_grad():`, or into a copy: x = x.clone()")
    value = as_operand(value, input)
    if indices is None or not value.ndim:  # a copy of anything, or a number, comes from wherever it is
        value = brought(value, target)
    extra = raw(value).ndim - (target[basic].ndim if indices is None else 0)
    if indices is None and extra > 0 and value.shape[:extra] == (1,) * extra:
        value = reshape(value, shape=value.shape[extra:])
    overwrite.inplace(input, value, index=basic, indices=indices)


def brought(value: Any, target: Any) -> Any:
    """`value` on the device of the array `target`."""
    return value if raw(value).__class__ is np.ndarray is target.__class__ else call.moved(value, backend.device_of(target))


def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """A copy of `input` with `values` at `indices`, a tuple of index tensors; with `accumulate`, added to what is there."""
    return put_at(False, input, indices, values, accumulate)


def index_put_(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """In-place form of :func:`index_put`."""
    return put_at(True, input, indices, values, accumulate)


@on_its_card
def put_at(in_place: bool, input: Any, indices: Any, values: Any, accumulate: bool) -> Any:
    if raw(values).dtype is not raw(input).dtype:
        raise DtypeError("index_put: Index put requires the source and destination dtypes match, got "
                         f"{call.named(raw(input).dtype)} for the destination and {call.named(raw(values).dtype)} for the "
                         "source.")
    basic, arrays = parsed(tuple([slice(None) if i is None else i for i in indices]), raw(input))
    if not values.ndim:
        values = brought(values, raw(input))
    function: Any = overwrite if not accumulate or arrays is None else add_at
    function = function.inplace if in_place else function
    return function(input, values, index=basic, indices=arrays)


@op(dtypes="same", called="index_put")
def add_at(input: Any, values: Any, *, index: Any, indices: Any) -> Any:
    """A copy of `input` with `values` added at ``[index][indices]``; a place that appears twice receives both."""
    out = input.copy(order="K")
    write_add_at(out, values, index, indices)
    return out
@add_at.derivative("input")
def add_at_wrt_input(g: Any) -> Any: return g
@add_at.derivative("values")
def add_at_wrt_values(g: Any, index: Any, indices: Any, values_shape: Any) -> Any:
    return sum_to_size(lookup(slices(g, index=index), indices=indices), size=values_shape)
def write_add_at(input: Any, values: Any, index: Any, indices: Any) -> None:
    backend.library_of(input).index_add(input[index], placed(indices), values)
add_at.info.writer = write_add_at


# ---------------------------------------------------------------------------------------------------- rows of a dimension

def row_index(index: Any, size: int, dim: int) -> Any:
    """`index` as the integer vector that names elements of dimension `dim`. Negative numbers are refused, as in PyTorch."""
    if index.dtype.kind not in "iu":
        raise DtypeError(f"index: Expected dtype int32 or int64 for index, got {call.named(index.dtype)}")
    if index.ndim > 1:
        raise DimensionError(f"index is supposed to be a vector, but got shape {list(index.shape)}")
    return in_bounds(index.reshape(-1), size, dim, negative=False)


@op(called="index_select")
def select_rows(input: Any, index: Any, *, dim: Any) -> Any:
    """The elements of dimension `dim` that `index`, a vector of integers, names, in its order."""
    d = wrapped_dim(dim, input.ndim)
    if not input.ndim:
        return input.reshape(1).take(row_index(index, 1, 0)).sum(dtype=input.dtype)
    return input.take(row_index(index, input.shape[d], d), axis=d)
@select_rows.derivative("input")
def select_rows_wrt_input(g: Any, index: Any, dim: Any, input_shape: Any) -> Any:
    return scatter_rows(g, index, dim=dim, size=input_shape)


@op
def scatter_rows(input: Any, index: Any, *, dim: Any, size: Any) -> Any:
    """Zeros of shape `size` with the elements of dimension `dim` added at `index`: the adjoint of :func:`select_rows`."""
    out = np.zeros(size, input.dtype, like=input)
    write_add_rows(out, index, input, dim, 1)
    return out
@scatter_rows.derivative("input")
def scatter_rows_wrt_input(g: Any, index: Any, dim: Any) -> Any: return select_rows(g, index, dim=dim)


@op(dtypes="same", mixed=("index",), called="index_add")
def add_rows(input: Any, index: Any, source: Any, *, dim: Any, alpha: Any = 1) -> Any:
    """A copy of `input` with ``alpha * source`` added at the places `index` of dimension `dim`."""
    out = input.copy(order="K")
    write_add_rows(out, index, source, dim, alpha)
    return out
@add_rows.derivative("input")
def add_rows_wrt_input(g: Any) -> Any: return g
@add_rows.derivative("source")
def add_rows_wrt_source(g: Any, index: Any, dim: Any, alpha: Any, source_shape: Any) -> Any:
    return expand(select_rows(g, index, dim=dim), size=source_shape) * alpha
def write_add_rows(input: Any, index: Any, source: Any, dim: Any, alpha: Any) -> None:
    d, index = prepared_rows(input, index, source, dim)
    target = input if input.ndim else input.reshape(1)
    values = source if alpha == 1 else source * np.asarray(alpha).astype(source.dtype)[()]
    backend.library_of(input).index_add(target, (slice(None),) * d + (index,), values.reshape(-1) if not source.ndim else values)
add_rows.info.writer = write_add_rows


@op(dtypes="same", mixed=("index",), called="index_copy")
def copy_rows(input: Any, index: Any, source: Any, *, dim: Any) -> Any:
    """A copy of `input` with `source` at the places `index` of dimension `dim`."""
    out = input.copy(order="K")
    write_copy_rows(out, index, source, dim)
    return out
@copy_rows.derivative("input")
def copy_rows_wrt_input(g: Any, index: Any, dim: Any) -> Any: return fill_rows(g, index, filled(g, size=()), dim=dim)
@copy_rows.derivative("source")
def copy_rows_wrt_source(g: Any, index: Any, dim: Any, source_shape: Any) -> Any:
    return expand(select_rows(g, index, dim=dim), size=source_shape)
def write_copy_rows(input: Any, index: Any, source: Any, dim: Any) -> None:
    d, index = prepared_rows(input, index, source, dim)
    (input if input.ndim else input.reshape(1))[(slice(None),) * d + (index,)] = source
copy_rows.info.writer = write_copy_rows


@op(dtypes="same", mixed=("index",), called="index_fill")
def fill_rows(input: Any, index: Any, value: Any, *, dim: Any) -> Any:
    """A copy of `input` with the one `value` at the places `index` of dimension `dim`."""
    out = input.copy(order="K")
    write_fill_rows(out, index, value, dim)
    return out
@fill_rows.derivative("input")
def fill_rows_wrt_input(g: Any, index: Any, dim: Any) -> Any: return fill_rows(g, index, filled(g, size=()), dim=dim)
@fill_rows.derivative("value")
def fill_rows_wrt_value(g: Any, index: Any, dim: Any) -> Any:
    return sum_to_size(select_rows(g, each_once(index), dim=dim), size=())
def write_fill_rows(input: Any, index: Any, value: Any, dim: Any) -> None:
    if value.ndim:
        raise ShapeError(f"index_fill only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s).")
    d = wrapped_dim(dim, input.ndim)
    index = row_index(index, input.shape[d] if input.ndim else 1, d)
    (input if input.ndim else input.reshape(1))[(slice(None),) * d + (index,)] = value
fill_rows.info.writer = write_fill_rows


@op
def each_once(input: Any) -> Any:
    """The distinct values of `input`."""
    return np.unique(input)


def prepared_rows(input: Any, index: Any, source: Any, dim: Any) -> tuple[int, Any]:
    """`dim` and `index` for writing `source` into rows of `input`, whose shapes must fit."""
    d = wrapped_dim(dim, input.ndim)
    index = row_index(index, input.shape[d] if input.ndim else 1, d)
    wanted = (*input.shape[:d], index.size, *input.shape[d + 1:]) if input.ndim else (index.size,)
    if source.shape != wanted and not (source.ndim == 0 and math.prod(wanted) == 1):
        raise ShapeError(f"source of shape {list(source.shape)} does not fit: with {index.size} places in dimension {d} of an "
                         f"input of shape {list(input.shape)} it must have shape {list(wanted)}")
    return d, index


def index_select(input: Any, dim: int, index: Any, *, out: Any = None) -> Any:
    """The elements of dimension `dim` that `index`, a vector of integers >= 0, names, in its order.

    >>> import minigrad
    >>> minigrad.index_select(minigrad.arange(4) * 10, 0, minigrad.tensor([3, 0, 0])).tolist()
    [30, 0, 0]
    """
    return select_rows(input, index, dim=dim, out=out)


def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1, out: Any = None) -> Any:
    """A copy of `input` with ``alpha * source`` added at the places `index` of dimension `dim`; repeated places add up."""
    return add_rows(input, index, source, dim=dim, alpha=alpha, out=out)


def index_add_(input: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    """In-place form of :func:`index_add`."""
    return add_rows.inplace(input, index, source, dim=dim, alpha=alpha)


def index_copy(input: Any, dim: int, index: Any, source: Any, *, out: Any = None) -> Any:
    """A copy of `input` with `source` at the places `index` of dimension `dim`."""
    return copy_rows(input, index, source, dim=dim, out=out)


def index_copy_(input: Any, dim: int, index: Any, source: Any) -> Any:
    """In-place form of :func:`index_copy`."""
    return copy_rows.inplace(input, index, source, dim=dim)


def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    """A copy of `input` with `value`, one number, at the places `index` of dimension `dim`."""
    return fill_rows(input, index, brought(as_operand(value, input), raw(input)), dim=dim)


def index_fill_(input: Any, dim: int, index: Any, value: Any) -> Any:
    """In-place form of :func:`index_fill`."""
    return fill_rows.inplace(input, index, brought(as_operand(value, input), raw(input)), dim=dim)


# ---------------------------------------------------------------------------------------------------- one place per element

def grid(input: Any, index: Any, dim: Any) -> Index:
    """The places that `index` names for gather and scatter: its own place in every dimension but `dim`."""
    if index.dtype.kind not in "iu":
        raise DtypeError(f"Expected dtype int32/int64 for index, got {call.named(index.dtype)}")
    if max(input.ndim, 1) != max(index.ndim, 1):
        raise ShapeError(f"Index tensor must have the same number of dimensions as input tensor, got index {list(index.shape)} "
                         f"for input {list(input.shape)}")
    d = wrapped_dim(dim, input.ndim)
    shape, wanted = (input.shape or (1,)), (index.shape or (1,))
    for k, (have, n) in enumerate(zip(shape, wanted)):
        if n > have and k != d and index.size:
            raise ShapeError(f"Size does not match at dimension {k}: expected index {list(index.shape)} to be no larger than "
                             f"self {list(input.shape)} apart from dimension {d}")
    index = in_bounds(index.reshape(wanted), shape[d], d, negative=False)
    ones = (1,) * len(wanted)
    return tuple([index if k == d else np.arange(n, like=index).reshape((*ones[:k], n, *ones[k + 1:])) if len(wanted) else index
                  for k, n in enumerate(wanted)])


def numbers_of(places: Index, shape: Any) -> Any:
    """The number of each place in a tensor of `shape`, counted in the order of its dimensions."""
    number: Any = 0
    for place, n in zip(places, shape):
        number = number * n + place
    return number


def at_least_vector(x: Any) -> Any:
    return x if x.ndim else x.reshape(1)


def corner(src: Any, index: Any) -> Any:
    """The part of `src` that `index` uses: its leading elements in every dimension."""
    if src.shape == index.shape:
        return at_least_vector(src)
    src, shape = at_least_vector(src), index.shape or (1,)
    if index.size and (src.ndim != len(shape) or any(n > have for n, have in zip(shape, src.shape))):
        raise ShapeError(f"Expected index {list(index.shape)} to be no larger than src {list(src.shape)} in every dimension")
    return src[tuple([slice(n) for n in shape])] if index.size else src[:0].reshape(-1)[:0].reshape(shape)


@op(called="gather")
def gather_at(input: Any, index: Any, *, dim: Any) -> Any:
    """``out[i][j] = input[index[i][j]][j]`` for dim 0, and so on for other dimensions; the shape is that of `index`."""
    if not index.size:
        return np.zeros(index.shape, input.dtype, like=input)
    places = grid(input, index, dim)
    if input.flags.c_contiguous:  # numbers of elements are looked up several times faster than places
        return input.reshape(-1).take(numbers_of(places, input.shape or (1,))).reshape(index.shape)
    return at_least_vector(input)[places].reshape(index.shape)
@gather_at.derivative("input")
def gather_at_wrt_input(g: Any, index: Any, dim: Any, input_shape: Any) -> Any:
    return scatter_at(filled(g, size=input_shape), index, g, dim=dim, add=True)


@op(dtypes="same", mixed=("index",), called="scatter")
def scatter_at(input: Any, index: Any, src: Any, *, dim: Any, add: Any = False) -> Any:
    """A copy of `input` with `src` written to, or added at, the places `index` names in dimension `dim`."""
    out = input.copy(order="K")
    write_scatter(out, index, src, dim, add)
    return out
@scatter_at.derivative("input")
def scatter_at_wrt_input(g: Any, index: Any, dim: Any, add: Any) -> Any:
    return g if add else scatter_value(g, index, filled(g, size=()), dim=dim)
@scatter_at.derivative("src")
def scatter_at_wrt_src(g: Any, index: Any, dim: Any, src_shape: Any) -> Any:
    return enlarged(gather_at(g, index, dim=dim), src_shape)
def write_scatter(input: Any, index: Any, src: Any, dim: Any, add: Any) -> None:
    if not index.size:
        return
    places, values, target = grid(input, index, dim), corner(src, index), at_least_vector(input)
    if add:
        backend.library_of(input).index_add(target, places, values)
    else:
        target[places] = values
scatter_at.info.writer = write_scatter


@op(dtypes="same", mixed=("index",), called="scatter")
def scatter_value(input: Any, index: Any, value: Any, *, dim: Any) -> Any:
    """A copy of `input` with the one `value` at the places `index` names in dimension `dim`."""
    out = input.copy(order="K")
    write_scatter_value(out, index, value, dim)
    return out
@scatter_value.derivative("input")
def scatter_value_wrt_input(g: Any, index: Any, dim: Any) -> Any: return scatter_value(g, index, filled(g, size=()), dim=dim)
@scatter_value.derivative("value")
def scatter_value_wrt_value(g: Any, index: Any, dim: Any) -> Any: return sum_to_size(gather_at(g, index, dim=dim), size=())
def write_scatter_value(input: Any, index: Any, value: Any, dim: Any) -> None:
    if index.size:
        at_least_vector(input)[grid(input, index, dim)] = value
scatter_value.info.writer = write_scatter_value


def enlarged(x: Any, shape: Any) -> Any:
    """`x` with zeros after its elements, to a larger `shape`."""
    if tuple(x.shape) == tuple(shape):
        return x
    if not shape or not len(x.shape):
        return reshape(x, shape=shape)
    return constant_pad_nd(x, pad=tuple([n for have, want in zip(x.shape[::-1], shape[::-1]) for n in (0, want - have)]))


def gather(input: Any, dim: int, index: Any, *, sparse_grad: bool = False, out: Any = None) -> Any:
    """``out[i][j] = input[index[i][j]][j]`` for ``dim=0``, ``input[i][index[i][j]]`` for ``dim=1``, and so on.

    >>> import minigrad
    >>> minigrad.gather(minigrad.tensor([[1, 2], [3, 4]]), 1, minigrad.tensor([[0, 0], [1, 0]])).tolist()
    [[1, 1], [4, 3]]
    """
    if out is not None and raw(out).dtype is not raw(input).dtype:
        raise DtypeError(f"gather: Expected out tensor to have dtype {call.named(raw(input).dtype)}, but got "
                         f"{call.named(raw(out).dtype)} instead")
    return gather_at(input, index, dim=dim, out=out)


def scatter(input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None,
            out: Any = None) -> Any:
    """A copy of `input` with ``out[index[i][j]][j] = src[i][j]`` for ``dim=0``, and so on; `src` may be a number.

    ``reduce`` may be "add" or "multiply" to combine with what is there.
    """
    return scattered(False, input, dim, index, src, value, reduce, out)


def scatter_(input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Any:
    """In-place form of :func:`scatter`."""
    return scattered(True, input, dim, index, src, value, reduce)


def scattered(in_place: bool, input: Any, dim: int, index: Any, src: Any, value: Any, reduce: str | None, out: Any = None) -> Any:
    src = value if src is None else src
    number = isinstance(src, call.SCALARS)
    if reduce is not None:
        if reduce not in ("add", "multiply"):
            raise ShapeError(f"scatter: reduce argument must be either add or multiply, got {reduce!r}")
        src = expand(as_operand(src, input), size=tuple(index.shape)) if number else src
        name = "sum" if reduce == "add" else "prod"
        return reduced(in_place, input, dim, index, src, name, True, out)
    extra = {} if in_place else {"out": out}
    if number:
        function: Any = scatter_value.inplace if in_place else scatter_value
        return function(input, index, as_operand(src, input), dim=dim, **extra)
    return (scatter_at.inplace if in_place else scatter_at)(input, index, src, dim=dim, **extra)


def scatter_add(input: Any, dim: int, index: Any, src: Any, *, out: Any = None) -> Any:
    """A copy of `input` with ``src[i][j]`` added at ``[index[i][j]][j]`` for ``dim=0``, and so on; repeated places add up."""
    return scatter_at(input, index, src, dim=dim, add=True, out=out)


def scatter_add_(input: Any, dim: int, index: Any, src: Any) -> Any:
    """In-place form of :func:`scatter_add`."""
    return scatter_at.inplace(input, index, src, dim=dim, add=True)


@op(dtypes="same", mixed=("index",), called="scatter_reduce")
def reduce_at(input: Any, index: Any, src: Any, *, dim: Any, reduce: Any, include_self: Any = True) -> Any:
    """A copy of `input` with `src` combined with it at the places `index` names: sum, prod, mean, amax or amin."""
    out = input.copy(order="K")
    if not index.size:
        return out
    places, values, target = grid(input, index, dim), corner(src, index), at_least_vector(out)
    if not include_self:
        target[places] = neutral(reduce, input.dtype)
    if reduce in ("sum", "mean"):
        backend.library_of(out).index_add(target, places, values)
    else:
        ufunc = {"prod": np.multiply, "amax": np.maximum, "amin": np.minimum}[reduce]
        backend.library_of(out).index_reduce(ufunc, target, places, values)
    if reduce == "mean":
        count = np.ones_like(target)
        if not include_self:
            count[places] = 0
        backend.library_of(out).index_add(count, places, np.ones_like(values))
        count[count == 0] = 1
        out = (target // count if out.dtype.kind in "iu" else target / count).reshape(out.shape)
    return out
@reduce_at.derivative("input")
def reduce_at_wrt_input(g: Any, input: Any, index: Any, src: Any, out: Any, dim: Any, reduce: Any, include_self: Any) -> Any:
    if reduce == "sum":
        grad = g
    elif reduce == "mean":
        grad = g / contributions(g, input, index, dim, include_self)
    elif reduce == "prod":
        ones = fill_mask(input, input == 0, filled(input, size=(), value=1))
        grad = g * reduce_at(ones, index, src, dim=dim, reduce=reduce, include_self=include_self) / ones
    else:
        grad = (input == out) * g / ties(g, input, index, src, out, dim, include_self)
    return grad if include_self else scatter_value(grad, index, filled(g, size=()), dim=dim)
@reduce_at.derivative("src")
def reduce_at_wrt_src(g: Any, input: Any, index: Any, src: Any, out: Any, dim: Any, reduce: Any, include_self: Any) -> Any:
    used, one = slices(src, index=upto(index)), filled(g, size=(), value=1)
    if reduce == "sum":
        grad = gather_at(g, index, dim=dim)
    elif reduce == "mean":
        grad = gather_at(g / contributions(g, input, index, dim, include_self), index, dim=dim)
    elif reduce == "prod":
        # A factor that is the only zero of its product has the product of the others as derivative.
        zeros = scatter_at(filled(g, size=input.shape), index, (used == 0) * one, dim=dim, add=True)
        lone = (used == 0) * (gather_at(zeros, index, dim=dim) == 1)
        others = reduce_at(input, index, fill_mask(used, lone, one), dim=dim, reduce=reduce, include_self=include_self)
        usual = gather_at(g * out, index, dim=dim) / fill_mask(used, used == 0, one)
        grad = lone * gather_at(g * others, index, dim=dim) + (lone == False) * usual  # noqa: E712
    else:
        share = g / ties(g, input, index, src, out, dim, include_self)
        grad = (used == gather_at(out, index, dim=dim)) * gather_at(share, index, dim=dim)
    return enlarged(grad, src.shape)


def neutral(reduce: str, dtype: Any) -> Any:
    """The value that changes nothing when combined with another."""
    if reduce in ("sum", "mean", "prod"):
        return int(reduce == "prod")
    if dtype.kind == "b":
        return reduce == "amin"
    bounds = (-np.inf, np.inf) if dtype.kind == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return bounds[reduce == "amin"]


def upto(index: Any) -> Index:
    """The index of the leading elements, as many in each dimension as `index` has."""
    return (*[slice(n) for n in index.shape], ...)


def contributions(g: Any, input: Any, index: Any, dim: int, include_self: bool) -> Any:
    """How many values each element of the mean is made of, at least 1."""
    ones = filled(g, size=index.shape, value=1)
    count = filled(g, size=input.shape, value=int(include_self))
    count = scatter_at(count, index, ones, dim=dim, add=True)
    return count + (count == 0)


def ties(g: Any, input: Any, index: Any, src: Any, out: Any, dim: int, include_self: bool) -> Any:
    """How many values are equal to each extremum, which share its gradient."""
    one = filled(g, size=(), value=1)
    count = (input == out) * one
    if not include_self:
        count = scatter_value(count, index, filled(g, size=()), dim=dim)
    hits = (slices(src, index=upto(index)) == gather_at(out, index, dim=dim)) * one
    return scatter_at(count, index, hits, dim=dim, add=True)


def scatter_reduce(input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True,
                   out: Any = None) -> Any:
    """A copy of `input` with `src` combined at the places `index` names, as in :func:`scatter`.

    Args:
        reduce: "sum", "prod", "mean", "amax" or "amin".
        include_self: whether the values of `input` at those places take part.
    """
    return reduced(False, input, dim, index, src, reduce, include_self, out)


def scatter_reduce_(input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> Any:
    """In-place form of :func:`scatter_reduce`."""
    return reduced(True, input, dim, index, src, reduce, include_self)


def reduced(in_place: bool, input: Any, dim: int, index: Any, src: Any, reduce: str, include_self: bool, out: Any = None) -> Any:
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise ShapeError(f"scatter_reduce: reduce argument must be either sum, prod, mean, amax or amin, got {reduce}.")
    if in_place:
        return reduce_at.inplace(input, index, src, dim=dim, reduce=reduce, include_self=include_self)
    return reduce_at(input, index, src, dim=dim, reduce=reduce, include_self=include_self, out=out)


# ---------------------------------------------------------------------------------------------------- by mask

@op(broadcasts=True, dtypes="same", mixed=("mask",), grad_name="MaskedFillBackward0", called="masked_fill")
def fill_mask(input: Any, mask: Any, value: Any) -> Any:
    """`input` where `mask` is False, the one `value` elsewhere."""
    if mask.dtype.kind != "b":
        raise DtypeError(f"masked_fill only supports boolean masks, but got mask with dtype {call.named(mask.dtype)}")
    return np.where(mask, value, input)
@fill_mask.derivative("input")
def fill_mask_wrt_input(g: Any, mask: Any) -> Any: return fill_mask(g, mask, filled(g, size=()))
@fill_mask.derivative("value")
def fill_mask_wrt_value(g: Any, mask: Any) -> Any: return g * mask
def write_fill_mask(input: Any, mask: Any, value: Any) -> None:
    if mask.dtype.kind != "b":
        fill_mask.info.forward(input, mask, value)  # raises
    if np.broadcast_shapes(mask.shape, input.shape) != input.shape:
        raise ShapeError(f"output with shape {list(input.shape)} doesn't match the broadcast shape with mask {list(mask.shape)}")
    np.copyto(input, value, where=mask)
fill_mask.info.writer = write_fill_mask


def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """`input` with `value`, one number, where `mask` is True; `mask` and `input` are broadcast together."""
    return fill_mask(input, mask, one_value(value, input))


def masked_fill_(input: Any, mask: Any, value: Any) -> Any:
    """In-place form of :func:`masked_fill`."""
    return fill_mask.inplace(input, mask, one_value(value, input))


def one_value(value: Any, input: Any) -> Any:
    if getattr(value, "ndim", 0):
        raise ShapeError("masked_fill: masked_fill only supports a 0-dimensional value tensor, but got tensor with "
                         f"{value.ndim} dimension(s).")
    return as_operand(value, input)


@on_its_card
def masked_select(input: Any, mask: Any, *, out: Any = None) -> Any:
    """The elements of `input` where `mask` is True, as one dimension; the two are broadcast together."""
    if raw(mask).dtype.kind != "b":
        raise DtypeError(f"masked_select: expected BoolTensor for mask, got {call.named(raw(mask).dtype)}")
    call.need_one_device("masked_select", input=input, mask=mask)
    shape = broadcast_shapes(tuple(input.shape), tuple(mask.shape))
    input, mask = expand(input, size=shape), np.broadcast_to(raw(mask), shape)
    return lookup(at_least_vector_of(input), indices=(mask.reshape(shape or (1,)).copy(),), out=out)


def at_least_vector_of(x: Any) -> Any:
    return x if len(x.shape) else reshape(x, shape=(1,))


@op(dtypes="same", mixed=("mask",))
def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    """`input` with its elements where `mask` is True replaced by the first ones of `source`, in order."""
    if mask.dtype.kind != "b":
        raise DtypeError(f"masked_scatter only supports boolean masks, but got mask with dtype {call.named(mask.dtype)}")
    shape = np.broadcast_shapes(input.shape, mask.shape)
    out, mask = np.broadcast_to(input, shape).copy(), np.broadcast_to(mask, shape)
    places = mask.nonzero() if shape else (mask.reshape(1).nonzero()[0],)
    if len(places[0]) > source.size:
        raise ShapeError(f"masked_scatter: expected the number of elements in source ({source.size}) to be at least the number "
                         f"of ones in mask ({len(places[0])})")
    at_least_vector(out)[places] = source.reshape(-1)[:len(places[0])]
    return out
@masked_scatter.derivative("input")
def masked_scatter_wrt_input(g: Any, mask: Any, input_shape: Any) -> Any:
    return sum_to_size(fill_mask(g, mask, filled(g, size=())), size=input_shape)
@masked_scatter.derivative("source")
def masked_scatter_wrt_source(g: Any, mask: Any, source_shape: Any) -> Any:
    return reshape(enlarged(select_mask(g, mask), (math.prod(source_shape),)), shape=source_shape)


@op(called="masked_select")
def select_mask(input: Any, mask: Any) -> Any:
    """The elements of `input` where `mask`, which is broadcast to it, is True."""
    return input[np.broadcast_to(mask, input.shape)]
@select_mask.derivative("input")
def select_mask_wrt_input(g: Any, mask: Any, input_shape: Any) -> Any:
    return masked_scatter(filled(g, size=input_shape), mask, g)


# ---------------------------------------------------------------------------------------------------- places

@op(called="nonzero")
def places_of(input: Any) -> Any:
    """Where `input` is not zero: one row of indices for each such element, in order."""
    return np.argwhere(input)


def nonzero(input: Any, *, as_tuple: bool = False, out: Any = None) -> Any:
    """Where `input` is not zero: one row of indices for each such element or, with `as_tuple`, one tensor per dimension."""
    if not as_tuple:
        return places_of(input, out=out)
    rows = places_of(at_least_vector_of(input))
    return tuple([select(rows, dim=1, index=d) for d in range(rows.shape[1])])


def argwhere(input: Any) -> Any:
    """Where `input` is not zero: one row of indices for each such element."""
    return places_of(input)


@op(called="unravel_index")
def unravel(indices: Any, *, shape: Any) -> Any:
    """The coordinates, along a new first dimension, of the elements that `indices` numbers in a tensor of `shape`."""
    if indices.dtype.kind not in "iu":
        raise DtypeError(f"unravel_index(): expected 'indices' to be integer dtype, but got {call.named(indices.dtype)}")
    size, rest = math.prod(shape), indices.astype(np.int64)
    if indices.size and not -size <= int(rest.min()) <= int(rest.max()) < size:
        raise ShapeError(f"unravel_index(): index is out of bounds for a tensor of shape {list(shape)} with {size} elements")
    rest, found = rest % size, []
    for n in shape[::-1]:
        rest, coordinate = np.divmod(rest, n)
        found.append(coordinate)
    return np.stack(found[::-1])


def unravel_index(indices: Any, shape: Any) -> Any:
    """The coordinates of the elements that `indices` numbers in a tensor of `shape`, as one tensor for each dimension."""
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if any(n < 0 for n in sizes):
        raise ValueError(f"unravel_index(): 'shape' cannot have negative values, got {sizes}")
    if not sizes:
        return ()
    coordinates = unravel(indices, shape=sizes)
    return tuple([select(coordinates, dim=0, index=d) for d in range(len(sizes))])


@op(dtypes="promote", called="isin")
def is_member(elements: Any, test_elements: Any, *, assume_unique: Any = False, invert: Any = False) -> Any:
    """For each element whether it is one of `test_elements`."""
    return np.isin(elements, test_elements, assume_unique=assume_unique, invert=invert)


def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Any:
    """For each of `elements` whether it is (with `invert`: is not) one of `test_elements`; one of the two may be a number."""
    return is_member(elements, test_elements, assume_unique=assume_unique, invert=invert)


@on_its_card
def fill_diagonal_(self: Any, fill_value: Any, wrap: bool = False) -> Any:
    """Write `fill_value` on the main diagonal, in place; the sizes of a tensor of more than two dimensions must be equal.

    With `wrap` the diagonal of a tall matrix begins again below the row after its end.
    """
    shape = tuple(self.shape)
    if len(shape) < 2 or len(shape) > 2 and len(set(shape)) > 1:
        raise ShapeError("fill_diagonal_: all dimensions of input must be of equal length, and there must be at least 2, got "
                         f"shape {list(shape)}")
    if len(shape) == 2 and shape[1]:
        elements = math.prod(shape) if wrap else min(shape) * shape[1]
        rows, columns = np.divmod(np.arange(0, elements, shape[1] + 1, like=self.array), shape[1])
        where: Index = (rows, columns)
    else:
        where = (np.arange(min(shape), like=self.array),) * len(shape)
    return overwrite.inplace(self, as_operand(fill_value, self), index=(...,), indices=where)


@on_its_card
def take(input: Any, index: Any, *, out: Any = None) -> Any:
    """The elements of `input`, as if it were flat, that `index` names; the shape is that of `index`."""
    call.need_one_device("take", input=input, index=index)
    return lookup(ravel(input), indices=(flat_places(input, index).copy(),), out=out)


def put(input: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    """A copy of `input` with the elements that `index` names, as if it were flat, replaced by `source` or added to."""
    return put_flat(False, input, index, source, accumulate)


def put_(input: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    """In-place form of :func:`put`."""
    return put_flat(True, input, index, source, accumulate)


@on_its_card
def put_flat(in_place: bool, input: Any, index: Any, source: Any, accumulate: bool) -> Any:
    call.need_one_device("put", input=input, index=index, source=source)
    places = flat_places(input, index).reshape(-1)
    if math.prod(source.shape) != places.size:
        raise ShapeError(f"put_(): Expected source and index to have the same number of elements, but got source.numel() = "
                         f"{math.prod(source.shape)}, index.numel() = {places.size}")
    if raw(source).dtype is not raw(input).dtype:
        raise DtypeError(f"put_(): Expected source and self to have the same dtype, but got {call.named(raw(source).dtype)} and "
                         f"{call.named(raw(input).dtype)}")
    where = np.unravel_index(places, input.shape) if len(input.shape) else (places,)
    function: Any = add_at if accumulate else overwrite
    function = function.inplace if in_place else function
    return function(input, reshape(source, shape=(places.size,)), index=(...,) if len(input.shape) else (None,), indices=where)


def flat_places(input: Any, index: Any) -> Any:
    places = raw(index)
    if places.dtype.kind not in "iu":
        raise DtypeError(f"take(): Expected a long tensor for index, but got {call.named(places.dtype)}")
    size = math.prod(input.shape)
    if places.size and not size:
        raise DimensionError("take(): tried to take from an empty tensor")
    return in_bounds(places, size, 0)


@on_its_card
def take_along_dim(input: Any, indices: Any, dim: int | None = None, *, out: Any = None) -> Any:
    """`input` at `indices` along `dim`, the other dimensions broadcast together; without `dim`, of the flat `input`."""
    if raw(indices).dtype.kind not in "iu":
        raise DtypeError("take_along_dim: expected 'indices' to have integer dtype, got " + call.named(raw(indices).dtype))
    if dim is None:
        return gather_at(ravel(input), ravel(indices), dim=0, out=out)
    if len(input.shape) != len(indices.shape):
        raise ShapeError(f"take_along_dim(): input and indices should have the same number of dimensions, but got "
                         f"{len(input.shape)} dimensions for input, and {len(indices.shape)} dimensions for indices")
    d = wrapped_dim(dim, len(input.shape))
    one = [1 if k == d else n for k, n in enumerate(input.shape)], [1 if k == d else n for k, n in enumerate(indices.shape)]
    shape = broadcast_shapes(*map(tuple, one))
    def fitted(x: Any) -> Any: return expand(x, size=tuple([x.shape[k] if k == d else n for k, n in enumerate(shape)]))
    index = in_bounds(raw(fitted(indices)), input.shape[d], d)
    return gather_at(fitted(input), index, dim=d, out=out)


@on_its_card
def repeat_interleave(input: Any, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None) -> Any:
    """`input` with each element of dimension `dim` (without it: of the flat tensor) repeated, `repeats` times or, where that
    is a tensor, as many times as it says for that element.

    Given only a tensor of repeats, the result numbers its elements: 0 ``repeats[0]`` times, then 1, and so on.
    """
    if repeats is None:
        counts = raw(input)
        return select_rows(range_like(input, counts.shape[0]), repeated(counts, counts.shape[0], input), dim=0)
    if dim is None:
        input, dim = ravel(input), 0
    elif not len(input.shape):
        input = at_least_vector_of(input)
    d = wrapped_dim(dim, len(input.shape))
    size = input.shape[d]
    counts = raw(repeats)
    if isinstance(counts, int) or counts.size == 1:
        n = int(counts)
        if n < 0:
            raise ShapeError(f"repeat_interleave: repeats can not be negative, got {n}")
        spread = expand(unsqueeze(input, dim=d + 1), size=(*input.shape[:d + 1], n, *input.shape[d + 1:]))
        return reshape(spread, shape=(*input.shape[:d], size * n, *input.shape[d + 1:]))
    if counts.ndim != 1 or counts.shape[0] != size:
        raise ShapeError(f"repeat_interleave: repeats must be 0-dim or 1-dim tensor, of the same size as input along dim {d} "
                         f"({size}), but got shape {list(counts.shape)}")
    index = repeated(counts, size, input)
    if output_size is not None and output_size != index.size:
        raise ShapeError(f"repeat_interleave: allocated size does not match required size: output_size={output_size}, but the "
                         f"repeats sum to {index.size}")
    return select_rows(input, index, dim=d)


def range_like(x: Any, n: int) -> Any:
    numbers = np.arange(n, like=raw(x)).astype(raw(x).dtype)
    return call.constant(numbers, x) if isinstance(x, TensorBase) else numbers


def repeated(counts: Any, size: int, input: Any) -> Any:
    if counts.dtype.kind not in "iu":
        raise DtypeError(f"repeat_interleave: repeats has to be Long or Int tensor, got {call.named(counts.dtype)}")
    if counts.size and int(counts.min()) < 0:
        raise ShapeError("repeat_interleave: repeats can not be negative")
    return np.repeat(np.arange(size, like=counts), counts)


@on_its_card
def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Any:
    """All choices of `r` elements of the vector `input`, as rows, in the order of ``itertools.combinations``."""
    if len(input.shape) != 1:
        raise ShapeError(f"combinations: Expect a 1D vector, but got shape {list(input.shape)}")
    if r < 0:
        raise ShapeError(f"combinations: Expect a non-negative number, but got {r}")
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = list(choose(range(input.shape[0]), r))
    if not r or not rows:
        return reshape(slices(input, index=(slice(0),)), shape=(0,) if not r else (0, r))
    places = np.asarray(rows).reshape(-1, r)
    return lookup(input, indices=(backend.xp_of(raw(input)).asarray(places),))


# ---------------------------------------------------------------------------------------------------- padding

@on_its_card
def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    """`input` with elements added at its borders: ``pad[0]`` before and ``pad[1]`` after the last dimension, ``pad[2]`` and
    ``pad[3]`` for the one before, and so on.

    Args:
        mode: "constant" fills with `value` (0 if None; negative pads take away), "reflect" mirrors without repeating the
            border, "replicate" repeats the border, "circular" continues at the other end.

    >>> import minigrad
    >>> minigrad.nn.functional.pad(minigrad.arange(3), (2, 1)).tolist()
    [0, 0, 0, 1, 2, 0]
    """
    pad = listed((pad,))
    if mode == "constant":
        return constant_pad_nd(input, pad=pad, value=0 if value is None else value)
    if mode not in PADDED:
        raise NotImplementedError(f"pad: Unrecognised padding mode {mode!r}; it can be constant, {', '.join(PADDED)}")
    if value:
        raise ValueError(f'pad: Padding mode "{mode}" doesn\'t take in value argument')
    ndim, count = len(input.shape), len(pad) // 2
    if len(pad) % 2 or not 1 <= count <= 3 or ndim not in (count + 1, count + 2):
        raise NotImplementedError(f"pad: Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now: pad of "
                                  f"length {len(pad)} needs an input of {count + 1} or {count + 2} dimensions, got {ndim}")
    for k in range(count):
        before, after = pad[2 * k], pad[2 * k + 1]
        d = ndim - 1 - k
        if mode == "circular" and min(before, after) < 0:  # what a negative pad takes away is not continued with
            start, end = max(-before, 0), input.shape[d] + min(after, 0)
            input = slices(input, index=(*(slice(None),) * d, slice(start, end), ...))
            before, after = max(before, 0), max(after, 0)
        if before or after:
            places = PADDED[mode](np.arange(-before, input.shape[d] + after), input.shape[d], before, after)
            input = select_rows(input, backend.xp_of(raw(input)).asarray(places), dim=d)
    return input


def reflected(places: Any, n: int, before: int, after: int) -> Any:
    if before >= n or after >= n:
        raise ShapeError("pad: Padding size should be less than the corresponding input dimension, but got: padding "
                         f"({before}, {after}) for a dimension of size {n}")
    return n - 1 - abs(n - 1 - abs(places))


def replicated(places: Any, n: int, before: int, after: int) -> Any:
    if not n:
        raise ShapeError("pad: Expected a non-empty dimension to replicate the border of")
    return np.clip(places, 0, n - 1)


def circled(places: Any, n: int, before: int, after: int) -> Any:
    if before > n or after > n:
        raise ShapeError(f"pad: Padding value causes wrapping around more than once: padding ({before}, {after}) for a dimension "
                         f"of size {n}")
    return places % n


PADDED = {"reflect": reflected, "replicate": replicated, "circular": circled}


def index_reduce(input: Any, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True,
                 out: Any = None) -> Any:
    """A copy of `input` with `source` combined at the places `index` of dimension `dim`: "prod", "mean", "amax" or "amin"."""
    return reduced_rows(False, input, dim, index, source, reduce, include_self, out)


def index_reduce_(input: Any, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True) -> Any:
    """In-place form of :func:`index_reduce`."""
    return reduced_rows(True, input, dim, index, source, reduce, include_self)


@on_its_card
def reduced_rows(in_place: bool, input: Any, dim: int, index: Any, source: Any, reduce: str, include_self: bool,
                 out: Any = None) -> Any:
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise ShapeError(f"index_reduce: reduce argument must be either prod, mean, amax or amin, got {reduce}.")
    call.need_one_device("index_reduce", input=input, index=index, source=source)
    d, places = prepared_rows(raw(input), raw(index), raw(source), dim)
    shape = tuple(source.shape)
    if not len(input.shape):
        places, shape = places.reshape(()) if not shape else places, shape
    everywhere = np.broadcast_to(places.reshape([-1 if k == d else 1 for k in range(len(shape))]), shape)
    return reduced(in_place, input, dim, everywhere, source, reduce, include_self, out)


def nonzero_static(input: Any, *, size: int, fill_value: int = -1) -> Any:
    """As :func:`nonzero`, but with exactly `size` rows: the first ones, then rows of `fill_value`."""
    rows = places_of(input)
    found, ndim = rows.shape
    return rows[:size] if found >= size else constant_pad_nd(rows, pad=(0, 0, 0, size - found), value=fill_value)


# ---------------------------------------------------------------------------------------------------- by step in memory

def storage_of(x: Any) -> Any:
    """The memory that the array `x` lies in, as one vector of its dtype. Raises ``RuntimeError`` where it has gaps."""
    owner = memory_owner(x)
    owner = owner if owner.flags.c_contiguous else owner.transpose(np.argsort([-s for s in owner.strides], kind="stable"))
    if not owner.flags.c_contiguous:
        raise ShapeError("as_strided: the tensor lies in memory that has gaps, which minigrad did not lay out; clone() it")
    return owner.reshape(-1).view(x.dtype)


def places_in_storage(like: Any, size: Any, stride: Any, offset: int) -> Any:
    """Where the elements of a tensor of `size` and `stride` lie, counted in elements, as an array beside `like`."""
    places = backend.full((1,) * len(size), offset, like, np.intp)
    for d, (n, step) in enumerate(zip(size, stride)):
        places = places + (np.arange(n, like=like) * step).reshape([-1 if k == d else 1 for k in range(len(size))])
    return places


def geometry(x: Any) -> tuple[Any, Any, int, int]:
    """Size, stride and offset of the array `x` in its memory, in elements, and how many elements that memory has."""
    storage = storage_of(x)
    offset = (backend.address_of(x) - backend.address_of(storage)) // x.itemsize
    return tuple(x.shape), tuple([s // x.itemsize for s in x.strides]), offset, storage.size


@op(view=True)
def strided(input: Any, *, size: Any, stride: Any, offset: Any, lies: Any) -> Any:
    """The elements at `offset` and steps `stride` in the memory of a tensor whose :func:`geometry` is `lies`."""
    if lies[1:] == geometry(input)[1:]:
        memory = storage_of(input)[offset:]
        return backend.library_of(input).as_strided(memory, size, [s * input.itemsize for s in stride])
    memory = np.zeros(lies[3], input.dtype, like=input)  # a gradient, say, that lies elsewhere: laid out in the same way first
    memory[places_in_storage(input, *lies[:3])] = input
    return memory[places_in_storage(input, size, stride, offset)]
@strided.derivative("input")
def strided_wrt_input(g: Any, size: Any, stride: Any, offset: Any, lies: Any) -> Any:
    memory = accumulate_at(g, indices=(places_in_storage(raw(g), size, stride, offset),), size=(lies[3],))
    own = places_in_storage(raw(g), *lies[:3])
    shared = np.bincount(own.reshape(-1), minlength=lies[3])[own]  # in an expanded tensor several elements are one
    grad = lookup(memory, indices=(own,))
    return grad if not shared.size or int(shared.max()) == 1 else grad / as_operand(shared, g)


def as_strided(input: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Any:
    """A view of the memory of `input` with this size, step in each dimension and offset, all counted in elements.

    Raises ``RuntimeError`` where that reaches outside of the memory.
    """
    size, stride = tuple(size), tuple(stride)
    if len(size) != len(stride):
        raise ShapeError(f"as_strided: mismatch in length of strides and shape: {list(stride)} and {list(size)}")
    lies = geometry(raw(input))
    offset = lies[2] if storage_offset is None else storage_offset
    if min((*size, *stride, offset), default=0) < 0:
        raise ShapeError(f"as_strided: size, stride and storage_offset must not be negative: {list(size)}, {list(stride)}, "
                         f"{offset}")
    last = offset + sum([(n - 1) * s for n, s in zip(size, stride)])
    if 0 not in size and last >= lies[3]:
        raise ShapeError(f"as_strided: setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset} requiring "
                         f"a storage size of {last + 1} elements are out of bounds for storage of size {lies[3]}")
    return strided(input, size=size, stride=stride, offset=offset, lies=lies)


@on_its_card
def as_strided_scatter(input: Any, src: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Any:
    """A copy of `input` with `src` at the places that :func:`as_strided` would give."""
    lies = geometry(raw(input))
    if tuple(src.shape) != tuple(size):
        raise ShapeError(f"as_strided_scatter: expected src to have a size equal to the slice of self. src size = "
                         f"{list(src.shape)}, slice size = {list(size)}")
    as_strided(input, size, stride, storage_offset)  # raises where that cannot be
    own = places_in_storage(raw(input), *lies[:3])
    written = places_in_storage(raw(input), tuple(size), tuple(stride), lies[2] if storage_offset is None else storage_offset)
    memory = overwrite(filled(input, size=(lies[3],)), input, index=(...,), indices=(own,))
    return lookup(overwrite(memory, src, index=(...,), indices=(written,)), indices=(own,))


as_strided_, as_strided_copy = changes_shape(as_strided), copied(as_strided)


@on_its_card
def resize_(self: Any, *size: Any, memory_format: Any = None) -> Any:
    """Change the shape in place, keeping the elements in the order of memory; what is added is zero.

    Raises ``RuntimeError`` for a tensor that requires grad.
    """
    if self.node is not None:
        raise GraphError("resize_: cannot resize variables that require grad; use reshape(), or pad()")
    shape = listed(size)
    if any([n < 0 for n in shape]):
        raise ShapeError(f"resize_: Trying to create tensor with negative dimension in {list(shape)}")
    array, n = self.array, math.prod(shape)
    memory = storage_of(array)[geometry(array)[2]:]
    if n > memory.size:
        longer = np.zeros(n, memory.dtype, like=memory)
        longer[:memory.size] = memory
        memory = longer
    self.array = memory[:n].reshape(shape)
    return self


def resize_as_(self: Any, other: Any, memory_format: Any = None) -> Any:
    """``self.resize_(other.shape)``."""
    return resize_(self, tuple(other.shape))
