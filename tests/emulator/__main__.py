"""``python -m tests.emulator [--devices N] [--folder F] ARGUMENTS``: run ``python ARGUMENTS`` with CuPy on emulated GPUs.

For instance ``python -m tests.emulator -m pytest -m gpu``. Needs the wheel cupy-cuda13x, CUDA's headers (NVIDIA's wheels or a
toolkit), Cython, g++ and LAPACK; docs/gpu.md has the commands.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tests.emulator.build import build, environment

parser = argparse.ArgumentParser(prog="python -m tests.emulator", description=__doc__, allow_abbrev=False)
parser.add_argument("--devices", type=int, default=1, help="how many GPUs there seem to be (1)")
parser.add_argument("--folder", type=Path, default=Path.home() / ".cache" / "minigrad-emulator", help="where it is built")
options, arguments = parser.parse_known_args()
folder = options.folder.absolute()
build(folder)
os.execve(sys.executable, [sys.executable, "-m", "tests.emulator.inside", *arguments], environment(folder, options.devices))
