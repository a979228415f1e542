from __future__ import annotations

from typing import Any, Callable

import minigrad as mg
from tests.course.conftest import Run

NETWORKS = ["lenet", "alexnet", "vgg", "googlenet", "resnet", "capsules"]


def test_quick(run: Run) -> None:
    done = run("11_classic_cnns")
    assert done.figures["lenet"] > 0.6
    assert done.figures["resnet"] > 0.7
    assert done.figures["capsules"] > 0.7
    weights = mg.load(done.folder / "vgg.pt")
    assert weights["0.weight"].shape == (16, 1, 3, 3)


def test_one_of_them(run: Run) -> None:
    done = run("11_classic_cnns", "--model", "lenet", "--epochs", "4")
    assert done.figures["lenet"] > 0.6
    assert "vgg" not in done.result


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("11_classic_cnns")
    assert min(figures[name] for name in NETWORKS) >= 0.95
    assert figures["resnet"] > figures["lenet"], "what came later reads better"
    assert max(figures.values()) >= 0.98
