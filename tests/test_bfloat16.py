"""bfloat16: stored in 16 bits, computed with in float32, rounded once.

Every operation of the table gives what it gives in float32, rounded; so does every rule. What is not a matter of single operations
(promotion, printing, files, optimizers, training) is below.
"""

from __future__ import annotations

import copy
import io
import itertools
import pickle
import subprocess
import sys
import warnings
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import minigrad
from minigrad import nn
from minigrad._types import dtypes
from minigrad.errors import DeviceError
from minigrad.recording.call import REGISTRY
from minigrad.recording.wide import narrow, widen
from tests import checks, optimizer_cases
from tests.test_op_table import CASES, NAMES, WITH_RULES, drawn

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
# What depends on how far the next number is, or on the bits.
OF_THE_DTYPE = {"nextafter", "nan_to_num", "view_dtype", "view_as_complex", "cast"}


def bfloat16(*numbers: Any, requires_grad: bool = False) -> Any:
    return minigrad.tensor(numbers, dtype=minigrad.bfloat16, requires_grad=requires_grad)


def samples(name: str) -> list[Any]:
    """Samples of an operation with bfloat16 in the place of every real floating array."""
    def turned(a: Any) -> Any:
        return a.astype(BFLOAT16) if checks.is_float(a) and a.dtype.kind == "f" else a
    return [(tuple([turned(a) for a in args]), settings) for args, settings in [*CASES[name].examples[:2], *drawn(name)[:3]]]


def assert_same(what: str, found: Any, expected: Any, rtol: float = 0.0) -> None:
    assert found.dtype == expected.dtype, f"{what}: {found.dtype}, not {expected.dtype}"
    found, expected = widen(found), widen(expected)
    scale = np.max(np.abs(expected), initial=0.0, where=np.isfinite(expected)) if expected.dtype.kind in "fc" else 0.0
    checks.assert_close(what, found, expected, rtol, scale=float(scale))


@pytest.mark.parametrize("name", [n for n in NAMES if n not in OF_THE_DTYPE and not CASES[n].drawn])
def test_the_result_is_that_in_float32_rounded(name: str) -> None:
    op, case = REGISTRY[name], CASES[name]
    for args, settings in samples(name):
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", np.exceptions.ComplexWarning)
            try:
                wide = checks.evaluate(op, case, widen(args), settings)
            except Exception:
                continue  # of another dtype than the sample's, as some settings are arrays
            rounds = settings.get("dtype") is None and any(a is not None and a.dtype == BFLOAT16 for a in args)
            expected = [narrow(a) if rounds else np.asarray(a) for a in wide]
            for found, want in zip(checks.evaluate(op, case, args, settings), expected):
                assert_same(checks.described(op, args, settings), np.asarray(found), want)
            tensors = checks.evaluate(op, case, [checks.tensor_of(a) for a in args], settings)
            for found, want in zip(tensors, expected):
                assert_same(checks.described(op, args, settings) + " of tensors", found.array, want)


@pytest.mark.parametrize("name", [n for n in WITH_RULES if n not in OF_THE_DTYPE and not CASES[n].drawn])
def test_a_rule_gives_what_it_gives_in_float32_rounded(name: str) -> None:
    op, case = REGISTRY[name], CASES[name]
    for args, settings in samples(name):
        wide = widen(args)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", np.exceptions.ComplexWarning)
            which = checks.differentiable(op, wide)
            if not which:
                continue
            outs = checks.evaluate(op, case, wide, settings)
            weights = [None if w is None else w.astype(BFLOAT16) if w.dtype == np.float32 else w
                       for w in checks.weights_for(np.random.default_rng(0), outs)]
            expected = checks.gradients(op, case, wide, settings, widen(tuple(weights)), which)
            found = checks.gradients(op, case, args, settings, weights, which)
            for got, want in zip(found, expected):
                what = f"gradient of {checks.described(op, args, settings)}"
                assert_same(what, got, narrow(want), 2**-6)  # where the result, which is rounded, is saved
