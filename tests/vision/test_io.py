"""Files of images, read and written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.vision import io
from minigrad.vision.io import ImageReadMode
from tests.vision.oracle import torchvision_or_skip

Image = pytest.importorskip("PIL.Image", reason='images need Pillow: pip install "minigrad-numpy[vision]"')


def colours(channels: int) -> Any:
    return np.random.default_rng(channels).integers(0, 256, (6, 5, channels), dtype=np.uint8)


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("LA", 2), ("RGB", 3), ("RGBA", 4), ("1", 1), ("P", 1)])
def test_channels_are_those_of_the_file(mode: str, channels: int, tmp_path: Path) -> None:
    Image.fromarray(colours(3)).convert(mode).save(tmp_path / "x.png")
    x = io.read_image(tmp_path / "x.png")
    assert x.dtype == mg.uint8 and x.shape == (channels, 6, 5)
    for wanted, n in (("GRAY", 1), ("gray_alpha", 2), (ImageReadMode.RGB, 3), ("RGBA", 4)):
        assert io.decode_image(io.read_file(tmp_path / "x.png"), wanted).shape == (n, 6, 5)


@pytest.mark.parametrize("channels", [1, 3])
def test_png_keeps_every_number(channels: int, tmp_path: Path) -> None:
    x = mg.from_numpy(colours(channels).transpose(2, 0, 1).copy())
    io.write_png(x, tmp_path / "x.png", compression_level=1)
    assert mg.equal(io.read_image(str(tmp_path / "x.png")), x) and mg.equal(io.decode_png(io.encode_png(x)), x)
    smooth = mg.full((channels, 16, 16), 100, dtype=mg.uint8)
    one, two = io.decode_jpeg(io.encode_jpeg([smooth, smooth], quality=95))
    assert mg.equal(one, two) and (one.int() - 100).abs().max().item() <= 2
    assert len(io.encode_jpeg(x, 95)) > len(io.encode_jpeg(x, 5))


def test_sixteen_bits_and_turned_photographs(tmp_path: Path) -> None:
    Image.fromarray(np.uint16([[1, 60000]])).save(tmp_path / "x.png")
    assert io.read_image(tmp_path / "x.png").tolist() == [[[1, 60000]]]
    turned = Image.Exif()
    turned[0x0112] = 6  # the camera lay on its side
    Image.fromarray(colours(3)).save(tmp_path / "x.jpg", exif=turned)
    assert io.read_image(tmp_path / "x.jpg").shape == (3, 6, 5)
    assert io.read_image(tmp_path / "x.jpg", apply_exif_orientation=True).shape == (3, 5, 6)


def test_frames_of_a_gif(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (5, 6), colour) for colour in ("red", "green")]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    x = io.decode_gif(io.read_file(tmp_path / "x.gif"))
    assert x.shape == (2, 3, 6, 5) and x[0, :, 0, 0].tolist() == [255, 0, 0]


def test_refusals(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"no image")
    with pytest.raises(RuntimeError, match="no image of a kind that Pillow knows"):
        io.read_image(tmp_path / "x.png")
    with pytest.raises(FileNotFoundError):
        io.read_image(tmp_path / "absent.png")
    with pytest.raises(ValueError, match="unknown mode 'CMYK'"):
        io.read_image(tmp_path / "x.png", "CMYK")
    with pytest.raises(RuntimeError, match=r"expected the bytes of a file.*got minigrad.float32 of shape \(2,\)"):
        io.decode_image(mg.zeros(2))
    with pytest.raises(TypeError, match="expected the bytes of a file or its path"):
        io.decode_image(3)
    with pytest.raises(RuntimeError, match=r"with 1 or 3 channels.*got minigrad.uint8 of shape \(2, 3, 3\)"):
        io.encode_png(mg.zeros(2, 3, 3, dtype=mg.uint8))
    with pytest.raises(ValueError, match="between 1 and 100"):
        io.encode_jpeg(mg.zeros(3, 3, 3, dtype=mg.uint8), 0)
    with pytest.raises(ValueError, match="between 0 and 9"):
        io.encode_png(mg.zeros(3, 3, 3, dtype=mg.uint8), 10)
    with pytest.raises(RuntimeError, match="expected uint8 of one dimension"):
        io.write_file(tmp_path / "y", mg.zeros(3))


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
def test_files_are_torchvisions(tmp_path: Path) -> None:
    theirs = torchvision_or_skip().io
    for mode in ("L", "LA", "RGB", "RGBA", "P"):
        Image.fromarray(colours(3)).convert(mode).save(tmp_path / "x.png")
        for wanted in ("UNCHANGED", "RGB", *(("RGB_ALPHA",) if mode != "P" else ())):  # of palettes it makes noise there
            found = theirs.read_image(str(tmp_path / "x.png"), getattr(theirs.ImageReadMode, wanted))
            assert np.array_equal(found.numpy(), io.read_image(tmp_path / "x.png", wanted).numpy()), (mode, wanted)
