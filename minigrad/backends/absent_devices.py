"""Devices that minigrad has no library for: Intel's and Apple's GPUs, Meta's accelerators.

The paths ``xpu``, ``mps`` and ``mtia`` lead here. Programs ask whether there is such a device, and seed its generators by the
way.
"""

from __future__ import annotations

__all__ = ["device_count", "empty_cache", "is_available", "is_initialized", "manual_seed", "manual_seed_all"]


def is_available() -> bool:
    """False."""
    return False


def is_initialized() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def manual_seed(seed: int) -> None:
    """Accepted: there is no generator to seed."""


def manual_seed_all(seed: int) -> None:
    """Accepted: there is no generator to seed."""


def empty_cache() -> None:
    """Accepted: there is no memory to give back."""
