"""Every declared operation, by its entry in the table (``tests/op_cases``): one test for each promise and operation."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
import warnings
from typing import Any, Callable

import numpy as np
import pytest
from hypothesis import given

import minigrad
from minigrad.recording.call import REGISTRY
from tests import checks, fake_cuda, standin
from tests.op_cases import OpCase, all_cases, case_modules

for _module in pkgutil.walk_packages(minigrad.__path__, "minigrad."):
    if not _module.name.endswith("__main__"):
        importlib.import_module(_module.name)

CASES = all_cases()
DECLARED = {name for name, op in REGISTRY.items() if op.info.forward.__module__.startswith("minigrad.")}
NAMES = sorted(DECLARED & set(CASES))
WITH_RULES = [name for name in NAMES if REGISTRY[name].info.rules and not CASES[name].underivable]


def draw(case: OpCase) -> list[Any]:
    """Samples of `case`, as many as the profile says."""
    samples: list[Any] = []

    @given(case.samples)
    def collect(sample: Any) -> None:
        samples.append(sample)

    collect()
    return samples


@functools.cache
def drawn(name: str) -> list[Any]:
    """Samples of operation `name`, drawn once for all tests, as drawing takes longer than checking."""
    return draw(CASES[name])


def for_samples(name: str, check: Callable[[Any, OpCase, Any], None], edges: bool = False) -> None:
    """Run `check` on the examples of operation `name`, on its `edges` too if asked, and on the samples drawn.

    When one of these fails, hypothesis looks for the simplest sample that does and reports that.
    """
    op, case = REGISTRY[name], CASES[name]

    def quiet(sample: Any) -> None:
        # An operation may divide by zero or overflow, as PyTorch's do; NumPy's floating-point warnings are not its results.
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", np.exceptions.ComplexWarning)
            check(op, case, sample)

    for sample in [*case.examples, *(case.edges if edges else ())]:
        quiet(sample)
    try:
        for sample in drawn(name):
            quiet(sample)
    except Exception:
        given(case.samples)(quiet)()
        raise


def test_every_operation_has_a_case_and_every_case_an_operation() -> None:
    assert set(CASES) == DECLARED, f"untested: {sorted(DECLARED - set(CASES))}; not declared: {sorted(set(CASES) - DECLARED)}"


def test_op_cases_mirror_ops() -> None:
    """The case of an operation stands in the file that has the path of the operation's own."""
    stands = {name: module.__name__.removeprefix("tests.op_cases.") for module in case_modules() for name in module.CASES}
    belongs = {name: REGISTRY[name].info.forward.__module__.removeprefix("minigrad.ops.") for name in stands if name in DECLARED}
    wrong = [f"the case of {name} is in {stands[name]} of tests.op_cases, and belongs into {place} of it"
             for name, place in belongs.items() if stands[name] != place]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", NAMES)
def test_forward_is_the_reference(name: str) -> None:
    for_samples(name, checks.check_forward, edges=True)


@pytest.mark.parametrize("name", NAMES)
def test_array_path_is_tensor_path_and_inputs_stay(name: str) -> None:
    for_samples(name, checks.check_paths, edges=True)


@pytest.mark.parametrize("name", NAMES)
def test_shares_memory_if_and_only_if_declared_a_view(name: str) -> None:
    for_samples(name, checks.check_memory, edges=True)


@pytest.mark.parametrize("name", NAMES)
def test_float32_stays_float32(name: str) -> None:
    for_samples(name, checks.check_float32)


@pytest.mark.parametrize("name", NAMES)
def test_memory_layout_does_not_matter(name: str) -> None:
    for_samples(name, checks.check_layouts)


# CuPy's functions behind these take no complex numbers; nor do PyTorch's.
REAL_ON_A_GPU = {"erf", "erfc", "erfcx", "gelu_slope", "log_ndtr", "log_softmax", "ndtr", "softmax"}

# Operations that take complex numbers though their cases do not differentiate at them: the functions are defined there, or ask
# for no more than equality.
DEFINED_FOR_COMPLEX = {
    "_unique", "cast", "constant_full", "eq", "erf", "erfc", "erfcx", "fft_c2r", "fill_number", "identity_like", "isclose",
    "isfinite", "isinf", "isnan", "isreal", "l1_loss", "log_ndtr", "logical_and", "logical_not", "logical_or", "logical_xor",
    "logit", "nan_to_num", "ndtr", "ne", "nonzero_indices", "permutation", "reduce_at", "rnn_tanh_layer", "scale_shift",
    "spherical_bessel", "spherical_bessel_j0", "standardize", "standardize_backward", "tanhshrink", "view_dtype",
    "where_nonzero", "xlog1py", "xlogy", "zero_pivot", "zeros_of",
    # decompositions, whose signs and phases libraries choose
    "factor_info", "geqrf", "linalg_cholesky", "linalg_eig", "linalg_eigh", "linalg_ldl_factor", "linalg_ldl_solve",
    "linalg_matrix_rank", "linalg_qr", "linalg_svd",
    # parts of rules, which nobody else calls
    "airy_ai_slope", "attention_backward", "cross_entropy_slope", "gelu_slope", "tie_shares"}


@pytest.mark.parametrize("name", [n for n in NAMES if not CASES[n].complex and n not in DEFINED_FOR_COMPLEX])
def test_what_takes_real_numbers_refuses_complex_ones(name: str) -> None:
    """By an error that says so, of the class that PyTorch raises, and not by one of NumPy's."""
    op, case = REGISTRY[name], CASES[name]
    for args, settings in [*case.examples[:1], *drawn(name)[:3]]:
        turned = [minigrad.tensor(a.astype(complex) if checks.is_float(a) else a) if isinstance(a, np.ndarray) else a
                  for a in args]
        if any(isinstance(t, minigrad.Tensor) and t.is_complex() and t.numel() for t in turned):
            with pytest.raises(minigrad.errors.DtypeError, match="omplex|Half, Float or Double|only supports floating-point"):
                checks.call(op, turned, settings)


# Which of equal elements these name, as there are among small integers, is free.
CHOOSING = {"topk", "kthvalue"}


@pytest.mark.parametrize("name", [n for n in NAMES if not CASES[n].host_only and not CASES[n].drawn])
def test_every_dtype_on_the_stand_in(name: str) -> None:
    """What NumPy computes of numbers of any type, the stand-in does, in the types of CuPy's own functions, to the same dtype."""
    op, case = REGISTRY[name], CASES[name]
    for dtype in ("?", "i1", "u1", "i4", "i8", "f2", "f4", "c8"):
        if dtype == "c8" and name in REAL_ON_A_GPU:
            continue
        for args, settings in [*case.examples[:1], *drawn(name)[:2]]:
            turned = [a.astype(dtype) if checks.is_float(a) and (a.dtype.kind == "f" or dtype == "c8") else a for a in args]
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    usual = checks.comparable(op, case, turned, settings)
                except Exception:
                    continue  # refused on the host as well
                moved = {k: checks.move_all(v, standin.to_standin) for k, v in settings.items()}
                found = checks.comparable(op, case, [standin.to_standin(a) for a in turned], moved)
                for out, want in zip(found, map(np.asarray, usual[:1 if name in CHOOSING else None])):
                    what = f"{checks.described(op, turned, settings)} on the stand-in"
                    assert isinstance(out, standin.ndarray) and out.dtype == want.dtype, f"{what}: {out.dtype}, not {want.dtype}"
                    checks.assert_close(what, out.get(), want, {"f2": 1e-2, "f4": 1e-4, "c8": 1e-4}.get(dtype, 1e-6))


@pytest.mark.parametrize("name", [n for n in NAMES if REGISTRY[n].info.broadcasts])
def test_every_mix_of_shapes(name: str) -> None:
    op, case = REGISTRY[name], CASES[name]
    filled = [sample for sample in drawn(name) if all(a is None or a.size for a in sample[0])]
    assert filled, f"no sample of {name} with elements was drawn"
    largest = max(filled, key=lambda sample: sum(a.size for a in sample[0] if a is not None))
    for variant in checks.broadcast_variants(op, largest):
        checks.check_forward(op, case, variant)
        if name in WITH_RULES:
            checks.check_first(op, case, variant)


@pytest.mark.parametrize("name", NAMES)
def test_every_argument_has_a_rule_or_a_mark_that_refuses_a_gradient(name: str) -> None:
    for_samples(name, checks.check_marks)


@pytest.mark.parametrize("name", [n for n in NAMES if not REGISTRY[n].info.differentiable and not CASES[n].underivable])
def test_what_is_not_differentiable_does_not_change_by_a_small_step(name: str) -> None:
    for_samples(name, checks.check_constant)


@pytest.mark.parametrize("name", [n for n in NAMES if REGISTRY[n].info.rules and not REGISTRY[n].info.view])
def test_what_may_be_changed_in_place_after_the_call(name: str) -> None:
    """Every result but those that the case says are kept: a program may go on in them before the backward pass."""
    refused: set[Any] = set()
    for_samples(name, functools.partial(checks.check_writes, refused))
    assert refused == set(CASES[name].saves)


@pytest.mark.parametrize("name", WITH_RULES)
def test_first_derivative(name: str) -> None:
    for_samples(name, checks.check_first)


@pytest.mark.parametrize("name", WITH_RULES)
def test_second_derivative(name: str) -> None:
    for_samples(name, checks.check_second)


@pytest.mark.parametrize("name", [n for n in WITH_RULES if CASES[n].complex])
def test_complex_derivatives(name: str) -> None:
    for_samples(name, checks.check_complex)


@pytest.mark.parametrize("name", [n for n in NAMES if CASES[n].bad])
def test_bad_input_is_refused_with_the_promised_message(name: str) -> None:
    op, case = REGISTRY[name], CASES[name]
    for bad in case.bad:
        tensors = [checks.tensor_of(a) if isinstance(a, np.ndarray) else a for a in bad.args]
        with pytest.raises(bad.error, match=bad.match):
            checks.evaluate(op, case, tensors, bad.settings)


@pytest.mark.parametrize("name", NAMES)
def test_on_a_strict_stand_in_for_cupy(name: str) -> None:
    """On a GPU, which is not the current one: CuPy would compute on that."""
    move = functools.partial(standin.to_standin, index=2)

    def check(op: Any, case: OpCase, sample: Any) -> None:
        if not case.host_only:
            with fake_cuda.nothing_changes():
                checks.check_elsewhere(op, case, sample, move)
            return
        with pytest.raises((AttributeError, TypeError, RuntimeError), match=re.escape(case.host_only)):
            checks.check_elsewhere(op, case, sample, move)

    for_samples(name, check, edges=True)
