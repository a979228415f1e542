"""``python -m benchmarks.scaling``: measure 1, 2 and 4 processes here, and write what they show, beside the model and what
that says of more processes, into docs/scaling.md.

It needs MPI, and a machine that does nothing else. With ``--kept`` it measures nothing and writes the figures of the last run.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.scaling.model import Network, Work, fit_network, predict, step_seconds

ROOT = Path(__file__).parent.parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "scaling.json"
DOCUMENT, PICTURE = ROOT / "docs" / "scaling.md", ROOT / "docs" / "pictures" / "scaling.png"
MARKED = re.compile(r"(<!-- figures of scaling -->\n).*?(<!-- end of figures -->)", re.DOTALL)
MANY = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
NETWORKS = {"10 Gbit/s, 50 µs": Network(50e-6, 10e9 / 8), "100 Gbit/s, 5 µs": Network(5e-6, 100e9 / 8)}
SPREAD = 0.05  # of the times of uneven processes


def measure(counts: tuple[int, ...], times: int) -> dict[str, Any]:
    """What the program of one process, and of several, has printed."""
    found: dict[str, Any] = {"rings": [], "steps": [], "processors": os.cpu_count()}
    for processes in counts:
        command = [sys.executable, "-m", "minigrad", "run", "-n", str(processes), "-m", "benchmarks.scaling.program", str(times)]
        done = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, cwd=ROOT, stdout=subprocess.PIPE, text=True,
                              check=True)
        for name, value in json.loads(done.stdout.splitlines()[-1]).items():
            found[name] = found[name] + value if name in ("rings", "steps") else value
    return found


def explained(results: dict[str, Any]) -> tuple[Work, Network]:
    """The work of a process, and the network of this machine, as the model has them."""
    w = results["work"]
    work = Work(w["forward"], tuple(w["backward"]), tuple(w["sizes"]), w["update"])
    return work, fit_network([(p, n, s) for p, n, s in results["rings"]])


def text_of(results: dict[str, Any]) -> str:
    """The figures in Markdown."""
    work, network = explained(results)
    lines = [f"A message here costs {network.latency * 1e6:.0f} µs, and {network.bandwidth / 1e9:.1f} GB a second go from one "
             f"process to the next; {results['processors']} processors, one thread for each process.", "",
             "| processes | bucket, MiB | step measured, ms | by the model, ms |", "|---:|---:|---:|---:|"]
    for m, seconds in zip(results["steps"], predict(work, network, results["steps"], results["processors"])):
        lines.append(f"| {m['processes']} | {m['cap'] / (1 << 20):g} | {m['seconds'] * 1e3:.1f} | {seconds * 1e3:.1f} |")
    counts = (1, 8, 64, 512, 4096)
    lines += ["", "The same step, by the model, in ms: every process has a processor of its own.", "",
              "| network | | " + " | ".join(f"{count:,}" for count in counts) + " |", "|---|---|" + "---:|" * len(counts)]
    for name, other in NETWORKS.items():
        for words, settings in SETTINGS.items():
            row = [step_seconds(work, other, count, steps=20, **settings) * 1e3 for count in counts]
            lines.append(f"| {name} | {words} | " + " | ".join(f"{ms:.1f}" for ms in row) + " |")
    return "\n".join(lines) + "\n"


SETTINGS: dict[str, dict[str, Any]] = {
    "buckets of 25 MiB": {}, "buckets of 1 MiB": {"cap": 1 << 20}, "without overlap": {"overlap": False},
    f"times uneven by {SPREAD:.0%}": {"spread": SPREAD}}


def draw(results: dict[str, Any], path: Path) -> None:
    """The time of a step against the number of processes."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    work, network = explained(results)
    style = {"axes.spines.top": False, "axes.spines.right": False, "font.size": 9, "savefig.dpi": 110}
    with pyplot.rc_context(style):
        figure, axes = pyplot.subplots(1, len(NETWORKS), figsize=(8, 3), sharey=True)
        for place, (name, other) in zip(axes, NETWORKS.items()):
            for words, settings in SETTINGS.items():
                place.plot(MANY, [step_seconds(work, other, count, steps=20, **settings) * 1e3 for count in MANY], label=words)
            place.set_xscale("log", base=2)
            place.set_title(name)
            place.set_xlabel("processes")
        axes[0].set_ylabel("a step, ms")
        axes[0].set_ylim(bottom=0)
        axes[0].legend(frameon=False)
        figure.savefig(path, metadata={"Software": None}, bbox_inches="tight")
        pyplot.close(figure)


def filled(document: str, results: dict[str, Any]) -> str:
    """The text of a document with the figures in their place."""
    return MARKED.sub(lambda m: m[1] + "\n" + text_of(results) + "\n" + m[2], document)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--times", type=int, default=30, help="how often each step and each ring is timed (default 30)")
    parser.add_argument("--kept", action="store_true", help="measure nothing; write the figures of the last run")
    args = parser.parse_args()
    if not args.kept:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(measure((1, 2, 4), args.times), indent=1) + "\n", encoding="utf-8")
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    DOCUMENT.write_text(filled(DOCUMENT.read_text(encoding="utf-8"), results), encoding="utf-8")
    draw(results, PICTURE)
    print(text_of(results))


if __name__ == "__main__":
    main()
