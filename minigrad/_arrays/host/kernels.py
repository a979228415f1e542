"""The kernels of the host, as operations ask for them: which arrays they take, and how the work is divided."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad._arrays.host import (
    attention,
    convolution,
    losses,
    normalization,
    optimizers,
    pointwise,
    products,
    recurrent,
    rows,
    softmax,
)
from minigrad._arrays.host.loops import lies_as_expected
from minigrad._arrays.host.products import pack
from minigrad._arrays.host.threads import share
from minigrad._arrays.kernels import Kernels
from minigrad._arrays.sums import sum_over

__all__ = ["HostKernels"]

MEMORY_BOUND = 1 << 17  # elements for each thread at least, where little is computed with them
SHORTEST = 16  # elements that have a weight in common, below which a kernel is not faster than NumPy
LEAST_SIDE, LEAST_PRODUCTS = 64, 1 << 20  # of a matrix of products, below which packing takes longer than it saves
LEAST_STEPS = 4  # of a recurrent layer, below which packing the weights takes longer than it saves


def takes(*arrays: Any) -> bool:
    """Whether these are NumPy arrays of one type that there are kernels for, float32 or float64."""
    dtype = arrays[0].dtype
    return dtype.char in "fd" and dtype.isnative and all([a.__class__ is np.ndarray and a.dtype == dtype for a in arrays])


def takes_classes(x: Any, target: Any) -> bool:
    """Whether `x` is a matrix that there are kernels for, and `target` has the number of a class for each row."""
    return bool(takes(x) and x.ndim == 2 and x.size and target.shape == x.shape[:1] and target.dtype == np.int64)


def rows_of(x: Any) -> Any:
    """The rows of `x`, all its dimensions but the last in one, in contiguous memory."""
    return np.ascontiguousarray(x).reshape(-1, x.shape[-1])


def takes_layer(data: Any, batch_sizes: Any, *arrays: Any) -> bool:
    """Whether the kernels take a recurrent layer on these arrays, of which some may be None."""
    return bool(data.size) and len(batch_sizes or data) >= LEAST_STEPS and takes(data, *[a for a in arrays if a is not None])


def recurrent_steps(data: Any, batch_sizes: Any, reverse: bool) -> tuple[Any, Any]:
    """Where the steps of a recurrent layer begin in the rows of `data`, and how many sequences each has."""
    counts = np.full(data.shape[0], data.shape[1]) if batch_sizes is None else np.array(batch_sizes)
    starts = np.cumsum(counts) - counts
    return (starts[::-1].copy(), counts[::-1].copy()) if reverse else (starts, counts)


def in_place(x: Any) -> Any:
    """A copy of `x` that a kernel may write to."""
    return np.array(x, order="C")


def or_zeros(x: Any, shape: Any, like: Any) -> Any:
    """`x` in contiguous memory, or zeros of this shape where it is None."""
    return np.zeros(shape, like.dtype) if x is None else np.ascontiguousarray(x)


class HostKernels(Kernels):
    """The kernels that numba compiles when they are first used. For float32 and float64."""

    def each(self, name: str, *inputs: Any) -> Any:
        first = inputs[0]
        dtype, shape, flags = first.dtype, first.shape, first.flags
        order: Any = "C" if flags.c_contiguous else "F" if flags.f_contiguous else None
        if order is None or dtype not in pointwise.TYPES[name]:
            return None
        args = []
        for x in inputs:
            if x.__class__ is not np.ndarray:
                args.append(dtype.type(x))
            elif x.shape == shape and x.dtype in (dtype, np.bool_) and x.flags[order]:
                args.append(x.ravel(order))
            else:
                return None
        out = np.empty(shape, dtype, order)
        share(pointwise.KERNELS[name], first.size, *args, out.ravel(order), grain=MEMORY_BOUND)
        return out

    def dropout_mask(self, uniform: Any, p: float, scale: float, dtype: Any) -> Any:
        if not takes(uniform) or dtype.char not in "fd" or not uniform.flags.c_contiguous:
            return None
        mask = np.empty(uniform.shape, dtype)
        share(pointwise.dropout_mask, mask.size, uniform.reshape(-1), uniform.dtype.type(p), dtype.type(scale), mask.reshape(-1),
              grain=MEMORY_BOUND)
        return mask

    def softmax(self, x: Any, axis: int, logarithm: bool) -> Any:
        if not takes(x) or not x.size or not x.ndim or axis not in (-1, x.ndim - 1):
            return None
        x = np.ascontiguousarray(x)
        y, n = np.empty_like(x), x.shape[-1]
        share(softmax.log_softmax if logarithm else softmax.softmax, x.size // n, x.reshape(-1, n), y.reshape(-1, n))
        return y

    def softmax_slope(self, grad: Any, out: Any, axis: int, logarithm: bool) -> Any:
        if not takes(grad, out) or grad.shape != out.shape or not out.size or not out.ndim or (
                axis not in (-1, out.ndim - 1)):
            return None
        slope, n = np.empty(out.shape, out.dtype), out.shape[-1]
        rows = [np.ascontiguousarray(a).reshape(-1, n) for a in (grad, out, slope)]
        share(softmax.log_softmax_slope if logarithm else softmax.softmax_slope, len(rows[0]), *rows)
        return slope

    def multiply(self, a: Any, b: Any) -> Any:
        if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0] or not a.flags.aligned or not b.flags.aligned \
                or min(len(a), b.shape[1]) < LEAST_SIDE or a.size * b.shape[1] < LEAST_PRODUCTS or not takes(a, b):
            return None
        out = np.empty((len(a), b.shape[1]), a.dtype)
        share(products.multiply, len(a), out, a, pack(b))
        return out

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
        share(recurrent.rnn_backward, len(dh), rows_of(states), rows_of(or_zeros(g_output, states.shape, states)), pack(weight),
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
        share(recurrent.gru_backward, len(dh), rows_of(gates), rows_of(states), np.ascontiguousarray(h0),
              rows_of(or_zeros(g_output, states.shape, states)), pack(weight), *recurrent_steps(gates, batch_sizes, reverse),
              dh, rows_of(d))
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
        share(recurrent.lstm_backward, len(dh), rows_of(gates), rows_of(cells), np.ascontiguousarray(c0),
              rows_of(or_zeros(g_output, cells.shape, cells)), pack(weight), *recurrent_steps(gates, batch_sizes, reverse),
              dh, dc, rows_of(d))
        return d, dh, dc

    def standardize(self, x: Any, weight: Any, bias: Any, layout: tuple[int, int, int], step: int, eps: float,
                    centered: bool) -> Any:
        given = [v for v in (weight, bias) if v is not None]
        seen = runs_of(x, layout, step, given[0].size if given else 0)
        if seen is None or not takes(x, *given):
            return None
        each, size = len(seen) == 2, given[0].size if given else 1
        x, result, rows = np.ascontiguousarray(x), np.empty(x.shape, x.dtype), seen[0 if each else 1]
        mean, var = [np.empty((1, rows, 1), x.dtype) for _ in range(2)]
        weight, bias = [np.full(size, k, x.dtype) if v is None else np.ascontiguousarray(v).reshape(-1)
                        for k, v in ((1, weight), (0, bias))]
        share(normalization.standardize_each if each else normalization.standardize, rows, x.reshape(seen), weight, bias,
              result.reshape(seen), mean.reshape(-1), var.reshape(-1), float(eps), centered)
        return result, mean, var

    def standardize_backward(self, grad: Any, x: Any, mean: Any, var: Any, weight: Any, layout: tuple[int, int, int], step: int,
                             eps: float, centered: bool, shape: tuple[int, ...], wanted: tuple[bool, bool, bool]) -> Any:
        count = math.prod(shape) if weight is not None or wanted[1] or wanted[2] else 0
        seen = runs_of(x, layout, step, count)
        if seen is None or not takes(grad, x, mean, var, *([] if weight is None else [weight])):
            return None
        grad, x, result = np.ascontiguousarray(grad), np.ascontiguousarray(x), np.empty(x.shape, x.dtype)
        weight = np.ones(count or 1, x.dtype) if weight is None else np.ascontiguousarray(weight).reshape(-1)
        if len(seen) == 2:
            kernel, shares = normalization.standardize_each_backward, -(-seen[0] // normalization.ROWS)
            sums, products = np.empty((2, shares, count), x.dtype)
        else:
            kernel, shares = normalization.standardize_backward, seen[1]
            sums, products = np.empty((2, shares, seen[2]), x.dtype)
        statistics = [np.ascontiguousarray(v).reshape(-1) for v in (mean if centered else np.zeros_like(mean), var)]
        share(kernel, shares, grad.reshape(seen), x.reshape(seen), *statistics, weight, result.reshape(seen), sums, products,
              float(eps), centered)
        nothing = [np.empty(0, x.dtype) for _ in wanted]
        grads = [sum_over(v.reshape(-1, count), 0).reshape(shape) if asked else none
                 for v, asked, none in zip((products, sums), wanted[1:], nothing)]
        return (result if wanted[0] else nothing[2], *grads)

    def attend(self, scores: Any, mask: Any, scale: float, first: int | None) -> Any:
        if not takes(scores) or not scores.size or not scores.flags.c_contiguous:
            return None
        lse = np.empty((*scores.shape[:-1], 1), scores.dtype)
        share(attention.attend, lse.size, scores.reshape(-1, scores.shape[-1]), lse.reshape(-1), with_mask(scores, mask, scale),
              scores.shape[-2], first or 0, first is not None, mask is not None)
        return lse

    def slope_of_scores(self, scores: Any, d: Any, mask: Any, lse: Any, grad_lse: Any, scale: float, first: int | None) -> bool:
        if not takes(scores, d, lse) or not scores.size or not (scores.flags.c_contiguous and d.flags.c_contiguous):
            return False
        shift = np.zeros(lse.size, lse.dtype) if grad_lse is None else np.ascontiguousarray(grad_lse).reshape(-1)
        share(attention.slope_of_scores, lse.size, scores.reshape(-1, scores.shape[-1]), d.reshape(-1, scores.shape[-1]),
              np.ascontiguousarray(lse).reshape(-1), shift, with_mask(scores, mask, scale), float(scale), scores.shape[-2],
              first or 0, first is not None)
        return True

    def convolve(self, x: Any, weight: Any, y: Any, bias: Any, stride: Any, padding: Any, dilation: Any) -> Any:
        given = [a for a in (x, weight, y, bias) if a is not None and not isinstance(a, tuple)]
        if not convolution.FAST or not takes(*given) or not all([a.size for a in given]):
            return None
        if isinstance(x, tuple):
            return convolution.gradient_of_input(x, weight, y, bias, stride, padding, dilation)
        if isinstance(y, tuple):
            return convolution.output(x, weight, y, bias, stride, padding, dilation)
        if x.shape[1] == weight[0] and weight[1] == 1:  # of one channel for each there are vectors with one number
            return None
        return convolution.gradient_of_weight(x, weight, y, stride, padding, dilation)

    def cross_entropy(self, x: Any, target: Any, ignore: int) -> Any:
        if not takes_classes(x, target):
            return None
        ignored = target == ignore
        wrong = target[((target < 0) | (target >= x.shape[1])) & ~ignored]
        if wrong.size:
            return None, None, None, wrong[0]
        x, loss, soft = np.ascontiguousarray(x), np.empty(len(x), x.dtype), np.empty(x.shape, x.dtype)
        share(losses.cross_entropy, len(x), x, np.ascontiguousarray(target), loss, soft, ignore)
        return loss, soft, len(x) - int(np.count_nonzero(ignored)), None

    def cross_entropy_slope(self, grad: Any, soft: Any, target: Any, ignore: int, mean: bool) -> Any:
        if grad.ndim or grad.dtype != soft.dtype or not takes_classes(soft, target):
            return None
        total = len(soft) - int(np.count_nonzero(target == ignore)) if mean else 1
        slope = np.empty(soft.shape, soft.dtype)
        share(losses.cross_entropy_slope, len(soft), np.ascontiguousarray(soft), np.ascontiguousarray(target), slope,
              soft.dtype.type(grad / (total or 1)), ignore)
        return slope

    def add_rows(self, target: Any, places: Any, values: Any) -> bool:
        if not takes(target, values) or places.dtype != np.int64 or not places.size \
                or places.min() < 0 or places.max() >= len(target):
            return False
        share(rows.add_rows, values.shape[1], np.ascontiguousarray(values), np.ascontiguousarray(places), target)
        return True

    def moves(self, rule: str, p: Any, grad: Any, *state: Any) -> bool:
        return (rule in optimizers.RULES and takes(p, grad, *state) and p.size > 0
                and all([a.shape == p.shape for a in (grad, *state)]) and all([a.flags.carray for a in (p, *state)]))

    def move(self, rule: str, tensors: Any, factors: Any) -> None:
        for *moved, grad in tensors:
            grad = grad if grad.flags.carray else grad.copy()
            share(optimizers.RULES[rule], grad.size, *[a.reshape(-1) for a in (*moved, grad)], *factors)

    def moves_together(self, rule: str, count: int, dtype: Any) -> bool:
        return rule in optimizers.RULES and dtype.char in "fd" and lies_as_expected()

    def move_together(self, rule: str, like: Any, addresses: Any, sizes: Any, grads: Any, factors: Any) -> None:
        optimizers.TOGETHER[rule](like, addresses, sizes, id(grads), factors)


def with_mask(scores: Any, mask: Any, scale: float) -> float:
    """What remains to multiply scores by, where a mask is to be added: nothing, because that is done here."""
    if mask is None:
        return float(scale)
    scores *= scores.dtype.type(scale)
    scores += mask
    return 1.0


def runs_of(x: Any, layout: tuple[int, int, int], step: int, count: int) -> Any:
    """The shape in which kernels of :mod:`~minigrad._arrays.host.normalization` see `x`, whose `count` weights belong to `step`
    elements each, or None where they would be slow: where few elements have a weight in common, but not one a weight."""
    outer, rows, inner = x.reshape(layout).shape
    if not x.size:
        return None
    if not count:
        return outer, rows, 1, inner
    if step == 1 and outer == 1 and inner == count:
        return rows, inner
    return (outer, rows, inner // step, step) if step >= SHORTEST else None
