from __future__ import annotations

from typing import Any, Callable

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    done = run("22_segmentation")
    assert done.figures["iou"] > done.figures["nothing"] + 0.08
    assert done.figures["pixels"] > 0.91


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("22_segmentation")
    assert figures["iou"] >= 0.9
    assert figures["iou"] > figures["without_shortcuts"] + 0.02, "shortcuts are for exact borders"
    assert figures["pixels"] > 0.98
