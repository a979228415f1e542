"""Each operation of the table of translations, in onnxruntime, against our own forward."""

from __future__ import annotations

import warnings
from typing import Any, Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import minigrad as mg
from minigrad.onnx.errors import UnsupportedOperatorError
from minigrad.onnx.translation import TABLE
from minigrad.recording import watching
from minigrad.recording.call import REGISTRY
from tests.op_cases import all_cases

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

CASES = all_cases()
OF_THE_TRACER = {"replace_view"}  # which the tracer calls so; tests/onnx/test_export.py writes into views
TOLERANCE = 3e-5  # of float32, where the formulas differ


@pytest.fixture(scope="module", autouse=True)
def _paths_that_can_be_watched() -> Iterator[None]:
    """They are not generated anew for each model."""
    with watching.watch(watching.Watcher()):
        yield


def single(x: Any) -> Any:
    """An array in float32, where it is of floats."""
    return x.astype(np.float32) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x


def is_held_by_onnx(args: Any, options: dict[str, Any]) -> bool:
    """Whether onnxruntime takes a sample: no complex numbers, and no empty tensors, for which it has few kernels."""
    return all(x.size and x.dtype.kind != "c" for x in args if isinstance(x, np.ndarray)) \
        and getattr(options.get("dtype"), "kind", "") != "c"


def check(name: str, args: Any, options: dict[str, Any]) -> None:
    """Compare what onnxruntime computes with our own forward."""
    op = REGISTRY[name]
    given_arrays = [single(x) for x in args]
    tensors = [mg.tensor(x) for x in given_arrays if isinstance(x, np.ndarray)]

    def function(*xs: Any) -> Any:
        rest = iter(xs)
        operands = [next(rest) if isinstance(x, np.ndarray) else x for x in given_arrays]
        return op(operands, **options) if op.info.variadic else op(*operands, **options)

    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that shapes of a loss differ
        wanted = function(*tensors)
        program = mg.onnx.export(function, tuple(tensors), do_constant_folding=False)
    onnx.checker.check_model(program.model_proto, full_check=True)
    found = program(*tensors)
    for a, b in zip(wanted if isinstance(wanted, tuple) else (wanted,), found):
        assert a.dtype is b.dtype and a.shape == b.shape, (a, b)
        np.testing.assert_allclose(b.numpy(), a.numpy(), TOLERANCE, TOLERANCE)


@pytest.mark.parametrize("name", sorted(set(TABLE) - OF_THE_TRACER))
def test_onnxruntime_computes_the_forward(name: str) -> None:
    case, tried = CASES[name], []

    def try_sample(sample: Any) -> None:
        try:
            check(name, *sample)
        except UnsupportedOperatorError:  # settings that ONNX has no word for, and that are refused
            return
        tried.append(1)

    for sample in case.examples:
        if is_held_by_onnx(*sample):
            try_sample(sample)
    held = case.samples.filter(lambda sample: is_held_by_onnx(*sample))
    settings(suppress_health_check=[HealthCheck.filter_too_much])(given(held)(try_sample))()
    assert tried


def test_the_table_has_operations_that_there_are() -> None:
    assert set(TABLE) - OF_THE_TRACER <= set(REGISTRY)
