"""The absolute value of a normal variate."""

from __future__ import annotations

import math

from minigrad._tensor import Tensor
from minigrad.distributions._folded import Folded
from minigrad.distributions.normal import Normal

__all__ = ["HalfNormal"]


class HalfNormal(Folded):
    """``|x|`` for x of the normal distribution of mean 0 and standard deviation `scale`.

    >>> import minigrad as mg
    >>> mg.distributions.HalfNormal(1.0).mean
    tensor(0.7979)
    """

    base_dist: Normal

    def __init__(self, scale: Tensor | float, validate_args: bool | None = None) -> None:
        super().__init__(Normal(0, scale, validate_args=False), validate_args)

    @property
    def mean(self) -> Tensor:
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def variance(self) -> Tensor:
        return self.scale ** 2 * (1 - 2 / math.pi)
