"""What a recording depends on beside the elements of tensors: under which conditions a replay does what the call would do.

Of the arguments these are the shapes, dtypes and strides of tensors, and everything else by value. Of what the program reaches by
its names (globals, variables of enclosing functions, attributes) it is the identity of tensors and functions, the settings of
modules, and numbers by value: of those names that occur in the code that ran.
"""

from __future__ import annotations

import functools
import gc
import os
import sys
import sysconfig
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, Callable, Iterator

import numpy as np

from minigrad import _arrays
from minigrad._types import dtypes
from minigrad._types.tensor_base import LEAF, TensorBase
from minigrad.nn.modules.module import Module
from minigrad.recording.clock import PACKAGE
from minigrad.recording.graph import grad_enabled

SIMPLE = (bool, int, float, complex, str, bytes, type(None))
OURS = (PACKAGE, os.path.dirname(np.__file__) + os.sep, "<frozen ")
LIBRARY = sysconfig.get_paths()["stdlib"] + os.sep
COMPILERS = tuple([f"{os.sep}{name}{os.sep}" for name in ("numba", "llvmlite")])  # of kernels, when these are first needed
MISSING = object()


@functools.cache
def is_standard(file: str) -> bool:
    """Whether a file's code is not the user's, but of this package, NumPy, what compiles kernels, or Python's library."""
    return file.startswith(OURS) or any([folder in file for folder in COMPILERS]) \
        or file.startswith(LIBRARY) and "site-packages" not in file


def has(value: Any, name: str) -> bool:
    """Whether an object has an attribute; what raises something else instead of saying so has none."""
    try:
        return hasattr(value, name)
    except Exception:
        return False


class Seen:
    """The code of the user's that runs in a block: each code object, and the globals that it ran with. What the collector of
    garbage calls, at any time, is no part of it."""

    def __init__(self) -> None:
        self.collectors = {getattr(callback, "__code__", None) for callback in gc.callbacks}
        self.codes: dict[CodeType, dict[str, Any]] = {}

    def __enter__(self) -> Seen:
        # A debugger, or what counts which lines were run, may be seeing it too, by one of the two ways there are.
        self.set = sys.settrace if sys.gettrace() is None else sys.setprofile
        self.set(self.see)
        return self

    def __exit__(self, *exc: object) -> None:
        self.set(None)

    @staticmethod
    def can_see() -> bool:
        """Whether one of the ways to see what is run is free."""
        return sys.gettrace() is None or sys.getprofile() is None

    def see(self, frame: Any, event: str, arg: Any) -> None:
        """See that a function begins to run."""
        code = frame.f_code
        if code not in self.codes and code not in self.collectors and not is_standard(code.co_filename):
            self.codes[code] = frame.f_globals


class Place:
    """A place that the program finds something in: a dictionary, which may be that of an `owner`, and a key; or the cell of a
    variable."""

    def __init__(self, where: Any, key: Any, what: str, owner: Any = None) -> None:
        self.where, self.key, self.what = where, key, what
        self.owner = where if owner is None else owner

    def get(self) -> Any:
        """What is there now."""
        if self.key is None:
            try:
                return self.where.cell_contents
            except ValueError:
                return MISSING
        return self.where.get(self.key, MISSING)


class Surroundings:
    """All that a program reaches from a function, by the names in the code that has run."""

    def __init__(self, function: Any, arguments: list[Any], seen: Seen) -> None:
        self.places: list[tuple[Place, Any]] = []
        self.modules: list[tuple[Any, Any]] = []
        self.tensors: dict[int, Any] = {}
        self.met: dict[Any, Any] = {}
        self.names = {name for code in seen.codes for name in code.co_names}
        self.reach(function)
        for x in arguments:
            self.reach(x)
        for code, variables in seen.codes.items():
            for name in code.co_names:
                if name in variables:
                    self.note(Place(variables, name, name))

    def note(self, place: Place) -> None:
        """Look at what is in a place of the program's, and go on from there."""
        key = id(place.owner), place.key
        if key in self.met:
            return
        self.met[key] = place
        value = place.get()
        self.places.append((place, snapshot(value)))
        self.reach(value)

    def reach(self, value: Any) -> None:
        """Look at what `value` leads to."""
        if isinstance(value, SIMPLE) or id(value) in self.met:
            return
        self.met[id(value)] = value
        if isinstance(value, TensorBase):
            self.tensors[id(value)] = value
        elif isinstance(value, Module):
            self.modules.append((value, snapshot(value.__dict__, 3)))
            for x in value.__dict__.values():
                self.reach(x)
        elif isinstance(value, FunctionType):
            if not is_standard(value.__code__.co_filename):
                for name, cell in zip(value.__code__.co_freevars, value.__closure__ or ()):
                    self.note(Place(cell, None, name))
                for x in (value.__defaults__ or (), value.__kwdefaults__ or {}):
                    self.reach(x)
            elif has(value, "__wrapped__"):
                self.reach(value.__wrapped__)  # type: ignore[attr-defined]
        elif isinstance(value, MethodType):
            self.reach(value.__self__)
            self.reach(value.__func__)
        elif isinstance(value, functools.partial):
            for x in (value.func, value.args, value.keywords):
                self.reach(x)
        elif isinstance(value, (list, tuple, set, frozenset)):
            for x in value:
                self.reach(x)
        elif isinstance(value, dict):
            for x in value.values():
                self.reach(x)
        elif isinstance(value, ModuleType):
            if not is_standard(getattr(value, "__file__", None) or "<frozen "):
                self.reach_attributes(value)
        elif has(value, "param_groups"):
            for group in value.param_groups:
                self.reach(group["params"])
        elif not isinstance(value, type):
            if isinstance(getattr(value, "__dict__", None), dict) and not defined_in_standard(type(value)):
                self.reach_attributes(value)
        elif not defined_in_standard(value):
            for name in self.names & value.__dict__.keys():
                self.note(Place(value.__dict__, name, f"{value.__name__}.{name}", value))

    def reach_attributes(self, value: Any) -> None:
        """Look at those attributes of an object whose names occur in the code."""
        own = value.__dict__
        for name in self.names & own.keys():
            self.note(Place(own, name, f"{type(value).__name__}.{name}"))
        if not isinstance(value, ModuleType):
            self.reach(type(value))


def defined_in_standard(kind: type) -> bool:
    """Whether a class is of this package or of Python's library."""
    module = sys.modules.get(kind.__module__)
    return kind.__module__ != "__main__" and is_standard(getattr(module, "__file__", None) or "<frozen ")


def snapshot(value: Any, depth: int = 2) -> Any:
    """`value`, or a copy of a container of Python's, to compare it with later."""
    if depth and value.__class__ in (list, set):
        return value.__class__([snapshot(x, depth - 1) for x in value]) if value.__class__ is list else set(value)
    if depth and isinstance(value, dict):
        return {k: snapshot(x, depth - 1) for k, x in value.items()}
    if depth and value.__class__ is tuple:
        return tuple([snapshot(x, depth - 1) for x in value])
    return value


def unchanged(now: Any, then: Any) -> bool:
    """Whether what is in a place is what was there: the same object, or an equal number or container of such."""
    if now is then:
        return True
    if now.__class__ is not then.__class__ and not (isinstance(now, dict) and then.__class__ is dict):
        return False
    if isinstance(now, SIMPLE):
        return bool(now == then)
    if isinstance(now, dict):
        return len(now) == len(then) and all([k in then and unchanged(x, then[k]) for k, x in now.items()])
    if now.__class__ in (list, tuple):
        return len(now) == len(then) and all([unchanged(a, b) for a, b in zip(now, then)])
    return now.__class__ is set and bool(now == then)


def modes() -> tuple[Any, ...]:
    """What is set for all computing."""
    return bool(grad_enabled.get()), dtypes.get_default_dtype(), _arrays.get_default_device()


def walk(args: Any, path: str = "args") -> Iterator[tuple[str, Any]]:
    """The leaves of the arguments of a call, with how each is reached."""
    if args.__class__ in (list, tuple):
        for k, x in enumerate(args):
            yield from walk(x, f"{path}[{k}]")
    elif args.__class__ is dict:
        for k, x in args.items():
            yield from walk(x, f"{path}[{k!r}]")
    else:
        yield path, args


class Guards:
    """The conditions of a recording, as a function of the arguments of a call."""

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any], before: dict[str, Any], had_grad: list[tuple[Any, bool]],
                 around: Surroundings) -> None:
        self.around = around
        self.objects: dict[str, Any] = {"modes": modes, "unchanged": unchanged, "LEAF": LEAF, "MISSING": MISSING}
        self.checks: list[tuple[str, str]] = []  # conditions, and what each is of
        self.args, self.kwargs = args, kwargs
        self.check(f"modes() == {self.object(modes())}", "the mode of gradients, or a default")
        self.check_structure()
        self.check_tensors(before, had_grad)
        self.check_surroundings()
        self.holds, self.source = self.compile()

    def object(self, x: Any) -> str:
        """A name for `x` in the conditions."""
        name = f"o{len(self.objects)}"
        self.objects[name] = x
        return name

    def check(self, condition: str, what: str) -> None:
        """Add a condition."""
        self.checks.append((condition, what))

    def check_structure(self) -> None:
        """Add the conditions on the arguments."""
        self.inputs: list[tuple[str, Any]] = []
        for path, tree in (("args", self.args), ("kwargs", self.kwargs)):
            self.check_tree(path, tree)
        first: dict[int, str] = {}
        for path, t in self.inputs:
            if id(t) in first:
                self.check(f"{path} is {first[id(t)]}", "arguments that are one tensor")
            else:
                self.check(" and ".join([f"{path} is not {other}" for other in first.values()]) or "True",
                           "arguments that are different tensors")
                first[id(t)] = path
        self.input_paths = list(first.values())

    def check_tree(self, path: str, x: Any) -> None:
        """Add the conditions on one argument."""
        if x.__class__ in (list, tuple, dict):
            self.check(f"{path}.__class__ is {self.object(x.__class__)} and len({path}) == {len(x)}", path)
            if x.__class__ is dict:
                self.check(f"list({path}) == {list(x)!r}" if all([k.__class__ is str for k in x]) else
                           f"list({path}) == {self.object(list(x))}", path)
            for k, part in x.items() if x.__class__ is dict else enumerate(x):
                self.check_tree(f"{path}[{k!r}]", part)
        elif isinstance(x, TensorBase):
            self.inputs.append((path, x))
            a, array = f"a{len(self.inputs) - 1}", x.array
            node = "LEAF" if x.node is LEAF else "None"
            self.check(f"{path}.__class__ is {self.object(x.__class__)} and {path}.node is {node} and "
                       f"({a} := {path}.array).shape == {tuple(array.shape)!r} and {a}.dtype is {self.object(array.dtype)} and "
                       f"{a}.strides == {array.strides!r} and {a}.__class__ is {self.object(array.__class__)}", path)
        elif isinstance(x, SIMPLE):
            self.check(f"{path}.__class__ is {self.object(x.__class__)} and {path} == {self.object(x)}", path)
        else:
            self.check(f"{path} is {self.object(x)}", path)

    def check_tensors(self, before: dict[str, Any], had_grad: list[tuple[Any, bool]]) -> None:
        """Add the conditions on tensors that were there before the call, and on the gradients that leaves had."""
        self.tensors = before
        for name, t in before.items():
            tensor, node = self.object(t), "LEAF" if t.node is LEAF else self.object(t.node) if t.node is not None else "None"
            self.check(f"{tensor}.array is {self.object(t.array)} and {tensor}.node is {node}", f"the tensor {name}")
        for t, had in had_grad:
            path = next((path for path, x in self.inputs if x is t), None) or self.object(t)
            self.check(f"{path}._grad is {'not ' * had}None", "whether a tensor has a gradient")

    def check_surroundings(self) -> None:
        """Add the conditions on what the program reaches."""
        for module, then in self.around.modules:
            own = self.object(module.__dict__)
            self.check(f"{own} == {self.object(then)}", f"an attribute of {type(module).__name__}")
        for place, then in self.around.places:
            where = self.object(place.where)
            now = f"{where}.cell_contents" if place.key is None else f"{where}.get({place.key!r}, MISSING)"
            if isinstance(then, SIMPLE) and then is not None:
                condition = f"(now := {now}) == {self.object(then)} and now.__class__ is {self.object(then.__class__)}"
            elif then.__class__ in (list, tuple, dict, set):
                condition = f"unchanged({now}, {self.object(then)})"
            elif isinstance(then, ModuleType) or isinstance(then, FunctionType) and then.__code__.co_filename.startswith(PACKAGE):
                continue  # names that nobody assigns to
            else:
                condition = f"{now} is {self.object(then)}"
            self.check(condition, place.what)

    def compile(self) -> tuple[Callable[..., bool], str]:
        """The function that tells whether the conditions hold, and its source."""
        lines = ["def holds(args, kwargs):", *[f"    if not ({c}): return False" for c, _ in self.checks if c != "True"],
                 "    return True"]
        source = "\n".join(lines) + "\n"
        namespace = dict(self.objects)
        exec(compile(source, f"{PACKAGE}<guards>", "exec"), namespace)
        holds: Callable[..., bool] = namespace["holds"]
        return holds, source

    def hold(self, args: Any, kwargs: Any) -> bool:
        """Whether a call with these arguments does what was recorded. What cannot be compared counts as changed."""
        try:
            return self.holds(args, kwargs)
        except Exception:
            return False

    def broken(self, args: Any, kwargs: Any) -> str:
        """What the first condition that does not hold is of."""
        namespace = {**self.objects, "args": args, "kwargs": kwargs}
        for condition, what in self.checks:
            try:
                if not eval(condition, namespace):
                    return what
            except Exception:
                return what
        return "something that is not compared"

    def equal(self, other: Guards) -> bool:
        """Whether two recordings depend on the same, with the same values."""
        mine, theirs = self.around, other.around
        return self.source == other.source and len(mine.places) == len(theirs.places) and all(
            [a.owner is b.owner and a.key == b.key and unchanged(x, y) for (a, x), (b, y) in zip(mine.places, theirs.places)]) \
            and all([a is b and unchanged(x, y) for (a, x), (b, y) in zip(mine.modules, theirs.modules)]) \
            and list(self.tensors) == list(other.tensors) \
            and all([t is other.tensors[name] and t.array is other.tensors[name].array for name, t in self.tensors.items()])
