"""Numbers that fill a cube more evenly than random ones."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad._types import dtypes
from minigrad.errors import InvalidValueError, missing_extra
from minigrad.ops.creation import tensor
from minigrad.random import default_generator

if TYPE_CHECKING:
    from minigrad._tensor import Tensor
    from minigrad._types.annotations import DTypeLike

__all__ = ["SobolEngine"]


class SobolEngine:
    """Draws the points of a Sobol sequence in the unit cube, with the direction numbers of Joe and Kuo. Needs SciPy.

    Args:
        dimension: how many numbers a point has, 1 to 21201.
        scramble: permute the sequence at random, by a matrix and a shift (Owen); the first point is then not the origin.
        seed: of the permutation; None takes one from the default generator.

    Joe, Kuo: Constructing Sobol sequences with better two-dimensional projections, 2008.

    >>> import minigrad as mg
    >>> engine = mg.quasirandom.SobolEngine(2)
    >>> engine.draw(3)
    tensor([[0.0000, 0.0000],
            [0.5000, 0.5000],
            [0.7500, 0.2500]])
    """

    MAXBIT = 30
    MAXDIM = 21201

    def __init__(self, dimension: int, scramble: bool = False, seed: int | None = None) -> None:
        if not 1 <= dimension <= self.MAXDIM:
            raise InvalidValueError(f"Supported range of dimensionality for SobolEngine is [1, {self.MAXDIM}], got {dimension}")
        self.dimension, self.scramble, self.seed = dimension, scramble, seed
        given = int(default_generator.draws.integers(2**31)) if scramble and seed is None else seed
        self._sequence = _qmc().Sobol(dimension, scramble=scramble, bits=self.MAXBIT, rng=given)

    @property
    def num_generated(self) -> int:
        """How many points of the sequence have been drawn or passed over."""
        return int(self._sequence.num_generated)

    def draw(self, n: int = 1, out: Tensor | None = None, dtype: DTypeLike | None = None) -> Tensor:
        """The next `n` points: a tensor ``(n, dimension)`` of `dtype`, the default one if None, or `out`, written to."""
        parts = []
        if n and not self.num_generated:  # SciPy warns of other numbers than powers of 2 at the start
            parts.append(self._sequence.random(1))
        if n > len(parts):
            parts.append(self._sequence.random(n - len(parts)))
        points = np.concatenate([np.zeros((0, self.dimension)), *parts])
        made = tensor(points, dtype=dtypes.get_default_dtype() if dtype is None else dtype)
        if out is None:
            return made
        out.resize_(n, self.dimension)
        return out.copy_(made)

    def draw_base2(self, m: int, out: Tensor | None = None, dtype: DTypeLike | None = None) -> Tensor:
        """The next ``2**m`` points. Raises ``ValueError`` unless the number of points is then a power of 2 in all, because the
        sequence is balanced only so."""
        before, total = self.num_generated, self.num_generated + 2**m
        if total & (total - 1):
            raise InvalidValueError(f"The balance properties of Sobol' points require n to be a power of 2. {before} points have "
                                    f"been previously generated, then: n={before}+2**{m}={total}. If you still want to do this, "
                                    "please use 'SobolEngine.draw()' instead.")
        return self.draw(2**m, out, dtype)

    def reset(self) -> SobolEngine:
        """Begin the sequence again."""
        self._sequence.reset()
        return self

    def fast_forward(self, n: int) -> SobolEngine:
        """Pass over the next `n` points."""
        self._sequence.fast_forward(n)
        return self

    def __repr__(self) -> str:
        scramble = [f"scramble={self.scramble}"] if self.scramble else []
        seed = [f"seed={self.seed}"] if self.seed is not None else []
        return f"{type(self).__name__}({', '.join([f'dimension={self.dimension}', *scramble, *seed])})"


def _qmc() -> Any:
    """SciPy's module of such sequences. Raises ``ImportError`` that says what to install where it is missing."""
    try:
        return importlib.import_module("scipy.stats.qmc")
    except ModuleNotFoundError:
        raise missing_extra("SobolEngine", "SciPy", "scipy") from None
