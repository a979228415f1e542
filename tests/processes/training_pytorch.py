"""The program of ``training.py`` in PyTorch's DistributedDataParallel, with gloo: prints the losses of its two processes.

A test that is marked ``pytest.mark.parity`` runs it.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

torch = pytest.importorskip("torch")
distributed = torch.distributed
sys.path.insert(0, ".")
from tests.processes.models import BATCH, CASES, STEPS, data, weights  # noqa: E402

store, rank = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(1)
distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)


def train(name: str) -> list[float]:
    make, make_optimizer, loss_of = CASES[name](torch)
    model = make().double()
    weights(model, 0, torch)
    # PyTorch's batch norm over processes is of GPUs only. What it computes is what one process does with the whole batch.
    whole = any(isinstance(m, torch.nn.modules.batchnorm._BatchNorm) for m in model.modules())
    mine = slice(None) if whole else slice(rank * BATCH // 2, (rank + 1) * BATCH // 2)
    together = model if whole else torch.nn.parallel.DistributedDataParallel(model)
    optimizer, losses = make_optimizer(together), []
    for k in range(STEPS):
        x, y = (torch.from_numpy(a)[mine] for a in data(name, k))
        loss: Any = loss_of(together, x, y)
        loss.backward()
        mean = loss.detach().clone()
        distributed.all_reduce(mean)
        losses.append(mean.item() / 2)
        optimizer.step()
        optimizer.zero_grad()
    return losses


found = {name: train(name) for name in CASES}
if rank == 0:
    print(json.dumps(found))
distributed.destroy_process_group()
