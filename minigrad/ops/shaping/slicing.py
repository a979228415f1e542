"""Parts of a tensor, and tensors put together from parts: each operation stands next to its adjoint.

Those marked ``view=True`` share the input's memory. The first part declares the operations; what follows is PyTorch's functions
made of them.
"""

from __future__ import annotations

import functools
import itertools
import math
from operator import index as integer
from typing import TYPE_CHECKING, Any, Callable

import numpy as np

from minigrad import _arrays
from minigrad._types import layouts
from minigrad._types.tensor_base import TensorBase
from minigrad.errors import DimensionError, DtypeError, EmptyListError, RuntimeValueError, ShapeError
from minigrad.ops.creation import empty
from minigrad.ops.pointwise.arithmetic import view_as_complex, view_as_real
from minigrad.ops.shaping.shape import (
    atleast_1d,
    atleast_2d,
    atleast_3d,
    constant_full,
    copy_in_order,
    expand,
    laid_out,
    meshgrid,
    permute,
    ravel,
    reshape,
    sequence,
    squeeze,
    t,
    transpose,
    unsqueeze,
    view,
    wrap_dim,
)
from minigrad.recording.argument_errors import dtype_name, not_a_sequence
from minigrad.recording.inplace import replay_view, serve_out
from minigrad.recording.lazy import Signature, signature_with_out
from minigrad.recording.op import op

if TYPE_CHECKING:
    from collections.abc import Sequence

    from minigrad._types.annotations import Number, Tensor

__all__ = ["alias_copy", "block_diag", "cartesian_prod", "cat", "chunk", "column_stack", "concat", "concatenate",
           "constant_pad_nd", "diag", "diag_embed", "diagflat", "diagonal", "diagonal_copy", "diagonal_scatter", "dsplit",
           "dstack", "expand_copy", "hsplit", "hstack", "narrow", "narrow_copy", "permute_copy", "row_stack", "select",
           "select_copy", "select_scatter", "slice_copy", "slice_scatter", "split", "split_copy", "split_with_sizes",
           "split_with_sizes_copy", "squeeze_copy", "stack", "t_copy", "tensor_split", "trace", "transpose_copy", "tril",
           "triu", "unbind", "unbind_copy", "unfold_copy", "unsafe_chunk", "unsafe_split", "unsafe_split_with_sizes",
           "unsqueeze_copy", "view_as_complex_copy", "view_as_real_copy", "view_copy", "vsplit", "vstack"]


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
def select(input: Any, *, dim: int, index: int | Tensor) -> Any:
    """Element `index` of dimension `dim`, which goes away. Raises ``IndexError`` if there is no such element."""
    if input.ndim == 0:
        raise DimensionError(f"select() cannot be applied to a 0-dim tensor. {OF_NO_DIMENSION}")
    return input[index_along(wrap_dim(dim, input.ndim), wrap_index(index, dim, input.shape))]
@select.derivative("input")
def select_wrt_input(g: Any, dim: Any, index: Any, input_shape: Any) -> Any:
    return fill_slices(g, index=index_along(dim % len(input_shape), index), size=input_shape)


@op(view=True, called="narrow")
def narrow_to(input: Any, *, dim: Any, start: Any, length: Any) -> Any:
    """`length` elements of dimension `dim` beginning at `start`."""
    return input[index_along(dim, slice(start, start + length))]
@narrow_to.derivative("input")
def narrow_to_wrt_input(g: Any, dim: Any, start: Any, length: Any, input_shape: Any) -> Any:
    return fill_slices(g, index=index_along(dim, slice(start, start + length)), size=input_shape)


def index_along(dim: int, index: Any) -> tuple[Any, ...]:
    """The index that is `index` in dimension `dim` and takes everything in the others."""
    return (slice(None),) * dim + (index, ...)


def wrap_index(index: Any, dim: int, shape: Any) -> int:
    """`index`, an integer. Raises ``IndexError`` if dimension `dim` has no such element."""
    if not -shape[dim] <= index < shape[dim]:
        raise DimensionError(f"index {integer(index)} is out of bounds for dimension {dim} with size {shape[dim]}")
    return integer(index)


@op(outputs=True, view=True, grad_name="SplitBackward0")
def split_with_sizes(tensor: Any, *, split_sizes: Sequence[int], dim: int = 0) -> Any:
    """`tensor` cut along `dim` into pieces of the sizes `split_sizes`, which are views."""
    if tensor.ndim == 0:
        raise ShapeError("split expects at least a 1-dimensional tensor")
    dim = wrap_dim(dim, tensor.ndim)
    if any(n < 0 for n in split_sizes) or sum(split_sizes) != tensor.shape[dim]:
        raise ShapeError(f"split_with_sizes expects split_sizes to sum exactly to {tensor.shape[dim]} (input tensor's size at "
                         f"dimension {dim}), all >= 0, but got split_sizes={list(split_sizes)}")
    ends = itertools.accumulate(split_sizes)
    return tuple([tensor[index_along(dim, slice(end - n, end))] for end, n in zip(ends, split_sizes)])
@split_with_sizes.derivative("tensor")
def split_with_sizes_wrt_tensor(g: Any, tensor_shape: Any, split_sizes: Any, dim: Any) -> Any:
    dim = dim % len(tensor_shape)
    given = next(x for x in g if x is not None)
    return cat([constant_full(given, size=(*tensor_shape[:dim], n, *tensor_shape[dim + 1:])) if x is None else x
                for x, n in zip(g, split_sizes)], dim=dim)
def split_pieces(tensor: Any, split_sizes: Any, dim: Any) -> Any:
    start = 0
    for n in split_sizes:
        yield narrow_to, {"dim": dim % tensor.ndim, "start": start, "length": n}
        start += n
split_with_sizes.info.pieces = split_pieces


@op(outputs=True, view=True)
def unbind(input: Any, *, dim: int = 0) -> Any:
    """The elements of dimension `dim`, as a tuple of views without that dimension."""
    if input.ndim == 0:
        raise DimensionError("Dimension specified as 0 but tensor has no dimensions")
    dim = wrap_dim(dim, input.ndim)
    return tuple(np.moveaxis(input, dim, 0)) if input.ndim > 1 else tuple([input[k, ...] for k in range(len(input))])
@unbind.derivative("input")
def unbind_wrt_input(g: Any, dim: Any) -> Any:
    given = next(x for x in g if x is not None)
    return stack([constant_full(given, size=given.shape) if x is None else x for x in g], dim=dim)
def unbind_pieces(input: Any, dim: Any) -> Any: return [(select, {"dim": dim, "index": k}) for k in range(input.shape[dim])]
unbind.info.pieces = unbind_pieces


@op(dtypes="promote", layout="channels_of_all", bfloat16=True)
def cat(*tensors: Any, dim: int = 0) -> Any:
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
    """Those of `tensors` that take part in joining along `dim`. Raises ``RuntimeError`` if one does not fit the others."""
    parts = [x for x in tensors if x.shape != (0,)] or list(tensors[:1])
    for k, x in enumerate(tensors):
        if x.ndim == 0:
            raise ShapeError(f"zero-dimensional tensor (at position {k}) cannot be concatenated; use stack()")
    first = parts[0]
    dim = wrap_dim(dim, first.ndim)
    for k, x in enumerate(parts):
        if x.ndim != first.ndim:
            raise ShapeError(f"Tensors must have same number of dimensions: got {first.ndim} and {x.ndim}")
        for d, (n, m) in enumerate(zip(first.shape, x.shape)):
            if n != m and d != dim:
                raise ShapeError(f"Sizes of tensors must match except in dimension {dim}. Expected size {n} but got size {m} "
                                 f"for tensor number {k} in the list, in dimension {d}")
    return parts


@op(dtypes="promote", bfloat16=True)
def stack(*tensors: Any, dim: int = 0) -> Any:
    """`tensors`, all of one shape, joined along a new dimension `dim`."""
    shape = tensors[0].shape
    for k, x in enumerate(tensors):
        if x.shape != shape:
            raise ShapeError(f"stack expects each tensor to be equal size, but got {list(shape)} at entry 0 and "
                             f"{list(x.shape)} at entry {k}")
    d = wrap_dim(dim, len(shape) + 1)
    if d < len(shape) and all([layouts.has_channels_last(x) for x in tensors]):  # then joined, and that dimension split
        joined = layouts.lay_out("channels", np.concatenate(tensors, axis=d), *tensors)
        return joined.reshape(*shape[:d], len(tensors), *shape[d:])
    return layouts.lay_out("contiguous", np.concatenate([x[index_along(d, None)] for x in tensors], axis=d))
@stack.derivative("tensors")
def stack_wrt_tensors(g: Any, dim: Any) -> Any: return unbind(g, dim=dim)


@op(view=True)
def diagonal(input: Any, *, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal of each matrix in dimensions `dim1` and `dim2`, `offset` places above the main one, as last dimension."""
    d1, d2 = wrap_dim(dim1, input.ndim), wrap_dim(dim2, input.ndim)
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
def trace(input: Any) -> Any:
    """The sum of the diagonal of a matrix."""
    if input.ndim != 2:
        raise ShapeError(f"expected a matrix, but got tensor with dim {input.ndim}")
    half = input.dtype.char == "e"
    total = np.sum(np.diagonal(input), dtype=np.float32 if half else input.dtype if input.dtype.kind in "fc" else np.int64)
    return total.astype(input.dtype) if half else total
@trace.derivative("input")
def trace_wrt_input(g: Any, input_shape: Any) -> Any:
    return fill_diagonals(expand(g, size=(min(input_shape),)), size=input_shape)


@op(layout="contiguous")
def tril(input: Any, *, diagonal: int = 0) -> Any:
    """The elements on and below the diagonal `diagonal` of each matrix in the last two dimensions; zero above it."""
    return np.tril(at_least_matrix(input), diagonal)
@tril.derivative("input")
def tril_wrt_input(g: Any, diagonal: Any) -> Any: return tril(g, diagonal=diagonal)


@op(layout="contiguous")
def triu(input: Any, *, diagonal: int = 0) -> Any:
    """The elements on and above the diagonal `diagonal` of each matrix in the last two dimensions; zero below it."""
    return np.triu(at_least_matrix(input), diagonal)
@triu.derivative("input")
def triu_wrt_input(g: Any, diagonal: Any) -> Any: return triu(g, diagonal=diagonal)


def at_least_matrix(input: Any) -> Any:
    if input.ndim < 2:
        raise ShapeError(f"input tensor must have at least 2 dimensions, got shape {list(input.shape)}")
    return input


@op(layout="channels")
def constant_pad_nd(input: Any, *, pad: Sequence[int], value: Number = 0) -> Any:
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
    out = _arrays.full(shape, value, input) if value else np.zeros(shape, input.dtype, like=input)
    inner = tuple([slice(max(b, 0), max(n - max(a, 0), 0)) for n, b, a in zip(shape, before, after)])
    outer = tuple([slice(max(-b, 0), max(n - max(-a, 0), 0)) for n, b, a in zip(input.shape, before, after)])
    out[inner] = input[outer]
    return out
@constant_pad_nd.derivative("input")
def constant_pad_nd_wrt_input(g: Any, pad: Any) -> Any: return constant_pad_nd(g, pad=tuple([-n for n in pad]))


@op(view=True)
def unfold(input: Any, *, dimension: int, size: int, step: int) -> Any:
    """All windows of `size` elements along `dimension`, `step` apart, as a new last dimension; see :func:`fold_windows`."""
    d = wrap_dim(dimension, input.ndim)
    length = input.shape[d] if input.ndim else 1
    if size < 0:
        raise RuntimeValueError(f"size is {size} but must be >= 0")
    if size > length:
        raise ShapeError(f"maximum size for tensor at dimension {d} is {length} but size is {size}")
    if step <= 0:
        raise RuntimeValueError(f"step is {step} but must be > 0")
    if not input.ndim:
        return input.reshape(1)[:size]
    shape = (*input.shape[:d], (length - size) // step + 1, *input.shape[d + 1:], size)
    strides = (*input.strides[:d], step * input.strides[d], *input.strides[d + 1:], input.strides[d])
    return _arrays.library_of(input).as_strided(input, shape, strides)
@unfold.derivative("input")
def unfold_wrt_input(g: Any, input_shape: Any, dimension: Any, size: Any, step: Any) -> Any:
    return fold_windows(g, shape=input_shape, dimension=dimension, size=size, step=step)


@op(called="fold", opmath=True)
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


@op(grad_name="CopySlices", holomorphic=False, bfloat16=True)
def replace_view(input: Any, written: Any, *, view: Any, order: Any) -> Any:
    """A copy of `input` in which the part that `view` leads to is `written`: what a write through a view is recorded as.

    `order` is that of its dimensions in memory, from the widest step to the narrowest: with it the calls in `view`, which gave
    views of one tensor, give views of the copy too.
    """
    out = copy_in_order(input, order=order)
    replay_view(out, view)[...] = written
    return out
@replace_view.derivative("input")
def replace_view_wrt_input(g: Any, view: Any, order: Any) -> Any: return blank_view(g, view=view, order=order)
@replace_view.derivative("written")
def replace_view_wrt_written(g: Any, view: Any, order: Any) -> Any: return replay_view(laid_out(g, order), view)


@op(holomorphic=False, bfloat16=True)
def blank_view(input: Any, *, view: Any, order: Any) -> Any:
    """A copy of `input` with zeros where `view` leads; for `order` see :func:`replace_view`."""
    out = copy_in_order(input, order=order)
    replay_view(out, view)[...] = 0
    return out
@blank_view.derivative("input")
def blank_view_wrt_input(g: Any, view: Any, order: Any) -> Any: return blank_view(g, view=view, order=order)


# ---------------------------------------------------------------------------------------------------- made of these: joining

def concat(tensors: Sequence[Tensor], dim: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Same as :func:`cat`."""
    return cat(tensors, dim=dim, out=out)


def concatenate(tensors: Sequence[Tensor], axis: int = 0, *, dim: int | None = None, out: Tensor | None = None) -> Tensor:
    """Same as :func:`cat`."""
    return cat(tensors, dim=axis if dim is None else dim, out=out)


def hstack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """`tensors` joined along dimension 1, or dimension 0 where they are vectors."""
    parts = atleast_1d(tensor_tuple(tensors, "hstack"))
    return cat(parts, dim=0 if len(parts[0].shape) == 1 else 1, out=out)


def vstack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """`tensors` joined along dimension 0; a vector counts as one row."""
    return cat(atleast_2d(tensor_tuple(tensors, "vstack")), dim=0, out=out)


def row_stack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """Same as :func:`vstack`."""
    return vstack(tensors, out=out)


def dstack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """`tensors` joined along dimension 2; see :func:`atleast_3d`."""
    return cat(atleast_3d(tensor_tuple(tensors, "dstack")), dim=2, out=out)


def column_stack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """`tensors` joined along dimension 1; a vector counts as one column."""
    parts = [reshape(x, shape=(math.prod(x.shape), 1)) if len(x.shape) <= 1 else x for x in tensor_tuple(tensors, "column_stack")]
    return cat(parts, dim=1, out=out)


def tensor_tuple(tensors: Any, name: str) -> Any:
    """`tensors`, a sequence, as a tuple. Raises ``TypeError`` for a single tensor, and for an empty sequence."""
    if not isinstance(tensors, (tuple, list)):
        raise not_a_sequence(name, "tensors", tensors)
    if not tensors:
        raise EmptyListError(f"{name}: expects a non-empty TensorList")
    return tuple(tensors)


def block_diag(*tensors: Tensor) -> Tensor:
    """The matrix with `tensors`, of at most two dimensions, along its diagonal and zeros elsewhere."""
    for k, x in enumerate(tensors):
        if len(x.shape) > 2:
            raise ShapeError(f"block_diag: Input tensors must have 2 or fewer dimensions. Input {k} has "
                             f"{len(x.shape)} dimensions")
    blocks = [atleast_2d(x) for x in tensors] or [empty(1, 0)]
    width, left = sum(b.shape[1] for b in blocks), 0
    rows = []
    for b in blocks:
        rows.append(constant_pad_nd(b, pad=(left, width - left - b.shape[1])))
        left += b.shape[1]
    return cat(rows, dim=0)


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """Every combination of one element of each one-dimensional tensor, as rows, in the order of ``itertools.product``."""
    tensors = sequence(tensors)
    for x in tensors:
        if len(x.shape) != 1:
            raise ShapeError(f"cartesian_prod: Expect a 1D vector, but got shape {list(x.shape)}")
    return tensors[0] if len(tensors) == 1 else stack([ravel(x) for x in meshgrid(*tensors, indexing="ij")], dim=1)


# ---------------------------------------------------------------------------------------------------- made of these: parts

def narrow(input: Tensor, dim: int, start: int | Tensor, length: int) -> Tensor:
    """`length` elements of dimension `dim` beginning at `start`, as a view."""
    if not len(input.shape):
        raise ShapeError("narrow: narrow() cannot be applied to a 0-dim tensor.")
    found: Any = start
    if hasattr(found, "dtype") and (found.dtype.kind not in "iu" or found.ndim):
        raise RuntimeValueError("narrow: start must be an 0-dim integral Tensor, or a Python integer")
    d, first = wrap_dim(dim, len(input.shape)), integer(start)
    size = input.shape[d]
    if length < 0:
        raise RuntimeValueError(f"narrow: narrow(): length must be non-negative, got {length}")
    if not -size <= first <= size:
        raise DimensionError(f"narrow: start out of range (expected to be in range of [{-size}, {size}], but got {first})")
    first = first + size if first < 0 else first
    if first + length > size:
        raise ShapeError(f"narrow: start ({first}) + length ({length}) exceeds dimension size ({size}).")
    return narrow_to(input, dim=d, start=first, length=length)


def split(tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
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
    n, length = integer(split_size_or_sections), tensor.shape[wrap_dim(dim, len(tensor.shape))]
    if n < 0 or n == 0 and length:
        raise RuntimeValueError(f"split: split expects split_size be non-negative, and positive unless the dimension is empty, "
                                f"but got split_size={n}")
    sizes = (n,) * (length // n) + ((length % n,) if length % n else ()) if length else (0,)
    return split_with_sizes(tensor, split_sizes=sizes, dim=dim)


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """`input` cut along `dim` into at most `chunks` views of equal size, but for the last, which may be smaller."""
    if not len(input.shape):
        raise ShapeError("chunk: chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeValueError(f"chunk: chunk expects `chunks` to be greater than 0, got: {chunks}")
    length = input.shape[wrap_dim(dim, len(input.shape))]
    if not length:
        return split_with_sizes(input, split_sizes=(0,) * chunks, dim=dim)
    return split(input, -(-length // chunks), dim)


# PyTorch's "unsafe" forms leave out a check of in-place writes to the pieces, which are tracked here.
unsafe_split, unsafe_split_with_sizes, unsafe_chunk = split, split_with_sizes, chunk


def tensor_split(input: Tensor, indices_or_sections: Tensor | int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """`input` cut along `dim` into a number of views, sizes differing by at most one, or before each of the indices given."""
    if not len(input.shape):
        raise ShapeError("tensor_split: tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    length = input.shape[wrap_dim(dim, len(input.shape))]
    where: Any = indices_or_sections
    if isinstance(where, TensorBase):
        if where.array.dtype != np.int64:
            raise DtypeError("tensor_split expected tensor_indices_or_sections to have dtype of long, but got "
                             f"{dtype_name(where.array.dtype)}")
        if where.array.ndim > 1:
            raise ShapeError("tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional "
                             f"tensor, but got a tensor with {where.array.ndim} dims")
    where = where.tolist() if hasattr(where, "tolist") else where
    if isinstance(where, (tuple, list)):
        places = [min(max(k + length if k < 0 else k, 0), length) for k in where]
        bounds = list(zip([0, *places], [*places, length]))
    else:
        if where <= 0:
            raise RuntimeValueError(f"tensor_split: number of sections must be larger than 0, got {where}")
        small, larger = divmod(length, where)
        ends = list(itertools.accumulate([small + 1] * larger + [small] * (where - larger)))
        bounds = list(zip([0, *ends], ends))
    if all(a <= b for a, b in bounds) and bounds[-1][1] == length:
        return split_with_sizes(input, split_sizes=tuple([b - a for a, b in bounds]), dim=dim)
    return tuple([narrow(input, dim, a, max(b - a, 0)) for a, b in bounds])


def split_along(name: str, input: Any, indices_or_sections: Any, dim: int) -> tuple[Tensor, ...]:
    """hsplit, vsplit and dsplit: tensor_split that demands equal pieces."""
    where = indices_or_sections
    if isinstance(where, (int, np.integer)) and (where <= 0 or input.shape[dim] % where):
        raise ShapeError(f"{name}: attempted to split along dimension {dim}, but the size of the dimension "
                         f"{input.shape[dim]} is not divisible by the split_size {where}!")
    return tensor_split(input, where, dim)


def hsplit(input: Tensor, indices_or_sections: Tensor | int | Sequence[int]) -> tuple[Tensor, ...]:
    """`input` cut along dimension 1, or 0 if it is a vector, into equal views or before the indices given."""
    if len(input.shape) < 1:
        raise ShapeError("hsplit: requires a tensor with at least 1 dimension, but got a tensor with 0 dimensions!")
    return split_along("hsplit", input, indices_or_sections, 1 if len(input.shape) > 1 else 0)


def vsplit(input: Tensor, indices_or_sections: Tensor | int | Sequence[int]) -> tuple[Tensor, ...]:
    """`input` cut along dimension 0 into equal views or before the indices given."""
    if len(input.shape) < 2:
        raise ShapeError(f"vsplit: requires a tensor with at least 2 dimension, but got one with {len(input.shape)} dimensions!")
    return split_along("vsplit", input, indices_or_sections, 0)


def dsplit(input: Tensor, indices_or_sections: Tensor | int | Sequence[int]) -> tuple[Tensor, ...]:
    """`input` cut along dimension 2 into equal views or before the indices given."""
    if len(input.shape) < 3:
        raise ShapeError(f"dsplit: requires a tensor with at least 3 dimension, but got one with {len(input.shape)} dimensions!")
    return split_along("dsplit", input, indices_or_sections, 2)


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices, in dimensions `dim1` and `dim2` of the result, that have the last dimension of `input` as diagonal."""
    ndim = len(input.shape) + 1
    d1, d2 = wrap_dim(dim1, ndim), wrap_dim(dim2, ndim)
    if d1 == d2:
        raise ShapeError(f"diag_embed: diagonal dimensions cannot be identical {dim1}, {dim2}")
    n = input.shape[-1] + abs(offset)
    rest = iter(input.shape[:-1])
    size = tuple([n if d in (d1, d2) else next(rest) for d in range(ndim)])
    return fill_diagonals(input, size=size, offset=offset, dim1=d1, dim2=d2)


def diag(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """The diagonal of a matrix, as a copy, or the matrix with a vector on its diagonal."""
    if len(input.shape) not in (1, 2):
        raise ShapeError(f"diag: diag(): Supports 1D or 2D tensors. Got {len(input.shape)}D")
    if len(input.shape) == 1:
        n = input.shape[0] + abs(diagonal)
        return fill_diagonals(input, size=(n, n), offset=diagonal, out=out)
    return copy_in_order(matrix_diagonal(input, diagonal), out=out)


def matrix_diagonal(input: Any, offset: int) -> Any: return diagonal(input, offset=offset)


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """The matrix with all elements of `input` on its diagonal."""
    return diag(ravel(input), offset)


def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A copy of `input` with `src` on its diagonal."""
    return scatter_into_view("diagonal_scatter", input, src, ((diagonal, {"offset": offset, "dim1": dim1, "dim2": dim2}),))


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy of `input` with `src` as element `index` of dimension `dim`."""
    return scatter_into_view("select_scatter", input, src, ((select, {"dim": dim, "index": index}),))


def slice_scatter(input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None,
                  step: int = 1, *, out: Tensor | None = None) -> Tensor:
    """A copy of `input` with `src` at the slice ``start:end:step`` of dimension `dim`."""
    index = index_along(wrap_dim(dim, len(input.shape)), slice(start, end, step))
    return serve_out("slice_scatter", scatter_into_view("slice_scatter", input, src, ((slices, {"index": index}),)), out)


def scatter_into_view(name: str, input: Any, src: Any, view: Any) -> Tensor:
    return scatter_view(input, src, view=view)


@op(layout="like_input", called="as_strided_scatter", bfloat16=True)
def scatter_view(input: Any, src: Any, *, view: Any) -> Any:
    """A copy of `input` in which the part that `view` leads to is `src`."""
    out = input.copy()
    part = replay_view(out, view)
    if part.shape != src.shape:
        raise ShapeError(f"expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice size = "
                         f"{list(part.shape)}")
    part[...] = src
    return out
@scatter_view.derivative("input")
def scatter_view_wrt_input(g: Any, view: Any, src_shape: Any) -> Any:
    return scatter_view(g, constant_full(g, size=src_shape), view=view)
@scatter_view.derivative("src")
def scatter_view_wrt_src(g: Any, view: Any) -> Any: return replay_view(g, view)


# ---------------------------------------------------------------------------------------------------- copies of views

def as_copy(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that copies what the view operation `function` gives."""
    def copy(*args: Any, out: Any = None, **settings: Any) -> Any:
        result = function(*args, **settings)
        if isinstance(result, tuple):
            return tuple([copy_in_order(x, out=o) for x, o in zip(result, out or (None,) * len(result))])
        return copy_in_order(result, out=out)
    functools.update_wrapper(copy, function).__name__ = copy.__qualname__ = function.__name__ + "_copy"
    copy.__signature__ = Signature(lambda: signature_with_out(function))  # type: ignore[attr-defined]
    copy.__doc__ = f"A copy of what :func:`{function.__name__}` gives, in memory of its own."
    return copy


def alias_copy(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """A copy of `input`."""
    return copy_in_order(input, out=out)


diagonal_copy, expand_copy, narrow_copy, permute_copy = as_copy(diagonal), as_copy(expand), as_copy(narrow), as_copy(permute)
select_copy, squeeze_copy, t_copy, transpose_copy = as_copy(select), as_copy(squeeze), as_copy(t), as_copy(transpose)
unfold_copy, unsqueeze_copy, unbind_copy, split_copy = as_copy(unfold), as_copy(unsqueeze), as_copy(unbind), as_copy(split)
split_with_sizes_copy, view_copy = as_copy(split_with_sizes), as_copy(view)
view_as_real_copy, view_as_complex_copy = as_copy(view_as_real), as_copy(view_as_complex)


def slice_copy(input: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1, *,
               out: Tensor | None = None) -> Tensor:
    """A copy of the slice ``start:end:step`` of dimension `dim`."""
    return copy_in_order(slices(input, index=index_along(wrap_dim(dim, len(input.shape)), slice(start, end, step))), out=out)
