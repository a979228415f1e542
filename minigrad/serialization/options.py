"""How files are read and written where a call does not say it."""

from __future__ import annotations

import contextvars
import mmap
from enum import Enum
from typing import Any

from minigrad.errors import ArgumentError, InvalidValueError

__all__ = ["LoadEndianness", "get_crc32_options", "get_default_load_endianness", "get_default_mmap_options",
           "set_crc32_options", "set_default_load_endianness", "set_default_mmap_options", "skip_data"]

# MAP_PRIVATE and MAP_SHARED are numbers of POSIX; where the system has others, or none, these are names for the two choices.
MAP_SHARED, MAP_PRIVATE = getattr(mmap, "MAP_SHARED", 1), getattr(mmap, "MAP_PRIVATE", 2)


class LoadEndianness(Enum):
    """The byte order of files that do not say theirs, as those of PyTorch before 2.1.

    >>> import minigrad as mg
    >>> mg.serialization.LoadEndianness.BIG.name
    'BIG'
    """

    NATIVE = 1
    LITTLE = 2
    BIG = 3


_endianness: LoadEndianness | None = None
_checksums = True
_mmap_flags = MAP_PRIVATE
_skipping: contextvars.ContextVar[bool] = contextvars.ContextVar("skip_data", default=False)


def get_default_load_endianness() -> LoadEndianness | None:
    """The byte order that :func:`minigrad.load` expects of files that do not say theirs; unless set None, which is the low byte
    first.

    >>> import minigrad as mg
    >>> mg.serialization.get_default_load_endianness()
    """
    return _endianness


def set_default_load_endianness(endianness: LoadEndianness | None) -> None:
    """Set what :func:`get_default_load_endianness` returns.

    >>> import minigrad as mg
    >>> mg.serialization.set_default_load_endianness(mg.serialization.LoadEndianness.LITTLE)
    >>> mg.serialization.set_default_load_endianness(None)
    """
    global _endianness
    if endianness is not None and not isinstance(endianness, LoadEndianness):
        raise ArgumentError(f"set_default_load_endianness: expected a LoadEndianness or None, got {endianness!r}")
    _endianness = endianness


def get_crc32_options() -> bool:
    """Whether :func:`minigrad.save` writes checksums.

    >>> import minigrad as mg
    >>> mg.serialization.get_crc32_options()
    True
    """
    return _checksums


def set_crc32_options(compute_crc32: bool) -> None:
    """Say whether :func:`minigrad.save` writes checksums. Without them :func:`minigrad.load` does not notice changed bytes, and
    programs that unpack archives warn; they are computed all the same.

    >>> import minigrad as mg
    >>> mg.serialization.set_crc32_options(True)
    """
    global _checksums
    _checksums = compute_crc32


def get_default_mmap_options() -> int:
    """How ``load(mmap=True)`` maps files: ``mmap.MAP_PRIVATE`` unless set, which keeps writes to tensors from the file.

    >>> import mmap, minigrad as mg
    >>> mg.serialization.get_default_mmap_options() == mmap.MAP_PRIVATE
    True
    """
    return _mmap_flags


class set_default_mmap_options:
    """Map files so in ``load(mmap=True)``: from now on, or in a block.

    Args:
        flags: ``mmap.MAP_PRIVATE``, or ``mmap.MAP_SHARED``, by which writes to tensors change the file.

    Raises: ``ValueError`` for other flags.

    >>> import mmap, minigrad as mg
    >>> with mg.serialization.set_default_mmap_options(mmap.MAP_SHARED):
    ...     mg.serialization.get_default_mmap_options() == mmap.MAP_SHARED
    True
    """

    def __init__(self, flags: int) -> None:
        global _mmap_flags
        if flags not in (MAP_PRIVATE, MAP_SHARED):
            raise InvalidValueError("set_default_mmap_options: Invalid argument, expected mmap.MAP_PRIVATE or mmap.MAP_SHARED, "
                                    f"but got {flags}")
        self.before, _mmap_flags = _mmap_flags, flags

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        global _mmap_flags
        _mmap_flags = self.before


class skip_data:
    """A block in which :func:`minigrad.save` writes zeros for the elements of tensors, and :func:`minigrad.load` reads none.

    >>> import io, minigrad as mg
    >>> file = io.BytesIO()
    >>> mg.save(mg.ones(2), file)
    >>> _ = file.seek(0)
    >>> with mg.serialization.skip_data():
    ...     mg.load(file).shape
    minigrad.Size([2])
    """

    def __init__(self, materialize_fake_tensors: bool = False) -> None:
        self.materialize_fake_tensors = materialize_fake_tensors

    def __enter__(self) -> None:
        self.token = _skipping.set(True)

    def __exit__(self, *exc: Any) -> None:
        _skipping.reset(self.token)


def is_skipping_data() -> bool:
    """Whether this is a block of :class:`skip_data`."""
    return _skipping.get()
