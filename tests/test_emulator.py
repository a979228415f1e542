"""What a training step asks of a GPU, counted on the emulated one; skipped elsewhere."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np
import pytest

import minigrad as mg
from benchmarks import workloads
from benchmarks.workloads.images import classifier, lenet_network
from tests import emulator

pytestmark = pytest.mark.skipif(not emulator.is_on(), reason="counts by the emulated GPU: python -m tests.emulator -m pytest")


def counted(step: Callable[[], Any]) -> emulator.Counts:
    """What one step asks for, after others."""
    for _ in range(2):
        step()
    before = emulator.counts()
    step()
    return emulator.Counts(*[b - a for a, b in zip(before, emulator.counts())])


def test_a_step_of_a_network_waits_for_the_gpu_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """To see that every class is one; nothing else in forward, backward and the optimizer's step looks at a value."""
    monkeypatch.setattr(workloads, "device", "cuda")
    images, labels = np.random.default_rng(0).standard_normal((2, 1, 28, 28)).astype(np.float32), np.array([3, 7])
    step, (batch,) = classifier(mg, lenet_network(mg.nn), [(images, labels)])
    found = counted(lambda: step(*batch))
    assert found.to_host == 1 and found.to_device <= 1  # the optimizer's list of arrays
    assert found.launches < 55 and found.products == 14


def test_what_is_not_read_is_not_waited_for() -> None:
    x = mg.randn(4, 4, device="cuda")

    def step() -> None:
        y = (x @ x).softmax(1)
        y[1:, 0].mul_(2)
        mg.cat([y, x]).sum()
        mg.where(y > 0, y, x).max(dim=1)

    assert counted(step).to_host == 0
