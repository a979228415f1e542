"""Cases of the operations in ``minigrad/ops/pointwise/comparison.py``."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tests.op_cases import Bad, OpCase, arrays, booleans, broadcastable, f, integers, sample, shapes
from tests.op_cases.pointwise.arithmetic import complex_pair, i64, near, no_order, special


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


# Two arrays in which no element equals one of the other.
apart = broadcastable(2, each=[lambda s: near(s, 0.0), lambda s: near(s, 0.5)])


def choice(condition, input, other):
    return np.where(condition, input, other)


def clamped(input, min=None, max=None):
    x = input if min is None else np.maximum(input, min)
    return x if max is None else np.minimum(x, max)


CASES = {
    # comparison
    "eq": compared(np.equal),
    "ne": compared(np.not_equal),
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
    "isnan": tested(np.isnan),
    "isinf": tested(np.isinf),
    "isfinite": tested(np.isfinite),
    "isposinf": tested(np.isposinf),
    "isneginf": tested(np.isneginf),
    "isreal": OpCase(sample(arrays()), np.isreal, edges=[((np.array([1j, 2 + 0j]),), {})]),
    # logic and bits
    "logical_and": compared(np.logical_and),
    "logical_or": compared(np.logical_or),
    "logical_xor": compared(np.logical_xor),
    "logical_not": tested(np.logical_not),
    "bitwise_and": bits(np.bitwise_and),
    "bitwise_or": bits(np.bitwise_or),
    "bitwise_xor": bits(np.bitwise_xor),
    "bitwise_not": OpCase(sample(integers()), np.bitwise_not, edges=[((np.array([True, False]),), {})],
                          bad=[Bad((f(2),), {}, RuntimeError, r"not implemented for .*float64")]),
    "bitwise_left_shift": bits(np.left_shift, low=0),
    "bitwise_right_shift": bits(np.right_shift, low=0),
    "gcd": bits(np.gcd),
    "lcm": bits(np.lcm),
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
}
