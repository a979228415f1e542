"""Every public layer and loss, by its entries in the table (``tests/module_cases``): one test for each promise and module."""

from __future__ import annotations

import inspect
import re
import warnings
from typing import Any

import pytest

import minigrad as mg
from minigrad import nn
from tests import (
    fake_cuda,
    module_checks,
    standin,  # noqa: F401  (registers the device "standin")
)
from tests.module_cases import Around, ModuleCase, all_cases

CASES = all_cases()
# Classes that others are made from: they have no forward of their own.
BASES = {"Module", "RNNBase", "RNNCellBase"}
PUBLIC = {name for name, found in vars(nn).items()
          if inspect.isclass(found) and issubclass(found, nn.Module) and not name.startswith("_")}
EACH = [pytest.param(case, id=f"{name}-{k}") for name, cases in sorted(CASES.items()) for k, case in enumerate(cases)]


def those(wanted: Any) -> list[Any]:
    return [p for p in EACH if wanted(p.values[0])]


def test_every_module_has_a_case_and_every_case_a_module() -> None:
    wanted = PUBLIC - BASES
    assert set(CASES) == wanted, f"untested: {sorted(wanted - set(CASES))}; not public: {sorted(set(CASES) - wanted)}"
    assert all(CASES.values())


def test_every_loss_has_a_module_and_is_compared_with_it() -> None:
    losses = {name for name in vars(nn.functional) if name.endswith("_loss")}
    losses |= {"cross_entropy", "binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div", "linear_cross_entropy"}
    assert set(nn.functional.losses.__all__) == losses
    used: set[str] = set()

    class Noted:
        def __getattr__(self, name: str) -> Any:
            used.add(name)
            return getattr(nn.functional, name)

    for case in [case for cases in CASES.values() for case in cases if case.functional]:
        case.functional(Noted(), module_checks.built(case), *module_checks.tensors(case.inputs))
    assert losses <= used, f"no module's case calls {sorted(losses - used)}"


@pytest.mark.parametrize("case", EACH)
def test_forward_is_the_reference_in_training_and_evaluation(case: ModuleCase) -> None:
    module_checks.check_forward(case)


@pytest.mark.parametrize("case", those(lambda case: not case.underivable))
def test_gradients_are_slopes(case: ModuleCase) -> None:
    module_checks.check_gradients(case)


@pytest.mark.parametrize("case", EACH)
def test_float32_stays_float32(case: ModuleCase) -> None:
    module_checks.check_float32(case)


@pytest.mark.parametrize("case", EACH)
def test_state_survives_saving_copying_and_pickling(case: ModuleCase) -> None:
    module_checks.check_state(case)


@pytest.mark.parametrize("case", those(lambda case: case.batch is not None))
def test_a_sample_without_its_batch(case: ModuleCase) -> None:
    module_checks.check_batch(case)


@pytest.mark.parametrize("case", those(lambda case: case.functional))
def test_the_function_does_the_same(case: ModuleCase) -> None:
    module_checks.check_functional(case)


@pytest.mark.parametrize("case", those(lambda case: case.bad))
def test_bad_input_is_refused_with_the_promised_message(case: ModuleCase) -> None:
    for bad in case.bad:
        message = module_checks.check_bad(case, bad)
        assert re.search(bad.match, message), message


@pytest.mark.parametrize("case", EACH)
def test_on_a_strict_stand_in_for_cupy(case: ModuleCase) -> None:
    """On a card, which is not the current one: CuPy would compute on that."""
    with fake_cuda.nothing_changes():
        module_checks.check_device(case, "standin:2")


@pytest.mark.parity
@pytest.mark.parametrize("case", EACH)
def test_it_prints_and_saves_what_pytorch_does(case: ModuleCase) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # PyTorch warns of NLLLoss2d
        mine = case.make(mg)
        kind = type(mine.inner if isinstance(mine, Around) else mine).__name__
        if not hasattr(torch.nn, kind):
            pytest.skip(f"PyTorch has no {kind}")
        theirs = case.make(torch)
    if isinstance(mine, Around):
        mine, theirs = mine.inner, theirs.inner
    assert repr(mine) == repr(theirs).replace("torch.FloatTensor", "torch.float32").replace("torch.float32", "minigrad.float32")
    assert list(mine.state_dict()) == list(theirs.state_dict())
