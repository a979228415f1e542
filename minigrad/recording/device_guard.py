"""Where there are several cards: what is computed with arrays themselves is computed on the card they are on.

CuPy computes on the thread's current card, and an operation's call path goes to that of its operands by itself. Other functions
that compute with arrays are marked ``@on_its_card``.
"""

from __future__ import annotations

import functools
from typing import Any, Callable, Iterable, TypeVar

from minigrad import _arrays
from minigrad.recording.graph import TensorBase

__all__ = ["on_its_card", "placed"]

F = TypeVar("F", bound=Callable[..., Any])


def on_its_card(function: F) -> F:
    """Decorator: where there are several cards, the one that the first tensor, array or device given is on is the current one
    while the function runs."""
    @functools.wraps(function)
    def guarded(*args: Any, **options: Any) -> Any:
        if _arrays.most_cards() < 2:
            return function(*args, **options)
        place = first_place((*args, *options.values()))
        if place is None or place == _arrays.current(place):
            return function(*args, **options)
        with _arrays.on_card(place):
            return function(*args, **options)
    return guarded  # type: ignore[return-value]


def placed(function: F) -> F:
    """`function`, which is to be called many times, in the form of :func:`on_its_card`; itself where there are not several."""
    return function if _arrays.most_cards() < 2 else on_its_card(function)


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
