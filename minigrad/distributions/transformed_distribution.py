"""A distribution carried through functions."""

from __future__ import annotations

import functools
import operator
from typing import Any, Iterable

from minigrad import autograd
from minigrad._tensor import Tensor
from minigrad._types.size import Size
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.independent import Independent
from minigrad.distributions.transforms import ComposeTransform, Transform
from minigrad.distributions.utils import _sum_rightmost
from minigrad.errors import InvalidValueError

__all__ = ["TransformedDistribution"]


class TransformedDistribution(Distribution):
    """What the `transforms`, one after the other, make of samples of `base_distribution`: with y = f(x), the density of y is that
    of x, divided by the absolute value of the determinant of f's Jacobian at x.

    >>> import minigrad as mg
    >>> from minigrad.distributions import Normal, TransformedDistribution, transforms
    >>> log_normal = TransformedDistribution(Normal(0.0, 1.0), [transforms.ExpTransform()])
    >>> log_normal.cdf(mg.tensor(1.0))
    tensor(0.5000)
    """

    arg_constraints: dict[str, constraints.Constraint] = {}

    def __init__(self, base_distribution: Distribution, transforms: Transform | list[Transform],
                 validate_args: bool | None = None) -> None:
        self.transforms = [transforms] if isinstance(transforms, Transform) else transforms
        if not isinstance(self.transforms, list) or not all(isinstance(t, Transform) for t in self.transforms):
            raise InvalidValueError(f"transforms must be a Transform or a list of Transforms, but was {transforms}")
        whole = ComposeTransform(self.transforms)
        base_shape, base_dims = base_distribution.batch_shape + base_distribution.event_shape, len(base_distribution.event_shape)
        if len(base_shape) < whole.domain.event_dim:
            raise InvalidValueError(f"base_distribution needs to have shape with size at least {whole.domain.event_dim}, but got "
                                    f"{base_shape}.")
        shape = whole.forward_shape(base_shape)
        wide = whole.inverse_shape(shape)  # transforms may have parameters of a larger shape
        if wide != base_shape:
            base_distribution = base_distribution.expand(wide[:len(wide) - base_dims])
        if whole.domain.event_dim > base_dims:
            base_distribution = Independent(base_distribution, whole.domain.event_dim - base_dims)
        self.base_dist = base_distribution
        kept = len(shape) - whole.codomain.event_dim - max(base_dims - whole.domain.event_dim, 0)
        super().__init__(shape[:kept], shape[kept:], validate_args=validate_args)

    def _expand_into(self, new: Any, batch_shape: Size) -> None:
        super()._expand_into(new, batch_shape)
        shape = batch_shape + self._event_shape
        for t in reversed(self.transforms):
            shape = t.inverse_shape(shape)
        new.base_dist = self.base_dist.expand(shape[:len(shape) - len(self.base_dist.event_shape)])

    @constraints.dependent_property(is_discrete=False)
    def support(self) -> constraints.Constraint:
        if not self.transforms:
            return self.base_dist.support
        codomain = self.transforms[-1].codomain
        more = len(self._event_shape) - codomain.event_dim
        return constraints.independent(codomain, more) if more > 0 else codomain

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        """Whether the base has samples that move with its parameters."""
        return self.base_dist.has_rsample

    def _carry(self, x: Tensor) -> Tensor:
        """What the transforms make of x."""
        for t in self.transforms:
            x = t(x)
        return x

    def sample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        with autograd.no_grad():
            return self._carry(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        return self._carry(self.base_dist.rsample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        dims, y = len(self._event_shape), value
        stretches = []
        for t in reversed(self.transforms):
            x = t.inv(y)
            dims += t.domain.event_dim - t.codomain.event_dim
            stretches.append(_sum_rightmost(t.log_abs_det_jacobian(x, y), dims - t.domain.event_dim))
            y = x
        base = _sum_rightmost(self.base_dist.log_prob(y), dims - len(self.base_dist.event_shape))
        return functools.reduce(operator.sub, stretches, base)

    def _monotonize_cdf(self, value: Tensor) -> Tensor:
        """The probability `value` of what is below, or, where the transforms reverse the order, above."""
        sign: Any = functools.reduce(operator.mul, [t.sign for t in self.transforms], 1)
        return value if isinstance(sign, int) and sign == 1 else (value - 0.5).mul(sign) + 0.5

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        for t in reversed(self.transforms):
            value = t.inv(value)
        return self._monotonize_cdf(self.base_dist.cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        return self._carry(self.base_dist.icdf(self._monotonize_cdf(value)))
