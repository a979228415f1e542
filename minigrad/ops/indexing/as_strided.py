"""Tensors by their steps in memory: as_strided, resize_, and the places that they name."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays
from minigrad._types.dtypes import FROM_NUMPY
from minigrad._types.layouts import channels_last, channels_last_3d, contiguous_format, preserve_format
from minigrad._types.tensor_base import unwrap
from minigrad.errors import DeviceError, GraphError, InvalidValueError, RuntimeValueError, ShapeError
from minigrad.ops.indexing.indexing import accumulate_at, convert_operand, lookup, overwrite
from minigrad.ops.shaping.shape import as_ints, changes_shape, constant_full
from minigrad.ops.shaping.slicing import as_copy
from minigrad.recording.clock import memory_owner
from minigrad.recording.device_guard import on_device_of_inputs
from minigrad.recording.op import op

if TYPE_CHECKING:
    from collections.abc import Sequence

    from minigrad._types.annotations import Tensor
    from minigrad._types.layouts import memory_format

__all__ = ["as_strided", "as_strided_copy", "as_strided_scatter"]


# ---------------------------------------------------------------------------------------------------- by step in memory

def storage_owner(x: Any) -> Any:
    """The array that owns the memory of the array `x`, also where writes to `x` are counted apart, as those to ``x.data``."""
    owner = memory_owner(x)
    while (lender := _arrays.lender_of(owner)) is not None:
        owner = memory_owner(lender)
    return owner


def storage_of(x: Any) -> Any:
    """The memory that the array `x` lies in, as one vector of its dtype. Raises ``RuntimeError`` where it has gaps."""
    return as_vector(storage_owner(x)).view(x.dtype)


def as_vector(owner: Any) -> Any:
    """The elements of the array `owner`, which owns its memory, in the order of memory. Raises ``RuntimeError`` where it has
    gaps."""
    owner = owner if owner.flags.c_contiguous else owner.transpose(np.argsort([-s for s in owner.strides], kind="stable"))
    if not owner.flags.c_contiguous:
        raise RuntimeValueError("as_strided: the tensor lies in memory that has gaps, which minigrad did not lay out; clone() it")
    return owner.reshape(-1)


def memory_and_place(x: Any) -> tuple[Any, tuple[Any, ...] | None]:
    """The memory that the array `x` lies in, an array, and where in it `x` lies, for :func:`at_place`.

    The place is None where `x` is all of that memory, or where it has gaps or cannot be addressed: `x` is then given for it.
    """
    owner = storage_owner(x)
    ordered = owner.flags.c_contiguous or owner.flags.f_contiguous
    if not x.size or owner is x and ordered:
        return x, None
    try:
        vector, step = as_vector(owner), x.itemsize
        offset = _arrays.address_of(x) - _arrays.address_of(vector)
    except (RuntimeValueError, DeviceError):
        return x, None
    if any([n % step for n in (offset, owner.nbytes, *x.strides)]):
        return x, None
    place = (FROM_NUMPY[x.dtype], offset // step, tuple(x.shape), tuple([s // step for s in x.strides]))
    return owner if ordered else vector, place


def at_place(owner: Any, place: tuple[Any, ...] | None) -> Any:
    """What lies at `place` in the memory that the array `owner` owns. Raises ``ValueError`` where that reaches outside of it."""
    if place is None:
        return owner
    dtype, offset, shape, strides = place
    memory = as_vector(owner).view(dtype.numpy)
    ends = [(n - 1) * step for n, step in zip(shape, strides, strict=True)]
    first, last = offset + sum([min(e, 0) for e in ends]), offset + sum([max(e, 0) for e in ends])
    if min(shape, default=1) < 1 or first < 0 or last >= memory.size:
        raise InvalidValueError(f"a tensor of shape {list(shape)} and strides {list(strides)} at {offset} does not lie within "
                                f"the {memory.size} elements of its memory")
    return _arrays.library_of(memory).as_strided(memory[offset:], shape, [step * memory.itemsize for step in strides])


def storage_indices(like: Any, size: Any, stride: Any, offset: int) -> Any:
    """Where in memory the elements of a tensor of `size` and `stride` lie, counted in elements, as an array on the device of
    `like`."""
    places = _arrays.full((1,) * len(size), offset, like, np.intp)
    for d, (n, step) in enumerate(zip(size, stride)):
        places = places + (np.arange(n, like=like) * step).reshape([-1 if k == d else 1 for k in range(len(size))])
    return places


def geometry(x: Any) -> tuple[Any, Any, int, int]:
    """The size, the stride and the offset of the array `x` in its memory, all in elements, and how many elements that memory
    has."""
    storage = storage_of(x)
    offset = (_arrays.address_of(x) - _arrays.address_of(storage)) // x.itemsize
    return tuple(x.shape), tuple([s // x.itemsize for s in x.strides]), offset, storage.size


@op(view=True)
def strided(input: Any, *, size: Any, stride: Any, offset: Any, lies: Any) -> Any:
    """The elements at `offset` and steps `stride` in the memory of a tensor whose :func:`geometry` is `lies`."""
    if lies[1:] == geometry(input)[1:]:
        memory = storage_of(input)[offset:]
        return _arrays.library_of(input).as_strided(memory, size, [s * input.itemsize for s in stride])
    memory = np.zeros(lies[3], input.dtype, like=input)  # a gradient, say, that lies elsewhere: laid out in the same way first
    memory[storage_indices(input, *lies[:3])] = input
    return memory[storage_indices(input, size, stride, offset)]
@strided.derivative("input")
def strided_wrt_input(g: Any, size: Any, stride: Any, offset: Any, lies: Any) -> Any:
    memory = accumulate_at(g, indices=(storage_indices(unwrap(g), size, stride, offset),), size=(lies[3],))
    own = storage_indices(unwrap(g), *lies[:3])
    shared = np.bincount(own.reshape(-1), minlength=lies[3])[own]  # in an expanded tensor several elements are one
    grad = lookup(memory, indices=(own,))
    return grad if not shared.size or int(shared.max()) == 1 else grad / convert_operand(shared, g)


def as_strided(input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None) -> Tensor:
    """A view of the memory of `input` with this size, step in each dimension and offset, all counted in elements.

    Raises ``RuntimeError`` where that reaches outside of the memory.
    """
    size, stride = tuple(size), tuple(stride)
    if len(size) != len(stride):
        raise ShapeError(f"as_strided: mismatch in length of strides and shape: {list(stride)} and {list(size)}")
    lies = geometry(unwrap(input))
    offset = lies[2] if storage_offset is None else storage_offset
    if min((*size, *stride, offset), default=0) < 0:
        raise ShapeError(f"as_strided: size, stride and storage_offset must not be negative: {list(size)}, {list(stride)}, "
                         f"{offset}")
    last = offset + sum([(n - 1) * s for n, s in zip(size, stride)])
    if 0 not in size and last >= lies[3]:
        raise ShapeError(f"as_strided: setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset} requiring "
                         f"a storage size of {last + 1} elements are out of bounds for storage of size {lies[3]}")
    return strided(input, size=size, stride=stride, offset=offset, lies=lies)


@on_device_of_inputs
def as_strided_scatter(input: Tensor, src: Tensor, size: Sequence[int], stride: Sequence[int],
                       storage_offset: int | None = None) -> Tensor:
    """A copy of `input` with `src` at the places that :func:`as_strided` would give."""
    lies = geometry(unwrap(input))
    if tuple(src.shape) != tuple(size):
        raise ShapeError(f"as_strided_scatter: expected src to have a size equal to the slice of self. src size = "
                         f"{list(src.shape)}, slice size = {list(size)}")
    as_strided(input, size, stride, storage_offset)  # raises where that cannot be
    own = storage_indices(unwrap(input), *lies[:3])
    written = storage_indices(unwrap(input), tuple(size), tuple(stride), lies[2] if storage_offset is None else storage_offset)
    memory = overwrite(constant_full(input, size=(lies[3],)), input, index=(...,), indices=(own,))
    return lookup(overwrite(memory, src, index=(...,), indices=(written,)), indices=(own,))


as_strided_, as_strided_copy = changes_shape(as_strided), as_copy(as_strided)


@on_device_of_inputs
def resize_(self: Tensor, *size: int | Sequence[int], memory_format: memory_format | None = None) -> Tensor:
    """Change the shape in place, keeping the elements in the order of memory, which `memory_format` lays out as that shape; what
    is added is zero. A tensor that has the shape keeps its layout.

    Raises ``RuntimeError`` for a tensor that requires grad.
    """
    if self.node is not None:
        raise GraphError("resize_: cannot resize variables that require grad; use reshape(), or pad()")
    shape = as_ints(size)
    if any([n < 0 for n in shape]):
        raise ShapeError(f"resize_: Trying to create tensor with negative dimension in {list(shape)}")
    array, n = self.array, math.prod(shape)
    if n * array.itemsize >= 2**63:
        raise ShapeError(f"resize_: Storage size calculation overflowed with sizes={list(shape)}")
    if memory_format is None and shape == array.shape:
        return self
    memory = storage_of(array)[geometry(array)[2]:]
    if n > memory.size:
        longer = np.zeros(n, memory.dtype, like=memory)
        longer[:memory.size] = memory
        memory = longer
    self.array = (contiguous_format if memory_format is None else memory_format).spread(memory[:n], shape)
    return self


def resize_as_(self: Tensor, other: Tensor, memory_format: memory_format | None = None) -> Tensor:
    """``self.resize_(other.shape)``; with ``memory_format=preserve_format`` in the order of `other`."""
    if memory_format is preserve_format:
        memory_format = next((f for f in (channels_last, channels_last_3d) if f.describes(other.array)), contiguous_format)
    return resize_(self, tuple(other.shape), memory_format=memory_format)
