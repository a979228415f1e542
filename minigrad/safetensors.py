"""Weights in the safetensors format, by its library, with the names of ``safetensors.torch``.

The library (https://github.com/huggingface/safetensors) checks files and writes them. What it reads it copies, so here tensors
are laid over the mapped file: to open a file takes no longer than to read its header, and what nobody uses is never read.
"""

from __future__ import annotations

import importlib
import json
import math
import mmap
import os
import sys
from typing import Any, Callable, Iterable

import numpy as np

from minigrad import _arrays
from minigrad._tensor import Tensor
from minigrad._types import dtypes
from minigrad.errors import DtypeError, InvalidValueError, RuntimeValueError, missing_extra
from minigrad.ops import creation

__all__ = ["load", "load_file", "load_model", "safe_open", "save", "save_file", "save_model"]

DTYPES = {"BOOL": dtypes.bool_, "U8": dtypes.uint8, "U16": dtypes.uint16, "U32": dtypes.uint32, "U64": dtypes.uint64,
          "I8": dtypes.int8, "I16": dtypes.int16, "I32": dtypes.int32, "I64": dtypes.int64, "F16": dtypes.float16,
          "BF16": dtypes.bfloat16, "F32": dtypes.float32, "F64": dtypes.float64, "C64": dtypes.complex64}


def library(module: str = "") -> Any:
    """A module of the library. Raises ``ImportError`` that names the extra which installs it."""
    try:
        return importlib.import_module(f"safetensors{module}")
    except ModuleNotFoundError:
        raise missing_extra("minigrad.safetensors", "safetensors", "safetensors") from None


def tell_file(where: Any, call: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """What a function of the library returns. Where it finds a file wrong, its error names the file."""
    damaged = library().SafetensorError
    try:
        return call(*args, **options)
    except damaged as error:
        hint = "; it seems to be one of PyTorch's files: minigrad.load(f) reads it" if begins_as_checkpoint(where) else ""
        raise damaged(f"{where}: {error}{hint}") from None


def begins_as_checkpoint(where: Any) -> bool:
    """Whether the file at this path, if it is one, begins as PyTorch's files do: as a zip archive or as a pickle."""
    if not os.path.isfile(where):
        return False
    with open(where, "rb") as file:
        return file.read(4).startswith((b"PK\3\4", b"\x80\2"))


def known_dtype(name: str, code: str, where: Any) -> dtypes.dtype:
    """The dtype of a tensor whose file calls it `code`. Raises ``RuntimeError`` where minigrad has none."""
    if code not in DTYPES:
        raise DtypeError(f"{where}: tensor '{name}' is of dtype {code}, which minigrad does not have; it has "
                         f"{', '.join(DTYPES)}. The other tensors of a file can be read one by one, by "
                         "safe_open(filename).get_tensor(name)")
    return DTYPES[code]


# ---------------------------------------------------------------------------------------------------- reading

class safe_open:
    """A file of which tensors are read when they are asked for.

    Args:
        filename: its path.
        framework: ``"pt"``, as programs written for PyTorch say: the tensors are minigrad's.
        device: where the tensors are put.
        backend: ``"mmap"``: tensors on the host lie in the mapped file, whose pages are read where they are used, and what is
            written to the tensors stays in this process; ``"pread"``: each tensor is read into memory of its own.

    Raises: ``FileNotFoundError``, or ``safetensors.SafetensorError`` for a damaged file, which is named.

    >>> import tempfile
    >>> import minigrad as mg
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_file({"weight": mg.arange(6.).view(2, 3)}, f"{folder}/model.safetensors", metadata={"epoch": "3"})
    ...     with safe_open(f"{folder}/model.safetensors", framework="pt") as file:
    ...         print(file.keys(), file.metadata(), file.get_tensor("weight").shape, file.get_slice("weight")[:, 1])
    ['weight'] {'epoch': '3'} minigrad.Size([2, 3]) tensor([1., 4.])
    """

    def __init__(self, filename: str | os.PathLike[str], framework: str = "pt", device: Any = "cpu", *,
                 backend: str = "mmap") -> None:
        if framework not in ("pt", "torch", "pytorch"):
            raise InvalidValueError(f"safe_open: framework {framework!r} is not minigrad's: it gives tensors, which programs ask "
                                    "for by framework='pt'; safetensors.safe_open gives arrays of other libraries")
        if backend not in ("mmap", "pread"):
            raise InvalidValueError(f"safe_open: backend must be 'mmap' or 'pread', not {backend!r}")
        self._filename = os.fspath(filename)
        self._device = _arrays.as_device(device)
        self._opened = tell_file(self._filename, library().safe_open, self._filename, "numpy")
        with open(self._filename, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            self._header = json.loads(file.read(length))
            self._start = 8 + length
            self._mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) if backend == "mmap" else None

    def __enter__(self) -> safe_open:
        return self

    def __exit__(self, *exc: object) -> None:
        self._opened.__exit__(*exc)

    def keys(self) -> list[str]:
        """The names of the tensors, in alphabetical order."""
        return list(tell_file(self._filename, self._opened.keys))

    def offset_keys(self) -> list[str]:
        """The names of the tensors in the order in which they lie in the file."""
        return sorted(self.keys(), key=lambda name: self._header[name]["data_offsets"])

    def metadata(self) -> dict[str, str] | None:
        """The texts that were saved beside the tensors; None where there are none."""
        found: dict[str, str] | None = tell_file(self._filename, self._opened.metadata)
        return found

    def get_tensor(self, name: str) -> Tensor:
        """The tensor of that name."""
        return self._lay_over_file(name).to(self._device)

    def get_tensors(self) -> dict[str, Tensor]:
        """All tensors by their names."""
        return {name: self.get_tensor(name) for name in self.offset_keys()}

    def get_slice(self, name: str) -> SafeSlice:
        """The tensor of that name, of which only what an index names is read: ``file.get_slice(name)[10:20]``."""
        described = tell_file(self._filename, self._opened.get_slice, name)
        return SafeSlice(described, lambda index: self._lay_over_file(name)[index].to(self._device))

    def _lay_over_file(self, name: str) -> Tensor:
        """The tensor of that name on the host."""
        described = tell_file(self._filename, self._opened.get_slice, name)
        wanted, shape = known_dtype(name, described.get_dtype(), self._filename).numpy, described.get_shape()
        count, place = math.prod(shape), self._start + self._header[name]["data_offsets"][0]
        if not count:
            flat = np.empty(0, wanted)
        elif self._mapped is None:
            flat = np.fromfile(self._filename, wanted, count, offset=place)
        else:
            flat = np.frombuffer(self._mapped, wanted, count, place)
        return from_little_endian(flat, shape)


class SafeSlice:
    """A tensor in a file: its shape and dtype, as the file has them, and the parts that indices name, which alone are read.

    Made by :meth:`safe_open.get_slice`.
    """

    def __init__(self, described: Any, read: Callable[[Any], Tensor]) -> None:
        self._described, self._read = described, read

    def get_shape(self) -> list[int]:
        """The shape of the whole tensor."""
        return list(self._described.get_shape())

    def get_dtype(self) -> str:
        """The dtype by the name that the format has for it, such as ``"F32"``."""
        return str(self._described.get_dtype())

    def __getitem__(self, index: Any) -> Tensor:
        return self._read(index)


def from_little_endian(flat: Any, shape: Iterable[int]) -> Tensor:
    """A tensor of the elements `flat` as the format has them: the lowest byte first, at any address."""
    return creation.wrap(np.require(flat if sys.byteorder == "little" else flat.byteswap(), None, "A").reshape(shape))


def load_file(filename: str | os.PathLike[str], device: Any = "cpu", *, backend: str = "mmap") -> dict[str, Tensor]:
    """The tensors of a file by their names, as :class:`safe_open` gives them.

    Raises ``FileNotFoundError``, ``safetensors.SafetensorError`` for a damaged file, and ``RuntimeError`` for a dtype that
    minigrad does not have.

    >>> import tempfile
    >>> import minigrad as mg
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_file({"bias": mg.ones(2)}, f"{folder}/model.safetensors")
    ...     load_file(f"{folder}/model.safetensors")
    {'bias': tensor([1., 1.])}
    """
    with safe_open(filename, "pt", device, backend=backend) as file:
        return file.get_tensors()


def load(data: bytes) -> dict[str, Tensor]:
    """The tensors that the bytes of a file hold, by their names, in memory of their own.

    >>> import minigrad as mg
    >>> load(save({"bias": mg.ones(2)}))
    {'bias': tensor([1., 1.])}
    """
    found = {}
    for name, described in tell_file("load", library().deserialize, data):
        wanted = known_dtype(name, described["dtype"], "load").numpy
        flat = np.frombuffer(bytearray(described["data"]), wanted) if described["data"] else np.empty(0, wanted)
        found[name] = from_little_endian(flat, described["shape"])
    return found


def load_model(model: Any, filename: str | os.PathLike[str], strict: bool = True, device: Any = "cpu", *,
               backend: str = "mmap") -> tuple[set[str], list[str]]:
    """Give the parameters and buffers of `model` the values in a file that :func:`save_model`, or another program, wrote.

    Of names that share memory one is enough in the file. Returns the names that the file lacks, and those that the model lacks;
    with `strict` there must be none.

    Raises ``RuntimeError`` that lists them, or where shapes differ.

    >>> import tempfile
    >>> from minigrad import nn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(nn.Linear(2, 1), f"{folder}/model.safetensors")
    ...     load_model(nn.Linear(2, 1), f"{folder}/model.safetensors")
    (set(), [])
    """
    tensors = load_file(filename, device, backend=backend)
    left_out = {name for names in names_to_leave_out(model.state_dict(), preferred=tensors).values() for name in names}
    found = model.load_state_dict(tensors, strict=False)
    missing = {*found.missing_keys} - left_out
    unexpected = [*found.unexpected_keys, *[name for name in left_out if name not in found.missing_keys]]
    if strict and (missing or unexpected):
        lines = [f"Error(s) in loading state_dict for {type(model).__name__} from {os.fspath(filename)}:"]
        lines += [f"{said} key(s) in state_dict: {', '.join(repr(name) for name in sorted(names))}"
                  for said, names in (("Missing", missing), ("Unexpected", unexpected)) if names]
        raise RuntimeValueError("\n    ".join(lines))
    return missing, unexpected


# ---------------------------------------------------------------------------------------------------- writing

def save_file(tensors: dict[str, Tensor], filename: str | os.PathLike[str], metadata: dict[str, str] | None = None) -> None:
    """Write tensors by their names to a file, with texts beside them.

    The tensors are written from where they are, without a copy in memory.

    Raises ``ValueError`` for a tensor that is not contiguous, or no tensor, and ``RuntimeError`` for tensors that share memory.
    """
    tell_file(os.fspath(filename), library(".numpy").save_file, as_arrays("save_file", tensors), os.fspath(filename), metadata)


def save(tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> bytes:
    """The bytes of the file that :func:`save_file` writes, with the same errors."""
    return bytes(tell_file("save", library(".numpy").save, as_arrays("save", tensors), metadata))


def save_model(model: Any, filename: str | os.PathLike[str], metadata: dict[str, str] | None = None,
               force_contiguous: bool = True) -> None:
    """Write the parameters and buffers of `model` to a file.

    Of names that share memory one is kept, and the metadata say of each other name which that is. With `force_contiguous` tensors
    of another layout are written in row-major order; otherwise they are refused, by ``ValueError``.
    """
    tensors, metadata = model.state_dict(), {**(metadata or {})}
    for kept, names in names_to_leave_out(tensors).items():
        for name in names:
            metadata.setdefault(name, kept)
            del tensors[name]
    if force_contiguous:
        tensors = {name: t.contiguous() if isinstance(t, Tensor) else t for name, t in tensors.items()}
    save_file(tensors, filename, metadata or None)


def as_arrays(called: str, tensors: Any) -> dict[str, Any]:
    """The arrays to write. Raises as :func:`save_file` does."""
    if not isinstance(tensors, dict):
        raise InvalidValueError(f"{called}: expected a dict of names and tensors, got {type(tensors).__name__}")
    for name, t in tensors.items():
        if not isinstance(t, Tensor):
            raise InvalidValueError(f"{called}: '{name}' is no tensor, but {type(t).__name__}; only tensors can be saved, and "
                                    "texts as metadata")
        if t.dtype not in DTYPES.values():
            raise InvalidValueError(f"{called}: '{name}' is of dtype {t.dtype!r}, which the format does not have; it has "
                                    f"{', '.join(DTYPES)}")
        if not t.is_contiguous():
            raise InvalidValueError(f"{called}: '{name}' is not contiguous (shape {list(t.shape)}, stride {list(t.stride())}), "
                                    "and the format has no strides; save its .contiguous(), or, if it is a part of another "
                                    "tensor, that one. save_model(..., force_contiguous=True) does so for a model")
    shared = [sorted(names) for names in groups_that_share(tensors) if len(names) > 1]
    if shared:
        raise RuntimeValueError(f"{called}: some tensors share memory, which would be in the file several times, and would not "
                                f"be shared after loading: {shared}. Use save_model(model, filename), which keeps one name of "
                                "each, or save a .clone()")
    return {name: _arrays.to_numpy(t.array) for name, t in tensors.items()}


# ---------------------------------------------------------------------------------------------------- shared memory

def groups_that_share(tensors: dict[str, Tensor]) -> list[list[str]]:
    """The names of the tensors, those together whose elements overlap in memory."""
    by_storage: dict[Any, list[tuple[int, int, str]]] = {}
    for name, t in tensors.items():
        storage, start = t.untyped_storage(), t.data_ptr()
        extent = 1 + sum((n - 1) * step for n, step in zip(t.shape, t.stride())) if t.numel() else 0
        if storage.nbytes():
            by_storage.setdefault((t.device, storage.data_ptr()), []).append((start, start + extent * t.element_size(), name))
    groups: list[list[str]] = []
    for areas in by_storage.values():
        end = -1
        for start, stop, name in sorted(areas):
            if start < end:
                groups[-1].append(name)
            else:
                groups.append([name])
            end = max(end, stop)
    return groups


def names_to_leave_out(tensors: dict[str, Tensor], preferred: Iterable[str] = ()) -> dict[str, list[str]]:
    """For the name to keep of each group that shares memory, the other names of the group.

    It is that of a tensor that has all of the memory, among `preferred` if it can be. Raises ``RuntimeError`` where none has.
    """
    left_out = {}
    for group in groups_that_share({name: t for name, t in tensors.items() if isinstance(t, Tensor)}):
        if len(group) < 2:
            continue
        whole = sorted(name for name in group
                       if tensors[name].numel() * tensors[name].element_size() == tensors[name].untyped_storage().nbytes())
        if not whole:
            raise RuntimeValueError(f"none of the tensors {sorted(group)}, which share memory, has all of it: to save "
                                    "one would lose what the others have; give them memory of their own, by .clone()")
        kept = next((name for name in whole if name in preferred), whole[0])
        left_out[kept] = sorted({*group} - {kept})
    return left_out
