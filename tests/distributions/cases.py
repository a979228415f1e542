"""The table of distributions: for each family how it is made, and the same distribution in SciPy or as a formula in NumPy.

A case names its parameters as lists of numbers. From it come tests against SciPy, of samples, of gradients, of shapes, and
against PyTorch where that is installed. ``tests/distributions/test_table.py`` fails where a family has no case.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable

import numpy as np
import pytest

stats = pytest.importorskip("scipy.stats", reason="the oracle of distributions is SciPy")
special = pytest.importorskip("scipy.special", reason="the oracle of distributions is SciPy")


@dataclass
class DistributionCase:
    """How one distribution is tested.

    Attributes:
        params: its parameters, by name: numbers and lists of numbers, which become float64 tensors; ints and None stay.
        scipy: SciPy's distribution, of the same parameters by name; None where it has none.
        make: makes the distribution of a module ``distributions`` and of parameters, if this is not the class of the table.
        log_prob: the logarithm of the density or probability of samples, of these and of the parameters, where `scipy` is None.
        moments: mean and variance, of the parameters, where the family has them and they are not SciPy's.
        absent: what this family does not have, here as in PyTorch.
        fixed: parameters that are not differentiated, as they are counts.
        several: a sample is made of several random numbers, so that it is no quantile.
        skewed: averages of samples converge too slowly to be compared.
    """

    params: dict[str, Any]
    scipy: Callable[..., Any] | None = None
    make: Callable[..., Any] | None = None
    log_prob: Callable[..., Any] | None = None
    moments: Callable[..., tuple[Any, Any]] | None = None
    absent: tuple[str, ...] = field(default=())
    fixed: tuple[str, ...] = field(default=())
    several: bool = False
    skewed: bool = False

    def arrays(self) -> dict[str, Any]:
        """The parameters as arrays."""
        return {k: v if v is None or isinstance(v, int) else np.asarray(v, dtype=np.float64) for k, v in self.params.items()}

    def build(self, name: str, library: Any, arrays: dict[str, Any] | None = None, **settings: Any) -> Any:
        """The distribution of `library`, minigrad or PyTorch, with tensors of the parameters."""
        values = {k: library.tensor(v, dtype=library.float64) if isinstance(v, np.ndarray) else v
                  for k, v in (arrays or self.arrays()).items()}
        return self.of(name, library, values, **settings)

    def of(self, name: str, library: Any, values: dict[str, Any], **settings: Any) -> Any:
        """The same with parameters that are given as tensors."""
        families = library.distributions
        return self.make(families, **values) if self.make else getattr(families, name)(**values, **settings)


def multivariate(log_density: Callable[..., float]) -> Callable[..., Any]:
    """A function of a batch of vectors or matrices, and of parameters, from that of a single one."""
    return lambda value, **params: np.array([log_density(v, **params) for v in value])


def by_logits(probs: Any) -> Any:
    return special.logit(np.asarray(probs)).tolist()


def log_continuous_bernoulli(x: Any, p: Any) -> Any:
    constant = np.where(p == 0.5, 2.0, 2 * np.arctanh(1 - 2 * p) / np.where(p == 0.5, 1, 1 - 2 * p))
    return np.log(constant) + x * np.log(p) + (1 - x) * np.log1p(-p)


class ContinuousBernoulli(stats.rv_continuous):
    """The continuous Bernoulli distribution, of its density."""

    def _pdf(self, x: Any, p: Any) -> Any:
        return np.exp(log_continuous_bernoulli(x, p))

    def _cdf(self, x: Any, p: Any) -> Any:
        return (p**x * (1 - p)**(1 - x) + p - 1) / (2 * p - 1)


class Kumaraswamy(stats.rv_continuous):
    """The Kumaraswamy distribution, of its distribution function."""

    def _cdf(self, x: Any, a: Any, b: Any) -> Any:
        return 1 - (1 - x**a)**b

    def _pdf(self, x: Any, a: Any, b: Any) -> Any:
        return a * b * x**(a - 1) * (1 - x**a)**(b - 1)


class RelaxedBernoulli(stats.rv_continuous):
    """The sigmoid of a logistic variate."""

    def _cdf(self, x: Any, t: Any, p: Any) -> Any:
        return special.expit(t * special.logit(x) - special.logit(p))

    def _pdf(self, x: Any, t: Any, p: Any) -> Any:
        below = self._cdf(x, t, p)
        return below * (1 - below) * t / (x * (1 - x))


continuous_bernoulli, kumaraswamy = ContinuousBernoulli(a=0, b=1), Kumaraswamy(a=0, b=1)
relaxed_bernoulli = RelaxedBernoulli(a=0, b=1)

MATRIX = [[2.0, 0.3, 0.1], [0.3, 1.0, -0.2], [0.1, -0.2, 0.5]]
LOC = [0.5, -1.0, 2.0]
FACTOR = np.linalg.cholesky(np.array(MATRIX)).tolist()
WEIGHTS = [[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]


def log_exp_relaxed(y: Any, temperature: Any, probs: Any) -> Any:
    """The density of the logarithms of a relaxed category: equation 26 of The concrete distribution (Maddison et al. 2017)."""
    n = probs.shape[-1]
    score = np.log(probs / probs.sum(-1, keepdims=True)) - temperature * y
    return (special.gammaln(n) + (n - 1) * np.log(temperature) + score.sum(-1) - n * special.logsumexp(score, -1))


def log_lkj(value: Any, dim: int, concentration: Any) -> Any:
    """The density of a Cholesky factor of a 2 x 2 correlation matrix: that of its correlation, which is a beta variate on [-1, 1]
    (times the Jacobian of the factor, which is 1 there)."""
    r = value[..., 1, 0]
    return stats.beta(concentration, concentration).logpdf((r + 1) / 2) - np.log(2)


NO_CDF = ("cdf", "icdf")

CASES: dict[str, list[DistributionCase]] = {
    "Bernoulli": [DistributionCase({"probs": [0.1, 0.5, 0.8]}, lambda probs: stats.bernoulli(probs), absent=NO_CDF),
                  DistributionCase({"logits": by_logits([0.1, 0.3])}, lambda logits: stats.bernoulli(special.expit(logits)),
                                   absent=NO_CDF)],
    "Beta": [DistributionCase({"concentration1": [0.5, 2.0, 7.0], "concentration0": [1.5, 3.0, 0.8]},
                              lambda concentration1, concentration0: stats.beta(concentration1, concentration0),
                              absent=NO_CDF)],
    "Binomial": [DistributionCase({"total_count": [10.0, 10.0], "probs": [0.2, 0.7]},
                                  lambda total_count, probs: stats.binom(total_count, probs), absent=NO_CDF,
                                  fixed=("total_count",)),
                 DistributionCase({"total_count": 5, "logits": by_logits([0.4, 0.9])},
                                  lambda total_count, logits: stats.binom(total_count, special.expit(logits)), absent=NO_CDF)],
    "Categorical": [DistributionCase({"probs": WEIGHTS}, log_prob=lambda value, probs: np.log(probs)[[[0], [1]], value.T].T),
                    DistributionCase({"logits": np.log(WEIGHTS).tolist()},
                                     log_prob=lambda value, logits: logits[[[0], [1]], value.T].T)],
    "Cauchy": [DistributionCase({"loc": [0.0, 2.0], "scale": [1.0, 0.5]}, lambda loc, scale: stats.cauchy(loc, scale),
                                skewed=True)],
    "Chi2": [DistributionCase({"df": [1.0, 3.0, 9.5]}, lambda df: stats.chi2(df), absent=("icdf",))],
    "ContinuousBernoulli": [DistributionCase({"probs": [0.1, 0.8]}, lambda probs: continuous_bernoulli(probs), absent=("mode",)),
                            DistributionCase({"logits": by_logits([0.3, 0.95])},
                                             lambda logits: continuous_bernoulli(special.expit(logits)), absent=("mode",))],
    "Dirichlet": [DistributionCase(
        {"concentration": [0.7, 2.0, 3.0]},
        log_prob=multivariate(lambda v, concentration: stats.dirichlet(concentration).logpdf(v)),
        moments=lambda concentration: (stats.dirichlet(concentration).mean(), stats.dirichlet(concentration).var()))],
    "Exponential": [DistributionCase({"rate": [0.5, 2.0]}, lambda rate: stats.expon(scale=1 / rate))],
    "FisherSnedecor": [DistributionCase({"df1": [3.0, 6.0], "df2": [9.0, 12.0]}, lambda df1, df2: stats.f(df1, df2),
                                        absent=(*NO_CDF, "entropy"), several=True, skewed=True)],
    "Gamma": [DistributionCase({"concentration": [0.3, 2.0, 30.0], "rate": [1.0, 0.5, 4.0]},
                               lambda concentration, rate: stats.gamma(concentration, scale=1 / rate), absent=("icdf",))],
    "GeneralizedPareto": [DistributionCase(
        {"loc": [0.0, 1.0, -1.0], "scale": [1.0, 2.0, 0.5], "concentration": [0.0, 0.2, -0.5]},
        lambda loc, scale, concentration: stats.genpareto(concentration, loc, scale))],
    "Geometric": [DistributionCase({"probs": [0.2, 0.7]}, lambda probs: stats.geom(probs, loc=-1), absent=NO_CDF),
                  DistributionCase({"logits": by_logits([0.4])}, lambda logits: stats.geom(special.expit(logits), loc=-1),
                                   absent=NO_CDF)],
    "Gumbel": [DistributionCase({"loc": [0.0, 1.0], "scale": [1.0, 3.0]}, lambda loc, scale: stats.gumbel_r(loc, scale))],
    "HalfCauchy": [DistributionCase({"scale": [1.0, 2.5]}, lambda scale: stats.halfcauchy(scale=scale), skewed=True)],
    "HalfNormal": [DistributionCase({"scale": [1.0, 2.5]}, lambda scale: stats.halfnorm(scale=scale))],
    "Independent": [DistributionCase(
        {"loc": [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], "scale": [1.0, 2.0, 3.0]},
        make=lambda D, loc, scale: D.Independent(D.Normal(loc, scale), 1),
        log_prob=lambda value, loc, scale: stats.norm(loc, scale).logpdf(value).sum(-1),
        moments=lambda loc, scale: (loc, np.broadcast_to(scale, loc.shape)**2), absent=NO_CDF)],
    "InverseGamma": [DistributionCase({"concentration": [3.0, 6.0], "rate": [1.0, 2.0]},
                                      lambda concentration, rate: stats.invgamma(concentration, scale=rate),
                                      absent=("icdf",), skewed=True)],
    "Kumaraswamy": [DistributionCase({"concentration1": [0.5, 2.0], "concentration0": [1.5, 3.0]},
                                     lambda concentration1, concentration0: kumaraswamy(concentration1, concentration0))],
    "LKJCholesky": [DistributionCase({"dim": 2, "concentration": [0.5, 1.0, 4.0]}, log_prob=log_lkj,
                                     absent=("mean", "variance", "mode", "entropy"))],
    "Laplace": [DistributionCase({"loc": [0.0, 1.0], "scale": [1.0, 3.0]}, lambda loc, scale: stats.laplace(loc, scale))],
    "LogNormal": [DistributionCase({"loc": [0.0, -1.0], "scale": [0.5, 0.2]},
                                   lambda loc, scale: stats.lognorm(scale, scale=np.exp(loc)))],
    "LogisticNormal": [DistributionCase(
        {"loc": [0.5, -1.0], "scale": [0.7, 1.2]},
        # of the logits x of stick breaking, less the logarithms of the derivatives: y_i = left_i * sigmoid(x_i - shift_i)
        log_prob=lambda value, loc, scale: log_logistic_normal(value, loc, scale), absent=("mode", "entropy"))],
    "LowRankMultivariateNormal": [DistributionCase(
        {"loc": LOC, "cov_factor": [[1.0], [0.5], [-2.0]], "cov_diag": [0.5, 1.0, 2.0]},
        log_prob=lambda value, loc, cov_factor, cov_diag: stats.multivariate_normal(
            loc, cov_factor @ cov_factor.T + np.diag(cov_diag)).logpdf(value),
        moments=lambda loc, cov_factor, cov_diag: (loc, (cov_factor**2).sum(-1) + cov_diag))],
    "MixtureSameFamily": [DistributionCase(
        {"probs": [0.3, 0.7], "loc": [-1.0, 2.0], "scale": [0.5, 1.5]},
        make=lambda D, probs, loc, scale: D.MixtureSameFamily(D.Categorical(probs), D.Normal(loc, scale)),
        log_prob=lambda value, probs, loc, scale: np.log((probs * stats.norm(loc, scale).pdf(value[..., None])).sum(-1)),
        moments=lambda probs, loc, scale: ((probs * loc).sum(), (probs * (scale**2 + loc**2)).sum() - (probs * loc).sum()**2),
        absent=("mode", "entropy"))],
    "Multinomial": [DistributionCase(
        {"total_count": 6, "probs": [0.2, 0.3, 0.5]},
        log_prob=lambda value, total_count, probs: stats.multinomial(total_count, probs).logpmf(value),
        moments=lambda total_count, probs: (total_count * probs, total_count * probs * (1 - probs)), absent=("mode",))],
    "MultivariateNormal": [
        DistributionCase({"loc": LOC, name: matrix}, log_prob=lambda value, loc, of=of, **m: stats.multivariate_normal(
            loc, of(*m.values())).logpdf(value), moments=lambda loc, of=of, **m: (loc, np.diag(of(*m.values()))))
        for name, matrix, of in (("covariance_matrix", MATRIX, lambda m: m), ("precision_matrix", MATRIX, np.linalg.inv),
                                 ("scale_tril", FACTOR, lambda m: m @ m.T))],
    "NegativeBinomial": [
        DistributionCase({"total_count": [3.0, 1.5], "probs": [0.2, 0.7]},
                         lambda total_count, probs: stats.nbinom(total_count, 1 - probs), absent=(*NO_CDF, "entropy")),
        DistributionCase({"total_count": [4.0], "logits": by_logits([0.4])},
                         lambda total_count, logits: stats.nbinom(total_count, special.expit(-logits)),
                         absent=(*NO_CDF, "entropy"))],
    "Normal": [DistributionCase({"loc": [0.0, 2.0], "scale": [1.0, 0.5]}, lambda loc, scale: stats.norm(loc, scale))],
    "OneHotCategorical": [DistributionCase(
        {"probs": [0.2, 0.3, 0.5]}, log_prob=lambda value, probs: np.log((probs * value).sum(-1)),
        moments=lambda probs: (probs, probs * (1 - probs)))],
    "OneHotCategoricalStraightThrough": [DistributionCase(
        {"logits": np.log([0.2, 0.3, 0.5]).tolist()}, log_prob=lambda value, logits: (logits * value).sum(-1),
        moments=lambda logits: (np.exp(logits), np.exp(logits) * (1 - np.exp(logits))))],
    "Pareto": [DistributionCase({"scale": [1.0, 2.0], "alpha": [5.0, 7.0]},
                                lambda scale, alpha: stats.pareto(alpha, scale=scale), skewed=True)],
    "Poisson": [DistributionCase({"rate": [0.4, 3.0, 20.0]}, lambda rate: stats.poisson(rate), absent=(*NO_CDF, "entropy"))],
    "RelaxedBernoulli": [DistributionCase({"temperature": [0.7], "probs": [0.2, 0.6]},
                                          lambda temperature, probs: relaxed_bernoulli(temperature, probs),
                                          absent=(*NO_CDF, "mean", "variance", "mode", "entropy"))],
    "RelaxedOneHotCategorical": [DistributionCase(
        {"temperature": 0.7, "probs": [0.2, 0.3, 0.5]},
        log_prob=lambda value, temperature, probs: log_exp_relaxed(np.log(value), temperature, probs) - np.log(value).sum(-1),
        absent=("mode", "entropy"))],
    "StudentT": [DistributionCase({"df": [3.0, 8.0], "loc": [0.0, 1.0], "scale": [1.0, 2.0]},
                                  lambda df, loc, scale: stats.t(df, loc, scale), absent=NO_CDF, several=True,
                                  skewed=True)],
    "TransformedDistribution": [DistributionCase(
        {"loc": [0.0, 1.0], "scale": [1.0, 0.5]},
        lambda loc, scale: stats.lognorm(2 * scale, loc=3.0, scale=np.exp(2 * loc)),
        make=lambda D, loc, scale: D.TransformedDistribution(D.Normal(loc, scale), [
            D.AffineTransform(0.0, 2.0), D.ExpTransform(), D.AffineTransform(3.0, 1.0)]),
        absent=("mean", "variance", "mode", "entropy"), skewed=True)],
    "Uniform": [DistributionCase({"low": [0.0, -1.0], "high": [1.0, 3.0]}, lambda low, high: stats.uniform(low, high - low))],
    "VonMises": [DistributionCase({"loc": [0.5, -1.0], "concentration": [0.8, 20.0]},
                                  lambda loc, concentration: stats.vonmises(concentration, loc=loc),
                                  moments=lambda loc, concentration: (loc, 1 - special.ive(1, concentration) /
                                                                      special.ive(0, concentration)),
                                  absent=(*NO_CDF, "entropy"))],
    "Weibull": [DistributionCase({"scale": [1.0, 2.0], "concentration": [1.5, 3.0]},
                                 lambda scale, concentration: stats.weibull_min(concentration, scale=scale))],
    "Wishart": [DistributionCase(
        {"df": 5.5, "covariance_matrix": MATRIX},
        log_prob=multivariate(lambda v, df, covariance_matrix: stats.wishart(float(df), covariance_matrix).logpdf(v)),
        moments=lambda df, covariance_matrix: (stats.wishart(float(df), covariance_matrix).mean(),
                                               stats.wishart(float(df), covariance_matrix).var()))],
}


def log_logistic_normal(value: Any, loc: Any, scale: Any) -> Any:
    """The density at points of the simplex: of the logits of stick breaking, over the derivatives of the points by these."""
    n = value.shape[-1] - 1
    left = 1 - np.concatenate([np.zeros((*value.shape[:-1], 1)), value[..., :-1].cumsum(-1)], -1)[..., :-1]
    part = value[..., :-1] / left
    x = special.logit(part) + np.log(np.arange(n, 0, -1))
    return (stats.norm(loc, scale).logpdf(x) - np.log(left * part * (1 - part))).sum(-1)


ALL = [pytest.param(name, case, id=f"{name}-{k}") for name, cases in CASES.items() for k, case in enumerate(cases)]
