"""Programs in the styles of well-known examples run unmodified, and learn; where PyTorch is installed, on it too.

The programs in ``tests/programs/`` were written for this test, in the ways in which public ones are written: what stopped one of
those at some time is in one of these. Their data are made here.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.documents import ROOT

FOLDER = ROOT / "tests" / "programs"
TEXT = "the cat sat on the mat and the dog sat on the log , then the cat saw the dog and ran to the mat . "


def text_file(folder: Path) -> list[str]:
    (folder / "text.txt").write_text(TEXT * 20)
    return ["text.txt"]


def numbers_file(folder: Path) -> list[str]:
    letters = sorted(set(TEXT))
    np.array([letters.index(c) for c in TEXT * 20], np.uint16).tofile(folder / "train.bin")
    return ["--data=train.bin"]


def folder_of_images(folder: Path) -> list[str]:
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    rng = np.random.default_rng(0)
    for kind, colour in (("blue", 2), ("red", 0)):
        (folder / "images" / kind).mkdir(parents=True)
        for k in range(8):
            pixels = rng.integers(0, 120, (70, 80, 3))
            pixels[..., colour] += 120
            image.fromarray(pixels.astype(np.uint8)).save(folder / "images" / kind / f"{k}.png")
    return ["images"]


# For each run: the program, what makes its data and says where they are, further arguments, the packages it takes.
RUNS: dict[str, tuple[str, Any, list[str], list[str]]] = {
    "words-LSTM": ("words.py", text_file, ["--model", "LSTM"], []),
    "words-GRU": ("words.py", text_file, ["--model", "GRU"], []),
    "words-Transformer": ("words.py", text_file, ["--model", "Transformer"], []),
    "characters": ("characters.py", numbers_file, [], []),
    "hogwild": ("hogwild.py", lambda folder: [], [], []),
    "photographs": ("photographs.py", folder_of_images, [], ["PIL", "tqdm"]),
}


def run(runner: list[str], program: str, arguments: list[str], folder: Path, **environment: str) -> tuple[float, float]:
    """The loss at the beginning and at the end, which every one of these programs prints."""
    done = subprocess.run([sys.executable, *runner, str(FOLDER / program), *arguments], cwd=folder, text=True,
                          capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), **environment})
    assert done.returncode == 0, done.stderr[-3000:]
    found = re.search(r"first ([\d.]+) last ([\d.]+)", done.stdout)
    assert found, done.stdout
    return float(found[1]), float(found[2])


@pytest.mark.parametrize("name", RUNS)
def test_a_program_learns(name: str, tmp_path: Path) -> None:
    program, make, arguments, packages = RUNS[name]
    for package in packages:
        pytest.importorskip(package, reason=f"{package} is not installed")
    first, last = run(["-m", "minigrad", "run-torch"], program, [*make(tmp_path), *arguments], tmp_path)
    assert last < 0.9 * first


def test_a_program_goes_on_where_it_was_saved(tmp_path: Path) -> None:
    arguments = numbers_file(tmp_path)
    first, last = run(["-m", "minigrad", "run-torch"], "characters.py", arguments, tmp_path)
    arguments += ["--init_from=resume", "--compile=False"]
    again, _ = run(["-m", "minigrad", "run-torch"], "characters.py", arguments, tmp_path)
    assert again < 0.95 * first and abs(again - last) < 0.3 * (first - last)


def test_a_program_for_several_processes_runs_as_one(tmp_path: Path) -> None:
    first, last = run(["-m", "minigrad", "run-torch"], "characters.py", numbers_file(tmp_path), tmp_path,
                      RANK="0", WORLD_SIZE="1", LOCAL_RANK="0")
    assert last < 0.9 * first


@pytest.mark.parity
@pytest.mark.parametrize("name", RUNS)
def test_the_programs_are_pytorchs(name: str, tmp_path: Path) -> None:
    program, make, arguments, packages = RUNS[name]
    for package in ("torch", *packages, *(["torchvision"] if name == "photographs" else [])):
        if find_spec(package) is None:
            pytest.skip(f"needs {package}, which is not installed")
    if name == "photographs" and subprocess.run([sys.executable, "-c", "import torchvision"], capture_output=True).returncode:
        pytest.skip("the installed torchvision is of another build than PyTorch")
    first, last = run([], program, [*make(tmp_path), *arguments], tmp_path)
    assert last < 0.9 * first
