"""PyTorch's names for what can be switched in the libraries below: ``minigrad.backends.cuda.matmul.allow_tf32 = True``."""

from __future__ import annotations

from typing import Any

from minigrad import _paths
from minigrad._arrays.tf32 import tf32
from minigrad.backends import cuda, cudnn, mps, numba

__all__ = ["cuda", "cudnn", "get_float32_matmul_precision", "mps", "numba", "set_float32_matmul_precision"]


def set_float32_matmul_precision(precision: str) -> None:
    """How products of float32 matrices are computed on a GPU.

    ``"highest"``, the default, uses all 24 bits of the operands. ``"high"`` and ``"medium"`` let them be rounded to TF32's 11,
    which is several times faster on Ampere and later. On the CPU all three are the same.
    """
    tf32.set(precision)


def get_float32_matmul_precision() -> str:
    """What :func:`set_float32_matmul_precision` was last given."""
    return tf32.precision


def __getattr__(name: str) -> Any:
    return _paths.submodule(__name__, name)
