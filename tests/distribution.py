"""Whether what is uploaded holds what it must: ``python -m tests.distribution build/dist``.

A source distribution holds every file of the project, so that its tests can be run; a wheel holds the package and nothing else.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def project_files() -> set[str]:
    """The files of the project, by their paths in it: those that git knows."""
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines())


def files_of_sdist(path: Path) -> set[str]:
    """The files in a source distribution, by their paths in the project, without what the build adds."""
    with tarfile.open(path) as packed:
        names = {name.partition("/")[2] for name in packed.getnames() if packed.getmember(name).isfile()}
    return {name for name in names if ".egg-info/" not in name and name not in ("PKG-INFO", "setup.cfg")}


def files_of_wheel(path: Path) -> set[str]:
    """The files in a wheel, without what describes it."""
    with zipfile.ZipFile(path) as packed:
        return {name for name in packed.namelist() if ".dist-info/" not in name}


def differences(folder: Path) -> list[str]:
    """What is too much or missing in the source distribution and in the wheel in `folder`, a sentence for each file."""
    project = project_files()
    package = {name for name in project if name.startswith("minigrad/")}
    found = []
    for pattern, read, wanted in (("*.tar.gz", files_of_sdist, project), ("*.whl", files_of_wheel, package)):
        path, = folder.glob(pattern)
        held = read(path)
        found += [f"{path.name} lacks {name}" for name in sorted(wanted - held)]
        found += [f"{path.name} holds {name}, which is no part of it" for name in sorted(held - wanted)]
    return found


if __name__ == "__main__":
    sys.exit("\n".join(differences(Path(sys.argv[1]))) or None)
