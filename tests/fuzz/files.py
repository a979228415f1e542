"""Changed files, and what must hold for the reader whatever is in them.

    python -m tests.fuzz.files --files 100000 --workers 2

A file that was changed at random (`mutations`) loads, or is refused by an error of ours that says why. Nothing in it is run,
which an audit hook of Python's sees to; no class is changed; no tensor reaches outside of its memory; it takes no more memory
than four times its length and a little, and no more than five seconds. What breaks this is printed with its seed, which gives the
same file again: ``--seed 17 --files 1``.
"""

from __future__ import annotations

import argparse
import codecs
import collections
import importlib
import io
import os
import pickle
import re
import resource
import sys
import tempfile
import time
import tracemalloc
import warnings
import zipfile
from multiprocessing import get_context
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Callable, NamedTuple

import numpy as np

import minigrad as mg
from minigrad import safetensors
from minigrad._types.tensor_base import TensorBase
from minigrad.errors import MinigradError
from minigrad.recording.clock import memory_owner
from tests.fuzz.mutations import beginnings, draw_file

SECONDS = 5
MEMORY = 2**31  # bytes of a worker's address space beyond what it has at the beginning
SPARE = 2**22  # bytes that reading takes of any file
RUNNING = re.compile(r"(code|ctypes|exec|gc|import|marshal|object\.__(set|del)attr__|open|os|pickle|pty|shutil|socket|"
                     r"subprocess|sys|tempfile|urllib|webbrowser|winreg)(\.|$)")
HARMLESS = {"sys._getframe", "sys.unraisablehook"}

Reader = Callable[[bytes, int, str, str], Any]


class Ran(BaseException):
    """The audit hook has stopped what a file tried to do."""


class Finding(NamedTuple):
    """What a file has broken."""

    kind: str
    text: str


# ---------------------------------------------------------------------------------------------------- readers

def read(data: bytes, seed: int, path: str, origin: str) -> Any:
    """What we make of a file: in memory, or at a path, mapped into memory or not."""
    way = seed % 8
    if origin == "safetensors":
        return safetensors.load(data) if way < 4 else safetensors.load_file(path, backend="mmap" if way < 6 else "pread")
    if b"constants.pkl" in data and way % 2:
        return mg.jit.load(io.BytesIO(data)).state_dict()
    if way < 6:
        return mg.load(io.BytesIO(data), map_location="cpu" if way < 3 else None)
    return mg.load(path, mmap=way == 7)


def trust(data: bytes, seed: int, path: str, origin: str) -> Any:
    """A reader as it must not be, to see that the examination finds what it does."""
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            data = archive.read(next(path for path in archive.namelist() if path.endswith("data.pkl")))
    return pickle.loads(data)


# ---------------------------------------------------------------------------------------------------- one file

class Watch:
    """Python's audit hook, which cannot be taken away, and so is asked to look only while a file is read."""

    def __init__(self) -> None:
        self.path: str | None = None  # what may be opened, while we look
        sys.addaudithook(self.see)

    def see(self, event: str, args: tuple[Any, ...]) -> None:
        if self.path is None or event in HARMLESS or not RUNNING.match(event) or self.is_expected(event, args):
            return
        self.path = None
        raise Ran(f"{event}{args!r:.200}")

    def is_expected(self, event: str, args: tuple[Any, ...]) -> bool:
        if event == "import":  # which finds none, see work()
            return bool(args[0] == "cupy")
        return event == "open" and args[0] == self.path and not args[2] & (os.O_WRONLY | os.O_RDWR)


def examine(data: bytes, seed: int, watch: Watch, path: str, origin: str, reader: Reader) -> Finding | None:
    """Read a file, and say what it broke."""
    if seed % 8 > 3:  # the readers look for it there
        Path(path).write_bytes(data)
    before = dict(vars(mg.Tensor))
    tracemalloc.reset_peak()
    held, begin = tracemalloc.get_traced_memory()[0], time.monotonic()
    watch.path = path
    try:
        found: Any = reader(data, seed, path, origin)
        watch.path = None
        finding = first_outside(found)
    except Ran as error:
        finding = Finding("it ran something", str(error))
    except (pickle.UnpicklingError, MinigradError) as error:
        finding = None if len(str(error)) < 4000 else Finding("an endless error", str(error)[:200])
    except EOFError as error:
        finding = None if not data else Finding("an error that is not ours", repr(error))
    except Exception as error:
        finding = None if type(error).__name__ == "SafetensorError" else unclear(error)
    watch.path = None
    peak, took = tracemalloc.get_traced_memory()[1] - held, time.monotonic() - begin
    if finding is None and peak > 4 * len(data) + SPARE:
        finding = Finding("memory", f"{peak} bytes for a file of {len(data)}")
    if finding is None and took > SECONDS:
        finding = Finding("time", f"{took:.1f} s")
    if vars(mg.Tensor) != before or not np.dtype("f8").isnative or not np.dtype("f4").isnative:
        finding = Finding("a class has changed", "")
    return finding


def unclear(error: Exception) -> Finding:
    """An error that comes from where nobody looked, and where that is."""
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else ""
    return Finding("an error that is not ours", f"{type(error).__name__}: {str(error)[:200]} ({where})")


def first_outside(found: Any) -> Finding | None:
    """A tensor or array that reaches outside of the memory that it lies in."""
    pending, seen = [found], set()
    while pending:
        value = pending.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            pending.extend([*value, *value.values()])
        elif isinstance(value, (list, tuple, set, frozenset, collections.deque)):
            pending.extend(value)
        array = value.array if isinstance(value, TensorBase) else value
        if not isinstance(array, np.ndarray) or not array.size:
            continue
        owner = memory_owner(array)
        low, high = np.lib.array_utils.byte_bounds(array)
        first, last = np.lib.array_utils.byte_bounds(owner)
        if low < first or high > last:
            return Finding("a tensor outside of its memory", f"{array.shape} {array.strides} in {owner.shape}")
    return None


# ---------------------------------------------------------------------------------------------------- many files

def work(pipe: Any, reader: Reader) -> None:
    """Examine the files of the seeds that come, one after the other, and send what was found."""
    warnings.simplefilter("ignore")
    beginnings()
    codecs.lookup("raw_unicode_escape")  # of texts in protocol 0
    importlib.import_module("unicodedata")  # for the parser of NumPy's headers
    sys.modules["cupy"] = None  # type: ignore[assignment]  # is looked for where a file tells of a GPU
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file.pt")
        for origin, data in beginnings().items():  # so that all that is imported on demand is there
            for way in range(8):
                Path(path).write_bytes(data)
                try:
                    reader(data, way, path, origin)
                except Exception:  # some of them are not for this reader
                    continue
        limit = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE") + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        watch = Watch()
        tracemalloc.start()
        while (seed := pipe.recv()) is not None:
            origin, data = draw_file(seed)
            pipe.send((seed, origin, examine(data, seed, watch, path, origin, reader)))


class Worker:
    """A process that examines files; another takes its place when a file has ended it, or takes too long."""

    def __init__(self, seeds: Any, reader: Reader) -> None:
        self.seeds, self.reader = seeds, reader
        self.start()

    def start(self) -> None:
        context = get_context("spawn")
        self.pipe, there = context.Pipe()
        self.process = context.Process(target=work, args=(there, self.reader), daemon=True)
        self.process.start()
        there.close()
        self.deadline = time.monotonic() + 300  # of the imports, and of the first file
        self.next()

    def next(self) -> None:
        """Hand out the next file."""
        self.seed = next(self.seeds, None)
        self.pipe.send(self.seed)

    def result(self) -> tuple[int, str, Finding | None]:
        """What has come, or what ended the process; then go on."""
        assert self.seed is not None
        try:
            if not self.pipe.poll():
                raise TimeoutError
            found: tuple[int, str, Finding | None] = self.pipe.recv()
            self.deadline = time.monotonic() + 4 * SECONDS  # the files themselves see to theirs; this is for what hangs
            self.next()
            return found
        except (EOFError, ConnectionError, TimeoutError) as error:
            hung = isinstance(error, TimeoutError)
            self.process.kill()
            self.process.join()
            found = self.seed, "", Finding("a hang" if hung else "a crash", f"exit code {self.process.exitcode}")
            self.start()
            return found


def examine_all(seeds: Any, workers: int, reader: Reader = read) -> Any:
    """Examine the files of all seeds in processes; yields the seed, where the file began, and what was found."""
    left = iter(seeds)
    busy = [Worker(left, reader) for _ in range(workers)]
    while busy := [worker for worker in busy if worker.seed is not None]:
        ready = wait([worker.pipe for worker in busy], timeout=1)
        now = time.monotonic()
        for worker in busy:
            if worker.pipe in ready or now > worker.deadline:
                yield worker.result()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.files", description=__doc__)
    parser.add_argument("--files", type=int, default=2000, help="how many files")
    parser.add_argument("--seed", type=int, default=0, help="the first file's seed; the others follow")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--keep", type=Path, help="a folder to write the files to that break something")
    options = parser.parse_args()
    kinds: collections.Counter[str] = collections.Counter()
    for seed, origin, finding in examine_all(range(options.seed, options.seed + options.files), options.workers):
        if finding is None:
            continue
        key = f"{finding.kind} | {re.sub(r'[0-9]+', '_', finding.text)[:60]}"
        kinds[key] += 1
        if kinds[key] == 1:
            print(f"--- seed {seed}, from {origin}: {finding.kind}\n{finding.text}\n", flush=True)
            if options.keep is not None:
                options.keep.mkdir(parents=True, exist_ok=True)
                (options.keep / f"{seed}.pt").write_bytes(draw_file(seed)[1])
    print(f"{options.files} files, {sum(kinds.values())} broke something, in {len(kinds)} ways")
    return min(len(kinds), 1)


if __name__ == "__main__":
    sys.exit(main())
