"""Which implementation of attention is used: there is one, so what chooses among PyTorch's is accepted."""

from __future__ import annotations

import contextlib
import enum
from typing import Iterator

from minigrad.errors import ArgumentError

__all__ = ["SDPBackend", "sdpa_kernel"]


class SDPBackend(enum.IntEnum):
    """PyTorch's implementations of ``scaled_dot_product_attention``."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


@contextlib.contextmanager
def sdpa_kernel(backends: list[SDPBackend] | SDPBackend, set_priority: bool = False) -> Iterator[None]:
    """A block in which attention is computed by one of these implementations: here, by the one there is.

    >>> import minigrad as mg
    >>> from minigrad.nn.attention import SDPBackend, sdpa_kernel
    >>> with sdpa_kernel(SDPBackend.MATH):
    ...     mg.nn.functional.scaled_dot_product_attention(mg.ones(1, 1), mg.ones(1, 1), mg.ones(1, 1))
    tensor([[1.]])
    """
    chosen = [backends] if isinstance(backends, SDPBackend) else backends
    if not isinstance(chosen, list) or not all([isinstance(backend, SDPBackend) for backend in chosen]):
        raise ArgumentError(f"sdpa_kernel: expected backends to be an SDPBackend or a list of them, got {backends!r}")
    yield
