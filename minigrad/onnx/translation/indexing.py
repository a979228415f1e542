"""Reading and writing elements by index."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from minigrad.onnx.building import Builder, Operand
from minigrad.onnx.errors import UnsupportedOperatorError
from minigrad.onnx.translation.shaping import cut, slices
from minigrad.onnx.translation.table import translates
from minigrad.onnx.varying import VaryingArray, product


@translates("lookup")
def lookup(b: Builder, x: Operand, *, indices: Any) -> str:
    named = [d for d, i in enumerate(indices) if i is not None]
    last = indices[-1]
    if (last.arrays[0] if isinstance(last, VaryingArray) else last).dtype.kind == "b":
        return masked(b, x, b.array(last), named[0])
    if len(named) == 1:
        return b("Gather", x, b.array(last), axis=named[0])
    side_by_side = named[-1] - named[0] < len(named)
    first = named[0] if side_by_side else 0
    rest = [d for d in range(x.ndim) if d not in named]
    moved = b("Transpose", x, perm=[*named, *rest])
    found = b("GatherND", moved, together(b, [indices[d] for d in named]))
    places = b.out.ndim - len(rest)
    if not first or not side_by_side:
        return found
    before = list(range(places, places + first))
    return b("Transpose", found, perm=[*before, *range(places), *range(places + first, b.out.ndim)])


def together(b: Builder, indices: Any) -> str:
    """Index tensors, broadcast, as one tensor with the places in its last dimension."""
    arrays = [b.array(i) for i in indices]
    zeros = functools.reduce(lambda x, y: b("Add", x, y), [b("Mul", a, b.number(0, np.int64)) for a in arrays])
    return b("Concat", *[b("Unsqueeze", b("Add", zeros, a), b.ints([-1])) for a in arrays], axis=-1)


def masked(b: Builder, x: Operand, mask: str, first: int) -> str:
    """The elements of `x` where `mask`, which covers dimensions from `first` on, is true."""
    if not first:
        return b("GatherND", x, b("Transpose", b("NonZero", mask), perm=[1, 0]))
    if b.out.ndim == x.ndim:  # of one dimension
        return b("Compress", x, mask, axis=first)
    return not_understood(b, "a mask of several dimensions that is not the first index")


def not_understood(b: Builder, what: str) -> Any:
    """Raise for a use of an operation that has no form in ONNX here."""
    raise UnsupportedOperatorError(f"onnx.export: {b.where()}: {what} has no translation into ONNX")


@translates("select_mask")
def select_mask(b: Builder, x: Operand, mask: Operand) -> str:
    shape = b("Shape", mask)
    wide = x if x.shape == mask.shape else b("Expand", x, shape)
    where = mask if x.shape == mask.shape else b("Expand", mask, b("Shape", wide))
    return b("Compress", b("Reshape", wide, b.ints([-1])), b("Reshape", where, b.ints([-1])), axis=0)


@translates("where_nonzero")
def where_nonzero(b: Builder, x: Operand) -> Any:
    found = b("NonZero", x)
    return tuple([b("Gather", found, b.number(k, np.int64), axis=0) for k in range(len(b.outs))])


@translates("nonzero_indices")
def nonzero_indices(b: Builder, x: Operand) -> str:
    return b("Transpose", b("NonZero", x), perm=[1, 0])


@translates("select_rows")
def select_rows(b: Builder, x: Operand, index: Operand, *, dim: int) -> str:
    return b("Gather", x, index, axis=dim % x.ndim) if x.ndim else b("Identity", x)


@translates("gather_at")
def gather_at(b: Builder, x: Operand, index: Operand, *, dim: int) -> str:
    if not x.ndim:
        return b("Identity", x)
    axis = dim % x.ndim
    return b("GatherElements", first_parts(b, x, index, axis), index, axis=axis)


def first_parts(b: Builder, x: Any, index: Operand, axis: int) -> Any:
    """`x` as large as `index` in every dimension but `axis`, as ONNX wants it."""
    for d in range(x.ndim):
        if d != axis and x.shape[d] != index.shape[d]:
            shape = (*x.shape[:d], index.shape[d], *x.shape[d + 1:])
            x = Operand(cut(b, x, d, 0, index.shape[d]), shape, x.dtype)
    return x


@translates("scatter_at")
def scatter_at(b: Builder, x: Operand, index: Operand, src: Operand, *, dim: int, add: bool = False) -> str:
    source: Any = src
    for d in range(x.ndim):
        if src.shape[d] != index.shape[d]:
            source = cut(b, source, d, 0, index.shape[d])
    return b("ScatterElements", x, index, source, axis=dim % x.ndim, reduction="add" if add else None)


@translates("scatter_value")
def scatter_value(b: Builder, x: Operand, index: Operand, value: Operand, *, dim: int) -> str:
    return b("ScatterElements", x, index, b("Expand", value, b("Shape", index)), axis=dim % x.ndim)


@translates("fill_mask")
def fill_mask(b: Builder, x: Operand, mask: Operand, value: Operand) -> str:
    return b("Where", b.cast(mask, np.bool_), b.cast(value, x.dtype), x)


@translates("overwrite")
def overwrite(b: Builder, x: Operand, value: Operand, *, index: Any, indices: Any) -> str:
    """The places of all elements are counted, and those that the index leads to are written."""
    sizes = x.shape
    flat = b("Reshape", x, b.ints([-1]))
    numbers = b("Range", b.number(0, np.int64), b.number(product(sizes), np.int64), b.number(1, np.int64))
    places: Any = slices(b, Operand(b("Reshape", numbers, b.ints(sizes), allowzero=1), sizes, np.dtype(np.int64)), index=index)
    if indices is not None:
        named = [d for d, i in enumerate(indices) if i is not None]
        last = indices[-1]
        if len(named) > 1 and named != list(range(len(named))):
            return str(not_understood(b, "writing by several index tensors that are not the first indices"))
        if (last.arrays[0] if isinstance(last, VaryingArray) else last).dtype.kind == "b":
            if named[0]:
                return str(not_understood(b, "writing by a mask that is not the first index"))
            places = b("GatherND", places, b("Transpose", b("NonZero", b.array(last)), perm=[1, 0]))
        elif len(named) == 1:
            places = b("Gather", places, b.array(last), axis=named[0])
        else:
            places = b("GatherND", places, together(b, [indices[d] for d in named]))
    wide = b("Expand", b.cast(value, x.dtype), b("Shape", places))
    updated = b("ScatterElements", flat, b("Reshape", places, b.ints([-1])), b("Reshape", wide, b.ints([-1])), axis=0)
    return b("Reshape", updated, b("Shape", x))


@translates("rows_of")
def rows_of(b: Builder, weight: Operand, index: Operand, **settings: Any) -> str:
    return b("Gather", weight, index, axis=0)


@translates("unit_rows")
def unit_rows(b: Builder, index: Operand, *, num_classes: int) -> str:
    values = b.constant(np.array([0, 1], b.out.dtype))
    return b("OneHot", index, b.constant(np.array(num_classes, np.int64)), values, axis=-1)


@translates("take_from_planes")
def take_from_planes(b: Builder, x: Operand, indices: Operand) -> str:
    planes = b("Reshape", x, b.ints([*x.shape[:2], -1]))
    flat = b("Reshape", indices, b.ints([*indices.shape[:2], -1]))
    return b("Reshape", b("GatherElements", planes, flat, axis=2), b("Shape", indices))
