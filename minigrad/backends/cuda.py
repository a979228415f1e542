"""Switches of the GPU's matrix products, and of PyTorch's implementations of attention, of which there is one here."""

from __future__ import annotations

import contextlib
from typing import Iterator

from minigrad._arrays.tf32 import tf32

__all__ = ["cudnn_sdp_enabled", "enable_cudnn_sdp", "enable_flash_sdp", "enable_math_sdp", "enable_mem_efficient_sdp",
           "flash_sdp_enabled", "is_built", "math_sdp_enabled", "matmul", "mem_efficient_sdp_enabled", "sdp_kernel"]


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


# ---------------------------------------------------------------------------------------------------- attention

@contextlib.contextmanager
def sdp_kernel(enable_flash: bool = True, enable_math: bool = True, enable_mem_efficient: bool = True,
               enable_cudnn: bool = True) -> Iterator[None]:
    """The older form of :func:`minigrad.nn.attention.sdpa_kernel`: a block that changes nothing."""
    yield


def math_sdp_enabled() -> bool:
    """Whether attention may be computed by products and a softmax: True, it is."""
    return True


def flash_sdp_enabled() -> bool:
    """False."""
    return False


def mem_efficient_sdp_enabled() -> bool:
    """False."""
    return False


def cudnn_sdp_enabled() -> bool:
    """False."""
    return False


def enable_math_sdp(enabled: bool) -> None:
    """Accepted, without effect."""


def enable_flash_sdp(enabled: bool) -> None:
    """Accepted, without effect."""


def enable_mem_efficient_sdp(enabled: bool) -> None:
    """Accepted, without effect."""


def enable_cudnn_sdp(enabled: bool) -> None:
    """Accepted, without effect."""
