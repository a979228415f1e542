"""Operations in the words of ONNX, by family, as ``minigrad/ops`` has them.

Each function writes the nodes of one operation with a :class:`~minigrad.onnx.building.Builder`. It takes the operation's array
arguments as operands and its settings, in which a number may be varying, and returns the name of the result, or a tuple of names.
"""

from __future__ import annotations

from minigrad.onnx.translation import (  # noqa: F401
    indexing,
    linear_algebra,
    losses,
    neural,
    normalization,
    pointwise,
    recurrent,
    reducing,
    shaping,
)
from minigrad.onnx.translation.table import TABLE

__all__ = ["TABLE"]
