"""The kernels of the host, as operations ask for them: which arrays they take, and how the work is divided."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad._arrays.host import recurrent, softmax
from minigrad._arrays.host.products import pack
from minigrad._arrays.host.threads import share
from minigrad._arrays.kernels import Kernels

__all__ = ["HostKernels"]


def takes(*arrays: Any) -> bool:
    """Whether these are NumPy arrays of one type that there are kernels for, float32 or float64."""
    dtype = arrays[0].dtype
    return dtype.char in "fd" and dtype.isnative and all([a.__class__ is np.ndarray and a.dtype == dtype for a in arrays])


def rows_of(x: Any) -> Any:
    """The rows of `x`, all its dimensions but the last in one, in contiguous memory."""
    return np.ascontiguousarray(x).reshape(-1, x.shape[-1])


def takes_layer(data: Any, batch_sizes: Any, *arrays: Any) -> bool:
    """Whether a recurrent layer on these arrays, of which some may be None, is for the kernels: with few steps it does not pay to
    pack the weights."""
    return bool(data.size) and len(batch_sizes or data) >= LEAST_STEPS and takes(data, *[a for a in arrays if a is not None])


def recurrent_steps(data: Any, batch_sizes: Any, reverse: bool) -> tuple[Any, Any]:
    """Where the steps of a recurrent layer begin in the rows of `data`, and how many sequences each has."""
    counts = np.full(data.shape[0], data.shape[1]) if batch_sizes is None else np.array(batch_sizes)
    starts = np.cumsum(counts) - counts
    return (starts[::-1].copy(), counts[::-1].copy()) if reverse else (starts, counts)


def in_place(x: Any) -> Any:
    """A copy of `x` that a kernel may write to."""
    return np.array(x, order="C")


def or_zeros(x: Any, size: int, like: Any) -> Any:
    """`x` in contiguous memory, or zeros where it is None."""
    return np.zeros(size, like.dtype) if x is None else np.ascontiguousarray(x)


LEAST_STEPS = 4


class HostKernels(Kernels):
    """The kernels that numba compiles when they are first used. For float32 and float64."""

    def softmax(self, x: Any, axis: int, logarithm: bool) -> Any:
        if not takes(x) or not x.size or axis not in (-1, x.ndim - 1):
            return None
        x = np.ascontiguousarray(x)
        y, n = np.empty_like(x), x.shape[-1]
        share(softmax.log_softmax if logarithm else softmax.softmax, x.size // n, x.reshape(-1, n), y.reshape(-1, n))
        return y

    def softmax_slope(self, grad: Any, out: Any, axis: int, logarithm: bool) -> Any:
        if not takes(grad, out) or grad.shape != out.shape or not out.size or axis not in (-1, out.ndim - 1):
            return None
        slope, n = np.empty(out.shape, out.dtype), out.shape[-1]
        rows = [np.ascontiguousarray(a).reshape(-1, n) for a in (grad, out, slope)]
        share(softmax.log_softmax_slope if logarithm else softmax.softmax_slope, len(rows[0]), *rows)
        return slope

    def rnn(self, input: Any, h0: Any, weight: Any, bias: Any, batch_sizes: Any, reverse: bool, rectified: bool) -> Any:
        if not takes_layer(input, batch_sizes, h0, weight, bias):
            return None
        h, states = in_place(h0), np.empty(input.shape, input.dtype)
        share(recurrent.rnn, len(h), rows_of(input), or_zeros(bias, len(weight), input), pack(weight.T),
              *recurrent_steps(input, batch_sizes, reverse), rectified, h, rows_of(states))
        return h, states

    def rnn_backward(self, g_output: Any, g_h: Any, states: Any, weight: Any, batch_sizes: Any, reverse: bool,
                     rectified: bool) -> Any:
        if not takes_layer(states, batch_sizes, g_output, g_h, weight):
            return None
        dh, d = in_place(g_h), np.empty(states.shape, states.dtype)
        g_output = np.zeros_like(states) if g_output is None else g_output
        share(recurrent.rnn_backward, len(dh), rows_of(states), rows_of(g_output), pack(weight),
              *recurrent_steps(states, batch_sizes, reverse), rectified, dh, rows_of(d))
        return d, dh

    def gru(self, input: Any, h0: Any, weight: Any, bias: Any, batch_sizes: Any, reverse: bool) -> Any:
        if not takes_layer(input, batch_sizes, h0, weight, bias):
            return None
        h, size = in_place(h0), h0.shape[1]
        states, gates = (np.empty((*input.shape[:-1], n), input.dtype) for n in (size, 4 * size))
        share(recurrent.gru, len(h), rows_of(input), or_zeros(bias, len(weight), input), pack(weight.T),
              *recurrent_steps(input, batch_sizes, reverse), h, rows_of(states), rows_of(gates))
        return h, states, gates

    def gru_backward(self, g_output: Any, g_h: Any, states: Any, gates: Any, h0: Any, weight: Any, batch_sizes: Any,
                     reverse: bool) -> Any:
        if not takes_layer(gates, batch_sizes, g_output, g_h, states, h0, weight):
            return None
        dh, d = in_place(g_h), np.empty(gates.shape, gates.dtype)
        g_output = np.zeros_like(states) if g_output is None else g_output
        share(recurrent.gru_backward, len(dh), rows_of(gates), rows_of(states), np.ascontiguousarray(h0), rows_of(g_output),
              pack(weight), *recurrent_steps(gates, batch_sizes, reverse), dh, rows_of(d))
        return d, dh

    def lstm(self, input: Any, h0: Any, c0: Any, weight: Any, bias: Any, batch_sizes: Any, reverse: bool) -> Any:
        if not takes_layer(input, batch_sizes, h0, c0, weight, bias):
            return None
        h, c = in_place(h0), in_place(c0)
        output, cells, gates = (np.empty((*input.shape[:-1], n), input.dtype) for n in (h.shape[1], c.shape[1], len(weight)))
        share(recurrent.lstm, len(h), rows_of(input), or_zeros(bias, len(weight), input), pack(weight.T),
              *recurrent_steps(input, batch_sizes, reverse), h, c, rows_of(output), rows_of(cells), rows_of(gates))
        return output, h, c, gates, cells

    def lstm_backward(self, g_output: Any, g_h: Any, g_c: Any, gates: Any, cells: Any, c0: Any, weight: Any, batch_sizes: Any,
                      reverse: bool) -> Any:
        if not takes_layer(gates, batch_sizes, g_output, g_h, g_c, cells, c0, weight):
            return None
        dh, dc, d = in_place(g_h), in_place(g_c), np.empty(gates.shape, gates.dtype)
        g_output = np.zeros_like(cells) if g_output is None else g_output
        share(recurrent.lstm_backward, len(dh), rows_of(gates), rows_of(cells), np.ascontiguousarray(c0), rows_of(g_output),
              pack(weight), *recurrent_steps(gates, batch_sizes, reverse), dh, dc, rows_of(d))
        return d, dh, dc
