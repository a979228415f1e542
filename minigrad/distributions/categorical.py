"""One of several categories, by its number."""

from __future__ import annotations

import math
from typing import Iterable

from minigrad import autograd
from minigrad._tensor import Tensor
from minigrad._types import dtypes
from minigrad.distributions import constraints
from minigrad.distributions._probs_or_logits import CategoricalParameter
from minigrad.ops import creation, sampling
from minigrad.ops.shaping import shape

__all__ = ["Categorical"]


class Categorical(CategoricalParameter):
    """The numbers 0 to K - 1 with the probabilities that stand along the last dimension of `probs`, which are divided by their
    sum, or of which `logits` are the logarithms, up to a constant. Samples are int64.

    >>> import minigrad as mg
    >>> policy = mg.distributions.Categorical(logits=mg.zeros(4))
    >>> policy.log_prob(mg.tensor(2)).exp(), policy.entropy().exp()
    (tensor(0.2500), tensor(4.))
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    has_enumerate_support = True

    def __init__(self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None) -> None:
        super().__init__(self._take(probs, logits), validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> constraints.Constraint:
        return constraints.integer_interval(0, self._num_events - 1)

    @property
    def mean(self) -> Tensor:
        return creation.full(self._extended_shape(), math.nan, dtype=self._param.dtype, device=self._param.device)

    @property
    def mode(self) -> Tensor:
        return self.probs.argmax(-1)

    @property
    def variance(self) -> Tensor:
        return self.mean

    def sample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with autograd.no_grad():
            rows = self.probs.reshape(-1, self._num_events)
            count = shape[:len(shape) - len(self._batch_shape)].numel()
            if not count * len(rows):
                return creation.zeros(shape, dtype=dtypes.int64, device=rows.device)
            return sampling.multinomial(rows, count, True).T.reshape(shape)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        index, logits = shape.broadcast_tensors(value.long().unsqueeze(-1), self.logits)
        return logits.gather(-1, index[..., :1]).squeeze(-1)

    def entropy(self) -> Tensor:
        finite = self.logits.clamp(min=dtypes.finfo(self.logits.dtype).min)
        return -(self.probs * finite).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = creation.arange(self._num_events, device=self._param.device).reshape(-1, *[1] * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values
