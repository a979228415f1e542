"""The beta distribution."""

from __future__ import annotations

from typing import Iterable

from minigrad._tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.dirichlet import Dirichlet
from minigrad.distributions.exp_family import ExponentialFamily
from minigrad.distributions.utils import broadcast_all
from minigrad.ops.reparameterized import sample_dirichlet
from minigrad.ops.shaping import slicing

__all__ = ["Beta"]


class Beta(ExponentialFamily):
    """The beta distribution on [0, 1], of density ``x**(a - 1) * (1 - x)**(b - 1)`` times a constant, where a is `concentration1`
    and b is `concentration0`: the first coordinate of a Dirichlet distribution of two.

    Samples move with both by implicit differentiation.

    >>> import minigrad as mg
    >>> mg.distributions.Beta(mg.tensor([1.0, 3.0]), mg.tensor([1.0, 1.0])).mean
    tensor([0.5000, 0.7500])
    """

    arg_constraints = {"concentration1": constraints.positive, "concentration0": constraints.positive}
    support = constraints.unit_interval
    has_rsample = True

    def __init__(self, concentration1: Tensor | float, concentration0: Tensor | float,
                 validate_args: bool | None = None) -> None:
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        super().__init__(self.concentration1.shape, validate_args=validate_args)

    @property
    def _both(self) -> Tensor:
        return slicing.stack([self.concentration1, self.concentration0], -1)

    @property
    def mean(self) -> Tensor:
        return self.concentration1 / (self.concentration1 + self.concentration0)

    @property
    def mode(self) -> Tensor:
        return Dirichlet(self._both, validate_args=False).mode[..., 0]

    @property
    def variance(self) -> Tensor:
        total = self.concentration1 + self.concentration0
        return self.concentration1 * self.concentration0 / (total ** 2 * (total + 1))

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        return sample_dirichlet(self._both.expand((*self._extended_shape(sample_shape), 2)))[..., 0]

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return ((self.concentration1 - 1).xlogy(value) + (self.concentration0 - 1).xlogy(1 - value)
                - self._log_normalizer(*self._natural_params))

    def entropy(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        return (self._log_normalizer(a, b) - (a - 1) * a.digamma() - (b - 1) * b.digamma()
                + (a + b - 2) * (a + b).digamma())

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return self.concentration1, self.concentration0

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        x, y = natural_params
        return x.lgamma() + y.lgamma() - (x + y).lgamma()
