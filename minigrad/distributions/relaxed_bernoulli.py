"""A coin whose samples are differentiable."""

from __future__ import annotations

from typing import Iterable

from minigrad._tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions._probs_or_logits import BinaryParameter
from minigrad.distributions.transformed_distribution import TransformedDistribution
from minigrad.distributions.transforms import SigmoidTransform
from minigrad.distributions.utils import broadcast_all, clamp_probs
from minigrad.nn import functional as F
from minigrad.ops import sampling

__all__ = ["LogitRelaxedBernoulli", "RelaxedBernoulli"]


class LogitRelaxedBernoulli(BinaryParameter):
    """The logits of :class:`RelaxedBernoulli`: a logistic variate around the logit, over the temperature (Maddison, Mnih and Teh,
    The concrete distribution, 2017).

    >>> import minigrad as mg
    >>> mg.distributions.relaxed_bernoulli.LogitRelaxedBernoulli(mg.tensor(2.0), probs=mg.tensor([0.5, 0.9])).sample().shape
    minigrad.Size([2])
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.real
    has_rsample = True

    def __init__(self, temperature: Tensor | float, probs: Tensor | float | None = None, logits: Tensor | float | None = None,
                 validate_args: bool | None = None) -> None:
        self.temperature, = broadcast_all(temperature)
        self._take(probs, logits)
        super().__init__(self._param.shape, validate_args=validate_args)

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        like = self._param
        drawn = clamp_probs(sampling.rand(self._extended_shape(sample_shape), dtype=like.dtype, device=like.device))
        return (drawn.log() - (-drawn).log1p() + self.logits) / self.temperature

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        z = logits - value * self.temperature
        return self.temperature.log() + F.logsigmoid(z) + F.logsigmoid(-z)


class RelaxedBernoulli(TransformedDistribution):
    """Numbers of (0, 1) that come near the 0 and 1 of :class:`Bernoulli` as the `temperature` goes to 0, and whose samples move
    with the parameters (Maddison, Mnih and Teh, The concrete distribution, 2017; Jang, Gu and Poole, Categorical
    reparameterization with Gumbel-softmax, 2017).

    >>> import minigrad as mg
    >>> d = mg.distributions.RelaxedBernoulli(mg.tensor(0.5), logits=mg.zeros(2))
    >>> d.support, d.sample().shape
    (Interval(lower_bound=0.0, upper_bound=1.0), minigrad.Size([2]))
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True
    base_dist: LogitRelaxedBernoulli

    def __init__(self, temperature: Tensor | float, probs: Tensor | float | None = None, logits: Tensor | float | None = None,
                 validate_args: bool | None = None) -> None:
        super().__init__(LogitRelaxedBernoulli(temperature, probs, logits), SigmoidTransform(), validate_args=validate_args)

    @property
    def temperature(self) -> Tensor:
        """How far from 0 and 1 samples stay."""
        return self.base_dist.temperature

    @property
    def logits(self) -> Tensor:
        """The parameter as logits."""
        return self.base_dist.logits

    @property
    def probs(self) -> Tensor:
        """The parameter as probabilities."""
        return self.base_dist.probs
