from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import minigrad as mg
from minigrad.vision.models.vgg import cfgs, make_layers
from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    done = run("21_deep_dream")
    assert done.figures["strength"] > 2
    assert done.out.count("times as strong as of the photograph") == 3


def test_published_weights(run: Run, tmp_path: Path) -> None:
    """Of the file only the convolutions are read; here they are drawn at random."""
    mg.manual_seed(0)
    weights = {f"features.{name}": value for name, value in make_layers(cfgs["A"]).state_dict().items()}
    mg.save({**weights, "classifier.0.bias": mg.zeros(4096)}, tmp_path / "vgg11-00000000.pth")
    done = run("21_deep_dream", "--weights", str(tmp_path / "vgg11-00000000.pth"), "--size", "48", "--steps", "2")
    assert done.figures["strength"] > 1


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    assert measured("21_deep_dream")["strength"] > 5
