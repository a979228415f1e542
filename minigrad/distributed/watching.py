"""Which process of a job was the first to end, where it could not say so itself: on Linux, of those on this machine."""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

__all__ = ["FOLDER", "begin_watching", "can_watch", "note_process"]

FOLDER = "MINIGRAD_RUN_FOLDER"  # the variable that says where processes note that they have begun, and that they have ended


def can_watch() -> bool:
    """Whether the end of processes that are not one's own can be waited for here."""
    return hasattr(os, "pidfd_open")


def begin_watching(processes: int) -> str:
    """Start a process that watches those which this one is about to become; returns the folder where they make their notes.

    It is nobody's child, so that ``mpiexec``, which this process becomes, has none that it does not know.
    """
    folder, job = tempfile.mkdtemp(prefix="minigrad-run-"), os.getpid()
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return folder
    if os.fork():
        os._exit(0)
    try:
        watch(Path(folder), job, processes)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)


def note_process(folder: str, rank: str) -> None:
    """Note that this is process `rank`, and at its end that it has come to that by itself."""
    here = Path(folder)
    with contextlib.suppress(OSError):  # on another machine there is no such folder
        (here / f"{rank}.new").write_text(str(os.getpid()))
        os.replace(here / f"{rank}.new", here / f"{rank}.begun")
        atexit.register(note_end, here / f"{rank}.ended", os.getpid())


def note_end(file: Path, process: int) -> None:
    if os.getpid() == process:  # and not in one that was forked from it
        with contextlib.suppress(OSError):
            file.touch()


def watch(folder: Path, job: int, processes: int) -> None:
    """Wait for the end of `job`. Where a process ends before its program has, say on standard error which was the first."""
    interrupted: list[int] = []  # a Ctrl-C is one of all processes
    signal.signal(signal.SIGINT, lambda number, frame: interrupted.append(number))
    descriptors: dict[int, Any] = {os.pidfd_open(job): None}
    waiting = select.poll()
    for descriptor in descriptors:
        waiting.register(descriptor, select.POLLIN)
    until = time.monotonic() + 60  # in which processes are to begin; later ones are not looked for
    known: set[str] = set()
    while True:
        for file in folder.glob("*.begun") if len(known) < processes and time.monotonic() < until else ():
            if file.stem not in known:
                known.add(file.stem)
                with contextlib.suppress(OSError):  # it has ended already
                    descriptor = os.pidfd_open(int(file.read_text()))
                    descriptors[descriptor] = (file.stem, file.read_text())
                    waiting.register(descriptor, select.POLLIN)
        for descriptor, _ in waiting.poll(50 if len(known) < processes and time.monotonic() < until else None):
            if interrupted:
                say(f"interrupted; its {processes} processes end")
                return
            if descriptors[descriptor] is None:
                return
            rank, process = descriptors.pop(descriptor)
            waiting.unregister(descriptor)
            os.close(descriptor)
            if not (folder / f"{rank}.ended").exists():
                say(f"process {rank} of {processes} (process id {process}) was the first to end, before its program did")
                return


def say(words: str) -> None:
    print(f"python -m minigrad run: {words}", file=sys.stderr, flush=True)
