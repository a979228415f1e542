"""Reading PyTorch's files, and those that minigrad wrote before it wrote these."""

from __future__ import annotations

import _compat_pickle
import io
import os
import pickle
import pickletools
import sys
from contextlib import contextmanager
from types import ModuleType
from typing import IO, Any, Callable, Collection, Iterator, Protocol

import numpy as np

from minigrad import _arrays, safetensors
from minigrad._tensor.storage import TypedStorage, UntypedStorage
from minigrad._types import dtypes
from minigrad._types.device import Device
from minigrad.errors import (
    ArgumentError,
    DeviceError,
    EndOfFileError,
    InvalidValueError,
    MinigradError,
    RuntimeValueError,
    StateError,
)
from minigrad.serialization import foreign, legacy, names, options
from minigrad.serialization.archive import ArchiveReader, map_file
from minigrad.serialization.former import NAMES, FormerReader
from minigrad.serialization.plain import PLAIN, brief
from minigrad.serialization.registry import _added, default_restore_location
from minigrad.serialization.unpickler import WeightsUnpickler

__all__ = ["get_unsafe_globals_in_checkpoint", "load"]

TRUE = ("1", "y", "yes", "true")  # of PyTorch's variables of the environment
MAP_LOCATION = Any  # for annotations, as in PyTorch: a device or its name, a table of devices, a function, or None


# ---------------------------------------------------------------------------------------------------- memory

class Source(Protocol):
    """A file that holds the memory of tensors, by keys."""

    file: IO[bytes]
    byteorder: str

    def require_size(self, key: str, nbytes: int) -> None:
        """Raise ``RuntimeError`` unless there are so many bytes."""

    def read_into(self, key: str, array: Any) -> None:
        """Read into an array, which is as large."""

    def offset(self, key: str) -> int:
        """Where in the file they begin."""


class Records:
    """The memory of tensors in an archive."""

    def __init__(self, archive: ArchiveReader) -> None:
        self.archive, self.file = archive, archive.file
        self.byteorder = self.read_byteorder()

    def read_byteorder(self) -> str:
        """"little" or "big"."""
        if "byteorder" in self.archive:
            found = self.archive.read("byteorder")
            if found not in (b"little", b"big"):
                raise InvalidValueError(f"load: {self.archive.name}: Unknown endianness type: {found[:20]!r}")
            return found.decode()
        default = options.get_default_load_endianness()
        if default is options.LoadEndianness.NATIVE:
            return sys.byteorder
        return "little" if default is None else default.name.lower()

    def require_size(self, key: str, nbytes: int) -> None:
        self.archive.require_size(f"data/{key}", nbytes)

    def read_into(self, key: str, array: Any) -> None:
        self.archive.read_into(f"data/{key}", array)

    def offset(self, key: str) -> int:
        return self.archive.offset(f"data/{key}")


class Storages:
    """The storages that a pickle refers to, each read once, and brought to where `restore` puts them."""

    def __init__(self, source: Source, restore: Callable[[UntypedStorage, str], Any], mapped: bool) -> None:
        self.source, self.restore, self.mapped = source, restore, mapped
        self.loaded: dict[str, UntypedStorage] = {}
        self.mapping: Any = None

    def persistent_load(self, pid: Any) -> Any:
        """The storage of a persistent id."""
        kind, *rest = pid if isinstance(pid, tuple) and pid else (pid,)
        if kind == "module" and rest:  # the class of a module and its source, of which old files tell
            return rest[0]
        if kind not in ("storage", b"storage") or len(rest) not in (4, 5):
            raise ArgumentError(f"it refers to {brief(pid)}, which should be a storage")
        storage_type, key, location, count = rest[:4]
        dtype = storage_type.dtype if isinstance(storage_type, names.StorageType) else None
        if not (dtype or storage_type is UntypedStorage) or type(count) is not int or count < 0:
            raise ArgumentError(f"it refers to a storage of {brief(count)} elements of the kind {brief(storage_type)}")
        key, location = [text.decode("ascii") if isinstance(text, bytes) else text for text in (key, location)]
        if type(key) is not str or type(location) is not str:
            raise ArgumentError(f"it refers to a storage by {brief(key)} on {brief(location)}, which should be texts")
        if key not in self.loaded:
            array = self.read(key, dtype or dtypes.uint8, count, typed=dtype is not None)
            self.loaded[key] = self.restore(UntypedStorage(array), location)
        storage = self.loaded[key]
        view = rest[4] if len(rest) == 5 else None
        if dtype is None:
            return storage
        vector = storage.as_vector(dtype)
        if view is not None:  # a part of a storage, which before PyTorch 0.4 was a storage too
            _, offset, size = view
            vector = _arrays.apart(vector[offset:offset + size])
        return TypedStorage(vector)

    def read(self, key: str, dtype: dtypes.dtype, count: int, typed: bool) -> Any:
        """The elements of a storage, as an array in host memory."""
        nbytes, swapped = count * dtype.itemsize, self.source.byteorder != sys.byteorder
        self.source.require_size(key, nbytes)
        if options.is_skipping_data():
            return np.zeros(count, dtype.numpy)
        if swapped and not typed:
            raise RuntimeValueError(f"its bytes are in the order of {self.source.byteorder}-endian machines, and it does not say "
                                    "of which dtype they are; load it in PyTorch, and save it on this machine")
        offset = self.source.offset(key) if self.mapped and nbytes else 1
        if offset % dtype.itemsize == 0 and self.mapped:
            if self.mapping is None:
                self.mapping = map_file(self.source.file, options.get_default_mmap_options() == options.MAP_SHARED)
            if offset + nbytes > len(self.mapping):
                raise RuntimeValueError(f"its storage {key} ends behind the end of the file")
            array = np.frombuffer(self.mapping, dtype.numpy, count, offset)
        else:
            array = np.empty(count, dtype.numpy)
            self.source.read_into(key, array)
        return array.byteswap(inplace=True) if swapped else array


def as_saved(storage: UntypedStorage, location: str) -> Any:
    """A storage on the device that it was on."""
    try:
        return default_restore_location(storage, location)
    except DeviceError as error:
        raise DeviceError(f"load: the tensors were saved on device '{location}': {error}. To put them elsewhere, pass for "
                          "instance map_location='cpu'") from None


def restorer(map_location: Any) -> Callable[[UntypedStorage, str], Any]:
    """The function that brings a storage, and the name of the device that it was on, to where `map_location` says."""
    if map_location is None:
        return as_saved
    if isinstance(map_location, dict):
        return lambda storage, location: as_saved(storage, str(map_location.get(location, location)))
    if isinstance(map_location, (str, bytes, Device, int)):
        there = map_location.decode() if isinstance(map_location, bytes) else str(_arrays.as_device(map_location))
        return lambda storage, location: default_restore_location(storage, there)
    if not callable(map_location):
        raise ArgumentError("load: expected map_location to be a device, its name, a dictionary of devices, a function or None, "
                            f"got {type(map_location).__name__}")

    def restore(storage: UntypedStorage, location: str) -> Any:
        chosen = map_location(storage, location)
        if chosen is None:
            return as_saved(storage, location)
        if isinstance(chosen, TypedStorage):
            return chosen.untyped()
        if not isinstance(chosen, UntypedStorage):
            raise ArgumentError(f"load: map_location({storage!r}, {location!r}) returned a {type(chosen).__name__}; expected a "
                                "storage, such as the one that it was given, or None")
        return chosen
    return restore


# ---------------------------------------------------------------------------------------------------- pickles

class Pickles:
    """How the pickles of a file are run: by the machine that runs nothing, or, where the user trusts it, by `pickle_module`."""

    def __init__(self, trusted: bool, pickle_module: Any, arguments: dict[str, Any]) -> None:
        self.trusted, self.module, self.arguments = trusted, pickle_module or pickle, arguments

    def load(self, file: IO[bytes], persistent_load: Callable[[Any], Any], find_class: Callable[[str, str], Any],
             beside: int = 0, added: Collection[Any] = ()) -> Any:
        """The object in the pickle that `file` goes on with.

        Args:
            find_class: what stands for a name that makes a value, or None for other names.
            beside: how many bytes there are beside it, which it can refer to.
            added: classes that may be called, and their instances given state, beside those of the user's.
        """
        if not self.trusted:
            def find_allowed(module: str, name: str) -> Any:
                found = find_class(module, name)
                return allowed(module, name) if found is None else found
            return WeightsUnpickler(file, find_class=find_allowed, persistent_load=persistent_load,
                                    added=[*_added.values(), *added], beside=beside, **self.arguments).load()

        class Unpickler(self.module.Unpickler):  # type: ignore[name-defined, misc]
            def find_class(self, module: str, name: str) -> Any:
                found = find_class(module, name)
                if found is not None:
                    return found
                return names.find_trusted(module, name) if module.split(".")[0] == "torch" else super().find_class(module, name)

        unpickler = Unpickler(file, **self.arguments)
        unpickler.persistent_load = persistent_load
        return unpickler.load()


def allowed(module: str, name: str) -> Any:
    """The class or function of that name, if :func:`add_safe_globals` has allowed it; under PyTorch's name too."""
    if (module, name) in _added or not _added or module.split(".")[0] != "torch":
        return _added.get((module, name))
    try:
        found = names.find_trusted(module, name)
    except pickle.UnpicklingError:
        return None
    return found if any([found is other for other in _added.values()]) else None


def referred_names(file: IO[bytes]) -> list[str]:
    """The names that a pickle refers to and that make more than values, in order, without running it."""
    found: dict[tuple[str, str], None] = {}
    texts: list[str] = []
    for instruction, argument, _ in pickletools.genops(file):
        if instruction.name == "GLOBAL":
            module, _, name = str(argument).partition(" ")
            found[_compat_pickle.IMPORT_MAPPING.get(module, module), name] = None  # in the words of Python 3
        elif instruction.name == "STACK_GLOBAL":
            found[texts[-2], texts[-1]] = None
        elif "UNICODE" in instruction.name:
            texts.append(str(argument))
    return [".".join(name) for name in found if not is_safe(*name)]


def is_safe(module: str, name: str) -> bool:
    """Whether files may refer to a name."""
    try:
        known = names.find_safe(module, name) is not None or allowed(module, name) is not None
    except pickle.UnpicklingError:
        known = True  # it is no danger, but there is nothing like it here
    return known or (module, name) in PLAIN or (module, name) in NAMES


# ---------------------------------------------------------------------------------------------------- files

@contextmanager
def opened(f: Any, called: str, mode: str = "rb") -> Iterator[tuple[IO[bytes], str]]:
    """The file `f`, or at the path `f`, and what errors call it."""
    if isinstance(f, (str, os.PathLike)):
        with open(f, mode) as file:
            yield file, os.fspath(f)
        return
    if not (hasattr(f, "read") and hasattr(f, "readline")):
        raise ArgumentError(f"{called}: expected 'f' to be a path or a file open for reading bytes, got {type(f).__name__}")
    try:
        f.seek(f.tell())
    except (AttributeError, io.UnsupportedOperation, OSError):
        raise io.UnsupportedOperation(f"{called}: the file must be seekable; read it into an io.BytesIO, and load from "
                                      "that") from None
    if isinstance(f.read(0), str):
        raise ArgumentError(f"{called}: expected 'f' to be open for reading bytes, got a file of text: open it with mode 'rb'")
    yield f, str(getattr(f, "name", f"the {type(f).__name__}"))


def load(f: str | os.PathLike[str] | IO[bytes], map_location: Any = None, pickle_module: ModuleType | None = None, *,
         weights_only: bool | None = None, mmap: bool | None = None, **pickle_load_args: Any) -> Any:
    """Read what :func:`save`, or PyTorch's ``save``, wrote to `f`, a path or a seekable file open for reading bytes.

    What has a name that ends in ``.safetensors`` is read by :func:`minigrad.safetensors.load_file`, as PyTorch does.

    Args:
        map_location: the device to put the tensors on; or a dictionary from the names of devices that they were on to that; or a
            function of a storage in host memory and the name of the device that it was on, which returns the storage on the
            device wanted, or None for the one that it was on; None: as saved.
        pickle_module: runs the pickle, with ``weights_only=False``, which is then the default; ``dill``, say.
        weights_only: refuse everything but tensors, numbers, strings and containers, and what
            :func:`~minigrad.serialization.add_safe_globals` has allowed; the default. A file that is loaded with
            ``weights_only=False`` can run any code: do so only with files you trust. It is then that whole models are read;
            PyTorch's classes are taken for those of that name here. PyTorch's variables of the environment,
            ``TORCH_FORCE_WEIGHTS_ONLY_LOAD=1`` and ``TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1``, decide for everybody, the second
            where a call does not say it.
        mmap: map the file into memory instead of reading it, so that of tensors in host memory only what is looked at is read.
            The tensors can be written, which does not change the file. `f` must be a path.
        pickle_load_args: for the unpickler; ``encoding="latin1"`` is for files of Python 2.

    Raises: ``pickle.UnpicklingError`` for a file that refers to anything else, ``RuntimeError`` for one that is damaged or of
    another kind.

    >>> import io, minigrad as mg
    >>> file = io.BytesIO()
    >>> mg.save({"weight": mg.ones(2)}, file)
    >>> _ = file.seek(0)
    >>> mg.load(file)
    {'weight': tensor([1., 1.])}
    """
    trusted = pickle_module is not None if weights_only is None else not weights_only
    if os.environ.get("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "0").lower() in TRUE:
        trusted = False
    elif weights_only is None and os.environ.get("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "0").lower() in TRUE:
        trusted = True
    if not trusted and (unknown := set(pickle_load_args) - {"encoding", "errors"}):
        raise ArgumentError(f"load: {min(unknown)} is for weights_only=False; with weights_only=True there are encoding and "
                            "errors")
    if pickle_module is not None and not trusted:
        raise StateError("load: Can not safely load weights when explicit pickle_module is specified")
    if mmap and not isinstance(f, (str, os.PathLike)):
        raise InvalidValueError("load: f must be a file path in order to use the mmap argument")
    if isinstance(f, (str, os.PathLike)) and os.fspath(f).endswith(".safetensors"):
        return read_safetensors(f, map_location)
    pickles = Pickles(trusted, pickle_module, {"encoding": "utf-8", **pickle_load_args})
    restore = restorer(map_location)
    shared = mmap and options.get_default_mmap_options() == options.MAP_SHARED
    with opened(f, "load", "r+b" if shared else "rb") as (file, name):
        begin = file.tell()
        head = file.read(foreign.HEAD)
        if not head:
            raise EndOfFileError(f"load: {name} is empty, or stands at its end; file.seek(0) goes back to the beginning")
        file.seek(begin)
        is_archive = head.startswith(b"PK\3\4")
        if not is_archive and (why := foreign.describe(head, file)) is not None:
            raise RuntimeValueError(f"load: {name} {why}")
        try:
            if not is_archive:
                return read_stream(file, name, pickles, restore, bool(mmap))
            return read_archive(ArchiveReader(file, name), pickles, restore, bool(mmap))
        except pickle.UnpicklingError as error:
            told = "" if trusted else advice(file, begin, is_archive, pickles)
            raise pickle.UnpicklingError(f"load: {name}: {error}{told}") from None
        except (ModuleNotFoundError, AttributeError) as error:
            if not trusted:
                raise
            raise pickle.UnpicklingError(
                f"load: {name} refers to a class or function that is not here ({error}). A model that was saved whole is loaded "
                "where the modules that define its classes can be imported, under the names they had; save its state_dict() "
                "instead, which needs none") from error
        except MinigradError as error:
            if str(error).startswith(("load:", "NumPy has")):
                raise
            raise RuntimeValueError(f"load: {name}: {error}") from error


def read_safetensors(f: str | os.PathLike[str], map_location: Any) -> Any:
    """The tensors of a safetensors file, on one device."""
    if isinstance(map_location, dict) or callable(map_location):
        raise StateError(f"load: {os.fspath(f)} is a safetensors file, which does not say where its tensors were; expected "
                         f"map_location to be a device, its name or None, got a {type(map_location).__name__}")
    return safetensors.load_file(f, "cpu" if map_location is None else map_location)


def read_archive(archive: ArchiveReader, pickles: Pickles, restore: Any, mapped: bool) -> Any:
    """The object in a zip archive."""
    if "data.pkl" not in archive:
        raise RuntimeValueError(f"load: {archive.name} {foreign.describe_archive(list(archive.entries))}")
    if "constants.pkl" in archive:
        raise StateError(f"load: {archive.name} is a TorchScript archive, as jit.save writes: minigrad.jit.load(f).state_dict() "
                         "gives its parameters and buffers")
    content = io.BytesIO(archive.read("data.pkl"))
    beside = max(archive.length - len(content.getbuffer()), 0)
    if not archive.root and "version" not in archive:
        if mapped:
            raise StateError(f"load: {archive.name} has a format that minigrad wrote formerly, which cannot be mapped; load it "
                             "without mmap=True, and save it again")
        former = FormerReader(archive, restore)

        def find_class(module: str, name: str) -> Any:
            return former.find_class(module, name) or names.find_safe(module, name)
        return pickles.load(content, former.persistent_load, find_class, beside)
    storages = Storages(Records(archive), restore, mapped)
    return pickles.load(content, storages.persistent_load, names.find_safe, beside)


def read_stream(file: IO[bytes], name: str, pickles: Pickles, restore: Any, mapped: bool) -> Any:
    """The object in a file as PyTorch wrote them before version 1.6."""
    stream = legacy.Stream(file, name, pickles)
    result = pickles.load(file, Storages(stream, restore, mapped).persistent_load, names.find_safe)
    stream.seek_end()
    return result


def advice(file: IO[bytes], begin: int, is_archive: bool, pickles: Pickles) -> str:
    """What more to say of a file that refers to names it may not: all of them, and how to get at weights."""
    length = file.seek(0, io.SEEK_END) - begin
    file.seek(begin)
    try:
        if is_archive:
            content = ArchiveReader(file, "").read("data.pkl")
        else:
            content = legacy.skip_header(file, "", pickles).read(min(length, 1 << 26))
        unsafe = referred_names(io.BytesIO(content))  # which gives no more than it has, whatever is asked of it
    except Exception:  # it is damaged in more than one way, and one has been told of
        return ""
    told = f". In all it refers to {', '.join(unsafe[:20])}" if len(unsafe) > 1 else ""
    if any([".nn." in path for path in unsafe]):
        told += (". It seems to hold a whole model: minigrad.load(f, weights_only=False).state_dict() gives its weights, where "
                 "its classes can be imported; minigrad.save(model.state_dict(), f) writes a file that needs no classes")
    return told


def get_unsafe_globals_in_checkpoint(f: str | os.PathLike[str] | IO[bytes]) -> list[str]:
    """The names in a file that ``load(f, weights_only=True)`` refuses, without loading it.

    Raises ``ValueError`` for files of other formats than :func:`save` writes.

    >>> import fractions, io, minigrad as mg
    >>> file = io.BytesIO()
    >>> mg.save([fractions.Fraction(1, 3)], file)
    >>> mg.serialization.get_unsafe_globals_in_checkpoint(file)
    ['fractions.Fraction']
    """
    with opened(f, "get_unsafe_globals_in_checkpoint") as (file, name):
        file.seek(0)
        if file.read(4) != b"PK\3\4":
            raise InvalidValueError("get_unsafe_globals_in_checkpoint: expected input to be a checkpoint returned by save, but "
                                    f"{name} is none")
        archive = ArchiveReader(file, name)
        if "constants.pkl" in archive:
            raise InvalidValueError("get_unsafe_globals_in_checkpoint: expected input to be a checkpoint returned by save, but "
                                    "got a torchscript checkpoint")
        return referred_names(io.BytesIO(archive.read("data.pkl")))
