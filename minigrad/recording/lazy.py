"""What an operation can tell of its call path before that is generated: the source and the signature, made when they are read."""

from __future__ import annotations

import inspect
from types import FunctionType, MappingProxyType
from typing import Any, Callable, Iterable

from minigrad.recording.declaration import NUMPY_NAMES, annotations_of


class Source:
    """The source of the call path of `function`, to be read like a string. Reading it generates the call path, by `complete`, if
    no call has yet; the string itself then stands in this object's place."""

    def __init__(self, function: Any, complete: Callable[[], None]) -> None:
        self._function, self._complete = function, complete

    def __str__(self) -> str:
        if self._function.source is self:
            self._complete()
        text: str = self._function.source
        return text

    def __repr__(self) -> str:
        return repr(str(self))

    def __contains__(self, part: str) -> bool:
        return part in str(self)

    def __getitem__(self, index: Any) -> str:
        return str(self)[index]

    def __getattr__(self, method: str) -> Any:
        return getattr(str(self), method)


class Signature(inspect.Signature):
    """The signature that `make` gives, which is called when it is read."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[], inspect.Signature]) -> None:
        self._make = make

    @property
    def parameters(self) -> MappingProxyType[str, inspect.Parameter]:
        return self._make().parameters

    @property
    def return_annotation(self) -> Any:
        return self._make().return_annotation

    def replace(self, **changes: Any) -> inspect.Signature:  # type: ignore[override]
        return self._make().replace(**changes)

    def __reduce__(self) -> Any:
        return self._make().__reduce__()


# ---------------------------------------------------------------------------------------------------- the signatures

def operation_signature(function: Any, info: Any) -> inspect.Signature:
    """The signature of the call path `function` of a declared operation, with the types that the declaration tells: tensors,
    numbers where it takes them, and the settings as the forward annotates them."""
    if isinstance(function.source, Source):
        info.complete()
    plain = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__)
    plain.__kwdefaults__ = function.__kwdefaults__
    found = inspect.signature(plain)
    several = bool(info.outputs)
    annotations = annotations_of(info.forward)
    settings = {name: annotations.get(name, "Any") for name in info.settings}
    settings |= {theirs: optional(settings[ours]) for ours, theirs in NUMPY_NAMES.items() if ours in settings}
    types = {**settings, **{name: argument_type(info, name) for name in info.arguments},
             "out": optional("Sequence[Tensor]" if several else "Tensor")}
    parameters = [p.replace(annotation=types[p.name]) for p in found.parameters.values()]
    returned = results_name(info.outputs) if isinstance(info.outputs, tuple) else "tuple[Tensor, ...]" if several else "Tensor"
    return found.replace(parameters=parameters, return_annotation=returned)


def argument_type(info: Any, name: str) -> str:
    """What the array argument `name` of an operation takes."""
    if info.variadic:
        return "Sequence[Tensor]"
    taken = "Tensor | Number" if name in info.numbers and len(info.arguments) > 1 else "Tensor"
    return optional(taken) if name in info.optional else taken


def optional(annotation: str) -> str:
    """`annotation` and None."""
    return annotation if annotation.endswith("| None") else f"{annotation} | None"


def results_name(outputs: Iterable[str]) -> str:
    """What the type of several results is called: ``ValuesIndices`` for those named so."""
    return "".join(word[0].upper() + word[1:] for name in outputs for word in name.split("_"))


def numpy_signature(function: Any) -> inspect.Signature:
    """The signature of `function` in a form that takes NumPy's names too: they come after the others, but before ``out=``."""
    found = inspect.signature(function)
    given = list(found.parameters.values())
    new = [p.replace(name=NUMPY_NAMES[p.name], kind=p.KEYWORD_ONLY, default=None, annotation=optional(p.annotation))
           for p in given if p.name in NUMPY_NAMES]
    end = next((k for k, p in enumerate(given) if p.kind is p.KEYWORD_ONLY and p.name == "out"), len(given))
    return found.replace(parameters=[*given[:end], *new, *given[end:]])


def signature_with_out(function: Any) -> inspect.Signature:
    """The signature of `function` in a form that has ``out=`` too."""
    found = inspect.signature(function)
    returned = found.return_annotation
    several = "tuple" in str(returned)
    out = inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, default=None,
                            annotation=optional("Sequence[Tensor]" if several else "Tensor"))
    given = [p for p in found.parameters.values() if p.name != "out"]
    return found.replace(parameters=[*given, out])


def inplace_signature(function: Any) -> inspect.Signature:
    """The signature of the in-place form of `function`: that of the function, without ``out=``, as a method."""
    found = inspect.signature(function)
    first, *rest = found.parameters.values()
    own = first.replace(name="self", annotation="Tensor", default=first.empty)
    return found.replace(parameters=[own, *[p for p in rest if p.name != "out"]], return_annotation="Tensor")


def reflected_signature(function: Any) -> inspect.Signature:
    """The signature of `function`, of two operands, as a reflected operator: the method of the second."""
    found = inspect.signature(function)
    first, second, *_ = found.parameters.values()
    own = second.replace(name="self", annotation="Tensor")
    return found.replace(parameters=[own, first.replace(name="other")], return_annotation="Tensor")
