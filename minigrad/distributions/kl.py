"""Divergences of Kullback and Leibler between distributions, ``E_p[log p(x) - log q(x)]``, by closed formulas.

Most are the cross entropy ``-E_p[log q(x)]``, in which only few moments of p occur, less the entropy of p.
"""

from __future__ import annotations

import math
import warnings
from typing import Any, Callable

from minigrad import linalg
from minigrad._tensor import Tensor
from minigrad.distributions.bernoulli import Bernoulli
from minigrad.distributions.beta import Beta
from minigrad.distributions.binomial import Binomial
from minigrad.distributions.categorical import Categorical
from minigrad.distributions.cauchy import Cauchy
from minigrad.distributions.continuous_bernoulli import ContinuousBernoulli
from minigrad.distributions.dirichlet import Dirichlet
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.exp_family import ExponentialFamily
from minigrad.distributions.exponential import Exponential
from minigrad.distributions.gamma import Gamma
from minigrad.distributions.geometric import Geometric
from minigrad.distributions.gumbel import Gumbel
from minigrad.distributions.half_normal import HalfNormal
from minigrad.distributions.independent import Independent
from minigrad.distributions.laplace import Laplace
from minigrad.distributions.lowrank_multivariate_normal import LowRankMultivariateNormal, _batch_lowrank_mahalanobis
from minigrad.distributions.multivariate_normal import MultivariateNormal, _batch_mahalanobis
from minigrad.distributions.normal import Normal
from minigrad.distributions.one_hot_categorical import OneHotCategorical
from minigrad.distributions.pareto import Pareto
from minigrad.distributions.poisson import Poisson
from minigrad.distributions.transformed_distribution import TransformedDistribution
from minigrad.distributions.uniform import Uniform
from minigrad.distributions.utils import EULER, _sum_rightmost
from minigrad.errors import ArgumentError, InvalidValueError
from minigrad.nn import functional as F
from minigrad.ops.shaping import shape

__all__ = ["kl_divergence", "register_kl"]

Divergence = Callable[[Any, Any], Any]

_KL_REGISTRY: dict[tuple[type, type], Divergence] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Divergence], Divergence]:
    """Decorator: let a function compute ``kl_divergence(p, q)`` for instances of these families, and of families that derive from
    them where there is nothing closer.

    >>> import minigrad as mg
    >>> from minigrad.distributions import Cauchy, Normal, kl_divergence, register_kl
    >>> @register_kl(Cauchy, Normal)
    ... def heavier_tails(p, q): return mg.full(p.batch_shape, math.inf)
    >>> kl_divergence(Cauchy(0.0, 1.0), Normal(0.0, 1.0))
    tensor(inf)
    """
    for name, found in (("type_p", type_p), ("type_q", type_q)):
        if not isinstance(found, type):  # a mix-in of such families will do, as in PyTorch
            raise ArgumentError(f"register_kl: Expected {name} to be a Distribution subclass but got {found}")

    def register(function: Divergence) -> Divergence:
        _KL_REGISTRY[type_p, type_q] = function
        return function
    return register


def _dispatch_kl(type_p: type, type_q: type) -> Divergence | None:
    """The function for these families: the closest by the first, and among these by the second; with a warning where the closest
    by the second, and among these by the first, is another."""
    near_p, near_q = type_p.__mro__, type_q.__mro__
    known = [(near_p.index(p), near_q.index(q), p, q) for p, q in _KL_REGISTRY if p in near_p and q in near_q]
    if not known:
        return None
    *_, p, q = min(known, key=lambda found: found[:2])
    *_, other_p, other_q = min(known, key=lambda found: found[1::-1])
    if _KL_REGISTRY[p, q] is not _KL_REGISTRY[other_p, other_q]:
        warnings.warn(f"Ambiguous kl_divergence({type_p.__name__}, {type_q.__name__}). Please register_kl({p.__name__}, "
                      f"{other_q.__name__})", RuntimeWarning, stacklevel=3)
    return _KL_REGISTRY[p, q]


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """The divergence ``E_p[log p(x) - log q(x)]`` of q from p, in nats, for each distribution of the batch.

    Raises ``NotImplementedError`` where no formula is known; :func:`register_kl` adds one.

    >>> from minigrad.distributions import Normal, kl_divergence
    >>> kl_divergence(Normal(1.0, 1.0), Normal(0.0, 1.0))
    tensor(0.5000)
    """
    function = _dispatch_kl(type(p), type(q))
    if function is None:
        raise NotImplementedError(f"No KL(p || q) is implemented for p type {type(p).__name__} and q type {type(q).__name__}")
    divergence: Tensor = function(p, q)
    return divergence


# ---------------------------------------------------------------------------------------------------- p has values that q has not

@register_kl(Beta, Pareto)
@register_kl(ContinuousBernoulli, Pareto)
@register_kl(Exponential, Beta)
@register_kl(Exponential, ContinuousBernoulli)
@register_kl(Exponential, Pareto)
@register_kl(Exponential, Uniform)
@register_kl(Gamma, Beta)
@register_kl(Gamma, ContinuousBernoulli)
@register_kl(Gamma, Pareto)
@register_kl(Gamma, Uniform)
@register_kl(Gumbel, Beta)
@register_kl(Gumbel, ContinuousBernoulli)
@register_kl(Gumbel, Exponential)
@register_kl(Gumbel, Gamma)
@register_kl(Gumbel, Pareto)
@register_kl(Gumbel, Uniform)
@register_kl(Laplace, Beta)
@register_kl(Laplace, ContinuousBernoulli)
@register_kl(Laplace, Exponential)
@register_kl(Laplace, Gamma)
@register_kl(Laplace, Pareto)
@register_kl(Laplace, Uniform)
@register_kl(Normal, Beta)
@register_kl(Normal, ContinuousBernoulli)
@register_kl(Normal, Exponential)
@register_kl(Normal, Gamma)
@register_kl(Normal, Pareto)
@register_kl(Normal, Uniform)
@register_kl(Pareto, Beta)
@register_kl(Pareto, ContinuousBernoulli)
@register_kl(Pareto, Uniform)
@register_kl(Poisson, Bernoulli)
@register_kl(Poisson, Binomial)
def _kl_infinite(p: Any, q: Any) -> Any:
    return p.mean.new_full(shape.broadcast_shapes(p.batch_shape, q.batch_shape), math.inf)


# ---------------------------------------------------------------------------------------------------- two of one family

@register_kl(Bernoulli, Bernoulli)
def _kl_bernoulli_bernoulli(p: Any, q: Any) -> Any:
    def part(chance_p: Tensor, chance_q: Tensor, logits_p: Tensor, logits_q: Tensor) -> Tensor:
        ratio = F.logsigmoid(logits_p) - F.logsigmoid(logits_q)
        return (chance_p * ratio.masked_fill(chance_q == 0, math.inf)).masked_fill(chance_p == 0, 0)
    return part(p.probs, q.probs, p.logits, q.logits) + part(1 - p.probs, 1 - q.probs, -p.logits, -q.logits)


@register_kl(Binomial, Binomial)
def _kl_binomial_binomial(p: Any, q: Any) -> Any:
    if (p.total_count < q.total_count).any():
        raise NotImplementedError("KL between Binomials where q.total_count > p.total_count is not implemented")
    return (p.total_count * _kl_bernoulli_bernoulli(p, q)).masked_fill(p.total_count > q.total_count, math.inf)


@register_kl(Categorical, Categorical)
@register_kl(OneHotCategorical, OneHotCategorical)
def _kl_categorical_categorical(p: Any, q: Any) -> Any:
    ratio = (p.logits - q.logits).masked_fill(q.probs == 0, math.inf)
    return (p.probs * ratio).masked_fill(p.probs == 0, 0).sum(-1)


@register_kl(ExponentialFamily, ExponentialFamily)
def _kl_expfamily_expfamily(p: Any, q: Any) -> Any:
    if type(p) is not type(q):
        raise NotImplementedError("The cross KL-divergence between different exponential families cannot be computed using "
                                  "Bregman divergences")
    natural, normalizer, slopes = p._normalizer_and_slopes()
    result = q._log_normalizer(*q._natural_params) - normalizer
    for mine, other, slope in zip(natural, q._natural_params, slopes):
        result = result - _sum_rightmost((other - mine) * slope, mine.dim() - len(p.batch_shape))
    return result


@register_kl(Beta, Beta)
def _kl_beta_beta(p: Any, q: Any) -> Any:
    return _kl_dirichlet_dirichlet(Dirichlet(p._both, validate_args=False), Dirichlet(q._both, validate_args=False))


@register_kl(Dirichlet, Dirichlet)
def _kl_dirichlet_dirichlet(p: Any, q: Any) -> Any:
    a, b = p.concentration, q.concentration
    log_means = a.digamma() - a.sum(-1, True).digamma()
    return q._log_normalizer(b) - p._log_normalizer(a) + ((a - b) * log_means).sum(-1)


@register_kl(Cauchy, Cauchy)
def _kl_cauchy_cauchy(p: Any, q: Any) -> Any:
    # Chyzak and Nielsen, A closed-form formula for the Kullback-Leibler divergence between Cauchy distributions, 2019.
    return ((p.scale + q.scale) ** 2 + (p.loc - q.loc) ** 2).log() - (4 * p.scale * q.scale).log()


@register_kl(Exponential, Exponential)
def _kl_exponential_exponential(p: Any, q: Any) -> Any:
    ratio = q.rate / p.rate
    return ratio - 1 - ratio.log()


@register_kl(Gamma, Gamma)
def _kl_gamma_gamma(p: Any, q: Any) -> Any:
    a, b = p.concentration, q.concentration
    return (b * (p.rate / q.rate).log() + b.lgamma() - a.lgamma() + (a - b) * a.digamma()
                          + (q.rate - p.rate) * (a / p.rate))


@register_kl(Geometric, Geometric)
def _kl_geometric_geometric(p: Any, q: Any) -> Any:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(HalfNormal, HalfNormal)
def _kl_halfnormal_halfnormal(p: Any, q: Any) -> Any:
    return _kl_normal_normal(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def _kl_laplace_laplace(p: Any, q: Any) -> Any:
    ratio, distance = p.scale / q.scale, (p.loc - q.loc).abs()
    return distance / q.scale + ratio * (-distance / p.scale).exp() - ratio.log() - 1


@register_kl(Normal, Normal)
def _kl_normal_normal(p: Any, q: Any) -> Any:
    ratio = (p.scale / q.scale) ** 2
    return (ratio + ((p.loc - q.loc) / q.scale) ** 2 - 1 - ratio.log()) / 2


@register_kl(Pareto, Pareto)
def _kl_pareto_pareto(p: Any, q: Any) -> Any:
    ratio = q.alpha / p.alpha
    divergence = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return divergence.masked_fill(p.scale < q.scale, math.inf)


@register_kl(Poisson, Poisson)
def _kl_poisson_poisson(p: Any, q: Any) -> Any:
    return p.rate.xlogy(p.rate) - p.rate.xlogy(q.rate) - (p.rate - q.rate)


@register_kl(Uniform, Uniform)
def _kl_uniform_uniform(p: Any, q: Any) -> Any:
    divergence = ((q.high - q.low) / (p.high - p.low)).log()
    return divergence.masked_fill((q.low > p.low) | (q.high < p.high), math.inf)


@register_kl(Independent, Independent)
def _kl_independent_independent(p: Any, q: Any) -> Any:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError("KL between Independents of different reinterpreted_batch_ndims is not implemented")
    return _sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(TransformedDistribution, TransformedDistribution)
def _kl_transformed_transformed(p: Any, q: Any) -> Any:
    # A bijection leaves the divergence as it is.
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError("KL between TransformedDistributions is only implemented for equal transforms and event shapes")
    return _sum_rightmost(kl_divergence(p.base_dist, q.base_dist), len(p.event_shape) - len(p.base_dist.event_shape))


# ---------------------------------------------------------------------------------------------------- normal vectors

@register_kl(MultivariateNormal, MultivariateNormal)
@register_kl(MultivariateNormal, LowRankMultivariateNormal)
@register_kl(LowRankMultivariateNormal, MultivariateNormal)
@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _kl_multivariate_normals(p: Any, q: Any) -> Any:
    if p.event_shape != q.event_shape:
        raise InvalidValueError("KL-divergence between two multivariate normals with different event shapes cannot be computed: "
                                f"{p.event_shape} and {q.event_shape}")
    if isinstance(p, MultivariateNormal):
        trace = relative_trace(q, p._unbroadcasted_scale_tril)
    else:
        trace = relative_trace(q, p._unbroadcasted_cov_factor) + relative_diagonal_trace(q, p._unbroadcasted_cov_diag)
    return (log_det(q) - log_det(p) + trace + distance(q, p.loc) - p.event_shape[0]) / 2


def log_det(p: Any) -> Any:
    """The logarithm of the determinant of the covariance."""
    return 2 * p._half_log_det() if isinstance(p, MultivariateNormal) else p._log_det()


def distance(q: Any, x: Tensor) -> Any:
    """The square of the distance of x from the mean, in standard deviations."""
    if isinstance(q, MultivariateNormal):
        return _batch_mahalanobis(q._unbroadcasted_scale_tril, x - q.loc)
    return _batch_lowrank_mahalanobis(q._unbroadcasted_cov_factor, q._unbroadcasted_cov_diag, x - q.loc, q._capacitance_tril)


def squares(matrix: Tensor) -> Any:
    """The sum of the squares of the elements."""
    return (matrix ** 2).sum(-1).sum(-1)


def half_woodbury(q: Any) -> Any:
    """A, with which the precision is ``diag(1 / d) - A.T @ A``."""
    scaled = q._unbroadcasted_cov_factor.mT / q._unbroadcasted_cov_diag.unsqueeze(-2)
    return linalg.solve_triangular(q._capacitance_tril, scaled, upper=False)


def relative_trace(q: Any, root: Tensor) -> Any:
    """The trace of the precision of q times ``root @ root.T``."""
    if isinstance(q, MultivariateNormal):
        return squares(linalg.solve_triangular(q._unbroadcasted_scale_tril, root, upper=False))
    return squares(root / q._unbroadcasted_cov_diag.sqrt().unsqueeze(-1)) - squares(half_woodbury(q) @ root)


def relative_diagonal_trace(q: Any, diagonal: Tensor) -> Any:
    """The trace of the precision of q times a diagonal matrix."""
    if isinstance(q, MultivariateNormal):
        return relative_trace(q, diagonal.sqrt().diag_embed())
    return (diagonal / q._unbroadcasted_cov_diag).sum(-1) - squares(half_woodbury(q) * diagonal.sqrt().unsqueeze(-2))


# ---------------------------------------------------------------------------------------------------- families of two kinds

@register_kl(Beta, Normal)
@register_kl(ContinuousBernoulli, Normal)
@register_kl(Exponential, Normal)
@register_kl(Gamma, Normal)
@register_kl(Gumbel, Normal)
@register_kl(Laplace, Normal)
@register_kl(Pareto, Normal)
@register_kl(Uniform, Normal)
def _kl_to_normal(p: Any, q: Any) -> Any:
    square = (p.variance + (p.mean - q.loc) ** 2) / q.scale ** 2
    return 0.5 * (math.log(2 * math.pi) + square) + q.scale.log() - p.entropy()


@register_kl(Beta, Exponential)
@register_kl(ContinuousBernoulli, Exponential)
@register_kl(Gamma, Exponential)
@register_kl(Pareto, Exponential)
@register_kl(Uniform, Exponential)
def _kl_to_exponential(p: Any, q: Any) -> Any:
    return within(p, 0, math.inf, q.rate * p.mean - q.rate.log() - p.entropy())


def within(p: Any, low: Any, high: Any, divergence: Any) -> Any:
    """`divergence`, or infinity where p is uniform and has values beyond these bounds."""
    return divergence.masked_fill((p.low < low) | (p.high > high), math.inf) if isinstance(p, Uniform) else divergence


def x_log_x(x: Any) -> Any:
    return x.clamp(min=0).xlogy(x.clamp(min=0))


def mean_log(p: Any) -> Any:
    """The expected value of ``log(x)``; of a uniform distribution, where x is not negative."""
    if isinstance(p, Beta):
        return p.concentration1.digamma() - (p.concentration1 + p.concentration0).digamma()
    if isinstance(p, Exponential):
        return -EULER - p.rate.log()
    if isinstance(p, Pareto):
        return p.scale.log() + 1 / p.alpha
    return (x_log_x(p.high) - x_log_x(p.low)) / (p.high - p.low) - 1


@register_kl(Beta, Gamma)
@register_kl(Exponential, Gamma)
@register_kl(Pareto, Gamma)
@register_kl(Uniform, Gamma)
def _kl_to_gamma(p: Any, q: Any) -> Any:
    a = q.concentration
    return within(p, 0, math.inf, a.lgamma() - a * q.rate.log() - (a - 1) * mean_log(p) + q.rate * p.mean - p.entropy())


@register_kl(Beta, ContinuousBernoulli)
@register_kl(ContinuousBernoulli, ContinuousBernoulli)
@register_kl(Uniform, ContinuousBernoulli)
def _kl_to_continuous_bernoulli(p: Any, q: Any) -> Any:
    return within(p, 0, 1, -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q._log_constant())


@register_kl(Beta, Uniform)
@register_kl(ContinuousBernoulli, Uniform)
def _kl_to_uniform(p: Any, q: Any) -> Any:
    divergence = (q.high - q.low).log() - p.entropy()
    return divergence.masked_fill((q.low > 0) | (q.high < 1), math.inf)


@register_kl(Uniform, Beta)
def _kl_uniform_beta(p: Any, q: Any) -> Any:
    mean_log_rest = (x_log_x(1 - p.low) - x_log_x(1 - p.high)) / (p.high - p.low) - 1
    cross = (q._log_normalizer(*q._natural_params) - (q.concentration1 - 1) * mean_log(p)
             - (q.concentration0 - 1) * mean_log_rest)
    return within(p, 0, 1, cross - p.entropy())


@register_kl(Uniform, Pareto)
def _kl_uniform_pareto(p: Any, q: Any) -> Any:
    cross = (q.alpha + 1) * mean_log(p) - q.alpha.log() - q.alpha * q.scale.log()
    return within(p, q.scale, math.inf, cross - p.entropy())


@register_kl(Exponential, Gumbel)
@register_kl(Gamma, Gumbel)
@register_kl(Gumbel, Gumbel)
@register_kl(Normal, Gumbel)
@register_kl(Uniform, Gumbel)
def _kl_to_gumbel(p: Any, q: Any) -> Any:
    s = q.scale
    return s.log() + (p.mean - q.loc) / s + (q.loc / s + log_mean_exp(p, s)).exp() - p.entropy()


def log_mean_exp(p: Any, s: Tensor) -> Any:
    """The logarithm of the expected value of ``exp(-x / s)``."""
    if isinstance(p, Exponential):
        return -(1 / (p.rate * s)).log1p()
    if isinstance(p, Gamma):
        return -p.concentration * (1 / (p.rate * s)).log1p()
    if isinstance(p, Gumbel):
        return (1 + p.scale / s).lgamma() - p.loc / s
    if isinstance(p, Normal):
        return (p.scale / s) ** 2 / 2 - p.loc / s
    width = (p.high - p.low) / s
    return (-(-width).expm1() / width).log() - p.low / s


@register_kl(Normal, Laplace)
def _kl_normal_laplace(p: Any, q: Any) -> Any:
    z = (p.loc - q.loc) / p.scale
    mean_distance = p.scale * (math.sqrt(2 / math.pi) * (-z * z / 2).exp() + z * (z * math.sqrt(0.5)).erf())
    return mean_distance / q.scale + (2 * q.scale).log() - p.entropy()


@register_kl(Bernoulli, Poisson)
def _kl_bernoulli_poisson(p: Any, q: Any) -> Any:
    return q.rate - p.probs * q.rate.log() - p.entropy()
