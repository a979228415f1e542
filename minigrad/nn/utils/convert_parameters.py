"""Parameters as one flat vector, and back."""

from __future__ import annotations

from typing import Any, Iterable

from minigrad._tensor import Tensor
from minigrad.errors import ArgumentError, ShapeError
from minigrad.ops.shaping import slicing


def parameters_to_vector(parameters: Iterable[Any]) -> Any:
    """All `parameters`, flattened and joined; gradients flow through."""
    return slicing.cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Any, parameters: Iterable[Any]) -> None:
    """Make consecutive parts of `vec` the values of `parameters`, which then share its memory."""
    if not isinstance(vec, Tensor):
        raise ArgumentError(f"expected a Tensor, but got: {type(vec)}")
    parameters = list(parameters)
    wanted = sum(p.numel() for p in parameters)
    if vec.numel() < wanted:
        raise ShapeError(f"vector_to_parameters: the parameters have {wanted} elements, but the vector has {vec.numel()}")
    start = 0
    for p in parameters:
        p.data = vec[start:start + p.numel()].view_as(p).data
        start += p.numel()
