"""The networks of the course that say how many bicycles are hired."""

from __future__ import annotations

from typing import Any, Callable

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    done = run("05_bike_sharing")
    assert "made-up days" in done.out
    assert done.figures["network"] < 0.6 * done.figures["seasonal_mean"], "the mean does not know the weather"
    assert done.figures["network"] > 3, "what varies by chance cannot be said so well"


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("05_bike_sharing")
    assert figures["network"] <= figures["seasonal_mean"] / 2
    assert figures["network"] < figures["week_before"]
