"""Window functions of signal processing, after https://docs.pytorch.org/docs/stable/torch.html#spectral-ops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad._types import dtypes
from minigrad.errors import DtypeError, RuntimeValueError
from minigrad.ops.creation import tensor_on_device

if TYPE_CHECKING:
    from minigrad._types.annotations import DeviceLike, DTypeLike, Tensor
    from minigrad._types.layouts import layout

__all__ = ["bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window"]


def window(name: str, shape: Any, length: int, periodic: bool, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    """`length` values of `shape`, a function on [0, 1]; a periodic window leaves out the last value, equal to the first."""
    wanted = dtypes.get_default_dtype() if dtype is None else dtypes.as_dtype(dtype)
    if wanted.kind != "f":
        raise DtypeError(f"{name}: expects floating point dtypes, got: {wanted!r}")
    if length < 0:
        raise RuntimeValueError(f"{name}: requires non-negative window_length, got window_length={length}")
    x = np.arange(length) / max(length - (not periodic), 1)
    return tensor_on_device(shape(x) if length > 1 else np.ones(length), wanted, None, device, requires_grad)


def cosines(x: Any, *coefficients: float) -> Any:
    """The sum of the coefficients times cos(2 pi k x)."""
    return sum(c * np.cos(2 * np.pi * k * x) for k, c in enumerate(coefficients))


def hann_window(window_length: int, periodic: bool = True, *, dtype: DTypeLike | None = None, layout: layout | None = None,
                device: DeviceLike | None = None, pin_memory: bool = False, requires_grad: bool = False) -> Tensor:
    """A tensor of `window_length` values of one period of a raised cosine, from 0 up to 1 and back.

    A `periodic` window is meant for the Fourier transform: it lacks the last value of the symmetric one that is longer by one.
    """
    return window("hann_window", lambda x: cosines(x, 0.5, -0.5), window_length, periodic, dtype, device, requires_grad)


def hamming_window(window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, *,
                   dtype: DTypeLike | None = None, layout: layout | None = None, device: DeviceLike | None = None,
                   pin_memory: bool = False, requires_grad: bool = False) -> Tensor:
    """As :func:`hann_window`: `alpha` minus `beta` times a cosine."""
    return window("hamming_window", lambda x: cosines(x, alpha, -beta), window_length, periodic, dtype, device, requires_grad)


def blackman_window(window_length: int, periodic: bool = True, *, dtype: DTypeLike | None = None, layout: layout | None = None,
                    device: DeviceLike | None = None, pin_memory: bool = False, requires_grad: bool = False) -> Tensor:
    """As :func:`hann_window`, with three cosine terms."""
    def shape(x: Any) -> Any:
        return cosines(x, 0.42, -0.5, 0.08)
    return window("blackman_window", shape, window_length, periodic, dtype, device, requires_grad)


def bartlett_window(window_length: int, periodic: bool = True, *, dtype: DTypeLike | None = None, layout: layout | None = None,
                    device: DeviceLike | None = None, pin_memory: bool = False, requires_grad: bool = False) -> Tensor:
    """As :func:`hann_window`, but straight lines: a triangle."""
    return window("bartlett_window", lambda x: 1 - np.abs(2 * x - 1), window_length, periodic, dtype, device, requires_grad)


def kaiser_window(window_length: int, periodic: bool = True, beta: float = 12.0, *, dtype: DTypeLike | None = None,
                  layout: layout | None = None, device: DeviceLike | None = None, pin_memory: bool = False,
                  requires_grad: bool = False) -> Tensor:
    """As :func:`hann_window`, from the Bessel function I0; the larger `beta`, the narrower."""
    def shape(x: Any) -> Any:
        return np.i0(beta * np.sqrt(np.maximum(1 - (2 * x - 1)**2, 0))) / np.i0(beta)
    return window("kaiser_window", shape, window_length, periodic, dtype, device, requires_grad)
