"""Whether products of float32 matrices may be computed in TF32 on a GPU, several times faster and to three digits."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.errors import InvalidValueError

__all__ = ["tf32"]


class Tf32:
    """The switch. It may be set before there is a GPU to tell."""

    def __init__(self) -> None:
        self.precision = "highest"
        self._told: list[Any] = []

    @property
    def allowed(self) -> bool:
        return self.precision != "highest"

    def set(self, precision: str) -> None:
        """``"highest"``: never; ``"high"`` and ``"medium"``: always. Raises ``ValueError`` for anything else."""
        if precision not in ("highest", "high", "medium"):
            raise InvalidValueError(f"float32 matmul precision must be 'highest', 'high' or 'medium', got {precision!r}")
        self.precision = precision
        for cupy in self._told:
            self._tell(cupy)

    def tell(self, cupy: Any) -> None:
        """Have the module `cupy` do as the switch says, now and whenever that changes."""
        self._told.append(cupy)
        if self.allowed:
            self._tell(cupy)

    def _tell(self, cupy: Any) -> None:
        types = cupy._core._routines_linalg
        cupy._core.set_compute_type(np.float32, types.COMPUTE_TYPE_TF32 if self.allowed else types.COMPUTE_TYPE_DEFAULT)


tf32 = Tf32()
