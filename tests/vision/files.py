"""Small files in the formats of published data sets."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import struct
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

IDX_TYPES = {"uint8": 8, "int8": 9, "int16": 11, "int32": 12, "float32": 13, "float64": 14}


def idx(array: np.ndarray[Any, Any]) -> bytes:
    """An array in the format of MNIST."""
    head = bytes([0, 0, IDX_TYPES[array.dtype.name], array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def digits(n: int, seed: int, size: int = 28) -> tuple[Any, Any]:
    """Images of noise and their labels."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (n, size, size), dtype=np.uint8), rng.integers(0, 10, n).astype(np.uint8)


def mnist_files(names: tuple[str, str] = ("train", "t10k")) -> dict[str, bytes]:
    """The four files of MNIST, with seven images to train on and five to test."""
    files = {}
    for name, n in zip(names, (7, 5)):
        images, labels = digits(n, n)
        files[f"{name}-images-idx3-ubyte.gz"] = gzip.compress(idx(images), mtime=0)
        files[f"{name}-labels-idx1-ubyte.gz"] = gzip.compress(idx(labels), mtime=0)
    return files


def python2_pickle(value: Any) -> bytes:
    """`value` as Python 2 pickles it: texts are strings of bytes, and arrays refer to the NumPy of that time."""
    return pickle.PROTO + b"\x02" + written(value) + pickle.STOP


def written(value: Any) -> bytes:
    if isinstance(value, dict):
        return pickle.EMPTY_DICT + pickle.MARK + b"".join(written(k) + written(v) for k, v in value.items()) + pickle.SETITEMS
    if isinstance(value, list):
        return pickle.EMPTY_LIST + pickle.MARK + b"".join(map(written, value)) + pickle.APPENDS
    if isinstance(value, tuple):
        return pickle.MARK + b"".join(map(written, value)) + pickle.TUPLE
    if isinstance(value, (str, bytes)):
        data = value.encode("latin1") if isinstance(value, str) else value
        return pickle.BINSTRING + struct.pack("<i", len(data)) + data
    if value is None:
        return pickle.NONE
    if isinstance(value, bool):
        return pickle.NEWTRUE if value else pickle.NEWFALSE
    if isinstance(value, int):
        return pickle.BININT + struct.pack("<i", value)
    assert isinstance(value, np.ndarray) and value.dtype == np.uint8
    dtype = (named("numpy", "dtype") + written(("u1", 0, 1)) + pickle.REDUCE
             + written((3, "|", None, None, None, -1, -1, 0)) + pickle.BUILD)
    made = (named("numpy.core.multiarray", "_reconstruct") + pickle.MARK + named("numpy", "ndarray") + written((0,))
            + written("b") + pickle.TUPLE + pickle.REDUCE)
    return (made + pickle.MARK + written(1) + written(value.shape) + dtype + written(False) + written(value.tobytes())
            + pickle.TUPLE + pickle.BUILD)


def named(module: str, name: str) -> bytes:
    return pickle.GLOBAL + f"{module}\n{name}\n".encode()


def cifar_batch(n: int, seed: int, labels: str = "labels", **more: Any) -> dict[str, Any]:
    """The dictionary of a file of CIFAR."""
    rng = np.random.default_rng(seed)
    return {"data": rng.integers(0, 256, (n, 3072), dtype=np.uint8), labels: rng.integers(0, 10, n).tolist(),
            "batch_label": f"batch {seed}", "filenames": [f"{i}.png" for i in range(n)], **more}


def packed(files: dict[str, bytes]) -> bytes:
    """A ``.tar.gz``."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def write(folder: Path, files: dict[str, bytes]) -> None:
    """Files in a folder, which is made."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
