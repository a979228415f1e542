"""What models expect of images: the transforms that published weights were trained with."""

from __future__ import annotations

from typing import Any, Sequence

import minigrad as mg
from minigrad import nn
from minigrad.vision.transforms import functional as F

__all__ = ["ImageClassification"]


class ImageClassification(nn.Module):
    """An image, of Pillow's or a tensor (..., C, H, W), to a tensor (..., C, crop_size, crop_size) of float32, normalized.

    Args:
        crop_size: the side of the square that is cut out of the middle.
        resize_size: the shorter side, to which the image is brought before.
        mean, std: of each channel; 0 and 1 afterwards.
        interpolation: how pixels are computed, an :class:`~minigrad.vision.transforms.InterpolationMode` or its value.
        antialias: average over what becomes one pixel, where the image becomes smaller.
    """

    def __init__(self, *, crop_size: int, resize_size: int = 256, mean: Sequence[float] = (0.485, 0.456, 0.406),
                 std: Sequence[float] = (0.229, 0.224, 0.225), interpolation: F.InterpolationMode | str = "bilinear",
                 antialias: bool | None = True) -> None:
        super().__init__()
        self.crop_size, self.resize_size = [crop_size], [resize_size]
        self.mean, self.std = list(mean), list(std)
        self.interpolation, self.antialias = F.InterpolationMode(interpolation), antialias

    def forward(self, img: Any) -> Any:
        img = F.resize(img, self.resize_size, self.interpolation, antialias=self.antialias)
        img = F.center_crop(img, self.crop_size)
        if not isinstance(img, mg.Tensor):
            img = F.pil_to_tensor(img)
        return F.normalize(F.convert_image_dtype(img, mg.float32), self.mean, self.std)

    def __repr__(self) -> str:
        return (f"{type(self).__name__}(\n    crop_size={self.crop_size}\n    resize_size={self.resize_size}\n    "
                f"mean={self.mean}\n    std={self.std}\n    interpolation={self.interpolation}\n)")
