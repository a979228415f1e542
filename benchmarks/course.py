"""Runs programs of the course in full, keeps what they report, and writes it where it is told.

``python -m benchmarks.course 05_bike_sharing 07_digits_cnn --data PATH`` runs these, each in a process of its own and on one
thread; the report goes to examples/results, the main picture to docs/pictures/course, result and time into the docstring of the
program. Without a name, only the index of the course, examples/README.md, and the page of systems, docs/systems.md, are written.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import NamedTuple

from benchmarks.columns import COLUMNS, ROOT

EXAMPLES = ROOT / "examples"
PICTURES = ROOT / "docs" / "pictures" / "course"
WIDTH = 720  # of the pictures, in pixels
PARTS = ("Teaches", "Source", "Result", "Time")  # of a docstring
NEXT = rf"(?:{'|'.join(PARTS)}): |\n\n|\Z"  # what may follow one, in a new line or at the end
LAUNCHERS = {"26_several_processes": ["-m", "minigrad", "run", "-n", "2"]}  # what starts those that are not started by themselves


# ---------------------------------------------------------------------------------------------------- docstrings

class About(NamedTuple):
    """What the docstring of a program says: ``5. Title.`` and paragraphs that begin with these words."""

    number: int
    title: str
    teaches: str
    source: str
    result: str
    time: str


def read_docstring(file: Path) -> About:
    """The parts of a program's docstring; what it does not say is empty."""
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    head = re.match(r"(\d+)\. (.*?)(?:\n\n|\Z)", text, re.DOTALL)
    if not head:
        raise SystemExit(f'{file}: expected a docstring that begins with a number and a title, """5. Bike sharing: ..."""')
    parts = {}
    for name in PARTS:
        found = re.search(rf"^{name}: (.*?)(?=^{NEXT})", text, re.DOTALL | re.MULTILINE)
        parts[name.lower()] = " ".join(found[1].split()) if found else ""
    return About(int(head[1]), " ".join(head[2].split()), **parts)


def written_time(seconds: float) -> str:
    """Seconds of processor time as the docstring has them."""
    return f"{seconds:.0f} s on one core." if seconds < 90 else f"{seconds / 60:.0f} min on one core."


def write_measured(file: Path, result: str, seconds: float) -> None:
    """Put a result and a time in place of those in a program's docstring."""
    source = file.read_text(encoding="utf-8")
    begin = source.index('"""') + 3
    end = source.index('"""', begin)
    old = re.compile(rf"\n(?:Result|Time): .*?(?=\n{NEXT})", re.DOTALL)
    text = old.sub("", source[begin:end].rstrip())
    told = textwrap.fill(f"Result: {result}", 120, break_long_words=False, break_on_hyphens=False)
    file.write_text(f"{source[:begin]}{text}\n{told}\nTime: {written_time(seconds)}\n{source[end:]}", encoding="utf-8")


# ---------------------------------------------------------------------------------------------------- measuring

def measure(name: str, data: str) -> None:
    """Run a program in full, and keep its report and its picture."""
    file = EXAMPLES / f"{name}.py"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, *LAUNCHERS.get(name, []), str(file), "--data", os.path.abspath(data)], cwd=folder,
                       check=True, env=COLUMNS["fast"].environment(threads=1))
        report, = Path(folder).glob("runs/*/result.json")
        kept = json.loads(report.read_text(encoding="utf-8"))
        if kept["picture"]:
            keep_picture(report.parent / kept["picture"], PICTURES / f"{name}.png")
    target = EXAMPLES / "results" / f"{name}.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    write_measured(file, kept["result"], kept["seconds"])


def keep_picture(drawn: Path, target: Path) -> None:
    """A picture made narrow and of few colours, for documents."""
    from PIL import Image
    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(drawn) as image:
        small = image.convert("RGB")
        if small.width > WIDTH:
            small = small.resize((WIDTH, round(small.height * WIDTH / small.width)), Image.Resampling.LANCZOS)
        small.quantize(256).save(target, optimize=True)


# ---------------------------------------------------------------------------------------------------- pages

INDEX = """\
# A course of {count} programs

Each is short, has one idea, works on real data and draws what it found. They read like PyTorch: with `torch` for `minigrad`
in the imports, those that use nothing else of minigrad's run on PyTorch, and from the same weights their losses are the same.

```bash
python -m pip install -e ".[examples]" && python examples/02_autograd.py
```

Every program takes `--help`, `--seed`, `--data PATH`, the folder in which published data are looked for and into which they
are fetched, and `--quick`, which runs for seconds, on what is shipped or made up where the data are missing. What it draws goes
to a folder in `runs/` whose name says which run it was. Times are of one core, results those of `--seed 0`, as measured by
`python -m benchmarks.course NAME --data PATH`. [The page of systems](../docs/systems.md) shows all pictures.

| | program and picture | what it teaches | result | time | the idea's source |
|---|---|---|---|---|---|
{rows}

Programs share [`common.py`](common.py), for options, progress bar and
report, and [`data.py`](data.py), which reads the data.
"""

SYSTEMS = """\
# Systems

What the books on deep learning build, built here: each row is a program of [the course](../examples/README.md), what it found on
real data, and the picture it drew.

{systems}
"""


def programs() -> list[Path]:
    """The programs of the course in their order."""
    return sorted(EXAMPLES.glob("[0-9]*.py"))


def pages() -> dict[Path, str]:
    """The documents that are written from the programs' docstrings, by path."""
    rows, systems = [], []
    for file in programs():
        about = read_docstring(file)
        drawn = (PICTURES / f"{file.stem}.png").exists()
        picture = f"![what it draws](../docs/pictures/course/{file.stem}.png)" if drawn else ""
        rows.append(f"| {about.number} | [`{file.name}`]({file.name}) {picture} | {about.teaches} | {about.result} | "
                    f"{about.time.removesuffix(' on one core.')} | {about.source} |")
        shown = f"\n![{file.stem}: what it draws](pictures/course/{file.stem}.png)\n" if drawn else ""
        systems.append(f"## {about.number}. {about.title}\n\n"
                       f"[`{file.name}`](../examples/{file.name}) teaches {lowered(about.teaches)}\n"
                       f"Result: {about.result}\n{shown}\nThe idea's source: {about.source}\n")
    return {EXAMPLES / "README.md": INDEX.format(count=len(rows), rows="\n".join(rows)),
            ROOT / "docs" / "systems.md": SYSTEMS.format(systems="\n".join(systems))}


def lowered(sentence: str) -> str:
    """A sentence as the end of another."""
    return sentence if sentence[1:2].isupper() or sentence[:1] == "`" else sentence[:1].lower() + sentence[1:]


def main() -> None:
    """Measure the programs that are named, then write the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="programs to run in full, without .py")
    parser.add_argument("--data", default="data", help="the folder of the data")
    args = parser.parse_args()
    for name in args.names:
        measure(name, args.data)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
