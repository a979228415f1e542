"""The main job: learns, is repeatable, never overwrites a run, keeps what was learnt when interrupted, refuses bad arguments."""

from __future__ import annotations

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tqdm import tqdm

import minigrad as mg
from minigrad import demo
from minigrad.__main__ import main
from minigrad.datasets import digits
from minigrad.demo import report


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
    assert {p.name for p in folder.iterdir()} == {"index.html", "weights.pt", "curve.png", "graph.svg"}
    for name in ("index.html", "weights.pt", "curve.png", "graph.svg"):
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


# ---------------------------------------------------------------------------------------------------- the page

class Page(HTMLParser):
    """Notes the headings of a page, its pictures, its frames, and what it asks for from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.pictures: list[str] = []
        self.frames: list[str] = []
        self.asked: list[str] = []
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.inside = tag
        self.pictures += [found.get("alt", "")] * (tag == "img")
        self.frames += [found["srcdoc"]] if tag == "iframe" else []
        self.asked += [value for name, value in found.items() if name in ("src", "href") and not value.startswith("data:")]

    def handle_data(self, data: str) -> None:
        self.headings += [data] * (self.inside in ("h1", "h2"))
        self.inside = ""


def test_the_page_has_all_that_a_beginner_wants_to_see(tmp_path: Path) -> None:
    assert main(["demo", "--epochs", "1", "--out", str(tmp_path)]) == 0
    page = Page()
    text = (tmp_path / "demo-001" / "index.html").read_text(encoding="utf-8")
    page.feed(text)
    assert not page.asked, "it is whole by itself"
    for said in ("What it gets wrong", "How it learnt", "its filters", "one image", "step by step", "graph", "during training"):
        assert any(said in heading for heading in page.headings), said
    assert sum(name.startswith("a handwritten") for name in page.pictures) == report.CARDS
    for layer in ("features.0", "features.2", "classifier.4", "the graph"):
        assert layer in page.pictures
    assert "training loss (cross entropy)" in text and "test accuracy (%)" in text
    (frame,) = page.frames
    steps = re.search(r'<script id="data" type="application/json">(.*?)</script>', frame, re.S)
    assert steps is not None and len(json.loads(steps.group(1))["steps"]) > 8


def test_mistakes_come_first_and_say_what_was_thought() -> None:
    thought = mg.tensor([[0.9, 0.1], [0.4, 0.6], [0.55, 0.45], [0.99, 0.01]])
    labels = mg.tensor([0, 0, 0, 1])
    assert report.order_by_doubt(thought, labels) == [3, 1, 2, 0]
    image = mg.zeros(1, 8, 8)
    ten = mg.tensor([0.5, 0.3, 0.1] + [0.1 / 7] * 7)
    card = report.card(image, ten, 1)
    assert "a 1, read as 0" in card and "50.0%" in card and 'class="bar right"' in card
    assert "read as" not in report.card(image, ten, 0)


def test_the_curve_is_on_plain_axes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.figure import Figure
    drawn: list[Any] = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *args, **kwargs: drawn.append(figure))
    history = [{"epoch": 1, "loss": 2.0, "accuracy": 0.5}, {"epoch": 2, "loss": 0.6, "accuracy": 0.9}]
    demo.save_curve(history, tmp_path / "curve.png")
    loss, share = drawn[0].axes
    assert (loss.get_yscale(), loss.get_ylim()[0], loss.get_ylabel()) == ("linear", 0, "training loss (cross entropy)")
    assert share.get_ylabel() == "test accuracy (%)"


@pytest.mark.parametrize("missing", ["matplotlib", "tqdm"])
def test_what_is_missing_is_named(missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                  capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(SystemExit) as stop:
        main(["demo", "--out", str(tmp_path)])
    assert stop.value.code == 2
    assert f'the demo needs {missing}, which is not installed: pip install "minigrad-numpy[demo]"' in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_without_a_command_it_says_what_it_can_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    said = capsys.readouterr()
    assert not said.err
    for words in ("demo", "run-torch", "examples:", "runs/demo-001/index.html"):
        assert words in said.out
