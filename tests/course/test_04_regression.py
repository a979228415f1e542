"""The same regression four ways."""

from __future__ import annotations

from typing import Any, Callable

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    figures = run("04_regression").figures
    assert figures["apart"] < 1e-12, "the four are the same arithmetic"
    assert 0 <= figures["above"] < 0.01, "and arrive where least squares is"
    assert figures["error"] < figures["baseline"] / 4


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("04_regression")
    assert figures["apart"] < 1e-12 and 0 <= figures["above"] < 1e-3
    assert figures["error"] < figures["baseline"] / 2
