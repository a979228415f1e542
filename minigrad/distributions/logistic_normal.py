"""The logistic normal distribution."""

from __future__ import annotations

from typing import Any

from minigrad._tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.normal import Normal
from minigrad.distributions.transformed_distribution import TransformedDistribution
from minigrad.distributions.transforms import StickBreakingTransform

__all__ = ["LogisticNormal"]


class LogisticNormal(TransformedDistribution):
    """Points of the simplex of n + 1 numbers that :class:`StickBreakingTransform` makes of n normal numbers.

    >>> import minigrad as mg
    >>> mg.distributions.LogisticNormal(mg.zeros(2), mg.ones(2)).sample().shape
    minigrad.Size([3])
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.simplex
    has_rsample = True
    base_dist: Any  # an Independent of Normal

    def __init__(self, loc: Tensor | float, scale: Tensor | float, validate_args: bool | None = None) -> None:
        base = Normal(loc, scale, validate_args=validate_args)
        super().__init__(base if base.batch_shape else base.expand((1,)), StickBreakingTransform(), validate_args=validate_args)

    @property
    def loc(self) -> Tensor:
        """The means of the normal numbers."""
        loc: Tensor = self.base_dist.base_dist.loc
        return loc

    @property
    def scale(self) -> Tensor:
        """The standard deviations of the normal numbers."""
        scale: Tensor = self.base_dist.base_dist.scale
        return scale
