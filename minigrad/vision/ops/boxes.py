"""Boxes around objects: (x1, y1, x2, y2) are the left, upper, right and lower edge, in pixels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from minigrad import autograd
from minigrad._types import dtypes
from minigrad.errors import InvalidValueError, ShapeError
from minigrad.ops.creation import empty, from_numpy, zeros
from minigrad.ops.pointwise.comparison import maximum, minimum
from minigrad.ops.pointwise.elementary import atan
from minigrad.ops.reducing.ordering import argsort, unique
from minigrad.ops.shaping.slicing import cat, stack

if TYPE_CHECKING:
    from minigrad._tensor import Tensor

__all__ = ["batched_nms", "box_area", "box_convert", "box_iou", "clip_boxes_to_image", "complete_box_iou", "distance_box_iou",
           "generalized_box_iou", "masks_to_boxes", "nms", "remove_small_boxes"]

FORMATS = ("xyxy", "xywh", "cxcywh")


# ---------------------------------------------------------------------------------------------------- what is kept

def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Which boxes to keep: of those that overlap, the one of the highest score (non-maximum suppression).

    Args:
        boxes: (N, 4), as ``(x1, y1, x2, y2)``.
        scores: (N,).
        iou_threshold: boxes whose overlap with one that is kept is more than this share of their union are not.

    Returns:
        int64 indices, in decreasing order of scores.

    Raises:
        RuntimeError: for other shapes.
    """
    if boxes.ndim != 2 or boxes.shape[1] != 4 or scores.shape != boxes.shape[:1]:
        raise ShapeError(f"nms: boxes should be of shape (N, 4) and scores of (N,), got {tuple(boxes.shape)} and "
                         f"{tuple(scores.shape)}")
    edges, order = boxes.detach().cpu().numpy(), argsort(scores, stable=True, descending=True).cpu().numpy()
    areas = (edges[:, 2] - edges[:, 0]) * (edges[:, 3] - edges[:, 1])
    kept = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        wide, high = np.clip(np.minimum(edges[best, 2:], edges[order, 2:]) - np.maximum(edges[best, :2], edges[order, :2]),
                             0, None).T
        union = areas[best] + areas[order] - wide * high
        share = np.divide(wide * high, union, out=np.zeros(len(union), edges.dtype), where=union != 0)
        order = order[share.astype(np.float64) <= iou_threshold]
    return from_numpy(np.array(kept, dtype=np.int64)).to(boxes.device)


def batched_nms(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    """:func:`nms` in each class by itself.

    Args:
        boxes, scores, iou_threshold: as there.
        idxs: (N,), the class of each box.

    Returns:
        int64 indices, in decreasing order of scores.
    """
    if not len(boxes):
        return empty(0, dtype=dtypes.int64, device=boxes.device)
    kept = []
    for index in unique(idxs):
        members = (idxs == index).nonzero()[:, 0]
        kept.append(members[nms(boxes[members], scores[members], iou_threshold)])
    found = cat(kept)
    return found[argsort(scores[found], stable=True, descending=True)]


def remove_small_boxes(boxes: Tensor, min_size: float) -> Tensor:
    """The int64 indices of those of `boxes`, (N, 4) as ``(x1, y1, x2, y2)``, whose sides are both at least `min_size`."""
    wide, high = boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1]
    return ((wide >= min_size) & (high >= min_size)).nonzero()[:, 0]


# ---------------------------------------------------------------------------------------------------- what they are made into

def clip_boxes_to_image(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """`boxes`, (..., 4) as ``(x1, y1, x2, y2)``, without what lies outside an image of `size`, (height, width)."""
    height, width = size
    clipped = stack((boxes[..., 0::2].clamp(min=0, max=width), boxes[..., 1::2].clamp(min=0, max=height)), -1)
    return clipped.reshape(boxes.shape)


def box_convert(boxes: Tensor, in_fmt: str, out_fmt: str) -> Tensor:
    """`boxes`, (..., 4), in another format.

    Args:
        in_fmt, out_fmt: ``"xyxy"`` for the edges, ``"xywh"`` for the left and upper edge, width and height, ``"cxcywh"`` for the
            center, width and height.

    Raises:
        ValueError: for other formats.
    """
    if in_fmt not in FORMATS or out_fmt not in FORMATS:
        raise InvalidValueError(f"Unsupported Bounding Box Conversions for given in_fmt {in_fmt} and out_fmt {out_fmt}; "
                                f"there are {', '.join(FORMATS)}")
    if in_fmt == out_fmt:
        return boxes.clone()
    a, b, c, d = boxes.unbind(-1)
    if in_fmt == "xywh":
        a, b, c, d = a, b, a + c, b + d
    elif in_fmt == "cxcywh":
        a, b, c, d = a - 0.5 * c, b - 0.5 * d, a + 0.5 * c, b + 0.5 * d
    if out_fmt == "xywh":
        a, b, c, d = a, b, c - a, d - b
    elif out_fmt == "cxcywh":
        a, b, c, d = (a + c) / 2, (b + d) / 2, c - a, d - b
    return stack((a, b, c, d), -1)


def masks_to_boxes(masks: Tensor) -> Tensor:
    """The smallest boxes, (N, 4) of float32 as ``(x1, y1, x2, y2)``, around what is not zero in `masks`, (N, H, W).

    The right and lower edge are the last column and row, and all is 0 for a mask of zeros.
    """
    if masks.numel() == 0:
        return zeros((0, 4), device=masks.device)
    there = masks != 0
    edges = []
    for line in (there.any(dim=1), there.any(dim=2)):  # which columns, and which rows, are not empty
        first, last = line.to(dtypes.uint8).argmax(1), line.flip(1).to(dtypes.uint8).argmax(1)
        edges.append((first, (line.shape[1] - 1 - last) * line.any(dim=1)))
    (x1, x2), (y1, y2) = edges
    return stack((x1, y1, x2, y2), 1).float()


# ---------------------------------------------------------------------------------------------------- how much they share

def widen(x: Tensor) -> Tensor:
    """`x` in a dtype in which products of coordinates fit: at least float32 or int32."""
    if x.is_floating_point():
        return x if x.dtype in (dtypes.float32, dtypes.float64) else x.float()
    return x if x.dtype in (dtypes.int32, dtypes.int64) else x.int()


def box_area(boxes: Tensor, fmt: str = "xyxy") -> Tensor:
    """The areas of `boxes`, (..., 4) in one of the formats of :func:`box_convert`. Raises ``ValueError`` for other formats."""
    if fmt not in FORMATS:
        raise InvalidValueError(f"Unsupported Bounding Box area for given format {fmt}; there are {', '.join(FORMATS)}")
    a, b, c, d = widen(boxes).unbind(-1)
    return (c - a) * (d - b) if fmt == "xyxy" else c * d


def overlap(one: Tensor, other: Tensor, eps: float = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Of boxes that broadcast: which share of their union they have in common, the area of the union, the size of the box around
    both. `eps` is added to the area that is divided by."""
    common = widen(minimum(one[..., 2:], other[..., 2:]) - maximum(one[..., :2], other[..., :2])).clamp(min=0)
    around = widen(maximum(one[..., 2:], other[..., 2:]) - minimum(one[..., :2], other[..., :2])).clamp(min=0)
    intersection = common[..., 0] * common[..., 1]
    union = box_area(one) + box_area(other) - intersection
    return intersection / (union + eps if eps else union), union, around


def generalized_overlap(one: Tensor, other: Tensor, eps: float = 0) -> Tensor:
    """:func:`generalized_box_iou` of boxes that broadcast. `eps` is added to areas that are divided by."""
    share, union, around = overlap(one, other, eps)
    area = around[..., 0] * around[..., 1]
    return share - (area - union) / (area + eps if eps else area)


def distance_overlap(one: Tensor, other: Tensor, eps: float, union_eps: float = 0) -> tuple[Tensor, Tensor]:
    """:func:`distance_box_iou` of boxes that broadcast, and :func:`box_iou`. `eps` is added to the squared diagonal."""
    share, _, around = overlap(one, other, union_eps)
    apart = (one[..., :2] + one[..., 2:]) / 2 - (other[..., :2] + other[..., 2:]) / 2
    return share - (apart ** 2).sum(-1) / ((around ** 2).sum(-1) + eps), share


def complete_overlap(one: Tensor, other: Tensor, eps: float, union_eps: float = 0) -> Tensor:
    """:func:`complete_box_iou` of boxes that broadcast. `eps` is added to what is divided by."""
    distance, share = distance_overlap(one, other, eps, union_eps)
    slant, other_slant = (atan((x[..., 2] - x[..., 0]) / (x[..., 3] - x[..., 1])) for x in (one, other))
    ratios = 4 / math.pi ** 2 * (slant - other_slant) ** 2
    with autograd.no_grad():
        weight = ratios / (1 - share + ratios + eps)
    return distance - weight * ratios


def pairs(boxes1: Tensor, boxes2: Tensor) -> tuple[Tensor, Tensor]:
    """Views of (..., N, 4) and (..., M, 4) that broadcast to each with each."""
    return boxes1[..., :, None, :], boxes2[..., None, :, :]


def box_iou(boxes1: Tensor, boxes2: Tensor, fmt: str = "xyxy") -> Tensor:
    """For each of `boxes1`, (..., N, 4), and each of `boxes2`, (..., M, 4): which share of their union they have in common.

    Args:
        fmt: one of the formats of :func:`box_convert`.

    Returns:
        (..., N, M), in [0, 1].

    Raises:
        ValueError: for other formats.
    """
    if fmt != "xyxy":
        boxes1, boxes2 = box_convert(boxes1, fmt, "xyxy"), box_convert(boxes2, fmt, "xyxy")
    return overlap(*pairs(boxes1, boxes2))[0]


def generalized_box_iou(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """:func:`box_iou` less the share of the box around both that belongs to neither, in [-1, 1]
    (Rezatofighi et al. 2019, https://arxiv.org/abs/1902.09630)."""
    return generalized_overlap(*pairs(boxes1, boxes2))


def distance_box_iou(boxes1: Tensor, boxes2: Tensor, eps: float = 1e-7) -> Tensor:
    """:func:`box_iou` less the squared distance of the centers, over the squared diagonal of the box around both
    (Zheng et al. 2019, https://arxiv.org/abs/1911.08287); `eps` is added to the latter."""
    return distance_overlap(*pairs(widen(boxes1), widen(boxes2)), eps)[0]


def complete_box_iou(boxes1: Tensor, boxes2: Tensor, eps: float = 1e-7) -> Tensor:
    """:func:`distance_box_iou` less a term for how much the ratios of width and height differ (the same paper).

    The weight of that term is a constant to derivatives. `eps` is added to what is divided by.
    """
    return complete_overlap(*pairs(widen(boxes1), widen(boxes2)), eps)
