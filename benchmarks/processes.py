"""The processes in which libraries run, seen from the one that measures."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from types import TracebackType
from typing import Any

from benchmarks.columns import COLUMNS, ROOT
from benchmarks.workloads import Missing


class Failed(Exception):
    """A process could not do what it was asked; the message is the last line of what it said."""


class Process:
    """A process of :mod:`benchmarks.worker`, which sleeps, blocked on its input, while it is asked nothing."""

    def __init__(self, column: str, threads: int, device: str = "cpu", environment: dict[str, str] | None = None) -> None:
        self.command = [sys.executable, "-m", "benchmarks.worker", column, str(threads), device]
        self.environment = {**COLUMNS[column].environment(threads), **(environment or {})}
        self.closing = contextlib.ExitStack()

    def __enter__(self) -> Process:
        self.said = self.closing.enter_context(tempfile.TemporaryFile("w+"))  # what it prints, for the case that it dies
        started = subprocess.Popen(self.command, env=self.environment, cwd=ROOT, text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said)
        self.process = self.closing.enter_context(started)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            self.process.kill()
        self.closing.close()  # its input ends, and so does it

    def ask(self, name: str, *arguments: Any) -> Any:
        """What the worker's function of that name gives."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            print(json.dumps([name, *arguments]), file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
            with contextlib.suppress(BrokenPipeError):  # there is something left to write to it
                self.process.stdin.close()
        if not line:
            self.process.wait()
            self.said.seek(0)
            last = self.said.read().strip().splitlines()[-1:] or ["nothing was said"]
            raise Failed(f"ended with code {self.process.returncode}: {last[0]}")
        answer = json.loads(line)
        if "missing" in answer:
            raise Missing(answer["missing"])
        if "error" in answer:
            print(answer["traceback"], file=sys.stderr)
            raise Failed(answer["error"].splitlines()[-1])
        return answer["value"]
