"""PyTorch's ``fx``, for packages that mark their functions for it: programs are not rewritten here.

Marks are accepted. The classes are there to be asked for, in annotations and ``isinstance``; nothing is of them, and what would
make one raises ``NotImplementedError``.
"""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from minigrad.errors import MinigradError
from minigrad.nn import Module

__all__ = ["Graph", "GraphModule", "Interpreter", "Node", "Proxy", "Tracer", "Transformer", "has_side_effect", "is_fx_tracing",
           "symbolic_trace", "wrap"]

__path__: list[str] = []  # `fx.node` and others lie below, by minigrad._paths

F = TypeVar("F")


class FxError(MinigradError, NotImplementedError):
    """Only PyTorch's fx can do this."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: programs are not traced to be rewritten here; what was computed is in the graph of its "
                         "result, from grad_fn on, and modules are found by named_modules() and replaced by set_submodule()")


def wrap(fn_or_name: F) -> F:
    """Mark a function, or the name of one, as a leaf of tracing: it stays what it is."""
    return fn_or_name


def has_side_effect(fn: F) -> F:
    """Mark a function as one whose calls must stay: it stays what it is."""
    return fn


def is_fx_tracing() -> bool:
    """Whether the code is being traced: False."""
    return False


def symbolic_trace(root: Any, concrete_args: dict[str, Any] | None = None) -> NoReturn:
    """Raises ``NotImplementedError``."""
    raise FxError("fx.symbolic_trace")


class _Absent:
    """Base of the classes that nothing is of."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise FxError(f"fx.{type(self).__name__}")


class Graph(_Absent):
    """A program as a list of nodes."""


class Node(_Absent):
    """A call in a :class:`Graph`."""


class Proxy(_Absent):
    """What stands for a value while a program is traced."""


class Tracer(_Absent):
    """What makes a :class:`Graph` of a module."""


class Interpreter(_Absent):
    """What runs a :class:`Graph` node by node."""


class Transformer(Interpreter):
    """What makes a new :class:`Graph` of one, node by node."""


class GraphModule(_Absent, Module):
    """A module whose forward is a :class:`Graph`."""
