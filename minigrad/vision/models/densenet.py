"""DenseNet (Huang et al. 2016, https://arxiv.org/abs/1608.06993)."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Sequence

from minigrad import nn
from minigrad.nn import functional as F
from minigrad.ops.shaping.slicing import cat
from minigrad.utils.checkpoint import checkpoint
from minigrad.vision.models._api import WeightsEnum, builds, imagenet
from minigrad.vision.models._utils import init_weights

if TYPE_CHECKING:
    from minigrad._tensor import Tensor

__all__ = ["DenseNet", "DenseNet121_Weights", "DenseNet161_Weights", "DenseNet169_Weights", "DenseNet201_Weights", "densenet121",
           "densenet161", "densenet169", "densenet201"]

OLD_NAME = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\..*)$")


class _DenseLayer(nn.Module):
    """Two convolutions of all that came before, to `growth_rate` channels."""

    def __init__(self, num_input_features: int, growth_rate: int, bn_size: int, drop_rate: float,
                 memory_efficient: bool = False) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(num_input_features)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(num_input_features, bn_size * growth_rate, kernel_size=1, bias=False)
        self.norm2 = nn.BatchNorm2d(bn_size * growth_rate)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(bn_size * growth_rate, growth_rate, kernel_size=3, padding=1, bias=False)
        self.drop_rate, self.memory_efficient = drop_rate, memory_efficient

    def bn_function(self, *features: Tensor) -> Tensor:
        """The first convolution."""
        return self.conv1(self.relu1(self.norm1(cat(features, 1))))

    def forward(self, input: Any) -> Tensor:
        features = list(input) if isinstance(input, (list, tuple)) else [input]
        if self.memory_efficient and any(x.requires_grad for x in features):
            narrow = checkpoint(self.bn_function, *features, use_reentrant=False)
        else:
            narrow = self.bn_function(*features)
        new = self.conv2(self.relu2(self.norm2(narrow)))
        return F.dropout(new, self.drop_rate, self.training) if self.drop_rate > 0 else new


class _DenseBlock(nn.ModuleDict):
    """Layers each of which is given the results of all before it."""

    _version = 2

    def __init__(self, num_layers: int, num_input_features: int, bn_size: int, growth_rate: int, drop_rate: float,
                 memory_efficient: bool = False) -> None:
        super().__init__()
        for i in range(num_layers):
            layer = _DenseLayer(num_input_features + i * growth_rate, growth_rate, bn_size, drop_rate, memory_efficient)
            self.add_module(f"denselayer{i + 1}", layer)

    def forward(self, init_features: Any) -> Tensor:
        features = [init_features]
        for layer in self.values():
            features.append(layer(features))
        return cat(features, 1)


class _Transition(nn.Sequential):
    """To other channels and half the size."""

    def __init__(self, num_input_features: int, num_output_features: int) -> None:
        super().__init__(OrderedDict(
            norm=nn.BatchNorm2d(num_input_features), relu=nn.ReLU(inplace=True),
            conv=nn.Conv2d(num_input_features, num_output_features, kernel_size=1, bias=False),
            pool=nn.AvgPool2d(kernel_size=2, stride=2)))


class DenseNet(nn.Module):
    """Four blocks of layers each of which sees all before it: images (N, 3, H, W), of at least 29 by 29, to (N, num_classes).

    Args:
        growth_rate: the channels that each layer adds.
        block_config: the number of layers in each block.
        num_init_features: the channels of the first convolution.
        bn_size: how many times `growth_rate` channels there are within a layer.
        drop_rate: the probability with which an output of a layer is dropped.
        num_classes: how many scores there are.
        memory_efficient: whether the first half of each layer is computed again in the backward pass instead of kept.
    """

    def __init__(self, growth_rate: int = 32, block_config: Sequence[int] = (6, 12, 24, 16), num_init_features: int = 64,
                 bn_size: int = 4, drop_rate: float = 0, num_classes: int = 1000, memory_efficient: bool = False) -> None:
        super().__init__()
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            conv0=nn.Conv2d(3, num_init_features, kernel_size=7, stride=2, padding=3, bias=False),
            norm0=nn.BatchNorm2d(num_init_features), relu0=nn.ReLU(inplace=True),
            pool0=nn.MaxPool2d(kernel_size=3, stride=2, padding=1))
        channels = num_init_features
        for i, count in enumerate(block_config, start=1):
            layers[f"denseblock{i}"] = _DenseBlock(count, channels, bn_size, growth_rate, drop_rate, memory_efficient)
            channels += count * growth_rate
            if i < len(block_config):
                layers[f"transition{i}"] = _Transition(channels, channels // 2)
                channels //= 2
        layers["norm5"] = nn.BatchNorm2d(channels)
        self.features = nn.Sequential(layers)
        self.classifier = nn.Linear(channels, num_classes)
        init_weights(self, conv=nn.init.kaiming_normal_, linear=nn.Identity())  # whose own weight stays
        self.register_load_state_dict_pre_hook(accept_old_names)

    def forward(self, x: Tensor) -> Tensor:
        features = F.relu(self.features(x), inplace=True)
        return self.classifier(F.adaptive_avg_pool2d(features, (1, 1)).flatten(1))


def accept_old_names(module: nn.Module, state_dict: Any, *others: Any) -> None:
    """The published files call ``norm1`` by the name ``norm.1``, which is no name for a module any more."""
    for name in list(state_dict):
        if found := OLD_NAME.match(name):
            state_dict[found[1] + found[2]] = state_dict.pop(name)


class DenseNet121_Weights(WeightsEnum):
    """Weights of :func:`densenet121`."""

    IMAGENET1K_V1 = imagenet("densenet121-a639ec97", 7_978_856, 74.434, 91.972, min_size=29)
    DEFAULT = IMAGENET1K_V1


class DenseNet161_Weights(WeightsEnum):
    """Weights of :func:`densenet161`."""

    IMAGENET1K_V1 = imagenet("densenet161-8d451a50", 28_681_000, 77.138, 93.56, min_size=29)
    DEFAULT = IMAGENET1K_V1


class DenseNet169_Weights(WeightsEnum):
    """Weights of :func:`densenet169`."""

    IMAGENET1K_V1 = imagenet("densenet169-b2777c0a", 14_149_480, 75.6, 92.806, min_size=29)
    DEFAULT = IMAGENET1K_V1


class DenseNet201_Weights(WeightsEnum):
    """Weights of :func:`densenet201`."""

    IMAGENET1K_V1 = imagenet("densenet201-c1103571", 20_013_928, 76.896, 93.37, min_size=29)
    DEFAULT = IMAGENET1K_V1


@builds(DenseNet121_Weights)
def densenet121(**kwargs: Any) -> DenseNet:
    """DenseNet of 121 layers; `kwargs` are the other arguments of :class:`DenseNet`."""
    return DenseNet(32, (6, 12, 24, 16), 64, **kwargs)


@builds(DenseNet161_Weights)
def densenet161(**kwargs: Any) -> DenseNet:
    """DenseNet of 161 layers, and more channels; `kwargs` are the other arguments of :class:`DenseNet`."""
    return DenseNet(48, (6, 12, 36, 24), 96, **kwargs)


@builds(DenseNet169_Weights)
def densenet169(**kwargs: Any) -> DenseNet:
    """DenseNet of 169 layers; `kwargs` are the other arguments of :class:`DenseNet`."""
    return DenseNet(32, (6, 12, 32, 32), 64, **kwargs)


@builds(DenseNet201_Weights)
def densenet201(**kwargs: Any) -> DenseNet:
    """DenseNet of 201 layers; `kwargs` are the other arguments of :class:`DenseNet`."""
    return DenseNet(32, (6, 12, 48, 32), 64, **kwargs)
