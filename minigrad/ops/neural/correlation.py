"""The three sums of :mod:`minigrad.ops.neural.convolution` as products of matrices.

Each is a product with the columns of x: for each position, what its window meets. The columns are made anew for the gradient
of the weight: to keep them would save a twentieth of the time of a LeNet step, and cost as many times the image's memory as
the kernel has elements.

To make them is to copy x as often as the kernel has elements, so as little of them as possible is made.

* Of an array that is laid out row after row of the image, what one row of positions meets is one contiguous piece: the rows
  that the kernel covers. The piece of the next row of positions begins one stride later. So the columns of all rows of
  positions lie in memory one over the other, and BLAS takes each as a matrix of its own. Only the elements of one row of the
  kernel are copied: three times x, not nine times. (If ``X[h, j, c, n, w]`` is the image n, channel c, at row h and column
  w + j, then the matrix of row h has the rows ``X[h], X[h + 1], X[h + 2]``, which follow each other.)
* For the gradient of the weight it is the other way: each row of the kernel meets its own rows of the image, all positions
  at once, and these rows are one piece.
* Each element of the columns is copied once and multiplied as often as there are channels in y. Where these are many, the
  copies are little beside the products, and one large product is faster than a small one for each row.
* The gradient of x is a convolution of y, with the kernel turned around. With a stride of s the elements of x fall into s * s
  interleaved images, each of which meets its own part of the kernel: as many small convolutions with a stride of one, in
  which nothing is computed that is not needed. Where x has few channels, their matrices would be so low that BLAS loses more
  than that gains, and where y has few positions, to turn the kernel takes longer than that gains; then columns are computed,
  and added up where they overlap.

Whatever is made is made for a part of the batch at a time, so that it stays in the cache, and by a function of its own, so that
it is gone when the next part is made.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad import _arrays
from minigrad.ops.linear_algebra import products
from minigrad.ops.neural.sliding_window import Windows

__all__ = ["correlate", "correlate_weight", "spread"]

WIDE = 64  # numbers in a row of the columns of one row of positions, from which on it pays to multiply row by row
HIGH = 8  # rows of a matrix, from which on BLAS is near its speed
FEW = 64  # products with one element, up to which it pays to spare a copy of it; positions, up to which columns are added up


def correlate(x: Any, weight: Any, bias: Any, windows: Windows, groups: int, y: Any) -> None:
    """Write what the windows on `x` (n, channels, *size) give with `weight` (out, channels / groups, *kernel), plus `bias`, to
    `y` (n, out, *positions), which may be a view."""
    n, channels, out, positions = x.shape[0], weight.shape[1], weight.shape[0] // groups, windows.positions
    x, y = x.reshape(n, groups, channels, *windows.size), y.reshape(n, groups, out, *positions)
    if bias is not None:
        bias = bias.reshape(groups, out, *[1] * len(positions))
    if not weight.size:
        put(y, 0, bias)
    elif windows.is_pointwise:
        found = product(weight.reshape(groups, out, channels), x.reshape(n, groups, channels, math.prod(positions)))
        put(y, found.reshape(y.shape), bias)
    elif goes_by_rows(x, windows, out) and n * math.prod(positions[1:]) >= WIDE:
        kernel = np.moveaxis(weight, 1, -1).reshape(groups, 1, out, math.prod(weight.shape[1:]))
        for part in parts(n, groups * channels, windows.rows, x):
            put(y[part], row_by_row(kernel, x[part], windows), bias)
    else:
        kernel = weight.reshape(groups, out, math.prod(weight.shape[1:]))
        for part in parts(n, groups * channels, windows, x):
            put(y[part], at_once(kernel, x[part], windows), bias)


def spread(y: Any, weight: Any, bias: Any, windows: Windows, groups: int, x: Any) -> None:
    """The adjoint of :func:`correlate`: write what `y` gives to the elements that it was computed from, plus `bias`, to `x`."""
    n, channels, out, positions = y.shape[0], weight.shape[1], weight.shape[0] // groups, windows.positions
    kernel = weight.reshape(groups, out, *weight.shape[1:]).swapaxes(1, 2)
    many = (channels >= HIGH and math.prod(positions) > FEW) or out == 1
    if y.__class__ is np.ndarray and many and windows.interleaves:
        turned = np.flip(kernel, tuple(range(3, kernel.ndim))).reshape(groups * channels, out, *windows.kernel)
        for image, elements, meeting in windows.interleaved:
            correlate(y, turned[(..., *elements)], bias, meeting, groups, x[(..., *image)])
        return
    if bias is not None:
        bias = bias.reshape(-1, *[1] * len(positions))
    if not weight.size:
        put(x, 0, bias)
        return
    kernel = kernel.swapaxes(1, 2).reshape(groups, out, -1).swapaxes(1, 2)
    for part in parts(n, groups * channels, windows, y):
        put(x[part], collected(kernel, y[part], windows).swapaxes(0, 1), bias)


def correlate_weight(x: Any, y: Any, windows: Windows, groups: int) -> Any:
    """The weight (out, channels / groups, *kernel) whose elements are the products of `x` and `y` that each would multiply,
    added up."""
    n, channels, out = x.shape[0], x.shape[1] // groups, y.shape[1] // groups
    x, y = x.reshape(n, groups, channels, *windows.size), y.reshape(n, groups, out, *windows.positions)
    steps = windows.rows.count * channels
    if not x.size or not y.size:
        weight = np.zeros((groups * out, channels, *windows.kernel), x.dtype, like=x)
    elif goes_by_rows(x, windows, out) and windows.stride[0] == 1 and (steps >= 2 * HIGH or out == 1):
        weight = total(np.matmul(rows_of_kernel(windows.rows.lay_out(x[part], "ngc", "gckrnp"), windows),
                                 np.moveaxis(y[part], 0, 3).reshape(groups, 1, out, -1).swapaxes(2, 3))
                       for part in parts(n, groups * channels, windows.rows, x))
        weight = weight.reshape(groups, windows.kernel[0], channels, windows.rows.count, out).transpose(0, 4, 2, 1, 3)
    else:
        weight = total(product(np.moveaxis(y[part], 0, 2).reshape(groups, out, -1), columns_of(x[part], windows).swapaxes(1, 2))
                       for part in parts(n, groups * channels, windows, x))
    return weight.reshape(groups * out, channels, *windows.kernel)


def goes_by_rows(x: Any, windows: Windows, out: int) -> bool:
    """Whether the windows of one row of positions and those of the next have rows in common, which follow each other, and it
    pays not to copy these twice."""
    return (x.__class__ is np.ndarray and len(windows.size) > 1 and windows.dilation[0] == 1
            and windows.kernel[0] > windows.stride[0] and out <= FEW)


def row_by_row(kernel: Any, x: Any, windows: Windows) -> Any:
    """What the windows on `x` (n, groups, channels, *size) give with `kernel`, as (n, groups, out, *positions), by a product for
    each row of positions."""
    columns = sliding(windows.rows.lay_out(x, "ngc", "grkcnp"), windows)
    found = np.matmul(kernel, columns)
    return np.moveaxis(found.reshape(*found.shape[:3], -1, *windows.positions[1:]), (3, 0, 2), (0, 1, 2))


def at_once(kernel: Any, x: Any, windows: Windows) -> Any:
    """What the windows on `x` give with `kernel`, in the shapes of :func:`row_by_row`, by one product."""
    found = product(kernel, columns_of(x, windows))
    return np.moveaxis(found.reshape(*found.shape[:2], -1, *windows.positions), 2, 0)


def collected(kernel: Any, y: Any, windows: Windows) -> Any:
    """What `y` (n, out, *positions) gives to the elements that it was computed from, added up: (channels, n, *size)."""
    dims = len(windows.positions)
    columns = product(kernel, y.transpose(*range(1, dims + 2), 0).reshape(len(kernel), kernel.shape[2], -1))
    columns = columns.reshape(-1, *windows.kernel, *windows.positions, len(y))
    return windows.collect(columns.transpose(*range(dims + 1), 2 * dims + 1, *range(dims + 1, 2 * dims + 1)))


def columns_of(x: Any, windows: Windows) -> Any:
    """What every window meets of `x` (n, groups, channels, *size): (groups, elements of the window, n * positions)."""
    n, groups, channels = x.shape[:3]
    columns = windows.columns(x.reshape(n, groups * channels, *windows.size).swapaxes(0, 1))
    return columns.reshape(groups, channels * windows.count, -1)


def sliding(laid_out: Any, windows: Windows) -> Any:
    """The matrices (groups, positions[0], elements of the window, columns) that overlap in an array whose dimensions are groups
    and rows of the image, and then what one row of positions meets of one row."""
    groups, _, *row = laid_out.shape
    cut = len(windows.kernel) + 1  # behind the elements of one row of the window and the channels
    elements, columns = windows.kernel[0] * math.prod(row[:cut]), math.prod(row[cut:])
    group, step, *_, item = laid_out.strides
    return _arrays.library_of(laid_out).as_strided(
        laid_out, (groups, windows.positions[0], elements, columns), (group, step * windows.stride[0], columns * item, item))


def rows_of_kernel(laid_out: Any, windows: Windows) -> Any:
    """The matrices (groups, kernel[0], elements of one row of the window, columns) that overlap in an array whose dimensions are
    groups, channels, the elements of one row, and then the rows of the image, the samples and the other positions."""
    groups, channels = laid_out.shape[:2]
    group, item, row = laid_out.strides[0], laid_out.itemsize, laid_out.strides[2 + len(windows.kernel)]
    elements = channels * windows.rows.count
    return _arrays.library_of(laid_out).as_strided(
        laid_out, (groups, windows.kernel[0], elements, windows.positions[0] * row // item),
        (group, row, windows.rows.positions[0] * row, item))


def parts(n: int, channels: int, windows: Windows, like: Any) -> Iterator[slice]:
    """Yield parts of a batch of `n` of such a size that their columns stay in the cache, or, on a GPU, leave memory for the
    rest."""
    step = max(1, _arrays.library_of(like).buffer // max(1, channels * windows.count * math.prod(windows.positions)))
    step = math.ceil(n / math.ceil(n / step)) if n else 1  # parts of about the same size
    return (slice(start, start + step) for start in range(0, n, step))


def product(a: Any, b: Any) -> Any:
    """The product of matrices. An outer product, as in depthwise convolution, is done by broadcasting, which is many times
    faster."""
    return a * b if a.shape[-1] == 1 else products.multiply(a, b)


def total(terms: Iterator[Any]) -> Any:
    """The sum of new arrays, added up in the first of them."""
    first = next(terms)
    for term in terms:
        first += term
    return first


def put(y: Any, found: Any, bias: Any) -> None:
    """Write `found`, plus the bias where there is one, to `y`."""
    if bias is None:
        y[...] = found
    else:
        np.add(found, bias, out=y)
