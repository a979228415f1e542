"""What there is to work together with: a group of one process, and none of PyTorch's libraries for more."""

from __future__ import annotations

import os

__all__ = ["is_available", "is_backend_available", "is_gloo_available", "is_mpi_available", "is_nccl_available",
           "is_torchelastic_launched", "is_ucc_available", "is_xccl_available"]


def is_available() -> bool:
    """Whether there are process groups: True, of one process."""
    return True


def is_torchelastic_launched() -> bool:
    """Whether ``torchrun`` started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def is_backend_available(backend: str) -> bool:
    """Whether the library of that name is there to exchange tensors by: False. A group of one process needs none."""
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


def is_ucc_available() -> bool:
    """False."""
    return False


def is_xccl_available() -> bool:
    """False."""
    return False
