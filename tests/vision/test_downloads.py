"""Fetching files: checksums, resuming, mirrors, what is said without a network; and unpacking them."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import socket
import sys
import tarfile
import zipfile
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Iterator
from urllib.error import HTTPError, URLError

import pytest

from minigrad.datasets import downloads
from minigrad.vision.datasets import utils
from tests.vision.servers import Server, serving

CONTENT = bytes(range(256)) * 1000
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture(name="server")
def served() -> Iterator[Server]:
    with serving() as server:
        server.files["data.bin"] = CONTENT
        yield server


def closed_address() -> str:
    """Where nothing listens."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{s.getsockname()[1]}/"


def test_a_file_is_fetched_once(server: Server, tmp_path: Path) -> None:
    for _ in range(2):
        utils.download_url(server.address + "data.bin", tmp_path / "new", md5=MD5)
    assert (tmp_path / "new" / "data.bin").read_bytes() == CONTENT and server.asked == [("data.bin", None)]
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["data.bin"]
    utils.download_url(server.address + "data.bin", tmp_path, "other.bin")
    assert utils.check_integrity(tmp_path / "other.bin", MD5) and not utils.check_integrity(tmp_path / "other.bin", "0" * 32)
    assert not utils.check_integrity(tmp_path / "absent.bin") and utils.calculate_md5(tmp_path / "other.bin", 1000) == MD5


def test_what_was_cut_off_is_resumed(server: Server, tmp_path: Path) -> None:
    server.cut["data.bin"] = 100_000
    with pytest.raises(RuntimeError, match="ended after 100000 of 256000 bytes; the next try goes on from there"):
        utils.download_url(server.address + "data.bin", tmp_path, md5=MD5)
    assert not (tmp_path / "data.bin").exists()
    utils.download_url(server.address + "data.bin", tmp_path, md5=MD5)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert server.asked == [("data.bin", None), ("data.bin", "bytes=100000-")]


def test_without_a_checksum_nothing_is_resumed(server: Server, tmp_path: Path) -> None:
    (tmp_path / "data.bin.part").write_bytes(b"something else")
    utils.download_url(server.address + "data.bin", tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT and server.asked == [("data.bin", None)]


@pytest.mark.parametrize("there", [b"x" * 1000, CONTENT + b"more", CONTENT[:1000]])
@pytest.mark.parametrize("ranges", [True, False])
def test_what_an_earlier_try_left_is_used_only_if_it_fits(there: bytes, ranges: bool, server: Server, tmp_path: Path) -> None:
    (tmp_path / "data.bin.part").write_bytes(there)
    server.ranges = ranges
    utils.download_url(server.address + "data.bin", tmp_path, md5=MD5)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_another_checksum_is_refused(server: Server, tmp_path: Path) -> None:
    wrong = "0" * 32
    with pytest.raises(RuntimeError, match=f"its MD5 is {MD5}, not {wrong}"):
        utils.download_url(server.address + "data.bin", tmp_path, md5=wrong)
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_there(server: Server, tmp_path: Path) -> None:
    with pytest.raises(HTTPError, match="404") as caught:
        utils.download_url(server.address + "absent.bin", tmp_path)
    caught.value.close()
    with pytest.raises(URLError):
        utils.download_url(closed_address() + "data.bin", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_next_mirror_is_tried(server: Server, tmp_path: Path) -> None:
    server.files["good/data.bin"], server.files["wrong/data.bin"] = CONTENT, b"an error page"
    mirrors = [server.address + "absent/", closed_address(), server.address + "wrong/", server.address + "good/"]
    downloads.download_from_mirrors(mirrors, [("data.bin", MD5)], tmp_path, "DATA")
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_without_a_network_it_is_said_what_to_do(tmp_path: Path) -> None:
    address = closed_address()
    with pytest.raises(RuntimeError) as caught:
        downloads.download_from_mirrors([address], [("a.gz", "1" * 32), ("b.gz", "2" * 32)], tmp_path / "raw", "DATA")
    said = str(caught.value)
    assert said.startswith("Error downloading a.gz of DATA:\n") and "refused" in said
    assert f"put them into {tmp_path / 'raw'}:\n  {address}a.gz (MD5 {'1' * 32})\n  {address}b.gz (MD5 {'2' * 32})" in said


def test_a_progress_bar_moves_where_tqdm_is(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moves: list[Any] = []

    class Bar:
        def __init__(self, **settings: Any) -> None:
            moves.append(settings)

        def __enter__(self) -> Any:
            return SimpleNamespace(update=moves.append)

        def __exit__(self, *exc: object) -> None:
            moves.append("done")

    tqdm = ModuleType("tqdm")
    tqdm.tqdm = Bar  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tqdm", tqdm)
    (tmp_path / "data.bin.part").write_bytes(CONTENT[:1000])
    utils.download_url(server.address + "data.bin", tmp_path, md5=MD5)
    assert moves[0]["total"] == len(CONTENT) and moves[0]["initial"] == 1000 and moves[0]["desc"] == "data.bin"
    assert sum(moves[1:-1]) == len(CONTENT) - 1000 and moves[-1] == "done"
    monkeypatch.setitem(sys.modules, "tqdm", None)
    utils.download_url(server.address + "data.bin", tmp_path, "without.bin", MD5)
    assert (tmp_path / "without.bin").read_bytes() == CONTENT


# ---------------------------------------------------------------------------------------------------- archives

def tar_of(path: Path, members: dict[str, bytes], kind: str = "w:gz") -> Path:
    with tarfile.open(path, kind) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def test_archives_of_every_kind(tmp_path: Path) -> None:
    for name, kind in (("a.tar.gz", "w:gz"), ("b.tgz", "w:gz"), ("c.tar", "w"), ("d.tar.xz", "w:xz")):
        folder = tmp_path / name.partition(".")[0]
        assert utils.extract_archive(tar_of(tmp_path / name, {"x/y.bin": CONTENT}, kind), folder) == str(folder)
        assert (folder / "x" / "y.bin").read_bytes() == CONTENT
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as zipped:
        zipped.writestr("x/y.bin", CONTENT)
    utils.extract_archive(tmp_path / "e.zip", tmp_path / "e")
    assert (tmp_path / "e" / "x" / "y.bin").read_bytes() == CONTENT
    (tmp_path / "f.bin.gz").write_bytes(gzip.compress(CONTENT))
    (tmp_path / "g.bin.xz").write_bytes(lzma.compress(CONTENT))
    for name in ("f.bin", "g.bin"):
        packed = next(tmp_path.glob(name + ".*"))
        assert utils.extract_archive(packed, remove_finished=True) == str(tmp_path / name)
        assert (tmp_path / name).read_bytes() == CONTENT and not packed.exists()


def test_archives_that_do_harm_or_are_damaged(tmp_path: Path) -> None:
    for name in ("../outside.bin", "/tmp/../outside.bin"):
        with pytest.raises(RuntimeError, match="would be written outside"):
            utils.extract_archive(tar_of(tmp_path / "a.tar.gz", {name: b"x"}), tmp_path / "in")
    with tarfile.open(tmp_path / "links.tar", "w") as tar:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        tar.addfile(link)
    utils.extract_archive(tmp_path / "links.tar", tmp_path / "in")
    assert list((tmp_path / "in").iterdir()) == [] and not (tmp_path / "outside.bin").exists()
    (tmp_path / "cut.bin.gz").write_bytes(gzip.compress(CONTENT)[:-20])
    with pytest.raises(EOFError):
        utils.extract_archive(tmp_path / "cut.bin.gz", tmp_path / "in")
    assert list((tmp_path / "in").iterdir()) == []
    with pytest.raises(RuntimeError, match="unknown kind of archive 'data.7z'"):
        utils.extract_archive(tmp_path / "data.7z")


def test_fetched_and_unpacked(server: Server, tmp_path: Path) -> None:
    server.files["a.tar.gz"] = tar_of(tmp_path / "a.tar.gz", {"inside.bin": CONTENT}).read_bytes()
    utils.download_and_extract_archive(server.address + "a.tar.gz", tmp_path / "down", tmp_path / "out", remove_finished=True)
    assert (tmp_path / "out" / "inside.bin").read_bytes() == CONTENT and list((tmp_path / "down").iterdir()) == []


def test_names(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "a.txt").touch()
    assert utils.list_dir(tmp_path) == ["folder"] and utils.list_dir(tmp_path, prefix=True) == [str(tmp_path / "folder")]
    assert utils.list_files(tmp_path, ".txt") == ["a.txt"] and utils.list_files(tmp_path, ".png") == []
    assert utils.iterable_to_str([1, "b"]) == "'1', 'b'" and utils.verify_str_arg("a", "x", ["a"]) == "a"
    with pytest.raises(ValueError, match="Unknown value 'c' for argument x. Valid values are {'a', 'b'}."):
        utils.verify_str_arg("c", "x", ["a", "b"])
    with pytest.raises(ValueError, match="Expected type str for argument x, but got type <class 'int'>"):
        utils.verify_str_arg(1, "x")
