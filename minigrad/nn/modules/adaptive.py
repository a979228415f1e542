"""Classification over so many classes, or by weights so large, that linear layer and loss are better taken together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, Sequence

from minigrad.errors import InvalidValueError, RuntimeValueError, ShapeError
from minigrad.nn import functional as F
from minigrad.nn.modules.container import ModuleList, Sequential
from minigrad.nn.modules.linear import Linear
from minigrad.nn.modules.module import Module
from minigrad.ops.shaping.slicing import cat

if TYPE_CHECKING:
    from minigrad._tensor import Tensor
    from minigrad._types.annotations import DeviceLike
    from minigrad._types.dtypes import dtype

__all__ = ["AdaptiveLogSoftmaxWithLoss", "LinearCrossEntropyLoss"]


class _ASMoutput(NamedTuple):
    output: Any
    loss: Any


class AdaptiveLogSoftmaxWithLoss(Module):
    """Softmax over classes in the order of how frequent they are; the rare ones in clusters with smaller layers (Grave et al.
    2017).

    Args:
        cutoffs: where the clusters begin: the first classes up to ``cutoffs[0]`` are predicted directly.
        div_value: each cluster's inner width is `in_features` divided by one more power of it.

    Called with (N, in_features) and (N,) it returns ``(output, loss)``: the targets' log-probabilities, and minus their mean.
    """

    def __init__(self, in_features: int, n_classes: int, cutoffs: Sequence[int], div_value: float = 4.0, head_bias: bool = False,
                 device: DeviceLike | None = None, dtype: dtype | None = None) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise InvalidValueError("cutoffs should be a sequence of length larger than 0")
        inside = cutoffs[0] > 0 and cutoffs[-1] < n_classes
        if not inside or cutoffs != sorted(set(cutoffs)) or any(int(c) != c for c in cutoffs):
            raise InvalidValueError("cutoffs should be a sequence of unique, positive integers sorted in an increasing order, "
                                    "where each value is between 1 and n_classes-1")
        self.in_features, self.n_classes, self.div_value, self.head_bias = in_features, n_classes, div_value, head_bias
        self.cutoffs = [*cutoffs, n_classes]
        self.shortlist_size, self.n_clusters = cutoffs[0], len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, device=device, dtype=dtype)
        self.tail = ModuleList()
        for k, (start, end) in enumerate(self._ranges()):
            width = int(in_features // div_value ** (k + 1))
            self.tail.append(Sequential(Linear(in_features, width, bias=False, device=device, dtype=dtype),
                                        Linear(width, end - start, bias=False, device=device, dtype=dtype)))

    def _ranges(self) -> list[tuple[int, int]]:
        """The first class of each cluster, and the first after it."""
        return list(zip(self.cutoffs, self.cutoffs[1:]))

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        for module in self.modules():
            if isinstance(module, Linear):
                module.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> _ASMoutput:
        if target_.ndim > 1:
            raise ShapeError("0D or 1D target tensor expected, multi-target not supported")
        if input_.ndim != target_.ndim + 1:
            raise ShapeError(f"{target_.ndim}D target tensor expects {target_.ndim + 1}D input tensors, but found inputs with "
                             f"size {list(input_.shape)}")
        single = target_.ndim == 0
        input, target = (input_.unsqueeze(0), target_.unsqueeze(0)) if single else (input_, target_)
        if len(input) != len(target):
            raise ShapeError("Input and target should have the same size in the batch dimension.")
        classes = target.tolist()
        if classes and not 0 <= min(classes) <= max(classes) < self.n_classes:
            raise RuntimeValueError(f"Target values should be in [0, {self.n_classes - 1}], but values in range [{min(classes)}, "
                                    f"{max(classes)}] were found. ")
        column = target
        output = input.new_zeros((len(target),))
        for k, (start, end) in enumerate(self._ranges()):
            rows = ((target >= start) & (target < end)).nonzero().flatten()
            if len(rows):
                column = column.index_fill(0, rows, self.shortlist_size + k)
                inner = F.log_softmax(self.tail[k](input.index_select(0, rows)), dim=1)
                chosen = inner.gather(1, (target.index_select(0, rows) - start).unsqueeze(1)).squeeze(1)
                output = output.index_add(0, rows, chosen)
        output = output + F.log_softmax(self.head(input), dim=1).gather(1, column.unsqueeze(1)).squeeze(1)
        return _ASMoutput(output.squeeze(0) if single else output, -output.mean())

    def log_prob(self, input: Any) -> Any:
        """The log-probabilities of all classes: (N, in_features) to (N, n_classes)."""
        head = F.log_softmax(self.head(input), dim=1)
        clusters = [F.log_softmax(self.tail[k](input), dim=1) + head[:, self.shortlist_size + k].unsqueeze(1)
                    for k in range(self.n_clusters)]
        return cat([head[:, :self.shortlist_size], *clusters], dim=1)

    def predict(self, input: Any) -> Any:
        """The most probable class of each row."""
        return self.log_prob(input).argmax(dim=1)


class LinearCrossEntropyLoss(Module):
    """A :class:`Linear` layer and the cross-entropy of its result; `options` say in PyTorch how to save memory."""

    def __init__(self, in_features: int, num_classes: int, *, out_features: tuple[int, ...] = (), bias: bool = False,
                 device: DeviceLike | None = None, dtype: dtype | None = None, reduction: str = "mean", weight: Any = None,
                 ignore_index: int | None = None, label_smoothing: float = 0.0, options: Any = None) -> None:
        super().__init__()
        if weight is not None and tuple(weight.shape) != (num_classes,):
            raise ShapeError(f"expected weight shape to be {(num_classes,)}, got {tuple(weight.shape)}")
        if not 0 <= label_smoothing <= 1:
            raise RuntimeValueError(f"expected label_smoothing to be in range [0, 1], got {label_smoothing}")
        self.register_buffer("weight", weight)
        self.num_classes, self.out_features, self.reduction = num_classes, out_features, reduction
        self.ignore_index, self.label_smoothing, self.options = ignore_index, label_smoothing, options
        self.linear = Linear(in_features, math.prod(out_features, start=num_classes), bias=bias, device=device, dtype=dtype)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        shape = (self.num_classes, *self.out_features)
        weight, bias = self.linear.weight.reshape((*shape, self.linear.in_features)), self.linear.bias
        return F.linear_cross_entropy(
            input, weight, target, linear_bias=None if bias is None else bias.reshape(shape), weight=self.weight,
            reduction=self.reduction, ignore_index=self.ignore_index, label_smoothing=self.label_smoothing, options=self.options)

    def extra_repr(self) -> str:
        names = ("num_classes", "out_features", "reduction", "ignore_index", "label_smoothing", "options")
        parts = [f"{name}={getattr(self, name)}" for name in names]
        return ", ".join([f"in_features={self.linear.in_features}", *parts[:2], f"bias={self.linear.bias is not None}",
                          *parts[2:]])
