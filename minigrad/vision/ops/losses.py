"""Losses of detectors: of scores, and of pairs of boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minigrad._types import dtypes
from minigrad.errors import InvalidValueError
from minigrad.nn import functional as F
from minigrad.vision.ops.boxes import complete_overlap, distance_overlap, generalized_overlap

if TYPE_CHECKING:
    from minigrad._tensor import Tensor

__all__ = ["complete_box_iou_loss", "distance_box_iou_loss", "generalized_box_iou_loss", "sigmoid_focal_loss"]


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """The loss, its mean or its sum."""
    if reduction == "none":
        return loss
    if reduction == "mean":
        return loss.mean() if loss.numel() else 0.0 * loss.sum()
    if reduction == "sum":
        return loss.sum()
    raise InvalidValueError(f"Invalid Value for arg 'reduction': '{reduction}'. Supported reduction modes: 'none', 'mean', 'sum'")


def in_floats(boxes: Tensor) -> Tensor:
    """Boxes in float32, unless they are in float64."""
    return boxes if boxes.dtype in (dtypes.float32, dtypes.float64) else boxes.float()


def sigmoid_focal_loss(inputs: Tensor, targets: Tensor, alpha: float = 0.25, gamma: float = 2, reduction: str = "none") -> Tensor:
    """Binary cross entropy in which what is right already counts less (Lin et al. 2017, https://arxiv.org/abs/1708.02002).

    Args:
        inputs: scores, of any shape.
        targets: 0 or 1 for each.
        alpha: how much the ones count, in [0, 1]; the zeros count ``1 - alpha``. With -1 both count as they are.
        gamma: the power of ``1 - p`` by which the loss is multiplied, where p is the probability given to the target.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Raises:
        ValueError: for another `alpha` or `reduction`.
    """
    if not 0 <= alpha <= 1 and alpha != -1:
        raise InvalidValueError(f"Invalid alpha value: {alpha}. alpha must be in the range [0,1] or -1 for ignore.")
    p = inputs.sigmoid()
    right = p * targets + (1 - p) * (1 - targets)
    loss = F.binary_cross_entropy_with_logits(inputs, targets, reduction="none") * (1 - right) ** gamma
    if alpha >= 0:
        loss = (alpha * targets + (1 - alpha) * (1 - targets)) * loss
    return reduced(loss, reduction)


def generalized_box_iou_loss(boxes1: Tensor, boxes2: Tensor, reduction: str = "none", eps: float = 1e-7) -> Tensor:
    """1 less the generalized overlap of each of `boxes1`, (..., 4) as ``(x1, y1, x2, y2)``, with that of `boxes2` in its place.

    Args:
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.
        eps: added to areas that are divided by.

    Raises:
        ValueError: for another `reduction`.
    """
    return reduced(1 - generalized_overlap(in_floats(boxes1), in_floats(boxes2), eps), reduction)


def distance_box_iou_loss(boxes1: Tensor, boxes2: Tensor, reduction: str = "none", eps: float = 1e-7) -> Tensor:
    """1 less the overlap that counts distances, as in :func:`distance_box_iou`; else as :func:`generalized_box_iou_loss`."""
    return reduced(1 - distance_overlap(in_floats(boxes1), in_floats(boxes2), eps, eps)[0], reduction)


def complete_box_iou_loss(boxes1: Tensor, boxes2: Tensor, reduction: str = "none", eps: float = 1e-7) -> Tensor:
    """1 less the overlap that counts distances and ratios, as in :func:`complete_box_iou`; else as
    :func:`generalized_box_iou_loss`."""
    return reduced(1 - complete_overlap(in_floats(boxes1), in_floats(boxes2), eps, eps), reduction)
