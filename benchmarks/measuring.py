"""How things are measured.

Each column has a process of its own, which sleeps while another is measured. Steps are timed in rounds: in every round each
process runs one burst of steps, in another order each time, so that a drift of the machine's speed meets all of them. Before each
burst there is a pause, because the threads of BLAS and OpenMP spin on for a while after their work, and would slow the next one
down. What is told is the median of the rounds, with the quartiles.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Iterator, NamedTuple

from benchmarks.columns import COLUMNS, REFERENCE, ROOT, Column
from benchmarks.processes import Failed, Process
from benchmarks.workloads import Missing, Workload

PAUSE = 0.1  # seconds in which the threads of the library before fall asleep
ALLOWED = 1e-3  # between the losses of a column and PyTorch's, relative where they are above 1
SHARED = ("mlp", "gpt_medium")  # what is timed beside other programs
FIRST_USED = ("tiny_mlp", "lenet", "gpt_small")  # whose first step is timed with empty caches
RETURNED = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "1",
            "NUMPY_MADVISE_HUGEPAGE": "0"}  # freed memory goes back to the system at once
DISTRIBUTIONS = {"minigrad": "minigrad-numpy"}  # where a library is installed under another name
SIZES = {"minigrad": ["minigrad"], "numba": ["numba", "llvmlite"], "torch": ["torch"], "jax": ["jax", "jaxlib"],
         "mygrad": ["mygrad"], "autograd": ["autograd"]}  # the packages whose folders are counted
Record = dict[str, Any]


class Settings(NamedTuple):
    """How much is measured."""

    rounds: int = 7
    seconds: float = 0.1  # about how long a burst takes
    steps: int = 10  # over which losses are compared
    device: str = "cpu"


def attempt(action: Callable[[], Any], why: dict[str, str], column: str) -> Any:
    """What `action` gives; None, and the reason in `why`, where the column has no such thing or fails."""
    try:
        return action()
    except (Missing, Failed) as reason:
        why[column] = str(reason).replace(f"{ROOT}{os.sep}", "")
        return None


@contextlib.contextmanager
def started(columns: list[Column], threads: int, device: str = "cpu",
            environment: dict[str, str] | None = None) -> Iterator[dict[str, Process]]:
    """A process for each column."""
    with contextlib.ExitStack() as stack:
        yield {column.name: stack.enter_context(Process(column.name, threads, device, environment)) for column in columns}


def steps(workload: Workload, columns: list[Column], threads: int, settings: Settings) -> tuple[list[Record], list[Record]]:
    """How long a step of a workload takes in each column, at each of its sizes, and what is missing, with the reason."""
    found, missing = [], []
    with started(columns, threads, settings.device) as processes:
        for size in workload.sizes or (None,):
            here = {"workload": workload.name, "threads": threads, **({"size": size} if size else {})}
            times, why = time_together(processes, workload, size, settings)
            found += [{**here, "column": name, **measured} for name, measured in times.items()]
            missing += [{**here, "column": name, "reason": reason} for name, reason in why.items()]
    return found, missing


def time_together(processes: dict[str, Process], workload: Workload, size: int | None,
                  settings: Settings) -> tuple[dict[str, Record], dict[str, str]]:
    """The figures of each column, and why a column has none."""
    why: dict[str, str] = {}
    losses, repeats = {}, {}
    for name, process in processes.items():
        def prepare(process: Process = process) -> tuple[list[float], list[str], int]:
            process.ask("build", workload.name, *([size] if size else []))
            return process.ask("losses", settings.steps), process.ask("refused"), process.ask("calibrate", settings.seconds)
        if (prepared := attempt(prepare, why, name)) is not None:
            losses[name], refusals, repeats[name] = prepared
            if refusals:
                why[name] = refusals[0].replace(f"{ROOT}{os.sep}", "")
    times: dict[str, list[float]] = {name: [] for name in repeats}
    for turn in range(settings.rounds):
        names = list(times)
        for name in names[turn % len(names):] + names[:turn % len(names)] if names else ():
            time.sleep(PAUSE)
            burst = attempt(lambda: processes[name].ask("burst", repeats[name]), why, name)  # noqa: B023
            if burst is None:
                del times[name]
            else:
                times[name].append(burst)
    figures = {name: {"seconds": statistics.median(t), "quartiles": quartiles(t), "repeats": repeats[name]}
               for name, t in times.items()}
    for name in figures:
        if REFERENCE in losses and name != REFERENCE:
            figures[name]["difference"] = difference(losses[name], losses[REFERENCE])
    return figures, why


def quartiles(times: list[float]) -> list[float]:
    """The lower and the upper one."""
    if len(times) < 2:
        return times * 2
    lower, _, upper = statistics.quantiles(times, n=4, method="inclusive")
    return [lower, upper]


def difference(ours: list[float], theirs: list[float]) -> float:
    """The largest difference between the losses of two libraries, relative where they are above 1; NaN where one is."""
    return max([abs(a - b) / max(1.0, abs(b)) for a, b in zip(ours, theirs)], key=lambda d: (d != d, d))


def memory(workload: Workload, columns: list[Column], threads: int) -> list[Record]:
    """The most memory that a step takes, and that its program takes in all, in bytes."""
    found = []
    with started(columns, threads, environment=RETURNED) as processes:
        for name, process in processes.items():
            def measure(process: Process = process) -> Any:
                process.ask("build", workload.name)
                return process.ask("memory")
            if (bytes_ := attempt(measure, {}, name)) is not None:
                found.append({"workload": workload.name, "column": name, "step": bytes_[0], "all": bytes_[1]})
    return found


def first_use(workload: Workload, columns: list[Column], threads: int) -> list[Record]:
    """The seconds that the first step of a process takes beyond a later one: `cold` with empty caches, `warm` the next time.

    minigrad keeps compiled kernels beside its sources: it is imported from a copy of them.
    """
    found = []
    for column in columns:
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(ROOT / "minigrad", Path(folder) / "minigrad", ignore=shutil.ignore_patterns("__pycache__"))
            caches = {"TORCHINDUCTOR_CACHE_DIR": folder, "XDG_CACHE_HOME": folder, "PYTHONSAFEPATH": "1",
                      "PYTHONPATH": os.pathsep.join([folder, column.environment(threads)["PYTHONPATH"]])}
            figures: Record = {"workload": workload.name, "column": column.name}
            for time_ in ("cold", "warm"):
                with Process(column.name, threads, environment=caches) as process:
                    def measure(process: Process = process) -> Any:
                        process.ask("build", workload.name)
                        return process.ask("first")
                    figures[time_] = attempt(measure, {}, column.name)
        if None not in figures.values():
            found.append(figures)
    return found


def shared(workload: Workload, columns: list[Column], threads: int, settings: Settings) -> list[Record]:
    """How long a step takes while another program keeps every processor busy, as on a machine that is shared."""
    with contextlib.ExitStack() as stack:
        for _ in range(os.cpu_count() or 1):
            busy = stack.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            stack.callback(busy.kill)
        return steps(workload, columns, threads, settings)[0]


def imports(columns: list[Column], rounds: int = 9) -> dict[str, float]:
    """Seconds that importing each library takes beyond importing NumPy, which all of them need; fresh processes, in turn.

    All of them run from compiled bytecode, as an installed package does.
    """
    libraries = list(dict.fromkeys(column.library for column in columns))
    times: dict[str, list[float]] = {name: [] for name in ("numpy", *libraries)}
    with tempfile.TemporaryDirectory() as bytecode:
        environment = {k: v for k, v in COLUMNS["numpy"].environment(1).items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = bytecode
        for _ in range(rounds + 1):
            for name in times:
                start = time.perf_counter()
                subprocess.run([sys.executable, "-c", f"import {name}"], check=True, env=environment)
                times[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(t[1:]) for name, t in times.items()}  # the first round compiles, and fills the disk cache
    return {name: medians[name] - medians["numpy"] for name in libraries}


def installed() -> dict[str, int]:
    """The bytes of the libraries' own folders."""
    return {name: sum(folder_bytes(package) for package in packages) for name, packages in SIZES.items()
            if all(importlib.util.find_spec(package) for package in packages)}


def folder_bytes(package: str) -> int:
    """The size of a package's own folder, without compiled bytecode."""
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.origin is not None
    return sum(f.stat().st_size for f in Path(spec.origin).parent.rglob("*") if f.is_file() and "__pycache__" not in f.parts)


def machine() -> Record:
    """Where and with what was measured, and how busy the machine was before."""
    packages = ("minigrad", "numpy", "torch", "numba", "scipy", "jax", "mygrad", "autograd")
    versions = {name: importlib.metadata.version(DISTRIBUTIONS.get(name, name)) for name in packages
                if importlib.util.find_spec(name) is not None}
    return {"date": time.strftime("%Y-%m-%d"), "processor": processor(), "cores": os.cpu_count(), "load": os.getloadavg()[0],
            "python": platform.python_version(), "versions": versions}


def processor() -> str:
    """What the processor calls itself."""
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    return platform.machine()
