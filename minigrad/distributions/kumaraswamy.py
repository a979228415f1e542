"""The Kumaraswamy distribution."""

from __future__ import annotations

import math

from minigrad._tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.transformed_distribution import TransformedDistribution
from minigrad.distributions.transforms import AffineTransform, PowerTransform
from minigrad.distributions.uniform import Uniform
from minigrad.distributions.utils import EULER, broadcast_all
from minigrad.ops import creation

__all__ = ["Kumaraswamy"]


class Kumaraswamy(TransformedDistribution):
    """Much like the beta distribution, with a simpler distribution function: ``1 - (1 - x**a)**b``, where a is `concentration1`
    and b is `concentration0`.

    >>> import minigrad as mg
    >>> mg.distributions.Kumaraswamy(2.0, 1.0).cdf(mg.tensor(0.5))
    tensor(0.2500)
    """

    arg_constraints = {"concentration1": constraints.positive, "concentration0": constraints.positive}
    support = constraints.unit_interval
    has_rsample = True

    def __init__(self, concentration1: Tensor | float, concentration0: Tensor | float,
                 validate_args: bool | None = None) -> None:
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        base = Uniform(creation.zeros_like(self.concentration0), creation.ones_like(self.concentration0),
                       validate_args=validate_args)
        super().__init__(base, [PowerTransform(exponent=self.concentration0.reciprocal()), AffineTransform(loc=1.0, scale=-1.0),
                                PowerTransform(exponent=self.concentration1.reciprocal())], validate_args=validate_args)

    def _moment(self, n: int) -> Tensor:
        """The expected value of ``x**n``: b times the beta function of ``1 + n / a`` and b."""
        first, b = 1 + n / self.concentration1, self.concentration0
        return (b.log() + first.lgamma() + b.lgamma() - (first + b).lgamma()).exp()

    @property
    def mean(self) -> Tensor:
        return self._moment(1)

    @property
    def mode(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        inside = (a >= 1) & (b >= 1) & (a * b > 1)
        return ((a - 1) / (a * b - 1)).pow(1 / a).masked_fill(~inside, math.nan)

    @property
    def variance(self) -> Tensor:
        return self._moment(2) - self.mean ** 2

    def entropy(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        return 1 - 1 / b + (1 - 1 / a) * ((b + 1).digamma() + EULER) - a.log() - b.log()
