"""What is said of arguments that an operation cannot take: which one, what it is, and what would be right."""

from __future__ import annotations

import re
from typing import Any, Callable, Iterable

import numpy as np

from minigrad import _arrays
from minigrad._types import dtypes
from minigrad._types.tensor_base import TensorBase, unwrap
from minigrad.errors import (
    ArgumentError,
    DeviceError,
    DimensionError,
    DtypeError,
    GraphError,
    MinigradError,
    ShapeError,
    UnsupportedDtypeError,
)
from minigrad.recording.declaration import annotations_of
from minigrad.recording.graph import grad_enabled

NAMED = re.compile(r"[A-Za-z_][\w.]*(\(\))?: ")  # how a message begins that names its operation


def dtype_name(numpy_dtype: Any) -> str:
    """The name that users know a dtype of NumPy's by, such as ``minigrad.float32``."""
    return repr(dtypes.FROM_NUMPY.get(numpy_dtype, numpy_dtype))


def not_a_sequence(called: str, name: str, value: Any) -> ArgumentError:
    """The error for the argument `name` of the function `called`, which must be a sequence of tensors."""
    return ArgumentError(f"{called}(): argument '{name}' must be tuple of Tensors, not {type(value).__name__}; put them into a "
                         f"list: {called}([x, y])")


def not_a_tensor(called: str, name: str, value: Any) -> ArgumentError:
    """The error for the argument `name` of the function `called`, which must be a tensor."""
    return ArgumentError(f"{called}(): argument '{name}' must be a Tensor, not {type(value).__name__}; minigrad.tensor(...) "
                         "makes one of it")


def is_int(x: Any) -> bool:
    """Whether `x` serves as an int: it is one, or a tensor, or NumPy's."""
    return hasattr(x, "__index__") and not isinstance(x, (bool, np.bool_))


def is_real(x: Any) -> bool:
    """Whether `x` serves as a float."""
    return isinstance(x, (int, float, np.integer, np.floating, TensorBase))


def sequence_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """The test whether something is a list or tuple whose elements all pass the test `fits`."""
    return lambda x: isinstance(x, (list, tuple)) and all(map(fits, x))


# By the word of an annotation: what errors call it, and the tests of which a value must pass one. Other words take anything.
KINDS: dict[str, tuple[str, tuple[Callable[[Any], bool], ...]]] = {
    "None": ("None", (lambda x: x is None,)),
    "bool": ("bool", (lambda x: isinstance(x, (bool, np.bool_)),)),
    "int": ("int", (is_int,)),
    "float": ("float", (is_real,)),
    "Number": ("a number", (lambda x: isinstance(x, (bool, complex, np.generic)), is_real)),
    "str": ("str", (lambda x: isinstance(x, str),)),
    "Sequence[int]": ("tuple of ints", (sequence_of(is_int),)),
    "IntOrInts": ("int or tuple of ints", (is_int, sequence_of(is_int))),
    "FloatOrFloats": ("float or tuple of floats", (is_real, sequence_of(is_real)))}


def not_of_its_kind(called: str, name: str, annotation: Any, value: Any) -> ArgumentError | None:
    """The error for the argument `name` if `value` is not what its annotation says, else None."""
    words = str(annotation).split(" | ")
    if not all([word in KINDS for word in words]) or any([fits(value) for word in words for fits in KINDS[word][1]]):
        return None
    wanted = " or ".join([KINDS[word][0] for word in words])
    found = f"{type(value).__name__} with {value!r}" if isinstance(value, (list, tuple)) else type(value).__name__
    return ArgumentError(f"{called}(): argument '{name}' must be {wanted}, not {found}")


def constant_requires_grad(info: Any, name: str, value: Any) -> MinigradError:
    """What is said of the tensor `value`, which requires grad, where the operation has no derivative by that argument."""
    if name in info.discrete:
        return DtypeError(f"{info.called}: expected '{name}' to hold integers or booleans, but got "
                          f"{dtype_name(value.array.dtype)}")
    return not_differentiable(info.called, name)


def not_differentiable(called: str, name: str) -> GraphError:
    """What is said of an argument that requires grad, of the function `called`, which has no derivative by it."""
    return GraphError(f"{called}: not differentiable with respect to argument '{name}', which requires grad; give "
                      f"{name}.detach(), or call it under `with minigrad.no_grad():`")


def refuse_grad(called: str, **tensors: Any) -> None:
    """Raise ``GraphError`` where one of `tensors`, which the function `called` takes for constants, requires grad."""
    for name, x in tensors.items():
        if isinstance(x, TensorBase) and x.node is not None and grad_enabled.get():
            raise not_differentiable(called, name)


def named_arrays(info: Any, arrays: Any) -> list[tuple[str, Any]]:
    """The arrays of a call with the names of their arguments."""
    names = [f"{info.arguments[0]}[{k}]" for k in range(len(arrays))] if info.variadic else info.arguments
    return [(a, x) for a, x in zip(names, arrays) if x is not None]


def operand_device_mismatch(info: Any, arrays: Any, settings: dict[str, Any]) -> DeviceError | None:
    """The error of a call whose arrays are on more than one device, or None if they are on one."""
    return device_mismatch(info.called, [*named_arrays(info, arrays), *settings.items()])


def device_mismatch(called: str, named: Iterable[tuple[str, Any]]) -> DeviceError | None:
    """The error of calling the function `called` with arrays on more than one device, or None if they are on one. Of the named
    values only arrays and tuples of arrays count."""
    devices: dict[Any, tuple[str, int]] = {}
    for name, value in named:
        for x in value if isinstance(value, tuple) else (value,):
            if _arrays.is_array(x):
                devices.setdefault(_arrays.device_of(x), (name, x.ndim))
    if len(devices) < 2:
        return None
    (d1, (a1, n1)), (d2, (a2, n2)) = list(devices.items())[:2]
    # What was forgotten is mostly in host memory, or a number.
    first = d1.type == "cpu" if bool(n1) == bool(n2) else not n1
    fix = f"{a1}.to('{d2}')" if first else f"{a2}.to('{d1}')"
    return DeviceError(f"{called}: expected all tensors on the same device, but '{a1}' is on {d1} and '{a2}' is on {d2}; "
                       f"move one, for instance {fix}")


def require_one_device(called: str, **tensors: Any) -> None:
    """Raise ``DeviceError`` if the tensors given to a function that computes with their arrays are on more than one device."""
    arrays = {name: unwrap(x) for name, x in tensors.items()}
    if not all([x is None or x.__class__ is np.ndarray for x in arrays.values()]):
        error = device_mismatch(called, arrays.items())
        if error is not None:
            raise error


def explain(info: Any, error: Exception, arrays: Any, settings: dict[str, Any]) -> Exception:
    """The error that a forward raised, with the operation, its arguments, their shapes and their dtypes in the message."""
    name = info.called
    if (elsewhere := operand_device_mismatch(info, arrays, settings)) is not None:
        return elsewhere
    found = named_arrays(info, arrays)
    if isinstance(error.__cause__, MinigradError):  # NumPy has an error of its own for a tensor that gives no array
        error = error.__cause__
    setting = next((k for k, v in settings.items() if isinstance(v, TensorBase) and v.node is not None), None)
    if isinstance(error, GraphError) and setting is not None:
        return GraphError(f"{name}: '{setting}' is a tensor that requires grad, but settings are numbers, by which nothing is "
                          f"differentiated; give its value, such as {setting}.item()")
    if not isinstance(error, ArgumentError):
        annotations = annotations_of(info.forward)
        for k, value in settings.items():
            wrong = not_of_its_kind(name, k, annotations.get(k), value)
            if wrong is not None and value is not info.settings.get(k):
                return wrong
    if isinstance(error, MinigradError):
        return error if names_its_function(error, name) else type(error)(f"{name}: {error}")
    described = ", ".join(f"{a}: {dtype_name(x.dtype)}{list(x.shape)}" for a, x in found if hasattr(x, "dtype"))
    described += "".join(f", {k}={v!r}" for k, v in settings.items() if v is not None)
    axis_error = getattr(np, "exceptions", np).AxisError
    if isinstance(error, axis_error):
        ndim = found[0][1].ndim if found else 0
        bound = max(ndim, 1)
        return DimensionError(f"{name}: Dimension out of range (expected to be in range of [{-bound}, {bound - 1}], but got "
                              f"{getattr(error, 'axis', None)}) [{described}]")
    if info.broadcasts and isinstance(error, ValueError):
        clash = broadcast_clash([x.shape for _, x in found])
        if clash:
            return ShapeError(f"{name}: {clash}; sizes must be equal or 1 [{described}]")
    if isinstance(error, OverflowError):
        return DtypeError(f"{name}: value cannot be converted without overflow: {error} [{described}]")
    if isinstance(error, TypeError) and any([getattr(x, "dtype", np.dtype(bool)).kind == "c" for _, x in found]):
        return UnsupportedDtypeError(f"{name} is not supported for complex tensors; it takes real numbers, such as their .abs() "
                                     f"or .real [{described}]")
    if isinstance(error, TypeError):
        return ArgumentError(f"{name}: {error} [{described}]")
    if isinstance(error, IndexError):
        return DimensionError(f"{name}: {error} [{described}]")
    if isinstance(error, ValueError):
        return ShapeError(f"{name}: {error} [{described}]")
    return type(error)(f"{name}: {error} [{described}]") if type(error).__module__ == "builtins" else error


def names_its_function(error: Exception, name: str) -> bool:
    """Whether the message begins with the function it is about, which is `name` or one that it calls."""
    return NAMED.match(str(error)) is not None or str(error).startswith(f"{name} ")


def broadcast_clash(shapes: list[tuple[int, ...]]) -> str | None:
    """PyTorch's words for the first dimension, from the right, in which `shapes` cannot be broadcast; None if they can."""
    ndim = max(map(len, shapes))
    for back in range(1, ndim + 1):
        sizes = [(k, s[-back]) for k, s in enumerate(shapes) if len(s) >= back and s[-back] != 1]
        for k, size in sizes[1:]:
            if size != sizes[0][1]:
                return (f"The size of tensor {'abcdefgh'[sizes[0][0]]} ({sizes[0][1]}) must match the size of tensor "
                        f"{'abcdefgh'[k]} ({size}) at non-singleton dimension {ndim - back}")
    return None
