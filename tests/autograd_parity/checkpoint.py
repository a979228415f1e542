"""``utils.checkpoint``."""

import contextlib

from tests.autograd_parity import checkpoints, leaf, program, rounded


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


@program(different="use_reentrant=True is the non-reentrant form")
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
