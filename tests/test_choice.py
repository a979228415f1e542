"""Choices without branches are those of NumPy's ``where``, ``maximum`` and ``minimum``, of every number there is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minigrad._arrays.choice import SHORT, at_least, at_most, choose, masked

SPECIAL = [0.0, -0.0, 1.5, -1.5, np.inf, -np.inf, np.nan]
DTYPES = ["float16", "float32", "float64", "complex64", "int8", "int32", "int64", "bool"]
SIZES = [0, 7, SHORT, 3 * SHORT]


def numbers(n: int, dtype: str, seed: int) -> Any:
    with np.errstate(invalid="ignore"):
        return np.random.default_rng(seed).choice(SPECIAL, n).astype(dtype)


def signs(n: int, seed: int = 2) -> Any:
    return np.random.default_rng(seed).random(n) < 0.5


def same_bits(found: Any, wanted: Any) -> None:
    assert found.dtype == wanted.dtype and found.shape == wanted.shape
    assert found.tobytes() == np.asarray(wanted).tobytes()


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_choose(dtype: str, n: int) -> None:
    mask, a, b = signs(n), numbers(n, dtype, 0), numbers(n, dtype, 1)
    same_bits(choose(mask, a, b), np.where(mask, a, b))
    same_bits(choose(mask, a, b[:1].reshape(()) if n else a), np.where(mask, a, b[0] if n else a))


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_choose_broadcasts(dtype: str) -> None:
    mask, a, b = signs(SHORT).reshape(64, 1, 64), numbers(5 * 64, dtype, 0).reshape(5, 64), numbers(64, dtype, 1)
    same_bits(choose(mask, a, b), np.where(mask, a, b))
    same_bits(choose(mask[:, 0].T, a[:, :1][:1], b[::-1]), np.where(mask[:, 0].T, a[:, :1][:1], b[::-1]))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_masked(dtype: str, n: int) -> None:
    x, mask = numbers(n, dtype, 0), signs(n)
    same_bits(masked(x, mask), np.where(mask, x, np.zeros((), dtype)))


def test_masked_broadcasts_and_keeps_the_order_of_what_it_masks() -> None:
    x = numbers(60, "float32", 0).reshape(3, 4, 5)
    each = signs(60)
    for mask in (signs(5), signs(4).reshape(4, 1), signs(1).reshape(()), each.reshape(x.shape), each.reshape(5, 4, 3).T):
        same_bits(masked(x, mask), np.where(mask, x, np.float32(0)))
        assert masked(x, mask).flags.c_contiguous
    same_bits(masked(x[0, 0], signs(60).reshape(3, 4, 5)), np.where(signs(60).reshape(3, 4, 5), x[0, 0], np.float32(0)))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("dtype", DTYPES[:3] + DTYPES[4:7])
def test_bounds_by_one_number(dtype: str, n: int) -> None:
    x = numbers(n, dtype, 0)
    for bound in (0, 1, -1):
        np.testing.assert_array_equal(at_least(x, bound), np.maximum(x, bound), strict=True)
        np.testing.assert_array_equal(at_most(x, bound), np.minimum(x, bound), strict=True)
