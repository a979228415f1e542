"""Derivatives of functions: ``autograd.functional`` and ``func``."""

from tests.autograd_parity import leaf, listed, program, rounded


@program
def fn_jac_multi(t):
    def f(x, y):
        return (x * y, x.sum())

    return rounded(t.autograd.functional.jacobian(f, (leaf(t), leaf(t)))[0][0])


@program
def fn_hvp_mlp(t):
    t.manual_seed(0)
    W = t.tensor([[0.1, -0.2, 0.3], [0.4, 0.5, -0.6]], dtype=t.float64)
    V = t.tensor([[0.7, -0.8]], dtype=t.float64)

    def f(w, v):
        return (t.tanh(t.ones(1, 3, dtype=t.float64) @ w.t()) @ v.t()).pow(2).sum()

    r = t.autograd.functional.hvp(f, (W, V), (t.ones_like(W), t.ones_like(V)))
    return (rounded(r[0]), rounded(r[1][0]), rounded(r[1][1]))


@program
def fn_hvp_cnn(t):
    F = t.nn.functional
    x = t.arange(36, dtype=t.float64).view(1, 1, 6, 6) / 36
    w = (t.arange(18, dtype=t.float64).view(2, 1, 3, 3) - 9) / 18
    last = t.linspace(-1, 1, 8, dtype=t.float64).view(1, 8)

    def f(w, last):
        h = F.max_pool2d(F.softplus(F.conv2d(x, w)), 2)
        return (F.linear(h.flatten(1), last) ** 2).sum()

    r = t.autograd.functional.hvp(f, (w, last), (t.ones_like(w), t.ones_like(last)))
    return (rounded(r[1][0]), rounded(r[1][1]))


@program
def fn_third(t):
    x = leaf(t)
    y = (x.sin() * x.exp()).sum()
    for _ in range(4):
        y = t.autograd.grad(y, x, create_graph=True)[0].sum()
    return rounded(y)


@program
def fn_jac_strategy(t):
    return rounded(t.autograd.functional.jacobian(lambda x: x**2, leaf(t), vectorize=True, strategy="forward-mode"))


@program
def fn_jac_bad_strategy(t):
    return rounded(t.autograd.functional.jacobian(lambda x: x**2, leaf(t), strategy="x"))


@program(different="accepted; the result is the same")
def fn_jac_fwd_no_vec(t):
    return rounded(t.autograd.functional.jacobian(lambda x: x**2, leaf(t), strategy="forward-mode"))


@program
def fn_vhp(t):
    return rounded(t.autograd.functional.vhp(lambda x: (x**3).sum(), leaf(t), t.ones(3, dtype=t.float64))[1])


@program
def fn_hess_tuple(t):
    r = t.autograd.functional.hessian(lambda x, y: (x * y).sum() ** 2, (leaf(t), leaf(t)))
    return [[rounded(b) for b in a] for a in r]


@program
def fn_jvp_strict(t):
    t.autograd.functional.jvp(lambda x: t.ones(3), leaf(t), t.ones(3, dtype=t.float64), strict=True)


@program
def fn_vjp_nov(t):
    t.autograd.functional.vjp(lambda x: x * 2, leaf(t))


@program
def fn_vjp(t):
    return rounded(t.autograd.functional.vjp(lambda x: x * 2, leaf(t), t.ones(3, dtype=t.float64))[1])


@program
def fn_grad_nonscalar(t):
    t.func.grad(lambda x: x * 2)(t.ones(3))


@program
def fn_grad_aux(t):
    g, a = t.func.grad(lambda x: ((x**2).sum(), x * 3), has_aux=True)(t.ones(3))
    return (listed(g), listed(a))


@program
def fn_grad_argnums(t):
    return listed(t.func.grad(lambda x, y: (x * y).sum(), argnums=(0, 1))(t.ones(3), t.ones(3) * 2))


@program
def fn_grad_int(t):
    return listed(t.func.grad(lambda x: (x * 2.0).sum())(t.ones(3, dtype=t.int64)))


@program
def fn_vmap_rand(t):
    t.func.vmap(lambda x: x + t.rand(()))(t.ones(3))


@program
def fn_vmap_inplace(t):
    return listed(t.func.vmap(lambda x: x.clone().add_(1))(t.ones(3)))


@program(different="vmap runs the function for each index")
def fn_vmap_item(t):
    t.func.vmap(lambda x: x.item())(t.ones(3))


@program
def fn_vmap_nontensor(t):
    t.func.vmap(lambda x: 3)(t.ones(3))


@program
def fn_vmap_outdims(t):
    return list(t.func.vmap(lambda x: x, in_dims=1, out_dims=-1)(t.ones(2, 3)).shape)


@program
def fn_vmap_negin(t):
    return list(t.func.vmap(lambda x: x, in_dims=-1)(t.ones(2, 3)).shape)


@program
def fn_vmap_badin(t):
    t.func.vmap(lambda x: x, in_dims=2)(t.ones(2, 3))


@program
def fn_jacrev_chunk(t):
    return listed(t.func.jacrev(lambda x: x**2, chunk_size=1)(t.ones(2)))


@program
def fn_hessian(t):
    return listed(t.func.hessian(lambda x: (x**3).sum())(t.ones(2)))


@program
def fn_jvp(t):
    return listed(t.func.jvp(lambda x: x**2, (t.ones(2),), (t.ones(2),)))


@program
def fn_jvp_nottuple(t):
    return listed(t.func.jvp(lambda x: x**2, t.ones(2), t.ones(2)))


@program
def fn_vjp2(t):
    o, f = t.func.vjp(lambda x: x**2, t.ones(2))
    return (listed(o), listed(f(t.ones(2))))


@program
def fn_linearize(t):
    o, f = t.func.linearize(lambda x: x**2, t.ones(2))
    return (listed(o), listed(f(t.ones(2))))


@program
def fn_functional_call(t):
    m = t.nn.Linear(2, 1)
    return listed(t.func.functional_call(m, {"weight": t.ones(1, 2), "bias": t.zeros(1)}, (t.ones(1, 2),)))


@program
def fn_functional_call_strict(t):
    m = t.nn.Linear(2, 1)
    return listed(t.func.functional_call(m, {"weight": t.ones(1, 2)}, (t.ones(1, 2),), strict=True))
