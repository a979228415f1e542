"""A fold as a page: one file that needs no network, to pan, zoom, search, fold and step through the backward pass.

The page has all groups, and the same boxes, words and colours as every other picture; ``page/page.js`` shows what is open, by the
layout of dagre (https://github.com/dagrejs/dagre, MIT licence, kept beside it). Of a run of equal members the page has the
boxes of the first, and the numbers of all.
"""

from __future__ import annotations

import html
import json
from dataclasses import asdict
from importlib.resources import files
from typing import Any, Iterable

from minigrad.viz.boxes import box_of, frame_title, shape_text
from minigrad.viz.colours import KINDS, legend, text_on
from minigrad.viz.folding import Fold
from minigrad.viz.graph import Arrow, Graph, Group, Leaf, Operation, Statistics, spoken

ALIKE = 200  # members of a run whose numbers the page has at most
NOT_SHOWN = ("stamp", "group", "value", "gradient")  # fields that the page has elsewhere
STEPS = 20_000  # steps of the backward pass that the page has at most


def to_html(fold: Fold, backward: bool = False) -> str:
    """The page, with the groups open that are open in `fold`."""
    folder = files("minigrad.viz") / "page"

    def part(name: str) -> str:
        return (folder / name).read_text(encoding="utf-8")

    data = json.dumps(spoken(page_data(fold, backward)), separators=(",", ":")).replace("<", "\\u003c")
    page = part("page.html")
    for mark, content in (("title", html.escape(fold.graph.title or "computation")), ("style", part("page.css")),
                          ("layout", part("dagre.min.js")), ("program", part("page.js")), ("data", data)):
        before, _, after = page.partition(f"<!--{mark}-->")
        page = before + content + after
    return page


def page_data(fold: Fold, backward: bool) -> dict[str, Any]:
    """What the page knows."""
    graph = fold.graph
    stands_for = representatives(graph)
    shown = [id for id in graph.inside("") if stands_for.get(id, id) == id]
    groups = [g for g in graph.groups.values() if g.id and stands_for.get(g.id, g.id) == g.id]
    alike: dict[str, list[str]] = {}
    for id, first in stands_for.items():
        if id in graph.operations or id in graph.leaves:
            alike.setdefault(first, []).append(id)
    return {
        "title": graph.title, "failure": graph.failure, "peak": graph.peak, "backward": backward,
        "open": sorted(id for id in fold.open if id and stands_for.get(id, id) == id),
        "root": graph.groups[""].members,
        "boxes": {id: box_data(fold, id) for id in [*shown, *[g.id for g in groups]]},
        "groups": {g.id: group_data(g) for g in groups},
        "details": {id: details(graph, id) for id in shown},
        "alike": {first: [numbers(graph[id]) for id in ids[:ALIKE]] for first, ids in alike.items()},
        "arrows": arrows_data(graph, stands_for),
        "steps": steps_data(graph, stands_for),
        "sources": {name: asdict(found) for name, found in graph.sources.items()
                    if name in {graph.operations[id].node for id in shown if id in graph.operations}},
        "legend": legend(), "kinds": {kind: [colour, text_on(colour)] for kind, colour in KINDS.items()},
    }


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


def box_data(fold: Fold, id: str) -> dict[str, Any]:
    """What stands in a box, as every picture has it."""
    box = box_of(fold, id)
    return {"title": box.title, "lines": box.lines, "result": box.result, "tip": box.tooltip, "fill": box.fill,
            "text": text_on(box.fill), "ring": box.ring, "kind": box.kind, "parent": fold.frame_of(id),
            "zero": box.gradient is not None and not box.gradient.rms and not box.gradient.nonfinite}


def group_data(group: Group) -> dict[str, Any]:
    """What the page knows of a group."""
    return {"kind": group.kind, "title": frame_title(group), "path": group.path, "line": group.line,
            "members": group.members[:1] if group.kind == "run" else group.members, "repeats": group.repeats}


def details(graph: Graph, id: str) -> dict[str, Any]:
    """What the panel shows of an operation or a leaf."""
    thing = graph[id]
    data = {k: v for k, v in asdict(thing).items() if v not in ("", None, [], {}, 0) and k not in NOT_SHOWN}
    return {**data, **numbers(thing)}


def numbers(thing: Operation | Leaf | Group) -> dict[str, Any]:
    """The numbers of an operation or a leaf."""
    found: dict[str, Any] = {}
    for name in ("value", "gradient"):
        statistics: Statistics | None = getattr(thing, name, None)
        if statistics is not None and statistics.count:
            found[name] = asdict(statistics)
    if isinstance(thing, Leaf):
        found["names"] = thing.names
    return found


def arrows_data(graph: Graph, stands_for: dict[str, str]) -> list[list[Any]]:
    """The arrows between what the page has: source, target, the runs from one member of which they lead to another, shapes, and
    how many there are."""
    found: dict[tuple[str, str, tuple[str, ...]], list[Arrow]] = {}
    for arrow in graph.arrows:
        ends = stands_for.get(arrow.source, arrow.source), stands_for.get(arrow.target, arrow.target)
        found.setdefault((*ends, runs_crossed(graph, arrow, stands_for)), []).append(arrow)
    return [[source, target, list(runs), list(dict.fromkeys(shape_text(a.shape) for a in arrows)), len(arrows)]
            for (source, target, runs), arrows in found.items()]


def runs_crossed(graph: Graph, arrow: Arrow, stands_for: dict[str, str]) -> tuple[str, ...]:
    """The run in which both ends of an arrow are, in different members; none if there is no such."""
    above = set(graph.ancestors(arrow.source))
    common = next(g for g in graph.ancestors(arrow.target) if g in above)
    return (stands_for.get(common, common),) if graph.groups[common].kind == "run" else ()


def steps_data(graph: Graph, stands_for: dict[str, str]) -> list[list[Any]]:
    """The steps of the backward pass: what runs, the bytes it frees, what arrives at it, and what it sends along which
    argument."""
    if not any(op.gradient is not None for op in graph.operations.values()):
        ran: Iterable[Operation] = (op for op in graph.operations.values() if op.node)
    else:
        ran = (op for op in graph.operations.values() if op.gradient is not None)
    sent: dict[str, list[Arrow]] = {}
    for arrow in graph.arrows:
        sent.setdefault(arrow.target, []).append(arrow)
    ordered = sorted(ran, key=lambda op: (op.order is None, op.order))[:STEPS]
    return [[stands_for.get(op.id, op.id), op.kept, size(op.gradient),
             [[a.argument, stands_for.get(a.source, a.source), size(a.gradient)] for a in sent.get(op.id, ())],
             op.backward_seconds]
            for op in ordered]


def size(found: Statistics | None) -> Any:
    """The size of a gradient: the value of a single element, or the root mean square; "nan" where some are not finite."""
    if found is None or not found.count:
        return None
    if found.nonfinite:
        return "nan"
    return found.value if found.value is not None else found.rms
