"""What files that are no checkpoints look like, for errors that say so."""

from __future__ import annotations

import io
from typing import IO

HEAD = 512  # bytes from which a file is known

BEGINNINGS = ((b"\x93NUMPY", "an array of NumPy's (.npy); numpy.load reads it"),
              (b"\x89HDF\r\n", "an HDF5 file, as Keras writes; the package h5py reads it"),
              (b"\x1f\x8b", "compressed by gzip; unpack it first"), (b"BZh", "compressed by bzip2; unpack it first"),
              (b"\xfd7zXZ", "compressed by xz; unpack it first"), (b"7z\xbc\xaf", "a 7-Zip archive; unpack it first"),
              (b"Rar!", "a RAR archive; unpack it first"), (b"\x28\xb5\x2f\xfd", "compressed by zstd; unpack it first"),
              (b"GGUF", "a GGUF file, which minigrad does not read"),
              (b"version https://git-lfs", "a pointer of Git LFS, which stands for the file; fetch that, by git lfs pull"),
              (b"\x89PNG", "a picture"), (b"\xff\xd8\xff", "a picture"), (b"%PDF", "a PDF document"))


def describe(head: bytes, file: IO[bytes]) -> str | None:
    """How a file that begins with `head` is not what it should be; None if it may be one of PyTorch's older files."""
    text = head.lstrip().lower()
    for beginning, what in BEGINNINGS:
        if head.startswith(beginning):
            return f"is {what}"
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return ("is a page of the web, perhaps the one that offers the file, or says why it cannot be had; open it in a browser, "
                "and fetch the file itself")
    if text.startswith((b"{", b"[")):
        return "is JSON, perhaps what a server said instead of the file"
    if len(head) > 9 and head[8:10] in (b'{"', b"{}") and int.from_bytes(head[:8], "little") < 1 << 32:
        return "is a safetensors file: minigrad.safetensors.load_file(f) reads it"
    if head[257:262] == b"ustar":
        return ("is a tar archive: PyTorch's format before version 0.2, which is not read here, or something packed; load and "
                "save it in PyTorch")
    if not head.startswith((b"\x80", b"(")) and not head[:2].isalpha():
        end = file.seek(0, io.SEEK_END)
        return f"is no checkpoint: it begins with {head[:8]!r}, and has {end} bytes; it may be damaged, or of another kind"
    return None


def describe_text(head: bytes) -> str | None:
    """What a text is that begins with `head`, which no reader took for what it reads; None where it is no text."""
    text = head.decode("utf-8", "replace").rstrip("\N{REPLACEMENT CHARACTER}")  # a letter may be cut at the end
    if not all([c.isprintable() or c.isspace() for c in text]) or "\N{REPLACEMENT CHARACTER}" in text:
        return None
    first = text.strip().splitlines()[0] if text.strip() else ""
    return f"is no checkpoint, but a text, which begins with {first[:40]!r}"


def describe_archive(records: list[str]) -> str:
    """How a zip archive of these records is not what it should be."""
    if any([name.endswith(".npy") for name in records]):
        return "is an archive of NumPy's (.npz), as numpy.savez writes; numpy.load reads it"
    if any([name.startswith(("word/", "xl/", "ppt/")) for name in records]):
        return "is a document of an office program"
    if any([name.endswith((".h5", "config.json")) for name in records]):
        return "is a model of Keras's, which minigrad does not read"
    return f"is a zip archive without a record data.pkl, so no checkpoint; it has {', '.join(records[:5]) or 'nothing'}"
