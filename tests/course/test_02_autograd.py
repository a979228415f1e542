"""A tour of autograd."""

from __future__ import annotations

import pytest

from tests.course.conftest import Run


@pytest.mark.filterwarnings("ignore:Graphviz's program")  # the picture is drawn without it too
def test_quick(run: Run) -> None:
    done = run("02_autograd")
    assert "SumBackward0 <- MulBackward0 <- " in done.out
    assert "dy/dx = [2.0, 4.0, 6.0]" in done.out and "x.grad = [4.0, 8.0, 12.0]" in done.out
    assert "Trying to backward through the graph a second time" in done.out
    assert "modified by an inplace operation" in done.out
    figures = done.figures
    assert figures["error"] < 1e-15
    assert figures["unseen"] == [0, 0], "a write through .data is not seen"
    assert figures["cleared"] == pytest.approx(2, abs=0.01)
    assert abs(figures["uncleared"] - 2) > 1
    slope = (1 - 0.6640367702678491**2) * 2 * (0.6640367702678491 - 1)  # of the loss by what tanh is given
    assert (figures["w_grad"], figures["b_grad"]) == pytest.approx((2 * slope, slope), rel=1e-5)
