"""Models, data and optimizers of the comparisons, for minigrad and for PyTorch: `torch` is either."""

from __future__ import annotations

import zlib
from typing import Any, Callable

import numpy as np

BATCH, STEPS = 8, 50


def mlp(torch: Any) -> Any:
    nn = torch.nn
    return nn.Sequential(nn.Linear(12, 32), nn.Tanh(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 5))


def lenet(torch: Any) -> Any:
    nn = torch.nn
    return nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 3),
                         nn.BatchNorm2d(16), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(64, 24), nn.BatchNorm1d(24),
                         nn.ReLU(), nn.Linear(24, 5))


def lstm(torch: Any) -> Any:
    nn = torch.nn

    class Net(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.head = nn.LSTM(4, 16, batch_first=True), nn.Linear(16, 5)

        def forward(self, x: Any) -> Any:
            return self.head(self.lstm(x)[0][:, -1])
    return Net()


SHAPES = {"mlp": (12,), "lenet": (1, 12, 12), "lstm": (6, 4)}


def case(make: Callable[[Any], Any], optimizer: str, **options: Any) -> Callable[[Any], tuple[Any, Any, Any]]:
    def of(torch: Any) -> tuple[Any, Any, Any]:
        def loss(model: Any, x: Any, y: Any) -> Any:
            return torch.nn.functional.cross_entropy(model(x), y)
        return lambda: make(torch), lambda model: getattr(torch.optim, optimizer)(model.parameters(), **options), loss
    return of


CASES = {"mlp with SGD": case(mlp, "SGD", lr=0.1, momentum=0.9), "mlp with Adam": case(mlp, "Adam", lr=0.01),
         "lenet with SGD": case(lenet, "SGD", lr=0.05), "lstm with Adam": case(lstm, "Adam", lr=0.01)}


def data(name: str, step: int) -> tuple[Any, Any]:
    """Batch number `step` of a case: images or sequences, and classes."""
    rng = np.random.default_rng([step, zlib.crc32(name.encode())])
    return rng.standard_normal((BATCH, *SHAPES[name.split()[0]])), rng.integers(0, 5, BATCH)


def weights(model: Any, seed: int, torch: Any) -> None:
    """Give `model` weights that are the same in both libraries."""
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.from_numpy(rng.uniform(-0.3, 0.3, tuple(p.shape))))
