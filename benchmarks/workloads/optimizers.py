"""Optimizers alone, one step over gradients that stay.

By the sizes of the parameters; what a step returns is the sum of the first parameter.
"""

from __future__ import annotations

from typing import Any

from benchmarks.workloads import Program, noise, tensors, workload

SHAPES = {"30 parameters of 16 numbers": [(16,)] * 30,
          "60 parameters of a small ResNet": [(16, 16, 3, 3), (16,), (16,), (32, 32, 3, 3), (32,), (32,)] * 10,
          "6 parameters of an MLP, 535,818 numbers": [(512, 784), (512,), (256, 512), (256,), (10, 256), (10,)],
          "4 parameters of 2,359,296 numbers": [(512, 512, 3, 3)] * 4}


def optimizer_step(torch: Any, shapes: list[tuple[int, ...]], kind: str, settings: dict[str, Any]) -> Program:
    """A step of one optimizer."""
    parameters = [torch.nn.Parameter(t) for t in tensors(torch, *[noise(*shape, seed=k) for k, shape in enumerate(shapes)])]
    for parameter, gradient in zip(parameters, tensors(torch, *[noise(*shape, seed=k + 1) for k, shape in enumerate(shapes)])):
        parameter.grad = gradient
    optimizer = getattr(torch.optim, kind)(parameters, **settings)

    def step() -> Any:
        optimizer.step()
        return parameters[0].detach().sum()
    return step, [()]


def declare(kind: str, settings: dict[str, Any], words: str) -> None:
    """A workload for each table of shapes."""
    for k, (title, shapes) in enumerate(SHAPES.items()):
        def make(torch: Any, shapes: list[tuple[int, ...]] = shapes) -> Program:
            return optimizer_step(torch, shapes, kind, settings)
        make.__name__ = f"{kind.lower()}_{k + 1}"
        workload(f"{words}, {title}")(make)


declare("SGD", {"lr": 1e-3, "momentum": 0.9}, "SGD with momentum")
declare("Adam", {"lr": 1e-3}, "Adam")
declare("AdamW", {"lr": 1e-3}, "AdamW")
