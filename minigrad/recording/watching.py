"""Watching every call of an operation, also those of which no gradient is wanted and which record no node.

While somebody watches, the call paths are generated with a line more, which shows the calls. At other times there is no such
line, so that watching costs nothing where nobody does.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Callable, Iterator, Protocol

from minigrad.recording.clock import lock


class Watcher(Protocol):
    """Who watches."""

    def called(self, info: Any, inputs: tuple[Any, ...], settings: dict[str, Any], result: Any) -> None:
        """See a call of an operation with `inputs`, tensors of the dtypes that it computes with, or None; `result` is a tensor or
        a tuple of them."""

    def wrote(self, target: Any, value: Any) -> None:
        """See that the tensor `target` now holds, in its memory, what the tensor `value` holds."""


watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)  # of this thread
count = 0  # of watchers, in all threads
on_change: list[Callable[[], None]] = []  # what is done where the first one comes or the last one has gone


@contextmanager
def watch(by: Watcher | None) -> Iterator[None]:
    """A block in which `by` sees the calls of this thread; nobody does, in a block of None."""
    token = watcher.set(by)
    change(by is not None)
    try:
        yield
    finally:
        change(-(by is not None))
        watcher.reset(token)


def change(by: int) -> None:
    """Count `by` watchers more."""
    global count
    with lock:
        before, count = count, count + by
        if bool(before) != bool(count):
            for do in on_change:
                do()


def show_call(info: Any, inputs: tuple[Any, ...], settings: dict[str, Any], result: Any) -> None:
    """Let the watcher of this thread, if there is one, see a call."""
    if (by := watcher.get()) is not None:
        by.called(info, inputs, settings, result)


def show_write(target: Any, value: Any) -> None:
    """Let the watcher of this thread, if there is one, see a write."""
    if (by := watcher.get()) is not None:
        by.wrote(target, value)
