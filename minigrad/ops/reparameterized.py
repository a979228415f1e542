"""Random numbers that move with the parameters of their distribution: those for which this needs a rule of its own.

A sample follows its parameters by implicit differentiation, as ``minigrad/ops/pointwise/tails.py`` says. It is never exactly 0 or
1, where densities and these derivatives may be infinite, but the nearest number that the dtype has.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import _arrays
from minigrad.ops.pointwise import arithmetic
from minigrad.ops.pointwise.tails import beta_tail, gamma_tail
from minigrad.ops.reducing import reduction
from minigrad.random import draws_on
from minigrad.recording.op import op


@op(dtypes="float")
def standard_gamma(concentration: Any, *, generator: Any = None) -> Any:
    """Numbers of the gamma distributions of rate 1 whose concentrations are given."""
    arithmetic.require_real("standard_gamma", concentration)
    draws = draws_on(_arrays.device_of(concentration), generator)
    drawn = _arrays.as_array(draws.standard_gamma(concentration.astype(np.float64, copy=False)))
    return np.maximum(drawn.astype(concentration.dtype), np.finfo(concentration.dtype).tiny)
@standard_gamma.derivative("concentration")
def standard_gamma_wrt_concentration(g: Any, concentration: Any, out: Any) -> Any:
    return -g * gamma_tail(concentration, out, order=1)


@op(dtypes="float")
def sample_dirichlet(concentration: Any, *, generator: Any = None) -> Any:
    """Points of the Dirichlet distributions whose concentrations stand along the last dimension."""
    arithmetic.require_real("sample_dirichlet", concentration)
    draws, info = draws_on(_arrays.device_of(concentration), generator), np.finfo(concentration.dtype)
    # Gamma variates over their sum. A variate of a is one of a + 1 times U ** (1 / a), whose logarithm does not underflow.
    a = concentration.astype(np.float64, copy=False)
    logs = np.log(_arrays.as_array(draws.standard_gamma(a + 1))) - _arrays.as_array(draws.standard_exponential(a.shape)) / a
    parts = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return np.clip((parts / parts.sum(axis=-1, keepdims=True)).astype(concentration.dtype), info.tiny, 1 - info.epsneg)
@sample_dirichlet.derivative("concentration")
def sample_dirichlet_wrt_concentration(g: Any, concentration: Any, out: Any) -> Any: return dirichlet_slope(out, concentration, g)


def dirichlet_slope(x: Any, concentration: Any, g: Any) -> Any:
    """The gradient of the concentrations where that of the point `x` is `g`.

    Each coordinate is a beta variate and moves as one; the others share what it leaves as they did before.
    """
    rest = reduction.sum(concentration, -1, True) - concentration
    shift = -beta_tail(concentration, rest, x, order1=1, order0=0) / (1 - x)
    return shift * (g - reduction.sum(x * g, -1, True))
