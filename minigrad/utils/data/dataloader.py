"""The data loader: batches of a dataset, in order or shuffled, made here or by workers."""

from __future__ import annotations

import importlib
import multiprocessing
import multiprocessing.context
import time
import warnings
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, Callable, Generic, Sequence

from minigrad import cuda
from minigrad.errors import ArgumentError, InvalidValueError, StateError
from minigrad.ops.sampling import randint
from minigrad.random import place_of
from minigrad.recording import timing
from minigrad.utils.data.collate import default_collate, default_convert
from minigrad.utils.data.dataset import Dataset, IterableDataset, T_co
from minigrad.utils.data.fetch import Endless, Fetcher
from minigrad.utils.data.pin_memory import pin_memory
from minigrad.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler
from minigrad.utils.data.workers import EndOfPart, Plan, Threads, WorkerError, get_worker_info

if TYPE_CHECKING:
    from minigrad.random import Generator

__all__ = ["DataLoader", "get_worker_info"]

FIXED = {"batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"}  # once there is a loader


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
        worker_init_fn: called in each worker, first, with its number; see :func:`get_worker_info`.
        multiprocessing_context: how worker processes are started: ``"fork"``, ``"spawn"``, ``"forkserver"`` or a context of
            :mod:`multiprocessing`; by default as that does. Each has its own copy of the dataset, and random numbers of its own,
            minigrad's, Python's and NumPy's, which follow from the loader's `generator`. Large arrays come back in shared memory.
            Or ``"thread"`` for threads: nothing is started, pickled or copied, and batches are made at the same time as far as
            NumPy and files leave the interpreter to others. They share the dataset, and Python's and NumPy's random numbers.
        pin_memory: whether batches come in pinned memory, where there is a GPU.
        in_order: False gives batches as they come.
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
        if multiprocessing_context is not None:
            multiprocessing_context = check_context(multiprocessing_context, num_workers)
        self.dataset: Any = dataset
        self.batch_size, self.sampler, self.batch_sampler = batch_size, sampler, batch_sampler
        self.num_workers, self.drop_last, self.timeout, self.generator = num_workers, drop_last, timeout, generator
        self.worker_init_fn, self.multiprocessing_context = worker_init_fn, multiprocessing_context
        self.pin_memory, self.pin_memory_device, self.in_order = pin_memory, pin_memory_device, in_order
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.persistent_workers = persistent_workers
        self.collate_fn = collate_fn or (default_convert if batch_sampler is None else default_collate)
        self._promised: int | None = None  # what len() has said of an iterable dataset, which may be wrong
        self._alone = False  # whether workers were wanted and could not be had
        self._idle: Any = None  # workers that wait for the next iteration
        self._initialized = True

    _initialized = False

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        return self.batch_sampler if self._auto_collation else self.sampler

    def __setattr__(self, name: str, value: Any) -> None:
        if self._initialized and name in FIXED:
            raise InvalidValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_idle": None}  # a copy has workers of its own

    def __iter__(self) -> Iteration:
        # Always, so that the order is the same with workers.
        seed = int(randint(0, 2**62, (1,), generator=self.generator, device=place_of(self.generator)).item())
        workers, self._idle = self._idle or self._start_workers(seed), None
        return Iteration(self) if workers is None else WorkerIteration(self, workers)

    def _start_workers(self, seed: int) -> Any:
        """New workers; None where the batches are made here, perhaps because the system has no workers."""
        if not self.num_workers or self._alone:
            return None
        plan = Plan(self.num_workers, self.dataset, self._auto_collation, self.collate_fn, self.drop_last, self.worker_init_fn,
                    seed)
        try:
            if self.multiprocessing_context == "thread":
                return Threads(plan)
            return importlib.import_module("minigrad.utils.data.processes").Processes(plan, self.multiprocessing_context)
        except (ImportError, OSError) as error:
            warnings.warn(f"DataLoader: no workers can be started here ({error}); batches are made without them", stacklevel=3)
            self._alone = True
            return None

    def __len__(self) -> int:
        if isinstance(self.dataset, IterableDataset):
            length = len(self.dataset)  # type: ignore[arg-type]
            if self.batch_size is not None:
                length = length // self.batch_size if self.drop_last else -(-length // self.batch_size)
            self._promised = length
            return length
        return len(self._index_sampler)


def check_context(context: Any, num_workers: int) -> Any:
    """What the option `multiprocessing_context` says: a context, or ``"thread"``."""
    if num_workers == 0:
        raise InvalidValueError("multiprocessing_context can only be used with multi-process loading (num_workers > 0), but got "
                                f"num_workers={num_workers}")
    known = [*multiprocessing.get_all_start_methods(), "thread"]
    if isinstance(context, str):
        if context not in known:
            raise InvalidValueError(f"multiprocessing_context option should specify a valid start method in {known!r}, but got "
                                    f"multiprocessing_context={context!r}")
        return context if context == "thread" else multiprocessing.get_context(context)
    if not isinstance(context, multiprocessing.context.BaseContext):
        raise ArgumentError("multiprocessing_context option should be a valid context object or a string specifying the start "
                            f"method, one of {known!r}, but got multiprocessing_context={context}")
    return context


# ---------------------------------------------------------------------------------------------------- iterations

class Iteration:
    """One pass over a loader's batches, which are made here. It goes on after a batch that could not be made."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self.loader = loader
        self.indices = iter(loader._index_sampler)
        self.given, self.promised = 0, loader._promised
        self.pinned = loader.pin_memory and cuda.is_available()
        if loader.pin_memory and not self.pinned:
            warnings.warn("'pin_memory' argument is set as true but no accelerator is found, then device pinned memory won't be "
                          "used.", stacklevel=4)
        self.fetch = self.new_fetcher()

    def new_fetcher(self) -> Any:
        """What makes the batches, if they are made here."""
        loader = self.loader
        return Fetcher(loader.dataset, loader._auto_collation, loader.collate_fn, loader.drop_last)

    def make(self) -> Any:
        """The next batch. Raises ``StopIteration`` where there is none."""
        return self.fetch(next(self.indices))

    def __iter__(self) -> Iteration:
        return self

    def __len__(self) -> int:
        return len(self.loader)

    def __next__(self) -> Any:
        done = timing.begin("DataLoader.__next__", "block")
        try:
            batch = pin_memory(self.make()) if self.pinned else self.make()
        finally:
            if done is not None:
                done()
        self.given += 1
        if self.promised is not None and self.given > self.promised:
            dataset = self.loader.dataset
            warnings.warn(f"Length of IterableDataset {dataset!r} was reported to be {len(dataset)}, which "
                          f"makes {self.promised} batches (when accessing len(dataloader)), but {self.given} samples have been "
                          "fetched. For multiprocessing data-loading, this is so where workers do not give a part of the data "
                          "each; see get_worker_info().", stacklevel=2)
        return batch


class WorkerIteration(Iteration):
    """One pass over a loader's batches, which workers make ahead.

    Batch k is made by worker k modulo their number, so that it is the same in every run; where batches may come in any order, by
    the worker that is free.
    """

    def __init__(self, loader: DataLoader[Any], workers: Any) -> None:
        super().__init__(loader)
        self.workers = workers
        self.give_back = weakref.finalize(self, give_back, loader, workers)
        workers.epoch += 1
        self.owed: dict[int, int] = {}  # the worker of each batch that has been asked for, in the order in which they were
        self.arrived: dict[int, Any] = {}
        self.ready = deque(range(loader.num_workers))  # in turn, without those whose part has ended
        for _ in range(max(1, loader.prefetch_factor or 0) * loader.num_workers):
            self.send()

    def new_fetcher(self) -> Any:
        return None  # each worker has its own

    @property
    def _workers(self) -> list[Any]:
        """The processes or threads, which programs look at."""
        return list(self.workers.runners)

    def send(self) -> None:
        """Ask the next worker for the next batch, if there is any."""
        if self.ready:
            indices = next(self.indices, self.workers)  # which no sampler yields
            if indices is not self.workers:
                worker, number = self.ready[0], self.workers.sent
                self.workers.send(worker, (number, self.workers.epoch, indices))
                self.workers.sent += 1
                self.owed[number] = worker
                self.ready.rotate(-1)

    def make(self) -> Any:
        while self.owed:
            number = self.wait()
            worker, result = self.owed[number], self.arrived[number]
            if isinstance(result, EndOfPart):
                if worker in self.ready:
                    self.ready.remove(worker)
            elif not self.loader.in_order and worker in self.ready:
                self.ready.remove(worker)
                self.ready.appendleft(worker)
            self.send()  # before the batch is taken: if the sampler fails, it is there next time
            del self.owed[number], self.arrived[number]
            if isinstance(result, WorkerError):
                result.raise_again()
            if not isinstance(result, EndOfPart):
                return result
        self.give_back()
        raise StopIteration

    def owing(self) -> set[int]:
        """The workers from which batches are to come."""
        return {worker for number, worker in self.owed.items() if number not in self.arrived}

    def wait(self) -> Any:
        """Wait for the batch that is next, and return its number."""
        started = time.monotonic()
        while True:
            candidates = self.owed if self.loader.in_order else self.arrived
            number = next(iter(candidates), None)
            if number in self.arrived:
                return number
            if self.workers.broken:
                raise StateError(self.workers.broken)
            left = started + self.loader.timeout - time.monotonic() if self.loader.timeout else None
            results = self.workers.receive(None if left is None else max(left, 0.0), self.owing())
            if not results:
                raise StateError(f"DataLoader timed out after {self.loader.timeout} seconds")
            self.arrived.update((number, result) for number, result in results if number in self.owed)  # others were left behind


def give_back(loader: DataLoader[Any], workers: Any) -> None:
    """What happens to the workers of an iteration that is over: they wait for the next one, or go."""
    if loader.persistent_workers and loader._idle is None and not workers.broken:
        loader._idle = workers
    else:
        workers.stop()
