"""The names of ``torch._dynamo`` that packages use around their code, to steer what :func:`minigrad.compile` does."""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any, Callable

from minigrad.compiler import (
    allow_in_graph,
    assume_constant_result,
    compile,
    disable,
    is_compiling,
    list_backends,
    reset,
    substitute_in_graph,
)
from minigrad.compiler.recording import recorder_now

__all__ = ["allow_in_graph", "assume_constant_result", "config", "disable", "disallow_in_graph", "forbid_in_graph", "graph_break",
           "is_compiling", "list_backends", "mark_dynamic", "mark_static", "maybe_mark_dynamic", "optimize", "reset",
           "substitute_in_graph"]

# Programs set these; nothing reads them.
config = SimpleNamespace(cache_size_limit=8, capture_scalar_outputs=False, recompile_limit=8, suppress_errors=False,
                         verbose=False)

disallow_in_graph = forbid_in_graph = allow_in_graph


def graph_break(msg: str = "") -> None:
    """The function that is being compiled, if one is, is called as it is from now on."""
    if (recorder := recorder_now()) is not None:
        recorder.refuse(f"graph_break() is called{msg and ': '}{msg}")


def mark_dynamic(t: Any, index: Any, **limits: Any) -> None:
    """Any size may change from call to call: each is recorded when it is met."""


maybe_mark_dynamic = mark_dynamic


def mark_static(t: Any, index: Any = None) -> None:
    """Each size is recorded for itself anyway."""


def optimize(backend: Any = "inductor", *, nopython: bool = False, disable: bool = False, **kwargs: Any) -> Callable[..., Any]:
    """The decorator that :func:`minigrad.compile` is with these settings; `nopython` is its `fullgraph`."""
    return functools.partial(compile, backend=backend, fullgraph=nopython, disable=disable)
