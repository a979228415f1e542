"""Pickles and archives put together by hand: what a hostile file is made of."""

from __future__ import annotations

import io
import pickle
import pickletools
import struct
import zipfile
from typing import Any

MARK, REDUCE, BUILD, NEWOBJ = pickle.MARK, pickle.REDUCE, pickle.BUILD, pickle.NEWOBJ


def value(obj: Any) -> bytes:
    """The instructions that push plain data."""
    return pickletools.optimize(pickle.dumps(obj, 2))[2:-1]  # without instructions that note for later what is not used again


def name(module: str, qualified: str) -> bytes:
    """The instruction that pushes what a name stands for."""
    return pickle.GLOBAL + f"{module}\n{qualified}\n".encode()


def many(*parts: bytes) -> bytes:
    """A tuple."""
    return MARK + b"".join(parts) + pickle.TUPLE


def call(function: bytes, *args: bytes) -> bytes:
    """What a function makes of arguments."""
    return function + many(*args) + REDUCE


def put(place: int) -> bytes:
    return pickle.LONG_BINPUT + struct.pack("<I", place)


def get(place: int) -> bytes:
    return pickle.LONG_BINGET + struct.pack("<I", place)


def pickled(*parts: bytes, protocol: int = 2) -> bytes:
    return pickle.PROTO + bytes([protocol]) + b"".join(parts) + pickle.STOP


def storage(key: str = "0", size: int = 4, kind: str = "FloatStorage", place: str = "cpu", *more: Any) -> bytes:
    """The persistent id of a storage in PyTorch's files; those before version 1.6 have one thing more."""
    return many(value("storage"), name("torch", kind), *map(value, (key, place, size, *more))) + pickle.BINPERSID


def tensor(of: bytes, offset: Any = 0, size: Any = (4,), stride: Any = (1,)) -> bytes:
    """A tensor of a storage."""
    return call(name("torch._utils", "_rebuild_tensor_v2"), of, value(offset), value(size), value(stride), value(False),
                call(name("collections", "OrderedDict")))


def former(data: bytes, **records: bytes) -> bytes:
    """A file as minigrad wrote it before it wrote PyTorch's."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("data.pkl", data)
        for record, content in records.items():
            archive.writestr(f"arrays/{record}.npy", content)
    return file.getvalue()


def archive(data: bytes, storages: dict[str, bytes] | None = None, root: str = "archive",
            method: int = zipfile.ZIP_STORED) -> bytes:
    """A file in PyTorch's format."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as records:
        records.writestr(f"{root}/data.pkl", data)
        records.writestr(f"{root}/byteorder", "little")
        for key, content in ({"0": bytes(16)} if storages is None else storages).items():
            records.writestr(f"{root}/data/{key}", content)
        records.writestr(f"{root}/version", "3\n")
    return file.getvalue()


def legacy(data: bytes, storages: dict[str, bytes] | None = None, itemsize: int = 4) -> bytes:
    """A file in PyTorch's format before version 1.6: pickles, then storages, each behind the number of its elements."""
    held = {"0": bytes(16)} if storages is None else storages
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    heads = [pickle.dumps(head, 2) for head in (0x1950A86A20F9469CFC6C, 1001, system)]
    contents = [struct.pack("<q", len(content) // itemsize) + content for content in held.values()]
    return b"".join([*heads, data, pickle.dumps(list(held), 2), *contents])
