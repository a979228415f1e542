"""Watching every call of an operation, also those of which no gradient is wanted and which record no node.

While somebody watches, the call paths are generated with a line more, which shows the calls. At other times there is no such
line, so that watching costs nothing where nobody does.

What computes with arrays and is no operation, such as a draw of random numbers or a step of an optimizer, is seen where it is
declared as :func:`watched`.
"""

from __future__ import annotations

import functools
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Callable, Iterator, TypeVar

from minigrad.recording.clock import lock

F = TypeVar("F", bound=Callable[..., Any])


class Watcher:
    """Who watches. A subclass defines what it wants to see."""

    def called(self, info: Any, inputs: tuple[Any, ...], settings: dict[str, Any], result: Any) -> None:
        """See a call of an operation with `inputs`, tensors of the dtypes that it computes with, or None; `result` is a tensor or
        a tuple of them."""

    def wrote(self, target: Any, value: Any) -> None:
        """See that the tensor `target` now holds, in its memory, what the tensor `value` holds."""

    def made(self, t: Any) -> None:
        """See the new tensor `t`, whose elements the program has given, not computed from tensors."""

    def read(self, array: Any) -> None:
        """See that Python is about to look at the elements of `array`."""

    def arrived(self, gradients: dict[Any, Any], returned: list[tuple[Any, Any, Any]] | None) -> None:
        """See the gradients that a backward pass has carried to edges: those that are about to be added to ``.grad`` or, where
        they were asked for, `returned`, as triples of an edge, its tensor, and the gradient that the user is given."""

    def set_grad(self, t: Any, grad: Any) -> None:
        """See that ``t.grad`` is about to become `grad`, a tensor or None, by an assignment."""

    def perform(self, function: Callable[..., Any], args: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        """Call a :func:`watched` function, and return its result."""
        return function(*args, **settings)


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


def watched(function: F) -> F:
    """Decorator of a function on arrays that is no operation, or of a method: watchers see its calls as one piece. Where it
    returns nothing it may write into its arguments, or change what the method belongs to, and nothing else."""
    @functools.wraps(function)
    def call(*args: Any, **settings: Any) -> Any:
        if count and (by := watcher.get()) is not None:
            return by.perform(function, args, settings)
        return function(*args, **settings)
    return call  # type: ignore[return-value]


def show_call(info: Any, inputs: tuple[Any, ...], settings: dict[str, Any], result: Any) -> None:
    """Let the watcher of this thread, if there is one, see a call."""
    if (by := watcher.get()) is not None:
        by.called(info, inputs, settings, result)


def show_write(target: Any, value: Any) -> None:
    """Let the watcher of this thread, if there is one, see a write."""
    if (by := watcher.get()) is not None:
        by.wrote(target, value)


def show_made(t: Any) -> None:
    """Let the watcher of this thread, if there is one, see a new tensor."""
    if (by := watcher.get()) is not None:
        by.made(t)


def show_read(array: Any) -> None:
    """Let the watcher of this thread, if there is one, see that elements are read."""
    if (by := watcher.get()) is not None:
        by.read(array)


def show_arrival(gradients: dict[Any, Any], returned: list[tuple[Any, Any, Any]] | None) -> None:
    """Let the watcher of this thread, if there is one, see gradients that have arrived."""
    if (by := watcher.get()) is not None:
        by.arrived(gradients, returned)


def show_grad(t: Any, grad: Any) -> None:
    """Let the watcher of this thread, if there is one, see the assignment of a gradient."""
    if (by := watcher.get()) is not None:
        by.set_grad(t, grad)
