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

from minigrad.errors import InvalidValueError, RuntimeValueError, StateError
from minigrad.serialization import foreign, names
from minigrad.serialization.archive import fill

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001
SYSTEM = {"protocol_version": PROTOCOL_VERSION, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
COUNT = struct.Struct("<q")


# ---------------------------------------------------------------------------------------------------- reading

class Inert:
    """What stands for every class and function, and all that they make, while a pickle is only looked through for storages."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Inert:
        return super().__new__(cls)

    def __call__(self, *args: Any, **kwargs: Any) -> Inert:
        return self

    def __setstate__(self, state: Any) -> None:
        pass

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    append = extend = add = update = __setstate__


def look_through(file: IO[bytes], pickles: Any) -> tuple[Any, dict[Any, int]]:
    """What the pickle that `file` goes on with holds of plain data, and of what size the elements are in the storages that it
    refers to, by their keys; nothing else in it is made."""
    itemsizes: dict[Any, int] = {}

    def note(pid: Any) -> Any:
        if isinstance(pid, tuple) and len(pid) > 4 and as_text(pid[0]) == "storage":
            itemsizes[as_text(pid[2])] = getattr(getattr(pid[1], "dtype", None), "itemsize", 1)
            return Inert()
        return Inert

    def find_class(module: str, name: str) -> Any:
        return names.StorageType(name) if name in names.STORAGES else Inert

    return pickles.load(file, note, find_class, added=[Inert]), itemsizes


def as_text(key: Any) -> Any:
    """A key of a storage, which Python 2 may have written as bytes."""
    return key.decode("ascii") if isinstance(key, bytes) else key


class Stream:
    """Such a file, which `file` is placed in before the pickle of the object, and of which it is known where storages are."""

    byteorder = "little"

    def __init__(self, file: IO[bytes], name: str, pickles: Any) -> None:
        self.file, self.name = file, name
        skip_header(file, name, pickles)
        begin = file.tell()
        _, itemsizes = look_through(file, pickles)
        keys, _ = look_through(file, pickles)
        try:
            self.places = dict([self.place_of(as_text(key), itemsizes) for key in keys])
        except (ValueError, TypeError, KeyError, struct.error) as error:
            raise RuntimeValueError(f"load: {name} is truncated or damaged: its storages do not follow as it says "
                                    f"({type(error).__name__}: {error})") from None
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


def skip_header(file: IO[bytes], name: str, pickles: Any) -> IO[bytes]:
    """The file, placed behind what comes before the object. Raises ``RuntimeError`` where that is not as it should be."""
    begin = file.tell()
    try:
        if look_through(file, pickles)[0] != MAGIC_NUMBER:
            raise StateError(f"load: {name} is no checkpoint: it is a pickle, but not one of PyTorch's; pickle.load, or "
                             "joblib.load, may read it")
        version, _ = look_through(file, pickles)[0], look_through(file, pickles)
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        file.seek(begin)
        why = foreign.describe_text(file.read(foreign.HEAD)) or f"is no checkpoint, or it is truncated or damaged ({error})"
        raise RuntimeValueError(f"load: {name} {why}") from None
    if version != PROTOCOL_VERSION:
        raise RuntimeValueError(f"load: {name}: Invalid protocol version: {version}")
    return file


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
