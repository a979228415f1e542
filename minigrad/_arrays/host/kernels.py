"""The kernels of the host, as operations ask for them: which arrays they take, and how the work is divided."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad._arrays.host import optimizers, softmax
from minigrad._arrays.host.threads import share
from minigrad._arrays.kernels import Kernels

__all__ = ["HostKernels"]


def takes(*arrays: Any) -> bool:
    """Whether these are NumPy arrays of one type that there are kernels for, float32 or float64."""
    dtype = arrays[0].dtype
    return dtype.char in "fd" and dtype.isnative and all([a.__class__ is np.ndarray and a.dtype == dtype for a in arrays])


class HostKernels(Kernels):
    """The kernels that numba compiles when they are first used. For float32 and float64."""

    def softmax(self, x: Any, axis: int, logarithm: bool) -> Any:
        if not takes(x) or not x.size or axis not in (-1, x.ndim - 1):
            return None
        x = np.ascontiguousarray(x)
        y, n = np.empty_like(x), x.shape[-1]
        share(softmax.log_softmax if logarithm else softmax.softmax, x.size // n, x.reshape(-1, n), y.reshape(-1, n))
        return y

    def softmax_slope(self, grad: Any, out: Any, axis: int, logarithm: bool) -> Any:
        if not takes(grad, out) or grad.shape != out.shape or not out.size or axis not in (-1, out.ndim - 1):
            return None
        slope, n = np.empty(out.shape, out.dtype), out.shape[-1]
        rows = [np.ascontiguousarray(a).reshape(-1, n) for a in (grad, out, slope)]
        share(softmax.log_softmax_slope if logarithm else softmax.softmax_slope, len(rows[0]), *rows)
        return slope

    def moves(self, p: Any, grad: Any, *state: Any) -> bool:
        return (takes(p, grad, *state) and p.size > 0 and all([a.shape == p.shape for a in (grad, *state)])
                and all([a.flags.carray for a in (p, *state)]))

    def move(self, rule: str, tensors: Any, factors: Any) -> None:
        for *moved, grad in tensors:
            grad = grad if grad.flags.carray else grad.copy()
            share(optimizers.RULES[rule], grad.size, *[a.reshape(-1) for a in (*moved, grad)], *factors)
