"""What the stand-in for NCCL refuses, as NCCL does or as a GPU makes wrong numbers of: planted errors of whoever calls it."""

from __future__ import annotations

import datetime
import re
from typing import Any

import numpy as np

import minigrad as mg
from minigrad import _arrays
from minigrad import distributed as dist
from tests import fake_cuda, fake_nccl
from tests.processes.beginning import begin

device = begin(datetime.timedelta(seconds=60))
rank, size = dist.get_rank(), dist.get_world_size()
communicator: Any = dist.group.WORLD.communicator  # type: ignore[union-attr]
nccl, comm, stream = fake_nccl, communicator.comm, communicator.stream
x = mg.arange(4.0)
there = _arrays.address_of(x.array)


def refused(call: Any, kind: type[BaseException], words: str) -> None:
    try:
        with stream:
            call()
    except kind as error:
        assert re.search(words, str(error)), error
    else:
        raise AssertionError(f"not refused: {words}")


def ready() -> None:
    """Let the queue wait for what the program has computed."""
    mark = fake_cuda.Event()
    mark.record()
    stream.wait_event(mark)


host = np.zeros(4, np.float32)
elsewhere = mg.zeros(4, device=f"standin:{1 - rank}")
for address, count in ((host.ctypes.data, 4), (there, 400), (_arrays.address_of(elsewhere.array), 4)):
    refused(lambda: comm.broadcast(address, address, count, nccl.NCCL_FLOAT32, 0, stream.ptr), nccl.NcclError, "not in memory of")
refused(lambda: comm.allReduce(there, there, 4, 99, nccl.NCCL_SUM, stream.ptr), nccl.NcclError, "invalid type 99")
refused(lambda: comm.allReduce(there, there, 4, nccl.NCCL_FLOAT32, 7, stream.ptr), nccl.NcclError, "invalid operation 7")
refused(lambda: comm.send(there, 4, nccl.NCCL_FLOAT32, rank, stream.ptr), nccl.NcclError, "in a group only")
refused(lambda: comm.recv(there, 4, nccl.NCCL_FLOAT32, size, stream.ptr), nccl.NcclError, f"invalid rank {size}")
refused(nccl.groupEnd, nccl.NcclError, "without groupStart")

# A queue that does not wait for what was computed, a call that is put elsewhere, memory that is given up too early.
refused(lambda: comm.allReduce(there, there, 4, nccl.NCCL_FLOAT32, nccl.NCCL_SUM, stream.ptr), AssertionError, "does not wait")
refused(lambda: comm.allReduce(there, there, 4, nccl.NCCL_FLOAT32, nccl.NCCL_SUM, 0), AssertionError, "another queue")
ready()
given_up: Any = mg.zeros(4)
with stream:
    address = _arrays.address_of(given_up.array)
    comm.recv(address, 4, nccl.NCCL_FLOAT32, 1 - rank, stream.ptr)
del given_up
refused(lambda: comm.commSplit(0, rank), AssertionError, "under way")
fake_nccl.MPI.COMM_WORLD.Barrier()
other = mg.full((4,), 5.0)
ready_stream = fake_cuda.Stream(non_blocking=True)
mark = fake_cuda.Event()
mark.record()
ready_stream.wait_event(mark)
with ready_stream:
    comm.send(_arrays.address_of(other.array), 4, nccl.NCCL_FLOAT32, 1 - rank, ready_stream.ptr)
refused(stream.synchronize, AssertionError, "given up while NCCL used it")
print(f"process {rank} has checked everything")
fake_nccl.MPI.COMM_WORLD.Barrier()
