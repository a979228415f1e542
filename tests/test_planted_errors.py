"""A check that cannot fail is worthless: rules that are wrong on purpose must be caught."""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from types import FunctionType
from typing import Any, Callable, Iterator

import numpy as np
import pytest

import minigrad
from minigrad.errors import GraphError
from minigrad.ops.pointwise.arithmetic import mul
from minigrad.ops.shaping.shape import expand, reshape
from minigrad.recording.call import REGISTRY
from minigrad.recording.op import op as declare
from tests import checks, standin
from tests.op_cases import OpCase, broadcastable, sample
from tests.test_op_table import CASES, NAMES, WITH_RULES, draw, drawn


@contextmanager
def declared(forward: Callable[..., Any], **properties: Any) -> Iterator[Any]:
    """An operation that exists for the time of a test."""
    try:
        yield declare(forward, **properties)
    finally:
        REGISTRY.pop(forward.__name__, None)


@contextmanager
def planted(original: Any, argument: str, spoil: Callable[[Any], Any] | None) -> Iterator[Any]:
    """`original` with its rule for `argument` spoiled, or forgotten where `spoil` is None."""
    info = original.info
    forward = FunctionType(info.forward.__code__, info.forward.__globals__, f"planted_{info.name}",
                           info.forward.__defaults__, info.forward.__closure__)
    forward.__kwdefaults__ = info.forward.__kwdefaults__
    with declared(forward) as op:
        for property in ("broadcasts", "holomorphic", "view", "dtypes", "alike", "numbers", "outputs", "results", "pieces",
                         "discrete", "constant", "differentiable"):
            setattr(op.info, property, getattr(info, property))
        op.info.rules.update(info.rules)
        op.info.joint.update(info.joint)
        if spoil is None:
            op.info.rules.pop(argument, None)
            op.info.joint.pop(argument, None)
        else:
            together = info.joint.get(argument, (argument,))
            place = together.index(argument) if len(together) > 1 else None
            op.info.rules.update(dict.fromkeys(together, spoiled(info.rules[argument], spoil, place)))
        yield op


def spoiled(rule: Callable[..., Any], spoil: Callable[[Any], Any], place: int | None) -> Callable[..., Any]:
    """`rule` with its result changed, of a joint one that at `place`, and with the same parameters: by their names a rule says
    what it needs."""
    def change(grads: Any) -> Any:
        if not isinstance(grads, tuple):
            return spoil(grads)
        return tuple([g if g is None or place not in (k, None) else spoil(g) for k, g in enumerate(grads)])

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


@pytest.mark.parametrize("name", [n for n in NAMES if REGISTRY[n].info.rules])
def test_a_forgotten_rule_of_any_operation_is_caught(name: str) -> None:
    op, case = REGISTRY[name], CASES[name]
    args, settings = [*case.examples, *drawn(name)][0]
    for argument in op.info.rules:
        with planted(op, argument, None) as without, pytest.raises(TypeError, match=f"{argument!r} has no derivative rule"):
            checks.evaluate(without, case, args, settings)


@pytest.mark.parametrize("name", [n for n in NAMES if REGISTRY[n].info.rules])
def test_a_mark_in_the_place_of_a_rule_is_caught(name: str) -> None:
    op, case = REGISTRY[name], CASES[name]
    samples = [*case.examples, *drawn(name)]
    for argument in op.info.rules:
        with planted(op, argument, None) as wrong:
            wrong.info.constant += (argument,)
            assert caught(wrong, case, checks.check_marks, samples)
        with planted(op, argument, None) as wrong:
            wrong.info.discrete += (argument,)
            assert caught(wrong, case, checks.check_marks, samples)


@pytest.mark.parametrize("name", WITH_RULES)
def test_an_operation_declared_as_not_differentiable_that_is_is_caught(name: str) -> None:
    op, case = REGISTRY[name], CASES[name]

    def has_slope(op: Any, case: OpCase, sample: Any) -> None:
        args, settings = sample
        which = checks.differentiable(op, args)
        if which and checks.is_recorded(op, case, args, settings):
            weights = checks.weights_for(np.random.default_rng(0), checks.evaluate(op, case, args, settings))
            assert not any(g.any() for g in checks.gradients(op, case, args, settings, weights, which))

    with planted(op, "", None) as wrong:
        wrong.info.rules.clear()
        wrong.info.joint.clear()
        wrong.info.differentiable = False
        assert caught(wrong, case, checks.check_constant, drawn(name)) == caught(op, case, has_slope, drawn(name))


def test_a_mark_beside_a_rule_or_of_what_is_no_argument_is_refused() -> None:
    def planted_double(input: Any) -> Any:
        return input * 2.0

    for marks, said in (({"constant": ("input",)}, "'input' has a derivative rule and is marked constant"),
                        ({"discrete": ("input",)}, "'input' has a derivative rule and is marked discrete"),
                        ({"differentiable": False}, "'input' has a derivative rule and is marked differentiable=False"),
                        ({"constant": ("weight",)}, r"'weight' is marked, but the array arguments are \('input',\)")):
        with declared(planted_double, **marks) as op:
            op.derivative("input")(_twice)
            with pytest.raises(TypeError, match=said):
                op(np.ones(2))


def test_a_constant_among_several_tensors_and_with_several_results_is_refused_before_anything_is_computed() -> None:
    computed = []

    def planted_count(*tensors: Any) -> Any:
        return np.asarray(float(len(tensors)))

    def planted_pair(input: Any, weight: Any = None) -> Any:
        computed.append(input)
        return input * 2.0, input * 3.0

    x, w = (minigrad.ones(2, requires_grad=grad) for grad in (False, True))
    with declared(planted_count, constant=("tensors",)) as op:
        assert op([x, x]).item() == 2
        with pytest.raises(GraphError, match="planted_count: not differentiable with respect to argument 'tensors'"):
            op([x, w])
    with declared(planted_pair, outputs=True, constant=("weight",)) as op:
        op.derivative("input")(_sum_of_both)
        op(w, x)
        computed.clear()
        with pytest.raises(GraphError, match="planted_pair: not differentiable with respect to argument 'weight'"):
            op(x, w)
        assert not computed


def _sum_of_both(g: Any) -> Any:
    return sum(part for part in g if part is not None)


def _twice(g: Any) -> Any:
    return g * 2.0


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
        with declared(forward, differentiable=False) as op:
            assert caught(op, case, check), forward.__name__


def test_a_forward_that_depends_on_memory_layout_is_caught() -> None:
    def planted_order(input: Any) -> Any:
        return np.ravel(input, order="K")[: input.size].reshape(input.shape)

    with declared(planted_order, differentiable=False) as op:
        assert caught(op, CASES["exp"], checks.check_layouts)


def shares_without_a_word(input: Any) -> Any:
    return input if input.size == 1 else input.copy()


def copies_a_view(input: Any) -> Any:
    return input.copy()


def hides_its_base(input: Any) -> Any:
    return np.frombuffer(memoryview(input), input.dtype)


@pytest.mark.parametrize(("forward", "view", "message"), [
    (shares_without_a_word, False, "shares memory with an argument, but the operation is not declared a view"),
    (copies_a_view, True, "is a copy, but the operation is declared a view"),
    (hides_its_base, True, "shares memory with its argument and does not know it"),
])
def test_memory_that_is_shared_against_the_declaration_is_caught(forward: Any, view: bool, message: str) -> None:
    with declared(forward, view=view) as op:
        @op.derivative("input")
        def wrt_input(g: Any) -> Any: return g
        with pytest.raises(AssertionError, match=message):
            checks.check_memory(op, OpCase(sample(), forward), ((np.ones(1),), {}))


@standin.of_itself
def test_what_would_not_run_on_a_gpu_is_caught() -> None:
    def planted_copying(input: Any) -> Any:
        return np.zeros(input.shape) + input

    def planted_method(input: Any) -> Any:
        return np.add.reduce(input, axis=None)

    for forward in (planted_copying, planted_method):
        refused = pytest.raises((TypeError, RuntimeError), match="Unsupported type|reduce")
        with declared(forward, differentiable=False) as op, refused:
            checks.check_elsewhere(op, CASES["exp"], ((np.ones(3),), {}), standin.to_standin)
