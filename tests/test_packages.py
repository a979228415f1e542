"""Packages that people install beside PyTorch compute on minigrad, unmodified, what they compute on PyTorch."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.documents import ROOT
from tests.package_programs import PROGRAMS


def run(library: str, name: str, file: Path) -> dict[str, np.ndarray]:
    done = subprocess.run([sys.executable, "-m", "tests.package_programs", library, name, str(file)], cwd=ROOT, text=True,
                          capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr[-3000:]
    with np.load(file) as arrays:
        return dict(arrays)


@pytest.mark.parity
@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_package_computes_the_same_on_both(name: str, tmp_path: Path) -> None:
    for needed in ("torch", name):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"needs {needed}, which is not installed")
    theirs, ours = (run(library, name, tmp_path / f"{library}.npz") for library in ("torch", "minigrad"))
    assert ours.keys() == theirs.keys()
    for key, expected in theirs.items():
        assert ours[key].dtype == expected.dtype and ours[key].shape == expected.shape, key
        np.testing.assert_allclose(ours[key], expected, rtol=1e-4, atol=1e-5, err_msg=key)
