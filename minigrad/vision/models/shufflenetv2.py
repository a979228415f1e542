"""ShuffleNetV2 (Ma et al. 2018, https://arxiv.org/abs/1807.11164)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

from minigrad import nn
from minigrad.errors import InvalidValueError
from minigrad.nn import functional as F
from minigrad.ops.shaping.slicing import cat
from minigrad.vision.models._api import WeightsEnum, builds, imagenet
from minigrad.vision.models._utils import Layer

if TYPE_CHECKING:
    from minigrad._tensor import Tensor

__all__ = ["ShuffleNetV2", "ShuffleNet_V2_X0_5_Weights", "ShuffleNet_V2_X1_0_Weights", "ShuffleNet_V2_X1_5_Weights",
           "ShuffleNet_V2_X2_0_Weights", "shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "shufflenet_v2_x1_5", "shufflenet_v2_x2_0"]


def pointwise(channels: int, out: int) -> list[nn.Module]:
    """A convolution of 1 by 1, norm and ReLU."""
    return [nn.Conv2d(channels, out, kernel_size=1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True)]


def depthwise(channels: int, stride: int) -> list[nn.Module]:
    """A convolution of each channel by itself, and a norm."""
    return [nn.Conv2d(channels, channels, kernel_size=3, stride=stride, padding=1, bias=False, groups=channels),
            nn.BatchNorm2d(channels)]


class InvertedResidual(nn.Module):
    """Convolves half of the channels, or at a larger stride all of them in two ways, and shuffles the result with the rest.

    Args:
        inp, oup: the channels that come in and go out.
        stride: 1 to 3; at 1 the channels stay as many.
    """

    def __init__(self, inp: int, oup: int, stride: int) -> None:
        super().__init__()
        if not 1 <= stride <= 3:
            raise InvalidValueError(f"illegal stride value: {stride}; it is 1, 2 or 3")
        half = oup // 2
        if stride == 1 and inp != 2 * half:
            raise InvalidValueError(f"Invalid combination of stride {stride}, inp {inp} and oup {oup} values. If stride == 1 "
                                    "then inp should be equal to oup // 2 << 1.")
        self.stride = stride
        self.branch1 = nn.Sequential(*(depthwise(inp, stride) + pointwise(inp, half) if stride > 1 else []))
        self.branch2 = nn.Sequential(*pointwise(inp if stride > 1 else half, half), *depthwise(half, stride),
                                     *pointwise(half, half))

    def forward(self, x: Tensor) -> Tensor:
        kept, taken = x.chunk(2, dim=1) if self.stride == 1 else (self.branch1(x), x)
        return F.channel_shuffle(cat((kept, self.branch2(taken)), 1), 2)


class ShuffleNetV2(nn.Module):
    """Three stages of :class:`InvertedResidual`: images (N, 3, H, W) to scores (N, num_classes).

    Args:
        stages_repeats: the number of blocks in each stage.
        stages_out_channels: the channels of the first convolution, of each stage, and of the last convolution.
        num_classes: how many scores there are.
        inverted_residual: the blocks.
    """

    def __init__(self, stages_repeats: Sequence[int], stages_out_channels: Sequence[int], num_classes: int = 1000,
                 inverted_residual: Layer = InvertedResidual) -> None:
        super().__init__()
        if len(stages_repeats) != 3:
            raise InvalidValueError(f"expected stages_repeats as list of 3 positive ints, got {stages_repeats}")
        if len(stages_out_channels) != 5:
            raise InvalidValueError(f"expected stages_out_channels as list of 5 positive ints, got {stages_out_channels}")
        first, *stages, last = stages_out_channels
        self.conv1 = nn.Sequential(nn.Conv2d(3, first, kernel_size=3, stride=2, padding=1, bias=False), nn.BatchNorm2d(first),
                                   nn.ReLU(inplace=True))
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)

        def stage(channels: int, out: int, count: int) -> nn.Sequential:
            return nn.Sequential(inverted_residual(channels, out, 2), *(inverted_residual(out, out, 1) for _ in range(count - 1)))

        self.stage2 = stage(first, stages[0], stages_repeats[0])
        self.stage3 = stage(stages[0], stages[1], stages_repeats[1])
        self.stage4 = stage(stages[1], stages[2], stages_repeats[2])
        self.conv5 = nn.Sequential(*pointwise(stages[2], last))
        self.fc = nn.Linear(last, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stage4(self.stage3(self.stage2(self.maxpool(self.conv1(x)))))
        return self.fc(self.conv5(x).mean([2, 3]))


class ShuffleNet_V2_X0_5_Weights(WeightsEnum):
    """Weights of :func:`shufflenet_v2_x0_5`."""

    IMAGENET1K_V1 = imagenet("shufflenetv2_x0.5-f707e7126e", 1_366_792, 60.552, 81.746)
    DEFAULT = IMAGENET1K_V1


class ShuffleNet_V2_X1_0_Weights(WeightsEnum):
    """Weights of :func:`shufflenet_v2_x1_0`."""

    IMAGENET1K_V1 = imagenet("shufflenetv2_x1-5666bf0f80", 2_278_604, 69.362, 88.316)
    DEFAULT = IMAGENET1K_V1


class ShuffleNet_V2_X1_5_Weights(WeightsEnum):
    """Weights of :func:`shufflenet_v2_x1_5`."""

    IMAGENET1K_V1 = imagenet("shufflenetv2_x1_5-3c479a10", 3_503_624, 72.996, 91.086, resize=232)
    DEFAULT = IMAGENET1K_V1


class ShuffleNet_V2_X2_0_Weights(WeightsEnum):
    """Weights of :func:`shufflenet_v2_x2_0`."""

    IMAGENET1K_V1 = imagenet("shufflenetv2_x2_0-8be3c8ee", 7_393_996, 76.23, 93.006, resize=232)
    DEFAULT = IMAGENET1K_V1


@builds(ShuffleNet_V2_X0_5_Weights)
def shufflenet_v2_x0_5(**kwargs: Any) -> ShuffleNetV2:
    """ShuffleNetV2 of half the width; `kwargs` are the other arguments of :class:`ShuffleNetV2`."""
    return ShuffleNetV2([4, 8, 4], [24, 48, 96, 192, 1024], **kwargs)


@builds(ShuffleNet_V2_X1_0_Weights)
def shufflenet_v2_x1_0(**kwargs: Any) -> ShuffleNetV2:
    """ShuffleNetV2; `kwargs` are the other arguments of :class:`ShuffleNetV2`."""
    return ShuffleNetV2([4, 8, 4], [24, 116, 232, 464, 1024], **kwargs)


@builds(ShuffleNet_V2_X1_5_Weights)
def shufflenet_v2_x1_5(**kwargs: Any) -> ShuffleNetV2:
    """ShuffleNetV2 of one and a half times the width; `kwargs` are the other arguments of :class:`ShuffleNetV2`."""
    return ShuffleNetV2([4, 8, 4], [24, 176, 352, 704, 1024], **kwargs)


@builds(ShuffleNet_V2_X2_0_Weights)
def shufflenet_v2_x2_0(**kwargs: Any) -> ShuffleNetV2:
    """ShuffleNetV2 of twice the width; `kwargs` are the other arguments of :class:`ShuffleNetV2`."""
    return ShuffleNetV2([4, 8, 4], [24, 244, 488, 976, 2048], **kwargs)
