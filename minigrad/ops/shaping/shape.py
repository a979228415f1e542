"""One shape to another, and the order of dimensions: the elements of the result are the elements of the input.

Those marked ``view=True`` share the input's memory. The first part declares the operations, each next to its adjoint; what
follows is PyTorch's functions made of them. Parts of a tensor, and tensors put together, are in
:mod:`minigrad.ops.shaping.slicing`.
"""

from __future__ import annotations

import inspect
import math
from operator import index as integer
from typing import TYPE_CHECKING, Any, Callable, overload

import numpy as np

from minigrad import _arrays
from minigrad._types import layouts
from minigrad._types.dtypes import DIFFERENTIABLE, FROM_NUMPY, opmath_dtype
from minigrad._types.dtypes import dtype as Dtype
from minigrad._types.size import Size
from minigrad._types.tensor_base import unwrap
from minigrad.errors import ArgumentError, DimensionError, DtypeError, EmptyListError, RuntimeValueError, ShapeError
from minigrad.ops.pointwise.arithmetic import conj
from minigrad.recording.clock import memory_owner
from minigrad.recording.hints import warn_user
from minigrad.recording.inplace import become_view
from minigrad.recording.lazy import Signature, inplace_signature
from minigrad.recording.op import op

if TYPE_CHECKING:
    from collections.abc import Sequence

    from minigrad._types.annotations import DTypeLike, IntOrInts, Tensor

__all__ = ["adjoint", "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_shapes", "broadcast_tensors", "broadcast_to",
           "flatten", "flip", "fliplr", "flipud", "meshgrid", "moveaxis", "movedim", "permute", "ravel", "reshape", "roll",
           "rot90", "squeeze", "swapaxes", "swapdims", "t", "tile", "transpose", "unflatten", "unsqueeze", "view_as"]


# ---------------------------------------------------------------------------------------------------- sizes and dimensions

def as_ints(values: Any) -> tuple[int, ...]:
    """Integers that were given one by one, or as one sequence, as a tuple."""
    if len(values) == 1 and not isinstance(values[0], (int, np.integer)) and hasattr(values[0], "__len__"):
        values = values[0]
    return tuple([integer(v) for v in values])


def unpacking_method(function: Callable[..., Any], called: str | None = None) -> Callable[..., Any]:
    """The method form of `function`, which takes integers one by one, as ``x.reshape(2, 3)`` does, or as one sequence; `called`
    so where the method has a name of its own."""
    name = called or function.__name__

    def method(self: Any, *integers: Any, **named: Any) -> Any:
        if named:
            return function(self, as_ints(integers), **named) if integers else function(self, **named)
        if not integers:
            raise ArgumentError(f"{name}() missing 1 required positional argument: "
                                f"{[*inspect.signature(function).parameters][1]!r}")
        for n in integers:
            if n.__class__ is not int:
                integers = as_ints(integers)
                break
        return function(self, integers)
    method.__name__ = method.__qualname__ = name
    method.__doc__ = function.__doc__
    method.__signature__ = Signature(lambda: listing_signature(function))  # type: ignore[attr-defined]
    return method


def listing_signature(function: Callable[..., Any]) -> inspect.Signature:
    """The signature of the method form of `function` that :func:`unpacking_method` makes."""
    first, integers, *_ = inspect.signature(function).parameters.values()
    several = integers.replace(kind=integers.VAR_POSITIONAL, annotation="IntOrInts", default=integers.empty)
    return inspect.Signature([first.replace(name="self"), several], return_annotation="Tensor")


def wrap_dim(dim: Any, ndim: int) -> int:
    """`dim` counted from the front. Raises ``IndexError`` where a tensor of `ndim` dimensions has no such dimension."""
    bound = max(ndim, 1)
    if not -bound <= dim < bound:
        raise DimensionError(f"Dimension out of range (expected to be in range of [{-bound}, {bound - 1}], but got {dim})")
    return integer(dim) % bound


def wrap_dims(dims: Any, ndim: int) -> tuple[int, ...]:
    """Several dimensions counted from the front, each of which may appear once."""
    wrapped = tuple([wrap_dim(d, ndim) for d in dims])
    if len(set(wrapped)) != len(wrapped):
        repeated = next(d for d in wrapped if wrapped.count(d) > 1)
        raise ShapeError(f"dim {repeated} appears multiple times in the list of dims {list(dims)}")
    return wrapped


def infer_size(sizes: Any, size: int) -> tuple[int, ...]:
    """`sizes` with its -1 replaced by the size that an input of `size` elements leaves for it."""
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
def reshape(input: Any, *, shape: Sequence[int]) -> Any:
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
    return input.reshape(infer_size(shape, input.size))
@reshape.derivative("input")
def reshape_wrt_input(g: Any, input_shape: Any) -> Any: return reshape(g, shape=input_shape)


@op(view=True, grad_name="ViewBackward0", called="view")
def view_shape(input: Any, *, shape: Any) -> Any:
    """`input` with another shape in the same memory. Raises ``RuntimeError`` where that would need a copy."""
    result: Any = reshape(input, shape=shape)
    base = result.base
    if base is None or base is not input and base is not input.base and memory_owner(result) is not memory_owner(input):
        raise ShapeError(f"view size {list(shape)} is not compatible with input tensor's size {list(input.shape)} and stride "
                         f"{[s // input.itemsize for s in input.strides]} (at least one dimension spans across two contiguous "
                         "subspaces). Use .reshape(...) instead, which copies where it must.")
    return result
@view_shape.derivative("input")
def view_shape_wrt_input(g: Any, input_shape: Any) -> Any: return reshape(g, shape=input_shape)


@op(view=True, differentiable=False, called="view")
def view_dtype(input: Any, *, dtype: Any) -> Any:
    """The same memory read as elements of `dtype`; the last dimension grows or shrinks with their size."""
    if input.itemsize == dtype.itemsize:
        return input.view(dtype.numpy)
    refuse_dtype_of_another_size(input, dtype)
    return input.view(dtype.numpy)


def refuse_dtype_of_another_size(x: Any, dtype: Any) -> None:
    """Raise ``RuntimeError`` where the memory of the array `x` cannot be read as elements of `dtype`, of another size."""
    pair = f"to view {FROM_NUMPY[x.dtype]!r} as {dtype!r} (different element sizes)"
    advice = "; contiguous() is a copy that can be"
    if not x.ndim:
        raise ShapeError(f"self.dim() cannot be 0 {pair}; reshape it to (1,)")
    if x.strides[-1] != x.itemsize and x.size:
        raise ShapeError(f"self.stride(-1) must be 1 {pair}, but in the last dimension it is "
                         f"{x.strides[-1] // x.itemsize}{advice}")
    times = dtype.itemsize // x.itemsize
    if times > 1:
        if x.shape[-1] % times:
            raise ShapeError(f"self.size(-1) must be divisible by {times} {pair}, but got shape {list(x.shape)}; to convert the "
                             f"values use .to({dtype!r})")
        offset = (_arrays.address_of(x) - _arrays.address_of(memory_owner(x))) // x.itemsize
        if offset % times:
            raise ShapeError(f"self.storage_offset() must be divisible by {times} {pair}, but it begins at element "
                             f"{offset}{advice}")
        for d, step in enumerate(x.strides[:-1]):
            if step // x.itemsize % times and x.size:
                raise ShapeError(f"self.stride({d}) must be divisible by {times} {pair}, but in that dimension it is "
                                 f"{step // x.itemsize}{advice}")


@op(view=True)
def squeeze(input: Any, *, dim: IntOrInts | None = None) -> Any:
    """`input` without the dimensions of size 1: all of them, or those in `dim` (an int or a tuple)."""
    if dim is None:
        return input.squeeze()
    dims = wrap_dims(dim if isinstance(dim, (tuple, list)) else (dim,), input.ndim)
    return input.squeeze(tuple([d for d in dims if input.ndim and input.shape[d] == 1]))
@squeeze.derivative("input")
def squeeze_wrt_input(g: Any, input_shape: Any) -> Any: return reshape(g, shape=input_shape)


@op(view=True)
def unsqueeze(input: Any, *, dim: int) -> Any:
    """`input` with a dimension of size 1 inserted at `dim`, from ``-input.ndim - 1`` to ``input.ndim``."""
    dim = wrap_dim(dim, input.ndim + 1)
    return input.reshape((*input.shape[:dim], 1, *input.shape[dim:]))
@unsqueeze.derivative("input")
def unsqueeze_wrt_input(g: Any, input_shape: Any) -> Any: return reshape(g, shape=input_shape)


@op(view=True)
def expand(input: Any, *, size: Sequence[int]) -> Any:
    """`input` repeated without copying to the shape `size`, where -1 keeps a size; the adjoint of :func:`sum_to_size`."""
    new = len(size) - input.ndim
    if -1 in size and new >= 0:
        size = tuple([input.shape[d - new] if n == -1 and d >= new else n for d, n in enumerate(size)])
    try:
        if input.shape == tuple(size):
            out = input[...]
        elif input.__class__ is np.ndarray and not input.ndim and input.dtype.char in "fd":  # as the gradient of every sum
            out = np.ndarray(tuple(size), input.dtype, input, 0, (0,) * len(size))  # what broadcast_to() does, sooner
        else:
            out = np.broadcast_to(input, size)
    except ValueError:
        raise ShapeError(f"the expanded size {list(size)} must match the existing size {list(input.shape)} at non-singleton "
                         "dimensions, and have at least as many dimensions; only sizes of 1 can be expanded") from None
    if out.__class__ is np.ndarray and input.flags.writeable:
        out.flags.writeable = True  # NumPy protects it, as elements share memory; that of one row, say, can be written
    return out
@expand.derivative("input")
def expand_wrt_input(g: Any, input_shape: Any) -> Any: return sum_to_size(g, size=input_shape)


@op(view=True, bfloat16=True)
def sum_to_size(input: Any, *, size: Any) -> Any:
    """`input` summed over the dimensions along which a tensor of shape `size` would be broadcast to it."""
    shape = input.shape
    new = len(shape) - len(size)
    if new < 0 or any(n != 1 and n != shape[d + new] for d, n in enumerate(size)):
        raise ShapeError(f"size {{{list(size)}}} is not expandable to size {{{list(shape)}}}: a tensor can only be summed to a "
                         "size that broadcasts to its own")
    dims = tuple(range(new)) + tuple([d + new for d, n in enumerate(size) if n == 1 and shape[d + new] != 1])
    if not dims and size:
        return input.reshape(size) if new else input[...]
    if input.dtype.kind in DIFFERENTIABLE:
        total = _arrays.sum_over(input.astype(opmath_dtype(input.dtype), copy=False), dims)
        return total.astype(input.dtype, copy=False).reshape(size)
    return np.sum(input, axis=dims, keepdims=True, dtype=np.int64).reshape(size)
@sum_to_size.derivative("input")
def sum_to_size_wrt_input(g: Any, input_shape: Any) -> Any: return expand(g, size=input_shape)


@op(called="reshape")
def reshape_copy(input: Any, *, shape: Any) -> Any:
    """`input` with another shape, in memory of its own."""
    return reshape(input.copy(order="C"), shape=shape)
@reshape_copy.derivative("input")
def reshape_copy_wrt_input(g: Any, input_shape: Any) -> Any: return reshape(g, shape=input_shape)


@op(layout="contiguous", bfloat16=True)
def repeat(input: Any, *, repeats: Any) -> Any:
    """`input` repeated ``repeats[d]`` times along dimension d, copying; missing leading dimensions are added."""
    if len(repeats) < input.ndim:
        raise ShapeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor: got "
                         f"{list(repeats)} for a tensor of shape {list(input.shape)}")
    if any(n < 0 for n in repeats):
        raise RuntimeValueError(f"Trying to create tensor with negative dimension: repeats must be >= 0, got {list(repeats)}")
    return np.tile(input, repeats)
@repeat.derivative("input")
def repeat_wrt_input(g: Any, input_shape: Any, repeats: Any) -> Any:
    shape = (1,) * (len(repeats) - len(input_shape)) + tuple(input_shape)
    apart = reshape(g, shape=[n for pair in zip(repeats, shape) for n in pair])
    return reshape(sum_to_size(apart, size=[n for k in shape for n in (1, k)]), shape=input_shape)


@op(grad_name="CloneBackward0", called="clone", bfloat16=True)
def copy_in_order(input: Any, *, order: Any = None) -> Any:
    """A copy of `input` whose dimensions lie in memory in `order`, from the widest step to the narrowest, or as they are
    numbered."""
    return input.copy(order="C") if order is None else layouts.copy_in_order(input, order)
@copy_in_order.derivative("input")
def copy_in_order_wrt_input(g: Any) -> Any: return g


def laid_out(x: Any, order: Any) -> Any:
    """`x` itself if its dimensions lie in memory in `order`, from the widest step to the narrowest, else a copy of which they
    do."""
    return x if unwrap(x).transpose(order).flags.c_contiguous else copy_in_order(x, order=order)


def in_layout(layout: str, result: Tensor, *inputs: Tensor) -> Tensor:
    """`result`, of a function composed of operations on `inputs`, in the layout that an operation would declare so."""
    found: Tensor = laid_out(result, layouts.RESULT_ORDERS[layout](result.shape, *map(unwrap, inputs)))
    return found


@op(differentiable=False)
def constant_full(input: Any, *, size: Any, value: Any = 0) -> Any:
    """A constant of the dtype and on the device of `input`, for rules that need one: of shape `size`, with every element
    `value`."""
    return _arrays.full(size, value, input)


# ---------------------------------------------------------------------------------------------------- order of dimensions

@op(view=True)
def permute(input: Any, *, dims: Sequence[int]) -> Any:
    """`input` with its dimensions in the order `dims`: dimension d of the result is dimension ``dims[d]`` of `input`."""
    try:
        return input.transpose(dims)
    except ValueError:  # said in PyTorch's words
        if len(dims) != input.ndim:
            raise ShapeError(f"input.dim() = {input.ndim} is not equal to len(dims) = {len(dims)}; dims {list(dims)} must name "
                             "each dimension once") from None
        return input.transpose(wrap_dims(dims, input.ndim))
@permute.derivative("input")
def permute_wrt_input(g: Any, dims: Any) -> Any:
    wrapped = [d % len(dims) for d in dims]
    return permute(g, dims=[wrapped.index(d) for d in range(len(dims))])


@op(view=True)
def transpose(input: Any, *, dim0: int, dim1: int) -> Any:
    """`input` with dimensions `dim0` and `dim1` exchanged."""
    if input.ndim:
        return input.swapaxes(dim0, dim1)
    for d in (dim0, dim1):
        wrap_dim(d, 0)
    return input[...]
@transpose.derivative("input")
def transpose_wrt_input(g: Any, dim0: Any, dim1: Any) -> Any: return transpose(g, dim0=dim0, dim1=dim1)


@op(layout="like_input", bfloat16=True)
def flip(input: Any, *, dims: IntOrInts) -> Any:
    """A copy of `input` with the order of elements reversed along each dimension in `dims`."""
    dims = wrap_dims(dims if isinstance(dims, (tuple, list)) else (dims,), input.ndim)
    return input[tuple([slice(None, None, -1 if d in dims else 1) for d in range(input.ndim)])].copy()
@flip.derivative("input")
def flip_wrt_input(g: Any, dims: Any) -> Any: return flip(g, dims=dims)


@op(layout="channels", bfloat16=True)
def roll(input: Any, *, shifts: IntOrInts, dims: IntOrInts | None = ()) -> Any:
    """`input` with elements moved `shifts` places along `dims`, those pushed out coming in at the other end.

    Without `dims` the tensor is rolled as if it were flat.
    """
    shifts = shifts if isinstance(shifts, (tuple, list)) else (shifts,)
    dims = () if dims is None else dims if isinstance(dims, (tuple, list)) else (dims,)
    if not shifts:
        raise RuntimeValueError("`shifts` required: give the number of places to move")
    if len(dims) != len(shifts) and (dims or len(shifts) != 1):
        raise ShapeError(f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}")
    if not dims:
        return np.roll(input, shifts[0])
    if not input.ndim:
        raise DimensionError("Dimension specified as 0 but tensor has no dimensions")
    return np.roll(input, tuple(shifts), tuple([wrap_dim(d, input.ndim) for d in dims]))
@roll.derivative("input")
def roll_wrt_input(g: Any, shifts: Any, dims: Any) -> Any:
    return roll(g, shifts=tuple([-n for n in (shifts if isinstance(shifts, (tuple, list)) else (shifts,))]), dims=dims)


# ---------------------------------------------------------------------------------------------------- made of these: shapes

def view(input: Tensor, *shape: int | Sequence[int] | DTypeLike, dtype: DTypeLike | None = None) -> Tensor:
    """The same memory with another shape, ``x.view(2, 3)``, or read as another dtype, ``x.view(minigrad.int32)``.

    Raises ``RuntimeError`` where the memory does not allow that; :func:`reshape` then copies.
    """
    if dtype is None and not shape:
        raise ArgumentError("view() missing 1 required positional argument: 'size' or 'dtype'")
    if dtype is not None or len(shape) == 1 and isinstance(shape[0], Dtype):
        return view_dtype(input, dtype=shape[0] if dtype is None else dtype)
    return view_shape(input, shape=as_ints(shape))


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """``input.view(other.shape)``."""
    return view_shape(input, shape=tuple(other.shape))


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """``input.reshape(other.shape)``."""
    return reshape(input, shape=tuple(other.shape))


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """``input.expand(other.shape)``."""
    return expand(input, size=tuple(other.shape))


def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor:
    """`input` repeated without copying to the shape `size`."""
    return expand(input, size=tuple(size))


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """`input` with the dimensions from `start_dim` to `end_dim` made one.

    >>> import minigrad
    >>> minigrad.flatten(minigrad.zeros(2, 3, 4), 1).shape
    minigrad.Size([2, 12])
    """
    shape = tuple(input.shape)
    try:
        first, last = wrap_dim(start_dim, len(shape)), wrap_dim(end_dim, len(shape))
    except DimensionError as error:
        raise DimensionError(f"flatten: {error} [input: shape {list(shape)}, start_dim={start_dim}, end_dim={end_dim}]") from None
    if first > last:
        raise ShapeError(f"flatten: flatten() has invalid args: start_dim ({start_dim}) cannot come after end_dim ({end_dim})")
    if not shape:
        return reshape(input, shape=(1,))
    return input if first == last else reshape(input, shape=(*shape[:first], math.prod(shape[first:last + 1]), *shape[last + 1:]))


def ravel(input: Tensor) -> Tensor:
    """`input` as one dimension; a view where it is contiguous."""
    return reshape(laid_out(input, range(input.ndim)), shape=(-1,) if input.shape != (0,) else (0,))


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """`input` with dimension `dim` made several, of `sizes`, one of which may be -1."""
    shape = tuple(input.shape)
    d = wrap_dim(dim, len(shape))
    if not len(sizes):
        raise ShapeError("unflatten: sizes must be non-empty")
    try:
        sizes = infer_size(sizes, shape[d])
    except ShapeError as error:
        raise ShapeError(f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {d} ({shape[d]}) in the "
                         f"input tensor: {error}") from None
    return reshape(input, shape=(*shape[:d], *sizes, *shape[d + 1:]))


def contiguous(input: Any) -> Any:
    """`input` itself if its elements lie in memory in the order of its dimensions, else a copy that does."""
    return input if unwrap(input).flags.c_contiguous else copy_in_order(input)


def broadcast_shapes(*shapes: int | Sequence[int]) -> Size:
    """The shape that tensors of `shapes` are broadcast to together. Raises ``RuntimeError`` if they cannot be."""
    for s in shapes:
        if not isinstance(s, (int, tuple, list)):
            raise ShapeError("broadcast_shapes: Input shapes should be of type ints, a tuple of ints, or a list of ints, got "
                             f"{s!r}")
    sizes = [(s,) if isinstance(s, int) else tuple(s) for s in shapes]
    if any(n < 0 for s in sizes for n in s):
        raise RuntimeValueError(f"broadcast_shapes: Trying to create tensor with negative dimension: {sizes}")
    try:
        return Size(np.broadcast_shapes(*sizes))
    except ValueError:
        raise ShapeError("broadcast_shapes: Shape mismatch: objects cannot be broadcast to a single shape: "
                         f"{', '.join(map(str, sizes))}; from the right, sizes must be equal or 1") from None


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """`tensors` expanded to their common shape, as a tuple of views."""
    tensors = sequence(tensors)
    shape = broadcast_shapes(*[tuple(x.shape) for x in tensors])
    return tuple([x if tuple(x.shape) == shape else expand(x, size=shape) for x in tensors])


def meshgrid(*tensors: Tensor, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Coordinate grids made of one-dimensional `tensors`: the k-th result varies along dimension k as the k-th tensor.

    That is ``indexing="ij"``; with ``indexing="xy"``, which is NumPy's default, the first two dimensions of the results are
    exchanged. Warns where neither is said.
    """
    tensors = sequence(tensors)
    if not tensors:
        raise EmptyListError("meshgrid expects a non-empty TensorList")
    if indexing is None:
        warn_user('meshgrid: in an upcoming release, it will be required to pass the indexing argument: "ij", as now, or "xy", '
                  "as NumPy's")
        indexing = "ij"
    if indexing not in ("ij", "xy"):
        raise RuntimeValueError(f'meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    if any(len(x.shape) > 1 for x in tensors):
        raise ShapeError("meshgrid: Expected 0D or 1D tensor in the tensor list but got shapes "
                         f"{[list(x.shape) for x in tensors]}")
    if len({x.dtype for x in tensors}) > 1:
        raise DtypeError(f"meshgrid: expects all tensors to have the same dtype, got {[x.dtype for x in tensors]}")
    if indexing == "xy" and len(tensors) > 1:
        tensors = (tensors[1], tensors[0], *tensors[2:])
    shape = tuple([math.prod(x.shape) for x in tensors])
    grids = [expand(reshape(x, shape=[-1 if d == k else 1 for d in range(len(shape))] if shape[k] else
                            [0 if d == k else 1 for d in range(len(shape))]), size=shape) for k, x in enumerate(tensors)]
    return tuple(grids) if indexing == "ij" or len(tensors) < 2 else (grids[1], grids[0], *grids[2:])


def sequence(tensors: Any) -> Any:
    """Tensors that were given one by one, or as one sequence."""
    return tuple(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tuple(tensors)


def atleast(ndim: int, pad: Callable[[int], tuple[int, ...]], tensors: Any) -> Tensor | tuple[Tensor, ...]:
    results = []
    for x in sequence(tensors):
        missing = ndim - len(x.shape)
        results.append(reshape(x, shape=(*(1,) * pad(missing)[0], *x.shape, *(1,) * pad(missing)[1])) if missing > 0 else x)
    return results[0] if len(tensors) == 1 and not isinstance(tensors[0], (tuple, list)) else tuple(results)


@overload
def atleast_1d(tensors: Tensor, /) -> Tensor: ...
@overload
def atleast_1d(tensors: Sequence[Tensor], /) -> tuple[Tensor, ...]: ...
@overload
def atleast_1d(*tensors: Tensor) -> tuple[Tensor, ...]: ...
def atleast_1d(*tensors: Tensor | Sequence[Tensor]) -> Tensor | tuple[Tensor, ...]:
    """Each tensor with at least one dimension; a tuple if there are several."""
    return atleast(1, lambda missing: (missing, 0), tensors)


@overload
def atleast_2d(tensors: Tensor, /) -> Tensor: ...
@overload
def atleast_2d(tensors: Sequence[Tensor], /) -> tuple[Tensor, ...]: ...
@overload
def atleast_2d(*tensors: Tensor) -> tuple[Tensor, ...]: ...
def atleast_2d(*tensors: Tensor | Sequence[Tensor]) -> Tensor | tuple[Tensor, ...]:
    """Each tensor with at least two dimensions: a vector becomes one row."""
    return atleast(2, lambda missing: (missing, 0), tensors)


@overload
def atleast_3d(tensors: Tensor, /) -> Tensor: ...
@overload
def atleast_3d(tensors: Sequence[Tensor], /) -> tuple[Tensor, ...]: ...
@overload
def atleast_3d(*tensors: Tensor) -> tuple[Tensor, ...]: ...
def atleast_3d(*tensors: Tensor | Sequence[Tensor]) -> Tensor | tuple[Tensor, ...]:
    """Each tensor with at least three dimensions: (n,) becomes (1, n, 1) and (m, n) becomes (m, n, 1)."""
    return atleast(3, lambda missing: (missing - 1, 1), tensors)


# ---------------------------------------------------------------------------------------------------- made of these: order

def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; a vector or a single value is returned as it is."""
    ndim = len(input.shape)
    if ndim > 2:
        raise ShapeError(f"t: t() expects a tensor with <= 2 dimensions, but self is {ndim}D; use .mT or .transpose(...)")
    return transpose(input, dim0=0, dim1=1 if ndim == 2 else 0)


def numpy_T(input: Tensor) -> Tensor:
    """``x.T``: all dimensions in reverse order."""
    if not input.shape:
        warn_user("Tensor.T is deprecated on 0-D tensors: it is the tensor itself")
    elif len(input.shape) != 2:
        warn_user("The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated: x.mT transposes "
                  "batches of matrices, and x.permute(*range(x.ndim)[::-1]) reverses the dimensions")
    return permute(input, dims=tuple(range(len(input.shape)))[::-1])


def matrix_transpose(input: Tensor) -> Tensor:
    """``x.mT``: the last two dimensions exchanged."""
    if len(input.shape) == 1:
        raise ShapeError("mT: tensor.mT is only supported on matrices or batches of matrices. Got 1-D tensor")
    if not len(input.shape):
        warn_user("x.mT and x.mH of a 0-dimensional tensor are deprecated: they are the tensor and its conjugate")
        return input
    return transpose(input, dim0=-2, dim1=-1)


def adjoint(input: Tensor) -> Tensor:
    """``x.mH``: the complex conjugate with the last two dimensions exchanged."""
    if len(input.shape) == 1:
        raise ShapeError("adjoint: tensor.adjoint() is only supported on matrices or batches of matrices. Got 1-D tensor")
    return conj(matrix_transpose(input))


def matrix_H(input: Tensor) -> Tensor:
    """``x.H``: the conjugate transpose of a matrix."""
    if len(input.shape) not in (0, 2):
        raise ShapeError(f"H: tensor.H is only supported on matrices (2-D tensors). Got {len(input.shape)}-D tensor.")
    return adjoint(input) if len(input.shape) else conj(input)


def swapdims(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Same as :func:`transpose`."""
    return transpose(input, dim0=dim0, dim1=dim1)


def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """Same as :func:`transpose`."""
    return transpose(input, dim0=axis0, dim1=axis1)


def movedim(input: Tensor, source: IntOrInts, destination: IntOrInts) -> Tensor:
    """`input` with the dimensions `source` (an int or a tuple) at the places `destination`, the others in order around."""
    ndim = len(input.shape)
    sources, places = [x if isinstance(x, (tuple, list)) else (x,) for x in (source, destination)]
    if len(sources) != len(places):
        raise ShapeError(f"movedim: Invalid source or destination dims: source ({list(sources)} dims) should contain the same "
                         f"number of dims as destination ({list(places)} dims)")
    sources, places = wrap_dims(sources, ndim), wrap_dims(places, ndim)
    if not ndim:
        return permute(input, dims=())
    rest = iter([d for d in range(ndim) if d not in sources])
    return permute(input, dims=[sources[places.index(d)] if d in places else next(rest) for d in range(ndim)])


def moveaxis(input: Tensor, source: IntOrInts, destination: IntOrInts) -> Tensor:
    """Same as :func:`movedim`."""
    return movedim(input, source, destination)


def fliplr(input: Tensor) -> Tensor:
    """`input` with its columns, dimension 1, in reverse order."""
    if len(input.shape) < 2:
        raise ShapeError(f"fliplr: Input must be >= 2-d, got shape {list(input.shape)}")
    return flip(input, dims=(1,))


def flipud(input: Tensor) -> Tensor:
    """`input` with its rows, dimension 0, in reverse order."""
    if len(input.shape) < 1:
        raise ShapeError("flipud: Input must be >= 1-d, got a zero-dimensional tensor")
    return flip(input, dims=(0,))


def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """`input` turned by `k` times 90 degrees in the plane of the two `dims`, from the first towards the second."""
    ndim = len(input.shape)
    if len(dims) != 2:
        raise ShapeError(f"rot90: expected total rotation dims == 2, but got dims = {len(dims)}")
    if ndim < 2:
        raise ShapeError(f"rot90: expected total dims >= 2, but got total dims = {ndim}")
    first, second = wrap_dim(dims[0], ndim), wrap_dim(dims[1], ndim)
    if first == second:
        raise ShapeError(f"rot90: expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    turns = k % 4
    if turns == 0:
        return copy_in_order(input)
    if turns == 2:
        return flip(input, dims=(first, second))
    return transpose(flip(input, dims=(second if turns == 1 else first,)), dim0=first, dim1=second)


def tile(input: Tensor, dims: Sequence[int]) -> Tensor:
    """`input` repeated ``dims[d]`` times along dimension d; missing leading repeats are 1."""
    dims = (1,) * (len(input.shape) - len(dims)) + tuple(dims)
    return repeat(input, repeats=dims)


def changes_shape(function: Callable[..., Any]) -> Callable[..., Any]:
    """The in-place form of a view operation: the tensor stays in its memory and takes the view's shape."""
    def method(self: Any, *args: Any, **settings: Any) -> Any:
        return become_view(self, function(self, *args, **settings))
    method.__name__ = method.__qualname__ = function.__name__ + "_"
    method.__doc__ = f"In-place form of :func:`{function.__name__}`: the tensor itself takes that shape, in the same memory."
    method.__signature__ = Signature(lambda: inplace_signature(function))  # type: ignore[attr-defined]
    return method


# ---------------------------------------------------------------------------------------------------- forms for the Tensor

def to_size(input: Tensor, size: Sequence[int]) -> Tensor:
    """`input` summed over the dimensions along which a tensor of shape `size` would be broadcast to it; itself where there are
    none, unless it has no dimensions."""
    return input if len(size) and tuple(size) == tuple(input.shape) else sum_to_size(input, size=size)
to_size.__name__ = to_size.__qualname__ = "sum_to_size"  # the method's name, which its errors say


reshape_method, expand_method, repeat_method = unpacking_method(reshape), unpacking_method(expand), unpacking_method(repeat)
permute_method, flip_method, tile_method = unpacking_method(permute), unpacking_method(flip), unpacking_method(tile)
sum_to_size_method = unpacking_method(to_size, "sum_to_size")
squeeze_, unsqueeze_, transpose_ = changes_shape(squeeze), changes_shape(unsqueeze), changes_shape(transpose)
t_, swapaxes_, swapdims_ = changes_shape(t), changes_shape(swapaxes), changes_shape(swapdims)
