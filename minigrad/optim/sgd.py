"""Stochastic gradient descent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad._types.dtypes import is_bfloat16
from minigrad.errors import InvalidValueError
from minigrad.optim.blocks import BLOCK, blocks, elementwise
from minigrad.optim.optimizer import Optimizer, check, in_float32, number, scalar
from minigrad.optim.state import zeros_like

if TYPE_CHECKING:
    from minigrad._tensor import Tensor
    from minigrad._types.annotations import Parameters

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum (Polyak) or Nesterov's momentum (Sutskever et al. 2013).

    With g the gradient plus ``weight_decay * p``: ``buf = momentum * buf + (1 - dampening) * g``, and ``p -= lr * buf`` or, with
    `nesterov`, ``p -= lr * (g + momentum * buf)``. `maximize` climbs instead. `foreach`, `fused` and `differentiable` are
    PyTorch's choices of implementation and change nothing here.

    >>> import minigrad as mg
    >>> w = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> opt = mg.optim.SGD([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([0., 0.], requires_grad=True)
    """

    def __init__(self, params: Parameters, lr: float | Tensor = 1e-3, momentum: float = 0, dampening: float = 0,
                 weight_decay: float = 0, nesterov: bool = False, *, maximize: bool = False, foreach: bool | None = None,
                 differentiable: bool = False, fused: bool | None = None) -> None:
        check(number(lr) >= 0, "learning rate", lr)
        check(momentum >= 0, "momentum value", momentum)
        check(number(weight_decay) >= 0, "weight_decay value", weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise InvalidValueError("Nesterov momentum requires a momentum and zero dampening")
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay, "nesterov": nesterov,
            "maximize": maximize, "foreach": foreach, "differentiable": differentiable, "fused": fused})

    def update_group(self, group: dict[str, Any], moved: list[Any]) -> None:
        first = group["params"][0].array.__class__ if group["params"] else np.ndarray
        if group["momentum"] or group["weight_decay"] or group["maximize"] or first is not np.ndarray:
            super().update_group(group, moved)
            return
        lr, dtype = number(group["lr"]), None
        rate: Any = None
        for p in group["params"]:
            grad = p._grad
            if grad is not None:
                x = p.array
                moved.append(x)
                if x.dtype is not dtype:
                    if is_bfloat16(x.dtype):
                        in_float32(self.update)(p, grad.array, {}, group)
                        continue
                    rate, dtype = scalar(lr, x), x.dtype
                if x.size <= BLOCK:
                    np.subtract(x, grad.array * rate, x)
                else:
                    for part, g in blocks(x, grad.array):
                        part -= g * rate

    def state_of(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        return super().state_of(p, group) if group["momentum"] else {}

    @elementwise
    def update(self, p: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        like = p.array.real
        rate, momentum, decay = [scalar(number(group[name]), like) for name in ("lr", "momentum", "weight_decay")]
        keep, take = momentum, scalar(1.0 - group["dampening"], like)
        if not momentum:
            buffer = p.array  # not used
        elif state.get("momentum_buffer") is None:
            state["momentum_buffer"] = zeros_like(p)
            buffer, keep, take = state["momentum_buffer"].array, scalar(0.0, like), scalar(1.0, like)
        else:
            buffer = state["momentum_buffer"].array
        if p.array.__class__ is not np.ndarray:
            factors = (rate, decay, -1 if group["maximize"] else 1)
            if self.left_to_kernel("momentum", p.array, grad, (buffer,), (*factors, keep, take, momentum, group["nesterov"])) \
                    if momentum else self.left_to_kernel("sgd", p.array, grad, (), factors):
                return
        for x, g, buf in blocks(p.array, grad, buffer):
            if group["maximize"]:
                g = -g
            if decay:
                g = g + decay * x
            if momentum:
                buf *= keep
                buf += g if take == 1 else take * g
                g = g + momentum * buf if group["nesterov"] else buf
            x -= rate * g
