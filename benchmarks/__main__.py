"""``python -m benchmarks``: speed, memory and size of minigrad beside other libraries, each in a process of its own.

It prints tables in Markdown, and with --json writes all figures to a file, from which ``python -m benchmarks.report`` makes the
tables and plots of README.md and docs/speed.md. Run it on a machine that does nothing else. It ends with code 1 where losses are
not PyTorch's, and with code 2 where minigrad cannot compute on the device.

Parts: steps (of training, by each number of threads), memory, import, size, files, peak; with --all also optimizers, loaders,
growth (time against size), first (what the first step takes), shared (beside other programs), pictures, and as columns
torch.compile, JAX, MyGrad and autograd.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any, Iterable

from benchmarks import files, measuring, report
from benchmarks.columns import COLUMNS, Column
from benchmarks.processes import Failed, Process
from benchmarks.workloads import Workload, all_workloads

ORDINARY = ("steps", "memory", "import", "size", "files", "peak")
FURTHER = ("optimizers", "loaders", "growth", "first", "shared", "pictures")
GROWING = ("numpy", "fast", "torch")  # the columns of the curves
QUICK = ("chain", "tiny_mlp", "lenet")


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(ORDINARY + FURTHER)} (default: the first six)")
    parser.add_argument("--all", action="store_true", help="all parts and all columns; takes some four times as long")
    parser.add_argument("--quick", action="store_true", help="three small workloads for some seconds, to see that it works")
    parser.add_argument("--only", default="", help="only workloads whose name or title contains this")
    parser.add_argument("--columns", default="", help=f"only these, separated by commas, of {', '.join(COLUMNS)}")
    parser.add_argument("--threads", default=f"1,{os.cpu_count()}", help="numbers of threads, with commas (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="rounds over which the median is taken (default 7)")
    parser.add_argument("--seconds", type=float, default=0.1, help="about how long one burst of steps takes (default 0.1)")
    parser.add_argument("--steps", type=int, default=10, help="steps over which losses are compared (default 10)")
    parser.add_argument("--device", default="cpu", help="cpu (default) or cuda: then minigrad and PyTorch, on the same GPU")
    parser.add_argument("--json", type=Path, help="write the figures to this file, after each part")
    found = parser.parse_args()
    if found.quick:
        found.columns, found.threads, found.rounds, found.seconds, found.steps = "numpy,torch", "1", 2, 0.01, 3
    if unknown := {*found.parts} - {*ORDINARY, *FURTHER} | {*filter(None, found.columns.split(","))} - {*COLUMNS}:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    return found


def chosen_columns(asked: argparse.Namespace, results: dict[str, Any]) -> list[Column]:
    """The columns that can be measured; the reasons of the others go to the results."""
    kind = asked.device.partition(":")[0]
    names = asked.columns.split(",") if asked.columns else [c.name for c in COLUMNS.values() if c.ordinary or asked.all]
    columns = [COLUMNS[name] for name in names if kind in COLUMNS[name].devices]
    reasons = {column.name: column.missing() for column in columns}
    results["missing"] += [{"column": name, "reason": reason} for name, reason in reasons.items() if reason]
    return [column for column in columns if reasons[column.name] is None]


def check_device(device: str) -> None:
    """End the program, with code 2, where minigrad cannot compute on it."""
    try:
        with Process("cupy", 1, device) as process:
            process.ask("held")
    except Failed as error:
        print(f"python -m benchmarks: cannot run on {device}: {error}", file=sys.stderr)
        raise SystemExit(2) from None


class Run:
    """One run of what was asked for; each part adds to the results."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self.asked = asked
        self.settings = measuring.Settings(asked.rounds, asked.seconds, asked.steps, asked.device)
        self.threads = sorted({int(n) for n in asked.threads.split(",")})
        self.results: dict[str, Any] = {"machine": measuring.machine(), "times": [], "missing": [],
                                        "settings": {**self.settings._asdict(), "threads": self.threads}}
        self.columns = chosen_columns(asked, self.results)
        chosen = [w for w in all_workloads().values() if asked.only in w.name or asked.only in w.title]
        self.workloads = [w for w in chosen if w.name in QUICK or not asked.quick]

    def save(self) -> None:
        """Write the file."""
        if self.asked.json:
            self.asked.json.write_text(json.dumps(self.results, indent=1) + "\n", encoding="utf-8")

    def time(self, workloads: Iterable[Workload], columns: list[Column], threads: int) -> None:
        """Time each of the workloads."""
        for workload in workloads:
            print(f"{workload.title}, threads: {threads}", file=sys.stderr, flush=True)
            found, missing = measuring.steps(workload, columns, threads, self.settings)
            self.results["times"] += found
            self.results["missing"] += missing
            self.save()

    def steps(self) -> None:
        for threads in self.threads:
            columns = [column for column in self.columns if column.ordinary or threads == self.threads[-1]]
            self.time([w for w in self.workloads if w.is_step], columns, threads)

    def family(self, name: str, columns: list[Column]) -> None:
        """Time a family with as many threads as there may be."""
        self.time([w for w in self.workloads if w.family == name], columns, self.threads[-1])

    def optimizers(self) -> None:
        self.family("optimizers", [column for column in self.columns if not column.compiled and not column.arrays])

    def loaders(self) -> None:
        self.family("loaders", [COLUMNS[name] for name in ("numpy", "torch") if COLUMNS[name] in self.columns])

    def growth(self) -> None:
        self.family("growth", [column for column in self.columns if column.name in GROWING])

    def memory(self) -> None:
        columns = [column for column in self.columns if column.ordinary]
        self.results["memory"] = [record for workload in self.workloads if workload.is_step
                                  for record in measuring.memory(workload, columns, self.threads[-1])]

    def first(self) -> None:
        self.results["first_use"] = [record for workload in self.workloads if workload.name in measuring.FIRST_USED
                                     for record in measuring.first_use(workload, self.columns, self.threads[-1])]

    def shared(self) -> None:
        columns = [COLUMNS[name] for name in ("numpy", "torch") if COLUMNS[name] in self.columns]
        self.results["shared"] = [record for name in measuring.SHARED for threads in self.threads
                                  for record in measuring.shared(all_workloads()[name], columns, threads, self.settings)]

    def imports(self) -> None:
        self.results["imports"] = measuring.imports(self.columns)

    def size(self) -> None:
        self.results["installed"] = measuring.installed()

    def files(self) -> None:
        self.results["files"] = files.figures(list(dict.fromkeys(column.library for column in self.columns)))

    def peak(self) -> None:
        from benchmarks.peak import peak_over_activations
        self.results["peak"] = peak_over_activations()

    def pictures(self) -> None:
        from benchmarks import pictures
        self.results["pictures"] = pictures.figures()

    def measure(self) -> None:
        """Do all parts that were asked for."""
        usual = ORDINARY + FURTHER if self.asked.all else ORDINARY
        if self.asked.quick or self.asked.device != "cpu":
            usual = ("steps",)
        for part in self.asked.parts or usual:
            print(f"-- {part}", file=sys.stderr, flush=True)
            getattr(self, {"import": "imports"}.get(part, part))()
            self.save()

    def disagreements(self) -> list[str]:
        """A sentence for each column whose losses are not PyTorch's."""
        return [f"{r['workload']}, {r['column']}, threads: {r['threads']}: losses differ from PyTorch's by {r['difference']:.1e}"
                for r in self.results["times"]
                if "difference" in r and not r["difference"] <= measuring.ALLOWED]


def main() -> None:
    asked = arguments()
    if asked.device != "cpu":
        check_device(asked.device)
    run = Run(asked)
    run.measure()
    print(report.everything(run.results))
    if wrong := run.disagreements():
        print("\n".join(wrong), file=sys.stderr)
        raise SystemExit(1)


if __name__ == "__main__":
    main()
