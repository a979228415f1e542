"""What a discount brought, where the weather decided who got it."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    figures = run("28_causal").figures
    assert figures["naive"] < 0 and figures["unmeasured"] < 0, "confounded, the discount seems to do harm"
    assert figures["outcome"] == pytest.approx(1, abs=0.2) and figures["both"] == pytest.approx(1, abs=0.2)
    assert abs(figures["weights"] - 1) < abs(figures["naive"] - 1) / 2


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("28_causal")
    assert figures["naive"] < 0 and figures["unmeasured"] < 0
    for name in ("experiment", "outcome", "weights", "both"):
        assert figures[name] == pytest.approx(1, abs=0.1), name
    assert figures["error"] < 0.2
