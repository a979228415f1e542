"""The plots of docs/speed.md: which steps are faster, and how time grows with size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
from matplotlib import pyplot

from benchmarks import report
from benchmarks.columns import COLUMNS
from benchmarks.workloads import Workload

COLOURS = {"numpy": "#0072B2", "fast": "#D55E00", "compiled": "#56B4E9", "fast_compiled": "#E69F00", "torch": "#333333"}
MARKS = {"numpy": "o", "fast": "s", "compiled": "^", "fast_compiled": "D", "torch": "x"}
STYLE = {"svg.hashsalt": "minigrad", "axes.spines.top": False, "axes.spines.right": False, "font.size": 9, "savefig.dpi": 110}


def draw(results: dict[str, Any], folder: Path) -> None:
    """Write the pictures for which there are figures."""
    matplotlib.use("Agg")
    with pyplot.rc_context(STYLE):
        draw_steps(results, folder / "speed-steps.png")
        grown = report.measured(results, report.most_threads(results), lambda w: w.family == "growth")
        for name, chosen in (("speed-elements.png", [w for w in grown if w.axis == "elements"]),
                             ("speed-models.png", [w for w in grown if w.axis != "elements"])):
            if chosen:
                draw_growth(results, chosen, folder / name)


def save(figure: Any, path: Path) -> None:
    """Write a picture that is the same whenever its figures are."""
    figure.savefig(path, metadata={"Software": None}, bbox_inches="tight")
    pyplot.close(figure)


def title(column: str) -> str:
    """What a column is called, without the marks of Markdown."""
    return COLUMNS[column].title.replace("`", "")


def draw_steps(results: dict[str, Any], path: Path) -> None:
    """For each step of training a mark where it is as many times as fast as PyTorch eager."""
    threads = report.most_threads(results)
    workloads = report.measured(results, threads, lambda w: w.is_step)[::-1]
    figure, axes = pyplot.subplots(figsize=(7.5, 0.28 * len(workloads) + 1))
    for column in [name for name in report.columns_of(results, workloads, threads) if name in report.OURS]:
        found = [(ratio, k) for k, w in enumerate(workloads) if (ratio := report.ratio(results, column, w.name, threads))]
        axes.plot(*zip(*found), MARKS[column], color=COLOURS[column], label=title(column), markersize=5, alpha=0.9)
    axes.axvline(1, color=COLOURS["torch"], linewidth=1)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_yticks(range(len(workloads)), [w.title for w in workloads])
    axes.set_xlabel(f"times as fast as PyTorch eager ({report.threads_words(threads)}); right of the line minigrad is faster")
    axes.grid(axis="y", linewidth=0.3)
    axes.legend(frameon=False, loc="upper left")
    save(figure, path)


def draw_growth(results: dict[str, Any], workloads: list[Workload], path: Path) -> None:
    """Time against size, a panel for each program."""
    threads = report.most_threads(results)
    rows = (len(workloads) + 2) // 3
    figure, panels = pyplot.subplots(rows, 3, figsize=(9.5, 2.7 * rows), squeeze=False, layout="constrained")
    for panel in panels.flat[len(workloads):]:
        panel.set_visible(False)
    for panel, workload in zip(panels.flat, workloads):
        for column, colour in COLOURS.items():
            found = [(size, time * 1e3) for size in workload.sizes
                     if (time := report.seconds(results, column, workload.name, threads, size))]
            if found:
                panel.loglog(*zip(*found), MARKS[column] + "-", color=colour, label=title(column), markersize=4, linewidth=1.2)
        panel.set_title(workload.title, fontsize=9)
        panel.set_xlabel(workload.axis)
        panel.set_ylabel("ms")
        panel.grid(linewidth=0.3)
    panels.flat[0].legend(frameon=False)
    save(figure, path)
