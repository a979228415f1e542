"""Leaves that are finished while a backward pass still runs, where someone asks for it, so that it can use their gradients."""

from __future__ import annotations

import weakref
from typing import Any, Sequence

from minigrad.autograd.hooks import accumulate_into_leaf, run_hooks
from minigrad.recording.device_guard import guard_device
from minigrad.recording.graph import Node, reachable_nodes

__all__ = ["finish_early", "finish_leaves", "leaves_by_last_gradient"]

ASKED = "_finishes_early"  # the note on a leaf
requests: set[int] = set()  # who asks, so that a pass does not look for such leaves where nobody does


def finish_early(leaves: Sequence[Any], owner: Any) -> None:
    """Let each of `leaves` have its gradient in ``.grad``, and its hooks called, as soon as the last part of it has arrived in a
    pass of ``backward``, and not at the end of the pass, as long as `owner` lives.

    A pass that reaches them looks at its graph once before it begins, and gives such a gradient memory of its own. It is the
    ordinary pass where second derivatives, or only some gradients, are asked for.
    """
    for leaf in leaves:
        leaf.__dict__[ASKED] = True
    requests.add(id(owner))
    weakref.finalize(owner, requests.discard, id(owner))


def leaves_by_last_gradient(roots: list[tuple[Any, Any]]) -> list[tuple[int, Any]]:
    """The leaves below `roots` that are to be finished early, each with the stamp of the oldest node that it is an input of:
    nodes are run from the youngest to the oldest, so that one is the last to give it a gradient. The first to be finished stands
    last."""
    if not requests:
        return []
    oldest: dict[Any, int] = {}
    for node in reachable_nodes([edge for edge, _ in roots]):
        for edge in node.inputs:
            if edge is not None and not isinstance(edge, Node) and ASKED in edge.__dict__:
                oldest[edge] = min(node.stamp, oldest.get(edge, node.stamp))
    return sorted(((stamp, leaf) for leaf, stamp in oldest.items()), key=lambda due: due[0])


def finish_leaves(due: list[tuple[int, Any]], stamp: int, arrived: dict[Any, Any], cls: type[Any], shown: set[int]) -> None:
    """Take the leaves off `due` that are complete before a node of that stamp is run, and finish them with what has `arrived`."""
    while due and due[-1][0] > stamp:
        leaf = due.pop()[1]
        if leaf in arrived:
            g, hooks = arrived.pop(leaf), leaf.__dict__.get("_leaf_hooks")
            if hooks:
                g = run_hooks(hooks, g, cls)
            shown.add(id(g))  # it may flow elsewhere still, so that .grad must not be the same memory
            guard_device(accumulate_into_leaf)(leaf, g, cls, shown)
