"""Stochastic depth (Huang et al. 2016, https://arxiv.org/abs/1603.09382): in training, a layer is left out at random."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minigrad import nn
from minigrad.errors import InvalidValueError

if TYPE_CHECKING:
    from minigrad._tensor import Tensor

__all__ = ["StochasticDepth", "stochastic_depth"]


def stochastic_depth(input: Tensor, p: float, mode: str, training: bool = True) -> Tensor:
    """`input`, of which with probability `p` all (``mode="batch"``) or each row (``mode="row"``) is 0, the rest divided by 1 - p.

    Not in training, it is `input` itself. Raises ``ValueError`` for a `p` outside [0, 1] and other modes.
    """
    if p < 0.0 or p > 1.0:
        raise InvalidValueError(f"drop probability has to be between 0 and 1, but got {p}")
    if mode not in ("batch", "row"):
        raise InvalidValueError(f"mode has to be either 'batch' or 'row', but got {mode}")
    if not training or p == 0.0:
        return input
    kept = input.new_empty([input.shape[0] if mode == "row" else 1] + [1] * (input.ndim - 1)).bernoulli_(1 - p)
    return input * (kept / (1 - p) if p < 1.0 else kept)


class StochasticDepth(nn.Module):
    """:func:`stochastic_depth` as a layer.

    Args:
        p: the probability of being left out.
        mode: ``"batch"`` for the whole batch, ``"row"`` for each row.
    """

    def __init__(self, p: float, mode: str) -> None:
        super().__init__()
        self.p, self.mode = p, mode

    def forward(self, input: Tensor) -> Tensor:
        return stochastic_depth(input, self.p, self.mode, self.training)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p}, mode={self.mode})"
