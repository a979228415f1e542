"""PyTorch's format before version 1.6: pickles one after the other, then the memory of the tensors.

The pickles are a magic number, a version, a description of the machine, the object, and the keys of the storages in the order in
which they follow: for each the number of elements, in eight bytes, and the elements, the low byte first.
"""

from __future__ import annotations

import io
import pickle
import struct
import sys
from typing import IO, Any

import numpy as np

from minigrad.errors import InvalidValueError, RuntimeValueError
from minigrad.serialization import names
from minigrad.serialization.archive import fill

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001
SYSTEM = {"protocol_version": PROTOCOL_VERSION, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
COUNT = struct.Struct("<q")


# ---------------------------------------------------------------------------------------------------- reading

class Inert:
    """What stands for every class, function and object while a pickle is only looked through for the storages it refers to."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __call__(self, *args: Any, **kwargs: Any) -> Inert:
        return self

    def __setstate__(self, state: Any) -> None:
        pass

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    append = extend = add = update = __setstate__


class Scout(pickle.Unpickler):
    """Looks through a pickle for storages, and runs nothing of it."""

    def __init__(self, file: IO[bytes], **arguments: Any) -> None:
        super().__init__(file, **arguments)
        self.itemsizes: dict[Any, int] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Storages as they are, all else inert."""
        return names.StorageType(name) if name in names.STORAGES else Inert

    def persistent_load(self, pid: Any) -> Any:
        """Note a storage."""
        if isinstance(pid, tuple) and len(pid) > 4:
            self.itemsizes[as_text(pid[2])] = getattr(getattr(pid[1], "dtype", None), "itemsize", 1)
        return Inert()


def as_text(key: Any) -> Any:
    """A key of a storage, which Python 2 may have written as bytes."""
    return key.decode("ascii") if isinstance(key, bytes) else key


class Stream:
    """Such a file, which `file` is placed in before the pickle of the object, and of which it is known where storages are."""

    byteorder = "little"

    def __init__(self, file: IO[bytes], name: str, pickles: Any) -> None:
        self.file, self.name = file, name
        try:
            skip_header(file)
            begin = file.tell()
            scout = Scout(file, **pickles.arguments)
            scout.load()
            keys = pickle_of_values(file)
            self.places = dict([self.place_of(as_text(key), scout.itemsizes) for key in keys])
        except (pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError, AttributeError, IndexError, struct.error,
                OverflowError) as error:
            raise RuntimeValueError(f"load: {name} is no checkpoint, or it is truncated or damaged ({type(error).__name__}: "
                                    f"{error})") from None
        self.end = file.tell()
        file.seek(begin)

    def place_of(self, key: str, itemsizes: dict[Any, int]) -> tuple[str, tuple[int, int]]:
        """The key, the offset and the size of the storage that comes next, which is passed over."""
        count, = COUNT.unpack(self.file.read(COUNT.size))
        offset, nbytes = self.file.tell(), count * itemsizes[key]
        if count < 0 or offset + nbytes > self.file.seek(0, io.SEEK_END):
            raise InvalidValueError(f"storage {key} has {count} elements, which end behind the end of the file")
        self.file.seek(offset + nbytes)
        return key, (offset, nbytes)

    def require_size(self, key: str, nbytes: int) -> None:
        """Raise ``RuntimeError`` unless a storage has so many bytes."""
        if key not in self.places or self.places[key][1] != nbytes:
            found = f"one of {self.places[key][1]}" if key in self.places else "none"
            raise RuntimeValueError(f"load: {self.name} is damaged: a storage {key!r} of {nbytes} bytes is asked for, and there "
                                    f"is {found}")

    def read_into(self, key: str, array: Any) -> None:
        """Read a storage into an array, which is as large."""
        here = self.file.tell()
        self.file.seek(self.offset(key))
        fill(array.view(np.uint8), self.file)
        self.file.seek(here)

    def offset(self, key: str) -> int:
        """Where in the file a storage begins."""
        return self.places[key][0]

    def seek_end(self) -> None:
        """Go behind the last storage, where another such file may follow."""
        self.file.seek(self.end)


def skip_header(file: IO[bytes]) -> IO[bytes]:
    """The file, placed behind what comes before the object. Raises ``ValueError`` where that is not as it should be."""
    if pickle_of_values(file) != MAGIC_NUMBER:
        raise InvalidValueError("it is a pickle, but not one of PyTorch's: pickle.load, or joblib.load, may read it")
    if (version := pickle_of_values(file)) != PROTOCOL_VERSION:
        raise InvalidValueError(f"Invalid protocol version: {version}")
    pickle_of_values(file)
    return file


def pickle_of_values(file: IO[bytes]) -> Any:
    """What a pickle of numbers, texts and containers holds."""
    return Scout(file).load()


# ---------------------------------------------------------------------------------------------------- writing

def write_stream(obj: Any, file: Any, pickler_class: Any, protocol: int, root: str, with_byteorder: bool) -> None:
    """Write `obj` in this format, for PyTorch before version 1.6."""
    for value in (MAGIC_NUMBER, PROTOCOL_VERSION, SYSTEM):
        pickle.dump(value, file, protocol)
    pickler = pickler_class(file, protocol)
    pickler.end_of_ids = (None,)  # there were views of storages once
    pickler.dump(obj)
    pickle.dump([stored.key for stored in pickler.stored.values()], file, protocol)
    for stored in pickler.stored.values():
        file.write(COUNT.pack(stored.count))
        content = stored.content()
        if sys.byteorder == "big" and stored.is_typed:
            content = content.view(stored.dtype.numpy).byteswap().view(np.uint8)
        file.write(memoryview(content))
