"""Activations: functions of each element, and of all elements along a dimension."""

from __future__ import annotations

import math

import numpy as np

from tests.module_cases import Bad, ModuleCase, normal, sigmoid

X = normal(2, 3, 4) * 1.5
TEXT = Bad(("text",), TypeError, r"argument 'input' must be a Tensor, not str")


def one(make, reference, functional, inputs=(X,), **more):
    """A function of one array, without state, which takes a sample without its batch as well."""
    return ModuleCase(make, inputs, lambda state, x: reference(x), functional=functional, batch=more.pop("batch", 0),
                      bad=more.pop("bad", [TEXT]), **more)


def softplus(x):
    return np.log1p(np.exp(x))


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(x))


def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def leaky(slope):
    return lambda x: np.where(x > 0, x, slope * x)


def prelu(state, x):
    return np.where(x > 0, x, state["weight"].reshape(-1, 1) * x)


def between_slopes(state, x, y):
    """RReLU in training: positive values stay, negative ones get a slope between 1/8 and 1/3, not all the same."""
    slope = (y / x)[x < 0]
    return (y[x > 0] == x[x > 0]).all() and ((slope >= 1 / 8 - 1e-9) & (slope <= 1 / 3 + 1e-9)).all() and np.ptp(slope) > 0.01


def gelu_by_tanh(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def gelu(x):
    return 0.5 * x * (1 + np.vectorize(math.erf)(x / np.sqrt(2)))


CASES = {
    "ReLU": [one(lambda t: t.nn.ReLU(), lambda x: np.maximum(x, 0), lambda F, _, x: F.relu(x))],
    "ReLU6": [one(lambda t: t.nn.ReLU6(), lambda x: np.clip(x, 0, 6), lambda F, _, x: F.relu6(x), (X * 4,))],
    "Threshold": [one(lambda t: t.nn.Threshold(0.3, 20), lambda x: np.where(x > 0.3, x, 20),
                      lambda F, _, x: F.threshold(x, 0.3, 20))],
    "LeakyReLU": [one(lambda t: t.nn.LeakyReLU(), leaky(0.01), lambda F, _, x: F.leaky_relu(x)),
                  one(lambda t: t.nn.LeakyReLU(0.2), leaky(0.2), lambda F, _, x: F.leaky_relu(x, 0.2))],
    "PReLU": [ModuleCase(lambda t: t.nn.PReLU(), (X,), lambda state, x: np.where(x > 0, x, state["weight"] * x),
                         batch=0, bad=[TEXT]),
              ModuleCase(lambda t: t.nn.PReLU(3), (X,), prelu,
                         bad=[Bad((normal(2, 4),), RuntimeError, "parameter numbers = 3 and channel size = 4")])],
    "RReLU": [ModuleCase(lambda t: t.nn.RReLU(), (X,), between_slopes, evaluated=lambda state, x: leaky((1 / 8 + 1 / 3) / 2)(x),
                         drawn=True, bad=[TEXT])],
    "ELU": [one(lambda t: t.nn.ELU(), elu, lambda F, _, x: F.elu(x)),
            one(lambda t: t.nn.ELU(0.5), lambda x: elu(x, 0.5), lambda F, _, x: F.elu(x, 0.5))],
    "CELU": [one(lambda t: t.nn.CELU(0.5), lambda x: np.where(x > 0, x, 0.5 * np.expm1(x / 0.5)),
                 lambda F, _, x: F.celu(x, 0.5))],
    "SELU": [one(lambda t: t.nn.SELU(), lambda x: 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717),
                 lambda F, _, x: F.selu(x))],
    "GELU": [one(lambda t: t.nn.GELU("tanh"), gelu_by_tanh, lambda F, _, x: F.gelu(x, approximate="tanh")),
             one(lambda t: t.nn.GELU(), gelu, lambda F, _, x: F.gelu(x))],
    "SiLU": [one(lambda t: t.nn.SiLU(), lambda x: x * sigmoid(x), lambda F, _, x: F.silu(x))],
    "Mish": [one(lambda t: t.nn.Mish(), lambda x: x * np.tanh(softplus(x)), lambda F, _, x: F.mish(x))],
    "Softplus": [one(lambda t: t.nn.Softplus(), softplus, lambda F, _, x: F.softplus(x)),
                 one(lambda t: t.nn.Softplus(2, 1.5), lambda x: np.where(2 * x > 1.5, x, softplus(2 * x) / 2),
                     lambda F, _, x: F.softplus(x, 2, 1.5))],
    "Softshrink": [one(lambda t: t.nn.Softshrink(0.3), lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.3, 0),
                       lambda F, _, x: F.softshrink(x, 0.3))],
    "Hardshrink": [one(lambda t: t.nn.Hardshrink(0.3), lambda x: np.where(np.abs(x) > 0.3, x, 0),
                       lambda F, _, x: F.hardshrink(x, 0.3))],
    "Softsign": [one(lambda t: t.nn.Softsign(), lambda x: x / (1 + np.abs(x)), lambda F, _, x: F.softsign(x))],
    "Sigmoid": [one(lambda t: t.nn.Sigmoid(), sigmoid, lambda F, _, x: F.sigmoid(x))],
    "LogSigmoid": [one(lambda t: t.nn.LogSigmoid(), lambda x: -softplus(-x), lambda F, _, x: F.logsigmoid(x))],
    "Hardsigmoid": [one(lambda t: t.nn.Hardsigmoid(), lambda x: np.clip(x + 3, 0, 6) / 6,
                        lambda F, _, x: F.hardsigmoid(x), (X * 2,))],
    "Hardswish": [one(lambda t: t.nn.Hardswish(), lambda x: x * np.clip(x + 3, 0, 6) / 6,
                      lambda F, _, x: F.hardswish(x), (X * 2,))],
    "Hardtanh": [one(lambda t: t.nn.Hardtanh(-0.5, 0.8), lambda x: np.clip(x, -0.5, 0.8),
                     lambda F, _, x: F.hardtanh(x, -0.5, 0.8))],
    "Tanh": [one(lambda t: t.nn.Tanh(), np.tanh, lambda F, _, x: F.tanh(x))],
    "Tanhshrink": [one(lambda t: t.nn.Tanhshrink(), lambda x: x - np.tanh(x), lambda F, _, x: F.tanhshrink(x))],
    "GLU": [one(lambda t: t.nn.GLU(), lambda x: x[..., :2] * sigmoid(x[..., 2:]), lambda F, _, x: F.glu(x),
                bad=[Bad((normal(2, 3),), RuntimeError, "Halving dimension must be even")])],
    "Softmax": [one(lambda t: t.nn.Softmax(-1), lambda x: softmax(x, -1), lambda F, _, x: F.softmax(x, -1),
                    bad=[TEXT]),
                one(lambda t: t.nn.Softmax(1), lambda x: softmax(x, 1), lambda F, _, x: F.softmax(x, 1), batch=None,
                    bad=[Bad((normal(2),), IndexError, "Dimension out of range")])],
    "Softmin": [one(lambda t: t.nn.Softmin(-1), lambda x: softmax(-x, -1), lambda F, _, x: F.softmin(x, -1))],
    "LogSoftmax": [one(lambda t: t.nn.LogSoftmax(-1), lambda x: np.log(softmax(x, -1)), lambda F, _, x: F.log_softmax(x, -1))],
    "Softmax2d": [one(lambda t: t.nn.Softmax2d(), lambda x: softmax(x, -3), None, (normal(2, 3, 2, 2),),
                      bad=[Bad((normal(2, 3),), ValueError, "expected input to be 3D or 4D, got 2D")])],
}
