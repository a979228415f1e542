"""What an operation can tell of its call path before that is generated: the source and the signature, made when they are read."""

from __future__ import annotations

import inspect
from types import FunctionType, MappingProxyType
from typing import Any, Callable


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
    """The signature of the call path of `function`, with ``out=``; reading it generates the call path likewise."""

    __slots__ = ("_complete", "_function")

    def __init__(self, function: Any, complete: Callable[[], None]) -> None:
        self._function, self._complete = function, complete

    @property
    def whole(self) -> inspect.Signature:
        """The signature as one object that does not depend on the function."""
        function = self._function
        if isinstance(function.source, Source):
            self._complete()
        plain = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__)
        plain.__kwdefaults__, plain.__annotations__ = function.__kwdefaults__, function.__annotations__
        return inspect.signature(plain)

    @property
    def parameters(self) -> MappingProxyType[str, inspect.Parameter]:
        return self.whole.parameters

    @property
    def return_annotation(self) -> Any:
        return self.whole.return_annotation

    def replace(self, **changes: Any) -> inspect.Signature:  # type: ignore[override]
        return self.whole.replace(**changes)

    def __reduce__(self) -> Any:
        return self.whole.__reduce__()
