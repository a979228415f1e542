"""Arrays of host memory that processes share.

The memory is a file without a name, mapped. It goes when the last process that has it ends, however that happens, so that nothing
need be tidied up; a process is given it as an open descriptor.
"""

from __future__ import annotations

import mmap
import os
import sys
import tempfile
import threading
import weakref
from typing import Any, Iterable

import numpy as np

from minigrad.errors import StateError

ALIGNMENT = 64  # bytes; that of a cache line
ARENA = 1 << 20  # bytes, of which small arrays get their parts, because each segment costs descriptors
MAPPINGS = 200  # that may live at a time where each keeps a descriptor; programs have 1024 or, on macOS, 256

available = hasattr(os, "pwrite")  # not on Windows, which has no such files


def anonymous_file() -> int:
    """The descriptor of a new file that has no name."""
    if hasattr(os, "memfd_create"):  # in memory, and not limited as /dev/shm may be
        return os.memfd_create("minigrad", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def aligned(size: int) -> int:
    """The next multiple of the alignment."""
    return -(-size // ALIGNMENT) * ALIGNMENT


# ---------------------------------------------------------------------------------------------------- sent once

def write_file(buffers: Iterable[memoryview]) -> tuple[int, list[tuple[int, int]]]:
    """A new file that holds `buffers`: its descriptor, and where each begins and ends. Raises ``OSError`` if there is no room."""
    file, places, offset = anonymous_file(), [], 0
    try:
        for buffer in buffers:
            places.append((offset, offset + len(buffer)))
            while len(buffer):  # the system writes 2 GB at once, at most
                written = os.pwrite(file, buffer, offset)
                buffer, offset = buffer[written:], offset + written
            offset = aligned(offset)
    except BaseException:
        os.close(file)
        raise
    return file, places


mappings: weakref.WeakSet[Mapping] = weakref.WeakSet()


class Mapping(mmap.mmap):
    """A file in memory, for as long as an array lies in it."""


def read_file(file: int) -> memoryview:
    """The bytes of a file, whose descriptor is closed. They can be written, which nobody else sees who has not got the file."""
    try:
        size = os.fstat(file).st_size
        if sys.version_info >= (3, 13):
            return memoryview(Mapping(file, size, trackfd=False))
        if len(mappings) < MAPPINGS:
            mappings.add(mapping := Mapping(file, size))
            return memoryview(mapping)
        memory, done = memoryview(bytearray(size)), 0
        while done < size:
            done += os.preadv(file, [memory[done:]], done)
        return memory
    finally:
        os.close(file)


# ---------------------------------------------------------------------------------------------------- shared for good

class Segment(mmap.mmap):
    """Memory that lives on in all processes that have it, and is written by all."""

    file: int  # its descriptor, open as long as the segment is
    free: int  # where the part begins that no array has got
    maker: int  # the process that gives out its parts
    address: int


segments: weakref.WeakValueDictionary[tuple[int, int], Segment] = weakref.WeakValueDictionary()  # by the identity of their file
arena: Segment | None = None
lock = threading.Lock()


def open_segment(file: int, maker: int = 0) -> Segment:
    """The segment of a file, which takes over the descriptor; the one that is there if this process has it already."""
    status = os.fstat(file)
    key = status.st_dev, status.st_ino
    known = segments.get(key)
    if known is not None:
        os.close(file)
        return known
    segment = Segment(file, status.st_size)
    segment.file, segment.free, segment.maker = file, 0, maker
    segment.address = np.frombuffer(segment, np.uint8).__array_interface__["data"][0]
    weakref.finalize(segment, os.close, file)
    segments[key] = segment
    return segment


def segment_with(size: int) -> Segment:
    """A segment of this process's own making with room for `size` bytes. One that was inherited is its parent's to fill."""
    global arena
    if arena is None or arena.maker != os.getpid() or len(arena) - arena.free < size:
        file = anonymous_file()
        try:
            os.truncate(file, max(size, ARENA))
        except BaseException:
            os.close(file)
            raise
        arena = open_segment(file, os.getpid())
    return arena


def shared_copy(array: Any) -> Any:
    """A copy of a NumPy array, laid out as it is, in memory that other processes can be given."""
    if not available:
        raise StateError("share_memory_: memory can be shared on POSIX systems only; send tensors by queues and pipes")
    order = sorted(range(array.ndim), key=lambda d: -abs(array.strides[d]))
    outermost_first = array.transpose(order)
    with lock:
        segment = segment_with(array.nbytes)
        start, segment.free = segment.free, aligned(segment.free + array.nbytes)
    copy = np.ndarray(outermost_first.shape, array.dtype, segment, start)
    copy[...] = outermost_first
    return copy.transpose(np.argsort(order))


def segment_of(array: Any) -> Segment | None:
    """The segment that a NumPy array lies in, whoever made the array; None if it is in memory of this process alone."""
    if segments and array.size:
        address = array.__array_interface__["data"][0]
        for segment in segments.values():
            if segment.address <= address < segment.address + len(segment):
                return segment
    return None


def array_in(segment: Segment, dtype: Any, shape: Any, offset: int, strides: Any) -> Any:
    """The array of that description in a segment."""
    return np.ndarray(shape, dtype, segment, offset, strides)
