"""Products of vectors and matrices.

Everything here is a sum of products over some dimensions. The plain cases (``mm``, ``bmm``, ``linear``) are operations of
their own because they are called most; any other sum of products of two tensors is one :func:`contract`, whose derivatives
are contractions again, and :func:`einsum`, :func:`tensordot` and :func:`inner` are made of it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.autograd.graph import TensorBase
from minigrad.autograd.op import op
from minigrad.errors import ArgumentError, DimensionError, DtypeError, ShapeError
from minigrad.ops import pointwise, reduction, shape

__all__ = ["addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "dot", "ger", "matmul", "mm", "mv", "outer", "vdot"]


# ---------------------------------------------------------------------------------------------------- helpers

def transposed(x: Any) -> Any:
    """`x`, an array or a tensor, with its last two dimensions exchanged."""
    return x.swapaxes(-1, -2)


def rows(x: Any) -> Any:
    """`x` as a matrix: all dimensions but the last in one."""
    return shape.reshape(x, shape=(math.prod(x.shape[:-1]), x.shape[-1]))


def written(sizes: Any) -> str:
    """A shape as PyTorch writes it in the messages of products: ``2x3``."""
    return "x".join(map(str, sizes))


def multiply(a: Any, b: Any) -> Any:
    """The matrix product of two arrays; float16 is summed in float32, as PyTorch does."""
    if a.dtype.char in "?e":
        if a.dtype.kind == "b":
            raise DtypeError("matrix products are not implemented for 'Bool'; convert with .to(minigrad.int64) or .float()")
        return np.matmul(a.astype(np.float32), b.astype(np.float32)).astype(a.dtype)
    return np.matmul(a, b)


def require(ndims: tuple[int, ...], **arrays: Any) -> None:
    """Raise unless each of `arrays` has the number of dimensions that stands at its place in `ndims`."""
    for ndim, (name, x) in zip(ndims, arrays.items()):
        if x.ndim != ndim:
            kind = {1: "a vector", 2: "a matrix", 3: "a batch of matrices"}[ndim]
            raise ShapeError(f"{name} must be {kind}: {ndim}D tensors expected, but got shapes "
                             f"{', '.join(f'{n}: {list(a.shape)}' for n, a in arrays.items())}")


def require_product(a: Any, b: Any) -> None:
    """Raise unless the matrices `a` and `b` can be multiplied."""
    if a.shape[-1] != b.shape[-2]:
        hint = "; transpose the second" if a.shape[-1] == b.shape[-1] else ""
        raise ShapeError(f"mat1 and mat2 shapes cannot be multiplied ({written(a.shape[-2:])} and {written(b.shape[-2:])}): "
                         f"the columns of the first, {a.shape[-1]}, must be the rows of the second, {b.shape[-2]}{hint}")


def require_batches(a: Any, b: Any) -> None:
    """Raise unless `a` and `b` are two equally long batches of matrices that can be multiplied."""
    require((3, 3), batch1=a, batch2=b)
    if a.shape[0] != b.shape[0] or a.shape[2] != b.shape[1]:
        raise ShapeError(f"Expected size for first two dimensions of batch2 tensor to be: [{a.shape[0]}, {a.shape[2]}] but got: "
                         f"[{b.shape[0]}, {b.shape[1]}]; the shapes are batch1: {list(a.shape)} and batch2: {list(b.shape)}")


# ---------------------------------------------------------------------------------------------------- matmul and linear

@op(broadcasts=True, dtypes="same")
def matmul(input: Any, other: Any) -> Any:
    """Matrix product ``input @ other``.

    Vectors give their dot product, matrices their product, more dimensions a batch of products, broadcast over all but the
    last two; a vector beside a matrix counts as a row on the left, as a column on the right.
    Raises ``RuntimeError`` where the inner sizes differ or the batches cannot be broadcast.

    >>> import minigrad
    >>> minigrad.matmul(minigrad.tensor([[1., 2.], [3., 4.]]), minigrad.tensor([1., 1.]))
    tensor([3., 7.])
    """
    try:
        if other.ndim == 2 < input.ndim:  # one large product instead of many small ones
            return multiply(rows(input), other).reshape(*input.shape[:-1], other.shape[-1])
        return multiply(input, other)
    except ValueError:
        raise ShapeError(product_clash(input.shape, other.shape)) from None
@matmul.derivative("input")
def matmul_wrt_input(g: Any, other: Any, input_shape: Any) -> Any:
    if len(input_shape) == 1:
        return g * other if other.ndim == 1 else matmul(other, g[..., None])[..., 0]
    if other.ndim == 1:
        return g[..., None] * other
    return g @ transposed(other) if g.ndim == 2 else matmul(g, transposed(other))
@matmul.derivative("other")
def matmul_wrt_other(g: Any, input: Any, other_shape: Any) -> Any:
    if len(other_shape) == 1:
        return g * input if input.ndim == 1 else matmul(shape.reshape(g, shape=(math.prod(g.shape),)), rows(input))
    if input.ndim == 1:
        return input[:, None] * g[..., None, :]
    return transposed(input) @ g if len(other_shape) > 2 or g.ndim == 2 else transposed(rows(input)) @ rows(g)


def product_clash(a: tuple[int, ...], b: tuple[int, ...]) -> str:
    """Why arrays of shapes `a` and `b` have no matrix product."""
    if not a or not b:
        return (f"both arguments to matmul need to be at least 1D, but they are {len(a)}D and {len(b)}D; "
                "use * to multiply by a number")
    inner = (a[-1], b[-1] if len(b) == 1 else b[-2])
    if inner[0] != inner[1]:
        hint = "; transpose the second" if len(b) > 1 and b[-1] == a[-1] else ""
        return (f"mat1 and mat2 shapes cannot be multiplied ({written(a)} and {written(b)}): the last size of the first, "
                f"{inner[0]}, must be the {'only' if len(b) == 1 else 'last but one'} size of the second, {inner[1]}{hint}")
    return (f"the batch dimensions {list(a[:-2])} and {list(b[:-2])} of shapes {list(a)} and {list(b)} cannot be broadcast: "
            "sizes must match or be 1")


@op(broadcasts=True, dtypes="same")
def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """The layer ``input @ weight.T + bias``.

    Shapes: input ``(*, in_features)``, weight ``(out_features, in_features)`` or ``(in_features,)``, bias ``(out_features,)``
    or ``()``, result ``(*, out_features)`` or ``(*)``. Raises ``RuntimeError`` where they do not fit.
    """
    try:
        flat = rows(input) if input.ndim > 2 else input
        out = multiply(flat, weight.T)
        if bias is not None:
            out += bias
        return out if flat is input else out.reshape(*input.shape[:-1], *weight.shape[:-1])
    except (ValueError, TypeError):  # TypeError: a product of vectors is not an array to add to
        if input.ndim == 1 == weight.ndim and bias is not None and input.shape == weight.shape and not bias.ndim:
            return np.dot(input, weight) + bias
        raise ShapeError(linear_clash(input.shape, weight.shape, bias)) from None
@linear.derivative("input")
def linear_wrt_input(g: Any, weight: Any) -> Any:
    if weight.ndim == 1:
        return g[..., None] * weight
    return g @ weight if g.ndim < 3 else matmul(g, weight)
@linear.derivative("weight")
def linear_wrt_weight(g: Any, input: Any, weight_shape: Any) -> Any:
    if len(weight_shape) == 1:
        return g * input if input.ndim == 1 else matmul(shape.reshape(g, shape=(math.prod(g.shape),)), rows(input))
    return transposed(g) @ input if g.ndim == 2 else transposed(rows(g)) @ rows(input)
@linear.derivative("bias")
def linear_wrt_bias(g: Any, bias_shape: Any) -> Any:
    return reduction.sum(g, dim=0) if g.ndim == 2 and bias_shape == g.shape[1:] else shape.sum_to_size(g, size=bias_shape)


def linear_clash(input: tuple[int, ...], weight: tuple[int, ...], bias: Any) -> str:
    """Why an input and a weight of these shapes make no linear layer."""
    if not 1 <= len(weight) <= 2 or not input:
        return f"expected an input of at least 1 dimension and a weight of 1 or 2, got shapes {list(input)} and {list(weight)}"
    if input[-1] != weight[-1]:
        flat = (math.prod(input[:-1]), input[-1])
        return (f"mat1 and mat2 shapes cannot be multiplied ({written(flat)} and {written(weight[::-1])}): input has "
                f"{input[-1]} features in its last dimension, weight, of shape {list(weight)}, takes {weight[-1]}")
    return f"bias of shape {list(bias.shape)} cannot be added to a result of shape {[*input[:-1], *weight[:-1]]}; expected {list(weight[:-1])}"


# ---------------------------------------------------------------------------------------------------- plain products

@op(dtypes="same")
def mm(input: Any, mat2: Any) -> Any:
    """Product of two matrices, ``(n, k)`` and ``(k, m)``; raises ``RuntimeError`` for any other shapes."""
    require((2, 2), input=input, mat2=mat2)
    require_product(input, mat2)
    return multiply(input, mat2)
@mm.derivative("input")
def mm_wrt_input(g: Any, mat2: Any) -> Any: return mm(g, transposed(mat2))
@mm.derivative("mat2")
def mm_wrt_mat2(g: Any, input: Any) -> Any: return mm(transposed(input), g)


@op(dtypes="same")
def bmm(input: Any, mat2: Any) -> Any:
    """Products of two batches of matrices, ``(b, n, k)`` and ``(b, k, m)``."""
    require_batches(input, mat2)
    return multiply(input, mat2)
@bmm.derivative("input")
def bmm_wrt_input(g: Any, mat2: Any) -> Any: return bmm(g, transposed(mat2))
@bmm.derivative("mat2")
def bmm_wrt_mat2(g: Any, input: Any) -> Any: return bmm(transposed(input), g)


@op(dtypes="same")
def mv(input: Any, vec: Any) -> Any:
    """Product of a matrix ``(n, k)`` and a vector ``(k,)``."""
    require((2, 1), input=input, vec=vec)
    if input.shape[1] != vec.shape[0]:
        raise ShapeError(f"size mismatch, got mat ({written(input.shape)}), vec ({vec.shape[0]}): the matrix has "
                         f"{input.shape[1]} columns, so the vector must have as many elements")
    return multiply(input, vec)
@mv.derivative("input")
def mv_wrt_input(g: Any, vec: Any) -> Any: return outer(g, vec)
@mv.derivative("vec")
def mv_wrt_vec(g: Any, input: Any) -> Any: return mv(transposed(input), g)


@op(dtypes="same")
def dot(input: Any, tensor: Any) -> Any:
    """Sum of the products of the elements of two vectors of one length."""
    require_vectors(input, tensor)
    return multiply(input, tensor)
@dot.derivative("input")
def dot_wrt_input(g: Any, tensor: Any) -> Any: return g * tensor
@dot.derivative("tensor")
def dot_wrt_tensor(g: Any, input: Any) -> Any: return g * input


@op(dtypes="same", holomorphic=False)
def vdot(input: Any, other: Any) -> Any:
    """Like :func:`dot`, with the first vector conjugated."""
    require_vectors(input, other)
    return multiply(np.conjugate(input), other)
@vdot.derivative("input")
def vdot_wrt_input(g: Any, other: Any) -> Any: return pointwise.conj(g) * other
@vdot.derivative("other")
def vdot_wrt_other(g: Any, input: Any) -> Any: return g * input


def require_vectors(a: Any, b: Any) -> None:
    """Raise unless `a` and `b` are vectors of one length."""
    if a.ndim != 1 or b.ndim != 1:
        raise ShapeError(f"1D tensors expected, but got {a.ndim}D and {b.ndim}D tensors; for matrices use matmul, or "
                         "(a * b).sum() for the sum of all products")
    if a.shape != b.shape:
        raise ShapeError(f"inconsistent tensor size, expected tensor [{a.shape[0]}] and src [{b.shape[0]}] to have the same "
                         f"number of elements, but got {a.shape[0]} and {b.shape[0]} elements respectively")


@op(dtypes="promote")
def outer(input: Any, vec2: Any) -> Any:
    """The matrix of all products of an element of `input` with an element of `vec2`."""
    require((1, 1), input=input, vec2=vec2)
    return input[:, None] * vec2
@outer.derivative("input")
def outer_wrt_input(g: Any, vec2: Any) -> Any: return mv(g, vec2)
@outer.derivative("vec2")
def outer_wrt_vec2(g: Any, input: Any) -> Any: return mv(transposed(g), input)


ger = outer


# ---------------------------------------------------------------------------------------------------- sums with products

def blended(input: Any, beta: Any, product: Any, alpha: Any) -> Any:
    """``beta * input + alpha * product``; with beta = 0 `input` does not count, not even its nan."""
    for name, factor in (("beta", beta), ("alpha", alpha)):
        if product.dtype.kind in "iu" and not isinstance(factor, int):
            raise DtypeError(f"For integral input tensors, argument {name} must not be a floating point number, got {factor}")
    if np.broadcast_shapes(input.shape, product.shape) != product.shape:
        raise ShapeError(f"input of shape {list(input.shape)} cannot be expanded to the shape of the product, {list(product.shape)}")
    if alpha != 1:
        product = product * alpha
    if beta == 0:
        return product
    return product + (input if beta == 1 else input * beta)


@op(broadcasts=True, dtypes="same")
def addmm(input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * (mat1 @ mat2)`` for matrices; `input` is broadcast to the shape of the product."""
    require((2, 2), mat1=mat1, mat2=mat2)
    require_product(mat1, mat2)
    return blended(input, beta, multiply(mat1, mat2), alpha)
@addmm.derivative("input")
def addmm_wrt_input(g: Any, beta: Any) -> Any: return g * beta
@addmm.derivative("mat1")
def addmm_wrt_mat1(g: Any, mat2: Any, alpha: Any) -> Any: return mm(g, transposed(mat2)) * alpha
@addmm.derivative("mat2")
def addmm_wrt_mat2(g: Any, mat1: Any, alpha: Any) -> Any: return mm(transposed(mat1), g) * alpha


@op(broadcasts=True, dtypes="same")
def addmv(input: Any, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * (mat @ vec)`` for a matrix and a vector."""
    require((2, 1), mat=mat, vec=vec)
    if mat.shape[1] != vec.shape[0]:
        raise ShapeError(f"size mismatch, got input {list(input.shape)}, mat ({written(mat.shape)}), vec ({vec.shape[0]})")
    return blended(input, beta, multiply(mat, vec), alpha)
@addmv.derivative("input")
def addmv_wrt_input(g: Any, beta: Any) -> Any: return g * beta
@addmv.derivative("mat")
def addmv_wrt_mat(g: Any, vec: Any, alpha: Any) -> Any: return outer(g, vec) * alpha
@addmv.derivative("vec")
def addmv_wrt_vec(g: Any, mat: Any, alpha: Any) -> Any: return mv(transposed(mat), g) * alpha


@op(broadcasts=True, dtypes="same")
def addr(input: Any, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * outer(vec1, vec2)``."""
    require((1, 1), vec1=vec1, vec2=vec2)
    return blended(input, beta, vec1[:, None] * vec2, alpha)
@addr.derivative("input")
def addr_wrt_input(g: Any, beta: Any) -> Any: return g * beta
@addr.derivative("vec1")
def addr_wrt_vec1(g: Any, vec2: Any, alpha: Any) -> Any: return mv(g, vec2) * alpha
@addr.derivative("vec2")
def addr_wrt_vec2(g: Any, vec1: Any, alpha: Any) -> Any: return mv(transposed(g), vec1) * alpha


@op(broadcasts=True, dtypes="same")
def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * bmm(batch1, batch2)``."""
    require_batches(batch1, batch2)
    return blended(input, beta, multiply(batch1, batch2), alpha)
@baddbmm.derivative("input")
def baddbmm_wrt_input(g: Any, beta: Any) -> Any: return g * beta
@baddbmm.derivative("batch1")
def baddbmm_wrt_batch1(g: Any, batch2: Any, alpha: Any) -> Any: return bmm(g, transposed(batch2)) * alpha
@baddbmm.derivative("batch2")
def baddbmm_wrt_batch2(g: Any, batch1: Any, alpha: Any) -> Any: return bmm(transposed(batch1), g) * alpha


@op(broadcasts=True, dtypes="same")
def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * bmm(batch1, batch2).sum(0)``."""
    require_batches(batch1, batch2)
    return blended(input, beta, np.sum(multiply(batch1, batch2), axis=0, dtype=batch1.dtype), alpha)
@addbmm.derivative("input")
def addbmm_wrt_input(g: Any, beta: Any) -> Any: return g * beta
@addbmm.derivative("batch1")
def addbmm_wrt_batch1(g: Any, batch2: Any, alpha: Any) -> Any: return matmul(g, transposed(batch2)) * alpha
@addbmm.derivative("batch2")
def addbmm_wrt_batch2(g: Any, batch1: Any, alpha: Any) -> Any: return matmul(transposed(batch1), g) * alpha


# ---------------------------------------------------------------------------------------------------- contractions

@op(dtypes="same")
def contract(input: Any, other: Any, *, spec: Any) -> Any:
    """Sum of products of two arrays whose dimensions carry labels.

    `spec` is three tuples: the labels of `input`, of `other` and of the result. Within one tuple no label occurs twice, and
    each label occurs in at least two of the tuples; so the derivative for an argument is the contraction of the gradient
    with the other argument. It is computed as one batched matrix product.
    """
    left, right, result = spec
    batch = [k for k in left if k in right and k in result]
    summed = [k for k in left if k in right and k not in result]
    rows, columns = [k for k in left if k not in right], [k for k in right if k not in left]
    size = {**dict(zip(left, input.shape)), **dict(zip(right, other.shape))}

    def arranged(x: Any, labels: Any, *groups: Any) -> Any:
        order = [labels.index(k) for group in groups for k in group]
        return np.transpose(x, order).reshape([math.prod([size[k] for k in group]) for group in groups])

    product = multiply(arranged(input, left, batch, rows, summed), arranged(other, right, batch, summed, columns))
    order = batch + rows + columns
    return np.transpose(product.reshape([size[k] for k in order]), [order.index(k) for k in result])
@contract.derivative("input")
def contract_wrt_input(g: Any, other: Any, spec: Any) -> Any: return contract(g, other, spec=(spec[2], spec[1], spec[0]))
@contract.derivative("other")
def contract_wrt_other(g: Any, input: Any, spec: Any) -> Any: return contract(g, input, spec=(spec[2], spec[0], spec[1]))
