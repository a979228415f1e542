"""Scenes are told in words, also of pairs of shapes that were never shown together."""

from __future__ import annotations

from typing import Any, Callable

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    done = run("20_captioning")
    assert done.figures["loss"] < 0.55, "who does not look at the scene has (4 log 4 + log 2) / 9.5 = 0.66 nats a word at best"


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("20_captioning")
    assert figures["unseen"] > 0.9 and figures["seen"] > 0.9
