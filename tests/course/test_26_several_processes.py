"""Gradients averaged by hand and by DistributedDataParallel: in one process here, in two in tests/test_processes.py."""

from __future__ import annotations

from typing import Any, Callable

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    done = run("26_several_processes")
    hand, module = done.figures.values()
    assert hand == module and hand["processes"] == 1
    assert hand["loss"] < 1.2 and hand["accuracy"] > 0.5
    assert done.out.count("weights equal everywhere: True") == 2


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    hand, module = measured("26_several_processes").values()
    assert hand == module and hand["processes"] == 2 and hand["accuracy"] > 0.88
