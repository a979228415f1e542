"""Jacobians, Hessians and their products with vectors, of functions of tensors.

All are built from reverse mode: a product ``J v`` is the derivative of ``u ↦ uᵀJ`` in direction `v`, which is linear in `u`
(the double-backward trick), so it costs one more backward pass instead of a forward mode of its own.
"""

from __future__ import annotations

from typing import Any, Callable, Sequence

from minigrad._types.tensor_base import TensorBase
from minigrad.autograd.differentiate import grad
from minigrad.errors import ArgumentError, GraphError, RuntimeValueError, ShapeError
from minigrad.ops.pointwise.arithmetic import zeros_of
from minigrad.ops.shaping.shape import constant_full, reshape
from minigrad.ops.shaping.slicing import stack
from minigrad.recording.call import constant
from minigrad.recording.device_guard import on_device_of_inputs
from minigrad.recording.graph import grad_enabled, recording_mode

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def jacobian(func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
             strategy: str = "reverse-mode") -> Any:
    """The Jacobian of `func` at `inputs`.

    Args:
        func: takes tensors, returns a tensor or a tuple of tensors.
        inputs: a tensor or a tuple of tensors.
        create_graph: make the result differentiable.
        strict: raise where an output does not depend on an input, instead of giving zeros.
        vectorize, strategy: accepted for compatibility; the result is the same.

    Returns: for one input and one output, a tensor of shape ``output.shape + input.shape``; tuples of them, nested by output
        and then by input, where `func` has several.

    >>> import minigrad as mg
    >>> mg.autograd.functional.jacobian(lambda x: x ** 2, mg.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(f'jacobian: Expected strategy to be either "forward-mode" or "reverse-mode", not {strategy!r}')
    with RecordingBlock():
        xs = prepare_inputs("jacobian", inputs, create_graph)
        ys, several = results("jacobian", func(*xs), strict)
        rows = [pack(jacobian_of(k, y, xs, create_graph, strict), isinstance(inputs, (tuple, list))) for k, y in enumerate(ys)]
    return pack(rows, several)


def jacobian_of(number: int, y: Any, xs: list[Any], create_graph: bool, strict: bool) -> list[Any]:
    """The Jacobian of the output `y`, which has that number, with respect to each input."""
    columns: list[list[Any]] = [[] for _ in xs]
    flat = reshape(y, shape=(y.array.size,)) if y.array.size else y
    for k in range(y.array.size):
        if not requires_grad(y):
            found: tuple[Any, ...] = (None,) * len(xs)
        else:
            found = grad(flat, xs, unit_like(flat, k), retain_graph=True, create_graph=create_graph, allow_unused=True)
        for i, (g, x) in enumerate(zip(found, xs)):
            if g is None and strict:
                raise GraphError(f"jacobian: Output {number} of the user-provided function is independent of input {i}. "
                                 f"This is not allowed in strict mode.")
            if strict and create_graph and not requires_grad(g):
                raise GraphError(f"jacobian: The jacobian of the user-provided function is independent of input {i}. "
                                 f"This is not allowed in strict mode when create_graph=True.")
            columns[i].append(zeros_of(x) if g is None else g)
    shape = tuple(y.array.shape)
    return [reshape(stack(c, dim=0), shape=shape + tuple(x.array.shape)) if c
            else constant_full(x, size=shape + tuple(x.array.shape)) for c, x in zip(columns, xs)]


@on_device_of_inputs
def unit_like(like: Any, k: int) -> Any:
    """A constant in the shape of `like` that is 1 at place `k`, counted in row-major order, and 0 elsewhere."""
    made = zeros_of(like)
    made.array.reshape(-1)[k] = 1
    return made


def hessian(func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
            outer_jacobian_strategy: str = "reverse-mode") -> Any:
    """The matrix of second derivatives of `func`, which returns one number, at `inputs`.

    Returns: for one input, a tensor of shape ``input.shape + input.shape``; for several, a tuple of tuples of them.

    >>> import minigrad as mg
    >>> mg.autograd.functional.hessian(lambda x: (x ** 3).sum(), mg.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    several = isinstance(inputs, (tuple, list))
    tensors_given("hessian", inputs)

    def gradient(*xs: Any) -> Any:
        y = single_output("hessian", func(*xs), strict)
        if not requires_grad(y):
            return tuple([x * 0 for x in xs])
        return gradients_of("hessian", y, xs, strict)

    result = jacobian(gradient, tuple(inputs) if several else (inputs,), create_graph=create_graph, strict=strict)
    return result if several else result[0][0]


def vjp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
        strict: bool = False) -> tuple[Any, Any]:
    """``func(inputs)`` and the product of the vector `v`, shaped as the output, with the Jacobian: ``vᵀJ``.

    `v` may be left out where the output is one number.
    """
    with RecordingBlock():
        xs = prepare_inputs("vjp", inputs, create_graph)
        ys, several = results("vjp", func(*xs), strict)
        vs = vectors("vjp", v, ys)
        found = grad([y for y in ys if requires_grad(y)], xs, [u for u, y in zip(vs, ys) if requires_grad(y)],
                     create_graph=create_graph, allow_unused=True) if any(map(requires_grad, ys)) else (None,) * len(xs)
        gs = replace_missing("vjp", "output", found, xs, strict)
        require_graph("vjp", "jacobian", gs, strict and create_graph)
    return pack(outputs(ys, create_graph), several), pack(gs, isinstance(inputs, (tuple, list)))


def jvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
        strict: bool = False) -> tuple[Any, Any]:
    """``func(inputs)`` and the product of the Jacobian with the vector `v`, shaped as the inputs: ``Jv``.

    `v` may be left out where there is one input of one element. Costs two backward passes (see the module's text).
    """
    with RecordingBlock():
        xs = prepare_inputs("jvp", inputs, create_graph)
        vs = vectors("jvp", v, xs)
        ys, several = results("jvp", func(*xs), strict)
        products = jvp_of(ys, xs, vs, create_graph)
        gs = replace_missing("jvp", "output", products, ys, strict)
        require_graph("jvp", "jacobian", gs, strict and create_graph)
    return pack(outputs(ys, create_graph), several), pack(gs, several)


def jvp_of(ys: list[Any], xs: list[Any], vs: list[Any], create_graph: bool) -> list[Any]:
    """``Jv`` for each output by the double-backward trick; None for one that depends on no input."""
    live = [y for y in ys if requires_grad(y)]
    if not live:
        return [None] * len(ys)
    us = [zeros_of(y).requires_grad_() for y in live]
    pulled = grad(live, xs, us, create_graph=True, allow_unused=True)
    pairs = [(p, v) for p, v in zip(pulled, vs) if p is not None and requires_grad(p)]
    found = grad([p for p, _ in pairs], us, [v for _, v in pairs], create_graph=create_graph, allow_unused=True) if pairs \
        else (None,) * len(us)
    at = iter(found)
    return [next(at) if requires_grad(y) else None for y in ys]


def hvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
        strict: bool = False) -> tuple[Any, Any]:
    """``func(inputs)``, one number, and the product of its Hessian with `v`, shaped as the inputs: ``Hv``."""
    with RecordingBlock():
        xs = prepare_inputs("hvp", inputs, create_graph)
        vs = vectors("hvp", v, xs)
        y = single_output("hvp", func(*xs), strict)
        products = jvp_of(list(gradients_of("hvp", y, xs, strict)), xs, vs, create_graph)
        gs = replace_missing("hvp", "jacobian", products, xs, strict)
        require_graph("hvp", "hessian", gs, strict and create_graph)
    return outputs([y], create_graph)[0], pack(gs, isinstance(inputs, (tuple, list)))


def vhp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
        strict: bool = False) -> tuple[Any, Any]:
    """``func(inputs)``, one number, and the product of `v`, shaped as the inputs, with its Hessian: ``vᵀH``."""
    with RecordingBlock():
        xs = prepare_inputs("vhp", inputs, create_graph)
        vs = vectors("vhp", v, xs)
        y = single_output("vhp", func(*xs), strict)
        live = [(g, u) for g, u in zip(gradients_of("vhp", y, xs, strict), vs) if requires_grad(g)]
        found = grad([g for g, _ in live], xs, [u for _, u in live], create_graph=create_graph, allow_unused=True) if live \
            else (None,) * len(xs)
        gs = replace_missing("vhp", "jacobian", found, xs, strict)
        require_graph("vhp", "hessian", gs, strict and create_graph)
    return outputs([y], create_graph)[0], pack(gs, isinstance(inputs, (tuple, list)))


# ---------------------------------------------------------------------------------------------------- the parts



class RecordingBlock:
    """A block in which operations are recorded whatever the mode outside."""

    def __enter__(self) -> None:
        self.token = grad_enabled.set(recording_mode(True))

    def __exit__(self, *exc: object) -> None:
        grad_enabled.reset(self.token)


def requires_grad(t: Any) -> bool:
    return t.node is not None


def with_leaf(array: Any, like: Any) -> Any:
    t = constant(array, like)
    t.requires_grad_()
    return t


def tensors_given(caller: str, inputs: Any) -> list[Any]:
    """The inputs as a list. Raises ``TypeError`` for what is no tensor."""
    found = list(inputs) if isinstance(inputs, (tuple, list)) else [inputs]
    for k, x in enumerate(found):
        if not isinstance(x, TensorBase):
            raise ArgumentError(f"The inputs given to {caller} must be either a Tensor or a tuple of Tensors, but input {k} is a "
                                f"{type(x).__name__}")
    return found


def prepare_inputs(caller: str, inputs: Any, create_graph: bool) -> list[Any]:
    """The inputs as tensors to differentiate with respect to: aliases of the user's under `create_graph`, else leaves."""
    found = tensors_given(caller, inputs)
    if create_graph and any(requires_grad(x) for x in found):
        return [x.view_as(x) if requires_grad(x) else with_leaf(x.array, x) for x in found]
    return [with_leaf(x.array, x) for x in found]


def results(caller: str, output: Any, strict: bool) -> tuple[list[Any], bool]:
    """What the function returned, as a list, and whether it was several."""
    several = isinstance(output, (tuple, list))
    found = list(output) if several else [output]
    for k, y in enumerate(found):
        if not isinstance(y, TensorBase):
            raise ArgumentError(f"The outputs of the user-provided function given to {caller} must be either a Tensor or a tuple "
                                f"of Tensors, but output {k} is a {type(y).__name__}")
        if strict and not requires_grad(y):
            raise GraphError(f"{caller}: Output {k} of the user-provided function does not require gradients. "
                             "This is not allowed in strict mode: compute it from the inputs by differentiable operations")
    return found, several


def single_output(caller: str, output: Any, strict: bool) -> Any:
    """The one number that the function returned. Raises ``RuntimeError`` if it returned anything else."""
    ys, several = results(caller, output, strict)
    if several:
        raise RuntimeValueError(f"The function given to {caller} should return a single Tensor, but it returned {len(ys)}")
    if ys[0].array.size != 1:
        raise ShapeError(f"The Tensor returned by the function given to {caller} should contain a single element, but its shape "
                         f"is {list(ys[0].array.shape)}; reduce it, for instance with .sum()")
    return ys[0] if ys[0].array.ndim == 0 else reshape(ys[0], shape=())


def gradients_of(caller: str, y: Any, xs: Sequence[Any], strict: bool) -> tuple[Any, ...]:
    """The gradients of the number `y`, with a graph; zeros with respect to what it does not depend on."""
    found = grad(y, list(xs), create_graph=True, allow_unused=True) if requires_grad(y) else (None,) * len(xs)
    for i, g in enumerate(found):
        if strict and g is None:
            raise GraphError(f"{caller}: The output of the user-provided function is independent of input {i}. "
                             "This is not allowed in strict mode.")
        if strict and not requires_grad(g):
            raise GraphError(f"{caller}: The jacobian of the user-provided function with respect to input {i} is independent of "
                             f"the input. This is not allowed in strict mode.")
    return tuple([x * 0 if g is None else g for g, x in zip(found, xs)])


def vectors(caller: str, v: Any, like: Sequence[Any]) -> list[Any]:
    """The vector(s) of a product, checked against the tensors they are multiplied with."""
    if v is None:
        if len(like) != 1 or like[0].array.size != 1:
            what = "the user-provided function returns" if caller == "vjp" else "the input to the user-provided function is"
            raise ShapeError(f"{caller}: The vector v can only be None if {what} a single Tensor with a single element, here the "
                             f"shapes are {[list(t.array.shape) for t in like]}")
        return [constant_full(like[0], size=like[0].array.shape, value=1)]
    vs = list(v) if isinstance(v, (tuple, list)) else [v]
    if len(vs) != len(like):
        raise RuntimeValueError(f"{caller}: The given v should contain a single Tensor. Got {len(vs)}" if len(like) == 1 else
                                f"{caller}: v is a tuple of invalid length: should be {len(like)} but got {len(vs)}")
    for k, (u, t) in enumerate(zip(vs, like)):
        if not isinstance(u, TensorBase):
            raise ArgumentError(f"The v given to {caller} must be either a Tensor or a tuple of Tensors, but entry {k} is a "
                                f"{type(u).__name__}")
        if u.array.shape != t.array.shape:
            raise ShapeError(f"{caller}: Entry {k} of v has invalid size: should be {list(t.array.shape)}, as that of what it "
                             f"multiplies, but got {list(u.array.shape)}")
    return vs


def replace_missing(caller: str, what: str, found: Sequence[Any], like: Sequence[Any], strict: bool) -> list[Any]:
    """`found`, derivatives of `what`, with zeros in place of None."""
    for i, g in enumerate(found):
        if strict and g is None:
            raise GraphError(f"{caller}: The {what} of the user-provided function is independent of input {i}. "
                             "This is not allowed in strict mode.")
    return [zeros_of(t) if g is None else g for g, t in zip(found, like)]


def require_graph(caller: str, what: str, gs: Sequence[Any], strict: bool) -> None:
    """Raise, if `strict`, where one of `gs`, products with `what`, cannot be differentiated."""
    for i, g in enumerate(gs):
        if strict and not requires_grad(g):
            raise GraphError(f"{caller}: The {what} of the user-provided function is independent of input {i}. "
                             "This is not allowed in strict mode when create_graph=True.")


def outputs(ys: Sequence[Any], create_graph: bool) -> list[Any]:
    return list(ys) if create_graph else [constant(y.array, y) for y in ys]


def pack(found: list[Any], several: bool) -> Any:
    """The results as a tuple if they are `several`, else the only one."""
    return tuple(found) if several else found[0]
