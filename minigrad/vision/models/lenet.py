"""LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998, http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minigrad import nn

if TYPE_CHECKING:
    from minigrad._tensor import Tensor

__all__ = ["LeNet"]


class LeNet(nn.Module):
    """Two convolutions, each followed by a pooling, and three linear layers: digits (N, 1, 28, 28) to scores (N, num_classes).

    As it is taught today: with ReLU and maxima where 1998 had tanh and means.

    Args:
        num_classes: how many scores there are.
        in_channels: the channels of images.

    >>> import minigrad as mg
    >>> LeNet()(mg.rand(2, 1, 28, 28)).shape
    minigrad.Size([2, 10])
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 1) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 6, kernel_size=5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(6, 16, kernel_size=5), nn.ReLU(), nn.MaxPool2d(2))
        self.classifier = nn.Sequential(
            nn.Linear(16 * 5 * 5, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, num_classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).flatten(1))
