"""Images from files and into files: torchvision's pixels."""

from __future__ import annotations

import io as python_io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.vision import io
from tests.vision.oracle import assert_same, torchvision_or_skip

Image = pytest.importorskip("PIL.Image", reason="images are Pillow's")
rng = np.random.default_rng(0)
SMOOTH = np.add.outer(np.arange(24), np.arange(32))[..., None] * np.array([1, 2, 3])
COLOUR, GRAY = SMOOTH.astype(np.uint8), SMOOTH[..., 0].astype(np.uint8)


def file_of(pixels: Any, kind: str, mode: str | None = None, **settings: Any) -> bytes:
    """The bytes of an image file, made by Pillow."""
    file = python_io.BytesIO()
    image = Image.fromarray(pixels)
    (image if mode is None else image.convert(mode)).save(file, kind, **settings)
    return file.getvalue()


FILES = {
    "colour.png": file_of(COLOUR, "PNG"), "gray.png": file_of(GRAY, "PNG"), "bits.png": file_of(GRAY, "PNG", "1"),
    "alpha.png": file_of(rng.integers(0, 256, (5, 6, 4)).astype(np.uint8), "PNG"), "palette.png": file_of(COLOUR, "PNG", "P"),
    "gray_alpha.png": file_of(rng.integers(0, 256, (5, 6, 4)).astype(np.uint8), "PNG", "LA"),
    "deep.png": file_of((GRAY.astype(np.uint16) * 100), "PNG"),
    "colour.jpg": file_of(COLOUR, "JPEG"), "gray.jpg": file_of(GRAY, "JPEG"),
}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    colour, gray = mg.from_numpy(COLOUR.transpose(2, 0, 1).copy()), mg.from_numpy(GRAY[None].copy())
    for picture in (colour, gray):
        for level in (0, 9):
            io.write_png(picture, tmp_path / "picture.png", compression_level=level)
            assert io.read_image(tmp_path / "picture.png").equal(picture)
        assert io.decode_png(io.read_file(tmp_path / "picture.png")).equal(picture)
        io.write_jpeg(picture, tmp_path / "picture.jpg", quality=95)
        read = io.read_image(str(tmp_path / "picture.jpg"))
        assert read.shape == picture.shape and (read.float() - picture).abs().mean() < 4
        assert io.decode_jpeg([io.read_file(tmp_path / "picture.jpg")])[0].equal(read)
    assert io.read_image(tmp_path / "picture.png", io.ImageReadMode.RGB).shape == (3, 24, 32)
    assert io.decode_image(tmp_path / "picture.png", "gray_alpha").shape == (2, 24, 32)


def test_pictures_are_turned_as_the_camera_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    Image.fromarray(GRAY).save(tmp_path / "turned.jpg", exif=exif)
    assert io.read_image(tmp_path / "turned.jpg").shape == (1, 24, 32)
    assert io.read_image(tmp_path / "turned.jpg", apply_exif_orientation=True).shape == (1, 32, 24)


def test_pictures_that_move(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((4, 5), value, np.uint8)) for value in (0, 100, 200)]
    frames[0].save(tmp_path / "moves.gif", save_all=True, append_images=frames[1:])
    assert io.decode_gif(io.read_file(tmp_path / "moves.gif"))[:, 0, 0, 0].tolist() == [0, 100, 200]
    frames[1].save(tmp_path / "still.gif")
    assert io.decode_gif(io.read_file(tmp_path / "still.gif")).shape == (3, 4, 5)


def test_a_palette_is_numbers_of_colours(tmp_path: Path) -> None:
    mask = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8), "L")
    mask.putpalette([0, 0, 0, 200, 0, 0, 0, 100, 0])
    mask.save(tmp_path / "mask.png")
    assert io.read_image(tmp_path / "mask.png").tolist() == [[[0, 1], [2, 1]]]
    assert io.read_image(tmp_path / "mask.png", "RGB")[:2, 0].tolist() == [[0, 200], [0, 0]]


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    for read, words in ((lambda: io.decode_image(mg.zeros(4, dtype=mg.uint8)), "decode_image: this is no image of a kind"),
                        (lambda: io.decode_png(mg.from_numpy(np.frombuffer(FILES["gray.jpg"], np.uint8).copy())), "of PNG"),
                        (lambda: io.decode_image(mg.zeros(4)), "expected a tensor of uint8 with one dimension"),
                        (lambda: io.encode_png(mg.zeros(3, 4, 4)), "dtype should be uint8"),
                        (lambda: io.encode_jpeg(mg.zeros(2, 4, 4, dtype=mg.uint8)), r"1 or 3, got: \(2, 4, 4\)")):
        with pytest.raises(RuntimeError, match=words):
            read()
    for write, words in ((lambda: io.encode_png(mg.zeros(1, 1, 1, dtype=mg.uint8), 10), "between 0 and 9, got 10"),
                         (lambda: io.encode_jpeg(mg.zeros(1, 1, 1, dtype=mg.uint8), 0), "between 1 and 100, got 0")):
        with pytest.raises(ValueError, match=words):
            write()
    with pytest.raises(FileNotFoundError):
        io.read_image(tmp_path / "nothing.png")


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", FILES)
def test_images_are_torchvisions(name: str, tmp_path: Path) -> None:
    theirs = torchvision_or_skip().io
    (tmp_path / name).write_bytes(FILES[name])
    modes = [mode for mode in io.ImageReadMode if name != "deep.png" or mode is io.ImageReadMode.UNCHANGED]
    for mode in modes:
        if "ALPHA" in mode.name and name in ("colour.jpg", "gray.jpg", "bits.png", "palette.png"):
            continue  # of files that have none, torchvision refuses it or leaves it unwritten
        expected = theirs.read_image(str(tmp_path / name), theirs.ImageReadMode[mode.name])
        assert_same(expected, io.read_image(tmp_path / name, mode), 0.02 if mode.value or name.endswith(".jpg") else 0)
