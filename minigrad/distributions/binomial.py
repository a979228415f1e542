"""How many of several coins show heads."""

from __future__ import annotations

from typing import Iterable

from minigrad import autograd
from minigrad._tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions._probs_or_logits import BinaryParameter
from minigrad.nn import functional as F
from minigrad.ops import creation, sampling

__all__ = ["Binomial"]


class Binomial(BinaryParameter):
    """The number of successes in `total_count` trials of probability p, given as `probs` or as `logits`, ``log(p / (1 - p))``.

    >>> import minigrad as mg
    >>> d = mg.distributions.Binomial(2, probs=mg.tensor(0.5))
    >>> d.log_prob(mg.tensor([0.0, 1.0, 2.0])).exp()
    tensor([0.2500, 0.5000, 0.2500])
    """

    arg_constraints = {"total_count": constraints.nonnegative_integer, "probs": constraints.unit_interval,
                       "logits": constraints.real}
    has_enumerate_support = True
    total_count: Tensor

    def __init__(self, total_count: Tensor | int = 1, probs: Tensor | float | None = None, logits: Tensor | float | None = None,
                 validate_args: bool | None = None) -> None:
        self._take(probs, logits, total_count=total_count)
        super().__init__(self._param.shape, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> constraints.Constraint:
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        return ((self.total_count + 1) * self.probs).floor().minimum(self.total_count)

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with autograd.no_grad():
            return sampling.binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        failures = self.total_count - value
        ways = (self.total_count + 1).lgamma() - (value + 1).lgamma() - (failures + 1).lgamma()
        return ways + value * F.logsigmoid(self.logits) + failures * F.logsigmoid(-self.logits)

    def entropy(self) -> Tensor:
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(log_prob.exp() * log_prob).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        most = self.total_count.max()
        if not (self.total_count == most).all():
            raise NotImplementedError("Binomial: the support can only be enumerated where every total_count is the same")
        values = creation.arange(int(most) + 1, dtype=self._param.dtype, device=self._param.device)
        values = values.reshape(-1, *[1] * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values
