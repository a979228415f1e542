"""Recording a call as the lines of a :class:`~minigrad.compiler.tape.Tape`.

The function runs as it is. A :class:`Recorder` sees each operation with the arrays it takes and gives, each node of a backward
pass with its gradients, each write and each :func:`~minigrad.recording.watching.watched` function. Arrays are known by their
identity. What it cannot follow, such as a number that Python looks at, it refuses: the call ends as it would, and nothing is
recorded.
"""

from __future__ import annotations

import ast
import copy
import functools
import math
import re
import weakref
from types import FunctionType
from typing import Any, Callable

import numpy as np

from minigrad._pytree import tree_leaves
from minigrad._types import layouts
from minigrad._types.tensor_base import LEAF, TensorBase
from minigrad.autograd import early, engine
from minigrad.autograd.hooks import accumulate
from minigrad.autograd.observe import Observer
from minigrad.compiler.backward import MOST_RESULTS, Passes, tensor, tensor_with
from minigrad.compiler.opening import open_call
from minigrad.compiler.tape import LARGE, Line, Tape, written, written_dict
from minigrad.compiler.writing import add_to, own_copy, write_all
from minigrad.errors import CompileError
from minigrad.ops.shaping.shape import expand, sum_to_size
from minigrad.recording import watching
from minigrad.recording.call import computes_in_opmath, run_forward, unwrap_result
from minigrad.recording.clock import ledger, source_line, user_frame
from minigrad.recording.codegen import as_ufunc, formula_of
from minigrad.recording.declaration import parameters_of
from minigrad.recording.graph import AliasBackward0, FreedMark, Node, Port, reachable_nodes

# Operations whose results have as many elements as their operands decide: what comes after them may be made for that number.
DATA_DEPENDENT = frozenset(("nonzero_indices", "where_nonzero", "_unique", "unique_values", "select_mask", "bincount"))


def recorder_now() -> Recorder | None:
    """The recorder of the call that is being recorded, if there is one."""
    found = watching.watcher.get() if watching.count else None
    return found if isinstance(found, Recorder) else None


class Stub:
    """What a node of the recorded call is to a replay: its rules, settings and wishes, without the graph."""

    def __init__(self, node: Node) -> None:
        wanted = tuple([None if edge is None else True for edge in node.inputs])
        self.node = type(node).make(wanted, node.shape, (), node.settings)
        for name in ("dtypes", "saved_from"):
            if name in getattr(type(node), "__slots__", ()):
                setattr(self.node, name, getattr(node, name))

    def same_as(self, other: Stub) -> bool:
        """Whether two stubs have the same rules and settings."""
        a, b = self.node, other.node
        return type(a) is type(b) and a.inputs == b.inputs and a.shape == b.shape and equal_settings(a.settings, b.settings)


def equal_settings(a: Any, b: Any) -> bool:
    """Whether two settings, or tuples of them, are equal. Arrays among them are not."""
    if a.__class__ is not b.__class__ or isinstance(a, (np.ndarray, TensorBase)):
        return a is b and not isinstance(a, (np.ndarray, TensorBase))
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all([equal_settings(x, y) for x, y in zip(a, b)])
    return a is b or bool(a == b)


class Recorder(Observer, watching.Watcher):
    """Sees one call, and writes down its lines. ``refusal`` says why it has stopped, if it has."""

    def __init__(self, inputs: list[Any], strict: bool) -> None:
        super().__init__()
        self.tape = Tape()
        self.tape.names.update(tensor=tensor, tensor_with=tensor_with)
        self.strict = strict  # whether a refusal is raised
        self.refusal = ""
        self.known: dict[int, str] = {}  # names of arrays, by identity
        self.places: dict[Any, str] = {}  # and by what they are of which memory
        self.whole: dict[Any, str] = {}  # and those of contiguous arrays, by what they are all of
        self.held: list[Any] = []  # what has no weak references, so that its identity stays its own; and finalizers
        self.counts: dict[str, int] = {}
        self.objects: dict[int, str] = {}  # names of what is no array, by identity
        self.tensors: dict[int, tuple[str, Any]] = {}  # what was there before: the name and the tensor, by its identity
        self.pristine: dict[str, Any] = {}  # constants that the program has made, as they were then
        self.sent: dict[Any, list[tuple[str, Any]]] = {}  # gradients on their way in a backward pass, by edge
        self.leaves_apart = False  # whether the gradients of leaves are left for the engine to add
        self.due: list[tuple[Any, str, Any, Any]] = []  # leaves whose .grad is about to be changed
        self.had_grad: dict[int, tuple[Any, bool]] = {}  # whether leaves had a gradient before, where that mattered
        self.settled: set[int] = set()  # the leaves, by identity, whose .grad the call has set itself
        self.passes: Passes | None = None  # the backward passes from results
        self.live: dict[int, str] = {}  # the names of results that these begin at, by identity
        self.inside = 0  # calls of watched functions
        self.unexplained: list[tuple[Any, str]] = []
        self.written: set[int] = set()  # by identity, the arrays that the last watched function may have written
        if early.requests:
            self.refuse("gradients are used while a backward pass still runs")
        for k, t in enumerate(inputs):
            self.tape.inputs.append(f"t{k}")
            self.tensors[id(t)] = f"t{k}", t
            self.bind(t.array, f"x{k}")
            self.do((f"x{k}",), f"t{k}.array")

    # ------------------------------------------------------------------------------------------------ names

    def refuse(self, why: str) -> None:
        """Stop recording: a replay could not do the same."""
        if not self.refusal:
            frame = user_frame()
            self.refusal = f"{why}, at {source_line(frame.f_code, frame.f_lasti)}"
            if self.strict:
                raise CompileError(f"compile: the call cannot be replayed, because {self.refusal}")

    def new(self, letter: str) -> str:
        """The next name that begins so."""
        self.counts[letter] = self.counts.get(letter, -1) + 1
        return f"{letter}{self.counts[letter]}"

    def bind(self, array: Any, name: str) -> str:
        """Let `name` be that of `array`."""
        self.known[id(array)] = name
        if isinstance(array, np.ndarray):
            key = memory_key(array)
            self.places[key] = name
            if array.flags.c_contiguous:
                self.whole[array.ctypes.data, array.size, array.dtype.char] = name
            self.held.append(weakref.ref(array, functools.partial(self.forget, id(array), key, name)))
            if array.nbytes >= LARGE and name[0] in "vg":
                self.tape.large[name] = array.nbytes
        else:
            self.held.append(array)
        return name

    def forget(self, identity: int, key: Any, name: str, _: Any) -> None:
        """An array is gone, and others may have its identity and memory."""
        if self.known.get(identity) == name:
            del self.known[identity]
        if self.places.get(key) == name:
            del self.places[key]
        for whole in [whole for whole in ((key[0], math.prod(key[1]), key[3]),) if self.whole.get(whole) == name]:
            del self.whole[whole]

    def name(self, array: Any, t: Any = None, constant: bool = False) -> str:
        """The name of `array`, which is that of the tensor `t` if that is given. Refuses one that nobody has made, unless it may
        be a `constant`."""
        found = self.known.get(id(array))
        if found is None and isinstance(array, np.ndarray) and array.base is not None:
            found = self.places.get(memory_key(array)) or self.reshaped(array)
        if found is not None:
            return found
        if not isinstance(array, (np.ndarray, np.generic)):
            self.refuse("an array is not NumPy's")
            return "unknown"
        if t is not None and id(t) not in self.tensors and (leaf := self.leaf_with_grad(t)) is not None:
            name = self.new("g")
            self.do((name,), f"{leaf}._grad.array")
            return self.bind(array, name)
        if t is not None:
            return self.before(t)
        if array.ndim and not constant:
            self.refuse("an array is used that was not computed by operations")
        name = self.new("c")
        self.tape.names[name] = array
        self.held.append(array)
        return self.bind(array, name)

    def reshaped(self, array: Any) -> str | None:
        """The name of `array`, if it is all of a known array in another shape."""
        other = self.whole.get((array.ctypes.data, array.size, array.dtype.char))
        if other is None or not array.flags.c_contiguous:
            return None
        name = self.new("v")
        self.do((name,), f"{other}.reshape({array.shape!r})", pure=True)
        return self.bind(array, name)

    def before(self, t: Any) -> str:
        """The name of the array of a tensor that was there before the call."""
        number = self.new("w")
        self.tensors[id(t)] = f"tensor_{number}", t
        self.tape.names[number] = t.array
        return self.bind(t.array, number)

    def tensor_name(self, t: Any) -> str | None:
        """What lines call the tensor `t` itself, which was there before the call; None for one that the call has made."""
        if id(t) not in self.tensors and id(t.array) not in self.known:
            self.before(t)
        if id(t) not in self.tensors:
            return None
        name = self.tensors[id(t)][0]
        if name not in self.tape.inputs:
            self.tape.names[name] = t
        return name

    def leaf_with_grad(self, t: Any) -> str | None:
        """The name of the known leaf whose ``.grad`` the tensor `t` is."""
        for _, leaf in self.tensors.values():
            if leaf._grad is t:
                if id(leaf) not in self.settled:
                    self.had_grad.setdefault(id(leaf), (leaf, True))
                return self.tensor_name(leaf)
        return None

    def value(self, x: Any) -> str:
        """A setting as the lines write it."""
        if (literal := written(x, self.value)) is not None:
            return literal
        if x.__class__ is dict and all([k.__class__ is str for k in x]):
            return written_dict(x, self.value)
        if isinstance(x, TensorBase):
            found = self.tensor_name(x)
            return f"tensor({self.name(x.array)})" if found is None else found
        if isinstance(x, np.ndarray):
            return self.name(x)
        if isinstance(x, FunctionType):
            return self.tape.function(x)
        if id(x) not in self.objects:
            name = self.objects[id(x)] = self.new(f"{type(x).__name__.strip('_').lower()}_")
            self.tape.names[name] = x
        return self.objects[id(x)]

    def used(self, text: str) -> frozenset[str]:
        """The names of values in a piece of a line."""
        return frozenset(VALUE.findall(text))

    def do(self, targets: tuple[str, ...], text: str, forward: Any = None, several: bool = False, pure: bool = False) -> None:
        """Add a line. One that is `pure` does nothing but make its targets."""
        frame = user_frame()
        self.tape.lines.append(Line(targets, text, self.used(text), (frame.f_code, frame.f_lasti), forward, several, pure))

    # ------------------------------------------------------------------------------------------------ operations

    def called(self, info: Any, inputs: tuple[Any, ...], settings: dict[str, Any], result: Any) -> None:
        if self.refusal:
            return
        self.settle()
        if info.name in DATA_DEPENDENT:
            self.refuse(f"the number of elements that {info.called} gives depends on their values")
            return
        operands = tuple([None if t is None else self.name(t.array, t, constant=not t.array.ndim) for t in inputs])
        given = ", ".join([*[str(n) for n in operands], *[f"{k}={self.value(v)}" for k, v in settings.items()
                                                          if v is not info.settings[k]]])
        if result is inputs[0]:  # written in place
            self.own_constant(operands[0])
            self.do((), f"{self.tape.function(info.writer)}({given})", (info, operands, settings))
            return
        results = result if isinstance(result, tuple) else (result,)
        if not info.outputs and id(result.array) in self.known and self.known[id(result.array)] in operands:
            return  # the operand itself
        arrays = [None if t is None else t.array for t in inputs]
        if not self.refusal and "generator" not in settings and self.opened_forward(info, operands, arrays, settings, results):
            return
        names = tuple([self.new("v") for _ in results])
        text = self.call_text(info, operands, given, arrays, settings, results)
        self.do(names, text, (info, operands, settings), several=bool(info.outputs), pure="generator" not in settings)
        for name, t in zip(names, results):
            if info.outputs and not t.array.ndim:
                self.do((name,), f"{self.tape.function(unwrap_result)}({name})", pure=True)
            if info.outputs and info.layout:
                like = "".join([f", {n}" for n in operands])
                self.do((name,), f"{self.tape.function(layouts.lay_out)}({info.layout!r}, {name}{like})", pure=True)
            self.bind(t.array, name)

    def opened_forward(self, info: Any, operands: Any, arrays: list[Any], settings: dict[str, Any], results: Any) -> bool:
        """Whether the lines of a forward could be written down instead of its call."""
        wanted = tuple([t.array for t in results]) if info.outputs else results[0].array
        other = {k: v for k, v in settings.items() if v is not info.settings[k]}
        names = {id(x): n for x, n in zip(arrays, operands) if x is not None}
        texts = self.opened(info.forward, tuple(arrays), other, wanted, names, "v", (info, operands, settings))
        if texts is None:
            return False
        for t, text in zip(results, texts):
            if not t.array.ndim:
                name = self.new("v")
                self.do((name,), f"{self.tape.function(np.asarray)}({text})", pure=True)
                text = name
            self.bind(t.array, text)
        return True

    def opened(self, function: Callable[..., Any], args: tuple[Any, ...], settings: dict[str, Any], results: Any,
               names: dict[int, str], letter: str, forward: Any = None) -> list[Any] | None:
        """Write down the lines of a call, and return the names of its results, or None where it stays closed; `forward` is as
        that of lines."""
        def own(x: Any) -> str:
            if x is None:
                return self.new("c")
            return self.tape.function(x) if callable(x) and not isinstance(x, type) else self.value(x)

        made = open_call(function, args, settings, results, names, lambda: self.new(letter), own, self.tape.names)
        if made is None:
            return None
        self.tape.names.update(made.constants)
        for target, text in made.lines:
            self.do(tuple(target.split(", ")) if target else (), text, forward, several=", " in target, pure=bool(target))
        return made.results

    def call_text(self, info: Any, operands: Any, given: str, arrays: list[Any], settings: dict[str, Any], results: Any) -> str:
        """The right side of a line that calls a forward."""
        if computes_in_opmath(info, arrays):
            declared = self.value(info)
            text = f"{self.tape.function(run_forward)}({declared}, ({', '.join(map(str, operands))},), " \
                   f"{self.value(dict(settings))})"
        else:
            forward = as_ufunc(info.forward)
            formula = None if info.variadic or info.settings or forward is not info.forward else formula_of(forward)
            text = f"{self.tape.function(forward)}({given})" if formula is None else \
                substituted(formula, dict(zip(info.arguments, map(str, operands))))
        if info.outputs:
            return text
        array = results[0].array
        if not array.ndim:
            text = f"{self.tape.function(unwrap_result)}({text})"
        if info.layout and array.ndim and self.needs_layout(info, arrays, settings, array):
            text = f"{self.tape.function(layouts.lay_out)}({info.layout!r}, {text}, {', '.join(map(str, operands))})"
        return text

    def needs_layout(self, info: Any, arrays: list[Any], settings: dict[str, Any], result: Any) -> bool:
        """Whether the forward gives another layout than the one that the operation declares."""
        if info.layout == "ufunc" and arrays[0].flags.c_contiguous or result.ndim < 2 and result.flags.c_contiguous:
            return False
        if "generator" in settings:
            return True
        return bool(unwrap_result(run_forward(info, arrays, settings)).strides != result.strides)

    # ------------------------------------------------------------------------------------------------ writes

    def noted(self, array: Any, op_name: str) -> None:
        """See that `array` was written, before it is known how."""
        if self.refusal or self.inside:
            return
        if id(array) in self.written:
            self.note_version(array, op_name)
        else:
            self.unexplained.append((array, op_name))

    def note_version(self, array: Any, op_name: str) -> None:
        """Let the ledger know of a write to memory that is there after the call."""
        name = self.name(array)
        if name[0] in "xw":
            self.do((), f"{self.tape.function(ledger.record, 'note_write')}({name}, {op_name!r})")

    def wrote(self, target: Any, value: Any) -> None:
        if self.refusal:
            return
        self.settle()
        noted = [op_name for array, op_name in self.unexplained if array is target.array]
        self.unexplained = [(array, op_name) for array, op_name in self.unexplained if array is not target.array]
        if value is not target:
            name, new = self.name(target.array, target), self.name(value.array, value, constant=not value.array.ndim)
            self.own_constant(name)
            self.do((), f"{self.tape.function(write_all)}({name}, {new})")
        for op_name in noted:
            self.note_version(target.array, op_name)

    def made(self, t: Any) -> None:
        if self.refusal or id(t.array) in self.known:
            return
        if t.array.base is not None and t.array.base.nbytes > 64 or not isinstance(t.array, np.ndarray):
            self.refuse("a tensor is made on the memory of another array")
            return
        name = self.new("c")
        self.tape.names[name] = self.pristine[name] = t.array.copy(order="K")
        self.bind(t.array, name)

    def own_constant(self, name: str | None) -> None:
        """Let each replay have its own copy of a constant that it writes."""
        if name is None or name[0] != "c":
            return
        if name not in self.pristine:
            self.refuse("a constant is written in place")
        elif f"{name}_made" not in self.tape.names:
            made = f"{name}_made"
            self.tape.names[made] = self.tape.names.pop(name)
            self.do((name,), f"{made}.copy(order='K')")
            self.tape.lines.insert(len(self.tape.inputs), self.tape.lines.pop())

    def read(self, array: Any) -> None:
        if not self.inside:
            self.refuse("Python looks at the values of a tensor")

    def drawn(self, generator: Any) -> None:
        """See that random numbers are about to be drawn."""
        if not self.inside:
            self.refuse("random numbers are drawn by other means than operations")

    def perform(self, function: Callable[..., Any], args: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        if self.refusal or self.inside:
            return function(*args, **settings)
        self.settle()
        given = [*args, *settings.values()]
        if any([isinstance(x, FunctionType) for x in given]):
            self.refuse(f"{function.__name__} is given a function")
        names = ", ".join([*[self.value(x) for x in args], *[f"{k}={self.value(x)}" for k, x in settings.items()]])
        for x in given:
            if isinstance(x, np.ndarray):
                self.own_constant(self.name(x))
        self.inside += 1
        token = watching.watcher.set(None)
        try:
            result = function(*args, **settings)
        finally:
            watching.watcher.reset(token)
            self.inside -= 1
        if self.refusal:
            return result
        self.written = {id(x.array if isinstance(x, TensorBase) else x) for x in flattened(given)}
        text = f"{self.tape.function(function)}({names})"
        results = result if isinstance(result, tuple) else (result,)
        if result is None or any([result is x for x in given]):
            self.do((), text)
            self.note_settled(args)
        elif all([isinstance(x, (np.ndarray, TensorBase)) for x in results]):
            new = tuple([self.new("v") for _ in results])
            self.do(new, f"{text}.array" if isinstance(result, TensorBase) else text, several=isinstance(result, tuple))
            for name, x in zip(new, results):
                if isinstance(result, tuple) and isinstance(x, TensorBase):
                    self.do((name,), f"{name}.array")
                self.bind(x.array if isinstance(x, TensorBase) else x, name)
        else:
            self.refuse(f"{function.__name__} gives what is no tensor")
        return result

    def note_settled(self, args: tuple[Any, ...]) -> None:
        """Remember of an optimizer's parameters that the call has seen to their ``.grad`` itself."""
        for group in getattr(args[0], "param_groups", ()) if args else ():
            for p in group["params"]:
                self.tensor_name(p)
                self.settled.add(id(p))

    # ------------------------------------------------------------------------------------------------ gradients

    def check_backward(self, node: Node, g: Any, saved: tuple[Any, ...], grads: tuple[Any, ...]) -> None:
        if self.refusal or isinstance(g, TensorBase) or any([isinstance(x, TensorBase) for x in grads]):
            return  # of recorded passes, the operations are seen
        if node.extras is not None or not hasattr(type(node), "info") and not isinstance(node, AliasBackward0):
            self.refuse("a backward pass calls hooks, or a function of the user's")
            return
        names = self.gradient_of(node, g)
        if self.refusal:
            return
        outs = self.apply(node, g, names, saved, grads)
        for edge, grad, name in zip(node.inputs, grads, outs):
            if grad is not None and name is not None:
                self.send(edge, grad, name)

    def gradient_of(self, node: Any, g: Any) -> Any:
        """The name of the gradient of a node's result, or a list of those of several."""
        if not isinstance(g, tuple):
            return self.total(self.sent.pop(node, []), g)
        ports = sorted([e for e in self.sent if isinstance(e, Port) and e.inputs[0] is node], key=lambda port: -port.stamp)
        by_index: dict[int, list[tuple[str, Any]]] = {}
        for port in ports:
            by_index.setdefault(port.index, []).append(self.added(self.sent.pop(port)))
        return [None if x is None else self.total(by_index.get(k, []), x) for k, x in enumerate(g)]

    def total(self, parts: list[tuple[str, Any]], g: Any) -> str:
        """The name of `g`, which is the sum of these gradients, in the order in which they came."""
        if not parts:  # what the pass begins with
            if id(g) not in self.known and isinstance(g, np.ndarray) and g.size == 1 and g.reshape(-1)[0] == 1:
                return self.name(g, constant=True)
            return self.name(g)
        name, total = self.added(parts)
        if total.dtype != g.dtype or total.shape != g.shape or total.tobytes() != g.tobytes():
            self.refuse("a gradient is changed on its way")
        return self.bind(g, name)

    def added(self, parts: list[tuple[str, Any]]) -> tuple[str, Any]:
        """The name and the value of the sum of gradients, in the order in which they came."""
        name, total = parts[0]
        for other, part in parts[1:]:
            added = self.new("g")
            self.do((added,), f"{name} + {other}", pure=True)
            name, total = added, total + part
        return name, total

    def send(self, edge: Any, grad: Any, name: str) -> None:
        """Note a gradient that goes along `edge`, in the shape of what is there."""
        shape = edge.shape if isinstance(edge, Node) else edge.array.shape
        if grad.shape != shape:
            back: Any = expand if not grad.shape and len(shape) else sum_to_size
            grad, summed = back.info.forward(grad, size=shape), self.new("g")
            self.do((summed,), f"{self.tape.function(back.info.forward)}({name}, size={self.value(tuple(shape))})", pure=True)
            name = self.bind(grad, summed)
        parts = self.sent.setdefault(edge, [])
        parts.append((name, grad))
        if len(parts) > 1 and not isinstance(edge, Port) and not (self.leaves_apart and isinstance(edge, TensorBase)):
            # At once, so that the memory of both can be given back.
            parts[:] = [self.added(parts)]

    def apply(self, node: Any, g: Any, names: Any, saved: tuple[Any, ...], grads: tuple[Any, ...]) -> list[str | None]:
        """Add the lines that apply the rules of a node, and return the names of the gradients."""
        if isinstance(node, AliasBackward0):
            return [names]
        info = type(node).info
        kept = [self.kept(a) for a in saved]
        outs: list[str | None] = [None if grad is None else self.known.get(id(grad)) if isinstance(grad, np.ndarray) else None
                                  for grad in grads]
        complex_ = any([x is not None and x.dtype.kind == "c" for x in (*grads, *(g if isinstance(g, tuple) else (g,)))])
        if type(node) is not info.node_class or info.variadic or isinstance(g, tuple) or complex_:
            return self.apply_whole(node, g, names, saved, kept, grads)
        known = {"g": names, **dict(zip(info.kept_arrays, kept))}
        arrays = {"g": g, **dict(zip(info.kept_arrays, saved))}
        values = dict(zip(info.kept_values, node.settings))
        done: set[Any] = set()
        for k, (argument, grad) in enumerate(zip(info.arguments, grads)):
            if grad is None or node.inputs[k] is None or argument in done:
                continue
            rule, together = info.rules[argument], info.joint.get(argument, (argument,))
            texts = {n: known.get(n) or ("" if n == "wanted" and n not in values else self.value(values[n]))
                     for n in parameters_of(rule)}
            places = [info.arguments.index(a) for a in together]
            if len(together) > 1:
                wanted = tuple([node.inputs[p] is not None for p in places])
                if "wanted" in texts and "wanted" not in values:
                    texts["wanted"] = repr(wanted)
                opened = self.opened(functools.partial(wanted_only, rule, wanted), tuple([
                    wanted if n == "wanted" and n not in values else arrays[n] if n in arrays else values[n]
                    for n in parameters_of(rule)]), {}, tuple([grads[p] for p in places]),
                    {id(arrays[n]): known[n] for n in parameters_of(rule) if arrays.get(n) is not None}, "g")
                done.update(together)
                if opened is not None:
                    for p, text in zip(places, opened):
                        outs[p] = None if text is None else self.bind(grads[p], text)
                    continue
                fresh = [self.new("g") for _ in places]
                self.do(tuple(fresh), f"{self.tape.function(rule)}({', '.join(texts.values())})", several=True, pure=True)
                for p, name in zip(places, fresh):
                    if grads[p] is not None and node.inputs[p] is not None:
                        outs[p] = self.bind(grads[p], name)
                continue
            if outs[k] is not None:  # the rule gives what it was given
                continue
            given = tuple([arrays[n] if n in arrays else values[n] for n in parameters_of(rule)])
            named = {id(arrays[n]): known[n] for n in parameters_of(rule) if arrays.get(n) is not None}
            opened = self.opened(rule, given, {}, grad, named, "g")
            if opened is not None:
                outs[k] = self.bind(grad, opened[0])
                continue
            formula = formula_of(rule)
            text = f"{self.tape.function(rule)}({', '.join(texts.values())})" if formula is None else substituted(formula, texts)
            name = outs[k] = self.new("g")
            self.do((name,), text, pure=True)
            self.bind(grad, name)
        return outs

    def kept(self, saved: Any) -> str:
        """What lines call an array that a node has saved, or all results of its operation."""
        if isinstance(saved, tuple):
            return f"({', '.join([self.kept(a) for a in saved])},)"
        return "None" if saved is None else self.name(saved, constant=not saved.ndim)

    def kept_names(self, saved: Any) -> Any:
        """The names of what a node has saved, in the form that it has."""
        return tuple([self.kept_names(a) for a in saved]) if isinstance(saved, tuple) else self.kept(saved)

    def apply_whole(self, node: Any, g: Any, names: Any, saved: tuple[Any, ...], kept: list[Any],
                    grads: tuple[Any, ...]) -> list[str | None]:
        """Add a line that applies all rules of a node as the engine does."""
        stub = self.new("node_")
        self.tape.names[stub] = copied = Stub(node)
        arrays = flattened([g if isinstance(g, tuple) else (g,), saved])
        texts = flattened([names if isinstance(names, list) else (names,), [self.kept_names(a) for a in saved]])
        opened = self.opened(lambda g, saved: engine.apply_rules(copied.node, g, saved), (g, saved), {}, grads,
                             {id(a): text for a, text in zip(arrays, texts) if a is not None}, "g")
        if opened is not None:
            return [None if text is None else self.bind(grad, text) for grad, text in zip(grads, opened)]
        if isinstance(names, list):
            names = f"{self.tape.function(engine.OutputGradients)}([{', '.join(map(str, names))}])"
        outs = [None if grad is None else self.new("g") for grad in grads]
        targets = tuple([out or "_" for out in outs])
        given = f"({', '.join(kept)}{',' if kept else ''})"
        text = f"{self.tape.function(engine.apply_rules)}({stub}.node, {names}, {given})"
        self.do(targets, text, several=True, pure=True)
        for out, grad in zip(outs, grads):
            if out is not None:
                self.bind(grad, out)
        return outs

    def arrived(self, gradients: dict[Any, Any], returned: list[tuple[Any, Any, Any]] | None) -> None:
        if self.refusal:
            return
        self.settle()
        names: dict[Any, str] = {}
        for edge, g in gradients.items():
            if isinstance(g, tuple) or not isinstance(edge, TensorBase) and returned is None:
                self.refuse("gradients of what is no leaf are kept")
            elif not isinstance(g, TensorBase):
                hooked = isinstance(edge, TensorBase) and any([k in edge.__dict__ for k in (
                    "_leaf_hooks", "_accumulation", "_post_accumulate_hooks")])
                if hooked:
                    self.refuse("a gradient has hooks")
                names[edge] = self.total(self.sent.pop(edge, []), g)
            if returned is None and not self.refusal:
                leaf: Any = edge
                name = names[edge] if edge in names else self.name(g.array)
                self.due.append((leaf, name, g, leaf._grad))
        for edge, t, given in returned or ():
            if given is not None and edge in names and not self.refusal and given.array is not gradients[edge]:
                self.own(names[edge], self.name(t.array, t) if isinstance(t, TensorBase) else names[edge], given.array)
        self.sent.clear()

    def own(self, name: str, like: str, array: Any) -> str:
        """Add a line that makes a gradient an array of its own, and return its name."""
        new = self.new("g")
        self.do((new,), f"{self.tape.function(own_copy)}({name}, {like})", pure=True)
        return self.bind(array, new)

    def settle(self) -> None:
        """Write down what has been done with gradients that have arrived at leaves."""
        due, self.due = self.due, []
        for leaf, name, g, held in due:
            tensor_name = self.tensor_name(leaf)
            if isinstance(g, TensorBase):
                self.refuse("gradients with a graph are kept in .grad")
                return
            if held is not None and held.node is not None:
                self.refuse("a gradient in .grad has a graph")
                return
            if tensor_name is not None and id(leaf) not in self.settled:
                self.had_grad.setdefault(id(leaf), (leaf, held is not None))
                self.settled.add(id(leaf))
            if held is not None:
                self.unexplained = [(array, op) for array, op in self.unexplained if array is not held.array]
                self.do((), f"{self.tape.function(add_to)}({self.name(held.array)}, {name})" if tensor_name is None
                        else f"{self.tape.function(add_gradient)}({tensor_name}, {name})")
                continue
            kept = leaf._grad.array
            if kept is not g:
                name = self.own(name, self.name(leaf.array, leaf), kept)
            if tensor_name is not None:
                self.do((f"{tensor_name}._grad",), f"tensor({name})")

    def set_grad(self, t: Any, grad: Any) -> None:
        if self.refusal or self.inside:
            return
        self.settle()
        self.settled.add(id(t))
        name = self.tensor_name(t)
        if name is None:
            return
        if grad is not None and grad.node is not None:
            self.refuse("a gradient with a graph is assigned to .grad")
        elif not self.refusal:
            self.do((f"{name}._grad",), "None" if grad is None else self.value(grad))

    # ------------------------------------------------------------------------------------------------ results

    def finish(self, result: Any) -> None:
        """Write down what the call returns."""
        if self.refusal:
            return
        self.settle()
        if self.unexplained and not self.refusal:
            self.refuse(f"{self.unexplained[0][1]} has written in place")
        tensors = {id(t): t for t in tree_leaves(result) if isinstance(t, TensorBase)}
        live = [t for t in tensors.values() if isinstance(t.node, Node) and self.tensor_name(t) is None and self.is_live(t.node)]
        if live and not self.refusal:
            self.record_passes(live)
        if not self.refusal:
            text = self.result_text(result)
            self.tape.result, self.tape.result_uses = text, self.used(text)

    def record_passes(self, live: list[Any]) -> None:
        """Record the backward passes from the results `live`, as their gradients may come from outside of the call."""
        nodes = reachable_nodes([t.node for t in live])
        if len({t.node for t in live}) < len(live) or len(live) > MOST_RESULTS or any([n.extras is not None for n in nodes]):
            self.refuse("what is returned has a graph with hooks, or there are many such results")
            return
        arrays = "".join([f"{self.name(t.array)}, " for t in live])
        frame = user_frame()
        self.passes = passes = Passes([t.array.shape for t in live], (frame.f_code, frame.f_lasti))
        self.live = {id(t): f"r{k}" for k, t in enumerate(live)}
        forward = self.tape
        for choice in passes.choices():
            chosen = [t for t, wanted in zip(live, choice) if wanted]
            self.tape = Tape()
            self.tape.share(forward)
            leaves = self.record_pass(chosen)
            passes.tapes[choice] = self.tape, leaves
        self.tape = forward
        tapes = [tape for tape, _ in passes.tapes.values()]
        made = {name for tape in tapes for names in (tape.inputs, *[line.targets for line in tape.lines]) for name in names}
        used = {name for tape in tapes for names in (tape.result_uses, *[line.uses for line in tape.lines]) for name in names}
        passes.saved = sorted([n for n in used - made if n[0] != "c"], key=lambda name: (name[0], int(name[1:])))
        for tape in tapes:
            tape.inputs += passes.saved
        given = ", ".join([f"({''.join([f'{n}, ' for n in names])})" for names in (passes.saved, passes.leaf_names)])
        self.do(tuple(self.live.values()), f"{self.value(passes)}.results(({arrays}), {given})", several=True)

    def record_pass(self, chosen: list[Any]) -> list[str]:
        """Record the backward pass from these results, and return what the leaves are called that its gradients go to."""
        roots = []
        for t in chosen:
            seed = np.ones_like(t.array)
            name = self.new("s")
            self.bind(seed, name)
            self.held.append(seed)
            self.tape.inputs.append(name)
            self.sent[t.node] = [(name, seed)]
            roots.append((t.node, seed))
        run = engine.Pass(roots, True, False, None, TensorBase.result_class, set(), False)
        self.leaves_apart = True
        with run:
            while run.heap and not self.refusal:
                node, g = run.pop_youngest()
                for position, (edge, grad) in enumerate(zip(node.inputs, run.apply_rules(node, g))):
                    if grad is not None and isinstance(edge, Node):
                        same = grad.shape == edge.shape
                        run.arrive(edge, grad if same else engine.unbroadcast(grad, edge.shape, node, position))
        arrived = [(leaf, name) for leaf, parts in self.sent.items() if not isinstance(leaf, Node) for name, _ in parts]
        self.sent.clear()
        self.leaves_apart = False
        arrived = [(leaf, name) for leaf, name in arrived if self.tensor_name(leaf) is not None]
        self.tape.result = f"({', '.join([name for _, name in arrived])}{',' if arrived else ''})"
        self.tape.result_uses = self.used(self.tape.result)
        return [str(self.tensor_name(leaf)) for leaf, _ in arrived]

    def is_live(self, node: Node) -> bool:
        """Whether a backward pass can begin at `node`, and gives what is another thing in each call."""
        nodes = list(reachable_nodes([node]))
        if any([n.saved.__class__ is FreedMark for n in nodes]):
            return False
        inputs = {t for name, t in self.tensors.values() if name in self.tape.inputs}
        return any([n.saved or n.extras is not None or not inputs.isdisjoint(
            [e for e in n.inputs if isinstance(e, TensorBase)]) for n in nodes])

    def result_text(self, x: Any) -> str:
        """What is returned, as the last line writes it."""
        if isinstance(x, TensorBase):
            return self.result_tensor(x)
        if x is None or x.__class__ in (bool, int, float, str):
            return self.value(x)
        if x.__class__ in (tuple, list):
            return str(written(x, self.result_text))
        if x.__class__ is dict and all([k.__class__ is str for k in x]):
            return written_dict(x, self.result_text)
        if isinstance(x, tuple) and hasattr(x, "_fields"):
            return f"{self.tape.function(type(x))}({', '.join([self.result_text(part) for part in x])})"
        self.refuse(f"what is returned, of the class {type(x).__name__}, is no tensor, number or container")
        return "None"

    def result_tensor(self, t: Any) -> str:
        """A tensor that is returned."""
        if (before := self.tensor_name(t)) is not None:
            return before
        name = self.name(t.array, t)
        if t.__class__ is not TensorBase.result_class:
            self.refuse(f"a tensor of the class {type(t).__name__} is returned")
        if name[0] == "c":
            name = f"{name}.copy(order='K')"
        if t._base is not None and self.known.get(id(t._base.array), "x")[0] in "xw":
            self.refuse("a view is returned of a tensor that was there before")
        if t.node is None:
            off = t.__dict__.get("_off")
            if hasattr(off, "what"):
                kept = self.new("off_")
                self.tape.names[kept] = Reason(off)
                return f"tensor_with({name}, None, {kept}.off)"
            return f"tensor({name})"
        if t.node is LEAF:
            return f"tensor_with({name}, {self.value(LEAF)}, None)"
        if id(t) in self.live:
            return self.live[id(t)]
        place = self.new("node_")
        self.tape.names[place] = Place(t.node)
        return f"tensor_with({name}, {place}.node, None)"


class Place:
    """The place of a result in a graph that has been freed."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def same_as(self, other: Place) -> bool:
        """Whether the results are of the same operation."""
        return type(self.node) is type(other.node)


class Reason:
    """Why a result has no graph."""

    def __init__(self, off: Any) -> None:
        self.off = off

    def same_as(self, other: Reason) -> bool:
        """Whether it is the same reason."""
        return bool(self.off.what == other.off.what)


def wanted_only(rule: Callable[..., Any], wanted: tuple[bool, ...], *args: Any) -> tuple[Any, ...]:
    """What a joint rule gives, with None for what is not wanted."""
    return tuple([grad if want else None for grad, want in zip(rule(*args), wanted)])


def add_gradient(leaf: Any, g: Any) -> None:
    """Add the array `g` to ``leaf.grad``, as a backward pass does."""
    accumulate(leaf, g, TensorBase.result_class, set())


def memory_key(array: Any) -> Any:
    """What two arrays have in common that are the same part of the same memory."""
    return array.ctypes.data, array.shape, array.strides, array.dtype.char


def flattened(values: Any) -> list[Any]:
    """The elements of lists and tuples within lists and tuples."""
    return [x for value in values for x in (flattened(value) if isinstance(value, (list, tuple)) else [value])]


VALUE = re.compile(r"\b[xwcvgsr]\d+\b")  # the name of a value, in a line


def substituted(formula: ast.expr, texts: dict[str, str]) -> str:
    """The source of `formula` with the expressions `texts` in the place of its names."""
    class Substitute(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return ast.parse(texts[node.id], mode="eval").body if node.id in texts else node

    found: ast.expr = Substitute().visit(copy.deepcopy(formula))
    return ast.unparse(found)
