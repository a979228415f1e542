"""Products of matrices."""

from __future__ import annotations

from typing import Any

from minigrad.onnx.building import Builder, Operand
from minigrad.onnx.translation.pointwise import scaled
from minigrad.onnx.translation.table import enter_nodes, translates

enter_nodes(matmul="MatMul", mm="MatMul", bmm="MatMul", mv="MatMul", dot="MatMul", vdot="MatMul")


@translates("linear")
def linear(b: Builder, x: Operand, weight: Operand, bias: Operand | None) -> str:
    if x.ndim == 2 and weight.ndim == 2 and (bias is None or bias.ndim == 1) and x.dtype.kind == "f":
        return b("Gemm", x, weight, bias, transB=1)
    product = b("MatMul", x, b("Transpose", weight, perm=[1, 0]) if weight.ndim == 2 else weight)
    return product if bias is None else b("Add", product, bias)


@translates("outer")
def outer(b: Builder, x: Operand, vec2: Operand) -> str:
    return b("Mul", b("Unsqueeze", x, b.ints([1])), vec2)


@translates("addmm", "addmv", "baddbmm")
def product_and_sum(b: Builder, x: Operand, first: Operand, second: Operand, *, beta: Any = 1, alpha: Any = 1) -> str:
    assert b.call is not None
    if b.call.op == "addmm" and x.dtype.kind == "f":
        return b("Gemm", first, second, x, alpha=float(alpha), beta=float(beta))
    product = Operand(b("MatMul", first, second), b.out.shape, b.out.dtype)
    return b("Add", scaled(b, product, alpha), scaled(b, x, beta)) if beta else b("Identity", scaled(b, product, alpha))


@translates("contract")
def contract(b: Builder, x: Operand, other: Operand, *, spec: Any) -> str:
    labels = {label: chr(ord("a") + k) for k, label in enumerate(dict.fromkeys((*spec[0], *spec[1], *spec[2])))}
    left, right, result = ["".join([labels[label] for label in part]) for part in spec]
    return b("Einsum", x, other, equation=f"{left},{right}->{result}")


@translates("linalg_det")
def determinant(b: Builder, x: Operand) -> str:
    return b("Det", x)


@translates("addbmm")
def addbmm(b: Builder, x: Operand, batch1: Operand, batch2: Operand, *, beta: Any = 1, alpha: Any = 1) -> str:
    total = b("ReduceSum", b("MatMul", batch1, batch2), b.ints([0]), keepdims=0)
    product = scaled(b, Operand(total, b.out.shape, b.out.dtype), alpha)
    return b("Add", product, scaled(b, x, beta)) if beta else b("Identity", product)


@translates("addr")
def addr(b: Builder, x: Operand, vec1: Operand, vec2: Operand, *, beta: Any = 1, alpha: Any = 1) -> str:
    product = scaled(b, Operand(outer(b, vec1, vec2), b.out.shape, b.out.dtype), alpha)
    return b("Add", product, scaled(b, x, beta)) if beta else b("Identity", product)

