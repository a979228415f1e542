"""Arrays as small pictures: colours for numbers, and PNG files of them without any other library."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np

from minigrad.viz.colours import NONFINITE, RAMPS


def rgb(colour: str) -> Any:
    """The three numbers of a colour that is written as ``#rrggbb``."""
    return np.array([int(colour[k:k + 2], 16) for k in (1, 3, 5)], np.float64)


def colour_signed(values: Any) -> Any:
    """Colours (..., 3) for numbers of both signs: white for 0, to blue for the most negative and orange for the most positive, on
    one scale. What is not finite has a colour of its own."""
    finite = np.isfinite(values)
    largest = np.abs(np.where(finite, values, 0)).max(initial=0.0)
    share = np.where(finite, values, 0) / (largest or 1.0)
    ends = np.where((share < 0)[..., None], rgb(RAMPS["negative"][1]), rgb(RAMPS["positive"][1]))
    return finish(255 + (ends - 255) * np.abs(share)[..., None], finite)


def colour_grey(values: Any) -> Any:
    """Greys (..., 3) for numbers: black for the least, white for the largest, black all over where all are equal."""
    return finish(np.repeat(255 * shares(values)[..., None], 3, axis=-1), np.isfinite(values))


def colour_channels(values: Any) -> Any:
    """Colours (..., 3) of an image whose last dimension is red, green and blue, the least number of all dark and the largest
    bright."""
    return finish(255 * shares(values), np.isfinite(values).all(axis=-1))


def shares(values: Any) -> Any:
    """Numbers brought to 0 for the least and 1 for the largest of the finite ones."""
    finite = np.isfinite(values)
    some = values[finite]
    low, high = (some.min(), some.max()) if some.size else (0.0, 0.0)
    return (np.where(finite, values, low) - low) / ((high - low) or 1.0)


def finish(colours: Any, finite: Any) -> Any:
    """Colours as bytes, with that of NaN and infinity where numbers are not finite."""
    return np.where(finite[..., None], colours.round(), rgb(NONFINITE)).astype(np.uint8)


def tile(images: Any, columns: int, gap: int = 2) -> Any:
    """One image (height, width, 4) of small ones (n, h, w, 3) in rows, with nothing between them."""
    count, height, width, _ = images.shape
    rows = -(-count // columns)
    sheet = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap, 4), np.uint8)
    for k, image in enumerate(images):
        top, left = k // columns * (height + gap), k % columns * (width + gap)
        sheet[top:top + height, left:left + width, :3] = image
        sheet[top:top + height, left:left + width, 3] = 255
    return sheet


def to_png(pixels: Any) -> bytes:
    """A PNG file of bytes (height, width, 4): red, green, blue, and how opaque.

    As in the PNG specification, third edition, https://www.w3.org/TR/png-3: a signature, and chunks of length, name, content and
    checksum; each row of the compressed content begins with its filter, 0 for none.
    """
    height, width, _ = pixels.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)) + chunk(b"IEND", b"")


def data_address(pixels: Any) -> str:
    """The PNG as an address that holds it, for pages and SVG."""
    return "data:image/png;base64," + base64.b64encode(to_png(pixels)).decode("ascii")
