"""What README and the documents say is so: code runs, commands exist, links lead somewhere, figures agree."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import io
import os
import re
import shlex
import subprocess
import sys
import tomllib
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import minigrad
from tests.documents import DOCUMENTS, FENCE, ROOT, Block, read_blocks, run_session

README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LANGUAGES = {"python", "pycon", "bash", "text", "toml", "yaml"}
PROGRAMS = {"apt", "brew", "git", "srun"}  # commands of these change the machine, or need what is not here: they are only parsed
BLOCKS = [pytest.param(document, block, id=f"{document.relative_to(ROOT)}:{block.line}")
          for document in DOCUMENTS for block in read_blocks(document)]


def run_module(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run ``python -m`` with these arguments, warnings as errors, in `folder`, with the minigrad that is tested here."""
    return subprocess.run([sys.executable, "-W", "error", "-m", *arguments], cwd=folder, text=True, capture_output=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"})


# ---------------------------------------------------------------------------------------------------- blocks

@pytest.mark.parametrize("document", [d for d in DOCUMENTS if {"python", "pycon"} & {b.language for b in read_blocks(d)}],
                         ids=lambda d: str(d.relative_to(ROOT)))
def test_the_code_of_a_document_runs_and_prints_what_it_shows(document: Path, tmp_path: Path) -> None:
    done = run_module("tests.documents", str(document), folder=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_session_that_shows_something_else_is_found() -> None:
    names = {"minigrad": minigrad}
    assert run_session(">>> minigrad.ones(2)\ntensor([1., 1.])\n", names, "here") == []
    assert len(run_session(">>> minigrad.ones(2)\ntensor([1., 2.])\n", names, "here")) == 1
    assert len(run_session(">>> minigrad.ones(2).sum()\n", names, "here")) == 1, "an answer that is not shown"
    assert len(run_session(">>> 1 / 0\nTraceback (most recent call last):\n  ...\nValueError: no\n", names, "here")) == 1


@pytest.mark.parametrize(("document", "block"), BLOCKS)
def test_a_block_says_its_language_and_why_it_is_not_run(document: Path, block: Block) -> None:
    assert block.language in LANGUAGES, f"{block.language!r} is none of {sorted(LANGUAGES)}"
    if block.language == "text":
        assert block.not_run, "a block of text is not run: say why in a comment on the line before, <!-- not run: reason -->"
    if block.language == "toml":
        assert tomllib.loads(block.text)


@pytest.mark.parametrize(("document", "block"), [p for p in BLOCKS if p.values[1].quoted_from])  # type: ignore[union-attr]
def test_what_is_quoted_stands_in_the_source(document: Path, block: Block) -> None:
    def statements(text: str) -> set[str]:
        tree = ast.parse(text)
        for node in ast.walk(tree):
            if isinstance(node, ast.arg):
                node.annotation = None
            elif isinstance(node, ast.FunctionDef):
                node.returns = None
        return {ast.dump(statement) for statement in tree.body}

    package, _, name = (block.quoted_from or "").rpartition(".")
    module = inspect.getmodule(getattr(importlib.import_module(package), name))
    assert module is not None
    assert statements(block.text) <= statements(inspect.getsource(module))


# ---------------------------------------------------------------------------------------------------- commands

def commands(text: str) -> list[list[str]]:
    """The words of each command, without comments; a line may join several by ``&&``."""
    found, words = [], []
    for line in text.splitlines():
        for word in [*shlex.split(line, comments=True), "&&"]:
            if word != "&&":
                words.append(word)
            elif words:
                found.append(words)
                words = []
    return found


COMMANDS = sorted({tuple(c) for p in BLOCKS if p.values[1].language == "bash" and not p.values[1].not_run  # type: ignore[union-attr]
                   for c in commands(p.values[1].text)})  # type: ignore[union-attr]


@cache
def help_of(*command: str) -> str:
    """What ``python -m command --help`` prints."""
    done = run_module(*command, "--help", folder=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def check_pip_install(words: list[str]) -> None:
    """Every extra exists, and nothing named `minigrad` is taken from the package index, where it is another project."""
    for word in words:
        if match := re.fullmatch(r"\.\[([\w,-]+)\]", word):
            assert set(match[1].split(",")) <= set(PROJECT["project"]["optional-dependencies"])
        else:
            assert re.match(r"minigrad\b(?!-numpy)", word) is None


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_of_a_document_exists(command: tuple[str, ...], tmp_path: Path) -> None:
    program, *words = (c for c in command if not re.fullmatch(r"\w+=\S*", c))  # without settings of the environment
    if program == "python" and words[0] == "-m":
        module, *words = words[1:]
        assert importlib.util.find_spec(module) is not None
        if module in ("minigrad", "benchmarks"):
            named = words[:1] if words and not words[0].startswith("-") and module == "minigrad" else []
            missing = [w for w in words if w.startswith("-") and w not in help_of(module, *named)]
            assert not missing
        program = module if module in ("pip", "pytest") else "checked"
    if program == "python":
        done = subprocess.run([sys.executable, str(ROOT / words[0]), *words[1:]], cwd=tmp_path, capture_output=True, text=True,
                              env={**os.environ, "PYTHONPATH": str(ROOT)})
        assert done.returncode == 0, done.stderr
    elif program == "pip":
        assert words[0] == "install"
        check_pip_install(words[1:])
    elif program == "pytest":
        marks = [m.split(":")[0] for m in PROJECT["tool"]["pytest"]["ini_options"]["markers"]]
        assert all(mark in marks for flag, mark in zip(words, words[1:]) if flag == "-m")
        assert all((ROOT / w).exists() for w in words if w.endswith(".py"))
    elif program == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        assert set(words) <= set(targets)
    else:
        assert program in PROGRAMS | {"checked"} or (ROOT / program).exists(), f"nothing is known of the command {program!r}"


# ---------------------------------------------------------------------------------------------------- what is said

def tracked_files() -> list[Path]:
    """The files of the project that say something to users: sources, tests, documents, settings."""
    kinds = (".py", ".md", ".toml", ".yml", ".yaml")
    return [f for folder in ("minigrad", "tests", "docs", "examples", "benchmarks") for f in (ROOT / folder).rglob("*")
            if f.suffix in kinds] + [f for f in ROOT.iterdir() if f.suffix in kinds]


def test_nothing_tells_to_install_the_other_project_of_this_name() -> None:
    other = re.compile(r"pip3? (?:install|download) (?!-e )[^\n&]*?['\"]?\bminigrad(?![-\w/.])")
    assert other.search("python -m pip install -U 'minigrad[demo]'")
    assert not other.search("python -m pip install -e . && python -m minigrad demo")
    found = {str(f.relative_to(ROOT)): m[0] for f in tracked_files() if f != Path(__file__)
             if (m := other.search(f.read_text(encoding="utf-8")))}
    assert not found
    assert PROJECT["project"]["name"] == "minigrad-numpy"
    requirements = [r for extra in PROJECT["project"]["optional-dependencies"].values() for r in extra]
    own = [r for r in requirements if r.startswith("minigrad")]
    assert own, "extras refer to each other by the project's own name"
    assert all(r.startswith("minigrad-numpy[") for r in own)


def test_versions_agree() -> None:
    assert PROJECT["project"]["version"] == minigrad.__version__
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[?{re.escape(minigrad.__version__)}\b", changelog, re.MULTILINE)


def test_the_sizes_that_readme_says_are_those_of_the_package() -> None:
    files = [f for f in (ROOT / "minigrad").rglob("*") if f.is_file() and "__pycache__" not in f.parts]
    with zipfile.ZipFile(wheel := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:  # which is what a wheel is
        for file in files:
            archive.write(file, str(file.relative_to(ROOT)))
    installed, packed = sum(f.stat().st_size for f in files) / 1e6, len(wheel.getvalue()) / 1e6
    said = re.search(r"a wheel of ([\d.]+) MB \(([\d.]+) MB when\s+installed\)", README)
    table = re.search(r"^\| installed size \(MB\) \| ([\d.]+) \|", README, re.MULTILINE)
    assert said, "README says how large the wheel and the installed package are"
    assert table, "README's table says how large the installed package is"
    assert float(said[2]) == pytest.approx(float(table[1]), abs=0.1)
    assert float(said[1]) == pytest.approx(packed, abs=0.1)
    assert float(said[2]) == pytest.approx(installed, abs=0.1)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: str(d.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    fenced, text = False, []
    for line in document.read_text(encoding="utf-8").splitlines():
        fenced ^= FENCE.match(line) is not None
        if not fenced:
            text.append(re.sub(r"`[^`]*`", "", line))
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)", "\n".join(text))
    missing = [t for t in targets if not re.match(r"https?://|mailto:", t) and not (document.parent / t).exists()]
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: str(d.relative_to(ROOT)))
def test_files_that_are_named_are_there(document: Path) -> None:
    named = re.findall(r"`((?:minigrad|tests|docs|examples|benchmarks)/[\w/.-]+)`", document.read_text(encoding="utf-8"))
    assert not [name for name in named if not (ROOT / name).exists()]


def test_the_pictures_of_a_page_are_those_that_its_code_draws(tmp_path: Path) -> None:
    """Where they differ, ``python -m tests.documents docs/seeing.md`` writes the new ones into the current folder."""
    done = run_module("tests.documents", str(ROOT / "docs" / "seeing.md"), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    drawn = sorted(tmp_path.glob("*.svg"))
    assert [p.name for p in drawn] == sorted(p.name for p in (ROOT / "docs" / "pictures").glob("*.svg"))
    for picture in drawn:
        assert picture.read_text(encoding="utf-8") == (ROOT / "docs" / "pictures" / picture.name).read_text(encoding="utf-8")
