"""Weight norm as a hook that computes the weight before each call: PyTorch's older form of the parametrization."""

from __future__ import annotations

from typing import Any

from minigrad.errors import InvalidValueError, StateError
from minigrad.nn.parameter import Parameter, is_lazy
from minigrad.nn.utils.parametrizations import norm_except

__all__ = ["WeightNorm", "remove_weight_norm", "weight_norm"]


class WeightNorm:
    """The hook of :func:`weight_norm`."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name, self.dim = name, -1 if dim is None else dim

    def weight(self, module: Any) -> Any:
        g, v = getattr(module, self.name + "_g"), getattr(module, self.name + "_v")
        return v * (g / norm_except(v, self.dim))

    def __call__(self, module: Any, args: Any) -> None:
        setattr(module, self.name, self.weight(module))


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Make a weight the product of its length ``weight_g`` and the direction of ``weight_v``, computed before each call."""
    hook = WeightNorm(name, dim)
    if any(isinstance(h, WeightNorm) and h.name == name for h in module._forward_pre_hooks.values()):
        raise StateError(f"Cannot register two weight_norm hooks on the same parameter {name}")
    weight = getattr(module, name)
    if is_lazy(weight):
        raise InvalidValueError("The module passed to `WeightNorm` can't have uninitialized parameters. Make sure to run the "
                                "dummy forward before applying weight normalization")
    del module._parameters[name]
    module.register_parameter(name + "_g", Parameter(norm_except(weight, hook.dim).detach()))
    module.register_parameter(name + "_v", Parameter(weight.detach()))
    setattr(module, name, hook.weight(module))
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: Any, name: str = "weight") -> Any:
    """Make the weight an ordinary parameter again."""
    for key, h in module._forward_pre_hooks.items():
        if isinstance(h, WeightNorm) and h.name == name:
            value = h.weight(module).detach()
            delattr(module, name)
            del module._parameters[name + "_g"], module._parameters[name + "_v"], module._forward_pre_hooks[key]
            module.register_parameter(name, Parameter(value))
            return module
    raise InvalidValueError(f"weight_norm of '{name}' not found in {module}")
