"""The generalized Pareto distribution."""

from __future__ import annotations

import math
from typing import Any, Iterable

from minigrad._tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.utils import broadcast_all
from minigrad.ops import sampling
from minigrad.ops.pointwise import comparison

__all__ = ["GeneralizedPareto"]


class GeneralizedPareto(Distribution):
    """What exceeds a high threshold `loc`: the probability of more than x is ``(1 + c * z)**(-1 / c)``, with
    ``z = (x - loc) / scale``, where c is `concentration`; for c = 0 it is ``exp(-z)``, for negative c samples have an upper
    bound.

    >>> import minigrad as mg
    >>> d = mg.distributions.GeneralizedPareto(0.0, 1.0, mg.tensor([0.0, 0.5]))
    >>> d.cdf(mg.tensor(1.0))
    tensor([0.6321, 0.5556])
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive, "concentration": constraints.real}
    has_rsample = True

    def __init__(self, loc: Tensor | float, scale: Tensor | float, concentration: Tensor | float,
                 validate_args: bool | None = None) -> None:
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> constraints.Constraint:
        bounded = self.concentration < 0
        upper = self.loc - self.scale / comparison.where(bounded, self.concentration, -1.0)
        return constraints.interval(self.loc, comparison.where(bounded, upper, math.inf))

    def _choose_formula(self, formula: Any, value: Tensor, slope: Tensor) -> Tensor:
        """``formula(c)`` where the concentration c is not 0, else its limit, whose `value` and `slope` at 0 are given."""
        c = self.concentration
        zero = c.isclose(c.new_zeros(()))
        limit = value + slope.masked_fill(~slope.isfinite(), 0) * c
        return comparison.where(zero, limit, formula(comparison.where(zero, 1.0, c)))

    @property
    def mean(self) -> Tensor:
        finite = self.concentration < 1
        c = comparison.where(finite, self.concentration, 0.5)
        return comparison.where(finite, self.loc + self.scale / (1 - c), math.inf)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        finite = self.concentration < 0.5
        c = comparison.where(finite, self.concentration, 0.25)
        return comparison.where(finite, self.scale ** 2 / ((1 - c) ** 2 * (1 - 2 * c)), math.inf)

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        return self.icdf(sampling.rand(self._extended_shape(sample_shape), dtype=self.loc.dtype, device=self.loc.device))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        z = (value - self.loc) / self.scale
        return self._choose_formula(lambda c: -(1 / c + 1) * (c * z).log1p(), -z, z * z / 2 - z) - self.scale.log()

    def log_survival_function(self, value: Tensor) -> Tensor:
        """The logarithm of the probability of samples above `value`."""
        self._validate_sample(value)
        z = (value - self.loc) / self.scale
        return self._choose_formula(lambda c: -(c * z).log1p() / c, -z, z * z / 2)

    def log_cdf(self, value: Tensor) -> Tensor:
        """The logarithm of :meth:`cdf`."""
        return (-self.log_survival_function(value).exp()).log1p()

    def cdf(self, value: Tensor) -> Tensor:
        return -self.log_survival_function(value).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        log_rest = (-value).log1p()
        return self.loc + self.scale * self._choose_formula(lambda c: (-c * log_rest).expm1() / c, -log_rest, log_rest ** 2 / 2)

    def entropy(self) -> Tensor:
        return self.scale.log() + self.concentration + 1
