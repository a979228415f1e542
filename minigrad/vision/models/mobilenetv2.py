"""MobileNetV2 (Sandler et al. 2018, https://arxiv.org/abs/1801.04381)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Sequence

from minigrad import nn
from minigrad.errors import InvalidValueError
from minigrad.nn import functional as F
from minigrad.vision.models._api import WeightsEnum, builds, imagenet
from minigrad.vision.models._utils import Layer, _make_divisible, init_weights
from minigrad.vision.ops.misc import Conv2dNormActivation

if TYPE_CHECKING:
    from minigrad._tensor import Tensor

__all__ = ["MobileNetV2", "MobileNet_V2_Weights", "mobilenet_v2"]

# For each stage: the expansion, the channels, the number of blocks, the stride of the first.
SETTING = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


class InvertedResidual(nn.Module):
    """Expands channels, convolves each by itself, and narrows; added to what it is given where the shapes agree.

    Args:
        inp, oup: the channels that come in and go out.
        stride: 1 or 2.
        expand_ratio: how many times as many channels there are in between.
        norm_layer: the norm after each convolution.
    """

    def __init__(self, inp: int, oup: int, stride: int, expand_ratio: float, norm_layer: Layer | None = None) -> None:
        super().__init__()
        if stride not in (1, 2):
            raise InvalidValueError(f"stride should be 1 or 2 instead of {stride}")
        norm = norm_layer or nn.BatchNorm2d
        block = partial(Conv2dNormActivation, norm_layer=norm, activation_layer=nn.ReLU6)
        hidden = round(inp * expand_ratio)
        self.stride, self.out_channels = stride, oup
        self.use_res_connect = stride == 1 and inp == oup
        widen = [block(inp, hidden, kernel_size=1)] if expand_ratio != 1 else []
        self.conv = nn.Sequential(*widen, block(hidden, hidden, stride=stride, groups=hidden),
                                  nn.Conv2d(hidden, oup, 1, bias=False), norm(oup))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.use_res_connect else self.conv(x)


class MobileNetV2(nn.Module):
    """Inverted residual blocks: images (N, 3, H, W) to scores (N, num_classes).

    Args:
        num_classes: how many scores there are.
        width_mult: how many times as many channels there are in each layer.
        inverted_residual_setting: for each stage the expansion, the channels, the number of blocks, the stride of the first.
        round_nearest: channels are multiples of it.
        block: the blocks; :class:`InvertedResidual` by default.
        norm_layer: the norm after each convolution; ``nn.BatchNorm2d`` by default.
        dropout: the probability with which an input of the last layer is dropped.
    """

    def __init__(self, num_classes: int = 1000, width_mult: float = 1.0,
                 inverted_residual_setting: Sequence[Sequence[int]] | None = None, round_nearest: int = 8,
                 block: Layer | None = None, norm_layer: Layer | None = None, dropout: float = 0.2) -> None:
        super().__init__()
        setting = SETTING if inverted_residual_setting is None else inverted_residual_setting
        if not len(setting) or any(len(row) != 4 for row in setting):
            raise InvalidValueError(f"inverted_residual_setting should be non-empty or a 4-element list, got {setting}")
        make, norm = block or InvertedResidual, norm_layer or nn.BatchNorm2d
        outer = partial(Conv2dNormActivation, norm_layer=norm, activation_layer=nn.ReLU6)
        channels = _make_divisible(32 * width_mult, round_nearest)
        self.last_channel = _make_divisible(1280 * max(1.0, width_mult), round_nearest)
        features: list[nn.Module] = [outer(3, channels, stride=2)]
        for expansion, out, count, stride in setting:
            wide = _make_divisible(out * width_mult, round_nearest)
            for i in range(count):
                features.append(make(channels, wide, stride if i == 0 else 1, expand_ratio=expansion, norm_layer=norm))
                channels = wide
        features.append(outer(channels, self.last_channel, kernel_size=1))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(self.last_channel, num_classes))
        init_weights(self, conv=partial(nn.init.kaiming_normal_, mode="fan_out"), linear=partial(nn.init.normal_, std=0.01))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(F.adaptive_avg_pool2d(self.features(x), (1, 1)).flatten(1))


class MobileNet_V2_Weights(WeightsEnum):
    """Weights of :func:`mobilenet_v2`."""

    IMAGENET1K_V1 = imagenet("mobilenet_v2-b0353104", 3_504_872, 71.878, 90.286)
    IMAGENET1K_V2 = imagenet("mobilenet_v2-7ebf99e0", 3_504_872, 72.154, 90.822, resize=232)
    DEFAULT = IMAGENET1K_V2


@builds(MobileNet_V2_Weights)
def mobilenet_v2(**kwargs: Any) -> MobileNetV2:
    """MobileNetV2; `kwargs` are the arguments of :class:`MobileNetV2`."""
    return MobileNetV2(**kwargs)
