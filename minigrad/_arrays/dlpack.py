"""DLPack: arrays of other libraries by their memory, without a copy.

The protocol is https://dmlc.github.io/dlpack/latest/python_spec.html. What CuPy and NumPy do not do is here: to tell where the
array is that a bare capsule holds, so that :func:`minigrad.from_dlpack` takes capsules as PyTorch's does; and bfloat16.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

__all__ = ["Bits", "Capsule", "CPU", "CUDA", "Writeable", "bfloat16_capsule", "is_capsule"]

CPU, CUDA = (1, 3), (2, 13)  # DLDeviceType: kDLCPU and kDLCUDAHost; kDLCUDA and kDLCUDAManaged
UNSIGNED, BFLOAT = 1, 4  # DLDataTypeCode
READ_ONLY = 1  # DLPACK_FLAG_BITMASK_READ_ONLY


def is_capsule(x: Any) -> bool:
    """Whether `x` is what ``__dlpack__`` returns."""
    return type(x).__name__ == "PyCapsule"


def open_capsule(capsule: Any) -> tuple[Any, int | None]:
    """The beginning of the tensor that a capsule holds, and its flags; None for one of the protocol's first version, which had
    none. Raises ``RuntimeError`` for one that has been taken, or is another thing."""
    opened: tuple[Any, int | None] = importlib.import_module("minigrad._arrays.capsules").open_capsule(capsule)
    return opened


class Capsule:
    """A bare capsule as an object with the protocol. Raises ``RuntimeError`` for one that has been taken, or is another thing."""

    def __init__(self, capsule: Any) -> None:
        place, _ = open_capsule(capsule)
        self._capsule, self._place = capsule, (place.kind, place.index)

    def __dlpack__(self, **options: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._place


class Bits:
    """An object with the protocol which, where its elements are bfloat16, says that they are integers, for NumPy to take.

    It knows whether the memory may be written, which not every NumPy finds out: by the flags, or, without, as a bare capsule.
    """

    def __init__(self, x: Any) -> None:
        self._x = x
        self.are_bfloat16 = self.writeable = False

    def __dlpack__(self, **options: Any) -> Any:
        capsule = self._x.__dlpack__(**options)
        place, flags = open_capsule(capsule)
        self.writeable = isinstance(self._x, Capsule) if flags is None else not flags & READ_ONLY
        if place.code == BFLOAT:
            place.code, self.are_bfloat16 = UNSIGNED, True
        return capsule

    def __dlpack_device__(self) -> Any:
        return self._x.__dlpack_device__()


def bfloat16_capsule(array: Any, **options: Any) -> Any:
    """The capsule of an array of bfloat16, which NumPy does not make."""
    capsule = array.view(np.uint16).__dlpack__(**options)
    open_capsule(capsule)[0].code = BFLOAT
    return capsule


class Writeable:
    """The memory of an array that NumPy takes to be read-only, though it is not."""

    def __init__(self, array: Any) -> None:
        self._array = array
        described = array.__array_interface__
        self.__array_interface__ = {**described, "data": (described["data"][0], False)}
