"""The benchmarks: what they time is the same in every library, they notice where it is not, and documents say what they told."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

import minigrad
from benchmarks import arrays, measuring, report, workloads
from benchmarks.__main__ import Run, arguments
from benchmarks.columns import COLUMNS, ROOT
from benchmarks.processes import Failed, Process
from benchmarks.workloads import Missing, Program, all_workloads

WORKLOADS = all_workloads()
ALIKE = [name for name, w in WORKLOADS.items() if w.family not in ("loaders", "growth")]
RESULTS = json.loads(report.RESULTS.read_text(encoding="utf-8"))


def losses(program: Program, steps: int) -> list[float]:
    """What the first steps of a program return."""
    step, batches = program
    found = [step(*batches[k % len(batches)]) for k in range(steps)]
    return [float(loss.item() if hasattr(loss, "item") else loss) for loss in found]


# ---------------------------------------------------------------------------------------------------- the same in every library

@pytest.mark.parity
@pytest.mark.parametrize("name", ALIKE)
def test_a_workload_has_the_losses_of_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch")
    make = WORKLOADS[name].make
    assert measuring.difference(losses(make(minigrad), 3), losses(make(torch), 3)) < measuring.ALLOWED / 20


@pytest.mark.parity
@pytest.mark.parametrize("name", [name for name, w in WORKLOADS.items() if w.family == "growth"])
def test_what_grows_has_the_values_of_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch")
    make, sizes = WORKLOADS[name].make, WORKLOADS[name].sizes
    assert measuring.difference(losses(make(minigrad, sizes[1]), 2), losses(make(torch, sizes[1]), 2)) < measuring.ALLOWED / 20


PROGRAMS_OF_ARRAYS = ["chain", "cell", "tiny_mlp", "mlp", "gradient_penalty", "cbow", "gpt_small"]


def test_programs_of_jax_have_the_losses_of_their_workloads() -> None:
    """In a process of their own: JAX starts threads, and then warns whenever a process is forked."""
    pytest.importorskip("jax")
    with Process("jax", 1) as process:
        for name in PROGRAMS_OF_ARRAYS:
            process.ask("build", name)
            found = process.ask("losses", 3)
            assert measuring.difference(found, losses(WORKLOADS[name].make(minigrad), 3)) < measuring.ALLOWED / 20


@pytest.mark.filterwarnings("ignore")  # of these libraries, on releases that are newer than they are
@pytest.mark.parametrize("library", ["autograd", "mygrad"])
@pytest.mark.parametrize("name", PROGRAMS_OF_ARRAYS)
def test_a_program_of_arrays_has_the_losses_of_its_workload(library: str, name: str) -> None:
    pytest.importorskip(library)
    try:
        program = arrays.make(library, name)
    except Missing as missing:
        pytest.skip(f"{library}: {missing}")
    assert measuring.difference(losses(program, 3), losses(WORKLOADS[name].make(minigrad), 3)) < measuring.ALLOWED / 20


def test_the_example_of_a_workload_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workloads, "_workloads", {})
    names = {**vars(workloads), "__name__": "benchmarks.workloads.unseen"}
    assert workloads.__doc__ is not None
    exec(textwrap.dedent(workloads.__doc__.partition("::\n")[2].rpartition("\n\n")[0]), names)
    added = workloads._workloads["perceptron"]
    assert added.is_step and added.family == "unseen"
    first, *_, last = losses(added.make(minigrad), 50)
    assert last < first


def test_every_program_of_arrays_is_that_of_a_workload() -> None:
    assert set(arrays.PROGRAMS) <= set(WORKLOADS)
    with pytest.raises(Missing, match="not written as a function of arrays"):
        arrays.make("jax", "lenet")


# ---------------------------------------------------------------------------------------------------- measuring

def test_a_quick_run_times_steps_and_writes_its_figures(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "benchmarks", "--quick", "--json", str(tmp_path / "figures.json")], cwd=ROOT,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    columns = [name for name in ("numpy", "torch") if COLUMNS[name].missing() is None]
    timed = {(record["workload"], record["column"]) for record in results["times"]}
    assert timed == {(workload, column) for workload in ("chain", "tiny_mlp", "lenet") for column in columns}
    assert all(0 < r["quartiles"][0] <= r["seconds"] <= r["quartiles"][1] for r in results["times"])
    assert "| LeNet-5, 1x28x28, batch 64, Adam |" in done.stdout


def test_losses_that_differ_are_told_and_end_the_program_with_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--columns", "numpy"])
    run = Run(arguments())
    record = {"workload": "lenet", "column": "numpy", "threads": 1}
    for apart, wrong in ((0.0, False), (measuring.ALLOWED * 2, True), (float("nan"), True)):
        run.results["times"] = [{**record, "difference": apart}]
        assert bool(run.disagreements()) == wrong
    assert measuring.difference([1.0, float("nan"), 3.0], [1.0, 2.0, 9.0]) != measuring.difference([1.0], [1.0])
    assert measuring.difference([200.0], [100.0]) == 1 and measuring.difference([0.75], [0.5]) == 0.25


def test_columns_see_what_they_are_to_see() -> None:
    program = ("from benchmarks import columns, worker\n"
               "column = columns.COLUMNS['numpy']\n"
               "worker.Worker(column, 1, 'cpu')\n"
               "for name in column.hidden:\n"
               "    try: __import__(name)\n"
               "    except ModuleNotFoundError: print('hidden')")
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["hidden"] * len(COLUMNS["numpy"].hidden)


def test_what_a_process_cannot_do_is_a_reason_and_not_the_end() -> None:
    with Process("numpy", 1) as process:
        with pytest.raises(Failed, match="no such workload"):
            process.ask("build", "no such workload")
        process.ask("build", "tiny_mlp")
        assert len(process.ask("losses", 2)) == 2
    with Process("numpy", 1, "no such device") as process, pytest.raises(Failed, match="ended with code 1"):
        process.ask("held")


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted by Linux")
def test_memory_is_that_of_a_step() -> None:
    """exp of a million numbers keeps its result, of 4 MB; its gradient takes the place of that of the step before."""
    with Process("numpy", 1, environment=measuring.RETURNED) as process:
        process.ask("build", "grow_exp", 10**6)
        step, everything = process.ask("memory")
    assert 3.5e6 < step < 7.9e6
    assert 11.5e6 < everything < 19.9e6, "x, its gradient and the result"


# ---------------------------------------------------------------------------------------------------- what the documents say

@pytest.mark.parametrize("document", report.DOCUMENTS, ids=lambda d: d.name)
def test_a_document_says_what_was_measured(document: Path) -> None:
    """Where it does not, ``python -m benchmarks.report`` writes it."""
    text = document.read_text(encoding="utf-8")
    assert report.MARKED.search(text)
    assert report.filled(text, RESULTS) == text


def test_a_figure_that_was_not_measured_is_found() -> None:
    text = report.DOCUMENTS[0].read_text(encoding="utf-8")
    table = report.MARKED.search(text)
    assert table is not None
    assert report.filled(text.replace(table[0], table[0].replace("1", "2")), RESULTS) == text


def test_all_tables_are_in_a_document() -> None:
    named = {match["name"] for d in report.DOCUMENTS for match in report.MARKED.finditer(d.read_text(encoding="utf-8"))}
    assert named == set(report.TABLES)


def test_plots_are_drawn_from_the_figures(tmp_path: Path) -> None:
    plots: Any = importlib.import_module("benchmarks.plots")
    plots.draw(RESULTS, tmp_path)
    kept = {path.name for path in (ROOT / "docs" / "pictures").glob("speed-*.png")}
    assert {path.name for path in tmp_path.iterdir()} == kept
