"""Distances, similarities and the bilinear layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minigrad._types import dtypes
from minigrad.errors import RuntimeValueError, ShapeError
from minigrad.ops.indexing import indexing
from minigrad.ops.indexing import take as takes
from minigrad.ops.linear_algebra import products
from minigrad.ops.pointwise import arithmetic, comparison
from minigrad.ops.reducing import reduction as reductions
from minigrad.ops.shaping import shape as shapes

if TYPE_CHECKING:
    from minigrad._tensor import Tensor

__all__ = ["bilinear", "cosine_similarity", "pairwise_distance", "pdist"]


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input1 @ weight[o] @ input2 + bias[o]`` for each output `o`.

    Shapes: ``(*, n1)``, ``(*, n2)``, weight ``(out, n1, n2)``, bias ``(out,)``, result ``(*, out)``.
    """
    if input1.shape[:-1] != input2.shape[:-1]:
        raise ShapeError(f"bilinear(): input batch dimensions do not match: input1 has shape {list(input1.shape)}, input2 "
                         f"{list(input2.shape)}")
    if (input1.shape[-1], input2.shape[-1]) != tuple(weight.shape[1:]):
        raise ShapeError(f"bilinear(): input sizes {input1.shape[-1]} and {input2.shape[-1]} do not match weight of shape "
                         f"{list(weight.shape)}, which takes {weight.shape[1]} and {weight.shape[2]}")
    result = products.einsum("...i,oij,...j->...o", input1, weight, input2)
    return result if bias is None else result + bias


def raise_to_floor(x: Any, floor: float) -> Any:
    """`x`, at least `floor`, with the gradient of `x` everywhere."""
    return x + (comparison.clamp(x, floor) - x).detach()


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between `x1` and `x2` along `dim`, which are broadcast; norms count as at least `eps`."""
    x1, x2 = shapes.broadcast_tensors(*as_floats(x1, x2))
    unit1 = x1 / raise_to_floor(reductions.vector_norm(x1, 2, dim, True), eps)
    unit2 = x2 / raise_to_floor(reductions.vector_norm(x2, 2, dim, True), eps)
    return reductions.sum(unit1 * unit2, dim=dim)


def as_floats(*tensors: Any) -> list[Any]:
    """The tensors in their common dtype, integers in the default floating one."""
    wanted = dtypes.result_dtype([t.array for t in tensors])
    wanted = wanted if wanted.kind in "fc" else dtypes.get_default_dtype()
    return [t if t.dtype is wanted else arithmetic.cast(t, dtype=wanted) for t in tensors]


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of ``x1 - x2 + eps`` along the last dimension."""
    return reductions.vector_norm(x1 - x2 + eps, p, -1, keepdim)


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The p-norm distance of every pair of rows of a matrix ``(N, M)``: ``(N * (N - 1) / 2,)``, in the order of the rows."""
    if input.ndim != 2:
        raise ShapeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    if p < 0:
        raise RuntimeValueError(f"pdist only supports non-negative p values, got {p}")
    pairs = takes.combinations(shapes.constant_full(input, size=(input.shape[0],), value=1).cumsum(0).long() - 1, 2)
    difference = indexing.index_select(input, 0, pairs[:, 0]) - indexing.index_select(input, 0, pairs[:, 1])
    return reductions.vector_norm(difference, p, -1)
