"""How much memory a deep network takes, as a multiple of what its rules need."""

from __future__ import annotations

import tracemalloc


def peak_over_activations(depth: int = 40, width: int = 256, batch: int = 1024) -> float:
    """Peak memory of forward and backward of a deep MLP, as a multiple of the activations that its rules need: one a layer.

    Values are freed as soon as the backward pass has used them, so that the gradients take their place; above 1 are the gradients
    that are on their way and what a single operation needs for itself. The goal is 1.3.
    """
    import minigrad as mg
    model = mg.nn.Sequential(*[layer for _ in range(depth) for layer in (mg.nn.Linear(width, width), mg.nn.Tanh())])
    x = mg.randn(batch, width)
    model(x).sum().backward()  # generates the code of the operations, and loads or compiles kernels
    model.zero_grad()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        model(x).sum().backward()
        return (tracemalloc.get_traced_memory()[1] - before) / (depth * x.nbytes)
    finally:
        tracemalloc.stop()
