"""Images of noise."""

from __future__ import annotations

from typing import Any, Callable, Sequence

import minigrad as mg
from minigrad.errors import DimensionError
from minigrad.vision.datasets.vision import VisionDataset
from minigrad.vision.transforms.functional import to_pil_image

__all__ = ["FakeData"]


class FakeData(VisionDataset):
    """Images of noise with random classes, the same ones each time: to try a program without data.

    Args:
        size: how many.
        image_size: channels, height and width.
        num_classes: how many classes.
        transform, target_transform: what is called with the image, and with its class.
        random_offset: what to add to the number of an image to get its seed.
    """

    def __init__(self, size: int = 1000, image_size: Sequence[int] = (3, 224, 224), num_classes: int = 10,
                 transform: Callable[[Any], Any] | None = None, target_transform: Callable[[Any], Any] | None = None,
                 random_offset: int = 0) -> None:
        super().__init__(transform=transform, target_transform=target_transform)
        self.size, self.image_size, self.num_classes, self.random_offset = size, image_size, num_classes, random_offset

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if index >= len(self):
            raise DimensionError(f"{type(self).__name__} index out of range: {index} of {len(self)}")
        generator = mg.Generator().manual_seed(index + self.random_offset)
        noise = mg.randn(tuple(self.image_size), generator=generator)
        target = mg.randint(0, self.num_classes, (1,), generator=generator).item()
        return self.transformed(to_pil_image(noise), target)

    def __len__(self) -> int:
        return self.size
