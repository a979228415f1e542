"""Making the tensors that modules start from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays
from minigrad._tensor import Tensor
from minigrad._types import dtypes
from minigrad.nn.parameter import Parameter

if TYPE_CHECKING:
    from minigrad._types.annotations import DeviceLike
    from minigrad._types.dtypes import dtype


def buffer(value: Any, *size: int, device: DeviceLike | None = None, dtype: dtype | None = None) -> Tensor:
    """A tensor of the shape `size`, filled with `value`, of the default floating type unless `dtype` is given."""
    dtype = dtypes.get_default_dtype() if dtype is None else dtype
    device = _arrays.as_device(device)
    t = object.__new__(Tensor)
    t.array = _arrays.library_on(device).from_numpy(np.full(size, value, dtype=dtype.numpy), device)
    t.node = None
    return t


def parameter(*size: int, device: DeviceLike | None = None, dtype: dtype | None = None) -> Parameter:
    """A parameter of the shape `size`; ``reset_parameters`` of the module gives it its values."""
    return Parameter(buffer(0, *size, device=device, dtype=dtype))


def repeat_setting(value: Any, count: int) -> tuple[Any, ...]:
    """A setting given once for all dimensions, or for each."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * count
