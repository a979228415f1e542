"""Recording both passes: values, gradients, order, what fails, where NaN begins, and that nothing stays."""

from __future__ import annotations

import gc
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
