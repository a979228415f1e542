"""``python -m tests.emulator.inside ARGUMENTS``: what ``python ARGUMENTS`` does, on the emulator, whose environment is set."""

from __future__ import annotations

import runpy
import sys

first, *rest = sys.argv[1:] or ["-c", "pass"]  # importing the package tests has installed the emulator
if first == "-m":
    sys.argv = rest
    runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
elif first == "-c":
    sys.argv = ["-c", *rest[1:]]
    exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__"})
else:
    sys.argv = [first, *rest]
    runpy.run_path(first, run_name="__main__")
