"""What ``autograd.graph`` offers beside nodes, hooks where PyTorch documents them, re-entrance, threads: values and messages."""

from __future__ import annotations

import random
import threading
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import autograd, nn
from minigrad.autograd import graph


def leaf(*values: float) -> Any:
    return mg.tensor(values or (1.0, 2.0, 3.0), dtype=mg.float64, requires_grad=True)


# ---------------------------------------------------------------------------------------------------- names and edges

def test_the_public_names_of_graph() -> None:
    for name in ("Node", "saved_tensors_hooks", "save_on_cpu", "register_multi_grad_hook", "get_gradient_edge", "GradientEdge",
                 "increment_version", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks"):
        assert callable(getattr(graph, name)), name
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        graph.nothing  # noqa: B018


def test_a_gradient_edge_stands_for_its_tensor() -> None:
    x = leaf()
    y = x * 2
    first, second = y.split(2)
    edges = [graph.get_gradient_edge(t) for t in (x, y, second)]
    loss = (first.sum() * second.sum()) ** 2
    expected = autograd.grad(loss, [x, y, second], retain_graph=True)
    del y, first, second
    for one, other in zip(autograd.grad(loss, edges), expected):
        assert one.tolist() == other.tolist()
    with pytest.raises(RuntimeError, match="not possible to get the gradient edge for a Tensor that does not require gradients"):
        graph.get_gradient_edge(mg.ones(1))
    with pytest.raises(RuntimeError, match=r"a GradientEdge needs a gradient of its shape, \[3\]"):
        autograd.grad(edges[1], x)


# ---------------------------------------------------------------------------------------------------- hooks

@pytest.mark.parametrize(("hook", "error", "message"), [
    (lambda g: 3.0, TypeError, "expected Variable, but hook '<lambda>' returned 'float'"),
    (lambda g: g.float(), RuntimeError, r"changed the type of value: .*float64.*float32.*\.to\(grad.dtype\)"),
    (lambda g: g.sum(), RuntimeError, r"changed the size of value.*\[\].*\[3\]"),
])
def test_what_a_hook_may_not_return(hook: Any, error: type[Exception], message: str) -> None:
    for t in (leaf(), leaf() * 1):
        t.register_hook(hook)
        with pytest.raises(error, match=message):
            (t * 2).sum().backward()


def test_a_node_hook_returns_a_gradient_for_each() -> None:
    y = leaf() * 2
    y.grad_fn.register_hook(lambda grad_inputs, grad_outputs: (grad_inputs[0],))
    with pytest.raises(RuntimeError, match=r"returned an incorrect number of values \(got 1, but expected 2\)"):
        y.sum().backward()


def test_hooks_on_the_accumulation_run_around_it() -> None:
    x = leaf()
    order: list[Any] = []
    node = (x * 1).grad_fn.next_functions[0][0]
    node.register_hook(lambda grad_inputs, grad_outputs: order.append(("after", len(grad_inputs))))
    node.register_prehook(lambda grad_outputs: (grad_outputs[0] * 10,))
    x.register_hook(lambda g: order.append("tensor"))
    x.register_post_accumulate_grad_hook(lambda t: order.append("accumulated"))
    del node
    (x * 2).sum().backward()
    assert order == ["tensor", "accumulated", ("after", 0)]
    assert x.grad.tolist() == [20, 20, 20]


def test_hooks_stay_with_the_value_and_retain_grad_with_the_tensor() -> None:
    x = leaf()
    y = x * 2
    seen: list[Any] = []
    y.register_hook(lambda g: seen.append(("before", g.tolist())))
    y.retain_grad()
    y[1:].mul_(3)
    y.register_hook(lambda g: seen.append(("after", g.tolist())))
    y.sum().backward()
    assert seen == [("after", [1, 1, 1]), ("before", [1, 3, 3])]
    assert y.grad.tolist() == [1, 1, 1]


def test_multi_grad_hooks_know_their_modes() -> None:
    with pytest.raises(ValueError, match=r"Expects mode to be one of \('all', 'any'\) but got first"):
        graph.register_multi_grad_hook((leaf(),), print, mode="first")
    x, y = leaf(), leaf()
    seen: list[Any] = []
    with graph.register_multi_grad_hook((x, y), seen.append):
        (x * 2).sum().backward()
    (x * 2).sum().backward()
    assert len(seen) == 1
    assert seen[0][0].tolist() == [2, 2, 2]
    assert seen[0][1] is None


def test_what_a_hook_keeps_is_not_changed_later() -> None:
    x = leaf()
    kept: list[Any] = []
    y = x * 1
    y.retain_grad()
    w = y + 0
    for t in (x, y, w):
        t.register_hook(kept.append)
    (w * 2).sum().backward(retain_graph=True)
    kept.append(y.grad)
    y.grad = None
    (w * 2).sum().backward()
    assert [k.tolist() for k in kept[:4]] == [[2, 2, 2]] * 4
    assert x.grad.tolist() == [4, 4, 4]
    assert not np.shares_memory(x.grad.numpy(), y.grad.numpy())


# ---------------------------------------------------------------------------------------------------- saved values

def test_saved_tensors_of_one_node_can_be_packed_once() -> None:
    x = leaf()
    y = x.exp()
    saved = y.grad_fn._raw_saved_result
    saved.register_hooks(lambda t: t.numpy().astype(np.float32), lambda a: mg.from_numpy(a.astype(np.float64)))
    with pytest.raises(RuntimeError, match="only one pair of hooks is allowed at a time"):
        saved.register_hooks(lambda t: t, lambda t: t)
    y.sum().backward()
    assert x.grad.tolist() == np.exp([1, 2, 3]).astype(np.float32).tolist()
    with pytest.raises(RuntimeError, match=r"second time \(or to look at its saved tensors\)"):
        y.grad_fn._saved_result  # noqa: B018


def test_a_pack_hook_may_not_write() -> None:
    x = leaf()
    with graph.saved_tensors_hooks(lambda t: t.mul_(2), lambda t: t), \
            pytest.raises(RuntimeError, match=r"pack hook is modifying its input in place: mul_ at .*_tools\.py:\d+.*clone\(\)"):
        x.exp()
    assert mg.is_grad_enabled()


def test_hooks_on_saved_tensors_can_be_forbidden() -> None:
    @graph.disable_saved_tensors_hooks("no offloading here")
    def inside() -> None:
        with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
            pass

    with pytest.raises(RuntimeError, match="no offloading here"):
        inside()
    with graph.saved_tensors_hooks(lambda t: t, lambda t: t), pytest.raises(RuntimeError, match="no offloading here"):
        inside()
    with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        pass


def test_saved_tensors_may_be_written_where_that_is_allowed() -> None:
    x = leaf()
    y = x * 1
    with graph.allow_mutation_on_saved_tensors():
        z = (y * y).sum()
        first, = autograd.grad(z, x, create_graph=True)
        y.zero_()
        second, = autograd.grad(first.sum(), x, retain_graph=True)
        z.backward()
    assert x.grad.tolist() == [2, 4, 6]
    assert second.tolist() == [2, 2, 2]


def test_increment_version_makes_a_foreign_write_known() -> None:
    x = leaf()
    y = x * 1
    z = (y * y).sum()
    graph.increment_version([y])
    with pytest.raises(RuntimeError, match="which increment_version at .*then changed"):
        z.backward()


# ---------------------------------------------------------------------------------------------------- re-entrance, threads

def test_a_backward_pass_inside_a_rule_and_inside_a_hook() -> None:
    class Inner(autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return (x * x).sum()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            with mg.enable_grad():
                x = ctx.saved_tensors[0].detach().requires_grad_()
                (x * x).sum().backward()
            return g * x.grad

    x, w = leaf(), leaf()
    y = x * 2

    def hook(g: Any) -> None:
        with mg.enable_grad():
            (w * w).sum().backward()

    y.register_hook(hook)
    Inner.apply(y).backward()
    assert x.grad.tolist() == [8, 16, 24]
    assert w.grad.tolist() == [2, 4, 6]


@pytest.mark.parametrize("where", ["tensor", "leaf", "pre", "post", "accumulated", "unpack", "rule"])
def test_an_exception_leaves_the_engine_and_the_mode_as_they_were(where: str) -> None:
    def fail(*args: Any) -> Any:
        raise ZeroDivisionError

    class Failing(autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1
        backward = staticmethod(fail)

    x = leaf()
    y = x * x
    if where == "tensor":
        y.register_hook(fail)
    elif where == "leaf":
        x.register_hook(fail)
    elif where == "pre":
        y.grad_fn.register_prehook(fail)
    elif where == "post":
        y.grad_fn.register_hook(fail)
    elif where == "accumulated":
        x.register_post_accumulate_grad_hook(fail)
    elif where == "unpack":
        with graph.saved_tensors_hooks(lambda t: t, fail):
            y = y * y
    else:
        y = Failing.apply(y)
    with pytest.raises(ZeroDivisionError):
        y.sum().backward()
    assert mg.is_grad_enabled()
    w = leaf()
    assert autograd.grad((w * w).sum(), w)[0].tolist() == [2, 4, 6]


def test_threads_build_and_differentiate_graphs_of_their_own() -> None:
    """Each runs random programs with modes, hooks, writes and second derivatives, and must find what one thread alone finds."""
    def work(seed: int) -> list[float]:
        dice = random.Random(seed)
        model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)).double()
        with mg.no_grad():
            for k, p in enumerate(model.parameters()):
                p.copy_(mg.linspace(-1, 1, p.numel(), dtype=mg.float64).reshape(p.shape) * (k + 1) / 4)
        found = []
        for _ in range(15):
            x = mg.tensor([[dice.random() for _ in range(4)] for _ in range(3)], dtype=mg.float64, requires_grad=True)
            y = x * 1
            y[1:].mul_(dice.random())
            with mg.set_grad_enabled(dice.random() < 0.5):
                z = y * 2
            with y.register_hook(lambda g: g * 2):
                first, = autograd.grad(model(y).sum() + (z.sum() if z.requires_grad else 0), x, create_graph=True)
            (first ** 2).sum().backward()
            found += [float(x.grad.sum()), float(model[0].weight.grad.sum())]
            assert mg.is_grad_enabled()
        return found

    expected = [work(seed) for seed in range(4)]
    results: dict[int, Any] = {}

    def run(k: int) -> None:
        try:
            results[k] = work(k % 4)
        except Exception as error:
            results[k] = error

    threads = [threading.Thread(target=run, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(8):
        assert results[k] == expected[k % 4]


# ---------------------------------------------------------------------------------------------------- functions and transforms

def test_a_dirty_input_must_be_returned() -> None:
    class Lost(autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.mark_dirty(x.mul_(2))
            return x * 1

    with pytest.raises(RuntimeError, match="marked as dirty during the forward method were not returned as output"):
        Lost.apply(leaf() * 1)
    with pytest.raises(RuntimeError, match=r"Legacy autograd function.*call Lost\.apply"):
        Lost()(leaf())
    with pytest.raises(NotImplementedError, match="must implement either the backward"):
        Lost.backward(None)
    with pytest.raises(NotImplementedError, match="vmap staticmethod"):
        Lost.vmap(None, None)
    with pytest.raises(NotImplementedError, match="must implement the jvp"):
        Lost.jvp(None)


def test_random_numbers_inside_vmap() -> None:
    noise = mg.zeros(4)
    with pytest.raises(RuntimeError, match="randomness='same' or 'different'"):
        mg.func.vmap(lambda x: x + mg.rand(()))(noise)
    same = mg.func.vmap(lambda x: x + mg.rand(()), randomness="same")(noise).tolist()
    different = mg.func.vmap(lambda x: x + mg.rand(()), randomness="different")(noise).tolist()
    assert len(set(same)) == 1
    assert len(set(different)) == 4
    with pytest.raises(RuntimeError, match="Only allowed values for randomness"):
        mg.func.vmap(lambda x: x, randomness="none")
    with pytest.raises(ValueError, match="Got in_dim=2 for some input"):
        mg.func.vmap(lambda x: x, in_dims=2)(noise)
    with pytest.raises(ValueError, match="must only return Tensors"):
        mg.func.vmap(lambda x: 3)(noise)
    with pytest.raises(RuntimeError, match="Expected primals to be a tuple"):
        mg.func.jvp(lambda x: x, noise, noise)


def test_a_checkpoint_notices_other_shapes() -> None:
    from minigrad.utils.checkpoint import CheckpointError, checkpoint

    calls = iter([1.0, 2.0])
    y = checkpoint(lambda t: t[:int(next(calls))].exp().sum(), leaf())
    with pytest.raises(CheckpointError, match=r"tensor 0 was minigrad.float64\[1\], computed again it is minigrad.float64\[2\]"):
        y.backward()
    with pytest.raises(ValueError, match="determinism_check should be 'default' or 'none'"):
        checkpoint(mg.exp, leaf(), determinism_check="strict")
    assert mg.utils.checkpoint.checkpoint is checkpoint
