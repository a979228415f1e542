"""How distributions are used: programs of their usual forms, what is validated, and what tails far out give."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import distributions as D
from minigrad import nn
from minigrad.distributions.utils import (
    broadcast_all,
    lazy_property,
    logits_to_probs,
    probs_to_logits,
    tril_matrix_to_vec,
    vec_to_tril_matrix,
)
from minigrad.ops.pointwise.tails import beta_tail, gamma_tail
from minigrad.ops.reparameterized import dirichlet_slope

special = pytest.importorskip("scipy.special", reason="the oracle of special functions is SciPy")


# ---------------------------------------------------------------------------------------------------- programs

def test_a_policy_learns_which_arm_pays() -> None:
    """REINFORCE (Williams 1992): the gradient of the expected reward is that of ``log_prob(action) * reward``."""
    mg.manual_seed(0)
    policy = nn.Linear(1, 3)
    optimizer = mg.optim.Adam(policy.parameters(), lr=0.1)
    rewards = mg.tensor([0.1, 0.3, 1.0])
    for _ in range(60):
        choice = D.Categorical(logits=policy(mg.ones(16, 1)))
        action = choice.sample()
        loss = -(choice.log_prob(action) * rewards[action]).mean() - 0.01 * choice.entropy().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(D.Categorical(logits=policy(mg.ones(1))).probs[2]) > 0.9


def test_a_continuous_policy_of_bounded_actions() -> None:
    """The squashed normal distribution of soft actor-critic: samples carry gradients, densities know of the squashing."""
    mg.manual_seed(0)
    loc = mg.zeros(2, requires_grad=True)
    optimizer = mg.optim.Adam([loc], lr=0.05)
    for _ in range(150):
        action = D.TransformedDistribution(D.Normal(loc, 0.2), [D.TanhTransform(cache_size=1)])
        a = action.rsample((16,))
        loss = ((a - mg.tensor([0.5, -0.5])) ** 2).sum(-1).mean() + 1e-3 * action.log_prob(a).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    np.testing.assert_allclose(action.sample((2000,)).mean(0).numpy(), [0.5, -0.5], atol=0.08)


def test_a_variational_autoencoder_learns() -> None:
    """Kingma and Welling, Auto-encoding variational Bayes, 2014."""
    mg.manual_seed(0)
    data = (mg.rand(64, 1) > 0.5).float().expand(64, 6) * mg.tensor([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
    encoder, decoder = nn.Linear(6, 2), nn.Linear(1, 6)
    optimizer = mg.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.05)
    losses = []
    for _ in range(80):
        loc, scale = encoder(data).chunk(2, -1)
        posterior = D.Independent(D.Normal(loc, nn.functional.softplus(scale)), 1)
        z = posterior.rsample()
        likelihood = D.Independent(D.Bernoulli(logits=decoder(z)), 1)
        prior = D.Independent(D.Normal(mg.zeros_like(z), 1.0), 1)
        loss = (D.kl_divergence(posterior, prior) - likelihood.log_prob(data)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    assert losses[-1] < 0.5 * losses[0]


def test_parameters_of_a_gamma_are_fitted_by_its_samples() -> None:
    """Through implicit derivatives: the mean and variance of samples are brought to 3 and 1.5."""
    mg.manual_seed(0)
    unconstrained = mg.zeros(2, requires_grad=True)
    optimizer = mg.optim.Adam([unconstrained], lr=0.1)
    for _ in range(120):
        a, rate = D.transform_to(D.constraints.positive)(unconstrained)
        x = D.Gamma(a, rate).rsample((400,))
        loss = (x.mean() - 3) ** 2 + (x.var() - 1.5) ** 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    a, rate = unconstrained.detach().exp()
    assert float(a / rate) == pytest.approx(3, rel=0.1)
    assert float(a / rate**2) == pytest.approx(1.5, rel=0.25)


def test_distributions_are_copied_and_pickled() -> None:
    for d in (D.Normal(mg.zeros(2), 1.0), D.LogNormal(0.0, 1.0), D.Categorical(logits=mg.zeros(3)),
              D.MultivariateNormal(mg.zeros(2), mg.eye(2)), D.Gumbel(0.0, 1.0), D.LogisticNormal(mg.zeros(2), 1.0)):
        value = d.sample()
        for twin in (copy.deepcopy(d), pickle.loads(pickle.dumps(d))):
            assert type(twin) is type(d) and mg.equal(twin.log_prob(value), d.log_prob(value))


# ---------------------------------------------------------------------------------------------------- validation

def test_parameters_are_validated() -> None:
    with pytest.raises(ValueError, match=r"Expected parameter scale \(Tensor of shape \(2,\)\) of distribution Normal\(.*\) to "
                                         r"satisfy the constraint GreaterThan\(lower_bound=0.0\), but found invalid values:\n"
                                         r"tensor\(\[ 1., -1.\]\)"):
        D.Normal(0.0, mg.tensor([1.0, -1.0]))
    D.Normal(0.0, mg.tensor([1.0, -1.0]), validate_args=False)
    for make in (lambda: D.Bernoulli(), lambda: D.Bernoulli(0.5, 0.0), lambda: D.Categorical(mg.ones(2), mg.ones(2))):
        with pytest.raises(ValueError, match="Either `probs` or `logits` must be specified, but not both"):
            make()
    with pytest.raises(ValueError, match="at least one-dimensional"):
        D.Categorical(mg.tensor(1.0))
    with pytest.raises(ValueError, match="Exactly one of covariance_matrix or precision_matrix or scale_tril"):
        D.MultivariateNormal(mg.zeros(2))
    with pytest.raises(ValueError, match="greater than ndim - 1 = 1"):
        D.Wishart(1.0, mg.eye(2))
    with pytest.raises(ValueError, match="all be instances of Number or Tensor, got str"):
        D.Normal("a", 1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="reinterpreted_batch_ndims"):
        D.Independent(D.Normal(0.0, 1.0), 1)
    with pytest.raises(ValueError, match="needs to be an instance of minigrad.distributions.Categorical"):
        D.MixtureSameFamily(D.Normal(0.0, 1.0), D.Normal(mg.zeros(2), 1.0))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"`mixture_distribution component` \(3\) does not equal"):
        D.MixtureSameFamily(D.Categorical(mg.ones(3)), D.Normal(mg.zeros(2), 1.0))


def test_values_are_validated() -> None:
    d = D.Exponential(mg.ones(2))
    with pytest.raises(ValueError, match=r"to be within the support \(GreaterThanEq\(lower_bound=0.0\)\) of the distribution "
                                         r"Exponential\(rate: minigrad.Size\(\[2\]\)\), but found invalid values:"):
        d.log_prob(mg.tensor([1.0, -1.0]))
    with pytest.raises(ValueError, match="Value is not broadcastable with batch_shape"):
        d.log_prob(mg.ones(3))
    with pytest.raises(ValueError, match="must be a Tensor, got float"):
        d.log_prob(1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="right-most size of value must match event_shape"):
        D.Dirichlet(mg.ones(3)).log_prob(mg.ones(2))
    assert float(D.Uniform(0.0, 1.0, validate_args=False).log_prob(mg.tensor(2.0))) == -math.inf


def test_validation_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(D.Distribution, "_validate_args", True)
    D.Distribution.set_default_validate_args(False)
    assert float(D.Normal(0.0, -1.0).mean) == 0
    with pytest.raises(ValueError, match="expected True or False"):
        D.Distribution.set_default_validate_args(3)  # type: ignore[arg-type]


class Constant(D.Distribution):
    """One value, which says nothing of its parameters and support."""

    def rsample(self, sample_shape: Any = ()) -> Any:
        return mg.zeros(self._extended_shape(sample_shape))

    def log_prob(self, value: Any) -> Any:
        self._validate_sample(value)
        return mg.zeros_like(value)


def test_what_a_family_does_not_say_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="does not define `arg_constraints`"):
        d = Constant(validate_args=True)
    with pytest.warns(UserWarning, match="does not define `support`"):
        d.log_prob(d.sample())
    with pytest.warns(FutureWarning, match="sample_n"):
        assert d.sample_n(3).shape == (3,)
    for name in ("mean", "mode", "variance", "stddev"):
        with pytest.raises(NotImplementedError, match="does not implement"):
            getattr(d, name)
    for call in (d.entropy, d.perplexity, d.enumerate_support, lambda: d.cdf(mg.zeros(1)), lambda: d.icdf(mg.zeros(1))):
        with pytest.raises(NotImplementedError, match="does not implement"):
            call()


# ---------------------------------------------------------------------------------------------------- what they share

def test_probs_and_logits_are_computed_when_asked_for() -> None:
    given = {"probs": mg.tensor([0.25, 0.75])}
    for family in (D.Bernoulli, D.Categorical, D.OneHotCategorical):
        d = family(**given)
        value = d.sample()
        assert "logits" not in vars(d) and d.logits is d.logits and "logits" in vars(d)
        other = family(logits=d.logits)
        other.log_prob(value)
        assert "probs" not in vars(other)
        np.testing.assert_allclose(other.probs.numpy(), d.probs.numpy(), rtol=1e-6)


def test_lazy_properties_have_a_graph_where_it_is_switched_off() -> None:
    logits = mg.zeros(2, requires_grad=True)
    d = D.Bernoulli(logits=logits)
    with mg.no_grad():
        assert d.probs.requires_grad
    assert isinstance(D.Bernoulli.probs, lazy_property)


def test_helpers() -> None:
    a, b = broadcast_all(1, mg.zeros(2, dtype=mg.float64))
    assert a.dtype is b.dtype is mg.float64 and a.shape == (2,)
    assert broadcast_all(1, 2)[0].dtype is mg.float32
    logits = mg.randn(3, 4, dtype=mg.float64)
    np.testing.assert_allclose(logits_to_probs(probs_to_logits(logits.sigmoid(), True), True).numpy(), logits.sigmoid().numpy())
    for n, diag in ((4, 0), (4, -1), (4, 1), (1, 0)):
        full = mg.randn(2, n, n).tril(diag)
        vec = tril_matrix_to_vec(full, diag)
        assert mg.equal(vec_to_tril_matrix(vec, diag), full)
    with pytest.raises(ValueError, match="outside"):
        tril_matrix_to_vec(mg.zeros(2, 2), 2)
    with pytest.raises(ValueError, match="cannot be expressed"):
        vec_to_tril_matrix(mg.zeros(4))


def test_edges_of_the_formulas() -> None:
    assert float(D.Geometric(1.0).log_prob(mg.tensor(0.0))) == 0 and float(D.Geometric(1.0).sample()) == 0
    assert D.Gamma(mg.tensor([0.5, 1.0, 2.0]), 1.0).log_prob(mg.zeros(3)).tolist() == [math.inf, 0.0, -math.inf]
    assert float(D.Dirichlet(mg.tensor([1.0, 2.0])).log_prob(mg.tensor([0.0, 1.0]))) == pytest.approx(math.log(2))
    assert D.Binomial(mg.zeros(2), 1.0).log_prob(mg.zeros(2)).tolist() == [0.0, 0.0]
    assert bool(D.Binomial(1, logits=mg.tensor([-100.0, 100.0])).log_prob(mg.zeros(2)).isfinite().all())
    assert float(D.NegativeBinomial(0.0, 0.5).log_prob(mg.tensor(0.0))) == 0
    impossible = D.Multinomial(3, logits=mg.tensor([-math.inf, 0.0]))
    assert impossible.log_prob(mg.tensor([[0.0, 3.0], [3.0, 0.0]])).tolist() == [0.0, -math.inf]
    assert float(D.kl_divergence(D.Poisson(0.0), D.Poisson(0.0))) == 0
    assert float(D.GeneralizedPareto(0.0, 1.0, 0.0).log_prob(mg.tensor(math.inf))) == -math.inf
    assert D.Weibull(1.0, mg.tensor([0.5, 1.0, 2.0])).mode.isnan().tolist() == [True, False, False]
    x = mg.zeros((), requires_grad=True)
    D.Poisson(x).log_prob(mg.tensor(1.0)).backward()
    assert x.grad is not None and float(x.grad) == math.inf
    nearly = D.ContinuousBernoulli(logits=mg.tensor([-1e38, 1e38]))
    np.testing.assert_allclose(nearly.log_prob(mg.tensor([0.0, 1.0])).numpy(), [2.76898, 2.76898], rtol=1e-5)
    zero = D.GeneralizedPareto(0.0, 1.0, mg.zeros((), requires_grad=True))  # where two formulas meet, with one slope
    slope, = mg.autograd.grad(zero.log_prob(mg.tensor(3.0)), zero.concentration)
    assert float(slope) == pytest.approx(3.0**2 / 2 - 3.0)


# ---------------------------------------------------------------------------------------------------- tails

def test_gamma_samples_of_all_sizes_move_as_quantiles() -> None:
    """From concentrations of a thousandth to ten thousand, against differences of SciPy's distribution function."""
    rng = np.random.default_rng(0)
    a = 10 ** rng.uniform(-3, 4, 300)
    x = rng.gamma(a).clip(1e-300)
    below, h = x < a, 1e-3 * np.minimum(a, np.sqrt(a))

    def probability(step: float) -> Any:
        return np.where(below, special.gammainc(a + step * h, x), -special.gammaincc(a + step * h, x))
    slope = (8 * (probability(1) - probability(-1)) - (probability(2) - probability(-2))) / (12 * h)
    log_density = (a - 1) * np.log(x) - x - special.gammaln(a)
    np.testing.assert_allclose(gamma_tail(a, x, order=1), slope / np.exp(log_density), rtol=1e-6)


def test_beta_samples_of_all_sizes_move_as_quantiles() -> None:
    rng = np.random.default_rng(0)
    a, b = 10 ** rng.uniform(-2, 3, (2, 300))
    x = rng.beta(a, b).clip(1e-300, 1 - 1e-16)
    above, h = x * (a + b) >= a, 1e-3 * np.minimum(a, np.sqrt(a))

    def probability(step: float) -> Any:
        return np.where(above, -special.betaincc(a + step * h, b, x), special.betainc(a + step * h, b, x))
    slope = (8 * (probability(1) - probability(-1)) - (probability(2) - probability(-2))) / (12 * h)
    log_density = (a - 1) * np.log(x) + (b - 1) * np.log1p(-x) - special.betaln(a, b)
    np.testing.assert_allclose(beta_tail(a, b, x, order1=1, order0=0), slope / np.exp(log_density), rtol=1e-6)


def test_second_derivatives_through_samples() -> None:
    """A sample as a function of its concentration has derivatives of every order: here that of the derivative, by differences."""
    a = mg.tensor([0.7, 3.0, 8.0], dtype=mg.float64)
    x = mg.tensor([0.2, 3.5, 6.0], dtype=mg.float64)

    def move(a: Any, x: Any) -> Any:
        return -gamma_tail(a, x, order=1)
    assert mg.autograd.gradcheck(move, (a.requires_grad_(), x.requires_grad_()))
    assert mg.autograd.gradgradcheck(move, (a, x))
    concentration = mg.tensor([0.7, 3.0, 2.0], dtype=mg.float64, requires_grad=True)
    point = mg.tensor([0.2, 0.5, 0.3], dtype=mg.float64)
    weights = mg.tensor([1.0, -2.0, 0.5], dtype=mg.float64)
    assert mg.autograd.gradcheck(lambda c: dirichlet_slope(point, c, weights), (concentration,))


def test_dirichlet_samples_obey_the_continuity_equation() -> None:
    """What flows in the direction of the gradient changes the density as the parameter does: at points of the simplex,
    ``d log p / d a + div v + v . grad log p = 0``, where v is how points move."""
    a = mg.tensor([0.5, 1.0, 2.0], dtype=mg.float64)

    def velocity(free: Any, k: int) -> Any:
        x = mg.cat([free, 1 - free.sum(-1, keepdim=True)], -1)
        return mg.stack([dirichlet_slope(x, a, mg.eye(3, dtype=mg.float64)[i])[k] for i in range(2)])

    for point in ([0.2, 0.3], [0.05, 0.6], [0.4, 0.4]):
        free = mg.tensor(point, dtype=mg.float64)
        for k in range(3):
            divergence = mg.autograd.functional.jacobian(lambda f, k=k: velocity(f, k), free).diagonal().sum()

            def log_density(f: Any, a: Any = a) -> Any:
                return D.Dirichlet(a, validate_args=False).log_prob(mg.cat([f, 1 - f.sum(-1, keepdim=True)], -1))
            grad = mg.autograd.functional.jacobian(log_density, free)
            by_a = mg.autograd.functional.jacobian(lambda c, f=free: log_density(f, c), a)[k]
            assert float(by_a + divergence + (velocity(free, k) * grad).sum()) == pytest.approx(0, abs=1e-8)


def test_small_concentrations_do_not_underflow() -> None:
    mg.manual_seed(1)
    for dtype in (mg.float32, mg.float64):
        tiny = mg.tensor(1e-2, dtype=dtype)
        x = D.Beta(tiny, tiny).sample((20000,))
        assert bool(((x > 0) & (x < 1)).all())
        assert float((x < 0.1).float().mean()) == pytest.approx(0.5, abs=0.03)
        assert float((x > 0.9).float().mean()) == pytest.approx(0.5, abs=0.03)
        assert bool((D.Gamma(tiny / 10, 1.0).sample((1000,)) > 0).all())
