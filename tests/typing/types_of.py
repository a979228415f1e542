"""What the type of each expression is, which type checkers must agree to. It runs, too, though nothing happens then."""

from collections.abc import Iterator
from typing import Any, assert_type

import numpy as np

import minigrad as mg
from minigrad import nn
from minigrad.nn import functional as F
from minigrad.utils.data import Subset, TensorDataset, random_split

x = mg.randn(3, 4)
assert_type(x, mg.Tensor)
assert_type(mg.tensor([1, 2]), mg.Tensor)
assert_type(mg.zeros((2, 3), dtype=mg.float64, device="cpu"), mg.Tensor)

# operators, methods, functions
assert_type(x + 1, mg.Tensor)
assert_type(2 - x, mg.Tensor)
assert_type(1 / (x * x), mg.Tensor)
assert_type(-x @ x.T, mg.Tensor)
assert_type(x == 1, mg.Tensor)
assert_type((x > 0) & (x < 1), mg.Tensor)
assert_type(x[0, 1:, None], mg.Tensor)
assert_type(x[x > 0], mg.Tensor)
assert_type(x.sum(), mg.Tensor)
assert_type(x.sum(0, True), mg.Tensor)
assert_type(x.sum(axis=0, keepdims=True), mg.Tensor)
assert_type(x.exp().add_(1), mg.Tensor)
assert_type(x.reshape(4, 3).permute((1, 0)), mg.Tensor)
assert_type(mg.exp(x, out=mg.empty(3, 4)), mg.Tensor)
assert_type(mg.cat([x, x], 0), mg.Tensor)
assert_type(mg.exp_(x.clone()), mg.Tensor)
assert_type(mg.where(x > 0, x, 0.0), mg.Tensor)
assert_type(mg.where(x > 0), tuple[mg.Tensor, ...])

# several results
assert_type(x.max(), mg.Tensor)
assert_type(x.max(dim=1).values, mg.Tensor)
assert_type(mg.sort(x, 0).indices, mg.Tensor)
assert_type(x.unbind(0), tuple[mg.Tensor, ...])
assert_type(x.chunk(2), tuple[mg.Tensor, ...])
assert_type(mg.linalg.svd(x).S, mg.Tensor)
assert_type(mg.linalg.qr(x)[0], mg.Tensor)
assert_type(mg.unique(x), mg.Tensor)
assert_type(mg.unique(x, return_counts=True), tuple[mg.Tensor, mg.Tensor])
assert_type(F.max_pool2d(mg.ones(1, 1, 4, 4), 2, return_indices=True), tuple[mg.Tensor, mg.Tensor])

# attributes and conversions
assert_type(x.shape, mg.Size)
assert_type(x.shape[0], int)
assert_type(x.shape[1:], mg.Size)
assert_type(x.size(0), int)
assert_type(x.std(axis=0), mg.Tensor)
assert_type(mg.max(x, axis=0).values, mg.Tensor)
assert_type(x.dtype, mg.dtype)
assert_type(x.device, mg.device)
assert_type(x.grad, mg.Tensor | None)
assert_type(x.numpy(), np.ndarray[Any, Any])
assert_type(x.to(mg.float16, copy=True), mg.Tensor)
assert_type(mg.is_tensor(x), bool)
assert_type(iter(x), Iterator[mg.Tensor])

# gradients
y = x.clone().requires_grad_()
assert_type(mg.autograd.grad(y.square().sum(), y), tuple[mg.Tensor, ...])

# modules
layer = nn.Linear(4, 5)
assert_type(layer(x), mg.Tensor)
assert_type(layer.weight, nn.Parameter)
assert_type(layer.bias, nn.Parameter | None)
assert_type(layer.to("cpu"), nn.Linear)
assert_type(nn.Sequential(layer, nn.ReLU())(x), mg.Tensor)
assert_type(nn.Sequential(layer, nn.ReLU())[0], nn.Module)
assert_type(nn.CrossEntropyLoss()(x, mg.tensor([0, 1, 2])), mg.Tensor)
assert_type(nn.LSTMCell(4, 5)(x), tuple[mg.Tensor, mg.Tensor])
assert_type(nn.Parameter(x), nn.Parameter)
assert_type(nn.Parameter(x) * 2, mg.Tensor)
assert_type(layer.parameters(), Iterator[nn.Parameter])
assert_type(layer.named_parameters(), Iterator[tuple[str, nn.Parameter]])
assert_type(layer.state_dict(), dict[str, mg.Tensor])


class Pair(nn.Module):
    """A module of the user's own is called as its forward is."""

    def forward(self, a: mg.Tensor, b: int = 1) -> tuple[mg.Tensor, int]:
        return a * b, b


assert_type(Pair()(x, b=2), tuple[mg.Tensor, int])

# data
pairs = TensorDataset(x, x)
assert_type(pairs[0], tuple[mg.Tensor, ...])
assert_type(random_split(pairs, [2, 1]), list[Subset[tuple[mg.Tensor, ...]]])
