"""What a profile says of a program: its structure, which no clock decides, and times that add up."""

from __future__ import annotations

import gzip
import json
import threading
from pathlib import Path
from typing import Any

import pytest

import minigrad as mg
from minigrad import nn, optim, profiler
from minigrad.profiler import ProfilerAction, profile, record_function
from minigrad.profiler.tables import format_memory, format_time
from minigrad.recording import timing
from minigrad.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 8), nn.Tanh())
        self.head = nn.Linear(8, 2)

    def forward(self, x: Any) -> Any:
        return self.head(self.body(self.body[1](x) @ mg.eye(4))) * 2


def by_name(prof: Any, name: str) -> list[Any]:
    return [e for e in prof.events() if e.name == name]


def trained(**options: Any) -> tuple[Any, Any]:
    """A profile of one step, and the model."""
    mg.manual_seed(0)
    model = Net()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with profile(**options) as prof:
        loss = model(mg.ones(3, 4)).sum()
        loss.backward()
        optimizer.step()
    return prof, model


def test_operations_modules_passes_and_steps_are_events_within_each_other() -> None:
    prof, _ = trained()
    outermost = [e.name for e in prof.events() if e.cpu_parent is None]
    assert outermost == ["nn.Module: Net", "sum", "backward pass", "Optimizer.step#SGD.step"]
    net = by_name(prof, "nn.Module: Net")[0]
    assert [e.name for e in net.cpu_children] == ["nn.Module: Net.body.1", "matmul", "nn.Module: Net.body", "nn.Module: Net.head",
                                                  "mul"]
    assert [e.name for e in net.cpu_children[2].cpu_children] == ["nn.Module: Net.body.0", "nn.Module: Net.body.1"]
    run = [e.name for e in by_name(prof, "backward pass")[0].cpu_children]
    assert run == ["SumBackward0", "MulBackward0", "LinearBackward0", "TanhBackward0", "LinearBackward0"]
    averages = {average.key: average.count for average in prof.key_averages()}
    assert averages["linear"] == averages["LinearBackward0"] == averages["tanh"] == 2


def test_times_add_up() -> None:
    prof, _ = trained()
    events = prof.events()
    for e in events:
        assert e.cpu_time_total >= sum(child.cpu_time_total for child in e.cpu_children) >= 0 <= e.self_cpu_time_total
        for child in e.cpu_children:
            assert e.time_range.start <= child.time_range.start <= child.time_range.end <= e.time_range.end
    whole = sum(e.cpu_time_total for e in events if e.cpu_parent is None)
    averages = prof.key_averages()
    assert events.self_cpu_time_total == pytest.approx(whole) == pytest.approx(sum(a.self_cpu_time_total for a in averages))
    assert averages.total_average().count == len(events)
    assert {a.key: a.cpu_time * a.count for a in averages} == pytest.approx({a.key: a.cpu_time_total for a in averages})


def test_an_event_knows_its_line_and_a_backward_event_that_of_its_forward() -> None:
    w = mg.ones(3, requires_grad=True)
    with profile() as prof:
        y = w * 2
        z = y.exp().sum()
        z.backward()
    first = by_name(prof, "mul")[0].line
    assert first.startswith(f"{__file__}:") and by_name(prof, "MulBackward0")[0].line == first
    number = int(first.rpartition(":")[2])
    assert by_name(prof, "ExpBackward0")[0].line == by_name(prof, "sum")[0].line == f"{__file__}:{number + 1}"
    assert by_name(prof, "backward pass")[0].line == f"{__file__}:{number + 2}"
    pairs = [(e.name, f.name) for e in prof.events() for f in prof.events()
             if e.sequence_nr == f.sequence_nr >= 0 and e.kind == "operation" and f.kind == "backward"]
    assert pairs == [("mul", "MulBackward0"), ("exp", "ExpBackward0"), ("sum", "SumBackward0")]
    lines = prof.by_line()
    assert {e.key for e in lines} == {f"{__file__}:{number + k}" for k in range(2)}
    assert all(e.forward_time_total > 0 < e.backward_time_total for e in lines)


def test_modules_are_named_by_their_paths_and_have_their_backward_with_them() -> None:
    prof, _ = trained()
    found = {e.key: e for e in prof.by_module()}
    assert sorted(found) == ["(no module)", "Net", "Net.body", "Net.body.0", "Net.body.1", "Net.head"]
    assert {k: e.count for k, e in found.items()} == {"(no module)": 2, "Net": 3, "Net.body": 0, "Net.body.0": 2, "Net.body.1": 3,
                                                      "Net.head": 2}
    assert found["Net.body"].cpu_time_total == pytest.approx(found["Net.body.0"].cpu_time_total
                                                             + found["Net.body.1"].cpu_time_total)
    for e in found.values():
        assert e.forward_time_total + e.backward_time_total == pytest.approx(e.cpu_time_total)
    assert found["Net.head"].backward_time_total > 0 == found["Net.body"].self_cpu_time_total


def test_what_is_made_of_operations_within_an_operation_counts_once() -> None:
    """Operands to convert take a second way through the same operation."""
    with profile() as prof:
        _ = mg.ones(3, dtype=mg.float64) + mg.ones(3)
        _ = mg.stack([mg.ones(2), mg.ones(2)])
        _ = mg.ones(2).add_(1)
    names = [e.name for e in prof.events()]
    assert names.count("add") == 2 and names.count("stack") == 1


def test_outside_of_a_profile_nothing_is_timed_and_results_are_the_same() -> None:
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    before = mg.mul(w, 3)
    code = mg.mul.__code__
    with profile() as prof:
        during = mg.mul(w, 3)
        assert mg.mul.__code__ is not code and timing.timer is not None
    assert timing.timer is None and "time_call" not in mg.mul.__code__.co_names
    after = mg.mul(w, 3)
    assert before.tolist() == during.tolist() == after.tolist() and len(prof.events()) == 1
    with record_function("nothing"):
        assert timing.begin("x", "block") is None
    with pytest.raises(TypeError, match="mul"):
        mg.mul(w)
    with profile(), pytest.raises(TypeError, match="mul"):
        mg.mul(w)


def test_what_raises_ends_what_it_has_begun() -> None:
    class Failing(nn.Module):
        def forward(self, x: Any) -> Any:
            with record_function("inside"):
                return x @ mg.ones(7, 7)

    with profile() as prof:
        with pytest.raises(RuntimeError):
            Failing()(mg.ones(2, 3))
        mg.ones(1).exp()
    assert [e.name for e in prof.events() if e.cpu_parent is None] == ["nn.Module: Failing", "exp"]
    assert all(e.stop >= e.start > 0 for e in prof.events())
    w = mg.ones(2, requires_grad=True)
    y = w * 2
    y.register_hook(lambda g: 1 / 0)
    with profile() as prof:
        with pytest.raises(ZeroDivisionError):
            y.sum().backward()
        mg.ones(1).exp()
    assert prof.events()[-1].cpu_parent is None


def test_threads_have_their_events_apart() -> None:
    together = threading.Barrier(3)

    def work() -> None:
        together.wait()  # an identity is given again where a thread has ended
        with record_function("work"):
            for _ in range(20):
                (mg.ones(3, requires_grad=True) * 2).sum().backward()
        together.wait()

    with profile() as prof:
        threads = [threading.Thread(target=work) for _ in range(3)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    works = by_name(prof, "work")
    assert len(works) == 3 and len({e.thread for e in works}) == 3
    for e in works:
        assert len(e.cpu_children) == 20 * 3 and all(child.thread == e.thread for child in e.cpu_children)


def test_second_derivatives_are_events_too() -> None:
    x = mg.tensor(2.0, requires_grad=True)
    with profile() as prof:
        first, = mg.autograd.grad(x ** 3, x, create_graph=True)
        second, = mg.autograd.grad(first, x)
    assert second.item() == 12 and len(by_name(prof, "backward pass")) == 2
    assert len(by_name(prof, "PowBackward0")) == 2 and by_name(prof, "MulBackward0")


def test_data_loaders_and_optimizers_are_blocks() -> None:
    loader = DataLoader(TensorDataset(mg.ones(4, 2)), batch_size=2)
    optimizer = optim.Adam([nn.Parameter(mg.ones(2))])
    with profile() as prof:
        for batch, in loader:
            optimizer.param_groups[0]["params"][0].grad = batch[0]
            optimizer.step()
    names = [e.name for e in prof.events() if e.cpu_parent is None]
    assert names.count("DataLoader.__next__") == 3 and names.count("Optimizer.step#Adam.step") == 2


# ---------------------------------------------------------------------------------------------------- what is asked for

def test_memory_is_what_results_hold() -> None:
    with profile(profile_memory=True) as prof:
        with record_function("block"):
            x = mg.ones(100, requires_grad=True)
            y = x * 2
            _ = y[:50]
        y.sum().backward()
    assert [e.cpu_memory_usage for e in by_name(prof, "block")] == [400]
    assert [(e.cpu_memory_usage, e.self_cpu_memory_usage) for e in by_name(prof, "mul")][0] == (400, 400)
    assert by_name(prof, "MulBackward0")[0].cpu_memory_usage == 400
    assert [e.cpu_memory_usage for e in by_name(prof, "getitem")] == [0]
    assert "Self CPU Mem" in prof.key_averages().table() and "CPU Mem" not in trained()[0].key_averages().table()


def test_shapes_group_and_are_shown() -> None:
    with profile(record_shapes=True) as prof:
        for n in (2, 3, 3):
            mg.ones(n, 4) @ mg.ones(4, 5)
    found = {str(a.input_shapes): a.count for a in prof.key_averages(group_by_input_shape=True) if a.key == "matmul"}
    assert found == {"[[2, 4], [4, 5]]": 1, "[[3, 4], [4, 5]]": 2}
    assert [a.count for a in prof.key_averages() if a.key == "matmul"] == [3]
    table = prof.key_averages(group_by_input_shape=True).table(sort_by="count", max_shapes_column_width=10)
    assert "[[3, 4]..." in table and "Input Shapes" in table


@pytest.mark.parametrize(("call", "name", "expected"), [
    (lambda: mg.ones(3, 4) @ mg.ones(4, 5), "matmul", 2 * 3 * 4 * 5),
    (lambda: mg.ones(2, 3, 4) @ mg.ones(4, 5), "matmul", 2 * 2 * 3 * 4 * 5),
    (lambda: mg.bmm(mg.ones(2, 3, 4), mg.ones(2, 4, 5)), "bmm", 2 * 2 * 3 * 4 * 5),
    (lambda: mg.addmm(mg.ones(5), mg.ones(3, 4), mg.ones(4, 5)), "addmm", 2 * 3 * 4 * 5),
    (lambda: mg.dot(mg.ones(7), mg.ones(7)), "dot", 14),
    (lambda: nn.Linear(4, 5)(mg.ones(3, 4)), "linear", 2 * 3 * 4 * 5),
    (lambda: nn.Conv2d(3, 6, 5, padding=2)(mg.ones(2, 3, 8, 8)), "convolution", 2 * 2 * 6 * 64 * 3 * 25),
    (lambda: nn.ConvTranspose2d(6, 3, 2, stride=2)(mg.ones(2, 6, 4, 4)), "convolution_transpose", 2 * 2 * 6 * 16 * 3 * 4),
    (lambda: nn.functional.scaled_dot_product_attention(mg.ones(2, 3, 4), mg.ones(2, 5, 4), mg.ones(2, 5, 6)),
     "scaled_dot_product_attention", 2 * 2 * 3 * 5 * (4 + 6)),
    (lambda: mg.ones(3, 1) + mg.ones(4), "add", 12),
    (lambda: mg.ones(3).exp(), "exp", 0),
])
def test_floating_point_operations_are_counted(call: Any, name: str, expected: int) -> None:
    with profile(with_flops=True) as prof:
        call()
    assert [e.flops for e in by_name(prof, name)] == [expected]
    assert f"{expected:,}" in prof.key_averages().table() if expected else True


def test_stacks_are_kept_where_they_are_asked_for(tmp_path: Path) -> None:
    def inner() -> Any:
        return mg.ones(300, 300) @ mg.ones(300, 300)

    def outer() -> Any:
        return inner()

    with profile(with_stack=True) as prof:
        outer()
    stack = by_name(prof, "matmul")[0].stack
    assert [frame.rpartition(": ")[2] for frame in stack[:3]] == ["inner", "outer",
                                                                  "test_stacks_are_kept_where_they_are_asked_for"]
    assert not any("minigrad/profiler" in frame for frame in stack)
    grouped = prof.key_averages(group_by_stack_n=2)
    assert [len(a.stack) for a in grouped] == [2] * len(grouped) and "inner" in grouped.table()
    prof.export_stacks(tmp_path / "stacks.txt")
    assert any(line.rpartition(" ")[0].endswith("matmul") and "outer;" in line
               for line in (tmp_path / "stacks.txt").read_text().splitlines())
    with pytest.raises(ValueError, match="metric should be one of"):
        prof.export_stacks(tmp_path / "x", "self_cuda_time_total")
    with pytest.raises(TypeError, match="with_stack=True"):
        trained()[0].export_stacks(tmp_path / "x")


@pytest.mark.parametrize("name", ["trace.json", "trace.json.gz"])
def test_a_trace_is_what_chrome_reads(tmp_path: Path, name: str) -> None:
    prof, _ = trained()
    path = tmp_path / name
    prof.export_chrome_trace(path)
    trace = json.loads(gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_text())
    entries = trace["traceEvents"]
    complete = [e for e in entries if e["ph"] == "X"]
    assert [e["name"] for e in complete] == [e.name for e in prof.events()]
    assert all(e["dur"] >= 0 <= e["ts"] for e in complete)
    begins, ends = ([e for e in entries if e["ph"] == phase] for phase in "sf")
    assert len(begins) == len(ends) == 5 and all(b["ts"] < f["ts"] and b["id"] == f["id"] for b, f in zip(begins, ends))
    linear = next(e for e in complete if e["name"] == "linear")
    assert linear["args"]["Module"] == "Net.body.0" and linear["args"]["Line"].startswith(__file__)


# ---------------------------------------------------------------------------------------------------- tables

def test_tables_are_sorted_cut_and_headed() -> None:
    prof, _ = trained()
    averages = prof.key_averages()
    table = averages.table(sort_by="count", row_limit=2, header="one step", time_unit="ms", max_name_column_width=8)
    lines = table.splitlines()
    assert lines[0] == "one step" and len(lines) == 8 and lines[-1].endswith("ms") and "..." in lines[5]
    counts = [a.count for a in sorted(averages, key=lambda a: -a.count)]
    assert [int(line.split()[-1]) for line in lines[4:6]] == counts[:2]
    assert len(averages.table(row_limit=-1).splitlines()) == len(averages) + 5
    assert len(prof.events().table(top_level_events_only=True).splitlines()) == 4 + 5
    assert str(averages) == averages.table()
    with pytest.raises(ValueError, match="sort_by must be one of .*self_cpu_time_total.* but got 'speed'"):
        averages.table(sort_by="speed")
    with pytest.raises(ValueError, match="time_unit must be one of 's', 'ms', 'us'"):
        averages.table(time_unit="h")


def test_times_and_bytes_in_words() -> None:
    assert [format_time(t) for t in (0.5, 12.0, 3400.0, 2.5e6)] == ["0.500us", "12.000us", "3.400ms", "2.500s"]
    sizes = (0, 1000, 2048, -3 * 2 ** 20, 2 ** 31)
    assert [format_memory(n) for n in sizes] == ["0 B", "1000 B", "2.00 KB", "-3.00 MB", "2.00 GB"]


# ---------------------------------------------------------------------------------------------------- steps and schedules

def test_a_schedule_records_its_active_steps(tmp_path: Path) -> None:
    ready: list[list[str]] = []
    handler = profiler.tensorboard_trace_handler(str(tmp_path / "traces"), "worker", use_gzip=True)

    def keep(prof: Any) -> None:
        ready.append([e.name for e in prof.events() if e.cpu_parent is None])
        handler(prof)

    with profile(schedule=profiler.schedule(skip_first=1, wait=1, warmup=1, active=2, repeat=2), on_trace_ready=keep) as prof:
        for _ in range(12):
            mg.ones(2).exp()
            prof.step()
    assert ready == [["ProfilerStep#3", "ProfilerStep#4"], ["ProfilerStep#7", "ProfilerStep#8"]]
    assert [e.name for e in prof.events()] == ["ProfilerStep#7", "exp", "ProfilerStep#8", "exp"]
    assert len(list((tmp_path / "traces").glob("worker.*.pt.trace.json.gz"))) == 2
    assert timing.timer is None


def test_a_profile_without_a_schedule_is_ready_at_its_end() -> None:
    ready: list[int] = []
    with profile(on_trace_ready=lambda prof: ready.append(len(prof.events()))) as prof:
        mg.ones(2).exp()
        with pytest.raises(RuntimeError, match="nothing has been recorded yet"):
            prof.events()
        prof.step()
        mg.ones(2).exp()
    assert ready == [2] and prof.step_num == 1


def test_cycles_may_be_kept_together_and_an_unfinished_one_is_ready() -> None:
    with profile(schedule=profiler.schedule(wait=0, warmup=0, active=2), acc_events=True) as prof:
        for _ in range(3):
            mg.ones(2).exp()
            prof.step()
    assert [e.name for e in prof.events()].count("exp") == 3
    with profile(schedule=lambda step: ProfilerAction.RECORD if step < 1 else ProfilerAction.NONE) as prof:
        mg.ones(2).exp()
        with pytest.warns(UserWarning, match="from RECORD to a step without recording"):
            prof.step()
        mg.ones(2).exp()
    assert [e.name for e in prof.events()].count("exp") == 1


def test_wrong_schedules_and_profiles_in_profiles_are_refused() -> None:
    with pytest.raises(ValueError, match="active > 0, but got wait=1, warmup=0, active=0"):
        profiler.schedule(wait=1, warmup=0, active=0)
    with pytest.raises(ValueError, match="the number of a step, but got -1"):
        profiler.schedule(wait=1, warmup=0, active=1)(-1)
    assert profiler.schedule(wait=2, warmup=0, active=1, skip_first=1, skip_first_wait=1)(1) is ProfilerAction.RECORD_AND_SAVE
    with profile() as prof:
        with pytest.raises(RuntimeError, match="another profile is running"), profile():
            pass
        mg.ones(1).exp()
    assert len(prof.events()) == 1
    assert profiler.supported_activities() >= {profiler.ProfilerActivity.CPU}
    if not mg.cuda.is_available():
        with pytest.warns(UserWarning, match="CUDA is not available"):
            profile(activities=[profiler.ProfilerActivity.CUDA])


def test_a_named_function_is_a_block() -> None:
    @record_function("double")
    def double(x: Any, deep: int) -> Any:
        return x * 2 if not deep else double(x, deep - 1)

    with profile() as prof:
        assert double(mg.ones(2), 2).tolist() == [2, 2]
    blocks = by_name(prof, "double")
    assert len(blocks) == 3 and blocks[2].cpu_parent is blocks[1] and blocks[1].cpu_parent is blocks[0]


def test_the_older_profiler_holds_the_events_itself(tmp_path: Path) -> None:
    with mg.autograd.profiler.profile(record_shapes=True, with_stack=True) as prof, mg.autograd.profiler.record_function("block"):
        mg.ones(200, 200) @ mg.ones(200, 200)
    assert [e.name for e in prof.function_events] == ["block", "matmul"]
    assert prof.total_average().count == 2 and "matmul" in str(prof) and prof.self_cpu_time_total > 0
    assert {a.key for a in prof.key_averages()} == {"block", "matmul"}
    prof.export_chrome_trace(tmp_path / "trace.json")
    prof.export_stacks(tmp_path / "stacks")
    assert (tmp_path / "trace.json").stat().st_size > 100 < (tmp_path / "stacks").stat().st_size
    with mg.autograd.profiler.profile(enabled=False) as off:
        mg.ones(1)
    assert not off.function_events


# ---------------------------------------------------------------------------------------------------- beside PyTorch

@pytest.mark.parity
def test_schedules_and_signatures_are_pytorchs() -> None:
    import inspect
    torch = pytest.importorskip("torch")
    theirs = torch.profiler
    for settings in ({"wait": 1, "warmup": 1, "active": 2}, {"wait": 0, "warmup": 1, "active": 1},
                     {"wait": 2, "warmup": 1, "active": 3, "repeat": 2, "skip_first": 3},
                     {"wait": 2, "warmup": 1, "active": 1, "skip_first": 1, "skip_first_wait": 1}):
        ours, other = profiler.schedule(**settings), theirs.schedule(**settings)
        assert [ours(k).name for k in range(30)] == [other(k).name for k in range(30)]
    for name in ("key_averages", "export_chrome_trace", "export_stacks", "step", "events"):
        own = list(inspect.signature(getattr(profile, name)).parameters)
        assert own == list(inspect.signature(getattr(theirs.profile, name)).parameters)[:len(own)], name
    table = list(inspect.signature(torch.autograd.profiler_util.EventList.table).parameters)
    assert list(inspect.signature(profiler.EventList.table).parameters) == table
