"""Vision Transformer (Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929)."""

from __future__ import annotations

import math
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Sequence

from minigrad import nn
from minigrad.errors import InvalidValueError, ShapeError
from minigrad.ops.creation import empty, zeros
from minigrad.ops.shaping.slicing import cat
from minigrad.vision.models._api import WeightsEnum, builds, imagenet
from minigrad.vision.models._utils import Layer
from minigrad.vision.ops.misc import MLP, Conv2dNormActivation

if TYPE_CHECKING:
    from minigrad._tensor import Tensor

__all__ = ["ViT_B_16_Weights", "ViT_B_32_Weights", "ViT_H_14_Weights", "ViT_L_16_Weights", "ViT_L_32_Weights",
           "VisionTransformer", "vit_b_16", "vit_b_32", "vit_h_14", "vit_l_16", "vit_l_32"]

Norm = partial(nn.LayerNorm, eps=1e-6)


class ConvStemConfig(NamedTuple):
    """A convolution of the stem that may stand in place of patches; the fields are arguments of
    :class:`~minigrad.vision.ops.Conv2dNormActivation`."""

    out_channels: int
    kernel_size: int
    stride: int
    norm_layer: Layer = nn.BatchNorm2d
    activation_layer: Layer = nn.ReLU


class MLPBlock(MLP):
    """Two linear layers, which each patch passes by itself."""

    _version = 2

    def __init__(self, in_dim: int, mlp_dim: int, dropout: float) -> None:
        super().__init__(in_dim, [mlp_dim, in_dim], activation_layer=nn.GELU, inplace=None, dropout=dropout)
        for module in self:
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.xavier_uniform_(module.weight)
                nn.init.normal_(module.bias, std=1e-6)
        self.register_load_state_dict_pre_hook(accept_old_names)


def accept_old_names(module: nn.Module, state_dict: dict[str, Any], prefix: str, *others: Any) -> None:
    """In the published files the two layers are called ``linear_1`` and ``linear_2``."""
    for old, new in (("linear_1", "0"), ("linear_2", "3")):
        for kind in ("weight", "bias"):
            if f"{prefix}{old}.{kind}" in state_dict:
                state_dict[f"{prefix}{new}.{kind}"] = state_dict.pop(f"{prefix}{old}.{kind}")


class EncoderBlock(nn.Module):
    """Every patch looks at all of them, then passes :class:`MLPBlock`; both are added to what was known."""

    def __init__(self, num_heads: int, hidden_dim: int, mlp_dim: int, dropout: float, attention_dropout: float,
                 norm_layer: Layer = Norm) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.ln_1 = norm_layer(hidden_dim)
        self.self_attention = nn.MultiheadAttention(hidden_dim, num_heads, dropout=attention_dropout, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.ln_2 = norm_layer(hidden_dim)
        self.mlp = MLPBlock(hidden_dim, mlp_dim, dropout)

    def forward(self, input: Tensor) -> Tensor:
        x = self.ln_1(input)
        x = input + self.dropout(self.self_attention(x, x, x, need_weights=False)[0])
        out: Tensor = x + self.mlp(self.ln_2(x))
        return out


class Encoder(nn.Module):
    """Adds to each patch where it is, and lets it pass the blocks."""

    def __init__(self, seq_length: int, num_layers: int, num_heads: int, hidden_dim: int, mlp_dim: int, dropout: float,
                 attention_dropout: float, norm_layer: Layer = Norm) -> None:
        super().__init__()
        self.pos_embedding = nn.Parameter(nn.init.normal_(empty(1, seq_length, hidden_dim), std=0.02))
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.Sequential(OrderedDict(
            (f"encoder_layer_{i}", EncoderBlock(num_heads, hidden_dim, mlp_dim, dropout, attention_dropout, norm_layer))
            for i in range(num_layers)))
        self.ln = norm_layer(hidden_dim)

    def forward(self, input: Tensor) -> Tensor:
        out: Tensor = self.ln(self.layers(self.dropout(input + self.pos_embedding)))
        return out


class VisionTransformer(nn.Module):
    """A transformer over patches of an image: images (N, 3, image_size, image_size) to scores (N, num_classes).

    Args:
        image_size, patch_size: the sides of images and patches.
        num_layers, num_heads, hidden_dim, mlp_dim: the number of blocks, the heads of their attention, the features of a patch
            and those within an MLP.
        dropout, attention_dropout: the probabilities with which outputs and weights of attention are dropped.
        num_classes: how many scores there are.
        representation_size: the features between two last layers; there is one last layer, if not given.
        norm_layer: the norms; ``nn.LayerNorm`` of its own `eps` by default.
        conv_stem_configs: convolutions in place of the one that makes patches.
    """

    def __init__(self, image_size: int, patch_size: int, num_layers: int, num_heads: int, hidden_dim: int, mlp_dim: int,
                 dropout: float = 0.0, attention_dropout: float = 0.0, num_classes: int = 1000,
                 representation_size: int | None = None, norm_layer: Layer = Norm,
                 conv_stem_configs: Sequence[ConvStemConfig] | None = None) -> None:
        super().__init__()
        if image_size % patch_size:
            raise InvalidValueError(f"Input shape indivisible by patch size! {image_size} is no multiple of {patch_size}")
        self.image_size, self.patch_size, self.hidden_dim = image_size, patch_size, hidden_dim
        if conv_stem_configs is None:
            patches = nn.Conv2d(3, hidden_dim, kernel_size=patch_size, stride=patch_size)
            self.conv_proj: nn.Module = patches
            nn.init.trunc_normal_(patches.weight, std=math.sqrt(1 / patches.weight[0].numel()))
        else:
            layers, channels = OrderedDict[str, nn.Module](), 3
            for i, stem in enumerate(conv_stem_configs):
                layers[f"conv_bn_relu_{i}"] = Conv2dNormActivation(
                    channels, stem.out_channels, kernel_size=stem.kernel_size, stride=stem.stride, norm_layer=stem.norm_layer,
                    activation_layer=stem.activation_layer)
                channels = stem.out_channels
            layers["conv_last"] = patches = nn.Conv2d(channels, hidden_dim, kernel_size=1)
            self.conv_proj = nn.Sequential(layers)
            nn.init.normal_(patches.weight, std=math.sqrt(2 / hidden_dim))
        if patches.bias is not None:
            nn.init.zeros_(patches.bias)
        self.class_token = nn.Parameter(zeros(1, 1, hidden_dim))
        self.encoder = Encoder((image_size // patch_size) ** 2 + 1, num_layers, num_heads, hidden_dim, mlp_dim, dropout,
                               attention_dropout, norm_layer)
        heads = OrderedDict[str, nn.Module]()
        if representation_size is not None:
            heads["pre_logits"] = before = nn.Linear(hidden_dim, representation_size)
            heads["act"] = nn.Tanh()
            nn.init.trunc_normal_(before.weight, std=math.sqrt(1 / hidden_dim))
            if before.bias is not None:
                nn.init.zeros_(before.bias)
        heads["head"] = last = nn.Linear(representation_size or hidden_dim, num_classes)
        for parameter in last.parameters():
            nn.init.zeros_(parameter)
        self.heads = nn.Sequential(heads)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-2:] != (self.image_size, self.image_size):
            raise ShapeError(f"VisionTransformer: height and width should be {self.image_size}, got {tuple(x.shape)}")
        patches = self.conv_proj(x).flatten(2).transpose(1, 2)
        tokens = self.encoder(cat([self.class_token.expand(len(x), -1, -1), patches], 1))
        return self.heads(tokens[:, 0])


swag = partial(imagenet, interpolation="bicubic")  # trained on images of Instagram by their hashtags before


class ViT_B_16_Weights(WeightsEnum):
    """Weights of :func:`vit_b_16`."""

    IMAGENET1K_V1 = imagenet("vit_b_16-c867db91", 86_567_656, 81.072, 95.318, min_size=224, config={"image_size": 224})
    IMAGENET1K_SWAG_E2E_V1 = swag("vit_b_16_swag-9ac1b537", 86_859_496, 85.304, 97.65, min_size=384, crop=384, resize=384,
                                  config={"image_size": 384})
    IMAGENET1K_SWAG_LINEAR_V1 = swag("vit_b_16_lc_swag-4e70ced5", 86_567_656, 81.886, 96.18, min_size=224, resize=224,
                                     config={"image_size": 224})
    DEFAULT = IMAGENET1K_V1


class ViT_B_32_Weights(WeightsEnum):
    """Weights of :func:`vit_b_32`."""

    IMAGENET1K_V1 = imagenet("vit_b_32-d86f8d99", 88_224_232, 75.912, 92.466, min_size=224, config={"image_size": 224})
    DEFAULT = IMAGENET1K_V1


class ViT_L_16_Weights(WeightsEnum):
    """Weights of :func:`vit_l_16`."""

    IMAGENET1K_V1 = imagenet("vit_l_16-852ce7e3", 304_326_632, 79.662, 94.638, min_size=224, resize=242,
                             config={"image_size": 224})
    IMAGENET1K_SWAG_E2E_V1 = swag("vit_l_16_swag-4f3808c9", 305_174_504, 88.064, 98.512, min_size=512, crop=512, resize=512,
                                  config={"image_size": 512})
    IMAGENET1K_SWAG_LINEAR_V1 = swag("vit_l_16_lc_swag-4d563306", 304_326_632, 85.146, 97.422, min_size=224, resize=224,
                                     config={"image_size": 224})
    DEFAULT = IMAGENET1K_V1


class ViT_L_32_Weights(WeightsEnum):
    """Weights of :func:`vit_l_32`."""

    IMAGENET1K_V1 = imagenet("vit_l_32-c7638314", 306_535_400, 76.972, 93.07, min_size=224, config={"image_size": 224})
    DEFAULT = IMAGENET1K_V1


class ViT_H_14_Weights(WeightsEnum):
    """Weights of :func:`vit_h_14`."""

    IMAGENET1K_SWAG_E2E_V1 = swag("vit_h_14_swag-80465313", 633_470_440, 88.552, 98.694, min_size=518, crop=518, resize=518,
                                  config={"image_size": 518})
    IMAGENET1K_SWAG_LINEAR_V1 = swag("vit_h_14_lc_swag-c1eb923e", 632_045_800, 85.708, 97.73, min_size=224, resize=224,
                                     config={"image_size": 224})
    DEFAULT = IMAGENET1K_SWAG_E2E_V1


@builds(ViT_B_16_Weights)
def vit_b_16(image_size: int = 224, **kwargs: Any) -> VisionTransformer:
    """The base transformer over patches of 16 by 16; the arguments are the other arguments of :class:`VisionTransformer`."""
    return VisionTransformer(image_size, 16, 12, 12, 768, 3072, **kwargs)


@builds(ViT_B_32_Weights)
def vit_b_32(image_size: int = 224, **kwargs: Any) -> VisionTransformer:
    """The base transformer over patches of 32 by 32; the arguments are the other arguments of :class:`VisionTransformer`."""
    return VisionTransformer(image_size, 32, 12, 12, 768, 3072, **kwargs)


@builds(ViT_L_16_Weights)
def vit_l_16(image_size: int = 224, **kwargs: Any) -> VisionTransformer:
    """The large transformer over patches of 16 by 16; the arguments are the other arguments of :class:`VisionTransformer`."""
    return VisionTransformer(image_size, 16, 24, 16, 1024, 4096, **kwargs)


@builds(ViT_L_32_Weights)
def vit_l_32(image_size: int = 224, **kwargs: Any) -> VisionTransformer:
    """The large transformer over patches of 32 by 32; the arguments are the other arguments of :class:`VisionTransformer`."""
    return VisionTransformer(image_size, 32, 24, 16, 1024, 4096, **kwargs)


@builds(ViT_H_14_Weights)
def vit_h_14(image_size: int = 224, **kwargs: Any) -> VisionTransformer:
    """The huge transformer over patches of 14 by 14; the arguments are the other arguments of :class:`VisionTransformer`."""
    return VisionTransformer(image_size, 14, 32, 16, 1280, 5120, **kwargs)
