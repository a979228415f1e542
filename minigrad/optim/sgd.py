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
        params = [p for p in group["params"] if p._grad is not None]
        if group["momentum"] or group["weight_decay"] or group["maximize"] or \
                not all([p.array.__class__ is np.ndarray for p in params]):
            super().update_group(group, moved)
            return
        lr, dtype = number(group["lr"]), None
        rate: Any = None
        for p in params:
            x = p.array
            if is_bfloat16(x.dtype):
                in_float32(self.update)(p, p._grad.array, {}, group)
            elif x.size > BLOCK:
                self.update(p, p._grad.array, {}, group)
            else:  # two calls of NumPy's, which take no longer than looking for what else there is to do
                if x.dtype is not dtype:
                    rate, dtype = scalar(lr, x), x.dtype
                np.subtract(x, p._grad.array * rate, x)
        moved += [p.array for p in params]

    def state_of(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        return super().state_of(p, group) if group["momentum"] else {}

    @elementwise
    def update(self, p: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        momentum, buffers = number(group["momentum"]), []
        keep, take = momentum, 1.0 - group["dampening"]
        if momentum:
            if state.get("momentum_buffer") is None:
                state["momentum_buffer"] = zeros_like(p)
                keep, take = 0.0, 1.0
            buffers = [state["momentum_buffer"].array]
        factors = number(group["lr"]), number(group["weight_decay"]), -1.0 if group["maximize"] else 1.0
        if self.left_to_kernel("momentum", p.array, grad, (*buffers,), (*factors, keep, take, momentum, group["nesterov"])) \
                if momentum else self.left_to_kernel("sgd", p.array, grad, (), factors):
            return
        rate, decay, _, kept, taken, ahead = [scalar(x, p.array.real) for x in (*factors, keep, take, momentum)]
        for x, g, *buf in blocks(p.array, grad, *buffers):
            if group["maximize"]:
                g = -g
            if group["weight_decay"]:
                g = g + decay * x
            for b in buf:
                b *= kept
                b += g if take == 1 else taken * g
                g = g + ahead * b if group["nesterov"] else b
            x -= rate * g
