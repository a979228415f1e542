"""Reading the files that minigrad wrote before it wrote PyTorch's format.

They are zip archives: ``data.pkl`` is a pickle of the object in which each array is a number, and ``arrays/<number>.npy`` is that
array in NumPy's format.
"""

from __future__ import annotations

import io
import math
import pickle
from typing import Any

import numpy as np

from minigrad._tensor import Tensor
from minigrad._types import dtypes, layouts
from minigrad._types.device import Device
from minigrad._types.size import Size
from minigrad.errors import InvalidValueError
from minigrad.nn.parameter import Buffer, Parameter
from minigrad.serialization import tensors
from minigrad.serialization.archive import ArchiveReader
from minigrad.serialization.plain import brief

# What these files refer to, by the places it had in the versions that wrote them.
NAMES: dict[tuple[str, str], Any] = {
    ("minigrad", value.name): value
    for value in (*dtypes.ALL, layouts.preserve_format, layouts.contiguous_format, layouts.channels_last,
                  layouts.channels_last_3d, layouts.strided)}
NAMES |= {("minigrad", "Size"): Size, ("minigrad", "Tensor"): Tensor, ("minigrad", "device"): Device,
          ("minigrad.nn.parameter", "Buffer"): Buffer, ("minigrad.nn.parameter", "Parameter"): Parameter}
NAMES |= {("minigrad.backend.device", "Device"): Device, ("minigrad.layouts", "preserve_format"): layouts.preserve_format,
          ("minigrad.size", "Size"): Size, ("minigrad.tensor", "Tensor"): Tensor}


class FormerReader:
    """Gives what such a file refers to: arrays by their numbers, and names."""

    def __init__(self, archive: ArchiveReader, restore: Any) -> None:
        self.archive, self.restore = archive, restore
        self.arrays: dict[int, Any] = {}

    def persistent_load(self, pid: Any) -> Any:
        """The array of a number, which is alone or beside the name of its dtype, where NumPy's format has none for it."""
        number, *dtype = pid if isinstance(pid, tuple) else (pid,)
        if type(number) is not int or dtype not in ([], ["bfloat16"]):
            raise pickle.UnpicklingError(f"the file is damaged: {brief(pid)} is the number of no array")
        if number not in self.arrays:
            array = parse_npy(self.archive.read(f"arrays/{number}.npy"))
            self.arrays[number] = array.view(dtypes.as_dtype(*dtype).numpy) if dtype else array
        return self.arrays[number]

    def find_class(self, module: str, name: str) -> Any:
        """What stands for a name; None for those that other files have too."""
        if name == "rebuild" and module in ("minigrad.serialization", "minigrad.tensor"):
            return lambda *args: tensors.rebuild(*args, restore=self.restore)
        if (module, name) == ("minigrad.dtypes", "_by_name"):
            return lambda dtype: dtypes.as_dtype(dtype)
        return NAMES.get((module, name))


def parse_npy(content: bytes) -> Any:
    """The array that NumPy's format holds in `content`; its header may declare no more than there is."""
    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, columns, dtype = read_header(file)
        if dtype.hasobject or dtype.fields is not None or dtype.itemsize * math.prod(shape) != len(content) - file.tell():
            raise InvalidValueError(f"an array of shape {shape} and dtype {dtype} in {len(content) - file.tell()} bytes")
        array = np.frombuffer(bytearray(content[file.tell():]), dtype)
        return array.reshape(shape, order="F" if columns else "C")
    except ValueError as error:
        raise pickle.UnpicklingError(f"the file is damaged: {error}") from None
