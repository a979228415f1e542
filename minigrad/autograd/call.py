"""The part of a call that straight-line code does not cover: operands to convert, several results, errors to explain.

The generated call path (:mod:`minigrad.autograd.op`) comes here when an operand is not a tensor, when dtypes differ, when
an operation takes a sequence or returns several tensors, and when the forward raises.
"""

from __future__ import annotations

import re
import warnings
from contextvars import Context
from typing import Any, Iterable

import numpy as np

from minigrad import backend, dtypes
from minigrad.autograd import clock, graph
from minigrad.autograd.graph import Node, TensorBase, edge_of
from minigrad.errors import (
    ArgumentError,
    DeviceError,
    DimensionError,
    DtypeError,
    EmptyListError,
    MinigradError,
    ShapeError,
)

SCALARS = (bool, int, float, complex)
NAMED = re.compile(r"[A-Za-z_][\w.]*(\(\))?: ")  # how a message begins that names its operation
REGISTRY: dict[str, Any] = {}  # every declared operation, by name

# Forwards run in copies of this context, in which NumPy does not warn of overflow, 1/0 or 0/0: inf and nan are results, as in
# PyTorch. Copying it and running in it costs 0.1 us; `with np.errstate(...)` would cost ten times that.
QUIET = Context()
QUIET.run(np.seterr, all="ignore")
quiet = QUIET.copy
# Formulas written into the call path do not pay even that: their warnings are silenced by the module they come from.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"minigrad\.ops\b")


class General:
    """One operation's call with operands of any kind: converts them and calls the straight path again."""

    def __init__(self, function: Any, info: Any) -> None:
        self.function, self.info = function, info

    def __call__(self, *args: Any, **settings: Any) -> Any:
        info = self.info
        names = info.arguments * len(args) if info.variadic else info.arguments
        if info.variadic:
            if not args:
                raise EmptyListError(f"{info.called}: expected a non-empty list of tensors")
            if info.dtypes != "float" and alike(args):
                return record_variadic(info, args, settings)
        elif len(args) == 1 and isinstance(args[0], np.generic):  # what NumPy makes of a zero-dimensional array, in a rule
            return self.function(np.asarray(args[0]), **settings)
        like = next((a for a in args if isinstance(a, TensorBase)), None)
        operands = [operand(info, name, a, like) for name, a in zip(names, args)]
        operands = together(info, names, operands, like)
        if like is None:
            try:
                result = quiet().run(info.forward, *operands, **settings)
            except Exception as error:
                raise explain(info, error, operands, settings) from None
            return info.result_type(*result) if isinstance(info.outputs, tuple) else result
        return record_variadic(info, operands, settings) if info.variadic else self.function(*operands, **settings)


class Placed(General):
    """The same where there are cards: a call is computed on the card of its operands, whichever is the current one.

    Where an operation broadcasts, operands in main memory that have no dimensions count as numbers, and come to the card.
    """

    def __call__(self, *args: Any, **settings: Any) -> Any:
        info = self.info
        arrays = [array_in(x) for x in args]
        if not backend.elsewhere(*arrays):
            return super().__call__(*args, **settings)
        card = next(backend.device_of(x) for x in arrays if x is not None and not isinstance(x, np.ndarray))
        if info.broadcasts:
            args = tuple([moved(x, card) if isinstance(a, np.ndarray) and not a.ndim else x for x, a in zip(args, arrays)])
        error = misplaced(info, [array_in(x) for x in args], settings)
        if error is not None:
            raise error
        with backend.on_card(card):
            return super().__call__(*args, **settings)


def moved(x: Any, device: Any) -> Any:
    """The tensor or array `x` on `device`; gradients flow back to where it came from."""
    source = backend.device_of(array_in(x))
    return x if source == device else REGISTRY["to_device"](x, device=device, source=source)


def as_array(x: Any) -> Any:
    """The result `x` of a forward or a rule as an array: NumPy gives scalars, and a setting that is a tensor makes it one."""
    return x.array if isinstance(x, TensorBase) else backend.as_array(x)


def array_in(x: Any) -> Any:
    """The array that `x` is or holds; None for anything else."""
    return x.array if isinstance(x, TensorBase) else x if backend.is_array(x) else None


def sequence(info: Any, value: Any) -> Any:
    """The argument of an operation on several tensors that is no list or tuple, as a tuple. Raises ``TypeError`` for what is no
    sequence of tensors, one tensor included, though it could be iterated over."""
    if isinstance(value, (TensorBase, str)) or not hasattr(value, "__iter__"):
        raise no_sequence(info.called, info.arguments[0], value)
    return tuple(value)


def no_sequence(called: str, name: str, value: Any) -> ArgumentError:
    """What is said of the argument `name` of the function `called`, which must be a sequence of tensors."""
    return ArgumentError(f"{called}(): argument '{name}' must be tuple of Tensors, not {type(value).__name__}; put them into a "
                         f"list: {called}([x, y])")


def not_a_tensor(called: str, name: str, value: Any) -> ArgumentError:
    """What is said of the argument `name` of the function `called`, which must be a tensor."""
    return ArgumentError(f"{called}(): argument '{name}' must be a Tensor, not {type(value).__name__}; minigrad.tensor(...) "
                         "makes one of it")


def alike(args: Any) -> bool:
    """Whether all are tensors of one dtype, so that there is nothing to convert."""
    first = args[0]
    if not isinstance(first, TensorBase):
        return False
    dtype = first.array.dtype
    return all([isinstance(x, TensorBase) and x.array.dtype is dtype for x in args])


def operand(info: Any, name: str, value: Any, like: TensorBase | None) -> Any:
    """An argument as a tensor, array or Python scalar; anything else is refused with what would be right."""
    if value is None and name in info.optional or isinstance(value, TensorBase):
        return value
    if isinstance(value, np.generic):  # NumPy's result of arithmetic on arrays without dimensions
        return value.item() if like is not None else np.asarray(value)
    if isinstance(value, SCALARS):
        if name in info.numbers:
            return value
    elif isinstance(value, backend.array_types):
        return value if like is None else constant(value, like)
    raise not_a_tensor(info.called, name, value)


def constant(value: Any, like: Any) -> Any:
    """The array `value` as a tensor of `like`'s kind that wants no gradient."""
    return graph.tied(value, None, like.result_class)


def number(input: Any, other: Any) -> Any:
    """The Python number `other` as a constant like the floating tensor `input`, or None where it takes more than that."""
    if (other.__class__ is float or other.__class__ is int) and -60000 < other < 60000 and isinstance(input, TensorBase):
        array = input.array
        if array.__class__ is np.ndarray and array.dtype.kind == "f":  # every floating type can hold such a number
            t: Any = object.__new__(input.result_class)
            t.array = np.array(other, array.dtype)
            t.node = None
            return t
    return None


def together(info: Any, names: Any, operands: list[Any], like: TensorBase | None) -> list[Any]:
    """The operands brought to one dtype where the declaration asks for it."""
    if not info.alike:
        return operands
    arrays = [x.array if isinstance(x, TensorBase) else x for x in operands]
    chosen = [k for k, name in enumerate(names) if name in info.alike and operands[k] is not None]
    present = [arrays[k] for k in chosen]
    if all(isinstance(x, SCALARS) for x in present):
        raise not_a_tensor(info.called, names[chosen[0]], present[0])
    if info.dtypes == "same":
        found: dict[Any, str] = {}
        for x, k in zip(present, chosen):
            found.setdefault(x.dtype, names[k])
        if len(found) > 1:
            (d1, a1), (d2, a2) = list(found.items())[:2]
            odd, to = (a2, d1) if d1.kind in "fc" and d2.kind not in "fc" else (a1, d2)
            raise DtypeError(f"{info.called}: expected '{a1}' and '{a2}' to have the same dtype, but got {named(d1)} and "
                             f"{named(d2)}; convert one, for instance {odd}.to({named(to)})")
        return operands
    wanted = dtypes.result_dtype(present)
    if info.dtypes == "float" and wanted.kind not in "fc":
        wanted = dtypes.get_default_dtype()
    for k in chosen:
        x = operands[k]
        if isinstance(x, TensorBase):
            if x.array.dtype is not wanted.numpy:
                operands[k] = REGISTRY["cast"](x, dtype=wanted)
        elif like is not None:
            operands[k] = constant(scalar_array(x, wanted, like.array), like)
        elif isinstance(x, SCALARS):
            operands[k] = scalar_array(x, wanted, next(a for a in present if not isinstance(a, SCALARS)))
        elif x.dtype is not wanted.numpy:
            operands[k] = x.astype(wanted.numpy)
    return operands


def scalar_array(x: Any, wanted: dtypes.dtype, like: Any) -> Any:
    """A Python scalar as a zero-dimensional array; integers wrap around and floats overflow to inf, as in PyTorch."""
    xp = backend.xp_of(like)
    if wanted.kind in "iu" and type(x) is int:
        bits = 8 * wanted.itemsize
        x = (x + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1) if wanted.kind == "i" else x % (1 << bits)
    with np.errstate(over="ignore"):
        return xp.asarray(x).astype(wanted.numpy)


def named(numpy_dtype: Any) -> str:
    return repr(dtypes.FROM_NUMPY.get(numpy_dtype, numpy_dtype))


# ---------------------------------------------------------------------------------------------------- recording by loops

def record_variadic(info: Any, tensors: Any, settings: dict[str, Any]) -> Any:
    """Call and record an operation on a sequence of tensors."""
    arrays = tuple([t.array for t in tensors])
    try:
        result = quiet().run(info.forward, *arrays, **settings)
    except Exception as error:
        raise explain(info, error, arrays, settings) from None
    if info.outputs:
        return finish_outputs(info, result, tensors, arrays, settings)
    out: Any = object.__new__(tensors[0].result_class)
    out.array = as_array(result)
    out.node = record(info, tensors, arrays, out.array, settings)
    if out.node is None:
        out._off = why_off(info, tensors)
    return out


def why_off(info: Any, inputs: Any) -> Any:
    """Why results that were not recorded are in no graph, for ``explain``: recording is off, or what an input says of itself."""
    mode = graph.grad_enabled.get()
    if not mode and info.rules and any([t is not None and edge_of(t) is not None for t in inputs]):
        return mode
    return next((t._off for t in inputs if t is not None and t._off is not None), None)


def record(info: Any, inputs: Any, arrays: tuple[Any, ...], result: Any, settings: dict[str, Any]) -> Node | None:
    """The node of a call, or None where nothing wants a gradient. What the generated path does in straight lines."""
    name_of = info.arguments * len(inputs) if info.variadic else info.arguments
    edges = tuple([None if t is None or a not in info.rules else edge_of(t) for t, a in zip(inputs, name_of)])
    mode = graph.grad_enabled.get()
    if not mode or all(e is None for e in edges):
        return None
    wants = {a for a, e in zip(name_of, edges) if e is not None}
    node: Any = info.node_class()
    saved: list[Any] = []
    for name in info.kept_arrays:
        used = any(name in info.needs[a] for a in wants)
        if name == "out":
            saved.append(result if used else None)
        elif info.variadic:
            saved.extend(arrays if used else (None,) * len(arrays))
        else:
            saved.append(arrays[info.arguments.index(name)] if used else None)
    values = []
    for name in info.kept_values:
        if name in settings:
            values.append(settings[name])
            continue
        argument, _, what = name.rpartition("_")
        of = arrays if info.variadic else arrays[info.arguments.index(argument)]
        values.append(tuple([getattr(a, what) for a in arrays]) if info.variadic else None if of is None else getattr(of, what))
    node.inputs = edges
    if saved or info.variadic or info.outputs:  # the others have () for all their nodes
        node.saved = tuple(saved)
    if values or info.variadic or info.outputs:
        node.settings = tuple(values)
    if info.variadic:
        node.saved_from = (*((-1,) if "out" in info.kept_arrays else ()),
                           *(range(len(arrays)) if info.arguments[0] in info.kept_arrays else ()))
    node.shape = result.shape if not isinstance(result, tuple) else tuple([r.shape for r in result])
    frame = clock.user_frame()
    node.code, node.lasti, node.extras = frame.f_code, frame.f_lasti, None
    node.stamp = clock.tick()
    if mode is not True:
        mode.recorded(node, result, arrays, next(t for t in inputs if t is not None).result_class)
    return node  # type: ignore[no-any-return]


def finish_outputs(info: Any, result: Any, inputs: Any, arrays: tuple[Any, ...], settings: dict[str, Any]) -> Any:
    """The several results of an operation as tensors; only the floating and complex ones carry a gradient."""
    result = tuple([as_array(r) for r in result])
    node = record(info, inputs, arrays, result, settings)
    reason = why_off(info, inputs) if node is None else None
    outs = []
    for k, array in enumerate(result):
        t: Any = object.__new__(inputs[0].result_class)
        t.array = array
        t.node = None if node is None or array.dtype.kind not in "fc" else graph.new_port(node, k, array)
        if reason is not None:
            t._off = reason
        outs.append(t)
    return info.result_type(*outs) if isinstance(info.outputs, tuple) else tuple(outs)


# ---------------------------------------------------------------------------------------------------- errors

def named_arrays(info: Any, arrays: Any) -> list[tuple[str, Any]]:
    """The arrays of a call with the names of their arguments."""
    names = [f"{info.arguments[0]}[{k}]" for k in range(len(arrays))] if info.variadic else info.arguments
    return [(a, x) for a, x in zip(names, arrays) if x is not None]


def misplaced(info: Any, arrays: Any, settings: dict[str, Any]) -> DeviceError | None:
    """The error of a call whose arrays are on more than one device, or None."""
    return two_devices(info.called, [*named_arrays(info, arrays), *settings.items()])


def two_devices(called: str, named: Iterable[tuple[str, Any]]) -> DeviceError | None:
    """The error of calling what is called so with arguments on more than one device: those that are arrays or tuples of them."""
    devices: dict[Any, tuple[str, int]] = {}
    for name, value in named:
        for x in value if isinstance(value, tuple) else (value,):
            if backend.is_array(x):
                devices.setdefault(backend.device_of(x), (name, x.ndim))
    if len(devices) < 2:
        return None
    (d1, (a1, n1)), (d2, (a2, n2)) = list(devices.items())[:2]
    # What was forgotten is mostly in main memory, or a number.
    first = d1.type == "cpu" if bool(n1) == bool(n2) else not n1
    fix = f"{a1}.to('{d2}')" if first else f"{a2}.to('{d1}')"
    return DeviceError(f"{called}: expected all tensors on the same device, but '{a1}' is on {d1} and '{a2}' is on {d2}; "
                       f"move one, for instance {fix}")


def need_one_device(called: str, **tensors: Any) -> None:
    """Raise ``DeviceError`` where a function that computes with arrays itself is given tensors on more than one device."""
    arrays = {name: array_in(x) for name, x in tensors.items()}
    if not all([x is None or x.__class__ is np.ndarray for x in arrays.values()]):
        error = two_devices(called, arrays.items())
        if error is not None:
            raise error


def explain(info: Any, error: Exception, arrays: Any, settings: dict[str, Any]) -> Exception:
    """The error a forward raised, as one that names the operation, its arguments, their shapes and dtypes."""
    name = info.called
    if (elsewhere := misplaced(info, arrays, settings)) is not None:
        return elsewhere
    found = named_arrays(info, arrays)
    if isinstance(error, MinigradError):
        return error if names_its_function(error, name) else type(error)(f"{name}: {error}")
    described = ", ".join(f"{a}: {named(x.dtype)}{list(x.shape)}" for a, x in found if hasattr(x, "dtype"))
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
    if isinstance(error, TypeError):
        return ArgumentError(f"{name}: {error} [{described}]")
    if isinstance(error, IndexError):
        return DimensionError(f"{name}: {error} [{described}]")
    if isinstance(error, ValueError):
        return ShapeError(f"{name}: {error} [{described}]")
    return type(error)(f"{name}: {error} [{described}]") if type(error).__module__ == "builtins" else error


def names_its_function(error: Exception, name: str) -> bool:
    """Whether the message says which function it is about, be it `name` or one inside."""
    return NAMED.match(str(error)) is not None or str(error).startswith(f"{name} ")


def broadcast_clash(shapes: list[tuple[int, ...]]) -> str | None:
    """PyTorch's words for the first dimension, from the right, at which `shapes` cannot be broadcast."""
    ndim = max(map(len, shapes))
    for back in range(1, ndim + 1):
        sizes = [(k, s[-back]) for k, s in enumerate(shapes) if len(s) >= back and s[-back] != 1]
        for k, size in sizes[1:]:
            if size != sizes[0][1]:
                return (f"The size of tensor {'abcdefgh'[sizes[0][0]]} ({sizes[0][1]}) must match the size of tensor "
                        f"{'abcdefgh'[k]} ({size}) at non-singleton dimension {ndim - back}")
    return None
