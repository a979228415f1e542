"""The kernels of the host, as operations ask for them: which arrays they take, and how the work is divided."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad._arrays.host import losses, rows, softmax
from minigrad._arrays.host.threads import share
from minigrad._arrays.kernels import Kernels

__all__ = ["HostKernels"]


def takes(*arrays: Any) -> bool:
    """Whether these are NumPy arrays of one type that there are kernels for, float32 or float64."""
    dtype = arrays[0].dtype
    return dtype.char in "fd" and dtype.isnative and all([a.__class__ is np.ndarray and a.dtype == dtype for a in arrays])


def takes_classes(x: Any, target: Any) -> bool:
    """Whether `x` is a matrix that there are kernels for, and `target` has the number of a class for each row."""
    return bool(takes(x) and x.ndim == 2 and x.size and target.shape == x.shape[:1] and target.dtype == np.int64)


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

    def cross_entropy(self, x: Any, target: Any, ignore: int) -> Any:
        if not takes_classes(x, target):
            return None
        ignored = target == ignore
        wrong = target[((target < 0) | (target >= x.shape[1])) & ~ignored]
        if wrong.size:
            return None, None, None, wrong[0]
        x, loss, soft = np.ascontiguousarray(x), np.empty(len(x), x.dtype), np.empty(x.shape, x.dtype)
        share(losses.cross_entropy, len(x), x, np.ascontiguousarray(target), loss, soft, ignore)
        return loss, soft, len(x) - int(np.count_nonzero(ignored)), None

    def cross_entropy_slope(self, grad: Any, soft: Any, target: Any, ignore: int, mean: bool) -> Any:
        if grad.ndim or grad.dtype != soft.dtype or not takes_classes(soft, target):
            return None
        total = len(soft) - int(np.count_nonzero(target == ignore)) if mean else 1
        slope = np.empty(soft.shape, soft.dtype)
        share(losses.cross_entropy_slope, len(soft), np.ascontiguousarray(soft), np.ascontiguousarray(target), slope,
              soft.dtype.type(grad / (total or 1)), ignore)
        return slope

    def add_rows(self, target: Any, places: Any, values: Any) -> bool:
        if not takes(target, values) or places.dtype != np.int64 or not places.size \
                or places.min() < 0 or places.max() >= len(target):
            return False
        share(rows.add_rows, values.shape[1], np.ascontiguousarray(values), np.ascontiguousarray(places), target)
        return True
