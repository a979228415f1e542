"""How elements lie in memory: PyTorch's ``layout`` and ``memory_format``, and the order in which results have them."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Sequence

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
        if self.ndim is None:
            return convert(x, x.dtype) if self is preserve_format else x.copy(order="C")
        if x.ndim != self.ndim:
            raise ShapeError(f"required rank {self.ndim} tensor to use {self.name} format, got {x.ndim} dimensions")
        return np.moveaxis(np.moveaxis(x, 1, -1).copy(order="C"), -1, 1)

    def spread(self, memory: Any, shape: Sequence[int]) -> Any:
        """The elements of the vector `memory` as an array of `shape` that lies there in this order. Raises ``RuntimeError`` if
        the order is of another number of dimensions."""
        if self.ndim is None:
            return memory.reshape(shape)
        if len(shape) != self.ndim:
            raise ShapeError(f"required rank {self.ndim} tensor to use {self.name} format, got {len(shape)} dimensions")
        return np.moveaxis(memory.reshape((shape[0], *shape[2:], shape[1])), -1, 1)


strided = layout("strided")
preserve_format = memory_format("preserve_format")
contiguous_format = legacy_contiguous_format = memory_format("contiguous_format")
channels_last = memory_format("channels_last", 4)
channels_last_3d = memory_format("channels_last_3d", 5)


# ---------------------------------------------------------------------------------------------------- the order of results

def in_order(x: Any, order: Sequence[int]) -> Any:
    """The array `x` with its dimensions in memory in `order`, from the widest step to the narrowest: itself where they are."""
    return x if x.transpose(order).flags.c_contiguous else copy_in_order(x, order)


def copy_in_order(x: Any, order: Sequence[int]) -> Any:
    """A copy of the array `x` with its dimensions in memory in `order`."""
    return x.transpose(order).copy(order="C").transpose(sorted(range(x.ndim), key=order.__getitem__))


def lay_out(layout: str, result: Any, *arrays: Any) -> Any:
    """The array `result`, computed from `arrays`, in the order that `layout`, a name in :data:`RESULT_ORDERS`, gives it."""
    if layout == "ufunc":
        found = {a.strides for a in arrays if a is not None and a.ndim > 1}
        if len(found) < 2 and all([0 not in steps and len(set(steps)) == len(steps) for steps in found]):
            return result  # operands that do not contradict each other, or themselves, NumPy treats as PyTorch does
    return in_order(result, RESULT_ORDERS[layout](result.shape, *arrays))


def convert(x: Any, dtype: Any) -> Any:
    """A copy of the array `x` in `dtype`, in its own order."""
    if 0 not in x.strides:
        return x.astype(dtype)
    return lay_out("like_input", x.astype(dtype, order="C"), x)  # of what is expanded NumPy makes another order


def strides_of(x: Any) -> tuple[int, ...]:
    """The strides of the array `x`. A new axis, of which NumPy says 0, has the extent of the next dimension, as in PyTorch."""
    strides: tuple[int, ...] = x.strides
    if 0 in strides:
        found = [*strides, x.itemsize]
        for d in range(x.ndim - 1, -1, -1):
            if not found[d] and x.shape[d] == 1:
                found[d] = found[d + 1] * (x.shape[d + 1] if d + 1 < x.ndim else 1)
        strides = tuple(found[:-1])
    return strides


def steps_of(x: Any, shape: Sequence[int]) -> list[int]:
    """The step in memory in each dimension of `shape`, which the array `x` is broadcast to; 0 where it has no such dimension, or
    one element for several."""
    new = len(shape) - x.ndim
    return [0] * new + [0 if n == 1 != m else abs(step) for n, m, step in zip(x.shape, shape[new:], strides_of(x))]


def order_of_steps(shape: Sequence[int], steps: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """The order of the dimensions of a result of `shape`, from the widest step to the narrowest, where operands have `steps`.

    Of two dimensions that is the outer one in which the first operand has the wider step; where that has no step in one of
    them, the next operand decides. They are sorted by insertion, which settles what contradicts itself.
    """
    first = steps[0]
    if 0 not in first and len(set(first)) == len(shape):  # which decides everything
        return tuple(sorted(range(len(shape)), key=first.__getitem__, reverse=True))

    def compare(inner: int, outer: int) -> int:
        """1 where dimension `inner` must stand outside of `outer`, -1 where it must not, 0 where nothing says so."""
        for step in steps:
            a, b = step[inner], step[outer]
            if a and b and (a != b or shape[inner] > shape[outer]):
                return 1 if a >= b else -1
        return 0

    order = list(range(len(shape) - 1, -1, -1))  # from the narrowest
    for k in range(1, len(shape)):
        place = k
        for j in range(k - 1, -1, -1):
            found = compare(order[j], order[place])
            if found < 0:
                break
            if found:
                order[j], order[place], place = order[place], order[j], j
    return tuple(order[::-1])


def has_channels_last(x: Any, of: Sequence[int] = (4, 5)) -> bool:
    """Whether the array `x` has its channels innermost; only arrays with a number of dimensions in `of` can. Steps that nobody
    takes, in dimensions of one element, count too: what lies in both orders is told apart by them."""
    if x.ndim not in of or not x.size or x.flags.c_contiguous:
        return False
    strides, least = strides_of(x), 1
    for d in (1, *range(x.ndim - 1, 1, -1), 0):
        if strides[d] < least or d == 0 and least == strides[1]:
            return False
        least = strides[d] * x.shape[d]
    return True


def contiguous(shape: Sequence[int], *arrays: Any) -> Sequence[int]:
    """The order in which the dimensions are numbered."""
    return range(len(shape))


def elementwise(shape: Sequence[int], *arrays: Any) -> Sequence[int]:
    """The order of the arrays, as :func:`order_of_steps` finds it."""
    present = [a for a in arrays if a is not None]
    if all([a.shape == shape and a.flags.c_contiguous for a in present]):
        return range(len(shape))
    return order_of_steps(shape, [steps_of(a, shape) for a in present])


def like_input(shape: Sequence[int], input: Any, *arrays: Any) -> Sequence[int]:
    """The order of the first array."""
    return order_of_steps(shape, [steps_of(input, shape)])


def order_of_gradient(x: Any) -> Sequence[int]:
    """The order that the gradient of the array `x` has: that of `x` where it has no gaps, else contiguous."""
    order = like_input(x.shape, x)
    return order if x.transpose(order).flags.c_contiguous else range(x.ndim)


def channels(shape: Sequence[int], input: Any, *arrays: Any, of: Sequence[int] = (4, 5)) -> Sequence[int]:
    """Channels last where the first array has them last, if it has a number of dimensions in `of`."""
    return (0, *range(2, len(shape)), 1) if has_channels_last(input, of) else range(len(shape))


def channels_of_all(shape: Sequence[int], *arrays: Any) -> Sequence[int]:
    """Channels last where all arrays have them last."""
    return channels(shape, next((a for a in arrays if not has_channels_last(a)), arrays[0]))


def channels_of_any(shape: Sequence[int], *arrays: Any) -> Sequence[int]:
    """Channels last where an array has them last."""
    return channels(shape, next((a for a in arrays if a is not None and has_channels_last(a)), arrays[0]))


def columns(shape: Sequence[int], input: Any, *arrays: Any) -> Sequence[int]:
    """Of matrices column by column, as LAPACK writes them; vectors beside them are contiguous."""
    order = [*range(len(shape))]
    return order if len(shape) < input.ndim else order[:-2] + order[-2:][::-1]


# What an operation can declare of the order of its result. Each takes the result's shape and the arrays it was computed from.
RESULT_ORDERS: dict[str, Callable[..., Sequence[int]]] = {
    "ufunc": elementwise, "elementwise": elementwise, "contiguous": contiguous, "like_input": like_input,
    "channels": channels, "channels_of_all": channels_of_all, "channels_of_any": channels_of_any,
    "channels_2d": partial(channels, of=(4,)), "channels_1d_2d": partial(channels, of=(3, 4)),
    "channels_1d_2d_3d": partial(channels, of=(3, 4, 5)), "columns": columns}
