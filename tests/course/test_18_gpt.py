from __future__ import annotations

from typing import Any, Callable

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    done = run("18_gpt")
    assert done.figures["nats"] < 2.9, "of 4.3 at the beginning"
    assert done.figures["training"] < 3.1
    assert len(done.out) > 500, "it writes a text"


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    assert measured("18_gpt")["nats"] < 1.7
