"""The kernels of the host, as operations ask for them: which arrays they take, and how the work is divided."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad._arrays.host import pointwise, softmax
from minigrad._arrays.host.threads import share
from minigrad._arrays.kernels import Kernels

__all__ = ["HostKernels"]

MEMORY_BOUND = 1 << 17  # elements for each thread at least, where little is computed with them


def takes(*arrays: Any) -> bool:
    """Whether these are NumPy arrays of one type that there are kernels for, float32 or float64."""
    dtype = arrays[0].dtype
    return dtype.char in "fd" and dtype.isnative and all([a.__class__ is np.ndarray and a.dtype == dtype for a in arrays])


def flat(*arrays: Any) -> list[Any] | None:
    """The elements of `arrays` in the order that they all have in memory, or None where they have none or different ones."""
    for seen in (arrays, [a.T for a in arrays]):
        if all([a.flags.c_contiguous for a in seen]):
            return [a.reshape(-1) for a in seen]
    return None


class HostKernels(Kernels):
    """The kernels that numba compiles when they are first used. For float32 and float64."""

    def each(self, name: str, *inputs: Any) -> Any:
        first = inputs[0]
        arrays = [x for x in inputs if x.__class__ is np.ndarray]
        numbers = [first.dtype.type(x) for x in inputs[len(arrays):]]
        if not takes(*[a for a in arrays if a.dtype != np.bool_]) or any([a.shape != first.shape for a in arrays]) or (
                name in pointwise.SINGLE and first.dtype != np.float32):
            return None
        out = np.empty_like(first)
        ordered = flat(*arrays, out)
        if ordered is None:
            return None
        share(pointwise.KERNELS[name], first.size, *ordered[:-1], *numbers, ordered[-1], grain=MEMORY_BOUND)
        return out

    def dropout_mask(self, uniform: Any, p: float, scale: float, dtype: Any) -> Any:
        if not takes(uniform) or dtype.char not in "fd" or not uniform.flags.c_contiguous:
            return None
        mask = np.empty(uniform.shape, dtype)
        share(pointwise.dropout_mask, mask.size, uniform.reshape(-1), uniform.dtype.type(p), dtype.type(scale), mask.reshape(-1),
              grain=MEMORY_BOUND)
        return mask

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
