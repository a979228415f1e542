"""What there is to draw: the recorded graph below a tensor as plain boxes and arrows, numbered the same way every time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterable

from minigrad import _arrays
from minigrad._types.tensor_base import TensorBase
from minigrad.recording.clock import owning_modules
from minigrad.recording.graph import Node, Port, edge_of


@dataclass
class Box:
    """One box: an operation, a leaf, or the output."""

    id: str
    kind: str  # "op", "parameter", "leaf" or "output"
    title: str
    lines: list[str] = field(default_factory=list)
    tooltip: str = ""
    gradient: float | None = None  # root mean square of .grad, for leaves that have one
    module: str = ""  # dotted path of the module it was computed in
    stamp: int = 0


@dataclass
class Arrow:
    """From a result to what it was computed from; `label` is the shape of what flowed."""

    source: str
    target: str
    label: str


@dataclass
class Picture:
    """Boxes and arrows, and the type of each module whose path a box carries."""

    boxes: list[Box]
    arrows: list[Arrow]
    modules: dict[str, str]


def shape_text(shape: Iterable[int]) -> str:
    return "×".join(map(str, shape)) or "scalar"


def walk(outputs: list[Any], names: dict[Any, str], modules: dict[str, Any], attributes: bool, saved: bool) -> Picture:
    """The graph below `outputs`.

    Args:
        outputs: the tensors to start from.
        names: names of leaves, by tensor.
        modules: modules by dotted path; a node belongs to the innermost one during whose call it was made.
        attributes: write each operation's settings into its box.
        saved: write the shapes of the arrays each operation keeps for its derivative.
    """
    boxes: list[Box] = []
    arrows: list[Arrow] = []
    found: dict[Any, str] = {}
    used: dict[str, str] = {}

    def visit(edge: Any) -> str:
        """The id of the box for what stands at the end of an edge, made on the first visit."""
        node = edge.grad_fn if isinstance(edge, Port) else edge
        if node not in found:
            found[node] = f"n{len(found)}"
            box = op_box(node, attributes, saved) if isinstance(node, Node) else leaf_box(node, names.get(node))
            box.id = found[node]
            if box.kind == "parameter":
                owner = box.title.rpartition(".")[0]
                box.module = owner if owner in modules else ""
            boxes.append(box)
            waiting.append(node)
        return found[node]

    waiting: list[Any] = []
    for k, t in enumerate(outputs):
        edge = edge_of(t)
        box = Box(f"out{k}", "output", names.get(t, "output" if len(outputs) == 1 else f"output {k}"),
                  [f"{shape_text(t.array.shape)} {t.dtype.name}"])
        if t.array.size == 1:
            box.lines.append(f"{t.array.reshape(-1)[0].item():.4g}")
        boxes.append(box)
        if edge is not None:
            arrows.append(Arrow(box.id, visit(edge), ""))
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, Node):
            for edge in node.inputs:
                if edge is not None:
                    shape = edge.array.shape if isinstance(edge, TensorBase) else edge.shape
                    arrows.append(Arrow(found[node], visit(edge), shape_text(shape)))
    owner_of = owning_modules([box.stamp for box in boxes if box.stamp], modules)
    for box in boxes:
        box.module = owner_of.get(box.stamp, box.module)
        if box.module:
            parts = box.module.split(".")
            for depth in range(1, len(parts) + 1):
                path = ".".join(parts[:depth])
                used[path] = type(modules[path]).__name__ if path in modules else ""
    return Picture(boxes, arrows, used)


def op_box(node: Node, attributes: bool, saved: bool) -> Box:
    name = node.name()
    box = Box("", "op", name, stamp=node.stamp, tooltip=f"{node.op_name} at {node.source()}")
    info = getattr(type(node), "info", None)
    if attributes and info is not None:
        box.lines += [f"{k}={v!r}" for k, v in zip(info.kept_values, node.settings) if k in info.settings and v is not None]
    if saved and node.saved.__class__ is tuple and node.saved:
        kept = [f"{'result' if k < 0 else node.arguments[k]} {shape_text(a.shape)}"
                for k, a in zip(node.saved_from, node.saved) if a is not None and not isinstance(a, tuple)]
        box.lines += [f"keeps {line}" for line in kept]
    return box


def leaf_box(leaf: Any, name: str | None) -> Box:
    box = Box("", "leaf" if name is None else "parameter", name or "leaf", [f"{shape_text(leaf.array.shape)} {leaf.dtype.name}"])
    if leaf._grad is not None:
        values = _arrays.to_numpy(leaf._grad.array)
        square = (values * values.conj()).real if values.size else values
        box.gradient = float(square.mean()) ** 0.5 if values.size else 0.0
        box.lines.append(f"grad {box.gradient:.2g}")
    return box
