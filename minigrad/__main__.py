"""``python -m minigrad``: the command line."""

from __future__ import annotations

import argparse
import os
import runpy
import sys
from pathlib import Path
from typing import Callable

from minigrad import _paths, as_torch, demo
from minigrad.distributed import run
from minigrad.errors import MissingPackageError

SAID = "minigrad: PyTorch's programming model in readable Python on NumPy."
EXAMPLES = """\
examples:
  python -m minigrad demo                      train, and see runs/demo-001/index.html
  python -m minigrad demo --epochs 3           the same, sooner
  python -m minigrad run-torch train.py --lr 1 run a program that was written for PyTorch
  python -m minigrad run -n 4 train.py         run a program in four processes that work together

python -m minigrad COMMAND --help says more. In Python: import minigrad as mg."""


def positive_number(kind: type) -> Callable[[str], float]:
    """What turns the text of an option into a number of `kind` greater than 0."""
    def parse(text: str) -> float:
        value: float = kind(text)
        if not 0 < value < float("inf"):
            raise argparse.ArgumentTypeError(f"must be greater than 0, not {text}")
        return value
    parse.__name__ = kind.__name__  # argparse names it when the text is no number
    return parse


def run_torch(program: str, arguments: list[str], is_module: bool = False) -> None:
    """Run a program as ``python program arguments``, or ``python -m program arguments``, would, with minigrad in PyTorch's place.

    That holds in the processes it starts by ``multiprocessing`` too: by fork they inherit the names, by spawn the path.
    """
    sys.argv = [program, *arguments]
    sys.path[0] = str(Path.cwd() if is_module else Path(program).resolve().parent)
    sys.path.insert(1, _paths.FILES_OF_ALIASES)
    with as_torch():
        if is_module:
            runpy.run_module(program, run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(os.path.abspath(program), run_name="__main__")  # Python makes __file__ absolute too


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m minigrad", description=SAID, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    d = commands.add_parser("demo", help="train a small convolutional network on handwritten digits, and show what it learnt",
                            formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    d.add_argument("--epochs", type=positive_number(int), default=20, help="passes over the training images")
    d.add_argument("--batch-size", type=positive_number(int), default=32, help="images in a step")
    d.add_argument("--lr", type=positive_number(float), default=5e-3, help="highest learning rate")
    d.add_argument("--seed", type=int, default=0, help="seed of the split, the initial weights and the order of images")
    d.add_argument("--out", type=Path, default=Path("runs"), help="folder in which each run makes a folder of its own")
    r = commands.add_parser("run-torch", help="run a program written for PyTorch: what it imports as torch is minigrad")
    n = commands.add_parser("run", help="run a program in several processes that work together, by MPI's mpiexec")
    n.add_argument("-n", type=positive_number(int), default=os.cpu_count(), dest="processes", help="how many processes")
    for command in (r, n):
        command.add_argument("-m", dest="is_module", action="store_true",
                             help="the program is a module, found as `python -m` finds it")
        command.add_argument("program", help="the program's file, or module")
        command.add_argument("arguments", nargs=argparse.REMAINDER, help="what the program is given")
    args = parser.parse_args(argv)
    if args.command is None:
        parser.print_help()
        return 0
    if args.command == "run":
        try:
            run.start(args.processes, args.program, args.arguments, args.is_module)
        except MissingPackageError as error:
            parser.exit(2, f"python -m minigrad run: {error}\n")
    if args.command == "run-torch":
        run_torch(args.program, args.arguments, args.is_module)
        return 0
    try:
        return demo.run(args.epochs, args.batch_size, args.lr, args.seed, args.out)
    except (demo.Unusable, OSError) as error:
        parser.exit(2, f"python -m minigrad demo: {error}\n")


if __name__ == "__main__":
    sys.exit(main())
