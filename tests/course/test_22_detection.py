from __future__ import annotations

from typing import Any, Callable

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    done = run("22_detection")
    assert done.figures["precision"] > 0.1 > done.figures["before"]
    assert done.figures["precision"] > done.figures["strict"]


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("22_detection")
    assert figures["precision"] >= 0.95
    assert figures["strict"] >= 0.9
