"""The same program on a CPU and on three GPUs that stand in for real ones."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from tests import standin  # noqa: F401  (registers the device "standin")
from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    done = run("26_devices")
    assert done.figures["accuracy"] > 0.6
    assert done.figures["difference"] < 1e-6
    assert "computing on c" in done.out


def test_on_several_devices(run: Run) -> None:
    done = run("26_devices", "--devices", "standin:0,standin:1,standin:2", "--images", "100", "--batch", "30", "--largest", "4")
    assert "computing on standin:0, standin:1, standin:2" in done.out
    assert 0 < done.figures["difference"] < 1e-6
    assert done.figures["loss"] < 2.25


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("26_devices")
    assert figures["accuracy"] > 0.96
    assert figures["difference"] == pytest.approx(0, abs=1e-6)
