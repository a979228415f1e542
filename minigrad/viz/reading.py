"""From what was recorded to the model of it: nodes become operations, tensors leaves, edges arrows.

:func:`read` takes a graph that exists, from its outputs down. :class:`Builder` adds one node at a time; the recorder
(:mod:`minigrad.viz.recorder`) lets it see each as it is made, with its result and its inputs.
"""

from __future__ import annotations

import ast
import functools
import inspect
import re
import weakref
from typing import Any, Iterable, Mapping

from minigrad import _arrays
from minigrad._types import dtypes
from minigrad._types.tensor_base import LEAF, TensorBase
from minigrad.autograd.explain import arrays_of
from minigrad.nn import Module, Parameter
from minigrad.recording import clock
from minigrad.recording.clock import ledger, memory_owner, user_frame
from minigrad.recording.graph import FreedMark, Node, Port, edge_of, reachable_nodes
from minigrad.viz.graph import Arrow, Graph, Leaf, Operation
from minigrad.viz.grouping import Span, group
from minigrad.viz.naming import Spot, Spots, kept_settings, operand_texts, operation_name, setting_text, shorten, sources_of
from minigrad.viz.statistics import describe


class Names:
    """What tensors are called: by the model, by the user, or by the variables of the caller.

    Args:
        model: a module, whose parameters and buffers have names; or None.
        given: the user's names, ``{"x": x}``.
        variables: the caller's variables, which name leaves that nothing else does.
    """

    def __init__(self, model: Any = None, given: Mapping[str, Any] | None = None,
                 variables: Mapping[str, Any] | None = None) -> None:
        self.modules: dict[str, Any] = {}  # by path
        self.by_tensor: dict[int, list[str]] = {}
        self.kinds: dict[int, str] = {}
        self.held: dict[int, Any] = {}  # by the memory of a tensor that requires no gradient, which no edge leads to
        if model is not None:
            self.add_model(model)
        for name, tensor in (given or {}).items():
            if isinstance(tensor, TensorBase):
                self.add(name, tensor, kind_of(tensor), first=True)
        for name, value in (variables or {}).items():
            if isinstance(value, TensorBase) and id(value) not in self.by_tensor and not name.startswith("_"):
                self.add(name, value, kind_of(value))

    def add_model(self, model: Any, prefix: str = "") -> None:
        """Note the names of a model's modules, parameters and buffers, each after `prefix`."""
        self.modules.update(model.named_modules(prefix=prefix, remove_duplicate=False))
        for name, tensor in model.named_parameters(prefix, remove_duplicate=False):
            self.add(name, tensor, "parameter" if tensor.requires_grad else "frozen")
        for name, tensor in model.named_buffers(prefix, remove_duplicate=False):
            self.add(name, tensor, "buffer")

    def add(self, name: str, tensor: Any, kind: str, first: bool = False) -> None:
        """Note that `tensor` is called `name` too."""
        names = self.by_tensor.setdefault(id(tensor), [])
        if name not in names:
            names.insert(0 if first else len(names), name)
        self.kinds.setdefault(id(tensor), kind)
        if tensor.node is None:
            self.held.setdefault(id(memory_owner(tensor.array)), tensor)

    def paths(self) -> dict[int, str]:
        """The path of each module, by its identity; a layer by itself, which is its own group, is called what its class is."""
        if len(self.modules) == 1:
            return {id(module): type(module).__name__ for module in self.modules.values()}
        return {id(module): path for path, module in reversed(self.modules.items())}

    def holder(self, array: Any) -> Any:
        """The named tensor that holds `array`, or all of the memory that it is a view of; or None."""
        found = self.held.get(id(memory_owner(array)))
        return found if found is not None and found.array.size == array.size else None


def kind_of(tensor: Any) -> str:
    """What kind of leaf a tensor is; of one that is computed, it says nothing."""
    if isinstance(tensor, Parameter):
        return "parameter" if tensor.requires_grad else "frozen"
    return "constant" if tensor.node is None else "leaf"


class Builder:
    """Makes a :class:`~minigrad.viz.graph.Graph`, one node at a time, the older first."""

    def __init__(self, names: Names, of_node: Any) -> None:
        self.names, self.of_node = names, of_node
        self.graph = Graph()
        self.spots = Spots()
        self.spot_of: dict[str, Spot] = {}  # by the id of the operation
        self.of_leaf: dict[int, str] = {}  # by the identity of the tensor, or of the array of one that requires no gradient
        self.kept_alive: list[Any] = []  # the tensors that those identities belong to
        self.of_array: dict[int, tuple[Any, str]] = {}  # what made an array that lives: a reference to it, and the id
        self.arrow_of: dict[tuple[str, int], Arrow] = {}  # by operation and number of its input
        self.counted: set[int] = set()  # memory that has been counted as kept

    def add_operation(self, node: Any, result: Any = None, inputs: tuple[Any, ...] | None = None) -> Operation:
        """Add a node, and arrows from what it was computed from; `result` and `inputs` are arrays, where they are known."""
        op = Operation(f"o{len(self.graph.operations)}", operation_name(node), node.name(), node.stamp)
        self.graph.operations[op.id] = op
        self.of_node[node] = op.id
        if op.node not in self.graph.sources:
            self.graph.sources[op.node] = sources_of(node)
        spot = self.spots.at(node.code, node.lasti)
        self.spot_of[op.id] = spot
        op.line, op.code = spot.line, spot.text
        op.settings = dict(kept_settings(node, spot))
        shape = for_callers(node, node.shape) if node.shape and isinstance(node.shape[0], tuple) else node.shape
        op.shape = [list(s) for s in shape] if shape and isinstance(shape[0], tuple) else list(shape)
        self.note_kept(op, node)
        saved = saved_arrays(node)
        result = saved.get(-1) if result is None else for_callers(node, result) if isinstance(result, tuple) else result
        if result is not None and not isinstance(result, tuple):
            op.dtype, op.value = dtype_text(result), describe(result)
        elif result:
            op.dtype = dtype_text(result[0])
        for k, edge in enumerate(node.inputs):
            array = inputs[k] if inputs is not None and k < len(inputs) else saved.get(k)
            self.add_arrow(op, node, k, edge, array if _arrays.is_array(array) else None)
        return op

    def add_arrow(self, op: Operation, node: Any, k: int, edge: Any, array: Any) -> None:
        """Add the arrow of input `k` of a node, whose value is `array` if that is known."""
        argument = argument_name(node, k)
        if edge is None:
            source = self.constant(op, node, k, argument, array)
            if source:
                self.graph.arrows.append(Arrow(source, op.id, argument, list(array.shape) if array is not None else []))
            return
        if isinstance(edge, Node):
            maker = edge.grad_fn
            source = self.of_node.get(maker)
            if source is None:  # made before the recording began, or by nothing that computes
                source = self.leaf_of_node(maker, edge.shape)
            elif array is not None:
                self.note_value(self.graph.operations.get(source), array)
            shape = list(edge.shape)
        else:
            source, shape = self.leaf(edge), list(edge.array.shape)
        arrow = self.arrow_of[op.id, k] = Arrow(source, op.id, argument, shape)
        self.graph.arrows.append(arrow)

    def note_value(self, op: Operation | None, array: Any) -> None:
        """Note the value of an operation's result, which one that reads it kept."""
        if op is not None and op.value is None and list(array.shape) == op.shape:
            op.dtype, op.value = dtype_text(array), describe(array)

    def note_kept(self, op: Operation, node: Any) -> None:
        """Note what a node keeps for its derivative; memory that an earlier one keeps, or a leaf holds, counts as nothing."""
        if node.saved.__class__ is not tuple and not isinstance(node.saved, tuple):
            return
        for edge in node.inputs:
            if isinstance(edge, TensorBase) and edge.node is LEAF:
                self.counted.add(id(memory_owner(edge.array)))
        for array in arrays_of(node.saved):
            owner = memory_owner(array)
            if id(owner) not in self.counted and self.names.holder(array) is None:
                self.counted.add(id(owner))
                op.kept += owner.nbytes
        op.keeps = [argument_name(node, k) if k >= 0 else "result" for k, a in zip(node.saved_from, node.saved) if a is not None]

    def leaf(self, tensor: Any) -> str:
        """The id of the leaf for a tensor that requires a gradient, or has a name."""
        found = self.of_leaf.get(id(tensor))
        if found is None:
            names, kinds = self.names.by_tensor, self.names.kinds
            found = self.add_leaf(tensor, names.get(id(tensor), []), kinds.get(id(tensor), kind_of(tensor)))
        return found

    def leaf_of_node(self, node: Any, shape: Any) -> str:
        """The id of the leaf for what an operation made that is not shown."""
        found = self.of_leaf.get(id(node))
        if found is None:
            leaf = Leaf(f"l{len(self.graph.leaves)}", [f"{operation_name(node)} before"], "leaf", shape=list(shape))
            found = self.of_leaf[id(node)] = leaf.id
            self.graph.leaves[leaf.id] = leaf
            self.kept_alive.append(node)
        return found

    def constant(self, op: Operation, node: Any, k: int, argument: str, array: Any) -> str:
        """The id of the leaf for an input that requires no gradient; nothing for a number, which becomes a setting."""
        written = operand_texts(node, self.spots.at(node.code, node.lasti))
        text = written[k] if written else ""
        if array is None:
            if is_literal(text):
                op.settings.setdefault(argument, text)
                return ""
            if not text and k > 0:
                return ""  # nothing is known: it may be a number, or an argument left out
            leaf = Leaf(f"l{len(self.graph.leaves)}", [shorten(text)] if text else [], "constant")
            self.graph.leaves[leaf.id] = leaf
            return leaf.id
        holder = self.names.holder(array)
        if holder is None and array.ndim == 0:
            op.settings.setdefault(argument, text if is_literal(text) else setting_text(array.item()))
            return ""
        if holder is not None:
            return self.leaf(holder)
        return self.maker_of(array) or self.add_leaf(array, [text] if text.isidentifier() else [], "constant")

    def maker_of(self, array: Any) -> str:
        """The id of what made `array`, or of the leaf that it is; nothing for one that has not been met."""
        return self.of_array[id(array)][1] if id(array) in self.of_array else ""

    def note_array(self, array: Any, id_: str) -> None:
        """Note what made `array`, for as long as that lives."""
        key = id(array)
        try:
            self.of_array[key] = weakref.ref(array, lambda _: self.of_array.pop(key, None)), id_
        except TypeError:  # an array of a library that does not allow it
            self.of_array[key] = array, id_

    def add_leaf(self, thing: Any, names: Iterable[str], kind: str) -> str:
        """Add the leaf for a tensor, or for an array that no tensor is known for."""
        array = thing.array if isinstance(thing, TensorBase) else thing
        leaf = Leaf(f"l{len(self.graph.leaves)}", list(names), kind, shape=list(array.shape), dtype=dtype_text(array),
                    value=describe(array))
        self.graph.leaves[leaf.id] = leaf
        if thing is array:
            self.note_array(array, leaf.id)
        else:
            self.of_leaf[id(thing)] = leaf.id
            self.kept_alive.append(thing)
        return leaf.id

    def add_outputs(self, outputs: list[Any]) -> None:
        """Add what the computation gave, each with an arrow from the operation that made it."""
        for k, t in enumerate(outputs):
            names = self.names.by_tensor.get(id(t)) or ["output" if len(outputs) == 1 else f"output {k}"]
            leaf = Leaf(f"l{len(self.graph.leaves)}", names, "output", shape=list(t.array.shape), dtype=dtype_text(t.array),
                        value=describe(t.array))
            edge = edge_of(t)
            source = None if edge is None else self.leaf(edge) if isinstance(edge, TensorBase) else self.of_node.get(edge.grad_fn)
            self.graph.leaves[leaf.id] = leaf
            if source is not None:
                self.graph.arrows.append(Arrow(source, leaf.id, "", list(t.array.shape)))
                made = self.graph.operations.get(source)
                self.note_value(made, t.array)

    def note_gradients(self) -> None:
        """Note the gradients that tensors hold by now."""
        for thing in self.kept_alive:
            leaf = self.graph.leaves.get(self.of_leaf[id(thing)])
            grad = getattr(thing, "_grad", None)
            if leaf is not None and isinstance(thing, TensorBase) and grad is not None:
                leaf.gradient = describe(grad.array)


@functools.lru_cache(maxsize=1024)
def is_literal(text: str) -> bool:
    """Whether the text of an expression is that of a number."""
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError):
        return False
    names = {x.id for x in ast.walk(tree) if isinstance(x, ast.Name)}
    numbers = any(isinstance(x, ast.Constant) for x in ast.walk(tree))
    return bool(text) and numbers and names <= {"float", "int", "math", "inf", "nan"}


def argument_name(node: Any, k: int) -> str:
    """The name of input `k` of a node; nothing for a user's own Function, and of one argument."""
    info = getattr(type(node), "info", None)
    if info is not None and info.variadic:
        return f"{node.arguments[0]}[{k}]"
    return node.arguments[k] if k < len(node.arguments) else ""


def for_callers(node: Any, results: tuple[Any, ...]) -> Any:
    """What is there for each of several results, without those that are there for rules alone; of one, what is its own."""
    info = getattr(type(node), "info", None)
    inner = [info.results[name] for name in info.wide] if info is not None else []
    shown = tuple([x for k, x in enumerate(results) if k not in inner])
    return shown[0] if inner and len(shown) == 1 else shown


def saved_arrays(node: Any) -> dict[int, Any]:
    """What a node has saved, by the number of the input, or -1 for the result; nothing that was freed or written to since."""
    saved = node.saved
    if isinstance(saved, FreedMark) or saved.__class__ is not tuple:
        return {}
    return {k: a for k, a in zip(node.saved_from, saved) if k >= -1 and _arrays.is_array(a)
            and (ledger.last < node.stamp or ledger.find_since(a, node.stamp) is None)}


def dtype_text(array: Any) -> str:
    """The name of an array's dtype."""
    return dtypes.as_dtype(array.dtype).name


def read(outputs: list[Any], names: Names) -> Graph:
    """The graph below `outputs`, with the values that nodes still keep and the gradients that leaves hold."""
    builder = Builder(names, {})
    nodes = [n for n in reachable_nodes([edge_of(t) for t in outputs]) if not isinstance(n, Port)]
    nodes.sort(key=lambda node: node.stamp)
    for node in nodes:
        builder.add_operation(node)
    builder.add_outputs(outputs)
    return finish(builder, spans_of(names))


def finish(builder: Builder, spans: Iterable[Span]) -> Graph:
    """Name, number and group what a builder has gathered."""
    graph = builder.graph
    builder.note_gradients()
    for place, op in enumerate(sorted(graph.operations.values(), key=lambda op: -op.stamp)):
        op.order = place if op.order is None else op.order
    mark_nonfinite(graph)
    graph.peak = sum(op.kept for op in graph.operations.values())
    group(graph, spans, builder.spot_of)
    return graph


def mark_nonfinite(graph: Graph) -> None:
    """Mark the operations that make a NaN or an infinity from finite numbers, going forward or in the backward pass."""
    read: dict[str, list[Any]] = {}
    sent: dict[str, list[Any]] = {}
    for arrow in graph.arrows:
        read.setdefault(arrow.target, []).append(graph[arrow.source])
        sent.setdefault(arrow.target, []).append(arrow.gradient)
    for op in graph.operations.values():
        asked = any("inf" in text or "nan" in text for text in op.settings.values())  # masked_fill(mask, -inf) means it
        if not asked and op.value is not None and op.value.nonfinite and all(
                x.value is not None and not x.value.nonfinite for x in read.get(op.id, ())):
            op.nonfinite = "value"
        elif op.gradient is not None and not op.gradient.nonfinite and any(
                g is not None and g.nonfinite for g in sent.get(op.id, ())):
            op.nonfinite = "gradient"


def spans_of(names: Names) -> list[Span]:
    """The calls of the named modules that are remembered, and the backward passes that were recorded."""
    paths, modules = names.paths(), {id(module): module for module in names.modules.values()}
    return [*[span_of(modules[who], paths[who], start, end) for start, end, who in clock.calls.copy() if paths.get(who)],
            *passes_since(0)]


def passes_since(stamp: int) -> list[Span]:
    """The backward passes that were recorded after the time `stamp`."""
    return [Span(start, end, derivative=order) for start, end, order in clock.passes.copy() if start > stamp]


def span_of(module: Any, path: str, start: int, end: int) -> Span:
    """A call of the module that is called `path`."""
    kind = type(module)
    return Span(start, end, path, kind.__name__, extra_of(module), kind.__module__.startswith("minigrad.nn."))


def extra_of(module: Any) -> str:
    """The settings of a module as its repr shows them, without those that are as they are where nobody says otherwise."""
    kind: Any = type(module)
    try:
        text = module.extra_repr() if isinstance(module, Module) else ""
        defaults = defaults_of(kind)
    except Exception:  # an extra_repr of the user's that fails
        return ""
    parts = [part.partition("=") for part in re.split(r",\s*(?=\w+=)", text)]
    return shorten(", ".join("".join(part) for part in parts if part[2] not in defaults.get(part[0], ())))


@functools.cache
def defaults_of(module: type) -> dict[str, tuple[str, ...]]:
    """How a repr may show the default of each parameter of a module: as it is, or once for each dimension."""
    given = inspect.signature(module.__init__).parameters.values()  # type: ignore[misc]
    return {p.name: (str(p.default), repr(p.default), *[repr((p.default,) * n) for n in (1, 2, 3)])
            for p in given if p.default is not p.empty}


def caller_variables() -> dict[str, Any]:
    """The variables of the innermost function of the user's that is running, and those of its module."""
    frame = user_frame()
    return {**frame.f_globals, **frame.f_locals}

