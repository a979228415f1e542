"""How the programs beside this file begin: the first argument says by what they exchange tensors, and so where these are.

``mpi``: in host memory, by MPI. ``nccl``: on a stand-in GPU for each process, by the stand-in for NCCL; ``nccl alone``: the same
where only that knows the processes, and MPI does not, as under ``torchrun``. ``nccl on gpus`` and ``nccl alone on gpus``: on real
ones.
"""

from __future__ import annotations

import datetime
import os
import sys
from typing import Any

import minigrad as mg
from minigrad import distributed

BACKEND = sys.argv[1] if len(sys.argv) > 1 else "mpi"
BY_NCCL, BY_MPI, REAL = "nccl" in BACKEND, "alone" not in BACKEND, "gpus" in BACKEND


def begin(timeout: datetime.timedelta) -> Any:
    """Make the group of all processes, and return the device of its tensors, on which tensors are made from then on."""
    if not BY_NCCL:
        distributed.init_process_group("mpi", timeout=timeout)
        return mg.device("cpu")
    if not BY_MPI:
        from minigrad.distributed import mpi
        mpi.is_launched = lambda: False
        os.environ.update(MASTER_ADDR="localhost", MASTER_PORT="29500")
    device = mg.device("cuda" if REAL else standin_with_nccl(), distributed.get_node_local_rank())
    distributed.init_process_group("nccl", timeout=timeout, device_id=device)
    mg.set_default_device(device)
    return device


def standin_with_nccl() -> str:
    """The type of stand-in GPUs, whose CuPy has NCCL from now on."""
    from tests import fake_cuda, fake_nccl, standin
    fake_cuda.cuda.nccl = fake_nccl
    return standin.DEVICE.type
