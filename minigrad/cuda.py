"""Whether there are GPUs, and what concerns all of one. Tensors get there by ``.to("cuda")`` or ``device="cuda"``."""

from __future__ import annotations

from typing import Any

from minigrad import backend, random
from minigrad.errors import DeviceError

__all__ = ["current_device", "device_count", "empty_cache", "is_available", "manual_seed", "manual_seed_all", "synchronize"]

HERE = backend.Device("cuda")


def is_available() -> bool:
    """Whether CuPy is installed and finds a usable GPU."""
    try:
        backend.library_on(HERE)
    except DeviceError:
        return False
    return True


def device_count() -> int:
    """How many GPUs can be used."""
    return int(backend.library_on(HERE).xp.cuda.runtime.getDeviceCount()) if is_available() else 0


def current_device() -> int:
    """The number of the GPU that ``"cuda"`` means. Raises ``RuntimeError`` where there is none."""
    return int(backend.library_on(HERE).xp.cuda.runtime.getDevice())


def synchronize(device: Any = None) -> None:
    """Wait until the GPU has done everything that was asked of it, for instance before reading a clock."""
    index = backend.as_device(HERE if device is None else device).index
    backend.library_on(HERE).xp.cuda.Device(index).synchronize()


def empty_cache() -> None:
    """Give the memory that is held for reuse back to the GPU."""
    if is_available():
        backend.library_on(HERE).xp.get_default_memory_pool().free_all_blocks()


def manual_seed(seed: int) -> None:
    """Seed the generator of the current GPU."""
    if is_available():
        random.default_of(backend.Device("cuda", current_device())).manual_seed(seed)


def manual_seed_all(seed: int) -> None:
    """Seed the generators of all GPUs."""
    for index in range(device_count()):
        random.default_of(backend.Device("cuda", index)).manual_seed(seed)
