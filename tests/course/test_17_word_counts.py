"""The words of the course that are alike by what stands beside them, counted."""

from __future__ import annotations

import re
from typing import Any, Callable

from tests.course.conftest import Run

MEANT = {"dog": {"horse", "cow", "sheep", "cat"}, "paris": {"rome", "london", "berlin", "madrid"},
         "bread": {"cheese", "rice", "soup", "fish"}, "anna": {"peter", "maria", "thomas", "julia"}}


def test_quick(run: Run) -> None:
    done = run("17_word_counts")
    assert "made-up sentences" in done.out
    nearest = dict(re.findall(r"nearest to (\w+): (.*)", done.out))
    assert {word: set(others.split(", ")[:4]) for word, others in nearest.items()} == MEANT
    assert done.figures["SVD_alike"] > 0.9 > 0.3 > done.figures["SVD_any"]


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("17_word_counts")
    assert figures["SVD_found"] >= 0.8 and figures["PPMI_found"] >= 0.8, "by chance it is less than 0.01"
    assert figures["SVD_found"] > figures["counts_found"]
    assert figures["SVD_alike"] > 0.5 > 0.1 > figures["SVD_any"]
