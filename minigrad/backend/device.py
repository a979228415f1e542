"""Names of the places an array can live."""

from __future__ import annotations

from typing import Any

from minigrad.errors import DeviceError


class Device:
    """``device("cpu")``, ``device("cuda")`` (the current card) or ``device("cuda", 1)`` / ``device("cuda:1")``."""

    __slots__ = ("type", "index")

    def __init__(self, type: str | Device, index: int | None = None) -> None:
        if isinstance(type, Device):
            type, index = type.type, type.index if index is None else index
        kind, _, number = type.partition(":")
        if number:
            if not number.isdigit() or index is not None:
                raise DeviceError(f"device({type!r}): expected a name such as 'cpu', 'cuda' or 'cuda:1'")
            index = int(number)
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


CPU = Device("cpu")


def as_device(d: Any) -> Device:
    """The :class:`Device` meant by `d`: one already, a name, a card's number, or None for the CPU."""
    if d is None:
        return CPU
    if isinstance(d, Device):
        return d
    if isinstance(d, int):
        return Device("cuda", d)
    return Device(d)
