"""Plots of numbers over steps as SVG: lines, and histograms as heat maps."""

from __future__ import annotations

import html
import json
import math
from dataclasses import dataclass
from typing import Any, Sequence

import numpy as np

from minigrad.viz.colours import NONFINITE
from minigrad.viz.graph import Statistics
from minigrad.viz.pixels import data_address, rgb
from minigrad.viz.svg import clean

WIDTH, HEIGHT = 430, 210
LEFT, RIGHT, TOP, BOTTOM = 52, 8, 8, 30  # what is around the lines
ROWS = 40  # cells of a heat map, from the least to the largest number
HEAT = "#3b7dd8"
WIDE = 30.0  # how many times larger than the least the largest number is where a scale becomes logarithmic


@dataclass
class Line:
    """One line: at each x a number, or None where there is none. ``bad`` are the x at which something was not finite."""

    name: str
    values: list[float | None]
    bad: list[int]
    thin: bool = False


@dataclass
class Scale:
    """How numbers become places from 0 to 1."""

    low: float
    high: float
    log: bool

    def place(self, value: float) -> float:
        if self.log:
            return (math.log10(value) - self.low) / (self.high - self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[tuple[float, str]]:
        """Places and what stands there: round numbers."""
        if self.log:
            step = max(1, math.ceil((self.high - self.low) / 6))
            powers = range(math.ceil(self.low - 1e-9), math.floor(self.high + 1e-9) + 1, step)
            return [((p - self.low) / (self.high - self.low), f"{10.0 ** p:g}") for p in powers]
        rough = (self.high - self.low) / 6
        base = 10.0 ** math.floor(math.log10(rough))
        round_ = next(base * k for k in (1, 2, 5, 10) if base * k >= rough * 0.999)
        first, last = math.ceil(self.low / round_ - 1e-9), math.floor(self.high / round_ + 1e-9)
        return [(self.place(k * round_), f"{k * round_:.6g}") for k in range(first, last + 1)]


def scale_of(values: Sequence[float], log: bool | None = None) -> Scale:
    """The scale for some numbers: from 0 where that is near, logarithmic if asked for, or, if None, where they differ much."""
    positive = [v for v in values if v > 0]
    if log is None:
        log = len(positive) == len(values) and bool(values) and max(values) > WIDE * min(values)
    if log and positive:
        low, high = math.log10(min(positive)), math.log10(max(positive))
        low, high = math.floor(low * 2 + 1e-9) / 2, math.ceil(high * 2 - 1e-9) / 2
        return Scale(low - 0.5 * (low == high), high + 0.5 * (low == high), True)
    low, high = min(values, default=0.0), max(values, default=1.0)
    if 0 < low < high / 2 or high == low > 0:
        low = 0.0
    margin = (high - low) * 0.04 or 1.0
    return Scale(low - margin * (low != 0), high + margin, False)


def line_colour(k: int, count: int) -> str:
    """The colour of a line, from blue for the first to orange for the last."""
    return f"hsl({215 - 190 * k / max(1, count - 1):.0f} 75% 45%)"


def line_plot(title: str, xs: list[int], lines: list[Line], log: bool | None = None, rule: tuple[float, str] | None = None,
              unit: str = "step") -> str:
    """A plot with its title and the names of its lines, as a piece of a page. `rule` is a number to compare with, and its
    name."""
    shown = [v for line in lines for v in line.values if v is not None] + ([rule[0]] if rule else [])
    y = scale_of(shown, log)
    low, high = (xs[0], xs[-1]) if xs else (0, 1)
    across = Scale(low, high if high > low else low + 1, False)
    wide, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def at_x(x: float) -> float:
        return LEFT + wide * across.place(x)

    def at_y(value: float) -> float:
        return TOP + tall * (1 - y.place(value))

    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{clean(title)}">']
    for place, text in y.ticks():
        at = TOP + tall * (1 - place)
        parts.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
                     f'<text x="{LEFT - 5}" y="{at + 3:.1f}" text-anchor="end">{text}</text>')
    for place, text in across.ticks():
        if text.isdigit():
            parts.append(f'<text x="{LEFT + wide * place:.1f}" y="{HEIGHT - BOTTOM + 14}" text-anchor="middle">{text}</text>')
    parts.append(f'<text x="{LEFT + wide / 2}" y="{HEIGHT - 3}" text-anchor="middle">{clean(unit)}</text>')
    if rule:
        at = at_y(rule[0])
        parts.append(f'<line class="rule" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
                     f'<text x="{WIDTH - RIGHT}" y="{at - 4:.1f}" text-anchor="end">{clean(rule[1])}</text>')
    data = []
    for k, line in enumerate(lines):
        points = [None if v is None or (y.log and v <= 0) else (at_x(x), at_y(v)) for x, v in zip(xs, line.values)]
        colour = line_colour(k, len(lines))
        parts.append(f'<path class="series{" thin" * line.thin}" data-line="{k}" stroke="{colour}" d="{path_through(points)}"/>')
        parts += [f'<circle cx="{p[0]:.1f}" cy="{p[1]:.1f}" r="2" fill="{colour}"/>' for p in lonely(points)]
        data.append({"name": line.name, "values": [None if v is None else float(f"{v:.4g}") for v in line.values],
                     "places": [0 if p is None else round(p[1], 1) for p in points]})
    bad = {x: line.name for line in reversed(lines) for x in line.bad}
    parts += [f'<path class="bad" d="M{at_x(x) - 3:.1f},{TOP} h6 l-3,6 z"><title>not finite at {x}: {clean(name)}</title></path>'
              for x, name in bad.items()]
    if bad:
        first = min(bad)
        side, away = ("start", 5) if at_x(first) < LEFT + wide / 2 else ("end", -5)
        parts.append(f'<line class="bad" x1="{at_x(first):.1f}" x2="{at_x(first):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
                     f'<text class="bad" x="{at_x(first) + away:.1f}" y="{TOP + 16}" text-anchor="{side}" style="stroke:none">'
                     f"NaN or infinity from {first}</text>")
    names = "".join(f'<li><i style="background:{line_colour(k, len(lines))}"></i>{clean(line.name)}</li>'
                    for k, line in enumerate(lines))
    spoken = json.dumps({"xs": xs, "lines": data, "box": [LEFT, TOP, wide, tall], "low": across.low, "high": across.high})
    return (f'<div class="plot" data-plot="{html.escape(spoken.encode("utf-8", "replace").decode())}"><h3>{clean(title)}</h3>'
            f'{"".join(parts)}</svg>{f"<ul class=names>{names}</ul>" if len(lines) > 1 else ""}</div>')


def path_through(points: list[tuple[float, float] | None]) -> str:
    """The path through points in SVG's language, with a gap where there is none."""
    parts, pen = [], "M"
    for point in points:
        if point is None:
            pen = "M"
        else:
            parts.append(f"{pen}{point[0]:.1f},{point[1]:.1f}")
            pen = "L"
    return "".join(parts)


def lonely(points: list[tuple[float, float] | None]) -> list[tuple[float, float]]:
    """The points without a neighbour, which a line would not show."""
    around = [None, *points, None]
    return [p for a, p, b in zip(around, points, around[2:]) if p is not None and a is None and b is None]


def heat_map(title: str, xs: list[int], found: list[Statistics | None]) -> str:
    """Histograms over steps as a piece of a page: from left to right the steps, upwards the numbers, the stronger the colour the
    more elements there are. Magenta are steps at which some were not finite."""
    ends = [(s.min, s.max) for s in found if s is not None and s.min is not None and s.max is not None]
    low = float(np.quantile([a for a, _ in ends], 0.02)) if ends else 0.0
    high = float(np.quantile([b for _, b in ends], 0.98)) if ends else 1.0
    high = high if high > low else low + (abs(low) or 1.0)
    image = np.zeros((ROWS, max(1, len(found)), 4), np.uint8)
    centres = high - (np.arange(ROWS) + 0.5) * (high - low) / ROWS
    for k, s in enumerate(found):
        if s is None:
            continue
        if s.nonfinite:
            image[:, k] = [*rgb(NONFINITE), 255]
        elif s.histogram and s.min is not None and s.max is not None:
            places = np.floor((centres - s.min) / (s.max - s.min) * len(s.histogram)).astype(int)
            inside = (places >= 0) & (places < len(s.histogram))
            counts = np.where(inside, np.array(s.histogram)[places.clip(0, len(s.histogram) - 1)], 0) / (s.max - s.min)
            image[:, k, :3] = rgb(HEAT)
            image[:, k, 3] = 255 * np.sqrt(counts / (max(s.histogram) / (s.max - s.min)))
        elif s.mean is not None:
            image[int(np.abs(centres - s.mean).argmin()), k] = [*rgb(HEAT), 255]
    wide, tall = 250, 90
    zero = TOP + tall * high / (high - low)
    parts = [f'<svg viewBox="0 0 {wide + LEFT} {tall + TOP + 18}" role="img" aria-label="{clean(title)}">',
             f'<image x="{LEFT}" y="{TOP}" width="{wide}" height="{tall}" preserveAspectRatio="none" '
             f'style="image-rendering:pixelated" href="{data_address(image)}"/>']
    for value, at in ((high, TOP + 4), (low, TOP + tall + 2)):
        parts.append(f'<text x="{LEFT - 5}" y="{at}" text-anchor="end">{value:.3g}</text>')
    if low < 0 < high:
        parts.append(f'<line class="axis" x1="{LEFT}" x2="{LEFT + wide}" y1="{zero:.1f}" y2="{zero:.1f}"/>'
                     f'<text x="{LEFT - 5}" y="{min(max(zero + 3, TOP + 15), TOP + tall - 9):.1f}" text-anchor="end">0</text>')
    if xs:
        parts.append(f'<text x="{LEFT}" y="{TOP + tall + 14}">step {xs[0]}</text>'
                     f'<text x="{LEFT + wide}" y="{TOP + tall + 14}" text-anchor="end">{xs[-1]}</text>')
    return f'<div class="plot"><h3>{clean(title)}</h3>{"".join(parts)}</svg></div>'


def is_bad(found: Any) -> bool:
    """Whether statistics or a number are not finite."""
    return bool(found.nonfinite) if isinstance(found, Statistics) else not math.isfinite(found)


def as_line(name: str, values: list[Any], thin: bool = False, xs: Sequence[int] = ()) -> Line:
    """The line of the root mean squares of statistics, or of numbers."""
    numbers = [v.rms if isinstance(v, Statistics) else v for v in values]
    bad = [x for x, v in zip(xs, values) if v is not None and is_bad(v)]
    return Line(name, [v if v is not None and math.isfinite(v) else None for v in numbers], bad, thin)
