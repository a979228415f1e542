"""Derivatives that are zero, which exist all the same.

Under ``create_graph`` the computation of a gradient is recorded, and leads to all that the gradient changes with. The gradient of
``relu`` names its result, yet does not change with it, so nothing would lead there, and a second derivative would be refused
instead of being zero. As in PyTorch, a gradient therefore depends on every value that its rule names: where the rule itself has
recorded no way to one, :class:`ZeroDerivative` is the way.
"""

from __future__ import annotations

from typing import Any

from minigrad._types.dtypes import as_dtype
from minigrad.ops.pointwise.arithmetic import cast
from minigrad.ops.shaping.shape import constant_full, expand
from minigrad.recording.graph import Node, edge_of, reachable_nodes, tensor_on_edge


class ZeroDerivative(Node):
    """Passes its gradient on to the first input, and zeros to the others. Its settings are the shapes and dtypes of these."""

    __slots__ = ()

    def backward(self, g: Any, saved: tuple[Any, ...]) -> tuple[Any, ...]:
        zero = constant_full(g, size=())
        return (None if self.inputs[0] is None else g,
                *[expand(cast(zero, dtype=as_dtype(dtype)), size=shape) for shape, dtype in self.settings])


def connect(node: Node, saved: tuple[Any, ...], grads: tuple[Any, ...], since: int) -> tuple[Any, ...]:
    """The gradients `grads` of the inputs of `node`, each a tensor that depends on every tensor of `saved` that its rule names.
    The rules have run since the time `since`."""
    if node.named is None:
        return grads
    result = []
    for grad, places in zip(grads, node.named or [range(len(saved))] * len(grads)):
        if grad is not None:
            missing: dict[Any, Any] = {}
            for k in places:
                for t in saved[k] if saved[k].__class__ is tuple else (saved[k],):
                    if t is not None and t.node is not None and not leads_to(grad, edge_of(t), since):
                        missing[edge_of(t)] = t.array
            if node.connected:
                for edge in node.inputs:
                    if edge is not None and not leads_to(grad, edge, since):
                        missing.setdefault(edge, edge if isinstance(edge, Node) else edge.array)
            if missing:
                grad = connected_to(missing, grad)
        result.append(grad)
    return tuple(result)


def leads_to(grad: Any, edge: Any, since: int) -> bool:
    """Whether `edge` can be reached from the tensor `grad` through nodes made after the time `since`."""
    made = edge_of(grad)
    if made is edge:
        return True
    if not isinstance(made, Node) or made.stamp <= since:
        return False
    for e in made.inputs:  # most rules join what they name in one operation
        if e is edge:
            return True
    return any(e is edge for node in reachable_nodes([made], since) for e in node.inputs)


def connected_to(missing: dict[Any, Any], grad: Any) -> Any:
    """`grad` on a node that leads to the edges in `missing` too; with each goes something that has the shape found there."""
    settings = tuple([(x.shape, getattr(x, "dtype", grad.array.dtype)) for x in missing.values()])
    node = ZeroDerivative.make((edge_of(grad), *missing), grad.array.shape, (), settings)
    return tensor_on_edge(grad.array, node, grad.result_class)
