"""Normalization. Over the last dimensions, and by fixed statistics, ONNX has one operation for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.onnx.building import Builder, Operand
from minigrad.onnx.translation.reducing import reduce
from minigrad.onnx.translation.shaping import cut, reshaped
from minigrad.onnx.translation.table import translates
from minigrad.onnx.varying import product

# The scale and the shift with which a batch is normalized by running statistics, as normalization.evaluation_affine computes
# them: operations by name, with their operands, of which those in capitals are looked for.
ROOT = ("pow_number", ("add", ("reshape", "VAR"), "EPS"))
SCALE = ("mul", ROOT, ("reshape", "WEIGHT"))
BATCH_NORMS = [(SCALE, ("add", ("mul", ("neg", ("reshape", "MEAN")), SCALE), ("reshape", "BIAS"))),
               (ROOT, ("mul", ("neg", ("reshape", "MEAN")), ROOT)),
               (SCALE, ("mul", ("neg", ("reshape", "MEAN")), SCALE))]


def find(b: Builder, number: int | None, pattern: Any, found: dict[str, int]) -> bool:
    """Whether the value of a number was computed as `pattern` says; what it looks for is put into `found`."""
    if number is None:
        return False
    if isinstance(pattern, str):
        return found.setdefault(pattern, number) == number
    trace = b.traces[0]
    value = trace.values[number]
    if value.kind != "result":
        return False
    call = trace.calls[value.maker]
    return (call.op == pattern[0] and len(call.operands) == len(pattern) - 1 and call.settings.get("exponent", -0.5) == -0.5
            and call.settings.get("alpha", 1) == 1 and all(find(b, n, p, found) for n, p in zip(call.operands, pattern[1:])))


@translates("standardize")
def standardize(b: Builder, x: Operand, weight: Operand | None, bias: Operand | None, *, layout: Any, step: Any, eps: Any,
                centered: bool) -> Any:
    """Over rows of `x`, which is seen in the shape `layout` = (outer, rows, inner); then the scale and the shift."""
    rows = reshaped(b, x, layout)
    mean = reduce(b, "ReduceMean", rows, [0, 2], True)
    apart = b("Sub", rows, mean) if centered else rows
    var = reduce(b, "ReduceMean", b("Mul", apart, apart), [0, 2], True)
    if not centered:
        mean = b("Mul", mean, b.number(0, x.dtype))
    if centered and weight is not None and over_last(x, weight, bias, layout):
        return b("LayerNormalization", x, weight, bias, axis=-weight.ndim, epsilon=float(eps)), mean, var
    result: Any = b("Div", apart, b("Sqrt", b("Add", var, b.number(eps, x.dtype))))
    for op_type, v in (("Mul", weight), ("Add", bias)):
        if v is not None:
            count = product(v.shape)
            of_channels = x.ndim > 1 and x.shape[1] == count and product(x.shape[2:]) == step
            seen, each = (x.shape, (count, *(1,) * (x.ndim - 2))) if of_channels else ((-1, count, step), (count, 1))
            result = b(op_type, reshaped(b, result, seen), reshaped(b, v, each))
    return reshaped(b, result, x.shape), mean, var


def over_last(x: Operand, weight: Operand, bias: Operand | None, layout: Any) -> bool:
    """Whether `x` is standardized over its last dimensions, of which the weight and the bias have the shape."""
    return bool(layout[0] == 1 and layout[2] == product(weight.shape) and x.shape[x.ndim - weight.ndim:] == weight.shape
                and (bias is None or bias.shape == weight.shape))


@translates("window_sum")
def window_sum(b: Builder, x: Operand, *, dim: int, before: int, after: int) -> str:
    """The elements with zeros around them, moved by each number of places, and added up."""
    dim %= x.ndim
    pads = [0] * 2 * x.ndim
    pads[dim], pads[x.ndim + dim] = before, after
    wide = b("Pad", x, b.ints(pads), b.number(0, x.dtype))
    return b("Sum", *[cut(b, wide, dim, k, k + x.shape[dim]) for k in range(before + after + 1)])


@translates("scale_shift")
def scale_shift(b: Builder, x: Operand, weight: Operand | None, bias: Operand | None) -> str:
    assert b.call is not None
    whole = batch_norm(b, x, weight, bias)
    if whole is not None:
        return whole
    found: Any = x if weight is None else b("Mul", x, weight)
    found = found if bias is None else b("Add", found, bias)
    return found if isinstance(found, str) else b("Identity", found)


def batch_norm(b: Builder, x: Operand, weight: Operand | None, bias: Operand | None) -> str | None:
    """BatchNormalization, where scale and shift were made of running statistics."""
    if weight is None or bias is None or x.ndim < 2:
        return None
    for scale, shift in BATCH_NORMS:
        found: dict[str, int] = {}
        if find(b, weight.number, scale, found) and find(b, bias.number, shift, found):
            channels = x.shape[1]
            ones = [b.constant(np.full(channels, k, x.dtype)) for k in (1, 0)]
            eps = float(b.traces[0].values[found["EPS"]].array)
            given = [b.operand(found[name]) if name in found else None for name in ("WEIGHT", "BIAS", "MEAN", "VAR")]
            return b("BatchNormalization", x, given[0] or ones[0], given[1] or ones[1], *given[2:], epsilon=eps)
    return None
