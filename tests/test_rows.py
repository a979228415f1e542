"""Rows added up by number: by kernels, by SciPy's product, and by NumPy alone."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

from minigrad._arrays import host, rows


@pytest.fixture(params=["kernels", "SciPy", "NumPy"])
def way(request: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "kernels":
        pytest.importorskip("numba", reason="needs numba, the extra 'fast'")
        monkeypatch.setattr(host.switch, "_found", importlib.import_module("minigrad._arrays.host.kernels").HostKernels())
        monkeypatch.setattr(host.switch, "least", 0)
    else:
        monkeypatch.setattr(host.switch, "least", host.NEVER)
    if request.param == "SciPy":
        pytest.importorskip("scipy.sparse", reason="needs SciPy, the extra 'scipy'")
        monkeypatch.setattr(rows, "SHORT", 0)
    elif request.param == "NumPy":
        monkeypatch.setattr(rows, "scipy_module", lambda name: None)
    return str(request.param)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "complex64"])
@pytest.mark.parametrize(("count", "width", "n"), [
    (5, 3, 40), (40, 3, 5), (5, 1, 9), (3, 70, 400), (2, 70, 4), (4, 0, 3), (3, 70, 0)])
def test_rows_are_added_to_their_numbers(way: str, count: int, width: int, n: int, dtype: str) -> None:
    rng = np.random.default_rng(0)
    places, values = rng.integers(0, count, n), rng.integers(-9, 9, (width, n)).astype(dtype).T
    for given in (values, values.copy(), np.repeat(values[:1], n, axis=0) if n else values):
        target = rng.integers(-9, 9, (count, width)).astype(dtype)
        wanted = target.copy()
        np.add.at(wanted, places, given)
        np.testing.assert_array_equal(rows.sum_rows(given, places, count), wanted - target, strict=True)
        rows.add_rows(target, places, given)
        np.testing.assert_array_equal(target, wanted, strict=True)


@pytest.mark.parametrize("wrong", [-6, 5])
def test_a_number_of_no_row_is_refused(way: str, wrong: int) -> None:
    places, values = np.array([0, wrong, 1]), np.ones((3, 2))
    with pytest.raises(IndexError):
        rows.sum_rows(values, places, 5)
    with pytest.raises(IndexError):
        rows.add_rows(np.zeros((5, 2)), places, values)
