"""The table of operations: one :class:`OpCase` for every declared op, from which ``tests/test_op_table.py`` makes its tests.

The case of an op stands in the file that has the path of the op's own, ``minigrad/ops/<family>/<file>.py``, in its
dictionary ``CASES`` from the op's name to its case:

    from tests.op_cases import Bad, OpCase, arrays, broadcastable, sample, shapes

    CASES = {
        "mul": OpCase(sample(broadcastable(2)), np.multiply, analytic=True, complex=True,
                      bad=[Bad((f(2, 3), f(4)), {}, RuntimeError, r"mul: The size of tensor a \\(3\\) must match")]),
        "log": OpCase(sample(arrays(low=0.2)), np.log, analytic=True, complex=True),
        "relu": OpCase(sample(arrays(away=[0.0])), lambda x: np.maximum(x, 0)),
        "cumsum": OpCase(with_dim(), lambda input, dim: np.cumsum(input, axis=dim), analytic=True),
    }

A *sample* is a pair: the tuple of array arguments, and the dictionary of settings. The strategy draws samples whose floating
arrays are float64 (the tests make float32, non-contiguous, negative-stride and complex ones of them). Index and condition
arguments are integer and boolean arrays; an optional argument may be None. For a variadic op the tuple is the sequence.
Let shapes include 0-dimensional and zero-size ones wherever the op takes them (``shapes()`` does), and put edges that the
strategy is unlikely to meet into `examples`, which always run; special values (NaN, infinities) go into `edges`.

Values stay away from kinks (``away=[0.0]``, ``distinct=True`` for max, sort and the like); what happens *at* a kink is pinned
by ordinary tests. Settings are given by keyword, as dtype a ``minigrad._types.dtypes`` object. Every floating argument is
differentiated, unless `constant` says that it must be refused. Run one op's tests with
``pytest -n0 tests/test_op_table.py -k "[mul]"``.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import Any, Callable, Iterator, Sequence

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

__all__ = ["Bad", "OpCase", "all_cases", "arrays", "booleans", "broadcastable", "case_modules", "dims", "f", "integers",
           "sample", "shapes", "together", "with_dim"]

Sample = tuple[tuple[Any, ...], dict[str, Any]]


@dataclass
class Bad:
    """An input that must be refused: with `error` (PyTorch's class) and a message in which the regex `match` is found."""

    args: tuple[Any, ...]
    settings: dict[str, Any]
    error: type[Exception]
    match: str


@dataclass
class OpCase:
    """How one operation is tested.

    Attributes:
        samples: the strategy of samples.
        reference: the same function in NumPy or SciPy, written independently of the op's forward; called as
            ``reference(*args, **settings)``. Several outputs: a tuple.
        analytic: the forward takes complex arrays and is complex differentiable there: derivatives are then compared with
            the complex step, exact to rounding. Otherwise with central differences.
        complex: the op supports complex tensors: its gradient is then checked on complex inputs too.
        bad: inputs that must be refused.
        examples: samples that run in addition to those drawn.
        edges: the same for the forward only: special values, such as NaN, infinities and both zeros, at which there is no slope
            to measure.
        rtol: relative (and absolute) error allowed in the forward, in float64.
        grad_rtol: the same for derivatives; None: 1e-8 for the complex step, 2e-6 for central differences.
        float32_rtol: how far the float32 result may be from the float64 one.
        setup: called before every evaluation, for instance to seed a generator.
        drawn: the values are random numbers, which differ between dtypes and between array libraries.
        host_only: for what CuPy does not have: the message, or part of it, that a CuPy array gets. Empty: the op runs on CuPy.
        determined: for results that libraries are free to choose among, such as the signs of eigenvectors: called with the
            results, arrays or tensors, it gives a tuple of what all must agree on. None: the results themselves.
        constant: the arguments that must refuse a tensor that requires grad, for want of a derivative.
        saves: the results that a node keeps for its rules, so that they must not be changed in place before the backward pass:
            ``("out",)``, or of several the names. What PyTorch lets users change is not kept.
        underivable: why numbers cannot confirm the derivative rules, where they cannot; the checks of it are then left out.
    """

    samples: st.SearchStrategy[Sample]
    reference: Callable[..., Any]
    analytic: bool = False
    complex: bool = False
    bad: Sequence[Bad] = ()
    examples: Sequence[Sample] = ()
    edges: Sequence[Sample] = ()
    rtol: float = 1e-10
    grad_rtol: float | None = None
    float32_rtol: float = 1e-4
    setup: Callable[[], None] = lambda: None
    drawn: bool = False
    host_only: str = ""
    determined: Callable[..., tuple[Any, ...]] | None = None
    constant: tuple[str, ...] = ()
    saves: tuple[str, ...] = ()
    underivable: str = ""


# ---------------------------------------------------------------------------------------------------- strategies

SEEDS = st.integers(0, 2**20)  # hypothesis draws shapes, settings and a seed; values come from NumPy's generator, which is fast


def shapes(min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 4) -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes, zero-dimensional and zero-size ones included unless the minima forbid it."""
    return st.lists(st.integers(min_side, max_side), min_size=min_dims, max_size=max_dims).map(tuple)


def arrays(shape: Any = None, low: float = -2.0, high: float = 2.0, away: Sequence[float] = (), gap: float = 0.05,
           distinct: bool = False, dtype: Any = np.float64) -> st.SearchStrategy[Any]:
    """Arrays of `shape` (a tuple, a strategy of tuples, or None for ``shapes()``) with values in [low, high].

    Args:
        away: values to stay at least `gap` away from.
        distinct: no two elements of an array are equal, or nearly: for max, sort and other functions with ties.
    """
    def make(drawn: tuple[tuple[int, ...], int]) -> Any:
        shape, seed = drawn
        rng = np.random.default_rng(seed)
        if distinct:
            n = int(np.prod(shape))
            x = low + (high - low) * ((rng.permutation(n).reshape(shape) + rng.uniform(0.3, 0.7, shape)) / max(n, 1))
        else:
            x = rng.uniform(low, high, shape)
        for kink in away:
            x = np.where(np.abs(x - kink) < gap, kink + np.where(x < kink, -gap, gap) * (1 + np.abs(x - kink)), x)
        return np.asarray(x, dtype=dtype)
    return st.tuples(_shape(shape), SEEDS).map(make)


def integers(shape: Any = None, low: int = -5, high: int = 5, dtype: Any = np.int64) -> st.SearchStrategy[Any]:
    """Integer arrays with values from `low` to `high`, both included."""
    return st.tuples(_shape(shape), SEEDS).map(
        lambda drawn: np.asarray(np.random.default_rng(drawn[1]).integers(low, high + 1, drawn[0]), dtype=dtype))


def booleans(shape: Any = None) -> st.SearchStrategy[Any]:
    """Boolean arrays."""
    return integers(shape, 0, 1, np.bool_)


def _shape(shape: Any) -> st.SearchStrategy[tuple[int, ...]]:
    return shapes() if shape is None else st.just(shape) if isinstance(shape, tuple) else shape


def broadcastable(n: int = 2, *, each: Sequence[Callable[[tuple[int, ...]], Any]] | None = None,
                  **values: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    """`n` arrays whose shapes can be broadcast together; `values` go to :func:`arrays`.

    `each`, where given, makes the arrays instead: one function from a shape to a strategy for each argument, such as
    ``each=[booleans, arrays, lambda shape: arrays(shape, low=0.5)]``.
    """
    makers = each or [lambda shape: arrays(shape, **values)] * n
    drawn = hnp.mutually_broadcastable_shapes(num_shapes=len(makers), max_dims=3, min_side=0, max_side=3)
    return drawn.flatmap(lambda b: st.tuples(*[make(shape) for make, shape in zip(makers, b.input_shapes)]))


def together(shape: Any = None, *, each: Sequence[Callable[[tuple[int, ...]], Any]]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Arrays of one common shape, made by the functions `each`."""
    return _shape(shape).flatmap(lambda s: st.tuples(*[make(s) for make in each]))


def sample(*args: Any, **settings: Any) -> st.SearchStrategy[Sample]:
    """Samples of `args` and `settings`, each a value or a strategy. A strategy of tuples gives several arguments."""
    def split(parts: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(x for p in parts for x in (p if isinstance(p, tuple) else (p,)))
    drawn = st.tuples(*[_strategy(a) for a in args]).map(split)
    return st.tuples(drawn, st.fixed_dictionaries({k: _strategy(v) for k, v in settings.items()}))


def _strategy(x: Any) -> st.SearchStrategy[Any]:
    return x if isinstance(x, st.SearchStrategy) else st.just(x)


def dims(ndim: int, several: bool = False, none: bool = True) -> st.SearchStrategy[Any]:
    """A dimension number for an array of `ndim` dimensions, negative ones too; if `several` also tuples; if `none` also None."""
    options: list[Any] = [st.none()] if none else []
    if ndim:
        options.append(st.integers(-ndim, ndim - 1))
        if several:
            options.append(st.permutations(range(ndim)).flatmap(
                lambda p: st.integers(1, ndim).map(lambda k: tuple(p[:k]))))
    elif not none:
        options.append(st.sampled_from([0, -1]))
    return st.one_of(options)


def with_dim(shape: Any = None, several: bool = False, none: bool = False, values: dict[str, Any] | None = None,
             **settings: Any) -> st.SearchStrategy[Sample]:
    """Samples of one array and a setting ``dim`` that fits it, for reductions and scans; `values` go to :func:`arrays`."""
    return _shape(shape).flatmap(
        lambda s: sample(arrays(s, **(values or {})), dim=dims(len(s), several, none), **settings))


def f(*shape: int, dtype: Any = np.float64) -> Any:
    """A float array of `shape` with small distinct values, for examples and bad inputs."""
    return (np.arange(1, 1 + int(np.prod(shape)), dtype=dtype) / 7).reshape(shape)


# ---------------------------------------------------------------------------------------------------- collection

def case_modules() -> Iterator[Any]:
    """Every module in this folder that has cases. They have the paths of the modules of ``minigrad/ops``."""
    for found in pkgutil.walk_packages(__path__, f"{__name__}."):
        module = importlib.import_module(found.name)
        if hasattr(module, "CASES"):
            yield module


def all_cases() -> dict[str, OpCase]:
    """Every case in this folder, by the op's name. Raises where two modules have a case for one op."""
    cases: dict[str, OpCase] = {}
    for module in case_modules():
        for name, case in module.CASES.items():
            if name in cases:
                raise ValueError(f"op {name!r} has two cases, one of them in {module.__name__}")
            cases[name] = case
    return cases
