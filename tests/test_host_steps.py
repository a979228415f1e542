"""The kernels of optimizers' steps, which numba compiles, beside what the optimizers compose of NumPy's functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad._arrays import host
from minigrad._arrays.kernels import STEPS as RULES_OF_GPUS
from minigrad.optim import sgd

pytest.importorskip("numba", reason="needs numba, the extra 'fast'")

from minigrad._arrays.host import kernels, optimizers, threads  # noqa: E402
from tests.test_host import Witness, random, several_threads, witness  # noqa: E402, F401  (witness is a fixture)

STEPS = [("SGD", {}), ("SGD", {"weight_decay": 0.1, "maximize": True}), ("SGD", {"momentum": 0.9}),
         ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}), ("SGD", {"momentum": 0.9, "dampening": 0.5}),
         ("Adam", {}), ("Adam", {"weight_decay": 0.1, "maximize": True}), ("Adam", {"amsgrad": True}), ("AdamW", {}),
         ("AdamW", {"amsgrad": True, "eps": 1e-3}), ("NAdam", {}),
         ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}), ("RAdam", {}),
         ("RAdam", {"betas": (0.5, 0.6), "weight_decay": 0.1}), ("Adamax", {}), ("Adamax", {"weight_decay": 0.1}),
         ("Adagrad", {}), ("Adagrad", {"weight_decay": 0.1, "lr_decay": 0.1}), ("RMSprop", {}), ("RMSprop", {"maximize": True})]


def steps(name: str, settings: Any, params: Any, gradients: Any) -> Any:
    """Where an optimizer moves `params`, and its state."""
    params = [mg.nn.Parameter(mg.from_numpy(p.copy())) for p in params]
    optimizer = getattr(mg.optim, name)(params, lr=0.01, **settings)
    for step in range(3):
        for p, g in zip(params, gradients):
            p.grad = mg.from_numpy((g * (step + 1)).astype(p.array.dtype))
        optimizer.step()
    return [x for p in params for x in (p.detach().numpy(), *[t.numpy() for t in optimizer.state[p].values()])]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "settings"), STEPS)
def test_steps_by_kernels_and_compositions_agree(name: str, settings: Any, dtype: Any, witness: Witness,  # noqa: F811
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sgd, "BLOCK", 0)  # below which plain steps go by NumPy
    sizes = (2 * threads.GRAIN + 3,), (3, 5), (7,), (2, 2), (1,)
    params, gradients = [[random(*size).astype(dtype) for size in some] for some in (sizes, sizes[::-1])]
    gradients = [np.resize(g, p.shape) for p, g in zip(params, gradients)]
    gradients[0][:6] = np.nan, np.inf, -np.inf, 0, 1e-30, -1e15
    with mg.backends.numba.flags(enabled=False):
        wanted = steps(name, settings, [p.astype(np.float64) for p in params], gradients)
    assert not witness.applied
    with several_threads(2):
        monkeypatch.setattr(host.switch, "least", 0)
        found = steps(name, settings, params, gradients)
    assert witness.applied - {"moves_together"} == {"moves"}
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=8 * np.finfo(dtype).eps, atol=8 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "settings"), [*STEPS, ("RMSprop", {"centered": True}), ("Adadelta", {})])
def test_a_step_has_the_same_bits_by_kernels_and_without(name: str, settings: Any, dtype: Any,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    moved: set[int] = set()
    together = kernels.HostKernels.move_together

    def seen(self: Any, rule: str, like: Any, addresses: Any, *others: Any) -> None:
        moved.add(len(addresses))
        together(self, rule, like, addresses, *others)

    monkeypatch.setattr(kernels.HostKernels, "move_together", seen)
    params = [random(*size).astype(dtype) for size in ((9000,), (3, 5), (7,), (1, 1), (2, 2), (1,))]
    gradients = [random(*p.shape).astype(dtype) for p in params]
    gradients[1][0, :4] = np.nan, np.inf, -np.inf, 0
    assert host.switch.found() is not host.NONE
    found = steps(name, settings, params, gradients)
    with mg.backends.numba.flags(enabled=False):
        wanted = steps(name, settings, params, gradients)
    plain = name == "SGD" and not settings.get("momentum")  # which has no state
    assert moved == (set() if plain or name == "Adadelta" or settings.get("centered") else {5})
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, other)


def test_steps_take_any_layout_of_a_gradient_and_leave_other_layouts_alone(witness: Witness) -> None:  # noqa: F811
    t = mg.from_numpy
    for p, g, taken in ((random(4, 3), t(random(3, 4)).T, True), (random(4, 3), t(random(4, 6))[:, ::2], True),
                        (random(3, 4).T, t(random(4, 3)), False), (random(4, 3), t(random(3)).expand(4, 3), True)):
        witness.applied.clear()
        parameter = mg.nn.Parameter(t(p.copy("K")))
        parameter.grad = g
        mg.optim.SGD([parameter], lr=1.0, momentum=0.9).step()
        np.testing.assert_array_equal(parameter.detach().numpy(), p - g.numpy())
        assert (witness.applied == {"moves"}) is taken


def test_every_kernel_is_compared(monkeypatch: pytest.MonkeyPatch, witness: Witness) -> None:  # noqa: F811
    met: set[str] = set()
    moves = kernels.HostKernels.moves
    monkeypatch.setattr(kernels.HostKernels, "moves", lambda self, rule, *arrays: (met.add(rule), moves(self, rule, *arrays))[1])
    monkeypatch.setattr(sgd, "BLOCK", 0)
    for name, settings in STEPS:
        steps(name, settings, [random(3)], [random(3)])
    assert met == set(optimizers.RULES) >= set(RULES_OF_GPUS)
