"""The optimizer of sparse gradients, for programs that list all optimizers: gradients here are dense, and Adam moves by those."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minigrad.errors import RuntimeValueError
from minigrad.optim.adam import check_adam
from minigrad.optim.optimizer import Optimizer

if TYPE_CHECKING:
    from minigrad._tensor import Tensor
    from minigrad._types.annotations import Parameters

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    """Adam for sparse gradients, which there are none of here. As PyTorch's, ``step()`` raises ``RuntimeError`` for dense ones.

    >>> from minigrad import nn, ones, optim
    >>> model = nn.Embedding(5, 2)
    >>> optimizer = optim.SparseAdam(model.parameters())
    >>> model(ones(1).long()).sum().backward()
    >>> try:
    ...     optimizer.step()
    ... except RuntimeError as error:
    ...     print(error)
    SparseAdam does not support dense gradients, please consider Adam instead
    """

    def __init__(self, params: Parameters, lr: float | Tensor = 1e-3, betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
                 eps: float = 1e-8, maximize: bool = False) -> None:
        check_adam(lr, betas, eps, 0)
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})

    def update(self, p: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        raise RuntimeValueError("SparseAdam does not support dense gradients, please consider Adam instead")
