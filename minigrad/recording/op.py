"""Declaring an operation: its forward on arrays, one derivative rule per argument, and the call path made from them.

    @op(broadcasts=True)
    def mul(input, other):
        "Elementwise product."
        return input * other
    @mul.derivative("input")
    def mul_wrt_input(g, other): return g * other
    @mul.derivative("other")
    def mul_wrt_other(g, input): return g * input

Positional parameters are arrays, parameters after ``*`` are settings. One starred parameter (``*tensors``) takes a sequence
of arrays. A rule names what it needs: ``g`` (the gradient coming in), an array argument, ``out`` (the result), a setting,
or ``<argument>_shape`` / ``<argument>_dtype`` where the values themselves need not be kept. It uses operators and other
operations only, because it runs on arrays in a plain backward pass and on tensors under ``create_graph=True``.

What the declaration gives is a plain function whose source was generated for exactly this signature, as ``dataclasses``
generates ``__init__``: straight-line code with no loops or dictionaries in the way of a call. ``print(mul.source)`` shows
it. It is generated at the first call, when all rules are known.
"""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any, Callable, Literal, Protocol, TypeVar, overload

from minigrad.recording import call, inplace
from minigrad.recording.codegen import compile_op
from minigrad.recording.declaration import Declaration
from minigrad.recording.lazy import Signature, Source, operation_signature

if TYPE_CHECKING:
    from minigrad._tensor import Tensor

Result = TypeVar("Result", covariant=True)


class Op(Protocol[Result]):
    """A declared operation. Call it with tensors, or with arrays to get an array.

    What a user's type checker knows of each one is generated from the declarations, in ``_signatures.pyi``.
    """

    __name__: str
    source: str  # of the generated call path
    info: Declaration
    inplace: Callable[..., Tensor]
    operator: Callable[..., Tensor]  # the same call path without out=, for Python's operators

    def __call__(self, *args: Any, **settings: Any) -> Result: ...
    def derivative(self, argument: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]: ...


@overload
def op(forward: Callable[..., Any]) -> Op[Tensor]: ...
@overload
def op(*, outputs: tuple[str, ...], **properties: Any) -> Callable[[Callable[..., Any]], Op[Any]]: ...
@overload
def op(*, outputs: Literal[True], **properties: Any) -> Callable[[Callable[..., Any]], Op[tuple[Tensor, ...]]]: ...
@overload
def op(**properties: Any) -> Callable[[Callable[..., Any]], Op[Tensor]]: ...
def op(forward: Callable[..., Any] | None = None, **properties: Any) -> Any:
    """Declare an operation (see the module's text); `properties` are those of :class:`Declaration`."""
    if forward is None:
        return lambda f: op(f, **properties)
    info = Declaration(forward, **properties)
    if info.name in call.REGISTRY:
        raise TypeError(f"operation {info.name!r} is declared twice")

    info.complete = lambda: compile_op(function, info)
    function, function.operator = lazy_function(info), lazy_function(info)
    function.info, function.derivative = info, info.add_rule
    function.inplace = inplace.inplace_form(function)
    call.REGISTRY[info.name] = function
    return function


def lazy_function(info: Declaration) -> Any:
    """A function that stands in the place of `forward` and gets its code from `complete` at its first call.

    The object stays the same, so whoever has imported it, or made it a method, calls the generated code from then on.
    """
    forward, complete = info.forward, info.complete

    def not_yet_generated(*args: Any, **settings: Any) -> Any:
        return _first_call(*args, **settings)  # type: ignore[name-defined]  # noqa: F821

    def first_call(*args: Any, **settings: Any) -> Any:
        complete()
        return function(*args, **settings)

    function: Any = FunctionType(not_yet_generated.__code__, {"_first_call": first_call, "__name__": forward.__module__,
                                                              "__builtins__": __builtins__}, forward.__name__)
    function.__doc__, function.__module__ = forward.__doc__, forward.__module__
    function.__qualname__, function.__wrapped__ = forward.__name__, forward
    function.source, function.__signature__ = Source(function, complete), Signature(lambda: operation_signature(function, info))
    return function
