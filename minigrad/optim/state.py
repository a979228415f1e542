"""What optimizers keep for a parameter from step to step: tensors outside any graph, like the parameter, and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad._tensor import Tensor
from minigrad._types import dtypes
from minigrad.recording.device_guard import on_device_of_inputs

__all__ = ["NUMBERS", "full_like", "increment_step", "new_number", "tensor_of", "zeros_like"]

NUMBERS = ("step", "mu_product", "eta", "mu")  # what optimizers keep in host memory, wherever the parameter is


def tensor_of(array: Any) -> Tensor:
    """`array` as a tensor outside any graph."""
    t = object.__new__(Tensor)
    t.array, t.node = array, None
    return t


@on_device_of_inputs
def full_like(p: Any, value: Any) -> Tensor:
    """`value`, as often as `p` has elements, for the state of `p`."""
    return tensor_of(np.full_like(p.array, complex(value, value) if p.array.dtype.kind == "c" else value))


@on_device_of_inputs
def zeros_like(p: Any) -> Tensor:
    """Zeros for the state of `p`."""
    return tensor_of(np.zeros_like(p.array))


def new_number(value: float = 0.0) -> Tensor:
    """A number for the state: a tensor without dimensions in host memory, float32 unless the default type is float64."""
    wide = dtypes.get_default_dtype() is dtypes.float64
    return tensor_of(np.array(value, np.float64 if wide else np.float32))


def increment_step(state: dict[str, Any]) -> float:
    """Add one to the state's ``step``, and return it."""
    step = state["step"]
    if not isinstance(step, Tensor):  # from an older dictionary
        step = state["step"] = new_number(float(step))
    step.array += 1
    return float(step.array.item())  # of one element, perhaps in a dimension: programs put such a one there
