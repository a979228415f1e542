"""The features in regions of images, brought to one size (He et al. 2017, https://arxiv.org/abs/1703.06870; Girshick 2015)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Sequence

from minigrad import autograd, nn
from minigrad._tensor import Tensor
from minigrad.errors import InvalidValueError, ShapeError
from minigrad.ops.creation import arange, full_like
from minigrad.ops.shaping.slicing import cat, stack
from minigrad.vision.ops.boxes import box_area

if TYPE_CHECKING:
    from minigrad._types.annotations import IntOrInts

__all__ = ["MultiScaleRoIAlign", "RoIAlign", "RoIPool", "roi_align", "roi_pool"]


def as_rois(boxes: Any, name: str) -> Tensor:
    """(K, 5): the number of the image, and the box. Raises ``RuntimeError`` for other shapes."""
    if isinstance(boxes, Tensor):
        if boxes.ndim != 2 or boxes.shape[1] != 5:
            raise ShapeError(f"{name}: boxes should be of shape (K, 5): an image's number and x1, y1, x2, y2; or a list of one "
                             f"(L, 4) for each image, got {tuple(boxes.shape)}")
        return boxes
    for one in boxes:
        if one.ndim != 2 or one.shape[1] != 4:
            raise ShapeError(f"{name}: boxes of an image should be of shape (L, 4), got {tuple(one.shape)}")
    return cat([cat([full_like(one[:, :1], i), one], 1) for i, one in enumerate(boxes)])


def both(size: IntOrInts) -> tuple[int, int]:
    """Height and width."""
    return (size, size) if isinstance(size, int) else (size[0], size[-1])


# ---------------------------------------------------------------------------------------------------- RoIAlign

def roi_align(input: Tensor, boxes: Any, output_size: IntOrInts, spatial_scale: float = 1.0, sampling_ratio: int = -1,
              aligned: bool = False) -> Tensor:
    """The means of `input` over the cells of a grid in each box, of values interpolated between its elements.

    A sample is a product of a weight for each row and one for each column, so that a box takes two products of matrices.

    Args:
        input: (N, C, H, W).
        boxes: (K, 5), of an image's number and ``(x1, y1, x2, y2)``, or a list of one (L, 4) for each image.
        output_size: the height and width of the grid.
        spatial_scale: the size of `input` over that of the images in which the boxes are.
        sampling_ratio: how many samples there are in a cell in each direction; if not positive, about one for each element.
        aligned: whether the center of the element at 0 is at 0.5, as it should be; False for what was there first.

    Returns:
        (K, C, height, width). There is no gradient by the boxes.

    Raises:
        RuntimeError: for other shapes of boxes.
    """
    rois, (height, width) = as_rois(boxes, "roi_align"), both(output_size)
    with autograd.no_grad():
        edges = rois[:, 1:].to(input.dtype) * spatial_scale - (0.5 if aligned else 0.0)
        sides = edges[:, 2:] - edges[:, :2]
        if not aligned:
            sides = sides.clamp(min=1)
        rows = cell_weights(edges[:, 1], sides[:, 1], height, input.shape[2], sampling_ratio)
        columns = cell_weights(edges[:, 0], sides[:, 0], width, input.shape[3], sampling_ratio).transpose(1, 2)
    images = rois[:, 0].int().tolist()
    if not images:
        return input.new_zeros((0, input.shape[1], height, width))
    return stack([rows[k] @ input[image] @ columns[k] for k, image in enumerate(images)])


def cell_weights(start: Tensor, side: Tensor, cells: int, size: int, sampling_ratio: int) -> Tensor:
    """(K, cells, size): what each of `size` elements in a direction weighs in the mean over each cell of a box.

    A sample weighs its two neighbours by how near they are, at the edge the last one alone, and counts 0 beyond.
    """
    counts = full_like(side, sampling_ratio) if sampling_ratio > 0 else (side / cells).ceil()
    most, divisor = int(counts.max().item()) if len(counts) else 0, counts.clamp(min=1)[:, None, None]
    sample, cell = arange(most, device=start.device), arange(cells, device=start.device)
    step = side / cells
    places = (start[:, None, None] + cell[:, None] * step[:, None, None]
              + (sample + 0.5) * step[:, None, None] / divisor)  # (K, cells, samples)
    counted = (sample < counts[:, None, None]) & (places >= -1) & (places <= size)
    near = (1 - (places.clamp(0, size - 1)[..., None] - arange(size, device=start.device)).abs()).clamp(min=0)
    return (near * counted[..., None]).sum(2) / divisor


class RoIAlign(nn.Module):
    """:func:`roi_align` as a layer; the arguments are the settings there."""

    def __init__(self, output_size: IntOrInts, spatial_scale: float, sampling_ratio: int, aligned: bool = False) -> None:
        super().__init__()
        self.output_size, self.spatial_scale = output_size, spatial_scale
        self.sampling_ratio, self.aligned = sampling_ratio, aligned

    def forward(self, input: Tensor, rois: Any) -> Tensor:
        return roi_align(input, rois, self.output_size, self.spatial_scale, self.sampling_ratio, self.aligned)

    def __repr__(self) -> str:
        return (f"{type(self).__name__}(output_size={self.output_size}, spatial_scale={self.spatial_scale}, "
                f"sampling_ratio={self.sampling_ratio}, aligned={self.aligned})")


# ---------------------------------------------------------------------------------------------------- RoIPool

def roi_pool(input: Tensor, boxes: Any, output_size: IntOrInts, spatial_scale: float = 1.0) -> Tensor:
    """The maxima of `input` over the cells of a grid in each box, whose edges are rounded to elements.

    Args:
        input, boxes, output_size, spatial_scale: as in :func:`roi_align`.

    Returns:
        (K, C, height, width), 0 for cells that lie outside. There is no gradient by the boxes.

    Raises:
        RuntimeError: for other shapes of boxes.
    """
    rois, (height, width) = as_rois(boxes, "roi_pool"), both(output_size)
    pooled = []
    for image, *edges in rois.tolist():
        x1, y1, x2, y2 = (math.floor(abs(edge * spatial_scale) + 0.5) * (-1 if edge < 0 else 1) for edge in edges)
        features = input[int(image)]
        columns = stack([largest(features[:, :, part], 2) for part in cells(x1, x2, width, input.shape[3])], 2)
        pooled.append(stack([largest(columns[:, part], 1) for part in cells(y1, y2, height, input.shape[2])], 1))
    return stack(pooled) if pooled else input.new_zeros((0, input.shape[1], height, width))


def cells(start: int, end: int, count: int, size: int) -> list[slice]:
    """The elements, of `size`, in each of `count` cells from `start` to `end`; neighbours share one that both cover in part."""
    side = max(end - start + 1, 1)
    edges = [(start + i * side // count, start - (i + 1) * -side // count) for i in range(count)]
    return [slice(min(max(low, 0), size), min(max(high, 0), size)) for low, high in edges]


def largest(part: Tensor, dim: int) -> Tensor:
    """The maxima along a dimension, 0 where it has no elements."""
    return part.max(dim).values if part.shape[dim] else part.sum(dim)


class RoIPool(nn.Module):
    """:func:`roi_pool` as a layer; the arguments are the settings there."""

    def __init__(self, output_size: IntOrInts, spatial_scale: float) -> None:
        super().__init__()
        self.output_size, self.spatial_scale = output_size, spatial_scale

    def forward(self, input: Tensor, rois: Any) -> Tensor:
        return roi_pool(input, rois, self.output_size, self.spatial_scale)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(output_size={self.output_size}, spatial_scale={self.spatial_scale})"


# ---------------------------------------------------------------------------------------------------- pyramids

class MultiScaleRoIAlign(nn.Module):
    """:func:`roi_align` of features of several sizes: larger boxes are taken from smaller features
    (Lin et al. 2016, https://arxiv.org/abs/1612.03144, equation 1).

    Args:
        featmap_names: the names of the features to take boxes from, the largest first.
        output_size, sampling_ratio: as in :func:`roi_align`.
        canonical_scale: the side of a box that is taken from features ``2**canonical_level`` times smaller than the image.
        canonical_level: see there.
    """

    def __init__(self, featmap_names: Sequence[str], output_size: IntOrInts, sampling_ratio: int, *, canonical_scale: int = 224,
                 canonical_level: int = 4) -> None:
        super().__init__()
        self.featmap_names, self.output_size, self.sampling_ratio = featmap_names, both(output_size), sampling_ratio
        self.canonical_scale, self.canonical_level = canonical_scale, canonical_level

    def forward(self, x: dict[str, Tensor], boxes: Sequence[Tensor], image_shapes: Sequence[tuple[int, int]]) -> Tensor:
        """(K, C, height, width) for features by name, one (L, 4) for each image, and (height, width) of each image."""
        if not image_shapes:
            raise InvalidValueError("images list should not be empty")
        features = [feature for name, feature in x.items() if name in self.featmap_names]
        tallest = max(height for height, _ in image_shapes)
        halvings = [-round(math.log2(feature.shape[-2] / tallest)) for feature in features]
        rois = as_rois(boxes, "MultiScaleRoIAlign")
        sides = box_area(rois[:, 1:]).sqrt()
        levels = (self.canonical_level + (sides / self.canonical_scale).log2() + 1e-6).floor().clamp(halvings[0], halvings[-1])
        found = rois.new_zeros((len(rois), features[0].shape[1], *self.output_size), dtype=features[0].dtype)
        for i, (feature, halving) in enumerate(zip(features, halvings)):
            members = (levels - halvings[0] == i).nonzero()[:, 0]
            found[members] = roi_align(feature, rois[members], self.output_size, 2.0 ** -halving, self.sampling_ratio)
        return found

    def __repr__(self) -> str:
        return (f"{type(self).__name__}(featmap_names={self.featmap_names}, output_size={self.output_size}, "
                f"sampling_ratio={self.sampling_ratio})")
