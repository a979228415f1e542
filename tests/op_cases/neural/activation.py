"""Activation functions and softmax."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st

from minigrad._types import dtypes
from tests.op_cases import Bad, OpCase, arrays, broadcastable, dims, f, sample, shapes, with_dim

limits = np.array([0.0, -0.0, 50.0, -50.0, 800.0, -800.0, np.inf, -np.inf, np.nan])


def piecewise(reference, *kinks, edges=(((limits,), {}),), **settings):
    return OpCase(sample(arrays(low=-4, high=4, away=kinks), **settings), reference, edges=edges)


def smooth(reference, **more):
    return OpCase(sample(arrays(low=-4, high=4)), reference, edges=[((limits[:-3],), {})], **more)


def erf(x):
    return np.vectorize(math.erf, otypes=[float])(x)


def gelu(x, approximate):
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x ** 3)))
    return x * (1 + erf(x / np.sqrt(2))) / 2


def gelu_slope(grad, x):
    return grad * ((1 + erf(x / np.sqrt(2))) / 2 + x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi))


def silu_slope(grad, x):
    return grad * (sigmoid(x) * (1 + x * (1 - sigmoid(x))))


def elu(x, alpha=1.0, scale=1.0, input_scale=1.0):
    return np.where(x > 0, scale * x, scale * alpha * np.expm1(input_scale * x))


def softplus(x, beta=1.0, threshold=20.0):
    return np.where(beta * x > threshold, x, np.log1p(np.exp(np.minimum(beta * x, 700))) / beta)


def softmax(input, dim, dtype=None):
    e = np.exp(input) if input.ndim else np.exp(input - input)
    return e / np.sum(e, axis=dim, keepdims=True)


def safe_softmax(input, dim):
    nothing = np.all(input == -np.inf, axis=dim if input.ndim else None, keepdims=True)
    return np.where(nothing, 0, softmax(input - np.max(input, axis=dim if input.ndim else None, keepdims=True, initial=0), dim))


def softmax_slope(grad, soft, dim, logarithm):
    if logarithm:
        return grad - np.exp(soft) * grad.sum(axis=dim, keepdims=True)
    return soft * (grad - (grad * soft).sum(axis=dim, keepdims=True))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


CASES = {
    "relu": OpCase(sample(arrays(away=[0.0])), lambda x: np.maximum(x, 0), edges=[((limits,), {}), ((np.array([-1, 2]),), {})],
                   bad=[Bad((f(2) + 0j,), {}, RuntimeError, r"relu is not supported for minigrad.complex128")], saves=("out",)),
    "leaky_relu": piecewise(lambda x, negative_slope=0.01: np.where(x > 0, x, negative_slope * x), 0.0,
                            negative_slope=st.sampled_from([0.01, 1.5, -0.2])),
    "slope_of_sides": piecewise(lambda x, below: np.where(x > 0, 1, below), 0.0, edges=[((limits,), {"below": 0.2})],
                                below=st.sampled_from([0.01, 1.5, -0.2])),
    "prelu_kernel": OpCase(sample(broadcastable(2, away=[0.0])), lambda x, w: np.where(x > 0, x, w * x)),
    "threshold": piecewise(lambda x, threshold, value: np.where(x > threshold, x, value), 0.5, threshold=0.5, value=-1.0,
                           edges=[((limits[:-1],), {"threshold": 0.0, "value": 2.0})]),
    "hardtanh": piecewise(lambda x, min_val=-1, max_val=1: np.clip(x, min_val, max_val), -1.0, 2.0,
                          min_val=-1.0, max_val=2.0),
    "hardsigmoid": piecewise(lambda x: np.clip(x / 6 + 0.5, 0, 1), -3.0, 3.0),
    "hardswish": piecewise(lambda x: x * np.clip(x / 6 + 0.5, 0, 1), -3.0, 3.0, edges=[((limits[:6],), {})]),
    "softshrink": OpCase(sample(arrays(away=[-0.5, 0.5]), lambd=0.5),
                         lambda x, lambd: np.sign(x) * np.maximum(np.abs(x) - lambd, 0),
                         bad=[Bad((f(2),), {"lambd": -1.0}, RuntimeError, r"lambda must be greater or equal to 0")]),
    "hardshrink": OpCase(sample(arrays(away=[-0.5, 0.5]), lambd=0.5), lambda x, lambd: np.where(np.abs(x) > lambd, x, 0)),
    "elu": piecewise(elu, 0.0, alpha=st.sampled_from([1.0, 0.5]), scale=st.sampled_from([1.0, 1.05]),
                     input_scale=st.sampled_from([1.0, 2.0])),
    "silu": smooth(lambda x: x * sigmoid(x), analytic=True, complex=True),
    "gelu": OpCase(sample(arrays(low=-4, high=4), approximate=st.sampled_from(["none", "tanh"])), gelu,
                   edges=[((limits[:6],), {"approximate": "none"}), ((limits[:6],), {"approximate": "tanh"})],
                   bad=[Bad((f(2),), {"approximate": "fast"}, RuntimeError, r"must be either none or tanh")]),
    "silu_slope": OpCase(shapes().flatmap(lambda s: sample(arrays(s), arrays(s, low=-4, high=4))), silu_slope, analytic=True,
                         complex=True),
    "gelu_slope": OpCase(shapes().flatmap(lambda s: sample(arrays(s), arrays(s, low=-4, high=4))), gelu_slope),
    "softplus": OpCase(sample(arrays(low=-4, high=4), beta=st.sampled_from([1.0, 2.0]), threshold=20.0), softplus,
                       edges=[((limits[:6],), {"beta": 1.0, "threshold": 20.0})]),
    "logsigmoid": smooth(lambda x: -np.logaddexp(0, -x)),
    "mish": smooth(lambda x: x * np.tanh(np.logaddexp(x, 0))),
    "tanhshrink": smooth(lambda x: x - np.tanh(x), analytic=True),
    "softmax": OpCase(with_dim(shapes(min_dims=1)), softmax, complex=True,
                      examples=[((f(3),), {"dim": 0, "dtype": dtypes.float64}), ((np.array(2.0),), {"dim": -1})],
                      bad=[Bad((f(2, 3),), {"dim": 2}, IndexError, r"Dimension out of range"),
                           Bad((np.array([1, 2]),), {"dim": 0}, RuntimeError, r"not implemented for minigrad.int64")],
                      saves=("out",)),
    "safe_softmax": OpCase(with_dim(shapes(min_dims=1)), safe_softmax, examples=[((np.array(2.0),), {"dim": -1})], edges=[
        ((np.array([[1.0, -np.inf], [-np.inf, -np.inf]]),), {"dim": 1}), ((np.full((2, 3), -np.inf),), {"dim": 0}),
        ((np.array([[-1.0, 2.0], [-np.inf, 900.0]]),), {"dim": 1})], saves=("out",)),
    "log_softmax": OpCase(with_dim(shapes(min_dims=1)), lambda input, dim, dtype=None: np.log(softmax(input, dim)), complex=True,
                          examples=[((np.array(2.0),), {"dim": -1})],
                          bad=[Bad((f(2, 3),), {"dim": -3}, IndexError, r"Dimension out of range")], saves=("out",)),
    "softmax_slope": OpCase(shapes(min_dims=1).flatmap(lambda s: sample(
        arrays(s), arrays(s), dim=dims(len(s), none=False), logarithm=st.booleans())), softmax_slope, analytic=True,
        complex=True),
}
