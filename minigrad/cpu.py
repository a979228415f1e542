"""The CPU by the names that :mod:`minigrad.cuda` has for GPUs, for programs that take either."""

from __future__ import annotations

import contextlib
from typing import Any

from minigrad import _paths

__all__ = ["Stream", "StreamContext", "current_device", "current_stream", "device_count", "is_available", "is_initialized",
           "set_device", "stream", "synchronize"]

__path__: list[str] = []  # `cpu.amp` lies below, by minigrad._paths


def __getattr__(name: str) -> Any:
    return _paths.submodule(__name__, name)


class Stream:
    """The queue of work of the CPU: there is one, and it is always empty."""

    def __init__(self, priority: int = -1) -> None:
        self.priority = priority

    def wait_stream(self, stream: Any) -> None:
        """There is nothing to wait for."""


HERE = Stream()


class StreamContext(contextlib.AbstractContextManager[None]):
    """The block that :func:`stream` gives."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __exit__(self, *exc: object) -> None:
        """Nothing was changed."""


def is_available() -> bool:
    """True."""
    return True


def is_initialized() -> bool:
    """True."""
    return True


def device_count() -> int:
    """1, however many cores it has."""
    return 1


def current_device() -> str:
    """``"cpu"``."""
    return "cpu"


def set_device(device: Any) -> None:
    """Accepted: there is one."""


def synchronize(device: Any = None) -> None:
    """Work on the CPU is done when the call returns: there is nothing to wait for."""


def current_stream(device: Any = None) -> Stream:
    """The one queue."""
    return HERE


def stream(stream: Any) -> StreamContext:
    """A block whose work goes into the queue `stream`: it changes nothing."""
    return StreamContext(stream)
