"""Tails of the gamma and the beta distribution: their probability, and how a quantile moves when a parameter does.

A sample x with distribution function F(x; a) keeps its probability when a changes, if it moves by ``-(dF/da) / p(x)``, where p is
the density (Figurnov, Mohamed and Mnih, Implicit reparameterization gradients, 2018, equation 5). Of both distributions ``dF/da``
is the integral of a logarithm times the density, over the tail below x, or, with the other sign, above it. Derivatives of such
integrals are again integrals of products of logarithms, so one operation for each distribution has derivatives of every order.
"""

from __future__ import annotations

import functools
from typing import Any, Callable

import numpy as np

from minigrad.ops.pointwise import arithmetic, elementary
from minigrad.ops.pointwise.special import digamma, evaluate, lgamma, polygamma_of
from minigrad.recording.op import op

__all__ = ["igamma", "igammac"]


# ---------------------------------------------------------------------------------------------------- incomplete gamma functions

@op(broadcasts=True, dtypes="float", numbers=())
def igamma(input: Any, other: Any) -> Any:
    """The regularised lower incomplete gamma function P(input, other): the probability that a gamma variate of concentration
    `input` and rate 1 is below `other`."""
    return evaluate("gammainc", input, other)
@igamma.derivative("input")
def igamma_wrt_input(g: Any, input: Any, other: Any) -> Any: return g * igamma_slope(input, other)
@igamma.derivative("other")
def igamma_wrt_other(g: Any, input: Any, other: Any) -> Any: return g * gamma_density(input, other)


@op(broadcasts=True, dtypes="float", numbers=())
def igammac(input: Any, other: Any) -> Any:
    """The regularised upper incomplete gamma function, ``1 - igamma``."""
    return evaluate("gammaincc", input, other)
@igammac.derivative("input")
def igammac_wrt_input(g: Any, input: Any, other: Any) -> Any: return -g * igamma_slope(input, other)
@igammac.derivative("other")
def igammac_wrt_other(g: Any, input: Any, other: Any) -> Any: return -g * gamma_density(input, other)


def gamma_density(a: Any, x: Any) -> Any:
    """``x**(a - 1) exp(-x) / gamma(a)``."""
    return elementary.exp((a - 1) * elementary.log(x) - x - lgamma(a))


def igamma_slope(a: Any, x: Any) -> Any:
    """The derivative of :func:`igamma` by its first argument."""
    density = gamma_density(a, x)
    return arithmetic.apply_mask(gamma_tail(a, x, order=1) * density, (density != 0) & (x != 0))


# ---------------------------------------------------------------------------------------------------- tails

NEGLIGIBLE = 40.0  # exp(-40) is nothing beside 1 in float64
NEAR = 40.0  # beyond this distance exp(-v) is nothing beside 1: what remains is one exponential


@functools.cache
def quadrature() -> list[tuple[float, float]]:
    """Nodes, from 0 to 1, and weights of the formula of Gauss and Legendre."""
    nodes, weights = np.polynomial.legendre.leggauss(40)
    return list(zip((nodes / 2 + 0.5).tolist(), (weights / 2).tolist()))


def integrate(integrand: Callable[[Any], Any], exponent: Callable[[Any], tuple[Any, Any]], limit: Any) -> Any:
    """The integral over v from 0 to infinity of ``integrand(v) * exp(h)``, element by element, where ``exponent(v)`` gives h,
    which is concave and falls from 0, and its slope. `limit` is somewhere above the v at which h is negligible."""
    for _ in range(6):  # Newton's method on a concave function comes down to the limit, and does not pass it
        h, slope = exponent(limit)
        limit = limit - (h + NEGLIGIBLE) / slope
    total: Any = 0.0
    near = np.minimum(limit, NEAR)
    for start, width in ((0.0, near), (near, limit - near)):
        if bool((width > 0).any()):
            for node, weight in quadrature():
                v = start + node * width
                total = total + weight * width * (integrand(v) * np.exp(exponent(v)[0]))
    return total


def in_double(name: str, *arrays: Any) -> list[Any]:
    """The `arrays` in float64. Raises ``RuntimeError`` for complex numbers."""
    arithmetic.require_real(name, *arrays)
    return [x.astype(np.float64, copy=False) for x in arrays]


@op(broadcasts=True, dtypes="float", numbers=())
def gamma_tail(concentration: Any, value: Any, *, order: int) -> Any:
    """The integral of ``(log t - digamma(a)) ** order * p(t) / p(x)`` over the tail of the gamma distribution of concentration a
    and rate 1 in which the value x stands: from 0 to x below a, and minus that from x on from a upwards."""
    a, x = in_double("gamma_tail", concentration, value)
    side = np.where(x < a, -1.0, 1.0)  # t = x exp(side v)
    centred = np.log(x) - evaluate("psi", a)

    def exponent(v: Any) -> tuple[Any, Any]:
        step = np.expm1(side * v)
        return side * a * v - x * step, side * (a - x - x * step)

    below, above = (NEGLIGIBLE + x) / a, np.where(x > 30, np.sqrt(2 * NEGLIGIBLE / x), np.log1p(2 * NEGLIGIBLE / x))
    total = integrate(lambda v: (centred + side * v) ** order, exponent, np.where(side < 0, below, above))
    return (-side * x * total).astype(value.dtype, copy=False)
@gamma_tail.derivative("concentration")
def gamma_tail_wrt_concentration(g: Any, concentration: Any, value: Any, out: Any, order: int) -> Any:
    change = gamma_tail(concentration, value, order=order + 1) - out * (elementary.log(value) - digamma(concentration))
    if order:
        change -= order * polygamma_of(concentration, n=1) * gamma_tail(concentration, value, order=order - 1)
    return g * change
@gamma_tail.derivative("value")
def gamma_tail_wrt_value(g: Any, concentration: Any, value: Any, out: Any, order: int) -> Any:
    return g * ((elementary.log(value) - digamma(concentration)) ** order - out * ((concentration - 1) / value - 1))


@op(broadcasts=True, dtypes="float", numbers=())
def beta_tail(concentration1: Any, concentration0: Any, value: Any, *, order1: int, order0: int) -> Any:
    """The integral of ``A ** order1 * B ** order0 * p(t) / p(x)`` over the tail of the beta distribution in which the value x
    stands, where A is ``log(t)`` and B is ``log(1 - t)``, each less its expected value: from 0 to x below the mean, and minus
    that from x to 1 from the mean upwards."""
    a, b, x = in_double("beta_tail", concentration1, concentration0, value)
    upper = x * (a + b) >= a  # which is the lower tail of 1 - x, of the distribution with a and b exchanged
    log_x, log_rest = np.log(x), np.log1p(-x)
    a, b = np.where(upper, b, a), np.where(upper, a, b)
    log_x, log_rest = np.where(upper, log_rest, log_x), np.where(upper, log_x, log_rest)
    both = evaluate("psi", a + b)
    mean_log, mean_log_rest = evaluate("psi", a) - both, evaluate("psi", b) - both

    def logarithms(v: Any) -> tuple[Any, Any]:
        """Of t and 1 - t, for the t whose logit is v less than that of x."""
        logit = log_x - log_rest - v
        return -np.logaddexp(0, -logit), -np.logaddexp(0, logit)

    def exponent(v: Any) -> tuple[Any, Any]:
        log_t, log_s = logarithms(v)
        return a * (log_t - log_x) + b * (log_s - log_rest), b * np.exp(log_t) - a * np.exp(log_s)

    def integrand(v: Any) -> Any:
        log_t, log_s = logarithms(v)
        first, second = log_t - mean_log, log_s - mean_log_rest
        return np.where(upper, second, first) ** order1 * np.where(upper, first, second) ** order0

    total = integrate(integrand, exponent, (NEGLIGIBLE - (a + b) * log_rest) / a)
    return (np.where(upper, -1.0, 1.0) * np.exp(log_x + log_rest) * total).astype(value.dtype, copy=False)
@beta_tail.derivative("concentration1")
def beta_tail_wrt_concentration1(g: Any, concentration1: Any, concentration0: Any, value: Any, out: Any, order1: int,
                                 order0: int) -> Any:
    return g * beta_tail_slope(concentration1, concentration0, value, out, order1, order0)
@beta_tail.derivative("concentration0")
def beta_tail_wrt_concentration0(g: Any, concentration1: Any, concentration0: Any, value: Any, out: Any, order1: int,
                                 order0: int) -> Any:
    return g * beta_tail_slope(concentration1, concentration0, value, out, order1, order0, by=0)
@beta_tail.derivative("value")
def beta_tail_wrt_value(g: Any, concentration1: Any, concentration0: Any, value: Any, out: Any, order1: int, order0: int) -> Any:
    first, second = centred_logarithms(concentration1, concentration0, value)
    return g * (first ** order1 * second ** order0 - out * ((concentration1 - 1) / value - (concentration0 - 1) / (1 - value)))


def centred_logarithms(a: Any, b: Any, x: Any) -> tuple[Any, Any]:
    """``log(x)`` and ``log(1 - x)``, each less its expected value."""
    both = digamma(a + b)
    return elementary.log(x) - digamma(a) + both, elementary.log1p(-x) - digamma(b) + both


def beta_tail_slope(a: Any, b: Any, x: Any, out: Any, order1: int, order0: int, by: int = 1) -> Any:
    """The derivative of :func:`beta_tail` by its first parameter, or, with `by` 0, by the second."""
    def tail(step1: int, step0: int) -> Any:
        return beta_tail(a, b, x, order1=order1 + step1, order0=order0 + step0)
    shared = polygamma_of(a + b, n=1)
    change = tail(by, 1 - by) - out * centred_logarithms(a, b, x)[1 - by]
    if order1:
        change = change + order1 * (shared - by * polygamma_of(a, n=1)) * tail(-1, 0)
    if order0:
        change = change + order0 * (shared - (1 - by) * polygamma_of(b, n=1)) * tail(0, -1)
    return change
