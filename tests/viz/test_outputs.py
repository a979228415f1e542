"""The forms of a drawing: each says the same, holds any text, and leaves nothing else behind."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import minigrad as mg
from minigrad import nn, viz
from minigrad.viz import draw, make_dot
from minigrad.viz.colours import NONFINITE, ZERO, Scale, contrast, text_on
from minigrad.viz.drawing import FORMATS
from minigrad.viz.graph import Statistics
from minigrad.viz.svg import to_svg
from tests.viz.models import PROGRAMS

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = ['"quotes" & \'more\'', "</script><b>&amp;", "\\N\\l\\G", "nul\0 and \x1b escape", "lone \ud800 surrogate",
           "x" * 10_000, "损失函数", "dollar $x_1$ $",
           "line\nbreak", "<!--data-->", "😀"]


@pytest.fixture
def no_dot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing here"))


def drawing() -> Any:
    model, loss = PROGRAMS["gpt"]()
    loss.backward()
    return draw(loss, model=model)


def texts_of(svg: str) -> list[str]:
    return [e.text or "" for e in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_every_form_shows_every_box(no_dot: None) -> None:
    made = drawing()
    titles = {b["title"] for id, b in json.loads(page_data(made.html()))["boxes"].items() if id in made.fold.boxes}
    assert titles <= set(texts_of(made.svg()))
    assert all(title in made.text() for title in titles)
    assert all(title.replace("×", "×") in made.source for title in titles)


def page_data(page: str) -> str:
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.S)
    assert found is not None
    return found.group(1)


class Scripts(HTMLParser):
    """Notes what a page asks for from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.asked += [str(value) for name, value in attrs if name in ("src", "href")]


def test_the_page_asks_for_nothing_from_elsewhere() -> None:
    page = drawing().html()
    parser = Scripts()
    parser.feed(page)
    assert not parser.asked and parser.tags.count("script") == 2
    code = page[:page.index('<script id="data"')] + page[page.rindex("<script>"):]
    assert not re.search(r"fetch\(|XMLHttpRequest|import\(|@import|url\((?!#)|WebSocket", code)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_any_name_can_be_shown(name: str, no_dot: None, tmp_path: Path) -> None:
    x = mg.ones(2, requires_grad=True)
    made = draw((x * 2).sum(), params={name: x})
    shown = texts_of(made.svg())
    assert any(line[:4] == name[:4] or "\ufffd" in line for line in shown)
    data = json.loads(page_data(made.html()))
    assert any(leaf.get("names") for leaf in data["details"].values())
    parser = Scripts()
    parser.feed(made.html())
    assert parser.tags.count("script") == 2 and "b" not in parser.tags
    assert json.loads(made.json())["leaves"]
    for form in FORMATS:
        assert Path(made.save(tmp_path / f"picture.{form}")).stat().st_size > 20


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_has_the_form_its_name_asks_for_and_nothing_else_is_left(form: str, no_dot: None, tmp_path: Path) -> None:
    path = tmp_path / "new" / f"graph.{form.upper()}"
    assert drawing().save(path) == str(path)
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    begins = {"html": b"<!DOCTYPE html>", "svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF", "json": b"{", "dot": b"digraph"}
    assert path.read_bytes().startswith(begins.get(form, b"GPT"))


def test_an_unknown_ending_is_refused_and_names_the_known(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.html, \.svg, \.png.*got .*graph\.gif"):
        drawing().save(tmp_path / "graph.gif")
    with pytest.raises(ValueError, match="ends in"):
        drawing().save(tmp_path / "graph")
    assert not list(tmp_path.iterdir())


def test_render_takes_what_graphviz_users_give(no_dot: None, tmp_path: Path) -> None:
    made = drawing()
    assert made.render(tmp_path / "a", format="svg", cleanup=True) == str(tmp_path / "a.svg")
    assert made.render("b.svg", directory=tmp_path) == str(tmp_path / "b.svg")
    assert made.render(tmp_path / "c") == str(tmp_path / "c.svg")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.svg", "b.svg", "c.svg"]


def test_torchviz_names() -> None:
    x = mg.ones(2, requires_grad=True)
    made = make_dot((x * 2).sum(), params={"weights": x}, show_attrs=True, show_saved=True)
    assert "weights" in made.source and made.direction == "backward"


def test_a_notebook_shows_the_picture_and_a_terminal_the_text(no_dot: None) -> None:
    made = drawing()
    bundle = made._repr_mimebundle_()
    assert ElementTree.fromstring(bundle["image/svg+xml"]).tag == f"{SVG}svg"
    assert str(made) == bundle["text/plain"] == made.text()


def test_both_directions(no_dot: None) -> None:
    model, loss = PROGRAMS["mlp"]()
    for direction, first in (("forward", "input"), ("backward", "loss")):
        svg = ElementTree.fromstring(draw(loss, model=model, direction=direction).svg())
        at = {e.text: float(e.attrib["y"]) for e in svg.iter(f"{SVG}text") if e.text and "y" in e.attrib}
        assert (at["mean"] < at["pow"]) == (direction == "backward")
        assert min(at, key=lambda text: at[text]).startswith(first)


@pytest.mark.parametrize(("found", "colour"), [
    (Statistics(3, mean=0.0, rms=0.0, min=0.0, max=0.0, zeros=1.0), ZERO),
    (Statistics(3, mean=1.0, rms=1.0, min=1.0, max=1.0, nonfinite=1), NONFINITE),
    (Statistics(1, value=float("nan"), nonfinite=1), NONFINITE)])
def test_zero_and_nan_have_colours_of_their_own(found: Statistics, colour: str) -> None:
    assert Scale().fill(found) == colour


def test_colours_tell_sign_and_size_and_text_can_be_read_on_them() -> None:
    def of(value: float) -> str:
        return Scale(-9, 3).fill(Statistics(1, value=value, mean=value, rms=abs(value), min=value, max=value))

    assert len({of(v) for v in (-1.0, 1.0, -1e-6, 1e-6, 0.0)}) == 5
    for power in range(-10, 4):
        for sign in (-1, 1):
            colour = of(sign * 10.0 ** power)
            assert contrast(colour, text_on(colour)) >= 4.5


def test_the_legend_is_there_when_there_are_gradients(no_dot: None) -> None:
    model, loss = PROGRAMS["mlp"]()
    assert not any("NaN" in t for t in texts_of(draw(loss, model=model).svg()))
    loss.backward()
    assert any("NaN" in t for t in texts_of(draw(loss, model=model).svg()))


def test_rules_and_lines_are_in_the_page() -> None:
    x = mg.ones(2, requires_grad=True)
    with viz.record() as r:
        x.exp().sum().backward()
    data = json.loads(page_data(r.draw().html()))
    assert data["sources"]["ExpBackward0"]["rules"]["input"].endswith("return g * out")
    assert [step[3] for step in data["steps"]] == ["1", "rms 1"]
    lines = [data["words"][d["line"]] for d in data["details"].values() if "line" in d]
    assert len(lines) == 2 and all("test_outputs.py" in line for line in lines)


def test_boxes_of_a_run_are_in_the_page_once_with_the_numbers_of_all() -> None:
    model, loss = PROGRAMS["gpt"]()
    loss.backward()
    data = json.loads(page_data(draw(loss, model=model).html()))
    weight = next(id for id, d in data["details"].items() if d.get("names") == ["blocks.0.attn.qkv.weight"])
    assert [n["names"] for n in data["alike"][weight]] == [[f"blocks.{k}.attn.qkv.weight"] for k in (1, 2, 3)]
    assert all(n["gradient"][2] > 0 for n in data["alike"][weight])


def test_a_large_picture_is_drawn_without_dot() -> None:
    model = nn.Sequential(*[nn.Linear(k + 1, k + 2) for k in range(30)])
    made = draw(model(mg.ones(1, 1)).sum(), model=model, budget=1000)
    assert ElementTree.fromstring(to_svg(made.fold)).tag == f"{SVG}svg"


def test_the_scale_of_colours_spans_what_there_is() -> None:
    model, loss = PROGRAMS["gpt"]()
    assert Scale.of(draw(loss, model=model).graph) == Scale()
    loss.backward()
    scale = Scale.of(draw(loss, model=model).graph)
    sizes = [p.grad.double().pow(2).mean().sqrt().item() for p in model.parameters()]
    assert 10.0 ** scale.low <= min(sizes) and max(sizes) <= 10.0 ** scale.high
    assert 3 <= scale.high - scale.low <= 9
