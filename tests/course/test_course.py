"""What holds for every program of the course: its form, its place in the index, and that it says what was measured."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from benchmarks import course
from tests.course.conftest import FOLDER

PROGRAMS = sorted(FOLDER.glob("[0-9]*.py"))


@pytest.mark.parametrize("file", PROGRAMS, ids=lambda f: f.stem)
def test_it_is_short_and_says_what_it_is(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    assert 40 <= len(source.splitlines()) <= 200
    about = course.read_docstring(file)
    assert about.number == int(file.name[:2])
    assert about.title.endswith((".", "?", "!"))
    assert about.teaches and about.source
    assert not any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in ast.parse(source).body)


@pytest.mark.parametrize("file", PROGRAMS, ids=lambda f: f.stem)
def test_it_says_what_was_measured(file: Path) -> None:
    kept = json.loads((FOLDER / "results" / f"{file.stem}.json").read_text(encoding="utf-8"))
    about = course.read_docstring(file)
    assert about.result == kept["result"]
    assert about.time == course.written_time(kept["seconds"])


@pytest.mark.parametrize("file", PROGRAMS, ids=lambda f: f.stem)
def test_it_has_a_test_of_its_own(file: Path) -> None:
    tests = (Path(__file__).parent / f"test_{file.stem}.py").read_text(encoding="utf-8")
    assert re.search(rf'run\("{file.stem}"', tests)


def test_the_index_and_the_page_of_systems_are_written_from_the_programs() -> None:
    """Where they differ, ``python -m benchmarks.course`` writes them anew."""
    for path, text in course.pages().items():
        assert path.read_text(encoding="utf-8") == text, path
