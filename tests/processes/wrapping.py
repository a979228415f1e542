"""What DistributedDataParallel does beside averaging: what it begins with, what it leaves alone, and what it refuses.

The command line says what carries the tensors: see ``beginning.py``.
"""

from __future__ import annotations

import copy
import datetime
import io
import re
from typing import Any

import numpy as np

import minigrad as mg
from minigrad import distributed as dist
from minigrad import nn, optim
from minigrad.nn.parallel import DistributedDataParallel
from minigrad.optim.zero_redundancy_optimizer import ZeroRedundancyOptimizer
from minigrad.utils.data import DataLoader, DistributedSampler, TensorDataset
from tests.processes.beginning import BY_NCCL, begin

device = begin(datetime.timedelta(seconds=60))
HALF = mg.float16 if BY_NCCL else mg.bfloat16
rank, size = dist.get_rank(), dist.get_world_size()


def average(of: Any) -> Any:
    """The average over all processes of what each has."""
    value = of.detach().clone()
    dist.all_reduce(value, dist.ReduceOp.AVG)
    return value


def refused(call: Any, *words: str) -> None:
    try:
        call()
    except RuntimeError as error:
        for pattern in words:
            assert re.search(pattern, str(error)), f"{error} does not say {pattern}"
    else:
        raise AssertionError(f"not refused: {words}")


def input_of(r: int) -> Any:
    return mg.from_numpy(np.random.default_rng(r).standard_normal((4, 3)).astype(np.float32)).to(device)


# All begin with the weights of process 0.
mg.manual_seed(rank)
model = DistributedDataParallel(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)))
everyones: list[Any] = [None] * size
dist.all_gather_object(everyones, [p.tolist() for p in model.parameters()])
assert all(found == everyones[0] for found in everyones)

# Buffers are those of process 0 before each forward.
for _ in range(2):
    model(input_of(rank)).sum().backward()
model.eval()
model(input_of(0))
dist.all_gather_object(everyones, model.module[1].running_mean.tolist())
assert all(found == everyones[0] for found in everyones)

# Gradients are added up under no_sync, and averaged together in the pass that follows.
plain = nn.Linear(3, 2)
model = DistributedDataParallel(plain)
twin = copy.deepcopy(plain)
seen = []
with model.no_sync():
    model(input_of(rank)).pow(2).sum().backward()
    twin(input_of(rank)).pow(2).sum().backward()
    mg.testing.assert_close(plain.weight.grad, twin.weight.grad, rtol=0, atol=0)
model(input_of(rank + 7)).exp().sum().backward()
twin(input_of(rank + 7)).exp().sum().backward()
mg.testing.assert_close(plain.weight.grad, average(twin.weight.grad))
mg.testing.assert_close(plain.bias.grad, average(twin.bias.grad))
before = plain.weight.grad.data_ptr()
optim.SGD(model.parameters(), lr=0.1).zero_grad(set_to_none=False)
model(input_of(rank)).sum().backward()
assert plain.weight.grad.data_ptr() == before

# Without the wrapper, which is gone, nobody is asked.
del model
plain.zero_grad()
if rank == 0:
    plain(input_of(0)).sum().backward()
    assert plain.weight.grad is not None


class Branches(nn.Module):
    """Process 0 uses `first`, the others `second`, and nobody `third`; `tied` is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third, self.tied = nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 3)

    def forward(self, x: Any) -> Any:
        y = self.first(self.tied(x)) if rank == 0 else self.second(self.tied(x))
        return self.tied(y)


branches = Branches()
model = DistributedDataParallel(branches, bucket_cap_mb=1e-5)
twin = copy.deepcopy(branches)
for _ in range(2):
    model(input_of(rank)).sum().backward()
    twin(input_of(rank)).sum().backward()
    for name, p in twin.named_parameters():
        got = branches.get_parameter(name).grad
        if name.startswith("third"):
            assert got is None
        else:
            mg.testing.assert_close(got, average(p.grad if p.grad is not None else mg.zeros_like(p)))
    model.zero_grad()
    twin.zero_grad()

# Hooks see this process's gradient; half precision, and parameters in another order of memory.
half = DistributedDataParallel(nn.Linear(3, 2).to(HALF))
hooked: list[Any] = []
half.module.weight.register_hook(lambda g: hooked.append(g.clone()))
half(input_of(rank).to(HALF)).sum().backward()
assert half.module.weight.grad.dtype == HALF
mg.testing.assert_close(half.module.weight.grad.float(), average(hooked[0].float()), rtol=1e-2, atol=1e-2)
convolution = DistributedDataParallel(nn.Conv2d(2, 3, 3).to(memory_format=mg.channels_last))
twin = copy.deepcopy(convolution.module)
images = mg.from_numpy(np.random.default_rng(rank).standard_normal((2, 2, 5, 5)).astype(np.float32)).to(device)
for m in (convolution, twin):
    m(images).pow(2).sum().backward()
mg.testing.assert_close(convolution.module.weight.grad, average(twin.weight.grad))
assert convolution.module.weight.grad.stride() == convolution.module.weight.stride()

# Buckets are exchanged while the pass still runs, in the same order everywhere.
deep = DistributedDataParallel(nn.Sequential(*[nn.Linear(3, 3) for _ in range(4)]), bucket_cap_mb=1e-5)
events: list[str] = []
communicator = deep.reducer.group.communicator
all_reduce = communicator.all_reduce


def begin_and_note(array: Any, op: str) -> Any:
    events.append("exchange")
    return all_reduce(array, op)


communicator.all_reduce = begin_and_note
deep.module[0].register_full_backward_hook(lambda module, grads, outputs: events.append("the first layer is differentiated"))
deep(input_of(rank).requires_grad_()).sum().backward()
assert events.index("the first layer is differentiated") >= 6 and events.count("exchange") == len(deep.reducer.buckets) + 1 == 9
communicator.all_reduce = all_reduce

# What cannot be averaged is refused, and the next pass is as ever.
plain = nn.Linear(3, 2)
model = DistributedDataParallel(plain)
refused(lambda: model(input_of(rank)).sum().backward(inputs=[plain.weight]), "without inputs=")
refused(lambda: model(input_of(rank)).pow(2).sum().backward(create_graph=True), "create_graph")
model.zero_grad()
model(input_of(rank)).sum().backward()
twin = copy.deepcopy(plain)
twin.zero_grad()
twin(input_of(rank)).sum().backward()
mg.testing.assert_close(plain.weight.grad, average(twin.weight.grad))
refused(lambda: DistributedDataParallel(nn.Linear(3, 2 + rank)), rf"process {rank} of {size}: .*as that of process 0: ",
        rf"process {size - 1} has weight: float32 \[{size + 1}, 3\] instead of weight: float32 \[2, 3\]")
refused(lambda: DistributedDataParallel(nn.ReLU()), "not needed")
refused(lambda: model.join().__enter__(), "same number of batches")

# Each process keeps a part of an optimizer's state.
plain = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
alone = copy.deepcopy(plain)
model = DistributedDataParallel(plain)
alone.load_state_dict(plain.state_dict())
groups = [{"params": list(m[1].parameters()), "lr": 0.1} for m in (plain, alone)]
parts = ZeroRedundancyOptimizer(plain[0].parameters(), optimizer_class=optim.Adam, lr=0.01)
parts.add_param_group(groups[0])
whole = optim.Adam(alone[0].parameters(), lr=0.01)
whole.add_param_group(groups[1])
schedules = [optim.lr_scheduler.StepLR(o, 1, gamma=0.5) for o in (parts, whole)]


def step_both() -> None:
    for m in (model, alone):
        m(input_of(3)).pow(2).sum().backward()
    for step in (parts, whole, *schedules):
        step.step()
    parts.zero_grad()
    whole.zero_grad()
    for p, q in zip(plain.parameters(), alone.parameters()):
        mg.testing.assert_close(p, q)


for _ in range(3):
    step_both()
held: list[Any] = [None] * size
dist.all_gather_object(held, [p.numel() for p in parts.state])
assert sorted(n for part in held for n in part) == [2, 4, 8, 12] and all(held)
if rank:
    refused(parts.state_dict, "a part of the state only")
parts.consolidate_state_dict(to=1)
box: list[Any] = [parts.state_dict() if rank == 1 else None]
dist.broadcast_object_list(box, src=1)
expected = whole.state_dict()
assert box[0]["state"].keys() == expected["state"].keys()
for k, state in expected["state"].items():
    for name, value in state.items():
        mg.testing.assert_close(box[0]["state"][k][name], value.cpu())
assert [{**g, "params": None} for g in box[0]["param_groups"]] == [{**g, "params": None} for g in expected["param_groups"]]
parts = ZeroRedundancyOptimizer([{"params": list(m.parameters())} for m in plain], optimizer_class=optim.Adam, lr=7.0)
parts.load_state_dict(box[0])
whole.param_groups[0]["lr"] = parts.param_groups[0]["lr"] = 0.02
whole.param_groups[1]["lr"] = parts.param_groups[1]["lr"] = 0.03
schedules = []
step_both()

# A copy, and what a file gives back, are averaged too.
file = io.BytesIO()
mg.save(model, file)
file.seek(0)
for again in (copy.deepcopy(model), mg.load(file, weights_only=False)):
    again.zero_grad()
    again(input_of(rank)).sum().backward()
    gradients: list[Any] = [None] * size
    dist.all_gather_object(gradients, again.module[0].weight.grad.tolist())
    assert all(g == gradients[0] for g in gradients)

# Each process reads its part of the data.
sampler: Any = DistributedSampler(TensorDataset(mg.arange(10)))
loader = DataLoader(TensorDataset(mg.arange(10)), batch_size=2, sampler=sampler)
visited = [int(v) for batch, in loader for v in batch]
dist.all_gather_object(everyones, visited)
assert sorted({v for part in everyones for v in part}) == list(range(10)) and len({len(part) for part in everyones}) == 1

# What is differentiated through an exchange is the sum of what all processes differentiate.
functional = dist.nn.functional
x = input_of(rank).double().requires_grad_()


def gradient(y: Any) -> Any:
    return mg.autograd.grad((y * (rank + 1)).sum(), x)[0]


total = sum(r + 1 for r in range(size))
assert gradient(functional.all_reduce(x)).eq(total).all()
assert gradient(functional.all_reduce(x, dist.ReduceOp.AVG)).eq(total / size).all()
assert gradient(functional.broadcast(x, 1)).eq(total if rank == 1 else 0).all()
assert gradient(functional.reduce(x, 1)).eq(2).all()
assert gradient(mg.stack(functional.all_gather(x))).eq(total).all()
lists = [x * (r + 1) for r in range(size)]
assert gradient(functional.reduce_scatter(mg.zeros_like(x), lists)).eq(sum((r + 1) ** 2 for r in range(size))).all()
exchanged = functional.all_to_all_single(mg.zeros(size, 3).double(), (x[:1] * 1).expand(size, 3))
assert gradient(exchanged)[0].eq(total).all()
first = mg.autograd.grad((functional.all_reduce(x) ** 3).sum(), x, create_graph=True)[0]
second = mg.autograd.grad(first.sum(), x)[0]
mg.testing.assert_close(second, 6 * functional.all_reduce(x.detach()) * size**2)

# Batch norm over batches of different sizes.
whole = mg.from_numpy(np.random.default_rng(0).standard_normal((1 + 2 * size, 3, 2))).to(device)
mine = whole[2 * rank:2 * rank + 2 if rank < size - 1 else None]
one, several = nn.BatchNorm1d(3).double(), nn.SyncBatchNorm(3).double()
y, z = one(whole), several(mine)
mg.testing.assert_close(z, y[2 * rank:2 * rank + len(mine)])
mg.testing.assert_close(several.running_var, one.running_var)
mg.testing.assert_close(several.running_mean, one.running_mean)
several.eval()
several(mine)
dist.destroy_process_group()
print(f"process {rank} has checked everything")
