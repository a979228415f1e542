"""Programs in several processes, started as users start them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from minigrad.distributed import is_mpi_available
from minigrad.distributed.run import find_launcher
from minigrad.errors import MissingPackageError

HERE = Path(__file__).parent
LIMIT = 240  # seconds, of which a test needs a few


def has_mpi() -> bool:
    try:
        return is_mpi_available() and bool(find_launcher())
    except MissingPackageError:
        return False


needs_mpi = pytest.mark.skipif(not has_mpi(), reason="there is no MPI: mpi4py, its library and mpiexec")


def start(processes: int, program: str, *arguments: str, folder: Path | None = None) -> subprocess.Popen[str]:
    """Start a file beside this one in `processes` processes, in a group of processes of their own, and in this folder."""
    root = str(HERE.parent.parent)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]), "OMP_NUM_THREADS": "1",
                   "STANDIN_GPUS": str(processes), "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    command = [sys.executable, "-m", "minigrad", "run", "-n", str(processes), str(HERE / program), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                            env=environment, cwd=folder, start_new_session=True)


def launch(processes: int, program: str, *arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run it, and return what it has printed. None of its processes is left."""
    with start(processes, program, *arguments, folder=folder) as job:
        try:
            out, err = job.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(job.pid, signal.SIGKILL)
            out, err = job.communicate()
            raise AssertionError(f"{program} did not end:\n{out}\n{err}") from None
    return subprocess.CompletedProcess(job.args, job.returncode, out, err)


def check(processes: int, program: str, *arguments: str, folder: Path | None = None) -> str:
    """What a program that must succeed has printed."""
    done = launch(processes, program, *arguments, folder=folder)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout
