"""Cross entropy of the rows of a matrix, and its gradient."""

from __future__ import annotations

import math
from typing import Any

from minigrad._arrays.host.compiling import kernel
from minigrad._arrays.host.elementary import exp, greatest

__all__ = ["cross_entropy", "cross_entropy_slope"]


@kernel(sums=True)
def cross_entropy(x: Any, target: Any, loss: Any, soft: Any, ignore: int, begin: int, end: int) -> None:
    """``-log(softmax(x))`` at the place that `target` names, 0 where that is `ignore`; and ``softmax(x)``."""
    for row in range(begin, end):
        a, p, place = x[row], soft[row], target[row]
        top, total = greatest(a), a.dtype.type(0)
        for k in range(a.size):
            p[k] = exp(a[k] - top)
            total += p[k]
        loss[row] = a.dtype.type(0) if place == ignore else a.dtype.type(math.log(total)) - (a[place] - top)
        scale = a.dtype.type(1) / total
        for k in range(a.size):
            p[k] *= scale


@kernel
def cross_entropy_slope(soft: Any, target: Any, slope: Any, factor: Any, ignore: int, begin: int, end: int) -> None:
    """``(soft - one_hot(target)) * factor``, and 0 where `target` is `ignore`."""
    p, s = soft[begin:end].reshape(-1), slope[begin:end].reshape(-1)
    for k in range(p.size):
        s[k] = p[k] * factor
    for row in range(begin, end):
        if target[row] == ignore:
            slope[row] = 0
        else:
            slope[row, target[row]] -= factor
