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

OWN = ("minigrad.datasets", "minigrad.recording", "minigrad.testing", "minigrad.vision", "minigrad.viz")
COMPARED = 40  # losses: rounding grows from step to step, and faster where two networks play against each other
# Adam divides gradients that are hardly more than rounding by their own size; in float64 all their losses agree to 1e-11.
FEWER = {"21_deep_dream": 12, "21_style_transfer": 12, "22_segmentation": 25}


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


def losses(name: str, library: str, folder: Path) -> list[float]:
    """What every ``backward`` of a quick run began with."""
    folder.mkdir()
    done = subprocess.run([sys.executable, "-m", "tests.course.beside", name, library, "--quick"], cwd=folder, text=True,
                          capture_output=True, timeout=600,
                          env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    read: list[float] = json.loads(done.stdout.splitlines()[-1])
    return read


@pytest.mark.parity
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_losses_are_those_of_pytorch(name: str, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    ours, theirs = (losses(name, library, tmp_path / library) for library in ("minigrad", "torch"))
    count = FEWER.get(name, COMPARED)
    assert len(ours[:count]) == len(theirs[:count]) > 0
    np.testing.assert_allclose(ours[:count], theirs[:count], rtol=2e-3, atol=1e-5)
