"""Normalization layers against their composite forms, to the second derivative; running statistics; bad shapes."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad
from minigrad import tensor
from minigrad.nn import functional as F
from minigrad.ops.neural import normalization


def composite(x, axes, eps, weight=None, bias=None, centered=True):
    """What the fused operations compute, made of means and operators."""
    d = x - x.mean(axes, keepdim=True) if centered else x
    y = d / ((d * d).mean(axes, keepdim=True) + eps) ** 0.5
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def channels(v, ndim):
    return None if v is None else v.reshape(1, -1, *[1] * (ndim - 2))


def grouped(x, groups, eps, weight, bias):
    y = composite(x.reshape(x.shape[0], groups, -1), (2,), eps).reshape(x.shape)
    y = y if weight is None else y * channels(weight, x.ndim)
    return y if bias is None else y + channels(bias, x.ndim)


def over_channels(axes):
    return lambda x, w, b: composite(x, axes(x), 1e-5, channels(w, x.ndim), channels(b, x.ndim))


LAYERS = {
    "layer_norm": (lambda x, w, b: F.layer_norm(x, (4, 5), w, b), lambda x, w, b: composite(x, (-2, -1), 1e-5, w, b), (4, 5)),
    "rms_norm": (lambda x, w, b: F.rms_norm(x, (5,), w, 0.1), lambda x, w, b: composite(x, (-1,), 0.1, w, None, False), (5,)),
    "batch_norm": (lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True),
                   over_channels(lambda x: tuple(d for d in range(x.ndim) if d != 1)), (6,)),
    "instance_norm": (lambda x, w, b: F.instance_norm(x, None, None, w, b),
                      over_channels(lambda x: tuple(range(2, x.ndim))), (6,)),
    "group_norm": (lambda x, w, b: F.group_norm(x, 3, w, b), lambda x, w, b: grouped(x, 3, 1e-5, w, b), (6,)),
}


def derivatives(function, arrays, seed):
    """The result, the gradients, and the gradients of a random combination of those."""
    rng = np.random.default_rng(seed)
    leaves = [tensor(a, requires_grad=True) for a in arrays if a is not None]
    given = iter(leaves)
    out = function(*[None if a is None else next(given) for a in arrays])
    first = minigrad.autograd.grad(out, leaves, tensor(rng.normal(size=out.shape)), create_graph=True, allow_unused=True)
    pairs = [(g, tensor(rng.normal(size=g.shape))) for g in first if g is not None and g.requires_grad]
    second = minigrad.autograd.grad([g for g, _ in pairs], leaves, [v for _, v in pairs], allow_unused=True)
    return [t.detach().numpy() if t is not None else 0.0 for t in (out, *first, *second)]


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("name", LAYERS)
def test_agrees_with_the_composite_form_to_the_second_derivative(name, affine):
    fused, oracle, shape = LAYERS[name]
    rng = np.random.default_rng(0)
    x = rng.normal(1, 2, (3, 6, 4, 5))
    weight, bias = (rng.normal(size=shape), rng.normal(size=shape)) if affine else (None, None)
    for a, b in zip(derivatives(fused, (x, weight, bias), 1), derivatives(oracle, (x, weight, bias), 1)):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-9)


def test_batch_norm_of_vectors():
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(7, 3)), rng.normal(size=3), rng.normal(size=3)
    fused = derivatives(lambda x, w, b: F.batch_norm(x, None, None, w, b, True), (x, w, b), 1)
    oracle = derivatives(lambda x, w, b: composite(x, (0,), 1e-5, w, b), (x, w, b), 1)
    for f, o in zip(fused, oracle):
        np.testing.assert_allclose(f, o, rtol=1e-8, atol=1e-10)


def test_the_mean_and_the_variance_are_differentiable_too():
    rng = np.random.default_rng(0)
    x, a, b = rng.normal(size=(4, 6)), tensor(rng.normal(size=(1, 4, 1))), tensor(rng.normal(size=(1, 4, 1)))

    def fused(x):
        standard, mean, var = normalization.standardize(x, layout=(1, 4, 6), eps=0.1)
        return (standard ** 3).sum() + (mean * a).sum() + (var * b).sum()

    def oracle(x):
        y = x.reshape(1, 4, 6)
        return ((composite(y, (0, 2), 0.1) ** 3).sum() + (y.mean((0, 2), keepdim=True) * a).sum()
                + (y.var((0, 2), correction=0, keepdim=True) * b).sum())

    for f, o in zip(derivatives(fused, (x,), 1), derivatives(oracle, (x,), 1)):
        np.testing.assert_allclose(f, o, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("dtype", [minigrad.float16, minigrad.float32, minigrad.float64])
def test_dtype_stays_in_the_gradient_too(dtype):
    x = tensor(np.random.default_rng(0).normal(size=(4, 6)), dtype=dtype, requires_grad=True)
    w = minigrad.ones(6, dtype=dtype).requires_grad_()
    y = x * 1
    out = F.layer_norm(y, (6,), w)
    g, gw = minigrad.autograd.grad(out.sum(), (y, w))
    assert out.dtype is g.dtype is gw.dtype is dtype


def test_statistics_of_float16_are_not_rounded():
    x = np.random.default_rng(0).normal(10_000, 1000, (64, 2, 5)).astype(np.float16)
    mean, var, wide = minigrad.zeros(2), minigrad.ones(2), x.astype(np.float64)
    out = F.batch_norm(tensor(x), mean, var, training=True, momentum=1.0)
    np.testing.assert_allclose(mean.numpy(), wide.mean((0, 2)), rtol=1e-5)
    np.testing.assert_allclose(var.numpy(), wide.var((0, 2), ddof=1), rtol=1e-5)  # more than float16 holds
    standard = (wide - wide.mean((0, 2), keepdims=True)) / wide.std((0, 2), keepdims=True)
    np.testing.assert_allclose(out.numpy(), standard, atol=2e-3)


def test_running_statistics_move_towards_those_of_the_batch():
    x = np.random.default_rng(0).normal(3, 2, (8, 2, 5))
    mean, var = minigrad.zeros(2, dtype=minigrad.float64), minigrad.ones(2, dtype=minigrad.float64)
    F.batch_norm(tensor(x), mean, var, training=True, momentum=0.25)
    np.testing.assert_allclose(mean.numpy(), 0.25 * x.mean((0, 2)))
    np.testing.assert_allclose(var.numpy(), 0.75 + 0.25 * x.var((0, 2), ddof=1))
    F.instance_norm(tensor(x), mean, var, momentum=1.0)
    np.testing.assert_allclose(mean.numpy(), x.mean((0, 2)))
    np.testing.assert_allclose(var.numpy(), x.var(2, ddof=1).mean(0))


def test_evaluation_uses_the_running_statistics_and_leaves_them():
    x, mean, var = np.random.default_rng(0).normal(size=(4, 2, 3)), tensor([1.0, -1.0]), tensor([4.0, 0.25])
    x = tensor(x, dtype=minigrad.float32, requires_grad=True)
    out = F.batch_norm(x, mean, var, eps=1e-12)
    np.testing.assert_allclose(out.detach().numpy(), (x.detach().numpy() - [[[1], [-1]]]) / [[[2], [0.5]]], rtol=1e-6)
    out.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.broadcast_to([[[0.5], [2.0]]], x.shape), rtol=1e-6)
    assert mean.tolist() == [1.0, -1.0]
    with pytest.raises(ValueError, match="eps must be positive, but got 0.0"):
        F.batch_norm(x, mean, var, eps=0.0)


def test_an_activation_may_overwrite_the_result():
    x = tensor(np.random.default_rng(0).normal(size=(4, 3)), requires_grad=True)
    for affine in (None, minigrad.ones(3, dtype=minigrad.float64)):
        y = F.batch_norm(x, None, None, affine, training=True)
        y.mul_(2)
        (g,) = minigrad.autograd.grad(y.sum(), x)
        np.testing.assert_allclose(g.numpy(), np.zeros((4, 3)), atol=1e-12)


def test_constant_rows_become_zero():
    out = F.layer_norm(minigrad.full((2, 3), 7.0), (3,))
    assert out.tolist() == [[0.0] * 3] * 2


def test_nothing_to_normalize():
    assert F.layer_norm(minigrad.zeros(0, 3), (3,)).shape == (0, 3)
    assert F.batch_norm(minigrad.zeros(0, 3, 2), None, None, training=True).shape == (0, 3, 2)
    assert F.group_norm(minigrad.zeros(0, 4, 2), 2).shape == (0, 4, 2)


def test_local_response_norm():
    x = np.random.default_rng(0).normal(size=(2, 5, 3))
    found = F.local_response_norm(tensor(x), 3, alpha=0.1, beta=0.5, k=2.0).numpy()
    padded = np.pad(x ** 2, ((0, 0), (1, 1), (0, 0)))
    squares = sum(padded[:, k:k + 5] for k in range(3))
    np.testing.assert_allclose(found, x / (2.0 + 0.1 / 3 * squares) ** 0.5)
    with pytest.raises(ValueError, match="3D or higher"):
        F.local_response_norm(tensor([[1.0]]), 1)


def test_normalize():
    x = tensor([[3.0, 4.0], [0.0, 0.0]], requires_grad=True)
    out = F.normalize(x)
    assert out.detach().numpy() == pytest.approx(np.array([[0.6, 0.8], [0.0, 0.0]]))
    out.sum().backward()
    assert np.isfinite(x.grad.numpy()).all()


@pytest.mark.parametrize(("call", "error", "match"), [
    (lambda x: F.layer_norm(x, (4,)), RuntimeError, r"Given normalized_shape=\[4\], expected input with shape \[\*, 4\]"),
    (lambda x: F.layer_norm(x, ()), RuntimeError, "at least 1-dimensional"),
    (lambda x: F.layer_norm(x, (3,), minigrad.ones(2)), RuntimeError, "Expected weight to be of same shape"),
    (lambda x: F.batch_norm(x, None, None), RuntimeError, "running_mean and running_var to be defined"),
    (lambda x: F.batch_norm(x, None, None, minigrad.ones(2), training=True), RuntimeError, "weight should contain 3 elements"),
    (lambda x: F.batch_norm(x[:1], None, None, training=True), ValueError, "more than 1 value per channel"),
    (lambda x: F.batch_norm(x[0], None, None, training=True), RuntimeError, "at least 2 dimensions"),
    (lambda x: F.group_norm(x, 2), RuntimeError, "divisible by num_groups"),
    (lambda x: F.instance_norm(x), ValueError, "more than 1 spatial element"),
    (lambda x: F.layer_norm(x.int(), (3,)), RuntimeError, "floating point input"),
])
def test_bad_input(call, error, match):
    with pytest.raises(error, match=match):
        call(minigrad.ones(2, 3))
