"""Every family of distributions, by its cases: against SciPy, by sampling, by differences."""

from __future__ import annotations

import inspect
import zlib
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import distributions as D
from tests.distributions.cases import ALL, CASES, DistributionCase, stats

BASES = {"Distribution", "ExponentialFamily"}
EVERY = pytest.mark.parametrize(("name", "case"), ALL)
SCIPY = pytest.mark.parametrize(("name", "case"), [row for row in ALL if row.values[1].scipy])
MOVING = [row for row in ALL if row.values[1].build(row.values[0], mg).has_rsample]
LEVEL = 1e-4  # below this probability of a worse fit samples are taken to be wrong; the seeds are fixed


def seeded(name: str, case: DistributionCase) -> Any:
    """The distribution, with the generator started from a seed of its own."""
    mg.manual_seed(zlib.crc32(name.encode()))
    return case.build(name, mg)


def array(x: Any) -> Any:
    return x.detach().numpy()


def close(found: Any, expected: Any, rtol: float = 1e-7) -> None:
    found = array(found)
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), rtol=rtol, atol=rtol)


def has(d: Any, case: DistributionCase, name: str, *args: Any) -> bool:
    """Whether the family has `name`; what its case says is absent must be refused."""
    if name not in case.absent:
        return True
    with pytest.raises(NotImplementedError):
        getattr(d, name)(*args) if callable(getattr(type(d), name)) else getattr(d, name)
    return False


def is_discrete(d: Any) -> bool:
    return bool(d.support.is_discrete)


def test_every_family_has_a_case() -> None:
    families = {name for name in D.__all__ if inspect.isclass(found := getattr(D, name)) and issubclass(found, D.Distribution)}
    assert set(CASES) == families - BASES


# ---------------------------------------------------------------------------------------------------- against SciPy

@EVERY
def test_log_prob(name: str, case: DistributionCase) -> None:
    d = seeded(name, case)
    value = d.sample((7,))
    if case.scipy:
        oracle = case.scipy(**case.arrays())
        expected = oracle.logpmf(array(value)) if is_discrete(d) else oracle.logpdf(array(value))
    else:
        assert case.log_prob, f"{name} has neither a distribution of SciPy nor a formula"
        expected = case.log_prob(array(value), **case.arrays())
    assert d.log_prob(value).shape == (7, *d.batch_shape)
    close(d.log_prob(value), expected, rtol=1e-6)


@SCIPY
def test_cdf_and_its_inverse(name: str, case: DistributionCase) -> None:
    d, oracle = seeded(name, case), case.scipy(**case.arrays())  # type: ignore[misc]
    value, u = d.sample((7,)), mg.rand(7, *d.batch_shape, dtype=mg.float64)
    if has(d, case, "cdf", value):
        close(d.cdf(value), oracle.cdf(array(value)))
    if has(d, case, "icdf", u):
        close(d.icdf(u), oracle.ppf(array(u)))
        close(d.cdf(d.icdf(u)), array(u))


@EVERY
def test_mean_and_variance(name: str, case: DistributionCase) -> None:
    d = case.build(name, mg)
    if case.moments:
        mean, variance = case.moments(**case.arrays())
    elif case.scipy:
        mean, variance = case.scipy(**case.arrays()).stats("mv")
    else:
        return
    for found, expected in (("mean", mean), ("variance", variance), ("stddev", np.sqrt(variance))):
        if has(d, case, "variance" if found == "stddev" else found):
            assert getattr(d, found).shape == d.batch_shape + d.event_shape
            finite = np.isfinite(np.broadcast_to(expected, array(getattr(d, found)).shape))
            np.testing.assert_allclose(array(getattr(d, found))[finite],
                                       np.broadcast_to(expected, finite.shape)[finite], rtol=1e-6, atol=1e-9)


@EVERY
def test_entropy(name: str, case: DistributionCase) -> None:
    d = seeded(name, case)
    if not has(d, case, "entropy"):
        return
    if case.scipy:
        expected = case.scipy(**case.arrays()).entropy()
        close(d.entropy(), expected, rtol=1e-6)
    else:
        surprise = array(-d.log_prob(d.sample((4000,))))
        error = surprise.std(0) / 4000**0.5 + 1e-9
        assert (abs(array(d.entropy()) - surprise.mean(0)) < 5 * error).all()
    close(d.perplexity(), np.exp(array(d.entropy())))


@EVERY
def test_mode_is_most_probable(name: str, case: DistributionCase) -> None:
    d = seeded(name, case)
    if not has(d, case, "mode"):
        return
    defined = ~d.mode.isnan().reshape(*d.batch_shape, -1).any(-1)
    value = d.sample((50,))
    mode = d.mode.where(~d.mode.isnan(), value[0])
    unchecked = case.build(name, mg)
    unchecked._validate_args = False  # a mode may be on the edge, which is not part of the support
    best = unchecked.log_prob(mode)
    assert ((best >= d.log_prob(value).max(0)[0] - 1e-9) | ~defined).all()


# ---------------------------------------------------------------------------------------------------- samples

@EVERY
def test_samples_have_shape_dtype_and_support(name: str, case: DistributionCase) -> None:
    d = seeded(name, case)
    dtype = mg.int64 if name == "Categorical" else mg.float64
    for shape in ((), (3,), (2, 3), (0,)):
        value = d.sample(shape)
        assert value.shape == shape + tuple(d.batch_shape + d.event_shape)
        assert value.dtype is dtype and not value.requires_grad
        assert bool(d.support.check(value).all())
    again = seeded(name, case)
    assert mg.equal(again.sample((4,)), seeded(name, case).sample((4,)))


@EVERY
def test_float32_stays(name: str, case: DistributionCase) -> None:
    values = {k: mg.tensor(v, dtype=mg.float32) if isinstance(v, np.ndarray) else v for k, v in case.arrays().items()}
    narrow, wide = case.of(name, mg, values), seeded(name, case)
    assert name == "Categorical" or narrow.sample().dtype is mg.float32
    value = wide.sample((3,))
    narrow._validate_args = False  # rounding may leave the simplex
    found = narrow.log_prob(value if name == "Categorical" else value.float())
    assert found.dtype is mg.float32
    close(found, array(wide.log_prob(value)), rtol=2e-3)


@SCIPY
def test_samples_fit_scipys_distribution(name: str, case: DistributionCase) -> None:
    """By the tests of Kolmogorov and Smirnov, and of Pearson."""
    d, oracle = seeded(name, case), case.scipy(**case.arrays())  # type: ignore[misc]
    values = array(d.sample((2000,)))
    if name == "VonMises":  # SciPy's distribution function goes on beyond one turn around the mean
        loc = array(d.loc)
        values = (values - loc + np.pi) % (2 * np.pi) - np.pi + loc
    for k in np.ndindex(*d.batch_shape):
        if is_discrete(d):
            levels = np.arange(0, 60)
            chances = [np.broadcast_to(oracle.pmf(n), tuple(d.batch_shape))[k] for n in levels]
            likely = np.array(chances) > 0.005
            counts = [(values[(slice(None), *k)] == n).sum() for n in levels[likely]]
            rest = 1 - np.array(chances)[likely].sum()
            expected = np.append(np.array(chances)[likely], rest if rest > 1e-9 else []) * 2000
            found = np.append(counts, 2000 - sum(counts) if rest > 1e-9 else [])
            assert stats.chisquare(found, expected).pvalue > LEVEL, f"{name}{list(k)}: {found}, expected {expected}"
        else:
            def below(x: Any, k: Any = k) -> Any:
                batch = x.reshape(-1, *[1] * len(d.batch_shape))
                return np.broadcast_to(oracle.cdf(batch), (len(x), *d.batch_shape))[(slice(None), *k)]
            assert stats.kstest(values[(slice(None), *k)], below).pvalue > LEVEL, f"{name}{list(k)}"


@EVERY
def test_averages_of_samples_are_the_moments(name: str, case: DistributionCase) -> None:
    d = seeded(name, case)
    try:
        mean, variance = array(d.mean), array(d.variance)
    except NotImplementedError:
        return
    if case.skewed or name == "VonMises" or not (np.isfinite(mean).all() and np.isfinite(variance).all()):
        return
    values = array(d.sample((4000,)))
    assert (abs(values.mean(0) - mean) < 5 * np.sqrt(variance / 4000) + 1e-9).all()
    fourth = ((values - mean)**4).mean(0)
    assert (abs(((values - mean)**2).mean(0) - variance) < 6 * np.sqrt(fourth / 4000) + 1e-9).all()


# ---------------------------------------------------------------------------------------------------- gradients

def floating(case: DistributionCase) -> list[str]:
    """The names of the parameters that can have a gradient."""
    return [k for k, v in case.arrays().items() if isinstance(v, np.ndarray) and k not in case.fixed]


def with_gradients(name: str, case: DistributionCase, arrays: dict[str, Any]) -> tuple[Any, list[Any]]:
    """The distribution, and its parameters, which require grad."""
    leaves = {k: mg.tensor(arrays[k], dtype=mg.float64, requires_grad=True) for k in floating(case)}
    d = case.build(name, mg, {**arrays, **leaves})
    d._validate_args = False  # a matrix that is moved is not symmetric
    return d, list(leaves.values())


def slope(function: Any, arrays: dict[str, Any], key: str, direction: Any, h: float = 1e-4) -> Any:
    """How `function` of the parameters changes when one is moved along `direction`: a central difference of fourth order."""
    def at(step: float) -> Any:
        return function({**arrays, key: arrays[key] + step * direction})
    return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)


def moves(name: str, key: str, value: Any) -> Any:
    """A random direction for a parameter, which leaves matrices symmetric and triangles triangular."""
    v = np.random.default_rng(0).uniform(0.5, 1.5, value.shape)
    if key in ("covariance_matrix", "precision_matrix"):
        return v + v.T
    return np.tril(v) if key == "scale_tril" else v


@EVERY
@pytest.mark.parametrize("what", ["log_prob", "entropy", "mean", "variance"])
def test_gradients_of_the_parameters(name: str, case: DistributionCase, what: str) -> None:
    """Of densities and moments, by central differences."""
    arrays, value = case.arrays(), seeded(name, case).sample((3,))

    def evaluate(d: Any) -> Any:
        return d.log_prob(value) if what == "log_prob" else d.entropy() if what == "entropy" else getattr(d, what)

    d, leaves = with_gradients(name, case, arrays)
    try:
        out = evaluate(d)
    except NotImplementedError:
        assert what != "log_prob"
        return
    if not out.requires_grad:
        return
    weights = np.random.default_rng(1).uniform(0.5, 1.5, out.shape)
    finite = np.isfinite(array(out))
    grads = mg.autograd.grad(out, leaves, mg.tensor(np.where(finite, weights, 0.0)), allow_unused=True)
    for key, grad in zip(floating(case), grads):
        direction = moves(name, key, arrays[key])
        changed = slope(lambda moved: array(evaluate(with_gradients(name, case, moved)[0])), arrays, key, direction)
        expected = (weights * changed)[finite].sum()
        found = 0.0 if grad is None else (array(grad) * direction).sum()
        assert found == pytest.approx(expected, rel=1e-5, abs=1e-6), f"{name}.{what} by {key}"


@EVERY
def test_gradient_of_log_prob_by_the_value(name: str, case: DistributionCase) -> None:
    d = seeded(name, case)
    if is_discrete(d) or name in ("LKJCholesky", "Wishart", "Uniform"):  # whose elements are not all free, or count nothing
        return
    d._validate_args = False
    value = d.sample((3,)).requires_grad_()
    grad, = mg.autograd.grad(d.log_prob(value).sum(), value)
    v, h = np.random.default_rng(0).uniform(0.5, 1.5, value.shape), 1e-5 * array(value).clip(1e-3)
    step = v * h

    def at(k: int) -> Any:
        return array(d.log_prob(mg.tensor(array(value) + k * step))).sum()
    expected = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / 12
    if name in ("LogisticNormal", "Dirichlet", "RelaxedOneHotCategorical"):  # the last coordinate is what the others leave
        expected = (array(grad) * step).sum() if name == "LogisticNormal" else expected
    assert (array(grad) * step).sum() == pytest.approx(expected, rel=1e-4, abs=1e-8)


@pytest.mark.parametrize(("name", "case"), [row for row in MOVING if row.values[1].scipy and not row.values[1].several])
def test_samples_move_as_quantiles(name: str, case: DistributionCase) -> None:
    """A sample keeps its probability when a parameter moves: its derivative is ``-(dF/da) / p(x)``, with SciPy's F and p."""
    arrays = case.arrays()
    mg.manual_seed(3)
    d, leaves = with_gradients(name, case, arrays)
    value = d.rsample((20,))
    grads = mg.autograd.grad(value.sum(), leaves)
    x, density = array(value), case.scipy(**arrays).pdf(array(value))  # type: ignore[misc]
    for key, grad in zip(floating(case), grads):
        direction = moves(name, key, arrays[key])
        # The smaller tail is the more exact.
        tail = case.scipy(**arrays).cdf(x) < 0.5  # type: ignore[misc]

        def probability(moved: dict[str, Any], tail: Any = tail) -> Any:
            oracle = case.scipy(**moved)  # type: ignore[misc]
            return np.where(tail, oracle.cdf(x), -oracle.sf(x))
        expected = -slope(probability, arrays, key, direction) / density
        found = (array(grad) * direction).sum()
        assert found == pytest.approx(expected.sum(), rel=1e-5), f"{name} by {key}"


@pytest.mark.parametrize(("name", "case"), MOVING)
def test_gradients_of_samples_are_those_of_expected_values(name: str, case: DistributionCase) -> None:
    """On average the mean of samples moves as the mean does."""
    d, leaves = with_gradients(name, case, case.arrays())
    try:
        mean = d.mean
    except NotImplementedError:
        return
    if name == "OneHotCategoricalStraightThrough" or not (mean.requires_grad and mean.isfinite().all()):
        return
    wanted = mg.autograd.grad(mean.sum(), leaves, allow_unused=True)
    mg.manual_seed(4)
    many, leaves = with_gradients(name, case, case.arrays())
    draws = []
    for _ in range(30):
        found = mg.autograd.grad(many.rsample((200,)).sum() / 200, leaves, allow_unused=True, retain_graph=True)
        draws.append([None if g is None else array(g) for g in found])
    for key, want, *found in zip(floating(case), wanted, *draws):
        if want is not None:
            each = np.array([np.zeros(want.shape) if g is None else g for g in found])
            error = each.std(0) / 30**0.5
            assert (abs(each.mean(0) - array(want)) < 5 * error + 1e-9).all(), f"{name} by {key}"


# ---------------------------------------------------------------------------------------------------- shapes

@EVERY
def test_expand(name: str, case: DistributionCase) -> None:
    d = seeded(name, case)
    wide = d.expand((2, *d.batch_shape))
    assert type(wide) is type(d) and wide.batch_shape == (2, *d.batch_shape) and wide.event_shape == d.event_shape
    assert wide.sample((3,)).shape == (3, *wide.batch_shape, *d.event_shape)
    value = d.sample((2,))
    np.testing.assert_array_equal(array(wide.log_prob(value)), array(d.log_prob(value)))
    for what in ("mean", "variance"):
        try:
            moment = getattr(d, what)
        except NotImplementedError:
            continue
        np.testing.assert_allclose(array(getattr(wide, what)), np.broadcast_to(array(moment), (2, *moment.shape)))
    repr(wide)


@EVERY
def test_a_subclass_expands_to_itself_or_says_how_it_could(name: str, case: DistributionCase) -> None:
    if case.make:
        return
    family = getattr(D, name)
    plain = type("Plain", (family,), {})
    values = {k: mg.tensor(v) if isinstance(v, np.ndarray) else v for k, v in case.arrays().items()}
    d = plain(**values)
    assert type(d.expand((2, *d.batch_shape))) is plain
    own = type("Own", (family,), {"__init__": lambda self, **given: family.__init__(self, **given)})
    with pytest.raises(NotImplementedError, match=r"must also define a custom .expand\(\) method"):
        own(**values).expand((2, *d.batch_shape))


@EVERY
def test_enumerate_support(name: str, case: DistributionCase) -> None:
    d = case.build(name, mg)
    if not d.has_enumerate_support:
        with pytest.raises(NotImplementedError):
            d.enumerate_support()
        return
    values = d.enumerate_support()
    assert values.shape[1:] == d.batch_shape + d.event_shape
    close(d.log_prob(values).exp().sum(0), 1.0, rtol=1e-6)
    narrow = d.enumerate_support(expand=False)
    assert narrow.shape == (len(values), *[1] * len(d.batch_shape), *d.event_shape)
    np.testing.assert_array_equal(np.broadcast_to(array(narrow), values.shape), array(values))
