"""Drawings: what is in them, that they come out the same every time, and what happens without Graphviz's program."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

import minigrad as mg
from minigrad import nn
from minigrad.viz import draw, make_dot


@pytest.fixture
def model() -> Any:
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))


def loss_of(model: Any) -> Any:
    return model(mg.ones(5, 3)).sum()


@pytest.fixture
def no_dot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing here"))


def test_arrows_go_from_results_to_inputs_and_carry_shapes(model: Any) -> None:
    source = draw(loss_of(model), model=model).source
    boxes = {line.split()[0]: line for line in source.splitlines() if "fillcolor" in line}

    def box(text: str) -> str:
        return next(name for name, line in boxes.items() if text in line)

    assert f"out0 -> {box('SumBackward0')}" in source
    assert f"{box('SumBackward0')} -> {box('LinearBackward0')}" in source
    weight = box("2.weight")
    line = next(line for line in source.splitlines() if f"-> {weight}" in line)
    assert "1×4" in line
    assert not any(line.strip().startswith(f"{weight} ->") for line in source.splitlines())


def test_modules_are_frames_round_what_they_computed(model: Any) -> None:
    picture = draw(loss_of(model), model=model).picture
    of = {box.title: box.module for box in picture.boxes}
    assert of["ReluBackward0"] == "1"
    assert of["2.weight"] == "2"
    assert of["SumBackward0"] == ""
    assert picture.modules == {"0": "Linear", "1": "ReLU", "2": "Linear"}


def test_nested_modules_are_nested_frames() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Linear(2, 2), nn.Tanh())

        def forward(self, x: Any) -> Any:
            return self.body(x) * 2

    net = Net()
    source = draw(net(mg.ones(1, 2)), model=net).source
    assert source.index("cluster_body {") < source.index("cluster_body.1")
    assert "body.1: Tanh" in source


def test_gradients_are_coloured_by_size(model: Any) -> None:
    loss = loss_of(model)
    before = {b.title: b.gradient for b in draw(loss, model=model).picture.boxes}
    assert before["2.weight"] is None
    loss.backward()
    drawing = draw(loss, model=model)
    after = {b.title: b for b in drawing.picture.boxes}
    expected = float((model[2].weight.grad ** 2).mean()) ** 0.5
    assert after["2.weight"].gradient == pytest.approx(expected)
    assert "grad " in drawing.source


def test_the_same_graph_gives_the_same_drawing(model: Any) -> None:
    assert draw(loss_of(model), model=model).source == draw(loss_of(model), model=model).source


def test_torchviz_names() -> None:
    w = mg.ones(2, requires_grad=True)
    source = make_dot((w * 3).sum(), params={"w": w}).source
    assert "w\\n2 float32" in source
    attributes = make_dot((w * 3).sum(dim=0), params={"w": w}, show_attrs=True, show_saved=True).source
    assert "dim=0" in attributes
    assert "keeps other" in attributes


def test_many_outputs_and_operations_with_several_results() -> None:
    x = mg.arange(6.0).requires_grad_()
    pieces = x.split(2)
    picture = draw([pieces[0].sum(), pieces[2].sum()]).picture
    assert [b.title for b in picture.boxes if b.kind == "output"] == ["output 0", "output 1"]
    assert sum("Split" in b.title for b in picture.boxes) == 1


def test_a_long_chain_is_drawn_without_recursion() -> None:
    y = mg.ones(1, requires_grad=True)
    for _ in range(3000):
        y = y * 1.0
    assert len(draw(y).picture.boxes) == 3002


def test_without_dot_an_svg_is_drawn_and_said(model: Any, no_dot: None, tmp_path: Path) -> None:
    drawing = draw(loss_of(model), model=model)
    with pytest.warns(UserWarning, match="'dot' is not installed"):
        path = drawing.render(tmp_path / "graph.png")
    assert path == str(tmp_path / "graph.svg")
    root = ElementTree.parse(path).getroot()
    texts = {e.text for e in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"LinearBackward0", "2.weight", "1×4 float32"} <= texts
    assert "image/svg+xml" in drawing._repr_mimebundle_()


def test_without_dot_too_only_the_picture_stays(model: Any, no_dot: None, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="'dot' is not installed"):
        draw(loss_of(model), model=model, path=tmp_path / "graph.svg")
    assert [p.name for p in tmp_path.iterdir()] == ["graph.svg"]


def test_boxes_of_the_plain_drawing_do_not_overlap(model: Any) -> None:
    from minigrad.viz.drawing import colour
    from minigrad.viz.svg import to_svg
    picture = draw(loss_of(model), model=model).picture
    root = ElementTree.fromstring(to_svg(picture, colour))
    space = "{http://www.w3.org/2000/svg}"
    boxes = [tuple(float(r.attrib[k]) for k in ("x", "y", "width", "height"))
             for g in root.iter(f"{space}g") for r in g.iter(f"{space}rect")]
    assert len(boxes) == len(picture.boxes)
    for i, (x, y, w, h) in enumerate(boxes):
        for x2, y2, w2, h2 in boxes[i + 1:]:
            assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y


@pytest.mark.skipif(not any(os.access(os.path.join(d, "dot"), os.X_OK) for d in os.environ["PATH"].split(os.pathsep)),
                    reason="Graphviz's program dot is not installed")
@pytest.mark.parametrize("format", ["svg", "png", "pdf"])
def test_dot_renders(model: Any, tmp_path: Path, format: str) -> None:
    path = draw(loss_of(model), model=model, path=tmp_path / f"g.{format}") and tmp_path / f"g.{format}"
    assert path.stat().st_size > 500
    assert not (tmp_path / "g").exists()


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(TypeError, match="pass the loss, or what the model returned"):
        draw("loss")
