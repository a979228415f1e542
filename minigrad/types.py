"""Names of types for annotations, as ``torch.types`` has them."""

from __future__ import annotations

import builtins
import os
from typing import IO, Sequence, Union

from minigrad._tensor import Tensor
from minigrad._types import layouts
from minigrad._types.device import Device as _device
from minigrad._types.dtypes import dtype as _dtype
from minigrad._types.size import Size

__all__ = ["Device", "FileLike", "Number"]

_bool, _int, _float, _complex = builtins.bool, builtins.int, builtins.float, builtins.complex
_layout = type(layouts.strided)
_size = Union[Size, list[int], tuple[int, ...]]
_TensorOrTensors = Union[Tensor, Sequence[Tensor]]
_TensorOrTensorsOrGradEdge = _TensorOrTensors

Number = Union[int, float, bool]
Device = Union[_device, str, int, None]
FileLike = Union[str, os.PathLike[str], IO[bytes]]
