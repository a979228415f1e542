"""Published data sets of images, and images in folders: torchvision's data sets.

They are read from the files in which they were published, in the folders in which torchvision keeps them, so that each finds what
the other fetched. :mod:`minigrad.datasets` has handwritten digits that need no file at all.
"""

from typing import Any as _Any

from minigrad import _paths
from minigrad.vision.datasets.cifar import CIFAR10 as CIFAR10
from minigrad.vision.datasets.cifar import CIFAR100 as CIFAR100
from minigrad.vision.datasets.fakedata import FakeData as FakeData
from minigrad.vision.datasets.folder import DatasetFolder as DatasetFolder
from minigrad.vision.datasets.folder import ImageFolder as ImageFolder
from minigrad.vision.datasets.mnist import EMNIST as EMNIST
from minigrad.vision.datasets.mnist import KMNIST as KMNIST
from minigrad.vision.datasets.mnist import MNIST as MNIST
from minigrad.vision.datasets.mnist import QMNIST as QMNIST
from minigrad.vision.datasets.mnist import FashionMNIST as FashionMNIST
from minigrad.vision.datasets.svhn import SVHN as SVHN
from minigrad.vision.datasets.vision import VisionDataset as VisionDataset

__all__ = ["CIFAR10", "CIFAR100", "DatasetFolder", "EMNIST", "FakeData", "FashionMNIST", "ImageFolder", "KMNIST", "MNIST",
           "QMNIST", "SVHN", "VisionDataset"]


def __getattr__(name: str) -> _Any:
    return _paths.submodule(__name__, name)
