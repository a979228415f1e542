"""How elements lie in memory: PyTorch's ``layout`` and ``memory_format``, and the order that the results of operations have."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from minigrad.errors import ShapeError

__all__ = ["channels_last", "channels_last_3d", "contiguous_format", "layout", "legacy_contiguous_format", "memory_format",
           "preserve_format", "strided"]


class layout:
    """The kind of storage. There is one: ``strided``, elements at fixed steps."""

    __module__ = "minigrad"  # by which files refer to it

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"minigrad.{self.name}"

    def __reduce__(self) -> str:
        return self.name


class memory_format:
    """The order of a tensor's dimensions in memory, for copies such as ``x.contiguous(memory_format=...)``."""

    __module__ = "minigrad"  # by which files refer to it

    def __init__(self, name: str, ndim: int | None = None) -> None:
        self.name = name
        self.ndim = ndim  # of the tensors it can be asked for

    def __repr__(self) -> str:
        return f"minigrad.{self.name}"

    def __reduce__(self) -> str:
        return self.name

    def describes(self, x: Any) -> bool:
        """Whether the elements of the array `x` lie in this order."""
        if self.ndim is None:
            return self is preserve_format or bool(x.flags.c_contiguous)
        return x.ndim == self.ndim and bool(np.moveaxis(x, 1, -1).flags.c_contiguous)

    def copy(self, x: Any) -> Any:
        """A copy of the array `x` in this order. Raises ``RuntimeError`` if it has another number of dimensions."""
        if self.ndim is None:  # an expanded array has no order of its own to preserve
            return x.copy(order="K" if self is preserve_format and 0 not in x.strides else "C")
        if x.ndim != self.ndim:
            raise ShapeError(f"required rank {self.ndim} tensor to use {self.name} format, got {x.ndim} dimensions")
        return np.moveaxis(np.moveaxis(x, 1, -1).copy(order="C"), -1, 1)


strided = layout("strided")
preserve_format = memory_format("preserve_format")
contiguous_format = legacy_contiguous_format = memory_format("contiguous_format")
channels_last = memory_format("channels_last", 4)
channels_last_3d = memory_format("channels_last_3d", 5)


# ---------------------------------------------------------------------------------------------------- the order of results

def in_order(x: Any, order: Sequence[int]) -> Any:
    """The array `x` with its dimensions in memory in `order`, from the widest step to the narrowest: `x` itself where they are."""
    seen = x.transpose(order)
    return x if seen.flags.c_contiguous else seen.copy(order="C").transpose(np.argsort(order))


def order_of(arrays: Sequence[Any], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The order of dimensions that an elementwise operation on `arrays`, broadcast to `shape`, gives its result.

    Of two dimensions that comes first in which the first array has the wider step; where that array is broadcast in one of
    them, the next one decides. Dimensions are sorted by insertion, which settles what contradicts itself.
    """
    ndim = len(shape)
    steps = [[0] * (ndim - a.ndim) + [0 if n == 1 else s for n, s in zip(a.shape, a.strides)] for a in arrays]

    def compare(inner: int, outer: int) -> int:
        """1 where dimension `inner` must stand outside of `outer`, -1 where it must not, 0 where nothing says so."""
        for step in steps:
            a, b = step[inner], step[outer]
            if a and b and (a != b or shape[inner] > shape[outer]):
                return 1 if a >= b else -1
        return 0

    order = list(range(ndim - 1, -1, -1))  # from the narrowest
    for k in range(1, ndim):
        place = k
        for j in range(k - 1, -1, -1):
            found = compare(order[j], order[place])
            if found < 0:
                break
            if found:
                order[j], order[place], place = order[place], order[j], j
    return tuple(order[::-1])


def is_channels_last(x: Any) -> bool:
    """Whether the array `x`, of images or volumes, has its channels innermost, in whole or in part."""
    if x.ndim not in (4, 5) or not x.size:
        return False
    least = 0
    for d in (1, *range(x.ndim - 1, 1, -1), 0):
        if x.strides[d] < least or d == 0 and least == x.strides[1]:
            return False
        least = x.strides[d] * max(x.shape[d], 1)
    return True


def contiguous(result: Any, *arrays: Any) -> Any:
    """Contiguous, whatever the layout of `arrays`."""
    return result if result.flags.c_contiguous else result.copy(order="C")


def elementwise(result: Any, *arrays: Any) -> Any:
    """As :func:`order_of` says."""
    return in_order(result, order_of([a for a in arrays if a is not None], result.shape))


def like_input(result: Any, input: Any, *arrays: Any) -> Any:
    """The order of the first argument."""
    return in_order(result, order_of((input,), result.shape))


def channels(result: Any, *arrays: Any) -> Any:
    """Channels last where all `arrays` have them last, else contiguous."""
    last = all([is_channels_last(a) for a in arrays])
    return in_order(result, (0, *range(2, result.ndim), 1) if last else range(result.ndim))


def columns(result: Any, *arrays: Any) -> Any:
    """Matrices column by column, as LAPACK writes them."""
    return in_order(result, (*range(result.ndim - 2), result.ndim - 1, result.ndim - 2)) if result.ndim > 1 else result


# What an operation can declare of the layout of its result. Each takes the result, and the arrays that it was computed from.
RESULT_LAYOUTS = {"ufunc": elementwise, "elementwise": elementwise, "contiguous": contiguous, "like_input": like_input,
                  "channels": channels, "columns": columns}
