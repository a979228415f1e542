"""cuDNN is not used: convolutions are matrix products by cuBLAS. The switches are there for programs that set them."""

from __future__ import annotations

__all__ = ["allow_tf32", "benchmark", "deterministic", "enabled", "is_available", "version"]

allow_tf32 = benchmark = deterministic = enabled = False


def is_available() -> bool:
    """False: there is no cuDNN here."""
    return False


def version() -> None:
    """None: there is no cuDNN here."""
