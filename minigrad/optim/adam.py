"""Adam and its relatives: steps scaled by running averages of the gradient and of its square."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.optim.adaptive import decay_and_sign, descent_gradient
from minigrad.optim.blocks import blocks, elementwise
from minigrad.optim.optimizer import Optimizer, check, number, scalar
from minigrad.optim.state import increment_step, new_number, zeros_like

if TYPE_CHECKING:
    from minigrad._tensor import Tensor
    from minigrad._types.annotations import Parameters

__all__ = ["Adam", "AdamW", "Adamax", "NAdam", "RAdam"]


def check_adam(lr: float | Tensor, betas: Any, eps: float, weight_decay: float) -> None:
    """The ranges that Adam and its relatives share."""
    check(number(lr) >= 0, "learning rate", lr)
    check(eps >= 0, "epsilon value", eps)
    check(0 <= number(betas[0]) < 1, "beta parameter at index 0", betas[0])
    check(0 <= number(betas[1]) < 1, "beta parameter at index 1", betas[1])
    check(weight_decay >= 0, "weight_decay value", weight_decay)


def decays(group: dict[str, Any], lr: float) -> tuple[float, float, float]:
    """What of the parameter is added to the gradient, times the last, and what the parameter is multiplied by, for kernels."""
    decay, sign = decay_and_sign(group)
    return (0.0, 1 - lr * decay, sign) if group["decoupled_weight_decay"] else (decay, 1.0, sign)


def apply_weight_decay(x: Any, g: Any, lr: float, group: dict[str, Any]) -> Any:
    """The gradient, negated under ``maximize`` and with the weight decay added. A decoupled decay is taken from `x` itself
    instead."""
    if not group["decoupled_weight_decay"]:
        return descent_gradient(x, g, group)
    if group["weight_decay"]:
        x *= 1 - lr * group["weight_decay"]
    return -g if group["maximize"] else g


class Adam(Optimizer):
    """Adam (Kingma & Ba 2015).

    ``m = beta1 m + (1 - beta1) g``, ``v = beta2 v + (1 - beta2) g**2``, and with both divided by what they lack at step t,
    ``1 - beta**t``: ``p -= lr * m / (sqrt(v) + eps)``. `weight_decay` is added to the gradient or, with
    `decoupled_weight_decay`, taken from the parameter; `amsgrad` uses the largest v so far (Reddi et al. 2018).
    `foreach`, `fused`, `capturable` and `differentiable` are PyTorch's choices of implementation and change nothing here.
    """

    def __init__(self, params: Parameters, lr: float | Tensor = 1e-3, betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0, amsgrad: bool = False, *, foreach: bool | None = None,
                 maximize: bool = False, capturable: bool = False, differentiable: bool = False, fused: bool | None = None,
                 decoupled_weight_decay: bool = False) -> None:
        check_adam(lr, betas, eps, weight_decay)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad, "maximize": maximize,
            "foreach": foreach, "capturable": capturable, "differentiable": differentiable, "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay})

    @elementwise
    def update(self, p: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state.update(step=new_number(), exp_avg=zeros_like(p), exp_avg_sq=zeros_like(p))
            if group["amsgrad"]:
                state["max_exp_avg_sq"] = zeros_like(p)
        beta1, beta2 = number(group["betas"][0]), number(group["betas"][1])
        lr, maximize, amsgrad = number(group["lr"]), group["maximize"], group["amsgrad"]
        step = increment_step(state)
        # lr * (m / c1) / (sqrt(v / c2) + eps) = rate * m / (sqrt(v) + eps * sqrt(c2))
        root = (1 - beta2**step) ** 0.5
        factors = (beta1, 1 - beta1, beta2, (1 - beta2) ** 0.5, lr * root / (1 - beta1**step), group["eps"] * root,
                   *decays(group, lr))
        averages = [state[name].array for name in ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")[:3 if amsgrad else 2]]
        if self.left_to_kernel("amsgrad" if amsgrad else "adam", p.array, grad, (*averages,), factors):
            return
        keep1, take1, keep2, take2, rate, eps, decay, shrink, _ = [scalar(x, p.array.real) for x in factors]
        t: Any = None
        for x, g, m, v, *largest in blocks(p.array, grad, *averages):
            if t is None or t.shape != x.shape:
                t = np.empty_like(x)
            if maximize:
                g = -g
            if shrink != 1:
                x *= shrink
            elif decay != 0:
                g = g + decay * x
            m *= keep1
            m += np.multiply(g, take1, t)
            v *= keep2
            np.multiply(g, take2, t)
            v += np.multiply(t, t, t)
            for top in largest:
                v = np.maximum(top, v, out=top)
            np.sqrt(v, t)
            t += eps
            np.divide(m, t, t)
            t *= rate
            x -= t


class AdamW(Adam):
    """:class:`Adam` whose weight decay is taken from the parameter: ``p *= 1 - lr * weight_decay`` (Loshchilov & Hutter 2019)."""

    def __init__(self, params: Parameters, lr: float | Tensor = 1e-3, betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 1e-2, amsgrad: bool = False, *, maximize: bool = False,
                 foreach: bool | None = None, capturable: bool = False, differentiable: bool = False,
                 fused: bool | None = None) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize, capturable=capturable,
                         differentiable=differentiable, fused=fused, decoupled_weight_decay=True)


class Adamax(Optimizer):
    """Adam with the largest instead of the root mean square gradient: ``u = max(beta2 u, |g| + eps)`` (Kingma & Ba 2015)."""

    def __init__(self, params: Parameters, lr: float | Tensor = 2e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0, foreach: bool | None = None, *, maximize: bool = False,
                 differentiable: bool = False, capturable: bool = False) -> None:
        check_adam(lr, betas, eps, weight_decay)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "capturable": capturable})

    @elementwise
    def update(self, p: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state.update(step=new_number(), exp_avg=zeros_like(p), exp_inf=zeros_like(p))
        beta1, beta2 = group["betas"]
        rate = number(group["lr"]) / (1 - beta1 ** increment_step(state))
        kept = state["exp_avg"].array, state["exp_inf"].array
        if self.left_to_kernel("adamax", p.array, grad, kept, (
                1 - beta1, beta2, rate, group["eps"], *decay_and_sign(group))):
            return
        for x, g, m, u in blocks(p.array, grad, *kept):
            g = descent_gradient(x, g, group)
            m += (g - m) * (1 - beta1)
            u *= beta2
            np.maximum(u, np.abs(g) + group["eps"], out=u)
            x -= rate * m / u


class NAdam(Optimizer):
    """Adam with Nesterov's momentum (Dozat 2016)."""

    def __init__(self, params: Parameters, lr: float | Tensor = 2e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0, momentum_decay: float = 4e-3, decoupled_weight_decay: bool = False,
                 *, foreach: bool | None = None, maximize: bool = False, capturable: bool = False,
                 differentiable: bool = False) -> None:
        check_adam(lr, betas, eps, weight_decay)
        check(momentum_decay >= 0, "momentum_decay value", momentum_decay)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize, "foreach": foreach, "capturable": capturable,
            "differentiable": differentiable})

    @elementwise
    def update(self, p: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state.update(step=new_number(), mu_product=new_number(1.0), exp_avg=zeros_like(p), exp_avg_sq=zeros_like(p))
        beta1, beta2 = group["betas"]
        lr, decay = number(group["lr"]), group["momentum_decay"]
        step = increment_step(state)
        mu = beta1 * (1 - 0.5 * 0.96 ** (step * decay))
        mu_next = beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * decay))
        state["mu_product"].array *= mu
        product = float(state["mu_product"].array)
        rate_g, rate_m = lr * (1 - mu) / (1 - product), lr * mu_next / (1 - product * mu_next)
        averages = state["exp_avg"].array, state["exp_avg_sq"].array
        if self.left_to_kernel("nadam", p.array, grad, averages, (
                1 - beta1, beta2, 1 - beta2, rate_m, rate_g, 1 - beta2**step, group["eps"], *decays(group, lr))):
            return
        for x, g, m, v in blocks(p.array, grad, *averages):
            g = apply_weight_decay(x, g, lr, group)
            m += (g - m) * (1 - beta1)
            v *= beta2
            v += (1 - beta2) * g * g
            x -= (rate_g * g + rate_m * m) / (np.sqrt(v / (1 - beta2**step)) + group["eps"])


class RAdam(Optimizer):
    """Adam that waits with the adaptive step until the variance of v is bounded, and rectifies it then (Liu et al. 2020)."""

    def __init__(self, params: Parameters, lr: float | Tensor = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0, decoupled_weight_decay: bool = False, *, foreach: bool | None = None,
                 maximize: bool = False, capturable: bool = False, differentiable: bool = False) -> None:
        check_adam(lr, betas, eps, weight_decay)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize, "foreach": foreach,
            "capturable": capturable, "decoupled_weight_decay": decoupled_weight_decay, "differentiable": differentiable})

    @elementwise
    def update(self, p: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state.update(step=new_number(), exp_avg=zeros_like(p), exp_avg_sq=zeros_like(p))
        beta1, beta2 = group["betas"]
        lr = number(group["lr"])
        step = increment_step(state)
        correction2 = 1 - beta2**step
        longest = 2 / (1 - beta2) - 1  # the length of the average of v in the limit, and now
        length = longest - 2 * step * beta2**step / correction2
        rate = lr / (1 - beta1**step)
        if length > 5:
            rate *= (correction2 * (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)) ** 0.5
        averages = state["exp_avg"].array, state["exp_avg_sq"].array
        if self.left_to_kernel("radam", p.array, grad, averages, (
                1 - beta1, beta2, 1 - beta2, rate, length > 5, group["eps"], *decays(group, lr))):
            return
        for x, g, m, v in blocks(p.array, grad, *averages):
            g = apply_weight_decay(x, g, lr, group)
            m += (g - m) * (1 - beta1)
            v *= beta2
            v += (1 - beta2) * g * g
            x -= rate * m / (np.sqrt(v) + group["eps"]) if length > 5 else rate * m
