"""Drawings through Graphviz's own program, where it is installed; and what happens where it fails."""

from __future__ import annotations

import shutil
import stat
import warnings
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import minigrad as mg
from minigrad import viz
from minigrad.viz.boxes import box_of
from minigrad.viz.colours import Scale
from tests.viz.models import PROGRAMS
from tests.viz.test_outputs import HOSTILE, texts_of

real = pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz's program dot, which is not installed")


@pytest.fixture
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the current one and the one for temporary files."""
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def recorded(name: str) -> Any:
    with viz.record() as r:
        model, loss = PROGRAMS[name]()
        loss.backward()
    return model, loss, r


@real
@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_drawing_goes_through_dot(name: str, direction: str, clean: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model, loss, r = recorded(name)
    for drawing in (viz.draw(loss, model=model, direction=direction), viz.draw(loss, budget=300), r.draw(direction=direction)):
        svg = drawing.by_dot("svg")
        assert svg is not None
        shown = set(texts_of(svg.decode()))
        assert {box_of(drawing.graph, b, Scale()).title for b in drawing.fold.boxes} <= shown
        assert drawing.png().startswith(b"\x89PNG") and drawing.pdf().startswith(b"%PDF")
    assert not list(clean.iterdir())
    assert capfd.readouterr() == ("", "")


@real
@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_dot_shows_any_name(name: str, clean: Path) -> None:
    x = mg.ones(2, requires_grad=True)
    drawing = viz.draw((x * 2).sum(), params={name: x})
    shown = texts_of(drawing.svg())
    plain = box_of(drawing.graph, drawing.fold.boxes[0], Scale()).title
    assert any(text[:2] == plain[:2] or "\ufffd" in text for text in shown)
    assert not list(clean.iterdir())


@real
def test_what_failed_and_what_is_not_finite_is_drawn_by_dot() -> None:
    with pytest.raises(RuntimeError), viz.record() as r:
        y = mg.tensor([0.0, 1.0], requires_grad=True).log()
        y @ mg.ones(3)
    root = ElementTree.fromstring(r.draw().svg())
    assert any("not finite" in (e.text or "") for e in root.iter()) and any("ShapeError" in (e.text or "") for e in root.iter())


def test_a_dot_that_fails_is_done_without_and_the_warning_points_here(clean: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = clean / "dot"
    program.write_text("#!/bin/sh\necho 'no such form' >&2\nexit 1\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{clean}:/bin:/usr/bin")
    drawing = viz.draw((mg.ones(2, requires_grad=True) * 2).sum())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        svg = drawing.svg()
    assert "mul" in texts_of(svg)
    assert [(w.filename, "no such form" in str(w.message)) for w in caught] == [(__file__, True)]
    assert [p.name for p in clean.iterdir()] == ["dot"]
