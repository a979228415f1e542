"""Every way gains; by how much is told with its error."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    done = run("24_gains")
    assert list(done.figures) == ["plain", "ensemble", "falling rate", "augmentation", "falling rate on top of it",
                                  "all together", "from nothing", "transferred", "frozen"]
    figures = done.figures
    assert figures["ensemble"]["misread"] < 40
    assert figures["transferred"]["misread"] < figures["from nothing"]["misread"]
    for way in ("ensemble", "falling rate", "augmentation", "all together"):
        assert figures["plain"]["misread"] - figures[way]["gain"] == pytest.approx(figures[way]["misread"])


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("24_gains")
    for way in ("ensemble", "augmentation", "all together", "transferred", "frozen"):
        assert figures[way]["gain"] > 2 * figures[way]["error"] > 0, way
