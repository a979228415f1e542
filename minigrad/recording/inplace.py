"""Writing in place: ``x.mul_(y)``, ``x[i] = y``, ``out=``, and what that does to views.

The in-place form of an operation is the operation, then its result written into the tensor's memory, then the tensor moved
to the result's place in the graph. A view remembers the calls that lead to it from its base. When memory is written through
a view, the base becomes "the base with that part replaced"; and every living view of that base is outdated: it is led again from
the base when its place in the graph is next asked for, so all of them carry the right gradient.
"""

from __future__ import annotations

import functools
import weakref
from typing import TYPE_CHECKING, Any, Callable, ParamSpec, Protocol, TypeVar

import numpy as np

from minigrad import _arrays
from minigrad._types import dtypes
from minigrad._types.tensor_base import LEAF, TensorBase
from minigrad.errors import ArgumentError, DeviceError, DtypeError, InplaceError, ShapeError
from minigrad.recording import graph, watching
from minigrad.recording.argument_errors import explain, operand_device_mismatch
from minigrad.recording.call import REGISTRY, record, refuse_constants
from minigrad.recording.clock import ledger, memory_owner, tick
from minigrad.recording.device_guard import guard_device, on_device_of_inputs
from minigrad.recording.graph import edge_of
from minigrad.recording.hints import warn_user
from minigrad.recording.lazy import Signature, inplace_signature
from minigrad.recording.quiet import run_quietly

if TYPE_CHECKING:
    from minigrad._types.annotations import Tensor

P = ParamSpec("P")
R = TypeVar("R", covariant=True)
T = TypeVar("T")


def note_view(function: Any, settings: dict[str, Any], parent: Any, out: Any) -> None:
    """Remember that `out` shares memory with `parent`, and the call that made it."""
    owner, source = out.array.base, parent.array
    if out.array is not source and (owner is None or owner is not source and owner is not source.base
                                    and memory_owner(out.array) is not memory_owner(source)):
        return  # the operation had to copy
    base = parent if parent._base is None else parent._base
    out._base = base
    out._view = (*parent._view, (function, settings))
    views = base.__dict__.get("_views")
    if views is None:
        views = base._views = Views()
    views.add(out)


def note_pieces(info: Any, parent: Any, outs: tuple[Any, ...], settings: dict[str, Any]) -> None:
    """Remember that each of `outs`, the results of one call, shares memory with `parent`."""
    for out, (single, its_settings) in zip(outs, info.pieces(parent.array, **settings)):
        note_view(single, its_settings, parent, out)


class Views:
    """The living views of one base, by weak references: those that lead from what the base holds now, and the outdated ones,
    which lead from what it held before a write.

    A view is led again only when it is used after a write, and a write outdates only the views that were led since the last one.
    So however many views and writes there are, each lead is paid for by one use.
    """

    __slots__ = ("current", "outdated", "limit")

    def __init__(self) -> None:
        self.current: list[weakref.ref[Any]] = []
        self.outdated: dict[int, weakref.ref[Any]] = {}  # by identity, for tensors are compared element by element
        self.limit = 8  # beyond which the dead are dropped

    def add(self, view: Any) -> None:
        """Note that `view` leads from what the base holds now."""
        self.outdated.pop(id(view), None)
        self.current.append(weakref.ref(view))
        if len(self.current) + len(self.outdated) > self.limit:
            self.current = [ref for ref in self.current if ref() is not None]
            self.outdated = {key: ref for key, ref in self.outdated.items() if ref() is not None}
            self.limit = max(8, 2 * (len(self.current) + len(self.outdated)))

    def outdate(self) -> None:
        """Note that the base was written. A view that was made a leaf of its own stays one."""
        refs, self.current = self.current, []
        for ref in refs:
            view = ref()
            if view is None or id(view) in self.outdated:
                continue
            if view.node is LEAF:
                self.current.append(ref)
            else:
                self.outdated[id(view)] = ref
                view.__class__ = outdated_form(view.__class__)

    def living(self) -> list[Any]:
        """All views that still exist."""
        return [view for ref in (*self.current, *self.outdated.values()) if (view := ref()) is not None]


@functools.cache
def outdated_form(cls: Any) -> Any:
    """The class that instances of `cls` have while they are outdated views: reading their node leads them again, and gives them
    `cls` back. Tensors of any other class are read at no cost."""
    return type(cls.__name__, (cls,), {"__slots__": (), "__module__": cls.__module__, "__qualname__": cls.__qualname__,
                                       "__class__": property(lambda self: cls), "node": property(lead_again, set_node),
                                       "result_class": cls.result_class})


def set_node(view: Any, node: Any) -> None:
    """Give `view`, which is outdated, another place in the graph, and its class back."""
    object.__dict__["__class__"].__set__(view, view.__class__)
    view.node = node
    view._base._views.add(view)


def lead_again(view: Any) -> Any:
    """Give `view`, which is outdated, its place behind what its base holds now, and return its node."""
    base = view._base
    set_node(view, TensorBase.__dict__["node"].__get__(view))
    led = None if base.node is None else graph.run_in_mode(graph.recording_mode(True), replay_view, base, view._view)
    move_to_node(view, None if led is None else led.node)
    return view.node


def inplace_form(function: Any) -> Any:
    """The in-place form of `function`: it writes the result into its first argument and returns that argument."""
    info = getattr(function, "info", None)
    name = (function.__name__ if info is None else info.called).rstrip("_") + "_"

    def inplace(self: Tensor, *args: Any, **settings: Any) -> Tensor:
        if not isinstance(self, TensorBase):
            raise ArgumentError(f"{name}(): the tensor to write into must be a Tensor, not {type(self).__name__}")
        refuse_leaf(self, name)
        if writes_directly(function, self, args):
            write(self, function.info, args, settings, name)
        else:
            start = tick()
            assign(self, function(self, *args, **settings), name, start)
        return self

    inplace.__name__ = inplace.__qualname__ = function.__name__ + "_"
    inplace.__module__ = function.__module__
    inplace.__doc__ = f"In-place form of :func:`{function.__name__}`: writes the result into the tensor and returns it."
    inplace.__signature__ = Signature(lambda: inplace_signature(function))  # type: ignore[attr-defined]
    return inplace


class WithInplace(Protocol[P, R]):
    """A function that has an in-place form."""

    inplace: Callable[..., Tensor]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...


def with_inplace(function: Callable[P, R]) -> WithInplace[P, R]:
    """Decorator: give `function`, which is composed of operations, an in-place form as ``function.inplace``."""
    both: Any = function
    both.inplace = inplace_form(function)
    return both  # type: ignore[no-any-return]


def refuse_leaf(t: Any, name: str) -> None:
    """Raise if an in-place write to `t` would lose its gradient: a leaf, or a view of one, that requires grad."""
    if not graph.grad_enabled.get():
        return
    if t.node is LEAF:
        raise InplaceError(f"{name}: a leaf Variable that requires grad is being used in an in-place operation. Write "
                           f"under `with minigrad.no_grad():` to change its value, or work on a copy: x.clone().{name}(...)")
    if t._base is not None and t._base.node is LEAF:
        raise InplaceError(f"{name}: a view of a leaf Variable that requires grad is being used in an in-place operation. "
                           "Write under `with minigrad.no_grad():`, or work on a copy of the leaf: x.clone()")


def writes_directly(function: Any, t: Any, others: tuple[Any, ...]) -> bool:
    """Whether the operation has a writer that can serve a call with these operands: tensors, of one dtype if the declaration asks
    for it."""
    info = getattr(function, "info", None)
    if info is None or info.writer is None or not all([isinstance(x, TensorBase) for x in others]):
        return False
    return all([x.array.dtype is t.array.dtype for x, a in zip(others, info.arguments[1:]) if a in info.alike])


@on_device_of_inputs
def write(t: Any, info: Any, others: tuple[Any, ...], settings: dict[str, Any], name: str) -> None:
    """Let the operation's ``writer`` change the memory of `t`, and record that as the operation.

    `t` is not copied, because the rules of such an operation need no value that is overwritten.
    """
    target = t.array
    refuse_overlap(target, name)
    refuse_read_only(target, name)
    arrays = (target, *[x.array for x in others])
    settings = {**info.settings, **settings}
    refuse_constants(info, (t, *others))
    if _arrays.accelerator_count() and (error := operand_device_mismatch(info, arrays, settings)) is not None:
        raise error  # CuPy would take what is written from host memory too
    try:
        info.writer(*arrays, **settings)
    except Exception as error:
        raise explain(info, error, arrays, settings) from None
    if watching.count:
        watching.show_call(info, (t, *others), settings, t)
    ledger.record(target, name)
    if watching.count:
        watching.show_write(t, t)
    if graph.grad_enabled.get():
        if info.node_class is None:
            info.complete()
        node = record(info, (t, *others), arrays, target, settings)
        if node is not None or t._base is not None or "_views" in t.__dict__:
            rebase(t, node)


def overlaps(target: Any) -> bool:
    """Whether elements of the array `target` share a memory location, as those of an expanded tensor do."""
    return 0 in target.strides and target.size > 0 and any(s == 0 and n > 1 for s, n in zip(target.strides, target.shape))


def refuse_overlap(target: Any, name: str) -> None:
    """Raise if elements of `target` share a memory location: a write to it would be ambiguous."""
    if overlaps(target):
        raise InplaceError(f"{name}: unsupported operation: more than one element of the written-to tensor refers to a "
                           "single memory location; clone() the expanded tensor before writing to it")


def refuse_read_only(target: Any, name: str) -> None:
    """Raise if the array `target` is memory that must not be written. Not every function of NumPy looks."""
    if isinstance(target, np.ndarray) and not target.flags.writeable:
        raise InplaceError(f"{name}: the tensor cannot be written in place, because its memory is read-only: that of a NumPy "
                           "array that is not writeable, as pandas gives it, or of bytes; write to a copy, x.clone()")


def write_each(arrays: list[Any], write: Callable[[Any], object], name: str) -> None:
    """Let ``write(array)`` change each of `arrays` in place, on its device and without NumPy's warnings: one write by `name`.

    Raises ``InplaceError``, with nothing written, if one of them must not be.
    """
    for array in arrays:
        refuse_read_only(array, name)
    write = guard_device(write)
    try:
        run_quietly(lambda: [write(array) for array in arrays])
    finally:  # also where an error or a Ctrl-C ends it
        ledger.record_all(arrays, name)


@on_device_of_inputs
def assign(t: Any, result: Any, name: str, start: int) -> None:
    """Write `result`, a tensor computed from `t` since the time `start`, into `t`'s memory; give `t` its place in the graph.

    Raises ``ShapeError`` or ``DtypeError`` where the result does not fit into `t`.
    """
    target, value = t.array, result.array
    if value.shape != target.shape:
        raise ShapeError(f"{name}: output with shape {list(target.shape)} doesn't match the broadcast shape "
                         f"{list(value.shape)}; use the out-of-place form")
    if value.dtype is not target.dtype:
        refuse_cast(name, value.dtype, target.dtype)
        if result.node is not None:
            result = REGISTRY["cast"](result, dtype=dtypes.FROM_NUMPY[target.dtype])
    refuse_overlap(target, name)
    node = result.node
    if node is not None:
        for made in [n for n in graph.reachable_nodes([node], start) if n.saved and n.saved.__class__ is tuple]:
            keep_old_values(made, target)
    try:
        target[...] = value
    except (TypeError, ValueError) as error:
        refuse_read_only(target, name)
        raise result_device_mismatch(name, "self", target, value) or error from None
    ledger.record(target, name)
    if watching.count:
        watching.show_write(t, result)
    if graph.grad_enabled.get():
        if node is not None:
            hold_result(node, value, target)
        rebase(t, node)


def keep_old_values(node: Any, target: Any) -> None:
    """Give `node` copies of what it saved from the memory of `target`, which is about to be written."""
    owner = memory_owner(target)
    node.saved = tuple([a.copy() if a is not None and not isinstance(a, tuple) and memory_owner(a) is owner else a
                        for a in node.saved])


def hold_result(node: Any, value: Any, target: Any) -> None:
    """Let `node` save `target` in the place of the result `value`, whose values it holds now. The node becomes as young as that
    write."""
    if node.saved.__class__ is tuple:
        if node.saved:
            node.saved = tuple([target if a is value else a for a in node.saved])
        node.stamp = tick()


def rebase(t: Any, node: Any) -> None:
    """Give `t`, whose memory was just written, the place of `node` in the graph, and give its base and their views theirs."""
    base = t._base
    if base is None:
        base, before = t, t.node
        move_to_node(t, node)
    else:
        before = base.node
        if node is not None or before is not None:
            written = graph.tensor_on_edge(t.array, node, base.result_class)
            move_to_node(base, replacement_node(base, written, t._view))
    if (before is not None or base.node is not None) and "_views" in base.__dict__:
        base._views.outdate()


def replacement_node(base: Any, written: Any, view: Any) -> Any:
    """The node of `base` after the part of it that `view` leads to was overwritten by `written`."""
    info = REGISTRY["replace_view"].info
    if info.node_class is None:
        info.complete()
    settings = {"view": view, "order": memory_order(base.array)}
    return record(info, (base, written), (base.array, written.array), base.array, settings)


def move_to_node(t: Any, node: Any) -> None:
    """Let `node` be the node of `t`. ``retain_grad`` goes with the tensor; hooks stay with the value that they were put on."""
    extras = getattr(t.node, "extras", None)
    t.node = node
    if extras is not None and extras.retains is not None and extras.retains() is t and node is not None:
        node.ensure_extras().retains, extras.retains = extras.retains, None


def become_view(t: Any, view: Any) -> Any:
    """Turn `t` itself into `view`, which is a view of it, as ``t.squeeze_()`` does. Its memory and its own views stay what they
    are."""
    if t.node is LEAF and graph.grad_enabled.get():
        raise InplaceError("a leaf Variable that requires grad is being used in an in-place operation: changing its shape would "
                           "leave the shape of its gradient unknown; use the out-of-place form")
    if t._base is not None and t._base.node is LEAF and graph.grad_enabled.get():
        raise InplaceError("a view of a leaf Variable that requires grad is being used in an in-place operation; use the "
                           "out-of-place form")
    if t.node is LEAF:
        t.array = view.array
        return t
    if t._base is None:  # the tensor as it was becomes the base
        was = object.__new__(t.result_class)
        was.array, was.node, was._former = t.array, t.node, True
        was._views = t.__dict__.pop("_views")
        for other in was._views.living():
            other._base = was
        t._base = was
        was._views.add(t)
    t.array, t.node, t._view = view.array, view.node, view._view
    return t


def replay_view(x: Any, view: Any) -> Any:
    """Apply the calls of a view to `x`, a tensor or an array, and return the result."""
    for function, settings in view:
        x = function(x, **settings)
    return x


def memory_order(array: Any) -> tuple[int, ...]:
    """The dimensions of `array` from the widest stride to the narrowest."""
    return tuple(sorted(range(array.ndim), key=lambda d: -abs(array.strides[d])))


def refuse_cast(name: str, found: Any, wanted: Any) -> None:
    """Raise if a result of dtype `found` cannot be written into a tensor of dtype `wanted`."""
    source, to = dtypes.FROM_NUMPY[found], dtypes.FROM_NUMPY[wanted]
    if not dtypes.can_cast(source, to):
        raise DtypeError(f"{name}: result type {source!r} can't be cast to the desired output type {to!r}; "
                         "use the out-of-place form, or convert the tensor first")


def result_device_mismatch(name: str, called: str, target: Any, value: Any) -> DeviceError | None:
    """The error of writing the result `value` into the argument `called` on another device, or None if the devices are the
    same."""
    there, here = _arrays.device_of(target), _arrays.device_of(value)
    if there == here:
        return None
    return DeviceError(f"{name}: expected all tensors on the same device, but the result is on {here} and '{called}' is on "
                       f"{there}; move one, for instance {called}.to('{here}')")


def serve_out(called: str, result: T, out: Any) -> T:
    """What the function `called`, which is composed of operations, returns: its `result`, or `out` if given, which then holds
    it."""
    return result if out is None else write_out(out, result, called)


@on_device_of_inputs
def write_out(out: Any, result: Any, called: str, exact: bool = False) -> Any:
    """Serve ``out=``: write `result` into the tensor (or sequence of tensors) `out`, and return that. A tensor of another shape
    takes that of the result, with a warning if it had elements. One of another dtype is refused if `exact`, because the caller
    named the dtype, or because there are indices among the results."""
    if isinstance(result, tuple):
        if not isinstance(out, (tuple, list)) or len(out) != len(result):
            found = f"{len(out)}" if isinstance(out, (tuple, list)) else type(out).__name__
            raise ArgumentError(f"{called}(): argument 'out' must be a tuple of {len(result)} Tensors, not {found}")
        written = [write_out(o, r, called, exact=hasattr(result, "indices")) for o, r in zip(out, result)]
        return tuple(written) if result.__class__ is tuple else result.__class__(*written)
    if not isinstance(out, TensorBase):
        raise ArgumentError(f"{called}(): argument 'out' must be a Tensor, not {type(out).__name__}")
    if result.node is not None or graph.grad_enabled.get() and edge_of(out) is not None:
        raise InplaceError(f"{called}(): functions with out=... arguments don't support automatic differentiation, but "
                           "one of the arguments requires grad; call it without out=, or under `with minigrad.no_grad():`")
    if exact and result.array.dtype != out.array.dtype:
        raise DtypeError(f"{called}(): Expected out tensor to have dtype {dtypes.FROM_NUMPY[result.array.dtype]!r}, but got "
                         f"{dtypes.FROM_NUMPY[out.array.dtype]!r} instead")
    refuse_cast(called, result.array.dtype, out.array.dtype)
    if (error := result_device_mismatch(f"{called}()", "out", out.array, result.array)) is not None:
        raise error
    refuse_overlap(out.array, called)
    if out.array.shape == result.array.shape:
        refuse_read_only(out.array, f"{called}(out=)")
        out.array[...] = result.array
        ledger.record(out.array, called)
        if watching.count:
            watching.show_write(out, result)
        return out
    if out.array.size:
        warn_user(f"An output with one or more elements was resized: {called} gives shape {list(result.array.shape)}, and 'out' "
                  f"had shape {list(out.array.shape)}. Make it empty first, by out.resize_(0), to reuse it on purpose.")
    out.array = result.array.astype(out.array.dtype)
    if watching.count:
        watching.show_write(out, result)
    return out
