"""Transforms: inverses, how much they stretch, shapes, caches; constraints and the transforms onto them."""

from __future__ import annotations

import copy
import inspect
import math
import pickle
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import distributions as D
from minigrad.distributions import constraints, transforms
from minigrad.distributions.transforms import (
    AbsTransform,
    AffineTransform,
    CatTransform,
    ComposeTransform,
    CorrCholeskyTransform,
    CumulativeDistributionTransform,
    ExpTransform,
    IndependentTransform,
    LowerCholeskyTransform,
    PositiveDefiniteTransform,
    PowerTransform,
    ReshapeTransform,
    SigmoidTransform,
    SoftmaxTransform,
    SoftplusTransform,
    StackTransform,
    StickBreakingTransform,
    TanhTransform,
    Transform,
    identity_transform,
)


def t(*values: Any) -> Any:
    return mg.tensor(values, dtype=mg.float64)


# Each with the shape of one argument.
TRANSFORMS: dict[str, tuple[Transform, tuple[int, ...]]] = {
    "AbsTransform": (AbsTransform(), (3,)),
    "AffineTransform": (AffineTransform(t(1.0, -2.0, 0.5), t(2.0, -1.0, 3.0)), (3,)),
    "AffineTransform of numbers": (AffineTransform(1.0, -2.0), (3,)),
    "AffineTransform of events": (AffineTransform(1.0, t(2.0, -1.0, 3.0), event_dim=1), (3,)),
    "CatTransform": (CatTransform([ExpTransform(), AffineTransform(1.0, 2.0)], dim=-1, lengths=[1, 2]), (3,)),
    "ComposeTransform": (ComposeTransform([AffineTransform(0.5, 2.0), SigmoidTransform(), PowerTransform(t(0.5)[0])]), (3,)),
    "ComposeTransform of vectors": (ComposeTransform([AffineTransform(0.5, 2.0), StickBreakingTransform()]), (3,)),
    "identity_transform": (identity_transform, (3,)),
    "CorrCholeskyTransform": (CorrCholeskyTransform(), (6,)),
    "CumulativeDistributionTransform": (CumulativeDistributionTransform(D.Normal(t(0.0)[0], t(1.0)[0])), (3,)),
    "ExpTransform": (ExpTransform(), (3,)),
    "inverse of ExpTransform": (ExpTransform().inv, (3,)),
    "IndependentTransform": (IndependentTransform(ExpTransform(), 1), (3,)),
    "LowerCholeskyTransform": (LowerCholeskyTransform(), (3, 3)),
    "PositiveDefiniteTransform": (PositiveDefiniteTransform(), (3, 3)),
    "PowerTransform": (PowerTransform(t(-2.0)[0]), (3,)),
    "ReshapeTransform": (ReshapeTransform((4,), (2, 2)), (4,)),
    "SigmoidTransform": (SigmoidTransform(), (3,)),
    "SoftmaxTransform": (SoftmaxTransform(), (3,)),
    "SoftplusTransform": (SoftplusTransform(), (3,)),
    "StackTransform": (StackTransform([ExpTransform(), SigmoidTransform()], dim=-1), (2,)),
    "StickBreakingTransform": (StickBreakingTransform(), (3,)),
    "TanhTransform": (TanhTransform(), (3,)),
}
BIJECTIVE = [name for name, (transform, _) in TRANSFORMS.items() if transform.bijective]


def argument(name: str, *batch: int) -> tuple[Transform, Any]:
    transform, shape = TRANSFORMS[name]
    mg.manual_seed(1)
    x = mg.randn(*batch, *shape, dtype=mg.float64)
    return transform, x.abs() + 0.1 if name in ("PowerTransform", "inverse of ExpTransform") else x


def test_every_transform_is_tested() -> None:
    names = {name for name in transforms.__all__ if inspect.isclass(getattr(transforms, name))} - {"Transform"}
    assert names <= {type(transform).__name__ for transform, _ in TRANSFORMS.values()}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_values_are_in_the_codomain_and_come_back(name: str) -> None:
    transform, x = argument(name, 5)
    y = transform(x)
    assert bool(transform.codomain.check(y).all()) and bool(transform.domain.check(x).all())
    back = transform(transform.inv(y))
    np.testing.assert_allclose(back.numpy(), y.numpy(), rtol=1e-9, atol=1e-12)
    if transform.bijective:
        np.testing.assert_allclose(transform.inv(y).numpy(), x.numpy(), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_shapes(name: str) -> None:
    transform, x = argument(name, 2, 5)
    y = transform(x)
    assert transform.forward_shape(x.shape) == y.shape and transform.inverse_shape(y.shape) == x.shape
    assert transform.inv.inverse_shape(x.shape) == y.shape and transform.inv.forward_shape(y.shape) == x.shape
    if transform.bijective:
        batch = x.shape[:x.dim() - transform.domain.event_dim]
        stretch = transform.log_abs_det_jacobian(x, y)
        assert stretch.shape == batch
        np.testing.assert_allclose(transform.inv.log_abs_det_jacobian(y, x).numpy(), -stretch.numpy())


def free(y: Any, constraint: Any) -> Any:
    """The numbers that determine `y`, in a vector: those of the simplex but the last, those below the diagonal of a factor."""
    if constraint is constraints.simplex:
        return y[:-1]
    return y[mg.tril_indices(*y.shape, -1).unbind()] if constraint is constraints.corr_cholesky else y.reshape(-1)


@pytest.mark.parametrize("name", BIJECTIVE)
def test_log_abs_det_jacobian_is_that_of_autograd(name: str) -> None:
    transform, x = argument(name)
    codomain = transform.codomain
    jacobian = mg.autograd.functional.jacobian(lambda x: free(transform(x), codomain), x)
    expected = mg.linalg.slogdet(jacobian.reshape(x.numel(), x.numel())).logabsdet
    found = transform.log_abs_det_jacobian(x, transform(x)).sum()
    np.testing.assert_allclose(float(found), float(expected), rtol=1e-8)


@pytest.mark.parametrize("name", [n for n in BIJECTIVE if TRANSFORMS[n][0].domain.event_dim == 0 and n != "CatTransform"])
def test_sign_says_where_it_grows(name: str) -> None:
    transform, x = argument(name)
    growth = transform(x + 1e-3) - transform(x)
    assert bool((growth.sign() == transform.sign).all())


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_cache_gives_back_the_argument(name: str) -> None:
    transform, x = argument(name, 2)
    cached = transform.with_cache()
    assert cached.with_cache() is cached and transform.with_cache(0) is transform
    if name != "identity_transform":
        y = cached(x)
        if name != "PowerTransform" or transform.bijective:
            assert cached.inv(y) is x and cached(x) is y


@pytest.mark.parametrize("name", TRANSFORMS)
def test_equality_copies_and_pickles(name: str) -> None:
    transform, x = argument(name, 2)
    assert transform == transform and transform != 3
    assert transform.inv.inv is transform and transform.inv == transform.inv
    for twin in (copy.deepcopy(transform), pickle.loads(pickle.dumps(transform))):
        assert mg.equal(twin(x), transform(x)) and mg.equal(twin.inv(twin(x)), transform.inv(transform(x)))
    assert type(transform).__name__ in repr(transform)


def test_equal_transforms() -> None:
    assert ExpTransform() == ExpTransform() != SigmoidTransform()
    assert AffineTransform(1.0, 2.0) == AffineTransform(1.0, 2.0) != AffineTransform(1.0, 3.0)
    assert AffineTransform(t(1.0), 2.0) == AffineTransform(1.0, t(2.0))
    assert PowerTransform(2.0) == PowerTransform(mg.tensor(2.0)) != PowerTransform(3.0)
    assert ComposeTransform([ExpTransform()]) == ComposeTransform([ExpTransform()]) != ComposeTransform([])
    assert ExpTransform().inv == ExpTransform().inv != ExpTransform()


def test_extremes_stay_finite() -> None:
    x = mg.tensor([-200.0, 200.0])
    for transform in (SigmoidTransform(), TanhTransform()):
        assert bool(transform.log_abs_det_jacobian(x, transform(x)).isfinite().all())
    y = SigmoidTransform()(x)
    assert bool(((y > 0) & (y < 1)).all()) and bool(SigmoidTransform().inv(y).isfinite().all())
    assert bool(StickBreakingTransform().inv(StickBreakingTransform()(x)).isfinite().all())


def test_what_transforms_refuse() -> None:
    with pytest.raises(ValueError, match="cache_size must be 0 or 1"):
        ExpTransform(cache_size=2)
    with pytest.raises(ValueError, match="different numbers of elements"):
        ReshapeTransform((2,), (3,))
    with pytest.raises(ValueError, match="Shape mismatch"):
        ReshapeTransform((4,), (2, 2)).forward_shape((3,))
    with pytest.raises(ValueError, match="Too few dimensions"):
        SoftmaxTransform().forward_shape(())
    with pytest.raises(ValueError, match="Too few dimensions"):
        IndependentTransform(ExpTransform(), 1)(mg.tensor(1.0))
    with pytest.raises(ValueError, match="flattened lower-diagonal"):
        CorrCholeskyTransform().forward_shape((4,))
    with pytest.raises(ValueError, match="not square"):
        CorrCholeskyTransform().inverse_shape((2, 3))
    with pytest.raises(ValueError, match="event_dim"):
        _ = ReshapeTransform((4,), (2, 2)).event_dim
    with pytest.raises(AssertionError, match="Size mismatch"):
        StackTransform([ExpTransform()])(mg.zeros(2))
    with pytest.raises(NotImplementedError, match="AbsTransform does not define log_abs_det_jacobian"):
        AbsTransform().log_abs_det_jacobian(mg.zeros(()), mg.zeros(()))
    with pytest.raises(ValueError, match="transforms must be a Transform"):
        D.TransformedDistribution(D.Normal(0.0, 1.0), [3])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="at least 1"):
        D.TransformedDistribution(D.Normal(0.0, 1.0), [StickBreakingTransform()])


def test_transformed_distributions_take_the_shape_of_their_transforms() -> None:
    base = D.Normal(0.0, 1.0)
    assert D.TransformedDistribution(base, [AffineTransform(mg.zeros(4, 1), mg.ones(3))]).batch_shape == (4, 3)
    d = D.TransformedDistribution(D.Normal(mg.zeros(5, 3), 1.0), [StickBreakingTransform()])
    assert d.batch_shape == (5,) and d.event_shape == (4,) and isinstance(d.base_dist, D.Independent)
    d = D.TransformedDistribution(D.Normal(mg.zeros(5, 4), 1.0), [ReshapeTransform((4,), (2, 2)), ExpTransform()])
    assert d.event_shape == (2, 2) and d.expand((3, 5)).sample((2,)).shape == (2, 3, 5, 2, 2)
    assert d.support.event_dim == 2 and d.log_prob(d.sample()).shape == (5,)


# ---------------------------------------------------------------------------------------------------- constraints

# For each constraint values that are in it, and values that are not.
SETS: dict[str, tuple[Any, Any, Any]] = {
    "boolean": (constraints.boolean, t(0.0, 1.0), t(0.5, 2.0)),
    "cat": (constraints.cat([constraints.positive, constraints.real], -1, [1, 1]), t([1.0, -1.0], [2.0, 0.0]),
            t([-1.0, math.nan])),
    "corr_cholesky": (constraints.corr_cholesky, t([[1.0, 0.0], [0.6, 0.8]]), t([[1.0, 0.0], [0.6, 0.7]])),
    "greater_than": (constraints.greater_than(1.0), t(1.5, 2.0), t(1.0, 0.0)),
    "greater_than_eq": (constraints.greater_than_eq(1.0), t(1.0, 2.0), t(0.9)),
    "half_open_interval": (constraints.half_open_interval(0.0, 2.0), t(0.0, 1.0), t(2.0, -1.0)),
    "independent": (constraints.independent(constraints.positive, 1), t([1.0, 2.0]), t([1.0, -2.0])),
    "integer_interval": (constraints.integer_interval(1, 3), t(1.0, 3.0), t(0.0, 1.5, 4.0)),
    "interval": (constraints.interval(-1.0, 2.0), t(-1.0, 2.0), t(-1.1, 2.1)),
    "less_than": (constraints.less_than(1.0), t(0.0, -5.0), t(1.0)),
    "lower_cholesky": (constraints.lower_cholesky, t([[1.0, 0.0], [-3.0, 2.0]]), t([[1.0, 0.0], [3.0, -2.0]])),
    "lower_triangular": (constraints.lower_triangular, t([[-1.0, 0.0], [-3.0, 2.0]]), t([[1.0, 1.0], [3.0, 2.0]])),
    "multinomial": (constraints.multinomial(3), t([1.0, 2.0], [3.0, 0.0]), t([2.0, 2.0], [-1.0, 1.0])),
    "nonnegative": (constraints.nonnegative, t(0.0, 1.0), t(-1.0)),
    "nonnegative_integer": (constraints.nonnegative_integer, t(0.0, 3.0), t(-1.0, 0.5)),
    "one_hot": (constraints.one_hot, t([0.0, 1.0]), t([1.0, 1.0], [0.0, 0.0], [0.5, 0.5])),
    "positive": (constraints.positive, t(0.1), t(0.0, -1.0)),
    "positive_definite": (constraints.positive_definite, t([[2.0, 1.0], [1.0, 2.0]]), t([[1.0, 2.0], [2.0, 1.0]])),
    "positive_integer": (constraints.positive_integer, t(1.0, 2.0), t(0.0, 1.5)),
    "positive_semidefinite": (constraints.positive_semidefinite, t([[1.0, 0.0], [0.0, 0.0]]), t([[1.0, 2.0], [2.0, 1.0]])),
    "real": (constraints.real, t(0.0, math.inf), t(math.nan)),
    "real_vector": (constraints.real_vector, t([0.0, 1.0]), t([0.0, math.nan])),
    "simplex": (constraints.simplex, t([0.2, 0.8]), t([0.2, 0.7], [-0.2, 1.2])),
    "square": (constraints.square, t([[1.0, 2.0], [3.0, 4.0]]), t([[1.0, 2.0]])),
    "stack": (constraints.stack([constraints.positive, constraints.real], -1), t([1.0, -1.0]), t([-1.0, math.nan])),
    "symmetric": (constraints.symmetric, t([[1.0, 2.0], [2.0, 1.0]]), t([[1.0, 2.0], [3.0, 1.0]])),
    "unit_interval": (constraints.unit_interval, t(0.0, 1.0), t(-0.1, 1.1)),
    "MixtureSameFamilyConstraint": (constraints.MixtureSameFamilyConstraint(constraints.interval(t(0.0, 0.0), t(2.0, 1.0))),
                                    t(0.5), t(1.5)),
}


def test_every_constraint_is_tested() -> None:
    assert set(constraints.__all__) - set(SETS) == {"Constraint", "dependent", "dependent_property", "is_dependent"}


@pytest.mark.parametrize("name", SETS)
def test_constraints_tell_what_is_in_them(name: str) -> None:
    constraint, good, bad = SETS[name]
    assert bool(constraint.check(good).all()), f"{constraint} refuses {good}"
    assert not bool(constraint.check(bad).any()), f"{constraint} accepts {bad}"
    if name not in ("cat", "stack"):
        assert constraint.check(good).shape == good.shape[:good.dim() - constraint.event_dim]
    assert isinstance(constraint.is_discrete, bool)
    assert repr(constraint).partition("(")[0] == type(constraint).__name__.lstrip("_")


@pytest.mark.parametrize("table", [D.biject_to, D.transform_to], ids=["biject_to", "transform_to"])
@pytest.mark.parametrize("name", SETS)
def test_transforms_onto_constraints(name: str, table: Any) -> None:
    constraint, good, _ = SETS[name]
    try:
        transform = table(constraint)
    except NotImplementedError:
        assert constraint.is_discrete or name in (
            "square", "symmetric", "MixtureSameFamilyConstraint", "lower_triangular") or table is D.biject_to
        return
    mg.manual_seed(2)
    shape = transform.inverse_shape(good.shape)
    x = mg.randn(*shape, dtype=mg.float64)
    y = transform(x)
    assert y.shape == good.shape and bool(constraint.check(y).all())
    assert transform.bijective or table is D.transform_to
    np.testing.assert_allclose(transform(transform.inv(y)).numpy(), y.numpy(), rtol=1e-9, atol=1e-12)


def test_dependent_constraints() -> None:
    assert constraints.is_dependent(constraints.dependent) and not constraints.is_dependent(constraints.real)
    assert constraints.dependent(event_dim=2).event_dim == 2
    with pytest.raises(NotImplementedError, match="is_discrete cannot be determined statically"):
        _ = constraints.dependent.is_discrete
    with pytest.raises(ValueError, match="dependent constraint"):
        constraints.dependent.check(mg.zeros(2))
    assert D.Uniform.support.event_dim == 0 and not D.Uniform.support.is_discrete  # type: ignore[attr-defined]


def test_what_constraints_refuse() -> None:
    with pytest.raises(AssertionError, match="must be a Constraint"):
        constraints.independent(3, 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"Expected value.dim\(\) >= 2 but got 0"):
        constraints.independent(constraints.real, 2).check(mg.tensor(1.0))
    with pytest.raises(AssertionError, match="out of range"):
        constraints.stack([constraints.real], 2).check(mg.zeros(1))
    with pytest.raises(TypeError, match="Constraint subclass or instance"):
        D.biject_to.register(3)(lambda constraint: identity_transform)
    with pytest.raises(NotImplementedError, match="Cannot transform _Square constraints"):
        D.biject_to(constraints.square)
