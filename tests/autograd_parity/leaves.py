"""What a leaf is, and a tensor without its graph: ``requires_grad``, ``detach``, ``data``, copies."""

from tests.autograd_parity import leaf, listed, program


@program
def detach_view(t):
    x = leaf(t)
    y = x * 1
    y[1:].detach_()


@program
def detach_view_of_nograd(t):
    y = t.ones(3)
    y[1:].detach_()


@program
def detach_inplace_ok(t):
    x = leaf(t)
    y = x * 2
    y.detach_()
    return (y.requires_grad, y.is_leaf, y.grad_fn is None)


@program
def detach_leaf(t):
    x = leaf(t)
    x.detach_()
    return x.requires_grad


@program
def rg_false_nonleaf(t):
    y = leaf(t) * 2
    y.requires_grad = False


@program
def rg_false_nonleaf2(t):
    y = leaf(t) * 2
    y.requires_grad_(False)


@program
def rg_int(t):
    t.ones(2, dtype=t.int64).requires_grad_()


@program
def data_mod(t):
    x = leaf(t)
    x.data.mul_(2)
    return (listed(x), x.requires_grad, x._version)


@program
def data_assign(t):
    x = leaf(t)
    x.data = t.zeros(3, dtype=t.float64)
    (x * 2).sum().backward()
    return (listed(x), listed(x.grad), x.requires_grad)


@program
def data_assign_shape(t):
    x = leaf(t)
    x.data = t.zeros(2, 2, dtype=t.float64)
    (x * 2).sum().backward()
    return (list(x.shape), listed(x.grad))


@program
def detach_then_inplace(t):
    x = leaf(t)
    y = x.exp()
    d = y.detach()
    d.zero_()
    y.sum().backward()


@program
def detach_version_shared(t):
    x = leaf(t)
    y = x * 1
    d = y.detach()
    d.add_(1)
    return (y._version, d._version)


@program
def leaf_inplace(t):
    leaf(t).add_(1)


@program
def leaf_view_inplace(t):
    leaf(t)[0].add_(1)


@program
def leaf_view_nograd_then(t):
    x = leaf(t)
    with t.no_grad():
        v = x[1:]
    v.add_(1)
    return (listed(x), v.requires_grad)


@program
def leaf_setitem(t):
    leaf(t)[0] = 1


@program
def leaf_nograd_inplace(t):
    x = leaf(t)
    with t.no_grad():
        x.add_(1)
        x[0] = 0
    return (listed(x), x.requires_grad, x._version)


@program
def deepcopy_nonleaf(t):
    import copy

    copy.deepcopy(leaf(t) * 2)


@program
def clone_grad(t):
    x = leaf(t)
    y = x.clone()
    y[0] = 9
    y.sum().backward()
    return (listed(x.grad), listed(x))


@program
def contiguous_alias(t):
    x = leaf(t)
    return x.contiguous() is x


@program
def req_grad_chain(t):
    x = t.ones(2)
    r = x.requires_grad_() is x
    return (r, x.is_leaf, x.detach().requires_grad)


@program
def view_as_leaf(t):
    x = leaf(t)
    v = x.view_as(x)
    return (v.is_leaf, type(v.grad_fn).__name__)


@program
def type_as_same(t):
    x = leaf(t)
    return (x.type_as(x) is x, x.double() is x, x.to(t.float64) is x)


@program(different="a view made before requires_grad_() on its base wants no gradient")
def inplace_on_requires_grad_false_then_true(t):
    x = t.ones(3)
    y = x.view(3)
    x.requires_grad_()
    return y.requires_grad


@program
def leaf_view_requires(t):
    x = t.ones(3)
    v = x[1:]
    v.requires_grad_()
    x.add_(1)
    return (listed(v), v.requires_grad)


@program
def leaf_view_requires2(t):
    x = t.ones(3)
    v = x[1:]
    v.requires_grad_()
    v.add_(1)


@program
def set_data_requires_grad_flag(t):
    x = leaf(t)
    return (x.data.requires_grad, x.data.is_leaf)


@program
def numpy_requires(t):
    leaf(t).numpy()
