"""Nine optimizers race, and five learn digits."""

from __future__ import annotations

import re
from typing import Any, Callable

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    done = run("08_optimizers")
    heights, losses = done.figures["heights"], done.figures["losses"]
    assert len(re.findall(r"^(\S+) +\d+ .*e[-+]\d+$", done.out, re.MULTILINE)) == len(heights) == 9
    assert max(heights.values()) < 6
    assert min(heights, key=lambda name: float(heights[name])) == "L-BFGS"
    assert heights["L-BFGS"] < 1e-9
    assert heights["momentum"] < heights["SGD"]
    assert losses["Adam"] < losses["SGD"] < 2.2
    assert min(done.figures["accuracies"].values()) > 0.5


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    accuracies = measured("08_optimizers")["accuracies"]
    assert min(accuracies.values()) >= 0.92
    assert accuracies["Adam, then SGD"] >= accuracies["SGD"]
