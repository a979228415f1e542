"""Polynomials by which both NumPy's functions and compiled kernels compute."""

from __future__ import annotations

__all__ = ["LOGIT_POLYNOMIAL"]

# log(ndtr(x) / ndtr(-x)) / x as a polynomial in x**2: of ndtr(x) it leaves 4e-8, less than the half of a float32's last place
# near 1. A minimax fit for |x| <= 5.5; beyond that ndtr is that near to 0 or 1.
LOGIT_POLYNOMIAL = (1.59576899, 0.0726689796, -6.77163717e-05, -0.00010969253, 7.77790212e-06, -2.53401183e-07, 3.22078362e-09)
