"""Hooks of modules."""

from importlib import import_module

from tests.autograd_parity import leaf, listed, program, rounded


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


@program
def a_backward_hook_leaves_detached_inputs_detached(t):
    seen = []

    class Three(t.nn.Module):
        def forward(self, a, b, c):
            seen.append([a.requires_grad, b.requires_grad, c.requires_grad])
            return a.sum() + b.sum() + c.sum(), b * 2

    x = leaf(t)
    for hooked in (False, True):
        module = Three()
        if hooked:
            module.register_full_backward_hook(lambda m, gi, go: seen.append((len(gi), listed(gi[0]), listed(gi[2]))))
        y, z = module(x, x.detach(), x)
        seen.append(z.requires_grad)
        y.backward()
    return seen, listed(x.grad), type(y.grad_fn).__name__


@program
def a_second_parametrization_is_applied_to_the_first(t):
    parametrize = import_module(t.__name__ + ".nn.utils.parametrize")

    class Doubled(t.nn.Module):
        def forward(self, x):
            return x * 2

        def right_inverse(self, x):
            return x / 2

    class Exponential(t.nn.Module):
        def forward(self, x):
            return x.exp()

        def right_inverse(self, x):
            return x.log()

    layer = t.nn.Linear(2, 1, bias=False).double()
    layer.weight.data = t.tensor([[1.0, 2.0]], dtype=t.float64)
    values = []
    for part in (Doubled(), Exponential()):
        parametrize.register_parametrization(layer, "weight", part)
        values.append(rounded(layer.weight))
        values.append(rounded(layer.parametrizations.weight.original))
    layer.weight = t.tensor([[5.0, 6.0]], dtype=t.float64)
    return [*values, rounded(layer.weight), rounded(layer.parametrizations.weight.original)]
