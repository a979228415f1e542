"""Images changed by functions: what the classes of :mod:`minigrad.vision.transforms` are made of.

An image is one of Pillow's, or a tensor ``(..., channels, height, width)``, whose colours are from 0 to 255 in uint8 and from 0
to 1 in floating point. What is done to tensors of floating point can be differentiated. Each function gives an image of the kind
that it was given, and raises ``TypeError`` for anything else.
"""

from __future__ import annotations

import math
import sys
import warnings
from enum import Enum
from numbers import Real
from typing import Any, Sequence

import numpy as np

import minigrad as mg
from minigrad.errors import ArgumentError, InvalidValueError
from minigrad.vision._pillow import is_pil_image, pillow
from minigrad.vision.transforms import _functional_pil as on_pil
from minigrad.vision.transforms import _functional_tensor as on_tensor

__all__ = ["InterpolationMode", "adjust_brightness", "adjust_contrast", "adjust_gamma", "adjust_hue", "adjust_saturation",
           "adjust_sharpness", "affine", "autocontrast", "center_crop", "convert_image_dtype", "crop", "elastic_transform",
           "equalize", "erase", "five_crop", "gaussian_blur", "get_dimensions", "get_image_num_channels", "get_image_size",
           "hflip", "invert", "normalize", "pad", "perspective", "pil_modes_mapping", "pil_to_tensor", "posterize", "resize",
           "resized_crop", "rgb_to_grayscale", "rotate", "solarize", "ten_crop", "to_grayscale", "to_pil_image", "to_tensor",
           "vflip"]


class InterpolationMode(Enum):
    """How pixels are computed from those around their place; "box", "hamming" and "lanczos" are Pillow's alone.

    >>> InterpolationMode.BICUBIC.value
    'bicubic'
    """

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


pil_modes_mapping = {InterpolationMode.NEAREST: 0, InterpolationMode.BILINEAR: 2, InterpolationMode.BICUBIC: 3,
                     InterpolationMode.NEAREST_EXACT: 0, InterpolationMode.BOX: 4, InterpolationMode.HAMMING: 5,
                     InterpolationMode.LANCZOS: 1}
_MODES_BY_NUMBER = {number: mode for mode, number in pil_modes_mapping.items() if mode is not InterpolationMode.NEAREST_EXACT}


def _interpolation_mode(interpolation: Any) -> InterpolationMode:
    """The mode of that number of Pillow's, or itself."""
    if isinstance(interpolation, InterpolationMode):
        return interpolation
    if isinstance(interpolation, int) and int(interpolation) in _MODES_BY_NUMBER:
        return _MODES_BY_NUMBER[int(interpolation)]
    raise ArgumentError("Argument interpolation should be a InterpolationMode or a corresponding Pillow integer constant, got "
                        f"{interpolation!r}")


def _room(img: Any) -> Any:
    """The module of functions for this kind of image."""
    if isinstance(img, mg.Tensor):
        return on_tensor
    if is_pil_image(img):
        return on_pil
    raise ArgumentError(f"img should be PIL Image or Tensor. Got {type(img)}")


def _require_tensor(img: Any) -> None:
    if not isinstance(img, mg.Tensor):
        raise ArgumentError(f"img should be Tensor Image. Got {type(img)}; to_tensor and pil_to_tensor make one")


def _pair(value: Any, what: str) -> Any:
    """Two numbers, from one or two."""
    if isinstance(value, Real):
        return (value, value)
    if not isinstance(value, Sequence):
        raise ArgumentError(f"{what} should be a number or a sequence of two, got {value!r}")
    if len(value) == 1:
        return (value[0], value[0])
    if len(value) != 2:
        raise InvalidValueError(f"{what} should be a number or a sequence of two, got {value!r}")
    return value


# ---------------------------------------------------------------------------------------------------- what an image is

def get_dimensions(img: Any) -> list[int]:
    """Channels, height and width of an image."""
    dimensions: list[int] = _room(img).get_dimensions(img)
    return dimensions


def get_image_size(img: Any) -> list[int]:
    """Width and height of an image, in this order."""
    _, height, width = get_dimensions(img)
    return [width, height]


def get_image_num_channels(img: Any) -> int:
    """The number of channels of an image."""
    return get_dimensions(img)[0]


# ---------------------------------------------------------------------------------------------------- from kind to kind

def _array_of_pil(pic: Any) -> Any:
    """An image of Pillow's as an array of its own, ``(height, width, channels)``."""
    return np.array(pic).reshape(pic.height, pic.width, len(pic.getbands()))


def to_tensor(pic: Any) -> Any:
    """An image of Pillow's or an array ``(height, width[, channels])`` as a tensor ``(channels, height, width)``.

    Colours of uint8 and of black-and-white images become numbers from 0 to 1 of the default dtype; other dtypes are kept.
    """
    if is_pil_image(pic):
        array = _array_of_pil(pic)
        if array.dtype == bool:
            array = array.astype(np.uint8) * 255
        elif array.dtype == np.uint16:  # as PyTorch had no such dtype for long
            array = array.view(np.int16)
    elif isinstance(pic, np.ndarray):
        if pic.ndim not in (2, 3):
            raise InvalidValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
        array = pic[:, :, None] if pic.ndim == 2 else pic
    else:
        raise ArgumentError(f"pic should be PIL Image or ndarray. Got {type(pic)}")
    array = array.transpose(2, 0, 1)
    if array.dtype == np.uint8:
        return mg.from_numpy(np.divide(array, 255, dtype=mg.get_default_dtype().numpy, order="C"))
    return mg.from_numpy(np.ascontiguousarray(array))


def pil_to_tensor(pic: Any) -> Any:
    """An image of Pillow's as a tensor ``(channels, height, width)`` of the same numbers."""
    if not is_pil_image(pic):
        raise ArgumentError(f"pic should be PIL Image. Got {type(pic)}")
    return mg.from_numpy(_array_of_pil(pic).transpose(2, 0, 1))


_MODES_OF_CHANNELS = {2: ("LA",), 3: ("RGB", "YCbCr", "HSV"), 4: ("RGBA", "CMYK", "RGBX")}  # the first is the one by default
_SHORT = "I;16" if sys.byteorder == "little" else "I;16B"
_MODES_OF_DTYPES = {"uint8": "L", "uint16": _SHORT, "int16": _SHORT, "int32": "I", "float32": "F"}


def to_pil_image(pic: Any, mode: str | None = None) -> Any:
    """A tensor ``([channels,] height, width)`` or an array ``(height, width[, channels])`` as an image of Pillow's.

    Floating point is multiplied by 255 and cut to whole numbers, unless `mode` is "F". Raises ``ValueError`` for other shapes and
    for a mode that does not go with the channels.
    """
    if isinstance(pic, mg.Tensor):
        array = pic.numpy(force=True)
        array = array.transpose(1, 2, 0) if array.ndim == 3 else array
    elif isinstance(pic, np.ndarray):
        array = pic
    else:
        raise ArgumentError(f"pic should be Tensor or ndarray. Got {type(pic)}.")
    if array.ndim not in (2, 3):
        raise InvalidValueError(f"pic should be 2/3 dimensional. Got {array.ndim} dimensions.")
    channels = 1 if array.ndim == 2 else array.shape[2]
    if not 1 <= channels <= 4:
        raise InvalidValueError(f"pic should not have > 4 channels. Got {channels} channels, in shape {tuple(pic.shape)}.")
    colours = mg.as_tensor(array)
    if colours.is_floating_point() and mode != "F":
        array = (colours * 255).to(mg.uint8).numpy()
    if channels == 1:
        array = array.reshape(array.shape[:2])
        fits = tuple(mode for dtype, mode in _MODES_OF_DTYPES.items() if dtype == array.dtype.name)
    else:
        fits = _MODES_OF_CHANNELS[channels] if array.dtype == np.uint8 else ()
    if not fits:
        raise ArgumentError(f"Input type {array.dtype} is not supported, with {channels} channels")
    if mode is not None and mode not in fits:
        raise InvalidValueError(f"Incorrect mode ({mode}) supplied for {channels} channels of {array.dtype}. Should be "
                                f"{' or '.join(fits)}")
    return _image_of_array(np.ascontiguousarray(array), mode or fits[0])


def _image_of_array(array: Any, mode: str) -> Any:
    """An image of this mode with the bytes of an array."""
    return pillow("Image").frombytes(mode, (array.shape[1], array.shape[0]), array.tobytes())


def convert_image_dtype(image: Any, dtype: Any = mg.float32) -> Any:
    """A tensor's colours as numbers of another dtype: from 0 to 255 in uint8, from 0 to 1 in floating point.

    Raises ``RuntimeError`` for float32 to int32 or int64, which has too few digits.
    """
    _require_tensor(image)
    return on_tensor.convert_image_dtype(image, dtype)


def normalize(tensor: Any, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> Any:
    """``(tensor - mean) / std``, with a mean and a standard deviation for each channel of a tensor ``(..., C, H, W)``.

    Raises ``TypeError`` for integers, ``ValueError`` where `std` has a 0.
    """
    _require_tensor(tensor)
    return on_tensor.normalize(tensor, mean, std, inplace)


# ---------------------------------------------------------------------------------------------------- parts and edges

def hflip(img: Any) -> Any:
    """The image mirrored, left and right."""
    return _room(img).hflip(img)


def vflip(img: Any) -> Any:
    """The image upside down."""
    return _room(img).vflip(img)


def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """The part of `height` and `width` whose first pixel is at `top` and `left`; what is outside the image is black."""
    return _room(img).crop(img, top, left, height, width)


def pad(img: Any, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> Any:
    """The image with edges around it.

    Args:
        padding: how many pixels: a number, or (left and right, top and bottom), or (left, top, right, bottom).
        fill: the colour of the edges; for images of Pillow's also one number for each channel.
        padding_mode: "constant"; or else "edge" repeats the outermost pixels, "reflect" mirrors at them, "symmetric" mirrors them
            too.
    """
    if not isinstance(padding, (int, tuple, list)):
        raise ArgumentError(f"Got inappropriate padding arg: {padding!r}; expected a number, or a sequence of 1, 2 or 4")
    if not isinstance(fill, (Real, tuple, list, type(None))):
        raise ArgumentError(f"Got inappropriate fill arg: {fill!r}; expected a number or a sequence")
    sides = [padding] if isinstance(padding, int) else list(padding)
    if len(sides) not in (1, 2, 4):
        raise InvalidValueError(f"Padding must be an int or a 1, 2, or 4 element tuple, not a {len(sides)} element tuple")
    if padding_mode not in ("constant", "edge", "reflect", "symmetric"):
        raise InvalidValueError(f"Padding mode should be either constant, edge, reflect or symmetric, got {padding_mode!r}")
    return _room(img).pad(img, sides * (4 // len(sides)), fill, padding_mode)


def center_crop(img: Any, output_size: Any) -> Any:
    """The middle of the image, `output_size` (height and width, or one number for both) large; black where that is outside."""
    height, width = _pair(output_size, "output_size")
    _, h, w = get_dimensions(img)
    if height > h or width > w:
        across, down = max(width - w, 0), max(height - h, 0)
        img = pad(img, [across // 2, down // 2, (across + 1) // 2, (down + 1) // 2])
        _, h, w = get_dimensions(img)
    return crop(img, int(round((h - height) / 2.0)), int(round((w - width) / 2.0)), height, width)


def five_crop(img: Any, size: Any) -> tuple[Any, ...]:
    """The four corners and the middle of the image, each `size` large: top left, top right, bottom left, bottom right, middle.

    Raises ``ValueError`` where the image is smaller.
    """
    height, width = _pair(size, "size")
    _, h, w = get_dimensions(img)
    if height > h or width > w:
        raise InvalidValueError(f"Requested crop size {(height, width)} is bigger than input size {(h, w)}")
    corners = [crop(img, top, left, height, width) for top in (0, h - height) for left in (0, w - width)]
    return (*corners, center_crop(img, [height, width]))


def ten_crop(img: Any, size: Any, vertical_flip: bool = False) -> tuple[Any, ...]:
    """What :func:`five_crop` gives of the image, and of the image mirrored or, with `vertical_flip`, upside down."""
    return five_crop(img, size) + five_crop(vflip(img) if vertical_flip else hflip(img), size)


def resize(img: Any, size: Any, interpolation: Any = InterpolationMode.BILINEAR, max_size: int | None = None,
           antialias: bool | None = True) -> Any:
    """The image in another size.

    Args:
        size: height and width; one number is the shorter side, and the other follows.
        interpolation: how pixels are computed.
        max_size: the longer side is at most this; only where `size` is one number.
        antialias: average over what becomes one pixel, where the image becomes smaller; Pillow always does.
    """
    mode = _interpolation_mode(interpolation)
    sides = [size] if isinstance(size, int) else list(size)
    if len(sides) not in (1, 2):
        raise InvalidValueError(f"Size must be an int or a 1 or 2 element tuple/list, not a {len(sides)} element tuple/list")
    if max_size is not None and len(sides) != 1:
        raise InvalidValueError("max_size should only be passed if size specifies the length of the smaller edge, i.e. size "
                                f"should be an int, not {size!r}")
    _, h, w = get_dimensions(img)
    if len(sides) == 1:
        sides = _size_by_shorter_side(h, w, sides[0], max_size)
    if [h, w] == sides:
        return img
    if isinstance(img, mg.Tensor):
        return on_tensor.resize(img, sides, mode.value, antialias)
    if antialias is False:
        warnings.warn("Anti-alias option is always applied for PIL Image input. Argument antialias is ignored.", stacklevel=2)
    return on_pil.resize(img, sides, pil_modes_mapping[mode])


def _size_by_shorter_side(h: int, w: int, shorter: int, max_size: int | None) -> list[int]:
    """Height and width of an image of which the shorter side is to be this long and the longer one at most `max_size`."""
    longer = int(shorter * max(h, w) / min(h, w))
    if max_size is not None:
        if max_size <= shorter:
            raise InvalidValueError(f"max_size = {max_size} must be strictly greater than the requested size for the smaller "
                                    f"edge size = {shorter}")
        if longer > max_size:
            shorter, longer = int(max_size * shorter / longer), max_size
    return [longer, shorter] if w <= h else [shorter, longer]


def resized_crop(img: Any, top: int, left: int, height: int, width: int, size: Any,
                 interpolation: Any = InterpolationMode.BILINEAR, antialias: bool | None = True) -> Any:
    """A part of the image as :func:`crop` gives it, in another size as by :func:`resize`."""
    return resize(crop(img, top, left, height, width), size, interpolation, antialias=antialias)


def erase(img: Any, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False) -> Any:
    """A tensor with `v` in the part of height `h` and width `w` that begins at row `i` and column `j`."""
    _require_tensor(img)
    return on_tensor.erase(img, i, j, h, w, v, inplace)


# ---------------------------------------------------------------------------------------------------- places

def _get_inverse_affine_matrix(center: Sequence[float], angle: float, translate: Sequence[float], scale: float,
                               shear: Sequence[float]) -> list[float]:
    """The matrix that leads the pixels of the result to where they come from.

    The image is moved by T C R S C^-1: T and C are translations by `translate` and by `center`, S scales, and R turns by `angle`
    after shearing along x and y. Its inverse is given as the numbers of two rows.
    """
    rotation, shear_x, shear_y = math.radians(angle), math.radians(shear[0]), math.radians(shear[1])
    a = math.cos(rotation - shear_y) / math.cos(shear_y)
    b = -a * math.tan(shear_x) - math.sin(rotation)
    c = math.sin(rotation - shear_y) / math.cos(shear_y)
    d = -c * math.tan(shear_x) + math.cos(rotation)
    (cx, cy), (tx, ty) = center, translate
    row_x, row_y = (d / scale, -b / scale), (-c / scale, a / scale)  # the determinant of R without its scale is 1
    return [*row_x, cx - row_x[0] * (cx + tx) - row_x[1] * (cy + ty), *row_y, cy - row_y[0] * (cx + tx) - row_y[1] * (cy + ty)]


def _from_middle(center: Any, img: Any) -> list[float]:
    """A point of the image, given from its top left corner or as None, seen from its middle."""
    _, height, width = get_dimensions(img)
    return [0.0, 0.0] if center is None else [center[0] - width * 0.5, center[1] - height * 0.5]


def rotate(img: Any, angle: float, interpolation: Any = InterpolationMode.NEAREST, expand: bool = False, center: Any = None,
           fill: Any = None) -> Any:
    """The image turned counterclockwise.

    Args:
        angle: in degrees.
        interpolation: how pixels are computed: tensors have NEAREST and BILINEAR.
        expand: the result is large enough to hold all of the image, which is then turned around its middle.
        center: (x, y) of the point that stays, from the top left corner; the middle by default.
        fill: the colour of what is outside the image, a number or one for each channel; black by default.
    """
    mode = _interpolation_mode(interpolation)
    if not isinstance(angle, Real):
        raise ArgumentError(f"Argument angle should be int or float, got {angle!r}")
    if not isinstance(center, (list, tuple, type(None))):
        raise ArgumentError(f"Argument center should be a sequence, got {center!r}")
    if _room(img) is on_pil:
        return on_pil.rotate(img, angle, pil_modes_mapping[mode], expand, center, fill)
    matrix = _get_inverse_affine_matrix(_from_middle(center, img), -angle, [0.0, 0.0], 1.0, [0.0, 0.0])
    return on_tensor.rotate(img, matrix, mode.value, expand, fill)


def affine(img: Any, angle: float, translate: Sequence[float], scale: float, shear: Any,
           interpolation: Any = InterpolationMode.NEAREST, fill: Any = None, center: Any = None) -> Any:
    """The image turned, moved, scaled and sheared, in this size.

    Args:
        angle: in degrees, clockwise.
        translate: pixels to the right and downwards.
        scale: a factor, greater than 0.
        shear: degrees along x, or along x and y.
        interpolation: how pixels are computed: tensors have NEAREST and BILINEAR.
        fill: the colour of what is outside the image, a number or one for each channel; black by default.
        center: (x, y) of the point that stays, from the top left corner; the middle by default.
    """
    mode = _interpolation_mode(interpolation)
    if not isinstance(angle, Real):
        raise ArgumentError(f"Argument angle should be int or float, got {angle!r}")
    if not isinstance(translate, (list, tuple)):
        raise ArgumentError(f"Argument translate should be a sequence, got {translate!r}")
    if len(translate) != 2:
        raise InvalidValueError(f"Argument translate should be a sequence of length 2, got {translate!r}")
    if scale <= 0.0:
        raise InvalidValueError(f"Argument scale should be positive, got {scale}")
    if not isinstance(shear, (Real, list, tuple)):
        raise ArgumentError(f"Shear should be either a single value or a sequence of two values, got {shear!r}")
    if not isinstance(center, (list, tuple, type(None))):
        raise ArgumentError(f"Argument center should be a sequence, got {center!r}")
    shear = (shear, 0.0) if isinstance(shear, Real) else _pair(shear, "shear")
    if _room(img) is on_pil:
        center = [img.width * 0.5, img.height * 0.5] if center is None else center
        matrix = _get_inverse_affine_matrix(center, angle, translate, scale, shear)
        return on_pil.affine(img, matrix, pil_modes_mapping[mode], fill)
    matrix = _get_inverse_affine_matrix(_from_middle(center, img), angle, translate, scale, shear)
    return on_tensor.affine(img, matrix, mode.value, fill)


def perspective(img: Any, startpoints: Sequence[Sequence[int]], endpoints: Sequence[Sequence[int]],
                interpolation: Any = InterpolationMode.BILINEAR, fill: Any = None) -> Any:
    """The image as if it were seen from another side: four points (x, y) of it, `startpoints`, go to `endpoints`.

    The points are the corners top left, top right, bottom right, bottom left; `interpolation` and `fill` are those of
    :func:`affine`.
    """
    mode = _interpolation_mode(interpolation)
    coeffs = _get_perspective_coeffs(startpoints, endpoints)
    if _room(img) is on_pil:
        return on_pil.perspective(img, coeffs, pil_modes_mapping[mode], fill)
    return on_tensor.perspective(img, coeffs, mode.value, fill)


def _get_perspective_coeffs(startpoints: Sequence[Sequence[int]], endpoints: Sequence[Sequence[int]]) -> list[float]:
    """The eight numbers of the perspective that leads from `endpoints` back to `startpoints`."""
    if len(startpoints) != 4 or len(endpoints) != 4:
        raise InvalidValueError(f"Please provide exactly four corners, got {len(startpoints)} startpoints and {len(endpoints)} "
                                "endpoints.")
    rows = []
    for (x, y), (sx, sy) in zip(endpoints, startpoints):
        rows += [[x, y, 1, 0, 0, 0, -sx * x, -sx * y], [0, 0, 0, x, y, 1, -sy * x, -sy * y]]
    there = np.array(startpoints, dtype=np.float64).reshape(8)
    solution = np.linalg.lstsq(np.array(rows, dtype=np.float64), there, rcond=None)[0]
    coeffs: list[float] = solution.astype(np.float32).tolist()
    return coeffs


def elastic_transform(img: Any, displacement: Any, interpolation: Any = InterpolationMode.BILINEAR, fill: Any = None) -> Any:
    """The image with each pixel taken from a place of its own beside it.

    `displacement` is a tensor ``(1, height, width, 2)``: how far to the right and downwards, in units of half the image;
    `interpolation` and `fill` are those of :func:`affine`.
    """
    mode = _interpolation_mode(interpolation)
    if not isinstance(displacement, mg.Tensor):
        raise ArgumentError(f"Argument displacement should be a Tensor, got {type(displacement)}")
    _, height, width = get_dimensions(img)
    if displacement.shape != (1, height, width, 2):
        raise InvalidValueError(f"Argument displacement shape should be {(1, height, width, 2)}, but given "
                                f"{tuple(displacement.shape)}")
    return _through_tensor(img, lambda image: on_tensor.elastic_transform(image, displacement, mode.value, fill))


def _through_tensor(img: Any, change: Any) -> Any:
    """``change(img)`` of what is computed for tensors only; images of Pillow's are made tensors, and images again."""
    return change(img) if _room(img) is on_tensor else to_pil_image(change(pil_to_tensor(img)), mode=img.mode)


# ---------------------------------------------------------------------------------------------------- neighbours

def gaussian_blur(img: Any, kernel_size: Any, sigma: Any = None) -> Any:
    """The image blurred by a Gaussian.

    Args:
        kernel_size: how many pixels it reaches, across and down, or one number for both; odd.
        sigma: its standard deviation in pixels, across and down, or one number for both; ``0.15 * kernel_size + 0.35``
            by default.
    """
    if not isinstance(kernel_size, (int, list, tuple)):
        raise ArgumentError(f"kernel_size should be int or a sequence of integers. Got {type(kernel_size)}")
    sizes = _pair(kernel_size, "kernel_size")
    if any(size % 2 == 0 or size < 0 for size in sizes):
        raise InvalidValueError(f"kernel_size should have odd and positive integers. Got {kernel_size}")
    if not isinstance(sigma, (Real, list, tuple, type(None))):
        raise ArgumentError(f"sigma should be either float or sequence of floats. Got {type(sigma)}")
    sigmas = [0.15 * size + 0.35 for size in sizes] if sigma is None else _pair(sigma, "sigma")
    if any(s <= 0 for s in sigmas):
        raise InvalidValueError(f"sigma should have positive values. Got {sigma}")
    return _through_tensor(img, lambda image: on_tensor.gaussian_blur(image, sizes, sigmas))


def adjust_sharpness(img: Any, sharpness_factor: float) -> Any:
    """The image sharpened: 0 smooths it, 1 leaves it, 2 makes it twice as sharp."""
    return _room(img).adjust_sharpness(img, sharpness_factor)


# ---------------------------------------------------------------------------------------------------- colours

def to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """An image of Pillow's in gray, in one channel or thrice; :func:`rgb_to_grayscale` takes tensors too."""
    if not is_pil_image(img):
        raise ArgumentError(f"Input should be PIL Image, got {type(img)}; rgb_to_grayscale takes tensors")
    return on_pil.rgb_to_grayscale(img, num_output_channels)


def rgb_to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """The image in gray, ``0.2989 R + 0.587 G + 0.114 B``, in one channel or thrice."""
    return _room(img).rgb_to_grayscale(img, num_output_channels)


def adjust_brightness(img: Any, brightness_factor: float) -> Any:
    """The image brighter or darker: 0 makes it black, 1 leaves it, 2 makes it twice as bright."""
    return _room(img).adjust_brightness(img, brightness_factor)


def adjust_contrast(img: Any, contrast_factor: float) -> Any:
    """The image with more or less contrast: 0 makes it gray all over, 1 leaves it, 2 doubles the distance from that gray."""
    return _room(img).adjust_contrast(img, contrast_factor)


def adjust_saturation(img: Any, saturation_factor: float) -> Any:
    """The image more or less colourful: 0 makes it gray, 1 leaves it, 2 doubles the distance from gray."""
    return _room(img).adjust_saturation(img, saturation_factor)


def adjust_hue(img: Any, hue_factor: float) -> Any:
    """The image with its colours turned around the wheel, by `hue_factor` of a full turn, from -0.5 to 0.5."""
    if not -0.5 <= hue_factor <= 0.5:
        raise InvalidValueError(f"hue_factor ({hue_factor}) is not in [-0.5, 0.5].")
    return _room(img).adjust_hue(img, hue_factor)


def adjust_gamma(img: Any, gamma: float, gain: float = 1) -> Any:
    """``gain * img**gamma``, of colours from 0 to 1: `gamma` over 1 makes shadows darker, under 1 lighter."""
    return _room(img).adjust_gamma(img, gamma, gain)


def invert(img: Any) -> Any:
    """The negative of the image."""
    return _room(img).invert(img)


def posterize(img: Any, bits: int) -> Any:
    """The image, of uint8, with only the first `bits` of the eight bits of each colour."""
    if not 0 <= bits <= 8:
        raise InvalidValueError(f"The number if bits should be between 0 and 8. Got {bits}")
    return _room(img).posterize(img, bits)


def solarize(img: Any, threshold: float) -> Any:
    """The image with the negative of the colours from `threshold` on."""
    return _room(img).solarize(img, threshold)


def autocontrast(img: Any) -> Any:
    """The image with each channel stretched so that it goes from black to white."""
    return _room(img).autocontrast(img)


def equalize(img: Any) -> Any:
    """The image, of uint8, with each channel mapped so that its colours are about equally frequent."""
    return _room(img).equalize(img)
