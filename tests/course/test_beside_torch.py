"""Programs that use PyTorch's API only run on PyTorch too: from the same weights, batches and noise their losses are the same."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.course.conftest import FOLDER
from tests.documents import ROOT

OWN = ("minigrad.autograd.explain", "minigrad.autograd.graph_memory", "minigrad.datasets", "minigrad.library", "minigrad.testing",
       "minigrad.vision", "minigrad.viz")
FIRST = 40  # losses; after them rounding has grown in some, most in the GPT, where Adam divides by roots of tiny squares
# PyTorch wants to be told that a program that is started by itself is a group of one.
ALONE = {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}


def only_pytorch(file: Path) -> bool:
    """Whether a program imports nothing of minigrad that PyTorch has not; what a function imports it does without."""
    names = []
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return not any(name == own or name.startswith(f"{own}.") for name in names for own in OWN)


PROGRAMS = [f.stem for f in sorted(FOLDER.glob("[0-9]*.py")) if only_pytorch(f)]


def run_on(library: str, name: str, folder: Path) -> tuple[list[float], dict[str, float]]:
    """What every ``backward`` of a quick run began with, and the figures that it reported."""
    folder.mkdir()
    done = subprocess.run([sys.executable, "-m", "tests.course.beside", name, library, "--quick"], cwd=folder, text=True,
                          capture_output=True, timeout=600,
                          env={**os.environ, **ALONE, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1",
                               "OPENBLAS_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    report, = folder.glob("runs/*/result.json")
    return json.loads(done.stdout.splitlines()[-1]), json.loads(report.read_text(encoding="utf-8"))["figures"]


@pytest.mark.parity
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_losses_are_those_of_pytorch(name: str, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    (ours, figures), (theirs, expected) = (run_on(library, name, tmp_path / library) for library in ("minigrad", "torch"))
    assert len(ours) == len(theirs)
    assert bool(ours) == (".backward(" in (FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    np.testing.assert_allclose(ours[:FIRST], theirs[:FIRST], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(ours, theirs, rtol=1e-2, atol=1e-6)
    if not ours:  # it learns without derivatives
        assert figures == pytest.approx(expected, rel=1e-3, abs=1e-5)
