"""Convolution, unfold and fold as PyTorch's functions: conventions, agreement with each other, and what they refuse."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import minigrad
import minigrad.nn.functional as F
from minigrad import _arrays
from minigrad.errors import ArgumentError, RuntimeValueError, ShapeError
from minigrad.ops.neural import correlation
from minigrad.ops.neural.convolution import convolution, convolution_transpose, convolution_weight
from minigrad.ops.neural.sliding_window import exact_padding
from tests.op_cases import f
from tests.op_cases.neural import convolution as cases


def t(*shape: int, requires_grad: bool = False) -> Any:
    return minigrad.tensor(f(*shape), requires_grad=requires_grad)


def test_same_padding_puts_the_larger_half_after() -> None:
    x, w = minigrad.tensor([[[1.0, 2.0, 3.0]]]), minigrad.tensor([[[1.0, 1.0]]])
    assert F.conv1d(x, w, padding="same").tolist() == [[[3.0, 5.0, 3.0]]]
    assert F.conv1d(x, w, padding="valid").tolist() == [[[3.0, 5.0]]]


def test_settings_per_dimension_and_one_for_all_agree() -> None:
    x, w = t(2, 3, 7, 7), t(4, 3, 2, 2)
    one = F.conv2d(x, w, None, 2, 1, 2)
    assert np.array_equal(one.numpy(), F.conv2d(x, w, None, (2, 2), [1, 1], (2,)).numpy())


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_without_a_batch(ndim: int) -> None:
    size, kernel = (5, 4, 3)[:ndim], (3, 2, 2)[:ndim]
    for name, filters in ((f"conv{ndim}d", (4, 2, *kernel)), (f"conv_transpose{ndim}d", (2, 4, *kernel))):
        function, x, w, b = getattr(F, name), t(2, *size), t(*filters), t(4)
        single, batch = function(x, w, b), function(x[None], w, b)
        assert single.shape == batch.shape[1:]
        assert np.array_equal(single.numpy(), batch[0].numpy())


@pytest.mark.parametrize("columns", [1, 200])
def test_parts_of_the_batch_make_no_difference(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def results() -> list[Any]:
        x, w, b = t(5, 4, 6, 5, requires_grad=True), t(6, 2, 3, 2, requires_grad=True), t(6, requires_grad=True)
        y = F.conv_transpose2d(F.conv2d(x, w, b, padding=1, groups=2), w, groups=2)
        (y * y).sum().backward()
        return [y.detach(), x.grad, w.grad, b.grad]
    whole = results()
    monkeypatch.setattr(_arrays.library_on(_arrays.Device("cpu")), "buffer", columns)
    for part, one in zip(results(), whole):
        np.testing.assert_allclose(part.numpy(), one.numpy(), rtol=1e-12)


@pytest.mark.parametrize(("function", "few", "samples"), [
    (convolution, 0, 1), (convolution, 1000, 3), (convolution_transpose, 1000, 1)], ids=["columns", "rows", "collected"])
def test_a_part_of_the_batch_is_gone_before_the_next_is_made(function: Any, few: int, samples: int,
                                                             monkeypatch: pytest.MonkeyPatch) -> None:
    x, w = np.ones((12, 16, 20, 24)), np.ones((16, 16, 3, 3))
    monkeypatch.setattr(correlation, "FEW", few)
    monkeypatch.setattr(_arrays.library_on(_arrays.Device("cpu")), "buffer", 16 * 9 * 20 * 24)  # a part has so many `samples`

    @minigrad.backends.numba.flags(enabled=False)
    def beside_the_result(x: Any) -> int:
        function(x, w)
        tracemalloc.start()
        try:
            result = function(x, w)
            return tracemalloc.get_traced_memory()[1] - int(result.nbytes)
        finally:
            tracemalloc.stop()
    assert beside_the_result(x) < 1.05 * beside_the_result(x[:samples])


@pytest.mark.parametrize("few", [0, 4, 1000])
@pytest.mark.parametrize("least", [1, 1000])
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_by_rows_and_by_columns_the_sums_are_the_same(ndim: int, least: int, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Small arrays are computed one way and large ones another; here all go the one way, and then all the other.
    monkeypatch.setattr(correlation, "WIDE", least)
    monkeypatch.setattr(correlation, "HIGH", least)
    monkeypatch.setattr(correlation, "FEW", few)
    rng = np.random.default_rng(ndim)
    for _ in range(60):
        x, w, y, b, settings = cases.parts(rng, ndim)
        np.testing.assert_allclose(convolution(x, w, b, **settings), cases.convolution(x, w, b, **settings), atol=1e-12)
        np.testing.assert_allclose(convolution_transpose(y, w, x.sum((0, *range(2, x.ndim))), **settings),
                                   cases.convolution_transpose(y, w, x.sum((0, *range(2, x.ndim))), **settings), atol=1e-12)
        np.testing.assert_allclose(convolution_weight(x, y, **settings), cases.convolution_weight(x, y, **settings), atol=1e-12)


@pytest.mark.parametrize("geometry", [
    ((16, 16, 12, 12), (16, 16, 3, 3), 1, 1, 1, 1), ((8, 16, 12, 12), (32, 16, 4, 4), 2, 1, 1, 1),
    ((8, 16, 11, 13), (8, 16, 3, 3), 2, 1, 1, 1), ((9, 1, 14, 14), (6, 1, 5, 5), 1, 2, 1, 1),
    ((8, 6, 14, 14), (16, 6, 5, 5), 1, 0, 1, 1), ((4, 16, 12, 12), (32, 16, 1, 1), 2, 0, 1, 1),
    ((4, 16, 9, 9), (16, 16, 1, 1), 1, 0, 1, 1), ((8, 16, 10, 10), (16, 1, 3, 3), 1, 1, 1, 16),
    ((8, 16, 10, 10), (32, 8, 3, 3), 1, 1, 1, 2), ((4, 16, 14, 14), (16, 16, 3, 3), 1, 2, 2, 1),
    ((4, 8, 40), (16, 8, 5), 1, 2, 1, 1), ((2, 8, 6, 8, 8), (8, 8, 3, 3, 3), 1, 1, 1, 1),
    ((2, 8, 9, 9), (72, 8, 3, 3), 1, 1, 1, 1), ((3, 72, 5, 5), (16, 36, 3, 3), 2, 1, 1, 2),
], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
def test_sums_of_ordinary_layers(geometry: Any, dtype: Any) -> None:
    shape, filters, *steps, groups = geometry
    ndim, rng = len(shape) - 2, np.random.default_rng(0)
    stride, padding, dilation = [(s,) * ndim for s in steps]
    positions = [(n + 2 * p - d * (k - 1) - 1) // s + 1
                 for n, k, s, p, d in zip(shape[2:], filters[2:], stride, padding, dilation)]
    settings = {"stride": stride, "dilation": dilation, "groups": groups,
                "padding": exact_padding(shape[2:], filters[2:], stride, dilation, padding, positions)}
    x, w, y = [rng.normal(size=s).astype(dtype) for s in (shape, filters, (shape[0], filters[0], *positions))]
    for function, oracle, args in ((convolution, cases.convolution, (x, w, w[:, 0].reshape(len(w), -1)[:, 0])),
                                   (convolution_transpose, cases.convolution_transpose, (y, w, None)),
                                   (convolution_weight, cases.convolution_weight, (x, y))):
        exact: list[Any] = [a if a is None else a.astype(complex) for a in args]
        found, expected = function(*args, **settings), oracle(*exact, **settings)
        assert found.dtype == dtype
        np.testing.assert_allclose(found, expected, atol=1e-6 * abs(expected).max() if dtype is np.float32 else 1e-10)


def test_convolution_is_a_product_with_the_unfolded_image() -> None:
    x, w = t(2, 3, 6, 5), t(4, 3, 3, 2)
    columns = F.unfold(x, (3, 2), dilation=(1, 2), padding=1, stride=2)
    product = (w.reshape(4, 18) @ columns).numpy()
    expected = F.conv2d(x, w, dilation=(1, 2), padding=1, stride=2).numpy()
    np.testing.assert_allclose(product, expected.reshape(2, 4, -1), rtol=1e-12)


def test_fold_counts_how_often_a_block_covers_an_element() -> None:
    covers = F.fold(F.unfold(minigrad.ones(1, 1, 3, 3), 2), (3, 3), 2)
    assert covers.tolist() == [[[[1, 2, 1], [2, 4, 2], [1, 2, 1]]]]


def test_output_padding_says_which_size_is_meant() -> None:
    w = t(2, 2, 3, 3)
    for size in (7, 8):
        small = F.conv2d(t(1, 2, size, size), w, stride=2)
        assert small.shape == (1, 2, 3, 3)
        assert F.conv_transpose2d(small, w, stride=2, output_padding=size - 7).shape == (1, 2, size, size)


def test_result_is_contiguous_so_that_view_works() -> None:
    assert F.conv2d(t(2, 3, 6, 6), t(4, 3, 3, 3)).view(2, -1).shape == (2, 64)


def test_a_batch_of_none() -> None:
    x, w = t(0, 3, 6, 6, requires_grad=True), t(4, 3, 3, 3, requires_grad=True)
    y = F.conv2d(x, w)
    y.sum().backward()
    assert y.shape == (0, 4, 4, 4)
    assert not w.grad.numpy().any()


REFUSED = [
    (F.conv2d, (t(6, 6), t(4, 3, 3, 3)), {}, ShapeError,
     r"conv2d: Expected 3D \(unbatched\) or 4D \(batched\) input to conv2d, but got input of size: \[6, 6\]"),
    (F.conv2d, (t(2, 1, 6, 6), t(4, 3, 3, 3)), {}, ShapeError,
     r"groups=1, weight of size \[4, 3, 3, 3\], expected input\[2, 1, 6, 6\] to have 3 channels, but got 1 channels instead"),
    (F.conv2d, (t(2, 3, 6, 6), t(4, 3, 3)), {}, ShapeError, r"expected 4-dimensional weight .* got weight of size \[4, 3, 3\]"),
    (F.conv2d, (t(2, 4, 6, 6), t(3, 2, 3, 3)), {"groups": 2}, ShapeError, r"expected weight to be divisible by 2 at dimension 0"),
    (F.conv2d, (t(2, 4, 6, 6), t(3, 2, 3, 3)), {"groups": 0}, RuntimeValueError, r"non-positive groups is not supported"),
    (F.conv2d, (t(2, 3, 6, 6), t(4, 3, 3, 3), t(3)), {}, ShapeError, r"expected bias to be 1-dimensional with 4 elements"),
    (F.conv2d, (t(2, 3, 2, 6), t(4, 3, 5, 5)), {"padding": 1}, ShapeError,
     r"padded input size per channel: \(4 x 8\)\. Kernel size: \(5 x 5\)\. Kernel size can't be greater than actual input size"),
    (F.conv2d, (t(2, 3, 6, 6), t(4, 3, 3, 3)), {"stride": 0}, RuntimeValueError, r"non-positive stride is not supported"),
    (F.conv2d, (t(2, 3, 6, 6), t(4, 3, 3, 3)), {"dilation": 0}, RuntimeValueError, r"dilation should be greater than zero"),
    (F.conv2d, (t(2, 3, 6, 6), t(4, 3, 3, 3)), {"padding": -1}, RuntimeValueError, r"negative padding is not supported"),
    (F.conv2d, (t(2, 3, 6, 6), t(4, 3, 3, 3)), {"stride": (1, 2, 3)}, ShapeError, r"list of 2 values .* got stride=\[1, 2, 3\]"),
    (F.conv2d, (t(2, 3, 6, 6), t(4, 3, 3, 3)), {"stride": 1.5}, ArgumentError, r"argument 'stride' must be an int or a tuple"),
    (F.conv2d, (t(2, 3, 6, 6), t(4, 3, 3, 3)), {"padding": "full"}, RuntimeValueError, r"Invalid padding string 'full'"),
    (F.conv2d, (t(2, 3, 6, 6), t(4, 3, 3, 3)), {"padding": "same", "stride": 2}, RuntimeValueError, r"not supported for strided"),
    (F.conv2d, ([[1.0]], t(4, 3, 3, 3)), {}, ArgumentError, r"argument 'input' must be a Tensor, not list"),
    (F.conv_transpose2d, (t(2, 3, 6, 6), t(4, 2, 3, 3)), {}, ShapeError, r"transposed=1, .* to have 4 channels, but got 3"),
    (F.conv_transpose2d, (t(2, 4, 6, 6), t(4, 2, 3, 3)), {"output_padding": 1}, RuntimeValueError,
     r"output padding must be smaller"),
    (F.conv_transpose2d, (t(2, 4, 1, 1), t(4, 2, 1, 1)), {"padding": 1}, ShapeError, r"Output size is too small"),
    (F.unfold, (t(2, 3), 2), {}, ShapeError, r"Expected 3D or 4D \(batch mode\) tensor"),
    (F.unfold, (t(1, 1, 2, 2), 3), {}, ShapeError, r"its components must be at least one"),
    (F.unfold, (t(1, 1, 2, 2), 0), {}, RuntimeValueError, r"kernel size should be greater than zero"),
    (F.fold, (t(1, 5, 4), (3, 3), 2), {}, ShapeError, r"divisible by the product of kernel_size, but got input.size\(1\)=5"),
    (F.fold, (t(1, 4, 5), (3, 3), 2), {}, ShapeError, r"number of sliding blocks 2 x 2 = 4, but got input.size\(2\)=5"),
]


@pytest.mark.parametrize(("function", "args", "settings", "error", "message"), REFUSED)
def test_refused(function: Any, args: Any, settings: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        function(*args, **settings)


@pytest.mark.parametrize("settings", [{}, {"stride": 2}, {"stride": 3, "padding": 1}, {"dilation": 2, "padding": 2},
                                      {"groups": 2}])
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_the_gradients_as_functions_are_those_of_the_convolution(ndim: int, settings: dict[str, int]) -> None:
    rng = np.random.default_rng(0)
    x = minigrad.tensor(rng.normal(size=(2, 4, *(7, 6, 5)[:ndim])), requires_grad=True)
    w = minigrad.tensor(rng.normal(size=(6, 4 // settings.get("groups", 1), *(3, 2, 2)[:ndim])), requires_grad=True)
    y = getattr(minigrad.nn.functional, f"conv{ndim}d")(x, w, **settings)
    g = minigrad.tensor(rng.normal(size=y.shape), requires_grad=True)
    expected = minigrad.autograd.grad(y, (x, w), g, create_graph=True)
    by_input = getattr(minigrad.nn.grad, f"conv{ndim}d_input")(x.shape, w, g, **settings)
    by_weight = getattr(minigrad.nn.grad, f"conv{ndim}d_weight")(x, w.shape, g, **settings)
    for found, want in zip((by_input, by_weight), expected):
        np.testing.assert_allclose(found.detach().numpy(), want.detach().numpy(), rtol=1e-12)
    (by_input.square().sum() + by_weight.square().sum()).backward()
    assert all(t.grad is not None for t in (x, w, g))


def test_gradients_of_a_convolution_refuse_another_shape() -> None:
    with pytest.raises(RuntimeError, match=r"conv1d_input: expected grad_output of the shape .*\[1, 1, 3\], but got \[1, 1, 2\]"):
        minigrad.nn.grad.conv1d_input((1, 1, 4), minigrad.ones(1, 1, 2), minigrad.ones(1, 1, 2))
    with pytest.raises(RuntimeError, match=r"conv1d_weight: an input of size \[1, 2, 4\] and a weight of size \[1, 1, 2\]"):
        minigrad.nn.grad.conv1d_weight(minigrad.ones(1, 2, 4), (1, 1, 2), minigrad.ones(1, 1, 3))
