"""AlexNet (Krizhevsky 2014, https://arxiv.org/abs/1404.5997)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minigrad import nn
from minigrad.vision.models._api import WeightsEnum, builds, imagenet

if TYPE_CHECKING:
    from minigrad._tensor import Tensor

__all__ = ["AlexNet", "AlexNet_Weights", "alexnet"]


class AlexNet(nn.Module):
    """Five convolutions and three linear layers: images (N, 3, H, W), of at least 63 by 63, to scores (N, num_classes).

    Args:
        num_classes: how many scores there are.
        dropout: the probability with which an input of the first two linear layers is dropped.
    """

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, kernel_size=11, stride=4, padding=2), nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(64, 192, kernel_size=5, padding=2), nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(192, 384, kernel_size=3, padding=1), nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, kernel_size=3, padding=1), nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, kernel_size=3, padding=1), nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2))
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(256 * 6 * 6, 4096), nn.ReLU(inplace=True),
            nn.Dropout(dropout), nn.Linear(4096, 4096), nn.ReLU(inplace=True),
            nn.Linear(4096, num_classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


class AlexNet_Weights(WeightsEnum):
    """Weights of :func:`alexnet`."""

    IMAGENET1K_V1 = imagenet("alexnet-owt-7be5be79", 61_100_840, 56.522, 79.066, min_size=63)
    DEFAULT = IMAGENET1K_V1


@builds(AlexNet_Weights)
def alexnet(**kwargs: Any) -> AlexNet:
    """AlexNet; `kwargs` are the arguments of :class:`AlexNet`."""
    return AlexNet(**kwargs)
