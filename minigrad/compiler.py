"""PyTorch's names around ``compile``, for programs written with it: there is no compiler here, and nothing to steer.

What marks or wraps a function gives the function itself; what asks whether a compiler is at work is told that none is.
"""

from __future__ import annotations

import contextlib
from typing import Any, Callable, TypeVar

from minigrad._settings import compile

__all__ = ["allow_in_graph", "assume_constant_result", "compile", "cudagraph_mark_step_begin", "disable", "is_compiling",
           "is_dynamo_compiling", "is_exporting", "list_backends", "nested_compile_region", "reset", "set_stance",
           "substitute_in_graph", "wrap_numpy"]

F = TypeVar("F")


def is_compiling() -> bool:
    """Whether a compiler reads the code now: False."""
    return False


def is_dynamo_compiling() -> bool:
    """Whether a compiler reads the code now: False."""
    return False


def is_exporting() -> bool:
    """Whether the program is being exported now: False."""
    return False


def list_backends(exclude_tags: tuple[str, ...] = ("debug", "experimental")) -> list[str]:
    """The compilers there are: none."""
    return []


def reset() -> None:
    """There is no compiled code to forget."""


def cudagraph_mark_step_begin() -> None:
    """There are no graphs of CUDA to begin a step of."""


def allow_in_graph(fn: F) -> F:
    """`fn` itself, a function or a list of them."""
    return fn


def assume_constant_result(fn: F) -> F:
    """`fn` itself."""
    return fn


def nested_compile_region(fn: F) -> F:
    """`fn` itself."""
    return fn


def wrap_numpy(fn: F) -> F:
    """`fn` itself."""
    return fn


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """`fn` itself; without it, a decorator that changes nothing."""
    return decorator if fn is None else fn


def substitute_in_graph(original_fn: Callable[..., Any], *, can_constant_fold_through: bool = False,
                        skip_signature_check: bool = False) -> Callable[[F], F]:
    """A decorator that changes nothing."""
    return decorator


def decorator(fn: F) -> F:
    """`fn` itself."""
    return fn


class set_stance(contextlib.ContextDecorator):
    """How compiled code is to behave from now on, or in a block: there is none."""

    def __init__(self, stance: str = "default", *, skip_guard_eval_unsafe: bool = False, force_backend: Any = None) -> None:
        self.stance = stance

    def __enter__(self) -> None:
        """Nothing is changed."""

    def __exit__(self, *exc: object) -> None:
        """Nothing was changed."""
