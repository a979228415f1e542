"""Products of vectors and matrices.

Everything here is a sum of products over some dimensions. The plain cases (``mm``, ``bmm``, ``linear``) are operations of
their own because they are called most; any other sum of products of two tensors is one :func:`contract`, whose derivatives
are contractions again, and :func:`einsum`, :func:`tensordot` and :func:`inner` are made of it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays
from minigrad._types import layouts
from minigrad._types.dtypes import as_dtype, int64
from minigrad.errors import ArgumentError, DtypeError, InvalidValueError, RuntimeValueError, ShapeError, UnsupportedDtypeError
from minigrad.ops.pointwise import arithmetic
from minigrad.ops.reducing import reduction
from minigrad.ops.shaping import shape, slicing
from minigrad.recording.hints import warn_user
from minigrad.recording.inplace import serve_out
from minigrad.recording.op import op

if TYPE_CHECKING:
    from collections.abc import Sequence

    from minigrad._types.annotations import Number, Tensor

__all__ = ["addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "cdist", "chain_matmul", "cross", "dot", "einsum",
           "ger", "inner", "kron", "matmul", "mm", "mv", "outer", "tensordot", "vander",
           "vdot"]


# ---------------------------------------------------------------------------------------------------- helpers

def transpose_last(x: Tensor) -> Tensor:
    """`x`, an array or a tensor, with its last two dimensions exchanged."""
    return x.swapaxes(-1, -2)


def rows(x: Any) -> Any:
    """`x` as a matrix: all dimensions but the last in one."""
    return shape.reshape(x, shape=(math.prod(x.shape[:-1]), x.shape[-1]))


def unbroadcast(g: Any, size: Any) -> Any:
    """The gradient of an argument of shape `size` that was broadcast, summed to that shape."""
    return g if g.shape == size else shape.sum_to_size(g, size=size)


def shape_text(sizes: Any) -> str:
    """A shape in the form that PyTorch's messages about products have: ``2x3``."""
    return "x".join(map(str, sizes))


def multiply(a: Any, b: Any) -> Any:
    """The matrix product of two arrays or, in a rule, of two tensors."""
    if a.dtype.kind == "b":
        raise UnsupportedDtypeError("matrix products are not implemented for 'Bool'; convert with .to(minigrad.int64) or "
                                    ".float()")
    if a.__class__ is np.ndarray and (fused := _arrays.kernels_of(a).multiply(a, b)) is not None:
        return fused
    return a @ b


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
        raise ShapeError(f"mat1 and mat2 shapes cannot be multiplied ({shape_text(a.shape[-2:])} and "
                         f"{shape_text(b.shape[-2:])}): the columns of the first, {a.shape[-1]}, must be the rows of the second, "
                         f"{b.shape[-2]}{hint}")


def require_batches(a: Any, b: Any) -> None:
    """Raise unless `a` and `b` are two equally long batches of matrices that can be multiplied."""
    require((3, 3), batch1=a, batch2=b)
    if a.shape[0] != b.shape[0] or a.shape[2] != b.shape[1]:
        raise ShapeError(f"Expected size for first two dimensions of batch2 tensor to be: [{a.shape[0]}, {a.shape[2]}] but "
                         f"got: [{b.shape[0]}, {b.shape[1]}]; the shapes are batch1: {list(a.shape)} and batch2: "
                         f"{list(b.shape)}")


# ---------------------------------------------------------------------------------------------------- matmul and linear

@op(dtypes="same", opmath=True, layout="contiguous")
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
        return g * other if other.ndim == 1 else unbroadcast(matmul(other, g[..., None])[..., 0], input_shape)
    if other.ndim == 1:
        return g[..., None] * other
    return multiply(g, transpose_last(other)) if g.ndim == 2 else unbroadcast(matmul(g, transpose_last(other)), input_shape)
@matmul.derivative("other")
def matmul_wrt_other(g: Any, input: Any, other_shape: Any) -> Any:
    if len(other_shape) == 1:
        return g * input if input.ndim == 1 else matmul(shape.reshape(g, shape=(math.prod(g.shape),)), rows(input))
    if input.ndim == 1:
        return input[:, None] * g[..., None, :]
    if len(other_shape) == 2:
        return multiply(transpose_last(input), g) if g.ndim == 2 else multiply(transpose_last(rows(input)), rows(g))
    return unbroadcast(transpose_last(input) @ g, other_shape)


def product_clash(a: tuple[int, ...], b: tuple[int, ...]) -> str:
    """Why arrays of shapes `a` and `b` have no matrix product."""
    if not a or not b:
        return (f"both arguments to matmul need to be at least 1D, but they are {len(a)}D and {len(b)}D; "
                "use * to multiply by a number")
    inner = (a[-1], b[-1] if len(b) == 1 else b[-2])
    if inner[0] != inner[1]:
        hint = "; transpose the second" if len(b) > 1 and b[-1] == a[-1] else ""
        return (f"mat1 and mat2 shapes cannot be multiplied ({shape_text(a)} and {shape_text(b)}): the last size of the first, "
                f"{inner[0]}, must be the {'only' if len(b) == 1 else 'last but one'} size of the second, {inner[1]}{hint}")
    return (f"the batch dimensions {list(a[:-2])} and {list(b[:-2])} of shapes {list(a)} and {list(b)} cannot be broadcast: "
            "sizes must match or be 1")


@op(dtypes="same", opmath=True)
def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """The layer ``input @ weight.T + bias``.

    Shapes: input ``(*, in_features)``, weight ``(out_features, in_features)`` or ``(in_features,)``, bias ``(out_features,)``
    or ``()``, result ``(*, out_features)`` or ``(*)``. Raises ``RuntimeError`` where they do not fit.
    """
    if input.ndim == 1 == weight.ndim and bias is not None and input.shape == weight.shape and not bias.ndim:
        return np.dot(input, weight) + bias  # which is no array to add to
    try:
        flat = rows(input) if input.ndim > 2 else input
        out = multiply(flat, weight.T)
        if bias is not None:
            out += bias
        return out if flat is input else out.reshape(*input.shape[:-1], *weight.shape[:-1])
    except ValueError:
        raise ShapeError(linear_clash(input.shape, weight.shape, bias)) from None
@linear.derivative("input")
def linear_wrt_input(g: Any, weight: Any) -> Any:
    if weight.ndim == 1:
        return g[..., None] * weight
    return multiply(g, weight) if g.ndim < 3 else matmul(g, weight)
@linear.derivative("weight")
def linear_wrt_weight(g: Any, input: Any, weight_shape: Any) -> Any:
    if len(weight_shape) == 1:
        return g * input if input.ndim == 1 else matmul(shape.reshape(g, shape=(math.prod(g.shape),)), rows(input))
    return multiply(transpose_last(g), input) if g.ndim == 2 else multiply(transpose_last(rows(g)), rows(input))
@linear.derivative("bias")
def linear_wrt_bias(g: Any, bias_shape: Any) -> Any:
    return reduction.sum(g, dim=0) if g.ndim == 2 and bias_shape == g.shape[1:] else shape.sum_to_size(g, size=bias_shape)


def linear_clash(input: tuple[int, ...], weight: tuple[int, ...], bias: Any) -> str:
    """Why an input and a weight of these shapes make no linear layer."""
    if not 1 <= len(weight) <= 2 or not input:
        return (f"both arguments to linear need to be at least 1D, and the weight 1D or 2D, but they are {len(input)}D and "
                f"{len(weight)}D: shapes {list(input)} and {list(weight)}")
    if input[-1] != weight[-1]:
        flat = (math.prod(input[:-1]), input[-1])
        return (f"mat1 and mat2 shapes cannot be multiplied ({shape_text(flat)} and {shape_text(weight[::-1])}): input has "
                f"{input[-1]} features in its last dimension, weight, of shape {list(weight)}, takes {weight[-1]}")
    return (f"bias of shape {list(bias.shape)} cannot be added to a result of shape {[*input[:-1], *weight[:-1]]}; expected "
            f"{list(weight[:-1])}")


# ---------------------------------------------------------------------------------------------------- plain products

@op(dtypes="same", opmath=True)
def mm(input: Any, mat2: Any) -> Any:
    """Product of two matrices, ``(n, k)`` and ``(k, m)``; raises ``RuntimeError`` for any other shapes."""
    require((2, 2), input=input, mat2=mat2)
    require_product(input, mat2)
    return multiply(input, mat2)
@mm.derivative("input")
def mm_wrt_input(g: Any, mat2: Any) -> Any: return mm(g, transpose_last(mat2))
@mm.derivative("mat2")
def mm_wrt_mat2(g: Any, input: Any) -> Any: return mm(transpose_last(input), g)


@op(dtypes="same", opmath=True, layout="contiguous")
def bmm(input: Any, mat2: Any) -> Any:
    """Products of two batches of matrices, ``(b, n, k)`` and ``(b, k, m)``."""
    require_batches(input, mat2)
    return multiply(input, mat2)
@bmm.derivative("input")
def bmm_wrt_input(g: Any, mat2: Any) -> Any: return bmm(g, transpose_last(mat2))
@bmm.derivative("mat2")
def bmm_wrt_mat2(g: Any, input: Any) -> Any: return bmm(transpose_last(input), g)


@op(dtypes="same", opmath=True)
def mv(input: Any, vec: Any) -> Any:
    """Product of a matrix ``(n, k)`` and a vector ``(k,)``."""
    require((2, 1), input=input, vec=vec)
    if input.shape[1] != vec.shape[0]:
        raise ShapeError(f"size mismatch, got mat ({shape_text(input.shape)}), vec ({vec.shape[0]}): the matrix has "
                         f"{input.shape[1]} columns, so the vector must have as many elements")
    return multiply(input, vec)
@mv.derivative("input")
def mv_wrt_input(g: Any, vec: Any) -> Any: return outer(g, vec)
@mv.derivative("vec")
def mv_wrt_vec(g: Any, input: Any) -> Any: return mv(transpose_last(input), g)


@op(dtypes="same", opmath=True)
def dot(input: Any, tensor: Any) -> Any:
    """Sum of the products of the elements of two vectors of one length."""
    require_vectors(input, tensor)
    return multiply(input, tensor)
@dot.derivative("input")
def dot_wrt_input(g: Any, tensor: Any) -> Any: return g * tensor
@dot.derivative("tensor")
def dot_wrt_tensor(g: Any, input: Any) -> Any: return g * input


@op(dtypes="same", holomorphic=False, opmath=True)
def vdot(input: Any, other: Any) -> Any:
    """Like :func:`dot`, with the first vector conjugated."""
    require_vectors(input, other)
    return multiply(np.conjugate(input), other)
@vdot.derivative("input")
def vdot_wrt_input(g: Any, other: Any) -> Any: return arithmetic.conj(g) * other
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


@op(dtypes="promote", opmath=True)
def outer(input: Any, vec2: Any) -> Any:
    """The matrix of all products of an element of `input` with an element of `vec2`."""
    require((1, 1), input=input, vec2=vec2)
    return input[:, None] * vec2
@outer.derivative("input")
def outer_wrt_input(g: Any, vec2: Any) -> Any: return mv(g, vec2)
@outer.derivative("vec2")
def outer_wrt_vec2(g: Any, input: Any) -> Any: return mv(transpose_last(g), input)


ger = outer


# ---------------------------------------------------------------------------------------------------- sums with products

def blend(input: Any, beta: Any, product: Any, alpha: Any) -> Any:
    """``beta * input + alpha * product``. With beta = 0 `input` does not count, not even its nan."""
    if product.dtype.kind in "iu":
        beta, alpha = int(beta), int(alpha)  # as PyTorch has it
    lead = product.ndim - input.ndim
    if lead < 0 or any(n not in (1, m) for n, m in zip(input.shape, product.shape[lead:])):
        raise ShapeError(f"input of shape {list(input.shape)} cannot be expanded to the shape of the product, "
                         f"{list(product.shape)}")
    if alpha != 1:
        product = product * alpha
    if beta == 0:
        return product
    return product + (input if beta == 1 else input * beta)


@op(dtypes="same", opmath=True)
def addmm(input: Any, mat1: Any, mat2: Any, *, beta: Number = 1, alpha: Number = 1) -> Any:
    """``beta * input + alpha * (mat1 @ mat2)`` for matrices; `input` is broadcast to the shape of the product."""
    require((2, 2), mat1=mat1, mat2=mat2)
    require_product(mat1, mat2)
    return blend(input, beta, multiply(mat1, mat2), alpha)
@addmm.derivative("input")
def addmm_wrt_input(g: Any, input_shape: Any, beta: Any) -> Any: return unbroadcast(g * beta, input_shape)
@addmm.derivative("mat1")
def addmm_wrt_mat1(g: Any, mat2: Any, alpha: Any) -> Any: return mm(g, transpose_last(mat2)) * alpha
@addmm.derivative("mat2")
def addmm_wrt_mat2(g: Any, mat1: Any, alpha: Any) -> Any: return mm(transpose_last(mat1), g) * alpha


@op(dtypes="same", opmath=True)
def addmv(input: Any, mat: Any, vec: Any, *, beta: Number = 1, alpha: Number = 1) -> Any:
    """``beta * input + alpha * (mat @ vec)`` for a matrix and a vector."""
    require((2, 1), mat=mat, vec=vec)
    if mat.shape[1] != vec.shape[0]:
        raise ShapeError(f"size mismatch, got input {list(input.shape)}, mat ({shape_text(mat.shape)}), vec ({vec.shape[0]})")
    return blend(input, beta, multiply(mat, vec), alpha)
@addmv.derivative("input")
def addmv_wrt_input(g: Any, input_shape: Any, beta: Any) -> Any: return unbroadcast(g * beta, input_shape)
@addmv.derivative("mat")
def addmv_wrt_mat(g: Any, vec: Any, alpha: Any) -> Any: return outer(g, vec) * alpha
@addmv.derivative("vec")
def addmv_wrt_vec(g: Any, mat: Any, alpha: Any) -> Any: return mv(transpose_last(mat), g) * alpha


@op(dtypes="same", opmath=True, layout="like_input")
def addr(input: Any, vec1: Any, vec2: Any, *, beta: Number = 1, alpha: Number = 1) -> Any:
    """``beta * input + alpha * outer(vec1, vec2)``."""
    require((1, 1), vec1=vec1, vec2=vec2)
    for name, factor in (("beta", beta), ("alpha", alpha)):
        if input.dtype.kind in "iu" and not isinstance(factor, int):
            raise DtypeError(f"For integral input tensors, argument {name} must not be a floating point number, got {factor}")
    if input.dtype.kind == "b":
        return blend(input, bool(beta), vec1[:, None] * vec2, bool(alpha))
    return blend(input, beta, vec1[:, None] * vec2, alpha)
@addr.derivative("input")
def addr_wrt_input(g: Any, input_shape: Any, beta: Any) -> Any: return unbroadcast(g * beta, input_shape)
@addr.derivative("vec1")
def addr_wrt_vec1(g: Any, vec2: Any, alpha: Any) -> Any: return mv(g, vec2) * alpha
@addr.derivative("vec2")
def addr_wrt_vec2(g: Any, vec1: Any, alpha: Any) -> Any: return mv(transpose_last(g), vec1) * alpha


@op(dtypes="same", opmath=True, layout="contiguous")
def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: Number = 1, alpha: Number = 1) -> Any:
    """``beta * input + alpha * bmm(batch1, batch2)``."""
    require_batches(batch1, batch2)
    return blend(input, beta, multiply(batch1, batch2), alpha)
@baddbmm.derivative("input")
def baddbmm_wrt_input(g: Any, input_shape: Any, beta: Any) -> Any: return unbroadcast(g * beta, input_shape)
@baddbmm.derivative("batch1")
def baddbmm_wrt_batch1(g: Any, batch2: Any, alpha: Any) -> Any: return bmm(g, transpose_last(batch2)) * alpha
@baddbmm.derivative("batch2")
def baddbmm_wrt_batch2(g: Any, batch1: Any, alpha: Any) -> Any: return bmm(transpose_last(batch1), g) * alpha


@op(dtypes="same", opmath=True)
def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: Number = 1, alpha: Number = 1) -> Any:
    """``beta * input + alpha * bmm(batch1, batch2).sum(0)``."""
    require_batches(batch1, batch2)
    return blend(input, beta, multiply(batch1, batch2).sum(axis=0, dtype=batch1.dtype), alpha)
@addbmm.derivative("input")
def addbmm_wrt_input(g: Any, input_shape: Any, beta: Any) -> Any: return unbroadcast(g * beta, input_shape)
@addbmm.derivative("batch1")
def addbmm_wrt_batch1(g: Any, batch2: Any, alpha: Any) -> Any: return matmul(g, transpose_last(batch2)) * alpha
@addbmm.derivative("batch2")
def addbmm_wrt_batch2(g: Any, batch1: Any, alpha: Any) -> Any: return matmul(transpose_last(batch1), g) * alpha


# ---------------------------------------------------------------------------------------------------- contractions

@op(dtypes="same", called="einsum", opmath=True)
def contract(input: Any, other: Any, *, spec: Any) -> Any:
    """Sum of products of two arrays whose dimensions carry labels.

    `spec` is three tuples: the labels of `input`, of `other` and of the result. Within one tuple no label occurs twice, and
    each label occurs in at least two of the tuples; so the derivative for an argument is the contraction of the gradient
    with the other argument. It is computed as one batched matrix product, whose rows are the dimensions of `other` if they come
    first in the result; or as a product of elements, where no more than one is summed.
    """
    left, right, result = spec
    batch = [k for k in result if k in left and k in right]
    summed = [k for k in left if k in right and k not in result]
    rows, columns = [k for k in result if k not in right], [k for k in result if k not in left]
    size = {**dict(zip(left, input.shape)), **dict(zip(right, other.shape))}

    def arrange(x: Any, labels: Any, *groups: Any) -> Any:
        order = [labels.index(k) for group in groups for k in group]
        return np.transpose(x, order).reshape([math.prod([size[k] for k in group]) for group in groups])

    if math.prod([size[k] for k in summed]) == 1:
        labels = [*result, *summed]
        a, b = [x.transpose([named.index(k) for k in labels if k in named])[
            (..., *[slice(None) if k in named else None for k in labels])] for x, named in ((input, left), (other, right))]
        return layouts.lay_out("elementwise", a * b, a, b)[(..., *[0] * len(summed))]
    long = [d for d, k in enumerate(result) if k in rows and size[k] > 1]
    rest = [d for d, k in enumerate(result) if k in columns or size[k] == 1]
    if long and rest and max(rest) < min(long):
        input, other, left, right, rows, columns = other, input, right, left, columns, rows
    product = multiply(arrange(input, left, batch, rows, summed), arrange(other, right, batch, summed, columns))
    order = batch + rows + columns
    return np.transpose(product.reshape([size[k] for k in order]), [order.index(k) for k in result])
@contract.derivative("input")
def contract_wrt_input(g: Any, other: Any, spec: Any) -> Any: return contract(g, other, spec=(spec[2], spec[1], spec[0]))
@contract.derivative("other")
def contract_wrt_other(g: Any, input: Any, spec: Any) -> Any: return contract(g, input, spec=(spec[2], spec[0], spec[1]))


def tensordot(a: Tensor, b: Tensor, dims: int | Sequence[Sequence[int]] = 2, out: Tensor | None = None) -> Tensor:
    """Sum of products over `dims`: an int (the last ones of `a` with the first ones of `b`) or two lists of dimensions.

    Raises ``RuntimeError`` where the paired dimensions differ in size.
    """
    if isinstance(dims, int):
        if dims < 0:
            raise ShapeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.ndim, b.ndim):
            raise ShapeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims} for shapes {list(a.shape)} and "
                             f"{list(b.shape)}")
        dims = (range(a.ndim - dims, a.ndim), range(dims))
    pair: Any = dims
    first, second = ([pair[0]], [pair[1]]) if isinstance(pair[0], int) else (list(pair[0]), list(pair[1]))
    if len(first) != len(second):
        raise ShapeError(f"both dimension lists should have same length, got {first} and {second}")
    left, right = list(range(a.ndim)), list(range(a.ndim, a.ndim + b.ndim))
    for i, j in zip(first, second):
        if a.shape[i] == 1 != b.shape[j]:
            b = reduction.sum(b, dim=j, keepdim=True, dtype=as_dtype(b.dtype))
        elif b.shape[j] == 1 != a.shape[i]:
            a = reduction.sum(a, dim=i, keepdim=True, dtype=as_dtype(a.dtype))
        elif a.shape[i] != b.shape[j]:
            raise ShapeError(f"contracted dimensions need to match, but first has size {a.shape[i]} in dim {i} and second has "
                             f"size {b.shape[j]} in dim {j} (shapes {list(a.shape)} and {list(b.shape)})")
        right[j] = left[i]
    result = [k for k in left if k not in right] + [k for k in right if k not in left]
    return contract(a, b, spec=(tuple(left), tuple(right), tuple(result)), out=out)


def inner(input: Tensor, other: Tensor, out: Tensor | None = None) -> Tensor:
    """Sum of products over the last dimension of both: ``(*a, k)`` and ``(*b, k)`` give ``(*a, *b)``; a number multiplies."""
    if not input.ndim or not other.ndim:
        return arithmetic.mul(input, other, out=out)
    if input.shape[-1] != other.shape[-1]:
        raise ShapeError(f"inner() the last dimension must match on both input tensors but got shapes {list(input.shape)} and "
                         f"{list(other.shape)}")
    return tensordot(input, other, ([-1], [-1]), out=out)


def kron(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Kronecker product: every element of `input` times the whole of `other`, laid out in blocks."""
    ndim = max(input.ndim, other.ndim)
    a = (1,) * (ndim - input.ndim) + tuple(input.shape)
    b = (1,) * (ndim - other.ndim) + tuple(other.shape)
    product = arithmetic.mul(shape.reshape(input, shape=tuple(n for k in a for n in (k, 1))),
                            shape.reshape(other, shape=tuple(n for k in b for n in (1, k))))
    return serve_out("kron", shape.reshape(product, shape=tuple(i * j for i, j in zip(a, b))), out)


# ---------------------------------------------------------------------------------------------------- einsum

def einsum(*args: Any) -> Tensor:
    """Sum of products in Einstein's notation.

    ``einsum("ik,kj->ij", a, b)`` names the dimensions of each operand by letters; a letter that is missing on the right of
    ``->`` is summed over. ``...`` stands for the other dimensions, which are broadcast. Without ``->`` the result has the
    letters that occur once, in alphabetical order. The other form, ``einsum(a, [0, 1], b, [1, 2], [0, 2])``, uses numbers.
    Raises ``RuntimeError`` where the notation does not fit the operands, ``ValueError`` where there are none.

    >>> import minigrad
    >>> a = minigrad.tensor([[1., 2.], [3., 4.]])
    >>> minigrad.einsum("ii", a), minigrad.einsum("ij->j", a)
    (tensor(5.), tensor([4., 6.]))
    """
    if not args:
        raise InvalidValueError("einsum(): must specify the equation string and at least one operand, or at least one operand "
                                "and its subscripts list")
    if isinstance(args[0], str):
        operands = list(args[1]) if len(args) == 2 and isinstance(args[1], (list, tuple)) else list(args[1:])
        terms, result = parse_equation(args[0])
    else:
        operands = list(args[0::2][:len(args) // 2])
        terms = [list(t) for t in args[1::2]]
        result = list(args[-1]) if len(args) % 2 else None
        for k in [k for term in (*terms, result or ()) for k in term]:
            if k is not Ellipsis and not 0 <= k < 52:
                raise InvalidValueError(f"einsum(): subscript {k} is not within the valid range [0, 52)")
    if not operands:
        raise InvalidValueError("einsum(): must provide at least one operand")
    for k, x in enumerate(operands):
        if not hasattr(x, "ndim"):
            raise ArgumentError(f"einsum(): operand {k} must be a Tensor, not {type(x).__name__}")
    if len(terms) != len(operands):
        raise RuntimeValueError(f"einsum(): {'more' if len(operands) > len(terms) else 'fewer'} operands were provided than "
                                f"specified in the equation: it names {len(terms)}, got {len(operands)}")
    labels = [operand_labels(term, x.ndim, k) for k, (term, x) in enumerate(zip(terms, operands))]
    widest = max((sum(isinstance(k, Rest) for k in term) for term in labels), default=0)
    rest = [Rest(d) for d in range(widest, 0, -1)]
    if result is None:
        named = [k for term in labels for k in term if not isinstance(k, Rest)]
        result = rest + sorted(k for k in set(named) if named.count(k) == 1)
    else:
        at = [k for k in range(len(result)) if result[k] is Ellipsis]
        if len(at) > 1:
            raise RuntimeValueError("einsum(): found '...' more than once in the output")
        result = [*result[:at[0]], *rest, *result[at[0] + 1:]] if at else result
    for k in result:
        if result.count(k) > 1:
            raise RuntimeValueError(f"einsum(): output subscript {k} appears more than once in the output")
        if not any(k in term for term in labels):
            raise RuntimeValueError(f"einsum(): output subscript {k} does not appear in the equation for any input operand")
    return summed_product(operands, labels, result)


class Rest(tuple[int]):
    """The label of a dimension that ``...`` stands for: its number, from the right."""

    def __new__(cls, position: int) -> Rest:
        return super().__new__(cls, (position,))

    def __lt__(self, other: Any) -> bool:
        return True


def parse_equation(equation: str) -> tuple[list[list[Any]], list[Any] | None]:
    """The labels of each operand of an einsum, and those of the result if the equation gives them. ``...`` is Ellipsis."""
    left, arrow, right = equation.replace(" ", "").partition("->")

    def term(text: str) -> list[Any]:
        found = [Ellipsis if c == "." else c for c in text.replace("...", ".")]
        for c in found:
            if c is not Ellipsis and not (c.isascii() and c.isalpha()) or "." in text.replace("...", ""):
                raise RuntimeValueError(f"einsum(): invalid subscript given in the equation {equation!r}: subscripts must be in "
                                        f"[a-zA-Z], got {text!r}")
        return found
    return [term(t) for t in left.split(",")], term(right) if arrow else None


def operand_labels(term: list[Any], ndim: int, k: int) -> list[Any]:
    """The labels of operand `k`, one for each dimension."""
    at = [i for i, label in enumerate(term) if label is Ellipsis]
    if len(at) > 1:
        raise RuntimeValueError(f"einsum(): found '...' for operand {k} for which an ellipsis was already found")
    left = ndim - (len(term) - len(at))
    if left < 0 or left and not at:
        raise ShapeError(f"einsum(): the number of subscripts in the equation ({len(term) - len(at)}) does not match the "
                         f"number of dimensions ({ndim}) for operand {k}{'' if at else ' and no ellipsis was given'}")
    return term if not at else [*term[:at[0]], *[Rest(d) for d in range(left, 0, -1)], *term[at[0] + 1:]]


def summed_product(operands: list[Any], labels: list[Any], result: list[Any]) -> Tensor:
    """The einsum of operands whose dimensions are all labelled, from left to right, two at a time."""
    for k, x in enumerate(operands):
        operands[k], labels[k] = without_repeats(x, labels[k], k)
    sizes: dict[Any, int] = {}
    for x, term in zip(operands, labels):
        for label, n in zip(term, x.shape):
            if sizes.setdefault(label, n) != n:
                if 1 not in (n, sizes[label]):
                    raise ShapeError(f"einsum(): operands do not broadcast: subscript {label} has sizes {sizes[label]} and "
                                     f"{n}, of shapes {[list(x.shape) for x in operands]}")
                sizes[label] = max(n, sizes[label]) if 0 not in (n, sizes[label]) else 0
    widened = False
    for k, x in enumerate(operands):
        elsewhere = {label for j, term in enumerate(labels) if j != k for label in term} | set(result)
        dims = [d for d, label in enumerate(labels[k]) if label not in elsewhere or x.shape[d] != sizes[label]]
        if dims:
            operands[k] = reduction.sum(x, dim=tuple(dims))
            labels[k] = [label for d, label in enumerate(labels[k]) if d not in dims]
            widened |= x.dtype.kind in "iub"
    if widened:  # the sum of integers is int64, and the other operands must be of that dtype too
        operands = [arithmetic.cast(x, dtype=int64) if x.dtype.kind in "iub" else x for x in operands]
    x, have = operands[0], labels[0]
    for k in range(1, len(operands)):
        later = {label for term in labels[k + 1:] for label in term} | set(result)
        wanted = [label for label in dict.fromkeys([*have, *labels[k]]) if label in later]
        if k == len(operands) - 1:
            wanted = result
        x = contract(x, operands[k], spec=(tuple(have), tuple(labels[k]), tuple(wanted)))
        have = wanted
    return x if have == result else shape.permute(x, dims=tuple([have.index(label) for label in result]))


def without_repeats(x: Any, term: list[Any], k: int) -> tuple[Any, list[Any]]:
    """Operand `k` with the diagonal in the place of two dimensions that have one label."""
    for label in dict.fromkeys(term):
        while term.count(label) > 1:
            i = term.index(label)
            j = term.index(label, i + 1)
            if x.shape[i] != x.shape[j]:
                raise ShapeError(f"einsum(): subscript {label} is repeated for operand {k} but the sizes don't match, "
                                 f"{x.shape[j]} != {x.shape[i]}")
            x = slicing.diagonal(x, offset=0, dim1=i, dim2=j)
            term = [t for d, t in enumerate(term) if d not in (i, j)] + [label]
    return x, term


# ---------------------------------------------------------------------------------------------------- chains, cross product

def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str | None = None) -> Tensor:
    """The p-norm distance of each row of `x1`, ``(*, P, M)``, from each row of `x2`, ``(*, R, M)``: ``(*, P, R)``.

    `compute_mode`, by which PyTorch chooses between ways to compute it, changes nothing.
    """
    if x1.ndim < 2 or x2.ndim < 2:
        raise ShapeError(f"cdist only supports at least 2D tensors, got shapes {list(x1.shape)} and {list(x2.shape)}")
    if x1.shape[-1] != x2.shape[-1]:
        raise ShapeError(f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}")
    if p < 0:
        raise RuntimeValueError(f"cdist only supports non-negative p values, got {p}")
    if compute_mode not in (None, "use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist",
                            "donot_use_mm_for_euclid_dist"):
        raise InvalidValueError(f"{compute_mode} is not a valid value for compute_mode")
    return reduction.vector_norm(x1[..., :, None, :] - x2[..., None, :, :], p, -1)


def powers(x: Any, count: int) -> Tensor:
    """The powers 0 to ``count - 1`` of each element, along a new last dimension."""
    wide = shape.expand(x[..., None], size=(*x.shape, max(count - 1, 0)))
    ones = shape.expand(x[..., None] * 0 + 1, size=(*x.shape, min(count, 1)))
    return slicing.cat([ones, reduction.cumprod(wide, dim=-1)], dim=-1)


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The powers of the elements of a vector as rows of a matrix of `N` columns, from high to low unless `increasing`."""
    if x.ndim != 1:
        raise ShapeError(f"vander: Expected input to be 1D, got shape {list(x.shape)}")
    if N is not None and N < 0:
        raise RuntimeValueError(f"vander: N must be non-negative, got {N}")
    rows = powers(x, x.shape[0] if N is None else N)
    return rows if increasing else shape.flip(rows, dims=(-1,))


def chain_matmul(*matrices: Tensor, out: Tensor | None = None) -> Tensor:
    """Product of several matrices, in the order that needs the fewest multiplications; see :func:`multi_dot`."""
    return multi_dot(matrices, out=out)


def multi_dot(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """Product of several matrices, in the order that needs the fewest multiplications; the first and last may be vectors.

    Raises ``RuntimeError`` where neighbours do not fit. Source of the order: the matrix-chain dynamic programme, Cormen,
    Leiserson, Rivest, Stein, Introduction to Algorithms, section 15.2.
    """
    matrices = list(tensors)
    if len(matrices) < 2:
        raise RuntimeValueError(f"multi_dot(): expected at least 2 tensors but got {len(matrices)}")
    row, column = matrices[0].ndim == 1, matrices[-1].ndim == 1
    matrices[0] = matrices[0][None] if row else matrices[0]
    matrices[-1] = matrices[-1][:, None] if column else matrices[-1]
    for k, m in enumerate(matrices):
        if m.ndim != 2:
            raise ShapeError(f"multi_dot(): tensor {k} must be 2D{' or 1D' if k in (0, len(matrices) - 1) else ''} but got "
                             f"{m.ndim}D")
    n = len(matrices)
    sizes = [m.shape[0] for m in matrices] + [matrices[-1].shape[1]]
    cost: dict[tuple[int, int], tuple[int, int]] = {(i, i): (0, i) for i in range(n)}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i, j] = min((cost[i, k][0] + cost[k + 1, j][0] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j))

    def product(i: int, j: int) -> Any:
        k = cost[i, j][1]
        return matrices[i] if i == j else mm(product(i, k), product(k + 1, j))

    whole = product(0, n - 1)
    whole = whole[0] if row else whole
    whole = whole[..., 0] if column else whole
    return whole if out is None else arithmetic.mul(whole, 1, out=out)


@op(dtypes="promote", layout="contiguous", grad_name="LinalgCrossBackward0", called="linalg.cross", opmath=True)
def vector_cross(input: Any, other: Any, *, dim: Any = -1) -> Any:
    """Cross product of vectors of three components, which lie along dimension `dim`."""
    if input.ndim != other.ndim:
        raise ShapeError(f"inputs must have the same number of dimensions, got {input.ndim} and {other.ndim}")
    if input.shape[dim] != 3 or other.shape[dim] != 3:
        raise ShapeError(f"inputs dimension {dim} must have length 3. Got {input.shape[dim]} and {other.shape[dim]}")
    first, second = np.broadcast_arrays(input, other)
    return np.cross(first, second, axis=dim)
@vector_cross.derivative("input")
def vector_cross_wrt_input(g: Any, other: Any, input_shape: Any, dim: Any) -> Any:
    return unbroadcast(vector_cross(other, g, dim=dim), input_shape)
@vector_cross.derivative("other")
def vector_cross_wrt_other(g: Any, input: Any, other_shape: Any, dim: Any) -> Any:
    return unbroadcast(vector_cross(g, input, dim=dim), other_shape)


def cross(input: Tensor, other: Tensor, dim: int | None = None, *, out: Tensor | None = None) -> Tensor:
    """Cross product of vectors of three components; they lie along `dim`, by default the first dimension of size 3."""
    if dim is None:
        warn_user("Using cross without specifying the dim arg is deprecated: it takes the first dimension of size 3, which may "
                  "not be the one you mean; give dim=")
        dim = next((d for d, n in enumerate(input.shape) if n == 3), None)
        if dim is None:
            raise ShapeError(f"cross(): no dimension of size 3 in input of shape {list(input.shape)}")
    return vector_cross(input, other, dim=dim, out=out)
