"""Drawings of what was recorded.

:func:`draw` and :func:`make_dot` give a :class:`Drawing`, a ``graphviz.Digraph`` that shows itself in a notebook and renders
to SVG, PNG or PDF. Where Graphviz's program ``dot`` is not installed it renders an SVG of its own instead.
"""

from minigrad.viz.drawing import Drawing, draw, make_dot

__all__ = ["Drawing", "draw", "make_dot"]
