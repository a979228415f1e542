from __future__ import annotations

from typing import Any, Callable

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    done = run("19_seq2seq")
    assert done.figures["date"] > 0.9
    assert done.figures["addition"] > 0.02, "of 1 in 200 by chance"
    assert done.out.count(" right\n") >= 4


def test_one_task(run: Run) -> None:
    done = run("19_seq2seq", "--task", "date", "--date-epochs", "2")
    assert set(done.figures) == {"date", "date_held_out"}


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("19_seq2seq")
    assert figures["date"] >= 0.99
    assert figures["addition"] >= 0.95
    assert min(figures["date_held_out"], figures["addition_held_out"]) > 1000
