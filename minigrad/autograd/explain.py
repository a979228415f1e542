"""Questions one asks of a graph: why has this tensor no gradient, and what does the graph keep in memory."""

from __future__ import annotations

from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any

from minigrad import _arrays
from minigrad._types.tensor_base import LEAF, TensorBase
from minigrad.autograd.differentiate import seeds
from minigrad.autograd.engine import run_backward
from minigrad.autograd.observe import Observer
from minigrad.errors import ArgumentError
from minigrad.recording import clock
from minigrad.recording.clock import source_line
from minigrad.recording.graph import FreedMark, Node, PackedValue, Port, RecordingOff, edge_of, observer, reachable_nodes
from minigrad.recording.quiet import run_quietly

__all__ = ["GraphMemory", "explain", "graph_memory"]


def explain(t: Any, loss: Any = None) -> str:
    """Why ``t.grad`` is None, or zero, or that it is neither: in words, with the source lines.

    Args:
        t: the tensor whose gradient is in question.
        loss: what ``backward()`` was, or will be, called on. With it the answer says whether `loss` depends on `t` at all, and
            which operation first makes the gradient zero on the way.

    >>> import minigrad as mg
    >>> w = mg.ones(2)
    >>> print(mg.autograd.explain(w))
    The tensor does not require grad, nor does anything it was computed from: the leaves were made without requires_grad=True, \
or frozen. Call .requires_grad_() on a leaf before the forward pass.
    """
    if not isinstance(t, TensorBase):
        raise ArgumentError(f"explain(): argument 't' must be a Tensor, not {type(t).__name__}")
    edge: Any = edge_of(t)
    grad = t._grad  # type: ignore[attr-defined]
    if edge is None:
        return why_outside(t)
    path = "" if loss is None else why_unreached(edge, loss)
    if path:
        return path
    if grad is None and edge is not t:
        return (f"The tensor is not a leaf: {edge.grad_fn.name()} made it at {edge.source()}. Gradients pass through it and are "
                "not kept. Call t.retain_grad() before backward() to keep its own.")
    if grad is None:
        unreached = "The tensor is a leaf that requires grad, and no backward pass has reached it"
        if loss is not None:
            return unreached + ": backward() has not been called yet, or .grad was set to None since (zero_grad() does)."
        return unreached + (". Either backward() has not been called, or .grad was set to None since (zero_grad() does), or the "
                            "loss does not depend on it: explain(t, loss) tells.")
    if _arrays.to_numpy(grad.array).any():
        return "The tensor has a gradient, and it is not zero."
    return "The gradient is zero everywhere. " + (why_zero(edge, loss) if loss is not None else
                                                  "explain(t, loss) tells which operation makes it zero.")


def why_outside(t: Any) -> str:
    """Why a tensor is not in any graph."""
    if t.dtype.kind not in "fc":
        return (f"The tensor has dtype {t.dtype!r}, and only floating-point and complex tensors have gradients. Convert it with "
                ".float() before the operations to differentiate.")
    reason = t._off
    if isinstance(reason, RecordingOff):
        where = source_line(reason.code, reason.lasti)
        if reason.what == "detach":
            return (f"The tensor, or what it was computed from, was cut from the graph by detach() at {where}. Leave that out "
                    "to let the gradient through.")
        if reason.what == "requires_grad_(False)":
            return (f"The tensor was frozen, or computed only from what was, by requires_grad_(False) at {where}. Call "
                    ".requires_grad_() before the forward pass.")
        return (f"The tensor was computed under {reason.what}, which began at {where}: nothing was recorded. Compute it outside "
                "that block.")
    return ("The tensor does not require grad, nor does anything it was computed from: the leaves were made without "
            "requires_grad=True, or frozen. Call .requires_grad_() on a leaf before the forward pass.")


def why_unreached(edge: Any, loss: Any) -> str:
    """Why the gradient of `loss` cannot arrive at `edge`, or nothing if it can."""
    if edge_of(loss) is None:
        return "The loss itself is in no graph. " + why_outside(loss)
    root = edge_of(loss)
    below = set(reachable_nodes([root])) | {e for n in reachable_nodes([root]) for e in n.inputs if e is not None}
    if edge is not root and edge not in below:
        return ("The loss does not depend on this tensor: going back from the loss along everything that was recorded, it is "
                "never met. It was left out of the forward pass, or used through detach(), no_grad, .item(), .numpy() or an "
                "integer tensor on the way; or another tensor took its place (an assignment such as w = w - lr * w.grad makes a "
                "new one).")
    return ""


class ZeroWatch(Observer):
    """Sees, in a backward pass, which node first makes the gradient zero on the way to a tensor.

    What arrives at one output of an operation that has several arrives at the operation too.
    """

    def __init__(self) -> None:
        super().__init__(anomaly=True)
        self.blame: dict[Any, Node] = {}  # where a zero gradient arrives: the node that made it from one that was not zero
        self.nonzero: set[Any] = set()  # where another arrives

    def check_backward(self, node: Node, g: Any, saved: tuple[Any, ...], grads: tuple[Any, ...]) -> None:
        culprit = self.culprit(node) or node
        for edge, grad in zip(node.inputs, grads):
            if edge is None or grad is None:
                continue
            is_zero = not _arrays.to_numpy(_arrays.as_array(grad)).any()
            for place in (edge, edge.grad_fn) if isinstance(edge, Port) else (edge,):
                if is_zero:
                    self.blame.setdefault(place, culprit)
                else:
                    self.nonzero.add(place)

    def culprit(self, place: Any) -> Node | None:
        """The node that made zero all that arrived at `place`; None if something arrived that was not zero."""
        return None if place in self.nonzero else self.blame.get(place)


def why_zero(edge: Any, loss: Any) -> str:
    """Which operation makes the gradient of `loss` zero on the way to `edge`; runs the backward pass once more."""
    if any(isinstance(n.saved, FreedMark) for n in reachable_nodes([edge_of(loss)])):
        return "The graph of the loss was freed; call backward(retain_graph=True), or compute it again, and ask then."
    watch = ZeroWatch()
    roots = [(edge_of(loss), seeds("explain", [loss], None, False)[0])]
    context = copy_context()
    context.run(observer.set, watch)
    context.run(run_quietly, run_backward, roots, True, False, [edge], loss.result_class, set())
    node = watch.culprit(edge)
    return "Its parts cancel in the sum of what arrives." if node is None else (
        f"It is made zero by {node.name()}: {node.op_name} at {node.source()} is constant where it was evaluated (as relu is for "
        "negative inputs, and a product with zero is).")


# ---------------------------------------------------------------------------------------------------- memory

@dataclass
class GraphMemory:
    """Bytes that a graph keeps for its derivatives: in all, by operation, by module. Arrays kept twice count once."""

    total: int = 0
    by_op: dict[str, int] = field(default_factory=dict)
    by_module: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{self.total:,} bytes"]
        for title, table in (("by operation", self.by_op), ("by module", self.by_module)):
            if table:
                lines.append(f"{title}:")
                lines += [f"  {size:>14,}  {name}" for name, size in sorted(table.items(), key=lambda item: -item[1])]
        return "\n".join(lines)


def graph_memory(output: Any, model: Any = None) -> GraphMemory:
    """What the graph of `output` keeps in memory beside the leaves themselves.

    Args:
        output: a tensor, or several.
        model: a module, to tell also which of its submodules keeps it.

    Returns: a :class:`GraphMemory`; print it. Of a view the whole array behind it is counted, because that is what it keeps.
    """
    outputs = [output] if isinstance(output, TensorBase) else list(output)
    nodes = sorted(reachable_nodes([edge_of(t) for t in outputs]), key=lambda n: n.stamp)
    owner_of = clock.owning_modules([n.stamp for n in nodes], dict(model.named_modules()) if model is not None else {})
    seen = {id(clock.memory_owner(e.array)) for n in nodes for e in n.inputs if isinstance(e, TensorBase) and e.node is LEAF}
    result = GraphMemory()
    for node in nodes:
        size = 0
        for array in arrays_of(node.saved):
            owner = clock.memory_owner(array)
            if id(owner) not in seen:
                seen.add(id(owner))
                size += owner.nbytes
        if size:
            result.total += size
            name = node.op_name or node.name()
            result.by_op[name] = result.by_op.get(name, 0) + size
            if model is not None:
                path = owner_of[node.stamp] or "(outside)"
                result.by_module[path] = result.by_module.get(path, 0) + size
    return result


def arrays_of(saved: Any) -> list[Any]:
    """The arrays among what a node saved."""
    found = []
    for item in saved if isinstance(saved, (tuple, list)) else ():
        if isinstance(item, PackedValue):
            found += arrays_of([item.content])
        elif isinstance(item, (tuple, list)):
            found += arrays_of(item)
        elif isinstance(item, TensorBase):
            found.append(item.array)
        elif _arrays.is_array(item):
            found.append(item)
    return found
