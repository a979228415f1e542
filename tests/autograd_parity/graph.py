"""The graph itself: nodes and edges, what they save, versions, and the modes that switch recording."""

import warnings

from tests.autograd_parity import leaf, listed, program


@program(different="AccumulateGrad has no namespace in its name")
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


@program(different="AccumulateGrad has no namespace in its name")
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


@program(different="pack hooks are given tensors outside the graph")
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


@program(different="no Variable, forward_ad, profiler, multithreading switch")
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
