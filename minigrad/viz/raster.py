"""A fold as PNG or PDF without Graphviz's program: our own layout, drawn by matplotlib."""

from __future__ import annotations

import functools
import io
import warnings
from typing import Any

from minigrad.errors import missing_extra
from minigrad.viz.boxes import Box
from minigrad.viz.colours import DARK, FAILURE, Scale, text_on
from minigrad.viz.folding import Fold
from minigrad.viz.layout import Point, Rectangle
from minigrad.viz.sheet import LINE, MARGIN, Sheet, corner
from minigrad.viz.svg import RINGS

POINTS = 72.0  # a pixel of the layout is a point on paper
DPI = 144
FONTS = ["DejaVu Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei"]  # the later ones for what the first has not
LARGEST = 16_000.0  # pixels that a side of a PNG has at most


def to_image(fold: Fold, form: str, backward: bool = False) -> bytes:
    """The picture as ``"png"`` or ``"pdf"``. Raises ``ImportError`` where matplotlib is missing too."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise missing_extra(f"a picture in the form .{form} without Graphviz's program 'dot'", "matplotlib", "demo") from None
    sheet = Sheet(fold, backward)
    figure = Figure(figsize=(sheet.width / POINTS, sheet.height / POINTS))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(-sheet.left, sheet.width - sheet.left),
                           ylim=(sheet.height - sheet.top, -sheet.top))
    axes.set_axis_off()
    for k, line in enumerate(sheet.heading):
        write(axes, MARGIN - sheet.left, MARGIN + 8 + LINE * k - sheet.top, line, FAILURE, 7.5, "left")
    for name, at in sheet.layout.frames.items():
        axes.add_patch(outline(at, 6, facecolor="#71717a10", edgecolor="#a1a1aa", linewidth=0.8))
        write(axes, at.x + 8, at.y + 14, sheet.titles[name], "#3f3f46", 7.5, "left")
    for returns, points, text in sheet.arrows:
        draw_arrow(axes, points, returns)
        if text and len(points) > 2:
            write(axes, points[1][0] + 4, points[1][1] + 9, text, "#52525b", 6, "left")
    for name, at in sheet.layout.boxes.items():
        draw_box(axes, sheet.boxes[name], at)
    if sheet.coloured:
        draw_legend(axes, sheet.scale, sheet.layout.height + MARGIN)
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a character that no font on this machine has is drawn as an empty box
        figure.savefig(file, format=form, dpi=min(DPI, LARGEST * POINTS / max(sheet.width, sheet.height)))
    return file.getvalue()


def draw_box(axes: Any, box: Box, at: Rectangle) -> None:
    """A box with its text."""
    axes.add_patch(outline(at, corner(box, at), facecolor=box.fill, edgecolor=RINGS.get(box.ring, "#71717a"),
                           linewidth=2.4 if box.ring else 0.8, linestyle="--" if box.is_zero else "-"))
    if box.kind == "group":
        inner = Rectangle(at.x + 2.5, at.y + 2.5, at.width - 5, at.height - 5)
        axes.add_patch(outline(inner, 3, facecolor="none", edgecolor=text_on(box.fill), linewidth=0.6, alpha=0.35))
    for k, text in enumerate((box.title, *box.lines)):
        write(axes, at.x + at.width / 2, at.y + 4.5 + LINE * (k + 0.75), text, text_on(box.fill), 7.5, "center",
              "bold" if k == 0 else "normal")


def outline(at: Rectangle, radius: float, **style: Any) -> Any:
    """A rectangle with round corners."""
    from matplotlib.patches import FancyBboxPatch
    round_ = min(radius, at.height / 2, at.width / 2)
    return FancyBboxPatch((at.x, at.y), at.width, at.height, boxstyle=f"round,pad=0,rounding_size={round_}", **style)


def draw_arrow(axes: Any, points: list[Point], dashed: bool) -> None:
    """An arrow by the same path as in the SVG."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path
    vertices, codes = [points[0]], [Path.MOVETO]
    x, y = points[0]
    for k, (a, b) in enumerate(points[1:], 1):
        if (a, b) == (x, y):
            continue
        if k % 2 or a == x:
            vertices.append((a, b))
            codes.append(Path.LINETO)
        else:
            middle = (y + b) / 2
            vertices += [(x, middle), (a, middle), (a, b)]
            codes += [Path.CURVE4] * 3
        x, y = a, b
    if len(vertices) > 1:
        axes.add_patch(FancyArrowPatch(path=Path(vertices, codes), arrowstyle="-|>,head_length=3,head_width=1.5", color="#71717a",
                                       linewidth=0.8, linestyle="--" if dashed else "-", shrinkA=0, shrinkB=0))


def draw_legend(axes: Any, scale: Scale, y: float) -> None:
    """What the colours mean."""
    write(axes, 0, y + 8, "gradient, root mean square:", "#3f3f46", 6, "left")
    x = 0.0
    for word, colours in scale.legend():
        begin = x
        for colour, _ in colours:
            axes.add_patch(outline(Rectangle(x, y + 14, 15, 10), 0.1, facecolor=colour, edgecolor="#a1a1aa", linewidth=0.4))
            x += 15
        said = f"{word} {colours[0][1]} … {colours[-1][1]}" if len(colours) > 1 else word
        write(axes, begin, y + 33, said, DARK, 6, "left")
        x += 12 + (45 if len(colours) == 1 else 12)


@functools.cache
def installed_fonts() -> list[str]:
    """Those of the fonts that this machine has."""
    from matplotlib.font_manager import get_font_names
    there = set(get_font_names())
    return [name for name in FONTS if name in there]


def write(axes: Any, x: float, y: float, text: str, colour: str, size: float, side: str, weight: str = "normal") -> None:
    """Text as it is: matplotlib's own formulas, between dollar signs, are none."""
    plain = "".join(c if c.isprintable() else "\ufffd" for c in text)
    axes.text(x, y, plain, fontfamily=installed_fonts(), color=colour, fontsize=size, ha=side, va="baseline", fontweight=weight,
              parse_math=False)
