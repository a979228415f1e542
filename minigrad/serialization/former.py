"""Saving tensors, state dictionaries and whatever holds them, and loading them without running foreign code.

A file is a zip archive: ``data.pkl`` is a pickle of the object in which each array is a number, and ``arrays/<number>.npy`` is
that array in NumPy's format. Memory that several tensors share, as a tensor and its views do, is stored, and after loading on the
host shared, once.
"""

from __future__ import annotations

import importlib
import io
import math
import os
import pickle
import zipfile
from typing import IO, Any

import numpy as np

from minigrad import _arrays
from minigrad._arrays import Device
from minigrad._tensor.tensor import Tensor, rebuild
from minigrad._types import dtypes, layouts
from minigrad._types.size import Size
from minigrad.errors import ArgumentError, DeviceError, RuntimeValueError
from minigrad.ops.indexing.as_strided import memory_and_place
from minigrad.serialization.unpickler import WeightsUnpickler

__all__ = ["load", "save"]

MAP_LOCATION = Any  # for annotations, as in PyTorch: a device or its name, a table of devices, a function, or None

# What a file may refer to beside plain data: it makes values, and does nothing else. add_safe_globals adds the user's classes.
SAFE = {("minigrad.nn.parameter", "Buffer"), ("minigrad.nn.parameter", "Parameter"), ("minigrad.random", "restore_generator"),
        ("minigrad", "Size"), ("minigrad", "Tensor"), ("minigrad", "device")}
SAFE |= {("minigrad", found.name) for found in (*dtypes.ALL, layouts.preserve_format, layouts.contiguous_format,
                                                layouts.channels_last, layouts.channels_last_3d, layouts.strided)}
# What files of the first versions refer to by the place it had there.
FORMER = {("minigrad.backend.device", "Device"): Device, ("minigrad.dtypes", "_by_name"): dtypes.as_dtype,
          ("minigrad.layouts", "preserve_format"): layouts.preserve_format, ("minigrad.size", "Size"): Size,
          ("minigrad.tensor", "Tensor"): Tensor}
REBUILD = (("minigrad.serialization", "rebuild"), ("minigrad.tensor", "rebuild"))
_added: dict[tuple[str, str], Any] = {}


def add_safe_globals(safe_globals: list[Any]) -> None:
    """Allow files to hold instances of these classes (or calls of these functions)."""
    _added.update({(g.__module__, g.__qualname__): g for g in safe_globals})


class Writer(pickle.Pickler):
    """Writes the arrays it meets beside the pickle."""

    def __init__(self, file: Any, archive: zipfile.ZipFile) -> None:
        super().__init__(file, protocol=4)
        self.archive = archive
        self.numbers: dict[Any, int] = {}
        self.kept: list[Any] = []  # so that no other array comes to lie at an address already noted

    def reducer_override(self, obj: Any) -> Any:
        if not isinstance(obj, Tensor) or type(obj).__reduce_ex__ is not Tensor.__reduce_ex__:
            return NotImplemented
        memory, place = memory_and_place(_arrays.to_numpy(obj.array))
        return obj._reduce_to(memory) if place is None else obj._reduce_to(memory, place)

    def persistent_id(self, obj: Any) -> Any:
        if not isinstance(obj, np.ndarray) or obj.dtype.hasobject:
            return None
        place = _arrays.address_of(obj), obj.shape, obj.strides, obj.dtype.str
        if place not in self.numbers:
            self.numbers[place] = len(self.numbers)
            self.kept.append(obj)
            with self.archive.open(f"arrays/{self.numbers[place]}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, obj.view(np.uint16) if dtypes.is_bfloat16(obj.dtype) else obj, allow_pickle=False)
        return (self.numbers[place], "bfloat16") if dtypes.is_bfloat16(obj.dtype) else self.numbers[place]


class Reader:
    """Finds the arrays that :class:`Writer` wrote, and what the names in its pickle stand for."""

    def __init__(self, archive: zipfile.ZipFile, map_location: Any) -> None:
        self.archive, self.map_location = archive, map_location
        self.arrays: dict[int, Any] = {}

    def persistent_load(self, pid: Any) -> Any:
        number, *dtype = pid if isinstance(pid, tuple) else (pid,)  # NumPy's format has no bfloat16, so the bits are in the file
        if type(number) is not int or dtype not in ([], ["bfloat16"]):
            raise pickle.UnpicklingError(f"load: the file is damaged: {pid!r:.100} is the number of no array")
        if number not in self.arrays:
            array = parse_npy(self.archive.read(f"arrays/{number}.npy"))
            self.arrays[number] = array.view(dtypes.as_dtype(*dtype).numpy) if dtype else array
        return self.arrays[number]

    def find_class(self, module: str, name: str) -> Any:
        """What a name stands for, or None if it is not known to be harmless."""
        if (module, name) in REBUILD:
            return self.rebuild
        if (module, name) in FORMER:
            return FORMER[module, name]
        if (module, name) in _added:
            return _added[module, name]
        return getattr(importlib.import_module(module), name) if (module, name) in SAFE else None

    def rebuild(self, cls: Any, array: Any, device: str, requires_grad: bool, place: Any = None) -> Any:
        if not (isinstance(cls, type) and issubclass(cls, Tensor) and isinstance(array, np.ndarray) and type(device) is str):
            raise pickle.UnpicklingError("load: the file is damaged: a tensor is not made of an array and the name of a device")
        where: Any = self.map_location
        if isinstance(where, dict):
            where = where.get(device, device)
        elif callable(where):
            chosen = where(rebuild(Tensor, array, "cpu", False, place), device)
            where = None if chosen is None else chosen.device
        try:
            return rebuild(cls, array, str(device if where is None else where), requires_grad, place)
        except DeviceError as error:
            raise DeviceError(f"load: the tensors were saved on device '{device}': {error}. To put them elsewhere, pass for "
                              "instance map_location='cpu'") from None


class TrustingUnpickler(pickle.Unpickler):
    """Reads a pickle of :class:`Writer` and runs whatever it refers to."""

    def __init__(self, file: Any, reader: Reader) -> None:
        super().__init__(file)
        self.reader = reader

    def persistent_load(self, pid: Any) -> Any:
        return self.reader.persistent_load(pid)

    def find_class(self, module: str, name: str) -> Any:
        found = self.reader.find_class(module, name)
        return super().find_class(module, name) if found is None else found


def parse_npy(content: bytes) -> Any:
    """The array that NumPy's format holds in `content`; its header may declare no more than there is."""
    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, columns, dtype = read_header(file)
        if dtype.hasobject or dtype.fields is not None or dtype.itemsize * math.prod(shape) != len(content) - file.tell():
            raise ValueError(f"an array of shape {shape} and dtype {dtype} in {len(content) - file.tell()} bytes")
        array = np.frombuffer(bytearray(content[file.tell():]), dtype)
        return array.reshape(shape, order="F" if columns else "C")
    except ValueError as error:
        raise pickle.UnpicklingError(f"load: the file is damaged: {error}") from None


def save(obj: Any, f: str | os.PathLike[str] | IO[bytes]) -> None:
    """Write `obj` (a tensor, a ``state_dict``, nested containers of them) to `f`, a path or a file open for writing bytes.

    What is computed is stored as a leaf; gradients and hooks are not stored. Tensors that share memory share it after loading, so
    a view is stored with all of its base: to store a small part of a large tensor, save its ``clone()``.
    """
    if not (isinstance(f, (str, io.IOBase)) or hasattr(f, "write") or hasattr(f, "__fspath__")):
        raise ArgumentError(f"save: expected 'f' to be a path or a file open for writing bytes, got {type(f).__name__}")
    with zipfile.ZipFile(f, "w") as archive:
        pickled = io.BytesIO()
        Writer(pickled, archive).dump(obj)
        archive.writestr("data.pkl", pickled.getvalue())


def load(f: str | os.PathLike[str] | IO[bytes], map_location: Any = None, *, weights_only: bool = True) -> Any:
    """Read what :func:`save` wrote from `f`, a path or a file open for reading bytes.

    Args:
        map_location: the device to put the tensors on; or a dictionary from the device they were on to that; or a function of a
            tensor in host memory and the name of the device it was on, which returns a tensor on the device wanted, or None;
            None: as saved.
        weights_only: refuse everything but tensors, numbers, strings and containers. A file that is loaded with
            ``weights_only=False`` can run any code: do so only with files you trust.

    Raises: ``pickle.UnpicklingError`` for a file that refers to anything else.

    >>> import io, minigrad as mg
    >>> file = io.BytesIO()
    >>> mg.save({"weight": mg.ones(2)}, file)
    >>> mg.load(file)
    {'weight': tensor([1., 1.])}
    """
    try:
        with zipfile.ZipFile(f) as archive, archive.open("data.pkl") as file:
            reader = Reader(archive, map_location)
            if not weights_only:
                return TrustingUnpickler(file, reader).load()
            return WeightsUnpickler(file, find_class=reader.find_class, persistent_load=reader.persistent_load,
                                    added=_added.values()).load()
    except (zipfile.BadZipFile, KeyError) as error:
        raise RuntimeValueError(f"load: {f} is not a file that minigrad.save wrote, or it is damaged ({error})") from None
