"""PyTorch's ``amp``, for programs written with it: the scaling of gradients is there, lower precision is not.

NumPy computes float16 and bfloat16 by way of float32, more slowly than float32 itself. So :class:`autocast` leaves every
operation in the dtypes it is given, and says so once where it is asked for another. A model is in bfloat16 where it is put there,
by ``model.bfloat16()``. :class:`GradScaler` does what PyTorch's does, on any device.
"""

from __future__ import annotations

import functools
import math
from typing import Any, Callable

import numpy as np

from minigrad import _arrays, _paths
from minigrad._types import dtypes
from minigrad._types.device import Device
from minigrad._types.tensor_base import TensorBase
from minigrad.errors import DeviceError, InvalidValueError, RuntimeValueError, StateError
from minigrad.recording import hints, watching
from minigrad.recording.hints import get_hints
from minigrad.recording.inplace import write_each

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available", "is_autocast_enabled"]


def __getattr__(name: str) -> Any:
    return _paths.submodule(__name__, name)


READY, UNSCALED, STEPPED = "ready", "unscaled", "stepped"


# ---------------------------------------------------------------------------------------------------- autocast

class autocast:
    """A block, or as a decorator a function, in which operations keep the dtypes of their operands.

    PyTorch computes products and convolutions inside it in `dtype`. Here it is as with ``enabled=False``, which is what PyTorch
    does too where it cannot; a hint says so, once, unless `dtype` is float32 or wider.

    >>> import minigrad as mg
    >>> with mg.autocast("cpu", dtype=mg.float32):
    ...     (mg.ones(2, 2) @ mg.ones(2, 2)).dtype
    minigrad.float32
    """

    told = False

    def __init__(self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None) -> None:
        if not isinstance(device_type, str):
            raise InvalidValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        self.device = Device(device_type).type
        if self.device != "cuda":
            _arrays.library_on(Device(self.device))  # raises for a kind of device that there is not
        elif enabled and not has_device(self.device):
            enabled = False
            self.hint("User provided device_type of 'cuda', but CUDA is not available. Disabling")
        if enabled and (dtype is None or dtypes.as_dtype(dtype).itemsize < 4):
            self.hint(f"autocast({device_type!r}): operations keep the dtypes of their operands here, as with enabled=False; "
                      "minigrad does not compute in lower precision by itself")

    def hint(self, message: str) -> None:
        """A hint at the user's line, once: such a block is entered in every step."""
        if get_hints() == "strict" or not autocast.told:
            autocast.told = True
            hints.hint(message)

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return function


def has_device(device_type: str) -> bool:
    try:
        _arrays.library_on(Device(device_type))
    except DeviceError:
        return False
    return True


def is_autocast_available(device_type: str) -> bool:
    """Whether :class:`autocast` lowers the precision on such a device: always False."""
    return False


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Whether operations are computed in lower precision now: always False."""
    return False


def custom_fwd(fwd: Any = None, *, device_type: str, cast_inputs: Any = None) -> Any:
    """Decorator of a ``Function``'s ``forward``; `cast_inputs` counts inside of :class:`autocast` only, so it changes nothing."""
    return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs) if fwd is None else fwd


def custom_bwd(bwd: Any = None, *, device_type: str) -> Any:
    """Decorator of a ``Function``'s ``backward``, which runs as the forward did: it changes nothing."""
    return functools.partial(custom_bwd, device_type=device_type) if bwd is None else bwd


# ---------------------------------------------------------------------------------------------------- scaling

def all_finite(x: Any) -> bool:
    """Whether no element of `x` is infinite or not a number."""
    # The sum of squares is quicker to find; where it is finite, all are.
    quick = x.__class__ is np.ndarray and x.dtype.char in "fd" and math.isfinite(np.dot(x.ravel(), x.ravel()))
    return quick or bool(np.isfinite(x).all())


class GradScaler:
    """Scales a loss up before the backward pass, so that small gradients in narrow dtypes are not rounded to 0, and gradients
    down again before the step; skips a step whose gradients are not finite, and scales less from then on.

    Args:
        device: PyTorch's default, ``"cuda"``, is disabled where there is none, with a hint; ``"cpu"`` scales everywhere.
        init_scale: the factor to begin with.
        growth_factor: what it is multiplied by after `growth_interval` steps in a row with finite gradients.
        backoff_factor: what it is multiplied by after a step that was skipped.
        enabled: False for an object that hands everything through.

    >>> import minigrad as mg
    >>> weight = mg.ones(1, requires_grad=True)
    >>> optimizer, scaler = mg.optim.SGD([weight], lr=0.5), mg.amp.GradScaler("cpu")
    >>> scaler.scale((weight * weight).sum()).backward()
    >>> scaler.step(optimizer)
    >>> scaler.update()
    >>> weight.item(), scaler.get_scale()
    (0.0, 65536.0)
    """

    def __init__(self, device: str = "cuda", init_scale: float = 2.0**16, growth_factor: float = 2.0, backoff_factor: float = 0.5,
                 growth_interval: int = 2000, enabled: bool = True) -> None:
        if enabled and device == "cuda" and not has_device(device):
            hints.hint("GradScaler is enabled, but CUDA is not available. Disabling: GradScaler('cpu') scales without it.")
            enabled = False
        assert growth_factor > 1, f"The growth factor must be > 1.0, not {growth_factor}"
        assert backoff_factor < 1, f"The backoff factor must be < 1.0, not {backoff_factor}"
        self._enabled, self._device, self._scale = enabled, device, float(init_scale)
        self._growth_factor, self._backoff_factor, self._growth_interval = growth_factor, backoff_factor, growth_interval
        self._growth_tracker, self._used = 0, False
        self._stages: dict[int, str] = {}  # by the identity of the optimizer, since the last update
        self._finite: dict[int, bool] = {}

    def is_enabled(self) -> bool:
        """Whether it scales at all."""
        return self._enabled

    def scale(self, outputs: Any) -> Any:
        """`outputs`, a tensor or tuples, lists and other iterables of tensors, times the factor."""
        if not self._enabled:
            return outputs
        self._used = True
        if watching.count and isinstance(outputs, TensorBase):
            watching.show_read(outputs.array)  # the factor, and whether there is a step, go by the values
        if isinstance(outputs, TensorBase):
            return outputs * self._scale  # type: ignore[operator]
        if not hasattr(outputs, "__iter__"):
            raise InvalidValueError(f"scale: outputs must be a Tensor or an iterable of Tensors, not {type(outputs).__name__}")
        return type(outputs)(map(self.scale, outputs)) if isinstance(outputs, (tuple, list)) else map(self.scale, outputs)

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients of `optimizer` by the factor now, to clip them before :meth:`step`, which then does not.

        Raises ``RuntimeError`` a second time before :meth:`update`, ``ValueError`` for gradients of float16.
        """
        if not self._enabled:
            return
        self._check_used("unscale_")
        stage = self._stages.get(id(optimizer), READY)
        if stage != READY:
            raise StateError("unscale_() has already been called on this optimizer since the last update()." if stage == UNSCALED
                             else "unscale_() is being called after step().")
        grads = [p.grad.array for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        if any([g.dtype == np.float16 for g in grads]):
            raise InvalidValueError("Attempting to unscale FP16 gradients: keep float32 parameters, and convert in the forward")
        factor, finite = 1 / self._scale, []

        def unscale(g: Any) -> None:
            np.multiply(g, factor, out=g)
            finite.append(all_finite(g))
        if grads:
            write_each(grads, unscale, "GradScaler.unscale_")
            self._finite[id(optimizer)] = all(finite)
        self._stages[id(optimizer)] = UNSCALED

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """``optimizer.step(*args, **kwargs)``, of unscaled gradients; nothing, and None, where one of these is not finite."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs or args:
            raise StateError("Closure use is not currently supported if GradScaler is enabled.")
        self._check_used("step")
        stage = self._stages.get(id(optimizer), READY)
        if stage == STEPPED:
            raise StateError("step() has already been called since the last update().")
        if stage == READY:
            self.unscale_(optimizer)
        assert id(optimizer) in self._finite, \
            "No inf checks were recorded for this optimizer: none of its parameters has a gradient"
        self._stages[id(optimizer)] = STEPPED
        return optimizer.step(**kwargs) if self._finite[id(optimizer)] else None

    def update(self, new_scale: Any = None) -> None:
        """At the end of a step: the next factor, by whether the gradients were finite; or `new_scale`, a number or a tensor."""
        if not self._enabled:
            return
        self._check_used("update")
        assert new_scale is not None or self._finite, "No inf checks were recorded prior to update: call step() first"
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not all(self._finite.values()):
            self._scale, self._growth_tracker = self._scale * self._backoff_factor, 0
        else:
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                larger = self._scale * self._growth_factor
                self._scale = larger if math.isfinite(larger) else self._scale
                self._growth_tracker = 0
        self._stages.clear()
        self._finite.clear()

    def _check_used(self, what: str) -> None:
        assert self._used, f"Attempted {what} before scale(): call scaler.scale(loss).backward() in each step"

    def get_scale(self) -> float:
        """The factor; 1 where it is disabled."""
        return self._scale if self._enabled else 1.0

    def get_growth_factor(self) -> float:
        """What the factor is multiplied by after `growth_interval` finite steps."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set what :meth:`get_growth_factor` gives."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """What the factor is multiplied by after a step that was skipped."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set what :meth:`get_backoff_factor` gives."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """How many finite steps in a row make the factor grow."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set what :meth:`get_growth_interval` gives."""
        self._growth_interval = new_interval

    def state_dict(self) -> dict[str, Any]:
        """The factor and what it changes by, for a checkpoint; empty where it is disabled."""
        return {"scale": self._scale, "growth_factor": self._growth_factor, "backoff_factor": self._backoff_factor,
                "growth_interval": self._growth_interval, "_growth_tracker": self._growth_tracker} if self._enabled else {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeValueError("The source state dict is empty, possibly because it was saved from a disabled instance of "
                                    "GradScaler.")
        self._scale, self._growth_tracker = float(state_dict["scale"]), state_dict["_growth_tracker"]
        self._growth_factor, self._backoff_factor = state_dict["growth_factor"], state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
