"""Which library has NCCL, by which the GPUs of several processes exchange arrays: CuPy, where it finds that."""

from __future__ import annotations

import importlib.util

from minigrad._arrays import library_on
from minigrad._arrays.library import CupyLibrary
from minigrad._types.device import Device
from minigrad.errors import DeviceError, DistBackendError, missing_extra

__all__ = ["is_installed", "library_with_nccl"]


def is_installed() -> bool:
    """Whether there is CuPy with NCCL."""
    if importlib.util.find_spec("cupy") is None:
        return False
    try:
        return bool(importlib.import_module("cupy").cuda.nccl.available)
    except ImportError:
        return False


def library_with_nccl(device: Device) -> CupyLibrary:
    """The library whose arrays NCCL can exchange on `device`. Raises ``RuntimeError`` that says what is missing."""
    try:
        library = library_on(device)
    except DeviceError as error:
        missing = f"{missing_extra('it', 'CuPy', 'nccl13')} (or nccl12, to match the driver)"
        raise DistBackendError(f"NCCL exchanges tensors on GPUs: {error if importlib.util.find_spec('cupy') else missing}. MPI "
                               "exchanges them in host memory: pass backend='mpi'") from error
    if not isinstance(library, CupyLibrary):
        raise DistBackendError(f"NCCL exchanges tensors on GPUs, not on device '{device}': pass device_id='cuda:0', or another "
                               "number, or backend='mpi'")
    if not library.xp.cuda.nccl.available:
        raise DistBackendError(f"{missing_extra('CuPy', 'NCCL', 'nccl13')} (or nccl12, to match CuPy)")
    return library
