"""What is read from a recorded graph: names, values, gradients, groups, and that nothing of it is lost."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad import nn
from minigrad.nn import functional as F
from minigrad.viz import Graph, draw
from minigrad.viz.statistics import describe
from tests.viz.models import PROGRAMS, Recurrent


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_figures_of_leaves_are_those_of_their_gradients(name: str) -> None:
    model, loss = PROGRAMS[name]()
    loss.backward()
    graph = draw(loss, model=model).graph
    named = dict(model.named_parameters()) if model is not None else {}
    found = {leaf.names[0]: leaf for leaf in graph.leaves.values() if leaf.names}
    assert set(named) <= set(found)
    for key, parameter in named.items():
        grad = parameter.grad.numpy().astype(np.float64)
        said = found[key].gradient
        assert said is not None and said.count == grad.size
        assert said.mean == pytest.approx(grad.mean(), abs=1e-12)
        assert said.rms == pytest.approx(math.sqrt((grad ** 2).mean()))
        assert (said.min, said.max) == (grad.min(), grad.max())


@given(st.lists(st.floats(width=32), min_size=2, max_size=40))
def test_statistics_are_numpys_in_float64(values: list[float]) -> None:
    array = np.array(values, np.float32)
    said = describe(array)
    finite = array[np.isfinite(array)].astype(np.float64)
    assert said.nonfinite == array.size - finite.size
    if not finite.size:
        assert said.mean is None
        return
    assert said.mean == pytest.approx(finite.mean())
    assert (said.min, said.max) == (finite.min(), finite.max())
    assert said.zeros == np.mean(array == 0)
    assert said.rms == pytest.approx(math.sqrt((finite ** 2).mean()))
    assert not said.histogram or sum(said.histogram) == finite.size


@pytest.mark.parametrize("dtype", [mg.float64, mg.float16, mg.bfloat16, mg.complex64, mg.int64, mg.bool])
def test_a_single_element_is_shown_as_it_is(dtype: Any) -> None:
    assert describe(mg.tensor([1], dtype=dtype).array).value in (1.0, "(1+0j)")
    assert describe(mg.tensor(float("nan")).array).nonfinite == 1
    assert describe(np.zeros((0, 3))).count == 0


def test_a_scalar_gradient_keeps_its_sign() -> None:
    w = mg.tensor(3.0, requires_grad=True)
    (w * -2).backward()
    assert "grad −2" in draw(w * -2).text()


def test_a_graph_is_the_same_after_json() -> None:
    model, loss = PROGRAMS["gpt"]()
    loss.backward()
    drawing = draw(loss, model=model)
    assert Graph.from_dict(json.loads(drawing.json())) == drawing.graph
    x = mg.tensor([0.0, 1.0], requires_grad=True)
    y = x.log().sum()
    y.backward()
    drawing = draw(y)
    text = drawing.json()
    assert json.loads(text, parse_constant=pytest.fail)  # NaN and Infinity are no JSON
    assert Graph.from_dict(json.loads(text)) == drawing.graph


def test_operations_are_called_what_users_call_them() -> None:
    x, w = mg.randn(2, 3, 8, 8, requires_grad=True), mg.randn(4, 3, 3, 3)
    y = F.conv2d(x, w, padding=1)
    y = F.local_response_norm(F.layer_norm(y, (8, 8)), 2)
    y = F.dropout(y, 0.25)
    y = F.max_pool2d(y, 2).flatten(1).softmax(-1) + 3 * y.sum()
    graph = draw(y.sum()).graph
    named = {g.title: g for g in graph.groups.values() if g.kind == "function"} | {o.name: o for o in graph.operations.values()}
    assert named["conv2d"].settings == {"padding": "1"}
    assert named["layer_norm"].settings == {"normalized_shape": "(8, 8)"}
    assert named["dropout"].settings == {"p": "0.25"}
    assert named["max_pool2d"].settings == {"kernel_size": "2"}
    assert named["softmax"].settings == {"dim": "-1"}
    text = draw(y.sum()).text()
    assert "standardize" not in text  # which is all that layer_norm calls
    assert "window_sum" not in text  # of which local_response_norm consists, and which one sees by opening it
    group = next(g for g in graph.groups.values() if g.title == "local_response_norm")
    assert "window_sum" in draw(y.sum(), expand=group.id).text()


def test_layers_of_the_library_have_the_settings_of_their_repr() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2))
    text = draw(model(mg.randn(2, 1, 5, 5)).sum(), model=model).text()
    assert "kernel_size=(3, 3)" in text and "1 · BatchNorm2d" in text and "((" not in text


def test_a_users_function_has_its_name_and_its_rule() -> None:
    class Cube(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x ** 3

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return 3 * x * x * g

    x = mg.ones(2, requires_grad=True)
    y = Cube.apply(x)
    assert type(y.grad_fn).__name__ == "CubeBackward"
    graph = draw(y.sum()).graph
    assert [o.name for o in graph.operations.values()] == ["Cube", "sum"]
    assert "return 3 * x * x * g" in graph.sources["CubeBackward"].rules[""]
    assert graph.sources["SumBackward0"].rules["input"].startswith("def ")


def test_leaves_are_named_by_the_model_the_user_or_the_variable() -> None:
    weight = mg.randn(3, requires_grad=True)
    data = mg.randn(3)
    other = mg.randn(3, requires_grad=True)
    graph = draw((weight * data + other).sum(), params={"given": other}).graph
    assert {tuple(leaf.names): leaf.kind for leaf in graph.leaves.values() if leaf.kind != "output"} == {
        ("weight",): "leaf", ("data",): "constant", ("given", "other"): "leaf"} or {
        leaf.names[0]: leaf.kind for leaf in graph.leaves.values() if leaf.kind != "output"} == {
        "weight": "leaf", "data": "constant", "given": "leaf"}


def test_a_shared_parameter_has_all_its_names_and_a_frozen_one_is_there() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 3)
            self.b.weight = self.a.weight
            self.a.bias.requires_grad_(False)
            self.register_buffer("scale", mg.ones(3))

        def forward(self, x: Any) -> Any:
            return self.b(self.a(x)) * self.scale

    model = Tied()
    graph = draw(model(mg.ones(2, 3)).sum(), model=model).graph
    kinds = {tuple(leaf.names): leaf.kind for leaf in graph.leaves.values()}
    assert kinds["a.weight", "b.weight"] == "parameter"
    assert kinds[("scale",)] == "buffer"


def test_derivatives_are_numbered() -> None:
    x = mg.tensor(2.0, requires_grad=True)
    first, = mg.autograd.grad(x ** 3, x, create_graph=True)
    second, = mg.autograd.grad(first, x, create_graph=True)
    assert {o.derivative for o in draw(first).graph.operations.values()} == {1}
    assert {o.derivative for o in draw(second).graph.operations.values()} == {2}
    penalty = (first - 1) ** 2
    assert {o.derivative for o in draw(penalty).graph.operations.values()} == {0, 1}


def test_frames_are_there_after_very_many_calls_of_modules() -> None:
    model = Recurrent(2)
    loss = model(mg.randn(5, 2, 3)).sum()
    many = nn.Linear(1, 1)
    x = mg.ones(1, 1)
    for _ in range(30_000):
        many(x)
    graph = draw(loss, model=model).graph
    assert [g.path for g in graph.groups.values() if g.kind == "module"] == ["cell", "cell", "out"]


def test_values_that_the_graph_keeps_are_shown_and_those_that_were_changed_are_not() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = x.exp()
    z = (y * 3).sum()
    kept = next(o for o in draw(z).graph.operations.values() if o.name == "exp")
    assert kept.value is not None and kept.value.max == pytest.approx(math.exp(2))
    y.detach().mul_(0)
    changed = next(o for o in draw(z).graph.operations.values() if o.name == "exp")
    assert changed.value is None


def test_what_cannot_be_drawn_is_refused() -> None:
    loss = mg.ones(1, requires_grad=True) * 2
    with pytest.raises(TypeError, match="pass the loss, or what the model returned"):
        draw("loss")
    with pytest.raises(TypeError, match="must be a Module"):
        draw(loss, {"x": loss})
    with pytest.raises(TypeError, match="names 'block', but the modules that computed something are 0, 1, 2"):
        model = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1))
        draw(model(mg.ones(1, 1)), model=model, expand="block")
    with pytest.raises(ValueError, match=r"'forward' \(as values flow"):
        draw(loss, direction="TB")


def test_only_calls_that_are_in_the_graph_are_numbered() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Sigmoid())
    for _ in range(3):
        model(mg.ones(1, 2))
    x = mg.ones(1, 2)
    text = str(draw(model(model(x)).sum(), model=model, depth=1))
    assert "(call 2)" in text and "(call 3)" not in text and "(call 4)" not in text
