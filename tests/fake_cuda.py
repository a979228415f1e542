"""Stands in for ``cupy.cuda``: several GPUs, of which each thread has a current one, their memory, streams and events."""

from __future__ import annotations

import collections
import contextlib
import itertools
import os
import threading
import time
import weakref
from types import SimpleNamespace
from typing import Any, Callable, Iterator

import numpy as np

COUNT = int(os.environ.get("STANDIN_GPUS", 3))
MEMORY = 1 << 30
thread = threading.local()
serial = itertools.count(1)
looking = threading.RLock()  # at what is under way


def current() -> int:
    """The number of this thread's GPU."""
    return getattr(thread, "gpu", 0)


class Device:
    """Stands in for ``cupy.cuda.Device``."""

    def __init__(self, device: int | None = None) -> None:
        self.id = current() if device is None else device
        self._outer: list[int] = []

    def use(self) -> None:
        thread.gpu = self.id

    def synchronize(self) -> None:
        synchronized.append(self.id)
        arrive()

    @property
    def mem_info(self) -> tuple[int, int]:
        return MEMORY - pool.held(self.id), MEMORY

    def __enter__(self) -> Device:
        self._outer.append(current())
        self.use()
        return self

    def __exit__(self, *exc: Any) -> None:
        thread.gpu = self._outer.pop()


pending: list[Any] = []  # copies to the host that are under way


def arrive() -> None:
    """All that is under way has arrived."""
    while pending:
        pending.pop(0)()


synchronized: list[int] = []  # the GPUs that were waited for


class Stream:
    """Stands in for ``cupy.cuda.Stream``; all is done at once, but exchanges with other processes (:mod:`tests.fake_nccl`)."""

    null: Stream

    def __init__(self, null: bool = False, non_blocking: bool = False, ptds: bool = False, priority: Any = None) -> None:
        self.ptr, self.priority, self._gpu = 0 if null else next(serial), priority, None if null else current()
        self._outer: list[tuple[int, Stream]] = []
        self.waited: collections.deque[Event] = collections.deque(maxlen=10)
        self._work: collections.deque[Any] = collections.deque()  # what is under way, each when the one before it is done

    def use(self) -> Stream:
        assert self._gpu in (None, current()), "the stream is another GPU's"
        streams()[current()] = self
        return self

    @property
    def done(self) -> bool:
        return go_on(self)

    def synchronize(self) -> None:
        synchronized.append(-self.ptr)
        arrive()
        self._wait()

    def _wait(self) -> None:
        if self._work:
            until(lambda: go_on(self))

    def wait_event(self, event: Event) -> None:
        self.waited.append(event)
        event.synchronize()  # what comes next is done at once

    def __enter__(self) -> Stream:
        self._outer.append((current(), get_current_stream()))
        return self.use()

    def __exit__(self, *exc: Any) -> None:
        gpu, stream = self._outer.pop()
        streams()[gpu] = stream


def go_on(stream: Stream) -> bool:
    """Whether all in the queue is done, which it becomes by asking."""
    with looking:
        while stream._work and stream._work[0].go_on():
            stream._work.popleft()
    return not stream._work


def until(done: Callable[[], bool]) -> None:
    while not done():
        time.sleep(1e-4)


Stream.null = Stream(null=True)


def streams() -> dict[int, Stream]:
    """This thread's streams, by GPU."""
    found: dict[int, Stream] = thread.__dict__.setdefault("streams", {})
    return found


def get_current_stream() -> Stream:
    return streams().get(current(), Stream.null)


class Event:
    """Stands in for ``cupy.cuda.Event``; its time is a count."""

    def __init__(self, block: bool = False, disable_timing: bool = False, interprocess: bool = False) -> None:
        self.time, self.stream, self._timed = 0, Stream.null, not disable_timing
        self.before: list[Any] = []  # what was under way in the queue when it was put there

    def record(self, stream: Stream | None = None) -> None:
        self.time, self.stream, self.gpu = next(serial), get_current_stream() if stream is None else stream, current()
        self.before = list(self.stream._work)

    @property
    def done(self) -> bool:
        go_on(self.stream)
        return all(operation.done for operation in self.before)

    def synchronize(self) -> None:
        arrive()
        until(lambda: self.done)


def get_elapsed_time(start_event: Event, end_event: Event) -> float:
    if not (start_event._timed and end_event._timed):
        raise RuntimeError("cudaErrorInvalidResourceHandle")
    return float(end_event.time - start_event.time)


class MemoryHook:
    """Stands in for ``cupy.cuda.MemoryHook``."""

    name = "MemoryHook"

    def __enter__(self) -> MemoryHook:
        pool.hooks.append(self)
        return self

    def __exit__(self, *exc: Any) -> None:
        pool.hooks.remove(self)


class Pool:
    """Stands in for ``cupy.cuda.MemoryPool``: knows the arrays that are there, and keeps what they leave."""

    def __init__(self) -> None:
        self.live: dict[int, tuple[Any, int, int]] = {}
        self.kept = dict.fromkeys(range(COUNT), 0)
        self.limits: dict[int, int] = {}
        self.hooks: list[Any] = []

    def note(self, array: Any, index: int, nbytes: int) -> None:
        key = id(array)

        def gone(_: Any) -> None:
            self.live.pop(key, None)
            self.kept[index] += nbytes
            for hook in self.hooks:
                hook.free_postprocess(device_id=index, mem_size=nbytes, mem_ptr=key, pmem_id=key)
        self.live[key] = weakref.ref(array, gone), index, nbytes
        self.kept[index] = max(0, self.kept[index] - nbytes)
        for hook in self.hooks:
            hook.malloc_postprocess(device_id=index, size=nbytes, mem_size=nbytes, mem_ptr=key, pmem_id=key)

    def taken(self, index: int) -> int:
        return sum(nbytes for _, i, nbytes in [*self.live.values()] if i == index)

    def held(self, index: int) -> int:
        return self.taken(index) + self.kept[index]

    def used_bytes(self) -> int:
        return self.taken(current())

    def total_bytes(self) -> int:
        return self.held(current())

    def free_all_blocks(self, stream: Any = None) -> None:
        self.kept = dict.fromkeys(range(COUNT), 0)

    def set_limit(self, size: int | None = None, fraction: float | None = None) -> None:
        self.limits[current()] = int(MEMORY * fraction) if fraction is not None else size or 0


pool = Pool()


class PinnedMemoryPointer(bytearray):
    """Stands in for ``cupy.cuda.PinnedMemoryPointer``, which has the buffer protocol."""


def empty_pinned(shape: Any, dtype: Any = float, order: str = "C") -> Any:
    """Stands in for ``cupyx.empty_pinned``."""
    dtype = np.dtype(dtype)
    count = int(np.prod(shape))
    return np.frombuffer(PinnedMemoryPointer(max(1, count) * dtype.itemsize), dtype, count).reshape(shape)


def properties(device: int) -> dict[str, Any]:
    return {"name": f"Stand-in {device}".encode(), "major": 9, "minor": 0, "totalGlobalMem": MEMORY, "multiProcessorCount": 4,
            "warpSize": 32, "maxThreadsPerMultiProcessor": 2048}


@contextlib.contextmanager
def nothing_changes() -> Iterator[None]:
    """Check that a block leaves this thread's GPU and stream as they were."""
    before = current(), get_current_stream()
    yield
    assert (current(), get_current_stream()) == before


def use(device: int) -> None:
    thread.gpu = device


def bus_id(device: int) -> str:
    """Where in the machine a GPU is."""
    return f"0000:{device:02}:00.0"


runtime = SimpleNamespace(getDeviceCount=lambda: COUNT, getDevice=current, setDevice=use, getDeviceProperties=properties,
                          deviceGetPCIBusId=bus_id)
cuda = SimpleNamespace(Device=Device, Stream=Stream, Event=Event, MemoryHook=MemoryHook, PinnedMemoryPointer=PinnedMemoryPointer,
                       get_current_stream=get_current_stream, get_elapsed_time=get_elapsed_time, runtime=runtime,
                       nccl=SimpleNamespace(available=False))
