"""Text and sequences.

Word vectors, recurrent layers, and three sizes of a GPT.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.workloads import Program, begin, classes, tensors, workload

WORDS, VECTOR, PAIRS, AROUND, NEGATIVES = 10_000, 100, 128, 4, 5


def zipf(count: int, *shape: int, seed: int = 0) -> np.ndarray:
    """Random words, frequent ones first: as often as one over their rank, as in texts."""
    share = 1 / np.arange(1, count + 1)
    return np.random.default_rng(seed).choice(count, shape, p=share / share.sum())


def cbow_batches() -> list[tuple[np.ndarray, ...]]:
    """Words around a place, the word that stands there, and words that do not."""
    return [(zipf(WORDS, PAIRS, AROUND, seed=k), zipf(WORDS, PAIRS, 1, seed=k + 10), classes(WORDS, PAIRS, NEGATIVES, seed=k))
            for k in range(4)]


@workload("CBOW, 10,000 words of 100, batch 128, 5 negatives, SGD")
def cbow(torch: Any) -> Program:
    """Word vectors by negative sampling (Mikolov et al., 2013)."""
    nn = torch.nn
    words = begin(torch, nn.ModuleList([nn.Embedding(WORDS, VECTOR), nn.Embedding(WORDS, VECTOR)]))
    optimizer = torch.optim.SGD(words.parameters(), lr=0.05)

    def step(around: Any, word: Any, others: Any) -> Any:
        inner, outer = words
        context = inner(around).mean(1).unsqueeze(2)
        right, wrong = outer(word) @ context, outer(others) @ context
        loss = -(nn.functional.logsigmoid(right).sum() + nn.functional.logsigmoid(-wrong).sum()) / PAIRS
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss
    return step, [tensors(torch, *batch) for batch in cbow_batches()]


@workload("LSTM language model, 1,000 words, width 128, 35 x 20, SGD")
def lstm(torch: Any) -> Program:
    return recurrent_language_model(torch, torch.nn.LSTM)


@workload("GRU language model, 1,000 words, width 128, 35 x 20, SGD")
def gru(torch: Any) -> Program:
    return recurrent_language_model(torch, torch.nn.GRU)


def recurrent_language_model(torch: Any, kind: Any) -> Program:
    """The next word, by one recurrent layer; gradients are clipped."""
    nn, words, width, length, batch = torch.nn, 1000, 128, 35, 20
    model = begin(torch, nn.ModuleList([nn.Embedding(words, width), kind(width, width), nn.Linear(width, words)]))
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)

    def step(text: Any) -> Any:
        embedding, recurrent, head = model
        loss = nn.functional.cross_entropy(head(recurrent(embedding(text[:-1]))[0]).flatten(0, 1), text[1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        optimizer.step()
        return loss
    return step, [tensors(torch, zipf(words, length + 1, batch, seed=k)) for k in range(4)]


LETTERS = 80
SIZES = {"small": (2, 2, 32, 16, 8), "medium": (4, 4, 128, 64, 16), "large": (6, 8, 256, 128, 4)}
"""Layers, heads, width, letters that are read, batch."""


def gpt_batches(size: str) -> list[np.ndarray]:
    """Texts of random letters, in rows that are one longer than what is read."""
    *_, length, batch = SIZES[size]
    return [zipf(LETTERS, batch, length + 1, seed=k) for k in range(4)]


def gpt(torch: Any, layers: int, heads: int, width: int, length: int) -> Any:
    """A GPT (Radford et al., 2019) that reads letters: blocks of causal attention and of two linear layers, each normalized."""
    nn, functional = torch.nn, torch.nn.functional

    class Block(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

        def forward(self, x: Any) -> Any:
            n, length, _ = x.shape
            q, k, v = self.qkv(self.norm1(x)).view(n, length, 3, heads, width // heads).permute(2, 0, 3, 1, 4).unbind(0)
            seen = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(seen.transpose(1, 2).reshape(n, length, width))
            return x + self.mlp(self.norm2(x))

    class Gpt(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.letter, self.place = nn.Embedding(LETTERS, width), nn.Embedding(length, width)
            self.blocks = nn.Sequential(*[Block() for _ in range(layers)])
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, LETTERS)

        def forward(self, text: Any) -> Any:
            places = torch.arange(text.shape[1], device=text.device)
            return self.head(self.norm(self.blocks(self.letter(text) + self.place(places))))

    return Gpt()


def language_model(torch: Any, size: str) -> Program:
    """A step of AdamW."""
    layers, heads, width, length, _ = SIZES[size]
    model = begin(torch, gpt(torch, layers, heads, width, length))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)

    def step(text: Any) -> Any:
        loss = torch.nn.functional.cross_entropy(model(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss
    return step, [tensors(torch, text) for text in gpt_batches(size)]


@workload("Small GPT, 2 layers of 32, 8 x 16 letters, AdamW")
def gpt_small(torch: Any) -> Program:
    return language_model(torch, "small")


@workload("GPT, 4 layers of 128, 16 x 64 letters, AdamW")
def gpt_medium(torch: Any) -> Program:
    return language_model(torch, "medium")


@workload("Large GPT, 6 layers of 256, 4 x 128 letters, AdamW")
def gpt_large(torch: Any) -> Program:
    return language_model(torch, "large")
