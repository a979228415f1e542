"""Watching what is recorded. While somebody does, the recording mode is an :class:`Observer`, which the call path shows every
node it makes: for hooks on saved tensors (:mod:`~minigrad.autograd.graph`), or to find the operation that makes the first NaN
(:mod:`~minigrad.autograd.anomaly_mode`)."""

from __future__ import annotations

import copy
from typing import Any, Callable

import numpy as np

from minigrad import _arrays
from minigrad._types import dtypes
from minigrad._types.tensor_base import TensorBase, unwrap
from minigrad.errors import GraphError
from minigrad.recording.device_guard import on_device_of_inputs
from minigrad.recording.graph import Node, PackedSaved, PackedValue, grad_enabled, observer


class Observer:
    """Sees each node when it is made. It knows the innermost pack and unpack hooks, whether anomalies are detected and NaNs
    looked for, and whether to save copies because the values may be overwritten."""

    def __init__(self, hooks: tuple[Callable[[Any], Any], Callable[[Any], Any]] | None = None, anomaly: bool = False,
                 check_nan: bool = True, copies: bool = False) -> None:
        self.hooks, self.anomaly, self.check_nan, self.copies = hooks, anomaly, check_nan, copies

    def replace(self, **changes: Any) -> Observer:
        """Another observer that differs in `changes`."""
        new = copy.copy(self)
        new.__dict__.update(changes)
        return new

    def observe(self, node: Any, result: Any, inputs: tuple[Any, ...], cls: type[TensorBase]) -> None:
        """Observe `node`, which has just been made for `result`, computed from the arrays `inputs`."""
        if self.anomaly and self.check_nan:
            self.check_forward(node, result, inputs)
        if self.copies and node.saved:
            node.saved = map_saved(node.saved, lambda a: a.copy())
        if self.hooks is not None and node.saved:
            pack, unpack = self.hooks
            node.saved = PackedSaved(map_saved(node.saved, lambda a: PackedValue(pack, unpack, a, cls)))

    def check_forward(self, node: Node, result: Any, inputs: tuple[Any, ...]) -> None:
        """Raise if `result` has a NaN that no input had, or an infinity where all inputs are finite."""
        results = result if isinstance(result, tuple) else (result,)
        given = [x for x in inputs if _arrays.is_array(x) and x.dtype.kind in dtypes.DIFFERENTIABLE]
        asked = any(isinstance(s, float) and not np.isfinite(s) for s in node.settings)  # masked_fill(..., -inf) means it
        for made in results:
            if made.dtype.kind not in dtypes.DIFFERENTIABLE or bool(np.isfinite(made).all()) or asked:
                continue
            what = "nan" if bool(np.isnan(made).any()) else "inf"
            blamed = all(bool(np.isfinite(x).all()) for x in given) or what == "nan" and not any(np.isnan(x).any() for x in given)
            if blamed:
                count = int((~np.isfinite(made)).sum())
                raise GraphError(f"detect_anomaly: {node.op_name} at {node.source()} made {what} in {count} of {made.size} "
                                 f"elements of its result, of shape {list(made.shape)}, from inputs without any")

    def check_backward(self, node: Node, g: Any, saved: tuple[Any, ...], grads: tuple[Any, ...]) -> None:
        """Raise if a gradient that `node` computed, from the gradient `g` of its result and what it saved, has a NaN, where such
        are looked for."""
        if not (self.anomaly and self.check_nan):
            return
        for k, grad in enumerate(grads):
            array = unwrap(grad)
            if array is not None and array.dtype.kind in dtypes.DIFFERENTIABLE and has_nan(array):
                raise GraphError(f"Function '{node.name()}' returned nan values in its {k}th output: the derivative of "
                                 f"{node.op_name or node.name()}, called at {node.source()}, with respect to "
                                 + (f"'{node.arguments[k]}'" if k < len(node.arguments) else f"its argument {k}"))


@on_device_of_inputs
def has_nan(array: Any) -> bool:
    """Whether `array` has a NaN."""
    return bool(np.isnan(array).any())


def map_saved(saved: tuple[Any, ...], change: Callable[[Any], Any]) -> tuple[Any, ...]:
    """`saved` with ``change(array)`` in the place of each array."""
    return tuple([None if a is None else map_saved(a, change) if isinstance(a, tuple) else change(a) for a in saved])


class ObserverBlock:
    """A block in which an :class:`Observer` sees what is recorded."""

    def __init__(self) -> None:
        self._before: list[tuple[Any, Any]] = []  # the observer and the mode, of each time it has been entered

    def new_observer(self, before: Observer | None) -> Observer | None:
        """The observer for the block, given the one outside it."""
        raise NotImplementedError

    def __enter__(self) -> Any:
        before, mode = observer.get(), grad_enabled.get()
        try:
            self._before.append((before, mode))
            watching = self.new_observer(before)
            observer.set(watching)
            if mode:
                grad_enabled.set(watching or True)
            return self
        except BaseException:  # a Ctrl-C, or a time limit: the block is not entered yet, so nothing else would set these back
            observer.set(before)
            grad_enabled.set(mode)
            raise

    def __exit__(self, *exc: object) -> None:
        before, mode = self._before[-1]
        observer.set(before)
        if mode:
            grad_enabled.set(mode)
        self._before.pop()
