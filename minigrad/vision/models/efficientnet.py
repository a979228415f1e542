"""EfficientNet (Tan and Le 2019, https://arxiv.org/abs/1905.11946) and EfficientNetV2 (2021, https://arxiv.org/abs/2104.00298)."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Sequence

from minigrad import nn
from minigrad.errors import InvalidValueError
from minigrad.vision.models._api import WeightsEnum, builds, imagenet
from minigrad.vision.models._utils import Layer, _make_divisible, init_weights
from minigrad.vision.ops.misc import Conv2dNormActivation, SqueezeExcitation
from minigrad.vision.ops.stochastic_depth import StochasticDepth

if TYPE_CHECKING:
    from minigrad._tensor import Tensor

NUMBERS = ("B0", "B1", "B2", "B3", "B4", "B5", "B6", "B7", "V2_L", "V2_M", "V2_S")
__all__ = ["EfficientNet", *(f"EfficientNet_{number}_Weights" for number in NUMBERS),
           *(f"efficientnet_{number.lower()}" for number in NUMBERS)]

Norm5 = partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)  # of B5 to B7, whose weights come from TensorFlow
NormV2 = partial(nn.BatchNorm2d, eps=0.001)


@dataclass
class _MBConvConfig:
    """What the blocks of a stage are made by."""

    expand_ratio: float
    kernel: int
    stride: int
    input_channels: int
    out_channels: int
    num_layers: int
    block: Layer

    @staticmethod
    def adjust_channels(channels: int, width_mult: float, min_value: int | None = None) -> int:
        """So many times as many channels, as a multiple of 8."""
        return _make_divisible(channels * width_mult, 8, min_value)


class MBConvConfig(_MBConvConfig):
    """A stage of :class:`MBConv`.

    Args:
        expand_ratio: how many times as many channels there are within a block.
        kernel, stride: those of the convolution of each channel by itself; the stride is that of the first block.
        input_channels, out_channels: the channels that come in and go out.
        num_layers: the number of blocks.
        width_mult, depth_mult: how many times as many channels and blocks there are.
        block: the blocks.
    """

    def __init__(self, expand_ratio: float, kernel: int, stride: int, input_channels: int, out_channels: int, num_layers: int,
                 width_mult: float = 1.0, depth_mult: float = 1.0, block: Layer | None = None) -> None:
        super().__init__(expand_ratio, kernel, stride, self.adjust_channels(input_channels, width_mult),
                         self.adjust_channels(out_channels, width_mult), self.adjust_depth(num_layers, depth_mult),
                         block or MBConv)

    @staticmethod
    def adjust_depth(num_layers: int, depth_mult: float) -> int:
        """So many times as many blocks, rounded up."""
        return math.ceil(num_layers * depth_mult)


class FusedMBConvConfig(_MBConvConfig):
    """A stage of :class:`FusedMBConv`; the arguments are those of :class:`MBConvConfig`."""

    def __init__(self, expand_ratio: float, kernel: int, stride: int, input_channels: int, out_channels: int, num_layers: int,
                 block: Layer | None = None) -> None:
        super().__init__(expand_ratio, kernel, stride, input_channels, out_channels, num_layers, block or FusedMBConv)


class ResidualBlock(nn.Module):
    """Layers, dropped at random for whole images, and added to what they are given where the shapes agree."""

    def __init__(self, cnf: _MBConvConfig, layers: Sequence[nn.Module], stochastic_depth_prob: float) -> None:
        super().__init__()
        if cnf.stride not in (1, 2):
            raise InvalidValueError(f"illegal stride value: {cnf.stride}; it is 1 or 2")
        self.use_res_connect = cnf.stride == 1 and cnf.input_channels == cnf.out_channels
        self.block = nn.Sequential(*layers)
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")
        self.out_channels = cnf.out_channels

    def forward(self, input: Tensor) -> Tensor:
        result = self.block(input)
        if self.use_res_connect:
            result = self.stochastic_depth(result)
            result += input
        return result


class MBConv(ResidualBlock):
    """Expands channels, convolves and weighs each by itself, and narrows.

    Args:
        cnf: the channels and the rest.
        stochastic_depth_prob: the probability with which the block is left out for an image.
        norm_layer: the norm after each convolution.
        se_layer: what weighs the channels.
    """

    def __init__(self, cnf: _MBConvConfig, stochastic_depth_prob: float, norm_layer: Layer,
                 se_layer: Layer = SqueezeExcitation) -> None:
        conv = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.SiLU)
        wide = cnf.adjust_channels(cnf.input_channels, cnf.expand_ratio)
        layers = [conv(cnf.input_channels, wide, kernel_size=1)] if wide != cnf.input_channels else []
        super().__init__(cnf, [
            *layers, conv(wide, wide, kernel_size=cnf.kernel, stride=cnf.stride, groups=wide),
            se_layer(wide, max(1, cnf.input_channels // 4), activation=partial(nn.SiLU, inplace=True)),
            conv(wide, cnf.out_channels, kernel_size=1, activation_layer=None)], stochastic_depth_prob)


class FusedMBConv(ResidualBlock):
    """One convolution that expands, and one that narrows.

    Args:
        cnf: the channels and the rest.
        stochastic_depth_prob: the probability with which the block is left out for an image.
        norm_layer: the norm after each convolution.
    """

    def __init__(self, cnf: _MBConvConfig, stochastic_depth_prob: float, norm_layer: Layer) -> None:
        conv = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.SiLU)
        wide = cnf.adjust_channels(cnf.input_channels, cnf.expand_ratio)
        first = partial(conv, cnf.input_channels, kernel_size=cnf.kernel, stride=cnf.stride)
        layers = [first(cnf.out_channels)] if wide == cnf.input_channels else [
            first(wide), conv(wide, cnf.out_channels, kernel_size=1, activation_layer=None)]
        super().__init__(cnf, layers, stochastic_depth_prob)


class EfficientNet(nn.Module):
    """Inverted residual blocks, of a depth and width that grow together: images (N, 3, H, W) to scores (N, num_classes).

    Args:
        inverted_residual_setting: what each stage is made by.
        dropout: the probability with which an input of the last layer is dropped.
        stochastic_depth_prob: the probability with which the last block is left out for an image; it grows from 0 in the first.
        num_classes: how many scores there are.
        norm_layer: the norm after each convolution; ``nn.BatchNorm2d`` by default.
        last_channel: the channels before the last layer; four times those of the last stage by default.
    """

    def __init__(self, inverted_residual_setting: Sequence[_MBConvConfig], dropout: float, stochastic_depth_prob: float = 0.2,
                 num_classes: int = 1000, norm_layer: Layer | None = None, last_channel: int | None = None) -> None:
        super().__init__()
        if not inverted_residual_setting:
            raise InvalidValueError("The inverted_residual_setting should not be empty")
        norm = norm_layer or nn.BatchNorm2d
        outer = partial(Conv2dNormActivation, norm_layer=norm, activation_layer=nn.SiLU)
        layers: list[nn.Module] = [outer(3, inverted_residual_setting[0].input_channels, kernel_size=3, stride=2)]
        count, total = 0, sum(cnf.num_layers for cnf in inverted_residual_setting)
        for stage in inverted_residual_setting:
            cnf, blocks = copy.copy(stage), []
            for _ in range(cnf.num_layers):
                blocks.append(cnf.block(copy.copy(cnf), stochastic_depth_prob * count / total, norm))
                cnf.input_channels, cnf.stride, count = cnf.out_channels, 1, count + 1
            layers.append(nn.Sequential(*blocks))
        narrow = inverted_residual_setting[-1].out_channels
        wide = 4 * narrow if last_channel is None else last_channel
        self.features = nn.Sequential(*layers, outer(narrow, wide, kernel_size=1))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(dropout, inplace=True), nn.Linear(wide, num_classes))
        bound = 1 / math.sqrt(num_classes)
        init_weights(self, conv=partial(nn.init.kaiming_normal_, mode="fan_out"),
                     linear=partial(nn.init.uniform_, a=-bound, b=bound))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def stages(width_mult: float, depth_mult: float) -> list[_MBConvConfig]:
    """The stages of EfficientNet, so many times as wide and deep as B0."""
    rows = ((1, 3, 1, 32, 16, 1), (6, 3, 2, 16, 24, 2), (6, 5, 2, 24, 40, 2), (6, 3, 2, 40, 80, 3), (6, 5, 1, 80, 112, 3),
            (6, 5, 2, 112, 192, 4), (6, 3, 1, 192, 320, 1))
    return [MBConvConfig(*row, width_mult=width_mult, depth_mult=depth_mult) for row in rows]


class EfficientNet_B0_Weights(WeightsEnum):
    """Weights of :func:`efficientnet_b0`."""

    IMAGENET1K_V1 = imagenet("efficientnet_b0_rwightman-7f5810bc", 5_288_548, 77.692, 93.532, interpolation="bicubic")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_B1_Weights(WeightsEnum):
    """Weights of :func:`efficientnet_b1`."""

    IMAGENET1K_V1 = imagenet("efficientnet_b1_rwightman-bac287d4", 7_794_184, 78.642, 94.186, crop=240, interpolation="bicubic")
    IMAGENET1K_V2 = imagenet("efficientnet_b1-c27df63c", 7_794_184, 79.838, 94.934, crop=240, resize=255)
    DEFAULT = IMAGENET1K_V2


class EfficientNet_B2_Weights(WeightsEnum):
    """Weights of :func:`efficientnet_b2`."""

    IMAGENET1K_V1 = imagenet("efficientnet_b2_rwightman-c35c1473", 9_109_994, 80.608, 95.31, crop=288, resize=288,
                             interpolation="bicubic")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_B3_Weights(WeightsEnum):
    """Weights of :func:`efficientnet_b3`."""

    IMAGENET1K_V1 = imagenet("efficientnet_b3_rwightman-b3899882", 12_233_232, 82.008, 96.054, crop=300, resize=320,
                             interpolation="bicubic")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_B4_Weights(WeightsEnum):
    """Weights of :func:`efficientnet_b4`."""

    IMAGENET1K_V1 = imagenet("efficientnet_b4_rwightman-23ab8bcd", 19_341_616, 83.384, 96.594, crop=380, resize=384,
                             interpolation="bicubic")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_B5_Weights(WeightsEnum):
    """Weights of :func:`efficientnet_b5`."""

    IMAGENET1K_V1 = imagenet("efficientnet_b5_lukemelas-1a07897c", 30_389_784, 83.444, 96.628, crop=456, resize=456,
                             interpolation="bicubic")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_B6_Weights(WeightsEnum):
    """Weights of :func:`efficientnet_b6`."""

    IMAGENET1K_V1 = imagenet("efficientnet_b6_lukemelas-24a108a5", 43_040_704, 84.008, 96.916, crop=528, resize=528,
                             interpolation="bicubic")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_B7_Weights(WeightsEnum):
    """Weights of :func:`efficientnet_b7`."""

    IMAGENET1K_V1 = imagenet("efficientnet_b7_lukemelas-c5b4e57e", 66_347_960, 84.122, 96.908, crop=600, resize=600,
                             interpolation="bicubic")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_V2_S_Weights(WeightsEnum):
    """Weights of :func:`efficientnet_v2_s`."""

    IMAGENET1K_V1 = imagenet("efficientnet_v2_s-dd5fe13b", 21_458_488, 84.228, 96.878, min_size=33, crop=384, resize=384)
    DEFAULT = IMAGENET1K_V1


class EfficientNet_V2_M_Weights(WeightsEnum):
    """Weights of :func:`efficientnet_v2_m`."""

    IMAGENET1K_V1 = imagenet("efficientnet_v2_m-dc08266a", 54_139_356, 85.112, 97.156, min_size=33, crop=480, resize=480)
    DEFAULT = IMAGENET1K_V1


class EfficientNet_V2_L_Weights(WeightsEnum):
    """Weights of :func:`efficientnet_v2_l`."""

    IMAGENET1K_V1 = imagenet("efficientnet_v2_l-59c71312", 118_515_272, 85.808, 97.788, min_size=33, crop=480, resize=480,
                             interpolation="bicubic", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    DEFAULT = IMAGENET1K_V1


@builds(EfficientNet_B0_Weights)
def efficientnet_b0(dropout: float = 0.2, **kwargs: Any) -> EfficientNet:
    """EfficientNet B0; `dropout` and `kwargs` are the other arguments of :class:`EfficientNet`."""
    return EfficientNet(stages(1.0, 1.0), dropout, **kwargs)


@builds(EfficientNet_B1_Weights)
def efficientnet_b1(dropout: float = 0.2, **kwargs: Any) -> EfficientNet:
    """EfficientNet B1; `dropout` and `kwargs` are the other arguments of :class:`EfficientNet`."""
    return EfficientNet(stages(1.0, 1.1), dropout, **kwargs)


@builds(EfficientNet_B2_Weights)
def efficientnet_b2(dropout: float = 0.3, **kwargs: Any) -> EfficientNet:
    """EfficientNet B2; `dropout` and `kwargs` are the other arguments of :class:`EfficientNet`."""
    return EfficientNet(stages(1.1, 1.2), dropout, **kwargs)


@builds(EfficientNet_B3_Weights)
def efficientnet_b3(dropout: float = 0.3, **kwargs: Any) -> EfficientNet:
    """EfficientNet B3; `dropout` and `kwargs` are the other arguments of :class:`EfficientNet`."""
    return EfficientNet(stages(1.2, 1.4), dropout, **kwargs)


@builds(EfficientNet_B4_Weights)
def efficientnet_b4(dropout: float = 0.4, **kwargs: Any) -> EfficientNet:
    """EfficientNet B4; `dropout` and `kwargs` are the other arguments of :class:`EfficientNet`."""
    return EfficientNet(stages(1.4, 1.8), dropout, **kwargs)


@builds(EfficientNet_B5_Weights)
def efficientnet_b5(dropout: float = 0.4, norm_layer: Layer = Norm5, **kwargs: Any) -> EfficientNet:
    """EfficientNet B5; the arguments are the other arguments of :class:`EfficientNet`."""
    return EfficientNet(stages(1.6, 2.2), dropout, norm_layer=norm_layer, **kwargs)


@builds(EfficientNet_B6_Weights)
def efficientnet_b6(dropout: float = 0.5, norm_layer: Layer = Norm5, **kwargs: Any) -> EfficientNet:
    """EfficientNet B6; the arguments are the other arguments of :class:`EfficientNet`."""
    return EfficientNet(stages(1.8, 2.6), dropout, norm_layer=norm_layer, **kwargs)


@builds(EfficientNet_B7_Weights)
def efficientnet_b7(dropout: float = 0.5, norm_layer: Layer = Norm5, **kwargs: Any) -> EfficientNet:
    """EfficientNet B7; the arguments are the other arguments of :class:`EfficientNet`."""
    return EfficientNet(stages(2.0, 3.1), dropout, norm_layer=norm_layer, **kwargs)


@builds(EfficientNet_V2_S_Weights)
def efficientnet_v2_s(dropout: float = 0.2, norm_layer: Layer = NormV2, **kwargs: Any) -> EfficientNet:
    """EfficientNetV2 S; the arguments are the other arguments of :class:`EfficientNet`."""
    setting: list[_MBConvConfig] = [
        FusedMBConvConfig(1, 3, 1, 24, 24, 2), FusedMBConvConfig(4, 3, 2, 24, 48, 4), FusedMBConvConfig(4, 3, 2, 48, 64, 4),
        MBConvConfig(4, 3, 2, 64, 128, 6), MBConvConfig(6, 3, 1, 128, 160, 9), MBConvConfig(6, 3, 2, 160, 256, 15)]
    return EfficientNet(setting, dropout, last_channel=1280, norm_layer=norm_layer, **kwargs)


@builds(EfficientNet_V2_M_Weights)
def efficientnet_v2_m(dropout: float = 0.3, norm_layer: Layer = NormV2, **kwargs: Any) -> EfficientNet:
    """EfficientNetV2 M; the arguments are the other arguments of :class:`EfficientNet`."""
    setting: list[_MBConvConfig] = [
        FusedMBConvConfig(1, 3, 1, 24, 24, 3), FusedMBConvConfig(4, 3, 2, 24, 48, 5), FusedMBConvConfig(4, 3, 2, 48, 80, 5),
        MBConvConfig(4, 3, 2, 80, 160, 7), MBConvConfig(6, 3, 1, 160, 176, 14), MBConvConfig(6, 3, 2, 176, 304, 18),
        MBConvConfig(6, 3, 1, 304, 512, 5)]
    return EfficientNet(setting, dropout, last_channel=1280, norm_layer=norm_layer, **kwargs)


@builds(EfficientNet_V2_L_Weights)
def efficientnet_v2_l(dropout: float = 0.4, norm_layer: Layer = NormV2, **kwargs: Any) -> EfficientNet:
    """EfficientNetV2 L; the arguments are the other arguments of :class:`EfficientNet`."""
    setting: list[_MBConvConfig] = [
        FusedMBConvConfig(1, 3, 1, 32, 32, 4), FusedMBConvConfig(4, 3, 2, 32, 64, 7), FusedMBConvConfig(4, 3, 2, 64, 96, 7),
        MBConvConfig(4, 3, 2, 96, 192, 10), MBConvConfig(6, 3, 1, 192, 224, 19), MBConvConfig(6, 3, 2, 224, 384, 25),
        MBConvConfig(6, 3, 1, 384, 640, 7)]
    return EfficientNet(setting, dropout, last_channel=1280, norm_layer=norm_layer, **kwargs)
