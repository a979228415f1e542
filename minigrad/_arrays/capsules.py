"""What the capsules of DLPack hold, read by ctypes. Not every Python has that, so this is imported with the first capsule."""

from __future__ import annotations

import ctypes
from typing import Any

from minigrad.errors import StateError

NAMES = (b"dltensor", b"dltensor_versioned")


class Place(ctypes.Structure):
    """The beginning of a ``DLTensor``, up to the code that says of what type the elements are."""

    _fields_ = [("data", ctypes.c_void_p), ("kind", ctypes.c_int32), ("index", ctypes.c_int32), ("ndim", ctypes.c_int32),
                ("code", ctypes.c_uint8)]


class Versioned(ctypes.Structure):
    """A ``DLManagedTensorVersioned``, up to the beginning of its ``DLTensor``."""

    _fields_ = [("version", ctypes.c_uint32 * 2), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p),
                ("flags", ctypes.c_uint64), ("place", Place)]


def open_capsule(capsule: Any) -> tuple[Place, int | None]:
    """What a capsule holds, and its flags; None for one of the protocol's first version, which had none. Raises ``RuntimeError``
    for one that has been taken, or is another thing."""
    holds = ctypes.pythonapi.PyCapsule_IsValid
    holds.argtypes, holds.restype = (ctypes.py_object, ctypes.c_char_p), ctypes.c_int
    name = next((n for n in NAMES if holds(capsule, n)), None)
    if name is None:
        raise StateError("from_dlpack: expected a 'dltensor' capsule that nobody has taken yet: a DLPack capsule can be "
                         "consumed only once, so make another with to_dlpack(tensor)")
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.argtypes, pointer.restype = (ctypes.py_object, ctypes.c_char_p), ctypes.c_void_p
    address = pointer(capsule, name)
    if name == NAMES[0]:
        return Place.from_address(address), None
    held = Versioned.from_address(address)
    return held.place, held.flags
