"""minigrad.multiprocessing: Python's, with tensors in its queues, and PyTorch's spawn."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

import minigrad as mg
from minigrad import multiprocessing as mp
from tests import standin  # noqa: F401  (registers the device "standin")


def double(x: Any) -> Any:
    return 2 * x


def send(index: int, queue: Any, weight: Any) -> None:
    queue.put((index, weight * index))


def fail(index: int) -> None:
    if index == 1:
        raise ValueError("the second has failed")


def die(index: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave(index: int) -> None:
    os._exit(3)


def test_tensors_go_through_pools_and_queues() -> None:
    weight = mg.nn.Parameter(mg.ones(2, 3))
    with mp.get_context("fork").Pool(2) as pool:
        assert [t.tolist() for t in pool.map(double, [mg.ones(2), mg.arange(2)])] == [[2, 2], [0, 2]]
    queue: Any = mp.get_context("fork").SimpleQueue()
    queue.put({"weight": weight, "size": mg.Size([2]), "dtype": mg.float16, "device": mg.device("cpu")})
    found = queue.get()
    assert isinstance(found["weight"], mg.nn.Parameter) and found["weight"].tolist() == weight.tolist()
    assert (found["size"], found["dtype"], found["device"]) == (mg.Size([2]), mg.float16, mg.device("cpu"))


def test_spawn_calls_a_function_in_several_processes() -> None:
    queue: Any = mp.get_context("spawn").SimpleQueue()
    mp.spawn(send, (queue, mg.ones(2)), nprocs=2)
    assert sorted((k, t.tolist()) for k, t in (queue.get(), queue.get())) == [(0, [0, 0]), (1, [1, 1])]


def test_what_a_process_raises_is_raised_with_its_traceback() -> None:
    words = "Process 1 terminated with the following error(.|\n)*the second has failed"
    with pytest.raises(mp.ProcessRaisedException, match=words) as raised:
        mp.start_processes(fail, nprocs=2, start_method="fork")
    assert raised.value.error_index == 1 and raised.value.pid


def test_processes_may_be_waited_for_later() -> None:
    started = mp.start_processes(double, nprocs=2, join=False, start_method="fork")
    assert started is not None and len(started.pids()) == 2
    while not started.join():
        pass
    assert [process.exitcode for process in started.processes] == [0, 0]


def test_a_process_that_ends_otherwise_is_named() -> None:
    with pytest.raises(mp.ProcessExitedException, match="process 0 terminated with signal SIGKILL") as killed:
        mp.start_processes(die, start_method="fork")
    assert (killed.value.exit_code, killed.value.signal_name) == (-9, "SIGKILL")
    with pytest.raises(mp.ProcessExitedException, match="process 0 terminated with exit code 3"):
        mp.start_processes(leave, start_method="fork")


def bump(model: Any, counter: Any, done: Any) -> None:
    with mg.no_grad():
        for p in model.parameters():
            p.add_(1)
    counter.value += 1
    done.put(model[0].bias)
    done.get()  # what is sent can be opened for as long as the sender lives


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_module_in_shared_memory_is_one_for_all_processes(method: str) -> None:
    context = mp.get_context(method)
    model = mg.nn.Sequential(mg.nn.Linear(3, 2), mg.nn.BatchNorm1d(2))
    before = [p.clone() for p in model.parameters()]
    assert not any(p.is_shared() for p in model.parameters())
    assert model.share_memory() is model
    assert all(t.is_shared() for t in model.state_dict().values()) and not before[0].is_shared()
    counter, there, back = context.Value("i", 0), context.SimpleQueue(), context.SimpleQueue()
    process = context.Process(target=bump, args=(model, counter, Both(there, back)))
    process.start()
    bias = there.get()
    assert [mg.equal(p, q + 1) for p, q in zip(model.parameters(), before)] == [True] * 4 and counter.value == 1
    assert isinstance(bias, mg.nn.Parameter) and bias.is_shared()
    bias.data.fill_(7)
    assert model[0].bias.tolist() == [7, 7]
    back.put(None)
    process.join()
    assert process.exitcode == 0


class Both:
    """A queue to the parent and one from it."""

    def __init__(self, there: Any, back: Any) -> None:
        self.put, self.get = there.put, back.get


def test_shared_memory_keeps_layouts_and_values_and_costs_few_descriptors() -> None:
    for x in (mg.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1), mg.zeros(0, 3), mg.tensor(2.5), mg.ones(2, 3, dtype=mg.bool),
              mg.randn(1, 5, 4, 3).contiguous(memory_format=mg.channels_last)):
        strides, values = x.stride(), x.clone()
        assert x.share_memory_() is x and x.stride() == strides and mg.equal(x, values)
    if os.path.isdir("/proc/self/fd"):
        before = len(os.listdir("/proc/self/fd"))
        many = [mg.full((10,), float(k)).share_memory_() for k in range(500)]
        assert len(os.listdir("/proc/self/fd")) <= before + 2
        assert [t[0].item() for t in many] == list(range(500)) and all(t.is_shared() for t in many)
    large = mg.ones(1 << 20).share_memory_()
    assert large[5:].is_shared() and large.data.is_shared() and large.detach().is_shared() and not (large + 1).is_shared()


class SharedAdam(mg.optim.Adam):
    """As programs write it that train one model in several processes."""

    def __init__(self, params: Any, lr: float, step: Any) -> None:
        super().__init__(params, lr=lr)
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p] = {"step": step(), "exp_avg": mg.zeros_like(p).share_memory_(),
                                 "exp_avg_sq": mg.zeros_like(p).share_memory_()}


def fit(index: int, model: Any, optimizer: Any) -> None:
    mg.manual_seed(index)
    local = mg.nn.Linear(3, 1)
    for _ in range(150):
        local.load_state_dict(model.state_dict())
        x = mg.randn(16, 3)
        loss = ((local(x) - x.sum(1, keepdim=True)) ** 2).mean()
        local.zero_grad()
        loss.backward()
        for ours, shared in zip(local.parameters(), model.parameters()):
            shared._grad = ours.grad
        optimizer.step()


@pytest.mark.parametrize("step", [lambda: 0, lambda: mg.zeros(1).share_memory_(), lambda: mg.tensor(0.0)])
def test_processes_train_one_model_together(step: Any) -> None:
    mg.manual_seed(0)
    model = mg.nn.Linear(3, 1).share_memory()
    mp.start_processes(fit, (model, SharedAdam(model.parameters(), 0.05, step)), nprocs=2, start_method="fork")
    assert mg.allclose(model.weight, mg.ones(1, 3), atol=0.2) and abs(model.bias.item()) < 0.2


def fill(index: int, x: Any, values: Any) -> None:
    values.append(x.share_memory_())  # in memory of its own, not in what it has inherited of its parent's
    x.fill_(index)


def test_processes_that_were_forked_share_new_memory_of_their_own() -> None:
    ours = mg.zeros(4).share_memory_()
    mp.start_processes(fill, (mg.zeros(4), []), nprocs=2, start_method="fork")
    later = mg.ones(4).share_memory_()
    assert ours.tolist() == [0] * 4 and later.tolist() == [1] * 4


def test_tensors_on_a_gpu_are_left_where_they_are() -> None:
    x = mg.ones(2, device="standin")
    assert x.share_memory_() is x and x.is_shared() and x.tolist() == [1, 1]


def test_strategies_are_accepted() -> None:
    before = mp.get_sharing_strategy()
    mp.set_sharing_strategy("file_system")
    assert mp.get_sharing_strategy() == "file_system" in mp.get_all_sharing_strategies()
    mp.set_sharing_strategy(before)
    with pytest.raises(ValueError, match="expected one of"):
        mp.set_sharing_strategy("telepathy")
