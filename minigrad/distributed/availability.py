"""What there is to work together with: MPI, through mpi4py, and NCCL, through CuPy; none of PyTorch's other libraries."""

from __future__ import annotations

import importlib
import os
from typing import Any

from minigrad.distributed import mpi

__all__ = ["is_available", "is_backend_available", "is_gloo_available", "is_mpi_available", "is_nccl_available",
           "is_torchelastic_launched", "is_ucc_available", "is_xccl_available"]


def by_nccl() -> Any:
    """The room of NCCL, which most programs have no use for."""
    return importlib.import_module("minigrad.distributed.nccl")


def is_available() -> bool:
    """Whether there are process groups: True. A group of one process needs no library."""
    return True


def is_torchelastic_launched() -> bool:
    """Whether ``torchrun`` started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def is_backend_available(backend: str) -> bool:
    """Whether the library of that name is there to exchange tensors by. A group of one process needs none."""
    return {"mpi": is_mpi_available, "nccl": is_nccl_available}.get(backend.lower(), is_ucc_available)()


def is_gloo_available() -> bool:
    """False: where a program asks for gloo, MPI exchanges its tensors."""
    return False


def is_mpi_available() -> bool:
    """Whether mpi4py is installed, and finds a library of MPI."""
    return mpi.is_installed()


def is_nccl_available() -> bool:
    """Whether CuPy is installed, and finds NCCL."""
    return bool(by_nccl().is_installed())


def is_ucc_available() -> bool:
    """False."""
    return False


def is_xccl_available() -> bool:
    """False."""
    return False
