"""Attention and Transformers: written out with matrix products."""

from __future__ import annotations

import numpy as np

from tests.module_cases import Bad, ModuleCase, normal

X, MEMORY = normal(2, 3, 4), normal(2, 2, 4, seed=1)
CAUSAL = np.triu(np.ones((3, 3), dtype=bool), 1)
WRONG_SIZE = "expecting embedding dimension of 4, but got 5"
SIZES = {"d_model": 4, "nhead": 2, "dim_feedforward": 5, "dropout": 0.0, "batch_first": True}


def part(state, prefix):
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def attend(state, query, key, value, hidden=None, heads=2):
    """The result, and the weights averaged over the heads. `hidden` is true where a query must not see a key."""
    size = query.shape[-1]
    q, k, v = [x @ state["in_proj_weight"][n * size:(n + 1) * size].T + state["in_proj_bias"][n * size:(n + 1) * size]
               for n, x in enumerate((query, key, value))]
    q, k, v = [x.reshape(*x.shape[:-1], heads, size // heads).swapaxes(-2, -3) for x in (q, k, v)]
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(size // heads)
    weights = softmax(np.where(hidden, -np.inf, scores) if hidden is not None else scores)
    out = (weights @ v).swapaxes(-2, -3).reshape(query.shape)
    return out @ state["out_proj.weight"].T + state["out_proj.bias"], weights.mean(-3)


def norm(state, x):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) * state["weight"] + state["bias"]


def feed(state, x):
    inner = np.maximum(x @ state["linear1.weight"].T + state["linear1.bias"], 0)
    return inner @ state["linear2.weight"].T + state["linear2.bias"]


def encoder_layer(state, x, hidden=None, first=False):
    norms = [lambda x, k=k: norm(part(state, f"norm{k}."), x) for k in (1, 2)]
    attention = part(state, "self_attn.")
    if first:
        x = x + attend(attention, *[norms[0](x)] * 3, hidden)[0]
        return x + feed(state, norms[1](x))
    x = norms[0](x + attend(attention, x, x, x, hidden)[0])
    return norms[1](x + feed(state, x))


def decoder_layer(state, x, memory, hidden=None):
    norms = [lambda x, k=k: norm(part(state, f"norm{k}."), x) for k in (1, 2, 3)]
    x = norms[0](x + attend(part(state, "self_attn."), x, x, x, hidden)[0])
    x = norms[1](x + attend(part(state, "multihead_attn."), x, memory, memory)[0])
    return norms[2](x + feed(state, x))


def depth(state):
    return 1 + max(int(name.split(".")[1]) for name in state if name.startswith("layers."))


def encoder(state, x, hidden=None):
    for k in range(depth(state)):
        x = encoder_layer(part(state, f"layers.{k}."), x, hidden)
    return norm(part(state, "norm."), x) if "norm.weight" in state else x


def decoder(state, x, memory, hidden=None):
    for k in range(depth(state)):
        x = decoder_layer(part(state, f"layers.{k}."), x, memory, hidden)
    return norm(part(state, "norm."), x) if "norm.weight" in state else x


def transformer(state, source, target):
    return decoder(part(state, "decoder."), target, encoder(part(state, "encoder."), source))


CASES = {
    "MultiheadAttention": [
        ModuleCase(lambda t: t.nn.MultiheadAttention(4, 2, batch_first=True), (X, MEMORY, MEMORY), attend, batch=0,
                   bad=[Bad((normal(2, 3, 5),) * 3, AssertionError, WRONG_SIZE)]),
        ModuleCase(lambda t: t.nn.MultiheadAttention(4, 2), (X, X, X), lambda state, *x: tuple(
            [y.swapaxes(0, 1) if k == 0 else y for k, y in enumerate(attend(state, *[z.swapaxes(0, 1) for z in x]))]))],
    "TransformerEncoderLayer": [
        ModuleCase(lambda t: t.nn.TransformerEncoderLayer(**SIZES), (X, CAUSAL), encoder_layer,
                   bad=[Bad((normal(2, 3, 5),), AssertionError, WRONG_SIZE)]),
        ModuleCase(lambda t: t.nn.TransformerEncoderLayer(**SIZES), (X,), encoder_layer, batch=0),
        ModuleCase(lambda t: t.nn.TransformerEncoderLayer(**SIZES, norm_first=True), (X,),
                   lambda state, x: encoder_layer(state, x, first=True))],
    "TransformerDecoderLayer": [ModuleCase(lambda t: t.nn.TransformerDecoderLayer(**SIZES), (X, MEMORY, CAUSAL), decoder_layer,
                                           bad=[Bad((normal(2, 3, 5), MEMORY), AssertionError, WRONG_SIZE)])],
    "TransformerEncoder": [ModuleCase(
        lambda t: t.nn.TransformerEncoder(t.nn.TransformerEncoderLayer(**SIZES), 2, t.nn.LayerNorm(4),
                                          enable_nested_tensor=False),
        (X, CAUSAL), encoder, bad=[Bad((normal(2, 3, 5),), AssertionError, WRONG_SIZE)])],
    "TransformerDecoder": [ModuleCase(
        lambda t: t.nn.TransformerDecoder(t.nn.TransformerDecoderLayer(**SIZES), 2), (X, MEMORY, CAUSAL), decoder,
        bad=[Bad((normal(2, 3, 5), MEMORY), AssertionError, WRONG_SIZE)])],
    "Transformer": [ModuleCase(
        lambda t: t.nn.Transformer(4, 2, 1, 1, 5, dropout=0.0, batch_first=True), (X, MEMORY), transformer,
        bad=[Bad((normal(2, 3, 5), MEMORY), RuntimeError, "the feature number of src and tgt must be equal to d_model"),
             Bad((X, normal(3, 2, 4)), RuntimeError, "the batch number of src and tgt must be equal")])],
}
