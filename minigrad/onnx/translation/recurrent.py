"""Recurrent layers, step by step.

ONNX's own nodes would multiply the inputs by their weights too, which is an operation by itself here.
"""

from __future__ import annotations

import itertools
from typing import Any, Callable

from minigrad.errors import UnsupportedOperatorError
from minigrad.onnx.building import Builder, Operand, Tensor
from minigrad.onnx.translation.table import translates
from minigrad.onnx.varying import Varying

Step = Callable[[Tensor, list[Tensor]], tuple[list[Tensor], list[Tensor]]]


def unroll(b: Builder, x: Operand, states: tuple[Operand, ...], step: Step, batch_sizes: Any, reverse: bool) -> tuple[str, ...]:
    """The steps of a layer over the times of `x`, from the first `states` on.

    ``step(x, states)`` gives what is joined over all times, and the states after it. Returns the joined output, the last
    states, and whatever else was joined.
    """
    if any(isinstance(n, Varying) for n in (batch_sizes or x.shape[:1])):
        raise UnsupportedOperatorError(f"onnx.export: {b.where()}: it takes as many steps as the example has, so the length "
                                       "of the sequences cannot be a dynamic axis")
    sizes = [1] * x.shape[0] if batch_sizes is None else list(batch_sizes)
    inputs: list[Tensor] = list(b.node("Split", (x, b.ints(sizes)), len(sizes), axis=0))
    first = b.ints([0])
    if batch_sizes is None:
        inputs = [b("Squeeze", each, first) for each in inputs]
    steps = list(zip(inputs, batch_sizes or itertools.repeat(None)))
    state: list[Tensor] = list(states)
    given = []
    for each, n in reversed(steps) if reverse else steps:
        in_step = n is not None and n < batch_sizes[0]
        made, after = step(each, [b("Slice", h, first, b.ints([n]), first) for h in state] if in_step else state)
        rest = [b("Slice", h, b.ints([n]), b.ints([batch_sizes[0]]), first) for h in state] if in_step else []
        state = [b("Concat", *pair, axis=0) for pair in zip(after, rest)] if in_step else after
        given.append([b("Unsqueeze", part, first) for part in made] if batch_sizes is None else made)
    output, *more = [b("Concat", *parts, axis=0) for parts in zip(*(given[::-1] if reverse else given))]
    return (output, *[b("Identity", h) for h in state], *more)


def product(b: Builder, h: Tensor, weight: Operand, bias: Operand | None) -> str:
    return b("Gemm", h, weight, bias, transB=1)


def parts(b: Builder, x: Tensor, count: int, size: int) -> tuple[str, ...]:
    return b.node("Split", (x, b.ints([size] * count)), count, axis=-1)


def rnn(function: str) -> Callable[..., tuple[str, ...]]:
    """The translation of an Elman network with this function."""
    def translate(b: Builder, x: Operand, h0: Operand, weight: Operand, bias: Operand | None, *, batch_sizes: Any = None,
                  reverse: bool = False) -> tuple[str, ...]:
        def step(x: Tensor, states: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
            h: Tensor = b(function, b("Add", x, product(b, states[0], weight, bias)))
            return [h, h], [h]
        return unroll(b, x, (h0,), step, batch_sizes, reverse)
    return translate


translates("rnn_tanh_layer")(rnn("Tanh"))
translates("rnn_relu_layer")(rnn("Relu"))


@translates("gru_layer")
def gru_layer(b: Builder, x: Operand, h0: Operand, weight: Operand, bias: Operand | None, *, batch_sizes: Any = None,
              reverse: bool = False) -> tuple[str, ...]:
    size = weight.shape[1]

    def step(x: Tensor, states: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        (x_r, x_z, x_n), (r, z, m) = parts(b, x, 3, size), parts(b, product(b, states[0], weight, bias), 3, size)
        r, z = b("Sigmoid", b("Add", x_r, r)), b("Sigmoid", b("Add", x_z, z))
        n = b("Tanh", b("Add", x_n, b("Mul", r, m)))
        h: Tensor = b("Add", n, b("Mul", z, b("Sub", states[0], n)))
        return [h, h, b("Concat", n, r, z, m, axis=-1)], [h]

    return unroll(b, x, (h0,), step, batch_sizes, reverse)


@translates("lstm_layer")
def lstm_layer(b: Builder, x: Operand, h0: Operand, c0: Operand, weight: Operand, bias: Operand | None,
               projection: Operand | None, *, batch_sizes: Any = None, reverse: bool = False) -> tuple[str, ...]:
    size = c0.shape[1]

    def step(x: Tensor, states: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        i, f, n, o = parts(b, b("Add", x, product(b, states[0], weight, bias)), 4, size)
        i, f, n, o = b("Sigmoid", i), b("Sigmoid", f), b("Tanh", n), b("Sigmoid", o)
        c: Tensor = b("Add", b("Mul", f, states[1]), b("Mul", i, n))
        h: Tensor = b("Mul", o, b("Tanh", c))
        h = h if projection is None else product(b, h, projection, None)
        return [h, b("Concat", i, f, n, o, axis=-1), c], [h, c]

    return unroll(b, x, (h0, c0), step, batch_sizes, reverse)
