"""``minigrad.grid_sampler`` and its kin: :func:`~minigrad.nn.functional.grid_sample` with modes as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minigrad.errors import InvalidValueError, ShapeError
from minigrad.nn.functional.resampling import grid_sample
from minigrad.recording.boundary import publish as _publish

if TYPE_CHECKING:
    from minigrad._tensor import Tensor

__all__ = ["grid_sampler", "grid_sampler_2d", "grid_sampler_3d"]


def grid_sampler(input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool) -> Tensor:
    """:func:`grid_sample` with modes as numbers: 0 bilinear, 1 nearest, 2 bicubic; 0 zeros, 1 border, 2 reflection.

    >>> import minigrad as mg
    >>> mg.grid_sampler(mg.tensor([[[[1.0, 2.0]]]]), mg.zeros(1, 1, 1, 2), 0, 0, False)
    tensor([[[[1.5000]]]])
    """
    if input.ndim != grid.ndim:
        raise ShapeError("grid_sampler: expected input and grid to have as many dimensions, but got shapes "
                         f"{list(input.shape)} and {list(grid.shape)}")
    for name, mode in (("interpolation_mode", interpolation_mode), ("padding_mode", padding_mode)):
        if mode not in (0, 1, 2):
            raise InvalidValueError(f"grid_sampler: expected {name} to be 0, 1 or 2, but got {mode}")
    return grid_sample(input, grid, ("bilinear", "nearest", "bicubic")[interpolation_mode],
                       ("zeros", "border", "reflection")[padding_mode], align_corners)


def grid_sampler_2d(input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool) -> Tensor:
    """:func:`grid_sampler` of images, ``(N, C, H, W)``.

    >>> import minigrad as mg
    >>> mg.grid_sampler_2d(mg.tensor([[[[1.0, 2.0]]]]), mg.zeros(1, 1, 1, 2), 0, 0, False)
    tensor([[[[1.5000]]]])
    """
    if input.ndim != 4 or grid.ndim != 4:
        raise ShapeError(f"grid_sampler_2d: expected 4-D input and grid, (N, C, H, W) and (N, H, W, 2), but got shapes "
                         f"{list(input.shape)} and {list(grid.shape)}")
    return grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners)


def grid_sampler_3d(input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool) -> Tensor:
    """:func:`grid_sampler` of volumes, ``(N, C, D, H, W)``.

    >>> import minigrad as mg
    >>> mg.grid_sampler_3d(mg.tensor([[[[[1.0, 2.0]]]]]), mg.zeros(1, 1, 1, 1, 3), 0, 0, False)
    tensor([[[[[1.5000]]]]])
    """
    if input.ndim != 5 or grid.ndim != 5:
        raise ShapeError(f"grid_sampler_3d: expected 5-D input and grid, (N, C, D, H, W) and (N, D, H, W, 3), but got "
                         f"shapes {list(input.shape)} and {list(grid.shape)}")
    return grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners)


_publish(globals(), part="")
