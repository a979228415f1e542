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

__all__ = ["collate", "default_collate", "default_convert"]


def is_text_array(x: Any) -> bool:
    return re.search("[SaUO]", x.dtype.str) is not None


def sequence_like(elem: Any, items: list[Any]) -> Any:
    """`items` as a sequence like `elem`, with what else that carries, or as a list if its class cannot be made so."""
    if not isinstance(elem, collections.abc.MutableSequence):
        return items
    try:
        made = copy.copy(elem)
        made[:] = items
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
        made.update(pairs)
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


def default_collate(batch: Any) -> Any:
    """A batch of a list of samples of one kind.

    Tensors and arrays are stacked in a new first dimension, numbers become a tensor (of Python floats: float64), texts stay a
    list; tuples, lists and dictionaries are gone into. Raises ``TypeError`` for anything else.

    >>> default_collate([(1, "a"), (2, "b")])
    [tensor([1, 2]), ('a', 'b')]
    """
    return collate(batch)


def collate(batch: Any, *, collate_fn_map: dict[Any, Callable[..., Any]] | None = None) -> Any:
    """:func:`default_collate` where a class found in `collate_fn_map` is collated by the function there."""
    elem = batch[0]
    for kind, function in (collate_fn_map or {}).items():
        if isinstance(elem, kind):
            return function(batch, collate_fn_map=collate_fn_map)
    if isinstance(elem, (str, bytes)):  # NumPy's too
        return batch
    if isinstance(elem, Tensor):
        return stack(list(batch), 0)
    if isinstance(elem, np.ndarray):
        if is_text_array(elem):
            raise ArgumentError(f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found "
                                f"{elem.dtype}")
        return as_tensor(np.stack(batch))
    if isinstance(elem, np.generic):
        return as_tensor(np.array(batch))
    if isinstance(elem, float):
        return tensor(batch, dtype=float64)
    if isinstance(elem, int):
        return tensor(batch)

    def inner(samples: Any) -> Any:
        return collate(samples, collate_fn_map=collate_fn_map)

    if isinstance(elem, collections.abc.Mapping):
        return mapping_like(elem, {key: inner([sample[key] for sample in batch]) for key in elem})
    if isinstance(elem, tuple) and hasattr(elem, "_fields"):
        return type(elem)(*map(inner, zip(*batch)))
    if isinstance(elem, collections.abc.Sequence):
        if any(len(sample) != len(elem) for sample in batch):
            raise ShapeError("each element in list of batch should be of equal size")
        columns = [inner(column) for column in zip(*batch)]
        return columns if isinstance(elem, tuple) else sequence_like(elem, columns)
    raise ArgumentError(f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {type(elem)}")
