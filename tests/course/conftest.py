"""Programs of the course, run as a user runs them, and what was measured when they ran in full."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import Any, Callable, Iterator, NamedTuple

import pytest
from tqdm import tqdm

import minigrad as mg
from minigrad.recording.call import REGISTRY

FOLDER = Path(__file__).parent.parent.parent / "examples"


class Done(NamedTuple):
    """What a program printed, the figures and the sentence it reported, and the folder it wrote into."""

    out: str
    figures: dict[str, Any]
    result: str
    folder: Path


Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Runs the program of this name with ``--quick`` in an empty folder; every picture it draws must be one."""
    before, modules = set(REGISTRY), set(sys.modules)
    threads = mg.get_num_threads()
    monkeypatch.setattr(tqdm, "monitor_interval", 0)  # without its thread, whose warnings would be errors here
    monkeypatch.syspath_prepend(str(FOLDER))

    def run_it(name: str, *arguments: str) -> Done:
        file = FOLDER / f"{name}.py"
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("sys.argv", [str(file), "--quick", *arguments])
        runpy.run_path(str(file), run_name="__main__")
        report, = tmp_path.glob("runs/*/result.json")
        kept = json.loads(report.read_text(encoding="utf-8"))
        assert kept["picture"] is None or (report.parent / kept["picture"]).exists()
        for picture in report.parent.glob("*.png"):
            assert picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size > 1000, picture.name
        out = capsys.readouterr().out
        assert kept["result"] in out
        return Done(out, kept["figures"], kept["result"], report.parent)

    yield run_it
    for name in set(REGISTRY) - before:
        del REGISTRY[name]
    for name in ("common", "data", "11_classic_cnns"):
        if name not in modules:
            sys.modules.pop(name, None)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
    mg.set_num_threads(threads)
    mg.set_hints("warn")


@pytest.fixture
def measured() -> Callable[[str], dict[str, Any]]:
    """Gives the figures that the program of this name reported when it ran in full, on real data."""
    def read(name: str) -> dict[str, Any]:
        return json.loads((FOLDER / "results" / f"{name}.json").read_text(encoding="utf-8"))["figures"]  # type: ignore[no-any-return]
    return read
