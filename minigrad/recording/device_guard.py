"""Where there are several cards: what is computed with arrays themselves is computed on the card they are on.

CuPy computes on the thread's current card, and an operation's call path goes to that of its operands by itself. Other functions
that compute with arrays are marked ``@on_its_card``. The mark costs nothing where there are not several cards: only when a
library with several is registered does such a function get other code, which enters the card and then does what it did.
"""

from __future__ import annotations

import functools
from types import FunctionType
from typing import Any, Callable, Iterable, TypeVar

from minigrad import _arrays
from minigrad.recording.graph import TensorBase

__all__ = ["on_its_card", "placed"]

F = TypeVar("F", bound=Callable[..., Any])
marked: list[Any] = []  # what is marked and has the code it was written with


def on_its_card(function: F) -> F:
    """Decorator: where there are several cards, the one that the first tensor, array or device given is on is the current one
    meanwhile. For functions, not closures."""
    if getattr(function, "__closure__", None) is not None:
        raise TypeError(f"on_its_card: {function.__qualname__} is a closure, whose code cannot be exchanged")
    marked.append(function)
    follow()
    return function


def follow() -> None:
    """Give what is marked the code that enters the card, if there are several."""
    if _arrays.most_cards() > 1:
        for function in marked:
            exchange(function)
        marked.clear()


_arrays.on_more_cards.append(follow)


def placed(function: F) -> F:
    """`function` in a form that enters the card; itself where there are not several."""
    if _arrays.most_cards() < 2:
        return function

    @functools.wraps(function)
    def on_card(*args: Any, **options: Any) -> Any:
        place = first_place((*args, *options.values()))
        if place is None or place == _arrays.current(place):
            return function(*args, **options)
        with _arrays.on_card(place):
            return function(*args, **options)
    return on_card  # type: ignore[return-value]


def exchange(function: Any) -> None:
    """Let `function` enter the card, then do what it did: the object stays the same, for all who have imported it."""
    as_written: Any = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__)
    as_written.__kwdefaults__, as_written.__annotations__ = function.__kwdefaults__, function.__annotations__
    function.__wrapped__ = as_written  # whose signature inspect shows
    function.__code__, function.__defaults__, function.__kwdefaults__ = other_code.__code__, None, {"placed_": placed(as_written)}


def other_code(*args: Any, placed_: Any, **options: Any) -> Any:
    """The code that marked functions get; its default is put in by :func:`exchange`."""
    return placed_(*args, **options)


def first_place(values: Iterable[Any]) -> _arrays.Device | None:
    """The card of the first tensor, array or device among `values` and in the sequences among them that names one; else None."""
    for x in values:
        found: Any = x.array if isinstance(x, TensorBase) else x
        if isinstance(found, _arrays.card_types):
            return _arrays.device_of(found)
        if isinstance(found, _arrays.Device) and found.type != "cpu":
            return found
        if isinstance(found, (list, tuple)) and (place := first_place(found)) is not None:
            return place
    return None
