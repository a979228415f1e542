"""The Dirichlet distribution."""

from __future__ import annotations

from typing import Iterable

from minigrad._tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.exp_family import ExponentialFamily
from minigrad.errors import InvalidValueError
from minigrad.nn import functional as F
from minigrad.ops.pointwise import comparison
from minigrad.ops.reparameterized import dirichlet_slope, sample_dirichlet

__all__ = ["Dirichlet"]


def _Dirichlet_backward(x: Tensor, concentration: Tensor, grad_output: Tensor) -> Tensor:
    """The gradient of the concentrations, where that of the sample `x` is `grad_output`."""
    gradient: Tensor = dirichlet_slope(x, concentration, grad_output)
    return gradient


class Dirichlet(ExponentialFamily):
    """Points of the simplex, of density ``prod_i x_i**(a_i - 1)`` times a constant, where a is `concentration`, of shape (*, n).

    Samples move with `concentration` by implicit differentiation.

    >>> import minigrad as mg
    >>> mg.distributions.Dirichlet(mg.tensor([1.0, 2.0, 1.0])).mean
    tensor([0.2500, 0.5000, 0.2500])
    """

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration: Tensor, validate_args: bool | None = None) -> None:
        if concentration.dim() < 1:
            raise InvalidValueError("Dirichlet: `concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.concentration.sum(-1, True)

    @property
    def mode(self) -> Tensor:
        above = (self.concentration - 1).clamp(min=0)
        corner = F.one_hot(above.argmax(-1), above.shape[-1]).to(above.dtype)  # where all are below 1, each corner is one
        return comparison.where((self.concentration < 1).all(-1, True), corner, above / above.sum(-1, True))

    @property
    def variance(self) -> Tensor:
        total = self.concentration.sum(-1, True)
        return self.concentration * (total - self.concentration) / (total ** 2 * (total + 1))

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        return sample_dirichlet(self.concentration.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return (self.concentration - 1).xlogy(value).sum(-1) - self._log_normalizer(self.concentration)

    def entropy(self) -> Tensor:
        a, total = self.concentration, self.concentration.sum(-1)
        return (self._log_normalizer(a) + (total - a.shape[-1]) * total.digamma() - ((a - 1) * a.digamma()).sum(-1))

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.concentration,)

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        x, = natural_params
        return x.lgamma().sum(-1) - x.sum(-1).lgamma()
