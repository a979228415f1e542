"""The Wishart distribution."""

from __future__ import annotations

import math
from typing import Iterable

from minigrad import linalg
from minigrad._tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.exp_family import ExponentialFamily
from minigrad.distributions.multivariate_normal import choose_matrix, factor_of
from minigrad.distributions.utils import _standard_normal, lazy_property
from minigrad.errors import InvalidValueError
from minigrad.ops import creation
from minigrad.ops.linear_algebra import decomposition
from minigrad.ops.pointwise import special
from minigrad.ops.reparameterized import standard_gamma
from minigrad.ops.shaping import shape

__all__ = ["Wishart"]


class Wishart(ExponentialFamily):
    """Sums of ``x @ x.T`` over `df` normal vectors x of mean 0; `df`, above n - 1, need not be whole. The covariance of x is
    given by one of three (*, n, n) matrices: itself, its inverse, or its Cholesky factor.

    >>> import minigrad as mg
    >>> d = mg.distributions.Wishart(mg.tensor(3.0), covariance_matrix=mg.eye(2))
    >>> d.mean
    tensor([[3., 0.],
            [0., 3.]])
    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, df: Tensor | float, covariance_matrix: Tensor | None = None, precision_matrix: Tensor | None = None,
                 scale_tril: Tensor | None = None, validate_args: bool | None = None) -> None:
        name, matrix = choose_matrix(self, {"covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix,
                                            "scale_tril": scale_tril})
        n = matrix.shape[-1]
        df = df.to(matrix.dtype) if isinstance(df, Tensor) else matrix.new_full((), df)
        batch_shape = shape.broadcast_shapes(matrix.shape[:-2], df.shape)
        self.df = df.expand(batch_shape)
        if (self.df <= n - 1).any():
            raise InvalidValueError(f"Wishart: Value of df={df} expected to be greater than ndim - 1 = {n - 1}.")
        vars(self)[name] = matrix.expand((*batch_shape, -1, -1))
        super().__init__(batch_shape, (n, n), validate_args=validate_args)
        self._unbroadcasted_scale_tril = factor_of(name, matrix)

    @property
    def arg_constraints(self) -> dict[str, constraints.Constraint]:
        return {"covariance_matrix": constraints.positive_definite, "precision_matrix": constraints.positive_definite,
                "scale_tril": constraints.lower_cholesky, "df": constraints.greater_than(self._n - 1)}

    @property
    def _n(self) -> int:
        """How many rows the matrices have."""
        return self._event_shape[-1]

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The Cholesky factor of the covariance of the vectors."""
        return self._unbroadcasted_scale_tril.expand(self._batch_shape + self._event_shape)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance of the vectors."""
        factor = self._unbroadcasted_scale_tril
        return (factor @ factor.mT).expand(self._batch_shape + self._event_shape)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance of the vectors."""
        inverse = decomposition.cholesky_inverse(self._unbroadcasted_scale_tril)
        return inverse.expand(self._batch_shape + self._event_shape)

    @property
    def mean(self) -> Tensor:
        return self.df[..., None, None] * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        factor = self.df - self._n - 1
        return factor.masked_fill(factor <= 0, math.nan)[..., None, None] * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        V = self.covariance_matrix
        diagonal = V.diagonal(0, -2, -1)
        return self.df[..., None, None] * (V ** 2 + diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2))

    def rsample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        # By Bartlett: of A @ A.T, where A is lower triangular, standard normal below the diagonal and on it the roots of
        # chi-squared variates of df, df - 1, ... degrees of freedom.
        size = self._extended_shape(sample_shape)
        degrees = self.df.unsqueeze(-1) - creation.arange(self._n, dtype=self.df.dtype, device=self.df.device)
        squares = 2 * standard_gamma((degrees / 2).expand(size[:-1]))
        noise = _standard_normal(size, self.df.dtype, self.df.device).tril(-1) + squares.sqrt().diag_embed()
        factor = self._unbroadcasted_scale_tril @ noise
        return factor @ factor.mT

    def _half_log_det(self) -> Tensor:
        return self._unbroadcasted_scale_tril.diagonal(0, -2, -1).log().sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n, nu = self._n, self.df
        trace = decomposition.cholesky_solve(value, self._unbroadcasted_scale_tril).diagonal(0, -2, -1).sum(-1)
        return (-nu * (self._half_log_det() + n / 2 * math.log(2)) - special.mvlgamma(nu / 2, n)
                + (nu - n - 1) / 2 * linalg.slogdet(value).logabsdet - trace / 2)

    def entropy(self) -> Tensor:
        n, nu = self._n, self.df
        digammas = sum((nu / 2 - j / 2).digamma() for j in range(n))
        return ((n + 1) * (self._half_log_det() + n / 2 * math.log(2)) + special.mvlgamma(nu / 2, n)
                - (nu - n - 1) / 2 * digammas + nu * n / 2).expand(self._batch_shape)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return -self.precision_matrix / 2, (self.df - self._n - 1) / 2

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        x, y = natural_params
        n = x.shape[-1]
        half_df = y + (n + 1) / 2
        return half_df * (n * math.log(2) - linalg.slogdet(-2 * x).logabsdet) + special.mvlgamma(half_df, n)
