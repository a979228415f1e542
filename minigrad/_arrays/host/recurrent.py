"""Recurrent layers: all steps of some of the sequences.

A step begins at row ``starts[s]`` of the data and has ``counts[s]`` sequences, of which the first are the longest. The formulas
stand in :mod:`minigrad.ops.neural.recurrent`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad._arrays.host.compiling import kernel, part
from minigrad._arrays.host.elementary import exp, for_types
from minigrad._arrays.host.products import product

__all__ = ["gru", "gru_backward", "lstm", "lstm_backward", "rnn", "rnn_backward"]


# ---------------------------------------------------------------------------------------------------- the functions of gates

def tanh_for(T: Any, terms: int) -> Any:
    """For numbers with so many `terms` of the series around 0, which serves up to 0.35."""
    series = [1.0]  # of x, x**3, x**5 ...: what the equation t' = 1 - t * t says of them
    for k in range(1, terms):
        series.append(-sum(series[j] * series[k - 1 - j] for j in range(k)) / (2 * k + 1))
    coefficients = tuple([T(c) for c in reversed(series)])
    one, two, small = T(1), T(2), T(0.35)

    @part
    def tanh(x: Any) -> Any:
        size = abs(x)
        large = one - two / (exp(size + size) + one)
        square = x * x
        p = coefficients[0]
        for c in coefficients[1:]:
            p = p * square + c
        return x * p if size < small else large if x > 0 else -large

    return tanh


@for_types(tanh_for, terms=(7, 14))
def tanh(x: Any) -> Any:
    """The hyperbolic tangent."""


def sigmoid_for(T: Any) -> Any:
    one = T(1)

    @part
    def sigmoid(x: Any) -> Any:
        return one / (one + exp(-x))

    return sigmoid


@for_types(sigmoid_for)
def sigmoid(x: Any) -> Any:
    """``1 / (1 + exp(-x))``."""


# ---------------------------------------------------------------------------------------------------- Elman networks

@kernel
def rnn(input: Any, bias: Any, panels: Any, starts: Any, counts: Any, rectified: bool, h: Any, states: Any, begin: int,
        end: int) -> None:
    """All states; `h` is the first, and becomes the last. `panels` are those of the transposed weight."""
    products = np.empty((end - begin, panels.shape[0] * panels.shape[2]), h.dtype)
    zero = h.dtype.type(0)
    for s in range(starts.size):
        n = min(counts[s], end) - begin
        if n > 0:
            product(h[begin:begin + n], panels, products)
        for b in range(n):
            state, x, z, kept = states[starts[s] + begin + b], input[starts[s] + begin + b], products[b], h[begin + b]
            for k in range(state.size):
                state[k] = x[k] + z[k] + bias[k]
            if rectified:
                for k in range(state.size):
                    state[k] = zero if state[k] < zero else state[k]
            else:
                for k in range(state.size):
                    state[k] = tanh(state[k])
            for k in range(state.size):
                kept[k] = state[k]


@kernel
def rnn_backward(states: Any, g_output: Any, panels: Any, starts: Any, counts: Any, rectified: bool, dh: Any, d: Any, begin: int,
                 end: int) -> None:
    """The gradients of the inputs; `dh` is that of the last state, and becomes that of the first."""
    products = np.empty((end - begin, panels.shape[0] * panels.shape[2]), dh.dtype)
    zero, one = dh.dtype.type(0), dh.dtype.type(1)
    for s in range(starts.size - 1, -1, -1):
        first, n = starts[s] + begin, min(counts[s], end) - begin
        for b in range(n):
            state, g, wrt_h, wrt_x = states[first + b], g_output[first + b], dh[begin + b], d[first + b]
            if rectified:
                for k in range(state.size):
                    wrt_x[k] = (wrt_h[k] + g[k]) * (one if state[k] > zero else zero)
            else:
                for k in range(state.size):
                    wrt_x[k] = (wrt_h[k] + g[k]) * (one - state[k] * state[k])
        if n > 0:
            product(d[first:first + n], panels, products)
        for b in range(n):
            wrt_h, z = dh[begin + b], products[b]
            for k in range(wrt_h.size):
                wrt_h[k] = z[k]


# ---------------------------------------------------------------------------------------------------- gated recurrent units

@kernel
def gru(input: Any, bias: Any, panels: Any, starts: Any, counts: Any, h: Any, states: Any, gates: Any, begin: int,
        end: int) -> None:
    """All states and gates; `h` is the first state, and becomes the last. `panels` are those of the transposed weight."""
    size = h.shape[1]
    products = np.empty((end - begin, panels.shape[0] * panels.shape[2]), h.dtype)
    for s in range(starts.size):
        first, n_sequences = starts[s] + begin, min(counts[s], end) - begin
        if n_sequences > 0:
            product(h[begin:begin + n_sequences], panels, products)
        for b in range(n_sequences):
            x, p, gate, kept, state = input[first + b], products[b], gates[first + b], h[begin + b], states[first + b]
            n, rz, r, z, m = gate[:size], gate[size:3 * size], gate[size:2 * size], gate[2 * size:3 * size], gate[3 * size:]
            x_n, p_m, bias_m = x[2 * size:], p[2 * size:], bias[2 * size:]
            for k in range(rz.size):
                rz[k] = sigmoid(x[k] + p[k] + bias[k])
            for k in range(m.size):
                m[k] = p_m[k] + bias_m[k]
            for k in range(n.size):
                n[k] = tanh(x_n[k] + r[k] * m[k])
            for k in range(state.size):
                state[k] = n[k] + z[k] * (kept[k] - n[k])
            for k in range(kept.size):
                kept[k] = state[k]


@kernel
def gru_backward(gates: Any, states: Any, h0: Any, g_output: Any, panels: Any, starts: Any, counts: Any, dh: Any, d: Any,
                 begin: int, end: int) -> None:
    """The gradients of the gates before their functions; `dh` is that of the last state, and becomes that of the first."""
    size = dh.shape[1]
    products = np.empty((end - begin, panels.shape[0] * panels.shape[2]), dh.dtype)
    one = dh.dtype.type(1)
    for s in range(starts.size - 1, -1, -1):
        first, n_sequences = starts[s] + begin, min(counts[s], end) - begin
        for b in range(n_sequences):
            gate, wrt, g, wrt_h = gates[first + b], d[first + b], g_output[first + b], dh[begin + b]
            before = states[starts[s - 1] + begin + b] if s and begin + b < counts[s - 1] else h0[begin + b]
            n, r, z, m = gate[:size], gate[size:2 * size], gate[2 * size:3 * size], gate[3 * size:]
            wrt_n, wrt_r, wrt_z, wrt_m = wrt[:size], wrt[size:2 * size], wrt[2 * size:3 * size], wrt[3 * size:]
            for k in range(wrt_h.size):
                wrt_h[k] += g[k]
            for k in range(wrt_n.size):
                wrt_n[k] = wrt_h[k] * (one - z[k]) * (one - n[k] * n[k])
            for k in range(wrt_r.size):
                wrt_r[k] = wrt_n[k] * m[k] * r[k] * (one - r[k])
            for k in range(wrt_z.size):
                wrt_z[k] = wrt_h[k] * (before[k] - n[k]) * z[k] * (one - z[k])
            for k in range(wrt_m.size):
                wrt_m[k] = wrt_n[k] * r[k]
            for k in range(wrt_h.size):
                wrt_h[k] *= z[k]
        if n_sequences > 0:
            product(d[first:first + n_sequences, size:], panels, products)
        for b in range(n_sequences):
            wrt_h, p = dh[begin + b], products[b]
            for k in range(wrt_h.size):
                wrt_h[k] += p[k]


# ---------------------------------------------------------------------------------------------------- long short-term memory

@kernel
def lstm(input: Any, bias: Any, panels: Any, starts: Any, counts: Any, h: Any, c: Any, output: Any, cells: Any, gates: Any,
         begin: int, end: int) -> None:
    """All outputs, cells and gates; `h` and `c` are the first state, and become the last. `panels` are those of the transposed
    weight."""
    size = c.shape[1]
    products = np.empty((end - begin, panels.shape[0] * panels.shape[2]), h.dtype)
    for s in range(starts.size):
        first, n_sequences = starts[s] + begin, min(counts[s], end) - begin
        if n_sequences > 0:
            product(h[begin:begin + n_sequences], panels, products)
        for b in range(n_sequences):
            x, p, gate, kept_h, kept_c = input[first + b], products[b], gates[first + b], h[begin + b], c[begin + b]
            if_, i, f, n, o = gate[:2 * size], gate[:size], gate[size:2 * size], gate[2 * size:3 * size], gate[3 * size:]
            cell, out = cells[first + b], output[first + b]
            for k in range(gate.size):
                gate[k] = x[k] + p[k] + bias[k]
            for k in range(if_.size):
                if_[k] = sigmoid(if_[k])
            for k in range(n.size):
                n[k] = tanh(n[k])
            for k in range(o.size):
                o[k] = sigmoid(o[k])
            for k in range(cell.size):
                cell[k] = f[k] * kept_c[k] + i[k] * n[k]
            for k in range(out.size):
                out[k] = o[k] * tanh(cell[k])
            for k in range(kept_c.size):
                kept_c[k] = cell[k]
            for k in range(kept_h.size):
                kept_h[k] = out[k]


@kernel
def lstm_backward(gates: Any, cells: Any, c0: Any, g_output: Any, panels: Any, starts: Any, counts: Any, dh: Any, dc: Any, d: Any,
                  begin: int, end: int) -> None:
    """The gradients of the gates before their functions; `dh` and `dc` are those of the last state, and become those of the
    first."""
    size = dc.shape[1]
    products = np.empty((end - begin, panels.shape[0] * panels.shape[2]), dh.dtype)
    t, one = np.empty(size, dh.dtype), dh.dtype.type(1)
    for s in range(starts.size - 1, -1, -1):
        first, n_sequences = starts[s] + begin, min(counts[s], end) - begin
        for b in range(n_sequences):
            gate, wrt, g, wrt_h, wrt_c = gates[first + b], d[first + b], g_output[first + b], dh[begin + b], dc[begin + b]
            cell = cells[first + b]
            before = cells[starts[s - 1] + begin + b] if s and begin + b < counts[s - 1] else c0[begin + b]
            i, f, n, o = gate[:size], gate[size:2 * size], gate[2 * size:3 * size], gate[3 * size:]
            wrt_i, wrt_f, wrt_n, wrt_o = wrt[:size], wrt[size:2 * size], wrt[2 * size:3 * size], wrt[3 * size:]
            for k in range(t.size):
                t[k] = tanh(cell[k])
            for k in range(wrt_h.size):
                wrt_h[k] += g[k]
            for k in range(wrt_c.size):
                wrt_c[k] += wrt_h[k] * o[k] * (one - t[k] * t[k])
            for k in range(wrt_i.size):
                wrt_i[k] = wrt_c[k] * n[k] * i[k] * (one - i[k])
            for k in range(wrt_f.size):
                wrt_f[k] = wrt_c[k] * before[k] * f[k] * (one - f[k])
            for k in range(wrt_n.size):
                wrt_n[k] = wrt_c[k] * i[k] * (one - n[k] * n[k])
            for k in range(wrt_o.size):
                wrt_o[k] = wrt_h[k] * t[k] * o[k] * (one - o[k])
            for k in range(wrt_c.size):
                wrt_c[k] *= f[k]
        if n_sequences > 0:
            product(d[first:first + n_sequences], panels, products)
        for b in range(n_sequences):
            wrt_h, p = dh[begin + b], products[b]
            for k in range(wrt_h.size):
                wrt_h[k] = p[k]
