"""Colours that tell the size and the sign of a gradient.

One scale for every output: the size is the root mean square, on a logarithmic scale that spans what there is in the graph, from
pale to strong. The hue is orange where the elements are positive on the whole, blue where they are negative, green where they are
of both signs. Zero is white with a dashed border, and NaN or infinity among the elements is magenta, whatever the others are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from minigrad.viz.graph import Graph, Statistics

NARROWEST, WIDEST = 3, 9  # powers of ten that a scale spans
ONE_SIGNED = 0.5  # the mean over the root mean square from which on elements count as of one sign
RAMPS = {"positive": ("#fdf1e4", "#c2410c"), "negative": ("#eaf2fd", "#1d4ed8"), "mixed": ("#eef7ee", "#15803d")}
ZERO, NONFINITE, FAILURE = "#ffffff", "#c026a3", "#dc2626"
KINDS = {"operation": "#f4f4f5", "group": "#f4f4f5", "parameter": "#f1e8fd", "frozen": "#e2e8f0", "buffer": "#e7e5e4",
         "leaf": "#f1e8fd", "constant": "#fefce8", "output": "#e5e7eb"}
DARK, LIGHT = "#000000", "#ffffff"  # of text: one of them has a contrast of 4.5 with any colour


def sign_of(found: Statistics) -> str:
    """"positive", "negative", "mixed", "zero" or "nonfinite"."""
    if found.nonfinite:
        return "nonfinite"
    if not found.rms or found.mean is None:
        return "zero"
    if found.value is not None and isinstance(found.value, float):
        return "positive" if found.value > 0 else "negative"
    share = found.mean / found.rms
    return "positive" if share > ONE_SIGNED else "negative" if share < -ONE_SIGNED else "mixed"


@dataclass(frozen=True)
class Scale:
    """The sizes of gradients that a picture tells apart: powers of ten, of the palest and of the strongest colour."""

    low: int = -6
    high: int = 0

    @classmethod
    def of(cls, graph: Graph) -> Scale:
        """The scale of a graph: from its smallest gradient to its largest, where that is not too narrow or too wide."""
        found = [op.gradient for op in graph.operations.values()] + [leaf.gradient for leaf in graph.leaves.values()]
        powers = [math.log10(g.rms) for g in found if g is not None and g.rms]
        if not powers:
            return cls()
        high = math.ceil(max(powers))
        low = min(max(math.floor(min(powers)), high - WIDEST), high - NARROWEST)
        return cls(low, high)

    def strength(self, found: Statistics) -> float:
        """The place of a gradient's size on the scale, from 0 to 1."""
        power = math.log10(found.rms) if found.rms else self.low
        return (min(max(power, self.low), self.high) - self.low) / (self.high - self.low)

    def fill(self, found: Statistics | None, kind: str = "operation") -> str:
        """The colour of a box: that of its gradient, or, where it has none, that of its kind."""
        if found is None or not found.count:
            return KINDS.get(kind, KINDS["operation"])
        sign = sign_of(found)
        if sign == "nonfinite":
            return NONFINITE
        return ZERO if sign == "zero" else blend(*RAMPS[sign], self.strength(found))

    def legend(self, steps: int = 6) -> list[tuple[str, list[tuple[str, str]]]]:
        """Rows of the legend: a word for the hue, and colours with the size that each stands for."""
        powers = [self.low + (self.high - self.low) * k / (steps - 1) for k in range(steps)]
        rows = [(word, [(blend(*RAMPS[word], k / (steps - 1)), f"1e{round(p)}") for k, p in enumerate(powers)])
                for word in ("negative", "mixed", "positive")]
        return [*rows, ("zero", [(ZERO, "0")]), ("NaN or infinity", [(NONFINITE, "nan")])]


def blend(low: str, high: str, share: float) -> str:
    """The colour at `share` of the way from one to another, both as ``#rrggbb``."""
    parts = [round(int(a, 16) + (int(b, 16) - int(a, 16)) * share) for a, b in
             zip((low[1:3], low[3:5], low[5:7]), (high[1:3], high[3:5], high[5:7]))]
    return "#" + "".join(f"{p:02x}" for p in parts)


def text_on(colour: str) -> str:
    """The colour of text that can be read on `colour`."""
    return max(DARK, LIGHT, key=lambda text: contrast(text, colour))


def contrast(a: str, b: str) -> float:
    """The ratio of two colours' luminances, as the Web Content Accessibility Guidelines 2.2 define it: from 1 to 21."""
    def luminance(colour: str) -> float:
        parts = [int(colour[k:k + 2], 16) / 255 for k in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)
