"""How time grows with size.

Each program is timed at several sizes, and drawn as a curve.
"""

from __future__ import annotations

from typing import Any, Callable

from benchmarks.workloads import Program, begin, classes, noise, tensors, workload
from benchmarks.workloads.language import gpt

ELEMENTS = (10, 100, 1000, 10**4, 10**5, 10**6, 10**7)
DOUBLING = (16, 64, 256, 1024)


def elementwise(torch: Any, size: int, function: Callable[[Any], Any]) -> Program:
    """Forward and backward of a function of a matrix with so many elements."""
    rows = max(1, size // 100)
    x = tensors(torch, noise(rows, size // rows))[0].requires_grad_()

    def step() -> Any:
        x.grad = None
        total = function(x).sum()
        total.backward()
        return total.detach() / size
    return step, [()]


@workload("mul: x * x", ELEMENTS, "elements")
def grow_mul(torch: Any, size: int) -> Program:
    return elementwise(torch, size, lambda x: x * x)


@workload("exp", ELEMENTS, "elements")
def grow_exp(torch: Any, size: int) -> Program:
    return elementwise(torch, size, lambda x: x.exp())


@workload("gelu", ELEMENTS, "elements")
def grow_gelu(torch: Any, size: int) -> Program:
    return elementwise(torch, size, torch.nn.functional.gelu)


@workload("softmax over 100", ELEMENTS, "elements")
def grow_softmax(torch: Any, size: int) -> Program:
    return elementwise(torch, size, lambda x: x.softmax(1).square())


@workload("layer_norm over 100", ELEMENTS, "elements")
def grow_layer_norm(torch: Any, size: int) -> Program:
    return elementwise(torch, size, lambda x: torch.nn.functional.layer_norm(x, x.shape[1:]).square())


def regression(torch: Any, widths: list[int], batch: int) -> Program:
    """A perceptron of these widths that learns noise, by SGD."""
    nn = torch.nn
    layers = [layer for into, width in zip(widths, widths[1:]) for layer in (nn.Linear(into, width), nn.ReLU())][:-1]
    model = begin(torch, nn.Sequential(*layers))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def step(x: Any, y: Any) -> Any:
        loss = nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss
    return step, [tensors(torch, noise(batch, widths[0]), noise(batch, widths[-1], seed=1))]


@workload("MLP of 4 layers, batch 64", (8, 32, 128, 512, 2048), "width of the layers")
def grow_width(torch: Any, size: int) -> Program:
    return regression(torch, [size] * 5, 64)


@workload("MLP of width 32, batch 64", (1, 4, 16, 64, 256), "number of layers")
def grow_depth(torch: Any, size: int) -> Program:
    return regression(torch, [32] * (size + 1), 64)


@workload("LSTM of width 64, batch 16", (4, *DOUBLING), "length of the sequence")
def grow_lstm(torch: Any, size: int) -> Program:
    layer = begin(torch, torch.nn.LSTM(64, 64))

    def step(x: Any) -> Any:
        layer.zero_grad()
        loss = layer(x)[0].square().mean()
        loss.backward()
        return loss
    return step, [tensors(torch, noise(size, 16, 64))]


@workload("GPT, 2 layers of 64, batch 4", DOUBLING, "length of the text")
def grow_gpt(torch: Any, size: int) -> Program:
    model = begin(torch, gpt(torch, 2, 4, 64, size))

    def step(text: Any) -> Any:
        model.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten())
        loss.backward()
        return loss
    return step, [tensors(torch, classes(80, 4, size + 1))]


@workload("convolution of 32 to 32 channels, 3x3, batch 4", (4, 16, 64, 128), "pixels on a side")
def grow_convolution(torch: Any, size: int) -> Program:
    layer = begin(torch, torch.nn.Conv2d(32, 32, 3, padding=1))
    x = tensors(torch, noise(4, 32, size, size))[0].requires_grad_()

    def step() -> Any:
        layer.zero_grad()
        x.grad = None
        loss = layer(x).square().mean()
        loss.backward()
        return loss
    return step, [()]


@workload("chain of 4x4 multiplications", (1, 10, 100, 1000, 10**4, 10**5), "operations in the graph")
def grow_graph(torch: Any, size: int) -> Program:
    x, w = tensors(torch, noise(4, 4), noise(4, 4) * 0 + 1)
    w.requires_grad_()

    def step() -> Any:
        w.grad = None
        y = x
        for _ in range(size):
            y = y * w
        total = y.sum()
        total.backward()
        return total
    return step, [()]
