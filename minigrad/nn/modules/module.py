"""The base of every layer: named parameters, buffers and submodules; hooks; state dictionaries; the call."""

from __future__ import annotations

import importlib
import itertools
import os
import warnings
from collections import OrderedDict, namedtuple
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Iterator, Mapping, NamedTuple, ParamSpec, Protocol, TypeVar

from minigrad import autograd
from minigrad._arrays import as_device
from minigrad._settings import get_overwrite_module_params_on_conversion
from minigrad._tensor import Tensor
from minigrad._types import dtypes
from minigrad._types.device import Device
from minigrad.autograd.function import Function
from minigrad.errors import (
    ArgumentError,
    DeviceError,
    GraphError,
    InvalidValueError,
    MinigradError,
    RuntimeValueError,
    StateError,
)
from minigrad.nn.parameter import Buffer, Parameter, is_lazy
from minigrad.recording.clock import calls, tick
from minigrad.recording.graph import RemovableHandle
from minigrad.recording.hints import hint

if TYPE_CHECKING:
    from minigrad._types.annotations import DeviceLike, DTypeLike

__all__ = ["Module", "register_module_backward_hook", "register_module_buffer_registration_hook",
           "register_module_forward_hook", "register_module_forward_pre_hook", "register_module_full_backward_hook",
           "register_module_full_backward_pre_hook", "register_module_module_registration_hook",
           "register_module_parameter_registration_hook"]

M = TypeVar("M", bound="Module")
P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """What ``load_state_dict`` returns: the keys that were not found, and those nobody asked for."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"_{super().__repr__()}" if self.missing_keys or self.unexpected_keys else "<All keys matched successfully>"

    __str__ = __repr__


class Hook(NamedTuple):
    """A registered hook, and how it wants to be called."""

    function: Callable[..., Any]
    with_kwargs: bool = False
    always_call: bool = False
    legacy: bool = False  # of register_backward_hook, which looks at one node only
    private: bool = False  # of a subclass of ours that needs no module as first argument


# Hooks for every module there is, under PyTorch's names: programs look into them, and put empty ones in their place.
_global_forward_pre_hooks: dict[int, Callable[..., Any]] = {}
_global_forward_hooks: dict[int, Callable[..., Any]] = {}
_global_forward_hooks_with_kwargs: dict[int, bool] = {}
_global_forward_hooks_always_called: dict[int, bool] = {}
_global_backward_pre_hooks: dict[int, Hook] = {}
_global_backward_hooks: dict[int, Hook] = {}
_global_buffer_registration_hooks: dict[int, Callable[..., Any]] = {}
_global_parameter_registration_hooks: dict[int, Callable[..., Any]] = {}
_global_module_registration_hooks: dict[int, Callable[..., Any]] = {}


def forward_hooks_of(hooks: dict[int, Any], with_kwargs: dict[int, bool], always_called: dict[int, bool]) -> list[Hook]:
    """The forward hooks that are registered in `hooks`, each with how it wants to be called."""
    return [Hook(hook, k in with_kwargs, k in always_called) for k, hook in hooks.items()]


# The dictionaries of hooks that a module has.
HOOKS = ("_forward_hooks", "_forward_hooks_with_kwargs", "_forward_hooks_always_called", "_forward_pre_hooks",
         "_forward_pre_hooks_with_kwargs", "_backward_hooks", "_backward_pre_hooks", "_state_dict_hooks",
         "_state_dict_pre_hooks", "_load_state_dict_pre_hooks", "_load_state_dict_post_hooks")


class HasForward(Protocol[P, R]):
    """What a type checker looks at to know how a module is called: its ``forward``."""

    def forward(self, *args: P.args, **kwargs: P.kwargs) -> R: ...


class Module:
    """Base class of all layers and models. Subclass it, make the parts in ``__init__``, compute in ``forward``.

    Parameters, buffers and modules assigned as attributes are found by ``parameters()``, ``state_dict()``, ``to()`` and
    the rest. Call the module, not ``forward``: the call runs the hooks too.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden = nn.Linear(3, 4)
    ...         self.out = nn.Linear(4, 2)
    ...     def forward(self, x):
    ...         return self.out(self.hidden(x).relu())
    >>> Net()
    Net(
      (hidden): Linear(in_features=3, out_features=4, bias=True)
      (out): Linear(in_features=4, out_features=2, bias=True)
    )
    >>> [name for name, p in Net().named_parameters()]
    ['hidden.weight', 'hidden.bias', 'out.weight', 'out.bias']
    """

    training: bool
    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _modules: dict[str, Any]
    _non_persistent_buffers_set: set[str]

    _version = 1
    call_super_init = dump_patches = False
    T_destination = TypeVar("T_destination", bound=dict[str, Any])  # in annotations of state_dict(destination)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init and (args or kwargs):
            problem = (f"got an unexpected keyword argument '{next(iter(kwargs))}'" if kwargs
                       else f"takes 1 positional argument but {len(args) + 1} were given")
            raise ArgumentError(f"{type(self).__name__}.__init__() {problem}")
        # Into __dict__, past our own __setattr__, which could not work yet.
        self.__dict__.update(training=True, _parameters={}, _buffers={}, _modules={})
        Module.__setstate__(self, {})
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the attributes of a pickled module, which may be older than some of the dictionaries of hooks."""
        self.__dict__.update(state)
        if "_non_persistent_buffers_set" not in self.__dict__:
            self.__dict__["_non_persistent_buffers_set"] = set()
        for name in HOOKS:
            if name not in self.__dict__:
                self.__dict__[name] = {}

    # ------------------------------------------------------------------------------------------------ the call

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; every subclass defines its own."""
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function: define `def forward(self, ...)` '
            "in the class (check the spelling and the indentation)")

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        if (self._forward_hooks or self._forward_pre_hooks or self._backward_hooks or self._backward_pre_hooks
                or _global_forward_hooks or _global_forward_pre_hooks or _global_backward_hooks or _global_backward_pre_hooks):
            return self._call_with_hooks(args, kwargs)
        start = tick()
        try:
            result = self.forward(*args, **kwargs)
        except MinigradError as error:
            raise self._note_module(error, args) from None
        end = tick()
        if end - start > 1:
            calls.append((start, end, id(self)))  # what was made in between is this module's: drawings show it
        return result

    if TYPE_CHECKING:
        def __call__(self: HasForward[P, R], *args: P.args, **kwargs: P.kwargs) -> R: ...
    else:
        __call__ = _call

    def _note_module(self, error: MinigradError, args: tuple[Any, ...]) -> MinigradError:
        """`error` with a note of the innermost module that it came out of."""
        if not hasattr(error, "__notes__"):
            given = ", ".join(str(list(a.shape)) if isinstance(a, Tensor) else type(a).__name__ for a in args)
            own = repr(self)
            error.add_note(f"in {own if len(own) < 200 else type(self).__name__}, called with {given or 'no arguments'}"
                           + (self._whereabouts(args) if isinstance(error, DeviceError) else ""))
        return error

    def _whereabouts(self, args: tuple[Any, ...]) -> str:
        """Where the module is and where what it was called with, if these are not one device: for an error's note."""
        here = sorted({str(t.device) for t in (*self.parameters(), *self.buffers())})
        there = sorted({str(a.device) for a in args if isinstance(a, Tensor)})
        if not here or not there or here == there:
            return ""
        return (f"; the module is on {' and '.join(here)}, its arguments are on {' and '.join(there)}: "
                f"model.to('{there[0]}') moves the model, x.to('{here[0]}') a tensor")

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        start = tick()
        ran: set[int] = set()
        forward_hooks = [
            *forward_hooks_of(_global_forward_hooks, _global_forward_hooks_with_kwargs, _global_forward_hooks_always_called),
            *forward_hooks_of(self._forward_hooks, self._forward_hooks_with_kwargs, self._forward_hooks_always_called)]
        try:
            result = self._forward_with_hooks(args, kwargs, forward_hooks, ran)
            end = tick()
            if end - start > 1:
                calls.append((start, end, id(self)))
            return result
        except Exception:
            for hook in forward_hooks:
                if hook.always_call and id(hook) not in ran:
                    try:
                        self._run_forward_hook(hook, args, kwargs, None)
                    except Exception as second:
                        warnings.warn(f"module forward hook with ``always_call=True`` raised an exception that was silenced "
                                      f"as another error was raised in forward: {second}", stacklevel=3)
            raise

    def _forward_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any], forward_hooks: list[Hook], ran: set[int]) -> Any:
        """Run the pre-hooks, the forward and the hooks of the module, and return the result."""
        for hook in [*forward_hooks_of(_global_forward_pre_hooks, {}, {}),
                     *forward_hooks_of(self._forward_pre_hooks, self._forward_pre_hooks_with_kwargs, {})]:
            if hook.with_kwargs:
                new = hook.function(self, args, kwargs)
                if new is not None:
                    if not (isinstance(new, tuple) and len(new) == 2):
                        raise RuntimeValueError("forward pre-hook must return None or a tuple of (new_args, new_kwargs), "
                                                f"but got {new}.")
                    args, kwargs = new
            else:
                new = hook.function(self, args)
                if new is not None:
                    args = new if isinstance(new, tuple) else (new,)
        all_backward_hooks = [*_global_backward_hooks.values(), *self._backward_hooks.values()]
        backward_hooks = [h for h in all_backward_hooks if not h.legacy]
        backward_pre_hooks = [*_global_backward_pre_hooks.values(), *self._backward_pre_hooks.values()]
        watch = BackwardWatch(self, backward_hooks, backward_pre_hooks) if backward_hooks or backward_pre_hooks else None
        if watch is not None:
            args = watch.watch_inputs(args)
        try:
            result = self.forward(*args, **kwargs)
        except MinigradError as error:
            raise self._note_module(error, args) from None
        for hook in forward_hooks:
            ran.add(id(hook))
            new = self._run_forward_hook(hook, args, kwargs, result)
            if new is not None:
                result = new
        if watch is not None:
            result = watch.watch_outputs(result)
        legacy_hooks = [h for h in all_backward_hooks if h.legacy]
        if legacy_hooks:
            self._watch_node(args, result, legacy_hooks)
        return result

    def _run_forward_hook(self, hook: Hook, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
        return hook.function(self, args, kwargs, result) if hook.with_kwargs else hook.function(self, args, result)

    def _watch_node(self, args: tuple[Any, ...], result: Any, hooks: list[Hook]) -> None:
        """For ``register_backward_hook``: hooks on the node of the first tensor in `result`."""
        first = result
        while not isinstance(first, Tensor):
            if not isinstance(first, (tuple, list, dict)) or not first:
                return
            first = next(iter(first.values() if isinstance(first, dict) else first))
        node = first.grad_fn
        if node is None:
            return
        for hook in hooks:
            node.register_hook(partial(hook.function, self))
        problem = problem_of_one_node(args, result, node)
        if problem is not None:
            warnings.warn(f"Using a non-full backward hook {problem} is deprecated: its gradients are not all of the module's. "
                          "Please use register_full_backward_hook to get the documented behavior.", FutureWarning, stacklevel=5)

    # ------------------------------------------------------------------------------------------------ registering parts

    def _check_name(self, kind: str, name: Any, own: dict[str, Any]) -> None:
        if "_parameters" not in self.__dict__:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call: {type(self).__name__}.__init__ must begin "
                                 "with super().__init__()")
        if not isinstance(name, str):
            raise ArgumentError(f"{kind} name should be a string. Got {type(name).__name__}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if name not in own and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that belongs to the state but is not trained, such as a running mean.

        Args:
            name: the attribute under which it is found.
            tensor: the buffer, or None for a buffer that is not there now and not in the ``state_dict``.
            persistent: whether ``state_dict`` holds it.
        """
        self._check_name("buffer", name, self.__dict__.get("_buffers", {}))
        if tensor is not None and not isinstance(tensor, Tensor):
            raise ArgumentError(f"cannot assign '{type(tensor).__name__}' object to buffer '{name}' (Tensor or None required)")
        tensor = _run_registration_hooks(_global_buffer_registration_hooks, self, name, tensor)
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a :class:`Parameter` (or None) under `name`; assigning it as an attribute does the same."""
        self._check_name("parameter", name, self.__dict__.get("_parameters", {}))
        if param is not None:
            if not isinstance(param, Parameter):
                raise ArgumentError(f"cannot assign '{type(param).__name__}' object to parameter '{name}' "
                                    "(nn.Parameter or None required)")
            if param.grad_fn is not None:
                raise InvalidValueError(f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created "
                                        "explicitly. To express it as a function of another Tensor, compute the value in the "
                                        "forward() method.")
        self._parameters[name] = _run_registration_hooks(_global_parameter_registration_hooks, self, name, param)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child module (or None) under `name`; assigning it as an attribute does the same."""
        if not isinstance(module, Module) and module is not None:
            raise ArgumentError(f"{type(module).__name__} is not a Module subclass")
        self._check_name("module", name, self.__dict__.get("_modules", {}))
        self._modules[name] = _run_registration_hooks(_global_module_registration_hooks, self, name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """Another name of :meth:`add_module`."""
        self.add_module(name, module)

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if isinstance(value, Parameter):
            if "_parameters" not in own:
                self._check_name("parameters", name, {})
            _forget(own, name, "_buffers", "_modules")
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            if "_modules" not in own:
                self._check_name("module", name, {})
            _forget(own, name, "_parameters", "_buffers")
            self._modules[name] = _run_registration_hooks(_global_module_registration_hooks, self, name, value)
        elif "_parameters" not in own:
            object.__setattr__(self, name, value)
        elif name in own["_parameters"]:
            if value is not None:
                raise ArgumentError(f"cannot assign '{type(value).__name__}' as parameter '{name}' (nn.Parameter or None "
                                    f"expected); wrap it: nn.Parameter(...), or change the values: with no_grad(): "
                                    f"{name}.copy_(...)")
            self.register_parameter(name, None)
        elif name in own["_modules"]:
            if value is not None:
                raise ArgumentError(f"cannot assign '{type(value).__name__}' as child module '{name}' (nn.Module or None "
                                    f"expected)")
            self._modules[name] = _run_registration_hooks(_global_module_registration_hooks, self, name, None)
        elif isinstance(value, Buffer):
            # A class of the user's may register buffers without that argument.
            self.register_buffer(name, value, **({} if value.persistent else {"persistent": False}))
        elif name in own["_buffers"]:
            if value is not None and not isinstance(value, Tensor):
                raise ArgumentError(f"cannot assign '{type(value).__name__}' as buffer '{name}' (Tensor or None expected)")
            self._buffers[name] = _run_registration_hooks(_global_buffer_registration_hooks, self, name, value)
        else:
            if value.__class__ in (list, tuple, dict) and value:
                _hint_if_hidden(self, name, value)
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        # Only called where ordinary lookup found nothing.
        own = self.__dict__
        if "_parameters" in own:
            parameters = own["_parameters"]
            if name in parameters:
                return parameters[name]
            if name in own["_buffers"]:
                return own["_buffers"][name]
            if name in own["_modules"]:
                return own["_modules"][name]
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}': its __init__ has not called "
                             "super().__init__()")

    def __delattr__(self, name: str) -> None:
        for kind in ("_parameters", "_buffers", "_modules"):
            if name in self.__dict__.get(kind, ()):
                del self.__dict__[kind][name]
                self._non_persistent_buffers_set.discard(name)
                return
        super().__delattr__(name)

    def __dir__(self) -> list[str]:
        names = {*dir(type(self)), *self.__dict__, *self._parameters, *self._modules, *self._buffers}
        return sorted(n for n in names if not n[0].isdigit())

    # ------------------------------------------------------------------------------------------------ finding parts

    def get_submodule(self, target: str) -> Module:
        """The module at the dotted path `target`, such as ``"block.0.conv"``; this module itself for ``""``.

        Raises ``AttributeError`` that names the step at which the path ends.
        """
        module: Any = self
        for step in target.split(".") if target else ():
            if not hasattr(module, step):
                raise AttributeError(f"{module._get_name()} has no attribute `{step}`")
            module = getattr(module, step)
            if not isinstance(module, Module):
                raise AttributeError(f"`{step}` is not an nn.Module")
        found: Module = module
        return found

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put `module` at the dotted path `target`; with `strict`, only in the place of a module that is there."""
        if target == "":
            raise InvalidValueError("Cannot set the submodule without a target name!")
        path, _, name = target.rpartition(".")
        if not isinstance(module, Module):
            raise InvalidValueError(f"`module` is not an nn.Module, found {type(module)}")
        parent = self.get_submodule(path)
        if strict and not hasattr(parent, name):
            raise AttributeError(f"{parent._get_name()} has no attribute `{name}`")
        if hasattr(parent, name) and not isinstance(getattr(parent, name), Module):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at the dotted path `target`."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        param = getattr(module, name)
        if not isinstance(param, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return param

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at the dotted path `target`."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        if name not in module._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        buffer: Tensor = module._buffers[name]
        return buffer

    def _named_members(self, members: Callable[[Module], Any], prefix: str, recurse: bool,
                       remove_duplicate: bool) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, value in members(module):
                if value is None or id(value) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(value))
                yield f"{path}.{name}" if path else name, value

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Every parameter of this module and, with `recurse`, of its submodules; each once."""
        for _, param in self.named_parameters(recurse=recurse):
            yield param

    def named_parameters(self, prefix: str = "", recurse: bool = True,
                         remove_duplicate: bool = True) -> Iterator[tuple[str, Parameter]]:
        """As :meth:`parameters`, with dotted names."""
        return self._named_members(lambda m: m._parameters.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Every buffer of this module and, with `recurse`, of its submodules; each once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def named_buffers(self, prefix: str = "", recurse: bool = True,
                      remove_duplicate: bool = True) -> Iterator[tuple[str, Tensor]]:
        """As :meth:`buffers`, with dotted names."""
        return self._named_members(lambda m: m._buffers.items(), prefix, recurse, remove_duplicate)

    def children(self) -> Iterator[Module]:
        """The direct child modules, each once."""
        for _, module in self.named_children():
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """As :meth:`children`, with names."""
        seen: set[Any] = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def modules(self) -> Iterator[Module]:
        """This module and everything below it, each once."""
        for _, module in self.named_modules():
            yield module

    def named_modules(self, memo: Any = None, prefix: str = "", remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:
        """As :meth:`modules`, with dotted names; this module's own is `prefix`."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    # ------------------------------------------------------------------------------------------------ changing all parts

    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Call ``fn(module)`` on every submodule and then on this module; returns this module."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self: M, mode: bool = True) -> M:
        """Switch this module and all below to training (or, with False, to evaluation)."""
        if not isinstance(mode, bool):
            raise InvalidValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self: M) -> M:
        """Switch to evaluation: dropout passes everything, batch norm uses its running statistics."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Switch on or off whether the parameters want gradients, to freeze a part of a model."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zero."""
        for p in self.parameters():
            if set_to_none:
                p.grad = None
            elif p.grad is not None:
                p.grad = p.grad.detach()
                p.grad.zero_()

    def _apply(self: M, fn: Callable[[Any], Any], recurse: bool = True) -> M:
        """Replace the values of parameters, their gradients and buffers by ``fn(tensor)``; parameters stay the same objects."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        with autograd.no_grad():
            for name, p in self._parameters.items():
                if p is not None:
                    value = fn(p)
                    grad = None if p.grad is None else fn(p.grad)
                    if get_overwrite_module_params_on_conversion():
                        self._parameters[name] = p = Parameter(value, p.requires_grad)
                    else:
                        p.data = value
                        p.grad = None
                    p.grad = grad
            for name, buffer in self._buffers.items():
                if is_lazy(buffer):
                    buffer.array = fn(buffer).array
                elif buffer is not None:
                    self._buffers[name] = fn(buffer)
        return self

    def share_memory(self: M) -> M:
        """Move parameters and buffers into memory that other processes share; see :meth:`Tensor.share_memory_`. Returns the
        module."""
        return self._apply(lambda t: t.share_memory_())

    def to(self: M, *args: Any, **kwargs: Any) -> M:
        """Move to a device, change the floating type, or both: ``to("cuda")``, ``to(float64)``, ``to(device, dtype)``,
        ``to(tensor)``. Integer buffers keep their type. With `memory_format`, what has as many dimensions as that is for is laid
        out so. Changes this module and returns it."""
        device, dtype, later, memory_format = destination_of(*args, **kwargs)
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise ArgumentError(f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}")
        if dtype is not None and dtype.is_complex:
            warnings.warn("Complex modules are a new feature: some modules might not work as expected when using complex tensors "
                          "as parameters or buffers.", stacklevel=2)

        def convert(t: Any) -> Any:
            floating = t.dtype.is_floating_point or t.dtype.is_complex
            order = memory_format if memory_format is not None and memory_format.ndim in (None, t.ndim) else None
            return t.to(device=device, dtype=dtype if dtype and floating else None, non_blocking=later, memory_format=order)
        return self._apply(convert)

    def type(self: M, dst_type: DTypeLike | str) -> M:
        """Convert all parameters and buffers, integer ones too, to the dtype `dst_type`."""
        return self._apply(lambda t: t.to(dtypes.as_dtype(dst_type)))

    def float(self: M) -> M:
        """Convert floating parameters and buffers to float32."""
        return self._to_floating(dtypes.float32)

    def double(self: M) -> M:
        """Convert floating parameters and buffers to float64."""
        return self._to_floating(dtypes.float64)

    def half(self: M) -> M:
        """Convert floating parameters and buffers to float16."""
        return self._to_floating(dtypes.float16)

    def bfloat16(self: M) -> M:
        """Convert floating parameters and buffers to bfloat16."""
        return self._to_floating(dtypes.bfloat16)

    def _to_floating(self: M, dtype: Any) -> M:
        return self._apply(lambda t: t.to(dtype) if t.dtype.is_floating_point else t)

    def cpu(self: M) -> M:
        """Move to host memory."""
        return self._apply(lambda t: t.to("cpu"))

    def cuda(self: M, device: DeviceLike | None = None) -> M:
        """Move to a GPU; raises ``DeviceError`` where there is none."""
        target = as_device("cuda" if device is None else device)
        return self._apply(lambda t: t.to(target))

    def xpu(self: M, device: DeviceLike | None = None) -> M:
        """Move to a device of the kind ``"xpu"``; raises ``DeviceError`` where no library has one."""
        return self.cuda("xpu" if device is None else device)

    def mtia(self: M, device: DeviceLike | None = None) -> M:
        """Move to a device of the kind ``"mtia"``; raises ``DeviceError`` where no library has one."""
        return self.cuda("mtia" if device is None else device)

    def ipu(self: M, device: DeviceLike | None = None) -> M:
        """Move to a device of the kind ``"ipu"``; raises ``DeviceError`` where no library has one."""
        return self.cuda("ipu" if device is None else device)

    def to_empty(self: M, *, device: DeviceLike, recurse: bool = True) -> M:
        """Move to `device` without copying the values, which are then undefined."""
        return self._apply(lambda t: t.new_empty(t.shape, device=device), recurse=recurse)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Record and replay the calls of this module's ``forward``; the arguments are those of :func:`minigrad.compile`."""
        self.__dict__["forward"] = importlib.import_module("minigrad.compiler").compile(self.forward, *args, **kwargs)

    # ------------------------------------------------------------------------------------------------ state dictionaries

    def get_extra_state(self) -> Any:
        """What else belongs into the ``state_dict``; define it together with :meth:`set_extra_state`."""
        raise StateError("Reached a code path in Module.get_extra_state() that should never be called: a class that has extra "
                         "state defines get_extra_state() and set_extra_state()")

    def set_extra_state(self, state: Any) -> None:
        """Take back what :meth:`get_extra_state` gave."""
        raise StateError("Reached a code path in Module.set_extra_state() that should never be called: a class that has extra "
                         "state defines get_extra_state() and set_extra_state()")

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Put this module's own part, without submodules, into `destination`."""
        for name, param in self._parameters.items():
            if param is not None:
                destination[prefix + name] = param if keep_vars else param.detach()
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                destination[prefix + name] = buffer if keep_vars else buffer.detach()
        if type(self).get_extra_state is not Module.get_extra_state:
            destination[prefix + "_extra_state"] = self.get_extra_state()

    def state_dict(self, *args: Any, destination: dict[str, Any] | None = None, prefix: str = "",
                   keep_vars: bool = False) -> dict[str, Tensor]:
        """All parameters and persistent buffers by dotted name, in the order of registration.

        Args:
            destination: a dictionary to put them into; a new one by default.
            prefix: put in front of every name.
            keep_vars: give the parameters themselves; by default detached tensors that share their memory.
        """
        for name, value in zip(("destination", "prefix", "keep_vars"), args):  # positional use is deprecated in PyTorch too
            if name == "destination":
                destination = value
            elif name == "prefix":
                prefix = value
            else:
                keep_vars = value
        if destination is None:
            fresh: Any = OrderedDict()
            fresh._metadata = OrderedDict()
            destination = fresh
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in list(self._state_dict_pre_hooks.values()):
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for post in list(self._state_dict_hooks.values()):
            result = post.function(self, destination, prefix, metadata)
            if post.private:
                destination = destination if result is None else result
            elif result is not None:
                raise RuntimeValueError("state_dict post-hook must return None")
        return destination

    def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: Any, strict: bool, missing_keys: list[str],
                              unexpected_keys: list[str], error_msgs: list[str]) -> None:
        """Take this module's own part, without submodules, from `state_dict`; problems go into the three lists."""
        for hook in list(self._load_state_dict_pre_hooks.values()):
            arguments = (state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
            hook.function(*arguments) if hook.private else hook.function(self, *arguments)
        buffers = {k: v for k, v in self._buffers.items() if k not in self._non_persistent_buffers_set}
        own = {k: v for k, v in itertools.chain(self._parameters.items(), buffers.items()) if v is not None}
        assign = local_metadata.get("assign_to_params_buffers", False)
        for name, param in own.items():
            key = prefix + name
            if key not in state_dict:
                if strict:
                    missing_keys.append(key)
                continue
            given = state_dict[key]
            if not isinstance(given, Tensor):
                error_msgs.append(f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from '
                                  f"checkpoint but received {type(given)}")
                continue
            if is_lazy(param) and is_lazy(given):
                continue
            if param.ndim == 0 and tuple(given.shape) == (1,):
                given = given[0]
            if tuple(given.shape) != tuple(param.shape):
                error_msgs.append(f"size mismatch for {key}: copying a param with shape {given.shape} from checkpoint, "
                                  f"the shape in current model is {param.shape}.")
                continue
            try:
                with autograd.no_grad():
                    if assign:
                        if isinstance(param, Parameter) and not isinstance(given, Parameter):
                            given = Parameter(given, requires_grad=param.requires_grad)
                        setattr(self, name, given)
                    else:
                        param.copy_(given)
            except Exception as error:
                error_msgs.append(f'While copying the parameter named "{key}", whose dimensions in the model are {param.shape} '
                                  f'and '
                                  f"whose dimensions in the checkpoint are {given.shape}, an exception occurred : {error.args}.")
        extra = prefix + "_extra_state"
        if type(self).set_extra_state is not Module.set_extra_state:
            if extra in state_dict:
                self.set_extra_state(state_dict[extra])
            elif strict:
                missing_keys.append(extra)
        elif strict and extra in state_dict:
            unexpected_keys.append(extra)
        if strict:
            for key in state_dict:
                if key.startswith(prefix) and key != extra:
                    head, *rest = key[len(prefix):].split(".", 1)
                    if head not in self._modules if rest else head not in own:
                        unexpected_keys.append(key)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> _IncompatibleKeys:
        """Copy parameters and buffers from `state_dict`, as :meth:`state_dict` made it.

        Args:
            strict: raise ``RuntimeError`` if the keys do not match exactly. Shapes that do not match always raise.
            assign: take the tensors themselves in the place of the parameters, instead of copying their values.

        Returns: the missing and the unexpected keys.
        """
        if not isinstance(state_dict, Mapping):
            path = isinstance(state_dict, (str, os.PathLike))
            raise ArgumentError(f"Expected state_dict to be dict-like, got {type(state_dict)}."
                                + (f" Load the file first: load_state_dict(minigrad.load({str(state_dict)!r}))" if path else ""))
        missing: list[str] = []
        unexpected: list[str] = []
        errors: list[str] = []
        metadata = getattr(state_dict, "_metadata", None) or {}
        self._load_parts(OrderedDict(state_dict), "", metadata, assign, missing, unexpected, errors)
        if strict:
            if missing:
                errors.insert(0, "Missing key(s) in state_dict: {}. ".format(", ".join(f'"{k}"' for k in missing)))
            if unexpected:
                errors.insert(1 if missing else 0,
                              "Unexpected key(s) in state_dict: {}. ".format(", ".join(f'"{k}"' for k in unexpected)))
        if errors:
            listed = "\n\t".join(errors)
            raise RuntimeValueError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{listed}")
        return _IncompatibleKeys(missing, unexpected)

    def _load_parts(self, state_dict: Mapping[str, Any], prefix: str, metadata: Mapping[str, Any], assign: bool,
                    missing: list[str], unexpected: list[str], errors: list[str]) -> None:
        """Take this module's part, then those of its submodules, from `state_dict`; problems go into the three lists."""
        local_metadata = dict(metadata.get(prefix[:-1], {}))
        if assign:
            local_metadata["assign_to_params_buffers"] = True
        self._load_from_state_dict(state_dict, prefix, local_metadata, True, missing, unexpected, errors)
        for name, child in self._modules.items():
            if child is not None:
                inner = f"{prefix}{name}."
                of_child = {k: v for k, v in state_dict.items() if k.startswith(inner)}
                child._load_parts(of_child, inner, metadata, assign, missing, unexpected, errors)
        for hook in list(self._load_state_dict_post_hooks.values()):
            if hook(self, _IncompatibleKeys(missing, unexpected)) is not None:
                raise RuntimeValueError("Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return "
                                        "new values, if incompatible_keys need to be modified, it should be done inplace.")

    # ------------------------------------------------------------------------------------------------ hooks

    def register_forward_hook(self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False,
                              always_call: bool = False) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after each forward; what it returns, unless None, replaces the output.

        Args:
            prepend: run before the hooks registered so far.
            with_kwargs: call ``hook(module, args, kwargs, output)``.
            always_call: also call it, with None for the output, if forward raises.
        """
        marks = [self._forward_hooks_with_kwargs] * with_kwargs + [self._forward_hooks_always_called] * always_call
        return RemovableHandle(self._forward_hooks, hook, prepend, marks)

    def register_forward_pre_hook(self, hook: Callable[..., Any], *, prepend: bool = False,
                                  with_kwargs: bool = False) -> RemovableHandle:
        """Call ``hook(module, args)`` before each forward; what it returns, unless None, replaces the arguments.

        With `with_kwargs`, ``hook(module, args, kwargs)`` is called and may return ``(args, kwargs)``.
        """
        return RemovableHandle(self._forward_pre_hooks, hook, prepend, [self._forward_pre_hooks_with_kwargs] * with_kwargs)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when the gradients of the module's positional inputs are known.

        A returned tuple takes the place of `grad_input`.
        """
        return RemovableHandle(self._backward_hooks, Hook(hook), prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` before the backward pass enters the module; a returned tuple replaces it."""
        return RemovableHandle(self._backward_pre_hooks, Hook(hook), prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """PyTorch's deprecated hook on the last operation of forward; use :meth:`register_full_backward_hook`."""
        if any(not h.legacy for h in self._backward_hooks.values()):
            raise GraphError("Cannot use both regular backward hooks and full backward hooks on a single Module. Please use "
                             "only one of them.")
        return RemovableHandle(self._backward_hooks, Hook(hook, legacy=True))

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` when ``state_dict()`` is made; it may change it in place."""
        return RemovableHandle(self._state_dict_hooks, Hook(hook))

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """As the public one, but what `hook` returns may replace the dictionary."""
        return RemovableHandle(self._state_dict_hooks, Hook(hook, private=True))

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before ``state_dict()`` is made."""
        return RemovableHandle(self._state_dict_pre_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)``
        before ``load_state_dict`` looks at this module's part."""
        return RemovableHandle(self._load_state_dict_pre_hooks, Hook(hook))

    def _register_load_state_dict_pre_hook(self, hook: Callable[..., Any], with_module: bool = False) -> RemovableHandle:
        return RemovableHandle(self._load_state_dict_pre_hooks, Hook(hook, private=not with_module))

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` after ``load_state_dict``; it may change the lists in place."""
        return RemovableHandle(self._load_state_dict_post_hooks, hook)

    # ------------------------------------------------------------------------------------------------ printing

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands between the parentheses of the module's ``repr``; subclasses give their settings."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): {_indent(repr(module))}" for name, module in self._modules.items()]
        if len(lines) == 1 and not children:
            return f"{self._get_name()}({lines[0]})"
        if not lines and not children:
            return f"{self._get_name()}()"
        return f"{self._get_name()}(\n  " + "\n  ".join(lines + children) + "\n)"

    def _repr_html_(self) -> str:
        text: str = importlib.import_module("minigrad.viz.notebook").module_html(self)
        return text

    def __treescope_repr__(self, path: Any, subtree_renderer: Any) -> Any:
        return importlib.import_module("minigrad.viz.notebook").module_tree(self, path, subtree_renderer)


def problem_of_one_node(args: tuple[Any, ...], result: Any, node: Any) -> str | None:
    """Why the gradients at `node` are not those of a module that was called with `args` and returned `result`, or None."""
    results = result if isinstance(result, tuple) else (result,)
    if not all(isinstance(t, Tensor) for t in results):
        return "on a Module that does not return a single Tensor or a tuple of Tensors"
    if not all(isinstance(t, Tensor) for t in args):
        return "on a Module that does not take as input a single Tensor or a tuple of Tensors"
    if any(t.grad_fn not in (None, node) for t in results):
        return "when outputs are generated by different autograd Nodes"
    sources = {id(t.grad_fn or t) for t in args if t.requires_grad}
    if any(edge is not None and id(edge) not in sources for edge in node.inputs):
        return "when the forward contains multiple autograd Nodes"
    return None


def _indent(text: str) -> str:
    """`text` with every line but the first moved two columns to the right."""
    return text.replace("\n", "\n  ")


def _hint_if_hidden(module: Module, name: str, value: Any) -> None:
    """Hint if a plain container holds parameters or modules that have some, which the module then does not know of."""
    held = [v for v in (value.values() if isinstance(value, dict) else value)
            if not isinstance(v, Module) or any(True for _ in itertools.chain(v.parameters(), v.buffers()))]
    kinds = [name for name, cls in (("Module", Module), ("Parameter", Parameter)) if any(isinstance(v, cls) for v in held)]
    if kinds:
        kind = kinds[0]
        right = f"{kind}Dict" if isinstance(value, dict) else f"{kind}List"
        hint(f"{type(module).__name__}.{name} is a plain {type(value).__name__} of {kind}s: parameters() does not see them, "
             f"so no optimizer will train them and state_dict() will not save them. Use nn.{right}(...).")


def _forget(own: dict[str, Any], name: str, *kinds: str) -> None:
    """Take `name` out of where another kind of attribute was registered."""
    own.pop(name, None)
    for kind in kinds:
        own.get(kind, {}).pop(name, None)
    own.get("_non_persistent_buffers_set", set()).discard(name)


def destination_of(*args: Any, tensor: Any = None, device: Any = None, dtype: Any = None, non_blocking: Any = False,
                   memory_format: Any = None, **others: Any) -> tuple[Any, Any, Any, Any]:
    """The arguments of ``to``: a device, a dtype, a device and a dtype, or a tensor to be like, then whether not to wait; as
    (device, dtype, non_blocking, memory_format). Raises ``TypeError`` for what is none of these."""
    if "copy" in others:
        raise RuntimeValueError("module.to() does not accept copy argument: it changes the module; deepcopy(module).to(...) "
                                "changes a copy")
    rest = list(args)
    if rest and isinstance(rest[0], Tensor):
        tensor = rest.pop(0)
    elif rest and isinstance(rest[0], dtypes.dtype):
        dtype = rest.pop(0)
    elif rest:
        device = rest.pop(0)
        if rest and (rest[0] is None or isinstance(rest[0], dtypes.dtype)):
            dtype = rest.pop(0)
        elif rest:
            rest.append(None)  # nothing but a dtype stands here
    if rest and isinstance(rest[0], bool):
        non_blocking = rest.pop(0)
    if rest or others or not (device is None or isinstance(device, (str, int, Device))):
        given = [*map(repr, args), *(f"{k}={v!r}" for k, v in others.items())] or [f"device={device!r}"]
        raise ArgumentError(f"to() received an invalid combination of arguments - got ({', '.join(given)}), but expected a "
                            "device, a dtype, a device and a dtype, or a tensor, then non_blocking")
    if tensor is not None:
        device, dtype = tensor.device, tensor.dtype
    return None if device is None else as_device(device), dtype, non_blocking, memory_format


# ---------------------------------------------------------------------------------------------------- backward hooks

class BackwardHookFunction(Function):
    """The identity on several tensors: one node through which all their gradients pass together."""

    @staticmethod
    def forward(ctx: Any, *tensors: Any) -> Any:
        ctx.mark_non_differentiable(*[t for t in tensors if not t.requires_grad])
        return tensors

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return grads


class BackwardWatch:
    """One call of a module with backward hooks: its inputs and outputs each pass through a :class:`BackwardHookFunction`."""

    def __init__(self, module: Module, hooks: list[Hook], pre_hooks: list[Hook]) -> None:
        self.module, self.hooks, self.pre_hooks = module, hooks, pre_hooks
        self.grad_outputs: Any = None
        self.input_count = 0
        self.inputs_at: list[int] | None = None  # which arguments went through the boundary; None: no gradient flows into them

    def watch_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.input_count = len(args)
        places = [k for k, a in enumerate(args) if isinstance(a, Tensor)]
        if not autograd.is_grad_enabled() or not any(args[k].requires_grad for k in places):
            return args
        passed = BackwardHookFunction.apply(*[args[k] for k in places])
        node = next(t.grad_fn for t in passed if t.grad_fn is not None)
        self.inputs_at = places
        node.register_hook(lambda grads, _: self.inputs_ready(grads))
        changed = list(args)
        for k, t in zip(places, passed):
            changed[k] = t
        return tuple(changed)

    def watch_outputs(self, result: Any) -> Any:
        if not isinstance(result, (Tensor, tuple)):
            warnings.warn("For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but received "
                          f"{type(result)}", stacklevel=6)
        single = not isinstance(result, tuple)
        results = (result,) if single else result
        places = [k for k, r in enumerate(results) if isinstance(r, Tensor)]
        if not autograd.is_grad_enabled() or not any(results[k].requires_grad for k in places):
            return result
        passed = BackwardHookFunction.apply(*[results[k] for k in places])
        node = next(t.grad_fn for t in passed if t.grad_fn is not None)
        node.register_prehook(lambda grads: self.outputs_ready(grads, places, len(results)))
        changed = list(results)
        for k, t in zip(places, passed):
            changed[k] = t
        return changed[0] if single else type(result)(*changed) if hasattr(result, "_fields") else tuple(changed)

    def outputs_ready(self, grads: tuple[Any, ...], places: list[int], count: int) -> Any:
        self.grad_outputs = _scatter_values(grads, places, count)
        for hook in self.pre_hooks:
            new = hook.function(self.module, self.grad_outputs)
            if new is not None:
                new = new if isinstance(new, tuple) else (new,)
                if len(new) != count:
                    raise GraphError(f"Backward pre hook returned an invalid number of grad_output, got {len(new)}, but expected "
                                     f"{count}")
                self.grad_outputs = new
        if self.inputs_at is None:  # nothing will flow into the inputs, so this is when the hooks are due
            for hook in self.hooks:
                new = hook.function(self.module, (None,) * self.input_count, self.grad_outputs)
                if new is not None and any(g is not None for g in new):
                    raise GraphError("Backward hook for Modules where no input requires gradient should always return None or "
                                     "None for all gradients.")
        return tuple(self.grad_outputs[k] for k in places)

    def inputs_ready(self, grads: tuple[Any, ...]) -> Any:
        if self.grad_outputs is None:  # the backward pass did not go through the outputs
            return None
        assert self.inputs_at is not None
        grad_inputs: tuple[Any, ...] = _scatter_values(grads, self.inputs_at, self.input_count)
        for hook in self.hooks:
            new = hook.function(self.module, grad_inputs, self.grad_outputs)
            if new is not None:
                new = new if isinstance(new, tuple) else (new,)
                if len(new) != len(grad_inputs):
                    raise GraphError(f"Backward hook returned an invalid number of grad_input, got {len(new)}, but expected "
                                     f"{len(grad_inputs)}")
                grad_inputs = new
        self.grad_outputs = None
        return tuple(grad_inputs[k] for k in self.inputs_at)


def _scatter_values(values: Any, places: list[int], count: int) -> tuple[Any, ...]:
    """A tuple of `count` elements with `values` at `places` and None elsewhere."""
    filled = [None] * count
    for k, v in zip(places, values):
        filled[k] = v
    return tuple(filled)


# ---------------------------------------------------------------------------------------------------- hooks for all modules

def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """A forward pre-hook of every module; see :meth:`Module.register_forward_pre_hook`."""
    return RemovableHandle(_global_forward_pre_hooks, hook)


def register_module_forward_hook(hook: Callable[..., Any], *, with_kwargs: bool = False,
                                 always_call: bool = False) -> RemovableHandle:
    """A forward hook of every module; see :meth:`Module.register_forward_hook`."""
    marks = [_global_forward_hooks_with_kwargs] * with_kwargs + [_global_forward_hooks_always_called] * always_call
    return RemovableHandle(_global_forward_hooks, hook, marks=marks)


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """A backward pre-hook of every module; see :meth:`Module.register_full_backward_pre_hook`."""
    return RemovableHandle(_global_backward_pre_hooks, Hook(hook))


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """A backward hook of every module; see :meth:`Module.register_full_backward_hook`."""
    return RemovableHandle(_global_backward_hooks, Hook(hook))


def register_module_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """PyTorch's deprecated hook on the last operation of every module's forward; use
    :func:`register_module_full_backward_hook`."""
    return RemovableHandle(_global_backward_hooks, Hook(hook, legacy=True))


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, buffer)`` whenever a buffer is registered; what it returns, unless None, takes its place."""
    return RemovableHandle(_global_buffer_registration_hooks, hook)


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, parameter)`` whenever a parameter is registered; its result may take its place."""
    return RemovableHandle(_global_parameter_registration_hooks, hook)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, submodule)`` whenever a submodule is registered; its result may take its place."""
    return RemovableHandle(_global_module_registration_hooks, hook)


def _run_registration_hooks(hooks: dict[int, Callable[..., Any]], module: Module, name: str, value: Any) -> Any:
    for hook in hooks.values():
        new = hook(module, name, value)
        value = value if new is None else new
    return value
