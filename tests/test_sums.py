"""Sums keep their digits, whichever dimension they run along; means, variances and norms are right where squares overflow or
vanish."""

from __future__ import annotations

import itertools
import math
from typing import Any, Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad._arrays import sum_over, sum_products

F = mg.nn.functional
ROWS = 200_000  # of which NumPy, adding row to row, gets sums that are wrong in the fifth digit

X = np.random.default_rng(0).uniform(0.1, 1.1, (ROWS, 4)).astype(np.float32)
EXACT = X.astype(np.float64)


def normalized(x: Any) -> Any:
    return (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)


REDUCTIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "sum": (lambda x: x.sum(0), lambda x: x.sum(0)),
    "sum of a part": (lambda x: x[:, :2].sum(), lambda x: x[:, :2].sum()),
    "sum of columns": (lambda x: x.T.contiguous().T.sum(0), lambda x: x.sum(0)),
    "mean": (lambda x: x.mean(0), lambda x: x.mean(0)),
    "nansum": (lambda x: x.nansum(0), lambda x: x.sum(0)),
    "nanmean": (lambda x: x.nanmean(0), lambda x: x.mean(0)),
    "var": (lambda x: x.var(0), lambda x: x.var(0, ddof=1)),
    "std": (lambda x: x.std(0), lambda x: x.std(0, ddof=1)),
    "norm": (lambda x: x.norm(dim=0), lambda x: np.sqrt((x * x).sum(0))),
    "norm of order 3": (lambda x: x.norm(3, dim=0), lambda x: (x ** 3).sum(0) ** (1 / 3)),
    "logsumexp": (lambda x: x.logsumexp(0).exp(), lambda x: np.exp(x).sum(0)),
    "softmax": (lambda x: x.softmax(0)[:3] * ROWS, lambda x: np.exp(x[:3]) / np.exp(x).mean(0)),
    "sum_to_size": (lambda x: x.sum_to_size(1, 4), lambda x: x.sum(0, keepdims=True)),
    "float16": (lambda x: x.half().mean(0).float(), lambda x: x.astype(np.float16).astype(np.float64).mean(0).astype(np.float16)),
    "complex": (lambda x: mg.complex(x, x).sum(0).imag, lambda x: x.sum(0)),
    "batch_norm": (lambda x: F.batch_norm(x, None, None, training=True)[:4],
                   lambda x: normalized(x.T)[:, :4].T),
    "group_norm": (lambda x: F.group_norm(x.T[None], 2)[0, :, :4].T,
                   lambda x: normalized(x.T.reshape(2, -1)).reshape(4, -1)[:, :4].T)}


@pytest.mark.parametrize("name", REDUCTIONS)
def test_a_reduction_of_many_rows_keeps_its_digits(name: str) -> None:
    ours, exact = REDUCTIONS[name]
    np.testing.assert_allclose(ours(mg.tensor(X)).numpy(), exact(EXACT), rtol=2e-6, atol=2e-6 if "norm" in name else 0)


GRADIENTS: dict[str, Callable[[Any, Any], Any]] = {
    "bias of linear": lambda x, w: F.linear(x, mg.eye(4), w),
    "what is broadcast": lambda x, w: x + w,
    "expand": lambda x, w: w.expand(ROWS, 4),
    "bias of layer_norm": lambda x, w: F.layer_norm(x, (4,), None, w),
    "weight of scale_shift": lambda x, w: F.batch_norm(x, mg.zeros(4), mg.ones(4), w, None, eps=1e-12) / x}


@pytest.mark.parametrize("name", GRADIENTS)
def test_a_gradient_summed_over_many_rows_keeps_its_digits(name: str) -> None:
    w = mg.ones(4, requires_grad=True)
    GRADIENTS[name](mg.tensor(X), w).backward(mg.tensor(X))
    np.testing.assert_allclose(w.grad.numpy(), EXACT.sum(0), rtol=2e-6)


@pytest.mark.parametrize("dtype", ["f", "d", "F"])
@pytest.mark.parametrize("shape", [(3, 300, 5), (700, 4), (4, 700), (2, 3, 40, 50), (5000,), (1, 900, 1), (2, 0, 700),
                                   (300, 300)])
def test_sums_over_all_dimensions_in_all_layouts(shape: tuple[int, ...], dtype: str) -> None:
    rng = np.random.default_rng(0)
    base = (rng.uniform(0.1, 1.1, shape) + (1j * rng.uniform(0.1, 1.1, shape) if dtype == "F" else 0)).astype(dtype)
    for order, step in itertools.product(itertools.permutations(range(base.ndim)), (1, -1, 2)):
        x = base.transpose(order)[..., ::step]
        wide = x.astype("D" if dtype == "F" else "d")
        for axis in [a for n in range(x.ndim + 1) for a in itertools.combinations(range(x.ndim), n)]:
            for keep in (False, True):
                found = sum_over(x, axis, keep)
                assert found.dtype == x.dtype and not np.shares_memory(found, x)
                np.testing.assert_allclose(found, wide.sum(axis=axis, keepdims=keep), rtol=1e-6)
            np.testing.assert_allclose(sum_products(x, x, axes=axis), (wide * wide).sum(axis=axis), rtol=3e-6)
            np.testing.assert_allclose(sum_products(x, axes=axis), wide.sum(axis=axis), rtol=1e-6)
        np.testing.assert_allclose(sum_over(x), wide.sum(), rtol=1e-6)


# ---------------------------------------------------------------------------------------------------- squares that are no numbers

@pytest.mark.parametrize("size", [1e-38, 1e-30, 1e-20, 1e20, 1e38])
def test_std_where_squares_overflow_or_vanish(size: float) -> None:
    x = mg.tensor([size, 0.0, size / 2], requires_grad=True)
    x.std().backward()
    np.testing.assert_allclose(x.detach().std().item() / size, 0.5, rtol=1e-5)
    np.testing.assert_allclose(x.grad.numpy(), [0.5, -0.5, 0.0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [mg.float32, mg.float64])
@pytest.mark.parametrize("p", [-2, -0.5, 0.1, 0.5, 1, 1.5, 2, 3, 10, math.inf])
@pytest.mark.parametrize("size", [1e-37, 1e-30, 1e-20, 1.0, 1e20, 1e33])
def test_norms_where_powers_overflow_or_vanish(size: float, p: float, dtype: Any) -> None:
    if dtype is mg.float64:
        size = size ** 8  # 1e-296 to 1e264
    values = np.array([1.0, -2.0, 3.0])
    x = mg.tensor(values * size, dtype=dtype, requires_grad=True)
    norm = x.norm(p)
    norm.backward()
    usual = np.abs(values).max() if p == math.inf else (np.abs(values) ** p).sum() ** (1 / p)
    np.testing.assert_allclose(norm.item() / size, usual, rtol=1e-5)
    slope = (np.abs(values) == usual) * 1.0 if p == math.inf else (np.abs(values) / usual) ** (p - 1)
    np.testing.assert_allclose(x.grad.numpy(), np.sign(values) * slope, rtol=1e-4)


def test_distances_of_points_that_are_far_apart() -> None:
    far = mg.full((1, 3), 3e19)
    origin = mg.zeros(1, 3)
    expected = 3e19 * math.sqrt(3)
    for found in (F.pairwise_distance(far, origin), mg.cdist(far, origin), mg.dist(far, origin), F.pdist(mg.cat([far, origin])),
                  mg.linalg.norm(far), mg.linalg.matrix_norm(far)):
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6)
    row = F.embedding(mg.tensor([0]), far.clone(), max_norm=1.0)
    np.testing.assert_allclose(row.numpy(), 1 / math.sqrt(3), rtol=1e-6)
    np.testing.assert_allclose(F.cosine_similarity(far, far).numpy(), 1, rtol=1e-6)
    np.testing.assert_allclose(F.normalize(far).numpy(), 1 / math.sqrt(3), rtol=1e-6)


def test_the_norm_of_infinities_and_of_nothing() -> None:
    for p in (0.5, 1, 2, 3):
        assert mg.tensor([1.0, math.inf]).norm(p).item() == math.inf
        assert math.isnan(mg.tensor([1.0, math.nan]).norm(p).item())
        assert mg.zeros(3).norm(p).item() == 0 == mg.zeros(0).norm(p).item()
