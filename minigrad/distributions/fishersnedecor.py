"""The F distribution of Fisher and Snedecor."""

from __future__ import annotations

import math
from typing import Iterable

from minigrad._tensor import Tensor
from minigrad._types import dtypes
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.utils import broadcast_all
from minigrad.ops.reparameterized import standard_gamma

__all__ = ["FisherSnedecor"]


class FisherSnedecor(Distribution):
    """The ratio of the means of `df1` and of `df2` squared standard normal numbers.

    >>> import minigrad as mg
    >>> mg.distributions.FisherSnedecor(1.0, mg.tensor([2.0, 4.0])).mean
    tensor([nan, 2.])
    """

    arg_constraints = {"df1": constraints.positive, "df2": constraints.positive}
    support = constraints.positive
    has_rsample = True

    def __init__(self, df1: Tensor | float, df2: Tensor | float, validate_args: bool | None = None) -> None:
        self.df1, self.df2 = broadcast_all(df1, df2)
        super().__init__(self.df1.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        df2 = self.df2.masked_fill(self.df2 <= 2, math.nan)
        return df2 / (df2 - 2)

    @property
    def mode(self) -> Tensor:
        df1 = self.df1.masked_fill(self.df1 <= 2, math.nan)
        return (df1 - 2) / df1 * self.df2 / (self.df2 + 2)

    @property
    def variance(self) -> Tensor:
        df2 = self.df2.masked_fill(self.df2 <= 4, math.nan)
        return 2 * df2 ** 2 * (self.df1 + df2 - 2) / (self.df1 * (df2 - 2) ** 2 * (df2 - 4))

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        first, second = (standard_gamma((df / 2).expand(shape)) / df for df in (self.df1, self.df2))
        tiny = dtypes.finfo(self.df1.dtype).tiny
        return (first / second.clamp(min=tiny)).clamp(min=tiny)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        a, b, ratio = self.df1 / 2, self.df2 / 2, self.df1 / self.df2
        return ((a + b).lgamma() - a.lgamma() - b.lgamma() + (a - 1) * value.log()
                + a * ratio.log() - (a + b) * (ratio * value).log1p())
