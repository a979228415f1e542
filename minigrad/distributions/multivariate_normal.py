"""The normal distribution of vectors."""

from __future__ import annotations

import math
from typing import Any, Iterable

from minigrad import linalg
from minigrad._tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.utils import _standard_normal, lazy_property
from minigrad.errors import InvalidValueError
from minigrad.ops import creation
from minigrad.ops.linear_algebra import decomposition
from minigrad.ops.shaping import shape

__all__ = ["MultivariateNormal"]


def _batch_mv(bmat: Tensor, bvec: Tensor) -> Tensor:
    """Matrices times vectors, of batches that are broadcast."""
    return (bmat @ bvec.unsqueeze(-1)).squeeze(-1)


def _batch_mahalanobis(bL: Tensor, bx: Tensor) -> Tensor:
    """``x.T @ inv(L @ L.T) @ x`` of batches that are broadcast."""
    return (linalg.solve_triangular(bL, bx.unsqueeze(-1), upper=False) ** 2).sum(-1).sum(-1)


def _precision_to_scale_tril(P: Tensor) -> Tensor:
    """The Cholesky factor of the inverse of P: with the rows and columns of P in reverse its factor is that of P from behind,
    whose inverse is lower triangular."""
    behind = linalg.cholesky(P.flip((-2, -1))).flip((-2, -1)).mT
    return linalg.solve_triangular(behind, creation.eye(P.shape[-1], dtype=P.dtype, device=P.device), upper=False)


def choose_matrix(family: Any, given: dict[str, Any]) -> tuple[str, Tensor]:
    """The one of three matrices that was given, with its name. Raises ``ValueError`` where it is none, or there are more."""
    found = {name: matrix for name, matrix in given.items() if matrix is not None}
    if len(found) != 1:
        raise InvalidValueError(f"{type(family).__name__}: Exactly one of covariance_matrix or precision_matrix or scale_tril "
                                "may be specified.")
    (name, matrix), = found.items()
    if matrix.dim() < 2:
        raise InvalidValueError(f"{type(family).__name__}: {name} must be at least two-dimensional, with optional leading batch "
                                "dimensions")
    return name, matrix


def factor_of(name: str, matrix: Tensor) -> Tensor:
    """The Cholesky factor of the covariance which the matrix `name` is, or is the inverse of."""
    if name == "scale_tril":
        return matrix
    return linalg.cholesky(matrix) if name == "covariance_matrix" else _precision_to_scale_tril(matrix)


class MultivariateNormal(Distribution):
    """The normal distribution of vectors of mean `loc`, of shape (*, n), with one of three (*, n, n) matrices: the covariance,
    its inverse, which is the precision, or the covariance's Cholesky factor L, with ``covariance_matrix = L @ L.T``, which is
    fastest.

    >>> import minigrad as mg
    >>> d = mg.distributions.MultivariateNormal(mg.zeros(2), scale_tril=mg.tensor([[1.0, 0.0], [1.0, 2.0]]))
    >>> d.covariance_matrix, d.variance
    (tensor([[1., 1.],
            [1., 5.]]), tensor([1., 5.]))
    """

    arg_constraints = {"loc": constraints.real_vector, "covariance_matrix": constraints.positive_definite,
                       "precision_matrix": constraints.positive_definite, "scale_tril": constraints.lower_cholesky}
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc: Tensor, covariance_matrix: Tensor | None = None, precision_matrix: Tensor | None = None,
                 scale_tril: Tensor | None = None, validate_args: bool | None = None) -> None:
        if loc.dim() < 1:
            raise InvalidValueError("MultivariateNormal: loc must be at least one-dimensional.")
        name, matrix = choose_matrix(self, {"covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix,
                                            "scale_tril": scale_tril})
        batch_shape = shape.broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        self.loc = loc.expand((*batch_shape, -1))
        vars(self)[name] = matrix.expand((*batch_shape, -1, -1))
        super().__init__(batch_shape, self.loc.shape[-1:], validate_args=validate_args)
        self._unbroadcasted_scale_tril = factor_of(name, matrix)

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The Cholesky factor of the covariance."""
        return self._unbroadcasted_scale_tril.expand(self._batch_shape + self._event_shape * 2)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance."""
        factor = self._unbroadcasted_scale_tril
        return (factor @ factor.mT).expand(self._batch_shape + self._event_shape * 2)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance."""
        inverse = decomposition.cholesky_inverse(self._unbroadcasted_scale_tril)
        return inverse.expand(self._batch_shape + self._event_shape * 2)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return (self._unbroadcasted_scale_tril ** 2).sum(-1).expand(self._batch_shape + self._event_shape)

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        noise = _standard_normal(self._extended_shape(sample_shape), self.loc.dtype, self.loc.device)
        return self.loc + _batch_mv(self._unbroadcasted_scale_tril, noise)

    def _half_log_det(self) -> Tensor:
        return self._unbroadcasted_scale_tril.diagonal(0, -2, -1).log().sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        distance = _batch_mahalanobis(self._unbroadcasted_scale_tril, value - self.loc)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + distance) - self._half_log_det()

    def entropy(self) -> Tensor:
        constant = 0.5 * self._event_shape[0] * (1 + math.log(2 * math.pi))
        return (constant + self._half_log_det()).expand(self._batch_shape)
