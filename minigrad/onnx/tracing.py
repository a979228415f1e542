"""What a model computes, as a list of calls.

A model runs once under a watcher, which sees each call of an operation. Tensors are known by their arrays: a result is what has
the array that a call has given. A tensor whose array no call has given is an input, a parameter, or else a constant.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Mapping, Sequence

import numpy as np

from minigrad._pytree import tree_leaves
from minigrad._types import dtypes
from minigrad._types.tensor_base import TensorBase
from minigrad.nn import Module
from minigrad.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from minigrad.ops import creation
from minigrad.ops.pointwise.arithmetic import cast
from minigrad.ops.shaping.shape import reshape
from minigrad.recording.clock import source_line, user_frame, watch_writes
from minigrad.recording.graph import recording_mode, run_in_mode
from minigrad.recording.inplace import replay_view
from minigrad.recording.watching import Watcher, watch


@dataclass
class Value:
    """A tensor of a trace: an "input", a "parameter" or a "constant", or a "result" of the call whose number is `maker`."""

    array: Any
    kind: str
    name: str = ""
    maker: int = -1
    overwritten: bool = False  # the memory of the array has been written since


@dataclass
class Call:
    """One call of an operation, by the numbers of the values it takes and gives."""

    op: str
    called: str  # the name users know it by
    operands: tuple[int | None, ...]
    settings: dict[str, Any]
    results: tuple[int, ...]
    line: str  # of the user's, ``file:number``
    path: str  # of the module that makes the call


@dataclass
class Trace:
    """All values and calls, in order, what the model returned, and the numbers of the tensors in it."""

    values: list[Value] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    returned: Any = None


class Tracer(Watcher):
    """The watcher that makes a trace. `names` has the names of parameters by the identity of their arrays, `paths` those of
    modules by theirs."""

    def __init__(self, names: Mapping[int, str], paths: Mapping[int, str]) -> None:
        self.trace = Trace()
        self.names, self.paths = names, paths
        self.numbers: dict[int, int] = {}  # of values, by the identity of the arrays that stand for them
        self.held: list[Any] = []  # these arrays, whose identities are theirs only while they exist
        self.same_memory: dict[Any, Any] = {}  # and they again, by what they are of which memory
        self.unknown: set[int] = set()  # arrays that have been written, by identity, until it is known how
        self.running = [""]  # the paths of the modules that are being called

    def add(self, array: Any, value: Value) -> int:
        """Add a value, which `array` stands for from now on."""
        self.trace.values.append(value)
        self.hold(array)
        number = self.numbers[id(array)] = len(self.trace.values) - 1
        return number

    def hold(self, array: Any) -> None:
        """Keep `array`, which stands for a value."""
        self.held.append(array)
        if array.size:
            self.same_memory[memory_key(array)] = array

    def number_of(self, t: Any) -> int | None:
        """The number of the value that a tensor, or None, is."""
        if t is None:
            return None
        known = self.same_memory.get(memory_key(t.array), t.array)  # x.data has an array of its own
        number = self.numbers.get(id(known))
        if number is not None and id(known) not in self.unknown:
            return number
        name = self.names.get(id(t.array))
        return self.add(t.array, Value(t.array.copy(), "constant") if name is None else Value(t.array, "parameter", name))

    def called(self, info: Any, inputs: tuple[Any, ...], settings: dict[str, Any], result: Any) -> None:
        """Add a call that has been made. Where it has written into its first argument, its result is a copy of that."""
        results = result if isinstance(result, tuple) else (result,)
        self.add_call(info.name, info.called, inputs, settings,
                      [(t.array, t.array.copy() if t is inputs[0] else t.array) for t in results])

    def add_call(self, op: str, called: str, inputs: Sequence[Any], settings: dict[str, Any], results: Any) -> None:
        """Add a call; `results` are pairs of the array that stands for a result and one that holds its elements."""
        operands = tuple([self.number_of(t) for t in inputs])
        maker, frame = len(self.trace.calls), user_frame()
        numbers = tuple([self.add(array, Value(elements, "result", maker=maker)) for array, elements in results])
        self.trace.calls.append(Call(op, called, operands, dict(settings), numbers, source_line(frame.f_code, frame.f_lasti),
                                     self.running[-1]))

    def noted(self, array: Any, op_name: str) -> None:
        """See that `array` was written, before it is known how."""
        for value in self.trace.values:
            if not value.overwritten and value.kind == "result" and np.may_share_memory(value.array, array):
                value.overwritten = True
        self.unknown.add(id(array))

    def wrote(self, target: Any, value: Any) -> None:
        """See that `target` holds the elements of `value` now. Of a view this changes its base, and of a base its views."""
        self.unknown.discard(id(target.array))
        if value is not target:
            if value.array.dtype is not target.array.dtype:
                value = cast(value, dtype=dtypes.FROM_NUMPY[target.array.dtype])
            number = self.number_of(value)
            assert number is not None
            self.numbers[id(target.array)] = number
            self.hold(target.array)
        base = target._base
        if base is not None:
            places = reshape(creation.arange(base.array.size), shape=base.array.shape)
            places = replay_view(places, target._view)
            self.add_call("replace_view", "a write into a view", (base, target, places), {}, [(base.array, base.array.copy())])
        whole = target if base is None else base
        for view in whole._views.living() if "_views" in whole.__dict__ else ():
            if view is not target:
                led = self.number_of(replay_view(whole, view._view))
                assert led is not None
                self.numbers[id(view.array)] = led
                self.hold(view.array)

    def begin_module(self, module: Any, inputs: Any) -> None:
        """Note that a module is called."""
        self.running.append(self.paths.get(id(module), self.running[-1]))

    def end_module(self, module: Any, inputs: Any, output: Any) -> None:
        """Note that a module's call has ended."""
        self.running.pop()


def memory_key(array: Any) -> Any:
    """What two arrays have in common that are the same part of the same memory."""
    return array.__array_interface__["data"][0], array.shape, array.strides, array.dtype.char


def trace_model(model: Callable[..., Any], inputs: Sequence[tuple[str, Any]], args: Sequence[Any],
                kwargs: Mapping[str, Any]) -> Trace:
    """Run `model` on `args` and `kwargs`, and return what it computes. `inputs` are the tensors among these, with their names."""
    names: dict[int, str] = {}
    paths: dict[int, str] = {}
    if isinstance(model, Module):
        for name, t in (*model.named_parameters(), *model.named_buffers()):
            names.setdefault(id(t.array), name)
        paths = {id(module): path for path, module in model.named_modules()}
    tracer = Tracer(names, paths)
    for name, t in inputs:
        tracer.add(t.array, Value(t.array, "input", name))
    handles = [register_module_forward_pre_hook(tracer.begin_module),
               register_module_forward_hook(tracer.end_module, always_call=True)]
    try:
        with watch_writes(tracer.noted), watch(tracer):
            returned = run_in_mode(recording_mode(False), model, *args, **kwargs)
    finally:
        for handle in handles:
            handle.remove()
    tracer.trace.returned = returned
    for t in tree_leaves(returned):
        if isinstance(t, TensorBase):
            number = tracer.number_of(t)
            assert number is not None
            tracer.trace.outputs.append(number)
    return tracer.trace
