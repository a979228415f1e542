"""minigrad.multiprocessing: Python's, with tensors in its queues, and PyTorch's spawn."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

import minigrad as mg
from minigrad import multiprocessing as mp


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


def test_strategies_are_accepted() -> None:
    before = mp.get_sharing_strategy()
    mp.set_sharing_strategy("file_system")
    assert mp.get_sharing_strategy() == "file_system" in mp.get_all_sharing_strategies()
    mp.set_sharing_strategy(before)
    with pytest.raises(ValueError, match="expected one of"):
        mp.set_sharing_strategy("telepathy")
