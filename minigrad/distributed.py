"""Whether there are other processes to work with, for programs that ask: there are none."""

from __future__ import annotations

__path__: list[str] = []  # `distributed.nn` lies below, by minigrad._paths

__all__ = ["is_available", "is_gloo_available", "is_initialized", "is_mpi_available", "is_nccl_available",
           "is_torchelastic_launched"]


def is_available() -> bool:
    """Whether processes can work together: False, as in a PyTorch that was built without it."""
    return False


def is_initialized() -> bool:
    """Whether this process belongs to a group: False."""
    return False


def is_torchelastic_launched() -> bool:
    """Whether ``torchrun`` started this process: False."""
    return False


def is_gloo_available() -> bool:
    """False."""
    return False


def is_mpi_available() -> bool:
    """False."""
    return False


def is_nccl_available() -> bool:
    """False."""
    return False
