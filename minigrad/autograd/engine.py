"""The backward pass.

Nodes are run from the youngest to the oldest: a node is always younger than what it was computed from, so when its turn
comes every gradient that flows into it has arrived. A heap gives the youngest; a table, local to this pass, holds the sum
of what has arrived at each node or leaf. Nothing here recurses, and no operation is known by name.
"""

from __future__ import annotations

import heapq
from typing import Any, Iterable

from minigrad.autograd import graph
from minigrad.autograd.call import REGISTRY
from minigrad.autograd.graph import Freed, Node, Port, TensorBase, check_saved, grad_enabled, ledger
from minigrad.autograd.hooks import after, before, run_hooks
from minigrad.errors import ShapeError


def run_backward(roots: list[tuple[Any, Any]], keep_graph: bool, create_graph: bool, wanted: Iterable[Any] | None,
                 cls: type[TensorBase]) -> dict[Any, Any]:
    """Carry gradients from `roots`, pairs of an edge and the gradient of it, back through the graph.

    Args:
        keep_graph: leave the saved values in place for another pass.
        create_graph: run the rules on tensors, so that the gradients have a graph of their own. `roots` then hold tensors.
        wanted: edges whose gradients are asked for; only what leads to them is run. None: every leaf.
        cls: the class of tensors that rules and hooks are given.

    Returns: the gradient of each leaf reached or, if `wanted`, of each edge in it that was reached: arrays, or tensors
        under `create_graph`.
    """
    table: dict[Any, Any] = {}
    heap: list[tuple[int, Node]] = []
    targets = None if wanted is None else set(wanted)
    needed = None if targets is None else leading_to(targets, [edge for edge, _ in roots])
    results: dict[Any, Any] = {}
    freed = None if keep_graph else Freed(graph.user_frame())
    for edge, g in roots:
        arrive(table, heap, edge, g)
    mode = grad_enabled.set(create_graph)
    try:
        while heap:
            node = heapq.heappop(heap)[1]
            g = table.pop(node)
            if needed is not None and node not in needed:
                continue
            extras = node.extras
            if extras is not None:
                g = before(node, extras, g, cls)
            if targets is not None and node in targets:
                results[node] = g
                if node.inputs and not any(e in needed for e in node.inputs if e is not None):  # type: ignore[operator]
                    continue
            if node.__class__ is Port:
                arrive_output(table, heap, node.inputs[0], node.index, g)  # type: ignore[attr-defined]
                continue
            saved = node.saved
            if ledger.last > node.stamp or saved.__class__ is not tuple:
                check_saved(node)
            if create_graph:
                saved = node.saved_tensors(cls)
            if g.__class__ is not tuple and g.dtype.kind != "c" or not node.holomorphic:
                grads = node.backward(g, saved)
            else:
                grads = conjugated(node, g, saved)
            if saved and freed is not None:
                node.saved = freed
            if extras is not None and extras.post_hooks:
                grads = after(extras, grads, g, cls)
            position = 0
            for edge in node.inputs:
                if edge is not None:
                    grad = grads[position]
                    if grad is not None:
                        if grad.shape != (edge.shape if isinstance(edge, Node) else edge.array.shape):
                            grad = fitted(node, position, edge, grad)
                        if edge in table:
                            table[edge] = table[edge] + grad
                        else:
                            table[edge] = grad
                            if isinstance(edge, Node):
                                heapq.heappush(heap, (-edge.stamp, edge))
                position += 1
        for leaf in [e for e in table if targets is None or e in targets]:
            hooks = leaf.__dict__.get("_leaf_hooks")
            g = table[leaf]
            results[leaf] = run_hooks(hooks, g, cls) if hooks else g
    finally:
        grad_enabled.reset(mode)
    return results


def arrive(table: dict[Any, Any], heap: list[tuple[int, Node]], edge: Any, g: Any) -> None:
    """Add `g` to what has arrived at `edge`."""
    if edge in table:
        table[edge] = table[edge] + g
    else:
        table[edge] = g
        if isinstance(edge, Node):
            heapq.heappush(heap, (-edge.stamp, edge))


def arrive_output(table: dict[Any, Any], heap: list[tuple[int, Node]], node: Node, index: int, g: Any) -> None:
    """Add `g` to what has arrived for output `index` of a node that has several; the others may stay None."""
    if node not in table:
        table[node] = (None,) * len(node.shape)
        heapq.heappush(heap, (-node.stamp, node))
    held = table[node]
    table[node] = (*held[:index], g if held[index] is None else held[index] + g, *held[index + 1:])


def leading_to(targets: set[Any], roots: list[Any]) -> set[Any]:
    """The targets, and every node below `roots` from which one of them can be reached."""
    needed = set(targets)
    for node in sorted(graph.reachable(roots), key=lambda n: n.stamp):  # inputs before what was computed from them
        if any(e in needed for e in node.inputs if e is not None):
            needed.add(node)
    return needed


def conjugated(node: Node, g: Any, saved: tuple[Any, ...]) -> tuple[Any, ...]:
    """PyTorch's gradient of a holomorphic operation is conj(f'(z)) g = conj(f'(z) conj(g)): the rule for real numbers."""
    conj = REGISTRY["conj"]

    def flip(x: Any) -> Any:
        return None if x is None else conj(x) if x.dtype.kind == "c" else x

    g = tuple([flip(x) for x in g]) if g.__class__ is tuple else flip(g)
    return tuple([flip(grad) for grad in node.backward(g, saved)])


def fitted(node: Node, position: int, edge: Any, grad: Any) -> Any:
    """The gradient of an input that was broadcast, summed to the input's shape. Raises if it cannot be that."""
    want, have = tuple(edge.shape), tuple(grad.shape)
    lead = len(have) - len(want)
    if node.broadcasts and lead >= 0 and all(w in (1, h) for w, h in zip(want, have[lead:])):
        return REGISTRY["sum_to_size"](grad, size=want)
    if node.broadcasts and not have:  # a rule may return one number for every element
        return REGISTRY["expand"](grad, size=want)
    argument = node.arguments[min(position, len(node.arguments) - 1)] if node.arguments else f"input {position}"
    raise ShapeError(f"{node.name()}: the derivative rule of {node.op_name} for '{argument}' returned a gradient of shape "
                     f"{list(have)}, but '{argument}' has shape {list(want)} (recorded at {node.source()})")
