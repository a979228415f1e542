"""The process of one column: ``python -m benchmarks.worker COLUMN THREADS DEVICE`` does what it is asked, and sleeps in between.

It reads one request a line, a list of the name of one of its functions and arguments, in JSON, and writes one answer a line:
``{"value": ...}``, ``{"missing": why}`` where the library does not offer what is needed, ``{"error": what}`` where it fails.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import itertools
import json
import os
import statistics
import sys
import time
import traceback
import warnings
from typing import Any, Callable

from benchmarks.columns import COLUMNS, Column

WARM_UP = 8  # steps before anything is timed


def now() -> float:
    """Seconds of a clock that only goes on."""
    return time.perf_counter()


class Worker:
    """One library with the program that it has built, and what can be asked of them."""

    def __init__(self, column: Column, threads: int, device: str) -> None:
        for package in column.hidden:
            sys.modules[package] = None  # type: ignore[assignment]  # to import it fails, as where it is not installed
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
        self.column = column
        self.library = importlib.import_module(column.library)
        self.waits: list[Callable[[], None]] = []  # for a GPU to finish; measurements begin and end with it
        if not column.arrays:
            self.library.set_num_threads(threads)
        if device != "cpu":
            self.use(device)
        self.step: Callable[[], Any] = lambda: None
        self.refusals: list[str] = []  # why `compile` leaves a step as it is

    def use(self, device: str) -> None:
        """Compute on a GPU, with the same arithmetic in every library."""
        from benchmarks import workloads
        workloads.device = device
        self.library.cuda.get_device_name(device)
        self.waits.append(self.library.cuda.synchronize)
        self.library.backends.cudnn.allow_tf32 = False

    def wait(self) -> None:
        """Until what was begun is done."""
        for wait in self.waits:
            wait()

    # ------------------------------------------------------------------------------------------ what is asked for

    def build(self, name: str, *size: int) -> None:
        """Make the program of a workload, in the place of the one before."""
        from benchmarks import arrays
        from benchmarks.workloads import all_workloads
        self.step = lambda: None
        gc.collect()
        if self.column.arrays:
            step, batches = arrays.make(self.column.library, name)
        else:
            step, batches = all_workloads()[name].make(self.library, *size)
        if self.column.compiled:
            step = self.library.compile(step)
        turns = itertools.cycle(batches)
        self.step = lambda: step(*next(turns))

    def losses(self, steps: int) -> list[float]:
        """What the next steps return."""
        found = []
        with warnings.catch_warnings(record=True) as said:
            warnings.filterwarnings("always", message="compile: ")
            for _ in range(steps):
                loss = self.step()
                found.append(float(loss.item() if hasattr(loss, "item") else loss))
        self.refusals = [str(warning.message) for warning in said]
        return found

    def refused(self) -> list[str]:
        """What was warned of: that steps are not compiled, and why."""
        return self.refusals

    def first(self) -> float:
        """The seconds that the next step takes, from its call to the number that it returns, beyond those of later steps."""
        def seconds() -> float:
            start = now()
            self.losses(1)
            return now() - start
        return seconds() - statistics.median([seconds() for _ in range(5)])

    def calibrate(self, seconds: float) -> int:
        """How many steps take about so long, after a warm-up; at least one."""
        for _ in range(WARM_UP):
            self.step()
        self.wait()
        count, taken = 1, 0.0
        while taken < seconds / 4:
            start = now()
            for _ in range(count):
                self.step()
            self.wait()
            taken = now() - start
            repeats = max(1, round(seconds * count / taken))
            count *= 4
        return repeats

    def burst(self, repeats: int) -> float:
        """The seconds of one step, the mean over so many; the step before them wakes caches and threads and is not timed."""
        self.step()
        self.wait()
        start = now()
        for _ in range(repeats):
            self.step()
        self.wait()
        return (now() - start) / repeats

    def memory(self) -> tuple[int, int]:
        """The most bytes that a step holds: beyond those held before it, and beyond those that are left when the program is gone.

        The first are those of activations and of what operations need for themselves; gradients take the place of former ones.
        The second has in it weights, the optimizer's state, batches, and what a compiled step keeps from one call to the next.
        Linux counts the pages that a process has, and the most that it has had since that count was set back. It counts the same
        for every library, however it takes memory, and sees what a library's own profiler does not. The process is started such
        that memory that is freed goes back at once (:func:`benchmarks.measuring.memory`).
        """
        for _ in range(WARM_UP):
            self.step()
        peaks, steps = [], []
        for _ in range(3):
            before = self.held()
            with open("/proc/self/clear_refs", "w") as file:
                file.write("5")
            self.step()
            peaks.append(pages("VmHWM"))
            steps.append(peaks[-1] - before)
        self.step = lambda: None
        return max(0, statistics.median(steps)), max(0, statistics.median(peaks) - self.held())

    def held(self) -> int:
        """The bytes that this process holds, after everything that is not needed was given back."""
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        return pages("VmRSS")


def pages(what: str) -> int:
    """The bytes that Linux tells of this process by that name."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(f"{what}:"))


def answer(worker: Worker, name: str, arguments: list[Any]) -> dict[str, Any]:
    """What one request gives."""
    from benchmarks.workloads import Missing
    try:
        return {"value": getattr(worker, name)(*arguments)}
    except Missing as missing:
        return {"missing": str(missing)}
    except Exception as error:
        return {"error": "".join(traceback.format_exception_only(error)).strip(), "traceback": traceback.format_exc()}


def main() -> None:
    name, threads, device = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    warnings.simplefilter("ignore")
    worker = Worker(COLUMNS[name], int(threads), device)
    for line in sys.stdin:
        request, *arguments = json.loads(line)
        print(json.dumps(answer(worker, request, arguments)), file=answers, flush=True)


if __name__ == "__main__":
    main()
