"""Every family on the strict stand-in for CuPy, on a GPU that is not the current one: the same values, on the device."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from tests import standin  # noqa: F401  (registers the device "standin")
from tests.distributions.cases import ALL

GPU = "standin:2"


@pytest.mark.parametrize(("name", "case"), ALL)
def test_values_are_the_hosts_and_stay_on_the_device(name: str, case: Any) -> None:
    values = {k: mg.tensor(v, device=GPU, requires_grad=True) if isinstance(v, np.ndarray) and k not in case.fixed else
              mg.tensor(v, device=GPU) if isinstance(v, np.ndarray) else v for k, v in case.arrays().items()}
    there, here = case.of(name, mg, values), case.build(name, mg)
    value = here.sample((4,))
    moved = value.to(GPU)

    def same(what: str, found: Any, expected: Any) -> None:
        assert found.device == mg.device(GPU), f"{name}.{what} is on {found.device}"
        np.testing.assert_allclose(found.detach().cpu().numpy(), expected.detach().numpy(), rtol=1e-9, atol=1e-12, err_msg=what)

    drawn = there.rsample((3,)) if there.has_rsample else there.sample((3,))
    assert drawn.device == mg.device(GPU) and bool(there.support.check(drawn).all())
    if drawn.requires_grad:
        drawn.sum().backward(retain_graph=True)
        assert all(v.grad is None or v.grad.device == v.device for v in values.values() if isinstance(v, mg.Tensor))
    same("log_prob", there.log_prob(moved), here.log_prob(value))
    for what in ("mean", "mode", "variance"):
        try:
            expected = getattr(here, what)
        except NotImplementedError:
            continue
        same(what, getattr(there, what), expected)
    for what in ("entropy", "cdf", "enumerate_support"):
        args = ((moved,), (value,)) if what == "cdf" else ((), ())
        try:
            expected = getattr(here, what)(*args[1])
        except NotImplementedError:
            continue
        same(what, getattr(there, what)(*args[0]), expected)
