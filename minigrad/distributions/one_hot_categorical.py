"""One of several categories, as a vector with a single 1."""

from __future__ import annotations

from typing import Iterable

from minigrad._tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions._probs_or_logits import CategoricalParameter
from minigrad.distributions.categorical import Categorical
from minigrad.nn import functional as F
from minigrad.ops import creation

__all__ = ["OneHotCategorical", "OneHotCategoricalStraightThrough"]


class OneHotCategorical(CategoricalParameter):
    """Vectors of K numbers, a 1 in the place of the category and else 0, with the probabilities that stand along the last
    dimension of `probs`, or of which `logits` are the logarithms, up to a constant.

    >>> import minigrad as mg
    >>> d = mg.distributions.OneHotCategorical(probs=mg.tensor([0.25, 0.75]))
    >>> d.mode, d.log_prob(mg.tensor([1.0, 0.0])).exp()
    (tensor([0., 1.]), tensor(0.2500))
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.one_hot
    has_enumerate_support = True

    def __init__(self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None) -> None:
        batch_shape = self._take(probs, logits)
        super().__init__(batch_shape, self._param.shape[-1:], validate_args=validate_args)

    @property
    def _categorical(self) -> Categorical:
        """The distribution of the number of the category."""
        return Categorical(**{self._given: self._param}, validate_args=False)

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        return F.one_hot(self.probs.argmax(-1), self._num_events).to(self.probs.dtype)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        return F.one_hot(self._categorical.sample(sample_shape), self._num_events).to(self._param.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return (self.logits * value).masked_fill(value == 0, 0).sum(-1)

    def entropy(self) -> Tensor:
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        n = self._num_events
        values = creation.eye(n, dtype=self._param.dtype, device=self._param.device)
        values = values.reshape(n, *[1] * len(self._batch_shape), n)
        return values.expand(n, *self._batch_shape, n) if expand else values


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """:class:`OneHotCategorical` with samples whose gradient goes to the probabilities, as if these were the samples (Bengio,
    Leonard and Courville, Estimating or propagating gradients through stochastic neurons, 2013).

    >>> import minigrad as mg
    >>> logits = mg.zeros(3, requires_grad=True)
    >>> x = mg.distributions.OneHotCategoricalStraightThrough(logits=logits).rsample()
    >>> x.sum(), x.requires_grad
    (tensor(1., grad_fn=<SumBackward0>), True)
    """

    has_rsample = True

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        return self.sample(sample_shape) + (self.probs - self.probs.detach())
