"""Kernels of the host: what numba compiles where NumPy's functions would pass over the memory several times.

numba is the extra ``fast``. It is imported at the first array that has :attr:`Switch.least` elements, or the first replay of a
compiled function, together with :mod:`minigrad._arrays.host.kernels`, so importing minigrad does not pay for it. Without it, or
switched off, ``Kernels()`` answers, which has none, and operations are composed of NumPy's functions.

How to add a kernel. Give :class:`~minigrad._arrays.kernels.Kernels` the method, if it is new, with the formula in its docstring
and None for an answer, and let the operation ask ``_arrays.kernels_of(x)`` for it. In this room, in the file of its family, write
a function of arrays and, last, ``begin`` and ``end``, the rows or elements that it computes, decorated with
:func:`~minigrad._arrays.host.compiling.kernel`; what several kernels call is a
:func:`~minigrad._arrays.host.compiling.part`. The method of ``HostKernels`` returns None for arrays that the kernel does not
take, makes the result and hands the kernel to :func:`~minigrad._arrays.host.threads.share`, which calls it, by several threads
where that pays. Last comes the entry in ``CASES`` of ``tests/test_host.py``, where the composition is the oracle. A kernel stays
only if it is measurably faster than the composition.

In a kernel a constant is written ``a.dtype.type(0.5)``, because a Python number would turn float32 into float64. A loop over
``range(a.size)`` of a row, ``a = x[row]``, is one that the compiler computes several elements of at once; one over
``range(begin, end)`` is not, because an index might be negative. The elements of an array are given to a part of another by a
loop: ``a[1:] = b`` would have numba compile the words for shapes that do not fit, which takes longer than all the rest.
"""

from __future__ import annotations

import importlib
import os
import sys
import warnings

from minigrad._arrays.kernels import Kernels

__all__ = ["NONE", "Switch", "switch"]

NONE = Kernels()
LEAST = 8192  # elements, below which NumPy's functions are as fast as what compiled kernels take to be called
NEVER = sys.maxsize


class Switch:
    """Which NumPy arrays the kernels are for.

    Attributes:
        least: the number of elements from which on :meth:`kernels` is asked.
    """

    def __init__(self) -> None:
        self._found: Kernels | None = None
        self.enabled = os.environ.get("MINIGRAD_NUMBA", "1") != "0"

    @property
    def enabled(self) -> bool:
        return self._enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        self._enabled = enabled
        self.least = LEAST if enabled else NEVER

    def found(self) -> Kernels:
        """The kernels, which are imported now if they were not, or ``NONE`` where numba cannot be used."""
        if self._found is None:
            self._found = load()
        return self._found

    @property
    def loaded(self) -> Kernels:
        """The kernels, if they have been imported already, for what is not worth the time that takes; else ``NONE``."""
        return self._found if self._found is not None and self._enabled else NONE

    def kernels(self) -> Kernels:
        """What :meth:`found` gives; if that is ``NONE``, no array is large enough any more."""
        if self.found() is NONE:
            self.least = NEVER
        return self.found()


def load() -> Kernels:
    """The kernels that numba compiles, or ``NONE`` where it is not there, where its own switch has it compile nothing, and where
    it cannot be used, which a warning says."""
    try:
        if importlib.import_module("numba").config.DISABLE_JIT:
            return NONE
        made: Kernels = importlib.import_module("minigrad._arrays.host.kernels").HostKernels()
        return made
    except Exception as error:  # also what it says of a NumPy that it does not know, and of libraries that cannot be loaded
        if not (isinstance(error, ModuleNotFoundError) and error.name == "numba"):
            warnings.warn(f"numba is installed but cannot be used ({type(error).__name__}: {error}), so minigrad computes by "
                          'NumPy alone: the same, but slower. pip install --upgrade "minigrad-numpy[fast]" installs versions '
                          "that fit each other; the environment variable MINIGRAD_NUMBA=0 leaves numba alone.", RuntimeWarning,
                          stacklevel=2)
        return NONE


switch = Switch()
