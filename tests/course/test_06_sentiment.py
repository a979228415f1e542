"""The bag of words of the course that knows praise from complaints."""

from __future__ import annotations

import sys
from typing import Any, Callable

import pytest

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    pytest.importorskip("jieba", reason="it cuts Chinese into words")
    done = run("06_sentiment")
    assert "made-up reviews" in done.out
    assert 0.72 < done.figures["accuracy"] < 0.9, "one remark of four is of the other kind"
    assert done.figures["majority"] < 0.7
    praise, complaints = done.out.partition("  7  ")[::2]
    assert "好吃" in praise and "难吃" in complaints


def test_it_cuts_into_characters_without_jieba(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jieba", None)
    done = run("06_sentiment")
    assert "without jieba" in done.out and "by characters;" in done.result
    assert done.figures["accuracy"] == done.figures["characters"] > 0.72


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("06_sentiment")
    assert figures["accuracy"] >= 0.85
    assert figures["characters"] >= 0.85
    assert figures["majority"] < 0.7
