"""nn.functional: dropout, attention, resampling and the activations' wrappers."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad
from minigrad import tensor
from minigrad.nn import functional as F

RNG = np.random.default_rng(7)


def slope_agrees(function, *arrays, rel=1e-6):
    """The gradient of a random weighting of the result is its slope along a random direction."""
    rng = np.random.default_rng(0)
    leaves = [tensor(a, requires_grad=True) for a in arrays]
    steps = [rng.normal(size=a.shape) for a in arrays]
    weight = tensor(rng.normal(size=function(*leaves).shape))
    (function(*leaves) * weight).sum().backward()
    up, down = ((function(*[tensor(a + h * s) for a, s in zip(arrays, steps)]) * weight).sum().item() for h in (1e-5, -1e-5))
    assert sum((t.grad.numpy() * s).sum() for t, s in zip(leaves, steps)) == pytest.approx((up - down) / 2e-5, rel=rel, abs=1e-7)


# ---------------------------------------------------------------------------------------------------- dropout

def test_dropout_keeps_the_mean_and_is_repeated_by_the_seed():
    x = minigrad.ones(200, 200)
    minigrad.manual_seed(1)
    y = F.dropout(x, 0.3)
    minigrad.manual_seed(1)
    assert minigrad.equal(y, F.dropout(x, 0.3))
    assert sorted({round(v, 4) for v in y.flatten().tolist()}) == [0.0, round(1 / 0.7, 4)]
    assert y.mean().item() == pytest.approx(1, abs=0.02)
    assert F.dropout(x, 0.3, training=False) is x
    assert F.dropout(x, 1.0).abs().sum().item() == 0


def test_dropout_drops_the_same_in_the_gradient():
    x = minigrad.ones(50, requires_grad=True)
    y = F.dropout(x, 0.5)
    y.sum().backward()
    assert minigrad.equal(x.grad, y.detach())
    z = minigrad.ones(50)
    assert F.dropout(z, 0.5, inplace=True) is z
    assert 0 in z.tolist()


@pytest.mark.parametrize(("function", "shape"), [
    (F.dropout1d, (8, 5, 6)), (F.dropout2d, (8, 5, 3, 4)), (F.dropout3d, (8, 5, 2, 2, 2)), (F.dropout1d, (40, 6)),
    (F.dropout3d, (40, 2, 2, 2))])
def test_channels_are_dropped_whole(function, shape):
    y = function(minigrad.ones(*shape), 0.5)
    lead = 2 if len(shape) == {F.dropout1d: 3, F.dropout2d: 4, F.dropout3d: 5}[function] else 1
    flat = y.reshape(*shape[:lead], -1)
    assert minigrad.equal(flat.amax(-1), flat.amin(-1))
    assert set(flat.flatten().tolist()) == {0.0, 2.0}


@pytest.mark.parametrize("function", [F.alpha_dropout, F.feature_alpha_dropout])
def test_alpha_dropout_keeps_mean_and_variance(function):
    minigrad.manual_seed(0)
    y = function(minigrad.randn(400, 400), 0.3, training=True)
    assert y.mean().item() == pytest.approx(0, abs=0.03)
    assert y.std().item() == pytest.approx(1, abs=0.03)


# ---------------------------------------------------------------------------------------------------- attention

def attention(q, k, v, bias=0.0):
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1]) + bias
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return (weights / weights.sum(-1, keepdims=True)) @ v


def test_attention_with_every_kind_of_mask():
    q, k, v = RNG.normal(size=(2, 3, 4, 5)), RNG.normal(size=(2, 3, 6, 5)), RNG.normal(size=(2, 3, 6, 7))
    args = [tensor(x) for x in (q, k, v)]
    np.testing.assert_allclose(F.scaled_dot_product_attention(*args).numpy(), attention(q, k, v), atol=1e-12)
    causal = np.where(np.tri(4, 6, dtype=bool), 0, -np.inf)
    found = F.scaled_dot_product_attention(*args, is_causal=True)
    np.testing.assert_allclose(found.numpy(), attention(q, k, v, causal), atol=1e-12)
    added = RNG.normal(size=(4, 6))
    np.testing.assert_allclose(F.scaled_dot_product_attention(*args, attn_mask=tensor(added)).numpy(), attention(q, k, v, added))
    allowed = np.ones((4, 6), bool)
    allowed[0] = False
    blind = F.scaled_dot_product_attention(*args, attn_mask=tensor(allowed))
    assert not blind[:, :, 0].numpy().any(), "a position that may look at nothing gets zeros"
    np.testing.assert_allclose(blind[:, :, 1:].numpy(), attention(q, k, v)[:, :, 1:], atol=1e-12)
    slope_agrees(lambda a, b, c: F.scaled_dot_product_attention(a, b, c, tensor(allowed)), q, k, v)
    slope_agrees(lambda a, b, c: F.scaled_dot_product_attention(a, b, c, is_causal=True), q, k, v)
    shared = F.scaled_dot_product_attention(args[0], args[1][:, :1], args[2][:, :1], enable_gqa=True)
    np.testing.assert_allclose(shared.numpy(), attention(q, k[:, :1], v[:, :1]), atol=1e-12)


def test_attention_of_several_heads_by_hand():
    embed, heads, length, n = 6, 2, 4, 3
    x, w, b = RNG.normal(size=(length, n, embed)), RNG.normal(size=(3 * embed, embed)), RNG.normal(size=3 * embed)
    out, out_b = RNG.normal(size=(embed, embed)), RNG.normal(size=embed)
    projected = (x @ w.T + b).reshape(length, n, 3, heads, 3).transpose(2, 1, 3, 0, 4)
    expected = attention(*projected).transpose(2, 0, 1, 3).reshape(length, n, embed) @ out.T + out_b

    def call(x, **more):
        return F.multi_head_attention_forward(x, x, x, embed, heads, tensor(w), tensor(b), None, None, False, 0.0, tensor(out),
                                              tensor(out_b), **more)
    result, weights = call(tensor(x))
    np.testing.assert_allclose(result.numpy(), expected, atol=1e-12)
    np.testing.assert_allclose(weights.sum(-1).numpy(), np.ones((n, length)))
    np.testing.assert_allclose(call(tensor(x), need_weights=False)[0].numpy(), expected, atol=1e-12)
    np.testing.assert_allclose(call(tensor(x[:, 0]))[0].numpy(), expected[:, 0], atol=1e-12)
    padded, weights = call(tensor(x), key_padding_mask=tensor(np.arange(length) > 1).expand(n, length))
    assert not weights[..., 2:].numpy().any()
    with pytest.raises(RuntimeError, match=r"2D attn_mask is \[4, 3\], but should be \[4, 4\]"):
        call(tensor(x), attn_mask=minigrad.zeros(4, 3))


# ---------------------------------------------------------------------------------------------------- resampling

def test_interpolation_of_a_ramp():
    ramp = tensor([[[0.0, 1.0, 2.0, 3.0]]])
    assert F.interpolate(ramp, 8).flatten().tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert F.interpolate(ramp, scale_factor=0.5, mode="nearest-exact").flatten().tolist() == [1, 3]
    assert F.interpolate(ramp, 7, mode="linear", align_corners=True).flatten().tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3]
    assert F.interpolate(ramp, 8, mode="linear").flatten().tolist() == [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]
    assert F.interpolate(ramp, 2, mode="area").flatten().tolist() == [0.5, 2.5]


@pytest.mark.parametrize(("mode", "dims"), [("nearest", 2), ("linear", 1), ("bilinear", 2), ("bicubic", 2), ("trilinear", 3),
                                            ("area", 2)])
def test_interpolation_keeps_constants_and_has_its_slope(mode, dims):
    x = RNG.normal(size=(2, 2, *(3, 4, 5)[:dims]))
    size = (5, 3, 7)[:dims]
    ones = F.interpolate(tensor(np.ones_like(x)), size, mode=mode)
    np.testing.assert_allclose(ones.numpy(), np.ones((2, 2, *size)), atol=1e-12)
    slope_agrees(lambda t: F.interpolate(t, size, mode=mode), x)
    with pytest.raises(ValueError, match="only one of size or scale_factor|either size or scale_factor"):
        F.interpolate(tensor(x), mode=mode)


def test_antialiasing_averages_what_it_leaves_out():
    x = minigrad.zeros(1, 1, 8, 8)
    x[..., ::2] = 1.0
    plain, smooth = (F.interpolate(x, (8, 3), mode="bilinear", antialias=a) for a in (False, True))
    assert (smooth - 0.5).abs().max() < 0.2 < (plain - 0.5).abs().max()


@pytest.mark.parametrize("align", [True, False])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_the_identity_grid_gives_the_image_back(mode, padding, align):
    x = RNG.normal(size=(1, 2, 4, 5))
    grid = F.affine_grid(tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]], dtype=minigrad.float64), (1, 2, 4, 5), align_corners=align)
    np.testing.assert_allclose(F.grid_sample(tensor(x), grid, mode, padding, align).numpy(), x, atol=1e-12)
    moved = grid.numpy() * 1.3 + 0.07
    if mode != "nearest":
        slope_agrees(lambda a, g: F.grid_sample(a, g, mode, padding, align), x, moved, rel=1e-4)


def test_shuffles_are_inverse():
    x = minigrad.arange(2 * 8 * 3 * 2).reshape(2, 8, 3, 2)
    assert F.pixel_shuffle(x, 2).shape == (2, 2, 6, 4)
    assert minigrad.equal(F.pixel_unshuffle(F.pixel_shuffle(x, 2), 2), x)
    assert minigrad.equal(F.channel_shuffle(F.channel_shuffle(x, 2), 4), x)
    with pytest.raises(RuntimeError, match="divisible by the square of upscale_factor"):
        F.pixel_shuffle(x, 3)


# ---------------------------------------------------------------------------------------------------- activations

@pytest.mark.parametrize("name", ["relu", "relu6", "leaky_relu", "elu", "celu", "selu", "silu", "mish", "hardtanh", "hardsigmoid",
                                  "hardswish"])
def test_inplace_gives_the_same_tensor_with_the_same_values_and_gradient(name):
    function, x = getattr(F, name), RNG.normal(size=(3, 4))
    leaf, other = tensor(x, requires_grad=True), tensor(x, requires_grad=True)
    copy = leaf.clone()
    assert function(copy, inplace=True) is copy
    np.testing.assert_array_equal(copy.detach().numpy(), function(other).detach().numpy())
    (copy * copy).sum().backward()
    (function(other) ** 2).sum().backward()
    np.testing.assert_allclose(leaf.grad.numpy(), other.grad.numpy())


def test_softmax_without_dim_warns_and_takes_pytorchs():
    x = RNG.normal(size=(3, 4))
    with pytest.warns(UserWarning, match="Change the call to include dim=1"):
        y = F.softmax(tensor(x))
    np.testing.assert_allclose(y.sum(1).numpy(), np.ones(3))


@pytest.mark.parametrize("dim", [0, 1])
@pytest.mark.parametrize("size", [7, 5000])
@pytest.mark.parametrize("offset", [-1000.0, -80.0, -20.0, 0.0, 60.0, 90.0, 1000.0])
def test_softmax_of_numbers_of_any_size(offset, size, dim):
    """One row far away, or all of them; short rows and long ones: what is quicker for some is no less exact."""
    for shift in (offset, np.array([[0.0], [offset], [0.0]])):
        x = (RNG.normal(size=(3, size)) + shift).astype(np.float32)
        x[0, 1] = -np.inf
        x, axis = (x, 1) if dim else (x.T.copy(), 0)
        exact = np.exp(x.astype(np.float64) - x.max(axis, keepdims=True))
        exact /= exact.sum(axis, keepdims=True)
        t = tensor(x, requires_grad=True)
        y = F.softmax(t, axis)
        np.testing.assert_allclose(y.detach().numpy(), exact, rtol=5e-6)
        np.testing.assert_allclose(F.log_softmax(t.detach(), axis).exp().numpy(), exact, rtol=1e-5)
        g = RNG.normal(size=x.shape).astype(np.float32)
        y.backward(tensor(g))
        slope = exact * (g - (g * exact).sum(axis, keepdims=True))
        np.testing.assert_allclose(t.grad.numpy(), slope, atol=5e-6 * exact.max())


def test_gumbel_softmax_chooses_with_the_probabilities():
    minigrad.manual_seed(0)
    p = np.array([0.2, 0.5, 0.3])
    logits = tensor(np.log(p)).expand(20000, 3)
    hard = F.gumbel_softmax(logits, hard=True)
    np.testing.assert_allclose(hard.mean(0).numpy(), p, atol=0.02)
    assert set(hard.round().flatten().tolist()) == {0.0, 1.0}
    soft = tensor(RNG.normal(size=(4, 3)), requires_grad=True)
    F.gumbel_softmax(soft, tau=0.5, hard=True).pow(2).sum().backward()
    assert soft.grad.abs().sum() > 0


def test_rrelu_draws_a_slope_for_each_element():
    x = -minigrad.ones(1000)
    y = -F.rrelu(x, 0.1, 0.3, training=True)
    assert 0.1 <= y.min() < 0.12 and 0.28 < y.max() <= 0.3
    assert F.rrelu(x, 0.1, 0.3).unique().tolist() == pytest.approx([-0.2])
