"""What the programs of the course share, none of it about deep learning: options, a progress bar, pictures and the result."""

import argparse
import json
import sys
import time
from pathlib import Path

try:
    import matplotlib
except ModuleNotFoundError:
    raise SystemExit('the programs of the course draw pictures: pip install "minigrad-numpy[examples]"') from None
matplotlib.use("Agg")  # into files, without a window
import matplotlib.pyplot as plt  # noqa: E402

plt.rcParams.update({"figure.constrained_layout.use": True, "figure.dpi": 100,
                     "axes.spines.top": False, "axes.spines.right": False})

STARTED = time.process_time()


def options(description, **settings):
    """Reads the command line: ``--quick``, ``--data``, ``--seed``, and an option for each setting.

    A setting is its value, or a pair, the value in full and that with ``--quick``, or a list of choices, the first by default.
    The result has a value for each, and `out`, the folder of this run, whose name says what is not as by default.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a run of seconds, on little data: to see that it works")
    parser.add_argument("--data", default="data", metavar="PATH",
                        help="the folder in which data are looked for, and into which they are fetched (default: data)")
    parser.add_argument("--seed", type=int, default=0, help="of all random numbers (default: 0)")
    for name, setting in settings.items():
        in_full, quick = setting if isinstance(setting, tuple) else (setting, setting)
        choices = setting if isinstance(setting, list) else None
        default = choices[0] if choices else in_full
        told = f"default: {default}" + (f", with --quick {quick}" if isinstance(setting, tuple) else "")
        kind = {"type": type(default), "choices": choices}
        if isinstance(default, bool):
            kind = {"action": argparse.BooleanOptionalAction}
        parser.add_argument(f"--{name.replace('_', '-')}", help=told, **kind)
    args = parser.parse_args()
    changed = [f",{name}={Path(str(value)).name}" for name, value in vars(args).items() if name in settings and value is not None]
    changed += [f",seed={args.seed}"] if args.seed else []
    for name, setting in settings.items():
        if getattr(args, name) is None:
            kept = setting[1 if args.quick else 0] if isinstance(setting, tuple) else setting
            setattr(args, name, kept[0] if isinstance(kept, list) else kept)
    args.out = Path("runs") / (Path(sys.argv[0]).stem + "".join([",quick"] * args.quick + changed))
    args.out.mkdir(parents=True, exist_ok=True)
    return args


def progress(steps, title=""):
    """`steps`, with a progress bar on a terminal; ``set_postfix(loss=...)`` writes beside it."""
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        return Unseen(steps)
    return tqdm(steps, desc=title, leave=False, disable=None)


class Unseen:
    """What :func:`progress` gives where tqdm is not installed."""

    def __init__(self, steps):
        self.steps = steps

    def __iter__(self):
        return iter(self.steps)

    def set_postfix(self, **values):
        """Writes nothing."""


def report(args, result, picture=None, **figures):
    """Prints the sentence `result`, and keeps it with its `figures` and the name of the main `picture` in ``result.json``."""
    print(result)
    print("see", args.out / picture if picture else args.out)
    kept = {"result": result, "figures": figures, "picture": picture, "seconds": round(time.process_time() - STARTED, 1)}
    (args.out / "result.json").write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
