"""A recorded call as a list of lines of Python, and the function that these make.

Every value is an array of NumPy's under a name: ``x0`` an input, ``w0`` a tensor that was there before, ``c0`` a constant, ``v0``
a value, ``g0`` a gradient. A line calls a forward, a derivative rule or what else was done, by the very functions that ran while
it was recorded: so that it computes the same bits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np

from minigrad.recording.clock import PACKAGE
from minigrad.recording.quiet import run_quietly

# Of the values that are larger, in bytes, the memory is given back when their last line has run.
LARGE = 1 << 12
VIEW = re.compile(r"([wv]\d+)\.(?:T$|reshape\(|transpose\(|swapaxes\(|squeeze\()")  # a method that may give a view


@dataclass
class Line:
    """One line: what it makes, how it is written, what it uses, and the line of the user's that it comes from."""

    targets: tuple[str, ...]
    text: str
    uses: frozenset[str]
    where: tuple[Any, int]  # a code object, and the position in it
    forward: Any = None  # of one in a forward: the operation's declaration, the names of its operands, and its settings
    several: bool = False  # whether it gives a tuple, of what its targets are
    pure: bool = False  # whether it does nothing else than make them
    inner: tuple[Line, ...] = ()  # the lines that it does in one call

    def __str__(self) -> str:
        made = ", ".join(self.targets) + "," * (self.several and len(self.targets) == 1)
        return f"{made} = {self.text}" if made else self.text


class Tape:
    """The lines, in order, and what their names stand for beside values."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.names: dict[str, Any] = {}  # of functions, constants, tensors: what the lines take as it is
        self.large: dict[str, int] = {}  # how many bytes values have, of those that have many
        self.functions: dict[int, str] = {}
        self.result, self.result_uses = "None", frozenset[str]()
        self.inputs: list[str] = []
        self.changing: set[str] = set()  # names of views of tensors that were there before, whose elements may change

    def share(self, other: Tape) -> None:
        """Let names stand for what they stand for in another tape, from now on."""
        self.names, self.functions, self.large, self.changing = other.names, other.functions, other.large, other.changing

    def function(self, function: Callable[..., Any], name: str = "") -> str:
        """The name of a function in the lines: its own, with a number if another one has it."""
        if id(function) in self.functions:
            return self.functions[id(function)]
        own = name or getattr(function, "__qualname__", function.__name__).replace(".<locals>", "").replace(".", "_").strip("<>")
        name, k = own, 2
        while name in self.names or not name.isidentifier():
            name, k = f"{own}_{k}" if own.isidentifier() else f"function_{k}", k + 1
        self.names[name], self.functions[id(function)] = function, name
        return name

    def needed_lines(self) -> list[tuple[int, Line]]:
        """The lines that are not there for nothing, with their numbers."""
        needed, used = [], set(self.result_uses)
        self.compute_constants()
        for k in range(len(self.lines) - 1, -1, -1):
            line = self.lines[k]
            if not line.pure or not used.isdisjoint(line.targets):
                needed.append((k, line))
                used |= line.uses
        return needed[::-1]

    def compute_constants(self) -> None:
        """Compute once what is the same in every replay: what is made of constants, and views of tensors that were there
        before."""
        written = {word for line in self.lines if not line.pure and ".setflags(" not in line.text for word in line.uses}
        left = []
        for line in self.lines:
            view = VIEW.match(line.text)
            constant = all([name in self.names and (view or name[0] != "w" and name not in self.changing) for name in line.uses])
            if not line.pure or line.several or not constant or not line.uses or not (view or written.isdisjoint(
                    {*line.uses, *line.targets})):
                left.append(line)
                continue
            value = run_quietly(eval, compile(line.text, f"{PACKAGE}<line>", "eval"), dict(self.names))
            if np.may_share_memory(value, self.names[view[1]]) if view else value.nbytes < LARGE:
                self.names[line.targets[0]] = value
                if view:
                    self.changing.add(line.targets[0])
            else:
                left.append(line)
        self.lines = left

    def equals(self, other: Tape) -> bool:
        """Whether another tape says the same, of the same objects and equal constants."""
        return self.reads_as(other) and self.names.keys() == other.names.keys() \
            and all([same(x, other.names[name]) for name, x in self.names.items()])

    def reads_as(self, other: Tape) -> bool:
        """Whether the lines of another tape are the same."""
        return self.result == other.result and self.inputs == other.inputs and len(self.lines) == len(other.lines) \
            and all([a.targets == b.targets and a.text == b.text for a, b in zip(self.lines, other.lines)])

    def first_difference(self, other: Tape) -> Line | None:
        """The first line that is another one, or takes another constant, in `other`; None where none is."""
        for a, b in zip(self.lines, other.lines):
            if a.text != b.text or any(not same(self.names[n], other.names.get(n)) for n in a.uses if n in self.names):
                return a
        return None


def written(x: Any, part: Callable[[Any], str]) -> str | None:
    """How a line writes `x`, if Python has a form for it: numbers, texts, and tuples, lists and slices, of whose members `part`
    says it. None for others."""
    if x is None or x is Ellipsis or x.__class__ in (bool, int, str) or x.__class__ is float and x - x == 0:
        return "..." if x is Ellipsis else repr(x)
    if x.__class__ in (tuple, list):
        parts = ", ".join([part(member) for member in x])
        return f"[{parts}]" if x.__class__ is list else f"({parts}{',' if len(x) == 1 else ''})"
    if x.__class__ is slice:
        return f"slice({part(x.start)}, {part(x.stop)}, {part(x.step)})"
    return None


def written_dict(x: dict[str, Any], part: Callable[[Any], str]) -> str:
    """How a line writes a dictionary, of whose values `part` says it."""
    return "{" + ", ".join([f"{key!r}: {part(value)}" for key, value in x.items()]) + "}"


def same(a: Any, b: Any) -> bool:
    """Whether two objects that lines take are the same to them."""
    if a is b:
        return True
    if a.__class__ is not b.__class__:
        return False
    if isinstance(a, (np.ndarray, np.generic)):
        return bool(a.dtype == b.dtype) and a.shape == b.shape and a.strides == b.strides and a.tobytes() == b.tobytes()
    return bool(getattr(a, "same_as", a.__eq__)(b) is True)
