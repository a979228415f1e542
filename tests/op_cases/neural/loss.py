"""Losses. Targets that are classes are integers; -100 marks those to ignore."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.op_cases import Bad, OpCase, arrays, broadcastable, f, sample, shapes, together

REDUCTION = st.sampled_from(["none", "mean", "sum"])
BAD_REDUCTION = Bad((f(2), f(2)), {"reduction": "average"}, ValueError, r"average is not a valid value for reduction")


def quiet() -> None:
    """Targets of another size are warned about; here they are meant."""
    warnings.simplefilter("ignore", UserWarning)


def reduced(loss: Any, reduction: str) -> Any:
    with np.errstate(invalid="ignore"):
        return loss if reduction == "none" else loss.sum() if reduction == "sum" else np.divide(loss.sum(), loss.size)


def elementwise(function: Any) -> Any:
    return lambda input, target, reduction="mean", **settings: reduced(function(input, target, **settings), reduction)


def apart(each: Any) -> Any:
    """Two arrays whose difference is not 0 and not 1, where the losses have kinks."""
    def separate(pair: tuple[Any, Any]) -> tuple[Any, Any]:
        a, b = pair
        whole = np.round(a - b)
        return (np.asarray(a + np.where(np.abs(a - b - whole) < 0.1, 0.25, 0)), b)
    return each.map(separate)


def huber(x: Any, t: Any, delta: float = 1.0) -> Any:
    d = np.abs(x - t)
    return np.where(d <= delta, d**2 / 2, delta * (d - delta / 2))


def smooth(x: Any, t: Any, beta: float = 1.0) -> Any:
    d = np.abs(x - t)
    return d if not beta else np.where(d < beta, d**2 / (2 * beta), d - beta / 2)


def bce(p: Any, t: Any, weight: Any = None, reduction: str = "mean") -> Any:
    return reduced(-(t * np.log(p) + (1 - t) * np.log(1 - p)) * (1 if weight is None else weight), reduction)


def bce_logits(x: Any, t: Any, weight: Any = None, pos_weight: Any = None, reduction: str = "mean") -> Any:
    p = 1 / (1 + np.exp(-x))
    loss = -((1 if pos_weight is None else pos_weight) * t * np.log(p) + (1 - t) * np.log(1 - p))
    return reduced(loss * (1 if weight is None else weight), reduction)


def classes(weighted: bool = True, **settings: Any) -> Any:
    """Scores ``(C,)``, ``(N, C)`` or ``(N, C, d)``, a class for each sample, some ignored, and weights of the classes or None."""
    def make(shape: tuple[int, ...], seed: int, with_weight: bool, ignore: bool) -> Any:
        rng = np.random.default_rng(seed)
        axis = 1 if len(shape) > 1 else 0
        target = np.asarray(rng.integers(0, shape[axis], shape[:axis] + shape[axis + 1:]))
        if ignore and target.size > 1:
            target.flat[0] = -100
        weight = rng.uniform(0.5, 2, shape[axis]) if with_weight else None
        return (rng.uniform(-2, 2, shape), target) + ((weight,) if weighted else ())
    drawn = st.builds(make, st.sampled_from([(3,), (2, 3), (4, 2), (2, 3, 2), (1, 1), (0, 3)]), st.integers(0, 2**20),
                      st.booleans(), st.booleans())
    return sample(drawn, **settings)


def log_softmax(x: Any) -> Any:
    axis = 1 if x.ndim > 1 else 0
    return x - np.log(np.exp(x).sum(axis=axis, keepdims=True))


def per_class(x: Any) -> Any:
    """The class dimension last, samples in one dimension."""
    return np.moveaxis(x, 1, -1).reshape(-1, x.shape[1]) if x.ndim > 1 else x[None]


def back(rows: Any, like: Any) -> Any:
    if like.ndim == 1:
        return rows[0]
    return np.moveaxis(rows.reshape(like.shape[0], *like.shape[2:], like.shape[1]), -1, 1)


def counted(input: Any, target: Any, weight: Any, reduction: str, ignore_index: int) -> Any:
    """How much each sample counts, and the one-hot matrix of its class."""
    t = target.reshape(-1)
    kept = t != ignore_index
    t = np.where(kept, t, 0)
    scale = kept * (1.0 if weight is None else weight[t])
    total = scale.sum()
    if reduction == "mean" and total:
        scale = scale / total
    return scale, np.eye(input.shape[1 if input.ndim > 1 else 0])[t]


def nll(x: Any, target: Any, weight: Any = None, reduction: str = "mean", ignore_index: int = -100) -> Any:
    scale, chosen = counted(x, target, weight, reduction, ignore_index)
    losses = -(per_class(x) * chosen).sum(axis=1) * scale
    if reduction == "mean" and not scale.any():
        return np.asarray(np.nan)
    return losses.reshape(target.shape) if reduction == "none" else losses.sum()


def entropy(x: Any, target: Any, weight: Any = None, reduction: str = "mean", ignore_index: int = -100) -> Any:
    return nll(log_softmax(x), target, weight, reduction, ignore_index)


def slope(grad: Any, p: Any, target: Any, weight: Any = None, reduction: str = "mean", ignore_index: int = -100) -> Any:
    scale, chosen = counted(p, target, weight, reduction, ignore_index)
    return back((per_class(p) - chosen) * (scale * grad.reshape(-1))[:, None], p)


def slope_classes() -> Any:
    """What :func:`classes` gives, after the gradient of the loss that `reduction` makes."""
    def make(case: Any, reduction: str, seed: int) -> Any:
        (p, target, weight), settings = case
        grad = np.random.default_rng(seed).uniform(-2, 2, target.shape if reduction == "none" else ())
        return (np.asarray(grad), p, target, weight), {**settings, "reduction": reduction}
    return st.builds(make, classes(), REDUCTION, st.integers(0, 2**20))


def soft(x: Any, q: Any) -> Any:
    return -(log_softmax(x) * q).sum(axis=1 if x.ndim > 1 else 0)


def picked(x: Any, target: Any, ignore_index: int = -100) -> Any:
    kept, chosen = counted(x, target, None, "sum", ignore_index)
    return ((per_class(x) * chosen).sum(axis=1) * kept).reshape(target.shape)


def placed(x: Any, target: Any, classes: int, ignore_index: int = -100) -> Any:
    rows = np.eye(classes)[np.where(target == ignore_index, 0, target)] * (x * (target != ignore_index))[..., None]
    return np.moveaxis(rows, -1, min(1, target.ndim))


def listed(target: Any) -> Any:
    out = np.zeros((*target.shape, target.shape[1]), bool)
    for n, row in enumerate(target):
        for k, c in enumerate(row):
            if c < 0:
                break
            out[n, k, c] = True
    return out


WRONG_CLASSES = [
    Bad((f(2, 3), np.array([0, 3])), {}, IndexError, r"Target 3 is out of bounds: .* there are 3 classes"),
    Bad((f(2, 3), np.array([0, -1])), {}, IndexError, r"Target -1 is out of bounds"),
    Bad((f(2, 3), np.array([0, 1, 2])), {}, ValueError, r"Expected input batch_size \(2\) to match target batch_size \(3\)"),
    Bad((f(2, 3, 4), np.zeros((2, 3), int)), {}, RuntimeError, r"Expected target size \[2, 4\], got \[2, 3\]"),
    Bad((f(2, 3), np.array([0.0, 1.0])), {}, RuntimeError, r"expected scalar type Long but found float64"),
    Bad((f(2, 3), np.array([0, 1]), f(2)), {}, RuntimeError, r"for all 3 classes or no classes"),
]

CASES = {
    "mse_loss": OpCase(sample(broadcastable(2), reduction=REDUCTION), elementwise(lambda x, t: (x - t)**2),
                       setup=quiet,
                       bad=[BAD_REDUCTION, Bad((f(2), f(3)), {}, RuntimeError, r"size of tensor a \(2\) must match")]),
    "l1_loss": OpCase(sample(apart(broadcastable(2)), reduction=REDUCTION), elementwise(lambda x, t: np.abs(x - t)), setup=quiet,
                      bad=[BAD_REDUCTION]),
    "huber_loss": OpCase(sample(apart(broadcastable(2)), reduction=REDUCTION, delta=st.just(1.0)), elementwise(huber),
                         setup=quiet, examples=[((f(3) * 9, f(3)), {"delta": 2.0})],
                         bad=[BAD_REDUCTION, Bad((f(2), f(2)), {"delta": 0.0}, RuntimeError, r"non-positive values for delta")]),
    "smooth_l1_loss": OpCase(sample(apart(broadcastable(2)), reduction=REDUCTION, beta=st.sampled_from([1.0, 0.0])),
                             elementwise(smooth), setup=quiet,
                             bad=[BAD_REDUCTION, Bad((f(2), f(2)), {"beta": -1.0}, RuntimeError, r"negative values for beta")]),
    "binary_cross_entropy": OpCase(
        st.one_of(sample(together(each=[lambda s: arrays(s, low=0.1, high=0.9)] * 2), None, reduction=REDUCTION),
                  sample(together(each=[lambda s: arrays(s, low=0.1, high=0.9)] * 3), reduction=REDUCTION)), bce,
        examples=[((f(2, 3) / 2, f(2, 3)[::-1] / 2, f(3)), {"reduction": reduction}) for reduction in ("mean", "none")],
        bad=[Bad((f(2), f(3)), {}, ValueError, r"target size \(\[3\]\) that is different to the input size \(\[2\]\)"),
             Bad((f(2), f(2), f(3, 2)), {}, RuntimeError, r"broadcast shape \[3, 2\]: weight has shape \[3, 2\]"),
             Bad((f(2) + 1, f(2)), {}, RuntimeError, r"all elements of input should be between 0 and 1")]),
    "binary_cross_entropy_with_logits": OpCase(
        st.one_of(sample(together(each=[arrays, lambda s: arrays(s, low=0, high=1)]), None, None, reduction=REDUCTION),
                  sample(together(each=[arrays, lambda s: arrays(s, low=0, high=1), *[lambda s: arrays(s, low=0.5)] * 2]),
                         reduction=REDUCTION)),
        bce_logits, examples=[((f(2, 3), f(2, 3)[::-1], f(2, 1), f(3)), {"reduction": r}) for r in ("mean", "none")],
        bad=[Bad((f(2), f(3)), {}, ValueError, r"Target size \(\[3\]\) must be the same as input size \(\[2\]\)")]),
    "cross_entropy_of_classes": OpCase(classes(reduction=REDUCTION), lambda x, *args, **settings: (
        entropy(x, *args, **settings), np.exp(log_softmax(x))), saves=("probabilities",), bad=[*WRONG_CLASSES, Bad(
        (f(2, 3), np.array([0, 1])), {"reduction": "average"}, ValueError, r"not a valid value for reduction")]),
    "cross_entropy_slope": OpCase(slope_classes(), slope),
    "cross_entropy_of_probabilities": OpCase(
        sample(together(shapes(min_dims=1, min_side=1), each=[arrays, lambda s: arrays(s, low=0)])), soft, complex=False,
        bad=[Bad((f(2, 3), f(2, 4)), {}, RuntimeError, r"probabilities have the shape of input, \[2, 3\]")]),
    "nll_loss": OpCase(classes(reduction=REDUCTION), nll, bad=WRONG_CLASSES),
    "pick_class": OpCase(classes(weighted=False), picked, complex=True,
                         examples=[((f(2, 3), np.array([1, 2])), {"ignore_index": 1})],
                         bad=[Bad((f(2, 3), np.array([0, 3])), {}, IndexError, r"Target 3 is out of bounds")]),
    "place_class": OpCase(st.one_of(sample(arrays((2,)), st.just(np.array([1, 3])), classes=st.just(4)),
                                    sample(arrays((2, 2)), st.just(np.array([[1, 0], [-100, 2]])), classes=st.just(3)),
                                    sample(arrays(()), st.just(np.array(1)), classes=st.just(2), ignore_index=st.just(-1))),
                          placed, complex=True),
    "listed_classes": OpCase(sample(st.sampled_from([[[0, 2, -1], [-1, 0, 1]], [[0, 1, 2], [1, -1, -1]]]).map(np.array)), listed,
                             bad=[Bad((np.full((2, 3), 3),), {}, RuntimeError, r"target out of range")]),
}
