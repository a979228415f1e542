"""Numbers of low precision are computed with in float32, and results and gradients are rounded once, of every operation."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.recording.call import REGISTRY
from tests import checks
from tests.test_op_table import CASES, NAMES, WITH_RULES, drawn

F = mg.nn.functional

# Their results depend on which numbers the dtype has, or are of another dtype.
NOT_COMPARED = {"nextafter", "view_dtype", "frexp", "tie_shares", "bincount"}


def halves(args: Any) -> list[Any]:
    return [a.astype(np.float16) if checks.is_float(a) and a.dtype.kind == "f" else a for a in args]


def widened(args: Any) -> list[Any]:
    return [a.astype(np.float32) if checks.is_float(a) and a.dtype == np.float16 else a for a in args]


def samples(name: str) -> list[Any]:
    return [(args, settings) for args, settings in [*CASES[name].examples, *drawn(name)][:6]
            if any(checks.is_float(a) and a.dtype.kind == "f" for a in args if a is not None) and "dtype" not in settings]


@pytest.mark.parametrize("name", [n for n in NAMES if not CASES[n].drawn and n not in NOT_COMPARED])
def test_the_result_is_that_of_float32_rounded_once(name: str) -> None:
    op, case = REGISTRY[name], CASES[name]
    for args, settings in samples(name):
        low = halves(args)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                wide = checks.comparable(op, case, widened(low), settings)
                found = checks.comparable(op, case, low, settings)
            except (RuntimeError, TypeError, NotImplementedError):
                continue  # not made for float16, or for numbers as rounded
            for k, (one, other) in enumerate(zip(found, wide)):
                if k in [op.info.results[name] for name in op.info.wide]:
                    assert np.asarray(one).dtype == np.float32
                    np.testing.assert_array_equal(one, other, checks.described(op, low, settings))
                elif checks.is_float(other) and np.asarray(other).dtype == np.float32:
                    assert np.asarray(one).dtype == np.float16
                    np.testing.assert_array_equal(one, other.astype(np.float16), checks.described(op, low, settings))


@pytest.mark.parametrize("name", [n for n in WITH_RULES if not CASES[n].drawn and n not in NOT_COMPARED])
def test_gradients_are_those_of_float32(name: str) -> None:
    op, case = REGISTRY[name], CASES[name]
    rng = np.random.default_rng(0)
    for args, settings in samples(name):
        low = halves(args)
        which = checks.differentiable(op, low)
        if not which or any(args[k].dtype.kind != "f" for k in which):
            continue
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                outs = checks.evaluate(op, case, low, settings)
                weights = checks.weights_for(rng, outs)
                if any(w is not None and w.dtype != np.float16 for w in weights):
                    continue
                found = checks.gradients(op, case, low, settings, weights, which)
                weights = [w if w is None else w.astype(np.float32) for w in weights]
                wide = checks.gradients(op, case, widened(low), settings, weights, which)
            except (RuntimeError, TypeError, NotImplementedError):
                continue
            for one, other in zip(found, wide):
                # A rule may name the result, which is saved rounded, and what was broadcast is summed after it.
                checks.assert_close(f"gradient of {checks.described(op, low, settings)}", one, other.astype(np.float16), 4e-3)


# ---------------------------------------------------------------------------------------------------- numbers

def half(*values: float, requires_grad: bool = False) -> Any:
    return mg.tensor(values, dtype=mg.float16, requires_grad=requires_grad)


@pytest.mark.parametrize(("found", "expected"), [
    (lambda: half(0.01) * 65536, 655.5), (lambda: 65536 * half(0.01), 655.5), (lambda: half(0.01).mul_(65536.0), 655.5),
    (lambda: half(0.01) * mg.tensor(65536.0), 655.5), (lambda: mg.mul(half(0.01), 65536, out=half(0.0)), 655.5),
    (lambda: half(60000.0) / 100000, 0.6), (lambda: 100000 / half(60000.0), 1.669), (lambda: half(0.01) / 1e-6, 10000),
    (lambda: half(-60000.0) + 65536, 5536), (lambda: half(60000.0) - 70000, -10000), (lambda: 70000 - half(60000.0), 10000),
    (lambda: half(1.0).add(half(0.01), alpha=65536), 656.5), (lambda: half(1.0).sub_(half(0.01), alpha=65536), -654.5),
    (lambda: half(1.0).lerp(half(1.001), 70000), 69.375), (lambda: half(1.0).addcmul(half(0.01), half(0.01), value=70000), 8),
    (lambda: half(1.0).addcdiv(half(0.01), half(10.0), value=70000), 71), (lambda: mg.pow(70000.0, half(0.5)), 264.6),
    (lambda: half(1.0) == 1.0001, True), (lambda: half(0.1) == 0.1, True),
    (lambda: F.elu(half(-1e-3), alpha=70000.0), -69.97), (lambda: F.softplus(half(1e-4), beta=100000.0), 1.0e-4)])
def test_a_python_number_is_not_rounded_first(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found().numpy(), [expected], rtol=1e-3)


def test_the_gradient_of_a_product_with_a_large_number() -> None:
    x, scale = half(0.01, requires_grad=True), mg.tensor(65536.0, requires_grad=True)
    for y in (x * 65536, x * scale, x.add(x * 0, alpha=1) / (1 / 65536), mg.zeros_like(x).add(x, alpha=65536)):
        np.testing.assert_allclose(mg.autograd.grad(y, x, half(0.01), retain_graph=True)[0].numpy(), [655.5])
    found, = mg.autograd.grad(x * scale, scale, half(0.5))
    assert found.dtype is mg.float32
    np.testing.assert_allclose(found.item(), 0.005, rtol=1e-3)


def test_second_derivatives_are_computed_in_float32_too() -> None:
    x = half(0.001, requires_grad=True)
    first, = mg.autograd.grad((x * 1e5).square(), x, create_graph=True)
    assert first.dtype is mg.float16 and first.item() == np.inf  # 2e7
    first, = mg.autograd.grad((x * 1e3).square(), x, half(1e-3), create_graph=True)
    second, = mg.autograd.grad(first, x)
    np.testing.assert_allclose([first.item(), second.item()], [2, 2000], rtol=2e-3)


# ---------------------------------------------------------------------------------------------------- sums and counts

MANY = 100_000  # more than float16 holds


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy",
                                  "binary_cross_entropy_with_logits", "soft_margin_loss", "poisson_nll_loss", "kl_div"])
def test_the_mean_of_more_losses_than_float16_can_count(name: str) -> None:
    loss = getattr(F, name)
    options = {"log_target": True} if name == "kl_div" else {}
    values = []
    for dtype in (mg.float16, mg.float32):
        x = mg.full((MANY,), 0.5, dtype=dtype, requires_grad=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            out = loss(x, mg.full((MANY,), 0.25, dtype=dtype), **options)
        out.backward(mg.tensor(60000.0, dtype=dtype))
        assert out.dtype is dtype is x.grad.dtype
        values.append([out.item(), *x.grad[:2].tolist()])
    np.testing.assert_allclose(*values, rtol=2e-3)


@pytest.mark.parametrize("loss", [F.cross_entropy, F.nll_loss, F.multi_margin_loss])
def test_the_mean_over_more_samples_than_float16_can_count(loss: Any) -> None:
    values = []
    for dtype in (mg.float16, mg.float32):
        x = mg.full((MANY, 2), 0.5, dtype=dtype, requires_grad=True)
        out = loss(x, mg.zeros(MANY, dtype=mg.int64))
        out.backward(mg.tensor(60000.0, dtype=dtype))
        values.append([out.item(), *x.grad[0].tolist()])
    np.testing.assert_allclose(*values, rtol=2e-3)


def test_sums_that_overflow_before_they_are_divided() -> None:
    fours = mg.full((10_000,), 4.0, dtype=mg.float16)
    assert F.mse_loss(fours, fours * 0).item() == 16
    assert fours.mean().item() == 4 and fours.mul(100).mean().item() == 400 and fours.norm().item() == 400
    assert fours.reshape(2, -1).mul(100).mean(1).tolist() == [400, 400]
    assert F.avg_pool1d(fours.reshape(1, 1, -1) * 100, 10_000).item() == 400
    x = mg.ones(MANY, dtype=mg.float16, requires_grad=True)
    x.mean().backward(mg.tensor(60000.0, dtype=mg.float16))
    np.testing.assert_allclose(x.grad[0].item(), 0.6, rtol=1e-3)


def test_what_is_added_at_an_index_is_summed_in_float32() -> None:
    index, ones = mg.zeros(3000, dtype=mg.int64), mg.ones(3000, dtype=mg.float16)
    target = mg.zeros(1, dtype=mg.float16)
    for found in (target.index_add(0, index, ones), target.scatter_add(0, index, ones), target.index_put((index,), ones, True),
                  target.scatter_reduce(0, index, ones, "sum"), target.clone().index_add_(0, index, ones)):
        assert found.item() == 3000
    weight = mg.ones(1, 1, dtype=mg.float16, requires_grad=True)
    F.embedding(index, weight).sum().backward()
    assert weight.grad.item() == 3000


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, np.inf])
def test_clipping_gradients_whose_squares_overflow(p: float) -> None:
    w = mg.zeros(4, dtype=mg.float16, requires_grad=True)
    w.grad = half(300.0, 0.0, 0.0, 400.0)
    norm = mg.nn.utils.clip_grad_norm_(w, 1.0, p)
    expected = np.linalg.norm([300.0, 0, 0, 400], p)
    assert norm.dtype is mg.float16
    np.testing.assert_allclose(norm.item(), expected, rtol=1e-3)
    np.testing.assert_allclose(w.grad.numpy(), np.array([300, 0, 0, 400]) / expected, rtol=2e-3)


def test_means_of_what_is_scattered_are_rounded_once() -> None:
    values = mg.tensor([1.6064453125, 1.7294921875, 1.5439453125], dtype=mg.float16)  # the sum, rounded, has another third
    found = mg.zeros(1, dtype=mg.float16).scatter_reduce(0, mg.zeros(3, dtype=mg.int64), values, "mean", include_self=False)
    assert found.item() == np.float16(np.float32(values.float().sum().item()) / np.float32(3))
