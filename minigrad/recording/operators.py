"""The forms of operations for Python's operators, which leave an operand that no operation takes to the class of that operand."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Callable

from minigrad.recording import call
from minigrad.recording.codegen import write_call_paths
from minigrad.recording.lazy import Signature, inplace_signature, reflected_signature
from minigrad.recording.op import lazy_function
from minigrad.recording.overriding import overrides

if TYPE_CHECKING:
    from minigrad._types.annotations import Tensor


def operator_form(function: Any) -> Any:
    """The form of `function` for Python's operators, which have no ``out=``. It returns ``NotImplemented`` for an operand that no
    operation takes. Of a declared operation it is the call path, a test shorter."""
    info = getattr(function, "info", None)
    if info is None:
        return binary_operator(function, lambda self, other: function(self, other), lambda: inspect.signature(function))
    if info.operator is None:
        info.operator = lazy_function(info)
        if info.node_class is not None:
            write_call_paths(function, info)
    return info.operator


def inplace_operator(function: Any) -> Any:
    """The in-place form of `function` for Python's operators: ``x += y``. Where it returns ``NotImplemented``, Python computes
    ``x + y``."""
    return binary_operator(function, function.inplace, lambda: inplace_signature(function))


def reflected(function: Any) -> Any:
    """The form of `function` for Python's reflected operators, such as ``2 ** x``: the operands change places."""
    return binary_operator(function, lambda self, other: function(other, self), lambda: reflected_signature(function))


def binary_operator(function: Any, compute: Callable[..., Any], signature: Callable[[], Any]) -> Any:
    """``compute(self, other)`` as an operator, which leaves operands that no operation takes to their own class."""
    def operator(self: Tensor, other: Any) -> Tensor:
        return compute(self, other) if call.is_operand(other) or overrides(other) else NotImplemented

    operator.__module__, operator.__doc__ = function.__module__, function.__doc__
    operator.__signature__ = Signature(signature)  # type: ignore[attr-defined]
    return operator
