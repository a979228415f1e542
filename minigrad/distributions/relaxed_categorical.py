"""One of several categories, with samples that are differentiable."""

from __future__ import annotations

from typing import Iterable

from minigrad._tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions._probs_or_logits import CategoricalParameter
from minigrad.distributions.transformed_distribution import TransformedDistribution
from minigrad.distributions.transforms import ExpTransform
from minigrad.distributions.utils import broadcast_all, clamp_probs
from minigrad.ops import sampling

__all__ = ["ExpRelaxedCategorical", "RelaxedOneHotCategorical"]


class ExpRelaxedCategorical(CategoricalParameter):
    """The logarithms of :class:`RelaxedOneHotCategorical` (Maddison, Mnih and Teh, The concrete distribution, 2017, appendix C).

    >>> import minigrad as mg
    >>> d = mg.distributions.relaxed_categorical.ExpRelaxedCategorical(mg.tensor(1.0), logits=mg.zeros(3))
    >>> d.sample().exp().sum()
    tensor(1.0000)
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.real_vector  # of which the exponentials sum to 1
    has_rsample = True

    def __init__(self, temperature: Tensor | float, probs: Tensor | None = None, logits: Tensor | None = None,
                 validate_args: bool | None = None) -> None:
        self.temperature, = broadcast_all(temperature)
        batch_shape = self._take(probs, logits)
        super().__init__(batch_shape, self._param.shape[-1:], validate_args=validate_args)

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        like = self._param
        drawn = clamp_probs(sampling.rand(self._extended_shape(sample_shape), dtype=like.dtype, device=like.device))
        scores = (self.logits - (-drawn.log()).log()) / self.temperature  # with the noise of Gumbel
        return scores - scores.logsumexp(-1, keepdim=True)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        n = self._num_events
        constant = self.temperature.new_full(self.temperature.shape, n).lgamma() + (n - 1) * self.temperature.log()
        score = logits - value * self.temperature
        return (score - score.logsumexp(-1, keepdim=True)).sum(-1) + constant


class RelaxedOneHotCategorical(TransformedDistribution):
    """Points of the simplex that come near the corners, which are :class:`OneHotCategorical`, as the `temperature` goes to 0, and
    that move with the parameters (Maddison, Mnih and Teh, The concrete distribution, 2017; Jang, Gu and Poole, Categorical
    reparameterization with Gumbel-softmax, 2017).

    >>> import minigrad as mg
    >>> d = mg.distributions.RelaxedOneHotCategorical(mg.tensor(0.5), logits=mg.zeros(2, 3))
    >>> d.rsample().shape, d.support
    (minigrad.Size([2, 3]), Simplex())
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.simplex
    has_rsample = True
    base_dist: ExpRelaxedCategorical

    def __init__(self, temperature: Tensor | float, probs: Tensor | None = None, logits: Tensor | None = None,
                 validate_args: bool | None = None) -> None:
        base = ExpRelaxedCategorical(temperature, probs, logits, validate_args=validate_args)
        super().__init__(base, ExpTransform(), validate_args=validate_args)

    @property
    def temperature(self) -> Tensor:
        """How far from the corners samples stay."""
        return self.base_dist.temperature

    @property
    def logits(self) -> Tensor:
        """The parameter as logits."""
        return self.base_dist.logits

    @property
    def probs(self) -> Tensor:
        """The parameter as probabilities."""
        return self.base_dist.probs
