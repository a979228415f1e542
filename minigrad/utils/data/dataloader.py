"""The data loader: batches of a dataset, in order or shuffled, made here or by workers."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import queue
import random as builtin_random
import threading
import traceback
import warnings
from collections import deque
from typing import TYPE_CHECKING, Any, Callable, Generic, Iterator, Sequence

import numpy as np

from minigrad import random
from minigrad.errors import InvalidValueError, StateError
from minigrad.ops.sampling import randint
from minigrad.utils.data.collate import default_collate, default_convert
from minigrad.utils.data.dataset import Dataset, IterableDataset, T_co, rows_of, samples_of
from minigrad.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler

if TYPE_CHECKING:
    from minigrad.random import Generator

__all__ = ["DataLoader", "get_worker_info"]

ALIVE_INTERVAL = 5.0  # seconds between looks whether a worker process we wait for still lives


class Endless:
    """The sampler of an iterable dataset: it says how many to read, but not which."""

    def __iter__(self) -> Iterator[None]:
        return itertools.repeat(None)


class Fetcher:
    """Makes a batch of what a sampler says. Each worker has its own."""

    def __init__(self, dataset: Any, batched: bool, collate_fn: Callable[[Any], Any], drop_last: bool) -> None:
        self.dataset, self.batched, self.collate_fn, self.drop_last = dataset, batched, collate_fn, drop_last
        self.samples = iter(dataset) if isinstance(dataset, IterableDataset) else None

    def __call__(self, indices: Any) -> Any:
        """Raises ``StopIteration`` where an iterable dataset has come to its end. One that a sample raises, which would end the
        iteration before the samples do, becomes a ``RuntimeError``."""
        if self.samples is not None:
            samples = list(itertools.islice(self.samples, len(indices) if self.batched else 1))
            if not samples or self.batched and self.drop_last and len(samples) < len(indices):
                raise StopIteration
            return self.collate_fn(samples if self.batched else samples[0])
        try:
            return self.of_indices(indices)
        except StopIteration as error:
            raise StateError(f"{type(self.dataset).__name__} raised StopIteration for {indices}; the samples of a dataset end "
                             "where its len() says") from error

    def of_indices(self, indices: Any) -> Any:
        """The batch of numbered samples."""
        if not self.batched:
            return self.collate_fn(self.dataset[indices])
        if self.collate_fn is default_collate and isinstance(indices, list):
            rows = rows_of(self.dataset, indices)
            if rows is not None:
                return rows
        return self.collate_fn(samples_of(self.dataset, indices))


class DataLoader(Generic[T_co]):
    """Iterates over the batches of a dataset.

    Args:
        dataset: with numbered samples (``dataset[i]``, ``len(dataset)``), or an :class:`IterableDataset`.
        batch_size: samples in a batch; None for samples as they are.
        shuffle: a new random order in each epoch, drawn from `generator` (or, by default, from the global one).
        sampler: yields the indices, in the place of `shuffle`.
        batch_sampler: yields lists of indices, in the place of `batch_size`, `shuffle`, `sampler` and `drop_last`.
        num_workers: how many workers make batches ahead; 0 makes them here, when they are asked for. The order is the same.
        collate_fn: makes a batch of a list of samples; :func:`default_collate` by default.
        drop_last: leave out a last batch that is not full.
        timeout: seconds to wait for a worker; 0 for as long as it takes.
        worker_init_fn: called in each worker, first, with its number.
        multiprocessing_context: None for workers that are threads (NumPy leaves the interpreter to others while it computes,
            and nothing need be copied), or ``"fork"``, ``"spawn"``, ``"forkserver"`` or a context for processes, each with its
            own copy of the dataset. Each worker has its own random numbers, which follow from the loader's `generator`; in
            processes Python's and NumPy's too.
        prefetch_factor: batches each worker is ahead, 2 by default.
        persistent_workers: keep the workers for the next epoch.

    >>> import minigrad as mg
    >>> from minigrad.utils.data import TensorDataset
    >>> data = TensorDataset(mg.arange(5), mg.arange(5) * 2)
    >>> for x, y in DataLoader(data, batch_size=2):
    ...     print(x, y)
    tensor([0, 1]) tensor([0, 2])
    tensor([2, 3]) tensor([4, 6])
    tensor([4]) tensor([8])
    """

    def __init__(self, dataset: Dataset[T_co] | Sequence[T_co], batch_size: int | None = 1, shuffle: bool | None = None,
                 sampler: Any = None, batch_sampler: Any = None, num_workers: int = 0,
                 collate_fn: Callable[[Any], Any] | None = None, pin_memory: bool = False, drop_last: bool = False,
                 timeout: float = 0, worker_init_fn: Callable[[int], Any] | None = None, multiprocessing_context: Any = None,
                 generator: Generator | None = None, *, prefetch_factor: int | None = None, persistent_workers: bool = False,
                 pin_memory_device: str = "", in_order: bool = True) -> None:
        if num_workers < 0:
            raise InvalidValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
        if timeout < 0:
            raise InvalidValueError("timeout option should be non-negative")
        if num_workers == 0 and prefetch_factor is not None:
            raise InvalidValueError("prefetch_factor option could only be specified in multiprocessing. Let num_workers > 0 to "
                                    "enable multiprocessing, otherwise set prefetch_factor to None.")
        if prefetch_factor is not None and prefetch_factor < 0:
            raise InvalidValueError("prefetch_factor option should be non-negative")
        if persistent_workers and num_workers == 0:
            raise InvalidValueError("persistent_workers option needs num_workers > 0")
        if isinstance(dataset, IterableDataset):
            for name, value in (("shuffle", shuffle or None), ("sampler", sampler), ("batch_sampler", batch_sampler)):
                if value is not None:
                    raise InvalidValueError(f"DataLoader with IterableDataset: expected unspecified {name} option, but got "
                                            f"{name}={value}")
        if sampler is not None and shuffle:
            raise InvalidValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise InvalidValueError("batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and "
                                        "drop_last")
            batch_size = None
        elif batch_size is None and drop_last:
            raise InvalidValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if sampler is None:
            if isinstance(dataset, IterableDataset):
                sampler = Endless()
            else:
                sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        if isinstance(multiprocessing_context, str):
            known = multiprocessing.get_all_start_methods()
            if multiprocessing_context not in known:
                raise InvalidValueError(f"multiprocessing_context option should specify a valid start method in {known!r}, but "
                                        f"got multiprocessing_context={multiprocessing_context!r}")
            multiprocessing_context = multiprocessing.get_context(multiprocessing_context)
        if multiprocessing_context is not None and num_workers == 0:
            raise InvalidValueError("multiprocessing_context can only be used with multi-process loading (num_workers > 0), but "
                                    f"got num_workers={num_workers}")
        self.dataset: Any = dataset
        self.batch_size, self.sampler, self.batch_sampler = batch_size, sampler, batch_sampler
        self.num_workers, self.drop_last, self.timeout, self.generator = num_workers, drop_last, timeout, generator
        self.worker_init_fn, self.multiprocessing_context = worker_init_fn, multiprocessing_context
        self.pin_memory, self.pin_memory_device, self.in_order = pin_memory, pin_memory_device, in_order
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.persistent_workers = persistent_workers
        self.collate_fn = collate_fn or (default_convert if batch_sampler is None else default_collate)
        self._workers: Workers | None = None

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        return self.batch_sampler if self._auto_collation else self.sampler

    def _new_fetcher(self) -> Fetcher:
        return Fetcher(self.dataset, self._auto_collation, self.collate_fn, self.drop_last)

    def __iter__(self) -> Iteration:
        seed = int(randint(0, 2**62, (1,), generator=self.generator).item())  # always, so that the order is the same with workers
        return WorkerIteration(self, seed) if self.num_workers else Iteration(self)

    def __len__(self) -> int:
        if isinstance(self.dataset, IterableDataset):
            length = len(self.dataset)  # type: ignore[arg-type]
            if self.batch_size is None:
                return length
            return length // self.batch_size if self.drop_last else -(-length // self.batch_size)
        return len(self._index_sampler)


# ---------------------------------------------------------------------------------------------------- iterations

class Iteration:
    """One pass over a loader's batches, which are made here. It goes on after a batch that could not be made."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self.loader = loader
        self.indices = iter(loader._index_sampler)
        self.given = 0
        # How many batches an iterable dataset says it has; None where that cannot be exceeded.
        telling = isinstance(loader.dataset, IterableDataset) and hasattr(loader.dataset, "__len__")
        self.promised = len(loader) if telling else None
        self.fetch = self.new_fetcher()

    def new_fetcher(self) -> Any:
        """What makes the batches, if they are made here."""
        return self.loader._new_fetcher()

    def make(self) -> Any:
        """The next batch. Raises ``StopIteration`` where there is none."""
        return self.fetch(next(self.indices))

    def __iter__(self) -> Iteration:
        return self

    def __len__(self) -> int:
        return len(self.loader)

    def __next__(self) -> Any:
        batch = self.make()
        self.given += 1
        if self.given - 1 == self.promised:
            dataset = self.loader.dataset
            warnings.warn(f"Length of IterableDataset {dataset!r} was reported to be {len(dataset)}, but more have been fetched: "
                          "with several workers, each must give its own part (see get_worker_info)", stacklevel=2)
        return batch


class WorkerIteration(Iteration):
    """One pass over a loader's batches, which workers make ahead."""

    def __init__(self, loader: DataLoader[Any], seed: int) -> None:
        super().__init__(loader)
        self.workers = loader._workers or Workers(loader, seed)
        if loader.persistent_workers:
            loader._workers = self.workers
        self.workers.epoch = self.epoch = self.workers.epoch + 1
        self.waiting: deque[int] = deque()  # the workers that owe a batch, in the order in which they were asked
        self.ready = deque(range(len(self.workers.tasks)))  # in turn, without those that have ended
        for _ in range(max(1, loader.prefetch_factor or 0) * len(self.ready)):
            self.send()

    def new_fetcher(self) -> Any:
        return None  # each worker has its own

    def send(self) -> None:
        """Ask the next worker for the next batch, if there is any."""
        if self.ready:
            try:
                indices = next(self.indices)
            except StopIteration:
                return
            self.workers.tasks[self.ready[0]].put((self.epoch, indices))
            self.waiting.append(self.ready[0])
            self.ready.rotate(-1)

    def make(self) -> Any:
        if self.epoch != self.workers.epoch:
            raise StateError("DataLoader: another iteration over this loader has begun, and its persistent workers go with that; "
                             "use persistent_workers=False to iterate twice at once")
        while self.waiting:
            worker = self.waiting.popleft()
            result = self.workers.receive(worker, self.epoch)
            if isinstance(result, EndOfPart) and worker in self.ready:
                self.ready.remove(worker)
            self.send()
            if isinstance(result, WorkerError):
                result.raise_again()
            if not isinstance(result, EndOfPart):
                return result
        if not self.loader.persistent_workers:
            self.workers.stop()
        raise StopIteration


# ---------------------------------------------------------------------------------------------------- workers

class WorkerInfo:
    """What a worker may know of itself: ``id``, ``num_workers``, ``seed`` and ``dataset``."""

    def __init__(self, id: int, num_workers: int, seed: int, dataset: Any) -> None:
        self.id, self.num_workers, self.seed, self.dataset = id, num_workers, seed, dataset

    def __repr__(self) -> str:
        return f"WorkerInfo(id={self.id}, num_workers={self.num_workers}, seed={self.seed}, dataset={self.dataset!r})"


_here = threading.local()


def get_worker_info() -> WorkerInfo | None:
    """The :class:`WorkerInfo` of the data loader's worker that calls this; None elsewhere."""
    return getattr(_here, "info", None)


class EndOfPart:
    """Sent by a worker whose part of an iterable dataset has come to its end."""


class UnquotedText(str):
    """A text that a ``KeyError`` shows as it is; of others it shows the ``repr``."""

    def __repr__(self) -> str:
        return str(self)


class WorkerError:
    """Sent by a worker in the place of a batch: the error, to be raised where the batch was wanted."""

    def __init__(self, error: BaseException, where: str) -> None:
        self.kind, self.message = type(error), f"Caught {type(error).__name__} {where}.\nOriginal {traceback.format_exc()}"

    def raise_again(self) -> None:
        if self.kind is KeyError:
            raise KeyError(UnquotedText(self.message))
        try:
            error = self.kind(self.message)
        except Exception:
            raise RuntimeError(self.message) from None
        raise error


def work(tasks: Any, results: Any, make_fetcher: Callable[[], Fetcher], info: WorkerInfo, init: Callable[[int], Any] | None,
         own_process: bool) -> None:
    """What a worker does: for each task, an epoch and indices, it gives one result, until the task is None."""
    _here.info = info
    if own_process:  # in a thread those of Python and NumPy are everybody's
        random.manual_seed(info.seed)
        builtin_random.seed(info.seed)
        np.random.seed(info.seed % 2**32)
    with contextlib.nullcontext() if own_process else random.own_generators(info.seed):
        serve(tasks, results, make_fetcher, info, init, own_process)


def serve(tasks: Any, results: Any, make_fetcher: Callable[[], Fetcher], info: WorkerInfo, init: Callable[[int], Any] | None,
          own_process: bool) -> None:
    """The part of :func:`work` that the user's functions are called in."""
    where = f"in DataLoader worker {'process' if own_process else 'thread'} {info.id}"
    problem = fetch = None
    try:
        if init is not None:
            init(info.id)
    except Exception as error:
        problem = WorkerError(error, where)
    current, ended = 0, False
    while (task := tasks.get()) is not None:
        epoch, indices = task
        if epoch != current:
            current, ended, fetch = epoch, False, None
        try:
            fetch = make_fetcher() if fetch is None else fetch
            result = problem or (EndOfPart() if ended else fetch(indices))
        except StopIteration:
            ended, result = True, EndOfPart()
        except Exception as error:
            result = WorkerError(error, where)
        results.put((epoch, result))


class Workers:
    """The workers of a loader. Each has its own queue of results, so that taking turns keeps the order."""

    def __init__(self, loader: DataLoader[Any], seed: int) -> None:
        self.loader = loader
        self.epoch = 0
        context = loader.multiprocessing_context
        self.tasks: list[Any] = []
        self.results: list[Any] = []
        self.runners: list[Any] = []
        for k in range(loader.num_workers):
            tasks, results = (queue.Queue(), queue.Queue()) if context is None else (context.Queue(), context.Queue())
            make_fetcher = FetcherMaker(loader.dataset, loader._auto_collation, loader.collate_fn, loader.drop_last)
            info = WorkerInfo(k, loader.num_workers, seed + k, loader.dataset)
            arguments = (tasks, results, make_fetcher, info, loader.worker_init_fn, context is not None)
            runner = (threading.Thread if context is None else context.Process)(target=work, args=arguments, daemon=True)
            runner.start()
            self.tasks.append(tasks)
            self.results.append(results)
            self.runners.append(runner)

    def receive(self, worker: int, epoch: int) -> Any:
        """The next result of a worker in this epoch; those of one that was left early are passed over.

        Raises ``RuntimeError`` if it takes too long or the worker has died.
        """
        timeout, waited = self.loader.timeout or float("inf"), 0.0
        while True:
            wait = min(ALIVE_INTERVAL, timeout - waited)
            try:
                made_in, result = self.results[worker].get(timeout=wait)
                if made_in == epoch:
                    return result
            except queue.Empty:
                waited += wait
                if waited >= timeout:
                    raise StateError(f"DataLoader timed out after {self.loader.timeout} seconds") from None
                if not self.runners[worker].is_alive():
                    raise StateError(f"DataLoader worker {worker} exited unexpectedly") from None

    def stop(self) -> None:
        """Send the workers home."""
        for tasks in self.tasks:
            tasks.put(None)

    def __del__(self) -> None:
        self.stop()


class FetcherMaker:
    """Makes a worker's :class:`Fetcher`; an object, and not a function inside one, so that it can be sent to a process."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    def __call__(self) -> Fetcher:
        return Fetcher(*self.arguments)
