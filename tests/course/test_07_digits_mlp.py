"""A multilayer perceptron reads digits, better than a linear layer."""

from __future__ import annotations

from typing import Any, Callable

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    done = run("07_digits_mlp")
    assert "101770 parameters" in done.out
    assert done.figures["accuracy"] > 0.9
    assert done.figures["accuracy"] > done.figures["baseline"] > 0.8


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("07_digits_mlp")
    assert figures["accuracy"] >= 0.935 and figures["accuracy"] >= figures["baseline"] + 0.02
