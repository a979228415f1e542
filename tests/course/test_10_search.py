"""Three searches find hyper-parameters that read digits."""

from __future__ import annotations

import re
from typing import Any, Callable

import pytest

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    pytest.importorskip("optuna", reason="Bayesian search is Optuna's")
    done = run("10_search")
    assert re.findall(r"^seed 0 (\w+)", done.out, re.MULTILINE) == ["grid", "random", "bayesian"] == list(done.figures)
    for judged in done.figures.values():
        assert 0.02 < judged["chosen by"] < 0.4 and judged["held out"] < 0.4


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = {name: judged["held out"] for name, judged in measured("10_search").items()}
    assert figures["random"] < figures["grid"] < 0.2 and figures["bayesian"] < figures["grid"]
