"""A function of one's own, and the search for a counterexample."""

from __future__ import annotations

from typing import Any, Callable

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    done = run("27_own_function")
    assert "LogCosh: 20 tensors drawn, none fails" in done.out and "logcosh, by @op: 20 tensors drawn, none fails" in done.out
    assert done.figures["caught"] and "Likely cause: a wrong sign" in done.out and "x=tensor(" in done.out
    assert "Sign passes gradcheck: False" in done.out
    assert done.figures["straight"] > done.figures["true"] + 0.03, "what is in front of a sign learns only straight through"
    assert done.figures["tanh"] > 0.85


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("27_own_function")
    assert figures["straight"] > 0.91 > 0.87 > figures["true"]
