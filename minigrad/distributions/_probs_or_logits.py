"""Families whose parameter is given as probabilities or as logits; the other is computed when it is first asked for."""

from __future__ import annotations

from typing import Any

from minigrad._tensor import Tensor
from minigrad._types.size import Size
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.utils import broadcast_all, lazy_property, logits_to_probs, probs_to_logits
from minigrad.errors import InvalidValueError


class ProbsOrLogits(Distribution):
    """What both kinds share."""

    _given: str  # "probs" or "logits"
    _is_binary: bool

    def _choose(self, probs: Any, logits: Any) -> Any:
        """Remember which of the two was given, and return it."""
        if (probs is None) == (logits is None):
            raise InvalidValueError(f"{type(self).__name__}: Either `probs` or `logits` must be specified, but not both.")
        self._given = "probs" if logits is None else "logits"
        return probs if logits is None else logits

    @property
    def _param(self) -> Tensor:
        """That of `probs` and `logits` which was given."""
        given: Tensor = vars(self)[self._given]
        return given

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter."""
        return self._param.shape

    @lazy_property
    def logits(self) -> Tensor:
        """The parameter as logits."""
        return probs_to_logits(self.probs, self._is_binary)

    @lazy_property
    def probs(self) -> Tensor:
        """The parameter as probabilities."""
        return logits_to_probs(self.logits, self._is_binary)


class BinaryParameter(ProbsOrLogits):
    """Each element of the parameter is the probability of a success, or the logarithm of its odds."""

    _is_binary = True

    def _take(self, probs: Any, logits: Any, **beside: Any) -> None:
        """Hold the parameter that was given and those `beside` it, in one shape."""
        given, *others = broadcast_all(self._choose(probs, logits), *beside.values())
        vars(self).update({self._given: given}, **{name: other.to(given.dtype) for name, other in zip(beside, others)})


class CategoricalParameter(ProbsOrLogits):
    """The last dimension of the parameter has a number for each category."""

    _is_binary = False

    def _take(self, probs: Any, logits: Any) -> Size:
        """Hold the parameter that was given, normalized. Returns the shape of the batch."""
        given = self._choose(probs, logits)
        if given.dim() < 1:
            raise InvalidValueError(f"{type(self).__name__}: `{self._given}` parameter must be at least one-dimensional.")
        if self._given == "probs":
            vars(self)["probs"] = given / given.sum(-1, keepdim=True)
        else:
            vars(self)["logits"] = given - given.logsumexp(-1, keepdim=True)
        batch_shape: Size = given.shape[:-1]
        return batch_shape

    @property
    def _num_events(self) -> int:
        """How many categories there are."""
        return self._param.shape[-1]
