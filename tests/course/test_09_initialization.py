"""Weights of the right size let deep layers learn; batch normalization forgives those of the wrong one."""

from __future__ import annotations

from typing import Any, Callable

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    done = run("09_initialization")
    spread, learnt = done.figures["spread"], done.figures["learnt"]
    assert spread["zeros"] == 0 and spread["small"] < 1e-4 < spread["Xavier"] < spread["He"]
    assert learnt["without"]["He"] < learnt["without"]["Xavier"] < learnt["without"]["small"]
    assert learnt["with"]["He"] < 1 < 2.2 < learnt["with"]["zeros"]
    assert min(done.figures["accuracies"].values()) > 0.6


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("09_initialization")
    assert figures["learnt"]["without"]["small"] > 2 > 0.5 > figures["learnt"]["with"]["small"]
    assert figures["losses"]["weight decay"] < figures["losses"]["nothing"]
