"""PyTorch's names for the graph: its nodes and edges, hooks on what nodes save, and hooks on several tensors."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any, Callable

from minigrad import _arrays
from minigrad._types.tensor_base import TensorBase
from minigrad.autograd.engine import OutputGradients, apply_rules, unbroadcast
from minigrad.autograd.grad_mode import decorate
from minigrad.autograd.hooks import accumulate_into_leaf, register_multi_grad_hook
from minigrad.autograd.observe import Observer, ObserverBlock
from minigrad.autograd.zero_derivative import connect
from minigrad.errors import ArgumentError, GraphError
from minigrad.recording.clock import tick
from minigrad.recording.graph import (
    AccumulateGrad,
    GradientEdge,
    Node,
    check_saved,
    get_gradient_edge,
    increment_version,
    observer,
    tensor_on_edge,
)

__all__ = ["GradientEdge", "Node", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks", "get_gradient_edge",
           "increment_version", "register_multi_grad_hook", "save_on_cpu", "saved_tensors_hooks"]

hooks_disabled: ContextVar[str | None] = ContextVar("refused", default=None)  # why hooks on saved tensors may not be used here


class saved_tensors_hooks(ObserverBlock):
    """Inside the block, what operations keep for their derivative goes through ``pack_hook(tensor)``, and comes back through
    ``unpack_hook(packed)`` when the derivative needs it.

    Use it to keep values elsewhere (on disk, in lower precision). The unpacked tensor must have the packed one's content and
    shape.
    """

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        super().__init__()
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def new_observer(self, before: Observer | None) -> Observer:
        if (message := hooks_disabled.get()) is not None:
            raise GraphError(message)
        return (before or Observer()).replace(hooks=(self.pack_hook, self.unpack_hook))


class disable_saved_tensors_hooks:
    """Inside the block (or the decorated function), entering :class:`saved_tensors_hooks` raises a ``RuntimeError`` with
    `error_message`; so does entering this block inside one of those."""

    def __init__(self, error_message: str) -> None:
        self.error_message = error_message
        self._tokens: list[Token[str | None]] = []

    def __enter__(self) -> None:
        watching = observer.get()
        if watching is not None and watching.hooks is not None:
            raise GraphError(self.error_message)
        self._tokens.append(hooks_disabled.set(self.error_message))

    def __exit__(self, *exc: object) -> None:
        hooks_disabled.reset(self._tokens.pop())

    def __call__(self, function: Any) -> Any:
        return decorate(lambda: disable_saved_tensors_hooks(self.error_message), function)


class allow_mutation_on_saved_tensors(ObserverBlock):
    """Inside the block, what operations keep for their derivative is a copy: the tensors may be written in place afterwards."""

    def new_observer(self, before: Observer | None) -> Observer:
        return (before or Observer()).replace(copies=True)


class save_on_cpu(saved_tensors_hooks):
    """Inside the block, what operations keep for their derivative is kept in host memory."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        def pack(t: Any) -> Any:
            return _arrays.device_of(t.array), tensor_on_edge(_arrays.to_numpy(t.array), None, type(t))

        def unpack(packed: Any) -> Any:
            device, t = packed
            return tensor_on_edge(_arrays.to_device(t.array, device), None, type(t))

        super().__init__(pack, unpack)


def call_node(node: Node, *grads: Any) -> Any:
    """The gradients of the inputs of `node`, given those of its results, as a backward pass computes them there. The last of
    those may be left out.

    One gradient comes by itself, several as a tuple. The node of a leaf adds what it is given to ``.grad``, and gives none.
    """
    several = bool(node.shape) and isinstance(node.shape[0], tuple)
    count = len(node.shape) if several else 1
    if len(grads) > count or all(g is None for g in grads):
        raise ArgumentError(f"{node.name()}: expected the gradient of its result, or of some of its {count}, got {len(grads)}")
    cls = TensorBase.result_class
    if isinstance(node, AccumulateGrad):
        accumulate_into_leaf(node.variable, grads[0], cls, set())
        return ()
    saved = node.as_tensors(check_saved(node), cls)
    g = OutputGradients((*grads, *[None] * (count - len(grads)))) if several else grads[0]
    since = tick()
    found = connect(node, saved, apply_rules(node, g, saved), since)
    shapes = [None if e is None else e.shape if isinstance(e, Node) else e.array.shape for e in node.inputs]
    found = tuple([g if g is None or shape in (None, g.shape) else unbroadcast(g, shape, node, k)
                   for k, (g, shape) in enumerate(zip(found, shapes))])
    return found[0] if len(found) == 1 else found


Node.__call__ = call_node  # type: ignore[method-assign]
