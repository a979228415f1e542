"""Special functions: the error function and its kin, gamma, Bessel functions, orthogonal polynomials.

Values come from SciPy, or from CuPy for arrays on a GPU; only the error function, which :func:`gelu` needs, is computed here
where SciPy is not installed. The Bessel functions J, Y, K, the Airy function and the polynomials have no derivative here, as
they have none in PyTorch.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays
from minigrad._arrays.host.polynomials import LOGIT_POLYNOMIAL
from minigrad.errors import RuntimeValueError
from minigrad.ops.pointwise import arithmetic, comparison, elementary
from minigrad.recording.inplace import with_inplace
from minigrad.recording.op import op

if TYPE_CHECKING:
    from minigrad._types.annotations import Number, Tensor

__all__ = ["digamma", "erf", "erfc", "erfinv", "i0", "lgamma", "mvlgamma", "polygamma"]


def evaluate(name: str, *arrays: Any, which: int = 0) -> Any:
    """The function `name` of SciPy's, or CuPy's, special functions, in the dtype of the last of `arrays`; of several results
    number `which`.

    What CuPy lacks is computed by SciPy in host memory.
    """
    library, dtype = _arrays.library_of(arrays[-1]), arrays[-1].dtype
    function = getattr(library.special(), name, None)
    if function is None:
        return library.from_numpy(evaluate(name, *[library.to_numpy(x) for x in arrays], which=which),
                                  library.device_of(arrays[-1]))
    result = function(*arrays)
    return _arrays.as_array(result[which] if isinstance(result, tuple) else result).astype(dtype, copy=False)


# ---------------------------------------------------------------------------------------------------- the error function

# erf(x) / x for |x| <= 1, a Chebyshev series in 2 x**2 - 1.
ERF_SERIES = (0.9754769393826541, -0.14226120510371364, 0.010035582187599796, -0.00057687646997674848, 2.7419931252196061e-5,
              -1.1043175507344508e-6, 3.8488755420345037e-8, -1.1808582533875467e-9, 3.233421582605091e-11,
              -7.9910159470045488e-13, 1.7990725113961456e-14, -3.7186354878186926e-16, 7.103599003714253e-18)
# (1 + 2 x) exp(x**2) erfc(x) for x >= 0, a Chebyshev series in (x - 3.75) / (x + 3.75). The variable is that of Shepherd and
# Laframboise, Chebyshev approximation of (1 + 2x) exp(x^2) erfc x in 0 <= x < inf, Mathematics of Computation 36, 1981.
ERFCX_SERIES = (1.1775789345674018, -0.0045900545806464773, -0.084249133366517916, 0.05920993999819189, -0.026658668435305752,
                0.0090749976707052651, -0.0024131635404176082, 0.00049077583652580863, -6.9169733025012064e-5,
                4.1390279860730102e-6, 7.7403830661984907e-7, -2.1886401049234396e-7, 1.076499946567091e-8,
                4.5219598112182869e-9, -7.7544002088313511e-10, -6.3180883408866845e-11, 2.8687950109306699e-11,
                1.9455868545777347e-13, -9.6546967484334389e-13, 3.2525481481487398e-14, 3.3478119482868054e-14,
                -1.8645628804193131e-15, -1.2507950530688647e-15, 7.4182352566240435e-17, 5.0681489047961113e-17)


def chebyshev_sum(t: Any, series: tuple[float, ...]) -> Any:
    """The Chebyshev series at `t`, by Clenshaw's recurrence."""
    a, b = t * 0 + series[-1], t * 0
    for c in series[-2:0:-1]:
        a, b = 2 * t * a - b + c, a
    return t * a - b + series[0]


def erf_by_series(x: Any) -> Any:
    """The error function of an array to 4e-16 in float64, without SciPy."""
    size = np.minimum(np.abs(x), 28)  # erfc(28) is 0 in float64; nan stays nan
    near = x * chebyshev_sum(2 * np.minimum(size, 1) ** 2 - 1, ERF_SERIES)
    far = 1 - np.exp(-size * size) * chebyshev_sum((size - 3.75) / (size + 3.75), ERFCX_SERIES) / (1 + 2 * size)
    return np.where(size <= 1, near, np.copysign(far, x))


def erf_of(x: Any) -> Any:
    """The error function of an array."""
    try:
        return evaluate("erf", x)
    except ImportError:
        return erf_by_series(x)


@op(dtypes="float")
def erf(input: Any) -> Any:
    """The error function ``2 / sqrt(pi)`` times the integral of ``exp(-t**2)`` from 0 to x."""
    return erf_of(input)
@erf.derivative("input")
def erf_wrt_input(g: Any, input: Any) -> Any: return g * (2 / math.sqrt(math.pi) * elementary.exp(-input * input))


@op(dtypes="float")
def erfc(input: Any) -> Any:
    """``1 - erf(x)``, exact where erf is near 1."""
    return evaluate("erfc", input)
@erfc.derivative("input")
def erfc_wrt_input(g: Any, input: Any) -> Any: return g * (-2 / math.sqrt(math.pi) * elementary.exp(-input * input))


@op(dtypes="float")
def erfcx(input: Any) -> Any:
    """``exp(x**2) * erfc(x)``."""
    return evaluate("erfcx", input)
@erfcx.derivative("input")
def erfcx_wrt_input(g: Any, input: Any, out: Any) -> Any: return g * (2 * input * out - 2 / math.sqrt(math.pi))


@op(dtypes="float")
def erfinv(input: Any) -> Any:
    """The inverse of :func:`erf`; infinite at -1 and 1, nan outside."""
    return evaluate("erfinv", input)
@erfinv.derivative("input")
def erfinv_wrt_input(g: Any, input: Any) -> Any:
    x = erfinv(input)
    return g * (math.sqrt(math.pi) / 2 * elementary.exp(x * x))


# exp(z**2) erfc(z) / t for z >= 0 as a polynomial in t = 1 / (1 + 0.45 z), to 4e-8 of its value: a weighted least-squares fit.
ERFCX_POLYNOMIAL = (0.253885321, 0.253883095, 0.228274068, 0.175220201, 0.120153749, -0.0230658266, 0.143817534, -0.302205371,
                    0.191675756, -0.0416385497)


def ndtr_of(x: Any) -> Any:
    """The normal distribution function of an array; in float32 by a polynomial, several times faster than SciPy's."""
    if x.dtype.char == "f":
        size = np.abs(x)
        t = 1 / (1 + size * (0.45 * math.sqrt(0.5)))
        p = t * ERFCX_POLYNOMIAL[-1]
        for c in ERFCX_POLYNOMIAL[-2:0:-1]:
            p += c
            p *= t
        tail = (p + ERFCX_POLYNOMIAL[0]) * (0.5 * t) * np.exp(size * size * -0.5)  # the probability beyond |x|
        above = (x > 0).astype(x.dtype)
        return above + (1 - 2 * above) * tail
    try:
        return evaluate("ndtr", x)
    except ImportError:
        return 0.5 * (1 + erf_by_series(x * math.sqrt(0.5)))


BLOCK = 1 << 16  # elements; with what is computed from them they stay in the cache


def in_blocks(function: Any) -> Any:
    """Let an elementwise function of an array compute a large one block by block: many steps then pass over the cache only."""
    @functools.wraps(function)
    def call(x: Any) -> Any:
        if x.__class__ is not np.ndarray or x.size <= BLOCK or not x.flags.c_contiguous:
            return function(x)
        out = np.empty_like(x)
        source, target = x.reshape(-1), out.reshape(-1)
        for start in range(0, x.size, BLOCK):
            target[start:start + BLOCK] = function(source[start:start + BLOCK])
        return out
    return call


def odds_against(x: Any) -> Any:
    """``ndtr(-x) / ndtr(x)`` of a float32 array."""
    square = x * x
    p = square * -LOGIT_POLYNOMIAL[-1]
    for c in LOGIT_POLYNOMIAL[-2:0:-1]:
        p -= c
        p *= square
    p -= LOGIT_POLYNOMIAL[0]
    p *= x
    return np.exp(p)


@in_blocks
def gelu_of(x: Any) -> Any:
    """``x * ndtr(x)`` of an array."""
    if x.dtype.char == "f":
        odds = odds_against(x)
        odds += 1
        return x / odds
    return x * ndtr_of(x)


@in_blocks
def gelu_slope_of(x: Any) -> Any:
    """``ndtr(x) + x * density(x)`` of an array."""
    slope = np.exp(x * x * -0.5)
    slope *= 1 / math.sqrt(2 * math.pi)
    slope *= x
    if x.dtype.char == "f":
        odds = odds_against(x)
        odds += 1
        slope += 1 / odds
    else:
        slope += ndtr_of(x)
    return slope


@op(dtypes="float")
def ndtr(input: Any) -> Any:
    """The probability that a standard normal variable is below x."""
    return ndtr_of(input)
@ndtr.derivative("input")
def ndtr_wrt_input(g: Any, input: Any) -> Any:
    return g * (elementary.exp(input * input * -0.5) * (1 / math.sqrt(2 * math.pi)))


@op(dtypes="float")
def ndtri(input: Any) -> Any:
    """The inverse of :func:`ndtr`."""
    return evaluate("ndtri", input)
@ndtri.derivative("input")
def ndtri_wrt_input(g: Any, out: Any) -> Any: return g * (math.sqrt(2 * math.pi) * elementary.exp(out * out * 0.5))


@op(dtypes="float")
def log_ndtr(input: Any) -> Any:
    """``log(ndtr(x))`` without underflow."""
    return evaluate("log_ndtr", input)
@log_ndtr.derivative("input")
def log_ndtr_wrt_input(g: Any, input: Any) -> Any:
    return g * (math.sqrt(2 / math.pi) / erfcx(input * -math.sqrt(0.5)))


# ---------------------------------------------------------------------------------------------------- entropy

@op(dtypes="float")
def entr(input: Any) -> Any:
    """``-x * log(x)``, 0 at 0 and -inf below."""
    return evaluate("entr", input)
@entr.derivative("input")
def entr_wrt_input(g: Any, input: Any) -> Any: return g * (-elementary.log(input) - 1)


@op(broadcasts=True, dtypes="float")
def xlog1py(input: Any, other: Any) -> Any:
    """``input * log1p(other)``, and 0 where `input` is 0 unless `other` is nan."""
    return np.where((input == 0) & ~np.isnan(other), 0, input * np.log1p(other))
@xlog1py.derivative("input")
def xlog1py_wrt_input(g: Any, input: Any, other: Any) -> Any:
    return arithmetic.apply_mask(g * elementary.log1p(other), (input != 0) | (other > -1))
@xlog1py.derivative("other")
def xlog1py_wrt_other(g: Any, input: Any, other: Any) -> Any: return g * input / (other + 1)


# ---------------------------------------------------------------------------------------------------- gamma and zeta

@op(dtypes="float")
def lgamma(input: Any) -> Any:
    """``log(|gamma(x)|)``."""
    return np.where(np.isinf(input), np.abs(input), evaluate("gammaln", input))
@lgamma.derivative("input")
def lgamma_wrt_input(g: Any, input: Any) -> Any: return g * digamma(input)


@op(dtypes="float")
def digamma(input: Any) -> Any:
    """The derivative of :func:`lgamma`; nan at negative integers, an infinity of the opposite sign at 0 and -0."""
    return np.where(input == 0, np.copysign(math.inf, -input), evaluate("psi", input)).astype(input.dtype, copy=False)
@digamma.derivative("input")
def digamma_wrt_input(g: Any, input: Any) -> Any: return g * polygamma_of(input, n=1)


@op(dtypes="float", grad_name="PolygammaBackward0", called="polygamma")
def polygamma_of(input: Any, *, n: int) -> Any:
    """The n-th derivative of :func:`digamma`; for n > 0 it is ``(-1)**(n+1) n! zeta(n + 1, x)``."""
    arithmetic.require_real("polygamma", input)
    if n < 0:
        raise RuntimeValueError(f"polygamma(n, x) does not support negative n; got n={n}")
    if n == 0:
        return evaluate("psi", input)
    order = np.full_like(input, n + 1)
    return (-1) ** (n + 1) * math.gamma(n + 1) * evaluate("zeta", order, input)
@polygamma_of.derivative("input")
def polygamma_of_wrt_input(g: Any, input: Any, n: int) -> Any: return g * polygamma_of(input, n=n + 1)


def polygamma(n: int, input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The `n`-th derivative of :func:`digamma` at `input`."""
    return polygamma_of(input, n, out=out)


@with_inplace
def mvlgamma(input: Tensor, p: int, *, out: Tensor | None = None) -> Tensor:
    """The logarithm of the multivariate gamma function of dimension `p`: ``p (p - 1) / 4 log(pi) + sum_j lgamma(x - j / 2)``."""
    if p < 1:
        raise RuntimeValueError(f"p has to be greater than or equal to 1; got p={p}")
    result = lgamma(input)
    for j in range(1, p):
        result = result + lgamma(input - j / 2)
    return arithmetic.add(result, p * (p - 1) / 4 * math.log(math.pi), out=out)


@op(broadcasts=True, dtypes="float", constant=("input",))
def zeta(input: Any, other: Any) -> Any:
    """Hurwitz' zeta function, the sum of ``(k + other)**-input`` over k >= 0; differentiable in `other`."""
    return evaluate("zeta", input, other)
@zeta.derivative("other")
def zeta_wrt_other(g: Any, input: Any, other: Any) -> Any: return g * (-input * zeta(input + 1, other))


# ---------------------------------------------------------------------------------------------------- Bessel functions

@op(dtypes="float")
def i0(input: Any) -> Any:
    """The modified Bessel function of the first kind of order 0."""
    return evaluate("i0", input)
@i0.derivative("input")
def i0_wrt_input(g: Any, input: Any) -> Any: return g * i1(input)


@op(dtypes="float")
def i0e(input: Any) -> Any:
    """``exp(-|x|) * i0(x)``."""
    return evaluate("i0e", input)
@i0e.derivative("input")
def i0e_wrt_input(g: Any, input: Any, out: Any) -> Any: return g * (i1e(input) - arithmetic.sgn(input) * out)


@op(dtypes="float")
def i1(input: Any) -> Any:
    """The modified Bessel function of the first kind of order 1."""
    return evaluate("i1", input)
@i1.derivative("input")
def i1_wrt_input(g: Any, input: Any, out: Any) -> Any: return g * (i0(input) - bessel_over_x(out, input))


@op(dtypes="float")
def i1e(input: Any) -> Any:
    """``exp(-|x|) * i1(x)``."""
    return evaluate("i1e", input)
@i1e.derivative("input")
def i1e_wrt_input(g: Any, input: Any, out: Any) -> Any:
    return g * (i0e(input) - arithmetic.sgn(input) * out - bessel_over_x(out, input))


def bessel_over_x(bessel: Any, x: Any) -> Any:
    """``i1(x) / x`` or ``i1e(x) / x``, which is 1/2 at 0."""
    return comparison.where(x == 0, 0.5, bessel / comparison.where(x == 0, 1.0, x))


@op(dtypes="float")
def airy_ai(input: Any) -> Any:
    """The Airy function Ai."""
    arithmetic.require_real("airy_ai", input)
    return evaluate("airy", input)
@airy_ai.derivative("input")
def airy_ai_wrt_input(g: Any, input: Any) -> Any: return g * airy_ai_slope(input)


@op(dtypes="float")
def airy_ai_slope(input: Any) -> Any:
    """The derivative of :func:`airy_ai`."""
    return evaluate("airy", input, which=1)
@airy_ai_slope.derivative("input")
def airy_ai_slope_wrt_input(g: Any, input: Any) -> Any: return g * (input * airy_ai(input))  # Airy's equation


@op(dtypes="float")
def bessel_j0(input: Any) -> Any:
    """The Bessel function of the first kind of order 0."""
    return evaluate("j0", input)
@bessel_j0.derivative("input")
def bessel_j0_wrt_input(g: Any, input: Any) -> Any: return g * -bessel_j1(input)


@op(dtypes="float")
def bessel_j1(input: Any) -> Any:
    """The Bessel function of the first kind of order 1."""
    return evaluate("j1", input)
@bessel_j1.derivative("input")
def bessel_j1_wrt_input(g: Any, input: Any) -> Any: return g * ((bessel_j0(input) - bessel(input, family="jv", order=2)) / 2)


@op(dtypes="float")
def bessel_y0(input: Any) -> Any:
    """The Bessel function of the second kind of order 0."""
    return evaluate("y0", input)
@bessel_y0.derivative("input")
def bessel_y0_wrt_input(g: Any, input: Any) -> Any: return g * -bessel_y1(input)


@op(dtypes="float")
def bessel_y1(input: Any) -> Any:
    """The Bessel function of the second kind of order 1."""
    return evaluate("y1", input)
@bessel_y1.derivative("input")
def bessel_y1_wrt_input(g: Any, input: Any) -> Any: return g * ((bessel_y0(input) - bessel(input, family="yv", order=2)) / 2)


@op(dtypes="float")
def modified_bessel_k0(input: Any) -> Any:
    """The modified Bessel function of the second kind of order 0."""
    return evaluate("k0", input)
@modified_bessel_k0.derivative("input")
def modified_bessel_k0_wrt_input(g: Any, input: Any) -> Any: return g * -modified_bessel_k1(input)


@op(dtypes="float")
def modified_bessel_k1(input: Any) -> Any:
    """The modified Bessel function of the second kind of order 1."""
    return evaluate("k1", input)
@modified_bessel_k1.derivative("input")
def modified_bessel_k1_wrt_input(g: Any, input: Any) -> Any:
    return g * ((modified_bessel_k0(input) + bessel(input, family="kv", order=2)) / -2)


@op(dtypes="float")
def scaled_modified_bessel_k0(input: Any) -> Any:
    """``exp(x) * modified_bessel_k0(x)``."""
    return evaluate("k0e", input)
@scaled_modified_bessel_k0.derivative("input")
def scaled_modified_bessel_k0_wrt_input(g: Any, input: Any, out: Any) -> Any: return g * (out - scaled_modified_bessel_k1(input))


@op(dtypes="float")
def scaled_modified_bessel_k1(input: Any) -> Any:
    """``exp(x) * modified_bessel_k1(x)``."""
    return evaluate("k1e", input)
@scaled_modified_bessel_k1.derivative("input")
def scaled_modified_bessel_k1_wrt_input(g: Any, input: Any, out: Any) -> Any:
    return g * (out - (scaled_modified_bessel_k0(input) + bessel(input, family="kve", order=2)) / 2)


@op(dtypes="float")
def bessel(input: Any, *, family: Any, order: Any) -> Any:
    """The function of an integer `order` in SciPy's `family`: ``"jv"``, ``"yv"``, ``"kv"``, or the scaled ``"kve"``."""
    return evaluate(family, np.full_like(input, order), input)
@bessel.derivative("input")
def bessel_wrt_input(g: Any, input: Any, out: Any, family: Any, order: Any) -> Any:
    below, above = (bessel(input, family=family, order=order + step) for step in (-1, 1))
    if family in ("jv", "yv"):
        return g * ((below - above) / 2)
    return g * ((out if family == "kve" else 0) - (below + above) / 2)


@op(dtypes="float")
def spherical_bessel_j0(input: Any) -> Any:
    """``sin(x) / x``, 1 at 0."""
    return np.where(input == 0, 1, np.where(np.isinf(input), 0, np.sin(input) / input))
@spherical_bessel_j0.derivative("input")
def spherical_bessel_j0_wrt_input(g: Any, input: Any) -> Any: return -g * spherical_bessel(input, order=1)


@op(dtypes="float")
def spherical_bessel(input: Any, *, order: Any) -> Any:
    """The spherical Bessel function of the first kind of an integer `order`."""
    return evaluate("spherical_jn", np.full_like(input, order, dtype=np.int64), input)
@spherical_bessel.derivative("input")
def spherical_bessel_wrt_input(g: Any, input: Any, order: Any) -> Any:
    below = spherical_bessel(input, order=order - 1) * (order / (2 * order + 1)) if order else 0
    return g * (below - spherical_bessel(input, order=order + 1) * ((order + 1) / (2 * order + 1)))


# ---------------------------------------------------------------------------------------------------- orthogonal polynomials

def polynomial(family: str, x: Any, n: Any, shift: int = 0, order: float | None = None) -> Any:
    """SciPy's polynomial `family`, of an `order` if that has one, of the degrees `n`, whose fractions are dropped, plus `shift`;
    0 for negative degrees."""
    degree = np.maximum(np.trunc(n).astype(np.int64), -1) + shift
    orders = () if order is None else (np.full_like(x, order),)
    value = evaluate(f"eval_{family}", np.maximum(degree, 0), *orders, x)
    return np.where(degree < 0, 0, value).astype(x.dtype, copy=False)


@op(broadcasts=True, dtypes="float", constant=("n",))
def chebyshev_polynomial_t(input: Any, n: Any) -> Any:
    """The Chebyshev polynomial of the first kind of degree `n`."""
    return polynomial("chebyt", input, n)
@chebyshev_polynomial_t.derivative("input")
def chebyshev_polynomial_t_wrt_input(g: Any, input: Any, n: Any) -> Any:
    return g * (arithmetic.trunc(n) * chebyshev_polynomial_u(input, n - 1))


@op(broadcasts=True, dtypes="float", constant=("n",))
def chebyshev_polynomial_u(input: Any, n: Any) -> Any:
    """The Chebyshev polynomial of the second kind of degree `n`."""
    return polynomial("chebyu", input, n)
@chebyshev_polynomial_u.derivative("input")
def chebyshev_polynomial_u_wrt_input(g: Any, input: Any, n: Any) -> Any: return g * (2 * gegenbauer(input, n - 1, order=2))


@op(broadcasts=True, dtypes="float", constant=("n",))
def chebyshev_polynomial_v(input: Any, n: Any) -> Any:
    """The Chebyshev polynomial of the third kind of degree `n`: ``U_n - U_(n-1)``."""
    return polynomial("chebyu", input, n) - polynomial("chebyu", input, n, -1)
@chebyshev_polynomial_v.derivative("input")
def chebyshev_polynomial_v_wrt_input(g: Any, input: Any, n: Any) -> Any:
    return g * (2 * (gegenbauer(input, n - 1, order=2) - gegenbauer(input, n - 2, order=2)))


@op(broadcasts=True, dtypes="float", constant=("n",))
def chebyshev_polynomial_w(input: Any, n: Any) -> Any:
    """The Chebyshev polynomial of the fourth kind of degree `n`: ``U_n + U_(n-1)``."""
    return polynomial("chebyu", input, n) + polynomial("chebyu", input, n, -1)
@chebyshev_polynomial_w.derivative("input")
def chebyshev_polynomial_w_wrt_input(g: Any, input: Any, n: Any) -> Any:
    return g * (2 * (gegenbauer(input, n - 1, order=2) + gegenbauer(input, n - 2, order=2)))


def shifted_chebyshev_polynomial_t(input: Tensor, n: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """:func:`chebyshev_polynomial_t` at ``2 x - 1``."""
    return chebyshev_polynomial_t(2. * input - 1, n, out=out)


def shifted_chebyshev_polynomial_u(input: Tensor, n: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """:func:`chebyshev_polynomial_u` at ``2 x - 1``."""
    return chebyshev_polynomial_u(2. * input - 1, n, out=out)


def shifted_chebyshev_polynomial_v(input: Tensor, n: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """:func:`chebyshev_polynomial_v` at ``2 x - 1``."""
    return chebyshev_polynomial_v(2. * input - 1, n, out=out)


def shifted_chebyshev_polynomial_w(input: Tensor, n: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """:func:`chebyshev_polynomial_w` at ``2 x - 1``."""
    return chebyshev_polynomial_w(2. * input - 1, n, out=out)


@op(broadcasts=True, dtypes="float", constant=("n",))
def hermite_polynomial_h(input: Any, n: Any) -> Any:
    """The physicists' Hermite polynomial of degree `n`."""
    return polynomial("hermite", input, n)
@hermite_polynomial_h.derivative("input")
def hermite_polynomial_h_wrt_input(g: Any, input: Any, n: Any) -> Any:
    return g * (2 * arithmetic.trunc(n) * hermite_polynomial_h(input, n - 1))


@op(broadcasts=True, dtypes="float", constant=("n",))
def hermite_polynomial_he(input: Any, n: Any) -> Any:
    """The probabilists' Hermite polynomial of degree `n`."""
    return polynomial("hermitenorm", input, n)
@hermite_polynomial_he.derivative("input")
def hermite_polynomial_he_wrt_input(g: Any, input: Any, n: Any) -> Any:
    return g * (arithmetic.trunc(n) * hermite_polynomial_he(input, n - 1))


@op(broadcasts=True, dtypes="float", constant=("n",))
def laguerre_polynomial_l(input: Any, n: Any) -> Any:
    """The Laguerre polynomial of degree `n`."""
    return polynomial("laguerre", input, n)
@laguerre_polynomial_l.derivative("input")
def laguerre_polynomial_l_wrt_input(g: Any, input: Any, n: Any) -> Any: return g * (-laguerre(input, n - 1, order=1))


@op(broadcasts=True, dtypes="float", constant=("n",))
def legendre_polynomial_p(input: Any, n: Any) -> Any:
    """The Legendre polynomial of degree `n`."""
    return polynomial("legendre", input, n)
@legendre_polynomial_p.derivative("input")
def legendre_polynomial_p_wrt_input(g: Any, input: Any, n: Any) -> Any: return g * (gegenbauer(input, n - 1, order=1.5))


@op(broadcasts=True, dtypes="float", constant=("n",))
def gegenbauer(input: Any, n: Any, *, order: Any) -> Any:
    """The Gegenbauer polynomial of degree `n`, which the derivatives of Chebyshev's and Legendre's polynomials are."""
    return polynomial("gegenbauer", input, n, order=order)
@gegenbauer.derivative("input")
def gegenbauer_wrt_input(g: Any, input: Any, n: Any, order: Any) -> Any:
    return g * (2 * order * gegenbauer(input, n - 1, order=order + 1))


@op(broadcasts=True, dtypes="float", constant=("n",))
def laguerre(input: Any, n: Any, *, order: Any) -> Any:
    """The generalized Laguerre polynomial of degree `n`."""
    return polynomial("genlaguerre", input, n, order=order)
@laguerre.derivative("input")
def laguerre_wrt_input(g: Any, input: Any, n: Any, order: Any) -> Any: return -g * laguerre(input, n - 1, order=order + 1)
