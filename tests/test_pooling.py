"""Pooling as PyTorch's functions: ties, NaN, edges, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad
import minigrad.nn.functional as F
from minigrad.errors import RuntimeValueError, ShapeError
from tests.op_cases import f

nan, inf = float("nan"), float("inf")


def t(data: Any) -> Any:
    return minigrad.tensor(data, dtype=minigrad.float64, requires_grad=True)


def gradient(function: Any, data: Any) -> Any:
    x = t(data)
    function(x).sum().backward()
    return x.grad.tolist()


def test_gradient_goes_to_the_first_maximum_in_row_major_order() -> None:
    assert gradient(lambda x: F.max_pool2d(x, 2), [[[0, 3], [3, 3]]]) == [[[0, 1], [0, 0]]]
    assert gradient(lambda x: F.max_pool2d(x, 2), [[[0, 1], [3, 3]]]) == [[[0, 0], [1, 0]]]
    assert gradient(lambda x: F.max_pool1d(x, 2, 1), [[2, 2, 2]]) == [[1, 1, 0]]
    assert gradient(lambda x: F.adaptive_max_pool1d(x, 1), [[2, 5, 5]]) == [[0, 1, 0]]


def test_nan_is_the_maximum_and_takes_the_gradient() -> None:
    x = t([[[1, nan], [3, 2]]])
    y, place = F.max_pool2d(x, 2, return_indices=True)
    assert np.isnan(y.item())
    assert place.item() == 1
    y.sum().backward()
    assert x.grad.tolist() == [[[0, 1], [0, 0]]]
    assert np.isnan(F.adaptive_max_pool2d(x, 1).item())


def test_padding_is_no_maximum() -> None:
    x = t([[-inf, -inf, -5]])
    y, places = F.max_pool1d(x, 2, 1, 1, return_indices=True)
    assert y.tolist() == [[-inf, -inf, -5, -5]]
    assert places.tolist() == [[0, 0, 2, 2]]


def test_integers_have_a_maximum_too() -> None:
    x = minigrad.tensor([[[-7, -9, -8]]])
    assert F.max_pool1d(x, 3, padding=1, stride=1).tolist() == [[[-7, -7, -8]]]


def test_ceil_mode_adds_a_window_that_begins_inside() -> None:
    x = t([[1, 2, 3, 4, 5]])
    assert F.max_pool1d(x, 2).tolist() == [[2, 4]]
    assert F.max_pool1d(x, 2, ceil_mode=True).tolist() == [[2, 4, 5]]
    assert F.max_pool1d(x, 1, 3, ceil_mode=True).tolist() == [[1, 4]]
    assert F.avg_pool1d(x, 2, ceil_mode=True).tolist() == [[1.5, 3.5, 5]]
    assert F.avg_pool1d(x, 3, 2, 1, ceil_mode=True).tolist() == [[1, 3, 3]]
    assert F.avg_pool1d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False).tolist() == [[1.5, 3, 4.5]]


def test_divisor_takes_the_place_of_the_count() -> None:
    assert F.avg_pool2d(minigrad.ones(1, 4, 4), 2, divisor_override=1).tolist() == [[[4, 4], [4, 4]]]
    assert gradient(lambda x: F.avg_pool2d(x, 2, divisor_override=2), [[[1, 1], [1, 1]]]) == [[[0.5, 0.5], [0.5, 0.5]]]


def test_unpool_puts_maxima_back() -> None:
    x = minigrad.tensor(f(2, 3, 4, 6))
    y, places = F.max_pool2d(x, 2, return_indices=True)
    back = F.max_unpool2d(y, places, 2)
    assert np.array_equal(F.max_pool2d(back, 2).numpy(), y.numpy())
    assert np.count_nonzero(back.numpy()) == y.numel()
    assert F.max_unpool2d(y, places, 2, output_size=(5, 6)).shape == (2, 3, 5, 6)
    assert np.array_equal(F.max_unpool2d(y[0], places[0], 2).numpy(), back[0].numpy())


def test_adaptive_parts() -> None:
    x = t([[1, 2, 3, 4, 5]])
    assert F.adaptive_avg_pool1d(x, 2).tolist() == [[2, 4]]  # the parts 1 2 3 and 3 4 5 share an element
    assert F.adaptive_avg_pool1d(x, 7).tolist() == [[1, 1.5, 2.5, 3, 3.5, 4.5, 5]]
    assert F.adaptive_max_pool1d(x, 2).tolist() == [[3, 5]]
    assert F.adaptive_avg_pool2d(minigrad.zeros(2, 3, 5, 6), (None, 2)).shape == (2, 3, 5, 2)


def test_nan_and_infinity_stay_in_their_part() -> None:
    y = F.adaptive_avg_pool1d(t([[1, 2, 3, nan, inf]]), 4).tolist()[0]
    assert y[:2] == [1.5, 2.5]
    assert np.isnan(y[2:]).all()


def test_norm_pooling() -> None:
    assert F.lp_pool1d(t([[3, 4, 0, 0]]), 2, 2).tolist() == [[5, 0]]
    np.testing.assert_allclose(gradient(lambda x: F.lp_pool1d(x, 2, 2), [[3, 4, 0, 0]]), [[0.6, 0.8, 0, 0]], rtol=1e-12)


def test_fractional_windows_cover_the_ends() -> None:
    x = minigrad.tensor(f(1, 1, 9, 9))
    minigrad.manual_seed(0)
    y, places = F.fractional_max_pool2d(x, 2, output_size=4, return_indices=True)
    assert y.shape == (1, 1, 4, 4)
    assert places.flatten()[-1].item() == 80
    assert np.array_equal(x.flatten()[places.flatten()].numpy(), y.flatten().numpy())


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_without_a_batch(ndim: int) -> None:
    x = minigrad.tensor(f(2, *(5, 4, 6)[:ndim]))
    for name, args in (("max_pool", (2,)), ("avg_pool", (2,)), ("adaptive_avg_pool", (3,)), ("adaptive_max_pool", (3,)),
                       ("lp_pool", (2, 2))):
        function = getattr(F, f"{name}{ndim}d")
        assert np.array_equal(function(x, *args).numpy(), function(x[None], *args)[0].numpy()), name


REFUSED = [
    (F.max_pool2d, ((4, 4), 2), {}, ShapeError, r"max_pool2d: non-empty 3D or 4D \(batch mode\) tensor"),
    (F.max_pool2d, ((1, 4, 4), 2), {"padding": 2}, RuntimeValueError,
     r"at most half of effective kernel size, and not negative, but got pad=\[2, 2\]"),
    (F.max_pool2d, ((1, 4, 4), 2), {"stride": 0}, RuntimeValueError, r"stride should be greater than zero"),
    (F.max_pool2d, ((1, 4, 4), 0), {}, RuntimeValueError, r"kernel size should be greater than zero"),
    (F.max_pool2d, ((1, 4, 4), 5), {}, ShapeError, r"input size: \(1x4x4\)\. Calculated output size: \(1x0x0\)\. Output size"),
    (F.max_pool2d, ((1, 4, 4), (2, 2, 2)), {}, ShapeError, r"kernel_size to be a single integer value or a list of 2 values"),
    (F.avg_pool2d, ((1, 4, 4), 2), {"divisor_override": 0}, RuntimeValueError, r"divisor must be not zero"),
    (F.adaptive_avg_pool2d, ((4, 4), 2), {}, ValueError, r"Input dimension should be at least 3"),
    (F.adaptive_avg_pool2d, ((1, 4, 4), (2, 2, 2)), {}, ShapeError, r"output_size must be 2 ints"),
    (F.adaptive_max_pool1d, ((1, 4), -1), {}, RuntimeValueError, r"must be greater than or equal to 0"),
    (F.fractional_max_pool2d, ((1, 4, 4), 2), {}, ValueError, r"either an output_size or an output_ratio"),
    (F.fractional_max_pool2d, ((1, 4, 4), 3), {"output_size": 3}, ShapeError, r"too large relative to input size 4 x 4"),
]


@pytest.mark.parametrize(("function", "args", "settings", "error", "message"), REFUSED)
def test_refused(function: Any, args: Any, settings: dict[str, Any], error: type[Exception], message: str) -> None:
    shape, *others = args
    with pytest.raises(error, match=message):
        function(minigrad.tensor(f(*shape)), *others, **settings)


def test_unpool_refuses_what_does_not_fit() -> None:
    y, places = F.max_pool2d(minigrad.tensor(f(1, 1, 4, 4)), 2, return_indices=True)
    with pytest.raises(ShapeError, match="shape of indices to be the same as that of the input"):
        F.max_unpool2d(y, places[0], 2)
    with pytest.raises(ValueError, match="dim 0 must be between 2 and 6"):
        F.max_unpool2d(y, places, 2, output_size=(9, 4))
    with pytest.raises(RuntimeValueError, match=r"Found an invalid max index: 15 \(output volumes are of size 3 x 3\)"):
        F.max_unpool2d(y, places, 2, output_size=(3, 3))
