"""One clock that orders everything, the user's source lines, and the ledger of writes in place.

Nodes are stamped when they are made, so an older node never depends on a younger one. Memory is stamped each time it is written
in place, so a node can tell whether what it saved is still what it saved. A module's call is stamped at its beginning and end, so
a drawing can tell which nodes it made.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import weakref
from _thread import RLock  # ``threading`` would be imported for this alone
from collections import deque
from contextvars import ContextVar
from functools import partial
from typing import Any, Callable, Iterable, Iterator, Mapping

import numpy as np

tick: Callable[[], int] = itertools.count(1).__next__

# The last calls of modules during which something was recorded: when each began and ended, and the identity of the module.
calls: deque[tuple[int, int, int]] = deque(maxlen=65_536)

# The last backward passes that were themselves recorded: when each began and ended, and which derivative it computed.
passes: deque[tuple[int, int, int]] = deque(maxlen=4096)

# As frames name it: what was compiled elsewhere, as in a frozen program, has the paths of there.
PACKAGE = os.path.dirname(os.path.dirname(sys._getframe().f_code.co_filename)) + os.sep


def owning_modules(stamps: Iterable[int], modules: Mapping[str, Any]) -> dict[int, str]:
    """Return, for each stamp, the dotted path of the module during whose call it was given, or ''. Of nested calls the innermost
    counts."""
    paths = {id(module): path for path, module in modules.items() if path}
    known = calls.copy()  # at once: other threads go on calling modules
    spans = sorted([(start, end, paths[who]) for start, end, who in known if who in paths], key=lambda span: span[1] - span[0])
    return {stamp: next((path for start, end, path in spans if start < stamp < end), "") for stamp in stamps}


def derivative_at(stamp: int) -> int:
    """Which derivative was being computed at a time: 0 in no recorded backward pass, 1 in one, 2 in one through the results of
    that ..."""
    for k in range(1, len(passes) + 1):  # by number: where another thread adds a pass meanwhile, one is looked at twice
        start, end, order = passes[-k]
        if stamp > end:
            return 0
        if stamp > start:
            return order
    return 0


class User:
    """Remembers the file of the last call from outside the package. A call from the same file needs no search of the stack."""

    file = ""


user = User()


def user_frame() -> Any:
    """The frame of the innermost call whose code is not minigrad's own."""
    frame: Any = sys._getframe(1)
    file = frame.f_code.co_filename
    while frame.f_back is not None and (file in package_files or is_package_file(file)):
        frame = frame.f_back
        file = frame.f_code.co_filename
    user.file = file
    return frame


package_files: set[str] = set()  # those of the package that have been met


def is_package_file(file: str) -> bool:
    """Whether `file` belongs to the package."""
    if file.startswith(PACKAGE):
        package_files.add(file)
        return True
    return False


def source_line(code: Any, lasti: int) -> str:
    """``file:line`` of the instruction `lasti` of `code`, as errors show it."""
    if code is None:
        return "an unknown line"
    line = next((n for start, end, n in code.co_lines() if start <= lasti < end), code.co_firstlineno)
    return f"{code.co_filename}:{line}"


# ---------------------------------------------------------------------------------------------------- writes in place

class Write:
    """What is known of the in-place writes to one piece of memory: their number, how many of the last ones came from one
    operation, and the stamp, the operation and the source line of the last."""

    __slots__ = ("count", "run", "stamp", "op_name", "code", "lasti", "owner")

    def __init__(self, op_name: str, owner: Any) -> None:
        self.count = self.run = self.stamp = self.lasti = 0
        self.op_name, self.code, self.owner = op_name, None, owner


class Piece:
    """The base of an array that counts as memory of its own, though it is `part` of the NumPy array `whole`, which is the user's.

    Tensors made of several parts of one array then have memory of their own each: a write to one is none to another, unless the
    parts have elements in common.
    """

    def __init__(self, part: Any, whole: Any) -> None:
        self.part, self.whole = part, whole
        extent = part.itemsize + sum([(n - 1) * step for n, step in zip(part.shape, part.strides)])
        address, read_only = part.__array_interface__["data"]
        self.__array_interface__ = {"version": 3, "typestr": "|u1", "shape": (extent,), "data": (address, read_only)}


class Pieces:
    """The living pieces of one array, by their identity, and the stamp of the latest write to one of them."""

    __slots__ = ("roots", "last", "whole")

    def __init__(self, whole: weakref.ref[Any]) -> None:
        self.roots: dict[int, weakref.ref[Any]] = {}
        self.last = 0
        self.whole = whole


lock = RLock()  # held while something changes that threads may have in common: the ledger, the gradient of a leaf


def renew_lock() -> None:
    """Make the lock anew, in a process begun by fork: the thread that may have held it is not in there."""
    global lock
    lock = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=renew_lock)


class Ledger:
    """In-place writes, by the array that owns the memory; an entry goes when that array does.

    ``last`` is the stamp of the latest write anywhere: a node younger than it need not look further.
    """

    def __init__(self) -> None:
        self.last = 0
        self.writes: dict[int, Write] = {}
        self.pieces: dict[int, Pieces] = {}  # by the identity of the array that they are parts of

    def record(self, array: Any, op_name: str) -> None:
        """Note that `array`'s memory has been written by `op_name` just now."""
        self.record_all((array,), op_name)

    def record_all(self, arrays: Iterable[Any], op_name: str) -> None:
        """Note that the memory of all `arrays` has been written by one call of `op_name`, such as an optimizer's step."""
        frame = user_frame()
        code, lasti = frame.f_code, frame.f_lasti
        watchers = write_watchers.get()
        with lock:
            self.last = stamp = tick()
            for array in arrays:
                for note in watchers:
                    note(array, op_name)
                owner = array if array.base is None else memory_owner(array)
                write = self.writes.get(id(owner))
                if write is None:
                    # The entry goes when the array does, before another can get its identity. The callback is one call of C, so
                    # that a Ctrl-C cannot come before it has done its work.
                    write = Write(op_name, weakref.ref(owner, partial(self.writes.pop, id(owner))))
                    self.writes[id(owner)] = write
                write.count += 1
                write.run = write.run + 1 if write.op_name == op_name else 1
                write.op_name, write.code, write.lasti, write.stamp = op_name, code, lasti, stamp
                if owner.base.__class__ is Piece:
                    self.pieces[id(owner.base.whole)].last = stamp

    def add_piece(self, part: Any) -> Any:
        """`part`, a view of a NumPy array, as an array whose memory counts as its own: a :class:`Piece`."""
        whole = memory_owner(part)
        root = np.asarray(Piece(part, whole))
        with lock:
            found = self.pieces.get(id(whole))
            if found is None:
                found = self.pieces[id(whole)] = Pieces(weakref.ref(whole, partial(self.forget_pieces, id(whole))))
        found.roots[id(root)] = weakref.ref(root, partial(found.roots.pop, id(root)))
        return np.ndarray(part.shape, part.dtype, root, 0, part.strides)

    def forget_pieces(self, key: int, _: Any) -> None:
        """Drop the pieces of an array that has been freed."""
        self.pieces.pop(key, None)

    def find(self, array: Any) -> Write | None:
        """The writes to `array`'s memory, if there were any."""
        return self.writes.get(id(memory_owner(array)))

    def find_since(self, array: Any, stamp: int) -> Write | None:
        """A write to `array`'s memory after the time `stamp`, whichever tensor it was written through; None if there was none."""
        owner = memory_owner(array)
        write = self.writes.get(id(owner))
        if write is not None and write.stamp > stamp:
            return write
        if not self.pieces:
            return None
        whole = owner.base.whole if owner.base.__class__ is Piece else owner
        among = self.pieces.get(id(whole))
        if among is None:
            return None
        others = [(whole, whole)]
        if among.last > stamp:
            others += [(root, root.base.part) for ref in list(among.roots.values()) if (root := ref()) is not None]
        for other, written in others:
            write = self.writes.get(id(other))
            if write is not None and write.stamp > stamp and have_common_elements(array, written):
                return write
        return None


ledger = Ledger()
write_watchers: ContextVar[tuple[Callable[[Any, str], None], ...]] = ContextVar("write_watchers", default=())


@contextlib.contextmanager
def watch_writes(note: Callable[[Any, str], None]) -> Iterator[None]:
    """Inside the block, call ``note(array, op_name)`` whenever an array has been written in place."""
    token = write_watchers.set((*write_watchers.get(), note))
    try:
        yield
    finally:
        write_watchers.reset(token)


def have_common_elements(x: Any, y: Any) -> bool:
    """Whether an element of the array `x` is one of `y`; True too where that would take long to find out."""
    try:
        return np.shares_memory(x, y, max_work=10_000)  # type: ignore[arg-type]  # NumPy takes any number of steps
    except np.exceptions.TooHardError:
        return True


def memory_owner(array: Any) -> Any:
    """The array at the bottom of the chain of views that `array` belongs to."""
    while (base := array.base) is not None and hasattr(base, "base"):
        array = base
    return array
