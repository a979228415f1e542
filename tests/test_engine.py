"""The engine: what is recorded, how it is run backward, and what it says when it cannot."""

from __future__ import annotations

import gc
import re
import sys
import threading
import weakref
from typing import Any, Callable, Iterator

import numpy as np
import pytest

import minigrad as mg
from minigrad import autograd


def leaf(value: Any, dtype: Any = None) -> Any:
    return mg.tensor(value, dtype=dtype or mg.float64, requires_grad=True)


def here() -> str:
    """``file:line`` of the caller's line."""
    frame = sys._getframe(1)
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def calls_made(function: Callable[[], Any]) -> int:
    """How many functions, Python's and C's, `function` calls: a measure of work that does not depend on the machine."""
    count = 0

    def tracer(frame: Any, event: str, arg: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(tracer)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count


@pytest.fixture
def without_gc() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


# ---------------------------------------------------------------------------------------------------- what is recorded

def test_leaves_and_results() -> None:
    x, y = leaf([1.0, 2.0]), mg.tensor([3.0, 4.0])
    assert x.is_leaf and x.requires_grad and x.grad_fn is None
    assert y.is_leaf and not y.requires_grad
    z = x * y
    assert not z.is_leaf and z.requires_grad
    assert z.grad_fn.name() == "MulBackward0"
    assert (y * y).is_leaf and (y * y).grad_fn is None


def test_next_functions_lead_to_the_leaves() -> None:
    x, y = leaf(2.0), mg.tensor(3.0)
    z = (x * y).exp()
    assert z.grad_fn.name() == "ExpBackward0"
    (product, index), = z.grad_fn.next_functions
    assert product.name() == "MulBackward0" and index == 0
    (accumulator, _), (nothing, _) = product.next_functions
    assert accumulator.name() == "AccumulateGrad" and accumulator.variable is x
    assert nothing is None
    assert (x * y).grad_fn.next_functions[0][0] is accumulator


def test_metadata_belongs_to_the_node() -> None:
    z = leaf(1.0) * 2
    z.grad_fn.metadata["note"] = "mine"
    assert z.grad_fn.metadata == {"note": "mine"}


def test_saved_values_can_be_looked_at() -> None:
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    z = x * y
    np.testing.assert_array_equal(np.asarray(z.grad_fn._saved_other), [3.0, 4.0])
    with pytest.raises(AttributeError):
        z.grad_fn._saved_result  # noqa: B018


def test_only_what_a_needed_rule_names_is_saved() -> None:
    x, y = leaf([1.0, 2.0]), mg.tensor([3.0, 4.0], dtype=mg.float64)
    kept = weakref.ref(x.array)
    z = x * y  # the gradient of x needs y; y wants none, so x is not kept
    del x
    # The leaf itself lives on as the edge; what its node saved is y alone.
    assert [a is None for a in z.grad_fn.saved] == [True, False] or len(z.grad_fn.saved) == 1
    assert kept() is not None


# ---------------------------------------------------------------------------------------------------- backward

def test_backward_adds_into_grad() -> None:
    x = leaf([1.0, 2.0])
    (x * x).sum().backward()
    (x * x).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [4.0, 8.0])


def test_backward_with_a_gradient() -> None:
    x = leaf([1.0, 2.0])
    (x * x).backward(mg.tensor([1.0, 10.0], dtype=mg.float64))
    np.testing.assert_array_equal(x.grad.numpy(), [2.0, 40.0])


def test_backward_needs_a_gradient_unless_there_is_one_element() -> None:
    with pytest.raises(RuntimeError, match=r"grad can be implicitly created only for scalar outputs.*\[2\]"):
        (leaf([1.0, 2.0]) * 2).backward()
    (leaf([[1.0]]) * 2).backward()


def test_backward_refuses_a_gradient_of_another_shape() -> None:
    with pytest.raises(RuntimeError, match=r"Mismatch in shape.*\[3\].*\[2\]"):
        (leaf([1.0, 2.0]) * 2).backward(mg.tensor([1.0, 1.0, 1.0]))


def test_backward_of_what_was_not_recorded() -> None:
    with pytest.raises(RuntimeError, match="does not require grad and does not have a grad_fn"):
        mg.tensor(1.0).backward()


def test_backward_of_a_leaf() -> None:
    x = leaf(3.0)
    x.backward()
    assert x.grad.item() == 1.0


def test_backward_for_chosen_inputs() -> None:
    x, y = leaf(2.0), leaf(3.0)
    z = x * y
    (z * z).backward(inputs=[x])
    assert x.grad.item() == 36.0 and y.grad is None
    z = x * y
    (z * z).backward(inputs=z)
    assert z.grad.item() == 12.0 and y.grad is None


def test_autograd_backward_of_several() -> None:
    x = leaf([1.0, 2.0])
    autograd.backward([(x * 2).sum(), x * x], [None, mg.tensor([1.0, 1.0], dtype=mg.float64)])
    np.testing.assert_array_equal(x.grad.numpy(), [4.0, 6.0])


def test_a_diamond_is_summed_before_it_goes_on() -> None:
    x = leaf(3.0)
    y = x * x
    ran = []
    y.register_hook(lambda g: ran.append(g.item()))
    (y * 2 + y * 5).backward()
    assert ran == [7.0] and x.grad.item() == 42.0


def test_a_node_used_as_both_operands() -> None:
    x = leaf(3.0)
    y = x * 2
    (y * y).backward()
    assert x.grad.item() == 24.0


def test_broadcast_operands_get_gradients_of_their_own_shape() -> None:
    x, y = leaf(np.ones((2, 3))), leaf(np.ones((3,)))
    z = leaf(2.0)
    (x * y * z).sum().backward()
    assert (x.grad.shape, y.grad.shape, z.grad.shape) == ((2, 3), (3,), ())
    np.testing.assert_array_equal(y.grad.numpy(), [4.0] * 3)
    assert z.grad.item() == 6.0


def test_gradients_take_the_dtype_of_the_leaf() -> None:
    x, y = leaf([1.0, 2.0], mg.float32), leaf([1.0, 2.0])
    (x * y).sum().backward()
    assert x.grad.dtype is mg.float32 and y.grad.dtype is mg.float64


def test_zero_size_tensors() -> None:
    x = leaf(np.zeros((0, 3)))
    (x * 2).sum().backward()
    assert x.grad.shape == (0, 3)


def test_two_leaves_never_share_a_gradient_array() -> None:
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    seed = mg.tensor([1.0, 1.0], dtype=mg.float64)
    (x + y).backward(seed)
    assert not np.shares_memory(x.grad.numpy(), y.grad.numpy())
    assert not np.shares_memory(x.grad.numpy(), seed.numpy())
    x.grad.numpy()[...] = 7.0
    np.testing.assert_array_equal(y.grad.numpy(), [1.0, 1.0])
    gx, gy = autograd.grad(x + y, [x, y], seed)
    assert not np.shares_memory(gx.numpy(), gy.numpy()) and not np.shares_memory(gx.numpy(), seed.numpy())


def test_a_gradient_that_is_a_broadcast_view_is_copied_into_grad() -> None:
    x = leaf([1.0, 2.0, 3.0])
    x.sum().backward()
    x.grad.numpy()[0] = 5.0  # writing to one element must not write to all
    np.testing.assert_array_equal(x.grad.numpy(), [5.0, 1.0, 1.0])


def test_an_operation_that_rejects_its_gradient_shape_names_itself() -> None:
    from minigrad.recording.call import REGISTRY
    from minigrad.recording.op import op

    try:
        @op
        def planted_shrinking(input: Any) -> Any:
            return input * 2

        @planted_shrinking.derivative("input")
        def planted_wrt_input(g: Any) -> Any:
            return g[:1]

        with pytest.raises(RuntimeError, match=r"rule of planted_shrinking for 'input'.*shape \[1\].*'input' has shape \[3\]"):
            planted_shrinking(leaf([1.0, 2.0, 3.0])).sum().backward()
    finally:
        REGISTRY.pop("planted_shrinking", None)


# ---------------------------------------------------------------------------------------------------- autograd.grad

def test_grad_leaves_grad_alone() -> None:
    x = leaf(3.0)
    g, = autograd.grad(x * x, x)
    assert g.item() == 6.0 and x.grad is None and not g.requires_grad


def test_grad_of_an_intermediate() -> None:
    x = leaf(3.0)
    y = x * 2
    z = y * y
    gy, gx = autograd.grad(z, [y, x])
    assert (gy.item(), gx.item()) == (12.0, 24.0)


def test_grad_runs_only_what_leads_to_its_inputs() -> None:
    x, w = leaf(3.0), leaf(2.0)
    ran = []
    left, right = x * 2, w.exp()
    left.register_hook(lambda g: ran.append("left"))
    right.grad_fn.register_hook(lambda grads, outs: ran.append("right"))
    autograd.grad(left * right, x)
    assert ran == ["left"]


def test_grad_of_an_unused_input() -> None:
    x, y = leaf(3.0), leaf(2.0)
    with pytest.raises(RuntimeError, match=r"appears to not have been used in the graph.*allow_unused=True"):
        autograd.grad(x * x, [x, y])
    assert autograd.grad(x * x, [x, y], allow_unused=True)[1] is None
    assert autograd.grad(x * x, [x, y], materialize_grads=True)[1].item() == 0.0


def test_materialized_zeros_can_be_differentiated_where_the_others_can() -> None:
    x, y = leaf([1.0, 2.0]), leaf([1.0, 2.0])
    for create_graph in (True, False):
        found = autograd.grad(x.pow(2).sum(), [x, y], create_graph=create_graph, materialize_grads=True)
        assert [g.requires_grad for g in found] == [create_graph] * 2
        assert found[1].tolist() == [0, 0]


def test_grad_of_an_input_that_wants_none() -> None:
    with pytest.raises(RuntimeError, match="does not require grad"):
        autograd.grad(leaf(1.0) * 2, mg.tensor(1.0))


def test_grad_of_several_outputs_is_the_gradient_of_their_sum() -> None:
    x = leaf(3.0)
    g, = autograd.grad([x * x, x * 5], x)
    assert g.item() == 11.0


# ---------------------------------------------------------------------------------------------------- any order

def test_every_order_of_exp() -> None:
    x = leaf(0.5)
    y = x.exp()
    for _ in range(6):
        y, = autograd.grad(y, x, create_graph=True)
        assert y.item() == pytest.approx(np.exp(0.5), rel=1e-12)


def test_every_order_of_a_power() -> None:
    x = leaf(2.0)
    y = x * x * x * x * x
    expected = [80.0, 160.0, 240.0, 240.0, 120.0]
    for value in expected:
        y, = autograd.grad(y, x, create_graph=True)
        assert y.item() == value
    assert not y.requires_grad or autograd.grad(y, x, allow_unused=True)[0] in (None, 0.0)


def test_backward_create_graph_gives_a_grad_that_can_be_differentiated() -> None:
    x = leaf(3.0)
    (x * x * x).backward(create_graph=True)
    assert x.grad.requires_grad
    g, = autograd.grad(x.grad, x)
    assert g.item() == 18.0
    x.grad = None


def test_create_graph_gives_each_leaf_a_gradient_of_its_own() -> None:
    x, d = leaf([1.0, 2.0]), leaf([1.0, 2.0])
    (x + d).pow(2).sum().backward(create_graph=True)
    with mg.no_grad():
        x.grad.mul_(3)
    assert (x.grad.tolist(), d.grad.tolist()) == ([12, 24], [4, 8])
    both = autograd.grad((x + d).pow(2).sum(), [x, d], create_graph=True)
    assert not np.shares_memory(both[0].array, both[1].array)


def test_gradients_of_create_graph_can_be_added_to_and_written_to() -> None:
    x, seed = leaf([1.0, 2.0]), mg.ones(2, dtype=mg.float64)
    for _ in range(2):
        x.mean().backward(create_graph=True)
    x.grad.mul_(2)
    (x * 1).backward(seed, create_graph=True)
    x.sum().backward()
    assert (x.grad.tolist(), seed.tolist()) == ([4, 4], [1, 1])


def test_a_mixed_derivative() -> None:
    x, y = leaf(2.0), leaf(3.0)
    gx, = autograd.grad(x * x * y.exp(), x, create_graph=True)
    gxy, = autograd.grad(gx, y)
    assert gxy.item() == pytest.approx(4 * np.exp(3.0))


def test_the_incoming_gradient_can_be_differentiated() -> None:
    x, v = leaf([1.0, 2.0]), leaf([0.0, 0.0])
    g, = autograd.grad(x * x, x, v, create_graph=True)
    jvp, = autograd.grad(g, v, mg.tensor([1.0, 10.0], dtype=mg.float64))
    np.testing.assert_array_equal(jvp.numpy(), [2.0, 40.0])


def test_gradients_are_not_recorded_unless_asked_for() -> None:
    x = leaf(3.0)
    seen = []
    y = x * x
    y.register_hook(lambda g: seen.append((g * y).requires_grad))
    y.backward()
    assert seen == [False]


# ---------------------------------------------------------------------------------------------------- long and wide

def test_a_chain_of_100000_operations_runs_and_dies_without_recursion() -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(200)
    try:
        x = leaf(1.0)
        y = x
        for _ in range(100_000):
            y = y * 1.00001
        y.backward(retain_graph=True)
        g, = autograd.grad(y, x)
        dead = weakref.ref(y.grad_fn)
        del y
        assert dead() is None
    finally:
        sys.setrecursionlimit(limit)
    assert x.grad.item() == pytest.approx(1.00001**100_000)
    assert g.item() == x.grad.item()


def test_a_chain_of_20000_operations_can_be_differentiated_twice() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(20_000):
        y = y * 1.0001
    y = y * y
    g, = autograd.grad(y, x, create_graph=True)
    h, = autograd.grad(g, x)
    assert h.item() == pytest.approx(2 * 1.0001**40_000)


def test_work_is_linear_in_the_number_of_inputs_of_one_sum() -> None:
    def work(n: int) -> int:
        xs = [leaf(1.0) for _ in range(n)]
        total = mg.stack(xs).sum()
        made = calls_made(total.backward)
        assert all(x.grad.item() == 1.0 for x in xs)
        return made

    work(10)
    assert work(10_000) < 12 * work(1_000)


def test_work_is_linear_in_the_number_of_uses_of_one_node() -> None:
    def work(n: int) -> int:
        x = leaf(1.0)
        y = x * 2
        total = y * 0
        for _ in range(n):
            total = total + y
        made = calls_made(total.backward)
        assert x.grad.item() == 2.0 * n
        return made

    work(10)
    assert work(10_000) < 12 * work(1_000)


def test_work_is_linear_in_the_number_of_branches_that_wait_at_once() -> None:
    def work(n: int) -> int:
        x = leaf(1.0)
        y = x * 2
        return calls_made(mg.stack([(y * 3).exp() for _ in range(n)]).sum().backward)

    work(10)
    assert work(10_000) < 12 * work(1_000)


def test_a_ladder_does_not_visit_its_nodes_once_for_each_path() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(60):  # 2**60 paths
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**60


# ---------------------------------------------------------------------------------------------------- no cycles

def test_a_graph_dies_with_its_last_tensor(without_gc: None) -> None:
    x = leaf([1.0, 2.0])
    y = x * x
    z = (y.exp() + y).sum()
    watched = [weakref.ref(t) for t in (y, z, y.grad_fn, z.grad_fn)]
    del y, z
    assert [w() for w in watched] == [None] * 4


@pytest.mark.parametrize("how", ["backward", "retain_graph", "create_graph", "hooks", "views", "in place", "several outputs",
                                 "freed twice", "next_functions"])
def test_nothing_is_left_over(how: str, without_gc: None) -> None:
    x = leaf([1.0, 2.0])
    y = x * x
    z = y.exp().sum()
    if how == "backward":
        z.backward()
    elif how == "retain_graph":
        z.backward(retain_graph=True)
    elif how == "create_graph":
        g, = autograd.grad(z, x, create_graph=True)
        h, = autograd.grad(g.sum(), x, create_graph=True)
        del g, h
    elif how == "hooks":
        y.register_hook(lambda g: g * 2)
        y.retain_grad()
        z.grad_fn.register_prehook(lambda outs: None)
        z.backward()
    elif how == "views":
        part = y[0]
        whole = y.reshape(2, 1)
        del part, whole
    elif how == "in place":
        w = x * 1
        w.mul_(y)
        z = w.sum()
        z.backward()
        del w
    elif how == "several outputs":
        first, second = y.split(1)
        z = (first * second).sum()
        z.backward()
        del first, second
    elif how == "freed twice":
        z.backward()
        with pytest.raises(RuntimeError):
            z.backward()
    else:
        assert z.grad_fn.next_functions[0][0].next_functions
        assert y.grad_fn.next_functions[0][0].variable is x
    watched = [weakref.ref(o) for o in (y, z, y.grad_fn, z.grad_fn, x)]
    del x, y, z
    assert [w() for w in watched] == [None] * 5


def test_backward_releases_what_the_graph_kept(without_gc: None) -> None:
    x = leaf(np.ones(1000))
    y = x * 2
    z = y * y
    kept = weakref.ref(y.array)
    del y
    total = z.sum()
    assert kept() is not None
    total.backward()
    assert kept() is None, "saved arrays outlive the backward pass that used them"


# ---------------------------------------------------------------------------------------------------- hooks

def test_a_tensor_hook_sees_the_whole_gradient_and_may_replace_it() -> None:
    x = leaf([1.0, 2.0])
    seen = []
    y = x * 3
    y.register_hook(lambda g: seen.append(g.numpy().copy()))
    y.register_hook(lambda g: g * 10)
    (y + y).sum().backward()
    np.testing.assert_array_equal(seen[0], [2.0, 2.0])
    np.testing.assert_array_equal(x.grad.numpy(), [60.0, 60.0])


def test_a_hook_on_a_leaf() -> None:
    x = leaf([1.0, 2.0])
    handle = x.register_hook(lambda g: g * 2)
    (x * 3).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [6.0, 6.0])
    handle.remove()
    x.grad = None
    (x * 3).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [3.0, 3.0])


def test_a_handle_removes_its_hook_at_the_end_of_a_block() -> None:
    x = leaf(1.0)
    ran = []
    with x.register_hook(lambda g: ran.append(1)):
        (x * 2).backward()
    (x * 2).backward()
    assert ran == [1]


def test_a_hook_that_returns_another_shape_is_refused() -> None:
    y = leaf([1.0, 2.0]) * 2
    y.register_hook(lambda g: g.sum())
    with pytest.raises(RuntimeError, match=r"returned a gradient of shape \[\].*\[2\]"):
        y.sum().backward()


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_hook_may_write_to_its_gradient(create_graph: bool) -> None:
    def write(g: Any) -> None:
        g.clamp_(max=0.5)

    def write_tenfold(g: Any) -> None:
        g.mul_(10)

    x, y = leaf([1.0, 2.0]), leaf([1.0, 2.0])
    x.register_hook(write)
    (x + y).sum().backward(create_graph=create_graph)  # both get the same gradient, and it is expanded
    assert (x.grad.tolist(), y.grad.tolist()) == ([0.5, 0.5], [1, 1])
    z = leaf([1.0, 2.0])
    doubled = z * 2
    doubled.grad_fn.register_prehook(lambda gs: write(gs[0]))
    doubled.grad_fn.register_hook(lambda gs, _: write_tenfold(gs[0]))
    doubled.sum().backward(create_graph=create_graph)
    assert z.grad.tolist() == [10, 10]


def test_what_a_hook_returns_stays_the_users() -> None:
    x, mine = leaf([1.0, 2.0]), mg.ones(2, dtype=mg.float64)
    x.register_hook(lambda g: mine)
    for _ in range(2):
        x.sum().backward()
    assert (x.grad.tolist(), mine.tolist()) == ([2, 2], [1, 1])


def test_hooks_need_a_tensor_that_requires_grad() -> None:
    with pytest.raises(RuntimeError, match="cannot register a hook on a tensor that doesn't require gradient"):
        mg.tensor(1.0).register_hook(lambda g: None)


def test_node_hooks() -> None:
    x = leaf(3.0)
    y = x * 2
    order = []

    def pre(outs: Any) -> Any:
        order.append(("pre", outs[0].item()))
        return (outs[0] * 10,)

    def post(ins: Any, outs: Any) -> Any:
        order.append(("post", ins[0].item(), outs[0].item()))
        return tuple(None if g is None else g + 1 for g in ins)

    handles = [y.grad_fn.register_prehook(pre), y.grad_fn.register_hook(post)]
    y.backward(retain_graph=True)
    assert order == [("pre", 1.0), ("post", 20.0, 10.0)]
    assert x.grad.item() == 21.0
    for handle in handles:
        handle.remove()
    x.grad = None
    y.backward()
    assert x.grad.item() == 2.0 and len(order) == 2


@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (2,)])
def test_a_gradient_can_be_written_to(shape: Any) -> None:
    p = mg.ones(shape, requires_grad=True)
    (p.sum() * 2).backward()  # the rule of sum broadcasts, which NumPy does without writable memory
    p.grad.mul_(0.5)
    assert p.grad.tolist() == mg.ones(shape).tolist()


def test_a_hook_after_accumulation() -> None:
    x = leaf(3.0)
    seen = []
    x.register_post_accumulate_grad_hook(lambda t: seen.append((t is x, t.grad.item())))
    (x * 2).backward()
    (x * 2).backward()
    assert seen == [(True, 2.0), (True, 4.0)]


def test_hooks_under_create_graph_are_differentiated_through() -> None:
    x = leaf(3.0)
    y = x * x
    with y.register_hook(lambda g: g * y):
        g, = autograd.grad(y, x, create_graph=True)  # 2x * x**2
    h, = autograd.grad(g, x)
    assert g.item() == 54.0 and h.item() == 54.0


def test_retain_grad() -> None:
    x = leaf(3.0)
    y = x * 2
    assert not y.retains_grad
    y.retain_grad()
    assert y.retains_grad and not x.retains_grad
    z = y * y
    z.backward(retain_graph=True)
    assert y.grad.item() == 12.0
    z.backward()
    assert y.grad.item() == 24.0


def test_grad_of_a_non_leaf_warns() -> None:
    y = leaf(1.0) * 2
    with pytest.warns(UserWarning, match="not a leaf Tensor"):
        assert y.grad is None


# ---------------------------------------------------------------------------------------------------- freed, changed

def test_a_second_backward_names_both_lines() -> None:
    x = leaf(2.0)
    y = x * x; made = here()  # noqa: E702
    y.backward(); freed = here()  # noqa: E702
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time") as error:
        y.backward()
    assert f"MulBackward0 (mul at {made}) had saved its argument 'input' and its argument 'other'" in str(error.value)
    assert f"freed by the backward call at {freed}" in str(error.value)
    assert "retain_graph=True" in str(error.value)


def test_a_part_that_saved_nothing_can_be_run_again() -> None:
    x = leaf(2.0)
    y = x + x
    y.backward()
    y.backward()
    assert x.grad.item() == 4.0


def test_a_changed_saved_value_names_both_lines() -> None:
    x, y = leaf(2.0), mg.tensor(3.0, dtype=mg.float64)
    z = x * y; made = here()  # noqa: E702
    y.mul_(2); changed = here()  # noqa: E702
    with pytest.raises(RuntimeError, match="has been modified by an inplace operation") as error:
        z.backward()
    assert f"mul at {made}" in str(error.value)
    assert f"mul_ at {changed}" in str(error.value)
    assert "'other'" in str(error.value)


def test_a_changed_result_is_noticed() -> None:
    y = leaf(2.0).exp()
    y.mul_(2)
    with pytest.raises(RuntimeError, match=r"exp at .* saved its result.*mul_ at"):
        y.backward()


def test_a_change_through_a_view_is_noticed() -> None:
    x, y = leaf([1.0, 2.0]), mg.tensor([3.0, 4.0], dtype=mg.float64)
    z = (x * y).sum()
    y.reshape(2, 1).mul_(2)
    with pytest.raises(RuntimeError, match="has been modified by an inplace operation"):
        z.backward()


def test_a_change_of_what_nothing_saved_does_no_harm() -> None:
    x, y = leaf(2.0), mg.tensor(3.0, dtype=mg.float64)
    z = x + y
    y.mul_(2)
    z.backward()
    assert x.grad.item() == 1.0


def test_a_change_before_the_operation_does_no_harm() -> None:
    x, y = leaf(2.0), mg.tensor(3.0, dtype=mg.float64)
    y.mul_(2)
    (x * y).backward()
    assert x.grad.item() == 6.0


def test_a_leaf_is_not_written_in_place() -> None:
    x = leaf(2.0)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place operation"):
        x.mul_(2)
    with mg.no_grad():
        x.mul_(2)
    assert x.item() == 4.0 and x.requires_grad and x.is_leaf


def test_in_place_on_an_intermediate_moves_it_in_the_graph() -> None:
    x = leaf(3.0)
    y = x * 2
    y.mul_(x)
    y.backward()
    assert x.grad.item() == 12.0


# ---------------------------------------------------------------------------------------------------- requires_grad

@pytest.mark.parametrize("dtype", [mg.int32, mg.int64, mg.uint8, mg.bool])
def test_integers_refuse_gradients(dtype: Any) -> None:
    with pytest.raises(RuntimeError, match="[Oo]nly Tensors of floating point and complex dtype can require gradients"):
        mg.tensor([1, 0], dtype=dtype, requires_grad=True)
    with pytest.raises(RuntimeError, match="only Tensors of floating point"):
        mg.tensor([1, 0], dtype=dtype).requires_grad_()
    with pytest.raises(RuntimeError, match="only Tensors of floating point"):
        mg.tensor([1, 0], dtype=dtype).requires_grad = True
    with pytest.raises(RuntimeError, match="requires_grad must be a bool, not int"):
        mg.tensor([1.0]).requires_grad = 1


def test_requires_grad_can_be_switched_on_leaves_only() -> None:
    x = mg.tensor([1.0])
    assert x.requires_grad_() is x and x.requires_grad
    x.requires_grad = False
    assert not x.requires_grad
    y = leaf(1.0) * 2
    y.requires_grad_()
    with pytest.raises(RuntimeError, match="you can only change requires_grad flags of leaf variables"):
        y.requires_grad = False


def test_detach_and_data_share_memory_and_leave_the_graph() -> None:
    x = leaf([1.0, 2.0])
    for other in (x.detach(), x.data):
        assert not other.requires_grad and np.shares_memory(other.numpy(), x.array)
    y = x * 2
    assert y.detach().is_leaf
    y.detach_()
    assert y.is_leaf and not y.requires_grad


def test_writes_through_data_are_counted_by_themselves() -> None:
    """Programs sneak past the version check this way, where they know that what was saved is not what they write."""
    x, buffer = leaf([1.0, 2.0]), mg.zeros(2, 3, dtype=mg.float64)
    y = x * buffer[:, 0]
    buffer.data[:, 1] = mg.ones(2)
    assert buffer[:, 1].tolist() == [1, 1] and buffer._version == 0
    y.sum().backward()
    assert x.grad.tolist() == [0, 0]
    y = x * buffer[:, 0]
    buffer.detach()[:, 1] = mg.zeros(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


# ---------------------------------------------------------------------------------------------------- grad modes

def test_no_grad_as_block_and_as_decorator() -> None:
    x = leaf(1.0)
    with mg.no_grad():
        assert not mg.is_grad_enabled() and not (x * 2).requires_grad
        with mg.enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad

    @mg.no_grad()
    def called(t: Any) -> Any:
        return t * 2

    @mg.no_grad
    def bare(t: Any) -> Any:
        "Documented."
        return t * 2

    assert not called(x).requires_grad and not bare(x).requires_grad and bare.__doc__ == "Documented."
    assert mg.is_grad_enabled()


def test_modes_come_back_after_an_error() -> None:
    with pytest.raises(ValueError, match="mine"), mg.no_grad():
        raise ValueError("mine")
    assert mg.is_grad_enabled()


def test_set_grad_enabled() -> None:
    x = leaf(1.0)
    with mg.set_grad_enabled(False):
        assert not (x * 2).requires_grad
    mg.set_grad_enabled(False)
    assert not (x * 2).requires_grad
    mg.set_grad_enabled(True)
    assert (x * 2).requires_grad

    @mg.set_grad_enabled(False)
    def f(t: Any) -> Any:
        return t * 2

    assert mg.is_grad_enabled() and not f(x).requires_grad and mg.is_grad_enabled()


def test_inference_mode() -> None:
    x = leaf(1.0)
    with mg.inference_mode():
        assert mg.is_inference_mode_enabled() and not (x * 2).requires_grad
    with mg.inference_mode(False):
        assert not mg.is_inference_mode_enabled() and (x * 2).requires_grad
    assert not mg.is_inference_mode_enabled()

    @mg.inference_mode()
    def f(t: Any) -> Any:
        return t * 2

    assert not f(x).requires_grad


def test_one_mode_object_can_be_entered_again() -> None:
    block = mg.no_grad()
    with block, block:
        pass
    assert mg.is_grad_enabled()


def test_a_decorated_generator_is_in_its_mode_only_while_it_runs() -> None:
    @mg.no_grad()
    def generator() -> Iterator[bool]:
        yield mg.is_grad_enabled()
        yield mg.is_grad_enabled()

    running = generator()
    assert next(running) is False and mg.is_grad_enabled()
    assert next(running) is False and mg.is_grad_enabled()


def test_a_decorated_generator_is_thrown_to_sent_to_and_closed() -> None:
    seen: list[Any] = []

    @mg.no_grad()
    def counted() -> Any:
        try:
            for k in range(5):
                try:
                    seen.append((yield k))
                except KeyError:
                    seen.append(mg.is_grad_enabled())
        finally:
            seen.append("end")

    running = counted()
    assert next(running) == 0
    assert running.send("sent") == 1
    assert running.throw(KeyError()) == 2
    assert mg.is_grad_enabled()
    with pytest.raises(ValueError, match="not caught"):
        running.throw(ValueError("not caught"))
    assert seen == ["sent", False, "end"]
    assert mg.is_grad_enabled()


def test_modes_belong_to_their_thread() -> None:
    seen: list[bool] = []
    with mg.no_grad():
        thread = threading.Thread(target=lambda: seen.append(mg.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_threads_can_run_backward_at_once() -> None:
    x = leaf(np.ones(100))
    results: list[Any] = []

    def work() -> None:
        for _ in range(20):
            y = x
            for _ in range(20):
                y = y * 1.5
            results.append(autograd.grad(y.sum(), x)[0].numpy()[0])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(results) == 80 and set(results) == {1.5**20}


# ---------------------------------------------------------------------------------------------------- complex

def test_the_gradient_of_a_complex_function_is_pytorchs() -> None:
    z = mg.tensor(1 + 2j, dtype=mg.complex128, requires_grad=True)
    (z * z.conj()).real.backward()  # |z|**2: the gradient is 2z
    assert z.grad.item() == 2 + 4j
    z.grad = None
    (z * z).real.backward()  # conj(2z)
    assert z.grad.item() == 2 - 4j
    z.grad = None
    (z * z).imag.backward()  # 2i conj(z)
    assert z.grad.item() == 4 + 2j


def test_a_real_tensor_in_a_complex_function_gets_a_real_gradient() -> None:
    x = leaf(2.0)
    z = mg.tensor(1 + 2j, dtype=mg.complex128, requires_grad=True)
    (x * z).imag.backward()
    assert x.grad.item() == 2.0 and x.grad.dtype is mg.float64
    assert z.grad.item() == 2j


def test_backward_of_a_complex_result_needs_a_gradient() -> None:
    z = mg.tensor(1 + 2j, requires_grad=True)
    with pytest.raises(RuntimeError, match="grad can be implicitly created only for real scalar outputs"):
        (z * z).backward()


# ---------------------------------------------------------------------------------------------------- errors name lines

def test_an_error_of_an_operation_names_it_and_its_operands() -> None:
    with pytest.raises(RuntimeError, match=r"mul: The size of tensor a \(2\) must match the size of tensor b \(3\)"):
        leaf([1.0, 2.0]) * leaf([1.0, 2.0, 3.0])


def test_the_line_is_the_users_even_for_composites() -> None:
    x = leaf(np.ones((2, 2)))
    y = x.var(); made = here()  # noqa: E702
    assert y.grad_fn.source() == made or re.search(re.escape(made), y.grad_fn.source())
