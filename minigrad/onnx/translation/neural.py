"""Activations, convolutions and pooling."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from minigrad.errors import UnsupportedOperatorError
from minigrad.onnx.building import Builder, Operand
from minigrad.onnx.translation.pointwise import require_opset
from minigrad.onnx.translation.reducing import reduce
from minigrad.onnx.translation.table import enter_nodes, translates
from minigrad.onnx.varying import Varying, product
from minigrad.ops.neural.pooling import adaptive_bounds

enter_nodes(relu="Relu", hardswish="HardSwish")


@translates("prelu_kernel")
def prelu_kernel(b: Builder, x: Operand, weight: Operand) -> str:
    if b.out.shape == x.shape:
        return b("PRelu", x, weight)
    return b("Where", b("Greater", x, b.number(0, x.dtype)), x, b("Mul", weight, x))


@translates("leaky_relu")
def leaky_relu(b: Builder, x: Operand, *, negative_slope: float = 0.01) -> str:
    return b("LeakyRelu", x, alpha=float(negative_slope))


@translates("threshold")
def threshold(b: Builder, x: Operand, *, threshold: float, value: float) -> str:
    return b("Where", b("LessOrEqual", x, b.number(threshold, x.dtype)), b.number(value, x.dtype), x)


@translates("hardtanh")
def hardtanh(b: Builder, x: Operand, *, min_val: float = -1.0, max_val: float = 1.0) -> str:
    return b("Clip", x, b.number(min_val, x.dtype), b.number(max_val, x.dtype))


@translates("hardsigmoid")
def hardsigmoid(b: Builder, x: Operand) -> str:
    return b("HardSigmoid", x, alpha=1 / 6, beta=0.5)


@translates("softshrink")
def softshrink(b: Builder, x: Operand, *, lambd: float = 0.5) -> str:
    return b("Shrink", x, lambd=float(lambd), bias=float(lambd))


@translates("hardshrink")
def hardshrink(b: Builder, x: Operand, *, lambd: float = 0.5) -> str:
    return b("Shrink", x, lambd=float(lambd), bias=0.0)


@translates("elu")
def elu(b: Builder, x: Operand, *, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> str:
    if scale == input_scale == 1:
        return b("Elu", x, alpha=float(alpha))
    if input_scale == 1:
        return b("Selu", x, alpha=float(alpha), gamma=float(scale))
    if scale == 1 and math.isclose(input_scale * alpha, 1):
        return b("Celu", x, alpha=float(alpha))
    below = b("Elu", b("Mul", x, b.number(input_scale, x.dtype)), alpha=float(alpha))
    return b("Mul", b("Where", b("Greater", x, b.number(0, x.dtype)), x, below), b.number(scale, x.dtype))


@translates("silu")
def silu(b: Builder, x: Operand) -> str:
    return b("Mul", x, b("Sigmoid", x))


@translates("gelu")
def gelu(b: Builder, x: Operand, *, approximate: str = "none") -> str:
    if b.opset >= 20:
        return b("Gelu", x, approximate=approximate)
    half, one = b.number(0.5, x.dtype), b.number(1, x.dtype)
    if approximate == "tanh":
        cube = b("Mul", b("Mul", x, x), b("Mul", x, b.number(0.044715, x.dtype)))
        bell = b("Tanh", b("Mul", b("Add", x, cube), b.number(math.sqrt(2 / math.pi), x.dtype)))
    else:
        bell = b("Erf", b("Mul", x, b.number(math.sqrt(0.5), x.dtype)))
    return b("Mul", b("Mul", x, half), b("Add", bell, one))


@translates("softplus")
def softplus(b: Builder, x: Operand, *, beta: float = 1.0, threshold: float = 20.0) -> str:
    steep = x if beta == 1 else b("Mul", x, b.number(beta, x.dtype))
    soft = b("Softplus", steep)
    if beta != 1:
        soft = b("Div", soft, b.number(beta, x.dtype))
    return b("Where", b("Greater", steep, b.number(threshold, x.dtype)), x, soft)


@translates("logsigmoid")
def logsigmoid(b: Builder, x: Operand) -> str:
    return b("Neg", b("Softplus", b("Neg", x)))


@translates("mish")
def mish(b: Builder, x: Operand) -> str:
    return b("Mul", x, b("Tanh", b("Softplus", x)))


@translates("tanhshrink")
def tanhshrink(b: Builder, x: Operand) -> str:
    return b("Sub", x, b("Tanh", x))


@translates("softmax", "log_softmax")
def softmax(b: Builder, x: Operand, *, dim: int, dtype: Any = None) -> str:
    assert b.call is not None
    op_type, wide = "Softmax" if b.call.op == "softmax" else "LogSoftmax", b.cast(x, b.out.dtype)
    if not x.ndim:
        return b("Reshape", b(op_type, b("Reshape", wide, b.ints([1])), axis=0), b.ints([]))
    return b(op_type, wide, axis=dim % x.ndim)


@translates("safe_softmax")
def safe_softmax(b: Builder, x: Operand, *, dim: int) -> str:
    """Zeros where all elements are -inf, of which ONNX's softmax makes NaN."""
    axis = dim % max(x.ndim, 1)
    rows = x if x.ndim else b("Reshape", x, b.ints([1]))
    nothing = b("Equal", reduce(b, "ReduceMax", rows, [axis], True), b.number(-np.inf, x.dtype))
    found = b("Where", nothing, b.number(0, x.dtype), b("Softmax", rows, axis=axis))
    return found if x.ndim else b("Reshape", found, b.ints([]))


@translates("attention")
def attention(b: Builder, query: Operand, key: Operand, value: Operand, mask: Operand | None, *, scale: float,
              causal: bool) -> Any:
    """Products and a softmax, and the logarithm of the sum of the exponentials."""
    last = [*range(key.ndim - 2), key.ndim - 1, key.ndim - 2]
    product = b("MatMul", query, b("Transpose", key, perm=last))
    scores = Operand(b("Mul", product, b.number(scale, query.dtype)), (*query.shape[:-1], key.shape[-2]), query.dtype)
    added: list[Any] = [] if mask is None else [mask]
    if causal:
        sizes = b("Shape", scores, start=-2)
        never = b("Expand", b.number(-np.inf, query.dtype), sizes)
        added.append(b("Trilu", never, b.number(1, np.int64), upper=1))
    for m in added:
        scores = Operand(b("Add", scores, m), scores.shape, scores.dtype)
    weights = b("Softmax", scores, axis=-1) if mask is None else safe_softmax(b, scores, dim=-1)
    sums = reduce(b, "ReduceLogSumExp", scores, [scores.ndim - 1], True)
    nothing = b("Equal", sums, b.number(-np.inf, query.dtype))
    return b("MatMul", weights, value), b("Where", nothing, b.number(np.inf, query.dtype), sums)


# ---------------------------------------------------------------------------------------------------- windows

def window_attributes(b: Builder, x: Operand, kernel: Any, stride: Any, padding: Any, dilation: Any) -> dict[str, Any]:
    """The attributes of a window that slides over `x`, the last dimensions of the result being its positions.

    The padding after the last element is given as it is before the first, where the positions are the same then, so that it
    holds for other sizes too; else where it would be with ``ceil_mode``; else exactly, for this size.
    """
    ends: list[int] = []
    ceil = False
    shapes = [[axis.values if isinstance(axis, Varying) else (axis,) * len(b.traces) for axis in t.shape[2:]] for t in (x, b.out)]
    for d, (k, s, step, (before, after)) in enumerate(zip(kernel, stride, dilation, padding)):
        extent = step * (k - 1) + 1
        pairs = list(zip(shapes[0][d], shapes[1][d]))
        if all((n + 2 * before - extent) // s + 1 == positions for n, positions in pairs):
            ends.append(before)
        elif not isinstance(after, Varying):
            ends.append(max(after, 0))
        else:
            ceil = True
            ends.append(before)
    return {"kernel_shape": list(kernel), "strides": list(stride), "pads": [*[p[0] for p in padding], *ends],
            "dilations": list(dilation), "ceil_mode": 1 if ceil else None}


@translates("convolution")
def convolution(b: Builder, x: Operand, weight: Operand, bias: Operand | None, *, stride: Any, padding: Any, dilation: Any,
                groups: Any) -> str:
    attributes = window_attributes(b, x, weight.shape[2:], stride, padding, dilation)
    del attributes["ceil_mode"]
    return b("Conv", x, weight, bias, group=groups, **attributes)


@translates("convolution_transpose")
def convolution_transpose(b: Builder, x: Operand, weight: Operand, bias: Operand | None, *, stride: Any, padding: Any,
                          dilation: Any, groups: Any) -> str:
    added = [max(-after, 0) for _, after in padding]
    pads = [*[before for before, _ in padding], *[max(after, 0) for _, after in padding]]
    return b("ConvTranspose", x, weight, bias, kernel_shape=list(weight.shape[2:]), strides=list(stride),
             dilations=list(dilation), group=groups, pads=pads, output_padding=added if any(added) else None)


@translates("max_pool")
def max_pool(b: Builder, x: Operand, *, kernel: Any, stride: Any, padding: Any, dilation: Any) -> str:
    return b("MaxPool", x, **window_attributes(b, x, kernel, stride, padding, dilation))


@translates("max_pool_indices")
def max_pool_indices(b: Builder, x: Operand, *, kernel: Any, stride: Any, padding: Any, dilation: Any) -> str:
    """ONNX counts through the whole tensor, and minigrad, as PyTorch, in each plane."""
    found = b.node("MaxPool", (x,), 2, **window_attributes(b, x, kernel, stride, padding, dilation))[1]
    sizes = b("Shape", x, start=2)
    return b("Mod", found, b("ReduceProd", sizes, keepdims=0))


@translates("avg_pool")
def avg_pool(b: Builder, x: Operand, *, kernel: Any, stride: Any, padding: Any, divisor: Any) -> str:
    """The mean over windows. Where the divisor is neither the size of the window nor of what of it is no padding, the mean over
    whole windows is multiplied and divided anew."""
    size = product(kernel)
    if all(k == n and o == 1 for k, n, o in zip(kernel, x.shape[2:], b.out.shape[2:])) and divisor == size:
        return b("GlobalAveragePool", x)
    if any(isinstance(k, Varying) for k in kernel):
        raise UnsupportedOperatorError(f"onnx.export: {b.where()}: adaptive pooling of a dynamic size has a translation into "
                                       "ONNX only where the result is one element, as of AdaptiveAvgPool2d(1)")
    attributes = window_attributes(b, x, kernel, stride, padding, (1,) * len(kernel))
    del attributes["dilations"]
    if isinstance(divisor, tuple) and divisor == counts_inside(x.shape[2:], b.out.shape[2:], kernel, stride, padding):
        return b("AveragePool", x, count_include_pad=0, **attributes)
    mean = b("AveragePool", x, count_include_pad=1, **attributes)
    if isinstance(divisor, tuple):
        counts = functools.reduce(np.multiply.outer, map(np.asarray, divisor))
        return mean if (counts == size).all() else b("Mul", mean, b.constant((size / counts).astype(x.dtype)))
    return mean if divisor == size else b("Mul", mean, b.number(size / divisor, x.dtype))


def counts_inside(sizes: Any, positions: Any, kernel: Any, stride: Any, padding: Any) -> Any:
    """For each dimension, how many elements of the window at each position are no padding; None where sizes vary."""
    if any(isinstance(n, Varying) for n in (*sizes, *positions)):
        return None
    starts = [np.arange(o) * s - before for o, s, (before, _) in zip(positions, stride, padding)]
    return tuple([tuple((np.minimum(start + k, n) - np.maximum(start, 0)).tolist())
                  for start, k, n in zip(starts, kernel, sizes)])


@translates("adaptive_sum_pool")
def adaptive_sum_pool(b: Builder, x: Operand, *, output_size: Any) -> str:
    """Along each dimension a product with a matrix, which has a one where a part contains an element."""
    found: Any = x
    for d, (n, parts) in enumerate(zip(x.shape[2:], output_size)):
        if isinstance(n, Varying) or isinstance(parts, Varying):
            raise UnsupportedOperatorError(f"onnx.export: {b.where()}: adaptive pooling of a dynamic size has a translation into "
                                           "ONNX only where the result is one element, as of AdaptiveAvgPool2d(1)")
        start, end = adaptive_bounds(n, parts)
        places = np.arange(n)[:, None]
        order = [*range(d + 2), *range(d + 3, x.ndim), d + 2]
        back = [*range(d + 2), x.ndim - 1, *range(d + 2, x.ndim - 1)]
        matrix = b.constant(((places >= start) & (places < end)).astype(x.dtype))
        found = b("Transpose", b("MatMul", b("Transpose", found, perm=order), matrix), perm=back)
    return str(found)


@translates("im2col")
def im2col(b: Builder, x: Operand, *, kernel: Any, stride: Any, padding: Any, dilation: Any) -> str:
    """A convolution of each channel with one filter for each element of the window."""
    channels, size = x.shape[1], product(kernel)
    if isinstance(channels, Varying):
        raise UnsupportedOperatorError(f"onnx.export: {b.where()}: a dynamic number of channels has no translation into ONNX")
    filters = np.tile(np.eye(size, dtype=x.dtype).reshape(size, 1, *kernel), (channels, *[1] * (len(kernel) + 1)))
    ends = [before if isinstance(after, Varying) else max(after, 0) for before, after in padding]
    found = b("Conv", x, b.constant(filters), kernel_shape=list(kernel), strides=list(stride), dilations=list(dilation),
              pads=[*[before for before, _ in padding], *ends], group=channels)
    return b("Reshape", found, b.ints([x.shape[0], channels * size, -1]))


@translates("col2im")
def col2im(b: Builder, x: Operand, *, size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> str:
    """In two dimensions at least, for onnxruntime folds no others rightly."""
    require_opset(b, 18, "folded windows")
    flat = len(size) == 1
    size, kernel, stride, dilation = [(1, *v) if flat else tuple(v) for v in (size, kernel, stride, dilation)]
    padding = ((0, 0), *padding) if flat else tuple(padding)
    reached = [n + min(after, 0) for n, (_, after) in zip(size, padding)]
    pads = [*[before for before, _ in padding], *[max(after, 0) for _, after in padding]]
    found = b("Col2Im", x, b.ints(reached), b.ints(kernel), strides=list(stride), dilations=list(dilation), pads=pads)
    if reached != list(size):
        found = b("Pad", found, b.ints([0] * (len(size) + 4) + [n - m for n, m in zip(size, reached)]), b.number(0, x.dtype))
    return b("Reshape", found, b.ints(b.out.shape)) if flat else found
