"""The continuous Bernoulli distribution."""

from __future__ import annotations

import math
from typing import Any, Iterable

from minigrad._tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions._probs_or_logits import BinaryParameter
from minigrad.distributions.exp_family import ExponentialFamily
from minigrad.distributions.utils import broadcast_all, clamp_probs, lazy_property, logits_to_probs
from minigrad.errors import InvalidValueError
from minigrad.nn import functional as F
from minigrad.ops import sampling
from minigrad.ops.pointwise import comparison

__all__ = ["ContinuousBernoulli"]


class ContinuousBernoulli(BinaryParameter, ExponentialFamily):
    """Numbers of [0, 1] of density ``p**x * (1 - p)**(1 - x)`` times a constant (Loaiza-Ganem and Cunningham, The continuous
    Bernoulli: fixing a pervasive error in variational autoencoders, 2019). p is given as `probs`, or as `logits`.

    The formulas are 0/0 at p = 1/2; between the two numbers of `lims` their Taylor series stand for them.

    >>> import minigrad as mg
    >>> mg.distributions.ContinuousBernoulli(probs=mg.tensor([0.1, 0.5])).mean
    tensor([0.3301, 0.5000])
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, probs: Tensor | float | None = None, logits: Tensor | float | None = None,
                 lims: tuple[float, float] = (0.499, 0.501), validate_args: bool | None = None) -> None:
        self._take(probs, logits)
        self._lims = lims
        if self._given == "probs":
            if (self._validate_args if validate_args is None else validate_args) \
                    and not constraints.unit_interval.check(self.probs).all():
                raise InvalidValueError("ContinuousBernoulli: The parameter probs has invalid values, expected them in [0, 1]")
            vars(self)["probs"] = clamp_probs(self.probs)
        super().__init__(self._param.shape, validate_args=validate_args)

    @lazy_property
    def probs(self) -> Tensor:
        """The parameter as probabilities, which are kept away from 0 and 1."""
        return clamp_probs(logits_to_probs(self.logits, is_binary=True))

    def _outside(self) -> Tensor:
        """Where p is far enough from 1/2 for the formulas."""
        return (self.probs <= self._lims[0]) | (self.probs > self._lims[1])

    def _choose_formula(self, formula: Any, series: Any) -> Tensor:
        """``formula(p)`` where p is far from 1/2, else ``series(p - 1/2)``."""
        outside = self._outside()
        far = comparison.where(outside, self.probs, self._lims[0])  # so that no NaN reaches the gradient
        return comparison.where(outside, formula(far), series(self.probs - 0.5))

    def _log_constant(self) -> Tensor:
        """The logarithm of the constant that makes the density integrate to 1: ``2 atanh(1 - 2p) / (1 - 2p)``."""
        return self._choose_formula(lambda p: ((-p).log1p() - p.log()).abs().log() - (1 - 2 * p).abs().log(),
                                    lambda d: math.log(2) + (4 / 3 + 104 / 45 * d * d) * d * d)

    @property
    def mean(self) -> Tensor:
        return self._choose_formula(lambda p: p / (2 * p - 1) + 1 / ((-p).log1p() - p.log()),
                                    lambda d: 0.5 + (1 / 3 + 16 / 45 * d * d) * d)

    @property
    def variance(self) -> Tensor:
        return self._choose_formula(lambda p: p * (p - 1) / (1 - 2 * p) ** 2 + ((-p).log1p() - p.log()) ** -2,
                                    lambda d: 1 / 12 - (1 / 15 - 128 / 945 * d * d) * d * d)

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        drawn = sampling.rand(self._extended_shape(sample_shape), dtype=self._param.dtype, device=self._param.device)
        return self.icdf(drawn)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return self._log_constant() - F.binary_cross_entropy_with_logits(logits, value, reduction="none")

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return self._choose_formula(lambda p: (p ** value * (1 - p) ** (1 - value) + p - 1) / (2 * p - 1),
                                    lambda d: value + 0 * d).clamp(0, 1)

    def icdf(self, value: Tensor) -> Tensor:
        return self._choose_formula(lambda p: ((-p + value * (2 * p - 1)).log1p() - (-p).log1p()) / (p.log() - (-p).log1p()),
                                    lambda d: value + 0 * d)

    def entropy(self) -> Tensor:
        zero, one = (-self.probs).log1p(), self.probs.log()
        return self.mean * (zero - one) - self._log_constant() - zero

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.logits,)

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        x, = natural_params
        outside = (x <= self._lims[0] - 0.5) | (x > self._lims[1] - 0.5)
        far = comparison.where(outside, x, self._lims[0] - 0.5)
        return comparison.where(outside, far.expm1().abs().log() - far.abs().log(), 0.5 * x + x ** 2 / 24 - x ** 4 / 2880)
