"""The Tensor that users hold: methods and operators; the mathematics is in :mod:`minigrad.ops`."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad import autograd
from minigrad.autograd import graph
from minigrad.autograd.graph import TensorBase
from minigrad.ops import linalg, ordering, pointwise, reduction
from minigrad.ops import shape as shapes


class Tensor(TensorBase):
    """An n-dimensional array that can record what is done with it."""

    _grad: Any = None
    _base: Any = None
    _view: tuple[Any, ...] = ()
    __array_ufunc__ = None  # NumPy's operators hand over to ours

    shape = property(lambda self: self.array.shape)
    ndim = property(lambda self: self.array.ndim)
    dtype = property(lambda self: dtypes.FROM_NUMPY[self.array.dtype])
    grad_fn = property(lambda self: self.node and self.node.grad_fn)
    requires_grad = property(lambda self: self.node is not None)
    grad = property(lambda self: self._grad)

    def numpy(self) -> Any:
        return self.array

    def detach(self) -> Tensor:
        t = object.__new__(Tensor)
        t.array, t.node = self.array, None
        return t

    def backward(self, gradient: Any = None, retain_graph: Any = None, create_graph: bool = False) -> None:
        autograd.backward([self], gradient, retain_graph, create_graph)

    __add__ = __radd__ = add = pointwise.add
    __mul__ = __rmul__ = mul = pointwise.mul
    mul_ = pointwise.mul.inplace
    exp = pointwise.exp
    expand, reshape = shapes.expand, shapes.reshape

    # reductions
    sum, nansum, mean, nanmean, prod = reduction.sum, reduction.nansum, reduction.mean, reduction.nanmean, reduction.prod
    var, std, all, any, count_nonzero = reduction.var, reduction.std, reduction.all, reduction.any, reduction.count_nonzero
    amax, amin, aminmax, argmax, argmin = reduction.amax, reduction.amin, reduction.aminmax, reduction.argmax, reduction.argmin
    logsumexp, logcumsumexp = reduction.logsumexp, reduction.logcumsumexp
    cumsum, cumsum_, cumprod, cumprod_ = reduction.cumsum, reduction.cumsum.inplace, reduction.cumprod, reduction.cumprod.inplace

    # order
    max, min, median, nanmedian, mode = ordering.max, ordering.min, ordering.median, ordering.nanmedian, ordering.mode
    sort, argsort, msort, topk, kthvalue = ordering.sort, ordering.argsort, ordering.msort, ordering.topk, ordering.kthvalue
    cummax, cummin = ordering.cummax, ordering.cummin
    unique, unique_consecutive = ordering.unique, ordering.unique_consecutive

    # linear algebra
    __matmul__ = matmul = linalg.matmul
    mm, bmm, mv, dot, vdot, outer, ger = linalg.mm, linalg.bmm, linalg.mv, linalg.dot, linalg.vdot, linalg.outer, linalg.ger
    addmm, addmv, addr, addbmm, baddbmm = linalg.addmm, linalg.addmv, linalg.addr, linalg.addbmm, linalg.baddbmm
    addmm_, addmv_, addr_ = linalg.addmm.inplace, linalg.addmv.inplace, linalg.addr.inplace
    addbmm_, baddbmm_ = linalg.addbmm.inplace, linalg.baddbmm.inplace


Tensor.result_class = Tensor


def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    t = object.__new__(Tensor)
    t.array = np.array(data, dtype=dtype and dtype.numpy)
    t.node = graph.LEAF if requires_grad else None
    return t
