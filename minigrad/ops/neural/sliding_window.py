"""A window that slides over the trailing dimensions of an array: what convolution, pooling and unfold have in common.

A window has ``kernel`` elements in each dimension, `dilation` apart; its positions are `stride` apart. The array is first
padded with `padding` = (before, after) in each dimension, so that the windows end exactly where the padded array ends:

    size + before + after == (positions - 1) * stride + dilation * (kernel - 1) + 1

A negative ``after`` crops what no window reaches. In this form any three of size, kernel, positions and padding give the
fourth, so an operation and its adjoint share one set of settings.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays, errors
from minigrad.ops.shaping import shape as shapes

if TYPE_CHECKING:
    from collections.abc import Callable

    from minigrad._types.annotations import Tensor

__all__ = ["Windows", "with_batch_dim", "size_text", "exact_padding", "per_dim", "windows_of"]

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
    """The positions of a window on arrays whose last dimensions are `size`."""

    def __init__(self, size: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int],
                 padding: Pairs) -> None:
        self.size, self.kernel, self.stride, self.dilation, self.padding = tuple(size), kernel, stride, dilation, padding
        self.padded = tuple([n + before + after for n, (before, after) in zip(size, padding)])
        self.positions = tuple([(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(self.padded, kernel, stride, dilation)])
        self.count = math.prod(kernel)
        self.bare = all(before == 0 >= after for before, after in padding)

    @functools.cached_property
    def inner(self) -> tuple[Any, Any]:
        """Where in a padded array the elements are that have a place in an array without padding, and that place."""
        crop = [min(n, p - before) for n, p, (before, _) in zip(self.size, self.padded, self.padding)]
        return ((..., *[slice(before, before + n) for n, (before, _) in zip(crop, self.padding)]),
                (..., *[slice(0, n) for n in crop]))

    def pad(self, x: Any, fill: Any = 0) -> Any:
        """`x` (a, b, *size) with its padding; `x` itself where there is none."""
        if self.bare:
            return x
        padded = _arrays.full((*x.shape[:2], *self.padded), fill, x)
        there, here = self.inner
        padded[there] = x[here]
        return padded

    def unpad(self, padded: Any) -> Any:
        """The adjoint of :meth:`pad`."""
        if padded.shape[2:] == self.size and all(pair == (0, 0) for pair in self.padding):
            return padded
        there, here = self.inner
        if all(after >= 0 for _, after in self.padding):
            return padded[there]
        x = np.zeros((*padded.shape[:2], *self.size), padded.dtype, like=padded)
        x[here] = padded[there]
        return x

    def along(self, dim: int, i: int) -> tuple[slice, ...]:
        """The index of what element `i` of the window meets in dimension `dim` alone, of a padded array."""
        start, span = i * self.dilation[dim], self.stride[dim] * (self.positions[dim] - 1) + 1
        return (slice(None),) * (dim + 2) + (slice(start, start + span, self.stride[dim]),)

    @functools.cached_property
    def meetings(self) -> list[tuple[Any, Any, Any]]:
        """For each element of the window that meets an element of an array without padding: its index in the kernel, those of
        the positions from which it does, and those of the elements that it meets."""
        ways = []  # for each dimension
        for n, k, s, d, (before, _), o in zip(self.size, self.kernel, self.stride, self.dilation, self.padding, self.positions):
            starts = [i * d - before for i in range(k)]
            spans = [(max(0, -(start // s)), min(o, (n - 1 - start) // s + 1), start) for start in starts]
            ways.append([(i, slice(a, b), slice(start + a * s, start + (b - 1) * s + 1, s))
                         for i, (a, b, start) in enumerate(spans) if a < b])
        return [(tuple([i for i, _, _ in way]), tuple([p for _, p, _ in way]), tuple([x for _, _, x in way]))
                for way in itertools.product(*ways)]

    @functools.cached_property
    def inside(self) -> bool:
        """Whether every element of every window meets an element of the array, not of its padding."""
        return all(before <= 0 >= after for before, after in self.padding)

    @functools.cached_property
    def rows(self) -> Windows:
        """The same windows, one row high, on every row of the padded array."""
        return Windows(self.size, (1, *self.kernel[1:]), (1, *self.stride[1:]), self.dilation, self.padding)

    @functools.cached_property
    def interleaves(self) -> bool:
        """Whether :attr:`interleaved` is defined."""
        return all(s == 1 or d == 1 for s, d in zip(self.stride, self.dilation))

    @functools.cached_property
    def interleaved(self) -> list[tuple[Any, Any, Windows]]:
        """Windows on the positions, for each of the images that every stride-th element of the array makes: the index of its
        elements, that of the elements of the kernel, turned around, that they meet, and the windows in which they meet them."""
        ways: list[list[Any]] = []  # for each dimension
        for n, k, s, d, (before, _), o in zip(self.size, self.kernel, self.stride, self.dilation, self.padding, self.positions):
            ways.append([])
            for a in range(min(s, n)):
                first = (a + before) % s  # the first element of the kernel that meets elements a, a + s, ...
                elements, length = len(range(first, k, s)), len(range(a, n, s))
                reach = d * (elements - 1)
                begin = reach - (a + before - first) // s
                ways[-1].append((slice(a, None, s), slice((k - 1 - first) % s, None, s), elements,
                                 (begin, length + reach - o - begin)))
        return [(tuple([image for image, _, _, _ in way]), tuple([elements for _, elements, _, _ in way]),
                 Windows(self.positions, tuple([k for _, _, k, _ in way]), (1,) * len(way), self.dilation,
                         tuple([pair for _, _, _, pair in way])))
                for way in itertools.product(*ways)]

    @functools.cached_property
    def is_pointwise(self) -> bool:
        """Whether a kernel of one element meets every element of the array, and nothing around it."""
        return self.count == 1 and self.size == self.positions and all(pair == (0, 0) for pair in self.padding)

    def lay_out(self, x: Any, dims: str, order: str) -> Any:
        """What every window meets of `x`, as a contiguous array whose dimensions are in this order.

        Args:
            dims: a letter for each dimension of `x` before those of its size.
            order: these letters, and ``k`` for the dimensions of the kernel, ``r`` for the first dimension of the positions
                and ``p`` for the others.
        """
        sizes = {"k": self.kernel, "r": self.positions[:1], "p": self.positions[1:], **{d: (n,) for d, n in zip(dims, x.shape)}}
        shape: list[int] = []
        places = {}
        for letter in order:
            places[letter] = range(len(shape), len(shape) + len(sizes[letter]))
            shape += sizes[letter]
        laid_out = (np.empty if self.inside else np.zeros)(shape, x.dtype, like=x)
        seen = laid_out.transpose([place for letter in f"k{dims}rp" for place in places[letter]])
        for element, there, here in self.meetings:
            seen[(*element, ..., *there)] = x[(..., *here)]
        return laid_out

    def columns(self, x: Any) -> Any:
        """What every window meets of `x` (a, b, *size), as an array (a, elements of the window, b, positions)."""
        shape = x.shape[0], self.count, x.shape[1], math.prod(self.positions)
        fused = _arrays.kernels_of(x).columns(x, self.positions, self.kernel, self.stride, self.padding, self.dilation)
        if fused is not None:
            return fused
        return self.lay_out(x, "ab", "akbrp").reshape(shape)

    def collect(self, columns: Any) -> Any:
        """The adjoint of :meth:`columns`: every element of `columns` (a, *kernel, b, *positions) added to the element of x (a, b,
        *size) it was taken from."""
        a, b = columns.shape[0], columns.shape[1 + len(self.size)]
        fused = _arrays.kernels_of(columns).collect(
            columns, b, self.size, self.positions, self.kernel, self.stride, self.padding, self.dilation)
        if fused is not None:
            return fused
        # The batch is last in memory: what is added to one row of x is then long, and NumPy fast.
        x = np.zeros((a, *self.size, b), columns.dtype, like=columns).transpose(0, -1, *range(1, len(self.size) + 1))
        for element, there, here in self.meetings:
            x[(..., *here)] += columns[(slice(None), *element, ..., *there)]
        return x


@functools.lru_cache(maxsize=256)
def windows_of(*description: Any) -> Windows:
    """The :class:`Windows` of this description, made once: what is worked out about them is then worked out once."""
    return Windows(*description)
