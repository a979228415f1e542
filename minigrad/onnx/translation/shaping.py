"""Shapes, parts, and tensors put together."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.onnx.building import Builder, Operand
from minigrad.onnx.translation.table import enter_nodes, translates
from minigrad.onnx.varying import Varying, product

END = np.iinfo(np.int64).max  # where a slice ends that goes to the end

enter_nodes(conjugate="Identity", real_part="Identity")


@translates("clone", "copy_in_order", "to_device")
def copied(b: Builder, x: Operand, **settings: Any) -> str:
    """A copy in another place or order is the same tensor."""
    return b("Identity", x)


@translates("reshape", "view_shape", "reshape_copy", "squeeze", "unsqueeze")
def reshape(b: Builder, x: Operand, **settings: Any) -> str:
    return reshaped(b, x, b.out.shape)


def reshaped(b: Builder, x: Any, shape: Any) -> str:
    """`x` in another shape. A size that varies is taken from `x` where it stands at the same place, and left open where it is the
    only one."""
    before, empty = x.shape if isinstance(x, Operand) else (), 0 in shape
    kept = [k < len(before) and isinstance(n, Varying) and n == before[k] for k, n in enumerate(shape)]
    open_ones = [k for k, n in enumerate(shape) if isinstance(n, Varying) and not kept[k]]
    if len(open_ones) == 1 and not empty:
        shape = [0 if keep else -1 if k in open_ones else n for k, (n, keep) in enumerate(zip(shape, kept))]
    elif not open_ones and not empty:
        shape = [0 if keep else n for n, keep in zip(shape, kept)]
    return b("Reshape", x, b.ints(shape), allowzero=1 if empty else None)


@translates("expand")
def expand(b: Builder, x: Operand, **settings: Any) -> str:
    return b("Expand", x, b.ints(b.out.shape)) if b.out.shape != x.shape else b("Identity", x)


@translates("constant_full")
def constant_full(b: Builder, x: Operand, *, size: Any, value: Any = 0) -> str:
    return b("Expand", b.number(value, b.out.dtype), b.ints(b.out.shape))


@translates("sum_to_size")
def sum_to_size(b: Builder, x: Operand, *, size: Any) -> str:
    shape = b.out.shape
    lead = x.ndim - len(shape)
    axes = [d for d in range(x.ndim) if d < lead or shape[d - lead] == 1 != x.shape[d]]
    return reshaped(b, b("ReduceSum", x, b.ints(axes), keepdims=1), shape) if axes else b("Identity", x)


@translates("repeat")
def repeat(b: Builder, x: Any, *, repeats: Any) -> str:
    lead = len(repeats) - x.ndim
    wide = b("Unsqueeze", x, b.ints(range(lead))) if lead else x
    return b("Tile", wide, b.ints(repeats))


@translates("permute")
def permute(b: Builder, x: Operand, *, dims: Any) -> str:
    return b("Transpose", x, perm=[d % x.ndim for d in dims]) if x.ndim else b("Identity", x)


@translates("transpose")
def transpose(b: Builder, x: Operand, *, dim0: int, dim1: int) -> str:
    if not x.ndim:
        return b("Identity", x)
    order = list(range(x.ndim))
    order[dim0], order[dim1] = order[dim1], order[dim0]
    return b("Transpose", x, perm=order)


@translates("flip")
def flip(b: Builder, x: Operand, *, dims: Any) -> str:
    axes = [d % x.ndim for d in ((dims,) if isinstance(dims, int) else dims)] if x.ndim else []
    if not axes:
        return b("Identity", x)
    ones = [-1] * len(axes)
    return b("Slice", x, b.ints(ones), b.ints([-END] * len(axes)), b.ints(axes), b.ints(ones))


@translates("roll")
def roll(b: Builder, x: Any, *, shifts: Any, dims: Any = ()) -> str:
    shape = x.shape
    shifts = shifts if isinstance(shifts, tuple) else (shifts,)
    dims = dims if isinstance(dims, tuple) else (dims,)
    if not dims:
        return reshaped(b, rolled(b, b("Reshape", x, b.ints([-1])), shifts[0], 0, product(shape)), shape)
    for shift, dim in zip(shifts, dims):
        x = rolled(b, x, shift, dim % len(shape), shape[dim])
    return str(x)


def rolled(b: Builder, x: Any, shift: Any, axis: int, size: Any) -> str:
    """The last `shift` elements along an axis of `size`, then those before them."""
    if not isinstance(shift, Varying) and not isinstance(size, Varying):
        shift = shift % max(size, 1)
    if not isinstance(shift, Varying) and shift == 0:
        return b("Identity", x)
    return b("Concat", cut(b, x, axis, -shift, END), cut(b, x, axis, 0, -shift), axis=axis)


def cut(b: Builder, x: Any, axis: int, start: Any, end: Any, step: int = 1) -> str:
    """A slice along one axis."""
    return b("Slice", x, b.ints([start]), b.ints([end]), b.ints([axis]), b.ints([step]) if step != 1 else None)


@translates("slices")
def slices(b: Builder, x: Any, *, index: Any) -> str:
    ndim = x.ndim
    used = sum([i is not None and i is not Ellipsis for i in index])
    at = next((k for k, i in enumerate(index) if i is Ellipsis), len(index))
    parts = [*index[:at], *[slice(None)] * (ndim - used), *index[at + 1:]]
    starts: list[Any] = []
    ends: list[Any] = []
    axes, steps, gone, new = [], [], [], []
    dim = place = 0
    for part in parts:
        if part is None:
            new.append(place)
        elif isinstance(part, slice):
            if part != slice(None):
                starts.append(0 if part.start is None else part.start)
                ends.append(END if part.stop is None else part.stop)
                axes.append(dim)
                steps.append(1 if part.step is None else part.step)
            dim += 1
        else:
            starts.append(part)
            ends.append(part + 1 if isinstance(part, Varying) or part != -1 else END)
            axes.append(dim)
            steps.append(1)
            gone.append(dim)
            dim += 1
            continue
        place += 1
    if axes:
        x = b("Slice", x, b.ints(starts), b.ints(ends), b.ints(axes), b.ints(steps) if set(steps) != {1} else None)
    if gone:
        x = b("Squeeze", x, b.ints(gone))
    if new:
        x = b("Unsqueeze", x, b.ints(new))
    return x if isinstance(x, str) else b("Identity", x)


@translates("select")
def select(b: Builder, x: Operand, *, dim: int, index: Any) -> str:
    return b("Gather", x, b.number(index, np.int64), axis=dim % x.ndim)


@translates("narrow_to")
def narrow_to(b: Builder, x: Operand, *, dim: int, start: Any, length: Any) -> str:
    return cut(b, x, dim % x.ndim, start, start + length)


@translates("split_with_sizes")
def split_with_sizes(b: Builder, x: Operand, *, split_sizes: Any, dim: int = 0) -> Any:
    if len(split_sizes) == 1:
        return (b("Identity", x),)
    return b.node("Split", (x, b.ints(split_sizes)), len(split_sizes), axis=dim % x.ndim)


@translates("unbind")
def unbind(b: Builder, x: Operand, *, dim: int = 0) -> Any:
    return tuple([b("Gather", x, b.number(k, np.int64), axis=dim % x.ndim) for k in range(len(b.outs))])


@translates("cat")
def cat(b: Builder, *tensors: Operand, dim: int = 0) -> str:
    shape = b.out.shape
    given = [x for x in tensors if not (x.shape == (0,) and len(shape) > 1)] or list(tensors)  # as PyTorch leaves such out
    return b("Concat", *[b.cast(x, b.out.dtype) for x in given], axis=dim % len(shape))


@translates("stack")
def stack(b: Builder, *tensors: Operand, dim: int = 0) -> str:
    axis = dim % len(b.out.shape)
    return b("Concat", *[b("Unsqueeze", b.cast(x, b.out.dtype), b.ints([axis])) for x in tensors], axis=axis)


@translates("tril", "triu")
def trilu(b: Builder, x: Operand, *, diagonal: Any = 0) -> str:
    assert b.call is not None
    wide = b.cast(x, np.int64) if x.dtype == np.bool_ or x.dtype.kind in "iu" else x
    found = b("Trilu", wide, b.number(diagonal, np.int64), upper=int(b.call.op == "triu"))
    return found if wide is x else str(b.cast(found, x.dtype))


@translates("constant_pad_nd")
def constant_pad_nd(b: Builder, x: Operand, *, pad: Any, value: Any = 0) -> str:
    if not pad:
        return b("Identity", x)
    before, after = [0] * x.ndim, [0] * x.ndim
    for k in range(len(pad) // 2):
        before[x.ndim - 1 - k], after[x.ndim - 1 - k] = pad[2 * k], pad[2 * k + 1]
    return b("Pad", x, b.ints([*before, *after]), b.number(value, x.dtype))


@translates("diagonal")
def diagonal(b: Builder, x: Operand, *, offset: int = 0, dim1: int = 0, dim2: int = 1) -> str:
    """The elements are taken from the two dimensions as one, in steps of a row and one more."""
    first, second = dim1 % x.ndim, dim2 % x.ndim
    rest = [d for d in range(x.ndim) if d not in (first, second)]
    columns = x.shape[second]
    moved = b("Transpose", x, perm=[*rest, first, second])
    flat = b("Reshape", moved, b.ints([*[x.shape[d] for d in rest], x.shape[first] * columns]), allowzero=1)
    start = offset if offset >= 0 else -offset * columns
    count = b.out.shape[-1]
    steps = b("Range", b.number(0, np.int64), b.number(count, np.int64), b.number(1, np.int64))
    places = b("Add", b("Mul", steps, b.number(columns + 1, np.int64)), b.number(start, np.int64))
    return b("Gather", flat, places, axis=len(rest))


@translates("copy")
def copy(b: Builder, x: Operand, src: Operand) -> str:
    source = b.cast(src, b.out.dtype)
    return b("Expand", source, b.ints(b.out.shape)) if src.shape != b.out.shape else b("Identity", source)


@translates("fill_with")
def fill_with(b: Builder, x: Operand, value: Operand) -> str:
    return b("Expand", b.cast(value, b.out.dtype), b.ints(b.out.shape))


@translates("replace_view")
def replace_view(b: Builder, base: Operand, written: Operand, places: Operand) -> str:
    """`base` with the elements of `written` at `places`, which count its elements in row-major order."""
    flat = b("Reshape", base, b.ints([-1]))
    updated = b("ScatterElements", flat, b("Reshape", places, b.ints([-1])), b("Reshape", written, b.ints([-1])), axis=0)
    return reshaped(b, updated, base.shape)


@translates("unfold")
def unfold(b: Builder, x: Operand, *, dimension: int, size: int, step: int) -> str:
    if not x.ndim:
        row = b("Reshape", x, b.ints([1]))
        return row if size else cut(b, row, 0, 0, 0)
    axis = dimension % x.ndim
    count = b.out.shape[axis]
    starts = b("Range", b.number(0, np.int64), b.number(count * step, np.int64), b.number(step, np.int64))
    places = b("Add", b("Unsqueeze", starts, b.ints([1])), b.constant(np.arange(size)[None]))
    taken = b("Gather", x, places, axis=axis)  # (..., count, size, ...)
    order = [*range(axis + 1), *range(axis + 2, x.ndim + 1), axis + 1]
    return b("Transpose", taken, perm=order)
