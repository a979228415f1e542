"""Switches of the GPU's matrix products."""

from __future__ import annotations

from minigrad._arrays.tf32 import tf32

__all__ = ["is_built", "matmul"]


class Matmul:
    """The products of matrices."""

    @property
    def allow_tf32(self) -> bool:
        """Whether products of float32 matrices may round their operands to TF32; see
        :func:`minigrad.set_float32_matmul_precision`, of which this is the short form."""
        return tf32.allowed

    @allow_tf32.setter
    def allow_tf32(self, allowed: bool) -> None:
        tf32.set("high" if allowed else "highest")


matmul = Matmul()


def is_built() -> bool:
    """Whether this package can use a GPU at all; for whether there is one ask :func:`minigrad.cuda.is_available`."""
    return True
