"""How tensors and modules show themselves in a notebook: in HTML, and in treescope's trees.

Nothing of this is imported before a notebook asks; ``repr`` and ``print`` are not touched.
"""

from __future__ import annotations

import html
from typing import Any

import numpy as np

from minigrad import _arrays
from minigrad.nn.parameter import is_lazy
from minigrad.viz.boxes import number_text, shape_text
from minigrad.viz.colours import NONFINITE, RAMPS, ZERO, blend
from minigrad.viz.graph import Statistics
from minigrad.viz.statistics import describe

ROWS, COLUMNS, CELL = 24, 64, 8  # of the map of elements; pixels of a cell
WIDTH, HEIGHT = 96, 40  # of the histogram
STYLE = "font:12px/1.4 system-ui,sans-serif;display:inline-block;vertical-align:top;margin:0 1.5em 0 0"


def tensor_html(tensor: Any) -> str:
    """A tensor in HTML: what it is, its numbers as ``repr`` writes them, and, of several, a map of them and a histogram."""
    about = [f"<b>{html.escape(type(tensor).__name__)}</b> {shape_text(tensor.shape)}", tensor.dtype.name, str(tensor.device)]
    if tensor.grad_fn is not None:
        about.append(html.escape(tensor.grad_fn.name()))
    elif tensor.requires_grad:
        about.append("requires grad" if tensor.grad is None else "requires grad, has one")
    parts = [f"<div>{' · '.join(about)}</div>"]
    array = tensor.array
    if array.size > 1:
        found = describe(array)
        parts += [f"<div>{numbers(found)}</div>", f'<div style="{STYLE}">{heat_map(array, found)}</div>',
                  f'<div style="{STYLE}">{histogram(found)}</div>']
    parts.append(f'<pre style="margin:4px 0">{html.escape(repr(tensor))}</pre>')
    return f'<div style="{STYLE}">{"".join(parts)}</div>'


def numbers(found: Statistics) -> str:
    """The statistics of several elements, in words."""
    named = () if found.mean is None else ("mean", "rms", "min", "max")
    words = [f"{name} {number_text(getattr(found, name))}" for name in named]
    words += [f"{found.zeros:.0%} zero"] if found.zeros else []
    return " · ".join([*words, f"{found.nonfinite:,} not finite"] if found.nonfinite else words)


def heat_map(array: Any, found: Statistics) -> str:
    """The first elements along the last two dimensions as coloured cells: orange above zero, blue below, strong where large."""
    plane = array[(0,) * max(array.ndim - 2, 0)]
    plane = _arrays.to_numpy(plane.reshape(1, -1) if plane.ndim == 1 else plane)[:ROWS, :COLUMNS]
    plane = np.abs(plane) if plane.dtype.kind == "c" else plane.astype(np.float64)
    largest = max(abs(found.min or 0.0), abs(found.max or 0.0)) or 1.0
    cells = [f'<rect x="{x * CELL}" y="{y * CELL}" width="{CELL}" height="{CELL}" fill="{colour_of(value / largest)}"/>'
             for y, row in enumerate(plane.tolist()) for x, value in enumerate(row)]
    wide, high = plane.shape[1] * CELL, plane.shape[0] * CELL
    return f'<svg width="{wide}" height="{high}" role="img" aria-label="map of elements">{"".join(cells)}</svg>'


def colour_of(share: float) -> str:
    """The colour of an element, given as a share of the largest."""
    if not -1.0 <= share <= 1.0:
        return NONFINITE
    return ZERO if not share else blend(*RAMPS["positive" if share > 0 else "negative"], abs(share))


def histogram(found: Statistics) -> str:
    """The histogram of the elements; nothing where all are equal."""
    if not found.histogram:
        return ""
    step, most = WIDTH / len(found.histogram), max(found.histogram)
    bars = [f'<rect x="{k * step:.1f}" y="{HEIGHT * (1 - n / most):.1f}" width="{step - 1:.1f}" height="{HEIGHT * n / most:.1f}" '
            'fill="#71717a"/>' for k, n in enumerate(found.histogram)]
    return f'<svg width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="histogram">{"".join(bars)}</svg>'


def module_html(module: Any) -> str:
    """A module in HTML: a line for each module in it, which opens, with the number of its parameters."""
    return f'<div style="{STYLE};font-family:ui-monospace,monospace">{branch("", module)}</div>'


def branch(name: str, module: Any) -> str:
    """A module and what it holds."""
    children = list(module._modules.items())
    count = sum(p.numel() for p in module.parameters() if not is_lazy(p))
    label = f"({html.escape(name)}): " if name else ""
    own = "" if children else module.extra_repr()
    line = (f"{label}<b>{html.escape(module._get_name())}</b>" + (f"({html.escape(own)})" if own else "")
            + (f" · {count:,} parameters" if count else ""))
    if not children:
        return f'<div style="margin-left:1.5em">{line}</div>'
    inner = "".join(branch(key, part) for key, part in children if part is not None)
    opened = "" if name else ' open="open"'
    return f'<details style="margin-left:1em"{opened}><summary>{line}</summary>{inner}</details>'


def tensor_tree(tensor: Any, path: Any, renderer: Any) -> Any:
    """A tensor as treescope draws it: its array, which treescope shows as a map, and what else it is."""
    more: dict[str, Any] = {"device": str(tensor.device)} if tensor.device.type != "cpu" else {}
    if tensor.grad_fn is not None:
        more["grad_fn"] = tensor.grad_fn.name()
    elif tensor.requires_grad:
        more |= {"requires_grad": True, "grad": tensor.grad}
    return rendered(tensor, {"data": _arrays.to_numpy(tensor.array), **more}, path, renderer)


def module_tree(module: Any, path: Any, renderer: Any) -> Any:
    """A module as treescope draws it: its parameters, buffers and modules, and the settings that its repr shows."""
    settings = {"settings": module.extra_repr()} if module.extra_repr() else {}
    parts = {name: part for held in (module._parameters, module._buffers, module._modules) for name, part in held.items()}
    return rendered(module, {**settings, "training": module.training, **parts}, path, renderer)


def rendered(thing: Any, attributes: dict[str, Any], path: Any, renderer: Any) -> Any:
    """A thing as treescope writes a call of its class. It is treescope that asks, and so is installed."""
    from treescope import repr_lib
    return repr_lib.render_object_constructor(object_type=type(thing), attributes=attributes, path=path,
                                              subtree_renderer=renderer, roundtrippable=False)
