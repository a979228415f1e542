"""A window that slides over the trailing dimensions of an array: what convolution, pooling and unfold have in common.

A window has ``kernel`` elements in each dimension, `dilation` apart; its positions are `stride` apart. The array is first
padded with `padding` = (before, after) in each dimension, so that the windows end exactly where the padded array ends:

    size + before + after == (positions - 1) * stride + dilation * (kernel - 1) + 1

A negative ``after`` crops what no window reaches. In this form any three of size, kernel, positions and padding give the
fourth, so an operation and its adjoint share one set of settings.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays, errors
from minigrad.ops.shaping import shape as shapes

if TYPE_CHECKING:
    from collections.abc import Callable

    from minigrad._types.annotations import Tensor

__all__ = ["Windows", "with_batch_dim", "size_text", "exact_padding", "per_dim"]

Pairs = tuple[tuple[int, int], ...]


def per_dim(function: str, argument: str, value: Any, ndim: int) -> tuple[int, ...]:
    """`value`, an int or a sequence of one or of `ndim` ints, as `ndim` ints. Raises ``RuntimeError`` or ``TypeError``."""
    try:
        if isinstance(value, (tuple, list)):
            values = tuple([v.__index__() for v in value])
            if len(values) == ndim:
                return values
            if len(values) == 1:
                return values * ndim
        else:
            return (value.__index__(),) * ndim
    except (AttributeError, TypeError):
        raise errors.ArgumentError(f"{function}(): argument '{argument}' must be an int or a tuple of {ndim} ints, "
                                   f"not {value!r}") from None
    raise errors.ShapeError(f"{function}: expected {argument} to be a single integer value or a list of {ndim} values to match "
                            f"the {ndim} spatial dimensions, but got {argument}={list(values)}")


def size_text(size: Any) -> str:
    """Sizes as PyTorch writes them in messages."""
    return " x ".join(map(str, size))


def with_batch_dim(ndim: int, function: Callable[..., Tensor], input: Tensor, *others: Tensor | None, **settings: Any) -> Tensor:
    """`function` of an input that may lack its batch dimension."""
    if input.ndim == ndim + 2:
        return function(input, *others, **settings)
    out = function(shapes.reshape(input, shape=(1, *input.shape)), *others, **settings)
    return shapes.reshape(out, shape=tuple(out.shape[1:]))


def exact_padding(size: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int],
                  before: Sequence[int], positions: Sequence[int]) -> Pairs:
    """The padding with which the windows end where the padded array ends (see the module's text)."""
    return tuple([(b, (o - 1) * s + d * (k - 1) + 1 - n - b)
                  for n, k, s, d, b, o in zip(size, kernel, stride, dilation, before, positions)])


class Windows:
    """The positions of a window on arrays of shape (a, b, *size), where a and b are any two leading dimensions.

    Args:
        rows: let the windows move over whole rows. With stride 1 the elements that one element of the window meets are
            then one contiguous run of the padded array, which is copied several times faster than many short pieces; the
            results at the positions where the window would wrap around a row's end mean nothing and are cut off. `grid`
            is the shape of the positions with them, `positions` without.
    """

    def __init__(self, size: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int],
                 padding: Pairs, rows: bool = False) -> None:
        self.size, self.kernel, self.stride, self.dilation, self.padding = tuple(size), kernel, stride, dilation, padding
        self.padded = tuple([n + before + after for n, (before, after) in zip(size, padding)])
        self.positions = tuple([(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(self.padded, kernel, stride, dilation)])
        self.count = math.prod(kernel)
        row, exact = math.prod(self.padded[1:]), math.prod(self.positions[1:])
        self.rows = rows and all(s == 1 for s in stride) and row <= 2 * exact
        self.grid = (self.positions[0], *self.padded[1:]) if self.rows else self.positions
        self.wraps = self.rows and row > exact  # the last run then ends beyond the last row
        self.bare = not self.rows and all(before == 0 >= after for before, after in padding)
        self.buffer = (self.padded[0] + self.wraps, *self.padded[1:])
        crop = [min(n, p - before) for n, p, (before, _) in zip(size, self.padded, padding)]
        self.inner = (slice(None), slice(None), *[slice(before, before + n) for n, (before, _) in zip(crop, padding)])
        self.cropped = (slice(None), slice(None), *[slice(0, n) for n in crop])
        self.trimmed = (slice(None), slice(None), *[slice(0, n) for n in self.positions])

    def pad(self, x: Any, fill: Any = 0) -> Any:
        """`x` with its padding, as :meth:`taps` takes it; `x` itself where there is none."""
        if self.bare:
            return x
        padded = _arrays.full((*x.shape[:2], *self.buffer), fill, x)
        padded[self.inner] = x[self.cropped]
        return padded

    def unpad(self, padded: Any) -> Any:
        """The adjoint of :meth:`pad`."""
        if padded.shape[2:] == self.size and all(pair == (0, 0) for pair in self.padding):
            return padded
        if all(after >= 0 for _, after in self.padding):
            return padded[self.inner]
        x = np.zeros((*padded.shape[:2], *self.size), padded.dtype, like=padded)
        x[self.cropped] = padded[self.inner]
        return x

    def taps(self, padded: Any) -> Iterator[Any]:
        """For each element of the window, in row-major order, the view of `padded` that it meets: (a, b, *grid)."""
        if self.rows:
            flat, run = padded.reshape(*padded.shape[:2], math.prod(self.buffer)), math.prod(self.grid)
            starts = [0]
            for dim, (k, d) in enumerate(zip(self.kernel, self.dilation)):
                step = d * math.prod(self.padded[dim + 1:])
                starts = [start + i * step for start in starts for i in range(k)]
            for start in starts:
                yield flat[:, :, start:start + run]
        else:
            for offsets in itertools.product(*map(range, self.kernel)):
                yield padded[(..., *[self.along(dim, i)[-1] for dim, i in enumerate(offsets)])]

    def along(self, dim: int, i: int) -> tuple[slice, ...]:
        """The index of what element `i` of the window meets in dimension `dim` alone, of a padded array."""
        start, span = i * self.dilation[dim], self.stride[dim] * (self.positions[dim] - 1) + 1
        return (slice(None),) * (dim + 2) + (slice(start, start + span, self.stride[dim]),)

    def columns(self, x: Any) -> Any:
        """What every window meets, as an array (a, elements of the window, b, positions of the grid)."""
        fused = _arrays.kernels_of(x).columns(x, self.grid, self.kernel, self.stride, self.padding, self.dilation)
        if fused is not None:
            return fused
        shape = self.grid if not self.rows else (math.prod(self.grid),)
        columns = np.empty((x.shape[0], self.count, x.shape[1], *shape), x.dtype, like=x)
        for k, tap in enumerate(self.taps(self.pad(x))):
            columns[:, k] = tap
        return columns.reshape(x.shape[0], self.count, x.shape[1], math.prod(shape))

    def collect(self, columns: Any) -> Any:
        """The adjoint of :meth:`columns`: every element of `columns` added to the element of x it was taken from."""
        a, _, b, _ = columns.shape
        fused = _arrays.kernels_of(columns).collect(
            columns, b, self.size, self.grid, self.positions, self.kernel, self.stride, self.padding, self.dilation)
        if fused is not None:
            return fused
        padded = np.zeros((a, b, *self.buffer), columns.dtype, like=columns)
        columns = columns if self.rows else columns.reshape(a, self.count, b, *self.grid)
        for k, tap in enumerate(self.taps(padded)):
            tap += columns[:, k]
        return self.unpad(padded)

    def pad_to_grid(self, y: Any) -> Any:
        """`y`, of shape (a, b, *positions), as contiguous (a, b, *grid), with zeros where the grid has more."""
        if self.grid == self.positions:
            return y.copy()
        grid = np.zeros((*y.shape[:2], *self.grid), y.dtype, like=y)
        grid[self.trimmed] = y
        return grid
