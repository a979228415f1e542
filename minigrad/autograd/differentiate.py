"""``autograd.backward`` and ``autograd.grad``: what users ask of the engine, checked and put into tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays
from minigrad._types import dtypes
from minigrad._types.tensor_base import TensorBase, unwrap
from minigrad.autograd.engine import run_backward
from minigrad.autograd.hooks import accumulate_into_leaf, ensure_owned, wrap_gradient
from minigrad.errors import ArgumentError, DeviceError, GraphError, InvalidValueError, ShapeError
from minigrad.ops.pointwise.arithmetic import cast, zeros_of
from minigrad.ops.shaping.slicing import stack
from minigrad.recording import watching
from minigrad.recording.device_guard import guard_device
from minigrad.recording.graph import AccumulateGrad, GradientEdge, edge_of
from minigrad.recording.quiet import run_quietly

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    from minigrad._types.annotations import Tensor

    Differentiable: TypeAlias = Tensor | GradientEdge | Iterable[Tensor | GradientEdge]


def backward(tensors: Differentiable, grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
             retain_graph: bool | None = None, create_graph: bool = False, inputs: Differentiable | None = None) -> None:
    """Compute the gradients of `tensors` and add them to ``.grad`` of every leaf they were computed from.

    Args:
        tensors: a tensor or a sequence of them, each with a ``grad_fn`` or a leaf that requires grad.
        grad_tensors: for each, the gradient of what is differentiated with respect to it, of its shape; None stands for 1
            and is allowed for tensors of one element.
        retain_graph: keep the saved values for another pass; by default as `create_graph`.
        create_graph: record the computation of the gradients, so that they can be differentiated.
        inputs: if given, only these tensors, leaves or not, receive gradients.

    Raises: ``RuntimeError`` where a tensor has no graph, its gradient cannot be implied, or the graph was freed.
    """
    outputs = tensor_list("backward", "tensors", tensors)
    asked = None if inputs is None else tensor_list("backward", "inputs", inputs)
    wanted = None if asked is None else [grad_edge(t) for t in asked]
    if wanted is not None and not wanted:
        raise GraphError("backward: 'inputs' argument to backward cannot be empty; leave it out to reach every leaf")
    if wanted is not None and None in wanted:
        raise GraphError("backward: one of the 'inputs' does not require grad; call .requires_grad_() on it before the forward")
    for t in asked or ():
        if isinstance(t, TensorBase):
            t.retain_grad()  # type: ignore[attr-defined]  # nothing happens to leaves
    gradients = seeds("backward", outputs, grad_tensors, create_graph)
    cls = result_class(outputs)
    shown = {id(unwrap(g)) for g in gradients}
    keep_graph = create_graph if retain_graph is None else retain_graph
    roots = [(grad_edge(t), g) for t, g in zip(outputs, gradients)]
    results = run_quietly(run_backward, roots, keep_graph, create_graph, wanted, cls, shown, True)
    run_quietly(accumulate_into_leaves, results, cls, shown)


def accumulate_into_leaves(results: dict[Any, Any], cls: type[TensorBase], shown: set[int]) -> None:
    """Add the gradients that a pass has computed to ``.grad`` of their leaves; what is no leaf retains its own."""
    if watching.count:
        watching.show_arrival(results, None)
    accumulate = guard_device(accumulate_into_leaf)
    for edge, g in results.items():
        if isinstance(edge, TensorBase):
            accumulate(edge, g, cls, shown)


def grad(outputs: Differentiable, inputs: Differentiable, grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
         retain_graph: bool | None = None, create_graph: bool = False, only_inputs: bool = True,
         allow_unused: bool | None = None, is_grads_batched: bool = False, materialize_grads: bool = False) -> tuple[Tensor, ...]:
    """The gradients of the sum of `outputs` with respect to `inputs`, as a tuple; no ``.grad`` is touched.

    Args:
        outputs, inputs: a tensor or a sequence of tensors each.
        grad_outputs: see `grad_tensors` of :func:`backward`.
        retain_graph, create_graph: as for :func:`backward`.
        allow_unused: give None for an input that `outputs` do not depend on, instead of raising.
        is_grads_batched: each of `grad_outputs` has one more dimension in front, and each gradient gets it too: the graph is
            walked once for each index of it.
        materialize_grads: give zeros for such an input.

    Raises: ``RuntimeError`` as :func:`backward` does, and for an unused input.

    >>> import minigrad as mg
    >>> x = mg.tensor(3.0, requires_grad=True)
    >>> dx, = mg.autograd.grad(x ** 3, x, create_graph=True)
    >>> mg.autograd.grad(dx, x)
    (tensor(18.),)
    """
    if not only_inputs:
        raise ArgumentError("grad: only_inputs=False is not supported (nor is it in PyTorch); use backward() to fill .grad")
    if materialize_grads and allow_unused is False:
        raise InvalidValueError("grad: Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
                                "False.")
    outs, ins = tensor_list("grad", "outputs", outputs), tensor_list("grad", "inputs", inputs)
    if is_grads_batched:
        return grad_batched(outs, ins, grad_outputs, retain_graph, create_graph, allow_unused, materialize_grads)
    edges = [grad_edge(t) for t in ins]
    for k, edge in enumerate(edges):
        if edge is None:
            raise GraphError(f"grad: One of the differentiated Tensors does not require grad: inputs[{k}], of shape "
                             f"{list(ins[k].shape)}; create it with requires_grad=True")
    gradients = seeds("grad", outs, grad_outputs, create_graph)
    cls = result_class(outs)
    shown = {id(unwrap(g)) for g in gradients}
    keep_graph = create_graph if retain_graph is None else retain_graph
    roots = [(grad_edge(t), g) for t, g in zip(outs, gradients)]
    results = run_quietly(run_backward, roots, keep_graph, create_graph, edges, cls, shown)
    own = guard_device(ensure_owned)
    grads: list[Any] = []
    for k, (edge, t) in enumerate(zip(edges, ins)):
        g = results.get(edge)
        if g is not None:
            like = unwrap(g) if isinstance(t, GradientEdge) else t.array
            grads.append(own(g, like, shown) if create_graph else wrap_gradient(own(g, like, shown), cls))
        elif materialize_grads:
            zeros: Any = zeros_of(t)
            grads.append(zeros.requires_grad_() if create_graph else zeros)
        elif allow_unused:
            grads.append(None)
        else:
            raise GraphError(f"grad: One of the differentiated Tensors appears to not have been used in the graph: inputs[{k}], "
                             f"of shape {list(t.shape)}. Set allow_unused=True if this is the desired behavior.")
    if watching.count:
        watching.show_arrival(results, list(zip(edges, ins, grads)))
    return tuple(grads)


def grad_batched(outs: list[Any], ins: list[Any], grad_outputs: Any, retain_graph: bool | None, create_graph: bool,
                 allow_unused: bool | None, materialize_grads: bool) -> tuple[Any, ...]:
    """What :func:`grad` gives for each index of the first dimension of `grad_outputs`, stacked."""
    gs = tensor_list("grad", "grad_outputs", [] if grad_outputs is None else grad_outputs)
    sizes = {g.array.shape[0] if g.array.ndim else 0 for g in gs}
    if len(sizes) != 1 or 0 in sizes:
        raise ShapeError("grad: with is_grads_batched=True each of grad_outputs must have the batch as its first dimension, got "
                         f"shapes {[list(g.array.shape) for g in gs]}")
    size = sizes.pop()
    keep = create_graph if retain_graph is None else retain_graph
    rows = [grad(outs, ins, [g[k] for g in gs], keep or k < size - 1, create_graph, True, allow_unused, False, materialize_grads)
            for k in range(size)]
    return tuple([None if column[0] is None else stack(list(column), dim=0) for column in zip(*rows)])


def tensor_list(caller: str, name: str, tensors: Any) -> list[Any]:
    """`tensors`, which are one tensor or several, as a list. Raises ``TypeError`` for anything else."""
    if isinstance(tensors, (TensorBase, GradientEdge)):
        return [tensors]
    try:
        found = list(tensors)  # a tuple, a dict's values, a generator of parameters
    except TypeError:
        found = [tensors]
    for t in found:
        if not isinstance(t, (TensorBase, GradientEdge)):
            raise ArgumentError(f"{caller}(): argument '{name}' must be a Tensor or a sequence of Tensors, not "
                                f"{type(t).__name__}")
    return found


def seeds(caller: str, outputs: list[Any], given: Any, create_graph: bool) -> list[Any]:
    """The gradient that each output starts with: arrays, or tensors under `create_graph`."""
    gradients = [None] * len(outputs) if given is None else [given] if isinstance(given, TensorBase) else list(given)
    if not outputs:
        raise GraphError(f"{caller}: expected at least one tensor to differentiate")
    if len(gradients) != len(outputs):
        raise GraphError(f"{caller}: got {len(outputs)} tensors and {len(gradients)} gradients")
    result: list[Any] = []
    for t, g in zip(outputs, gradients):
        if isinstance(t, GradientEdge):
            if not isinstance(g, TensorBase) or g.array.shape != grad_edge(t).shape:
                raise ShapeError(f"{caller}: a GradientEdge needs a gradient of its shape, {list(grad_edge(t).shape)}, among "
                                 "grad_outputs")
            result.append(g if create_graph else g.array)
            continue
        if edge_of(t) is None:
            raise GraphError(f"{caller}: element {len(result)} of tensors does not require grad and does not have a grad_fn: "
                             "nothing it was computed from has requires_grad=True, or it was made under no_grad or detached")
        if g is None:
            if t.array.size != 1:
                raise GraphError(f"{caller}: grad can be implicitly created only for scalar outputs, but this one has shape "
                                 f"{list(t.shape)}; reduce it, for instance loss.sum(), or pass gradient=, of that shape")
            if t.array.dtype.kind == "c":
                raise GraphError(f"{caller}: grad can be implicitly created only for real scalar outputs but got "
                                 f"{t.dtype!r}; pass gradient=, or differentiate .real or .abs()")
            array = guard_device(ones_of)(t.array)
            result.append(wrap_gradient(array, t.result_class) if create_graph else array)
        else:
            if not isinstance(g, TensorBase):
                raise ArgumentError(f"{caller}: gradients can be either Tensors or None, but got {type(g).__name__}")
            if g.array.__class__ is not t.array.__class__ or g.array.__class__ is not np.ndarray and (
                    _arrays.device_of(g.array) != _arrays.device_of(t.array)):
                here, there = _arrays.device_of(t.array), _arrays.device_of(g.array)
                raise DeviceError(f"{caller}: expected all tensors on the same device, but tensors[{len(result)}] is on {here} "
                                  f"and its gradient is on {there}; move it, for instance gradient.to('{here}')")
            if g.array.shape != t.array.shape:
                k = len(result)
                raise ShapeError(f"{caller}: Mismatch in shape: grad_output[{k}] has a shape of {list(g.array.shape)} and "
                                 f"output[{k}] has a shape of {list(t.array.shape)}; they must be equal")
            if g.array.dtype is not t.array.dtype and t.array.dtype.kind in (g.array.dtype.kind, *"fV"):
                g = cast(g, dtype=dtypes.FROM_NUMPY[t.array.dtype])  # hooks and rules see the tensor's own dtype
            result.append(g if create_graph else g.array)
    return result


def ones_of(array: Any) -> Any:
    """An array of ones in the shape and dtype of `array`."""
    return _arrays.full(array.shape, 1, array)


def grad_edge(t: Any) -> Any:
    """The edge that the gradient of `t`, a tensor or a GradientEdge, flows along."""
    if not isinstance(t, GradientEdge):
        return edge_of(t)
    if t.ownership_token is not None:
        return t.ownership_token
    return t.node.variable if isinstance(t.node, AccumulateGrad) else t.node


def result_class(outputs: list[Any]) -> type[TensorBase]:
    """The class of the tensors that rules and hooks are given."""
    found: type[TensorBase] = getattr(outputs[0], "result_class", TensorBase.result_class)
    return found
