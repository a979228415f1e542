"""Writing objects in PyTorch's format."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import struct
import sys
from collections import OrderedDict
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import numpy as np

from minigrad import _arrays
from minigrad._tensor import Tensor
from minigrad._tensor.storage import TypedStorage, UntypedStorage
from minigrad._types import dtypes, layouts
from minigrad._types.device import Device
from minigrad.errors import ArgumentError
from minigrad.nn.parameter import Buffer, Parameter, is_lazy
from minigrad.ops.indexing.as_strided import as_vector, memory_and_place, storage_owner
from minigrad.serialization import legacy, options
from minigrad.serialization.archive import ALIGNMENT, ArchiveWriter, replacing
from minigrad.serialization.names import GET_LAYOUT, NAME_OF, STORAGE_NAMES, UNTYPED, UTILS, Name
from minigrad.serialization.registry import location_tag

__all__ = ["save"]

VERSION = b"3\n"
# PyTorch computes where storages begin in files whose format has version 1 from what its own headers take. Ours take more or
# less, so this number tells it to look.
FORMAT_VERSION = b"0"
REBUILD_TENSOR, REBUILD_TENSOR_OF_DTYPE = Name(UTILS, "_rebuild_tensor_v2"), Name(UTILS, "_rebuild_tensor_v3")
REBUILD_PARAMETER, REBUILD_FROM_TYPE = Name(UTILS, "_rebuild_parameter"), Name("torch._tensor", "_rebuild_from_type_v2")
REBUILD_PARAMETER_WITH_STATE = Name(UTILS, "_rebuild_parameter_with_state")


class Stored:
    """The memory of tensors, which is written once: an array that holds all of it, its dtype in the file, its key there."""

    def __init__(self, memory: Any, key: str) -> None:
        self.memory, self.key = memory, key
        self.dtype = dtypes.FROM_NUMPY.get(memory.dtype)
        self.type = STORAGE_NAMES.get(self.dtype, UNTYPED)
        self.location = location_tag(UntypedStorage(memory))

    @property
    def is_typed(self) -> bool:
        """Whether the file says of what dtype the elements are."""
        return self.type is not UNTYPED

    @property
    def count(self) -> int:
        """How many elements there are, or bytes without a dtype."""
        return int(self.memory.size if self.is_typed else self.memory.nbytes)

    def content(self) -> Any:
        """The bytes, in host memory."""
        if options.is_skipping_data():
            return np.zeros(self.memory.nbytes, np.uint8)
        order = np.argsort([-s for s in self.memory.strides], kind="stable")  # that of memory
        return np.ascontiguousarray(_arrays.to_numpy(self.memory.transpose(order))).reshape(-1).view(np.uint8)


def pickler_on(module: Any) -> Any:
    """The class of picklers of ``pickle``, or of a module like it, that write tensors as PyTorch does and note their memory."""
    # Only the one in Python can write names that no module here has.
    base: Any = pickle._Pickler if module in (None, pickle) else module.Pickler
    if not issubclass(base, pickle._Pickler):
        raise ArgumentError("save: expected the Pickler of pickle_module to be a subclass of pickle._Pickler, as dill's is; that "
                            f"of {module.__name__} could not write PyTorch's names")

    class Pickler(base):  # type: ignore[misc]
        """Writes what `obj` is made of, but for the memory of its tensors."""

        dispatch = dict(base.dispatch)
        end_of_ids: tuple[Any, ...] = ()  # what older formats have beside

        def __init__(self, file: Any, protocol: int) -> None:
            super().__init__(file, protocol=protocol)
            self.stored: dict[int, Stored] = {}  # by the id of what owns the memory, which is kept alive here
            self.owners: list[Any] = []

        def persistent_id(self, obj: Any) -> Any:
            if isinstance(obj, UntypedStorage):
                vector = obj.as_vector(dtypes.uint8)
                stored = self.note(storage_owner(vector), vector)
                return ("storage", UNTYPED, stored.key, stored.location, stored.memory.nbytes, *self.end_of_ids)
            if isinstance(obj, TypedStorage):
                vector = obj.as_vector(obj.dtype)
                obj = self.note(storage_owner(vector), vector)
            if not isinstance(obj, Stored):
                return None
            return ("storage", obj.type, obj.key, obj.location, obj.count, *self.end_of_ids)

        def reducer_override(self, obj: Any) -> Any:
            if isinstance(obj, Tensor) and type(obj).__reduce_ex__ is Tensor.__reduce_ex__:
                return self.reduce_tensor(obj)
            if isinstance(obj, Device):
                return Device, (obj.type,) if obj.index is None else (obj.type, obj.index)
            if isinstance(obj, layouts.layout):
                return GET_LAYOUT, (f"torch.{obj.name}",)
            return NotImplemented

        def save_global(self, obj: Any, name: str | None = None) -> None:
            if (known := NAME_OF.get(id(obj))) is not None:
                self.save(known)
            else:
                super().save_global(obj, name)

        def save_name(self, obj: Name) -> None:
            """Write the name of something that need not be here."""
            if self.proto >= 4:
                self.save(obj.module)
                self.save(obj.name)
                self.write(pickle.STACK_GLOBAL)
            else:
                self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
            self.memoize(obj)

        dispatch[Name] = save_name

        def save_type(self, obj: Any) -> None:
            known = NAME_OF.get(id(obj))
            base.dispatch[type](self, obj) if known is None else self.save(known)

        dispatch[type] = save_type

        def note(self, owner: Any, memory: Any) -> Stored:
            """The entry of the memory that `owner` owns, of which `memory` is all."""
            if id(owner) not in self.stored:
                self.owners.append(owner)
                self.stored[id(owner)] = Stored(memory, str(len(self.stored)))
            return self.stored[id(owner)]

        def reduce_tensor(self, t: Any) -> Any:
            """How PyTorch writes the tensor `t`: as a leaf, without gradient and hooks."""
            attributes = {k: v for k, v in t.__dict__.items() if not k.startswith("_")}
            if is_lazy(t):
                return NAME_OF[id(type(t))], (t.requires_grad, t.device, t.dtype)
            made: Any
            if isinstance(t, Parameter):
                made = REBUILD_PARAMETER, (plain(t), t.requires_grad, OrderedDict())
                if type(t) is Parameter:
                    return (REBUILD_PARAMETER_WITH_STATE, (*made[1], attributes)) if attributes else made
                return REBUILD_FROM_TYPE, (made[0], type(t), made[1], attributes)
            if isinstance(t, Buffer):
                return REBUILD_FROM_TYPE, (*self.place(t), {**attributes, "persistent": t.persistent, "_is_buffer": True})
            function, cls, args = self.place(t)
            return (REBUILD_FROM_TYPE, (function, cls, args, attributes)) if attributes or cls is not Tensor else (function, args)

        def place(self, t: Any) -> tuple[Name, type, Any]:
            """Where the tensor `t` lies: the function that finds it there, the class it has, and the function's arguments."""
            array, owner = t.array, storage_owner(t.array)
            memory, place = memory_and_place(array)
            if place is not None:
                _, offset, size, stride = place
                stored = self.note(owner, as_vector(memory))
            else:
                offset, size, stride = 0, tuple(t.shape), t.stride()
                if array.size and not is_dense(array):  # it was laid out by another library
                    array = np.ascontiguousarray(array)
                    stride = tuple([s // array.itemsize for s in array.strides])
                stored = self.note(owner if owner.nbytes == array.nbytes else array, array)
            args: Any = stored, offset, size, stride, t.requires_grad, OrderedDict()
            cls = Tensor if isinstance(t, Buffer) else type(t)
            if stored.is_typed and t.dtype is stored.dtype:
                return REBUILD_TENSOR, cls, args
            return REBUILD_TENSOR_OF_DTYPE, cls, (*args, t.dtype)

    return Pickler


def plain(t: Tensor) -> Tensor:
    """A plain tensor, which does not require grad, of the same array."""
    data: Any = object.__new__(Tensor)
    data.array, data.node = t.array, None
    return data  # type: ignore[no-any-return]


def is_dense(array: Any) -> bool:
    """Whether the elements of `array` lie in memory without gaps, in whichever order of the dimensions."""
    order = np.argsort([-s for s in array.strides], kind="stable")
    return bool(array.transpose(order).flags.c_contiguous)


def save(obj: Any, f: str | os.PathLike[str] | IO[bytes], pickle_module: ModuleType | None = None, pickle_protocol: int = 2,
         _use_new_zipfile_serialization: bool = True, _disable_byteorder_record: bool = False) -> None:
    """Write `obj` (a tensor, a ``state_dict``, nested containers of them, a model) to `f`, in PyTorch's format.

    What is computed is stored as a leaf; gradients and hooks are not stored. Tensors that share memory share it after loading, so
    a view is stored with all of its base: to store a small part of a large tensor, save its ``clone()``. PyTorch loads the file
    with ``weights_only=True``, as far as it allows there what was saved. A model is stored by reference to the classes of its
    modules, which are minigrad's: store its ``state_dict()`` for PyTorch, and for later versions of your own code.

    Args:
        f: a path, or a file open for writing bytes, which need not be seekable. A file at a path is replaced when all is written,
            and left as it was by an exception.
        pickle_module: a module with a ``Pickler`` that derives from the one in Python, as ``dill`` has it.

    Raises: ``TypeError`` where `f` cannot be written to; ``RuntimeError`` where its folder is not there.

    >>> import io, minigrad as mg
    >>> file = io.BytesIO()
    >>> mg.save(mg.nn.Linear(2, 1).state_dict(), file)
    >>> _ = file.seek(0)
    >>> list(mg.load(file))
    ['weight', 'bias']
    """
    if not (isinstance(f, str) or hasattr(f, "write") or hasattr(f, "__fspath__")):
        raise ArgumentError(f"save: expected 'f' to be a path or a file open for writing bytes, got {type(f).__name__}")
    pickler = pickler_on(pickle_module)
    write = write_archive if _use_new_zipfile_serialization else legacy.write_stream
    if hasattr(f, "write"):
        write(obj, f, pickler, pickle_protocol, root="archive", with_byteorder=not _disable_byteorder_record)
        return
    with replacing(f) as file:
        write(obj, file, pickler, pickle_protocol, root=Path(f).stem or "archive", with_byteorder=not _disable_byteorder_record)


def write_archive(obj: Any, file: Any, pickler_class: Any, protocol: int, root: str, with_byteorder: bool) -> None:
    """Write `obj` as a zip archive: its pickle, then one memory after the other."""
    pickled = io.BytesIO()
    pickler = pickler_class(pickled, protocol)
    pickler.dump(obj)
    with ArchiveWriter(file, root) as archive:
        archive.write("data.pkl", pickled.getbuffer())
        archive.write(".format_version", FORMAT_VERSION)
        archive.write(".storage_alignment", str(ALIGNMENT).encode())
        if with_byteorder:
            archive.write("byteorder", sys.byteorder.encode())
        identity = hashlib.sha256(pickled.getbuffer())
        for stored in pickler.stored.values():
            archive.write(f"data/{stored.key}", stored.content())
            identity.update(struct.pack("<q", stored.memory.nbytes))
        archive.write("version", VERSION)
        archive.write(".data/serialization_id", f"{int.from_bytes(identity.digest()[:16], 'big') % 10**40:040}".encode())
