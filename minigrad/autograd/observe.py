"""Watching what is recorded: hooks on saved tensors, and the search for the operation that makes the first NaN.

While either is on, the recording mode is an :class:`Observer`, which the call path shows every node it makes.
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any, Callable

import numpy as np

from minigrad import backend
from minigrad.autograd.graph import Node, Packed, PackedValue, TensorBase, grad_enabled, observer, tied
from minigrad.autograd.modes import decorated
from minigrad.autograd.placement import on_its_card
from minigrad.errors import GraphError

__all__ = ["allow_mutation_on_saved_tensors", "detect_anomaly", "disable_saved_tensors_hooks", "is_anomaly_enabled",
           "save_on_cpu", "saved_tensors_hooks", "set_detect_anomaly"]

refused: ContextVar[str | None] = ContextVar("refused", default=None)  # why hooks on saved tensors may not be used here


class Observer:
    """What sees each node when it is made: the innermost pack and unpack hooks, whether anomalies are looked for, and whether
    what is saved may be written later, so that a copy must be kept."""

    def __init__(self, hooks: tuple[Callable[[Any], Any], Callable[[Any], Any]] | None = None, anomaly: bool = False,
                 copies: bool = False) -> None:
        self.hooks, self.anomaly, self.copies = hooks, anomaly, copies

    def but(self, **changes: Any) -> Observer:
        """Another that differs in `changes`."""
        return Observer(**{"hooks": self.hooks, "anomaly": self.anomaly, "copies": self.copies, **changes})

    def recorded(self, node: Any, result: Any, inputs: tuple[Any, ...], cls: type[TensorBase]) -> None:
        """`node` has just been made for `result`, computed from the arrays `inputs`."""
        if self.anomaly:
            self.check_forward(node, result, inputs)
        if self.copies and node.saved:
            node.saved = each(node.saved, lambda a: a.copy())
        if self.hooks is not None and node.saved:
            pack, unpack = self.hooks
            node.saved = Packed(each(node.saved, lambda a: PackedValue(pack, unpack, a, cls)))

    def check_forward(self, node: Node, result: Any, inputs: tuple[Any, ...]) -> None:
        """Raise if `result` has a NaN that no input had, or an infinity where all inputs are finite."""
        results = result if isinstance(result, tuple) else (result,)
        given = [x for x in inputs if backend.is_array(x) and x.dtype.kind in "fc"]
        asked = any(isinstance(s, float) and not np.isfinite(s) for s in node.settings)  # masked_fill(..., -inf) means it
        for made in results:
            if made.dtype.kind not in "fc" or bool(np.isfinite(made).all()) or asked:
                continue
            what = "nan" if bool(np.isnan(made).any()) else "inf"
            blamed = all(bool(np.isfinite(x).all()) for x in given) or what == "nan" and not any(np.isnan(x).any() for x in given)
            if blamed:
                count = int((~np.isfinite(made)).sum())
                raise GraphError(f"detect_anomaly: {node.op_name} at {node.source()} made {what} in {count} of {made.size} "
                                 f"elements of its result, of shape {list(made.shape)}, from inputs without any")

    def check_backward(self, node: Node, grads: tuple[Any, ...]) -> None:
        """Raise if a gradient that `node` computed has a NaN."""
        for k, grad in enumerate(grads):
            array = grad.array if isinstance(grad, TensorBase) else grad
            if array is not None and array.dtype.kind in "fc" and has_nan(array):
                raise GraphError(f"Function '{node.name()}' returned nan values in its {k}th output: the derivative of "
                                 f"{node.op_name or node.name()}, called at {node.source()}, with respect to "
                                 + (f"'{node.arguments[k]}'" if k < len(node.arguments) else f"its argument {k}"))


@on_its_card
def has_nan(array: Any) -> bool:
    return bool(np.isnan(array).any())


def each(saved: tuple[Any, ...], change: Callable[[Any], Any]) -> tuple[Any, ...]:
    """`saved` with ``change(array)`` in place of each array."""
    return tuple([None if a is None else each(a, change) if isinstance(a, tuple) else change(a) for a in saved])


class Watching:
    """A block in which recording is observed."""

    def __init__(self) -> None:
        self._tokens: list[tuple[Token[Any], Token[Any] | None]] = []

    def changed(self, before: Observer | None) -> Observer | None:
        """The observer for the block, given the one outside it."""
        raise NotImplementedError

    def __enter__(self) -> Any:
        watching = self.changed(observer.get())
        token = observer.set(watching)
        self._tokens.append((token, grad_enabled.set(watching or True) if grad_enabled.get() else None))
        return self

    def __exit__(self, *exc: object) -> None:
        watching, mode = self._tokens.pop()
        observer.reset(watching)
        if mode is not None:
            grad_enabled.reset(mode)


class saved_tensors_hooks(Watching):
    """Inside the block, what operations keep for their derivative goes through ``pack_hook(tensor)``, and comes back through
    ``unpack_hook(packed)`` when the derivative needs it.

    Use it to keep values elsewhere (on disk, in lower precision). The unpacked tensor must have the packed one's content and
    shape.
    """

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        super().__init__()
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def changed(self, before: Observer | None) -> Observer:
        if (message := refused.get()) is not None:
            raise GraphError(message)
        return (before or Observer()).but(hooks=(self.pack_hook, self.unpack_hook))


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
        self._tokens.append(refused.set(self.error_message))

    def __exit__(self, *exc: object) -> None:
        refused.reset(self._tokens.pop())

    def __call__(self, function: Any) -> Any:
        return decorated(lambda: disable_saved_tensors_hooks(self.error_message), function)


class allow_mutation_on_saved_tensors(Watching):
    """Inside the block, what operations keep for their derivative is a copy: the tensors may be written in place afterwards."""

    def changed(self, before: Observer | None) -> Observer:
        return (before or Observer()).but(copies=True)


class save_on_cpu(saved_tensors_hooks):
    """Inside the block, what operations keep for their derivative is kept in main memory."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        def pack(t: Any) -> Any:
            return backend.device_of(t.array), tied(backend.to_numpy(t.array), None, type(t))

        def unpack(packed: Any) -> Any:
            device, t = packed
            return tied(backend.to_device(t.array, device), None, type(t))

        super().__init__(pack, unpack)


class detect_anomaly(Watching):
    """Inside the block, the first operation whose forward makes a NaN or infinity, or whose derivative makes a NaN, raises.

    The error names the source line that called it. Every result is examined, so it is slow: use it to find a fault, not to train.
    """

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__()
        self.check_nan = check_nan

    def changed(self, before: Observer | None) -> Observer:
        return (before or Observer()).but(anomaly=self.check_nan)


class set_detect_anomaly(detect_anomaly):
    """:class:`detect_anomaly` by a flag: as a call until further notice, or as a block."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        super().__init__(mode and check_nan)
        super().__enter__()

    def __enter__(self) -> Any:
        return self


def is_anomaly_enabled() -> bool:
    """Whether anomalies are looked for here and now."""
    watching = observer.get()
    return watching is not None and watching.anomaly
