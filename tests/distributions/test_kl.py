"""Divergences, by numerical integration and by averages over samples, and how a pair is found."""

from __future__ import annotations

import itertools
import math
import zlib
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import distributions as D
from minigrad.distributions import kl
from tests.distributions.cases import CASES

integrate = pytest.importorskip("scipy.integrate", reason="the oracle integrates")


def t(*values: float) -> Any:
    return mg.tensor(values, dtype=mg.float64)


# Two of each family, so that both kinds of pairs have finite divergences among them; the first of the second two is within the
# support of the other where supports differ.
FAMILIES: dict[str, list[Any]] = {
    "Bernoulli": [lambda: D.Bernoulli(t(0.2, 0.7)), lambda: D.Bernoulli(logits=t(1.0, -0.5))],
    "Beta": [lambda: D.Beta(t(2.0, 0.8), t(3.0, 1.5)), lambda: D.Beta(t(1.5, 4.0), t(0.9, 2.0))],
    "Binomial": [lambda: D.Binomial(6, t(0.2, 0.7)), lambda: D.Binomial(6, t(0.4, 0.5))],
    "Categorical": [lambda: D.Categorical(t(0.2, 0.3, 0.5)), lambda: D.Categorical(t(0.6, 0.3, 0.1))],
    "Cauchy": [lambda: D.Cauchy(t(0.0, 1.0), t(1.0, 2.0)), lambda: D.Cauchy(t(0.5, -1.0), t(2.0, 0.5))],
    "ContinuousBernoulli": [lambda: D.ContinuousBernoulli(t(0.2, 0.5)), lambda: D.ContinuousBernoulli(t(0.9, 0.3))],
    "Dirichlet": [lambda: D.Dirichlet(t(0.8, 2.0, 3.0)), lambda: D.Dirichlet(t(2.0, 1.0, 1.5))],
    "Exponential": [lambda: D.Exponential(t(0.5, 2.0)), lambda: D.Exponential(t(1.5, 0.7))],
    "Gamma": [lambda: D.Gamma(t(2.0, 0.8), t(1.0, 3.0)), lambda: D.Gamma(t(1.2, 3.0), t(0.5, 2.0))],
    "Geometric": [lambda: D.Geometric(t(0.2, 0.7)), lambda: D.Geometric(t(0.5, 0.4))],
    "Gumbel": [lambda: D.Gumbel(t(0.0, 1.0), t(1.0, 0.5)), lambda: D.Gumbel(t(0.5, -1.0), t(2.0, 1.5))],
    "HalfNormal": [lambda: D.HalfNormal(t(1.0, 2.0)), lambda: D.HalfNormal(t(2.0, 0.5))],
    "Independent": [lambda: D.Independent(D.Normal(t(0.0, 1.0), t(1.0, 2.0)), 1),
                    lambda: D.Independent(D.Normal(t(1.0, 1.5), t(2.0, 0.7)), 1)],
    "Laplace": [lambda: D.Laplace(t(0.0, 1.0), t(1.0, 0.5)), lambda: D.Laplace(t(0.5, -1.0), t(2.0, 1.5))],
    "LowRankMultivariateNormal": [
        lambda: D.LowRankMultivariateNormal(t(0.0, 1.0, -1.0), t(1.0, 0.5, -1.0).unsqueeze(-1), t(1.0, 0.5, 2.0)),
        lambda: D.LowRankMultivariateNormal(t(0.5, 0.0, 1.0), t(0.5, 2.0, 1.0).unsqueeze(-1), t(2.0, 1.5, 0.7))],
    "MultivariateNormal": [
        lambda: D.MultivariateNormal(t(0.0, 1.0, -1.0), scale_tril=(mg.eye(3) + 0.3 * mg.ones(3, 3).tril()).double()),
        lambda: D.MultivariateNormal(t(0.5, 0.0, 1.0), covariance_matrix=(mg.eye(3) + mg.ones(3, 3)).double())],
    "Normal": [lambda: D.Normal(t(0.0, 1.0), t(1.0, 0.5)), lambda: D.Normal(t(0.5, -1.0), t(2.0, 1.5))],
    "OneHotCategorical": [lambda: D.OneHotCategorical(t(0.2, 0.3, 0.5)), lambda: D.OneHotCategorical(t(0.6, 0.3, 0.1))],
    "Pareto": [lambda: D.Pareto(t(2.0, 1.5), t(4.0, 5.0)), lambda: D.Pareto(t(0.5, 1.0), t(3.0, 6.0))],
    "Poisson": [lambda: D.Poisson(t(0.5, 4.0)), lambda: D.Poisson(t(1.0, 2.5))],
    "TransformedDistribution": [lambda: D.LogNormal(t(0.0, 1.0), t(1.0, 0.5)), lambda: D.LogNormal(t(0.5, -1.0), t(2.0, 1.5))],
    "Uniform": [lambda: D.Uniform(t(0.6, 1.2), t(0.9, 3.0)), lambda: D.Uniform(t(-1.0, 0.0), t(2.0, 4.0))],
}
PAIRS = sorted({(p.__name__, q.__name__) for p, q in kl._KL_REGISTRY if p is not D.ExponentialFamily
                and p.__module__.startswith("minigrad.") and q.__module__.startswith("minigrad.")})


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Densities may be asked of any value."""
    monkeypatch.setattr(D.Distribution, "_validate_args", False)


def pairs_of(name: str, other: str) -> list[tuple[Any, Any]]:
    """Each of the two of one family with each of the other."""
    return [(p(), q()) for p, q in itertools.product(FAMILIES[name], FAMILIES[other])]


@pytest.mark.parametrize(("name", "other"), PAIRS)
def test_a_divergence_is_the_expected_difference_of_log_probabilities(name: str, other: str, unchecked: None) -> None:
    """Averaged over samples, or infinite where some of these are impossible."""
    mg.manual_seed(zlib.crc32(f"{name}{other}".encode()))
    for p, q in pairs_of(name, other):
        found = D.kl_divergence(p, q)
        assert found.shape == p.batch_shape and not bool(found.isnan().any())
        value = p.sample((8000,))
        bad = (~q.support.check(value)).any(0).numpy()
        difference = (p.log_prob(value) - q.log_prob(value)).nan_to_num(0.0).numpy()
        error = 6 * difference.clip(-1e9, 1e9).std(0) / 8000**0.5 + 1e-9
        for k in np.ndindex(*p.batch_shape):
            if bad[k]:
                assert found.numpy()[k] == math.inf, f"{name}, {other}: impossible values, and not infinite"
            elif math.isfinite(found.numpy()[k]) or name not in ("Binomial", "Gamma", "Poisson"):  # of rare ones
                assert abs(difference[(slice(None), *k)].mean() - found.numpy()[k]) < error[k], f"{name}, {other} at {k}"


CONTINUOUS = {"Beta": (0, 1), "ContinuousBernoulli": (0, 1), "Cauchy": (-np.inf, np.inf), "Exponential": (0, 60),
              "Gamma": (0, 90), "Gumbel": (-8, 60), "HalfNormal": (0, 40), "Laplace": (-40, 60), "Normal": (-15, 20),
              "Pareto": None, "Uniform": None}


@pytest.mark.parametrize(("name", "other"), [pair for pair in PAIRS if set(pair) <= set(CONTINUOUS)])
def test_a_divergence_is_an_integral(name: str, other: str, unchecked: None) -> None:
    for p, q in pairs_of(name, other):
        found = D.kl_divergence(p, q).numpy()
        for k in range(2):
            if not math.isfinite(found[k]):
                continue
            bounds = CONTINUOUS[name] or ((float(p.low[k]), float(p.high[k])) if name == "Uniform" else
                                          (float(p.scale[k]), np.inf))

            def integrand(x: float, k: int = k, p: Any = p, q: Any = q) -> float:
                log_p = float(p.log_prob(t(x))[k])
                return math.exp(log_p) * (log_p - float(q.log_prob(t(x))[k])) if log_p > -700 else 0.0
            points = None if np.inf in map(abs, bounds) else [float(p.mean[k])]
            value = integrate.quad(integrand, *bounds, epsabs=1e-7, epsrel=1e-6, limit=200, points=points)[0]
            assert value == pytest.approx(found[k], rel=1e-4, abs=1e-6), f"{name}, {other} at {k}"


@pytest.mark.parametrize("name", ["Bernoulli", "Beta", "ContinuousBernoulli", "Dirichlet", "Exponential", "Gamma", "Normal",
                                  "Poisson"])
def test_bregman_divergences_are_the_formulas(name: str) -> None:
    for p, q in pairs_of(name, name):
        np.testing.assert_allclose(kl._kl_expfamily_expfamily(p, q).numpy(), D.kl_divergence(p, q).numpy(), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ["Bernoulli", "ContinuousBernoulli", "Exponential", "Gamma", "Normal"])
def test_bregman_entropies_are_the_formulas(name: str) -> None:
    for make in FAMILIES[name]:
        p = make()
        np.testing.assert_allclose(D.ExponentialFamily.entropy(p).numpy(), p.entropy().numpy(), rtol=1e-6, atol=1e-9)


def test_bregman_divergence_and_entropy_of_matrices() -> None:
    one, two = (D.Wishart(t(5.0, 7.0), covariance_matrix=(mg.eye(2) + c).double()) for c in (0.2, 0.5))
    np.testing.assert_allclose(D.ExponentialFamily.entropy(one).numpy(), one.entropy().numpy())
    mg.manual_seed(0)
    value = one.sample((20000,))
    difference = (one.log_prob(value) - two.log_prob(value)).numpy()
    found = D.kl_divergence(one, two).numpy()
    assert found.shape == (2,) and (abs(difference.mean(0) - found) < 5 * difference.std(0) / 20000**0.5).all()


def test_gradients_reach_both() -> None:
    """Those of Bregman divergences too, which PyTorch drops on the side of p."""
    a, b = t(0.3, 0.6).requires_grad_(), t(0.5, 0.2).requires_grad_()
    for divergence in (D.kl_divergence, kl._kl_expfamily_expfamily):
        def value(x: Any, y: Any, divergence: Any = divergence) -> Any:
            return divergence(D.Bernoulli(x), D.Bernoulli(y))
        assert mg.autograd.gradcheck(value, (a, b))
    assert mg.autograd.gradcheck(lambda x: D.ExponentialFamily.entropy(D.Bernoulli(x)), (a,))


def test_edges() -> None:
    sure, fair = D.Bernoulli(t(0.0, 1.0)), D.Bernoulli(t(0.5, 0.5))
    assert D.kl_divergence(sure, fair).tolist() == pytest.approx([math.log(2)] * 2, rel=1e-6)
    assert D.kl_divergence(fair, sure).tolist() == [math.inf] * 2
    assert D.kl_divergence(sure, sure).tolist() == [0.0, 0.0]
    one, two = D.Categorical(t(1.0, 0.0)), D.Categorical(t(0.5, 0.5))
    assert float(D.kl_divergence(one, two)) == pytest.approx(math.log(2), rel=1e-6)
    assert float(D.kl_divergence(two, one)) == math.inf
    assert D.kl_divergence(D.Poisson(t(0.0)), D.Poisson(t(2.0))).tolist() == [2.0]


def test_what_is_refused() -> None:
    with pytest.raises(NotImplementedError, match=r"No KL\(p \|\| q\) is implemented for p type Cauchy and q type Binomial"):
        D.kl_divergence(D.Cauchy(0.0, 1.0), D.Binomial(2, 0.5))
    with pytest.raises(NotImplementedError, match="total_count"):
        D.kl_divergence(D.Binomial(2, 0.5), D.Binomial(3, 0.5))
    assert float(D.kl_divergence(D.Binomial(3, 0.5), D.Binomial(2, 0.5))) == math.inf
    with pytest.raises(NotImplementedError, match="reinterpreted_batch_ndims"):
        D.kl_divergence(D.Independent(D.Normal(mg.zeros(2, 3), 1.0), 1), D.Independent(D.Normal(mg.zeros(2, 3), 1.0), 2))
    with pytest.raises(NotImplementedError, match="equal transforms"):
        D.kl_divergence(D.LogNormal(0.0, 1.0), D.Weibull(1.0, 1.0))
    with pytest.raises(ValueError, match="different event shapes"):
        D.kl_divergence(D.MultivariateNormal(mg.zeros(2), mg.eye(2)), D.MultivariateNormal(mg.zeros(3), mg.eye(3)))
    with pytest.raises(TypeError, match="Expected type_p to be a Distribution subclass"):
        D.register_kl(3, D.Normal)  # type: ignore[arg-type]


def test_the_closest_families_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kl, "_KL_REGISTRY", dict(kl._KL_REGISTRY))

    class Left(D.Normal): ...

    class Right(D.Normal): ...

    D.register_kl(Left, D.Normal)(lambda p, q: "left")
    D.register_kl(D.Normal, Right)(lambda p, q: "right")
    assert kl._dispatch_kl(Left, D.Normal)(None, None) == "left"  # type: ignore[misc]
    assert kl._dispatch_kl(D.Normal, Right)(None, None) == "right"  # type: ignore[misc]
    with pytest.warns(RuntimeWarning, match=r"Ambiguous kl_divergence\(Left, Right\). Please register_kl\(Left, Right\)"):
        assert kl._dispatch_kl(Left, Right)(None, None) == "left"  # type: ignore[misc]


def test_every_pair_has_examples() -> None:
    assert {name for pair in PAIRS for name in pair} == set(FAMILIES) <= set(CASES)
