"""What happens to gradients on their way: hooks on tensors and nodes, ``retain_grad``, and the sum kept in ``.grad``."""

from __future__ import annotations

import sys
from contextvars import ContextVar
from functools import partial
from typing import Any, Callable, Sequence

import numpy as np

from minigrad._types.layouts import in_order, order_of_gradient
from minigrad._types.tensor_base import TensorBase
from minigrad.errors import ArgumentError, DtypeError, GraphError, InvalidValueError, ShapeError
from minigrad.ops.copying import clone
from minigrad.ops.shaping.shape import copy_in_order, laid_out
from minigrad.recording import clock
from minigrad.recording.argument_errors import dtype_name
from minigrad.recording.call import unwrap_result
from minigrad.recording.device_guard import guard_device
from minigrad.recording.graph import tensor_on_edge
from minigrad.recording.inplace import refuse_read_only

# For the backward pass that is running: what is to be called at its end with which gradients, by the hook's own key; and, by
# None, the identities of the arrays that users have been shown, and may keep.
pass_end: ContextVar[Any] = ContextVar("pass_end", default=None)


def note_shown(array: Any) -> None:
    """Note that users may keep `array`. It then never becomes a ``.grad``, because later passes add to that in place."""
    calls = pass_end.get()
    if calls is not None:
        calls.setdefault(None, set()).add(id(array))


def wrap_gradient(g: Any, cls: type[TensorBase]) -> Any:
    """A gradient as users see it: as a tensor, whatever the pass computes with."""
    if isinstance(g, TensorBase):
        return g
    note_shown(g)
    return tensor_on_edge(unwrap_result(g), None, cls)


def show_gradient(g: Any, cls: type[TensorBase]) -> Any:
    """A copy of a gradient for a hook, which may change it in place: what flows elsewhere may be in the same memory."""
    if isinstance(g, tuple):
        return tuple([show_gradient(x, cls) for x in g])
    return None if g is None else wrap_gradient(clone(g), cls)


def unwrap_gradient(new: Any, like: Any) -> Any:
    """What a hook left or returned in the form that the pass computes with, which is that of `like`."""
    if isinstance(new, tuple):
        return type(like)([unwrap_gradient(n, o) for n, o in zip(new, like)])
    if new is None or isinstance(like, TensorBase):
        return new
    note_shown(new.array)
    return new.array


def run_hooks(hooks: dict[int, Any], g: Any, cls: type[TensorBase]) -> Any:
    """Run tensor hooks in the order of their registration. Each may change what it is given, or return what replaces it."""
    for hook in list(hooks.values()):
        seen = show_gradient(g, cls)
        new = hook(seen)
        if new is None:
            new = seen
        else:
            name = getattr(hook, "__name__", hook)
            if not isinstance(new, TensorBase):
                raise ArgumentError(f"expected Variable, but hook {name!r} returned {type(new).__name__!r}; return None or "
                                    "a tensor")
            if new.array.dtype is not seen.array.dtype:
                raise DtypeError(f"hook {name!r} has changed the type of value: it was {dtype_name(seen.array.dtype)}, and it "
                                 f"returned {dtype_name(new.array.dtype)}; convert what it returns, by .to(grad.dtype)")
            if new.array.shape != seen.array.shape:
                raise ShapeError(f"hook {name!r} has changed the size of value: it returned a gradient of shape "
                                 f"{list(new.array.shape)} for a tensor of shape {list(seen.array.shape)}; return None or a "
                                 "tensor of that shape")
        g = unwrap_gradient(new, g)
    return g


def finish_gradient(extras: Any, g: Any, cls: type[TensorBase]) -> Any:
    """Run what awaits the complete gradient of a tensor: its hooks, then ``retain_grad``."""
    if extras.tensor_hooks:
        g = run_hooks(extras.tensor_hooks, g, cls)
    tensor = extras.retains() if extras.retains is not None else None
    if tensor is not None:
        note_shown(g)
        guard_device(accumulate)(tensor, g, cls, set())
    return g


def run_pre_hooks(extras: Any, g: Any, cls: type[TensorBase]) -> Any:
    """Run what comes before a node: the hooks of its tensor, ``retain_grad``, and the node's pre-hooks."""
    g = finish_gradient(extras, g, cls)
    for hook in list(extras.pre_hooks.values()):
        seen = show_gradient(g if isinstance(g, tuple) else (g,), cls)
        left = replacement(hook, hook(seen), seen)
        g = unwrap_gradient(left, g) if isinstance(g, tuple) else unwrap_gradient(left[0], g)
    return g


def run_post_hooks(extras: Any, grads: tuple[Any, ...], g: Any, cls: type[TensorBase]) -> tuple[Any, ...]:
    """Run the hooks of a node, which see the gradients of its inputs and those of its outputs."""
    for hook in list(extras.post_hooks.values()):
        seen = show_gradient(grads, cls)
        left = replacement(hook, hook(seen, show_gradient(g if isinstance(g, tuple) else (g,), cls)), seen)
        grads = tuple([n if o is None else unwrap_gradient(n, o) for n, o in zip(left, grads)])
    return grads


def replacement(hook: Any, new: Any, seen: tuple[Any, ...]) -> tuple[Any, ...]:
    """The gradients that a node's hook returned, as a tuple, or those that it has `seen` if it returned nothing."""
    if new is None:
        return seen
    values = tuple(new) if isinstance(new, (tuple, list)) else (new,)
    if len(values) != len(seen):
        raise GraphError(f"hook {getattr(hook, '__name__', hook)!r} has returned an incorrect number of values (got "
                         f"{len(values)}, but expected {len(seen)}); return None, or a gradient (or None) for each it was given")
    return values


ACCUMULATION = "accumulation into .grad"  # what the ledger calls it


def count_references(view: Any) -> int:
    """How many references there are to the array that `view` is a view of."""
    return sys.getrefcount(view.base)


# As many references as Python counts for an array that nothing but one view holds.
SOLE_REFERENCES = count_references(np.empty((1, 1)).reshape(1))


def is_sole_view(view: Any) -> bool:
    """Whether `view` is the whole of a contiguous array that nothing else holds, such as the result of a reshape. What NumPy
    broadcast does not count, because it cannot be written to."""
    return (view.base.__class__ is view.__class__ and count_references(view) == SOLE_REFERENCES and view.base.base is None
            and view.base.size == view.size and view.flags.c_contiguous
            and (view.__class__ is not np.ndarray or view.flags.writeable))


def ensure_owned(g: Any, like: Any, shown: set[int]) -> Any:
    """`g` as an array that no other tensor holds, of the dtype of `like`, the array that it is the gradient of, and in the order
    of its dimensions. `shown` are the identities of the arrays that users have seen, or that another tensor holds. A tensor,
    which `g` is under ``create_graph``, is a copy where it would not be so, and otherwise stays what it is."""
    if isinstance(g, TensorBase):
        arranged = g if g.array.strides == like.strides else laid_out(g, order_of_gradient(like))
        g = clone(g) if arranged is g and id(g.array) in shown else arranged
        shown.add(id(g.array))
        return g
    if g.__class__ is not np.ndarray:
        g = unwrap_result(g)
    if g.dtype is not like.dtype:
        g = (g.real if g.dtype.kind == "c" and like.dtype.kind != "c" else g).astype(like.dtype)
    held = id(g) in shown or (g.base is not None and not is_sole_view(g))
    if held or g.strides != like.strides:
        arranged = in_order(g, order_of_gradient(like))
        g = g.copy(order="K") if held and arranged is g else arranged
    shown.add(id(g))
    return g


def accumulate(tensor: Any, g: Any, cls: type[TensorBase], shown: set[int]) -> None:
    """Add `g` to ``tensor.grad``; two tensors never come to share one gradient array. Threads may do so at the same time."""
    with clock.lock:
        held = tensor._grad
        if isinstance(g, TensorBase):
            tensor._grad = copy_in_order(g, order=order_of_gradient(tensor.array)) if held is None else held + g
        elif held is None:
            tensor._grad = tensor_on_edge(ensure_owned(g, tensor.array, shown), None, cls)
        elif held.node is not None:
            tensor._grad = held + tensor_on_edge(ensure_owned(g, tensor.array, shown), None, cls)
        else:
            try:
                held.array += g
            except ValueError:
                refuse_read_only(held.array, f"{ACCUMULATION} of a tensor of shape {list(tensor.shape)}")
                raise
            clock.ledger.record(held.array, ACCUMULATION)


def accumulate_into_leaf(leaf: Any, g: Any, cls: type[TensorBase], shown: set[int]) -> None:
    """Add `g` to ``leaf.grad`` and call the hooks of that step: those before it, those on the leaf, those after it."""
    notes = leaf.__dict__
    extras, hooks = notes.get("_accumulation"), notes.get("_post_accumulate_hooks")
    if extras is not None:
        g = run_pre_hooks(extras, g, cls)
        shown.add(id(g))
    accumulate(leaf, g, cls, shown)
    if hooks:
        for hook in list(hooks.values()):
            hook(leaf)
    if extras is not None:
        run_post_hooks(extras, (), g, cls)


# ---------------------------------------------------------------------------------------------------- hooks on several tensors

class Handles:
    """The handles of several hooks; ``remove()``, or leaving a ``with`` block, takes them all away."""

    def __init__(self, handles: Sequence[Any]) -> None:
        self.handles = tuple(handles)

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()

    def __enter__(self) -> Handles:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


def register_multi_grad_hook(tensors: Sequence[Any], fn: Callable[[Any], None], *, mode: str = "all") -> Handles:
    """Call `fn` once in each backward pass that reaches any of `tensors`.

    Args:
        fn: with mode ``"all"``, is called at the end of the pass with the list of their gradients, None for one that was not
            reached; with mode ``"any"``, with the first gradient that is computed. What it returns is not used.
    """
    if mode not in ("all", "any"):
        raise InvalidValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    key, count = object(), len(tensors)

    def on_gradient(k: int, g: Any) -> None:
        calls = pass_end.get()
        if key not in calls:
            calls[key] = (fn, [None] * count) if mode == "all" else None
            if mode == "any":
                fn(g)
        if mode == "all":
            calls[key][1][k] = g

    return Handles([t.register_hook(partial(on_gradient, k)) for k, t in enumerate(tensors)])


def call_at_end_of_pass(key: Any, fn: Callable[[Any], None], argument: Any) -> bool:
    """Let the backward pass that is running call ``fn(argument)`` when its leaves are finished; once for each `key`.

    Returns: whether one is running.
    """
    calls = pass_end.get()
    if calls is None:
        return False
    calls.setdefault(key, (fn, argument))
    return True


def finish_pass() -> None:
    """Call the hooks on several tensors whose gradients this pass has computed."""
    for key, call in list(pass_end.get().items()):
        if key is not None and call is not None:
            fn, grads = call
            fn(grads)
