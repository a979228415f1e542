"""ConvNeXt (Liu et al. 2022, https://arxiv.org/abs/2201.03545)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Sequence

from minigrad import nn
from minigrad.errors import InvalidValueError
from minigrad.ops.creation import full
from minigrad.vision.models._api import WeightsEnum, builds, imagenet
from minigrad.vision.models._utils import Layer, init_weights
from minigrad.vision.ops.misc import Conv2dNormActivation, Permute
from minigrad.vision.ops.stochastic_depth import StochasticDepth

if TYPE_CHECKING:
    from minigrad._tensor import Tensor

__all__ = ["ConvNeXt", "ConvNeXt_Base_Weights", "ConvNeXt_Large_Weights", "ConvNeXt_Small_Weights", "ConvNeXt_Tiny_Weights",
           "convnext_base", "convnext_large", "convnext_small", "convnext_tiny"]


class LayerNorm2d(nn.LayerNorm):
    """Layer norm over the channels of (N, C, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


@dataclass
class CNBlockConfig:
    """A stage: the channels of its blocks and of what follows, None in the last, and the number of blocks."""

    input_channels: int
    out_channels: int | None
    num_layers: int


class CNBlock(nn.Module):
    """A convolution of each channel by itself and two linear layers, scaled, and added to what they are given.

    Args:
        dim: the channels.
        layer_scale: the scale of each channel in the beginning.
        stochastic_depth_prob: the probability with which the block is left out for an image.
        norm_layer: the norm of the channels, which stand last.
    """

    def __init__(self, dim: int, layer_scale: float, stochastic_depth_prob: float, norm_layer: Layer | None = None) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(dim, dim, kernel_size=7, padding=3, groups=dim), Permute([0, 2, 3, 1]),
            (norm_layer or partial(nn.LayerNorm, eps=1e-6))(dim),
            nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim), Permute([0, 3, 1, 2]))
        self.layer_scale = nn.Parameter(full((dim, 1, 1), layer_scale))
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")

    def forward(self, input: Tensor) -> Tensor:
        return self.stochastic_depth(self.layer_scale * self.block(input)) + input


class ConvNeXt(nn.Module):
    """Convolutions arranged as a transformer is: images (N, 3, H, W), of at least 32 by 32, to scores (N, num_classes).

    Args:
        block_setting: the stages.
        stochastic_depth_prob: the probability with which the last block is left out for an image; it grows from 0 in the first.
        layer_scale: the scale of each block's channels in the beginning.
        num_classes: how many scores there are.
        block: the blocks; :class:`CNBlock` by default.
        norm_layer: the norms between stages; a layer norm over the channels by default.
    """

    def __init__(self, block_setting: Sequence[CNBlockConfig], stochastic_depth_prob: float = 0.0, layer_scale: float = 1e-6,
                 num_classes: int = 1000, block: Layer | None = None, norm_layer: Layer | None = None) -> None:
        super().__init__()
        if not block_setting:
            raise InvalidValueError("The block_setting should not be empty")
        make, norm = block or CNBlock, norm_layer or partial(LayerNorm2d, eps=1e-6)
        layers: list[nn.Module] = [Conv2dNormActivation(3, block_setting[0].input_channels, kernel_size=4, stride=4, padding=0,
                                                        norm_layer=norm, activation_layer=None, bias=True)]
        count, total = 0, sum(stage.num_layers for stage in block_setting)
        for stage in block_setting:
            channels, blocks = stage.input_channels, []
            for _ in range(stage.num_layers):
                blocks.append(make(channels, layer_scale, stochastic_depth_prob * count / max(total - 1, 1)))
                count += 1
            layers.append(nn.Sequential(*blocks))
            if stage.out_channels is not None:
                layers.append(nn.Sequential(norm(channels), nn.Conv2d(channels, stage.out_channels, kernel_size=2, stride=2)))
        last = block_setting[-1].out_channels or block_setting[-1].input_channels
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(norm(last), nn.Flatten(1), nn.Linear(last, num_classes))
        init_weights(self, conv=partial(nn.init.trunc_normal_, std=0.02), linear=partial(nn.init.trunc_normal_, std=0.02))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)))


def stages(channels: int, deep: int) -> list[CNBlockConfig]:
    """Four stages, each of twice the channels of the one before it, of which the third has `deep` blocks and the others three."""
    return [CNBlockConfig(channels, 2 * channels, 3), CNBlockConfig(2 * channels, 4 * channels, 3),
            CNBlockConfig(4 * channels, 8 * channels, deep), CNBlockConfig(8 * channels, None, 3)]


class ConvNeXt_Tiny_Weights(WeightsEnum):
    """Weights of :func:`convnext_tiny`."""

    IMAGENET1K_V1 = imagenet("convnext_tiny-983f1562", 28_589_128, 82.52, 96.146, min_size=32, resize=236)
    DEFAULT = IMAGENET1K_V1


class ConvNeXt_Small_Weights(WeightsEnum):
    """Weights of :func:`convnext_small`."""

    IMAGENET1K_V1 = imagenet("convnext_small-0c510722", 50_223_688, 83.616, 96.65, min_size=32, resize=230)
    DEFAULT = IMAGENET1K_V1


class ConvNeXt_Base_Weights(WeightsEnum):
    """Weights of :func:`convnext_base`."""

    IMAGENET1K_V1 = imagenet("convnext_base-6075fbad", 88_591_464, 84.062, 96.87, min_size=32, resize=232)
    DEFAULT = IMAGENET1K_V1


class ConvNeXt_Large_Weights(WeightsEnum):
    """Weights of :func:`convnext_large`."""

    IMAGENET1K_V1 = imagenet("convnext_large-ea097f82", 197_767_336, 84.414, 96.976, min_size=32, resize=232)
    DEFAULT = IMAGENET1K_V1


@builds(ConvNeXt_Tiny_Weights)
def convnext_tiny(stochastic_depth_prob: float = 0.1, **kwargs: Any) -> ConvNeXt:
    """ConvNeXt of 18 blocks; the arguments are the other arguments of :class:`ConvNeXt`."""
    return ConvNeXt(stages(96, 9), stochastic_depth_prob, **kwargs)


@builds(ConvNeXt_Small_Weights)
def convnext_small(stochastic_depth_prob: float = 0.4, **kwargs: Any) -> ConvNeXt:
    """ConvNeXt of 36 blocks; the arguments are the other arguments of :class:`ConvNeXt`."""
    return ConvNeXt(stages(96, 27), stochastic_depth_prob, **kwargs)


@builds(ConvNeXt_Base_Weights)
def convnext_base(stochastic_depth_prob: float = 0.5, **kwargs: Any) -> ConvNeXt:
    """ConvNeXt of 36 blocks, and more channels; the arguments are the other arguments of :class:`ConvNeXt`."""
    return ConvNeXt(stages(128, 27), stochastic_depth_prob, **kwargs)


@builds(ConvNeXt_Large_Weights)
def convnext_large(stochastic_depth_prob: float = 0.5, **kwargs: Any) -> ConvNeXt:
    """ConvNeXt of 36 blocks, and twice the channels of the small one; the arguments are the other arguments of
    :class:`ConvNeXt`."""
    return ConvNeXt(stages(192, 27), stochastic_depth_prob, **kwargs)
