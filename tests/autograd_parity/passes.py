"""The backward pass: what ``backward`` and ``grad`` take, refuse, free and accumulate."""

import warnings

import numpy as np

from tests.autograd_parity import leaf, listed, program


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
def grad_backward_retain_grads_dtype(t):
    x = t.ones(3, requires_grad=True)
    y = x.double() * 2
    y.sum().backward()
    return str(x.grad.dtype).split(".")[-1]


@program
def swap_grad_zero(t):
    x = leaf(t)
    (x * x).sum().backward()
    x.grad.zero_()
    (x * x).sum().backward()
    return listed(x.grad)
