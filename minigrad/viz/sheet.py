"""All that a drawn picture shows, with its place: what SVG, PNG and PDF have in common."""

from __future__ import annotations

import textwrap

from minigrad.viz.boxes import Box, arrow_texts, box_of, frame_title
from minigrad.viz.colours import Scale
from minigrad.viz.folding import Fold
from minigrad.viz.layout import Point, Rectangle, lay_out

LINE = 13.0  # the height of a line of text
CHARACTER = 5.7  # the width of a character, on the whole, at 10 pixels
MARGIN = 14.0
LEGEND = 40.0  # the height of the legend


class Sheet:
    """A fold, laid out. Coordinates are pixels from the left upper corner of the graph; ``left`` and ``top`` say where that
    is."""

    def __init__(self, fold: Fold, backward: bool = False) -> None:
        self.scale = Scale.of(fold.graph)
        self.boxes: dict[str, Box] = {name: box_of(fold.graph, name, self.scale) for name in fold.boxes}
        self.titles = {name: frame_title(fold.graph.groups[name]) for name in fold.open}
        self.layout = lay_out(fold, self.size, backward)
        self.coloured = any(box.gradient is not None for box in self.boxes.values())
        texts = arrow_texts(fold)
        places = {id(arrow): k for k, arrow in enumerate(fold.arrows)}
        # Of each arrow whether it returns, its points, and what stands on it.
        self.arrows: list[tuple[bool, list[Point], str]] = [(arrow.returns, points, texts.get(places[id(arrow)], ""))
                                                            for arrow, points in self.layout.arrows]
        wide = max(self.layout.width, 470 if self.coloured else 0, 420 if fold.graph.failure else 0)
        self.heading = textwrap.wrap(fold.graph.failure, int(wide / CHARACTER))
        self.width = wide + 2 * MARGIN
        self.left = (self.width - self.layout.width) / 2
        self.top = MARGIN + LINE * len(self.heading) + (6 if self.heading else 0)
        self.height = self.top + self.layout.height + (LEGEND if self.coloured else 0) + MARGIN

    def size(self, id: str) -> tuple[float, float]:
        """The width and the height of a box, and those of the title of a frame."""
        box = self.boxes.get(id)
        if box is None:
            return text_width(self.titles[id]) + 30, 0.0
        return max(map(text_width, (box.title + "  ", *box.lines))) + 18, LINE * (1 + len(box.lines)) + 9


def text_width(text: str) -> float:
    """About how wide a text is; characters outside of Latin script count as two."""
    return CHARACTER * sum(2 if ord(c) > 0x2e80 else 1 for c in text)


def corner(box: Box, at: Rectangle) -> float:
    """The radius of a box's corners: leaves are rounder than operations."""
    return 4.0 if box.kind in ("operation", "group") else min(14.0, at.height / 2)
