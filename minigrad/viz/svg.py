"""A plain layered drawing in SVG, for where Graphviz is not installed.

Each box stands one layer below everything that points to it; within a layer, boxes are ordered by the mean position of their
neighbours above (the barycentre method of Sugiyama, Tagawa and Toda, 1981).
"""

from __future__ import annotations

from html import escape
from typing import Callable

from minigrad.viz.walk import Box, Picture

CHARACTER, LINE, PADDING, GAP, DROP = 6.2, 13, 8, 24, 42


def layers_of(picture: Picture) -> list[list[Box]]:
    """The boxes by layer: the longest path from an output."""
    depth = {box.id: 0 for box in picture.boxes}
    incoming = dict.fromkeys(depth, 0)
    outgoing: dict[str, list[str]] = {id: [] for id in depth}
    for arrow in picture.arrows:
        incoming[arrow.target] += 1
        outgoing[arrow.source].append(arrow.target)
    ready = [id for id, n in incoming.items() if n == 0]
    while ready:
        id = ready.pop()
        for target in outgoing[id]:
            depth[target] = max(depth[target], depth[id] + 1)
            incoming[target] -= 1
            if incoming[target] == 0:
                ready.append(target)
    layers: list[list[Box]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for box in picture.boxes:
        layers[depth[box.id]].append(box)
    above: dict[str, list[str]] = {}
    for arrow in picture.arrows:
        above.setdefault(arrow.target, []).append(arrow.source)
    place: dict[str, float] = {}
    for layer in layers:
        layer.sort(key=lambda box: sum(place[s] for s in above.get(box.id, ())) / max(len(above.get(box.id, ())), 1))
        for k, box in enumerate(layer):
            place[box.id] = k - len(layer) / 2
    return layers


def to_svg(picture: Picture, colour: Callable[[Box], str]) -> str:
    """`picture` as an SVG document."""
    layers = layers_of(picture)

    def width(box: Box) -> float:
        return max(len(text) for text in (box.title, *box.lines)) * CHARACTER + 2 * PADDING

    def height(box: Box) -> float:
        return (1 + len(box.lines)) * LINE + PADDING

    full = max((sum(width(b) + GAP for b in layer) for layer in layers), default=0) + GAP
    at: dict[str, tuple[float, float, Box]] = {}
    y = float(GAP)
    for layer in layers:
        x = (full - sum(width(b) + GAP for b in layer) + GAP) / 2
        for box in layer:
            at[box.id] = (x + width(box) / 2, y, box)
            x += width(box) + GAP
        y += max(height(b) for b in layer) + DROP
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{full:.0f}" height="{y:.0f}" viewBox="0 0 {full:.0f} {y:.0f}" '
             'font-family="Helvetica, Arial, sans-serif" font-size="10">',
             '<defs><marker id="arrow" markerWidth="8" markerHeight="8" refX="7" refY="3" orient="auto">'
             '<path d="M0,0 L7,3 L0,6 z" fill="#777777"/></marker></defs>',
             f'<rect width="{full:.0f}" height="{y:.0f}" fill="white"/>']
    for arrow in picture.arrows:
        (x1, top, source), (x2, y2, _) = at[arrow.source], at[arrow.target]
        y1 = top + height(source)
        middle = (y1 + y2) / 2
        parts.append(f'<path d="M{x1:.1f},{y1:.1f} C{x1:.1f},{middle:.1f} {x2:.1f},{middle:.1f} {x2:.1f},{y2:.1f}" fill="none" '
                     'stroke="#777777" marker-end="url(#arrow)"/>')
        if arrow.label:
            parts.append(f'<text x="{(x1 + x2) / 2 + 3:.1f}" y="{middle:.1f}" font-size="8" fill="#555555">'
                         f'{escape(arrow.label)}</text>')
    for x, top, box in at.values():
        parts.append(f'<g><title>{escape(box.tooltip or box.module or box.title)}</title>'
                     f'<rect x="{x - width(box) / 2:.1f}" y="{top:.1f}" width="{width(box):.1f}" height="{height(box):.1f}" '
                     f'rx="4" fill="{colour(box)}" stroke="#777777"/>')
        for k, text in enumerate((box.title, *box.lines)):
            parts.append(f'<text x="{x:.1f}" y="{top + PADDING / 2 + LINE * (k + 0.8):.1f}" text-anchor="middle">'
                         f'{escape(text)}</text>')
        parts.append("</g>")
    return "\n".join([*parts, "</svg>", ""])
