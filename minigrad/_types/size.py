"""The shape of a tensor."""

from __future__ import annotations

import math
from typing import Any, Iterable, SupportsIndex, overload

from minigrad.errors import ArgumentError


class Size(tuple[int, ...]):
    """A tuple of sizes, one for each dimension. Slices and sums of it are again sizes.

    >>> Size([2, 3]).numel()
    6
    """

    __module__ = "minigrad"  # by which files refer to it
    __slots__ = ()

    def __new__(cls, sizes: Iterable[Any] = ()) -> Size:
        found = list(sizes)
        for k, n in enumerate(found):
            if not hasattr(n, "__index__"):
                raise ArgumentError(f"Size() takes an iterable of 'int' (item {k} is '{type(n).__name__}')")
        return super().__new__(cls, [n.__index__() for n in found])

    def numel(self) -> int:
        """How many elements a tensor of this shape has."""
        return math.prod(self)

    @overload
    def __getitem__(self, index: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Size: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Any:
        found: Any = super().__getitem__(index)
        return tuple.__new__(Size, found) if isinstance(index, slice) else found

    def __add__(self, other: tuple[int, ...]) -> Size:  # type: ignore[override]
        return tuple.__new__(Size, tuple(self) + tuple(other))

    def __radd__(self, other: tuple[int, ...]) -> Size:
        return tuple.__new__(Size, tuple(other) + tuple(self))

    def __mul__(self, times: SupportsIndex) -> Size:
        return tuple.__new__(Size, tuple(self) * times)

    def __rmul__(self, times: SupportsIndex) -> Size:
        return self * times

    def __repr__(self) -> str:
        return f"minigrad.Size({list(self)})"

    __str__ = __repr__

    def __reduce__(self) -> Any:
        return Size, (tuple(self),)
