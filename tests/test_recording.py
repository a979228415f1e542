"""What a call records: generated call paths do what the recorder in words does, and tell what they are before they are run."""

from __future__ import annotations

import inspect
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.recording import call
from minigrad.recording.call import REGISTRY
from tests import checks
from tests.test_op_table import CASES, WITH_RULES, drawn

GENERATED = [name for name in WITH_RULES if not REGISTRY[name].info.variadic and not REGISTRY[name].info.outputs]


def same(found: Any, expected: Any, result: Any) -> bool:
    """Whether two nodes saved the same: the same objects, or both the result."""
    return found is expected or (found is result and expected is result) or (
        not hasattr(found, "dtype") and type(found) is type(expected) and repr(found) == repr(expected))


@pytest.mark.parametrize("name", GENERATED)
def test_generated_code_records_what_the_recorder_in_words_does(name: str) -> None:
    op, case = REGISTRY[name], CASES[name]
    info = op.info
    compared = 0
    for args, settings in [*case.examples, *drawn(name)][:4]:
        wanted = checks.differentiable(op, args)
        for some in (wanted, wanted[:1], []):
            tensors = [checks.tensor_of(a, k in some) for k, a in enumerate(args)]
            case.setup()
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                out = op(*tensors, **settings)
            # What the call converted first, such as a dtype, stands between the operands and the node.
            arrays = tuple([None if t is None else t.array for t in tensors])
            if out.node is not None and type(out.node) is not info.node_class:
                continue
            if info.alike and len({a.dtype for a, n in zip(arrays, info.arguments) if a is not None and n in info.alike}) > 1:
                continue
            if out.array.dtype.kind not in "fc":
                continue
            node = call.record(info, tensors, arrays, out.array, {**info.settings, **settings})
            assert (node is None) == (out.node is None), f"{name}: only one of the two made a node"
            if node is None:
                continue
            made: Any = out.node
            assert made.inputs == node.inputs, f"{name}: other edges"
            assert made.shape == node.shape and made.saved_from == node.saved_from
            assert len(made.saved) == len(node.saved) and len(made.settings) == len(node.settings)
            for one, other in zip((*made.saved, *made.settings), (*node.saved, *node.settings)):
                assert same(one, other, out.array), f"{name}: saved {one!r}, the recorder in words {other!r}"
            assert made.code is node.code and made.extras is node.extras is None and made.stamp < node.stamp
            compared += 1
    assert compared, f"{name}: no sample could be compared"


def test_a_generated_path_that_saves_another_thing_is_caught() -> None:
    """The comparison above can fail: exp's node with its input in the place of its result."""
    x = mg.tensor([1.0], requires_grad=True)
    out = mg.exp(x)
    node: Any = call.record(REGISTRY["exp"].info, [x], (x.array,), out.array, {})
    assert same(out.node.saved[0], node.saved[0], out.array)
    assert not same(x.array, node.saved[0], out.array)


@pytest.mark.parametrize("script", [
    "import minigrad; print(minigrad.exp.source)",
    "import minigrad; print(minigrad.exp.source[:20], 'exp' in minigrad.exp.source, minigrad.exp.source.splitlines()[0])",
    "import minigrad, inspect; print(inspect.signature(minigrad.exp))",
    "import minigrad, inspect; print(inspect.signature(minigrad.ones(2).sum))"])
def test_the_source_and_the_signature_can_be_read_before_the_first_call(script: str) -> None:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "out: 'Tensor | None' = None" in done.stdout or "def exp(" in done.stdout


def test_signatures_are_those_of_the_call_path() -> None:
    assert str(inspect.signature(mg.sum)).replace("'", "") == (
        "(input: Tensor, dim: IntOrInts | None = None, keepdim: bool = False, dtype: dtype | None = None, *, "
        "axis: IntOrInts | None = None, keepdims: bool | None = None, out: Tensor | None = None) -> Tensor")
    assert str(inspect.signature(mg.mul)).replace("'", "") == (
        "(input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor")
    assert str(inspect.signature(mg.sort)).replace("'", "").endswith("out: Sequence[Tensor] | None = None) -> ValuesIndices")
    assert str(inspect.signature(mg.Tensor.add_)).replace("'", "") == (
        "(self: Tensor, other: Tensor | Number, alpha: Number = 1) -> Tensor")
    assert str(inspect.signature(mg.Tensor.reshape)).replace("'", "") == "(self: Tensor, *shape: IntOrInts) -> Tensor"
    assert list(inspect.signature(mg.ones(2).exp).parameters) == ["out"]
    with pytest.raises(TypeError):
        inspect.signature(mg.exp).bind()
    assert inspect.getsource(mg.exp).startswith("@op(")  # the declaration, not what was generated


def test_no_warning_of_numpy_reaches_the_user_and_the_filters_stay_as_they_are() -> None:
    """Overflow is a result, whatever the filters; and importing the package adds none."""
    script = ("import numpy, warnings; before = list(warnings.filters); import minigrad as mg; "
              "assert warnings.filters == before; warnings.simplefilter('error'); "
              "x = mg.tensor([3e38], requires_grad=True); y = x * x - x * x; "
              "print(y, (x * 10).sum().backward(), x / 0)")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
