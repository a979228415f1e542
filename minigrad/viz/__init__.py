"""Drawings of what was recorded.

:func:`draw` gives a :class:`Drawing` of how a tensor was computed; in a ``with record(model)`` block values, gradients and
times are watched too. A drawing shows itself in a notebook, prints as text, and is saved as a page, a picture or data.
"""

from minigrad.viz.drawing import Drawing, draw, make_dot
from minigrad.viz.graph import Graph
from minigrad.viz.recorder import record

__all__ = ["Drawing", "Graph", "draw", "make_dot", "record"]
