"""The Weibull distribution."""

from __future__ import annotations

import math

from minigrad._tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.exponential import Exponential
from minigrad.distributions.transformed_distribution import TransformedDistribution
from minigrad.distributions.transforms import AffineTransform, PowerTransform
from minigrad.distributions.utils import EULER, broadcast_all
from minigrad.ops import creation

__all__ = ["Weibull"]


class Weibull(TransformedDistribution):
    """Life times: that of more than x has probability ``exp(-(x / scale) ** concentration)``.

    >>> import minigrad as mg
    >>> mg.distributions.Weibull(2.0, 1.0).mean
    tensor(2.)
    """

    arg_constraints = {"scale": constraints.positive, "concentration": constraints.positive}
    support = constraints.positive

    def __init__(self, scale: Tensor | float, concentration: Tensor | float, validate_args: bool | None = None) -> None:
        self.scale, self.concentration = broadcast_all(scale, concentration)
        super().__init__(Exponential(creation.ones_like(self.scale), validate_args=validate_args),
                         [PowerTransform(exponent=self.concentration.reciprocal()), AffineTransform(loc=0, scale=self.scale)],
                         validate_args=validate_args)

    def _moment(self, n: int) -> Tensor:
        """The expected value of ``(x / scale) ** n``."""
        return (1 + n / self.concentration).lgamma().exp()

    @property
    def mean(self) -> Tensor:
        return self.scale * self._moment(1)

    @property
    def mode(self) -> Tensor:
        k = self.concentration  # below 1 the density is infinite at 0, which is not in the support
        return (self.scale * ((k - 1) / k).pow(1 / k)).masked_fill(k < 1, math.nan)

    @property
    def variance(self) -> Tensor:
        return self.scale ** 2 * (self._moment(2) - self._moment(1) ** 2)

    def entropy(self) -> Tensor:
        k = self.concentration
        return EULER * (1 - 1 / k) + (self.scale / k).log() + 1
