"""Every layer and function is called in drawings what users call it, with settings that they could have written."""

from __future__ import annotations

import ast
import inspect
import re
from typing import Any

import pytest

import minigrad as mg
from minigrad import nn, viz
from minigrad.nn import functional as F
from minigrad.viz.naming import Spots, public_function
from tests import module_checks
from tests.module_cases import all_cases

# Modules of which more than one box is shown, because they are made of other modules, or are handed several things to do.
COMPOSED = ("AdaptiveLogSoftmaxWithLoss", "CTCLoss", "DataParallel", "Identity", "ModuleDict", "ModuleList", "ParameterDict",
            "ParameterList", "Sequential", "Transformer", "TripletMarginWithDistanceLoss")


def called(case: Any) -> tuple[Any, tuple[Any, ...]]:
    """The module of a case, and inputs that require gradients where they can."""
    module, inputs = module_checks.built(case), module_checks.tensors(case.inputs)
    for x in module_checks.leaves(inputs):
        x.requires_grad_(x.is_floating_point())
    return module, inputs


def written(module: Any) -> list[str]:
    """The settings in the repr of a layer that are not what they are where nobody says anything."""
    defaults = {name: p.default for name, p in inspect.signature(type(module).__init__).parameters.items()}

    def is_written(part: str) -> bool:
        name, _, text = part.partition("=")
        if name not in defaults:
            return True
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            value = text
        return value != defaults[name] and set(value if isinstance(value, tuple) else [value]) != {defaults[name]}

    return [part for part in re.split(r",\s*(?=\w+=)", " ".join(module.extra_repr().split())) if is_written(part)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name in all_cases() if not name.startswith(COMPOSED)])
def test_a_layer_is_one_box_with_the_settings_of_its_repr(name: str) -> None:
    for case in all_cases()[name]:
        module, inputs = called(case)
        with viz.record(nn.ModuleDict({"layer": module})) as r:
            module(*inputs)
        drawing = r.draw()
        boxes = [drawing.graph[b] for b in drawing.fold.boxes if b not in drawing.graph.leaves]
        assert len(boxes) == 1, drawing.text()
        layer = next(g for g in drawing.graph.groups.values() if g.path == "layer")
        assert layer.type == type(module).__name__
        assert ", ".join(written(module))[:40] == layer.settings.get("", "")[:40]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", list(all_cases()))
def test_settings_are_parameters_of_what_users_call(name: str) -> None:
    for case in all_cases()[name]:
        module, inputs = called(case)
        outputs = [t for t in module_checks.leaves((module(*inputs),)) if t.grad_fn is not None]
        for op in viz.draw(outputs).graph.operations.values() if outputs else ():
            assert not any("((" in text or "-1" in text and "pad" in key for key, text in op.settings.items()), op
            if public_function(op.name) is not None and ("pool" in op.name or "conv" in op.name):
                assert set(op.settings) <= {"kernel_size", "stride", "padding", "output_padding", "dilation", "groups"}


@pytest.mark.parametrize(("write", "settings"), [
    (lambda x, w: F.conv2d(x, w, None, 2, 1), {"stride": "2", "padding": "1"}),
    (lambda x, w: F.conv2d(x, w, padding="same"), {"padding": "'same'"}),
    (lambda x, w: F.max_pool2d(x, 2), {"kernel_size": "2"}),
    (lambda x, w: F.avg_pool2d(x, 3, padding=1), {"kernel_size": "3", "padding": "1"}),
    (lambda x, w: F.interpolate(x, scale_factor=2, mode="bilinear"), {"scale_factor": "2", "mode": "'bilinear'"}),
    (lambda x, w: mg.sum(x, (1, 2), keepdim=True), {"dim": "(1, 2)", "keepdim": "True"}),
    (lambda x, w: x.permute(0, 2, 3, 1), {"dims": "0, 2, 3, 1"}),
    (lambda x, w: F.pad(x, (1, 1), value=2.0), {"pad": "(1, 1)", "value": "2.0"})])
def test_functions_have_the_settings_that_were_written(write: Any, settings: dict[str, str]) -> None:
    x, w = mg.randn(2, 3, 5, 5, requires_grad=True), mg.randn(3, 3, 3, 3)
    graph = viz.draw(write(x, w)).graph
    found = [g.settings for g in graph.groups.values() if g.kind == "function"] or [o.settings for o in graph.operations.values()]
    assert found == [settings]


def test_windows_of_layers_have_settings_that_can_be_written() -> None:
    x = mg.randn(1, 1, 6, 6, requires_grad=True)
    layers = [nn.Conv2d(1, 1, 2, padding="same"), nn.ConvTranspose2d(1, 1, 3, 2, 1, output_padding=1), nn.MaxPool2d(2)]
    found = [o.settings for layer in layers for o in viz.draw(layer(x)).graph.operations.values()]
    assert found == [{"padding": "'same'"}, {"stride": "2", "padding": "1", "output_padding": "1"}, {"kernel_size": "2"}]


def test_each_code_is_looked_through_once() -> None:
    code = compile("\n".join(f"x = x.exp() + {k}" for k in range(50)), "many.py", "exec")
    spots = Spots()
    lines = {spots.at(code, lasti).line for lasti in range(0, len(code.co_code), 2)}
    assert {f"many.py:{n}" for n in range(1, 51)} <= lines
    assert [found[0] for found in spots.positions.values()] == [code]
    assert spots.at(code, 4) is spots.at(code, 4)
