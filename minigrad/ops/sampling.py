"""Random tensors. Numbers are drawn in the dtype asked for, from the generator given or the device's own."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays
from minigrad._types import dtypes, layouts
from minigrad._types.tensor_base import TensorBase, unwrap
from minigrad.errors import (
    ArgumentError,
    DtypeError,
    InvalidValueError,
    RuntimeValueError,
    ShapeError,
    UnsupportedDtypeError,
)
from minigrad.ops import copying
from minigrad.ops.creation import dtype_with_out, lay_out, number_of, sizes_of, wrap
from minigrad.ops.pointwise.arithmetic import require_real, zeros_of
from minigrad.ops.shaping.shape import broadcast_shapes
from minigrad.random import draws_on
from minigrad.recording.argument_errors import require_one_device
from minigrad.recording.device_guard import on_device_of_inputs
from minigrad.recording.op import op
from minigrad.recording.watching import watched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from minigrad._types.annotations import DeviceLike, DTypeLike, IntOrInts, Tensor
    from minigrad._types.layouts import layout, memory_format
    from minigrad.random import Generator

__all__ = ["bernoulli", "binomial", "multinomial", "normal", "poisson", "rand", "rand_like", "randint", "randint_like", "randn",
           "randn_like", "randperm"]


@watched
@on_device_of_inputs
def uniform(shape: Any, dtype: dtypes.dtype, device: Any, generator: Any) -> Any:
    """Numbers from [0, 1)."""
    draws = draws_on(device, generator)
    if dtype.kind == "c":
        parts = uniform((*shape, 2), dtype.to_real(), device, generator)
        return parts.view(dtype.numpy).reshape(shape)
    if dtype.kind != "f":
        raise UnsupportedDtypeError(f"rand: expected a floating or complex dtype, got {dtype!r}; randint draws integers")
    if dtypes.is_low_precision(dtype.numpy):  # as many bits as it has, so that nothing is rounded up to 1
        steps = round(2 / dtypes.finfo(dtype).eps)
        return (draws.integers(0, steps, shape) / steps).astype(dtype.numpy)
    return _arrays.as_array(draws.random(shape, dtype=dtype.numpy))


@watched
@on_device_of_inputs
def gaussian(shape: Any, dtype: dtypes.dtype, device: Any, generator: Any) -> Any:
    """Numbers of mean 0 and variance 1; of complex ones, real and imaginary part have half of it each."""
    draws = draws_on(device, generator)
    if dtype.kind == "c":
        parts = gaussian((*shape, 2), dtype.to_real(), device, generator)
        parts *= 0.5**0.5
        return parts.view(dtype.numpy).reshape(shape)
    if dtype.kind != "f":
        raise UnsupportedDtypeError(f"randn: expected a floating or complex dtype, got {dtype!r}; randint draws integers")
    numbers = _arrays.as_array(draws.standard_normal(shape, dtype=dtypes.opmath_dtype(dtype.numpy)))
    return numbers.astype(dtype.numpy, copy=False)


def make_random(name: str, draw: Any, shape: Any, generator: Any, out: Any, dtype: Any, device: Any, requires_grad: bool,
                default: Any = None) -> Tensor:
    """A tensor of random numbers that ``draw(shape, dtype, device, generator)`` gives the function `name`, or fill `out` with
    them."""
    wanted = dtype_with_out(name, out, dtype, device, default)
    device = device if out is None else out.device
    return wrap(draw(shape, wanted, _arrays.as_device(device), generator), requires_grad, out)


def rand(*args: int | Sequence[int], size: IntOrInts | None = None, generator: Generator | None = None, out: Tensor | None = None,
         dtype: DTypeLike | None = None, layout: layout | None = None, device: DeviceLike | None = None,
         requires_grad: bool = False, pin_memory: bool = False) -> Tensor:
    """Numbers drawn uniformly from [0, 1), of a shape given as ``rand(2, 3)`` or ``rand((2, 3))``."""
    return make_random("rand", uniform, sizes_of("rand", args, size), generator, out, dtype, device, requires_grad)


def randn(*args: int | Sequence[int], size: IntOrInts | None = None, generator: Generator | None = None,
          out: Tensor | None = None, dtype: DTypeLike | None = None, layout: layout | None = None,
          device: DeviceLike | None = None, requires_grad: bool = False, pin_memory: bool = False) -> Tensor:
    """Numbers drawn from the normal distribution of mean 0 and variance 1."""
    return make_random("randn", gaussian, sizes_of("randn", args, size), generator, out, dtype, device, requires_grad)


def rand_like(input: Tensor, *, generator: Generator | None = None, dtype: DTypeLike | None = None, layout: layout | None = None,
              device: DeviceLike | None = None, requires_grad: bool = False,
              memory_format: memory_format | None = None) -> Tensor:
    """As :func:`rand`, with the shape and, where nothing else is said, the dtype and device of `input`."""
    made = make_random("rand_like", uniform, input.array.shape, generator, None, dtype, device or input.device, requires_grad,
                       input.dtype)
    return laid_out_like(input, made, memory_format)


def randn_like(input: Tensor, *, generator: Generator | None = None, dtype: DTypeLike | None = None, layout: layout | None = None,
               device: DeviceLike | None = None, requires_grad: bool = False,
               memory_format: memory_format | None = None) -> Tensor:
    """As :func:`randn`, with the shape and, where nothing else is said, the dtype and device of `input`."""
    made = make_random("randn_like", gaussian, input.array.shape, generator, None, dtype, device or input.device, requires_grad,
                       input.dtype)
    return laid_out_like(input, made, memory_format)


def laid_out_like(input: Tensor, made: Tensor, memory_format: memory_format | None) -> Tensor:
    """`made`, a tensor without a place in the graph, in memory as `memory_format` says, or in the order of `input`."""
    made.array = lay_out(layouts.lay_out("like_input", made.array, input.array), memory_format)
    return made


@watched
@on_device_of_inputs
def integers(low: Any, high: Any, shape: Any, dtype: dtypes.dtype, device: Any, generator: Any) -> Any:
    """Integers from `low` to ``high - 1``, in any dtype that holds them."""
    if low >= high:
        raise RuntimeValueError(f"randint: random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    limits = (0, 1) if dtype.kind == "b" else None
    if dtype.kind in "iu":
        info = np.iinfo(dtype.numpy)
        limits = int(info.min), int(info.max)
    if limits and not limits[0] <= low <= high - 1 <= limits[1]:
        raise RuntimeValueError(f"randint: from={low}, to={high}: out of bounds for {dtype!r}, which holds {limits[0]} to "
                                f"{limits[1]}")
    draws = draws_on(device, generator)
    kind: Any = np.uint64 if high > 2**63 else np.int64
    if dtype.kind == "i" and dtype.itemsize < 8:
        kind = dtype.numpy
    return _arrays.as_array(draws.integers(low, high, shape, dtype=kind)).astype(dtype.numpy, copy=False)


def randint(*args: int | Sequence[int], low: int | None = None, high: int | None = None, size: Sequence[int] | None = None,
            generator: Generator | None = None, out: Tensor | None = None, dtype: DTypeLike | None = None,
            layout: layout | None = None, device: DeviceLike | None = None, requires_grad: bool = False,
            pin_memory: bool = False) -> Tensor:
    """``randint(high, size)`` or ``randint(low, high, size)``: integers from `low` (0) to ``high - 1``; int64 by default."""
    given: list[Any] = list(args)
    if size is None:
        if not given or not isinstance(given[-1], (tuple, list)):
            raise ArgumentError("randint(): argument 'size' must be a tuple of ints, as in randint(10, (2, 3))")
        size = given.pop()
    if high is None:
        if not given:
            raise ArgumentError("randint(): missing argument 'high'; call randint(high, size) or randint(low, high, size)")
        high = given.pop()
    low = given.pop() if given else 0 if low is None else low
    if given:
        raise ArgumentError(f"randint(): takes low, high and size, got {len(args)} positional arguments")
    if dtype is not None and dtypes.as_dtype(dtype).is_complex:
        raise UnsupportedDtypeError(f"randint: not implemented for {dtypes.as_dtype(dtype)!r}: integers are no complex numbers")
    bounds = int(number_of(low)), int(number_of(high))
    return make_random("randint", lambda *rest: integers(*bounds, *rest), sizes_of("randint", (size,)), generator, out, dtype,
                       device, requires_grad, dtypes.int64)


def randint_like(input: Tensor, *args: int, low: int | None = None, high: int | None = None, generator: Generator | None = None,
                 dtype: DTypeLike | None = None, layout: layout | None = None, device: DeviceLike | None = None,
                 requires_grad: bool = False, memory_format: memory_format | None = None) -> Tensor:
    """As :func:`randint`, with the shape and, where nothing else is said, the dtype and device of `input`."""
    made = randint(*args, low=low, high=high, size=input.array.shape, generator=generator, dtype=dtype or input.dtype,
                   device=device or input.device, requires_grad=requires_grad)
    return laid_out_like(input, made, memory_format)


def randperm(n: int, *, generator: Generator | None = None, out: Tensor | None = None, dtype: DTypeLike | None = None,
             layout: layout | None = None, device: DeviceLike | None = None, requires_grad: bool = False,
             pin_memory: bool = False) -> Tensor:
    """The integers from 0 to ``n - 1`` in random order."""
    if n < 0:
        raise RuntimeValueError(f"randperm: n must be non-negative, got {n}")
    wanted = out.dtype if out is not None else dtypes.int64 if dtype is None else dtypes.as_dtype(dtype)
    most = int(2 / dtypes.finfo(wanted).eps) + 1 if wanted.is_floating_point else n
    if wanted.kind in "iu":
        most = dtypes.iinfo(wanted).max + 1
    if n > most:
        raise RuntimeValueError(f"randperm: n cannot be greater than {most} for {wanted!r}, which holds no larger integers "
                                f"exactly; got {n}")
    return make_random("randperm", order, (n,), generator, out, dtype, device, requires_grad, dtypes.int64)


@watched
@on_device_of_inputs
def order(shape: Any, dtype: dtypes.dtype, device: Any, generator: Any) -> Any:
    """The numbers of as many places as the vector of `shape` has, in random order."""
    draws = draws_on(device, generator)
    found = draws.permutation(shape[0]) if hasattr(draws, "permutation") else draws.random(shape[0]).argsort()
    return found.astype(dtype.numpy, copy=False)


@on_device_of_inputs
def normal(mean: float | Tensor, std: float | Tensor = 1.0, size: Sequence[int] | None = None, *,
           generator: Generator | None = None, out: Tensor | None = None, dtype: DTypeLike | None = None,
           layout: layout | None = None, device: DeviceLike | None = None, requires_grad: bool = False,
           pin_memory: bool = False) -> Tensor:
    """Normally distributed numbers: of `mean` and `std` for each element (tensors), or of one for a whole `size` (numbers).

    Nothing flows back to `mean` and `std`, as in PyTorch; for that, compute ``mean + std * minigrad.randn(...)``.
    Raises ``RuntimeError`` for a negative `std`.
    """
    tensors = [x for x in (mean, std) if isinstance(x, TensorBase)]
    if not tensors and size is None:
        raise ArgumentError("normal(): with mean and std as numbers, argument 'size' is needed: normal(0., 1., (2, 3))")
    require_one_device("normal", mean=mean, std=std)
    arrays: list[Any] = [unwrap(x) for x in (mean, std)]
    if bool(np.any(arrays[1] < 0)):
        raise RuntimeValueError(f"normal expects all elements of std >= 0.0, got {std}")
    if tensors:
        array = tensors[0].array
        shape = tuple(broadcast_shapes(*[np.shape(a) for a in arrays]))
        dtype, device = dtypes.FROM_NUMPY[array.dtype], _arrays.device_of(array)
    else:
        shape = sizes_of("normal", (size,))

    return make_random("normal", functools.partial(scale_gaussian, *arrays), shape, generator, out, dtype, device, requires_grad)


@watched
@on_device_of_inputs
def scale_gaussian(mean: Any, std: Any, shape: Any, dtype: dtypes.dtype, device: Any, generator: Any) -> Any:
    """Normally distributed numbers with this mean and standard deviation."""
    return _arrays.as_array(mean + std * gaussian(shape, dtype, device, generator)).astype(dtype.numpy, copy=False)


def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None, out: Tensor | None = None) -> Tensor:
    """1 with the probability that stands in `input` (or `p`, for all elements), else 0.

    Raises ``RuntimeError`` for a probability outside [0, 1].
    """
    return coin_flips(input, p=p, generator=generator, out=out)


@op(grad_name="BernoulliBackward0", called="bernoulli")
def coin_flips(input: Any, *, p: Any = None, generator: Any = None) -> Any:
    """1 with the probability in `input`, or `p` if that is given, else 0."""
    require_real("bernoulli", input)
    return coins("bernoulli", input if p is None else p, input, generator).astype(input.dtype)
@coin_flips.derivative("input")
def coin_flips_wrt_input(g: Any) -> Any: return zeros_of(g)


def coins(name: str, p: Any, like: Any, generator: Any) -> Any:
    """Booleans in the shape of the array `like` that are True with probability `p`."""
    if not bool(np.all((p >= 0) & (p <= 1))):
        raise RuntimeValueError(f"{name} expects p to be in [0, 1], got {p}")
    kind = dtypes.float64 if getattr(p, "dtype", None) == np.float64 else dtypes.float32
    return uniform(like.shape, kind, _arrays.device_of(like), generator) < p


@watched
@on_device_of_inputs
def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None,
                out: Tensor | None = None) -> Tensor:
    """Draw `num_samples` indices for each row of `input`, which holds weights that need not sum to 1.

    Shapes: (n,) gives (num_samples,), (m, n) gives (m, num_samples). Raises ``RuntimeError`` for weights that are negative,
    not finite or all zero, and where more distinct samples are asked for than there are weights.
    """
    weights = input.array
    if out is not None and out.dtype is not dtypes.int64:
        raise DtypeError(f"multinomial: expected 'out' of dtype minigrad.int64 (Long), but got {out.dtype!r}")
    if weights.ndim not in (1, 2) or input.dtype.kind != "f":
        raise ShapeError(f"multinomial: expected a floating tensor of 1 or 2 dimensions, got "
                         f"{input.dtype!r}{list(weights.shape)}")
    if num_samples <= 0:
        raise RuntimeValueError("multinomial: cannot sample n_sample <= 0 samples")
    if not replacement and num_samples > weights.shape[-1]:
        raise RuntimeValueError("multinomial: cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    if not bool((np.isfinite(weights) & (weights >= 0)).all()):
        raise RuntimeValueError("multinomial: probability tensor contains either `inf`, `nan` or element < 0")
    if not bool((weights > 0).any(axis=-1).all()):
        raise RuntimeValueError("multinomial: invalid multinomial distribution (sum of probabilities <= 0)")
    device = _arrays.device_of(weights)
    if replacement:
        steps = weights.astype(np.float64).cumsum(axis=-1)
        points = uniform((*weights.shape[:-1], num_samples), dtypes.float64, device, generator) * steps[..., -1:]
        index = (points[..., None] >= steps[..., None, :]).sum(axis=-1)
    else:
        # The largest of weight / Exp(1) variates: an order statistic that picks without replacement, after
        # https://arxiv.org/abs/1903.06059 (section 2).
        clocks = draws_on(device, generator).standard_exponential(weights.shape)
        index = np.argsort(-(weights.astype(np.float64) / clocks), axis=-1)[..., :num_samples]
    return wrap(index.astype(np.int64, order="C", copy=False), out=out)


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Numbers of the Poisson distributions whose rates are the elements of `input`."""
    return poisson_counts(input, generator=generator)


@op(grad_name="PoissonBackward0", called="poisson")
def poisson_counts(input: Any, *, generator: Any = None) -> Any:
    """Numbers of the Poisson distributions whose rates are in `input`."""
    if bool((input < 0).any()):
        raise RuntimeValueError("poisson: invalid Poisson rate, expected rate to be non-negative")
    return _arrays.as_array(draws_on(_arrays.device_of(input), generator).poisson(input)).astype(input.dtype)
@poisson_counts.derivative("input")
def poisson_counts_wrt_input(g: Any) -> Any: return zeros_of(g)


@watched
@on_device_of_inputs
def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """Numbers of successes in `count` trials of probability `prob`, element by element. Nothing flows back to these."""
    require_one_device("binomial", count=count, prob=prob)
    for name, tensor in (("count", count), ("prob", prob)):
        if tensor.array.dtype.kind != "f":
            raise InvalidValueError(f"binomial only supports floating-point dtypes for {name}, got {tensor.dtype!r}")
    draws = draws_on(_arrays.device_of(count.array), generator)
    drawn_counts = _arrays.as_array(draws.binomial(count.array.astype(np.int64), prob.array.astype(np.float64)))
    return wrap(drawn_counts.astype(count.array.dtype))


# ---------------------------------------------------------------------------------------------------- into a tensor

def overwrite_random(self: Any, values: Any) -> Tensor:
    """Overwrite `self` with random `values`, and return it."""
    return copying.copy.inplace(self, wrap(values.astype(self.array.dtype, copy=False)))


def draw_like(self: Any, draw: Any, generator: Any) -> Any:
    """Floating random values, one for each element of `self`."""
    dtype = self.dtype if self.dtype.kind in "fc" else dtypes.get_default_dtype()
    return draw(self.array.shape, dtype, self.device, generator)


def require_floating(name: str, self: Any) -> None:
    if self.dtype.kind not in "fc":
        raise UnsupportedDtypeError(f"{name}: expected a floating or complex tensor, got {self.dtype!r}")


@watched
@on_device_of_inputs
def uniform_(self: Tensor, low: float = 0, to: float = 1, *, generator: Generator | None = None, **named: float) -> Tensor:
    """Fill with numbers drawn uniformly from [from, to); PyTorch's names are ``uniform_(from=0, to=1)``."""
    low = named.pop("from", low)
    refuse_keywords("uniform_", named)
    require_floating("uniform_", self)
    if low > to:
        raise RuntimeValueError(f"uniform_ expects to return a [from, to) range, but found from={low} > to={to}")
    values = draw_like(self, uniform, generator)
    if (low, to) != (0, 1):
        values *= to - low
        values += low
    return overwrite_random(self, values)


def refuse_keywords(name: str, named: dict[str, Any]) -> None:
    if named:
        raise ArgumentError(f"{name}() got an unexpected keyword argument {next(iter(named))!r}")


@watched
@on_device_of_inputs
def normal_(self: Tensor, mean: float = 0, std: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Fill with normally distributed numbers."""
    require_floating("normal_", self)
    if std < 0:
        raise RuntimeValueError(f"normal_ expects std >= 0.0, but found std {std}")
    values = draw_like(self, gaussian, generator)
    values *= std
    values += mean
    return overwrite_random(self, values)


@watched
@on_device_of_inputs
def bernoulli_(self: Tensor, p: float | Tensor = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Fill with 1 with probability `p` (a number, or a tensor broadcast to this one), else 0."""
    require_one_device("bernoulli_", input=self, p=p)
    chance = unwrap(p)
    return overwrite_random(self, coins("bernoulli_", chance, self.array, generator))


@watched
@on_device_of_inputs
def exponential_(self: Tensor, lambd: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Fill with numbers of the exponential distribution of rate `lambd`."""
    require_floating("exponential_", self)
    if lambd <= 0:
        raise RuntimeValueError(f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
    kind = self.array.dtype if self.array.dtype.itemsize > 2 else np.float32
    values = draws_on(self.device, generator).standard_exponential(self.array.shape, dtype=kind)
    return overwrite_random(self, _arrays.as_array(values) / lambd)


@watched
@on_device_of_inputs
def geometric_(self: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Fill with the number of trials of probability `p` up to and with the first success."""
    if not 0 < p < 1:
        raise RuntimeValueError(f"geometric_ expects p to be in (0, 1), but got p={p}")
    return overwrite_random(self, _arrays.as_array(draws_on(self.device, generator).geometric(p, self.array.shape)))


@watched
@on_device_of_inputs
def cauchy_(self: Tensor, median: float = 0, sigma: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Fill with numbers of the Cauchy distribution."""
    require_floating("cauchy_", self)
    if sigma <= 0:
        raise RuntimeValueError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma}")
    angle = np.pi * (uniform(self.array.shape, dtypes.float64, self.device, generator) - 0.5)
    return overwrite_random(self, median + sigma * np.tan(angle))


@watched
@on_device_of_inputs
def log_normal_(self: Tensor, mean: float = 1, std: float = 2, *, generator: Generator | None = None) -> Tensor:
    """Fill with numbers whose logarithms are normally distributed, with `mean` and `std`."""
    require_floating("log_normal_", self)
    if std <= 0:
        raise RuntimeValueError(f"log_normal_ expects std > 0.0, but found std={std}")
    return overwrite_random(self, np.exp(mean + std * draw_like(self, gaussian, generator)))


@watched
@on_device_of_inputs
def random_(self: Tensor, *bounds: int, generator: Generator | None = None, to: int | None = None, **named: int) -> Tensor:
    """Fill with integers: ``random_()`` from all the dtype holds exactly, ``random_(to)`` below `to`, ``random_(from, to)``."""
    low = named.pop("from", None)
    refuse_keywords("random_", named)
    given = list(bounds)
    to = given.pop() if given and to is None else to
    low = given.pop() if given else 0 if low is None else low
    dtype = self.dtype
    if to is None:
        digits = 1 - round(math.log2(dtypes.finfo(dtype).eps)) if dtype.is_floating_point else 0
        bits = digits or (1 if dtype.kind == "b" else np.iinfo(dtype.numpy).bits)
        to = 2**(bits - (dtype.kind == "i")) + (dtype.kind == "f")
    return overwrite_random(self, integers(int(low), int(to), self.array.shape, dtype, self.device, generator))
