"""Where there are several GPUs: what is computed with arrays themselves is computed on the GPU they are on.

CuPy computes on the thread's current GPU, and an operation's call path goes to that of its operands by itself. Other functions
that compute with arrays are marked ``@on_device_of_inputs``; they run without NumPy's warnings too, as forwards do.
"""

from __future__ import annotations

import functools
from typing import Any, Callable, Iterable, TypeVar

from minigrad import _arrays
from minigrad._types.tensor_base import unwrap
from minigrad.recording.quiet import run_quietly

__all__ = ["on_device_of_inputs", "guard_device"]

F = TypeVar("F", bound=Callable[..., Any])


def on_device_of_inputs(function: F) -> F:
    """Decorator: where there are several GPUs, the one that the first tensor, array or device given is on is the current one
    while the function runs. NumPy does not warn in it."""
    @functools.wraps(function)
    def guarded(*args: Any, **options: Any) -> Any:
        if _arrays.accelerator_count() < 2:
            return run_quietly(function, *args, **options)
        place = first_device((*args, *options.values()))
        if place is None or place == _arrays.current_device(place):
            return run_quietly(function, *args, **options)
        with _arrays.on_device(place):
            return run_quietly(function, *args, **options)
    return guarded  # type: ignore[return-value]


def guard_device(function: F) -> F:
    """`function` in a form that enters the device of its arguments, or `function` itself if there are not several GPUs."""
    return function if _arrays.accelerator_count() < 2 else on_device_of_inputs(function)


def first_device(values: Iterable[Any]) -> _arrays.Device | None:
    """The device of the first tensor, array or device among `values` that is on a GPU, or names one; sequences are searched too.
    Returns None if there is none."""
    for x in values:
        found: Any = unwrap(x)
        if isinstance(found, _arrays.accelerator_array_types):
            return _arrays.device_of(found)
        if isinstance(found, _arrays.Device) and found.type != "cpu":
            return found
        if isinstance(found, (list, tuple)) and (place := first_device(found)) is not None:
            return place
    return None
