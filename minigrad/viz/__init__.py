"""Drawings of what was recorded, and of what is learnt.

:func:`draw` gives a :class:`Drawing` of how a tensor was computed; in a ``with record(model)`` block values, gradients and
times are watched too. A drawing shows itself in a notebook, prints as text, and is saved as a page, a picture or data.
:func:`summary` prints a table of a model's layers. :class:`watch` follows a training over its steps; :func:`filters` and
:func:`activations` show what layers look for and what they find, and :func:`landscape` the hills that an optimizer walks through.
"""

import importlib as _importlib
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from minigrad.viz.drawing import Drawing, draw, make_dot
from minigrad.viz.graph import Graph
from minigrad.viz.recorder import record
from minigrad.viz.summary import LayerInfo, ModelStatistics, summary

if _TYPE_CHECKING:
    from minigrad.viz.images import Images, activations, filters
    from minigrad.viz.landscapes import Landscape, landscape
    from minigrad.viz.watching import watch

__all__ = ["Drawing", "Graph", "Images", "Landscape", "LayerInfo", "ModelStatistics", "activations", "draw", "filters",
           "landscape", "make_dot", "record", "summary", "watch"]

# Imported when first asked for: who draws a graph needs no optimizers.
_ELSEWHERE = {"Images": "images", "activations": "images", "filters": "images", "Landscape": "landscapes",
              "landscape": "landscapes", "watch": "watching"}


def __getattr__(name: str) -> _Any:
    if name not in _ELSEWHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(_importlib.import_module(f"minigrad.viz.{_ELSEWHERE[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_ELSEWHERE})
