"""Every schedule, by its entry in the table (``tests/scheduler_cases.py``): one test for each promise and schedule."""

from __future__ import annotations

import copy
import inspect
import itertools
from typing import Any, Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.optim import lr_scheduler
from tests.scheduler_cases import CASES, SchedulerCase

STEPS = 30
START = (1.0, 0.5)  # the rates of the optimizer's two groups
EACH = [pytest.param(name, settings, id=f"{name}-{k}")
        for name, case in CASES.items() for k, settings in enumerate(case.settings)]

Make = Callable[..., Any]


def optimizer() -> optim.Optimizer:
    groups = [{"params": [nn.Parameter(mg.ones(1))], "lr": rate} for rate in START]
    for group in groups:
        group["params"][0].grad = mg.zeros(1)
    return optim.SGD(groups, momentum=0.9)


def make(name: str, opt: optim.Optimizer, settings: dict[str, Any], **more: Any) -> Any:
    case = CASES[name]
    return case.make(opt) if case.make else getattr(lr_scheduler, name)(opt, **settings, **more)


def expected(case: SchedulerCase, settings: dict[str, Any]) -> list[list[Any]]:
    """What the rule yields for each group, before each of the steps."""
    return [list(itertools.islice(case.rule(rate, **settings), STEPS)) for rate in START]


def run(case: SchedulerCase, schedule: Any, opt: optim.Optimizer, first: int = 0, last: int = STEPS) -> list[list[Any]]:
    """The rates, and the momenta, of each group before each step from `first` to `last`."""
    found: list[list[Any]] = [[], []]
    for k in range(first, last):
        rates = [float(group["lr"]) for group in opt.param_groups]
        assert [float(rate) for rate in schedule.get_last_lr()] == rates
        for row, group in zip(found, opt.param_groups):
            row.append((float(group["lr"]), group["momentum"]))
        if k < STEPS - 1:
            opt.step()
            schedule.step(*case.metrics[k:k + 1])
    return found


def compare(found: list[list[Any]], wanted: list[list[Any]]) -> None:
    for mine, theirs in zip(found, wanted):
        theirs = [pair if isinstance(pair, tuple) else (pair, 0.9) for pair in theirs]
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-12)


def test_every_schedule_has_a_case_and_every_case_a_schedule() -> None:
    wanted = set(lr_scheduler.__all__) - {"LRScheduler"}
    assert set(CASES) == wanted, f"untested: {sorted(wanted - set(CASES))}; not public: {sorted(set(CASES) - wanted)}"


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.make])
def test_every_setting_is_followed_by_a_rule(name: str) -> None:
    settings = set(inspect.signature(getattr(lr_scheduler, name)).parameters) - {"optimizer", "last_epoch"}
    used = {setting for variant in CASES[name].settings for setting in variant}
    assert used == settings, f"no case of {name} sets {sorted(settings - used)}"


@pytest.mark.parametrize(("name", "settings"), EACH)
def test_rates_follow_the_rule(name: str, settings: dict[str, Any]) -> None:
    opt = optimizer()
    compare(run(CASES[name], make(name, opt, settings), opt), expected(CASES[name], settings))


@pytest.mark.parametrize(("name", "settings"), EACH)
def test_a_restored_schedule_goes_on(name: str, settings: dict[str, Any]) -> None:
    case, opt = CASES[name], optimizer()
    schedule = make(name, opt, settings)
    run(case, schedule, opt, 0, 11)
    saved = copy.deepcopy((opt.state_dict(), schedule.state_dict()))
    opt = optimizer()
    schedule = make(name, opt, settings)
    opt.load_state_dict(saved[0])
    schedule.load_state_dict(saved[1])
    compare(run(case, schedule, opt, 11), [row[11:] for row in expected(case, settings)])


@pytest.mark.parametrize(("name", "settings"), [p for p in EACH if CASES[str(p.values[0])].continued])
def test_a_schedule_may_begin_at_a_later_epoch(name: str, settings: dict[str, Any]) -> None:
    """The rate of that epoch stands in the group, the first rate beside it."""
    case, wanted, opt = CASES[name], expected(CASES[name], settings), optimizer()
    for group, rate, row in zip(opt.param_groups, START, wanted):
        group["lr"], group["initial_lr"] = row[8], rate
    schedule = make(name, opt, settings, last_epoch=7)
    compare(run(case, schedule, opt, 8), [row[8:] for row in wanted])


@pytest.mark.parametrize(("name", "settings", "text"), [(name, *bad) for name, case in CASES.items() for bad in case.bad])
def test_bad_settings_are_refused_with_the_promised_message(name: str, settings: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        getattr(lr_scheduler, name)(optimizer(), **settings)


@pytest.mark.parametrize(("name", "settings"), EACH)
def test_a_schedule_that_is_wrong_on_purpose_is_caught(name: str, settings: dict[str, Any]) -> None:
    """A rate that is a hundredth too high, or that comes one step late."""
    case, opt = CASES[name], optimizer()
    found, wanted = run(case, make(name, opt, settings), opt), expected(case, settings)
    compare(found, wanted)
    with pytest.raises(AssertionError):
        compare([[(rate * 1.01, momentum) for rate, momentum in row] for row in found], wanted)
    with pytest.raises(AssertionError):
        compare([[row[0], *row[:-1]] for row in found], wanted)
