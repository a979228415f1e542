"""Libraries that need not be installed, imported where they are first used."""

from __future__ import annotations

import functools
import importlib
from typing import Any

__all__ = ["scipy_module"]


@functools.cache
def scipy_module(name: str) -> Any:
    """The module ``scipy.<name>``, or None where SciPy is not installed."""
    try:
        return importlib.import_module(f"scipy.{name}")
    except ImportError:
        return None
