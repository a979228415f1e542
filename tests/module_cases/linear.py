"""Linear layers, tables of vectors, distances, and what shares their form."""

from __future__ import annotations

import numpy as np

from tests.module_cases import Bad, ModuleCase, classes, normal

PAIR = (normal(4, 5), normal(4, 5, seed=1))


def linear(state, x):
    return x @ state["weight"].T + state["bias"]


def bilinear(state, a, b):
    return np.einsum("ni,oij,nj->no", a, state["weight"], b) + state["bias"]


def bags(reduce):
    return lambda state, x: np.stack([reduce(state["weight"][row]) for row in x])


def weighted_bags(state, x, offsets, weights):
    ends = [*offsets[1:], len(x)]
    return np.stack([(state["weight"][x[a:b]] * weights[a:b, None]).sum(0) for a, b in zip(offsets, ends)])


def cosine(a, b):
    return (a * b).sum(-1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1))


def shortened(state, x):
    """Rows that are looked up and longer than 1 are shortened to it, first."""
    rows = state["weight"][x]
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.where(length > 1, rows / (length + 1e-7), rows)


CASES = {
    "Linear": [
        ModuleCase(lambda t: t.nn.Linear(3, 4), (normal(2, 3),), linear, batch=0,
                   bad=[Bad((normal(2, 4),), RuntimeError, r"mat1 and mat2 shapes cannot be multiplied"),
                        Bad((np.arange(6).reshape(2, 3),), RuntimeError,
                            "expected 'input' and 'weight' to have the same dtype")]),
        ModuleCase(lambda t: t.nn.Linear(3, 4, bias=False), (normal(2, 2, 3),), lambda state, x: x @ state["weight"].T)],
    "Bilinear": [ModuleCase(lambda t: t.nn.Bilinear(2, 3, 4), (normal(5, 2), normal(5, 3)), bilinear, batch=0,
                            bad=[Bad((normal(5, 3), normal(5, 3)), RuntimeError, "input sizes 3 and 3 do not match weight")])],
    "Identity": [ModuleCase(lambda t: t.nn.Identity(3, unused=1), (normal(2, 3),), lambda state, x: x, batch=0,
                            bad=[Bad((), TypeError, "missing 1 required positional argument: 'input'")])],
    "Embedding": [
        ModuleCase(lambda t: t.nn.Embedding(5, 3), (classes(5, 2, 4),), lambda state, x: state["weight"][x], batch=0,
                   bad=[Bad((np.array([5]),), IndexError, "index 5 is out of bounds for dimension 0 with size 5"),
                                         Bad((normal(2),), RuntimeError, "Expected tensor for argument #1 'indices'")]),
        ModuleCase(lambda t: t.nn.Embedding(5, 3, max_norm=1.0), (np.array([0, 3, 3]),), shortened,
                   underivable="rows are shortened in place, which is no part of the derivative")],
    "EmbeddingBag": [
        ModuleCase(lambda t: t.nn.EmbeddingBag(5, 3), (classes(5, 2, 4),), bags(lambda rows: rows.mean(0)),
                   bad=[Bad((np.array([[5]]),), IndexError, "index 5 is out of bounds for dimension 0 with size 5"),
                        Bad((np.array([1, 2]),), ValueError, "offsets has to be a 1D Tensor")]),
        ModuleCase(lambda t: t.nn.EmbeddingBag(5, 3, mode="max"), (np.array([[0, 3], [2, 4]]),), bags(lambda rows: rows.max(0))),
        ModuleCase(lambda t: t.nn.EmbeddingBag(5, 3, mode="sum"), (np.array([0, 3, 2, 3]), np.array([0, 1]), normal(4)),
                   weighted_bags)],
    "CosineSimilarity": [ModuleCase(lambda t: t.nn.CosineSimilarity(dim=-1), PAIR, lambda state, a, b: cosine(a, b), batch=0,
                                    functional=lambda F, _, a, b: F.cosine_similarity(a, b, dim=-1),
                                    bad=[Bad((normal(4, 5), normal(4, 3)), RuntimeError,
                                             r"cannot be broadcast .*\(4, 5\), \(4, 3\)")])],
    "PairwiseDistance": [
        ModuleCase(lambda t: t.nn.PairwiseDistance(), PAIR, lambda state, a, b: np.linalg.norm(a - b + 1e-6, axis=-1), batch=0,
                   functional=lambda F, _, a, b: F.pairwise_distance(a, b),
                   bad=[Bad((normal(4, 5), normal(4, 3)), RuntimeError,
                            r"size of tensor a \(5\) must match the size of tensor b \(3\)")]),
        ModuleCase(lambda t: t.nn.PairwiseDistance(3.0, 0.1, True), PAIR,
                   lambda state, a, b: (np.abs(a - b + 0.1) ** 3).sum(-1, keepdims=True) ** (1 / 3))],
}
