"""The base of optimizers: groups of parameters with their settings, the state of each parameter, the step, the hooks.

An optimizer defines how one parameter moves, on raw arrays and in place. NumPy fuses nothing, so a formula runs over large
arrays in blocks that stay in the processor's cache (:func:`blocks`).
"""

from __future__ import annotations

import functools
import warnings
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Callable, Self, TypeVar, overload

import numpy as np

from minigrad import _arrays, autograd
from minigrad._tensor import Tensor
from minigrad._types import dtypes
from minigrad.autograd.hooks import ACCUMULATION
from minigrad.errors import ArgumentError, DeviceError, InvalidValueError, RuntimeValueError
from minigrad.optim.blocks import Bundle, Parts, bundled, same
from minigrad.optim.state import NUMBERS, tensor_of
from minigrad.recording.call import narrowed, widened
from minigrad.recording.clock import ledger
from minigrad.recording.device_guard import guard_device
from minigrad.recording.graph import RemovableHandle
from minigrad.recording.hints import hint
from minigrad.recording.inplace import refuse_read_only, write_each
from minigrad.recording.quiet import run_quietly
from minigrad.recording.watching import watched

if TYPE_CHECKING:
    from minigrad._types.annotations import Parameters

__all__ = ["Optimizer", "register_optimizer_step_post_hook", "register_optimizer_step_pre_hook"]

R = TypeVar("R")
_everywhere_pre: dict[int, Any] = {}
_everywhere_post: dict[int, Any] = {}


class Required:
    """Stands for the value of a setting that every parameter group must give itself."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = Required()


def number(x: Any) -> float:
    """A setting that is a number or a tensor of one element, as a Python number. Raises ``ValueError`` for another tensor."""
    if x.__class__ is float:
        return x
    if isinstance(x, Tensor) and x.numel() != 1:
        raise InvalidValueError(f"a setting is one number (Tensor lr must be 1-element), but got shape {list(x.shape)}")
    return float(x)


def scalar(x: Any, like: Any) -> Any:
    """A number in the dtype of `like`: NumPy multiplies an array by that in half the time it takes for a Python number."""
    return np.array(x, like.dtype) if like.__class__ is np.ndarray else x


def refuse_read_only_parameters(name: str, params: list[Any]) -> None:
    """Raise, after a step that failed, if one of the parameters lies in memory that must not be written."""
    for k, p in enumerate(params):
        if p._grad is not None:
            refuse_read_only(p.array, f"{name}: parameter {k} of shape {list(p.shape)}")


def in_float32(update: Callable[..., None]) -> Callable[..., None]:
    """`update`, of :class:`Optimizer`, for a parameter of bfloat16: it moves the parameter and its state in float32, which are
    rounded then."""
    def move(p: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        dtype, wide = p.array.dtype, tensor_of(widened(p.array))
        for t in state.values():
            if isinstance(t, Tensor):
                t.array = widened(t.array)
        update(wide, widened(grad), state, group)
        p.array[...] = wide.array
        for key, t in state.items():
            if isinstance(t, Tensor) and key not in NUMBERS:
                t.array = narrowed(t.array, dtype)
    return move


def check(ok: bool, what: str, value: Any) -> None:
    """Raise PyTorch's ``ValueError`` for a setting out of range."""
    if not ok:
        raise InvalidValueError(f"Invalid {what}: {value}")


def with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """The ``step`` of a subclass, with the hooks around it."""
    @functools.wraps(step)
    def wrapper(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        for hook in [*_everywhere_pre.values(), *self._optimizer_step_pre_hooks.values()]:
            new = hook(self, args, kwargs)
            if new is not None:
                if not (isinstance(new, tuple) and len(new) == 2):
                    raise RuntimeValueError(f"{type(self).__name__}.step must return None or a tuple of (new_args, new_kwargs), "
                                            f"but got {new}.")
                args, kwargs = new
        self._stepped = True
        result = step(self, *args, **kwargs)
        for hook in [*self._optimizer_step_post_hooks.values(), *_everywhere_post.values()]:
            hook(self, args, kwargs)
        return result
    return wrapper


WATCHED_STEPS = 5


class Optimizer:
    """Base of all optimizers.

    To write one: call ``super().__init__(params, defaults)`` and define either :meth:`step`, or :meth:`update`, which
    moves one parameter.

    Args:
        params: tensors, pairs of a name and a tensor, or dictionaries ``{"params": ..., "lr": ...}`` that make groups.
        defaults: the settings of a group that does not give its own.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        optimizer = super().__new__(cls)
        optimizer._set_hooks()  # here, because optimizers around another one do not call __init__
        return optimizer

    def __init__(self, params: Parameters, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        if isinstance(params, Tensor) or not hasattr(params, "__iter__"):
            right = "model.parameters()" if hasattr(params, "parameters") else "a list: [tensor]"
            raise ArgumentError("params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                                f"{type(params).__name__}; pass {right}")
        self.state: dict[Any, Any] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        groups: list[Any] = list(params)
        if not groups:
            raise InvalidValueError("optimizer got an empty parameter list: model.parameters() of a model without parameters, or "
                                    "an iterator that was used up before")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = watched(with_hooks(cls.__dict__["step"]))  # type: ignore[method-assign]

    def _set_hooks(self) -> None:
        self._bundles: dict[int, tuple[list[Any], list[Bundle], list[Any]]] = {}  # of each group: what moved last time, and how
        self._stepped = False  # for the schedulers, which warn if they come first
        self._warned = False
        self._watched = 0  # steps in which a forgotten zero_grad() was looked for
        self._seen_grad: tuple[Any, int] | None = None
        self._optimizer_step_pre_hooks: dict[int, Any] = {}
        self._optimizer_step_post_hooks: dict[int, Any] = {}
        self._optimizer_state_dict_pre_hooks: dict[int, Any] = {}
        self._optimizer_state_dict_post_hooks: dict[int, Any] = {}
        self._optimizer_load_state_dict_pre_hooks: dict[int, Any] = {}
        self._optimizer_load_state_dict_post_hooks: dict[int, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._bundles.clear()

    def __repr__(self) -> str:
        lines = [type(self).__name__ + " ("]
        for k, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {k}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
            lines.append("")
        return "\n".join(lines[:-1]) + "\n)"

    # ------------------------------------------------------------------------------------------------ groups

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters to be moved from now on, with settings of their own: ``{"params": ..., "lr": ...}``.

        Raises ``TypeError`` for what is not a tensor, ``ValueError`` for a non-leaf or for one that is in another group.
        """
        if not isinstance(param_group, dict):
            raise ArgumentError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, set):
            raise ArgumentError("optimizer parameters need to be organized in ordered collections, but the ordering of tensors "
                                "in sets will change between runs. Please use a list instead.")
        params = [params] if isinstance(params, Tensor) else list(params)
        if any(isinstance(p, tuple) for p in params):
            if not all(isinstance(p, tuple) for p in params):
                raise InvalidValueError("all optimizer params should be with/without names. Some param names are missing")
            param_group["param_names"] = [name for name, _ in params]
            params = [p for _, p in params]
        param_group["params"] = params
        for p in params:
            if not isinstance(p, Tensor):
                raise ArgumentError(f"optimizer can only optimize Tensors, but one of the params is {type(p).__name__}")
            if not (p.is_leaf or p.retains_grad or self.defaults.get("differentiable")):
                raise InvalidValueError("can't optimize a non-leaf Tensor: it was computed from others, and its gradient is not "
                                        "kept; pass those, or a detached copy with requires_grad=True")
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise InvalidValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            param_group.setdefault(name, default)
        if len(params) != len(set(params)):
            warnings.warn("optimizer contains a parameter group with duplicate parameters; in future, this will cause an error",
                          stacklevel=3)
        if self.param_groups and ("param_names" in param_group) != ("param_names" in self.param_groups[0]):
            known = "param_names" in self.param_groups[0]
            raise InvalidValueError(f"all optimizer param groups should be with/without names. cannot add param group with"
                                    f"{'out' if known else ''} names to the optimizer")
        taken = {p for group in self.param_groups for p in group["params"]}
        if not taken.isdisjoint(params):
            raise InvalidValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(param_group)

    @watched
    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or with ``set_to_none=False`` set them to zero."""
        kept = []
        for group in self.param_groups:
            for p in group["params"]:
                grad = p._grad
                if grad is not None:
                    if set_to_none:
                        p._grad = None
                    else:
                        p._grad = grad = grad if grad.node is None else grad.detach()
                        kept.append(grad.array)
        if kept:
            write_each(kept, lambda grad: grad.fill(0), "zero_grad(set_to_none=False)")

    # ------------------------------------------------------------------------------------------------ the step

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], R]) -> R: ...
    @watched
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient.

        Args:
            closure: computes the loss anew, with its gradients; it is called first, and its result returned.
        """
        if self._optimizer_step_pre_hooks or self._optimizer_step_post_hooks or _everywhere_pre or _everywhere_post:
            return with_hooks(Optimizer._step)(self, closure)
        self._stepped = True
        return self._step(closure)

    def _device_mismatch(self, group: dict[str, Any]) -> DeviceError | None:
        """The error of a parameter whose gradient or state is on another device, or None."""
        for k, p in enumerate(group["params"]):
            found = f"{type(self).__name__}.step: expected all tensors on the same device, but parameter {k} is on {p.device} and"
            if p._grad is not None and p._grad.device != p.device:
                return DeviceError(f"{found} its gradient is on {p._grad.device}; move parameters by module.to('{p.device}'), "
                                   "which moves their gradients too, or call zero_grad() after moving them")
            for name, value in self.state.get(p, {}).items():
                if isinstance(value, Tensor) and name not in NUMBERS and value.device != p.device:
                    return DeviceError(f"{found} its state {name!r} is on {value.device}; move the module before making the "
                                       "optimizer, or optimizer.load_state_dict(optimizer.state_dict()) moves the state")
        return None

    def _step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None
        if closure is not None:
            with autograd.enable_grad():
                loss = closure()
        moved: list[Any] = []
        for group in self.param_groups:
            try:
                run_quietly(self.update_group, group, moved)
            except (TypeError, ValueError) as error:
                refuse_read_only_parameters(f"{type(self).__name__}.step", group["params"])
                raise self._device_mismatch(group) or error from None
        if moved:
            ledger.record_all(moved, type(self).__name__ + ".step")
            if self._watched < WATCHED_STEPS:
                self._watch_zeroing()
        elif not self._warned:
            self._warned = True
            hint(f"{type(self).__name__}.step(): no parameter has a gradient, so nothing moves. Call loss.backward() before "
                 "step(), and check that the loss depends on these parameters (not on copies) and that they require grad.")
        return loss

    def _watch_zeroing(self) -> None:
        """In the first few steps: hint, once, if the gradients of this step were added to those of the step before."""
        self._watched += 1
        grad = next(p._grad for group in self.param_groups for p in group["params"] if p._grad is not None)
        write = ledger.find(grad.array)
        before, self._seen_grad = self._seen_grad, (grad, write.count if write is not None else 0)
        if self._watched == WATCHED_STEPS:
            self._seen_grad = None  # which would keep a gradient in memory
        if write is not None and before is not None and before[0] is grad and write.op_name == ACCUMULATION and \
                write.run >= write.count - before[1] > 0:
            self._watched, self._seen_grad = WATCHED_STEPS, None
            hint(f"{type(self).__name__}.step(): these gradients were added to those of the previous step, because "
                 f"zero_grad() was not called in between. Call optimizer.zero_grad() before loss.backward().")

    def update_group(self, group: dict[str, Any], moved: list[Any]) -> None:
        """Move the parameters of one group and put the arrays that were written into `moved`."""
        update = guard_device(self.update)
        params = [p for p in group["params"] if p._grad is not None]
        self._together: dict[Any, Any] = {}
        try:
            for p in self.move_bundles(update, params, group) if hasattr(self.update, "elementwise") else params:
                move = in_float32(update) if dtypes.is_bfloat16(p.array.dtype) else update
                move(p, p._grad.array, self.state_of(p, group), group)
            moved += [p.array for p in params]
        finally:
            together = self.__dict__.pop("_together")
            for (device, _, rule, factors), tensors in together.items():
                with _arrays.on_device(device):
                    _arrays.kernels_of(tensors[0][0]).move(rule, tensors, factors)

    def move_bundles(self, update: Callable[..., None], params: list[Any], group: dict[str, Any]) -> list[Any]:
        """Move those of `params`, of one group and with gradients, that move together; return the others."""
        known, bundles, others = self._bundles.get(id(group), ([], [], []))
        states = [[self.state_of(p, group) for p in bundle.params] for bundle in bundles]
        if not same(known, params) or not all([bundle.fits(found) for bundle, found in zip(bundles, states)]):
            bundles = bundled(params, [self.state_of(p, group) for p in params])
            states = [[self.state_of(p, group) for p in bundle.params] for bundle in bundles]
            within = {p for bundle in bundles for p in bundle.params}
            others = [p for p in params if p not in within]
            self._bundles[id(group)] = params, bundles, others
        for bundle, found in zip(bundles, states):
            if not bundle.move(update, found, group):
                others = [*others, *bundle.params]
        return others

    def state_of(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        """What `p` carries from step to step."""
        state: dict[str, Any] = self.state[p]
        return state

    def left_to_kernel(self, rule: str, p: Any, grad: Any, state: tuple[Any, ...], factors: tuple[float, ...]) -> bool:
        """Whether a kernel moves `p` and the arrays `state`: that of the host at once, that of a GPU when all parameters of the
        group have been looked at.

        `factors` are the numbers of its `rule`; on a GPU what has the same ones goes together.
        """
        if p.__class__ is Parts:
            return p.bundle.left_to_kernel(rule, grad, state, factors)
        kernels = _arrays.kernels_of(p)
        if not kernels.moves(rule, p, grad, *state):
            return False
        factors = tuple([float(f) for f in factors])
        if p.__class__ is np.ndarray:
            kernels.move(rule, [(p, *state, grad)], factors)
            return True
        key = _arrays.device_of(p), p.dtype, rule, factors
        self._together.setdefault(key, []).append((p, *state, grad))
        return True

    def update(self, p: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """Move one parameter.

        Args:
            p: the parameter; ``p.array`` is written in place.
            grad: its gradient, an array that must not be written.
            state: what this parameter carries from step to step; empty at the first.
            group: the settings.
        """
        raise NotImplementedError(f"{type(self).__name__} defines neither step() nor update()")

    # ------------------------------------------------------------------------------------------------ state dictionaries

    def state_dict(self) -> dict[str, Any]:
        """``{"state": ..., "param_groups": ...}``, with parameters named by their number, in the order of the groups."""
        for hook in list(self._optimizer_state_dict_pre_hooks.values()):
            hook(self)
        numbers: dict[Any, int] = {}
        groups = []
        for group in self.param_groups:
            for p in group["params"]:
                numbers.setdefault(p, len(numbers))
            packed = {key: value for key, value in group.items() if key != "params"}
            groups.append({**packed, "params": [numbers[p] for p in group["params"]]})
        state = {numbers[p] if isinstance(p, Tensor) else p: value for p, value in self.state.items()}
        result: dict[str, Any] = {"state": state, "param_groups": groups}
        for hook in list(self._optimizer_state_dict_post_hooks.values()):
            new = hook(self, result)
            result = result if new is None else new
        return result

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over settings and state from `state_dict`, as :meth:`state_dict` made it; tensors are copied.

        Raises ``ValueError`` if the groups differ in number or size.
        """
        state_dict = dict(state_dict)
        for hook in list(self._optimizer_load_state_dict_pre_hooks.values()):
            new = hook(self, state_dict)
            state_dict = state_dict if new is None else new
        saved = state_dict["param_groups"]
        if len(saved) != len(self.param_groups):
            raise InvalidValueError("loaded state dict has a different number of parameter groups")
        if any(len(theirs["params"]) != len(ours["params"]) for theirs, ours in zip(saved, self.param_groups)):
            raise InvalidValueError("loaded state dict contains a parameter group that doesn't match the size of optimizer's "
                                    "group")
        params = {number: p for theirs, ours in zip(saved, self.param_groups)
                  for number, p in zip(theirs["params"], ours["params"])}
        state: dict[Any, Any] = defaultdict(dict)
        for key, value in state_dict["state"].items():
            state[params.get(key, key)] = _copy_state(value, params.get(key))
        groups = []
        for theirs, ours in zip(saved, self.param_groups):
            group = {**self.defaults, **theirs, "params": ours["params"]}  # an older version knew fewer settings
            if "param_names" in ours:  # these are the parameters, whatever they were called where the state was saved
                group["param_names"] = ours["param_names"]
            groups.append(group)
        self.__setstate__({"state": state, "param_groups": groups})
        for hook in list(self._optimizer_load_state_dict_post_hooks.values()):
            hook(self)

    # ------------------------------------------------------------------------------------------------ hooks

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step; it may return other ``(args, kwargs)``."""
        return RemovableHandle(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return RemovableHandle(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` before :meth:`state_dict`."""
        return RemovableHandle(self._optimizer_state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` after :meth:`state_dict`; what it returns, unless None, is returned instead."""
        return RemovableHandle(self._optimizer_state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` before :meth:`load_state_dict`; what it returns, unless None, is loaded
        instead."""
        return RemovableHandle(self._optimizer_load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` after :meth:`load_state_dict`."""
        return RemovableHandle(self._optimizer_load_state_dict_post_hooks, hook, prepend)


def _copy_state(value: Any, p: Any, key: str | None = None) -> Any:
    """A copy of the saved state `value` for `p`: tensors are on its device and, except the step count, in its dtype."""
    if isinstance(value, Tensor):
        value = value.detach()
        if p is None or key == "step":
            return value.clone()
        return value.to(p.device, p.dtype if p.dtype.kind in "fc" else None, copy=True)
    if isinstance(value, dict):
        return {k: _copy_state(v, p, k) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_copy_state(v, p) for v in value)
    return value


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """A step pre-hook of every optimizer; see :meth:`Optimizer.register_step_pre_hook`."""
    return RemovableHandle(_everywhere_pre, hook)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """A step post-hook of every optimizer; see :meth:`Optimizer.register_step_post_hook`."""
    return RemovableHandle(_everywhere_post, hook)
