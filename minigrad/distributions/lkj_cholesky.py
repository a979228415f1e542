"""The distribution of Lewandowski, Kurowicka and Joe."""

from __future__ import annotations

import math
from typing import Iterable

from minigrad import autograd, linalg
from minigrad._tensor import Tensor
from minigrad._types import dtypes
from minigrad.distributions import constraints
from minigrad.distributions.beta import Beta
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.utils import broadcast_all
from minigrad.errors import InvalidValueError
from minigrad.nn import functional as F
from minigrad.ops import creation, sampling
from minigrad.ops.pointwise import special

__all__ = ["LKJCholesky"]


class LKJCholesky(Distribution):
    """Cholesky factors of correlation matrices of `dim` rows whose density is proportional to ``det(matrix) ** (concentration -
    1)``: at 1 all matrices are as probable, above it those near the identity more (Lewandowski, Kurowicka and Joe, Generating
    random correlation matrices based on vines and extended onion method, 2009).

    >>> import minigrad as mg
    >>> mg.distributions.LKJCholesky(3, 0.5).sample((2,)).shape
    minigrad.Size([2, 3, 3])
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(self, dim: int, concentration: Tensor | float = 1.0, validate_args: bool | None = None) -> None:
        if dim < 2:
            raise InvalidValueError(f"LKJCholesky: Expected dim to be an integer greater than or equal to 2. Found dim={dim}.")
        self.dim = dim
        self.concentration, = broadcast_all(concentration)
        super().__init__(self.concentration.shape, (dim, dim), validate_args=validate_args)

    def sample(self, sample_shape: Iterable[int] = ()) -> Tensor:
        # The onion method: of each row, what is before the diagonal has a random direction and a length whose square is a beta
        # variate.
        with autograd.no_grad():
            like, shape = self.concentration, self._extended_shape(sample_shape)
            half = F.pad(creation.arange(self.dim - 1, dtype=like.dtype, device=like.device), [1, 0]) / 2
            squares = Beta(half + 0.5, like.unsqueeze(-1) + (self.dim - 2) / 2 - half, validate_args=False)
            directions = sampling.randn(shape, dtype=like.dtype, device=like.device).tril(-1)
            directions = directions[..., 1:, :] / linalg.vector_norm(directions[..., 1:, :], dim=-1, keepdim=True)
            before = F.pad(squares.sample(sample_shape)[..., 1:, None].sqrt() * directions, [0, 0, 1, 0])
            rest = 1 - (before ** 2).sum(-1)
            return before + rest.clamp(min=dtypes.finfo(like.dtype).tiny).sqrt().diag_embed()

    def log_prob(self, value: Tensor) -> Tensor:
        # The power of each element of the diagonal joins the density and the Jacobian of the Cholesky factorization; the constant
        # is that of section 3.2 of the paper.
        self._validate_sample(value)
        like, m = self.concentration, self.dim - 1
        below = creation.arange(2, self.dim + 1, dtype=like.dtype, device=like.device)
        powers = 2 * (like - 1).unsqueeze(-1) + self.dim - below
        density = (powers * value.diagonal(0, -2, -1)[..., 1:].log()).sum(-1)
        alpha = like + m / 2
        return density - (m / 2 * math.log(math.pi) + special.mvlgamma(alpha - 0.5, m) - m * alpha.lgamma())
