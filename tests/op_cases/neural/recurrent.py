"""Recurrent layers, in one direction: their steps one by one, with the states of all sequences."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tests.op_cases import Bad, OpCase, arrays, f, sample


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def rnn_step(function):
    def step(x, hidden, state):
        h = function(x + hidden)
        return (h,), (h,)
    return step


def gru_step(x, hidden, state):
    (xr, xz, xn), (hr, hz, m) = np.split(x, 3, axis=-1), np.split(hidden, 3, axis=-1)
    r, z = sigmoid(xr + hr), sigmoid(xz + hz)
    n = np.tanh(xn + r * m)
    h = (1 - z) * n + z * state[0]
    return (h,), (h, np.concatenate([n, r, z, m], axis=-1))


def lstm_step(x, hidden, state):
    i, f, n, o = np.split(x + hidden, 4, axis=-1)
    i, f, n, o = sigmoid(i), sigmoid(f), np.tanh(n), sigmoid(o)
    c = f * state[1] + i * n
    return (o * np.tanh(c), c), (np.concatenate([i, f, n, o], axis=-1), c)


def steps(step, count=1):
    """The reference of a layer with `count` states: its outputs, its last states, and what else each step leaves."""
    def run(x, *rest, batch_sizes=None, reverse=False):
        state, (weight, bias, projection) = [h.copy() for h in rest[:count]], (*rest[count:], None, None)[:3]
        bounds = np.cumsum([0, *(batch_sizes or [x.shape[1]] * x.shape[0])])
        data = x.reshape(-1, x.shape[-1])
        joined = [None] * (len(bounds) - 1)
        for t in range(len(joined))[::-1] if reverse else range(len(joined)):
            n = bounds[t + 1] - bounds[t]
            before = [h[:n] for h in state]
            hidden = before[0] @ weight.T + (0 if bias is None else bias)
            new, kept = step(data[bounds[t]:bounds[t + 1]], hidden, before)
            if projection is not None:
                new = (new[0] @ projection.T, *new[1:])
            state = [np.concatenate([h, old[n:]]) for h, old in zip(new, state)]
            joined[t] = (new[0], *kept)
        output, *kept = [np.concatenate(parts) if batch_sizes else np.stack(parts) for parts in zip(*joined)]
        return (output, *state, *kept)
    return run


def small(shape):
    return arrays(shape, -0.5, 0.5)


def layers(gates, count=1, inputs=small, projected=False, size=3, low=-0.5, high=0.5):
    """Samples of a layer with `gates` gates and `count` states: of whole batches and packed ones, in both directions."""
    def with_data(drawn):
        batch_sizes, (times, n), bias, projection = drawn
        n = batch_sizes[0] if batch_sizes else n
        out = 2 if projection else size
        lead = (sum(batch_sizes),) if batch_sizes else (times, n)
        states = [arrays((n, out), low, high), *[arrays((n, size), low, high)] * (count - 1)]
        weights = [arrays((gates * size, out), low, high), arrays((gates * size,), low, high) if bias else st.none()]
        return sample(inputs((*lead, gates * size)), *states, *weights,
                      *([arrays((2, size), low, high) if projection else st.none()] if projected else []),
                      batch_sizes=batch_sizes, reverse=st.booleans())
    return st.tuples(st.sampled_from([None, None, (3, 2, 1), (2, 2), (2, 1, 1)]),
                     st.sampled_from([(4, 2), (1, 3), (3, 1), (2, 0)]), st.booleans(),
                     st.sampled_from([False, projected])).flatmap(with_data)


def beyond(shape):
    """Inputs so large that no state brings relu near its kink."""
    return arrays(shape, low=1.5).map(lambda x: np.where(np.indices(x.shape).sum(axis=0) % 3 == 0, -x, x))


wrong = [Bad((f(2, 1, 3), f(1, 3), f(3, 3).astype(np.float32)), {}, RuntimeError, "to have the same dtype")]
CASES = {
    "rnn_tanh_layer": OpCase(layers(1), steps(rnn_step(np.tanh)), analytic=True, bad=wrong, saves=("states",)),
    "rnn_relu_layer": OpCase(layers(1, inputs=beyond, low=-0.2, high=0.2), steps(rnn_step(lambda x: np.maximum(x, 0))),
                             saves=("states",)),
    "gru_layer": OpCase(layers(3), steps(gru_step), analytic=True, complex=True, saves=("states", "gates")),
    "lstm_layer": OpCase(layers(4, 2, projected=True), steps(lstm_step, 2), analytic=True, complex=True,
                         saves=("gates", "cells")),
}
