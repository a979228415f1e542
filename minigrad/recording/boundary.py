"""The boundary between users and the library: what goes wrong for want of a tensor is said of the argument that is none.

A declared operation refuses what is no tensor by itself (:mod:`minigrad.recording.call`). A function composed of operations
would say what it stumbled over: that a list has no `shape`, or that the 'other' of some operation inside must be a Tensor. So
the public namespaces (``minigrad``, ``nn.functional``, ``linalg``, the methods of ``Tensor``) hold each such function in a form
that looks at its arguments when it has failed, and only then. What each parameter takes is read from its annotation. Calls
inside the library do not pass through here.
"""

from __future__ import annotations

import functools
import inspect
from types import FunctionType
from typing import Any

import numpy as np

from minigrad import _arrays
from minigrad._types.tensor_base import TensorBase
from minigrad.errors import ArgumentError, MinigradError
from minigrad.recording import overriding
from minigrad.recording.argument_errors import names_its_function, not_a_sequence, not_a_tensor, not_of_its_kind
from minigrad.recording.call import SCALARS

ALL_NUMPY_NAMES = {"dim": ("axis",), "keepdim": ("keepdims",), "input": ("x", "a", "x1"), "other": ("x2",)}
NUMBERS = frozenset(("Number", "bool", "int", "float", "complex", "None"))  # what may serve in a tensor's place


@functools.cache
def takes(annotation: Any, several: bool = False) -> str | None:
    """What a parameter with this annotation takes: ``"tensor"``, ``"tensors"`` for a sequence of them, or None for anything else;
    with `several`, the parameter is a starred one."""
    if "Tensor" not in (text := str(annotation)):
        return None
    kinds = set(text.split(" | ")) - NUMBERS
    if several:
        return "tensors" if kinds <= {"Tensor", "Sequence[Tensor]"} else None
    if kinds == {"Tensor"}:
        return "tensor"
    return "tensors" if kinds in ({"Sequence[Tensor]"}, {"Sequence[Tensor", "None]"}) else None


def parameter_takes(parameter: inspect.Parameter) -> str | None:
    """What `parameter` takes, as :func:`takes` says it. ``out=`` counts as nothing: it is refused where it is written to."""
    return None if parameter.name == "out" else takes(parameter.annotation, parameter.kind is parameter.VAR_POSITIONAL)


def publish(namespace: dict[str, Any], part: str | None = None) -> None:
    """Put the public form of each composed function in its place in a module's `namespace`. If the module has ``__all__``, only
    those in it are replaced. Errors say `part` before their names, or the module's name."""
    module = namespace["__name__"]
    if part is None:
        part = module.removeprefix("minigrad").removeprefix(".nn.functional").lstrip(".")
    for name in list(namespace.get("__all__", namespace)):
        found = namespace[name]
        if is_composed(name, found):
            namespace[name] = public(found, f"{part}.{name}" if part else name, module, name)


def publish_methods(cls: type) -> None:
    """Replace the methods of `cls` that take a tensor beside their own by their public forms."""
    attributes: dict[str, Any] = {}
    for owner in reversed(cls.__mro__):
        attributes.update(vars(owner))
    for name, found in attributes.items():
        if is_composed(name, found, beside=1):
            setattr(cls, name, public(found, name, cls.__module__, f"{cls.__name__}.{name}"))


def is_composed(name: str, found: Any, beside: int = 0) -> bool:
    """Whether `found` is a public function of the library that is no declared operation and takes tensors, `beside` some."""
    if name.startswith("_") or not isinstance(found, FunctionType) or hasattr(found, "info") \
            or not found.__module__.startswith("minigrad."):
        return False
    code = inspect.unwrap(found).__code__
    rest = code.co_varnames[code.co_argcount + code.co_kwonlyargcount] if code.co_flags & inspect.CO_VARARGS else ""
    others = (*code.co_varnames[:beside], "out", "return")
    return any([takes(text, name == rest) for name, text in found.__annotations__.items() if name not in others])


def public(function: Any, called: str, module: str, qualname: str) -> Any:
    """`function` in its public form, which looks at the arguments if the call has failed."""
    @functools.wraps(function)
    def checked(*args: Any, **named: Any) -> Any:
        if overriding.subclasses and (found := overriding.overriding((*args, *named.values()))):
            return overriding.ask(checked, found, args, named)
        try:
            return function(*args, **named)
        except Exception as error:
            if found := overriding.overriding((*args, *named.values())):
                return overriding.ask(checked, found, args, named)
            if named and isinstance(error, TypeError) and (renamed := by_our_names(function, named)) != named:
                return checked(*args, **renamed)
            refuse(function, called, error, args, named)
            raise

    checked.__module__, checked.__qualname__ = module, qualname  # by which it can be pickled
    return checked


def by_our_names(function: Any, named: dict[str, Any]) -> dict[str, Any]:
    """The arguments `named` with NumPy's names, which PyTorch takes as well, replaced by those that `function` has."""
    known = inspect.signature(function).parameters
    ours = {theirs: name for name, all_of in ALL_NUMPY_NAMES.items() for theirs in all_of if name in known and name not in named}
    return {name if name in known else ours.get(name, name): value for name, value in named.items()}


def refuse(function: Any, called: str, error: Exception, args: Any, named: dict[str, Any]) -> None:
    """Raise ``ArgumentError`` if the call stumbled over an argument that is no tensor, as `error` shows, or is not of the kind
    that its annotation says; else, if `error` is the library's own and names no function, raise it with the name."""
    least = suspicion_threshold(error)
    signature = inspect.signature(function)
    parameters = signature.parameters
    try:
        found = signature.bind(*args, **named)
    except TypeError:
        return  # Python's own error says which argument is missing, or one too many
    found.apply_defaults()
    suspects = []
    for name, value in found.arguments.items():
        if parameters[name].kind is inspect.Parameter.VAR_POSITIONAL and not (len(value) > 1 or value and is_tensor(value[0])):
            value = value[0] if value else value  # one sequence of tensors
        weight = suspicion(parameter_takes(parameters[name]), value, error)
        if weight >= least and not (value is None and parameters[name].default is None):
            suspects.append((weight, name, value))
    if not isinstance(error, ArgumentError) and all([weight < 3 for weight, *_ in suspects]):
        for name, value in found.arguments.items():
            p = parameters[name]
            misfit = None if value is p.default else not_of_its_kind(called, name, p.annotation, value)
            if misfit is not None and p.kind is not inspect.Parameter.VAR_POSITIONAL:
                raise misfit from None
    if suspects:
        _, name, value = max(suspects, key=lambda suspect: suspect[0])
        wrong = not_a_tensor_sequence if parameter_takes(parameters[name]) == "tensors" else not_a_tensor
        raise wrong(called, "input" if name == "self" else name, value) from None
    if isinstance(error, MinigradError) and not names_its_function(error, called):
        raise type(error)(f"{called}: {error}") from None


def suspicion_threshold(error: Exception) -> int:
    """How likely an argument must be the cause of `error` for it to be named: 1 for Python's error for a wrong type, or that of
    an operation inside about an operand; more for others about arguments; out of reach for what was said on purpose."""
    if isinstance(error, MinigradError):
        about_operand = "must be a Tensor" in str(error) or "tuple of Tensors" in str(error)
        return 1 if about_operand else 3 if isinstance(error, ArgumentError) else 5
    return 1 if isinstance(error, (AttributeError, TypeError)) else 5


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor, or an array, which functions turn into one."""
    return isinstance(x, (TensorBase, np.generic, *_arrays.array_types))


def suspicion(kind: str | None, value: Any, error: Exception) -> int:
    """How likely the argument `value` of a parameter that takes `kind` is the one that `error` came of. None and numbers often
    serve in a tensor's place, and so does an array, but where an attribute of tensors was missed."""
    if kind is None or isinstance(value, TensorBase) and kind == "tensor":
        return 0
    if kind == "tensors":
        return 3 * (not isinstance(value, (tuple, list)) or not all(map(is_tensor, value)))
    if is_tensor(value):
        return int(isinstance(error, AttributeError))
    return 4 if getattr(error, "obj", error) is value else 2 if value is None or isinstance(value, SCALARS) else 3


def not_a_tensor_sequence(called: str, name: str, value: Any) -> ArgumentError:
    """The error for the argument `name`, which must be a sequence of tensors and is not."""
    if not isinstance(value, (tuple, list)):
        return not_a_sequence(called, name, value)
    k = next(k for k, x in enumerate(value) if not is_tensor(x))
    return ArgumentError(f"{called}(): argument '{name}' must be tuple of Tensors, but element {k} is of type "
                         f"{type(value[k]).__name__}; minigrad.tensor(...) makes a Tensor of it")
