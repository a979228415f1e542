"""What a recorded computation is made of: tensors, nodes, the edges between them, and one clock.

A :class:`Node` is one recorded operation. Its ``inputs`` are edges: each is the node that produced that input, the leaf
tensor itself, or None where no gradient is wanted. Edges point from a result to what it was computed from, never back, so
a graph holds no reference cycle and dies with its last tensor.

A node is stamped when it is made, a piece of memory each time it is written in place, by one clock
(:mod:`minigrad.recording.clock`). A node whose saved arrays carry a later stamp than its own would compute a wrong gradient, and
says so instead.
"""

from __future__ import annotations

import weakref
from contextvars import ContextVar, copy_context
from typing import Any, Callable, Iterable, Iterator, Mapping, NamedTuple, Self, Sequence, TypeVar

from minigrad._types.dtypes import DIFFERENTIABLE
from minigrad._types.tensor_base import LEAF, TensorBase
from minigrad.errors import ArgumentError, FreedGraphError, GraphError, InplaceError
from minigrad.recording.clock import ledger, source_line, tick, user_frame

R = TypeVar("R")

# Whether operations are recorded: False, True, or the Observer that sees each node when it is made. Each thread starts from
# the default.
grad_enabled: ContextVar[Any] = ContextVar("grad_enabled", default=True)
observer: ContextVar[Any] = ContextVar("observer", default=None)  # the Observer that recording has when it is on


class RecordingOff(tuple[Any, ...]):
    """The recording mode while recording is off. It is an empty tuple, so that it counts as False, and says what switched
    recording off.

    Tensors that are computed meanwhile, or cut from the graph, keep it in ``_off``, where
    :func:`~minigrad.autograd.explain.explain` finds it.
    """

    what: str  # "no_grad", "detach" ...
    code: Any
    lasti: int


def recording_off(what: str) -> RecordingOff:
    """The mode that says: `what` switched recording off, at the user's line which is running."""
    mode, frame = RecordingOff(), user_frame()
    mode.what, mode.code, mode.lasti = what, frame.f_code, frame.f_lasti
    return mode


def recording_mode(enabled: bool, what: str = "") -> Any:
    """The value of `grad_enabled` for recording that is on or off; `what` is what switches it off."""
    return (observer.get() or True) if enabled else recording_off(what) if what else False


def run_in_mode(mode: Any, function: Callable[..., R], *args: Any, **settings: Any) -> R:
    """Call `function` with `grad_enabled` set to `mode`, in a copy of the current context.

    The mode ends with the copy. Setting it and setting it back would leave it set if a Ctrl-C came in between.
    """
    context = copy_context()
    context.run(grad_enabled.set, mode)
    return context.run(function, *args, **settings)


class Node:
    """One recorded operation. It is the ``grad_fn`` of its result, and appears in ``next_functions`` and in hooks."""

    __slots__ = ("inputs", "saved", "settings", "stamp", "shape", "code", "lasti", "extras", "__weakref__")
    inputs: tuple[Any, ...]
    saved: Any  # a tuple of the arrays its rules name; after a backward pass, the Freed that says which
    settings: tuple[Any, ...]
    stamp: int
    shape: Any  # of the result
    code: Any  # with lasti: the user's source line that made it
    lasti: int
    extras: Extras | None

    op_name = ""
    arguments: tuple[str, ...] = ()
    results: Mapping[str, int] = {}  # the names of several results
    broadcasts = False
    holomorphic = True
    saved_from: tuple[int, ...] = ()  # for each saved array the input it is, -1 for the result, or -2 - k for result k of several
    # For each input, the places in saved of what its rule names; (): all, for each. None where the rules are not declared.
    named: tuple[tuple[int, ...], ...] | None = None
    connected = False  # whether each gradient depends, perhaps by zero, on every input

    @classmethod
    def make(cls, inputs: tuple[Any, ...], shape: Any, saved: Any = (), settings: tuple[Any, ...] = (), code: Any = None,
             lasti: int = 0) -> Self:
        """The node of an operation whose result is of `shape`; what is not given, it has not. The youngest there is.

        The generated call paths do the same without a call.
        """
        node = cls()
        node.inputs, node.saved, node.settings, node.shape = inputs, saved, settings, shape
        node.code, node.lasti, node.extras = code, lasti, None
        node.stamp = tick()
        return node

    def name(self) -> str:
        """PyTorch's name for it, such as ``MulBackward0``."""
        return type(self).__name__

    def backward(self, g: Any, saved: tuple[Any, ...]) -> tuple[Any, ...]:
        """The gradient of each input, given that of the result."""
        raise NotImplementedError

    __call__: Callable[..., Any]  # as PyTorch's nodes are called; :mod:`minigrad.autograd.graph` says how

    @property
    def grad_fn(self) -> Node:
        return self

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """The nodes of the inputs, each with the number of the output that was used."""
        return tuple(function_and_output(edge) for edge in self.inputs)

    @property
    def metadata(self) -> dict[str, Any]:
        """A dictionary for the user's own notes on this node."""
        return self.ensure_extras().metadata

    def ensure_extras(self) -> Extras:
        """The extras of this node, which are made when they are first asked for."""
        if self.extras is None:
            self.extras = Extras()
        return self.extras

    def register_hook(self, hook: Callable[[Any, Any], Any]) -> RemovableHandle:
        """Call ``hook(grad_inputs, grad_outputs)`` after this node ran; a returned tuple replaces `grad_inputs`."""
        return RemovableHandle(self.ensure_extras().post_hooks, hook)

    def register_prehook(self, hook: Callable[[Any], Any]) -> RemovableHandle:
        """Call ``hook(grad_outputs)`` before this node runs; a returned tuple replaces `grad_outputs`."""
        return RemovableHandle(self.ensure_extras().pre_hooks, hook)

    def _sequence_nr(self) -> int:
        """PyTorch's name for the stamp."""
        return self.stamp

    def source(self) -> str:
        """``file:line`` of the user's call that made this node."""
        return source_line(self.code, self.lasti)

    def as_tensors(self, saved: tuple[Any, ...], cls: type[TensorBase]) -> tuple[Any, ...]:
        """The saved arrays as tensors on the edges they came from, so that a rule can itself be differentiated."""
        return tuple([None if array is None else tensor_on_edge(array, self.edge_of_saved(k, array), cls)
                      for k, array in zip(self.saved_from, saved)])

    def edge_of_saved(self, k: int, array: Any) -> Any:
        """The edge of what stands as `k` in ``saved_from``, whose value is `array`."""
        return self.inputs[k] if k >= 0 else self if k == -1 else output_edge(self, -2 - k, array)

    def __getattr__(self, name: str) -> Any:
        # PyTorch's way to look at what is saved: node._saved_self, node._saved_result, node._saved_dim, node._raw_saved_other.
        raw, begins, what = name.partition("saved_")
        if begins and raw in ("_", "_raw_"):
            places = {"result": -1, "self": 0, **{name: -2 - k for name, k in self.results.items()},
                      **{name: k for k, name in enumerate(self.arguments)}}
            if places.get(what) in self.saved_from:
                k = self.saved_from.index(places[what])
                return SavedTensor(self, k) if raw == "_raw_" else self.as_tensors(check_saved(self), TensorBase.result_class)[k]
            info = getattr(type(self), "info", None)
            value = what.replace("self", self.arguments[0], 1) if what.startswith("self_") else what
            value = value.replace("_sym_sizes", "_shape")
            if info is not None and value in info.kept_values and raw == "_":
                return self.settings[info.kept_values.index(value)]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        first = f"{self.arguments[0]}_" if self.arguments else "_"
        settings = getattr(getattr(type(self), "info", None), "kept_values", ())
        names = {-1: "result", 0: "self", **{-2 - k: name for name, k in self.results.items()}}
        saved = [names.get(k) or self.arguments[k] for k in self.saved_from if k < len(self.arguments)]
        kept = [f"self_{s[len(first):]}" if s.startswith(first) else s for s in settings]
        return [*super().__dir__(), *[f"_saved_{name}" for name in (*saved, *[s.replace("_shape", "_sym_sizes") for s in kept])]]

    def __repr__(self) -> str:
        return f"<{self.name()}>"


class Port(Node):
    """One of several outputs of an operation. It runs no rule: it hands its gradient to the operation's node as that of output
    `index`."""

    __slots__ = ("index",)
    index: int

    def name(self) -> str:
        return self.grad_fn.name()

    @property
    def grad_fn(self) -> Node:
        node: Node = self.inputs[0]
        return node


class AccumulateGrad(Node):
    """What adds a gradient to ``variable.grad``: a leaf as ``next_functions`` shows it. Its hooks are kept on the leaf."""

    __slots__ = ("variable",)

    def __init__(self, variable: Any) -> None:
        self.variable = variable
        self.inputs = self.saved = self.settings = ()
        self.shape = variable.array.shape
        self.stamp, self.code, self.lasti = 0, None, 0

    @property
    def extras(self) -> Extras | None:
        found: Extras | None = self.variable.__dict__.get("_accumulation")
        return found

    @extras.setter
    def extras(self, value: Extras | None) -> None:
        self.variable._accumulation = value


class Extras:
    """What only few nodes have: hooks, the user's notes, and the tensor that retains its gradient."""

    __slots__ = ("pre_hooks", "post_hooks", "tensor_hooks", "retains", "metadata")

    def __init__(self) -> None:
        self.pre_hooks: dict[int, Any] = {}
        self.post_hooks: dict[int, Any] = {}
        self.tensor_hooks: dict[int, Any] = {}
        self.retains: weakref.ref[Any] | None = None
        self.metadata: dict[str, Any] = {}


class RemovableHandle:
    """What every ``register_*hook`` returns. Its ``remove()`` takes the hook away, and so does the end of a ``with`` block."""

    def __init__(self, hooks: dict[int, Any], hook: Any, front: bool = False, marks: Sequence[dict[int, Any]] = ()) -> None:
        self._hooks = hooks
        self._marks = marks  # dictionaries that say more of the hook, under its id
        self.id = tick()
        for mark in marks:
            mark[self.id] = True
        hooks[self.id] = hook
        if front:
            rest = [k for k in hooks if k != self.id]
            for k in rest:
                hooks[k] = hooks.pop(k)

    def hooks_dict_ref(self) -> dict[int, Any]:
        """The dictionary that the hook is registered in, by ``id``."""
        return self._hooks

    def remove(self) -> None:
        for registered in (self._hooks, *self._marks):
            registered.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


# ---------------------------------------------------------------------------------------------------- edges

def edge_of(t: Any) -> Any:
    """The edge along which a gradient of `t` flows: the node that made it, the leaf itself, or None if it requires no
    gradient."""
    return t if t.node is LEAF else t.node


class GradientEdge(NamedTuple):
    """A place in the graph that gradients flow to: output `output_nr` of `node`.

    :func:`~minigrad.autograd.grad` takes it in place of a tensor, which need not be kept alive then.
    """

    node: Node
    output_nr: int = 0
    ownership_token: Any = None  # keeps the graph alive, and here is the edge itself


def get_gradient_edge(tensor: Any) -> GradientEdge:
    """The place in the graph that the gradient of `tensor` flows to. Raises ``RuntimeError`` where it requires none."""
    edge = edge_of(tensor)
    if edge is None:
        raise GraphError("It is not possible to get the gradient edge for a Tensor that does not require gradients; create it "
                         "with requires_grad=True, or compute it from one that is")
    node, index = function_and_output(edge)
    assert node is not None
    return GradientEdge(node, index, edge)


def increment_version(tensor: Any) -> None:
    """Note that the memory of `tensor` (or of each of several) was written by means that autograd does not see."""
    for t in [tensor] if isinstance(tensor, TensorBase) else tensor:
        ledger.record(t.array, "increment_version")


def function_and_output(edge: Any) -> tuple[Node | None, int]:
    """An edge in the form that ``next_functions`` has: a node, and the number of its output."""
    if edge is None:
        return None, 0
    if isinstance(edge, TensorBase):
        return accumulator_of(edge), 0
    return edge.grad_fn, edge.index if isinstance(edge, Port) else 0


def accumulator_of(leaf: Any) -> AccumulateGrad:
    """The :class:`AccumulateGrad` of `leaf`. It is the same object for as long as someone holds it."""
    held = leaf.__dict__.get("_accumulator")
    node: AccumulateGrad | None = held() if held is not None else None
    if node is None:
        node = AccumulateGrad(leaf)
        leaf._accumulator = weakref.ref(node)
    return node


def tensor_on_edge(array: Any, edge: Any, cls: type[TensorBase]) -> Any:
    """`array` as a tensor whose gradient flows along `edge`."""
    if array is None:
        return None
    if isinstance(edge, TensorBase):
        if edge.array is array:
            return edge
        edge = new_alias(edge)  # a leaf whose array is another by now, or was packed
    if isinstance(array, tuple):  # the results of an operation that has several
        return tuple(tensor_on_edge(a, output_edge(edge, i, a), cls) for i, a in enumerate(array))
    t = object.__new__(cls)
    t.array = array
    t.node = edge
    return t


class AliasBackward0(Node):
    """A node that passes its gradient on unchanged."""

    __slots__ = ()

    def backward(self, g: Any, saved: tuple[Any, ...]) -> tuple[Any, ...]:
        return (g,)


def new_alias(leaf: Any) -> Node:
    """A node that stands for `leaf` where its value is held by another array than the leaf's own."""
    return AliasBackward0.make((leaf,), leaf.array.shape)


def output_edge(node: Node, index: int, array: Any) -> Port | None:
    """The edge of output `index` of `node`, whose value is `array`. Integers have none."""
    return new_port(node, index, array) if array.dtype.kind in DIFFERENTIABLE else None


def new_port(node: Node, index: int, array: Any) -> Port:
    """The node of output `index` of `node`, whose value is `array`."""
    port = Port.make((node,), array.shape, None, (), node.code, node.lasti)  # it saves nothing, not (), as it runs no rule
    port.index = index
    return port


# ---------------------------------------------------------------------------------------------------- what is kept, and freed

class FreedMark:
    """Takes the place of saved arrays that were freed, and remembers which call of backward freed them."""

    __slots__ = ("code", "lasti")

    def __init__(self, frame: Any) -> None:
        self.code, self.lasti = frame.f_code, frame.f_lasti


def saved_name(node: Node, k: int) -> str:
    """The words for what stands as `k` in ``saved_from``: an argument, the result, or one of several."""
    if k < 0:
        return next((f"its result '{name}'" for name, n in node.results.items() if k == -2 - n), "its result")
    return f"its argument '{node.arguments[k] if k < len(node.arguments) else k}'"


def check_saved(node: Node) -> tuple[Any, ...]:
    """The arrays that `node` saved. Raises if they were freed, or if their memory was written since."""
    saved: Any = node.saved
    if isinstance(saved, FreedMark):
        names = " and ".join(dict.fromkeys(saved_name(node, k) for k in node.saved_from))
        raise FreedGraphError(
            f"Trying to backward through the graph a second time (or to look at its saved tensors): {node.name()} "
            f"({node.op_name} at {node.source()}) had saved {names}, freed by the backward call at "
            f"{source_line(saved.code, saved.lasti)}. Specify retain_graph=True in that first call if you need the graph again.")
    for k, array in zip(node.saved_from, saved):
        for a in array if isinstance(array, tuple) else (array,):
            write = None if a is None else ledger.find_since(a, node.stamp)
            if write is not None:
                what = saved_name(node, k)
                fault = InplaceError(
                    f"one of the variables needed for gradient computation has been modified by an inplace operation: "
                    f"{node.name()} ({node.op_name} at {node.source()}) saved {what}, of shape {tuple(a.shape)}, which "
                    f"{write.op_name} at {source_line(write.code, write.lasti)} then changed (it is at version "
                    f"{write.count}). Use the out-of-place form there, or clone() the tensor before.")
                fault.write = write
                raise fault
    checked: tuple[Any, ...] = saved if saved.__class__ is tuple else unpack_saved(saved)
    return checked


class PackedSaved(tuple[Any, ...]):
    """The saved values of a node of which hooks have packed some: each of those is a :class:`PackedValue`."""

    __slots__ = ()


class PackedValue:
    """Takes the place of a saved array that a hook has packed. What it holds is the hook's affair."""

    __slots__ = ("unpack", "content")
    base = None  # as arrays have: no other array's memory

    def __init__(self, pack: Callable[[Any], Any], unpack: Callable[[Any], Any], array: Any, cls: type[TensorBase]) -> None:
        self.unpack = unpack
        t = tensor_on_edge(array, None, cls)
        before = ledger.find(array)
        count = 0 if before is None else before.count
        self.content = run_in_mode(False, pack, t)
        write = ledger.find(array)
        if write is not None and write.count != count:
            raise InplaceError(f"A saved tensor pack hook is modifying its input in place: {write.op_name} at "
                               f"{source_line(write.code, write.lasti)}. That tensor is the user's own; work on a clone() of it")

    def array(self) -> Any:
        """The array of the tensor that the unpack hook gives back."""
        t = self.unpack(self.content)
        if not isinstance(t, TensorBase):
            raise ArgumentError(f"Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
                                f"{type(t).__name__}")
        return t.array


def unpack_saved(saved: tuple[Any, ...]) -> tuple[Any, ...]:
    """Saved values with every packed one unpacked."""
    return tuple([s.array() if isinstance(s, PackedValue) else unpack_saved(s) if isinstance(s, tuple) else s for s in saved])


class SavedTensor:
    """One saved value of a node, as ``node._raw_saved_self`` gives it."""

    def __init__(self, node: Node, place: int) -> None:
        self.node, self.place = node, place

    def register_hooks(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        """Keep ``pack_hook(tensor)`` from now on, and get the tensor back by ``unpack_hook`` when the derivative needs it."""
        saved = check_saved(self.node)
        if isinstance(self.node.saved[self.place], PackedValue):
            raise GraphError("Calling register_hooks on a saved tensor whose hooks have already been set. Hint: only one pair of "
                             "hooks is allowed at a time.")
        new = PackedValue(pack_hook, unpack_hook, saved[self.place], TensorBase.result_class)
        self.node.saved = PackedSaved([new if k == self.place else s for k, s in enumerate(self.node.saved)])


def reachable_nodes(edges: Iterable[Any], since: int = 0) -> Iterator[Node]:
    """Yield each node that can be reached from `edges` through nodes made after `since`, once, in no particular order."""
    seen: set[Node] = set()
    stack = [e for e in edges if isinstance(e, Node) and e.stamp > since]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            yield node
            stack.extend(e for e in node.inputs if isinstance(e, Node) and e.stamp > since and e not in seen)
