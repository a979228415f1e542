"""The normal distribution of vectors whose covariance is a diagonal and a few factors."""

from __future__ import annotations

import math
from typing import Iterable

from minigrad import linalg
from minigrad._tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.multivariate_normal import _batch_mahalanobis, _batch_mv
from minigrad.distributions.utils import _standard_normal, lazy_property
from minigrad.errors import InvalidValueError
from minigrad.ops import creation
from minigrad.ops.shaping import shape

__all__ = ["LowRankMultivariateNormal"]


def _batch_capacitance_tril(W: Tensor, D: Tensor) -> Tensor:
    """The Cholesky factor of ``I + W.T @ inv(D) @ W``, of a batch of matrices W and of diagonals D."""
    scaled = W.mT / D.unsqueeze(-2)
    return linalg.cholesky(scaled @ W + creation.eye(W.shape[-1], dtype=W.dtype, device=W.device))


def _batch_lowrank_logdet(W: Tensor, D: Tensor, capacitance_tril: Tensor) -> Tensor:
    """``log(det(W @ W.T + D))``, by the matrix determinant lemma: ``log(det(capacitance)) + log(det(D))``."""
    return 2 * capacitance_tril.diagonal(0, -2, -1).log().sum(-1) + D.log().sum(-1)


def _batch_lowrank_mahalanobis(W: Tensor, D: Tensor, x: Tensor, capacitance_tril: Tensor) -> Tensor:
    """``x.T @ inv(W @ W.T + D) @ x``, with the inverse by the identity of Woodbury."""
    return (x ** 2 / D).sum(-1) - _batch_mahalanobis(capacitance_tril, _batch_mv(W.mT / D.unsqueeze(-2), x))


class LowRankMultivariateNormal(Distribution):
    """The normal distribution of vectors of mean `loc`, (*, n), and of covariance ``W @ W.T + diag(d)``, where W is `cov_factor`,
    (*, n, m), and d is `cov_diag`, (*, n). Where m is much smaller than n this costs little: only m x m matrices are factorized.

    >>> import minigrad as mg
    >>> d = mg.distributions.LowRankMultivariateNormal(mg.zeros(2), mg.tensor([[1.0], [0.0]]), mg.ones(2))
    >>> d.covariance_matrix
    tensor([[2., 0.],
            [0., 1.]])
    """

    arg_constraints = {"loc": constraints.real_vector, "cov_factor": constraints.independent(constraints.real, 2),
                       "cov_diag": constraints.independent(constraints.positive, 1)}
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc: Tensor, cov_factor: Tensor, cov_diag: Tensor, validate_args: bool | None = None) -> None:
        if loc.dim() < 1:
            raise InvalidValueError("LowRankMultivariateNormal: loc must be at least one-dimensional.")
        n = loc.shape[-1]
        if cov_factor.dim() < 2:
            raise InvalidValueError("LowRankMultivariateNormal: cov_factor must be at least two-dimensional, with optional "
                                    "leading batch dimensions")
        if cov_factor.shape[-2] != n:
            raise InvalidValueError(f"LowRankMultivariateNormal: cov_factor must be a batch of matrices with shape {n} x m, got "
                                    f"{list(cov_factor.shape)}")
        if cov_diag.shape[-1:] != loc.shape[-1:]:
            raise InvalidValueError(f"LowRankMultivariateNormal: cov_diag must be a batch of vectors with shape ({n},), got "
                                    f"{list(cov_diag.shape)}")
        try:
            batch_shape = shape.broadcast_shapes(loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1])
        except RuntimeError:
            raise InvalidValueError(f"LowRankMultivariateNormal: Incompatible batch shapes: loc {loc.shape}, cov_factor "
                                    f"{cov_factor.shape}, cov_diag {cov_diag.shape}") from None
        self.loc, self.cov_diag = loc.expand((*batch_shape, -1)), cov_diag.expand((*batch_shape, -1))
        self.cov_factor = cov_factor.expand((*batch_shape, -1, -1))
        super().__init__(batch_shape, (n,), validate_args=validate_args)
        self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag = cov_factor, cov_diag
        self._capacitance_tril = _batch_capacitance_tril(cov_factor, cov_diag)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @lazy_property
    def variance(self) -> Tensor:
        """The variance of each element."""
        found = (self._unbroadcasted_cov_factor ** 2).sum(-1) + self._unbroadcasted_cov_diag
        return found.expand(self._batch_shape + self._event_shape)

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The Cholesky factor of the covariance: with the square root of d taken out of it, what is to be factorized is the
        identity plus a product, which is well conditioned."""
        root = self._unbroadcasted_cov_diag.sqrt().unsqueeze(-1)
        scaled = self._unbroadcasted_cov_factor / root
        identity = creation.eye(self._event_shape[0], dtype=root.dtype, device=root.device)
        return (root * linalg.cholesky(scaled @ scaled.mT + identity)).expand(self._batch_shape + self._event_shape * 2)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance."""
        factor = self._unbroadcasted_cov_factor
        found = factor @ factor.mT + self._unbroadcasted_cov_diag.diag_embed()
        return found.expand(self._batch_shape + self._event_shape * 2)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance, by the identity of Woodbury."""
        scaled = self._unbroadcasted_cov_factor.mT / self._unbroadcasted_cov_diag.unsqueeze(-2)
        half = linalg.solve_triangular(self._capacitance_tril, scaled, upper=False)
        found = self._unbroadcasted_cov_diag.reciprocal().diag_embed() - half.mT @ half
        return found.expand(self._batch_shape + self._event_shape * 2)

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        few = _standard_normal((*shape[:-1], self.cov_factor.shape[-1]), self.loc.dtype, self.loc.device)
        noise = _standard_normal(shape, self.loc.dtype, self.loc.device)
        return self.loc + _batch_mv(self._unbroadcasted_cov_factor, few) + self._unbroadcasted_cov_diag.sqrt() * noise

    def _log_det(self) -> Tensor:
        return _batch_lowrank_logdet(self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag, self._capacitance_tril)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        distance = _batch_lowrank_mahalanobis(self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag, value - self.loc,
                                              self._capacitance_tril)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + self._log_det() + distance)

    def entropy(self) -> Tensor:
        found = 0.5 * (self._event_shape[0] * (1 + math.log(2 * math.pi)) + self._log_det())
        return found.expand(self._batch_shape)
