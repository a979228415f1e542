"""Functions of functions: ``grad``, ``vjp``, ``jacrev``, ``vmap`` ... with the names of ``torch.func``.

What they take and give may be tensors or nested tuples, lists and dictionaries of tensors. They nest: ``grad(grad(f))``.

Costs: reverse mode is the only mode. A product with a Jacobian from the right (:func:`jvp`, :func:`jacfwd`, :func:`linearize`)
is the derivative of a derivative and costs about two backward passes. :func:`vmap` calls the function once for each index and
stacks: it saves writing the loop, not running it.
"""

from __future__ import annotations

import functools
from typing import Any, Callable

import minigrad.random as rng
from minigrad import autograd
from minigrad._tensor import Tensor
from minigrad.autograd.functional import RecordingBlock, jvp_of, requires_grad, unit_like, with_leaf
from minigrad.errors import ArgumentError, InvalidValueError, RuntimeValueError, ShapeError
from minigrad.ops.pointwise.arithmetic import zeros_of
from minigrad.ops.shaping.shape import constant_full
from minigrad.ops.shaping.slicing import stack
from minigrad.recording.call import constant

__all__ = ["functional_call", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize", "stack_module_state",
           "value_and_grad", "vjp", "vmap"]


# ---------------------------------------------------------------------------------------------------- nested structures

def leaves_of(tree: Any) -> list[Any]:
    """The leaves of nested tuples, lists and dictionaries, in order."""
    if isinstance(tree, dict):
        return [leaf for key in tree for leaf in leaves_of(tree[key])]
    if isinstance(tree, (tuple, list)):
        return [leaf for part in tree for leaf in leaves_of(part)]
    return [tree]


def rebuild_tree(tree: Any, leaves: Any) -> Any:
    """`tree` with its leaves replaced by those that the iterator `leaves` gives."""
    if isinstance(tree, dict):
        return {key: rebuild_tree(part, leaves) for key, part in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*[rebuild_tree(part, leaves) for part in tree])
    if isinstance(tree, (tuple, list)):
        return type(tree)([rebuild_tree(part, leaves) for part in tree])
    return next(leaves)


def tensors_of(caller: str, what: str, tree: Any) -> list[Any]:
    found = leaves_of(tree)
    for leaf in found:
        if not isinstance(leaf, Tensor):
            raise ArgumentError(f"{caller}: {what} must hold tensors only, but there is a {type(leaf).__name__} among them")
    return found


def new_leaves(tensors: list[Any]) -> list[Any]:
    """Tensors to differentiate with respect to. They are aliases where the caller's are recorded, so that transforms nest."""
    return [t.view_as(t) if t.requires_grad else with_leaf(t.array, t) for t in tensors]


def detach_tree(tree: Any, keep: bool) -> Any:
    """`tree` cut from the graph, unless an outer transform needs it."""
    return tree if keep else rebuild_tree(tree, iter([constant(t.array, t) if isinstance(t, Tensor) else t
                                                      for t in leaves_of(tree)]))


# ---------------------------------------------------------------------------------------------------- gradients

def value_and_grad(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives ``(value, gradient)``; otherwise as :func:`grad`. With `has_aux`: ``((value, aux), gradient)``."""
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        gradient, value = grad_and_value(func, argnums, has_aux)(*args, **kwargs)
        return value, gradient
    return functools.wraps(func)(wrapper)


def grad_and_value(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives ``(gradient, value)``; otherwise as :func:`grad`. With `has_aux`: ``(gradient, (value, aux))``."""
    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        places = argnums if isinstance(argnums, tuple) else (argnums,)
        for place in places:
            if not -len(args) <= place < len(args):
                raise ArgumentError(f"grad: argnums is {argnums}, but the function was called with {len(args)} positional "
                                    "arguments")
        chosen = [args[place] for place in places]
        given = tensors_of("grad", "the arguments to differentiate with respect to", chosen)
        around = [t for t in leaves_of((args, kwargs)) if isinstance(t, Tensor)]
        outer = autograd.is_grad_enabled() and any(map(requires_grad, around))
        with RecordingBlock():
            xs = new_leaves(given)
            new = list(args)
            for place, part in zip(places, rebuild_tree(chosen, iter(xs))):
                new[place] = part
            output = func(*new, **kwargs)
            value, aux = output if has_aux else (output, None)
            if not isinstance(value, Tensor) or value.array.ndim:
                got = list(value.array.shape) if isinstance(value, Tensor) else type(value).__name__
                raise ShapeError(f"grad: Expected the function to return a scalar tensor, got {got}; reduce it, for instance "
                                 "with .sum()")
            if requires_grad(value):
                found = autograd.grad(value, xs, create_graph=outer, allow_unused=True, materialize_grads=True)
            else:
                found = tuple([zeros_of(x) for x in xs])
        parts = rebuild_tree(chosen, iter(found))
        gradient = tuple(parts) if isinstance(argnums, tuple) else parts[0]
        value, aux = detach_tree(value, outer), detach_tree(aux, outer)
        return gradient, ((value, aux) if has_aux else value)
    return wrapper


def grad(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable[..., Any]:
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
    given = tensors_of("vjp", "the primals", primals)
    with RecordingBlock():
        xs = new_leaves(given)
        result = func(*rebuild_tree(primals, iter(xs)))
        output, aux = result if has_aux else (result, None)
        ys = tensors_of("vjp", "the output", output)
    outer = any(t.requires_grad for t in given)

    def vjp_fn(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        vs = tensors_of("vjp", "the cotangents", cotangents)
        if len(vs) != len(ys):
            raise RuntimeValueError(f"vjp: the output has {len(ys)} tensors, the cotangents have {len(vs)}")
        again = outer or any(v.requires_grad for v in vs) if create_graph is None else create_graph
        live = [(y, v) for y, v in zip(ys, vs) if y.requires_grad]
        found = autograd.grad([y for y, _ in live], xs, [v for _, v in live], retain_graph=retain_graph, create_graph=again,
                              allow_unused=True, materialize_grads=True) if live else \
            tuple([zeros_of(x) for x in xs])
        return rebuild_tree(primals, iter(found))

    seen = detach_tree(output, outer)
    return (seen, vjp_fn, aux) if has_aux else (seen, vjp_fn)


def jvp(func: Callable[..., Any], primals: tuple[Any, ...], tangents: tuple[Any, ...], *, strict: bool = False,
        has_aux: bool = False) -> tuple[Any, ...]:
    """``(output, product)``, the product being that of the Jacobian at `primals` with `tangents`.

    With `has_aux`: ``(output, product, aux)``.
    """
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise RuntimeValueError("jvp(f, primals, tangents): Expected primals to be a tuple, and tangents too, as in "
                                "jvp(f, (x,), (v,))")
    given = tensors_of("jvp", "the primals", primals)
    vs = tensors_of("jvp", "the tangents", tangents)
    for k, (x, v) in enumerate(zip(given, vs)):
        if x.shape != v.shape:
            raise ShapeError(f"jvp: tangent {k} has shape {list(v.shape)}, its primal has {list(x.shape)}")
    if len(given) != len(vs):
        raise RuntimeValueError(f"jvp: there are {len(given)} primals and {len(vs)} tangents")
    outer = any(t.requires_grad for t in given + vs)
    with RecordingBlock():
        xs = new_leaves(given)
        result = func(*rebuild_tree(primals, iter(xs)))
        output, aux = result if has_aux else (result, None)
        ys = tensors_of("jvp", "the output", output)
        found = [zeros_of(y) if p is None else p for y, p in zip(ys, jvp_of(ys, xs, vs, outer))]
    product = rebuild_tree(output, iter(found))
    seen = detach_tree(output, outer)
    return (seen, product, aux) if has_aux else (seen, product)


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """``(output, jvp_fn)``: `jvp_fn` takes tangents shaped as `primals` and gives the product with the Jacobian there."""
    return func(*primals), lambda *tangents: jvp(func, primals, tangents)[1]


# ---------------------------------------------------------------------------------------------------- Jacobians

def jacrev(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, *, has_aux: bool = False,
           chunk_size: int | None = None) -> Callable[..., Any]:
    """The function that gives the Jacobian of `func` with respect to argument(s) `argnums`.

    Each part has the shape ``output.shape + argument.shape``. With `has_aux`: ``(jacobian, aux)``. Costs a backward pass for each
    element of the output.

    >>> import minigrad as mg
    >>> mg.func.jacrev(lambda x: x * x)(mg.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        places = argnums if isinstance(argnums, tuple) else (argnums,)
        chosen = [args[place] for place in places]
        aux: list[Any] = []

        def of_chosen(*parts: Any) -> Any:
            new = list(args)
            for place, part in zip(places, parts):
                new[place] = part
            result = func(*new, **kwargs)
            if has_aux:
                aux[:] = [result[1]]
                return result[0]
            return result

        output, pull = vjp(of_chosen, *chosen)

        def rows(y: Any, k: int, ys: list[Any]) -> Any:
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

        ys = leaves_of(output)
        nested = rebuild_tree(output, iter([rows(y, k, ys) for k, y in enumerate(ys)]))
        return (nested, aux[0]) if has_aux else nested
    return wrapper


def jacfwd(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False, *,
           randomness: str = "error") -> Callable[..., Any]:
    """As :func:`jacrev`. PyTorch computes it in forward mode, a pass for each input element; the result is the same."""
    return jacrev(func, argnums, has_aux=has_aux)


def hessian(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """The function that gives the matrix of second derivatives of `func`: ``jacrev(jacrev(func))``."""
    return jacrev(jacrev(func, argnums), argnums)


# ---------------------------------------------------------------------------------------------------- batches and modules

def vmap(func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *,
         chunk_size: int | None = None) -> Callable[..., Any]:
    """The function that applies `func` to each index of a dimension and stacks the results.

    Args:
        in_dims: the dimension of each argument to go along, None for an argument to hand over whole; an int for all.
        out_dims: where the dimension goes in the results.
        randomness: ``"error"`` refuses a function that draws random numbers, ``"different"`` lets each index have its own,
            ``"same"`` gives all the same.
        chunk_size: accepted for compatibility; `func` runs once for each index.

    >>> import minigrad as mg
    >>> mg.func.vmap(mg.dot)(mg.ones(3, 2), mg.ones(3, 2))
    tensor([2., 2., 2.])
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeValueError(f"vmap: only allowed randomness modes are 'error', 'different' and 'same', not {randomness!r}")

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        dims = in_dims if isinstance(in_dims, (tuple, list)) else (in_dims,) * len(args)
        if len(dims) != len(args):
            raise ShapeError(f"vmap: in_dims has {len(dims)} entries, the function was called with {len(args)} arguments")
        along = [dim_per_leaf(arg, dim) for arg, dim in zip(args, dims)]
        flat = [(leaf, d) for arg, ds in zip(args, along) for leaf, d in zip(leaves_of(arg), ds)]
        for leaf, d in flat:
            if d is not None and not -leaf.ndim <= d < leaf.ndim:
                raise InvalidValueError(f"vmap: Got in_dim={d} for some input, but that input is a Tensor of dimensionality "
                                        f"{leaf.ndim} so expected in_dim to satisfy -{leaf.ndim} <= in_dim < {leaf.ndim}.")
        sizes = {leaf.shape[d] for leaf, d in flat if d is not None}
        if not sizes:
            raise ShapeError("vmap: at least one argument must have a dimension to go along, all of in_dims are None")
        if len(sizes) > 1:
            raise ShapeError(f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
                             f"{sorted(sizes)}")
        results = []
        state = rng.get_rng_state()
        for k in range(sizes.pop()):
            if randomness == "same":
                rng.set_rng_state(state)
            at_k = rebuild_tree(tuple(args), iter([leaf if d is None else leaf.select(d, k) for leaf, d in flat]))
            results.append(func(*at_k, **kwargs))
        if randomness == "error" and rng.get_rng_state().tolist() != state.tolist():
            raise RuntimeValueError("vmap: called random operation while in randomness error mode. Use randomness='same' or "
                                    "'different', or draw the numbers outside of vmap")
        for leaf in leaves_of(results):
            if not isinstance(leaf, Tensor):
                raise InvalidValueError(f"vmap: the function must only return Tensors, got type {type(leaf)}")
        if not results:
            raise ShapeError("vmap: the mapped dimension has size 0, so the shape of the result cannot be known")
        columns = list(zip(*[leaves_of(r) for r in results]))
        outs = dim_per_leaf(results[0], out_dims if not isinstance(out_dims, list) else tuple(out_dims))
        stacked = [column[0] if d is None else stack(list(column), dim=d) for column, d in zip(columns, outs)]
        return rebuild_tree(results[0], iter(stacked))
    return wrapper


def dim_per_leaf(tree: Any, dim: Any) -> list[Any]:
    """A dimension for each leaf of `tree`: `dim` itself, or spread over the structure it follows."""
    if dim is None or isinstance(dim, int):
        return [dim if isinstance(leaf, Tensor) else None for leaf in leaves_of(tree)]
    if isinstance(dim, dict):
        return [d for key in tree for d in dim_per_leaf(tree[key], dim[key])]
    if not isinstance(tree, (tuple, list)) or len(dim) != len(tree):
        raise ShapeError(f"vmap: dims {dim} do not have the structure of what they are for")
    return [d for part, its in zip(tree, dim) for d in dim_per_leaf(part, its)]


def functional_call(module: Any, parameter_and_buffer_dicts: Any, args: Any = None, kwargs: dict[str, Any] | None = None, *,
                    tie_weights: bool = True, strict: bool = False) -> Any:
    """Call `module` with other tensors in place of its parameters and buffers, by name; the module itself stays as it is.

    Raises ``RuntimeError`` under `strict` where names are missing or unknown.
    """
    dicts = parameter_and_buffer_dicts if isinstance(parameter_and_buffer_dicts, (tuple, list)) else [parameter_and_buffer_dicts]
    given = {name: t for d in dicts for name, t in d.items()}
    own = {**dict(module.named_parameters(remove_duplicate=False)), **dict(module.named_buffers(remove_duplicate=False))}
    if strict and (set(given) != set(own)):
        raise RuntimeValueError(f"functional_call: missing {sorted(set(own) - set(given))}, unexpected "
                                f"{sorted(set(given) - set(own))}")
    if tie_weights:  # a tensor that has several names is replaced under all of them
        given = {name: given[twin] for twin in given if twin in own for name in own if own[name] is own[twin]} | given
    places = []
    for name in given:
        path, _, last = name.rpartition(".")
        owner = module.get_submodule(path)
        held = owner._parameters if last in owner._parameters else owner._buffers
        if last not in held:
            raise ArgumentError(f"functional_call: {type(module).__name__} has no parameter or buffer {name!r}; it has "
                                f"{sorted(own)}")
        places.append((held, last, given[name]))
    before = [held[last] for held, last, _ in places]
    try:
        for held, last, new in places:
            held[last] = new
        arguments = () if args is None else args if isinstance(args, tuple) else (args,)
        return module(*arguments, **(kwargs or {}))
    finally:
        for (held, last, _), old in zip(places, before):
            held[last] = old


def stack_module_state(models: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and the buffers of equal modules, each stacked along a new first dimension.

    :func:`vmap` over both, with :func:`functional_call`, runs the ensemble.
    """
    if not models:
        raise ArgumentError("stack_module_state: Expected at least one model, got 0.")
    if any(type(m) is not type(models[0]) for m in models):
        raise ArgumentError("stack_module_state: Expected all models to be of the same class.")

    def stack_tables(tables: list[dict[str, Any]]) -> dict[str, Any]:
        return {name: stack([t[name] for t in tables]).detach().requires_grad_(first.requires_grad)
                for name, first in tables[0].items()}

    return stack_tables([dict(m.named_parameters()) for m in models]), stack_tables([dict(m.named_buffers()) for m in models])
