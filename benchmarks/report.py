"""Tables and plots of one run: ``python -m benchmarks.report FILE`` writes them into README.md and documents.

A document says where by two comments, ``<!-- figures: NAME -->`` and ``<!-- end of figures -->``, with the name of one of
:data:`TABLES`. What stands between them is replaced, and a test compares it with :data:`RESULTS`, to which the file is copied.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import shutil
import statistics
from pathlib import Path
from typing import Any, Callable

from benchmarks import pictures
from benchmarks.columns import COLUMNS, REFERENCE, ROOT
from benchmarks.files import ROWS
from benchmarks.measuring import FIRST_USED
from benchmarks.workloads import STEPS, Workload, all_workloads

RESULTS = ROOT / "benchmarks" / "results" / "speed.json"
DOCUMENTS = (ROOT / "README.md", ROOT / "docs" / "speed.md", ROOT / "docs" / "how-to" / "compile.md")
OURS = ("cupy", "numpy", "fast", "compiled", "fast_compiled")
MARKED = re.compile(r"(?P<begin><!-- figures: (?P<name>[\w-]+) -->\n).*?(?P<end><!-- end of figures -->)", re.DOTALL)
Results = dict[str, Any]


# ---------------------------------------------------------------------------------------------- what was measured

def seconds(results: Results, column: str, workload: str, threads: int, size: int | None = None) -> float | None:
    """The median time of a step, if there is one."""
    for record in results["times"]:
        if (record["column"], record["workload"], record["threads"], record.get("size")) == (column, workload, threads, size):
            return record["seconds"]
    return None


def ratio(results: Results, column: str, workload: str, threads: int) -> float | None:
    """PyTorch's time over that of a column: above 1 the column is faster."""
    ours, theirs = seconds(results, column, workload, threads), seconds(results, REFERENCE, workload, threads)
    return theirs / ours if ours and theirs else None


def measured(results: Results, threads: int, wanted: Callable[[Workload], bool]) -> list[Workload]:
    """The workloads of a kind that were timed with so many threads, family by family."""
    timed = {record["workload"] for record in results["times"] if record["threads"] == threads}
    return [w for w in all_workloads().values() if w.name in timed and wanted(w)]


def columns_of(results: Results, workloads: list[Workload], threads: int) -> list[str]:
    """The columns in which one of the workloads has a time."""
    return [name for name in COLUMNS if any(seconds(results, name, w.name, threads) for w in workloads)]


def mean(results: Results, column: str, workloads: list[Workload], threads: int) -> str:
    """The geometric mean of the ratios; where some are missing it says of how many, because the others might have changed it."""
    ratios = [r for w in workloads if (r := ratio(results, column, w.name, threads))]
    if not ratios:
        return "-"
    found = share(statistics.geometric_mean(ratios))
    return found if len(ratios) == len(workloads) else f"{found} ({len(ratios)} of {len(workloads)})"


# ---------------------------------------------------------------------------------------------- tables

def number(value: float | None, digits: int = 3) -> str:
    """A number with so many significant digits, never in powers of ten."""
    if value is None:
        return "-"
    before = math.floor(math.log10(abs(value))) + 1 if value else 1
    return f"{value:,.{max(0, digits - before)}f}"


def share(value: float | None) -> str:
    """A ratio."""
    return "-" if value is None else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown: the first column holds words, the others numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def titled(name: str) -> str:
    """What a column is called."""
    return COLUMNS[name].title


def most_threads(results: Results) -> int:
    """The larger of the numbers of threads."""
    return max(results["settings"]["threads"])


def threads_words(threads: int) -> str:
    return f"{threads} thread{'s' if threads > 1 else ''}"


def ratios(results: Results) -> str:
    """PyTorch's milliseconds and how many times as fast we are, with the geometric means."""
    threads = most_threads(results)
    workloads = measured(results, threads, lambda w: w.is_step)
    ours = [name for name in columns_of(results, workloads, threads) if name in OURS]
    rows = [[w.title, number(milliseconds(results, REFERENCE, w, threads)),
             *[share(ratio(results, name, w.name, threads)) for name in ours]] for w in workloads]
    small = [w for w in workloads if w.family == "small"]
    for words, of in (("geometric mean", workloads), ("of the small models", small)):
        for count in sorted(results["settings"]["threads"], reverse=True):
            rows.append([f"**{words}, {threads_words(count)}**", "", *[f"**{mean(results, name, of, count)}**" for name in ours]])
    return table(["a step of training", "PyTorch, ms", *map(titled, ours)], rows)


def milliseconds(results: Results, column: str, workload: Workload, threads: int) -> float | None:
    """The median time of a step, in milliseconds."""
    return scaled(seconds(results, column, workload.name, threads), 1e3)


def times(results: Results, workloads: list[Workload], threads: int) -> str:
    """Milliseconds in every column, and in brackets the ratio to PyTorch."""
    names = columns_of(results, workloads, threads)

    def cell(name: str, workload: Workload) -> str:
        found = number(milliseconds(results, name, workload, threads))
        times_as_fast = ratio(results, name, workload.name, threads)
        return found if times_as_fast is None or name == REFERENCE else f"{found} ({share(times_as_fast)})"
    rows = [[w.title, *[cell(name, w) for name in names]] for w in workloads]
    return table([f"ms, {threads_words(threads)}", *map(titled, names)], rows)


def all_steps(results: Results) -> str:
    """The times of all steps, a table for each number of threads."""
    return "\n\n".join(times(results, measured(results, n, lambda w: w.is_step), n)
                       for n in sorted(results["settings"]["threads"], reverse=True))


def family(name: str) -> Callable[[Results], str]:
    """The times of a family that is no step of training."""
    def of(results: Results) -> str:
        threads = most_threads(results)
        return times(results, measured(results, threads, lambda w: w.family == name), threads)
    return of


def recorded(results: Results) -> str:
    """Microseconds of the steps on small arrays, on one thread, and how many times as fast as PyTorch a recorded one is."""
    workloads = measured(results, 1, lambda w: w.is_step and w.family == "small")
    columns = [name for name in (REFERENCE, "numpy", "compiled", "fast_compiled") if name in columns_of(results, workloads, 1)]
    rows = [[w.title, *[number(scaled(seconds(results, name, w.name, 1), 1e6), 2) for name in columns],
             share(ratio(results, columns[-1], w.name, 1))] for w in workloads]
    return table(["a step, microseconds", *map(titled, columns), f"PyTorch / {titled(columns[-1])}"], rows)


def memory(results: Results) -> str:
    """Megabytes that a step adds at its peak, and in brackets what its program takes in all."""
    records = {(r["workload"], r["column"]): r for r in results.get("memory", [])}
    names = [name for name in COLUMNS if any(column == name for _, column in records)]

    def cell(workload: str, column: str) -> str:
        record = records.get((workload, column))
        return "-" if record is None else f"{record['step'] / 1e6:,.1f} ({record['all'] / 1e6:,.1f})"
    listed = [w for w in all_workloads().values() if any(workload == w.name for workload, _ in records)]
    return table(["MB that a step adds (in all)", *map(titled, names)],
                 [[w.title, *[cell(w.name, name) for name in names]] for w in listed])


def first_use(results: Results) -> str:
    """Seconds that a first step takes beyond a later one, with empty caches and with full ones."""
    records = {(r["workload"], r["column"]): r for r in results.get("first_use", [])}
    names = [name for name in COLUMNS if any(column == name for _, column in records)]

    def cell(workload: str, column: str) -> str:
        record = records.get((workload, column))
        return "-" if record is None else f"{max(0, record['cold']):.2f} / {max(0, record['warm']):.2f}"
    return table(["seconds, first time / again", *map(titled, names)],
                 [[all_workloads()[w].title, *[cell(w, name) for name in names]] for w in FIRST_USED])


def shared(results: Results) -> str:
    """Milliseconds of a step beside a busy program on every processor, and how many times as long as on a machine of its own."""
    records = {(r["workload"], r["column"], r["threads"]): r["seconds"] for r in results.get("shared", [])}
    counts = sorted({threads for *_, threads in records})

    def cell(workload: str, column: str, threads: int) -> str:
        slow, quick = records.get((workload, column, threads)), seconds(results, column, workload, threads)
        return number(scaled(slow, 1e3)) + (f" ({share(slow / quick)})" if slow and quick else "")
    listed = dict.fromkeys((workload, column) for workload, column, _ in records)
    return table(["ms on a busy machine (times as long)", *map(threads_words, counts)],
                 [[f"{all_workloads()[w].title}: {titled(c)}", *[cell(w, c, n) for n in counts]] for w, c in listed])


def sizes(results: Results) -> str:
    """Import, installed size, files."""
    titles = {"minigrad": "minigrad", "numba": "what `fast` adds", "torch": "PyTorch", "jax": "JAX", "mygrad": "MyGrad",
              "autograd": "autograd"}
    names = [name for name in titles if name in results.get("installed", {}) or name in results.get("imports", {})]
    rows = []
    if "imports" in results:
        rows.append(["import, beyond NumPy's own (ms)", *[number(scaled(results["imports"].get(n), 1e3), 4) for n in names]])
    if "installed" in results:
        rows.append(["installed size (MB)", *[f"{scaled(results['installed'].get(n), 1e-6) or 0:,.1f}" for n in names]])
    for key, title in ROWS.items():
        if figures := results.get("files", {}).get(key):
            rows.append([title, *[number(figures.get(n)) for n in names]])
    return table(["", *[titles[n] for n in names]], rows)


def scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


# ---------------------------------------------------------------------------------------------- sentences

def machine(results: Results) -> str:
    """Where it was measured, and with what."""
    at, settings = results["machine"], results["settings"]
    names = {"minigrad": "minigrad", "numpy": "NumPy", "torch": "PyTorch", "numba": "numba", "scipy": "SciPy", "jax": "JAX",
             "mygrad": "MyGrad", "autograd": "autograd"}
    versions = ", ".join(f"{names[name]} {version}" for name, version in at["versions"].items())
    return (f"{versions}, Python {at['python']}; {at['processor']}, {at['cores']} cores, {at['date']}, load average "
            f"{at['load']:.1f} before. Medians of {settings['rounds']} interleaved rounds.")


def summary(results: Results) -> str:
    """The means, what is lost, and how far the losses of training are apart."""
    threads = most_threads(results)
    workloads = measured(results, threads, lambda w: w.is_step)
    ours = [name for name in columns_of(results, workloads, threads) if name in OURS]
    means = ", ".join(f"{titled(name)} {mean(results, name, workloads, threads)}" for name in ours)
    counts = f"{len(workloads)} steps of training, {threads_words(threads)}"
    lines = [f"Geometric mean of PyTorch eager's time over ours, {counts}: {means}.", ""]
    for family_ in dict.fromkeys(w.family for w in workloads if w.family not in STEPS):
        among = [w for w in workloads if w.family == family_]
        means = ", ".join(f"{titled(name)} {mean(results, name, among, threads)}" for name in ours)
        lines += [f"Of them the {len(among)} of `benchmarks/workloads/{family_}.py`: {means}.", ""]
    for name in ours:
        lost = sorted([(r, w.name) for w in workloads if (r := ratio(results, name, w.name, threads)) and r < 1])
        words = ", ".join(f"{workload} {share(r)}" for r, workload in lost)
        lines.append(f"* {titled(name)} is slower than PyTorch in {len(lost)} of {len(workloads)}{': ' if lost else ''}{words}.")
    if apart := [r["difference"] for r in results["times"] if "difference" in r and r["column"] in OURS]:
        steps = results["settings"]["steps"]
        lines += ["", f"From the same weights all have PyTorch's losses over {steps} steps, within {max(apart):.0e}."]
    return "\n".join(lines)


def missing(results: Results) -> str:
    """What is not in the tables, and why."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for record in results["missing"]:
        reasons.setdefault((titled(record["column"]), record["reason"]), []).append(record.get("workload", ""))
    lines = []
    for (column, reason), names in reasons.items():
        listed = list(dict.fromkeys(filter(None, names)))
        few = f" ({', '.join(listed)})" if 0 < len(listed) <= 4 else f" ({len(listed)} workloads)" if listed else ""
        lines.append(f"* {column}{few}: {reason}.")
    return "\n".join(lines) or "Nothing is missing."


def further(results: Results) -> str:
    """Memory of a deep network, and drawing."""
    lines = []
    if "peak" in results:
        lines.append(f"* Peak memory of forward and backward of a 40-layer MLP: {results['peak']:.2f} of what its rules need "
                     "(goal: at most 1.3).")
    if "pictures" in results:
        lines += [f"* {line[0].upper()}{line[1:]}." for line in pictures.lines(results["pictures"])]
    return "\n".join(lines)


TABLES: dict[str, Callable[[Results], str]] = {
    "machine": machine, "summary": summary, "ratios": ratios, "steps": all_steps, "recorded": recorded,
    "optimizers": family("optimizers"),
    "loaders": family("loaders"), "memory": memory, "first-use": first_use, "shared": shared, "sizes": sizes,
    "further": further, "missing": missing}


def everything(results: Results) -> str:
    """All that was measured, in Markdown."""
    trained = any(all_workloads()[record["workload"]].is_step for record in results["times"])
    parts = {"machine": True, "summary": trained, "ratios": trained, "steps": trained,
             "optimizers": "optimizers" in timed_families(results), "loaders": "loaders" in timed_families(results),
             "memory": results.get("memory"), "first-use": results.get("first_use"),
             "shared": results.get("shared"),
             "sizes": {"imports", "installed", "files"} & {*results}, "further": {"peak", "pictures"} & {*results},
             "missing": results["missing"]}
    return "\n\n".join(TABLES[name](results) for name, there in parts.items() if there)


def timed_families(results: Results) -> set[str]:
    """The families of which something was timed."""
    return {all_workloads()[record["workload"]].family for record in results["times"]}


def filled(text: str, results: Results) -> str:
    """A document with its figures."""
    return MARKED.sub(lambda m: m["begin"] + "\n" + TABLES[m["name"]](results) + "\n\n" + m["end"], text)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?", default=RESULTS, help="what python -m benchmarks --all --json wrote")
    given = parser.parse_args().file
    if given.resolve() != RESULTS:
        RESULTS.parent.mkdir(exist_ok=True)
        shutil.copyfile(given, RESULTS)
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    for document in DOCUMENTS:
        document.write_text(filled(document.read_text(encoding="utf-8"), results), encoding="utf-8")
    from benchmarks import plots  # matplotlib is needed for plots only
    plots.draw(results, ROOT / "docs" / "pictures")


if __name__ == "__main__":
    main()
