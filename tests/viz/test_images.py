"""Filters and feature maps as images: the numbers are the layers', the pictures can be read, and the model is left as it was."""

from __future__ import annotations

import io
import math
import re
import struct
import sys
import xml.etree.ElementTree as ElementTree
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, viz
from minigrad.viz.colours import NONFINITE
from minigrad.viz.images import FORMATS
from minigrad.viz.pixels import colour_grey, colour_signed, rgb, tile, to_png
from tests.viz.test_outputs import HOSTILE


def read_png(data: bytes) -> Any:
    """The pixels of a PNG that :func:`to_png` wrote, each row of which begins with 0."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at, content, size = 8, b"", (0, 0)
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length:at + 12 + length])[0] == zlib.crc32(name + body)
        size = struct.unpack(">II", body[:8]) if name == b"IHDR" else size
        content += body if name == b"IDAT" else b""
        at += 12 + length
    rows = np.frombuffer(zlib.decompress(content), np.uint8).reshape(size[1], 1 + 4 * size[0])
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(size[1], size[0], 4)


# ---------------------------------------------------------------------------------------------------- pixels

def test_a_png_holds_the_pixels() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 4), dtype=np.uint8)
    assert (read_png(to_png(pixels)) == pixels).all()


def test_pillow_reads_it_too() -> None:
    Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 4), dtype=np.uint8)
    assert (np.asarray(Image.open(io.BytesIO(to_png(pixels)))) == pixels).all()


def test_colours_tell_sign_and_size() -> None:
    red, white, blue, nan = colour_signed(np.array([2.0, 0.0, -2.0, math.nan])).astype(int)
    assert red[0] > 150 > red[2] and blue[2] > 150 > blue[0]
    assert (white == 255).all() and (nan == rgb(NONFINITE)).all()
    assert colour_grey(np.array([-1.0, 0.0, 1.0]))[:, 0].tolist() == [0, 128, 255]
    assert colour_grey(np.array([3.0, 3.0]))[:, 0].tolist() == [0, 0]
    assert (colour_grey(np.array([math.inf, 1.0, 2.0]))[0] == rgb(NONFINITE)).all()
    assert colour_signed(np.full((2, 2), math.nan)).shape == (2, 2, 3)


def test_tiles_are_in_rows_with_gaps_that_show_through() -> None:
    images = np.stack([np.full((2, 3, 3), 10 * k, np.uint8) for k in range(5)])
    sheet = tile(images, 3, gap=1)
    assert sheet.shape == (5, 11, 4)
    assert sheet[0, 4, 0] == 10 and sheet[3, 0, 0] == 30
    assert sheet[2].max() == 0 and sheet[0, 3, 3] == 0 and sheet[3, 8, 3] == 0


# ---------------------------------------------------------------------------------------------------- filters

@pytest.mark.parametrize(("layer", "shape", "said"), [
    (nn.Conv2d(1, 6, 5), (6, 5, 5), "6 filters of 1 channel, 5×5"),
    (nn.Conv2d(3, 6, 5), (6, 5, 5, 3), "6 filters of 3 channels, 5×5"),
    (nn.Conv2d(3, 100, 5), (64, 5, 5, 3), "100 filters of 3 channels, 5×5; the first 64"),
    (nn.Conv2d(4, 2, 3), (8, 3, 3), "2 filters of 4 channels, 3×3"),
    (nn.Conv2d(16, 32, 3), (64, 3, 3), "32 filters of 16 channels, 3×3; 8 of 32 filters, 8 of 16 channels"),
    (nn.Conv2d(6, 6, 3, groups=6), (6, 3, 3), "6 filters of 1 channel, 3×3"),
    (nn.ConvTranspose2d(4, 1, 3), (4, 3, 3), "1 filter of 4 channels, 3×3"),
    (nn.Conv1d(4, 2, 3), (2, 4, 3), "2 filters of 4 channels, 3"),
    (nn.Conv3d(1, 2, (3, 4, 5)), (6, 4, 5), "2 filters of 1 channel, 3×4×5"),
    (nn.Linear(64, 10), (10, 8, 8), "10 units, 8×8"),
])
def test_filters_of_every_layer(layer: Any, shape: tuple[int, ...], said: str) -> None:
    (grid,) = viz.filters(layer).grids
    assert (grid.values.shape, grid.caption, grid.name) == (shape, said, type(layer).__name__)
    weight = layer.weight.detach().numpy()
    if shape[1:] == weight.shape[2:] and weight.shape[1] == 1:
        assert (grid.values == weight[:, 0]).all()
    assert grid.pixels().max() == 255


def test_filters_of_a_model_are_those_of_its_convolutions() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Sequential(nn.Conv2d(2, 2, 3)), nn.Flatten(), nn.Linear(32, 16),
                          nn.Linear(16, 2))
    assert [g.name for g in viz.filters(model).grids] == ["0", "2.0"]
    assert [g.name for g in viz.filters(model, layers=["2.0", "5"]).grids] == ["2.0", "5"]
    mlp = nn.Sequential(nn.Linear(12, 5), nn.ReLU(), nn.Linear(5, 2))
    assert viz.filters(mlp, shape=(3, 4)).grids[0].values.shape == (5, 3, 4)
    with pytest.raises(ValueError, match=r"Sequential has no convolution .* shape=\(height, width\)"):
        viz.filters(mlp)
    with pytest.raises(TypeError, match=r"'7' is no path of a module in Sequential; there are '0', '1', '2'"):
        viz.filters(mlp, layers="7")
    with pytest.raises(TypeError, match="must be a Module, not Tensor"):
        viz.filters(mg.ones(3))
    with pytest.raises(ValueError, match="0 has no weights yet; call the model once"):
        viz.filters(nn.Sequential(nn.LazyConv2d(3, 3)))


# ---------------------------------------------------------------------------------------------------- feature maps

def network() -> Any:
    mg.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(),
                         nn.Linear(4 * 6 * 6, 10))


def test_activations_are_what_the_layers_make() -> None:
    model, x = network().eval(), mg.randn(5, 3, 8, 8)
    grids = {g.name: g for g in viz.activations(model, x, index=3).grids}
    assert list(grids) == ["input", "0", "1", "2", "3", "4", "5"]
    assert grids["input"].values.shape == (1, 8, 8, 3)
    assert np.allclose(grids["2"].values, model[2](model[1](model[0](x)))[3].detach().numpy())
    assert np.allclose(grids["5"].values.reshape(-1), model(x)[3].detach().numpy())
    assert grids["5"].caption == "10"


def test_the_model_is_left_as_it_was() -> None:
    model = network().train()
    model[5].eval()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    state = mg.get_rng_state()
    viz.activations(model, mg.randn(2, 3, 8, 8))
    mg.set_rng_state(state)
    with pytest.raises(mg.errors.MinigradError):
        viz.activations(model, mg.randn(2, 4, 8, 8))
    assert [m.training for m in model] == [True] * 5 + [False] and model.training
    assert not any(m._forward_hooks for m in model.modules())
    assert all((model.state_dict()[k] == v).all() for k, v in before.items())


def test_what_models_are_called_with() -> None:
    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(3, 4, batch_first=True)

        def forward(self, x: Any, scale: Any) -> Any:
            return self.lstm(x * scale)[0]

    x = mg.ones(2, 5, 3)
    for given in ((x, 2.0), {"x": x, "scale": 2.0}):
        grids = viz.activations(Both(), given).grids
        assert [(g.name, g.values.shape) for g in grids] == [("input", (1, 5, 3)), ("lstm", (1, 5, 4))]
    words = nn.Sequential(nn.Embedding(7, 4))
    assert [g.name for g in viz.activations(words, mg.tensor([[1, 2, 3]])).grids] == ["0"], "words are no image"
    conv = nn.Conv2d(1, 2, 3)
    assert viz.activations(conv, mg.ones(1, 5, 5), index=None).grids[1].values.shape == (2, 3, 3)
    with pytest.raises(ValueError, match=r"'index' must be less than 2, .* of shape \[2, 1, 5, 5\] at input, got 2"):
        viz.activations(conv, mg.ones(2, 1, 5, 5), index=2)


def test_layers_called_again_and_limits() -> None:
    relu = nn.ReLU()
    model = nn.Sequential(nn.Conv2d(1, 9, 1), relu, nn.Conv2d(9, 9, 1), relu)
    made = viz.activations(model, mg.ones(1, 1, 4, 4), limit=5)
    assert [g.name for g in made.grids] == ["input", "0", "1", "2", "1"]
    assert made.grids[1].values.shape == (5, 4, 4) and made.grids[1].caption == "9×4×4; the first 5"
    chosen = viz.activations(nn.Sequential(nn.Sequential(nn.Conv2d(1, 2, 1))), mg.ones(1, 1, 4, 4), layers="0")
    assert [g.name for g in chosen.grids] == ["input", "0"]


# ---------------------------------------------------------------------------------------------------- forms

@pytest.mark.parametrize("form", FORMATS)
def test_a_file_has_the_form_its_name_asks_for(form: str, tmp_path: Path) -> None:
    if form in ("png", "pdf"):
        pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    path = tmp_path / "new" / f"filters.{form.upper()}"
    assert viz.filters(nn.Conv2d(1, 2, 3)).save(path) == str(path)
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert path.read_bytes().startswith({"html": b"<!DOCTYPE html>", "svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF"}[form])


def test_another_ending_is_refused_and_matplotlib_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = viz.filters(nn.Conv2d(1, 2, 3))
    with pytest.raises(ValueError, match=r"\.html, \.svg, \.png, \.pdf; got .*a\.gif"):
        made.save(tmp_path / "a.gif")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'matplotlib, which is not installed: pip install "minigrad-numpy\[demo\]"'):
        made.save(tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_any_name_can_be_shown(name: str) -> None:
    model = nn.Sequential()
    model.add_module(name.replace(".", "") or "x", nn.Conv2d(1, 2, 3))
    made = viz.filters(model)
    assert len(list(ElementTree.fromstring(made.svg()).iter("{http://www.w3.org/2000/svg}image"))) == 1
    page = made.html()
    assert page.count("<script>") == 1 and not re.search(r"<b>&amp;|<b></script", page)
    page.encode("utf-8")


def test_a_notebook_shows_them() -> None:
    made = viz.filters(nn.Conv2d(1, 2, 3))
    assert ElementTree.fromstring(made._repr_mimebundle_()["image/svg+xml"]).tag.endswith("svg")
    assert repr(made) == "<filters of Conv2d: Conv2d 2 filters of 1 channel, 3×3>"
