"""The Laplace distribution."""

from __future__ import annotations

import math
from typing import Iterable

from minigrad._tensor import Tensor
from minigrad._types import dtypes
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.utils import broadcast_all
from minigrad.ops import sampling

__all__ = ["Laplace"]


class Laplace(Distribution):
    """The double exponential distribution of density ``exp(-|x - loc| / scale) / (2 scale)``.

    >>> import minigrad as mg
    >>> mg.distributions.Laplace(1.0, 2.0).variance
    tensor(8.)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    def __init__(self, loc: Tensor | float, scale: Tensor | float, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return math.sqrt(2) * self.scale

    @property
    def variance(self) -> Tensor:
        return 2 * self.scale ** 2

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        shape, dtype, device = self._extended_shape(sample_shape), self.loc.dtype, self.loc.device
        centred = sampling.rand(shape, dtype=dtype, device=device) - 0.5  # whose size times 2 must stay below 1
        size = (2 * centred.abs()).clamp(max=1 - dtypes.finfo(dtype).eps)
        return self.loc - self.scale * centred.sign() * (-size).log1p()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return -(2 * self.scale).log() - (value - self.loc).abs() / self.scale

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        z = (value - self.loc) / self.scale
        return 0.5 - 0.5 * z.sign() * (-z.abs()).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        centred = value - 0.5
        return self.loc - self.scale * centred.sign() * (-2 * centred.abs()).log1p()

    def entropy(self) -> Tensor:
        return 1 + (2 * self.scale).log()
