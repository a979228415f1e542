"""A fold as a page: one file that needs no network, to pan, zoom, search, fold and step through the backward pass.

The page has all groups, and the same boxes, words, colours and layout as every other picture. Its program is in ``page/``:
``graph.js`` folds what is open, ``layout.js`` gives it places, ``picture.js`` draws it, ``panel.js`` shows what is known of one,
``backward.js`` steps through the backward pass, and ``page.js`` has the user's hands. Of a run of equal members the page has the
boxes of the first, and the numbers of all. What is not there is left out of the data, and texts that many things share are in it
once.
"""

from __future__ import annotations

import html
import json
from dataclasses import asdict
from importlib.resources import files
from typing import Any, Iterable

from minigrad.viz import layout
from minigrad.viz.boxes import arrow_text, box_of, frame_title, number_text
from minigrad.viz.colours import DARK, KINDS, LIGHT, Scale, text_on
from minigrad.viz.folding import Fold, representatives
from minigrad.viz.graph import Arrow, Graph, Group, Leaf, Operation, Statistics, spoken

ALIKE = 200  # members of a run whose numbers the page has at most
STEPS = 20_000  # steps of the backward pass that the page has at most
PROGRAM = ("graph.js", "layout.js", "picture.js", "panel.js", "backward.js", "page.js")
SHARED = ("node", "line", "code", "dtype")  # fields whose texts many things share
DISTANCES = ("GAP", "DROP", "PADDING", "TITLE", "LANE", "FAN", "SWEEPS", "STRAIGHT")  # of the layout
KNOWN = ("settings", "names", "kind", "shape", "kept", "keeps", "derivative", "failure")  # further fields that the panel shows


def to_html(fold: Fold, backward: bool = False) -> str:
    """The page, with the groups open that are open in `fold`."""
    folder = files("minigrad.viz") / "page"

    def part(name: str) -> str:
        return (folder / name).read_text(encoding="utf-8")

    data = json.dumps(spoken(page_data(fold, backward)), separators=(",", ":")).replace("<", "\\u003c")
    page = part("page.html")
    for mark, content in (("title", html.escape(fold.graph.title or "computation")), ("style", part("page.css")),
                          ("program", "\n".join(map(part, PROGRAM))), ("data", data)):
        before, _, after = page.partition(f"<!--{mark}-->")
        page = before + content + after
    return page


class Words(dict[str, int]):
    """Numbers for texts, each of which the page has once."""

    def __missing__(self, text: str) -> int:
        self[text] = len(self)
        return self[text]


def page_data(fold: Fold, backward: bool) -> dict[str, Any]:
    """What the page knows."""
    graph, words, scale = fold.graph, Words(), Scale.of(fold.graph)
    stands_for = representatives(graph)
    shown = [id for id in graph.inside("") if id not in stands_for]
    groups = [g for g in graph.groups.values() if g.id and g.id not in stands_for]
    alike: dict[str, list[str]] = {}
    for id, first in stands_for.items():
        if id not in graph.groups:
            alike.setdefault(first, []).append(id)
    which = {id: k + 1 for ids in alike.values() for k, id in enumerate(ids[:ALIKE])}
    ran = steps_of(graph)
    known = {id: details(graph[id], words) for id in shown}
    nodes = {graph.operations[id].node for id in shown if id in graph.operations}
    return {
        "title": graph.title, "failure": graph.failure, "peak": graph.peak, "backward": backward,
        "coloured": any("gradient" in found for found in known.values()),
        "open": sorted(id for id in fold.open if id and id not in stands_for),
        "root": graph.groups[""].members,
        "boxes": {id: box_data(fold, id, scale) for id in [*shown, *[g.id for g in groups]]},
        "groups": {g.id: group_data(g) for g in groups},
        "details": known,
        "alike": {first: [numbers(graph[id]) for id in ids[:ALIKE]] for first, ids in alike.items()},
        "arrows": arrows_data(graph, stands_for, words),
        "ran": len(ran), "steps": steps_data(graph, ran[:STEPS], stands_for, which),
        "sources": {name: asdict(found) for name, found in graph.sources.items() if name in nodes},
        "legend": scale.legend(), "light": LIGHT, "dark": DARK,
        "kinds": {kind: [colour, text_on(colour)] for kind, colour in KINDS.items()},
        "layout": {name.lower(): getattr(layout, name) for name in DISTANCES},
        "words": list(words),
    }


def present(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that say something."""
    return {name: value for name, value in fields.items() if value not in ("", None, [], {}, 0, False)}


def box_data(fold: Fold, id: str, scale: Scale) -> dict[str, Any]:
    """What stands in a box, as every picture has it."""
    box = box_of(fold.graph, id, scale)
    return {"title": box.title, **present({
        "lines": box.lines, "fill": box.fill, "light": text_on(box.fill) == LIGHT, "ring": box.ring, "parent": fold.frame_of(id),
        "kind": box.kind if id in fold.graph.leaves else "",
        "zero": box.is_zero})}


def group_data(group: Group) -> dict[str, Any]:
    """What the page knows of a group."""
    members = group.members[:1] if group.kind == "run" else group.members
    return {"kind": group.kind, "title": frame_title(group), "members": members,
            **present({"path": group.path, "line": group.line, "repeats": group.repeats if group.repeats > 1 else 0})}


def details(thing: Operation | Leaf | Group, words: Words) -> dict[str, Any]:
    """What the panel shows of an operation or a leaf. Texts that are shared stand there as numbers."""
    shared = {name: words[getattr(thing, name)] for name in SHARED if getattr(thing, name, "")}
    times = {name: rounded(getattr(thing, name, None)) for name in ("seconds", "backward_seconds")}
    return {**shared, **present({name: getattr(thing, name, None) for name in KNOWN}), **present(times), **numbers(thing)}


def numbers(thing: Operation | Leaf | Group) -> dict[str, Any]:
    """The numbers of an operation or a leaf."""
    found = {name: statistics_data(getattr(thing, name, None)) for name in ("value", "gradient")}
    return present({**found, "names": thing.names if isinstance(thing, Leaf) else None})


def statistics_data(found: Statistics | None) -> list[Any] | None:
    """The value of a single element, or what is known of several, with the digits that the page shows."""
    if found is None or not found.count:
        return None
    if found.value is not None:
        return [rounded(found.value)]
    several = map(rounded, (found.mean, found.rms, found.min, found.max, found.zeros))
    return [found.count, *several, found.nonfinite, found.histogram]


def rounded(x: Any) -> Any:
    """A number with five digits."""
    return float(f"{x:.5g}") if isinstance(x, float) else x


def arrows_data(graph: Graph, stands_for: dict[str, str], words: Words) -> list[list[Any]]:
    """The arrows between what the page has: source, target, the runs from one member of which they lead to another, the texts
    for them, and how many there are."""
    found: dict[tuple[str, str, tuple[str, ...]], list[Arrow]] = {}
    for arrow in graph.arrows:
        ends = stands_for.get(arrow.source, arrow.source), stands_for.get(arrow.target, arrow.target)
        found.setdefault((*ends, runs_crossed(graph, arrow, stands_for)), []).append(arrow)
    return [[source, target, list(runs), list({words[arrow_text(a)]: None for a in arrows}), len(arrows)]
            for (source, target, runs), arrows in found.items()]


def runs_crossed(graph: Graph, arrow: Arrow, stands_for: dict[str, str]) -> tuple[str, ...]:
    """The run in which both ends of an arrow are, in different members; none if there is no such."""
    common = graph.common_group(arrow.source, arrow.target)
    return (stands_for.get(common.id, common.id),) if common.kind == "run" else ()


def steps_of(graph: Graph) -> list[Operation]:
    """The operations in the order in which the backward pass ran them, or, where none was seen, in which one would; none where a
    failure came before."""
    seen = [op for op in graph.operations.values() if op.gradient is not None]
    would = [op for op in graph.operations.values() if op.node and not graph.failure]
    return sorted(seen or would, key=lambda op: (op.order is None, op.order))


def steps_data(graph: Graph, ran: Iterable[Operation], stands_for: dict[str, str], which: dict[str, int]) -> list[list[Any]]:
    """The steps of the backward pass: what runs, the number among those alike that it is, the bytes it frees, what arrives at it,
    and for each argument the source with its number, and what is sent to it."""
    arrows: dict[str, list[Arrow]] = {}
    for arrow in graph.arrows:
        arrows.setdefault(arrow.target, []).append(arrow)
    return [[stands_for.get(op.id, op.id), which.get(op.id, 0), op.kept, in_short(op.gradient),
             [[a.argument, stands_for.get(a.source, a.source), which.get(a.source, 0), in_short(a.gradient)]
              for a in arrows.get(op.id, ())]]
            for op in ran]


def in_short(found: Statistics | None) -> str | None:
    """A gradient in a word: the value of a single element, or the root mean square; or that some are not finite."""
    if found is None or not found.count:
        return None
    if found.value is not None:
        return number_text(found.value)
    return f"{found.nonfinite:,} of {found.count:,} not finite" if found.nonfinite else f"rms {number_text(found.rms)}"
