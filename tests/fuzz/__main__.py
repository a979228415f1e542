"""``python -m tests.fuzz``: draw programs, print the disagreements, each kind once and as short as it gets."""

from __future__ import annotations

import argparse
import collections
import importlib
import re
import sys
import warnings
from multiprocessing import Pool
from typing import Any

from tests.fuzz.oracles import Disagreement, check_differences, compare, draw_program
from tests.fuzz.shrink import shrink


def examine(seed: int, oracle: str) -> tuple[list[str], Disagreement] | None:
    """Draw the program of a seed and return it, as short as it gets, if it shows a disagreement."""
    warnings.simplefilter("ignore")
    check: Any
    if oracle == "torch":
        torch: Any = importlib.import_module("torch")
        torch.set_num_threads(1)

        def check(lines: list[str]) -> Disagreement | None:
            return compare(lines, torch)

        lines = draw_program(seed, torch)
    else:
        import minigrad
        check = check_differences
        lines = draw_program(seed, minigrad, smooth=True)
    found = check(lines)
    return found and shrink(lines, found, check)


def examine_seed(task: tuple[int, str]) -> tuple[int, tuple[list[str], Disagreement] | None, str | None]:
    """As `examine`, for a pool; what breaks the examination itself is reported like a disagreement."""
    try:
        return task[0], examine(*task), None
    except Exception as error:
        return task[0], None, f"{type(error).__name__}: {error}"


def signature(lines: list[str], found: Disagreement) -> str:
    """What makes two disagreements one kind: how they show, and the last line without names and numbers."""
    return found.kind + " | " + re.sub(r"\bv\d+|\bm\d+|-?\d+(\.\d+)?", "_", lines[min(found.at, len(lines) - 1)])[:60]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--programs", type=int, default=2000, help="how many programs")
    parser.add_argument("--seed", type=int, default=0, help="the first program's seed; the others follow")
    parser.add_argument("--oracle", choices=["torch", "differences"], default="torch", help="PyTorch, or finite differences")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--show", type=int, default=10**6, help="how many kinds to print")
    options = parser.parse_args()
    kinds: collections.Counter[str] = collections.Counter()
    tasks = [(seed, options.oracle) for seed in range(options.seed, options.seed + options.programs)]
    with Pool(options.workers) as pool:
        for seed, result, broken in pool.imap_unordered(examine_seed, tasks, chunksize=8):
            if broken is not None:
                kinds["broken"] += 1
                print(f"--- seed {seed}: the examination broke: {broken}\n", flush=True)
            if result is None:
                continue
            lines, found = result
            key = signature(lines, found)
            kinds[key] += 1
            if kinds[key] == 1 and len(kinds) <= options.show:
                print(f"--- seed {seed}, {found.kind}\n" + "\n".join(lines) + f"\n{found.text}\n", flush=True)
    print(f"{options.programs} programs, {sum(kinds.values())} disagreements of {len(kinds)} kinds")
    return min(len(kinds), 1)


if __name__ == "__main__":
    sys.exit(main())
