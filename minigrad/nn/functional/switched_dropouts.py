"""``minigrad.dropout(input, p, train)`` and its kind: dropout as functions of the bare namespace, which must be told `train`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minigrad.nn.functional import dropouts
from minigrad.recording.boundary import publish as _publish

if TYPE_CHECKING:
    from minigrad._tensor import Tensor

__all__ = ["alpha_dropout", "alpha_dropout_", "dropout", "dropout_", "feature_alpha_dropout", "feature_alpha_dropout_",
           "feature_dropout", "feature_dropout_"]


def dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """:func:`nn.functional.dropout`: zeros with probability `p`, in training.

    >>> import minigrad
    >>> minigrad.dropout(minigrad.ones(3), 0.5, train=False)
    tensor([1., 1., 1.])
    """
    return dropouts.dropout(input, p, train)


def dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """:func:`dropout` in place."""
    return dropouts.dropout(input, p, train, inplace=True)


def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """:func:`dropout` of whole channels, which are dimension 1.

    >>> import minigrad
    >>> minigrad.feature_dropout(minigrad.ones(1, 3), 0.5, train=False)
    tensor([[1., 1., 1.]])
    """
    return dropouts.drop_features(input, p, train, False)


def feature_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """:func:`feature_dropout` in place."""
    return dropouts.drop_features(input, p, train, True)


def alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """:func:`nn.functional.alpha_dropout`, which keeps the mean and variance of SELU networks.

    >>> import minigrad
    >>> minigrad.alpha_dropout(minigrad.ones(3), 0.5, train=False)
    tensor([1., 1., 1.])
    """
    return dropouts.alpha_dropout(input, p, train)


def alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """:func:`alpha_dropout` in place."""
    return dropouts.alpha_dropout(input, p, train, inplace=True)


def feature_alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """:func:`alpha_dropout` of whole channels.

    >>> import minigrad
    >>> minigrad.feature_alpha_dropout(minigrad.ones(1, 3), 0.5, train=False)
    tensor([[1., 1., 1.]])
    """
    return dropouts.feature_alpha_dropout(input, p, train)


def feature_alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """:func:`feature_alpha_dropout` in place."""
    return dropouts.feature_alpha_dropout(input, p, train, inplace=True)


_publish(globals(), part="")
