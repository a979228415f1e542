"""Programs that use autograd as its documentation describes it, run with minigrad and with PyTorch: same values, same errors.

Each takes the library and returns plain Python values. ``DIFFERENT`` holds the programs in which the two differ on purpose, every
one a line of the table in docs/differences.md.
"""

import contextlib
import json
import warnings
from importlib import import_module

import numpy as np
import pytest

import minigrad

PROGRAMS = {}


def program(function):
    PROGRAMS[function.__name__] = function
    return function


def listed(x):
    if isinstance(x, (tuple, list)):
        return [listed(i) for i in x]
    return x.detach().tolist() if hasattr(x, "detach") else x


def rounded(x):
    return np.round(np.array(listed(x)), 9).tolist()


def leaf(t, v=(1.0, 2.0, 3.0)):
    return t.tensor(list(v), dtype=t.float64, requires_grad=True)


def function(t):
    return t.autograd.Function


def checkpoints(t):
    return import_module(t.__name__ + ".utils.checkpoint")


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
def backward_inputs_nonleaf(t):
    x = leaf(t)
    y = x * 2
    z = (y * y).sum()
    z.backward(inputs=[y])
    return (listed(y.grad), x.grad is None)


@program
def backward_inputs_nonleaf_and_leaf(t):
    x = leaf(t)
    y = x * 2
    z = (y * y).sum()
    z.backward(inputs=[y, x])
    return (listed(y.grad), listed(x.grad))


@program
def backward_inputs_empty(t):
    x = leaf(t)
    (x * 2).sum().backward(inputs=[])


@program
def backward_inputs_unused(t):
    x = leaf(t)
    w = leaf(t)
    (x * 2).sum().backward(inputs=[w])
    return w.grad is None


@program
def grad_nonleaf_leaf(t):
    x = leaf(t)
    y = x * 2
    return listed(t.autograd.grad((y * y + x).sum(), [x, y]))


@program
def grad_of_self(t):
    x = leaf(t, (2.0,))
    y = x * 2
    return listed(t.autograd.grad(y, y))


@program
def grad_dup_inputs(t):
    x = leaf(t)
    return listed(t.autograd.grad((x * x).sum(), [x, x]))


@program
def grad_twice_parts(t):
    x = leaf(t)
    y = x * x
    a = y.sum()
    b = (y * 3).sum()
    a.backward()
    b.backward()
    return listed(x.grad)


@program
def grad_parts_ok(t):
    x = leaf(t)
    y = x * 2
    a = (y * y).sum()
    b = y.sum()
    a.backward()
    b.backward()
    return listed(x.grad)


@program
def retain_part(t):
    x = leaf(t)
    y = x.exp()
    a = (y * y).sum()
    b = y.sin().sum()
    a.backward(retain_graph=True)
    b.backward()
    return listed(x.grad)


@program
def second_backward(t):
    x = leaf(t)
    y = (x * x).sum()
    y.backward()
    y.backward()


@program
def saved_after_free(t):
    x = leaf(t)
    y = (x * x).sum()
    f = y.grad_fn.next_functions[0][0]
    y.backward()
    return f._saved_self


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
def expand_inplace(t):
    t.zeros(3, 1).expand(3, 4).add_(1)


@program
def expand_inplace_grad(t):
    x = leaf(t)
    (x * 1).expand(2, 3).add_(1)


@program
def expand_setitem(t):
    t.zeros(3, 1).expand(3, 4)[0] = 1


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


@program
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


@program
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


@program
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


@program
def nograd_buffer_becomes(t):
    v = leaf(t)
    b = t.zeros(5, dtype=t.float64)
    w = b[1:4]
    w.copy_(v)
    return (b.requires_grad, w.requires_grad, type(b.grad_fn).__name__, type(w.grad_fn).__name__)


@program
def unbind_inplace(t):
    x = leaf(t)
    y = x * 1
    a, b, c = y.unbind()
    a.mul_(2)


@program
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
def deepcopy_nonleaf(t):
    import copy

    copy.deepcopy(leaf(t) * 2)


@program
def grad_none_warn(t):
    y = leaf(t) * 2
    with warnings.catch_warnings(record=True) as c:
        warnings.simplefilter("always")
        g = y.grad
    return (g is None, len(c), c[0].category.__name__)


@program
def grad_assign_errs(t):
    x = leaf(t)
    out = []
    for v in (t.ones(2, dtype=t.float64), t.ones(3), 3, x):
        try:
            x.grad = v
            out.append("ok")
        except Exception as e:
            out.append(
                type(e).__mro__[-3].__name__ if False else [c.__name__ for c in type(e).__mro__ if c.__module__ == "builtins"][0]
            )
    return out


@program
def create_graph_then_grad(t):
    x = leaf(t)
    (g,) = t.autograd.grad((x**3).sum(), x, create_graph=True)
    (h,) = t.autograd.grad(g.sum(), x, create_graph=True)
    (k,) = t.autograd.grad(h.sum(), x)
    return listed([g, h, k])


@program
def gp(t):
    x = leaf(t, [[1.0, 2.0], [3.0, -1.0]])
    w = leaf(t, [[0.5], [-0.3]])
    o = (x @ w).tanh().sum()
    (g,) = t.autograd.grad(o, x, create_graph=True)
    p = ((g.norm(dim=1) - 1) ** 2).mean()
    p.backward()
    return (np.round(listed(w.grad), 10).tolist(), np.round(listed(x.grad), 10).tolist())


@program
def materialize(t):
    x = leaf(t)
    w = leaf(t)
    return listed(t.autograd.grad((x * 2).sum(), [x, w], materialize_grads=True))


@program
def unused_err(t):
    x = leaf(t)
    w = leaf(t)
    return listed(t.autograd.grad((x * 2).sum(), [x, w]))


@program
def allow_unused(t):
    x = leaf(t)
    w = leaf(t)
    return t.autograd.grad((x * 2).sum(), [x, w], allow_unused=True)[1] is None


@program
def mat_and_allow_false(t):
    x = leaf(t)
    t.autograd.grad((x * 2).sum(), [x], allow_unused=False, materialize_grads=True)


@program
def batched(t):
    x = leaf(t)
    y = x**2
    return listed(t.autograd.grad(y, x, t.eye(3, dtype=t.float64), is_grads_batched=True))


@program
def grad_outputs_wrong(t):
    x = leaf(t)
    t.autograd.grad(x * 2, x, t.ones(2, dtype=t.float64))


@program
def grad_outputs_none_nonscalar(t):
    x = leaf(t)
    t.autograd.grad(x * 2, x)


@program
def grad_outputs_float(t):
    x = leaf(t)
    t.autograd.grad((x * 2).sum(), x, 1.0)


@program
def grad_outputs_int(t):
    x = leaf(t)
    (x * 2).backward(t.ones(3, dtype=t.int64))
    return (listed(x.grad), str(x.grad.dtype).split(".")[-1])


@program
def grad_outputs_f32(t):
    x = leaf(t)
    (x * 2).backward(t.ones(3))
    return (listed(x.grad), str(x.grad.dtype).split(".")[-1])


@program
def backward_noreq(t):
    t.ones(()).backward()


@program
def backward_int(t):
    t.ones((), dtype=t.int64).backward()


@program
def backward_pass_list(t):
    x = leaf(t)
    y = x * 2
    t.autograd.backward([y.sum(), (y * y).sum()])
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
def backward_under_nograd(t):
    x = leaf(t)
    y = (x * x).sum()
    with t.no_grad():
        y.backward()
        e = t.is_grad_enabled()
    return (listed(x.grad), e)


@program
def grad_create_under_nograd(t):
    x = leaf(t)
    y = (x * x).sum()
    with t.no_grad():
        (g,) = t.autograd.grad(y, x, create_graph=True)
    return g.requires_grad


@program
def grad_accumulate_inplace_identity(t):
    x = leaf(t)
    (x * 2).sum().backward()
    g = x.grad
    (x * 2).sum().backward()
    return (x.grad is g, listed(g))


@program
def grad_accumulate_create_graph(t):
    x = leaf(t)
    (x * x).sum().backward(create_graph=True)
    g = x.grad
    (x * x).sum().backward(create_graph=True)
    r = (x.grad is g, listed(x.grad), x.grad.requires_grad)
    x.grad = None
    return r


@program
def next_functions(t):
    x = leaf(t)
    y = (x * 2 + 1).exp().sum()
    names = []
    n = y.grad_fn
    while n is not None:
        names.append(n.name())
        n = n.next_functions[0][0] if n.next_functions else None
    return names


@program
def node_identity(t):
    x = leaf(t)
    y = x * 2
    z = y + 1
    return (z.grad_fn.next_functions[0][0] is y.grad_fn, y.grad_fn is y.grad_fn, z.grad_fn.next_functions[1][0] is None)


@program
def nodes_isinstance(t):
    x = leaf(t)
    y = x * 2
    return (isinstance(y.grad_fn, t.autograd.graph.Node), y.output_nr, y.unbind()[1].output_nr)


@program
def edge(t):
    x = leaf(t)
    y = x * 2
    e = t.autograd.graph.get_gradient_edge(y)
    e2 = t.autograd.graph.get_gradient_edge(x)
    return (e.node is y.grad_fn, e.output_nr, e2.node.name())


@program
def grad_wrt_edge(t):
    x = leaf(t)
    y = x * 2
    e = t.autograd.graph.get_gradient_edge(y)
    z = (y * y).sum()
    del y
    return listed(t.autograd.grad(z, [e, x]))


@program
def grad_of_edge_output(t):
    x = leaf(t)
    y = x * 2
    e = t.autograd.graph.get_gradient_edge(y)
    return listed(t.autograd.grad([e], [x], [t.ones(3, dtype=t.float64)]))


@program
def edge_nograd(t):
    t.autograd.graph.get_gradient_edge(t.ones(2))


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
def inc_version(t):
    x = t.zeros(2)
    v = x._version
    t.autograd.graph.increment_version(x)
    return x._version - v


@program
def inc_version_err(t):
    x = leaf(t)
    y = x * 1
    z = y * y
    t.autograd.graph.increment_version(y)
    z.sum().backward()


@program
def allow_mut(t):
    x = leaf(t)
    with t.autograd.graph.allow_mutation_on_saved_tensors():
        y = x * 1
        z = (y * y).sum()
        y.mul_(10)
        z.backward()
    return listed(x.grad)


@program
def allow_mut_chain(t):
    x = leaf(t)
    with t.autograd.graph.allow_mutation_on_saved_tensors():
        y = x.exp()
        z = y.sin()
        y.zero_()
        w = y * x
        y.fill_(3)
        (z + w).sum().backward()
    return [round(v, 10) for v in listed(x.grad)]


@program
def disable_hooks(t):
    with t.autograd.graph.disable_saved_tensors_hooks("no"), t.autograd.graph.saved_tensors_hooks(lambda x: x, lambda x: x):
        pass


@program
def sth(t):
    x = leaf(t)
    log = []
    with t.autograd.graph.saved_tensors_hooks(lambda u: log.append(listed(u)) or u, lambda u: u * 2):
        y = (x * x).sum()
    y.backward()
    return (log, listed(x.grad))


@program
def sth_nested(t):
    x = leaf(t)
    log = []
    with t.autograd.graph.saved_tensors_hooks(lambda u: log.append("o") or u, lambda u: u):
        with t.autograd.graph.saved_tensors_hooks(lambda u: log.append("i") or u, lambda u: u):
            a = x.exp()
        b = a.sin()
    b.sum().backward()
    return log


@program
def sth_inplace_pack(t):
    x = leaf(t)
    with t.autograd.graph.saved_tensors_hooks(lambda u: u.mul_(2), lambda u: u):
        x * 1 * (x * 1)


@program
def sth_leaf_not_packed_requires(t):
    x = leaf(t)
    log = []
    with t.autograd.graph.saved_tensors_hooks(lambda u: log.append(u.requires_grad) or u, lambda u: u):
        x.exp()
    return log


@program
def sth_node_register(t):
    x = leaf(t)
    y = x.exp()
    s = y.grad_fn._raw_saved_result
    s.register_hooks(lambda u: u.numpy(), lambda a: t.from_numpy(a))
    y.sum().backward()
    return [round(v, 10) for v in listed(x.grad)]


@program
def raw_saved(t):
    x = leaf(t)
    y = x * x
    return (type(y.grad_fn._raw_saved_self).__name__, listed(y.grad_fn._saved_self))


@program
def saved_scalar(t):
    x = leaf(t)
    y = x**3
    return y.grad_fn._saved_exponent


@program
def saved_dim(t):
    x = leaf(t)
    y = x.sum(dim=0)
    return list(y.grad_fn._saved_self_sym_sizes)


@program
def modes_decor(t):
    leaf(t)

    @t.no_grad()
    class A:
        pass

    return "ok"


@program
def inference(t):
    x = leaf(t)
    with t.inference_mode():
        y = x * 2
        r = (y.requires_grad, t.is_inference_mode_enabled(), t.is_grad_enabled())
    return r


@program
def sge_block(t):
    with t.set_grad_enabled(False):
        a = t.is_grad_enabled()
    return (a, t.is_grad_enabled())


@program
def autograd_grad_mode_names(t):
    return [hasattr(t.autograd.grad_mode, n) for n in ("no_grad", "enable_grad", "set_grad_enabled", "inference_mode")]


@program
def autograd_names(t):
    return (
        [
            hasattr(t.autograd, n)
            for n in (
                "Variable",
                "Function",
                "backward",
                "grad",
                "functional",
                "function",
                "grad_mode",
                "anomaly_mode",
                "graph",
                "gradcheck",
                "forward_ad",
                "profiler",
                "variable",
                "detect_anomaly",
                "set_detect_anomaly",
                "is_multithreading_enabled",
                "set_multithreading_enabled",
            )
        ],
        hasattr(t.autograd.function, "once_differentiable"),
        hasattr(t.autograd.function, "Function"),
    )


@program
def autograd_gradcheck_module(t):
    return t.autograd.gradcheck.__name__


@program
def checkpoint_path(t):
    return t.utils.checkpoint.checkpoint.__name__


@program
def conj_grad(t):
    z = t.tensor([1 + 2j, 3 - 1j], requires_grad=True)
    (z * z.conj()).real.sum().backward()
    return [complex(v) for v in listed(z.grad)]


@program
def real_out_complex_back(t):
    z = t.tensor([1 + 2j], requires_grad=True)
    (z * z).backward()


@program
def integer_leaf_in_graph(t):
    i = t.tensor([0, 2])
    x = leaf(t)
    y = x[i]
    y.sum().backward()
    return listed(x.grad)


@program
def zero_dim_iter(t):
    x = leaf(t)
    s = sum(v * v for v in x)
    s.backward()
    return listed(x.grad)


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


@program
def set_item_none_index_grad(t):
    x = leaf(t)
    y = t.zeros(2, 3, dtype=t.float64)
    y[...] = x
    (y * y).sum().backward()
    return listed(x.grad)


@program
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


@program
def zero_after(t):
    x = leaf(t)
    y = x * 2
    y.zero_()
    return (y.requires_grad, type(y.grad_fn).__name__, listed(t.autograd.grad(y.sum(), x, allow_unused=True)))


@program
def grad_backward_retain_grads_dtype(t):
    x = t.ones(3, requires_grad=True)
    y = x.double() * 2
    y.sum().backward()
    return str(x.grad.dtype).split(".")[-1]


@program
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
def swap_grad_zero(t):
    x = leaf(t)
    (x * x).sum().backward()
    x.grad.zero_()
    (x * x).sum().backward()
    return listed(x.grad)


@program
def anomaly_backward(t):
    x = t.tensor([0.0, 1.0], requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with t.autograd.detect_anomaly():
            y = (x.sqrt() * 0).sum()
            y.backward()


@program
def anomaly_mode_flag(t):
    return t.is_anomaly_enabled()


@program
def set_data_requires_grad_flag(t):
    x = leaf(t)
    return (x.data.requires_grad, x.data.is_leaf)


@program
def numpy_requires(t):
    leaf(t).numpy()


@program
def inplace_numpy_shared(t):
    a = np.zeros(3)
    x = t.from_numpy(a)
    x.add_(1)
    return (a.tolist(), x._version)


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


@program
def f_attrs(t):

    class A(function(t)):
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

    class A(function(t)):
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

    class A(function(t)):
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

    class A(function(t)):
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

    class A(function(t)):
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

    class A(function(t)):
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

    class A(function(t)):
        @staticmethod
        def forward(ctx, x):
            raise ValueError("boo")

    try:
        A.apply(leaf(t))
    except ValueError as e:
        return (str(e), t.is_grad_enabled())


@program
def f_no_backward(t):

    class A(function(t)):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    A.apply(leaf(t)).sum().backward()


@program
def f_no_forward(t):

    class A(function(t)):
        pass

    A.apply(leaf(t))


@program
def f_instance(t):

    class A(function(t)):
        def forward(self, x):
            return x * 2

        def backward(self, g):
            return g

    A()(leaf(t))


@program
def f_kwargs(t):

    class A(function(t)):
        @staticmethod
        def forward(ctx, x, k=2):
            return x * k

        @staticmethod
        def backward(ctx, g):
            return (g, None)

    return listed(A.apply(leaf(t), k=3))


@program
def f_default(t):

    class A(function(t)):
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

    class A(function(t)):
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
def f_dirty_not_returned(t):

    class A(function(t)):
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

    class A(function(t)):
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

    class A(function(t)):
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

    class A(function(t)):
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

    class A(function(t)):
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

    class A(function(t)):
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


@program
def f_list_out(t):

    class A(function(t)):
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

    class A(function(t)):
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

    class A(function(t)):
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
def f_save_nontensor(t):

    class A(function(t)):
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

    class A(function(t)):
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

    class A(function(t)):
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

    class A(function(t)):
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

    class A(function(t)):
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


@program
def f_nograd_none(t):

    class A(function(t)):
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

    class A(function(t)):
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

    class A(function(t)):
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

    class A(function(t)):
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

    class A(function(t)):
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
def f_once(t):
    from importlib import import_module

    od = import_module(t.__name__ + ".autograd.function").once_differentiable

    class A(function(t)):
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
    from importlib import import_module

    od = import_module(t.__name__ + ".autograd.function").once_differentiable

    class A(function(t)):
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
def f_nested_struct(t):

    class A(function(t)):
        @staticmethod
        def forward(ctx, xs):
            return xs[0] * 2

        @staticmethod
        def backward(ctx, g):
            return None

    return A.apply([leaf(t)]).requires_grad


@program
def f_forward_grad_mode(t):
    log = []

    class A(function(t)):
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
def f_inplace_on_out(t):

    class A(function(t)):
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

    class A(function(t)):
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


@program
def f_module_member(t):

    class A(function(t)):
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

    class A(function(t)):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 3 * x**2

    return (t.autograd.gradcheck(A.apply, (leaf(t),)), t.autograd.gradgradcheck(A.apply, (leaf(t),)))


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


@program
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


@program
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


@program
def ck(t):
    x = leaf(t)
    y = checkpoints(t).checkpoint(lambda a: a.sin().exp(), x, use_reentrant=False)
    y.sum().backward()
    return rounded(x.grad)


@program
def ck_kw(t):
    x = leaf(t)
    y = checkpoints(t).checkpoint(lambda a, k=1: a.sin() * k, x, use_reentrant=False, k=4)
    y.sum().backward()
    return rounded(x.grad)


@program
def ck_none(t):
    x = leaf(t)
    y = checkpoints(t).checkpoint(lambda a, b: a.sin(), x, None, use_reentrant=False)
    y.sum().backward()
    return rounded(x.grad)


@program
def ck_nested(t):
    c = checkpoints(t).checkpoint
    x = leaf(t)
    y = c(lambda a: c(lambda b: b.exp(), a.sin(), use_reentrant=False).cos(), x, use_reentrant=False)
    y.sum().backward()
    return rounded(x.grad)


@program
def ck_calls(t):
    n = []
    x = leaf(t)
    y = checkpoints(t).checkpoint(lambda a: (n.append(1), a.sin().exp())[1], x, use_reentrant=False)
    y.sum().backward()
    return len(n)


@program
def ck_tuple(t):
    x = leaf(t)
    a, b = checkpoints(t).checkpoint(lambda a: (a.sin(), a.exp()), x, use_reentrant=False)
    (a * b).sum().backward()
    return rounded(x.grad)


@program
def ck_grad(t):
    x = leaf(t)
    y = checkpoints(t).checkpoint(lambda a: a.sin().exp(), x, use_reentrant=False)
    return rounded(t.autograd.grad(y.sum(), x)[0])


@program
def ck_reentrant(t):
    x = leaf(t)
    y = checkpoints(t).checkpoint(lambda a: a.sin().exp(), x, use_reentrant=True)
    y.sum().backward()
    return rounded(x.grad)


@program
def ck_reentrant_grad(t):
    x = leaf(t)
    y = checkpoints(t).checkpoint(lambda a: a.sin().exp(), x, use_reentrant=True)
    return rounded(t.autograd.grad(y.sum(), x))


@program
def ck_seq(t):
    x = leaf(t)
    m = t.nn.Sequential(t.nn.Tanh(), t.nn.Sigmoid(), t.nn.Tanh())
    y = checkpoints(t).checkpoint_sequential(m, 2, x, use_reentrant=False)
    y.sum().backward()
    return rounded(x.grad)


@program
def ck_unexpected_kw(t):
    x = leaf(t)
    checkpoints(t).checkpoint(lambda a: a.sin().exp(), x, use_reentrant=False, foo=1)


@program
def ck_error_class(t):
    return issubclass(checkpoints(t).CheckpointError, RuntimeError)


@program
def ck_context_fn(t):
    x = leaf(t)
    y = checkpoints(t).checkpoint(
        lambda a: a.sin().exp(),
        x,
        use_reentrant=False,
        context_fn=lambda: (contextlib.nullcontext(), contextlib.nullcontext()),
        determinism_check="default",
        debug=False,
    )
    y.sum().backward()
    return rounded(x.grad)


@program
def ck_nograd(t):
    x = leaf(t)
    with t.no_grad():
        y = checkpoints(t).checkpoint(lambda a: a.sin().exp(), x, use_reentrant=False)
    return y.requires_grad


@program
def mh(t):
    m = t.nn.Linear(2, 1).double()
    m.weight.data.fill_(1)
    m.bias.data.fill_(0)
    log = []
    m.register_forward_pre_hook(lambda m, a: (a[0] * 2,))
    m.register_forward_hook(lambda m, a, o: o + 1)
    m.register_full_backward_hook(lambda m, gi, go: log.append((rounded(gi[0]), rounded(go[0]))))
    m.register_full_backward_pre_hook(lambda m, go: (go[0] * 3,))
    x = leaf(t, [[1.0, 2.0]])
    y = m(x)
    y.sum().backward()
    return (listed(y), log, listed(x.grad), listed(m.weight.grad))


@program
def mh_bw_modify(t):
    m = t.nn.Tanh()
    m.register_full_backward_hook(lambda m, gi, go: (gi[0] * 0 + 1,))
    x = leaf(t)
    m(x).sum().backward()
    return listed(x.grad)


@program
def mh_global(t):
    log = []
    from importlib import import_module

    mod = import_module(t.__name__ + ".nn.modules.module")
    h = mod.register_module_forward_hook(lambda m, a, o: log.append(type(m).__name__))
    t.nn.Tanh()(t.ones(2))
    h.remove()
    t.nn.Tanh()(t.ones(2))
    return log


@program
def mh_inplace_after(t):
    m = t.nn.Tanh()
    m.register_full_backward_hook(lambda m, gi, go: None)
    x = leaf(t)
    y = m(x * 1)
    y.sum().backward()
    return rounded(x.grad)


@program
def mh_noinputgrad(t):
    m = t.nn.Linear(2, 1).double()
    log = []
    m.register_full_backward_hook(lambda m, gi, go: log.append(gi[0] is None))
    m(t.ones(1, 2, dtype=t.float64)).sum().backward()
    return log


DIFFERENT = {
    "data_mod": "writes through .data are counted as versions of the same memory",
    "nograd_view_inplace_grad": "writes to views made under no_grad are recorded",
    "inplace_self": "what only the same call saved is copied, not refused",
    "version_ops": "changes of shape in place are no new version",
    "slice_assign_from_self": "writes from overlapping memory take the values from before",
    "nograd_buffer_becomes": "views keep their own grad_fn after a write to the base",
    "unbind_inplace": "pieces can be written",
    "split_inplace": "pieces can be written",
    "next_functions": "AccumulateGrad has no namespace in its name",
    "edge": "AccumulateGrad has no namespace in its name",
    "sth_leaf_not_packed_requires": "pack hooks are given tensors outside the graph",
    "autograd_names": "no Variable, forward_ad, profiler, multithreading switch",
    "copy_grad": "names of grad_fn",
    "zero_after": "names of grad_fn",
    "inplace_on_requires_grad_false_then_true": "a view made before requires_grad_() on its base wants no gradient",
    "f_list_out": "a list of results is recorded as a tuple is",
    "f_once": "the gradient says that it cannot be differentiated",
    "fn_jac_fwd_no_vec": "accepted; the result is the same",
    "fn_vmap_item": "vmap runs the function for each index",
    "ck_reentrant_grad": "use_reentrant=True is the non-reentrant form",
}


def outcome(t, function):
    t.set_grad_enabled(True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return json.dumps(function(t), default=str)
        except Exception as error:
            return next(c for c in type(error).__mro__ if c.__module__ == "builtins").__name__


@pytest.mark.parity
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_does_what_it_does_in_pytorch(name):
    torch = pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
    mine, theirs = (outcome(t, PROGRAMS[name]) for t in (minigrad, torch))
    assert (mine == theirs) == (name not in DIFFERENT), f"minigrad: {mine}, PyTorch: {theirs}"
