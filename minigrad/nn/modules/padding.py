"""Padding the last dimensions with a constant, by reflection, by repetition of the edge, or in a circle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minigrad.errors import InvalidValueError
from minigrad.nn import functional as F
from minigrad.nn.modules.factory import repeat_setting
from minigrad.nn.modules.module import Module

if TYPE_CHECKING:
    from minigrad._tensor import Tensor
    from minigrad._types.annotations import IntOrInts

__all__ = ["CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
           "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d", "ReplicationPad3d",
           "ZeroPad1d", "ZeroPad2d", "ZeroPad3d"]


class Pad(Module):
    """`padding` is one number for every side, or (left, right, top, bottom, front, back) as far as there are dimensions."""

    dims: int
    mode: str

    def __init__(self, padding: IntOrInts) -> None:
        super().__init__()
        self.padding = repeat_setting(padding, 2 * self.dims)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ConstantPad(Pad):
    """Pads with `value`."""

    def __init__(self, padding: IntOrInts, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(ConstantPad):
    """Pads the last dimension with a constant."""

    dims = 1


class ConstantPad2d(ConstantPad):
    """Pads the last 2 dimensions with a constant."""

    dims = 2


class ConstantPad3d(ConstantPad):
    """Pads the last 3 dimensions with a constant."""

    dims = 3


class ZeroPad1d(ConstantPad1d):
    """Pads the last dimension with 0."""

    def __init__(self, padding: IntOrInts) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad2d(ConstantPad2d):
    """Pads the last 2 dimensions with 0."""

    def __init__(self, padding: IntOrInts) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad3d(ConstantPad3d):
    """Pads the last 3 dimensions with 0."""

    def __init__(self, padding: IntOrInts) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ReflectionPad1d(Pad):
    """Pads the last dimension mirrored at the edge, the edge itself not repeated."""

    dims, mode = 1, "reflect"


class ReflectionPad2d(Pad):
    """Pads the last 2 dimensions mirrored at the edge, the edge itself not repeated."""

    dims, mode = 2, "reflect"


class ReflectionPad3d(Pad):
    """Pads the last 3 dimensions mirrored at the edge, the edge itself not repeated."""

    dims, mode = 3, "reflect"


class ReplicationPad1d(Pad):
    """Pads the last dimension with copies of the edge."""

    dims, mode = 1, "replicate"


class ReplicationPad2d(Pad):
    """Pads the last 2 dimensions with copies of the edge."""

    dims, mode = 2, "replicate"


class ReplicationPad3d(Pad):
    """Pads the last 3 dimensions with copies of the edge."""

    dims, mode = 3, "replicate"


class CircularPad(Pad):
    """Pads with what stands at the other end. Raises ``ValueError`` for an input of other dimensions."""

    mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (self.dims + 1, self.dims + 2):
            raise InvalidValueError(f"expected {self.dims + 1}D or {self.dims + 2}D input (got {input.ndim}D input)")
        return super().forward(input)


class CircularPad1d(CircularPad):
    """Pads the last dimension with what stands at the other end."""

    dims = 1


class CircularPad2d(CircularPad):
    """Pads the last 2 dimensions with what stands at the other end."""

    dims = 2


class CircularPad3d(CircularPad):
    """Pads the last 3 dimensions with what stands at the other end."""

    dims = 3
