from __future__ import annotations

from typing import Any, Callable

import pytest

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    pytest.importorskip("gymnasium", reason="the cart is in gymnasium")
    done = run("23_dqn")
    assert done.figures["mean"] > 3 * done.figures["by_chance"]


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    assert measured("23_dqn")["mean"] >= 475
