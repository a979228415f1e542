"""A CUDA device that is this machine's processor, so that CuPy itself runs where there is no GPU.

CuPy's Python code, its dispatch and the CUDA sources it generates and compiles are the real ones. What NVIDIA supplies is
emulated: the driver, the runtime and the kernel compiler (``runtime.cpp``, ``simt.h``), cuBLAS (``blas.cpp``), cuSOLVER
(``solver.cpp``), cuFFT (``fourier.cpp``), and what of CuPy is compiled for GPUs ahead of time, sorting and random numbers
(``libraries.py``). Sums, memory and the order of work are those of a GPU as far as a program can tell, speed is not.

``python -m tests.emulator -m pytest -m gpu`` builds it, once, and runs pytest with it; see ``__main__.py``.
"""

from __future__ import annotations

import ctypes
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import types
from typing import Any, NamedTuple

__all__ = ["Counts", "counts", "install", "is_on"]

COMPILED = "cupy_backends.cuda.api.runtime"  # built anew: CuPy's own has NVIDIA's runtime inside
REPLACED = {"cupy.cuda.thrust": "sorting", "cupy.random._bit_generator": "bit_generators",
            "cupy.random._generator_api": "generators"}


def is_on() -> bool:
    """Whether this process was started by ``python -m tests.emulator``."""
    return "EMULATOR" in os.environ


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules that stand in for CuPy's compiled ones."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if name == COMPILED:
            file = os.path.join(os.environ["EMULATOR"], "runtime.so")
            return importlib.util.spec_from_file_location(name, file, loader=importlib.machinery.ExtensionFileLoader(name, file))
        return importlib.machinery.ModuleSpec(name, self) if name in REPLACED else None

    def exec_module(self, module: types.ModuleType) -> None:
        from tests.emulator import libraries
        vars(module).update(getattr(libraries, REPLACED[module.__name__])())


class Counts(NamedTuple):
    """What was asked of the devices: kernels, CuPy's and ours, products of matrices by cuBLAS, copies to them and back; and
    the nanoseconds that they computed, which a GPU would not take from the program."""

    launches: int
    products: int
    to_device: int
    to_host: int
    nanoseconds: int


def counts() -> Counts:
    """The counts since the process began."""
    library = ctypes.CDLL(os.path.join(os.environ["EMULATOR"], "lib", "libemulator.so"))
    return Counts(*(ctypes.c_uint64 * len(Counts._fields)).in_dll(library, "emulator_counts"))


def install() -> None:
    """Let CuPy find the emulator's modules. Raises ``RuntimeError`` where it has been imported already."""
    if "cupy" in sys.modules:
        raise RuntimeError("the emulator must be installed before CuPy is imported")
    sys.meta_path.insert(0, Finder())
