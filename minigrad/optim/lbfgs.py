"""L-BFGS: a quasi-Newton method that remembers the last few steps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Callable

import numpy as np

from minigrad import _arrays, autograd
from minigrad.errors import ArgumentError, DeviceError, InvalidValueError, RuntimeValueError
from minigrad.optim.optimizer import Optimizer, check, number
from minigrad.optim.state import tensor_of
from minigrad.recording.call import widened
from minigrad.recording.clock import ledger
from minigrad.recording.device_guard import guard_device
from minigrad.recording.inplace import refuse_read_only
from minigrad.recording.quiet import run_quietly

if TYPE_CHECKING:
    from minigrad._tensor import Tensor
    from minigrad._types.annotations import Parameters

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """L-BFGS (Nocedal & Wright, Numerical Optimization, algorithms 7.4, 3.5 and 3.6).

    ``step(closure)`` calls the closure, which clears the gradients, computes the loss and calls ``backward``, many times.
    All parameters are one group.

    Args:
        max_iter: the most iterations of one step.
        max_eval: the most calls of the closure in one step, by default ``max_iter * 1.25``.
        tolerance_grad: stop when no element of the gradient is larger.
        tolerance_change: stop when neither a parameter nor the loss changes by more.
        history_size: how many steps are remembered.
        line_search_fn: ``"strong_wolfe"``, or None for steps of length `lr`.
    """

    def __init__(self, params: Parameters, lr: float | Tensor = 1, max_iter: int = 20, max_eval: int | None = None,
                 tolerance_grad: float = 1e-7, tolerance_change: float = 1e-9, history_size: int = 100,
                 line_search_fn: str | None = None) -> None:
        check(number(lr) >= 0, "learning rate", lr)
        super().__init__(params, {
            "lr": lr, "max_iter": max_iter, "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change, "history_size": history_size,
            "line_search_fn": line_search_fn})
        if len(self.param_groups) != 1:
            raise InvalidValueError("LBFGS doesn't support per-parameter options (parameter groups)")
        if line_search_fn not in (None, "strong_wolfe"):
            raise RuntimeValueError("only 'strong_wolfe' is supported")

    @property
    def _params(self) -> list[Any]:
        params: list[Any] = self.param_groups[0]["params"]
        return params

    def _flat_gradient(self) -> Any:
        """All gradients as one vector, zeros where there is none; complex ones as pairs of real numbers."""
        parts = [np.zeros_like(p.array) if p._grad is None else p._grad.array for p in self._params]
        return np.concatenate([widened(_pairs(g)).reshape(-1) for g in parts])

    def _move(self, start: list[Any] | None, step: float, direction: Any) -> None:
        """Go `step` times `direction`, from the values `start` or from where we are."""
        at = 0
        for k, p in enumerate(self._params):
            x = p.array
            refuse_read_only(x, f"LBFGS.step: parameter {k} of shape {list(x.shape)}")
            if start is not None:
                x[...] = start[k]
            if x.dtype.kind == "c":
                change = direction[at:at + 2 * x.size].reshape(*x.shape, 2)
                x += step * (change[..., 0] + 1j * change[..., 1])
                at += 2 * x.size
            else:
                np.add(x, step * direction[at:at + x.size].reshape(x.shape), out=x, casting="unsafe")
                at += x.size
        ledger.record_all([p.array for p in self._params], "LBFGS.step")

    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Minimize until one of the limits is reached. Returns the loss before."""
        if closure is None:
            raise ArgumentError("LBFGS.step() needs a closure that clears the gradients, computes the loss and calls backward()")
        group = self.param_groups[0]
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

        home = self._params[0].device
        for k, p in enumerate(self._params):
            if p.device != home:
                raise DeviceError(f"LBFGS.step: expected all tensors on the same device, but parameter 0 is on {home} and "
                                  f"parameter {k} is on {p.device}; LBFGS takes all parameters as one vector: move one")
        here = _arrays.current_device(home)

        def evaluate() -> Any:
            with autograd.enable_grad(), _arrays.on_device(here):
                return closure()
        return run_quietly(guard_device(self._minimize), self._params[0], group, state, evaluate)

    def _minimize(self, first: Any, group: dict[str, Any], state: dict[str, Any], evaluate: Callable[[], Any]) -> Any:
        """The step itself, computed where the parameter `first` is."""
        first_loss = evaluate()
        evaluations = 1
        state["func_evals"] += 1
        gradient = self._flat_gradient()
        if not gradient.size or np.abs(gradient).max() <= group["tolerance_grad"]:
            return first_loss
        run = Run(self, group, state, evaluate, float(first_loss), gradient)
        for iteration in range(1, group["max_iter"] + 1):
            going = run.advance(iteration == group["max_iter"], group["max_eval"] - evaluations)
            evaluations += run.evaluations
            state["func_evals"] += run.evaluations
            if not going or evaluations >= group["max_eval"] or run.has_converged():
                break
        run.save()
        return first_loss


class Run:
    """One call of ``LBFGS.step``: where it is, and what it remembers."""

    def __init__(self, optimizer: LBFGS, group: dict[str, Any], state: dict[str, Any], evaluate: Callable[[], Any], loss: float,
                 gradient: Any) -> None:
        self.optimizer, self.group, self.state, self.evaluate = optimizer, group, state, evaluate
        self.loss, self.gradient = loss, gradient
        self.direction = _array(state.get("d"))
        self.length = number(state.get("t", 1.0))
        self.changes = [_array(y) for y in state.get("old_dirs") or []]  # of the gradient
        self.steps = [_array(s) for s in state.get("old_stps") or []]
        self.weights = [float(r) for r in state.get("ro") or []]
        self.scale = float(state.get("H_diag") or 1)
        self.previous_gradient = _array(state.get("prev_flat_grad"))
        self.previous_loss = number(state.get("prev_loss", 0.0))
        self.evaluations = 0

    def save(self) -> None:
        """Keep what the next step needs, under PyTorch's names."""
        self.state.update(d=tensor_of(self.direction), t=self.length, old_dirs=[tensor_of(y) for y in self.changes],
                          old_stps=[tensor_of(s) for s in self.steps],
                          ro=[tensor_of(np.asarray(r, self.gradient.dtype)) for r in self.weights],
                          H_diag=tensor_of(np.asarray(self.scale, self.gradient.dtype)),
                          prev_flat_grad=tensor_of(self.previous_gradient), prev_loss=self.previous_loss)

    def advance(self, last: bool, most_evaluations: int) -> bool:
        """One iteration: choose a direction and go along it. False if that was the last, or the direction leads nowhere."""
        self.evaluations = 0
        self.state["n_iter"] += 1
        lr = number(self.group["lr"])
        first = self.state["n_iter"] == 1
        if first:
            self.direction = -self.gradient
        else:
            self.remember()
            self.direction = self.newton_direction()
        self.previous_gradient, self.previous_loss = self.gradient, self.loss
        self.length = min(1.0, 1.0 / float(np.abs(self.gradient).sum())) * lr if first else lr
        slope = float(self.gradient @ self.direction)
        if slope > -self.group["tolerance_change"]:
            return False
        move = self.optimizer._move
        if self.group["line_search_fn"] is not None:
            start = [p.array.copy() for p in self.optimizer._params]

            def along(length: float) -> tuple[float, Any]:
                move(start, length, self.direction)
                loss = float(self.evaluate())
                return loss, self.optimizer._flat_gradient()

            self.loss, self.gradient, self.length, self.evaluations = strong_wolfe(
                along, self.length, self.direction, self.loss, self.gradient, slope, self.group["tolerance_change"],
                most_evaluations)
            move(start, self.length, self.direction)
        else:
            move(None, self.length, self.direction)
            if not last:  # a stochastic loss would be another one at the next step anyway
                self.loss = float(self.evaluate())
                self.gradient = self.optimizer._flat_gradient()
                self.evaluations = 1
        return not last

    def remember(self) -> None:
        """Add the last step and how it changed the gradient to the history, if the curvature along it is positive."""
        change = self.gradient - self.previous_gradient
        step = self.direction * self.length
        curvature = float(change @ step)
        if curvature > 1e-10:
            if len(self.changes) == self.group["history_size"]:
                for history in (self.changes, self.steps, self.weights):
                    history.pop(0)
            self.changes.append(change)
            self.steps.append(step)
            self.weights.append(1.0 / curvature)
            self.scale = curvature / float(change @ change)

    def newton_direction(self) -> Any:
        """Minus the approximate inverse Hessian times the gradient, by the two loops over the history."""
        self.state["al"] = shares = [0.0] * len(self.steps)
        q = -self.gradient
        for k in reversed(range(len(self.steps))):
            shares[k] = float(self.steps[k] @ q) * self.weights[k]
            q -= shares[k] * self.changes[k]
        q *= self.scale
        for k in range(len(self.steps)):
            q += (shares[k] - float(self.changes[k] @ q) * self.weights[k]) * self.steps[k]
        return q

    def has_converged(self) -> bool:
        change = self.group["tolerance_change"]
        return bool(np.abs(self.gradient).max() <= self.group["tolerance_grad"]
                    or np.abs(self.direction * self.length).max() <= change or abs(self.loss - self.previous_loss) < change)


def _pairs(g: Any) -> Any:
    return np.stack([g.real, g.imag], axis=-1) if g.dtype.kind == "c" else g


def _array(t: Any) -> Any:
    return None if t is None else t.array


def cubic_minimum(x1: float, f1: float, g1: float, x2: float, f2: float, g2: float, low: float, high: float) -> float:
    """The minimum between `low` and `high` of the cubic with these values and slopes at two points; the middle if it has none."""
    d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    square = d1 * d1 - g1 * g2
    if not square >= 0:
        return (low + high) / 2
    d2 = math.sqrt(square)
    if x1 <= x2:
        at = x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2 * d2))
    else:
        at = x1 - (x1 - x2) * ((g1 + d2 - d1) / (g1 - g2 + 2 * d2))
    return min(max(at, low), high)


class Point:
    """A length along the search direction: the loss, its gradient and its slope there."""

    def __init__(self, t: float, loss: float, gradient: Any, slope: float) -> None:
        self.t, self.loss, self.gradient, self.slope = t, loss, gradient, slope


def strong_wolfe(along: Callable[[float], tuple[float, Any]], t: float, direction: Any, loss: float, gradient: Any, slope: float,
                 tolerance: float, most: int = 25, c1: float = 1e-4, c2: float = 0.9) -> tuple[float, Any, float, int]:
    """A length at which the loss has fallen enough and its slope is flat enough.

    Returns: the loss and gradient there, the length, and how often `along` was called.
    """
    def look(t: float) -> Point:
        f, g = along(t)
        return Point(t, f, g, float(g @ direction))

    def enough(p: Point) -> bool:
        return p.loss <= loss + c1 * p.t * slope

    here, before = look(t), Point(0.0, loss, gradient, slope)
    evaluations, tries, done = 1, 0, False
    # Go further until the sought point is bracketed.
    while tries < most:
        if not enough(here) or (tries > 1 and here.loss >= before.loss) or (here.slope >= 0 and abs(here.slope) > -c2 * slope):
            bracket = [before, here]
            break
        if abs(here.slope) <= -c2 * slope:
            bracket, done = [here], True
            break
        further = cubic_minimum(before.t, before.loss, before.slope, here.t, here.loss, here.slope,
                                here.t + 0.01 * (here.t - before.t), here.t * 10)
        before, here = here, look(further)
        evaluations, tries = evaluations + 1, tries + 1
    else:
        bracket = [Point(0.0, loss, gradient, slope), here]
    # Narrow the bracket.
    near_edge = False
    bracket.sort(key=lambda p: p.loss)  # the lower first
    reach = float(np.abs(direction).max())
    while not done and tries < most:
        low, high = sorted((bracket[0].t, bracket[1].t))
        if (high - low) * reach < tolerance:
            break
        a, b = (bracket[0], bracket[1])
        t = cubic_minimum(a.t, a.loss, a.slope, b.t, b.loss, b.slope, low, high)
        margin = 0.1 * (high - low)
        if min(high - t, t - low) < margin:  # too near an edge: the second time, step away from it
            if near_edge or t >= high or t <= low:
                t = high - margin if abs(t - high) < abs(t - low) else low + margin
                near_edge = False
            else:
                near_edge = True
        else:
            near_edge = False
        here = look(t)
        evaluations, tries = evaluations + 1, tries + 1
        if not enough(here) or here.loss >= bracket[0].loss:
            bracket[1] = here
            bracket.sort(key=lambda p: p.loss)
        else:
            if abs(here.slope) <= -c2 * slope:
                done = True
            elif here.slope * (bracket[1].t - bracket[0].t) >= 0:
                bracket[1] = bracket[0]
            bracket[0] = here
    best = bracket[0]
    return best.loss, best.gradient, best.t, evaluations
