"""Models of the kinds that people export, small, with inputs for them."""

from __future__ import annotations

import math
from typing import Any

import minigrad as mg
from minigrad import nn
from minigrad.nn import functional as F


class Speller(nn.Module):
    """An LSTM over letters, which returns its state too."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 5)
        self.lstm = nn.LSTM(5, 6, 2, batch_first=True)
        self.head = nn.Linear(6, 11)

    def forward(self, letters: Any) -> Any:
        out, state = self.lstm(self.embedding(letters))
        return self.head(out), state


class Attention(nn.Module):
    """Causal attention as minGPT and nanoGPT write it, with a buffer for the mask."""

    def __init__(self, width: int, heads: int, longest: int, fused: bool) -> None:
        super().__init__()
        self.heads, self.fused = heads, fused
        self.qkv, self.out, self.dropout = nn.Linear(width, 3 * width), nn.Linear(width, width), nn.Dropout(0.1)
        self.register_buffer("mask", mg.tril(mg.ones(longest, longest)).view(1, 1, longest, longest))

    def forward(self, x: Any) -> Any:
        b, t, c = x.size()
        q, k, v = [y.view(b, t, self.heads, c // self.heads).transpose(1, 2) for y in self.qkv(x).split(c, dim=2)]
        if self.fused:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            scores = (q @ k.transpose(-2, -1)) * (1 / math.sqrt(k.size(-1)))
            scores = scores.masked_fill(self.mask[:, :, :t, :t] == 0, -math.inf)
            y = self.dropout(scores.softmax(-1)) @ v
        return self.out(y.transpose(1, 2).contiguous().view(b, t, c))


class GPT(nn.Module):
    """Two blocks, tied weights."""

    def __init__(self, fused: bool = False, longest: int = 16) -> None:
        super().__init__()
        width, letters = 16, 13
        self.tokens, self.positions = nn.Embedding(letters, width), nn.Embedding(longest, width)
        self.attention = nn.ModuleList([Attention(width, 2, longest, fused) for _ in range(2)])
        self.mlp = nn.ModuleList([nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 32), nn.GELU(), nn.Linear(32, width))
                                  for _ in range(2)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, letters, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, text: Any) -> Any:
        x = self.tokens(text) + self.positions(mg.arange(text.shape[1]))
        for attention, mlp in zip(self.attention, self.mlp):
            x = x + attention(self.norm(x))
            x = x + mlp(x)
        return self.head(self.norm(x))


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
