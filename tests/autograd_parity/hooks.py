"""Hooks of tensors and of nodes, and gradients that are retained."""

import contextlib

from tests.autograd_parity import leaf, listed, program


@program
def hook_before_inplace(t):
    x = leaf(t)
    y = x * 2
    log = []
    y.register_hook(lambda g: log.append(("before", listed(g))))
    y.mul_(3)
    y.register_hook(lambda g: log.append(("after", listed(g))))
    y.sum().backward()
    return (log, listed(x.grad))


@program
def hook_before_inplace_modify(t):
    x = leaf(t)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    y.mul_(3)
    y.register_hook(lambda g: g + 1)
    y.sum().backward()
    return listed(x.grad)


@program
def retain_then_inplace(t):
    x = leaf(t)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    y.sum().backward()
    return (listed(y.grad), y.retains_grad)


@program
def retain_twice_inplace(t):
    x = leaf(t)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    y.add_(1)
    y.retain_grad()
    (y * y).sum().backward()
    return (listed(y.grad), listed(x.grad))


@program
def retain_hook_order(t):
    x = leaf(t)
    y = x * 2
    y.register_hook(lambda g: g * 2)
    y.retain_grad()
    y.register_hook(lambda g: g * 5)
    y.sum().backward()
    return (listed(y.grad), listed(x.grad))


@program
def retain_view_inplace(t):
    x = leaf(t)
    y = x * 2
    v = y[1:]
    v.retain_grad()
    y.mul_(3)
    v.sum().backward()
    return (v.retains_grad, listed(v.grad), listed(x.grad))


@program
def hook_view_inplace(t):
    x = leaf(t)
    y = x * 2
    v = y[1:]
    log = []
    v.register_hook(lambda g: log.append(listed(g)))
    y.mul_(3)
    v.sum().backward()
    return (log, listed(x.grad))


@program
def hook_base_write_view(t):
    x = leaf(t)
    y = x * 2
    log = []
    y.register_hook(lambda g: log.append(listed(g)))
    y[1:].mul_(3)
    y.sum().backward()
    return (log, listed(x.grad))


@program
def retain_base_write_view(t):
    x = leaf(t)
    y = x * 2
    y.retain_grad()
    y[1:].mul_(3)
    y.sum().backward()
    return (listed(y.grad), listed(x.grad))


@program
def hook_nongrad(t):
    t.ones(2).register_hook(lambda g: g)


@program
def retain_nongrad(t):
    t.ones(2).retain_grad()


@program
def retain_leaf(t):
    x = leaf(t)
    x.retain_grad()
    return x.retains_grad


@program
def post_acc_nonleaf(t):
    (leaf(t) * 1).register_post_accumulate_grad_hook(lambda p: None)


@program
def post_acc_nograd(t):
    t.ones(2).register_post_accumulate_grad_hook(lambda p: None)


@program
def post_acc_order(t):
    x = leaf(t)
    log = []
    x.register_hook(lambda g: log.append("t"))
    x.register_post_accumulate_grad_hook(lambda p: log.append(("a", listed(p.grad))))
    x.register_post_accumulate_grad_hook(lambda p: setattr(p, "grad", None))
    (x * 2).sum().backward()
    return (log, x.grad is None)


@program
def post_acc_not_in_grad(t):
    x = leaf(t)
    log = []
    x.register_post_accumulate_grad_hook(lambda p: log.append(1))
    t.autograd.grad((x * 2).sum(), x)
    return log


@program
def leaf_hook_in_grad(t):
    x = leaf(t)
    log = []
    x.register_hook(lambda g: log.append(listed(g)) or g * 2)
    (g,) = t.autograd.grad((x * 2).sum(), x)
    return (log, listed(g))


@program
def nonleaf_hook_in_grad(t):
    x = leaf(t)
    y = x * 2
    y.register_hook(lambda g: g * 2)
    return listed(t.autograd.grad((y * 3).sum(), [y, x]))


@program
def hook_return_wrong_type(t):
    x = leaf(t)
    x.register_hook(lambda g: 3.0)
    (x * 2).sum().backward()


@program
def hook_inplace_grad(t):
    x = leaf(t)
    y = x * 2
    y.register_hook(lambda g: g * 1)
    y.sum().backward()
    return listed(x.grad)


@program
def hook_none_shape(t):
    x = leaf(t)
    x.register_hook(lambda g: g.sum())
    (x * 2).sum().backward()


@program
def hook_dtype(t):
    x = leaf(t)
    x.register_hook(lambda g: g.float())
    (x * 2).sum().backward()
    return str(x.grad.dtype).split(".")[-1]


@program
def hook_removed_in_hook(t):
    x = leaf(t)
    y = x * 2
    log = []

    def h(g):
        log.append(1)
        hs[1].remove()

    hs = [y.register_hook(h), y.register_hook(lambda g: log.append(2))]
    y.sum().backward(retain_graph=True)
    list(log)
    y.sum().backward()
    return log[-1:]


@program
def hook_handles(t):
    x = leaf(t)
    h = x.register_hook(lambda g: g * 2)
    h.remove()
    h.remove()
    (x * 1).sum().backward()
    return listed(x.grad)


@program
def node_hook(t):
    x = leaf(t)
    y = x * 2
    log = []
    y.grad_fn.register_hook(lambda gi, go: log.append((len(gi), len(go), gi[1] is None)))
    y.grad_fn.register_prehook(lambda go: (go[0] * 2,))
    y.sum().backward()
    return (log, listed(x.grad))


@program
def node_hook_wrong_len(t):
    x = leaf(t)
    y = x * 2
    y.grad_fn.register_hook(lambda gi, go: (gi[0],))
    y.sum().backward()


@program
def acc_node_hook(t):
    x = leaf(t)
    acc = (x * 2).grad_fn.next_functions[0][0]
    log = []
    acc.register_prehook(lambda go: log.append(("pre", listed(go[0]))))
    acc.register_hook(lambda gi, go: log.append(("post", len(gi), listed(go[0]), listed(x.grad))))
    (x * 2).sum().backward()
    return log


@program
def acc_prehook_modifies(t):
    x = leaf(t)
    acc = (x * 2).grad_fn.next_functions[0][0]
    acc.register_prehook(lambda go: (go[0] * 10,))
    (x * 2).sum().backward()
    return listed(x.grad)


@program
def nested_backward_in_hook(t):
    x = leaf(t)
    w = leaf(t)
    y = x * 2
    log = []

    def h(g):
        with t.enable_grad():
            z = (w * w).sum()
        z.backward()
        log.append(listed(w.grad))

    y.register_hook(h)
    y.sum().backward()
    return (log, listed(x.grad))


@program
def hook_raises(t):
    x = leaf(t)
    y = x * 2
    h = y.register_hook(lambda g: 1 / 0)
    with contextlib.suppress(ZeroDivisionError):
        y.sum().backward()
    h.remove()
    return (t.is_grad_enabled(), x.grad is None, listed(t.autograd.grad((y * 1).sum(), x)))


@program
def hook_grad_mode(t):
    x = leaf(t)
    y = x * 2
    log = []
    y.register_hook(lambda g: log.append(t.is_grad_enabled()))
    y.sum().backward(retain_graph=True)
    y.sum().backward(create_graph=True)
    x.grad = None
    return log


@program
def multi_hook(t):
    a, b, c = (leaf(t), leaf(t), leaf(t))
    log = []
    h = t.autograd.graph.register_multi_grad_hook(
        (a, b, c), lambda gs: log.append([None if g is None else listed(g) for g in gs])
    )
    (a * b).sum().backward()
    (a * b + c).sum().backward()
    h.remove()
    (a * b).sum().backward()
    return log


@program
def multi_hook_any(t):
    a, b = (leaf(t), leaf(t))
    log = []
    t.autograd.graph.register_multi_grad_hook((a, b), lambda g: log.append(listed(g)), mode="any")
    (a * 2 + b * 2).sum().backward()
    return len(log)


@program
def multi_hook_badmode(t):
    a = leaf(t)
    t.autograd.graph.register_multi_grad_hook((a,), lambda g: None, mode="x")


@program
def multi_hook_nonleaf(t):
    a = leaf(t)
    y = a * 2
    z = a * 3
    log = []
    t.autograd.graph.register_multi_grad_hook((y, z), lambda gs: log.append(listed(gs)))
    (y * z).sum().backward()
    return log


@program
def hooks_in_grad_capture(t):
    x = leaf(t)
    y = x * 2
    y.register_hook(lambda g: g * 3)
    z = (y * y).sum()
    return listed(t.autograd.grad(z, y))


@program
def prehook_in_capture(t):
    x = leaf(t)
    y = x * 2
    y.grad_fn.register_prehook(lambda g: (g[0] * 3,))
    z = (y * y).sum()
    return listed(t.autograd.grad(z, [y, x]))


@program
def prehook_order(t):
    x = leaf(t)
    y = x * 2
    log = []
    y.grad_fn.register_prehook(lambda g: log.append("pre"))
    y.register_hook(lambda g: log.append("t"))
    y.retain_grad()
    y.grad_fn.register_hook(lambda a, b: log.append("post"))
    y.sum().backward()
    return log


@program
def prehook_retain(t):
    x = leaf(t)
    y = x * 2
    y.grad_fn.register_prehook(lambda g: (g[0] * 5,))
    y.retain_grad()
    y.sum().backward()
    return (listed(y.grad), listed(x.grad))


@program
def multi_out_hook(t):
    x = leaf(t)
    a, b = x.split(2)
    log = []
    a.register_hook(lambda g: log.append(listed(g)) or g * 2)
    (a.sum() + b.sum()).backward()
    return (log, listed(x.grad))


@program
def multi_out_node_hook(t):
    x = leaf(t)
    a, b = x.split(2)
    log = []
    a.grad_fn.register_prehook(lambda gs: log.append([None if g is None else listed(g) for g in gs]))
    a.sum().backward()
    return (log, listed(x.grad))


@program
def multi_out_retain(t):
    x = leaf(t)
    a, b = x.split(2)
    a.retain_grad()
    b.retain_grad()
    (a * 2).sum().backward()
    return (listed(a.grad), b.grad is None if b.grad is None else listed(b.grad))


@program
def max_dim_hook(t):
    x = leaf(t, [[1.0, 2.0], [3.0, 0.0]])
    v, i = x.max(1)
    v.register_hook(lambda g: g * 3)
    v.sum().backward()
    return (listed(x.grad), i.requires_grad)
