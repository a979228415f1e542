"""Windows of `M` values, symmetric or, with ``sym=False``, one period of what is repeated by a Fourier transform.

Formulas: https://docs.pytorch.org/docs/stable/signal.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

import numpy as np

from minigrad._types import dtypes, layouts
from minigrad.errors import ArgumentError, InvalidValueError
from minigrad.ops.creation import tensor_on_device
from minigrad.ops.spectral.windows import cosines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from minigrad._types.annotations import DeviceLike, DTypeLike, Tensor
    from minigrad._types.layouts import layout

__all__ = ["bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine", "general_hamming", "hamming", "hann",
           "kaiser", "nuttall"]

__path__: list[str] = []  # PyTorch's `signal.windows.windows` lies below, by minigrad._paths


def make_window(name: str, shape: Callable[[Any, int], Any], M: int, sym: bool, dtype: Any, layout: Any, device: Any,
                requires_grad: bool) -> Tensor:
    """The values of ``shape(n, N)`` at n = 0 ... M - 1, where N is how long the symmetric window is."""
    wanted = dtypes.get_default_dtype() if dtype is None else dtypes.as_dtype(dtype)
    if M < 0:
        raise InvalidValueError(f"{name} requires non-negative window length, got M={M}")
    if layout not in (None, layouts.strided):
        raise InvalidValueError(f"{name} is implemented for strided tensors only, got: {layout}")
    if wanted not in (dtypes.float32, dtypes.float64):
        raise InvalidValueError(f"{name} expects float32 or float64 dtypes, got: {wanted!r}")
    values = shape(np.arange(M), M + (not sym)) if M > 1 else np.ones(M)
    return tensor_on_device(values, wanted, None, device, requires_grad)


def general_cosine(M: int, *, a: Sequence[float], sym: bool = True, dtype: DTypeLike | None = None, layout: layout | None = None,
                   device: DeviceLike | None = None, requires_grad: bool = False) -> Tensor:
    """A sum of cosines of growing frequency, with the coefficients `a` and alternating signs."""
    if not isinstance(a, (list, tuple)):
        raise ArgumentError("general_cosine: Coefficients must be a list/tuple")
    if not a:
        raise InvalidValueError("general_cosine: Coefficients cannot be empty")
    signed = [c * (-1) ** k for k, c in enumerate(a)]
    return make_window("general_cosine", lambda n, N: cosines(n / (N - 1), *signed), M, sym, dtype, layout, device, requires_grad)


def general_hamming(M: int, *, alpha: float = 0.54, sym: bool = True, dtype: DTypeLike | None = None,
                    layout: layout | None = None, device: DeviceLike | None = None, requires_grad: bool = False) -> Tensor:
    """``alpha - (1 - alpha) * cos``."""
    a = [alpha, 1 - alpha]
    return general_cosine(M, a=a, sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)


def hamming(M: int, *, sym: bool = True, dtype: DTypeLike | None = None, layout: layout | None = None,
            device: DeviceLike | None = None, requires_grad: bool = False) -> Tensor:
    """The Hamming window: a raised cosine that does not quite reach 0."""
    return general_cosine(M, a=[0.54, 0.46], sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)


def hann(M: int, *, sym: bool = True, dtype: DTypeLike | None = None, layout: layout | None = None,
         device: DeviceLike | None = None, requires_grad: bool = False) -> Tensor:
    """The Hann window: a raised cosine.

    >>> import minigrad as mg
    >>> mg.signal.windows.hann(5)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    return general_cosine(M, a=[0.5, 0.5], sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)


def blackman(M: int, *, sym: bool = True, dtype: DTypeLike | None = None, layout: layout | None = None,
             device: DeviceLike | None = None, requires_grad: bool = False) -> Tensor:
    """The Blackman window: three cosine terms."""
    a = [0.42, 0.5, 0.08]
    return general_cosine(M, a=a, sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)


def nuttall(M: int, *, sym: bool = True, dtype: DTypeLike | None = None, layout: layout | None = None,
            device: DeviceLike | None = None, requires_grad: bool = False) -> Tensor:
    """Nuttall's minimum four-term window."""
    a = [0.3635819, 0.4891775, 0.1365995, 0.0106411]
    return general_cosine(M, a=a, sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)


def bartlett(M: int, *, sym: bool = True, dtype: DTypeLike | None = None, layout: layout | None = None,
             device: DeviceLike | None = None, requires_grad: bool = False) -> Tensor:
    """The triangle with ends at 0."""
    return make_window("bartlett", lambda n, N: 1 - np.abs(2 * n / (N - 1) - 1), M, sym, dtype, layout, device, requires_grad)


def cosine(M: int, *, sym: bool = True, dtype: DTypeLike | None = None, layout: layout | None = None,
           device: DeviceLike | None = None, requires_grad: bool = False) -> Tensor:
    """Half a period of a sine."""
    return make_window("cosine", lambda n, N: np.sin(np.pi * (n + 0.5) / N), M, sym, dtype, layout, device, requires_grad)


def exponential(M: int, *, center: float | None = None, tau: float = 1.0, sym: bool = True, dtype: DTypeLike | None = None,
                layout: layout | None = None, device: DeviceLike | None = None, requires_grad: bool = False) -> Tensor:
    """Falling by e in `tau` steps on both sides of `center`, the middle unless given (for windows with ``sym=False`` only)."""
    if tau <= 0:
        raise InvalidValueError(f"exponential: Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise InvalidValueError("exponential: Center must be None for symmetric windows")

    def shape(n: Any, N: int) -> Any:
        return np.exp(-np.abs(n - ((N - 1) / 2 if center is None else center)) / tau)
    return make_window("exponential", shape, M, sym, dtype, layout, device, requires_grad)


def gaussian(M: int, *, std: float = 1.0, sym: bool = True, dtype: DTypeLike | None = None, layout: layout | None = None,
             device: DeviceLike | None = None, requires_grad: bool = False) -> Tensor:
    """A bell of standard deviation `std`, in steps."""
    if std <= 0:
        raise InvalidValueError(f"gaussian: Standard deviation must be positive, got: {std} instead.")

    def shape(n: Any, N: int) -> Any:
        return np.exp(-0.5 * ((n - (N - 1) / 2) / std)**2)
    return make_window("gaussian", shape, M, sym, dtype, layout, device, requires_grad)


def kaiser(M: int, *, beta: float = 12.0, sym: bool = True, dtype: DTypeLike | None = None, layout: layout | None = None,
           device: DeviceLike | None = None, requires_grad: bool = False) -> Tensor:
    """From the Bessel function I0; the larger `beta`, the narrower."""
    if beta < 0:
        raise InvalidValueError(f"kaiser: beta must be non-negative, got: {beta} instead.")

    def shape(n: Any, N: int) -> Any:
        return np.i0(beta * np.sqrt(np.maximum(1 - (2 * n / (N - 1) - 1)**2, 0))) / np.i0(beta)
    return make_window("kaiser", shape, M, sym, dtype, layout, device, requires_grad)
