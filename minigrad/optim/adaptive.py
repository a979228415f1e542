"""Optimizers whose step adapts to each element in other ways than Adam's."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.errors import DtypeError, InvalidValueError
from minigrad.optim.blocks import blocks, elementwise
from minigrad.optim.optimizer import Optimizer, check, number
from minigrad.optim.state import full_like, increment_step, new_number, tensor_of, zeros_like

if TYPE_CHECKING:
    from minigrad._tensor import Tensor
    from minigrad._types.annotations import Parameters

__all__ = ["ASGD", "Adadelta", "Adafactor", "Adagrad", "RMSprop", "Rprop"]


def decay_and_sign(group: dict[str, Any]) -> tuple[float, float]:
    """What of the parameter is added to the gradient, times the second, for kernels."""
    return group["weight_decay"], -1.0 if group["maximize"] else 1.0


def descent_gradient(x: Any, g: Any, group: dict[str, Any]) -> Any:
    """The gradient, negated under ``maximize`` and with the weight decay added."""
    if group["maximize"]:
        g = -g
    return g + group["weight_decay"] * x if group.get("weight_decay") else g


class Adagrad(Optimizer):
    """``sum += g**2``, ``p -= lr / (1 + (t - 1) lr_decay) * g / (sqrt(sum) + eps)`` (Duchi et al. 2011)."""

    def __init__(self, params: Parameters, lr: float | Tensor = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
                 initial_accumulator_value: float = 0, eps: float = 1e-10, foreach: bool | None = None, *, maximize: bool = False,
                 differentiable: bool = False, fused: bool | None = None) -> None:
        check(number(lr) >= 0, "learning rate", lr)
        check(lr_decay >= 0, "lr_decay value", lr_decay)
        check(weight_decay >= 0, "weight_decay value", weight_decay)
        check(initial_accumulator_value >= 0, "initial_accumulator_value value", initial_accumulator_value)
        check(eps >= 0, "epsilon value", eps)
        super().__init__(params, {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "fused": fused})

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        super().add_param_group(param_group)
        start = param_group["initial_accumulator_value"]
        for p in param_group["params"]:  # the state is there from the start, as in PyTorch
            self.state[p] = {"step": new_number(), "sum": full_like(p, start)}

    def share_memory(self) -> None:
        """Move the sums into memory that other processes share."""
        for state in self.state.values():
            state["sum"].share_memory_()

    @elementwise
    def update(self, p: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        rate = number(group["lr"]) / (1 + (increment_step(state) - 1) * group["lr_decay"])
        if self.left_to_kernel("adagrad", p.array, grad, (state["sum"].array,), (rate, group["eps"], *decay_and_sign(group))):
            return
        for x, g, total in blocks(p.array, grad, state["sum"].array):
            g = descent_gradient(x, g, group)
            total += g * g
            x -= rate * g / (np.sqrt(total) + group["eps"])


class RMSprop(Optimizer):
    """``v = alpha v + (1 - alpha) g**2``, ``p -= lr * g / (sqrt(v) + eps)`` (Hinton 2012).

    `centered` takes the square of the average gradient from v (Graves 2013); `momentum` averages the steps.
    """

    def __init__(self, params: Parameters, lr: float | Tensor = 1e-2, alpha: float = 0.99, eps: float = 1e-8,
                 weight_decay: float = 0, momentum: float = 0, centered: bool = False, capturable: bool = False,
                 foreach: bool | None = None, maximize: bool = False, differentiable: bool = False) -> None:
        check(number(lr) >= 0, "learning rate", lr)
        check(eps >= 0, "epsilon value", eps)
        check(momentum >= 0, "momentum value", momentum)
        check(weight_decay >= 0, "weight_decay value", weight_decay)
        check(alpha >= 0, "alpha value", alpha)
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered, "weight_decay": weight_decay,
            "capturable": capturable, "foreach": foreach, "maximize": maximize, "differentiable": differentiable})

    @elementwise
    def update(self, p: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        momentum, centered, alpha, lr = group["momentum"], group["centered"], group["alpha"], number(group["lr"])
        if not state:
            state.update(step=new_number(), square_avg=zeros_like(p))
            if momentum > 0:
                state["momentum_buffer"] = zeros_like(p)
            if centered:
                state["grad_avg"] = zeros_like(p)
        increment_step(state)
        if not momentum > 0 and not centered and self.left_to_kernel("rmsprop", p.array, grad, (state["square_avg"].array,), (
                alpha, 1 - alpha, lr, group["eps"], *decay_and_sign(group))):
            return
        buffer = state["momentum_buffer"].array if momentum > 0 else p.array
        average = state["grad_avg"].array if centered else p.array
        for x, g, v, buf, mean in blocks(p.array, grad, state["square_avg"].array, buffer, average):
            g = descent_gradient(x, g, group)
            v *= alpha
            v += (1 - alpha) * g * g
            if centered:
                mean += (g - mean) * (1 - alpha)
                v = v - mean * mean
            g = g / (np.sqrt(v) + group["eps"])
            if momentum > 0:
                buf *= momentum
                buf += g
                g = buf
            x -= lr * g


class Adadelta(Optimizer):
    """Steps in units of the running root mean square of earlier steps over that of the gradients (Zeiler 2012)."""

    def __init__(self, params: Parameters, lr: float | Tensor = 1.0, rho: float = 0.9, eps: float = 1e-6, weight_decay: float = 0,
                 foreach: bool | None = None, *, capturable: bool = False, maximize: bool = False,
                 differentiable: bool = False) -> None:
        check(number(lr) >= 0, "learning rate", lr)
        check(0 <= rho <= 1, "rho value", rho)
        check(eps >= 0, "epsilon value", eps)
        check(weight_decay >= 0, "weight_decay value", weight_decay)
        super().__init__(params, {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize, "capturable": capturable,
            "foreach": foreach, "differentiable": differentiable})

    @elementwise
    def update(self, p: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state.update(step=new_number(), square_avg=zeros_like(p), acc_delta=zeros_like(p))
        increment_step(state)
        rho, eps, lr = group["rho"], group["eps"], number(group["lr"])
        for x, g, v, moved in blocks(p.array, grad, state["square_avg"].array, state["acc_delta"].array):
            g = descent_gradient(x, g, group)
            v *= rho
            v += (1 - rho) * g * g
            delta = np.sqrt(moved + eps) / np.sqrt(v + eps) * g
            moved *= rho
            moved += (1 - rho) * delta * delta
            x -= lr * delta


class ASGD(Optimizer):
    """Averaged stochastic gradient descent (Polyak & Juditsky 1992); the average is in ``state[p]["ax"]``."""

    def __init__(self, params: Parameters, lr: float | Tensor = 1e-2, lambd: float = 1e-4, alpha: float = 0.75, t0: float = 1e6,
                 weight_decay: float = 0, foreach: bool | None = None, maximize: bool = False, differentiable: bool = False,
                 capturable: bool = False) -> None:
        check(number(lr) >= 0, "learning rate", lr)
        check(weight_decay >= 0, "weight_decay value", weight_decay)
        super().__init__(params, {
            "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable})

    @elementwise
    def update(self, p: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        lr, lambd = number(group["lr"]), group["lambd"]
        if not state:
            state.update(step=new_number(), eta=new_number(lr), mu=new_number(1.0), ax=zeros_like(p))
        step = increment_step(state)
        eta, mu = float(state["eta"].array), float(state["mu"].array)
        for x, g, average in blocks(p.array, grad, state["ax"].array):
            g = descent_gradient(x, g, group)
            x *= 1 - lambd * eta
            x -= eta * g
            if mu == 1:
                average[...] = x
            else:
                average += (x - average) * mu
        state["eta"].array[...] = lr / (1 + lambd * lr * step) ** group["alpha"]
        state["mu"].array[...] = 1 / max(1.0, step - group["t0"])


class Rprop(Optimizer):
    """Only the sign of the gradient counts; each element's step grows while it stays and shrinks when it turns (Riedmiller
    1993)."""

    def __init__(self, params: Parameters, lr: float | Tensor = 1e-2, etas: tuple[float, float] = (0.5, 1.2),
                 step_sizes: tuple[float, float] = (1e-6, 50), *, capturable: bool = False, foreach: bool | None = None,
                 maximize: bool = False, differentiable: bool = False) -> None:
        check(number(lr) >= 0, "learning rate", lr)
        check(0 < etas[0] < 1 < etas[1], "eta values", f"{etas[0]}, {etas[1]}")
        super().__init__(params, {
            "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "capturable": capturable})

    @elementwise
    def update(self, p: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        (shrink, grow), (smallest, largest) = group["etas"], group["step_sizes"]
        if not state:
            state.update(step=new_number(), prev=zeros_like(p), step_size=full_like(p, number(group["lr"])))
        increment_step(state)
        for x, g, previous, size in blocks(p.array, grad, state["prev"].array, state["step_size"].array):
            if group["maximize"]:
                g = -g
            agreement = np.sign(g * previous)
            size *= np.where(agreement > 0, grow, np.where(agreement < 0, shrink, 1.0)).astype(size.dtype)
            np.clip(size, smallest, largest, out=size)
            g = g * (agreement >= 0)
            x -= np.sign(g) * size
            previous[...] = g


class Adafactor(Optimizer):
    """Adam's scaling from the row and column means of the squared gradient only, and no momentum (Shazeer & Stern 2018)."""

    def __init__(self, params: Parameters, lr: float | Tensor = 1e-2, beta2_decay: float = -0.8,
                 eps: tuple[float | None, float] = (None, 1e-3), d: float = 1.0, weight_decay: float = 0.0, *,
                 foreach: bool | None = None, maximize: bool = False) -> None:
        for ok, what, value in ((number(lr) >= 0, "Learning rate should be >= 0", lr),
                                (beta2_decay <= 0, "beta2_decay should be <= 0", beta2_decay),
                                (eps[0] is None or eps[0] >= 0, "epsilon1 should be >= 0", eps[0]),
                                (eps[1] >= 0, "epsilon2 should be >= 0", eps[1]),
                                (d >= 1, "Clipping threshold d should be >= 1", d),
                                (weight_decay >= 0, "weight_decay should be >= 0", weight_decay)):
            if not ok:
                raise InvalidValueError(f"{what} but is: {value}")
        super().__init__(params, {
            "lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize})

    def update(self, p: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        x = p.array
        if x.dtype.kind == "c":
            raise DtypeError("Adafactor does not support complex parameters")
        if not state:
            state["step"] = new_number()
            if x.ndim > 1:
                state["row_var"] = tensor_of(np.zeros_like(x[..., :1]))
                state["col_var"] = tensor_of(np.zeros_like(x[..., :1, :]))
            else:
                state["variance"] = zeros_like(p)
        g = -grad if group["maximize"] else grad
        eps1, eps2 = group["eps"]
        eps1 = float(np.finfo(x.dtype).eps) if eps1 is None else eps1
        lr, step = number(group["lr"]), increment_step(state)
        newest = step ** group["beta2_decay"]
        rate = max(eps2, float(np.linalg.norm(x.ravel())) / math.sqrt(x.size)) * min(lr, 1 / math.sqrt(step))
        if group["weight_decay"]:
            x *= 1 - lr * group["weight_decay"]
        squares = g * g
        if g.ndim > 1:
            row, col = state["row_var"].array, state["col_var"].array
            row += (squares.mean(-1, keepdims=True) - row) * newest
            col += (squares.mean(-2, keepdims=True) - col) * newest
            variance = row @ col / np.maximum(row.mean(-2, keepdims=True), eps1)
        else:
            variance = state["variance"].array
            variance += (squares - variance) * newest
        change = g / np.sqrt(np.maximum(variance, eps1 * eps1))
        x -= change * (rate / max(1.0, float(np.linalg.norm(change.ravel())) / (math.sqrt(change.size) * group["d"])))
