"""Drawings of what was recorded.

:func:`draw` gives a :class:`Drawing` of how a tensor was computed; in a ``with record(model)`` block values, gradients and
times are watched too. A drawing shows itself in a notebook, prints as text, and is saved as a page, a picture or data.
:func:`summary` prints a table of a model's layers.
"""

from minigrad.viz.drawing import Drawing, draw, make_dot
from minigrad.viz.graph import Graph
from minigrad.viz.recorder import record
from minigrad.viz.summary import LayerInfo, ModelStatistics, summary

__all__ = ["Drawing", "Graph", "LayerInfo", "ModelStatistics", "draw", "make_dot", "record", "summary"]
