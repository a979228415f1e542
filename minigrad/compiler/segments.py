"""Runs of lines that are replayed by one call: the loops of NumPy's that they consist of are called from a table.

The lines are those that :class:`~minigrad.compiler.translating.Translation` knows. Those that only pass results on, such as a
gradient to its leaf, wait until the run is over, and a line that needs nothing of it comes before it, so that runs are long.
What later lines use are arrays of their own; all else lies in one piece of memory, where values that are not needed at the same
time share a place.

A segment counts once it has given the same bits as its lines, in a replay that computes both (:meth:`Segment.prove`).
"""

from __future__ import annotations

import bisect
import collections
from typing import Any, Callable

import numpy as np

from minigrad.compiler.tape import Line, Tape
from minigrad.compiler.translating import Root, Translation
from minigrad.recording.clock import PACKAGE, ledger

__all__ = ["FEWEST", "Segment", "arranged"]

FEWEST = 4  # lines that a segment is worth
ALIGNED = 64  # bytes, of which the places of values are multiples


class Segment:
    """A run of lines that one call replays: `lines` are numbered, `escaping` names what later lines use of them."""

    def __init__(self, lines: list[tuple[int, Line]], translation: Translation, escaping: set[str], number: int) -> None:
        self.lines, self.name, self.same = lines, f"segment_{number}", True
        places, roots = translation.places, translation.roots
        made = {t for _, line in lines for t in line.targets}
        kept = {places[name].root for name in escaping if places[name].root.kind == "own"}
        self.made = [root for root in roots if root in kept]
        self.given = [root for root in roots if root.kind == "given"]
        self.fixed = [root for root in roots if root.kind == "fixed"]
        self.written = [root for root in self.fixed if root in translation.written]
        self.views = self.views_of(escaping, made)
        inside = [root for root in roots if root.kind == "own" and root not in kept]
        self.calls = self.table(translation, inside)
        self.addresses = np.array([0] * (1 + len(self.given) + len(self.made)) + [root.start for root in self.fixed], np.int64)
        self.numbers = {root.name for root in self.made if isinstance(translation.values[root.name], np.generic)}
        self.run_loops, self.may_fail = translation.loops.run_loops, translation.may_fail
        self.codes: dict[Any, list[int | None]] = {}  # of functions of the lines, which of the recorded lines each of theirs is
        self.run = self.function(translation.names)

    def views_of(self, escaping: set[str], made: set[str]) -> list[tuple[int, Line]]:
        """The lines by which later lines come to views of what the segment makes."""
        wanted = escaping - {root.name for root in self.made}
        found: list[tuple[int, Line]] = []
        for k, line in reversed(self.lines):
            if not wanted.isdisjoint(line.targets) or ".setflags(" in line.text and not wanted.isdisjoint(line.uses):
                found.append((k, line))
                wanted |= line.uses & made - {root.name for root in self.made}
        return found[::-1]

    def table(self, translation: Translation, inside: list[Root]) -> Any:
        """The rows as integers."""
        first: dict[Root, int] = {}
        last: dict[Root, int] = {}
        for k, row in enumerate(translation.rows):
            for x in row.operands:
                first.setdefault(x.root, k)
                last[x.root] = k
        at, size = shared_places([root for root in inside if root in first], first, last)
        at = {root: place + ALIGNED for root, place in at.items()}  # before them is what says whether a call failed
        self.size = size + ALIGNED
        number = {root: k for k, root in enumerate([*self.given, *self.made, *self.fixed], 1)}
        numbers: list[int] = []
        for row in translation.rows:
            count, start = len(row.operands), len(numbers)
            sizes = start + 8 + 2 * count + len(row.around) * (count + 1)
            rounds = int(np.prod([n for n, _ in row.around], dtype=np.int64))
            steps = sizes + len(row.sizes)
            numbers += [steps + len(row.steps) - start, row.loop, row.data, count, len(row.around), rounds, sizes, steps]
            for x in row.operands:
                numbers += [number.get(x.root, 0), x.offset + at.get(x.root, 0)]
            for n, along in row.around:
                numbers += [n, *along]
            numbers += [*row.sizes, *row.steps]
        return np.array(numbers, np.int64)

    def function(self, others: dict[str, Any]) -> Callable[..., Any]:
        """The function that computes what later lines use of the segment."""
        names: dict[str, Any] = {"run_loops": self.run_loops, "empty": np.empty, "empty_like": np.empty_like,
                                 "byte": np.dtype("u1"), "calls": self.calls, "addresses": self.addresses,
                                 "at_addresses": [root.array for root in self.fixed]}  # so that these arrays stay
        self.inputs, self.outputs = [root.name for root in self.given], [root.name for root in self.made]
        arrays = ", ".join([f"empty({self.size}, byte)", *self.inputs, *self.outputs])
        if self.may_fail:
            names["lines"] = self.recorded(others)
        fails = [f"    if arrays[0][0]: return lines({', '.join(self.inputs)})"] if self.may_fail else []
        lines = [f"def {self.name}({', '.join(self.inputs)}):",
                 *[f"    {root.name} = {new_array(root, names)}" for root in self.made],
                 f"    arrays = {arrays},", "    run_loops(calls, addresses, id(arrays))", *fails,
                 f"    return {', '.join(self.outputs)}{',' * (len(self.outputs) == 1)}"]
        exec(compile("\n".join(lines) + "\n", f"{PACKAGE}<{self.name}>", "exec"), names)
        made: Callable[..., Any] = names[self.name]
        return made

    def outside(self, proving: bool) -> list[tuple[int | None, Line]]:
        """The lines that a replay has in the place of those that the segment stands for: its call, and what leads to values from
        what it gives; or, `proving`, the lines themselves between two that find out whether the call gives the same."""
        given, made = ", ".join(self.inputs), frozenset(self.outputs)
        if proving:
            proof = self.line((f"proof_of_{self.name}",), f"prove_{self.name}({given})", frozenset(self.inputs))
            check = self.line((), f"check_{self.name}({', '.join([*proof.targets, *self.outputs])})", made)
            return [(None, proof), *self.lines, (None, check)]
        call = self.line(tuple(self.outputs), f"{self.name}({given})", frozenset(self.inputs))
        call.several, call.inner = bool(made), tuple([line for _, line in self.lines])
        numbers = [self.line((name,), f"{name}[()]", frozenset((name,))) for name in self.outputs if name in self.numbers]
        return [(None, call), *[(None, line) for line in numbers], *self.views]

    def recorded(self, names: dict[str, Any]) -> Callable[..., Any]:
        """The lines as a function, which raises their error where a number is in no table."""
        source = [f"def {self.name}({', '.join(self.inputs)}):", *[f"    {line}" for _, line in self.lines],
                  f"    return {', '.join(self.outputs)}{',' * (len(self.outputs) == 1)}"]
        names = dict(names)
        exec(compile("\n".join(source) + "\n", f"{PACKAGE}<lines of {self.name}>", "exec"), names)
        made: Callable[..., Any] = names[self.name]
        self.codes = {made.__code__: [None, *[k for k, _ in self.lines], None]}
        return made

    def line(self, targets: tuple[str, ...], text: str, uses: frozenset[str]) -> Line:
        """A line that was not recorded."""
        return Line(targets, text, uses, self.lines[0][1].where)

    def names(self, proving: bool) -> dict[str, Any]:
        """What names in those lines stand for."""
        return {f"prove_{self.name}": self.prove, f"check_{self.name}": self.check} if proving else {self.name: self.run}

    # ------------------------------------------------------------------------------------------------ whether it is right

    def prove(self, *given: Any) -> tuple[list[Any], list[Any]]:
        """What the segment computes of arrays, before its lines do, and what it would leave in the memory that it writes."""
        copies = [root.array.copy(order="K") for root in self.written]
        addresses = self.addresses.copy()
        for root, copied in zip(self.written, copies):
            k = 1 + len(self.given) + len(self.made) + self.fixed.index(root)
            addresses[k] = copied.__array_interface__["data"][0]
        made = [np.empty_like(root.array) for root in self.made]
        arrays = np.empty(self.size, np.uint8), *given, *made
        self.run_loops(self.calls, addresses, id(arrays))
        return made, copies

    def check(self, proof: tuple[list[Any], list[Any]], *values: Any) -> None:
        """Note whether the lines have given the same bits."""
        found = [*proof[0], *proof[1]]
        expected = [*[np.asarray(x) for x in values], *[root.array for root in self.written]]
        self.same = self.same and all([same_numbers(a, b) for a, b in zip(found, expected)])

    def forget(self) -> None:
        """Keep nothing of the arrays by which it was made."""
        for root in (*self.given, *self.made):
            root.array = None


def same_numbers(a: Any, b: Any) -> bool:
    """Whether two arrays hold the same bits. Which bits a NaN has is no part of what a loop computes: it depends on how many
    elements the loop takes at once."""
    if a.dtype.kind == "f" and (missing := np.isnan(a)).any():
        return np.array_equal(missing, np.isnan(b)) and bool(a[~missing].tobytes() == b[~missing].tobytes())
    return bool(a.tobytes() == b.tobytes())


def new_array(root: Root, names: dict[str, Any]) -> str:
    """How a function makes an array like one that a line gave once."""
    array, dtype = root.array, f"type_{root.array.dtype.name}"
    names[dtype] = array.dtype
    if array.flags.c_contiguous or array.flags.f_contiguous:
        return f"empty({array.shape!r}, {dtype}{'' if array.flags.c_contiguous else ', order=' + repr('F')})"
    names[f"like_{root.name}"] = np.empty_like(array)
    return f"empty_like(like_{root.name})"


def shared_places(roots: list[Root], first: dict[Root, int], last: dict[Root, int]) -> tuple[dict[Root, int], int]:
    """Where in one piece of memory values lie, of which those that are needed from their first row to their last do not overlap;
    and its size."""
    at: dict[Root, int] = {}
    taken: list[tuple[int, int, Root]] = []
    size = 0
    for root in sorted(roots, key=first.__getitem__):
        taken = [entry for entry in taken if last[entry[2]] >= first[root]]
        need, place = -(-max(root.size, 1) // ALIGNED) * ALIGNED, 0
        for start, end, _ in taken:
            if start - place >= need:
                break
            place = end
        at[root] = place
        bisect.insort(taken, (place, place + need, root), key=lambda entry: entry[0])
        size = max(size, place + need)
    return at, size


def arranged(tape: Tape, lines: list[tuple[int, Line]], values: dict[str, Any], loops: Any) -> list[tuple[int, Line] | Segment]:
    """The lines of a tape in an order in which segments stand for runs of them."""
    found: list[tuple[int, Line] | Segment] = []
    counts = collections.Counter([t for _, line in lines for t in line.targets])
    several = {t for t, n in counts.items() if n > 1}
    values = {name: x for name, x in values.items() if name not in several}
    remaining: dict[str, int] = {}  # how often names are used by lines that are still to come
    for uses in (tape.result_uses, *[line.uses for _, line in lines]):
        for name in uses:
            remaining[name] = remaining.get(name, 0) + 1
    count = 0
    inside: list[tuple[int, Line]] = []
    waiting: list[tuple[int, Line]] = []
    translation = Translation(values, tape.names, loops)

    def close() -> None:
        """End the run of lines."""
        nonlocal inside, waiting, translation, count
        later = {name for name, n in remaining.items() if n} | {name for _, line in waiting for name in line.uses}
        escaping = {t for _, line in inside for t in line.targets} & later
        if sum([line.pure is False or not is_view(line, translation) for _, line in inside]) >= FEWEST:
            found.append(Segment(inside, translation, escaping, count))
            count += 1
        else:
            found.extend(inside)
        found.extend(with_joint_notes(tape, waiting))
        inside, waiting, translation = [], [], Translation(values, tape.names, loops)

    for k, line in lines:
        if several.isdisjoint({*line.targets, *line.uses}) and translation.add(line):
            inside.append((k, line))
        elif inside and only_passes_on(tape, line):
            waiting.append((k, line))
        elif inside and line.pure and may_come_before(line, inside, translation):
            found.append((k, line))
        else:
            close()
            if several.isdisjoint({*line.targets, *line.uses}) and translation.add(line):
                inside.append((k, line))
            else:
                found.append((k, line))
        for name in line.uses:
            remaining[name] -= 1
    close()
    return found


def with_joint_notes(tape: Tape, waiting: list[tuple[int, Line]]) -> list[tuple[int, Line]]:
    """The lines, of which those that note a write by the same operation, to several arrays, are one. The notes of each array stay
    in their order."""
    notes = [(k, line) for k, line in waiting if not line.targets and line.uses]
    found = [entry for entry in waiting if entry not in notes]
    while notes:
        (number, first), rest = notes[0], list[tuple[int, Line]]()
        written, passed = list[str](), set[str]()
        operation = first.text.partition(", ")[2]
        for k, line in notes:
            name, = line.uses
            if line.text.partition(", ")[2] == operation and name not in passed:
                written.append(name)
            else:
                rest.append((k, line))
            passed.add(name)
        text = f"{tape.function(ledger.record_all, 'note_writes')}(({', '.join(written)},), {operation}"
        found.append((number, Line((), text, frozenset(written), first.where)))
        notes = rest
    return found


def is_view(line: Line, translation: Translation) -> bool:
    """Whether a line of a segment makes nothing but views."""
    return all([translation.places[t].root.name != t for t in line.targets])


def may_come_before(line: Line, inside: list[tuple[int, Line]], translation: Translation) -> bool:
    """Whether a line that only makes its targets needs nothing of what a segment does."""
    return not translation.written and line.uses.isdisjoint([t for _, other in inside for t in other.targets])


def only_passes_on(tape: Tape, line: Line) -> bool:
    """Whether a line reads and writes no elements: it sets a gradient or notes a write, which may be done later."""
    function = tape.names.get(line.text.partition("(")[0])
    if line.targets:
        return line.targets[0].endswith("._grad") and (function is tape.names["tensor"] or line.text == "None")
    return function == ledger.record or getattr(function, "__name__", "") == "zero_grad" and "," not in line.text
