"""The workloads that can be written as functions of NumPy's arrays, for JAX, HIPS autograd and MyGrad.

These libraries have no modules, but NumPy's functions, so that here too one text serves all of them: a program is a function of
the library's NumPy and of its `grad`. It gives the parameters, the loss as a function of them and of a batch, the batches, and
how parameters move. Weights and data are those of the programs for PyTorch.
"""

from __future__ import annotations

import importlib
from typing import Any, Callable, NamedTuple

import numpy

from benchmarks.workloads import Missing, Program, initial, language, small


class Functional(NamedTuple):
    """A program of arrays and functions."""

    parameters: list[Any]
    loss: Callable[..., Any]  # of the parameters and a batch
    batches: list[tuple[Any, ...]]
    optimizer: Callable[..., Any] | None = None  # None where only gradients are asked for


def sgd(rate: float) -> Callable[..., Any]:
    """Plain descent."""
    def update(np: Any, parameters: list[Any], gradients: list[Any], state: Any) -> tuple[list[Any], Any]:
        return [p - rate * g for p, g in zip(parameters, gradients)], state
    return update


def adam(rate: float, decay: float = 0.0) -> Callable[..., Any]:
    """Adam (Kingma and Ba, 2015), with the decay of AdamW (Loshchilov and Hutter, 2019)."""
    def update(np: Any, parameters: list[Any], gradients: list[Any], state: Any) -> tuple[list[Any], Any]:
        steps, means, squares = state or (0, [0.0] * len(parameters), [0.0] * len(parameters))
        steps = steps + 1
        means = [0.9 * m + 0.1 * g for m, g in zip(means, gradients)]
        squares = [0.999 * s + 0.001 * g * g for s, g in zip(squares, gradients)]
        rates = rate / (1 - 0.9**steps)
        scale = (1 - 0.999**steps) ** 0.5
        moved = [p * (1 - rate * decay) - rates * m / (np.sqrt(s) / scale + 1e-8) for p, m, s in zip(parameters, means, squares)]
        return [p.astype(numpy.float32) for p in moved], (steps, means, squares)
    return update


def layers(*widths: int) -> list[Any]:
    """Weights and biases of linear layers, in the order of a module's parameters."""
    return list(initial([named for into, width in zip(widths, widths[1:])
                         for named in (("weight", (width, into)), ("bias", (width,)))]))


def perceptron(np: Any, parameters: Any, x: Any, function: Any) -> Any:
    """Linear layers with a function between them."""
    for k in range(0, len(parameters), 2):
        x = np.matmul(x, parameters[k].T) + parameters[k + 1]
        x = function(x) if k + 2 < len(parameters) else x
    return x


def cross_entropy(np: Any, x: Any, y: Any) -> Any:
    """The mean of minus the logarithm of the probability of class y; x is small enough not to overflow."""
    return np.mean(np.log(np.sum(np.exp(x), axis=1)) - x[numpy.arange(len(y)), y])


# ---------------------------------------------------------------------------------------------- programs, by the workload's name

def chain(np: Any, grad: Any) -> Functional:
    def loss(parameters: Any) -> Any:
        y, w = parameters
        for _ in range(small.LINKS):
            y = y * w
        return np.sum(y)
    return Functional([small.near_one(0), small.near_one(1)], loss, [()])


def cell(np: Any, grad: Any) -> Functional:
    def loss(parameters: Any, inputs: Any, goal: Any) -> Any:
        gates, candidates = parameters
        h = numpy.zeros((small.CELL_BATCH, small.CELL_WIDTH), numpy.float32)
        for x in inputs:
            both = np.concatenate([x, h], axis=1)
            z = 1 / (1 + np.exp(-np.matmul(both, gates)))
            h = (1 - z) * h + z * np.tanh(np.matmul(both, candidates))
        return np.mean((h - goal) ** 2)
    return Functional(small.cell_parameters(), loss, [small.cell_batch()], sgd(0.1))


def tiny_mlp(np: Any, grad: Any) -> Functional:
    def loss(parameters: Any, x: Any, y: Any) -> Any:
        return np.mean(np.maximum(1 - y * perceptron(np, parameters, x, lambda h: np.maximum(h, 0)), 0))
    return Functional(layers(2, 16, 16, 1), loss, [small.points()], sgd(0.01))


def mlp(np: Any, grad: Any) -> Functional:
    def loss(parameters: Any, x: Any, y: Any) -> Any:
        return cross_entropy(np, perceptron(np, parameters, x, lambda h: np.maximum(h, 0)), y)
    return Functional(layers(784, 512, 256, 10), loss, small.mlp_batches(), adam(1e-3))


def gradient_penalty(np: Any, grad: Any) -> Functional:
    if grad is None:
        raise Missing("no derivatives of derivatives")

    def critic(parameters: Any, x: Any) -> Any:
        return perceptron(np, parameters, x, np.tanh)

    slope = grad(lambda x, parameters: np.sum(critic(parameters, x)))

    def loss(parameters: Any, real: Any, made: Any, between: Any) -> Any:
        slopes = slope(between * real + (1 - between) * made, parameters)
        penalty = np.mean((np.sqrt(np.sum(slopes * slopes, axis=1)) - 1) ** 2)
        return np.mean(critic(parameters, made)) - np.mean(critic(parameters, real)) + 10 * penalty
    return Functional(layers(2, 64, 64, 1), loss, [small.penalty_batch()], adam(1e-3))


def cbow(np: Any, grad: Any) -> Functional:
    def log_sigmoid(x: Any) -> Any:
        return -np.log(1 + np.exp(-x))

    def loss(parameters: Any, around: Any, word: Any, others: Any) -> Any:
        inner, outer = parameters
        context = np.mean(inner[around], axis=1).reshape(language.PAIRS, language.VECTOR, 1)
        right, wrong = np.matmul(outer[word], context), np.matmul(outer[others], context)
        return -(np.sum(log_sigmoid(right)) + np.sum(log_sigmoid(-wrong))) / language.PAIRS
    words = initial([("weight", (language.WORDS, language.VECTOR)), ("weight", (language.WORDS, language.VECTOR))])
    return Functional(list(words), loss, list(language.cbow_batches()), sgd(0.05))


def gpt(np: Any, grad: Any, size: str) -> Functional:
    """The parameters of a block are those of its norms, of attention, of the layer after it, and of the perceptron."""
    depth, heads, width, length, batch = language.SIZES[size]
    norms = [("weight", (width,)), ("bias", (width,))]
    linear = [named for into, out in ((width, 3 * width), (width, width), (width, 4 * width), (4 * width, width))
              for named in (("weight", (out, into)), ("bias", (out,)))]
    shapes = [("weight", (language.LETTERS, width)), ("weight", (length, width)), *[*norms, *norms, *linear] * depth, *norms,
              ("weight", (language.LETTERS, width)), ("bias", (language.LETTERS,))]
    erf = error_function(np)
    hidden = numpy.triu(numpy.full((length, length), -1e9, numpy.float32), 1)

    def normalized(x: Any, scale: Any, shift: Any) -> Any:
        centred = x - np.mean(x, axis=-1, keepdims=True)
        return centred / np.sqrt(np.mean(centred * centred, axis=-1, keepdims=True) + 1e-5) * scale + shift

    def gelu(x: Any) -> Any:
        return x * 0.5 * (1 + erf(x * 0.5**0.5))

    def loss(parameters: Any, text: Any) -> Any:
        x = parameters[0][text[:, :-1]] + parameters[1]
        for k in range(2, 2 + 12 * depth, 12):
            scale1, shift1, scale2, shift2, *linear = parameters[k:k + 12]
            qkv = np.matmul(normalized(x, scale1, shift1), linear[0].T) + linear[1]
            q, k_, v = np.transpose(np.reshape(qkv, (batch, length, 3, heads, width // heads)), (2, 0, 3, 1, 4))
            scores = np.exp(np.matmul(q, np.swapaxes(k_, -1, -2)) / (width // heads) ** 0.5 + hidden)
            seen = np.matmul(scores / np.sum(scores, axis=-1, keepdims=True), v)
            x = x + np.matmul(np.reshape(np.swapaxes(seen, 1, 2), (batch, length, width)), linear[2].T) + linear[3]
            x = x + np.matmul(gelu(np.matmul(normalized(x, scale2, shift2), linear[4].T) + linear[5]), linear[6].T) + linear[7]
        x = np.matmul(normalized(x, *parameters[-4:-2]), parameters[-2].T) + parameters[-1]
        return cross_entropy(np, np.reshape(x, (batch * length, language.LETTERS)), text[:, 1:].reshape(-1))
    return Functional(list(initial(shapes)), loss, [(text,) for text in language.gpt_batches(size)], adam(3e-4, 0.01))


def error_function(np: Any) -> Any:
    """The error function, which is in the library's SciPy and not in its NumPy."""
    library = np.__name__.partition(".")[0]
    if library == "mygrad":
        raise Missing("no error function, which gelu needs")
    return importlib.import_module(f"{library}.scipy.special").erf


def gpt_small(np: Any, grad: Any) -> Functional:
    return gpt(np, grad, "small")


def gpt_medium(np: Any, grad: Any) -> Functional:
    return gpt(np, grad, "medium")


def gpt_large(np: Any, grad: Any) -> Functional:
    return gpt(np, grad, "large")


PROGRAMS = {program.__name__: program for program in (chain, cell, tiny_mlp, mlp, gradient_penalty, cbow, gpt_small, gpt_medium,
                                                      gpt_large)}


# ---------------------------------------------------------------------------------------------- a step, by library

def make(library: str, name: str) -> Program:
    """The step and the batches of a workload."""
    if name not in PROGRAMS:
        raise Missing("not written as a function of arrays")
    return {"jax": jax_step, "autograd": autograd_step, "mygrad": mygrad_step}[library](PROGRAMS[name])


def jax_step(program: Any) -> Program:
    """Gradients and optimizer in one compiled function, as JAX recommends."""
    import jax
    import jax.numpy as jnp
    parameters, loss, batches, optimizer = program(jnp, jax.grad)
    derivative = jax.value_and_grad(loss)
    state: Any = (0, [jnp.zeros_like(p) for p in parameters], [jnp.zeros_like(p) for p in parameters])
    parameters = [jnp.asarray(p) for p in parameters]

    @jax.jit
    def compute(parameters: Any, state: Any, *batch: Any) -> Any:
        value, gradients = derivative(parameters, *batch)
        return value, gradients if optimizer is None else optimizer(jnp, parameters, gradients, state)

    def step(*batch: Any) -> Any:
        nonlocal parameters, state
        value, after = compute(parameters, state, *batch)
        if optimizer is not None:
            parameters, state = after
        return jax.block_until_ready(value)
    return step, [tuple([jnp.asarray(array) for array in batch]) for batch in batches]


def autograd_step(program: Any) -> Program:
    """Gradients by HIPS autograd, the optimizer in NumPy."""
    import autograd
    import autograd.numpy as anp
    parameters, loss, batches, optimizer = program(anp, autograd.grad)
    derivative = autograd.value_and_grad(loss)
    state: Any = None

    def step(*batch: Any) -> Any:
        nonlocal parameters, state
        value, gradients = derivative(parameters, *batch)
        if optimizer is not None:
            parameters, state = optimizer(numpy, parameters, gradients, state)
        return value
    return step, batches


def mygrad_step(program: Any) -> Program:
    """Gradients by MyGrad, the optimizer in NumPy."""
    import mygrad
    arrays, loss, batches, optimizer = program(mygrad, None)
    parameters = [mygrad.tensor(array) for array in arrays]
    state: Any = None

    def step(*batch: Any) -> Any:
        nonlocal state
        value = loss(parameters, *batch)
        value.backward()
        if optimizer is not None:
            moved, state = optimizer(numpy, [p.data for p in parameters], [p.grad for p in parameters], state)
            for parameter, array in zip(parameters, moved):
                parameter.data = array
        return value
    return step, batches
