"""Small models, where the library's own overhead counts.

Chains of operations on small arrays, arithmetic written by hand, small perceptrons.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.workloads import Program, begin, classes, noise, pictures, tensors, workload

LINKS = 100
CELLS, CELL_BATCH, CELL_WIDTH = 20, 8, 16


def near_one(seed: int) -> np.ndarray:
    """A matrix whose products with itself neither vanish nor grow."""
    return np.random.default_rng(seed).uniform(0.99, 1.01, (4, 4)).astype(np.float32)


@workload("100 chained 4x4 multiplications, forward and backward")
def chain(torch: Any) -> Program:
    x, w = [t.requires_grad_() for t in tensors(torch, near_one(0), near_one(1))]

    def step() -> Any:
        x.grad = w.grad = None
        y = x
        for _ in range(LINKS):
            y = y * w
        total = y.sum()
        total.backward()
        return total
    return step, [()]


def cell_parameters() -> list[np.ndarray]:
    """The weights of a gated recurrent cell: from input and state to gate and candidate."""
    return [noise(2 * CELL_WIDTH, CELL_WIDTH, seed=k) / np.float32(4) for k in (1, 2)]


@workload("Recurrent cell by hand, 20 steps, batch 8, width 16")
def cell(torch: Any) -> Program:
    parameters = [t.requires_grad_() for t in tensors(torch, *cell_parameters())]
    optimizer = torch.optim.SGD(parameters, lr=0.1)

    def step(inputs: Any, goal: Any) -> Any:
        gates, candidates = parameters
        h = torch.zeros(CELL_BATCH, CELL_WIDTH, device=inputs.device)
        for x in inputs.unbind(0):
            both = torch.cat([x, h], 1)
            z = torch.sigmoid(both @ gates)
            h = (1 - z) * h + z * torch.tanh(both @ candidates)
        loss = ((h - goal) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss
    return step, [tensors(torch, *cell_batch())]


def cell_batch() -> tuple[np.ndarray, np.ndarray]:
    """A sequence and what the last state is to be."""
    return noise(CELLS, CELL_BATCH, CELL_WIDTH), np.tanh(noise(CELL_BATCH, CELL_WIDTH, seed=3))


def points() -> tuple[np.ndarray, np.ndarray]:
    """A hundred points in the plane; their class is the sign of the product of their coordinates."""
    x = noise(100, 2)
    return x, np.where(x[:, :1] * x[:, 1:] > 0, 1, -1).astype(np.float32)


@workload("MLP 2-16-16-1, batch 100, SGD")
def tiny_mlp(torch: Any) -> Program:
    nn = torch.nn
    model = begin(torch, nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def step(x: Any, y: Any) -> Any:
        loss = (1 - y * model(x)).relu().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss
    return step, [tensors(torch, *points())]


@workload("MLP 784-512-256-10, batch 128, Adam")
def mlp(torch: Any) -> Program:
    nn = torch.nn
    model = begin(torch, nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10)))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def step(x: Any, y: Any) -> Any:
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss
    return step, [tensors(torch, *batch) for batch in mlp_batches()]


def mlp_batches() -> list[tuple[np.ndarray, np.ndarray]]:
    """Pictures in rows, and their classes."""
    return [(x.reshape(128, 784), y) for x, y in (pictures(128, 1, 28, seed) for seed in range(4))]


@workload("DQN 4-64-64-2, batch 64, Adam, soft target")
def dqn(torch: Any) -> Program:
    """Q-learning with a network and its slow copy (Mnih et al., 2015)."""
    nn, rate = torch.nn, 0.005

    def network() -> Any:
        return begin(torch, nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)))

    online, target = network(), network()
    optimizer = torch.optim.Adam(online.parameters(), lr=1e-3)

    def step(state: Any, action: Any, reward: Any, then: Any, goes_on: Any) -> Any:
        value = online(state).gather(1, action).squeeze(1)
        with torch.no_grad():
            wanted = reward + 0.99 * goes_on * target(then).max(1).values
        loss = nn.functional.smooth_l1_loss(value, wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for slow, fast in zip(target.parameters(), online.parameters()):
                slow.mul_(1 - rate).add_(fast, alpha=rate)
        return loss
    batches = [(noise(64, 4, seed=k), classes(2, 64, 1, seed=k), noise(64, seed=k), noise(64, 4, seed=k + 9),
                (classes(10, 64, seed=k) > 0).astype(np.float32)) for k in range(4)]
    return step, [tensors(torch, *batch) for batch in batches]


@workload("Gradient penalty, critic 2-64-64-1, batch 64, Adam")
def gradient_penalty(torch: Any) -> Program:
    """The critic's step of WGAN-GP (Gulrajani et al., 2017): its loss has the gradient of the critic in it."""
    nn = torch.nn
    critic = begin(torch, nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1)))
    optimizer = torch.optim.Adam(critic.parameters(), lr=1e-3)

    def step(real: Any, made: Any, between: Any) -> Any:
        x = (between * real + (1 - between) * made).requires_grad_()
        slope, = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
        penalty = ((slope.norm(2, dim=1) - 1) ** 2).mean()
        loss = critic(made).mean() - critic(real).mean() + 10 * penalty
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss
    return step, [tensors(torch, *penalty_batch())]


def penalty_batch() -> tuple[np.ndarray, ...]:
    """Points of the data, points that were made, and where between them the slope is taken."""
    real = noise(64, 2) * np.float32(0.2) + np.float32(1)
    return real, noise(64, 2, seed=1), np.random.default_rng(2).uniform(size=(64, 1)).astype(np.float32)
