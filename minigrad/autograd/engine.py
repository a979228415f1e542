"""The backward pass.

Nodes are run from the youngest to the oldest: a node is always younger than what it was computed from, so when its turn
comes every gradient that flows into it has arrived. A heap gives the youngest; a table, local to this pass, holds the sum
of what has arrived at each node or leaf. Nothing here recurses, and no operation is known by name.
"""

from __future__ import annotations

import operator
from heapq import heappop, heappush
from typing import Any, Callable, Iterable

from minigrad import _arrays
from minigrad.autograd.hooks import after, before, ending, finish_pass, of_tensor, run_hooks
from minigrad.errors import ShapeError
from minigrad.ops.pointwise.arithmetic import conj
from minigrad.ops.shaping.shape import expand, sum_to_size
from minigrad.recording import graph
from minigrad.recording.argument_errors import array_in
from minigrad.recording.clock import ledger, user_frame
from minigrad.recording.graph import Freed, Node, Port, TensorBase, check_saved, grad_enabled, observer, recording_mode


def run_backward(roots: list[tuple[Any, Any]], keep_graph: bool, create_graph: bool, wanted: Iterable[Any] | None,
                 cls: type[TensorBase], given: set[int], run_targets: bool = False) -> dict[Any, Any]:
    """Carry gradients from `roots`, pairs of an edge and the gradient of it, back through the graph.

    Args:
        keep_graph: leave the saved values in place for another pass.
        create_graph: run the rules on tensors, so that the gradients have a graph of their own. `roots` then hold tensors.
        wanted: edges whose gradients are asked for; only what leads to them is run. None: every leaf.
        cls: the class of tensors that rules and hooks are given.
        given: gains the identities of the arrays that hooks were shown, which are not to become anyone's ``.grad``.
        run_targets: run the nodes in `wanted` themselves too, for the hooks on them.

    Returns: the gradient of each leaf reached or, if `wanted`, of each edge in it that was reached: arrays, or tensors
        under `create_graph`.
    """
    table: dict[Any, Any] = {}  # what has arrived: at the nodes in the heap, and at leaves
    heap: list[tuple[int, Node]] = []
    targets = None if wanted is None else set(wanted)
    needed = None if targets is None else leading_to(targets, [edge for edge, _ in roots])
    results: dict[Any, Any] = {}
    freed = None if keep_graph else Freed(user_frame())
    for edge, g in roots:
        arrive(table, heap, edge, g)
    last = ledger.last
    usual = roots[0][1].dtype if roots[0][1].dtype.kind != "c" and _arrays.most_cards() < 2 else "no dtype"
    # One node that waits is kept beside the heap: in a chain there is never another, and it need not go in and out.
    waiting: Any = None
    waiting_g: Any = None
    watching = observer.get()
    mode = grad_enabled.set(recording_mode(create_graph))
    calls: dict[Any, Any] = {}
    outer = ending.set(calls)
    try:
        while True:
            if waiting is not None and not (heap and heap[0][0] < -waiting.stamp):
                node, g, waiting = waiting, waiting_g, None
            elif heap:
                node = heappop(heap)[1]
                g = table.pop(node)
                if g.__class__ is list:
                    g = Several(g)
            else:
                break
            extras = node.extras
            if needed is not None and node not in needed:
                continue
            if targets is not None and node in targets:
                last_one = not (run_targets or any(e in needed for e in node.inputs if e is not None))  # type: ignore[operator]
                results[node] = g if extras is None or not last_one else of_tensor(extras, g, cls)
                if last_one:
                    continue
            if extras is not None:
                g = before(extras, g, cls)
                last = ledger.last
            saved = node.saved
            if saved.__class__ is not tuple or last > node.stamp:
                if isinstance(node, Port):
                    arrive_output(table, heap, node.inputs[0], node.index, g)
                    continue
                saved = check_saved(node)
            if create_graph:
                saved = node.as_tensors(saved, cls)
            grads = node.backward(g, saved) if g.dtype is usual else with_care(node, g, saved)
            if saved and freed is not None:
                node.saved = freed
            if extras is not None:
                grads = after(extras, grads, g, cls)
                last = ledger.last
            if watching is not None and watching.anomaly:
                watching.check_backward(node, grads)
            inputs = node.inputs
            position = -1
            for grad in grads:
                position += 1
                if grad is None:
                    continue
                edge = inputs[position]
                if isinstance(edge, Node):
                    if grad.shape != edge.shape:
                        grad = fitted(node, position, edge.shape, grad)
                    if edge is waiting:
                        waiting_g = plus(waiting_g, grad)
                    elif waiting is None and edge not in table:
                        waiting, waiting_g = edge, grad
                    else:
                        arrive(table, heap, edge, grad)
                else:
                    if grad.shape != edge.array.shape:
                        grad = fitted(node, position, edge.array.shape, grad)
                    held = table.get(edge)
                    table[edge] = grad if held is None else plus(held, grad)
        for leaf in [e for e in table if targets is None or e in targets]:
            hooks = leaf.__dict__.get("_leaf_hooks")
            g = table[leaf]
            results[leaf] = run_hooks(hooks, g, cls) if hooks else g
        if calls:
            finish_pass()
            given.update(calls.get(None, ()))
    finally:
        ending.reset(outer)
        grad_enabled.reset(mode)
    return results


class Several(tuple[Any, ...]):
    """The gradients of a node that has several outputs; None for one that nothing has arrived at."""

    __slots__ = ()
    dtype = None


plus: Callable[[Any, Any], Any] = operator.add  # of gradients


def plus_on_card(a: Any, b: Any) -> Any:
    """The sum of two gradients, tensors or arrays, on the card they are on."""
    if isinstance(a, TensorBase) or not _arrays.elsewhere(a):
        return a + b
    with _arrays.beside(a):
        return a + b


def follow_cards() -> None:
    """Where there are several cards, sums take more than an operator."""
    global plus
    if _arrays.most_cards() > 1:
        plus = plus_on_card


_arrays.on_more_cards.append(follow_cards)


def arrive(table: dict[Any, Any], heap: list[tuple[int, Node]], edge: Any, g: Any) -> None:
    """Add `g` to what has arrived at `edge`."""
    if edge in table:
        table[edge] = plus(table[edge], g)
    else:
        table[edge] = g
        if isinstance(edge, Node):
            heappush(heap, (-edge.stamp, edge))


def arrive_output(table: dict[Any, Any], heap: list[tuple[int, Node]], node: Node, index: int, g: Any) -> None:
    """Add `g` to what has arrived for output `index` of a node that has several."""
    if node not in table:
        table[node] = [None] * len(node.shape)
        heappush(heap, (-node.stamp, node))
    held = table[node]
    held[index] = g if held[index] is None else plus(held[index], g)


def leading_to(targets: set[Any], roots: list[Any]) -> set[Any]:
    """The targets, and every node below `roots` from which one of them can be reached."""
    needed = set(targets)
    for node in sorted(graph.reachable(roots), key=lambda n: n.stamp):  # inputs before what was computed from them
        if any(e in needed for e in node.inputs if e is not None):
            needed.add(node)
    return needed


def with_care(node: Node, g: Any, saved: tuple[Any, ...]) -> tuple[Any, ...]:
    """The rules of `node`, for a gradient that may be complex, on another card, or of several results."""
    first = array_in(next((x for x in g if x is not None), None) if isinstance(g, Several) else g)
    if _arrays.elsewhere(first):
        with _arrays.beside(first):
            return with_care(node, g, saved)
    return conjugated(node, g, saved) if node.holomorphic else node.backward(g, saved)


def conjugated(node: Node, g: Any, saved: tuple[Any, ...]) -> tuple[Any, ...]:
    """PyTorch's gradient of a holomorphic operation is conj(f'(z)) g = conj(f'(z) conj(g)): the rule for real numbers."""
    def flip(x: Any) -> Any:
        return None if x is None else conj(x) if x.dtype.kind == "c" else x

    g = Several([flip(x) for x in g]) if isinstance(g, Several) else flip(g)
    return tuple([flip(grad) for grad in node.backward(g, saved)])


def fitted(node: Node, position: int, want: tuple[int, ...], grad: Any) -> Any:
    """The gradient of an input of shape `want` that was broadcast, summed to that shape. Raises if it cannot be that."""
    have = tuple(grad.shape)
    lead = len(have) - len(want)
    if node.broadcasts and lead >= 0 and all(w in (1, h) for w, h in zip(want, have[lead:])):
        return sum_to_size(grad, size=want)
    if node.broadcasts and not have and node.arguments:  # a rule may return one number for every element
        return expand(grad, size=want)
    argument = node.arguments[min(position, len(node.arguments) - 1)] if node.arguments else f"input {position}"
    raise ShapeError(f"{node.name()}: the derivative rule of {node.op_name} for '{argument}' returned a gradient of shape "
                     f"{list(have)}, but '{argument}' has shape {list(want)} (recorded at {node.source()})")
