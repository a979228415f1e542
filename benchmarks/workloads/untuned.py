"""Steps that nothing was tuned to.

They were written when everything else was measured already, and are told as they came out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.workloads import Program, begin, classes, noise, tensors, workload


@workload("VAE 784-400-20, batch 128, Adam")
def vae(torch: Any) -> Program:
    """A variational autoencoder (Kingma and Welling, 2014), whose noise is given."""
    nn, F = torch.nn, torch.nn.functional
    parts = begin(torch, nn.ModuleList([nn.Linear(784, 400), nn.Linear(400, 40), nn.Linear(20, 400), nn.Linear(400, 784)]))
    optimizer = torch.optim.Adam(parts.parameters(), lr=1e-3)

    def step(x: Any, noise: Any) -> Any:
        inward, statistics, outward, picture = parts
        mean, logvar = statistics(F.relu(inward(x))).chunk(2, dim=1)
        z = mean + noise * torch.exp(0.5 * logvar)
        likeness = F.binary_cross_entropy_with_logits(picture(F.relu(outward(z))), x, reduction="sum")
        loss = (likeness - 0.5 * torch.sum(1 + logvar - mean ** 2 - logvar.exp())) / len(x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss
    pixels = np.random.default_rng(0).random((128, 784), np.float32)
    return step, [tensors(torch, pixels, noise(128, 20))]


@workload("Dilated convolutions over 1,024 samples of sound, 32 channels, 6 layers, batch 4, Adam")
def dilated(torch: Any) -> Program:
    """Causal convolutions that look further back in each layer, with gates (van den Oord et al., 2016)."""
    nn, F = torch.nn, torch.nn.functional

    class Net(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.begin, self.end = nn.Conv1d(1, 32, 1), nn.Conv1d(32, 16, 1)
            self.layers = nn.ModuleList([nn.Conv1d(32, 64, 2, dilation=2 ** k) for k in range(6)])

        def forward(self, x: Any) -> Any:
            x = self.begin(x)
            for k, layer in enumerate(self.layers):
                value, gate = layer(F.pad(x, (2 ** k, 0))).chunk(2, dim=1)
                x = x + torch.tanh(value) * torch.sigmoid(gate)
            return self.end(F.relu(x))

    model = begin(torch, Net())
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def step(sound: Any, levels: Any) -> Any:
        loss = F.cross_entropy(model(sound), levels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss
    return step, [tensors(torch, noise(4, 1, 1024), classes(16, 4, 1024))]


@workload("Differential equation by Runge and Kutta, MLP 2-32-2, 10 steps, batch 64, RMSprop")
def neural_ode(torch: Any) -> Program:
    """A field that carries points where they are to be, differentiated through the solver (Chen et al., 2018)."""
    nn = torch.nn
    field = begin(torch, nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 2)))
    optimizer = torch.optim.RMSprop(field.parameters(), lr=1e-3)

    def step(start: Any, goal: Any) -> Any:
        x, h = start, 0.1
        for _ in range(10):
            k1 = field(x)
            k2 = field(x + h / 2 * k1)
            k3 = field(x + h / 2 * k2)
            x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + field(x + h * k3))
        loss = torch.mean((x - goal) ** 2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss
    points = noise(64, 2)
    turned = points @ np.array([[0.0, 1.0], [-1.0, 0.0]], np.float32)
    return step, [tensors(torch, points, turned)]
