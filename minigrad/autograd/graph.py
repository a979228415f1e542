"""PyTorch's names for the graph: its nodes and edges, hooks on what nodes save, and hooks on several tensors."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any, Callable

from minigrad import _arrays
from minigrad.autograd.grad_mode import decorate
from minigrad.autograd.hooks import register_multi_grad_hook
from minigrad.autograd.observe import Observer, ObserverBlock
from minigrad.errors import GraphError
from minigrad.recording.graph import GradientEdge, Node, get_gradient_edge, increment_version, observer, tensor_on_edge

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
