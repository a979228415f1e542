"""What :func:`draw` gives: a picture that can be shown, saved and printed in several forms, all of the same fold."""

from __future__ import annotations

import os
from typing import Any, Iterable, Mapping

from minigrad._types.tensor_base import TensorBase
from minigrad.errors import ArgumentError, InvalidValueError
from minigrad.nn import Module
from minigrad.viz.dot import run_dot, to_dot
from minigrad.viz.files import form_of, write_whole
from minigrad.viz.folding import BUDGET, Fold, fold
from minigrad.viz.graph import Graph
from minigrad.viz.html import to_html
from minigrad.viz.pages import Frame
from minigrad.viz.raster import to_image
from minigrad.viz.reading import Names, caller_variables, read
from minigrad.viz.svg import to_svg
from minigrad.viz.text import to_text

DIRECTIONS = ("forward", "backward")
FORMATS = ("html", "svg", "png", "pdf", "txt", "json", "dot")
DOT_LIMIT = 400  # boxes up to which Graphviz's program is asked; it takes long for more


class Drawing:
    """A picture of a recorded computation. ``graph`` is the model of all of it, ``fold`` what is drawn of that.

    It shows itself in a notebook, and ``print`` shows it as text. :meth:`save` writes it in the form that the name asks for.
    """

    def __init__(self, graph: Graph, *, budget: int = BUDGET, depth: int | None = None, expand: Iterable[str] = (),
                 direction: str = "forward") -> None:
        if direction not in DIRECTIONS:
            raise InvalidValueError("draw(): argument 'direction' must be 'forward' (as values flow, from the inputs at the top) "
                                    f"or 'backward' (as gradients flow, from the result at the top), got {direction!r}")
        self.graph = graph
        self.fold: Fold = fold(graph, budget, depth, [expand] if isinstance(expand, str) else expand)
        self.direction = direction

    @property
    def backward(self) -> bool:
        """Whether arrows lead from results to what they were computed from."""
        return self.direction == "backward"

    @property
    def source(self) -> str:
        """The picture in Graphviz's language."""
        return str(self.dot().source)

    def dot(self) -> Any:
        """The picture as a ``graphviz.Digraph``."""
        return to_dot(self.fold, self.backward)

    def svg(self) -> str:
        """The picture as SVG: by Graphviz's program ``dot`` where it is installed, else by our own layout."""
        drawn = self.by_dot("svg")
        return to_svg(self.fold, self.backward) if drawn is None else drawn.decode("utf-8")

    def text(self) -> str:
        """The picture as an outline for a terminal."""
        return to_text(self.fold)

    def json(self, **options: Any) -> str:
        """All of the graph as JSON; `options` are those of ``json.dumps``."""
        return self.graph.to_json(**options)

    def html(self) -> str:
        """The picture as a page that needs no other file and no network: to zoom, search, fold and step through the backward
        pass."""
        return to_html(self.fold, self.backward)

    def iframe(self, height: int = 720) -> Frame:
        """The page of :meth:`html` inside a notebook, `height` pixels high.

        By itself a drawing shows itself there as SVG, which every notebook shows, also where it is not trusted or only displayed,
        and which takes a tenth of the room in its file.
        """
        return Frame(self.html(), height)

    def by_dot(self, form: str) -> bytes | None:
        """What Graphviz's program makes of the picture; None where it is not there, or the picture is too large for it."""
        if len(self.fold.boxes) > DOT_LIMIT:
            return None
        return run_dot(self.fold, form, self.backward)

    def png(self) -> bytes:
        """The picture as PNG: by Graphviz's program where it is installed, else by matplotlib. Raises ``ImportError`` without
        both."""
        return self.raster("png")

    def pdf(self) -> bytes:
        """The picture as PDF, as :meth:`png`."""
        return self.raster("pdf")

    def raster(self, form: str) -> bytes:
        """The picture in a form that we cannot write ourselves."""
        drawn = self.by_dot(form)
        if drawn is None:
            drawn = to_image(self.fold, form, self.backward)
        return drawn

    def save(self, path: str | os.PathLike[str]) -> str:
        """Write the picture in the form that the end of `path` names: .html, .svg, .png, .pdf, .txt, .json or .dot.

        Nothing else is written, and a file of that name is replaced only by a whole picture. Returns the path. Raises
        ``ValueError`` for another ending.
        """
        path = os.fspath(path)
        form = form_of("draw()", path, FORMATS)
        make: Any = {"txt": self.text, "dot": lambda: self.source}.get(form) or getattr(self, form)
        write_whole(path, make())
        return path

    def render(self, filename: Any = None, directory: Any = None, view: bool = False, cleanup: bool = False,
               format: str | None = None) -> str:
        """:meth:`save` with the arguments of ``graphviz.Digraph.render``, as torchviz's users call it: `format` is appended to
        `filename`, which does not end in it. `view` and `cleanup` are accepted: nothing is opened, and nothing is left over."""
        name = os.fspath(filename if filename is not None else "minigrad")
        known = os.path.splitext(name)[1][1:].lower() in FORMATS
        if format is not None or not known:
            name = name if known and name.endswith(f".{format}") else f"{name}.{format or 'svg'}"
        return self.save(os.path.join(directory, name) if directory is not None else name)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        count = len(self.graph.operations)
        return f"<Drawing of {count:,} operation{'s' * (count != 1)} as {len(self.fold.boxes)} boxes; print() shows it>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg(), "text/plain": self.text()}


def draw(output: Any, model: Any = None, params: Mapping[str, Any] | None = None, path: Any = None, *, budget: int = BUDGET,
         depth: int | None = None, expand: str | Iterable[str] = (), direction: str = "forward") -> Drawing:
    """Draw how `output` was computed: operations, the leaves they started from, the shapes that flowed between them.

    Args:
        output: a tensor with a ``grad_fn``, or a sequence of them.
        model: a module; its parameters get their names, and each call of its submodules a box that opens.
        params: names for further tensors, ``{"x": x}``. What has no name gets that of the caller's variable.
        path: where to save the picture: .html (to zoom, search and step through), .svg, .png, .pdf, .txt, .json or .dot.
        budget: how many boxes to show at most. What repeats is drawn once, with the number of times.
        depth: open modules down to this depth instead.
        expand: paths of modules to open as well, ``"blocks.0.attn"``.
        direction: ``"forward"``: values flow from the inputs, at the top; ``"backward"``: gradients flow from the result, at
        the top.

    Returns: a :class:`Drawing`, which shows itself in a notebook; ``print`` shows it as text. Before ``backward()`` it has the
    values
        that the graph keeps; after it the gradients of the leaves. :class:`record` watches both passes, and has all.

    Raises: ``TypeError`` if `output` is not a tensor, or `expand` names no module; ``ValueError`` for another ending of `path`.

    >>> import minigrad as mg
    >>> w = mg.tensor([1., 2.], requires_grad=True)
    >>> loss = (w * 3).sum()
    >>> loss.backward()
    >>> print(mg.viz.draw(loss))
    1  w  leaf 2 float32  grad rms 3
    2  mul  ← 1  → 2  other=3
    3  sum  ← 2  → scalar  value 9
    4  loss  ← 3  scalar float32  value 9
    """
    outputs = [output] if isinstance(output, TensorBase) else list(output) if isinstance(output, (list, tuple)) else []
    if not outputs or not all(isinstance(t, TensorBase) for t in outputs):
        raise ArgumentError(f"draw(): argument 'output' must be a Tensor or a sequence of Tensors, not {type(output).__name__}; "
                            "pass the loss, or what the model returned")
    if model is not None and not isinstance(model, Module):
        raise ArgumentError(f"draw(): argument 'model' must be a Module, not {type(model).__name__}; names of tensors are "
                            "given as params={'x': x}")
    graph = read(outputs, Names(model, params, caller_variables()))
    graph.title = type(model).__name__ if model is not None else ""
    drawing = Drawing(graph, budget=budget, depth=depth, expand=expand, direction=direction)
    if path is not None:
        drawing.save(path)
    return drawing


def make_dot(var: Any, params: Mapping[str, Any] | None = None, show_attrs: bool = False, show_saved: bool = False) -> Drawing:
    """:func:`draw` with torchviz's name and arguments: ``make_dot(loss, params=dict(model.named_parameters()))``. Settings are
    always shown; what is kept is in the page that ``save("graph.html")`` writes."""
    return draw(var, params=params, direction="backward")
