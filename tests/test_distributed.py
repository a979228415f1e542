"""A group of one process does what PyTorch's does; programs for several processes run with one."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, Iterator

import numpy as np
import pytest
from minigrad.distributed.optim import ZeroRedundancyOptimizer  # type: ignore[import-not-found]

import minigrad as mg
from minigrad import distributed, nn, optim
from minigrad.nn.parallel.reducer import Reducer
from minigrad.utils.data import DistributedSampler
from tests import standin


@pytest.fixture
def group() -> Iterator[None]:
    distributed.init_process_group("gloo", rank=0, world_size=1)
    yield
    if distributed.is_initialized():
        distributed.destroy_process_group()


def exchange(torch: Any) -> list[Any]:
    """Every exchange there is, in a group that was made before: what arrived."""
    dist = torch.distributed
    x = torch.arange(4.0)
    seen: list[Any] = [dist.get_rank(), dist.get_world_size(), str(dist.get_backend()), dist.is_initialized()]
    for op in (dist.ReduceOp.SUM, dist.ReduceOp.MAX, dist.ReduceOp.PRODUCT):
        work = dist.all_reduce(x, op=op, async_op=True)
        seen.append(work.wait())
        dist.reduce(x, 0, op)
    dist.broadcast(x, src=0)
    dist.broadcast(x, group_src=0)
    for send in (lambda out: dist.all_gather([out], x), lambda out: dist.gather(x, [out]), lambda out: dist.scatter(out, [x]),
                 lambda out: dist.all_gather_into_tensor(out, x), lambda out: dist.reduce_scatter(out, [x]),
                 lambda out: dist.reduce_scatter_tensor(out, x), lambda out: dist.all_to_all_single(out, x)):
        out = torch.zeros(4)
        seen += [send(out), out]
    for share in (lambda box: dist.all_gather_object(box, {"a": 1}), lambda box: dist.gather_object("b", box),
                  lambda box: dist.scatter_object_list(box, ["c"]), lambda box: dist.broadcast_object_list(box)):
        box: list[Any] = [None]
        seen += [share(box), box]
    part = dist.new_group([0])
    seen += [dist.get_world_size(part), part.rank(), part.size(), dist.get_process_group_ranks(part)]
    seen += [dist.get_global_rank(part, 0), dist.get_group_rank(part, 0)]
    dist.destroy_process_group(part)
    return [*seen, dist.barrier(), dist.is_initialized(), x]


def test_one_process_gets_what_it_sends(group: None) -> None:
    seen = exchange(mg)
    for value in seen:
        if isinstance(value, mg.Tensor):
            assert value.tolist() == [0, 1, 2, 3]
    assert [box for box in seen if isinstance(box, list)] == [[{"a": 1}], ["b"], ["c"], [None], [0]]


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore:.*is deprecated:FutureWarning")
def test_a_group_of_one_is_pytorchs(group: None, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'store'}", rank=0, world_size=1)
    try:
        theirs = exchange(torch)
    finally:
        torch.distributed.destroy_process_group()
    ours = exchange(mg)
    as_plain = [[value.tolist() if hasattr(value, "tolist") else value for value in seen] for seen in (ours, theirs)]
    assert as_plain[0] == as_plain[1]


@pytest.mark.parity
def test_arguments_are_pytorchs() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
    for name in distributed.__all__:
        found, theirs = getattr(distributed, name), getattr(torch.distributed, name)
        if inspect.isfunction(found):
            expected = [p for p in inspect.signature(theirs).parameters if not p.startswith("_")]
            assert list(inspect.signature(found).parameters) == expected, name


def test_without_a_group_nothing_is_exchanged() -> None:
    x = mg.ones(2)
    assert not distributed.is_initialized() and distributed.group.WORLD is None
    for call in (distributed.get_rank, distributed.get_world_size, distributed.barrier, distributed.get_backend,
                 distributed.destroy_process_group, distributed.new_group, lambda: distributed.all_reduce(x),
                 lambda: distributed.broadcast(x, 0), lambda: nn.parallel.DistributedDataParallel(nn.Linear(1, 1)),
                 lambda: ZeroRedundancyOptimizer([x], optim.SGD), lambda: DistributedSampler(range(3))):
        with pytest.raises(ValueError, match="Default process group has not been initialized"):
            call()


def test_what_asks_for_other_processes_is_refused(group: None, monkeypatch: pytest.MonkeyPatch) -> None:
    x = mg.ones(2)
    with pytest.raises(ValueError, match="twice"):
        distributed.init_process_group()
    for call, words in ((lambda: distributed.broadcast(x, 1), "broadcast: src .* not 1"),
                        (lambda: distributed.broadcast(x), "broadcast: src .* not None"),
                        (lambda: distributed.reduce(x, 0, group_dst=0), "reduce: dst and group_dst"),
                        (lambda: distributed.all_gather([x, x], x), "all_gather: tensor_list .* has 2"),
                        (lambda: distributed.scatter(x), "scatter: scatter_list .* is None"),
                        (lambda: distributed.scatter_object_list([], ["a"]), "at least one"),
                        (lambda: distributed.new_group([0, 1]), r"ranks are \[0, 1\]")):
        with pytest.raises(ValueError, match=words):
            call()
    with pytest.raises(RuntimeError, match=r"shape \(3,\).*shape \(2,\)"):
        distributed.all_gather([mg.ones(3)], x)
    with pytest.raises(RuntimeError, match="no other process"):
        distributed.send(x, 1)
    distributed.destroy_process_group()
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    with pytest.raises(RuntimeError, match="number 1 of 2 processes, but by MPI it is alone.*world_size=1"):
        distributed.init_process_group("gloo")
    with pytest.raises(ValueError, match="Invalid rank 1"):
        distributed.init_process_group(world_size=1)


def test_a_model_for_several_processes_learns_in_one(group: None) -> None:
    mg.manual_seed(0)
    model = nn.parallel.DistributedDataParallel(nn.Linear(3, 1), device_ids=None)
    assert list(model.state_dict()) == ["module.weight", "module.bias"]
    optimizer = ZeroRedundancyOptimizer(model.parameters(), optimizer_class=optim.Adam, lr=0.1)
    schedule = optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.9)
    plain = nn.Linear(3, 1)
    plain.load_state_dict(model.module.state_dict())
    alone = optim.Adam(plain.parameters(), lr=0.1)
    fades = optim.lr_scheduler.StepLR(alone, 1, gamma=0.9)
    sampler: Any = DistributedSampler(range(8), shuffle=False)
    assert list(sampler) == list(range(8))
    for k in range(3):
        x = mg.from_numpy(np.random.default_rng(k).random((8, 3), np.float32))
        with model.no_sync():
            assert not model.require_backward_grad_sync
            model(x[:4]).sum().backward()
        model(x[4:]).sum().backward()
        plain(x).sum().backward()
        for steps in (optimizer, alone, schedule, fades):
            steps.step()
        optimizer.zero_grad()
        alone.zero_grad()
    mg.testing.assert_close(model.module.weight, plain.weight)
    again = ZeroRedundancyOptimizer(model.parameters(), optimizer_class=optim.Adam, lr=0.1)
    optimizer.consolidate_state_dict()
    again.load_state_dict(optimizer.state_dict())
    assert again.param_groups[0]["lr"] == pytest.approx(0.1 * 0.9**3) and len(again.state) == 2
    again.add_param_group({"params": [nn.Parameter(mg.ones(1))], "lr": 1.0})
    assert len(again.param_groups) == len(again.optim.param_groups) == 2
    with pytest.raises(RuntimeError, match="not needed when"):
        nn.parallel.DistributedDataParallel(nn.ReLU())
    with model.join():
        pass


@pytest.mark.parametrize("device", ["cpu", str(standin.DEVICE)])
def test_tensors_go_by_way_of_the_host(group: None, device: str) -> None:
    x, out = mg.arange(6.0, device=device).reshape(2, 3), mg.zeros(3, 2, device=device).t()
    distributed.all_reduce(x)
    distributed.all_gather([out], x)
    assert out.tolist() == x.tolist() == [[0, 1, 2], [3, 4, 5]] and out.device == mg.device(device)
    numbers = nn.Linear(3, 1, device=device)
    reducer = Reducer(numbers.parameters(), distributed.group.WORLD, 100)
    numbers(x).sum().backward()
    assert numbers.weight.grad.tolist() == [[3, 5, 7]] and numbers.weight.grad.device == mg.device(device)
    assert not reducer.begun, "the pass has ended"
