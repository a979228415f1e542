"""The von Mises distribution."""

from __future__ import annotations

import math
from typing import Iterable

from minigrad import autograd
from minigrad._tensor import Tensor
from minigrad._types import dtypes
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.utils import broadcast_all
from minigrad.ops import sampling
from minigrad.ops.pointwise import special

__all__ = ["VonMises"]


class VonMises(Distribution):
    """Angles around `loc`, of density ``exp(concentration * cos(x - loc)) / (2 pi I0(concentration))``. Samples are in [-pi, pi).

    >>> import minigrad as mg
    >>> mg.distributions.VonMises(mg.tensor([0.0]), mg.tensor([4.0])).variance
    tensor([0.1365])
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    has_rsample = False

    def __init__(self, loc: Tensor | float, concentration: Tensor | float, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        """That of angles: 1 less the length of their mean direction, ``I1(concentration) / I0(concentration)``."""
        return 1 - special.i1e(self.concentration) / special.i0e(self.concentration)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        # i0e(k) is exp(-k) I0(k)
        return (self.concentration * ((value - self.loc).cos() - 1) - math.log(2 * math.pi)
                - special.i0e(self.concentration).log())

    def sample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        # By rejection from a wrapped Cauchy distribution (Best and Fisher, Efficient simulation of the von Mises distribution,
        # 1979), in double precision, in which the constants of a large concentration do not cancel.
        with autograd.no_grad():
            kappa = self.concentration.to(dtypes.float64).expand(self._extended_shape(sample_shape))
            tau = 1 + (1 + 4 * kappa ** 2).sqrt()
            rho = (tau - (2 * tau).sqrt()) / (2 * kappa)
            r = (1 + rho ** 2) / (2 * rho)
            r = (1 / kappa + kappa).where(kappa < 1e-5, r)  # the series at 0, where these are differences of equals
            angle = kappa.new_zeros(kappa.shape)
            pending = kappa == kappa
            while pending.any():
                u = sampling.rand(3, *kappa.shape, dtype=dtypes.float64, device=kappa.device)
                z = (math.pi * u[0]).cos()
                f = (1 + r * z) / (r + z)
                c = kappa * (r - f)
                accepted = pending & ((c * (2 - c) - u[1] > 0) | ((c / u[1]).log() + 1 - c >= 0))
                angle = ((u[2] - 0.5).sign() * f.clamp(-1, 1).acos()).where(accepted, angle)
                pending = pending & ~accepted
            around = angle + self.loc.to(dtypes.float64) + math.pi
            return (around % (2 * math.pi) - math.pi).to(self.loc.dtype)
