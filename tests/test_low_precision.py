"""Numbers of low precision are computed with in float32, and the result is rounded once: of every operation, and its gradients."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.recording.call import REGISTRY
from tests import checks
from tests.test_op_table import CASES, NAMES, WITH_RULES, drawn

F = mg.nn.functional

# Their results depend on which numbers the dtype has, or are of another dtype.
NOT_COMPARED = {"nextafter", "view_dtype", "frexp", "tie_shares", "bincount"}


def halves(args: Any) -> list[Any]:
    return [a.astype(np.float16) if checks.is_float(a) and a.dtype.kind == "f" else a for a in args]


def widened(args: Any) -> list[Any]:
    return [a.astype(np.float32) if checks.is_float(a) and a.dtype == np.float16 else a for a in args]


def samples(name: str) -> list[Any]:
    return [(args, settings) for args, settings in [*CASES[name].examples, *drawn(name)][:6]
            if any(checks.is_float(a) and a.dtype.kind == "f" for a in args if a is not None) and "dtype" not in settings]


@pytest.mark.parametrize("name", [n for n in NAMES if not CASES[n].drawn and n not in NOT_COMPARED])
def test_the_result_is_that_of_float32_rounded_once(name: str) -> None:
    op, case = REGISTRY[name], CASES[name]
    for args, settings in samples(name):
        low = halves(args)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                wide = checks.comparable(op, case, widened(low), settings)
                found = checks.comparable(op, case, low, settings)
            except (RuntimeError, TypeError, NotImplementedError):
                continue  # not made for float16, or for numbers as rounded
            for one, other in zip(found, wide):
                if checks.is_float(other) and np.asarray(other).dtype == np.float32:
                    assert np.asarray(one).dtype == np.float16
                    np.testing.assert_array_equal(one, other.astype(np.float16), checks.described(op, low, settings))


@pytest.mark.parametrize("name", [n for n in WITH_RULES if not CASES[n].drawn and n not in NOT_COMPARED])
def test_gradients_are_those_of_float32(name: str) -> None:
    op, case = REGISTRY[name], CASES[name]
    rng = np.random.default_rng(0)
    for args, settings in samples(name):
        low = halves(args)
        which = checks.differentiable(op, low)
        if not which or any(args[k].dtype.kind != "f" for k in which):
            continue
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                outs = checks.evaluate(op, case, low, settings)
                weights = checks.weights_for(rng, outs)
                if any(w is not None and w.dtype != np.float16 for w in weights):
                    continue
                found = checks.gradients(op, case, low, settings, weights, which)
                wide = checks.gradients(op, case, widened(low), settings, [w if w is None else w.astype(np.float32) for w in weights],
                                        which)
            except (RuntimeError, TypeError, NotImplementedError):
                continue
            for one, other in zip(found, wide):
                # A rule may name the result, which is saved rounded, and what was broadcast is summed after it.
                checks.assert_close(f"gradient of {checks.described(op, low, settings)}", one, other.astype(np.float16), 4e-3)
