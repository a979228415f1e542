"""What the generator draws is read by a network that knew nothing of the game."""

from __future__ import annotations

from typing import Any, Callable

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    figures = run("15_dcgan").figures
    assert figures["before"] < 0.1
    assert figures["drawn"] > figures["before"] + 0.1
    assert figures["true"] > 0.7


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("15_dcgan")
    assert figures["drawn"] > 0.5 and figures["kinds"] >= 9 and figures["critic"] < 0.9
