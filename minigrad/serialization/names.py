"""The names by which PyTorch's files refer to functions, classes and values, and what stands for each here, both ways."""

from __future__ import annotations

import importlib
import pickle
import re
from typing import Any, NamedTuple

from minigrad._tensor import Tensor
from minigrad._tensor.storage import TypedStorage, UntypedStorage
from minigrad._types import dtypes, layouts
from minigrad._types.device import Device
from minigrad._types.size import Size
from minigrad.nn.parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter
from minigrad.random import restore_generator
from minigrad.serialization import tensors


class Name(NamedTuple):
    """A name that a pickle refers to. It can be called as what it stands for, which picklers ask of it."""

    module: str
    name: str

    def __call__(self, *args: Any) -> Any:
        return find_safe(*self)(*args)


# What the memory of each dtype is called. That of other dtypes is UntypedStorage, and the tensor says what it is.
STORAGES = {"DoubleStorage": dtypes.float64, "FloatStorage": dtypes.float32, "HalfStorage": dtypes.float16,
            "BFloat16Storage": dtypes.bfloat16, "LongStorage": dtypes.int64, "IntStorage": dtypes.int32,
            "ShortStorage": dtypes.int16, "CharStorage": dtypes.int8, "ByteStorage": dtypes.uint8, "BoolStorage": dtypes.bool_,
            "ComplexDoubleStorage": dtypes.complex128, "ComplexFloatStorage": dtypes.complex64}


class StorageType:
    """What a file names as the class of a storage, ``FloatStorage`` say: its dtype.

    >>> import minigrad as mg
    >>> mg.serialization.StorageType("FloatStorage").dtype
    minigrad.float32
    """

    def __init__(self, name: str) -> None:
        self._dtype = STORAGES[name]

    @property
    def dtype(self) -> dtypes.dtype:
        """The type of the elements."""
        return self._dtype

    def __str__(self) -> str:
        return f"StorageType(dtype={self.dtype})"


STORAGE_NAMES: dict[Any, Name] = {dtype: Name("torch", name) for name, dtype in STORAGES.items()}
UNTYPED = Name("torch.storage", "UntypedStorage")


def get_layout(name: Any) -> layouts.layout:
    """The layout that PyTorch's files call so."""
    if name != "torch.strided":
        raise pickle.UnpicklingError(f"it holds a tensor with the layout {name!s:.40}, and tensors here are strided; in PyTorch, "
                                     "save x.to_dense()")
    return layouts.strided


GET_LAYOUT = Name("torch.serialization", "_get_layout")
UTILS = "torch._utils"
TENSORS: dict[tuple[str, str], Any] = {Name(UTILS, f"_{function.__name__}"): function for function in tensors.REBUILDING}
TENSORS |= {Name("torch._tensor", "_rebuild_from_type"): tensors.rebuild_from_type,
            Name("torch._tensor", "_rebuild_from_type_v2"): tensors.rebuild_from_type_v2}
# Values and classes, which we write by these names too.
WRITTEN: dict[tuple[str, str], Any] = {Name("torch", value.name): value
           for value in (*dtypes.ALL, layouts.preserve_format, layouts.contiguous_format, layouts.channels_last,
                         layouts.channels_last_3d)}
WRITTEN |= {Name("torch", "Tensor"): Tensor, Name("torch", "Size"): Size, Name("torch", "device"): Device,
            Name("torch.nn.parameter", "Parameter"): Parameter,
            Name("torch.nn.parameter", "UninitializedParameter"): UninitializedParameter,
            Name("torch.nn.parameter", "UninitializedBuffer"): UninitializedBuffer}
NAME_OF = {id(value): Name(*name) for name, value in WRITTEN.items()}

# What a file may refer to: it makes values, and does nothing else.
SAFE: dict[tuple[str, str], Any] = {**TENSORS, **WRITTEN, GET_LAYOUT: get_layout}
SAFE |= {UNTYPED: UntypedStorage, Name("torch.storage", "TypedStorage"): TypedStorage,
         Name("torch.storage", "_UntypedStorage"): UntypedStorage, Name("torch.storage", "_TypedStorage"): TypedStorage,
         Name("torch.nn", "Parameter"): Parameter, Name("torch.nn.parameter", "Buffer"): Buffer,
         Name("minigrad.random", "restore_generator"): restore_generator,
         Name("minigrad.serialization", "rebuild"): tensors.rebuild}
# Where PyTorch had some of them in other versions.
MOVED = {"torch.tensor": "torch._tensor"}

OTHER_DTYPES = re.compile(r"float8_\w+|float4_\w+|complex32|q?u?int\d+(x\d)?|bits\w+")
NOT_HERE = {"_rebuild_sparse_tensor": "a sparse tensor; in PyTorch, save x.to_dense()",
            "_rebuild_sparse_csr_tensor": "a sparse tensor; in PyTorch, save x.to_dense()",
            "_rebuild_qtensor": "a quantized tensor; in PyTorch, save x.dequantize()",
            "_rebuild_nested_tensor": "a nested tensor; in PyTorch, save x.unbind() or x.to_padded_tensor(0)",
            "_rebuild_meta_tensor_no_storage": "a tensor of the device 'meta', which has no elements; save one that has",
            "_rebuild_wrapper_subclass": "a tensor whose class keeps its elements elsewhere; in PyTorch, save those"}


def find_safe(module: str, name: str) -> Any:
    """What stands for a name of PyTorch's that makes a value; None for every other name.

    Raises ``pickle.UnpicklingError`` for values that there are none of here.
    """
    module = MOVED.get(module, module)
    if (module, name) == ("ml_dtypes", "bfloat16"):
        return dtypes.bfloat16.numpy.type  # of NumPy's arrays
    if module in ("torch", "torch.cuda", "torch.storage") and name in STORAGES:
        return StorageType(name)
    if (module, name) in SAFE:
        return SAFE[module, name]
    if module == UTILS and name in NOT_HERE:
        raise pickle.UnpicklingError(f"it holds {NOT_HERE[name]}")
    if module == "torch" and (OTHER_DTYPES.fullmatch(name) or name.startswith("Q") and name.endswith("Storage")):
        raise pickle.UnpicklingError(f"it holds numbers of the kind {name}, a dtype that there is none of here; in PyTorch, "
                                     "convert them first, by x.to(torch.float32) or x.dequantize()")
    return None


def find_trusted(module: str, name: str) -> Any:
    """What minigrad has for any name of PyTorch's. Raises ``pickle.UnpicklingError`` where it has nothing."""
    found = find_safe(module, name)
    if found is not None:
        return found
    below = module.removeprefix("torch").lstrip(".")
    # What is compiled in PyTorch has no path here: its functions are looked for among those of layers, and of tensors.
    for path in ("nn.functional", "") if below.split(".")[0] in ("_C", "_VF", "_VariableFunctions") else (below,):
        try:
            found = importlib.import_module(f"minigrad.{path}".rstrip("."))
            for part in name.split("."):
                found = getattr(found, part)
            return found
        except (ImportError, AttributeError):
            continue
    raise pickle.UnpicklingError(f"it refers to {module}.{name}, which minigrad does not have; in PyTorch, save the state_dict() "
                                 "of the model instead of the model")
