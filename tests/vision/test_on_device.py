"""Transforms of tensors on a GPU, which the stand-in for CuPy takes the place of: they stay there, with the same numbers."""

from __future__ import annotations

from typing import Any

import pytest

import minigrad as mg
from minigrad.vision import transforms
from minigrad.vision.transforms import functional as F
from minigrad.vision.transforms import v2
from tests import standin

SETTINGS: dict[str, tuple[Any, ...]] = {
    "hflip": (), "crop": (-2, 3, 5, 6), "pad": (2, 0, "symmetric"), "center_crop": (8,), "resize": (8,), "rotate": (30,),
    "affine": (10, [1, 2], 1.1, 3), "perspective": ([[0, 0], [19, 0], [19, 15], [0, 15]], [[1, 1], [18, 0], [19, 14], [0, 13]]),
    "adjust_brightness": (1.2,), "adjust_contrast": (1.2,), "adjust_saturation": (1.2,), "adjust_hue": (0.1,),
    "adjust_gamma": (1.2,), "adjust_sharpness": (1.2,), "gaussian_blur": (3,), "rgb_to_grayscale": (3,), "invert": (),
    "solarize": (0.5,), "posterize": (3,), "autocontrast": (), "equalize": (), "normalize": ([0.5], [0.5]),
    "erase": (1, 2, 3, 4, 0), "convert_image_dtype": (mg.float64,)}


@pytest.mark.parametrize("name", SETTINGS)
def test_functions_stay_on_the_device(name: str) -> None:
    x = mg.rand(3, 16, 20)
    x = (x * 255).to(mg.uint8) if name in ("posterize", "equalize") else x
    wanted, found = (getattr(F, name)(image, *SETTINGS[name]) for image in (x, x.to(standin.DEVICE)))
    assert found.device == mg.device(standin.DEVICE) and mg.allclose(found.cpu().double(), wanted.double(), atol=1e-5)


@pytest.mark.parametrize("transform", [
    transforms.RandomErasing(1.0, value="random"), transforms.ElasticTransform(5.0, 1.0),
    transforms.ColorJitter(0.4, 0.4, 0.4, 0.1), transforms.RandAugment(), transforms.AugMix(), v2.GaussianNoise()],
    ids=lambda transform: type(transform).__name__)
def test_transforms_stay_on_the_device(transform: Any) -> None:
    augments = isinstance(transform, (transforms.RandAugment, transforms.AugMix))
    x = mg.randint(0, 256, (3, 16, 20), dtype=mg.uint8) if augments else mg.rand(3, 16, 20)
    mg.manual_seed(0)
    assert transform(x.to(standin.DEVICE)).device == mg.device(standin.DEVICE)


def test_an_image_of_what_is_on_a_device() -> None:
    pytest.importorskip("PIL", reason='images need Pillow: pip install "minigrad-numpy[vision]"')
    assert F.to_pil_image(mg.rand(3, 4, 5).to(standin.DEVICE)).size == (5, 4)
