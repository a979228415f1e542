"""Models trained by all processes, each with its part of the batch, beside the same models trained by one with the whole batch.

Every process does both, and compares. The losses are printed by the first, for whoever compares them with PyTorch's. The command
line says what carries them: see ``beginning.py``.
"""

from __future__ import annotations

import datetime
import json
from typing import Any

import numpy as np

import minigrad as mg
from minigrad import distributed, nn
from minigrad.nn.parallel import DistributedDataParallel
from tests.processes.beginning import begin
from tests.processes.models import BATCH, CASES, STEPS, data, weights

device = begin(datetime.timedelta(seconds=120))
rank, size = distributed.get_rank(), distributed.get_world_size()


def part(t: Any) -> Any:
    """This process's part of a batch."""
    each = BATCH // size
    return t[rank * each:(rank + 1) * each]


def train(name: str) -> list[float]:
    make, make_optimizer, loss_of = CASES[name](mg)
    alone, shared = make().double(), make().double()
    weights(alone, 0, mg)
    weights(shared, rank, mg)  # all begin with those of process 0
    together = DistributedDataParallel(nn.SyncBatchNorm.convert_sync_batchnorm(shared), bucket_cap_mb=0.02)
    assert [f"module.{key}" for key in alone.state_dict()] == list(together.state_dict())
    steps = [make_optimizer(m) for m in (alone, together)]
    losses = []
    for k in range(STEPS):
        x, y = (mg.from_numpy(a).to(device) for a in data(name, k))
        whole, mine = loss_of(alone, x, y), loss_of(together, part(x), part(y))
        whole.backward()
        mine.backward()
        mean = mine.detach().clone()
        distributed.all_reduce(mean, distributed.ReduceOp.AVG)
        losses.append(mean.item())
        for (key, p), q in zip(alone.named_parameters(), together.parameters()):
            np.testing.assert_allclose(q.grad.cpu(), p.grad.cpu(), rtol=1e-6, atol=1e-9, err_msg=f"{name} {k} {key}.grad")
        for step in steps:
            step.step()
            step.zero_grad()
    for (key, p), q in zip(alone.state_dict().items(), together.state_dict().values()):
        np.testing.assert_allclose(q.cpu(), p.cpu(), rtol=1e-6, atol=1e-9, err_msg=f"{name} {key}")
    return losses


found = {name: train(name) for name in CASES}
if rank == 0:
    print(json.dumps(found))
distributed.destroy_process_group()
