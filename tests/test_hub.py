"""minigrad.hub: weights by their address, here of files, and models of a folder."""

from __future__ import annotations

import hashlib
from email.message import Message
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest

import minigrad as mg
from minigrad import hub


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(hub, "_dir", None)  # an example may have chosen a folder
    return tmp_path


def test_weights_are_fetched_once_and_checked(folder: Path) -> None:
    mg.save({"weight": mg.ones(2)}, folder / "w.pt")
    begin = hashlib.sha256((folder / "w.pt").read_bytes()).hexdigest()[:8]
    (folder / "w.pt").rename(folder / f"w-{begin}.pt")
    url = (folder / f"w-{begin}.pt").as_uri()
    assert hub.load_state_dict_from_url(url, check_hash=True)["weight"].tolist() == [1, 1]
    (folder / f"w-{begin}.pt").unlink()
    assert mg.utils.model_zoo.load_url(url)["weight"].tolist() == [1, 1]
    assert [p.name for p in (folder / "home" / "hub" / "checkpoints").iterdir()] == [f"w-{begin}.pt"]


def test_a_file_of_another_hash_is_refused_and_not_kept(folder: Path) -> None:
    (folder / "w-00000000.pt").write_bytes(b"x")
    with pytest.raises(RuntimeError, match='invalid hash value .expected "00000000"'):
        hub.load_state_dict_from_url((folder / "w-00000000.pt").as_uri(), check_hash=True)
    assert not list((folder / "home" / "hub" / "checkpoints").iterdir())


def test_without_a_network_it_says_where_to_put_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(request: object) -> None:
        raise URLError("Name or service not known")

    monkeypatch.setattr("urllib.request.urlopen", unreachable)
    with pytest.raises(URLError, match=r"not known: without a network, fetch https://host/w\.pt on another machine, and put it "
                                       r"at .*checkpoints.w\.pt"):
        hub.load_state_dict_from_url("https://host/w.pt")


def test_what_a_server_answers_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(request: object) -> None:
        raise HTTPError("https://host/w.pt", 404, "Not Found", Message(), None)

    monkeypatch.setattr("urllib.request.urlopen", answers)
    with pytest.raises(HTTPError, match="404") as caught:
        hub.load_state_dict_from_url("https://host/w.pt")
    assert caught.value.code == 404
    caught.value.close()


def test_models_of_a_folder(folder: Path) -> None:
    (folder / "beside.py").write_text("from minigrad import nn\n")
    (folder / "hubconf.py").write_text("from beside import nn\n\n"
                                       "def linear(width=1):\n    'A layer.'\n    return nn.Linear(2, width)\n")
    assert hub.list(folder, source="local") == ["linear"] and hub.help(folder, "linear", source="local") == "A layer."
    assert hub.load(folder, "linear", width=3, source="local").weight.shape == (3, 2)
    with pytest.raises(RuntimeError, match="cannot find callable cube in hubconf"):
        hub.load(folder, "cube", source="local")
    with pytest.raises(NotImplementedError, match="Clone https://github.com/owner/name"):
        hub.load("owner/name", "model")
    with pytest.raises(ValueError, match="unknown source"):
        hub.load(folder, "linear", source="web")


def test_the_folder_is_chosen(folder: Path) -> None:
    assert hub.get_dir() == str(folder / "home" / "hub")
    try:
        hub.set_dir(folder / "other")
        assert hub.get_dir() == str(folder / "other")
    finally:
        hub._dir = None
