"""A check that cannot fail is worthless: layers that are wrong on purpose must be caught."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from tests import module_checks
from tests.module_cases import ModuleCase
from tests.test_module_table import EACH, those


def caught(check: Callable[..., None], case: ModuleCase, plant: Callable[[Any], Any]) -> bool:
    """Whether `check` fails for the case's module once `plant` has spoiled it."""
    def make(t: Any) -> Any:
        module = case.make(t)
        plant(module)
        return module

    try:
        check(case, make)
    except (AssertionError, RuntimeError):
        return True
    return False


def spoiled(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Spoils a module: `change` of each of its floating results takes their place."""
    def replace(out: Any) -> Any:
        return module_checks.each(out, lambda y: change(y) if y.is_floating_point() else y)

    return lambda module: module.register_forward_hook(lambda m, inputs, out: replace(out))


def steeper(y: Any) -> Any:
    """`y` itself, with a gradient that is a hundredth too large."""
    y = y * 1
    if y.requires_grad:
        y.register_hook(lambda g: g * 1.01)
    return y


def forgetful(module: Any) -> None:
    """The module without its last parameter or buffer in what it saves."""
    def forget(m: Any, saved: Any, prefix: str, metadata: Any) -> None:
        saved.popitem()

    module.register_state_dict_post_hook(forget)


def writing(module: Any) -> None:
    """The module, changing its first input."""
    def write(m: Any, inputs: Any) -> None:
        first = module_checks.leaves(inputs)[0]
        first.copy_(first * 1.001 if first.is_floating_point() else first.flip(0) * 0)

    module.register_forward_pre_hook(write)


def always_training(module: Any) -> None:
    """The module, deaf to ``eval()``."""
    module.register_forward_pre_hook(lambda m, inputs: [setattr(part, "training", True) for part in m.modules()] and None)


@pytest.mark.parametrize("case", EACH)
def test_a_wrong_forward_is_caught(case: ModuleCase) -> None:
    assert not caught(module_checks.check_forward, case, spoiled(lambda y: y * 1))
    assert caught(module_checks.check_forward, case, spoiled(lambda y: y * 1.001))


@pytest.mark.parametrize("case", EACH)
def test_a_changed_input_is_caught(case: ModuleCase) -> None:
    assert caught(module_checks.check_forward, case, writing)


@pytest.mark.parametrize("case", those(lambda case: case.evaluated))
def test_a_module_deaf_to_its_mode_is_caught(case: ModuleCase) -> None:
    assert caught(module_checks.check_forward, case, always_training)


@pytest.mark.parametrize("case", those(lambda case: not case.underivable))
def test_a_wrong_gradient_is_caught(case: ModuleCase) -> None:
    assert caught(module_checks.check_gradients, case, spoiled(steeper))


@pytest.mark.parametrize("case", EACH)
def test_a_wider_result_is_caught(case: ModuleCase) -> None:
    assert caught(module_checks.check_float32, case, spoiled(lambda y: y.double()))


@pytest.mark.parametrize("case", those(lambda case: module_checks.state_of(module_checks.built(case))))
def test_a_parameter_missing_from_the_state_is_caught(case: ModuleCase) -> None:
    assert caught(module_checks.check_state, case, forgetful)


@pytest.mark.parametrize("case", those(lambda case: case.batch is not None))
def test_a_batch_that_matters_is_caught(case: ModuleCase) -> None:
    assert caught(module_checks.check_batch, case, spoiled(lambda y: y * (1 + 0.001 * y.ndim)))
