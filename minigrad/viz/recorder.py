"""Watching a computation as it happens: values, gradients, times, and where it fails.

While a :class:`record` block lasts, an observer sees each operation when it is recorded and each node when the backward pass has
run it, and hooks see the calls of modules. They keep numbers, not arrays. Outside of such a block nothing is watched, and nothing
costs anything.
"""

from __future__ import annotations

import inspect
import weakref
from dataclasses import replace
from threading import RLock, get_ident
from time import perf_counter
from typing import Any, Mapping

from minigrad import _arrays
from minigrad._pytree import tree_leaves
from minigrad._types.tensor_base import LEAF, TensorBase, unwrap
from minigrad.autograd.observe import Observer, ObserverBlock
from minigrad.errors import ArgumentError, InplaceError, StateError
from minigrad.nn import Module
from minigrad.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from minigrad.recording.clock import is_package_file, source_line, tick
from minigrad.recording.graph import Node, Port
from minigrad.viz.drawing import Drawing
from minigrad.viz.graph import Arrow, Graph, Operation
from minigrad.viz.grouping import Span
from minigrad.viz.naming import Spots, public_function, shorten
from minigrad.viz.reading import Builder, Names, caller_variables, dtype_text, finish, passes_since, span_of
from minigrad.viz.statistics import describe

__all__ = ["record"]


class Recorder(Observer):
    """Sees the nodes that are made, and those that a backward pass has run; so does the recorder of an outer block."""

    def __init__(self, builder: Builder, outer: Observer | None) -> None:
        super().__init__()
        if outer is not None:
            self.__dict__.update({name: value for name, value in outer.__dict__.items() if name in self.__dict__})
        self.outer = outer if isinstance(outer, Recorder) else None
        self.builder = builder
        self.lock = RLock()  # the threads of DataParallel record together
        self.last = [perf_counter()]
        self.steps = [0]  # backward steps so far; lists, because an observer inside this one is a copy of it
        self.sent: dict[int, tuple[Any, Any]] = {}  # gradients on their way, by identity: the array and its statistics

    def observe(self, node: Any, result: Any, inputs: tuple[Any, ...], cls: type[TensorBase]) -> None:
        self.note_forward(node, result, inputs)
        super().observe(node, result, inputs, cls)

    def check_backward(self, node: Node, g: Any, saved: tuple[Any, ...], grads: tuple[Any, ...]) -> None:
        self.note_backward(node, g, grads)
        super().check_backward(node, g, saved, grads)

    def note_forward(self, node: Any, result: Any, inputs: tuple[Any, ...]) -> None:
        """Add a node that has just been made."""
        if self.outer is not None:
            self.outer.note_forward(node, result, inputs)
        with self.lock:
            seconds = perf_counter() - self.last[0]
            op = self.builder.add_operation(node, result, inputs)
            op.seconds = seconds
            for array in result if isinstance(result, tuple) else (result,):
                self.builder.note_array(array, op.id)
            self.last[0] = perf_counter()

    def note_backward(self, node: Node, g: Any, grads: tuple[Any, ...]) -> None:
        """Note what a node that has just run received and sent."""
        if self.outer is not None:
            self.outer.note_backward(node, g, grads)
        with self.lock:
            seconds = perf_counter() - self.last[0]
            op = self.builder.graph.operations.get(self.builder.of_node.get(node, ""))
            if op is not None:
                op.backward_seconds, op.order = seconds, self.steps[0]
                self.steps[0] += 1
                arrived = next((x for x in g if x is not None), None) if isinstance(g, tuple) else g
                op.gradient = None if arrived is None else self.describe_arrived(arrived)
                for k, (edge, grad) in enumerate(zip(node.inputs, grads)):
                    arrow = self.builder.arrow_of.get((op.id, k))
                    if arrow is not None and edge is not None and grad is not None:
                        arrow.gradient = self.describe_sent(unwrap(grad))
            self.last[0] = perf_counter()

    def describe_sent(self, array: Any) -> Any:
        """The statistics of a gradient that a node sends on."""
        found = describe(_arrays.as_array(array))  # a rule may give one of NumPy's numbers
        self.sent[id(array)] = array, found
        return found

    def describe_arrived(self, g: Any) -> Any:
        """The statistics of a gradient that has arrived at a node: often the very array that another node has sent."""
        array = unwrap(g)
        held = self.sent.pop(id(array), None)
        return held[1] if held is not None else describe(_arrays.as_array(array))


class record(ObserverBlock):
    """Inside the block, what is computed is recorded for a drawing, with its values, gradients and times.

    Args:
        model: a module; its parameters get their names, and each call of its submodules a frame.
        params: names for further tensors, ``{"x": x}``.

    After the block, or after the error that ended it, ``graph`` is the model of what was computed, and :meth:`draw` a
    :class:`~minigrad.viz.Drawing` of it. An operation that failed is in it, with what was raised. Statistics are kept, no arrays:
    about 10 kB for each operation, so a training loop of a thousand steps fits, and is drawn as one step times 1,000.

    Of an operation that several backward passes run, the last is shown; a leaf has what its ``.grad`` then holds. Under
    ``no_grad`` only the calls of modules are seen, and of other threads nothing. A block may stand in another; both record.

    >>> import minigrad as mg
    >>> from minigrad import nn, viz
    >>> model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    >>> with viz.record(model) as recording:
    ...     loss = model(mg.ones(5, 3)).sum()
    ...     loss.backward()
    >>> [op.name for op in recording.graph.operations.values()]
    ['linear', 'relu', 'linear', 'sum']
    >>> recording.graph.operations["o3"].gradient.value
    1.0
    """

    def __init__(self, model: Any = None, params: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        if model is not None and not isinstance(model, Module):
            raise ArgumentError(f"record(): argument 'model' must be a Module, not {type(model).__name__}; without one, "
                                "viz.record() records what any code computes")
        self.model, self.params = model, params
        self.failure: BaseException | None = None
        self.handles: list[Any] = []

    def new_observer(self, before: Observer | None) -> Observer:
        self.recorder = Recorder(self.builder, before)
        return self.recorder

    def __enter__(self) -> record:
        if self.handles:
            raise StateError("record(): this recording is already running; `with viz.record(...) as another:` begins another, "
                             "also inside of it")
        self.names = Names(self.model, self.params, caller_variables())
        self.builder = Builder(self.names, weakref.WeakKeyDictionary())
        self.paths = self.names.paths()
        self.spans: list[Span] = []
        self.running: list[tuple[Any, Span, int]] = []
        self.thread = get_ident()
        self.began = tick()
        self.finished: Graph | None = None
        self.failure = None
        self.handles = [register_module_forward_pre_hook(self.begin_module),
                        register_module_forward_hook(self.end_module, always_call=True)]
        super().__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        while self.handles:
            self.handles.pop().remove()
        if exc and isinstance(exc[1], BaseException):
            self.failure = exc[1]
        super().__exit__(*exc)
        if isinstance(self.failure, Exception):
            add_failure(self.builder, self.failure)
        self.recorder.sent.clear()
        self.finished = self.finish()

    @property
    def graph(self) -> Graph:
        """The model of what has been computed so far."""
        return self.finish() if self.finished is None else self.finished

    def finish(self) -> Graph:
        """Make the graph of what the builder has gathered."""
        now = tick()
        last = max((op.stamp for op in self.builder.graph.operations.values() if not op.failure), default=0)
        running = [replace(s, end=s.end if 0 < s.end < last else now) for _, s, _ in self.running
                   if s.path]  # those that have raised hold what did, unless the user went on
        spans = [*passes_since(self.began), *self.spans, *running]
        graph = finish(self.builder, spans)
        graph.title = type(self.model).__name__ if self.model is not None else ""
        return graph

    def draw(self, path: Any = None, **options: Any) -> Drawing:
        """A drawing of what was recorded; `path` and `options` are those of :func:`~minigrad.viz.draw`."""
        drawing = Drawing(self.graph, **options)
        if path is not None:
            drawing.save(path)
        return drawing

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self.draw()._repr_mimebundle_(include, exclude)

    def begin_module(self, module: Any, inputs: Any) -> None:
        """Note that a module has been called."""
        if get_ident() != self.thread:
            return
        if self.model is None and id(module) not in self.paths and not self.running:
            self.add_model(module)
        path = self.paths.get(id(module))
        if path is not None:
            self.running.append((module, span_of(module, path, tick(), 0), len(self.builder.graph.operations)))

    def add_model(self, module: Any) -> None:
        """Name a module that is called where no model was given, and what is in it, after the caller's variable or its class."""
        found = next((name for name, value in caller_variables().items() if value is module), type(module).__name__)
        again = sum(path.partition(".")[0].partition(" ")[0] == found and "." not in path for path in self.names.modules)
        self.names.add_model(module, f"{found} {again + 1}" if again else found)
        for path, part in self.names.modules.items():
            self.paths.setdefault(id(part), path)

    def end_module(self, module: Any, inputs: Any, output: Any) -> None:
        """Note that the call of a module has ended; one that recorded nothing becomes one box."""
        at = next((k for k in reversed(range(len(self.running))) if self.running[k][0] is module), None)
        if at is None or get_ident() != self.thread:
            return
        _, span, before = self.running[at]
        span.end = tick()
        if output is None:  # it has raised
            return
        del self.running[at:]
        if len(self.builder.graph.operations) == before:
            self.add_opaque(module, inputs, output)
            span.end = tick()
        if span.path:
            self.spans.append(span)

    def add_opaque(self, module: Any, inputs: Any, output: Any) -> None:
        """Add the call of a module in which nothing was recorded, because nothing in it requires a gradient."""
        results = [t for t in tree_leaves(output) if isinstance(t, TensorBase)]
        given = [t for t in tree_leaves(inputs) if isinstance(t, TensorBase)]
        if not results or any(r is t for r in results for t in given):
            return
        builder = self.builder
        first = results[0].array
        op = Operation(f"o{len(builder.graph.operations)}", type(module).__name__, "", tick(), shape=list(first.shape),
                       dtype=dtype_text(first), value=describe(first))
        builder.graph.operations[op.id] = op
        for t in [*given, *module.parameters(recurse=False), *module.buffers(recurse=False)]:
            builder.graph.arrows.append(Arrow(source_of_tensor(builder, t), op.id, "", list(t.array.shape)))
        for t in results:
            builder.note_array(t.array, op.id)


def source_of_tensor(builder: Builder, t: Any) -> str:
    """The id of what made a tensor, or of the leaf that it is."""
    if isinstance(t.node, Node):
        node = t.node.grad_fn
        return builder.of_node.get(node) or builder.leaf_of_node(node, t.array.shape)
    if t.node is LEAF:
        return builder.leaf(t)
    named = builder.names.holder(t.array)
    if named is None:
        return builder.maker_of(t.array) or builder.add_leaf(t.array, [], "constant")
    return builder.leaf(named)


# ---------------------------------------------------------------------------------------------------- failures

def add_failure(builder: Builder, error: Exception) -> None:
    """Mark the operation that failed, or add it: in a backward pass the node that was running, else what the user's innermost
    line called, with the tensors it was given."""
    message = f"{type(error).__name__}: {error}"
    builder.graph.failure = message
    frames = []
    traceback = error.__traceback__
    while traceback is not None:
        frames.append((traceback.tb_frame, traceback.tb_lasti))
        traceback = traceback.tb_next
    running = [f.f_locals.get("node") for f, _ in reversed(frames) if is_engine(f)]
    node = next((n for n in running if isinstance(n, Node)), None)
    failed = builder.graph.operations.get(builder.of_node.get(node.grad_fn if isinstance(node, Port) else node, "")) \
        if node is not None else None
    if failed is not None:
        failed.failure = message
        if isinstance(error, InplaceError) and error.write is not None:
            add_write(builder, failed, error.write)
        return
    at = max((k for k, (f, _) in enumerate(frames) if not is_package_file(f.f_code.co_filename)), default=None)
    if at is None:
        return
    frame, lasti = frames[at]
    spot = Spots().at(frame.f_code, lasti)
    called = called_by([f for f, _ in frames[at + 1:]], spot.called)
    known = public_function(spot.called) is not None
    name = spot.called if known else called.f_code.co_name if called is not None else spot.called or shorten(spot.text, 30)
    if any(isinstance(f.f_locals.get("self"), Observer) for f, _ in frames) and builder.graph.operations:
        builder.graph.operations[f"o{len(builder.graph.operations) - 1}"].failure = message  # what it computed was refused
        return
    op = new_operation(builder, name, spot.line, spot.text, message)
    op.settings = dict(spot.settings)
    for argument, value in tensors_given(called or frame, spot.text if called is None else ""):
        source = source_of_tensor(builder, value)
        builder.graph.arrows.append(Arrow(source, op.id, argument, list(value.array.shape)))


def called_by(frames: list[Any], name: str) -> Any:
    """Of the frames below the user's innermost the one that was given the tensors of what failed: that of the last operation that
    was called, or, where the fault was found before there was one, of the function that the user called by `name`."""
    named = [f for f in frames if f.f_code.co_name == name]
    operations = [f for f in frames if "<generated " in f.f_code.co_filename]
    return next(iter([*operations[-1:], *named, *frames]), None)


def is_engine(frame: Any) -> bool:
    """Whether a frame is one of the backward pass, whose variable ``node`` is the node that runs."""
    return str(frame.f_globals.get("__name__", "")) == "minigrad.autograd.engine"


def tensors_given(frame: Any, text: str) -> list[tuple[str, Any]]:
    """The tensors that a call was given, by name: those among its parameters, or those whose names stand in the `text` of the
    expression that failed."""
    code = frame.f_code
    values = dict(frame.f_locals)
    if text:
        names = [name for name in values if name in text.replace("(", " ").replace(")", " ").replace(",", " ").split()]
    else:
        starred = bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
        names = list(code.co_varnames[:code.co_argcount + code.co_kwonlyargcount + starred])
    found = []
    for name in names:
        leaves = tree_leaves(values.get(name))
        found += [(name if len(leaves) == 1 else f"{name}[{k}]", x) for k, x in enumerate(leaves) if isinstance(x, TensorBase)]
    return [(name, t) for name, t in found if name != "self" or not isinstance(t, Module)]


def add_write(builder: Builder, failed: Operation, write: Any) -> None:
    """Add the write in place that changed what `failed` had kept, with an arrow to it."""
    line, said = source_line(write.code, write.lasti), f"changed in place what {failed.name} had kept"
    op = next((o for o in builder.graph.operations.values()
               if o.line == line and write.op_name in (o.name, f"{o.name}_", builder.spot_of[o.id].called)), None)
    if op is None:
        op = new_operation(builder, write.op_name, line, "", said)
    op.failure = said
    builder.graph.arrows.append(Arrow(op.id, failed.id, "changes what this kept", []))


def new_operation(builder: Builder, name: str, line: str, code: str, failure: str) -> Operation:
    """An operation that is in no graph, because it failed, or only wrote."""
    op = Operation(f"o{len(builder.graph.operations)}", name, "", tick(), line=line, code=code, failure=failure)
    builder.graph.operations[op.id] = op
    return op

