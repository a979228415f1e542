"""What is installed and uploaded: extras, errors that name them, and what distributions hold."""

from __future__ import annotations

import ast
import io
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
    assert raising == {"_types/dtypes.py"}  # which names ml_dtypes: that is no extra, minigrad depends on it


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
