"""What public signatures are annotated with. Only type checkers import this module: annotations are text in a running program."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import EllipsisType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from minigrad._types.dtypes import dtype

if TYPE_CHECKING:
    from minigrad._arrays import Device
    from minigrad._tensor import Tensor
    from minigrad.recording.graph import GradientEdge

Number: TypeAlias = int | float | complex
IntOrInts: TypeAlias = int | Sequence[int]
FloatOrFloats: TypeAlias = float | Sequence[float]
DTypeLike: TypeAlias = dtype | type[bool | int | float | complex] | np.dtype[Any] | type[np.generic]
DeviceLike: TypeAlias = "Device | str | int"
Index: TypeAlias = "Tensor | int | slice | EllipsisType | Sequence[Any] | np.ndarray[Any, Any] | None"
Parameters: TypeAlias = "Iterable[Tensor | dict[str, Any] | tuple[str, Tensor]]"  # what optimizers take
Differentiable: TypeAlias = "Tensor | GradientEdge | Iterable[Tensor | GradientEdge]"
