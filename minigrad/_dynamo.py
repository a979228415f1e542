"""The names of ``torch._dynamo`` that packages use around their code: there is no compiler here to steer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Callable

from minigrad.compiler import (
    allow_in_graph,
    assume_constant_result,
    disable,
    is_compiling,
    list_backends,
    reset,
    substitute_in_graph,
)

__all__ = ["allow_in_graph", "assume_constant_result", "config", "disable", "disallow_in_graph", "forbid_in_graph", "graph_break",
           "is_compiling", "list_backends", "mark_dynamic", "mark_static", "maybe_mark_dynamic", "optimize", "reset",
           "substitute_in_graph"]

# Programs set these; nothing reads them.
config = SimpleNamespace(cache_size_limit=8, capture_scalar_outputs=False, recompile_limit=8, suppress_errors=False,
                         verbose=False)

disallow_in_graph = forbid_in_graph = allow_in_graph


def graph_break(msg: str = "") -> None:
    """There is no graph to break."""


def mark_dynamic(t: Any, index: Any, **limits: Any) -> None:
    """Every size may change from call to call."""


maybe_mark_dynamic = mark_dynamic


def mark_static(t: Any, index: Any = None) -> None:
    """No code is compiled for one size."""


def optimize(*args: Any, **kwargs: Any) -> Callable[..., Any]:
    """A decorator that changes nothing."""
    return allow_in_graph
