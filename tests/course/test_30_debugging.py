"""Planted faults, and what is said of them."""

from __future__ import annotations

import pytest

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    done = run("30_debugging")
    assert done.figures["named"] == 6
    text = " ".join(done.out.split())
    for found in ("decoder: The tensor has a gradient, and it is not zero", "encoder: The loss does not depend on this tensor",
                  "It is made zero by ReluBackward0", "by module:", "was not called in between"):
        assert found in text
    assert done.figures["vanishing"] < 1e-5 and done.figures["healthy"] == pytest.approx(0.3, abs=0.25)
    assert done.figures["learnt"] > 0.8 > 0.4 > done.figures["stuck"]
