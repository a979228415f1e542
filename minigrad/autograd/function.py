"""Operations that users define: :class:`Function`, with a forward and a backward of their own."""

from __future__ import annotations

import functools
import weakref
from typing import Any, Callable, Sequence

import numpy as np

from minigrad import _arrays
from minigrad._types import dtypes
from minigrad._types.tensor_base import TensorBase, unwrap
from minigrad.errors import ArgumentError, DtypeError, GraphError
from minigrad.ops.pointwise.arithmetic import cast
from minigrad.recording import inplace
from minigrad.recording.argument_errors import dtype_name
from minigrad.recording.clock import ledger, user_frame
from minigrad.recording.graph import Node, check_saved, edge_of, grad_enabled, new_port, run_in_mode, tensor_on_edge

__all__ = ["Function", "FunctionCtx", "once_differentiable"]


class FunctionCtx:
    """What a :class:`Function`'s forward hands to its backward. Any attribute may be set on it."""

    needs_input_grad: tuple[bool, ...] = ()
    to_save: tuple[Any, ...] = ()
    saved_for_forward: tuple[Any, ...] = ()
    _saved: tuple[Any, ...] | None = ()
    dirty_tensors: tuple[Any, ...] = ()
    non_differentiable: tuple[Any, ...] = ()
    materialize_grads = True
    _node: Any = None  # a weak reference to the node that this context belongs to

    def __getattr__(self, name: str) -> Any:
        # In PyTorch the context is the node itself.
        node = self._node() if self._node is not None else None
        if node is not None and name in ("name", "register_hook", "register_prehook"):
            return getattr(node, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def next_functions(self) -> Any:
        """Where the gradients go, as :attr:`Node.next_functions`; nowhere before the call is recorded."""
        node = self._node() if self._node is not None else None
        return () if node is None else node.next_functions

    @property
    def metadata(self) -> Any:
        """A dictionary that belongs to the node."""
        node = self._node() if self._node is not None else None
        return {} if node is None else node.metadata

    def save_for_forward(self, *tensors: Any) -> None:
        """Keep tensors for PyTorch's forward mode; accepted, and not needed here."""
        self.saved_for_forward = tensors

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors (or None) for the backward, where ``ctx.saved_tensors`` gives them. Call it once, in the forward.

        Inputs and outputs must be kept this way, not as attributes: so they are checked for in-place changes, can be
        differentiated through, and make no reference cycle.
        """
        for k, t in enumerate(tensors):
            if t is not None and not isinstance(t, TensorBase):
                raise ArgumentError(f"save_for_backward can only save variables, but argument {k} is of type {type(t).__name__}; "
                                    "keep anything else as an attribute: ctx.name = value")
        self.to_save = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors that :meth:`save_for_backward` kept, where they were in the graph: a leaf is the leaf itself."""
        node = self._node() if self._node is not None else None
        if self._saved is not None:
            return self._saved
        if node is None:
            raise GraphError("ctx.saved_tensors: the graph that this call was recorded in is gone, and what it saved with it")
        saved: tuple[Any, ...] = node.saved_tensors
        return saved

    saved_variables = saved_tensors  # its first name

    def mark_dirty(self, *tensors: Any) -> None:
        """Say that the forward changed these inputs in place; it must return them."""
        self.dirty_tensors = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Say that these outputs have no gradient."""
        self.non_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether the backward gets zeros (the default) or None for outputs that nothing was computed from."""
        self.materialize_grads = bool(value)


class FunctionNode(Node):
    """The node of a :class:`Function`. Attributes of its context are its own, as in PyTorch."""

    __slots__ = ("ctx", "function", "like", "saved_from", "other_edges", "output_dtypes", "input_dtypes", "positions")
    ctx: FunctionCtx
    function: type[Function]
    like: type[TensorBase]  # the class of the tensors the backward is given
    other_edges: tuple[Any, ...]  # those of the saved tensors that are neither inputs nor outputs
    output_dtypes: tuple[Any, ...]  # None for what is no tensor
    input_dtypes: tuple[Any, ...]
    positions: tuple[int, ...]  # of the tensors among the arguments

    broadcasts = True  # a gradient that is larger than its input is summed, as in PyTorch
    holomorphic = False  # the user's backward gives the conjugate gradient itself

    @property
    def op_name(self) -> str:  # type: ignore[override]
        return f"{self.function.__name__}.apply"

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What the forward saved, as PyTorch shows it on ``grad_fn`` too."""
        return self.as_tensors(check_saved(self), self.like)

    def __getattr__(self, name: str) -> Any:
        if name != "ctx" and not name.startswith("_"):
            return getattr(self.ctx, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(FunctionNode, name):
            object.__setattr__(self, name, value)
        else:
            setattr(self.ctx, name, value)

    def as_tensors(self, saved: tuple[Any, ...], cls: type[TensorBase]) -> tuple[Any, ...]:
        # An output saved by number k is written -1 - k; what is neither input nor output, by a number past the inputs.
        several = isinstance(self.shape[0] if self.shape else None, tuple)
        edges = self.inputs + self.other_edges
        return tuple([None if a is None else
                      tensor_on_edge(a, edges[k] if k >= 0 else new_port(self, -1 - k, a) if several else self, cls)
                      for k, a in zip(self.saved_from, saved)])

    def backward(self, g: Any, saved: tuple[Any, ...]) -> tuple[Any, ...]:
        given_grads, shapes = (g, self.shape) if isinstance(g, tuple) else ((g,), (self.shape,))
        first = next(x for x in given_grads if x is not None)
        tensors = isinstance(first, TensorBase)  # as the engine hands over under create_graph
        incoming = []
        for grad, shape, dtype in zip(given_grads, shapes, self.output_dtypes):
            if grad is None and self.ctx.materialize_grads and dtype is not None:
                grad = np.zeros(shape, dtype, like=unwrap(first))
            given = grad is None or isinstance(grad, TensorBase)
            incoming.append(grad if given else tensor_on_edge(_arrays.as_array(grad), None, self.like))
        self.ctx._saved = saved if tensors else self.as_tensors(saved, self.like)
        try:
            result = self.function.gradients(self.ctx, *incoming)
        finally:
            self.ctx._saved = None
        result = result if isinstance(result, tuple) else (result,)
        count = len(self.ctx.needs_input_grad)
        if len(result) > count and any(r is not None for r in result[count:]) or len(result) < count:
            raise GraphError(f"function {self.name()} returned an incorrect number of gradients (expected {count}, one for each "
                             f"argument of forward, got {len(result)}); return None for an argument that needs none")
        grads: list[Any] = []
        for edge, position, dtype in zip(self.inputs, self.positions, self.input_dtypes):
            r = result[position]
            if r is not None and not isinstance(r, TensorBase):
                raise ArgumentError(f"function {self.name()}: expected a Tensor or None as gradient of argument {position} of "
                                    f"forward, got {type(r).__name__}")
            if r is not None and edge is not None and r.array.dtype.kind == "c" and dtype.kind != "c":
                raise DtypeError(f"function {self.name()}: backward gave a gradient of {dtype_name(r.array.dtype)} for argument "
                                 f"{position} of forward, which is {dtype_name(dtype)}; return its .real")
            if r is not None and edge is not None and r.array.dtype is not dtype and dtype.kind in (r.array.dtype.kind, *"fV"):
                r = cast(r, dtype=dtypes.FROM_NUMPY[dtype])
            grads.append(None if r is None or edge is None else r if tensors else r.array)
        return tuple(grads)


class Function(FunctionCtx):
    """A differentiable operation given by its forward and its backward.

    Write a subclass with static methods ``forward(ctx, *args)`` and ``backward(ctx, *grad_outputs)``, and call it by
    ``apply``. Or write ``forward(*args)`` without `ctx`, and ``setup_context(ctx, inputs, output)`` besides. `backward`
    returns one gradient for each argument of `forward`, None for what needs none. It is itself recorded under
    ``create_graph=True``, so what is written with differentiable operations has derivatives of every order.

    >>> import minigrad as mg
    >>> class Cube(mg.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x ** 3
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         x, = ctx.saved_tensors
    ...         return 3 * x ** 2 * g
    >>> x = mg.tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    """

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the result. Nothing in it is recorded."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Fill `ctx` after a `forward` that does not take it."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(*args: Any, **kwargs: Any) -> Any:
        """The gradients of the arguments of `forward`, given those of its results."""
        raise NotImplementedError("You must implement either the backward or vjp method for your custom autograd.Function to use "
                                  "it with backward mode AD.")

    vjp = backward  # its other name

    @classmethod
    def gradients(cls, ctx: Any, *grads: Any) -> Any:
        """What `backward` gives, or `vjp` where that is written instead. Raises ``RuntimeError`` where both are."""
        if cls.vjp is Function.vjp:
            return cls.backward(ctx, *grads)
        if cls.backward is not Function.backward:
            raise GraphError(f"{cls.__name__}: Implementing both 'backward' and 'vjp' for a custom Function is not allowed: they "
                             "are two names of one method")
        return cls.vjp(ctx, *grads)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise GraphError(f"Legacy autograd function with non-static forward method is deprecated. Make forward and "
                         f"backward static methods and call {type(self).__name__}.apply(...)")

    generate_vmap_rule = False  # accepted as in PyTorch: vmap calls a Function once for each index

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        """PyTorch's batching rule; accepted, and not needed here."""
        raise NotImplementedError("To use autograd.Function with vmap, you must either override the vmap staticmethod or set "
                                  "generate_vmap_rule=True.")

    @staticmethod
    def jvp(*args: Any, **kwargs: Any) -> Any:
        """PyTorch's forward-mode formula; accepted, and not needed here, where a backward gives it too."""
        raise NotImplementedError("You must implement the jvp function for custom autograd.Function to use it with forward mode "
                                  "AD.")

    @classmethod
    def _run_forward(cls, ctx: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call ``forward`` in whichever of its two forms the class has, and ``setup_context`` after the second."""
        if cls.setup_context is Function.setup_context:
            return cls.forward(ctx, *args, **kwargs)
        output = cls.forward(*args, **kwargs)
        cls.setup_context(ctx, args, output)
        return output

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Call the function and record it."""
        ctx = FunctionCtx()
        edges = [edge_of(a) if isinstance(a, TensorBase) else None for a in args]
        recorded = bool(grad_enabled.get()) and any(e is not None for e in edges)
        ctx.needs_input_grad = tuple([e is not None for e in edges])
        output = run_in_mode(False, cls._run_forward, ctx, args, kwargs)
        several = isinstance(output, (tuple, list))
        outputs = list(output) if several else [output]
        for t in ctx.dirty_tensors:
            if not any(o is t for o in outputs):
                raise GraphError(f"{cls.__name__}: Some elements marked as dirty during the forward method were not returned "
                                 "as output. The inputs that are modified inplace must all be outputs of the Function: return "
                                 "them too.")
            if recorded:
                inplace.refuse_leaf(t, f"{cls.__name__}.forward")
            ledger.record(t.array, f"{cls.__name__}.forward")
        node = make_node(cls, ctx, args, edges, outputs, several) if recorded else None
        results = [finish(ctx, node, k, out, args, several) for k, out in enumerate(outputs)]
        ctx.to_save, ctx.dirty_tensors, ctx.non_differentiable = (), (), ()
        return (tuple(results) if isinstance(output, tuple) else results) if several else results[0]


def node_class_of(cls: type[Function]) -> type[FunctionNode]:
    """The class of the nodes of `cls`, which has PyTorch's name for it. It is made at the first call that is recorded."""
    found: type[FunctionNode] | None = cls.__dict__.get("_backward_cls")
    if found is None:
        found = type(f"{cls.__name__}Backward", (FunctionNode,), {"__slots__": (), "__module__": cls.__module__})
        cls._backward_cls = found  # type: ignore[attr-defined]
    return found


def make_node(cls: type[Function], ctx: FunctionCtx, args: Sequence[Any], edges: list[Any], outputs: list[Any],
              several: bool) -> FunctionNode:
    """The node of one call."""
    tensors = [k for k, a in enumerate(args) if isinstance(a, TensorBase)]
    found = [o for o in outputs if isinstance(o, TensorBase)]
    inputs = [args[k] for k in tensors]
    shapes = tuple([o.array.shape if isinstance(o, TensorBase) else () for o in outputs])
    saved = tuple([None if t is None else t.array for t in ctx.to_save])
    frame = user_frame()
    node = node_class_of(cls).make(tuple([edges[k] for k in tensors]), shapes if several else shapes[0], saved, (), frame.f_code,
                             frame.f_lasti)
    node.ctx, node.function, node.like = ctx, cls, args[tensors[0]].result_class
    node.positions = tuple(tensors)
    others = [t for t in ctx.to_save if t is not None and not any(t is o for o in (*inputs, *outputs))]
    node.saved_from = tuple([saved_origin(t, [*inputs, *others], outputs) for t in ctx.to_save])
    node.other_edges = tuple([edge_of(t) for t in others])
    node.output_dtypes = tuple([o.array.dtype if isinstance(o, TensorBase) else None for o in outputs])
    node.input_dtypes = tuple([t.array.dtype for t in inputs])
    mode = grad_enabled.get()
    if mode is not True:
        mode.observe(node, tuple([o.array for o in found]), tuple([t.array for t in inputs]), node.like)
    ctx._saved = None
    ctx._node = weakref.ref(node)
    return node


def saved_origin(t: Any, others: list[Any], outputs: list[Any]) -> int:
    """Which tensor a saved one is: -1 - k for output k, or the number of it among the `others`; 0 for None."""
    for k, o in enumerate(outputs):
        if o is t:
            return -1 - k
    return next((k for k, i in enumerate(others) if i is t), 0)


def finish(ctx: FunctionCtx, node: FunctionNode | None, k: int, out: Any, args: Sequence[Any], several: bool) -> Any:
    """Give one result of a Function's forward its place in the graph, and return it."""
    if not isinstance(out, TensorBase):
        if out is None or several:
            return out
        raise ArgumentError(f"{type(out).__name__} returned by forward: a Function must return tensors")
    constant = any(out is t for t in ctx.non_differentiable) or out.array.dtype.kind not in dtypes.DIFFERENTIABLE
    if any(out is t for t in ctx.dirty_tensors):
        if node is not None:
            inplace.rebase(out, new_port(node, k, out.array) if several else node)
        return out
    result: Any = out
    if any(out is a for a in args) or edge_of(out) is not None:  # returned as it came: the result is another tensor
        result = tensor_on_edge(out.array, None, out.result_class)
    if node is not None and not constant:
        result.node = new_port(node, k, out.array) if several else node
    return result


class RefusingNode(Node):
    """Stands behind a gradient that must not be differentiated again."""

    __slots__ = ()

    def name(self) -> str:
        return "DelayedError"

    def backward(self, g: Any, saved: tuple[Any, ...]) -> tuple[Any, ...]:
        raise GraphError("trying to differentiate twice a function that was marked with @once_differentiable; write its backward "
                         "with differentiable operations and remove the mark")


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator for a ``backward`` that is not itself differentiable: differentiating it raises instead of being wrong."""

    @functools.wraps(backward)
    def wrapper(ctx: Any, *grads: Any) -> Any:
        result = run_in_mode(False, backward, ctx, *grads)
        if not grad_enabled.get():
            return result
        results = result if isinstance(result, tuple) else (result,)
        edges = [edge_of(t) for t in (*grads, *ctx.saved_tensors) if isinstance(t, TensorBase)]
        edges = [e for e in edges if e is not None]
        if edges:
            results = tuple([r if r is None else refuse_backward(r, edges) for r in results])
        return results if isinstance(result, tuple) else results[0]
    return wrapper


def refuse_backward(t: Any, edges: list[Any]) -> Any:
    """Give `t` a node that refuses to run, and return it."""
    return tensor_on_edge(t.array, RefusingNode.make(tuple(edges), t.array.shape), t.result_class)
