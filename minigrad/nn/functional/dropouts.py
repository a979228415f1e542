"""Dropout: random zeros in training, nothing otherwise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from minigrad import _arrays, random
from minigrad._types.dtypes import opmath_dtype
from minigrad.errors import InvalidValueError, ShapeError
from minigrad.ops.pointwise import arithmetic
from minigrad.recording import hints
from minigrad.recording.device_guard import on_device_of_inputs
from minigrad.recording.watching import watched

if TYPE_CHECKING:
    from minigrad._tensor import Tensor

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]


@on_device_of_inputs
def _drop(name: str, input: Tensor, p: float, training: bool, inplace: bool, shape: Any) -> Tensor:
    """`input` times a random mask of `shape`: 0 with probability `p`, else 1 / (1 - p), so that the mean stays the same."""
    _check_probability(name, p)
    if not training or p == 0:
        return input
    mask = _draw_mask(tuple(shape), input.array.dtype, input.device, p)
    return input.mul_(mask) if inplace else arithmetic.mul(input, mask)


def _check_probability(name: str, p: float) -> None:
    if not 0 <= p <= 1:
        raise InvalidValueError(f"{name}: dropout probability has to be between 0 and 1, but got {p}")


@watched
def _draw_mask(shape: tuple[int, ...], dtype: Any, device: Any, p: float) -> Any:
    """An array on `device` whose elements are 0 with probability `p`, else 1 / (1 - p)."""
    drawn, scale = random.draws_on(device).random(shape, dtype="float32"), 0 if p == 1 else 1 / (1 - p)
    mask = _arrays.kernels_of(drawn).dropout_mask(drawn, p, scale, dtype)
    return (drawn >= p).astype(dtype) * dtype.type(scale) if mask is None else mask


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Sets each element to zero with probability `p` and divides the others by ``1 - p``; without `training`, `input` itself.

    Source: Srivastava et al., Dropout, JMLR 2014. Raises ``ValueError`` for a `p` outside of [0, 1].
    """
    return _drop("dropout", input, p, training, inplace, input.shape)


def drop_features(input: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    """:func:`dropout` of whole channels of an input of any number of dimensions from 2."""
    if input.ndim < 2:
        raise ShapeError(f"feature_dropout: Feature dropout requires at least 2 dimensions in the input, got shape "
                         f"{list(input.shape)}")
    return _drop("feature_dropout", input, p, training, inplace, (*input.shape[:2], *[1] * (input.ndim - 2)))


def _drop_channels(name: str, ndim: int, input: Any, p: float, training: bool, inplace: bool) -> Tensor:
    """Dropout of whole channels; `ndim` counts batch and channel too, one less is a sample without a batch, but for
    ``dropout2d``, where it is PyTorch's older (N, C, L)."""
    _check_probability(name, p)
    if input.ndim not in (ndim - 1, ndim):
        hints.hint(f"{name}: Received a {input.ndim}-D input to {name}, which is deprecated and will result in an error "
                   "in a future release. To retain the behavior and silence this warning, please use dropout instead.")
    if ndim == 4 and input.ndim == 3:
        hints.hint("dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired - "
                   "input is interpreted as shape (N, C, L), where C is the channel dim; for that, use dropout1d")
    single = input.ndim == ndim - 1 and ndim != 4
    lead = 1 if single else min(2, input.ndim)
    return _drop(name, input, p, training, inplace, (*input.shape[:lead], *[1] * (input.ndim - lead)))


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """:func:`dropout` of whole channels of ``(N, C, L)`` or ``(C, L)``."""
    return _drop_channels("dropout1d", 3, input, p, training, inplace)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """:func:`dropout` of whole channels of ``(N, C, H, W)``."""
    return _drop_channels("dropout2d", 4, input, p, training, inplace)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """:func:`dropout` of whole channels of ``(N, C, D, H, W)`` or ``(C, D, H, W)``."""
    return _drop_channels("dropout3d", 5, input, p, training, inplace)


@on_device_of_inputs
def _alpha_drop(name: str, input: Tensor, p: float, training: bool, inplace: bool, shape: Any) -> Tensor:
    """Dropped elements take SELU's limit at minus infinity; then mean and variance are put back to 0 and 1."""
    _check_probability(name, p)
    if not training or p == 0:
        return input
    if p == 1:
        return input.mul_(0) if inplace else input * 0
    factor, shift = _draw_factor_and_shift(tuple(shape), input.array.dtype, input.device, p)
    return input.mul_(factor).add_(shift) if inplace else input * factor + shift


@watched
def _draw_factor_and_shift(shape: tuple[int, ...], dtype: Any, device: Any, p: float) -> tuple[Any, Any]:
    """Arrays on `device`: what the elements of :func:`_alpha_drop` are multiplied by, and what is added to them then."""
    alpha = 1.7580993408473766  # SELU's scale * alpha
    keep = (random.draws_on(device).random(shape, dtype="float32") >= p).astype(opmath_dtype(dtype))
    a = 1 / math.sqrt((alpha**2 * p + 1) * (1 - p))
    return (keep * a).astype(dtype, copy=False), ((keep - 1) * (alpha * a) + alpha * a * p).astype(dtype, copy=False)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout for SELU networks, which keeps mean 0 and variance 1. Source: Klambauer et al., 2017, arXiv:1706.02515."""
    return _alpha_drop("alpha_dropout", input, p, training, inplace, input.shape)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """:func:`alpha_dropout` of whole channels."""
    return _alpha_drop("feature_alpha_dropout", input, p, training, inplace, (*input.shape[:2], *[1] * (input.ndim - 2)))
