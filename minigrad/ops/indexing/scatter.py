"""One place for each element, and places by a mask: gather and scatter, masked reading and writing, next to their adjoints."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays
from minigrad._arrays import choice
from minigrad._types.tensor_base import unwrap
from minigrad.errors import DtypeError, RuntimeValueError, ShapeError
from minigrad.ops.indexing.indexing import Parts, convert_operand, in_bounds, lookup, prepare_rows
from minigrad.ops.pointwise.arithmetic import require_real
from minigrad.ops.shaping.shape import broadcast_shapes, constant_full, expand, reshape, sum_to_size, wrap_dim
from minigrad.ops.shaping.slicing import constant_pad_nd, slices
from minigrad.recording import call
from minigrad.recording.argument_errors import dtype_name, require_one_device
from minigrad.recording.device_guard import on_device_of_inputs
from minigrad.recording.op import op

if TYPE_CHECKING:
    from minigrad._types.annotations import Number, Tensor

__all__ = ["gather", "index_reduce", "masked_fill", "masked_scatter", "masked_select", "scatter", "scatter_add",
           "scatter_reduce"]


# ---------------------------------------------------------------------------------------------------- one place per element

def grid(input: Any, index: Any, dim: Any) -> Parts:
    """The positions that `index` names for gather and scatter: its own position in every dimension but `dim`."""
    if index.dtype.kind not in "iu":
        raise DtypeError(f"Expected dtype int32/int64 for index, got {dtype_name(index.dtype)}")
    if max(input.ndim, 1) != max(index.ndim, 1):
        raise ShapeError(f"Index tensor must have the same number of dimensions as input tensor, got index {list(index.shape)} "
                         f"for input {list(input.shape)}")
    d = wrap_dim(dim, input.ndim)
    shape, wanted = (input.shape or (1,)), (index.shape or (1,))
    for k, (have, n) in enumerate(zip(shape, wanted)):
        if n > have and k != d and index.size:
            raise ShapeError(f"Size does not match at dimension {k}: expected index {list(index.shape)} to be no larger than "
                             f"self {list(input.shape)} apart from dimension {d}")
    index = in_bounds(index.reshape(wanted), shape[d], d, negative=False)
    ones = (1,) * len(wanted)
    return tuple([index if k == d else np.arange(n, like=index).reshape((*ones[:k], n, *ones[k + 1:])) if len(wanted) else index
                  for k, n in enumerate(wanted)])


def numbers_of(places: Parts, shape: Any) -> Any:
    """The number of each place in a tensor of `shape`, counted in the order of its dimensions."""
    number: Any = 0
    for place, n in zip(places, shape):
        number = number * n + place
    return number


def at_least_vector(x: Any) -> Any:
    return x if x.ndim else x.reshape(1)


def corner(src: Any, index: Any) -> Any:
    """The part of `src` that `index` uses: its leading elements in every dimension."""
    if src.shape == index.shape:
        return at_least_vector(src)
    src, shape = at_least_vector(src), index.shape or (1,)
    if index.size and (src.ndim != len(shape) or any(n > have for n, have in zip(shape, src.shape))):
        raise ShapeError(f"Expected index {list(index.shape)} to be no larger than src {list(src.shape)} in every dimension")
    return src[tuple([slice(n) for n in shape])] if index.size else src[:0].reshape(-1)[:0].reshape(shape)


@op(discrete=("index",), layout="contiguous", called="gather", bfloat16=True)
def gather_at(input: Any, index: Any, *, dim: Any) -> Any:
    """``out[i][j] = input[index[i][j]][j]`` for dim 0, and so on for other dimensions; the shape is that of `index`."""
    if not index.size:
        return np.zeros(index.shape, input.dtype, like=input)
    places = grid(input, index, dim)
    if input.flags.c_contiguous:  # numbers of elements are looked up several times faster than places
        return input.reshape(-1).take(numbers_of(places, input.shape or (1,))).reshape(index.shape)
    return at_least_vector(input)[places].reshape(index.shape)
@gather_at.derivative("input")
def gather_at_wrt_input(g: Any, index: Any, dim: Any, input_shape: Any) -> Any:
    return scatter_at(constant_full(g, size=input_shape), index, g, dim=dim, add=True)


@op(dtypes="same", discrete=("index",), layout="contiguous", called="scatter")
def scatter_at(input: Any, index: Any, src: Any, *, dim: Any, add: Any = False) -> Any:
    """A copy of `input` with `src` written to, or added at, the places `index` names in dimension `dim`."""
    out = input.copy(order="K")
    write_scatter(out, index, src, dim, add)
    return out
@scatter_at.derivative("input")
def scatter_at_wrt_input(g: Any, index: Any, dim: Any, add: Any) -> Any:
    return g if add else scatter_value(g, index, constant_full(g, size=()), dim=dim)
@scatter_at.derivative("src")
def scatter_at_wrt_src(g: Any, index: Any, dim: Any, src_shape: Any) -> Any:
    return enlarge(gather_at(g, index, dim=dim), src_shape)
def write_scatter(input: Any, index: Any, src: Any, dim: Any, add: Any) -> None:
    if not index.size:
        return
    places, values, target = grid(input, index, dim), corner(src, index), at_least_vector(input)
    if add:
        _arrays.library_of(input).index_add(target, places, values)
    else:
        target[places] = values
scatter_at.info.writer = write_scatter


@op(dtypes="same", discrete=("index",), layout="contiguous", called="scatter")
def scatter_value(input: Any, index: Any, value: Any, *, dim: Any) -> Any:
    """A copy of `input` with the one `value` at the places `index` names in dimension `dim`."""
    out = input.copy(order="K")
    write_scatter_value(out, index, value, dim)
    return out
@scatter_value.derivative("input")
def scatter_value_wrt_input(g: Any, index: Any, dim: Any) -> Any:
    return scatter_value(g, index, constant_full(g, size=()), dim=dim)
@scatter_value.derivative("value")
def scatter_value_wrt_value(g: Any, index: Any, dim: Any) -> Any: return sum_to_size(gather_at(g, index, dim=dim), size=())
def write_scatter_value(input: Any, index: Any, value: Any, dim: Any) -> None:
    if index.size:
        at_least_vector(input)[grid(input, index, dim)] = value
scatter_value.info.writer = write_scatter_value


def enlarge(x: Any, shape: Any) -> Any:
    """`x` with zeros after its elements, in a larger `shape`."""
    if tuple(x.shape) == tuple(shape):
        return x
    if not shape or not len(x.shape):
        return reshape(x, shape=shape)
    return constant_pad_nd(x, pad=tuple([n for have, want in zip(x.shape[::-1], shape[::-1]) for n in (0, want - have)]))


def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False, out: Tensor | None = None) -> Tensor:
    """``out[i][j] = input[index[i][j]][j]`` for ``dim=0``, ``input[i][index[i][j]]`` for ``dim=1``, and so on.

    >>> import minigrad
    >>> minigrad.gather(minigrad.tensor([[1, 2], [3, 4]]), 1, minigrad.tensor([[0, 0], [1, 0]])).tolist()
    [[1, 1], [4, 3]]
    """
    if out is not None and unwrap(out).dtype is not unwrap(input).dtype:
        raise DtypeError(f"gather: Expected out tensor to have dtype {dtype_name(unwrap(input).dtype)}, but got "
                         f"{dtype_name(unwrap(out).dtype)} instead")
    return gather_at(input, index, dim=dim, out=out)


def scatter(input: Tensor, dim: int, index: Tensor, src: Tensor | None = None, *, value: Number | None = None,
            reduce: str | None = None, out: Tensor | None = None) -> Tensor:
    """A copy of `input` with ``out[index[i][j]][j] = src[i][j]`` for ``dim=0``, and so on; `src` may be a number.

    ``reduce`` may be "add" or "multiply" to combine with what is there.
    """
    return run_scatter(False, input, dim, index, src, value, reduce, out)


def scatter_(input: Tensor, dim: int, index: Tensor, src: Tensor | None = None, *, value: Number | None = None,
             reduce: str | None = None) -> Tensor:
    """In-place form of :func:`scatter`."""
    return run_scatter(True, input, dim, index, src, value, reduce)


def run_scatter(in_place: bool, input: Any, dim: int, index: Any, src: Any, value: Any, reduce: str | None,
                out: Any = None) -> Tensor:
    """Run scatter, with one number or a tensor for a source, with or without a reduction, in place or not."""
    src = value if src is None else src
    number = isinstance(src, call.SCALARS)
    if reduce is not None:
        if reduce not in ("add", "multiply"):
            raise RuntimeValueError(f"scatter: reduce argument must be either add or multiply, got {reduce!r}")
        src = expand(convert_operand(src, input), size=tuple(index.shape)) if number else src
        name = "sum" if reduce == "add" else "prod"
        return run_scatter_reduce(in_place, input, dim, index, src, name, True, out)
    extra = {} if in_place else {"out": out}
    if number:
        function: Any = scatter_value.inplace if in_place else scatter_value
        return function(input, index, convert_operand(src, input), dim=dim, **extra)  # type: ignore[no-any-return]
    return (scatter_at.inplace if in_place else scatter_at)(input, index, src, dim=dim, **extra)


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor, *, out: Tensor | None = None) -> Tensor:
    """A copy of `input` with ``src[i][j]`` added at ``[index[i][j]][j]`` for ``dim=0``, and so on; repeated places add up."""
    return scatter_at(input, index, src, dim=dim, add=True, out=out)


def scatter_add_(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """In-place form of :func:`scatter_add`."""
    return scatter_at.inplace(input, index, src, dim=dim, add=True)


@op(dtypes="same", discrete=("index",), layout="contiguous", called="scatter_reduce", opmath=True)
def reduce_at(input: Any, index: Any, src: Any, *, dim: Any, reduce: Any, include_self: Any = True) -> Any:
    """A copy of `input` with `src` combined with it at the places `index` names: sum, prod, mean, amax or amin."""
    if reduce in ("amax", "amin"):
        require_real(f"scatter_reduce with {reduce!r}", input)
    out = input.copy(order="K")
    if not index.size:
        return out
    places, values, target = grid(input, index, dim), corner(src, index), at_least_vector(out)
    if not include_self:
        target[places] = identity_value(reduce, input.dtype)
    if reduce in ("sum", "mean"):
        _arrays.library_of(out).index_add(target, places, values)
    else:
        ufunc = {"prod": np.multiply, "amax": np.maximum, "amin": np.minimum}[reduce]
        _arrays.library_of(out).index_reduce(ufunc, target, places, values)
    if reduce == "mean":
        count = np.ones_like(target)
        if not include_self:
            count[places] = 0
        _arrays.library_of(out).index_add(count, places, np.ones_like(values))
        count[count == 0] = 1
        out = (target // count if out.dtype.kind in "iu" else target / count).reshape(out.shape)
    return out
@reduce_at.derivative("input")
def reduce_at_wrt_input(g: Any, input: Any, index: Any, src: Any, out: Any, dim: Any, reduce: Any, include_self: Any) -> Any:
    if reduce == "sum":
        grad = g
    elif reduce == "mean":
        grad = g / contributions(g, input, index, dim, include_self)
    elif reduce == "prod":
        ones = fill_mask(input, input == 0, constant_full(input, size=(), value=1))
        grad = g * reduce_at(ones, index, src, dim=dim, reduce=reduce, include_self=include_self) / ones
    else:
        grad = (input == out) * g / ties(g, input, index, src, out, dim, include_self)
    return grad if include_self else scatter_value(grad, index, constant_full(g, size=()), dim=dim)
@reduce_at.derivative("src")
def reduce_at_wrt_src(g: Any, input: Any, index: Any, src: Any, out: Any, dim: Any, reduce: Any, include_self: Any) -> Any:
    used, one = slices(src, index=leading_index(index)), constant_full(g, size=(), value=1)
    if reduce == "sum":
        grad = gather_at(g, index, dim=dim)
    elif reduce == "mean":
        grad = gather_at(g / contributions(g, input, index, dim, include_self), index, dim=dim)
    elif reduce == "prod":
        # A factor that is the only zero of its product has the product of the others as derivative.
        zeros = scatter_at(constant_full(g, size=input.shape), index, (used == 0) * one, dim=dim, add=True)
        lone = (used == 0) * (gather_at(zeros, index, dim=dim) == 1)
        others = reduce_at(input, index, fill_mask(used, lone, one), dim=dim, reduce=reduce, include_self=include_self)
        usual = gather_at(g * out, index, dim=dim) / fill_mask(used, used == 0, one)
        grad = lone * gather_at(g * others, index, dim=dim) + (lone == False) * usual  # noqa: E712
    else:
        share = g / ties(g, input, index, src, out, dim, include_self)
        grad = (used == gather_at(out, index, dim=dim)) * gather_at(share, index, dim=dim)
    return enlarge(grad, src.shape)


def identity_value(reduce: str, dtype: Any) -> Any:
    """The value that changes nothing when it is combined with another."""
    if reduce in ("sum", "mean", "prod"):
        return int(reduce == "prod")
    if dtype.kind == "b":
        return reduce == "amin"
    bounds = (-np.inf, np.inf) if dtype.kind == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return bounds[reduce == "amin"]


def leading_index(index: Any) -> Parts:
    """The index of the leading elements, of which there are as many in each dimension as `index` has."""
    return (*[slice(n) for n in index.shape], ...)


def contributions(g: Any, input: Any, index: Any, dim: int, include_self: bool) -> Any:
    """How many values each element of the mean is made of, at least 1."""
    ones = constant_full(g, size=index.shape, value=1)
    count = constant_full(g, size=input.shape, value=int(include_self))
    count = scatter_at(count, index, ones, dim=dim, add=True)
    return count + (count == 0)


def ties(g: Any, input: Any, index: Any, src: Any, out: Any, dim: int, include_self: bool) -> Any:
    """How many values are equal to each extremum, which share its gradient."""
    one = constant_full(g, size=(), value=1)
    count = (input == out) * one
    if not include_self:
        count = scatter_value(count, index, constant_full(g, size=()), dim=dim)
    hits = (slices(src, index=leading_index(index)) == gather_at(out, index, dim=dim)) * one
    return scatter_at(count, index, hits, dim=dim, add=True)


def scatter_reduce(input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True,
                   out: Tensor | None = None) -> Tensor:
    """A copy of `input` with `src` combined at the places `index` names, as in :func:`scatter`.

    Args:
        reduce: "sum", "prod", "mean", "amax" or "amin".
        include_self: whether the values of `input` at those places take part.
    """
    return run_scatter_reduce(False, input, dim, index, src, reduce, include_self, out)


def scatter_reduce_(input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True) -> Tensor:
    """In-place form of :func:`scatter_reduce`."""
    return run_scatter_reduce(True, input, dim, index, src, reduce, include_self)


def run_scatter_reduce(in_place: bool, input: Any, dim: int, index: Any, src: Any, reduce: str, include_self: bool,
                       out: Any = None) -> Tensor:
    """Run scatter_reduce, in place or not."""
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise RuntimeValueError(f"scatter_reduce: reduce argument must be either sum, prod, mean, amax or amin, got {reduce}.")
    if in_place:
        return reduce_at.inplace(input, index, src, dim=dim, reduce=reduce, include_self=include_self)
    return reduce_at(input, index, src, dim=dim, reduce=reduce, include_self=include_self, out=out)


def index_reduce(input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True,
                 out: Tensor | None = None) -> Tensor:
    """A copy of `input` with `source` combined at the places `index` of dimension `dim`: "prod", "mean", "amax" or "amin"."""
    return reduce_rows(False, input, dim, index, source, reduce, include_self, out)


def index_reduce_(input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True) -> Tensor:
    """In-place form of :func:`index_reduce`."""
    return reduce_rows(True, input, dim, index, source, reduce, include_self)


@on_device_of_inputs
def reduce_rows(in_place: bool, input: Any, dim: int, index: Any, source: Any, reduce: str, include_self: bool,
                out: Any = None) -> Tensor:
    """Run index_reduce, in place or not, as a scatter_reduce of whole rows."""
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeValueError(f"index_reduce: reduce argument must be either prod, mean, amax or amin, got {reduce}.")
    require_one_device("index_reduce", input=input, index=index, source=source)
    d, places = prepare_rows(unwrap(input), unwrap(index), unwrap(source), dim)
    shape = tuple(source.shape)
    if not len(input.shape):
        places, shape = places.reshape(()) if not shape else places, shape
    everywhere = np.broadcast_to(places.reshape([-1 if k == d else 1 for k in range(len(shape))]), shape)
    return run_scatter_reduce(in_place, input, dim, everywhere, source, reduce, include_self, out)


# ---------------------------------------------------------------------------------------------------- by mask

@op(broadcasts=True, dtypes="same", discrete=("mask",), layout="contiguous", grad_name="MaskedFillBackward0",
    called="masked_fill")
def fill_mask(input: Any, mask: Any, value: Any) -> Any:
    """`input` where `mask` is False, the one `value` elsewhere."""
    if mask.dtype.kind != "b":
        raise DtypeError(f"masked_fill only supports boolean masks, but got mask with dtype {dtype_name(mask.dtype)}")
    return choice.choose(mask, value, input)
@fill_mask.derivative("input")
def fill_mask_wrt_input(g: Any, mask: Any) -> Any: return fill_mask(g, mask, constant_full(g, size=()))
@fill_mask.derivative("value")
def fill_mask_wrt_value(g: Any, mask: Any) -> Any: return g * mask
def write_fill_mask(input: Any, mask: Any, value: Any) -> None:
    if mask.dtype.kind != "b":
        fill_mask.info.forward(input, mask, value)  # raises
    if np.broadcast_shapes(mask.shape, input.shape) != input.shape:
        raise ShapeError(f"output with shape {list(input.shape)} doesn't match the broadcast shape with mask {list(mask.shape)}")
    np.copyto(input, value, where=mask)
fill_mask.info.writer = write_fill_mask


def masked_fill(input: Tensor, mask: Tensor, value: Tensor | Number) -> Tensor:
    """`input` with `value`, one number, where `mask` is True; `mask` and `input` are broadcast together."""
    return fill_mask(input, mask, one_value(value, input))


def masked_fill_(input: Tensor, mask: Tensor, value: Tensor | Number) -> Tensor:
    """In-place form of :func:`masked_fill`."""
    return fill_mask.inplace(input, mask, one_value(value, input))


def one_value(value: Any, input: Any) -> Any:
    if getattr(value, "ndim", 0):
        raise ShapeError("masked_fill: masked_fill only supports a 0-dimensional value tensor, but got tensor with "
                         f"{value.ndim} dimension(s).")
    return convert_operand(value, input)


@on_device_of_inputs
def masked_select(input: Tensor, mask: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The elements of `input` where `mask` is True, as one dimension; the two are broadcast together."""
    if unwrap(mask).dtype.kind != "b":
        raise DtypeError(f"masked_select: expected BoolTensor for mask, got {dtype_name(unwrap(mask).dtype)}")
    require_one_device("masked_select", input=input, mask=mask)
    shape = broadcast_shapes(tuple(input.shape), tuple(mask.shape))
    places = np.broadcast_to(unwrap(mask), shape).reshape(shape or (1,)).copy()
    return lookup(at_least_vector_of(expand(input, size=shape)), indices=(places,), out=out)


def at_least_vector_of(x: Any) -> Any:
    return x if len(x.shape) else reshape(x, shape=(1,))


@op(dtypes="same", discrete=("mask",))
def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    """`input` with its elements where `mask` is True replaced by the first ones of `source`, in order."""
    if mask.dtype.kind != "b":
        raise DtypeError(f"masked_scatter only supports boolean masks, but got mask with dtype {dtype_name(mask.dtype)}")
    shape = np.broadcast_shapes(input.shape, mask.shape)
    out, mask = np.broadcast_to(input, shape).copy(), np.broadcast_to(mask, shape)
    places = mask.nonzero() if shape else (mask.reshape(1).nonzero()[0],)
    if len(places[0]) > source.size:
        raise ShapeError(f"masked_scatter: expected the number of elements in source ({source.size}) to be at least the number "
                         f"of ones in mask ({len(places[0])})")
    at_least_vector(out)[places] = source.reshape(-1)[:len(places[0])]
    return out
@masked_scatter.derivative("input")
def masked_scatter_wrt_input(g: Any, mask: Any, input_shape: Any) -> Any:
    return sum_to_size(fill_mask(g, mask, constant_full(g, size=())), size=input_shape)
@masked_scatter.derivative("source")
def masked_scatter_wrt_source(g: Any, mask: Any, source_shape: Any) -> Any:
    return reshape(enlarge(select_mask(g, mask), (math.prod(source_shape),)), shape=source_shape)


@op(discrete=("mask",), called="masked_select", bfloat16=True)
def select_mask(input: Any, mask: Any) -> Any:
    """The elements of `input` where `mask`, which is broadcast to it, is True."""
    return input[np.broadcast_to(mask, input.shape)]
@select_mask.derivative("input")
def select_mask_wrt_input(g: Any, mask: Any, input_shape: Any) -> Any:
    return masked_scatter(constant_full(g, size=input_shape), mask, g)
