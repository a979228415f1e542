"""Published data: found where they lie, fetched once with a checksum, and read; what is missing is named with its address."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any, Iterator

import numpy as np
import pytest

from minigrad import datasets
from minigrad.datasets import published
from tests.vision.servers import Server, serving


@pytest.fixture(name="server")
def server_of_files(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that has the names file, at whose address it is published for this test."""
    content = b"ada\nalan\ngrace\n"
    with serving() as server:
        server.files["names.txt"] = content
        entry = published.Published(server.address + "names.txt", hashlib.md5(content).hexdigest(), "three names")
        monkeypatch.setitem(published.FILES, "names.txt", entry)
        yield server


def test_a_file_is_fetched_once_and_then_found(server: Server, tmp_path: Path) -> None:
    assert datasets.names(tmp_path) == datasets.names(tmp_path) == ["ada", "alan", "grace"]
    assert len(server.asked) == 1 and [p.name for p in tmp_path.iterdir()] == ["names.txt"]


def test_a_file_is_found_in_a_folder_below(server: Server, tmp_path: Path) -> None:
    (tmp_path / "text" / "old").mkdir(parents=True)
    (tmp_path / "text" / "old" / "names.txt").write_text("eve\n")
    assert datasets.names(tmp_path, download=False) == ["eve"] and not server.asked


def test_what_is_sent_must_have_the_checksum(server: Server, tmp_path: Path) -> None:
    server.files["names.txt"] = b"something else"
    with pytest.raises(RuntimeError, match="is not the file expected"):
        datasets.names(tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_fetched_is_named_with_its_address(server: Server, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"names\.txt is not in .*published at http.*names\.txt: fetch it, and"):
        datasets.fetch("names.txt", tmp_path, download=False)
    del server.files["names.txt"]
    with pytest.raises(FileNotFoundError, match=r"cannot be reached from here \(HTTP Error 404"):
        datasets.fetch("names.txt", tmp_path)


@pytest.mark.parametrize(("reader", "which"), [
    (datasets.fetch, "poems.txt"), (datasets.wikitext2, None), (datasets.sequence_pairs, "sum"), (datasets.photo, "monet")])
def test_names_that_are_not_known_are_refused(reader: Any, which: str | None, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'poems.txt'|'train'|'sum'|'monet'"):
        reader(tmp_path, "train") if which is None else reader(which, tmp_path)


HEAD = "instant,dteday,season,hr,temp,cnt\n"


@pytest.mark.parametrize("packed", [True, False])
def test_bicycles_are_read_from_the_archive_or_the_table(packed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "BIKE_HOURS", 2)
    monkeypatch.setattr(published, "BIKE_HIRED", 56)
    rows = ("1,2011-01-01,1,0,0.24,16\n2,2011-12-31,1,1,0.22,40\n" if packed else
            "1,1/1/2011,1,0,0.24,16\n2,12/31/2011,1,1,0.22,40\n")
    if packed:
        with zipfile.ZipFile(content := io.BytesIO(), "w") as archive:
            archive.writestr("hour.csv", HEAD + rows)
        (tmp_path / "Bike-Sharing-Dataset.zip").write_bytes(content.getvalue())
    else:
        (tmp_path / "hour.csv").write_text(HEAD + rows)
    table = datasets.bike_sharing(tmp_path, download=False)
    assert table["dteday"].tolist() == np.array(["2011-01-01", "2011-12-31"], "datetime64[D]").tolist()
    assert table["cnt"].tolist() == [16, 40] and table["cnt"].dtype == np.int64
    assert table["temp"].tolist() == [0.24, 0.22] and table["temp"].dtype == np.float64
    monkeypatch.setattr(published, "BIKE_HIRED", 57)
    with pytest.raises(RuntimeError, match="expected 2 hours in which 57 bicycles were hired, found 2 and 56"):
        datasets.bike_sharing(tmp_path, download=False)


def test_texts_are_read(tmp_path: Path) -> None:
    (tmp_path / "waimai_10k.csv").write_text('label,text\n1,"很快，好吃, 味道"\n0,冷\n', encoding="utf-8")
    (tmp_path / "addition.txt").write_text("16+75  _91  \n52+607 _659 \n")
    (tmp_path / "tinyshakespeare.txt").write_text("First Citizen:\n")
    (tmp_path / "wikitext2-test.txt").write_text(" = Robert <unk> = \n")
    texts, labels = datasets.chinese_reviews(tmp_path)
    assert texts == ["很快，好吃, 味道", "冷"] and labels.tolist() == [1, 0]
    assert datasets.sequence_pairs("addition", tmp_path) == [("16+75", "91"), ("52+607", "659")]
    assert datasets.shakespeare(tmp_path) == "First Citizen:\n"
    assert datasets.wikitext2(tmp_path, "test").split() == ["=", "Robert", "<unk>", "="]
