"""Names of types for annotations, as ``torch.types`` has them."""

from __future__ import annotations

import builtins
import os
from typing import IO, Sequence

from minigrad._tensor import Tensor
from minigrad._types import layouts
from minigrad._types.device import Device as _device
from minigrad._types.dtypes import dtype as _dtype  # noqa: F401
from minigrad._types.size import Size

_bool, _int, _float, _complex = builtins.bool, builtins.int, builtins.float, builtins.complex
_layout = type(layouts.strided)
_size = Size | list[int] | tuple[int, ...]
_TensorOrTensors = Tensor | Sequence[Tensor]

Number = int | float | bool
Device = _device | str | int | None
FileLike = str | os.PathLike[str] | IO[bytes]
