"""Gradients travel while others are computed: a step takes less time than its computation and its communication by themselves.

Each of eight layers takes 30 ms to differentiate, and each of their buckets 30 ms on a network that sends one after the other.
The command line says what carries them: see ``beginning.py``.
"""

from __future__ import annotations

import datetime
import time
from typing import Any

import minigrad as mg
from minigrad import distributed, nn
from minigrad.autograd import Function
from tests.processes.beginning import begin

begin(datetime.timedelta(seconds=120))
LAYERS, SECONDS, WIDTH = 8, 0.03, 256


class Slow(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        time.sleep(SECONDS)
        return g


model = nn.Sequential(*[nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(LAYERS)])
together: Any = nn.parallel.DistributedDataParallel(model, bucket_cap_mb=WIDTH * WIDTH * 4 / 2**20)
communicator = together.reducer.group.communicator
all_reduce, bandwidth = communicator.all_reduce, WIDTH * WIDTH * 4 / SECONDS
free = 0.0  # when the network has sent what it was given


def send_slowly(array: Any, op: str) -> Any:
    global free
    free = arrives = max(time.monotonic(), free) + array.nbytes / bandwidth
    done = all_reduce(array, op)
    return lambda: time.monotonic() >= arrives and done()


def step(network: bool) -> float:
    communicator.all_reduce = send_slowly if network else all_reduce
    together.reducer.begin_pass(network)
    x = mg.ones(4, WIDTH)
    for layer in model:
        x = Slow.apply(layer(x))
    start = time.monotonic()
    x.sum().backward()
    return time.monotonic() - start


communication = sum(p.numel() * 4 for p in model.parameters()) / bandwidth
assert len(together.reducer.buckets) == LAYERS
compute, both = min(step(network=False) for _ in range(5)), min(step(network=True) for _ in range(5))
if distributed.get_rank() == 0:
    print(compute, communication, both)
distributed.destroy_process_group()
