"""The table of layers and losses: the :class:`ModuleCase` of every public module, from which ``tests/test_module_table.py`` makes
its tests.

Every file in this folder has a dictionary ``CASES`` from the name of a class in ``minigrad.nn`` to its cases:

    CASES = {
        "Linear": [ModuleCase(lambda t: t.nn.Linear(3, 4), (normal(2, 3),),
                              lambda state, x: x @ state["weight"].T + state["bias"], batch=0,
                              bad=[Bad((normal(2, 4),), RuntimeError, "mat1 and mat2 shapes cannot be multiplied")])],
    }

`make` is given the library, minigrad or PyTorch, and so makes the same layer in both. The reference gets the state, parameters
and buffers by name, and the inputs, all as NumPy arrays in double precision. The tests give every parameter and buffer values of
their own first, so that weights that begin as one and biases that begin as zero count as well. Inputs keep away from kinks.
Run the tests of one module with ``pytest -n0 tests/test_module_table.py -k "[Linear-"``.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import Any, Callable, Sequence

import numpy as np

from minigrad import nn

__all__ = ["Around", "Bad", "ModuleCase", "all_cases", "classes", "normal", "positive", "sigmoid"]


@dataclass
class Bad:
    """Inputs that must be refused: with `error` (PyTorch's class) and a message in which the regex `match` is found."""

    inputs: tuple[Any, ...]
    error: type[Exception]
    match: str


@dataclass
class ModuleCase:
    """How one module is tested.

    Attributes:
        make: takes the library and makes the module.
        inputs: the arrays it is called with; also None, other plain values, and tuples of arrays.
        reference: the same function in NumPy, called as ``reference(state, *inputs)``. Several results: a tuple.
        evaluated: the reference in evaluation mode, where it is another.
        drawn: in training the result is random; `reference` is then not compared, and says what is true of the result instead:
            it is called as ``reference(state, *inputs, result)``.
        batch: the dimension of the batch in every input and result, where the module also takes one sample without it.
        bad: inputs that must be refused.
        functional: the same by ``nn.functional``: takes that, the module and the inputs, as tensors.
        differentiable: the inputs, by number, that are differentiated; None: all floating ones.
        underivable: why numbers cannot confirm the gradients, where they cannot; the check of them is then left out.
    """

    make: Callable[[Any], Any]
    inputs: tuple[Any, ...]
    reference: Callable[..., Any]
    evaluated: Callable[..., Any] | None = None
    drawn: bool = False
    batch: int | None = None
    bad: Sequence[Bad] = ()
    functional: Callable[..., Any] | None = None
    differentiable: Sequence[int] | None = None
    underivable: str = ""


class Around(nn.Module):
    """A base for modules that use `inner`, where that cannot be called, or be tested, by itself."""

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner


# ---------------------------------------------------------------------------------------------------- inputs

def normal(*shape: int, seed: int = 0) -> Any:
    """Normal values of `shape`, at least 0.02 away from zero."""
    x = np.random.default_rng((seed, *shape)).normal(size=shape)
    return np.asarray(x + 0.02 * np.sign(x))


def positive(*shape: int, seed: int = 0, low: float = 0.2, high: float = 0.9) -> Any:
    """Values between `low` and `high`."""
    return np.asarray(np.random.default_rng((seed, *shape)).uniform(low, high, size=shape))


def classes(n: int, *shape: int, seed: int = 0) -> Any:
    """Integers from 0 to n - 1."""
    return np.asarray(np.random.default_rng((seed, *shape)).integers(0, n, size=shape))


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


# ---------------------------------------------------------------------------------------------------- collection

def all_cases() -> dict[str, list[ModuleCase]]:
    """Every module's cases in this folder, by the name of its class. Raises where two files have cases of one class."""
    cases: dict[str, list[ModuleCase]] = {}
    for module in pkgutil.iter_modules(__path__):
        for name, found in importlib.import_module(f"{__name__}.{module.name}").CASES.items():
            if name in cases:
                raise ValueError(f"{name} has cases in two files, one of them tests/module_cases/{module.name}.py")
            cases[name] = found
    return cases
