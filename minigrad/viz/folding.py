"""One way to make a graph fit a page: which groups are open, and so which boxes, frames and arrows there are.

Every output draws a :class:`Fold`. A box is an operation, a leaf or a closed group; a frame is an open group. Of an open run the
first member is drawn, and stands for all. Each arrow of the graph is there in its fold, between the boxes that hold its ends,
unless one box holds both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterable

from minigrad.errors import ArgumentError
from minigrad.viz.graph import Arrow, Graph, Group

BUDGET = 40  # boxes of a picture that one can read
LAYERS = 18  # boxes and titles of frames that stand one below the other on a screen


@dataclass
class FoldedArrow:
    """All arrows of the graph that lead from one box to another. One that `returns` leads from one member of a run to the next,
    and so, in the one that is drawn, back."""

    source: str
    target: str
    arrows: list[Arrow] = field(default_factory=list)
    returns: bool = False


@dataclass
class Fold:
    """A graph as it is drawn. ``open`` are the ids of the frames, ``boxes`` those of the boxes in the order of computation;
    ``holder`` says in which box each operation, leaf and closed group is, also of those members of a run that are not drawn."""

    graph: Graph
    open: set[str]
    boxes: list[str] = field(default_factory=list)
    arrows: list[FoldedArrow] = field(default_factory=list)
    holder: dict[str, str] = field(default_factory=dict)

    def frame_of(self, id: str) -> str:
        """The frame that a box or a frame stands in."""
        thing = self.graph[id]
        return thing.parent if isinstance(thing, Group) else thing.group


def fold(graph: Graph, budget: int = BUDGET, depth: int | None = None, expand: Iterable[str] = ()) -> Fold:
    """Open the groups of `graph`, the outermost first, as long as there are at most `budget` boxes.

    Args:
        depth: open the groups down to this depth instead, whatever the number of boxes; 0 shows the outermost.
        expand: paths of modules, or ids of groups, to open with all that they stand in.

    Raises: ``TypeError`` where `expand` names what is not there.
    """
    opened = {""}
    if depth is not None:
        opened |= {id for id, g in graph.groups.items() if id and depth_of(graph, g) <= depth}
    else:
        opened |= opened_within(graph, budget)
    for name in expand:
        opened |= path_to(graph, name)
    return make_fold(graph, opened)


def depth_of(graph: Graph, group: Group) -> int:
    """How many groups a group stands in. Those that are only there to hold equal members do not count."""
    return sum(graph.groups[id].kind not in ("run", "line") for id in (group.id, *graph.ancestors(group.id)) if id)


def shown_members(graph: Graph, id: str) -> list[str]:
    """What is drawn in a group when it is open: its members; of a run the first, or what that holds."""
    found = graph.groups[drawn(graph, id)]
    return found.members[:1] if found.kind == "run" else found.members


def drawn(graph: Graph, id: str) -> str:
    """The group whose members are drawn in the frame of the group `id`: of a run of groups the first."""
    found = graph.groups[id]
    return drawn(graph, found.members[0]) if found.kind == "run" and found.members[0] in graph.groups else id


class Opening:
    """Opens groups one after the other while the picture stays within a budget of boxes, and on a screen."""

    def __init__(self, graph: Graph, budget: int) -> None:
        self.graph, self.budget = graph, budget
        self.opened = {""}
        self.boxes = len(graph.groups[""].members)
        self.between: dict[str, dict[str, list[str]]] = {}  # in each group, from which members arrows lead to which
        for arrow in graph.arrows:
            above = [arrow.source, *graph.ancestors(arrow.source)]
            places = {id: k for k, id in enumerate(above)}
            below = arrow.target
            for id in graph.ancestors(arrow.target):
                if id in places:
                    self.between.setdefault(id, {}).setdefault(below, []).append(above[places[id] - 1])
                    break
                below = id
        self.layers = LAYERS * max(1, -(-budget // BUDGET))

    def depth(self, id: str) -> int:
        """How many boxes, and titles of frames, stand one below the other in a member: 1 if it is one box."""
        if id not in self.opened:
            return 1
        deepest: dict[str, int] = {}
        into = self.between.get(drawn(self.graph, id), {})
        for m in shown_members(self.graph, id):
            deepest[m] = self.depth(m) + max([deepest.get(s, 0) for s in into.get(m, ())], default=0)
        return max(deepest.values(), default=0) + bool(id)

    def open(self, ids: list[str]) -> bool:
        """Open the groups `ids` together, if the picture then is within its limits; say whether it is."""
        more = sum(len(shown_members(self.graph, id)) - 1 for id in ids)
        before = self.opened
        self.opened = before | set(ids)
        if self.boxes + more <= self.budget and (self.depth("") <= self.layers or more <= 0):
            self.boxes += more
            return True
        self.opened = before
        return False


def opened_within(graph: Graph, budget: int) -> set[str]:
    """The groups to open so that there are at most `budget` boxes: level by level, those with fewer members first.

    What users call as a whole stays one box, and so does what holds but one operation. Layers that hold one operation and what it
    reads are opened together or not at all, and last.
    """
    opening = Opening(graph, budget)
    layers: list[str] = []
    level = [m for m in graph.groups[""].members if m in graph.groups]
    while level:
        below: list[str] = []
        for id in sorted(level, key=lambda g: len(shown_members(graph, g))):
            members = shown_members(graph, id)
            if is_whole(graph, id) or len(members) == 1 and members[0] not in graph.groups:
                continue
            if sum(m not in graph.leaves for m in members) == 1 and len(members) > 1:
                layers.append(id)
            elif opening.open([id]):
                below += [m for m in members if m in graph.groups]
        level = below
    opening.open(layers)
    return opening.opened


def is_whole(graph: Graph, id: str) -> bool:
    """Whether a group is one box to its user; a run is if its members are."""
    found = graph.groups[id]
    return found.whole or found.kind == "run" and found.members[0] in graph.groups and is_whole(graph, found.members[0])


def path_to(graph: Graph, name: str) -> set[str]:
    """The groups to open so that what is called `name` is open: its id, or the path of a module."""
    found = [id for id, g in graph.groups.items() if id == name or g.kind == "module" and g.path == name]
    if not found:
        known = sorted({g.path for g in graph.groups.values() if g.kind == "module"})
        raise ArgumentError(f"draw(): argument 'expand' names {name!r}, but the modules that computed something are "
                            f"{', '.join(known[:20]) or 'none: pass model='}")
    return {g for id in found for g in (id, *graph.ancestors(id))}


def make_fold(graph: Graph, opened: set[str]) -> Fold:
    """The fold of `graph` in which the groups `opened` are open, as far as those that they stand in are."""
    made = Fold(graph, set())
    waiting: list[tuple[str, str | None]] = [("", None)]  # what to place; and the box that holds it, where it is not drawn itself
    while waiting:
        id, held = waiting.pop()
        group = graph.groups.get(id)
        if held is not None:
            made.holder[id] = held
            waiting += [(m, held) for m in group.members] if group is not None else []
        elif group is None or id not in opened:
            made.boxes.append(id)
            made.holder[id] = id
            waiting += [(m, id) for m in group.members] if group is not None else []
        else:
            made.open.add(id)
            if group.kind == "run" and group.members[0] in graph.groups:
                made.open.add(group.members[0])  # which has no frame of its own
            waiting += [(m, None) for m in reversed(shown_members(graph, id))]
    any_runs = any(graph.groups[id].kind == "run" for id in made.open)
    for id, first in representatives(graph).items() if any_runs else ():
        if id not in made.holder and first in made.holder:  # else it is open, or in the place of what is
            made.holder[id] = made.holder[first]
    between: dict[tuple[str, str, bool], FoldedArrow] = {}
    for arrow in graph.arrows:
        source, target = made.holder[arrow.source], made.holder[arrow.target]
        returns = any_runs and crosses(made, arrow)
        if source != target or returns:
            found = between.setdefault((source, target, returns), FoldedArrow(source, target, [], returns))
            found.arrows.append(arrow)
    made.arrows = list(between.values())
    return made


def crosses(made: Fold, arrow: Arrow) -> bool:
    """Whether an arrow leads from one member of an open run to another, of which one is drawn."""
    common = made.graph.common_group(arrow.source, arrow.target)
    return common.kind == "run" and common.id not in made.holder  # it is open, or in the place of one that is


def representatives(graph: Graph) -> dict[str, str]:
    """For whatever is in a later member of a run, what is in its place in the first."""
    found: dict[str, str] = {}
    for run in [g for g in graph.groups.values() if g.kind == "run"]:
        for other in run.members[1:]:
            pairs = [(run.members[0], other)]
            while pairs:
                first, second = pairs.pop()
                found.setdefault(second, first)
                if first in graph.groups and second in graph.groups:
                    pairs += zip(graph.groups[first].members, graph.groups[second].members)
    for id in list(found):  # a run in a run: the first of the first
        while found[id] in found:
            found[id] = found[found[id]]
    return found
