"""Questions about tensors and dtypes, and the few other methods of Tensor that are functions too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minigrad._tensor.tensor import Tensor
from minigrad._types import dtypes
from minigrad._types.tensor_base import TensorBase, unwrap
from minigrad.recording.argument_errors import not_a_tensor

if TYPE_CHECKING:
    from minigrad._types.annotations import Number

__all__ = ["can_cast", "detach", "detach_", "get_device", "is_complex", "is_conj", "is_floating_point", "is_inference",
           "is_neg", "is_nonzero", "is_same_size", "is_signed", "is_tensor", "numel", "resolve_conj", "resolve_neg",
           "result_type", "zero_"]

can_cast = dtypes.can_cast
detach, detach_, zero_ = Tensor.detach, Tensor.detach_, Tensor.zero_
get_device, is_complex, is_floating_point = Tensor.get_device, Tensor.is_complex, Tensor.is_floating_point
is_inference, is_conj, is_neg = Tensor.is_inference, Tensor.is_conj, Tensor.is_neg
is_nonzero, is_same_size = Tensor.is_nonzero, Tensor.is_same_size
is_signed, numel, resolve_conj, resolve_neg = Tensor.is_signed, Tensor.numel, Tensor.resolve_conj, Tensor.resolve_neg


def is_tensor(obj: Any) -> bool:
    """Whether `obj` is a tensor."""
    return isinstance(obj, TensorBase)


def result_type(tensor1: Tensor | Number, tensor2: Tensor | Number) -> dtypes.dtype:
    """The dtype in which an operation combines two tensors or numbers.

    >>> import minigrad as mg
    >>> mg.result_type(mg.tensor([1, 2]), 1.5)
    minigrad.float32
    """
    for name, x in (("tensor1", tensor1), ("tensor2", tensor2)):
        if x is None:
            raise not_a_tensor("result_type", name, x)
    operands = [unwrap(x) for x in (tensor1, tensor2)]
    return dtypes.result_dtype(operands)
