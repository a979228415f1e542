"""Statistics and calculus made of other operations: quantiles, histograms, covariance, norms, differences, integrals."""

from __future__ import annotations

import builtins
import math
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays
from minigrad._types.dtypes import FROM_NUMPY, as_dtype, get_default_dtype
from minigrad._types.tensor_base import TensorBase, unwrap
from minigrad.errors import DtypeError, RuntimeValueError, ShapeError
from minigrad.ops import copying
from minigrad.ops.indexing import indexing, scatter
from minigrad.ops.indexing.scatter import gather_at
from minigrad.ops.linear_algebra import decomposition, products
from minigrad.ops.pointwise import arithmetic, comparison
from minigrad.ops.reducing import ordering, reduction
from minigrad.ops.reducing.reduction import numpy_names, vector_norm
from minigrad.ops.shaping import shape, slicing
from minigrad.ops.shaping.shape import reshape, wrap_dim
from minigrad.ops.shaping.slicing import narrow_to
from minigrad.recording import hints
from minigrad.recording.argument_errors import refuse_grad, require_one_device
from minigrad.recording.call import constant
from minigrad.recording.device_guard import on_device_of_inputs
from minigrad.recording.inplace import with_inplace
from minigrad.recording.op import op

if TYPE_CHECKING:
    from collections.abc import Sequence

    from minigrad._types.annotations import DTypeLike, IntOrInts, Number, Tensor
    from minigrad.ops.signatures import HistBinEdges

__all__ = ["bincount", "corrcoef", "cov", "cumulative_trapezoid", "diff", "dist", "gradient", "histc", "histogram",
           "histogramdd", "nanquantile", "norm", "quantile", "renorm", "segment_reduce", "trapezoid", "trapz"]


# ---------------------------------------------------------------------------------------------------- quantiles

@numpy_names
def quantile(input: Tensor, q: float | Tensor, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear",
             out: Tensor | None = None) -> Tensor:
    """The values below which the fractions `q` of the elements lie, over `dim` or all; NaN if there is a NaN.

    Args:
        q: a number between 0 and 1, or a one-dimensional tensor of them, which become the first dimension of the result.
        interpolation: between two elements: ``"linear"``, ``"lower"``, ``"higher"``, ``"midpoint"`` or ``"nearest"``.

    >>> import minigrad
    >>> minigrad.quantile(minigrad.tensor([1., 2., 3., 4.]), 0.5)
    tensor(2.5000)
    """
    return quantiles("quantile", input, q, dim, keepdim, interpolation, out, skip_nan=False)


@numpy_names
def nanquantile(input: Tensor, q: float | Tensor, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear",
                out: Tensor | None = None) -> Tensor:
    """:func:`quantile` of the elements that are not NaN."""
    return quantiles("nanquantile", input, q, dim, keepdim, interpolation, out, skip_nan=True)


@on_device_of_inputs
def quantiles(name: str, input: Any, q: Any, dim: Any, keepdim: bool, interpolation: str, out: Any, skip_nan: bool) -> Tensor:
    dtype = input.array.dtype
    if dtype.kind != "f" or dtype.itemsize < 4:
        raise DtypeError(f"{name}() input tensor must be either float or double dtype, got {input.dtype!r}")
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise RuntimeValueError(f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got "
                                f"{interpolation}")
    if not isinstance(q, TensorBase):
        if not 0 <= q <= 1:
            raise RuntimeValueError(f"{name}() q must be in the range [0, 1] but got {q}")
        q = constant(_arrays.full((), q, input.array), input)
    if q.ndim > 1:
        raise ShapeError(f"{name}() q must be a scalar or 1D tensor, but got shape {list(q.shape)}")
    if q.array.dtype != dtype:
        raise DtypeError(f"{name}() q tensor must be same dtype as the input tensor, but got {q.dtype!r} and {input.dtype!r}")
    if not ((q.array >= 0) & (q.array <= 1)).all():
        raise RuntimeValueError(f"{name}() q values must be in the range [0, 1]")
    if 0 in input.shape:
        raise ShapeError(f"{name}() input tensor must be non-empty, but its shape is {list(input.shape)}")
    axis = 0 if dim is None else wrap_dim(dim, input.ndim)
    x = reshape(input, shape=(-1,)) if dim is None or input.ndim == 0 else input
    in_order = ordering.sort(x, axis)[0]
    # A NaN is sorted last. It does not count, or it is the answer to every question.
    nan, n = in_order.array != in_order.array, x.shape[axis]
    ranks = reshape(q, shape=[-1 if d == axis else 1 for d in range(x.ndim)])
    if skip_nan:
        ranks = ranks * constant(np.maximum(n - 1 - nan.sum(axis=axis, keepdims=True), 0).astype(dtype), input)
    else:
        last = nan.any(axis=axis, keepdims=True).astype(dtype) * dtype.type(n - 1)
        ranks = comparison.maximum(ranks * (n - 1), constant(last, input))
    below = np.floor(ranks.array)

    def at(places: Any) -> Any:
        return gather_at(in_order, constant(places.astype(np.int64), input), dim=axis)

    if interpolation in ("linear", "midpoint"):
        low, high = at(below), at(np.ceil(ranks.array))
        found = arithmetic.lerp(low, high, ranks - constant(below, input) if interpolation == "linear" else 0.5)
    else:
        found = at(below if interpolation == "lower" else (np.ceil if interpolation == "higher" else np.round)(ranks.array))
    rest = reduction.kept_shape(input.shape, dim) if keepdim else x.shape[:axis] + x.shape[axis + 1:]
    return reshape(shape.movedim(found, axis, 0), shape=(*q.shape, *rest), out=out)


# ---------------------------------------------------------------------------------------------------- norms

@numpy_names
def norm(input: Tensor, p: float | str | None = "fro", dim: IntOrInts | None = None, keepdim: bool = False,
         out: Tensor | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """The `p`-norm over `dim`, or of all elements. ``"fro"`` is the 2-norm, ``"nuc"`` the sum of a matrix's singular values."""
    if p == "nuc":
        dims: Any = (-2, -1) if dim is None else dim
        x = shape.movedim(input if dtype is None else arithmetic.cast(input, dtype=dtype), dims, (-2, -1))
        total = reduction.sum(decomposition.linalg_svdvals(x), -1)
        return reshape(total, shape=reduction.kept_shape(input.shape, dims) if keepdim else total.shape, out=out)
    if p is None or p == "fro":
        p = 2
    if isinstance(p, str):
        raise RuntimeValueError(f"norm(): only the orders 'fro' and 'nuc' have names, got {p!r}; give a number, such as p=2")
    return vector_norm(input, p, dim, keepdim, dtype, out=out)


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The `p`-norm of ``input - other``."""
    return vector_norm(input - other, p)


@with_inplace
def renorm(input: Tensor, p: float, dim: int, maxnorm: float, *, out: Tensor | None = None) -> Tensor:
    """`input` with each slice along `dim` whose `p`-norm is larger than `maxnorm` scaled down to it."""
    if p <= 0:
        raise RuntimeValueError(f"renorm: non-positive norm degree {p} not supported")
    if maxnorm < 0:
        raise RuntimeValueError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    if input.ndim < 2:
        raise ShapeError(f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions")
    axis = wrap_dim(dim, input.ndim)
    norms = vector_norm(input, p, tuple(d for d in range(input.ndim) if d != axis), True)
    too_large = norms > maxnorm
    scale = too_large * (maxnorm / (norms + 1e-7)) + (too_large == 0)
    return arithmetic.mul(shape.in_layout("contiguous", input), scale, out=out)


# ---------------------------------------------------------------------------------------------------- differences, integrals

@numpy_names
def diff(input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None, *,
         out: Tensor | None = None) -> Tensor:
    """The `n`-th difference along `dim`, ``x[i + 1] - x[i]`` repeated; `prepend` and `append` are joined to `input` first.

    >>> import minigrad
    >>> minigrad.diff(minigrad.tensor([1, 3, 2]))
    tensor([ 2, -1])
    """
    if input.ndim == 0:
        raise ShapeError("diff expects input to be at least one-dimensional, but it has no dimensions")
    axis = wrap_dim(dim, input.ndim)
    if n < 0:
        raise RuntimeValueError(f"order must be non-negative but got {n}")
    parts = [x for x in (prepend, input, append) if x is not None]
    x = slicing.cat(parts, dim=axis) if len(parts) > 1 else input
    for _ in range(builtins.min(n, x.shape[axis])):
        length = builtins.max(x.shape[axis] - 1, 0)
        later, earlier = (narrow_to(x, dim=axis, start=k, length=length) for k in (1, 0))
        x = comparison.logical_xor(later, earlier) if x.dtype.kind == "b" else later - earlier
    return x if n and out is None else copying.clone(x, out=out)


def as_floats(x: Any) -> Any:
    """`x`, integers in the default dtype: the sum or difference of two small ones may be no number of their own dtype."""
    return x if x.dtype.kind in "fc" else arithmetic.cast(x, dtype=get_default_dtype())


def intervals(y: Any, x: Any, dx: Any, axis: int) -> Any:
    """The area of every trapezoid between neighbouring points along `axis`."""
    length = builtins.max(y.shape[axis] - 1, 0)
    y, x = as_floats(y), None if x is None else as_floats(x)
    later, earlier = (narrow_to(y, dim=axis, start=k, length=length) for k in (1, 0))
    if x is None:
        return (later + earlier) * (dx / 2)
    if x.ndim == 1 and x.shape[0] != y.shape[axis]:
        raise ShapeError(f"There must be one `x` value for each sample point: {x.shape[0]} for {y.shape[axis]} points")
    if x.ndim == 1 and y.ndim > 1:
        x = reshape(x, shape=[-1 if d == axis else 1 for d in range(y.ndim)])
    return diff(x, dim=axis - y.ndim) * (later + earlier) / 2


def sample_spacing(name: str, x: Any, dx: Any) -> Any:
    if x is not None and dx is not None:
        raise RuntimeValueError(f"{name}(): give either x, the points, or dx, the distance between them, not both")
    if isinstance(dx, TensorBase):
        raise RuntimeValueError(f"{name}(): dx is one number; for points at varying distances give x")
    return 1 if dx is None else dx


def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: float | None = None, dim: int = -1) -> Tensor:
    """The integral of `y` along `dim` by the trapezoidal rule; between points `x`, or points at distance `dx` (1)."""
    if y.dtype.kind == "b":
        raise DtypeError("trapezoid: bool dtype is not supported for y; convert it with .float()")
    dx = sample_spacing("trapezoid", x, dx)
    axis = wrap_dim(dim, y.ndim)
    return reduction.sum(intervals(y, x, dx, axis), axis)


def trapz(y: Tensor, x: Tensor | None = None, *, dx: float | None = None, dim: int = -1) -> Tensor:
    """Another name of :func:`trapezoid`."""
    return trapezoid(y, x, dx=dx, dim=dim)


def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, *, dx: float | None = None, dim: int = -1) -> Tensor:
    """The integral of `y` along `dim` up to each point but the first, by the trapezoidal rule; see :func:`trapezoid`."""
    dx = sample_spacing("cumulative_trapezoid", x, dx)
    axis = wrap_dim(dim, y.ndim)
    return reduction.cumsum(intervals(y, x, dx, axis), axis)


def gradient(input: Tensor, *, spacing: Number | Sequence[Number] | Sequence[Tensor] | None = None, dim: IntOrInts | None = None,
             edge_order: int = 1) -> tuple[Tensor, ...]:
    """The derivative of sampled values along each of `dim` (all), from differences of second order: a tuple of tensors.

    Args:
        spacing: the distance of the samples, for all dimensions (1 unless given) or one for each; or, for each, a tensor
            of their places.
        edge_order: 1 or 2, the order of the differences at the first and last sample.
    """
    if edge_order not in (1, 2):
        raise RuntimeValueError(f"torch.gradient only supports edge_order=1 and edge_order=2, got {edge_order}")
    axes = range(input.ndim) if dim is None else shape.wrap_dims((dim,) if isinstance(dim, int) else dim, input.ndim)
    spacing = 1 if spacing is None else spacing
    places = list(spacing) if isinstance(spacing, (list, tuple)) else [spacing] * len(axes)
    if len(places) != len(axes):
        raise ShapeError(f"gradient: expected spacing to be unspecified, a scalar, or one for each of the {len(axes)} dimensions "
                         f"{list(axes)}, but got {len(places)} of them")
    return tuple([derivative_along(input, axis, h, edge_order) for axis, h in zip(axes, places)])


def derivative_along(x: Any, axis: int, spacing: Any, edge_order: int) -> Any:
    """The slope at each sample of the parabola through it and its neighbours; at an edge, that of the nearest one or line."""
    n, h = x.shape[axis], spacing
    if n <= edge_order:
        raise ShapeError(f"gradient: expected each dimension size to be at least {edge_order + 1}, but dimension {axis} has {n}")
    if getattr(spacing, "ndim", 0):
        if tuple(spacing.shape) != (n,):
            raise ShapeError(f"gradient: expected spacing of shape [{n}], the places of the samples of dimension {axis}, but got "
                             f"{list(spacing.shape)}")
        h = reshape(diff(spacing), shape=[-1 if d == axis else 1 for d in range(x.ndim)])

    def part(of: Any, start: int, length: int) -> Any:
        return narrow_to(of, dim=axis, start=start, length=length) if getattr(of, "ndim", 0) else of

    slopes = diff(x, dim=axis) / h
    earlier, later = part(slopes, 0, n - 2), part(slopes, 1, n - 2)
    left, right = part(h, 0, n - 2), part(h, 1, n - 2)
    inner = (earlier * right + later * left) / (left + right)
    start, end = part(slopes, 0, 1), part(slopes, n - 2, 1)
    if edge_order == 2:
        bend = (later - earlier) / (left + right)
        start, end = start - part(bend, 0, 1) * part(h, 0, 1), end + part(bend, n - 3, 1) * part(h, n - 2, 1)
    return slicing.cat([start, inner, end], dim=axis)


# ---------------------------------------------------------------------------------------------------- segments

@on_device_of_inputs
def segment_reduce(data: Tensor, reduce: str, *, lengths: Tensor | None = None, indices: Tensor | None = None,
                   offsets: Tensor | None = None, axis: int = 0, unsafe: bool = False, initial: Number | None = None) -> Tensor:
    """Reduce neighbouring segments of dimension `axis` to one element each.

    Args:
        reduce: ``"sum"``, ``"mean"``, ``"max"``, ``"min"`` or ``"prod"``.
        lengths: how long each segment is, integers of shape ``(*data.shape[:axis], segments)``.
        offsets: where each segment begins, and where the last one ends; instead of `lengths`.
        unsafe: do not check that the lengths fill the dimension.
        initial: what each segment begins with; unless given, an empty one gives 0, NaN, -inf, inf or 1.
    """
    empty = {"sum": 0.0, "mean": 0.0, "max": -math.inf, "min": math.inf, "prod": 1.0}
    if reduce not in empty:
        raise RuntimeValueError(f"segment_reduce(): reduce must be one of {', '.join(empty)}, but got {reduce!r}")
    if indices is not None or (lengths is None) == (offsets is None):
        raise RuntimeValueError("segment_reduce(): give the segments either as lengths or as offsets")
    axis = wrap_dim(axis, data.ndim)
    require_one_device("segment_reduce", data=data, lengths=lengths, offsets=offsets)
    ends: Any = offsets
    xp = _arrays.xp_of(data.array)
    size = lengths.array if lengths is not None else xp.diff(ends.array, axis=-1)
    if size.shape[:-1] != tuple(data.shape[:axis]):
        raise ShapeError(f"segment_reduce(): expected lengths of shape [*{list(data.shape[:axis])}, segments], got "
                         f"{list(size.shape)}")
    if not unsafe and ((size < 0).any() or (size.sum(axis=-1) != data.shape[axis]).any()):
        raise ShapeError(f"segment_reduce(): Expected all rows of lengths along axis to sum to data.size(lengths.dim()-1), "
                         f"{data.shape[axis]}, and no length to be negative")
    start = size.cumsum(axis=-1) - size if lengths is not None else ends.array[..., :-1]

    longest = int(size.max()) if size.size else 0
    within = xp.arange(longest) < size[..., None]
    row = xp.arange(math.prod(data.shape[:axis])).reshape((*data.shape[:axis], 1, 1)) * data.shape[axis]
    places = np.where(within, row + start[..., None] + xp.arange(longest), 0)
    rest = tuple(data.shape[axis + 1:])
    found = indexing.index_select(reshape(data, shape=(-1, *rest)), 0, constant(places.reshape(-1), data))
    found = reshape(found, shape=(*places.shape, *rest))
    outside = constant(~within.reshape((*places.shape, *(1,) * len(rest))), data)
    found = scatter.masked_fill(found, outside, empty[reduce])
    if initial is not None or longest == 0:
        first = shape.expand(constant(_arrays.full((), empty[reduce] if initial is None else initial, data.array), data),
                             size=(*size.shape, 1, *rest))
        found = slicing.cat([first, found], dim=size.ndim)
    reducer = {"max": reduction.amax, "min": reduction.amin, "prod": reduction.prod}.get(reduce, reduction.sum)
    result = reducer(found, size.ndim)
    if reduce == "mean":
        n = size.reshape((*size.shape, *(1,) * len(rest))).astype(data.array.dtype)
        result = result / constant(n if initial is None else np.maximum(n, 1), data)
    return result


# ---------------------------------------------------------------------------------------------------- covariance

@on_device_of_inputs
def cov(input: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None) -> Tensor:
    """The covariance matrix of variables (rows), each observed several times (columns).

    Args:
        correction: 1 for the unbiased estimate, 0 for the average.
        fweights: how often each observation counts, integers.
        aweights: how much each observation counts.
    """
    if input.ndim > 2:
        raise ShapeError(f"cov(): expected input to have two or fewer dimensions but got an input with {input.ndim} dimensions")
    if input.dtype.kind == "b":
        raise DtypeError("cov(): bool dtype is not supported for input; convert it with .float()")
    x = reshape(input, shape=(1, -1)) if input.ndim < 2 else input
    observations = x.shape[1]
    weights: Any = None
    for name, w, kinds in (("fweights", fweights, "iu"), ("aweights", aweights, "f")):
        if w is None:
            continue
        if w.ndim > 1:
            raise ShapeError(f"cov(): expected {name} to have one or fewer dimensions but got {name} with {w.ndim} dimensions")
        if w.array.dtype.kind not in kinds:
            raise DtypeError(f"cov(): expected {name} to have {'integral' if kinds == 'iu' else 'floating point'} dtype but got "
                             f"{name} with {w.dtype!r}")
        if math.prod(w.shape) != observations:
            raise ShapeError(f"cov(): expected {name} to have the same numel as there are observations in the input but got "
                             f"{math.prod(w.shape)} != {observations}")
        if w.array.size and w.array.min() < 0:
            raise RuntimeValueError(f"cov(): {name} cannot be negative")
        if kinds == "f" and input.dtype.kind in "fc":
            w = arithmetic.cast(w, dtype=input.dtype.to_real())
        w = reshape(w, shape=(-1,))
        weights = w if weights is None else weights * w
    total: Any
    if weights is None:
        total = observations
        centred = x - reduction.sum(x, 1, True) / observations if observations else x * 1.0
        weighted = centred
    else:
        total = reduction.sum(weights)
        centred = x - reduction.sum(x * weights, 1, True) / total
        weighted = centred * weights
    if weights is None or aweights is None or correction == 0:
        factor: Any = total - correction
    else:
        factor = total - correction * reduction.sum(weights * aweights) / total
    if unwrap(factor) <= 0:
        hints.hint("cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of observations.")
    factor = builtins.max(factor, 0) if isinstance(factor, int) else comparison.clamp(factor, min=0)
    product = products.matmul(centred, arithmetic.conj(shape.transpose(weighted, 0, 1)))
    found = arithmetic.div(product, factor)
    return reshape(found, shape=()) if found.shape == (1, 1) else found


def corrcoef(input: Tensor) -> Tensor:
    """The matrix of Pearson's correlation coefficients of variables (rows), each observed several times (columns)."""
    if input.ndim > 2:
        raise ShapeError("corrcoef(): expected input to have two or fewer dimensions but got an input with "
                         f"{input.ndim} dimensions")
    c = cov(input)
    if c.ndim == 0:
        return c / c
    deviation = arithmetic.sqrt(arithmetic.real(slicing.diagonal(c)) if c.dtype.kind == "c" else slicing.diagonal(c))
    found = c / shape.unsqueeze(deviation, dim=1) / shape.unsqueeze(deviation, dim=0)
    if found.dtype.kind == "c":
        return arithmetic.complex(comparison.clamp(arithmetic.real(found), min=-1, max=1),
                                 comparison.clamp(arithmetic.imag(found), min=-1, max=1))
    return comparison.clamp(found, min=-1, max=1)


# ---------------------------------------------------------------------------------------------------- counting

@op(discrete=("input",), layout="contiguous")
def bincount(input: Any, weights: Any = None, *, minlength: int = 0) -> Any:
    """How often each of 0, 1, 2, ... occurs among non-negative integers; or the sum of the `weights` at its occurrences."""
    if input.ndim != 1 or input.dtype.kind not in "iu" or input.size and input.min() < 0:
        raise ShapeError("bincount only supports 1-d non-negative integral inputs, got "
                         f"{FROM_NUMPY[input.dtype]!r} of shape {list(input.shape)}")
    if minlength < 0:
        raise RuntimeValueError(f"minlength should be >= 0, got {minlength}")
    if weights is not None and weights.shape != input.shape:
        raise ShapeError(f"weights should be 1-d and have the same length as input, {input.shape[0]}, got shape "
                         f"{list(weights.shape)}")
    found = np.bincount(input.astype(np.int64), weights=weights, minlength=minlength)
    if weights is not None:
        return found.astype(np.float32 if weights.dtype == np.float32 else np.float64)
    return found.astype(np.int64)
@bincount.derivative("weights")
def bincount_wrt_weights(g: Any, input: Any, weights_dtype: Any) -> Any:
    return arithmetic.cast(indexing.select_rows(g, input, dim=0), dtype=as_dtype(weights_dtype))


def bin_range(name: str, x: Any, low: float, high: float, widen: float) -> tuple[float, float]:
    """The range of a histogram: that of the elements where `low` and `high` are the same; widened where it is empty."""
    if low == high and x.size:
        low, high = float(x.min()), float(x.max())
    if low == high:
        low, high = low - widen, high + widen
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeValueError(f"{name}: range of [{low}, {high}] is not finite")
    if low > high:
        raise RuntimeValueError(f"{name}: max must be larger than min, got min={low}, max={high}")
    return low, high


@op(differentiable=False)
def histc(input: Any, *, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    """How many elements fall into each of `bins` equal intervals between `min` and `max`, or between the extremes of `input`."""
    arithmetic.require_real("histc", input)
    if bins <= 0:
        raise RuntimeValueError(f"histc: bins must be > 0, got {bins}")
    low, high = bin_range("histc", input, min, max, 1)
    x = input[(input >= low) & (input <= high)].astype(np.float64)
    place = np.minimum(((x - low) / (high - low) * bins).astype(np.int64), bins - 1)
    return np.bincount(place, minlength=bins).astype(input.dtype)


def histogram(input: Tensor, bins: int | Tensor, *, range: tuple[float, float] | None = None, weight: Tensor | None = None,
              density: bool = False, out: Sequence[Tensor] | None = None) -> HistBinEdges:
    """How many elements (or what `weight`) fall between neighbouring edges: a named tuple (hist, bin_edges).

    Args:
        bins: the number of equal intervals, or the ascending edges.
        range: the outermost edges where `bins` is a number; the extremes of `input` unless given.
        density: divide so that the histogram integrates to 1.
    """
    if isinstance(bins, TensorBase):
        found: HistBinEdges = _histogram(input, weight, bins, count=None, range=None, density=density, out=out)
    else:
        found = _histogram(input, weight, None, count=bins, range=range, density=density, out=out)
    return found


@op(outputs=("hist", "bin_edges"), constant=("input", "weight", "edges"), called="histogram")
def _histogram(input: Any, weight: Any = None, edges: Any = None, *, count: Any = None, range: Any = None,
               density: Any = False) -> Any:
    arithmetic.require_real("histogram", input, weight, edges)
    x = input.reshape(-1)
    if weight is not None and weight.shape != input.shape:
        raise ShapeError(f"histogram(): weight tensor should have the same shape as input, {list(input.shape)}, got "
                         f"{list(weight.shape)}")
    if weight is not None and weight.dtype != input.dtype:
        raise DtypeError(f"histogram(): weight and input tensors should have the same dtype, got "
                         f"{FROM_NUMPY[weight.dtype]!r} and {FROM_NUMPY[input.dtype]!r}")
    if edges is None:
        if count <= 0:
            raise RuntimeValueError(f"histogram(): bins must be > 0, but got {count}")
        edges = bin_edges("histogram", x, range, count)
    elif edges.ndim != 1:
        raise ShapeError(f"histogram(): bins tensor should have one dimension, but got {edges.ndim}")
    return count_in_bins([x], [edges], None if weight is None else weight.reshape(-1), density), edges.copy()


def bin_edges(name: str, x: Any, range: Any, count: int) -> Any:
    """The edges of `count` equal intervals of `range`, else of the range of the elements, else of [0, 1] if there are none."""
    if range is None:
        range = (0, 0) if x.size else (0, 1)
    low, high = bin_range(name, x, range[0], range[1], 0.5)
    return _arrays.xp_of(x).linspace(low, high, count + 1).astype(x.dtype)


def count_in_bins(columns: Any, edges: Any, weight: Any, density: bool) -> Any:
    """How many points, whose coordinates are `columns`, lie in each box between `edges`."""
    sizes = [len(e) - 1 for e in edges]
    inside = np.ones_like(columns[0], dtype=bool)
    flat = np.zeros_like(columns[0], dtype=np.int64)
    for x, e, n in zip(columns, edges, sizes):
        inside &= (x >= e[0]) & (x <= e[-1])
        flat = flat * n + np.clip(np.searchsorted(e, x, side="right") - 1, 0, n - 1)
    hist = np.bincount(flat[inside], weights=None if weight is None else weight[inside], minlength=math.prod(sizes))
    hist = hist.reshape(sizes).astype(columns[0].dtype)
    if density:
        hist = hist / hist.sum()
        for d, e in enumerate(edges):
            hist = hist / np.diff(e).reshape([-1 if k == d else 1 for k in range(len(edges))])
    return hist


@op(outputs=True, constant=("input", "weight"), called="histogramdd")
def _histogramdd(input: Any, weight: Any = None, *, count: Any = None, edges: Any = None, range: Any = None,
                 density: Any = False) -> Any:
    arithmetic.require_real("histogramdd", input, weight)
    x = input.reshape(-1, input.shape[-1])
    if edges is None:
        ranges = [None] * x.shape[1] if range is None else list(zip(range[::2], range[1::2]))
        edges = [bin_edges("histogramdd", x[:, d], r, n) for d, (n, r) in enumerate(zip(count, ranges))]
    return (count_in_bins(list(x.T), edges, None if weight is None else weight.reshape(-1), density), *edges)


class HistogramDD(tuple[Any, Any]):
    """The named pair (hist, bin_edges) of :func:`histogramdd`."""

    __slots__ = ()
    hist = property(operator.itemgetter(0))
    bin_edges = property(operator.itemgetter(1))


def histogramdd(input: Tensor, bins: int | Sequence[int] | Sequence[Tensor], *, range: Sequence[float] | None = None,
                weight: Tensor | None = None, density: bool = False) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The histogram of points, which are the rows of `input`, in as many dimensions as it has columns.

    Args:
        bins: the number of intervals, for all dimensions or one for each; or the edges of each, a sequence of tensors.
        range: the outermost edges, two numbers for each dimension.
        weight, density: as in :func:`histogram`.

    Returns: the named pair (hist, bin_edges), where `bin_edges` is a tuple with one tensor for each dimension.
    """
    if input.ndim < 2:
        raise ShapeError(f"histogramdd(): input tensor should have at least 2 dimensions, but got {input.ndim}")
    n = input.shape[-1]
    counts: list[Any] = [bins] * n if isinstance(bins, int) else list(bins)
    if len(counts) != n:
        raise ShapeError(f"histogramdd(): expected {n} sequences of bin edges or bin counts for a {n}-dimensional histogram "
                         f"but got {len(counts)}")
    edges = [b.array for b in counts] if isinstance(counts[0], TensorBase) else None
    for b in counts:
        refuse_grad("histogramdd", bins=b)
    hist, *found = _histogramdd(input, weight, count=counts, edges=edges, range=range, density=density)
    return HistogramDD((hist, tuple(found)))
