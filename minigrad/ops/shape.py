"""Operations that rearrange elements: the elements of the result are the elements of the input.

Those marked ``view=True`` share the input's memory. The first part declares the operations, each next to its adjoint; what
follows is PyTorch's functions made of them.
"""

from __future__ import annotations

import functools
import itertools
import math
from operator import index as integer
from typing import Any, Callable

import numpy as np

from minigrad import backend
from minigrad.autograd.call import no_sequence
from minigrad.autograd.clock import memory_owner
from minigrad.autograd.inplace import become, lead
from minigrad.autograd.op import op
from minigrad.dtypes import dtype as Dtype
from minigrad.errors import DimensionError, EmptyListError, ShapeError
from minigrad.ops.pointwise import conj, view_as_complex, view_as_real

__all__ = ["adjoint", "alias_copy", "atleast_1d", "atleast_2d", "atleast_3d", "block_diag", "broadcast_shapes",
           "broadcast_tensors", "broadcast_to", "cartesian_prod", "cat", "chunk", "column_stack", "concat", "concatenate",
           "constant_pad_nd", "diag", "diag_embed", "diagflat", "diagonal", "diagonal_copy", "diagonal_scatter", "dsplit",
           "dstack", "expand_copy", "flatten", "flip", "fliplr", "flipud", "hsplit", "hstack", "meshgrid", "moveaxis",
           "movedim", "narrow", "narrow_copy", "permute", "permute_copy", "ravel", "reshape", "roll", "rot90", "row_stack",
           "select", "select_copy", "select_scatter", "slice_copy", "slice_scatter", "split", "split_copy", "split_with_sizes",
           "split_with_sizes_copy", "squeeze", "squeeze_copy", "stack", "swapaxes", "swapdims", "t", "t_copy", "tensor_split",
           "tile", "trace", "transpose", "transpose_copy", "tril", "triu", "unbind", "unbind_copy", "unflatten", "unfold_copy",
           "unsafe_chunk", "unsafe_split", "unsafe_split_with_sizes", "unsqueeze", "unsqueeze_copy", "view_as",
           "view_as_complex_copy", "view_as_real_copy", "view_copy", "vsplit", "vstack"]


# ---------------------------------------------------------------------------------------------------- sizes and dimensions

def listed(values: Any) -> tuple[int, ...]:
    """Integers that were given one by one, or as one sequence."""
    if len(values) == 1 and not isinstance(values[0], (int, np.integer)) and hasattr(values[0], "__len__"):
        values = values[0]
    return tuple([integer(v) for v in values])


def one_by_one(function: Callable[..., Any]) -> Callable[..., Any]:
    """The method form of `function`, whose integers come one by one, ``x.reshape(2, 3)``, or as one sequence."""
    def method(self: Any, *integers: Any, **named: Any) -> Any:
        if named:
            return function(self, listed(integers), **named) if integers else function(self, **named)
        for n in integers:
            if n.__class__ is not int:
                integers = listed(integers)
                break
        return function(self, integers)
    method.__name__ = method.__qualname__ = function.__name__
    method.__doc__ = function.__doc__
    return method


def wrapped_dim(dim: Any, ndim: int) -> int:
    """`dim` counted from the front. Raises ``IndexError`` where a tensor of `ndim` dimensions has no such dimension."""
    bound = max(ndim, 1)
    if not -bound <= dim < bound:
        raise DimensionError(f"Dimension out of range (expected to be in range of [{-bound}, {bound - 1}], but got {dim})")
    return integer(dim) % bound


def wrapped_dims(dims: Any, ndim: int) -> tuple[int, ...]:
    """Several dimensions counted from the front, each of which may appear once."""
    wrapped = tuple([wrapped_dim(d, ndim) for d in dims])
    if len(set(wrapped)) != len(wrapped):
        repeated = next(d for d in wrapped if wrapped.count(d) > 1)
        raise ShapeError(f"dim {repeated} appears multiple times in the list of dims {list(dims)}")
    return wrapped


def inferred(sizes: Any, size: int) -> tuple[int, ...]:
    """`sizes` with its -1 replaced by what an input of `size` elements leaves for it."""
    shape: tuple[int, ...] = tuple(sizes)
    unknown = shape.count(-1)
    if unknown > 1:
        raise ShapeError("only one dimension can be inferred: shape may hold -1 once, got " f"{list(shape)}")
    for n in shape:
        if n < -1:
            raise ShapeError(f"invalid shape dimension {n} in {list(shape)}; sizes are >= 0, or -1 once to be inferred")
    if unknown:
        known = math.prod([n for n in shape if n != -1])
        if known == 0 and size == 0:
            raise ShapeError(f"cannot reshape tensor of 0 elements into shape {list(shape)} because the unspecified dimension "
                             "size -1 can be any value and is ambiguous; name that size")
        if known and size % known == 0:
            return tuple([size // known if n == -1 else n for n in shape])
    elif math.prod(shape) == size:
        return shape
    raise ShapeError(f"shape '{list(shape)}' is invalid for input of size {size}: the sizes must multiply to that")


# ---------------------------------------------------------------------------------------------------- one shape to another

@op(view=True, grad_name="ViewBackward0")
def reshape(input: Any, *, shape: Any) -> Any:
    """`input` with another shape; a view where the memory allows it, else a copy. One size may be -1, to be inferred.

    >>> import minigrad
    >>> minigrad.reshape(minigrad.arange(6), (2, -1)).shape
    minigrad.Size([2, 3])
    """
    if min(shape, default=0) >= -1:
        try:
            return input.reshape(shape)
        except ValueError:  # said below in PyTorch's words
            pass
    return input.reshape(inferred(shape, input.size))
@reshape.derivative("input")
def reshape_wrt_input(g: Any, input_shape: Any) -> Any: return reshape(g, shape=input_shape)


@op(view=True, grad_name="ViewBackward0", called="view")
def view_shape(input: Any, *, shape: Any) -> Any:
    """`input` with another shape in the same memory. Raises ``RuntimeError`` where that would need a copy."""
    result = reshape(input, shape=shape)
    base = result.base
    if base is None or base is not input and base is not input.base and memory_owner(base) is not memory_owner(input):
        raise ShapeError(f"view size {list(shape)} is not compatible with input tensor's size {list(input.shape)} and stride "
                         f"{[s // input.itemsize for s in input.strides]} (at least one dimension spans across two contiguous "
                         "subspaces). Use .reshape(...) instead, which copies where it must.")
    return result
@view_shape.derivative("input")
def view_shape_wrt_input(g: Any, input_shape: Any) -> Any: return reshape(g, shape=input_shape)


@op(called="view")
def view_dtype(input: Any, *, dtype: Any) -> Any:
    """The same memory read as elements of `dtype`; the last dimension grows or shrinks with their size."""
    if input.itemsize == dtype.itemsize:
        return input.view(dtype.numpy)
    if input.ndim == 0 or input.strides[-1] != input.itemsize or input.shape[-1] * input.itemsize % dtype.itemsize:
        raise ShapeError(f"self.size(-1) must be divisible by {max(dtype.itemsize // input.itemsize, 1)}, with its elements next "
                         f"to each other, to view {input.dtype.name} as {dtype!r} (different element sizes), but got shape "
                         f"{list(input.shape)}; use contiguous() first, or .to({dtype!r}) to convert the values")
    return input.view(dtype.numpy)


@op(view=True)
def squeeze(input: Any, *, dim: Any = None) -> Any:
    """`input` without the dimensions of size 1: all of them, or those in `dim` (an int or a tuple)."""
    if dim is None:
        return input.squeeze()
    dims = wrapped_dims(dim if isinstance(dim, (tuple, list)) else (dim,), input.ndim)
    return input.squeeze(tuple([d for d in dims if input.ndim and input.shape[d] == 1]))
@squeeze.derivative("input")
def squeeze_wrt_input(g: Any, input_shape: Any) -> Any: return reshape(g, shape=input_shape)


@op(view=True)
def unsqueeze(input: Any, *, dim: Any) -> Any:
    """`input` with a dimension of size 1 inserted at `dim`, from ``-input.ndim - 1`` to ``input.ndim``."""
    dim = wrapped_dim(dim, input.ndim + 1)
    return input[(slice(None),) * dim + (None, ...)]
@unsqueeze.derivative("input")
def unsqueeze_wrt_input(g: Any, input_shape: Any) -> Any: return reshape(g, shape=input_shape)


@op(view=True)
def expand(input: Any, *, size: Any) -> Any:
    """`input` repeated without copying to the shape `size`, where -1 keeps a size; the adjoint of :func:`sum_to_size`."""
    new = len(size) - input.ndim
    if -1 in size and new >= 0:
        size = tuple([input.shape[d - new] if n == -1 and d >= new else n for d, n in enumerate(size)])
    try:
        return np.broadcast_to(input, size) if input.shape != tuple(size) else input[...]
    except ValueError:
        raise ShapeError(f"the expanded size {list(size)} must match the existing size {list(input.shape)} at non-singleton "
                         "dimensions, and have at least as many dimensions; only sizes of 1 can be expanded") from None
@expand.derivative("input")
def expand_wrt_input(g: Any, input_shape: Any) -> Any: return sum_to_size(g, size=input_shape)


@op
def sum_to_size(input: Any, *, size: Any) -> Any:
    """`input` summed over the dimensions along which a tensor of shape `size` would be broadcast to it."""
    shape = input.shape
    new = len(shape) - len(size)
    if new < 0 or any(n != 1 and n != shape[d + new] for d, n in enumerate(size)):
        raise ShapeError(f"size {{{list(size)}}} is not expandable to size {{{list(shape)}}}: a tensor can only be summed to a "
                         "size that broadcasts to its own")
    dims = tuple(range(new)) + tuple([d + new for d, n in enumerate(size) if n == 1 and shape[d + new] != 1])
    if not dims and size:
        return input.reshape(size)
    if len(dims) == new and input.__class__ is np.ndarray and input.dtype.char in "fd" and math.prod(size) >= 8:
        rows = input.reshape(math.prod(shape[:new]), math.prod(size))
        return (np.ones(rows.shape[0], rows.dtype) @ rows).reshape(size)  # several times faster than a sum of rows
    return np.sum(input, axis=dims, keepdims=True, dtype=input.dtype if input.dtype.kind in "fc" else np.int64).reshape(size)
@sum_to_size.derivative("input")
def sum_to_size_wrt_input(g: Any, input_shape: Any) -> Any: return expand(g, size=input_shape)


@op
def repeat(input: Any, *, repeats: Any) -> Any:
    """`input` repeated ``repeats[d]`` times along dimension d, copying; missing leading dimensions are added."""
    if len(repeats) < input.ndim:
        raise ShapeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor: got "
                         f"{list(repeats)} for a tensor of shape {list(input.shape)}")
    if any(n < 0 for n in repeats):
        raise ShapeError(f"Trying to create tensor with negative dimension: repeats must be >= 0, got {list(repeats)}")
    return np.tile(input, repeats)
@repeat.derivative("input")
def repeat_wrt_input(g: Any, input_shape: Any, repeats: Any) -> Any:
    shape = (1,) * (len(repeats) - len(input_shape)) + tuple(input_shape)
    apart = reshape(g, shape=[n for pair in zip(repeats, shape) for n in pair])
    return reshape(sum_to_size(apart, size=[n for k in shape for n in (1, k)]), shape=input_shape)


@op(grad_name="CloneBackward0", called="clone")
def in_order(input: Any) -> Any:
    """A copy of `input` whose elements lie in memory in the order of its dimensions."""
    return input.copy(order="C")
@in_order.derivative("input")
def in_order_wrt_input(g: Any) -> Any: return g


@op
def filled(input: Any, *, size: Any, value: Any = 0) -> Any:
    """A constant of `input`'s dtype and device, for rules that need one: shape `size`, every element `value`."""
    return backend.full(size, value, input)


# ---------------------------------------------------------------------------------------------------- order of dimensions

@op(view=True)
def permute(input: Any, *, dims: Any) -> Any:
    """`input` with its dimensions in the order `dims`: dimension d of the result is dimension ``dims[d]`` of `input`."""
    try:
        return input.transpose(dims)
    except ValueError:  # said in PyTorch's words
        if len(dims) != input.ndim:
            raise ShapeError(f"input.dim() = {input.ndim} is not equal to len(dims) = {len(dims)}; dims {list(dims)} must name "
                             "each dimension once") from None
        return input.transpose(wrapped_dims(dims, input.ndim))
@permute.derivative("input")
def permute_wrt_input(g: Any, dims: Any) -> Any:
    wrapped = [d % len(dims) for d in dims]
    return permute(g, dims=[wrapped.index(d) for d in range(len(dims))])


@op(view=True)
def transpose(input: Any, *, dim0: Any, dim1: Any) -> Any:
    """`input` with dimensions `dim0` and `dim1` exchanged."""
    if input.ndim:
        return input.swapaxes(dim0, dim1)
    for d in (dim0, dim1):
        wrapped_dim(d, 0)
    return input[...]
@transpose.derivative("input")
def transpose_wrt_input(g: Any, dim0: Any, dim1: Any) -> Any: return transpose(g, dim0=dim0, dim1=dim1)


@op
def flip(input: Any, *, dims: Any) -> Any:
    """A copy of `input` with the order of elements reversed along each dimension in `dims`."""
    dims = wrapped_dims(dims if isinstance(dims, (tuple, list)) else (dims,), input.ndim)
    return input[tuple([slice(None, None, -1 if d in dims else 1) for d in range(input.ndim)])].copy()
@flip.derivative("input")
def flip_wrt_input(g: Any, dims: Any) -> Any: return flip(g, dims=dims)


@op
def roll(input: Any, *, shifts: Any, dims: Any = ()) -> Any:
    """`input` with elements moved `shifts` places along `dims`, those pushed out coming in at the other end.

    Without `dims` the tensor is rolled as if it were flat.
    """
    shifts = shifts if isinstance(shifts, (tuple, list)) else (shifts,)
    dims = dims if isinstance(dims, (tuple, list)) else (dims,)
    if not shifts:
        raise ShapeError("`shifts` required: give the number of places to move")
    if len(dims) != len(shifts) and (dims or len(shifts) != 1):
        raise ShapeError(f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}")
    if not dims:
        return np.roll(input, shifts[0])
    if not input.ndim:
        raise DimensionError("Dimension specified as 0 but tensor has no dimensions")
    return np.roll(input, tuple(shifts), tuple([wrapped_dim(d, input.ndim) for d in dims]))
@roll.derivative("input")
def roll_wrt_input(g: Any, shifts: Any, dims: Any) -> Any:
    return roll(g, shifts=tuple([-n for n in (shifts if isinstance(shifts, (tuple, list)) else (shifts,))]), dims=dims)


# ---------------------------------------------------------------------------------------------------- parts, and back

OF_NO_DIMENSION = "invalid index of a 0-dim tensor. Use `tensor.item()` to convert a 0-dim tensor to a number"


@op(view=True, grad_name="SliceBackward0", called="getitem")
def slices(input: Any, *, index: Any) -> Any:
    """The part of `input` that `index`, a tuple of integers, slices, None and ``...``, leads to; see :func:`fill_slices`."""
    return input[index]
@slices.derivative("input")
def slices_wrt_input(g: Any, index: Any, input_shape: Any) -> Any: return fill_slices(g, index=index, size=input_shape)


@op
def fill_slices(input: Any, *, index: Any, size: Any) -> Any:
    """Zeros of shape `size` with `input` at `index`: the adjoint of :func:`slices`."""
    out = np.zeros(size, input.dtype, like=input)
    out[index] = input
    return out
@fill_slices.derivative("input")
def fill_slices_wrt_input(g: Any, index: Any) -> Any: return slices(g, index=index)


@op(view=True)
def select(input: Any, *, dim: Any, index: Any) -> Any:
    """Element `index` of dimension `dim`, which goes away. Raises ``IndexError`` if there is no such element."""
    if input.ndim == 0:
        raise DimensionError(f"select() cannot be applied to a 0-dim tensor. {OF_NO_DIMENSION}")
    return input[at(wrapped_dim(dim, input.ndim), within(index, dim, input.shape))]
@select.derivative("input")
def select_wrt_input(g: Any, dim: Any, index: Any, input_shape: Any) -> Any:
    return fill_slices(g, index=at(dim % len(input_shape), index), size=input_shape)


@op(view=True, called="narrow")
def narrow_to(input: Any, *, dim: Any, start: Any, length: Any) -> Any:
    """`length` elements of dimension `dim` beginning at `start`."""
    return input[at(dim, slice(start, start + length))]
@narrow_to.derivative("input")
def narrow_to_wrt_input(g: Any, dim: Any, start: Any, length: Any, input_shape: Any) -> Any:
    return fill_slices(g, index=at(dim, slice(start, start + length)), size=input_shape)


def at(dim: int, index: Any) -> tuple[Any, ...]:
    """The index that is `index` in dimension `dim` and everything in the others."""
    return (slice(None),) * dim + (index, ...)


def within(index: Any, dim: int, shape: Any) -> int:
    """`index`, an integer, if dimension `dim` has such an element."""
    if not -shape[dim] <= index < shape[dim]:
        raise DimensionError(f"index {integer(index)} is out of bounds for dimension {dim} with size {shape[dim]}")
    return integer(index)


@op(outputs=True, view=True, grad_name="SplitBackward0")
def split_with_sizes(tensor: Any, *, split_sizes: Any, dim: Any = 0) -> Any:
    """`tensor` cut along `dim` into pieces of the sizes `split_sizes`, which are views."""
    if tensor.ndim == 0:
        raise ShapeError("split expects at least a 1-dimensional tensor")
    dim = wrapped_dim(dim, tensor.ndim)
    if any(n < 0 for n in split_sizes) or sum(split_sizes) != tensor.shape[dim]:
        raise ShapeError(f"split_with_sizes expects split_sizes to sum exactly to {tensor.shape[dim]} (input tensor's size at "
                         f"dimension {dim}), all >= 0, but got split_sizes={list(split_sizes)}")
    ends = itertools.accumulate(split_sizes)
    return tuple([tensor[at(dim, slice(end - n, end))] for end, n in zip(ends, split_sizes)])
@split_with_sizes.derivative("tensor")
def split_with_sizes_wrt_tensor(g: Any, tensor_shape: Any, split_sizes: Any, dim: Any) -> Any:
    dim = dim % len(tensor_shape)
    given = next(x for x in g if x is not None)
    return cat([filled(given, size=(*tensor_shape[:dim], n, *tensor_shape[dim + 1:])) if x is None else x
                for x, n in zip(g, split_sizes)], dim=dim)
def split_pieces(tensor: Any, split_sizes: Any, dim: Any) -> Any:
    start = 0
    for n in split_sizes:
        yield narrow_to, {"dim": dim % tensor.ndim, "start": start, "length": n}
        start += n
split_with_sizes.info.pieces = split_pieces


@op(outputs=True, view=True)
def unbind(input: Any, *, dim: Any = 0) -> Any:
    """The elements of dimension `dim`, as a tuple of views without that dimension."""
    if input.ndim == 0:
        raise DimensionError("Dimension specified as 0 but tensor has no dimensions")
    dim = wrapped_dim(dim, input.ndim)
    return tuple(np.moveaxis(input, dim, 0)) if input.ndim > 1 else tuple([input[k, ...] for k in range(len(input))])
@unbind.derivative("input")
def unbind_wrt_input(g: Any, dim: Any) -> Any:
    given = next(x for x in g if x is not None)
    return stack([filled(given, size=given.shape) if x is None else x for x in g], dim=dim)
def unbind_pieces(input: Any, dim: Any) -> Any: return [(select, {"dim": dim, "index": k}) for k in range(input.shape[dim])]
unbind.info.pieces = unbind_pieces


@op(dtypes="promote")
def cat(*tensors: Any, dim: Any = 0) -> Any:
    """`tensors` joined along the existing dimension `dim`; their other sizes must be equal.

    A one-dimensional tensor without elements fits anywhere, as in PyTorch.
    """
    try:
        return np.concatenate(tensors, axis=dim)
    except ValueError:  # said in PyTorch's words, unless it is only about an empty vector
        return np.concatenate(joinable(tensors, dim), axis=dim)
@cat.derivative("tensors")
def cat_wrt_tensors(g: Any, tensors_shape: Any, dim: Any) -> Any:
    dim = dim % len(g.shape)
    sizes = [0 if s == (0,) else s[dim] for s in tensors_shape]
    pieces = split_with_sizes(g, split_sizes=sizes, dim=dim)
    return tuple([reshape(piece, shape=(0,)) if s == (0,) and len(g.shape) > 1 and piece.shape != s else piece
                  for piece, s in zip(pieces, tensors_shape)])


def joinable(tensors: Any, dim: int) -> Any:
    """What of `tensors` can be joined along `dim`. Raises ``RuntimeError`` where one does not fit the others."""
    parts = [x for x in tensors if x.shape != (0,)] or list(tensors[:1])
    for k, x in enumerate(tensors):
        if x.ndim == 0:
            raise ShapeError(f"zero-dimensional tensor (at position {k}) cannot be concatenated; use stack()")
    first = parts[0]
    dim = wrapped_dim(dim, first.ndim)
    for k, x in enumerate(parts):
        if x.ndim != first.ndim:
            raise ShapeError(f"Tensors must have same number of dimensions: got {first.ndim} and {x.ndim}")
        for d, (n, m) in enumerate(zip(first.shape, x.shape)):
            if n != m and d != dim:
                raise ShapeError(f"Sizes of tensors must match except in dimension {dim}. Expected size {n} but got size {m} "
                                 f"for tensor number {k} in the list, in dimension {d}")
    return parts


@op(dtypes="promote")
def stack(*tensors: Any, dim: Any = 0) -> Any:
    """`tensors`, all of one shape, joined along a new dimension `dim`."""
    shape = tensors[0].shape
    for k, x in enumerate(tensors):
        if x.shape != shape:
            raise ShapeError(f"stack expects each tensor to be equal size, but got {list(shape)} at entry 0 and "
                             f"{list(x.shape)} at entry {k}")
    place = at(wrapped_dim(dim, len(shape) + 1), None)
    return np.concatenate([x[place] for x in tensors], axis=dim)
@stack.derivative("tensors")
def stack_wrt_tensors(g: Any, dim: Any) -> Any: return unbind(g, dim=dim)


@op(view=True)
def diagonal(input: Any, *, offset: Any = 0, dim1: Any = 0, dim2: Any = 1) -> Any:
    """The diagonal of each matrix in dimensions `dim1` and `dim2`, `offset` places above the main one, as last dimension."""
    d1, d2 = wrapped_dim(dim1, input.ndim), wrapped_dim(dim2, input.ndim)
    if d1 == d2:
        raise ShapeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    out = np.diagonal(input, offset, d1, d2)
    if isinstance(out, np.ndarray) and input.flags.writeable:
        out.flags.writeable = True  # NumPy protects it, as its users may expect a copy
    return out
@diagonal.derivative("input")
def diagonal_wrt_input(g: Any, offset: Any, dim1: Any, dim2: Any, input_shape: Any) -> Any:
    return fill_diagonals(g, size=input_shape, offset=offset, dim1=dim1, dim2=dim2)


@op
def fill_diagonals(input: Any, *, size: Any, offset: Any = 0, dim1: Any = 0, dim2: Any = 1) -> Any:
    """Zeros of shape `size` with `input` on the diagonals: the adjoint of :func:`diagonal`."""
    out = np.zeros(size, input.dtype, like=input)
    places = np.arange(input.shape[-1], like=input)
    np.moveaxis(out, (dim1, dim2), (-2, -1))[..., places + max(-offset, 0), places + max(offset, 0)] = input
    return out
@fill_diagonals.derivative("input")
def fill_diagonals_wrt_input(g: Any, offset: Any, dim1: Any, dim2: Any) -> Any:
    return diagonal(g, offset=offset, dim1=dim1, dim2=dim2)


@op
def tril(input: Any, *, diagonal: Any = 0) -> Any:
    """The elements on and below the diagonal `diagonal` of each matrix in the last two dimensions; zero above it."""
    return np.tril(at_least_matrix(input), diagonal)
@tril.derivative("input")
def tril_wrt_input(g: Any, diagonal: Any) -> Any: return tril(g, diagonal=diagonal)


@op
def triu(input: Any, *, diagonal: Any = 0) -> Any:
    """The elements on and above the diagonal `diagonal` of each matrix in the last two dimensions; zero below it."""
    return np.triu(at_least_matrix(input), diagonal)
@triu.derivative("input")
def triu_wrt_input(g: Any, diagonal: Any) -> Any: return triu(g, diagonal=diagonal)


def at_least_matrix(input: Any) -> Any:
    if input.ndim < 2:
        raise ShapeError(f"input tensor must have at least 2 dimensions, got shape {list(input.shape)}")
    return input


@op
def constant_pad_nd(input: Any, *, pad: Any, value: Any = 0) -> Any:
    """`input` with ``pad[0]`` elements before and ``pad[1]`` after its last dimension, ``pad[2]``, ``pad[3]`` for the one
    before, and so on, filled with `value`. A negative number takes elements away."""
    if len(pad) % 2 or len(pad) > 2 * input.ndim:
        raise ShapeError(f"Length of pad must be even and at most twice the number of dimensions ({input.ndim}), got {list(pad)}")
    before = (0,) * (input.ndim - len(pad) // 2) + tuple(pad[-2::-2])
    after = (0,) * (input.ndim - len(pad) // 2) + tuple(pad[::-2])
    shape = tuple([n + b + a for n, b, a in zip(input.shape, before, after)])
    if any(n < 0 for n in shape):
        raise ShapeError(f"The input size {list(input.shape)}, plus padding {list(pad)}, resulted in a negative output size, "
                         f"{list(shape)}")
    out = backend.full(shape, value, input) if value else np.zeros(shape, input.dtype, like=input)
    inner = tuple([slice(max(b, 0), max(n - max(a, 0), 0)) for n, b, a in zip(shape, before, after)])
    outer = tuple([slice(max(-b, 0), max(n - max(-a, 0), 0)) for n, b, a in zip(input.shape, before, after)])
    out[inner] = input[outer]
    return out
@constant_pad_nd.derivative("input")
def constant_pad_nd_wrt_input(g: Any, pad: Any) -> Any: return constant_pad_nd(g, pad=tuple([-n for n in pad]))


@op(view=True)
def unfold(input: Any, *, dimension: Any, size: Any, step: Any) -> Any:
    """All windows of `size` elements along `dimension`, `step` apart, as a new last dimension; see :func:`fold_windows`."""
    d = wrapped_dim(dimension, input.ndim)
    length = input.shape[d] if input.ndim else 1
    if size < 0:
        raise ShapeError(f"size is {size} but must be >= 0")
    if size > length:
        raise ShapeError(f"maximum size for tensor at dimension {d} is {length} but size is {size}")
    if step <= 0:
        raise ShapeError(f"step is {step} but must be > 0")
    if not input.ndim:
        return input.reshape(1)[:size]
    shape = (*input.shape[:d], (length - size) // step + 1, *input.shape[d + 1:], size)
    strides = (*input.strides[:d], step * input.strides[d], *input.strides[d + 1:], input.strides[d])
    return backend.library_of(input).as_strided(input, shape, strides)
@unfold.derivative("input")
def unfold_wrt_input(g: Any, input_shape: Any, dimension: Any, size: Any, step: Any) -> Any:
    return fold_windows(g, shape=input_shape, dimension=dimension, size=size, step=step)


@op(called="fold")
def fold_windows(input: Any, *, shape: Any, dimension: Any, size: Any, step: Any) -> Any:
    """The sum, at each element of a tensor of `shape`, of its values in all windows: the adjoint of :func:`unfold`."""
    if not shape:
        return np.sum(input, dtype=input.dtype)
    out = np.zeros(shape, input.dtype, like=input)
    along = np.moveaxis(out, dimension, -1)
    windows = np.moveaxis(input, dimension % len(shape), -1)  # (..., size, count)
    count = windows.shape[-1]
    for k in range(size):
        along[..., k:k + (count - 1) * step + 1:step] += windows[..., k, :]
    return out
@fold_windows.derivative("input")
def fold_windows_wrt_input(g: Any, dimension: Any, size: Any, step: Any) -> Any:
    return unfold(g, dimension=dimension, size=size, step=step)


@op(grad_name="CopySlices")
def replace_view(input: Any, written: Any, *, view: Any, order: Any) -> Any:
    """`input` after the part of it that `view` leads to was overwritten by `written`; for `order` see :func:`blank_view`."""
    return input
@replace_view.derivative("input")
def replace_view_wrt_input(g: Any, view: Any, order: Any) -> Any: return blank_view(g, view=view, order=order)
@replace_view.derivative("written")
def replace_view_wrt_written(g: Any, view: Any) -> Any: return lead(g, view)


@op
def blank_view(input: Any, *, view: Any, order: Any) -> Any:
    """A copy of `input` with zeros where `view` leads.

    `order` is that of its dimensions in memory, from the widest step to the narrowest: with it the calls in `view`, which gave
    views of one tensor, give views of the copy too.
    """
    out = np.empty([input.shape[d] for d in order], input.dtype, like=input)
    out = out.transpose([order.index(d) for d in range(input.ndim)])
    out[...] = input
    lead(out, view)[...] = 0
    return out
@blank_view.derivative("input")
def blank_view_wrt_input(g: Any, view: Any, order: Any) -> Any: return blank_view(g, view=view, order=order)


# ---------------------------------------------------------------------------------------------------- made of these: shapes

def view(input: Any, *shape: Any, dtype: Any = None) -> Any:
    """The same memory with another shape, ``x.view(2, 3)``, or read as another dtype, ``x.view(minigrad.int32)``.

    Raises ``RuntimeError`` where the memory does not allow that; :func:`reshape` then copies.
    """
    if dtype is not None or len(shape) == 1 and isinstance(shape[0], Dtype):
        return view_dtype(input, dtype=shape[0] if dtype is None else dtype)
    return view_shape(input, shape=listed(shape))


def view_as(input: Any, other: Any) -> Any:
    """``input.view(other.shape)``."""
    return view_shape(input, shape=tuple(other.shape))


def reshape_as(input: Any, other: Any) -> Any:
    """``input.reshape(other.shape)``."""
    return reshape(input, shape=tuple(other.shape))


def expand_as(input: Any, other: Any) -> Any:
    """``input.expand(other.shape)``."""
    return expand(input, size=tuple(other.shape))


def broadcast_to(input: Any, size: Any) -> Any:
    """`input` repeated without copying to the shape `size`."""
    return expand(input, size=tuple(size))


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """`input` with the dimensions from `start_dim` to `end_dim` made one.

    >>> import minigrad
    >>> minigrad.flatten(minigrad.zeros(2, 3, 4), 1).shape
    minigrad.Size([2, 12])
    """
    shape = tuple(input.shape)
    try:
        first, last = wrapped_dim(start_dim, len(shape)), wrapped_dim(end_dim, len(shape))
    except DimensionError as error:
        raise DimensionError(f"flatten: {error} [input: shape {list(shape)}, start_dim={start_dim}, end_dim={end_dim}]") from None
    if first > last:
        raise ShapeError(f"flatten: flatten() has invalid args: start_dim ({start_dim}) cannot come after end_dim ({end_dim})")
    if not shape:
        return reshape(input, shape=(1,))
    return input if first == last else reshape(input, shape=(*shape[:first], math.prod(shape[first:last + 1]), *shape[last + 1:]))


def ravel(input: Any) -> Any:
    """`input` as one dimension; a view where the memory allows it."""
    return reshape(input, shape=(-1,) if input.shape != (0,) else (0,))


def unflatten(input: Any, dim: int, sizes: Any) -> Any:
    """`input` with dimension `dim` made several, of `sizes`, one of which may be -1."""
    shape = tuple(input.shape)
    d = wrapped_dim(dim, len(shape))
    if not len(sizes):
        raise ShapeError("unflatten: sizes must be non-empty")
    try:
        sizes = inferred(sizes, shape[d])
    except ShapeError as error:
        raise ShapeError(f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {d} ({shape[d]}) in the "
                         f"input tensor: {error}") from None
    return reshape(input, shape=(*shape[:d], *sizes, *shape[d + 1:]))


def contiguous(input: Any) -> Any:
    """`input` itself if its elements lie in memory in the order of its dimensions, else a copy that does."""
    array = input.array if hasattr(input, "array") else input
    return input if array.flags.c_contiguous else in_order(input)


def broadcast_shapes(*shapes: Any) -> Any:
    """The shape that tensors of `shapes` are broadcast to together. Raises ``RuntimeError`` if they cannot be."""
    sizes = [(s,) if isinstance(s, int) else tuple(s) for s in shapes]
    if any(n < 0 for s in sizes for n in s):
        raise ShapeError(f"broadcast_shapes: Trying to create tensor with negative dimension: {sizes}")
    try:
        return np.broadcast_shapes(*sizes)
    except ValueError:
        raise ShapeError("broadcast_shapes: Shape mismatch: objects cannot be broadcast to a single shape: "
                         f"{', '.join(map(str, sizes))}; from the right, sizes must be equal or 1") from None


def broadcast_tensors(*tensors: Any) -> Any:
    """`tensors` expanded to their common shape, as a tuple of views."""
    tensors = sequence(tensors)
    shape = broadcast_shapes(*[tuple(x.shape) for x in tensors])
    return tuple([expand(x, size=shape) for x in tensors])


def meshgrid(*tensors: Any, indexing: str = "ij") -> Any:
    """Coordinate grids made of one-dimensional `tensors`: the k-th result varies along dimension k as the k-th tensor.

    With ``indexing="xy"`` the first two dimensions of the results are exchanged.
    """
    tensors = sequence(tensors)
    if indexing not in ("ij", "xy"):
        raise ShapeError(f'meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    if any(len(x.shape) > 1 for x in tensors):
        raise ShapeError("meshgrid: Expected 0D or 1D tensor in the tensor list but got shapes "
                         f"{[list(x.shape) for x in tensors]}")
    if len({x.dtype for x in tensors}) > 1:
        raise ShapeError(f"meshgrid: expects all tensors to have the same dtype, got {[x.dtype for x in tensors]}")
    if indexing == "xy" and len(tensors) > 1:
        tensors = (tensors[1], tensors[0], *tensors[2:])
    shape = tuple([math.prod(x.shape) for x in tensors])
    grids = [expand(reshape(x, shape=[-1 if d == k else 1 for d in range(len(shape))] if shape[k] else
                            [0 if d == k else 1 for d in range(len(shape))]), size=shape) for k, x in enumerate(tensors)]
    return tuple(grids) if indexing == "ij" or len(tensors) < 2 else (grids[1], grids[0], *grids[2:])


def cartesian_prod(*tensors: Any) -> Any:
    """Every combination of one element of each one-dimensional tensor, as rows, in the order of ``itertools.product``."""
    tensors = sequence(tensors)
    for x in tensors:
        if len(x.shape) != 1:
            raise ShapeError(f"cartesian_prod: Expect a 1D vector, but got shape {list(x.shape)}")
    return tensors[0] if len(tensors) == 1 else stack([ravel(x) for x in meshgrid(*tensors)], dim=1)


def sequence(tensors: Any) -> Any:
    """Tensors that were given one by one, or as one sequence."""
    return tuple(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tuple(tensors)


def atleast(ndim: int, pad: Callable[[int], tuple[int, ...]], tensors: Any) -> Any:
    results = []
    for x in sequence(tensors):
        missing = ndim - len(x.shape)
        results.append(reshape(x, shape=(*(1,) * pad(missing)[0], *x.shape, *(1,) * pad(missing)[1])) if missing > 0 else x)
    return results[0] if len(tensors) == 1 and not isinstance(tensors[0], (tuple, list)) else tuple(results)


def atleast_1d(*tensors: Any) -> Any:
    """Each tensor with at least one dimension; a tuple if there are several."""
    return atleast(1, lambda missing: (missing, 0), tensors)


def atleast_2d(*tensors: Any) -> Any:
    """Each tensor with at least two dimensions: a vector becomes one row."""
    return atleast(2, lambda missing: (missing, 0), tensors)


def atleast_3d(*tensors: Any) -> Any:
    """Each tensor with at least three dimensions: (n,) becomes (1, n, 1) and (m, n) becomes (m, n, 1)."""
    return atleast(3, lambda missing: (missing - 1, 1), tensors)


# ---------------------------------------------------------------------------------------------------- made of these: order

def t(input: Any) -> Any:
    """The transpose of a matrix; a vector or a single value is returned as it is."""
    ndim = len(input.shape)
    if ndim > 2:
        raise ShapeError(f"t: t() expects a tensor with <= 2 dimensions, but self is {ndim}D; use .mT or .transpose(...)")
    return transpose(input, dim0=0, dim1=1 if ndim == 2 else 0)


def numpy_T(input: Any) -> Any:
    """``x.T``: all dimensions in reverse order."""
    return permute(input, dims=tuple(range(len(input.shape)))[::-1])


def matrix_transpose(input: Any) -> Any:
    """``x.mT``: the last two dimensions exchanged."""
    if len(input.shape) < 2:
        raise ShapeError("mT: tensor.mT is only supported on matrices or batches of matrices. Got "
                         f"{len(input.shape)}-D tensor")
    return transpose(input, dim0=-2, dim1=-1)


def adjoint(input: Any) -> Any:
    """``x.mH``: the complex conjugate with the last two dimensions exchanged."""
    if len(input.shape) < 2:
        raise ShapeError(f"adjoint: tensor.adjoint() is only supported on matrices or batches of matrices. Got "
                         f"{len(input.shape)}-D tensor")
    return conj(transpose(input, dim0=-2, dim1=-1))


def matrix_H(input: Any) -> Any:
    """``x.H``: the conjugate transpose of a matrix."""
    if len(input.shape) not in (0, 2):
        raise ShapeError(f"H: tensor.H is only supported on matrices (2-D tensors). Got {len(input.shape)}-D tensor.")
    return adjoint(input) if len(input.shape) else conj(input)


def swapdims(input: Any, dim0: int, dim1: int) -> Any:
    """Same as :func:`transpose`."""
    return transpose(input, dim0=dim0, dim1=dim1)


def swapaxes(input: Any, axis0: int, axis1: int) -> Any:
    """Same as :func:`transpose`."""
    return transpose(input, dim0=axis0, dim1=axis1)


def movedim(input: Any, source: Any, destination: Any) -> Any:
    """`input` with the dimensions `source` (an int or a tuple) at the places `destination`, the others in order around."""
    ndim = len(input.shape)
    sources, places = [x if isinstance(x, (tuple, list)) else (x,) for x in (source, destination)]
    if len(sources) != len(places):
        raise ShapeError(f"movedim: Invalid source or destination dims: source ({list(sources)} dims) should contain the same "
                         f"number of dims as destination ({list(places)} dims)")
    sources, places = wrapped_dims(sources, ndim), wrapped_dims(places, ndim)
    if not ndim:
        return permute(input, dims=())
    rest = iter([d for d in range(ndim) if d not in sources])
    return permute(input, dims=[sources[places.index(d)] if d in places else next(rest) for d in range(ndim)])


def moveaxis(input: Any, source: Any, destination: Any) -> Any:
    """Same as :func:`movedim`."""
    return movedim(input, source, destination)


def fliplr(input: Any) -> Any:
    """`input` with its columns, dimension 1, in reverse order."""
    if len(input.shape) < 2:
        raise ShapeError(f"fliplr: Input must be >= 2-d, got shape {list(input.shape)}")
    return flip(input, dims=(1,))


def flipud(input: Any) -> Any:
    """`input` with its rows, dimension 0, in reverse order."""
    if len(input.shape) < 1:
        raise ShapeError("flipud: Input must be >= 1-d, got a zero-dimensional tensor")
    return flip(input, dims=(0,))


def rot90(input: Any, k: int = 1, dims: Any = (0, 1)) -> Any:
    """`input` turned by `k` times 90 degrees in the plane of the two `dims`, from the first towards the second."""
    ndim = len(input.shape)
    if len(dims) != 2:
        raise ShapeError(f"rot90: expected total rotation dims == 2, but got dims = {len(dims)}")
    if ndim < 2:
        raise ShapeError(f"rot90: expected total dims >= 2, but got total dims = {ndim}")
    first, second = wrapped_dim(dims[0], ndim), wrapped_dim(dims[1], ndim)
    if first == second:
        raise ShapeError(f"rot90: expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    turns = k % 4
    if turns == 0:
        return in_order(input)
    if turns == 2:
        return flip(input, dims=(first, second))
    return transpose(flip(input, dims=(second if turns == 1 else first,)), dim0=first, dim1=second)


def tile(input: Any, dims: Any) -> Any:
    """`input` repeated ``dims[d]`` times along dimension d; missing leading repeats are 1."""
    dims = (1,) * (len(input.shape) - len(dims)) + tuple(dims)
    return repeat(input, repeats=dims)


def changes_shape(function: Callable[..., Any]) -> Callable[..., Any]:
    """The in-place form of a view operation: the tensor stays in its memory and takes the view's shape."""
    def method(self: Any, *args: Any, **settings: Any) -> Any:
        return become(self, function(self, *args, **settings))
    method.__name__ = method.__qualname__ = function.__name__ + "_"
    method.__doc__ = f"In-place form of :func:`{function.__name__}`: the tensor itself takes that shape, in the same memory."
    return method


# ---------------------------------------------------------------------------------------------------- made of these: joining

def concat(tensors: Any, dim: int = 0, *, out: Any = None) -> Any:
    """Same as :func:`cat`."""
    return cat(tensors, dim=dim, out=out)


def concatenate(tensors: Any, axis: int = 0, *, dim: int | None = None, out: Any = None) -> Any:
    """Same as :func:`cat`."""
    return cat(tensors, dim=axis if dim is None else dim, out=out)


def hstack(tensors: Any, *, out: Any = None) -> Any:
    """`tensors` joined along dimension 1, or dimension 0 where they are vectors."""
    parts = atleast_1d(some(tensors, "hstack"))
    return cat(parts, dim=0 if len(parts[0].shape) == 1 else 1, out=out)


def vstack(tensors: Any, *, out: Any = None) -> Any:
    """`tensors` joined along dimension 0; a vector counts as one row."""
    return cat(atleast_2d(some(tensors, "vstack")), dim=0, out=out)


def row_stack(tensors: Any, *, out: Any = None) -> Any:
    """Same as :func:`vstack`."""
    return vstack(tensors, out=out)


def dstack(tensors: Any, *, out: Any = None) -> Any:
    """`tensors` joined along dimension 2; see :func:`atleast_3d`."""
    return cat(atleast_3d(some(tensors, "dstack")), dim=2, out=out)


def column_stack(tensors: Any, *, out: Any = None) -> Any:
    """`tensors` joined along dimension 1; a vector counts as one column."""
    parts = [reshape(x, shape=(math.prod(x.shape), 1)) if len(x.shape) <= 1 else x for x in some(tensors, "column_stack")]
    return cat(parts, dim=1, out=out)


def some(tensors: Any, name: str) -> Any:
    """`tensors`, a sequence, as a tuple. Raises ``TypeError`` if it is one tensor or nothing."""
    if not isinstance(tensors, (tuple, list)):
        raise no_sequence(name, "tensors", tensors)
    if not tensors:
        raise EmptyListError(f"{name}: expects a non-empty TensorList")
    return tuple(tensors)


def block_diag(*tensors: Any) -> Any:
    """The matrix with `tensors`, of at most two dimensions, along its diagonal and zeros elsewhere."""
    for k, x in enumerate(tensors):
        if len(x.shape) > 2:
            raise ShapeError(f"block_diag: Input tensors must have 2 or fewer dimensions. Input {k} has "
                             f"{len(x.shape)} dimensions")
    blocks = [atleast_2d(x) for x in tensors]
    width, left = sum(b.shape[1] for b in blocks), 0
    rows = []
    for b in blocks:
        rows.append(constant_pad_nd(b, pad=(left, width - left - b.shape[1])))
        left += b.shape[1]
    return cat(rows, dim=0)


# ---------------------------------------------------------------------------------------------------- made of these: parts

def narrow(input: Any, dim: int, start: Any, length: int) -> Any:
    """`length` elements of dimension `dim` beginning at `start`, as a view."""
    if not len(input.shape):
        raise ShapeError("narrow: narrow() cannot be applied to a 0-dim tensor.")
    if hasattr(start, "dtype") and (start.dtype.kind not in "iu" or start.ndim):
        raise ShapeError("narrow: start must be an 0-dim integral Tensor, or a Python integer")
    d, first = wrapped_dim(dim, len(input.shape)), integer(start)
    size = input.shape[d]
    if length < 0:
        raise ShapeError(f"narrow: narrow(): length must be non-negative, got {length}")
    if not -size <= first <= size:
        raise DimensionError(f"narrow: start out of range (expected to be in range of [{-size}, {size}], but got {first})")
    first = first + size if first < 0 else first
    if first + length > size:
        raise ShapeError(f"narrow: start ({first}) + length ({length}) exceeds dimension size ({size}).")
    return narrow_to(input, dim=d, start=first, length=length)


def split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> Any:
    """`tensor` cut along `dim` into views of `split_size_or_sections` elements each (the last may be smaller), or of the
    sizes in it where it is a list.

    >>> import minigrad
    >>> [x.tolist() for x in minigrad.split(minigrad.arange(5), 2)]
    [[0, 1], [2, 3], [4]]
    """
    if not isinstance(split_size_or_sections, (int, np.integer)):
        return split_with_sizes(tensor, split_sizes=tuple(split_size_or_sections), dim=dim)
    if not len(tensor.shape):
        raise ShapeError("split: split expects at least a 1-dimensional tensor")
    n, length = integer(split_size_or_sections), tensor.shape[wrapped_dim(dim, len(tensor.shape))]
    if n < 0 or n == 0 and length:
        raise ShapeError(f"split: split expects split_size be non-negative, and positive unless the dimension is empty, "
                         f"but got split_size={n}")
    sizes = (n,) * (length // n) + ((length % n,) if length % n else ()) if length else (0,)
    return split_with_sizes(tensor, split_sizes=sizes, dim=dim)


def chunk(input: Any, chunks: int, dim: int = 0) -> Any:
    """`input` cut along `dim` into at most `chunks` views of equal size, but for the last, which may be smaller."""
    if not len(input.shape):
        raise ShapeError("chunk: chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise ShapeError(f"chunk: chunk expects `chunks` to be greater than 0, got: {chunks}")
    length = input.shape[wrapped_dim(dim, len(input.shape))]
    if not length:
        return split_with_sizes(input, split_sizes=(0,) * chunks, dim=dim)
    return split(input, -(-length // chunks), dim)


# PyTorch's "unsafe" forms leave out a check of in-place writes to the pieces, which are tracked here.
unsafe_split, unsafe_split_with_sizes, unsafe_chunk = split, split_with_sizes, chunk


def tensor_split(input: Any, indices_or_sections: Any, dim: int = 0) -> Any:
    """`input` cut along `dim` into a number of views, sizes differing by at most one, or before each of the indices given."""
    if not len(input.shape):
        raise ShapeError("tensor_split: tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    length = input.shape[wrapped_dim(dim, len(input.shape))]
    where = indices_or_sections.tolist() if hasattr(indices_or_sections, "tolist") else indices_or_sections
    if isinstance(where, (tuple, list)):
        places = [min(max(k + length if k < 0 else k, 0), length) for k in where]
        bounds = list(zip([0, *places], [*places, length]))
    else:
        if where <= 0:
            raise ShapeError(f"tensor_split: number of sections must be larger than 0, got {where}")
        small, larger = divmod(length, where)
        ends = list(itertools.accumulate([small + 1] * larger + [small] * (where - larger)))
        bounds = list(zip([0, *ends], ends))
    if all(a <= b for a, b in bounds) and bounds[-1][1] == length:
        return split_with_sizes(input, split_sizes=tuple([b - a for a, b in bounds]), dim=dim)
    return tuple([narrow(input, dim, a, max(b - a, 0)) for a, b in bounds])


def split_along(name: str, input: Any, indices_or_sections: Any, dim: int) -> Any:
    """hsplit, vsplit and dsplit: tensor_split that demands equal pieces."""
    where = indices_or_sections
    if isinstance(where, (int, np.integer)) and (where <= 0 or input.shape[dim] % where):
        raise ShapeError(f"{name}: attempted to split along dimension {dim}, but the size of the dimension "
                         f"{input.shape[dim]} is not divisible by the split_size {where}!")
    return tensor_split(input, where, dim)


def hsplit(input: Any, indices_or_sections: Any) -> Any:
    """`input` cut along dimension 1, or 0 if it is a vector, into equal views or before the indices given."""
    if len(input.shape) < 1:
        raise ShapeError("hsplit: requires a tensor with at least 1 dimension, but got a tensor with 0 dimensions!")
    return split_along("hsplit", input, indices_or_sections, 1 if len(input.shape) > 1 else 0)


def vsplit(input: Any, indices_or_sections: Any) -> Any:
    """`input` cut along dimension 0 into equal views or before the indices given."""
    if len(input.shape) < 2:
        raise ShapeError(f"vsplit: requires a tensor with at least 2 dimension, but got one with {len(input.shape)} dimensions!")
    return split_along("vsplit", input, indices_or_sections, 0)


def dsplit(input: Any, indices_or_sections: Any) -> Any:
    """`input` cut along dimension 2 into equal views or before the indices given."""
    if len(input.shape) < 3:
        raise ShapeError(f"dsplit: requires a tensor with at least 3 dimension, but got one with {len(input.shape)} dimensions!")
    return split_along("dsplit", input, indices_or_sections, 2)


def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Matrices, in dimensions `dim1` and `dim2` of the result, that have the last dimension of `input` as diagonal."""
    ndim = len(input.shape) + 1
    d1, d2 = wrapped_dim(dim1, ndim), wrapped_dim(dim2, ndim)
    if d1 == d2:
        raise ShapeError(f"diag_embed: diagonal dimensions cannot be identical {dim1}, {dim2}")
    n = input.shape[-1] + abs(offset)
    rest = iter(input.shape[:-1])
    size = tuple([n if d in (d1, d2) else next(rest) for d in range(ndim)])
    return fill_diagonals(input, size=size, offset=offset, dim1=d1, dim2=d2)


def diag(input: Any, diagonal: int = 0, *, out: Any = None) -> Any:
    """The diagonal of a matrix, as a copy, or the matrix with a vector on its diagonal."""
    if len(input.shape) not in (1, 2):
        raise ShapeError(f"diag: diag(): Supports 1D or 2D tensors. Got {len(input.shape)}D")
    if len(input.shape) == 1:
        n = input.shape[0] + abs(diagonal)
        return fill_diagonals(input, size=(n, n), offset=diagonal, out=out)
    return in_order(matrix_diagonal(input, diagonal), out=out)


def matrix_diagonal(input: Any, offset: int) -> Any: return diagonal(input, offset=offset)


def diagflat(input: Any, offset: int = 0) -> Any:
    """The matrix with all elements of `input` on its diagonal."""
    return diag(ravel(input), offset)


def trace(input: Any) -> Any:
    """The sum of the diagonal of a matrix."""
    if len(input.shape) != 2:
        raise ShapeError(f"trace: expected a matrix, but got tensor with dim {len(input.shape)}")
    return reshape(sum_to_size(diagonal(input), size=(1,)), shape=())


def diagonal_scatter(input: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """A copy of `input` with `src` on its diagonal."""
    return scattered("diagonal_scatter", input, src, ((diagonal, {"offset": offset, "dim1": dim1, "dim2": dim2}),))


def select_scatter(input: Any, src: Any, dim: int, index: int) -> Any:
    """A copy of `input` with `src` as element `index` of dimension `dim`."""
    return scattered("select_scatter", input, src, ((select, {"dim": dim, "index": index}),))


def slice_scatter(input: Any, src: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Any:
    """A copy of `input` with `src` at the slice ``start:end:step`` of dimension `dim`."""
    index = at(wrapped_dim(dim, len(input.shape)), slice(start, end, step))
    return scattered("slice_scatter", input, src, ((slices, {"index": index}),))


def scattered(name: str, input: Any, src: Any, view: Any) -> Any:
    return scatter_view(input, src, view=view)


@op(dtypes="any", mixed=(), called="as_strided_scatter")
def scatter_view(input: Any, src: Any, *, view: Any) -> Any:
    """A copy of `input` in which the part that `view` leads to is `src`."""
    out = input.copy()
    part = lead(out, view)
    if part.shape != src.shape:
        raise ShapeError(f"expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice size = "
                         f"{list(part.shape)}")
    part[...] = src
    return out
@scatter_view.derivative("input")
def scatter_view_wrt_input(g: Any, view: Any, src_shape: Any) -> Any:
    return scatter_view(g, filled(g, size=src_shape), view=view)
@scatter_view.derivative("src")
def scatter_view_wrt_src(g: Any, view: Any) -> Any: return lead(g, view)


# ---------------------------------------------------------------------------------------------------- copies of views

def copied(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function that copies what the view operation `function` gives."""
    def copy(*args: Any, out: Any = None, **settings: Any) -> Any:
        result = function(*args, **settings)
        if isinstance(result, tuple):
            return tuple([in_order(x, out=o) for x, o in zip(result, out or (None,) * len(result))])
        return in_order(result, out=out)
    functools.update_wrapper(copy, function).__name__ = copy.__qualname__ = function.__name__ + "_copy"
    copy.__doc__ = f"A copy of what :func:`{function.__name__}` gives, in memory of its own."
    return copy


def alias_copy(input: Any, *, out: Any = None) -> Any:
    """A copy of `input`."""
    return in_order(input, out=out)


diagonal_copy, expand_copy, narrow_copy, permute_copy = copied(diagonal), copied(expand), copied(narrow), copied(permute)
select_copy, squeeze_copy, t_copy, transpose_copy = copied(select), copied(squeeze), copied(t), copied(transpose)
unfold_copy, unsqueeze_copy, unbind_copy, split_copy = copied(unfold), copied(unsqueeze), copied(unbind), copied(split)
split_with_sizes_copy, view_copy = copied(split_with_sizes), copied(view)
view_as_real_copy, view_as_complex_copy = copied(view_as_real), copied(view_as_complex)


def slice_copy(input: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1, *,
               out: Any = None) -> Any:
    """A copy of the slice ``start:end:step`` of dimension `dim`."""
    return in_order(slices(input, index=at(wrapped_dim(dim, len(input.shape)), slice(start, end, step))), out=out)


# ---------------------------------------------------------------------------------------------------- forms for the Tensor

reshape_method, expand_method, repeat_method = one_by_one(reshape), one_by_one(expand), one_by_one(repeat)
permute_method, flip_method, tile_method = one_by_one(permute), one_by_one(flip), one_by_one(tile)
sum_to_size_method = one_by_one(sum_to_size)
squeeze_, unsqueeze_, transpose_ = changes_shape(squeeze), changes_shape(unsqueeze), changes_shape(transpose)
t_, swapaxes_, swapdims_ = changes_shape(t), changes_shape(swapaxes), changes_shape(swapdims)
