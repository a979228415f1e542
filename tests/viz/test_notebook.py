"""What tensors and modules show in a notebook, and that nothing of it is there before one asks."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any
from xml.etree import ElementTree

import pytest

import minigrad as mg
from minigrad import nn
from minigrad.viz.colours import NONFINITE, RAMPS, ZERO


def cells(x: Any) -> list[str]:
    """The colours of the map of elements."""
    shown = ElementTree.fromstring(x._repr_html_())
    found = next((s for s in shown.iter("svg") if s.get("aria-label") == "map of elements"), None)
    return [] if found is None else [str(r.get("fill")) for r in found.iter("rect")]


@pytest.mark.parametrize("make", [
    lambda: mg.randn(3, 4), lambda: mg.tensor(2.0), lambda: mg.zeros(0, 3), lambda: mg.arange(5), lambda: mg.ones(2, 3, 4, 5),
    lambda: mg.ones(2, dtype=mg.complex64), lambda: mg.ones(2, 2, dtype=mg.bfloat16), lambda: mg.eye(3) == 1,
    lambda: mg.full((2, 2), float("nan")), lambda: mg.randn(1000, 1000), lambda: nn.Parameter(mg.ones(3)),
    lambda: (mg.ones(3, requires_grad=True) * 2).exp()], ids=range(12))
def test_a_tensor_of_any_kind_shows_what_it_is_and_its_numbers(make: Any) -> None:
    x = make()
    html = x._repr_html_()
    text = "".join(ElementTree.fromstring(html).itertext())
    assert repr(x) in text and x.dtype.name in text and str(x.device) in text
    assert "×".join(map(str, x.shape)) in text
    assert len(html) < 200_000


def test_the_map_shows_sign_size_zero_and_what_is_not_finite() -> None:
    assert cells(mg.tensor([2.0, -2.0, 0.0, float("nan"), float("inf")])) == [
        RAMPS["positive"][1], RAMPS["negative"][1], ZERO, NONFINITE, NONFINITE]
    assert cells(mg.tensor(1.0)) == [] and len(cells(mg.ones(100, 100))) == 24 * 64


def test_a_module_shows_its_parts_and_how_many_parameters_they_have() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.ReLU(), nn.LazyLinear(2)))
    shown = ElementTree.fromstring(model._repr_html_())
    assert len(list(shown.iter("details"))) == 2
    text = "".join(shown.itertext())
    assert "(0): Linear(in_features=3, out_features=4, bias=True) · 16 parameters" in text
    assert "LazyLinear" in text


def test_text_is_escaped() -> None:
    class Odd(nn.Module):
        def extra_repr(self) -> str:
            return "<script>&"

    assert "<script>" not in nn.Sequential(Odd())._repr_html_() + Odd()._repr_html_()


def test_nothing_is_imported_before_a_notebook_asks() -> None:
    script = ("import sys, minigrad as mg; x = mg.ones(2); repr(x); str(mg.nn.Linear(1, 1)); "
              "assert 'minigrad.viz' not in sys.modules; x._repr_html_(); "
              "assert 'minigrad.viz.notebook' in sys.modules and 'treescope' not in sys.modules")
    subprocess.run([sys.executable, "-c", script], check=True)


def test_treescope_draws_tensors_and_modules() -> None:
    treescope = pytest.importorskip("treescope", reason="needs treescope, which is not installed")
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
    text = treescope.render_to_text(model)
    assert re.search(r"Sequential\(.*Linear\(.*in_features=3.*weight=.*4, 3.*ReLU\(", text, re.S), text
    assert "requires_grad=True" in treescope.render_to_text(model[0].weight)
    assert "MulBackward0" in treescope.render_to_text(mg.ones(3, requires_grad=True) * 2)
    assert "treescope" in treescope.render_to_html([model, {"x": mg.randn(3, 4)}])
