"""Nodes of the graph: called, asked, followed."""

from tests.autograd_parity import leaf, listed, program


@program
def a_node_is_called(t):
    x = leaf(t)
    y = x * 2
    called = y.grad_fn(t.ones(3, dtype=t.float64))
    return listed(called[0]), called[1] is None, len(called), y.grad_fn.name(), y.grad_fn.metadata


@program
def a_node_with_one_input_gives_one_gradient(t):
    x = leaf(t)
    called = x.exp().grad_fn(t.ones(3, dtype=t.float64))
    with t.no_grad():
        quiet = x.exp().grad_fn(t.ones(3, dtype=t.float64))
    return [round(v, 9) for v in listed(called)], called.requires_grad, quiet.requires_grad


@program
def a_node_that_was_called_can_be_run_again(t):
    x = leaf(t)
    y = x.exp().sum()
    for _ in range(2):
        y.grad_fn(t.ones((), dtype=t.float64))
    y.backward()
    return [round(v, 9) for v in listed(x.grad)]


@program
def the_node_of_a_leaf_is_called(t):
    x = leaf(t)
    node = (x * 2).grad_fn.next_functions[0][0]
    given = node(t.ones(3, dtype=t.float64))
    node(t.ones(3, dtype=t.float64))
    return given, listed(x.grad), node.variable is x, len(node.next_functions)


@program
def the_node_of_several_results_is_called(t):
    x = leaf(t, (1.0, 2.0, 3.0, 4.0))
    parts = x.split(2)
    one = t.ones(2, dtype=t.float64)
    top = x.max(0)[0].grad_fn(t.tensor(2.0, dtype=t.float64))
    return listed(parts[1].grad_fn(one, one * 3)), listed(parts[1].grad_fn(None, one)), listed(top)


@program(different="as every other node")
def the_node_of_a_function_is_called(t):
    class F(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, w):
            ctx.save_for_backward(x, w)
            return x * w

        @staticmethod
        def backward(ctx, g):
            x, w = ctx.saved_tensors
            return g * w, g * x

    x, w = leaf(t), leaf(t)
    node = F.apply(x, w).grad_fn
    called = node(t.ones(3, dtype=t.float64))
    return [listed(g) for g in called], [g.requires_grad for g in called]


@program(different="what a rule returns is summed where the input was broadcast")
def called_gradients_have_the_shape_of_the_input(t):
    x, y = leaf(t), t.ones(2, 3, dtype=t.float64, requires_grad=True)
    return [list(g.shape) for g in (x + y).grad_fn(t.ones(2, 3, dtype=t.float64))]


@program
def anomaly_flags(t):
    seen = []
    for block in (lambda: t.autograd.detect_anomaly(check_nan=False), t.autograd.detect_anomaly,
                  lambda: t.autograd.set_detect_anomaly(False), lambda: t.autograd.set_detect_anomaly(True, check_nan=False)):
        with block():
            seen.append((t.is_anomaly_enabled(), t.is_anomaly_check_nan_enabled()))
    seen.append(t.is_anomaly_enabled())
    return seen


@program
def variables(t):
    x = t.autograd.Variable(t.ones(2), requires_grad=True)
    data = t.ones(2)
    y = t.autograd.Variable(data)
    y[0] = 5
    (x * y).sum().backward()
    z = t.autograd.Variable(x)
    kinds = [isinstance(v, t.autograd.Variable) for v in (data, x, 3)]
    return listed(x.grad), listed(data), kinds, type(x) is t.Tensor, z.requires_grad, z.is_leaf


@program
def variable_of_no_tensor(t):
    return t.autograd.Variable([1.0])


@program
def numpy_of_a_parameter_under_no_grad(t):
    p = t.nn.Parameter(t.ones(2))
    with t.no_grad():
        p.numpy()[0] = 5
    return listed(p)


@program
def numpy_of_a_parameter(t):
    return t.nn.Parameter(t.ones(2)).numpy()
