"""``Variable``, as programs older than PyTorch 0.4 call a tensor that is differentiated. It is a tensor."""

from __future__ import annotations

from typing import Any

from minigrad._types.tensor_base import TensorBase
from minigrad.errors import ArgumentError
from minigrad.recording.graph import tensor_on_edge

__all__ = ["Variable"]


class VariableMeta(type):
    """Makes every tensor an instance of :class:`Variable`."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, TensorBase)


class Variable(metaclass=VariableMeta):
    """``Variable(data, requires_grad)`` is a tensor outside of the graph that shares the memory of the tensor `data`; it is a
    leaf that requires grad if asked. Every tensor is a ``Variable``. Raises ``TypeError`` where `data` is no tensor.

    >>> import minigrad as mg
    >>> mg.autograd.Variable(mg.ones(2), requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data: Any, requires_grad: bool = False) -> Any:
        if not isinstance(data, TensorBase):
            raise ArgumentError(f"Variable data has to be a tensor, but got {type(data).__name__}: minigrad.tensor makes one")
        made = tensor_on_edge(data.array, None, data.result_class)
        return made.requires_grad_() if requires_grad else made
