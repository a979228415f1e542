"""Where boxes, frames and arrows go: our own layered layout, in which no arrow crosses a box that it does not belong to.

Each frame is laid out by itself and is then one box in the frame around it. The layers are those of Sugiyama's method (Sugiyama,
Tagawa and Toda, 1981): a box stands below everything it reads; an arrow over several layers runs through a place kept free in
each of them; orders are improved by barycentres; and the places in a layer are the least squares fit to the places of neighbours,
at a distance from each other, which pooling adjacent violators finds exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable

from minigrad.viz.folding import Fold, FoldedArrow, shown_members

GAP = 22.0  # between neighbours in a layer
DROP = 22.0  # between layers, which arrows and their labels have for themselves
PADDING = 12.0  # round what stands in a frame
TITLE = 18.0  # the height of a frame's title
LANE = 10.0  # the width of the place that an arrow has in a layer it passes through
FAN = 12.0  # between the ends of arrows on one side of a box
SWEEPS = 8
STRAIGHT = 8.0  # how much more than other parts of an arrow those that pass layers resist a bend

Point = tuple[float, float]


@dataclass
class Rectangle:
    """A box or a frame: its left upper corner and its size."""

    x: float
    y: float
    width: float
    height: float


@dataclass
class Layout:
    """Places of all that is drawn. An arrow is a list of points; between the points 2k and 2k + 1 it runs straight down, and from
    there on through a band without boxes to the next."""

    width: float = 0.0
    height: float = 0.0
    boxes: dict[str, Rectangle] = field(default_factory=dict)
    frames: dict[str, Rectangle] = field(default_factory=dict)
    arrows: list[tuple[FoldedArrow, list[Point]]] = field(default_factory=list)


@dataclass(eq=False)
class Vertex:
    """Something in a layer: a box, a frame, the place of an arrow that passes, or the end of one that leaves the frame."""

    id: str
    width: float
    height: float
    rank: int = 0
    x: float = 0.0  # of its middle
    y: float = 0.0  # of its upper edge
    inner: Any = None  # the laid-out frame


@dataclass(eq=False)
class Edge:
    """An arrow, or the part of it that is in one frame. Its ends are vertices, each with the distance from its middle at which
    the arrow meets it; `path` are the vertices it passes."""

    arrow: FoldedArrow
    source: Vertex
    target: Vertex
    path: list[Vertex] = field(default_factory=list)


class FrameLayout:
    """One frame and what stands in it."""

    def __init__(self, fold: Fold, id: str, size: Callable[[str], tuple[float, float]], ends: list[tuple[FoldedArrow, str, str]],
                 title_width: float, backward: bool) -> None:
        """`ends` are the arrows that touch this frame, with the box each comes from and leads to."""
        self.fold, self.id = fold, id
        self.width = self.height = 0.0
        self.vertices: dict[str, Vertex] = {}
        self.child_of: dict[str, str] = {}
        self.edges: list[Edge] = []
        self.entries: dict[int, Vertex] = {}  # by arrow: where it comes in
        self.exits: dict[int, Vertex] = {}
        self.loops: list[tuple[FoldedArrow, str]] = []
        members = shown_members(fold.graph, id)[::-1 if backward else 1]
        for m in members:
            self.child_of.update((box, m) for box in boxes_in(fold, m))
        within: dict[str, list[tuple[FoldedArrow, str, str]]] = {m: [] for m in members}
        for arrow, source, target in ends:
            a, b = self.child_of.get(source), self.child_of.get(target)
            for child in {a, b} - {None}:
                within[str(child)].append((arrow, source, target))
        for m in members:
            if m in fold.open:
                inner = FrameLayout(fold, m, size, within[m], size(m)[0], backward)
                self.vertices[m] = Vertex(m, inner.width, inner.height, inner=inner)
            else:
                self.vertices[m] = Vertex(m, *size(m))
        for arrow, source, target in ends:
            self.add_edge(arrow, self.child_of.get(source), self.child_of.get(target))
        self.title = TITLE if id else 0.0
        self.layers = self.make_layers()
        self.order_layers()
        self.place(title_width)
        self.ends = self.fan()

    def add_edge(self, arrow: FoldedArrow, a: str | None, b: str | None) -> None:
        """Add the part of an arrow that is in this frame; `a` and `b` are the members it comes from and leads to."""
        if a is not None and a == b:
            if self.vertices[a].inner is None:
                self.loops.append((arrow, a))
            return
        if a is None:
            self.entries[id(arrow)] = Vertex("", LANE, 0.0)
        if b is None:
            self.exits[id(arrow)] = Vertex("", LANE, 0.0)
        source = self.entries[id(arrow)] if a is None else self.vertices[a]
        target = self.exits[id(arrow)] if b is None else self.vertices[b]
        self.edges.append(Edge(arrow, source, target))

    # ------------------------------------------------------------------------------------------------ layers

    def make_layers(self) -> list[list[Vertex]]:
        """Give each vertex its layer, and each arrow its places in those it passes."""
        incoming: dict[Vertex, list[Edge]] = {}
        outgoing: dict[Vertex, list[Edge]] = {}
        for e in self.edges:
            incoming.setdefault(e.target, []).append(e)
            outgoing.setdefault(e.source, []).append(e)
        inside = list(self.vertices.values())  # in the order in which values, or gradients, flow
        for v in inside:
            v.rank = 1 + max([e.source.rank for e in incoming.get(v, ())], default=0)
        last = max([v.rank for v in inside], default=0) + 1
        for v in reversed(inside):
            if not incoming.get(v) and outgoing.get(v):  # what nothing flows into stands right above what reads it
                v.rank = min(e.target.rank if e.target.id else last for e in outgoing[v]) - 1
        for v in self.exits.values():
            v.rank = last
        layers: list[list[Vertex]] = [[] for _ in range(last + 1)]
        for v in (*self.entries.values(), *inside, *self.exits.values()):
            layers[v.rank].append(v)
        for e in self.edges:
            for rank in range(e.source.rank + 1, e.target.rank):
                lane = Vertex("", LANE, 0.0, rank)
                e.path.append(lane)
                layers[rank].append(lane)
        return layers

    def links(self) -> tuple[dict[Vertex, list[tuple[Vertex, float, float]]], dict[Vertex, list[tuple[Vertex, float, float]]]]:
        """For each vertex the ones above it and those below it that an arrow joins it to, with how far from the middle of it
        and of the other the arrow ends."""
        above: dict[Vertex, list[tuple[Vertex, float, float]]] = {}
        below: dict[Vertex, list[tuple[Vertex, float, float]]] = {}
        for e in self.edges:
            chain = [e.source, *e.path, e.target]
            for v, w in zip(chain, chain[1:]):
                dv, dw = self.offset(v, e, "exits"), self.offset(w, e, "entries")
                below.setdefault(v, []).append((w, dv, dw))
                above.setdefault(w, []).append((v, dw, dv))
        return above, below

    def offset(self, v: Vertex, e: Edge, side: str) -> float:
        """How far from the middle of `v` an arrow meets it: of a frame, where it goes on inside."""
        if v.inner is None:
            return 0.0
        port: Vertex | None = getattr(v.inner, side).get(id(e.arrow))
        return 0.0 if port is None else port.x - v.inner.width / 2

    def order_layers(self) -> None:
        """Order each layer so that few arrows cross."""
        above, below = self.links()
        best, least = [list(layer) for layer in self.layers], self.crossings(below)
        for sweep in range(SWEEPS):
            if not least:
                break
            down = sweep % 2 == 0
            ranks = range(1, len(self.layers)) if down else range(len(self.layers) - 2, -1, -1)
            for rank in ranks:
                beside = self.layers[rank - 1 if down else rank + 1]
                place = {v: k for k, v in enumerate(beside)}
                joined = above if down else below
                wanted = {}
                for k, v in enumerate(self.layers[rank]):
                    found = [place[w] + dw / (w.width + 1) for w, _, dw in joined.get(v, ()) if w in place]
                    wanted[v] = sum(found) / len(found) if found else float(k)
                self.layers[rank].sort(key=lambda v: wanted[v])
            count = self.crossings(below)
            if count < least:
                best, least = [list(layer) for layer in self.layers], count
        self.layers = best

    def crossings(self, below: dict[Vertex, list[tuple[Vertex, float, float]]]) -> int:
        """How many pairs of arrows cross between neighbouring layers."""
        total = 0
        for upper, lower in zip(self.layers, self.layers[1:]):
            place = {v: k for k, v in enumerate(lower)}
            ends: list[float] = []
            for v in upper:
                for _, target in sorted((dv, place[w] + dw / (w.width + 1)) for w, dv, dw in below.get(v, ())):
                    total += sum(other > target for other in ends)
                    ends.append(target)
        return total

    # ------------------------------------------------------------------------------------------------ places

    def place(self, title_width: float) -> None:
        """Give each vertex its place, and the frame its size."""
        above, below = self.links()
        for layer in self.layers:
            x = 0.0
            for v in layer:
                v.x = x + v.width / 2
                x += v.width + GAP
        for sweep in range(SWEEPS):
            down, both = sweep % 2 == 0, sweep >= SWEEPS // 2
            for layer in self.layers if down else reversed(self.layers):
                wanted, weights = [], []
                for v in layer:
                    sides = (above, below) if both else (above if down else below,)
                    found = [(w.x + dw - dv, stiffness(v, w)) for joined in sides for w, dv, dw in joined.get(v, ())]
                    weights.append(sum([k for _, k in found]) or 0.1)
                    wanted.append(sum([x * k for x, k in found]) / weights[-1] if found else v.x)
                for v, x in zip(layer, spread(wanted, [v.width for v in layer], weights)):
                    v.x = x
        every = [v for layer in self.layers for v in layer]
        loops = 2 * GAP if self.loops else 0.0
        left = min([v.x - v.width / 2 for v in every], default=0.0)
        right = max([v.x + v.width / 2 for v in every], default=0.0) + loops
        self.width = max(right - left + 2 * PADDING, title_width)
        shift = PADDING - left + (self.width - (right - left) - 2 * PADDING) / 2
        y = self.title + PADDING - DROP
        self.bands: list[tuple[float, float]] = []  # of each layer
        for layer in self.layers:
            tall = max([v.height for v in layer], default=0.0)
            for v in layer:
                v.x += shift
                v.y = y
            self.bands.append((y, y + tall))
            y += tall + DROP
        self.height = self.bands[-1][0] if self.exits else self.bands[-2][1] + PADDING

    def fan(self) -> dict[tuple[int, bool], float]:
        """How far from the middle of its box each arrow begins, and, with True, ends: side by side, in the order of where they
        lead and come from."""
        sides: dict[tuple[Vertex, bool], list[tuple[float, int]]] = {}
        for e in self.edges:
            chain = [e.source, *e.path, e.target]
            for v, w, ends in ((chain[0], chain[1], False), (chain[-1], chain[-2], True)):
                if v.id and v.inner is None:
                    x = w.x + self.offset(w, e, "exits" if ends else "entries")
                    sides.setdefault((v, ends), []).append((x, id(e.arrow)))
        found: dict[tuple[int, bool], float] = {}
        for (v, ends), arrows in sides.items():
            arrows.sort(key=lambda arrow: arrow[0])
            step = min(FAN, 0.6 * v.width / len(arrows))
            found.update(((arrow, ends), (k - (len(arrows) - 1) / 2) * step) for k, (_, arrow) in enumerate(arrows))
        return found

    def draw(self, layout: Layout, x: float, y: float, pieces: dict[int, list[Any]]) -> None:
        """Write the places of all that stands in the frame, whose left upper corner is at `x` and `y`, into `layout`; `pieces`
        gains the parts of each arrow."""
        if self.id:
            layout.frames[self.id] = Rectangle(x, y, self.width, self.height)
        for v in self.vertices.values():
            if v.inner is None:
                layout.boxes[v.id] = Rectangle(x + v.x - v.width / 2, y + v.y, v.width, v.height)
            else:
                v.inner.draw(layout, x + v.x - v.width / 2, y + v.y, pieces)
        for e in self.edges:
            chain = [e.source, *e.path, e.target]
            points: list[Point] = []
            for k, v in enumerate(chain):
                first, last = k == 0, k == len(chain) - 1
                at = x + v.x
                if first or last:
                    at += self.offset(v, e, "exits" if first else "entries") + self.ends.get((id(e.arrow), last), 0.0)
                top, bottom = self.bands[v.rank]
                if first:
                    start = 0.0 if id(e.arrow) in self.entries else v.y + v.height
                    points += [(at, y + start), (at, y + max(bottom, start))]
                elif last:
                    end = self.height if id(e.arrow) in self.exits else v.y
                    points += [(at, y + min(top, end)), (at, y + end)]
                else:
                    points += [(at, y + top), (at, y + bottom)]
            pieces.setdefault(id(e.arrow), []).append(points)
        for arrow, name in self.loops:
            v = self.vertices[name]
            right = x + v.x + v.width / 2
            layout.arrows.append((arrow, [(right, y + v.y + v.height * 0.75), (right + GAP, y + v.y + v.height * 0.75),
                                          (right + GAP, y + v.y + v.height * 0.25), (right, y + v.y + v.height * 0.25)]))


def stiffness(v: Vertex, w: Vertex) -> float:
    """How much the part of an arrow between two vertices pulls them to one line."""
    return STRAIGHT if not v.id and not w.id else 1.0


def spread(wanted: list[float], widths: list[float], weights: list[float]) -> list[float]:
    """The places nearest to those `wanted`, by weighted least squares, for things of these widths that keep their order and
    GAP."""
    steps = [0.0]
    for a, b in zip(widths, widths[1:]):
        steps.append(steps[-1] + (a + b) / 2 + GAP)
    pools: list[list[float]] = []  # of each: the sum of weights, the mean, how many
    for place, step, weight in zip(wanted, steps, weights):
        pools.append([weight, place - step, 1])
        while len(pools) > 1 and pools[-2][1] > pools[-1][1]:
            w, m, n = pools.pop()
            v, k, p = pools[-1]
            pools[-1] = [v + w, (v * k + w * m) / (v + w), p + n]
    means = [mean for _, mean, n in pools for _ in range(int(n))]
    return [mean + step for mean, step in zip(means, steps)]


def boxes_in(fold: Fold, id: str) -> list[str]:
    """The boxes that are drawn in a member of a frame."""
    found, waiting = [], [id]
    while waiting:
        at = waiting.pop()
        if at in fold.open:
            waiting += shown_members(fold.graph, at)
        else:
            found.append(at)
    return found


def lay_out(fold: Fold, size: Callable[[str], tuple[float, float]], backward: bool = False) -> Layout:
    """The layout of a fold.

    Args:
        size: the width and height of each box, by id, and of the title of each frame.
        backward: arrows lead from results to what they were computed from, as gradients flow.
    """
    place = {name: k for k, name in enumerate(fold.boxes)}
    flipped = {id(arrow) for arrow in fold.arrows if place[arrow.source] > place[arrow.target]}
    ends = [(arrow, arrow.target, arrow.source) if (id(arrow) in flipped) != backward else (arrow, arrow.source, arrow.target)
            for arrow in fold.arrows]
    root = FrameLayout(fold, "", size, ends, 0.0, backward)
    layout = Layout(root.width, root.height)
    pieces: dict[int, list[list[Point]]] = {}
    root.draw(layout, 0.0, 0.0, pieces)
    for arrow in fold.arrows:
        parts = sorted(pieces.get(id(arrow), ()), key=lambda points: points[0][1])
        points = [p for part in parts for p in part]
        if points:
            layout.arrows.append((arrow, points[::-1] if id(arrow) in flipped else points))
    return layout
