"""Numerical differentiation against backpropagation."""

from __future__ import annotations

import pytest

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    figures = run("03_gradient_check").figures
    assert figures["worst"] < 1e-6, "backpropagation is right"
    assert figures["planted"] == pytest.approx(1e-3, rel=0.02), "and the check finds what is wrong by a thousandth"
    assert figures["complex_float64"] < 1e-14 < 1e-11 < figures["central_float64"] < 1e-8 < figures["forward_float64"] < 1e-5
    assert figures["complex_float32"] < 1e-5 < figures["central_float32"] < figures["forward_float32"] < 0.1
    assert figures["backward_float32"] < 1e-5
