"""The base of all distributions."""

from __future__ import annotations

import warnings
from typing import Any, Iterable, Self

from minigrad import autograd
from minigrad._tensor import Tensor
from minigrad._types.size import Size
from minigrad.distributions import constraints
from minigrad.distributions.constraints import Constraint
from minigrad.distributions.utils import lazy_property
from minigrad.errors import InvalidValueError

__all__ = ["Distribution"]


class Distribution:
    """A distribution, or a batch of independent ones, of events that are numbers, vectors or matrices.

    A sample has the shape ``sample_shape + batch_shape + event_shape``, where ``sample_shape`` is what is asked for,
    ``batch_shape`` counts distributions, and ``event_shape`` is that of one event; it is () for numbers.

    A family names its parameters and the sets they come from in ``arg_constraints``, and the set of its samples in ``support``.

    Args:
        batch_shape, event_shape: see above.
        validate_args: check parameters, and the values that probabilities are asked of, and raise ``ValueError`` for those
            outside their sets. None: what :meth:`set_default_validate_args` says.

    >>> import minigrad as mg
    >>> d = mg.distributions.Normal(mg.zeros(3), 1.0)
    >>> isinstance(d, mg.distributions.Distribution), d.batch_shape, d.event_shape, d.sample((2,)).shape
    (True, minigrad.Size([3]), minigrad.Size([]), minigrad.Size([2, 3]))
    """

    has_rsample = False
    has_enumerate_support = False
    _validate_args = __debug__

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether to check arguments where nothing else is said. They are checked unless Python runs with ``-O``."""
        if value not in (True, False):
            raise InvalidValueError(f"set_default_validate_args: expected True or False, got {value!r}")
        Distribution._validate_args = value

    def __init__(self, batch_shape: Iterable[int] = (), event_shape: Iterable[int] = (),
                 validate_args: bool | None = None) -> None:
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            try:
                declared = self.arg_constraints
            except NotImplementedError:
                declared = {}
                warnings.warn(f"{type(self)} does not define `arg_constraints`. Please set `arg_constraints = {{}}` or "
                              "initialize the distribution with `validate_args=False` to turn off validation.", stacklevel=2)
            self._validate_parameters(declared)

    def _validate_parameters(self, declared: dict[str, Constraint]) -> None:
        for name, constraint in declared.items():
            lazy = name not in vars(self) and isinstance(getattr(type(self), name, None), lazy_property)
            if lazy or constraints.is_dependent(constraint):
                continue
            value = getattr(self, name)
            if not constraint.check(value).all():
                raise InvalidValueError(
                    f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of distribution {self!r} "
                    f"to satisfy the constraint {constraint!r}, but found invalid values:\n{value}")

    @property
    def arg_constraints(self) -> dict[str, Constraint]:
        """The parameters of the family, and the set that each comes from."""
        raise NotImplementedError(f"{type(self)} does not define arg_constraints")

    @property
    def support(self) -> Constraint:
        """The set of the samples."""
        raise NotImplementedError(f"{type(self)} does not define support")

    @property
    def batch_shape(self) -> Size:
        """How many independent distributions this is, and how they are arranged."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one event, () for numbers."""
        return self._event_shape

    # ------------------------------------------------------------------------------------------------ moments

    @property
    def mean(self) -> Tensor:
        """The expected value, of shape ``batch_shape + event_shape``."""
        raise NotImplementedError(f"{type(self)} does not implement mean")

    @property
    def mode(self) -> Tensor:
        """The most probable value, of shape ``batch_shape + event_shape``."""
        raise NotImplementedError(f"{type(self)} does not implement mode")

    @property
    def variance(self) -> Tensor:
        """The variance of each element, of shape ``batch_shape + event_shape``."""
        raise NotImplementedError(f"{type(self)} does not implement variance")

    @property
    def stddev(self) -> Tensor:
        """The square root of the variance."""
        return self.variance.sqrt()

    def entropy(self) -> Tensor:
        """The expected value of ``-log_prob``, in nats, of shape `batch_shape`."""
        raise NotImplementedError(f"{type(self)} does not implement entropy")

    def perplexity(self) -> Tensor:
        """The exponential of the entropy."""
        return self.entropy().exp()

    # ------------------------------------------------------------------------------------------------ samples

    def sample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        """A sample for each index of `sample_shape`, outside the graph."""
        with autograd.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        """A sample for each index of `sample_shape` that moves with the parameters, so that gradients of it reach them."""
        raise NotImplementedError(f"{type(self)} does not implement rsample")

    def sample_n(self, n: int) -> Tensor:
        """`n` samples; ``sample((n,))`` is the same."""
        warnings.warn("`sample_n(n)` will be deprecated. Use `sample((n,))` instead.", FutureWarning, stacklevel=2)
        return self.sample((n,))

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values of a discrete distribution, along a new first dimension; with the batch's dimensions 1 unless `expand`."""
        raise NotImplementedError(f"{type(self)} does not implement enumerate_support")

    # ------------------------------------------------------------------------------------------------ probabilities

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density, or of the probability, of `value`."""
        raise NotImplementedError(f"{type(self)} does not implement log_prob")

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of samples up to `value`."""
        raise NotImplementedError(f"{type(self)} does not implement cdf")

    def icdf(self, value: Tensor) -> Tensor:
        """The quantile: the inverse of :meth:`cdf`."""
        raise NotImplementedError(f"{type(self)} does not implement icdf")

    def _validate_sample(self, value: Tensor) -> None:
        """Raise ``ValueError`` if `value` has not the shape of events, or is not in the support, where arguments are
        validated."""
        if not self._validate_args:
            return
        if not isinstance(value, Tensor):
            raise InvalidValueError(f"The value argument to log_prob must be a Tensor, got {type(value).__name__}")
        shape = value.shape
        if shape[value.dim() - len(self._event_shape):] != self._event_shape:
            raise InvalidValueError(f"The right-most size of value must match event_shape: {shape} vs {self._event_shape}.")
        expected = self._batch_shape + self._event_shape
        if any(1 != n != m != 1 for n, m in zip(reversed(shape), reversed(expected))):
            raise InvalidValueError(f"Value is not broadcastable with batch_shape+event_shape: {shape} vs {expected}.")
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(f"{type(self)} does not define `support` to enable sample validation. Please initialize the "
                          "distribution with `validate_args=False` to turn off validation.", stacklevel=2)
            return
        if not support.check(value).all():
            raise InvalidValueError(f"Expected value argument ({type(value).__name__} of shape {tuple(shape)}) to be within the "
                                    f"support ({support!r}) of the distribution {self!r}, but found invalid values:\n{value}")

    # ------------------------------------------------------------------------------------------------ shapes

    def expand(self, batch_shape: Iterable[int], _instance: Any = None) -> Self:
        """The same distribution for a batch of this shape, to which that of the parameters must be expandable. A subclass that
        makes the new instance itself, because it has more to bring to it, gives it as `_instance`."""
        own = next(c for c in type(self).__mro__ if c.__module__.startswith(__package__ + "."))
        new: Self = self._get_checked_instance(own, _instance)
        self._expand_into(new, Size(batch_shape))
        return new

    def _expand_into(self, new: Any, batch_shape: Size) -> None:
        """Give `new` what this instance has, with the parameters expanded."""
        for name, value in vars(self).items():
            if not isinstance(getattr(type(self), name, None), lazy_property):
                new.__dict__.setdefault(name, value)
        for name, constraint in self._parameters().items():
            value = vars(self)[name]
            new.__dict__[name] = value.expand(batch_shape + value.shape[value.dim() - constraint.event_dim:])
        new._batch_shape = batch_shape

    def _parameters(self) -> dict[str, Constraint]:
        """The parameters that this instance holds, and their constraints: its family's, and those of families it derives from."""
        found: dict[str, Constraint] = {}
        for family in reversed(type(self).__mro__):
            declared = self.arg_constraints if family is type(self) else vars(family).get("arg_constraints")
            found.update(declared if isinstance(declared, dict) else {})
        return {name: constraint for name, constraint in found.items() if isinstance(vars(self).get(name), Tensor)}

    def _get_checked_instance(self, cls: Any, _instance: Any = None) -> Any:
        """`_instance`, or a new one of this class, for :meth:`expand` to fill. Raises ``NotImplementedError`` for a subclass of
        `cls` with an ``__init__`` of its own: it may hold what `cls` does not know of."""
        if _instance is None and type(self).__init__ is not cls.__init__:
            raise NotImplementedError(f"Subclass {type(self).__name__} of {cls.__name__} that defines a custom __init__ method "
                                      "must also define a custom .expand() method.")
        return type(self).__new__(type(self)) if _instance is None else _instance

    def _extended_shape(self, sample_shape: Iterable[int] = ()) -> Size:
        """The shape of samples of shape `sample_shape`."""
        return Size(sample_shape) + self._batch_shape + self._event_shape

    def __repr__(self) -> str:
        held = {name: vars(self)[name] for name in self.arg_constraints if name in vars(self)}
        return f"{type(self).__name__}({', '.join(f'{k}: {v if v.numel() == 1 else v.shape}' for k, v in held.items())})"
