"""The absolute value of a Cauchy variate."""

from __future__ import annotations

import math

from minigrad._tensor import Tensor
from minigrad.distributions._folded import Folded
from minigrad.distributions.cauchy import Cauchy
from minigrad.ops import creation

__all__ = ["HalfCauchy"]


class HalfCauchy(Folded):
    """``|x|`` for x of the Cauchy distribution around 0 of this `scale`. The mean is infinite.

    >>> import minigrad as mg
    >>> mg.distributions.HalfCauchy(2.0).cdf(mg.tensor(2.0))
    tensor(0.5000)
    """

    base_dist: Cauchy

    def __init__(self, scale: Tensor | float, validate_args: bool | None = None) -> None:
        super().__init__(Cauchy(0, scale, validate_args=False), validate_args)

    @property
    def mean(self) -> Tensor:
        return creation.full_like(self.scale, math.inf)

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance
