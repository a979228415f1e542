"""Functions with a backward of the user's own."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.autograd import Function, grad, gradcheck, gradgradcheck
from minigrad.autograd.function import once_differentiable


class Cube(Function):
    """x³ times a number; keeps its input and its result."""

    @staticmethod
    def forward(ctx: Any, x: Any, factor: float) -> Any:
        y = x * x * x
        ctx.factor = factor
        ctx.save_for_backward(x, y)
        return y * factor

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, _ = ctx.saved_tensors
        return g * x * x * 3 * ctx.factor, None


class Swap(Function):
    """Two results; keeps them both."""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        first, second = b * 2, a * b
        ctx.save_for_backward(a, b, second)
        return first, second

    @staticmethod
    def backward(ctx: Any, g_first: Any, g_second: Any) -> Any:
        a, b, _ = ctx.saved_tensors
        return g_second * b, g_first * 2 + g_second * a


def point(*shape: int) -> Any:
    return mg.rand(*shape, dtype=mg.float64).add(0.5).requires_grad_()


def test_values_and_every_order() -> None:
    x = mg.tensor([2.0, 3.0], requires_grad=True)
    y = Cube.apply(x, 2.0)
    assert y.grad_fn.name() == "CubeBackward"
    assert y.grad_fn.next_functions[0][0].variable is x
    first, = grad(y.sum(), x, create_graph=True)
    second, = grad(first.sum(), x, create_graph=True)
    third, = grad(second.sum(), x)
    assert first.tolist() == [24, 54]
    assert second.tolist() == [24, 36]
    assert third.tolist() == [12, 12]


def test_gradcheck_of_one_and_of_several_results() -> None:
    assert gradcheck(lambda x: Cube.apply(x, 2.0), point(3))
    assert gradgradcheck(lambda x: Cube.apply(x, 2.0), point(3))
    assert gradcheck(Swap.apply, (point(2), point(2)))
    assert gradgradcheck(Swap.apply, (point(2), point(2)))


def test_an_unused_result_gets_zeros_or_none() -> None:
    seen: list[Any] = []

    class Two(Function):
        materialize = True

        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(Two.materialize)
            return x * 1, x * 2

        @staticmethod
        def backward(ctx: Any, a: Any, b: Any) -> Any:
            seen.append((a, b))
            return a

    x = mg.ones(2, requires_grad=True)
    Two.apply(x)[0].sum().backward()
    Two.materialize = False
    Two.apply(x)[0].sum().backward()
    assert seen[0][1].tolist() == [0, 0]
    assert seen[1][1] is None


def test_needs_input_grad_and_setup_context() -> None:
    seen: list[tuple[bool, ...]] = []

    class Scale(Function):
        @staticmethod
        def forward(x: Any, w: Any, k: int) -> Any:
            return x * w * k

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
            x, w, ctx.k = inputs
            ctx.save_for_backward(x, w)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            seen.append(ctx.needs_input_grad)
            x, w = ctx.saved_tensors
            return g * w * ctx.k, None, None

    x, w = mg.tensor([2.0], requires_grad=True), mg.tensor([3.0])
    Scale.apply(x, w, 5).backward()
    assert x.grad.tolist() == [15]
    assert seen == [(True, False, False)]


def test_results_that_are_marked() -> None:
    class Mark(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y, order = x * 2, x * 0
            ctx.mark_non_differentiable(order)
            return y, order

        @staticmethod
        def backward(ctx: Any, g: Any, _: Any) -> Any:
            return g * 2

    y, order = Mark.apply(mg.ones(2, requires_grad=True))
    assert y.requires_grad
    assert not order.requires_grad


def test_mark_dirty_moves_the_input_in_the_graph() -> None:
    class Double(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    x = mg.tensor([1.0, 3.0], requires_grad=True)
    y = x * 1
    z = Double.apply(y)
    assert z is y
    z.sum().backward()
    assert x.grad.tolist() == [2, 2]
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        Double.apply(x)


def test_an_input_returned_as_it_came_is_another_tensor() -> None:
    class Same(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 7

    x = mg.ones(1, requires_grad=True)
    y = Same.apply(x)
    assert y is not x
    assert x.is_leaf
    y.backward()
    assert x.grad.tolist() == [7]


def test_once_differentiable_refuses_the_second_derivative() -> None:
    class Square(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once_differentiable
        def backward(ctx: Any, g: Any) -> Any:
            x, = ctx.saved_tensors
            return mg.from_numpy(2 * x.detach().numpy()) * g

    x = mg.tensor([3.0], requires_grad=True)
    Square.apply(x).backward()
    assert x.grad.tolist() == [6]
    first, = grad(Square.apply(x), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.backward()


def test_saved_values_are_watched_and_freed() -> None:
    x = mg.ones(2, requires_grad=True)
    y = x * 2
    z = Cube.apply(y, 1.0)
    y.add_(1)
    with pytest.raises(RuntimeError, match="CubeBackward.*modified by an inplace|modified by an inplace.*CubeBackward"):
        z.sum().backward()
    w = Cube.apply(x, 1.0)
    w.sum().backward()
    with pytest.raises(RuntimeError, match="second time"):
        w.sum().backward()


def test_no_reference_cycle_even_when_the_result_is_saved() -> None:
    gc.disable()
    try:
        y = Cube.apply(mg.ones(2, requires_grad=True), 1.0)
        node = weakref.ref(y.grad_fn)
        del y
        assert node() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(("result", "message"), [
    (lambda g: (g,), r"incorrect number of gradients \(expected 2"),
    (lambda g: (g, g, g), r"incorrect number of gradients \(expected 2"),
    (lambda g: (1.0, None), "expected a Tensor or None"),
    (lambda g: (g.sum(), None), r"gradient of shape \[\], but .* has shape \[3\]"),
])
def test_wrong_backwards_are_refused(result: Any, message: str) -> None:
    class Wrong(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, k: float) -> Any:
            return x * k

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return result(g)

    y = Wrong.apply(mg.ones(3, requires_grad=True), 2.0)
    with pytest.raises((RuntimeError, TypeError), match=message):
        y.sum().backward()


def test_nothing_is_recorded_inside_and_nothing_at_all_under_no_grad() -> None:
    modes: list[bool] = []

    class Look(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            modes.append(mg.is_grad_enabled())
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            modes.append(mg.is_grad_enabled())
            return g * 2

    x = mg.ones(1, requires_grad=True)
    Look.apply(x).backward()
    with mg.no_grad():
        assert not Look.apply(x).requires_grad
    assert modes == [False, False, False]


def test_float32_stays_float32() -> None:
    x = mg.ones(3, requires_grad=True)
    Cube.apply(x, 2.0).sum().backward()
    assert x.grad.dtype is mg.float32
    assert np.array_equal(x.grad.numpy(), np.full(3, 6, np.float32))


def test_saved_tensors_come_back_in_their_places_in_the_graph() -> None:
    """Adjoint methods, invertible networks and implicit layers differentiate again inside of backward."""
    class Solve(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, w: Any) -> Any:
            ctx.save_for_backward(x, w, outside)
            return x * w * outside

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            x, weight, other = ctx.saved_tensors
            assert weight is w
            assert other is outside
            assert x.grad_fn is grown.grad_fn
            with mg.enable_grad():
                start = x.detach().requires_grad_()
                return grad(start * weight * other, (start, weight), g)

    x, w = mg.tensor([2.0], requires_grad=True), mg.tensor([3.0], requires_grad=True)
    outside = mg.tensor([5.0], requires_grad=True)
    grown = x * 1
    Solve.apply(grown, w).sum().backward()
    assert (x.grad.tolist(), w.grad.tolist(), outside.grad) == ([15], [10], None)


def test_saved_tensors_end_with_the_graph() -> None:
    kept: list[Any] = []

    class Keep(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            kept.append(ctx)
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    y = Keep.apply(mg.ones(2, requires_grad=True))
    assert kept[0].saved_tensors[0].tolist() == [1, 1]
    y.sum().backward()
    with pytest.raises(RuntimeError, match="a second time"):
        _ = kept[0].saved_tensors
    del y
    with pytest.raises(RuntimeError, match="the graph that this call was recorded in is gone"):
        _ = kept[0].saved_tensors


def test_the_rule_may_be_called_vjp() -> None:
    class Twice(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return 2 * x

        @staticmethod
        def vjp(ctx: Any, g: Any) -> Any:
            return 2 * g

    class Both(Twice):
        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return 2 * g

    x = mg.ones(1, requires_grad=True)
    Twice.apply(x).backward()
    assert x.grad is not None and x.grad.tolist() == [2]
    with pytest.raises(RuntimeError, match="Implementing both 'backward' and 'vjp' for a custom Function is not allowed"):
        Both.apply(x).backward()


def test_a_function_has_the_names_of_its_context() -> None:
    for name in ("save_for_backward", "saved_tensors", "mark_dirty", "mark_non_differentiable", "set_materialize_grads",
                 "to_save",
                 "dirty_tensors", "non_differentiable", "materialize_grads", "needs_input_grad"):
        assert hasattr(mg.autograd.Function, name)
