"""Every optimizer, by its entry in the table (``tests/optimizer_cases.py``): one test for each promise and optimizer."""

from __future__ import annotations

import copy
import inspect
import itertools
import pickle
from typing import Any, Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from tests.optimizer_cases import CASES, OptimizerCase, gradient, loss

STEPS = 10
PUBLIC = {name for name, found in vars(optim).items() if inspect.isclass(found) and issubclass(found, optim.Optimizer)}
# PyTorch's choices of implementation, which are accepted and change nothing.
IMPLEMENTATION = {"foreach", "fused", "capturable", "differentiable"}
EACH = [pytest.param(name, settings, id=f"{name}-{k}")
        for name, case in CASES.items() for k, settings in enumerate(case.settings)]

Make = Callable[..., optim.Optimizer]


def start(seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((3, 4))


def parameter(seed: int = 5) -> nn.Parameter:
    return nn.Parameter(mg.tensor(start(seed)))


def take_steps(optimizer: optim.Optimizer, count: int) -> list[np.ndarray]:
    """The first parameter after each of `count` steps, for which a closure computes the loss and its gradient."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]

    def closure() -> Any:
        optimizer.zero_grad()
        total = sum(loss(p) for p in parameters)
        total.backward()
        return total

    found = []
    for _ in range(count):
        before = sum(float(loss(p.detach().numpy())) for p in parameters)
        assert float(optimizer.step(closure)) == pytest.approx(before)
        found.append(parameters[0].detach().numpy().copy())
    return found


def check_steps(case: OptimizerCase, make: Make, settings: dict[str, Any]) -> None:
    """The parameter after each step is where the rule says."""
    wanted = itertools.islice(case.rule(start(), gradient, **settings), STEPS)
    for k, (found, expected) in enumerate(zip(take_steps(make([parameter()], **settings), STEPS), wanted)):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=case.exactness, err_msg=f"step {k}")


def test_every_optimizer_has_a_case_and_every_case_an_optimizer() -> None:
    wanted = PUBLIC - {"Optimizer", "SparseAdam"}  # which refuses dense gradients, the only ones there are
    assert set(CASES) == wanted, f"untested: {sorted(wanted - set(CASES))}; not public: {sorted(set(CASES) - wanted)}"


@pytest.mark.parametrize("name", CASES)
def test_every_setting_is_followed_by_a_rule(name: str) -> None:
    case = CASES[name]
    settings = set(inspect.signature(getattr(optim, name)).parameters) - {"params"} - IMPLEMENTATION
    used = {setting for variant in case.settings for setting in variant} | set(case.elsewhere)
    assert used == settings, f"no case of {name} sets {sorted(settings - used)}"


@pytest.mark.parametrize(("name", "settings"), EACH)
def test_steps_follow_the_rule(name: str, settings: dict[str, Any]) -> None:
    check_steps(CASES[name], getattr(optim, name), settings)


@pytest.mark.parametrize(("name", "settings"), EACH)
def test_gradients_that_are_there_do_without_a_closure(name: str, settings: dict[str, Any]) -> None:
    p, case = parameter(), CASES[name]
    optimizer = getattr(optim, name)([p], **settings)
    if case.closure:
        with pytest.raises(TypeError, match="closure"):
            optimizer.step(None)
        return
    for expected in itertools.islice(case.rule(start(), gradient, **settings), 3):
        p.grad = mg.tensor(gradient(p.detach().numpy()))
        assert optimizer.step() is None
        np.testing.assert_allclose(p.detach().numpy(), expected, rtol=1e-9, atol=case.exactness)


@pytest.mark.parametrize(("name", "settings"), EACH)
def test_saved_state_goes_on_as_if_nothing_had_happened(name: str, settings: dict[str, Any]) -> None:
    p, make = parameter(), getattr(optim, name)
    optimizer = make([p], **settings)
    take_steps(optimizer, 4)
    twin = nn.Parameter(p.detach().clone())
    other = make([twin])
    other.load_state_dict(pickle.loads(pickle.dumps(optimizer.state_dict())))
    copied = copy.deepcopy(optimizer)
    assert copied.param_groups[0]["params"][0] is not p and repr(copied) == repr(optimizer)
    wanted = take_steps(optimizer, 4)
    for again in (other, copied):
        np.testing.assert_allclose(take_steps(again, 4), wanted, rtol=1e-12, atol=CASES[name].exactness)


@pytest.mark.parametrize(("name", "settings"), [p for p in EACH if not CASES[str(p.values[0])].closure])
def test_each_group_goes_by_settings_of_its_own(name: str, settings: dict[str, Any]) -> None:
    """Two groups do what two optimizers do; one that is added takes the defaults."""
    p, q, r = parameter(), parameter(6), parameter(7)
    both = getattr(optim, name)([{"params": [p], **settings}, {"params": q, "lr": 0.03}])
    both.add_param_group({"params": [r]})
    take_steps(both, 3)
    for mine, own in ((p, settings), (q, {"lr": 0.03}), (r, {})):
        alone = parameter({id(p): 5, id(q): 6, id(r): 7}[id(mine)])
        take_steps(getattr(optim, name)([alone], **own), 3)
        np.testing.assert_allclose(mine.detach().numpy(), alone.detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize(("name", "settings"), EACH)
def test_float32_and_what_has_no_gradient_stay(name: str, settings: dict[str, Any]) -> None:
    p, still = nn.Parameter(mg.tensor(start(), dtype=mg.float32)), nn.Parameter(mg.ones(2, 2))
    optimizer = getattr(optim, name)([p, still], **settings)

    def closure() -> Any:
        optimizer.zero_grad()
        total = loss(p)
        total.backward()
        return total

    for _ in range(3):
        optimizer.step(closure)
    assert p.dtype is mg.float32 and still.grad is None and still.tolist() == [[1, 1], [1, 1]]
    expected, = itertools.islice(CASES[name].rule(start(), gradient, **settings), 2, 3)
    np.testing.assert_allclose(p.detach().numpy(), expected, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize(("name", "settings", "text"), [(name, *bad) for name, case in CASES.items() for bad in case.bad])
def test_bad_settings_are_refused_with_the_promised_message(name: str, settings: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        getattr(optim, name)([parameter()], **settings)


@pytest.mark.parametrize("name", CASES)
def test_no_parameters_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="optimizer got an empty parameter list"):
        getattr(optim, name)([])


def test_asgd_averages_the_parameters_after_t0() -> None:
    p = parameter()
    optimizer = optim.ASGD([p], lr=0.05, t0=4)
    seen = take_steps(optimizer, STEPS)
    # Up to step t0 + 2 the average is the parameter itself; from then on each step counts alike, that one among them.
    np.testing.assert_allclose(optimizer.state[p]["ax"].numpy(), np.mean(seen[5:], axis=0), rtol=1e-6)


# ---------------------------------------------------------------------------------------------------- planted errors

@pytest.mark.parametrize(("name", "settings"), EACH)
def test_an_optimizer_that_is_wrong_on_purpose_is_caught(name: str, settings: dict[str, Any]) -> None:
    """Steps of the wrong sign, or a hundredth too long."""
    for factor in (-1.0, 1.01):
        class Wrong(getattr(optim, name)):  # type: ignore[misc]
            def step(self, closure: Any = None) -> Any:
                before = [p.detach().clone() for group in self.param_groups for p in group["params"]]
                result = super().step(closure)
                with mg.no_grad():
                    for p, old in zip([p for group in self.param_groups for p in group["params"]], before):
                        p.copy_(old + factor * (p - old))  # noqa: B023
                return result

        with pytest.raises(AssertionError):
            check_steps(CASES[name], Wrong, settings)
