"""PyTorch's ``overrides``: classes that answer for functions themselves, by a class method ``__torch_function__``.

A function of the library that is given an instance of such a class, where it takes a tensor, calls
``cls.__torch_function__(function, types, args, kwargs)`` and returns what that does. A subclass of Tensor that overrides the
method is asked by the declared operations, as functions, methods and operators, and by the functions composed of them.
"""

from __future__ import annotations

from typing import Any, Callable, Iterable

from minigrad._types.tensor_base import TensorBase
from minigrad.recording import overriding

__all__ = ["handle_torch_function", "has_torch_function", "is_tensor_like"]


def is_tensor_like(inp: Any) -> bool:
    """Whether `inp` is a tensor, or of a class with ``__torch_function__``.

    >>> import minigrad
    >>> from minigrad import overrides
    >>> overrides.is_tensor_like(minigrad.ones(1)), overrides.is_tensor_like([1.0])
    (True, False)
    """
    return isinstance(inp, TensorBase) or hasattr(type(inp), "__torch_function__")


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Whether one of the arguments is of a class that answers for functions itself; tensors as they are do not.

    >>> import minigrad
    >>> from minigrad import overrides
    >>> overrides.has_torch_function((minigrad.ones(1), 2.0))
    False
    """
    return bool(overriding.overriding(relevant_args))


def handle_torch_function(public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
    """Ask the classes among `relevant_args` for the answer to ``public_api(*args, **kwargs)``: subclasses first, then from the
    left, until one does not return ``NotImplemented``. Raises ``TypeError`` where all do.

    >>> from minigrad import overrides
    >>> class Answers:
    ...     @classmethod
    ...     def __torch_function__(cls, func, types, args=(), kwargs=None):
    ...         return func.__name__
    >>> overrides.handle_torch_function(len, (Answers(),), Answers())
    'len'
    """
    return overriding.ask(public_api, overriding.overriding(relevant_args), args, kwargs)
