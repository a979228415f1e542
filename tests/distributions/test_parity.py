"""Distributions beside PyTorch's, where it is installed: all that is not random."""

from __future__ import annotations

import inspect
import itertools
import warnings
from typing import Any, Callable

import numpy as np
import pytest

import minigrad as mg
from tests.distributions.cases import ALL, CASES

pytestmark = pytest.mark.parity

PROPERTIES = ("mean", "mode", "variance", "stddev", "batch_shape", "event_shape", "support", "has_rsample",
              "has_enumerate_support", "entropy", "perplexity", "enumerate_support", "__repr__")
# Where the texts differ: PyTorch shows no parameters of these, and no bound.
UNTOLD = {"Beta", "Multinomial", "OneHotCategorical", "OneHotCategoricalStraightThrough"}
# Where PyTorch's value is wrong, or a coarser approximation.
OTHERWISE = {("Kumaraswamy", "mode"): "the formula of the mode",
             ("VonMises", "variance"): "polynomials of single precision", ("VonMises", "stddev"): "the same",
             ("GeneralizedPareto", "log_prob"): "fails in float64", ("GeneralizedPareto", "cdf"): "the same"}
DIVERGENCES_OTHERWISE = {("ContinuousBernoulli", "Uniform"): "infinite where the bounds are 0 and 1 exactly",
                         ("Uniform", "ContinuousBernoulli"): "the same"}


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")


def outcome(call: Callable[[], Any]) -> Any:
    """A result that can be compared, or the class of what was raised."""
    try:
        found = call()
    except (NotImplementedError, ValueError, AttributeError) as error:
        return next(c for c in (NotImplementedError, ValueError, AttributeError) if isinstance(error, c))
    except RuntimeError as error:
        if type(error).__name__ == "_LinAlgError":
            return ValueError  # PyTorch factorizes a matrix before it looks at it
        raise
    if hasattr(found, "detach"):
        return found.detach().numpy()
    return str(found).replace("minigrad.", "torch.")


def agree(what: str, ours: Callable[[], Any], theirs: Callable[[], Any], rtol: float = 1e-6) -> None:
    found, expected = outcome(ours), outcome(theirs)
    if isinstance(expected, np.ndarray):
        assert isinstance(found, np.ndarray), f"{what}: {found}, PyTorch gives {expected}"
        assert found.dtype == expected.dtype, what
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=1e-8, err_msg=what)
    else:
        assert found == expected, what


@pytest.mark.parametrize(("name", "case"), ALL)
def test_properties(name: str, case: Any, torch: Any) -> None:
    ours, theirs = case.build(name, mg), case.build(name, torch)
    for key in PROPERTIES:
        if (name, key) in OTHERWISE or name in UNTOLD and key in ("__repr__", "support"):
            continue
        def ask(d: Any, key: str = key) -> Any:
            found = getattr(d, key)
            return found() if inspect.ismethod(found) else found
        agree(f"{name}.{key}", lambda: ask(ours), lambda: ask(theirs))


@pytest.mark.parametrize(("name", "case"), ALL)
def test_probabilities(name: str, case: Any, torch: Any) -> None:
    torch.manual_seed(0)
    ours, theirs = case.build(name, mg), case.build(name, torch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of singular samples, which Wishart's are not
        value = theirs.sample((5,))
    same, u = mg.tensor(value.numpy()), np.random.default_rng(0).uniform(size=value.shape)
    for key, mine, other in (("log_prob", same, value), ("cdf", same, value), ("icdf", mg.tensor(u), torch.tensor(u))):
        if (name, key) not in OTHERWISE:
            agree(f"{name}.{key}", lambda: getattr(ours, key)(mine), lambda: getattr(theirs, key)(other))  # noqa: B023
    shape = (3, *theirs.batch_shape)
    if name != "GeneralizedPareto":
        agree(f"{name}.expand", lambda: ours.expand(shape).log_prob(same), lambda: theirs.expand(shape).log_prob(value))


@pytest.mark.parametrize(("name", "case"), ALL)
def test_what_is_refused(name: str, case: Any, torch: Any) -> None:
    """Values outside of the support, of a wrong shape, of no tensor; parameters outside of theirs."""
    ours, theirs = case.build(name, mg), case.build(name, torch)
    shape = tuple(theirs.batch_shape + theirs.event_shape)
    for bad in (np.full(shape, np.nan), np.zeros((*shape[:-1], 7)), 1.0):
        def ask(d: Any, library: Any, bad: Any = bad) -> Any:
            d.log_prob(bad if isinstance(bad, float) else library.tensor(bad))
            return "accepted"
        agree(f"{name}.log_prob({bad})", lambda: ask(ours, mg), lambda: ask(theirs, torch))
    if case.make:
        return
    arrays = case.arrays()
    for key in arrays:
        if isinstance(arrays[key], np.ndarray):
            def make(library: Any, key: str = key) -> Any:
                case.build(name, library, {**arrays, key: -np.abs(arrays[key]) * np.nan}, validate_args=True)
                return "accepted"
            agree(f"{name}({key}=nan)", lambda: make(mg), lambda: make(torch))


def pair(name: str, library: Any) -> Any:
    """A distribution of a batch of two, so that all can be compared with all."""
    case = CASES[name][0]
    d = case.build(name, library)
    if tuple(d.batch_shape) == (3,):
        d = case.build(name, library, {k: v[:2] if isinstance(v, np.ndarray) else v for k, v in case.arrays().items()})
    return d if tuple(d.batch_shape) == (2,) else d.expand((2,))


@pytest.mark.parametrize("name", [n for n, cases in CASES.items() if cases[0].make is None])
def test_divergences(name: str, torch: Any) -> None:
    for other in CASES:
        if (name, other) in DIVERGENCES_OTHERWISE or CASES[other][0].make:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            def divergence(library: Any, other: str = other) -> Any:
                return library.distributions.kl_divergence(pair(name, library), pair(other, library))
            agree(f"kl_divergence({name}, {other})", lambda: divergence(mg), lambda: divergence(torch))


def test_divergences_are_those_of_pytorch(torch: Any) -> None:
    def known(library: Any) -> set[tuple[str, str]]:
        return {(p.__name__, q.__name__) for p, q in library.distributions.kl._KL_REGISTRY
                if p.__module__.startswith(f"{library.__name__}.distributions.")}
    assert known(mg) >= known(torch)


def test_names_are_those_of_pytorch(torch: Any) -> None:
    names = torch.distributions
    for module in ("", "constraints", "transforms", "utils", "constraint_registry", "kl", "relaxed_bernoulli",
                   "relaxed_categorical"):
        ours, theirs = (getattr(n, module) if module else n for n in (mg.distributions, names))
        assert set(theirs.__all__) <= set(dir(ours)), module


def parameters(found: Any) -> dict[str, Any]:
    plain = [p for p in inspect.signature(found).parameters.values() if p.name not in ("self", "args", "kwargs")]
    return {p.name: p.default if isinstance(p.default, (int, float, tuple, type(None))) else ... for p in plain}


def test_signatures_are_those_of_pytorch(torch: Any) -> None:
    for name in torch.distributions.__all__:
        ours, theirs = getattr(mg.distributions, name), getattr(torch.distributions, name)
        if inspect.isclass(theirs):
            if "batch_shape" not in parameters(theirs):
                assert parameters(ours) == parameters(theirs), name
            if name in CASES:
                ours = CASES[name][0].build(name, mg)
            missing = {n for n in dir(theirs) if not n.startswith("_")} - set(dir(ours))
            assert not missing, f"{name} has not {missing}"
    for module, cases in itertools.groupby(sorted(torch.distributions.__all__),
                                           key=lambda n: getattr(getattr(torch.distributions, n), "__module__", "")):
        for name in cases:
            if module.startswith("torch.distributions."):
                import_path = getattr(mg.distributions, module.rpartition(".")[2], None)
                assert import_path is not None and hasattr(import_path, name), f"{module}.{name}"
