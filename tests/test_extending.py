"""What docs/extending.md says works: it is followed to the letter, in copies of the project.

Each part of the document edits files, and gives commands that must then succeed. The paragraph before a block of code says where
the code goes, in one of the forms of ``PLACES``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from tests.documents import ROOT, Block, read_blocks
from tests.test_documents import commands

DOCUMENT = ROOT / "docs" / "extending.md"
LINES = DOCUMENT.read_text(encoding="utf-8").splitlines()
PARTS = ["An operation", "A layer", "An optimizer", "A library of arrays"]


def create(copy: Path, text: str, name: str, folder: str) -> Path:
    path = copy / folder / name
    assert not path.exists(), f"{path} is there already"
    path.write_text(text, encoding="utf-8")
    return path


def append(copy: Path, text: str, file: str) -> Path:
    path = copy / file
    path.write_text(path.read_text(encoding="utf-8").rstrip("\n") + "\n\n\n" + text, encoding="utf-8")
    return path


def put_inside(copy: Path, text: str, file: str, name: str) -> Path:
    """After the bracket that opens the list or dictionary `name`."""
    path = copy / file
    before, opening, after = re.split(rf"(^{name} = [\[{{(])", path.read_text(encoding="utf-8"), maxsplit=1, flags=re.MULTILINE)
    path.write_text(before + opening + "\n" + text + after.lstrip("\n"), encoding="utf-8")
    return path


def put_above(copy: Path, text: str, file: str, line: str) -> Path:
    """Above the one line that begins like this."""
    path = copy / file
    before, after = re.split(rf"^(?={re.escape(line)})", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    path.write_text(before + text + after, encoding="utf-8")
    return path


PLACES: dict[str, Callable[..., Path]] = {
    r"A new file `([\w.]+)` in the folder `([\w/.]+)`:": create, r"At the end of `([\w/.]+)`:": append,
    r"In `([\w/.]+)`, inside `(\w+)`:": put_inside, r"In `([\w/.]+)`, above `([^`]+)`:": put_above}


def steps(part: str) -> Iterator[tuple[str, Block]]:
    """The blocks below a heading of the document that are done in the copy, and the last line of text before each."""
    start = LINES.index(f"## {part}") + 1
    end = next((n for n, line in enumerate(LINES[start:], start) if line.startswith("## ")), len(LINES))
    for block in read_blocks(DOCUMENT):
        if start < block.line <= end:
            said = [line for line in LINES[:block.line - 2] if line and not line.startswith("<!--")]
            yield said[-1], block


def follow(part: str, copy: Path, change: Callable[[str], str] = lambda text: text) -> list[subprocess.CompletedProcess[str]]:
    """Do in `copy` what the part says; `change` is made to every code that it adds. Gives what came of its commands."""
    done = []
    for said, block in steps(part):
        if block.language == "python":
            place, match = next((place, m) for pattern, place in PLACES.items() if (m := re.fullmatch(pattern, said)))
            place(copy, change(block.text), *match.groups())
        else:
            for program, *words in commands(block.text):
                assert program == "python"
                settings = {"PYTHONPATH": str(copy), "PYTEST_ADDOPTS": "-n 0 -p no:cacheprovider", "OPENBLAS_NUM_THREADS": "1"}
                done.append(subprocess.run([sys.executable, *words], cwd=copy, env={**os.environ, **settings}, text=True,
                                           capture_output=True))
    return done


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what the project's tests need."""
    for folder in ("minigrad", "tests", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / file, tmp_path)
    return tmp_path


@pytest.mark.parametrize("part", PARTS)
def test_a_part_followed_to_the_letter_passes_its_tests(part: str, copy: Path) -> None:
    results = follow(part, copy)
    assert results
    for result in results:
        assert result.returncode == 0, f"{result.args}\n{result.stdout[-6000:]}{result.stderr[-2000:]}"


@pytest.mark.parametrize(("part", "right", "wrong"), [
    ("An operation", "g * (1 - (out / cap) ** 2)", "g * (1 - out / cap)"),
    ("A layer", "input * self.weight", "input * self.weight.detach()"),
    ("An optimizer", "average += (g - average) * (1 - beta2)", "average += (g - average) * (1 - beta1)")])
def test_its_tests_find_a_mistake(part: str, right: str, wrong: str, copy: Path) -> None:
    assert right in DOCUMENT.read_text(encoding="utf-8")
    results = follow(part, copy, lambda text: text.replace(right, wrong))
    assert [result.returncode for result in results if result.returncode], "the mistake was not noticed"
    assert all(result.returncode in (0, 1) for result in results), [result.stdout[-2000:] for result in results]


@pytest.mark.parametrize("part", PARTS)
def test_the_table_of_a_part_names_every_file_that_is_touched(part: str) -> None:
    start = LINES.index(f"## {part}")
    rows = [row for row in LINES[start:start + 8] if row.startswith("| ")]
    for said, block in steps(part):
        if block.language == "python" and part != "A library of arrays":
            named: Any = re.findall(r"`(?:[\w/.]*/)?(\w+/\w[\w.]*)`", said)
            assert any(name in row for row in rows for name in named), f"{said} is in no row"
