"""A recommender that fills the gaps of a table."""

from __future__ import annotations

from typing import Any, Callable

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    figures = run("28_recommender").figures
    assert figures["error"] < figures["biases"] / 3 < figures["mean"] / 5
    assert figures["right"] > figures["usual"] + 0.1 > figures["guess"]
    assert figures["told"] > 0.75


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("28_recommender")
    assert figures["error"] < figures["biases"] / 2
    assert figures["right"] > 0.8 and figures["told"] > 0.95
