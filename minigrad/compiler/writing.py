"""What lines do with arrays beside computing new ones."""

from __future__ import annotations

from typing import Any

from minigrad.autograd.hooks import ensure_owned

__all__ = ["add_to", "own_copy", "write_all"]


def write_all(target: Any, value: Any) -> None:
    """Let the array `target` hold the elements of `value`."""
    target[...] = value


def add_to(target: Any, value: Any) -> None:
    """Add to the array `target`, in place."""
    target += value


def own_copy(g: Any, like: Any) -> Any:
    """A copy of the gradient `g` as that of the array `like`."""
    return ensure_owned(g, like, {id(g)})
