"""Special functions, against SciPy; their derivatives by differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import strategies as st

from tests.op_cases import OpCase, arrays, broadcastable, integers, sample

scipy = pytest.importorskip("scipy.special", reason="special functions come from SciPy")


def one(reference, low=-2.0, high=2.0, away=(), analytic=False, **more):
    return OpCase(sample(arrays(low=low, high=high, away=away)), reference, analytic=analytic, **more)


def polynomial(reference, **settings):
    """Degrees as floating numbers, and points around the interval of orthogonality."""
    def degrees(shape):
        return integers(shape, -1, 6).map(lambda n: n.astype(np.float64))
    def values(input, n, **order):
        n = n.astype(np.int64)
        return np.where(n < 0, 0.0, reference(np.maximum(n, 0), *order.values(), input))
    return OpCase(sample(broadcastable(2, each=[lambda s: arrays(s, low=-1.5, high=1.5), degrees]), **settings), values,
                  constant=("n",))


def third(sign):
    return lambda n, x: scipy.eval_chebyu(n, x) + sign * np.where(n > 0, scipy.eval_chebyu(np.maximum(n - 1, 0), x), 0.0)


CASES = {
    "erf": one(np.vectorize(math.erf, otypes=[float]), edges=[((np.array([-np.inf, -0.0, 1e-10, 6.0, np.nan]),), {})]),
    "erfc": one(np.vectorize(math.erfc, otypes=[float]), edges=[((np.array([10.0, -10.0]),), {})]),
    "erfcx": one(lambda x: np.exp(x * x) * scipy.erfc(x), saves=("out",)),
    "erfinv": one(scipy.erfinv, low=-0.9, high=0.9, edges=[((np.array([-1.0, 1.0]),), {})]),
    "ndtr": one(lambda x: scipy.erfc(-x / np.sqrt(2)) / 2),
    "ndtri": one(lambda p: np.sqrt(2) * scipy.erfinv(2 * p - 1), low=0.1, high=0.9, saves=("out",)),
    "log_ndtr": one(lambda x: np.log(scipy.ndtr(x))),
    "entr": one(lambda x: -x * np.log(x), low=0.2),
    "xlog1py": OpCase(sample(broadcastable(2, low=-0.8)), scipy.xlog1py,
                      edges=[((np.array([0.0, 0.0]), np.array([-1.0, 2.0])), {})]),
    "lgamma": one(np.vectorize(math.lgamma, otypes=[float]), low=0.3, high=4.0),
    "digamma": one(scipy.psi, low=0.5, high=4.0, edges=[((np.array([-1.5, 7.0]),), {})]),
    "polygamma_of": OpCase(sample(arrays(low=0.5, high=4.0), n=2), lambda input, n: scipy.polygamma(n, input),
                           examples=[((np.array([1.0, 2.0]),), {"n": n}) for n in (0, 1, 4)]),
    "zeta": OpCase(sample(broadcastable(2, each=[lambda s: arrays(s, low=1.5, high=4.0), lambda s: arrays(s, low=0.5)])),
                   scipy.zeta, constant=("input",)),
    "i0": one(scipy.i0),
    "i0e": one(lambda x: scipy.i0(x) * np.exp(-np.abs(x)), away=[0.0], saves=("out",)),
    "i1": one(scipy.i1, edges=[((np.array([0.0]),), {})], saves=("out",)),
    "i1e": one(lambda x: scipy.i1(x) * np.exp(-np.abs(x)), away=[0.0], saves=("out",)),
    "airy_ai": one(lambda x: scipy.airy(x)[0]),
    "airy_ai_slope": one(lambda x: scipy.airy(x)[1]),
    "bessel_j0": one(scipy.j0),
    "bessel_j1": one(scipy.j1),
    "bessel_y0": one(scipy.y0, low=0.2),
    "bessel_y1": one(scipy.y1, low=0.2),
    "modified_bessel_k0": one(scipy.k0, low=0.2),
    "modified_bessel_k1": one(scipy.k1, low=0.2),
    "scaled_modified_bessel_k0": one(lambda x: np.exp(x) * scipy.k0(x), low=0.2, saves=("out",)),
    "scaled_modified_bessel_k1": one(lambda x: np.exp(x) * scipy.k1(x), low=0.2, saves=("out",)),
    "spherical_bessel_j0": one(lambda x: scipy.spherical_jn(0, x), edges=[((np.array([0.0, np.inf]),), {})]),
    "spherical_bessel": OpCase(sample(arrays(), order=st.integers(0, 3)), lambda x, order: scipy.spherical_jn(order, x)),
    "bessel": OpCase(sample(arrays(low=0.4), family=st.sampled_from(["jv", "yv", "kv", "kve"]), order=st.integers(-1, 3)),
                     lambda x, family, order: getattr(scipy, family)(order, x), saves=("out",)),
    "chebyshev_polynomial_t": polynomial(scipy.eval_chebyt),
    "chebyshev_polynomial_u": polynomial(scipy.eval_chebyu),
    "chebyshev_polynomial_v": polynomial(third(-1)),
    "chebyshev_polynomial_w": polynomial(third(1)),
    "hermite_polynomial_h": polynomial(scipy.eval_hermite),
    "hermite_polynomial_he": polynomial(scipy.eval_hermitenorm),
    "laguerre_polynomial_l": polynomial(scipy.eval_laguerre),
    "legendre_polynomial_p": polynomial(scipy.eval_legendre),
    "gegenbauer": polynomial(scipy.eval_gegenbauer, order=st.sampled_from([1, 1.5, 2])),
    "laguerre": polynomial(scipy.eval_genlaguerre, order=st.sampled_from([1, 2])),
}
