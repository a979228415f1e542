"""Results that come later, by the names of ``torch.futures``."""

from __future__ import annotations

import threading
from typing import Any, Callable, Generic, Sequence, TypeVar

from minigrad.errors import StateError

__all__ = ["Future", "collect_all", "wait_all"]

T = TypeVar("T")


class Future(Generic[T]):
    """A result that another thread, or later code, sets.

    >>> future = Future()
    >>> doubled = future.then(lambda done: 2 * done.value())
    >>> future.set_result(3)
    >>> doubled.wait()
    6
    """

    def __init__(self, *, devices: Any = None) -> None:
        self._ready = threading.Event()
        self._lock = threading.Lock()
        self._result: T | None = None
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[Future[T]], Any]] = []

    def done(self) -> bool:
        """Whether the result, or an exception, is there."""
        return self._ready.is_set()

    def wait(self) -> T:
        """The result, as soon as it is there. Raises the exception, if that came instead."""
        self._ready.wait()
        return self.value()

    def value(self) -> T:
        """The result, which must be there."""
        if not self.done():
            raise StateError("Future.value(): there is no result yet; wait() waits for it")
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]

    def set_result(self, result: T) -> None:
        """Let this be the result, and call what waits for it. Raises ``RuntimeError`` a second time."""
        self._complete(result, None)

    def set_exception(self, result: BaseException) -> None:
        """Let :meth:`wait` raise this exception."""
        if not isinstance(result, Exception):
            raise AssertionError(f"{result} is of type {type(result)}, not an Exception.")
        self._complete(None, result)

    def _complete(self, result: T | None, error: BaseException | None) -> None:
        with self._lock:
            if self.done():
                raise StateError("Future can only be marked completed once.")
            self._result, self._error = result, error
            self._ready.set()
        for callback in self._callbacks:
            callback(self)

    def add_done_callback(self, callback: Callable[[Future[T]], Any]) -> None:
        """Call `callback` with this object when the result is there, or now if it is."""
        with self._lock:
            if not self.done():
                self._callbacks.append(callback)
                return
        callback(self)

    def then(self, callback: Callable[[Future[T]], Any]) -> Future[Any]:
        """The result of `callback`, which is called with this object when the result is there."""
        after: Future[Any] = Future()

        def call(future: Future[T]) -> None:
            try:
                result = callback(future)
            except Exception as error:
                after.set_exception(error)
            else:
                after.set_result(result)

        self.add_done_callback(call)
        return after


def collect_all(futures: Sequence[Future[T]]) -> Future[list[Future[T]]]:
    """One that is done when all are, whose result is their list."""
    together: Future[list[Future[T]]] = Future()
    lock, missing = threading.Lock(), [len(futures)]

    def count(_: Future[T]) -> None:
        with lock:
            missing[0] -= 1
            last = not missing[0]
        if last:
            together.set_result(list(futures))

    for future in futures:
        future.add_done_callback(count)
    if not futures:
        together.set_result([])
    return together


def wait_all(futures: Sequence[Future[T]]) -> list[T]:
    """The results of all. Raises the first exception among them."""
    return [future.wait() for future in collect_all(futures).wait()]
