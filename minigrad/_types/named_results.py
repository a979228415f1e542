"""The named tuples in which several results come: ``minigrad.return_types.max(values=..., indices=...)``."""

from __future__ import annotations

from collections import namedtuple
from typing import Any, Sequence

TYPES: dict[str, Any] = {}  # by name, as pickles and minigrad.return_types look them up


def named_results(called: str, fields: Sequence[str]) -> Any:
    """The named tuple of what the function `called` returns: one class for each name and fields."""
    known = TYPES.get(called.replace(".", "_"))
    if known is not None and known._fields == tuple(fields):
        return known
    made = namedtuple("Results", fields)  # type: ignore[misc]
    publish_results(called, made)
    return made


def publish_results(called: str, cls: Any) -> None:
    """Let the named tuple `cls` be known as what the function `called` returns: ``minigrad.return_types.<called>``."""
    cls.__name__ = cls.__qualname__ = name = called.replace(".", "_")
    cls.__module__, cls.__repr__ = "minigrad.return_types", describe
    cls.n_fields = cls.n_sequence_fields = len(cls._fields)  # as those of Python's own named results, such as os.stat's
    cls.n_unnamed_fields = 0
    TYPES[name] = cls


def describe(self: Any) -> str:
    """The text of named results, one on each line, as PyTorch shows them."""
    return f"minigrad.return_types.{type(self).__name__}(\n" + ",\n".join(f"{k}={v!r}" for k, v in self._asdict().items()) + ")"
