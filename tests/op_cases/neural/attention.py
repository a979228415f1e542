"""Attention. Against its composite, and at sizes of which several blocks are computed, in tests/test_attention.py."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tests.op_cases import Bad, OpCase, arrays, f, sample


def weights(query, key, mask, scale, causal):
    scores = query @ np.swapaxes(key, -1, -2) * scale + (0 if mask is None else mask)
    return np.where(np.tri(*scores.shape[-2:], dtype=bool), scores, -np.inf) if causal else scores


def attended(query, key, value, mask=None, scale=1.0, causal=False):
    scores = weights(query, key, mask, scale, causal)
    e = np.exp(scores)
    sums = e.sum(axis=-1, keepdims=True)
    return e @ value / np.where(sums == 0, 1, sums), np.where(sums == 0, np.inf, np.log(sums))


def backward(grad, query, key, value, lse, grad_lse=None, mask=None, scale=1.0, causal=False):
    p = np.exp(weights(query, key, mask, scale, causal) - lse)
    d = grad @ np.swapaxes(value, -1, -2)
    s = p * (d - (p * d).sum(axis=-1, keepdims=True) + (0 if grad_lse is None else grad_lse)) * scale
    return s @ key, np.swapaxes(s, -1, -2) @ query, np.swapaxes(p, -1, -2) @ grad


shapes = st.tuples(st.sampled_from([(), (2,), (2, 3), (1, 2, 2)]), *[st.integers(1, 4)] * 4)
settings = {"scale": st.sampled_from([0.5, 1.0]), "causal": st.booleans()}


def attention_samples(backward=False):
    """Query (*, L, E), key (*, S, E), value (*, S, Ev) and a mask or none; for the backward the gradients and sums as well."""
    def of(s):
        lead, length, keys, size, width = s
        given = [arrays((*lead, length, size)), arrays((*lead, keys, size)), arrays((*lead, keys, width))]
        if backward:
            given = [arrays((*lead, length, width)), *given, arrays((*lead, length, 1), low=2.0, high=4.0),
                     st.none() | arrays((*lead, length, 1))]
        return sample(*given, st.none() | arrays((length, keys)) | arrays((1,) * len(lead) + (1, keys)), **settings)
    return shapes.flatmap(of)


NOTHING = np.where(np.eye(3, dtype=bool), -np.inf, np.array([[0.5], [-np.inf], [0.0]]))

CASES = {
    "attention": OpCase(
        attention_samples(), attended, constant=("mask",), saves=("logsumexp",),
        examples=[((f(2, 0, 3), f(2, 0, 3), f(2, 0, 2), None), {}),
                  ((f(0, 2, 3), f(0, 2, 3), f(0, 2, 2), None), {"causal": True}), ((f(2, 3), f(0, 3), f(0, 2), None), {}),
                  ((f(3, 2), f(3, 2), f(3, 2), NOTHING), {})],
        bad=[Bad((np.arange(4).reshape(2, 2),) * 3, {}, RuntimeError, "expected floating point query")]),
    "attention_backward": OpCase(
        attention_samples(backward=True), backward, constant=("mask",),
        examples=[((f(2, 0, 2), f(2, 0, 3), f(2, 0, 3), f(2, 0, 2), f(2, 0, 1), None, None), {})]),
}
