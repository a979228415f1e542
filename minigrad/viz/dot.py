"""A fold in Graphviz's language."""

from __future__ import annotations

from typing import Any

from minigrad.recording.hints import warn_user
from minigrad.viz.boxes import Box, arrow_texts, box_of, frame_title
from minigrad.viz.colours import Scale, text_on
from minigrad.viz.folding import Fold, shown_members
from minigrad.viz.svg import RINGS


def to_dot(fold: Fold, backward: bool = False) -> Any:
    """A ``graphviz.Digraph``. With `backward` arrows lead from results to what they were computed from."""
    import graphviz
    dot = graphviz.Digraph("minigrad", graph_attr={"rankdir": "TB", "fontname": "Helvetica", "fontsize": "11", "nodesep": "0.25"},
                           node_attr={"shape": "box", "style": "filled,rounded", "fontname": "Helvetica", "fontsize": "10",
                                      "height": "0.25", "color": "#71717a"},
                           edge_attr={"fontname": "Helvetica", "fontsize": "8", "fontcolor": "#52525b", "color": "#71717a",
                                      "arrowsize": "0.6"})
    add_frame(dot, fold, "", Scale.of(fold.graph))
    texts = arrow_texts(fold)
    for k, arrow in enumerate(fold.arrows):
        ends = (arrow.target, arrow.source) if backward else (arrow.source, arrow.target)
        style = {"style": "dashed", "constraint": "false"} if arrow.returns else {}
        dot.edge(*ends, label=words(texts.get(k, '')), **style)
    return dot


def run_dot(fold: Fold, form: str, backward: bool = False) -> bytes | None:
    """What Graphviz's program makes of the picture; None where it, or the package graphviz, is not there, and, with a warning,
    where it fails, as one does that was built without a form."""
    try:
        import graphviz
    except ModuleNotFoundError:
        return None
    try:
        return bytes(to_dot(fold, backward).pipe(format=form, quiet=True))
    except graphviz.CalledProcessError as error:
        said = (error.stderr or b"").decode("utf-8", "replace").strip()
        warn_user(f"Graphviz's program dot made no {form} (exit status {error.returncode}{': ' if said else ''}{said[:200]}); "
                  "the picture is drawn without it")
        return None
    except (graphviz.ExecutableNotFound, OSError):  # where no programs can be run, as in a browser, it is an OSError
        return None


def add_frame(dot: Any, fold: Fold, id: str, scale: Scale) -> None:
    """The boxes of the frame `id`, and the frames in it."""
    for m in shown_members(fold.graph, id):
        if m in fold.open:
            with dot.subgraph(name=f"cluster_{m}") as inner:
                inner.attr(label=words(frame_title(fold.graph.groups[m])), style="rounded", color="#a1a1aa", fontsize="9")
                add_frame(inner, fold, m, scale)
        else:
            add_box(dot, box_of(fold.graph, m, scale))


def add_box(dot: Any, box: Box) -> None:
    """One box."""
    style = {"peripheries": "2"} if box.kind == "group" else {}
    if box.ring:
        style |= {"color": RINGS[box.ring], "penwidth": "3"}
    dot.node(box.id, "\\n".join(words(text) for text in (box.title, *box.lines)), fillcolor=box.fill, fontcolor=text_on(box.fill),
             tooltip=words(box.tooltip), **style)


def words(text: str) -> str:
    """Text that Graphviz shows as it is: its escapes and what XML forbids are taken out of it."""
    plain = "".join(c if c == "\n" or "\x20" <= c < "\ud800" or c >= "\ue000" else "\ufffd" for c in text)
    return plain.replace("\\", "\\\\").replace("\n", "\\n")
