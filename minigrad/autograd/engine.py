"""The backward pass.

Nodes are run from the youngest to the oldest: a node is always younger than what it was computed from, so when its turn
comes every gradient that flows into it has arrived. A heap gives the youngest; a table, local to this pass, holds the sum
of what has arrived at each node or leaf. Nothing here recurses, and no operation is known by name.
"""

from __future__ import annotations

import heapq
from typing import Any, Iterable

from minigrad import backend
from minigrad.autograd import graph
from minigrad.autograd.call import REGISTRY
from minigrad.autograd.graph import Freed, Node, Port, TensorBase, check_saved, grad_enabled, ledger, tied
from minigrad.errors import GraphError, ShapeError


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


# ---------------------------------------------------------------------------------------------------- hooks

def wrapped(g: Any, cls: type[TensorBase]) -> Any:
    """A gradient as hooks see it: tensors, whatever the pass computes with."""
    if isinstance(g, tuple):
        return tuple([wrapped(x, cls) for x in g])
    return g if g is None or isinstance(g, TensorBase) else tied(backend.as_array(g), None, cls)


def unwrapped(new: Any, like: Any) -> Any:
    """What a hook returned, as the pass computes with it."""
    if isinstance(new, tuple):
        return tuple([unwrapped(n, o) for n, o in zip(new, like)])
    return new if new is None or isinstance(like, TensorBase) else new.array


def run_hooks(hooks: dict[int, Any], g: Any, cls: type[TensorBase]) -> Any:
    """Tensor hooks, in the order they were registered; each may return a gradient to take the place of `g`."""
    for hook in list(hooks.values()):
        seen = wrapped(g, cls)
        new = hook(seen)
        if new is not None:
            if tuple(new.shape) != tuple(seen.shape):
                raise ShapeError(f"hook {getattr(hook, '__name__', hook)!r} returned a gradient of shape {list(new.shape)} for "
                                 f"a tensor of shape {list(seen.shape)}; return None or a tensor of that shape")
            g = unwrapped(new, g) if not isinstance(g, TensorBase) else new
    return g


def before(node: Node, extras: Any, g: Any, cls: type[TensorBase]) -> Any:
    """What happens when a node's gradient is complete: hooks of its tensor, retain_grad, the node's pre-hooks."""
    if extras.tensor_hooks:
        g = run_hooks(extras.tensor_hooks, g, cls)
    tensor = extras.retains() if extras.retains is not None else None
    if tensor is not None:
        accumulate(tensor, g, cls, set())
    for hook in list(extras.pre_hooks.values()):
        seen = wrapped(g if isinstance(g, tuple) else (g,), cls)
        new = hook(seen)
        if new is not None:
            new = new if isinstance(new, tuple) else (new,)
            g = unwrapped(new, g) if isinstance(g, tuple) else unwrapped(new[0], g)
    return g


def after(extras: Any, grads: tuple[Any, ...], g: Any, cls: type[TensorBase]) -> tuple[Any, ...]:
    """The node's hooks, which see the gradients of its inputs and of its results."""
    for hook in list(extras.post_hooks.values()):
        new = hook(wrapped(grads, cls), wrapped(g if isinstance(g, tuple) else (g,), cls))
        if new is not None:
            new = new if isinstance(new, tuple) else (new,)
            grads = tuple([n if o is None else unwrapped(n, o) for n, o in zip(new, grads)])
    return grads


# ---------------------------------------------------------------------------------------------------- into .grad

def accumulate(tensor: Any, g: Any, cls: type[TensorBase], given: set[int]) -> None:
    """Add `g` to ``tensor.grad``. `given` are the arrays this pass has handed out already: two tensors never share one."""
    held = tensor._grad
    if isinstance(g, TensorBase):
        tensor._grad = g if held is None else held + g  # type: ignore[operator]
        return
    g = backend.as_array(g)
    if g.dtype is not tensor.array.dtype:
        g = g.real if g.dtype.kind == "c" and tensor.array.dtype.kind != "c" else g
        g = g.astype(tensor.array.dtype)
    if held is None:
        if g.base is not None or id(g) in given:
            g = g.copy()
        given.add(id(g))
        tensor._grad = tied(g, None, cls)
    elif held.node is not None:
        tensor._grad = held + tied(g, None, cls)
    else:
        held.array += g
        if ledger.writes:
            ledger.record(held.array, "accumulation into .grad")


def backward(tensors: list[Any], gradients: list[Any], retain_graph: bool | None = None, create_graph: bool = False,
             inputs: list[Any] | None = None) -> None:
    """Compute the gradients of `tensors` and add them to the ``.grad`` of the leaves, or of `inputs` where given."""
    retain_graph = create_graph if retain_graph is None else retain_graph
    cls = tensors[0].result_class
    wanted = None if inputs is None else {graph.edge_of(t): t for t in inputs}
    results = run_backward([(graph.edge_of(t), g) for t, g in zip(tensors, gradients)], retain_graph, create_graph, wanted, cls)
    given = {id(g) for g in gradients}
    for edge, g in results.items():
        tensor = edge if wanted is None else wanted[edge]
        accumulate(tensor, g, cls, given)
        hooks = tensor.__dict__.get("_post_accumulate_hooks")
        if hooks:
            for hook in list(hooks.values()):
                hook(tensor)


def grad(outputs: list[Any], inputs: list[Any], gradients: list[Any], retain_graph: bool | None, create_graph: bool,
         allow_unused: bool) -> list[Any]:
    """The gradients of `outputs` with respect to `inputs`, as tensors; None for an input that was not reached."""
    retain_graph = create_graph if retain_graph is None else retain_graph
    cls = outputs[0].result_class
    edges = [graph.edge_of(t) for t in inputs]
    results = run_backward([(graph.edge_of(t), g) for t, g in zip(outputs, gradients)], retain_graph, create_graph, edges, cls)
    grads = []
    for k, edge in enumerate(edges):
        g = results.get(edge)
        if g is None and not allow_unused:
            raise GraphError(f"One of the differentiated Tensors (inputs[{k}], of shape {list(inputs[k].shape)}) appears to not "
                             "have been used in the graph. Set allow_unused=True if this is the desired behavior.")
        grads.append(None if g is None else wrapped(g, cls))
    return grads
