"""``python -m benchmarks``: one table, side by side in one run.

Every round times each library once, one after the other, so that a drift of the machine's speed meets all of them, with a pause
and a repetition that does not count between them; the table gives medians over the rounds. Run it on a machine that does nothing
else. It ends with code 1 where minigrad, trained beside PyTorch from the same weights, does not have the same losses.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

LIBRARIES = ("minigrad", "torch", "mygrad", "autograd")
PAUSE = 0.1  # seconds in which the threads of the library before fall asleep; until then they spin, and slow the next one down
ALLOWED = 1e-3  # between the losses of minigrad and PyTorch
DISTRIBUTIONS = {"minigrad": "minigrad-numpy"}  # where a library is installed under another name
TITLES = {"minigrad": "minigrad", "torch": "PyTorch", "mygrad": "MyGrad", "autograd": "autograd"}


waits = []  # what waits for the GPU to finish; measurements begin and end with it


def calibrate(step, target: float) -> int:
    """How many repetitions take about `target` seconds, after a warm-up."""
    for _ in range(3):
        step()
    for wait in waits:
        wait()
    start = time.perf_counter()
    step()
    for wait in waits:
        wait()
    once = time.perf_counter() - start
    return max(1, round(target / once))


def time_workload(make, libraries: list[str], rounds: int, target: float) -> dict[str, float]:
    """The median seconds of one repetition, by library."""
    steps = {name: step for name in libraries if (step := make(name)) is not None}
    repeat = {name: calibrate(step, target) for name, step in steps.items()}
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            time.sleep(PAUSE)
            step()
            for wait in waits:
                wait()
            start = time.perf_counter()
            for _ in range(repeat[name]):
                step()
            for wait in waits:
                wait()
            times[name].append((time.perf_counter() - start) / repeat[name])
    return {name: statistics.median(t) for name, t in times.items()}


def import_seconds(libraries: list[str], rounds: int) -> dict[str, float]:
    """Seconds that importing each library takes beyond importing NumPy, which all of them need; fresh processes, in turn.

    All of them run from compiled bytecode, as an installed package does.
    """
    times: dict[str, list[float]] = {name: [] for name in ("numpy", *libraries)}
    with tempfile.TemporaryDirectory() as bytecode:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = bytecode
        for _ in range(rounds + 1):
            for name in times:
                start = time.perf_counter()
                subprocess.run([sys.executable, "-c", f"import {name}"], check=True, env=environment)
                times[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(t[1:]) for name, t in times.items()}  # the first round compiles, and fills the disk cache
    return {name: medians[name] - medians["numpy"] for name in libraries}


def peak_over_activations(depth: int = 40, width: int = 256, batch: int = 1024) -> float:
    """Peak memory of forward and backward of a deep MLP, as a multiple of the activations that its rules need: one a layer.

    Values are freed as soon as the backward pass has used them, so that the gradients take their place; above 1 are the gradients
    that are on their way and what a single operation needs for itself. The goal is 1.3.
    """
    import minigrad as mg
    model = mg.nn.Sequential(*[layer for _ in range(depth) for layer in (mg.nn.Linear(width, width), mg.nn.Tanh())])
    x = mg.randn(batch, width)
    model(x[:1]).sum().backward()  # generates the code of the operations
    model.zero_grad()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        model(x).sum().backward()
        return (tracemalloc.get_traced_memory()[1] - before) / (depth * x.nbytes)
    finally:
        tracemalloc.stop()


def installed_bytes(name: str) -> int:
    """The size of a library's own folder."""
    folder = Path(importlib.util.find_spec(name).origin).parent
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file() and "__pycache__" not in f.parts)


def disagreement(make, steps: int = 100) -> float:
    """The largest difference of the losses of minigrad and PyTorch in so many steps of training from the same start."""
    ours, theirs = make("minigrad"), make("torch")
    return max(abs(ours().item() - theirs().item()) for _ in range(steps))


def row(label: str, values: dict[str, float], libraries: list[str], unit: float, digits: int) -> str:
    reference = values.get("torch")
    ratio = f"{values['minigrad'] / reference:.2f}" if reference else "-"
    cells = [f"{values[name] / unit:,.{digits}f}" if name in values else "-" for name in libraries]
    return f"| {label:44} | {ratio:>8} | " + " | ".join(f"{c:>10}" for c in cells) + " |"


def on_gpu(device: str, libraries: list[str]) -> list[str]:
    """The libraries that can compute on `device`. Ends the program, with code 2, where minigrad cannot."""
    import minigrad
    try:
        name = minigrad.cuda.get_device_name(device)
    except (RuntimeError, ValueError) as error:
        print(f"python -m benchmarks: cannot run on {device}: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    print(f"on {name}")
    waits.append(minigrad.cuda.synchronize)
    kept = ["minigrad"]
    if "torch" in libraries:
        import torch
        if torch.cuda.is_available():
            kept.append("torch")
            waits.append(torch.cuda.synchronize)
            torch.backends.cudnn.allow_tf32 = minigrad.backends.cudnn.allow_tf32 = False  # the same arithmetic in both
        else:
            print("PyTorch finds no usable GPU and is left out", file=sys.stderr)
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=25, help="rounds over which the median is taken (default 25)")
    parser.add_argument("--seconds", type=float, default=0.05, help="about how long one library runs in a round (default 0.05)")
    parser.add_argument("--only", default="", help="only workloads whose name contains this")
    parser.add_argument("--device", default="cpu", help="cpu (default) or cuda: then minigrad and PyTorch, on the same GPU")
    args = parser.parse_args()
    import numpy as np

    from benchmarks import files, pictures, workloads
    from benchmarks.workloads import COMPARED, WORKLOADS

    libraries = [name for name in LIBRARIES if importlib.util.find_spec(name)]
    if args.device != "cpu":
        libraries = on_gpu(args.device, libraries)
        workloads.device = args.device
    if "torch" in libraries:
        import torch
        torch.set_num_threads(os.cpu_count() or 1)
    versions = ", ".join(f"{TITLES[n]} {importlib.metadata.version(DISTRIBUTIONS.get(n, n))}" for n in libraries)
    print(f"{versions}, NumPy {np.__version__}, Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    print(f"medians of {args.rounds} interleaved rounds; 'ratio' is minigrad's time over PyTorch eager's\n")
    print(f"| {'':44} | {'ratio':>8} | " + " | ".join(f"{TITLES[n]:>10}" for n in libraries) + " |")
    print(f"|{'-' * 46}|{'-' * 9}:|" + "|".join(["-" * 11 + ":"] * len(libraries)) + "|")
    for label, make in WORKLOADS.items():
        if args.only in label:
            print(row(label + " (µs)", time_workload(make, libraries, args.rounds, args.seconds), libraries, 1e-6, 0), flush=True)
    if args.only in "import":
        print(row("import, beyond NumPy's own (ms)", import_seconds(libraries, 9), libraries, 1e-3, 0))
    if args.only in "installed size":
        print(row("installed size (MB)", {n: float(installed_bytes(n)) for n in libraries}, libraries, 1e6, 1))
    if args.only in "files":
        for key, values in files.figures(libraries).items():
            print(row(files.ROWS[key], values, libraries, 1, 1))
    if args.only in "peak memory":
        print(f"\npeak memory of forward and backward of 40 x (Linear(256), Tanh), batch 1024: {peak_over_activations():.2f} of "
              "the activations that the rules need (goal: at most 1.3)")
    if args.only in "pictures":
        print("\n" + "\n".join(pictures.lines()))
    compared = [label for label in COMPARED if args.only in f"losses {label}"] if "torch" in libraries else []
    apart = {label: disagreement(WORKLOADS[label]) for label in compared}
    for label, difference in apart.items():
        print(f"largest difference from PyTorch's losses over 100 steps, {label}: {difference:.1e} (allowed: {ALLOWED})")
    if any(not difference <= ALLOWED for difference in apart.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
