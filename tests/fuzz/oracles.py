"""What a program's outcomes are compared with: PyTorch's, line by line, or finite differences of its last line."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np

import minigrad
from minigrad.errors import MinigradError
from tests.fuzz.grammar import Scene, draw_line, last_line, things_of
from tests.fuzz.program import Run, Seen

# Relative to the largest element; of the least precise dtype that the program has met.
TOLERANCES = {"bfloat16": 0.6, "float16": 5e-2, "float32": 5e-4, "complex64": 5e-4}
TOO_LARGE = 1e6  # beyond this, rounding and overflow say nothing about correctness
TOO_MANY = 150  # elements of one tensor

PALETTES = [("float64",)] * 3 + [
    ("float32",), ("float64", "float32", "int64", "bool"), ("float64", "complex128"), ("float64", "int64", "bool", "complex128"),
    ("float32", "complex64", "int32", "uint8"), ("float64", "float32", "float16", "int64"),
    ("float32", "bfloat16", "float16", "bool")]
SMOOTH_PALETTES = [("float64",), ("float64",), ("float64", "complex128")]


@dataclass(frozen=True)
class Difference:
    """A difference on purpose, a row of docs/differences.md."""

    row: str
    refused: str = r"(?!)"  # PyTorch refuses in these words what minigrad does
    refused_here: str = r"(?!)"  # minigrad refuses in these words what PyTorch does


DIFFERENCES = [
    Difference("in-place writes to pieces of `split`, `chunk`, `unbind`", "output of a function that returns multiple views"),
    Difference("an in-place write to memory that only the same call saved", "modified by an inplace operation"),
    Difference("in-place writes where operands overlap in memory", "some elements of the input tensor and the written-to tensor"),
    Difference("writes in place to a view made under `no_grad`, outside of it", "created in no_grad mode"),
    Difference("a second backward pass where the first freed nothing that it needs", "backward through the graph a second time"),
    Difference("`x[indices] = values` of another dtype", "Index put requires the source and destination dtypes match"),
    Difference("`masked_fill_`, `index_fill_`, `index_put_` into an expanded tensor",
               refused_here="(index_put_|index_fill_|fill_rows_|masked_fill_).*: unsupported operation"),
    Difference("a second backward pass through `lerp` by a number", refused_here="LerpBackward0 .* had saved"),
    Difference("a write in place, before the backward pass, to an input of",
               refused_here=r"(CrossEntropyLoss|L1Loss|Matmul)Backward0 .* saved its argument '(input|other)'"),
    Difference("values that require grad, written into integers", "isDifferentiableType|Autograd not support dtype"),
    Difference("real values written into a complex tensor", r"Expected isFloatingType\(grad"),
    Difference("`mask - 1`, `1 - mask` of boolean tensors", "Subtraction, the `-` operator, with (a|two) bool"),
]


@dataclass(frozen=True)
class Disagreement:
    """Where a program shows that something is wrong."""

    kind: str
    at: int  # the line
    text: str


def draw_program(seed: int, guide: Any, smooth: bool = False) -> list[str]:
    """A random program, drawn while it is run with the library `guide`, so that most of its lines make sense."""
    r = Random(seed)
    scene = Scene([], [], r.choice(SMOOTH_PALETTES if smooth else PALETTES), smooth)
    state, lines = Run(guide), []
    for _ in range(r.randint(4, 16)):
        line = draw_line(r, scene)
        before = set(state.names)
        error = state.do(line)
        if error is not None and (smooth or r.random() < 0.7):
            continue
        if any(t.numel() > TOO_MANY for _, t in state.tensors()):
            for name in set(state.names) - before:
                del state.names[name]
            continue
        lines.append(line)
        try:
            seen = state.look()
        except RuntimeError:  # PyTorch refuses to show a piece of `split` after a write to what it was split from
            break
        if any(s.values.size and not np.all(np.abs(np.nan_to_num(s.values.astype(complex))) < TOO_LARGE) for s in seen.values()):
            break
        scene.things = things_of(seen)
        scene.layers = [m for m in scene.layers if m in state.names]
    end = last_line(scene.things, exact=smooth)
    return lines + [end] if end else lines


def compare(lines: list[str], library: Any) -> Disagreement | None:
    """The first disagreement of a program between minigrad and PyTorch, which is `library`."""
    mine, theirs = Run(minigrad), Run(library)
    tolerance = 1e-7
    for i, line in enumerate(lines):
        my_error, their_error = mine.do(line), theirs.do(line)
        if isinstance(my_error, NameError) and isinstance(their_error, NameError):
            continue
        if my_error is not None or their_error is not None:
            kind = compare_errors(my_error, their_error)
            if kind is not None:
                return Disagreement(kind, i, f"minigrad: {describe(my_error)}\nPyTorch:  {describe(their_error)}")
            if my_error is None or their_error is None or ".backward(" in line:
                return None  # a difference on purpose: an error in a backward pass leaves other `.grad` behind
        try:
            mine_seen, their_seen = mine.look(), theirs.look()
        except RuntimeError as error:  # PyTorch refuses to show a piece of `split` after a write to what it was split from
            if compare_errors(None, error) is None:
                return None
            raise
        for name, s in their_seen.items():
            tolerance = max(tolerance, TOLERANCES.get(s.dtype, 0))
            if s.values.size and np.abs(np.nan_to_num(s.values.astype(complex))).max() > TOO_LARGE:
                return None
            if name not in mine_seen:
                return Disagreement("missing", i, f"{name} is not there")
            difference = compare_seen(mine_seen[name], s, tolerance)
            if difference is not None:
                kind, words = difference
                if kind in ("requires_grad", "is_leaf", "strides") and "autograd.grad(" in line:
                    return None  # a derivative that is zero is one more operation here; and its layout is that of the leaf
                return Disagreement(kind, i, f"{name}: {words}")
    return None


def describe(error: Exception | None) -> str:
    return "no error" if error is None else f"{type(error).__name__}: {str(error)[:300]}"


def compare_errors(mine: Exception | None, theirs: Exception | None) -> str | None:
    """The kind of disagreement between what two libraries raised, of which at least one is an error."""
    if mine is None:
        known = any(re.search(d.refused, str(theirs)) for d in DIFFERENCES)
        return None if known else "accepts"
    if theirs is None:
        known = any(re.search(d.refused_here, str(mine)) for d in DIFFERENCES)
        return None if known else "refuses"
    if not isinstance(mine, MinigradError) and type(mine).__module__ != "builtins":
        return "foreign error"
    expected: tuple[type, ...] = (type(theirs),)
    if isinstance(theirs, RuntimeError):
        expected = (RuntimeError, ValueError)  # a difference on purpose: an invalid value is a ValueError everywhere
    return None if isinstance(mine, expected) else "class of error"


def compare_seen(mine: Seen, theirs: Seen, tolerance: float, is_grad: bool = False) -> tuple[str, str] | None:
    """The first difference between what is seen of a tensor in two libraries: its kind and words."""
    # PyTorch says of whole numbers that they require grad, if what was written into them did; of gradients one asks only with
    # create_graph, and then whether one that is constant requires grad depends on how operations are cut.
    silent = is_grad or theirs.dtype == "bool" or "int" in theirs.dtype
    for attribute in ("shape", "dtype") if silent else ("shape", "dtype", "requires_grad", "is_leaf"):
        a, b = getattr(mine, attribute), getattr(theirs, attribute)
        if a != b:
            return attribute, f"{attribute} {a}, PyTorch {b}"
    if is_grad:  # several derivatives that are nan there are 0 here: that of a norm at 0, that of what an extreme passes over
        undefined = np.isnan(theirs.values) & ~np.isnan(mine.values)
        theirs = replace(theirs, values=np.where(undefined, mine.values, theirs.values))
    if not close(mine.values, theirs.values, tolerance):
        return "values", f"values\n{mine.values!r}\nPyTorch\n{theirs.values!r}"
    steps = [(a, b) for a, b, n in zip(mine.strides, theirs.strides, mine.shape) if n > 1]
    expanded = any(not b for _, b in steps)  # as gradients of sums are there; nothing rests on it
    if mine.values.size and not expanded and any(a != b for a, b in steps):
        return "strides", f"strides {mine.strides}, PyTorch {theirs.strides}"
    if (mine.grad is None) != (theirs.grad is None):
        return "grad is None", f"grad {mine.grad}, PyTorch {theirs.grad}"
    if mine.grad is not None and theirs.grad is not None:
        inner = compare_seen(mine.grad, theirs.grad, tolerance, is_grad=True)
        return inner and ("grad: " + inner[0], "grad: " + inner[1])
    return None


def close(a: np.ndarray, b: np.ndarray, tolerance: float) -> bool:
    """Whether two arrays agree, relative to the largest element; NaN agrees with NaN. What is exact in a program of low precision
    may hang on rounding (an order, a comparison), and is not compared there."""
    if a.dtype.kind in "biu":
        return tolerance > 1e-2 or np.array_equal(a, b)
    finite = np.isfinite(b)
    infinite = ~finite & ~np.isnan(b)
    if not np.array_equal(np.isnan(a), np.isnan(b)) or not np.array_equal(a[infinite], b[infinite]):
        return False
    a, b = a[finite], b[finite]
    with np.errstate(over="ignore"):
        return not a.size or bool(np.abs(a - b).max() <= tolerance * max(1.0, np.abs(b).max()))


def check_differences(lines: list[str]) -> Disagreement | None:
    """Compare the gradients of a program's last line, a backward pass, with central differences."""
    if not lines or not lines[-1].endswith(".backward()"):
        return None
    state = Run(minigrad)
    for line in lines:
        if state.do(line) is not None:
            return None  # what it saved was written, for instance; whether that must be refused, PyTorch knows
    for name, t in list(state.tensors()):
        if not t.is_leaf or not t.requires_grad or "." in name or not str(lines).count(f"{name} = leaf("):
            continue
        grad = np.zeros(tuple(t.shape), t.numpy(force=True).dtype) if t.grad is None else np.array(t.grad.numpy(force=True))
        if not all(agrees_at(lines, name, where, g) for where, g in np.ndenumerate(grad)):
            numeric = [derivative(lines, name, where, 1e-6, grad.dtype.kind == "c") for where in np.ndindex(grad.shape)]
            words = f"{name}.grad\n{grad!r}\ncentral differences\n{np.reshape(numeric, grad.shape)!r}"
            return Disagreement("gradient", len(lines) - 1, words)
    return None


def agrees_at(lines: list[str], name: str, where: tuple[int, ...], gradient: Any) -> bool:
    """Whether one element of a gradient agrees with central differences of one of several widths: there may be a kink nearby."""
    for width in (1e-6, 1e-4, 1e-8):
        numeric = derivative(lines, name, where, width, np.iscomplexobj(gradient))
        if not np.isfinite(numeric) or abs(numeric - gradient) <= 1e-4 * max(1.0, abs(numeric)):
            return True
    return False


def derivative(lines: list[str], name: str, where: tuple[int, ...], width: float, is_complex: bool) -> complex:
    """The central difference of the program's last line by one element of the leaf `name`."""
    by_real = (value(lines, name, where, width) - value(lines, name, where, -width)) / (2 * width)
    if not is_complex:
        return by_real
    return complex(by_real, (value(lines, name, where, 1j * width) - value(lines, name, where, -1j * width)) / (2 * width))


def value(lines: list[str], name: str, where: tuple[int, ...], change: complex) -> float:
    """What a program's last line goes backward from, with one element of the leaf `name` changed."""
    state = Run(minigrad)
    for line in lines[:-1]:
        state.do(line)
        if line.startswith(f"{name} = leaf("):
            state.names[name].detach().numpy()[where] += change
    state.do("result = " + lines[-1].removesuffix(".backward()"))
    return float(state.names["result"].detach())
