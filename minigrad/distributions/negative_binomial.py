"""The negative binomial distribution."""

from __future__ import annotations

from typing import Iterable

from minigrad import autograd
from minigrad._tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions._probs_or_logits import BinaryParameter
from minigrad.distributions.gamma import Gamma
from minigrad.nn import functional as F
from minigrad.ops import sampling
from minigrad.ops.pointwise import comparison

__all__ = ["NegativeBinomial"]


class NegativeBinomial(BinaryParameter):
    """How many trials of probability p succeed before `total_count` have failed; p is given as `probs`, or as `logits`,
    ``log(p / (1 - p))``. `total_count` need not be whole.

    >>> import minigrad as mg
    >>> mg.distributions.NegativeBinomial(2.0, probs=mg.tensor(0.75)).mean
    tensor(6.)
    """

    arg_constraints = {"total_count": constraints.greater_than_eq(0), "probs": constraints.half_open_interval(0.0, 1.0),
                       "logits": constraints.real}
    support = constraints.nonnegative_integer
    total_count: Tensor

    def __init__(self, total_count: Tensor | float, probs: Tensor | float | None = None, logits: Tensor | float | None = None,
                 validate_args: bool | None = None) -> None:
        self._take(probs, logits, total_count=total_count)
        super().__init__(self._param.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.logits.exp()

    @property
    def mode(self) -> Tensor:
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.mean / F.sigmoid(-self.logits)

    def sample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        # A Poisson distribution whose rate is a gamma variate.
        with autograd.no_grad():
            odds_against = (-self._param).exp() if self._given == "logits" else (1 - self._param) / self._param
            return sampling.poisson(Gamma(self.total_count, odds_against, validate_args=False).sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n = self.total_count
        ways = (n + value).lgamma() - (value + 1).lgamma() - n.lgamma()
        ways = comparison.where(n + value == 0, 0.0, ways)  # 0 of 0, where two of the terms are infinite
        return ways + n * F.logsigmoid(-self.logits) + value * F.logsigmoid(self.logits)
