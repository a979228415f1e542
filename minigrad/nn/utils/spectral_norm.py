"""Spectral norm as a hook that computes the weight before each call: PyTorch's older form of the parametrization."""

from __future__ import annotations

from typing import Any

from minigrad.errors import InvalidValueError, StateError
from minigrad.nn.parameter import Parameter, is_lazy
from minigrad.nn.utils.parametrizations import _SpectralNorm

__all__ = ["SpectralNorm", "remove_spectral_norm", "spectral_norm"]


class SpectralNorm:
    """The hook of :func:`spectral_norm`; the vectors of the power iteration are buffers of the module."""

    def __init__(self, name: str, norm: _SpectralNorm) -> None:
        self.name, self.norm = name, norm

    def weight(self, module: Any, iterate: bool) -> Any:
        self.norm.training = iterate
        self.norm._u, self.norm._v = getattr(module, self.name + "_u"), getattr(module, self.name + "_v")
        return self.norm(getattr(module, self.name + "_orig"))

    def __call__(self, module: Any, args: Any) -> None:
        setattr(module, self.name, self.weight(module, module.training))


def spectral_norm(module: Any, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
                  dim: int | None = None) -> Any:
    """Divide a weight by its largest singular value, before each call; the parameter becomes ``weight_orig``."""
    if dim is None:
        dim = 1 if type(module).__name__.startswith("ConvTranspose") else 0
    if any(isinstance(h, SpectralNorm) and h.name == name for h in module._forward_pre_hooks.values()):
        raise StateError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
    weight = getattr(module, name)
    if is_lazy(weight):
        raise InvalidValueError("The module passed to `SpectralNorm` can't have uninitialized parameters. Make sure to run the "
                                "dummy forward before applying spectral normalization")
    hook = SpectralNorm(name, _SpectralNorm(weight, n_power_iterations, dim, eps))
    del module._parameters[name]
    module.register_parameter(name + "_orig", weight)
    setattr(module, name, weight.detach())
    module.register_buffer(name + "_u", hook.norm._u)
    module.register_buffer(name + "_v", hook.norm._v)
    module.register_forward_pre_hook(hook)
    return module


def remove_spectral_norm(module: Any, name: str = "weight") -> Any:
    """Make the weight an ordinary parameter again."""
    for key, h in module._forward_pre_hooks.items():
        if isinstance(h, SpectralNorm) and h.name == name:
            value = h.weight(module, False).detach()
            delattr(module, name)
            for part in ("_orig", "_u", "_v"):
                delattr(module, name + part)
            del module._forward_pre_hooks[key]
            module.register_parameter(name, Parameter(value))
            return module
    raise InvalidValueError(f"spectral_norm of '{name}' not found in {module}")
