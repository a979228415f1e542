"""How the programs beside this file begin: the first argument says by what they exchange tensors, and so where these are.

``mpi``: in host memory, by MPI. ``nccl``: on a stand-in GPU for each process, by the stand-in for NCCL; ``nccl alone``: the same
where only that knows the processes, and MPI does not, as under ``torchrun``.
"""

from __future__ import annotations

import datetime
import os
import sys
from typing import Any

import minigrad as mg
from minigrad import distributed

BACKEND = sys.argv[1] if len(sys.argv) > 1 else "mpi"
BY_NCCL, BY_MPI = BACKEND.startswith("nccl"), BACKEND != "nccl alone"


def begin(timeout: datetime.timedelta) -> Any:
    """Make the group of all processes, and return the device of its tensors, on which tensors are made from then on."""
    if not BY_NCCL:
        distributed.init_process_group("mpi", timeout=timeout)
        return mg.device("cpu")
    from tests import fake_cuda, fake_nccl, standin  # noqa: F401  (registers the device "standin")
    fake_cuda.cuda.nccl = fake_nccl
    if BACKEND == "nccl alone":
        from minigrad.distributed import mpi
        mpi.is_launched = lambda: False
        os.environ.update(MASTER_ADDR="localhost", MASTER_PORT="29500")
    device = mg.device("standin", distributed.get_node_local_rank())
    distributed.init_process_group("nccl", timeout=timeout, device_id=device)
    mg.set_default_device(device)
    return device
