"""Whether there are GPUs, which one is current, their memory and their streams, by PyTorch's names.

Tensors get to a GPU by ``.to("cuda")`` or ``device="cuda"``. With several GPUs, ``"cuda"`` means the thread's current one; what
is computed with tensors is computed on theirs, whichever that is.
"""

from __future__ import annotations

import contextlib
from typing import Any, Iterator

from minigrad import _arrays, _paths
from minigrad._arrays.gpus import DeviceProperties, GPUs
from minigrad._tensor.typed import ON_GPUS
from minigrad.errors import DeviceError, InvalidValueError
from minigrad.random import Generator, default_of

__all__ = ["Event", "OutOfMemoryError", "Stream", "current_device", "current_stream", "default_stream", "device",
           "device_count", "device_of", "empty_cache", "get_device_capability", "get_device_name", "get_device_properties",
           "get_rng_state", "get_rng_state_all", "initial_seed", "is_available", "is_bf16_supported", "is_initialized",
           "manual_seed", "manual_seed_all", "max_memory_allocated", "max_memory_reserved", "mem_get_info", "memory_allocated",
           "memory_reserved", "memory_stats", "reset_peak_memory_stats", "seed", "seed_all", "set_device",
           "set_per_process_memory_fraction", "set_rng_state", "set_rng_state_all", "set_stream", "stream", "synchronize"]

__path__: list[str] = []  # `cuda.amp` and others lie below, by minigrad._paths
HERE = _arrays.Device("cuda")


OutOfMemoryError = MemoryError  # which CuPy's error is a subclass of


def __getattr__(name: str) -> Any:
    return ON_GPUS[name] if name in ON_GPUS else _paths.submodule(__name__, name)


def gpus() -> GPUs:
    """The GPUs. Raises ``DeviceError``, which says what is missing, where there are none."""
    found = _arrays.library_on(HERE).gpus
    assert found is not None
    return found


def number(which: Any) -> int | None:
    """The number of the GPU that `which` means, a number, a device or its name; None for the current one."""
    if which is None or isinstance(which, int) and which < 0:
        return None
    named = _arrays.as_device(which)
    if isinstance(which, int):
        return which
    if named.type != HERE.type:
        raise InvalidValueError(f"Expected a cuda device, but got: {named}")
    return named.index


# ---------------------------------------------------------------------------------------------------- which there are

def is_available() -> bool:
    """Whether CuPy is installed and finds a usable GPU."""
    try:
        _arrays.library_on(HERE)
    except DeviceError:
        return False
    return True


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether tensors of bfloat16 can be on the GPU: False; use float16."""
    return False


def is_initialized() -> bool:
    """Whether a GPU has been used, or could be."""
    return is_available()


def device_count() -> int:
    """How many GPUs can be used."""
    return gpus().count() if is_available() else 0


def current_device() -> int:
    """The number of the GPU that ``"cuda"`` means. Raises ``RuntimeError`` where there is none."""
    return gpus().current()


def set_device(device: Any) -> None:
    """Let ``"cuda"`` mean this GPU, in this thread; a negative number changes nothing."""
    index = number(device)
    if index is not None:
        gpus().use(index)


class device(contextlib.ContextDecorator):
    """A block, or a function, in which ``"cuda"`` means another GPU; None or a negative number changes nothing."""

    def __init__(self, device: Any) -> None:
        self.idx = number(device)
        self._inner: list[Any] = []

    def __enter__(self) -> None:
        self._inner.append(contextlib.nullcontext() if self.idx is None else gpus().on(self.idx))
        self._inner[-1].__enter__()

    def __exit__(self, *exc: Any) -> None:
        self._inner.pop().__exit__(*exc)


class device_of(device):
    """A block in which ``"cuda"`` means the GPU that a tensor is on; a tensor in host memory changes nothing."""

    def __init__(self, obj: Any) -> None:
        super().__init__(obj.device if obj.device.type == HERE.type else None)


def get_device_properties(device: Any = None) -> DeviceProperties:
    """The GPU's ``name``, ``major`` and ``minor`` capability, ``total_memory`` in bytes, ``multi_processor_count`` and so on."""
    return gpus().properties(number(device))


def get_device_name(device: Any = None) -> str:
    """What the maker calls the GPU."""
    return get_device_properties(device).name


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """The version of what the GPU can do, such as (9, 0)."""
    found = get_device_properties(device)
    return found.major, found.minor


def synchronize(device: Any = None) -> None:
    """Wait until the GPU has done everything that was asked of it, for instance before reading a clock."""
    gpus().synchronize(number(device))


# ---------------------------------------------------------------------------------------------------- memory

def memory_allocated(device: Any = None) -> int:
    """The bytes that tensors on the GPU take; 0 where there is no GPU."""
    return gpus().used_bytes(number(device)) if is_available() else 0


def max_memory_allocated(device: Any = None) -> int:
    """The most bytes that tensors on the GPU have taken since :func:`reset_peak_memory_stats`.

    Allocations are watched from the first call of either on, in the thread that made it: what came before is not known.
    """
    return gpus().peak_bytes(number(device)) if is_available() else 0


def reset_peak_memory_stats(device: Any = None) -> None:
    """Measure :func:`max_memory_allocated` from now on."""
    gpus().reset_peak(number(device))


def memory_reserved(device: Any = None) -> int:
    """The bytes of the GPU that are held: those of tensors, and those kept for the next ones."""
    return gpus().held_bytes(number(device)) if is_available() else 0


def max_memory_reserved(device: Any = None) -> int:
    """As :func:`memory_reserved`: what is held is only given back by :func:`empty_cache`."""
    return memory_reserved(device)


def memory_stats(device: Any = None) -> dict[str, int]:
    """The figures above under PyTorch's keys."""
    return {"allocated_bytes.all.current": memory_allocated(device), "allocated_bytes.all.peak": max_memory_allocated(device),
            "reserved_bytes.all.current": memory_reserved(device), "reserved_bytes.all.peak": max_memory_reserved(device)}


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """The GPU's free and total memory in bytes, as its driver counts them."""
    return gpus().free_and_total(number(device))


def empty_cache() -> None:
    """Give the memory that is held for reuse back to the GPU."""
    if is_available():
        gpus().free_unused()


def set_per_process_memory_fraction(fraction: float, device: Any = None) -> None:
    """Let tensors on the GPU take at most this part of its memory; going over it raises CuPy's ``OutOfMemoryError``."""
    if not 0 <= fraction <= 1:
        raise InvalidValueError(f"Invalid fraction value: {fraction}. Allowed range: 0~1")
    gpus().limit(number(device), None if fraction == 1 else fraction)


# ---------------------------------------------------------------------------------------------------- random numbers

def generator_of(which: Any) -> Generator:
    """The generator of a GPU."""
    return default_of(_arrays.resolve(_arrays.Device(HERE.type, number(which))))


def manual_seed(seed: int) -> None:
    """Seed the generator of the current GPU; nothing happens where there is none."""
    if is_available():
        generator_of(None).manual_seed(seed)


def manual_seed_all(seed: int) -> None:
    """Seed the generators of all GPUs."""
    for index in range(device_count()):
        generator_of(index).manual_seed(seed)


def seed() -> None:
    """Seed the generator of the current GPU from the operating system's entropy."""
    if is_available():
        generator_of(None).seed()


def seed_all() -> None:
    """Seed the generators of all GPUs from the operating system's entropy, all alike."""
    if is_available():
        manual_seed_all(generator_of(None).seed())


def initial_seed() -> int:
    """The seed that the current GPU's generator was started from."""
    return generator_of(None).initial_seed()


def get_rng_state(device: Any = "cuda") -> Any:
    """The state of a GPU's generator, a tensor of bytes."""
    return generator_of(None if device == "cuda" else device).get_state()


def get_rng_state_all() -> list[Any]:
    """The states of all GPUs' generators."""
    return [get_rng_state(index) for index in range(device_count())]


def set_rng_state(new_state: Any, device: Any = "cuda") -> None:
    """Put a GPU's generator back into a state that :func:`get_rng_state` gave."""
    generator_of(None if device == "cuda" else device).set_state(new_state)


def set_rng_state_all(new_states: Any) -> None:
    """Put the generators of all GPUs back into states that :func:`get_rng_state_all` gave."""
    for index, state in enumerate(new_states):
        set_rng_state(state, index)


# ---------------------------------------------------------------------------------------------------- streams and events

class Stream:
    """A queue of work for a GPU: what is in one queue is done in order, two queues are done side by side.

    Args:
        device: the GPU; None: the current one.
        priority: a lower number goes first.
    """

    def __init__(self, device: Any = None, priority: int = 0, *, _of: Any = None) -> None:
        index = gpus().number(number(device))
        self.device = _arrays.resolve(_arrays.Device(HERE.type, index))
        self.priority, self._index = priority, index
        self._queue: Any = gpus().new_stream(index, priority) if _of is None else _of

    @property
    def cuda_stream(self) -> int:
        """CUDA's handle of the queue."""
        return int(self._queue.ptr)

    def synchronize(self) -> None:
        """Wait until all that is in the queue has been done."""
        self._queue.synchronize()

    def query(self) -> bool:
        """Whether all that is in the queue has been done."""
        return bool(self._queue.done)

    def record_event(self, event: Event | None = None) -> Event:
        """Put a mark, or a new one, at the end of the queue."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        """Let what comes next in the queue wait until the mark `event` is passed."""
        self._queue.wait_event(event._mark)

    def wait_stream(self, stream: Stream) -> None:
        """Let what comes next in the queue wait for what is in the queue `stream` now."""
        self.wait_event(stream.record_event())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and (self._index, self.cuda_stream) == (other._index, other.cuda_stream)

    def __hash__(self) -> int:
        return hash((self._index, self.cuda_stream))

    def __repr__(self) -> str:
        return f"<minigrad.cuda.Stream device={self.device} cuda_stream={self.cuda_stream:#x}>"


class Event:
    """A mark in a queue of work: whether the GPU has passed it, and the time between two of them.

    Args:
        enable_timing: whether :meth:`elapsed_time` can be asked for.
        blocking: whether :meth:`synchronize` sleeps instead of spinning.
        interprocess: whether other processes can be given the mark.
    """

    def __init__(self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False) -> None:
        self._mark: Any = gpus().new_event(enable_timing, blocking, interprocess)

    def record(self, stream: Stream | None = None) -> None:
        """Put the mark at the end of a queue, the current one by default."""
        queue = current_stream() if stream is None else stream
        with gpus().on(queue._index):
            self._mark.record(queue._queue)

    def wait(self, stream: Stream | None = None) -> None:
        """Let what comes next in a queue, the current one by default, wait for the mark."""
        (current_stream() if stream is None else stream).wait_event(self)

    def query(self) -> bool:
        """Whether the mark has been passed."""
        return bool(self._mark.done)

    def synchronize(self) -> None:
        """Wait until the mark has been passed."""
        self._mark.synchronize()

    def elapsed_time(self, end_event: Event) -> float:
        """The milliseconds from this mark to `end_event`; both must have been passed."""
        return gpus().milliseconds(self._mark, end_event._mark)


@contextlib.contextmanager
def stream(stream: Stream | None) -> Iterator[None]:
    """A block whose work goes into the queue `stream`, on its GPU; None changes nothing."""
    if stream is None:
        yield
        return
    with gpus().on(stream._index), stream._queue:
        yield


def set_stream(stream: Stream) -> None:
    """Let the work of this thread go into the queue `stream`, on its GPU."""
    gpus().use(stream._index)
    stream._queue.use()


def current_stream(device: Any = None) -> Stream:
    """The queue that this thread's work on a GPU goes into."""
    return Stream(device, _of=gpus().current_stream(number(device)))


def default_stream(device: Any = None) -> Stream:
    """The queue that work goes into if nothing else is said."""
    return Stream(device, _of=gpus().default_stream())
