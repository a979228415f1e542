"""Two numbers by a network say more of a digit than two by linear algebra."""

from __future__ import annotations

from typing import Any, Callable

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    figures = run("14_autoencoders").figures
    assert figures["plain"] < figures["linear"] - 0.1
    assert figures["variational"] < figures["linear"]


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("14_autoencoders")
    assert figures["plain"] < figures["linear"] - 0.1 and figures["variational"] < figures["linear"] - 0.1
