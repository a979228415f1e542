"""Attention."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays
from minigrad.errors import DtypeError, RuntimeValueError, ShapeError
from minigrad.nn.functional.dropouts import dropout
from minigrad.ops.linear_algebra import products
from minigrad.ops.neural import activation, attention
from minigrad.ops.pointwise import comparison
from minigrad.ops.reducing import reduction as reductions
from minigrad.ops.shaping import shape as shapes
from minigrad.ops.shaping import slicing
from minigrad.recording import call
from minigrad.recording.device_guard import on_device_of_inputs

if TYPE_CHECKING:
    from minigrad._tensor import Tensor

__all__ = ["multi_head_attention_forward", "scaled_dot_product_attention"]


def scaled_dot_product_attention(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None,
                                 dropout_p: float = 0.0, is_causal: bool = False, *, scale: float | None = None,
                                 enable_gqa: bool = False) -> Tensor:
    """``softmax(query @ key.mT * scale + mask) @ value``. Source: Vaswani et al., 2017, arXiv:1706.03762.

    Args:
        query: ``(*, L, E)``; key ``(*, S, E)``, value ``(*, S, Ev)``; the result is ``(*, L, Ev)``.
        attn_mask: what broadcasts to ``(*, L, S)``: booleans, True where attention is allowed, or numbers that are added.
        dropout_p: the probability with which a weight is dropped.
        is_causal: a position sees only itself and what is before it.
        scale: ``1 / sqrt(E)`` unless given.
        enable_gqa: key and value have fewer heads (dimension -3), each of which serves several of the query.

    A position that may look at nothing gets zeros.
    """
    for name, x in (("query", query), ("key", key), ("value", value)):
        if x.ndim < 2:
            raise ShapeError("scaled_dot_product_attention: Expected query, key, and value to all be at least 2 dimensional, "
                             f"but {name} has shape {list(x.shape)}")
        if x.dtype is not query.dtype:
            raise DtypeError("scaled_dot_product_attention: Expected query, key, and value to have the same dtype, but got "
                             f"query.dtype: {query.dtype}, key.dtype: {key.dtype} and value.dtype: {value.dtype}")
    if attn_mask is not None and is_causal:
        raise RuntimeValueError("scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")
    if enable_gqa and key.shape[-3] != query.shape[-3]:
        key, value = (_repeat_heads(x, query.shape[-3] // x.shape[-3]) for x in (key, value))
    factor = 1 / math.sqrt(max(query.shape[-1], 1)) if scale is None else scale
    if not dropout_p and _is_one_operation(query, key, value, attn_mask):
        if attn_mask is not None and attn_mask.dtype.kind == "b":
            zeros = shapes.constant_full(query, size=tuple(attn_mask.shape))
            attn_mask = comparison.where(attn_mask, zeros, -math.inf)
        result: Tensor = attention.attention(query, key, value, attn_mask, scale=factor, causal=is_causal)[0]
        return result
    scores = products.matmul(query * factor, key.swapaxes(-1, -2))
    if is_causal:
        attn_mask = _causal_mask(scores)
    if attn_mask is None:
        weights = activation.softmax(scores, dim=-1)
    else:
        boolean = attn_mask.dtype.kind == "b"
        scores = comparison.where(attn_mask, scores, -math.inf) if boolean else scores + attn_mask
        weights = activation.safe_softmax(scores, dim=-1)
    return products.matmul(dropout(weights, dropout_p) if dropout_p else weights, value)


def _is_one_operation(query: Any, key: Any, value: Any, mask: Any) -> bool:
    """Whether these are what :func:`~minigrad.ops.neural.attention.attention` takes: there is no broadcasting but of the mask,
    and the mask has the same dtype and needs no gradient."""
    *lead, length, size = query.shape
    *of_key, keys, same_size = key.shape
    if not lead == of_key == list(value.shape[:-2]) or size != same_size or keys != value.shape[-2]:
        return False
    if mask is None:
        return True
    scores = (*lead, length, keys)[query.ndim - mask.ndim:]
    return (mask.dtype.kind == "b" or mask.dtype is query.dtype and not mask.requires_grad) and mask.ndim <= query.ndim and all(
        [n in (1, full) for n, full in zip(mask.shape, scores)])


@on_device_of_inputs
def _causal_mask(scores: Any) -> Any:
    """0 where a row of `scores` may look, at its own column and those before, and -inf elsewhere."""
    allowed = _arrays.xp_of(scores.array).tri(scores.shape[-2], scores.shape[-1], dtype=bool)
    zero, never = (scores.array.dtype.type(x) for x in (0, -math.inf))
    return call.constant(np.where(allowed, zero, never), scores)


def _repeat_heads(x: Any, times: int) -> Any:
    """Each head, along dimension -3, repeated `times` times."""
    wide = shapes.expand(shapes.unsqueeze(x, dim=-3), size=(*x.shape[:-2], times, *x.shape[-2:]))
    return shapes.reshape(wide, shape=(*x.shape[:-3], x.shape[-3] * times, *x.shape[-2:]))

def multi_head_attention_forward(query: Tensor, key: Tensor, value: Tensor, embed_dim_to_check: int, num_heads: int,
                                 in_proj_weight: Tensor | None, in_proj_bias: Tensor | None, bias_k: Tensor | None,
                                 bias_v: Tensor | None, add_zero_attn: bool, dropout_p: float, out_proj_weight: Tensor,
                                 out_proj_bias: Tensor | None, training: bool = True, key_padding_mask: Tensor | None = None,
                                 need_weights: bool = True, attn_mask: Tensor | None = None,
                                 use_separate_proj_weight: bool = False, q_proj_weight: Tensor | None = None,
                                 k_proj_weight: Tensor | None = None, v_proj_weight: Tensor | None = None,
                                 static_k: Tensor | None = None, static_v: Tensor | None = None,
                                 average_attn_weights: bool = True, is_causal: bool = False) -> tuple[Tensor, Tensor | None]:
    """Attention of several heads, each on its own projection of query, key and value; their results are joined and projected.

    Args:
        query: ``(L, N, E)``; key and value ``(S, N, E)``; or all three without N.
        in_proj_weight: the three input projections one under the other, ``(3 * E, E)``; or, with `use_separate_proj_weight`,
            `q_proj_weight`, `k_proj_weight` and `v_proj_weight`.
        bias_k, bias_v: one more key and value, ``(1, 1, E)``, added at the end; `add_zero_attn` adds one of zeros.
        key_padding_mask: ``(N, S)``: True (or -inf) for keys to leave out.
        attn_mask: ``(L, S)`` or ``(N * num_heads, L, S)``: True (or -inf) for pairs to leave out, or numbers that are added.
        is_causal: a hint that `attn_mask`, which must be given too, is the causal one.

    Returns: the result, ``(L, N, E)``, and the weights of attention, ``(N, L, S)`` or with a dimension of heads after N, or None.
    """
    batched = query.ndim == 3
    _check_attention(query, key, value, key_padding_mask, attn_mask, num_heads, embed_dim_to_check, is_causal)
    if not batched:
        query, key, value = (shapes.unsqueeze(x, dim=1) for x in (query, key, value))
        key_padding_mask = None if key_padding_mask is None else shapes.unsqueeze(key_padding_mask, dim=0)
    (length, n, embed), size = query.shape, query.shape[2] // num_heads
    joint: Any = in_proj_weight
    weights = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else slicing.chunk(joint, 3)
    biases = (None,) * 3 if in_proj_bias is None else slicing.chunk(in_proj_bias, 3)
    if query is key is value and not use_separate_proj_weight:
        q, k, v = slicing.chunk(products.linear(query, in_proj_weight, in_proj_bias), 3, -1)
    else:
        q, k, v = (products.linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases))
    if bias_k is not None:
        k, v = (slicing.cat([x, shapes.expand(b, size=(1, n, embed))]) for x, b in ((k, bias_k), (v, bias_v)))

    def heads(x: Any, static: Any = None) -> Any:  # (S, N, E) to (N, heads, S, size)
        if static is not None:
            return shapes.reshape(static, shape=(n, num_heads, static.shape[1], size))
        return shapes.permute(shapes.reshape(x, shape=(x.shape[0], n, num_heads, size)), dims=(1, 2, 0, 3))

    q, k, v = heads(q), heads(k, static_k), heads(v, static_v)
    if add_zero_attn:
        k, v = (slicing.constant_pad_nd(x, pad=(0, 0, 0, 1)) for x in (k, v))
    mask = _join_masks(attn_mask, key_padding_mask, q, k.shape[2])
    dropout_p = dropout_p if training else 0.0
    if need_weights:
        scores = products.matmul(q * (1 / math.sqrt(size)), k.swapaxes(-1, -2))
        attention = (activation.softmax(scores, dim=-1) if mask is None else activation.safe_softmax(scores + mask, dim=-1))
        attention = dropout(attention, dropout_p) if dropout_p else attention
        result = products.matmul(attention, v)
        attention = reductions.mean(attention, dim=1) if average_attn_weights else attention
    else:
        attention, result = None, scaled_dot_product_attention(q, k, v, mask, dropout_p)
    joined = shapes.reshape(shapes.permute(result, dims=(2, 0, 1, 3)), shape=(length, n, embed))
    output = products.linear(joined, out_proj_weight, out_proj_bias)
    if batched:
        return output, attention
    return output[:, 0], None if attention is None else attention[0]


def _check_attention(query: Any, key: Any, value: Any, padding: Any, mask: Any, heads: int, embed: int, causal: bool) -> None:
    """Raise where the arguments of :func:`multi_head_attention_forward` do not fit together."""
    shown = f"query: {list(query.shape)}, key: {list(key.shape)}, value: {list(value.shape)}"
    if not query.ndim == key.ndim == value.ndim or query.ndim not in (2, 3):
        raise AssertionError(f"query, key and value should all be unbatched 2D or batched 3D tensors, got {shown}")
    if query.shape[-1] != embed:
        raise AssertionError(f"was expecting embedding dimension of {embed}, but got {query.shape[-1]}")
    if embed % heads:
        raise AssertionError(f"embed_dim {embed} not divisible by num_heads {heads}")
    if key.shape[:-1] != value.shape[:-1]:
        raise AssertionError(f"key's sequence and batch dims do not match value's: {shown}")
    if padding is not None and padding.ndim != query.ndim - 1:
        raise AssertionError(f"key_padding_mask should have {query.ndim - 1} dimensions for {shown}, got {list(padding.shape)}")
    if padding is not None and padding.shape != key.shape[-2::-1]:
        raise AssertionError(f"key_padding_mask should have the shape {list(key.shape[-2::-1])} for {shown}, got "
                             f"{list(padding.shape)}")
    if causal and mask is None:
        raise RuntimeValueError("Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
                                "`generate_square_subsequent_mask` to create this mask.")
    if mask is not None:
        n = query.shape[1] if query.ndim == 3 else 1
        right = [query.shape[0], key.shape[0]] if mask.ndim == 2 else [n * heads, query.shape[0], key.shape[0]]
        if mask.ndim not in (2, 3) or list(mask.shape) != right:
            raise ShapeError(f"The shape of the {mask.ndim}D attn_mask is {list(mask.shape)}, but should be {right}.")


def _join_masks(mask: Any, padding: Any, q: Any, keys: int) -> Any:
    """Both masks as numbers to add to the scores ``(N, heads, L, S)``; keys that were added at the end are left in."""
    n, heads, length, _ = q.shape
    joined = None
    for m, shape in ((mask, (1, 1, length) if mask is not None and mask.ndim == 2 else (n, heads, length)), (padding, (n, 1, 1))):
        if m is not None:
            m = _additive_mask(m, q)
            m = shapes.reshape(m, shape=(*shape, m.shape[-1]))
            m = slicing.constant_pad_nd(m, pad=(0, keys - m.shape[-1])) if keys > m.shape[-1] else m
            joined = m if joined is None else joined + m
    return joined


def _additive_mask(mask: Any, like: Any) -> Any:
    """A mask as numbers to add: -inf where a boolean one is True."""
    if mask.dtype.kind != "b":
        return mask
    zeros = shapes.constant_full(like, size=tuple(mask.shape))
    return comparison.where(mask, -math.inf, zeros)
