from __future__ import annotations

from typing import Any, Callable

import pytest

from tests.course.conftest import Run


def test_quick(run: Run) -> None:
    pytest.importorskip("tensorboardX")
    done = run("13_watching")
    assert done.figures["lenet"] > 0.4 > done.figures["sigmoid"]
    fewest, most = done.figures["complaints"]
    assert fewest < most
    assert "The gradient vanishes on its way back" in done.result
    pages = {"LeNet.html", "deep sigmoid.html", "filters.html", "maps.html"}
    assert {page.name for page in done.folder.glob("*.html")} == pages
    for page in pages:
        assert (done.folder / page).read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    for title in ("LeNet", "deep sigmoid"):
        events, = (done.folder / "tensorboard" / title).glob("events.*")
        assert events.stat().st_size > 10_000


def test_measured(measured: Callable[[str], dict[str, Any]]) -> None:
    figures = measured("13_watching")
    assert figures["lenet"] >= 0.95
    assert figures["sigmoid"] < 0.2
    assert figures["complaints"][0] == 0
