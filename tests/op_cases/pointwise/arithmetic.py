"""Cases of the operations in ``minigrad/ops/pointwise/arithmetic.py``."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from minigrad._types import dtypes
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
    more = {k: values.pop(k) for k in ("analytic", "complex", "bad", "grad_rtol", "saves") if k in values}
    return OpCase(sample(broadcastable(2, **values)), reference, edges=edges, **more)


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


def truncated(input, other):
    q = np.trunc(input / other)
    return q.astype(input.dtype)


CASES = {
    "mul": OpCase(
        sample(broadcastable(2)), np.multiply, analytic=True, complex=True,
        bad=[Bad((f(2, 3), f(4)), {}, RuntimeError,
                 r"mul: The size of tensor a \(3\) must match the size of tensor b \(4\) at non-singleton dimension 1")]),
    "add": OpCase(sample(broadcastable(2)), np.add, analytic=True, complex=True,
                  bad=[Bad((f(2), f(3)), {}, RuntimeError, r"add: The size of tensor a \(2\) must match")]),
    "cast": OpCase(sample(arrays(), dtype=st.sampled_from([dtypes.float64, dtypes.complex128])),
                   lambda input, dtype: input.astype(dtype.numpy),
                   examples=[((f(2, 3),), {"dtype": dtypes.int32}), ((f(3),), {"dtype": dtypes.bool_})]),
    "conjugate": OpCase(sample(arrays()), np.conjugate, complex=True),
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
    "reciprocal": smooth(lambda x: 1 / x, low=0.4, edges=[((special,), {})], saves=("out",)),
    "square": smooth(np.square, edges=[((i64,), {})]),
    "sqrt": smooth(np.sqrt, low=0.2, edges=[((special,), {})], saves=("out",)),
    "rsqrt": smooth(lambda x: 1 / np.sqrt(x), low=0.2, edges=[((np.array([0.0, 4.0, np.inf]),), {})], saves=("out",)),
    # size and sign
    "abs": OpCase(sample(arrays(away=[0.0])), np.abs, complex=True, edges=[((i64,), {})]),
    "sign": OpCase(sample(arrays(away=[0.0])), np.sign, edges=[((i64,), {}), ((np.array([0.0, -0.0, np.inf]),), {})],
                   bad=[Bad((f(2) + 0j,), {}, RuntimeError, r"Use sgn\(\) instead")]),
    "sgn": OpCase(sample(arrays(away=[0.0])), np.sign, complex=True,
                  edges=[((i64,), {}), ((np.array([3 + 4j, 0j, -2]),), {})], saves=("out",)),
    "signbit": OpCase(sample(arrays()), np.signbit, edges=[((i64,), {}, ), ((special[:-1],), {})]),
    "copysign": two(np.copysign, away=[0.0], edges=[((special[:4], special[:4][::-1].copy()), {})], saves=("out",)),
    "hypot": two(np.hypot, away=[0.0], edges=[((np.array([1e300, 3.0]), np.array([1e300, 4.0])), {})], saves=("out",)),
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
    # complex numbers
    "real_part": OpCase(sample(arrays()), np.real, complex=True, edges=[((f(3) * (1 + 2j),), {})]),
    "imag": OpCase(sample(arrays().map(lambda x: np.asarray(x * (1 + 2j)))), np.imag, complex=True,
                   bad=[Bad((f(2),), {}, RuntimeError, r"not implemented for tensors with non-complex dtypes")]),
    "angle": OpCase(sample(arrays(away=[0.0])), np.angle, complex=True),
    "complex": OpCase(sample(broadcastable(2)), lambda real, imag: real + 1j * imag,
                      bad=[Bad((i64, i64), {}, RuntimeError, r"Expected both inputs to be Half, Float or Double"),
                           Bad((f(2), f(2, dtype=np.float32)), {}, RuntimeError, r"same dtype")]),
    "polar": OpCase(sample(broadcastable(2, low=0.2)), lambda abs, angle: abs * np.exp(1j * angle),
                    bad=[Bad((i64, i64), {}, RuntimeError, r"Expected both inputs to be Half, Float or Double")], saves=("out",)),
    "view_as_real": OpCase(sample(arrays().map(lambda x: np.asarray(x * (1 + 2j)))), lambda z: np.stack([z.real, z.imag], -1),
                           complex=True,
                           bad=[Bad((f(2),), {}, RuntimeError, r"only supported for complex tensors")]),
    "view_as_complex": OpCase(sample(shapes(max_dims=2).flatmap(lambda s: arrays((*s, 2)))), lambda x: x[..., 0] + 1j * x[..., 1],
                              bad=[Bad((i64,), {}, RuntimeError, r"only supported for float and double tensors"),
                                   Bad((f(3),), {}, RuntimeError, r"must have a last dimension of size 2"),
                                   Bad((f(),), {}, RuntimeError, r"must have one or more dimensions"),
                                   Bad((f(2, 2).T,), {}, RuntimeError, r"last dimension with stride 1"),
                                   Bad((f(2, 3)[:, :2],), {}, RuntimeError, r"stride divisible by 2 for all but last")]),
}
