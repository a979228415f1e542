"""Newton's method, and distances learnt from slopes."""

from __future__ import annotations

from typing import Any, Callable

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    figures = run("29_second_order").figures
    assert figures["needed"] < 8 and figures["newton"] < 1e-20
    assert figures["descent"] > 0.01
    assert figures["error"] < figures["constant"] / 2


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("29_second_order")
    assert figures["error"] < 0.02 and figures["error"] < figures["without"] / 4
