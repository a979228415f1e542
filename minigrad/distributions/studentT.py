"""Student's t-distribution."""

from __future__ import annotations

import math
from typing import Iterable

from minigrad._tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.chi2 import Chi2
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.utils import _standard_normal, broadcast_all
from minigrad.ops.pointwise import comparison

__all__ = ["StudentT"]


class StudentT(Distribution):
    """A standard normal number over the root of the mean of `df` squares of others, times `scale`, plus `loc`.

    >>> import minigrad as mg
    >>> mg.distributions.StudentT(mg.tensor([1.0, 2.0, 4.0])).variance
    tensor([nan, inf, 2.])
    """

    arg_constraints = {"df": constraints.positive, "loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    def __init__(self, df: Tensor | float, loc: Tensor | float = 0.0, scale: Tensor | float = 1.0,
                 validate_args: bool | None = None) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        super().__init__(self.df.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc.masked_fill(self.df <= 1, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        finite = self.scale ** 2 * self.df / (self.df - 2)
        return comparison.where(self.df > 2, finite, math.inf).masked_fill(self.df <= 1, math.nan)

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        squares = Chi2(self.df, validate_args=False).rsample(sample_shape)
        return self.loc + self.scale * _standard_normal(shape, self.df.dtype, self.df.device) * (squares / self.df).rsqrt()

    def _log_constant(self) -> Tensor:
        """The logarithm of the integral of ``(1 + z**2 / df) ** (-(df + 1) / 2)``."""
        return 0.5 * (math.pi * self.df).log() + (self.df / 2).lgamma() - ((self.df + 1) / 2).lgamma()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        z = (value - self.loc) / self.scale
        return -0.5 * (self.df + 1) * (z ** 2 / self.df).log1p() - self._log_constant() - self.scale.log()

    def entropy(self) -> Tensor:
        half = (self.df + 1) / 2
        return self.scale.log() + half * (half.digamma() - (self.df / 2).digamma()) + self._log_constant()
