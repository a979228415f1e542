"""Saving tensors, state dictionaries and whatever holds them, and loading them without running foreign code.

A file is a zip archive: ``data.pkl`` is a pickle of the object in which each array is a number, and ``arrays/<number>.npy`` is
that array in NumPy's format. Memory that several tensors share, as a tensor and its views do, is stored, and after loading on the
host shared, once.
"""

from __future__ import annotations

import io
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

__all__ = ["load", "save"]

MAP_LOCATION = Any  # for annotations, as in PyTorch: a device or its name, a table of devices, a function, or None

# What a file may refer to: it makes values, and does nothing else. Classes of the user's are added by add_safe_globals.
SAFE = {("builtins", n) for n in ("bytearray", "complex", "frozenset", "range", "set", "slice")}
SAFE |= {("collections", "OrderedDict"), ("collections", "defaultdict"), ("collections", "Counter"), ("collections", "deque"),
         ("minigrad.nn.parameter", "Buffer"), ("minigrad.nn.parameter", "Parameter"), ("minigrad.random", "restore_generator"),
         ("minigrad", "Size"), ("minigrad", "Tensor"), ("minigrad", "device"), ("numpy", "dtype"),
         ("numpy._core.multiarray", "scalar"), ("numpy.core.multiarray", "scalar")}
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


class Reader(pickle.Unpickler):
    """Reads what :class:`Writer` wrote; unless `trusted`, refuses what is not known to be harmless."""

    def __init__(self, file: Any, archive: zipfile.ZipFile, map_location: Any, trusted: bool) -> None:
        super().__init__(file)
        self.archive, self.map_location, self.trusted = archive, map_location, trusted
        self.arrays: dict[int, Any] = {}

    def persistent_load(self, pid: Any) -> Any:
        number, *dtype = pid if isinstance(pid, tuple) else (pid,)  # NumPy's format has no bfloat16, so the bits are in the file
        if number not in self.arrays:
            with self.archive.open(f"arrays/{int(number)}.npy") as file:
                array = np.lib.format.read_array(file, allow_pickle=False)
            self.arrays[number] = array.view(dtypes.as_dtype(*dtype).numpy) if dtype else array
        return self.arrays[number]

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in REBUILD:
            return self.rebuild
        if (module, name) in FORMER:
            return FORMER[module, name]
        if (module, name) in _added:
            return _added[module, name]
        if self.trusted or (module, name) in SAFE:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(
            f"load: the file refers to {module}.{name}, which loading could run. If you trust the file, pass weights_only=False, "
            "or allow this one by minigrad.serialization.add_safe_globals([...])")

    def rebuild(self, cls: Any, array: Any, device: str, requires_grad: bool, place: Any = None) -> Any:
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
            return Reader(file, archive, map_location, not weights_only).load()
    except (zipfile.BadZipFile, KeyError) as error:
        raise RuntimeValueError(f"load: {f} is not a file that minigrad.save wrote, or it is damaged ({error})") from None
