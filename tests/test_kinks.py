"""The subgradient at every kink: the numbers of the table in docs/differences.md, measured with PyTorch 2.13, and the same in all
spellings of one function."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.nn import functional as F

inf, nan = float("inf"), float("nan")


def zeros(t: Any, n: int = 1) -> Any:
    return t.zeros(n, dtype=t.float64)


def ones(t: Any, n: int = 1) -> Any:
    return t.ones(n, dtype=t.float64)


def weights(t: Any) -> Any:
    return t.tensor([1.0, 2.0, 4.0], dtype=t.float64)


# The function of a library and x, where it is taken, and the gradient of its sum there.
KINKS: dict[str, Any] = {
    "relu": (lambda t, F, x: F.relu(x), [0.0, -0.0], [0.0, 0.0]),
    "torch.relu": (lambda t, F, x: t.relu(x), [0.0], [0.0]),
    "relu6": (lambda t, F, x: F.relu6(x), [0.0, 6.0], [0.0, 0.0]),
    "hardtanh": (lambda t, F, x: F.hardtanh(x), [-1.0, 1.0], [0.0, 0.0]),
    "hardtanh(-2,3)": (lambda t, F, x: F.hardtanh(x, -2.0, 3.0), [-2.0, 3.0], [0.0, 0.0]),
    "clamp(min=0)": (lambda t, F, x: x.clamp(min=0), [0.0], [1.0]),
    "clamp(max=0)": (lambda t, F, x: x.clamp(max=0), [0.0], [1.0]),
    "clamp(-1,1)": (lambda t, F, x: x.clamp(-1, 1), [-1.0, 1.0], [1.0, 1.0]),
    "clip": (lambda t, F, x: t.clip(x, -1, 1), [-1.0, 1.0], [1.0, 1.0]),
    "clamp(2,1)": (lambda t, F, x: x.clamp(2, 1), [0.0, 1.0, 1.5, 2.0], [0.0, 0.0, 0.0, 0.0]),
    "clamp_min": (lambda t, F, x: t.clamp_min(x, 0), [0.0], [1.0]),
    "clamp_max": (lambda t, F, x: t.clamp_max(x, 0), [0.0], [1.0]),
    "clamp tensors": (lambda t, F, x: t.clamp(x, min=zeros(t), max=ones(t)), [0.0, 1.0], [1.0, 1.0]),
    "maximum(x,0)": (lambda t, F, x: t.maximum(x, zeros(t)), [0.0], [0.5]),
    "minimum(x,0)": (lambda t, F, x: t.minimum(x, zeros(t)), [0.0], [0.5]),
    "max(x,0)": (lambda t, F, x: t.max(x, zeros(t)), [0.0], [0.5]),
    "min(x,0)": (lambda t, F, x: t.min(x, zeros(t)), [0.0], [0.5]),
    "fmax": (lambda t, F, x: t.fmax(x, zeros(t)), [0.0, nan], [1.0, 0.0]),
    "fmin": (lambda t, F, x: t.fmin(x, zeros(t)), [0.0, nan], [1.0, 0.0]),
    "maximum second": (lambda t, F, x: t.maximum(zeros(t), x), [0.0], [0.5]),
    "where(x>0)": (lambda t, F, x: t.where(x > 0, x, zeros(t)), [0.0], [0.0]),
    "abs": (lambda t, F, x: x.abs(), [0.0, -0.0], [0.0, 0.0]),
    "absolute": (lambda t, F, x: t.absolute(x), [0.0], [0.0]),
    "sign": (lambda t, F, x: x.sign(), [0.0], [0.0]),
    "threshold": (lambda t, F, x: F.threshold(x, 0.0, -1.0), [0.0], [0.0]),
    "hardshrink": (lambda t, F, x: F.hardshrink(x), [-0.5, 0.0, 0.5], [0.0, 0.0, 0.0]),
    "softshrink": (lambda t, F, x: F.softshrink(x), [-0.5, 0.0, 0.5], [0.0, 0.0, 0.0]),
    "softsign": (lambda t, F, x: F.softsign(x), [0.0], [1.0]),
    "logsigmoid": (lambda t, F, x: F.logsigmoid(x), [0.0], [0.5]),
    "hardsigmoid": (lambda t, F, x: F.hardsigmoid(x), [-3.0, 3.0], [0.0, 0.0]),
    "hardswish": (lambda t, F, x: F.hardswish(x), [-3.0, 3.0], [0.0, 1.0]),
    "leaky_relu": (lambda t, F, x: F.leaky_relu(x, 0.1), [0.0], [0.1]),
    "elu": (lambda t, F, x: F.elu(x, 2.0), [0.0], [2.0]),
    "selu": (lambda t, F, x: F.selu(x), [0.0], [1.758099340847]),
    "celu": (lambda t, F, x: F.celu(x, 2.0), [0.0], [1.0]),
    "prelu": (lambda t, F, x: F.prelu(x, t.tensor([0.25], dtype=t.float64)), [0.0], [0.25]),
    "relu_": (lambda t, F, x: (x * 1).relu_(), [0.0], [0.0]),
    "leaky_relu_": (lambda t, F, x: F.leaky_relu_(x * 1, 0.1), [0.0], [0.1]),
    "max()": (lambda t, F, x: x.max(), [1.0, 3.0, 3.0], [0.0, 0.5, 0.5]),
    "min()": (lambda t, F, x: x.min(), [1.0, 1.0, 3.0], [0.5, 0.5, 0.0]),
    "amax": (lambda t, F, x: x.amax(), [1.0, 3.0, 3.0], [0.0, 0.5, 0.5]),
    "amin": (lambda t, F, x: x.amin(), [1.0, 1.0, 3.0], [0.5, 0.5, 0.0]),
    "amax(0)": (lambda t, F, x: x.amax(0), [3.0, 3.0, 3.0], [0.333333333333, 0.333333333333, 0.333333333333]),
    "amin(0)": (lambda t, F, x: x.amin(0), [3.0, 3.0, 3.0], [0.333333333333, 0.333333333333, 0.333333333333]),
    "max(0)": (lambda t, F, x: x.max(0).values, [1.0, 3.0, 3.0], [0.0, 1.0, 0.0]),
    "min(0)": (lambda t, F, x: x.min(0).values, [1.0, 1.0, 3.0], [1.0, 0.0, 0.0]),
    "max nan": (lambda t, F, x: x.max(), [1.0, nan, nan], [0.0, 0.5, 0.5]),
    "max(0) nan": (lambda t, F, x: x.max(0).values, [1.0, nan, nan], [0.0, 1.0, 0.0]),
    "aminmax max": (lambda t, F, x: t.aminmax(x).max, [1.0, 3.0, 3.0], [0.0, 0.5, 0.5]),
    "aminmax min": (lambda t, F, x: t.aminmax(x).min, [1.0, 1.0, 3.0], [0.5, 0.5, 0.0]),
    "sort": (lambda t, F, x: x.sort().values * weights(t), [3.0, 1.0, 1.0], [4.0, 1.0, 2.0]),
    "sort desc": (lambda t, F, x: x.sort(descending=True, stable=True).values * weights(t), [1.0, 3.0, 3.0], [4.0, 1.0, 2.0]),
    "msort": (lambda t, F, x: t.msort(x) * weights(t), [3.0, 1.0, 1.0], [4.0, 1.0, 2.0]),
    "topk": (lambda t, F, x: x.topk(2).values * t.tensor([1.0, 2.0], dtype=t.float64), [3.0, 3.0, 3.0], [1.0, 2.0, 0.0]),
    "kthvalue": (lambda t, F, x: x.kthvalue(2).values, [3.0, 3.0, 1.0], [1.0, 0.0, 0.0]),
    "median()": (lambda t, F, x: x.median(), [1.0, 2.0, 2.0, 3.0], [0.0, 0.5, 0.5, 0.0]),
    "median(0)": (lambda t, F, x: x.median(0).values, [1.0, 2.0, 2.0, 3.0], [0.0, 1.0, 0.0, 0.0]),
    "nanmedian": (lambda t, F, x: x.nanmedian(), [1.0, 2.0, 2.0, nan], [0.0, 0.5, 0.5, 0.0]),
    "mode": (lambda t, F, x: x.mode(0).values, [1.0, 2.0, 2.0], [0.0, 0.0, 1.0]),
    "quantile": (lambda t, F, x: x.quantile(0.5), [2.0, 2.0, 1.0], [1.0, 0.0, 0.0]),
    "cummax": (lambda t, F, x: x.cummax(0).values * weights(t), [3.0, 3.0, 1.0], [1.0, 6.0, 0.0]),
    "cummin": (lambda t, F, x: x.cummin(0).values * weights(t), [1.0, 1.0, 3.0], [1.0, 6.0, 0.0]),
    "max_pool1d": (lambda t, F, x: F.max_pool1d(x.view(1, 1, -1), 3), [2.0, 2.0, 2.0], [1.0, 0.0, 0.0]),
    "adaptive_max_pool1d": (lambda t, F, x: F.adaptive_max_pool1d(x.view(1, 1, -1), 1), [2.0, 2.0, 2.0], [1.0, 0.0, 0.0]),
    "max_pool2d": (lambda t, F, x: F.max_pool2d(x.view(1, 1, 2, 2), 2), [2.0, 2.0, 2.0, 2.0], [1.0, 0.0, 0.0, 0.0]),
    "norm": (lambda t, F, x: x.norm(), [0.0, 0.0], [0.0, 0.0]),
    "norm p=1": (lambda t, F, x: x.norm(1), [0.0, 1.0], [0.0, 1.0]),
    "norm p=inf": (lambda t, F, x: x.norm(inf), [2.0, -2.0, 1.0], [0.5, -0.5, 0.0]),
    "norm p=-inf": (lambda t, F, x: x.norm(-inf), [2.0, -2.0, 3.0], [0.5, -0.5, 0.0]),
    "norm p=3": (lambda t, F, x: x.norm(3), [0.0, 0.0], [0.0, 0.0]),
    "norm p=3 part": (lambda t, F, x: x.norm(3), [0.0, 2.0], [0.0, 1.0]),
    "norm p=.5": (lambda t, F, x: x.norm(0.5), [0.0, 2.0], [0.0, 1.0]),
    "norm p=1.5": (lambda t, F, x: x.norm(1.5), [0.0, 2.0], [0.0, 1.0]),
    "norm p=1.5 zero": (lambda t, F, x: x.norm(1.5), [0.0, 0.0], [0.0, 0.0]),
    "norm p=inf zero": (lambda t, F, x: x.norm(inf), [0.0, 0.0], [0.0, 0.0]),
    "linalg.norm": (lambda t, F, x: t.linalg.norm(x), [0.0, 0.0], [0.0, 0.0]),
    "vector_norm": (lambda t, F, x: t.linalg.vector_norm(x), [0.0, 0.0], [0.0, 0.0]),
    "vector_norm 1": (lambda t, F, x: t.linalg.vector_norm(x, 1), [0.0, 0.0], [0.0, 0.0]),
    "dist": (lambda t, F, x: t.dist(x, zeros(t, 2)), [0.0, 0.0], [0.0, 0.0]),
    "cdist": (lambda t, F, x: t.cdist(x.view(1, 2), t.zeros(1, 2, dtype=t.float64)), [0.0, 0.0], [0.0, 0.0]),
    "pairwise_distance eps": (lambda t, F, x: F.pairwise_distance(x.view(1, 2), t.zeros(1, 2, dtype=t.float64), eps=0.0),
        [0.0, 0.0], [0.0, 0.0]),
    "normalize": (lambda t, F, x: F.normalize(x, dim=0) * t.tensor([1.0, 2.0], dtype=t.float64),
        [0.0, 0.0], [1000000000000.0, 2000000000000.0]),
    "hypot": (lambda t, F, x: t.hypot(x, zeros(t)), [0.0], [nan]),
    "cosine_similarity": (lambda t, F, x: F.cosine_similarity(x, ones(t, 2), dim=0),
        [0.0, 0.0], [70710678.11865474, 70710678.11865474]),
    "renorm": (lambda t, F, x: t.renorm(x.view(1, 2), 2, 0, 1.0), [0.0, 1.0], [1.0, 1.0]),
    "sqrt": (lambda t, F, x: x.sqrt(), [0.0], [inf]),
    "rsqrt": (lambda t, F, x: x.rsqrt(), [0.0], [-inf]),
    "x**.5": (lambda t, F, x: x ** 0.5, [0.0], [inf]),
    "pow 2": (lambda t, F, x: x ** 2, [0.0], [0.0]),
    "pow 1": (lambda t, F, x: x ** 1, [0.0], [1.0]),
    "pow 0": (lambda t, F, x: x ** 0, [0.0], [0.0]),
    "pow 3": (lambda t, F, x: x ** 3.0, [0.0], [0.0]),
    "pow 1.5": (lambda t, F, x: x ** 1.5, [0.0], [0.0]),
    "pow -1": (lambda t, F, x: x ** (-1), [0.0], [-inf]),
    "pow exponent at base 0": (lambda t, F, x: zeros(t) ** x, [0.0, 1.0, 2.0], [0.0, 0.0, 0.0]),
    "0**x scalar": (lambda t, F, x: 0 ** x, [0.0, 1.0], [0.0, 0.0]),
    "pow tensor": (lambda t, F, x: x ** t.tensor([0.0, 1.0, 2.0, 0.5], dtype=t.float64),
        [0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, inf]),
    "pow(x,x)": (lambda t, F, x: x ** x, [0.0], [0.0]),
    "square": (lambda t, F, x: x.square(), [0.0], [0.0]),
    "prod one zero": (lambda t, F, x: x.prod(), [2.0, 0.0, 3.0], [0.0, 6.0, 0.0]),
    "prod two zeros": (lambda t, F, x: x.prod(), [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]),
    "prod(0)": (lambda t, F, x: x.prod(0), [2.0, 0.0, 3.0], [0.0, 6.0, 0.0]),
    "cumprod zero": (lambda t, F, x: x.cumprod(0), [2.0, 0.0, 3.0], [1.0, 8.0, 0.0]),
    "cumprod zeros": (lambda t, F, x: x.cumprod(0), [2.0, 0.0, 0.0, 3.0], [1.0, 2.0, 0.0, 0.0]),
    "l1_loss": (lambda t, F, x: F.l1_loss(x, zeros(t, 2), reduction="sum"), [0.0, 1.0], [0.0, 1.0]),
    "smooth_l1": (lambda t, F, x: F.smooth_l1_loss(x, zeros(t, 3), reduction="sum"), [0.0, 1.0, -1.0], [0.0, 1.0, -1.0]),
    "smooth_l1 beta 0": (lambda t, F, x: F.smooth_l1_loss(x, zeros(t, 2), beta=0.0, reduction="sum"), [0.0, 1.0], [0.0, 1.0]),
    "huber": (lambda t, F, x: F.huber_loss(x, zeros(t, 3), reduction="sum"), [0.0, 1.0, -1.0], [0.0, 1.0, -1.0]),
    "hinge_embedding": (lambda t, F, x: F.hinge_embedding_loss(x, -ones(t, 2), reduction="sum"), [1.0, 0.5], [-1.0, -1.0]),
    "margin_ranking": (lambda t, F, x: F.margin_ranking_loss(x, zeros(t), ones(t), reduction="sum"), [0.0], [-1.0]),
    "multi_margin": (lambda t, F, x: F.multi_margin_loss(x.view(1, -1), t.tensor([0]), reduction="sum"),
        [1.0, 0.0, 0.5], [-0.333333333333, 0.0, 0.333333333333]),
    "multilabel_margin": (lambda t, F, x: F.multilabel_margin_loss(x.view(1, -1), t.tensor([[0, -1, -1]]), reduction="sum"),
        [1.0, 0.0, 0.5], [-0.333333333333, 0.0, 0.333333333333]),
    "triplet": (
        lambda t, F, x: F.triplet_margin_loss(x.view(1, 2), x.view(1, 2), t.ones(1, 2, dtype=t.float64) * 2, margin=1.0,
                                                               reduction="sum", eps=0.0),
        [1.0, 1.0], [0.0, 0.0]),
    "cosine_embedding": (
        lambda t, F, x: F.cosine_embedding_loss(x.view(1, 2), t.tensor([[1.0, 0.0]], dtype=t.float64), -t.ones(1), margin=0.0,
                                                                 reduction="sum"),
        [0.0, 1.0], [0.999999999999, 0.0]),
    "logsumexp -inf": (lambda t, F, x: x.logsumexp(0), [-inf, -inf], [0.0, 0.0]),
    "logsumexp part": (lambda t, F, x: x.logsumexp(0), [-inf, 0.0], [0.0, 1.0]),
    "logsumexp inf": (lambda t, F, x: x.logsumexp(0), [inf, 0.0], [nan, 0.0]),
    "logaddexp -inf": (lambda t, F, x: t.logaddexp(x, t.full((1,), -inf, dtype=t.float64)), [-inf], [nan]),
    "logaddexp tie": (lambda t, F, x: t.logaddexp(x, zeros(t)), [0.0], [0.5]),
    "logcumsumexp": (lambda t, F, x: x.logcumsumexp(0), [-inf, 0.0], [0.0, 1.0]),
    "softmax -inf": (lambda t, F, x: x.softmax(0) * t.tensor([1.0, 2.0], dtype=t.float64), [-inf, 0.0], [-0.0, 0.0]),
    "log_softmax -inf": (lambda t, F, x: x.log_softmax(0)[1], [-inf, 0.0], [0.0, 0.0]),
    "softmax all -inf": (lambda t, F, x: x.softmax(0), [-inf, -inf], [nan, nan]),
    "std one": (lambda t, F, x: x.std(), [1.0], [nan]),
    "var one": (lambda t, F, x: x.var(), [1.0], [nan]),
    "std equal": (lambda t, F, x: x.std(), [2.0, 2.0], [0.0, 0.0]),
    "std correction 0": (lambda t, F, x: x.std(correction=0), [1.0], [0.0]),
    "var one corr 0": (lambda t, F, x: x.var(correction=0), [1.0], [0.0]),
    "std equal corr 0": (lambda t, F, x: x.std(correction=0), [2.0, 2.0], [0.0, 0.0]),
    "atan2(x,0)": (lambda t, F, x: t.atan2(x, zeros(t)), [0.0, 1.0], [0.0, 0.0]),
    "atan2(0,x)": (lambda t, F, x: t.atan2(zeros(t), x), [0.0, 1.0], [-0.0, -0.0]),
    "sinc": (lambda t, F, x: t.sinc(x), [0.0], [0.0]),
    "log": (lambda t, F, x: x.log(), [0.0], [inf]),
    "log1p": (lambda t, F, x: x.log1p(), [-1.0], [inf]),
    "xlogy(x,x)": (lambda t, F, x: t.xlogy(x, x), [0.0], [nan]),
    "xlogy(0,x)": (lambda t, F, x: t.xlogy(zeros(t), x), [0.0, 1.0], [nan, 0.0]),
    "xlogy(x,0)": (lambda t, F, x: t.xlogy(x, zeros(t)), [0.0, 1.0], [0.0, -inf]),
    "entr": (lambda t, F, x: t.special.entr(x), [0.0], [inf]),
    "reciprocal": (lambda t, F, x: x.reciprocal(), [0.0], [-inf]),
    "asin": (lambda t, F, x: x.asin(), [-1.0, 1.0], [inf, inf]),
    "acos": (lambda t, F, x: x.acos(), [-1.0, 1.0], [-inf, -inf]),
    "atanh": (lambda t, F, x: x.atanh(), [-1.0, 1.0], [inf, inf]),
    "acosh": (lambda t, F, x: x.acosh(), [1.0], [inf]),
    "logit": (lambda t, F, x: x.logit(), [0.0, 1.0], [inf, inf]),
    "logit eps": (lambda t, F, x: x.logit(eps=0.1), [0.1, 0.9, 0.0, 1.0], [11.111111111111, 11.111111111111, 0.0, 0.0]),
    "erfinv": (lambda t, F, x: x.erfinv(), [-1.0, 0.0, 1.0], [inf, 0.886226925453, inf]),
    "x/0": (lambda t, F, x: x / zeros(t), [0.0, 1.0], [inf, inf]),
    "0/x": (lambda t, F, x: 0 / x, [0.0], [nan]),
    "floor": (lambda t, F, x: x.floor(), [1.0], [0.0]),
    "ceil": (lambda t, F, x: x.ceil(), [1.0], [0.0]),
    "round": (lambda t, F, x: x.round(), [1.5], [0.0]),
    "trunc": (lambda t, F, x: x.trunc(), [1.0], [0.0]),
    "frac": (lambda t, F, x: x.frac(), [1.0], [1.0]),
    "fmod": (lambda t, F, x: t.fmod(x, 2.0), [2.0], [1.0]),
    "remainder": (lambda t, F, x: t.remainder(x, 2.0), [2.0], [1.0]),
    "remainder other": (lambda t, F, x: t.remainder(t.full((1,), 4.0, dtype=t.float64), x), [2.0], [-2.0]),
    "floor_divide": (lambda t, F, x: (x / 2).floor(), [2.0], [0.0]),
    "div floor": (lambda t, F, x: t.div(x, 2.0, rounding_mode="floor"), [2.0], [0.0]),
    "nan_to_num": (lambda t, F, x: x.nan_to_num(), [nan, inf, 1.0], [0.0, 0.0, 1.0]),
    "copysign": (lambda t, F, x: t.copysign(x, ones(t)), [0.0, -1.0], [0.0, -1.0]),
    "copysign other": (lambda t, F, x: t.copysign(ones(t), x), [0.0], [0.0]),
    "nansum": (lambda t, F, x: x.nansum(), [nan, 1.0], [0.0, 1.0]),
    "bce at 0,1": (lambda t, F, x: F.binary_cross_entropy(x, t.tensor([0.0, 1.0], dtype=t.float64), reduction="sum"),
        [0.0, 1.0], [0.0, 0.0]),
    "bcel 0": (lambda t, F, x: F.binary_cross_entropy_with_logits(x, t.tensor([1.0], dtype=t.float64)), [0.0], [-0.5]),
    "kl_div target 0": (lambda t, F, x: F.kl_div(x, zeros(t), reduction="sum"), [-1.0], [-0.0]),
    "kl_div wrt target": (lambda t, F, x: F.kl_div(zeros(t, 2), x, reduction="sum"), [0.0, 1.0], [nan, 1.0]),
    "poisson_nll": (lambda t, F, x: F.poisson_nll_loss(x, ones(t), log_input=False, reduction="sum"), [0.0], [-99999999.0]),
    "gaussian_nll": (lambda t, F, x: F.gaussian_nll_loss(zeros(t, 2), ones(t, 2), x, reduction="sum", eps=0.5),
        [0.5, 0.25], [-1.0, -1.0]),
    "soft_margin": (lambda t, F, x: F.soft_margin_loss(x, ones(t)), [0.0], [-0.5]),
    "linalg.norm mat 1": (lambda t, F, x: t.linalg.matrix_norm(x.view(2, 2), 1), [1.0, 1.0, 1.0, 1.0], [0.5, 0.5, 0.5, 0.5]),
    "linalg.norm mat inf": (lambda t, F, x: t.linalg.matrix_norm(x.view(2, 2), inf),
        [1.0, 1.0, 1.0, 1.0], [0.5, 0.5, 0.5, 0.5]),
    "linalg.norm fro 0": (lambda t, F, x: t.linalg.matrix_norm(x.view(2, 2)), [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]),
    "scatter_reduce amax": (lambda t, F, x: zeros(t).scatter_reduce(0, t.tensor([0, 0]), x, "amax", include_self=False),
        [2.0, 2.0], [0.5, 0.5]),
    "scatter_reduce prod": (lambda t, F, x: ones(t).scatter_reduce(0, t.tensor([0, 0]), x, "prod"), [0.0, 2.0], [2.0, 0.0]),
    "index_reduce amax": (lambda t, F, x: zeros(t).index_reduce(0, t.tensor([0, 0]), x, "amax", include_self=False),
        [2.0, 2.0], [0.5, 0.5]),
    "max over dims": (lambda t, F, x: x.view(2, 2).amax((0, 1)),
        [2.0, 2.0, 2.0, 1.0], [0.333333333333, 0.333333333333, 0.333333333333, 0.0]),
}
# PyTorch gives NaN where a whole row is -inf; 0 there is a documented difference.
DIFFERENT = ("logsumexp -inf", "logcumsumexp")
# Spellings of one function, which must agree.
SPELLINGS = [
    ("relu", "torch.relu", "relu_", "threshold"),
    ("clamp(min=0)", "clamp_min"), ("clamp(-1,1)", "clip"), ("clamp(max=0)", "clamp_max"),
    ("maximum(x,0)", "max(x,0)", "maximum second"), ("minimum(x,0)", "min(x,0)"),
    ("max()", "amax", "aminmax max"), ("min()", "amin", "aminmax min"), ("abs", "absolute"),
    ("norm", "linalg.norm", "vector_norm", "dist", "pairwise_distance eps"),
    ("sqrt", "x**.5"), ("std one", "var one"), ("prod one zero", "prod(0)"),
    ("max_pool1d", "adaptive_max_pool1d"),
]


def gradient(t: Any, function: Any, values: list[float]) -> Any:
    x = t.tensor(values, dtype=t.float64, requires_grad=True)
    function(t, t.nn.functional, x).sum().backward()
    return x.grad.numpy()


@pytest.mark.parametrize("name", KINKS)
@pytest.mark.filterwarnings("ignore:.*degrees of freedom")  # of one element
def test_the_gradient_at_a_kink(name: str) -> None:
    function, values, expected = KINKS[name]
    np.testing.assert_allclose(gradient(mg, function, values), expected, rtol=1e-8, atol=1e-9)


@pytest.mark.filterwarnings("ignore:.*degrees of freedom")
@pytest.mark.parametrize("names", SPELLINGS, ids=lambda names: names[0])
def test_spellings_agree(names: tuple[str, ...]) -> None:
    values = KINKS[names[0]][1][:1] if names[0] == "relu" else KINKS[names[0]][1]
    found = [gradient(mg, KINKS[n][0], values) for n in names]
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


@pytest.mark.parity
@pytest.mark.parametrize("name", [n for n in KINKS if n not in DIFFERENT])
@pytest.mark.filterwarnings("ignore")  # PyTorch's own
def test_the_numbers_are_those_of_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
    function, values, expected = KINKS[name]
    np.testing.assert_allclose(gradient(torch, function, values), expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize(("call", "blocked"), [
    (F.relu, -1.0), (F.relu6, -1.0), (F.hardtanh, -2.0), (F.hardsigmoid, -4.0), (F.softshrink, 0.1), (F.hardshrink, 0.1),
    (lambda x: F.threshold(x, 0.6, 0.0), 0.5), (lambda x: x.clamp(min=0.6), 0.5), (lambda x: x.clamp(0.6, 2.0), 0.5),
    (lambda x: mg.maximum(x, mg.full((2,), 0.6)), 0.5), (lambda x: x.max().reshape(1), 0.5),
    (lambda x: x.amax(0, keepdim=True), 0.5), (lambda x: x.norm(inf).reshape(1), 0.5)])
def test_what_a_piece_does_not_let_through_is_zero_even_if_it_is_infinite(call: Any, blocked: float) -> None:
    """As in ``relu(x).sqrt()`` at x < 0, where the slope of the root is infinite."""
    x = mg.tensor([blocked, 0.8], requires_grad=True)
    y = call(x)
    grad, = mg.autograd.grad(y, x, mg.full_like(y, inf))
    assert grad[0] == 0
    assert not bool(grad.isnan().any())


@pytest.mark.parametrize("call", [F.leaky_relu, F.elu, F.hardswish, F.softplus, lambda x: F.prelu(x, mg.tensor([0.5]))])
def test_an_infinite_gradient_goes_through_both_pieces(call: Any) -> None:
    x = mg.tensor([-0.5, 30.0], requires_grad=True)
    grad, = mg.autograd.grad(call(x), x, mg.full((2,), inf))
    assert grad.abs().tolist() == [inf, inf]


def test_an_infinite_input_of_prelu_leaves_its_weight_alone() -> None:
    x, weight = mg.tensor([inf, -1.0], requires_grad=True), mg.tensor([0.5], requires_grad=True)
    F.prelu(x, weight).sum().backward()
    assert (x.grad.tolist(), weight.grad.tolist()) == ([1, 0.5], [-1])
