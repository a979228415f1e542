"""What is timed: each workload, written for each library as its users write it.

A workload is a function of a library's name that returns a function of no arguments, one repetition, or None where the
library does not offer what it needs. All libraries get the same arrays. Where a repetition is a step of training that PyTorch
and minigrad both take, it returns the loss, so that the two can be compared.
"""

from __future__ import annotations

import itertools
from pathlib import Path
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

def classifier(name: str, build: Callable[[Any], Any], images: np.ndarray, labels: np.ndarray, batch: int) -> Step | None:
    """Forward, cross entropy, backward and one step of Adam. Only for the libraries that have modules."""
    if name not in ("minigrad", "torch"):
        return None
    rng = np.random.default_rng(0)
    lib = torch_like(name)
    model = build(lib.nn).to(device)
    set_parameters(lib, model, [rng.standard_normal(tuple(p.shape)).astype(np.float32) * 0.05 for p in model.parameters()])
    optimizer = lib.optim.Adam(model.parameters(), lr=1e-3)
    batches = itertools.cycle([(tensor(lib, images[start:start + batch]), tensor(lib, labels[start:start + batch]))
                               for start in range(0, len(images) - batch + 1, batch)])
    cross_entropy = lib.nn.functional.cross_entropy

    def step() -> Any:
        x, y = next(batches)
        loss = cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss
    return step


def large_mlp(name: str) -> Step | None:
    """An MLP on noise."""
    rng = np.random.default_rng(1)
    return classifier(name, mlp, rng.standard_normal((128, 784)).astype(np.float32), rng.integers(0, 10, 128), 128)


def lenet_on_digits(name: str) -> Step | None:
    """LeNet-5 on handwritten digits of 8 by 8 pixels, each of which is drawn as 3 by 3, with a margin."""
    from minigrad.datasets import digits
    images, labels = [t.numpy() for t in digits()]
    images = np.pad(images.repeat(3, axis=2).repeat(3, axis=3), ((0, 0), (0, 0), (2, 2), (2, 2)))
    return classifier(name, lenet, images, labels, 64)


def mlp(nn: Any) -> Any:
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10))


def lenet(nn: Any) -> Any:
    """LeNet-5 (LeCun et al., 1998) in its common modern form."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


# ---------------------------------------------------------------------------------------------- a small GPT

LAYERS, HEADS, WIDTH, CONTEXT, BATCH = 4, 4, 128, 64, 16


def gpt(lib: Any, letters: int) -> Any:
    """A GPT (Radford et al., 2019) that reads letters: blocks of causal attention and of two linear layers, each normalized."""
    nn, functional = lib.nn, lib.nn.functional

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
            self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
            self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

        def forward(self, x: Any) -> Any:
            n, length, _ = x.shape
            q, k, v = self.qkv(self.norm1(x)).view(n, length, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4).unbind(0)
            seen = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(seen.transpose(1, 2).reshape(n, length, WIDTH))
            return x + self.mlp(self.norm2(x))

    class Gpt(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.letter, self.place = nn.Embedding(letters, WIDTH), nn.Embedding(CONTEXT, WIDTH)
            self.blocks = nn.Sequential(*[Block() for _ in range(LAYERS)])
            self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, letters)

        def forward(self, text: Any) -> Any:
            places = lib.arange(text.shape[1], device=text.device)
            return self.head(self.norm(self.blocks(self.letter(text) + self.place(places))))

    return Gpt()


def language_model(name: str) -> Step | None:
    """One step of AdamW on the letters of this project's README. Only for the libraries that have modules."""
    if name not in ("minigrad", "torch"):
        return None
    rng = np.random.default_rng(0)
    lib = torch_like(name)
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    letters = sorted(set(text))
    numbers = np.array([letters.index(letter) for letter in text])
    windows = [rng.integers(0, len(numbers) - CONTEXT, BATCH)[:, None] + np.arange(CONTEXT + 1) for _ in range(100)]
    batches = itertools.cycle([tensor(lib, numbers[window]) for window in windows])
    model = gpt(lib, len(letters)).to(device)
    set_parameters(lib, model, [rng.standard_normal(tuple(p.shape)).astype(np.float32) * 0.02 if p.ndim > 1 else
                                np.full(tuple(p.shape), "norm" in at and "weight" in at, np.float32)
                                for at, p in model.named_parameters()])
    optimizer = lib.optim.AdamW(model.parameters(), lr=3e-4)
    cross_entropy = lib.nn.functional.cross_entropy

    def step() -> Any:
        batch = next(batches)
        loss = cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss
    return step


# ---------------------------------------------------------------------------------------------- batches of small images

class SmallImages:
    """Pictures of the size of MNIST's, each shifted, perhaps mirrored, and normalized when it is asked for, by NumPy."""

    def __init__(self, name: str, count: int) -> None:
        self.name, self.lib = name, torch_like(name)
        self.pictures = np.random.default_rng(0).integers(0, 256, (count, 28, 28), dtype=np.uint8)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, k: int) -> Any:
        down, right = divmod(k % 9, 3)
        picture = np.pad(self.pictures[k], 2)[down:down + 28, right:right + 28]
        if k % 2:
            picture = picture[:, ::-1]
        return self.lib.from_numpy(((picture / np.float32(255) - np.float32(0.1307)) / np.float32(0.3081))[None]), k % 10

    def __getstate__(self) -> Any:
        return self.name, self.pictures  # a module cannot be pickled for processes that are spawned

    def __setstate__(self, state: Any) -> None:
        self.name, self.pictures = state
        self.lib = torch_like(self.name)


def batches(name: str, workers: int, context: str | None) -> Step | None:
    """One epoch of 4096 images in batches of 64, by workers that stay."""
    if name not in ("minigrad", "torch") or context == "thread" and name == "torch":
        return None
    loader = torch_like(name).utils.data.DataLoader(SmallImages(name, 4096), 64, num_workers=workers,
                                                    multiprocessing_context=context, persistent_workers=workers > 0)

    def step() -> None:
        for _ in loader:
            pass
    return step


WORKLOADS: dict[str, Callable[[str], Step | None]] = {
    "100 chained 4x4 multiplications, y = y * w": lambda name: chain(name, "parameter"),
    "  the same, w a constant": lambda name: chain(name, "constant"),
    "  the same, w = 1.01": lambda name: chain(name, "number"),
    "MLP 2-16-16-1, batch 100, SGD": small_mlp,
    "MLP 784-512-256-10, batch 128, Adam": large_mlp,
    "LeNet-5, 1x28x28, batch 64, Adam": lenet_on_digits,
    "GPT, 4 layers of 128, 16 x 64 letters": language_model,
    "loader, 4096 images, no workers": lambda name: batches(name, 0, None),
    "loader, 2 workers, threads": lambda name: batches(name, 2, "thread"),
    "loader, 2 workers, forked": lambda name: batches(name, 2, "fork"),
    "loader, 2 workers, spawned": lambda name: batches(name, 2, "spawn"),
}
COMPARED = ("LeNet-5, 1x28x28, batch 64, Adam", "GPT, 4 layers of 128, 16 x 64 letters")
