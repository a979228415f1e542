"""Making a batch of samples: tensors stacked, numbers and arrays turned into tensors, structure kept."""

from __future__ import annotations

import collections.abc
import copy
import re
from typing import Any, Callable

import numpy as np

from minigrad._tensor import Tensor
from minigrad._types.dtypes import float64
from minigrad.errors import ArgumentError, ShapeError
from minigrad.ops.creation import as_tensor, tensor
from minigrad.ops.shaping.slicing import stack

__all__ = ["collate", "default_collate", "default_collate_fn_map", "default_convert"]


def is_text_array(x: Any) -> bool:
    return re.search("[SaUO]", x.dtype.str) is not None


def sequence_like(elem: Any, items: list[Any]) -> Any:
    """`items` as a sequence like `elem`, with what else that carries, or as a list if its class cannot be made so."""
    try:
        if not isinstance(elem, collections.abc.MutableSequence):
            return type(elem)(items)
        made = copy.copy(elem)
        for k, item in enumerate(items):
            made[k] = item
    except TypeError:
        return items
    return made


def mapping_like(elem: Any, pairs: dict[Any, Any]) -> Any:
    """`pairs` as a mapping like `elem`, with what else that carries, as a ``defaultdict`` its default; or as a dictionary if its
    class cannot be made so."""
    try:
        if not isinstance(elem, collections.abc.MutableMapping):
            return type(elem)(pairs)
        made = copy.copy(elem)
        for key, value in pairs.items():  # update() of a Counter would add
            made[key] = value
    except TypeError:
        return pairs
    return made


def default_convert(data: Any) -> Any:
    """Arrays and NumPy numbers as tensors, inside sequences and mappings too; what the loader does where it does not batch."""
    if isinstance(data, (Tensor, str, bytes)):  # NumPy's texts too
        return data
    if isinstance(data, (np.ndarray, np.generic)):
        return data if isinstance(data, np.ndarray) and is_text_array(data) else as_tensor(data)
    if isinstance(data, collections.abc.Mapping):
        return mapping_like(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*map(default_convert, data))
    if isinstance(data, tuple):
        return [default_convert(x) for x in data]
    if isinstance(data, collections.abc.Sequence):
        return sequence_like(data, [default_convert(x) for x in data])
    return data


def collate(batch: Any, *, collate_fn_map: dict[Any, Callable[..., Any]] | None = None) -> Any:
    """A batch of a list of samples of one kind: mappings, sequences and named tuples are gone into, keeping their classes where
    these allow it, and everything else is collated by a function of `collate_fn_map`.

    Args:
        batch: the samples.
        collate_fn_map: from classes, or tuples of them, to functions ``f(batch, collate_fn_map=...)``. The class of the samples
            is looked up first, then the first class that they are instances of.

    Raises ``TypeError`` for what has no function there.
    """
    elem = batch[0]
    known = collate_fn_map or {}
    function = known.get(type(elem)) or next((f for kind, f in known.items() if isinstance(elem, kind)), None)
    if function is not None:
        return function(batch, collate_fn_map=collate_fn_map)

    def inner(samples: Any) -> Any:
        return collate(samples, collate_fn_map=collate_fn_map)

    if isinstance(elem, collections.abc.Mapping):
        return mapping_like(elem, {key: inner([sample[key] for sample in batch]) for key in elem})
    if isinstance(elem, tuple) and hasattr(elem, "_fields"):
        return type(elem)(*map(inner, zip(*batch)))
    if isinstance(elem, collections.abc.Sequence):
        if any(len(sample) != len(elem) for sample in batch):
            raise ShapeError("each element in list of batch should be of equal size; pad them, or give a collate_fn")
        columns = [inner(column) for column in zip(*batch)]
        return columns if isinstance(elem, tuple) else sequence_like(elem, columns)
    hint = "; the dataset's transform can make tensors of images: vision.transforms.ToTensor()" if is_picture(elem) else ""
    raise ArgumentError(REFUSED.format(type(elem)) + hint)


def is_picture(x: Any) -> bool:
    """Whether `x` is an image of Pillow's, which need not be installed."""
    return any(c.__module__ == "PIL.Image" for c in type(x).__mro__)


def collate_tensor_fn(batch: Any, *, collate_fn_map: Any = None) -> Any:
    """Tensors, stacked. Raises ``RuntimeError`` where their shapes differ."""
    try:
        return stack(list(batch), 0)
    except ShapeError as error:
        raise ShapeError(f"{error}; bring samples to one shape, or give a collate_fn") from None


def collate_numpy_array_fn(batch: Any, *, collate_fn_map: Any = None) -> Any:
    """Arrays, stacked. Raises ``TypeError`` for those of texts or objects."""
    if is_text_array(batch[0]):
        raise ArgumentError(REFUSED.format(batch[0].dtype))
    return collate([as_tensor(array) for array in batch], collate_fn_map=collate_fn_map)


def collate_numpy_scalar_fn(batch: Any, *, collate_fn_map: Any = None) -> Any:
    """NumPy's numbers, as a tensor of their dtype."""
    return as_tensor(np.array(batch))


def collate_float_fn(batch: Any, *, collate_fn_map: Any = None) -> Any:
    """Python's floats, as float64."""
    return tensor(batch, dtype=float64)


def collate_int_fn(batch: Any, *, collate_fn_map: Any = None) -> Any:
    """Integers or booleans."""
    return tensor(batch)


def collate_str_fn(batch: Any, *, collate_fn_map: Any = None) -> Any:
    """Texts, as they are."""
    return batch


REFUSED = "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"

# What default_collate goes by. Programs add classes of their own.
default_collate_fn_map: dict[Any, Callable[..., Any]] = {
    Tensor: collate_tensor_fn, np.ndarray: collate_numpy_array_fn, (np.bool_, np.number, np.object_): collate_numpy_scalar_fn,
    float: collate_float_fn, int: collate_int_fn, str: collate_str_fn, bytes: collate_str_fn,
}


def default_collate(batch: Any) -> Any:
    """A batch of a list of samples of one kind.

    Tensors and arrays are stacked in a new first dimension, numbers become a tensor (of Python floats: float64), texts stay a
    list; tuples, lists and dictionaries are gone into. Raises ``TypeError`` for anything else; ``default_collate_fn_map`` of
    ``minigrad.utils.data.collate`` can be given functions for more classes.

    >>> default_collate([(1, "a"), (2, "b")])
    [tensor([1, 2]), ('a', 'b')]
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)
