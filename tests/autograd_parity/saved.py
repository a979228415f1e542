"""What a Function's backward finds in ``ctx.saved_tensors``, and gradients that belong to one tensor only."""

from tests.autograd_parity import leaf, listed, program


def placed(x):
    return x.requires_grad, x.is_leaf, x.grad_fn is None


@program
def saved_tensors_know_their_places(t):
    log = []

    class F(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, p, c):
            between = x * 3
            out = x * p
            ctx.save_for_backward(x, p, c, between, out)
            return out

        @staticmethod
        def backward(ctx, g):
            log.append([placed(s) for s in ctx.saved_tensors])
            log.append(ctx.saved_tensors[1] is p)
            log.append(ctx.saved_tensors[4].grad_fn is not None and ctx.saved_tensors[4].grad_fn.name())
            return g, g, None

    x, p = leaf(t), t.nn.Parameter(leaf(t).detach())
    F.apply(x * 2, p, t.ones(3, dtype=t.float64)).sum().backward()
    return log


@program
def adjoint_of_a_saved_parameter(t):
    class Solve(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, *params):
            ctx.save_for_backward(x, *params)
            return x * params[0] + params[1]

        @staticmethod
        def backward(ctx, g):
            x, *params = ctx.saved_tensors
            with t.enable_grad():
                x = x.detach().requires_grad_()
                y = x * params[0] + params[1]
                return t.autograd.grad(y, (x, *params), g)

    x, w, b = leaf(t), leaf(t), leaf(t)
    Solve.apply(x * 2, w, b).pow(2).sum().backward()
    return [listed(v.grad) for v in (x, w, b)]


@program
def a_leaf_saved_without_being_an_input(t):
    w = leaf(t)

    class F(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(w)
            return x * w

        @staticmethod
        def backward(ctx, g):
            saved, = ctx.saved_tensors
            with t.enable_grad():
                (saved * 5).sum().backward()
            return g * saved

    x = leaf(t)
    F.apply(x).sum().backward()
    return listed(x.grad), listed(w.grad)


@program
def implicit_layer(t):
    """A fixed point z = tanh(w z + x), differentiated by the implicit function theorem through what was saved."""

    class Fixed(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, w):
            z = t.zeros_like(x)
            for _ in range(60):
                z = t.tanh(w * z + x)
            ctx.save_for_backward(z, x, w)
            return z

        @staticmethod
        def backward(ctx, g):
            z, x, w = ctx.saved_tensors
            with t.enable_grad():
                z0 = z.detach().requires_grad_()
                f = t.tanh(w * z0 + x)
            u = g
            for _ in range(60):
                u = g + t.autograd.grad(f, z0, u, retain_graph=True)[0]
            return t.autograd.grad(f, (x, w), u)

    x, w = leaf(t, (0.1, -0.4)), leaf(t, (0.3, 0.2))
    Fixed.apply(x, w).sum().backward()
    return [[round(v, 9) for v in listed(p.grad)] for p in (x, w)]


@program
def saved_tensors_read_twice_and_after(t):
    class F(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            first, = ctx.saved_tensors
            second, = ctx.saved_tensors
            return g * first * second

    x = leaf(t)
    y = F.apply(x)
    before = listed(y.grad_fn.saved_tensors)
    y.sum().backward()
    try:
        _ = y.grad_fn.saved_tensors
    except RuntimeError as error:
        return before, listed(x.grad), "backward through the graph a second time" in str(error)


@program
def create_graph_gives_each_leaf_a_gradient_of_its_own(t):
    x, d = leaf(t), leaf(t)
    (x + d).pow(2).sum().backward(create_graph=True)
    norm = t.nn.utils.clip_grad_norm_([x, d], 1.0)
    return round(float(norm.detach()), 9), listed(x.grad), listed(d.grad), x.grad is d.grad


@program
def create_graph_again_and_again(t):
    x = leaf(t)
    for _ in range(3):
        x.mean().backward(create_graph=True)
    x.grad.mul_(2)
    x.sum().backward(create_graph=True)
    x.grad.zero_()
    x.sum().backward()
    return listed(x.grad)


@program
def create_graph_does_not_take_the_seed(t):
    x, seed = leaf(t), t.ones(3, dtype=t.float64)
    (x + 0).backward(seed, create_graph=True)
    x.grad.mul_(5)
    return listed(seed), listed(x.grad)


@program
def materialized_zeros_have_a_graph(t):
    x, y = leaf(t), leaf(t)
    with_graph = t.autograd.grad(x.pow(2).sum(), [x, y], create_graph=True, materialize_grads=True)
    without = t.autograd.grad(x.pow(2).sum(), [x, y], materialize_grads=True)
    return [g.requires_grad for g in (*with_graph, *without)], listed(with_graph[1])


@program
def hooks_may_write_to_their_gradient(t):
    def write(g):
        g.clamp_(max=0.5)

    def write_first(gs, *_):
        gs[0].clamp_(max=0.5)

    results = []
    for create_graph in (False, True):
        for put in (lambda y, x: y.register_hook(write), lambda y, x: x.register_hook(write),
                    lambda y, x: y.grad_fn.register_prehook(write_first), lambda y, x: y.grad_fn.register_hook(write_first),
                    lambda y, x: y.register_hook(lambda g: g.clamp_(max=0.5))):
            x = leaf(t)
            y = x * 2
            put(y, x)
            (y * y).sum().backward(create_graph=create_graph)
            results.append(listed(x.grad))
    return results


@program
def a_hook_that_writes_where_gradients_are_one(t):
    x, z = leaf(t), leaf(t)
    y = x * 1
    y.register_hook(lambda g: g.mul_(10))
    (y + z).pow(2).sum().backward()
    return listed(x.grad), listed(z.grad)


@program(different="the hook's gradient is memory of its own, where PyTorch's is expanded and cannot be written to")
def a_hook_that_writes_to_an_expanded_gradient(t):
    x = leaf(t)
    x.register_hook(lambda g: g.mul_(10))
    x.sum().backward()
    return listed(x.grad)


@program
def what_a_hook_returned_is_not_taken(t):
    x, mine = leaf(t), t.ones(3, dtype=t.float64)
    x.register_hook(lambda g: mine)
    x.sum().backward()
    x.sum().backward()
    return listed(mine), listed(x.grad)


@program
def needs_input_grad_is_that_of_the_inputs(t):
    log = []

    class F(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, y, z):
            log.append(ctx.needs_input_grad)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g, None, None

    x = leaf(t)
    with t.no_grad():
        F.apply(x, x.detach(), None)
    F.apply(x, x.detach(), None)
    F.apply(x.detach(), x.detach(), None)
    return log


@program
def vjp_is_another_name_of_backward(t):
    class F(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def vjp(ctx, g):
            return g * 2

    x = leaf(t)
    F.apply(x).sum().backward()
    return listed(x.grad)


def message(call):
    try:
        call()
    except Exception as error:
        return str(error)


@program
def mistakes_of_functions(t):
    class Base(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    class Both(Base):
        @staticmethod
        def backward(ctx, g):
            return g

        vjp = backward

    class Larger(Base):
        @staticmethod
        def backward(ctx, g):
            return t.ones(5)

    class Saves(Base):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x, 3)
            return x

    class Complex(Base):
        @staticmethod
        def backward(ctx, g):
            return g * 1j

    found = [message(lambda f=f: f.apply(leaf(t)).sum().backward()) for f in (Base, Both, Larger, Saves, Complex)]
    words = ["either the backward or vjp method", "Implementing both 'backward' and 'vjp'",
             "returned an invalid gradient at index 0 - got [5] but expected shape compatible with [3]",
             "can only save variables, but argument 1 is of type int", ""]
    return [text is not None and word in text for text, word in zip(found, words)]
