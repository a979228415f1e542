"""What public signatures are annotated with. Only type checkers import this module: annotations are text in a running program.

Rooms below the tensor take its name from here, so that nothing else points upwards, and this only for type checkers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import EllipsisType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from minigrad._types.dtypes import dtype

if TYPE_CHECKING:
    from minigrad._tensor import Tensor as Tensor
    from minigrad._types.device import Device

Number: TypeAlias = int | float | complex
IntOrInts: TypeAlias = int | Sequence[int]
FloatOrFloats: TypeAlias = float | Sequence[float]
DTypeLike: TypeAlias = dtype | type[bool | int | float | complex] | np.dtype[Any] | type[np.generic]
DeviceLike: TypeAlias = "Device | str | int"
Index: TypeAlias = "Tensor | int | slice | EllipsisType | Sequence[Any] | np.ndarray[Any, Any] | None"
Parameters: TypeAlias = "Iterable[Tensor | dict[str, Any] | tuple[str, Tensor]]"  # what optimizers take
