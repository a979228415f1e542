"""The forms of max pooling that always return where each maximum was, too; convolution of sequences that come first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minigrad.ops.neural import convolution, pooling
from minigrad.ops.shaping import shape as shapes

if TYPE_CHECKING:
    from minigrad._tensor import Tensor
    from minigrad._types.annotations import FloatOrFloats, IntOrInts

__all__ = ["adaptive_max_pool1d_with_indices", "adaptive_max_pool2d_with_indices", "adaptive_max_pool3d_with_indices", "conv_tbc",
           "fractional_max_pool2d_with_indices", "fractional_max_pool3d_with_indices", "max_pool1d_with_indices",
           "max_pool2d_with_indices", "max_pool3d_with_indices"]


def max_pool1d_with_indices(input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0,
                            dilation: IntOrInts = 1, ceil_mode: bool = False,
                            return_indices: bool = True) -> tuple[Tensor, Tensor]:
    """The maxima and their places."""
    return pooling.max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices=True)


def max_pool2d_with_indices(input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0,
                            dilation: IntOrInts = 1, ceil_mode: bool = False,
                            return_indices: bool = True) -> tuple[Tensor, Tensor]:
    """The maxima and their places."""
    return pooling.max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices=True)


def max_pool3d_with_indices(input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0,
                            dilation: IntOrInts = 1, ceil_mode: bool = False,
                            return_indices: bool = True) -> tuple[Tensor, Tensor]:
    """The maxima and their places."""
    return pooling.max_pool3d(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices=True)


def adaptive_max_pool1d_with_indices(input: Tensor, output_size: IntOrInts, return_indices: bool = True) -> tuple[Tensor, Tensor]:
    """The maxima and their places."""
    return pooling.adaptive_max_pool1d(input, output_size, return_indices=True)


def adaptive_max_pool2d_with_indices(input: Tensor, output_size: IntOrInts, return_indices: bool = True) -> tuple[Tensor, Tensor]:
    """The maxima and their places."""
    return pooling.adaptive_max_pool2d(input, output_size, return_indices=True)


def adaptive_max_pool3d_with_indices(input: Tensor, output_size: IntOrInts, return_indices: bool = True) -> tuple[Tensor, Tensor]:
    """The maxima and their places."""
    return pooling.adaptive_max_pool3d(input, output_size, return_indices=True)


def fractional_max_pool2d_with_indices(input: Tensor, kernel_size: IntOrInts, output_size: IntOrInts | None = None,
                                       output_ratio: FloatOrFloats | None = None, return_indices: bool = True,
                                       _random_samples: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The maxima and their places."""
    return pooling.fractional_max_pool2d(input, kernel_size, output_size, output_ratio, return_indices=True,
                                         _random_samples=_random_samples)


def fractional_max_pool3d_with_indices(input: Tensor, kernel_size: IntOrInts, output_size: IntOrInts | None = None,
                                       output_ratio: FloatOrFloats | None = None, return_indices: bool = True,
                                       _random_samples: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The maxima and their places."""
    return pooling.fractional_max_pool3d(input, kernel_size, output_size, output_ratio, return_indices=True,
                                         _random_samples=_random_samples)


def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """:func:`conv1d` of ``(time, batch, channels)`` with a weight ``(width, channels, out)``."""
    x = convolution.conv1d(shapes.permute(input, dims=(1, 2, 0)), shapes.permute(weight, dims=(2, 1, 0)), bias, padding=pad)
    return shapes.permute(x, dims=(2, 0, 1))
