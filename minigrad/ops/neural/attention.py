"""Attention: each row of the result is an average of the rows of `value`, weighted by how well `query` and `key` agree.

The scores of all pairs are not kept, nor are they ever there at once: a block of them is computed, used and forgotten, and
computed again in the backward pass, from the logarithms of the sums of their exponentials. So a block stays in the
processor's cache, and memory grows with the length of a sequence, not with its square.

Dao, Fu, Ermon, Rudra, Re: FlashAttention, https://arxiv.org/abs/2205.14135
"""

from __future__ import annotations

import functools
import math
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays
from minigrad._types.dtypes import FROM_NUMPY
from minigrad._types.tensor_base import unwrap
from minigrad.errors import DtypeError
from minigrad.ops.linear_algebra.products import transpose_last
from minigrad.ops.neural.activation import exponentials
from minigrad.ops.pointwise import elementary
from minigrad.ops.reducing import reduction
from minigrad.ops.shaping.shape import constant_full
from minigrad.recording.op import op

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 1 << 17  # scores that are computed at once


def blocks(scores: tuple[int, ...], most: int, causal: bool) -> Iterator[tuple[Any, Any]]:
    """Indices of parts of queries and of their keys, with scores of shape (batch, heads, length, keys) of which no part has many
    more than `most`; whole images if these are small enough, else whole heads, else rows."""
    batch, heads, length, keys = scores
    rows = max(1, most // max(1, keys))
    some_heads = max(1, rows // max(1, length))
    images = max(1, some_heads // max(1, heads))
    for b in range(0, batch, images):
        for h in range(0, heads, some_heads):
            for r in range(0, length, rows):
                lead, last = (slice(b, b + images), slice(h, h + some_heads)), min(length, r + rows)
                yield (*lead, slice(r, last)), (*lead, slice(0, min(keys, last) if causal else keys))


def as_images(x: Any) -> Any:
    """The array `x` in four dimensions: (batch, heads, length, features)."""
    return x[(None,) * (4 - x.ndim)] if x.ndim <= 4 else x.reshape(math.prod(x.shape[:-3]), *x.shape[-3:])


def block_size(x: Any) -> int:
    """How many scores are computed at once for a query `x`: on a GPU all, which keeps more processors at work."""
    return BLOCK if x.__class__ is np.ndarray else 1 << 62


def scaled_scores(scores: Any, mask: Any, scale: float, first: int | None) -> Any:
    """Scores, in place: times `scale`, plus `mask`, and -inf where a row may not look, if `first` says which row the first is."""
    scores *= scores.dtype.type(scale)
    if mask is not None:
        scores += mask
    if first is not None:
        scores += causal_mask(first, scores)
    return scores


def causal_mask(first: int, scores: Any) -> Any:
    """0 where a row of the scores may look, at its own column and those before, and -inf elsewhere; the first row is the `first`
    of all."""
    allowed = _arrays.xp_of(scores).tri(scores.shape[-2], scores.shape[-1], first, dtype=bool)
    return np.where(allowed, scores.dtype.type(0), scores.dtype.type(-math.inf))


def attend(scores: Any, mask: Any, scale: float, first: int | None) -> tuple[Any, Any]:
    """The softmax of the rows of :func:`scaled_scores`, or 0 where a mask leaves nothing to look at, and the logarithms of the
    sums of the exponentials, which are then infinite."""
    kernels = _arrays.kernels_of(scores)
    if (lse := kernels.attend(scores, mask, scale, first)) is not None:
        return scores, lse
    e, sums, peak = exponentials(scaled_scores(scores, mask, scale, first), -1, safe=mask is not None)
    sums = np.where(sums == 0, sums.dtype.type(math.inf), sums)
    e /= sums
    return e, np.log(sums) if peak is None else np.log(sums) + peak


def slope_of_scores(scores: Any, d: Any, mask: Any, lse: Any, grad_lse: Any, scale: float, first: int | None) -> None:
    """Put p, the weights that the scores give, into `scores`, and ``p * (d - sum(p * d) + grad_lse) * scale`` into `d`."""
    if _arrays.kernels_of(scores).slope_of_scores(scores, d, mask, lse, grad_lse, scale, first):
        return
    scores = scaled_scores(scores, mask, scale, first)
    scores -= lse
    np.exp(scores, out=scores)
    d -= np.einsum("bhls,bhls->bhl", d, scores)[..., None]
    if grad_lse is not None:
        d += grad_lse
    d *= scores
    d *= d.dtype.type(scale)


@op(outputs=("result", "logsumexp"), dtypes="same", constant=("mask",), opmath=True, wide=("logsumexp",),
    called="scaled_dot_product_attention")
def attention(query: Any, key: Any, value: Any, mask: Any = None, *, scale: Any = 1.0, causal: Any = False) -> Any:
    """``softmax(query @ key.mT * scale + mask) @ value``, and the logarithm of the sum of the exponentials of each row of scores.

    Shapes: query ``(*, L, E)``, key ``(*, S, E)``, value ``(*, S, Ev)``, with the same leading dimensions; mask, of numbers to
    add, is broadcast to ``(*, L, S)``; the results are ``(*, L, Ev)`` and ``(*, L, 1)``. `causal`: a row sees only its own column
    and those before. A row that may look at nothing gets zeros.
    """
    if query.dtype.kind != "f":
        raise DtypeError(f"scaled_dot_product_attention: expected floating point query, key and value that are not complex, but "
                         f"they are {FROM_NUMPY[query.dtype]!r}")
    q, k, v = as_images(query), as_images(key), as_images(value)
    scores = (*q.shape[:3], k.shape[2])
    mask = None if mask is None else np.broadcast_to(as_images(mask), scores)
    follows = query.ndim == 4 and query.shape[3] == value.shape[3]  # the result lies in memory as the query does, as in PyTorch
    result = np.empty_like(query, shape=(*query.shape[:-1], value.shape[-1]), order="K" if follows else "C")
    lse = np.empty_like(query, shape=(*query.shape[:-1], 1), order="C")
    rows, sums = as_images(result), as_images(lse)
    for of_queries, of_keys in blocks(scores, block_size(q), causal):
        part = None if mask is None else mask[*of_queries, of_keys[2]]
        weights, sums[of_queries] = attend(np.matmul(q[of_queries], transpose_last(k[of_keys])), part, scale,
                                           of_queries[2].start if causal else None)
        np.matmul(weights, v[of_keys], out=rows[of_queries])
    return result, lse
@attention.derivative("query", "key", "value")
def attention_wrt_all(g: Any, query: Any, key: Any, value: Any, mask: Any, logsumexp: Any, scale: Any, causal: Any) -> Any:
    g_result, g_lse = g
    if g_result is None:
        g_result = constant_full(query, size=(*query.shape[:-1], value.shape[-1]))
    return attention_backward(g_result, query, key, value, logsumexp, g_lse, mask, scale=scale, causal=causal)


def add_product(total: Any, a: Any, b: Any, alone: bool) -> None:
    """Add the products of the matrices `a` and `b` to `total`, which is 0 if they are `alone`."""
    if alone:
        np.matmul(a, b, out=total)
    else:
        total += np.matmul(a, b)


@op(outputs=("grad_query", "grad_key", "grad_value"), dtypes="same", constant=("mask",), opmath=True)
def attention_backward(grad: Any, query: Any, key: Any, value: Any, lse: Any, grad_lse: Any = None, mask: Any = None, *,
                       scale: Any = 1.0, causal: Any = False) -> Any:
    """The gradients of :func:`attention`. With the weights p = exp(scores - lse) and d = grad @ value.mT, that of the scores is
    s = p * (d - sum(p * d) + grad_lse), and they are scale * s @ key, scale * s.mT @ query and p.mT @ grad."""
    q, k, v, g, sums = (as_images(x) for x in (query, key, value, grad, lse))
    mask = None if mask is None else np.broadcast_to(as_images(mask), (*q.shape[:3], k.shape[2]))
    h = None if grad_lse is None else as_images(grad_lse)
    by_query, by_key, by_value = (np.zeros(x.shape, x.dtype, like=x) for x in (q, k, v))
    for of_queries, of_keys in blocks((*q.shape[:3], k.shape[2]), block_size(q), causal):
        alone = of_queries[2] == slice(0, q.shape[2])  # no other block has these keys
        p = np.matmul(q[of_queries], transpose_last(k[of_keys]))
        s = np.matmul(g[of_queries], transpose_last(v[of_keys]))
        slope_of_scores(p, s, None if mask is None else mask[*of_queries, of_keys[2]], sums[of_queries],
                        None if h is None else h[of_queries], scale, of_queries[2].start if causal else None)
        add_product(by_query[of_queries], s, k[of_keys], alone=True)
        add_product(by_key[of_keys], transpose_last(s), q[of_queries], alone)
        add_product(by_value[of_keys], transpose_last(p), g[of_queries], alone)
    return by_query.reshape(query.shape), by_key.reshape(key.shape), by_value.reshape(value.shape)
@attention_backward.derivative("grad", "query", "key", "value", "lse", "grad_lse")
def attention_backward_wrt_all(g: Any, grad: Any, query: Any, key: Any, value: Any, lse: Any, grad_lse: Any, mask: Any,
                               scale: Any, causal: Any) -> Any:
    by_query, by_key, by_value = g
    scores = query @ transpose_last(key) * scale
    scores = scores if mask is None else scores + mask
    if causal:
        scores = scores + causal_mask(0, unwrap(scores))
    p, d = elementary.exp(scores - lse), grad @ transpose_last(value)
    inner = d - row_sum(p * d) if grad_lse is None else d - row_sum(p * d) + grad_lse  # the gradient of the scores is p * inner
    to_grad, to_query, to_key, to_p, to_value, to_grad_lse = [], [], [], [], None, None
    if by_query is not None or by_key is not None:
        slopes = []
        if by_query is not None:
            slopes.append(by_query @ transpose_last(key))
            to_key.append(transpose_last(p * inner) @ by_query)
        if by_key is not None:
            slopes.append(query @ transpose_last(by_key))
            to_query.append(p * inner @ by_key)
        to_slope = functools.reduce(operator.add, slopes) * scale
        to_grad_lse = row_sum(to_slope * p)
        to_d = (to_slope - to_grad_lse) * p
        to_p.append(to_slope * inner - to_grad_lse * d)
        to_grad.append(to_d @ value)
        to_value = transpose_last(to_d) @ grad
    if by_value is not None:
        to_p.append(grad @ transpose_last(by_value))
        to_grad.append(p @ by_value)
    to_scores = functools.reduce(operator.add, to_p) * p
    to_query.append(to_scores @ key)
    to_key.append(transpose_last(to_scores) @ query)
    return (functools.reduce(operator.add, to_grad), functools.reduce(operator.add, to_query) * scale,
            functools.reduce(operator.add, to_key) * scale, to_value, -row_sum(to_scores), to_grad_lse)


def row_sum(x: Any) -> Any:
    return reduction.sum(x, dim=-1, keepdim=True)
