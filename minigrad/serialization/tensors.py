"""Tensors from what a file says of them: the memory they lie in, and where in it. Files call these functions, so they check what
they are given."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import _arrays
from minigrad._tensor import Tensor
from minigrad._tensor.storage import TypedStorage, UntypedStorage
from minigrad._types import dtypes
from minigrad._types.tensor_base import LEAF, unwrap
from minigrad.errors import ArgumentError, InvalidValueError
from minigrad.nn.parameter import Buffer, Parameter
from minigrad.ops.creation import refuse_integers
from minigrad.ops.indexing.as_strided import at_place
from minigrad.recording.clock import memory_owner
from minigrad.serialization.plain import brief
from minigrad.serialization.registry import default_restore_location

MOST_DIMENSIONS = 64  # as NumPy can have


def as_tensor(array: Any, requires_grad: bool) -> Tensor:
    """A leaf that holds `array`."""
    if requires_grad:
        refuse_integers(array)
    t: Any = object.__new__(Tensor)
    t.array, t.node = array, LEAF if requires_grad else None
    return t  # type: ignore[no-any-return]


def part_of(storage: TypedStorage | UntypedStorage, dtype: dtypes.dtype, offset: int, size: Any, stride: Any) -> Any:
    """The array at `offset`, with `size` and `stride`, all counted in elements of `dtype`, in the memory of a storage. Raises
    ``ValueError`` where that reaches outside of it."""
    fits = isinstance(size, (tuple, list)) and isinstance(stride, (tuple, list)) and len(size) == len(stride) <= MOST_DIMENSIONS
    if not fits or not all([type(n) is int and n >= 0 for n in (offset, *size, *stride)]):
        raise InvalidValueError(f"a tensor of size {brief(size)} and stride {brief(stride)} at {brief(offset)}: there should be "
                                f"as many of the one as of the other, at most {MOST_DIMENSIONS}, all of them integers that are "
                                "not negative")
    memory, n = storage.as_vector(dtype), math.prod(size)
    if not n:
        return memory[:0].reshape(size)
    dense, contiguous = [], 1
    for extent in reversed(size):
        dense.append(contiguous)
        contiguous *= extent
    if tuple(stride) == tuple(dense[::-1]) and offset + n <= memory.size:
        return memory[offset:offset + n].reshape(size)
    return at_place(memory, (dtype, offset, tuple(size), tuple(stride)))


# -------------------------------------------------------------------------------------------------- as PyTorch's files name them

def rebuild_tensor(storage: Any, storage_offset: int, size: Any, stride: Any) -> Tensor:
    """A tensor in the memory of a storage, of its dtype."""
    return rebuild_tensor_v2(storage, storage_offset, size, stride, False, None)


def rebuild_tensor_v2(storage: Any, storage_offset: int, size: Any, stride: Any, requires_grad: Any, backward_hooks: Any,
                      metadata: Any = None) -> Tensor:
    """The same that may require grad, or stand for the conjugate or the negative of what lies there."""
    if not isinstance(storage, TypedStorage):
        raise ArgumentError(f"a tensor lies in a {type(storage).__name__}, which should be a storage with a dtype")
    return rebuild_tensor_v3(storage, storage_offset, size, stride, requires_grad, backward_hooks, storage.dtype, metadata)


def rebuild_tensor_v3(storage: Any, storage_offset: int, size: Any, stride: Any, requires_grad: Any, backward_hooks: Any,
                      dtype: Any, metadata: Any = None) -> Tensor:
    """A tensor of any dtype in the memory of a storage."""
    if not isinstance(storage, (TypedStorage, UntypedStorage)) or not isinstance(dtype, dtypes.dtype):
        raise ArgumentError(f"a tensor of the dtype {brief(dtype)} lies in a {type(storage).__name__}, which should be a storage")
    array = part_of(storage, dtype, storage_offset, size, stride)
    for mark, change in (("conj", np.conj), ("neg", np.negative)):
        if isinstance(metadata, dict) and metadata.get(mark):
            if array.size > storage.nbytes() // dtype.itemsize:
                raise InvalidValueError(f"a tensor of size {brief(size)} that is marked as {mark} lies in a storage of fewer "
                                        "elements; as its elements are copied, it should have no more")
            array = change(array)
    return as_tensor(array, bool(requires_grad))


def rebuild_parameter(data: Any, requires_grad: Any, backward_hooks: Any) -> Parameter:
    """A parameter that holds what the tensor `data` does."""
    return Parameter(data, bool(requires_grad))


def rebuild_parameter_with_state(data: Any, requires_grad: Any, backward_hooks: Any, state: Any) -> Any:
    """A parameter with attributes of its own."""
    return with_attributes(rebuild_parameter(data, requires_grad, backward_hooks), state)


def rebuild_from_type_v2(func: Any, new_type: Any, args: Any, state: Any) -> Any:
    """What another of these functions makes, as an instance of `new_type`, with attributes of its own."""
    if func not in REBUILDING:
        raise ArgumentError(f"a tensor is made by {brief(func)}, which should be one of PyTorch's functions for that")
    made = func(*args)
    attributes = state[0] if isinstance(state, tuple) and len(state) == 2 else state
    if new_type is Tensor and isinstance(attributes, dict) and attributes.get("_is_buffer"):
        return Buffer(made, persistent=bool(attributes.get("persistent", True)))  # a class here, a mark in PyTorch
    if not (isinstance(new_type, type) and issubclass(new_type, Tensor)):
        raise ArgumentError(f"a tensor is to be made a {brief(new_type)}, which should be a subclass of Tensor")
    if type(made) is not new_type:
        tensor, made = made, object.__new__(new_type)
        made.array, made.node = tensor.array, tensor.node
    own = new_type.__dict__.get("__setstate__")
    if own is not None:
        own(made, state)
        return made
    return with_attributes(made, state)


def rebuild_from_type(func: Any, new_type: Any, args: Any, attributes: Any) -> Any:
    """The same, as older files write it."""
    return rebuild_from_type_v2(func, new_type, args, attributes)


def rebuild_device_tensor_from_numpy(data: Any, dtype: Any, device: Any, requires_grad: Any) -> Tensor:
    """A tensor of a device that PyTorch writes through NumPy, such as a TPU; here it goes to the host."""
    return as_tensor(convert(data, dtype), bool(requires_grad))


def rebuild_device_tensor_from_cpu_tensor(data: Any, dtype: Any, device: Any, requires_grad: Any) -> Tensor:
    """The same, written through a tensor."""
    return as_tensor(convert(unwrap(data), dtype), bool(requires_grad))


def convert(array: Any, dtype: Any) -> Any:
    """An array as one of `dtype`."""
    if not isinstance(array, np.ndarray) or not isinstance(dtype, dtypes.dtype):
        raise ArgumentError(f"a tensor of the dtype {brief(dtype)} is made of a {type(array).__name__}, which should be an array")
    if array.nbytes > memory_owner(array).nbytes:
        raise InvalidValueError(f"a tensor of shape {list(array.shape)} is converted that lies in memory of fewer elements")
    return array.astype(dtype.numpy, copy=False)


def rebuild(cls: Any, memory: Any, device: Any, requires_grad: Any, place: Any = None, *,
            restore: Any = default_restore_location) -> Any:
    """A tensor as minigrad's own pickles hold it: what lies at a place in the memory that an array owns. `restore` brings it to
    its device."""
    if not (isinstance(cls, type) and issubclass(cls, Tensor) and isinstance(memory, np.ndarray) and isinstance(device, str)):
        raise ArgumentError(f"a {brief(cls)} is made of a {type(memory).__name__} on {brief(device)}; it should be a tensor, of "
                            "an array")
    array = at_place(dtypes.adopt_array(memory), place)
    there = restore(UntypedStorage(array), device).device
    t: Any = object.__new__(cls)
    t.array, t.node = _arrays.to_device(array, there), LEAF if requires_grad else None
    return t


REBUILDING = (rebuild_tensor, rebuild_tensor_v2, rebuild_tensor_v3, rebuild_parameter, rebuild_parameter_with_state,
              rebuild_device_tensor_from_numpy, rebuild_device_tensor_from_cpu_tensor)


# What tensors note in attributes of their own that no class has; files may give them none of these, or hooks would be called.
NOTES = frozenset({"_accumulation", "_accumulator", "_finishes_early", "_former", "_leaf_hooks", "_post_accumulate_hooks",
                   "_views"})


def with_attributes(made: Any, state: Any) -> Any:
    """`made` with the attributes of `state`: a dictionary, perhaps in a pair with one of slots. Raises ``ValueError`` for those
    that would hide what every tensor has."""
    for attributes in state if isinstance(state, tuple) else (state,):
        for name, value in (attributes or {}).items():
            if name == "_is_param":  # PyTorch's mark of subclasses that are parameters
                continue
            if type(name) is not str or name in NOTES or hasattr(Tensor, name):
                raise InvalidValueError(f"a tensor is given the attribute {brief(name)}, which hides that of every tensor")
            setattr(made, name, value)
    return made
