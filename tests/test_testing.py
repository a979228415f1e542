"""``minigrad.testing``: what is close, what is said where it is not, and the inputs it draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.testing import assert_close, make_tensor


@pytest.mark.parametrize(("actual", "expected"), [
    (mg.tensor([1.0, 2.0]), mg.tensor([1.0, 2.000001])),
    (mg.tensor([1, 2]), mg.tensor([1, 2])),
    (mg.zeros(0, 3), mg.zeros(0, 3)),
    (mg.tensor([float("inf")]), mg.tensor([float("inf")])),
    (np.ones(2), np.ones(2)),
    (1.0, 1.0 + 1e-8),
    ({"a": [mg.tensor(1.0), 2]}, {"a": [mg.tensor(1.0), 2]}),
    (None, None),
])
def test_close(actual: Any, expected: Any) -> None:
    assert_close(actual, expected)


@pytest.mark.parametrize(("actual", "expected", "message"), [
    (mg.tensor([[1.0, 2.0]]), mg.tensor([[1.0, 2.5]]),
     r"Mismatched elements: 1 / 2 \(50.0%\)\nGreatest absolute difference: 0.5 at index \(0, 1\) \(up to 1e-05 allowed\)"),
    (mg.tensor([1, 2]), mg.tensor([1, 4]), r"Tensor-likes are not equal!.*Greatest absolute difference: 2 at index \(1,\)"),
    (mg.tensor([float("nan")]), mg.tensor([float("nan")]), "Greatest absolute difference: nan"),
    (mg.ones(2), mg.ones(3), r"attribute 'shape' do not match: \[2\] != \[3\]"),
    (mg.ones(2), mg.ones(2, dtype=mg.float64), "attribute 'dtype' do not match: minigrad.float32 != minigrad.float64"),
    (1.0, 2.0, r"Scalars are not close!\n\nExpected 2.0 but got 1.0.\nAbsolute difference: 1.0 \(up to 1e-07 allowed\)"),
    ([1, 2], [1], "length of the sequences mismatch: 2 != 1"),
    ({"a": 1}, {"b": 1}, r"Missing keys in the actual mapping: \['b'\]\nAdditional keys in the actual mapping: \['a'\]"),
    ({"a": [1.0, 5.0]}, {"a": [1.0, 6.0]}, r"The failure occurred for item \['a'\]\[1\]"),
    (None, 1, "None mismatch"),
    (True, False, "Booleans mismatch"),
    (1, 1.0, "types do not match"),
])
def test_not_close(actual: Any, expected: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=f"(?s){message}"):
        assert_close(actual, expected)


def test_tolerances_and_switches() -> None:
    assert_close(mg.tensor([1.0]), mg.tensor([1.4]), rtol=0.0, atol=0.5)
    assert_close(mg.tensor([float("nan")]), mg.tensor([float("nan")]), equal_nan=True)
    assert_close(mg.ones(2), mg.ones(2, dtype=mg.float64), check_dtype=False)
    with pytest.raises(AssertionError, match="stride"):
        assert_close(mg.ones(2, 2), mg.ones(2, 2).t(), check_stride=True)
    with pytest.raises(ValueError, match="must be either specified or omitted, but got no atol"):
        assert_close(1.0, 1.0, rtol=1.0)
    with pytest.raises(TypeError, match="No comparison pair"):
        assert_close(mg.ones(1), 1.0)
    with pytest.raises(AssertionError, match="^mine$"):
        assert_close(1, 2, msg="mine")
    with pytest.raises(AssertionError, match="^mine: Scalars"):
        assert_close(1, 2, msg=lambda usual: f"mine: {usual}")


@pytest.mark.parametrize("dtype", [mg.float32, mg.float64, mg.int64, mg.uint8, mg.bool, mg.complex64])
def test_make_tensor(dtype: Any) -> None:
    x = make_tensor((3, 4), dtype=dtype)
    assert x.dtype is dtype and tuple(x.shape) == (3, 4)
    assert make_tensor(2, 3, dtype=dtype, noncontiguous=True).stride() == (6, 2)
    assert make_tensor((), dtype=dtype).ndim == 0
    assert bool((make_tensor(100, dtype=dtype, exclude_zero=True) != 0).all())


def test_make_tensor_keeps_to_its_range() -> None:
    x = make_tensor(1000, dtype=mg.float64, low=-1, high=3, requires_grad=True)
    assert x.requires_grad and -1 <= x.min() < 0 and 2 < x.max() < 3
    n = make_tensor(1000, dtype=mg.int32, low=2, high=4)
    assert sorted(set(n.tolist())) == [2, 3]
    with pytest.raises(ValueError, match="`low` must be less than `high`"):
        make_tensor(1, dtype=mg.float32, low=1, high=1)


def test_make_tensor_lays_elements_out() -> None:
    x = make_tensor(2, 3, 4, 5, dtype=mg.float32, memory_format=mg.channels_last, requires_grad=True)
    assert x.is_contiguous(memory_format=mg.channels_last) and x.is_leaf and x.requires_grad
    with pytest.raises(ValueError, match="mutually exclusive"):
        make_tensor(2, 3, dtype=mg.float32, noncontiguous=True, memory_format=mg.contiguous_format)
