"""Rows added up by number, as the gradient of an embedding is."""

from __future__ import annotations

from typing import Any

from minigrad._arrays.host.compiling import kernel

__all__ = ["add_rows"]


@kernel
def add_rows(values: Any, places: Any, target: Any, begin: int, end: int) -> None:
    """``target[places] += values`` for the columns from `begin` to `end`, so that no two threads add to one number."""
    for row in range(places.size):
        a, b = target[places[row], begin:end], values[row, begin:end]
        for k in range(a.size):
            a[k] += b[k]
