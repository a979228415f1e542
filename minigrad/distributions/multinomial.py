"""How often each of several categories is drawn."""

from __future__ import annotations

from typing import Iterable

from minigrad import autograd
from minigrad._tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions._probs_or_logits import CategoricalParameter
from minigrad.distributions.binomial import Binomial
from minigrad.distributions.categorical import Categorical
from minigrad.distributions.utils import broadcast_all
from minigrad.ops import creation

__all__ = ["Multinomial"]


class Multinomial(CategoricalParameter):
    """Counts of K categories in `total_count` draws, with the probabilities that stand along the last dimension of `probs`, or of
    which `logits` are the logarithms, up to a constant. `total_count` is one int for the whole batch.

    >>> import minigrad as mg
    >>> d = mg.distributions.Multinomial(4, probs=mg.tensor([1.0, 3.0]))
    >>> d.mean, d.sample().sum()
    (tensor([1., 3.]), tensor(4.))
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    total_count: int

    def __init__(self, total_count: int = 1, probs: Tensor | None = None, logits: Tensor | None = None,
                 validate_args: bool | None = None) -> None:
        if not isinstance(total_count, int):
            raise NotImplementedError("Multinomial: inhomogeneous total_count is not supported, it must be an int")
        self.total_count = total_count
        batch_shape = self._take(probs, logits)
        super().__init__(batch_shape, self._param.shape[-1:], validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> constraints.Constraint:
        return constraints.multinomial(self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with autograd.no_grad():
            one = Categorical(**{self._given: self._param}, validate_args=False)
            drawn = one.sample((self.total_count, *sample_shape)).movedim(0, -1)
            counts = self._param.new_zeros(shape)
            return counts.scatter_add_(-1, drawn, creation.ones_like(drawn, dtype=counts.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        logits = logits.masked_fill((value == 0) & logits.isneginf(), 0)  # what cannot happen and did not
        return (value.sum(-1) + 1).lgamma() - (value + 1).lgamma().sum(-1) + (logits * value).sum(-1)

    def entropy(self) -> Tensor:
        # -log(n!) + n H(p) + sum_i E[log(x_i!)], where each x_i is binomial.
        n = self.total_count
        each = Binomial(n, probs=self.probs, validate_args=False)
        counts = each.enumerate_support(False)[1:]
        own = n * Categorical(**{self._given: self._param}, validate_args=False).entropy()
        log_factorials = (each.log_prob(counts).exp() * (counts + 1).lgamma()).sum(0).sum(-1)
        return own - self._param.new_full((), n + 1).lgamma() + log_factorials
