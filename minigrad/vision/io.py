"""Images in files, as tensors of uint8 ``(C, H, W)``, with the names of ``torchvision.io``; Pillow knows the formats."""

from __future__ import annotations

import enum
import io
import os
from typing import Any

import numpy as np

import minigrad as mg
from minigrad._tensor import Tensor
from minigrad.errors import DtypeError, InvalidValueError, RuntimeValueError, ShapeError
from minigrad.vision._pillow import pillow

__all__ = ["ImageReadMode", "decode_gif", "decode_image", "decode_jpeg", "decode_png", "decode_webp", "encode_jpeg", "encode_png",
           "read_file", "read_image", "write_file", "write_jpeg", "write_png"]


class ImageReadMode(enum.Enum):
    """What channels an image is to have; ``UNCHANGED``: those of the file.

    >>> ImageReadMode["RGB"].value
    3
    """

    UNCHANGED = 0
    GRAY = 1
    GRAY_ALPHA = 2
    RGB = 3
    RGB_ALPHA = 4


# Pillow's name for the channels of each mode.
CHANNELS = {ImageReadMode.GRAY: "L", ImageReadMode.GRAY_ALPHA: "LA", ImageReadMode.RGB: "RGB", ImageReadMode.RGB_ALPHA: "RGBA"}


def read_file(path: str | os.PathLike[str]) -> Tensor:
    """The bytes of a file: uint8, ``(N,)``. Raises ``FileNotFoundError`` where there is none.

    >>> import tempfile, os
    >>> import minigrad as mg
    >>> path = os.path.join(tempfile.mkdtemp(), "three")
    >>> write_file(path, mg.tensor([1, 2, 3], dtype=mg.uint8))
    >>> read_file(path)
    tensor([1, 2, 3], dtype=minigrad.uint8)
    """
    return mg.from_numpy(np.fromfile(path, np.uint8))


def write_file(filename: str | os.PathLike[str], data: Tensor) -> None:
    """Write `data`, uint8 ``(N,)``, into a file as its bytes.

    >>> import tempfile, os
    >>> import minigrad as mg
    >>> write_file(os.path.join(tempfile.mkdtemp(), "two"), mg.tensor([1, 2], dtype=mg.uint8))
    """
    with open(filename, "wb") as file:
        file.write(octets("write_file", data))


def octets(name: str, data: Tensor) -> bytes:
    """The elements of `data` as bytes, if it is of uint8 and has one dimension."""
    if data.dtype != mg.uint8 or data.ndim != 1:
        raise RuntimeValueError(f"{name}: expected a tensor of uint8 with one dimension, the bytes of a file, got {data.dtype} "
                                f"of shape {tuple(data.shape)}")
    return data.numpy().tobytes()


def decode(name: str, input: Tensor | str | os.PathLike[str], mode: ImageReadMode | str, apply_exif_orientation: bool,
           kinds: list[str] | None) -> Tensor:
    """The image in the bytes of a file, or in the file at a path, which is to be of one of `kinds`."""
    wanted = ImageReadMode[mode.upper()] if isinstance(mode, str) else mode
    source: Any = io.BytesIO(octets(name, input)) if isinstance(input, Tensor) else os.fspath(input)
    try:
        image = pillow("Image").open(source, formats=kinds)
        image.load()
    except FileNotFoundError:
        raise
    except OSError as error:
        kind = " or ".join(kinds or ["a kind"])
        raise RuntimeValueError(f"{name}: this is no image of {kind} that can be read: {error}") from None
    if apply_exif_orientation:
        image = pillow("ImageOps").exif_transpose(image)
    channels = channels_of(image) if wanted is ImageReadMode.UNCHANGED else CHANNELS[wanted]
    pixels = np.array(image if image.mode == channels else image.convert(channels))
    return mg.from_numpy(np.ascontiguousarray(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)))


def channels_of(image: Any) -> str:
    """Pillow's name for the channels that an image of Pillow's has, when single bits are written out.

    Of a PNG with a palette these are the numbers of its colours, as in torchvision: masks are stored so.
    """
    if image.mode in CHANNELS.values() or image.mode.startswith("I;16") or image.mode == "P" and image.format == "PNG":
        return str(image.mode)
    if image.mode == "1":
        return "L"
    return "RGBA" if "transparency" in image.info else "RGB"


def decode_image(input: Tensor | str | os.PathLike[str], mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
                 apply_exif_orientation: bool = False) -> Tensor:
    """The image in the bytes of a file, uint8 ``(N,)``, or in the file at a path: uint8, ``(C, H, W)``; uint16
    where it has 16 bits.

    Args:
        mode: the channels that it is to have, also by name: ``"RGB"``.
        apply_exif_orientation: turn it as the camera says that it was held.

    Raises ``RuntimeError`` for what is no image.

    >>> import minigrad as mg
    >>> picture = mg.arange(12, dtype=mg.uint8).view(3, 2, 2)
    >>> bool((decode_image(encode_png(picture)) == picture).all()), decode_image(encode_png(picture), "GRAY").shape
    (True, minigrad.Size([1, 2, 2]))
    """
    return decode("decode_image", input, mode, apply_exif_orientation, None)


def read_image(path: str | os.PathLike[str], mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
               apply_exif_orientation: bool = False) -> Tensor:
    """The image in the file at `path`; see :func:`decode_image`.

    >>> import tempfile, os
    >>> import minigrad as mg
    >>> path = os.path.join(tempfile.mkdtemp(), "black.png")
    >>> write_png(mg.zeros(3, 4, 5, dtype=mg.uint8), path)
    >>> read_image(path, ImageReadMode.RGB).shape
    minigrad.Size([3, 4, 5])
    """
    return decode("read_image", path, mode, apply_exif_orientation, None)


def decode_jpeg(input: Tensor | list[Tensor], mode: ImageReadMode | str = ImageReadMode.UNCHANGED, device: Any = "cpu",
                apply_exif_orientation: bool = False) -> Any:
    """As :func:`decode_image`, of a JPEG, or of several; the result is on `device`.

    >>> import minigrad as mg
    >>> decode_jpeg([encode_jpeg(mg.zeros(1, 4, 5, dtype=mg.uint8))])[0].shape
    minigrad.Size([1, 4, 5])
    """
    if isinstance(input, list):
        return [decode_jpeg(one, mode, device, apply_exif_orientation) for one in input]
    return decode("decode_jpeg", input, mode, apply_exif_orientation, ["JPEG"]).to(device)


def decode_png(input: Tensor, mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
               apply_exif_orientation: bool = False) -> Tensor:
    """As :func:`decode_image`, of a PNG.

    >>> import minigrad as mg
    >>> decode_png(encode_png(mg.zeros(1, 4, 5, dtype=mg.uint8))).shape
    minigrad.Size([1, 4, 5])
    """
    return decode("decode_png", input, mode, apply_exif_orientation, ["PNG"])


def decode_webp(input: Tensor, mode: ImageReadMode | str = ImageReadMode.UNCHANGED) -> Tensor:
    """As :func:`decode_image`, of a WebP; where Pillow was built with it.

    >>> import minigrad as mg
    >>> try:
    ...     decode_webp(mg.zeros(4, dtype=mg.uint8))
    ... except RuntimeError as error:
    ...     print(str(error)[:35])
    decode_webp: this is no image of WE
    """
    return decode("decode_webp", input, mode, False, ["WEBP"])


def decode_gif(input: Tensor) -> Tensor:
    """The pictures of a GIF: uint8, ``(3, H, W)`` if it has one, else ``(N, 3, H, W)``.

    >>> import minigrad as mg
    >>> try:
    ...     decode_gif(mg.zeros(4, dtype=mg.uint8))
    ... except RuntimeError as error:
    ...     print(str(error)[:34])
    decode_gif: this is no image of GI
    """
    try:
        image = pillow("Image").open(io.BytesIO(octets("decode_gif", input)), formats=["GIF"])
        frames = [np.array(frame.convert("RGB")) for frame in pillow("ImageSequence").Iterator(image)]
    except OSError as error:
        raise RuntimeValueError(f"decode_gif: this is no image of GIF that can be read: {error}") from None
    pixels = np.ascontiguousarray(np.stack(frames).transpose(0, 3, 1, 2))
    return mg.from_numpy(pixels[0] if len(pixels) == 1 else pixels)


def encode(name: str, input: Tensor, kind: str, **settings: Any) -> Tensor:
    """The bytes of a file of Pillow's `kind` with this image."""
    if input.dtype != mg.uint8:
        raise DtypeError(f"{name}: Input tensor dtype should be uint8, and is {input.dtype}")
    if input.ndim != 3 or input.shape[0] not in (1, 3):
        raise ShapeError(f"{name}: The number of channels should be 1 or 3, got: {tuple(input.shape)}, which is to be (C, H, W)")
    pixels = input.cpu().numpy()
    file = io.BytesIO()
    pillow("Image").fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0))).save(
        file, kind, **settings)
    return mg.from_numpy(np.frombuffer(file.getvalue(), np.uint8).copy())


def encode_png(input: Tensor, compression_level: int = 6) -> Tensor:
    """The bytes of a PNG with the image `input`, uint8 ``(1 or 3, H, W)``; `compression_level` is from 0 to 9, the smallest file.

    Raises ``RuntimeError`` for another dtype or shape, ``ValueError`` for another level.

    >>> import minigrad as mg
    >>> encode_png(mg.zeros(3, 2, 2, dtype=mg.uint8))[1:4]
    tensor([80, 78, 71], dtype=minigrad.uint8)
    """
    if not 0 <= compression_level <= 9:
        raise RuntimeValueError(f"encode_png: Compression level should be between 0 and 9, got {compression_level}")
    return encode("encode_png", input, "PNG", compress_level=compression_level)


def encode_jpeg(input: Tensor | list[Tensor], quality: int = 75) -> Any:
    """The bytes of a JPEG with the image `input`, uint8 ``(1 or 3, H, W)``, or of several; `quality` is from 1 to 100.

    Raises ``RuntimeError`` for another dtype or shape, ``ValueError`` for another quality.

    >>> import minigrad as mg
    >>> encode_jpeg(mg.zeros(3, 2, 2, dtype=mg.uint8), quality=90)[:2]
    tensor([255, 216], dtype=minigrad.uint8)
    """
    if not 1 <= quality <= 100:
        raise InvalidValueError(f"encode_jpeg: Image quality should be a positive number between 1 and 100, got {quality}")
    if isinstance(input, list):
        return [encode_jpeg(one, quality) for one in input]
    return encode("encode_jpeg", input, "JPEG", quality=quality)


def write_png(input: Tensor, filename: str | os.PathLike[str], compression_level: int = 6) -> None:
    """Write the image `input` into a PNG; see :func:`encode_png`.

    >>> import tempfile, os
    >>> import minigrad as mg
    >>> path = os.path.join(tempfile.mkdtemp(), "black.png")
    >>> write_png(mg.zeros(3, 4, 5, dtype=mg.uint8), path)
    >>> decode_image(path).shape
    minigrad.Size([3, 4, 5])
    """
    write_file(filename, encode_png(input, compression_level))


def write_jpeg(input: Tensor, filename: str | os.PathLike[str], quality: int = 75) -> None:
    """Write the image `input` into a JPEG; see :func:`encode_jpeg`.

    >>> import tempfile, os
    >>> import minigrad as mg
    >>> path = os.path.join(tempfile.mkdtemp(), "black.jpg")
    >>> write_jpeg(mg.zeros(3, 4, 5, dtype=mg.uint8), path)
    >>> decode_image(path).shape
    minigrad.Size([3, 4, 5])
    """
    write_file(filename, encode_jpeg(input, quality))
