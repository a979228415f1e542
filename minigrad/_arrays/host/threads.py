"""Work divided among Python's threads, which compiled kernels run in beside each other.

numba's own threads are of no use here: one of its layers aborts when two threads of a program enter it, the other when a process
that was forked does.
"""

from __future__ import annotations

import os
import queue
import threading
from typing import Any, Callable

from minigrad import _settings

__all__ = ["share"]

GRAIN = 1 << 16  # elements for each thread at least: a function of fewer takes less time than waking a thread


class Part:
    """A call that another thread makes."""

    def __init__(self, call: Callable[..., Any], *args: Any) -> None:
        self.call, self.args = call, args
        self.error: BaseException | None = None
        self._under_way = threading.Lock()
        self._under_way.acquire()

    def make(self) -> None:
        try:
            self.call(*self.args)
        except BaseException as error:
            self.error = error
        self._under_way.release()

    def wait(self) -> None:
        """Wait until it is made, and raise what it raised."""
        self._under_way.acquire()
        if self.error is not None:
            raise self.error


class Worker:
    """A thread that makes the calls that it is given, one after the other."""

    def __init__(self) -> None:
        self._parts: Any = queue.SimpleQueue()
        threading.Thread(target=self._work, name="minigrad kernels", daemon=True).start()

    def _work(self) -> None:
        while True:
            self._parts.get().make()  # which then keeps no array alive

    def give(self, call: Callable[..., Any], *args: Any) -> Part:
        part = Part(call, *args)
        self._parts.put(part)
        return part


idle: list[Worker] = []  # a thread of the program takes one out, and so is the only one to use it
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=idle.clear)  # their threads are in the parent


def take_worker() -> Worker | None:
    """A worker without work, or None where no thread can be started."""
    try:
        return idle.pop()
    except IndexError:
        try:
            return Worker()
        except RuntimeError:
            return None


def share(kernel: Callable[..., None], n: int, *args: Any, grain: int | None = None) -> None:
    """Call ``kernel(*args, begin, end)`` for parts that together are 0 to `n`, by as many threads as
    :func:`minigrad.set_num_threads` allows, where the first of `args`, an array, has `grain` elements for each (by default
    ``GRAIN``)."""
    count = min(_settings.get_num_threads(), args[0].size // (grain or GRAIN), n)
    if count < 2:
        kernel(*args, 0, n)
        return
    workers: list[Worker] = []
    parts: list[Part] = []
    end = n
    try:
        while len(workers) < count - 1 and (worker := take_worker()) is not None:
            workers.append(worker)
            begin = end - n // count
            parts.append(worker.give(kernel, *args, begin, end))
            end = begin
        kernel(*args, 0, end)
        for part in parts:
            part.wait()
    except BaseException:  # A Ctrl-C comes anywhere. When it is seen, no thread must write to the arrays any more.
        for worker in workers:
            worker.give(int).wait()
        raise
    finally:
        idle.extend(workers)
