"""From unconstrained numbers into a set: ``biject_to`` has a bijection for each constraint, ``transform_to`` a map that may be
simpler.

Where all of an optimizer's parameters are free numbers, these carry them to where a distribution takes them from. For sampling,
where densities count, a bijection is needed; for optimization a map onto the set is enough, and may be better conditioned: the
softmax treats all categories alike, where stick breaking does not.
"""

from __future__ import annotations

from typing import Any, Callable, overload

from minigrad.distributions import constraints, transforms
from minigrad.distributions.constraints import Constraint
from minigrad.distributions.transforms import Transform
from minigrad.errors import ArgumentError

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]

Factory = Callable[[Any], Transform]


class ConstraintRegistry:
    """A table of transforms by the class of a constraint.

    >>> from minigrad.distributions import constraint_registry, constraints, transforms
    >>> registry = constraint_registry.ConstraintRegistry()
    >>> @registry.register(constraints.real)
    ... def identity(constraint): return transforms.identity_transform
    >>> registry(constraints.real) == transforms.identity_transform
    True
    """

    def __init__(self) -> None:
        self._registry: dict[type[Constraint], Factory] = {}

    @overload
    def register(self, constraint: Any, factory: Factory) -> Factory: ...
    @overload
    def register(self, constraint: Any, factory: None = None) -> Callable[[Factory], Factory]: ...
    def register(self, constraint: Any, factory: Factory | None = None) -> Any:
        """Let `factory`, which is given the constraint, make the transform for constraints of this class, or of the class of this
        instance. Without `factory`, a decorator."""
        if factory is None:
            return lambda factory: self.register(constraint, factory)
        family = type(constraint) if isinstance(constraint, Constraint) else constraint
        if not isinstance(family, type) or not issubclass(family, Constraint):
            raise ArgumentError("register: Expected constraint to be either a Constraint subclass or instance, but got "
                                f"{constraint}")
        self._registry[family] = factory
        return factory

    def __call__(self, constraint: Constraint) -> Transform:
        """The transform from unconstrained numbers to `constraint`. Raises ``NotImplementedError`` if there is none."""
        factory = self._registry.get(type(constraint))
        if factory is None:
            raise NotImplementedError(f"Cannot transform {type(constraint).__name__} constraints")
        return factory(constraint)


biject_to, transform_to = ConstraintRegistry(), ConstraintRegistry()


def in_both(*families: Any) -> Callable[[Callable[[Any, ConstraintRegistry], Transform]], Any]:
    """Decorator: register for these constraints in both tables what makes a transform of a constraint and the table."""
    def register(factory: Callable[[Any, ConstraintRegistry], Transform]) -> Any:
        for family in families:
            biject_to.register(family, lambda constraint: factory(constraint, biject_to))
            transform_to.register(family, lambda constraint: factory(constraint, transform_to))
        return factory
    return register


@in_both(constraints.real)
def to_real(constraint: Any, table: ConstraintRegistry) -> Transform:
    return transforms.identity_transform


@in_both(constraints.independent)
def to_independent(constraint: Any, table: ConstraintRegistry) -> Transform:
    return transforms.IndependentTransform(table(constraint.base_constraint), constraint.reinterpreted_batch_ndims)


@in_both(constraints.greater_than, constraints.greater_than_eq)
def to_greater_than(constraint: Any, table: ConstraintRegistry) -> Transform:
    bound = constraint.lower_bound
    if isinstance(bound, (int, float)) and bound == 0:
        return transforms.ExpTransform()
    return transforms.ComposeTransform([transforms.ExpTransform(), transforms.AffineTransform(bound, 1)])


@in_both(constraints.less_than)
def to_less_than(constraint: Any, table: ConstraintRegistry) -> Transform:
    return transforms.ComposeTransform([transforms.ExpTransform(), transforms.AffineTransform(constraint.upper_bound, -1)])


@in_both(constraints.interval, constraints.half_open_interval)
def to_interval(constraint: Any, table: ConstraintRegistry) -> Transform:
    low, high = constraint.lower_bound, constraint.upper_bound
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low == 0 and high == 1:
        return transforms.SigmoidTransform()
    return transforms.ComposeTransform([transforms.SigmoidTransform(), transforms.AffineTransform(low, high - low)])


@in_both(constraints.corr_cholesky)
def to_corr_cholesky(constraint: Any, table: ConstraintRegistry) -> Transform:
    return transforms.CorrCholeskyTransform()


@in_both(constraints.cat)
def to_cat(constraint: Any, table: ConstraintRegistry) -> Transform:
    return transforms.CatTransform([table(c) for c in constraint.cseq], constraint.dim, constraint.lengths)


@in_both(constraints.stack)
def to_stack(constraint: Any, table: ConstraintRegistry) -> Transform:
    return transforms.StackTransform([table(c) for c in constraint.cseq], constraint.dim)


@biject_to.register(constraints.simplex)
def biject_to_simplex(constraint: Any) -> Transform:
    return transforms.StickBreakingTransform()


@transform_to.register(constraints.simplex)
def transform_to_simplex(constraint: Any) -> Transform:
    return transforms.SoftmaxTransform()


@transform_to.register(constraints.lower_cholesky)
def transform_to_lower_cholesky(constraint: Any) -> Transform:
    return transforms.LowerCholeskyTransform()


@transform_to.register(constraints.positive_definite)
@transform_to.register(constraints.positive_semidefinite)
def transform_to_positive_definite(constraint: Any) -> Transform:
    return transforms.PositiveDefiniteTransform()
