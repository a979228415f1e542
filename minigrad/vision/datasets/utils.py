"""Files of published data under torchvision's names: fetched as :mod:`minigrad.datasets.downloads` does, and unpacked."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import os
import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator
from urllib.parse import urlparse

from minigrad.datasets.downloads import (
    calculate_md5,
    check_integrity,
    check_md5,
    download_url,
)
from minigrad.errors import InvalidValueError, RuntimeValueError

__all__ = ["calculate_md5", "check_integrity", "check_md5", "download_and_extract_archive", "download_url", "extract_archive",
           "iterable_to_str", "list_dir", "list_files", "verify_str_arg"]


# ---------------------------------------------------------------------------------------------------- archives

def download_and_extract_archive(url: str, download_root: str | os.PathLike[str],
                                 extract_root: str | os.PathLike[str] | None = None, filename: str | None = None,
                                 md5: str | None = None, remove_finished: bool = False) -> None:
    """Fetch an archive as :func:`download_url` does, and unpack it as :func:`extract_archive` does, beside it by default."""
    filename = filename or os.path.basename(urlparse(url).path)
    download_url(url, download_root, filename, md5)
    archive = os.path.join(os.path.expanduser(download_root), filename)
    extract_archive(archive, extract_root, remove_finished)


OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


def extract_archive(from_path: str | os.PathLike[str], to_path: str | os.PathLike[str] | None = None,
                    remove_finished: bool = False) -> str:
    """Unpack a ``.zip``, a ``.tar`` (``.tar.gz``, ``.tgz`` ...) or a compressed file (``.gz``, ``.bz2``, ``.xz``).

    Args:
        to_path: the folder to unpack into; that of the archive by default.
        remove_finished: delete the archive afterwards.

    Returns that folder, or the path of the single file. Raises ``RuntimeError`` for other names, and for members that would come
    to lie outside the folder.
    """
    archive = Path(from_path)
    folder = archive.parent if to_path is None else Path(to_path)
    folder.mkdir(parents=True, exist_ok=True)
    suffixes = [suffix.lower() for suffix in archive.suffixes]
    result = folder
    if suffixes[-1:] == [".zip"]:
        with zipfile.ZipFile(archive) as zipped:
            zipped.extractall(folder)
    elif suffixes[-1:] in ([".tar"], [".tgz"], [".tbz"], [".tbz2"], [".txz"]) or suffixes[-2:-1] == [".tar"]:
        with tarfile.open(archive) as tar:
            extract_files(tar, folder)
    elif suffixes and suffixes[-1] in OPENERS:
        result = folder / archive.stem
        with OPENERS[suffixes[-1]](archive, "rb") as packed, written_at_once(result) as file:
            shutil.copyfileobj(packed, file)
    else:
        raise RuntimeValueError(f"extract_archive: unknown kind of archive {archive.name!r}; expected .zip, .tar, .tar.gz, .tgz, "
                                ".gz, .bz2 or .xz")
    if remove_finished:
        archive.unlink()
    return str(result)


def extract_files(tar: tarfile.TarFile, folder: Path) -> None:
    """The regular files of an archive. Links and devices are left out, which no data set has use for."""
    inside = folder.resolve()
    for member in tar:
        path = (inside / member.name).resolve()
        if not path.is_relative_to(inside):
            raise RuntimeValueError(f"extract_archive: {member.name!r} would be written outside of {folder}")
        packed = tar.extractfile(member) if member.isreg() else None
        if packed is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            with packed, written_at_once(path) as file:
                shutil.copyfileobj(packed, file)


@contextlib.contextmanager
def written_at_once(path: Path) -> Iterator[Any]:
    """A file to write, which is there under its name only when all of it has been written."""
    part = path.with_name(path.name + ".part")
    try:
        with open(part, "wb") as file:
            yield file
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


# ---------------------------------------------------------------------------------------------------- names

def list_dir(root: str | os.PathLike[str], prefix: bool = False) -> list[str]:
    """The folders in a folder; with `prefix` as paths."""
    folder = os.path.expanduser(root)
    return [os.path.join(folder, name) if prefix else name for name in os.listdir(folder)
            if os.path.isdir(os.path.join(folder, name))]


def list_files(root: str | os.PathLike[str], suffix: str, prefix: bool = False) -> list[str]:
    """The files in a folder whose names end so; with `prefix` as paths."""
    folder = os.path.expanduser(root)
    return [os.path.join(folder, name) if prefix else name for name in os.listdir(folder)
            if name.endswith(suffix) and os.path.isfile(os.path.join(folder, name))]


def iterable_to_str(iterable: Iterable[Any]) -> str:
    """The items in quotes, with commas between them."""
    return "'" + "', '".join(map(str, iterable)) + "'"


def verify_str_arg(value: Any, arg: str | None = None, valid_values: Iterable[str] | None = None,
                   custom_msg: str | None = None) -> str:
    """The text given for an argument. Raises ``ValueError`` for anything else, and for a text that is not among the valid."""
    if not isinstance(value, str):
        raise InvalidValueError(f"Expected type str{f' for argument {arg}' if arg else ''}, but got type {type(value)}.")
    if valid_values is not None and value not in (valid := list(valid_values)):
        raise InvalidValueError(custom_msg or f"Unknown value '{value}' for argument {arg}. Valid values are "
                                f"{{{iterable_to_str(valid)}}}.")
    return value
