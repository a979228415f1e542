"""PyTorch's ``fft``: discrete Fourier transforms.

The names say what comes in and goes out: ``fft`` is complex to complex, ``rfft`` real to complex, one half of a result whose
other half is its complex conjugate, ``irfft`` back, and ``hfft`` complex, one half of such an input, to real. Those with a 2
transform two dimensions, those with an n several. The operations and their derivatives are in
:mod:`minigrad.ops.spectral.fourier`.

All take the same arguments: `n` or `s`, the size of each transformed dimension, which is cut or filled with zeros at its end to
that (for ``irfft`` and ``hfft`` the size of the result); `dim`, the dimensions; and `norm`: ``"backward"``, the default, divides
the inverse by the number of elements, ``"forward"`` the other direction, ``"ortho"`` both by its root. Integers count as floats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad._types import dtypes
from minigrad.errors import DtypeError, RuntimeValueError, ShapeError
from minigrad.ops import copying, creation
from minigrad.ops.pointwise.arithmetic import cast, conj_physical
from minigrad.ops.shaping import shape
from minigrad.ops.spectral import fourier
from minigrad.recording.boundary import publish as _publish

if TYPE_CHECKING:
    from minigrad._types.annotations import DeviceLike, DTypeLike, IntOrInts, Tensor
    from minigrad._types.layouts import layout

__all__ = ["fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2", "ifftn", "ifftshift", "ihfft",
           "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn"]

Sizes = Any  # one size for each dimension, or None


# ---------------------------------------------------------------------------------------------------- arguments

def numpy_norm(norm: Any) -> str:
    """`norm` in NumPy's words. Raises ``RuntimeError`` for another word."""
    if norm is None:
        return "backward"
    if norm not in fourier.ADJOINT:
        raise RuntimeValueError(f"Invalid normalization mode: \"{norm}\"; it can be 'backward', 'ortho' or 'forward'")
    return str(norm)


def to_floating(input: Any, complex: bool = False) -> Tensor:
    """`input` in a floating dtype, or a complex one, for which there are transforms."""
    if input.dtype.kind == "f" and input.dtype.itemsize == 2:
        raise DtypeError(f"Unsupported dtype {dtypes.as_dtype(input.dtype)!r}: there is no complex dtype of that size; convert "
                         "it with .float()")
    wanted = dtypes.as_dtype(input.dtype) if input.dtype.kind in "fc" else dtypes.get_default_dtype()
    wanted = wanted.to_complex() if complex and wanted.kind == "f" else wanted
    return input if input.dtype == wanted.numpy or input.dtype is wanted else cast(input, dtype=wanted)


def require_real_input(name: str, input: Any) -> Tensor:
    if input.dtype.kind == "c":
        raise DtypeError(f"{name} expects a real input tensor, but got {dtypes.as_dtype(input.dtype)!r}; take .real, or use fft")
    return to_floating(input)


def transform_dims(input: Any, s: Any, dim: Any) -> tuple[tuple[int, ...], list[int]]:
    """The dimensions to transform, counted from the front, and the size that each is to have. A single number counts as a
    sequence of one."""
    ndim = input.ndim
    if isinstance(s, int) and s < 1:
        raise RuntimeValueError(f"Invalid number of data points ({s}) specified; the transformed dimension needs one at least")
    s, dim = [(x,) if isinstance(x, int) else x for x in (s, dim)]
    if dim is None:
        count = ndim if s is None else len(s)
        if count > ndim:
            raise ShapeError(f"Got shape with {count} values but input tensor only has {ndim} dimensions.")
        dims = tuple(range(ndim - count, ndim))
    else:
        dims = tuple([shape.wrap_dim(d, ndim) for d in dim])
        if len(set(dims)) != len(dims):
            raise ShapeError(f"FFT dims must be unique, got {list(dim)}")
        if s is not None and len(s) != len(dims):
            raise ShapeError(f"When given, dim and shape arguments must have the same length: got {len(dims)} and {len(s)}")
    sizes = [input.shape[d] if s is None or s[k] in (None, -1) else s[k] for k, d in enumerate(dims)]
    for n in sizes:
        if n < 1:
            raise RuntimeValueError(f"Invalid number of data points ({n}) specified; each transformed dimension needs one at "
                                    "least")
    return dims, sizes


def resize(input: Tensor, dims: Any, sizes: Any) -> Tensor:
    """`input` with sizes `sizes` in the dimensions `dims`: cut at the end, or filled up with zeros."""
    for d, n in zip(dims, sizes):
        input = fourier.pad_or_trim(input, d, n)
    return input


# ---------------------------------------------------------------------------------------------------- several dimensions

def transform_complex(input: Any, s: Any, dim: Any, norm: Any, inverse: bool, out: Any) -> Tensor:
    """Compute :func:`fftn`, or with `inverse` :func:`ifftn`."""
    x, scale = to_floating(input), numpy_norm(norm)
    dims, sizes = transform_dims(x, s, dim)
    x = resize(x, dims, sizes)
    if not dims:
        return copying.clone(to_floating(x, complex=True), out=out)
    if x.dtype.kind == "c":
        return fourier.fft_c2c(x, dim=dims, norm=scale, inverse=inverse, out=out)
    if inverse:
        return conj_physical(fourier.fft_r2c(x, dim=dims, norm=fourier.ADJOINT[scale], onesided=False), out=out)
    return fourier.fft_r2c(x, dim=dims, norm=scale, onesided=False, out=out)


def transform_real(name: str, input: Any, s: Any, dim: Any, norm: Any, inverse: bool, out: Any) -> Tensor:
    """Compute :func:`rfftn`, or with `inverse` :func:`ihfftn`."""
    x, scale = require_real_input(name, input), numpy_norm(norm)
    dims, sizes = transform_dims(x, s, dim)
    if not dims:
        raise RuntimeValueError(f"{name} must transform at least one axis")
    x = resize(x, dims, sizes)
    if inverse:
        return conj_physical(fourier.fft_r2c(x, dim=dims, norm=fourier.ADJOINT[scale]), out=out)
    return fourier.fft_r2c(x, dim=dims, norm=scale, out=out)


def transform_hermitian(name: str, input: Any, s: Any, dim: Any, norm: Any, inverse: bool, out: Any) -> Tensor:
    """Compute :func:`hfftn`, or with `inverse` :func:`irfftn`."""
    x, scale = to_floating(input, complex=True), numpy_norm(norm)
    dims, sizes = transform_dims(x, s, dim)
    if not dims:
        raise RuntimeValueError(f"{name} must transform at least one axis")
    last = s if s is None or isinstance(s, int) else s[-1]
    size = sizes[-1] if last not in (None, -1) else 2 * (x.shape[dims[-1]] - 1)
    if size < 1:
        raise RuntimeValueError(f"Invalid number of data points ({size}) specified; give the size of the result")
    x = resize(x, dims, [*sizes[:-1], size // 2 + 1])
    if inverse:
        return fourier.fft_c2r(x, dim=dims, size=size, norm=scale, out=out)
    return fourier.fft_c2r(conj_physical(x), dim=dims, size=size, norm=fourier.ADJOINT[scale], out=out)


def fftn(input: Tensor, s: IntOrInts | None = None, dim: IntOrInts | None = None, norm: str | None = None, *,
         out: Tensor | None = None) -> Tensor:
    """The discrete Fourier transform over the dimensions `dim`, by default all."""
    return transform_complex(input, s, dim, norm, False, out)


def ifftn(input: Tensor, s: IntOrInts | None = None, dim: IntOrInts | None = None, norm: str | None = None, *,
          out: Tensor | None = None) -> Tensor:
    """The inverse of :func:`fftn`."""
    return transform_complex(input, s, dim, norm, True, out)


def rfftn(input: Tensor, s: IntOrInts | None = None, dim: IntOrInts | None = None, norm: str | None = None, *,
          out: Tensor | None = None) -> Tensor:
    """As :func:`fftn`, of real input: the first half, ``n // 2 + 1`` elements, of the last transformed dimension."""
    return transform_real("rfftn", input, s, dim, norm, False, out)


def irfftn(input: Tensor, s: IntOrInts | None = None, dim: IntOrInts | None = None, norm: str | None = None, *,
           out: Tensor | None = None) -> Tensor:
    """The inverse of :func:`rfftn`; the last of `s`, by default the even one of two sizes that fit, is the result's."""
    return transform_hermitian("irfftn", input, s, dim, norm, True, out)


def hfftn(input: Tensor, s: IntOrInts | None = None, dim: IntOrInts | None = None, norm: str | None = None, *,
          out: Tensor | None = None) -> Tensor:
    """As :func:`fftn`, of one half of an input whose other half is its complex conjugate: the result is real."""
    return transform_hermitian("hfftn", input, s, dim, norm, False, out)


def ihfftn(input: Tensor, s: IntOrInts | None = None, dim: IntOrInts | None = None, norm: str | None = None, *,
           out: Tensor | None = None) -> Tensor:
    """The inverse of :func:`hfftn`."""
    return transform_real("ihfftn", input, s, dim, norm, True, out)


# ---------------------------------------------------------------------------------------------------- two dimensions, and one

def fft2(input: Tensor, s: IntOrInts | None = None, dim: IntOrInts = (-2, -1), norm: str | None = None, *,
         out: Tensor | None = None) -> Tensor:
    """:func:`fftn` over two dimensions."""
    return transform_complex(input, s, dim, norm, False, out)


def ifft2(input: Tensor, s: IntOrInts | None = None, dim: IntOrInts = (-2, -1), norm: str | None = None, *,
          out: Tensor | None = None) -> Tensor:
    """:func:`ifftn` over two dimensions."""
    return transform_complex(input, s, dim, norm, True, out)


def rfft2(input: Tensor, s: IntOrInts | None = None, dim: IntOrInts = (-2, -1), norm: str | None = None, *,
          out: Tensor | None = None) -> Tensor:
    """:func:`rfftn` over two dimensions."""
    return transform_real("rfft2", input, s, dim, norm, False, out)


def irfft2(input: Tensor, s: IntOrInts | None = None, dim: IntOrInts = (-2, -1), norm: str | None = None, *,
           out: Tensor | None = None) -> Tensor:
    """:func:`irfftn` over two dimensions."""
    return transform_hermitian("irfft2", input, s, dim, norm, True, out)


def hfft2(input: Tensor, s: IntOrInts | None = None, dim: IntOrInts = (-2, -1), norm: str | None = None, *,
          out: Tensor | None = None) -> Tensor:
    """:func:`hfftn` over two dimensions."""
    return transform_hermitian("hfft2", input, s, dim, norm, False, out)


def ihfft2(input: Tensor, s: IntOrInts | None = None, dim: IntOrInts = (-2, -1), norm: str | None = None, *,
           out: Tensor | None = None) -> Tensor:
    """:func:`ihfftn` over two dimensions."""
    return transform_real("ihfft2", input, s, dim, norm, True, out)


def fft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Tensor | None = None) -> Tensor:
    """The discrete Fourier transform, ``sum_j input[j] * exp(-2 pi i j k / n)``, over one dimension.

    >>> import minigrad
    >>> minigrad.fft.fft(minigrad.tensor([1., 2., 3., 4.]))
    tensor([10.+0.j, -2.+2.j, -2.+0.j, -2.-2.j])
    """
    return transform_complex(input, n, (dim,), norm, False, out)


def ifft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Tensor | None = None) -> Tensor:
    """The inverse of :func:`fft`."""
    return transform_complex(input, n, (dim,), norm, True, out)


def rfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Tensor | None = None) -> Tensor:
    """The first half, ``n // 2 + 1`` elements, of :func:`fft` of real input; the other half is its complex conjugate."""
    return transform_real("rfft", input, n, (dim,), norm, False, out)


def irfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Tensor | None = None) -> Tensor:
    """The inverse of :func:`rfft`; `n` is the size of the result, by default the even one of the two that fit."""
    return transform_hermitian("irfft", input, n, (dim,), norm, True, out)


def hfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Tensor | None = None) -> Tensor:
    """:func:`fft` of one half of an input whose other half is its complex conjugate: `n` real elements."""
    return transform_hermitian("hfft", input, n, (dim,), norm, False, out)


def ihfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Tensor | None = None) -> Tensor:
    """The inverse of :func:`hfft`."""
    return transform_real("ihfft", input, n, (dim,), norm, True, out)


# ---------------------------------------------------------------------------------------------------- frequencies

def fftfreq(n: int, d: float = 1.0, *, out: Tensor | None = None, dtype: DTypeLike | None = None, layout: layout | None = None,
            device: DeviceLike | None = None, requires_grad: bool = False) -> Tensor:
    """The frequency of each element of :func:`fft` of `n` elements that lie `d` apart, in cycles per unit of `d`.

    >>> import minigrad
    >>> minigrad.fft.fftfreq(4)
    tensor([ 0.0000,  0.2500, -0.5000, -0.2500])
    """
    return frequencies(np.fft.fftfreq(n, d), out, dtype, device, requires_grad)


def rfftfreq(n: int, d: float = 1.0, *, out: Tensor | None = None, dtype: DTypeLike | None = None, layout: layout | None = None,
             device: DeviceLike | None = None, requires_grad: bool = False) -> Tensor:
    """The frequency of each element of :func:`rfft` of `n` elements that lie `d` apart."""
    return frequencies(np.fft.rfftfreq(n, d), out, dtype, device, requires_grad)


def frequencies(values: Any, out: Any, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    wanted = dtypes.get_default_dtype() if dtype is None else dtypes.as_dtype(dtype)
    return creation.tensor_on_device(values, wanted, out, device, requires_grad)


def fftshift(input: Tensor, dim: IntOrInts | None = None) -> Tensor:
    """`input` with the element of frequency 0 moved from the front to the middle of each dimension in `dim`, by default all."""
    return roll_by(input, dim, lambda n: n // 2)


def ifftshift(input: Tensor, dim: IntOrInts | None = None) -> Tensor:
    """The inverse of :func:`fftshift`."""
    return roll_by(input, dim, lambda n: (n + 1) // 2)


def roll_by(input: Any, dim: Any, places: Any) -> Tensor:
    """`input` rolled along `dim`, by ``places(size)`` elements in each dimension."""
    dims = tuple(range(input.ndim)) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    if not dims:
        return copying.clone(input)
    return shape.roll(input, shifts=tuple([places(input.shape[shape.wrap_dim(d, input.ndim)]) for d in dims]), dims=dims)


_publish(globals())
