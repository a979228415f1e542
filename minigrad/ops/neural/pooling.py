"""Pooling: one value for each position of a window.

A window over several dimensions is reduced one dimension after the other, which takes fewer steps than one for each of its
elements. Every kind of max pooling finds the place of each maximum in its plane; its gradient is then put at these places.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from minigrad import _arrays
from minigrad._arrays import choice
from minigrad._types.dtypes import FROM_NUMPY
from minigrad._types.tensor_base import unwrap
from minigrad.errors import DtypeError, InvalidValueError, RuntimeValueError, ShapeError
from minigrad.ops import sampling
from minigrad.ops.neural.sliding_window import Windows, exact_padding, per_dim, size_text, with_batch_dim
from minigrad.ops.pointwise import arithmetic, comparison, elementary
from minigrad.ops.shaping import shape as shapes
from minigrad.recording.device_guard import on_device_of_inputs
from minigrad.recording.op import op

if TYPE_CHECKING:
    from typing import Literal

    from minigrad._types.annotations import FloatOrFloats, IntOrInts, Tensor

__all__ = ["adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d",
           "adaptive_max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d", "fractional_max_pool2d", "fractional_max_pool3d",
           "lp_pool1d", "lp_pool2d", "lp_pool3d", "max_pool1d", "max_pool2d", "max_pool3d", "max_unpool1d", "max_unpool2d",
           "max_unpool3d"]


# ---------------------------------------------------------------------------------------------------- max

@op(layout="channels_1d_2d_3d", called="max_pool")
def max_pool(input: Any, *, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """The maximum of each window of `input` (n, channels, *size); NaN if there is one in it.

    `padding` holds a pair for each dimension, exact in the sense of :mod:`minigrad.ops.neural.sliding_window`.
    """
    arithmetic.require_real("max_pool", input)
    windows = Windows(input.shape[2:], kernel, stride, dilation, padding)
    fused = pool_fused(input, windows, False)
    return fused if fused is not None else reduce_windows(windows.pad(input, lowest_value(input.dtype)), windows, np.maximum,
                                                          max_along)
@max_pool.derivative("input")
def max_pool_wrt_input(g: Any, input: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    return max_pool_slope(g, input, kernel=kernel, stride=stride, padding=padding, dilation=dilation)


@op
def max_pool_slope(grad: Any, input: Any, *, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """The gradient of :func:`max_pool`: `grad` at the places of the maxima."""
    arithmetic.require_real("max_pool", input)
    windows = Windows(input.shape[2:], kernel, stride, dilation, padding)
    apart = windows.bare and all((k - 1) * d < s for k, s, d in zip(kernel, stride, dilation))
    if apart and input.__class__ is np.ndarray and input.dtype.kind == "f" and not np.isnan(np.max(input, initial=0)):
        return give_to_maxima(grad, input, windows)
    places = max_pool_indices(input, kernel=kernel, stride=stride, padding=padding, dilation=dilation)
    return put_in_planes(grad, places, size=tuple(input.shape[2:]))
@max_pool_slope.derivative("grad")
def max_pool_slope_wrt_grad(g: Any, input: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    return take_from_planes(g, max_pool_indices(input, kernel=kernel, stride=stride, padding=padding, dilation=dilation))
@max_pool_slope.derivative("input")
def max_pool_slope_wrt_input(g: Any, input: Any) -> Any: return arithmetic.zeros_of(input)


@op(differentiable=False, layout="channels_1d_2d_3d")
def max_pool_indices(input: Any, *, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """Where in its plane each window's first maximum is, counted in row-major order."""
    arithmetic.require_real("max_pool", input)
    windows = Windows(input.shape[2:], kernel, stride, dilation, padding)
    if (fused := pool_fused(input, windows, True)) is not None:
        return fused
    taps = [[windows.along(dim, i) for i in range(k)] for dim, k in enumerate(kernel)]
    starts = [np.arange(o) * s - before for o, s, (before, _) in zip(windows.positions, stride, padding)]
    first = [np.maximum(-(start // d), 0) for start, d in zip(starts, dilation)]  # of the elements that are not padding
    code = first_maximum(windows.pad(input, lowest_value(input.dtype)), taps, first)
    return plane_indices(code, starts, kernel, dilation, windows.size)


@op(differentiable=False, layout="channels_1d_2d")
def adaptive_max_pool_indices(input: Any, *, output_size: Any) -> Any:
    """Where in its plane the first maximum of each of `output_size` parts of `input` (n, channels, *size) is."""
    arithmetic.require_real("adaptive_max_pool_indices", input)
    taps, valid, starts, kernel = [], [], [], []
    for n, o in zip(input.shape[2:], output_size):
        start, end = adaptive_bounds(n, o)
        k = int(np.max(end - start, initial=1))
        taps.append([np.minimum(start + i, end - 1) for i in range(k)])
        valid.append([start + i < end for i in range(k)])
        starts.append(start)
        kernel.append(k)
    code = first_maximum(input, taps, valid=valid)
    return plane_indices(code, starts, kernel, (1,) * len(kernel), input.shape[2:])


@op(differentiable=False, layout="contiguous")
def fractional_max_pool_indices(input: Any, samples: Any, *, kernel: Any, output_size: Any) -> Any:
    """Where in its plane the first maximum of each window of `input` (n, channels, *size) is; the windows begin at steps
    that differ by at most one, in each plane as its `samples` (n, channels, dimensions), between 0 and 1, say."""
    arithmetic.require_real("fractional_max_pool_indices", input)
    xp, ndim, taps, starts = _arrays.xp_of(input), len(kernel), [], []
    for dim, (n, k, o) in enumerate(zip(input.shape[2:], kernel, output_size)):
        u = samples[..., 1 - dim if ndim == 2 else dim, None]  # PyTorch's order: of two dimensions, the width first
        step = (n - k) / max(o - 1, 1)
        start = ((xp.arange(o) + u) * step).astype(np.int64) - (u * step).astype(np.int64)
        start[..., o - 1] = n - k
        starts.append(start)
        shape = (*start.shape[:2], *[1] * dim, o, *[1] * (ndim - 1 - dim))
        taps.append([(start + i).reshape(shape) for i in range(k)])
    return plane_indices(first_maximum(input, taps), starts, kernel, (1,) * ndim, input.shape[2:])


@op(discrete=("indices",), layout="channels_1d_2d_3d")
def take_from_planes(input: Any, indices: Any) -> Any:
    """The elements of `input` (n, channels, *size) at `indices` (n, channels, *positions), counted within each plane."""
    planes = input.reshape(*input.shape[:2], math.prod(input.shape[2:]))
    flat = indices.reshape(*indices.shape[:2], math.prod(indices.shape[2:]))
    return np.take_along_axis(planes, flat, axis=2).reshape(indices.shape)
@take_from_planes.derivative("input")
def take_from_planes_wrt_input(g: Any, indices: Any, input_shape: Any) -> Any:
    return put_in_planes(g, indices, size=input_shape[2:])


@op(discrete=("indices",))
def put_in_planes(input: Any, indices: Any, *, size: Any) -> Any:
    """The adjoint of :func:`take_from_planes`: elements added up at their places in planes of `size`."""
    planes = np.zeros((*input.shape[:2], *size), input.dtype, like=input)
    if not _arrays.kernels_of(input).put_in_planes(planes, indices, input):
        _arrays.library_of(input).index_add(planes.reshape(-1), flat_plane_indices(indices, size), input.reshape(-1))
    return planes
@put_in_planes.derivative("input")
def put_in_planes_wrt_input(g: Any, indices: Any) -> Any: return take_from_planes(g, indices)


@op(discrete=("indices",), layout="channels_2d")
def max_unpool(input: Any, indices: Any, *, size: Any) -> Any:
    """The elements of `input` at their places in planes of `size`, zeros elsewhere; of two at one place, one is kept."""
    least, most = (int(np.min(indices)), int(np.max(indices))) if indices.size else (0, -1)
    if least < 0 or most >= math.prod(size):
        raise RuntimeValueError(f"max_unpool: Found an invalid max index: {least if least < 0 else most} (output volumes are of "
                                f"size {size_text(size)}); give output_size, or the indices that came with this pooling")
    planes = np.zeros((*input.shape[:2], *size), input.dtype, like=input)
    planes.reshape(-1)[flat_plane_indices(indices, size)] = input.reshape(-1)
    return planes
@max_unpool.derivative("input")
def max_unpool_wrt_input(g: Any, indices: Any) -> Any: return take_from_planes(g, indices)


def pool_fused(input: Any, windows: Windows, places: bool) -> Any:
    """Compute max pooling, or the positions of the maxima, by a kernel of the array library. Returns None if it has none."""
    w = windows
    return _arrays.kernels_of(input).max_pool(input, w.positions, w.kernel, w.stride, w.padding, w.dilation, places)


def lowest_value(dtype: Any) -> Any:
    """The smallest value of `dtype`, which is -inf for floating types."""
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def reduce_windows(values: Any, windows: Windows, pairwise: Callable[..., Any], along: Callable[..., Any]) -> Any:
    """Each window reduced by `pairwise`, which is np.maximum or np.add. `along` reduces a whole dimension in the same way."""
    for dim in range(len(windows.kernel)):
        values = reduce_dim(values, windows, dim, pairwise, along)
    return values.copy() if windows.kernel[-1] == 1 else values


def reduce_dim(values: Any, windows: Windows, dim: int, pairwise: Callable[..., Any], along: Callable[..., Any]) -> Any:
    """The windows reduced in one dimension."""
    k, first = windows.kernel[dim], values[windows.along(dim, 0)]
    if k == 1:
        return first
    if k > 2 and windows.positions[dim] == 1:
        whole = (slice(None),) * (dim + 2) + (slice(0, windows.padded[dim], windows.dilation[dim]),)
        return along(values[whole], dim + 2)
    result = pairwise(first, values[windows.along(dim, 1)], out=np.empty_like(first, order="C"))
    for i in range(2, k):
        pairwise(result, values[windows.along(dim, i)], out=result)
    return result


def give_to_maxima(grad: Any, input: Any, windows: Windows) -> Any:
    """`grad` at the first maximum of each window, of windows without padding that do not overlap: what is equal to what it was
    reduced to, first the row of a window, then the element of that row. No element must be NaN."""
    reduced = [input]  # by the last dimension first, so that among equal elements the first row wins, and in it the first
    for dim in reversed(range(len(windows.kernel))):
        reduced.append(reduce_dim(reduced[-1], windows, dim, np.maximum, max_along))
    for dim in range(len(windows.kernel)):
        greatest, values = reduced.pop(), reduced[-1]
        given = np.zeros(values.shape, grad.dtype)
        rest: Any = None  # the windows whose maximum has not been met yet
        for i in range(windows.kernel[dim]):
            at = windows.along(dim, i)
            hit = rest if i == windows.kernel[dim] - 1 else values[at] == greatest
            if hit is None:
                given[at] = grad
                break
            hit = hit if rest is None else hit & rest
            given[at] = choice.masked(grad, hit)
            rest = ~hit if rest is None else rest & ~hit
        grad = given
    return grad


def first_maximum(values: Any, taps: Sequence[Sequence[Any]], first: Any = None, valid: Any = None) -> Any:
    """Which element of each window is its first maximum, or its last NaN: its number in row-major order.

    The last dimension is reduced first, so that among equal elements the first row wins, and in it the first element.

    Args:
        taps: for each dimension and each element of the window, what it meets: an index of the whole array,
            or positions in that dimension (a vector, or one for each plane).
        first: for each dimension and position, the first element of the window that is not padding.
        valid: for each dimension, element and position, whether the window is that long there.
    """
    xp = _arrays.xp_of(values)
    # Looking for NaN once is quicker than asking at every comparison.
    has_nan = values.dtype.kind == "f" and values.size > 0 and bool(np.isnan(np.max(values)))
    dtype, width, code = np.uint8 if math.prod(map(len, taps)) <= 256 else np.int32, 1, None
    for dim in reversed(range(len(taps))):
        axis, shape = dim + 2, (-1, *[1] * (len(taps) - 1 - dim))
        best = pick(values, axis, taps[dim][0])
        chosen = np.zeros_like(best, dtype=dtype, order="C") if code is None else pick(code, axis, taps[dim][0])
        if first is not None and first[dim].any():
            chosen = chosen + xp.asarray(first[dim] * width, dtype=dtype).reshape(shape)
        for i in range(1, len(taps[dim])):
            value = pick(values, axis, taps[dim][i])
            later = value > best
            if has_nan:
                later |= value != value
                if valid is not None:
                    later &= xp.asarray(valid[dim][i]).reshape(shape)
            later = later.view(np.uint8)
            if code is None:
                chosen = np.maximum(chosen, later * dtype(i))
            else:
                chosen = chosen + later * (pick(code, axis, taps[dim][i]) + dtype(i * width) - chosen)
            best = np.maximum(best, value) if dim or i + 1 < len(taps[dim]) else best  # its last use is over
        values, code, width = best, chosen, width * len(taps[dim])
    return code


def pick(values: Any, axis: int, tap: Any) -> Any:
    """The elements of `values` along `axis` that `tap` selects."""
    if isinstance(tap, tuple):
        return values[tap]
    if tap.ndim == 1:
        return np.take(values, _arrays.xp_of(values).asarray(tap), axis=axis)
    return np.take_along_axis(values, tap, axis=axis)


def plane_indices(code: Any, starts: Sequence[Any], kernel: Any, dilation: Any, size: Any) -> Any:
    """Positions in a plane of `size`, in row-major order, of the elements `code` of windows that begin at `starts`."""
    xp, ndim = _arrays.xp_of(code), len(size)
    steps = [math.prod(size[d + 1:]) for d in range(ndim)]
    offsets = np.zeros((), dtype=np.int64)
    for k, d, step in zip(kernel, dilation, steps):
        offsets = offsets[..., None] + np.arange(k) * (d * step)
    places = np.take(xp.asarray(offsets.reshape(-1)), code)
    corners = starts[0] * steps[0]
    for start, step in zip(starts[1:], steps[1:]):
        between = [1] * (corners.ndim - start.ndim + 1)
        corners = corners[..., None] + (start * step).reshape(*start.shape[:-1], *between, start.shape[-1])
    places += xp.asarray(corners)
    return places


def flat_plane_indices(indices: Any, size: Any) -> Any:
    """Positions within each plane as positions in all planes, one after the other."""
    planes = indices.shape[0] * indices.shape[1]
    rows = indices.reshape(planes, math.prod(indices.shape[2:]))
    return (rows + _arrays.xp_of(indices).arange(planes).reshape(-1, 1) * math.prod(size)).reshape(-1)


# ---------------------------------------------------------------------------------------------------- average

@op(opmath=True, connected=True, layout="channels_1d_2d")
def avg_pool(input: Any, *, kernel: Any, stride: Any, padding: Any, divisor: Any) -> Any:
    """The sum of each window of `input` (n, channels, *size), divided by `divisor`.

    `divisor` is a number, or for each dimension a tuple with the number of elements to count at each position.
    """
    if input.dtype.kind not in "fc" and input.dtype != np.int64:
        raise DtypeError(f"avg_pool is not implemented for {FROM_NUMPY[input.dtype]!r}, in which sums may overflow; convert the "
                         "input with .float()")
    windows = Windows(input.shape[2:], kernel, stride, (1,) * len(kernel), padding)
    if input.__class__ is np.ndarray and windows.size == tuple(kernel) and windows.bare:  # one window, which is everything
        each = _arrays.sum_products(input.reshape(*input.shape[:2], windows.count), axes=(2,))
        return divide_by_count(each.reshape(*input.shape[:2], *windows.positions), divisor)
    return divide_by_count(reduce_windows(windows.pad(input), windows, np.add, sum_along), divisor)
@avg_pool.derivative("input")
def avg_pool_wrt_input(g: Any, input_shape: Any, kernel: Any, stride: Any, padding: Any, divisor: Any) -> Any:
    return avg_unpool(g, size=input_shape[2:], kernel=kernel, stride=stride, padding=padding, divisor=divisor)


@op(opmath=True)
def avg_unpool(input: Any, *, size: Any, kernel: Any, stride: Any, padding: Any, divisor: Any) -> Any:
    """The adjoint of :func:`avg_pool`: each element, divided, is added to every element of its window."""
    windows = Windows(size, kernel, stride, (1,) * len(kernel), padding)
    values = divide_by_count(input.copy(), divisor)
    if windows.size == tuple(kernel) and windows.bare:
        return np.broadcast_to(values, (*values.shape[:2], *windows.size)).copy()
    for dim, (k, s) in enumerate(zip(kernel, stride)):
        shape = list(values.shape)
        shape[dim + 2] = windows.padded[dim]
        wide = np.zeros(shape, values.dtype, like=values)
        for i in range(k):
            if k <= s:
                wide[windows.along(dim, i)] = values
            else:
                wide[windows.along(dim, i)] += values
        values = wide
    return windows.unpad(values).copy()
@avg_unpool.derivative("input")
def avg_unpool_wrt_input(g: Any, kernel: Any, stride: Any, padding: Any, divisor: Any) -> Any:
    return avg_pool(g, kernel=kernel, stride=stride, padding=padding, divisor=divisor)


@op(opmath=True, connected=True, layout="channels_1d_2d")
def adaptive_sum_pool(input: Any, *, output_size: Any) -> Any:
    """The sum of each of `output_size` parts of `input` (n, channels, *size).

    Part o contains element i exactly if part i of a division of all parts into as many parts as there are elements
    contains o; so the same operation, from the output's size to the input's, is its adjoint.
    """
    xp = _arrays.xp_of(input)
    for dim, (n, o) in enumerate(zip(input.shape[2:], output_size)):
        shape = list(input.shape)
        shape[dim + 2] = n + 1
        extended = np.zeros(shape, input.dtype, like=input)  # by a zero, where the shorter parts find what they lack
        extended[(slice(None),) * (dim + 2) + (slice(0, n),)] = input
        start, end = adaptive_bounds(n, o)
        summed = np.take(extended, xp.asarray(start), axis=dim + 2)
        for i in range(1, int(np.max(end - start, initial=1))):
            summed += np.take(extended, xp.asarray(np.where(start + i < end, start + i, n)), axis=dim + 2)
        input = summed
    return input
@adaptive_sum_pool.derivative("input")
def adaptive_sum_pool_wrt_input(g: Any, input_shape: Any) -> Any: return adaptive_sum_pool(g, output_size=input_shape[2:])


def sum_along(values: Any, axis: int) -> Any:
    """The sum along `axis`, which is kept."""
    return np.sum(values, axis=axis, keepdims=True, dtype=values.dtype)


def max_along(values: Any, axis: int) -> Any:
    """The maximum along `axis`, which is kept."""
    return np.max(values, axis=axis, keepdims=True)


def divide_by_count(values: Any, divisor: Any) -> Any:
    """`values`, which may be overwritten, divided by a number or by the product of a count for each dimension."""
    counts = divisor
    if isinstance(divisor, tuple):
        counts = outer_product(divisor, values)
    if values.dtype.kind in "iu":
        signs = np.sign(values) * np.sign(counts)  # the quotient is rounded towards zero
        return (signs * (np.abs(values) // np.abs(counts))).astype(values.dtype)
    return np.divide(values, counts, out=values)


@on_device_of_inputs
def outer_product(counts: Any, like: Any) -> Any:
    """The product of the counts of all dimensions, as an array that can be combined with `like`."""
    array = unwrap(like)
    return _arrays.xp_of(array).asarray(functools.reduce(np.multiply.outer, map(np.asarray, counts)), dtype=array.dtype)


def adaptive_bounds(n: int, parts: int) -> tuple[Any, Any]:
    """Where each of `parts` parts of `n` elements begins and ends: floor(i n / parts) and ceil((i + 1) n / parts)."""
    i = np.arange(parts)
    return i * n // max(parts, 1), -(-(i + 1) * n // max(parts, 1))


# ---------------------------------------------------------------------------------------------------- PyTorch's functions

@overload
def max_pool1d(input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0,
               dilation: IntOrInts = 1, ceil_mode: bool = False, return_indices: Literal[False] = False) -> Tensor: ...
@overload
def max_pool1d(input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0,
               dilation: IntOrInts = 1, ceil_mode: bool = False, *, return_indices: Literal[True]) -> tuple[Tensor, Tensor]: ...
@overload
def max_pool1d(input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0,
               dilation: IntOrInts = 1, ceil_mode: bool = False, *, return_indices: bool) -> Any: ...
def max_pool1d(input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0,
               dilation: IntOrInts = 1, ceil_mode: bool = False, return_indices: bool = False) -> Tensor | tuple[Tensor, Tensor]:
    """1-d max pooling; see :func:`max_pool2d`. `input` is (n, channels, width) or (channels, width)."""
    return pool_max("max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@overload
def max_pool2d(input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0,
               dilation: IntOrInts = 1, ceil_mode: bool = False, return_indices: Literal[False] = False) -> Tensor: ...
@overload
def max_pool2d(input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0,
               dilation: IntOrInts = 1, ceil_mode: bool = False, *, return_indices: Literal[True]) -> tuple[Tensor, Tensor]: ...
@overload
def max_pool2d(input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0,
               dilation: IntOrInts = 1, ceil_mode: bool = False, *, return_indices: bool) -> Any: ...
def max_pool2d(input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0,
               dilation: IntOrInts = 1, ceil_mode: bool = False, return_indices: bool = False) -> Tensor | tuple[Tensor, Tensor]:
    """The maximum of each window.

    Args:
        input: (n, channels, height, width), or (channels, height, width) without a batch.
        kernel_size, stride, padding, dilation: an int, or one for each dimension; `stride` None is `kernel_size`. Padding is
            with minus infinity, at most half a window.
        ceil_mode: round the number of positions up: the last window may reach beyond the padding, but begins before it.
        return_indices: return also where in its plane each maximum is, as :func:`max_unpool2d` takes it.

    The gradient goes to the first maximum of each window, in row-major order. NaN in a window makes its maximum NaN.

        >>> import minigrad
        >>> x = minigrad.tensor([[[1., 5., 2., 0.], [3., 4., 7., 6.]]])
        >>> max_pool2d(x, 2).tolist()
        [[[5.0, 7.0]]]
    """
    return pool_max("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@overload
def max_pool3d(input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0,
               dilation: IntOrInts = 1, ceil_mode: bool = False, return_indices: Literal[False] = False) -> Tensor: ...
@overload
def max_pool3d(input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0,
               dilation: IntOrInts = 1, ceil_mode: bool = False, *, return_indices: Literal[True]) -> tuple[Tensor, Tensor]: ...
@overload
def max_pool3d(input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0,
               dilation: IntOrInts = 1, ceil_mode: bool = False, *, return_indices: bool) -> Any: ...
def max_pool3d(input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0,
               dilation: IntOrInts = 1, ceil_mode: bool = False, return_indices: bool = False) -> Tensor | tuple[Tensor, Tensor]:
    """3-d max pooling; see :func:`max_pool2d`. `input` is (n, channels, depth, height, width), or without n."""
    return pool_max("max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def avg_pool1d(input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0,
               ceil_mode: bool = False, count_include_pad: bool = True) -> Tensor:
    """1-d average pooling; see :func:`avg_pool2d`. `input` is (n, channels, width) or (channels, width)."""
    return pool_avg("avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0,
               ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None) -> Tensor:
    """The mean of each window.

    Args:
        input: (n, channels, height, width), or (channels, height, width) without a batch.
        kernel_size, stride, padding: an int, or one for each dimension; `stride` None is `kernel_size`.
        ceil_mode: round the number of positions up; what lies beyond the padding is not counted.
        count_include_pad: whether the zeros of the padding count as elements.
        divisor_override: what to divide the sums by, in place of the number of elements.
    """
    return pool_avg("avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def avg_pool3d(input: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0,
               ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None) -> Tensor:
    """3-d average pooling; see :func:`avg_pool2d`. `input` is (n, channels, depth, height, width), or without n."""
    return pool_avg("avg_pool3d", 3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def lp_pool1d(input: Tensor, norm_type: float, kernel_size: IntOrInts, stride: IntOrInts | None = None,
              ceil_mode: bool = False) -> Tensor:
    """The `norm_type`-norm of each window, (sum of x**p)**(1/p); see :func:`lp_pool2d`."""
    return pool_lp(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(input: Tensor, norm_type: float, kernel_size: IntOrInts, stride: IntOrInts | None = None,
              ceil_mode: bool = False) -> Tensor:
    """The `norm_type`-norm of each window, (sum of x**p)**(1/p). The gradient where the sum is 0 is 0.

    Args:
        input: (n, channels, height, width), or (channels, height, width) without a batch.
        kernel_size, stride: an int, or one for each dimension; `stride` None is `kernel_size`.
    """
    return pool_lp(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(input: Tensor, norm_type: float, kernel_size: IntOrInts, stride: IntOrInts | None = None,
              ceil_mode: bool = False) -> Tensor:
    """The `norm_type`-norm of each window, (sum of x**p)**(1/p); see :func:`lp_pool2d`."""
    return pool_lp(3, input, norm_type, kernel_size, stride, ceil_mode)


def adaptive_avg_pool1d(input: Tensor, output_size: IntOrInts) -> Tensor:
    """The mean of each of `output_size` parts of the last dimension; see :func:`adaptive_avg_pool2d`."""
    return pool_adaptive("adaptive_avg_pool1d", 1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: int | Sequence[int | None]) -> Tensor:
    """The mean of each part, where `input` is divided into `output_size` parts of sizes as equal as can be.

    Args:
        input: (n, channels, height, width), or (channels, height, width) without a batch.
        output_size: an int, or one for each dimension; None keeps the size of that dimension.

    Part i of n elements in m parts goes from floor(i n / m) to ceil((i + 1) n / m).
    """
    return pool_adaptive("adaptive_avg_pool2d", 2, input, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: int | Sequence[int | None]) -> Tensor:
    """The mean of each of `output_size` parts; see :func:`adaptive_avg_pool2d`."""
    return pool_adaptive("adaptive_avg_pool3d", 3, input, output_size)


@overload
def adaptive_max_pool1d(input: Tensor, output_size: IntOrInts, return_indices: Literal[False] = False) -> Tensor: ...
@overload
def adaptive_max_pool1d(input: Tensor, output_size: IntOrInts, *, return_indices: Literal[True]) -> tuple[Tensor, Tensor]: ...
@overload
def adaptive_max_pool1d(input: Tensor, output_size: IntOrInts, *, return_indices: bool) -> Any: ...
def adaptive_max_pool1d(input: Tensor, output_size: IntOrInts, return_indices: bool = False) -> Tensor | tuple[Tensor, Tensor]:
    """The maximum of each of `output_size` parts of the last dimension; see :func:`adaptive_max_pool2d`."""
    return pool_adaptive_max("adaptive_max_pool1d", 1, input, output_size, return_indices)


@overload
def adaptive_max_pool2d(input: Tensor, output_size: int | Sequence[int | None],
                        return_indices: Literal[False] = False) -> Tensor: ...
@overload
def adaptive_max_pool2d(input: Tensor, output_size: int | Sequence[int | None], *, return_indices: Literal[True]) -> tuple[Tensor,
                        Tensor]: ...
@overload
def adaptive_max_pool2d(input: Tensor, output_size: int | Sequence[int | None], *, return_indices: bool) -> Any: ...
def adaptive_max_pool2d(input: Tensor, output_size: int | Sequence[int | None],
                        return_indices: bool = False) -> Tensor | tuple[Tensor, Tensor]:
    """The maximum of each part; the parts are those of :func:`adaptive_avg_pool2d`.

    With `return_indices` also where in its plane each maximum is. The gradient goes to the first maximum of a part.
    """
    return pool_adaptive_max("adaptive_max_pool2d", 2, input, output_size, return_indices)


@overload
def adaptive_max_pool3d(input: Tensor, output_size: int | Sequence[int | None],
                        return_indices: Literal[False] = False) -> Tensor: ...
@overload
def adaptive_max_pool3d(input: Tensor, output_size: int | Sequence[int | None], *, return_indices: Literal[True]) -> tuple[Tensor,
                        Tensor]: ...
@overload
def adaptive_max_pool3d(input: Tensor, output_size: int | Sequence[int | None], *, return_indices: bool) -> Any: ...
def adaptive_max_pool3d(input: Tensor, output_size: int | Sequence[int | None],
                        return_indices: bool = False) -> Tensor | tuple[Tensor, Tensor]:
    """The maximum of each of `output_size` parts; see :func:`adaptive_max_pool2d`."""
    return pool_adaptive_max("adaptive_max_pool3d", 3, input, output_size, return_indices)


@overload
def fractional_max_pool2d(input: Tensor, kernel_size: IntOrInts, output_size: IntOrInts | None = None,
                          output_ratio: FloatOrFloats | None = None, return_indices: Literal[False] = False,
                          _random_samples: Tensor | None = None) -> Tensor: ...
@overload
def fractional_max_pool2d(input: Tensor, kernel_size: IntOrInts, output_size: IntOrInts | None = None,
                          output_ratio: FloatOrFloats | None = None, *, return_indices: Literal[True],
                          _random_samples: Tensor | None = None) -> tuple[Tensor, Tensor]: ...
@overload
def fractional_max_pool2d(input: Tensor, kernel_size: IntOrInts, output_size: IntOrInts | None = None,
                          output_ratio: FloatOrFloats | None = None, *, return_indices: bool,
                          _random_samples: Tensor | None = None) -> Any: ...
def fractional_max_pool2d(input: Tensor, kernel_size: IntOrInts, output_size: IntOrInts | None = None,
                          output_ratio: FloatOrFloats | None = None, return_indices: bool = False,
                          _random_samples: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
    """The maximum of windows at random places, whose steps differ by at most one.

    Args:
        input: (n, channels, height, width), or (channels, height, width) without a batch.
        kernel_size: an int, or one for each dimension.
        output_size, output_ratio: how many windows: a number for each dimension, or their ratio to the input's size.
        return_indices: return also where in its plane each maximum is.

    Source: Graham, Fractional Max-Pooling, 2014.
    """
    return pool_fractional("fractional_max_pool2d", 2, input, kernel_size, output_size, output_ratio, return_indices,
                           _random_samples)


@overload
def fractional_max_pool3d(input: Tensor, kernel_size: IntOrInts, output_size: IntOrInts | None = None,
                          output_ratio: FloatOrFloats | None = None, return_indices: Literal[False] = False,
                          _random_samples: Tensor | None = None) -> Tensor: ...
@overload
def fractional_max_pool3d(input: Tensor, kernel_size: IntOrInts, output_size: IntOrInts | None = None,
                          output_ratio: FloatOrFloats | None = None, *, return_indices: Literal[True],
                          _random_samples: Tensor | None = None) -> tuple[Tensor, Tensor]: ...
@overload
def fractional_max_pool3d(input: Tensor, kernel_size: IntOrInts, output_size: IntOrInts | None = None,
                          output_ratio: FloatOrFloats | None = None, *, return_indices: bool,
                          _random_samples: Tensor | None = None) -> Any: ...
def fractional_max_pool3d(input: Tensor, kernel_size: IntOrInts, output_size: IntOrInts | None = None,
                          output_ratio: FloatOrFloats | None = None, return_indices: bool = False,
                          _random_samples: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
    """3-d max pooling of windows at random places; see :func:`fractional_max_pool2d`."""
    return pool_fractional("fractional_max_pool3d", 3, input, kernel_size, output_size, output_ratio, return_indices,
                           _random_samples)


def max_unpool1d(input: Tensor, indices: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0,
                 output_size: Sequence[int] | None = None) -> Tensor:
    """1-d inverse of max pooling; see :func:`max_unpool2d`."""
    return unpool_max("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(input: Tensor, indices: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0,
                 output_size: Sequence[int] | None = None) -> Tensor:
    """Maxima put back where they came from, zeros elsewhere.

    Args:
        input: (n, channels, height, width), or without n.
        indices: where in its plane each element goes, from ``max_pool2d(..., return_indices=True)``.
        kernel_size, stride, padding: those of the pooling; they give the size of the result, (n - 1) stride - 2 padding + kernel.
        output_size: the size of the result, where several are possible: within a stride of that one.
    """
    return unpool_max("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(input: Tensor, indices: Tensor, kernel_size: IntOrInts, stride: IntOrInts | None = None, padding: IntOrInts = 0,
                 output_size: Sequence[int] | None = None) -> Tensor:
    """3-d inverse of max pooling; see :func:`max_unpool2d`."""
    return unpool_max("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)


def pool_max(name: str, ndim: int, input: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool,
             return_indices: bool) -> Tensor | tuple[Tensor, Tensor]:
    settings = window_settings(name, ndim, input, kernel_size, stride, padding, dilation, ceil_mode)
    if not return_indices:
        return with_batch_dim(ndim, max_pool, input, **settings)
    indices = with_batch_dim(ndim, max_pool_indices, input, **settings)
    return with_batch_dim_pair(ndim, input, indices), indices


def pool_avg(name: str, ndim: int, input: Tensor, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool,
             count_include_pad: bool, divisor_override: int | None) -> Tensor:
    if divisor_override == 0:
        raise RuntimeValueError(f"{name}: divisor must be not zero")
    settings = window_settings(name, ndim, input, kernel_size, stride, padding, 1, ceil_mode)
    del settings["dilation"]
    divisor: Any = divisor_override
    if divisor is None and all(before == 0 >= after for before, after in settings["padding"]):
        divisor = math.prod(settings["kernel"])
    elif divisor is None:
        counts = []
        for n, k, s, (p, after) in zip(input.shape[-ndim:], settings["kernel"], settings["stride"], settings["padding"]):
            start = np.arange((n + p + after - k) // s + 1) * s - p
            end = np.minimum(start + k, n + p)
            counts.append(tuple((end - start if count_include_pad else np.minimum(end, n) - np.maximum(start, 0)).tolist()))
        divisor = tuple(counts)
    return with_batch_dim(ndim, avg_pool, input, **settings, divisor=divisor)


def pool_lp(ndim: int, input: Any, norm_type: float, kernel_size: Any, stride: Any, ceil_mode: bool) -> Tensor:
    name = f"lp_pool{ndim}d"
    kernel = per_dim(name, "kernel_size", kernel_size, ndim)
    mean = pool_avg(name, ndim, elementary.pow(input, norm_type), kernel, stride, 0, ceil_mode, True, None)
    summed = arithmetic.mul(arithmetic.apply_mask(mean, comparison.ne(mean, 0)), math.prod(kernel))
    return elementary.pow(summed, 1.0 / norm_type)


def pool_adaptive(name: str, ndim: int, input: Tensor, output_size: Any) -> Tensor:
    size, wanted = tuple(input.shape[-ndim:]), adaptive_size(name, ndim, input, output_size)
    kernel = equal_parts(size, wanted)
    if kernel is not None:
        return with_batch_dim(ndim, avg_pool, input, kernel=kernel, stride=kernel, padding=((0, 0),) * ndim,
                              divisor=math.prod(kernel))
    summed = with_batch_dim(ndim, adaptive_sum_pool, input, output_size=wanted)
    lengths = [end - start for start, end in map(adaptive_bounds, size, wanted)]
    return arithmetic.true_divide(summed, outer_product(lengths, summed))


def pool_adaptive_max(name: str, ndim: int, input: Any, output_size: Any, return_indices: bool) -> Tensor | tuple[Tensor, Tensor]:
    wanted = adaptive_size(name, ndim, input, output_size)
    kernel = equal_parts(input.shape[-ndim:], wanted)
    if kernel is not None:
        return pool_max(name, ndim, input, kernel, kernel, 0, 1, False, return_indices)
    indices = with_batch_dim(ndim, adaptive_max_pool_indices, input, output_size=wanted)
    values = with_batch_dim_pair(ndim, input, indices)
    return (values, indices) if return_indices else values


def equal_parts(size: Any, wanted: Any) -> tuple[int, ...] | None:
    """The window of an adaptive pooling whose parts are all of one size, else None."""
    equal = all(o > 0 and n % o == 0 for n, o in zip(size, wanted))
    return tuple([n // o for n, o in zip(size, wanted)]) if equal else None


def pool_fractional(name: str, ndim: int, input: Any, kernel_size: Any, output_size: Any, output_ratio: Any,
                    return_indices: bool, samples: Any) -> Tensor | tuple[Tensor, Tensor]:
    check_input(name, ndim, input)
    kernel, size = per_dim(name, "kernel_size", kernel_size, ndim), input.shape[-ndim:]
    if output_size is None:
        if output_ratio is None:
            raise InvalidValueError(f"{name} requires specifying either an output_size or an output_ratio")
        ratios = output_ratio if isinstance(output_ratio, (tuple, list)) else (output_ratio,) * ndim
        if len(ratios) != ndim:
            raise InvalidValueError(f"{name} requires output_ratio to either be a single Int or tuple of Ints.: a number or "
                                    f"{ndim}, but got {output_ratio}")
        output_size = [int(n * ratio) for n, ratio in zip(size, ratios)]
    wanted = per_dim(name, "output_size", output_size, ndim)
    if any(o < 1 or k < 1 or o + k - 1 > n for n, k, o in zip(size, kernel, wanted)):
        raise ShapeError(f"{name}: pool size {size_text(kernel)} too large relative to input size {size_text(size)} for an "
                         f"output of {size_text(wanted)}; output + pool - 1 must be at most the input's size")
    if samples is None:
        n = input.shape[0] if input.ndim == ndim + 2 else 1
        samples = sampling.rand(n, input.shape[-ndim - 1], ndim, dtype=input.dtype, device=input.device)
    elif input.ndim == ndim + 1:
        samples = samples[:1]
    indices = with_batch_dim(ndim, lambda x: fractional_max_pool_indices(x, samples, kernel=kernel, output_size=wanted), input)
    values = with_batch_dim_pair(ndim, input, indices)
    return (values, indices) if return_indices else values


def with_batch_dim_pair(ndim: int, input: Any, indices: Any) -> Any:
    """The elements of `input` at `indices`, both with or without their batch dimension."""
    if input.ndim == ndim + 2:
        return take_from_planes(input, indices)
    return with_batch_dim(ndim, lambda x: take_from_planes(x, shapes.reshape(indices, shape=(1, *indices.shape))), input)


def unpool_max(name: str, ndim: int, input: Tensor, indices: Any, kernel_size: Any, stride: Any, padding: Any,
               output_size: Any) -> Tensor:
    check_input(name, ndim, input)
    kernel = per_dim(name, "kernel_size", kernel_size, ndim)
    step = kernel if stride is None else per_dim(name, "stride", stride, ndim)
    before = per_dim(name, "padding", padding, ndim)
    if tuple(indices.shape) != tuple(input.shape):
        raise ShapeError(f"{name}: Expected shape of indices to be the same as that of the input tensor ({list(input.shape)}), "
                         f"but got indices tensor with shape: {list(indices.shape)}")
    size = tuple([(n - 1) * s - 2 * p + k for n, s, p, k in zip(input.shape[-ndim:], step, before, kernel)])
    if output_size is not None:
        wanted = tuple(output_size)[-ndim:]
        if len(output_size) not in (ndim, ndim + 1, ndim + 2):
            raise InvalidValueError(f"{name}: output_size should be a sequence containing {ndim} or {ndim + 2} elements, but it "
                                    f"has a length of '{len(output_size)}'")
        for d, (n, w, s) in enumerate(zip(size, wanted, step)):
            if not n - s < w < n + s:
                raise InvalidValueError(f'{name}: invalid output_size "{wanted}" (dim {d} must be between {n - s} and {n + s})')
        size = wanted
    if input.ndim == ndim + 2:
        return max_unpool(input, indices, size=size)
    return with_batch_dim(ndim, lambda x: max_unpool(x, shapes.reshape(indices, shape=(1, *indices.shape)), size=size), input)


# ---------------------------------------------------------------------------------------------------- settings and refusals

def check_input(name: str, ndim: int, input: Any, channels: bool = False) -> None:
    """Raise unless `input` has the dimensions of a pooling, of which the last `ndim`, and the `channels` if asked, are not 0."""
    shape = list(input.shape)
    if len(shape) not in (ndim + 1, ndim + 2) or 0 in shape[-ndim - channels:]:
        dims = f"{ndim + 1}D or {ndim + 2}D (batch mode)"
        raise ShapeError(f"{name}: non-empty {dims} tensor expected for input: Expected {dims} tensor with optional 0 dim "
                         f"batch size for input, but got: {shape}")


def window_settings(name: str, ndim: int, input: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
                    ceil_mode: bool) -> dict[str, Any]:
    """The settings of max_pool. Raises where they do not fit `input`."""
    check_input(name, ndim, input, channels=True)
    kernel = per_dim(name, "kernel_size", kernel_size, ndim)
    step = kernel if stride is None or stride in ((), []) else per_dim(name, "stride", stride, ndim)
    before, spread = per_dim(name, "padding", padding, ndim), per_dim(name, "dilation", dilation, ndim)
    for argument, values in (("kernel size", kernel), ("stride", step), ("dilation", spread)):
        if any(v < 1 for v in values):
            raise RuntimeValueError(f"{name}: {argument} should be greater than zero, but got {list(values)}")
    if any(p < 0 or p > (d * (k - 1) + 1) // 2 for p, k, d in zip(before, kernel, spread)):
        raise RuntimeValueError(f"{name}: pad should be at most half of effective kernel size, and not negative, but got "
                                f"pad={list(before)}, kernel_size={list(kernel)} and dilation={list(spread)}")
    size, positions = input.shape[-ndim:], []
    for n, k, s, p, d in zip(size, kernel, step, before, spread):
        room = n + 2 * p - d * (k - 1) - 1
        count = (room + (s - 1 if ceil_mode else 0)) // s + 1
        positions.append(count - 1 if ceil_mode and (count - 1) * s >= n + p else count)
    if any(n < 1 for n in positions):
        channels = input.shape[-ndim - 1]
        raise ShapeError(f"{name}: Given input size: ({size_text((channels, *size)).replace(' ', '')}). Calculated output size: "
                         f"({size_text((channels, *positions)).replace(' ', '')}). Output size is too small; the kernel of "
                         f"{size_text(kernel)} does not fit the padded input")
    return {"kernel": kernel, "stride": step, "padding": exact_padding(size, kernel, step, spread, before, positions),
            "dilation": spread}


def adaptive_size(name: str, ndim: int, input: Any, output_size: Any) -> tuple[int, ...]:
    """`output_size` as ints, None replaced by the input's size. Raises where it does not fit `input`."""
    if input.ndim <= ndim:
        raise InvalidValueError(f"{name}: Input dimension should be at least {ndim + 1}, but got input of size "
                                f"{list(input.shape)}")
    check_input(name, ndim, input)
    given = (output_size,) * ndim if isinstance(output_size, int) or output_size is None else tuple(output_size)
    if len(given) != ndim:
        raise ShapeError(f"{name}: output_size must be {ndim} ints, but got {output_size}")
    wanted = tuple([n if o is None else int(o) for o, n in zip(given, input.shape[-ndim:])])
    if any(o < 0 for o in wanted):
        raise RuntimeValueError(f"{name}: elements of output_size must be greater than or equal to 0, but got {list(wanted)}")
    return wanted
