"""The table of optimizers: the rule of each in NumPy, and the settings with which it is followed.

A rule is a generator, called as ``rule(x, gradient, **settings)`` with PyTorch's names and defaults for the settings; it yields
the parameter after each step. Every setting has to occur among those of some case: ``tests/test_optimizer_table.py`` checks it.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import Any, Callable, Iterator, Sequence

import numpy as np

import minigrad

Gradient = Callable[[Any], Any]


@dataclass
class OptimizerCase:
    """How one optimizer is tested.

    Attributes:
        rule: its steps in NumPy.
        settings: those that it is run with, one after the other.
        bad: settings that must be refused with a ``ValueError``, and the regex that its message matches.
        elsewhere: settings that no rule follows, and the test that checks them.
        exactness: what the steps may differ by: some optimizers keep numbers between steps as float32, as in PyTorch.
        closure: it evaluates the loss itself, and has no steps without a closure.
    """

    rule: Callable[..., Iterator[Any]]
    settings: Sequence[dict[str, Any]]
    bad: Sequence[tuple[dict[str, Any], str]]
    elsewhere: dict[str, str] = field(default_factory=dict)
    exactness: float = 1e-11
    closure: bool = False


def loss(x: Any) -> Any:
    """A smooth function with its minimum away from zero, for arrays and for tensors; :func:`gradient` is its gradient.

    Its first term is log(2 cosh(x - 0.5)).
    """
    library = np if isinstance(x, np.ndarray) else minigrad
    return (library.logaddexp(x - 0.5, 0.5 - x) + 0.05 * x * x - 0.1 * library.cos(3 * x)).sum()


def gradient(x: Any) -> Any:
    return np.tanh(x - 0.5) + 0.1 * x + 0.3 * np.sin(3 * x)


def directed(x: Any, gradient: Gradient, weight_decay: float, maximize: bool) -> Any:
    """The gradient to go down, weight decay added."""
    return (-1 if maximize else 1) * gradient(x) + weight_decay * x


# ---------------------------------------------------------------------------------------------------- rules

def sgd(x, gradient, lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=False, maximize=False):
    buffer = None
    while True:
        g = directed(x, gradient, weight_decay, maximize)
        if momentum:
            buffer = g if buffer is None else momentum * buffer + (1 - dampening) * g
            g = g + momentum * buffer if nesterov else buffer
        x = x - lr * g
        yield x


def adam(x, gradient, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, amsgrad=False, maximize=False,
         decoupled_weight_decay=False):
    m = v = largest = np.zeros_like(x)
    for t in itertools.count(1):
        g = directed(x, gradient, 0 if decoupled_weight_decay else weight_decay, maximize)
        x = x * (1 - lr * weight_decay) if decoupled_weight_decay else x
        m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g * g
        largest = np.maximum(largest, v)
        root = np.sqrt((largest if amsgrad else v) / (1 - betas[1]**t))
        x = x - lr * m / (1 - betas[0]**t) / (root + eps)
        yield x


def adamw(x, gradient, weight_decay=1e-2, **settings):
    return adam(x, gradient, weight_decay=weight_decay, decoupled_weight_decay=True, **settings)


def adamax(x, gradient, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, maximize=False):
    m = u = np.zeros_like(x)
    for t in itertools.count(1):
        g = directed(x, gradient, weight_decay, maximize)
        m, u = betas[0] * m + (1 - betas[0]) * g, np.maximum(betas[1] * u, np.abs(g) + eps)
        x = x - lr / (1 - betas[0]**t) * m / u
        yield x


def nadam(x, gradient, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, momentum_decay=4e-3, maximize=False,
          decoupled_weight_decay=False):
    m = v = np.zeros_like(x)
    product = 1.0
    for t in itertools.count(1):
        g = directed(x, gradient, 0 if decoupled_weight_decay else weight_decay, maximize)
        x = x * (1 - lr * weight_decay) if decoupled_weight_decay else x
        mu, later = [betas[0] * (1 - 0.5 * 0.96 ** (s * momentum_decay)) for s in (t, t + 1)]
        product *= mu
        m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g * g
        ahead = later * m / (1 - product * later) + (1 - mu) * g / (1 - product)
        x = x - lr * ahead / (np.sqrt(v / (1 - betas[1]**t)) + eps)
        yield x


def radam(x, gradient, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, maximize=False, decoupled_weight_decay=False):
    m = v = np.zeros_like(x)
    longest = 2 / (1 - betas[1]) - 1
    for t in itertools.count(1):
        g = directed(x, gradient, 0 if decoupled_weight_decay else weight_decay, maximize)
        x = x * (1 - lr * weight_decay) if decoupled_weight_decay else x
        m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g * g
        length = longest - 2 * t * betas[1]**t / (1 - betas[1]**t)
        step = m / (1 - betas[0]**t)
        if length > 5:
            r = math.sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
            step = step * r * math.sqrt(1 - betas[1]**t) / (np.sqrt(v) + eps)
        x = x - lr * step
        yield x


def adagrad(x, gradient, lr=1e-2, lr_decay=0, weight_decay=0, initial_accumulator_value=0, eps=1e-10, maximize=False):
    total = np.full_like(x, initial_accumulator_value)
    for t in itertools.count():
        g = directed(x, gradient, weight_decay, maximize)
        total = total + g * g
        x = x - lr / (1 + t * lr_decay) * g / (np.sqrt(total) + eps)
        yield x


def rmsprop(x, gradient, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0, centered=False, maximize=False):
    v = mean = buffer = np.zeros_like(x)
    while True:
        g = directed(x, gradient, weight_decay, maximize)
        v, mean = alpha * v + (1 - alpha) * g * g, alpha * mean + (1 - alpha) * g
        buffer = momentum * buffer + g / (np.sqrt(v - mean**2 if centered else v) + eps)
        x = x - lr * buffer
        yield x


def adadelta(x, gradient, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0, maximize=False):
    v = moved = np.zeros_like(x)
    while True:
        g = directed(x, gradient, weight_decay, maximize)
        v = rho * v + (1 - rho) * g * g
        delta = np.sqrt(moved + eps) / np.sqrt(v + eps) * g
        moved = rho * moved + (1 - rho) * delta**2
        x = x - lr * delta
        yield x


def asgd(x, gradient, lr=1e-2, lambd=1e-4, alpha=0.75, weight_decay=0, maximize=False):
    eta = lr
    for t in itertools.count(1):
        g = directed(x, gradient, weight_decay, maximize)
        x = x * (1 - lambd * eta) - eta * g
        eta = lr / (1 + lambd * lr * t) ** alpha
        yield x


def rprop(x, gradient, lr=1e-2, etas=(0.5, 1.2), step_sizes=(1e-6, 50), maximize=False):
    before, size = np.zeros_like(x), np.full_like(x, lr)
    while True:
        g = directed(x, gradient, 0, maximize)
        agreement = g * before
        factor = np.where(agreement > 0, etas[1], np.where(agreement < 0, etas[0], 1))
        size = np.clip(size * factor, *step_sizes)
        g = np.where(agreement < 0, 0, g)
        x = x - np.sign(g) * size
        before = g
        yield x


def adafactor(x, gradient, lr=1e-2, beta2_decay=-0.8, eps=(None, 1e-3), d=1.0, weight_decay=0, maximize=False):
    smallest = np.finfo(x.dtype).eps if eps[0] is None else eps[0]
    row, column = np.zeros_like(x[:, :1]), np.zeros_like(x[:1])
    for t in itertools.count(1):
        g = directed(x, gradient, 0, maximize)
        newest = t**beta2_decay
        rate = max(eps[1], np.sqrt((x**2).mean())) * min(lr, t**-0.5)
        x = x * (1 - lr * weight_decay)
        row = row + ((g * g).mean(1, keepdims=True) - row) * newest
        column = column + ((g * g).mean(0, keepdims=True) - column) * newest
        update = g / np.maximum(np.sqrt(row @ column / np.maximum(row.mean(), smallest)), smallest)
        x = x - rate * update / max(1, np.sqrt((update**2).mean()) / d)
        yield x


def lbfgs(x, gradient, lr=1, max_iter=20, history_size=100):
    """Quasi-Newton steps, by the dense inverse Hessian that the history gives (Nocedal and Wright, formula 6.17)."""
    history: list[tuple[Any, Any]] = []
    point, g = x.ravel(), gradient(x).ravel()
    for t in itertools.count(1):
        inverse = np.eye(point.size)
        if history:
            s, y = history[-1]
            inverse = inverse * (s @ y) / (y @ y)
        for s, y in history:
            left = np.eye(point.size) - np.outer(s, y) / (s @ y)
            inverse = left @ inverse @ left.T + np.outer(s, s) / (s @ y)
        step = -lr * (inverse @ g) * (min(1, 1 / np.abs(g).sum()) if t == 1 else 1)
        point = point + step
        change = gradient(point.reshape(x.shape)).ravel() - g
        g = g + change
        if step @ change > 1e-10:  # else the function is not convex along the step
            history = [*history, (step, change)][-history_size:]
        if t % max_iter == 0:
            yield point.reshape(x.shape)


def muon(x, gradient, lr=1e-3, weight_decay=0.1, momentum=0.95, nesterov=True, ns_coefficients=(3.4445, -4.775, 2.0315), eps=1e-7,
         ns_steps=5, adjust_lr_fn=None):
    """The singular values of the update go through the polynomial a s + b s**3 + c s**5, `ns_steps` times over."""
    buffer = np.zeros_like(x)
    a, b, c = ns_coefficients
    while True:
        g = gradient(x)
        buffer = momentum * buffer + (1 - momentum) * g
        update = (1 - momentum) * g + momentum * buffer if nesterov else buffer
        u, s, vh = np.linalg.svd(update, full_matrices=False)
        s = s / max(np.linalg.norm(s), eps)
        for _ in range(ns_steps):
            s = a * s + b * s**3 + c * s**5
        rows, columns = x.shape
        scale = 0.2 * math.sqrt(max(rows, columns)) if adjust_lr_fn == "match_rms_adamw" else math.sqrt(max(1, rows / columns))
        x = x * (1 - lr * weight_decay) - lr * scale * (u * s) @ vh
        yield x


# ---------------------------------------------------------------------------------------------------- the table

RATE, EPSILON, DECAY = ({"lr": -1}, "Invalid learning rate: -1"), ({"eps": -1}, "Invalid epsilon value: -1"), (
    {"weight_decay": -1}, "Invalid weight_decay value: -1")
ROSENBROCK = "test_lbfgs_finds_the_minimum_of_rosenbrocks_valley"
BETAS = [({"betas": (1.0, 0.9)}, r"Invalid beta parameter at index 0: 1\.0"), ({"betas": (0.9, 1.0)}, r"at index 1: 1\.0")]
ADAM = [{}, {"lr": 0.1, "betas": (0.7, 0.9), "eps": 0.01}, {"weight_decay": 0.2, "maximize": True}]
DECOUPLED = [*ADAM, {"lr": 0.1, "weight_decay": 0.3, "decoupled_weight_decay": True}]

CASES = {
    "SGD": OptimizerCase(sgd, [
        {}, {"lr": 0.1, "momentum": 0.9}, {"lr": 0.1, "momentum": 0.9, "dampening": 0.3},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.2}, {"lr": 0.1, "weight_decay": 0.2, "maximize": True}],
        [RATE, DECAY, ({"momentum": -1}, "Invalid momentum value: -1"),
         ({"nesterov": True}, "Nesterov momentum requires a momentum and zero dampening")]),
    "Adam": OptimizerCase(adam, [*DECOUPLED, {"lr": 0.1, "amsgrad": True, "betas": (0.9, 0.5)}], [RATE, EPSILON, DECAY, *BETAS]),
    "AdamW": OptimizerCase(adamw, [*ADAM, {"lr": 0.1, "amsgrad": True, "betas": (0.9, 0.5)}], [RATE, EPSILON, DECAY, *BETAS]),
    "Adamax": OptimizerCase(adamax, ADAM, [RATE, EPSILON, DECAY, *BETAS]),
    "NAdam": OptimizerCase(nadam, [*DECOUPLED, {"momentum_decay": 0.1}],
                           [RATE, EPSILON, DECAY, *BETAS, ({"momentum_decay": -1}, "Invalid momentum_decay value: -1")],
                           exactness=1e-7),
    "RAdam": OptimizerCase(radam, DECOUPLED, [RATE, EPSILON, DECAY, *BETAS]),
    "Adagrad": OptimizerCase(adagrad, [{}, {"lr": 0.1, "lr_decay": 0.5, "initial_accumulator_value": 0.1, "eps": 0.01},
                                       {"weight_decay": 0.2, "maximize": True}],
                             [RATE, EPSILON, DECAY, ({"lr_decay": -1}, "Invalid lr_decay value: -1"),
                              ({"initial_accumulator_value": -1}, "Invalid initial_accumulator_value value: -1")]),
    "RMSprop": OptimizerCase(rmsprop, [{}, {"lr": 0.05, "alpha": 0.8, "eps": 0.01, "momentum": 0.5, "centered": True},
                                       {"weight_decay": 0.2, "maximize": True}],
                             [RATE, EPSILON, DECAY, ({"alpha": -1}, "Invalid alpha value: -1"),
                              ({"momentum": -1}, "Invalid momentum value: -1")]),
    "Adadelta": OptimizerCase(adadelta, [{}, {"lr": 0.5, "rho": 0.7, "eps": 1e-3}, {"weight_decay": 0.2, "maximize": True}],
                              [RATE, EPSILON, DECAY, ({"rho": 2}, "Invalid rho value: 2")]),
    "ASGD": OptimizerCase(asgd, [{}, {"lr": 0.05, "lambd": 0.1, "alpha": 0.5}, {"weight_decay": 0.2, "maximize": True}],
                          [RATE, DECAY], {"t0": "test_asgd_averages_the_parameters_after_t0"}, exactness=1e-7),
    "Rprop": OptimizerCase(rprop, [{}, {"lr": 0.2, "etas": (0.3, 1.5), "step_sizes": (0.1, 0.3)}, {"maximize": True}],
                           [RATE, ({"etas": (2, 1)}, "Invalid eta values: 2, 1")]),
    "Adafactor": OptimizerCase(adafactor, [{}, {"lr": 0.3, "beta2_decay": -0.5, "eps": (1e-3, 0.1), "d": 1.5},
                                           {"weight_decay": 0.2, "maximize": True}],
                               [({"lr": -1}, "Learning rate should be >= 0"), ({"beta2_decay": 1}, "beta2_decay should be <= 0"),
                                ({"d": 0.5}, "Clipping threshold d should be >= 1"), ({"weight_decay": -1}, "should be >= 0"),
                                ({"eps": (-1, 0)}, "epsilon1 should be >= 0")]),
    "LBFGS": OptimizerCase(lbfgs, [{"lr": 0.3, "max_iter": 1}, {"lr": 0.1, "max_iter": 4, "history_size": 3}], [RATE], {
        "line_search_fn": ROSENBROCK, "max_eval": ROSENBROCK, "tolerance_grad": ROSENBROCK, "tolerance_change": ROSENBROCK},
        closure=True, exactness=1e-9),
    "Muon": OptimizerCase(muon, [{}, {"lr": 0.1, "momentum": 0.5, "nesterov": False, "weight_decay": 0, "ns_steps": 3},
                                 {"lr": 0.1, "adjust_lr_fn": "match_rms_adamw", "ns_coefficients": (2.0, -1.5, 0.5),
                                  "eps": 1e-3}],
                          [({"lr": -1}, "Learning rate should be >= 0"), ({"momentum": -1}, "momentum should be >= 0"),
                           ({"weight_decay": -1}, "weight decay should be >= 0"),
                           ({"adjust_lr_fn": "other"}, "Adjust learning rate function other is not supported")],
                          exactness=1e-5),  # its iteration is in float32
}
