"""Pythons that lack something: processes and threads as in WebAssembly, parts of the standard library, sources, a locale, a disk
to write to. The same program must say the same in each."""

from __future__ import annotations

import compileall
import functools
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import minigrad

PACKAGE = Path(minigrad.__file__).parent

PROGRAM = """\
import minigrad as mg
from minigrad import nn
from minigrad.utils.data import DataLoader, TensorDataset

mg.manual_seed(0)
model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))
optimizer = mg.optim.Adam(model.parameters())
data = TensorDataset(mg.randn(10, 1, 4, 4), mg.arange(10) % 3)
for images, labels in DataLoader(data, batch_size=5, shuffle=True):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
print(loss, mg.linalg.inv(mg.eye(2)), mg.fft.fft(mg.ones(2)), mg.ones(1, dtype=mg.bfloat16))
x = mg.ones(3, requires_grad=True)
y = x.exp()
y += 1
try:
    y.sum().backward()
except RuntimeError as error:
    print(error)
try:
    mg.ones(2, 3) @ mg.ones(2)
except RuntimeError as error:
    print(error)
print(mg.mul.source)
"""


def run(program: str, *options: str, first: str = "", paths: str = str(PACKAGE.parent), **environment: str) -> str:
    """What a Python with these options and variables prints, which must not fail, nor say anything beside. `first` is what it
    does before the program."""
    given = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LC_", "LANG", "HOME"))}
    program = f"import sys\nsys.path[:0] = {[paths]!r}\n{first}\nexec(compile({program!r}, 'program.py', 'exec'))"
    done = subprocess.run([sys.executable, "-B", *options, "-c", program], capture_output=True, env={**given, **environment})
    assert not done.returncode and not done.stderr, done.stderr.decode()
    return done.stdout.decode()


@functools.cache
def usual() -> str:
    """What the program prints where nothing is missing."""
    return run(PROGRAM)


@pytest.mark.parametrize("options", ["-OO", "-I", "-X dev -W error", "-X warn_default_encoding -W error", "-X utf8=0"])
def test_options_of_python_change_nothing(options: str) -> None:
    assert run(PROGRAM, *options.split()) == usual()


@pytest.mark.parametrize("environment", [
    {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "cp1252"},
    {"PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "2"}, {"HOME": "/nowhere", "TMPDIR": "/nowhere"}],
    ids=lambda environment: " ".join(environment))
def test_the_environment_changes_nothing(environment: dict[str, str]) -> None:
    assert run(PROGRAM, **environment) == usual()


ABSENT = """\
from importlib.abc import MetaPathFinder


class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Absent())
for name in list(sys.modules):
    if name.partition(".")[0] in absent:
        del sys.modules[name]
"""


@pytest.mark.parametrize("absent", [
    "_multiprocessing _posixshmem _posixsubprocess", "ctypes _ctypes", "fcntl resource termios readline curses pwd grp", "mmap",
    "ssl _ssl sqlite3 _sqlite3", "lzma _lzma bz2 _bz2", "graphviz", "tqdm matplotlib PIL safetensors tensorboardX threadpoolctl",
    "scipy"])
def test_what_a_program_does_not_use_may_be_absent(absent: str) -> None:
    assert run(PROGRAM, first=f"absent = {set(absent.split())}\n{ABSENT}") == usual()


UNABLE = """\
import os, threading


def refuse(event, args):
    if event in ("subprocess.Popen", "os.fork", "os.posix_spawn", "os.system", "_thread.start_new_thread"):
        raise OSError(138, f"Function not implemented: {event}")


def start(self):
    raise RuntimeError("can't start new thread")


threading.Thread.start = start
sys.addaudithook(refuse)
"""


def test_neither_processes_nor_threads_are_needed() -> None:
    assert run(PROGRAM, first=UNABLE) == usual()


LOADING = """\
import warnings
from minigrad.utils.data import DataLoader
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    batches = [x.tolist() for x in DataLoader([1, 2, 3], batch_size=2, num_workers=2)]
print(batches, [str(w.message).partition(" (")[0] for w in seen])
"""


def test_batches_are_made_without_workers_where_none_can_be_started() -> None:
    assert run(LOADING, first=UNABLE) == "[[1, 2], [3]] ['DataLoader: no workers can be started here']\n"


DRAWING = """\
import minigrad as mg
x = mg.ones(2, requires_grad=True)
print(mg.viz.draw((x * 2).sum()).svg()[:4])
"""


@pytest.mark.parametrize("first", [UNABLE, f"absent = {{'graphviz'}}\n{ABSENT}"], ids=["no processes", "no graphviz"])
def test_pictures_are_drawn_without_graphviz(first: str) -> None:
    assert run(DRAWING, first=first) == "<svg\n"


READ_ONLY = """\
import os


def refuse(event, args):
    writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if writes or event in ("os.mkdir", "os.rename", "os.remove", "socket.connect"):
        raise OSError(30, f"Read-only file system: {event} {args}")


sys.addaudithook(refuse)
"""


def test_nothing_is_written_but_what_is_asked_for() -> None:
    assert run(PROGRAM, first=READ_ONLY) == usual()
    with pytest.raises(AssertionError, match="Read-only file system: open"):
        run(f"{PROGRAM}mg.save(loss, 'loss.pt')", first=READ_ONLY)


def test_the_package_runs_from_a_zip_file(tmp_path: Path) -> None:
    archive = tmp_path / "packed.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in PACKAGE.rglob("*"):
            if file.is_file() and file.suffix != ".pyc":
                packed.write(file, file.relative_to(PACKAGE.parent))
    shipped = "from minigrad.datasets import digits\nprint(digits()[0].shape, 'packed.zip' in mg.__file__)"
    assert run(PROGRAM + shipped, paths=str(archive)) == f"{usual()}minigrad.Size([1797, 1, 8, 8]) True\n"


def test_the_package_runs_without_sources_as_in_a_frozen_program(tmp_path: Path) -> None:
    compileall.compile_dir(PACKAGE, ddir="minigrad", legacy=True, quiet=1, force=True)
    for file in PACKAGE.rglob("*.pyc"):
        if file.parent.name != "__pycache__":
            place = tmp_path / file.relative_to(PACKAGE.parent)
            place.parent.mkdir(parents=True, exist_ok=True)
            file.rename(place)
    assert run(f"{PROGRAM}print(mg.__file__.endswith('.pyc'))", paths=str(tmp_path)).replace("True\n", "") == usual()
