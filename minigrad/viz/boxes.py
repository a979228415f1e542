"""What stands in each box of a fold: its title, its lines, its colour. Every picture shows the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from minigrad.viz.colours import FAILURE, Scale
from minigrad.viz.folding import Fold
from minigrad.viz.graph import Arrow, Graph, Group, Leaf, Operation, Statistics
from minigrad.viz.naming import short_line, shorten

LONGEST_TITLE = 40
SHORT = 44  # characters of a line of settings, and of lines that stand together on one
KIND_WORDS = {"constant": "input", "leaf": "leaf", "frozen": "frozen", "buffer": "buffer", "output": "output"}


@dataclass
class Box:
    """A box as it is drawn. ``ring`` says why it has a thick border: a failure, or the first NaN or infinity."""

    id: str
    kind: str  # "operation", "group", or the kind of a leaf
    title: str
    lines: list[str] = field(default_factory=list)
    result: str = ""  # the shape of the result, where no arrow says it
    tooltip: str = ""
    fill: str = ""
    ring: str = ""
    gradient: Statistics | None = None

    @property
    def is_zero(self) -> bool:
        """Whether its gradient is zero, which a dashed border says."""
        return self.gradient is not None and not self.gradient.rms and not self.gradient.nonfinite


def box_of(graph: Graph, id: str, scale: Scale) -> Box:
    """The box for an operation, a leaf or a closed group, with a colour of `scale`."""
    thing = graph[id]
    if isinstance(thing, Leaf):
        return leaf_box(thing, scale)
    box = operation_box(thing, scale) if isinstance(thing, Operation) else group_box(graph, thing, scale)
    box.lines = joined(box.lines)
    return box


def operation_box(op: Operation, scale: Scale) -> Box:
    box = Box(op.id, "operation", shorten(op.name, LONGEST_TITLE), settings_lines(op.settings), gradient=op.gradient)
    box.result = result_text(op.shape) if op.node or op.dtype else ""
    box.lines += numbers_line(op.value, op.gradient)
    box.ring = "failure" if op.failure else op.nonfinite
    if op.failure:
        box.lines += [shorten(op.failure, 60), short_line(op.line)]
    box.fill = FAILURE if op.failure else scale.fill(op.gradient)
    box.tooltip = "\n".join(x for x in (op.node, op.line, op.code, op.failure) if x)
    return box


def leaf_box(leaf: Leaf, scale: Scale) -> Box:
    names = " = ".join(leaf.names[:2]) + (" = …" if len(leaf.names) > 2 else "")
    word = KIND_WORDS.get(leaf.kind, "")
    box = Box(leaf.id, leaf.kind, shorten(names, LONGEST_TITLE) or word or leaf.kind, gradient=leaf.gradient)
    shape = f"{shape_text(leaf.shape)} {leaf.dtype}".strip() if leaf.dtype else ""
    box.lines = [x for x in (f"{word} {shape}".strip() if names and leaf.kind != "output" else shape,) if x]
    box.lines += numbers_line(leaf.value, leaf.gradient)
    box.fill = scale.fill(leaf.gradient, leaf.kind)
    box.tooltip = "\n".join([leaf.kind, *leaf.names])
    return box


def group_box(graph: Graph, group: Group, scale: Scale) -> Box:
    box = Box(group.id, "group", group_title(group), settings_lines(group.settings))
    operations = [graph.operations[x] for x in graph.inside(group.id) if x in graph.operations]
    leaves = [graph.leaves[x] for x in graph.inside(group.id) if x in graph.leaves]
    if operations:
        last = operations[-1]
        box.gradient = last.gradient or strongest([*[x.gradient for x in operations], *[x.gradient for x in leaves]])
        box.result = result_text(last.shape)
        box.lines += numbers_line(last.value, last.gradient)
        trained = strongest([x.gradient for x in leaves]) if last.gradient is None else None
        box.lines += [f"parameters: {words}" for words in numbers_line(None, trained)]
    counts = [(len(operations), "operation"), (sum(x.kind in ("parameter", "frozen") for x in leaves), "parameter")]
    said = ", ".join(f"{n:,} {word}{'s' * (n != 1)}" for n, word in counts if n)
    if not group.whole and len(operations) > 1:
        box.lines.append(said)
    failed = next((op for op in operations if op.failure), None)
    box.ring = "failure" if failed is not None else next((op.nonfinite for op in operations if op.nonfinite), "")
    box.fill = FAILURE if failed is not None else scale.fill(box.gradient, "group")
    box.tooltip = "\n".join(x for x in (group.path, group.type, group.line) if x)
    return box


def joined(lines: list[str]) -> list[str]:
    """Lines with those that are short together on one: pictures are higher than wide."""
    found: list[str] = []
    for line in lines:
        if found and len(found[-1]) + len(line) <= SHORT:
            found[-1] += f" · {line}"
        else:
            found.append(line)
    return found


def frame_title(group: Group) -> str:
    """What stands over an open group: what it is called, and its settings."""
    return "  ".join([group_title(group), *settings_lines(group.settings)])


def group_title(group: Group) -> str:
    """What a group is called, as a box and as a frame."""
    name = shorten(group.title, LONGEST_TITLE)
    title = f"{name} · {group.type}" if group.type and group.type != name else name
    again = f" (call {group.call + 1})" if group.call else ""
    return f"{title}{again}" + (f" ×{group.repeats:,}" if group.kind == "run" else "")


def strongest(found: list[Statistics | None]) -> Statistics | None:
    """Of the statistics of several gradients those that tell most: NaN or infinity, or else the largest."""
    known = [s for s in found if s is not None and s.count]
    return max(known, key=lambda s: (s.nonfinite > 0, s.rms or 0.0), default=None)


def settings_lines(settings: dict[str, str]) -> list[str]:
    """Settings on one line, as far as they have room."""
    text = ", ".join(f"{name}={value}" if name and not name.isdigit() else value for name, value in settings.items())
    return [shorten(text, SHORT)] if text else []


def result_text(shape: Any) -> str:
    """The shape of a result, or the shapes of the first of several."""
    several = bool(shape) and isinstance(shape[0], list)
    return ", ".join(shape_text(s) for s in shape[:2]) + (", …" if len(shape) > 2 else "") if several else shape_text(shape)


def numbers_line(value: Statistics | None, gradient: Statistics | None) -> list[str]:
    """What is known of a value and its gradient, on one line, if anything is."""
    words = number_words(value, gradient)
    return [" · ".join(words)] if words else []


def number_words(value: Statistics | None, gradient: Statistics | None) -> list[str]:
    """A single element as it is, and the gradient: as it is if single, else its size."""
    words = []
    if value is not None and value.value is not None:
        words.append(f"value {number_text(value.value)}")
    elif value is not None and value.nonfinite:
        words.append(f"{value.nonfinite:,} of {value.count:,} not finite")
    if gradient is not None and gradient.count:
        if gradient.value is not None:
            words.append(f"grad {number_text(gradient.value)}")
        else:
            words.append(f"grad {gradient.nonfinite:,} of {gradient.count:,} not finite" if gradient.nonfinite
                         else f"grad rms {number_text(gradient.rms)}")
    return words


def number_text(x: Any) -> str:
    """A number with three digits, and a minus that is one."""
    return str(x) if not isinstance(x, (int, float)) else f"{x:.3g}".replace("-", "−", 1) if x < 0 else f"{x:.3g}"


def shape_text(shape: Any) -> str:
    """A shape as ``2×3``."""
    return "×".join(map(str, shape)) or "scalar"


def arrow_texts(made: Fold) -> dict[int, str]:
    """What stands on each arrow, by its place in the fold: the shape of what flows, once for all arrows of a box that carry the
    same; nothing where the box that it comes from says it itself."""
    said: set[tuple[str, str]] = set()
    texts: dict[int, str] = {}
    for k, arrow in enumerate(made.arrows):
        if arrow.returns:
            continue
        if arrow.source not in made.graph.leaves:
            shapes = list(dict.fromkeys(map(arrow_text, arrow.arrows)))
            text = shapes[0] + (f" +{len(shapes) - 1}" if len(shapes) > 1 else "")
            if (arrow.source, text) not in said:
                said.add((arrow.source, text))
                texts[k] = text
    return texts


def arrow_text(arrow: Arrow) -> str:
    """What flows along an arrow: its shape, or that it changes something in place."""
    return arrow.argument if arrow.argument.startswith("changes") and not arrow.shape else shape_text(arrow.shape)
