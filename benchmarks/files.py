"""How long files of weights take to be written and read, and how much memory; each library in a process of its own.

``python -m benchmarks.files LIBRARY FOLDER`` prints one library's figures as JSON.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable

MEGABYTES = 1024  # in the file
TENSORS = 16
ROWS = {"save": "save 1 GB (ms)", "load": "load 1 GB (ms)", "mapped": "load 1 GB with mmap=True (ms)",
        "save_memory": "memory that save takes beside the 1 GB (MB)",
        "mapped_memory": "memory that load takes with mmap=True (MB)",
        "save_safetensors": "save 1 GB as safetensors (ms)", "safetensors": "load 1 GB of safetensors (ms)",
        "safetensors_memory": "memory that loading safetensors takes (MB)"}
SAFETENSORS = {"minigrad": "minigrad.safetensors", "torch": "safetensors.torch"}


def peak() -> float:
    """The most memory, in MB, that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)


def timed(function: Callable[[], Any]) -> float:
    """The milliseconds that a call takes."""
    start = time.perf_counter()
    function()
    return (time.perf_counter() - start) * 1e3


def measure(name: str, folder: str) -> dict[str, float]:
    """The figures of one library. What is mapped is loaded first, while the peak of this process is still low."""
    lib = importlib.import_module(name)
    path = Path(folder) / f"{name}.pt"
    other = path.with_suffix(".safetensors")
    files = importlib.import_module(SAFETENSORS[name]) if importlib.util.find_spec("safetensors") else None
    if not path.exists():
        state = {f"layer{k}.weight": lib.ones(MEGABYTES // TENSORS, 1024, 256) for k in range(TENSORS)}
        before = peak()
        lib.save(state, path)
        figures = {"save_memory": peak() - before, "save": min([timed(lambda: lib.save(state, path)) for _ in range(3)])}
        if files is not None:
            figures["save_safetensors"] = min([timed(lambda: files.save_file(state, other)) for _ in range(3)])
        return figures
    figures = {}
    if files is not None:
        before = peak()
        files.load_file(other)
        figures = {"safetensors_memory": peak() - before,
                   "safetensors": min([timed(lambda: files.load_file(other)) for _ in range(3)])}
    before = peak()
    lib.load(path, mmap=True)
    figures |= {"mapped": min([timed(lambda: lib.load(path, mmap=True)) for _ in range(3)]), "mapped_memory": peak() - before}
    figures["load"] = min([timed(lambda: lib.load(path)) for _ in range(3)])
    return figures


def figures(libraries: list[str]) -> dict[str, dict[str, float]]:
    """For each of :data:`ROWS` the figure of each library that writes PyTorch's files."""
    found: dict[str, dict[str, float]] = {row: {} for row in ROWS}
    with tempfile.TemporaryDirectory() as folder:
        for name in [name for name in libraries if name in ("minigrad", "torch")]:
            for _ in range(2):  # writing, then reading, in two processes
                done = subprocess.run([sys.executable, "-m", "benchmarks.files", name, folder], check=True, capture_output=True)
                for row, figure in json.loads(done.stdout).items():
                    found[row][name] = figure
            for file in Path(folder).iterdir():
                file.unlink()
    return found


if __name__ == "__main__":
    print(json.dumps(measure(*sys.argv[1:])))
