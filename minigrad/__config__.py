"""What is below minigrad, as text."""

from __future__ import annotations

import sys

import numpy as np

from minigrad import _settings

__all__ = ["parallel_info", "show"]


def show() -> str:
    """The versions of what computes here: Python, NumPy and its BLAS."""
    blas = np.__config__.CONFIG["Build Dependencies"]["blas"]
    return f"minigrad on Python {sys.version.split()[0]}, NumPy {np.__version__}, {blas['name']} {blas['version']}"


def parallel_info() -> str:
    """How many threads matrix products may use."""
    return f"matrix products: at most {_settings.get_num_threads()} threads, of NumPy's BLAS"
