from __future__ import annotations

from typing import Any, Callable

import pytest

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    done = run("23_q_learning")
    assert done.figures["moves"] == done.figures["shortest"] == 8
    assert done.figures["gained"] == pytest.approx(1 - 7 * 0.02)
    assert done.figures["off"] < 0.01
    assert "# > > > G" in done.out


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("23_q_learning")
    assert figures["moves"] == figures["shortest"] and figures["off"] < 1e-3
