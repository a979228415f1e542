"""VGG (Simonyan and Zisserman 2014, https://arxiv.org/abs/1409.1556)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from minigrad import nn
from minigrad.vision.models._api import WeightsEnum, builds, imagenet
from minigrad.vision.models._utils import init_weights as init_layers

if TYPE_CHECKING:
    from minigrad._tensor import Tensor

__all__ = ["VGG", "VGG11_BN_Weights", "VGG11_Weights", "VGG13_BN_Weights", "VGG13_Weights", "VGG16_BN_Weights", "VGG16_Weights",
           "VGG19_BN_Weights", "VGG19_Weights", "vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19",
           "vgg19_bn"]

# The channels of the convolutions, and "M" for a pooling.
cfgs: dict[str, list[str | int]] = {
    "A": [64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
    "B": [64, 64, "M", 128, 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
    "D": [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"],
    "E": [64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512, 512, 512, 512, "M", 512, 512, 512, 512, "M"],
}


def make_layers(cfg: list[str | int], batch_norm: bool = False) -> nn.Sequential:
    """The convolutions and poolings of a row of :data:`cfgs`, with a norm after each convolution if `batch_norm`."""
    layers: list[nn.Module] = []
    channels = 3
    for entry in cfg:
        if isinstance(entry, str):
            layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
        else:
            layers.append(nn.Conv2d(channels, entry, kernel_size=3, padding=1))
            layers += [nn.BatchNorm2d(entry), nn.ReLU(inplace=True)] if batch_norm else [nn.ReLU(inplace=True)]
            channels = entry
    return nn.Sequential(*layers)


class VGG(nn.Module):
    """Convolutions of 3 by 3 and three linear layers: images (N, 3, H, W), of at least 32 by 32, to scores (N, num_classes).

    Args:
        features: the convolutions, to 512 channels.
        num_classes: how many scores there are.
        init_weights: whether weights are drawn anew, as for networks that begin without any.
        dropout: the probability with which an output of the first two linear layers is dropped.
    """

    def __init__(self, features: nn.Module, num_classes: int = 1000, init_weights: bool = True, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096), nn.ReLU(True), nn.Dropout(dropout),
            nn.Linear(4096, 4096), nn.ReLU(True), nn.Dropout(dropout),
            nn.Linear(4096, num_classes))
        if init_weights:
            init_layers(self, conv=partial(nn.init.kaiming_normal_, mode="fan_out", nonlinearity="relu"),
                        linear=partial(nn.init.normal_, std=0.01))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


class VGG11_Weights(WeightsEnum):
    """Weights of :func:`vgg11`."""

    IMAGENET1K_V1 = imagenet("vgg11-8a719046", 132_863_336, 69.02, 88.628, min_size=32)
    DEFAULT = IMAGENET1K_V1


class VGG11_BN_Weights(WeightsEnum):
    """Weights of :func:`vgg11_bn`."""

    IMAGENET1K_V1 = imagenet("vgg11_bn-6002323d", 132_868_840, 70.37, 89.81, min_size=32)
    DEFAULT = IMAGENET1K_V1


class VGG13_Weights(WeightsEnum):
    """Weights of :func:`vgg13`."""

    IMAGENET1K_V1 = imagenet("vgg13-19584684", 133_047_848, 69.928, 89.246, min_size=32)
    DEFAULT = IMAGENET1K_V1


class VGG13_BN_Weights(WeightsEnum):
    """Weights of :func:`vgg13_bn`."""

    IMAGENET1K_V1 = imagenet("vgg13_bn-abd245e5", 133_053_736, 71.586, 90.374, min_size=32)
    DEFAULT = IMAGENET1K_V1


class VGG16_Weights(WeightsEnum):
    """Weights of :func:`vgg16`; those of ``IMAGENET1K_FEATURES`` are of the convolutions only, for detectors."""

    IMAGENET1K_V1 = imagenet("vgg16-397923af", 138_357_544, 71.592, 90.382, min_size=32)
    IMAGENET1K_FEATURES = imagenet("vgg16_features-amdegroot-88682ab5", 138_357_544, float("nan"), float("nan"), min_size=32,
                                   mean=(0.48235, 0.45882, 0.40784), std=(1 / 255, 1 / 255, 1 / 255))
    DEFAULT = IMAGENET1K_V1


class VGG16_BN_Weights(WeightsEnum):
    """Weights of :func:`vgg16_bn`."""

    IMAGENET1K_V1 = imagenet("vgg16_bn-6c64b313", 138_365_992, 73.36, 91.516, min_size=32)
    DEFAULT = IMAGENET1K_V1


class VGG19_Weights(WeightsEnum):
    """Weights of :func:`vgg19`."""

    IMAGENET1K_V1 = imagenet("vgg19-dcbb9e9d", 143_667_240, 72.376, 90.876, min_size=32)
    DEFAULT = IMAGENET1K_V1


class VGG19_BN_Weights(WeightsEnum):
    """Weights of :func:`vgg19_bn`."""

    IMAGENET1K_V1 = imagenet("vgg19_bn-c79401a0", 143_678_248, 74.218, 91.842, min_size=32)
    DEFAULT = IMAGENET1K_V1


@builds(VGG11_Weights, init_weights=False)
def vgg11(**kwargs: Any) -> VGG:
    """VGG of 11 layers; `kwargs` are the arguments of :class:`VGG`."""
    return VGG(make_layers(cfgs["A"]), **kwargs)


@builds(VGG11_BN_Weights, init_weights=False)
def vgg11_bn(**kwargs: Any) -> VGG:
    """VGG of 11 layers, with batch normalization; `kwargs` are the arguments of :class:`VGG`."""
    return VGG(make_layers(cfgs["A"], batch_norm=True), **kwargs)


@builds(VGG13_Weights, init_weights=False)
def vgg13(**kwargs: Any) -> VGG:
    """VGG of 13 layers; `kwargs` are the arguments of :class:`VGG`."""
    return VGG(make_layers(cfgs["B"]), **kwargs)


@builds(VGG13_BN_Weights, init_weights=False)
def vgg13_bn(**kwargs: Any) -> VGG:
    """VGG of 13 layers, with batch normalization; `kwargs` are the arguments of :class:`VGG`."""
    return VGG(make_layers(cfgs["B"], batch_norm=True), **kwargs)


@builds(VGG16_Weights, init_weights=False)
def vgg16(**kwargs: Any) -> VGG:
    """VGG of 16 layers; `kwargs` are the arguments of :class:`VGG`."""
    return VGG(make_layers(cfgs["D"]), **kwargs)


@builds(VGG16_BN_Weights, init_weights=False)
def vgg16_bn(**kwargs: Any) -> VGG:
    """VGG of 16 layers, with batch normalization; `kwargs` are the arguments of :class:`VGG`."""
    return VGG(make_layers(cfgs["D"], batch_norm=True), **kwargs)


@builds(VGG19_Weights, init_weights=False)
def vgg19(**kwargs: Any) -> VGG:
    """VGG of 19 layers; `kwargs` are the arguments of :class:`VGG`."""
    return VGG(make_layers(cfgs["E"]), **kwargs)


@builds(VGG19_BN_Weights, init_weights=False)
def vgg19_bn(**kwargs: Any) -> VGG:
    """VGG of 19 layers, with batch normalization; `kwargs` are the arguments of :class:`VGG`."""
    return VGG(make_layers(cfgs["E"], batch_norm=True), **kwargs)
