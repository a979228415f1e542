"""Images in other sizes and places: interpolation, sampling on a grid, exchange of channels and pixels."""

from __future__ import annotations

import itertools
import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays
from minigrad._types import dtypes
from minigrad.errors import DtypeError, InvalidValueError, RuntimeValueError, ShapeError
from minigrad.ops import copying
from minigrad.ops.indexing import indexing, scatter
from minigrad.ops.linear_algebra import products
from minigrad.ops.neural import activation, pooling
from minigrad.ops.pointwise import arithmetic, comparison
from minigrad.ops.shaping import shape as shapes
from minigrad.recording.device_guard import on_device_of_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from minigrad._tensor import Tensor
    from minigrad._types.annotations import FloatOrFloats, IntOrInts

__all__ = ["affine_grid", "channel_shuffle", "grid_sample", "interpolate", "native_channel_shuffle", "pixel_shuffle",
           "pixel_unshuffle", "upsample", "upsample_bilinear", "upsample_nearest"]


# ---------------------------------------------------------------------------------------------------- channels and pixels

def check_pixels(caller: str, name: str, input: Any, factor: int) -> None:
    """What both directions ask of `input` and of the factor, which `caller` calls `name`."""
    if input.ndim < 3:
        raise ShapeError(f"{caller} expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s)")
    if factor <= 0:
        raise RuntimeValueError(f"{caller} expects a positive {name}, but got {factor}")


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """``(*, C * r * r, H, W)`` to ``(*, C, H * r, W * r)``. Source: Shi et al., 2016, arXiv:1609.05158."""
    r = upscale_factor
    check_pixels("pixel_shuffle", "upscale_factor", input, r)
    *lead, c, h, w = input.shape
    if c % (r * r):
        raise ShapeError("pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of "
                         f"upscale_factor, but input.size(-3)={c} is not divisible by {r * r}")
    x = shapes.reshape(input, shape=(*lead, c // (r * r), r, r, h, w))
    k = len(lead)
    x = shapes.permute(x, dims=(*range(k + 1), k + 3, k + 1, k + 4, k + 2))
    return shapes.in_layout("channels", shapes.reshape_copy(x, shape=(*lead, c // (r * r), h * r, w * r)), input)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """``(*, C, H * r, W * r)`` to ``(*, C * r * r, H, W)``: the inverse of :func:`pixel_shuffle`."""
    r = downscale_factor
    check_pixels("pixel_unshuffle", "downscale_factor", input, r)
    *lead, c, h, w = input.shape
    if h % r or w % r:
        raise ShapeError(f"pixel_unshuffle expects height and width to be divisible by downscale_factor, but {h} x {w} is not "
                         f"divisible by {r}")
    x = shapes.reshape(input, shape=(*lead, c, h // r, r, w // r, r))
    k = len(lead)
    x = shapes.permute(x, dims=(*range(k + 1), k + 2, k + 4, k + 1, k + 3))
    return shapes.in_layout("channels", shapes.reshape_copy(x, shape=(*lead, c * r * r, h // r, w // r)), input)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """The channels of `groups` equal groups in turn: the first of each, the second of each, and so on."""
    if input.ndim < 3:
        raise ShapeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(input.shape)}")
    if groups <= 0:
        raise RuntimeValueError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    n, c, *rest = input.shape
    if c % groups:
        raise ShapeError(f"Number of channels must be divisible by groups. Got {c} channels and {groups} groups.")
    x = shapes.transpose(shapes.reshape(input, shape=(n, groups, c // groups, *rest)), dim0=1, dim1=2)
    return shapes.in_layout("channels", shapes.reshape_copy(x, shape=tuple(input.shape)), input)


native_channel_shuffle = channel_shuffle


# ---------------------------------------------------------------------------------------------------- interpolation

LINEAR = {"linear": 3, "bilinear": 4, "trilinear": 5, "bicubic": 4}  # the dimensions of the input


def interpolate(input: Tensor, size: IntOrInts | None = None, scale_factor: FloatOrFloats | None = None, mode: str = "nearest",
                align_corners: bool | None = None, recompute_scale_factor: bool | None = None, antialias: bool = False) -> Tensor:
    """`input`, ``(N, C, *size)``, resampled to another size in its last one to three dimensions.

    Images of uint8 are computed in float32 and rounded to the nearest number from 0 to 255.

    Args:
        size, scale_factor: the new size, or what to multiply the old one by: a number, or one for each dimension.
        mode: "nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear" or "area".
        align_corners: the first and last points keep their places, instead of the edges of the outermost pixels.
        recompute_scale_factor: places are computed from the two sizes instead of from `scale_factor`.
        antialias: widen the filter where the result is smaller (bilinear and bicubic).
    """
    dims = input.ndim - 2
    if not 1 <= dims <= 3:
        raise NotImplementedError(f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {input.ndim}D) for the modes: "
                                  f"nearest | linear | bilinear | bicubic | trilinear | area | nearest-exact (got {mode})")
    if mode not in ("nearest", "nearest-exact", "area", *LINEAR) or mode in LINEAR and LINEAR[mode] != input.ndim:
        raise NotImplementedError(f"Got {input.ndim}D input, but {mode} mode needs {LINEAR.get(mode, '3D, 4D or 5')}D input")
    if align_corners is not None and mode not in LINEAR:
        raise InvalidValueError("align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic "
                                "| trilinear")
    if (size is None) == (scale_factor is None):
        raise InvalidValueError("only one of size or scale_factor should be defined" if size is not None else
                                "either size or scale_factor should be defined")
    if antialias and mode not in ("bilinear", "bicubic"):
        raise InvalidValueError("Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D tensor as "
                                "input")
    if recompute_scale_factor and size is not None:
        raise InvalidValueError("recompute_scale_factor is not meaningful with an explicit size.")
    old = tuple(input.shape[2:])
    factors = _per_dim(scale_factor, dims, "scale_factor") if size is None else (None,) * dims
    new = tuple(int(math.floor(n * f)) for n, f in zip(old, factors)) if size is None else _per_dim(size, dims, "size")
    if any(n <= 0 for n in (*old, *new)) or not input.shape[1]:
        raise ShapeError(f"interpolate: Input and output sizes should be greater than 0, but got input {list(input.shape)}, "
                         f"output {list(new)}")
    if recompute_scale_factor or mode == "area":
        factors = (None,) * dims
    if mode == "area":
        return (pooling.adaptive_avg_pool1d, pooling.adaptive_avg_pool2d, pooling.adaptive_avg_pool3d)[dims - 1](input, new)
    result: Any = input
    if mode.startswith("nearest"):
        for k, (n, m) in enumerate(zip(old, new)):
            result = result if n == m and factors[k] in (None, 1) else indexing.index_select(
                result, k + 2, _constant(nearest_places(n, m, factors[k], mode == "nearest-exact"), input))
        return shapes.in_layout("channels", copying.clone(input) if result is input else result, input)
    if input.dtype is dtypes.uint8:
        result = arithmetic.cast(input, dtype=dtypes.float32)
    elif input.dtype.kind not in "fc":
        raise DtypeError(f"interpolate: mode {mode!r} is not implemented for {input.dtype!r}, only for uint8 and floating-point "
                         "images; convert it with .float()")
    for k, (n, m) in enumerate(zip(old, new)):
        kind = filter_matrix if antialias else cubic_weights if mode == "bicubic" else linear_weights
        matrix = kind(n, m, bool(align_corners), factors[k], *[mode == "bicubic"] * antialias)
        result = _apply_along(result, k + 2, _constant(matrix.astype(result.array.dtype), result))
    if input.dtype is dtypes.uint8:
        result = arithmetic.cast(comparison.clamp(arithmetic.floor(result + 0.5), 0, 255), dtype=dtypes.uint8)
    return shapes.in_layout("channels", result, input)


def _per_dim(x: Any, dims: int, name: str) -> tuple[Any, ...]:
    """`x`, a number or one for each of the dimensions, as a tuple."""
    values = tuple(x) if isinstance(x, (tuple, list)) else (x,) * dims
    if len(values) != dims:
        raise InvalidValueError(f"Input and {name} must have the same number of spatial dimensions, but got {dims} and "
                                f"{len(values)} of {name}")
    return values


def _constant(array: Any, like: Any) -> Any:
    """A NumPy array as a tensor where `like` lives."""
    t: Any = object.__new__(like.result_class)
    t.array, t.node = _arrays.to_device(array, _arrays.device_of(like.array)), None
    return t


def _apply_along(x: Any, dim: int, matrix: Any) -> Any:
    """`matrix` applied to the vectors that lie along `dim` of `x`."""
    if dim == x.ndim - 1:
        return products.matmul(x, matrix.swapaxes(-1, -2))
    if dim == x.ndim - 2:
        return products.matmul(matrix, x)
    return shapes.movedim(products.matmul(shapes.movedim(x, dim, -1), matrix.swapaxes(-1, -2)), -1, dim)


def nearest_places(n: int, m: int, factor: float | None, exact: bool) -> Any:
    """For each of `m` places the one of `n` that is taken; in float32, as PyTorch computes it."""
    ratio = np.float32(1 / factor if factor else n / m)
    places = np.arange(m, dtype=np.float32)
    return np.minimum(np.floor((places + np.float32(0.5)) * ratio if exact else places * ratio).astype(np.int64), n - 1)


def centers(n: int, m: int, align_corners: bool, factor: float | None) -> Any:
    """Where the `m` new points lie among the `n` old ones, in float64."""
    if align_corners:
        return np.arange(m) * ((n - 1) / (m - 1) if m > 1 else 0.0)
    return (np.arange(m) + 0.5) * (1 / factor if factor else n / m) - 0.5


def linear_weights(n: int, m: int, align_corners: bool, factor: float | None) -> Any:
    """The matrix ``(m, n)`` of linear interpolation."""
    x = np.maximum(centers(n, m, align_corners, factor), 0)
    left = np.minimum(np.floor(x).astype(np.int64), n - 1)
    part = np.clip(x - left, 0, 1)
    matrix = np.zeros((m, n))
    np.add.at(matrix, (np.arange(m), left), 1 - part)
    np.add.at(matrix, (np.arange(m), np.minimum(left + 1, n - 1)), part)
    return matrix


def cubic_near(x: Any, a: float = -0.75) -> Any:
    """Keys's cubic convolution kernel, 1981, with the parameter `a`, for distances up to 1."""
    return ((a + 2) * x - (a + 3)) * x * x + 1


def cubic_far(x: Any, a: float = -0.75) -> Any:
    """The same kernel for distances from 1 to 2; beyond that it is 0."""
    return (((x - 5) * x + 8) * x - 4) * a


def cubic(x: Any, a: float) -> Any:
    """The whole kernel, for any distances."""
    x = np.abs(x)
    return np.where(x <= 1, cubic_near(x, a), np.where(x < 2, cubic_far(x, a), 0))


def cubic_weights(n: int, m: int, align_corners: bool, factor: float | None) -> Any:
    """The matrix ``(m, n)`` of cubic convolution; beyond the border its pixel is repeated."""
    x = centers(n, m, align_corners, factor)
    left = np.floor(x).astype(np.int64)
    matrix = np.zeros((m, n))
    for k in range(-1, 3):
        np.add.at(matrix, (np.arange(m), np.clip(left + k, 0, n - 1)), cubic(x - left - k, -0.75))
    return matrix


def filter_matrix(n: int, m: int, align_corners: bool, factor: float | None, is_cubic: bool) -> Any:
    """The matrix ``(m, n)`` of linear or cubic interpolation with a filter as wide as the new pixels."""
    ratio = ((n - 1) / (m - 1) if m > 1 else 0.0) if align_corners else 1 / factor if factor else n / m
    wide = max(ratio, 1.0)
    support = (2 if is_cubic else 1) * wide
    center = ratio * (np.arange(m) + 0.5)
    first = np.maximum((center - support + 0.5).astype(np.int64), 0)
    end = np.minimum((center + support + 0.5).astype(np.int64), n)
    places = np.arange(n)
    x = (places - center[:, None] + 0.5) / wide
    weights = cubic(x, -0.5) if is_cubic else np.maximum(1 - np.abs(x), 0)
    weights = np.where((places >= first[:, None]) & (places < end[:, None]), weights, 0)
    return weights / weights.sum(axis=1, keepdims=True)


def upsample(input: Tensor, size: IntOrInts | None = None, scale_factor: FloatOrFloats | None = None, mode: str = "nearest",
             align_corners: bool | None = None) -> Tensor:
    """An older name of :func:`interpolate`."""
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: IntOrInts | None = None, scale_factor: FloatOrFloats | None = None) -> Tensor:
    """:func:`interpolate` in mode "nearest"."""
    return interpolate(input, size, scale_factor, "nearest")


def upsample_bilinear(input: Tensor, size: IntOrInts | None = None, scale_factor: FloatOrFloats | None = None) -> Tensor:
    """:func:`interpolate` in mode "bilinear" with aligned corners."""
    return interpolate(input, size, scale_factor, "bilinear", align_corners=True)


# ---------------------------------------------------------------------------------------------------- sampling on a grid

def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """Where an affine map, ``(N, 2, 3)`` or ``(N, 3, 4)``, takes the points of an image of `size`, for :func:`grid_sample`."""
    dims = len(size) - 2
    if not theta.dtype.is_floating_point:
        raise InvalidValueError(f"affine_grid: Expected theta to have floating point type, but got {theta.dtype}")
    if dims not in (2, 3):
        raise NotImplementedError("affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got "
                                  f"size {list(size)}.")
    if tuple(theta.shape[1:]) != (dims, dims + 1):
        raise InvalidValueError(f"affine_grid: Expected a batch of {dims}D affine matrices of shape Nx{dims}x{dims + 1} for size "
                         f"{list(size)}. Got {list(theta.shape)}.")
    if min(size) <= 0:
        raise InvalidValueError(f"affine_grid: Expected non-zero, positive output size. Got {tuple(size)}")
    if align_corners and min(size[2:]) == 1:
        warnings.warn("affine_grid: with align_corners=True, a dimension of size 1 has its one point at the center, not at -1. "
                      "See the documentation of affine_grid for details.", stacklevel=2)
    axes = []
    for n in size[2:]:
        ends = 1.0 if align_corners else 1.0 - 1.0 / n
        axes.append(np.linspace(-ends, ends, n) if n > 1 else np.zeros(1))
    points = np.stack([*reversed(np.meshgrid(*axes, indexing="ij")), np.ones(size[2:])], axis=-1).reshape(-1, dims + 1)
    grid = products.matmul(_constant(points.astype(theta.array.dtype), theta), theta.swapaxes(-1, -2))
    return shapes.reshape(grid, shape=(theta.shape[0], *size[2:], dims))


@on_device_of_inputs
def grid_sample(input: Tensor, grid: Tensor, mode: str = "bilinear", padding_mode: str = "zeros",
                align_corners: bool | None = None) -> Tensor:
    """`input`, ``(N, C, *size)``, at the places `grid`, ``(N, *new, 2 or 3)``: x first, -1 at one edge and 1 at the other.

    Args:
        mode: "bilinear", "nearest" or (for images) "bicubic".
        padding_mode: what lies outside: "zeros", the "border" pixel, or a "reflection".
        align_corners: -1 and 1 are the centers of the outermost pixels, not their outer edges.
    """
    dims = input.ndim - 2
    if mode not in ("bilinear", "nearest", "bicubic"):
        raise InvalidValueError(f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: "
                                f"'{mode}'")
    if padding_mode not in ("zeros", "border", "reflection"):
        raise InvalidValueError("nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', "
                                f"but got: '{padding_mode}'")
    for wrong, problem in (
            (grid.shape[:1] != input.shape[:1], "expected grid and input to have same batch size"),
            (grid.shape[-1:] != (dims,), f"expected grid to have size {dims} in last dimension"),
            (0 in input.shape[2:], "expected input to have non-empty spatial dimensions"),
            (dims not in (2, 3) or grid.ndim != input.ndim, "expected 4D or 5D input and a grid of as many dimensions"),
            (mode == "bicubic" and dims == 3, "bicubic interpolation only supports 4D input")):
        if wrong:
            raise ShapeError(f"grid_sample(): {problem}, but got input of shape {list(input.shape)} and grid of shape "
                             f"{list(grid.shape)} in mode {mode}")
    sizes = tuple(input.shape[2:])
    places = [_pixels(grid[..., dims - 1 - k], sizes[k], align_corners) for k in range(dims)]  # z, y, x
    if mode != "bicubic":
        places = [_bring_inside(x, n, padding_mode, align_corners) for x, n in zip(places, sizes)]
    taps = [_taps(x, mode) for x in places]
    flat = shapes.reshape(input, shape=(*input.shape[:2], math.prod(sizes)))
    total: Any = None
    for corner in itertools.product(*taps):
        weight: Any = None
        index: Any = 0
        valid: Any = True
        for (place, part), n in zip(corner, sizes):
            if mode == "bicubic":
                inner = _bring_inside(_constant(place.astype(np.float64), input), n, padding_mode, align_corners)
                place = np.rint(inner.array).astype(np.int64)
            valid = valid & (place >= 0) & (place < n)
            index = index * n + place.clip(0, n - 1)
            weight = part if weight is None else part if part is None else weight * part
        index = index.reshape(input.shape[0], 1, math.prod(grid.shape[1:-1]))
        taken = scatter.gather(flat, 2, shapes.expand(_constant(index, input), size=(*input.shape[:2], index.shape[-1])))
        taken = shapes.reshape(taken, shape=(*input.shape[:2], *grid.shape[1:-1]))
        taken = taken * valid[:, None].astype(input.array.dtype)
        taken = taken if weight is None else taken * shapes.unsqueeze(weight, dim=1)
        total = taken if total is None else total + taken
    result: Tensor = total
    return result


def _pixels(x: Any, n: int, align_corners: bool | None) -> Any:
    """Places from -1 to 1 counted in pixels."""
    return (x + 1) * ((n - 1) / 2) if align_corners else (x + 1) * (n / 2) - 0.5


def _bring_inside(x: Any, n: int, padding_mode: str, align_corners: bool | None) -> Any:
    """Places, in pixels, with those outside of the image brought into it as `padding_mode` says."""
    if padding_mode == "reflection":
        low, span = (0.0, n - 1.0) if align_corners else (-0.5, float(n))
        if span == 0:
            x = x * 0
        else:
            away = arithmetic.abs(x - low)
            turns = arithmetic.floor(away / span)
            rest = away - turns.detach() * span
            odd = arithmetic.remainder(turns.detach(), 2) == 1
            x = comparison.where(odd, span - rest, rest) + low
    return x if padding_mode == "zeros" else activation.hardtanh(x, 0, n - 1)  # whose slope is 0 at the ends too


def _taps(x: Any, mode: str) -> list[tuple[Any, Any]]:
    """The pixels that a place takes from in one dimension, as integer arrays, each with its weight; None for 1."""
    raw = np.where(np.isfinite(x.array), x.array, -100)
    if mode == "nearest":
        return [(np.rint(raw).astype(np.int64), None)]
    left = np.floor(raw).astype(np.int64)
    part = x - left.astype(x.array.dtype)
    if mode == "bilinear":
        return [(left, 1 - part), (left + 1, part)]
    weights = (cubic_far(part + 1), cubic_near(part), cubic_near(1 - part), cubic_far(2 - part))
    return [(left + k, weight) for k, weight in zip(range(-1, 3), weights)]
