"""The tree of groups: which operations belong to which call of which module, of which function, and which of them are equal.

The tree is made from the outside in: calls of modules and backward passes by the time they took, calls of functions by the
instruction of the user's that they come from, then runs of equal neighbours, and where a group still holds too many members,
source lines.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Iterable, Iterator

import numpy as np

from minigrad.viz.graph import Arrow, Graph, Group, Leaf, Operation
from minigrad.viz.naming import Spot, public_function, short_line

WORTH_FOLDING = 6  # operations that a run of equal members holds at least
LONGEST_PERIOD = 1000  # members that repeat together at most
CROWD = 40  # members from which on a group is divided by source lines


@dataclass
class Span:
    """What lasted from the stamp `start` to `end`: a call of the module at `path`, or, without a path, a backward pass that
    computed a `derivative`."""

    start: int
    end: int
    path: str = ""
    type: str = ""
    settings: str = ""
    own: bool = False  # a module of the library's
    derivative: int = 0


def group(graph: Graph, spans: Iterable[Span], spots: dict[str, Spot]) -> None:
    """Give `graph` its tree of groups. `spots` are the places in the source of its operations, by id."""
    add_spans(graph, spans)
    for members in list(graph.groups.values()):
        add_calls(graph, members, spots)
    place_leaves(graph)
    folds = Signatures(graph)
    for members in reversed(list(graph.groups.values())):  # inner groups before those that hold them
        add_runs(graph, members, folds)
        add_lines(graph, members)


def new_group(graph: Graph, kind: str, parent: Group, **fields: Any) -> Group:
    """A new group in `parent`, which does not list it yet."""
    last = next(reversed(graph.groups))  # empty groups have been removed, so that there are fewer than numbers
    made = Group(f"g{int(last[1:] or 0) + 1}", kind, parent=parent.id, **fields)
    graph.groups[made.id] = made
    return made


def adopt(graph: Graph, parent: Group, members: Iterable[str]) -> None:
    """Put `members` into the group `parent`."""
    for id in members:
        thing = graph[id]
        if isinstance(thing, Group):
            thing.parent = parent.id
        else:
            thing.group = parent.id
        parent.members.append(id)


# ---------------------------------------------------------------------------------------------------- modules and passes

def add_spans(graph: Graph, spans: Iterable[Span]) -> None:
    """Group operations by the calls of modules and the backward passes during which they were made."""
    root = graph.groups[""]
    items: list[tuple[int, int, Any]] = [(op.stamp, 1, op) for op in graph.operations.values()]
    items += [(span.start, 0, span) for span in spans]
    items.sort(key=lambda item: item[:2])
    stack: list[tuple[float, Group]] = [(float("inf"), root)]
    libraries: list[tuple[Group, bool]] = []
    passes: dict[str, int] = {}
    for stamp, _, item in items:
        while stack[-1][0] < stamp:
            stack.pop()
        parent = stack[-1][1]
        if isinstance(item, Span):
            title = item.path.rpartition(".")[2] or f"backward, derivative {item.derivative}"
            made = new_group(graph, "module" if item.path else "pass", parent, title=title, type=item.type, path=item.path,
                             settings={"": item.settings} if item.settings else {})
            libraries.append((made, item.own))
            if not item.path:
                passes[made.id] = item.derivative
            parent.members.append(made.id)
            stack.append((item.end, made))
        else:
            item.group = parent.id
            parent.members.append(item.id)
    remove_empty(graph)
    seen: Counter[str] = Counter()
    for found in graph.groups.values():  # calls that made nothing of this graph, as in earlier steps of a training, do not count
        if found.path:
            found.call = seen[found.path]
            seen[found.path] += 1
    for found, own in libraries:
        operations = [m for m in found.members if m in graph.operations]
        found.whole = own and len(operations) == len(found.members) > 1
    for id, derivative in passes.items():
        for op in [graph.operations[x] for x in graph.inside(id)] if id in graph.groups else ():
            op.derivative = derivative
            graph.groups[id].line = op.line


def remove_empty(graph: Graph) -> None:
    """Remove groups that hold nothing."""
    for found in reversed(list(graph.groups.values())):
        if found.id and not found.members:
            graph.groups[found.parent].members.remove(found.id)
            del graph.groups[found.id]


# ---------------------------------------------------------------------------------------------------- calls of functions

def add_calls(graph: Graph, members: Group, spots: dict[str, Spot]) -> None:
    """Group neighbours in `members` that one call of the user's made, and call what is a whole call what the user calls it."""
    if members.kind == "pass" or members.kind == "module" and len({id(spots.get(o)) for o in graph.inside(members.id)}) == 1:
        return  # all of it comes from one call, which is the group itself
    listed, members.members = members.members, []
    for spot, stretch in stretches(listed, spots):
        known = spot is not None and public_function(spot.called) is not None
        for call in split_calls(graph, stretch, spot if known else None):
            if spot is None or not spot.called:
                members.members += call
            elif len(call) == 1:
                members.members += call
                if known:
                    graph.operations[call[0]].name, graph.operations[call[0]].settings = spot.called, dict(spot.settings)
            else:
                made = new_group(graph, "function", members, title=spot.called, settings=dict(spot.settings), line=spot.line,
                                 whole=True)
                adopt(graph, made, call)
                members.members.append(made.id)


def stretches(members: list[str], spots: dict[str, Spot]) -> Iterator[tuple[Spot | None, list[str]]]:
    """Neighbours that come from one instruction, together; groups each alone."""
    at = 0
    while at < len(members):
        spot, end = spots.get(members[at]), at + 1
        while spot is not None and end < len(members) and spots.get(members[end]) is spot:
            end += 1
        yield spot, members[at:end]
        at = end


def split_calls(graph: Graph, stretch: list[str], spot: Spot | None) -> list[list[str]]:
    """The calls that operations from one instruction come from: a loop calls it many times. Where the `spot` calls a function of
    ours, equal ones are a call each; equal parts of what it is made of are so if they have equal shapes. Of any other function,
    what repeats may be its own loop, and is left together; single operations are a call each."""
    kinds: list[Any] = []
    for id in stretch:
        op = graph.operations.get(id)
        part = op is not None and spot is not None and op.name != spot.called
        kinds.append(id if op is None else (op.node, str(op.shape)) if part else op.node)
    limit = len(kinds) if spot is not None else 1
    period = next((p for p in range(1, limit + 1) if len(kinds) % p == 0 and kinds == kinds[:p] * (len(kinds) // p)), len(kinds))
    return [stretch[k:k + period] for k in range(0, len(stretch), period)]


# ---------------------------------------------------------------------------------------------------- leaves

def place_leaves(graph: Graph) -> None:
    """Put each leaf before the member that reads it, in the innermost group of a module that holds all operations that do; before
    all members where several read it, so that it does not part equal ones.

    What the first operation of a group reads first, beside parameters, was handed to the group, and stands outside.
    """
    readers: dict[str, list[str]] = {}
    data: dict[str, str] = {}  # what each operation reads first, beside parameters
    for arrow in graph.arrows:
        if arrow.source not in graph.leaves or graph.leaves[arrow.source].kind in ("constant", "leaf"):
            data.setdefault(arrow.target, arrow.source)
        if arrow.source in graph.leaves:
            readers.setdefault(arrow.source, []).append(arrow.target)
    waiting: dict[str, list[tuple[str, str]]] = {}  # by group: before which member which leaf
    for leaf in graph.leaves.values():
        found = readers.get(leaf.id)
        if leaf.kind == "output" or not found:
            waiting.setdefault("", []).append(("", leaf.id))
            continue
        shared = [g for g in graph.ancestors(found[0]) if graph.groups[g].kind != "function"]
        for reader in found[1:]:
            others = set(graph.ancestors(reader))
            shared = [g for g in shared if g in others]
        first = min(found, key=lambda r: graph.operations[r].stamp if r in graph.operations else 0)
        while data.get(first) == leaf.id and shared[0] and first_operation(graph, shared[0]) == first:
            shared = shared[1:]
        leaf.group = shared[0]
        reading = {member_of(graph, leaf.group, r) for r in found}
        before = reading.pop() if len(reading) == 1 else graph.groups[leaf.group].members[0]
        waiting.setdefault(leaf.group, []).append((before, leaf.id))
    for id, listed in waiting.items():
        by_member: dict[str, list[str]] = {}
        for member, leaf_id in listed:
            by_member.setdefault(member, []).append(leaf_id)
        members = graph.groups[id]
        members.members = [x for member in members.members for x in (*by_member.get(member, ()), member)] + by_member.get("", [])


def member_of(graph: Graph, group: str, id: str) -> str:
    """The member of a group that is `id`, or holds it."""
    chain = [id, *graph.ancestors(id)]
    return chain[chain.index(group) - 1]


def first_operation(graph: Graph, id: str) -> str:
    """The operation of a group that was computed first."""
    return next((x for x in graph.inside(id) if x in graph.operations), "")


# ---------------------------------------------------------------------------------------------------- runs of equal members

class Signatures:
    """Numbers for what members of groups are: equal members have equal numbers."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.numbers: dict[Any, int] = {}
        self.of: dict[str, int] = {}
        self.sizes: dict[str, int] = {}
        self.arrows_to: dict[str, list[Arrow]] = {}
        for arrow in graph.arrows:
            self.arrows_to.setdefault(arrow.target, []).append(arrow)

    def number(self, id: str) -> int:
        """The number of a member: of the members of a group before that of the group."""
        found = self.of.get(id)
        if found is None:
            thing = self.graph[id]
            if isinstance(thing, Operation):
                key: Any = ("o", thing.name, thing.node, str(thing.shape), tuple(thing.settings.items()), bool(thing.failure))
            elif isinstance(thing, Leaf):
                key = ("l", thing.kind, tuple(thing.shape))
            else:
                key = (thing.kind, thing.type, thing.title if thing.kind == "function" else "", thing.repeats,
                       tuple([self.number(m) for m in thing.members]))
            found = self.of[id] = self.numbers.setdefault(key, len(self.numbers))
        return found

    def size(self, id: str) -> int:
        """How many operations a member holds; each of a run counts."""
        found = self.sizes.get(id)
        if found is None:
            thing = self.graph[id]
            found = self.sizes[id] = (sum(map(self.size, thing.members)) if isinstance(thing, Group)
                                      else int(isinstance(thing, Operation)))
        return found

    def wiring(self, unit: list[str]) -> Any:
        """How the operations of neighbours feed each other, by their places among them."""
        ids = [x for id in unit for x in self.graph.inside(id)]
        places = {id: k for k, id in enumerate(ids)}
        return [[(arrow.argument, places.get(arrow.source)) for arrow in self.arrows_to.get(id, ())] for id in ids]


def add_runs(graph: Graph, members: Group, folds: Signatures) -> None:
    """Group neighbours in `members` that are equal, or that repeat together, short repeats first."""
    period = 1
    numbers = np.array([folds.number(m) for m in members.members])
    while 2 * period <= len(members.members) and period <= LONGEST_PERIOD:
        done, listed = 0, []
        for start, count in repeats(numbers, period):
            start, count = max(start, done), count - max(done - start, 0)
            if count < 2 * period:
                continue
            for begin, units in equal_units(members.members, start, period, count, folds):
                listed += members.members[done:begin]
                listed.append(new_run(graph, members, units).id)
                done = begin + len(units) * period
        if done:
            members.members = listed + members.members[done:]
            numbers = np.array([folds.number(m) for m in members.members])
        period += 1


def repeats(numbers: Any, period: int) -> Iterator[tuple[int, int]]:
    """Where a stretch begins in which each number is that of `period` places before, and how many numbers it has."""
    equal = np.flatnonzero(np.diff(np.concatenate([[0], numbers[period:] == numbers[:-period], [0]])))
    for start, end in zip(equal[::2].tolist(), equal[1::2].tolist()):
        if end - start >= period:
            yield start, end - start + period


def equal_units(members: list[str], start: int, period: int, count: int,
                folds: Signatures) -> Iterator[tuple[int, list[list[str]]]]:
    """In a stretch that repeats, the runs worth folding: where each begins, and its units, which are wired alike.

    Where the stretch allows it, a unit begins at the earliest source line in it, as the body of a loop does.
    """
    end = start + count
    start += best_shift(members, start, period, count % period, folds.graph)
    units = [members[k:k + period] for k in range(start, end - period + 1, period)]
    at = 0
    while at < len(units):
        wiring, after = folds.wiring(units[at]), at + 1
        while after < len(units) and folds.wiring(units[after]) == wiring:
            after += 1
        if after - at > 1 and (after - at) * sum(map(folds.size, units[at])) >= WORTH_FOLDING:
            yield start + at * period, units[at:after]
        at = after


def best_shift(members: list[str], start: int, period: int, slack: int, graph: Graph) -> int:
    """By how many members, at most `slack`, to begin later so that a unit begins at its earliest line. The lines are those of the
    second unit: what stands before a loop may equal its end."""
    if not slack:
        return 0
    lines = [line_number(graph, m) for m in members[start + period:start + 2 * period]]
    return min(range(slack + 1), key=lambda k: (lines[k % period], k))


def line_number(graph: Graph, id: str) -> tuple[str, int]:
    """The first source line of a member."""
    found = [op.line for x in graph.inside(id) if (op := graph.operations.get(x)) is not None and op.line]
    file, _, number = found[0].rpartition(":") if found else ("~", "", "0")
    return file, int(number)


def new_run(graph: Graph, parent: Group, units: list[list[str]]) -> Group:
    """The group of equal `units`, each of which is a member of it: a group or an operation, or a group made for several."""
    made = new_group(graph, "run", parent, repeats=len(units))
    for unit in units:
        if len(unit) == 1:
            adopt(graph, made, unit)
        else:
            body = new_group(graph, "line", made)
            adopt(graph, body, unit)
            made.members.append(body.id)
            body.title = body.line = line_range(graph, body)
    first = graph[units[0][0]]
    if len(units[0]) > 1:
        made.title = graph.groups[made.members[0]].title
    elif isinstance(first, Group):
        last = graph.groups[units[-1][0]]
        made.type, made.path = first.type, first.path
        made.title = first.title if first.path == last.path else f"{first.path}–{last.title}"
    else:
        made.title = first.name if isinstance(first, Operation) else first.kind
    return made


# ---------------------------------------------------------------------------------------------------- source lines

def add_lines(graph: Graph, members: Group) -> None:
    """Divide a group that holds very many members by source lines, and these, where they are very many, by ranges of lines."""
    if len(members.members) <= CROWD or members.kind == "run":
        return
    pieces: list[list[str]] = []
    last = None
    for id in members.members:
        line = line_number(graph, id)
        if line == last:
            pieces[-1].append(id)
        else:
            pieces.append([id])
        last = line
    if len(pieces) == 1:
        pieces = [[id] for id in members.members]
    share = -(-len(pieces) // CROWD)
    if share == 1:
        members.members = []
        for piece in pieces:
            members.members.append(piece[0] if len(piece) == 1 else new_lines(graph, members, piece).id)
        return
    share = max(share, 2)
    members.members = [new_lines(graph, members, [id for piece in pieces[k:k + share] for id in piece]).id
                       for k in range(0, len(pieces), share)]
    for id in members.members:
        add_lines(graph, graph.groups[id])


def new_lines(graph: Graph, parent: Group, ids: list[str]) -> Group:
    """The group of what stands on one line, or on several that follow each other."""
    made = new_group(graph, "line", parent)
    adopt(graph, made, ids)
    made.title = made.line = line_range(graph, made)
    return made


def line_range(graph: Graph, members: Group) -> str:
    """``file:first-last`` of the lines of a group."""
    found = [line_number(graph, m) for m in members.members]
    found = [x for x in found if x[0] != "~"]
    if not found:
        return ""
    first, last = min(found), max(found)
    return short_line(f"{first[0]}:{first[1]}") + (f"–{last[1]}" if last[1] != first[1] and last[0] == first[0] else "")

