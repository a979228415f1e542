from __future__ import annotations

import runpy
from typing import Any, Callable

import numpy as np
import pytest

import minigrad as mg
from tests.course.conftest import FOLDER, Run


def test_quick(run: Run) -> None:
    done = run("22_detection")
    assert done.figures["precision"] > 0.1 > done.figures["before"]
    assert done.figures["precision"] > done.figures["strict"]


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("22_detection")
    assert figures["precision"] >= 0.95
    assert figures["strict"] >= 0.9


@pytest.mark.usefixtures("run")
def test_average_precision() -> None:
    """It is 1 where all was found and nothing else; what is wrong costs more the surer it was."""
    average_precision = runpy.run_path(str(FOLDER / "22_detection.py"))["average_precision"]
    truth = [np.array([[0, 0, 8, 8, 1], [20, 20, 30, 30, 1]], np.float32), np.zeros((0, 5), np.float32)]

    def precision(*found: tuple[int, float]) -> float:
        boxes = mg.tensor([[0, 0, 8, 8], [20, 20, 30, 31], [40, 40, 50, 50]]).float()[[k for k, _ in found]]
        nothing = mg.zeros(0, 4), mg.zeros(0), mg.zeros(0, dtype=mg.int64)
        scores = mg.tensor([score for _, score in found])
        area, _, _ = average_precision([(boxes, scores, mg.zeros(len(found), dtype=mg.int64)), nothing], truth, 0)
        return float(area)

    assert precision((0, 0.9), (1, 0.8)) == 1
    assert precision((0, 0.9)) == 0.5
    assert precision((0, 0.9), (0, 0.8)) == 0.5, "the same thing twice is found once"
    assert precision((0, 0.9), (1, 0.8), (2, 0.7)) == 1
    assert precision((2, 0.9), (0, 0.8), (1, 0.7)) == pytest.approx(2 / 3)
