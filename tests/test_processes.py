"""Several processes work together: what each of them gets, and how all of them end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import minigrad
from minigrad import distributed
from tests.processes import models
from tests.processes.launching import check, launch, needs_mpi, start

several = pytest.mark.parametrize("processes", [2, 4])
carried = pytest.mark.parametrize("backend", ["mpi", "nccl", "nccl alone"])


@needs_mpi
@several
@carried
@pytest.mark.parametrize("program", ["exchanges", "wrapping"])
def test_every_process_gets_what_it_should(program: str, backend: str, processes: int) -> None:
    told = re.findall(r"process (\d) has checked everything", check(processes, f"{program}.py", backend))
    assert sorted(map(int, told)) == list(range(processes))


@needs_mpi
@pytest.mark.gpu
@pytest.mark.parametrize("backend", ["nccl on gpus", "nccl alone on gpus"])
@pytest.mark.parametrize("program", ["exchanges", "wrapping", "training"])
def test_gpus_exchange_by_nccl(program: str, backend: str) -> None:
    if minigrad.cuda.device_count() < 2 or not distributed.is_nccl_available():
        pytest.skip("needs two GPUs, CuPy and NCCL")
    check(2, f"{program}.py", backend)


@pytest.fixture(scope="module")
def losses() -> dict[str, list[float]]:
    """The losses of four processes, each of which has compared its gradients and weights with those of one process."""
    return json.loads(check(4, "training.py", "mpi"))  # type: ignore[no-any-return]


@needs_mpi
def test_processes_learn_what_one_does_with_the_whole_batch(losses: dict[str, list[float]]) -> None:
    assert set(losses) == set(models.CASES) and {len(found) for found in losses.values()} == {models.STEPS}
    for backend in ("mpi", "nccl"):
        found = json.loads(check(2, "training.py", backend))
        for name in models.CASES:
            assert losses[name] == pytest.approx(found[name], rel=1e-6), (backend, name)


@needs_mpi
@pytest.mark.parity
def test_losses_are_those_of_pytorchs_processes(losses: dict[str, list[float]], tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
    program = Path(__file__).parent / "processes" / "training_pytorch.py"
    jobs = [subprocess.Popen([sys.executable, str(program), str(tmp_path / "store"), str(rank)], stdout=subprocess.PIPE,
                             text=True, cwd=Path(__file__).parent.parent) for rank in range(2)]
    theirs = json.loads([job.communicate(timeout=300)[0] for job in jobs][0])
    assert set(theirs) == set(models.CASES)
    for name, found in theirs.items():
        assert losses[name] == pytest.approx(found, rel=1e-6), name


@needs_mpi
def test_the_example_learns_the_same_in_one_process_and_in_two(tmp_path: Path) -> None:
    example = Path(__file__).parent.parent / "examples" / "26_several_processes.py"
    told = [check(count, str(example), "--quick", "--epochs", "2", folder=tmp_path) for count in (1, 2)]
    found = [re.findall(r"(\d) processes, .* loss ([\d.]+), test accuracy ([\d.]+)%, .* weights equal everywhere: True", out)
             for out in told]
    assert [[line[0] for line in lines] for lines in found] == [["1", "1"], ["2", "2"]]
    assert len({line[1:] for lines in found for line in lines}) == 1


@needs_mpi
@pytest.mark.parametrize("backend", ["mpi", "nccl"])
def test_gradients_travel_while_others_are_computed(backend: str) -> None:
    compute, communication, both = map(float, check(2, "overlapping.py", backend).split())
    assert communication == pytest.approx(0.24)
    assert both < compute + communication


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


UNEVEN = "processes 0, 2: all_reduce.*; process 1: destroy_process_group, .*. Give all the same number of batches"
ENDINGS = {"raises": ("ValueError: something is wrong", "process 1 of 3 has ended by ValueError; it ends the others"),
           "exits": (), "is killed": ("9", "process 1 of 3 .* was the first to end"),
           "has another shape": (r"process 1: all_reduce\(SUM\) of float32 \[3\]", r"processes 0, 2: .*float32 \[2\]", "it ends"),
           "ends early": (UNEVEN, "it ends"), "comes to its end": (UNEVEN,),
           "stays away": (r"process [02] of 3: all_reduce\(SUM\) of float32 \[2\] has waited 2 seconds for the other processes, "
                          r"of which \[1\] have not called it", "it ends"),
           "is interrupted": ("python -m minigrad run: interrupted; its 3 processes end",)}
OF_GPUS = {"does not send": (r"process [02] of 3: recv\(src=1, tag=0\) of float32 \[2\] has waited 2 seconds on the GPU for the "
                             "other processes; it ends the others",)}
BY_NCCL = ["raises", "has another shape", "ends early", "comes to its end", "stays away", *OF_GPUS]


@needs_mpi
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize(("backend", "how"), [*[("mpi", how) for how in ENDINGS], *[("nccl", how) for how in BY_NCCL],
                                              ("nccl alone", "raises"), ("nccl alone", "ends early")])
def test_all_end_when_one_fails(backend: str, how: str) -> None:
    if how == "is interrupted":
        with start(3, "ending.py", backend, how) as job:
            out = ""
            while out.count("ready") < 3:
                out += job.stdout.readline()  # type: ignore[union-attr]
            os.killpg(job.pid, signal.SIGINT)
            more, err = job.communicate(timeout=60)
            out, status = out + more, job.returncode
    else:
        done = launch(3, "ending.py", backend, how)
        out, err, status = done.stdout, done.stderr, done.returncode
    assert status != 0
    for words in {**ENDINGS, **OF_GPUS}[how]:
        assert re.search(words, out + err), out + err
    pids = [int(pid) for pid in re.findall(r"<(\d+)>", out)]
    assert len(pids) == 3
    until = time.monotonic() + 30
    while any(map(is_running, pids)):
        assert time.monotonic() < until, f"a process is left: {pids}"
        time.sleep(0.05)


def test_without_mpi_it_is_named(tmp_path: Path) -> None:
    """A process that MPI's launcher has started, where mpi4py is not installed."""
    (tmp_path / "mpi4py.py").write_text("raise ImportError('no mpi4py')")
    program = "from minigrad import distributed\nassert not distributed.is_mpi_available()\ndistributed.init_process_group()"
    environment: dict[str, Any] = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{Path(__file__).parent.parent}",
                                   "PMI_SIZE": "2", "PMI_RANK": "0"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert "needs mpi4py, which is not installed: pip install \"minigrad-numpy[mpi]\"" in done.stderr
    command = [sys.executable, "-m", "minigrad", "run", "-n", "2", "train.py"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith("python -m minigrad run: ") and "minigrad-numpy[mpi]" in done.stderr
