"""Cases of the operations in ``minigrad/ops/pointwise/elementary.py``."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tests.op_cases import Bad, OpCase, arrays, broadcastable, f, sample
from tests.op_cases.pointwise.arithmetic import clash, i64, smooth, special, two

CASES = {
    "exp": OpCase(sample(arrays()), np.exp, analytic=True, complex=True, saves=("out",)),
    "pow_number": OpCase(sample(arrays(low=0.2), exponent=st.sampled_from([0, 1, 2, 3, -1, 0.5, -1.5])),
                         lambda input, exponent: np.power(input, exponent), analytic=True, complex=True,
                         edges=[((i64,), {"exponent": 3}), ((-f(3),), {"exponent": 2})],
                         bad=[Bad((i64,), {"exponent": -1}, RuntimeError, r"Integers to negative integer powers")]),
    "pow_tensor": two(np.power, low=0.2, analytic=True, complex=True, bad=[Bad((f(2), f(3)), {}, RuntimeError, clash)],
                      edges=[((np.zeros(3), np.array([0.0, 1.0, 2.0])), {}), ((i64, np.array([0, 1, 2, 3])), {})],
                      saves=("out",)),
    # exponentials
    "exp2": smooth(np.exp2, saves=("out",)),
    "expm1": smooth(np.expm1, edges=[((np.array([1e-12]),), {})], saves=("out",)),
    "log": smooth(np.log, low=0.2, edges=[((special,), {})]),
    "log2": smooth(np.log2, low=0.2),
    "log10": smooth(np.log10, low=0.2),
    "log1p": smooth(np.log1p, low=-0.8, edges=[((np.array([1e-12]),), {})]),
    "logaddexp": two(np.logaddexp, complex=True, edges=[((np.array([1e3, -np.inf]), np.array([1e3, -np.inf])), {})]),
    "logaddexp2": two(np.logaddexp2, edges=[((np.array([2e3]), np.array([2e3])), {})]),
    "xlogy": OpCase(sample(broadcastable(2, low=0.2)), lambda x, y: np.where(x == 0, 0, x * np.log(y)),
                    edges=[((np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 2.0])), {})]),
    "sigmoid": smooth(lambda x: 1 / (1 + np.exp(-x)), edges=[((np.array([-800.0, 800.0]),), {})], saves=("out",)),
    "logit": OpCase(sample(arrays(low=0.15, high=0.85), eps=st.sampled_from([None, 0.1])),
                    lambda input, eps: np.log(input / (1 - input)), edges=[((np.array([-1.0, 0.0, 2.0]),), {"eps": None})]),
    # trigonometry
    "sin": smooth(np.sin),
    "cos": smooth(np.cos),
    "tan": smooth(np.tan, low=-1.2, high=1.2, saves=("out",)),
    "asin": smooth(np.arcsin, low=-0.9, high=0.9),
    "acos": smooth(np.arccos, low=-0.9, high=0.9),
    "atan": smooth(np.arctan),
    "sinh": smooth(np.sinh),
    "cosh": smooth(np.cosh),
    "tanh": smooth(np.tanh, saves=("out",)),
    "asinh": smooth(np.arcsinh),
    "acosh": smooth(np.arccosh, low=1.2, high=4.0),
    "atanh": smooth(np.arctanh, low=-0.8, high=0.8),
    "atan2": two(np.arctan2, away=[0.0], gap=0.2, edges=[((special[:4], special[:4][::-1].copy()), {})]),
    "sinc": smooth(np.sinc, away=[0.0], grad_rtol=1e-7, edges=[((np.array([0.0, 1.0]),), {})]),
    "deg2rad": OpCase(sample(arrays()), np.deg2rad),
    "rad2deg": OpCase(sample(arrays()), np.rad2deg),
    "frexp": OpCase(sample(arrays(low=0.55, high=0.95).map(lambda x: np.asarray(np.where(x > 0.75, -4 * x, x)))), np.frexp,
                    bad=[Bad((i64,), {}, RuntimeError, r"only supports floating-point dtypes")]),
}
