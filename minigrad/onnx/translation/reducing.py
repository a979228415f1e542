"""Sums, extremes and order."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.onnx.building import Builder, Operand
from minigrad.onnx.translation.table import translates
from minigrad.onnx.varying import product


def axes_of(x: Operand, dim: Any) -> list[int]:
    """The axes that a reduction is over."""
    if dim is None or dim == ():
        return list(range(x.ndim))
    return [d % x.ndim for d in (dim if isinstance(dim, tuple) else (dim,))] if x.ndim else []


def reduce(b: Builder, op_type: str, x: Any, axes: list[int], keepdim: bool) -> str:
    """A reduction over `axes`. Since opset 18 they are an input, that of sums since 13."""
    if not axes:  # of a tensor without dimensions
        return b("Identity", x)
    if b.opset >= 18 or op_type == "ReduceSum":
        return b(op_type, x, b.ints(axes), keepdims=int(keepdim))
    return b(op_type, x, axes=axes, keepdims=int(keepdim))


@translates("sum", "mean", "prod", "nansum")
def sum_mean(b: Builder, x: Any, *, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> str:
    assert b.call is not None
    op_type = {"mean": "ReduceMean", "prod": "ReduceProd"}.get(b.call.op, "ReduceSum")
    axes, wide = axes_of(x, dim), b.cast(x, b.out.dtype)
    if b.call.op == "nansum":
        wide = b("Where", b("IsNaN", wide), b.number(0, b.out.dtype), wide)
    return reduce(b, op_type, wide, axes, keepdim)


@translates("_var", "_std")
def variance(b: Builder, x: Operand, *, dim: Any = None, correction: Any = 1, keepdim: bool = False) -> str:
    assert b.call is not None
    axes = axes_of(x, dim)
    apart = b("Sub", x, reduce(b, "ReduceMean", x, axes, True))
    total = reduce(b, "ReduceSum", b("Mul", apart, apart), axes, keepdim)
    found = b("Div", total, b.number(product([x.shape[d] for d in axes]) - correction, x.dtype))
    return b("Sqrt", found) if b.call.op == "_std" else found


@translates("vector_norm")
def vector_norm(b: Builder, x: Any, *, ord: Any = 2, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> str:
    axes, wide = axes_of(x, dim), b.cast(x, b.out.dtype)
    if ord in (1, 2):
        return reduce(b, f"ReduceL{int(ord)}", wide, axes, keepdim) if axes else b("Abs", wide)
    if ord == 0:
        there = b("Not", b("Equal", wide, b.number(0, b.out.dtype)))
        return reduce(b, "ReduceSum", b.cast(there, b.out.dtype), axes, keepdim)
    size = b("Abs", wide)
    if math.isinf(ord):
        return reduce(b, "ReduceMax" if ord > 0 else "ReduceMin", size, axes, keepdim)
    total = reduce(b, "ReduceSum", b("Pow", size, b.number(ord, b.out.dtype)), axes, keepdim)
    return b("Pow", total, b.number(1 / ord, b.out.dtype))


@translates("amax", "amin")
def extreme(b: Builder, x: Operand, *, dim: Any = (), keepdim: bool = False) -> str:
    assert b.call is not None
    return reduce_extreme(b, "Max" if b.call.op == "amax" else "Min", x, axes_of(x, dim), keepdim)


def reduce_extreme(b: Builder, word: str, x: Operand, axes: list[int], keepdim: bool) -> str:
    """The largest or least elements; of booleans by way of integers."""
    if x.dtype != np.bool_:
        return reduce(b, f"Reduce{word}", x, axes, keepdim)
    return str(b.cast(reduce(b, f"Reduce{word}", b.cast(x, np.int32), axes, keepdim), np.bool_))


@translates("aminmax")
def aminmax(b: Builder, x: Operand, *, dim: Any = None, keepdim: bool = False) -> Any:
    return tuple([reduce_extreme(b, word, x, axes_of(x, dim), keepdim) for word in ("Min", "Max")])


@translates("argmax", "argmin")
def argument(b: Builder, x: Any, *, dim: Any = None, keepdim: bool = False) -> str:
    assert b.call is not None
    op_type, ndim = {"argmax": "ArgMax", "argmin": "ArgMin"}[b.call.op], x.ndim
    if dim is None or not ndim:
        found = b(op_type, b("Reshape", x, b.ints([-1])), axis=0, keepdims=0)
        return b("Reshape", found, b.ints([1] * ndim)) if keepdim else found
    return b(op_type, x, axis=dim % ndim, keepdims=int(keepdim))


@translates("max_dim", "min_dim")
def extreme_and_place(b: Builder, x: Operand, *, dim: int, keepdim: bool = False) -> Any:
    assert b.call is not None
    word = "Max" if b.call.op == "max_dim" else "Min"
    if not x.ndim:
        return b("Identity", x), b.number(0, np.int64)
    place = b(f"Arg{word}", b.cast(x, np.int32) if x.dtype == np.bool_ else x, axis=dim % x.ndim, keepdims=int(keepdim))
    return reduce_extreme(b, word, x, axes_of(x, dim), keepdim), place


@translates("all", "any")
def all_or_any(b: Builder, x: Operand, *, dim: Any = None, keepdim: bool = False) -> str:
    assert b.call is not None
    numbers = b.cast(b.cast(x, np.bool_), np.int32)
    found = reduce(b, "ReduceMin" if b.call.op == "all" else "ReduceMax", numbers, axes_of(x, dim), keepdim)
    return str(b.cast(found, b.out.dtype))


@translates("count_nonzero")
def count_nonzero(b: Builder, x: Operand, *, dim: Any = None) -> str:
    return reduce(b, "ReduceSum", b.cast(b.cast(x, np.bool_), np.int64), axes_of(x, dim), False)


@translates("logsumexp")
def logsumexp(b: Builder, x: Operand, *, dim: Any, keepdim: bool = False) -> str:
    return reduce(b, "ReduceLogSumExp", b.cast(x, b.out.dtype), axes_of(x, dim), keepdim)


@translates("cumsum")
def cumsum(b: Builder, x: Operand, *, dim: int, dtype: Any = None) -> str:
    wide = b.cast(x, b.out.dtype)
    return b("CumSum", wide, b.constant(np.array(dim % x.ndim, np.int64))) if x.ndim else b("Identity", wide)


@translates("topk")
def topk(b: Builder, x: Operand, *, k: Any, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    if not x.ndim:
        return b("Identity", x), b.number(0, np.int64)
    return b.node("TopK", (x, b.ints([k])), 2, axis=dim % x.ndim, largest=int(largest), sorted=int(sorted))


@translates("sort")
def sort(b: Builder, x: Operand, *, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    if not x.ndim:
        return b("Identity", x), b.number(0, np.int64)
    return b.node("TopK", (x, b.ints([x.shape[dim]])), 2, axis=dim % x.ndim, largest=int(descending), sorted=1)
