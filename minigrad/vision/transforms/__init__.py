"""Images changed, on their way into a model: torchvision's transforms, on images of Pillow's and on tensors."""

from typing import Any as _Any

from minigrad import _paths
from minigrad.vision.transforms.autoaugment import *
from minigrad.vision.transforms.transforms import *


def __getattr__(name: str) -> _Any:
    return _paths.submodule(__name__, name)
