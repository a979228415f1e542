"""Tails of distributions, against SciPy's integration; their derivatives by differences."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import strategies as st

from tests.op_cases import OpCase, arrays, broadcastable, sample

special = pytest.importorskip("scipy.special", reason="special functions come from SciPy")
integrate = pytest.importorskip("scipy.integrate", reason="the oracle integrates")


def integral(function, low, high):
    return integrate.quad(function, low, high, epsabs=1e-300, epsrel=1e-9, limit=200)[0]


@functools.partial(np.vectorize, otypes=[float])
def gamma_tail(a, x, order):
    def relative(t):
        return (np.log(t) - special.psi(a)) ** order * np.exp((a - 1) * np.log(t / x) - (t - x))
    return integral(relative, 0, x) if x < a else -integral(relative, x, x + 100 + 2 * a)


@functools.partial(np.vectorize, otypes=[float])
def beta_tail(a, b, x, order1, order0):
    both = special.psi(a + b)

    def relative(t):
        centred = (np.log(t) - special.psi(a) + both) ** order1 * (np.log1p(-t) - special.psi(b) + both) ** order0
        return centred * np.exp((a - 1) * np.log(t / x) + (b - 1) * (np.log1p(-t) - np.log1p(-x)))
    return integral(relative, 0, x) if x * (a + b) < a else -integral(relative, x, 1)


def between(low, high):
    return lambda shape: arrays(shape, low, high)


BELOW = broadcastable(each=[between(1.5, 3.0), between(0.2, 1.2)])  # of concentrations and values in the lower tail
ABOVE = broadcastable(each=[between(0.5, 1.5), between(1.7, 4.0)])
LEFT = broadcastable(each=[between(2.0, 3.0), between(1.0, 1.5), between(0.1, 0.5)])
RIGHT = broadcastable(each=[between(0.7, 1.2), between(1.0, 2.0), between(0.6, 0.9)])

CASES = {
    "igamma": OpCase(sample(broadcastable(2, low=0.5)), special.gammainc, grad_rtol=1e-5,
                     examples=[((np.array([2.0, 0.3, 40.0]), np.array([1e-3, 5.0, 38.0])), {})]),
    "igammac": OpCase(sample(broadcastable(2, low=0.5)), special.gammaincc, grad_rtol=1e-5),
    "gamma_tail": OpCase(sample(st.one_of(BELOW, ABOVE), order=st.integers(0, 2)),
                         gamma_tail, rtol=1e-8, saves=("out",),
                         examples=[((np.array([0.8, 300.0, 300.0]), np.array([0.1, 290.0, 310.0])), {"order": 1})]),
    "beta_tail": OpCase(sample(st.one_of(LEFT, RIGHT), order1=st.integers(0, 1), order0=st.integers(0, 1)),
                        beta_tail, rtol=1e-8, saves=("out",),
                        examples=[((np.array([40.0, 40.0]), np.array([90.0, 90.0]), np.array([0.2, 0.5])),
                                   {"order1": 1, "order0": 0})]),
}
