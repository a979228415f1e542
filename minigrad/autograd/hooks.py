"""What happens to gradients on their way: hooks on tensors and nodes, ``retain_grad``, and the sum kept in ``.grad``."""

from __future__ import annotations

from typing import Any

from minigrad import backend
from minigrad.autograd.clock import ledger
from minigrad.autograd.graph import Node, TensorBase, tied
from minigrad.errors import ShapeError


def wrapped(g: Any, cls: type[TensorBase]) -> Any:
    """A gradient as hooks see it: tensors, whatever the pass computes with."""
    if isinstance(g, tuple):
        return tuple([wrapped(x, cls) for x in g])
    return g if g is None or isinstance(g, TensorBase) else tied(backend.as_array(g), None, cls)


def unwrapped(new: Any, like: Any) -> Any:
    """What a hook returned, as the pass computes with it."""
    if isinstance(new, tuple):
        return type(like)([unwrapped(n, o) for n, o in zip(new, like)])
    return new if new is None or isinstance(like, TensorBase) else new.array


def run_hooks(hooks: dict[int, Any], g: Any, cls: type[TensorBase]) -> Any:
    """Tensor hooks, in the order they were registered; each may return a gradient to take the place of `g`."""
    for hook in list(hooks.values()):
        seen = wrapped(g, cls)
        new = hook(seen)
        if new is not None:
            if tuple(new.shape) != tuple(seen.shape):
                raise ShapeError(f"hook {getattr(hook, '__name__', hook)!r} returned a gradient of shape {list(new.shape)} for "
                                 f"a tensor of shape {list(seen.shape)}; return None or a tensor of that shape")
            g = unwrapped(new, g) if not isinstance(g, TensorBase) else new
    return g


def before(node: Node, extras: Any, g: Any, cls: type[TensorBase]) -> Any:
    """What happens when a node's gradient is complete: hooks of its tensor, retain_grad, the node's pre-hooks."""
    if extras.tensor_hooks:
        g = run_hooks(extras.tensor_hooks, g, cls)
    tensor = extras.retains() if extras.retains is not None else None
    if tensor is not None:
        accumulate(tensor, g, cls, set())
    for hook in list(extras.pre_hooks.values()):
        seen = wrapped(g if isinstance(g, tuple) else (g,), cls)
        new = hook(seen)
        if new is not None:
            new = new if isinstance(new, tuple) else (new,)
            g = unwrapped(new, g) if isinstance(g, tuple) else unwrapped(new[0], g)
    return g


def after(extras: Any, grads: tuple[Any, ...], g: Any, cls: type[TensorBase]) -> tuple[Any, ...]:
    """The node's hooks, which see the gradients of its inputs and of its results."""
    for hook in list(extras.post_hooks.values()):
        new = hook(wrapped(grads, cls), wrapped(g if isinstance(g, tuple) else (g,), cls))
        if new is not None:
            new = new if isinstance(new, tuple) else (new,)
            grads = tuple([n if o is None else unwrapped(n, o) for n, o in zip(new, grads)])
    return grads


ACCUMULATION = "accumulation into .grad"  # what the ledger calls it


def own(g: Any, dtype: Any, given: set[int]) -> Any:
    """`g` as an array of `dtype` that no other tensor holds; `given` are the arrays handed out so far."""
    g = backend.as_array(g)
    if g.dtype is not dtype:
        g = (g.real if g.dtype.kind == "c" and dtype.kind != "c" else g).astype(dtype)
    if g.base is not None or id(g) in given:
        g = g.copy()
    given.add(id(g))
    return g


def accumulate(tensor: Any, g: Any, cls: type[TensorBase], given: set[int]) -> None:
    """Add `g` to ``tensor.grad``; two tensors never come to share one gradient array."""
    held = tensor._grad
    if isinstance(g, TensorBase):
        tensor._grad = g if held is None else held + g
    elif held is None:
        tensor._grad = tied(own(g, tensor.array.dtype, given), None, cls)
    elif held.node is not None:
        tensor._grad = held + tied(own(g, tensor.array.dtype, given), None, cls)
    else:
        held.array += g
        ledger.record(held.array, ACCUMULATION)
