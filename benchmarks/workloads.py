"""What is timed: each workload, written for each library as its users write it.

A workload is a function of a library's name that returns a function of no arguments, one repetition, or None where the
library does not offer what it needs. All libraries get the same arrays.
"""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

Step = Callable[[], Any]
device = "cpu"  # where all of it is


def torch_like(name: str) -> Any:
    """The module, for the two libraries that share PyTorch's API."""
    if name == "minigrad":
        import minigrad
        return minigrad
    import torch
    return torch


def tensor(lib: Any, array: np.ndarray, requires_grad: bool = False) -> Any:
    return lib.from_numpy(array.copy()).to(device).requires_grad_(requires_grad)


# ---------------------------------------------------------------------------------------------- 100 chained 4x4 multiplications

LINKS = 100


def chain(name: str, other: str) -> Step | None:
    """y = y * w, a hundred times, and the gradient of sum(y). `other`: w is a parameter, a constant, or a Python number."""
    rng = np.random.default_rng(0)
    x0 = rng.uniform(0.9, 1.1, (4, 4)).astype(np.float32)
    w0 = rng.uniform(0.9, 1.1, (4, 4)).astype(np.float32)
    if name == "autograd":
        import autograd.numpy as anp
        from autograd import grad

        def total(x: Any, w: Any) -> Any:
            y = x
            for _ in range(LINKS):
                y = y * w
            return anp.sum(y)
        derivative = grad(total, (0, 1) if other == "parameter" else 0)
        w: Any = 1.01 if other == "number" else w0
        return lambda: derivative(x0, w)
    if name == "mygrad":
        import mygrad
        x = mygrad.tensor(x0)
        w = 1.01 if other == "number" else mygrad.tensor(w0, constant=other == "constant")
    else:
        lib = torch_like(name)
        x = tensor(lib, x0, True)
        w = 1.01 if other == "number" else tensor(lib, w0, other == "parameter")

    def step() -> None:
        y = x
        for _ in range(LINKS):
            y = y * w
        y.sum().backward()
    return step


# ---------------------------------------------------------------------------------------------- micrograd's MLP

def small_mlp(name: str) -> Step | None:
    """micrograd's 2-16-16-1 network on a batch of 100 points: forward, hinge loss, backward, one step of SGD."""
    rng = np.random.default_rng(0)
    x0 = rng.standard_normal((100, 2)).astype(np.float32)
    y0 = np.where(x0[:, :1] * x0[:, 1:] > 0, 1, -1).astype(np.float32)
    sizes = (2, 16, 16, 1)
    weights = [rng.standard_normal((o, i)).astype(np.float32) * (2 / i) ** 0.5 for i, o in zip(sizes, sizes[1:])]
    biases = [np.zeros(o, np.float32) for o in sizes[1:]]
    if name == "autograd":
        import autograd.numpy as anp
        from autograd import grad

        def loss_of(params: Any) -> Any:
            h = x0
            for k, (w, b) in enumerate(params):
                h = anp.dot(h, w.T) + b
                h = anp.maximum(h, 0) if k < 2 else h
            return anp.mean(anp.maximum(1 - y0 * h, 0))
        derivative = grad(loss_of)
        params = [(w.copy(), b.copy()) for w, b in zip(weights, biases)]

        def step() -> None:
            for (w, b), (dw, db) in zip(params, derivative(params)):
                w -= 0.01 * dw
                b -= 0.01 * db
        return step
    if name == "mygrad":
        import mygrad
        from mygrad.nnet.activations import relu
        ws, bs = [mygrad.tensor(w) for w in weights], [mygrad.tensor(b) for b in biases]

        def mygrad_step() -> None:
            h = x0
            for k, (w, b) in enumerate(zip(ws, bs)):
                h = mygrad.matmul(h, w.T) + b
                h = relu(h) if k < 2 else h
            relu(1 - y0 * h).mean().backward()
            for p in ws + bs:
                p.data -= 0.01 * p.grad
        return mygrad_step
    lib = torch_like(name)
    nn = lib.nn
    model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1)).to(device)
    set_parameters(lib, model, [a for pair in zip(weights, biases) for a in pair])
    optimizer = lib.optim.SGD(model.parameters(), lr=0.01)
    x, y = tensor(lib, x0), tensor(lib, y0)

    def torch_step() -> None:
        loss = (1 - y * model(x)).relu().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return torch_step


def set_parameters(lib: Any, model: Any, arrays: list[np.ndarray]) -> None:
    with lib.no_grad():
        for p, a in zip(model.parameters(), arrays):
            p.copy_(tensor(lib, a))


# ---------------------------------------------------------------------------------------------- larger networks

def classifier(name: str, build: Callable[[Any], Any], shape: tuple[int, ...]) -> Step | None:
    """Forward, cross entropy, backward and one step of Adam. Only for the libraries that have modules."""
    if name not in ("minigrad", "torch"):
        return None
    rng = np.random.default_rng(0)
    lib = torch_like(name)
    model = build(lib.nn).to(device)
    set_parameters(lib, model, [rng.standard_normal(tuple(p.shape)).astype(np.float32) * 0.05 for p in model.parameters()])
    optimizer = lib.optim.Adam(model.parameters(), lr=1e-3)
    x = tensor(lib, rng.standard_normal(shape).astype(np.float32))
    y = tensor(lib, rng.integers(0, 10, shape[0]))
    cross_entropy = lib.nn.functional.cross_entropy

    def step() -> None:
        loss = cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return step


def mlp(nn: Any) -> Any:
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10))


def lenet(nn: Any) -> Any:
    """LeNet-5 (LeCun et al., 1998) in its common modern form."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


WORKLOADS: dict[str, Callable[[str], Step | None]] = {
    "100 chained 4x4 multiplications, y = y * w": lambda name: chain(name, "parameter"),
    "  the same, w a constant": lambda name: chain(name, "constant"),
    "  the same, w = 1.01": lambda name: chain(name, "number"),
    "MLP 2-16-16-1, batch 100, SGD": small_mlp,
    "MLP 784-512-256-10, batch 128, Adam": lambda name: classifier(name, mlp, (128, 784)),
    "LeNet-5, 1x28x28, batch 64, Adam": lambda name: classifier(name, lenet, (64, 1, 28, 28)),
}
