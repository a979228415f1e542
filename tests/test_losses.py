"""Losses: the fused ones against their composite forms, CTC against counting, warnings and errors that say what to do."""

from __future__ import annotations

import itertools
import math
import warnings

import numpy as np
import pytest

import minigrad
from minigrad import tensor
from minigrad.nn import functional as F
from minigrad.ops.neural.loss import step_to

RNG = np.random.default_rng(5)


def derivatives(function, *arrays):
    """The value, the gradients, and the gradients of a random combination of those."""
    rng = np.random.default_rng(1)
    leaves = [tensor(a, requires_grad=True) for a in arrays]
    out = function(*leaves)
    first = minigrad.autograd.grad(out, leaves, tensor(rng.normal(size=out.shape)), create_graph=True)
    pairs = [(g, tensor(rng.normal(size=g.shape))) for g in first if g.requires_grad]
    second = minigrad.autograd.grad([g for g, _ in pairs], leaves, [v for _, v in pairs], materialize_grads=True) if pairs else []
    return [t.detach().numpy() for t in (out, *first, *second)]


def assert_same(fused, composite, *arrays):
    for a, b in itertools.zip_longest(derivatives(fused, *arrays), derivatives(composite, *arrays)):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


def reduced(x, reduction):
    return x if reduction == "none" else x.sum() if reduction == "sum" else x.mean()


REDUCTIONS = ["none", "sum", "mean"]
X, T = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3))
P = 1 / (1 + np.exp(-T))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("fused", "composite", "arrays"), [
    (F.mse_loss, lambda x, t: (x - t) ** 2, (X, T)), (F.l1_loss, lambda x, t: (x - t).abs(), (X, T)),
    (F.smooth_l1_loss, lambda x, t: minigrad.where((x - t).abs() < 1, (x - t) ** 2 / 2, (x - t).abs() - 0.5), (X, T)),
    (F.huber_loss, lambda x, t: minigrad.where((x - t).abs() < 1, (x - t) ** 2 / 2, (x - t).abs() - 0.5), (X, T)),
    (F.binary_cross_entropy, lambda p, t: -(t * p.log() + (1 - t) * (1 - p).log()), (P, P[::-1].copy())),
    (F.binary_cross_entropy_with_logits, lambda x, t: -(t * x.sigmoid().log() + (1 - t) * (1 - x.sigmoid()).log()), (X, P)),
    (F.soft_margin_loss, lambda x, t: (1 + (-t * x).exp()).log(), (X, np.sign(T))),
    (lambda x, t, **k: F.kl_div(x, t, log_target=True, **k), lambda x, t: t.exp() * (t - x), (X, T)),
    (F.poisson_nll_loss, lambda x, t: x.exp() - t * x, (X, T)),
    (lambda x, t, v, **k: F.gaussian_nll_loss(x, t, v, **k), lambda x, t, v: (v.log() + (x - t) ** 2 / v) / 2, (X, T, P)),
    (F.multilabel_soft_margin_loss, lambda x, t: -(t * x.sigmoid().log() + (1 - t) * (-x).sigmoid().log()).mean(-1), (X, P)),
    (lambda x, y, **k: F.margin_ranking_loss(x, y, tensor(np.sign(T)), 0.3, **k),
     lambda x, y: (-tensor(np.sign(T)) * (x - y) + 0.3).clamp(min=0), (X, P)),
    (lambda a, p, n, **k: F.triplet_margin_loss(a, p, n, 2.0, **k),
     lambda a, p, n: (((a - p + 1e-6) ** 2).sum(-1) ** 0.5 - ((a - n + 1e-6) ** 2).sum(-1) ** 0.5 + 2).clamp(min=0), (X, T, P))])
def test_losses_are_their_composite_forms_to_the_second_derivative(fused, composite, arrays, reduction):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "reduction: 'mean' divides")
        assert_same(lambda *a: fused(*a, reduction=reduction), lambda *a: reduced(composite(*a), reduction), *arrays)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(5,), (4, 5), (2, 5, 3)])
def test_cross_entropy_is_the_composite_form(shape, weighted, smoothing, reduction):
    axis = 1 if len(shape) > 1 else 0
    x, target = RNG.normal(size=shape), RNG.integers(0, 5, shape[:axis] + shape[axis + 1:])
    if target.ndim:
        target.flat[0] = -100
    w = RNG.uniform(0.5, 2, 5) if weighted else np.ones(5)
    one_hot = np.moveaxis(np.eye(5)[np.where(target < 0, 0, target)], -1, axis) * np.expand_dims(target >= 0, axis)
    column = w.reshape(-1, *[1] * (len(shape) - axis - 1))
    q = one_hot * column * (1 - smoothing) + np.expand_dims(target >= 0, axis) * column * smoothing / 5
    total = (one_hot * column).sum()

    def composite(x):
        losses = -(F.log_softmax(x, axis) * tensor(q)).sum(axis)
        return losses if reduction == "none" else losses.sum() / (total if reduction == "mean" else 1)

    def fused(x):
        return F.cross_entropy(x, tensor(target), tensor(w) if weighted else None, reduction=reduction, label_smoothing=smoothing)
    assert_same(fused, composite, x)
    if not smoothing:
        weight = tensor(w) if weighted else None
        assert_same(lambda x: F.nll_loss(F.log_softmax(x, axis), tensor(target), weight, reduction=reduction), composite, x)


def test_cross_entropy_with_probabilities():
    q = P / P.sum(1, keepdims=True)
    assert_same(F.cross_entropy, lambda x, q: -(F.log_softmax(x, 1) * q).sum(1).mean(), X, q)
    assert_same(lambda x, q: F.cross_entropy(x, q, label_smoothing=0.3, reduction="sum"),
                lambda x, q: -(F.log_softmax(x, 1) * (q * 0.7 + 0.1)).sum(), X, q)


def test_large_scores_do_not_overflow():
    x = tensor([[1000.0, 0.0], [-1000.0, 0.0]], requires_grad=True)
    loss = F.cross_entropy(x, tensor([1, 1]), reduction="none")
    assert loss.tolist() == [1000.0, 0.0]
    loss.sum().backward()
    assert x.grad.tolist() == [[1.0, -1.0], [0.0, 0.0]]
    z = tensor([1000.0, -1000.0], requires_grad=True)
    F.binary_cross_entropy_with_logits(z, tensor([0.0, 1.0]), reduction="sum").backward()
    assert z.grad.tolist() == [1.0, -1.0]


def test_binary_cross_entropy_at_certainty_is_cut_at_100():
    assert F.binary_cross_entropy(tensor([0.0, 1.0]), tensor([1.0, 0.0])).item() == 100.0


# ---------------------------------------------------------------------------------------------------- margins

def test_margin_losses_by_their_definition():
    x, y = RNG.normal(size=(3, 4)), np.array([1, 0, 3])
    for p in (1, 2):
        expected = [sum(max(0, 1 - x[n, y[n]] + x[n, c]) ** p for c in range(4) if c != y[n]) / 4 for n in range(3)]
        np.testing.assert_allclose(F.multi_margin_loss(tensor(x), tensor(y), p=p, reduction="none").numpy(), expected)
    lists = np.array([[1, 2, -1, 0], [-1, 0, 0, 0], [3, -1, 2, 1]])
    chosen = [[1, 2], [], [3]]
    rest = [[i for i in range(4) if i not in row] for row in chosen]
    expected = [sum(max(0, 1 - (x[n, j] - x[n, i])) for j in chosen[n] for i in rest[n]) / 4 for n in range(3)]
    np.testing.assert_allclose(F.multilabel_margin_loss(tensor(x), tensor(lists), reduction="none").numpy(), expected)
    t = np.array([1, -1, -1])
    a, b = RNG.normal(size=(2, 3, 5))
    cosine = (a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1))
    np.testing.assert_allclose(F.cosine_embedding_loss(tensor(a), tensor(b), tensor(t), 0.1, reduction="none").numpy(),
                               np.where(t == 1, 1 - cosine, np.maximum(0, cosine - 0.1)))
    np.testing.assert_allclose(F.hinge_embedding_loss(tensor(x[:, 0]), tensor(t), 0.5, reduction="none").numpy(),
                               np.where(t == 1, x[:, 0], np.maximum(0, 0.5 - x[:, 0])))


# ---------------------------------------------------------------------------------------------------- CTC

def stretched(path, blank):
    """What a path of classes stands for: repeats joined, blanks left out."""
    return [c for k, c in enumerate(path) if c != blank and (k == 0 or c != path[k - 1])]


@pytest.mark.parametrize(("targets", "lengths", "inputs"), [
    ([[1, 2], [1, 1]], [2, 2], [4, 4]), ([[2, 0], [0, 0]], [1, 0], [3, 4]), ([[1, 1], [2, 1]], [2, 2], [2, 3])])
def test_ctc_counts_all_paths(targets, lengths, inputs):
    x = RNG.normal(size=(4, 2, 3))
    log_p = x - np.log(np.exp(x).sum(-1, keepdims=True))
    expected = []
    for n in range(2):
        paths = [p for p in itertools.product(range(3), repeat=inputs[n]) if stretched(p, 0) == targets[n][:lengths[n]]]
        total = sum(math.exp(sum(log_p[t, n, c] for t, c in enumerate(p))) for p in paths)
        expected.append(-math.log(total) if total else math.inf)
    args = (tensor(targets), tensor(inputs), tensor(lengths))
    np.testing.assert_allclose(F.ctc_loss(tensor(log_p), *args, reduction="none").numpy(), expected, rtol=1e-9)
    flat = tensor([c for row, size in zip(targets, lengths) for c in row[:size]], dtype=minigrad.int64)
    found = F.ctc_loss(tensor(log_p), flat, inputs, lengths, reduction="none", zero_infinity=True).numpy()
    np.testing.assert_allclose(found, np.where(np.isinf(expected), 0, expected), rtol=1e-9)


def test_ctc_gradient_is_the_slope():
    x = RNG.normal(size=(5, 1, 4))

    def loss(x):
        return F.ctc_loss(F.log_softmax(x, 2), tensor([[1, 3]]), [5], [2])
    leaf, step = tensor(x, requires_grad=True), RNG.normal(size=x.shape)
    loss(leaf).backward()
    slope = (loss(tensor(x + 1e-6 * step)) - loss(tensor(x - 1e-6 * step))).item() / 2e-6
    assert (leaf.grad.numpy() * step).sum() == pytest.approx(slope, rel=1e-6)


# ---------------------------------------------------------------------------------------------------- warnings, errors

def test_a_column_against_a_row_is_warned_about_with_the_line_that_fixes_it():
    prediction, target = minigrad.zeros(4, 1), minigrad.zeros(4)
    for loss in (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss):
        message = r"target size \(\[4\]\) .* input size \(\[4, 1\]\).*target\.unsqueeze\(-1\)"
        with pytest.warns(UserWarning, match=message) as record:
            loss(prediction, target)
        assert record[0].filename == __file__
    with pytest.warns(UserWarning, match=r"input\.unsqueeze\(-1\)"):
        F.mse_loss(target, prediction)


@pytest.mark.parametrize("loss", [
    lambda x, t: F.kl_div(x, t, reduction="sum"), F.poisson_nll_loss, lambda x, t: F.gaussian_nll_loss(x, t, 1.0),
    F.soft_margin_loss, F.hinge_embedding_loss, F.multilabel_soft_margin_loss])
def test_losses_that_are_broadcast_on_purpose_warn_only_of_a_column_against_a_row(loss):
    x = minigrad.ones(4, 1)
    with pytest.warns(UserWarning, match=r"target\.unsqueeze\(-1\) or input\.squeeze\(-1\)"):
        loss(x, minigrad.ones(4))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loss(x, minigrad.ones(1))


COLUMN, ROW = minigrad.zeros(4, 1), minigrad.zeros(4)


@pytest.mark.parametrize("loss", [F.binary_cross_entropy, F.binary_cross_entropy_with_logits, F.multilabel_margin_loss,
                                  lambda x, t: F.margin_ranking_loss(x, x, t)])
def test_a_column_against_a_row_is_refused_with_the_line_that_fixes_it(loss):
    with pytest.raises((ValueError, RuntimeError), match=r"target\.unsqueeze\(-1\) or input1?\.squeeze\(-1\)"):
        loss(COLUMN, ROW)
    with pytest.raises((ValueError, RuntimeError), match=r"target\.squeeze\(-1\) or input1?\.unsqueeze\(-1\)"):
        loss(ROW, COLUMN)


@pytest.mark.parametrize(("fix", "given", "wanted"), [
    ("t.unsqueeze(-1)", (4,), (4, 1)), ("t.squeeze(-1)", (4, 1), (4,)), ("t.T", (2, 3), (3, 2)),
    ("t.reshape([2, 3])", (6,), (2, 3)), ("t.expand([2, 3])", (1, 3), (2, 3)), ("t.expand([2, 3])", (3,), (2, 3)),
    ("t.expand([2])", (), (2,)), ("", (2,), (2, 3)),
    ("", (2, 3), (3,)), ("t.squeeze(-1)", (2, 3, 1), (2, 3))])
def test_the_step_from_one_shape_to_another_is_right(fix, given, wanted):
    assert step_to("t", given, wanted) == fix
    if fix:
        assert eval(fix, {"t": minigrad.zeros(given)}).shape == wanted


@pytest.mark.parametrize(("call", "fix"), [
    (lambda: F.cross_entropy(minigrad.zeros(4, 3), COLUMN.long()), r"target\.squeeze\(-1\)"),
    (lambda: F.nll_loss(minigrad.zeros(4, 3), COLUMN.long()), r"target\.squeeze\(-1\)"),
    (lambda: F.cross_entropy(minigrad.zeros(4, 3), minigrad.zeros(4, 3).long()), r"target\.argmax\(dim=1\)"),
    (lambda: F.cross_entropy(minigrad.zeros(2, 3, 5), minigrad.zeros(2, 1, 5).long()), r"target\.reshape\(\[2, 5\]\)"),
    (lambda: F.multi_margin_loss(minigrad.zeros(4, 3), COLUMN.long()), r"target\.squeeze\(-1\)"),
    (lambda: F.cosine_embedding_loss(minigrad.zeros(4, 3), minigrad.zeros(4, 3), COLUMN), r"target\.squeeze\(-1\)")])
def test_classes_of_another_shape_are_refused_with_the_line_that_fixes_it(call, fix):
    with pytest.raises(RuntimeError, match=fix):
        call()


def test_older_words_for_the_reduction():
    assert F.mse_loss(tensor([1.0, 3.0]), tensor([0.0, 0.0]), size_average=False).item() == 10.0
    assert F.mse_loss(tensor([1.0, 3.0]), tensor([0.0, 0.0]), reduce=False).tolist() == [1.0, 9.0]
    assert F.l1_loss(tensor([1.0, 3.0]), tensor([0.0, 0.0]), weight=tensor([3.0, 1.0])).item() == 1.5


@pytest.mark.parametrize(("call", "error", "match"), [
    (lambda: F.cross_entropy(tensor([[0.0, 1.0]]), tensor([2])), IndexError, r"Target 2 is out of bounds.*numbered 0 to 1"),
    (lambda: F.cross_entropy(tensor([[0.0, 1.0]]), tensor([1]), label_smoothing=2.0), RuntimeError, "between 0.0 and 1.0"),
    (lambda: F.gaussian_nll_loss(tensor([0.0]), tensor([0.0]), tensor([-1.0])), ValueError, "negative entry"),
    (lambda: F.triplet_margin_loss(*[tensor([[0.0]])] * 3, margin=0), ValueError, "margin must be greater than 0"),
    (lambda: F.multi_margin_loss(tensor([[0.0]]), tensor([0]), p=3), ValueError, "only p == 1 and p == 2"),
    (lambda: F.dropout(tensor([0.0]), 1.5), ValueError, "between 0 and 1, but got 1.5"),
    (lambda: F.ctc_loss(minigrad.zeros(3, 1, 2), tensor([[1]]), [4], [1]), RuntimeError, "at most 3, but got value 4")])
def test_errors_say_what_would_be_right(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_targets_of_the_wrong_kind_say_what_is_right() -> None:
    scores = minigrad.zeros(3, 4)
    with pytest.raises(TypeError, match=r"cross_entropy\(\): argument 'target' must be a Tensor, not list; minigrad.tensor"):
        F.cross_entropy(scores, [0, 1, 2])
    with pytest.raises(RuntimeError, match=r"to be Long or Byte, but got minigrad.float32 of shape \[3\]: classes are integers"):
        F.cross_entropy(scores, minigrad.zeros(3))
