"""MNASNet (Tan et al. 2018, https://arxiv.org/abs/1807.11626)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from minigrad import nn
from minigrad.errors import InvalidValueError
from minigrad.vision.models._api import WeightsEnum, builds, imagenet
from minigrad.vision.models._utils import _make_divisible, init_weights

if TYPE_CHECKING:
    from minigrad._tensor import Tensor

__all__ = ["MNASNet", "MNASNet0_5_Weights", "MNASNet0_75_Weights", "MNASNet1_0_Weights", "MNASNet1_3_Weights", "mnasnet0_5",
           "mnasnet0_75", "mnasnet1_0", "mnasnet1_3"]

BatchNorm = partial(nn.BatchNorm2d, momentum=1 - 0.9997)  # TensorFlow's momentum, 0.9997, is the share of what was before


class _InvertedResidual(nn.Module):
    """Expands channels, convolves each by itself, and narrows; added to what it is given where the shapes agree."""

    def __init__(self, in_ch: int, out_ch: int, kernel_size: int, stride: int, expansion_factor: int) -> None:
        super().__init__()
        mid = in_ch * expansion_factor
        self.apply_residual = in_ch == out_ch and stride == 1
        self.layers = nn.Sequential(
            nn.Conv2d(in_ch, mid, 1, bias=False), BatchNorm(mid), nn.ReLU(inplace=True),
            nn.Conv2d(mid, mid, kernel_size, padding=kernel_size // 2, stride=stride, groups=mid, bias=False), BatchNorm(mid),
            nn.ReLU(inplace=True), nn.Conv2d(mid, out_ch, 1, bias=False), BatchNorm(out_ch))

    def forward(self, input: Tensor) -> Tensor:
        return self.layers(input) + input if self.apply_residual else self.layers(input)


def _stack(in_ch: int, out_ch: int, kernel_size: int, stride: int, exp_factor: int, repeats: int) -> nn.Sequential:
    """So many blocks, of which the first changes channels and size."""
    return nn.Sequential(_InvertedResidual(in_ch, out_ch, kernel_size, stride, exp_factor),
                         *(_InvertedResidual(out_ch, out_ch, kernel_size, 1, exp_factor) for _ in range(repeats - 1)))


class MNASNet(nn.Module):
    """Inverted residual blocks, found by search: images (N, 3, H, W) to scores (N, num_classes).

    Args:
        alpha: how many times as many channels there are in each layer.
        num_classes: how many scores there are.
        dropout: the probability with which an input of the last layer is dropped.
    """

    _version = 2

    def __init__(self, alpha: float, num_classes: int = 1000, dropout: float = 0.2) -> None:
        super().__init__()
        if alpha <= 0:
            raise InvalidValueError(f"alpha should be greater than 0.0 instead of {alpha}")
        self.alpha, self.num_classes = alpha, num_classes
        stem, first, *wide = (_make_divisible(channels * alpha, 8) for channels in (32, 16, 24, 40, 80, 96, 192, 320))
        self.layers = nn.Sequential(
            nn.Conv2d(3, stem, 3, padding=1, stride=2, bias=False), BatchNorm(stem), nn.ReLU(inplace=True),
            nn.Conv2d(stem, stem, 3, padding=1, groups=stem, bias=False), BatchNorm(stem), nn.ReLU(inplace=True),
            nn.Conv2d(stem, first, 1, bias=False), BatchNorm(first),
            _stack(first, wide[0], 3, 2, 3, 3), _stack(wide[0], wide[1], 5, 2, 3, 3), _stack(wide[1], wide[2], 5, 2, 6, 3),
            _stack(wide[2], wide[3], 3, 1, 6, 2), _stack(wide[3], wide[4], 5, 2, 6, 4), _stack(wide[4], wide[5], 3, 1, 6, 1),
            nn.Conv2d(wide[5], 1280, 1, bias=False), BatchNorm(1280), nn.ReLU(inplace=True))
        self.classifier = nn.Sequential(nn.Dropout(dropout, inplace=True), nn.Linear(1280, num_classes))
        init_weights(self, conv=partial(nn.init.kaiming_normal_, mode="fan_out", nonlinearity="relu"),
                     linear=partial(nn.init.kaiming_uniform_, mode="fan_out", nonlinearity="sigmoid"))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.layers(x).mean([2, 3]))


class MNASNet0_5_Weights(WeightsEnum):
    """Weights of :func:`mnasnet0_5`."""

    IMAGENET1K_V1 = imagenet("mnasnet0.5_top1_67.823-3ffadce67e", 2_218_512, 67.734, 87.49)
    DEFAULT = IMAGENET1K_V1


class MNASNet0_75_Weights(WeightsEnum):
    """Weights of :func:`mnasnet0_75`."""

    IMAGENET1K_V1 = imagenet("mnasnet0_75-7090bc5f", 3_170_208, 71.18, 90.496, resize=232)
    DEFAULT = IMAGENET1K_V1


class MNASNet1_0_Weights(WeightsEnum):
    """Weights of :func:`mnasnet1_0`."""

    IMAGENET1K_V1 = imagenet("mnasnet1.0_top1_73.512-f206786ef8", 4_383_312, 73.456, 91.51)
    DEFAULT = IMAGENET1K_V1


class MNASNet1_3_Weights(WeightsEnum):
    """Weights of :func:`mnasnet1_3`."""

    IMAGENET1K_V1 = imagenet("mnasnet1_3-a4c69d6f", 6_282_256, 76.506, 93.522, resize=232)
    DEFAULT = IMAGENET1K_V1


@builds(MNASNet0_5_Weights)
def mnasnet0_5(**kwargs: Any) -> MNASNet:
    """MNASNet of half the width; `kwargs` are the other arguments of :class:`MNASNet`."""
    return MNASNet(0.5, **kwargs)


@builds(MNASNet0_75_Weights)
def mnasnet0_75(**kwargs: Any) -> MNASNet:
    """MNASNet of three quarters of the width; `kwargs` are the other arguments of :class:`MNASNet`."""
    return MNASNet(0.75, **kwargs)


@builds(MNASNet1_0_Weights)
def mnasnet1_0(**kwargs: Any) -> MNASNet:
    """MNASNet; `kwargs` are the other arguments of :class:`MNASNet`."""
    return MNASNet(1.0, **kwargs)


@builds(MNASNet1_3_Weights)
def mnasnet1_3(**kwargs: Any) -> MNASNet:
    """MNASNet of 1.3 times the width; `kwargs` are the other arguments of :class:`MNASNet`."""
    return MNASNet(1.3, **kwargs)
