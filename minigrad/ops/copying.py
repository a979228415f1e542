"""Copies: to memory of their own, to another device, over what a tensor held before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays
from minigrad._types import layouts
from minigrad._types.dtypes import as_dtype
from minigrad._types.tensor_base import TensorBase
from minigrad.errors import ShapeError
from minigrad.ops.pointwise.arithmetic import cast, imag, real, zeros_of
from minigrad.ops.pointwise.comparison import fill_number
from minigrad.ops.shaping.shape import sum_to_size
from minigrad.recording.call import SCALARS, move_to_device
from minigrad.recording.inplace import with_inplace
from minigrad.recording.op import op

if TYPE_CHECKING:
    from minigrad._types.annotations import Number, Tensor
    from minigrad._types.layouts import memory_format

__all__ = ["clone", "detach_copy", "fill"]


@op(bfloat16=True)
def clone(input: Any, *, memory_format: memory_format = layouts.preserve_format) -> Any:
    """A copy of `input` in memory of its own; gradients flow through it."""
    return memory_format.copy(input)
@clone.derivative("input")
def clone_wrt_input(g: Any) -> Any: return g


def detach_copy(input: Tensor) -> Tensor:
    """The elements of `input` in memory of their own, outside the graph.

    >>> import minigrad as mg
    >>> mg.detach_copy(mg.ones(2, requires_grad=True))
    tensor([1., 1.])
    """
    return clone(input.detach())


@op(view=True, grad_name="ToCopyBackward0", called="to")
def to_device(input: Any, *, device: Any, source: Any, non_blocking: Any = False) -> Any:
    """`input`, which is on the device `source`, on `device`; with `non_blocking` perhaps still under way there."""
    return _arrays.to_device(input, device, non_blocking)
@to_device.derivative("input")
def to_device_wrt_input(g: Any, device: Any, source: Any) -> Any: return to_device(g, device=source, source=device)


@op(bfloat16=True)
def copy(input: Any, src: Any) -> Any:
    """`src` in the shape and dtype of `input`: what ``input.copy_(src)`` writes."""
    return np.broadcast_to(cast(src, dtype=as_dtype(input.dtype)), input.shape)
@copy.derivative("input")
def copy_wrt_input(g: Any) -> Any: return zeros_of(g)
@copy.derivative("src")
def copy_wrt_src(g: Any, src_shape: Any, src_dtype: Any) -> Any:
    return cast(sum_to_size(g, size=src_shape), dtype=as_dtype(src_dtype))


@op(grad_name="FillBackward0", called="fill_")
def fill_with(input: Any, value: Any) -> Any:
    """The zero-dimensional `value` in the shape and dtype of `input`."""
    return np.full_like(input, value)
@fill_with.derivative("input")
def fill_with_wrt_input(g: Any) -> Any: return zeros_of(g)
@fill_with.derivative("value")
def fill_with_wrt_value(g: Any, value_dtype: Any) -> Any: return cast(sum_to_size(g, size=()), dtype=as_dtype(value_dtype))


@with_inplace
def fill(input: Tensor, value: Tensor | Number) -> Tensor:
    """`value`, a number or a zero-dimensional tensor, in the shape and dtype of `input`."""
    if isinstance(value, SCALARS):
        return fill_number(input, value=value)
    if value.ndim:
        raise ShapeError(f"fill only supports 0-dimension value tensor but got tensor with {value.ndim} dimensions.")
    if isinstance(input, TensorBase) and isinstance(value, TensorBase):
        value = move_to_device(value, _arrays.device_of(input.array))
    return fill_with(input, value)


def set_real(input: Tensor, value: Tensor | Number) -> None:
    """``input.real = value``: overwrite the real part."""
    real(input)[...] = value


def set_imag(input: Tensor, value: Tensor | Number) -> None:
    """``input.imag = value``: overwrite the imaginary part. Raises ``RuntimeError`` for real tensors."""
    imag(input)[...] = value
