from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import minigrad as mg
from minigrad.vision.models.vgg import cfgs, make_layers
from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    done = run("21_style_transfer")
    assert done.figures["style"] < 0.3
    assert done.figures["content"] < 1


def test_published_weights(run: Run, tmp_path: Path) -> None:
    """Of the file only the convolutions are read; here they are drawn at random."""
    mg.manual_seed(0)
    weights = {f"features.{name}": value for name, value in make_layers(cfgs["A"]).state_dict().items()}
    mg.save({**weights, "classifier.0.bias": mg.zeros(4096)}, tmp_path / "vgg11-00000000.pth")
    done = run("21_style_transfer", "--weights", str(tmp_path / "vgg11-00000000.pth"), "--size", "48", "--steps", "4")
    assert done.figures["style"] < 0.9


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("21_style_transfer")
    assert figures["style"] < 0.05
    assert figures["content"] < 0.6
