"""Names of the places an array can live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

from minigrad.errors import DeviceError

if TYPE_CHECKING:
    from minigrad._types.annotations import DeviceLike


class Device:
    """``device("cpu")``, ``device("cuda")`` (the current GPU) or ``device("cuda", 1)`` / ``device("cuda:1")``."""

    __module__, __qualname__ = "minigrad", "device"  # by which users know it, and files refer to it
    __slots__ = ("type", "index")
    type: str
    index: int | None

    def __init__(self, type: str | int | Device, index: int | None = None) -> None:
        if isinstance(type, Device):
            index = type.index if index is None else index
            type = type.type
        elif isinstance(type, int):
            index, type = type, "cuda"
        kind, colon, number = type.partition(":")
        if colon:
            if not number.isdigit() or index is not None:
                raise DeviceError(f"device({type!r}): expected a name such as 'cpu', 'cuda' or 'cuda:1'")
            index = int(number)
        if index is not None and index < 0:
            raise DeviceError(f"device({type!r}, {index}): Device index must not be negative")
        if not kind.isidentifier():
            raise DeviceError(f"device({type!r}): expected a name such as 'cpu', 'cuda' or 'cuda:1'")
        self.type = kind
        self.index = index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        return f"device(type={self.type!r})" if self.index is None else f"device(type={self.type!r}, index={self.index})"

    def __reduce__(self) -> Any:
        return Device, (self.type, self.index)

    def __enter__(self) -> Device:
        """Make new tensors here, and compute here if this is a GPU."""
        current = on_device[0](self)
        current.__enter__()
        _entered.append(current)
        _defaults.append(self)
        return self

    def __exit__(self, *exc: object) -> None:
        _defaults.pop()
        _entered.pop().__exit__(None, None, None)


CPU = Device("cpu")
_defaults = [CPU]  # the last one is where new tensors go
_entered: list[Any] = []  # the contexts in which the devices of `with` blocks are the current GPUs
# The context in which a device is the current GPU; the package's __init__, which knows the libraries, puts it here.
on_device: list[Callable[[Device], Any]] = []


def get_default_device() -> Device:
    """Where tensors are made if nothing else is said."""
    return _defaults[-1]


def set_default_device(device: DeviceLike | None) -> None:
    """Make tensors on `device` if nothing else is said; None: on the CPU again. ``with device("cuda"):`` does so in a block."""
    _defaults[-1] = CPU if device is None else as_device(device)


def as_device(d: Any) -> Device:
    """The :class:`Device` meant by `d`: one already, a name, a GPU's number, or None for the default."""
    if d is None:
        return _defaults[-1]
    if isinstance(d, Device):
        return d
    if isinstance(d, int):
        return Device("cuda", d)
    return Device(d)
