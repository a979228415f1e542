"""Declaring an operation: its forward on arrays, one derivative rule per argument, and the call path made from them.

    @op(broadcasts=True)
    def mul(input, other):
        "Elementwise product."
        return input * other
    @mul.derivative("input")
    def mul_wrt_input(g, other): return g * other
    @mul.derivative("other")
    def mul_wrt_other(g, input): return g * input

Positional parameters are arrays, parameters after ``*`` are settings. One starred parameter (``*tensors``) takes a sequence
of arrays. A rule names what it needs: ``g`` (the gradient coming in), an array argument, ``out`` (the result), a setting,
or ``<argument>_shape`` / ``<argument>_dtype`` where the values themselves need not be kept. It uses operators and other
operations only, because it runs on arrays in a plain backward pass and on tensors under ``create_graph=True``.

What the declaration gives is a plain function whose source was generated for exactly this signature, as ``dataclasses``
generates ``__init__``: straight-line code with no loops or dictionaries in the way of a call. ``print(mul.source)`` shows
it. It is generated at the first call, when all rules are known.
"""

from __future__ import annotations

import inspect
from collections import namedtuple
from functools import cached_property
from types import FunctionType
from typing import Any, Callable, Protocol, overload

from minigrad.autograd import call, inplace
from minigrad.autograd.codegen import REQUIRED, compile_op, parameters_of
from minigrad.autograd.graph import Node


class Op(Protocol):
    """A declared operation. Call it with tensors, or with arrays to get an array."""

    __name__: str
    source: str  # of the generated call path
    info: Declaration
    inplace: Callable[..., Any]
    operator: Callable[..., Any]  # the same call path without out=, for Python's operators

    def __call__(self, *args: Any, **settings: Any) -> Any: ...
    def derivative(self, argument: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]: ...


class Declaration:
    """All that is known about one operation.

    Args:
        broadcasts: the array arguments are broadcast together; the engine then sums gradients back to their shapes.
        dtypes: ``"promote"`` brings the arguments to one dtype by PyTorch's rules before the forward sees them, ``"float"``
            does too and makes integers the default floating type (``exp``, ``div``), ``"same"`` refuses different ones
            (``matmul``), ``"any"`` leaves them. The default is ``"promote"`` for what broadcasts, else ``"any"``.
        mixed: arguments that this does not concern, such as a condition or an index.
        numbers: the arguments that may be Python numbers; None: all that are brought to one dtype.
        holomorphic: the rules, as written for real numbers, are the complex derivative too; the engine conjugates. False
            for what is not complex differentiable (``abs``, ``real``): its rules give PyTorch's conjugate gradient.
        outputs: the names of the results where there are several, which come as a named tuple; True for a plain tuple.
        view: the result shares the memory of the first argument. Where there are several, the declaration's
            ``pieces(array, **settings)`` gives, for each, the operation and settings that make it by itself.
        called: what users call it by, where that is a function of several operations: ``"gather"``; errors say this.
        grad_name: PyTorch's name of the node, where it is not made from the operation's.

    ``writer``, where it is set, takes what the forward takes and writes the result into the first array instead: the in-place
    form then makes no copy. The rules of such an operation must not need the values of its floating arguments.
    """

    def __init__(self, forward: Callable[..., Any], *, broadcasts: bool = False, dtypes: str | None = None,
                 mixed: tuple[str, ...] = (), numbers: tuple[str, ...] | None = None, holomorphic: bool = True,
                 outputs: tuple[str, ...] | bool = False, view: bool = False, called: str | None = None,
                 grad_name: str | None = None) -> None:
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
        self.broadcasts, self.holomorphic, self.view = broadcasts, holomorphic, view
        self.dtypes = dtypes or ("promote" if broadcasts else "any")
        self.alike = () if self.dtypes == "any" else tuple(a for a in self.arguments if a not in mixed)
        self.numbers = numbers if numbers is not None else () if self.dtypes == "same" else self.alike
        self.outputs = outputs
        self.writer: Callable[..., Any] | None = None
        self.pieces: Callable[..., Any] | None = None
        self.complete: Callable[[], None]
        words = "".join(w.capitalize() for w in self.called.replace(".", "_").split("_"))
        self.node_name = grad_name or words + "Backward0"
        self.rules: dict[str, Callable[..., Any]] = {}
        # Known when the call path is generated:
        self.needs: dict[str, tuple[str, ...]] = {}  # what each rule names beside g
        self.kept_arrays: list[str] = []  # the arrays the rules name, in the order a node saves them
        self.kept_values: list[str] = []  # the settings, shapes and dtypes they name
        self.node_class: type[Node] | None = None

    @cached_property
    def result_type(self) -> Any:
        """What several results come in."""
        return namedtuple(self.name, self.outputs) if isinstance(self.outputs, tuple) else tuple

    def add_rule(self, argument: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def register(rule: Callable[..., Any]) -> Callable[..., Any]:
            known = {"g", "out", *self.arguments, *self.settings}
            known |= {a + suffix for a in self.arguments for suffix in ("_shape", "_dtype")}
            for name in parameters_of(rule):
                if name not in known:
                    raise TypeError(f"rule {rule.__name__}: {self.name} has no {name!r}; a rule can name {sorted(known)}")
            if argument not in self.arguments:
                raise TypeError(f"rule {rule.__name__}: {self.name} has no array argument {argument!r}")
            self.rules[argument] = rule
            return rule
        return register


@overload
def op(forward: Callable[..., Any]) -> Op: ...
@overload
def op(**properties: Any) -> Callable[[Callable[..., Any]], Op]: ...
def op(forward: Callable[..., Any] | None = None, **properties: Any) -> Any:
    """Declare an operation (see the module's text); `properties` are those of :class:`Declaration`."""
    if forward is None:
        return lambda f: op(f, **properties)
    info = Declaration(forward, **properties)
    if info.name in call.REGISTRY:
        raise TypeError(f"operation {info.name!r} is declared twice")

    info.complete = lambda: compile_op(function, info)
    function, function.operator = unfinished(info), unfinished(info)
    function.info, function.derivative = info, info.add_rule
    function.inplace = inplace.inplace_form(function)
    call.REGISTRY[info.name] = function
    return function


def unfinished(info: Declaration) -> Any:
    """A function that is completed in place at its first call: whoever has imported it by then, or made it a method, calls the
    generated code directly ever after."""
    def not_yet_generated(*args: Any, **settings: Any) -> Any:
        return _first_call(*args, **settings)  # type: ignore[name-defined]  # noqa: F821

    def first_call(*args: Any, **settings: Any) -> Any:
        info.complete()
        return function(*args, **settings)

    forward = info.forward
    function: Any = FunctionType(not_yet_generated.__code__, {"_first_call": first_call, "__name__": forward.__module__,
                                                              "__builtins__": __builtins__}, info.name)
    function.__doc__, function.__module__ = forward.__doc__, forward.__module__
    function.__qualname__, function.__wrapped__ = info.name, forward
    return function
