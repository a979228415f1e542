"""NumPy's universal functions on tensors: ``np.exp(t)`` is ``minigrad.exp(t)``, recorded like any other call."""

from __future__ import annotations

from typing import Any

from minigrad._types.tensor_base import TensorBase
from minigrad.ops import creation
from minigrad.ops.linear_algebra import products
from minigrad.ops.pointwise import arithmetic, comparison, elementary

__all__ = ["ForNumPy"]

RENAMED = {"conjugate": "conj", "equal": "eq", "invert": "bitwise_not", "left_shift": "bitwise_left_shift", "power": "pow",
           "right_shift": "bitwise_right_shift"}


def apply(self: Any, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
    """What NumPy calls where an operand of `ufunc` is a tensor.

    A function without a counterpart here, ``ufunc.reduce`` and its like, and ``out=`` compute on arrays: then an operand that
    requires grad is refused, as by :meth:`Tensor.numpy`.
    """
    name = RENAMED.get(ufunc.__name__, ufunc.__name__)
    families = (products,) if name == "matmul" else (arithmetic, comparison, elementary)
    function = next((getattr(family, name) for family in families if hasattr(family, name)), None)
    if method == "__call__" and not options and function is not None:
        return function(*inputs)
    arrays = [x.numpy() if isinstance(x, TensorBase) else x for x in inputs]  # type: ignore[attr-defined]
    if "out" in options:
        written = options["out"]
        options["out"] = tuple([x.numpy() if isinstance(x, TensorBase) else x for x in written])  # type: ignore[attr-defined]
        getattr(ufunc, method)(*arrays, **options)
        return written[0] if len(written) == 1 else written
    result = getattr(ufunc, method)(*arrays, **options)
    return tuple([creation.tensor(r) for r in result]) if isinstance(result, tuple) else creation.tensor(result)


class ForNumPy:
    """``Tensor.__array_ufunc__``: NumPy, which asks the class, finds :func:`apply`.

    CuPy asks the instance and finds None, which has its operators hand over to the tensor's.
    """

    def __get__(self, instance: Any, owner: Any) -> Any:
        return apply if instance is None else None
