"""Windows of signal processing, compared with NumPy's and with values PyTorch gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg

windows = mg.signal.windows


@pytest.mark.parametrize(("make", "reference"), [
    (windows.hann, np.hanning), (windows.hamming, np.hamming), (windows.blackman, np.blackman), (windows.bartlett, np.bartlett),
    (windows.kaiser, lambda n: np.kaiser(n, 12.0)), (lambda M, **o: windows.general_hamming(M, alpha=0.5, **o), np.hanning),
    (lambda M, **o: windows.general_cosine(M, a=[0.42, 0.5, 0.08], **o), np.blackman)])
def test_windows_that_numpy_has(make: Any, reference: Any) -> None:
    for n in (0, 1, 2, 5, 8):
        np.testing.assert_allclose(make(n, dtype=mg.float64).numpy(), reference(n), atol=1e-12)
        periodic = reference(n + 1)[:-1] if n > 1 else np.ones(n)
        np.testing.assert_allclose(make(n, sym=False, dtype=mg.float64).numpy(), periodic, atol=1e-12)


@pytest.mark.parametrize(("window", "values"), [
    (windows.cosine(3), [0.5, 1.0, 0.5]), (windows.cosine(2, sym=False), [0.5, 1.0]),
    (windows.exponential(4, sym=False), [0.1353, 0.3679, 1.0, 0.3679]), (windows.exponential(3, tau=2.0), [0.6065, 1.0, 0.6065]),
    (windows.exponential(3, center=0.0, sym=False), [1.0, 0.3679, 0.1353]),
    (windows.gaussian(4, sym=False), [0.1353, 0.6065, 1.0, 0.6065]), (windows.gaussian(3, std=0.5), [0.1353, 1.0, 0.1353]),
    (windows.nuttall(5), [0.0004, 0.2270, 1.0, 0.2270, 0.0004])])
def test_other_windows(window: Any, values: list[float]) -> None:
    np.testing.assert_allclose(window.numpy(), values, atol=6e-5)
    assert window.dtype is mg.float32


@pytest.mark.parametrize(("make", "error", "match"), [
    (lambda: windows.hann(-1), ValueError, "requires non-negative window length, got M=-1"),
    (lambda: windows.hann(3, dtype=mg.int64), ValueError, "expects float32 or float64 dtypes, got: minigrad.int64"),
    (lambda: windows.hann(3, layout="sparse"), ValueError, "is implemented for strided tensors only"),
    (lambda: windows.gaussian(3, std=0.0), ValueError, "Standard deviation must be positive, got: 0.0"),
    (lambda: windows.exponential(3, tau=0.0), ValueError, "Tau must be positive"),
    (lambda: windows.exponential(3, center=1.0), ValueError, "Center must be None for symmetric windows"),
    (lambda: windows.kaiser(3, beta=-1.0), ValueError, "beta must be non-negative"),
    (lambda: windows.general_cosine(3, a=[]), ValueError, "Coefficients cannot be empty"),
    (lambda: windows.general_cosine(3, a=3), TypeError, "Coefficients must be a list/tuple")])
def test_refused(make: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        make()
