"""``autograd.Function``: what its forward and its backward may return."""

from tests.autograd_parity import leaf, listed, program


@program
def f_dirty_not_returned(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g

    A.apply(leaf(t) * 1)


@program
def f_dirty_leaf(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g

    A.apply(leaf(t))


@program
def f_dirty_view(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(t)
    y = x * 1
    A.apply(y[1:])
    y.sum().backward()
    return (listed(y), listed(x.grad))


@program
def f_dirty_version(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(t)
    y = x * 1
    z = y * y
    A.apply(y)
    z.sum().backward()


@program
def f_nondiff_int(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            i = x.argsort()
            ctx.mark_non_differentiable(i)
            return (x * 2, i)

        @staticmethod
        def backward(ctx, g, gi):
            return g * 2 + (0 if gi is None else gi.sum())

    x = leaf(t)
    a, i = A.apply(x)
    a.sum().backward()
    return (listed(x.grad), i.requires_grad)


@program
def f_nontensor_out(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return (x * 2, "hello", None)

        @staticmethod
        def backward(ctx, g, *r):
            return g * len(r)

    x = leaf(t)
    a, b, c = A.apply(x)
    a.sum().backward()
    return (listed(x.grad), b, c)


@program(different="a list of results is recorded as a tuple is")
def f_list_out(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return [x * 2, x * 3]

        @staticmethod
        def backward(ctx, a, b):
            return a * 2 + b * 3

    x = leaf(t)
    r = A.apply(x)
    sum(r).sum().backward()
    return (listed(x.grad), type(r).__name__)


@program
def f_view_out(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.view(-1)

        @staticmethod
        def backward(ctx, g):
            return g * 5

    x = leaf(t)
    y = A.apply(x)
    y.sum().backward()
    return listed(x.grad)


@program
def f_input_out_same_inplace(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 5

    x = leaf(t)
    y = A.apply(x)
    return (y is x, y.data_ptr() == x.data_ptr())


@program
def f_nograd_none(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * y

        @staticmethod
        def backward(ctx, g):
            return (None, g * ctx.needs_input_grad[1])

    x = leaf(t)
    w = leaf(t)
    A.apply(x, w).sum().backward()
    return (x.grad is None, listed(w.grad))


@program
def f_materialize_off_all_none(t):
    log = []

    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return (x * 1, x * 2)

        @staticmethod
        def backward(ctx, a, b):
            log.append((a is None, b is None))
            return b

    x = leaf(t)
    A.apply(x)[1].sum().backward()
    return (log, listed(x.grad))


@program
def f_return_broadcast(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.sum()

        @staticmethod
        def backward(ctx, g):
            return g

    x = leaf(t)
    A.apply(x).backward()
    return listed(x.grad)


@program
def f_return_larger(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g.expand(2, 3)

    x = leaf(t)
    A.apply(x).sum().backward()
    return listed(x.grad)


@program
def f_return_wrong_dtype(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g.float()

    x = leaf(t)
    y = x * 1
    log = []
    y.register_hook(lambda g: log.append(str(g.dtype).split(".")[-1]))
    A.apply(y).sum().backward()
    return (listed(x.grad), log)


@program
def f_nested_struct(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, xs):
            return xs[0] * 2

        @staticmethod
        def backward(ctx, g):
            return None

    return A.apply([leaf(t)]).requires_grad


@program
def f_inplace_on_out(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0]

    y = A.apply(leaf(t))
    y.mul_(2)
    y.sum().backward()


@program
def f_tuple_one(t):
    class A(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return (x * 2,)

        @staticmethod
        def backward(ctx, g):
            return (g * 2,)

    x = leaf(t)
    r = A.apply(x)
    r[0].sum().backward()
    return (type(r).__name__, listed(x.grad))
