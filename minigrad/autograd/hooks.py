"""What happens to gradients on their way: hooks on tensors and nodes, ``retain_grad``, and the sum kept in ``.grad``."""

from __future__ import annotations

import sys
from contextvars import ContextVar
from functools import partial
from typing import Any, Callable, Sequence

import numpy as np

from minigrad.errors import ArgumentError, DtypeError, GraphError, ShapeError
from minigrad.recording.argument_errors import named
from minigrad.recording.call import as_array
from minigrad.recording.clock import ledger
from minigrad.recording.device_guard import on_its_card
from minigrad.recording.graph import TensorBase, tied

# For the backward pass that is running: what is to be called at its end with which gradients, by the hook's own key; and, by
# None, the identities of the arrays that users have been shown, and may keep.
ending: ContextVar[Any] = ContextVar("ending", default=None)


def show(array: Any) -> None:
    """Note that users may keep `array`, so that it is not made a ``.grad``, which later passes add to in place."""
    calls = ending.get()
    if calls is not None:
        calls.setdefault(None, set()).add(id(array))


def wrapped(g: Any, cls: type[TensorBase]) -> Any:
    """A gradient as hooks see it: tensors, whatever the pass computes with."""
    if isinstance(g, tuple):
        return tuple([wrapped(x, cls) for x in g])
    if g is None or isinstance(g, TensorBase):
        return g
    show(g)
    return tied(as_array(g), None, cls)


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
            name = getattr(hook, "__name__", hook)
            if not isinstance(new, TensorBase):
                raise ArgumentError(f"expected Variable, but hook {name!r} returned {type(new).__name__!r}; return None or "
                                    "a tensor")
            if new.array.dtype is not seen.array.dtype:
                raise DtypeError(f"hook {name!r} has changed the type of value: it was {named(seen.array.dtype)}, and it "
                                 f"returned {named(new.array.dtype)}; convert what it returns, by .to(grad.dtype)")
            if new.array.shape != seen.array.shape:
                raise ShapeError(f"hook {name!r} has changed the size of value: it returned a gradient of shape "
                                 f"{list(new.array.shape)} for a tensor of shape {list(seen.array.shape)}; return None or a "
                                 "tensor of that shape")
            g = unwrapped(new, g) if not isinstance(g, TensorBase) else new
    return g


def of_tensor(extras: Any, g: Any, cls: type[TensorBase]) -> Any:
    """What happens when the gradient of a tensor is complete: its hooks, then retain_grad."""
    if extras.tensor_hooks:
        g = run_hooks(extras.tensor_hooks, g, cls)
    tensor = extras.retains() if extras.retains is not None else None
    if tensor is not None:
        show(g)
        accumulate(tensor, g, cls, set())
    return g


def before(extras: Any, g: Any, cls: type[TensorBase]) -> Any:
    """What happens before a node runs: hooks of its tensor, retain_grad, the node's pre-hooks."""
    g = of_tensor(extras, g, cls)
    for hook in list(extras.pre_hooks.values()):
        seen = wrapped(g if isinstance(g, tuple) else (g,), cls)
        new = replacement(hook, hook(seen), len(seen))
        if new is not None:
            g = unwrapped(new, g) if isinstance(g, tuple) else unwrapped(new[0], g)
    return g


def after(extras: Any, grads: tuple[Any, ...], g: Any, cls: type[TensorBase]) -> tuple[Any, ...]:
    """The node's hooks, which see the gradients of its inputs and of its results."""
    for hook in list(extras.post_hooks.values()):
        new = hook(wrapped(grads, cls), wrapped(g if isinstance(g, tuple) else (g,), cls))
        new = replacement(hook, new, len(grads))
        if new is not None:
            grads = tuple([n if o is None else unwrapped(n, o) for n, o in zip(new, grads)])
    return grads


def replacement(hook: Any, new: Any, count: int) -> tuple[Any, ...] | None:
    """What a node's hook returned, as a tuple of `count` gradients; None where it returned nothing."""
    if new is None:
        return None
    values = tuple(new) if isinstance(new, (tuple, list)) else (new,)
    if len(values) != count:
        raise GraphError(f"hook {getattr(hook, '__name__', hook)!r} has returned an incorrect number of values (got "
                         f"{len(values)}, but expected {count}); return None, or a gradient (or None) for each it was given")
    return values


ACCUMULATION = "accumulation into .grad"  # what the ledger calls it


def references(view: Any) -> int:
    """How many references there are to the array that `view` is a view of."""
    return sys.getrefcount(view.base)


ALONE = references(np.empty((1, 1)).reshape(1))  # as many as Python counts for an array that nothing but one view holds


def sole(view: Any) -> bool:
    """Whether `view` is all of an array that nothing else holds, such as the result of a reshape, in the usual order. What NumPy
    broadcast is not, be it of one element: it cannot be written to."""
    return (view.base.__class__ is view.__class__ and references(view) == ALONE and view.base.base is None
            and view.base.size == view.size and view.flags.c_contiguous
            and (view.__class__ is not np.ndarray or view.flags.writeable))


@on_its_card
def own(g: Any, dtype: Any, given: set[int]) -> Any:
    """`g` as an array of `dtype` that no other tensor holds; `given` are the arrays handed out so far."""
    if g.__class__ is not np.ndarray:
        g = as_array(g)
    if g.dtype is not dtype:
        g = (g.real if g.dtype.kind == "c" and dtype.kind != "c" else g).astype(dtype)
    if id(g) in given or (g.base is not None and not sole(g)):
        g = g.copy()
    given.add(id(g))
    return g


@on_its_card
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


def accumulate_into_leaf(leaf: Any, g: Any, cls: type[TensorBase], given: set[int]) -> None:
    """Add `g` to ``leaf.grad`` and call the hooks of that step: those before it, those on the leaf, those after it."""
    notes = leaf.__dict__
    extras, hooks = notes.get("_accumulation"), notes.get("_post_accumulate_hooks")
    if extras is not None:
        g = before(extras, g, cls)
        given.add(id(g))
    accumulate(leaf, g, cls, given)
    if hooks:
        for hook in list(hooks.values()):
            hook(leaf)
    if extras is not None:
        after(extras, (), g, cls)


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
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    key, count = object(), len(tensors)

    def arrived(k: int, g: Any) -> None:
        calls = ending.get()
        if key not in calls:
            calls[key] = (fn, [None] * count) if mode == "all" else None
            if mode == "any":
                fn(g)
        if mode == "all":
            calls[key][1][k] = g

    return Handles([t.register_hook(partial(arrived, k)) for k, t in enumerate(tensors)])


def finish_pass() -> None:
    """Call the hooks on several tensors whose gradients this pass has computed."""
    for key, call in list(ending.get().items()):
        if key is not None and call is not None:
            fn, grads = call
            fn(grads)
