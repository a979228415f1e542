"""What is known about one operation: arguments and settings, forward and rules, and the properties it was declared with."""

from __future__ import annotations

import inspect
from collections import namedtuple
from functools import cached_property
from typing import Any, Callable

from minigrad.recording.graph import Node

REQUIRED = inspect.Parameter.empty  # the default of a setting that has none
NUMPY_NAMES = {"dim": "axis", "keepdim": "keepdims"}  # which PyTorch takes as well


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
        """The decorator that makes a function the derivative rule of `argument`. Raises ``TypeError`` for a rule that names what
        the operation has not."""
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


def parameters_of(rule: Any) -> tuple[str, ...]:
    """The names of the parameters of a rule."""
    names: tuple[str, ...] = rule.__code__.co_varnames[:rule.__code__.co_argcount]
    return names
