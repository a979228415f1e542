"""Operations on each element by itself, except those in ``core``."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tests.op_cases import Bad, OpCase, arrays, booleans, broadcastable, f, integers, sample, shapes

special = np.array([0.0, -0.0, 1.0, -2.5, np.inf, -np.inf, np.nan])
i64 = np.array([7, -7, 0, 3])
clash = r"The size of tensor a \(2\) must match the size of tensor b \(3\) at non-singleton dimension 0"
no_order = r"not supported for complex tensors"
complex_pair = ((f(2) + 1j, f(2) + 0j), {})


def smooth(reference, low=-2.0, high=2.0, away=(), **more):
    """A function of one array that is complex differentiable."""
    return OpCase(sample(arrays(low=low, high=high, away=away)), reference, analytic=True, complex=True, **more)


def two(reference, edges=(), **values):
    """A function of two floating arrays."""
    more = {k: values.pop(k) for k in ("analytic", "complex", "bad", "grad_rtol") if k in values}
    return OpCase(sample(broadcastable(2, **values)), reference, edges=edges, **more)


def compared(reference, **more):
    return OpCase(sample(broadcastable(2, each=[near_integers, near_integers])), reference, edges=[((special, special), {})],
                  **more)


def near_integers(shape):
    """Few different values, so that equal ones meet."""
    return integers(shape, -2, 2).map(lambda x: x.astype(np.float64))


def tested(reference):
    return OpCase(sample(arrays()), reference, edges=[((special,), {}), ((i64,), {})])


def bits(reference, **values):
    low, high = values.get("low", -5), values.get("high", 5)
    return OpCase(sample(broadcastable(2, each=[lambda s: integers(s), lambda s: integers(s, low, high)])), reference,
                  bad=[Bad((f(2), f(2)), {}, RuntimeError, r"not implemented for .*float64")])


def between_integers(shape):
    """Values that are well away from every integer."""
    return near(shape, 0.5)


def near(shape, offset):
    """Values near an integer plus `offset`."""
    return st.tuples(integers(shape), arrays(shape, low=-0.1, high=0.1)).map(lambda pair: np.asarray(pair[0] + pair[1] + offset))


def near_one(shape):
    """Values near 1 or -1."""
    return st.tuples(booleans(shape), arrays(shape, low=0.98, high=1.02)).map(lambda pair: np.where(pair[0], pair[1], -pair[1]))


# A dividend and a divisor whose quotient is well away from every integer, so that its rounding does not jump.
quotient = broadcastable(2, each=[between_integers, near_one])
# Two arrays in which no element equals one of the other.
apart = broadcastable(2, each=[lambda s: near(s, 0.0), lambda s: near(s, 0.5)])


def truncated(input, other):
    q = np.trunc(input / other)
    return q.astype(input.dtype)


def choice(condition, input, other):
    return np.where(condition, input, other)


def sign_of_complex(z):
    return np.where(z == 0, 0, z / np.where(z == 0, 1, np.abs(z)))


def clamped(input, min=None, max=None):
    x = input if min is None else np.maximum(input, min)
    return x if max is None else np.minimum(x, max)


CASES = {
    # dtype and zeros
    "zeros_of": OpCase(sample(arrays()), np.zeros_like),
    "apply_mask": OpCase(sample(broadcastable(2, each=[arrays, booleans])), lambda x, mask: np.where(mask, x, 0), complex=True,
                         edges=[((special, np.isfinite(special)), {})]),
    # arithmetic
    "sub": OpCase(sample(broadcastable(2), alpha=st.sampled_from([1, 2, -0.5])), lambda a, b, alpha: a - alpha * b,
                  analytic=True, complex=True,
                  bad=[Bad((np.array([True]), np.array([True])), {}, RuntimeError, r"with a bool tensor is not supported"),
                       Bad((i64, i64), {"alpha": 0.5}, RuntimeError, r"argument alpha must not be a floating point number"),
                       Bad((f(2), f(3)), {}, RuntimeError, clash)]),
    "rsub": OpCase(sample(broadcastable(2), alpha=st.sampled_from([1, 3])), lambda a, b, alpha: b - alpha * a,
                   analytic=True, complex=True),
    "true_divide": OpCase(sample(broadcastable(2, away=[0.0], gap=0.3)), np.true_divide, analytic=True, complex=True,
                          edges=[((special, special[::-1].copy()), {})],
                          bad=[Bad((f(2), f(3)), {}, RuntimeError, clash)]),
    "floor_divide": OpCase(sample(quotient), np.floor_divide,
                           edges=[((i64, np.array([2, 2, -3, -2])), {})],
                           bad=[Bad((i64, i64), {}, RuntimeError, r"ZeroDivisionError")]),
    "trunc_divide": OpCase(sample(quotient), truncated, edges=[((i64, np.array([2, 2, -3, -2])), {})],
                           bad=[Bad((i64, i64), {}, ZeroDivisionError, r"ZeroDivisionError")]),
    "remainder": OpCase(sample(quotient), np.remainder, edges=[((i64, np.array([2, 2, -3, -2])), {})],
                        bad=[Bad((i64, i64), {}, RuntimeError, r"ZeroDivisionError")]),
    "fmod": OpCase(sample(quotient), np.fmod, edges=[((i64, np.array([2, 2, -3, -2])), {})],
                   bad=[Bad((i64, i64), {}, RuntimeError, r"ZeroDivisionError")]),
    "neg": smooth(np.negative, bad=[Bad((np.array([True]),), {}, RuntimeError, r"use the `~` or `logical_not\(\)` operator")]),
    "reciprocal": smooth(lambda x: 1 / x, low=0.4, edges=[((special,), {})]),
    "square": smooth(np.square, edges=[((i64,), {})]),
    "sqrt": smooth(np.sqrt, low=0.2, edges=[((special,), {})]),
    "rsqrt": smooth(lambda x: 1 / np.sqrt(x), low=0.2, edges=[((np.array([0.0, 4.0, np.inf]),), {})]),
    "pow_number": OpCase(sample(arrays(low=0.2), exponent=st.sampled_from([0, 1, 2, 3, -1, 0.5, -1.5])),
                         lambda input, exponent: np.power(input, exponent), analytic=True, complex=True,
                         edges=[((i64,), {"exponent": 3}), ((-f(3),), {"exponent": 2})],
                         bad=[Bad((i64,), {"exponent": -1}, RuntimeError, r"Integers to negative integer powers")]),
    "pow_tensor": two(np.power, low=0.2, analytic=True, complex=True, bad=[Bad((f(2), f(3)), {}, RuntimeError, clash)],
                      edges=[((np.zeros(3), np.array([0.0, 1.0, 2.0])), {}), ((i64, np.array([0, 1, 2, 3])), {})]),
    # size and sign
    "abs": OpCase(sample(arrays(away=[0.0])), np.abs, complex=True, edges=[((i64,), {})]),
    "sign": OpCase(sample(arrays(away=[0.0])), np.sign, edges=[((i64,), {}), ((np.array([0.0, -0.0, np.inf]),), {})],
                   bad=[Bad((f(2) + 0j,), {}, RuntimeError, r"Use sgn\(\) instead")]),
    "sgn": OpCase(sample(arrays(away=[0.0])), np.sign, complex=True,
                  edges=[((i64,), {}), ((np.array([3 + 4j, 0j, -2]),), {})]),
    "signbit": OpCase(sample(arrays()), np.signbit, edges=[((i64,), {}, ), ((special[:-1],), {})]),
    "copysign": two(np.copysign, away=[0.0], edges=[((special[:4], special[:4][::-1].copy()), {})]),
    "hypot": two(np.hypot, away=[0.0], edges=[((np.array([1e300, 3.0]), np.array([1e300, 4.0])), {})]),
    "heaviside": OpCase(sample(broadcastable(2, each=[lambda s: arrays(s, away=[0.0]), arrays])), np.heaviside,
                        edges=[((np.array([-1.0, -0.0, 0.0, 2.0]), f(4)), {})],
                        bad=[Bad((i64, f(4)), {}, RuntimeError, r"same dtype"), Bad(*complex_pair, RuntimeError, no_order)]),
    "nextafter": OpCase(sample(broadcastable(2)), np.nextafter, underivable="a step to the next number has no slope"),
    # combinations
    "lerp": OpCase(sample(broadcastable(3)), lambda input, end, weight: input + weight * (end - input), complex=True,
                   bad=[Bad((f(2), f(3), f(2)), {}, RuntimeError, clash)]),
    "addcmul": OpCase(sample(broadcastable(3), value=st.sampled_from([1, -0.5])), lambda x, a, b, value: x + value * a * b,
                      analytic=True, complex=True),
    "addcdiv": OpCase(sample(broadcastable(3, low=0.5), value=st.sampled_from([1, -0.5])),
                      lambda x, a, b, value: x + value * a / b, analytic=True, complex=True,
                      bad=[Bad((i64, i64, i64), {}, RuntimeError, r"Integer division with addcdiv is no longer supported")]),
    # comparison
    "eq": compared(np.equal), "ne": compared(np.not_equal),
    "lt": compared(np.less, bad=[Bad(*complex_pair, RuntimeError, no_order)]),
    "le": compared(np.less_equal, bad=[Bad(*complex_pair, RuntimeError, no_order)]),
    "gt": compared(np.greater, bad=[Bad(*complex_pair, RuntimeError, no_order),
                                    Bad((2, f(2)), {}, TypeError, r"'input' must be a Tensor")]),
    "ge": compared(np.greater_equal, bad=[Bad(*complex_pair, RuntimeError, no_order)]),
    "isclose": OpCase(sample(broadcastable(2, each=[near_integers, near_integers]), rtol=st.sampled_from([0.0, 1e-5, 0.6]),
                             atol=st.sampled_from([0.0, 1.0]), equal_nan=st.booleans()), np.isclose,
                      edges=[((special, special), {"equal_nan": nan}) for nan in (True, False)],
                      bad=[Bad((f(2), f(2, dtype=np.float32)), {}, RuntimeError, r"same dtype"),
                           Bad((f(2), f(2)), {"rtol": -1.0}, RuntimeError, r"must not be negative")]),
    "isnan": tested(np.isnan), "isinf": tested(np.isinf), "isfinite": tested(np.isfinite),
    "isposinf": tested(np.isposinf), "isneginf": tested(np.isneginf),
    "isreal": OpCase(sample(arrays()), np.isreal, edges=[((np.array([1j, 2 + 0j]),), {})]),
    # logic and bits
    "logical_and": compared(np.logical_and), "logical_or": compared(np.logical_or), "logical_xor": compared(np.logical_xor),
    "logical_not": tested(np.logical_not),
    "bitwise_and": bits(np.bitwise_and), "bitwise_or": bits(np.bitwise_or), "bitwise_xor": bits(np.bitwise_xor),
    "bitwise_not": OpCase(sample(integers()), np.bitwise_not, edges=[((np.array([True, False]),), {})],
                          bad=[Bad((f(2),), {}, RuntimeError, r"not implemented for .*float64")]),
    "bitwise_left_shift": bits(np.left_shift, low=0), "bitwise_right_shift": bits(np.right_shift, low=0),
    "gcd": bits(np.gcd), "lcm": bits(np.lcm),
    # rounding
    "floor": OpCase(sample(shapes().flatmap(between_integers)), np.floor, edges=[((i64,), {}), ((special,), {})]),
    "ceil": OpCase(sample(shapes().flatmap(between_integers)), np.ceil, edges=[((i64,), {}), ((special,), {})]),
    "trunc": OpCase(sample(shapes().flatmap(between_integers)), np.trunc, edges=[((i64,), {}), ((special,), {})]),
    "frac": OpCase(sample(shapes().flatmap(between_integers)), lambda x: np.fmod(x, 1)),
    "round": OpCase(sample(arrays(low=0.01, high=0.09), decimals=st.sampled_from([0, 1, -1])), np.round,
                    edges=[((np.array([0.5, 1.5, 2.5, -0.5]),), {"decimals": 0}), ((i64,), {"decimals": 0}),
                              ((np.array([15.0, 25.0, 1234.0]),), {"decimals": -1}), ((f(5),), {"decimals": 2})],
                    bad=[Bad((i64,), {"decimals": 1}, RuntimeError, r"not implemented for integers")],
                    underivable="its steps of 0.1 are too near to each other for differences"),
    # exponentials
    "exp2": smooth(np.exp2), "expm1": smooth(np.expm1, edges=[((np.array([1e-12]),), {})]),
    "log": smooth(np.log, low=0.2, edges=[((special,), {})]), "log2": smooth(np.log2, low=0.2),
    "log10": smooth(np.log10, low=0.2), "log1p": smooth(np.log1p, low=-0.8, edges=[((np.array([1e-12]),), {})]),
    "logaddexp": two(np.logaddexp, complex=True, edges=[((np.array([1e3, -np.inf]), np.array([1e3, -np.inf])), {})]),
    "logaddexp2": two(np.logaddexp2, edges=[((np.array([2e3]), np.array([2e3])), {})]),
    "xlogy": OpCase(sample(broadcastable(2, low=0.2)), lambda x, y: np.where(x == 0, 0, x * np.log(y)),
                    edges=[((np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 2.0])), {})]),
    "sigmoid": smooth(lambda x: 1 / (1 + np.exp(-x)), edges=[((np.array([-800.0, 800.0]),), {})]),
    "logit": OpCase(sample(arrays(low=0.15, high=0.85), eps=st.sampled_from([None, 0.1])),
                    lambda input, eps: np.log(input / (1 - input)), edges=[((np.array([-1.0, 0.0, 2.0]),), {"eps": None})]),
    # trigonometry
    "sin": smooth(np.sin), "cos": smooth(np.cos), "tan": smooth(np.tan, low=-1.2, high=1.2),
    "asin": smooth(np.arcsin, low=-0.9, high=0.9), "acos": smooth(np.arccos, low=-0.9, high=0.9), "atan": smooth(np.arctan),
    "sinh": smooth(np.sinh), "cosh": smooth(np.cosh), "tanh": smooth(np.tanh),
    "asinh": smooth(np.arcsinh), "acosh": smooth(np.arccosh, low=1.2, high=4.0), "atanh": smooth(np.arctanh, low=-0.8, high=0.8),
    "atan2": two(np.arctan2, away=[0.0], gap=0.2, edges=[((special[:4], special[:4][::-1].copy()), {})]),
    "sinc": smooth(np.sinc, away=[0.0], grad_rtol=1e-7, edges=[((np.array([0.0, 1.0]),), {})]),
    "deg2rad": OpCase(sample(arrays()), np.deg2rad), "rad2deg": OpCase(sample(arrays()), np.rad2deg),
    # choosing
    "maximum": OpCase(sample(apart), np.maximum, edges=[((special, special[::-1].copy()), {}), ((i64, -i64), {})],
                      bad=[Bad(*complex_pair, RuntimeError, no_order),
                           Bad((f(2), 1.0), {}, TypeError, r"'other' must be a Tensor")]),
    "minimum": OpCase(sample(apart), np.minimum, edges=[((special, special[::-1].copy()), {}), ((i64, -i64), {})]),
    "fmax": OpCase(sample(apart), np.fmax, edges=[((special, special[::-1].copy()), {})]),
    "fmin": OpCase(sample(apart), np.fmin, edges=[((special, special[::-1].copy()), {})]),
    "clamp_numbers": OpCase(sample(arrays(away=[-1.0, 0.5]), min=st.sampled_from([None, -1.0]), max=0.5),
                            clamped, examples=[((f(4),), {"min": 0.2, "max": None})],
                            edges=[((special,), {"min": -1, "max": 1}), ((i64,), {"min": 1, "max": None})],
                            bad=[Bad((f(2) + 0j,), {"min": 0}, RuntimeError, no_order)]),
    "clamp_tensors": OpCase(sample(broadcastable(3, each=[lambda s: arrays(s, away=[-1.0, 0.5], gap=0.4),
                                                          lambda s: arrays(s, low=-1.1, high=-0.9),
                                                          lambda s: arrays(s, low=0.4, high=0.6)])), clamped,
                            edges=[((f(3), None, f(3) - 0.1), {}), ((f(3), f(3) + 0.1, None), {}),
                                      ((f(3) * 0, f(3) + 2, f(3) + 1), {})]),
    "_where": OpCase(sample(broadcastable(3, each=[booleans, arrays, arrays])), choice, complex=True,
                     bad=[Bad((np.array([True, False]), f(3), f(2)), {}, RuntimeError, r"size of tensor a \(2\) must match")]),
    "where_nonzero": OpCase(sample(shapes(min_dims=1).flatmap(near_integers)), np.nonzero),
    "nan_to_num": OpCase(sample(arrays(), nan=st.sampled_from([0.0, 1.5])), lambda input, nan: np.nan_to_num(input, nan=nan),
                         edges=[((special,), {"nan": 7.0})]),
    "fill_number": OpCase(sample(arrays(), value=st.sampled_from([0, 2.5])), lambda input, value: np.full_like(input, value)),
    "frexp": OpCase(sample(arrays(low=0.55, high=0.95).map(lambda x: np.asarray(np.where(x > 0.75, -4 * x, x)))), np.frexp,
                    bad=[Bad((i64,), {}, RuntimeError, r"only supports floating-point dtypes")]),
    # complex numbers
    "real": OpCase(sample(arrays()), np.real, complex=True, edges=[((f(3) * (1 + 2j),), {})]),
    "imag": OpCase(sample(arrays().map(lambda x: np.asarray(x * (1 + 2j)))), np.imag, complex=True,
                   bad=[Bad((f(2),), {}, RuntimeError, r"not implemented for tensors with non-complex dtypes")]),
    "angle": OpCase(sample(arrays(away=[0.0])), np.angle, complex=True),
    "complex": OpCase(sample(broadcastable(2)), lambda real, imag: real + 1j * imag,
                      bad=[Bad((i64, i64), {}, RuntimeError, r"Expected both inputs to be Half, Float or Double"),
                           Bad((f(2), f(2, dtype=np.float32)), {}, RuntimeError, r"same dtype")]),
    "polar": OpCase(sample(broadcastable(2, low=0.2)), lambda abs, angle: abs * np.exp(1j * angle),
                    bad=[Bad((i64, i64), {}, RuntimeError, r"Expected both inputs to be Half, Float or Double")]),
    "view_as_real": OpCase(sample(arrays().map(lambda x: np.asarray(x * (1 + 2j)))), lambda z: np.stack([z.real, z.imag], -1),
                           complex=True,
                           bad=[Bad((f(2),), {}, RuntimeError, r"only supported for complex tensors")]),
    "view_as_complex": OpCase(sample(shapes(max_dims=2).flatmap(lambda s: arrays((*s, 2)))), lambda x: x[..., 0] + 1j * x[..., 1],
                              bad=[Bad((i64,), {}, RuntimeError, r"only supported for float and double tensors"),
                                   Bad((f(3),), {}, RuntimeError, r"must have a last dimension of size 2")]),
}
