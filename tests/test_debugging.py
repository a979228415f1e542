"""What helps to understand a graph: gradcheck, anomaly detection, explain, graph_memory, hooks on saved tensors, checkpoints."""

from __future__ import annotations

import re
from typing import Any

import pytest

import minigrad as mg
from minigrad import nn
from minigrad.autograd import Function, explain, gradcheck, gradgradcheck, graph_memory
from minigrad.autograd.anomaly_mode import detect_anomaly, is_anomaly_enabled, set_detect_anomaly
from minigrad.autograd.graph import save_on_cpu, saved_tensors_hooks
from minigrad.utils.checkpoint import checkpoint, checkpoint_sequential


def point(*shape: int, dtype: Any = mg.float64) -> Any:
    return mg.rand(*shape, dtype=dtype).add(0.5).requires_grad_()


# ---------------------------------------------------------------------------------------------------- gradcheck

def product(factor: float = 1.0, transposed: bool = False, summed: bool = False) -> Any:
    class Product(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, w: Any) -> Any:
            ctx.save_for_backward(x, w)
            return x @ w

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            x, w = ctx.saved_tensors
            return g @ (w if transposed else w.T) * factor, x.T @ g
    return Product.apply


@pytest.mark.parametrize(("wrong", "cause"), [
    (product(2.0), r"a wrong factor: backward is 2 times"), (product(-1.0), "a wrong sign"), (product(0.0), "a missing term"),
    (product(transposed=True), "transpos"),
])
def test_planted_errors_are_found_and_diagnosed(wrong: Any, cause: str) -> None:
    inputs = (point(3, 3), point(3, 3))
    assert gradcheck(product(), inputs)
    with pytest.raises(RuntimeError, match=r"output 0 with respect to input 0.*\[0, \d\].*Likely cause: .*" + cause):
        gradcheck(wrong, inputs)
    assert not gradcheck(wrong, inputs, raise_exception=False)


def test_a_gradient_of_another_shape_is_diagnosed() -> None:
    class Scale(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, row: Any) -> Any:
            ctx.save_for_backward(x, row)
            return x * row

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            x, row = ctx.saved_tensors
            return (g * row).T, g * x  # the second is summed by the engine, as in PyTorch

    assert not gradcheck(Scale.apply, (point(2, 3), point(3)), raise_exception=False)
    with pytest.raises(RuntimeError, match=r"shape \[3, 2\], .* shape \[2, 3\].*Likely cause: a missing un-broadcast"):
        gradcheck(Scale.apply, (point(2, 3), point(3)))


def test_a_wrong_second_derivative_is_found() -> None:
    class Square(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            x, = ctx.saved_tensors
            return g * 2 * x.detach()

    assert gradcheck(Square.apply, point(3))
    with pytest.raises(RuntimeError, match="missing term"):
        gradgradcheck(Square.apply, point(3))


@pytest.mark.parametrize("function", [
    lambda x: x.sin() * x, lambda x: x.abs().sum(), lambda x: x.relu(), lambda x: x.max(), lambda x: (x @ x.T).logsumexp(1),
    lambda x: (x.sum(), x.prod()),
])
@pytest.mark.parametrize("dtype", [mg.float64, mg.float32])
def test_right_gradients_pass_in_both_precisions(function: Any, dtype: Any) -> None:
    assert gradcheck(function, point(2, 3, dtype=dtype))


def test_kinks_accept_any_subgradient_between_the_slopes() -> None:
    assert gradcheck(lambda x: x.relu(), mg.zeros(2, dtype=mg.float64, requires_grad=True))
    assert gradcheck(lambda x: x.abs(), mg.zeros(2, dtype=mg.float64, requires_grad=True))


def test_small_derivatives_are_not_measured_by_complex_steps_of_what_is_not_analytic() -> None:
    """Of a conjugate, and of a gradient, a complex step shows the opposite."""
    small = mg.tensor([5.4785], dtype=mg.float64, requires_grad=True)
    assert gradcheck(lambda x: 2e-5 * x.conj_physical(), small)
    assert gradgradcheck(lambda x: x.cosh().log(), small)
    assert not gradcheck(lambda x: (4e-5 * x).detach() - 2e-5 * x, small, raise_exception=False)


def test_modules_and_complex_numbers() -> None:
    layer = nn.Linear(3, 2).double()
    assert gradcheck(layer, point(2, 3))
    assert gradgradcheck(nn.Sequential(layer, nn.Tanh()), point(2, 3))
    z = mg.randn(3, dtype=mg.complex128, requires_grad=True)
    assert gradcheck(lambda z: z * z.conj(), z)
    assert gradcheck(lambda z: z.exp(), z)
    assert gradcheck(lambda z: z.abs(), z)


def test_what_cannot_be_checked_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        gradcheck(lambda x: x, mg.ones(2))
    for lost in (lambda x: x.detach(), lambda x: mg.tensor(x.tolist()), lambda x: x.sum().item()):
        with pytest.raises(RuntimeError, match="no output of the function requires grad; but they depend"):
            gradcheck(lost, point(2))
    assert gradcheck(lambda x: mg.ones(3), point(2))


def test_a_backward_that_forgets_its_gradient_is_found() -> None:
    class Sum(Function):
        @staticmethod
        def forward(ctx, x):
            return x.sum()

        @staticmethod
        def backward(ctx, g):
            return mg.ones(2, dtype=mg.float64)

    with pytest.raises(RuntimeError, match="backward not multiplied by grad_output: the gradient of input 0 is 1 where"):
        gradcheck(Sum.apply, point(2))
    assert not gradcheck(Sum.apply, point(2), raise_exception=False)
    assert gradcheck(lambda x: (x.sum(), mg.sqrt(x * 0 + 1)), point(2))


def test_a_backward_that_draws_numbers_is_found() -> None:
    class Noisy(Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, g):
            return g * (1 + 1e-7 * mg.rand_like(g))

    with pytest.raises(RuntimeError, match="Backward is not reentrant"):
        gradcheck(Noisy.apply, point(2))
    assert gradcheck(Noisy.apply, point(2), nondet_tol=1e-5)


# ---------------------------------------------------------------------------------------------------- anomalies

def test_the_first_operation_that_makes_nan_or_infinity_is_named_with_its_line() -> None:
    x = mg.tensor([0.0, 1.0], requires_grad=True)
    with detect_anomaly():
        assert is_anomaly_enabled()
        with pytest.raises(RuntimeError, match=r"log at .*test_debugging\.py:\d+ made inf in 1 of 2"):
            x.log()
        with pytest.raises(RuntimeError, match=r"sqrt at .*test_debugging\.py:\d+ made nan in 1 of 2"):
            (x - 1.0).sqrt()
        y = (x.sqrt() * 0).sum()
        with pytest.raises(RuntimeError, match=r"'SqrtBackward0' returned nan values in its 0th output.*test_debugging\.py:\d+"):
            y.backward()
        assert float(x.masked_fill(x > 0.5, -float("inf")).exp().sum().detach()) == 1  # an infinity that was asked for
    assert not is_anomaly_enabled()
    x.log()


def test_anomaly_mode_by_a_flag() -> None:
    before = set_detect_anomaly(True)
    try:
        assert is_anomaly_enabled()
        with set_detect_anomaly(False):
            assert not is_anomaly_enabled()
        assert is_anomaly_enabled()
    finally:
        before.__exit__()
    assert not is_anomaly_enabled()


# ---------------------------------------------------------------------------------------------------- saved tensors

def test_hooks_that_do_nothing_change_nothing() -> None:
    x = point(3)
    plain, = mg.autograd.grad((x * x).exp().sum(), x)
    with saved_tensors_hooks(lambda t: t, lambda t: t):
        y = (x * x).exp().sum()
    first, = mg.autograd.grad(y, x, create_graph=True)
    second, = mg.autograd.grad(first.sum(), x)
    assert mg.equal(first, plain)
    assert mg.allclose(second, (2 + 4 * x * x) * (x * x).exp())


def test_pack_and_unpack_see_every_saved_tensor_once() -> None:
    packed: list[Any] = []
    unpacked: list[int] = []

    def pack(t: Any) -> int:
        packed.append(t.numpy().copy())
        return len(packed) - 1

    def unpack(k: int) -> Any:
        unpacked.append(k)
        return mg.from_numpy(packed[k])

    x = point(3)
    with saved_tensors_hooks(pack, unpack):
        y = (x * x).exp().sum()
    assert len(packed) == 3
    assert unpacked == []
    y.backward()
    assert sorted(unpacked) == [0, 1, 2]
    assert mg.allclose(x.grad, 2 * x * (x * x).exp())


def test_unpack_must_give_a_tensor() -> None:
    x = point(2)
    with saved_tensors_hooks(lambda t: t, lambda t: "lost"):
        y = x.exp().sum()
    with pytest.raises(TypeError, match="expected to be a Tensor but got result of type str"):
        y.backward()


def test_save_on_cpu_gives_the_same_gradient() -> None:
    x = point(3)
    with save_on_cpu():
        x.exp().sum().backward()
    assert mg.allclose(x.grad, x.exp())


# ---------------------------------------------------------------------------------------------------- explain

def test_explain_says_why_with_lines() -> None:
    w = mg.ones(3, requires_grad=True)
    y = w * 2
    assert "no backward pass has reached it" in explain(w)
    assert "MulBackward0 made it at" in explain(y)
    assert "test_debugging.py:" in explain(y)
    assert "detach() at" in explain(y.detach())
    with mg.no_grad():
        z = w * 3
    assert "computed under no_grad, which began at" in explain(z)
    assert "int64" in explain(mg.tensor([1]))
    assert re.search(r"detach\(\) at .*test_debugging\.py:\d+", explain((y.detach() * 2).exp() + 1))
    assert re.search(r"under no_grad, which began at .*test_debugging\.py:\d+", explain(z.sum() * 2))
    frozen = mg.ones(3, requires_grad=True).requires_grad_(False)
    assert re.search(r"frozen, .* by requires_grad_\(False\) at .*test_debugging\.py:\d+", explain(frozen * 2))
    assert "The loss itself is in no graph. The tensor was frozen" in explain(w, (frozen * 2).sum())
    assert "nor does anything it was computed from" in explain(mg.ones(2) * 2)
    assert "does not depend on this tensor" in explain(w, (mg.ones(2, requires_grad=True) * 2).sum())
    assert "The loss itself is in no graph" in explain(w, y.detach().sum())
    (w * 1).sum().backward()
    assert "it is not zero" in explain(w)


def test_explain_finds_what_makes_a_gradient_zero() -> None:
    w = mg.ones(3, requires_grad=True)
    loss = ((w * 2 - 5).relu() * 3).sum()
    loss.backward(retain_graph=True)
    assert "made zero by ReluBackward0" in explain(w, loss)
    loss.backward()
    assert "was freed" in explain(w, loss)


SEVERAL: dict[str, Any] = {
    "cat": lambda x: mg.cat([x, x]), "stack": lambda x: mg.stack([mg.ones(2), x]), "hstack": lambda x: mg.hstack([x, x]),
    "sort": lambda x: x.sort().values, "max": lambda x: x.max(0).values, "topk": lambda x: x.topk(1).values,
    "unbind": lambda x: mg.stack([x, x]).unbind()[1], "split": lambda x: x.split(1)[0], "chunk": lambda x: x.chunk(2)[1],
    "aminmax": lambda x: x.aminmax().min, "frexp": lambda x: mg.frexp(x).mantissa,
    "svd": lambda x: mg.linalg.svd(mg.outer(x, x)).S}


@pytest.mark.parametrize("name", SEVERAL)
def test_explain_follows_what_was_cut_off_through_operations_on_and_of_several_tensors(name: str) -> None:
    run = SEVERAL[name]
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    assert re.search(r"cut from the graph by detach\(\) at .*test_debugging\.py:\d+", explain(run(w.detach()) * 2))
    with mg.no_grad():
        inside = run(w)
    assert re.search(r"under no_grad, which began at .*test_debugging\.py:\d+", explain(inside + 1))
    frozen = mg.tensor([1.0, 2.0], requires_grad=True).requires_grad_(False)
    assert "frozen, or computed only from what was" in explain(run(frozen))
    assert "nor does anything it was computed from" in explain(run(mg.tensor([1.0, 2.0])))


@pytest.mark.parametrize("name", [n for n in SEVERAL if n != "frexp"])
def test_explain_follows_a_zero_through_operations_on_and_of_several_tensors(name: str) -> None:
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    loss = (SEVERAL[name](w * 1) - 9).relu().sum()
    loss.backward(retain_graph=True)
    assert "made zero by ReluBackward0" in explain(w, loss)


def test_explain_blames_no_branch_that_does_not_make_all_of_it_zero() -> None:
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    largest, _ = (w * 1).floor().sort()
    loss = largest.sum() + (largest * 0).sum()  # something that is not zero arrives at sort, and at floor
    loss.backward(retain_graph=True)
    assert "made zero by FloorBackward0" in explain(w, loss)
    first, second = w.split(1)
    loss = (first * 0).sum() + second.floor().sum()
    w.grad = None
    loss.backward(retain_graph=True)
    assert re.search("made zero by (Mul|Floor)Backward0", explain(w, loss))


# ---------------------------------------------------------------------------------------------------- memory

def test_graph_memory_counts_what_is_kept_by_operation_and_module() -> None:
    model = nn.Sequential(nn.Linear(10, 20), nn.Tanh(), nn.Linear(20, 1))
    found = graph_memory(model(mg.randn(100, 10)).sum(), model)
    assert found.total == 100 * 10 * 4 + 100 * 20 * 4  # the input, and tanh's result, which the last layer shares
    assert sum(found.by_op.values()) == sum(found.by_module.values()) == found.total
    assert found.by_module == {"0": 4000, "1": 8000}
    assert "tanh" in str(found)


@pytest.fixture
def deep() -> Any:
    return nn.Sequential(*[layer for _ in range(8) for layer in (nn.Linear(20, 20), nn.Tanh(), nn.Dropout(0.3))])


def test_checkpoints_keep_less_and_give_the_same_gradients_random_numbers_included(deep: Any) -> None:
    x = mg.randn(50, 20, requires_grad=True)

    def run(forward: Any) -> tuple[int, list[Any]]:
        mg.manual_seed(1)
        deep.zero_grad()
        x.grad = None
        loss = forward().sum()
        kept = graph_memory(loss).total
        after = mg.rand(1)
        loss.backward()
        return kept, [p.grad.clone() for p in deep.parameters()] + [x.grad.clone(), after, mg.rand(1)]

    plain, expected = run(lambda: deep(x))
    for forward in (lambda: checkpoint(deep, x), lambda: checkpoint_sequential(deep, 4, x)):
        kept, found = run(forward)
        assert kept < plain / 3
        assert all(mg.equal(one, other) for one, other in zip(expected, found))


def test_checkpoints_have_second_derivatives_and_may_be_run_again() -> None:
    x = point(3)
    y = checkpoint(lambda t: (t ** 3).sum(), x)
    first, = mg.autograd.grad(y, x, create_graph=True)
    second, = mg.autograd.grad(first.sum(), x)
    assert mg.allclose(second, 6 * x)
    again, = mg.autograd.grad(y, x)
    assert mg.allclose(again, first)


def test_a_checkpointed_function_must_repeat_itself() -> None:
    calls = iter([True, False])
    x = point(3)
    y = checkpoint(lambda t: t.exp().sin().sum() if next(calls) else t.sum(), x)
    with pytest.raises(RuntimeError, match="number of tensors was saved during the original forward and recomputation: 2 and 0"):
        y.backward()


def test_what_a_deep_network_keeps_is_freed_as_the_backward_pass_uses_it() -> None:
    from benchmarks.peak import peak_over_activations

    assert peak_over_activations(depth=30, width=64, batch=512) < 1.3


def test_gradcheck_of_inputs_without_elements() -> None:
    x = mg.zeros(4, 0, dtype=mg.float64, requires_grad=True)
    assert mg.autograd.gradcheck(mg.nn.functional.pdist, (x,))
