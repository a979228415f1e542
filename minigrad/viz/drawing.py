"""Pictures of a recorded graph in Graphviz's language, and where Graphviz is missing, in SVG drawn here."""

from __future__ import annotations

import math
import os
import warnings
from typing import Any, Mapping

import graphviz

from minigrad._types.tensor_base import TensorBase
from minigrad.errors import ArgumentError
from minigrad.viz.svg import to_svg
from minigrad.viz.walk import Box, Picture, walk

FILL = {"op": "#eeeeee", "parameter": "#d7e8fb", "leaf": "#e9e2f8", "output": "#d3f0d5"}
# From small to large gradients; the bounds are powers of ten of their root mean square.
HEAT = ("#3b7dd8", "#6fb1e0", "#a8d6c0", "#f4e08a", "#f2a65e", "#de5b49")
HEAT_LOW, HEAT_HIGH = -6.0, 0.0


class Drawing(graphviz.Digraph):  # type: ignore[misc]
    """A ``graphviz.Digraph`` of a recorded graph, which also renders where the program ``dot`` is not installed."""

    def __init__(self, picture: Picture, **options: Any) -> None:
        super().__init__("minigrad", **options)
        self.picture = picture

    def render(self, filename: Any = None, directory: Any = None, view: bool = False, cleanup: bool = False,
               format: str | None = None, **options: Any) -> str:
        """As ``graphviz.Digraph.render``: write the picture and give its path. Without ``dot`` the picture is an SVG.

        A name that ends in .svg, .png or .pdf sets the format, and is then the path itself.
        """
        if filename is not None:
            stem, dot = os.path.splitext(os.fspath(filename))
            if dot[1:] in ("svg", "png", "pdf"):
                filename, format = stem, format or dot[1:]
        try:
            return str(super().render(filename, directory=directory, view=view, cleanup=cleanup, format=format, **options))
        except graphviz.ExecutableNotFound:
            if cleanup:
                os.remove(self.filepath)  # which was written for dot
            path = os.path.join(directory or "", f"{filename or 'minigrad.gv'}.svg")
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(to_svg(self.picture, colour))
            warnings.warn(f"Graphviz's program 'dot' is not installed, so {path} was drawn without it; for {format or 'its'} "
                          "output install Graphviz (for instance: apt install graphviz, brew install graphviz)",
                          stacklevel=2)
            return path

    def _repr_image_svg_xml(self) -> str:
        try:
            return str(self.pipe(format="svg", encoding="utf-8"))
        except graphviz.ExecutableNotFound:
            return to_svg(self.picture, colour)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> dict[str, str]:
        return {"image/svg+xml": self._repr_image_svg_xml()}


def draw(output: Any, model: Any = None, params: Mapping[str, Any] | None = None, path: Any = None, *,
         attributes: bool = True, saved: bool = False) -> Drawing:
    """Draw how `output` was computed: operations, the leaves they started from, the shapes that flowed between them.

    Args:
        output: a tensor with a ``grad_fn``, or a sequence of them.
        model: a module; its parameters get their names, and each of its submodules a frame round what it computed.
        params: names for further leaves, ``{"x": x}``.
        path: where to save the picture, as .svg, .png or .pdf.
        attributes: write the settings of each operation (``dim=1``).
        saved: write what each operation keeps for its derivative.

    Returns: a :class:`Drawing`. Arrows go from a result to what it was computed from, as gradients do. After
    ``backward()`` leaves are coloured by the size (root mean square) of their gradient, from blue (1e-6) to red (1).

    Raises: ``TypeError`` if `output` is not a tensor.
    """
    outputs = [output] if isinstance(output, TensorBase) else list(output) if isinstance(output, (list, tuple)) else []
    if not outputs or not all(isinstance(t, TensorBase) for t in outputs):
        raise ArgumentError(f"draw(): argument 'output' must be a Tensor or a sequence of Tensors, not {type(output).__name__}; "
                            "pass the loss, or what the model returned")
    names = {t: name for name, t in (params or {}).items()}
    if model is not None:
        names = {**{p: name for name, p in model.named_parameters()}, **names}
    modules = dict(model.named_modules()) if model is not None else {}
    drawing = to_dot(walk(outputs, names, modules, attributes, saved))
    if path is not None:
        drawing.render(path, cleanup=True)
    return drawing


def make_dot(var: Any, params: Mapping[str, Any] | None = None, show_attrs: bool = False, show_saved: bool = False) -> Drawing:
    """:func:`draw` with torchviz's name and arguments: ``make_dot(loss, params=dict(model.named_parameters()))``."""
    return draw(var, params=params, attributes=show_attrs, saved=show_saved)


def colour(box: Box) -> str:
    """The fill of a box: by kind, or by the size of its gradient."""
    if box.gradient is None:
        return FILL[box.kind]
    size = math.log10(box.gradient) if box.gradient > 0 and math.isfinite(box.gradient) else HEAT_LOW
    place = (min(max(size, HEAT_LOW), HEAT_HIGH) - HEAT_LOW) / (HEAT_HIGH - HEAT_LOW)
    return HEAT[round(place * (len(HEAT) - 1))]


def to_dot(picture: Picture) -> Drawing:
    """`picture` in Graphviz's language."""
    dot = Drawing(picture, graph_attr={"rankdir": "TB", "fontname": "Helvetica", "fontsize": "11", "nodesep": "0.25"},
                  node_attr={"shape": "box", "style": "filled,rounded", "fontname": "Helvetica", "fontsize": "10",
                             "height": "0.25", "color": "#777777"},
                  edge_attr={"fontname": "Helvetica", "fontsize": "8", "fontcolor": "#555555", "color": "#777777",
                             "arrowsize": "0.6"})
    add_frame(dot, picture, "")
    for arrow in picture.arrows:
        dot.edge(arrow.source, arrow.target, label=f" {arrow.label}" if arrow.label else None)
    return dot


def add_frame(dot: graphviz.Digraph, picture: Picture, path: str) -> None:
    """The boxes of the module at `path`, and a frame for each of its children that computed something."""
    for box in picture.boxes:
        if box.module == path:
            label = "\n".join([box.title, *box.lines])
            dot.node(box.id, graphviz.escape(label).replace("\n", r"\n"), fillcolor=colour(box), tooltip=box.tooltip or label)
    depth = path.count(".") + 1 if path else 0
    for child, kind in picture.modules.items():
        if child.count(".") == depth and child.startswith(f"{path}." if path else ""):
            frame = graphviz.Digraph(f"cluster_{child}")
            frame.attr(label=f"{child}: {kind}" if kind else child, labeljust="l", style="rounded", color="#9aa7b5",
                       fontcolor="#44505c")
            add_frame(frame, picture, child)
            dot.subgraph(frame)
