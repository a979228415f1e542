"""Convolutions and transposed convolutions over 1, 2 or 3 dimensions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from minigrad import _paths
from minigrad.errors import InvalidValueError
from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.modules.factory import parameter, repeat_setting
from minigrad.nn.modules.module import Module

if TYPE_CHECKING:
    from collections.abc import Sequence

    from minigrad._tensor import Tensor
    from minigrad._types.annotations import DeviceLike, IntOrInts
    from minigrad._types.dtypes import dtype
    from minigrad.nn.parameter import Parameter

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]


class ConvBase(Module):
    """What convolutions of any number of dimensions share: settings, weights and their initial values."""

    weight: Parameter
    bias: Parameter | None

    dims: int
    transposed = False

    def __init__(self, in_channels: int, out_channels: int, kernel_size: IntOrInts, stride: IntOrInts = 1,
                 padding: str | IntOrInts = 0, dilation: IntOrInts = 1, groups: int = 1, bias: bool = True,
                 padding_mode: str = "zeros", device: DeviceLike | None = None, dtype: dtype | None = None,
                 output_padding: IntOrInts = 0) -> None:
        super().__init__()
        if groups <= 0:
            raise InvalidValueError("groups must be a positive integer")
        if in_channels % groups:
            raise InvalidValueError("in_channels must be divisible by groups")
        if out_channels % groups:
            raise InvalidValueError("out_channels must be divisible by groups")
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise InvalidValueError(f"Invalid padding string {padding!r}, should be one of 'valid', 'same'")
            if padding == "same" and any(s != 1 for s in repeat_setting(stride, self.dims)):
                raise InvalidValueError("padding='same' is not supported for strided convolutions")
        modes = ("zeros", "reflect", "replicate", "circular")
        if padding_mode not in modes:
            raise InvalidValueError(f"padding_mode must be one of {modes}, but got padding_mode='{padding_mode}'")
        if self.transposed and padding_mode != "zeros":
            raise InvalidValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        self.in_channels, self.out_channels, self.groups, self.padding_mode = in_channels, out_channels, groups, padding_mode
        self.kernel_size = repeat_setting(kernel_size, self.dims)
        self.stride, self.dilation = repeat_setting(stride, self.dims), repeat_setting(dilation, self.dims)
        self.padding = padding if isinstance(padding, str) else repeat_setting(padding, self.dims)
        self.output_padding = repeat_setting(output_padding, self.dims)
        channels = (in_channels, out_channels // groups) if self.transposed else (out_channels, in_channels // groups)
        self.weight = parameter(*channels, *self.kernel_size, device=device, dtype=dtype)
        self.register_parameter("bias", parameter(out_channels, device=device, dtype=dtype) if bias else None)
        self.reset_parameters()

    def _convolve(self, *args: Any) -> Tensor:
        """The function of the number of dimensions."""
        raise NotImplementedError

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, both from U(-1/sqrt(fan_in), 1/sqrt(fan_in))."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in = math.prod(self.weight.shape[1:])
            if fan_in:
                init.uniform_(self.bias, -1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in))

    def extra_repr(self) -> str:
        parts = [str(self.in_channels), str(self.out_channels), f"kernel_size={self.kernel_size}", f"stride={self.stride}"]
        for name, usual in (("padding", (0,) * self.dims), ("dilation", (1,) * self.dims),
                            ("output_padding", (0,) * self.dims), ("groups", 1)):
            value = getattr(self, name)
            if value != usual:
                parts.append(f"{name}={value}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)


class Convolution(ConvBase):
    """The forward of Conv1d, Conv2d and Conv3d."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: IntOrInts, stride: IntOrInts = 1,
                 padding: str | IntOrInts = 0, dilation: IntOrInts = 1, groups: int = 1, bias: bool = True,
                 padding_mode: str = "zeros", device: DeviceLike | None = None, dtype: dtype | None = None) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, device,
                         dtype)

    def forward(self, input: Tensor) -> Tensor:
        padding: str | IntOrInts = self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, self._padding_around(), mode=self.padding_mode), 0
        return self._convolve(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _padding_around(self) -> list[int]:
        """The padding as ``F.pad`` wants it: before and after, the last dimension first."""
        around: list[int] = []
        for k in reversed(range(self.dims)):
            if isinstance(self.padding, str):
                total = self.dilation[k] * (self.kernel_size[k] - 1) if self.padding == "same" else 0
                around += [total // 2, total - total // 2]
            else:
                around += [self.padding[k]] * 2
        return around


class Conv1d(Convolution):
    """Convolution over a sequence: (N, C_in, L) to (N, C_out, L_out), or without N.

    L_out = floor((L + 2 padding - dilation (kernel_size - 1) - 1) / stride + 1). `padding` may be ``"same"`` or ``"valid"``.
    """

    dims = 1

    def _convolve(self, *args: Any) -> Tensor:
        return F.conv1d(*args)


class Conv2d(Convolution):
    """Convolution over an image: (N, C_in, H, W) to (N, C_out, H_out, W_out), or without N.

    H_out = floor((H + 2 padding - dilation (kernel_size - 1) - 1) / stride + 1); settings may be pairs.
    `groups` splits the channels into independent parts. The weight is (C_out, C_in / groups, *kernel_size).

    >>> import minigrad as mg
    >>> tuple(mg.nn.Conv2d(1, 8, 3, padding=1)(mg.ones(2, 1, 28, 28)).shape)
    (2, 8, 28, 28)
    """

    dims = 2

    def _convolve(self, *args: Any) -> Tensor:
        return F.conv2d(*args)


class Conv3d(Convolution):
    """Convolution over a volume: (N, C_in, D, H, W) to (N, C_out, D_out, H_out, W_out), or without N."""

    dims = 3

    def _convolve(self, *args: Any) -> Tensor:
        return F.conv3d(*args)


class TransposedConvolution(ConvBase):
    """The forward of ConvTranspose1d, ConvTranspose2d and ConvTranspose3d."""

    transposed = True

    def __init__(self, in_channels: int, out_channels: int, kernel_size: IntOrInts, stride: IntOrInts = 1,
                 padding: str | IntOrInts = 0, output_padding: IntOrInts = 0, groups: int = 1, bias: bool = True,
                 dilation: IntOrInts = 1, padding_mode: str = "zeros", device: DeviceLike | None = None,
                 dtype: dtype | None = None) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, device,
                         dtype, output_padding)

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        output_padding = self.output_padding if output_size is None else self._output_padding(input, output_size)
        return self._convolve(input, self.weight, self.bias, self.stride, self.padding, output_padding, self.groups,
                              self.dilation)

    def _output_padding(self, input: Any, output_size: Any) -> tuple[int, ...]:
        """What must be added to reach `output_size`, which may include the dimensions of batch and channels."""
        spatial = tuple(input.shape[-self.dims:])
        size = tuple(output_size)
        if len(size) == input.ndim:
            size = size[-self.dims:]
        if len(size) != self.dims:
            raise InvalidValueError(f"{type(self).__name__}: for {input.ndim}D input, output_size must have {self.dims} or "
                                    f"{input.ndim} elements (got {len(size)})")
        smallest = [(spatial[k] - 1) * self.stride[k] - 2 * self.padding[k] + self.dilation[k] * (self.kernel_size[k] - 1) + 1
                    for k in range(self.dims)]
        largest = [n + s - 1 for n, s in zip(smallest, self.stride)]
        if any(not low <= n <= high for n, low, high in zip(size, smallest, largest)):
            raise InvalidValueError(f"requested an output size of {list(size)}, but valid sizes range from {smallest} to "
                                    f"{largest} (for an input of {list(spatial)})")
        return tuple(n - low for n, low in zip(size, smallest))


class ConvTranspose1d(TransposedConvolution):
    """The adjoint of :class:`Conv1d`: (N, C_in, L) to (N, C_out, L_out).

    L_out = (L - 1) stride - 2 padding + dilation (kernel_size - 1) + output_padding + 1. The weight is (C_in, C_out / groups, k).
    """

    dims = 1

    def _convolve(self, *args: Any) -> Tensor:
        return F.conv_transpose1d(*args)


class ConvTranspose2d(TransposedConvolution):
    """The adjoint of :class:`Conv2d`; sizes as for :class:`ConvTranspose1d`."""

    dims = 2

    def _convolve(self, *args: Any) -> Tensor:
        return F.conv_transpose2d(*args)


class ConvTranspose3d(TransposedConvolution):
    """The adjoint of :class:`Conv3d`; sizes as for :class:`ConvTranspose1d`."""

    dims = 3

    def _convolve(self, *args: Any) -> Tensor:
        return F.conv_transpose3d(*args)


# By the names under which PyTorch's users know these bases.
_ConvNd, _ConvTransposeNd = ConvBase, TransposedConvolution


def __getattr__(name: str) -> Any:
    return _paths.beside(__name__, name)
