"""What is timed: each workload is one program, written for PyTorch, that gets the library as its argument.

A program is a function of the module ``torch``, which is PyTorch or minigrad. It returns a step and the batches that steps are
given in turn; a step returns its loss, a tensor, so that losses can be compared. Initial weights and data are made by NumPy, the
same for all. To add a workload, write such a function under ``@workload`` in a file of this folder; every file is read, and its
name is the family in which its workloads stand::

    @workload("MLP 2-16-1, batch 100")
    def perceptron(torch):
        model = begin(torch, torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1)))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

        def step(x, y):
            loss = torch.nn.functional.mse_loss(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss
        return step, [tensors(torch, noise(100, 2), noise(100, 1))]

With ``sizes`` the program is timed at each of them, and gets it as its second argument.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any, Callable, Iterable, Iterator, NamedTuple

import numpy as np

Step = Callable[..., Any]
Program = tuple[Step, list[tuple[Any, ...]]]
STEPS = ("small", "language", "images")  # families of steps of training, first in the tables; others may follow
NOT_STEPS = ("optimizers", "loaders", "growth")  # families that are no steps of training, which the means leave out

device = "cpu"  # where all of it is


class Missing(Exception):
    """A library does not offer what a workload needs; the message says what."""


class Workload(NamedTuple):
    """A program with its place in the tables."""

    name: str
    title: str
    family: str
    make: Callable[..., Program]
    sizes: tuple[int, ...] = ()
    axis: str = ""  # what the sizes count

    @property
    def is_step(self) -> bool:
        """Whether it is a step of training, which counts for the means."""
        return self.family not in NOT_STEPS


_workloads: dict[str, Workload] = {}


def workload(title: str, sizes: Iterable[int] = (), axis: str = "") -> Callable[[Callable[..., Program]], Callable[..., Program]]:
    """Declare a program as a workload, in the family that its file is."""
    def declare(make: Callable[..., Program]) -> Callable[..., Program]:
        name = make.__name__
        if name in _workloads:
            raise ValueError(f"there are two workloads called {name}")
        _workloads[name] = Workload(name, title, make.__module__.rpartition(".")[2], make, tuple(sizes), axis)
        return make
    return declare


@cache
def all_workloads() -> dict[str, Workload]:
    """Every workload of every file in this folder, by name; those of a family stand together."""
    files = {found.name for found in pkgutil.iter_modules(__path__)}
    order = [*STEPS, *sorted(files - {*STEPS, *NOT_STEPS}), *NOT_STEPS]
    for name in order:
        importlib.import_module(f"{__name__}.{name}")
    return dict(sorted(_workloads.items(), key=lambda item: order.index(item[1].family)))


# ---------------------------------------------------------------------------------------------- what programs begin with

def initial(shapes: Iterable[tuple[str, tuple[int, ...]]]) -> Iterator[np.ndarray]:
    """The initial value of each named parameter: matrices and kernels normal by the root of their fan-in, scales 1, biases 0."""
    rng = np.random.default_rng(0)
    for name, shape in shapes:
        if len(shape) > 1:
            yield rng.standard_normal(shape, np.float32) / np.float32(np.prod(shape[1:]) ** 0.5)
        else:
            yield np.full(shape, name.endswith("weight"), np.float32)


def begin(torch: Any, model: Any) -> Any:
    """The model where the workloads are computed, with the initial weights that it has in every library."""
    named = list(model.named_parameters())
    with torch.no_grad():
        for (_, parameter), value in zip(named, initial((name, tuple(p.shape)) for name, p in named)):
            parameter.copy_(torch.from_numpy(value))
    return model.to(device)


def tensors(torch: Any, *arrays: np.ndarray) -> tuple[Any, ...]:
    """The arrays as tensors where the workloads are computed."""
    return tuple([torch.from_numpy(array.copy()).to(device) for array in arrays])


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    """Normal random numbers, the same at each call."""
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def classes(count: int, *shape: int, seed: int = 0) -> np.ndarray:
    """Random classes 0 to count - 1, the same at each call."""
    return np.random.default_rng(seed).integers(0, count, shape)


def pictures(size: int, channels: int, pixels: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Noisy pictures of ten patterns, and which pattern each of them is."""
    patterns, labels = noise(10, channels, pixels, pixels, seed=1), classes(10, size, seed=seed)
    return patterns[labels] + noise(size, channels, pixels, pixels, seed=seed), labels
