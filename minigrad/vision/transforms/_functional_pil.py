"""What :mod:`minigrad.vision.transforms.functional` does to images of Pillow's, by Pillow."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from minigrad.errors import InvalidValueError
from minigrad.vision._pillow import pillow

# Pillow's numbers of its ways to resample and to transform, which its documentation gives.
AFFINE, PERSPECTIVE = 0, 2
FLIP_LEFT_RIGHT, FLIP_TOP_BOTTOM = 0, 1


def get_dimensions(img: Any) -> list[int]:
    """Channels, height and width."""
    return [len(img.getbands()), img.height, img.width]


# ---------------------------------------------------------------------------------------------------- parts and edges

def hflip(img: Any) -> Any:
    """Mirrored, left and right."""
    return img.transpose(FLIP_LEFT_RIGHT)


def vflip(img: Any) -> Any:
    """Upside down."""
    return img.transpose(FLIP_TOP_BOTTOM)


def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """The part of `height` and `width` that begins at `top` and `left`; black where that is outside."""
    return img.crop((left, top, left + width, top + height))


def pad(img: Any, padding: Sequence[int], fill: Any = 0, padding_mode: str = "constant") -> Any:
    """With edges of `padding` pixels."""
    left, top, right, bottom = padding
    if padding_mode == "constant":
        padded = pillow("ImageOps").expand(img, border=(left, top, right, bottom), fill=colour(fill, img))
    else:
        img_there = img.crop((max(-left, 0), max(-top, 0), img.width - max(-right, 0), img.height - max(-bottom, 0)))
        array = np.asarray(img_there)
        edges = ((max(top, 0), max(bottom, 0)), (max(left, 0), max(right, 0)), *(((0, 0),) * (array.ndim - 2)))
        padded = pillow("Image").fromarray(np.pad(array, edges, mode=padding_mode))  # type: ignore[call-overload]
    if img.mode == "P":
        padded.putpalette(img.getpalette())
    return padded


def colour(fill: Any, img: Any) -> Any:
    """`fill` as Pillow wants it: a number for each channel, of integers unless the mode is F."""
    channels = len(img.getbands())
    values = list(fill) if isinstance(fill, (list, tuple)) else [0 if fill is None else fill]
    if len(values) not in (1, channels):
        raise InvalidValueError("The number of elements in 'fill' does not match the number of channels of the image "
                                f"({len(values)} != {channels})")
    values = values * channels if len(values) == 1 else values
    values = values if img.mode == "F" else [int(value) for value in values]
    return values[0] if channels == 1 else tuple(values)


def resize(img: Any, size: Sequence[int], interpolation: int = 2) -> Any:
    """In another size."""
    height, width = size
    return img.resize((width, height), interpolation)


# ---------------------------------------------------------------------------------------------------- places

def affine(img: Any, matrix: Sequence[float], interpolation: int = 0, fill: Any = None) -> Any:
    """Each pixel from where the matrix leads it."""
    return img.transform(img.size, AFFINE, matrix, interpolation, fillcolor=colour(fill, img))


def rotate(img: Any, angle: float, interpolation: int = 0, expand: bool = False, center: Any = None, fill: Any = None) -> Any:
    """Turned counterclockwise, by degrees."""
    return img.rotate(angle, interpolation, expand, center, fillcolor=colour(fill, img))


def perspective(img: Any, coeffs: Sequence[float], interpolation: int = 3, fill: Any = None) -> Any:
    """Each pixel (x, y) from ``(a x + b y + c, d x + e y + f) / (g x + h y + 1)``."""
    return img.transform(img.size, PERSPECTIVE, coeffs, interpolation, fillcolor=colour(fill, img))


# ---------------------------------------------------------------------------------------------------- colours

def rgb_to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """Luminance, in one channel or thrice."""
    if num_output_channels not in (1, 3):
        raise InvalidValueError(f"num_output_channels should be either 1 or 3, got {num_output_channels}")
    gray = img.convert("L")
    return gray if num_output_channels == 1 else pillow("Image").merge("RGB", (gray, gray, gray))


def adjust_brightness(img: Any, brightness_factor: float) -> Any:
    """Between black, at 0, and itself, at 1, and beyond."""
    return pillow("ImageEnhance").Brightness(img).enhance(brightness_factor)


def adjust_contrast(img: Any, contrast_factor: float) -> Any:
    """Between its mean gray, at 0, and itself, at 1, and beyond."""
    return pillow("ImageEnhance").Contrast(img).enhance(contrast_factor)


def adjust_saturation(img: Any, saturation_factor: float) -> Any:
    """Between gray, at 0, and itself, at 1, and beyond."""
    return pillow("ImageEnhance").Color(img).enhance(saturation_factor)


def adjust_sharpness(img: Any, sharpness_factor: float) -> Any:
    """Between a smoothed image, at 0, and itself, at 1, and beyond."""
    return pillow("ImageEnhance").Sharpness(img).enhance(sharpness_factor)


def adjust_hue(img: Any, hue_factor: float) -> Any:
    """Colours turned around the wheel, by this part of a full turn."""
    if img.mode in ("L", "1", "I", "F"):
        return img
    h, s, v = img.convert("HSV").split()
    turn = int(hue_factor * 255)
    h = h.point([(hue + turn) % 256 for hue in range(256)])
    return pillow("Image").merge("HSV", (h, s, v)).convert(img.mode)


def adjust_gamma(img: Any, gamma: float, gain: float = 1) -> Any:
    """``gain * img**gamma``, of colours from 0 to 1."""
    if gamma < 0:
        raise InvalidValueError(f"Gamma should be a non-negative real number, got {gamma}")
    table = [int((255 + 1 - 1e-3) * gain * (value / 255.0)**gamma) for value in range(256)]
    return img.convert("RGB").point(table * 3).convert(img.mode)


def invert(img: Any) -> Any:
    """The negative."""
    return pillow("ImageOps").invert(img)


def posterize(img: Any, bits: int) -> Any:
    """With this many bits of each colour."""
    return pillow("ImageOps").posterize(img, bits)


def solarize(img: Any, threshold: float) -> Any:
    """The negative, of colours from `threshold` on."""
    return pillow("ImageOps").solarize(img, threshold)


def autocontrast(img: Any) -> Any:
    """Each channel stretched so that it goes from black to white."""
    return pillow("ImageOps").autocontrast(img)


def equalize(img: Any) -> Any:
    """Each channel mapped so that its colours are equally frequent."""
    return pillow("ImageOps").equalize(img)
