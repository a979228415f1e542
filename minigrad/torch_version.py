"""Versions that compare by number: ``TorchVersion("2.13.0") >= (2, 6)``."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["TorchVersion"]


def numbers_of(version: Any) -> tuple[int, ...]:
    """The numbers of a version, which may be written as text or as a sequence; what follows them does not count."""
    text = ".".join(map(str, version)) if isinstance(version, (tuple, list)) else str(version)
    found = re.match(r"v?(\d+(?:\.\d+)*)", text)
    numbers = [int(part) for part in found[1].split(".")] if found else []
    while numbers and numbers[-1] == 0:  # 2.0 is 2
        numbers.pop()
    return tuple(numbers)


class TorchVersion(str):
    """A version as text that compares by its numbers, with text, tuples, and what prints as a version.

    >>> TorchVersion("2.13.0") > "2.6", TorchVersion("2.13.0") == (2, 13)
    (True, True)
    """

    __slots__ = ()

    def __eq__(self, other: Any) -> bool:
        return numbers_of(self) == numbers_of(other)

    def __ne__(self, other: Any) -> bool:
        return numbers_of(self) != numbers_of(other)

    def __lt__(self, other: Any) -> bool:
        return numbers_of(self) < numbers_of(other)

    def __le__(self, other: Any) -> bool:
        return numbers_of(self) <= numbers_of(other)

    def __gt__(self, other: Any) -> bool:
        return numbers_of(self) > numbers_of(other)

    def __ge__(self, other: Any) -> bool:
        return numbers_of(self) >= numbers_of(other)

    __hash__ = str.__hash__
