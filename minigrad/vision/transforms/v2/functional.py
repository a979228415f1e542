"""The functions of :mod:`minigrad.vision.transforms.functional` under the names of torchvision's second version, and more."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

import minigrad as mg
from minigrad.errors import ArgumentError, InvalidValueError
from minigrad.vision._pillow import is_pil_image
from minigrad.vision.transforms import functional
from minigrad.vision.transforms.functional import *

__all__ = [*functional.__all__, "gaussian_noise", "get_num_channels", "get_size", "grayscale_to_rgb", "horizontal_flip",
           "permute_channels", "to_dtype", "to_image", "vertical_flip"]

horizontal_flip, vertical_flip, get_num_channels = hflip, vflip, get_image_num_channels


def get_size(inpt: Any) -> list[int]:
    """Height and width of an image, in this order."""
    return get_dimensions(inpt)[1:]


def to_image(inpt: Any) -> Any:
    """An image of Pillow's or an array ``(height, width[, channels])`` as a tensor ``(channels, height, width)``.

    Its numbers are the same. Tensors are given back.
    """
    if isinstance(inpt, mg.Tensor):
        return inpt
    if is_pil_image(inpt):
        return pil_to_tensor(inpt)
    if isinstance(inpt, np.ndarray):
        return mg.from_numpy((inpt[:, :, None] if inpt.ndim == 2 else inpt).transpose(2, 0, 1).copy())
    raise ArgumentError(f"to_image: expected an image of Pillow's, an array or a tensor, got {type(inpt)}")


def to_dtype(inpt: Any, dtype: Any = mg.float32, scale: bool = False) -> Any:
    """A tensor in another dtype; with `scale` its colours stay the same, as in :func:`convert_image_dtype`."""
    return convert_image_dtype(inpt, dtype) if scale else inpt.to(dtype)


def grayscale_to_rgb(inpt: Any) -> Any:
    """An image in three channels, alike where it has one."""
    if is_pil_image(inpt):
        return inpt.convert("RGB")
    return rgb_to_grayscale(inpt, 3) if get_image_num_channels(inpt) == 1 else inpt


def gaussian_noise(inpt: Any, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> Any:
    """A tensor of floating point with noise of this mean and standard deviation; with `clip` it stays within 0 to 1."""
    if not isinstance(inpt, mg.Tensor) or not inpt.is_floating_point():
        raise InvalidValueError("gaussian_noise: expected a tensor of floating point, got "
                                f"{inpt.dtype if isinstance(inpt, mg.Tensor) else type(inpt)}")
    if sigma < 0:
        raise InvalidValueError(f"sigma shouldn't be negative. Got {sigma}")
    noisy = inpt + mean + mg.randn_like(inpt) * sigma
    return noisy.clamp(0, 1) if clip else noisy


def permute_channels(inpt: Any, permutation: Sequence[int]) -> Any:
    """An image with its channels in another order."""
    if is_pil_image(inpt):
        return to_pil_image(permute_channels(pil_to_tensor(inpt), permutation))
    return inpt[..., list(permutation), :, :]
