"""DLPack: arrays of other libraries by their memory, without a copy.

The protocol is https://dmlc.github.io/dlpack/latest/python_spec.html. What CuPy and NumPy do not do is here: to tell where the
array is that a bare capsule holds, so that :func:`minigrad.from_dlpack` takes capsules as PyTorch's does; and bfloat16.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from minigrad.errors import StateError

__all__ = ["Bits", "Capsule", "CPU", "CUDA", "Writeable", "bfloat16_capsule", "is_capsule", "tells_writeable"]

CPU, CUDA = (1, 3), (2, 13)  # DLDeviceType: kDLCPU and kDLCUDAHost; kDLCUDA and kDLCUDAManaged
NAMES = (b"dltensor", b"dltensor_versioned")
UNSIGNED, BFLOAT = 1, 4  # DLDataTypeCode


class Place(ctypes.Structure):
    """The beginning of a ``DLTensor``, up to the code that says of what type the elements are."""

    _fields_ = [("data", ctypes.c_void_p), ("kind", ctypes.c_int32), ("index", ctypes.c_int32), ("ndim", ctypes.c_int32),
                ("code", ctypes.c_uint8)]


class Versioned(ctypes.Structure):
    """A ``DLManagedTensorVersioned``, up to the beginning of its ``DLTensor``."""

    _fields_ = [("version", ctypes.c_uint32 * 2), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p),
                ("flags", ctypes.c_uint64), ("place", Place)]


def is_capsule(x: Any) -> bool:
    """Whether `x` is what ``__dlpack__`` returns."""
    return type(x).__name__ == "PyCapsule"


def open_capsule(capsule: Any) -> tuple[Place, bool]:
    """What a capsule holds, and whether with the version of the protocol. Raises ``RuntimeError`` for one that has been taken, or
    is another thing."""
    holds = ctypes.pythonapi.PyCapsule_IsValid
    holds.argtypes, holds.restype = (ctypes.py_object, ctypes.c_char_p), ctypes.c_int
    name = next((n for n in NAMES if holds(capsule, n)), None)
    if name is None:
        raise StateError("from_dlpack: expected a 'dltensor' capsule that nobody has taken yet: a DLPack capsule can be "
                         "consumed only once, so make another with to_dlpack(tensor)")
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.argtypes, pointer.restype = (ctypes.py_object, ctypes.c_char_p), ctypes.c_void_p
    address = pointer(capsule, name)
    place: Place = Place.from_address(address) if name == NAMES[0] else Versioned.from_address(address).place
    return place, name == NAMES[1]


class Capsule:
    """A bare capsule as an object with the protocol. Raises ``RuntimeError`` for one that has been taken, or is another thing."""

    def __init__(self, capsule: Any) -> None:
        place, self.versioned = open_capsule(capsule)
        self._capsule, self._place = capsule, (place.kind, place.index)

    def __dlpack__(self, **options: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._place


class Bits:
    """An object with the protocol which, where its elements are bfloat16, says that they are integers, for NumPy to take."""

    def __init__(self, x: Any) -> None:
        self._x = x
        self.are_bfloat16 = False

    def __dlpack__(self, **options: Any) -> Any:
        capsule = self._x.__dlpack__(**options)
        place, _ = open_capsule(capsule)
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


def tells_writeable(x: Any) -> bool:
    """Whether NumPy asks `x` for the version of the protocol that says if the memory may be written; NumPy 2.1 does."""
    return x.versioned if isinstance(x, Capsule) else np.lib.NumpyVersion(np.__version__) >= "2.1.0"


class Writeable:
    """The memory of an array that NumPy takes to be read-only because the protocol's first version does not say."""

    def __init__(self, array: Any) -> None:
        self._array = array
        described = array.__array_interface__
        self.__array_interface__ = {**described, "data": (described["data"][0], False)}
