"""Switches of cuDNN, which computes the convolutions on a GPU where the extra ``cudnn13`` (or ``cudnn12``) is installed.

As attributes of this module, all with PyTorch's meaning:

* ``enabled`` (True): use it. Without it convolutions are products of matrices by cuBLAS.
* ``allow_tf32`` (True): convolutions of float32 may round their operands to the 11 leading bits.
* ``deterministic`` (False): leave out what adds in an order that is not fixed. So does
  :func:`minigrad.use_deterministic_algorithms`.
* ``benchmark`` (False): at the first convolution of its kind try several ways to compute it, and keep the fastest.
* ``benchmark_limit`` (10): how many ways to try; 0 for all.
"""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Iterator
from typing import Any

from minigrad._arrays import cudnn

__all__ = ["flags", "is_available", "version"]


def is_available() -> bool:
    """Whether cuDNN and its Python package are installed."""
    return cudnn.module() is not None


def version() -> int | None:
    """The version of cuDNN, 92800 for 9.28.0; None where it is not installed."""
    found = cudnn.module()
    return None if found is None else int(found.backend_version())


@contextlib.contextmanager
def flags(enabled: bool = False, benchmark: bool = False, benchmark_limit: int = 10, deterministic: bool = False,
          allow_tf32: bool = True) -> Iterator[None]:
    """Set all switches within a block. The defaults are PyTorch's, of which the first is not that of the switch.

        >>> from minigrad.backends import cudnn
        >>> with cudnn.flags(enabled=True, deterministic=True):
        ...     cudnn.deterministic
        True
    """
    before = dict(vars(cudnn.switches))
    vars(cudnn.switches).update(enabled=enabled, benchmark=benchmark, benchmark_limit=benchmark_limit,
                                deterministic=deterministic, allow_tf32=allow_tf32)
    try:
        yield
    finally:
        vars(cudnn.switches).update(before)


class Switchboard(types.ModuleType):
    """This module, with the switches as attributes."""

    def __getattr__(self, name: str) -> Any:
        return getattr(cudnn.switches, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(cudnn.switches, name):
            setattr(cudnn.switches, name, value)
        else:
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *vars(cudnn.switches)]


sys.modules[__name__].__class__ = Switchboard
