"""Process 1 fails in the way that the command line says, while the others wait for it.

The first argument says what carries the tensors: see ``beginning.py``.
"""

from __future__ import annotations

import datetime
import os
import signal
import sys
import time

import minigrad as mg
from minigrad import distributed
from minigrad.distributed import nccl
from tests.processes.beginning import begin

how = sys.argv[2]
nccl.SLACK = 0.0
begin(datetime.timedelta(seconds=2 if how in ("stays away", "does not send") else 120))
rank = distributed.get_rank()
print(f"<{os.getpid()}>", flush=True)
distributed.barrier()
print("ready", flush=True)
if rank == 1:
    match how:
        case "raises":
            raise ValueError("something is wrong")
        case "exits":
            sys.exit(3)
        case "is killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "has another shape":
            distributed.all_reduce(mg.ones(3))
        case "ends early":
            distributed.destroy_process_group()
        case "comes to its end":
            sys.exit()
        case "stays away" | "is interrupted" | "does not send":
            time.sleep(100)
if how == "does not send":
    x = mg.zeros(2)
    distributed.recv(x, 1)
    print(x)  # which the GPU does not have
distributed.all_reduce(mg.ones(2))
