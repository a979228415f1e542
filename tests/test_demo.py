"""The main job: learns, is repeatable, never overwrites a run, keeps what was learnt when interrupted, refuses bad arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tqdm import tqdm

import minigrad as mg
from minigrad import demo
from minigrad.__main__ import main
from minigrad.datasets import digits


@pytest.fixture(autouse=True)
def nothing_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tqdm from its thread, which looks at slow bars every ten seconds, and whose warnings would be errors here."""
    monkeypatch.setattr(tqdm, "monitor_interval", 0)


def weights(folder: Path) -> dict[str, Any]:
    return {k: v.numpy() for k, v in mg.load(folder / "weights.pt").items()}


def test_digits_are_what_they_say() -> None:
    images, labels = digits()
    assert images.shape == (1797, 1, 8, 8)
    assert images.dtype is mg.float32
    assert float(images.min()) == 0
    assert float(images.max()) == 1
    assert sorted(set(labels.tolist())) == list(range(10))


def test_it_learns_and_says_where_everything_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--epochs", "4", "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    share = float(out.split("test accuracy ")[1].split("%")[0])
    assert share > 90
    folder = tmp_path / "demo-001"
    assert {p.name for p in folder.iterdir()} == {"weights.pt", "curve.png", "graph.svg"}
    for name in ("weights.pt", "curve.png", "graph.svg"):
        assert str(folder / name) in out
    assert b"Linear" in (folder / "graph.svg").read_bytes()


def test_a_seed_gives_the_same_weights_in_a_folder_of_its_own(tmp_path: Path) -> None:
    for seed in ("3", "3", "4"):
        assert main(["demo", "--epochs", "1", "--seed", seed, "--out", str(tmp_path)]) == 0
    first, second, third = (weights(tmp_path / f"demo-00{k}") for k in (1, 2, 3))
    assert all((first[k] == second[k]).all() for k in first)
    assert any((first[k] != third[k]).any() for k in first)


def test_interrupted_it_saves_what_has_been_learnt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                   capsys: pytest.CaptureFixture[str]) -> None:
    calls = iter(range(1000))

    def accuracy(*args: Any) -> float:
        if next(calls) == 1:
            raise KeyboardInterrupt
        return 0.5

    monkeypatch.setattr(demo, "accuracy", accuracy)
    assert main(["demo", "--epochs", "5", "--out", str(tmp_path)]) == 130
    assert "interrupted" in capsys.readouterr().out
    assert "features.0.weight" in weights(tmp_path / "demo-001")


@pytest.mark.parametrize(("arguments", "message"), [
    (["demo", "--epochs", "0"], "must be greater than 0"),
    (["demo", "--epochs", "many"], "invalid int value: 'many'"),
    (["demo", "--lr", "-1"], "must be greater than 0"),
    (["demo", "--lr", "nan"], "must be greater than 0"),
    (["demo", "--batch-size", "100000"], "more than the 1437 training images"),
    (["demo", "--colour"], "unrecognized arguments"),
    (["dema"], "invalid choice"),
    ([], "required"),
])
def test_bad_arguments_are_named_and_give_exit_code_2(arguments: list[str], message: str, tmp_path: Path,
                                                      capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments + (["--out", str(tmp_path)] if arguments == ["demo", "--batch-size", "100000"] else []))
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_an_output_folder_that_cannot_be_made_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SystemExit) as stop:
        main(["demo", "--out", str(tmp_path / "file")])
    assert stop.value.code == 2
    assert "file" in capsys.readouterr().err
