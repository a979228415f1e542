"""Pictures of batches, and of what was found in images."""

from __future__ import annotations

import math
import os
import warnings
from typing import Any, BinaryIO, Sequence, TypeAlias

import minigrad as mg
from minigrad.errors import ArgumentError, InvalidValueError
from minigrad.vision._pillow import pillow
from minigrad.vision.transforms import functional as F

__all__ = ["draw_bounding_boxes", "draw_keypoints", "draw_segmentation_masks", "make_grid", "save_image"]

Color: TypeAlias = str | tuple[int, int, int]
Colors: TypeAlias = Color | list[Color]


# ---------------------------------------------------------------------------------------------------- batches

@mg.no_grad()
def make_grid(tensor: Any, nrow: int = 8, padding: int = 2, normalize: bool = False,
              value_range: tuple[float, float] | None = None, scale_each: bool = False, pad_value: float = 0.0) -> Any:
    """One image of the images of a batch, in rows.

    Args:
        tensor: (N, C, H, W), or a list of images (C, H, W); of one image, (C, H, W) or (H, W), a copy is returned. Of one channel
            three are made.
        nrow: how many images there are in a row.
        padding: how many pixels lie between images, and around them.
        normalize: bring `value_range` to 0 and 1.
        value_range: the values that become 0 and 1; the least and the largest there are, if not given.
        scale_each: for `normalize`, look for these in each image, and not in the batch.
        pad_value: the value between images.

    Returns:
        (C, height, width), of three channels at least.

    Raises:
        TypeError: for anything but tensors, or a `value_range` that is no tuple.

    >>> make_grid(mg.rand(6, 1, 28, 28), nrow=3).shape
    minigrad.Size([3, 62, 92])
    """
    if isinstance(tensor, list) and all(isinstance(image, mg.Tensor) for image in tensor):
        tensor = mg.stack(tensor)
    if not isinstance(tensor, mg.Tensor):
        raise ArgumentError(f"make_grid: tensor or list of tensors expected, got {type(tensor).__name__}")
    if value_range is not None and not isinstance(value_range, tuple):
        raise ArgumentError("make_grid: value_range has to be a tuple (min, max) if specified. min and max are numbers")
    images = tensor[None] if tensor.ndim == 2 else tensor
    images = images[None] if images.ndim == 3 else images
    if images.shape[1] == 1:
        images = images.expand(-1, 3, -1, -1)
    if normalize:
        images = mg.stack([between_0_and_1(part, value_range) for part in images]) if scale_each \
            else between_0_and_1(images, value_range)
    count, channels, height, width = images.shape
    if count == 1:
        return images[0].clone(memory_format=mg.contiguous_format)

    columns = min(nrow, count)
    rows = math.ceil(count / columns)
    grid = images.new_full((channels, rows * (height + padding) + padding, columns * (width + padding) + padding), pad_value)
    for k, image in enumerate(images):
        top, left = (place * (side + padding) + padding for place, side in zip(divmod(k, columns), (height, width)))
        grid[:, top:top + height, left:left + width] = image
    return grid


def between_0_and_1(images: Any, value_range: tuple[float, float] | None) -> Any:
    """`value_range`, or the least and the largest value, brought to 0 and 1, and what lies outside to the nearer of them."""
    low, high = (images.min().item(), images.max().item()) if value_range is None else value_range
    return (images.clamp(low, high) - low) / max(high - low, 1e-5)


@mg.no_grad()
def save_image(tensor: Any, fp: str | os.PathLike[str] | BinaryIO, format: str | None = None, **kwargs: Any) -> None:  # noqa: A002
    """Write an image of values from 0 to 1, or the grid that :func:`make_grid` makes of a batch, into a file.

    Args:
        tensor: (C, H, W), (N, C, H, W) or a list of images.
        fp: the name of the file, or a file that is open for writing bytes.
        format: as in Pillow; by the ending of the name, if not given.
        kwargs: the other arguments of :func:`make_grid`.

    >>> import io
    >>> file = io.BytesIO()
    >>> save_image(mg.rand(4, 3, 8, 8), file, format="png", nrow=2)
    >>> file.getvalue()[1:4]
    b'PNG'
    """
    grid = make_grid(tensor, **kwargs)
    pixels = (grid * 255 + 0.5).clamp(0, 255).permute(1, 2, 0).to("cpu", mg.uint8)
    pillow("Image").fromarray(pixels.contiguous().numpy()).save(fp, format=format)


# ---------------------------------------------------------------------------------------------------- what was found

def parse_colors(colors: Colors | None, count: int) -> list[tuple[int, int, int]]:
    """A colour for each of `count` things: those given, the one given, or colours that differ."""
    if colors is None:
        return [(i * (2**25 - 1) % 255, i * (2**15 - 1) % 255, i * (2**21 - 1) % 255) for i in range(count)]
    if isinstance(colors, list):
        if len(colors) < count:
            raise InvalidValueError("Number of colors must be equal or larger than the number of objects, but got "
                                    f"{len(colors)} < {count}.")
    elif isinstance(colors, str) or (isinstance(colors, tuple) and len(colors) == 3):
        colors = [colors] * count
    else:
        raise InvalidValueError(f"colors must be a tuple of three or a string, or a list thereof, but got {colors}.")
    return [pillow("ImageColor").getrgb(color) if isinstance(color, str) else color for color in colors]


def check_image(name: str, image: Any, channels: Sequence[int]) -> None:
    """Raises ``TypeError`` for what is no tensor, and ``ValueError`` for what is no image of so many channels."""
    if not isinstance(image, mg.Tensor):
        raise ArgumentError(f"{name}: the image must be a tensor, got {type(image).__name__}")
    if image.dtype != mg.uint8 and not image.is_floating_point():
        raise InvalidValueError(f"{name}: the image dtype must be uint8 or float, got {image.dtype}")
    if image.ndim != 3 or image.shape[0] not in channels:
        raise InvalidValueError(f"{name}: pass one image (C, H, W) of {' or '.join(map(str, channels))} channels, not a batch; "
                                f"got {tuple(image.shape)}")


@mg.no_grad()
def draw_bounding_boxes(image: Any, boxes: Any, labels: Sequence[str | None] | None = None, colors: Colors | None = None,
                        fill: bool | None = False, width: int = 1, font: str | None = None, font_size: int | None = None,
                        label_colors: Colors | None = None, label_background_colors: Colors | None = None,
                        fill_labels: bool = False) -> Any:
    """The image with boxes drawn on it.

    Args:
        image: (3, H, W) or (1, H, W), uint8, or floating point from 0 to 1.
        boxes: (N, 4), as ``(x1, y1, x2, y2)`` in pixels.
        labels: what to write into each box.
        colors: one colour, or one for each box: a name, ``"#rrggbb"`` or numbers from 0 to 255.
        fill: whether boxes are filled, half transparent.
        width: that of the lines.
        font, font_size: the file of a TrueType font, and its size in points.
        label_colors: colours of what is written; those of the boxes, if not given.
        label_background_colors, fill_labels: whether the ground below is filled, and with which colours.

    Returns:
        (3, H, W), of the dtype of `image`.

    Raises:
        TypeError: for an image that is no tensor.
        ValueError: for another dtype or shape, or edges in another order.

    >>> drawn = draw_bounding_boxes(mg.zeros(3, 8, 8), mg.tensor([[1, 1, 6, 6]]), colors="red")
    >>> drawn[0, :3, :3]
    tensor([[0., 0., 0.],
            [0., 1., 1.],
            [0., 1., 0.]])
    """
    check_image("draw_bounding_boxes", image, (1, 3))
    if boxes.shape[-1] != 4 or (boxes[:, :2] > boxes[:, 2:]).any():
        raise InvalidValueError("draw_bounding_boxes: Boxes need to be in (xmin, ymin, xmax, ymax) format. Use "
                                "minigrad.vision.ops.box_convert to convert them")
    count = len(boxes)
    if count == 0:
        warnings.warn("boxes doesn't contain any box. No box was drawn", stacklevel=3)
        return image
    if labels is not None and len(labels) != count:
        raise InvalidValueError(f"draw_bounding_boxes: Number of boxes ({count}) and labels ({len(labels)}) mismatch. Please "
                                "specify labels for each box.")
    if font is None and font_size is not None:
        warnings.warn("Argument 'font_size' will be ignored since 'font' is not set.", stacklevel=3)
    fonts = pillow("ImageFont")
    letters = fonts.load_default() if font is None else fonts.truetype(font=font, size=font_size or 10)
    of_boxes = parse_colors(colors, count)
    of_labels = parse_colors(label_colors or "black", count) if label_colors or fill_labels else of_boxes
    of_grounds = parse_colors(label_background_colors, count) if fill_labels and label_background_colors else of_boxes

    picture = F.to_pil_image(F.convert_image_dtype(image.expand(3, -1, -1), mg.uint8))
    draw = pillow("ImageDraw").Draw(picture, "RGBA" if fill else None)
    for i, box in enumerate(boxes.long().tolist()):
        draw.rectangle(box, width=width, outline=of_boxes[i], fill=(*of_boxes[i], 100) if fill else None)
        if labels is not None and (label := labels[i]) is not None:
            place = (box[0] + width + 1, box[1] + width + 1)
            if fill_labels:
                left, top, right, bottom = draw.textbbox(place, label, font=letters)
                draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), fill=of_grounds[i])
            draw.text(place, label, fill=of_labels[i], font=letters)
    return F.convert_image_dtype(F.pil_to_tensor(picture), image.dtype)


@mg.no_grad()
def draw_segmentation_masks(image: Any, masks: Any, alpha: float = 0.8, colors: Colors | None = None) -> Any:
    """The image with masks laid over it, black where several lie on each other.

    Args:
        image: (3, H, W), uint8, or floating point from 0 to 1.
        masks: (N, H, W) or (H, W), boolean.
        alpha: from 0, where nothing is seen of the masks, to 1, where nothing is seen of the image below.
        colors: as in :func:`draw_bounding_boxes`.

    Returns:
        (3, H, W), of the dtype of `image`.

    Raises:
        TypeError: for an image that is no tensor.
        ValueError: for another dtype or shape.

    >>> draw_segmentation_masks(mg.ones(3, 1, 2), mg.tensor([[True, False]]), alpha=0.5, colors="red")[:, 0]
    tensor([[1.0000, 1.0000],
            [0.5000, 1.0000],
            [0.5000, 1.0000]])
    """
    check_image("draw_segmentation_masks", image, (3,))
    masks = masks[None] if masks.ndim == 2 else masks
    if masks.dtype != mg.bool or masks.ndim != 3 or masks.shape[-2:] != image.shape[-2:]:
        raise InvalidValueError(f"draw_segmentation_masks: masks must be boolean, (H, W) or (N, H, W), of the height and "
                                f"width of the image; got {masks.dtype} {tuple(masks.shape)} for an image {tuple(image.shape)}")
    if len(masks) == 0:
        warnings.warn("masks doesn't contain any mask. No mask was drawn", stacklevel=3)
        return image
    over = image.detach().clone()
    for mask, color in zip(masks, parse_colors(colors, len(masks))):
        pixel = mg.tensor(color, device=image.device)
        pixel = (pixel / 255 if image.is_floating_point() else pixel).to(image.dtype)
        over = mg.where(mask, pixel[:, None, None], over)
    over = mg.where(masks.sum(0) > 1, mg.zeros((), dtype=image.dtype, device=image.device), over)
    return (image * (1 - alpha) + over * alpha).to(image.dtype)


@mg.no_grad()
def draw_keypoints(image: Any, keypoints: Any, connectivity: Sequence[tuple[int, int]] | None = None, colors: Color | None = None,
                   radius: int = 2, width: int = 3, visibility: Any = None) -> Any:
    """The image with points drawn on it, and lines between them.

    Args:
        image: (3, H, W), uint8, or floating point from 0 to 1.
        keypoints: (N, K, 2), the x and y of K points in each of N bodies.
        connectivity: pairs of points to draw a line between, in white.
        colors: the colour of all points.
        radius, width: those of points and lines.
        visibility: (N, K) or (N, K, 1), which points are drawn; all of them, if not given.

    Returns:
        (3, H, W), of the dtype of `image`.

    Raises:
        TypeError: for an image that is no tensor.
        ValueError: for another dtype or shape.

    >>> draw_keypoints(mg.zeros(3, 9, 9), mg.tensor([[[4, 4]]]), colors="blue", radius=1)[2, 3:6, 3:6].sum()
    tensor(5.)
    """
    check_image("draw_keypoints", image, (3,))
    if keypoints.ndim != 3:
        raise InvalidValueError(f"draw_keypoints: keypoints must be of shape (N, K, 2), got {tuple(keypoints.shape)}")
    seen = mg.ones(keypoints.shape[:2]) if visibility is None else visibility
    seen = seen[..., 0] if seen.ndim == 3 else seen
    if seen.shape != keypoints.shape[:2]:
        raise InvalidValueError(f"draw_keypoints: visibility must be of shape {tuple(keypoints.shape[:2])} as the keypoints are, "
                                f"got {tuple(visibility.shape)}")
    picture = F.to_pil_image(F.convert_image_dtype(image, mg.uint8))
    draw = pillow("ImageDraw").Draw(picture)
    for points, visible in zip(keypoints.long().tolist(), seen.bool().tolist()):
        for (x, y), there in zip(points, visible):
            if there:
                draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=colors, outline=None, width=0)
        for start, end in connectivity or ():
            if visible[start] and visible[end]:
                draw.line((*points[start], *points[end]), width=width)
    return F.convert_image_dtype(F.pil_to_tensor(picture), image.dtype)
