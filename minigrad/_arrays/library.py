"""What minigrad asks of an array library, and the answers of NumPy and CuPy."""

from __future__ import annotations

import contextlib
import functools
import importlib
from typing import Any

import numpy as np

from minigrad._arrays import dlpack
from minigrad._arrays.gpus import GPUs
from minigrad._arrays.kernels import CudaKernels, Kernels
from minigrad._arrays.optional import scipy_module
from minigrad._arrays.rows import add_rows, as_rows, sum_rows
from minigrad._arrays.tf32 import tf32
from minigrad._types import dtypes
from minigrad._types.device import CPU, Device
from minigrad._types.dtypes import is_low_precision, opmath_dtype
from minigrad.errors import DeviceError, missing_extra


class ArrayLibrary:
    """An array library: its array type, how arrays get there and back, and what NumPy's dispatch protocols do not carry.

    A subclass says ``device_type`` and ``array_type`` and defines :meth:`to_numpy` and :meth:`from_numpy`. That is enough for
    everything but views by steps in memory and addresses (:meth:`as_strided`, :meth:`address_of`). What else is here has an
    answer that goes by way of the host: right for every library, and to be defined anew where it should be fast.

    Attributes:
        device_type: the name of its devices, such as ``"cuda"``.
        array_type: the class of its arrays; no subclass of ``numpy.ndarray``.
        kernels: operations of its own, for what NumPy's functions would do in several passes.
        dlpack_kinds: the kinds of devices, by DLPack's numbers, whose memory its arrays can share.
        gpus: the GPUs it computes on, for :mod:`minigrad.cuda`; None where there are none.
        buffer: how many elements of an intermediate result are better made in parts, so that they stay in a cache.
    """

    device_type: str
    array_type: type
    kernels: Kernels = Kernels()
    dlpack_kinds: tuple[int, ...] = ()
    gpus: GPUs | None = None
    buffer = 1 << 19

    @functools.cached_property
    def xp(self) -> Any:
        """The library's module of functions that make arrays, with NumPy's names."""
        return OnHost(np, self, Device(self.device_type))

    def to_numpy(self, x: Any, non_blocking: bool = False) -> np.ndarray[Any, Any]:
        """`x` on the host; shares its memory where it is there already. `non_blocking`: it may still be under way."""
        raise NotImplementedError

    def from_numpy(self, x: np.ndarray[Any, Any], device: Device, non_blocking: bool = False) -> Any:
        """`x`, which is on the host, on `device`, in memory of its own. `non_blocking`: from pinned memory, it may still be
        under way."""
        raise NotImplementedError

    # Devices. A library that does not define these has one device, which has no number.

    def device_count(self) -> int:
        """How many devices there are."""
        return 1

    def device_of(self, x: Any) -> Device:
        """Where `x` lives."""
        return Device(self.device_type)

    def is_off_device(self, x: Any) -> bool:
        """Whether `x` is on another device of the library than the one this thread computes on."""
        return False

    def resolve(self, device: Device) -> Device:
        """`device` as :meth:`device_of` names it: with the number of the GPU. Raises ``DeviceError`` where it is not there."""
        if device.index:
            raise DeviceError(f"invalid device ordinal: device '{device}' does not exist, there is only '{self.device_type}'")
        return Device(self.device_type)

    def copy_between(self, x: Any, device: Device) -> Any:
        """A copy of `x`, an array of this library, on another device of it."""
        return self.from_numpy(self.to_numpy(x), device)

    def is_pinned(self, x: np.ndarray[Any, Any]) -> bool:
        """Whether `x` is in memory of the host that the library's devices can fetch from by themselves."""
        return False

    # Making arrays.

    def make(self, device: Device, function: str, *args: Any, **options: Any) -> Any:
        """An array made on `device` by a function of ``xp``, such as ``"zeros"``."""
        return self.from_numpy(getattr(np, function)(*args, **options), device)

    def generator(self, seed: int, device: Device) -> Any:
        """A random generator on `device` with the methods of NumPy's ``Generator``."""
        return OnHost(np.random.Generator(np.random.SFC64(seed)), self, device)

    def from_dlpack(self, x: Any, index: int) -> Any:
        """An array that shares the memory of `x`, which has the DLPack protocol and is on device `index` of this library."""
        return self.xp.from_dlpack(x)

    # Memory.

    def address_of(self, x: Any) -> int:
        """Where in memory the first element of `x` is."""
        raise self._undefined("address_of", "data_ptr, storage_offset and as_strided need")

    def as_strided(self, x: Any, shape: Any, strides: Any) -> Any:
        """The memory of `x`, from its first element on, seen with this shape and these strides, in bytes."""
        raise self._undefined("as_strided", "as_strided, empty_strided and unfold need")

    def apart(self, x: Any) -> Any:
        """The elements of `x`, in the same memory, as an array that is no view of `x` or of another: writes to it are counted by
        themselves. A library that cannot tell the two apart gives `x`."""
        return x

    def _undefined(self, method: str, needed: str) -> DeviceError:
        return DeviceError(f"{needed} {method}(), which the array library of device '{self.device_type}', {type(self).__name__}, "
                           "does not define")

    # What NumPy's protocols do not carry.

    def special(self) -> Any:
        """The module of special functions that take the library's arrays; what it lacks is computed on the host. Raises
        ``ImportError`` where it is not installed."""
        return None

    def raise_failures(self) -> Any:
        """A context in which a factorization that fails raises ``np.linalg.LinAlgError``."""
        return contextlib.nullcontext()

    def index_add(self, target: Any, index: Any, values: Any) -> None:
        """``target[index] += values`` where an element named twice receives both values."""
        self.index_reduce(np.add, target, index, values)

    def index_reduce(self, ufunc: Any, target: Any, index: Any, values: Any) -> None:
        """``target[index] = ufunc(target[index], values)``, one by one where an element is named twice."""
        result = self._to_host(target).copy()
        ufunc.at(result, self._to_host(index), self._to_host(values))
        target[...] = self.from_numpy(result, self.device_of(target))

    def sum_rows(self, values: Any, places: Any, count: int) -> Any:
        """A matrix of `count` rows: each is the sum of those rows of `values` whose number in `places` is its own."""
        out = np.zeros((count, values.shape[1]), values.dtype, like=values)
        self.index_add(out, (places,), values)
        return out

    def _to_host(self, x: Any) -> Any:
        """`x` with the library's arrays in it on the host."""
        return (tuple([self._to_host(part) for part in x]) if isinstance(x, tuple)
                else self.to_numpy(x) if isinstance(x, self.array_type) else x)


class OnHost:
    """NumPy's functions, or the methods of an object, for an array library that has none: it gives what they compute on the host
    as arrays of the library on `device`."""

    def __init__(self, inner: Any, library: ArrayLibrary, device: Device) -> None:
        self._inner, self._library, self._device = inner, library, device

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._inner, name)

        def call(*args: Any, **options: Any) -> Any:
            args = self._library._to_host(args)
            return self._library.from_numpy(np.asarray(function(*args, **options)), self._device)
        return call


class Lent:
    """The memory of an array, which it keeps alive, for another array to lie in. NumPy follows views no further than to it."""

    def __init__(self, x: np.ndarray[Any, Any]) -> None:
        self.array, self.__array_interface__ = x, x.__array_interface__


class NumpyLibrary(ArrayLibrary):
    device_type = "cpu"
    dlpack_kinds = dlpack.CPU
    xp = np
    array_type = np.ndarray

    def __init__(self) -> None:
        # glibc hands freed arrays back to the system above a threshold, and fetching the memory again page by page then
        # takes longer than most operations on it (a LeNet step: 14 ms instead of 5). The threshold grows with the largest
        # array freed, up to 32 MiB; this one is never touched and so costs nothing.
        np.empty(32 * 2**20 - 2**16, dtype=np.uint8)

    def device_of(self, x: Any) -> Device:
        return CPU

    def resolve(self, device: Device) -> Device:
        if device.index:
            raise DeviceError(f"invalid device ordinal: device '{device}' does not exist, the CPU is device 'cpu'")
        return CPU

    def to_numpy(self, x: Any, non_blocking: bool = False) -> np.ndarray[Any, Any]:
        return np.asarray(x)

    def from_numpy(self, x: np.ndarray[Any, Any], device: Device, non_blocking: bool = False) -> Any:
        return x

    def make(self, device: Device, function: str, *args: Any, **options: Any) -> Any:
        return getattr(np, function)(*args, **options)

    def from_dlpack(self, x: Any, index: int) -> Any:
        bits = dlpack.Bits(x)
        array = np.from_dlpack(bits)
        if bits.writeable and not array.flags.writeable:
            array = np.asarray(dlpack.Writeable(array))
        return array.view(dtypes.bfloat16.numpy) if bits.are_bfloat16 else array

    def address_of(self, x: Any) -> int:
        address: int = x.__array_interface__["data"][0]
        return address

    def generator(self, seed: int, device: Device) -> Any:
        return np.random.Generator(np.random.SFC64(seed))

    def as_strided(self, x: Any, shape: Any, strides: Any) -> Any:
        return np.lib.stride_tricks.as_strided(x, shape, strides)

    def apart(self, x: Any) -> Any:
        return np.asarray(Lent(x)).view(x.dtype)

    def special(self) -> Any:
        module = scipy_module("special")
        if module is None:
            raise missing_extra("this function", "SciPy", "scipy")
        return module

    def index_add(self, target: Any, index: Any, values: Any) -> None:
        if is_low_precision(target.dtype):
            wide = target.astype(opmath_dtype(target.dtype))
            self.index_add(wide, index, values)
            target[...] = wide
            return
        if getattr(values, "size", 1) <= 2048:
            np.add.at(target, index, values)
            return
        # ufunc.at is several times faster on one dimension than on more, so everything is brought to that.
        rows, places, values = as_rows(target, index, values)
        laid_out = rows if rows.flags.c_contiguous else rows.copy()
        add_rows(laid_out.reshape(-1, values.shape[1]), places, values)
        if laid_out is not rows:
            rows[...] = laid_out

    def index_reduce(self, ufunc: Any, target: Any, index: Any, values: Any) -> None:
        ufunc.at(target, index, values)

    def sum_rows(self, values: Any, places: Any, count: int) -> Any:
        return super().sum_rows(values, places, count) if is_low_precision(values.dtype) else sum_rows(values, places, count)


class CupyLibrary(ArrayLibrary):
    device_type = "cuda"
    xp: Any
    dlpack_kinds = dlpack.CUDA
    gpus: GPUs
    buffer = 1 << 27

    def __init__(self, cupy: Any, cupyx: Any) -> None:
        self.xp = cupy
        self._cupyx = cupyx
        self.array_type = cupy.ndarray
        self.kernels = CudaKernels(cupy)
        tf32.tell(cupy)
        self.gpus = GPUs(cupy, self.device_type)

    def device_numbered(self, index: int) -> Device:
        """The device that is GPU `index`."""
        return Device(self.device_type, index)

    def device_index(self, x: Any) -> int:
        """The index of the GPU that `x` is on."""
        return int(x.data.device_id)

    def device_of(self, x: Any) -> Device:
        return self.device_numbered(self.device_index(x))

    def device_count(self) -> int:
        return self.gpus.count()

    def is_off_device(self, x: Any) -> bool:
        return self.device_index(x) != self.gpus.current()

    def resolve(self, device: Device) -> Device:
        return self.device_numbered(self.gpus.number(device.index))

    def to_numpy(self, x: Any, non_blocking: bool = False) -> np.ndarray[Any, Any]:
        with x.device:
            pinned = self._cupyx.empty_pinned(x.shape, x.dtype) if non_blocking else None
            host: np.ndarray[Any, Any] = self.xp.asnumpy(x, out=pinned, blocking=not non_blocking)
        return host

    def from_numpy(self, x: np.ndarray[Any, Any], device: Device, non_blocking: bool = False) -> Any:
        with self.gpus.on(device.index):
            return self.xp.asarray(x, blocking=not non_blocking)

    def copy_between(self, x: Any, device: Device) -> Any:
        # The queues of two GPUs know nothing of each other: the copy waits for what makes `x`, and what comes next on the GPU
        # of `x`, which may use its memory for something else, waits for the copy.
        here, there = self.device_index(x), self.gpus.number(device.index)
        with self.gpus.on(here):
            x = x if x.flags.c_contiguous else x.copy()  # CuPy copies whole pieces of memory only
        self.gpus.queue_after(there, here)
        with self.gpus.on(there):
            made = x.copy()
        self.gpus.queue_after(here, there)
        return made

    def from_dlpack(self, x: Any, index: int) -> Any:
        with self.gpus.on(index):
            return self.xp.from_dlpack(x)

    def pin(self, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """A copy of `x` in pinned memory, which the operating system does not move, so that a GPU can copy from it by itself."""
        there: np.ndarray[Any, Any] = self._cupyx.empty_pinned(x.shape, x.dtype)
        there[...] = x
        return there

    def is_pinned(self, x: np.ndarray[Any, Any]) -> bool:
        owner: Any = x
        while isinstance(owner, (np.ndarray, memoryview)):
            owner = owner.obj if isinstance(owner, memoryview) else owner.base
        return isinstance(owner, self.xp.cuda.PinnedMemoryPointer)

    def make(self, device: Device, function: str, *args: Any, **options: Any) -> Any:
        with self.gpus.on(device.index):
            return getattr(self.xp, function)(*args, **options)

    def address_of(self, x: Any) -> int:
        return int(x.data.ptr)

    def as_strided(self, x: Any, shape: Any, strides: Any) -> Any:
        return self.xp.lib.stride_tricks.as_strided(x, shape, strides)

    def apart(self, x: Any) -> Any:
        return self.as_strided(x, x.shape, x.strides)  # in CuPy, no view

    def generator(self, seed: int, device: Device) -> Any:
        with self.gpus.on(device.index):
            made = self.xp.random.Generator(self.xp.random.Philox4x3210(seed))
        return made if self.gpus.count() == 1 else OnDevice(made, self.gpus, device.index)

    def special(self) -> Any:
        return importlib.import_module("cupyx.scipy.special")

    @property
    def nccl(self) -> Any:
        """CuPy's module of NCCL, by which the GPUs of several processes exchange arrays."""
        return importlib.import_module("cupy.cuda.nccl")

    def raise_failures(self) -> Any:
        return self._cupyx.errstate(linalg="raise")  # else CuPy, which would have to wait for the GPU, gives NaN

    def index_add(self, target: Any, index: Any, values: Any) -> None:
        values = values.astype(target.dtype, copy=False)
        if target.dtype.kind == "c":
            self.index_add(target.real, index, values.real)
            self.index_add(target.imag, index, values.imag)
        elif target.dtype.kind in "biu" and target.itemsize < 4:  # CUDA adds no such small integers atomically
            wide = target.astype(np.int32)
            self.xp.add.at(wide, index, values.astype(np.int32))
            target[...] = wide.astype(target.dtype)
        else:
            self.xp.add.at(target, index, values)

    def index_reduce(self, ufunc: Any, target: Any, index: Any, values: Any) -> None:
        # No scatter of CuPy's multiplies: the first value of each place is taken at once, then the second, and so on.
        rows, places, values = as_rows(target, index, values)
        flat = rows.reshape(-1, values.shape[1])
        order = places.argsort()
        ordered = places[order]
        nth = np.arange(len(ordered), like=ordered)
        nth = nth - np.searchsorted(ordered, ordered)  # how many of the same place came before
        for k in range(int(nth.max()) + 1 if len(ordered) else 0):
            chosen = nth == k
            flat[ordered[chosen]] = ufunc(flat[ordered[chosen]], values[order[chosen]])
        rows[...] = flat.reshape(rows.shape)


class OnDevice:
    """Wraps an object whose methods must run while its device is the current one."""

    def __init__(self, inner: Any, gpus: GPUs, index: int | None) -> None:
        self._inner, self._gpus, self._index = inner, gpus, index

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        @functools.wraps(method)
        def call(*args: Any, **options: Any) -> Any:
            with self._gpus.on(self._index):
                return method(*args, **options)
        return call


def cupy_library() -> CupyLibrary:
    """CuPy's library. Raises ``DeviceError`` that says what is missing: the package, or the GPU."""
    try:
        import cupy
        import cupyx
    except ModuleNotFoundError as error:
        if error.name != "cupy":
            raise
        missing = missing_extra("device 'cuda'", "CuPy", "cuda13")
        raise DeviceError(f"{missing} (or cuda12, to match the driver); or use device='cpu'") from None
    except ImportError as error:
        raise DeviceError(f"device 'cuda': CuPy is installed, but cannot be imported ({error}); use device='cpu'") from error
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise DeviceError(f"device 'cuda': CuPy is installed, but no usable GPU was found ({error}); "
                          "check the driver with nvidia-smi, or use device='cpu'") from None
    if not count:
        raise DeviceError("device 'cuda': CuPy is installed, but this machine has no CUDA GPU; use device='cpu'")
    return CupyLibrary(cupy, cupyx)
