"""assert_gradients_match and the hypothesis strategies that minigrad ships: right functions pass, planted errors do not."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import nn
from minigrad.testing import assert_gradients_match, broadcastable, shapes, tensors


class Softsign(mg.autograd.Function):
    """x / (1 + |x|), with a factor in the backward that can be wrong."""

    factor = 1.0

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x / (1 + x.abs())

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, = ctx.saved_tensors
        return g * Softsign.factor / (1 + x.abs()) ** 2


@given(tensors(shapes(max_dims=2, max_side=2), where=lambda a: a + 0.5 * np.sign(a)))
@settings(max_examples=15, deadline=None)
def test_a_function_of_the_users_own(x: Any) -> None:
    Softsign.factor = 1.0
    assert_gradients_match(Softsign.apply, x)
    assert_gradients_match(Softsign.apply, x, expected=lambda t: t / (1 + t.abs()))


@pytest.mark.parametrize(("factor", "cause"), [
    (2.0, "a wrong factor: backward is 2 times"), (-1.0, "a wrong sign"), (0.0, "a missing term"),
])
def test_planted_factors(factor: float, cause: str) -> None:
    Softsign.factor = factor
    with pytest.raises(AssertionError, match=rf"with respect to input 0.*Likely cause: {cause}"):
        assert_gradients_match(Softsign.apply, mg.tensor([0.5, -2.0]))
    with pytest.raises(AssertionError, match="The gradient differs from that of `expected`"):
        assert_gradients_match(Softsign.apply, mg.tensor([0.5, -2.0]), expected=lambda t: t / (1 + t.abs()))


def test_a_planted_error_in_the_value_and_in_the_second_derivative() -> None:
    class Square(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2 * ctx.saved_tensors[0].detach()

    x = mg.tensor([0.5, 2.0])
    with pytest.raises(AssertionError, match="The value differs"):
        assert_gradients_match(lambda t: t * 2, x, expected=lambda t: t * 3)
    assert_gradients_match(Square.apply, x, order=1)
    assert_gradients_match(Square.apply, x, expected=lambda t: t * t, order=1)
    with pytest.raises(AssertionError, match="missing term"):
        assert_gradients_match(Square.apply, x)
    with pytest.raises(AssertionError, match="The second derivative differs"):
        assert_gradients_match(Square.apply, x, expected=lambda t: t ** 2)
    with pytest.raises(TypeError, match="order must be 1 or 2"):
        assert_gradients_match(Square.apply, x, order=3)


def test_modules_complex_numbers_and_other_arguments() -> None:
    assert_gradients_match(nn.Linear(3, 2).double(), mg.rand(2, 3))
    assert_gradients_match(lambda z: z * z.conj(), mg.tensor([1 + 2j]))
    assert_gradients_match(lambda x, index, k: x[index] * k, mg.rand(3), mg.tensor([0, 2]), 3)


@given(broadcastable(3))
@settings(max_examples=50, deadline=None)
def test_broadcastable_shapes_broadcast(drawn: Any) -> None:
    assert len(drawn) == 3
    np.broadcast_shapes(*drawn)


@given(shapes(1, 2, 0, 3))
@settings(max_examples=50, deadline=None)
def test_shapes_keep_their_bounds(shape: Any) -> None:
    assert 1 <= len(shape) <= 2
    assert all(0 <= n <= 3 for n in shape)


@given(st.data(), st.sampled_from([mg.float32, mg.float64, mg.complex64, mg.int64, mg.uint8, mg.bool]))
@settings(max_examples=50, deadline=None)
def test_tensors_are_what_was_asked_for(data: Any, dtype: Any) -> None:
    x = data.draw(tensors((2, 3), dtype, min_value=-1.0, max_value=2.0))
    assert x.dtype is dtype
    assert tuple(x.shape) == (2, 3)
    assert x.requires_grad == (dtype.is_floating_point or dtype.is_complex)
    parts = np.asarray(x.detach())
    assert parts.real.max() <= 2
    assert parts.real.min() >= -1
    assert not data.draw(tensors((), requires_grad=False)).requires_grad


def test_every_layout_is_drawn() -> None:
    seen = set()

    @given(tensors((2, 3)))
    @settings(max_examples=60, deadline=None, database=None)
    def look(x: Any) -> None:
        seen.add(tuple(x.stride()))

    look()
    assert len(seen) >= 3


def test_a_counterexample_is_shown_as_the_tensor_that_it_is() -> None:
    @settings(max_examples=30, database=None, derandomize=True, deadline=None)
    @given(tensors((2,), noncontiguous=False))
    def never(x: Any) -> None:
        assert (x > 3).any()

    with pytest.raises(AssertionError) as refused:
        never()
    assert "x=tensor([" in refused.value.__notes__[0]


def test_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TypeError, match="min_value must not be greater than max_value"):
        tensors(min_value=1.0, max_value=0.0)

    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ImportError, match=r'needs hypothesis, .* pip install "minigrad-numpy\[testing\]"'):
        shapes()
