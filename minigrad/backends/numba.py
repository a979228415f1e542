"""Whether numba's compiled kernels compute with large arrays on the CPU: where the extra ``fast`` is installed they do.

``enabled`` (True) is the switch, an attribute of this module. With the environment variable ``MINIGRAD_NUMBA=0`` it is off at
first. Results are the same to rounding. The first use imports numba, and each kernel is compiled when it is first needed, in
about a second, and kept in a file, beside minigrad or in the user's cache.
"""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Iterator

from minigrad._arrays.host import NONE, switch

__all__ = ["flags", "is_available", "version"]


def is_available() -> bool:
    """Whether numba is installed and can be used. This imports it."""
    return switch.found() is not NONE


def version() -> str | None:
    """The version of numba, or None where it is not installed or cannot be used."""
    return str(sys.modules["numba"].__version__) if is_available() else None


@contextlib.contextmanager
def flags(enabled: bool = True) -> Iterator[None]:
    """Set the switch within a block.

    >>> import minigrad
    >>> with minigrad.backends.numba.flags(enabled=False):
    ...     minigrad.backends.numba.enabled
    False
    """
    before, switch.enabled = switch.enabled, enabled
    try:
        yield
    finally:
        switch.enabled = before


class Switchboard(types.ModuleType):
    """This module, with the switch as an attribute."""

    @property
    def enabled(self) -> bool:
        return switch.enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        switch.enabled = enabled

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), "enabled"]


sys.modules[__name__].__class__ = Switchboard
