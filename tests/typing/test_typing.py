"""What users' type checkers say: nothing of right programs, something of wrong ones; and the stubs are those of the source."""

from __future__ import annotations

import importlib.util
import json
import pathlib
import re
import runpy
import subprocess
import sys
from typing import Any

import pytest

from tests.typing import signatures

HERE = pathlib.Path(__file__).parent
PROGRAMS = [str(HERE / name) for name in ("program.py", "types_of.py", "wrong.py")]
Found = dict[str, list[tuple[int, str]]]


def by_mypy() -> Found:
    """The lines that ``mypy --strict`` complains of, by file, with what it says."""
    command = [sys.executable, "-m", "mypy", "--config-file=", "--strict", "--no-error-summary", *PROGRAMS]
    done = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1) and not done.stderr, done.stdout + done.stderr
    found: Found = {}
    for path, line, message in re.findall(r"^(.+?):(\d+): error: (.*)$", done.stdout, re.M):
        found.setdefault(pathlib.Path(path).name, []).append((int(line), message))
    return found


def by_pyright() -> Found:
    """The same of pyright."""
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, *PROGRAMS]
    done = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        pytest.skip(f"pyright does not run here, for it needs Node.js: {done.stderr.strip()[-200:]}")
    report: dict[str, Any] = json.loads(done.stdout)
    found: Found = {}
    for problem in report["generalDiagnostics"]:
        if problem["severity"] == "error":
            place = problem["range"]["start"]["line"] + 1
            found.setdefault(pathlib.Path(problem["file"]).name, []).append((place, problem["message"]))
    return found


CHECKERS = {"mypy": by_mypy, "pyright": by_pyright}


@pytest.mark.parametrize("checker", CHECKERS)
def test_right_programs_pass_and_every_wrong_line_is_found(checker: str) -> None:
    if importlib.util.find_spec(checker) is None:
        pytest.skip(f"{checker} is not installed; `pip install -e .[lint]` installs it")
    complaints = CHECKERS[checker]()
    for program in ("program.py", "types_of.py"):
        assert program not in complaints, complaints[program]
    lines = (HERE / "wrong.py").read_text().splitlines()
    wrong = {k for k, line in enumerate(lines, 1) if "# wrong: " in line}
    assert {line for line, _ in complaints["wrong.py"]} == wrong, complaints["wrong.py"]
    assert len(wrong) > 20


def test_nothing_is_ignored_in_the_right_programs() -> None:
    for program in ("program.py", "types_of.py"):
        text = (HERE / program).read_text()
        assert "type: ignore" not in text and "pyright:" not in text and len(text.splitlines()) >= 60


@pytest.mark.parametrize("program", ["program.py", "types_of.py"])
def test_the_right_programs_run(program: str) -> None:
    names = runpy.run_path(str(HERE / program))
    if program == "program.py":
        assert isinstance(names["compute"](), float) and len(names["train"]()) == 12


def test_the_stubs_are_those_of_the_source() -> None:
    for path, text in signatures.stubs().items():
        assert (signatures.PACKAGE / path).read_text() == text, f"{path} is old: run `python -m tests.typing.signatures`"


def test_every_stub_stands_beside_a_module_or_is_written_here() -> None:
    stubs = {path.relative_to(signatures.PACKAGE) for path in signatures.PACKAGE.rglob("*.pyi")}
    assert stubs == set(signatures.stubs())
