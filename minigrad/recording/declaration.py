"""What is known about one operation: arguments and settings, forward and rules, and the properties it was declared with."""

from __future__ import annotations

import inspect
import sys
from functools import cached_property
from types import FunctionType
from typing import Any, Callable

from minigrad._types.named_results import named_results
from minigrad.errors import DeclarationError
from minigrad.recording.graph import Node

if sys.version_info >= (3, 14):
    from annotationlib import Format, get_annotations

REQUIRED = inspect.Parameter.empty  # the default of a setting that has none
NUMPY_NAMES = {"dim": "axis", "keepdim": "keepdims"}  # which PyTorch takes as well


def annotations_of(function: Callable[..., Any]) -> dict[str, str]:
    """The annotations of `function` as they are written, whether its module has postponed them or not.

    Since Python 3.14 they are evaluated when they are asked for, and may speak of what can be found by type checkers only.
    """
    if sys.version_info >= (3, 14):
        return get_annotations(function, format=Format.STRING)
    return {name: found if isinstance(found, str) else inspect.formatannotation(found)
            for name, found in function.__annotations__.items()}


class Declaration:
    """All that is known about one operation; :func:`minigrad.library.op` says what its properties mean.

    ``writer``, where it is set, takes what the forward takes and writes the result into the first array instead: the in-place
    form then makes no copy. The rules of such an operation must not need the values of its floating arguments.
    """

    def __init__(self, forward: Callable[..., Any], *, broadcasts: bool = False, dtypes: str | None = None,
                 discrete: tuple[str, ...] = (), constant: tuple[str, ...] = (), differentiable: bool = True,
                 numbers: tuple[str, ...] | None = None, numbers_alone: bool = False, former: tuple[str, ...] = (),
                 holomorphic: bool = True,
                 outputs: tuple[str, ...] | bool = False, view: bool = False, layout: str | None = None,
                 called: str | None = None, grad_name: str | None = None, connected: bool = False,
                 opmath: bool | str | None = None, wide: tuple[str, ...] = (), bfloat16: bool = False) -> None:
        self.forward = forward
        self.name = forward.__name__
        self.called = called or self.name.strip("_")
        # Read from the code object: inspect.signature would make the import of some hundred declarations slow.
        code, defaults, keywords = forward.__code__, forward.__defaults__ or (), forward.__kwdefaults__ or {}
        positional, end = code.co_argcount, code.co_argcount + code.co_kwonlyargcount
        self.variadic = bool(code.co_flags & inspect.CO_VARARGS)
        self.arguments: tuple[str, ...] = (code.co_varnames[end],) if self.variadic else code.co_varnames[:positional]
        self.optional = tuple(self.arguments[len(self.arguments) - len(defaults):]) if defaults else ()
        self.settings = {name: keywords.get(name, REQUIRED) for name in code.co_varnames[positional:end]}
        self.broadcasts, self.holomorphic, self.view, self.connected = broadcasts, holomorphic, view, connected
        self.layout = layout or ("ufunc" if broadcasts and len(self.arguments) > 1 else None)
        self.discrete, self.constant, self.differentiable = discrete, constant, differentiable
        self.dtypes = dtypes or ("promote" if broadcasts else "any")
        self.alike = () if self.dtypes == "any" else tuple(a for a in self.arguments if a not in discrete)
        self.numbers = numbers if numbers is not None else () if self.dtypes == "same" else self.alike
        self.numbers_alone, self.former = numbers_alone, former
        self.outputs = outputs
        self.opmath = self.dtypes == "float" if opmath is None else opmath
        self.wide = wide
        self.bfloat16 = bfloat16 or view
        # The number of each of several results that a rule can name; an argument or a setting of that name comes first.
        self.results = {name: k for k, name in enumerate(outputs) if name not in (*self.arguments, *self.settings)} \
            if isinstance(outputs, tuple) else {}
        self.writer: Callable[..., Any] | None = None
        self.pieces: Callable[..., Any] | None = None
        self.complete: Callable[[], None]
        self.operator: Any = None  # the form for operators, where one was asked for
        words = "".join(w.capitalize() for w in self.called.replace(".", "_").split("_"))
        self.node_name = grad_name or words + "Backward0"
        self.rules: dict[str, Callable[..., Any]] = {}
        self.joint: dict[str, tuple[str, ...]] = {}  # of an argument whose rule is a joint one: all whose gradients that gives
        # Known when the call path is generated:
        self.needs: dict[str, tuple[str, ...]] = {}  # what each rule names beside g
        self.kept_arrays: list[str] = []  # the arrays the rules name, in the order a node saves them
        self.kept_values: list[str] = []  # the settings, shapes and dtypes they name
        self.node_class: type[Node] | None = None
        self.opmath_node_class: type[Node] | None = None  # where there was a call with numbers of low precision

    @cached_property
    def result_type(self) -> Any:
        """What several results come in."""
        return named_results(self.called, self.outputs) if isinstance(self.outputs, tuple) else tuple

    def add_rule(self, *arguments: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """The decorator that makes a function the derivative rule of the arguments; of several it is their joint rule. Raises
        ``TypeError`` for a rule that names what the operation has not."""
        if not arguments or len(set(arguments)) < len(arguments):
            raise DeclarationError(f"{self.name}.derivative: expected the names of array arguments, each once, not {arguments}")

        def register(rule: Callable[..., Any]) -> Callable[..., Any]:
            if not rule.__name__.isidentifier():
                raise DeclarationError(f"{self.name}.derivative({', '.join(map(repr, arguments))}): a rule is written as a "
                                       "function, not as a lambda")
            known = ("g", "out", *self.results, *self.arguments, *self.settings, *(("wanted",) if len(arguments) > 1 else ()))
            for name in parameters_of(rule):
                if name in known:
                    continue
                described = [a + suffix for a in self.arguments for suffix in ("_shape", "_dtype")]
                if name not in described:
                    raise DeclarationError(f"rule {rule.__name__}: {self.name} has no {name!r}; a rule can name "
                                           f"{sorted([*known, *described])}")
            for argument in arguments:
                if argument not in self.arguments:
                    raise DeclarationError(f"rule {rule.__name__}: {self.name} has no array argument {argument!r}")
            for a, other in self.rules.items():
                if a not in arguments and other is not rule and other.__name__ == rule.__name__:
                    raise DeclarationError(f"rule {rule.__name__}: another rule of {self.name} has that name; call this one "
                                           f"{self.name}_wrt_{'_and_'.join(arguments)}")
            for argument in arguments:
                self.rules[argument] = rule
                self.joint.pop(argument, None)
                if len(arguments) > 1:
                    self.joint[argument] = arguments
            if self.node_class is not None:  # there has been a call already
                self.complete()
            return rule
        return register

    def check_rules(self) -> None:
        """Raise ``TypeError`` unless every argument has a rule or a mark, and none has both."""
        marked = (*self.discrete, *self.constant)
        for argument in marked:
            if argument not in self.arguments:
                raise DeclarationError(f"operation {self.name}: {argument!r} is marked, but the array arguments are "
                                       f"{self.arguments}")
        for argument in self.arguments:
            marks = [mark for mark in ("discrete", "constant") if argument in getattr(self, mark)]
            marks += [] if self.differentiable else ["differentiable=False"]
            if argument in self.rules and marks:
                raise DeclarationError(f"operation {self.name}: argument {argument!r} has a derivative rule and is marked "
                                       f"{marks[0]}; keep one of the two")
            if argument not in self.rules and not marks:
                raise DeclarationError(f"operation {self.name}: argument {argument!r} has no derivative rule; write one under "
                                       f"@{self.name}.derivative({argument!r}), or declare @op(constant=({argument!r},)) for one "
                                       f"that must not require grad, discrete=({argument!r},) for integers or booleans, or "
                                       "differentiable=False for an operation whose result never has a gradient")


def parameters_of(rule: Any) -> tuple[str, ...]:
    """The names of the parameters of a rule."""
    names: tuple[str, ...] = rule.__code__.co_varnames[:rule.__code__.co_argcount]
    return names


def refuse_undeclarable(forward: Any) -> None:
    """Raise ``DeclarationError`` for a forward of which no call path could be generated."""
    if not isinstance(forward, FunctionType) or not forward.__name__.isidentifier():
        raise DeclarationError(f"op: an operation is declared by a function written with def, not by {forward!r}")
    code, name = forward.__code__, forward.__name__
    positional, end = code.co_argcount, code.co_argcount + code.co_kwonlyargcount
    starred = bool(code.co_flags & inspect.CO_VARARGS)
    if code.co_flags & inspect.CO_VARKEYWORDS:
        raise DeclarationError(f"op: {name} takes **{code.co_varnames[end + starred]}; each setting must have a name")
    if starred + positional == 0 or starred and positional:
        raise DeclarationError(f"op: {name} must take array arguments by position: each by name, or one starred sequence of them")
    if any(default is not None for default in forward.__defaults__ or ()):
        raise DeclarationError(f"op: an array argument of {name} has a default other than None; settings stand after a *")
