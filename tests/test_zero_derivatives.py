"""Second derivatives that are zero exist: what PyTorch gives as zeros is no error and no None."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from tests import checks
from tests.op_cases import OpCase
from tests.test_op_table import NAMES, REGISTRY, WITH_RULES, for_samples

ONE_RESULT = [name for name in WITH_RULES if not REGISTRY[name].info.outputs and not REGISTRY[name].info.variadic]


def gradients(lib: Any, call: Any, inputs: list[Any]) -> Any:
    """The gradients of what `call` gives, weighted by fixed numbers, with a graph; and what they are weighted to."""
    results = call(*inputs)
    results = [y for y in (results if isinstance(results, (tuple, list)) else [results]) if y.requires_grad]
    weights = [lib.tensor(np.random.default_rng(0).uniform(1, 2, tuple(y.shape))).to(y.dtype) for y in results]
    return lib.autograd.grad(results, inputs, weights, create_graph=True, allow_unused=True)


@pytest.mark.parametrize("name", ONE_RESULT)
def test_a_gradient_depends_on_everything_that_its_rule_names(name: str) -> None:
    def check(op: Any, case: OpCase, sample: Any) -> None:
        args, settings = sample
        info = op.info
        where = {a: k for k, a in enumerate(info.arguments) if args[k] is not None and checks.is_float(args[k])
                 and a in info.rules}
        tensors = [checks.tensor_of(a, info.arguments[k] in where) for k, a in enumerate(args)]
        case.setup()
        out = op(*tensors, **settings)
        if not out.requires_grad:  # as that of a cast to integers
            return
        live = [tensors[k] for k in where.values()]
        firsts = mg.autograd.grad(out, live, mg.ones_like(out), create_graph=True, allow_unused=True)
        for argument, first in zip(where, firsts):
            if first is None:
                continue
            named = info.arguments if info.connected or "out" in info.needs[argument] else info.needs[argument]
            for other in [tensors[where[n]] for n in named if n in where]:
                assert first.requires_grad, f"the gradient of {argument}, {checks.described(op, args, settings)}, has no graph"
                second, = mg.autograd.grad(first, other, mg.ones_like(first), retain_graph=True, allow_unused=True)
                assert second is not None, f"the gradient of {argument}, {checks.described(op, args, settings)}, leads nowhere"

    for_samples(name, check)


PIECES = {
    "relu": nn.functional.relu, "leaky_relu": nn.functional.leaky_relu, "hardtanh": nn.functional.hardtanh, "abs": mg.abs,
    "max_pool2d": lambda x: nn.functional.max_pool2d(x, 2), "avg_pool2d": lambda x: nn.functional.avg_pool2d(x, 2),
    "conv2d": lambda x: nn.functional.conv2d(x, mg.ones(1, 1, 2, 2)), "max": lambda x: x.max(),
    "nll_loss": lambda x: nn.functional.nll_loss(x[0, 0], mg.tensor([0, 1, 0, 1])), "clamp": lambda x: x.clamp(-1, 1)}


@pytest.mark.parametrize("call", PIECES.values(), ids=PIECES)
def test_the_second_derivative_of_what_is_linear_in_pieces(call: Any) -> None:
    x = mg.arange(16.0).sub(7.5).reshape(1, 1, 4, 4).requires_grad_()
    first, = mg.autograd.grad(call(x).sum(), x, create_graph=True)
    second, = mg.autograd.grad(first.sum(), x)
    assert second.shape == x.shape
    assert second.abs().max() == 0


def test_a_network_of_pieces_has_second_derivatives() -> None:
    """As where the residual of an equation is differentiated."""
    mg.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 1))
    x = mg.rand(3, 2, requires_grad=True)
    first, = mg.autograd.grad(net(x).sum(), x, create_graph=True)
    second, = mg.autograd.grad(first.sum(), x)
    assert second.tolist() == [[0, 0]] * 3


def test_a_gradient_penalty_gives_every_hidden_parameter_a_gradient() -> None:
    mg.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 5), nn.LeakyReLU(), nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 1))
    x = mg.rand(3, 2, requires_grad=True)
    first, = mg.autograd.grad(net(x).sum(), x, create_graph=True)
    (first.norm(dim=1) - 1).pow(2).mean().backward()
    assert net[0].bias.grad.tolist() == [0] * 5
    assert net[2].bias.grad.tolist() == [0] * 5
    assert net[4].bias.grad is None  # nothing depends on it
    assert all(net[k].weight.grad.abs().sum() > 0 for k in (0, 2, 4))
    assert x.grad.tolist() == [[0, 0]] * 3


def test_a_gradient_that_depends_on_nothing_has_no_graph() -> None:
    x = mg.ones(2, requires_grad=True)
    first, = mg.autograd.grad((x * 3).sum(), x, create_graph=True)
    assert not first.requires_grad


def test_zeros_have_the_dtype_of_what_they_are_the_gradient_of() -> None:
    x = mg.tensor([1.0 + 2.0j, 3.0], requires_grad=True)
    first, = mg.autograd.grad(x.abs().relu().sum(), x, create_graph=True)
    second, = mg.autograd.grad(first.real.sum(), x)
    assert second.dtype is mg.complex64


# ---------------------------------------------------------------------------------------------------- as in PyTorch

def counterparts(torch: Any, called: str) -> Any:
    """PyTorch's functions of that name."""
    for room in (torch, torch.nn.functional, torch.linalg, torch.special, torch.fft):
        if callable(getattr(room, called, None)):
            yield getattr(room, called)


def kinds(lib: Any, call: Any, inputs: list[Any]) -> list[Any]:
    """For each gradient and each input, whether the second derivative exists."""
    found = []
    for first in gradients(lib, call, inputs):
        if first is None or not first.requires_grad:
            found.append([False] * len(inputs))
            continue
        seconds = lib.autograd.grad(first, inputs, lib.ones_like(first), retain_graph=True, allow_unused=True)
        found.append([second is not None for second in seconds])
    return found


# Derived in one piece here, where PyTorch derives the parts: nothing is lost, as what it has is a number times zero.
OTHER_PARTS = {"div"}


@pytest.mark.parity
@pytest.mark.parametrize("name", [n for n in NAMES if n in WITH_RULES])
def test_there_is_a_second_derivative_wherever_pytorch_has_one(name: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")

    def check(op: Any, case: OpCase, sample: Any) -> None:
        args, settings = sample
        if op.info.called in OTHER_PARTS or any(a is not None and not a.size for a in args):
            return
        names = op.info.arguments * len(args) if op.info.variadic else op.info.arguments
        floats = [k for k, (a, n) in enumerate(zip(args, names)) if a is not None and checks.is_float(a) and n in op.info.rules]

        def study(lib: Any, function: Any) -> list[Any]:
            given = [None if a is None else lib.tensor(np.array(a)) for a in args]
            for k in floats:
                given[k].requires_grad_()

            def call(*_: Any) -> Any:
                return function(given, **settings) if op.info.variadic else function(*given, **settings)

            case.setup()
            return kinds(lib, call, [given[k] for k in floats])

        for function in counterparts(torch, op.info.called):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    theirs = study(torch, function)
                except Exception:  # it takes other arguments, or has no such derivative
                    continue
                mine = study(mg, op)
            lacking = [(floats[i], floats[j]) for i, row in enumerate(theirs) for j, has in enumerate(row)
                       if has and not mine[i][j]]
            assert not lacking, f"{checks.described(op, args, settings)}: PyTorch differentiates {lacking}, minigrad does not"

    for_samples(name, check)
