"""Batches in pinned memory, from which a GPU fetches by itself."""

from __future__ import annotations

import collections.abc
from typing import Any

from minigrad.utils.data.collate import mapping_like, sequence_like

__all__ = ["pin_memory"]


def pin_memory(data: Any, device: Any = None) -> Any:
    """`data` with its tensors, and what else has a method ``pin_memory``, in pinned memory; structure kept."""
    if hasattr(data, "pin_memory"):
        return data.pin_memory()
    if isinstance(data, (str, bytes)):
        return data
    if isinstance(data, collections.abc.Mapping):
        return mapping_like(data, {key: pin_memory(value) for key, value in data.items()})
    if isinstance(data, tuple):
        items = [pin_memory(x) for x in data]
        return type(data)(*items) if hasattr(data, "_fields") else type(data)(items)
    if isinstance(data, collections.abc.Sequence):
        return sequence_like(data, [pin_memory(x) for x in data])
    return data
