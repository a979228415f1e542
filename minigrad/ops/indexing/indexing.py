"""Reading and writing elements by index, next to their adjoints: what is read from a place gives its gradient back to it.

``x[index]`` is done as PyTorch does it: first the part that a view can give (integers, slices, None, ...), then the lookup
by index arrays in what that left. Index arrays are brought to one form before an operation sees them: checked against the
size of their dimension, and counted from the front.
"""

from __future__ import annotations

import math
from operator import index as integer
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays
from minigrad._types import dtypes, layouts
from minigrad._types.dtypes import opmath_dtype
from minigrad._types.tensor_base import LEAF, TensorBase, unwrap
from minigrad.errors import (
    ArgumentError,
    DeviceError,
    DimensionError,
    DtypeError,
    InplaceError,
    InvalidIndexError,
    InvalidValueError,
    OutOfBoundsError,
    ShapeError,
)
from minigrad.ops.pointwise.arithmetic import cast
from minigrad.ops.shaping.shape import constant_full, expand, reshape, sum_to_size, wrap_dim
from minigrad.ops.shaping.slicing import OF_NO_DIMENSION, select, slices, wrap_index
from minigrad.recording import call, inplace, watching
from minigrad.recording.argument_errors import dtype_name
from minigrad.recording.clock import ledger
from minigrad.recording.device_guard import on_device_of_inputs
from minigrad.recording.graph import grad_enabled
from minigrad.recording.hints import warn_user
from minigrad.recording.op import op

if TYPE_CHECKING:
    from collections.abc import Sequence

    from minigrad._types.annotations import Index, Number, Tensor

__all__ = ["index_add", "index_copy", "index_fill", "index_put", "index_select"]

Parts = tuple[Any, ...]  # an index, one part for each dimension


# ---------------------------------------------------------------------------------------------------- understanding an index

def index_array(value: Any, like: Any) -> Any:
    """An index that is none of Python's own as an array on the device of `like`."""
    if isinstance(value, (list, tuple, range)):
        value = _arrays.xp_of(like).asarray([unwrap(v).tolist() if hasattr(unwrap(v), "tolist") else v for v in value])
        value = value if value.size else value.astype(np.intp)
    value = unwrap(value)
    if not _arrays.is_array(value) and not isinstance(value, np.generic):
        raise InvalidIndexError("only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid "
                                f"indices (got {type(value).__name__})")
    if value.dtype.kind not in "biu":
        raise InvalidIndexError(f"tensors used as indices must be long, int, byte or bool tensors, not {dtype_name(value.dtype)}")
    if value.dtype == np.uint8:
        warn_user("indexing with dtype minigrad.uint8 is now deprecated, please use a dtype minigrad.bool instead")
        value = value.astype(np.bool_)
    if isinstance(value, np.ndarray) and not isinstance(like, np.ndarray):
        value = _arrays.xp_of(like).asarray(value)
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
            raise OutOfBoundsError(f"index {low if high < size else high} is out of bounds for "
                                   f"dimension {dim} with size {size}")
        if low < 0:
            return np.where(index < 0, index + size, index).astype(np.intp)
    return index.astype(np.intp)


@watching.watched
def positions(index: Any, size: int, dim: int, checked: bool) -> Any:
    """The integer array `index` as one that finds elements of dimension `dim`, of `size` elements; see :func:`in_bounds`. It is a
    copy: what the user writes to the index later must not show in the gradient."""
    index = index.astype(np.intp)
    return in_bounds(index, size, dim) if checked else index


def one_index(value: Any, like: Any) -> Any:
    """One part of an index as an integer, bool, slice, None, ``...`` or an array of at least one dimension."""
    if value is None or value is Ellipsis or isinstance(value, (slice, int)):
        return value
    array = index_array(value, like)
    if watching.count and not (array.ndim and array.dtype.kind in "iu"):
        watching.show_read(array)
    return array if array.ndim else bool(array) if array.dtype.kind == "b" else int(array)


def parse_index(index: Any, x: Any, checked: bool = True) -> tuple[Parts, Parts | None]:
    """Split `index` into the array `x` in two: the index of a view, and for each dimension of that view an index array or None.

    Without `checked` it is left to the array library to find integers that are out of bounds.
    """
    items = [one_index(unwrap(i), x) for i in parts_of(index)]
    used = sum([(i.ndim if i.dtype.kind == "b" else 1) if _arrays.is_array(i) else
                not (i is None or i is Ellipsis or isinstance(i, bool)) for i in items])
    if used > x.ndim:
        raise DimensionError(f"too many indices for tensor of dimension {x.ndim}: shape {list(x.shape)}, {used} given"
                             + ("" if x.ndim else f". {OF_NO_DIMENSION}"))
    if not any(i is Ellipsis for i in items):
        items.append(Ellipsis)
    masks = sum([_arrays.is_array(i) or isinstance(i, bool) for i in items])
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
            basic.append(wrap_index(i, dim, x.shape))
            dim += 1
        elif isinstance(i, slice):
            start, stop, step = [None if v is None else integer(v) for v in (i.start, i.stop, i.step)]
            if step is not None and step <= 0:
                raise InvalidValueError("step must be greater than zero: use minigrad.flip(x, dims) to reverse a dimension")
            basic.append(slice(start, stop, step))
            arrays.append(None)
            dim += 1
        elif i.__class__ is not x.__class__:
            raise DeviceError("index: expected all tensors on the same device: indices should be either on cpu or on the same "
                              f"device as the indexed tensor ({_arrays.device_of(x)}), but one is on {_arrays.device_of(i)}; "
                              f"move it, for instance index.to('{_arrays.device_of(x)}')")
        elif i.dtype.kind == "b":
            if i.shape != x.shape[dim:dim + i.ndim]:
                raise DimensionError(f"The shape of the mask {list(i.shape)} at index {dim} does not match the shape of the "
                                     f"indexed tensor {list(x.shape)} at index {dim}")
            basic += [slice(None)] * i.ndim
            arrays += [i.copy()] if masks == 1 else i.nonzero()
            dim += i.ndim
        else:
            basic.append(slice(None))
            arrays.append(positions(i, x.shape[dim], dim, checked))
            dim += 1
    while arrays and arrays[-1] is None:
        arrays.pop()
    return tuple(basic) + (...,), tuple(arrays) or None


def parts_of(index: Any) -> Parts:
    """The parts of an index, one for each dimension. A list that no tensor can be made of, for a slice is in it, counts as a
    tuple; any other is one part."""
    if isinstance(index, list) and any([i is None or i is Ellipsis or isinstance(i, slice) for i in index]):
        return tuple(index)
    return index if isinstance(index, tuple) else (index,)


def is_simple(index: Any) -> bool:
    """Whether one part of an index is Python's own: an integer, a slice that goes forwards, None or ``...``."""
    kind = index.__class__
    if kind is slice:
        return (index.start is None or index.start.__class__ is int) and (index.stop is None or index.stop.__class__ is int) and (
            index.step is None or index.step.__class__ is int and index.step > 0)
    return kind is int or index is None or index is Ellipsis


def selects_all(index: Parts) -> bool:
    """Whether `index`, which consists of slices, selects all elements."""
    return all([i is Ellipsis or i.__class__ is slice and i == slice(None) for i in index])


def fill_index(indices: Parts) -> Parts:
    """Index arrays in the form that NumPy takes: a dimension that has none gets a full slice."""
    return tuple([slice(None) if i is None else i for i in indices])


@on_device_of_inputs
def convert_operand(value: Any, like: Any) -> Tensor:
    """A number, array or tensor as an operand for `like`: of its dtype, and on its device."""
    x = unwrap(like)
    wanted = dtypes.FROM_NUMPY[x.dtype]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (bool, int, float, complex)):
        if wanted.kind != "c" and isinstance(value, complex):
            raise DtypeError(f"value cannot be converted to type {wanted!r} without overflow: {value!r} is complex")
        value = call.scalar_array(int(value) if wanted.kind in "iu" and not isinstance(value, complex) else value, wanted, x)
    elif not isinstance(value, TensorBase) and not _arrays.is_array(value):
        raise ArgumentError(f"can't assign a {type(value).__name__} to a tensor of {wanted!r}")
    if unwrap(value).dtype.kind == "c" and wanted.kind != "c":
        warn_user(f"casting complex values to {wanted!r} discards the imaginary part; use .real to say so")
    if isinstance(like, TensorBase) and not isinstance(value, TensorBase):
        value = call.constant(value, like)
    if unwrap(value).__class__ is np.ndarray is not x.__class__ and not value.ndim:  # a number from host memory
        value = call.move_to_device(value, _arrays.device_of(x))
    return value if unwrap(value).dtype is x.dtype else cast(value, dtype=wanted)


# ---------------------------------------------------------------------------------------------------- x[index], x[index] = value

@on_device_of_inputs
def getitem(input: Tensor, index: Index) -> Tensor:
    """``input[index]``: a view for integers, slices, None and ``...``; a copy where index tensors, lists or masks take part."""
    if index.__class__ is int:
        return select(input, dim=0, index=index)
    parts = index if index.__class__ is tuple else parts_of(index)
    try:
        if all([is_simple(part) for part in parts]) and (dots := parts.count(Ellipsis)) < 2:
            return slices(input, index=parts if dots else (*parts, ...))
        basic, arrays = parse_index(parts, unwrap(input), checked=not isinstance(unwrap(input), np.ndarray))
        if arrays is not None:
            return lookup(input if selects_all(basic) else slices(input, index=basic), indices=arrays)
    except IndexError:
        parse_index(parts, unwrap(input))  # raises an error that says more
        raise
    return slices(input, index=basic)


@op(grad_name="IndexBackward0", called="index", bfloat16=True)
def lookup(input: Any, *, indices: Any) -> Any:
    """The elements of `input` at `indices`, which has an array of positions for each dimension, or None for all of it; or is a
    mask."""
    if all([i is None for i in indices[:-1]]) and indices[-1].dtype.kind != "b":
        found = input.take(indices[-1], axis=len(indices) - 1)
    else:
        found = input[fill_index(indices)]
    if input.flags.c_contiguous and found.flags.c_contiguous:
        return found
    return layouts.in_order(found, order_of_selected(input, indices, found.shape))
@lookup.derivative("input")
def lookup_wrt_input(g: Any, indices: Any, input_shape: Any) -> Any: return accumulate_at(g, indices=indices, size=input_shape)


def order_of_selected(input: Any, indices: Parts, shape: Any) -> Sequence[int]:
    """The order in memory of what :func:`lookup` selects, of `shape`: that of `input`, among the dimensions that are kept."""
    named = [d for d, i in enumerate(indices) if i is not None]
    if indices[-1].dtype.kind == "b":  # a mask
        named = [*range(named[0], named[0] + indices[-1].ndim)]
    kept = [step for d, step in enumerate(layouts.steps_of(input, input.shape)) if d not in named]
    new = len(shape) - len(kept)
    start = named[0] if named[-1] - named[0] < len(named) else 0  # dimensions that are not side by side come first
    within = [math.prod(shape[max(d, start - 1) + 1:start + new]) if start <= d < start + new or n == 1 else 0
              for d, n in enumerate(shape)]  # the steps of the positions, which are broadcast to `shape`
    return layouts.order_of_steps(shape, [[*kept[:start], *[0] * new, *kept[start:]], within])


@op(called="index_put")
def accumulate_at(input: Any, *, indices: Any, size: Any) -> Any:
    """Zeros of shape `size` with `input` added at `indices`: the adjoint of :func:`lookup`."""
    out = np.zeros(size, input.dtype, like=input)
    if indices[-1].dtype.kind == "b":  # no place appears twice
        out[fill_index(indices)] = input
    else:
        _arrays.library_of(out).index_add(out, fill_index(indices), input)
    return out
@accumulate_at.derivative("input")
def accumulate_at_wrt_input(g: Any, indices: Any) -> Any: return lookup(g, indices=indices)


@op(layout="like_input", grad_name="IndexPutBackward0", called="index_put", bfloat16=True)
def overwrite(input: Any, value: Any, *, index: Any, indices: Any) -> Any:
    """A copy of `input` with `value` at ``[index][indices]``, as :func:`parse_index` gives them."""
    out = input.copy(order="K")
    write_at(out, value, index, indices)
    return out
@overwrite.derivative("input")
def overwrite_wrt_input(g: Any, index: Any, indices: Any) -> Any:
    return overwrite(g, constant_full(g, size=()), index=index, indices=indices)
@overwrite.derivative("value")
def overwrite_wrt_value(g: Any, index: Any, indices: Any, value_shape: Any) -> Any:
    part = slices(g, index=index)
    return sum_to_size(part if indices is None else lookup(part, indices=indices), size=value_shape)
def write_at(input: Any, value: Any, index: Any, indices: Any) -> None:
    """Write `value` into `input` at ``[index][indices]``."""
    part, where = (input, index) if indices is None else (input[index], fill_index(indices))
    try:
        if value.ndim and value.shape[0] == 1 and value.ndim > part[where].ndim:  # to which NumPy has no objection
            raise ValueError
        part[where] = value
    except ValueError:
        raise ShapeError(f"shape mismatch: value tensor of shape {list(value.shape)} cannot be broadcast to indexing result of "
                         f"shape {list(part[where].shape)}") from None
overwrite.info.writer = write_at


@on_device_of_inputs
def setitem(input: Tensor, index: Index, value: Tensor | Number) -> None:
    """``input[index] = value``, in place; `value` is broadcast. Gradients flow to it, and to the rest of `input`.

    Raises ``RuntimeError`` for a leaf that requires grad; write to it under ``no_grad()``.
    """
    target, base = input.array, input._base
    basic, indices = parse_index(index, target)
    recorded = grad_enabled.get() and (input.node is not None or getattr(value, "node", None) is not None
                                       or base is not None and base.node is not None) or watching.count
    if inplace.overlaps(target):  # what is written may be a part of it in which no two elements share memory
        if indices is not None:
            inplace.refuse_overlap(target, "index_put_")
        slices(input, index=basic).copy_(convert_operand(value, input))
        return
    if not recorded and value.__class__ in (int, float, bool):  # the most frequent case
        try:
            (target if indices is None else target[basic])[basic if indices is None else fill_index(indices)] = value
        except (OverflowError, ValueError):
            inplace.refuse_read_only(target, "setitem")
            values = 1 << 8 * target.dtype.itemsize
            if target.dtype.kind == "u" and value.__class__ is int and -values < value < 0:  # wraps around, as in fill_()
                setitem(input, index, value + values)
                return
            raise DtypeError(f"setitem: value cannot be converted to type {dtype_name(target.dtype)} without overflow: "
                             f"{value}") from None
        ledger.record(target, "setitem")
        return
    if grad_enabled.get() and (input.node is LEAF or base is not None and base.node is LEAF):
        raise InplaceError("setitem: a view of a leaf Variable that requires grad is being used in an in-place operation, "
                           "x[index] = value; write under `with minigrad.no_grad():`, or into a copy: x = x.clone()")
    value = convert_operand(value, input)
    extra = value.ndim - (target[basic].ndim if indices is None else 0)
    lead = next((d for d, n in enumerate(value.shape[:max(extra, 0)]) if n != 1), max(extra, 0))
    if lead:  # leading sizes of 1 fall away
        value = reshape(value, shape=value.shape[lead:])
    if indices is None or not value.ndim:  # a copy of anything, or a number, comes from wherever it is
        value = move_beside(value, target)
    overwrite.inplace(input, value, index=basic, indices=indices)


def move_beside(value: Tensor, target: Any) -> Tensor:
    """`value` on the device of the array `target`."""
    return value if unwrap(value).__class__ is np.ndarray is target.__class__ else call.move_to_device(value,
                                                                                                       _arrays.device_of(target))


def index_put(input: Tensor, indices: Sequence[Tensor | None], values: Tensor, accumulate: bool = False) -> Tensor:
    """A copy of `input` with `values` at `indices`, a tuple of index tensors; with `accumulate`, added to what is there."""
    return put_at(False, input, indices, values, accumulate)


def index_put_(input: Tensor, indices: Sequence[Tensor | None], values: Tensor, accumulate: bool = False) -> Tensor:
    """In-place form of :func:`index_put`."""
    return put_at(True, input, indices, values, accumulate)


@on_device_of_inputs
def put_at(in_place: bool, input: Any, indices: Any, values: Any, accumulate: bool) -> Tensor:
    if unwrap(values).dtype is not unwrap(input).dtype:
        raise DtypeError("index_put: Index put requires the source and destination dtypes match, got "
                         f"{dtype_name(unwrap(input).dtype)} for the destination and {dtype_name(unwrap(values).dtype)} for the "
                         "source.")
    basic, arrays = parse_index(tuple([slice(None) if i is None else i for i in indices]), unwrap(input))
    if not values.ndim:
        values = move_beside(values, unwrap(input))
    function: Any = overwrite if not accumulate or arrays is None else add_at
    function = function.inplace if in_place else function
    return function(input, values, index=basic, indices=arrays)  # type: ignore[no-any-return]


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
    _arrays.library_of(input).index_add(input[index], fill_index(indices), values)
add_at.info.writer = write_add_at


# ---------------------------------------------------------------------------------------------------- rows of a dimension

def row_index(index: Any, size: int, dim: int) -> Any:
    """`index` as the integer vector that names elements of dimension `dim`. Negative numbers are refused, as in PyTorch."""
    if index.dtype.kind not in "iu":
        raise DtypeError(f"index: Expected dtype int32 or int64 for index, got {dtype_name(index.dtype)}")
    if index.ndim > 1:
        raise DimensionError(f"index is supposed to be a vector, but got shape {list(index.shape)}")
    return in_bounds(index.reshape(-1), size, dim, negative=False)


@op(discrete=("index",), layout="contiguous", called="index_select", bfloat16=True)
def select_rows(input: Any, index: Any, *, dim: Any) -> Any:
    """The elements of dimension `dim` that `index`, a vector of integers, names, in its order."""
    d = wrap_dim(dim, input.ndim)
    if not input.ndim:
        return input.reshape(1).take(row_index(index, 1, 0)).sum(dtype=input.dtype)
    return input.take(row_index(index, input.shape[d], d), axis=d)
@select_rows.derivative("input")
def select_rows_wrt_input(g: Any, index: Any, dim: Any, input_shape: Any) -> Any:
    return scatter_rows(g, index, dim=dim, size=input_shape)


@op(discrete=("index",))
def scatter_rows(input: Any, index: Any, *, dim: Any, size: Any) -> Any:
    """Zeros of shape `size` with the elements of dimension `dim` added at `index`: the adjoint of :func:`select_rows`."""
    out = np.zeros(size, input.dtype, like=input)
    write_add_rows(out, index, input, dim, 1)
    return out
@scatter_rows.derivative("input")
def scatter_rows_wrt_input(g: Any, index: Any, dim: Any) -> Any: return select_rows(g, index, dim=dim)


@op(dtypes="same", discrete=("index",), layout="contiguous", called="index_add")
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
    d, index = prepare_rows(input, index, source, dim)
    target = input if input.ndim else input.reshape(1)
    exact = opmath_dtype(source.dtype)  # which the sum is computed in too
    values = source if alpha == 1 else source.astype(exact, copy=False) * np.asarray(alpha).astype(exact)[()]
    _arrays.library_of(input).index_add(target, (slice(None),) * d + (index,), values.reshape(-1) if not source.ndim else values)
add_rows.info.writer = write_add_rows


@op(dtypes="same", discrete=("index",), layout="contiguous", called="index_copy")
def copy_rows(input: Any, index: Any, source: Any, *, dim: Any) -> Any:
    """A copy of `input` with `source` at the places `index` of dimension `dim`."""
    out = input.copy(order="K")
    write_copy_rows(out, index, source, dim)
    return out
@copy_rows.derivative("input")
def copy_rows_wrt_input(g: Any, index: Any, dim: Any) -> Any: return fill_rows(g, index, constant_full(g, size=()), dim=dim)
@copy_rows.derivative("source")
def copy_rows_wrt_source(g: Any, index: Any, dim: Any, source_shape: Any) -> Any:
    return expand(select_rows(g, index, dim=dim), size=source_shape)
def write_copy_rows(input: Any, index: Any, source: Any, dim: Any) -> None:
    d, index = prepare_rows(input, index, source, dim)
    (input if input.ndim else input.reshape(1))[(slice(None),) * d + (index,)] = source
copy_rows.info.writer = write_copy_rows


@op(dtypes="same", discrete=("index",), called="index_fill")
def fill_rows(input: Any, index: Any, value: Any, *, dim: Any) -> Any:
    """A copy of `input` with the one `value` at the places `index` of dimension `dim`."""
    out = input.copy(order="K")
    write_fill_rows(out, index, value, dim)
    return out
@fill_rows.derivative("input")
def fill_rows_wrt_input(g: Any, index: Any, dim: Any) -> Any: return fill_rows(g, index, constant_full(g, size=()), dim=dim)
@fill_rows.derivative("value")
def fill_rows_wrt_value(g: Any, index: Any, dim: Any) -> Any:
    return sum_to_size(select_rows(g, unique_values(index), dim=dim), size=())
def write_fill_rows(input: Any, index: Any, value: Any, dim: Any) -> None:
    if value.ndim:
        raise ShapeError(f"index_fill only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s).")
    d = wrap_dim(dim, input.ndim)
    index = row_index(index, input.shape[d] if input.ndim else 1, d)
    (input if input.ndim else input.reshape(1))[(slice(None),) * d + (index,)] = value
fill_rows.info.writer = write_fill_rows


@op(differentiable=False)
def unique_values(input: Any) -> Any:
    """The distinct values of `input`."""
    return np.unique(input)


def prepare_rows(input: Any, index: Any, source: Any, dim: Any) -> tuple[int, Any]:
    """`dim` and `index` for writing `source` into rows of `input`. Raises if their shapes do not fit."""
    d = wrap_dim(dim, input.ndim)
    index = row_index(index, input.shape[d] if input.ndim else 1, d)
    wanted = (*input.shape[:d], index.size, *input.shape[d + 1:]) if input.ndim else (index.size,)
    if source.shape != wanted and not (source.ndim == 0 and math.prod(wanted) == 1):
        raise ShapeError(f"source of shape {list(source.shape)} does not fit: with {index.size} places in dimension {d} of an "
                         f"input of shape {list(input.shape)} it must have shape {list(wanted)}")
    return d, index


def index_select(input: Tensor, dim: int, index: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The elements of dimension `dim` that `index`, a vector of integers >= 0, names, in its order.

    >>> import minigrad
    >>> minigrad.index_select(minigrad.arange(4) * 10, 0, minigrad.tensor([3, 0, 0])).tolist()
    [30, 0, 0]
    """
    return select_rows(input, index, dim=dim, out=out)


def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Number = 1, out: Tensor | None = None) -> Tensor:
    """A copy of `input` with ``alpha * source`` added at the places `index` of dimension `dim`; repeated places add up."""
    return add_rows(input, index, source, dim=dim, alpha=alpha, out=out)


def index_add_(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Number = 1) -> Tensor:
    """In-place form of :func:`index_add`."""
    return add_rows.inplace(input, index, source, dim=dim, alpha=alpha)


def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor, *, out: Tensor | None = None) -> Tensor:
    """A copy of `input` with `source` at the places `index` of dimension `dim`."""
    return copy_rows(input, index, source, dim=dim, out=out)


def index_copy_(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """In-place form of :func:`index_copy`."""
    return copy_rows.inplace(input, index, source, dim=dim)


def index_fill(input: Tensor, dim: int, index: Tensor, value: Tensor | Number) -> Tensor:
    """A copy of `input` with `value`, one number, at the places `index` of dimension `dim`."""
    return fill_rows(input, index, move_beside(convert_operand(value, input), unwrap(input)), dim=dim)


def index_fill_(input: Tensor, dim: int, index: Tensor, value: Tensor | Number) -> Tensor:
    """In-place form of :func:`index_fill`."""
    return fill_rows.inplace(input, index, move_beside(convert_operand(value, input), unwrap(input)), dim=dim)
