"""Pooling: the maximum, mean or p-norm of windows, and the inverse of max pooling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minigrad.errors import InvalidValueError
from minigrad.nn import functional as F
from minigrad.nn.modules.factory import repeat_setting
from minigrad.nn.modules.module import Module

if TYPE_CHECKING:
    from collections.abc import Sequence

    from minigrad._tensor import Tensor
    from minigrad._types.annotations import IntOrInts

__all__ = ["AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
           "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "FractionalMaxPool2d", "FractionalMaxPool3d", "LPPool1d",
           "LPPool2d", "LPPool3d", "MaxPool1d", "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d"]


class MaxPool(Module):
    """Settings of max pooling. ``stride`` is the window by default; with `return_indices` the places come too."""

    def __init__(self, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0, dilation: IntOrInts = 1,
                 return_indices: bool = False, ceil_mode: bool = False) -> None:
        super().__init__()
        self.kernel_size, self.padding, self.dilation = kernel_size, padding, dilation
        self.stride = kernel_size if stride is None else stride
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def _settings(self) -> tuple[Any, ...]:
        return self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices

    def extra_repr(self) -> str:
        return (f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}, "
                f"ceil_mode={self.ceil_mode}")


class MaxPool1d(MaxPool):
    """The maximum of each window of (N, C, L) or (C, L)."""

    def forward(self, input: Tensor) -> Tensor:
        return F.max_pool1d(input, *self._settings())


class MaxPool2d(MaxPool):
    """The maximum of each window of (N, C, H, W) or (C, H, W).

    H_out = floor((H + 2 padding - dilation (kernel_size - 1) - 1) / stride + 1), or rounded up with `ceil_mode`.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.max_pool2d(input, *self._settings())


class MaxPool3d(MaxPool):
    """The maximum of each window of (N, C, D, H, W) or (C, D, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        return F.max_pool3d(input, *self._settings())


class MaxUnpool(Module):
    """Settings of the inverse of max pooling: values go back where the indices say, the rest is 0."""

    dims: int

    def __init__(self, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0) -> None:
        super().__init__()
        self.kernel_size = repeat_setting(kernel_size, self.dims)
        self.stride = self.kernel_size if stride is None else repeat_setting(stride, self.dims)
        self.padding = repeat_setting(padding, self.dims)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(MaxUnpool):
    """Inverse of :class:`MaxPool1d`, given its indices."""

    dims = 1

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        return F.max_unpool1d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool2d(MaxUnpool):
    """Inverse of :class:`MaxPool2d`, given its indices."""

    dims = 2

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        return F.max_unpool2d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool3d(MaxUnpool):
    """Inverse of :class:`MaxPool3d`, given its indices."""

    dims = 3

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        return F.max_unpool3d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class AvgPool1d(Module):
    """The mean of each window of (N, C, L) or (C, L)."""

    def __init__(self, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0, ceil_mode: bool = False,
                 count_include_pad: bool = True) -> None:
        super().__init__()
        self.kernel_size = repeat_setting(kernel_size, 1)
        self.stride = self.kernel_size if stride is None else repeat_setting(stride, 1)
        self.padding = repeat_setting(padding, 1)
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool(Module):
    """Settings of average pooling; `divisor_override` takes the place of the number of elements."""

    def __init__(self, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0, ceil_mode: bool = False,
                 count_include_pad: bool = True, divisor_override: int | None = None) -> None:
        super().__init__()
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride
        self.ceil_mode, self.count_include_pad, self.divisor_override = ceil_mode, count_include_pad, divisor_override

    def _settings(self) -> tuple[Any, ...]:
        return self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad, self.divisor_override

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(AvgPool):
    """The mean of each window of (N, C, H, W) or (C, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool2d(input, *self._settings())


class AvgPool3d(AvgPool):
    """The mean of each window of (N, C, D, H, W) or (C, D, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool3d(input, *self._settings())


class FractionalMaxPool(Module):
    """Settings of max pooling over windows at random places (Graham 2014); give `output_size` or `output_ratio`."""

    dims: int

    def __init__(self, kernel_size: IntOrInts, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
                 _random_samples: Any = None) -> None:
        super().__init__()
        name = type(self).__name__
        if output_size is None and output_ratio is None:
            raise InvalidValueError(f"{name} requires specifying either an output size, or a pooling ratio")
        if output_size is not None and output_ratio is not None:
            raise InvalidValueError("only one of output_size and output_ratio may be specified")
        self.kernel_size = repeat_setting(kernel_size, self.dims)
        self.output_size = None if output_size is None else repeat_setting(output_size, self.dims)
        self.output_ratio = None if output_ratio is None else repeat_setting(output_ratio, self.dims)
        if self.output_ratio is not None and not all(0 < r < 1 for r in self.output_ratio):
            raise InvalidValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)

    def _settings(self) -> tuple[Any, ...]:
        return self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._random_samples


class FractionalMaxPool2d(FractionalMaxPool):
    """Fractional max pooling of (N, C, H, W) or (C, H, W)."""

    dims = 2

    def forward(self, input: Tensor) -> Tensor:
        return F.fractional_max_pool2d(input, *self._settings())


class FractionalMaxPool3d(FractionalMaxPool):
    """Fractional max pooling of (N, C, D, H, W) or (C, D, H, W)."""

    dims = 3

    def forward(self, input: Tensor) -> Tensor:
        return F.fractional_max_pool3d(input, *self._settings())


class LPPool(Module):
    """Settings of power-average pooling: the p-norm of each window, with p = `norm_type`."""

    def __init__(self, norm_type: float, kernel_size: IntOrInts, stride: IntOrInts | None = None,
                 ceil_mode: bool = False) -> None:
        super().__init__()
        self.norm_type, self.kernel_size, self.stride, self.ceil_mode = norm_type, kernel_size, stride, ceil_mode

    def _settings(self) -> tuple[Any, ...]:
        return float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode

    def extra_repr(self) -> str:
        return f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, ceil_mode={self.ceil_mode}"


class LPPool1d(LPPool):
    """The p-norm of each window of (N, C, L) or (C, L)."""

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool1d(input, *self._settings())


class LPPool2d(LPPool):
    """The p-norm of each window of (N, C, H, W) or (C, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool2d(input, *self._settings())


class LPPool3d(LPPool):
    """The p-norm of each window of (N, C, D, H, W) or (C, D, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool3d(input, *self._settings())


class AdaptivePool(Module):
    """Settings of pooling to a given output size, whatever the input's; None keeps the input's."""

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(AdaptivePool):
    """(N, C, L) or (C, L) to `output_size` means."""

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(AdaptivePool):
    """(N, C, H, W) or (C, H, W) to `output_size` means."""

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(AdaptivePool):
    """(N, C, D, H, W) or (C, D, H, W) to `output_size` means."""

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool3d(input, self.output_size)


class AdaptiveMaxPool(AdaptivePool):
    """As :class:`AdaptivePool`; with `return_indices` the places of the maxima come too."""

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices


class AdaptiveMaxPool1d(AdaptiveMaxPool):
    """(N, C, L) or (C, L) to `output_size` maxima."""

    def forward(self, input: Tensor) -> Tensor:
        pooled: Tensor = F.adaptive_max_pool1d(input, self.output_size, return_indices=self.return_indices)
        return pooled


class AdaptiveMaxPool2d(AdaptiveMaxPool):
    """(N, C, H, W) or (C, H, W) to `output_size` maxima."""

    def forward(self, input: Tensor) -> Tensor:
        pooled: Tensor = F.adaptive_max_pool2d(input, self.output_size, return_indices=self.return_indices)
        return pooled


class AdaptiveMaxPool3d(AdaptiveMaxPool):
    """(N, C, D, H, W) or (C, D, H, W) to `output_size` maxima."""

    def forward(self, input: Tensor) -> Tensor:
        pooled: Tensor = F.adaptive_max_pool3d(input, self.output_size, return_indices=self.return_indices)
        return pooled


# By the names under which PyTorch's users know these bases.
_MaxPoolNd, _MaxUnpoolNd, _AvgPoolNd, _LPPoolNd = MaxPool, MaxUnpool, AvgPool, LPPool
_AdaptiveAvgPoolNd, _AdaptiveMaxPoolNd = AdaptivePool, AdaptiveMaxPool
