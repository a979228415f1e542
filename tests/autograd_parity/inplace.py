"""Writes in place and ``out=``: versions, views, and what the backward pass makes of them."""


import numpy as np

from tests.autograd_parity import leaf, listed, program


@program
def out_requires(t):
    x = leaf(t)
    o = t.empty(3, dtype=t.float64)
    t.add(x, x, out=o)


@program
def out_on_view(t):
    o = t.zeros(2, 3)
    v = o[1]
    r = t.add(t.ones(3), t.ones(3), out=v)
    return (listed(o), r is v)


@program
def out_on_view_transposed(t):
    o = t.zeros(3, 2)
    t.add(t.ones(2, 3), t.ones(2, 3), out=o.t())
    return listed(o)


@program
def out_wrong_shape(t):
    o = t.zeros(0)
    t.add(t.ones(3), 1, out=o)
    return listed(o)


@program
def out_bad_dtype(t):
    o = t.zeros(3, dtype=t.int64)
    t.add(t.ones(3), 1.5, out=o)


@program
def out_version(t):
    o = t.zeros(3)
    v = o._version
    t.add(t.ones(3), 1, out=o)
    return o._version - v


@program
def out_saved(t):
    x = leaf(t)
    c = t.ones(3, dtype=t.float64)
    y = x * c
    with t.no_grad():
        t.add(c, 1, out=c)
    y.sum().backward()


@program
def out_expanded(t):
    o = t.zeros(1).expand(3)
    t.add(t.ones(3), 1, out=o)


@program
def expand_inplace(t):
    t.zeros(3, 1).expand(3, 4).add_(1)


@program
def expand_inplace_grad(t):
    x = leaf(t)
    (x * 1).expand(2, 3).add_(1)


@program
def expand_setitem(t):
    t.zeros(3, 1).expand(3, 4)[0] = 1


@program(different="writes to views made under no_grad are recorded")
def nograd_view_inplace_grad(t):
    x = leaf(t)
    y = x * 1
    with t.no_grad():
        v = y[1:]
    v.mul_(x[1:] * 2)
    return v.requires_grad


@program
def nograd_inplace_view(t):
    x = leaf(t)
    y = x * 1
    v = y[1:]
    with t.no_grad():
        v.mul_(2)
    y.sum().backward()
    return (listed(y), listed(x.grad))


@program
def nograd_inplace_base(t):
    x = leaf(t)
    y = x * 1
    v = y[1:]
    with t.no_grad():
        y.mul_(2)
    v.sum().backward()
    return (listed(y), listed(x.grad), v.requires_grad, y.requires_grad)


@program
def sigmoid_inplace(t):
    x = leaf(t)
    y = x * 2
    y.sigmoid_()
    y.sum().backward()
    return [round(v, 12) for v in listed(x.grad)]


@program
def sigmoid_then_mul(t):
    x = leaf(t)
    y = (x * 2).sigmoid()
    y.mul_(2)
    y.sum().backward()


@program
def exp_then_add(t):
    x = leaf(t)
    y = x.exp()
    y.add_(1)
    y.sum().backward()


@program
def relu_inplace_twice(t):
    x = leaf(t)
    y = x - 2
    y.relu_()
    z = y * 1
    y.relu_()
    (z + y).sum().backward()
    return listed(x.grad)


@program(different="what only the same call saved is copied, not refused")
def inplace_self(t):
    x = leaf(t)
    y = x * 1
    y.mul_(y)
    y.sum().backward()
    return listed(x.grad)


@program
def inplace_self_exp(t):
    x = leaf(t)
    y = x * 1
    y.exp_().log_()
    y.sum().backward()
    return listed(x.grad)


@program
def saved_input_mod(t):
    x = leaf(t)
    y = x * 1
    z = y * y
    y.add_(1)
    z.sum().backward()


@program
def saved_view_mod(t):
    x = leaf(t)
    y = x * 1
    z = (y[1:] ** 2).sum()
    y[0] = 5
    z.backward()


@program
def full_setitem_memory(t):
    X = t.zeros(3)
    Y = t.ones(3)
    p = X.data_ptr()
    X[:] = X + Y
    q = X.data_ptr() == p
    X += Y
    r = X.data_ptr() == p
    X = X + Y
    return (q, r, X.data_ptr() == p, listed(X))


@program
def version_views(t):
    x = t.zeros(4)
    v = x[1:]
    w = v[1:]
    a = (x._version, v._version, w._version)
    w.add_(1)
    b = (x._version, v._version, w._version)
    x.mul_(2)
    d = (x._version, v._version)
    x[0] = 1
    return (a, b, d, x._version)


@program(different="changes of shape in place are no new version")
def version_ops(t):
    x = t.zeros(4)
    out = []
    for f in (
        lambda: x.zero_(),
        lambda: x.fill_(1),
        lambda: x.copy_(t.ones(4)),
        lambda: x.__setitem__(0, 1),
        lambda: x.add_(1),
        lambda: x.clamp_(0, 1),
        lambda: x.uniform_(),
        lambda: x.masked_fill_(x > 0, 1),
        lambda: x.index_fill_(0, t.tensor([0]), 1.0),
        lambda: x.resize_(4),
        lambda: x.unsqueeze_(0),
        lambda: x.detach_(),
        lambda: x.requires_grad_(),
    ):
        v = x._version
        f()
        out.append(x._version - v)
    return out


@program
def version_numpy(t):
    x = t.zeros(4)
    a = x.numpy()
    a[0] = 1
    return (listed(x), x._version)


@program
def inplace_dtype_err(t):
    t.ones(3, dtype=t.int64).add_(1.5)


@program
def inplace_bcast_err(t):
    t.ones(3).add_(t.ones(2, 3))


@program
def inplace_promote_ok(t):
    x = t.ones(3)
    x.add_(t.ones(3, dtype=t.float64))
    return str(x.dtype).split(".")[-1]


@program
def inplace_grad_cross_dtype(t):
    x = leaf(t)
    y = t.ones(3)
    y.mul_(x)
    y.sum().backward()
    return (listed(x.grad), str(x.grad.dtype).split(".")[-1])


@program
def masked_inplace(t):
    x = leaf(t)
    y = x * 1
    y[y > 1.5] *= 2
    y.sum().backward()
    return (listed(y), listed(x.grad))


@program(different="writes from overlapping memory take the values from before")
def slice_assign_from_self(t):
    x = leaf(t, (1.0, 2.0, 3.0, 4.0))
    y = x * 1
    y[1:] = y[:-1]
    (y * y).sum().backward()
    return (listed(y), listed(x.grad))


@program
def slice_assign_grad_value(t):
    x = leaf(t)
    v = leaf(t, (7.0,))
    y = t.zeros(3, dtype=t.float64)
    y[1:2] = v * 2
    (y * x).sum().backward()
    return (listed(v.grad), listed(x.grad), y.requires_grad)


@program(different="views keep their own grad_fn after a write to the base")
def nograd_buffer_becomes(t):
    v = leaf(t)
    b = t.zeros(5, dtype=t.float64)
    w = b[1:4]
    w.copy_(v)
    return (b.requires_grad, w.requires_grad, type(b.grad_fn).__name__, type(w.grad_fn).__name__)


@program(different="pieces can be written")
def unbind_inplace(t):
    x = leaf(t)
    y = x * 1
    a, b, c = y.unbind()
    a.mul_(2)


@program(different="pieces can be written")
def split_inplace(t):
    x = leaf(t)
    y = x * 1
    a = y.split(1)[0]
    a.mul_(2)


@program
def view_grad_fn_regenerated(t):
    x = leaf(t)
    y = x * 1
    v = y.view(3, 1)
    y.add_(1)
    v.sum().backward()
    return listed(x.grad)


@program
def diag_inplace(t):
    x = leaf(t, [[1.0, 2.0], [3.0, 4.0]])
    y = x * 1
    y.diagonal().fill_(0)
    (y * y).sum().backward()
    return listed(x.grad)


@program
def transpose_inplace(t):
    x = leaf(t, [[1.0, 2.0], [3.0, 4.0]])
    y = x * 1
    y.t()[0] *= 3
    (y * y).sum().backward()
    return (listed(y), listed(x.grad))


@program
def base_attr(t):
    x = leaf(t)
    y = x * 1
    v = y[1:]
    w = v[0]
    return (v._base is y, w._base is y, y._base is None, v._is_view(), y._is_view())


@program
def set_item_none_index_grad(t):
    x = leaf(t)
    y = t.zeros(2, 3, dtype=t.float64)
    y[...] = x
    (y * y).sum().backward()
    return listed(x.grad)


@program(different="names of grad_fn")
def copy_grad(t):
    x = leaf(t)
    y = t.zeros(3)
    y.copy_(x)
    y.sum().backward()
    return (listed(x.grad), str(x.grad.dtype).split(".")[-1], type(y.grad_fn).__name__)


@program
def fill_tensor_grad(t):
    v = t.tensor(2.0, dtype=t.float64, requires_grad=True)
    y = t.zeros(3, dtype=t.float64)
    y.fill_(v)
    y.sum().backward()
    return listed(v.grad)


@program(different="names of grad_fn")
def zero_after(t):
    x = leaf(t)
    y = x * 2
    y.zero_()
    return (y.requires_grad, type(y.grad_fn).__name__, listed(t.autograd.grad(y.sum(), x, allow_unused=True)))


@program
def inplace_numpy_shared(t):
    a = np.zeros(3)
    x = t.from_numpy(a)
    x.add_(1)
    return (a.tolist(), x._version)
