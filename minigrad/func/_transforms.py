"""Gradients, products with Jacobians, and Jacobians, of functions."""

from __future__ import annotations

import functools
from typing import Any, Callable, TypeAlias

from minigrad import autograd
from minigrad._tensor import Tensor
from minigrad.autograd.functional import RecordingBlock, jvp_of, requires_grad, unit_like, with_leaf
from minigrad.errors import DtypeError, GraphError, InvalidValueError, RuntimeValueError, ShapeError
from minigrad.func._trees import (
    detach_tree,
    leaves_of,
    rebuild_tree,
    split_aux,
    structure_of,
    tensors_returned,
    tensors_to_transform,
)
from minigrad.ops.pointwise.arithmetic import zeros_of
from minigrad.ops.shaping.shape import constant_full
from minigrad.ops.shaping.slicing import stack

Argnums: TypeAlias = int | tuple[int, ...]


def places_of(argnums: Argnums, args: tuple[Any, ...]) -> list[int]:
    """The places in `args` that `argnums` names. Raises ``RuntimeError`` where it names none, or one twice."""
    if not isinstance(argnums, (int, tuple)):
        raise RuntimeValueError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    places = []
    for place in argnums if isinstance(argnums, tuple) else (argnums,):
        if not isinstance(place, int):
            raise RuntimeValueError(f"argnum must be int, got: {type(place)}")
        if not -len(args) <= place < len(args):
            raise RuntimeValueError(f"Got argnum={place}, but only {len(args)} positional inputs")
        places.append(place % len(args))
    if not places:
        raise RuntimeValueError("argnums must be non-empty")
    if len(set(places)) < len(places):
        raise RuntimeValueError(f"argnums elements must be unique, got {argnums}")
    return places


def replace_at(args: tuple[Any, ...], places: list[int], parts: Any) -> list[Any]:
    """`args` with `parts` at `places`."""
    new = list(args)
    for place, part in zip(places, parts):
        new[place] = part
    return new


def new_leaves(tensors: list[Any]) -> list[Any]:
    """Tensors to differentiate with respect to. They are aliases where the caller's are recorded, so that transforms nest."""
    return [t.view_as(t) if t.requires_grad else with_leaf(t.array, t) for t in tensors]


# ---------------------------------------------------------------------------------------------------- gradients

def value_and_grad(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives ``(value, gradient)``; otherwise as :func:`grad`. With `has_aux`: ``((value, aux), gradient)``."""
    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        gradient, value = grad_and_value(func, argnums, has_aux)(*args, **kwargs)
        return value, gradient
    return wrapper


def grad_and_value(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives ``(gradient, value)``; otherwise as :func:`grad`. With `has_aux`: ``(gradient, (value, aux))``."""
    called = "grad_and_value(f)(*args)"

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        places = places_of(argnums, args)
        chosen = [args[place] for place in places]
        given = tensors_to_transform(chosen)
        around = [t for t in leaves_of((args, kwargs)) if isinstance(t, Tensor)]
        outer = autograd.is_grad_enabled() and any(map(requires_grad, around))
        with RecordingBlock():
            xs = new_leaves(given)
            output = func(*replace_at(args, places, rebuild_tree(chosen, iter(xs))), **kwargs)
            value, aux = split_aux(called, output, has_aux)
            if not isinstance(value, Tensor):
                raise RuntimeValueError(f"{called}: Expected f(*args) to return a Tensor, got {type(value)}")
            if value.array.ndim:
                raise ShapeError(f"{called}: Expected f(*args) to return a scalar tensor, got {list(value.array.shape)}; reduce "
                                 "it, for instance with .sum(), or use vjp or jacrev")
            found: tuple[Any, ...] = (None,) * len(xs)
            if requires_grad(value):
                found = autograd.grad(value, xs, create_graph=outer, allow_unused=True)
        parts = rebuild_tree(chosen, iter([zeros_of(x) if g is None else g for g, x in zip(found, xs)]))
        gradient = tuple(parts) if isinstance(argnums, tuple) else parts[0]
        value, aux = detach_tree(value, outer), detach_tree(aux, outer)
        return gradient, ((value, aux) if has_aux else value)
    return wrapper


def grad(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that gives the gradient of `func`, which returns one number, with respect to argument(s) `argnums`.

    With `has_aux`, `func` returns ``(value, aux)`` and the result is ``(gradient, aux)``.

    >>> import minigrad as mg
    >>> f = mg.func.grad(mg.sin)
    >>> f(mg.tensor(0.0)), mg.func.grad(f)(mg.tensor(0.0))
    (tensor(1.), tensor(-0.))
    """
    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        gradient, value = grad_and_value(func, argnums, has_aux)(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient
    return wrapper


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """``(output, vjp_fn)``: `vjp_fn` takes a tensor (or structure) shaped as the output and gives its product with the Jacobian,
    a tuple with one for each of `primals`. With `has_aux`: ``(output, vjp_fn, aux)``."""
    called = "vjp(f, *primals)"
    given = tensors_to_transform(primals)
    with RecordingBlock():
        xs = new_leaves(given)
        output, aux = split_aux(called, func(*rebuild_tree(primals, iter(xs))), has_aux)
        ys = tensors_returned(called, output)
    for y in ys:
        if y.array.dtype.kind not in "fc":
            raise DtypeError("vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got Tensor with dtype "
                             f"{y.dtype}")
    outer = any(t.requires_grad for t in given)

    def vjp_fn(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        if structure_of(cotangents) != structure_of(output):
            raise RuntimeValueError("vjp: Expected pytree structure of cotangents to be the same as pytree structure of outputs "
                                    f"to the function. cotangents: {structure_of(cotangents)}, output: {structure_of(output)}")
        vs = tensors_to_transform(cotangents)
        recorded = autograd.is_grad_enabled() and (outer or any(v.requires_grad for v in vs))
        again = recorded if create_graph is None else create_graph
        live = [(y, v) for y, v in zip(ys, vs) if y.requires_grad]
        found = autograd.grad([y for y, _ in live], xs, [v for _, v in live], retain_graph=retain_graph, create_graph=again,
                              allow_unused=True) if live else (None,) * len(xs)
        return rebuild_tree(primals, iter([zeros_of(x) if g is None else g for g, x in zip(found, xs)]))

    recorded = outer and autograd.is_grad_enabled()
    seen = detach_tree(output, recorded)
    return (seen, vjp_fn, detach_tree(aux, recorded)) if has_aux else (seen, vjp_fn)


def jvp(func: Callable[..., Any], primals: tuple[Any, ...], tangents: tuple[Any, ...], *, strict: bool = False,
        has_aux: bool = False) -> tuple[Any, ...]:
    """``(output, product)``, the product being that of the Jacobian at `primals` with `tangents`.

    With `strict`, an output that depends on no primal raises ``RuntimeError`` instead of giving zeros. With `has_aux`:
    ``(output, product, aux)``.
    """
    called = "jvp(f, primals, tangents)"
    if not isinstance(primals, tuple):
        raise RuntimeValueError(f"{called}: Expected primals to be a tuple, got {type(primals).__name__}; for one tensor, give "
                                "(x,) and (v,)")
    if structure_of(primals) != structure_of(tangents):
        raise RuntimeValueError(f"{called}: Expected primals and tangents to have the same python structure. primals: "
                                f"{structure_of(primals)}, tangents: {structure_of(tangents)}")
    given, vs = [tensors_given(called, what, tree) for what, tree in (("primals", primals), ("tangents", tangents))]
    for k, (x, v) in enumerate(zip(given, vs)):
        if x.shape != v.shape:
            raise ShapeError(f"{called}: tangent {k} has shape {list(v.shape)}, its primal has {list(x.shape)}")
    outer = any(t.requires_grad for t in given + vs)
    with RecordingBlock():
        xs = new_leaves(given)
        output, aux = split_aux(called, func(*rebuild_tree(primals, iter(xs))), has_aux)
        ys = tensors_returned(called, output)
        products = jvp_of(ys, xs, vs, outer)
        if strict and any(p is None for p in products):
            raise GraphError(f"{called}: The output of f is independent of the inputs, so there is no derivative. This is "
                             "not allowed with strict=True.")
        found = [zeros_of(y) if p is None else p for y, p in zip(ys, products)]
    product = rebuild_tree(output, iter(found))
    seen = detach_tree(output, outer)
    return (seen, product, detach_tree(aux, outer)) if has_aux else (seen, product)


def tensors_given(called: str, what: str, tree: Any) -> list[Any]:
    """The tensors of an argument. Raises ``RuntimeError`` if there are none, or anything else."""
    found = leaves_of(tree)
    if not found:
        raise RuntimeValueError(f"{called}: Expected {what} to contain at least one Tensor")
    for leaf in found:
        if not isinstance(leaf, Tensor):
            raise RuntimeValueError(f"{called}: Expected {what} to only contain Tensors, got {type(leaf)}")
    return found


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """``(output, jvp_fn)``: `jvp_fn` takes tangents shaped as `primals` and gives the product with the Jacobian there."""
    output = func(*primals)

    def jvp_fn(*tangents: Any) -> Any:
        if structure_of(tangents) != structure_of(primals):
            raise RuntimeValueError("linearize: Expected tangents to have the same structure as primals. primals: "
                                    f"{structure_of(primals)}, tangents: {structure_of(tangents)}")
        for k, (x, v) in enumerate(zip(leaves_of(primals), leaves_of(tangents))):
            if x.shape != v.shape or x.dtype is not v.dtype:
                raise RuntimeValueError(f"linearize: Expected tangent {k} to be a {x.dtype} tensor of shape {list(x.shape)} as "
                                        f"its primal, got {v.dtype} and {list(v.shape)}")
        return jvp(func, primals, tangents)[1]

    return output, jvp_fn


# ---------------------------------------------------------------------------------------------------- Jacobians

def jacrev(func: Callable[..., Any], argnums: Argnums = 0, *, has_aux: bool = False,
           chunk_size: int | None = None) -> Callable[..., Any]:
    """The function that gives the Jacobian of `func` with respect to argument(s) `argnums`.

    Each part has the shape ``output.shape + argument.shape``. With `has_aux`: ``(jacobian, aux)``. Costs a backward pass for each
    element of the output. Raises ``RuntimeError`` for complex numbers.

    >>> import minigrad as mg
    >>> mg.func.jacrev(lambda x: x * x)(mg.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if chunk_size is not None and chunk_size <= 0:
        raise InvalidValueError("jacrev: `chunk_size` should be greater than 0.")
    return jacobian_of(func, argnums, has_aux, "jacrev")


def jacfwd(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, *,
           randomness: str = "error") -> Callable[..., Any]:
    """As :func:`jacrev`. PyTorch computes it in forward mode, a pass for each input element; the result is the same."""
    return jacobian_of(func, argnums, has_aux, "jacfwd")


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The function that gives the matrix of second derivatives of `func`: ``jacrev(jacrev(func))``."""
    return jacrev(jacrev(func, argnums), argnums)


def jacobian_of(func: Callable[..., Any], argnums: Argnums, has_aux: bool, name: str) -> Callable[..., Any]:
    """The function that gives the Jacobian of `func`, for the function that users call `name`."""
    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        places = places_of(argnums, args)
        chosen = [args[place] for place in places]
        refuse_complex(name, "inputs", args)

        def of_chosen(*parts: Any) -> Any:
            return func(*replace_at(args, places, parts), **kwargs)

        output, pull, *aux = vjp(of_chosen, *chosen, has_aux=has_aux)
        refuse_complex(name, "outputs", output)
        ys = leaves_of(output)

        def rows(y: Any, k: int) -> Any:
            """For output tensor `k`, the Jacobian with respect to each leaf of the chosen arguments."""
            pulled = []
            for i in range(y.array.size):
                starts = [unit_like(t, i) if j == k else zeros_of(t) for j, t in enumerate(ys)]
                pulled.append(leaves_of(pull(rebuild_tree(output, iter(starts)))))
            shapes = [tuple(x.shape) for x in leaves_of(chosen)]
            parts = [stack(list(column)).reshape(tuple(y.shape) + shape) if pulled else
                     constant_full(y, size=tuple(y.shape) + shape)
                     for column, shape in zip(zip(*pulled) if pulled else [()] * len(shapes), shapes)]
            tree = rebuild_tree(chosen, iter(parts))
            return tuple(tree) if isinstance(argnums, tuple) else tree[0]

        nested = rebuild_tree(output, iter([rows(y, k) for k, y in enumerate(ys)]))
        return (nested, aux[0]) if has_aux else nested
    return wrapper


def refuse_complex(name: str, what: str, tree: Any) -> None:
    """Raise if there is a complex tensor in `tree`, whose Jacobian would be two."""
    for k, t in enumerate(leaves_of(tree)):
        if isinstance(t, Tensor) and t.array.dtype.kind == "c":
            raise DtypeError(f"{name}: Expected all {what} to be real but received complex tensor at flattened {what[:-1]} "
                             f"idx: {k}; differentiate real and imaginary part by themselves")


# ---------------------------------------------------------------------------------------------------- of PyTorch's tracing

def functionalize(func: Callable[..., Any], *, remove: str = "mutations") -> Callable[..., Any]:
    """A function that gives what `func` gives: `func` itself.

    PyTorch writes operations in place as ones out of place here, for a compiler to see. Raises ``RuntimeError`` for another
    `remove` than ``"mutations"`` and ``"mutations_and_views"``.

    >>> import minigrad as mg
    >>> mg.func.functionalize(lambda x: x.clone().add_(1))(mg.zeros(2))
    tensor([1., 1.])
    """
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeValueError("functionalize: Valid options are: remove='mutations' and remove='mutations_and_views', got "
                                f"remove={remove!r}")
    return func


def debug_unwrap(tensor: Any, *, recurse: bool = True) -> Any:
    """What a tensor holds inside of a transformed function: the tensor itself, which has its values there too.

    >>> import minigrad as mg
    >>> mg.func.debug_unwrap(mg.ones(2))
    tensor([1., 1.])
    """
    return tensor
