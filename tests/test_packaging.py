"""What is installed and uploaded: extras, errors that name them, and what distributions hold."""

from __future__ import annotations

import ast
import contextlib
import io
import pkgutil
import re
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import minigrad
from minigrad.errors import MissingPackageError, missing_extra
from tests import distribution

PACKAGE = Path(minigrad.__file__).parent
PROJECT = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def extras_named(source: str) -> set[str]:
    """The extras that errors in `source` name."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return {str(ast.literal_eval(call.args[2])) for call in calls if getattr(call.func, "id", "") == "missing_extra"}


def test_errors_name_extras_that_there_are() -> None:
    named = {file: extras_named(file.read_text(encoding="utf-8")) for file in PACKAGE.rglob("*.py")}
    assert set().union(*named.values()) >= {"scipy", "tensorboard", "vision", "safetensors", "testing", "demo", "cuda13"}
    assert not {file.name: names for file, names in named.items() if not names <= set(EXTRAS)}


def test_what_is_missing_is_said_in_one_way() -> None:
    error = missing_extra("ImageFolder", "Pillow", "vision")
    assert isinstance(error, (MissingPackageError, ImportError))
    assert str(error) == 'ImageFolder needs Pillow, which is not installed: pip install "minigrad-numpy[vision]"'
    raising = {str(file.relative_to(PACKAGE)) for file in PACKAGE.rglob("*.py") for node in ast.walk(ast.parse(file.read_bytes()))
               if isinstance(node, ast.Raise) and "pip install" in ast.unparse(node)}
    # What no extra brings: ml_dtypes, on which minigrad depends, and a library of MPI, which a distribution has too.
    assert raising == {"_types/dtypes.py", "distributed/mpi.py", "distributed/run.py"}


def test_extras_install_what_they_are_named_for() -> None:
    assert all(EXTRAS.values()), "an extra that installs nothing is a promise that is not kept"
    bounds = [r for requirements in (PROJECT["dependencies"], *EXTRAS.values()) for r in requirements]
    assert not [r for r in bounds if not re.search(r"[>=]=|^minigrad-numpy\[", r)], "every requirement has a lower bound"
    by_name: dict[str, set[str]] = {}
    for requirement in bounds:
        by_name.setdefault(re.split(r"[><=\[]", requirement)[0].lower(), set()).add(requirement)
    assert not {name: found for name, found in by_name.items() if len(found) > 1 and name != "minigrad-numpy"}, "one bound each"


def test_what_is_tested_on_is_what_is_promised() -> None:
    versions = {c.rpartition(" ")[2] for c in PROJECT["classifiers"] if re.search(r"Python :: 3\.\d+$", c)}
    assert versions == {"3.11", "3.12", "3.13", "3.14"} and PROJECT["requires-python"] == ">=3.11"


@pytest.mark.parametrize(("name", "said"), [("tests/conftest.py", "lacks tests/conftest.py"), ("minigrad/nn/init.py", "lacks")])
def test_a_file_that_a_distribution_lacks_is_found(name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = {"minigrad/nn/init.py", "minigrad/py.typed", "tests/conftest.py"}
    monkeypatch.setattr(distribution, "project_files", lambda: project)
    pack(tmp_path, project, {n for n in project if n.startswith("minigrad/")})
    assert not distribution.differences(tmp_path)
    pack(tmp_path, project - {name}, {"minigrad/py.typed", "tests/conftest.py"})
    found = distribution.differences(tmp_path)
    assert any(said in sentence and "gz" in sentence for sentence in found)
    assert any("whl holds tests/conftest.py" in sentence for sentence in found)
    assert any("whl lacks minigrad/nn/init.py" in sentence for sentence in found)


def pack(folder: Path, sources: set[str], package: set[str]) -> None:
    """Write a source distribution and a wheel that hold these files, which are empty."""
    with tarfile.open(folder / "m-1.tar.gz", "w:gz") as packed:
        for name in (*sources, "PKG-INFO"):
            packed.addfile(tarfile.TarInfo(f"m-1/{name}"), io.BytesIO())
    with zipfile.ZipFile(folder / "m-1-py3-none-any.whl", "w") as wheel:
        for name in (*package, "m-1.dist-info/METADATA"):
            wheel.writestr(name, "")


# ---------------------------------------------------------------------------------------------------- the table of places

WHERE = (PACKAGE.parent / "docs" / "where.md").read_text(encoding="utf-8")
OTHER_NAMES = {"torchvision": "minigrad.vision", "safetensors.torch": "minigrad.safetensors"}


def names_looked_for(part: str) -> list[str]:
    """The names of PyTorch's, and of the packages around it, in the first column of the table of that `part`."""
    section = WHERE.split(f"## {part}\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| ")][1:]
    return [name for row in rows for name in re.findall(r"`((?:torch|torchvision|safetensors)\.[\w.]+)`", row)]


def is_here(name: str) -> bool:
    """Whether minigrad has what that name is in PyTorch."""
    path = next((ours + name.removeprefix(theirs) for theirs, ours in OTHER_NAMES.items() if name.startswith(theirs)),
                "minigrad" + name.removeprefix("torch"))
    with contextlib.suppress(ModuleNotFoundError, AttributeError):
        pkgutil.resolve_name(path)
        return True
    return False


@pytest.mark.parametrize("part", ["Files and data", "Tools", "Speed and devices"])
def test_what_the_table_says_is_here_is_here(part: str) -> None:
    names = names_looked_for(part)
    assert len(names) > 3 and not [name for name in names if not is_here(name)]


def test_what_the_table_says_is_not_here_is_not() -> None:
    names = names_looked_for("Not here")
    assert len(names) > 8 and not [name for name in names if is_here(name)]


def test_the_table_of_extras_is_whole() -> None:
    section = WHERE.split("## What is installed\n")[1]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert set(EXTRAS) - {"test", "browser", "lint", "docs", "dist", "bench", "packages", "all"} == told
