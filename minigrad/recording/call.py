"""The part of a call that straight-line code does not cover: operands to convert, several results, errors to explain.

The generated call path (:mod:`minigrad.recording.op`) comes here when an operand is not a tensor, when dtypes differ, when
an operation takes a sequence or returns several tensors, and when the forward raises.
"""

from __future__ import annotations

from contextvars import Context
from typing import Any

import numpy as np

from minigrad import _arrays
from minigrad._types import dtypes
from minigrad.errors import ArgumentError, DtypeError, EmptyListError
from minigrad.recording import clock, graph
from minigrad.recording.argument_errors import array_in, explain, misplaced, named, no_sequence, not_a_tensor
from minigrad.recording.graph import Node, TensorBase, edge_of

SCALARS = (bool, int, float, complex)
REGISTRY: dict[str, Any] = {}  # every declared operation, by name

# Forwards run in copies of this context, in which NumPy does not warn of overflow, 1/0 or 0/0: inf and nan are results, as in
# PyTorch. Copying it and running in it costs 0.1 us; `with np.errstate(...)` would cost ten times that.
QUIET = Context()
QUIET.run(np.seterr, all="ignore")
quiet = QUIET.copy


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
        if not _arrays.elsewhere(*arrays):
            return super().__call__(*args, **settings)
        card = next(_arrays.device_of(x) for x in arrays if x is not None and not isinstance(x, np.ndarray))
        if info.broadcasts:
            args = tuple([moved(x, card) if isinstance(a, np.ndarray) and not a.ndim else x for x, a in zip(args, arrays)])
        error = misplaced(info, [array_in(x) for x in args], settings)
        if error is not None:
            raise error
        with _arrays.on_card(card):
            return super().__call__(*args, **settings)


def moved(x: Any, device: Any) -> Any:
    """The tensor or array `x` on `device`; gradients flow back to where it came from."""
    source = _arrays.device_of(array_in(x))
    return x if source == device else REGISTRY["to_device"](x, device=device, source=source)


def as_array(x: Any) -> Any:
    """The result `x` of a forward or a rule as an array: NumPy gives scalars, and a setting that is a tensor makes it one.

    Raises ``TypeError`` for several results of an operation that was declared with one.
    """
    if x.__class__ is tuple or x.__class__ is list:
        raise ArgumentError(f"a forward returned a {type(x).__name__} of {len(x)}, but its operation is declared with one result; "
                            "for several, give op their names, outputs=(\"values\", \"indices\"), or outputs=True")
    return x.array if isinstance(x, TensorBase) else _arrays.as_array(x)


def sequence(info: Any, value: Any) -> Any:
    """The argument of an operation on several tensors that is no list or tuple, as a tuple. Raises ``TypeError`` for what is no
    sequence of tensors, one tensor included, though it could be iterated over."""
    if isinstance(value, (TensorBase, str)) or not hasattr(value, "__iter__"):
        raise no_sequence(info.called, info.arguments[0], value)
    return tuple(value)


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
    elif isinstance(value, _arrays.array_types):
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
    xp = _arrays.xp_of(like)
    if wanted.kind in "iu" and type(x) is int:
        bits = 8 * wanted.itemsize
        x = (x + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1) if wanted.kind == "i" else x % (1 << bits)
    with np.errstate(over="ignore"):
        return xp.asarray(x).astype(wanted.numpy)


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
    frame = clock.user_frame()
    shape = result.shape if not isinstance(result, tuple) else tuple([r.shape for r in result])
    node = info.node_class.make(edges, shape, tuple(saved), tuple(values), frame.f_code, frame.f_lasti)
    if info.variadic:
        node.saved_from = (*((-1,) if "out" in info.kept_arrays else ()),
                           *(range(len(arrays)) if info.arguments[0] in info.kept_arrays else ()))
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
