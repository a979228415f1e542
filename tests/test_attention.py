"""Attention where masks leave a position nothing to look at: zeros, whichever kind of mask says so, and no NaN anywhere."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn

F = nn.functional
NOTHING = [[False, False, False], [True, True, True], [False, True, False]]  # what is left out, of each row
LEFT_PADDING = [[True, False, False], [False, False, False]]


def numbers(left_out: Any) -> Any:
    return mg.zeros(left_out.shape).masked_fill(left_out, -math.inf)


def inputs(*shape: int) -> Any:
    return mg.tensor(np.random.default_rng(0).normal(size=shape).astype(np.float32), requires_grad=True)


def check_finite(*tensors: Any) -> None:
    for t in tensors:
        assert mg.isfinite(t).all()


def test_scaled_dot_product_attention_is_the_same_with_either_kind_of_mask() -> None:
    results = []
    for mask in (~mg.tensor(NOTHING), numbers(mg.tensor(NOTHING))):
        q, k, v = (inputs(2, 3, 4) for _ in range(3))
        out = F.scaled_dot_product_attention(q, k, v, mask)
        out.square().sum().backward()
        assert (out[:, 1] == 0).all() and (q.grad[:, 1] == 0).all()
        check_finite(out, q.grad, k.grad, v.grad)
        results.append([out, q.grad, k.grad, v.grad])
    for one, other in zip(*results):
        np.testing.assert_array_equal(one.detach().numpy(), other.detach().numpy())


def test_the_gradient_of_a_mask_of_numbers() -> None:
    q = inputs(2, 3, 4)
    mask = numbers(mg.tensor(NOTHING)).requires_grad_()
    F.scaled_dot_product_attention(q, q, q, mask).sum().backward()
    check_finite(mask.grad)
    assert (mask.grad[mg.tensor(NOTHING)] == 0).all()


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize(("masks"), [
    {"attn_mask": mg.tensor(NOTHING)},
    {"key_padding_mask": mg.tensor([[False, False, True], [True, True, True]])},
    {"attn_mask": mg.ones(3, 3, dtype=mg.bool).triu(1), "key_padding_mask": mg.tensor(LEFT_PADDING)}], ids=str)
def test_multi_head_attention(masks: dict[str, Any], need_weights: bool) -> None:
    attention = nn.MultiheadAttention(4, 2)
    results = []
    for given in (masks, {name: numbers(mask) for name, mask in masks.items()}):
        attention.zero_grad()
        x = inputs(3, 2, 4)
        out, weights = attention(x, x, x, need_weights=need_weights, **given)
        out.square().sum().backward()
        grads = [x.grad, *[p.grad for p in attention.parameters()]]
        check_finite(out, *grads, *([weights] if need_weights else []))
        results.append([out, *grads])
    for one, other in zip(*results):
        np.testing.assert_array_equal(one.detach().numpy(), other.detach().numpy())


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("as_numbers", [True, False])
def test_a_transformer_layer_with_a_sequence_of_padding_only(as_numbers: bool, training: bool) -> None:
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True).train(training)
    padding = mg.tensor([[False, False, True], [True, True, True]])
    x = inputs(2, 3, 4)
    out = layer(x, src_key_padding_mask=numbers(padding) if as_numbers else padding)
    out[~padding].square().sum().backward()
    check_finite(out, x.grad, *[p.grad for p in layer.parameters()])
    alone = layer(x.detach()[:1, :2])
    np.testing.assert_allclose(out[0, :2].detach().numpy(), alone[0].detach().numpy(), rtol=1e-4, atol=1e-5)


def test_a_causal_mask_with_padding_on_the_left() -> None:
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True)
    causal = nn.Transformer.generate_square_subsequent_mask(3)
    x = inputs(2, 3, 4)
    layer(x, src_mask=causal, src_key_padding_mask=numbers(mg.tensor(LEFT_PADDING))).square().sum().backward()
    check_finite(x.grad, *[p.grad for p in layer.parameters()])
