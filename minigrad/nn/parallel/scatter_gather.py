"""A batch cut into a part for each device, and the results joined."""

from __future__ import annotations

import warnings
from typing import Any, Sequence

from minigrad import _arrays
from minigrad._arrays import Device
from minigrad._tensor import Tensor
from minigrad.errors import ArgumentError, InvalidValueError
from minigrad.ops.shaping.slicing import cat

__all__ = ["gather", "scatter", "scatter_kwargs"]


def as_devices(devices: Any) -> list[Device]:
    """Devices, their names or numbers of GPUs as devices."""
    return [_arrays.resolve(_arrays.as_device(d)) for d in devices]


def rebuild_sequence(like: Any, items: Any) -> Any:
    """`items` in a sequence of the type of `like`, which may be a named tuple."""
    return type(like)(*items) if hasattr(like, "_fields") else type(like)(items)


def scatter(inputs: Any, target_gpus: Sequence[Any], dim: int = 0) -> list[Any]:
    """`inputs` for each device: tensors, in whatever tuples, lists and dictionaries, are cut along `dim`; the rest is repeated.

    A tensor shorter than the number of devices makes fewer parts.
    """
    devices = as_devices(target_gpus)

    def parts(x: Any) -> list[Any]:
        if isinstance(x, Tensor):
            return [piece.to(device) for piece, device in zip(x.chunk(len(devices), dim), devices)]
        if isinstance(x, (tuple, list)) and x:
            return [rebuild_sequence(x, items) for items in zip(*map(parts, x))]
        if isinstance(x, dict) and x:
            return [type(x)(zip(x, values)) for values in zip(*map(parts, x.values()))]
        return [x for _ in devices]
    return parts(inputs)


def scatter_kwargs(inputs: Any, kwargs: Any, target_gpus: Sequence[Any], dim: int = 0) -> tuple[Any, Any]:
    """:func:`scatter` for the positional and the named arguments of a call: as many of the one as of the other."""
    each = scatter(inputs, target_gpus, dim) if inputs else []
    named = scatter(kwargs, target_gpus, dim) if kwargs else []
    each += [()] * (len(named) - len(each))
    named += [{}] * (len(each) - len(named))
    return tuple(each), tuple(named)


def gather(outputs: Sequence[Any], target_device: Any, dim: int = 0) -> Any:
    """The results of the replicas as one, on `target_device`: tensors are joined along `dim`, scalars make a vector."""
    device = _arrays.as_device(target_device)

    def join(parts: Any) -> Any:
        first = parts[0]
        if isinstance(first, Tensor):
            if all(t.dim() == 0 for t in parts) and dim == 0:
                warnings.warn("Was asked to gather along dimension 0, but all input tensors were scalars; will instead unsqueeze "
                              "and return a vector.", UserWarning, stacklevel=4)
                parts = [t.unsqueeze(0) for t in parts]
            return cat([t.to(device) for t in parts], dim)
        if first is None:
            return None
        if isinstance(first, dict):
            if any(len(part) != len(first) for part in parts):
                raise InvalidValueError("All dicts must have the same number of keys")
            return type(first)((k, join([part[k] for part in parts])) for k in first)
        if isinstance(first, (tuple, list)):
            return rebuild_sequence(first, [join(column) for column in zip(*parts)])
        raise ArgumentError(f"gather: replicas must return tensors, or tuples, lists and dictionaries of them, but one returned "
                            f"{type(first).__name__}")
    return join(list(outputs))
