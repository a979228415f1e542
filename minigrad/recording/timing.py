"""Timing calls: of operations, of nodes in a backward pass, and of whatever a user names.

While nobody does, nothing here costs anything: call paths that are timed are generated anew, with a function around them, when a
timer comes, and as they were when it has gone.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Protocol

from minigrad.recording.graph import Node, Port


class Timer(Protocol):
    """Who times, in all threads."""

    def begin(self, name: str, kind: str, inputs: Any = (), node: Any = None) -> Any:
        """Note that something begins in this thread: an ``"operation"`` with `inputs`, the ``"backward"`` of `node`, which is
        given `inputs`, a ``"pass"`` of them, or a ``"block"`` that somebody has named. Returns what :meth:`end` takes."""

    def end(self, event: Any, result: Any = None) -> None:
        """Note that it has ended, with what result."""


timer: Timer | None = None
on_change: list[Callable[[], None]] = []  # what is done when a timer comes or has gone


def set_timer(by: Timer | None) -> None:
    """Let `by` time from now on, or nobody."""
    global timer
    timer = by
    for do in on_change:
        do()


def time_call(info: Any, function: Callable[..., Any], args: tuple[Any, ...], settings: dict[str, Any]) -> Any:
    """Call `function`, the call path of an operation, and let it be timed."""
    by = timer
    if by is None:
        return function(*args, **settings)
    event, result = by.begin(info.called, "operation", args), None
    try:
        result = function(*args, **settings)
        return result
    finally:
        by.end(event, result)


def time_node(rules: Callable[[Node, Any], Any], node: Node, g: Any) -> Any:
    """Apply ``rules(node, g)``, and let it be timed."""
    by = timer
    if by is None or isinstance(node, Port):
        return rules(node, g)
    event, grads = by.begin(node.name(), "backward", g if isinstance(g, tuple) else (g,), node), None
    try:
        grads = rules(node, g)
        return grads
    finally:
        by.end(event, grads)


def begin(name: str, kind: str) -> Callable[[], None] | None:
    """Note that something begins; the function that notes its end, or None where nobody times."""
    by = timer
    return None if by is None else partial(by.end, by.begin(name, kind))
