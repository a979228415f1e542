"""Operations that reduce dimensions to one value, or run along them."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.autograd.op import op
from minigrad.ops.shape import expand, reshape

__all__ = ["sum"]


@op
def sum(input: Any, *, dim: Any = None, keepdim: Any = False) -> Any:
    """Sum over `dim` (an int, a tuple, or None for all dimensions)."""
    return np.sum(input, axis=dim, keepdims=keepdim)
@sum.derivative("input")
def sum_wrt_input(g: Any, input_shape: Any, dim: Any) -> Any:
    return expand(reshape(g, shape=kept_shape(input_shape, dim)), size=input_shape)


def kept_shape(shape: Any, dim: Any) -> tuple[int, ...]:
    """`shape` with the reduced dimensions as 1: what keepdim=True would have given."""
    dims = range(len(shape)) if dim is None else dim if isinstance(dim, tuple) else (dim,)
    reduced = {d % max(len(shape), 1) for d in dims}
    return tuple(1 if d in reduced else n for d, n in enumerate(shape))
