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
FEWER = {"07_digits_cnn": 10}  # where rounding soon moves what max pooling chooses: in float64 all losses are the same
COMPARED = 40  # losses: rounding grows from step to step, and faster where two networks play against each other
# PyTorch wants to be told that a program that is started by itself is a group of one.
ALONE = {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}


def only_pytorch(file: Path) -> bool:
    """Whether a program imports nothing of minigrad that PyTorch has not."""
    names = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
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
                          env={**os.environ, **ALONE, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1",
                               "OPENBLAS_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    read: list[float] = json.loads(done.stdout.splitlines()[-1])
    return read


@pytest.mark.parity
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_losses_are_those_of_pytorch(name: str, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    ours, theirs = (losses(name, library, tmp_path / library) for library in ("minigrad", "torch"))
    compared = FEWER.get(name, COMPARED)
    assert len(ours[:compared]) == len(theirs[:compared])
    assert bool(ours) == (".backward(" in (FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    np.testing.assert_allclose(ours[:compared], theirs[:compared], rtol=2e-3, atol=1e-5)
