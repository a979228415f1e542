"""The words of the course that are alike by what they help to guess."""

from __future__ import annotations

import re
from typing import Any, Callable

from tests.course.conftest import Run
from tests.course.test_17_word_counts import MEANT


def test_quick(run: Run) -> None:
    done = run("17_word2vec")
    assert "made-up sentences" in done.out
    nearest = dict(re.findall(r"nearest to (\w+): (.*)", done.out))
    assert nearest.keys() == MEANT.keys()
    assert sum(len(MEANT[word] & set(others.split(", "))) for word, others in nearest.items()) >= 14, "of 16"
    assert done.figures["alike"] > 0.8 > 0.2 > done.figures["strange"]
    assert "his is to king as her is to queen: answer 1" in done.out
    assert done.figures["loss"] < 3, "it begins with 6 log 2, which is more than 4"


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("17_word2vec")
    assert figures["found"] >= 0.75, "by chance it is less than 0.01"
    assert figures["alike"] > 0.3 > 0.05 > abs(figures["strange"])
    assert figures["five"] >= 0.5 * figures["analogies"], "by chance none"
