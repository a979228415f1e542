"""One clock that orders everything, the user's source lines, and the ledger of writes in place.

Nodes are stamped when they are made, so an older node never depends on a younger one. Memory is stamped each time it is written
in place, so a node can tell whether what it saved is still what it saved. A module's call is stamped at its beginning and end, so
a drawing can tell which nodes it made.
"""

from __future__ import annotations

import itertools
import os
import sys
import weakref
from collections import deque
from functools import partial
from typing import Any, Callable, Iterable, Mapping

tick: Callable[[], int] = itertools.count(1).__next__

# The last calls of modules: when each began and ended, and the identity of the module.
calls: deque[tuple[int, int, int]] = deque(maxlen=20_000)

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def owning_modules(stamps: Iterable[int], modules: Mapping[str, Any]) -> dict[int, str]:
    """Return, for each stamp, the dotted path of the module during whose call it was given, or ''. Of nested calls the innermost
    counts."""
    paths = {id(module): path for path, module in modules.items() if path}
    spans = sorted([(start, end, paths[who]) for start, end, who in calls if who in paths], key=lambda span: span[1] - span[0])
    return {stamp: next((path for start, end, path in spans if start < stamp < end), "") for stamp in stamps}


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


class Ledger:
    """In-place writes, by the array that owns the memory; an entry goes when that array does.

    ``last`` is the stamp of the latest write anywhere: a node younger than it need not look further.
    """

    def __init__(self) -> None:
        self.last = 0
        self.writes: dict[int, Write] = {}

    def record(self, array: Any, op_name: str) -> None:
        """Note that `array`'s memory has been written by `op_name` just now."""
        self.record_all((array,), op_name)

    def record_all(self, arrays: Iterable[Any], op_name: str) -> None:
        """Note that the memory of all `arrays` has been written by one call of `op_name`, such as an optimizer's step."""
        frame = user_frame()
        code, lasti = frame.f_code, frame.f_lasti
        self.last = stamp = tick()
        for array in arrays:
            owner = array if array.base is None else memory_owner(array)
            write = self.writes.get(id(owner))
            if write is None:
                # The entry goes when the array does, before another can get its identity. The callback is one call of C, so that
                # a Ctrl-C cannot come before it has done its work.
                write = Write(op_name, weakref.ref(owner, partial(self.writes.pop, id(owner))))
                self.writes[id(owner)] = write
            write.count += 1
            write.run = write.run + 1 if write.op_name == op_name else 1
            write.op_name, write.code, write.lasti, write.stamp = op_name, code, lasti, stamp

    def find(self, array: Any) -> Write | None:
        """The writes to `array`'s memory, if there were any."""
        return self.writes.get(id(memory_owner(array)))


ledger = Ledger()


def memory_owner(array: Any) -> Any:
    """The array at the bottom of the chain of views that `array` belongs to."""
    while (base := array.base) is not None and hasattr(base, "base"):
        array = base
    return array
