"""Layers that networks for images are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Sequence

from minigrad import nn
from minigrad.ops.creation import ones, zeros
from minigrad.ops.shaping.shape import permute

if TYPE_CHECKING:
    from minigrad._tensor import Tensor
    from minigrad._types.annotations import IntOrInts

__all__ = ["MLP", "Conv2dNormActivation", "Conv3dNormActivation", "FrozenBatchNorm2d", "Permute", "SqueezeExcitation"]

Layer = Callable[..., nn.Module]


class FrozenBatchNorm2d(nn.Module):
    """Batch normalization by statistics and weights that do not change: (N, C, H, W) to the same shape.

    Args:
        num_features: the number of channels.
        eps: added to the variance.
    """

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.register_buffer("weight", ones(num_features))
        self.register_buffer("bias", zeros(num_features))
        self.register_buffer("running_mean", zeros(num_features))
        self.register_buffer("running_var", ones(num_features))
        self.register_load_state_dict_pre_hook(drop_count)

    def forward(self, x: Tensor) -> Tensor:
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        bias = self.bias - self.running_mean * scale
        return x * scale.view(1, -1, 1, 1) + bias.view(1, -1, 1, 1)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.weight.shape[0]}, eps={self.eps})"


def drop_count(module: nn.Module, state_dict: dict[str, Any], prefix: str, *others: Any) -> None:
    """A norm that is frozen does not count the batches, as the one did whose state it is given."""
    state_dict.pop(prefix + "num_batches_tracked", None)


def as_tuple(value: IntOrInts, count: int) -> tuple[int, ...]:
    """One number for each of `count` dimensions."""
    return (value,) * count if isinstance(value, int) else tuple(value)


class ConvNormActivation(nn.Sequential):
    """Convolution, norm and activation."""

    conv_layer: Layer
    dimensions: int

    def __init__(self, in_channels: int, out_channels: int, kernel_size: IntOrInts = 3, stride: IntOrInts = 1,
                 padding: IntOrInts | str | None = None, groups: int = 1, norm_layer: Layer | None = nn.BatchNorm2d,
                 activation_layer: Layer | None = nn.ReLU, dilation: IntOrInts = 1, inplace: bool | None = True,
                 bias: bool | None = None) -> None:
        if padding is None:
            padding = tuple((size - 1) // 2 * step for size, step in zip(as_tuple(kernel_size, self.dimensions),
                                                                         as_tuple(dilation, self.dimensions)))
        layers = [type(self).conv_layer(in_channels, out_channels, kernel_size, stride, padding, dilation=dilation, groups=groups,
                                        bias=norm_layer is None if bias is None else bias)]
        if norm_layer is not None:
            layers.append(norm_layer(out_channels))
        if activation_layer is not None:
            layers.append(activation_layer() if inplace is None else activation_layer(inplace=inplace))
        super().__init__(*layers)
        self.out_channels = out_channels


class Conv2dNormActivation(ConvNormActivation):
    """Convolution, norm and activation of images: (N, in_channels, H, W) to (N, out_channels, H, W) at stride 1.

    Args:
        in_channels, out_channels, kernel_size, stride, groups, dilation: as in ``nn.Conv2d``.
        padding: what keeps the size at stride 1, if not given.
        norm_layer: the norm, made for `out_channels`; None for none.
        activation_layer: the activation; None for none.
        inplace: the activation's argument of that name; None where it has none.
        bias: whether the convolution has a bias; only where there is no norm, if not given.
    """

    conv_layer, dimensions = nn.Conv2d, 2


class Conv3dNormActivation(ConvNormActivation):
    """Convolution, norm and activation of volumes, (N, C, D, H, W); the arguments are those of :class:`Conv2dNormActivation`."""

    conv_layer, dimensions = nn.Conv3d, 3

    def __init__(self, in_channels: int, out_channels: int, kernel_size: IntOrInts = 3, stride: IntOrInts = 1,
                 padding: IntOrInts | str | None = None, groups: int = 1, norm_layer: Layer | None = nn.BatchNorm3d,
                 activation_layer: Layer | None = nn.ReLU, dilation: IntOrInts = 1, inplace: bool | None = True,
                 bias: bool | None = None) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, groups, norm_layer, activation_layer, dilation,
                         inplace, bias)


class SqueezeExcitation(nn.Module):
    """Weighs the channels by what two layers make of their means (Hu et al. 2017, https://arxiv.org/abs/1709.01507).

    Args:
        input_channels, squeeze_channels: the channels, and those between the two layers.
        activation: what follows the first layer.
        scale_activation: what follows the second.
    """

    def __init__(self, input_channels: int, squeeze_channels: int, activation: Layer = nn.ReLU,
                 scale_activation: Layer = nn.Sigmoid) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(input_channels, squeeze_channels, 1)
        self.fc2 = nn.Conv2d(squeeze_channels, input_channels, 1)
        self.activation = activation()
        self.scale_activation = scale_activation()

    def forward(self, input: Tensor) -> Tensor:
        scale: Tensor = self.scale_activation(self.fc2(self.activation(self.fc1(self.avgpool(input)))))
        return scale * input


class MLP(nn.Sequential):
    """Linear layers, each followed by a norm, an activation and dropout, the last by dropout only.

    Args:
        in_channels: the features that come in.
        hidden_channels: the features of each layer.
        norm_layer: the norm, made for the features; None for none.
        activation_layer: the activation.
        inplace: the argument of that name of activation and dropout; None for their own defaults.
        bias: whether layers have a bias.
        dropout: the probability with which an output is dropped.
    """

    def __init__(self, in_channels: int, hidden_channels: Sequence[int], norm_layer: Layer | None = None,
                 activation_layer: Layer | None = nn.ReLU, inplace: bool | None = None, bias: bool = True,
                 dropout: float = 0.0) -> None:
        given = {} if inplace is None else {"inplace": inplace}
        *hidden, last = hidden_channels
        layers: list[nn.Module] = []
        for features in hidden:
            layers.append(nn.Linear(in_channels, features, bias=bias))
            if norm_layer is not None:
                layers.append(norm_layer(features))
            if activation_layer is not None:
                layers.append(activation_layer(**given))
            layers.append(nn.Dropout(dropout, **given))
            in_channels = features
        super().__init__(*layers, nn.Linear(in_channels, last, bias=bias), nn.Dropout(dropout, **given))


class Permute(nn.Module):
    """Puts the dimensions in another order.

    Args:
        dims: for each dimension of the result, that of the input.
    """

    def __init__(self, dims: Sequence[int]) -> None:
        super().__init__()
        self.dims = dims

    def forward(self, x: Tensor) -> Tensor:
        return permute(x, self.dims)
