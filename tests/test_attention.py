"""Attention where masks leave a position nothing to look at: zeros, whichever kind of mask says so, and no NaN anywhere."""

from __future__ import annotations

import math
import tracemalloc
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.ops.neural import attention

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


# ---------------------------------------------------------------------------------------------------- computed in blocks

def composite(q: Any, k: Any, v: Any, mask: Any, causal: bool, scale: float) -> Any:
    """What the operation computes, of operations that keep all scores."""
    scores = q @ k.mT * scale
    if causal:
        mask = numbers(~mg.ones(*scores.shape[-2:], dtype=mg.bool).tril()).to(scores.dtype)
    return mg.softmax(scores if mask is None else scores + mask, -1) @ v


@pytest.mark.parametrize("block", [1, 7, 40, 100, 1000])
@pytest.mark.parametrize(("masked", "causal"), [(False, False), (True, False), (False, True)])
def test_blocks_of_any_size_give_what_the_composite_gives_to_the_second_derivative(
        block: int, masked: bool, causal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "BLOCK", block)
    rng = np.random.default_rng(0)
    shapes = (3, 2, 5, 4), (3, 2, 6, 4), (3, 2, 6, 3)
    mask = mg.tensor(rng.normal(size=(3, 1, 5, 6))) if masked else None
    found = []
    for function in (lambda q, k, v: F.scaled_dot_product_attention(q, k, v, mask, is_causal=causal, scale=0.7),
                     lambda q, k, v: composite(q, k, v, mask, causal, 0.7)):
        rng = np.random.default_rng(1)
        leaves = [mg.tensor(rng.normal(size=shape), requires_grad=True) for shape in shapes]
        out = function(*leaves)
        first = mg.autograd.grad(out, leaves, mg.tensor(rng.normal(size=out.shape)), create_graph=True)
        second = mg.autograd.grad(first, leaves, [mg.tensor(rng.normal(size=g.shape)) for g in first])
        found.append([t.detach().numpy() for t in (out, *first, *second)])
    for one, other in zip(*found):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-10)


def test_all_scores_are_never_there_at_once() -> None:
    length = 2048
    q, k, v = (inputs(1, 1, length, 8) for _ in range(3))
    F.scaled_dot_product_attention(q, k, v).sum().backward()  # the first time compiles kernels
    tracemalloc.start()
    F.scaled_dot_product_attention(q, k, v).sum().backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < length * length * 4 / 2


@pytest.mark.parametrize("other", [{"dropout_p": 0.5}, {"attn_mask": mg.zeros(3, 3).requires_grad_()},
                                   {"attn_mask": mg.zeros(2, 1, 3, 3)}])
def test_what_is_composed_of_other_operations(other: Any) -> None:
    q = inputs(1, 3, 4)
    out = F.scaled_dot_product_attention(q, q, q, **other)
    assert out.grad_fn.name() != "ScaledDotProductAttentionBackward0"
    out.sum().backward()
    check_finite(q.grad)
    assert F.scaled_dot_product_attention(q, q, q).grad_fn.name() == "ScaledDotProductAttentionBackward0"


def test_the_result_lies_in_memory_as_the_query_does() -> None:
    q, k, v = mg.ones(2, 5, 3, 3, 4).permute(2, 0, 3, 1, 4).unbind(0)
    out = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    assert out.stride() == (60, 4, 12, 1) and out.transpose(1, 2).is_contiguous()
    assert F.scaled_dot_product_attention(q.contiguous(), k, v).is_contiguous()
    assert F.scaled_dot_product_attention(q[0], k[0], v[0]).is_contiguous()
    assert F.scaled_dot_product_attention(q, k, v[..., :2]).is_contiguous()
