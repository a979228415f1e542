"""Threads that compute at the same time: what they have in common is neither lost nor made twice.

The tests let threads meet at the place where one could undo what another does. Where a lock keeps the second out, the first waits
in vain, a moment, and goes on.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from typing import Any, Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad import _arrays, nn
from minigrad.autograd import hooks
from minigrad.recording import clock


def together(work: Callable[[int], Any], count: int = 2) -> list[Any]:
    """What `work` gives in each of `count` threads, to which their numbers are handed. What it raises is raised here."""
    results: list[Any] = [None] * count
    failures: list[BaseException] = []

    def run(k: int) -> None:
        try:
            results[k] = work(k)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return results


@pytest.fixture
def meet(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str], None]:
    """Lets two threads wait for each other, if both come, at the beginning of a function of that name."""
    def meet_in(place: Any, name: str) -> None:
        barrier, function = threading.Barrier(2, timeout=0.2), getattr(place, name)

        def wait_first(*args: Any, **options: Any) -> Any:
            with contextlib.suppress(threading.BrokenBarrierError):
                barrier.wait()
            return function(*args, **options)

        monkeypatch.setattr(place, name, wait_first)

    return meet_in


def test_gradients_of_two_passes_are_both_added(meet: Callable[[Any, str], None]) -> None:
    meet(hooks, "ensure_owned")
    w = mg.zeros(3, requires_grad=True)
    together(lambda k: (w * (k + 1.0)).sum().backward())
    assert w.grad is not None and w.grad.tolist() == [3, 3, 3]


def test_threads_that_draw_first_draw_from_one_stream(meet: Callable[[Any, str], None]) -> None:
    meet(_arrays, "new_stream")
    generator = mg.Generator()
    first, second = together(lambda _: mg.rand(8, generator=generator).tolist())
    assert not set(first) & set(second)
    again = mg.Generator().manual_seed(generator.initial_seed())
    assert sorted(first + second) == sorted(mg.rand(16, generator=again).tolist())


def test_writes_to_parts_of_one_tensor_are_all_counted(meet: Callable[[Any, str], None]) -> None:
    meet(clock, "Write")
    x = mg.zeros(2, 3)
    parts = x[0], x[1]
    together(lambda k: parts[k].add_(k + 1))
    assert x._version == 2 and x.tolist() == [[1, 1, 1], [2, 2, 2]]


def test_the_calls_of_modules_are_read_while_others_are_made() -> None:
    model = nn.Sequential(nn.Linear(2, 2))
    known = dict(model.named_modules())
    done = threading.Event()

    def work(k: int) -> None:
        if k:
            try:
                for _ in range(100):
                    clock.owning_modules([], known)
            finally:
                done.set()
        while not done.is_set():
            model(mg.ones(1, 2))

    together(work)


def test_recorded_passes_are_read_while_others_end() -> None:
    assert clock.passes.maxlen
    beginning = clock.tick()
    for _ in range(clock.passes.maxlen):
        clock.passes.append((clock.tick(), clock.tick(), 1))
    done = threading.Event()

    def work(k: int) -> None:
        if k:
            try:
                assert not any([clock.derivative_at(beginning) for _ in range(300)])
            finally:
                done.set()
        while not done.is_set():
            clock.passes.append((clock.tick(), clock.tick(), 1))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        together(work)
    finally:
        sys.setswitchinterval(interval)


FIRST_CALLS = """\
import sys, threading, traceback
import minigrad as mg
sys.setswitchinterval(1e-6)
gate, failures, results = threading.Barrier(8), [], []
def work(k):
    gate.wait()
    try:
        x = mg.full((3, 3), 0.5, requires_grad=True)
        y = mg.zeros((), dtype=mg.bfloat16) if k == 3 else 0  # the first use of that dtype generates call paths anew
        z = x.exp().sin().matmul(x.tanh()).softmax(1).cumsum(0).clamp(min=0.1).flatten().sort().values.var()
        z = z + mg.dropout(x, 0.0, True).mean()
        (z + y).backward()
        results.append(x.grad.tolist())
    except BaseException:
        failures.append(traceback.format_exc())
threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
[t.start() for t in threads], [t.join() for t in threads]
assert not failures, failures
assert len(results) == 8 and all(r == results[0] for r in results)
"""


def test_operations_may_be_called_first_by_several_threads() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST_CALLS], capture_output=True, text=True)
    assert not done.returncode, done.stderr


def test_a_forked_process_needs_no_lock_of_its_parent() -> None:
    if not hasattr(os, "fork"):
        pytest.skip("there is no fork on this system")
    program = """\
import os, threading, time
import minigrad as mg
from minigrad.recording import clock
taken, done = threading.Event(), threading.Event()
def hold():
    with clock.lock:
        taken.set()
        done.wait(60)
thread = threading.Thread(target=hold)
thread.start()
assert taken.wait(60)
child = os.fork()
if not child:
    mg.ones(2).add_(1)
    os._exit(7)
for _ in range(600):
    ended, status = os.waitpid(child, os.WNOHANG)
    if ended:
        break
    time.sleep(0.1)
else:
    os.kill(child, 9)
done.set()
assert os.waitstatus_to_exitcode(status) == 7
"""
    done = subprocess.run([sys.executable, "-W", "ignore::DeprecationWarning", "-c", program], capture_output=True, text=True)
    assert not done.returncode, done.stderr


def test_training_threads_that_share_a_model_lose_no_gradient() -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        model = nn.Linear(3, 2)
        together(lambda _: [model(mg.ones(1, 3)).sum().backward() for _ in range(50)], count=4)
    finally:
        sys.setswitchinterval(before)
    assert model.weight.grad is not None and np.array_equal(model.weight.grad.numpy(), np.full((2, 3), 200.0))
