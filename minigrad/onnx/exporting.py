"""Models in ONNX's format, which Netron shows and onnxruntime runs."""

from __future__ import annotations

import contextlib
import inspect
import io
import os
from contextvars import ContextVar
from enum import IntEnum
from typing import Any, Callable, Iterator, Mapping, Sequence

import numpy as np

from minigrad._types.dtypes import FROM_NUMPY
from minigrad.errors import ArgumentError, InvalidValueError, OnnxExporterError, UnsupportedOperatorError
from minigrad.nn import Module
from minigrad.onnx._library import library, runtime
from minigrad.onnx.building import Builder, Operand
from minigrad.onnx.sizes import Inputs, note_dynamic_axes, take_apart, trace_all
from minigrad.onnx.tracing import Call, Trace
from minigrad.onnx.translation import TABLE
from minigrad.onnx.varying import Unlike, Varying, merged, same_elements
from minigrad.ops import creation
from minigrad.recording.hints import warn_user
from minigrad.version import __version__

__all__ = ["ONNXProgram", "OperatorExportTypes", "TrainingMode", "export", "is_in_onnx_export"]

DEFAULT_OPSET = 20  # in onnx since 1.15 and in onnxruntime since 1.17
LEAST_OPSET = 17  # that files are written for; older ones are converted from it
LARGEST_FILE = 2**31 - 2**20  # bytes, which the format's library can write in one file
exporting: ContextVar[bool] = ContextVar("exporting", default=False)


class TrainingMode(IntEnum):
    """In which mode a model is exported.

    >>> TrainingMode.EVAL.name
    'EVAL'
    """

    EVAL = 0
    PRESERVE = 1
    TRAINING = 2


class OperatorExportTypes(IntEnum):
    """PyTorch's ways to treat operations that are not in ONNX; here there is one, which refuses them.

    >>> OperatorExportTypes.ONNX.name
    'ONNX'
    """

    ONNX = 0


def is_in_onnx_export() -> bool:
    """Whether a model is being exported, so that a model may compute what ONNX can hold.

    >>> is_in_onnx_export()
    False
    """
    return exporting.get()


class ONNXProgram:
    """An exported model: ``model_proto`` is what the library ``onnx`` calls a ``ModelProto``. It can be called, with
    onnxruntime.

    >>> import minigrad as mg
    >>> program = mg.onnx.export(mg.relu, mg.zeros(3))
    >>> program(mg.tensor([-1.0, 0.0, 2.0]))
    [tensor([0., 0., 2.])]
    """

    def __init__(self, model_proto: Any) -> None:
        self.model_proto = model_proto

    def save(self, destination: str | os.PathLike[str] | io.IOBase, *, external_data: bool = True) -> None:
        """Write the model to a path or an open file. Weights of more than 2 GB go into a file beside it, with the ending
        ``.data``."""
        if isinstance(destination, io.IOBase) or hasattr(destination, "write"):
            destination.write(self.model_proto.SerializeToString())
            return
        path = os.fspath(destination)
        large = sum([len(tensor.raw_data) for tensor in self.model_proto.graph.initializer]) > LARGEST_FILE
        if large and not external_data:
            raise OnnxExporterError("onnx.export: the weights are larger than the 2 GB that a file can hold, and external_data "
                                    f"is False; with external_data=True they go into {os.path.basename(path)}.data")
        if large:
            library().save_model(self.model_proto, path, save_as_external_data=True, all_tensors_to_one_file=True,
                                 location=f"{os.path.basename(path)}.data", convert_attribute=False)
        else:
            library().save_model(self.model_proto, path)

    def __call__(self, *args: Any, **kwargs: Any) -> list[Any]:
        """What onnxruntime computes from tensors, given in the order of the inputs or by their names: a list of tensors."""
        session = runtime().InferenceSession(self.model_proto.SerializeToString(), providers=["CPUExecutionProvider"])
        names = [x.name for x in session.get_inputs()]
        feed = {name: np.asarray(x.detach().cpu().numpy()) for name, x in (*zip(names, args), *kwargs.items())}
        return [creation.from_numpy(np.asarray(out)) for out in session.run(None, feed)]

    def __repr__(self) -> str:
        graph = self.model_proto.graph
        return (f"ONNXProgram({len(graph.node)} nodes, opset {self.model_proto.opset_import[0].version}, inputs "
                f"{[x.name for x in graph.input]}, outputs {[x.name for x in graph.output]})")


def export(model: Callable[..., Any], args: Any = (), f: str | os.PathLike[str] | io.IOBase | None = None, *,
           kwargs: Mapping[str, Any] | None = None, verbose: bool | None = None, input_names: Sequence[str] | None = None,
           output_names: Sequence[str] | None = None, opset_version: int | None = None, dynamo: bool = True,
           external_data: bool = True, dynamic_shapes: Any = None, export_params: bool = True,
           keep_initializers_as_inputs: bool = False, dynamic_axes: Mapping[str, Any] | None = None,
           training: TrainingMode = TrainingMode.EVAL, do_constant_folding: bool = True, optimize: bool = True,
           verify: bool = False, report: bool = False, custom_opsets: Mapping[str, int] | None = None,
           operator_export_type: OperatorExportTypes = OperatorExportTypes.ONNX, **unknown: Any) -> ONNXProgram:
    """Write what `model` computes on `args` in ONNX's format, which onnxruntime and other programs run, and Netron shows.

    The model is called a few times, on `args` and on tensors of other values and sizes, and the operations that it calls are
    written down. So a file holds one way through the program: a model whose operations depend on the values of its inputs is
    refused.

    Args:
        model: a module, or any function of tensors.
        args: what it is called with: a tuple, or one tensor. A dictionary that comes last holds arguments by name, as `kwargs`
            does. Tensors may stand in lists, tuples and dictionaries; other values become part of the model.
        f: a path, or a file open for writing bytes; None writes no file.
        input_names, output_names: names in the file. Inputs are called like the model's parameters, outputs ``output``, or
            ``output_0`` ... where there are several; parameters as in ``state_dict()``.
        opset_version: of ONNX's operations, from 17 on. For older ones the library converts the file; where it cannot, there is a
            warning, as in PyTorch, and the file has opset 17.
        dynamic_axes: axes of any size: ``{"input": {0: "batch"}}``, or ``{"input": [0]}``. Axes of one name have one size.
        dynamic_shapes: the same by the model's parameters: ``{"x": {0: "batch"}}``, or a tuple with an entry for each.
        training: in which mode the model is called; it is put back into its own.
        export_params: False makes the parameters inputs of the file.
        keep_initializers_as_inputs: list the parameters among the inputs too, so that callers may replace them.
        do_constant_folding: write what is computed from parameters alone as its result.
        external_data: weights of more than 2 GB go into a file beside.
        verify: compare what onnxruntime computes with what the model returned.
        verbose: print the nodes.
        dynamo, optimize, report, custom_opsets, operator_export_type: as in PyTorch, without effect.

    Returns: an :class:`ONNXProgram`, whose ``model_proto`` is the model.

    Raises:
        UnsupportedOperatorError: for an operation that has no form in ONNX; it names the operation and the line that calls it.
        OnnxExporterError: (a ``RuntimeError``) for a model whose operations depend on values, or on sizes in a way that cannot be
            followed.
        ImportError: where the library ``onnx`` is missing.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> mg.onnx.export(model, mg.zeros(1, 3), input_names=["x"], output_names=["y"], dynamic_axes={"x": {0: "batch"}})
    ONNXProgram(3 nodes, opset 20, inputs ['x'], outputs ['y'])
    """
    if unknown:
        raise ArgumentError(f"onnx.export() got an unexpected keyword argument '{next(iter(unknown))}'")
    if not callable(model):
        raise ArgumentError(f"onnx.export: argument 'model' must be a Module or a function, not {type(model).__name__}")
    opset = check_opset(opset_version)
    inputs = take_apart(model, args, kwargs, input_names)
    named_axes = note_dynamic_axes(inputs, dynamic_axes, dynamic_shapes)
    with in_mode(model, TrainingMode(training)):
        traces = trace_all(model, inputs)
    builder = Builder(traces, max(opset, LEAST_OPSET))
    outputs = translate(builder, traces, fold=do_constant_folding and export_params)
    names = name_outputs(outputs, output_names or (), named_axes, inputs)
    title = model.__name__ if inspect.isfunction(model) else type(model).__name__
    proto = assemble(builder, inputs, outputs, names, named_axes, title, export_params, keep_initializers_as_inputs)
    if opset < LEAST_OPSET:
        proto = converted(proto, opset)
    program = ONNXProgram(proto)
    if verbose:
        print(library(".printer").to_text(proto))
    if verify:
        compare(program, traces[0])
    if f is not None:
        program.save(f, external_data=external_data)
    return program


def check_opset(wanted: int | None) -> int:
    """The opset to write for. Raises ``ValueError`` for one that the library does not know."""
    newest = int(library(".defs").onnx_opset_version())
    if wanted is None:
        return min(DEFAULT_OPSET, newest)
    if not isinstance(wanted, int) or not 7 <= wanted <= newest:
        raise InvalidValueError(f"onnx.export: opset_version must be a number from 7 to {newest}, the newest that the installed "
                                f"onnx knows, not {wanted!r}")
    return wanted


@contextlib.contextmanager
def in_mode(model: Any, training: TrainingMode) -> Iterator[None]:
    """A block in which the modules of `model` are in another mode, and :func:`is_in_onnx_export` is true. It leaves modes and
    buffers as they were."""
    modules = list(model.modules()) if isinstance(model, Module) else []
    before = [module.training for module in modules]
    buffers = [(t, t.array.copy()) for t in model.buffers()] if modules and training is not TrainingMode.EVAL else []
    token = exporting.set(True)
    try:
        if modules and training is not TrainingMode.PRESERVE:
            model.train(training is TrainingMode.TRAINING)
        yield
    finally:
        exporting.reset(token)
        for module, mode in zip(modules, before):
            module.training = mode
        for t, array in buffers:  # such as statistics that move with each call
            t.array[...] = array


# ---------------------------------------------------------------------------------------------------- translation

def translate(b: Builder, traces: Sequence[Trace], fold: bool) -> list[Operand]:
    """Write the nodes of the calls that the outputs need, and return the outputs."""
    first = traces[0]
    fixed = fixed_values(traces) if fold else set()
    for number, value in enumerate(first.values):
        if value.kind == "input":
            b.taken.add(value.name)
            b.names[number] = described(traces, number, value.name)
            b.define(b.names[number])
    b.taken.update([value.name for value in first.values if value.kind == "parameter"])
    b.fixed = fixed
    needed, pending = set(), list(first.outputs)
    while pending:
        number = pending.pop()
        maker = first.values[number].maker
        if number in fixed or maker < 0 or maker in needed:
            continue
        needed.add(maker)
        call = first.calls[maker]
        pending += [n for n in call.operands if n is not None]
        if any(isinstance(x, np.ndarray) for x in flat_settings(call.settings)):
            pending += [k for k in range(min(call.results)) if first.values[k].array.dtype.kind in "biu"]
    for index in sorted(needed):
        translate_call(b, traces, index)
    b.call = None
    return [b.operand(number) for number in first.outputs]


def flat_settings(settings: Any) -> Iterator[Any]:
    """The settings of a call, those in tuples too."""
    for value in settings.values() if isinstance(settings, dict) else settings:
        if isinstance(value, (tuple, list)):
            yield from flat_settings(value)
        else:
            yield value


def translate_call(b: Builder, traces: Sequence[Trace], index: int) -> None:
    """Write the nodes of one call."""
    call = traces[0].calls[index]
    b.call = call
    b.outs = tuple([described(traces, number, "") for number in call.results])
    function = TABLE.get(call.op)
    if function is None:
        raise unsupported(call)
    refuse_complex(call, traces[0])
    settings = merge_settings([trace.calls[index].settings for trace in traces], call)
    operands = [None if number is None else b.operand(number) for number in call.operands]
    made = function(b, *operands, **settings)
    for number, out, name in zip(call.results, b.outs, (made,) if isinstance(made, str) else made):
        b.names[number] = Operand(name, out.shape, out.dtype, number)
        b.infos[name] = b.names[number]
        b.define(b.names[number])


def merge_settings(settings: Sequence[dict[str, Any]], call: Call) -> dict[str, Any]:
    """The settings of a call, in which numbers may be varying."""
    found = {}
    for name in settings[0]:
        try:
            found[name] = merged([s[name] for s in settings])
        except Unlike:
            raise OnnxExporterError(f"onnx.export: {call.called} at {call.line}: its argument '{name}' is {settings[0][name]!r}, "
                                    f"and {settings[-1][name]!r} on inputs of other values or sizes, which a file cannot follow; "
                                    "make fewer axes dynamic") from None
    return found


def unsupported(call: Call) -> UnsupportedOperatorError:
    """The error for an operation that is not in the table."""
    return UnsupportedOperatorError(f"onnx.export: {call.called}"
                                    + (f" (the operation '{call.op}')" if call.op != call.called else "")
                                    + f" at {call.line}" + (f", in the module '{call.path}'," if call.path else "")
                                    + " has no translation into ONNX; compute it from other operations, or leave it out of the "
                                    "model that is exported")


def refuse_complex(call: Call, trace: Trace) -> None:
    """Raise for complex numbers, which ONNX's operations do not compute with."""
    for number in (*call.operands, *call.results):
        if number is not None and trace.values[number].array.dtype.kind == "c":
            raise UnsupportedOperatorError(f"onnx.export: {call.called} at {call.line}: operations of ONNX do not compute with "
                                           "complex numbers; compute with real and imaginary parts")


def described(traces: Sequence[Trace], number: int, name: str) -> Operand:
    """A value of the traces as an operand."""
    arrays = [trace.values[number].array for trace in traces]
    if any(a.ndim != arrays[0].ndim for a in arrays):
        raise OnnxExporterError("onnx.export: a tensor has other numbers of dimensions on inputs of other values or sizes: "
                                f"{[list(a.shape) for a in arrays]}")
    return Operand(name, merged([a.shape for a in arrays]), arrays[0].dtype, number)


def fixed_values(traces: Sequence[Trace]) -> set[int]:
    """The numbers of values that depend on no input: what is computed from parameters and constants by operations that no trace
    calls with other settings or results."""
    fixed: set[int] = set()
    for number, value in enumerate(traces[0].values):
        if value.kind == "result":
            call = traces[0].calls[value.maker]
            known = call.op in TABLE and all(n is None or n in fixed for n in call.operands) and not value.overwritten
        else:
            known = value.kind == "parameter" or value.kind == "constant"
        if known and all(same_elements(trace.values[number].array, value.array) for trace in traces[1:]):
            fixed.add(number)
    return fixed


# ---------------------------------------------------------------------------------------------------- the file

def assemble(b: Builder, inputs: Inputs, outputs: Sequence[Operand], names: list[str], named_axes: Mapping[str, Any], title: str,
             export_params: bool, initializers_as_inputs: bool) -> Any:
    """The model of nodes and initializers, without those that nothing needs."""
    helper, from_array = library(".helper"), library(".numpy_helper").from_array
    sizes: dict[tuple[int, ...], str] = {}
    for (leaf, axis), name in inputs.dynamic.items():
        operand = next(x for x in b.names.values() if x.name == inputs.names[leaf])
        size = operand.shape[axis]
        if isinstance(size, Varying):
            sizes.setdefault(size.values, name)
    rename_outputs(b, inputs, outputs, names)
    needed = set(names)
    kept = []
    for node in reversed(b.nodes):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(node.input)
    kept.reverse()

    def info(name: str, operand: Operand, axes: Mapping[int, str]) -> Any:
        shape = [axes.get(d, sizes.get(n.values)) if isinstance(n, Varying) else n for d, n in enumerate(operand.shape)]
        return helper.make_tensor_value_info(name, b.element_type(operand.dtype), shape)

    given = {x.name: x for x in b.names.values()}
    tensors = [info(name, given[name], {}) for _, name, _ in inputs.tensors()]
    arrays = {name: array for name, array in b.initializers.items() if name in needed}
    if initializers_as_inputs or not export_params:
        tensors += [helper.make_tensor_value_info(name, b.element_type(arrays[name].dtype), arrays[name].shape)
                    for name in b.parameters if name in arrays]
    if not export_params:
        arrays = {name: array for name, array in arrays.items() if name not in b.parameters}
    made = {name for node in kept for name in node.output}
    graph = helper.make_graph(
        kept, title, tensors, [info(name, x, named_axes.get(name, {})) for name, x in zip(names, outputs)],
        [from_array(np.ascontiguousarray(array).reshape(array.shape), name) for name, array in arrays.items()],
        value_info=[info(name, x, {}) for name, x in b.infos.items() if name in made and name not in names])
    opsets = [helper.make_opsetid("", b.opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=helper.find_min_ir_version_for(opsets),
                             producer_name="minigrad", producer_version=__version__)


def name_outputs(outputs: Sequence[Operand], given: Sequence[str], named_axes: Mapping[str, Any], inputs: Inputs) -> list[str]:
    """The names of the outputs. Raises ``ValueError`` where axes of something else were named."""
    if len(given) > len(outputs):
        raise InvalidValueError(f"onnx.export: output_names has {len(given)} names, but the model returns {len(outputs)} tensors")
    names = [*given, *["output" if len(outputs) == 1 else f"output_{k}" for k in range(len(given), len(outputs))]]
    unknown = [name for name in named_axes if name not in names]
    if unknown:
        raise InvalidValueError(f"onnx.export: dynamic_axes names {unknown[0]!r}, which is none of the inputs, "
                                f"{list(inputs.names.values())}, and none of the outputs, {names}")
    return names


def rename_outputs(b: Builder, inputs: Inputs, outputs: Sequence[Operand], names: Sequence[str]) -> None:
    """Give the outputs their names. One that is an input, a constant or another output too is copied."""
    made = {name for node in b.nodes for name in node.output}
    renamed: dict[str, str] = {}
    for x, name in zip(outputs, names):
        if x.name in made and x.name not in renamed:
            renamed[x.name] = name
        else:
            b.nodes.append(library(".helper").make_node("Identity", [x.name], [name], name=b.fresh("/Identity")))
    if set(renamed.values()) & (set(inputs.names.values()) | set(b.initializers)) or len(set(names)) < len(names):
        raise InvalidValueError(f"onnx.export: the names of the outputs, {list(names)}, are not theirs alone; give others by "
                                "output_names=")
    for node in b.nodes:
        for names_of in (node.input, node.output):
            for k, name in enumerate(names_of):
                if name in renamed:
                    names_of[k] = renamed[name]


def converted(proto: Any, opset: int) -> Any:
    """The model in an older opset, by the library, where that has a way. Warns where it has none, and keeps the model."""
    try:
        return library(".version_converter").convert_version(proto, opset)
    except Exception as error:
        warn_user(f"onnx.export: the model cannot be brought to opset {opset}, and has opset {LEAST_OPSET}, as if that were "
                  f"asked for; onnx says: {str(error).splitlines()[0]}")
        return proto


def compare(program: ONNXProgram, trace: Trace) -> None:
    """Warn where onnxruntime computes something else than the model has."""
    found = program(*[creation.from_numpy(value.array) for value in trace.values if value.kind == "input"])
    for k, (number, x) in enumerate(zip(trace.outputs, found)):
        wanted = trace.values[number].array
        if wanted.dtype.kind == "f" and not np.allclose(wanted, x.array, rtol=1e-3, atol=1e-5, equal_nan=True):
            apart = float(np.abs(wanted.astype(np.float64) - x.array.astype(np.float64)).max())
            warn_user(f"onnx.export: output {k}, of dtype {FROM_NUMPY[wanted.dtype]!r}, differs in onnxruntime by up to "
                      f"{apart:.3g}")
