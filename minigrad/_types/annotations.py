"""What public signatures are annotated with. Only type checkers import this module: annotations are text in a running program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from minigrad._types.dtypes import dtype

if TYPE_CHECKING:
    from minigrad._arrays import Device

Number: TypeAlias = int | float | complex
IntOrInts: TypeAlias = int | Sequence[int]
FloatOrFloats: TypeAlias = float | Sequence[float]
DTypeLike: TypeAlias = dtype | type[bool | int | float | complex] | np.dtype[Any] | type[np.generic]
DeviceLike: TypeAlias = "Device | str | int"
