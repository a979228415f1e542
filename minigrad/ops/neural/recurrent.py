"""Recurrent layers: one operation for one layer in one direction, over all times.

What the inputs contribute is computed before, in one product for all times. What is left is a loop, in which a step is one
product with the state and arithmetic in the memory of the gates. The backward pass is a loop from the last time to the first,
which leaves the gradients of the gates; those of the weights are one product each, over all times.

A *step* is what :func:`steps_of` gives: an index of the data, and how many sequences are in it. The data are of shape
(times, sequences, size) or, of a packed batch, (elements, size) with the number of sequences at each time as `batch_sizes`.
"""

from __future__ import annotations

import functools
import itertools
import operator
from typing import Any

import numpy as np

from minigrad import _arrays
from minigrad._arrays.kernels import Kernels
from minigrad.ops.linear_algebra.products import matmul, multiply, rows, transpose_last
from minigrad.ops.pointwise import arithmetic
from minigrad.ops.pointwise.elementary import tanh
from minigrad.ops.reducing import reduction
from minigrad.ops.shaping.shape import constant_full
from minigrad.ops.shaping.slicing import cat, stack
from minigrad.recording.op import op

__all__: list[str] = []


# ---------------------------------------------------------------------------------------------------- steps and states

def steps_of(data: Any, batch_sizes: Any, reverse: bool) -> list[tuple[Any, int]]:
    """The steps through `data`, in the order in which they are taken: the index of each, and its number of sequences."""
    if batch_sizes is None:
        steps: list[tuple[Any, int]] = [(t, data.shape[1]) for t in range(data.shape[0])]
    else:
        steps = [(slice(end - n, end), n) for n, end in zip(batch_sizes, itertools.accumulate(batch_sizes))]
    return steps[::-1] if reverse else steps


def replace_first(state: Any, new: Any) -> Any:
    """`state`, of which the first sequences are in the step that gave `new`: the others have ended, or not yet begun."""
    return new if new.shape[0] == state.shape[0] else cat([new, state[new.shape[0]:]])


def before_steps(states: Any, initial: Any, batch_sizes: Any, reverse: bool) -> Any:
    """What was before each step, where `states` is what was after it, and `initial` before the first."""
    if batch_sizes is None:
        return cat([states[1:], initial[None]] if reverse else [initial[None], states[:-1]])
    state, before = initial, []
    for at, n in steps_of(states, batch_sizes, reverse):
        before.append(state[:n])
        state = replace_first(state, states[at])
    return cat(before[::-1] if reverse else before)


def joined(parts: list[Any], batch_sizes: Any, reverse: bool) -> Any:
    """The data of which `parts` are those of the steps, in the order in which they are taken."""
    parts = parts[::-1] if reverse else parts
    return stack(parts) if batch_sizes is None else cat(parts)


def empty(like: Any, *shape: int) -> Any:
    return np.empty(shape, like.dtype, like=like)


def sigmoid_(x: Any) -> None:
    """Replace `x` by its sigmoid, which is ``(1 + tanh(x / 2)) / 2``."""
    x *= 0.5
    np.tanh(x, out=x)
    x *= 0.5
    x += 0.5


def kernels_of(x: Any) -> Any:
    """The kernels for an array. For a tensor there are none: its steps are recorded, so that they can be differentiated."""
    return _arrays.kernels_of(x) if _arrays.is_array(x) else Kernels()


def rectify(x: Any, out: Any) -> Any:
    """Replace `x` by the larger of it and 0."""
    return np.maximum(x, 0, out=out)


def total(*grads: Any) -> Any:
    """The sum of those gradients that are not None; None where none is."""
    there = [g for g in grads if g is not None]
    return functools.reduce(operator.add, there) if there else None


def plus(x: Any, data: Any, at: Any) -> Any:
    """`x`, to which the part of `data` at the step `at` is added, where there are any."""
    return x if data is None else x + data[at]


def or_zeros(g: Any, state: Any) -> Any:
    """The gradient of a final state: zeros of the shape of `state` where nothing was made of it."""
    return constant_full(state, size=tuple(state.shape)) if g is None else g


def wrt_weights(wanted: Any, d: Any, before: Any) -> Any:
    """The gradients of weight and bias of ``before @ weight.T + bias``, where that has the gradient `d`."""
    return (multiply(transpose_last(rows(d)), rows(before)) if wanted[0] else None,
            reduction.sum(rows(d), dim=0) if wanted[1] else None)


def parts(x: Any, count: int) -> list[Any]:
    """`x` cut along its last dimension into `count` equal parts, which are views."""
    size = x.shape[-1] // count
    return [x[..., k * size:(k + 1) * size] for k in range(count)]


def biased(input: Any, bias: Any) -> Any:
    """A new array, in order of its dimensions, of ``input + bias``."""
    out = empty(input, *input.shape)
    if bias is None:
        out[...] = input
        return out
    return np.add(input, bias, out=out)


# ---------------------------------------------------------------------------------------------------- Elman networks

# h' = f(x + W h + b), where f is tanh or relu.

def run_rnn(activate: Any, input: Any, h0: Any, weight_hh: Any, bias_hh: Any, batch_sizes: Any, reverse: bool) -> Any:
    """The states after all steps, twice, and the final one; ``activate(x, out=x)`` is f. Nodes keep the second."""
    rectified = activate is rectify
    if found := _arrays.kernels_of(input).rnn(input, h0, weight_hh, bias_hh, batch_sizes, reverse, rectified):
        return found[1].copy(), *found
    states = biased(input, bias_hh)
    h, weight = h0, weight_hh.T
    product = empty(states, h0.shape[0], weight.shape[1])
    for at, n in steps_of(states, batch_sizes, reverse):
        new = states[at]
        new += np.matmul(h[:n], weight, out=product[:n])
        activate(new, out=new)
        h = replace_first(h, new)
    return states.copy(), h.copy(), states


def rnn_backward(rectified: bool, g: Any, wanted: Any, h0: Any, weight_hh: Any, states: Any, batch_sizes: Any,
                 reverse: Any) -> Any:
    """The gradients of all arguments."""
    g_output, dh = total(g[0], g[2]), or_zeros(g[1], h0)
    if found := kernels_of(states).rnn_backward(g_output, dh, states, weight_hh, batch_sizes, reverse, rectified):
        d, dh = found
    else:
        slope, ds = states > 0 if rectified else 1 - states * states, []
        for at, n in steps_of(states, batch_sizes, not reverse):
            d = slope[at] * plus(dh[:n], g_output, at)
            dh = replace_first(dh, d @ weight_hh)
            ds.append(d)
        d = joined(ds, batch_sizes, not reverse)
    before = before_steps(states, h0, batch_sizes, reverse) if wanted[2] else None
    return d, dh, *wrt_weights(wanted[2:], d, before)


@op(dtypes="same", opmath=True, outputs=("output", "h_n", "states"), called="rnn_tanh")
def rnn_tanh_layer(input: Any, h0: Any, weight_hh: Any, bias_hh: Any = None, *, batch_sizes: Any = None,
                   reverse: Any = False) -> Any:
    """Steps of ``h' = tanh(input + weight_hh @ h + bias_hh)`` from `h0` on."""
    return run_rnn(np.tanh, input, h0, weight_hh, bias_hh, batch_sizes, reverse)
@rnn_tanh_layer.derivative("input", "h0", "weight_hh", "bias_hh")
def rnn_tanh_layer_wrt_all(g: Any, wanted: Any, h0: Any, weight_hh: Any, states: Any, batch_sizes: Any, reverse: Any) -> Any:
    return rnn_backward(False, g, wanted, h0, weight_hh, states, batch_sizes, reverse)


@op(dtypes="same", opmath=True, outputs=("output", "h_n", "states"), called="rnn_relu")
def rnn_relu_layer(input: Any, h0: Any, weight_hh: Any, bias_hh: Any = None, *, batch_sizes: Any = None,
                   reverse: Any = False) -> Any:
    """Steps of ``h' = relu(input + weight_hh @ h + bias_hh)`` from `h0` on."""
    arithmetic.require_real("rnn_relu", input)
    return run_rnn(rectify, input, h0, weight_hh, bias_hh, batch_sizes, reverse)
@rnn_relu_layer.derivative("input", "h0", "weight_hh", "bias_hh")
def rnn_relu_layer_wrt_all(g: Any, wanted: Any, h0: Any, weight_hh: Any, states: Any, batch_sizes: Any, reverse: Any) -> Any:
    return rnn_backward(True, g, wanted, h0, weight_hh, states, batch_sizes, reverse)


# ---------------------------------------------------------------------------------------------------- gated recurrent units

# r, z = sigmoid(x + W h + b), m = W h + b, n = tanh(x + r m), h' = n + z (h - n), each with rows of its own of x, W and b.

@op(dtypes="same", opmath=True, outputs=("output", "h_n", "states", "gates"), called="gru")
def gru_layer(input: Any, h0: Any, weight_hh: Any, bias_hh: Any = None, *, batch_sizes: Any = None, reverse: Any = False) -> Any:
    """Steps of gated recurrent units, to which the inputs contribute `input`. "gates" holds n, r, z and m of each step."""
    if found := _arrays.kernels_of(input).gru(input, h0, weight_hh, bias_hh, batch_sizes, reverse):
        return found[1].copy(), *found
    size = h0.shape[1]
    states, gates = empty(input, *input.shape[:-1], size), empty(input, *input.shape[:-1], 4 * size)
    gates[..., :size] = input[..., 2 * size:]
    gates[..., size:3 * size] = input[..., :2 * size]
    gates[..., 3 * size:] = 0
    if bias_hh is not None:
        gates[..., size:] += bias_hh
    h, weight = h0, weight_hh.T
    product = empty(input, h0.shape[0], 3 * size)
    for at, n in steps_of(input, batch_sizes, reverse):
        gate, before, new = gates[at], h[:n], states[at]
        gate[:, size:] += np.matmul(before, weight, out=product[:n])
        sigmoid_(gate[:, size:3 * size])
        n_gate, r, z, m = parts(gate, 4)
        n_gate += r * m
        np.tanh(n_gate, out=n_gate)
        np.subtract(before, n_gate, out=new)
        new *= z
        new += n_gate
        h = replace_first(h, new)
    return states.copy(), h.copy(), states, gates
@gru_layer.derivative("input", "h0", "weight_hh", "bias_hh")
def gru_layer_wrt_all(g: Any, wanted: Any, h0: Any, weight_hh: Any, states: Any, gates: Any, batch_sizes: Any,
                      reverse: Any) -> Any:
    g_output, dh, g_gates, size = total(g[0], g[2]), or_zeros(g[1], h0), g[3], h0.shape[1]
    if g_gates is None and (
            found := kernels_of(gates).gru_backward(g_output, dh, states, gates, h0, weight_hh, batch_sizes, reverse)):
        d, dh = found
    else:
        d, dh = gru_backward(g_output, dh, g_gates, states, gates, h0, weight_hh, batch_sizes, reverse)
    weights = wrt_weights(wanted[2:], d[..., size:], before_steps(states, h0, batch_sizes, reverse) if wanted[2] else None)
    return cat([d[..., size:3 * size], d[..., :size]], dim=-1), dh, *weights


def gru_backward(g_output: Any, dh: Any, g_gates: Any, states: Any, gates: Any, h0: Any, weight_hh: Any, batch_sizes: Any,
                 reverse: Any) -> Any:
    """The gradients of the gates before their functions, and of the first state."""
    n, r, z, m = parts(gates, 4)
    size = h0.shape[1]

    def through_gates(dn: Any, dr: Any, dz: Any, dm: Any) -> Any:
        """What gradients of the gates are before their functions."""
        dn, dz = dn * (1 - n * n), dz * z * (1 - z)
        return cat([dn, (dr + dn * m) * r * (1 - r), dz, dm + dn * r], dim=-1)

    slopes = through_gates(1 - z, 0, before_steps(states, h0, batch_sizes, reverse) - n, 0)
    more = None if g_gates is None else through_gates(*parts(g_gates, 4))
    slopes, ds = slopes.reshape(*slopes.shape[:-1], 4, size), []
    for at, count in steps_of(gates, batch_sizes, not reverse):
        step = plus(dh[:count], g_output, at)
        d = plus((slopes[at] * step[:, None]).reshape(count, 4 * size), more, at)
        dh = replace_first(dh, step * z[at] + d[:, size:] @ weight_hh)
        ds.append(d)
    del slopes  # what is joined takes their place in memory
    return joined(ds, batch_sizes, not reverse), dh


# ---------------------------------------------------------------------------------------------------- long short-term memory

# i, f, o = sigmoid(x + W h + b), n = tanh(x + W h + b), c' = f c + i n, h' = o tanh(c') or, with a projection, P o tanh(c').

@op(dtypes="same", opmath=True, outputs=("output", "h_n", "c_n", "gates", "cells"), called="lstm")
def lstm_layer(input: Any, h0: Any, c0: Any, weight_hh: Any, bias_hh: Any = None, weight_hr: Any = None, *,
               batch_sizes: Any = None, reverse: Any = False) -> Any:
    """Steps of long short-term memory, to which the inputs contribute `input`. "gates" holds i, f, n and o of each step."""
    if weight_hr is None and (
            found := _arrays.kernels_of(input).lstm(input, h0, c0, weight_hh, bias_hh, batch_sizes, reverse)):
        return found
    gates = biased(input, bias_hh)
    output, cells = (empty(input, *input.shape[:-1], state.shape[1]) for state in (h0, c0))
    h, c, weight, size = h0, c0, weight_hh.T, c0.shape[1]
    product, entering = empty(input, h0.shape[0], 4 * size), empty(input, *c0.shape)
    # sigmoid(x) = tanh(x / 2) / 2 + 1 / 2, so that one tanh serves all gates
    factor, shift = (_arrays.full(4 * size, 0.5, input) for _ in range(2))
    factor[2 * size:3 * size], shift[2 * size:3 * size] = 1, 0
    for at, n in steps_of(input, batch_sizes, reverse):
        gate, new_c, entry = gates[at], cells[at], entering[:n]
        gate += np.matmul(h[:n], weight, out=product[:n])
        gate *= factor
        np.tanh(gate, out=gate)
        gate *= factor
        gate += shift
        i, f, new, o = parts(gate, 4)
        np.multiply(f, c[:n], out=new_c)
        new_c += np.multiply(i, new, out=entry)
        new_h = output[at] if weight_hr is None else entry
        np.multiply(o, np.tanh(new_c, out=entry), out=new_h)
        if weight_hr is not None:
            new_h = np.matmul(new_h, weight_hr.T, out=output[at])
        h, c = replace_first(h, new_h), replace_first(c, new_c)
    return output, h.copy(), c.copy(), gates, cells
@lstm_layer.derivative("input", "h0", "c0", "weight_hh", "bias_hh", "weight_hr")
def lstm_layer_wrt_all(g: Any, wanted: Any, h0: Any, c0: Any, weight_hh: Any, weight_hr: Any, gates: Any, cells: Any,
                       batch_sizes: Any, reverse: Any) -> Any:
    g_output, dh, dc, g_gates, g_cells = g[0], or_zeros(g[1], h0), or_zeros(g[2], c0), g[3], g[4]
    d_outputs = None
    if weight_hr is None and g_gates is None and g_cells is None and (
            found := kernels_of(gates).lstm_backward(g_output, dh, dc, gates, cells, c0, weight_hh, batch_sizes, reverse)):
        d, dh, dc = found
    else:
        d, dh, dc, d_outputs = lstm_backward(g_output, dh, dc, g_gates, g_cells, c0, weight_hh, weight_hr, gates, cells,
                                             batch_sizes, reverse)
    hidden = parts(gates, 4)[3] * tanh(cells)
    before = before_steps(hidden if weight_hr is None else matmul(hidden, transpose_last(weight_hr)), h0, batch_sizes, reverse)
    wrt_hr = transpose_last(rows(d_outputs)) @ rows(hidden) if wanted[5] else None
    return d, dh, dc, *wrt_weights(wanted[3:5], d, before), wrt_hr


def lstm_backward(g_output: Any, dh: Any, dc: Any, g_gates: Any, g_cells: Any, c0: Any, weight_hh: Any, weight_hr: Any,
                  gates: Any, cells: Any, batch_sizes: Any, reverse: Any) -> Any:
    """The gradients of the gates before their functions, of the first state and of all outputs."""
    i, f, n, o = parts(gates, 4)
    size = c0.shape[1]
    slopes = cat([i * (1 - i) * n, f * (1 - f) * before_steps(cells, c0, batch_sizes, reverse), i * (1 - n * n)], dim=-1)
    slopes = slopes.reshape(*cells.shape[:-1], 3, size)
    c_slope = tanh(cells)
    o_slope, c_slope = o * (1 - o) * c_slope, o * (1 - c_slope * c_slope)
    more = None if g_gates is None else g_gates * cat([i * (1 - i), f * (1 - f), 1 - n * n, o * (1 - o)], dim=-1)
    ds, d_outputs = [], []
    for at, count in steps_of(gates, batch_sizes, not reverse):
        d_output = plus(dh[:count], g_output, at)
        d_hidden = d_output if weight_hr is None else d_output @ weight_hr
        d_cell = plus(dc[:count] + d_hidden * c_slope[at], g_cells, at)
        d = cat([(slopes[at] * d_cell[:, None]).reshape(count, 3 * size), d_hidden * o_slope[at]], dim=-1)
        d = plus(d, more, at)
        dh, dc = replace_first(dh, d @ weight_hh), replace_first(dc, d_cell * f[at])
        ds.append(d)
        d_outputs += [] if weight_hr is None else [d_output]
    del slopes, o_slope, c_slope  # what is joined takes their place in memory
    return (joined(ds, batch_sizes, not reverse), dh, dc,
            None if weight_hr is None else joined(d_outputs, batch_sizes, not reverse))
