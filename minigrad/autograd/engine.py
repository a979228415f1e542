"""The backward pass.

Nodes are run from the youngest to the oldest: a node is always younger than what it was computed from, so when its turn
comes every gradient that flows into it has arrived. :func:`run_backward` is the chain rule; what it needs beside that is in
:class:`Pass`: the gradients that have arrived, and the care that few nodes ask for. Nothing here recurses, and no operation is
known by name.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any, Iterable

from minigrad import _arrays
from minigrad._types.tensor_base import TensorBase, unwrap
from minigrad.autograd.early import finish_leaves, leaves_by_last_gradient
from minigrad.autograd.hooks import finish_gradient, finish_pass, pass_end, run_hooks, run_post_hooks, run_pre_hooks
from minigrad.autograd.zero_derivative import connect
from minigrad.errors import ShapeError
from minigrad.ops.pointwise.arithmetic import conj
from minigrad.ops.shaping.shape import expand, sum_to_size
from minigrad.recording import graph, timing
from minigrad.recording.clock import derivative_at, ledger, passes, tick, user_frame
from minigrad.recording.graph import FreedMark, Node, Port, check_saved, grad_enabled, observer, recording_mode


def run_backward(roots: list[tuple[Any, Any]], keep_graph: bool, create_graph: bool, wanted: Iterable[Any] | None,
                 cls: type[TensorBase], shown: set[int], run_targets: bool = False) -> dict[Any, Any]:
    """Carry gradients from `roots`, pairs of an edge and the gradient of it, back through the graph.

    Args:
        keep_graph: leave the saved values in place for another pass.
        create_graph: run the rules on tensors, so that the gradients have a graph of their own. `roots` then hold tensors.
        wanted: edges whose gradients are asked for; only what leads to them is run. None: every leaf.
        cls: the class of tensors that rules and hooks are given.
        shown: gains the identities of the arrays that hooks have seen, which must not become anyone's ``.grad``.
        run_targets: run the nodes in `wanted` themselves too, for the hooks on them.

    Returns: the gradient of each leaf reached or, if `wanted`, of each edge in it that was reached: arrays, or tensors
        under `create_graph`.
    """
    with Pass(roots, keep_graph, create_graph, wanted, cls, shown, run_targets) as run:
        arrived, heap, freed, plain_dtype = run.arrived, run.heap, run.freed, run.plain_dtype
        last_write, one_device = ledger.last, _arrays.accelerator_count() < 2
        # One node that waits is kept beside the heap: in a chain there is never another, and it need not go in and out.
        waiting: Any = None
        waiting_g: Any = None
        while waiting is not None or heap:
            # Take the youngest node, and the sum of the gradients that have arrived at it.
            if waiting is None or heap and heap[0][0] < -waiting.stamp:
                node, g = run.pop_youngest()
            else:
                node, g, waiting = waiting, waiting_g, None

            # Apply its rules.
            saved = node.saved
            if node.extras is None and g.dtype is plain_dtype and saved.__class__ is tuple and last_write <= node.stamp:
                grads = node.backward(g, saved)
                if saved and freed is not None:
                    node.saved = freed
            else:
                grads = run.apply_rules(node, g)
                last_write = ledger.last

            # Add each gradient, in the shape of the input, to what has arrived where the input's edge leads.
            inputs = node.inputs
            position = -1
            for grad in grads:
                position += 1
                if grad is None:
                    continue
                edge = inputs[position]
                if isinstance(edge, Node):
                    if grad.shape != edge.shape:
                        grad = unbroadcast(grad, edge.shape, node, position)
                    if edge is waiting:
                        waiting_g = waiting_g + grad if one_device else add(waiting_g, grad)
                    elif waiting is None and (not heap or edge not in arrived):
                        waiting, waiting_g = edge, grad
                    else:
                        run.arrive(edge, grad)
                else:
                    if grad.shape != edge.array.shape:
                        grad = unbroadcast(grad, edge.array.shape, node, position)
                    held = arrived.get(edge)
                    arrived[edge] = grad if held is None else held + grad if one_device else add(held, grad)
        return run.results()


class Pass:
    """One backward pass; its parameters are those of :func:`run_backward`.

    ``arrived`` holds the sum of what has arrived at each leaf, and at each node in the heap. While the pass is entered,
    operations are recorded or not as `create_graph` says, and hooks find it through :data:`~minigrad.autograd.hooks.pass_end`.
    """

    def __init__(self, roots: list[tuple[Any, Any]], keep_graph: bool, create_graph: bool, wanted: Iterable[Any] | None,
                 cls: type[TensorBase], shown: set[int], run_targets: bool) -> None:
        self.create_graph, self.cls, self.shown, self.run_targets = create_graph, cls, shown, run_targets
        self.arrived: dict[Any, Any] = {}
        self.heap: list[tuple[int, Node]] = []
        self.freed = None if keep_graph else FreedMark(user_frame())
        self.watching = observer.get()
        self.targets = None if wanted is None else set(wanted)
        self.needed = None if self.targets is None else nodes_leading_to(self.targets, [edge for edge, _ in roots])
        self.found: dict[Any, Any] = {}  # the gradients of the targets that are no leaves
        simple = not create_graph and self.watching is None and self.targets is None and _arrays.accelerator_count() < 2
        self.due = leaves_by_last_gradient(roots) if self.targets is None and not create_graph else []
        # A gradient of this dtype needs no care: it is real, and nothing else is asked for.
        simple, dtype = simple and not self.due and timing.timer is None, roots[0][1].dtype
        self.plain_dtype: Any = dtype if simple and dtype.kind != "c" else "no dtype, so that all need it"
        for edge, g in roots:
            self.arrive(edge, g)

    def __enter__(self) -> Pass:
        self.calls: dict[Any, Any] = {}
        self.began, self.timed = tick(), timing.begin("backward pass", "pass")
        self.order = 0  # the highest derivative among what it has run
        self.outer_mode = grad_enabled.set(recording_mode(self.create_graph))
        self.outer_calls = pass_end.set(self.calls)
        return self

    def __exit__(self, *exc: object) -> None:
        if self.create_graph:
            passes.append((self.began, tick(), self.order + 1))  # what was made in between is a derivative: drawings show it
        pass_end.reset(self.outer_calls)
        grad_enabled.reset(self.outer_mode)
        if self.timed is not None: self.timed()

    def arrive(self, edge: Any, g: Any) -> None:
        """Add `g` to what has arrived at `edge`."""
        if edge in self.arrived:
            self.arrived[edge] = add(self.arrived[edge], g)
        else:
            self.arrived[edge] = g
            if isinstance(edge, Node):
                heappush(self.heap, (-edge.stamp, edge))

    def arrive_at_output(self, node: Node, index: int, g: Any) -> None:
        """Add `g` to what has arrived for output `index` of a node that has several."""
        if node not in self.arrived:
            self.arrived[node] = [None] * len(node.shape)
            heappush(self.heap, (-node.stamp, node))
        held = self.arrived[node]
        held[index] = g if held[index] is None else add(held[index], g)

    def pop_youngest(self) -> tuple[Node, Any]:
        """The youngest node in the heap, and the sum of what has arrived at it."""
        node = heappop(self.heap)[1]
        g = self.arrived.pop(node)
        return node, OutputGradients(g) if g.__class__ is list else g

    def apply_rules(self, node: Node, g: Any) -> Any:
        """:meth:`careful_rules`, timed where somebody times."""
        return self.careful_rules(node, g) if timing.timer is None else timing.time_node(self.careful_rules, node, g)

    def careful_rules(self, node: Node, g: Any) -> tuple[Any, ...]:
        """The gradients of `node`'s inputs, with all that may be asked for beside its rules; none where the pass ends there."""
        extras = node.extras
        if self.due:
            finish_leaves(self.due, node.stamp, self.arrived, self.cls, self.shown)
        if self.needed is not None and self.stops_at(node, g):
            return ()
        if extras is not None:
            g = run_pre_hooks(extras, g, self.cls)
        if isinstance(node, Port):
            self.arrive_at_output(node.inputs[0], node.index, g)
            return ()
        saved = check_saved(node) if node.saved.__class__ is not tuple or ledger.last > node.stamp else node.saved
        if self.create_graph:
            self.order = max(self.order, derivative_at(node.stamp))
            saved = node.as_tensors(saved, self.cls)
            since = tick()
            grads = connect(node, saved, apply_rules(node, g, saved), since)
        else:
            grads = apply_rules(node, g, saved)
        if saved and self.freed is not None:
            node.saved = self.freed
        if extras is not None:
            grads = run_post_hooks(extras, grads, g, self.cls)
        if self.watching is not None:
            self.watching.check_backward(node, g, saved, grads)
        return grads

    def stops_at(self, node: Node, g: Any) -> bool:
        """Whether nothing that is asked for lies behind `node`. If it is a target, its gradient `g` is noted."""
        assert self.needed is not None and self.targets is not None
        if node not in self.needed:
            return True
        if node not in self.targets:
            return False
        last = not (self.run_targets or any(e in self.needed for e in node.inputs if e is not None))
        self.found[node] = g if node.extras is None or not last else finish_gradient(node.extras, g, self.cls)
        return last

    def results(self) -> dict[Any, Any]:
        """The gradients of leaves, after their hooks, and of targets. Calls the hooks that wait for the end of a pass."""
        finish_leaves(self.due, -1, self.arrived, self.cls, self.shown)
        for leaf in [e for e in self.arrived if self.targets is None or e in self.targets]:
            hooks = leaf.__dict__.get("_leaf_hooks")
            g = self.arrived[leaf]
            self.found[leaf] = run_hooks(hooks, g, self.cls) if hooks else g
        if self.calls:
            finish_pass()
            self.shown.update(self.calls.get(None, ()))
        return self.found


class OutputGradients(tuple[Any, ...]):
    """The gradients of the outputs of a node that has several. One that no gradient has reached is None."""

    __slots__ = ()
    dtype = None


def add(a: Any, b: Any) -> Any:
    """The sum of two gradients, tensors or arrays, computed on the device they are on."""
    if _arrays.accelerator_count() < 2 or isinstance(a, TensorBase) or not _arrays.needs_device_guard(a):
        return a + b
    with _arrays.on_device_of(a):
        return a + b


def nodes_leading_to(targets: set[Any], roots: list[Any]) -> set[Any]:
    """The targets, and every node below `roots` from which a target can be reached."""
    needed = set(targets)
    for node in sorted(graph.reachable_nodes(roots), key=lambda n: n.stamp):  # inputs before what was computed from them
        if any(e in needed for e in node.inputs if e is not None):
            needed.add(node)
    return needed


def apply_rules(node: Node, g: Any, saved: tuple[Any, ...]) -> tuple[Any, ...]:
    """Apply the rules of `node` to a gradient that may be complex, on another device, or that of several outputs."""
    first = unwrap(next((x for x in g if x is not None), None) if isinstance(g, OutputGradients) else g)
    if _arrays.needs_device_guard(first):
        with _arrays.on_device_of(first):
            return apply_rules(node, g, saved)
    return apply_conjugated(node, g, saved) if node.holomorphic else node.backward(g, saved)


def apply_conjugated(node: Node, g: Any, saved: tuple[Any, ...]) -> tuple[Any, ...]:
    """Apply the rules of a holomorphic operation to a complex gradient.

    PyTorch's gradient is conj(f'(z)) g = conj(f'(z) conj(g)): the rule for real numbers, conjugated on the way in and out.
    """
    def flip(x: Any) -> Any:
        return None if x is None else conj(x) if x.dtype.kind == "c" else x

    g = OutputGradients([flip(x) for x in g]) if isinstance(g, OutputGradients) else flip(g)
    return tuple([flip(grad) for grad in node.backward(g, saved)])


def unbroadcast(grad: Any, shape: tuple[int, ...], node: Node, position: int) -> Any:
    """The gradient `grad` of input `position` of `node`, an input of `shape` that was broadcast, summed to that shape.

    Raises ``ShapeError`` if it cannot be that: the rule is wrong.
    """
    have = tuple(grad.shape)
    lead = len(have) - len(shape)
    if node.broadcasts and lead >= 0 and all(w in (1, h) for w, h in zip(shape, have[lead:])):
        return sum_to_size(grad, size=shape)
    if node.broadcasts and not have and node.arguments:  # a rule may return one number for every element
        return expand(grad, size=shape)
    argument = node.arguments[min(position, len(node.arguments) - 1)] if node.arguments else f"input {position}"
    raise ShapeError(f"Function {node.name()} returned an invalid gradient at index {position} - got {list(have)} but expected "
                     f"shape compatible with {list(shape)}: the derivative rule of {node.op_name} for '{argument}' (recorded at "
                     f"{node.source()}) returned a gradient of shape {list(have)}, but '{argument}' has shape {list(shape)}")
