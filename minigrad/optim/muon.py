"""Muon: momentum whose update is made nearly orthogonal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.errors import DtypeError, InvalidValueError
from minigrad.optim.optimizer import Optimizer, number
from minigrad.optim.state import zeros_like

if TYPE_CHECKING:
    from minigrad._tensor import Tensor
    from minigrad._types.annotations import Parameters

__all__ = ["Muon"]


def orthogonalize(g: Any, coefficients: tuple[float, float, float], steps: int, eps: float) -> Any:
    """A matrix with the singular vectors of `g` and singular values near 1, by the quintic Newton-Schulz iteration.

    PyTorch iterates in bfloat16; here it is float32.
    """
    if steps >= 100:
        raise InvalidValueError("Number of steps must be less than 100 for computational efficiency")
    if len(coefficients) != 3:
        raise InvalidValueError("Coefficients must be a tuple of exactly 3 values")
    a, b, c = coefficients
    x = g.astype(np.float32)
    x = x.T if g.shape[0] > g.shape[1] else x
    x = x / max(float(np.linalg.norm(x)), eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return (x.T if g.shape[0] > g.shape[1] else x).astype(g.dtype)


class Muon(Optimizer):
    """Momentum with orthogonalized updates, for the matrices of hidden layers (Jordan et al. 2024).

    ``buf = momentum buf + (1 - momentum) g``; the update is made orthogonal, scaled by
    ``sqrt(max(1, rows / columns))`` or as `adjust_lr_fn` says, and weight decay is taken from the parameter.
    Raises ``ValueError`` for parameters that are not matrices.
    """

    def __init__(self, params: Parameters, lr: float | Tensor = 1e-3, weight_decay: float = 0.1, momentum: float = 0.95,
                 nesterov: bool = True, ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
                 eps: float = 1e-7, ns_steps: int = 5, adjust_lr_fn: str | None = None) -> None:
        for what, value in (("Learning rate", number(lr)), ("momentum", momentum), ("weight decay", weight_decay)):
            if value < 0:
                raise InvalidValueError(f"{what} should be >= 0 but is: {value}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise InvalidValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        super().__init__(params, {
            "lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov,
            "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps, "adjust_lr_fn": adjust_lr_fn})

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        super().add_param_group(param_group)
        for p in param_group["params"]:
            if p.ndim != 2:
                raise InvalidValueError(f"Muon only supports 2D parameters whereas we found a parameter with size: {p.shape}")

    def update(self, p: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        x = p.array
        if x.dtype.kind == "c":
            raise DtypeError("Muon does not support complex parameters")
        if not state:
            state["momentum_buffer"] = zeros_like(p)
        lr, momentum, buf = number(group["lr"]), group["momentum"], state["momentum_buffer"].array
        buf += (grad - buf) * (1 - momentum)
        change = orthogonalize(grad + (buf - grad) * momentum if group["nesterov"] else buf, group["ns_coefficients"],
                               group["ns_steps"], group["eps"])
        rows, columns = x.shape
        scale = math.sqrt(max(1, rows / columns))
        if group["adjust_lr_fn"] == "match_rms_adamw":
            scale = 0.2 * math.sqrt(max(rows, columns))
        x *= 1 - lr * group["weight_decay"]
        x -= change * (lr * scale)
