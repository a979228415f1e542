"""The Tensor that users hold: methods and operators; the mathematics is in :mod:`minigrad.ops`."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.autograd import engine, graph
from minigrad.autograd.graph import TensorBase
from minigrad.ops import pointwise, reduction
from minigrad.ops import shape as shapes


class Tensor(TensorBase):
    """An n-dimensional array that can record what is done with it."""

    _grad: Any = None
    _requires_grad: bool = False
    _base: Any = None
    _view: tuple[Any, ...] = ()
    __array_ufunc__ = None  # NumPy's operators hand over to ours

    shape = property(lambda self: self.array.shape)
    ndim = property(lambda self: self.array.ndim)
    dtype = property(lambda self: dtypes.FROM_NUMPY[self.array.dtype])
    grad_fn = property(lambda self: self.node and self.node.grad_fn)
    requires_grad = property(lambda self: self.node is not None or self._requires_grad)
    grad = property(lambda self: self._grad)

    def numpy(self) -> Any:
        return self.array

    def detach(self) -> Tensor:
        t = object.__new__(Tensor)
        t.array, t.node = self.array, None
        return t

    def backward(self, gradient: Any = None, retain_graph: Any = None, create_graph: bool = False) -> None:
        g = np.ones_like(self.array) if gradient is None else gradient.array
        engine.backward([self], [g], retain_graph, create_graph)

    __add__ = __radd__ = add = pointwise.add
    __mul__ = __rmul__ = mul = pointwise.mul
    mul_ = pointwise.mul.inplace
    exp = pointwise.exp
    sum = reduction.sum
    expand, reshape = shapes.expand, shapes.reshape


Tensor.result_class = Tensor


def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    t = object.__new__(Tensor)
    t.array = np.array(data, dtype=dtype and dtype.numpy)
    t.node = None
    t._requires_grad = requires_grad
    return t
