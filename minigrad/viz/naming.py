"""What a user wrote: the text of a call, the name of the function called, the settings it was given, and the rules behind it.

A node knows the instruction that made it (``code`` and ``lasti``). Python keeps for each instruction where in the source its
expression begins and ends, so the expression itself can be shown, at no cost to whoever records.
"""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import os
import re
import textwrap
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigrad._tensor import Tensor
from minigrad._types import dtypes
from minigrad.nn import functional
from minigrad.recording.declaration import REQUIRED
from minigrad.viz.graph import Source

# Operations that are one for any number of dimensions, which users call by a name for each.
SPATIAL = {"convolution": "conv{}d", "convolution_transpose": "conv_transpose{}d", "max_pool": "max_pool{}d",
           "max_pool_indices": "max_pool{}d", "avg_pool": "avg_pool{}d"}
LONGEST = 60  # characters of a setting that are shown


@dataclass
class Spot:
    """One expression in the user's source: where it stands, its text, the function it calls, what it gives it to compute with,
    and the settings."""

    line: str = ""  # file:line
    text: str = ""
    called: str = ""
    operands: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)


class Spots:
    """The spots of instructions, each found once."""

    def __init__(self) -> None:
        self.found: dict[tuple[Any, int], Spot] = {}

    def at(self, code: Any, lasti: int) -> Spot:
        """The spot of the instruction `lasti` of `code`; an empty one where there is no code."""
        if code is None:
            return Spot()
        spot = self.found.get((code, lasti))
        if spot is None:
            spot = self.found[code, lasti] = find_spot(code, lasti)
        return spot


def find_spot(code: Any, lasti: int) -> Spot:
    """Look up an instruction in the source; where there is no source, only the line is known."""
    first, last, begin, end = list(code.co_positions())[lasti // 2]
    spot = Spot(f"{code.co_filename}:{first or code.co_firstlineno}")
    if None in (first, last, begin, end):
        return spot
    lines = [linecache.getline(code.co_filename, n) for n in range(first, last + 1)]
    if not all(lines):
        return spot
    raw = [line.encode() for line in lines]  # columns count bytes
    raw[-1] = raw[-1][:end]
    raw[0] = raw[0][begin:]
    spot.text = textwrap.dedent(b"".join(raw).decode("utf-8", "replace")).strip()
    try:
        tree = ast.parse(f"({spot.text})", mode="eval").body
    except (SyntaxError, ValueError):
        return spot
    if isinstance(tree, ast.Call):
        name = tree.func.attr if isinstance(tree.func, ast.Attribute) else getattr(tree.func, "id", "")
        spot.called = name
        spot.settings = settings_in(tree, name)
        if public_function(name) is not None:
            method = [tree.func.value] if isinstance(tree.func, ast.Attribute) and not is_module_name(tree.func.value) else []
            spot.operands = [ast.unparse(x) for x in (*method, *tree.args)]
    elif isinstance(tree, ast.BinOp):
        spot.operands = [ast.unparse(tree.left), ast.unparse(tree.right)]
    elif isinstance(tree, ast.Compare):
        spot.operands = [ast.unparse(tree.left), ast.unparse(tree.comparators[0])]
    return spot


def settings_in(call: ast.Call, name: str) -> dict[str, str]:
    """The settings that a call gives, by the names of the parameters: named arguments, and constants by position."""
    function = public_function(name)
    by_method = isinstance(call.func, ast.Attribute) and not is_module_name(call.func.value)
    try:
        known = list(inspect.signature(function).parameters.values())[by_method:] if function is not None else []
    except (TypeError, ValueError):
        known = []
    found: dict[str, str] = {}
    for k, argument in enumerate(call.args):
        if k < len(known) and known[k].kind is inspect.Parameter.VAR_POSITIONAL:
            rest = [ast.unparse(x) for x in call.args[k:]]
            found[known[k].name] = shorten(", ".join(rest))
            break
        if is_constant(argument):
            found[known[k].name if k < len(known) else str(k)] = shorten(ast.unparse(argument))
    for keyword in call.keywords:
        if keyword.arg is not None:
            found[keyword.arg] = shorten(ast.unparse(keyword.value))
    return found


def is_module_name(tree: ast.expr) -> bool:
    """Whether an expression looks like the name of a module that has functions, as ``F`` and ``torch.nn.functional`` do."""
    text = ast.unparse(tree)
    return text in ("F", "mg", "nn", "np", "torch", "minigrad") or text.startswith(("mg.", "torch.", "minigrad.", "nn."))


def is_constant(tree: ast.expr) -> bool:
    """Whether an expression is a number, a word, or a tuple or list of such."""
    try:
        ast.literal_eval(tree)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def public_function(name: str) -> Any:
    """The function or method of that name which users call on tensors, or None."""
    return None if name.startswith("_") else getattr(functional, name, None) or getattr(Tensor, name, None)


def shorten(text: str, longest: int = LONGEST) -> str:
    """`text` on one line, cut off where it is too long."""
    text = " ".join(text.split())
    return text if len(text) <= longest else text[:longest - 1] + "…"


def short_line(line: str) -> str:
    """``file:line`` without the folders."""
    return os.path.basename(line)


# ---------------------------------------------------------------------------------------------------- operations

def operation_name(node: Any) -> str:
    """What users call the operation of a node: ``conv2d``; of their own Function, the name of its class."""
    function = getattr(node, "function", None)
    if isinstance(function, type):
        return function.__name__
    if not node.op_name:
        return str(node.name()).removesuffix("0").removesuffix("Backward")
    info = getattr(type(node), "info", None)
    if info is None:
        return str(node.op_name)
    if info.name in SPATIAL and "stride" in info.kept_values:
        return SPATIAL[info.name].format(len(node.settings[info.kept_values.index("stride")]))
    return str(info.called)


def kept_settings(node: Any) -> dict[str, str]:
    """The settings of a node that differ from their defaults, as far as it keeps them."""
    info = getattr(type(node), "info", None)
    if info is None or public_function(operation_name(node)) is None:
        return {}
    return {name: setting_text(value) for name, value in zip(info.kept_values, node.settings)
            if name in info.settings and value is not None
            and (info.settings[name] is REQUIRED or not same(value, info.settings[name]))}


def same(value: Any, default: Any) -> bool:
    """Whether a setting is its default; a number for every dimension says what the number does."""
    return value is default or type(value) in (int, float, bool, str, tuple) and flat(value) == flat(default)


def flat(value: Any) -> Any:
    """The number that all numbers of a nested tuple are, if they are; else the value as it is."""
    numbers = list(numbers_in(value)) if isinstance(value, tuple) else []
    return numbers[0] if numbers and all(n == numbers[0] for n in numbers) else value


def numbers_in(value: Any) -> Any:
    """The numbers of a nested tuple; what is no tuple counts as a number."""
    for x in value:
        yield from numbers_in(x) if isinstance(x, tuple) else (x,)


def setting_text(value: Any) -> str:
    """A setting as users write it."""
    if isinstance(value, np.ndarray):
        return f"array of shape {list(value.shape)}"
    if isinstance(value, np.dtype):
        return dtypes.as_dtype(value).name
    try:
        return shorten(repr(flat(value)))
    except Exception:  # the repr of a user's own class
        return type(value).__name__


# ---------------------------------------------------------------------------------------------------- rules

def source_of(function: Any) -> str:
    """The text of a function, without indentation and decorators; nothing where there is no source."""
    try:
        lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    except (OSError, TypeError):
        return ""
    begin = next((k for k, line in enumerate(lines) if line.lstrip().startswith(("def ", "class "))), 0)
    return "\n".join(lines[begin:])


@functools.cache
def declared_sources(info: Any) -> Source:
    """The forward and the rules of a declared operation, without annotations that say nothing; reading sources takes long."""
    def plain(function: Any) -> str:
        return re.sub(r"(: Any| -> Any)\b", "", source_of(function))

    return Source(plain(info.forward), {argument: plain(rule) for argument, rule in info.rules.items()})


def sources_of(node: Any) -> Source:
    """The forward and the rules of a node's operation, declared or the user's own Function."""
    info, function = getattr(type(node), "info", None), getattr(node, "function", None)
    if info is not None:
        return declared_sources(info)
    if isinstance(function, type):
        return Source(source_of(function.forward), {"": source_of(function.backward)})  # type: ignore[attr-defined]
    return Source()
