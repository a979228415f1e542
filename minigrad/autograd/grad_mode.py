"""Whether operations are recorded: ``no_grad`` and its relatives, as context managers and as decorators.

The mode belongs to the thread (and, in asyncio, to the task) that sets it.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from contextvars import ContextVar
from typing import Any, Callable, TypeVar

from minigrad.recording.graph import grad_enabled, recording_mode

F = TypeVar("F", bound=Callable[..., Any])
_inference: ContextVar[bool] = ContextVar("inference", default=False)


class GradMode:
    """A block, or a function, in which gradients are recorded or not; the mode before it comes back after it."""

    mode: bool

    def __init__(self) -> None:
        self._before: list[Any] = []  # a stack: one object may be entered again inside itself

    def __enter__(self) -> None:
        before = grad_enabled.get()
        try:
            self._before.append(before)
            grad_enabled.set(recording_mode(self.mode, type(self).__name__))
        except BaseException:  # a Ctrl-C, or a time limit: the block is not entered yet, so nothing else would set the mode back
            grad_enabled.set(before)
            raise

    def __exit__(self, *exc: object) -> None:
        grad_enabled.set(self._before[-1])  # first, for a Ctrl-C can come after any call
        self._before.pop()

    def clone(self) -> GradMode:
        """A fresh block of the same mode, for each call of a decorated function."""
        return type(self)()

    def __call__(self, function: F) -> F:
        return decorate(self.clone, function)


def decorate(block: Callable[[], Any], function: F) -> F:
    """`function` in a form that runs inside ``block()``. A generator function is inside the block whenever it runs, and outside
    while it is suspended."""
    if inspect.isgeneratorfunction(function):
        @functools.wraps(function)
        def generator(*args: Any, **kwargs: Any) -> Any:
            running = function(*args, **kwargs)
            resume: Callable[[], Any] = functools.partial(next, running)
            while True:
                try:
                    with block():
                        item = resume()
                except StopIteration as end:
                    return end.value
                try:
                    resume = functools.partial(running.send, (yield item))
                except GeneratorExit:
                    with block():
                        running.close()
                    raise
                except BaseException as error:
                    resume = functools.partial(running.throw, error)
        return generator  # type: ignore[return-value]

    @functools.wraps(function)
    def inside(*args: Any, **kwargs: Any) -> Any:
        with block():
            return function(*args, **kwargs)
    return inside  # type: ignore[return-value]


class no_grad(GradMode):
    """Record nothing: results do not require grad. ``with no_grad():``, ``@no_grad()`` or ``@no_grad``.

    >>> import minigrad as mg
    >>> x = mg.tensor(1.0, requires_grad=True)
    >>> with mg.no_grad():
    ...     (x * 2).requires_grad
    False
    """

    mode = False

    def __new__(cls, function: Any = None) -> Any:
        return super().__new__(cls) if function is None else decorate(cls, function)

    def __init__(self, function: Any = None) -> None:
        super().__init__()


class enable_grad(GradMode):
    """Record again, inside a :class:`no_grad` block."""

    mode = True

    def __new__(cls, function: Any = None) -> Any:
        return super().__new__(cls) if function is None else decorate(cls, function)

    def __init__(self, function: Any = None) -> None:
        super().__init__()


class set_grad_enabled(GradMode):
    """Record or not, by a flag: as a plain call until further notice, as a block for the block, or as a decorator."""

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self.mode = bool(mode)
        self._outside = grad_enabled.get()
        grad_enabled.set(recording_mode(self.mode, "set_grad_enabled"))

    def __enter__(self) -> None:
        grad_enabled.set(recording_mode(self.mode, "set_grad_enabled"))

    def __exit__(self, *exc: object) -> None:
        grad_enabled.set(self._outside)

    def clone(self) -> GradMode:
        return set_grad_enabled(self.mode)

    def __call__(self, function: F) -> F:
        grad_enabled.set(self._outside)  # decorating is no call to switch the mode now
        return super().__call__(function)


class inference_mode(GradMode):
    """As :class:`no_grad`, and :func:`is_inference_mode_enabled` says so. ``inference_mode(False)`` changes nothing.

    Tensors made inside are ordinary ones: unlike PyTorch's they may be used in autograd afterwards.
    """

    def __new__(cls, mode: Any = True) -> Any:
        return super().__new__(cls) if isinstance(mode, bool) else decorate(cls, mode)

    def __init__(self, mode: Any = True) -> None:
        super().__init__()
        self.enabled = bool(mode)

    def __enter__(self) -> None:
        self.mode = not self.enabled and bool(grad_enabled.get())
        self._before.append(_inference.get())
        _inference.set(self.enabled)
        super().__enter__()

    def __exit__(self, *exc: object) -> None:
        super().__exit__()
        _inference.set(self._before.pop())

    def clone(self) -> GradMode:
        return inference_mode(self.enabled)


def is_grad_enabled() -> bool:
    """Whether operations are recorded here and now."""
    return bool(grad_enabled.get())


def is_inference_mode_enabled() -> bool:
    """Whether this is inside an :class:`inference_mode` block."""
    return _inference.get()


class set_multithreading_enabled(contextlib.ContextDecorator):
    """Whether backward passes may use several threads, from now on, or in a block: each runs in the thread that calls it.

    >>> import minigrad as mg
    >>> x = mg.ones(2, requires_grad=True)
    >>> with mg.autograd.set_multithreading_enabled(False):
    ...     (x * x).sum().backward()
    >>> x.grad
    tensor([2., 2.])
    """

    def __init__(self, mode: bool) -> None:
        self.mode = mode

    def __enter__(self) -> None:
        """Nothing is changed."""

    def __exit__(self, *exc: object) -> None:
        """Nothing was changed."""
