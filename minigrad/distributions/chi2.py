"""The chi-squared distribution."""

from __future__ import annotations

from minigrad._tensor import Tensor
from minigrad.distributions import constraints
from minigrad.distributions.gamma import Gamma

__all__ = ["Chi2"]


class Chi2(Gamma):
    """Sums of the squares of `df` standard normal numbers: ``Gamma(df / 2, 1 / 2)``.

    >>> import minigrad as mg
    >>> mg.distributions.Chi2(3.0).mean
    tensor(3.)
    """

    arg_constraints = {"df": constraints.positive}

    def __init__(self, df: Tensor | float, validate_args: bool | None = None) -> None:
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    @property
    def df(self) -> Tensor:
        """How many numbers are squared: the degrees of freedom."""
        return self.concentration * 2
