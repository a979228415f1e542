"""How elements lie in memory: PyTorch's ``layout`` and ``memory_format``."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.errors import ShapeError

__all__ = ["channels_last", "channels_last_3d", "contiguous_format", "layout", "memory_format", "preserve_format", "strided"]


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
contiguous_format = memory_format("contiguous_format")
channels_last = memory_format("channels_last", 4)
channels_last_3d = memory_format("channels_last_3d", 5)
