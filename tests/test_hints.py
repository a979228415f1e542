"""Hints at common mistakes: given once, silenced, or made errors."""

from __future__ import annotations

import warnings
from typing import Any, Iterator

import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.nn import functional as F


@pytest.fixture(autouse=True)
def usual_hints() -> Iterator[None]:
    yield
    mg.set_hints("warn")


def step(p: Any, optimizer: Any) -> None:
    (p * p).sum().backward()
    optimizer.step()


def hints_of(action: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        action()
    return [str(w.message) for w in caught]


def test_shapes_of_a_loss() -> None:
    found = hints_of(lambda: F.mse_loss(mg.ones(3, 1), mg.ones(3)))
    assert len(found) == 1
    assert "target.unsqueeze(-1)" in found[0]
    mg.set_hints("off")
    assert hints_of(lambda: F.mse_loss(mg.ones(3, 1), mg.ones(3))) == []
    mg.set_hints("strict")
    with pytest.raises(RuntimeError, match=r"target size \(\[3\]\) that is different to the input size \(\[3, 1\]\).*unsqueeze"):
        F.mse_loss(mg.ones(3, 1), mg.ones(3))


def test_a_step_without_gradients_is_hinted_at_once() -> None:
    optimizer = optim.SGD([mg.ones(2, requires_grad=True)], lr=0.1)
    found = hints_of(lambda: [optimizer.step() for _ in range(3)])
    assert len(found) == 1
    assert "Call loss.backward() before step()" in found[0]


def test_a_forgotten_zero_grad_is_hinted_at_once() -> None:
    p = mg.ones(2, requires_grad=True)
    optimizer = optim.SGD([p], lr=0.1)
    found = hints_of(lambda: [step(p, optimizer) for _ in range(4)])
    assert len(found) == 1
    assert "Call optimizer.zero_grad() before loss.backward()" in found[0]


@pytest.mark.parametrize("zero", [
    lambda p, o: o.zero_grad(), lambda p, o: o.zero_grad(set_to_none=False), lambda p, o: p.grad.zero_(),
    lambda p, o: setattr(p, "grad", None), lambda p, o: p.grad.mul_(0),
])
def test_every_way_of_zeroing_is_one(zero: Any) -> None:
    p = mg.ones(2, requires_grad=True)
    optimizer = optim.SGD([p], lr=0.1)

    def train() -> None:
        for _ in range(4):
            step(p, optimizer)
            zero(p, optimizer)
    assert hints_of(train) == []


def test_gradients_accumulated_over_small_batches_are_no_mistake() -> None:
    p = mg.ones(2, requires_grad=True)
    optimizer = optim.SGD([p], lr=0.1)

    def train() -> None:
        for _ in range(4):
            (p * 2).sum().backward()
            step(p, optimizer)
            optimizer.zero_grad()
    assert hints_of(train) == []


@pytest.mark.parametrize(("value", "right"), [
    (lambda: [nn.Linear(1, 1)], "nn.ModuleList"), (lambda: {"a": nn.Linear(1, 1)}, "nn.ModuleDict"),
    (lambda: (nn.Parameter(mg.ones(1)),), "nn.ParameterList"),
])
def test_parameters_in_a_plain_container(value: Any, right: str) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.parts = value()

    found = hints_of(Net)
    assert len(found) == 1
    assert right in found[0]
    assert "Net.parts" in found[0]


def test_modes_are_checked() -> None:
    assert mg.get_hints() == "warn"
    with pytest.raises(TypeError, match="must be one of"):
        mg.set_hints("loud")
