"""Operations that rearrange elements: the elements of the result are the elements of the input."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.autograd.inplace import lead
from minigrad.autograd.op import op

__all__ = ["expand", "reshape", "sum_to_size"]


@op(view=True)
def expand(input: Any, *, size: Any) -> Any:
    """`input` repeated without copying to the shape `size`; the adjoint of :func:`sum_to_size`."""
    return np.broadcast_to(input, size)
@expand.derivative("input")
def expand_wrt_input(g: Any, input_shape: Any) -> Any: return sum_to_size(g, size=input_shape)


@op
def sum_to_size(input: Any, *, size: Any) -> Any:
    """`input` summed over the dimensions along which a tensor of shape `size` would be broadcast to it."""
    lead = input.ndim - len(size)
    dims = tuple(range(lead)) + tuple(d + lead for d, n in enumerate(size) if n == 1 and input.shape[d + lead] != 1)
    return np.sum(input, axis=dims, keepdims=True).reshape(size)
@sum_to_size.derivative("input")
def sum_to_size_wrt_input(g: Any, input_shape: Any) -> Any: return expand(g, size=input_shape)


@op(view=True)
def reshape(input: Any, *, shape: Any) -> Any:
    """`input` with another shape; a view where the memory allows it, else a copy."""
    return np.reshape(input, shape)
@reshape.derivative("input")
def reshape_wrt_input(g: Any, input_shape: Any) -> Any: return reshape(g, shape=input_shape)


@op(grad_name="CopySlices")
def replace_view(input: Any, written: Any, keep: Any, *, view: Any) -> Any:
    """`input` after the part of it that `view` leads to was overwritten by `written`; `keep` is 0 there and 1 elsewhere."""
    return input
@replace_view.derivative("input")
def replace_view_wrt_input(g: Any, keep: Any) -> Any: return g * keep
@replace_view.derivative("written")
def replace_view_wrt_written(g: Any, view: Any) -> Any: return lead(g, view)
