"""Losses: each formula for the elements, then the reduction."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from tests.module_cases import Around, Bad, ModuleCase, classes, normal, positive, sigmoid

X, Y, Z = normal(4, 3), normal(4, 3, seed=1), normal(4, 3, seed=2)
P, Q = positive(4, 3), positive(4, 3, seed=1)
WEIGHT = [0.5, 2.0, 1.5]
SIGN = np.array([1.0, -1.0, 1.0, -1.0])
SIGNS = np.where(Y > 0, 1.0, -1.0)
REDUCE = {"mean": np.mean, "sum": np.sum, "none": lambda x: x}
UNEQUAL = Bad((X, normal(4, 2)), (RuntimeError, ValueError), r"target size \(\[4, 2\]\)|Target size \(\[4, 2\]\)|"
              r"The size of tensor a \((3|2)\) must match the size of tensor b \((2|3)\)")


def buffers(t, settings):
    """The settings, lists among them as tensors of the library."""
    return {name: t.tensor(value, dtype=t.float64) if isinstance(value, list) else value for name, value in settings.items()}


def cases(name, function, inputs, elements, bad=(), reductions=("mean", "sum", "none"), each=({},), batch=None, **more):
    """The cases of a loss: every reduction of ``elements(*inputs, **settings)``, for the settings in `each`.

    `elements` gives one value for each element of the result without reduction; or, where the mean is no plain one, takes the
    reduction as well. `function` is its name in ``nn.functional``.
    """
    own = "reduction" in elements.__code__.co_varnames
    found = []
    for settings, reduction in itertools.product(each, reductions):
        def make(t, settings=settings, reduction=reduction):
            return getattr(t.nn, name)(**buffers(t, settings), reduction=reduction)

        def reference(state, *inputs, settings=settings, reduction=reduction):
            values = {k: state.get(k) if isinstance(v, list) else v for k, v in settings.items()}
            return elements(*inputs, reduction=reduction, **values) if own else REDUCE[reduction](elements(*inputs, **values))

        def functional(F, module, *inputs, settings=settings, reduction=reduction):
            values = {k: getattr(module, k) if isinstance(v, list) else v for k, v in settings.items()}
            return getattr(F, function)(*inputs, **values, reduction=reduction)

        found.append(ModuleCase(make, inputs, reference, functional=functional, bad=bad if not found else (),
                                batch=batch if reduction == "none" else None, **more))
    return found


def smooth_l1(x, y, beta=1.0):
    d = np.abs(x - y)
    return np.where(d < beta, d**2 / (2 * beta), d - beta / 2)


def huber(x, y, delta=1.0):
    d = np.abs(x - y)
    return np.where(d < delta, d**2 / 2, delta * (d - delta / 2))


def log_softmax(x, axis=1):
    return x - np.log(np.exp(x).sum(axis, keepdims=True))


def by_class(scores, target, reduction, weight=None, ignore_index=-100, label_smoothing=0.0, log=True):
    """Minus the log-probability of the target, weighted by its class; the mean is over the weights."""
    scores = log_softmax(scores) if log else scores
    weight = np.ones(scores.shape[1]) if weight is None else weight
    kept = target != ignore_index
    safe = np.where(kept, target, 0)
    each = -np.take_along_axis(scores, np.expand_dims(safe, 1), 1).squeeze(1) * weight[safe] * kept
    if label_smoothing:
        column = weight.reshape(-1, *[1] * (scores.ndim - 2))
        even = -(scores * column).sum(1) / scores.shape[1] * kept
        each = (1 - label_smoothing) * each + label_smoothing * even
    return each.sum() / (weight[safe] * kept).sum() if reduction == "mean" else REDUCE[reduction](each)


def nll(scores, target, reduction, weight=None, ignore_index=-100):
    return by_class(scores, target, reduction, weight, ignore_index, log=False)


def by_probabilities(x, q, reduction):
    each = -(log_softmax(x) * q).sum(1)
    return each.mean() if reduction == "mean" else REDUCE[reduction](each)


def bce(p, t, weight=None):
    return -(t * np.log(p) + (1 - t) * np.log(1 - p)) * (1 if weight is None else weight)


def bce_logits(x, t, weight=None, pos_weight=None):
    positive_part = 1 if pos_weight is None else pos_weight
    return -(positive_part * t * np.log(sigmoid(x)) + (1 - t) * np.log(sigmoid(-x))) * (1 if weight is None else weight)


def kl(x, t, reduction, log_target=False):
    each = np.exp(t) * (t - x) if log_target else t * (np.log(t) - x)
    return each.sum() / len(x) if reduction == "batchmean" else REDUCE[reduction](each)


def poisson(x, t, log_input=True, full=False, eps=1e-8):
    each = np.exp(x) - t * x if log_input else x - t * np.log(x + eps)
    return each + np.where(t > 1, t * np.log(t) - t + 0.5 * np.log(2 * np.pi * t), 0) if full else each


def gaussian(x, t, var, full=False, eps=1e-6):
    var = np.maximum(var, eps)
    return (np.log(var) + (x - t) ** 2 / var) / 2 + (0.5 * np.log(2 * np.pi) if full else 0)


def hinge(x, y, margin=1.0):
    return np.where(y > 0, x, np.maximum(0, margin - x))


def ranking(a, b, y, margin=0.0):
    return np.maximum(0, -y * (a - b) + margin)


def cosine(a, b, y, margin=0.0):
    c = (a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1))
    return np.where(y > 0, 1 - c, np.maximum(0, c - margin))


def distance(a, b, p=2.0):
    return (np.abs(a - b + 1e-6) ** p).sum(1) ** (1 / p)


def triplet(anchor, near, far, margin=1.0, p=2.0, swap=False):
    apart = distance(anchor, far, p)
    if swap:
        apart = np.minimum(apart, distance(near, far, p))
    return np.maximum(0, distance(anchor, near, p) - apart + margin)


def triplet_by_distance(anchor, near, far, margin=1.0, swap=False):
    return triplet(anchor, near, far, margin, swap=swap)


def multi_margin(x, target, margin=1.0, weight=None, p=1):
    own = x[range(len(x)), target]
    terms = np.maximum(0, margin - own[:, None] + x) ** p
    terms = terms * (1 if weight is None else weight[target][:, None])
    terms[range(len(x)), target] = 0
    return terms.sum(1) / x.shape[1]


def multilabel_margin(x, target):
    out = np.zeros(len(x))
    for row, wanted in enumerate(target):
        labels = list(itertools.takewhile(lambda k: k >= 0, wanted))
        others = [k for k in range(x.shape[1]) if k not in labels]
        out[row] = sum(max(0, 1 - (x[row, a] - x[row, b])) for a in labels for b in others) / x.shape[1]
    return out


def multilabel_soft(x, t, weight=None):
    return bce_logits(x, t, weight).mean(1)


def ctc(scores, targets, input_lengths, target_lengths, reduction):
    """Minus the log of the summed probability of every path that reads as the target: by trying all paths."""
    each, log_probs = [], log_softmax(scores, 2)
    for n, (steps, length) in enumerate(zip(input_lengths, target_lengths)):
        wanted = tuple(targets[n][:length])
        total = 0.0
        for path in itertools.product(range(log_probs.shape[2]), repeat=int(steps)):
            if tuple([k for k, _ in itertools.groupby(path) if k]) == wanted:
                total += np.exp(sum(log_probs[t, n, k] for t, k in enumerate(path)))
        each.append(-np.log(total))
    each = np.array(each)
    return (each / np.maximum(target_lengths, 1)).mean() if reduction == "mean" else REDUCE[reduction](each)


class OfScores(Around):
    """CTC's gradient, as PyTorch's, is right for log-probabilities only, so the loss is one of their scores here."""

    def forward(self, scores, *others):
        return self.inner(scores.log_softmax(2), *others)


def of_scores(plain):
    return [replace(case, make=lambda t, make=case.make: OfScores(make(t)),
                    functional=lambda F, module, scores, *others, function=case.functional: function(
                        F, module.inner, scores.log_softmax(2), *others)) for case in plain]


def adaptive(state, x, target):
    """Classes 0 to 2 by the head, 3 to 6 and 7 to 11 by clusters of which the head knows the probability."""
    head = log_softmax(x @ state["head.weight"].T)
    out = []
    for row, k in enumerate(target):
        cluster = (k >= 3).astype(int) + (k >= 7).astype(int)
        if cluster == 0:
            out.append(head[row, k])
            continue
        inner = x[row] @ state[f"tail.{cluster - 1}.0.weight"].T @ state[f"tail.{cluster - 1}.1.weight"].T
        out.append(head[row, 3 + cluster - 1] + log_softmax(inner, 0)[k - (3, 7)[cluster - 1]])
    return np.array(out), -np.mean(out)


def linear_then(state, x, target):
    return by_class(x @ state["linear.weight"].T, target, "mean")


TARGET, IGNORED = np.array([0, 2, 1, 2]), np.array([0, 2, -100, 1])
LOG_P = np.log(P / P.sum(1, keepdims=True))
CTC = (normal(4, 2, 3), np.array([[1, 2], [2, 2]]), np.array([4, 4]), np.array([2, 1]))
WRONG_CLASS = [Bad((X, np.array([0, 1, 2, 3])), IndexError, "Target 3 is out of bounds"),
               Bad((X, np.array([0, 1])), ValueError, r"Expected input batch_size \(4\) to match target batch_size \(2\)")]

CASES = {
    "L1Loss": cases("L1Loss", "l1_loss", (X, Y), lambda x, y: np.abs(x - y), [UNEQUAL], batch=0),
    "MSELoss": cases("MSELoss", "mse_loss", (X, Y), lambda x, y: (x - y) ** 2, [UNEQUAL], batch=0),
    "SmoothL1Loss": cases("SmoothL1Loss", "smooth_l1_loss", (X, Y), smooth_l1, [UNEQUAL], each=({}, {"beta": 0.5}), batch=0),
    "HuberLoss": cases("HuberLoss", "huber_loss", (X, Y), huber, [UNEQUAL], each=({}, {"delta": 0.5}), batch=0),
    "NLLLoss": cases("NLLLoss", "nll_loss", (LOG_P, TARGET), nll, WRONG_CLASS,
                     each=({}, {"weight": WEIGHT}, {"ignore_index": 2}), batch=0),
    "NLLLoss2d": cases("NLLLoss2d", "nll_loss", (np.log(positive(2, 3, 2, 2)), classes(3, 2, 2, 2)), nll),
    "CrossEntropyLoss": [
        *cases("CrossEntropyLoss", "cross_entropy", (X, IGNORED), by_class, WRONG_CLASS,
               each=({}, {"weight": WEIGHT, "label_smoothing": 0.2}), batch=0),
        *cases("CrossEntropyLoss", "cross_entropy", (normal(2, 3, 2), classes(3, 2, 2)), by_class),
        *cases("CrossEntropyLoss", "cross_entropy", (X, P / P.sum(1, keepdims=True)), by_probabilities)],
    "BCELoss": cases("BCELoss", "binary_cross_entropy", (P, Q), bce, [UNEQUAL], each=({}, {"weight": WEIGHT}), batch=0),
    "BCEWithLogitsLoss": cases("BCEWithLogitsLoss", "binary_cross_entropy_with_logits", (X, Q), bce_logits, [UNEQUAL],
                               each=({}, {"pos_weight": WEIGHT}, {"weight": WEIGHT}), batch=0),
    "KLDivLoss": [*cases("KLDivLoss", "kl_div", (LOG_P, Q), kl, [UNEQUAL], ("batchmean", "sum", "none")),
                  *cases("KLDivLoss", "kl_div", (LOG_P, np.log(Q)), kl, (), ("batchmean",), [{"log_target": True}])],
    "PoissonNLLLoss": [*cases("PoissonNLLLoss", "poisson_nll_loss", (X, 4 * P), poisson, [UNEQUAL], each=({}, {"full": True})),
                       *cases("PoissonNLLLoss", "poisson_nll_loss", (P, 4 * Q), poisson, each=({"log_input": False},))],
    "GaussianNLLLoss": cases("GaussianNLLLoss", "gaussian_nll_loss", (X, Y, P), gaussian,
                             [Bad((X, Y, -P), ValueError, "var has negative entry")],
                             each=({}, {"full": True}), batch=0),
    "HingeEmbeddingLoss": cases("HingeEmbeddingLoss", "hinge_embedding_loss", (X, SIGNS), hinge, [UNEQUAL],
                                each=({}, {"margin": 0.4}), differentiable=(0,)),
    "SoftMarginLoss": cases("SoftMarginLoss", "soft_margin_loss", (X, SIGNS), lambda x, y: np.log1p(np.exp(-y * x)), [UNEQUAL],
                            differentiable=(0,)),
    "MarginRankingLoss": cases("MarginRankingLoss", "margin_ranking_loss", (X[:, 0], Y[:, 0], SIGN), ranking,
                               [Bad((X, Y, SIGN), RuntimeError, "All input tensors should have same dimension")],
                               each=({}, {"margin": 0.3}),
                               differentiable=(0, 1)),
    "CosineEmbeddingLoss": cases("CosineEmbeddingLoss", "cosine_embedding_loss", (X, Y, SIGN), cosine,
                                 [Bad((X, Y, normal(2)), RuntimeError,
                                      r"size of tensor a \(2\) must match the size of tensor b \(4\)")],
                                 each=({}, {"margin": 0.1}), differentiable=(0, 1)),
    "TripletMarginLoss": cases("TripletMarginLoss", "triplet_margin_loss", (X, Y, Z), triplet,
                               [Bad((X, Y, normal(4)), RuntimeError, "expected to have the same number of dimensions")],
                               each=({}, {"margin": 2.0, "p": 3.0, "swap": True}), batch=0),
    "TripletMarginWithDistanceLoss": cases("TripletMarginWithDistanceLoss", "triplet_margin_with_distance_loss", (X, Y, Z),
                                           triplet_by_distance,
                                           [Bad((X, Y, normal(4)), RuntimeError,
                                                "expected to have the same number of dimensions")],
                                           each=({}, {"swap": True})),
    "MultiMarginLoss": cases("MultiMarginLoss", "multi_margin_loss", (X, TARGET), multi_margin,
                             [Bad((X, np.array([0, 1])), RuntimeError, r"Expected target size \[4\], but got \[2\]")],
                             each=({}, {"p": 2, "margin": 0.7}, {"weight": WEIGHT})),
    "MultiLabelMarginLoss": cases("MultiLabelMarginLoss", "multilabel_margin_loss",
                                  (normal(2, 4), np.array([[3, 0, -1, 1], [1, -1, 0, 0]])), multilabel_margin,
                                  [Bad((normal(2, 4), np.array([[1, 2]])), RuntimeError, r"inconsistent target size: \[1, 2\]")],
                                  batch=0),
    "MultiLabelSoftMarginLoss": cases("MultiLabelSoftMarginLoss", "multilabel_soft_margin_loss", (X, (SIGNS + 1) / 2),
                                      multilabel_soft, [UNEQUAL], each=({}, {"weight": WEIGHT})),
    "CTCLoss": of_scores(cases("CTCLoss", "ctc_loss", CTC, ctc, [
        Bad((CTC[0], CTC[1], np.array([4, 9]), CTC[3]), RuntimeError,
            "input_lengths to have value at most 4, but got value 9")])),
    "AdaptiveLogSoftmaxWithLoss": [ModuleCase(
        lambda t: t.nn.AdaptiveLogSoftmaxWithLoss(8, 12, [3, 7], div_value=2.0), (normal(5, 8), np.array([0, 3, 11, 6, 7])),
        adaptive, bad=[Bad((normal(2, 8), np.array([0, 12])), RuntimeError, r"Target values should be in \[0, 11\]")])],
    "LinearCrossEntropyLoss": [ModuleCase(lambda t: t.nn.LinearCrossEntropyLoss(5, 3), (normal(4, 5), TARGET), linear_then,
                                          functional=lambda F, module, x, target: F.linear_cross_entropy(
                                              x, module.linear.weight, target),
                                          bad=[Bad((normal(4, 6), TARGET), RuntimeError,
                                                   "expected equal input and linear_weight last dimensions")])],
}
