"""The loader's workers, processes and threads: what they make, how they fail, and that nothing of them is left."""

from __future__ import annotations

import copy
import gc
import multiprocessing
import os
import pickle
import random
import signal
import subprocess
import sys
import threading
import time
from multiprocessing import reduction
from pathlib import Path
from typing import Any, Callable, Iterator

import numpy as np
import pytest

import minigrad as mg
from minigrad._arrays import shared
from minigrad.utils import data
from minigrad.utils.data import DataLoader, TensorDataset
from tests import standin  # noqa: F401  (registers the device "standin")

ROOT = Path(__file__).parent.parent
METHODS = [m for m in ("fork", "thread") if m == "thread" or m in multiprocessing.get_all_start_methods()]
needs_fork = pytest.mark.skipif("fork" not in METHODS, reason="this system does not fork")
needs_proc = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="what is open is counted in /proc")


class Squares(data.Dataset):
    def __init__(self, n: int) -> None:
        self.n = n

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, k: int) -> Any:
        return k * k


class Images(Squares):
    """Large enough for shared memory; every element is the number of the sample."""

    def __getitem__(self, k: int) -> Any:
        return mg.full((3, 64, 64), float(k)), k


class Range(data.IterableDataset):
    """The numbers from `start` to `end`, of which a worker that was not told otherwise reads its share."""

    def __init__(self, start: int, end: int, whole: bool = False) -> None:
        self.start, self.end, self.whole = start, end, whole

    def __iter__(self) -> Iterator[int]:
        worker = data.get_worker_info()
        step = 1 if worker is None or self.whole else worker.num_workers
        return iter(range(self.start + (worker.id if worker and step > 1 else 0), self.end, step))


class OddError(Exception):
    def __init__(self, a: int, b: int) -> None:
        super().__init__(f"{a} and {b}")


class Doing(Squares):
    """Calls a function where a sample is asked for."""

    def __init__(self, n: int, at: int, function: Callable[[], Any]) -> None:
        super().__init__(n)
        self.at, self.function = at, function

    def __getitem__(self, k: int) -> Any:
        return self.function() if k == self.at else k


def raise_key_error() -> None:
    raise KeyError("no sample")


def raise_odd_error() -> None:
    raise OddError(1, 2)


def kill_me() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave() -> None:
    os._exit(7)


def lists(loader: Any) -> list[Any]:
    return [batch.tolist() for batch in loader]


def run(program: str, **options: Any) -> Any:
    """A program in a process of its own, which finds this package."""
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
                            env={**os.environ, "PYTHONPATH": str(ROOT)}, **options)


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Whether a condition has come about; how long that takes is not tested."""
    end = time.monotonic() + seconds
    while not (there := condition()) and time.monotonic() < end:
        time.sleep(0.01)
    return there


def is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def resources() -> tuple[int, int, int, int]:
    """Open descriptors, child processes, threads and mappings of files of this process."""
    children = len([p for p in multiprocessing.process._children if p.is_alive()])  # type: ignore[attr-defined]
    with open("/proc/self/maps") as file:
        maps = sum("memfd:minigrad" in line for line in file)
    return len(os.listdir("/proc/self/fd")), children, threading.active_count(), maps


# ---------------------------------------------------------------------------------------------------- what they make

@pytest.mark.parametrize("context", [*METHODS, "spawn"])
def test_batches_are_those_of_no_workers(context: Any) -> None:
    loader = DataLoader(Images(23), batch_size=4, num_workers=2, multiprocessing_context=context, persistent_workers=True)
    for _ in range(2):
        batches = list(loader)
        assert [y.tolist() for _, y in batches] == lists(DataLoader(range(23), batch_size=4))  # type: ignore[arg-type]
        for x, y in batches:
            assert x.shape == (len(y), 3, 64, 64) and x.is_contiguous() and mg.equal(x, y.float().view(-1, 1, 1, 1).expand_as(x))
            x.zero_()  # what arrives can be written


@pytest.mark.parametrize("context", METHODS)
def test_each_worker_reads_its_part(context: Any) -> None:
    loader = DataLoader(Range(3, 12), 2, num_workers=2, multiprocessing_context=context, persistent_workers=True)
    for _ in range(2):
        assert lists(loader) == [[3, 5], [4, 6], [7, 9], [8, 10], [11]]


@pytest.mark.parametrize("context", METHODS)
@pytest.mark.parametrize("persistent", [False, True])
def test_two_iterations_at_once_do_not_meet(context: Any, persistent: bool) -> None:
    loader = DataLoader(Squares(7), 2, num_workers=2, multiprocessing_context=context, persistent_workers=persistent)
    expected = lists(DataLoader(Squares(7), 2))
    for _ in range(2):
        assert [(a.tolist(), b.tolist()) for a, b in zip(loader, loader)] == [(b, b) for b in expected]
    left = iter(loader)
    next(left)
    assert lists(loader) == expected
    assert lists(left) == expected[1:]


@pytest.mark.parametrize("context", METHODS)
def test_an_iteration_may_be_left_at_any_time(context: Any) -> None:
    loader = DataLoader(Squares(20), 2, num_workers=2, multiprocessing_context=context, persistent_workers=True)
    for n in range(6):
        for batch, _ in zip(loader, range(n)):
            assert len(batch) == 2
        assert lists(loader) == lists(DataLoader(Squares(20), 2))


def test_what_the_users_function_does_to_a_workers_dataset_is_done_to_its_copy() -> None:
    def take_part(worker: int) -> None:
        info = data.get_worker_info()
        assert info is not None and info.id == worker and info.worker_method == "multiprocessing"
        share = -(-(info.dataset.end - info.dataset.start) // info.num_workers)
        info.dataset.start += worker * share
        info.dataset.end = min(info.dataset.start + share, info.dataset.end)

    dataset = Range(3, 10, whole=True)
    loader = DataLoader(dataset, num_workers=2, worker_init_fn=take_part, multiprocessing_context=METHODS[0])
    assert sorted(sum(lists(loader), [])) == list(range(3, 10))
    assert (dataset.start, dataset.end) == (3, 10)


@needs_fork
def test_batches_come_as_they_are_made_where_order_does_not_matter() -> None:
    others_taken = multiprocessing.Event()
    dataset = Doing(6, 0, lambda: 100 if others_taken.wait(60) else -1)
    loader = DataLoader(dataset, num_workers=2, prefetch_factor=1, in_order=False, multiprocessing_context="fork")
    batches = iter(loader)
    assert sorted(next(batches).item() for _ in range(5)) == [1, 2, 3, 4, 5]
    others_taken.set()
    assert lists(batches) == [[100]]


class Drawn(Squares):
    def __getitem__(self, k: int) -> Any:
        info = data.get_worker_info()
        assert info is not None
        return info.id, info.seed, random.random(), np.random.rand(), mg.rand(1).item(), mg.initial_seed()


def test_processes_have_random_numbers_of_their_own_that_follow_from_the_loaders_generator() -> None:
    def draw(seed: int, **options: Any) -> list[Any]:
        return list(DataLoader(Drawn(6), None, num_workers=2, multiprocessing_context=METHODS[0],
                               generator=mg.Generator().manual_seed(seed), **options))

    first = draw(1)
    assert first == draw(1, prefetch_factor=1) != draw(2)
    assert [sample[0] for sample in first] == [0, 1, 0, 1, 0, 1]
    if METHODS[0] == "fork":
        assert {sample[1] - sample[0] for sample in first} == {first[0][1]}  # that of the first worker, and its number
        assert all(sample[1] == sample[5] for sample in first)
        for k in (2, 3, 4):
            assert len({sample[k] for sample in first}) == 6


@pytest.mark.parametrize("context", METHODS)
def test_seeded_training_with_workers_has_the_same_losses_each_time(context: Any) -> None:
    class Noisy(Squares):
        def __getitem__(self, k: int) -> Any:
            return mg.randn(4), mg.tensor([float(k)])

    def losses() -> list[float]:
        mg.manual_seed(0)
        model = mg.nn.Sequential(mg.nn.Linear(4, 8), mg.nn.Dropout(0.5), mg.nn.Linear(8, 1))
        optimizer = mg.optim.SGD(model.parameters(), lr=0.01)
        seen = []
        for x, y in DataLoader(Noisy(24), 4, shuffle=True, num_workers=3, multiprocessing_context=context):
            loss = ((model(x) - y) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            seen.append(loss.item())
        return seen

    first = losses()
    assert losses() == first == losses()


# ---------------------------------------------------------------------------------------------------- shared memory

class Kinds(Squares):
    def __getitem__(self, k: int) -> Any:
        x = mg.arange(2 * 3 * 40 * 50).reshape(2, 3, 40, 50).float()
        return {"plain": x, "channels": x.contiguous(memory_format=mg.channels_last), "turned": x.permute(3, 0, 1, 2),
                "part": x[:, :, ::2, 5:45], "wide": x[:1].expand(2, 3, 40, 50), "none": x[:0], "number": mg.tensor(2.5),
                "array": np.arange(30000.0)[::-1], "text": "abc", "small": mg.arange(3), "bool": x > 5,
                "parameter": mg.nn.Parameter(x), "shared": mg.ones(3).share_memory_()}


@needs_fork
def test_values_dtypes_and_layouts_come_through() -> None:
    here = Kinds(1)[0]
    there = next(iter(DataLoader(Kinds(1), batch_size=None, num_workers=1, multiprocessing_context="fork")))
    assert there.keys() == here.keys()
    for name, value in here.items():
        if isinstance(value, mg.Tensor):
            assert type(there[name]) is type(value) and there[name].dtype is value.dtype and mg.equal(there[name], value), name
            assert there[name].requires_grad == value.requires_grad
    assert there["array"].tolist() == here["array"].tolist() and there["text"] == "abc"
    assert there["channels"].stride() == here["channels"].stride() and there["turned"].stride() == here["turned"].stride()
    assert there["shared"].is_shared() and not there["plain"].is_shared()


@needs_fork
def test_bfloat16_comes_through() -> None:
    pytest.importorskip("ml_dtypes", reason="bfloat16 needs ml_dtypes")
    x = mg.randn(200, 100).bfloat16()
    y, = next(iter(DataLoader(TensorDataset(x), 200, num_workers=1, multiprocessing_context="fork")))
    assert y.dtype is mg.bfloat16 and mg.equal(x, y)


@needs_fork
@needs_proc
def test_batches_that_are_kept_do_not_keep_descriptors_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "MAPPINGS", 5)
    before = resources()
    kept = list(DataLoader(Images(20), num_workers=2, multiprocessing_context="fork"))
    assert resources()[0] <= before[0] + 5
    assert [x.flatten()[0].item() for x, _ in kept] == list(range(20))
    del kept
    assert resources() == before


@needs_fork
def test_without_room_for_shared_memory_batches_come_through_pipes(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room() -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shared, "anonymous_file", no_room)
    with pytest.warns(UserWarning, match="no room for shared memory.*No space left on device.*through pipes") as noted:
        batches = list(DataLoader(Images(9), 2, num_workers=2, multiprocessing_context="fork"))
    assert [y.tolist() for _, y in batches] == [[0, 1], [2, 3], [4, 5], [6, 7], [8]]
    assert all(mg.equal(x[:, 0, 0, 0], y.float()) for x, y in batches)
    assert len(noted) == 1


@needs_fork
@needs_proc
def test_where_too_many_files_are_open_a_batch_is_lost_with_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    def receive(pipe: Any) -> int:
        os.close(received(pipe))
        monkeypatch.undo()
        raise RuntimeError("received 0 items of ancdata")

    received = reduction.recv_handle
    monkeypatch.setattr(reduction, "recv_handle", receive)
    batches = iter(DataLoader(Images(6), 2, num_workers=1, multiprocessing_context="fork"))
    with pytest.raises(RuntimeError, match="too many files are open in this process.*ulimit -n"):
        next(batches)
    assert [y.tolist() for _, y in batches] == [[2, 3], [4, 5]]


@needs_fork
@pytest.mark.parametrize("system", ["macOS", "Windows"])
def test_batches_come_as_they_do_on_other_systems(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if system == "macOS":  # unnamed files are on a disk there, and what is given a descriptor must say so
        monkeypatch.delattr(os, "memfd_create", raising=False)
        monkeypatch.setattr(reduction, "ACKNOWLEDGE", True)
    else:  # there are no unnamed files
        monkeypatch.setattr(shared, "available", False)
    batches = list(DataLoader(Images(9), 2, num_workers=2, multiprocessing_context="fork"))
    assert [y.tolist() for _, y in batches] == [[0, 1], [2, 3], [4, 5], [6, 7], [8]]
    assert all(mg.equal(x[:, 0, 0, 0], y.float()) for x, y in batches)


@needs_fork
def test_tensors_on_a_gpu_are_refused_in_processes_that_were_forked() -> None:
    on_gpu = TensorDataset(mg.arange(4).to("standin"))
    words = "a process that was forked cannot compute on the GPU of its parent.*multiprocessing_context='spawn' or 'thread'"
    with pytest.raises(RuntimeError, match=words):
        list(DataLoader(on_gpu, num_workers=1, multiprocessing_context="fork"))
    made_there = Doing(2, 0, lambda: mg.ones(2, device="standin"))
    with pytest.raises(RuntimeError, match=words):
        list(DataLoader(made_there, num_workers=1, multiprocessing_context="fork"))
    batch, = next(iter(DataLoader(on_gpu, 2, num_workers=1, multiprocessing_context="thread")))
    assert batch.device.type == "standin" and batch.tolist() == [0, 1]


# ---------------------------------------------------------------------------------------------------- errors

@pytest.mark.parametrize("context", METHODS)
def test_an_error_comes_with_its_class_and_the_workers_traceback(context: Any) -> None:
    def batches(function: Any) -> Any:
        return iter(DataLoader(Doing(4, 0, function), num_workers=2, multiprocessing_context=context))

    where = f"in DataLoader worker {'thread' if context == 'thread' else 'process'} 0"
    with pytest.raises(KeyError) as raised:
        next(batches(raise_key_error))
    text = str(raised.value)
    assert text.startswith(f"Caught KeyError {where}.\nOriginal Traceback") and "in raise_key_error\n" in text
    assert text.endswith("KeyError: 'no sample'\n")
    with pytest.raises(RuntimeError, match=f"(?s)Caught OddError {where}.*1 and 2"):  # its class takes no message
        next(batches(raise_odd_error))

    class LocalError(ValueError):
        pass

    def raise_local_error() -> None:
        raise LocalError("here")

    with pytest.raises(LocalError if context == "thread" else RuntimeError, match=f"(?s)Caught LocalError {where}.*here"):
        next(batches(raise_local_error))


@pytest.mark.parametrize("context", METHODS)
def test_a_sampler_that_fails_costs_no_batch(context: Any) -> None:
    class Faulty(data.Sampler):
        def __iter__(self) -> Iterator[int]:
            return FaultyIterator()

    class FaultyIterator:
        k = -1

        def __iter__(self) -> Any:
            return self

        def __next__(self) -> int:
            self.k += 1
            if self.k == 5:
                raise OSError("the list of samples cannot be read")
            if self.k >= 9:
                raise StopIteration
            return self.k

    batches = iter(DataLoader(Squares(9), None, sampler=Faulty(), num_workers=1, multiprocessing_context=context))
    seen, failures = [], 0
    while True:
        try:
            seen.append(next(batches))
        except OSError:
            failures += 1
        except StopIteration:
            break
    assert seen == [0, 1, 4, 9, 16, 36, 49, 64] and failures == 1


def test_what_cannot_be_sent_is_named() -> None:
    class Local(Squares):
        pass

    before = multiprocessing.active_children()
    for options, what in (({"dataset": Local(2)}, "its dataset"), ({"collate_fn": lambda batch: batch}, "its collate_fn"),
                          ({"worker_init_fn": lambda worker: None}, "its worker_init_fn")):
        loader = DataLoader(**{"dataset": Squares(2), "num_workers": 1, "multiprocessing_context": "spawn", **options})
        with pytest.raises(TypeError, match=f"worker processes started by 'spawn' are sent a pickle, and {what}.*cannot be "
                                            "pickled.*at the top of a module, or use multiprocessing_context='fork'"):
            iter(loader)
    assert not set(multiprocessing.active_children()) - set(before)


@needs_fork
def test_a_batch_that_cannot_be_sent_is_an_error_and_not_the_end() -> None:
    batches = iter(DataLoader(Doing(3, 1, lambda: (k for k in range(2))), None, num_workers=1, multiprocessing_context="fork"))
    assert next(batches) == 0
    with pytest.raises(TypeError, match="a batch of class generator cannot be sent from a process to another"):
        next(batches)
    assert next(batches) == 2


@needs_fork
@pytest.mark.parametrize(("function", "words"), [
    (kill_me, r"\(pid \d+\) is killed by signal: SIGKILL. It was worker 1 of 2, as the system does where memory is short"),
    (leave, r"\(pid\(s\) \d+\) exited unexpectedly with exit code 7. It was worker 1 of 2")])
def test_a_worker_that_dies_is_named(function: Any, words: str) -> None:
    loader = DataLoader(Doing(8, 1, function), num_workers=2, multiprocessing_context="fork", persistent_workers=True)
    batches = iter(loader)
    for _ in range(2):  # and every time it is asked
        with pytest.raises(RuntimeError, match=f"DataLoader worker {words}"):
            list(batches)
    loader.dataset.at = -1
    assert len(list(loader)) == 8  # by new ones


def test_a_worker_that_takes_too_long_is_not_waited_for() -> None:
    for context in METHODS:
        loader = DataLoader(Doing(1, 0, lambda: time.sleep(0.5)), num_workers=1, timeout=0.01, multiprocessing_context=context)
        with pytest.raises(RuntimeError, match="DataLoader timed out after 0.01 seconds"):
            list(loader)


def test_options_that_mean_nothing_are_refused() -> None:
    with pytest.raises(TypeError, match="multiprocessing_context option should be a valid context object or a string"):
        DataLoader(Squares(2), num_workers=1, multiprocessing_context=3)
    loader = DataLoader(Squares(2), num_workers=1)
    for name in ("batch_size", "sampler", "dataset", "persistent_workers"):
        with pytest.raises(ValueError, match=f"{name} attribute should not be set after DataLoader is initialized"):
            setattr(loader, name, None)
    loader.collate_fn = list
    with pytest.warns(UserWarning, match="'pin_memory' argument is set as true but no accelerator is found"):
        assert lists(DataLoader(Squares(2), pin_memory=True)) == [[0], [1]]


def test_a_loader_that_is_copied_has_workers_of_its_own() -> None:
    loader = DataLoader(Squares(3), num_workers=1, persistent_workers=True)
    assert lists(loader) == [[0], [1], [4]]
    for twin in (copy.deepcopy(loader), copy.copy(loader), pickle.loads(pickle.dumps(loader))):
        assert lists(twin) == [[0], [1], [4]] == lists(loader)


def test_pinning_goes_into_batches() -> None:
    class Pinned:
        pinned = False

        def pin_memory(self) -> Pinned:
            self.pinned = True
            return self

    from minigrad.utils.data._utils.pin_memory import pin_memory
    batch = {"a": [Pinned(), "text"], "b": (Pinned(), 1)}
    pinned = pin_memory(batch)
    assert type(pinned["b"]) is tuple and pinned["a"][0].pinned and pinned["b"][0].pinned and pinned["a"][1] == "text"


# ---------------------------------------------------------------------------------------------------- where there are no workers

@pytest.mark.parametrize("context", METHODS)
def test_where_none_can_be_started_batches_are_made_without_workers(context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> Any:
        raise RuntimeError("can't start new thread") if context == "thread" else OSError(52, "Function not implemented")

    monkeypatch.setattr(threading.Thread if context == "thread" else os, "start" if context == "thread" else "fork", refuse)
    loader = DataLoader(Range(0, 5), 2, num_workers=2, multiprocessing_context=context)
    with pytest.warns(UserWarning, match="no workers can be started here.*batches are made without them"):
        assert lists(loader) == [[0, 1], [2, 3], [4]]
    assert lists(loader) == [[0, 1], [2, 3], [4]]  # without another word


@pytest.mark.parametrize("lacking", ["sys.platform = 'emscripten'", "sys.modules['multiprocessing.connection'] = None"])
def test_where_python_has_no_processes_batches_are_made_without_workers(lacking: str) -> None:
    ended = run(f"""if True:
        import sys, warnings
        from minigrad.utils.data import DataLoader
        {lacking}  # as in a browser
        with warnings.catch_warnings(record=True) as seen:
            print([x.item() for x in DataLoader([1, 2], num_workers=2)], len(seen), str(seen[0].message)[:42])""")
    out, err = ended.communicate()
    assert (out, err) == ("[1, 2] 1 DataLoader: no workers can be started here\n", ""), err


# ---------------------------------------------------------------------------------------------------- how it ends

@needs_proc
@pytest.mark.parametrize("context", METHODS)
def test_nothing_is_left_of_workers(context: Any) -> None:
    def use(dataset: Any, persistent: bool, whole: bool) -> None:
        loader = DataLoader(dataset, 2, num_workers=2, multiprocessing_context=context, persistent_workers=persistent)
        batches = iter(loader)
        next(batches)
        if whole:
            list(batches)

    def fail() -> None:
        with pytest.raises(KeyError):
            use(Doing(8, 5, raise_key_error), True, True)

    use(Images(8), True, True)
    fail()
    gc.collect()  # what other tests have left
    wait_until(lambda: not any(thread.name.startswith("DataLoader") for thread in threading.enumerate()))
    before = resources()
    gc.disable()
    try:
        for k in range(12):
            use(Images(8), persistent=k % 2 == 0, whole=k % 3 == 0)
            fail()
        wait_until(lambda: resources() == before)  # threads end after what they are doing
        assert resources() == before
    finally:
        gc.enable()


@needs_proc
def test_nothing_is_left_of_workers_that_were_spawned() -> None:
    def use() -> None:
        next(iter(DataLoader(Images(4), 2, num_workers=1, multiprocessing_context="spawn")))

    use()
    before = resources()
    use()
    assert resources() == before


PROGRAM = """if True:
    import multiprocessing, os, sys, time
    from minigrad.utils.data import DataLoader

    class Slow:
        def __len__(self):
            return 100
        def __getitem__(self, k):
            if k >= 2:
                time.sleep(1000)
            return k

    loaders = [DataLoader(Slow(), num_workers=2, persistent_workers=True, multiprocessing_context="fork") for _ in range(2)]
    iterations = [iter(loader) for loader in loaders]
    for batches in iterations:
        next(batches)
    print(*[p.pid for p in multiprocessing.active_children()], flush=True)
"""


@needs_fork
@needs_proc
def test_workers_end_when_their_parent_is_killed() -> None:
    parent = run(PROGRAM + "    time.sleep(1000)")
    workers = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(workers) == 4 and all(map(is_running, workers))
    parent.kill()
    parent.communicate()
    assert wait_until(lambda: not any(map(is_running, workers)))


@needs_fork
@needs_proc
def test_a_ctrl_c_is_one_traceback_and_ends_workers() -> None:
    parent = run(PROGRAM + "    list(iterations[0])", start_new_session=True)
    workers = [int(pid) for pid in parent.stdout.readline().split()]
    os.killpg(parent.pid, signal.SIGINT)  # as a terminal does, to all
    _, err = parent.communicate()
    assert err.count("Traceback") == 1 and err.rstrip().endswith("KeyboardInterrupt"), err
    assert wait_until(lambda: not any(map(is_running, workers)))


@needs_fork
@needs_proc
def test_a_program_ends_without_a_word_while_workers_are_busy() -> None:
    parent = run(PROGRAM)
    workers = [int(pid) for pid in parent.stdout.readline().split()]
    assert parent.communicate() == ("", "") and parent.returncode == 0
    assert wait_until(lambda: not any(map(is_running, workers)))


@needs_fork
def test_a_worker_that_is_stopped_leaves_its_blocks(tmp_path: Path) -> None:
    def wait_and_note() -> None:
        (tmp_path / "began").touch()
        try:
            time.sleep(1000)
        finally:
            (tmp_path / "left").touch()

    batches = iter(DataLoader(Doing(2, 1, wait_and_note), num_workers=1, multiprocessing_context="fork"))
    next(batches)
    assert wait_until((tmp_path / "began").exists)
    del batches
    assert (tmp_path / "left").exists()
