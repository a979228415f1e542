"""PyTorch's names for libraries that are not below minigrad: oneDNN, MKL, OpenMP, opt_einsum and others.

The paths ``backends.mkldnn`` and so on lead here. What programs switch there stays as they put it, and changes nothing.
"""

from __future__ import annotations

import contextlib
from typing import Any, Iterator

__all__ = ["enabled", "flags", "get_cpu_capability", "is_available", "set_flags", "verbose"]

enabled = False


def is_available() -> bool:
    """False."""
    return False


def get_cpu_capability() -> str:
    """``"DEFAULT"``: NumPy and its BLAS choose their instructions themselves."""
    return "DEFAULT"


def set_flags(*flags: Any, **named: Any) -> tuple[bool, ...]:
    """Accepted. Returns what was before: off."""
    return (False,)


@contextlib.contextmanager
def flags(*flags: Any, **named: Any) -> Iterator[None]:
    """A block with other switches: it changes nothing."""
    yield


class verbose:
    """A block in which the library would tell what it does."""

    def __init__(self, enable: int = 1) -> None:
        self.enable = enable

    def __enter__(self) -> verbose:
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing was changed."""
