"""``autograd.Function``: its context and what it saves."""

from importlib import import_module

from tests.autograd_parity import leaf, listed, program, rounded


@program
def f_attrs(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.k = 5
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(t)
    y = A.apply(x)
    f = y.grad_fn
    return (
        f.name(),
        f.k,
        listed(f.saved_tensors),
        len(f.next_functions),
        f.needs_input_grad,
        isinstance(f, t.autograd.graph.Node),
        f.metadata,
    )


@program
def f_meta_in_backward(t):
    log = []

    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            log.append((ctx.name(), ctx.metadata.get("a"), len(ctx.next_functions)))
            return g * 2

    y = A.apply(leaf(t))
    y.grad_fn.metadata["a"] = 1
    y.sum().backward()
    return log


@program
def f_set_attr_on_grad_fn(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * ctx.scale

    x = leaf(t)
    y = A.apply(x)
    y.grad_fn.scale = 7
    y.sum().backward()
    return listed(x.grad)


@program
def f_hooks(t):
    log = []

    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(t)
    y = A.apply(x)
    y.grad_fn.register_hook(lambda a, b: log.append(("post", listed(a), listed(b))))
    y.grad_fn.register_prehook(lambda b: (b[0] * 3,))
    y.sum().backward()
    return (log, listed(x.grad))


@program
def f_backward_in_backward(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            with t.enable_grad():
                ctx.x = x.detach().requires_grad_()
                ctx.y = (ctx.x**2).sum()
            return ctx.y.detach()

        @staticmethod
        def backward(ctx, g):
            with t.enable_grad():
                ctx.y.backward(g)
            return ctx.x.grad

    x = leaf(t)
    (A.apply(x) * 2).backward()
    return listed(x.grad)


@program
def f_raise_in_backward(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            raise ValueError("boo")

    x = leaf(t)
    try:
        A.apply(x).sum().backward()
    except ValueError as e:
        r = str(e)
    (x * 2).sum().backward()
    return (r, listed(x.grad), t.is_grad_enabled())


@program
def f_raise_in_forward(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            raise ValueError("boo")

    try:
        A.apply(leaf(t))
    except ValueError as e:
        return (str(e), t.is_grad_enabled())


@program
def f_no_backward(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    A.apply(leaf(t)).sum().backward()


@program
def f_no_forward(t):
    class A(t.autograd.Function):
        pass

    A.apply(leaf(t))


@program
def f_instance(t):
    class A(t.autograd.Function):
        def forward(self, x):
            return x * 2

        def backward(self, g):
            return g

    A()(leaf(t))


@program
def f_kwargs(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, k=2):
            return x * k

        @staticmethod
        def backward(ctx, g):
            return (g, None)

    return listed(A.apply(leaf(t), k=3))


@program
def f_default(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, k=2):
            return x * k

        @staticmethod
        def backward(ctx, g):
            return g

    x = leaf(t)
    A.apply(x).sum().backward()
    return listed(x.grad)


@program
def f_vmap_jvp_static(t):
    class A(t.autograd.Function):
        generate_vmap_rule = False

        @staticmethod
        def forward(x):
            return x * x

        @staticmethod
        def setup_context(ctx, inputs, output):
            (x,) = inputs
            ctx.save_for_backward(x)
            ctx.save_for_forward(x)

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * x * g

        @staticmethod
        def jvp(ctx, xt):
            (x,) = ctx.saved_tensors
            return 2 * x * xt

        @staticmethod
        def vmap(info, in_dims, x):
            return (A.apply(x), in_dims[0])

    x = leaf(t)
    A.apply(x).sum().backward()
    return (
        listed(x.grad),
        listed(t.func.vmap(A.apply)(t.ones(2, 3))),
        listed(t.func.grad(lambda u: A.apply(u).sum())(t.ones(2))),
    )


@program
def f_save_nontensor(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(3)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g

    A.apply(leaf(t))


@program
def f_save_none(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(None, x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            n, x = ctx.saved_tensors
            return g if n is None else None

    x = leaf(t)
    A.apply(x).sum().backward()
    return listed(x.grad)


@program
def f_save_intermediate_double(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            e = x.exp()
            ctx.save_for_backward(x, e)
            return (e * x, e)

        @staticmethod
        def backward(ctx, g, ge):
            x, e = ctx.saved_tensors
            return g * (e * x + e) + ge * e

    x = leaf(t)
    y, _ = A.apply(x)
    (g,) = t.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = t.autograd.grad(g.sum(), x)
    return (rounded(g), rounded(h))


@program
def f_saved_twice(t):
    log = []

    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            log.append(ctx.saved_tensors[0].shape == ctx.saved_tensors[0].shape)
            return g

    y = A.apply(leaf(t)).sum()
    y.backward(retain_graph=True)
    y.backward()
    return log


@program
def f_saved_free(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0]

    y = A.apply(leaf(t)).sum()
    y.backward()
    y.backward()


@program(different="the gradient says that it cannot be differentiated")
def f_once(t):
    od = import_module(t.__name__ + ".autograd.function").once_differentiable

    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @od
        def backward(ctx, g):
            return g * 2 * ctx.saved_tensors[0]

    x = leaf(t)
    (g,) = t.autograd.grad(A.apply(x).sum(), x, create_graph=True)
    return (g.requires_grad, listed(g))


@program
def f_once2(t):
    od = import_module(t.__name__ + ".autograd.function").once_differentiable

    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @od
        def backward(ctx, g):
            return g * 2 * ctx.saved_tensors[0]

    x = leaf(t)
    (g,) = t.autograd.grad(A.apply(x).sum(), x, create_graph=True)
    g.sum().backward()


@program
def f_forward_grad_mode(t):
    log = []

    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            log.append((t.is_grad_enabled(), x.requires_grad))
            return x * 1

        @staticmethod
        def backward(ctx, g):
            log.append(t.is_grad_enabled())
            return g

    A.apply(leaf(t)).sum().backward()
    A.apply(leaf(t)).sum().backward(create_graph=True)
    return log


@program
def f_module_member(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, w, b=None):
            ctx.save_for_backward(x, w, b)
            o = x @ w.t()
            return o if b is None else o + b

        @staticmethod
        def backward(ctx, g):
            x, w, b = ctx.saved_tensors
            gx = gw = gb = None
            if ctx.needs_input_grad[0]:
                gx = g @ w
            if ctx.needs_input_grad[1]:
                gw = g.t() @ x
            if b is not None and ctx.needs_input_grad[2]:
                gb = g.sum(0)
            return (gx, gw, gb)

    x = leaf(t, [[1.0, 2.0]])
    w = leaf(t, [[1.0, 2.0], [3.0, 4.0]])
    b = leaf(t, (0.0, 1.0))
    A.apply(x, w, b).sum().backward()
    A.apply(x, w, None).sum().backward()
    return listed([x.grad, w.grad, b.grad])


@program
def f_gradcheck(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 3 * x**2

    return (t.autograd.gradcheck(A.apply, (leaf(t),)), t.autograd.gradgradcheck(A.apply, (leaf(t),)))
