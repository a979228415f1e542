"""GoogLeNet (Szegedy et al. 2014, https://arxiv.org/abs/1409.4842)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Sequence

from minigrad import nn
from minigrad.errors import InvalidValueError
from minigrad.nn import functional as F
from minigrad.ops.shaping.slicing import cat
from minigrad.vision.models._api import WeightsEnum, builds, imagenet
from minigrad.vision.models._utils import BasicConv2d, Layer, from_imagenet_to_tensorflow

if TYPE_CHECKING:
    from minigrad._tensor import Tensor

__all__ = ["GoogLeNet", "GoogLeNetOutputs", "GoogLeNet_Weights", "googlenet"]


class GoogLeNetOutputs(NamedTuple):
    """What :class:`GoogLeNet` gives in training: its scores, and those of its auxiliary classifiers."""

    logits: Any
    aux_logits2: Any
    aux_logits1: Any


_GoogLeNetOutputs = GoogLeNetOutputs


class Inception(nn.Module):
    """Convolutions of 1, 3 and 5 and a pooling, side by side.

    Args:
        in_channels: the channels that come in.
        ch1x1, ch3x3, ch5x5, pool_proj: the channels that each branch gives.
        ch3x3red, ch5x5red: the channels that 1 by 1 brings the input to first.
        conv_block: the convolutions.
    """

    def __init__(self, in_channels: int, ch1x1: int, ch3x3red: int, ch3x3: int, ch5x5red: int, ch5x5: int, pool_proj: int,
                 conv_block: Layer | None = None) -> None:
        super().__init__()
        conv = conv_block or BasicConv2d
        self.branch1 = conv(in_channels, ch1x1, kernel_size=1)
        self.branch2 = nn.Sequential(conv(in_channels, ch3x3red, kernel_size=1), conv(ch3x3red, ch3x3, kernel_size=3, padding=1))
        # 3 by 3 where the paper has 5 by 5: so were the published weights trained.
        self.branch3 = nn.Sequential(conv(in_channels, ch5x5red, kernel_size=1), conv(ch5x5red, ch5x5, kernel_size=3, padding=1))
        self.branch4 = nn.Sequential(nn.MaxPool2d(kernel_size=3, stride=1, padding=1, ceil_mode=True),
                                     conv(in_channels, pool_proj, kernel_size=1))

    def forward(self, x: Tensor) -> Tensor:
        return cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


class InceptionAux(nn.Module):
    """A classifier of features from the middle of the network, which brings gradients to its lower half.

    Args:
        in_channels: the channels that come in.
        num_classes: how many scores there are.
        conv_block: the convolution.
        dropout: the probability with which an input of the last layer is dropped.
    """

    def __init__(self, in_channels: int, num_classes: int, conv_block: Layer | None = None, dropout: float = 0.7) -> None:
        super().__init__()
        self.conv = (conv_block or BasicConv2d)(in_channels, 128, kernel_size=1)
        self.fc1 = nn.Linear(2048, 1024)
        self.fc2 = nn.Linear(1024, num_classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(F.adaptive_avg_pool2d(x, (4, 4))).flatten(1)
        return self.fc2(self.dropout(F.relu(self.fc1(x), inplace=True)))


class GoogLeNet(nn.Module):
    """Nine :class:`Inception` modules: images (N, 3, H, W), of at least 15 by 15, to scores (N, num_classes).

    In training, with auxiliary classifiers, it gives :class:`GoogLeNetOutputs`.

    Args:
        num_classes: how many scores there are.
        aux_logits: whether there are two auxiliary classifiers, for training.
        transform_input: whether images come normalized as for the other models of ImageNet, and are to be normalized as for this.
        init_weights: whether weights are drawn anew, as for networks that begin without any.
        blocks: the convolutions, the inception modules and the auxiliary classifiers.
        dropout, dropout_aux: the probability with which an input of the last layer is dropped, and of the auxiliary ones.
    """

    def __init__(self, num_classes: int = 1000, aux_logits: bool = True, transform_input: bool = False, init_weights: bool = True,
                 blocks: Sequence[Layer] | None = None, dropout: float = 0.2, dropout_aux: float = 0.7) -> None:
        super().__init__()
        if blocks is None:
            blocks = [BasicConv2d, Inception, InceptionAux]
        if len(blocks) != 3:
            raise InvalidValueError(f"blocks length should be 3 instead of {len(blocks)}")
        conv, inception, auxiliary = blocks
        self.aux_logits, self.transform_input = aux_logits, transform_input
        self.conv1 = conv(3, 64, kernel_size=7, stride=2, padding=3)
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2 = conv(64, 64, kernel_size=1)
        self.conv3 = conv(64, 192, kernel_size=3, padding=1)
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception3a = inception(192, 64, 96, 128, 16, 32, 32)
        self.inception3b = inception(256, 128, 128, 192, 32, 96, 64)
        self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception4a = inception(480, 192, 96, 208, 16, 48, 64)
        self.inception4b = inception(512, 160, 112, 224, 24, 64, 64)
        self.inception4c = inception(512, 128, 128, 256, 24, 64, 64)
        self.inception4d = inception(512, 112, 144, 288, 32, 64, 64)
        self.inception4e = inception(528, 256, 160, 320, 32, 128, 128)
        self.maxpool4 = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        self.inception5a = inception(832, 256, 160, 320, 32, 128, 128)
        self.inception5b = inception(832, 384, 192, 384, 48, 128, 128)
        self.aux1 = auxiliary(512, num_classes, dropout=dropout_aux) if aux_logits else None
        self.aux2 = auxiliary(528, num_classes, dropout=dropout_aux) if aux_logits else None
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(1024, num_classes)
        if init_weights:
            draw = partial(nn.init.trunc_normal_, std=0.01)
            for module in self.modules():
                if isinstance(module, (nn.Conv2d, nn.Linear)):
                    draw(module.weight)

    def forward(self, x: Tensor) -> Any:
        if self.transform_input:
            x = from_imagenet_to_tensorflow(x)
        x = self.maxpool1(self.conv1(x))
        x = self.maxpool2(self.conv3(self.conv2(x)))
        x = self.maxpool3(self.inception3b(self.inception3a(x)))
        x = self.inception4a(x)
        aux1 = self.aux1(x) if self.training and self.aux1 is not None else None
        x = self.inception4d(self.inception4c(self.inception4b(x)))
        aux2 = self.aux2(x) if self.training and self.aux2 is not None else None
        x = self.maxpool4(self.inception4e(x))
        x = self.avgpool(self.inception5b(self.inception5a(x))).flatten(1)
        logits = self.fc(self.dropout(x))
        return GoogLeNetOutputs(logits, aux2, aux1) if self.training and self.aux_logits else logits


class GoogLeNet_Weights(WeightsEnum):
    """Weights of :func:`googlenet`; those of the auxiliary classifiers are not trained."""

    IMAGENET1K_V1 = imagenet("googlenet-1378be20", 6_624_904, 69.778, 89.53, min_size=15)
    DEFAULT = IMAGENET1K_V1


@builds(GoogLeNet_Weights, optional="aux", transform_input=True, aux_logits=False, init_weights=False)
def googlenet(**kwargs: Any) -> GoogLeNet:
    """GoogLeNet; `kwargs` are the arguments of :class:`GoogLeNet`.

    With `weights` it has no auxiliary classifiers, unless ``aux_logits=True``, and ``transform_input=True``, unless given.
    """
    return GoogLeNet(**kwargs)
