"""Random number generators: seeding them, keeping and restoring their state.

>>> import minigrad as mg
>>> _ = mg.manual_seed(0)
>>> state = mg.get_rng_state()
>>> first = mg.rand(3)
>>> mg.set_rng_state(state)
>>> mg.equal(first, mg.rand(3))
True
"""

from __future__ import annotations

import contextlib
import os
from _thread import get_ident  # ``threading`` would be imported for this alone
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Callable, Iterable, Iterator

from minigrad import _arrays
from minigrad._types.tensor_base import TensorBase
from minigrad.errors import ArgumentError, DeviceError, RuntimeValueError

if TYPE_CHECKING:
    from minigrad._types.annotations import Tensor

__all__ = ["Generator", "default_generator", "fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed",
           "set_rng_state"]


class Generator:
    """A stream of random numbers for the tensors of one device.

    The stream is NumPy's SFC64. On a GPU the numbers come from a generator of the array library that lives there, which is
    seeded from the stream; taking the state makes it be seeded again, so that a restored state repeats what followed.
    """

    def __init__(self, device: Any = "cpu") -> None:
        self._device = _arrays.as_device(device)
        # The seed, the stream, and what draws on a GPU. They are made when first needed, by setdefault, so that threads which
        # come first together have the same.
        self._held: dict[str, Any] = {}

    @property
    def device(self) -> _arrays.Device:
        """Whose tensors it draws."""
        return self._device

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream that belongs to `seed`. Returns the generator."""
        try:
            seed = int(seed)
        except (TypeError, ValueError):
            raise RuntimeValueError(f"manual_seed: expected an int, got {seed!r}") from None
        if not -2**63 <= seed < 2**64:
            raise RuntimeValueError("manual_seed: Overflow when unpacking long: expected a seed from -2**63 to 2**64 - 1, got "
                                    f"{seed}")
        self._held = {"seed": seed % 2**64}
        return self

    def seed(self) -> int:
        """Start a stream from the operating system's entropy, and return its seed."""
        return self.manual_seed(entropy()).initial_seed()

    def initial_seed(self) -> int:
        """The seed the stream was started from."""
        held = self._held
        seed: int = held["seed"] if "seed" in held else held.setdefault("seed", entropy())
        return seed

    @property
    def stream(self) -> Any:
        """NumPy's generator."""
        held = self._held
        return held["stream"] if "stream" in held else held.setdefault("stream", _arrays.new_stream(self.initial_seed()))

    @property
    def draws(self) -> Any:
        """What draws arrays on the generator's device: it has NumPy's ``Generator`` methods."""
        if self.device.type == "cpu":
            return self.stream
        held = self._held
        if "there" not in held:
            made = _arrays.library_on(self.device).generator(int(self.stream.integers(2**63)), self.device)
            return held.setdefault("there", made)
        return held["there"]

    def get_state(self) -> Any:
        """The state of the stream as a tensor of bytes, for :meth:`set_state`."""
        self._held.pop("there", None)
        state: Any = object.__new__(TensorBase.result_class)
        state.array, state.node = _arrays.stream_state(self.initial_seed(), self.stream), None
        return state

    def set_state(self, new_state: Any) -> None:
        """Go back to a state that :meth:`get_state` gave. Raises ``TypeError`` for anything else."""
        array = getattr(new_state, "array", None)
        if array is None or array.dtype.name != "uint8":
            raise ArgumentError("set_state: expected a minigrad.uint8 tensor, as get_state() returns")
        seed, stream = _arrays.stream_from_state(_arrays.to_numpy(array))
        self._held = {"seed": seed, "stream": stream}

    def clone_state(self) -> Generator:
        """A second generator in the same state."""
        twin = Generator(self.device)
        twin.set_state(self.get_state())
        return twin

    def __reduce__(self) -> Any:
        return restore_generator, (str(self.device), self.get_state())

    def __repr__(self) -> str:
        return f"<minigrad.Generator on {self.device}>"


def entropy() -> int:
    """A seed from the operating system."""
    return int.from_bytes(os.urandom(8), "little") >> 1


def restore_generator(device: str, state: Any) -> Generator:
    """A generator from its pickle."""
    generator = Generator(device)
    generator.set_state(state)
    return generator


default_generator = Generator()
_defaults = {default_generator.device: default_generator}
_own: dict[int, dict[Any, Generator]] = {}  # those of threads that have their own


def default_generators() -> dict[Any, Generator]:
    """The generators that are used here where none is given, by device."""
    return _own.get(get_ident(), _defaults) if _own else _defaults


@contextlib.contextmanager
def own_generators(seed: int) -> Iterator[None]:
    """In the block this thread draws, where no generator is given, from generators of its own, which are seeded with `seed`. What
    it draws then neither depends on what other threads draw nor changes it."""
    _own[get_ident()] = {default_generator.device: Generator().manual_seed(seed)}
    try:
        yield
    finally:
        del _own[get_ident()]


def default_of(device: Any) -> Generator:
    """The generator that `device` uses here where none is given."""
    generators = default_generators()
    if device not in generators:
        device = _arrays.resolve(device)
    if device not in generators:
        made, on_cpu = Generator(device), generators[default_generator.device]
        if "seed" in on_cpu._held:
            made.manual_seed(on_cpu.initial_seed())
        generators.setdefault(device, made)
    return generators[device]


def place_of(generator: Generator | None) -> Any:
    """The device on which orders are drawn: that of `generator`, or the host, whichever device tensors are made on by default."""
    return _arrays.CPU if generator is None else generator.device


def draws_on(device: Any, generator: Generator | None = None) -> Any:
    """What draws arrays on `device`, from `generator` or the device's own.

    It has the methods ``random``, ``standard_normal``, ``standard_exponential``, ``integers`` and so on of NumPy's
    ``Generator``. Raises ``RuntimeError`` for a generator of another device.
    """
    if generator is None:
        generator = default_of(device)
    elif generator.device != device and (generator.device.type == "cpu" or _arrays.resolve(generator.device) != device):
        raise DeviceError(f"Expected a '{device}' device type for generator but found '{generator.device}'")
    for note in draw_watchers.get():
        note(generator)
    return generator.draws


draw_watchers: ContextVar[tuple[Callable[[Generator], None], ...]] = ContextVar("draw_watchers", default=())


@contextlib.contextmanager
def watch_draws(note: Callable[[Generator], None]) -> Iterator[None]:
    """Inside the block, call ``note(generator)`` whenever a generator is about to be drawn from."""
    token = draw_watchers.set((*draw_watchers.get(), note))
    try:
        yield
    finally:
        draw_watchers.reset(token)


def manual_seed(seed: int) -> Generator:
    """Seed the generators of all devices; the same seed gives the same numbers. Returns the CPU's."""
    for generator in default_generators().values():
        generator.manual_seed(seed)
    return default_of(default_generator.device)


def seed() -> int:
    """Seed the generators of all devices from the operating system's entropy, and return the seed."""
    chosen = default_of(default_generator.device).seed()
    manual_seed(chosen)
    return chosen


def initial_seed() -> int:
    """The seed the CPU's generator was started from."""
    return default_of(default_generator.device).initial_seed()


def get_rng_state() -> Any:
    """The state of the CPU's generator, a tensor of bytes."""
    return default_of(default_generator.device).get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Put the CPU's generator back into a state that :func:`get_rng_state` gave.

    >>> import minigrad as mg
    >>> state = mg.random.get_rng_state()
    >>> first = mg.rand(2)
    >>> mg.random.set_rng_state(state)
    >>> mg.equal(mg.rand(2), first)
    True
    """
    default_of(default_generator.device).set_state(new_state)


@contextlib.contextmanager
def fork_rng(devices: Iterable[Any] | None = None, enabled: bool = True) -> Iterator[None]:
    """Leave the generators, after the block, as they were before it.

    Args:
        devices: those beside the CPU whose generators to restore; None: all that have been used.
        enabled: False makes the block do nothing.
    """
    if not enabled:
        yield
        return
    kept = used_generators()
    if devices is not None:
        kept = [default_of(default_generator.device), *(default_of(_arrays.as_device(d)) for d in devices)]
    before = states(kept)
    try:
        yield
    finally:
        restore(before)


def states(generators: Iterable[Generator]) -> list[tuple[Generator, Any]]:
    """Each of `generators` with its state, for :func:`restore`."""
    return [(generator, generator.get_state()) for generator in generators]


def used_generators(devices: Iterable[Any] = ()) -> list[Generator]:
    """The generators that devices have used so far, and those of `devices`."""
    for device in devices:
        default_of(device)
    return list(default_generators().values())


def restore(kept: list[tuple[Generator, Any]]) -> None:
    """Put generators back into the states that :func:`states` gave."""
    for generator, state in kept:
        generator.set_state(state)
