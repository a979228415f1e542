"""How kernels are compiled, and where they are kept until the next time. The one place that imports numba."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import sys
from pathlib import Path
from typing import Any, Callable, overload

import llvmlite
import numba
from numba.core import caching, serialize
from numba.core.compiler import CompileResult
from numba.core.compiler_lock import global_compiler_lock

__all__ = ["kernel", "part"]

# What the compiler may do with floating point numbers: a product and a sum in one instruction. With "reassoc" it may also add
# in another order, without which it cannot add several at once. NaN, infinities and rounding are as the code says.
EXACT = {"contract", "nsz"}
SUMS = {"contract", "nsz", "reassoc"}


@overload
def kernel(function: Callable[..., None]) -> Callable[..., None]: ...
@overload
def kernel(*, sums: bool = False, rounds: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]: ...
def kernel(function: Callable[..., None] | None = None, *, sums: bool = False, rounds: bool = False) -> Any:
    """Declare a function that is compiled when it is first called with arguments of its types, and from then on found in a file.

    It runs without the interpreter's lock, so that other threads go on. With `sums` the compiler may add in any order:
    sums of many elements of a row then take a fraction of the time. With `rounds` every result is rounded by itself, so that the
    bits are those of NumPy's functions, one after the other.
    """
    def declare(function: Callable[..., None]) -> Any:
        compiled: Any = part(sums=sums, rounds=rounds)(function)
        compiled._cache = Files(function)
        return compiled

    return declare if function is None else declare(function)


@overload
def part(function: Callable[..., Any]) -> Callable[..., Any]: ...
@overload
def part(*, sums: bool = False, rounds: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]: ...
def part(function: Callable[..., Any] | None = None, *, sums: bool = False, rounds: bool = False) -> Any:
    """Declare a function that kernels call, and become part of whose code it does."""
    allowed = False if rounds else SUMS if sums else EXACT
    made = numba.njit(nogil=True, error_model="numpy", forceinline=True, fastmath=allowed)
    return made if function is None else made(function)


# Another thread of a process that forks may be compiling: the child would wait for it forever.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=global_compiler_lock.acquire, after_in_parent=global_compiler_lock.release,
                        after_in_child=global_compiler_lock.release)


# ---------------------------------------------------------------------------------------------------- files of compiled kernels

ROOM = Path(__file__).parent


def room_digest(room: Path = ROOM) -> bytes:
    """What changes with any source of the `room`, whose functions become part of each other's code, and with what compiles
    them."""
    versions = f"{sys.version} {numba.__version__} {llvmlite.__version__}"
    parts = [versions.encode()]
    for file in sorted(room.glob("*.py*")):
        parts += [file.name.encode(), file.read_bytes()]
    return hashlib.sha256(b"".join([hashlib.sha256(part).digest() for part in parts])).digest()


def folders() -> list[Path]:
    """Where compiled kernels may be: beside the sources, where an installation may have put them, and in the user's cache."""
    if not ROOM.is_dir():  # in a zip file there is nothing by which to tell whether a compiled kernel is that of the sources
        return []
    found = [ROOM / "__pycache__"]
    with contextlib.suppress(RuntimeError):  # there may be no home
        cache = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
        found.append(Path(cache) / "minigrad" / "kernels")
    return found


class Files(caching.NullCache):  # type: ignore[misc]
    """The files of one kernel: one for every signature, and for every kind of processor that it was compiled for.

    numba's own files know the source file of the kernel alone, and not of those whose functions it calls. So no kernel may call
    what is outside this room. A file that cannot be written, or is not whole, is as good as none: the kernel is compiled again
    by the next process.
    """

    digest = room_digest()

    def __init__(self, function: Callable[..., Any]) -> None:
        self.name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"

    def file_of(self, signature: Any, codegen: Any) -> str:
        compiled_for = hashlib.sha256(repr((signature, codegen.magic_tuple())).encode()).hexdigest()[:20]
        return f"{self.name}.{sys.implementation.cache_tag}-{compiled_for}.kernel"

    def load_overload(self, signature: Any, context: Any) -> Any:
        context.refresh()
        for folder in folders():
            with contextlib.suppress(Exception):
                content = (folder / self.file_of(signature, context.codegen())).read_bytes()
                if content.startswith(self.digest):
                    return CompileResult._rebuild(context, *pickle.loads(content[len(self.digest):]))
        return None

    def save_overload(self, signature: Any, result: Any) -> None:
        content = self.digest + serialize.dumps(result._reduce())
        for folder in folders():
            with contextlib.suppress(OSError):
                folder.mkdir(parents=True, exist_ok=True)
                file = folder / self.file_of(signature, result.codegen)
                part_of_it = file.with_suffix(f".{os.getpid()}")  # this process compiles one kernel at a time
                part_of_it.write_bytes(content)
                os.replace(part_of_it, file)
                return
