"""PyTorch's ``jit``, for programs and packages written with it: what is scripted or traced runs as the Python that it is.

Decorators and calls that ask for compilation give back what they are given. Of TorchScript's files the weights are read; what
only it can do, to write them and to run their code, raises ``NotImplementedError``.
"""

from __future__ import annotations

import builtins
import contextlib
from typing import Any, Callable, Iterator, NamedTuple, NoReturn, TypeVar
from typing import Final as Final

from minigrad.errors import MinigradError, RuntimeValueError, StateError
from minigrad.futures import Future
from minigrad.nn import Module, Parameter
from minigrad.serialization import torchscript

__all__ = ["Attribute", "Future", "RecursiveScriptModule", "ScriptFunction", "ScriptModule", "annotate", "export", "fork",
           "freeze", "ignore", "interface", "is_scripting", "is_tracing", "isinstance", "load", "onednn_fusion_enabled",
           "optimize_for_inference", "optimized_execution", "save", "script", "script_if_tracing", "script_method",
           "set_fusion_strategy", "strict_fusion", "trace", "trace_module", "unused", "wait"]

F = TypeVar("F")
T = TypeVar("T")


class TorchScriptError(MinigradError, NotImplementedError):
    """Only TorchScript can do this."""


class ScriptModule(Module):
    """The class that PyTorch gives to scripted modules, which here keep their own."""


class ScriptFunction:
    """The class that PyTorch gives to scripted functions; here they stay functions."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise TorchScriptError("ScriptFunction: functions are not compiled here; call the function itself")


class Attribute(NamedTuple):
    """A value of a module, with its type for TorchScript."""

    value: Any
    type: Any


# ---------------------------------------------------------------------------------------------------- what is run as it is

def script(obj: F, optimize: Any = None, _frames_up: int = 0, _rcb: Any = None, example_inputs: Any = None) -> F:
    """`obj`, a function, class or module, itself.

    >>> import minigrad as mg
    >>> @mg.jit.script
    ... def double(x):
    ...     return 2 * x
    >>> double(mg.ones(2))
    tensor([2., 2.])
    """
    return obj


def trace(func: F, example_inputs: Any = None, *args: Any, **kwargs: Any) -> F:
    """`func`, a function or module, itself. It stays Python: branches are taken by each call's inputs, not by the example's."""
    return func


def trace_module(mod: F, inputs: Any, *args: Any, **kwargs: Any) -> F:
    """`mod` itself, as :func:`trace`."""
    return mod


def freeze(mod: F, preserved_attrs: list[str] | None = None, optimize_numerics: bool = True) -> F:
    """`mod` itself, which must be in evaluation mode, as PyTorch's must."""
    if builtins.isinstance(mod, Module) and mod.training:
        raise StateError("freeze: Freezing is currently only implemented for modules in eval mode. Please call .eval() on your "
                         "module before freezing.")
    return mod


def optimize_for_inference(mod: F, other_methods: list[str] | None = None) -> F:
    """`mod` itself."""
    return mod


def script_if_tracing(fn: F) -> F:
    """`fn` itself."""
    return fn


def script_method(fn: F) -> F:
    """`fn` itself."""
    return fn


def export(fn: F) -> F:
    """`fn` itself."""
    return fn


def unused(fn: F) -> F:
    """`fn` itself."""
    return fn


def interface(obj: F) -> F:
    """`obj` itself."""
    return obj


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """Decorator of methods that TorchScript leaves to Python: the method itself. Used with or without arguments."""
    return drop if callable(drop) else export


def annotate(the_type: Any, the_value: T) -> T:
    """`the_value`, whose type TorchScript would be told."""
    return the_value


def isinstance(obj: Any, target_type: Any) -> bool:
    """Python's ``isinstance``, for a class or a tuple of classes."""
    return builtins.isinstance(obj, target_type)


def is_scripting() -> bool:
    """Whether the code is being compiled: False."""
    return False


def is_tracing() -> bool:
    """Whether the code is being traced: False."""
    return False


def set_fusion_strategy(strategy: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """`strategy` itself: nothing is fused."""
    return strategy


def onednn_fusion_enabled() -> bool:
    """Whether oneDNN fuses operations: False."""
    return False


@contextlib.contextmanager
def optimized_execution(should_optimize: bool) -> Iterator[None]:
    """A block in which TorchScript optimizes or does not: it changes nothing."""
    yield


strict_fusion = contextlib.nullcontext


# ---------------------------------------------------------------------------------------------------- tasks

def fork(func: Callable[..., T], *args: Any, **kwargs: Any) -> Future[T]:
    """The result of ``func(*args, **kwargs)``, which is called at once, as PyTorch does outside of TorchScript."""
    future: Future[T] = Future()
    future.set_result(func(*args, **kwargs))
    return future


def wait(future: Future[T]) -> T:
    """What the function that :func:`fork` called has returned."""
    return future.wait()


# ---------------------------------------------------------------------------------------------------- files

def save(m: Any, f: Any, _extra_files: dict[str, Any] | None = None) -> NoReturn:
    """Raises ``NotImplementedError``: TorchScript's files hold compiled code. Use :func:`minigrad.save` of the ``state_dict``."""
    raise TorchScriptError("jit.save: TorchScript's files hold compiled code, which there is none of here; use "
                           "minigrad.save(model.state_dict(), file)")


class RecursiveScriptModule(ScriptModule):
    """A module that :func:`load` has read: its parameters, buffers, other attributes and modules, without its code."""

    def __init__(self, compiled: Any, made: dict[int, Any]) -> None:
        super().__init__()
        self.original_name = type(compiled).__name__
        for name, value in compiled.attributes.items():
            if name in compiled.parameters and value is not None:
                value = made.setdefault(id(value), Parameter(value, value.requires_grad))
            if name in compiled.buffers:
                self.register_buffer(name, value)
            elif builtins.isinstance(value, torchscript.Compiled):
                self.add_module(name, made.get(id(value)) or made.setdefault(id(value), RecursiveScriptModule(value, made)))
            elif name in compiled.parameters:
                self.register_parameter(name, value)
            elif name in self.__dict__ or not hasattr(ScriptModule, name):
                self.__dict__[name] = value
            else:
                raise KeyError(f"the attribute {name!r} would hide a method")

    def extra_repr(self) -> str:
        """The name of its class in the program that saved it."""
        return f"original_name={self.original_name}"

    def forward(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises ``NotImplementedError``: the code is TorchScript, which only PyTorch runs."""
        raise TorchScriptError(f"{self.original_name}: a TorchScript file holds compiled code, which only PyTorch runs; build "
                               "the model in Python, and give it the weights: model.load_state_dict(jit.load(f).state_dict())")


def load(f: Any, map_location: Any = None, _extra_files: dict[str, Any] | None = None) -> RecursiveScriptModule:
    """The module in a TorchScript file, for its weights: what it computes is compiled code, which is not run, so that a call
    raises ``NotImplementedError``.

    Args:
        map_location: as in :func:`minigrad.load`.
        _extra_files: a dictionary whose keys are names of extra files in it; their contents are put there.

    Raises ``RuntimeError`` for a file of another kind.
    """
    script = torchscript.read_script(f, map_location)
    for name in _extra_files or {}:
        if name in script.extra_files:
            _extra_files[name] = script.extra_files[name]  # type: ignore[index]
    try:
        return RecursiveScriptModule(script.module, {})
    except (AttributeError, KeyError, RecursionError, TypeError) as error:
        raise RuntimeValueError(f"jit.load: the file is damaged: its modules cannot be put together ({error})") from error
