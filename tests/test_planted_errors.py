"""A check that cannot fail is worthless: rules that are wrong on purpose must be caught."""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from types import FunctionType
from typing import Any, Callable, Iterator

import numpy as np
import pytest

from minigrad.ops.pointwise.arithmetic import mul
from minigrad.ops.shaping.shape import expand, reshape
from minigrad.recording.call import REGISTRY
from minigrad.recording.op import op as declare
from tests import checks, standin
from tests.op_cases import OpCase, broadcastable, sample
from tests.test_op_table import CASES, WITH_RULES, draw, drawn


@contextmanager
def declared(forward: Callable[..., Any], **properties: Any) -> Iterator[Any]:
    """An operation that exists for the time of a test."""
    try:
        yield declare(forward, **properties)
    finally:
        REGISTRY.pop(forward.__name__, None)


@contextmanager
def planted(original: Any, argument: str, spoil: Callable[[Any], Any]) -> Iterator[Any]:
    """`original` with its rule for `argument` spoiled."""
    info = original.info
    forward = FunctionType(info.forward.__code__, info.forward.__globals__, f"planted_{info.name}",
                           info.forward.__defaults__, info.forward.__closure__)
    forward.__kwdefaults__ = info.forward.__kwdefaults__
    with declared(forward) as op:
        for property in ("broadcasts", "holomorphic", "view", "dtypes", "alike", "numbers", "outputs", "pieces"):
            setattr(op.info, property, getattr(info, property))
        for name, rule in info.rules.items():
            op.info.rules[name] = spoiled(rule, spoil) if name == argument else rule
        yield op


def spoiled(rule: Callable[..., Any], spoil: Callable[[Any], Any]) -> Callable[..., Any]:
    """`rule` with its result changed, and with the same parameters: by their names a rule says what it needs."""
    def change(grads: Any) -> Any:
        return tuple([None if g is None else spoil(g) for g in grads]) if isinstance(grads, tuple) else spoil(grads)

    names = ", ".join(inspect.signature(rule).parameters)
    wrong: Any = eval(f"lambda {names}: change(rule({names}))", {"change": change, "rule": rule})
    wrong.__name__ = f"wrong_{rule.__name__}"
    return wrong  # type: ignore[no-any-return]


def caught(op: Any, case: OpCase, check: Callable[..., None], samples: list[Any] | None = None) -> bool:
    """Whether `check` fails for one of the case's samples."""
    for drawn_sample in [*case.examples, *(draw(case) if samples is None else samples)]:
        try:
            with np.errstate(all="ignore"):
                check(op, case, drawn_sample)
        except (AssertionError, RuntimeError):
            return True
    return False


WRONG: dict[str, Callable[[Any], Any]] = {
    "a wrong sign": lambda g: g * -1.0,
    "a wrong factor": lambda g: g * 1.001,
    "an offset": lambda g: g + 1e-3 * (1 + np.abs(g).max(initial=0)),
}


@pytest.mark.parametrize("name", WITH_RULES)
def test_a_wrong_rule_of_any_operation_is_caught(name: str) -> None:
    op, case = REGISTRY[name], CASES[name]
    for arg in op.info.rules:
        with planted(op, arg, lambda g: g) as same:
            assert not caught(same, case, checks.check_first, drawn(name)), f"{name}: the unspoiled rule for {arg} fails"
        # Where a derivative is zero everywhere, as that of round, only an offset makes it wrong.
        found = []
        for spoil in WRONG.values():
            with planted(op, arg, spoil) as wrong:
                found.append(caught(wrong, case, checks.check_first, drawn(name)))
        assert found in ([True, True, True], [False, False, True]), \
            f"{name}: a planted error in the rule for {arg} went unnoticed: {dict(zip(WRONG, found))}"


PAIR = OpCase(sample(broadcastable(2)), np.multiply, analytic=True)


def test_a_missing_unbroadcast_is_caught() -> None:
    def planted_product(input: Any, other: Any) -> Any:
        return input * other

    with declared(planted_product) as op:  # it broadcasts, and does not say so
        op.derivative("input")(_times_other)
        op.derivative("other")(_times_input)
        assert caught(op, PAIR, checks.check_first)
    with declared(planted_product, broadcasts=True) as op:
        op.derivative("input")(_times_other)
        op.derivative("other")(_times_input)
        assert not caught(op, PAIR, checks.check_first)


def _times_other(g: Any, other: Any) -> Any:
    return g * other


def _times_input(g: Any, input: Any) -> Any:
    return g * input


def test_a_wrong_unbroadcast_is_caught() -> None:
    """The right shape with the wrong sum in it."""
    def planted_total(input: Any) -> Any:
        return np.sum(input)

    def too_small(g: Any, input: Any) -> Any:
        return expand(reshape(g, shape=(1,) * input.ndim), size=input.shape) * (1.0 / (input.size or 1))

    case = OpCase(sample(CASES["exp"].samples.map(lambda s: s[0][0])), np.sum, analytic=True)
    with declared(planted_total) as op:
        op.derivative("input")(too_small)
        assert caught(op, case, checks.check_first)


@pytest.mark.parametrize("name", ["matmul", "mm", "outer"])
def test_a_transposed_gradient_is_caught(name: str) -> None:
    op, case = REGISTRY[name], CASES[name]

    rng = np.random.default_rng(0)
    only_square = OpCase(sample(rng.normal(size=(3, 3)), rng.normal(size=(3, 3))), case.reference, analytic=True)
    if name == "outer":
        only_square = OpCase(sample(rng.normal(size=3), rng.normal(size=3)), case.reference, analytic=True)
    turn = REGISTRY["permute"] if name != "outer" else REGISTRY["flip"]
    spoil = (lambda g: turn(g, dims=(1, 0))) if name != "outer" else (lambda g: turn(g, dims=(0,)))
    with planted(op, op.info.arguments[0], spoil) as wrong:
        assert caught(wrong, only_square, checks.check_first)


def test_a_wrong_second_derivative_is_caught() -> None:
    """A rule that treats a saved value as a constant is right once, and wrong when differentiated."""
    def planted_cube(input: Any) -> Any:
        return input * input * input

    def severed(g: Any, input: Any) -> Any:
        held = input.detach() if hasattr(input, "detach") else input
        return mul(g, mul(held, held)) * 3.0

    def whole(g: Any, input: Any) -> Any:
        return g * input * input * 3.0

    case = OpCase(CASES["exp"].samples, lambda x: x**3, analytic=True)
    with declared(planted_cube) as op:
        op.derivative("input")(severed)
        assert not caught(op, case, checks.check_first)
        assert caught(op, case, checks.check_second)
    with declared(planted_cube) as op:
        op.derivative("input")(whole)
        assert not caught(op, case, checks.check_second)


def test_a_wrong_complex_gradient_is_caught() -> None:
    """Forgetting the conjugate shows on complex inputs only."""
    def planted_square(input: Any) -> Any:
        return input * input

    def rule(g: Any, input: Any) -> Any:
        return g * input * 2.0

    case = OpCase(CASES["exp"].samples, lambda x: x * x, analytic=True, complex=True)
    for holomorphic in (True, False):
        with declared(planted_square, holomorphic=holomorphic) as op:
            op.derivative("input")(rule)
            assert not caught(op, case, checks.check_first)
            assert caught(op, case, checks.check_complex) is not holomorphic


def test_a_wrong_forward_a_changed_input_and_a_wrong_dtype_are_caught() -> None:
    def planted_exp(input: Any) -> Any:
        return np.exp(input) + 1e-6

    def planted_writer(input: Any) -> Any:
        input[...] = np.exp(input)
        return input.copy()

    def planted_widening(input: Any) -> Any:
        return np.exp(input.astype(np.float64))

    case = CASES["exp"]
    for forward, check in ((planted_exp, checks.check_forward), (planted_writer, checks.check_paths),
                           (planted_widening, checks.check_float32)):
        with declared(forward) as op:
            assert caught(op, case, check), forward.__name__


def test_a_forward_that_depends_on_memory_layout_is_caught() -> None:
    def planted_order(input: Any) -> Any:
        return np.ravel(input, order="K")[: input.size].reshape(input.shape)

    with declared(planted_order) as op:
        assert caught(op, CASES["exp"], checks.check_layouts)


@standin.of_itself
def test_what_would_not_run_on_a_gpu_is_caught() -> None:
    def planted_copying(input: Any) -> Any:
        return np.zeros(input.shape) + input

    def planted_method(input: Any) -> Any:
        return np.add.reduce(input, axis=None)

    for forward in (planted_copying, planted_method):
        with declared(forward) as op, pytest.raises((TypeError, RuntimeError)):
            checks.check_elsewhere(op, CASES["exp"], ((np.ones(3),), {}), standin.to_standin)
