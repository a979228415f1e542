"""``python -m minigrad run``: a thin word for MPI's ``mpiexec``, with the environment that programs know from ``torchrun``."""

from __future__ import annotations

import atexit
import os
import runpy
import shutil
import sys
from pathlib import Path
from typing import NoReturn

from minigrad.distributed import mpi, process_group, watching
from minigrad.errors import MissingPackageError

__all__ = ["find_launcher", "start"]

# What torchrun calls what a process finds in its environment, and what Open MPI, MPICH, PMIx and MVAPICH call it.
NAMES = {"RANK": ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "MV2_COMM_WORLD_RANK"),
         "WORLD_SIZE": ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE"),
         "LOCAL_RANK": ("OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "MV2_COMM_WORLD_LOCAL_RANK"),
         "LOCAL_WORLD_SIZE": ("OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", "MV2_COMM_WORLD_LOCAL_SIZE")}


def find_launcher() -> list[str]:
    """The command of ``mpiexec`` that belongs to the library that mpi4py uses. Raises ``ImportError`` where there is none."""
    is_open_mpi = "Open MPI" in mpi.library().Get_library_version()
    names = ["mpiexec.openmpi"] if is_open_mpi else ["mpiexec.mpich", "mpiexec.hydra"]
    beside = Path(sys.executable).parent / "mpiexec"  # of a library that pip has installed
    places = [str(beside)] if beside.exists() and not (is_open_mpi and shutil.which(names[0])) else []
    found = next(filter(None, map(shutil.which, [*places, *names, "mpiexec", "mpirun"])), None)
    if found is None:
        raise MissingPackageError("there is no mpiexec to start processes with: install Open MPI or MPICH from your distribution "
                                  "(openmpi-bin, mpich), or by pip (pip install mpich)")
    return [found, "--oversubscribe"] if is_open_mpi else [found]


def start(processes: int, program: str, arguments: list[str], is_module: bool = False) -> NoReturn:
    """Become ``mpiexec``, with `processes` processes that run the file, or module, `program`, each with an equal share of the
    processors for NumPy's threads unless ``OMP_NUM_THREADS`` says otherwise."""
    share = max(1, (os.cpu_count() or 1) // processes)
    environment = {"OMP_NUM_THREADS": str(share), **os.environ}
    launcher = find_launcher()
    each = [sys.executable, "-m", "minigrad.distributed.run", *(["-m"] if is_module else []), program, *arguments]
    command = [*launcher, "-n", str(processes), *each]
    if watching.can_watch():
        environment[watching.FOLDER] = watching.begin_watching(processes)
    os.execvpe(command[0], command, environment)


def run_here() -> None:
    """Run the program that the command line names, as one of the processes. What it raises, or an exit with another status than
    0, ends them all: mpi4py does that."""
    for name, others in NAMES.items():
        value = next((os.environ[other] for other in others if other in os.environ), None)
        if value is not None:
            os.environ.setdefault(name, value)
    folder, rank = os.environ.pop(watching.FOLDER, ""), os.environ.get("RANK")
    if folder and rank is not None:
        watching.note_process(folder, rank)
    try:
        runpy.run_module("mpi4py", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code not in (None, 0):
            atexit.unregister(process_group.leave)  # mpi4py ends the job
        raise


if __name__ == "__main__":
    run_here()
