"""Reading and writing elements by index."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from minigrad.errors import UnsupportedOperatorError
from minigrad.onnx.building import Builder, Operand
from minigrad.onnx.translation.pointwise import require_opset, scaled
from minigrad.onnx.translation.shaping import cut, slices
from minigrad.onnx.translation.table import translates
from minigrad.onnx.varying import VaryingArray, product


@translates("lookup")
def lookup(b: Builder, x: Operand, *, indices: Any) -> str:
    return take(b, x, x.ndim, indices)


def take(b: Builder, x: Any, ndim: int, indices: Any) -> str:
    """The elements of `x`, of `ndim` dimensions, at index tensors, one for a dimension or None, or where a mask is true."""
    named = [d for d, i in enumerate(indices) if i is not None]
    last = indices[-1].arrays[0] if isinstance(indices[-1], VaryingArray) else indices[-1]
    if last.dtype.kind == "b":
        named = [*range(named[0], named[0] + last.ndim)]
        places, new = b("Transpose", b("NonZero", b.array(indices[-1])), perm=[1, 0]), 1
    elif len(named) == 1:
        return b("Gather", x, b.array(indices[-1]), axis=named[0])
    else:
        places, new = together(b, [indices[d] for d in named])
    first = named[0] if named[-1] - named[0] < len(named) else 0  # dimensions that are not side by side come first
    rest = [d for d in range(ndim) if d not in named]
    moved = x if named == list(range(len(named))) else b("Transpose", x, perm=[*named, *rest])
    found = b("GatherND", moved, places)
    if not first:
        return found
    return b("Transpose", found, perm=[*range(new, new + first), *range(new), *range(new + first, new + len(rest))])


def together(b: Builder, indices: Any) -> tuple[str, int]:
    """Index tensors, broadcast, as one tensor with the places in its last dimension, and their number of dimensions."""
    ndim = max([(i.arrays[0] if isinstance(i, VaryingArray) else i).ndim for i in indices])
    arrays = [b.array(i) for i in indices]
    zeros = functools.reduce(lambda x, y: b("Add", x, y), [b("Mul", a, b.number(0, np.int64)) for a in arrays])
    return b("Concat", *[b("Unsqueeze", b("Add", zeros, a), b.ints([-1])) for a in arrays], axis=-1), ndim


@translates("select_mask")
def select_mask(b: Builder, x: Operand, mask: Operand) -> str:
    shape = b("Shape", mask)
    wide = x if x.shape == mask.shape else b("Expand", x, shape)
    where = mask if x.shape == mask.shape else b("Expand", mask, b("Shape", wide))
    return b("Compress", b("Reshape", wide, b.ints([-1])), b("Reshape", where, b.ints([-1])), axis=0)


@translates("where_nonzero")
def where_nonzero(b: Builder, x: Operand) -> Any:
    found = b("NonZero", x if x.ndim else at_least_1d(b, x))
    return tuple([b("Gather", found, b.number(k, np.int64), axis=0) for k in range(len(b.outs))])


@translates("nonzero_indices")
def nonzero_indices(b: Builder, x: Operand) -> str:
    found = b("Transpose", b("NonZero", x if x.ndim else at_least_1d(b, x)), perm=[1, 0])
    return found if x.ndim else cut(b, found, 1, 0, 0)  # one row for an element, with no index


def at_least_1d(b: Builder, x: Operand) -> str:
    """A tensor without dimensions as a vector of one element."""
    return b("Reshape", x, b.ints([1]))


@translates("select_rows")
def select_rows(b: Builder, x: Operand, index: Operand, *, dim: int) -> str:
    return b("Gather", x, index if index.ndim else at_least_1d(b, index), axis=dim % x.ndim) if x.ndim else b("Identity", x)


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
    if not x.ndim:
        found = b("Add", x, src) if add else src
        return b("Reshape", found, b.ints([]))
    source: Any = src
    for d in range(x.ndim):
        if src.shape[d] != index.shape[d]:
            source = cut(b, source, d, 0, index.shape[d])
    return b("ScatterElements", x, index, source, axis=dim % x.ndim, reduction="add" if add else None)


@translates("scatter_value")
def scatter_value(b: Builder, x: Operand, index: Operand, value: Operand, *, dim: int) -> str:
    if not x.ndim:
        return b("Reshape", value, b.ints([]))
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
        integers = sum([not (i is None or i is Ellipsis or isinstance(i, slice)) for i in index])
        places = take(b, places, x.ndim - integers + sum([i is None for i in index]), indices)
    wide = b("Expand", b.cast(value, x.dtype), b("Shape", places))
    updated = b("ScatterElements", flat, b("Reshape", places, b.ints([-1])), b("Reshape", wide, b.ints([-1])), axis=0)
    return b("Reshape", updated, b("Shape", x))


@translates("rows_of")
def rows_of(b: Builder, weight: Operand, index: Operand, **settings: Any) -> str:
    return b("Gather", weight, index, axis=0)


@translates("unit_rows")
def unit_rows(b: Builder, index: Operand, *, num_classes: int) -> str:
    found = b("Equal", b("Unsqueeze", index, b.ints([-1])), b.constant(np.arange(num_classes, dtype=index.dtype)))
    return str(b.cast(found, b.out.dtype))


@translates("take_from_planes")
def take_from_planes(b: Builder, x: Operand, indices: Operand) -> str:
    planes = b("Reshape", x, b.ints([*x.shape[:2], -1]))
    flat = b("Reshape", indices, b.ints([*indices.shape[:2], -1]))
    return b("Reshape", b("GatherElements", planes, flat, axis=2), b("Shape", indices))


@translates("add_rows", "copy_rows")
def write_rows(b: Builder, x: Operand, index: Operand, source: Operand, *, dim: int, alpha: Any = 1) -> str:
    assert b.call is not None
    add = b.call.op == "add_rows"
    values = scaled(b, source, alpha)
    if not x.ndim:
        return b("Reshape", b("Add", x, values) if add else values, b.ints([]))
    axis = dim % x.ndim
    if source.ndim != x.ndim:
        values = b("Reshape", values, b("Shape", b("Gather", x, at_least_1d(b, index), axis=axis)))
    return b("ScatterElements", x, along(b, index, axis, x.ndim, values), values, axis=axis, reduction="add" if add else None)


@translates("fill_rows")
def fill_rows(b: Builder, x: Operand, index: Operand, value: Operand, *, dim: int) -> str:
    if not x.ndim:
        return b("Reshape", value, b.ints([]))
    axis = dim % x.ndim
    values = b("Expand", value, b("Shape", b("Gather", x, index if index.ndim else at_least_1d(b, index), axis=axis)))
    return b("ScatterElements", x, along(b, index, axis, x.ndim, values), values, axis=axis)


def along(b: Builder, index: Operand, axis: int, ndim: int, values: Any) -> str:
    """A vector of places along an axis, for each of `values`."""
    return b("Expand", b("Reshape", index, b.ints([-1 if d == axis else 1 for d in range(ndim)])), b("Shape", values))


@translates("reduce_at")
def reduce_at(b: Builder, x: Operand, index: Operand, src: Operand, *, dim: int, reduce: str, include_self: bool = True) -> str:
    reduction = {"sum": "add", "add": "add", "prod": "mul", "multiply": "mul", "amax": "max", "amin": "min"}.get(reduce)
    if reduction is None or not include_self or not x.ndim:
        raise UnsupportedOperatorError(f"onnx.export: {b.where()}: reduce={reduce!r} with include_self={include_self} has no "
                                       "translation into ONNX")
    require_opset(b, 18 if reduction in ("max", "min") else 16, f"scattered values, reduced by {reduce!r},")
    source: Any = src
    for d in range(x.ndim):
        if src.shape[d] != index.shape[d]:
            source = cut(b, source, d, 0, index.shape[d])
    return b("ScatterElements", x, index, source, axis=dim % x.ndim, reduction=reduction)


@translates("is_member")
def is_member(b: Builder, x: Operand, test: Operand, *, assume_unique: bool = False, invert: bool = False) -> str:
    same = b("Equal", b("Unsqueeze", x, b.ints([-1])), b("Reshape", test, b.ints([-1])))
    axes = [x.ndim]
    numbers = b.cast(same, np.int32)
    found = b("ReduceMax", numbers, b.ints(axes), keepdims=0) if b.opset >= 18 else b("ReduceMax", numbers, axes=axes, keepdims=0)
    return b("Not", b.cast(found, np.bool_)) if invert else str(b.cast(found, np.bool_))


@translates("put_in_planes", "max_unpool")
def put_in_planes(b: Builder, x: Operand, indices: Operand, *, size: Any) -> str:
    """Elements at their places in planes of zeros, added up where the operation does so."""
    assert b.call is not None
    flat = [b("Reshape", t, b.ints([*x.shape[:2], -1])) for t in (indices, x)]
    zeros = b("Expand", b.number(0, x.dtype), b.ints([*x.shape[:2], product(size)]))
    written = b("ScatterElements", zeros, *flat, axis=2, reduction="add" if b.call.op == "put_in_planes" else None)
    return b("Reshape", written, b.ints(b.out.shape))
