"""The GPUs themselves: which there are, which is the current one, their memory and their streams.

:mod:`minigrad.cuda` gives all of this PyTorch's names. CuPy computes on the thread's current GPU: arrays made without a number
are there, and so must be the arrays it computes with. :mod:`minigrad.recording.device_guard` makes the right one current.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from minigrad.errors import DeviceError

__all__ = ["DeviceProperties", "GPUs"]


class DeviceProperties(NamedTuple):
    """What a GPU says of itself; memory in bytes."""

    name: str
    major: int
    minor: int
    total_memory: int
    multi_processor_count: int
    warp_size: int
    max_threads_per_multi_processor: int


class GPUs:
    """The GPUs that the module `cupy` sees. Each is known by its index."""

    def __init__(self, cupy: Any, name: str) -> None:
        self._cuda, self._pool, self.type = cupy.cuda, cupy.get_default_memory_pool, name
        self._peaks: Any = None
        self._count = int(cupy.cuda.runtime.getDeviceCount())

    def count(self) -> int:
        """How many there are."""
        return self._count

    def current(self) -> int:
        """The one this thread computes on."""
        return int(self._cuda.runtime.getDevice())

    def number(self, index: int | None) -> int:
        """`index`, None being the current GPU. Raises ``DeviceError`` where there is no such GPU."""
        if index is None:
            return self.current()
        count = self.count()
        if not 0 <= index < count:
            there = f"only {self.type}:0" if count == 1 else f"{self.type}:0 to {self.type}:{count - 1}"
            raise DeviceError(f"invalid device ordinal: device '{self.type}:{index}' does not exist, this machine has {there}")
        return index

    def use(self, index: int) -> None:
        """Make a GPU the current one of this thread."""
        self._cuda.Device(self.number(index)).use()

    def on(self, index: int | None) -> Any:
        """A context in which a GPU is the current one."""
        return self._cuda.Device(self.number(index))

    def synchronize(self, index: int | None) -> None:
        """Wait until a GPU has done all that it was asked."""
        self._cuda.Device(self.number(index)).synchronize()

    def properties(self, index: int | None) -> DeviceProperties:
        """What a GPU says of itself."""
        found = self._cuda.runtime.getDeviceProperties(self.number(index))
        name = found["name"]
        return DeviceProperties(name.decode() if isinstance(name, bytes) else name, found["major"], found["minor"],
                                found["totalGlobalMem"], found["multiProcessorCount"], found["warpSize"],
                                found["maxThreadsPerMultiProcessor"])

    def free_and_total(self, index: int | None) -> tuple[int, int]:
        """The bytes of a GPU's memory that nobody holds, and all its bytes."""
        free, total = self._cuda.Device(self.number(index)).mem_info
        return int(free), int(total)

    def used_bytes(self, index: int | None) -> int:
        """The bytes that arrays on a GPU take."""
        with self.on(index):
            return int(self._pool().used_bytes())

    def held_bytes(self, index: int | None) -> int:
        """The bytes of a GPU that this process holds: those of arrays, and those kept for the next ones."""
        with self.on(index):
            return int(self._pool().total_bytes())

    def peak_bytes(self, index: int | None) -> int:
        """The most bytes that arrays on a GPU have taken since the last :meth:`reset_peak`."""
        index = self.number(index)
        if self._peaks is None or index not in self._peaks.most:
            self.reset_peak(index)
        return int(self._peaks.most[index])

    def reset_peak(self, index: int | None) -> None:
        """Let the peak be what is taken now. Allocations are watched from the first call on, in the thread that made it."""
        index = self.number(index)
        if self._peaks is None:
            self._peaks = watcher(self._cuda.MemoryHook)
            self._peaks.__enter__()
        self._peaks.taken[index] = self._peaks.most[index] = self.used_bytes(index)

    def free_unused(self) -> None:
        """Give the memory that is kept for the next arrays back to the GPUs."""
        self._pool().free_all_blocks()

    def limit(self, index: int | None, fraction: float | None) -> None:
        """Let arrays on a GPU take at most a fraction of its memory; None: all of it."""
        with self.on(index):
            if fraction is None:
                self._pool().set_limit(size=0)
            else:
                self._pool().set_limit(fraction=fraction)

    # CuPy's own objects, which minigrad.cuda wraps.

    def new_stream(self, index: int | None, priority: int) -> Any:
        """A queue of work on a GPU."""
        with self.on(index):
            return self._cuda.Stream(non_blocking=True, priority=priority)

    def current_stream(self, index: int | None) -> Any:
        """The queue that this thread puts its work on a GPU into."""
        with self.on(index):
            return self._cuda.get_current_stream()

    def queue_after(self, index: int, other: int) -> None:
        """Let what comes next on a GPU wait for all that this thread has put into its queue on another."""
        with self.on(other):
            mark = self.new_event(False, False, False)
            mark.record()
        with self.on(index):  # the default queue has no number, it is that of the current GPU
            self._cuda.get_current_stream().wait_event(mark)

    def default_stream(self) -> Any:
        """The queue that is used if nothing else is said."""
        return self._cuda.Stream.null

    def new_event(self, timing: bool, blocking: bool, interprocess: bool) -> Any:
        """A mark in a queue."""
        return self._cuda.Event(block=blocking, disable_timing=not timing, interprocess=interprocess)

    def milliseconds(self, start: Any, end: Any) -> float:
        """The time between two marks that have been passed."""
        return float(self._cuda.get_elapsed_time(start, end))


def watcher(hook: Any) -> Any:
    """A memory hook of CuPy's that keeps, by GPU, how many bytes are taken and the most that were."""
    class Peaks(hook):  # type: ignore[misc]
        name = "minigrad's peak"

        def __init__(self) -> None:
            self.taken: dict[int, int] = {}
            self.most: dict[int, int] = {}

        def malloc_postprocess(self, **what: Any) -> None:
            index = what["device_id"]
            if index in self.taken:
                self.taken[index] += what["mem_size"]
                self.most[index] = max(self.most[index], self.taken[index])

        def free_postprocess(self, **what: Any) -> None:
            index = what["device_id"]
            if index in self.taken:
                self.taken[index] -= what["mem_size"]
    return Peaks()
