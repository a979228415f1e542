"""The generator's points come to lie on the ring."""

from __future__ import annotations

from typing import Any, Callable

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    figures = run("15_gan").figures
    assert figures["before"] > 0.6
    assert figures["after"] < figures["before"] / 2


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("15_gan")
    assert figures["after"] < 0.1 and figures["gap"] < 90
