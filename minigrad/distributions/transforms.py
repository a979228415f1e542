"""Functions that carry samples of one set into another, with their inverses and the logarithms of how much they stretch."""

from __future__ import annotations

import copy
import functools
import math
import operator
import weakref
from typing import TYPE_CHECKING, Any, Iterable, Sequence

from minigrad import linalg
from minigrad._tensor import Tensor
from minigrad._types import dtypes
from minigrad._types.size import Size
from minigrad.distributions import constraints
from minigrad.distributions.constraints import Constraint
from minigrad.distributions.utils import _sum_rightmost, broadcast_all, tril_matrix_to_vec, vec_to_tril_matrix
from minigrad.errors import InvalidValueError
from minigrad.nn import functional as F
from minigrad.ops import creation
from minigrad.ops.pointwise import elementary
from minigrad.ops.shaping import shape as shaping
from minigrad.ops.shaping import slicing

if TYPE_CHECKING:
    from minigrad.distributions.distribution import Distribution

__all__ = ["AbsTransform", "AffineTransform", "CatTransform", "ComposeTransform", "CorrCholeskyTransform",
           "CumulativeDistributionTransform", "ExpTransform", "IndependentTransform", "LowerCholeskyTransform",
           "PositiveDefiniteTransform", "PowerTransform", "ReshapeTransform", "SigmoidTransform", "SoftmaxTransform",
           "SoftplusTransform", "StackTransform", "StickBreakingTransform", "TanhTransform", "Transform", "identity_transform"]


class Transform:
    """A function from the set `domain` onto the set `codomain`, with an inverse, or, where it is not `bijective`, one of the
    arguments that give a value.

    A subclass defines ``_call``, ``_inverse`` and ``log_abs_det_jacobian``.

    Args:
        cache_size: 1 keeps the last argument and result, so that an inverse that is costly or inexact gives back that argument.

    >>> import minigrad as mg
    >>> t = mg.distributions.transforms.ExpTransform()
    >>> isinstance(t, mg.distributions.transforms.Transform), t.inv(t(mg.tensor(2.0)))
    (True, tensor(2.))
    """

    bijective: Any = False
    domain: Any
    codomain: Any

    def __init__(self, cache_size: int = 0) -> None:
        if cache_size not in (0, 1):
            raise InvalidValueError(f"cache_size must be 0 or 1, got {cache_size}")
        self._cache_size = cache_size
        self._forget()

    def _forget(self) -> None:
        """Begin without an inverse and with nothing kept."""
        self._inv: Any = None
        self._cached_x_y: tuple[Any, Any] = (None, None)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_inv": None}  # a weak reference, which cannot be pickled

    @property
    def event_dim(self) -> int:
        """How many dimensions an event has, before and after. Raises ``ValueError`` where these differ."""
        if self.domain.event_dim == self.codomain.event_dim:
            dim: int = self.domain.event_dim
            return dim
        raise InvalidValueError("Please use either .domain.event_dim or .codomain.event_dim")

    @property
    def inv(self) -> Transform:
        """The inverse, of which this is the inverse again."""
        inv = None if self._inv is None else self._inv()
        if inv is None:
            inv = _InverseTransform(self)
            self._inv = weakref.ref(inv)  # weak, as the inverse holds this
        return inv

    @property
    def sign(self) -> Any:
        """1 where the function increases, -1 where it decreases."""
        raise NotImplementedError(f"{type(self).__name__} does not define sign")

    def with_cache(self, cache_size: int = 1) -> Transform:
        """The same transform with another size of its cache."""
        if self._cache_size == cache_size:
            return self
        other = copy.copy(self)
        Transform.__init__(other, cache_size)
        return other

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __call__(self, x: Tensor) -> Tensor:
        if self._cache_size == 0:
            return self._call(x)
        if x is not self._cached_x_y[0]:
            self._cached_x_y = x, self._call(x)
        y: Tensor = self._cached_x_y[1]
        return y

    def _inv_call(self, y: Tensor) -> Tensor:
        if self._cache_size == 0:
            return self._inverse(y)
        if y is not self._cached_x_y[1]:
            self._cached_x_y = self._inverse(y), y
        x: Tensor = self._cached_x_y[0]
        return x

    def _call(self, x: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} does not define _call")

    def _inverse(self, y: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} does not define _inverse")

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """The logarithm of the absolute value of the determinant of the Jacobian at `x`, where the value is `y`."""
        raise NotImplementedError(f"{type(self).__name__} does not define log_abs_det_jacobian")

    def forward_shape(self, shape: Iterable[int]) -> Size:
        """The shape of the result for an argument of this shape."""
        return Size(shape)

    def inverse_shape(self, shape: Iterable[int]) -> Size:
        """The shape of the argument for a result of this shape."""
        return Size(shape)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class _ParameterFree(Transform):
    """A transform that is equal to any other of its class."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)


class _InverseTransform(Transform):
    """The inverse of another transform; in whose cache what it computes is kept."""

    def __init__(self, transform: Transform) -> None:
        super().__init__(cache_size=transform._cache_size)
        self._inv = transform

    def __getstate__(self) -> dict[str, Any]:
        return vars(self)

    @property
    def domain(self) -> Any:
        return self._inv.codomain

    @property
    def codomain(self) -> Any:
        return self._inv.domain

    @property
    def bijective(self) -> Any:
        return self._inv.bijective

    @property
    def sign(self) -> Any:
        return self._inv.sign

    @property
    def inv(self) -> Transform:
        inverse: Transform = self._inv
        return inverse

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self.inv.with_cache(cache_size).inv

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _InverseTransform) and bool(self._inv == other._inv)

    def __call__(self, x: Tensor) -> Tensor:
        return self.inv._inv_call(x)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -self.inv.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: Iterable[int]) -> Size:
        return self.inv.inverse_shape(shape)

    def inverse_shape(self, shape: Iterable[int]) -> Size:
        return self.inv.forward_shape(shape)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._inv!r})"


# ---------------------------------------------------------------------------------------------------- transforms of transforms

class ComposeTransform(Transform):
    """The transforms `parts`, one after the other. Each keeps what the others do, not this.

    >>> import minigrad as mg
    >>> from minigrad.distributions.transforms import AffineTransform, ComposeTransform, ExpTransform
    >>> ComposeTransform([ExpTransform(), AffineTransform(1.0, 2.0)])(mg.tensor(0.0))
    tensor(3.)
    """

    def __init__(self, parts: list[Transform], cache_size: int = 0) -> None:
        self.parts = [part.with_cache(cache_size) for part in parts] if cache_size else parts
        super().__init__(cache_size=cache_size)

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self if self._cache_size == cache_size else ComposeTransform(self.parts, cache_size)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ComposeTransform) and self.parts == other.parts

    def _end(self, parts: list[Transform]) -> Any:
        """The set at the end of these `parts`, in whose events those of every set between them fit."""
        if not parts:
            return constraints.real
        end, dims = parts[0].domain, parts[-1].codomain.event_dim
        for part in reversed(parts):
            dims = max(dims + part.domain.event_dim - part.codomain.event_dim, part.domain.event_dim)
        return constraints.independent(end, dims - end.event_dim) if dims > end.event_dim else end

    @property
    def domain(self) -> Any:
        return self._end(self.parts)

    @property
    def codomain(self) -> Any:
        return self._end([part.inv for part in reversed(self.parts)])

    @property
    def bijective(self) -> Any:
        return all(part.bijective for part in self.parts)

    @property
    def sign(self) -> Any:
        return functools.reduce(operator.mul, [part.sign for part in self.parts], 1)

    @property
    def inv(self) -> Transform:
        inv = None if self._inv is None else self._inv()
        if inv is None:
            inv = ComposeTransform([part.inv for part in reversed(self.parts)])
            self._inv = weakref.ref(inv)
            inv._inv = weakref.ref(self)
        return inv

    def __call__(self, x: Tensor) -> Tensor:
        return functools.reduce(lambda value, part: part(value), self.parts, x)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        if not self.parts:
            return creation.zeros_like(x)
        values = [x]
        for part in self.parts[:-1]:
            values.append(part(values[-1]))
        values.append(y)
        dims, terms = self.domain.event_dim, []
        for part, before, after in zip(self.parts, values, values[1:]):
            terms.append(_sum_rightmost(part.log_abs_det_jacobian(before, after), dims - part.domain.event_dim))
            dims += part.codomain.event_dim - part.domain.event_dim
        return functools.reduce(operator.add, terms)

    def forward_shape(self, shape: Iterable[int]) -> Size:
        return functools.reduce(lambda found, part: part.forward_shape(found), self.parts, Size(shape))

    def inverse_shape(self, shape: Iterable[int]) -> Size:
        return functools.reduce(lambda found, part: part.inverse_shape(found), reversed(self.parts), Size(shape))

    def __repr__(self) -> str:
        return "ComposeTransform(\n    " + ",\n    ".join(map(repr, self.parts)) + "\n)"


identity_transform = ComposeTransform([])


class IndependentTransform(Transform):
    """`base_transform`, whose last `reinterpreted_batch_ndims` batch dimensions belong to one event.

    >>> import minigrad as mg
    >>> from minigrad.distributions.transforms import ExpTransform, IndependentTransform
    >>> x = mg.zeros(2, 3)
    >>> IndependentTransform(ExpTransform(), 1).log_abs_det_jacobian(x, x.exp()).shape
    minigrad.Size([2])
    """

    def __init__(self, base_transform: Transform, reinterpreted_batch_ndims: int, cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        self.base_transform = base_transform.with_cache(cache_size)
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    @property
    def domain(self) -> Any:
        return constraints.independent(self.base_transform.domain, self.reinterpreted_batch_ndims)

    @property
    def codomain(self) -> Any:
        return constraints.independent(self.base_transform.codomain, self.reinterpreted_batch_ndims)

    @property
    def bijective(self) -> Any:
        return self.base_transform.bijective

    @property
    def sign(self) -> Any:
        return self.base_transform.sign

    def _call(self, x: Tensor) -> Tensor:
        self._require_dims(x, self.domain)
        return self.base_transform(x)

    def _inverse(self, y: Tensor) -> Tensor:
        self._require_dims(y, self.codomain)
        return self.base_transform.inv(y)

    def _require_dims(self, value: Tensor, events: Constraint) -> None:
        if value.dim() < events.event_dim:
            raise InvalidValueError(f"IndependentTransform: Too few dimensions on input: {value.dim()}, expected at least "
                                    f"{events.event_dim}")

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return _sum_rightmost(self.base_transform.log_abs_det_jacobian(x, y), self.reinterpreted_batch_ndims)

    def forward_shape(self, shape: Iterable[int]) -> Size:
        return self.base_transform.forward_shape(shape)

    def inverse_shape(self, shape: Iterable[int]) -> Size:
        return self.base_transform.inverse_shape(shape)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_transform!r}, {self.reinterpreted_batch_ndims})"


class _Sequence(Transform):
    """Transforms `tseq` of parts beside each other along `dim`."""

    tseq: list[Transform]
    dim: int

    def _take(self, tseq: Sequence[Transform], dim: int, cache_size: int) -> None:
        if not all(isinstance(t, Transform) for t in tseq):
            raise AssertionError("All elements of tseq must be Transform instances")
        super().__init__(cache_size=cache_size)
        self.tseq, self.dim = [t.with_cache(cache_size) for t in tseq], dim

    def _parts(self, value: Tensor) -> Sequence[Tensor]:
        raise NotImplementedError

    def _require_dim(self, value: Tensor) -> None:
        if not -value.dim() <= self.dim < value.dim():
            raise AssertionError(f"dim {self.dim} out of range for tensor with {value.dim()} dimensions")

    @property
    def bijective(self) -> Any:
        return all(t.bijective for t in self.tseq)


class CatTransform(_Sequence):
    """Transforms `tseq` of parts of `lengths` (1 each) along the dimension `dim`.

    >>> import minigrad as mg
    >>> from minigrad.distributions.transforms import CatTransform, ExpTransform, identity_transform
    >>> CatTransform([ExpTransform(), identity_transform], lengths=[1, 2])(mg.zeros(3))
    tensor([1., 0., 0.])
    """

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, lengths: Sequence[int] | None = None,
                 cache_size: int = 0) -> None:
        self._take(tseq, dim, cache_size)
        self.lengths = [1] * len(self.tseq) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.tseq):
            raise AssertionError(f"lengths must have the same length as tseq, got {len(self.lengths)} and {len(self.tseq)}")

    @property
    def event_dim(self) -> int:
        return max(t.event_dim for t in self.tseq)

    @property
    def length(self) -> int:
        """How long the parts are together."""
        return sum(self.lengths)

    @property
    def domain(self) -> Any:
        return constraints.cat([t.domain for t in self.tseq], self.dim, self.lengths)

    @property
    def codomain(self) -> Any:
        return constraints.cat([t.codomain for t in self.tseq], self.dim, self.lengths)

    def _parts(self, value: Tensor) -> Sequence[Tensor]:
        self._require_dim(value)
        if value.shape[self.dim] != self.length:
            raise AssertionError(f"Size mismatch at dim {self.dim}: {value.shape[self.dim]} vs {self.length}")
        return value.split(self.lengths, self.dim)

    def _call(self, x: Tensor) -> Tensor:
        return slicing.cat([t(part) for t, part in zip(self.tseq, self._parts(x))], self.dim)

    def _inverse(self, y: Tensor) -> Tensor:
        return slicing.cat([t.inv(part) for t, part in zip(self.tseq, self._parts(y))], self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        terms = []
        for t, before, after in zip(self.tseq, self._parts(x), self._parts(y)):
            term = t.log_abs_det_jacobian(before, after)
            terms.append(_sum_rightmost(term, max(self.event_dim - t.event_dim, 0)))
        dim = self.dim - x.dim() if self.dim >= 0 else self.dim
        if dim + self.event_dim < 0:
            return slicing.cat(terms, dim + self.event_dim)
        return functools.reduce(operator.add, terms)


class StackTransform(_Sequence):
    """Transforms `tseq` of the slices along the dimension `dim`.

    >>> import minigrad as mg
    >>> from minigrad.distributions.transforms import ExpTransform, StackTransform, identity_transform
    >>> StackTransform([ExpTransform(), identity_transform], dim=1)(mg.zeros(2, 2))
    tensor([[1., 0.],
            [1., 0.]])
    """

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, cache_size: int = 0) -> None:
        self._take(tseq, dim, cache_size)

    @property
    def domain(self) -> Any:
        return constraints.stack([t.domain for t in self.tseq], self.dim)

    @property
    def codomain(self) -> Any:
        return constraints.stack([t.codomain for t in self.tseq], self.dim)

    def _parts(self, value: Tensor) -> Sequence[Tensor]:
        self._require_dim(value)
        if value.shape[self.dim] != len(self.tseq):
            raise AssertionError(f"Size mismatch at dim {self.dim}: {value.shape[self.dim]} vs {len(self.tseq)}")
        return value.unbind(self.dim)

    def _call(self, x: Tensor) -> Tensor:
        return slicing.stack([t(part) for t, part in zip(self.tseq, self._parts(x))], self.dim)

    def _inverse(self, y: Tensor) -> Tensor:
        return slicing.stack([t.inv(part) for t, part in zip(self.tseq, self._parts(y))], self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        parts = zip(self.tseq, self._parts(x), self._parts(y))
        terms = [t.log_abs_det_jacobian(before, after) for t, before, after in parts]
        if self.domain.event_dim > max(t.domain.event_dim for t in self.tseq):  # the slices belong to one event
            return functools.reduce(operator.add, terms)
        return slicing.stack(terms, self.dim)


class ReshapeTransform(Transform):
    """The last dimensions, of sizes `in_shape`, in another shape.

    >>> import minigrad as mg
    >>> mg.distributions.transforms.ReshapeTransform((4,), (2, 2))(mg.zeros(3, 4)).shape
    minigrad.Size([3, 2, 2])
    """

    bijective = True

    def __init__(self, in_shape: Iterable[int], out_shape: Iterable[int], cache_size: int = 0) -> None:
        self.in_shape, self.out_shape = Size(in_shape), Size(out_shape)
        if self.in_shape.numel() != self.out_shape.numel():
            raise InvalidValueError("ReshapeTransform: in_shape, out_shape have different numbers of elements: "
                                    f"{self.in_shape}, {self.out_shape}")
        super().__init__(cache_size=cache_size)

    @constraints.dependent_property
    def domain(self) -> Any:
        return constraints.independent(constraints.real, len(self.in_shape))

    @constraints.dependent_property
    def codomain(self) -> Any:
        return constraints.independent(constraints.real, len(self.out_shape))

    def _call(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[:x.dim() - len(self.in_shape)] + self.out_shape)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.reshape(y.shape[:y.dim() - len(self.out_shape)] + self.in_shape)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x.new_zeros(x.shape[:x.dim() - len(self.in_shape)])

    def _reshape(self, shape: Iterable[int], before: Size, after: Size) -> Size:
        shape = Size(shape)
        kept = len(shape) - len(before)
        if kept < 0 or shape[kept:] != before:
            raise InvalidValueError(f"ReshapeTransform: Shape mismatch: expected {before} at the end of {shape}")
        return shape[:kept] + after

    def forward_shape(self, shape: Iterable[int]) -> Size:
        return self._reshape(shape, self.in_shape, self.out_shape)

    def inverse_shape(self, shape: Iterable[int]) -> Size:
        return self._reshape(shape, self.out_shape, self.in_shape)


# ---------------------------------------------------------------------------------------------------- number by number

class ExpTransform(_ParameterFree):
    """``y = exp(x)``.

    >>> import minigrad as mg
    >>> mg.distributions.transforms.ExpTransform().codomain
    GreaterThan(lower_bound=0.0)
    """

    domain, codomain, bijective, sign = constraints.real, constraints.positive, True, +1

    def _call(self, x: Tensor) -> Tensor:
        return x.exp()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x


class PowerTransform(Transform):
    """``y = x ** exponent`` of positive numbers.

    >>> import minigrad as mg
    >>> mg.distributions.transforms.PowerTransform(mg.tensor(2.0))(mg.tensor(3.0))
    tensor(9.)
    """

    domain, codomain, bijective = constraints.positive, constraints.positive, True

    def __init__(self, exponent: Tensor | float, cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        self.exponent, = broadcast_all(exponent)

    @property
    def sign(self) -> Any:
        return self.exponent.sign()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PowerTransform) and bool(self.exponent.eq(other.exponent).all())

    def _call(self, x: Tensor) -> Tensor:
        return x.pow(self.exponent)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.pow(1 / self.exponent)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return (self.exponent * y / x).abs().log()

    def forward_shape(self, shape: Iterable[int]) -> Size:
        return Size(shaping.broadcast_shapes(tuple(shape), self.exponent.shape))

    def inverse_shape(self, shape: Iterable[int]) -> Size:
        return self.forward_shape(shape)


def _clipped_sigmoid(x: Tensor) -> Tensor:
    """The sigmoid, kept from being 0 or 1 by rounding."""
    limits = dtypes.finfo(x.dtype)
    return elementary.sigmoid(x).clamp(min=limits.tiny, max=1 - limits.eps)


class SigmoidTransform(_ParameterFree):
    """``y = 1 / (1 + exp(-x))``.

    >>> import minigrad as mg
    >>> mg.distributions.transforms.SigmoidTransform()(mg.tensor(0.0))
    tensor(0.5000)
    """

    domain, codomain, bijective, sign = constraints.real, constraints.unit_interval, True, +1

    def _call(self, x: Tensor) -> Tensor:
        return _clipped_sigmoid(x)

    def _inverse(self, y: Tensor) -> Tensor:
        limits = dtypes.finfo(y.dtype)
        inside = y.clamp(min=limits.tiny, max=1 - limits.eps)
        return inside.log() - (-inside).log1p()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return F.logsigmoid(x) + F.logsigmoid(-x)


class SoftplusTransform(_ParameterFree):
    """``y = log(1 + exp(x))``.

    >>> import minigrad as mg
    >>> mg.distributions.transforms.SoftplusTransform()(mg.tensor(0.0))
    tensor(0.6931)
    """

    domain, codomain, bijective, sign = constraints.real, constraints.positive, True, +1

    def _call(self, x: Tensor) -> Tensor:
        return F.softplus(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return (-(-y).expm1()).log() + y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return F.logsigmoid(x)


class TanhTransform(_ParameterFree):
    """``y = tanh(x)``. A cache, or numbers of double precision, keep the inverse finite where the result is rounded to 1.

    >>> import minigrad as mg
    >>> mg.distributions.transforms.TanhTransform().codomain
    Interval(lower_bound=-1.0, upper_bound=1.0)
    """

    domain, codomain, bijective, sign = constraints.real, constraints.interval(-1.0, 1.0), True, +1

    def _call(self, x: Tensor) -> Tensor:
        return x.tanh()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return 2 * (math.log(2) + F.logsigmoid(2 * x) - x)  # log(1 - tanh(x)**2), which does not underflow


class AbsTransform(_ParameterFree):
    """``y = |x|``, of which the inverse gives the positive argument.

    >>> import minigrad as mg
    >>> mg.distributions.transforms.AbsTransform()(mg.tensor(-2.0))
    tensor(2.)
    """

    domain, codomain = constraints.real, constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return x.abs()

    def _inverse(self, y: Tensor) -> Tensor:
        return y


class AffineTransform(Transform):
    """``y = loc + scale * x``. The last `event_dim` dimensions belong to one event.

    >>> import minigrad as mg
    >>> mg.distributions.transforms.AffineTransform(loc=1.0, scale=2.0)(mg.tensor(3.0))
    tensor(7.)
    """

    bijective = True

    def __init__(self, loc: Tensor | float, scale: Tensor | float, event_dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        self.loc, self.scale, self._event_dim = loc, scale, event_dim

    @property
    def event_dim(self) -> int:
        return self._event_dim

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> Any:
        return constraints.independent(constraints.real, self._event_dim) if self._event_dim else constraints.real

    @constraints.dependent_property(is_discrete=False)
    def codomain(self) -> Any:
        return self.domain

    @property
    def sign(self) -> Any:
        return self.scale.sign() if isinstance(self.scale, Tensor) else (self.scale > 0) - (self.scale < 0)

    def __eq__(self, other: object) -> bool:
        def same(a: Any, b: Any) -> bool:
            return bool((a == b).all()) if isinstance(a, Tensor) or isinstance(b, Tensor) else bool(a == b)
        return isinstance(other, AffineTransform) and same(self.loc, other.loc) and same(self.scale, other.scale)

    def _call(self, x: Tensor) -> Tensor:
        return self.loc + self.scale * x

    def _inverse(self, y: Tensor) -> Tensor:
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        if isinstance(self.scale, Tensor):
            stretch = self.scale.abs().log().expand(self.forward_shape(x.shape))
        else:
            stretch = creation.full_like(x, math.log(abs(self.scale)))
        return _sum_rightmost(stretch, self._event_dim)

    def forward_shape(self, shape: Iterable[int]) -> Size:
        return Size(shaping.broadcast_shapes(tuple(shape), getattr(self.loc, "shape", ()), getattr(self.scale, "shape", ())))

    def inverse_shape(self, shape: Iterable[int]) -> Size:
        return self.forward_shape(shape)


class CumulativeDistributionTransform(Transform):
    """``y = distribution.cdf(x)``, which makes samples of `distribution` uniform on [0, 1].

    >>> import minigrad as mg
    >>> from minigrad.distributions import Normal, transforms
    >>> transforms.CumulativeDistributionTransform(Normal(0.0, 1.0))(mg.tensor(0.0))
    tensor(0.5000)
    """

    bijective, codomain, sign = True, constraints.unit_interval, +1

    def __init__(self, distribution: Distribution, cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        self.distribution = distribution

    @property
    def domain(self) -> Any:
        return self.distribution.support

    def _call(self, x: Tensor) -> Tensor:
        return self.distribution.cdf(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return self.distribution.icdf(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return self.distribution.log_prob(x)


# ---------------------------------------------------------------------------------------------------- vectors and matrices

class SoftmaxTransform(_ParameterFree):
    """From vectors to the simplex by ``exp(x)`` over its sum. Not bijective: vectors that differ by a constant are carried to
    the same point.

    >>> import minigrad as mg
    >>> mg.distributions.transforms.SoftmaxTransform()(mg.zeros(2))
    tensor([0.5000, 0.5000])
    """

    domain, codomain = constraints.real_vector, constraints.simplex

    def _call(self, x: Tensor) -> Tensor:
        return F.softmax(x, -1)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def forward_shape(self, shape: Iterable[int]) -> Size:
        return _require_vector(shape)

    def inverse_shape(self, shape: Iterable[int]) -> Size:
        return _require_vector(shape)


def _require_vector(shape: Iterable[int], dims: int = 1) -> Size:
    """`shape`, if it has at least `dims` dimensions."""
    found = Size(shape)
    if len(found) < dims:
        raise InvalidValueError(f"Too few dimensions on input: {len(found)}, expected at least {dims}")
    return found


class StickBreakingTransform(_ParameterFree):
    """From vectors of n numbers to the simplex of n + 1: each number says by its sigmoid which part of what is left to break off.
    Zeros give equal parts.

    >>> import minigrad as mg
    >>> mg.distributions.transforms.StickBreakingTransform()(mg.zeros(3))
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """

    domain, codomain, bijective = constraints.real_vector, constraints.simplex, True

    def _shifts(self, like: Tensor) -> Tensor:
        """The logits of a part as large as each that follows."""
        return creation.arange(like.shape[-1], 0, -1, dtype=like.dtype, device=like.device).log()

    def _call(self, x: Tensor) -> Tensor:
        part = _clipped_sigmoid(x - self._shifts(x))
        left = (1 - part).cumprod(-1)
        return F.pad(part, [0, 1], value=1) * F.pad(left, [1, 0], value=1)

    def _inverse(self, y: Tensor) -> Tensor:
        part = y[..., :-1]
        left = (1 - part.cumsum(-1)).clamp(min=dtypes.finfo(y.dtype).tiny)
        return part.log() - left.log() + self._shifts(part)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        x = x - self._shifts(x)
        return (F.logsigmoid(x) - x + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Iterable[int]) -> Size:
        shape = _require_vector(shape)
        return shape[:-1] + (shape[-1] + 1,)

    def inverse_shape(self, shape: Iterable[int]) -> Size:
        shape = _require_vector(shape)
        return shape[:-1] + (shape[-1] - 1,)


class CorrCholeskyTransform(Transform):
    """From vectors of n (n - 1) / 2 numbers to Cholesky factors of n x n correlation matrices: their hyperbolic tangents are the
    partial correlations, and fill the triangle row by row (Lewandowski, Kurowicka and Joe, Generating random correlation matrices
    based on vines and extended onion method, 2009).

    >>> import minigrad as mg
    >>> mg.distributions.transforms.CorrCholeskyTransform()(mg.zeros(3))
    tensor([[1., 0., 0.],
            [0., 1., 0.],
            [0., 0., 1.]])
    """

    domain, codomain, bijective = constraints.real_vector, constraints.corr_cholesky, True

    def _call(self, x: Tensor) -> Tensor:
        eps = dtypes.finfo(x.dtype).eps
        r = vec_to_tril_matrix(x.tanh().clamp(min=eps - 1, max=1 - eps), -1)
        left = (1 - r ** 2).sqrt().cumprod(-1)  # of the length of each row
        r = r + creation.eye(r.shape[-1], dtype=r.dtype, device=r.device)
        return r * F.pad(left[..., :-1], [1, 0], value=1)

    def _inverse(self, y: Tensor) -> Tensor:
        left = (1 - (y * y).cumsum(-1)).clamp(min=dtypes.finfo(y.dtype).tiny)
        left = tril_matrix_to_vec(F.pad(left[..., :-1], [1, 0], value=1), -1)
        return (tril_matrix_to_vec(y, -1) / left.sqrt()).atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        eps = dtypes.finfo(y.dtype).eps
        left = (1 - (y * y).cumsum(-1)).clamp(min=eps)
        stretch = tril_matrix_to_vec(left, -2).log().sum(-1) / 2
        return stretch + 2 * (math.log(2) + F.logsigmoid(2 * x) - x).sum(-1)

    def forward_shape(self, shape: Iterable[int]) -> Size:
        shape = _require_vector(shape)
        n = round((0.25 + 2 * shape[-1]) ** 0.5 + 0.5)
        if n * (n - 1) // 2 != shape[-1]:
            raise InvalidValueError(f"CorrCholeskyTransform: Input is not a flattened lower-diagonal number: {shape[-1]}")
        return shape[:-1] + (n, n)

    def inverse_shape(self, shape: Iterable[int]) -> Size:
        shape = _require_vector(shape, 2)
        if shape[-2] != shape[-1]:
            raise InvalidValueError(f"CorrCholeskyTransform: Input is not square: {shape}")
        return shape[:-2] + (shape[-1] * (shape[-1] - 1) // 2,)


class LowerCholeskyTransform(_ParameterFree):
    """From square matrices to lower triangular ones with a positive diagonal: the exponential of the diagonal, and what is below.

    >>> import minigrad as mg
    >>> mg.distributions.transforms.LowerCholeskyTransform()(mg.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    domain, codomain = constraints.independent(constraints.real, 2), constraints.lower_cholesky

    def _call(self, x: Tensor) -> Tensor:
        return x.tril(-1) + x.diagonal(0, -2, -1).exp().diag_embed()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.tril(-1) + y.diagonal(0, -2, -1).log().diag_embed()


class PositiveDefiniteTransform(_ParameterFree):
    """From square matrices to positive definite ones: L of :class:`LowerCholeskyTransform`, times its transpose.

    >>> import minigrad as mg
    >>> mg.distributions.transforms.PositiveDefiniteTransform()(mg.tensor([[0.0, 9.0], [2.0, 0.0]]))
    tensor([[1., 2.],
            [2., 5.]])
    """

    domain, codomain = constraints.independent(constraints.real, 2), constraints.positive_definite

    def _call(self, x: Tensor) -> Tensor:
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y: Tensor) -> Tensor:
        return LowerCholeskyTransform().inv(linalg.cholesky(y))
