"""Recordings of programs of every kind: on a GPU, without source, with hooks, several backward passes, views, checkpoints."""

from __future__ import annotations

import math
from typing import Any

import pytest

import minigrad as mg
from minigrad import nn, viz
from minigrad.utils.checkpoint import checkpoint
from minigrad.viz.boxes import box_of
from minigrad.viz.colours import Scale
from tests import standin  # noqa: F401  (registers the device "standin")


def operations(recording: Any) -> list[tuple[str, dict[str, str]]]:
    return [(o.name, o.settings) for o in recording.graph.operations.values()]


def test_a_gpus_tensors_are_recorded_summed_up_and_shown() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(18, 2))
    x, y = mg.randn(2, 1, 5, 5), mg.tensor([0, 1])
    shown = []
    for device in ("cpu", "standin:1"):
        model.to(device).zero_grad()
        with viz.record(model) as r:
            nn.functional.cross_entropy(model(x.to(device)), y.to(device)).backward()
        shown.append([(o.name, o.shape, o.value and o.value.rms or 0.0, o.gradient and o.gradient.rms or 0.0)
                      for o in r.graph.operations.values()])
        assert viz.summary(model, (2, 1, 5, 5), verbose=0).summary_list[0].output_size == [2, 2]
        assert device in x.to(device)._repr_html_()
    for host, gpu in zip(*shown, strict=True):
        assert host[:2] == gpu[:2] and host[2:] == pytest.approx(gpu[2:], rel=1e-4)


def test_without_source_names_and_settings_come_from_what_was_recorded() -> None:
    names: dict[str, Any] = {}
    exec(compile("def f(x):\n    return x.softmax(-1).clamp(min=0.1).sum()", "<no file>", "exec"), names)
    with viz.record() as r:
        names["f"](mg.ones(2, requires_grad=True)).backward()
    assert operations(r) == [("softmax", {"dim": "-1"}), ("clamp", {"min": "0.1"}), ("sum", {})]
    assert all(o.line == "<no file>:2" and not o.code for o in r.graph.operations.values())


def test_a_gradient_is_shown_as_hooks_have_changed_it() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    with viz.record() as r:
        y = x * 3
        y.retain_grad()
        y.register_hook(lambda g: g * 10)
        y.sum().backward()
    assert r.graph.operations["o0"].gradient is not None and r.graph.operations["o0"].gradient.max == y.grad.max().item() == 10.0


def test_of_several_backward_passes_operations_show_the_last_and_leaves_the_sum() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    with viz.record() as r:
        y = x * 3
        y.sum().backward(retain_graph=True)
        (2 * y.sum()).backward()
    leaf = next(leaf for leaf in r.graph.leaves.values() if leaf.names == ["x"])
    assert r.graph.operations["o0"].gradient is not None and r.graph.operations["o0"].gradient.max == 2.0
    assert leaf.gradient is not None and leaf.gradient.max == x.grad.max().item() == 9.0


def test_writes_in_place_and_views_have_their_names_and_arrows() -> None:
    x = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    with viz.record() as r:
        y = x * 2
        y.add_(1)
        y[1:].mul_(4)
        y.sum().backward()
    drawing = r.draw()
    titles = [box_of(drawing.graph, b, Scale()).title for b in drawing.fold.boxes]
    assert titles == ["x", "mul", "add_", "getitem", "mul_", "sum"]
    number = {id: k for k, id in enumerate(drawing.fold.boxes)}
    assert {(number[a.source], number[a.target]) for a in drawing.fold.arrows} == {(0, 1), (1, 2), (2, 3), (3, 4), (2, 4), (4, 5)}
    gradient = r.graph.operations["o0"].gradient
    assert gradient is not None and gradient.rms == pytest.approx(math.sqrt((1 + 16 + 16) / 3))


def test_what_a_checkpoint_computes_again_is_a_second_call() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    with viz.record(model) as r:
        checkpoint(model, mg.ones(2, 3), use_reentrant=False).sum().backward()
    calls = [(g.path, g.call) for g in r.graph.groups.values() if g.kind == "module"]
    assert calls == [("0", 0), ("1", 0), ("0", 1), ("1", 1)]
    assert r.graph.operations["o0"].gradient is not None


def test_replicas_in_threads_are_recorded() -> None:
    model = nn.DataParallel(nn.Linear(3, 3).to("standin:0"), device_ids=["standin:0", "standin:1"])
    with viz.record(model) as r:
        model(mg.ones(4, 3, device="standin:0")).sum().backward()
    assert [name for name, _ in operations(r)].count("linear") == 2
    assert all(a.source in r.graph.operations or a.source in r.graph.leaves for a in r.graph.arrows)
    assert r.draw().text()
