"""The inputs of a model, which of their axes are dynamic, and inputs of other sizes and values to trace it with."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Any, Callable, Iterator, Mapping, Sequence

import numpy as np

from minigrad._pytree import tree_flatten_with_path, tree_unflatten
from minigrad._types.tensor_base import TensorBase
from minigrad.errors import ArgumentError, DeviceError, InvalidValueError, OnnxExporterError
from minigrad.nn import Module
from minigrad.onnx.tracing import Trace, trace_model
from minigrad.onnx.varying import require_same_calls
from minigrad.ops import creation


@dataclass
class Inputs:
    """The arguments of a model, taken apart: the leaves of ``(args, kwargs)``, and the names of those that are tensors."""

    leaves: list[Any]
    spec: Any
    names: dict[int, str]  # of the leaves that are tensors
    arguments: dict[int, str]  # the parameter of the model that each leaf is, or is in
    dynamic: dict[tuple[int, int], str] = field(default_factory=dict)  # the name of each dynamic axis: (leaf, axis)

    def tensors(self) -> Iterator[tuple[int, str, Any]]:
        """Each tensor among the leaves: its place, its name and itself."""
        return ((k, self.names[k], self.leaves[k]) for k in self.names)


def take_apart(model: Callable[..., Any], args: Any, kwargs: Mapping[str, Any] | None,
               input_names: Sequence[str] | None) -> Inputs:
    """The inputs of a model. As in PyTorch, a single tensor may stand for a tuple of one, and a dictionary that comes last holds
    arguments by name where no `kwargs` are given. Tensors are named after the model's parameters, or by `input_names`."""
    args = args if isinstance(args, tuple) else tuple(args) if isinstance(args, list) else (args,)
    function = model.forward if isinstance(model, Module) else model
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        signature = None
    if kwargs is None and args and isinstance(args[-1], dict) and (
            signature is not None and all(isinstance(k, str) and k in signature.parameters for k in args[-1])):
        args, kwargs = args[:-1], args[-1]
    kwargs = dict(kwargs or {})
    ways, spec = tree_flatten_with_path((args, kwargs))
    parameters = positional_names(signature, len(args))
    names: dict[int, str] = {}
    arguments: dict[int, str] = {}
    for k, (way, leaf) in enumerate(ways):
        keys: list[Any] = [key.idx if hasattr(key, "idx") else getattr(key, "key", getattr(key, "name", "")) for key in way]
        root = parameters[keys[1]] if keys[0] == 0 else str(keys[1])
        arguments[k] = root
        if isinstance(leaf, TensorBase):
            names[k] = "_".join([root, *map(str, keys[2:])])
    if not names:
        raise ArgumentError("onnx.export: argument 'args' must hold the tensors that the model is called with, such as "
                            f"(minigrad.randn(1, 3),), not {args!r}")
    refuse_devices([ways[k][1] for k in names], model)
    for k, name in zip(names, input_names or ()):
        names[k] = name
    if len(set(names.values())) < len(names):
        raise InvalidValueError(f"onnx.export: two inputs have one name: {list(names.values())}; give others by input_names=")
    return Inputs([leaf for _, leaf in ways], spec, names, arguments)


def refuse_devices(tensors: Sequence[Any], model: Any) -> None:
    """Raise for tensors on a GPU, among the inputs or the model's parameters."""
    parameters = [*model.parameters(), *model.buffers()] if isinstance(model, Module) else []
    for t in (*tensors, *parameters):
        if t.device.type != "cpu":
            raise DeviceError("onnx.export: the model and what it is called with must be on the CPU, but a tensor is on "
                              f"{t.device}; move them, model.cpu() and x.cpu()")


def positional_names(signature: inspect.Signature | None, count: int) -> list[str]:
    """The names of `count` arguments given by position."""
    names: list[str] = []
    for name, parameter in (signature.parameters.items() if signature is not None else ()):
        if parameter.kind is parameter.VAR_POSITIONAL:
            names += [f"{name}_{k}" for k in range(count - len(names))]
        elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            names.append(name)
    return (names + [f"input_{k}" for k in range(len(names), count)])[:count]


# ---------------------------------------------------------------------------------------------------- dynamic axes

def note_dynamic_axes(inputs: Inputs, axes: Mapping[str, Any] | None, shapes: Any) -> dict[str, dict[int, str]]:
    """Note which axes of the inputs are dynamic, from ``dynamic_axes`` (by the names of inputs) or ``dynamic_shapes`` (by the
    model's parameters), and return the names of axes that were given for outputs."""
    places = {name: k for k, name, _ in inputs.tensors()}
    of_outputs: dict[str, dict[int, str]] = {}
    for name, given in (axes or {}).items():
        named = {d: str(n) for d, n in given.items()} if isinstance(given, Mapping) else {d: f"{name}_dim_{d}" for d in given}
        if name in places:
            for axis, axis_name in named.items():
                note_axis(inputs, places[name], axis, axis_name)
        else:
            of_outputs[name] = named
    if shapes is not None:
        by_leaf = shapes_by_leaf(inputs, shapes)
        for k, given in by_leaf.items():
            pairs = given.items() if isinstance(given, Mapping) else enumerate(given)
            for axis, dim in pairs:
                if dim is not None and not isinstance(dim, int) and getattr(dim, "name", "") != "STATIC":
                    known = dim if isinstance(dim, str) else getattr(dim, "__name__", f"{inputs.names[k]}_dim_{axis}")
                    note_axis(inputs, k, axis, known)
    return of_outputs


def shapes_by_leaf(inputs: Inputs, shapes: Any) -> dict[int, Any]:
    """``dynamic_shapes``, a dictionary by parameters or a tuple, for each tensor among the leaves."""
    order = list(dict.fromkeys(inputs.arguments.values()))
    given = dict(shapes) if isinstance(shapes, Mapping) else dict(zip(order, shapes))
    unknown = [name for name in given if name not in order]
    if unknown:
        raise InvalidValueError(f"onnx.export: dynamic_shapes names {unknown[0]!r}, which the model is not called with; it is "
                                f"with {order}")
    found: dict[int, Any] = {}
    for name, tree in given.items():
        leaves = [k for k in inputs.names if inputs.arguments[k] == name]
        parts = [tree] if len(leaves) == 1 and is_shape(tree) else list(flat_shapes(tree))
        found.update({k: part for k, part in zip(leaves, parts) if part is not None})
    return found


def is_shape(x: Any) -> bool:
    """Whether `x` describes the shape of one tensor: by axes, or an entry for each."""
    return x is None or isinstance(x, Mapping) and all(isinstance(k, int) for k in x) \
        or isinstance(x, (tuple, list)) and not any(isinstance(v, (Mapping, tuple, list)) for v in x)


def flat_shapes(tree: Any) -> Iterator[Any]:
    """The shapes in a tree of containers, in the order of the tensors."""
    if is_shape(tree):
        yield tree
    else:
        for part in tree.values() if isinstance(tree, Mapping) else tree:
            yield from flat_shapes(part)


def note_axis(inputs: Inputs, leaf: int, axis: int, name: str) -> None:
    """Note that an axis of a leaf is dynamic. Raises ``ValueError`` where there is no such axis, or one of another size has its
    name."""
    shape, given = inputs.leaves[leaf].shape, inputs.names[leaf]
    if not -len(shape) <= axis < len(shape):
        raise InvalidValueError(f"onnx.export: axis {axis} of {given!r} is to be dynamic, but its shape is {list(shape)}")
    axis %= len(shape)
    for (other, d), known in inputs.dynamic.items():
        size = inputs.leaves[other].shape[d]
        if known == name and size != shape[axis]:
            raise InvalidValueError(f"onnx.export: two dynamic axes are called {name!r}, but their sizes are {size} and "
                                    f"{shape[axis]}; axes of one name have one size")
    inputs.dynamic[leaf, axis] = name


# ---------------------------------------------------------------------------------------------------- traces

def trace_all(model: Callable[..., Any], inputs: Inputs) -> list[Trace]:
    """Traces of a model on its inputs, on inputs of other values, and with two other sizes of each dynamic axis. They make the
    same calls, or an error says where they part."""
    sizes: dict[str, int] = {}
    for (k, axis), name in inputs.dynamic.items():
        sizes[name] = inputs.leaves[k].shape[axis]
    base = {name: max(n, 2) for name, n in sizes.items()}  # of one element, broadcasting would look like the general case
    traces = [run(model, inputs, base, sizes)]
    if not sizes:
        traces.append(run_varied(model, inputs, {}))
    for name, n in base.items():
        found: list[Trace] = []
        for step in (1, -1):
            if n + 2 * step >= 2:
                try:
                    found = [run_varied(model, inputs, {**base, name: n + k * step}) for k in (1, 2)]
                    break
                except Exception as error:
                    failure = error
        if not found:
            raise OnnxExporterError(f"onnx.export: the axis {name!r} is to be dynamic, but the model cannot be called with "
                                    f"another size of it than {n}: {failure}") from failure
        traces += found
    if len(base) > 1:
        sizes_of = {name: n + 1 for name, n in base.items()}
        try:
            traces.append(run_varied(model, inputs, sizes_of))
        except Exception:
            traces.append(run_varied(model, inputs, {name: n - 1 for name, n in base.items()}))
    require_same_calls(traces)
    return traces


def run(model: Callable[..., Any], inputs: Inputs, sizes: Mapping[str, int], given: Mapping[str, int]) -> Trace:
    """A trace on the inputs as they are, but for dynamic axes of one element, which have two."""
    try:
        return trace_model(model, *arguments_with(inputs, sizes, changed=False))
    except Exception as error:
        if sizes == given:
            raise
        trace_model(model, *arguments_with(inputs, given, changed=False))  # raises what is wrong with the model itself
        axes = [name for name, n in given.items() if sizes[name] != n]
        raise OnnxExporterError(f"onnx.export: the axes {axes} are to be dynamic, but the model cannot be called with another "
                                f"size of them than 1: {error}") from error


def run_varied(model: Callable[..., Any], inputs: Inputs, sizes: Mapping[str, int]) -> Trace:
    """A trace with other values, where the model takes them, and sizes."""
    try:
        return trace_model(model, *arguments_with(inputs, sizes, changed=True))
    except Exception:
        return trace_model(model, *arguments_with(inputs, sizes, changed=False))


def arguments_with(inputs: Inputs, sizes: Mapping[str, int], changed: bool) -> tuple[Any, ...]:
    """What :func:`~minigrad.onnx.tracing.trace_model` takes: the tensors, with their names, and the arguments they are among.
    Dynamic axes have other sizes, along which elements are repeated; and if `changed`, values are others."""
    leaves = list(inputs.leaves)
    for k, _, t in inputs.tensors():
        array = t.array
        if changed:  # the same elements, so that indices stay indices, the other way round
            array = array.reshape(-1)[::-1].reshape(array.shape)
            if array.dtype.kind == "f":
                array = (array * 0.75).astype(array.dtype)
        for axis in range(array.ndim):
            name = inputs.dynamic.get((k, axis))
            if name is not None and array.shape[axis]:
                array = np.take(array, np.arange(sizes[name]) % array.shape[axis], axis)
        leaves[k] = creation.from_numpy(np.array(array))
    args, kwargs = tree_unflatten(leaves, inputs.spec)
    return [(name, leaves[k]) for k, name, _ in inputs.tensors()], args, kwargs
