"""Discrete Fourier transforms: the three kinds there are, next to their adjoints, and the short-time transform made of them.

A transform is linear, and its matrix symmetric: the derivative of a complex transform is that transform, and of one between
real and complex numbers the adjoint is one between complex and real numbers, where `norm` scales the other direction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.errors import ArgumentError, DtypeError, RuntimeValueError, ShapeError
from minigrad.ops.neural.padding import pad
from minigrad.ops.pointwise.arithmetic import abs, real, require_real, view_as_real
from minigrad.ops.shaping.shape import constant_full, expand, reshape, squeeze, transpose, unsqueeze
from minigrad.ops.shaping.slicing import constant_pad_nd, fold_windows, narrow_to, unfold
from minigrad.recording import hints
from minigrad.recording.op import op

if TYPE_CHECKING:
    from minigrad._types.annotations import Tensor

__all__ = ["istft", "stft"]

ADJOINT = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


# ---------------------------------------------------------------------------------------------------- transforms

@op(grad_name="FftC2CBackward0", called="fft")
def fft_c2c(input: Any, *, dim: Any, norm: Any = "backward", inverse: Any = False) -> Any:
    """The discrete Fourier transform of the complex `input` over the dimensions `dim`, or its inverse.

    `norm`: which direction is divided by the number of elements, ``"backward"`` (the inverse) or ``"forward"``; ``"ortho"``
    divides both by its root.
    """
    return np.fft.ifftn(input, axes=dim, norm=norm) if inverse else np.fft.fftn(input, axes=dim, norm=norm)
@fft_c2c.derivative("input")
def fft_c2c_wrt_input(g: Any, dim: Any, norm: Any, inverse: Any) -> Any:
    return fft_c2c(g, dim=dim, norm=norm, inverse=inverse)


@op(holomorphic=False, grad_name="FftR2CBackward0", called="rfft")
def fft_r2c(input: Any, *, dim: Any, norm: Any = "backward", onesided: Any = True) -> Any:
    """The discrete Fourier transform of the real `input` over `dim`; if `onesided`, of the last of these the first half only,
    of which the other half is the complex conjugate."""
    require_real("rfft", input)
    return np.fft.rfftn(input, axes=dim, norm=norm) if onesided else np.fft.fftn(input, axes=dim, norm=norm)
@fft_r2c.derivative("input")
def fft_r2c_wrt_input(g: Any, input_shape: Any, dim: Any, norm: Any, onesided: Any) -> Any:
    whole = pad_or_trim(g, dim[-1], input_shape[dim[-1]]) if onesided else g
    return real(fft_c2c(whole, dim=dim, norm=ADJOINT[norm], inverse=True))


@op(holomorphic=False, grad_name="FftC2RBackward0", called="irfft")
def fft_c2r(input: Any, *, dim: Any, size: Any, norm: Any = "backward") -> Any:
    """The inverse of :func:`fft_r2c`, one-sided, for a result of `size` elements in the last of the dimensions `dim`."""
    return np.fft.irfftn(input, s=[*[input.shape[d] for d in dim[:-1]], size], axes=dim, norm=norm)
@fft_c2r.derivative("input")
def fft_c2r_wrt_input(g: Any, dim: Any, size: Any, norm: Any) -> Any:
    half, last = fft_r2c(g, dim=dim, norm=ADJOINT[norm]), dim[-1] % g.ndim
    twice = narrow_to(half, dim=last, start=1, length=(size - 1) // 2)  # what stands for its conjugate too
    return half + pad_or_trim(twice, last, size // 2 + 1, before=1)


def pad_or_trim(x: Tensor, dim: int, size: int, before: int = 0) -> Tensor:
    """`x` with dimension `dim` brought to `size` elements: padded with zeros at both ends, or cut at the end."""
    dim %= x.ndim
    if x.shape[dim] == size and not before:
        return x
    return constant_pad_nd(x, pad=(0, 0) * (x.ndim - 1 - dim) + (before, size - before - x.shape[dim]))


# ---------------------------------------------------------------------------------------------------- short-time transforms

def frame_setup(name: str, n_fft: int, hop_length: int | None, win_length: int | None, window: Any, like: Any) -> tuple[int, Any]:
    """The step between frames, and the window with zeros on both sides up to `n_fft` elements, of ones if there is none."""
    hop = n_fft // 4 if hop_length is None else hop_length
    length = n_fft if win_length is None else win_length
    if hop <= 0:
        raise RuntimeValueError(f"{name}: expected hop_length > 0, but got hop_length={hop}")
    if not 0 < length <= n_fft:
        raise RuntimeValueError(f"{name}: expected 0 < win_length <= n_fft, but got win_length={length} and n_fft={n_fft}")
    if window is None:
        window = constant_full(real(like) if like.dtype.kind == "c" else like, size=(length,), value=1)
    elif tuple(window.shape) != (length,):
        raise ShapeError(f"{name}: expected a 1D window tensor of size equal to win_length={length}, but got window with size "
                         f"{list(window.shape)}")
    return hop, pad_or_trim(window, 0, n_fft, (n_fft - length) // 2)


def stft(input: Tensor, n_fft: int, hop_length: int | None = None, win_length: int | None = None, window: Tensor | None = None,
         center: bool = True, pad_mode: str = "reflect", normalized: bool = False, onesided: bool | None = None,
         return_complex: bool | None = None, align_to_window: bool | None = None) -> Tensor:
    """The short-time Fourier transform: that of frames of `n_fft` elements, `hop_length` apart, times `window`.

    Args:
        input: ``(L,)`` or ``(N, L)``.
        hop_length: ``n_fft // 4`` where it is None.
        win_length: the size of `window`, which is centred in the frame; `n_fft` where it is None.
        center: pad `input` on both sides by `pad_mode`, so that frame t is centred at element ``t * hop_length``.
        normalized: divide by the root of `n_fft`.
        onesided: the first half of the frequencies only; by default so for real input and window.
        return_complex: True, or False for a last dimension of real and imaginary parts. Must be given for real input.
        align_to_window: without `center`, begin with the window instead of the frame where that is longer.

    Returns ``(N, frequencies, frames)``, without N if `input` has none.

    >>> import minigrad
    >>> minigrad.stft(minigrad.ones(16), 8, window=minigrad.hann_window(8), return_complex=True).shape
    minigrad.Size([5, 9])
    """
    complex_input = input.dtype.kind == "c" or window is not None and window.dtype.kind == "c"
    if return_complex is None and not complex_input:
        raise RuntimeValueError("stft: requires the return_complex parameter be given for real inputs: True, or False and "
                                "view_as_complex")
    if onesided and complex_input:
        raise RuntimeValueError("stft: Cannot have onesided output if window or input is complex")
    if center and align_to_window is not None:
        raise RuntimeValueError("stft: align_to_window should only be set when center = false")
    if input.dtype.kind not in "fc":
        raise DtypeError(f"stft: expected a tensor of floating point or complex values, got {input.dtype}; use .float()")
    if input.ndim not in (1, 2):
        raise ShapeError(f"stft: expected a 1D or 2D tensor, got shape {list(input.shape)}")
    hop, weights = frame_setup("stft", n_fft, hop_length, win_length, window, input)
    x = unsqueeze(input, dim=0) if input.ndim == 1 else input
    if center:
        x = squeeze(pad(unsqueeze(x, dim=0), (n_fft // 2, n_fft // 2), pad_mode), dim=0)
    elif align_to_window and win_length is not None:
        margin = (n_fft - win_length) // 2
        x = constant_pad_nd(x, pad=(margin, n_fft - win_length - margin))
    if not 0 < n_fft <= x.shape[1]:
        raise RuntimeValueError(f"stft: expected 0 < n_fft <= {x.shape[1]}, but got n_fft={n_fft}")
    frames = unfold(x, dimension=1, size=n_fft, step=hop)
    frames = frames if window is None and win_length in (None, n_fft) else frames * weights
    norm = "ortho" if normalized else "backward"
    if complex_input:
        spectrum = fft_c2c(frames, dim=(2,), norm=norm)
    else:
        spectrum = fft_r2c(frames, dim=(2,), norm=norm, onesided=onesided is not False)
    spectrum = transpose(spectrum, dim0=1, dim1=2)
    spectrum = squeeze(spectrum, dim=0) if input.ndim == 1 else spectrum
    return view_as_real(spectrum) if return_complex is False else spectrum


def istft(input: Tensor, n_fft: int, hop_length: int | None = None, win_length: int | None = None, window: Tensor | None = None,
          center: bool = True, normalized: bool = False, onesided: bool | None = None, length: int | None = None,
          return_complex: bool = False) -> Tensor:
    """The inverse of :func:`stft`: the frames put together where they were, divided by the sum of the squared windows there.

    Args:
        input: complex, ``(N, frequencies, frames)`` or ``(frequencies, frames)``.
        length: of the result; by default as much as the frames cover.
        return_complex: for what was the transform of complex input, with all frequencies.

    The others are those of the transform. Raises ``RuntimeError`` where the windows leave an element out.
    Source: Griffin and Lim, Signal estimation from modified short-time Fourier transform, 1984.
    """
    if input.dtype.kind != "c":
        raise ArgumentError("istft requires a complex-valued input tensor matching the output from stft with "
                            f"return_complex=True, got {input.dtype}; view_as_complex() makes one of real and imaginary parts")
    if input.ndim not in (2, 3) or 0 in input.shape:
        raise ShapeError(f"istft: expected a tensor with 2 or 3 dimensions, none of them empty, got shape {list(input.shape)}")
    hop, weights = frame_setup("istft", n_fft, hop_length, win_length, window, input)
    z = unsqueeze(input, dim=0) if input.ndim == 2 else input
    onesided = z.shape[1] != n_fft if onesided is None else onesided
    if z.shape[1] != (n_fft // 2 + 1 if onesided else n_fft):
        raise ShapeError(f"istft: expected the frequency dimension (3rd to the last) of the input tensor to match n_fft "
                         f"{'/ 2 + 1 ' if onesided else ''}when onesided={onesided}, but got {z.shape[1]} for n_fft={n_fft}")
    if return_complex and onesided:
        raise RuntimeValueError("istft: Cannot have onesided output if window or input is complex: return_complex=True needs all "
                                "frequencies")
    if not return_complex and window is not None and window.dtype.kind == "c":
        raise RuntimeValueError("istft: Complex windows are incompatible with return_complex=False")
    norm = "ortho" if normalized else "backward"
    z = transpose(z, dim0=1, dim1=2)  # (N, frames, frequencies)
    if return_complex:
        frames = fft_c2c(z, dim=(2,), norm=norm, inverse=True)
    else:
        frames = fft_c2r(pad_or_trim(z, 2, n_fft // 2 + 1), dim=(2,), size=n_fft, norm=norm)
    count, total = z.shape[1], n_fft + hop * (z.shape[1] - 1)
    frames = frames if window is None and win_length in (None, n_fft) else frames * weights
    squares = expand(reshape(weights * weights, shape=(1, 1, n_fft)), size=(1, count, n_fft))
    start = n_fft // 2 if center else 0
    end = min(total, start + length) if length is not None else total - (n_fft // 2 if center else 0)
    def together(x: Any) -> Any:
        whole = fold_windows(x, shape=(x.shape[0], total), dimension=1, size=n_fft, step=hop)
        return narrow_to(whole, dim=1, start=start, length=max(end - start, 0))
    envelope = together(squares)
    if not bool((abs(envelope) > 1e-11).all()):
        raise RuntimeValueError("istft: window overlap add min: the squared windows leave an element out; use a smaller "
                                "hop_length, or center=True with a window that is not 0 at the middle of the first and last "
                                "frame")
    signal = together(frames) / envelope
    if length is not None and length > signal.shape[1]:
        hints.hint("The length of signal is shorter than the length parameter. Result is being padded with zeros in the "
                   "tail. Please check your center and hop_length settings.")
        signal = pad_or_trim(signal, 1, length)
    return squeeze(signal, dim=0) if input.ndim == 2 else signal
