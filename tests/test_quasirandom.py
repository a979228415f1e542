"""The Sobol engine: its points are those of the direction numbers of Joe and Kuo, as PyTorch's are."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import minigrad as mg

pytest.importorskip("scipy", reason="the direction numbers are SciPy's")
SobolEngine = mg.quasirandom.SobolEngine

FIRST = [[0, 0, 0], [0.5, 0.5, 0.5], [0.75, 0.25, 0.25], [0.25, 0.75, 0.75], [0.375, 0.375, 0.625], [0.875, 0.875, 0.125],
         [0.625, 0.125, 0.875], [0.125, 0.625, 0.375]]


def test_the_first_points() -> None:
    assert SobolEngine(3).draw(8).tolist() == FIRST
    engine = SobolEngine(3)
    assert [engine.draw(n).tolist() for n in (1, 0, 2)] == [FIRST[:1], [], FIRST[1:3]] and engine.num_generated == 3
    assert engine.fast_forward(2).draw(dtype=mg.float64).tolist() == FIRST[5:6] and engine.num_generated == 6
    assert engine.reset().draw_base2(3).tolist() == FIRST and engine.draw().dtype is mg.float32


def test_out() -> None:
    out = mg.zeros(8, 3)
    assert SobolEngine(3).draw(8, out=out) is out and out.tolist() == FIRST


@pytest.mark.parametrize("dimension", [2, 7, 600])
def test_scrambled_points_fill_the_cube_evenly(dimension: int) -> None:
    points = SobolEngine(dimension, scramble=True, seed=1).draw(256)
    assert (points >= 0).all() and (points < 1).all() and points[0].any()
    counts = np.histogram(points[:, 0].numpy(), bins=16, range=(0, 1))[0]
    assert (counts == 16).all()
    np.testing.assert_array_equal(points.numpy(), SobolEngine(dimension, scramble=True, seed=1).draw(256).numpy())
    assert not np.array_equal(points.numpy(), SobolEngine(dimension, scramble=True, seed=2).draw(256).numpy())


def test_the_seed_is_drawn_from_the_default_generator() -> None:
    mg.manual_seed(3)
    first = SobolEngine(4, scramble=True).draw(4)
    mg.manual_seed(3)
    assert mg.equal(SobolEngine(4, scramble=True).draw(4), first)


def test_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"Supported range of dimensionality for SobolEngine is \[1, 21201\], got 21202"):
        SobolEngine(21202)
    engine = SobolEngine(2)
    engine.draw(5)
    with pytest.raises(ValueError, match=r"5 points have been previously generated, then: n=5\+2\*\*1=7"):
        engine.draw_base2(1)
    assert repr(SobolEngine(3)) == "SobolEngine(dimension=3)"
    assert repr(SobolEngine(3, True, 1)) == "SobolEngine(dimension=3, scramble=True, seed=1)"
    monkeypatch.setitem(sys.modules, "scipy.stats.qmc", None)
    with pytest.raises(ImportError, match=r'SobolEngine needs SciPy, .* pip install "minigrad-numpy\[scipy\]"'):
        SobolEngine(2)


@pytest.mark.parity
@pytest.mark.parametrize("dimension", [1, 3, 50, 1111])
def test_the_points_are_pytorchs(dimension: int) -> None:
    torch: Any = pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
    theirs = torch.quasirandom.SobolEngine(dimension)
    ours = SobolEngine(dimension)
    for n in (1, 100, 27):
        np.testing.assert_array_equal(ours.draw(n).numpy(), theirs.draw(n).numpy())
