"""Models and programs that drawings are tried on."""

from __future__ import annotations

from typing import Any, Callable

import minigrad as mg
from minigrad import nn
from minigrad.nn import functional as F


class Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.qkv, self.proj, self.heads = nn.Linear(width, 3 * width), nn.Linear(width, width), heads

    def forward(self, x: Any) -> Any:
        n, t, c = x.shape
        q, k, v = self.qkv(x).view(n, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        a = (q @ k.transpose(-2, -1)) * (c // self.heads) ** -0.5
        a = a.masked_fill(mg.tril(mg.ones(t, t)) == 0, -float("inf")).softmax(-1)
        return self.proj((a @ v).transpose(1, 2).reshape(n, t, c))


class Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.ln1, self.attn, self.ln2 = nn.LayerNorm(width), Attention(width, heads), nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Any) -> Any:
        x = x + self.attn(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class GPT(nn.Module):
    def __init__(self, layers: int = 4, vocabulary: int = 17, width: int = 8, heads: int = 2, length: int = 6) -> None:
        super().__init__()
        self.tok, self.pos = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.blocks = nn.ModuleList([Block(width, heads) for _ in range(layers)])
        self.ln, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

    def forward(self, ids: Any) -> Any:
        x = self.tok(ids) + self.pos(mg.arange(ids.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.head(self.ln(x))


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)

    def forward(self, x: Any) -> Any:
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + x)


class ResNet(nn.Module):
    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, width, 3, padding=1)
        self.layers = nn.Sequential(*[Residual(width) for _ in range(3)])
        self.fc = nn.Linear(width, 3)

    def forward(self, x: Any) -> Any:
        return self.fc(self.layers(F.max_pool2d(self.stem(x), 2)).mean((2, 3)))


class Recurrent(nn.Module):
    def __init__(self, steps: int = 5) -> None:
        super().__init__()
        self.cell, self.out, self.steps = nn.LSTMCell(3, 4), nn.Linear(4, 1), steps

    def forward(self, x: Any) -> Any:
        state = None
        for t in range(self.steps):
            state = self.cell(x[t % len(x)], state)
        return self.out(state[0])


class Heads(nn.Module):
    """Equal members side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleList([nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2)) for _ in range(6)])

    def forward(self, x: Any) -> Any:
        return mg.cat([head(x) for head in self.heads], 1)


def mlp() -> tuple[Any, Any]:
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    return model, model(mg.randn(5, 3)).pow(2).mean()


def gpt() -> tuple[Any, Any]:
    model, ids = GPT(), mg.randint(0, 17, (2, 6))
    return model, F.cross_entropy(model(ids).flatten(0, 1), ids.flatten())


def resnet() -> tuple[Any, Any]:
    model = ResNet()
    return model, F.cross_entropy(model(mg.randn(2, 1, 8, 8)), mg.tensor([0, 2]))


def recurrent() -> tuple[Any, Any]:
    model = Recurrent()
    return model, model(mg.randn(5, 2, 3)).sum()


def heads() -> tuple[Any, Any]:
    model = Heads()
    return model, model(mg.randn(3, 4)).sum()


def lstm() -> tuple[Any, Any]:
    model = nn.LSTM(3, 4)
    return model, model(mg.randn(5, 2, 3))[0].sum()


def loops() -> tuple[Any, Any]:
    """Loops without modules, one in the other."""
    w, v = mg.randn(3, requires_grad=True), mg.randn(3, requires_grad=True)
    h = w
    for _ in range(4):
        for _ in range(6):
            h = (h * w + v).tanh()
        h = h - v
    return None, h.sum()


PROGRAMS: dict[str, Callable[[], tuple[Any, Any]]] = {
    f.__name__: f for f in (mlp, gpt, resnet, recurrent, heads, lstm, loops)}
