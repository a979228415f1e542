"""Reductions and order at their edges: ties, zeros, NaN, nothing to reduce, dtypes; and the functions composed of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

import minigrad
from minigrad import tensor

NAN, INF = math.nan, math.inf


def grad_of(function, values, weights=None):
    x = tensor(np.asarray(values, dtype=np.float64), requires_grad=True)
    y = function(x)
    y.backward(None if weights is None else tensor(np.asarray(weights, dtype=np.float64)))
    return x.grad.tolist()


# ---------------------------------------------------------------------------------------------------- gradients at kinks

@pytest.mark.parametrize("function", [lambda x: x.max(), lambda x: x.amax(0), lambda x: x.aminmax().max])
def test_elements_that_tie_for_the_extreme_share_the_gradient(function):
    assert grad_of(function, [3.0, 1.0, 3.0]) == [0.5, 0.0, 0.5]


def test_along_a_dimension_the_element_whose_index_is_returned_has_the_gradient():
    assert grad_of(lambda x: x.max(dim=0).values, [3.0, 1.0, 3.0]) == [1.0, 0.0, 0.0]
    assert grad_of(lambda x: x.min(dim=0)[0], [1.0, 1.0, 3.0]) == [1.0, 0.0, 0.0]
    assert grad_of(lambda x: x.median(dim=0)[0], [5.0, 1.0, 3.0]) == [0.0, 0.0, 1.0]
    assert grad_of(lambda x: x.mode(dim=0)[0], [1.0, 2.0, 1.0, 3.0]) == [0.0, 0.0, 1.0, 0.0]


def test_running_extremes_give_the_gradient_to_the_last_that_ties():
    values, indices = tensor([1.0, 3.0, 2.0, 3.0, 0.0]).cummax(0)
    assert values.tolist() == [1.0, 3.0, 3.0, 3.0, 3.0]
    assert indices.tolist() == [0, 1, 1, 3, 3]
    assert grad_of(lambda x: x.cummax(0)[0], [1.0, 3.0, 2.0, 3.0, 0.0], [1, 2, 4, 8, 16]) == [1.0, 6.0, 0.0, 24.0, 0.0]
    assert tensor([1.0, NAN, 2.0]).cummin(0)[1].tolist() == [0, 1, 1]


@pytest.mark.parametrize(("values", "expected"), [
    ([2.0, 3.0, 4.0], [12.0, 8.0, 6.0]), ([0.0, 3.0, 4.0], [12.0, 0.0, 0.0]), ([0.0, 3.0, 0.0], [0.0, 0.0, 0.0])])
def test_product_has_the_right_gradient_at_zeros(values, expected):
    assert grad_of(lambda x: x.prod(), values) == expected
    assert grad_of(lambda x: x.prod(dim=0), values) == expected
    assert grad_of(lambda x: x.cumprod(0)[-1], values) == expected


def test_product_has_the_right_second_derivative_at_two_zeros():
    x = tensor([0.0, 3.0, 0.0], dtype=minigrad.float64, requires_grad=True)
    (g,) = minigrad.autograd.grad(x.prod(), x, create_graph=True)
    (h,) = minigrad.autograd.grad(g[0], x)
    assert h.tolist() == [0.0, 0.0, 3.0]


def test_norm_and_deviation_have_gradient_zero_at_zero():
    for p in (2, 3, 1, INF, 0.5):
        assert grad_of(lambda x, p=p: x.norm(p), [0.0, 0.0]) == [0.0, 0.0]
    assert grad_of(lambda x: x.std(), [1.5, 1.5]) == [0.0, 0.0]


def test_log_sum_exp_of_infinities():
    assert minigrad.logsumexp(tensor([-INF, -INF]), 0).item() == -INF
    assert minigrad.logsumexp(tensor([INF, 1.0]), 0).item() == INF
    assert minigrad.logsumexp(tensor([1000.0, 1000.0]), 0).item() == pytest.approx(1000 + math.log(2))
    assert minigrad.logsumexp(tensor([[], []]), 1).tolist() == [-INF, -INF]
    assert grad_of(lambda x: x.logsumexp(0), [-INF, 0.0]) == [0.0, 1.0]
    assert minigrad.logcumsumexp(tensor([-INF, 2.0, -INF]), 0).tolist() == [-INF, 2.0, 2.0]
    assert grad_of(lambda x: x.logcumsumexp(0), [-INF, 0.0, 1000.0], [1, 1, 1]) == [0.0, 1.0, 1.0]


# ---------------------------------------------------------------------------------------------------- NaN

def test_nan_is_the_largest():
    x = tensor([2.0, NAN, 1.0])
    assert x.argmax().item() == x.argmin().item() == 1
    assert x.sort()[1].tolist() == [2, 0, 1]
    assert x.sort(descending=True)[1].tolist() == [1, 0, 2]
    assert x.topk(2)[1].tolist() == [1, 0]
    assert x.median(0).indices.item() == 1
    assert math.isnan(x.max().item())
    assert math.isnan(x.median().item())
    assert x.nanmedian().item() == 1.0
    assert x.nansum().item() == 3.0
    assert x.nanmean().item() == 1.5
    assert math.isnan(minigrad.quantile(x, 0.5).item())
    assert minigrad.nanquantile(x, 0.5).item() == 1.5
    assert math.isnan(tensor([NAN, NAN]).nanmean().item())


def test_sort_keeps_the_order_of_equal_elements():
    x = tensor([1, 0, 1, 0, 1])
    assert x.sort()[1].tolist() == [1, 3, 0, 2, 4]
    assert x.sort(descending=True)[1].tolist() == [0, 2, 4, 1, 3]
    assert x.argsort(descending=True).tolist() == [0, 2, 4, 1, 3]


# ---------------------------------------------------------------------------------------------------- dtypes

@pytest.mark.parametrize("dtype", [minigrad.bool, minigrad.uint8, minigrad.int32, minigrad.int64])
def test_sums_and_products_of_integers_are_int64(dtype):
    x = tensor([1, 1, 0], dtype=dtype)
    for y in (x.sum(), x.nansum(), x.cumsum(0), x.prod(), x.cumprod(0), x.sum(0)):
        assert y.dtype is minigrad.int64
    assert x.sum(dtype=minigrad.float32).dtype is minigrad.float32
    assert x.max().dtype is x.sort()[0].dtype is dtype
    with pytest.raises(RuntimeError, match="could not infer output dtype"):
        x.mean()
    assert x.mean(dtype=minigrad.float64).dtype is minigrad.float64


@pytest.mark.parametrize("dtype", [minigrad.float16, minigrad.float32, minigrad.float64])
def test_floating_types_stay(dtype):
    x = tensor([[1.0, 2.0], [3.0, 5.0]], dtype=dtype)
    for y in (x.sum(), x.mean(0), x.var(), x.std(1), x.prod(), x.norm(), x.logsumexp(0), x.cumsum(0), x.amax(), x.median(),
              minigrad.var_mean(x)[1]):
        assert y.dtype is dtype
    assert x.logsumexp(0).dtype is dtype


def test_float16_is_summed_in_float32():
    assert minigrad.ones(4096, dtype=minigrad.float16).mean().item() == 1.0
    tenths = minigrad.full((10000,), 0.1, dtype=minigrad.float16)
    assert tenths.sum().item() == pytest.approx(1000, rel=1e-3)
    assert tenths.cumsum(0)[-1].item() == pytest.approx(1000, rel=1e-3)


def test_a_gradient_comes_back_in_the_dtype_of_the_input():
    x = tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    for f in (minigrad.sum, minigrad.mean):
        (g,) = minigrad.autograd.grad(f(y, dtype=minigrad.float64), y)
        assert g.dtype is minigrad.float32
    for f in (minigrad.cumsum, minigrad.cumprod):
        (g,) = minigrad.autograd.grad(f(y, 0, dtype=minigrad.float64).sum(), y)
        assert g.dtype is minigrad.float32


def test_truth_of_uint8_is_uint8():
    x = tensor([0, 3], dtype=minigrad.uint8)
    assert x.any().dtype is x.all(0).dtype is minigrad.uint8
    assert tensor([0.0, NAN]).any().item() is True


# ---------------------------------------------------------------------------------------------------- nothing, and no dimensions

def test_reducing_nothing():
    x = minigrad.zeros(0, 3)
    assert x.sum().item() == 0
    assert x.prod().item() == 1
    assert math.isnan(x.mean().item())
    assert x.sum(0).tolist() == [0.0, 0.0, 0.0]
    assert x.all().item() is True
    assert x.any().item() is False
    assert x.norm().item() == 0
    assert x.amax(1).shape == (0,)
    assert x.max(1)[0].shape == (0,)
    assert x.cumsum(0).shape == (0, 3)
    assert x.sort(0)[1].shape == (0, 3)
    assert math.isnan(x.median().item())
    assert minigrad.unique(x).shape == (0,)
    with pytest.raises(RuntimeError, match="Expected reduction dim to be specified"):
        x.max()
    with pytest.raises(IndexError, match="non-zero size"):
        x.argmax(0)
    with pytest.warns(UserWarning, match="degrees of freedom"):
        assert math.isnan(tensor([1.0]).var().item())


@pytest.mark.parametrize("dim", [0, -1])
def test_a_tensor_without_dimensions_has_one_that_can_be_named(dim):
    x = tensor(2.5)
    for y in (x.sum(dim), x.mean(dim), x.amax(dim), x.max(dim)[0], x.sort(dim)[0], x.topk(1, dim)[0], x.cumsum(dim),
              x.median(dim)[0], x.kthvalue(1, dim)[0], x.mode(dim)[0], x.cummax(dim)[0], x.logcumsumexp(dim),
              x.norm(2, dim), x.prod(dim)):
        assert y.shape == ()
        assert y.item() == 2.5
    assert x.argmax(dim).item() == 0
    with pytest.raises(IndexError, match="Dimension out of range"):
        x.sum(1)


def test_dim_is_an_int_several_or_all():
    x = minigrad.arange(24.0).reshape(2, 3, 4)
    assert x.sum((0, 2)).tolist() == [60.0, 92.0, 124.0]
    assert x.sum([0, -1], keepdim=True).shape == (1, 3, 1)
    assert x.sum(()).item() == x.sum().item() == 276.0
    assert x.all(()).shape == x.shape
    assert x.argmax(keepdim=True).shape == (1, 1, 1)
    with pytest.raises(RuntimeError, match="appears multiple times"):
        x.sum((1, 1))


def test_numpys_names_for_dim_and_keepdim():
    x = minigrad.arange(6.0).reshape(2, 3)
    for f in (minigrad.sum, minigrad.mean, minigrad.amax, minigrad.var, minigrad.median, minigrad.norm):
        for ours, numpys in ((f(x, dim=1), f(x, axis=1)), (f(x, dim=0, keepdim=True), f(x, axis=0, keepdims=True))):
            np.testing.assert_equal([np.asarray(a) for a in (numpys if isinstance(numpys, tuple) else [numpys])],
                                    [np.asarray(a) for a in (ours if isinstance(ours, tuple) else [ours])])
    assert x.cumsum(axis=1).tolist() == x.cumsum(1).tolist()
    assert x.max(axis=0).indices.tolist() == [1, 1, 1]
    with pytest.raises(TypeError, match=r"cumsum\(\) missing required argument 'dim'"):
        x.cumsum()


def test_the_two_signatures_of_var():
    x = tensor([[1.0, 2.0], [3.0, 5.0]])
    assert x.var(False).item() == x.var(correction=0).item() == pytest.approx(2.1875)
    assert x.var(1, True).tolist() == x.var(1).tolist() == [0.5, 2.0]
    assert x.var(1, False, True).shape == (2, 1)
    with pytest.raises(TypeError, match="unbiased"):
        minigrad.var(x, 1, True, correction=1)


def test_max_of_two_tensors():
    assert minigrad.max(tensor([1, 5]), tensor([3, 2])).tolist() == [3, 5]
    assert minigrad.min(tensor([1, 5]), other=tensor([3, 2])).tolist() == [1, 2]


# ---------------------------------------------------------------------------------------------------- composed functions

def test_quantiles_are_numpys():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 5, 2))
    q = np.array([0.0, 0.3, 0.5, 1.0])
    for how in ("linear", "lower", "higher", "midpoint", "nearest"):
        found = minigrad.quantile(tensor(x), tensor(q), dim=1, interpolation=how)
        np.testing.assert_allclose(found.numpy(), np.quantile(x, q, axis=1, method=how), atol=1e-12)
        found = minigrad.quantile(tensor(x), 0.3, dim=1, keepdim=True, interpolation=how)
        np.testing.assert_allclose(found.numpy(), np.quantile(x, 0.3, axis=1, keepdims=True, method=how), atol=1e-12)
    assert minigrad.quantile(tensor(x), tensor(q), keepdim=True).shape == (4, 1, 1, 1)
    x[0, 1, 0] = NAN
    for ours, numpys in ((minigrad.nanquantile, np.nanquantile), (minigrad.quantile, np.quantile)):
        np.testing.assert_allclose(ours(tensor(x), tensor(q), dim=1).numpy(), numpys(x, q, axis=1), atol=1e-12)
    with pytest.raises(RuntimeError, match="range"):
        minigrad.quantile(tensor(x), 1.5)


def test_quantile_has_a_gradient():
    assert grad_of(lambda x: minigrad.quantile(x, 0.5), [4.0, 1.0, 3.0, 2.0]) == [0.0, 0.0, 0.5, 0.5]


def test_covariance_is_numpys():
    rng = np.random.default_rng(1)
    x, f, a = rng.normal(size=(3, 6)), rng.integers(1, 4, 6), rng.uniform(0.1, 1, 6)
    for correction in (0, 1):
        found = minigrad.cov(tensor(x), correction=correction, fweights=tensor(f), aweights=tensor(a))
        np.testing.assert_allclose(found.numpy(), np.cov(x, ddof=correction, fweights=f, aweights=a), atol=1e-12)
    np.testing.assert_allclose(minigrad.cov(tensor(x)).numpy(), np.cov(x), atol=1e-12)
    np.testing.assert_allclose(minigrad.corrcoef(tensor(x)).numpy(), np.corrcoef(x), atol=1e-12)
    assert minigrad.cov(tensor(x[0])).shape == ()


def test_differences_and_integrals_are_numpys():
    rng = np.random.default_rng(2)
    x, places = rng.normal(size=(4, 5)), np.sort(rng.normal(size=5))
    np.testing.assert_allclose(minigrad.diff(tensor(x), n=2, dim=0).numpy(), np.diff(x, 2, axis=0))
    np.testing.assert_allclose(minigrad.diff(tensor(x), prepend=tensor(x[:, :1])).numpy(), np.diff(x, prepend=x[:, :1]))
    assert minigrad.diff(tensor([True, False, False])).tolist() == [True, False]
    np.testing.assert_allclose(minigrad.trapezoid(tensor(x), tensor(places)).numpy(), np.trapezoid(x, places))
    np.testing.assert_allclose(minigrad.trapz(tensor(x), dx=0.5, dim=0).numpy(), np.trapezoid(x, dx=0.5, axis=0))
    assert minigrad.cumulative_trapezoid(tensor([1.0, 2.0, 4.0])).tolist() == [1.5, 4.5]
    for edge_order in (1, 2):
        found = minigrad.gradient(tensor(x), spacing=[tensor(np.arange(4.0) ** 2), tensor(places)], edge_order=edge_order)
        for a, b in zip(found, np.gradient(x, np.arange(4.0) ** 2, places, edge_order=edge_order)):
            np.testing.assert_allclose(a.numpy(), b, atol=1e-12)
        (found,) = minigrad.gradient(tensor(x), spacing=0.5, dim=1, edge_order=edge_order)
        np.testing.assert_allclose(found.numpy(), np.gradient(x, 0.5, axis=1, edge_order=edge_order), atol=1e-12)


def test_distinct_values():
    x = tensor([[1, 2], [1, 2], [0, 2]])
    values, inverse, counts = minigrad.unique(x, return_inverse=True, return_counts=True, dim=0)
    assert values.tolist() == [[0, 2], [1, 2]]
    assert inverse.tolist() == [1, 1, 0]
    assert counts.tolist() == [1, 2]
    assert minigrad.unique_consecutive(tensor([1, 1, 2, 1])).tolist() == [1, 2, 1]


def test_places_in_a_sorted_sequence():
    edges = tensor([1.0, 3.0, 5.0])
    assert minigrad.bucketize(tensor([0.0, 3.0, 9.0]), edges).tolist() == [0, 1, 3]
    assert minigrad.bucketize(tensor([0.0, 3.0, 9.0]), edges, right=True).tolist() == [0, 2, 3]
    assert minigrad.searchsorted(edges, 3.0, side="right").item() == 2
    assert minigrad.searchsorted(edges, edges, out_int32=True).dtype is minigrad.int32
    with pytest.raises(RuntimeError, match="opposites"):
        minigrad.searchsorted(edges, edges, side="left", right=True)


def test_norms_and_renormalization():
    x = tensor([[3.0, 4.0], [0.6, 0.8]])
    assert minigrad.norm(x, dim=1).tolist() == pytest.approx([5.0, 1.0])
    assert minigrad.norm(x, "nuc").item() == pytest.approx(np.linalg.norm(x.numpy(), "nuc"))
    assert minigrad.dist(x[0], x[1], 1).item() == pytest.approx(5.6)
    assert minigrad.renorm(x, 2, 0, 1.0).numpy() == pytest.approx(np.array([[0.6, 0.8], [0.6, 0.8]]), abs=1e-6)
    y = x.clone()
    y.renorm_(2, 0, 1.0)
    assert y.tolist() == minigrad.renorm(x, 2, 0, 1.0).tolist()


def test_histograms():
    x = tensor([0.0, 0.1, 0.5, 1.0])
    assert minigrad.histc(x, 2).tolist() == [2.0, 2.0]
    assert minigrad.histc(x, 2, min=0.2, max=0.6).tolist() == [0.0, 1.0]
    hist, edges = minigrad.histogram(x, 2)
    assert (hist.tolist(), edges.tolist()) == ([2.0, 2.0], [0.0, 0.5, 1.0])
    hist, edges = minigrad.histogramdd(tensor([[0.0, 0.0], [1.0, 1.0]]), [2, 1])
    assert hist.tolist() == [[1.0], [1.0]]
    assert [e.tolist() for e in edges] == [[0.0, 0.5, 1.0], [0.0, 1.0]]


# ---------------------------------------------------------------------------------------------------- parts of a tensor

X, MASK = np.array([[1.0, 2.0, 4.0], [3.0, 5.0, 0.5]]), np.array([[True, False, True], [False, False, False]])


@pytest.mark.parametrize(("name", "expected"), [
    ("sum", [5.0, 0.0]), ("prod", [4.0, 1.0]), ("amax", [4.0, -INF]), ("amin", [1.0, INF]), ("argmax", [2.0, 0.0]),
    ("argmin", [0.0, 0.0]), ("mean", [2.5, NAN]), ("median", [1.0, NAN]), ("logsumexp", [4 + math.log1p(math.exp(-3)), -INF]),
    ("var", [4.5, NAN]), ("std", [4.5 ** 0.5, NAN])])
def test_reductions_under_a_mask(name, expected):
    found = getattr(minigrad.masked, name)(tensor(X), dim=1, mask=tensor(MASK))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6)


def test_normalizations_under_a_mask():
    x, mask, masked = tensor(X[0]), tensor(MASK[0]), minigrad.masked
    assert masked.norm(x, 2.0, 0, mask=mask).item() == pytest.approx(17 ** 0.5)
    assert masked.norm(x, -INF, 0, mask=mask).item() == 1.0
    assert masked.cumsum(x, 0, mask=mask).tolist() == [1.0, 1.0, 5.0]
    assert masked.cumprod(x, 0, mask=mask).tolist() == [1.0, 1.0, 4.0]
    assert masked.softmax(x, 0, mask=mask).numpy() == pytest.approx(np.array([1, 0, math.exp(3)]) / (1 + math.exp(3)))
    assert masked.log_softmax(x, 0, mask=mask)[1].item() == -INF
    assert masked.softmin(x, 0, mask=mask).numpy() == pytest.approx(np.array([math.exp(3), 0, 1]) / (1 + math.exp(3)))
    assert masked.normalize(x, 2.0, 0, mask=mask).numpy() == pytest.approx(np.array([1, 0, 4]) / 17 ** 0.5)
    assert masked.logaddexp(x, x, input_mask=mask, other_mask=~mask).tolist() == [1.0, 2.0, 4.0]
    assert grad_of(lambda x: masked.mean(x, mask=mask), X[0]) == [0.5, 0.0, 0.5]
    with pytest.raises(ValueError, match="Could not infer output dtype"):
        masked.mean(tensor([1, 2]))


@pytest.mark.parametrize(("reduce", "expected"), [
    ("sum", [3.0, 0.0, 4.0]), ("mean", [1.5, NAN, 4.0]), ("max", [2.0, -INF, 4.0]), ("min", [1.0, INF, 4.0]),
    ("prod", [2.0, 1.0, 4.0])])
def test_segments(reduce, expected):
    x = tensor(X[0])
    for found in (minigrad.segment_reduce(x, reduce, lengths=tensor([2, 0, 1])),
                  minigrad.segment_reduce(x, reduce, offsets=tensor([0, 2, 2, 3]))):
        np.testing.assert_array_equal(found.numpy(), expected)
    begun = minigrad.segment_reduce(tensor(X), reduce, lengths=tensor([[2, 1], [0, 3]]), axis=1, initial=1.0)
    assert begun.shape == (2, 2)
    assert begun[1, 0].item() == 1.0
    with pytest.raises(RuntimeError, match="Expected all rows of lengths"):
        minigrad.segment_reduce(x, reduce, lengths=tensor([2, 2]))


def test_no_warning_of_numpy_reaches_the_user():
    x = tensor([INF, -INF, NAN, 3e38, 3e38])
    for f in (minigrad.sum, minigrad.mean, minigrad.prod, minigrad.norm, minigrad.var, minigrad.amax, minigrad.median):
        f(x)
    for f in (minigrad.cumsum, minigrad.cumprod, minigrad.logsumexp, minigrad.logcumsumexp, minigrad.cummax):
        f(x, 0)


def test_nanmean_of_many_halves_counts_beyond_what_they_hold():
    x = minigrad.full((100_000,), 2., dtype=minigrad.float16)
    x[::2] = NAN
    assert minigrad.nanmean(x).item() == 2. and minigrad.nanmean(x).dtype is minigrad.float16
    out = minigrad.empty(0, dtype=minigrad.float16)
    assert minigrad.nanmean(x.reshape(2, -1), 1, out=out) is out and out.tolist() == [2., 2.]
    x = tensor([1., NAN, 3.], requires_grad=True)
    minigrad.nanmean(x).backward()
    assert x.grad.tolist() == [.5, 0., .5]


def test_hash_tensor_of_nothing_is_refused_as_what_has_no_identity():
    for call in (lambda: minigrad.hash_tensor(tensor([])), lambda: minigrad.hash_tensor(minigrad.ones(2, 0), 1)):
        with pytest.raises(IndexError, match="Expected reduction dim"):
            call()
    assert minigrad.hash_tensor(minigrad.ones(2, 0), 0).shape == (0,)
