"""The part of a call that straight-line code does not cover: operands to convert, several results, errors to explain.

The generated call path (:mod:`minigrad.recording.op`) comes here when an operand is not a tensor, when dtypes differ, when
an operation takes a sequence or returns several tensors, and when the forward raises.
"""

from __future__ import annotations

import warnings
from typing import Any, Callable

import numpy as np

from minigrad import _arrays
from minigrad._types import dtypes, layouts
from minigrad._types.tensor_base import TensorBase, unwrap
from minigrad.errors import ArgumentError, DtypeError, EmptyListError, GraphError
from minigrad.recording import clock, graph, overriding, watching
from minigrad.recording.argument_errors import (
    constant_requires_grad,
    dtype_name,
    explain,
    not_a_sequence,
    not_a_tensor,
    operand_device_mismatch,
)
from minigrad.recording.graph import Node, edge_of
from minigrad.recording.quiet import QUIET, quiet

SCALARS = (bool, int, float, complex)
REGISTRY: dict[str, Any] = {}  # every declared operation, by name


class InForward:
    """The value of ``grad_enabled`` in a forward. As it gets arrays, what would be recorded there, or read from a tensor that
    requires grad, is a setting, whose gradient would be lost."""

    def observe(self, *_: Any) -> None:
        """Refuse a node that was made, or the reading of a value."""
        raise GraphError("a setting is a tensor that requires grad, but settings are numbers, by which nothing is "
                         "differentiated; give its value, such as setting.item()")


QUIET.run(graph.grad_enabled.set, InForward())


def about_to_read(t: Any) -> None:
    """Note that Python looks at the elements of the tensor `t`. Raises in a forward, if `t` requires grad."""
    if watching.count:
        watching.show_read(t.array)
    mode = graph.grad_enabled.get()
    if t.node is not None and isinstance(mode, InForward):
        mode.observe()


class GeneralCall:
    """Calls one operation with operands of any kind: it converts them to tensors of fitting dtypes and calls the generated path
    again."""

    def __init__(self, function: Any, info: Any) -> None:
        self.function, self.info = function, info

    def __call__(self, *args: Any, **settings: Any) -> Any:
        info = self.info
        names = info.arguments * len(args) if info.variadic else info.arguments
        if info.variadic:
            if not args:
                raise EmptyListError(f"{info.called}: expected a non-empty list of tensors")
            if info.dtypes != "float" and share_dtype(args):
                return record_call(info, args, settings)
        elif share_dtype(args) and computes_in_opmath(info, args):
            return record_call(info, args, settings)
        elif info.former and isinstance(args[1], SCALARS) and any([isinstance(x, TensorBase) for x in settings.values()]):
            return self.function(**arguments_of_former_call(info, (*args, *settings.values())))
        elif len(args) == 1 and isinstance(args[0], np.generic):  # what NumPy makes of a zero-dimensional array, in a rule
            return self.function(np.asarray(args[0]), **settings)
        if info.numbers_alone and all([isinstance(x, SCALARS) for x in args]):
            args = tuple([constant(np.asarray(x, dtypes.result_dtype([x]).numpy), TensorBase) for x in args])
        like = next((a for a in args if isinstance(a, TensorBase)), None)
        try:
            operands = [operand(info, name, a, like) for name, a in zip(names, args)]
        except ArgumentError:
            if found := overriding.overriding(args):
                return overriding.ask(self.function, found, (args,) if info.variadic else args, settings)
            raise
        operands = promote_operands(info, names, operands, like)
        if like is None:
            result = run_forward(info, operands, settings)
            return info.result_type(*result) if isinstance(info.outputs, tuple) else result
        in_words = info.variadic or computes_in_opmath(info, operands)
        return record_call(info, operands, settings) if in_words else self.function(*operands, **settings)


class GuardedCall(GeneralCall):
    """As :class:`GeneralCall`, in a process with GPUs: a call runs on the device of its operands, whichever device is current.

    Where an operation broadcasts, a CPU tensor without dimensions counts as a number and is moved to the GPU.
    """

    def __call__(self, *args: Any, **settings: Any) -> Any:
        info = self.info
        arrays = [unwrap(x) for x in args]
        if not _arrays.needs_device_guard(*arrays):
            return super().__call__(*args, **settings)
        gpu = next(_arrays.device_of(x) for x in arrays if isinstance(x, _arrays.accelerator_array_types))
        if info.broadcasts:
            args = tuple([move_to_device(x, gpu) if isinstance(a, np.ndarray) and not a.ndim else x
                          for x, a in zip(args, arrays)])
        error = operand_device_mismatch(info, [unwrap(x) for x in args], settings)
        if error is not None:
            raise error
        with _arrays.on_device(gpu):
            return super().__call__(*args, **settings)


def move_to_device(x: Any, device: Any) -> Any:
    """The tensor or array `x` on `device`. Its gradient flows back to the device it came from."""
    source = _arrays.device_of(unwrap(x))
    return x if source == device else REGISTRY["to_device"](x, device=device, source=source)


def unwrap_result(x: Any) -> Any:
    """The result of a forward or a rule as an array. NumPy may give a scalar, and a setting that is a tensor makes it a tensor.

    Raises ``TypeError`` for several results of an operation that was declared with one.
    """
    if x.__class__ is tuple or x.__class__ is list:
        raise ArgumentError(f"a forward returned a {type(x).__name__} of {len(x)}, but its operation is declared with one "
                            "result; for several, give op their names, outputs=(\"values\", \"indices\"), or outputs=True")
    return _arrays.as_array(unwrap(x))


def arguments_of_former_call(info: Any, given: tuple[Any, ...]) -> dict[str, Any]:
    """The arguments by name of a call that gives them in the order of PyTorch's first versions. Warns, with the new one."""
    new = ", ".join([*info.arguments, *[f"{name}={name}" for name in info.settings]])
    frame = clock.user_frame()
    called = info.called
    message = f"This overload of {called} is deprecated: {called}({', '.join(info.former)}); write {called}({new})"
    warnings.warn_explicit(message, UserWarning, frame.f_code.co_filename, frame.f_lineno)
    return dict(zip(info.former, given))


def sequence(info: Any, value: Any) -> Any:
    """The argument of an operation on several tensors, which is no list or tuple, as a tuple. Raises ``TypeError`` for what is no
    sequence of tensors. A single tensor is refused too, though one can iterate over it."""
    if isinstance(value, (TensorBase, str)) or not hasattr(value, "__iter__"):
        raise not_a_sequence(info.called, info.arguments[0], value)
    return tuple(value)


def share_dtype(args: Any) -> bool:
    """Whether all arguments are tensors of one dtype, so that none needs converting."""
    first = args[0]
    if not isinstance(first, TensorBase):
        return False
    dtype = first.array.dtype
    return all([isinstance(x, TensorBase) and x.array.dtype is dtype for x in args])


def operand(info: Any, name: str, value: Any, like: TensorBase | None) -> Any:
    """An argument as a tensor, an array or a Python number. Raises ``TypeError`` for anything else, and says how to make a tensor
    of it."""
    if value is None and name in info.optional or isinstance(value, TensorBase):
        return value
    if isinstance(value, np.generic):  # NumPy's result of arithmetic on arrays without dimensions
        dtypes.known_dtype(value.dtype)
        return value.item() if like is not None else np.asarray(value)
    if isinstance(value, SCALARS):
        if name in info.numbers:
            return value
    elif isinstance(value, _arrays.array_types):
        value = dtypes.adopt_array(value)
        return value if like is None else constant(value, like)
    raise not_a_tensor(info.called, name, value)


def is_operand(value: Any, numbers: bool = True) -> bool:
    """Whether `value` is what operations take: a tensor, an array or, where they take `numbers`, one."""
    return isinstance(value, (TensorBase, np.generic, *_arrays.array_types)) or numbers and isinstance(value, SCALARS)


def for_operators(general: GeneralCall) -> Callable[..., Any]:
    """The general path of an operation's form for Python's operators. For an operand that no operation takes it returns
    ``NotImplemented``, so that Python asks the class of that operand for its reflected operator."""
    numbers = bool(general.info.numbers)

    def general_or_not(*args: Any, **settings: Any) -> Any:
        known = all([is_operand(x, numbers) or overriding.overrides(x) for x in args])
        return general(*args, **settings) if known else NotImplemented

    return general_or_not


def constant(value: Any, like: Any) -> Any:
    """The array `value` as a tensor of the class of `like` that requires no gradient."""
    return graph.tensor_on_edge(value, None, like.result_class)


def number(input: Any, other: Any) -> Any:
    """The Python number `other` as a constant of the dtype of the floating tensor `input`. Returns None where that takes the
    general path."""
    if (other.__class__ is float or other.__class__ is int) and -60000 < other < 60000 and isinstance(input, TensorBase):
        array = input.array
        if array.__class__ is np.ndarray and array.dtype.char in "fd":  # which can hold such a number
            t: Any = object.__new__(input.result_class)
            t.array = np.array(other, array.dtype)
            t.node = None
            return t
    return None


def promote_operands(info: Any, names: Any, operands: list[Any], like: TensorBase | None) -> list[Any]:
    """The operands, converted to their common dtype where the declaration asks for one."""
    if not info.alike:
        return operands
    arrays = [unwrap(x) for x in operands]
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
            odd, to = (a2, d1) if d1.kind in dtypes.DIFFERENTIABLE and d2.kind not in dtypes.DIFFERENTIABLE else (a1, d2)
            raise DtypeError(f"{info.called}: expected '{a1}' and '{a2}' to have the same dtype, but got {dtype_name(d1)} and "
                             f"{dtype_name(d2)}; convert one, for instance {odd}.to({dtype_name(to)})")
        return operands
    wanted = dtypes.result_dtype(present)
    if info.dtypes == "float" and wanted.kind not in "fc":
        wanted = dtypes.get_default_dtype()
    # Where the operation computes in float32, what counts as a number, and has more digits than `wanted`, is not rounded first.
    in_opmath = info.opmath or wanted is dtypes.bfloat16 and not info.bfloat16
    exact = wanted if not in_opmath else dtypes.FROM_NUMPY[dtypes.opmath_dtype(wanted.numpy)]
    for k in chosen:
        x = operands[k]
        if isinstance(x, TensorBase):
            to = wanted if x.array.ndim or x.array.dtype.kind != "f" or x.array.dtype.itemsize < 4 else exact
            if x.array.dtype is not to.numpy:
                operands[k] = REGISTRY["cast"](x, dtype=to)
        elif like is not None:
            operands[k] = constant(scalar_array(x, exact, like.array), like)
        elif isinstance(x, SCALARS):
            operands[k] = scalar_array(x, exact, next(a for a in present if not isinstance(a, SCALARS)))
        elif x.dtype is not wanted.numpy:
            operands[k] = x.astype(wanted.numpy)
    return operands


def scalar_array(x: Any, wanted: dtypes.dtype, like: Any) -> Any:
    """A Python number as a zero-dimensional array. Integers wrap around and floats overflow to inf, as in PyTorch."""
    xp = _arrays.xp_of(like)
    if wanted.kind in "iu" and type(x) is int:
        bits = 8 * wanted.itemsize
        x = (x + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1) if wanted.kind == "i" else x % (1 << bits)
    return quiet().run(xp.asarray(x).astype, wanted.numpy)


# ---------------------------------------------------------------------------------------------------- low precision

# A float16 number has three digits and ends at 65,504. A result that is rounded at every step between, a Python number that is
# rounded before it is used, or a count of elements that does not fit, would give a wrong result where the right one can be held.
# So the forwards and rules of operations that are declared with `opmath` compute in float32, and what they give is rounded once.
# With bfloat16 NumPy computes badly or not at all: there all do, but those that only move elements.

def is_low(x: Any) -> bool:
    """Whether `x`, a tensor, an array or None, holds numbers of low precision."""
    return x is not None and dtypes.is_low_precision(unwrap(x).dtype)


def computes_in_opmath(info: Any, operands: Any) -> bool:
    """Whether a call with these operands, tensors or arrays, is computed in float32 and rounded."""
    low = [unwrap(x).dtype for x in operands if is_low(x)]
    return bool(low) and (bool(info.opmath) or not info.bfloat16 and any([dtypes.is_bfloat16(d) for d in low]))


def convert(x: Any, dtype: Any) -> Any:
    """The tensor or array `x` in NumPy's `dtype`. Of a tensor this is recorded, so that a rule can be differentiated."""
    return REGISTRY["cast"](x, dtype=dtypes.FROM_NUMPY[dtype]) if isinstance(x, TensorBase) else layouts.convert(x, dtype)


def widened(x: Any) -> Any:
    """`x`, or each part of a tuple, in float32 where it is of low precision."""
    if isinstance(x, tuple):
        return x.__class__([widened(part) for part in x])
    return convert(x, dtypes.opmath_dtype(unwrap(x).dtype)) if is_low(x) else x


def narrowed(x: Any, dtype: Any) -> Any:
    """`x` in `dtype`, where that is of low precision and `x` is in the dtype it is computed in."""
    return convert(x, dtype) if dtypes.is_low_precision(dtype) and unwrap(x).dtype == dtypes.opmath_dtype(dtype) else x


def forward_in_opmath(info: Any, arrays: tuple[Any, ...], settings: dict[str, Any]) -> Any:
    """The result of the forward on arrays of which some are of low precision. It is, too, unless a setting says its dtype."""
    result = info.forward(*widened(tuple(arrays)), **settings)
    if settings.get("dtype") is not None:
        return result
    low = next(x.dtype for x in arrays if is_low(x))
    if isinstance(result, (tuple, list)):
        wide = [info.results[name] for name in info.wide]
        return tuple([unwrap_result(r) if k in wide else narrowed(unwrap_result(r), low) for k, r in enumerate(result)])
    return narrowed(unwrap_result(result), low)


def opmath_node_class(info: Any) -> Any:
    """The class of the nodes of calls with operands of low precision: its rules are given, and give, float32."""
    if info.opmath_node_class is None:
        usual = info.node_class

        def backward(self: Any, g: Any, saved: tuple[Any, ...]) -> tuple[Any, ...]:
            grads = usual.backward(self, widened(g), widened(saved))
            return tuple([None if d is None else narrowed(d, dtype) for d, dtype in zip(grads, self.dtypes)])

        members = {"__slots__": ("dtypes",), "__module__": usual.__module__, "__doc__": usual.__doc__, "backward": backward}
        info.opmath_node_class = type(usual.__name__, (usual,), members)
    return info.opmath_node_class


# ---------------------------------------------------------------------------------------------------- recording by loops

def run_forward(info: Any, arrays: Any, settings: dict[str, Any]) -> Any:
    """The result of the forward, on arrays; in float32 where they are of low precision and the declaration asks for that."""
    try:
        if computes_in_opmath(info, arrays):
            return quiet().run(forward_in_opmath, info, arrays, settings)
        return quiet().run(info.forward, *arrays, **settings)
    except Exception as error:
        raise explain(info, error, arrays, settings) from None


def record_call(info: Any, tensors: Any, settings: dict[str, Any]) -> Any:
    """Call and record an operation on tensors, of which optional ones may be None."""
    arrays = tuple([None if t is None else t.array for t in tensors])
    result = run_forward(info, arrays, settings)
    if info.outputs:
        out: Any = finish_outputs(info, result, tensors, arrays, settings)
    else:
        out = object.__new__(tensors[0].result_class)
        out.array = result = in_layout(info, unwrap_result(result), arrays)
        out.node = record(info, tensors, arrays, result, settings)
        if out.node is None:
            out._off = why_off(info, tensors)
    if watching.count:
        watching.show_call(info, tuple(tensors), settings, out)
    return out


def in_layout(info: Any, result: Any, arrays: tuple[Any, ...]) -> Any:
    """The array `result` in the layout that the operation declares."""
    return result if info.layout is None else layouts.lay_out(info.layout, result, *arrays)


def why_off(info: Any, inputs: Any) -> Any:
    """Why unrecorded results are in no graph, for ``explain``: the mode that recording is in, or the reason that an input has."""
    mode = graph.grad_enabled.get()
    if not mode and info.rules and any([t is not None and edge_of(t) is not None for t in inputs]):
        return mode
    return next((t._off for t in inputs if t is not None and t._off is not None), None)


def refuse_constants(info: Any, inputs: Any) -> None:
    """Raise where what is recorded now would lack the gradient of an argument that has no derivative rule."""
    if not graph.grad_enabled.get():
        return
    name_of = info.arguments * len(inputs) if info.variadic else info.arguments
    for name, t in zip(name_of, inputs):
        if t is not None and t.node is not None and name in (*info.discrete, *info.constant):
            raise constant_requires_grad(info, name, t)


def record(info: Any, inputs: Any, arrays: tuple[Any, ...], result: Any, settings: dict[str, Any]) -> Node | None:
    """The node of a call, or None where no input requires a gradient. The generated path does the same in straight lines."""
    name_of = info.arguments * len(inputs) if info.variadic else info.arguments
    edges = tuple([None if t is None or a not in info.rules else edge_of(t) for t, a in zip(inputs, name_of)])
    mode = graph.grad_enabled.get()
    refuse_constants(info, inputs)
    if not mode or all(e is None for e in edges):
        return None
    if not isinstance(result, tuple) and result.dtype.kind not in dtypes.DIFFERENTIABLE:
        return None  # floating values written into integers
    wants = {a for a, e in zip(name_of, edges) if e is not None}
    saved: list[Any] = []
    for name in info.kept_arrays:
        used = any(name in info.needs[a] for a in wants)
        if name == "out":
            saved.append(result if used else None)
        elif name in info.results:
            saved.append(result[info.results[name]] if used else None)
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
    frame = clock.user_frame()
    shape = result.shape if not isinstance(result, tuple) else tuple([r.shape for r in result])
    low = computes_in_opmath(info, arrays)
    node_class = opmath_node_class(info) if low else info.node_class
    node = node_class.make(edges, shape, tuple(saved), tuple(values), frame.f_code, frame.f_lasti)
    if low:
        node.dtypes = tuple([None if a is None else a.dtype for a in arrays])
    if info.variadic:
        node.saved_from = (*((-1,) if "out" in info.kept_arrays else ()),
                           *(range(len(arrays)) if info.arguments[0] in info.kept_arrays else ()))
    if mode is not True:
        mode.observe(node, result, arrays, next(t for t in inputs if t is not None).result_class)
    return node  # type: ignore[no-any-return]


def finish_outputs(info: Any, result: Any, inputs: Any, arrays: tuple[Any, ...], settings: dict[str, Any]) -> Any:
    """The results of an operation that has several, as tensors. Only the floating and complex ones carry a gradient."""
    result = tuple([in_layout(info, unwrap_result(r), arrays) for r in result])
    node = record(info, inputs, arrays, result, settings)
    reason = why_off(info, inputs) if node is None else None
    outs = []
    for k, array in enumerate(result):
        t: Any = object.__new__(inputs[0].result_class)
        t.array = array
        t.node = None if node is None else graph.output_edge(node, k, array)
        if reason is not None:
            t._off = reason
        outs.append(t)
    return info.result_type(*outs) if isinstance(info.outputs, tuple) else tuple(outs)
