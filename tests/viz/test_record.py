"""Recording both passes: values, gradients, order, what fails, where NaN begins, and that nothing stays."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, viz
from minigrad.nn import functional as F
from minigrad.recording.graph import observer
from tests.viz.models import GPT, Recurrent


def by_name(graph: Any, name: str) -> Any:
    return next(o for o in graph.operations.values() if o.name == name)


def test_values_and_gradients_are_those_that_flowed() -> None:
    x = mg.tensor([1.0, -2.0, 3.0], requires_grad=True)
    with viz.record(params={"x": x}) as r:
        y = x * x
        y.retain_grad()
        loss = y.exp().mean()
        loss.backward()
    graph = r.graph
    mul, exp, mean = by_name(graph, "mul"), by_name(graph, "exp"), by_name(graph, "mean")
    assert mul.value.max == 9.0 and mean.value.value == pytest.approx(loss.item())
    grad = y.grad.numpy().astype(np.float64)
    assert mul.gradient.mean == pytest.approx(grad.mean()) and mul.gradient.max == pytest.approx(grad.max())
    assert [o.name for o in sorted(graph.operations.values(), key=lambda o: o.order)] == ["mean", "exp", "mul"]
    arrow = next(a for a in graph.arrows if a.target == exp.id)
    assert arrow.source == mul.id and arrow.gradient.max == mul.gradient.max
    leaf = next(leaf for leaf in graph.leaves.values() if leaf.names == ["x"])
    assert leaf.gradient.min == x.grad.min().item()
    assert all(o.seconds is not None and o.backward_seconds is not None for o in graph.operations.values())


def test_gradients_are_the_same_with_and_without_recording() -> None:
    model, ids = GPT(2), mg.randint(0, 17, (2, 6))
    F.cross_entropy(model(ids).flatten(0, 1), ids.flatten()).backward()
    plain = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    with viz.record(model):
        F.cross_entropy(model(ids).flatten(0, 1), ids.flatten()).backward()
    assert all(mg.equal(a, p.grad) for a, p in zip(plain, model.parameters()))
    assert observer.get() is None


def test_the_recording_keeps_no_arrays() -> None:
    x = mg.randn(100, requires_grad=True)
    with viz.record() as r:
        y = x * mg.ones(100)
        z = y.exp()
        z.sum().backward()
    alive = [weakref.ref(t.array) for t in (y, z)]
    del y, z
    gc.collect()
    assert r.graph.operations and [ref() for ref in alive] == [None, None]


def test_a_forward_that_fails_is_shown_up_to_the_failure() -> None:
    w = mg.randn(3, 5, requires_grad=True)
    with pytest.raises(RuntimeError), viz.record() as r:
        h = (mg.randn(2, 3) @ w).relu()
        h @ w
    failed = [o for o in r.graph.operations.values() if o.failure]
    assert [o.name for o in failed] == ["matmul"] and "2x5 and 3x5" in failed[0].failure
    line = test_a_forward_that_fails_is_shown_up_to_the_failure.__code__.co_firstlineno + 4
    assert failed[0].line.endswith(f"test_record.py:{line}")
    assert sorted(a.shape for a in r.graph.arrows if a.target == failed[0].id) == [[2, 5], [3, 5]]
    assert "ShapeError" in r.graph.failure and "✗ matmul" in r.draw().text()


def test_a_module_that_fails_has_its_frame() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(5, 1))
    with pytest.raises(RuntimeError), viz.record(model) as r:
        model(mg.ones(2, 3))
    failed = next(o for o in r.graph.operations.values() if o.failure)
    assert [r.graph.groups[g].path for g in r.graph.ancestors(failed.id) if g] == ["2"]


def test_an_error_of_the_users_own_is_shown_too() -> None:
    x = mg.ones(2, requires_grad=True)
    with pytest.raises(AttributeError), viz.record() as r:
        y = x * 2
        y.forward_pass()
    assert "forward_pass" in r.graph.failure
    assert any(o.failure for o in r.graph.operations.values())


def test_an_inplace_fault_shows_both_lines() -> None:
    with pytest.raises(RuntimeError), viz.record() as r:
        a = mg.randn(3, requires_grad=True)
        b = a.exp()
        b.add_(1)
        b.sum().backward()
    failed = {o.name: o for o in r.graph.operations.values() if o.failure}
    first = test_an_inplace_fault_shows_both_lines.__code__.co_firstlineno
    assert failed["exp"].line.endswith(f":{first + 3}") and failed["add_"].line.endswith(f":{first + 4}")
    assert any(a.source == failed["add_"].id and a.target == failed["exp"].id for a in r.graph.arrows)
    assert "changes what this kept" in r.draw(budget=100).source


def test_a_rule_that_fails_is_marked() -> None:
    class Bad(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            raise ValueError("a mistake in the rule")

    x = mg.ones(2, requires_grad=True)
    with pytest.raises(ValueError, match="mistake"), viz.record() as r:
        Bad.apply(x).sum().backward()
    assert "mistake" in by_name(r.graph, "Bad").failure


def test_where_nan_and_infinity_begin_is_ringed() -> None:
    with viz.record() as r:
        a = mg.tensor([0.0, 1.0], requires_grad=True)
        (a.sqrt().log() * 2).sum().backward()
    assert [o.name for o in r.graph.operations.values() if o.nonfinite == "value"] == ["log"]
    with viz.record() as r:
        a = mg.tensor([0.0, 1.0], requires_grad=True)
        (a * 1).sqrt().sum().backward()
    assert [o.name for o in r.graph.operations.values() if o.nonfinite == "gradient"] == ["sqrt"]
    assert "! sqrt" in r.draw().text()


def test_a_mask_of_minus_infinity_is_no_fault() -> None:
    with viz.record() as r:
        x = mg.randn(3, 3, requires_grad=True)
        x.masked_fill(mg.eye(3) == 1, -float("inf")).softmax(-1).sum().backward()
    assert not any(o.nonfinite for o in r.graph.operations.values())


def test_frozen_layers_are_there_though_nothing_of_them_is_recorded() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    for parameter in model[0].parameters():
        parameter.requires_grad_(False)
    with viz.record(model) as r:
        model(mg.ones(2, 3)).sum().backward()
    names = [o.name for o in r.graph.operations.values()]
    assert names == ["Linear", "ReLU", "linear", "sum"]
    kinds = {leaf.names[0]: leaf.kind for leaf in r.graph.leaves.values() if leaf.names}
    assert kinds["0.weight"] == "frozen" and kinds["2.weight"] == "parameter"
    sources = {a.target: a.source for a in r.graph.arrows if a.source in r.graph.operations}
    ids = list(r.graph.operations)
    assert sources == {ids[1]: ids[0], ids[2]: ids[1], ids[3]: ids[2]}
    with mg.no_grad(), viz.record(model) as r:
        model(mg.ones(2, 3))
    assert [o.name for o in r.graph.operations.values()] == ["Linear", "ReLU", "Linear"]


def test_detection_of_anomalies_and_hooks_go_on_inside_a_recording() -> None:
    x = mg.tensor([-1.0], requires_grad=True)
    packed = []
    with viz.record() as r, mg.autograd.graph.saved_tensors_hooks(lambda t: packed.append(1) or t, lambda t: t):
        x.exp().sum().backward()
    assert packed and [o.name for o in r.graph.operations.values()] == ["exp", "sum"]
    with pytest.raises(RuntimeError, match="detect_anomaly"), viz.record() as r, mg.autograd.detect_anomaly():
        x.log()
    assert by_name(r.graph, "log").failure


def test_each_call_of_a_module_is_a_group_of_its_own() -> None:
    model = Recurrent(3)
    with viz.record(model) as r:
        model(mg.randn(5, 2, 3)).sum().backward()
    assert [(g.path, g.call) for g in r.graph.groups.values() if g.kind == "module"] == [
        ("cell", 0), ("cell", 1), ("cell", 2), ("out", 0)]


def test_only_a_module_can_be_given_as_the_model() -> None:
    with pytest.raises(TypeError, match="'model' must be a Module"):
        viz.record(mg.ones(1))


def test_blocks_within_blocks_both_record() -> None:
    x = mg.ones(2, requires_grad=True)
    with viz.record() as outer:
        y = x * 2
        with viz.record() as inner:
            y.exp().sum().backward()
        y + 1
    assert [o.name for o in outer.graph.operations.values()] == ["mul", "exp", "sum", "add"]
    assert by_name(outer.graph, "mul").gradient is not None
    assert [o.name for o in inner.graph.operations.values()] == ["exp", "sum"]
    assert observer.get() is None


def test_a_recording_can_run_again_but_not_inside_itself() -> None:
    x, r = mg.ones(2, requires_grad=True), viz.record()
    with r:
        x.exp()
    with r:
        x.sin()
    assert [o.name for o in r.graph.operations.values()] == ["sin"]
    with pytest.raises(RuntimeError, match="already running"), r, r:
        pass


def test_without_a_model_what_is_called_is_named_by_its_variable_or_class() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    with viz.record() as r:
        nn.Linear(2, 1)(net(nn.Linear(2, 2)(mg.ones(1, 2)))).sum().backward()
    assert [g.path for g in r.graph.groups.values() if g.kind == "module"] == ["Linear", "net", "net.0", "net.1", "Linear 2"]
    assert {"net.0.weight", "Linear.bias", "Linear 2.weight"} <= {n for leaf in r.graph.leaves.values() for n in leaf.names}


def test_a_model_that_records_nothing_is_one_box() -> None:
    model = nn.Linear(2, 1)
    with mg.no_grad(), viz.record(model) as r:
        model(mg.ones(3, 2))
    assert [(o.name, o.shape) for o in r.graph.operations.values()] == [("Linear", [3, 1])]


def test_calls_of_modules_in_other_threads_are_left_out() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    with viz.record(model) as r:
        thread = threading.Thread(target=lambda: model(mg.ones(1, 2)))
        thread.start()
        thread.join()
        model(mg.ones(1, 2)).sum().backward()
    assert [o.name for o in r.graph.operations.values()] == ["linear", "relu", "sum"]


def test_a_failure_inside_of_modules_has_the_frames_of_all() -> None:
    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Sequential(nn.Linear(2, 3), nn.Linear(4, 1))

        def forward(self, x: Any) -> Any:
            return self.inner(x)

    model = nn.Sequential(Outer())
    with viz.record(model) as r:
        with pytest.raises(RuntimeError):
            model(mg.ones(1, 2))
        mg.ones(1, requires_grad=True).exp()
    assert by_name(r.graph, "exp").group == ""  # the user went on
    with pytest.raises(RuntimeError), viz.record(model) as r:
        model(mg.ones(1, 2))
    failed = next(o for o in r.graph.operations.values() if o.failure)
    assert [r.graph.groups[g].path for g in r.graph.ancestors(failed.id) if g] == ["0.inner.1", "0.inner", "0"]


def test_a_long_training_loop_is_drawn_as_one_step() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    optimizer, x = mg.optim.SGD(model.parameters(), 0.1), mg.ones(4, 2)
    with viz.record(model) as r:
        for _ in range(100):
            optimizer.zero_grad()
            model(x).pow(2).mean().backward()
            optimizer.step()
    assert len(r.graph.operations) == 500 and len(r.draw().fold.boxes) < 15
    assert [g.repeats for g in r.graph.groups.values() if g.kind == "run"] == [100]


def test_numbers_and_indices_are_as_the_user_wrote_them() -> None:
    x = mg.ones(3, requires_grad=True)
    with viz.record() as r:
        y = 2 * x
        y[0] = 7.0
        y += 1
        (y[1:] ** 3).sum()
    found = {o.name: o.settings for o in r.graph.operations.values()}
    assert found["mul"]["other"] == "2" and found["add"]["other"] == "1" and found["pow"]["exponent"] == "3"
    assert found["index_put"]["index"] == "0" and found["getitem"]["index"] == "1:"


def test_what_a_rule_computes_does_not_take_the_names_of_what_called_it() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    with viz.record() as r:
        loss = (x ** 3).sum()
        mg.autograd.grad(loss, x, create_graph=True)
    assert not any("loss" in leaf.names for leaf in r.graph.leaves.values())


@pytest.mark.parametrize(("run", "name", "given"), [
    (lambda a, b: a * 2 + b, "add", {"input": [2, 3], "other": [4]}),
    (lambda a, b: mg.cat([a, b]), "cat", {"tensors[0]": [2, 3], "tensors[1]": [4]}),
    (lambda a, b: nn.functional.cross_entropy(a, mg.ones(5).long()), "cross_entropy", {"input": [2, 3], "target": [5]}),
    (lambda a, b: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(5, 1, bias=False))(a), "linear",
     {"input": [2, 4], "weight": [1, 5]})])
def test_what_failed_is_the_operation_with_what_it_was_given(run: Any, name: str, given: dict[str, list[int]]) -> None:
    a, b = mg.ones(2, 3, requires_grad=True), mg.ones(4, requires_grad=True)
    with pytest.raises((RuntimeError, ValueError)), viz.record() as r:
        run(a, b)
    failed, = [op for op in r.graph.operations.values() if op.failure]
    assert failed.name == name and "test_record.py" in failed.line
    assert {arrow.argument: arrow.shape for arrow in r.graph.arrows if arrow.target == failed.id} == given
