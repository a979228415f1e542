"""Mixtures."""

from __future__ import annotations

from typing import Any, Iterable

from minigrad import autograd
from minigrad._tensor import Tensor
from minigrad._types.size import Size
from minigrad.distributions import constraints
from minigrad.distributions.categorical import Categorical
from minigrad.distributions.constraints import MixtureSameFamilyConstraint
from minigrad.distributions.distribution import Distribution
from minigrad.errors import InvalidValueError

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Distribution):
    """Samples of that component of `component_distribution`, along its last batch dimension, which `mixture_distribution`
    chooses.

    >>> import minigrad as mg
    >>> from minigrad.distributions import Categorical, MixtureSameFamily, Normal
    >>> mixture = MixtureSameFamily(Categorical(mg.tensor([0.25, 0.75])), Normal(mg.tensor([-1.0, 1.0]), mg.tensor([1.0, 1.0])))
    >>> mixture.mean
    tensor(0.5000)
    """

    arg_constraints: dict[str, constraints.Constraint] = {}
    has_rsample = False

    def __init__(self, mixture_distribution: Categorical, component_distribution: Distribution,
                 validate_args: bool | None = None) -> None:
        if not isinstance(mixture_distribution, Categorical):
            raise InvalidValueError("The Mixture distribution needs to be an instance of minigrad.distributions.Categorical, got "
                                    f"{type(mixture_distribution).__name__}")
        if not isinstance(component_distribution, Distribution):
            raise InvalidValueError("The Component distribution needs to be an instance of minigrad.distributions.Distribution, "
                                    f"got {type(component_distribution).__name__}")
        self._mixture_distribution, self._component_distribution = mixture_distribution, component_distribution
        mixtures, components = mixture_distribution.batch_shape, component_distribution.batch_shape
        if any(1 != n != m != 1 for n, m in zip(reversed(mixtures), reversed(components[:-1]))):
            raise InvalidValueError(f"`mixture_distribution.batch_shape` ({mixtures}) is not compatible with "
                                    f"`component_distribution.batch_shape`({components})")
        choices = mixture_distribution.logits.shape[-1]
        if components[-1:] != (choices,):
            raise InvalidValueError(f"`mixture_distribution component` ({choices}) does not equal "
                                    f"`component_distribution.batch_shape[-1]` ({components[-1:]})")
        self._num_component, self._event_ndims = choices, len(component_distribution.event_shape)
        super().__init__(components[:-1], component_distribution.event_shape, validate_args=validate_args)

    def _expand_into(self, new: Any, batch_shape: Size) -> None:
        super()._expand_into(new, batch_shape)
        new._mixture_distribution = self._mixture_distribution.expand(batch_shape)
        new._component_distribution = self._component_distribution.expand(batch_shape + (self._num_component,))

    @constraints.dependent_property
    def support(self) -> constraints.Constraint:
        return MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self) -> Categorical:
        """Which component a sample is of."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Distribution:
        """The components."""
        return self._component_distribution

    def _average(self, values: Tensor) -> Tensor:
        """The average over the components, each with its probability."""
        weights = self._mixture_distribution.probs
        weights = weights.reshape(*weights.shape, *[1] * self._event_ndims)
        return (weights * values).sum(-1 - self._event_ndims)

    @property
    def mean(self) -> Tensor:
        return self._average(self._component_distribution.mean)

    @property
    def variance(self) -> Tensor:
        # That within the components, and that of their means.
        between = (self._component_distribution.mean - self.mean.unsqueeze(-1 - self._event_ndims)) ** 2
        return self._average(self._component_distribution.variance) + self._average(between)

    def cdf(self, value: Tensor) -> Tensor:
        values = self._component_distribution.cdf(value.unsqueeze(-1 - self._event_ndims))
        return (self._mixture_distribution.probs * values).sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        values = self._component_distribution.log_prob(value.unsqueeze(-1 - self._event_ndims))
        return (values + self._mixture_distribution.logits).logsumexp(-1)

    def sample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        sample_shape = tuple(sample_shape)
        with autograd.no_grad():
            chosen = self._mixture_distribution.sample(sample_shape)
            chosen = chosen.expand(Size(sample_shape) + self._batch_shape)  # components may have more batch dimensions
            of_each = self._component_distribution.sample(sample_shape)
            index = chosen.reshape(*chosen.shape, *[1] * (self._event_ndims + 1))
            dim = len(chosen.shape)
            return of_each.gather(dim, index.expand((*chosen.shape, 1, *self._event_shape))).squeeze(dim)

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self._mixture_distribution},\n  {self._component_distribution})"
