"""Process 1 fails in the way that the command line says, while the others wait for it."""

from __future__ import annotations

import datetime
import os
import signal
import sys
import time

import minigrad as mg
from minigrad import distributed

distributed.init_process_group(timeout=datetime.timedelta(seconds=2 if sys.argv[1] == "stays away" else 120))
rank = distributed.get_rank()
print(f"<{os.getpid()}>", flush=True)
distributed.barrier()
print("ready", flush=True)
if rank == 1:
    match sys.argv[1]:
        case "raises":
            raise ValueError("something is wrong")
        case "exits":
            sys.exit(3)
        case "is killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "has another shape":
            distributed.all_reduce(mg.ones(3))
        case "stays away" | "is interrupted":
            time.sleep(100)
distributed.all_reduce(mg.ones(2))
