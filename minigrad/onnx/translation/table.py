"""The table of translations, by the name of the operation."""

from __future__ import annotations

from typing import Any, Callable

TABLE: dict[str, Callable[..., Any]] = {}


def translates(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: the function translates the operations of these names."""
    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            TABLE[name] = function
        return function
    return enter


def node_of(op_type: str, **attributes: Any) -> Callable[..., Any]:
    """A translation of an operation without settings that is one node of ONNX's."""
    def translate(b: Any, *operands: Any) -> Any:
        return b(op_type, *operands, **attributes)
    return translate


def enter_nodes(**op_types: str) -> None:
    """Enter operations without settings that are one node: ``exp="Exp"``."""
    for name, op_type in op_types.items():
        TABLE[name] = node_of(op_type)
