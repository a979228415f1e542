"""Which process of a job was the first to end, where it could not say so itself: on Linux, of those on this machine.

Each process holds the end of a pipe of its own, which closes when it ends: before ``mpiexec`` can notice, and end the others.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import select
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["FOLDER", "begin_watching", "can_watch", "note_process"]

FOLDER = "MINIGRAD_RUN_FOLDER"  # the variable that says where the pipes are, called by the numbers of the processes
HIGH = 500  # Linux lets go of a process's files from the highest number down: this one before that by which mpiexec notices
ENDED = "ended"  # what a process writes that has come to its end by itself


def can_watch() -> bool:
    """Whether processes can be watched that are not one's own."""
    return hasattr(os, "pidfd_open")


def begin_watching(processes: int) -> str:
    """Start a process that watches those which this one is about to become; returns the folder with their pipes.

    It is nobody's child, so that ``mpiexec``, which this process becomes, has none that it does not know.
    """
    folder, job = tempfile.mkdtemp(prefix="minigrad-run-"), os.getpid()
    child = os.fork()
    if child:
        os.waitpid(child, 0)  # until the pipes can be opened
        return folder
    pipes = {}
    for rank in range(processes):
        os.mkfifo(Path(folder) / str(rank))
        pipes[os.open(Path(folder) / str(rank), os.O_RDONLY | os.O_NONBLOCK)] = rank
    if os.fork():
        os._exit(0)
    try:
        watch(pipes, job)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)


def note_process(folder: str, rank: str) -> None:
    """Open the pipe of process `rank`, which this one is; at its end write that it has come to that by itself."""
    with contextlib.suppress(OSError):  # on another machine there is no such folder
        first = os.open(Path(folder) / rank, os.O_WRONLY | os.O_NONBLOCK)
        pipe = fcntl.fcntl(first, fcntl.F_DUPFD_CLOEXEC, HIGH)
        os.close(first)
        process = os.getpid()
        os.write(pipe, f"{process} ".encode())
        os.register_at_fork(after_in_child=lambda: os.close(pipe))
        atexit.register(lambda: os.getpid() == process and os.write(pipe, ENDED.encode()))


def watch(pipes: dict[int, int], job: int) -> None:
    """Wait for the end of `job`. Where a process ends before its program has, say on standard error which was the first."""
    interrupted: list[int] = []  # a Ctrl-C is one of all processes
    signal.signal(signal.SIGINT, lambda number, frame: interrupted.append(number))
    waiting = select.epoll()  # which tells in the order in which pipes were closed, however late it is asked
    last: Any = os.pidfd_open(job)
    waiting.register(last, select.EPOLLIN)
    for pipe in pipes:
        waiting.register(pipe, 0)  # for its closing alone
    while True:
        for descriptor, _ in waiting.poll():
            if interrupted:
                say(f"interrupted; its {len(pipes)} processes end")
                return
            if descriptor == last:
                return
            process, _, ended = os.read(descriptor, 100).decode().partition(" ")
            waiting.unregister(descriptor)
            if ended != ENDED:
                say(f"process {pipes[descriptor]} of {len(pipes)} (process id {process}) was the first to end, before its "
                    "program did")
                return


def say(words: str) -> None:
    print(f"python -m minigrad run: {words}", file=sys.stderr, flush=True)
