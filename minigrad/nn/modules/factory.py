"""Making the tensors that modules start from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays
from minigrad._tensor import Tensor
from minigrad._types import dtypes
from minigrad.errors import ArgumentError
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


def factory_kwargs(kwargs: dict[str, Any] | None) -> dict[str, Any]:
    """The ``device``, ``dtype`` and ``memory_format`` in the keywords of a module's ``__init__``, for what makes its tensors.

    They may stand there by themselves or in a dictionary ``factory_kwargs``. Raises ``TypeError`` for other keywords, and for one
    that is given in both ways.

    >>> import minigrad as mg
    >>> mg.nn.factory_kwargs({"dtype": mg.float64, "factory_kwargs": {"device": "cpu"}})
    {'device': 'cpu', 'dtype': minigrad.float64}
    """
    given = dict(kwargs or {})
    settled = dict(given.pop("factory_kwargs", {}))
    if unknown := {*given, *settled} - {"device", "dtype", "memory_format"}:
        raise ArgumentError(f"factory_kwargs: unexpected kwargs {unknown}; there are device, dtype and memory_format")
    for name, value in given.items():
        if name in settled:
            raise ArgumentError(f"factory_kwargs: {name} specified twice, in **kwargs and in factory_kwargs")
        settled[name] = value
    return settled


def repeat_setting(value: Any, count: int) -> tuple[Any, ...]:
    """A setting given once for all dimensions, or for each."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * count
