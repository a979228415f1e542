"""The user's NumPy settings are the user's: they change no result, and nothing of ours changes them."""

from __future__ import annotations

from typing import Any, Iterator

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from tests.optimizer_cases import CASES


@pytest.fixture(autouse=True)
def numpy_raises() -> Iterator[None]:
    with np.errstate(all="raise"):
        yield


HUGE = [1e30, -1e38, 1e-30, 0.0]


@pytest.mark.parametrize("name", sorted(CASES))
def test_optimizers_step_over_any_gradient(name: str) -> None:
    p = mg.nn.Parameter(mg.tensor([HUGE, HUGE]) if name == "Muon" else mg.tensor(HUGE))
    optimizer = getattr(optim, name)([p])
    for gradient in (p.detach() * 1e8, p.detach() * 1e-12, mg.zeros_like(p), mg.full_like(p, mg.inf)):
        p.grad = gradient.clone()
        optimizer.step(lambda: mg.tensor(0.0)) if name == "LBFGS" else optimizer.step()


@pytest.mark.parametrize("norm", [2.0, 1.0, 3.0, mg.inf])
def test_clipping_takes_any_gradient(norm: float) -> None:
    p = mg.tensor(HUGE, requires_grad=True)
    p.grad = mg.tensor([1e38, 1e38, 1e-38, 0.0])
    nn.utils.clip_grad_norm_([p], 1.0, norm)
    p.grad = mg.tensor([1e38, 1e38, 1e-38, 0.0])
    nn.utils.clip_grad_value_([p], 1.0)
    p.grad = mg.zeros(4)
    nn.utils.clip_grad_norm_([p], 1.0, norm)


def test_gradients_add_up_beyond_what_fits() -> None:
    x = mg.tensor([3e38, 1.0], requires_grad=True)
    for _ in range(2):
        (x * 3e38).sum().backward()
    assert x.grad.tolist() == [mg.inf, mg.inf]


@pytest.mark.parametrize("write", [
    lambda x: x.mul_(1e38), lambda x: x.div_(0), lambda x: x.copy_(mg.tensor([1e300, 1e-300], dtype=mg.float64)),
    lambda x: x.__setitem__(0, 1e300), lambda x: x.fill_(1e300), lambda x: x.normal_(), lambda x: x.half(), lambda x: x * 1e300,
    lambda x: mg.tensor([1e300, 1e-50], dtype=mg.float32), lambda x: mg.full((2,), 1e300, dtype=mg.float16),
    lambda x: mg.add(x, x, out=mg.empty(2, dtype=mg.float16)), lambda x: x.exp_(), lambda x: x.log().sum().item(),
    lambda x: mg.randn(10_000, dtype=mg.float16), lambda x: x.int(), lambda x: repr(x * 1e-40), lambda x: x.to(mg.uint8),
])
def test_what_overflows_or_vanishes_is_a_value(write: Any) -> None:
    write(mg.tensor([1e30, 1e-30]))


def test_training_beyond_what_fits() -> None:
    """A batch norm, a softmax and a loss of scores that overflow; the result is nan, as in PyTorch, and nothing is raised."""
    model = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 3))
    optimizer = optim.Adam(model.parameters(), lr=1e30)
    for _ in range(3):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(mg.randn(5, 2)) * 1e20, mg.tensor([0, 1, 2, 0, 1]))
        loss.backward()
        optimizer.step()
    assert not np.isfinite(loss.item())


def test_settings_are_left_alone() -> None:
    before = np.geterr()
    test_training_beyond_what_fits()
    assert np.geterr() == before
