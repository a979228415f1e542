"""Files of published data: fetched with a checksum and a progress bar, from where an earlier try stopped."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence
from urllib.parse import urlparse

from minigrad.errors import RuntimeValueError, StateError

USER_AGENT = "minigrad"
SECONDS = 30  # to wait for a server that says nothing
CHUNK = 1 << 16


# ---------------------------------------------------------------------------------------------------- checksums

def calculate_md5(fpath: str | os.PathLike[str], chunk_size: int = 1 << 20) -> str:
    """The MD5 of a file, in hexadecimal."""
    digest = hashlib.md5(usedforsecurity=False)
    with open(fpath, "rb") as file:
        while chunk := file.read(chunk_size):
            digest.update(chunk)
    return digest.hexdigest()


def check_md5(fpath: str | os.PathLike[str], md5: str) -> bool:
    """Whether a file has this MD5."""
    return calculate_md5(fpath) == md5


def check_integrity(fpath: str | os.PathLike[str], md5: str | None = None) -> bool:
    """Whether a file is there, and has this MD5 if one is given."""
    return os.path.isfile(fpath) and (md5 is None or check_md5(fpath, md5))


# ---------------------------------------------------------------------------------------------------- downloads

def download_url(url: str, root: str | os.PathLike[str], filename: str | None = None, md5: str | None = None,
                 max_redirect_hops: int = 3) -> None:
    """Fetch a file into the folder `root`, if it is not there already.

    What comes is written beside it, into ``<filename>.part``, which becomes the file when all of it has come and its checksum is
    right. Where a checksum is known and an earlier try was interrupted, only the rest is asked for. A progress bar is shown on
    terminals where tqdm is installed.

    Args:
        url: its address.
        filename: what to call it, if not as in the address.
        md5: its MD5, in hexadecimal.
        max_redirect_hops: accepted; ``urllib`` follows at most ten redirections.

    Raises ``URLError`` where the server cannot be reached or has no such file, ``RuntimeError`` where what came is incomplete or
    has another checksum.
    """
    folder = Path(os.path.expanduser(root))
    target = folder / (filename or os.path.basename(urlparse(url).path))
    if check_integrity(target, md5):
        return
    folder.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    if md5 is None:
        part.unlink(missing_ok=True)
    resumed = fetch(url, part)
    if md5 is not None and resumed and not check_md5(part, md5):  # the earlier try was of something else
        part.unlink()
        fetch(url, part)
    if md5 is not None and (found := calculate_md5(part)) != md5:
        part.unlink()
        raise RuntimeValueError(f"download_url: what {url} sent is not the file expected: its MD5 is {found}, not {md5}")
    os.replace(part, target)


def fetch(url: str, part: Path) -> bool:
    """Append to the file `part` what is missing of it, or write all of it. Returns whether it was there in part."""
    there = part.stat().st_size if part.exists() else 0
    try:
        response = open_from(url, there)
    except urllib.error.HTTPError as error:
        if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE or not there:
            raise
        error.close()
        there, response = 0, open_from(url, 0)
    with response:
        if there and not str(response.headers.get("Content-Range", "")).startswith(f"bytes {there}-"):
            there = 0  # the server sends all of it
        length = response.headers.get("Content-Length")
        expected = None if length is None else there + int(length)
        came = there
        with open(part, "ab" if there else "wb") as file, progress_bar(part.stem, there, expected) as advance:
            while chunk := response.read(CHUNK):
                file.write(chunk)
                came += len(chunk)
                advance(len(chunk))
    if expected is not None and came != expected:
        raise RuntimeValueError(f"download_url: {url} ended after {came} of {expected} bytes; the next try goes on from there")
    return there > 0


def open_from(url: str, start: int) -> Any:
    """The answer of the server, asked for what follows the first `start` bytes."""
    headers = {"User-Agent": USER_AGENT, **({"Range": f"bytes={start}-"} if start else {})}
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=SECONDS)


@contextlib.contextmanager
def progress_bar(title: str, start: int, total: int | None) -> Iterator[Callable[[int], Any]]:
    """What is called with how many bytes have come: it moves tqdm's bar, if tqdm is installed and there is a terminal."""
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        yield lambda n: None
        return
    with tqdm(desc=title, total=total, initial=start, unit="B", unit_scale=True, disable=None) as bar:
        yield bar.update


def download_from_mirrors(mirrors: Sequence[str], files: Sequence[tuple[str, str]], root: str | os.PathLike[str],
                          whose: str) -> None:
    """Fetch files, (name, MD5) each, from the first of `mirrors` that has them.

    Raises ``RuntimeError`` where none has, which says what was tried, and which files to put where by hand.
    """
    for name, md5 in files:
        failures = []
        for mirror in mirrors:
            try:
                download_url(mirror + name, root, name, md5)
                break
            except (OSError, http.client.HTTPException, RuntimeValueError) as error:
                failures.append(f"  {mirror + name}: {error}")
        else:
            raise StateError("\n".join([f"Error downloading {name} of {whose}:", *failures, by_hand(mirrors, files, root)]))


def by_hand(mirrors: Sequence[str], files: Sequence[tuple[str, str]], root: str | os.PathLike[str]) -> str:
    """What to do without a network: which files, from where, and where to put them."""
    listed = "\n".join(f"  {mirrors[0]}{name} (MD5 {md5})" for name, md5 in files)
    folder = os.path.abspath(os.path.expanduser(root))
    return f"Without a network, fetch these on another machine and put them into {folder}:\n{listed}"
