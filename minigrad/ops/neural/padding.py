"""Padding with what is in the tensor, or with a constant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays
from minigrad._types.tensor_base import unwrap
from minigrad.errors import InvalidValueError, ShapeError
from minigrad.ops.copying import clone
from minigrad.ops.indexing.indexing import select_rows
from minigrad.ops.shaping.shape import as_ints, in_layout
from minigrad.ops.shaping.slicing import constant_pad_nd, slices
from minigrad.recording.device_guard import on_device_of_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from minigrad._types.annotations import Tensor

__all__ = ["pad"]


# ---------------------------------------------------------------------------------------------------- padding

@on_device_of_inputs
def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """`input` with elements added at its borders: ``pad[0]`` before and ``pad[1]`` after the last dimension, ``pad[2]`` and
    ``pad[3]`` for the one before, and so on.

    Args:
        mode: "constant" fills with `value` (0 if None; negative pads take away), "reflect" mirrors without repeating the
            border, "replicate" repeats the border, "circular" continues at the other end.

    >>> import minigrad
    >>> minigrad.nn.functional.pad(minigrad.arange(3), (2, 1)).tolist()
    [0, 0, 0, 1, 2, 0]
    """
    pad = as_ints((pad,))
    if mode == "constant":
        return constant_pad_nd(input, pad=pad, value=0 if value is None else value)
    if mode not in PADDED:
        raise NotImplementedError(f"pad: Unrecognised padding mode {mode!r}; it can be constant, {', '.join(PADDED)}")
    if value:
        raise InvalidValueError(f'pad: Padding mode "{mode}" doesn\'t take in value argument')
    ndim, count = len(input.shape), len(pad) // 2
    if len(pad) % 2 or not 1 <= count <= 3 or ndim not in (count + 1, count + 2):
        raise NotImplementedError(f"pad: Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now: pad of "
                                  f"length {len(pad)} needs an input of {count + 1} or {count + 2} dimensions, got {ndim}")
    if mode != "circular" and 0 in input.shape[ndim - count - 1:]:
        raise ShapeError(f"pad: Expected {count + 1}D or {count + 2}D (batch mode) tensor with possibly 0 batch size and other "
                         f"non-zero dimensions for input, but got: {list(input.shape)}")
    result = input
    for k in range(count):
        before, after = pad[2 * k], pad[2 * k + 1]
        d = ndim - 1 - k
        if mode == "circular" and min(before, after) < 0:  # what a negative pad takes away is not continued with
            start, end = max(-before, 0), result.shape[d] + min(after, 0)
            if end < start:
                raise ShapeError(f"pad: Negative padding value is resulting in an empty dimension: padding ({before}, {after}) "
                                 f"for a dimension of size {result.shape[d]}")
            result = slices(result, index=(*(slice(None),) * d, slice(start, end), ...))
            before, after = max(before, 0), max(after, 0)
        if before or after:
            places = PADDED[mode](np.arange(-before, result.shape[d] + after), result.shape[d], before, after)
            result = select_rows(result, _arrays.xp_of(unwrap(input)).asarray(places), dim=d)
    return in_layout("contiguous" if mode == "circular" else "channels", clone(input) if result is input else result, input)


def reflect(places: Any, n: int, before: int, after: int) -> Any:
    """The index of the element that each position of the padded dimension mirrors."""
    if before >= n or after >= n:
        raise ShapeError("pad: Padding size should be less than the corresponding input dimension, but got: padding "
                         f"({before}, {after}) for a dimension of size {n}")
    return n - 1 - abs(n - 1 - abs(places))


def replicate(places: Any, n: int, before: int, after: int) -> Any:
    """The index of the element that each position of the padded dimension repeats."""
    return np.clip(places, 0, n - 1)


def wrap_circular(places: Any, n: int, before: int, after: int) -> Any:
    """The index of the element that each position of the padded dimension wraps around to."""
    if before > n or after > n:
        raise ShapeError(f"pad: Padding value causes wrapping around more than once: padding ({before}, {after}) for a dimension "
                         f"of size {n}")
    return places % n


PADDED = {"reflect": reflect, "replicate": replicate, "circular": wrap_circular}
