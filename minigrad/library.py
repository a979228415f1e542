"""Extending minigrad: operations and array libraries of your own. ``docs/extending.md`` shows both, step by step.

:func:`op` declares an operation as minigrad declares its own. :class:`ArrayLibrary` is what minigrad asks of an array library,
and :func:`register_array_library` makes one answer for a device type. PyTorch has its counterparts in ``torch.library`` too.
"""

from __future__ import annotations

import importlib
import itertools
import pkgutil
from typing import Any, Callable, Iterator

import numpy as np

from minigrad import _arrays, ops
from minigrad._arrays import ArrayLibrary as ArrayLibrary
from minigrad._arrays import Device
from minigrad.errors import ArgumentError, DeviceError
from minigrad.recording.op import Op as Op
from minigrad.recording.op import op as op

__all__ = ["ARRAY_ATTRIBUTES", "ARRAY_METHODS", "ARRAY_OPERATORS", "ArrayLibrary", "Op", "op", "register_array_library"]

# What minigrad reads of an array, and calls on it; each means what it means for NumPy's array. `base` is the array whose memory a
# view shows.
ARRAY_ATTRIBUTES = ("T", "base", "dtype", "flags", "imag", "itemsize", "ndim", "real", "shape", "size", "strides")
ARRAY_METHODS = (
    "__array_function__", "__array_ufunc__", "__bool__", "__complex__", "__float__", "__getitem__", "__int__", "__iter__",
    "__len__", "__setitem__", "all", "any", "argmax", "argmin", "argsort", "astype", "conj", "copy", "cumsum", "fill", "item",
    "max", "mean", "min", "nonzero", "prod", "ravel", "reshape", "squeeze", "sum", "swapaxes", "take", "tolist", "transpose",
    "view")
_ARITHMETIC = ("add", "and", "floordiv", "lshift", "mod", "mul", "or", "pow", "rshift", "sub", "truediv", "xor")
# numpy.lib.mixins.NDArrayOperatorsMixin defines all of these by way of __array_ufunc__.
ARRAY_OPERATORS = tuple(f"__{name}__" for name in (
    "abs", "eq", "ge", "gt", "invert", "le", "lt", "matmul", "ne", "neg", *_ARITHMETIC, *[f"r{name}" for name in _ARITHMETIC],
    *[f"i{name}" for name in _ARITHMETIC]))

# An operation declared outside may not have the name of one of minigrad's, so all of these are declared first.
for _module in pkgutil.walk_packages(ops.__path__, f"{ops.__name__}."):
    importlib.import_module(_module.name)


def register_array_library(library: ArrayLibrary) -> None:
    """Make `library` answer for the devices of its ``device_type``; its arrays are then arrays everywhere.

    A small array is made with it first, to see whether arrays have what minigrad asks of them: the ``ARRAY_ATTRIBUTES``, the
    ``ARRAY_METHODS`` and the ``ARRAY_OPERATORS`` of this module.

    Args:
        library: an instance of a subclass of :class:`ArrayLibrary`.

    Raises:
        DeviceError: for a device type that is taken, or is no identifier.
        ArgumentError: for a library that lacks something, or does it wrongly; and for one whose arrays could not be told from
            those of a library that is there, as instances of a subclass of ``numpy.ndarray``. The message says what.

    >>> class Library(ArrayLibrary):
    ...     device_type, array_type = "toy", np.ndarray
    >>> register_array_library(Library())
    Traceback (most recent call last):
        ...
    minigrad.errors.ArgumentError: register_array_library: Library does not define to_numpy(), from_numpy()
    """
    if not isinstance(library, ArrayLibrary):
        given = library if isinstance(library, type) else type(library)
        raise ArgumentError(f"register_array_library: argument 'library' must be an instance of a subclass of "
                            f"minigrad.library.ArrayLibrary, not {given.__name__}{' itself' * isinstance(library, type)}")
    name = type(library).__name__
    missing = [what for what in ("device_type", "array_type") if not hasattr(library, what)]
    missing += [f"{method}()" for method in ("to_numpy", "from_numpy")
                if getattr(type(library), method) is getattr(ArrayLibrary, method)]
    if missing:
        raise ArgumentError(f"register_array_library: {name} does not define {', '.join(missing)}")
    if (reason := why_not_a_device_type(library.device_type)) is not None:
        raise DeviceError(f"register_array_library: {name}.device_type is {library.device_type!r}, {reason}")
    reason = next(itertools.chain(why_not_an_array_type(library.array_type), why_not_arrays(library)), None)
    if reason is not None:
        raise ArgumentError(f"register_array_library: {name}: {reason}")
    _arrays.add_library(library)


def why_not_a_device_type(name: Any) -> str | None:
    """What is wrong with the device type of a new library, or None."""
    if not isinstance(name, str) or not name.isidentifier():
        return "but must be an identifier, such as 'toy'"
    if name in {**_arrays.libraries, "cuda": None}:
        owner = "CuPy" if name == "cuda" else type(_arrays.libraries[name]).__name__
        return f"which belongs to {owner}; choose a name of its own"
    return None


def why_not_an_array_type(cls: Any) -> Iterator[str]:
    """What is wrong with the array type of a new library: reasons, the first of which counts."""
    if not isinstance(cls, type):
        yield f"array_type must be a class, not {cls!r}"
    elif issubclass(cls, np.ndarray):
        yield (f"its array_type, {cls.__name__}, is a subclass of numpy.ndarray. The class of an array tells minigrad where it "
               "lives, and isinstance(x, numpy.ndarray) means the CPU: these arrays would be taken for NumPy's without a word. "
               "Let the class hold a NumPy array instead of being one, and define __array_ufunc__ and __array_function__")
    else:
        for kind, other in _arrays.libraries.items():
            if issubclass(cls, other.array_type) or issubclass(other.array_type, cls):
                yield (f"its array_type, {cls.__name__}, is that of device type {kind!r}, or a base or subclass of it. The class "
                       "of an array tells minigrad where it lives, so each library needs one of its own")


# What must give arrays of the library, of an array x of shape (2, 3).
_EXPRESSIONS: dict[str, Callable[[Any], Any]] = {
    "x + 1": lambda x: x + 1, "2 * x": lambda x: 2 * x, "np.exp(x)": np.exp, "np.sum(x)": np.sum, "x.sum()": lambda x: x.sum(),
    "x[0, 0]": lambda x: x[0, 0], "np.where(x > 0, x, x)": lambda x: np.where(x > 0, x, x),
    "np.concatenate([x, x])": lambda x: np.concatenate([x, x]), "np.empty(2, like=x)": lambda x: np.empty(2, like=x)}


def why_not_arrays(library: ArrayLibrary) -> Iterator[str]:
    """What is wrong with the arrays that `library` makes: reasons, the first of which counts."""
    host = np.arange(6, dtype=np.float32).reshape(2, 3)
    device = library.resolve(Device(library.device_type))
    x: Any = library.from_numpy(host, device)
    array_type: Any = library.array_type
    wanted = array_type.__name__
    if not isinstance(x, array_type):
        yield f"from_numpy() gives a {type(x).__name__}, not a {wanted}"
        return
    missing = [what for what in (*ARRAY_ATTRIBUTES, *ARRAY_METHODS, *ARRAY_OPERATORS)
               if (getattr(type(x), what, None) is None if what.startswith("__") else not hasattr(x, what))]
    if missing:
        yield f"its array_type, {wanted}, lacks {', '.join(missing)}"
    for expression, evaluate in _EXPRESSIONS.items():
        try:
            found = evaluate(x)
        except Exception as error:
            yield f"for an array x, {expression} raises {type(error).__name__}: {error}"
        if not isinstance(found, array_type):
            yield f"for an array x, {expression} gives a {type(found).__name__}, not a {wanted}"
    if x.dtype is not host.dtype:
        yield f"for an array x of float32, x.dtype is {x.dtype!r}, not numpy.dtype('float32') itself"
    if x[0].base is not x:
        yield ("for an array x, x[0].base is not x. By `base` minigrad knows which arrays share memory, and so which gradients a "
               "write in place concerns")
    if library.device_of(x) != device:
        yield f"device_of() says {library.device_of(x)} of an array that was made on {device}"
    if computes(lambda: x + host):
        yield ("x + y, of an array x and a NumPy array y, is computed; it must raise TypeError, so that operands on two devices "
               "are not mixed without a word")
    before = host.copy()
    host[...] = -1
    if not np.array_equal(library.to_numpy(x), before):
        yield "to_numpy() does not give back what from_numpy() was given, which must copy it"


def computes(function: Callable[[], Any]) -> bool:
    """Whether `function` returns, rather than refuse its operands."""
    try:
        function()
    except (TypeError, ValueError):
        return False
    return True
