"""Python's ``multiprocessing`` with the names that PyTorch adds: :func:`spawn`, and the strategies by which tensors are shared.

Tensors go from process to process like other objects: they are pickled, and what arrives is a copy. But those that
:meth:`Tensor.share_memory_ <minigrad.Tensor.share_memory_>` or ``module.share_memory()`` has moved to shared memory stay in it,
and every process sees what any of them writes.
"""

from __future__ import annotations

from multiprocessing import *  # noqa: F403
from typing import Any

from minigrad import _paths
from minigrad.errors import InvalidValueError
from minigrad.multiprocessing import reductions as reductions
from minigrad.multiprocessing.spawn import (
    ProcessContext,
    ProcessException,
    ProcessExitedException,
    ProcessRaisedException,
    SpawnContext,
    spawn,
    start_processes,
)

__all__ = ["ProcessContext", "ProcessException", "ProcessExitedException", "ProcessRaisedException",
           "SpawnContext", "get_all_sharing_strategies", "get_sharing_strategy", "set_sharing_strategy", "spawn",
           "start_processes"]

STRATEGIES = {"file_descriptor", "file_system"}
_strategy = "file_descriptor"


def get_all_sharing_strategies() -> set[str]:
    """PyTorch's ways of sharing memory between processes, which :func:`set_sharing_strategy` takes."""
    return set(STRATEGIES)


def get_sharing_strategy() -> str:
    """What :func:`set_sharing_strategy` was last given."""
    return _strategy


def set_sharing_strategy(new_strategy: str) -> None:
    """Accepted for PyTorch's programs: there is one way, by a file that has no name."""
    global _strategy
    if new_strategy not in STRATEGIES:
        raise InvalidValueError(f"set_sharing_strategy: expected one of {sorted(STRATEGIES)}, got {new_strategy!r}")
    _strategy = new_strategy


def __getattr__(name: str) -> Any:
    return _paths.submodule(__name__, name)
