"""NaN, infinities, integers at the ends of their range, and numbers in unusual places, operation by operation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.errors import DtypeError, InvalidValueError, RuntimeValueError

F = mg.nn.functional
NAN, INF = math.nan, math.inf


# ---------------------------------------------------------------------------------------------------- integers and booleans

SMALL = [[100, 100, 3], [127, 120, 1]]  # whose sums are no int8


@pytest.mark.parametrize("dtype", [mg.uint8, mg.int8, mg.int16, mg.int32])
@pytest.mark.parametrize(("equation", "count"), [("ij->i", 1), ("ij->", 1), ("ij,kl->jl", 2), ("ij,k->i", 2), ("ij,kl->", 2)])
def test_einsum_sums_integers_in_int64(equation: str, count: int, dtype: Any) -> None:
    operands = [mg.tensor(SMALL, dtype=dtype)] * count
    if equation == "ij,k->i":
        operands[1] = operands[1][0]
    found = mg.einsum(equation, *operands)
    assert found.dtype is mg.int64
    np.testing.assert_array_equal(found.numpy(), np.einsum(equation, *[x.long().numpy() for x in operands]))


def test_einsum_counts_booleans() -> None:
    mask = mg.ones(2, 300, dtype=mg.bool)
    assert mg.einsum("ij->i", mask).tolist() == [300, 300]
    assert mg.einsum("ij,kl->jl", mask[:, :2], mask[:, :1]).tolist() == [[4], [4]]
    with pytest.raises(DtypeError, match="not implemented for 'Bool'"):
        mg.einsum("ij,kj->ik", mask, mask)


@pytest.mark.parametrize("dtype", [mg.uint8, mg.int8, mg.int64])
def test_trapezoids_of_integers(dtype: Any) -> None:
    y, x = mg.tensor(SMALL, dtype=dtype), mg.tensor([5, 100, 1], dtype=dtype)
    exact = np.array(SMALL, float)
    assert mg.trapezoid(y).dtype is mg.float32
    np.testing.assert_allclose(mg.trapezoid(y).numpy(), np.trapezoid(exact))
    np.testing.assert_allclose(mg.cumulative_trapezoid(y)[:, -1].numpy(), np.trapezoid(exact))
    np.testing.assert_allclose(mg.trapezoid(y, x).numpy(), np.trapezoid(exact, [5, 100, 1]))


def test_booleans_added_with_a_factor_stay_booleans() -> None:
    mask = mg.tensor([True, False])
    assert mg.add(mask, mask, alpha=2).tolist() == [True, False] == mg.add(mask, mask, alpha=True).tolist()
    assert mg.add(mask, ~mask, alpha=0).tolist() == [True, False]


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("options", [{"size": (4, 5)}, {"size": (1, 2)}, {"scale_factor": 2},
                                     {"size": (4, 5), "align_corners": True}, {"size": (1, 2), "antialias": True}], ids=str)
def test_images_of_uint8_are_interpolated_in_float32(options: dict[str, Any], mode: str) -> None:
    image = mg.tensor([[[SMALL[0], SMALL[1], [255, 0, 255]]]], dtype=mg.uint8)
    found = F.interpolate(image, mode=mode, **options)
    exact = F.interpolate(image.double(), mode=mode, **options)
    assert found.dtype is mg.uint8
    assert np.abs(found.double().numpy() - exact.clamp(0, 255).numpy()).max() <= 0.501


def test_interpolation_between_other_integers_is_refused() -> None:
    image = mg.ones(1, 1, 2, 2, dtype=mg.int32)
    assert F.interpolate(image, size=3).dtype is mg.int32
    with pytest.raises(DtypeError, match=r"mode 'bilinear' is not implemented for minigrad.int32.*\.float\(\)"):
        F.interpolate(image, size=3, mode="bilinear")
    with pytest.raises(DtypeError, match=r"avg_pool is not implemented for minigrad.int32"):
        F.avg_pool2d(image, 2)


@pytest.mark.parametrize(("dtype", "low", "high"), [
    (mg.uint8, 0, 255), (mg.uint8, 3, 4), (mg.int8, -128, 127), (mg.int16, -1, 32767), (mg.int64, -2**63, 2**63 - 1),
    (mg.int64, 2**62, 2**62 + 1), (mg.uint64, 0, 2**64 - 1)])
def test_integers_are_close_by_their_true_distance(dtype: Any, low: int, high: int) -> None:
    a, b = mg.tensor(np.array([low], dtype.numpy)), mg.tensor(np.array([high], dtype.numpy))
    for one, other, x in ((a, b, high), (b, a, low)):
        assert mg.isclose(one, other, rtol=0, atol=high - low).all() and mg.isclose(one, one, rtol=0, atol=0).all()
        assert not mg.allclose(one, other, rtol=0, atol=(high - low) * 0.99)
        assert mg.allclose(one, other, rtol=1.01 * (high - low) / abs(x) if x else 0) == bool(x)


# ---------------------------------------------------------------------------------------------------- complex numbers

@pytest.mark.parametrize(("dtype", "rtol"), [(mg.complex64, 2e-7), (mg.complex128, 1e-15)])
def test_log1p_of_small_complex_numbers(dtype: Any, rtol: float) -> None:
    x = [complex(a, b) for a in (1e-30, -1e-20, 1e-5, 0.0, 3e-3) for b in (1e-30, 1e-10, -1e-4, 0.0, -2e-3)]
    z = np.array(x, dtype.numpy).astype(np.clongdouble)
    exact = z - z**2 / 2 + z**3 / 3 - z**4 / 4 + z**5 / 5 - z**6 / 6 + z**7 / 7
    found = mg.log1p(mg.tensor(x, dtype=dtype)).numpy()
    np.testing.assert_allclose(found.real, exact.real.astype(float), rtol=rtol, atol=1e-37)
    np.testing.assert_allclose(found.imag, exact.imag.astype(float), rtol=rtol, atol=1e-37)


# ---------------------------------------------------------------------------------------------------- NaN

def test_modes_and_medians_with_nan() -> None:
    for values, mode, place in (([NAN, 1.0, 2.0], NAN, 0), ([1.0, 1.0, NAN, NAN], 1.0, 1), ([3.0, NAN, 2.0], NAN, 1),
                                ([2.0, 3.0], 2.0, 0)):
        found = mg.mode(mg.tensor(values), 0)
        np.testing.assert_array_equal([found.values.item(), found.indices.item()], [mode, place])
    assert mg.median(mg.tensor([1.0, NAN, 2.0, NAN]), 0).indices.item() == 1
    assert mg.nanmedian(mg.tensor([1.0, NAN, 2.0, NAN]), 0).values.item() == 1


def test_bounds_that_are_nan() -> None:
    x = mg.tensor([NAN, 1.0, -INF, 0.0], requires_grad=True)
    y = F.hardshrink(x, NAN)
    y.sum().backward()
    np.testing.assert_array_equal(y.detach().numpy(), x.detach().numpy())
    assert x.grad.tolist() == [1, 1, 1, 1]
    for call in (lambda: F.softshrink(x, NAN), lambda: F.huber_loss(x, x, delta=NAN), lambda: F.smooth_l1_loss(x, x, beta=NAN)):
        with pytest.raises(RuntimeValueError, match="nan"):
            call()


@pytest.mark.parametrize("matrix", [[[NAN, 1], [1, 1]], [[1, NAN], [NAN, 1]], [[0, NAN], [0, 1]], [[NAN, 0], [0, 0]]])
def test_the_determinant_of_a_matrix_with_nan(matrix: Any) -> None:
    A = mg.tensor([matrix, [[1, 2], [3, 4]]], dtype=mg.float64)
    np.testing.assert_allclose(mg.linalg.det(A).numpy(), [NAN, -2])
    sign, log = mg.linalg.slogdet(A)
    np.testing.assert_allclose(sign.numpy(), [0, -1])
    np.testing.assert_allclose(log.numpy(), [NAN, math.log(2)])


# ---------------------------------------------------------------------------------------------------- edges

@pytest.mark.parametrize("padding_mode", ["border", "reflection"])
@pytest.mark.parametrize("align_corners", [True, False])
def test_the_gradient_of_a_grid_at_and_beyond_the_outermost_pixels_is_0(align_corners: bool, padding_mode: str) -> None:
    image = mg.tensor([[[[1.0, 2.0, 4.0], [8.0, 16.0, 32.0], [1.0, 3.0, 9.0]]]], dtype=mg.float64)
    last = 1.0 if align_corners else 2 / 3  # where the last pixel's center lies
    points = [[last, last], [-last, -last], [last, 0.1], [0.1, last], [0.1, -0.1]]
    grid = mg.tensor([[points]], dtype=mg.float64, requires_grad=True)
    F.grid_sample(image, grid, padding_mode=padding_mode, align_corners=align_corners).sum().backward()
    zero = grid.grad.abs().numpy()[0, 0] < 1e-12
    if align_corners:
        assert zero.tolist() == [[True, True], [True, True], [True, False], [False, True], [False, False]]
    else:  # where rounding decides on which side of the center the place lies
        assert zero[4].tolist() == [False, False] and not zero[2, 1] and not zero[3, 0]


def test_group_norm_of_one_value_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"Expected more than 1 value per channel when training, got input size \[1, 4\]"):
        F.group_norm(mg.ones(1, 4), 4)
    assert F.group_norm(mg.ones(1, 4), 2).tolist() == [[0, 0, 0, 0]]


def test_a_tensor_of_one_element_counts_as_a_number_in_a_list() -> None:
    one, two = mg.tensor([1.0]), mg.tensor([[2.0]])
    for found, expected in ((mg.tensor([one, two]), [1, 2]), (mg.tensor([[one], [two]]), [[1], [2]]),
                            (mg.tensor((one, 3)), [1, 3]), (mg.as_tensor([one, two]), [1, 2]),
                            (mg.tensor([[one, two], [3.0, 4.0]]), [[1, 2], [3, 4]])):
        assert found.tolist() == expected and found.dtype is mg.float32
    assert mg.tensor([mg.tensor([3], dtype=mg.int8)]).dtype is mg.int8
    assert mg.tensor([mg.tensor([1.0, 2.0])] * 2).shape == (2, 2)
    assert mg.tensor([np.array([1.0]), np.array([2.0])]).shape == (2, 1)


# ---------------------------------------------------------------------------------------------------- nothing

@pytest.mark.parametrize(("function", "shape", "expected"), [
    (lambda x: F.cross_entropy(x, x.detach()), (0, 3), NAN), (lambda x: F.cross_entropy(x, x.detach()), (3, 0), 0),
    (lambda x: F.cross_entropy(x, x.detach(), label_smoothing=0.1), (3, 0), 0),
    (lambda x: mg.linalg.matrix_norm(x, 2), (0, 3), 0), (lambda x: mg.linalg.matrix_norm(x, 2), (2, 0, 3), [0, 0]),
    (lambda x: F.grid_sample(x, mg.zeros(0, 2, 2, 2)), (0, 4, 6, 6), mg.zeros(0, 4, 2, 2)),
    (lambda x: F.grid_sample(x, mg.zeros(2, 0, 2, 2)), (2, 1, 6, 6), mg.zeros(2, 1, 0, 2)),
    (lambda x: F.conv2d(x, mg.zeros(2, 0, 3, 3), mg.ones(2)), (1, 0, 4, 3), [[[[1], [1]]] * 2]),
    (lambda x: F.conv2d(x, mg.zeros(2, 0, 1, 1), mg.ones(2)), (1, 0, 1, 1), [[[[1]]] * 2]),
    (lambda x: F.adaptive_avg_pool2d(x, 2), (2, 0, 6, 6), mg.zeros(2, 0, 2, 2)),
    (lambda x: F.scaled_dot_product_attention(x, x, x), (2, 4, 0), mg.zeros(2, 4, 0)),
    (lambda x: F.embedding(mg.zeros(0, dtype=mg.int64), x), (3, 0), mg.zeros(0, 0))])
def test_sizes_of_0(function: Any, shape: tuple[int, ...], expected: Any) -> None:
    x = mg.zeros(*shape, requires_grad=True)
    found = function(x)
    np.testing.assert_array_equal(found.detach().numpy(), np.asarray(expected))
    found.sum().backward()
    assert x.grad.shape == x.shape and (x.grad.numel() == 0 or found.numel() == 0)


@pytest.mark.filterwarnings("ignore:Initializing zero-element")
def test_layers_without_channels() -> None:
    for layer, shape in ((mg.nn.Conv1d(0, 8, 2), (2, 0, 15)), (mg.nn.Conv2d(0, 8, 2), (2, 0, 5, 5)),
                         (mg.nn.Linear(0, 3), (2, 0)), (mg.nn.Linear(3, 0), (2, 3))):
        x = mg.zeros(*shape, requires_grad=True)
        layer(x).sum().backward()
        assert x.grad.shape == x.shape


def test_the_grid_of_no_image_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"affine_grid: Expected non-zero, positive output size. Got \(0, 1, 2, 2\)"):
        F.affine_grid(mg.zeros(0, 2, 3), (0, 1, 2, 2))
