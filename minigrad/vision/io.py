"""Files of images as tensors, and tensors as files, under the names of ``torchvision.io``. Pillow reads and writes them."""

from __future__ import annotations

import io
import os
from enum import Enum
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.errors import ArgumentError, InvalidValueError, RuntimeValueError
from minigrad.vision._pillow import pillow
from minigrad.vision.transforms.functional import pil_to_tensor, to_pil_image

__all__ = ["ImageReadMode", "decode_gif", "decode_image", "decode_jpeg", "decode_png", "decode_webp", "encode_jpeg", "encode_png",
           "read_file", "read_image", "write_file", "write_jpeg", "write_png"]


class ImageReadMode(Enum):
    """Which channels an image is to have: those of the file, or gray or coloured, with transparency or without.

    >>> ImageReadMode.RGBA is ImageReadMode.RGB_ALPHA
    True
    """

    UNCHANGED = 0
    GRAY = 1
    GRAY_ALPHA = 2
    RGB = 3
    RGB_ALPHA = 4
    RGBA = RGB_ALPHA


PILLOWS = {ImageReadMode.GRAY: "L", ImageReadMode.GRAY_ALPHA: "LA", ImageReadMode.RGB: "RGB", ImageReadMode.RGB_ALPHA: "RGBA"}
PLAIN = ("L", "LA", "RGB", "RGBA", "I;16", "P")  # modes whose numbers are kept; those of P are places in a palette


def read_file(path: str | os.PathLike[str]) -> Any:
    """The bytes of a file: uint8, one dimension."""
    return mg.from_numpy(np.fromfile(path, dtype=np.uint8))


def write_file(filename: str | os.PathLike[str], data: Any) -> None:
    """Write bytes, uint8 of one dimension, into a file."""
    if data.dtype != mg.uint8 or data.ndim != 1:
        raise RuntimeValueError(f"write_file: expected uint8 of one dimension, got {data.dtype} of shape {tuple(data.shape)}")
    with open(filename, "wb") as file:
        file.write(data.numpy(force=True).tobytes())


def decode_image(input: Any, mode: Any = ImageReadMode.UNCHANGED, apply_exif_orientation: bool = False) -> Any:
    """An image as a tensor of uint8 (of uint16 where the file has 16 bits), ``(channels, height, width)``.

    Args:
        input: the bytes of a file as :func:`read_file` gives them, or its path.
        mode: an :class:`ImageReadMode` or its name; the channels of the file by default.
        apply_exif_orientation: turn the image as the camera noted.

    Raises ``RuntimeError`` for what is no image.
    """
    if isinstance(mode, str):
        if mode.upper() not in ImageReadMode.__members__:
            raise InvalidValueError(f"decode_image: unknown mode {mode!r}; expected one of {list(ImageReadMode.__members__)}")
        mode = ImageReadMode[mode.upper()]
    if isinstance(input, mg.Tensor):
        if input.dtype != mg.uint8 or input.ndim != 1:
            raise RuntimeValueError(f"decode_image: expected the bytes of a file, uint8 of one dimension, got {input.dtype} of "
                                    f"shape {tuple(input.shape)}")
        source: Any = io.BytesIO(input.numpy(force=True).tobytes())
    elif isinstance(input, (str, os.PathLike)):
        source = input
    else:
        raise ArgumentError(f"decode_image: expected the bytes of a file or its path, got {type(input)}")
    try:
        with pillow("Image").open(source) as image:
            if apply_exif_orientation:
                image = pillow("ImageOps").exif_transpose(image)
            if mode is not ImageReadMode.UNCHANGED:
                image = image.convert(PILLOWS[mode])
            elif image.mode not in PLAIN:
                image = image.convert("L" if image.mode == "1" else "RGB")
            return pil_to_tensor(image)
    except pillow("Image").UnidentifiedImageError as error:
        raise RuntimeValueError(f"decode_image: this is no image of a kind that Pillow knows: {error}") from None


def read_image(path: str | os.PathLike[str], mode: Any = ImageReadMode.UNCHANGED, apply_exif_orientation: bool = False) -> Any:
    """The image in a file, as :func:`decode_image` gives it."""
    return decode_image(path, mode, apply_exif_orientation)


def decode_jpeg(input: Any, mode: Any = ImageReadMode.UNCHANGED, device: Any = "cpu",
                apply_exif_orientation: bool = False) -> Any:
    """The image in the bytes of a JPEG file, or the images in a list of them, on a device."""
    if isinstance(input, list):
        return [decode_jpeg(each, mode, device, apply_exif_orientation) for each in input]
    return decode_image(input, mode, apply_exif_orientation).to(device)


def decode_png(input: Any, mode: Any = ImageReadMode.UNCHANGED, apply_exif_orientation: bool = False) -> Any:
    """The image in the bytes of a PNG file."""
    return decode_image(input, mode, apply_exif_orientation)


def decode_webp(input: Any, mode: Any = ImageReadMode.UNCHANGED) -> Any:
    """The image in the bytes of a WebP file."""
    return decode_image(input, mode)


def decode_gif(input: Any) -> Any:
    """The images in the bytes of a GIF file, ``(N, 3, height, width)``, or without `N` where there is one."""
    with pillow("Image").open(io.BytesIO(input.numpy(force=True).tobytes())) as image:
        frames = [pil_to_tensor(frame.convert("RGB")) for frame in pillow("ImageSequence").Iterator(image)]
    return mg.stack(frames) if len(frames) > 1 else frames[0]


def encoded(caller: str, input: Any, **settings: Any) -> Any:
    """The bytes of a file with the image."""
    if input.dtype != mg.uint8 or input.ndim != 3 or input.shape[0] not in (1, 3):
        raise RuntimeValueError(f"{caller}: expected an image of uint8 with 1 or 3 channels, (channels, height, width), got "
                                f"{input.dtype} of shape {tuple(input.shape)}")
    buffer = io.BytesIO()
    to_pil_image(input).save(buffer, **settings)
    return mg.from_numpy(np.frombuffer(bytearray(buffer.getbuffer()), dtype=np.uint8))


def encode_jpeg(input: Any, quality: int = 75) -> Any:
    """The bytes of a JPEG file with an image of uint8, ``(1 or 3, height, width)``; of a list of images a list.

    `quality` is from 1 to 100.
    """
    if not 1 <= quality <= 100:
        raise InvalidValueError(f"Image quality should be a positive number between 1 and 100, got {quality}")
    if isinstance(input, list):
        return [encode_jpeg(each, quality) for each in input]
    return encoded("encode_jpeg", input, format="jpeg", quality=quality)


def encode_png(input: Any, compression_level: int = 6) -> Any:
    """The bytes of a PNG file with an image of uint8, ``(1 or 3, height, width)``; `compression_level` is from 0 to 9."""
    if not 0 <= compression_level <= 9:
        raise InvalidValueError(f"Compression level should be between 0 and 9, got {compression_level}")
    return encoded("encode_png", input, format="png", compress_level=compression_level)


def write_jpeg(input: Any, filename: str | os.PathLike[str], quality: int = 75) -> None:
    """Write an image into a JPEG file, as :func:`encode_jpeg` makes it."""
    write_file(filename, encode_jpeg(input, quality))


def write_png(input: Any, filename: str | os.PathLike[str], compression_level: int = 6) -> None:
    """Write an image into a PNG file, as :func:`encode_png` makes it."""
    write_file(filename, encode_png(input, compression_level))
