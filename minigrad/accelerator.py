"""The devices beside the CPU, whichever library has them, by the names of ``torch.accelerator``: here, GPUs through CuPy.

Where there is none, counts are 0, memory is not taken, and there is nothing to wait for.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

from minigrad import _arrays, _paths, cpu, cuda
from minigrad._types import dtypes
from minigrad.errors import DeviceError

if TYPE_CHECKING:
    from minigrad._types.annotations import DeviceLike

__all__ = ["current_accelerator", "current_device_idx", "current_device_index", "current_stream", "device_count", "device_index",
           "empty_cache", "get_device_capability", "get_memory_info", "is_available", "max_memory_allocated",
           "max_memory_reserved", "memory_allocated", "memory_reserved", "memory_stats", "reset_peak_memory_stats",
           "set_device_idx", "set_device_index", "set_stream", "synchronize"]

__path__: list[str] = []  # `accelerator.memory` lies below, by minigrad._paths


def __getattr__(name: str) -> Any:
    return _paths.submodule(__name__, name)


def is_available() -> bool:
    """Whether there is a device beside the CPU that can be used."""
    return cuda.is_available()


def current_accelerator(check_available: bool = False) -> _arrays.Device | None:
    """The kind of device there is beside the CPU, ``device("cuda")``; None where there is none.

    >>> import minigrad as mg
    >>> device = mg.accelerator.current_accelerator() if mg.accelerator.is_available() else mg.device("cpu")
    >>> mg.ones(2, device=device).sum().item()
    2.0
    """
    return _arrays.Device("cuda") if is_available() else None


def device_count() -> int:
    """How many there are."""
    return cuda.device_count()


def current_device_index() -> int:
    """The number of the one that is current. Raises ``RuntimeError`` where there is none."""
    return cuda.current_device()


def set_device_index(device: Any, /) -> None:
    """Let this one be current, in this thread; a negative number changes nothing."""
    cuda.set_device(device)


current_device_idx, set_device_idx = current_device_index, set_device_index


class device_index(cuda.device):
    """A block in which another device is current, given by number; None changes nothing."""


def get_device_capability(device: Any = None, /) -> dict[str, Any]:
    """What the device can do: under ``"supported_dtypes"``, the dtypes of tensors on it."""
    cuda.get_device_properties(device)  # raises where there is no such device
    return {"supported_dtypes": set(dtypes.ALL)}


def get_device_module(device: DeviceLike | None = None) -> ModuleType:
    """The module that tells of a kind of device: ``minigrad.cuda``, ``minigrad.cpu``; by default, of the one beside the CPU, or
    of the CPU where there is none. Raises ``RuntimeError`` for a kind that has no module.

    >>> import minigrad as mg
    >>> mg.get_device_module("cpu").current_device()
    'cpu'
    """
    kind = (current_accelerator() or _arrays.Device("cpu")).type if device is None else _arrays.as_device(device).type
    if kind not in ("cpu", "cuda"):
        raise DeviceError(f"get_device_module: invalid device type '{kind}': there is a module for 'cpu' and one for 'cuda'")
    return cuda if kind == "cuda" else cpu


current_stream, set_stream, synchronize = cuda.current_stream, cuda.set_stream, cuda.synchronize
empty_cache, get_memory_info, memory_stats = cuda.empty_cache, cuda.mem_get_info, cuda.memory_stats
memory_allocated, max_memory_allocated = cuda.memory_allocated, cuda.max_memory_allocated
memory_reserved, max_memory_reserved = cuda.memory_reserved, cuda.max_memory_reserved
reset_peak_memory_stats = cuda.reset_peak_memory_stats
