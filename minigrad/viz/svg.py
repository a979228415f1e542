"""A fold as an SVG by our own layout: no other program is needed."""

from __future__ import annotations

from xml.sax.saxutils import escape

from minigrad.viz.boxes import Box
from minigrad.viz.colours import FAILURE, NONFINITE, Scale, text_on
from minigrad.viz.folding import Fold
from minigrad.viz.layout import Point, Rectangle
from minigrad.viz.sheet import LINE, MARGIN, Sheet, corner

RINGS = {"failure": FAILURE, "value": NONFINITE, "gradient": NONFINITE}


def clean(text: str) -> str:
    """Text that XML can hold: what it forbids becomes a question mark in a box."""
    return escape("".join(c if c in "\t\n" or "\x20" <= c < "\ud800" or "\ue000" <= c <= "\ufffd" or c >= "\U00010000"
                          else "\ufffd" for c in text), {'"': "&quot;"})


def to_svg(fold: Fold, backward: bool = False) -> str:
    """The SVG. With `backward` arrows lead from results to what they were computed from."""
    sheet = Sheet(fold, backward)
    width, height = f"{sheet.width:.0f}", f"{sheet.height:.0f}"
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
             'font-family="Helvetica, Arial, sans-serif" font-size="10">',
             f"<title>{clean(fold.graph.title or 'computation')}</title>",
             '<defs><marker id="arrow" markerWidth="8" markerHeight="8" refX="7" refY="3" orient="auto">'
             '<path d="M0,0 L7,3 L0,6 z" fill="#71717a"/></marker></defs>',
             f'<rect width="{width}" height="{height}" fill="#ffffff"/>']
    parts += [f'<text x="{MARGIN}" y="{MARGIN + 8 + LINE * k:.0f}" fill="{FAILURE}">{clean(line)}</text>'
              for k, line in enumerate(sheet.heading)]
    parts.append(f'<g transform="translate({sheet.left:.1f},{sheet.top:.1f})">')
    parts += [frame_part(sheet.titles[id], place) for id, place in sheet.layout.frames.items()]
    parts += [arrow_part(*arrow) for arrow in sheet.arrows]
    parts += [box_part(sheet.boxes[id], place) for id, place in sheet.layout.boxes.items()]
    if sheet.coloured:
        parts += legend_parts(sheet.scale, sheet.layout.height + MARGIN)
    return "\n".join([*parts, "</g>", "</svg>", ""])


def frame_part(title: str, at: Rectangle) -> str:
    """A frame with its title."""
    return (f'<rect x="{at.x:.1f}" y="{at.y:.1f}" width="{at.width:.1f}" height="{at.height:.1f}" rx="6" fill="#71717a" '
            f'fill-opacity="0.06" stroke="#a1a1aa"/>'
            f'<text x="{at.x + 8:.1f}" y="{at.y + 14:.1f}" fill="#3f3f46">{clean(title)}</text>')


def arrow_part(returns: bool, points: list[Point], label: str) -> str:
    """An arrow, straight through layers and curved between them, and its label."""
    dashed = ' stroke-dasharray="4 3"' if returns else ""
    parts = [f'<path d="{path_of(points)}" fill="none" stroke="#71717a"{dashed} marker-end="url(#arrow)">'
             f"<title>{clean(label or 'value')}</title></path>"]
    if label and len(points) > 2:
        x, y = points[1]
        parts.append(f'<text x="{x + 4:.1f}" y="{y + 9:.1f}" font-size="8" fill="#52525b">'
                     f"{clean(label)}</text>")
    return "".join(parts)


def path_of(points: list[Point]) -> str:
    """The path of an arrow in SVG's language: points by twos are joined straight, and these by curves that leave and arrive
    upright, so that they stay in the band between two layers."""
    x, y = points[0]
    parts = [f"M{x:.1f},{y:.1f}"]
    for k, (a, b) in enumerate(points[1:], 1):
        if (a, b) == (x, y):
            continue  # an arrowhead on a line without length would point nowhere
        if k % 2 or a == x:
            parts.append(f"L{a:.1f},{b:.1f}")
        else:
            middle = (y + b) / 2
            parts.append(f"C{x:.1f},{middle:.1f} {a:.1f},{middle:.1f} {a:.1f},{b:.1f}")
        x, y = a, b
    return " ".join(parts)


def box_part(box: Box, at: Rectangle) -> str:
    """A box with its text."""
    ring = RINGS.get(box.ring, "#71717a")
    dashed = ' stroke-dasharray="3 2"' if box.is_zero else ""
    colour = text_on(box.fill)
    parts = [f'<g><title>{clean(box.tooltip or box.title)}</title>'
             f'<rect x="{at.x:.1f}" y="{at.y:.1f}" width="{at.width:.1f}" height="{at.height:.1f}" rx="{corner(box, at):.0f}" '
             f'fill="{box.fill}" stroke="{ring}" stroke-width="{3 if box.ring else 1}"{dashed}/>']
    if box.kind == "group":
        parts.append(f'<rect x="{at.x + 2.5:.1f}" y="{at.y + 2.5:.1f}" width="{at.width - 5:.1f}" '
                     f'height="{at.height - 5:.1f}" rx="3" '
                     f'fill="none" stroke="{colour}" stroke-opacity="0.35"/>')
    for k, text in enumerate((box.title, *box.lines)):
        weight = ' font-weight="bold"' if k == 0 else ""
        parts.append(f'<text x="{at.x + at.width / 2:.1f}" y="{at.y + 4.5 + LINE * (k + 0.75):.1f}" text-anchor="middle" '
                     f'fill="{colour}"{weight}>{clean(text)}</text>')
    return "".join([*parts, "</g>"])


def legend_parts(scale: Scale, y: float) -> list[str]:
    """What the colours mean."""
    parts = [f'<g transform="translate(0,{y:.1f})" font-size="8">',
             '<text x="0" y="8" fill="#3f3f46">gradient, root mean square:</text>']
    x = 0.0
    for word, colours in scale.legend():
        for colour, _ in colours:
            parts.append(f'<rect x="{x:.1f}" y="14" width="15" height="10" fill="{colour}" stroke="#a1a1aa" stroke-width="0.5"/>')
            x += 15
        said = f"{word} {colours[0][1]} … {colours[-1][1]}" if len(colours) > 1 else word
        parts.append(f'<text x="{x - 15 * len(colours):.1f}" y="33" fill="#3f3f46">{clean(said)}</text>')
        x += 12 + (45 if len(colours) == 1 else 12)
    return [*parts, "</g>"]
