"""What is below minigrad, as text."""

from __future__ import annotations

import sys

import numpy as np

from minigrad import _settings
from minigrad._arrays.host import switch
from minigrad.backends import numba

__all__ = ["parallel_info", "show"]


def show() -> str:
    """The versions of what computes here: Python, NumPy and its BLAS, and numba, which may be absent or switched off."""
    blas = np.__config__.CONFIG["Build Dependencies"]["blas"]
    compiled = f"numba {numba.version()}" + " (off)" * (not switch.enabled) if numba.is_available() else "no numba"
    return f"minigrad on Python {sys.version.split()[0]}, NumPy {np.__version__}, {blas['name']} {blas['version']}, {compiled}"


def parallel_info() -> str:
    """How many threads matrix products and compiled kernels may use."""
    return f"at most {_settings.get_num_threads()} threads: NumPy's BLAS for matrix products, Python's for compiled kernels"
