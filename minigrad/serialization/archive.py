"""The container of PyTorch's files: a zip archive of uncompressed records, all of them in one folder.

Records are written one after the other, so that a pipe will do. What they hold begins at multiples of 64 bytes, so that it can be
mapped into memory.
"""

from __future__ import annotations

import io
import mmap as mapping
import os
import secrets
import stat
import struct
import zipfile
import zlib
from contextlib import contextmanager
from typing import IO, Any, Iterator

import numpy as np

from minigrad.errors import RuntimeValueError
from minigrad.serialization.options import get_crc32_options

ALIGNMENT = 64
BLOCK = 1 << 22  # bytes that are read or written at once
NO_CHECKSUM = 0  # what PyTorch writes where it was told to compute none
LOCAL_HEADER = struct.Struct("<4s22xHH")  # the signature, and the lengths of the name and of the extra field
IS_ENCRYPTED = 1  # in the flags of an entry
LOCAL_SIGNATURE = b"PK\3\4"
ZIP64_EXTRA = 20  # bytes of the extra field that zipfile adds for a record whose size takes 64 bits


# ---------------------------------------------------------------------------------------------------- writing

class Sink:
    """A file that is written from here on and never moved in. To zipfile this is a pipe: it begins to count here."""

    def __init__(self, file: IO[bytes]) -> None:
        self.write: Any = file.write
        self.file = file

    def flush(self) -> None:
        """Hand on what the file keeps back."""
        getattr(self.file, "flush", lambda: None)()


class ArchiveWriter:
    """A block in which records are written into `file`, from where it stands, below the folder `root`."""

    def __init__(self, file: IO[bytes], root: str) -> None:
        self.sink, self.root = Sink(file), root
        self.archive: Any = zipfile.ZipFile(self.sink, "w")  # type: ignore[call-overload]

    def __enter__(self) -> ArchiveWriter:
        return self

    def __exit__(self, kind: Any, *exc: object) -> None:
        if kind is not None:  # an archive that is not whole gets no table of contents, so that none takes it for one
            self.sink.write = len
        self.archive.close()

    def write(self, record: str, content: Any) -> None:
        """Add a record; `content` is anything that has bytes."""
        content = memoryview(content).cast("B") if len(content) else memoryview(b"")
        entry = zipfile.ZipInfo(f"{self.root}/{record}")
        is_large = content.nbytes * 1.05 > zipfile.ZIP64_LIMIT
        begin = self.archive.fp.tell() + LOCAL_HEADER.size + len(entry.filename.encode()) + 4 + is_large * ZIP64_EXTRA
        padding = -begin % ALIGNMENT
        entry.extra = struct.pack("<2sH", b"FB", padding) + b"Z" * padding  # as PyTorch pads
        with self.archive.open(entry, "w", force_zip64=is_large) as file:
            for k in range(0, content.nbytes, BLOCK):
                file.write(content[k:k + BLOCK])
        entry.extra = b""  # the padding is of no use in the table of contents
        if not get_crc32_options():
            entry.CRC = NO_CHECKSUM


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A file to write what `path` is to hold, which takes its place when the block is left; an exception leaves `path` as it was.

    What is no ordinary file, such as a pipe, is written as it is, and so is a file in a folder in which none can be made.
    """
    target = os.path.realpath(path)  # a link stays one, to the new content
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        raise RuntimeValueError(f"save: parent directory {folder} does not exist")
    mode = os.stat(target).st_mode if os.path.exists(target) else None
    beside = f"{target}.{secrets.token_hex(4)}.tmp"
    try:
        file = open(target, "wb") if mode is not None and not stat.S_ISREG(mode) else open(beside, "xb")  # noqa: SIM115
    except PermissionError:
        if mode is None:
            raise
        file = open(target, "wb")  # noqa: SIM115
    with file:
        if file.name != beside:
            yield file
            return
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            file.close()
            if mode is not None:
                os.chmod(beside, stat.S_IMODE(mode))
            os.replace(beside, target)
        except BaseException:
            file.close()
            os.unlink(beside)
            raise


# ---------------------------------------------------------------------------------------------------- reading

class ArchiveReader:
    """Reads the records of an archive that stands in `file` from here to its end; `name` is what errors call it.

    Raises ``RuntimeError`` for what is no archive, or declares more content than there can be.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self.file, self.name = file, name
        self.length = file.seek(0, io.SEEK_END)
        try:
            self.archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, struct.error, ValueError, OSError) as error:
            raise RuntimeValueError(f"load: {name} begins as PyTorch's archives do, but its table of contents cannot be read "
                                    f"({error}): it is truncated or damaged; fetch or save it again") from None
        self.entries = {entry.filename: entry for entry in self.archive.infolist()}
        if len(self.entries) != len(self.archive.infolist()):
            raise self.damaged("two of its records have the same name")
        declared = sum([entry.file_size for entry in self.entries.values()])
        if declared > 4 * self.length or any([entry.file_size < 0 for entry in self.entries.values()]):
            raise RuntimeValueError(f"load: {name} is damaged, or made to fill the memory: its records declare {declared} bytes, "
                                    f"and the file has {self.length}")
        self.root = next((n[:-len("data.pkl")] for n in self.entries if n.endswith("data.pkl") and n.count("/") < 2), "")

    def __contains__(self, record: str) -> bool:
        return self.root + record in self.entries

    def entry(self, record: str) -> zipfile.ZipInfo:
        """The entry of a record. Raises ``RuntimeError`` where there is none."""
        entry = self.entries.get(self.root + record)
        if entry is None:
            raise self.damaged(f"there is no record {self.root + record!r}")
        if entry.flag_bits & IS_ENCRYPTED:
            raise RuntimeValueError(f"load: {self.name} is encrypted; unpack it with its password, and pack it again without")
        return entry

    def damaged(self, how: object) -> RuntimeValueError:
        """The error for a file that is not as it was written."""
        return RuntimeValueError(f"load: {self.name} is damaged: {how}; fetch or save it again")

    def read(self, record: str) -> bytes:
        """The content of a record."""
        content = np.empty(self.entry(record).file_size, np.uint8)
        self.read_into(record, content)
        return content.tobytes()

    def read_into(self, record: str, array: Any) -> None:
        """Read a record into `array`, which is contiguous and must be as large."""
        entry, content = self.entry(record), array.reshape(-1).view(np.uint8)
        self.require_size(record, content.nbytes)
        if entry.compress_type != zipfile.ZIP_STORED:
            self.read_compressed(entry, content)
            return
        self.file.seek(self.offset(record))
        checksum = 0
        for k in range(0, content.nbytes, BLOCK):
            block = content[k:k + BLOCK]
            if fill(block, self.file) < block.nbytes:
                raise self.damaged(f"it ends in the middle of {entry.filename!r}")
            checksum = zlib.crc32(block, checksum)
        if entry.CRC not in (checksum, NO_CHECKSUM):
            raise self.damaged(f"the content of {entry.filename!r} does not have the checksum that was written with it")

    def read_compressed(self, entry: zipfile.ZipInfo, content: Any) -> None:
        """Read a record of an archive that another program has packed anew."""
        try:
            with self.archive.open(entry) as file:
                for k in range(0, content.nbytes, BLOCK):
                    block = file.read(min(BLOCK, content.nbytes - k))
                    content[k:k + len(block)] = np.frombuffer(block, np.uint8)
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, NotImplementedError, RuntimeError) as error:
            raise self.damaged(f"{entry.filename!r} cannot be read ({str(error)[:200]})") from None

    def require_size(self, record: str, nbytes: int) -> None:
        """Raise ``RuntimeError`` unless a record has this many bytes."""
        if (found := self.entry(record).file_size) != nbytes:
            raise self.damaged(f"a storage of {nbytes} bytes is asked for, and {self.root + record!r} has {found}")

    def offset(self, record: str) -> int:
        """Where in the file the content of a record begins."""
        entry = self.entry(record)
        if not 0 <= entry.header_offset < self.length:
            raise self.damaged(f"{entry.filename!r} is to lie outside of the file")
        self.file.seek(entry.header_offset)
        header = self.file.read(LOCAL_HEADER.size)
        signature, name, extra = LOCAL_HEADER.unpack(header) if len(header) == LOCAL_HEADER.size else (b"", 0, 0)
        if signature != LOCAL_SIGNATURE:
            raise self.damaged(f"{entry.filename!r} is not where the table of contents says")
        return int(entry.header_offset + LOCAL_HEADER.size + name + extra)


def fill(content: Any, file: IO[bytes]) -> int:
    """Read into the array of bytes `content` what comes next in `file`; how much that was."""
    read_into, total = getattr(file, "readinto", None), 0
    while total < content.nbytes:
        if read_into is not None:
            count = read_into(content[total:])
        else:
            block = np.frombuffer(file.read(content.nbytes - total), np.uint8)
            count = block.nbytes
            content[total:total + count] = block
        if not count:
            break
        total += count
    return total


def map_file(file: IO[bytes], shared: bool) -> mapping.mmap:
    """The content of `file` as memory that is read when it is looked at; writes to it reach the file if `shared`, else nobody."""
    return mapping.mmap(file.fileno(), 0, access=mapping.ACCESS_WRITE if shared else mapping.ACCESS_COPY)
