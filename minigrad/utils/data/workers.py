"""Workers that make batches ahead: what every worker does, and those that are threads.

A set of workers is sent tasks, ``(number, epoch, indices)``, and gives results, ``(number, batch)``; here by threads, in
:mod:`~minigrad.utils.data.processes` by processes, with the same methods.
"""

from __future__ import annotations

import contextlib
import queue
import random as builtin_random
import threading
import traceback
import weakref
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np

from minigrad import random
from minigrad.utils.data.fetch import Fetcher

__all__ = ["WorkerInfo", "get_worker_info"]


@dataclass(frozen=True)
class WorkerInfo:
    """What a worker may know of itself.

    Attributes:
        id: its number, from 0.
        num_workers: how many there are.
        seed: what its random numbers began with.
        dataset: the dataset; in a process, its own copy.
        worker_method: ``"multiprocessing"`` or ``"thread"``.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any
    worker_method: str = "multiprocessing"


_here = threading.local()


def get_worker_info() -> WorkerInfo | None:
    """The :class:`WorkerInfo` of the data loader's worker that calls this; None elsewhere."""
    return getattr(_here, "info", None)


@dataclass(frozen=True)
class Plan:
    """What the workers of a loader are to do."""

    num_workers: int
    dataset: Any
    batched: bool
    collate_fn: Callable[[Any], Any]
    drop_last: bool
    init: Callable[[int], Any] | None
    seed: int

    def new_fetcher(self) -> Fetcher:
        """What makes a worker's batches of one epoch."""
        return Fetcher(self.dataset, self.batched, self.collate_fn, self.drop_last)


# ---------------------------------------------------------------------------------------------------- results

class EndOfPart:
    """Sent by a worker whose part of an iterable dataset has come to its end."""


class UnquotedText(str):
    """A text that a ``KeyError`` shows as it is; of others it shows the ``repr``."""

    def __repr__(self) -> str:
        return str(self)


class WorkerError:
    """Sent by a worker in the place of a batch: the error, to be raised where the batch was wanted."""

    def __init__(self, error: BaseException, where: str) -> None:
        self.kind: type[BaseException] = type(error)
        trace = "".join(traceback.format_exception(error))
        self.message = f"Caught {self.kind.__name__} {where}.\nOriginal {trace}"

    def raise_again(self) -> None:
        """An error of the same class, whose message is the traceback; a ``RuntimeError`` where the class takes no message."""
        try:
            error = self.kind(UnquotedText(self.message) if issubclass(self.kind, KeyError) else self.message)
        except Exception:
            error = RuntimeError(self.message)
        try:
            raise error from None
        finally:
            del error  # which refers to this frame


# ---------------------------------------------------------------------------------------------------- what a worker does

def seed_process(base_seed: int, worker: int) -> None:
    """Begin the random numbers of a worker process: minigrad's, Python's and NumPy's."""
    random.manual_seed(base_seed + worker)
    builtin_random.seed(base_seed + worker)
    np.random.seed(np.random.SeedSequence([worker, base_seed % 2**32, base_seed >> 32, 0]).generate_state(4))


def serve(next_task: Callable[[], Any], give: Callable[[int, Any], None], plan: Plan, worker: int, method: str,
          where: str) -> None:
    """What a worker does: for each task one result, until the task is None. A new epoch begins an iterable dataset anew."""
    _here.info = WorkerInfo(worker, plan.num_workers, plan.seed + worker, plan.dataset, method)
    problem = fetch = None
    try:
        if plan.init is not None:
            plan.init(worker)
    except Exception as error:
        problem = WorkerError(error, where)
    current, ended = -1, False
    while (task := next_task()) is not None:
        number, epoch, indices = task
        if epoch != current:
            current, ended, fetch = epoch, False, None
        try:
            if not (problem or ended):
                fetch = plan.new_fetcher() if fetch is None else fetch
                result = fetch(indices)
            else:
                result = problem or EndOfPart()
        except StopIteration:
            ended, result = True, EndOfPart()
        except Exception as error:
            result = WorkerError(error, where)
        give(number, result)
        del result, indices, task  # what waits for the next task holds no batch


class Threads:
    """Workers that are threads of this process. They share the dataset with it; nothing is copied.

    Raises ``OSError`` where the system starts none.
    """

    def __init__(self, plan: Plan) -> None:
        self.epoch = self.sent = 0
        self.tasks: list[queue.SimpleQueue[Any]] = [queue.SimpleQueue() for _ in range(plan.num_workers)]
        self.results: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()
        self.broken: str | None = None
        self.stop = weakref.finalize(self, end_threads, self.tasks)
        self.runners = [threading.Thread(target=run_thread, args=(tasks, self.results, plan, worker), daemon=True,
                                         name=f"DataLoader worker {worker}") for worker, tasks in enumerate(self.tasks)]
        try:
            for thread in self.runners:
                thread.start()
        except RuntimeError as error:
            self.stop()
            raise OSError(str(error)) from error

    def send(self, worker: int, task: tuple[int, int, Any]) -> None:
        """Give a worker something to do."""
        self.tasks[worker].put(task)

    def receive(self, timeout: float | None, owing: set[int]) -> list[tuple[int, Any]]:
        """Results that have come, at least one; none after `timeout` seconds."""
        try:
            return [self.results.get(timeout=timeout)]
        except queue.Empty:
            return []


def run_thread(tasks: Any, results: Any, plan: Plan, worker: int) -> None:
    """What a thread does."""
    with random.own_generators(plan.seed + worker):
        serve(tasks.get, lambda number, result: results.put((number, result)), plan, worker, "thread",
              f"in DataLoader worker thread {worker}")


def end_threads(queues: list[Any]) -> None:
    """Let threads end after what they are doing now."""
    for tasks in queues:
        with contextlib.suppress(queue.Empty):
            while True:
                tasks.get_nowait()
        tasks.put(None)
