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
CALLED = {"true_divide": "div"}  # operations of which the declared name is not what users say
OPERATORS = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.MatMult: "matmul", ast.Pow: "pow",
             ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge"}
LONGEST = 60  # characters of a setting that are shown


@dataclass
class Spot:
    """One expression in the user's source: where it stands, its text, the function it calls and its settings; and what it gives
    to the operation it computes, if it is clear which that is."""

    line: str = ""  # file:line
    text: str = ""
    called: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    computes: str = ""
    operands: list[str] = field(default_factory=list)


class Spots:
    """The spots of instructions, each found once. Code is known by its identity: to hash it takes as long as it is."""

    def __init__(self) -> None:
        self.found: dict[tuple[int, int], Spot] = {}
        self.positions: dict[int, tuple[Any, list[Any]]] = {}  # of each code that has been met: it, and those of its instructions

    def at(self, code: Any, lasti: int) -> Spot:
        """The spot of the instruction `lasti` of `code`; an empty one where there is no code."""
        if code is None:
            return Spot()
        spot = self.found.get((id(code), lasti))
        if spot is None:
            if id(code) not in self.positions:
                self.positions[id(code)] = code, list(code.co_positions())
            spot = self.found[id(code), lasti] = find_spot(code, self.positions[id(code)][1][lasti // 2])
        return spot


def find_spot(code: Any, position: tuple[int | None, int | None, int | None, int | None]) -> Spot:
    """Look up the expression at a position of `code`, as ``co_positions`` gives it, in the source; where there is no source, only
    the line is known."""
    first, last, begin, end = position
    spot = Spot(f"{code.co_filename}:{first or code.co_firstlineno}")
    if first is None or last is None or begin is None or end is None:
        return spot
    lines = [linecache.getline(code.co_filename, n) for n in range(first, last + 1)]
    if not all(lines):
        return spot
    raw = [line.encode() for line in lines]  # columns count bytes
    raw[-1] = raw[-1][:end]
    raw[0] = raw[0][begin:]
    spot.text = textwrap.dedent(b"".join(raw).decode("utf-8", "replace")).strip()
    try:
        tree = parsed(spot.text)
    except (SyntaxError, ValueError):
        return spot
    if isinstance(tree, ast.Call):
        name = tree.func.attr if isinstance(tree.func, ast.Attribute) else getattr(tree.func, "id", "")
        spot.called = name
        spot.settings = settings_in(tree, name)
        if public_function(name) is not None:
            method = [tree.func.value] if isinstance(tree.func, ast.Attribute) and not is_module_name(tree.func.value) else []
            spot.computes, spot.operands = name, [ast.unparse(x) for x in (*method, *tree.args)]
    elif isinstance(tree, ast.Subscript):
        spot.settings = {"index": shorten(ast.unparse(tree.slice))}
    elif isinstance(tree, (ast.BinOp, ast.AugAssign)):
        left, right = (tree.left, tree.right) if isinstance(tree, ast.BinOp) else (tree.target, tree.value)
        spot.computes, spot.operands = OPERATORS.get(type(tree.op), ""), [ast.unparse(left), ast.unparse(right)]
        if is_constant(left) and spot.computes in ("add", "mul"):
            spot.operands.reverse()  # 2 * x is computed as x * 2
    elif isinstance(tree, ast.Compare):
        spot.computes = OPERATORS.get(type(tree.ops[0]), "")
        spot.operands = [ast.unparse(tree.left), ast.unparse(tree.comparators[0])]
    return spot


def parsed(text: str) -> ast.AST:
    """The tree of an expression, which may go over several lines, or of a statement such as ``x += 1``."""
    try:
        return ast.parse(f"({text})", mode="eval").body
    except SyntaxError:
        return ast.parse(text).body[0]


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
        if is_constant(argument) and not (isinstance(argument, ast.Constant) and argument.value is None):
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
    found = None if name.startswith("_") else getattr(functional, name, None) or getattr(Tensor, name, None)
    return found if callable(found) else None


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
    info = getattr(type(node), "info", None)
    if info is not None:
        if info.name in SPATIAL and "stride" in info.kept_values:
            return SPATIAL[info.name].format(len(node.settings[info.kept_values.index("stride")]))
        return CALLED.get(info.called, str(info.called))
    function = getattr(node, "function", None)
    if isinstance(function, type):
        return function.__name__
    return str(node.op_name or str(node.name()).removesuffix("0").removesuffix("Backward"))


def operand_texts(node: Any, spot: Spot) -> list[str]:
    """What the user wrote for each input of a node; nothing where the node is but a part of what the expression computes."""
    if not spot.computes:
        return []
    same = spot.computes.rstrip("_") in (operation_name(node).rstrip("_"), str(node.op_name))
    return spot.operands if same and len(spot.operands) == len(node.inputs) else []


def kept_settings(node: Any, spot: Spot) -> dict[str, str]:
    """The settings of a node that differ from their defaults, as far as it keeps them; an index as the user wrote it."""
    info = getattr(type(node), "info", None)
    if not spot.called and "index" in spot.settings and "index" in getattr(info, "settings", ()):
        return spot.settings
    if info is None or not info.kept_values:
        return {}
    known = parameters_of(operation_name(node))
    found = {name: value for name, value in zip(info.kept_values, node.settings)
             if name in info.settings and value is not None
             and (info.settings[name] is REQUIRED or not same(value, info.settings[name]))}
    if info.name in SPATIAL and "padding" in found:
        found = window_settings(found, info.name)
    return {name: setting_text(value) for name, value in found.items() if name in known}


def window_settings(found: dict[str, Any], name: str) -> dict[str, Any]:
    """The settings of a convolution or a pooling as users give them: of the padding before and after each dimension, which both
    are there, the first is what was asked for; that after is shorter where the stride leaves a rest."""
    pairs = found.pop("padding")
    before = tuple([first for first, _ in pairs])
    if name == "convolution" and any(last > first for first, last in pairs):
        found["padding"] = "same"
    elif any(before):
        found["padding"] = before
    if name == "convolution_transpose" and any(first != last for first, last in pairs):
        found["output_padding"] = tuple([first - last for first, last in pairs])
    if "kernel" in found:
        kernel, stride = found.pop("kernel"), found.pop("stride", None)
        found = {"kernel_size": kernel, **({"stride": stride} if stride is not None and stride != kernel else {}), **found}
    if flat(found.get("dilation")) == 1:
        del found["dilation"]
    return found


@functools.cache
def parameters_of(name: str) -> frozenset[str]:
    """The names of the parameters of a public function; none where there is no such function."""
    function = public_function(name)
    try:
        return frozenset(inspect.signature(function).parameters) if function is not None else frozenset()
    except (TypeError, ValueError):
        return frozenset()


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

    return Source(plain(info.forward), {", ".join(info.joint.get(a, (a,))): plain(rule) for a, rule in info.rules.items()})


def sources_of(node: Any) -> Source:
    """The forward and the rules of a node's operation, declared or the user's own Function."""
    info, function = getattr(type(node), "info", None), getattr(node, "function", None)
    if info is not None:
        return declared_sources(info)
    if isinstance(function, type):
        return Source(source_of(function.forward), {"": source_of(function.backward)})  # type: ignore[attr-defined]
    return Source()
