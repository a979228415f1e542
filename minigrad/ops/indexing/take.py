"""Where elements are, and what is at a list of places: nonzero, take and put, repeat_interleave, combinations."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from minigrad import _arrays
from minigrad._types.tensor_base import TensorBase, unwrap
from minigrad.errors import (
    ArgumentError,
    DimensionError,
    DtypeError,
    InvalidIndexError,
    InvalidValueError,
    RuntimeValueError,
    ShapeError,
)
from minigrad.ops.indexing.indexing import Parts, add_at, convert_operand, in_bounds, lookup, overwrite, select_rows
from minigrad.ops.indexing.scatter import at_least_vector_of, gather_at
from minigrad.ops.shaping.shape import broadcast_shapes, expand, in_layout, ravel, reshape, reshape_copy, unsqueeze, wrap_dim
from minigrad.ops.shaping.slicing import constant_pad_nd, select, slices
from minigrad.recording import call
from minigrad.recording.argument_errors import dtype_name, require_one_device
from minigrad.recording.device_guard import on_device_of_inputs
from minigrad.recording.op import op

if TYPE_CHECKING:
    from typing import Literal

    from minigrad._types.annotations import IntOrInts, Number, Tensor

__all__ = ["argwhere", "combinations", "isin", "nonzero", "nonzero_static", "put", "repeat_interleave", "take",
           "take_along_dim", "unravel_index"]


# ---------------------------------------------------------------------------------------------------- places

@op(differentiable=False, called="nonzero")
def nonzero_indices(input: Any) -> Any:
    """The indices of the elements of `input` that are not zero: one row for each, in row-major order."""
    return np.argwhere(input)


@overload
def nonzero(input: Tensor, *, as_tuple: Literal[False] = False, out: Tensor | None = None) -> Tensor: ...
@overload
def nonzero(input: Tensor, *, as_tuple: Literal[True]) -> tuple[Tensor, ...]: ...
def nonzero(input: Tensor, *, as_tuple: bool = False, out: Tensor | None = None) -> Tensor | tuple[Tensor, ...]:
    """Where `input` is not zero: one row of indices for each such element or, with `as_tuple`, one tensor per dimension."""
    if not as_tuple:
        return nonzero_indices(input, out=out)
    if out is not None:
        raise ArgumentError("nonzero(): got 'out' with as_tuple=True, which gives a tensor for each dimension, all of them new")
    rows = nonzero_indices(at_least_vector_of(input))
    return tuple([select(rows, dim=1, index=d) for d in range(rows.shape[1])])


def argwhere(input: Tensor) -> Tensor:
    """Where `input` is not zero: one row of indices for each such element."""
    return nonzero_indices(input)


@op(differentiable=False, called="unravel_index")
def unravel(indices: Any, *, shape: Any) -> Any:
    """The coordinates, along a new first dimension, of the elements that `indices` numbers in a tensor of `shape`."""
    if indices.dtype.kind not in "iu":
        raise DtypeError(f"unravel_index(): expected 'indices' to be integer dtype, but got {dtype_name(indices.dtype)}")
    size, rest = math.prod(shape), indices.astype(np.int64)
    if indices.size and not -size <= int(rest.min()) <= int(rest.max()) < size:
        raise RuntimeValueError(f"unravel_index(): index is out of bounds for a tensor of shape {list(shape)} with {size} "
                                "elements")
    rest, found = rest % size, []
    for n in shape[::-1]:
        rest, coordinate = np.divmod(rest, n)
        found.append(coordinate)
    return np.stack(found[::-1])


def unravel_index(indices: Tensor, shape: IntOrInts) -> tuple[Tensor, ...]:
    """The coordinates of the elements that `indices` numbers in a tensor of `shape`, as one tensor for each dimension."""
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if any(n < 0 for n in sizes):
        raise InvalidValueError(f"unravel_index(): 'shape' cannot have negative values, got {sizes}")
    if not sizes:
        return ()
    coordinates = unravel(indices, shape=sizes)
    return tuple([select(coordinates, dim=0, index=d) for d in range(len(sizes))])


@op(dtypes="promote", differentiable=False, called="isin")
def is_member(elements: Any, test_elements: Any, *, assume_unique: Any = False, invert: Any = False) -> Any:
    """For each element whether it is one of `test_elements`."""
    return np.isin(elements, test_elements, assume_unique=assume_unique, invert=invert)


def isin(elements: Tensor | Number, test_elements: Tensor | Number, *, assume_unique: bool = False,
         invert: bool = False, out: Tensor | None = None) -> Tensor:
    """For each of `elements` whether it is (with `invert`: is not) one of `test_elements`; one of the two may be a number."""
    return is_member(elements, test_elements, assume_unique=assume_unique, invert=invert, out=out)


@on_device_of_inputs
def fill_diagonal_(self: Tensor, fill_value: Number, wrap: bool = False) -> Tensor:
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
        where: Parts = (rows, columns)
    else:
        where = (np.arange(min(shape), like=self.array),) * len(shape)
    return overwrite.inplace(self, convert_operand(fill_value, self), index=(...,), indices=where)


@on_device_of_inputs
def take(input: Tensor, index: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The elements of `input`, as if it were flat, that `index` names; the shape is that of `index`."""
    require_one_device("take", input=input, index=index)
    return lookup(ravel(input), indices=(flat_indices(input, index).copy(),), out=out)


def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """A copy of `input` with the elements that `index` names, as if it were flat, replaced by `source` or added to."""
    return put_flat(False, input, index, source, accumulate)


def put_(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """In-place form of :func:`put`."""
    return put_flat(True, input, index, source, accumulate)


@on_device_of_inputs
def put_flat(in_place: bool, input: Any, index: Any, source: Any, accumulate: bool) -> Tensor:
    require_one_device("put", input=input, index=index, source=source)
    places = flat_indices(input, index).reshape(-1)
    if math.prod(source.shape) != places.size:
        raise InvalidIndexError(f"put_(): Expected source and index to have the same number of elements, but got "
                                f"source.numel() = {math.prod(source.shape)}, index.numel() = {places.size}")
    if unwrap(source).dtype is not unwrap(input).dtype:
        raise DtypeError(f"put_(): Expected source and self to have the same dtype, but got {dtype_name(unwrap(source).dtype)} "
                         f"and {dtype_name(unwrap(input).dtype)}")
    where = np.unravel_index(places, input.shape) if len(input.shape) else (places,)
    function: Any = add_at if accumulate else overwrite
    function = function.inplace if in_place else function
    index = (...,) if len(input.shape) else (None,)
    return function(input, reshape(source, shape=(places.size,)), index=index, indices=where)  # type: ignore[no-any-return]


def flat_indices(input: Any, index: Any) -> Any:
    """`index` into the flattened `input`, counted from the front. Raises for what is out of bounds or of a wrong dtype."""
    places = unwrap(index)
    if places.dtype.kind not in "iu":
        raise DtypeError(f"take(): Expected a long tensor for index, but got {dtype_name(places.dtype)}")
    size = math.prod(input.shape)
    if places.size and not size:
        raise DimensionError("take(): tried to take from an empty tensor")
    return in_bounds(places, size, 0)


@on_device_of_inputs
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None, *, out: Tensor | None = None) -> Tensor:
    """`input` at `indices` along `dim`, the other dimensions broadcast together; without `dim`, of the flat `input`."""
    if unwrap(indices).dtype.kind not in "iu":
        raise DtypeError("take_along_dim: expected 'indices' to have integer dtype, got " + dtype_name(unwrap(indices).dtype))
    if dim is None:
        return gather_at(ravel(input), ravel(indices), dim=0, out=out)
    if len(input.shape) != len(indices.shape):
        raise ShapeError(f"take_along_dim(): input and indices should have the same number of dimensions, but got "
                         f"{len(input.shape)} dimensions for input, and {len(indices.shape)} dimensions for indices")
    d = wrap_dim(dim, len(input.shape))
    one = [1 if k == d else n for k, n in enumerate(input.shape)], [1 if k == d else n for k, n in enumerate(indices.shape)]
    shape = broadcast_shapes(*map(tuple, one))
    def expand_other_dims(x: Any) -> Any: return expand(x, size=tuple([x.shape[k] if k == d else n for k, n in enumerate(shape)]))
    index = in_bounds(unwrap(expand_other_dims(indices)), input.shape[d], d)
    return gather_at(expand_other_dims(input), index, dim=d, out=out)


def refuse_output_size(claimed: int | None, size: int) -> None:
    """Raise unless `claimed`, the ``output_size`` that a call gave, is the `size` of its result or None."""
    if claimed is not None and claimed != size:
        raise ShapeError(f"repeat_interleave: Invalid output_size, expected {size} but got {claimed}, which is not what the "
                         "repeats sum to")


@on_device_of_inputs
def repeat_interleave(input: Tensor, repeats: Tensor | int | None = None, dim: int | None = None, *,
                      output_size: int | None = None) -> Tensor:
    """`input` with each element of dimension `dim` (without it: of the flat tensor) repeated, `repeats` times or, where that
    is a tensor, as many times as it says for that element.

    Given only a tensor of repeats, the result numbers its elements: 0 ``repeats[0]`` times, then 1, and so on.
    """
    if repeats is None:
        counts = unwrap(input)
        return select_rows(range_like(input, counts.shape[0]), repeat_indices(counts, counts.shape[0], input), dim=0)
    if dim is None:
        input, dim = ravel(input), 0
    elif not len(input.shape):
        input = at_least_vector_of(input)
    d = wrap_dim(dim, len(input.shape))
    size = input.shape[d]
    if isinstance(repeats, TensorBase):
        call.about_to_read(repeats)
    counts = unwrap(repeats)
    if not isinstance(counts, int) and (counts.dtype.kind not in "iu" or counts.ndim > 1):
        raise RuntimeValueError("repeat_interleave: repeats must be 0-dim or 1-dim tensor of integers, but got "
                                f"{dtype_name(counts.dtype)}{list(counts.shape)}; convert it with .long() and .flatten()")
    if isinstance(counts, int) or counts.size == 1:
        n = int(counts if isinstance(counts, int) else counts.item())
        if n < 0:
            raise RuntimeValueError(f"repeat_interleave: repeats can not be negative, got {n}")
        refuse_output_size(output_size, size * n)
        spread = expand(unsqueeze(input, dim=d + 1), size=(*input.shape[:d + 1], n, *input.shape[d + 1:]))
        return reshape_copy(spread, shape=(*input.shape[:d], size * n, *input.shape[d + 1:]))
    if counts.ndim != 1 or counts.shape[0] != size:
        raise ShapeError(f"repeat_interleave: repeats must be 0-dim or 1-dim tensor, of the same size as input along dim {d} "
                         f"({size}), but got shape {list(counts.shape)}")
    index = repeat_indices(counts, size, input)
    refuse_output_size(output_size, index.size)
    return select_rows(input, index, dim=d)


def range_like(x: Any, n: int) -> Any:
    """0 to ``n - 1`` in the dtype and on the device of `x`."""
    numbers = np.arange(n, like=unwrap(x)).astype(unwrap(x).dtype)
    return call.constant(numbers, x) if isinstance(x, TensorBase) else numbers


def repeat_indices(counts: Any, size: int, input: Any) -> Any:
    """Each index below `size` as often as `counts` says."""
    if counts.dtype.kind not in "iu":
        raise DtypeError(f"repeat_interleave: repeats has to be Long or Int tensor, got {dtype_name(counts.dtype)}")
    if counts.size and int(counts.min()) < 0:
        raise RuntimeValueError("repeat_interleave: repeats can not be negative")
    return np.repeat(np.arange(size, like=counts), counts)


@on_device_of_inputs
def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All choices of `r` elements of the vector `input`, as rows, in the order of ``itertools.combinations``."""
    if len(input.shape) != 1:
        raise ShapeError(f"combinations: Expect a 1D vector, but got shape {list(input.shape)}")
    if r < 0:
        raise RuntimeValueError(f"combinations: Expect a non-negative number, but got {r}")
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = list(choose(range(input.shape[0]), r))
    if not r or not rows:
        return reshape(slices(input, index=(slice(0),)), shape=(0,) if not r else (0, r))
    places = np.asarray(rows).reshape(-1, r)
    return lookup(input, indices=(_arrays.xp_of(unwrap(input)).asarray(places),))


def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1) -> Tensor:
    """As :func:`nonzero`, but with exactly `size` rows: the first ones, then rows of `fill_value`."""
    rows = nonzero_indices(input)
    found, ndim = rows.shape
    rows = rows[:size] if found >= size else constant_pad_nd(rows, pad=(0, 0, 0, size - found), value=fill_value)
    return in_layout("contiguous", rows)
