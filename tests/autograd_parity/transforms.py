"""``func``: what ``vmap``, the transforms and ``functional_call`` refuse, and with which errors."""

from collections import OrderedDict, namedtuple
from functools import partial

from tests.autograd_parity import listed, program


def refusals(t, calls):
    """For each call the built-in classes of its error, or its result."""
    found = []
    for call in calls:
        try:
            found.append(listed(call()))
        except Exception as error:
            found.append(next(c.__name__ for c in type(error).__mro__ if c in (ValueError, RuntimeError, TypeError, IndexError,
                                                                            AttributeError, KeyError)))
    return found


@program
def vmap_in_dims(t):
    x, y, mul = t.ones(3), t.ones(2, 3), t.mul
    add = lambda z: z[0] + z[1]  # noqa: E731
    return [listed(t.vmap(add, in_dims=([0, 0],))([x, x])), listed(t.vmap(add, in_dims=(0,))((x, x))),
            listed(t.vmap(lambda z: z["x"] + z["y"], in_dims=({"x": 0, "y": None},))({"x": x, "y": 5})),
            listed(t.vmap(mul, (0, None))(y, 2)), listed(t.vmap(partial(mul, x))(y)),
            listed(t.vmap(lambda a, k=1: a * k)(x, k=4)), listed(t.vmap(t.sum, (0, None))(y, 0))]


@program
def vmap_in_dims_refused(t):
    x, y, mul = t.ones(3), t.ones(2, 3), t.mul
    add = lambda z: z[0] + z[1]  # noqa: E731
    found = []
    for call, word in (
            (lambda: t.vmap(mul, [0, 0])(x, x), "expected `in_dims` to be int or a (potentially nested) tuple"),
            (lambda: t.vmap(mul, "no")(x, x), "expected `in_dims` to be int or a (potentially nested) tuple"),
            (lambda: t.vmap(mul, (0,))(x, x), "in_dims is not compatible with the structure of `inputs`"),
            (lambda: t.vmap(mul, (0, 0, 0))(x, x), "in_dims is not compatible with the structure of `inputs`"),
            (lambda: t.vmap(add, in_dims=((0, 0),))([x, x]), "in_dims is not compatible with the structure of `inputs`"),
            (lambda: t.vmap(add, in_dims=([0],))([x, x]), "in_dims is not compatible with the structure of `inputs`"),
            (lambda: t.vmap(add, in_dims=({"a": 0},))([x, x]), "in_dims is not compatible with the structure of `inputs`"),
            (lambda: t.vmap(mul, (0, 0.5))(x, x), "must be either"),
            (lambda: t.vmap(t.sum)(y, 0), "Got in_dim=0 for an input but the input is of type"),
            (lambda: t.vmap(t.sin)(t.ones(())), "for some input, but that input is a Tensor of dimensionality"),
            (lambda: t.vmap(t.sin, (-3,))(y), "for some input, but that input is a Tensor of dimensionality"),
            (lambda: t.vmap(t.mul)(x, t.ones(2)), "Expected all tensors to have the same size in the mapped dimension"),
            (lambda: t.vmap(lambda: x)(), "got no inputs"),
            (lambda: t.vmap(lambda a: x, (None,))(1), "at least one Tensor"),
            (lambda: t.vmap(lambda a: (a, 3))(x), "got type <class 'int'>"),
            (lambda: t.vmap(lambda a: a, out_dims="no")(y), "must be an int, None or a python collection of ints"),
            (lambda: t.vmap(lambda a: a, out_dims=("no",))(y), "must be an int, None or a python collection of ints"),
            (lambda: t.vmap(lambda a: a, out_dims=(0, 0))(y), "not compatible"),
            (lambda: t.vmap(lambda a: (a, a), out_dims=(0,))(y), "not compatible"),
            (lambda: t.vmap(lambda a: a, out_dims=None)(t.arange(3.0)), "can not return a BatchedTensor when out_dim is None"),
            (lambda: t.vmap(t.sin, chunk_size=0)(x), "chunk_size should be None or greater than 0"),
    ):
        try:
            found.append(listed(call()))
        except ValueError as error:
            found.append(word in str(error))
    return found


@program
def vmap_out_of_range(t):
    return refusals(t, [lambda: t.vmap(lambda a: a, out_dims=3)(t.ones(2, 3, 5)), lambda: t.vmap(lambda a: a, out_dims=-4)(
        t.ones(2, 3, 5)), lambda: t.vmap(t.sin, randomness="other")(t.ones(2))])


@program
def vmap_out_dims(t):
    x, y = t.arange(6.0).reshape(2, 3), t.arange(24.0).reshape(2, 3, 4)
    pair = lambda a: (a.sin(), (a, a))  # noqa: E731
    named = namedtuple("named", "a b")
    results = [t.vmap(lambda a: a, out_dims=(1,))(x), t.vmap(lambda a: (a, a), out_dims=(0, 1))(y)[1],
               t.vmap(lambda a: a, out_dims=-1)(y),
               t.vmap(pair, out_dims=(0, (0, 1)))(x)[1][1], t.vmap(pair, out_dims=1)(x)[1][0],
               t.vmap(lambda a: t.arange(3), out_dims=None)(x), t.vmap(lambda a: [a])(x)[0]]
    none = t.vmap(lambda a: (None, "same"), out_dims=(None, None))(x)
    kinds = [type(t.vmap(lambda a: OrderedDict(b=a, a=a))(x)).__name__, type(t.vmap(lambda a: named(a, a))(x)).__name__]
    return [listed(r) for r in results], none, kinds


@program
def vmap_gives_back_its_argument(t):
    x = t.arange(24.0).reshape(2, 3, 4)
    same = t.vmap(lambda a: a, in_dims=1, out_dims=1)(x)
    moved = t.vmap(lambda a: a, out_dims=2)(x)
    written = t.vmap(t.Tensor.add_, (0, None))(x, 1)
    return [same.data_ptr() == x.data_ptr(), moved.data_ptr() == x.data_ptr(), list(moved.shape), written is x, float(x[0, 0, 0])]


@program
def vmap_over_nothing(t):
    x, y = t.ones(0, 3), t.ones(3)
    results = [t.vmap(t.copysign, (0, None))(x, y), t.vmap(lambda a: (a.sum(), a), out_dims=(0, 1))(x)[1],
               t.vmap(t.vmap(t.sin))(x), t.vmap(t.vmap(t.sin))(x.t())]
    return [list(r.shape) for r in results]


@program
def vmap_randomness(t):
    found = []
    for generator in (None, t.Generator()):
        options = {} if generator is None else {"generator": generator}
        draw = lambda x: t.randn(3, **options)  # noqa: B023, E731
        try:
            t.vmap(draw)(t.ones(4))
        except RuntimeError as error:
            found.append("called random operation while in randomness error mode" in str(error))
        same = t.vmap(draw, randomness="same")(t.ones(4))
        other = t.vmap(draw, randomness="different")(t.ones(4))
        found.append((bool((same == same[0]).all()), bool((other == other[0]).all())))
        mode = t.vmap(lambda x: t.vmap(draw, randomness="same")(x), randomness="different")(t.ones(2, 2))  # noqa: B023
        found.append((bool((mode[:, 0] == mode[:, 1]).all()), bool((mode[0] == mode[1]).all())))
    return found


@program
def vmap_randomness_moves_the_generator_on(t):
    t.manual_seed(3)
    same = t.vmap(lambda x: t.rand(2), randomness="same")(t.ones(4))
    after = t.rand(2)
    t.manual_seed(3)
    return bool((t.rand(2) == same[0]).all()), bool((t.rand(2) == after).all())


@program
def argnums_refused(t):
    x, y = t.ones(()), t.ones(())
    found = []
    for transform in (t.func.grad, t.func.jacrev, t.func.jacfwd):
        for argnums, word in ((-3, "but only"), (2, "but only"), ([0], "int or Tuple"), (("0",), "must be int"),
                              ((0, 0), "must be unique"), ((0, -2), "must be unique"), ((), "must be non-empty")):
            try:
                transform(t.mul, argnums=argnums)(x, y)
            except RuntimeError as error:
                found.append(word in str(error))
    return found


@program
def transforms_refuse(t):
    x = t.ones(3)
    found = []
    for call, word in (
            (lambda: t.func.grad(lambda a: [a, a], has_aux=True)(x), "output of function f should be a tuple"),
            (lambda: t.func.grad(lambda a: (a, a, a), has_aux=True)(x), "output of function f should be a tuple"),
            (lambda: t.func.grad(lambda a: (a.sum(), 1.0), has_aux=True)(x), "Expected tensors, got unsupported type"),
            (lambda: t.func.grad(lambda a: 3.0)(x), "to return a Tensor, got"),
            (lambda: t.func.grad(lambda a: a)(x), "Expected f(*args) to return a scalar tensor"),
            (lambda: t.func.vjp(lambda a: (a, [a, "aux"]), x, has_aux=True), "Expected tensors, got unsupported type"),
            (lambda: t.func.vjp(lambda a: [a, a], x, has_aux=True), "output of function f should be a tuple"),
            (lambda: t.func.vjp(lambda a: None, x), "vjp(f, *primals): Expected f to be a function that has non-empty output"),
            (lambda: t.func.vjp(lambda a: (), x), "vjp(f, *primals): Expected f to be a function that has non-empty output"),
            (lambda: t.func.vjp(lambda a: "text", x), "vjp(f, *primals): expected f(*primals) to return only tensors"),
            (lambda: t.func.vjp(lambda a: a.argmax(), x), "All outputs of f must be floating-point or complex Tensors"),
            (lambda: t.func.vjp(lambda a: a, x)[1]((x, x)), "Expected pytree structure of cotangents to be the same"),
            (lambda: t.func.jvp(lambda a: a, x, x), "Expected primals to be a tuple"),
            (lambda: t.func.jvp(lambda a: a, (x,), (x, x)), "same python structure"),
            (lambda: t.func.jvp(lambda a: a, (), ()), "at least one Tensor"),
            (lambda: t.func.jvp(lambda a: a, (1.0,), (x,)), "only contain Tensors"),
            (lambda: t.func.jvp(lambda a: t.ones(2), (x,), (x,), strict=True), "independent of the inputs"),
            (lambda: t.func.jvp(lambda a: [a], (x,), (x,), has_aux=True), "output of function f should be a tuple"),
            (lambda: t.func.jacrev(lambda a: None)(x), "Expected f to be a function that has non-empty output"),
            (lambda: t.func.jacfwd(lambda a: 12.2)(x), "return only tensors"),
            (lambda: t.func.jacrev(t.exp)(x * 1j), "jacrev: Expected all inputs to be real"),
            (lambda: t.func.jacfwd(lambda a: a * 1j)(x), "jacfwd: Expected all outputs to be real"),
    ):
        try:
            found.append(call() is None)
        except RuntimeError as error:
            found.append(word.lower() in str(error).lower())
    return found


@program
def transforms_refuse_values(t):
    x = t.ones(3)
    return refusals(t, [lambda: t.func.grad(lambda a: a)(2.0), lambda: t.func.vjp(lambda a: a, [x, 1.0]),
                        lambda: t.func.jacrev(t.sin, chunk_size=0), lambda: t.func.linearize(t.sin, x)[1](t.ones(2)),
                        lambda: t.func.linearize(t.sin, x)[1](x, x), lambda: t.func.linearize(t.sin, x)[1](x.double())])


@program
def jacobians_of_structures(t):
    x, y = t.arange(2.0), t.ones(3)
    found = []
    for jacobian in (t.func.jacrev, t.func.jacfwd):
        out = jacobian(lambda a, b: {"left": (a * 2, [b.sum()]), "right": a.sum() * b}, argnums=(0, 1))(x, y)
        found.append([listed(out["left"][0]), listed(out["left"][1]), listed(out["right"])])
        found.append(listed(jacobian(lambda a: (a, a.sum()), has_aux=True)(x)))
        found.append(listed(jacobian(lambda a, b: b)(x, y)))
    return found


class Tied:
    """Makes a module with one tensor under two names."""

    def __new__(cls, t):
        class Module(t.nn.Module):
            def __init__(self):
                super().__init__()
                self.one = t.nn.Parameter(t.ones(1))
                self.two = self.one
                self.register_buffer("buffer", t.ones(1))
                self.inner = t.nn.Linear(1, 1)
                self.missing = None

            def forward(self, x):
                self.buffer.add_(1)
                return x * self.one + self.two + getattr(self, "extra", 0)

        return Module()


@program
def functional_calls(t):
    module, x, call = Tied(t), t.ones(1), t.func.functional_call
    five, six = t.full((1,), 5.0), t.full((1,), 6.0)
    buffers = {"buffer": t.zeros(1)}
    call(module, ({"one": five}, buffers), (x,))
    return [listed(call(module, {"one": five}, (x,))), listed(call(module, {"one": five}, x)),
            listed(call(module, {"two": five}, (x,))),
            listed(call(module, {"one": five, "two": five}, (x,))),
            listed(call(module, {"one": five}, (x,), tie_weights=False)),
            listed(call(module, {"one": five, "two": six}, (x,), tie_weights=False)),
            listed(call(module, {"extra": five}, (x,))), hasattr(module, "extra"), listed(module.one), listed(buffers["buffer"]),
            listed(call(module, {"one": five}, kwargs={"x": x}))]


@program
def functional_calls_refused(t):
    module, x, call = Tied(t), t.ones(1), t.func.functional_call
    five, six = t.full((1,), 5.0), t.full((1,), 6.0)
    everything = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    refused = refusals(t, [
        lambda: call(module, {"one": five, "two": six}, (x,)), lambda: call(module, {"one": five}, (x,), strict=True),
        lambda: call(module, {**everything, "extra": five}, (x,), strict=True),
        lambda: call(module, {**everything}, (x,), strict=True), lambda: call(module, ({"one": five}, {"one": five}), (x,)),
        lambda: call(module, 3, (x,)), lambda: call(module, [3], (x,)),
        lambda: call(module, {"one": 3}, (x,)), lambda: call(module, {"nowhere.one": five}, (x,)),
        lambda: call(module, {"one": None}, (x,)), lambda: call(module, {"inner.bias": None}, (x,))])
    return refused, listed(module.one), module.inner.bias is not None


@program
def stacked_modules(t):
    linear = t.nn.Linear
    frozen, evaluated = linear(1, 1), linear(1, 1).eval()
    frozen.weight.requires_grad_(False)
    params, buffers = t.func.stack_module_state([linear(2, 3), linear(2, 3)])
    fixed, _ = t.func.stack_module_state([frozen, frozen])
    return ({k: (list(v.shape), v.requires_grad, v.is_leaf) for k, v in params.items()}, buffers, fixed["weight"].requires_grad,
            refusals(t, [lambda: t.func.stack_module_state([]), lambda: t.func.stack_module_state([linear(1, 1), evaluated]),
                         lambda: t.func.stack_module_state([linear(1, 1), t.nn.ReLU()]),
                         lambda: t.func.stack_module_state([linear(1, 1), frozen])]))
