"""The geometric distribution."""

from __future__ import annotations

from typing import Iterable

from minigrad import autograd
from minigrad._tensor import Tensor
from minigrad._types import dtypes
from minigrad.distributions import constraints
from minigrad.distributions._probs_or_logits import BinaryParameter
from minigrad.distributions.utils import broadcast_all
from minigrad.errors import InvalidValueError
from minigrad.nn import functional as F
from minigrad.ops import creation, sampling
from minigrad.ops.pointwise import special

__all__ = ["Geometric"]


class Geometric(BinaryParameter):
    """How many trials of probability p fail before the first that succeeds; p is given as `probs`, or as `logits`,
    ``log(p / (1 - p))``.

    >>> import minigrad as mg
    >>> mg.distributions.Geometric(probs=mg.tensor(0.25)).mean
    tensor(3.)
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.nonnegative_integer

    def __init__(self, probs: Tensor | float | None = None, logits: Tensor | float | None = None,
                 validate_args: bool | None = None) -> None:
        self._take(probs, logits)
        super().__init__(self._param.shape, validate_args=validate_args)
        if self._validate_args and self._given == "probs" and not (self.probs > 0).all():
            raise InvalidValueError(f"Expected parameter probs (Tensor of shape {tuple(self.probs.shape)}) of distribution "
                                    f"{self!r} to be positive but found invalid values:\n{self.probs}")

    @property
    def mean(self) -> Tensor:
        return 1 / self.probs - 1

    @property
    def mode(self) -> Tensor:
        return creation.zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        return (1 / self.probs - 1) / self.probs

    def sample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        with autograd.no_grad():
            drawn = sampling.rand(self._extended_shape(sample_shape), dtype=self.probs.dtype, device=self.probs.device)
            return (drawn.clamp(min=dtypes.finfo(drawn.dtype).tiny).log() / (-self.probs).log1p()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        value, probs = broadcast_all(value, self.probs)
        return special.xlog1py(value, -probs) + probs.log()

    def entropy(self) -> Tensor:
        return F.binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none") / self.probs
