"""Parametrizations: a parameter that is computed from others by a module each time it is used.

``register_parametrization(layer, "weight", module)`` keeps the old parameter as ``layer.parametrizations.weight.original`` and
makes ``layer.weight`` a property that gives ``module(original)``.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Sequence
from typing import Any, Iterator

from minigrad import autograd
from minigrad._tensor import Tensor
from minigrad.errors import ArgumentError, InvalidValueError, ShapeError, StateError
from minigrad.nn.modules.container import ModuleDict, ModuleList
from minigrad.nn.modules.module import Module
from minigrad.nn.parameter import Parameter

__all__ = ["ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations",
           "transfer_parametrizations_and_params", "type_before_parametrizations"]


class Cache:
    """The values computed inside :func:`cached`, by module and name; `depth` counts the blocks one is in."""

    depth = 0
    values: dict[tuple[int, str], Any] = {}


@contextlib.contextmanager
def cached() -> Iterator[None]:
    """Inside the block, each parametrized tensor is computed once and then kept."""
    Cache.depth += 1
    try:
        yield
    finally:
        Cache.depth -= 1
        if not Cache.depth:
            Cache.values = {}


class ParametrizationList(ModuleList):
    """The modules through which one parameter is computed, in turn, and the tensors it is computed from.

    Those are ``original``, or ``original0``, ``original1``, ... where the ``right_inverse`` of the last module gives several.
    """

    def __init__(self, modules: Any, original: Any, unsafe: bool = False) -> None:
        modules = list(modules)
        if not modules:
            raise InvalidValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        with autograd.no_grad():
            start: Any = self._inverse(original)
        several = isinstance(start, Sequence)
        self.is_tensor = isinstance(start, Tensor)
        if not (several or self.is_tensor):
            raise InvalidValueError(f"'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got "
                                    f"{type(start).__name__}")
        if self.is_tensor and start.dtype is not original.dtype:
            raise InvalidValueError("When `right_inverse` outputs one tensor, it may not change the dtype: "
                                    f"{original.dtype} became {start.dtype}")
        for k, t in enumerate(start if several else ()):
            if not isinstance(t, Tensor):
                raise InvalidValueError("'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got "
                                        f"element {k} of the sequence with type {type(t).__name__}.")
        if self.is_tensor:
            if isinstance(original, Parameter):
                original.data = start.detach() if start is not original else original.data
                start = original
            self._keep("original", start, original)
        else:
            self.ntensors = len(start)
            for k, t in enumerate(start):
                self._keep(f"original{k}", t, original)
        if not unsafe:
            with autograd.no_grad():
                value = self()
            if not isinstance(value, Tensor):
                raise InvalidValueError(f"A parametrization must return a tensor. Got {type(value).__name__}.")
            if value.dtype is not original.dtype:
                raise InvalidValueError(f"Registering a parametrization may not change the dtype of the tensor: {original.dtype} "
                                        f"became {value.dtype}. If this is intended, use unsafe=True.")
            if tuple(value.shape) != tuple(original.shape):
                raise InvalidValueError("Registering a parametrization may not change the shape of the tensor: "
                                        f"{tuple(original.shape)} became {tuple(value.shape)}. If this is intended, use "
                                        "unsafe=True.")

    def _keep(self, name: str, t: Any, original: Any) -> None:
        if isinstance(original, Parameter):
            self.register_parameter(name, t if isinstance(t, Parameter) else Parameter(t.detach(), original.requires_grad))
        else:
            self.register_buffer(name, t)

    def _inverse(self, value: Any) -> Any:
        """What the parametrization would have to be computed from to give `value`, as far as its modules can tell."""
        for module in reversed(list(self)):
            if hasattr(module, "right_inverse"):
                try:
                    value = module.right_inverse(value)
                except NotImplementedError:
                    return value
        return value

    def originals(self) -> list[Any]:
        """The tensors that the value is computed from."""
        return [self.original] if self.is_tensor else [getattr(self, f"original{k}") for k in range(self.ntensors)]

    def right_inverse(self, value: Any) -> None:
        """Change the originals so that the parametrized tensor becomes `value`."""
        with autograd.no_grad():
            start = self._inverse(value)
            for original, t in zip(self.originals(), [start] if self.is_tensor else start):
                if tuple(original.shape) != tuple(t.shape):
                    raise ShapeError(f"right_inverse gave a tensor of shape {list(t.shape)} for one of shape "
                                     f"{list(original.shape)}")
                original.copy_(t)

    def forward(self) -> Any:
        first, *rest = list(self)
        value = first(*self.originals())
        for module in rest:
            value = module(value)
        return value


def property_for(name: str) -> property:
    """The property that takes the parameter's place."""
    def get(self: Any) -> Any:
        if not Cache.depth:
            return self.parametrizations[name]()
        key = (id(self), name)
        if key not in Cache.values:
            Cache.values[key] = self.parametrizations[name]()
        return Cache.values[key]

    def put(self: Any, value: Any) -> None:
        self.parametrizations[name].right_inverse(value)

    return property(get, put)


class Parametrized:
    """The first base of the class that a parametrized module gets: attributes that are properties are set as such."""

    parametrizations: Any

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(getattr(type(self), name, None), property):
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        twin = memo[id(self)] = object.__new__(type(self))
        twin.__dict__.update({key: copy.deepcopy(value, memo) for key, value in self.__dict__.items()})
        _make_own_class(twin, type(self).__mro__[2], list(self.parametrizations))
        return twin

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise StateError("Serialization of parametrized modules is only supported through state_dict().")


def _make_own_class(module: Any, base: type, names: list[str]) -> None:
    """Give `module` a class of its own, between it and `base`, for the properties."""
    module.__class__ = type("Parametrized" + base.__name__, (Parametrized, base), {name: property_for(name) for name in names})


def register_parametrization(module: Any, tensor_name: str, parametrization: Any, *, unsafe: bool = False) -> Any:
    """From now on, ``module.<tensor_name>`` is computed by `parametrization`, a module, from what it was.

    Where the parametrization has a ``right_inverse``, that gives what the value is computed from, so that it stays as it was. A
    second parametrization of the same tensor is applied to the result of the first, whose original stays. Returns `module`.
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        held = module.parametrizations[tensor_name]
        if not unsafe:
            check_next(parametrization, getattr(module, tensor_name))
        held.append(parametrization)
    elif tensor_name in module._parameters or tensor_name in module._buffers:
        original = getattr(module, tensor_name)
        held = ParametrizationList([parametrization], original, unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            module.parametrizations = ModuleDict()
            _make_own_class(module, type(module), [])
        setattr(type(module), tensor_name, property_for(tensor_name))
        module.parametrizations[tensor_name] = held
    else:
        raise InvalidValueError(f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
                                f"'{tensor_name}'")
    return module


@autograd.no_grad()
def check_next(parametrization: Any, before: Any) -> None:
    """Raise ``ValueError`` where a further parametrization makes a tensor of another shape or dtype of the tensor `before`, or
    its ``right_inverse`` does."""
    after = parametrization(before)
    if not isinstance(after, Tensor):
        raise InvalidValueError(f"A parametrization must return a tensor. Got {type(after).__name__}.")
    if after.dtype is not before.dtype:
        raise InvalidValueError(f"Registering a parametrization may not change the dtype of the tensor: {before.dtype} became "
                                f"{after.dtype}. If this is intended, use unsafe=True.")
    if tuple(after.shape) != tuple(before.shape):
        raise InvalidValueError(f"Registering a parametrization may not change the shape of the tensor: {tuple(before.shape)} "
                                f"became {tuple(after.shape)}. If this is intended, use unsafe=True.")
    if hasattr(parametrization, "right_inverse"):
        start = parametrization.right_inverse(after)
        if not isinstance(start, Tensor):
            raise InvalidValueError(f"parametrization.right_inverse must return a tensor. Got {type(start).__name__}.")
        if start.dtype is not before.dtype:
            raise InvalidValueError("The tensor returned by parametrization.right_inverse must have the same dtype as the "
                                    f"tensor, {before.dtype}, not {start.dtype}. If this is intended, use unsafe=True.")
        if tuple(start.shape) != tuple(before.shape):
            raise InvalidValueError("The tensor returned by parametrization.right_inverse must have the same shape as the "
                                    f"tensor, {tuple(before.shape)}, not {tuple(start.shape)}. If this is intended, use "
                                    "unsafe=True.")


def is_parametrized(module: Any, tensor_name: str | None = None) -> bool:
    """Whether `module`, or its tensor `tensor_name`, is parametrized."""
    held = module._modules.get("parametrizations")
    if not isinstance(held, ModuleDict):
        return False
    return len(held) > 0 if tensor_name is None else tensor_name in held


def remove_parametrizations(module: Any, tensor_name: str, leave_parametrized: bool = True) -> Any:
    """Make the tensor an ordinary one again: with its present value or, if `leave_parametrized` is False, what it was made
    from."""
    if not is_parametrized(module, tensor_name):
        raise InvalidValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    held = module.parametrizations[tensor_name]
    if leave_parametrized:
        with autograd.no_grad():
            value = getattr(module, tensor_name)
    elif not held.is_tensor:
        raise InvalidValueError("Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms "
                                "of a sequence of tensors.")
    else:
        value = held.original
    first = held.originals()[0]
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    if isinstance(first, Parameter):
        if held.is_tensor and tuple(first.shape) == tuple(value.shape):
            first.data = value.detach()
            value = first
        module.register_parameter(tensor_name, value if isinstance(value, Parameter) else Parameter(value.detach(),
                                                                                                    first.requires_grad))
    else:
        module.register_buffer(tensor_name, value)
    if not is_parametrized(module):
        delattr(module, "parametrizations")
        module.__class__ = type(module).__mro__[2]
    return module


def type_before_parametrizations(module: Any) -> type:
    """The class that a module had before it was parametrized."""
    return type(module).__mro__[2] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(from_module: Any, to_module: Any, tensor_name: str | None = None) -> Any:
    """Give `to_module` copies of the parametrizations of `from_module`, and the values they are computed from."""
    if not is_parametrized(from_module):
        return to_module
    if not isinstance(from_module, Module):
        raise ArgumentError(f"expected a module, got {type(from_module).__name__}")
    for name in list(from_module.parametrizations) if tensor_name is None else [tensor_name]:
        source = from_module.parametrizations[name]
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name).detach().clone()))
        for parametrization in source:
            register_parametrization(to_module, name, copy.deepcopy(parametrization), unsafe=True)
        with autograd.no_grad():
            for mine, theirs in zip(to_module.parametrizations[name].originals(), source.originals()):
                mine.copy_(theirs)
    return to_module
