"""The table of schedules: the rates that each gives, as formulas and sequences written here, and the settings of each try.

A rule is called as ``rule(rate, **settings)``,
with the rate that the optimizer begins with and PyTorch's names and defaults for the
settings. It yields the rate before each step; where the schedule moves the momentum too, the rate and the momentum.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import Any, Callable, Iterator, Sequence

from minigrad.optim import lr_scheduler


@dataclass
class SchedulerCase:
    """How one schedule is tested.

    Attributes:
        rule: the rates.
        settings: those that it is run with, one after the other.
        bad: settings that must be refused with a ``ValueError``, and the regex that its message matches.
        metrics: what ``step`` is given, where it takes how well the training goes.
        continued: it can be begun anew at a later epoch, by `last_epoch`, from the rate of that epoch.
        make: makes the schedule, where its settings are schedules of the same optimizer, which must exist first.
    """

    rule: Callable[..., Iterator[Any]]
    settings: Sequence[dict[str, Any]]
    bad: Sequence[tuple[dict[str, Any], str]] = ()
    metrics: Sequence[float] = ()
    continued: bool = True
    make: Callable[[Any], Any] | None = field(default=None)


def factors(by_epoch):
    """The rule whose rates are the first one times a factor, a function of the epoch and of the settings."""
    def rule(rate, **settings):
        for epoch in itertools.count():
            yield rate * by_epoch(epoch, **settings)
    return rule


def per_epoch(epoch, lr_lambda):
    return lr_lambda(epoch)


def multiplied(epoch, lr_lambda):
    return math.prod(lr_lambda(k) for k in range(1, epoch + 1))


def step(epoch, step_size, gamma=0.1):
    return gamma ** (epoch // step_size)


def multi_step(epoch, milestones, gamma=0.1):
    return gamma ** sum(epoch >= m for m in milestones)


def constant(epoch, factor=1 / 3, total_iters=5):
    return factor if epoch < total_iters else 1


def linear(epoch, start_factor=1 / 3, end_factor=1.0, total_iters=5):
    return start_factor + (end_factor - start_factor) * min(epoch, total_iters) / total_iters


def exponential(epoch, gamma):
    return gamma**epoch


def polynomial(epoch, total_iters=5, power=1.0):
    return (1 - min(epoch, total_iters) / total_iters) ** power


def cosine(rate, T_max, eta_min=0.0):
    for epoch in itertools.count():
        yield eta_min + (rate - eta_min) * (1 + math.cos(math.pi * epoch / T_max)) / 2


def restarts(rate, T_0, T_mult=1, eta_min=0.0):
    length = T_0
    while True:
        for k in range(length):
            yield eta_min + (rate - eta_min) * (1 + math.cos(math.pi * k / length)) / 2
        length *= T_mult


def cyclic(rate, base_lr, max_lr, step_size_up=2000, step_size_down=None, mode="triangular", gamma=1.0, scale_fn=None,
           scale_mode="cycle", cycle_momentum=True, base_momentum=0.8, max_momentum=0.9):
    down = step_size_up if step_size_down is None else step_size_down
    for k in itertools.count():
        cycle, at = divmod(k, step_size_up + down)
        height = at / step_size_up if at <= step_size_up else 1 - (at - step_size_up) / down
        if scale_fn is not None:
            height *= scale_fn(cycle + 1 if scale_mode == "cycle" else k)
        else:
            height *= {"triangular": 1, "triangular2": 0.5**cycle, "exp_range": gamma**k}[mode]
        momentum = max_momentum - (max_momentum - base_momentum) * height if cycle_momentum else 0.9
        yield base_lr + (max_lr - base_lr) * height, momentum


def one_cycle(rate, max_lr, total_steps=None, epochs=None, steps_per_epoch=None, pct_start=0.3, anneal_strategy="cos",
              cycle_momentum=True, base_momentum=0.85, max_momentum=0.95, div_factor=25.0, final_div_factor=1e4,
              three_phase=False):
    total = total_steps or epochs * steps_per_epoch
    first, last = max_lr / div_factor, max_lr / div_factor / final_div_factor
    up = pct_start * total - 1
    ends = [(up, max_lr, base_momentum), (2 * up, first, max_momentum), (total - 1, last, max_momentum)] if three_phase else [
        (up, max_lr, base_momentum), (total - 1, last, max_momentum)]

    def between(a, b, share):
        return a + (b - a) * (share if anneal_strategy == "linear" else (1 - math.cos(math.pi * share)) / 2)

    for k in range(total):
        begin, lr, momentum = 0, first, max_momentum
        for end, next_lr, next_momentum in ends:
            if k <= end or end == total - 1:
                share = (k - begin) / (end - begin)
                yield between(lr, next_lr, share), between(momentum, next_momentum, share) if cycle_momentum else 0.9
                break
            begin, lr, momentum = end, next_lr, next_momentum


def plateau(rate, mode="min", factor=0.1, patience=10, threshold=1e-4, threshold_mode="rel", cooldown=0, min_lr=0, eps=1e-8):
    sign = 1 if mode == "min" else -1
    best, bad, resting = math.inf, 0, 0
    yield rate
    for metric in METRICS:
        value = sign * metric
        needed = abs(best) * threshold if threshold_mode == "rel" and best < math.inf else threshold
        if value < best - needed:
            best, bad = value, 0
        else:
            bad += 1
        if resting:
            resting, bad = resting - 1, 0
        if bad > patience:
            lower = max(rate * factor, min_lr)
            rate = lower if rate - lower > eps else rate
            resting, bad = cooldown, 0
        yield rate


def chained(rate):
    return factors(lambda epoch: exponential(epoch, 0.9) * step(epoch, 4, 0.5))(rate)


def sequential(rate):
    return factors(lambda epoch: constant(epoch, 0.1, 10) if epoch < 6 else linear(epoch - 6, 0.5, 1.0, 4) if epoch < 15
                   else exponential(epoch - 15, 0.9))(rate)


def harmonic(epoch):
    return 1 / (1 + epoch)


METRICS = [1.0, 0.5, 0.5, 0.5, 0.5, 0.49, 0.49, 0.48, 0.5, 0.5, 0.5, 0.2] + [0.3] * 17
UP = {"base_lr": 0.1, "max_lr": 1.1, "step_size_up": 4}

CASES = {
    "LambdaLR": SchedulerCase(factors(per_epoch), [{"lr_lambda": harmonic}],
                              [({"lr_lambda": [abs, abs, abs]}, "Expected 2 lr_lambdas")]),
    "MultiplicativeLR": SchedulerCase(factors(multiplied), [{"lr_lambda": harmonic}], [
        ({"lr_lambda": [abs]}, "Expected 2 lr_lambdas, but got 1")]),
    "StepLR": SchedulerCase(factors(step), [{"step_size": 7}, {"step_size": 3, "gamma": 0.5}]),
    "MultiStepLR": SchedulerCase(factors(multi_step), [{"milestones": [2, 12, 12, 20]}, {"milestones": [3], "gamma": 0.5}]),
    "ConstantLR": SchedulerCase(factors(constant), [{}, {"factor": 0.5, "total_iters": 9}], [
        ({"factor": 1.5}, "Constant multiplicative factor expected to be between 0 and 1")]),
    "LinearLR": SchedulerCase(factors(linear), [{}, {"start_factor": 0.2, "end_factor": 0.8, "total_iters": 9}], [
        ({"start_factor": 0}, "Starting multiplicative factor expected"),
        ({"end_factor": 2}, "Ending multiplicative factor expected")]),
    "ExponentialLR": SchedulerCase(factors(exponential), [{"gamma": 0.8}]),
    "PolynomialLR": SchedulerCase(factors(polynomial), [{}, {"total_iters": 11, "power": 2.0}]),
    "CosineAnnealingLR": SchedulerCase(cosine, [{"T_max": 40}, {"T_max": 8, "eta_min": 0.1}]),
    "CosineAnnealingWarmRestarts": SchedulerCase(restarts, [{"T_0": 7}, {"T_0": 4, "T_mult": 2, "eta_min": 0.1}], [
        ({"T_0": 0}, "Expected positive integer T_0"), ({"T_0": 1, "T_mult": 0}, "Expected integer T_mult >= 1")],
        continued=False),
    "CyclicLR": SchedulerCase(cyclic, [
        UP, {**UP, "step_size_down": 6, "mode": "triangular2", "base_momentum": 0.7, "max_momentum": 0.8},
        {**UP, "mode": "exp_range", "gamma": 0.9, "cycle_momentum": False},
        {**UP, "scale_fn": harmonic, "scale_mode": "iterations"},
        {**UP, "scale_fn": harmonic}],
        [({**UP, "mode": "other"}, "mode is invalid"),
         ({**UP, "base_lr": [1, 2, 3]}, "base_lr has 3 values, param_groups has 2")],
        continued=False),
    "OneCycleLR": SchedulerCase(one_cycle, [
        {"max_lr": 1.0, "total_steps": 40}, {"max_lr": 0.5, "epochs": 5, "steps_per_epoch": 8, "anneal_strategy": "linear"},
        {"max_lr": 1.0, "total_steps": 36, "three_phase": True, "pct_start": 0.4, "base_momentum": 0.7, "max_momentum": 0.9},
        {"max_lr": 1.0, "total_steps": 30, "div_factor": 5.0, "final_div_factor": 10.0, "cycle_momentum": False}],
        [({"max_lr": 1.0}, "You must define either total_steps OR"),
         ({"max_lr": 1.0, "total_steps": -1}, "Expected positive integer"),
         ({"max_lr": 1.0, "total_steps": 9, "pct_start": 2.0}, "Expected float between 0 and 1 pct_start"),
         ({"max_lr": 1.0, "total_steps": 9, "anneal_strategy": "other"}, "anneal_strategy must be")], continued=False),
    "ReduceLROnPlateau": SchedulerCase(plateau, [
        {}, {"factor": 0.5, "patience": 1, "cooldown": 2, "min_lr": 0.2}, {"mode": "max", "patience": 2, "factor": 0.5},
        {"patience": 2, "threshold": 0.05, "threshold_mode": "abs", "factor": 0.5}, {"patience": 0, "factor": 0.5, "eps": 0.1}],
        [({"factor": 1.0}, "Factor should be < 1.0"), ({"mode": "other"}, "mode other is unknown"),
         ({"threshold_mode": "other"}, "threshold mode other is unknown"), ({"min_lr": [1]}, "expected 2 min_lrs")],
        METRICS, continued=False),
    "ChainedScheduler": SchedulerCase(chained, [{}], continued=False, make=lambda o: lr_scheduler.ChainedScheduler(
        [lr_scheduler.ExponentialLR(o, 0.9), lr_scheduler.StepLR(o, 4, 0.5)])),
    "SequentialLR": SchedulerCase(sequential, [{}], continued=False, make=lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.ConstantLR(o, 0.1, 10), lr_scheduler.LinearLR(o, 0.5, 1.0, 4), lr_scheduler.ExponentialLR(o, 0.9)],
        [6, 15])),
}
