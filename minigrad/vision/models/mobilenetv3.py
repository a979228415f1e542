"""MobileNetV3 (Howard et al. 2019, https://arxiv.org/abs/1905.02244)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Sequence

from minigrad import nn
from minigrad.errors import InvalidValueError
from minigrad.vision.models._api import WeightsEnum, builds, imagenet
from minigrad.vision.models._utils import Layer, _make_divisible, init_weights
from minigrad.vision.ops.misc import Conv2dNormActivation, SqueezeExcitation

if TYPE_CHECKING:
    from minigrad._tensor import Tensor

__all__ = ["MobileNetV3", "MobileNet_V3_Large_Weights", "MobileNet_V3_Small_Weights", "mobilenet_v3_large", "mobilenet_v3_small"]

HardSqueezeExcitation = partial(SqueezeExcitation, scale_activation=nn.Hardsigmoid)


class InvertedResidualConfig:
    """What an :class:`InvertedResidual` is made by.

    Args:
        input_channels, expanded_channels, out_channels: the channels that come in, are in between, and go out.
        kernel, stride, dilation: those of the convolution of each channel by itself.
        use_se: whether there is a :class:`~minigrad.vision.ops.SqueezeExcitation`.
        activation: ``"HS"`` for Hardswish, ``"RE"`` for ReLU.
        width_mult: how many times as many channels there are.
    """

    def __init__(self, input_channels: int, kernel: int, expanded_channels: int, out_channels: int, use_se: bool,
                 activation: str, stride: int, dilation: int, width_mult: float) -> None:
        self.input_channels = self.adjust_channels(input_channels, width_mult)
        self.kernel = kernel
        self.expanded_channels = self.adjust_channels(expanded_channels, width_mult)
        self.out_channels = self.adjust_channels(out_channels, width_mult)
        self.use_se, self.use_hs = use_se, activation == "HS"
        self.stride, self.dilation = stride, dilation

    @staticmethod
    def adjust_channels(channels: int, width_mult: float) -> int:
        """So many times as many channels, as a multiple of 8."""
        return _make_divisible(channels * width_mult, 8)


class InvertedResidual(nn.Module):
    """Expands channels, convolves and weighs each by itself, and narrows; added to what it is given where the shapes agree.

    Args:
        cnf: the channels and the rest.
        norm_layer: the norm after each convolution.
        se_layer: what weighs the channels.
    """

    def __init__(self, cnf: InvertedResidualConfig, norm_layer: Layer,
                 se_layer: Layer = HardSqueezeExcitation) -> None:
        super().__init__()
        if cnf.stride not in (1, 2):
            raise InvalidValueError(f"illegal stride value: {cnf.stride}; it is 1 or 2")
        wide = cnf.expanded_channels
        self.use_res_connect = cnf.stride == 1 and cnf.input_channels == cnf.out_channels
        self.out_channels = cnf.out_channels
        conv = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.Hardswish if cnf.use_hs else nn.ReLU)
        layers: list[nn.Module] = []
        if wide != cnf.input_channels:
            layers.append(conv(cnf.input_channels, wide, kernel_size=1))
        stride = 1 if cnf.dilation > 1 else cnf.stride
        layers.append(conv(wide, wide, kernel_size=cnf.kernel, stride=stride, dilation=cnf.dilation, groups=wide))
        if cnf.use_se:
            layers.append(se_layer(wide, _make_divisible(wide // 4, 8)))
        layers.append(conv(wide, cnf.out_channels, kernel_size=1, activation_layer=None))
        self.block = nn.Sequential(*layers)

    def forward(self, input: Tensor) -> Tensor:
        result = self.block(input)
        if self.use_res_connect:
            result += input
        return result


class MobileNetV3(nn.Module):
    """Inverted residual blocks, found by search: images (N, 3, H, W) to scores (N, num_classes).

    Args:
        inverted_residual_setting: what each block is made by.
        last_channel: the channels before the last layer.
        num_classes: how many scores there are.
        block: the blocks; :class:`InvertedResidual` by default.
        norm_layer: the norm after each convolution; ``nn.BatchNorm2d`` of its own `eps` and `momentum` by default.
        dropout: the probability with which an input of the last layer is dropped.
    """

    def __init__(self, inverted_residual_setting: Sequence[InvertedResidualConfig], last_channel: int, num_classes: int = 1000,
                 block: Layer | None = None, norm_layer: Layer | None = None, dropout: float = 0.2) -> None:
        super().__init__()
        if not inverted_residual_setting:
            raise InvalidValueError("The inverted_residual_setting should not be empty")
        make, norm = block or InvertedResidual, norm_layer or partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)
        outer = partial(Conv2dNormActivation, norm_layer=norm, activation_layer=nn.Hardswish)
        narrow = inverted_residual_setting[-1].out_channels
        self.features = nn.Sequential(
            outer(3, inverted_residual_setting[0].input_channels, kernel_size=3, stride=2),
            *(make(cnf, norm) for cnf in inverted_residual_setting),
            outer(narrow, 6 * narrow, kernel_size=1))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Linear(6 * narrow, last_channel), nn.Hardswish(inplace=True), nn.Dropout(dropout, inplace=True),
            nn.Linear(last_channel, num_classes))
        init_weights(self, conv=partial(nn.init.kaiming_normal_, mode="fan_out"), linear=partial(nn.init.normal_, std=0.01))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def blocks(rows: Sequence[tuple[int, int, int, int, bool, str, int]], last_channel: int, width_mult: float, reduced_tail: bool,
           dilated: bool) -> tuple[list[InvertedResidualConfig], int]:
    """The blocks of these rows, of :class:`InvertedResidualConfig`'s first arguments, and the channels before the last layer.

    Args:
        width_mult: how many times as many channels there are in each layer.
        reduced_tail: whether the last three blocks, and what follows, have half as many channels.
        dilated: whether the last three blocks keep the size and dilate their convolutions.
    """
    cut = 2 if reduced_tail else 1
    configs = []
    for i, (channels, kernel, expanded, out, se, activation, stride) in enumerate(rows):
        place = i - (len(rows) - 3)  # among the last three blocks, from 0
        of_input, of_output = cut if place > 0 else 1, cut if place >= 0 else 1
        configs.append(InvertedResidualConfig(
            channels // of_input, kernel, expanded // of_input, out // of_output, se, activation, stride,
            2 if dilated and place >= 0 else 1, width_mult))
    return configs, InvertedResidualConfig.adjust_channels(last_channel // cut, width_mult)


class MobileNet_V3_Large_Weights(WeightsEnum):
    """Weights of :func:`mobilenet_v3_large`."""

    IMAGENET1K_V1 = imagenet("mobilenet_v3_large-8738ca79", 5_483_032, 74.042, 91.34)
    IMAGENET1K_V2 = imagenet("mobilenet_v3_large-5c1a4163", 5_483_032, 75.274, 92.566, resize=232)
    DEFAULT = IMAGENET1K_V2


class MobileNet_V3_Small_Weights(WeightsEnum):
    """Weights of :func:`mobilenet_v3_small`."""

    IMAGENET1K_V1 = imagenet("mobilenet_v3_small-047dcff4", 2_542_856, 67.668, 87.402)
    DEFAULT = IMAGENET1K_V1


@builds(MobileNet_V3_Large_Weights)
def mobilenet_v3_large(width_mult: float = 1.0, reduced_tail: bool = False, dilated: bool = False, **kwargs: Any) -> MobileNetV3:
    """MobileNetV3 of fifteen blocks; `kwargs` are the other arguments of :class:`MobileNetV3`.

    Args:
        width_mult: how many times as many channels there are in each layer.
        reduced_tail: whether the last three blocks, and what follows, have half as many channels.
        dilated: whether the last three blocks keep the size and dilate their convolutions.
    """
    rows = [(16, 3, 16, 16, False, "RE", 1), (16, 3, 64, 24, False, "RE", 2), (24, 3, 72, 24, False, "RE", 1),
            (24, 5, 72, 40, True, "RE", 2), (40, 5, 120, 40, True, "RE", 1), (40, 5, 120, 40, True, "RE", 1),
            (40, 3, 240, 80, False, "HS", 2), (80, 3, 200, 80, False, "HS", 1), (80, 3, 184, 80, False, "HS", 1),
            (80, 3, 184, 80, False, "HS", 1), (80, 3, 480, 112, True, "HS", 1), (112, 3, 672, 112, True, "HS", 1),
            (112, 5, 672, 160, True, "HS", 2), (160, 5, 960, 160, True, "HS", 1), (160, 5, 960, 160, True, "HS", 1)]
    return MobileNetV3(*blocks(rows, 1280, width_mult, reduced_tail, dilated), **kwargs)


@builds(MobileNet_V3_Small_Weights)
def mobilenet_v3_small(width_mult: float = 1.0, reduced_tail: bool = False, dilated: bool = False, **kwargs: Any) -> MobileNetV3:
    """MobileNetV3 of eleven blocks; the arguments are those of :func:`mobilenet_v3_large`."""
    rows = [(16, 3, 16, 16, True, "RE", 2), (16, 3, 72, 24, False, "RE", 2), (24, 3, 88, 24, False, "RE", 1),
            (24, 5, 96, 40, True, "HS", 2), (40, 5, 240, 40, True, "HS", 1), (40, 5, 240, 40, True, "HS", 1),
            (40, 5, 120, 48, True, "HS", 1), (48, 5, 144, 48, True, "HS", 1), (48, 5, 288, 96, True, "HS", 2),
            (96, 5, 576, 96, True, "HS", 1), (96, 5, 576, 96, True, "HS", 1)]
    return MobileNetV3(*blocks(rows, 1024, width_mult, reduced_tail, dilated), **kwargs)
