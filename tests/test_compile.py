"""Recorded and replayed calls: the same bits as the calls themselves, and what is refused."""

from __future__ import annotations

import copy
import gc
import math
import pickle
import warnings
from typing import Any, Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.compiler.compiled import Compiled
from minigrad.nn import functional as F

STEPS = 7
Step = Callable[..., Any]
Program = tuple[Step, Callable[[int], tuple[Any, ...]], list[Any]]  # a step, its arguments, and what has a state


# ---------------------------------------------------------------------------------------------------- programs

def train(model: nn.Module, optimizer: Any, loss_of: Callable[..., Any]) -> Step:
    """The usual step."""
    def step(*batch: Any) -> Any:
        optimizer.zero_grad()
        loss = loss_of(*batch)
        loss.backward()
        optimizer.step()
        return loss
    return step


def mlp(*, make: Callable[..., Any] = optim.SGD, **settings: Any) -> Program:
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = make(model.parameters(), **settings)
    return (train(model, optimizer, lambda x, y: F.mse_loss(model(x), y)), lambda k: (mg.randn(5, 6), mg.randn(5, 1)),
            [model, optimizer])


def chain() -> Program:
    w = mg.randn(4, 4, requires_grad=True)

    def step(x: Any) -> Any:
        w.grad = None
        y = x
        for _ in range(20):
            y = y * w
        loss = y.sum()
        loss.backward()
        return loss, y.detach()
    return step, lambda k: (mg.randn(4, 4),), [w]


def scheduled_adam() -> Program:
    model = nn.Linear(4, 3)
    optimizer = optim.AdamW(model.parameters(), lr=0.01)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad(set_to_none=False)
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        scheduler.step()
        return {"loss": loss.detach(), "lr": None}
    return step, lambda k: (mg.randn(5, 4), mg.randint(0, 3, (5,))), [model, optimizer, scheduler]


def clipped() -> Program:
    model = nn.GRU(3, 4, batch_first=True)
    optimizer = optim.RMSprop(model.parameters(), lr=0.01, momentum=0.9)

    def step(x: Any) -> Any:
        optimizer.zero_grad()
        out, h = model(x)
        loss = out.square().mean() + h.abs().sum()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        return loss, norm
    return step, lambda k: (mg.randn(2, 5, 3),), [model, optimizer]


def gan() -> Program:
    g, d = nn.Linear(2, 3), nn.Sequential(nn.Linear(3, 4), nn.LeakyReLU(0.2), nn.Linear(4, 1))
    og, od = optim.Adam(g.parameters(), betas=(0.5, 0.9)), optim.Adam(d.parameters(), betas=(0.5, 0.9))

    def step(real: Any) -> Any:
        fake = g(mg.randn(4, 2))
        od.zero_grad()
        loss_d = F.softplus(-d(real)).mean() + F.softplus(d(fake.detach())).mean()
        loss_d.backward()
        od.step()
        for p in d.parameters():
            p.requires_grad_(False)
        og.zero_grad()
        loss_g = F.softplus(-d(fake)).mean()
        loss_g.backward()
        og.step()
        for p in d.parameters():
            p.requires_grad_(True)
        return loss_d, loss_g
    return step, lambda k: (mg.randn(4, 3),), [g, d, og, od]


def gradient_penalty() -> Program:
    critic = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1))
    optimizer = optim.Adam(critic.parameters(), lr=0.01)

    def step(real: Any, fake: Any) -> Any:
        optimizer.zero_grad()
        mix = mg.rand(real.shape[0], 1)
        between = (mix * real + (1 - mix) * fake).requires_grad_()
        slope, = mg.autograd.grad(critic(between).sum(), between, create_graph=True)
        penalty = ((slope.norm(2, dim=1) - 1) ** 2).mean()
        loss = critic(fake).mean() - critic(real).mean() + 10 * penalty
        loss.backward()
        optimizer.step()
        return loss, penalty.detach()
    return step, lambda k: (mg.randn(4, 3), mg.randn(4, 3)), [critic, optimizer]


def lstm() -> Program:
    embed, rnn, out = nn.Embedding(7, 4), nn.LSTM(4, 5), nn.Linear(5, 7)
    parameters = [*embed.parameters(), *rnn.parameters(), *out.parameters()]
    optimizer = optim.SGD(parameters, lr=0.1, momentum=0.9)

    def step(tokens: Any, targets: Any) -> Any:
        optimizer.zero_grad()
        states, _ = rnn(embed(tokens))
        loss = F.cross_entropy(out(states).reshape(-1, 7), targets.reshape(-1))
        loss.backward()
        optimizer.step()
        return loss
    return step, lambda k: (mg.randint(0, 7, (6, 3)), mg.randint(0, 7, (6, 3))), [embed, rnn, out, optimizer]


def dropout() -> Program:
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.3), nn.ELU(), nn.AlphaDropout(0.2), nn.Linear(8, 2))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    return train(model, optimizer, lambda x: model(x).square().sum()), lambda k: (mg.randn(3, 4),), [model, optimizer]


def batch_norm() -> Program:
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(3 * 16, 2))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    return (train(model, optimizer, lambda x, y: F.cross_entropy(model(x), y)),
            lambda k: (mg.randn(4, 1, 6, 6), mg.randint(0, 2, (4,))), [model, optimizer])


def lenet() -> Program:
    model = nn.Sequential(nn.Conv2d(1, 3, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(3, 4, 3), nn.ReLU(),
                          nn.AvgPool2d(2), nn.Flatten(), nn.Linear(4 * 4, 5), nn.LogSoftmax(1))
    optimizer = optim.Adam(model.parameters())
    return (train(model, optimizer, lambda x, y: F.nll_loss(model(x), y)),
            lambda k: (mg.randn(2, 1, 12, 12), mg.randint(0, 5, (2,))), [model, optimizer])


class Block(nn.Module):
    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(size), nn.LayerNorm(size)
        self.attend = nn.MultiheadAttention(size, heads, dropout=0.1, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(size, 2 * size), nn.GELU(), nn.Linear(2 * size, size), nn.Dropout(0.1))

    def forward(self, x: Any, mask: Any) -> Any:
        h = self.norm1(x)
        x = x + self.attend(h, h, h, attn_mask=mask, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    def __init__(self, words: int = 11, size: int = 8, length: int = 6) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(words, size), nn.Embedding(length, size)
        self.blocks = nn.ModuleList([Block(size, 2) for _ in range(2)])
        self.norm, self.head = nn.LayerNorm(size), nn.Linear(size, words, bias=False)
        self.head.weight = self.words.weight
        self.register_buffer("mask", mg.ones(length, length, dtype=mg.bool).triu(1))

    def forward(self, tokens: Any) -> Any:
        x = self.words(tokens) + self.places(mg.arange(tokens.shape[1]))
        for block in self.blocks:
            x = block(x, self.mask)
        return self.head(self.norm(x))


def gpt() -> Program:
    model = GPT()
    optimizer = optim.AdamW(model.parameters(), lr=0.01)
    return (train(model, optimizer, lambda t: F.cross_entropy(model(t[:, :-1]).flatten(0, 1), t[:, 1:].flatten())),
            lambda k: (mg.randint(0, 11, (2, 7)),), [model, optimizer])


def dqn() -> Program:
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    target = copy.deepcopy(net)
    optimizer = optim.Adam(net.parameters())

    def step(state: Any, action: Any, reward: Any, after: Any, done: Any) -> Any:
        q = net(state).gather(1, action[:, None]).squeeze(1)
        with mg.no_grad():
            best = reward + 0.99 * target(after).max(1).values * (1 - done)
        loss = F.smooth_l1_loss(q, best)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with mg.no_grad():
            for slow, fast in zip(target.parameters(), net.parameters()):
                slow.mul_(0.9).add_(fast, alpha=0.1)
        return loss
    return (step, lambda k: (mg.randn(6, 4), mg.randint(0, 2, (6,)), mg.randn(6), mg.randn(6, 4),
                             mg.randint(0, 2, (6,)).float()), [net, target, optimizer])


def accumulated() -> Program:
    w, log = mg.randn(3, requires_grad=True), mg.zeros(3)

    def step(x: Any) -> Any:
        loss = (w * x).sin().sum()
        loss.backward()
        log.add_(w.grad)
        h = mg.zeros(2, 3)
        h[0] = x
        h[1].mul_(2).add_(x)
        return loss.detach(), h, log.clone()
    return step, lambda k: (mg.randn(3),), [w, log]


def half() -> Program:
    w = mg.randn(4, 3).half().requires_grad_()

    def step(x: Any) -> Any:
        w.grad = None
        loss = (x.half() @ w).exp().sum(0).softmax(0)[1]
        loss.backward()
        with mg.no_grad():
            w.sub_(0.1 * w.grad)
        return loss
    return step, lambda k: (mg.randn(2, 4),), [w]


def several_results() -> Program:
    w = mg.randn(4, 4, dtype=mg.float64, requires_grad=True)

    def step(x: Any) -> Any:
        w.grad = None
        values, indices = (x @ w).sort(dim=1)
        top, _ = values.topk(2)
        a, b = mg.split(values, 2, dim=1)
        u, s, _ = mg.linalg.svd(x + w)
        loss = (top * a).sum() + s.sum() + mg.cat([a, b], 1)[:, ::2].prod()
        loss.backward()
        return loss, indices, mg.stack([u, x])
    return step, lambda k: (mg.randn(4, 4, dtype=mg.float64),), [w]


def regularized() -> Program:
    w, t = mg.randn(3, 4, requires_grad=True), mg.tensor(0.5)

    def step(x: Any) -> Any:
        w.grad = None
        loss = (x @ w.T).square().mean() + t * (w.T * w.T).sum() + (w.T.reshape(-1) ** 2).mean()
        loss.backward()
        with mg.no_grad():
            w.sub_(w.grad, alpha=0.1)
            t.mul_(0.9)
        return loss, w.T.detach() * 2
    return step, lambda k: (mg.randn(5, 4),), [w, t]


PROGRAMS: dict[str, Callable[[], Program]] = {
    "chain": chain, "mlp": lambda: mlp(lr=0.1), "momentum": lambda: mlp(lr=0.1, momentum=0.9, weight_decay=0.01),
    "adam": lambda: mlp(make=optim.Adam), "rprop": lambda: mlp(make=optim.Rprop), "scheduled_adam": scheduled_adam,
    "clipped": clipped, "gan": gan, "gradient_penalty": gradient_penalty, "lstm": lstm, "dropout": dropout,
    "batch_norm": batch_norm, "lenet": lenet, "gpt": gpt, "dqn": dqn, "accumulated": accumulated, "half": half,
    "regularized": regularized, "several_results": several_results}


def arrays_of(x: Any) -> list[Any]:
    """All arrays in results, and in the state of models and optimizers."""
    if isinstance(x, mg.Tensor):
        return [x.array, *([] if x.grad_fn is not None or x.grad is None else [x.grad.array])]
    if isinstance(x, (list, tuple)):
        return [a for part in x for a in arrays_of(part)]
    if isinstance(x, dict):
        return [a for part in x.values() for a in arrays_of(part)]
    if isinstance(x, nn.Module):
        return arrays_of([*x.parameters(), *x.buffers()])
    if isinstance(x, (optim.Optimizer, optim.lr_scheduler.LRScheduler)):
        return arrays_of(x.state_dict())
    return [np.asarray(x)] if isinstance(x, (int, float)) else []


def run(program: Callable[[], Program], compiled: bool, steps: int = STEPS) -> tuple[list[Any], Any]:
    """What each step gives, and all state after it, as bytes; and the function that was called."""
    mg.manual_seed(1)
    step, batch, state = program()
    function = mg.compile(step, fullgraph=True) if compiled else step
    history = []
    for k in range(steps):
        result = function(*batch(k))
        history.append([(a.dtype, a.shape, a.tobytes()) for a in arrays_of([result, state, mg.get_rng_state()])])
        requires = [t.requires_grad for t in mg.utils._pytree.tree_leaves(result) if isinstance(t, mg.Tensor)]
        history[-1] += requires
    return history, function


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_replay_gives_the_same_bits(name: str) -> None:
    expected, _ = run(PROGRAMS[name], compiled=False)
    found, function = run(PROGRAMS[name], compiled=True)
    for k, (a, b) in enumerate(zip(expected, found)):
        assert a == b, f"step {k}"
    assert len(function.recordings) == 1, function.source


# ---------------------------------------------------------------------------------------------------- gradients from outside

class Tower(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.shared, self.norm = nn.Linear(3, 4), nn.Linear(4, 4), nn.BatchNorm1d(4)

    def forward(self, x: Any) -> Any:
        h = self.shared(self.first(x).relu()).tanh()
        return self.norm(self.shared(h) + h), h


def train_from_outside(compiled: bool) -> tuple[list[Any], Any]:
    """Steps whose backward passes begin and go on outside of the module, from either result or both."""
    mg.manual_seed(2)
    model = Tower()
    call = mg.compile(model, fullgraph=True) if compiled else model
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    history = []
    for k in range(12):
        x = mg.randn(5, 3, requires_grad=True)
        a, h = call(x)
        b, _ = call(x)
        loss = a.square().sum() if k % 3 == 0 else h.sum() if k % 3 == 1 else (a * h).sum() + b.mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append([array.tobytes() for array in arrays_of([a, h, loss, x.grad, model])])
        if k == 9:
            model.eval()
    return history, call


def test_gradients_may_come_from_outside_of_a_compiled_module() -> None:
    expected, _ = train_from_outside(compiled=False)
    found, model = train_from_outside(compiled=True)
    assert expected == found
    assert len(model.dynamo_ctx.recordings) == 2  # for training and for evaluation
