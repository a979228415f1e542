"""The one room that knows array libraries.

Everywhere else an array is whatever NumPy's dispatch protocols carry: ``np.exp(x)`` runs in CuPy when `x` is a CuPy
array. What the protocols do not carry is here: which library owns an array, where it lives, how it moves, how arrays are
made from nothing, and the few operations whose best form differs between libraries.

A library is an :class:`~minigrad._arrays.library.ArrayLibrary`; NumPy's is registered at import, CuPy's when somebody first
names a CUDA device, others by :func:`minigrad.library.register_array_library`.
"""

from __future__ import annotations

import contextlib
from typing import Any, Callable

import numpy as np

from minigrad._arrays import dlpack
from minigrad._arrays.dlpack import is_capsule
from minigrad._arrays.host import NONE, switch
from minigrad._arrays.kernels import Kernels
from minigrad._arrays.library import ArrayLibrary, Lent, NumpyLibrary, cupy_library
from minigrad._arrays.stream import new_stream, stream_from_state, stream_state
from minigrad._arrays.sums import sum_over, sum_products
from minigrad._types import device as device_module
from minigrad._types.device import CPU, Device, as_device, get_default_device, set_default_device
from minigrad.errors import ArgumentError, DeviceError

__all__ = ["ArrayLibrary", "CPU", "Device", "accelerator_count", "add_library", "address_of", "apart", "array_types", "as_array",
           "as_device", "current_device", "device_of", "from_cuda", "from_dlpack", "full", "get_default_device", "is_array",
           "is_capsule", "is_pinned", "kernels_of", "lender_of", "libraries", "library_of", "library_on", "make",
           "needs_device_guard", "new_stream", "on_device", "on_device_of", "on_more_accelerators", "refuse_accelerators",
           "refuse_bfloat16", "resolve", "set_default_device", "stream_from_state", "stream_state", "sum_over", "sum_products",
           "to_device", "to_dlpack", "to_numpy", "xp_of"]

_numpy = NumpyLibrary()
libraries: dict[str, ArrayLibrary] = {"cpu": _numpy}
# For isinstance; grows when a library is registered.
array_types: tuple[type, ...] = (np.ndarray,)
accelerator_array_types: tuple[type, ...] = ()  # those whose arrays are not on the host
_accelerator_count = 0
# Called when a library with more devices than any before is registered: what depends on how many there may be is made anew.
on_more_accelerators: list[Callable[[], None]] = []


def add_library(library: ArrayLibrary) -> None:
    """Make `library` answer for the devices of its ``device_type``; its arrays are then arrays everywhere."""
    global array_types, accelerator_array_types, _accelerator_count
    libraries[library.device_type] = library
    array_types = tuple(lib.array_type for lib in libraries.values())
    accelerator_array_types = tuple(lib.array_type for lib in libraries.values() if lib is not _numpy)
    if library.device_count() > _accelerator_count:
        _accelerator_count = library.device_count()
        for call in on_more_accelerators:
            call()


def refuse_accelerators(why: str) -> None:
    """From now on, raise ``DeviceError`` with this text where arrays that are not on the host are used or made."""
    def refuse(*args: Any, **options: Any) -> Any:
        raise DeviceError(why)

    for library in libraries.values():
        if library is not _numpy:
            for method in ("from_numpy", "is_off_device", "make", "resolve", "to_numpy"):
                setattr(library, method, refuse)


def accelerator_count() -> int:
    """How many devices beside the CPU the registered libraries offer, which is the largest number of any of them. In a process
    that uses none it is 0."""
    return _accelerator_count


def library_on(device: Device) -> ArrayLibrary:
    """The library whose arrays live on `device`. Raises ``DeviceError`` if the library or the device is missing."""
    if device.type not in libraries:
        if device.type != "cuda":
            raise DeviceError(f"Expected one of {', '.join({**libraries, 'cuda': 0})} device type at start of device string: "
                              f"{device.type}")
        add_library(cupy_library())
    return libraries[device.type]


def library_of(x: Any) -> ArrayLibrary:
    """The library that owns the array `x`."""
    if type(x) is np.ndarray or isinstance(x, (np.ndarray, np.generic)):
        return _numpy
    for library in libraries.values():
        if isinstance(x, library.array_type):
            return library
    raise ArgumentError(f"no registered array library owns a {type(x).__name__}")


def kernels_of(x: Any, size: int | None = None) -> Kernels:
    """The kernels for the array `x`: those of its library; of the host, for a NumPy array that is large enough to gain. `size` is
    that of an array whose elements take as long to compute, where those of `x` do not tell."""
    if x.__class__ is np.ndarray:
        return NONE if (x.size if size is None else size) < switch.least else switch.kernels()
    return library_of(x).kernels


def xp_of(x: Any) -> Any:
    """The module of NumPy functions for `x`: ``numpy`` or ``cupy``."""
    return library_of(x).xp


def is_array(x: Any) -> bool:
    """Whether `x` is an array of a registered library."""
    return isinstance(x, array_types)


def as_array(x: Any) -> Any:
    """`x` as an array; NumPy returns scalars, not arrays, from operations on zero-dimensional arrays."""
    return x if isinstance(x, array_types) else np.asarray(x)


def device_of(x: Any) -> Device:
    """Where the array `x` lives."""
    return library_of(x).device_of(x)


def to_numpy(x: Any) -> np.ndarray[Any, Any]:
    """`x` as a NumPy array. It is copied only if it is on a GPU."""
    return library_of(x).to_numpy(x)


def to_device(x: Any, device: Device, non_blocking: bool = False) -> Any:
    """`x` on `device`, which is `x` itself if it is there already. With `non_blocking` the copy may still be under way."""
    source = library_of(x)
    there = source.device_of(x)
    if there == device:
        return x
    target = library_on(device)
    device = target.resolve(device)
    if there == device:
        return x
    refuse_bfloat16(target, x.dtype)
    if target is source:
        return source.copy_between(x, device)
    return target.from_numpy(source.to_numpy(x, non_blocking), device, non_blocking)


def refuse_bfloat16(library: ArrayLibrary, dtype: Any) -> None:
    """Raise for bfloat16 in any library but NumPy's, whose arrays ml_dtypes is made for."""
    if library is not _numpy and getattr(dtype, "kind", None) == "V":
        raise DeviceError(f"bfloat16 is in host memory only, not on device '{library.device_type}': convert it with .half() or "
                          ".float() first")


def resolve(device: Device) -> Device:
    """`device` as tensors on it name it: ``cuda`` gets the index of the current GPU. Raises ``DeviceError`` if it is missing."""
    return library_on(device).resolve(device)


def is_pinned(x: Any) -> bool:
    """Whether the NumPy array `x` is in memory that the library of a GPU has pinned."""
    return type(x) is np.ndarray and any(library.is_pinned(x) for library in libraries.values())


def on_device(device: Device) -> Any:
    """A context in which `device` is the current one. For the CPU it changes nothing."""
    gpus = library_on(device).gpus
    return contextlib.nullcontext() if gpus is None else gpus.on(device.index)


device_module.on_device.append(on_device)


def needs_device_guard(*arrays: Any) -> bool:
    """Whether a call with `arrays`, of which some may be None, needs another current device, or mixes devices: one of them is on
    another GPU than the current one, or some are on a GPU and some on the CPU."""
    in_memory = on_gpu = False
    for x in arrays:
        if isinstance(x, np.ndarray):
            in_memory = True
        elif isinstance(x, accelerator_array_types):
            on_gpu = True
            if library_of(x).is_off_device(x):
                return True
    return in_memory and on_gpu


def on_device_of(x: Any) -> Any:
    """A context in which the device of the array `x` is the current one. For CPU arrays it changes nothing."""
    return on_device(device_of(x))


def current_device(device: Device) -> Device:
    """The device of the same type as `device` that this thread computes on."""
    return library_on(device).resolve(Device(device.type))


def make(device: Device, function: str, *args: Any, **options: Any) -> Any:
    """An array made on `device` by a function of its library's module, such as ``"zeros"``."""
    library = library_on(device)
    for x in (*args, *options.values()):
        refuse_bfloat16(library, x)
    return library.make(device, function, *args, **options)


def full(shape: Any, value: Any, like: Any, dtype: Any = None) -> Any:
    """An array of this shape, every element `value`, on the device of the array `like` and of its dtype or the one given.

    ``np.full`` and ``np.ones`` with ``like=`` hand CuPy a keyword that it does not know, and CuPy's ``full_like`` takes an
    empty shape for none.
    """
    made = np.empty(shape, like.dtype if dtype is None else dtype, like=like)
    made.fill(value)
    return made


def from_dlpack(x: Any) -> Any:
    """An array that shares the memory of `x`, an object with the DLPack protocol or a capsule."""
    if is_capsule(x):
        x = dlpack.Capsule(x)
    kind, index = x.__dlpack_device__()
    library = next((lib for lib in libraries.values() if kind in lib.dlpack_kinds), None)
    if library is None:
        if kind not in dlpack.CUDA:
            raise DeviceError(f"from_dlpack: the {type(x).__name__} is on a device of DLPack's kind {kind}; only host memory (1) "
                              "and CUDA (2) can be shared")
        library = library_on(Device("cuda"))
    return library.from_dlpack(x, index)


def to_dlpack(x: Any, **options: Any) -> Any:
    """The DLPack capsule of the array `x`."""
    return dlpack.bfloat16_capsule(x, **options) if x.dtype.kind == "V" else x.__dlpack__(**options)


def from_cuda(x: Any) -> Any:
    """An array that shares the memory of `x`, which has ``__cuda_array_interface__``."""
    return library_on(Device("cuda")).xp.asarray(x)


def apart(x: Any) -> Any:
    """The elements of `x`, in the same memory, as an array whose writes are counted by themselves."""
    return library_of(x).apart(x)


def lender_of(x: Any) -> Any:
    """The array that lends its memory to `x`, which :func:`apart` made; None for any other."""
    return x.base.array if x.base.__class__ is Lent else None


def address_of(x: Any) -> int:
    """Where in memory the first element of `x` is."""
    return library_of(x).address_of(x)
