"""A fold as text for a terminal: an outline, from the inputs to the outputs."""

from __future__ import annotations

from minigrad.viz.boxes import box_of, frame_title
from minigrad.viz.colours import Scale
from minigrad.viz.folding import Fold, shown_members


def to_text(made: Fold) -> str:
    """One line for each box, indented by the frames it stands in, with the numbers of the lines it reads from."""
    number = {id: k for k, id in enumerate(made.boxes, 1)}
    sources: dict[str, list[str]] = {}
    for arrow in made.arrows:
        sources.setdefault(arrow.target, []).append(f"{number[arrow.source]}{'↑' if arrow.returns else ''}")
    wide = len(str(len(made.boxes)))
    lines: list[str] = []
    if made.graph.title or made.graph.failure:
        lines.append(" — ".join(x for x in (made.graph.title, made.graph.failure) if x))
    waiting: list[tuple[str, int]] = [(m, 0) for m in reversed(made.graph.groups[""].members)]
    while waiting:
        id, depth = waiting.pop()
        if id in made.open:
            lines.append(f"{'':{wide}}  {'  ' * depth}{frame_title(made.graph.groups[id])}:")
            waiting += [(m, depth + 1) for m in reversed(shown_members(made.graph, id))]
            continue
        box = box_of(made.graph, id, Scale())
        mark = {"failure": "✗ ", "value": "! ", "gradient": "! ", "both": "! "}.get(box.ring, "")
        read = f"  ← {', '.join(sources[id])}" if id in sources else ""
        numbers = [f"→ {box.result}"] * bool(box.result) + box.lines
        lines.append(f"{number[id]:>{wide}}  {'  ' * depth}{mark}{box.title}{read}  {'  '.join(numbers)}".rstrip())
    return "\n".join(lines)
