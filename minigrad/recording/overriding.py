"""Classes that answer for operations themselves, by ``__torch_function__``, as PyTorch lets them.

An operand of a class that is no tensor reaches the general path, which asks it. A subclass of Tensor is an operand like any
other, so for such classes, once there is one, the call paths are generated with a line more.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Iterable, Iterator

from minigrad._types.tensor_base import TensorBase
from minigrad.errors import ArgumentError

subclasses: set[type] = set()  # of Tensor, that have a __torch_function__ of their own
disabled: ContextVar[bool] = ContextVar("overrides_disabled", default=False)  # while such a function calls the operation itself


def overrides(x: Any) -> bool:
    """Whether the class of `x` answers for operations: one with ``__torch_function__``, but for tensors as they are.

    Raises ``TypeError`` for PyTorch's own tensors, which answer that the operation is to be called.
    """
    cls = x.__class__
    if issubclass(cls, TensorBase):
        return cls in subclasses and not disabled.get()
    if not hasattr(cls, "__torch_function__"):
        return False
    if is_of_pytorch(cls):
        raise ArgumentError("expected minigrad's tensors, but one is PyTorch's; minigrad.from_dlpack(x) makes a tensor of "
                            "its memory, and torch.from_dlpack(x) the other way")
    return True


def is_of_pytorch(cls: type) -> bool:
    """Whether `cls` is PyTorch's own class of tensors, or one below it."""
    return any([c.__module__ == "torch" and c.__name__ == "Tensor" for c in cls.__mro__])


def overriding(values: Iterable[Any]) -> list[Any]:
    """Those of `values`, or of the elements of lists and tuples among them, whose classes answer for operations: one of each
    class, subclasses before the classes they are of."""
    found: list[Any] = []
    for x in flat(values):
        if overrides(x) and not any(type(x) is type(y) for y in found):
            place = next((k for k, y in enumerate(found) if isinstance(x, type(y))), len(found))
            found.insert(place, x)
    return found


def flat(values: Iterable[Any]) -> Iterator[Any]:
    """`values`, with lists and tuples among them taken apart."""
    for x in values:
        yield from flat(x) if isinstance(x, (list, tuple)) else (x,)


def ask(function: Any, found: list[Any], args: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """What the first of `found` answers that does not return ``NotImplemented`` for a call of `function`, less the settings that
    have their default values. Raises ``TypeError`` where all do."""
    if (info := getattr(function, "info", None)) is not None:
        named = {name: value for name, value in named.items() if value is not info.settings.get(name)}
    types = tuple([type(x) for x in found])
    for x in found:
        answer = type(x).__torch_function__(function, types, args, named)
        if answer is not NotImplemented:
            return answer
    raise ArgumentError(f"no implementation found for '{function.__name__}' on types that implement __torch_function__: "
                        f"{[t.__name__ for t in types]}")
