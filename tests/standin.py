"""A stand-in for CuPy, strict enough that what runs on it should run on a GPU.

Its array holds a NumPy array in private and offers only what ``cupy.ndarray`` offers. NumPy's functions reach it by the
dispatch protocols, only those that CuPy has and only with the parameters CuPy's have (``cupy_surface.json``). As CuPy it
refuses NumPy arrays as operands and refuses to turn into one, and it returns zero-dimensional arrays where NumPy returns
scalars. Arrays of indices out of bounds wrap around; of two values written to one place the first wins, as on a GPU either
may; a copy to the host that does not block arrives when the device is waited for. :class:`StandinLibrary` is the package's own
``CupyLibrary`` over it, under the device name ``standin``; its kernels are compiled as C++ (:mod:`tests.host_kernels`).

What it cannot show: speed, and the rounding of other orders of summation.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import importlib
import inspect
import os
from types import SimpleNamespace
from typing import Any, Callable, Iterator

import numpy as np
import pytest

from minigrad import _arrays
from minigrad._arrays.kernels import Kernels
from minigrad._arrays.library import CupyLibrary
from minigrad._arrays.optional import scipy_module
from minigrad._types.device import Device
from minigrad.library import register_array_library
from tests import cupy_surface, fake_cuda, host_kernels

SURFACE = cupy_surface.load()
WITHOUT_KERNEL = {"tolist", "item", "squeeze", "swapaxes", "diagonal", "broadcast_to", "moveaxis", "transpose"}  # on any GPU
SCALARS = (bool, int, float, complex, np.generic)


def signature(parameters: list[str], method: bool = False) -> inspect.Signature:
    """The signature written down in the surface file."""
    made = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)] if method else []
    starred = False
    for p in parameters:
        name = p.strip("*=")
        kind = (inspect.Parameter.VAR_KEYWORD if p.startswith("**") else inspect.Parameter.VAR_POSITIONAL if p.startswith("*")
                else inspect.Parameter.KEYWORD_ONLY if starred else inspect.Parameter.POSITIONAL_OR_KEYWORD)
        starred = starred or kind is inspect.Parameter.VAR_POSITIONAL
        made.append(inspect.Parameter(name, kind, default=None if p.endswith("=") else inspect.Parameter.empty))
    # CuPy, being Cython, may ask for a parameter after an optional one; Signature refuses that, so it becomes optional too.
    seen = False
    for k, parameter in enumerate(made):
        if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD:
            seen = seen or parameter.default is not parameter.empty
            if seen:
                made[k] = parameter.replace(default=None)
    return inspect.Signature(made)


FUNCTIONS = {f"{module}.{name}".lstrip("."): signature(parameters)
             for module, functions in SURFACE["functions"].items() for name, parameters in functions.items()}


def host(x: Any, what: str) -> Any:
    """What `x` holds, for NumPy to compute with; a NumPy array is refused, anywhere in a list or a tuple."""
    if isinstance(x, ndarray):
        return x._host
    if isinstance(x, np.ndarray):
        raise TypeError(f"{what}: Unsupported type <class 'numpy.ndarray'>")
    if isinstance(x, (list, tuple)):
        items = [host(i, what) for i in x]
        return items if isinstance(x, list) else type(x)(*items) if hasattr(x, "_fields") else tuple(items)
    if isinstance(x, dict):
        return {k: host(v, what) for k, v in x.items()}
    return x


def arrays_in(x: Any) -> Iterator[ndarray]:
    if isinstance(x, ndarray):
        yield x
    elif isinstance(x, (list, tuple)):
        for i in x:
            yield from arrays_in(i)


def root(x: Any) -> Any:
    """The array that owns the memory of the NumPy array `x`."""
    while x.base is not None and hasattr(x.base, "base"):
        x = x.base
    return x


def device(result: Any, operands: Any) -> Any:
    """A NumPy result as stand-in arrays: a view of an operand has that operand's base, NumPy scalars become arrays."""
    if isinstance(result, (list, tuple)):
        items = [device(r, operands) for r in result]
        return items if isinstance(result, list) else type(result)(*items) if hasattr(result, "_fields") else tuple(items)
    if not isinstance(result, (np.ndarray, np.generic)):
        return result
    made = object.__new__(ndarray)
    made._host, made.base, made._gpu = np.asarray(result), None, fake_cuda.current()
    for x in arrays_in(operands):
        if x._host is result:
            return x
        if root(made._host) is root(x._host):
            made.base, made._gpu = x if x.base is None else x.base, x._gpu
            break
    else:
        fake_cuda.pool.note(made, made._gpu, made._host.nbytes)
    return made


def refuse_elsewhere(*operands: Any) -> None:
    """Raise where an array is on another GPU than the current one, as a kernel does that has no access to its memory.

    A kernel begins when what is before it in the current queue is done.
    """
    fake_cuda.get_current_stream()._wait()
    for x in arrays_in(operands):
        if x._gpu != fake_cuda.current():
            raise ValueError(f"The device where the array resides ({x._gpu}) is different from the current device "
                             f"({fake_cuda.current()}). Peer access is unavailable between these devices.")


def run(what: str, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """`function` of NumPy on what `args` hold."""
    given = (*args, *kwargs.values())
    if what not in WITHOUT_KERNEL:
        refuse_elsewhere(*given)
    return device(function(*host(tuple(args), what), **host(dict(kwargs), what)), given)


def computed(name: str, types: Any, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """A ufunc on what `args` hold, in the types that CuPy has it for: these may be fewer than NumPy's, or other."""
    result = run(name, function, args, kwargs)
    if types is None or kwargs.get("out") is not None or kwargs.get("dtype") is not None:
        return result
    together = np.result_type(*[x.dtype if isinstance(x, ndarray) else x for x in args])
    given = [x.dtype if isinstance(x, (ndarray, np.generic)) else together for x in args]
    for each in types:
        takes, _, gives = each.partition("->")
        if len(takes) == len(given) and "V" not in takes and all(map(np.can_cast, given, takes)):
            outs = result if isinstance(result, tuple) else (result,)
            outs = tuple([o if o.dtype == np.dtype(t) else device(o._host.astype(t), (o,)) for o, t in zip(outs, gives)])
            return outs if isinstance(result, tuple) else outs[0]
    raise TypeError(f"Wrong type {given} of arguments for cupy_{name}")


def check_index(index: Any, shape: tuple[int, ...]) -> Any:
    """An index as NumPy takes it: numbers, slices, None, Ellipsis, lists of numbers and stand-in arrays; one mask at most.

    Like CuPy, which cannot raise from a kernel, integers in arrays and lists are taken modulo the size of their dimension.
    """
    parts = index if isinstance(index, tuple) else (index,)
    if sum(isinstance(p, ndarray) and p.dtype.kind == "b" for p in parts) > 1:
        raise ValueError("Currently, CuPy does not support slices that consists of more than one boolean arrays")
    parts = tuple([host(p, "index") for p in parts])

    def is_mask(part: Any) -> bool:
        return isinstance(part, (np.ndarray, np.generic)) and part.dtype.kind == "b"

    def dims(part: Any) -> int:
        return 0 if part is None or part is Ellipsis else part.ndim if is_mask(part) else 1

    found, at = [], 0
    for part in parts:
        if isinstance(part, list) and part and all(type(i) is int for i in part):
            part = np.array(part)
        if isinstance(part, np.ndarray) and part.dtype.kind in "iu" and at < len(shape) and shape[at]:
            part = part % shape[at]
        found.append(part)
        at += len(shape) - sum(map(dims, parts)) if part is Ellipsis else dims(part)
    return tuple(found) if isinstance(index, tuple) else found[0]


def wrapped_take(name: str, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """The arguments of ``take`` or ``take_along_axis`` with indices as CuPy takes them: modulo the size of their dimension."""
    bound = FUNCTIONS[name].bind(*args, **kwargs)
    a, axis = bound.arguments["a"], bound.arguments.get("axis")
    size = a.size if axis is None else a.shape[axis] if -a.ndim <= axis < a.ndim else 0
    indices = bound.arguments["indices"]
    if isinstance(indices, ndarray) and indices.dtype.kind in "iu" and size:
        bound.arguments["indices"] = run("remainder", np.remainder, (indices, size), {})
    return (a, bound.arguments.pop("indices")), {k: v for k, v in bound.arguments.items() if k != "a"}


class ndarray:
    """Stands in for ``cupy.ndarray``."""

    __slots__ = ("_host", "_gpu", "base", "__weakref__")
    _host: Any
    _gpu: int
    base: Any
    __array_priority__ = 100
    __hash__ = None  # type: ignore[assignment]

    # Taken from what it holds; none of these shares memory.
    dtype = property(lambda self: self._host.dtype)
    ndim = property(lambda self: self._host.ndim)
    size = property(lambda self: self._host.size)
    itemsize = property(lambda self: self._host.itemsize)
    nbytes = property(lambda self: self._host.nbytes)
    strides = property(lambda self: self._host.strides)
    flags = property(lambda self: self._host.flags)
    device = property(lambda self: fake_cuda.Device(self._gpu))
    data = property(lambda self: SimpleNamespace(ptr=self._host.__array_interface__["data"][0], device_id=self._gpu))
    T = property(lambda self: device(self._host.T, (self,)))
    mT = property(lambda self: device(self._host.mT, (self,)))

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self._host.shape)

    @shape.setter
    def shape(self, new: Any) -> None:
        self._host = self._host.view()
        self._host.shape = new

    @property
    def real(self) -> ndarray:
        return device(self._host.real, (self,)) if self.dtype.kind == "c" else self

    @real.setter
    def real(self, value: Any) -> None:
        refuse_elsewhere(self, value)
        self._host.real = host(value, "real")

    @property
    def imag(self) -> ndarray:
        if self.dtype.kind != "c":  # made of zeros
            refuse_elsewhere(self)
        return device(self._host.imag, (self,))

    @imag.setter
    def imag(self, value: Any) -> None:
        refuse_elsewhere(self, value)
        self._host.imag = host(value, "imag")

    def get(self, stream: Any = None, order: str = "C", out: Any = None, blocking: bool = True) -> Any:
        fake_cuda.get_current_stream()._wait()
        if out is None:
            return self._host.copy()
        if blocking:
            out[...] = self._host
        else:  # nothing has arrived before the host waits for the device
            out.view(np.uint8 if out.ndim else out.dtype).fill(0x7F)
            fake_cuda.pending.append(functools.partial(np.copyto, out, self._host.copy()))
        return out

    def set(self, arr: Any, stream: Any = None) -> None:
        if not isinstance(arr, np.ndarray) or arr.dtype != self.dtype or arr.shape != self.shape:
            raise TypeError("Only a numpy.ndarray of the same dtype and shape can be set to cupy.ndarray")
        self._host[...] = arr

    def view(self, dtype: Any = None, type: Any = None) -> ndarray:
        return device(self._host.view() if dtype is None else self._host.view(dtype), (self,))

    def reshape(self, *shape: Any, order: str = "C", copy: Any = None) -> ndarray:
        made = device(self._host.reshape(*shape, order=order), (self,))
        if made.base is None and made is not self:  # copied
            refuse_elsewhere(self)
        return made

    def transpose(self, *axes: Any) -> ndarray:
        return device(self._host.transpose(*axes), (self,))

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {**self._host.__array_interface__, "version": 3, "stream": None}

    def __dlpack__(self, stream: Any = None, **options: Any) -> Any:
        return self._host.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return 12, self._gpu  # kDLExtDev

    # NumPy's protocols, as cupy/_core/core.pyx implements them.
    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct a NumPy array "
                        "explicitly.")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        name = ufunc.__name__
        if method != "__call__" or name not in SURFACE["ufuncs"] + SURFACE["special"]:
            return NotImplemented
        for x in inputs:
            if not isinstance(x, (ndarray, np.ndarray, *SCALARS)):
                return NotImplemented
        if wrong := set(kwargs) - {"out", "dtype", "casting"}:
            raise TypeError(f"{name}() got an unexpected keyword argument {wrong.pop()!r}")
        out = kwargs.get("out")
        if out is not None and len(out) != 1:
            raise ValueError("The 'out' parameter must have exactly one array value")
        types = SURFACE["types"].get(name) if name in SURFACE["ufuncs"] else SURFACE["types of special"].get(name)
        result = computed(name, types, ufunc, inputs, kwargs)
        return out[0] if out is not None else result

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        name = ".".join([*func.__module__.split(".")[1:], func.__name__])
        if name in SURFACE["ufuncs"]:  # a function in NumPy, a ufunc in CuPy: sinc, i0, fix
            return computed(name, SURFACE["types"].get(name), func, args, kwargs)
        if name not in FUNCTIONS:
            return NotImplemented
        FUNCTIONS[name].bind(*args, **kwargs)
        if name.endswith("_like") and not kwargs.get("shape", True):  # CuPy takes an empty shape for none given
            kwargs = {k: v for k, v in kwargs.items() if k != "shape"}
        if name in ("take", "take_along_axis"):
            args, kwargs = wrapped_take(name, args, kwargs)
        result = run(name, solver(name, func) if name in FAILING else func, args, kwargs)
        return kwargs["out"] if kwargs.get("out") is not None else result

    # Container.
    def __getitem__(self, index: Any) -> Any:
        parts = index if isinstance(index, tuple) else (index,)
        if any(isinstance(p, (ndarray, list)) for p in parts):  # elements are gathered; else it is a view
            refuse_elsewhere(self, parts)
        return device(self._host[check_index(index, self.shape)], (self,))

    def __setitem__(self, index: Any, value: Any) -> None:
        refuse_elsewhere(self, index, value)
        place, new = check_index(index, self.shape), host(value, "setitem")
        parts = place if isinstance(place, tuple) else (place,)
        if isinstance(new, np.ndarray) and any(isinstance(i, np.ndarray) for i in parts):
            # Elements named twice: NumPy keeps the last value written, a GPU any. Here it is the first.
            numbers = np.arange(self.size).reshape(self.shape)[place]
            self._host.flat[numbers.reshape(-1)[::-1]] = np.broadcast_to(new, numbers.shape).reshape(-1)[::-1]
        else:
            self._host[place] = new

    def __len__(self) -> int:
        return len(self._host)

    def __iter__(self) -> Iterator[Any]:
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self._host)

    def __int__(self) -> int:
        return int(self._host)

    def __float__(self) -> float:
        return float(self._host)

    def __complex__(self) -> complex:
        return complex(self._host)

    def __repr__(self) -> str:
        return repr(self._host)

    def __format__(self, spec: str) -> str:
        return format(self._host, spec)

    def copy(self, order: str = "C") -> ndarray:
        return device(self._host.copy(order), ())  # on the current GPU, wherever this is

    def __copy__(self) -> ndarray:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> ndarray:
        with self.device:
            return self.copy()

    def __reduce__(self) -> Any:
        return to_standin, (self.get(),)

    def __neg__(self) -> ndarray:
        return computed("negative", SURFACE["types"]["negative"], np.negative, (self,), {})

    def __pos__(self) -> ndarray:
        return computed("positive", SURFACE["types"]["positive"], np.positive, (self,), {})

    def __abs__(self) -> ndarray:
        return computed("absolute", SURFACE["types"]["absolute"], np.absolute, (self,), {})

    def __invert__(self) -> ndarray:
        return computed("invert", SURFACE["types"]["invert"], np.invert, (self,), {})


def operator(name: str, ufunc: Any, swapped: bool = False, inplace: bool = False) -> Callable[[Any, Any], Any]:
    def method(self: ndarray, other: Any) -> Any:
        if getattr(other, "__array_ufunc__", self) is None or not isinstance(other, (ndarray, np.ndarray, *SCALARS)):
            return NotImplemented  # as for a Tensor, which takes the operation over
        operands = (other, self) if swapped else (self, other)
        result = computed(ufunc.__name__, SURFACE["types"].get(ufunc.__name__), ufunc, operands, {"out": self} if inplace else {})
        return self if inplace else result
    method.__name__ = name
    return method


for _name, _ufunc in {"add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "mod": np.remainder,
                      "floordiv": np.floor_divide, "pow": np.power, "and": np.bitwise_and, "or": np.bitwise_or,
                      "xor": np.bitwise_xor, "lshift": np.left_shift, "rshift": np.right_shift, "matmul": np.matmul}.items():
    setattr(ndarray, f"__{_name}__", operator(_name, _ufunc))
    setattr(ndarray, f"__r{_name}__", operator(_name, _ufunc, swapped=True))
    if _name != "matmul":
        setattr(ndarray, f"__i{_name}__", operator(_name, _ufunc, inplace=True))
for _name, _ufunc in {"eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater,
                      "ge": np.greater_equal}.items():
    setattr(ndarray, f"__{_name}__", operator(_name, _ufunc))


WITH_AXES = ("sum", "max", "min", "prod", "mean", "any", "all", "argmax", "argmin", "var", "std")  # of no dimension, none


def method(name: str, parameters: list[str]) -> Callable[..., Any]:
    """A method that NumPy's array has too, with the parameters that CuPy's takes."""
    accepted = signature(parameters, method=True)

    def call(self: ndarray, *args: Any, **kwargs: Any) -> Any:
        accepted.bind(self, *args, **kwargs)
        if name in WITH_AXES and not self.ndim and kwargs.get("axis") not in (None, ()):
            raise np.exceptions.AxisError(kwargs["axis"], 0)
        if name == "take":
            (_, *args), kwargs = wrapped_take(name, (self, *args), kwargs)  # type: ignore[assignment]
        return run(name, getattr(np.ndarray, name), (self, *args), kwargs)
    call.__name__ = name
    return call


for _name, _parameters in SURFACE["methods"].items():
    if _name not in ndarray.__dict__ and hasattr(np.ndarray, _name):
        setattr(ndarray, _name, method(_name, _parameters))


# ---------------------------------------------------------------------------------------------------- linear algebra

FAILING = ("linalg.cholesky", "linalg.inv", "linalg.solve")
found_failures = contextvars.ContextVar("found_failures", default=False)


@contextlib.contextmanager
def errstate(*, linalg: str) -> Iterator[None]:
    """As ``cupyx.errstate``: whether the failure of a factorization, which only the GPU knows, is waited for."""
    token = found_failures.set({"ignore": False, "raise": True}[linalg])
    try:
        yield
    finally:
        found_failures.reset(token)


def solver(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of NumPy's that raises where it fails, with CuPy's ways: what it gives is then not a number."""
    def solve(*args: Any) -> Any:
        if name == "linalg.solve" and args[1].ndim > 1 and args[0].shape[:-1] != args[1].shape[:-1]:
            raise ValueError("a must have (..., M, M) shape and b must have (..., M, K) for multidimensional b")
        try:
            return function(*args)
        except np.linalg.LinAlgError:
            if found_failures.get():
                raise
            return np.full_like(args[-1], np.nan)
    return solve


# ---------------------------------------------------------------------------------------------------- the module

class Generator:
    """Stands in for ``cupy.random.Generator``, which has fewer methods than NumPy's, and fewer parameters."""

    def __init__(self, bit_generator: Any) -> None:
        self._host, self._gpu = np.random.Generator(bit_generator), fake_cuda.current()

    def __getattr__(self, name: str) -> Any:
        if name not in SURFACE["generator"]:
            raise AttributeError(f"cupy.random.Generator has no attribute {name!r}")
        accepted = signature(SURFACE["generator"][name])

        def draw(*args: Any, **kwargs: Any) -> Any:
            accepted.bind(*args, **kwargs)
            assert self._gpu == fake_cuda.current(), "the generator's state is on another GPU"
            result = run(name, getattr(self._host, name), args, kwargs)
            return kwargs["out"] if kwargs.get("out") is not None else device(np.asarray(host(result, name)), ())
        return draw


class Ufunc:
    """Stands in for a universal function of CuPy's."""

    ADDED = ("int32", "int64", "float16", "float32", "float64", "uint32", "uint64")  # atomically

    def __init__(self, name: str, types: Any, function: Any) -> None:
        self._name, self._types, self._function = name, types, function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return computed(self._name, self._types, self._function, args, kwargs)

    def at(self, a: ndarray, indices: Any, b: Any = None) -> None:
        if self._name != "add":  # it is the only one that the package may count on for every type of numbers
            raise NotImplementedError(f"`cupy_{self._name}.at` is not supported yet")
        if a.dtype.name not in self.ADDED:
            raise TypeError(f"cupy.add.at only supports {', '.join(self.ADDED)} as data type, not {a.dtype}")
        refuse_elsewhere(a, indices, b)
        np.add.at(a._host, check_index(indices, a.shape), host(b, "add.at"))


MAKING = {"array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray"}  # take NumPy arrays, on purpose
SPACES = {"": np, "linalg": np.linalg, "fft": np.fft, "lib.stride_tricks": np.lib.stride_tricks,
          "special": scipy_module("special")}


class Module:
    """Stands in for the module ``cupy``, its submodules, and ``cupyx.scipy.special``."""

    def __init__(self, space: str = "") -> None:
        self._space = space
        if not space:
            self.ndarray = ndarray
            self.linalg, self.fft = Module("linalg"), Module("fft")
            self.lib = SimpleNamespace(stride_tricks=Module("lib.stride_tricks"))
            self.cuda = fake_cuda.cuda
            self.get_default_memory_pool = lambda: fake_cuda.pool
            if host_kernels.COMPILER:
                self.ElementwiseKernel, self.RawKernel = on_host(host_kernels.ElementwiseKernel), on_host(host_kernels.RawKernel)
            self._core = SimpleNamespace(set_compute_type=set_compute_type, _routines_linalg=SimpleNamespace(
                COMPUTE_TYPE_DEFAULT=1, COMPUTE_TYPE_TF32=7))
            self.random = SimpleNamespace(Generator=Generator, Philox4x3210=np.random.Philox)

    def from_dlpack(self, array: Any) -> ndarray:
        return device(np.from_dlpack(InMainMemory(array)), ())

    def asnumpy(self, a: ndarray, stream: Any = None, order: str = "C", out: Any = None, *, blocking: bool = True) -> Any:
        return a.get(order=order, out=out, blocking=blocking)

    def __getattr__(self, name: str) -> Any:
        qualified = f"{self._space}.{name}".lstrip(".")
        function = getattr(SPACES[self._space], name, None)
        if name in {"": SURFACE["ufuncs"], "special": SURFACE["special"]}.get(self._space, ()):
            types = SURFACE["types of special" if self._space else "types"].get(name)
            return Ufunc(name, types, function)
        if qualified in FUNCTIONS and function is not None:
            def call(*args: Any, **kwargs: Any) -> Any:
                FUNCTIONS[qualified].bind(*args, **kwargs)
                if name in MAKING:
                    kwargs.pop("blocking", None)  # all is done at once here
                    copied = (device(args[0].copy(), ()), *args[1:]) if isinstance(args[0], np.ndarray) else args
                    return run(qualified, function, copied, kwargs)
                return run(qualified, function, args, kwargs)
            return call
        if not self._space and name in SURFACE["names"]:
            return getattr(np, name)
        raise AttributeError(f"module 'cupy{'.' * bool(self._space)}{self._space}' has no attribute {name!r}")


compute_types: dict[Any, int] = {}


def set_compute_type(dtype: Any, compute_type: int) -> None:
    """As ``cupy._core.set_compute_type``, by which cuBLAS is told to use TF32."""
    compute_types[np.dtype(dtype)] = compute_type


def on_host(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """A kind of kernels that takes stand-in arrays instead of NumPy's."""
    def make(*args: Any, **kwargs: Any) -> Callable[..., None]:
        made = kernel(*args, **kwargs)

        def call(*given: Any) -> None:
            refuse_elsewhere(*given)
            made(*host(given, made.name))
        return call
    return make


class InMainMemory:
    """Where the memory of the stand-in's GPUs is in truth."""

    def __init__(self, array: Any) -> None:
        self.__dlpack__ = array.__dlpack__

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0


xp = Module()


cupyx = SimpleNamespace(empty_pinned=fake_cuda.empty_pinned, errstate=errstate)


class StandinLibrary(CupyLibrary):
    """The package's CuPy library over the stand-in, on a device of its own name."""

    device_type = "standin"
    dlpack_kinds = (12,)

    def __init__(self) -> None:
        super().__init__(xp, cupyx)
        if not host_kernels.COMPILER:  # then only the compositions can run here
            self.kernels = Kernels()
        vars(self.kernels)["cudnn"] = None  # the real one, where it is installed, wants the memory of a GPU

    def address_of(self, x: Any) -> int:
        return int(x._host.__array_interface__["data"][0])

    def as_strided(self, x: Any, shape: Any, strides: Any) -> Any:
        return device(np.lib.stride_tricks.as_strided(x._host, shape, strides), (x,))

    def special(self) -> Any:
        return Module("special")


class RealLibrary(CupyLibrary):
    """CuPy itself, on a device of the stand-in's name."""

    device_type = "standin"
    dlpack_kinds = (12,)


# With MINIGRAD_GPUS=cupy the tests of the stand-in run on CuPy: on a machine with three GPUs, or with tests/emulator.
REAL = os.environ.get("MINIGRAD_GPUS") == "cupy"
if REAL:
    cupy = importlib.import_module("cupy")
    ndarray, xp = cupy.ndarray, cupy  # type: ignore[misc, assignment]
    register_array_library(RealLibrary(cupy, importlib.import_module("cupyx")))
else:
    register_array_library(StandinLibrary())
DEVICE = Device("standin", 0)
of_itself = pytest.mark.skipif(REAL, reason="asks for what only the stand-in does, and this run is about CuPy")


def to_standin(x: Any, index: int = 0) -> Any:
    """A NumPy array on the stand-in's GPU `index`; anything else as it is."""
    return _arrays.to_device(x, Device("standin", index)) if isinstance(x, np.ndarray) else x
