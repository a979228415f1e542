"""What :mod:`minigrad.vision.transforms.functional` does to images that are tensors, ``(..., channels, height, width)``.

Colours are numbers from 0 to :func:`max_value` of the dtype: to 255 in uint8, to 1 in floating point.
"""

from __future__ import annotations

from numbers import Real
from typing import Any, Callable, Sequence

import numpy as np

import minigrad as mg
from minigrad.errors import ArgumentError, InvalidValueError, RuntimeValueError, ShapeError
from minigrad.nn import functional as F

INTEGERS = (mg.uint8, mg.int8, mg.int16, mg.int32, mg.int64)
LARGEST = {mg.uint8: 255, mg.int8: 127, mg.int16: 32767, mg.uint16: 65535, mg.int32: 2**31 - 1, mg.int64: 2**63 - 1}


# ---------------------------------------------------------------------------------------------------- what an image is

def max_value(dtype: Any) -> int:
    """The number of full brightness."""
    return LARGEST.get(dtype, 1)


def get_dimensions(img: Any) -> list[int]:
    """Channels, height and width."""
    require_image(img)
    return [1 if img.ndim == 2 else img.shape[-3], *img.shape[-2:]]


def require_image(img: Any, dims: int = 2) -> None:
    """Raise ``TypeError`` for a tensor of fewer dimensions."""
    if img.ndim < dims:
        shape = "(..., height, width)" if dims == 2 else "(..., channels, height, width)"
        raise ArgumentError(f"Tensor is not a torch image: expected {shape}, got shape {tuple(img.shape)}")


def require_colours(img: Any, dims: int = 2) -> None:
    """Raise ``TypeError`` for a tensor that is no image of one or three channels."""
    require_image(img, dims)
    channels = get_dimensions(img)[0]
    if channels not in (1, 3):
        raise ArgumentError(f"Input image tensor permitted channel values are [1, 3], but found {channels}, in shape "
                            f"{tuple(img.shape)}")


def require_uint8(img: Any) -> None:
    """Raise ``TypeError`` for another dtype."""
    if img.dtype != mg.uint8:
        raise ArgumentError(f"Only minigrad.uint8 image tensors are supported, but found {img.dtype}")


def working_dtype(img: Any) -> Any:
    """The dtype to compute in: float32 for integers."""
    return img.dtype if img.is_floating_point() else mg.float32


def on_batch(img: Any, dtype: Any, change: Callable[[Any], Any]) -> Any:
    """``change(batch)`` for functions of ``(N, C, H, W)`` in `dtype`: leading dimensions are made one and come back, and integers
    are rounded."""
    batch = img.reshape(-1, *get_dimensions(img)).to(dtype)
    changed = change(batch)
    changed = changed.reshape(*img.shape[:-2], *changed.shape[-2:])
    if img.dtype == dtype:
        return changed
    return (changed.round() if img.dtype in INTEGERS else changed).to(img.dtype)


# ---------------------------------------------------------------------------------------------------- numbers

def convert_image_dtype(image: Any, dtype: Any = mg.float32) -> Any:
    """The same colours as numbers of another dtype."""
    if image.dtype == dtype:
        return image
    if image.is_floating_point():
        if dtype.is_floating_point:
            return image.to(dtype)
        if image.dtype == mg.float32 and dtype in (mg.int32, mg.int64) or image.dtype == mg.float64 and dtype == mg.int64:
            raise RuntimeValueError(f"The cast from {image.dtype} to {dtype} cannot be performed safely: it has too few digits")
        return (image * (max_value(dtype) + 1.0 - 1e-3)).to(dtype)  # each integer has an equal share of the numbers from 0 to 1
    ours, theirs = max_value(image.dtype), max_value(dtype)
    if dtype.is_floating_point:
        return image.to(dtype) / ours
    if ours > theirs:
        return mg.div(image, (ours + 1) // (theirs + 1), rounding_mode="floor").to(dtype)
    return image.to(dtype) * ((theirs + 1) // (ours + 1))


def normalize(tensor: Any, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> Any:
    """``(tensor - mean) / std`` by channels."""
    require_image(tensor)
    if not tensor.is_floating_point():
        raise ArgumentError(f"Input tensor should be a float tensor. Got {tensor.dtype}.")
    if tensor.ndim < 3:
        raise InvalidValueError("Expected tensor to be a tensor image of size (..., C, H, W). Got tensor.size() = "
                                f"{tuple(tensor.shape)}")
    middle, width = for_channels(mean, tensor), for_channels(std, tensor)
    if not width.all():
        raise InvalidValueError(f"std evaluated to zero after conversion to {tensor.dtype}, leading to division by zero.")
    if inplace:
        return tensor.sub_(middle).div_(width)
    return (tensor - middle) / width


def for_channels(numbers: Any, img: Any) -> Any:
    """A number for each channel of `img`, or one for all, as what broadcasts with it."""
    if np.ndim(numbers) == 1 and len(numbers) != img.shape[-3] and 1 not in (len(numbers), img.shape[-3]):
        raise ShapeError(f"expected a number for each of {img.shape[-3]} channels, or one for all, got {len(numbers)} for an "
                         f"image of shape {tuple(img.shape)}")
    if isinstance(numbers, mg.Tensor):
        numbers = numbers.to(dtype=img.dtype, device=img.device)
        return numbers.view(-1, 1, 1) if numbers.ndim == 1 else numbers
    array = np.asarray(numbers, dtype=img.dtype.numpy)
    array = array.reshape(-1, 1, 1).copy() if array.ndim == 1 else array  # an array of its own is a tensor sooner than a view
    return mg.as_tensor(array, device=img.device)


# ---------------------------------------------------------------------------------------------------- parts and edges

def hflip(img: Any) -> Any:
    """Mirrored, left and right."""
    require_image(img)
    return img.flip(-1)


def vflip(img: Any) -> Any:
    """Upside down."""
    require_image(img)
    return img.flip(-2)


def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """The part of `height` and `width` that begins at `top` and `left`; black where that is outside."""
    h, w = get_dimensions(img)[1:]
    bottom, right = top + height, left + width
    part = img[..., max(top, 0):max(bottom, 0), max(left, 0):max(right, 0)]
    if left >= 0 and top >= 0 and right <= w and bottom <= h:
        return part
    return pad(part, [max(min(right, 0) - left, 0), max(min(bottom, 0) - top, 0),
                      max(right - max(w, left), 0), max(bottom - max(h, top), 0)])


def pad(img: Any, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> Any:
    """With edges of `padding` pixels."""
    require_image(img)
    if not isinstance(fill, (Real, type(None))):
        raise ArgumentError(f"pad: expected fill to be a number for tensors, got {fill!r}")
    left, top, right, bottom = padding
    if padding_mode == "symmetric":
        return pad_symmetric(img, left, top, right, bottom)
    mode = {"edge": "replicate"}.get(padding_mode, padding_mode)
    if mode == "constant":
        return F.pad(img, (left, right, top, bottom), value=0.0 if fill is None else float(fill))
    dtype = img.dtype if img.dtype in (mg.float32, mg.float64) else mg.float32
    return on_batch(img, dtype, lambda batch: F.pad(batch, (left, right, top, bottom), mode=mode))


def pad_symmetric(img: Any, left: int, top: int, right: int, bottom: int) -> Any:
    """With edges that mirror the image, its outermost pixels included; negative numbers take pixels away."""
    h, w = get_dimensions(img)[1:]
    rows = mirrored(h, top, bottom, img.device)
    columns = mirrored(w, left, right, img.device)
    return img[..., rows[:, None], columns[None, :]]


def mirrored(size: int, before: int, after: int, device: Any) -> Any:
    """Which of `size` pixels come into a row with edges before and after."""
    if max(before, after) > size:
        raise InvalidValueError(f"pad: symmetric padding of {before} and {after} is more than the {size} pixels that are there")
    ahead = list(range(before - 1, -1, -1))
    inside = list(range(max(-before, 0), size - max(-after, 0)))
    behind = list(range(size - 1, size - 1 - after, -1))
    return mg.tensor(ahead + inside + behind, device=device)


def resize(img: Any, size: Sequence[int], interpolation: str = "bilinear", antialias: bool | None = True) -> Any:
    """In another size."""
    require_image(img)
    if interpolation not in ("nearest", "nearest-exact", "bilinear", "bicubic"):
        raise InvalidValueError(f"resize: interpolation {interpolation!r} is for PIL images; tensors have 'nearest', "
                                "'nearest-exact', 'bilinear' and 'bicubic'")
    smooth = interpolation in ("bilinear", "bicubic")
    settings = {"align_corners": False, "antialias": bool(antialias)} if smooth else {}

    def resized(batch: Any) -> Any:
        batch = F.interpolate(batch, size=tuple(size), mode=interpolation, **settings)
        return batch.clamp(0, 255) if interpolation == "bicubic" and img.dtype == mg.uint8 else batch

    return on_batch(img, img.dtype if img.dtype in (mg.float32, mg.float64) else mg.float32, resized)


def erase(img: Any, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False) -> Any:
    """With `v` in the part of height `h` and width `w` that begins at row `i` and column `j`."""
    require_image(img)
    if not inplace:
        img = img.clone()
    img[..., i:i + h, j:j + w] = v
    return img


# ---------------------------------------------------------------------------------------------------- places

def sample(img: Any, grid: Callable[[Any], Any], interpolation: str, fill: Any) -> Any:
    """`img` as it looks from the places ``grid(dtype)``, ``(1, height, width, 2)`` in -1 to 1; `fill` where they are outside."""
    channels = get_dimensions(img)[0]
    if interpolation not in ("nearest", "bilinear"):
        raise InvalidValueError(f"Interpolation mode '{interpolation}' is unsupported with Tensor input: expected 'nearest' or "
                                "'bilinear'")
    if isinstance(fill, (tuple, list)) and len(fill) not in (1, channels):
        raise InvalidValueError("The number of elements in 'fill' cannot broadcast to match the number of channels of the image "
                                f"({len(fill)} != {channels})")
    places = grid(working_dtype(img))

    def sampled(batch: Any) -> Any:
        n, _, h, w = batch.shape
        there = places.expand(n, *places.shape[1:])
        seen = F.grid_sample(batch, there, mode=interpolation, padding_mode="zeros", align_corners=False)
        if fill is None:
            return seen
        inside = F.grid_sample(batch.new_ones(n, 1, h, w), there, mode=interpolation, padding_mode="zeros", align_corners=False)
        colour = batch.new_tensor(fill if isinstance(fill, (tuple, list)) else [fill]).view(1, -1, 1, 1)
        if interpolation == "nearest":
            return mg.where(inside < 0.5, colour, seen)
        return seen * inside + (1 - inside) * colour

    return on_batch(img, places.dtype, sampled)


def affine_places(matrix: Sequence[float], w: int, h: int, ow: int, oh: int, dtype: Any, device: Any) -> Any:
    """Where in an image of ``(h, w)`` the pixels of a result of ``(oh, ow)`` come from, by the six numbers of a matrix."""
    theta = mg.tensor(matrix, dtype=dtype, device=device).reshape(1, 2, 3)
    half = mg.tensor([0.5 * w, 0.5 * h], dtype=dtype, device=device)
    return pixels(ow, oh, -0.5 * ow, -0.5 * oh, dtype, device).bmm(theta.transpose(1, 2) / half).view(1, oh, ow, 2)


def pixels(width: int, height: int, left: float, top: float, dtype: Any, device: Any) -> Any:
    """The middle of every pixel as x, y and 1, ``(1, height * width, 3)``, where the first pixel begins at `left` and `top`."""
    x = mg.linspace(left + 0.5, left + width - 0.5, width, dtype=dtype, device=device)
    y = mg.linspace(top + 0.5, top + height - 0.5, height, dtype=dtype, device=device)
    ones = mg.ones(height, width, dtype=dtype, device=device)
    return mg.stack([x.expand(height, width), y[:, None].expand(height, width), ones], -1).view(1, -1, 3)


def affine(img: Any, matrix: Sequence[float], interpolation: str = "nearest", fill: Any = None) -> Any:
    """Each pixel from where the matrix leads it, seen from the middle."""
    _, h, w = get_dimensions(img)
    return sample(img, lambda dtype: affine_places(matrix, w, h, w, h, dtype, img.device), interpolation, fill)


def rotate(img: Any, matrix: Sequence[float], interpolation: str = "nearest", expand: bool = False, fill: Any = None) -> Any:
    """As :func:`affine`, in a size that holds all of the image if it is to expand."""
    _, h, w = get_dimensions(img)
    ow, oh = expanded_size(matrix, w, h) if expand else (w, h)
    return sample(img, lambda dtype: affine_places(matrix, w, h, ow, oh, dtype, img.device), interpolation, fill)


def expanded_size(matrix: Sequence[float], w: int, h: int) -> tuple[int, int]:
    """Width and height of what holds the turned image."""
    corners = mg.tensor([[-0.5 * w, -0.5 * h, 1.0], [-0.5 * w, 0.5 * h, 1.0], [0.5 * w, 0.5 * h, 1.0], [0.5 * w, -0.5 * h, 1.0]])
    turned = corners @ mg.tensor(matrix).view(2, 3).T + mg.tensor([0.5 * w, 0.5 * h])
    steps = 1e-4  # places that rounding has moved over a whole number by less than this do not count as another pixel
    last = ((turned.amax(0) / steps).trunc() * steps).ceil()
    first = ((turned.amin(0) / steps).trunc() * steps).floor()
    width, height = (last - first).tolist()
    return int(width), int(height)


def perspective(img: Any, coeffs: Sequence[float], interpolation: str = "bilinear", fill: Any = None) -> Any:
    """Each pixel (x, y) from ``(a x + b y + c, d x + e y + f) / (g x + h y + 1)``."""
    _, oh, ow = get_dimensions(img)

    def places(dtype: Any) -> Any:
        above = mg.tensor(coeffs[:6], dtype=dtype, device=img.device).view(1, 2, 3)
        below = mg.tensor([*coeffs[6:], 1.0] * 2, dtype=dtype, device=img.device).view(1, 2, 3)
        half = mg.tensor([0.5 * ow, 0.5 * oh], dtype=dtype, device=img.device)
        base = pixels(ow, oh, 0.0, 0.0, dtype, img.device)
        return (base.bmm(above.transpose(1, 2) / half) / base.bmm(below.transpose(1, 2)) - 1).view(1, oh, ow, 2)

    return sample(img, places, interpolation, fill)


def elastic_transform(img: Any, displacement: Any, interpolation: str = "bilinear", fill: Any = None) -> Any:
    """Each pixel from its own place and `displacement`, ``(1, height, width, 2)`` in units of half the image."""
    _, h, w = get_dimensions(img)
    x, y = (mg.linspace((1 - size) / size, (size - 1) / size, size, device=img.device) for size in (w, h))
    own = mg.stack([x.expand(h, w), y[:, None].expand(h, w)], -1)[None]
    return sample(img, lambda dtype: (own + displacement.to(img.device)).to(dtype), interpolation, fill)


# ---------------------------------------------------------------------------------------------------- neighbours

def gaussian_blur(img: Any, kernel_size: Sequence[int], sigma: Sequence[float]) -> Any:
    """Blurred by a Gaussian; edges are mirrored."""
    require_image(img)
    dtype = working_dtype(img)
    across, down = (bell(n, s, dtype, img.device) for n, s in zip(kernel_size, sigma))
    edges = (kernel_size[0] // 2, kernel_size[0] // 2, kernel_size[1] // 2, kernel_size[1] // 2)
    return on_batch(img, dtype, lambda batch: by_channel(F.pad(batch, edges, mode="reflect"), down[:, None] * across))


def bell(kernel_size: int, sigma: float, dtype: Any, device: Any) -> Any:
    """The values of a Gaussian at `kernel_size` pixels around its middle, of sum 1."""
    half = (kernel_size - 1) * 0.5
    values = mg.exp(-0.5 * (mg.linspace(-half, half, kernel_size, dtype=dtype, device=device) / sigma)**2)
    return values / values.sum()


def by_channel(batch: Any, kernel: Any) -> Any:
    """Each channel convolved with `kernel`."""
    channels = batch.shape[1]
    return F.conv2d(batch, kernel.expand(channels, 1, *kernel.shape), groups=channels)


def adjust_sharpness(img: Any, sharpness_factor: float) -> Any:
    """Between a smoothed image, at 0, and itself, at 1, and beyond."""
    require_factor("sharpness_factor", sharpness_factor)
    require_colours(img)
    if min(img.shape[-2:]) <= 2:
        return img
    dtype = working_dtype(img)
    kernel = mg.ones(3, 3, dtype=dtype, device=img.device)
    kernel[1, 1] = 5
    smooth = img.clone()
    smooth[..., 1:-1, 1:-1] = on_batch(img, dtype, lambda batch: by_channel(batch, kernel / kernel.sum()))
    return blend(img, smooth, sharpness_factor)


# ---------------------------------------------------------------------------------------------------- colours

def require_factor(name: str, factor: float) -> None:
    """Raise ``ValueError`` for a negative factor."""
    if factor < 0:
        raise InvalidValueError(f"{name} ({factor}) is not non-negative.")


def blend(img: Any, other: Any, ratio: float) -> Any:
    """`ratio` of one image and the rest of another, in the dtype of the first."""
    ratio = float(ratio)
    return (ratio * img + (1.0 - ratio) * other).clamp(0, max_value(img.dtype)).to(img.dtype)


def rgb_to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """Luminance, in one channel or thrice."""
    require_colours(img, 3)
    if num_output_channels not in (1, 3):
        raise InvalidValueError(f"num_output_channels should be either 1 or 3, got {num_output_channels}")
    if img.shape[-3] == 3:
        r, g, b = img.unbind(-3)
        gray = (0.2989 * r + 0.587 * g + 0.114 * b).to(img.dtype).unsqueeze(-3)
    else:
        gray = img.clone()
    return gray.expand(*img.shape[:-3], 3, *img.shape[-2:]) if num_output_channels == 3 else gray


def adjust_brightness(img: Any, brightness_factor: float) -> Any:
    """Between black, at 0, and itself, at 1, and beyond."""
    require_factor("brightness_factor", brightness_factor)
    require_colours(img)
    return blend(img, mg.zeros_like(img), brightness_factor)


def adjust_contrast(img: Any, contrast_factor: float) -> Any:
    """Between its mean gray, at 0, and itself, at 1, and beyond."""
    require_factor("contrast_factor", contrast_factor)
    require_colours(img)
    gray = rgb_to_grayscale(img) if get_dimensions(img)[0] == 3 else img
    dims = (-3, -2, -1) if img.ndim > 2 else (-2, -1)
    return blend(img, gray.to(working_dtype(img)).mean(dim=dims, keepdim=True), contrast_factor)


def adjust_saturation(img: Any, saturation_factor: float) -> Any:
    """Between gray, at 0, and itself, at 1, and beyond."""
    require_factor("saturation_factor", saturation_factor)
    require_colours(img)
    return img if get_dimensions(img)[0] == 1 else blend(img, rgb_to_grayscale(img), saturation_factor)


def adjust_hue(img: Any, hue_factor: float) -> Any:
    """Colours turned around the wheel, by this part of a full turn."""
    require_colours(img)
    if get_dimensions(img)[0] == 1:
        return img
    h, s, v = hsv(convert_image_dtype(img, mg.float32))
    return convert_image_dtype(rgb((h + hue_factor) % 1.0, s, v), img.dtype)


def hsv(img: Any) -> tuple[Any, Any, Any]:
    """Hue, saturation and value of red, green and blue."""
    r, g, b = img.unbind(-3)
    v = img.amax(-3)
    range_ = v - img.amin(-3)
    gray = range_ == 0
    to_r, to_g, to_b = ((v - x) / mg.where(gray, 1.0, range_) for x in (r, g, b))
    turned = mg.where(v == r, to_b - to_g, mg.where(v == g, 2.0 + to_r - to_b, 4.0 + to_g - to_r))
    return (turned / 6.0 + 1.0).fmod(1.0), range_ / mg.where(gray, 1.0, v), v


def rgb(h: Any, s: Any, v: Any) -> Any:
    """Red, green and blue of hue, saturation and value."""
    sixth = mg.floor(h * 6.0)
    f = h * 6.0 - sixth
    p, q, t = (x.clamp(0.0, 1.0) for x in (v * (1.0 - s), v * (1.0 - s * f), v * (1.0 - s * (1.0 - f))))
    sixth = sixth.to(mg.int64).unsqueeze(-3) % 6
    channels = ((v, q, p, p, t, v), (t, v, v, q, p, p), (p, p, t, v, v, q))
    return mg.cat([mg.stack(six, -3).gather(-3, sixth) for six in channels], -3)


def adjust_gamma(img: Any, gamma: float, gain: float = 1) -> Any:
    """``gain * img**gamma``, of colours from 0 to 1."""
    require_colours(img)
    if gamma < 0:
        raise InvalidValueError(f"Gamma should be a non-negative real number, got {gamma}")
    colours = img if img.is_floating_point() else convert_image_dtype(img, mg.float32)
    return convert_image_dtype((gain * colours**gamma).clamp(0, 1), img.dtype)


def invert(img: Any) -> Any:
    """The negative."""
    require_colours(img, 3)
    return max_value(img.dtype) - img


def posterize(img: Any, bits: int) -> Any:
    """With this many bits of each colour."""
    require_uint8(img)
    require_colours(img, 3)
    return img & (256 - 2**(8 - bits))


def solarize(img: Any, threshold: float) -> Any:
    """The negative, of colours from `threshold` on."""
    require_colours(img, 3)
    if threshold > max_value(img.dtype):
        raise ArgumentError(f"Threshold should be less than bound of img: got {threshold}, and {img.dtype} goes to "
                            f"{max_value(img.dtype)}")
    return mg.where(img >= threshold, invert(img), img)


def autocontrast(img: Any) -> Any:
    """Each channel stretched so that it goes from black to white."""
    require_colours(img, 3)
    bound, dtype = max_value(img.dtype), working_dtype(img)
    darkest, brightest = (x.to(dtype) for x in (img.amin((-2, -1), keepdim=True), img.amax((-2, -1), keepdim=True)))
    scale = bound / (brightest - darkest)
    flat = ~scale.isfinite()
    return ((img - mg.where(flat, 0.0, darkest)) * mg.where(flat, 1.0, scale)).clamp(0, bound).to(img.dtype)


def equalize(img: Any) -> Any:
    """Each channel mapped so that its colours are equally frequent."""
    require_uint8(img)
    require_colours(img, 3)
    channels = img.reshape(-1, img.shape[-2] * img.shape[-1])
    return mg.stack([equalized(channel) for channel in channels]).reshape(img.shape)


def equalized(channel: Any) -> Any:
    """One channel, flat, by the sums of its histogram."""
    histogram = channel.to(mg.int64).bincount(minlength=256)
    step = int(histogram[histogram != 0][:-1].sum()) // 255
    if step == 0:
        return channel
    table = mg.div(histogram.cumsum(0) + step // 2, step, rounding_mode="floor")
    return F.pad(table, (1, 0))[:-1].clamp(0, 255).to(mg.uint8)[channel.to(mg.int64)]
