"""The weights of attention from scores, and the gradient of the scores. Rows of scores come after each other, `length` for each
matrix; if `causal`, row r of a matrix sees its first ``first + r + 1`` columns only."""

from __future__ import annotations

import math
from typing import Any

from minigrad._arrays.host.compiling import kernel, part
from minigrad._arrays.host.elementary import exp, greatest

__all__ = ["attend", "slope_of_scores"]


@part
def seen(row: int, columns: int, length: int, first: int, causal: bool) -> int:
    """How many columns a row sees."""
    return min(columns, first + row % length + 1) if causal else columns


@kernel(sums=True)
def attend(scores: Any, lse: Any, scale: float, length: int, first: int, causal: bool, safe: bool, begin: int, end: int) -> None:
    """The softmax of ``scores * scale``, in place, and the logarithms of the sums of its exponentials; if `safe`, of a row that
    is -inf everywhere zeros, and infinity."""
    nothing = -math.inf
    for row in range(begin, end):
        a = scores[row, :seen(row, scores.shape[1], length, first, causal)]
        T = a.dtype.type
        for k in range(a.size):
            a[k] *= T(scale)
        top, total = greatest(a), T(0)
        if safe and top == nothing:
            top = T(0)
        for k in range(a.size):
            a[k] = exp(a[k] - top)
            total += a[k]
        lse[row] = top + math.log(total) if total != 0 else math.inf
        share = T(1) / total if total != 0 else T(0)
        for k in range(a.size):
            a[k] *= share
        scores[row, a.size:] = 0


@kernel(sums=True)
def slope_of_scores(scores: Any, d: Any, lse: Any, grad_lse: Any, factor: float, scale: float, length: int, first: int,
                    causal: bool, begin: int, end: int) -> None:
    """The weights p = exp(scores * factor - lse) in the place of `scores`, and ``p * (d - sum(p * d) + grad_lse) * scale`` in
    that of `d`."""
    for row in range(begin, end):
        n = seen(row, scores.shape[1], length, first, causal)
        p, s, shift = scores[row, :n], d[row, :n], lse[row]
        T = p.dtype.type
        total = T(0)
        for k in range(p.size):
            p[k] = exp(p[k] * T(factor) - shift)
            total += p[k] * s[k]
        total -= grad_lse[row]
        for k in range(s.size):
            s[k] = (s[k] - total) * p[k] * T(scale)
        scores[row, n:] = 0
        d[row, n:] = 0
